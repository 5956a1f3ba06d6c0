/** The body of a batch that is written: nodes and buffers, in the order of its columns. */
import { bitmapBytes } from '../../columnar/validity.js'
import type { Vector, VectorData } from '../../columnar/vector.js'

/** Of every buffer's place. */
const ALIGNMENT = 8

/** A batch's body as it grows. */
export interface BodyWriter {
  readonly nodes: [length: number, nullCount: number][]
  readonly buffers: [offset: number, length: number][]
  readonly chunks: Uint8Array[]
  byteLength: number
}

export const createBody = (): BodyWriter => ({ nodes: [], buffers: [], chunks: [], byteLength: 0 })

/** The node and the bitmap, which is left out where nothing is null. */
export function putNode(
  { length, nullCount, validity }: Pick<Vector, 'length' | 'nullCount' | 'validity'>,
  body: BodyWriter,
): void {
  body.nodes.push([length, nullCount])
  putBuffer(validity === null ? new Uint8Array(0) : validity.subarray(0, bitmapBytes(length)), body)
}

export function putBuffer({ buffer, byteOffset, byteLength }: VectorData, body: BodyWriter): void {
  body.buffers.push([body.byteLength, byteLength])
  if (byteLength > 0) body.chunks.push(new Uint8Array(buffer, byteOffset, byteLength))
  const padding = -byteLength & (ALIGNMENT - 1)
  if (padding > 0) body.chunks.push(new Uint8Array(padding))
  body.byteLength += byteLength + padding
}
