/**
 * Rows that outlive their morsel: a copy of a batch in heap blocks of its own. Scratch is what a morsel lives in; what an operator or a held table
 * keeps lives here, until it is freed.
 */
import { bitmapBytes, copyBits } from '../kernels/bitmap.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { dataBytes, elementBytes } from '../kernels/operand.js'
import type { StoredRows } from './row-store.js'

export function copyToHeap(k: Kernels, batch: LaneBatch): LaneBatch {
  const columns: LaneVector[] = []
  try {
    for (const column of batch.columns) columns.push(copyVector(k, column))
  } catch (error) {
    freeHeapBatch(k, { rowCount: batch.rowCount, columns })
    throw error
  }
  return { rowCount: batch.rowCount, columns }
}

function copyVector(k: Kernels, column: LaneVector): LaneVector {
  const { memory } = k
  const copy = (from: number, byteLength: number): number => {
    const to = memory.allocate(byteLength)
    memory.u8.copyWithin(to, from, from + byteLength)
    return to
  }
  const data = copy(column.data, dataBytes(column.type.kind, column.length))
  try {
    return { ...column, data, validity: column.validity === 0 ? 0 : copy(column.validity, bitmapBytes(column.length)) }
  } catch (error) {
    memory.free(data)
    throw error
  }
}

/** `count` rows from `from`, which is a multiple of 128, so that no bitmap need be shifted: the same buffers. */
export function sliceBatch(batch: LaneBatch, from: number, count: number): LaneBatch {
  if (from % 128 !== 0) throw new Error(`a slice begins at a multiple of 128 rows, not at ${from}`)
  const columns = batch.columns.map(column => {
    const width = elementBytes(column.type.kind)
    return {
      ...column,
      length: count,
      data: column.data + (width === 0 ? from / 8 : from * width),
      validity: column.validity === 0 ? 0 : column.validity + from / 8,
    }
  })
  return { rowCount: count, columns }
}

/** Pointer in scratch to the u32 row numbers `from` to `to`. */
export function rangeIndices(k: Kernels, from: number, to: number): number {
  const indices = k.memory.scratch(4 * (to - from))
  for (let row = from; row < to; row++) k.memory.u32[(indices >>> 2) + row - from] = row
  return indices
}

/** All rows of `parts`, one after another, in one heap batch; frees the parts. There is at least one. */
export function concatenate(k: Kernels, parts: readonly StoredRows[]): LaneBatch {
  if (parts.length === 1) return parts[0].batch
  const rowCount = parts.reduce((sum, { batch }) => sum + batch.rowCount, 0)
  const columns: LaneVector[] = []
  try {
    for (let i = 0; i < parts[0].batch.columns.length; i++) {
      columns.push(
        concatenateColumn(
          k,
          parts.map(({ batch }) => batch.columns[i]),
          rowCount,
        ),
      )
    }
  } catch (error) {
    freeHeapBatch(k, { rowCount, columns })
    throw error
  } finally {
    for (const { batch } of parts) freeHeapBatch(k, batch)
  }
  return { rowCount, columns }
}

function concatenateColumn(k: Kernels, parts: readonly LaneVector[], length: number): LaneVector {
  const { memory } = k
  const { type } = parts[0]
  const width = elementBytes(type.kind)
  const hasNulls = parts.some(({ validity }) => validity !== 0)
  const data = memory.allocate(dataBytes(type.kind, length))
  let validity = 0
  try {
    if (hasNulls) validity = memory.allocate(bitmapBytes(length))
  } catch (error) {
    memory.free(data)
    throw error
  }
  if (hasNulls) memory.bytes(validity, bitmapBytes(length)).fill(0xff)
  let row = 0
  for (const part of parts) {
    if (width === 0) copyBits(k, part.data, 0, data, row, part.length)
    else memory.u8.copyWithin(data + row * width, part.data, part.data + part.length * width)
    if (part.validity !== 0) copyBits(k, part.validity, 0, validity, row, part.length)
    row += part.length
  }
  const dictionary = parts.find(part => part.dictionary !== null)?.dictionary ?? null
  return { ...parts[0], length, data, validity, dictionary, range: null }
}

export function freeHeapBatch(k: Kernels, batch: LaneBatch): void {
  for (const column of batch.columns) {
    k.memory.free(column.data)
    k.memory.free(column.validity)
  }
}

/** Bytes of a batch's buffers, dictionaries apart. */
export function byteLengthOf(batch: LaneBatch): number {
  let byteLength = 0
  for (const { type, length, validity } of batch.columns) {
    byteLength += dataBytes(type.kind, length) + (validity === 0 ? 0 : bitmapBytes(length))
  }
  return byteLength
}
