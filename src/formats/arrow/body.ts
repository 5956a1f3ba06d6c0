/**
 * The buffers of one batch's body: byte ranges of them, read from the input where they are asked for, near ones together, decompressed where
 * they are compressed. What they mean is arrays.ts's business.
 */
import type { ByteSource } from '../byte-source.js'
import { decompressLz4Frame } from '../compression/lz4-frame.js'
import { decompressZstd, mostZstdBytes } from '../compression/zstd.js'
import { corrupt } from '../fault.js'
import { type ByteRange, readRanges } from '../read-ranges.js'
import type { BatchHeader, Compression } from './message.js'

export interface Body {
  /**
   * Bytes [from, to) of a buffer, as a view that is aligned to 8 bytes as the buffer and `from` are.
   * @throws MillraceError `MR_FORMAT_ERROR` where the buffer is shorter, or cannot be decompressed.
   */
  read(buffer: number, from: number, to: number): Promise<Uint8Array>
  /** Of a buffer, decompressed. */
  byteLength(buffer: number): Promise<number>
  /** Where a buffer is in the input, for errors. */
  byteOffset(buffer: number): number
}

/** Reads of the same tick go together. */
export interface RangeReader {
  read(from: number, to: number): Promise<Uint8Array>
}

export function createRangeReader(source: ByteSource, signal?: AbortSignal): RangeReader {
  let waiting: { range: ByteRange; resolve: (bytes: Uint8Array) => void; reject: (error: unknown) => void }[] = []
  const flush = async () => {
    const some = waiting
    waiting = []
    try {
      const bytes = await readRanges(
        source,
        some.map(({ range }) => range),
        signal,
      )
      for (const [i, { resolve }] of some.entries()) resolve(bytes[i] as Uint8Array)
    } catch (error) {
      for (const { reject } of some) reject(error)
    }
  }
  return {
    read(from, to) {
      if (from === to) return Promise.resolve(new Uint8Array(0))
      // What is fetched begins where numbers may: buffers are aligned in the file.
      const before = from % 8
      return new Promise<Uint8Array>((resolve, reject) => {
        if (waiting.length === 0) queueMicrotask(flush)
        waiting.push({
          range: { from: from - before, to },
          resolve: bytes => resolve(before === 0 ? bytes : bytes.subarray(before)),
          reject,
        })
      })
    },
  }
}

interface Codec {
  readonly decompress: (input: Uint8Array, output: Uint8Array) => void
  /** The most bytes that are in a sound buffer like this: bounds what a lying length can allocate. */
  readonly most: (input: Uint8Array) => number
}

const CODECS: Readonly<Record<Compression, Codec>> = {
  // A byte adds at most 255 to the length of a match.
  LZ4_FRAME: { decompress: decompressLz4Frame, most: input => 255 * input.length },
  ZSTD: { decompress: decompressZstd, most: mostZstdBytes },
}

/** @param bodyStart where the body begins in the input. */
export function openBody(reader: RangeReader, { buffers, compression }: BatchHeader, bodyStart: number): Body {
  const byteOffset = (buffer: number): number => bodyStart + (buffers[buffer]?.offset ?? 0)
  const whole = new Map<number, Promise<Uint8Array>>()

  const decompressed = (buffer: number): Promise<Uint8Array> => {
    let bytes = whole.get(buffer)
    if (bytes === undefined) {
      const { offset, length } = buffers[buffer] as BatchHeader['buffers'][number]
      const from = bodyStart + offset
      bytes = reader
        .read(from, from + length)
        .then(compressed => decompress(compressed, CODECS[compression as Compression], from))
      whole.set(buffer, bytes)
    }
    return bytes
  }

  const tooShort = (buffer: number, byteLength: number, to: number) =>
    corrupt(`a buffer has ${byteLength} bytes where ${to} are needed`, byteOffset(buffer))

  if (compression !== null) {
    return {
      byteOffset,
      byteLength: async buffer => (await decompressed(buffer)).length,
      async read(buffer, from, to) {
        const bytes = await decompressed(buffer)
        if (to > bytes.length) throw tooShort(buffer, bytes.length, to)
        return bytes.subarray(from, to)
      },
    }
  }
  return {
    byteOffset,
    byteLength: async buffer => (buffers[buffer] as BatchHeader['buffers'][number]).length,
    async read(buffer, from, to) {
      const { offset, length } = buffers[buffer] as BatchHeader['buffers'][number]
      if (to > length) throw tooShort(buffer, length, to)
      return reader.read(bodyStart + offset + from, bodyStart + offset + to)
    },
  }
}

/** A compressed buffer begins with the length of what is in it, in 8 bytes; -1: it is not compressed. An empty one has no length. */
function decompress(bytes: Uint8Array, { decompress, most }: Codec, byteOffset: number): Uint8Array {
  if (bytes.length === 0) return bytes
  if (bytes.length < 8) throw corrupt(`a compressed buffer has ${bytes.length} bytes`, byteOffset)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true))
  const content = bytes.subarray(8)
  if (length === -1) return content
  try {
    if (length < 0 || length > most(content))
      throw new Error(`it claims to have ${length} bytes, and has ${content.length} compressed`)
    const output = new Uint8Array(length)
    decompress(content, output)
    return output
  } catch (error) {
    throw corrupt(`a buffer cannot be decompressed: ${(error as Error).message}`, byteOffset, error)
  }
}
