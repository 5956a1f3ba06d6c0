/**
 * The pages of one column chunk, in turn: header, checks, decompression, levels. What the values in them are is column-reader.ts's
 * business. Every size that a header claims is checked before anything is allocated.
 */

import { crc32 } from './compression/crc32.js'
import { CODEC_TABLE } from './compression/decompress.js'
import { corrupt, unsupported } from './corrupt.js'
import type { Chunk } from './footer.js'
import { type HybridState, hybridOver } from './hybrid.js'
import { type PageHeader, readPageHeader } from './page-header.js'
import { type Cursor, cursorOver } from './thrift.js'
import { ENCODING } from './values.js'

export interface PageReader {
  /** Of the page read last, for errors. */
  byteOffset: () => number
  /** The next dictionary or data page, or null at the chunk's end. The buffers of the page before are used again. */
  next(): Page | null
}

export interface Page {
  readonly kind: 'data' | 'dictionary'
  readonly encoding: number
  readonly valueCount: number
  /** Among `valueCount`, as version 2 claims; null where only the levels tell. */
  readonly nullCount: number | null
  /** Definition levels; null where the column has none. */
  readonly levels: HybridState | null
  /** Repetition levels, of lists alone. */
  readonly repetition: HybridState | null
  /** The values: bytes [at, bytes.length). */
  readonly bytes: Uint8Array
  readonly at: number
}

/** The bits that a column's levels have in its pages; 0 where it has none. */
export interface LevelWidths {
  readonly repetition: 0 | 1
  readonly definition: 0 | 1 | 2
}

/** @param bytes the chunk's, in full. */
export function createPageReader(chunk: Chunk, bytes: Uint8Array, widths: LevelWidths): PageReader {
  const cursor = cursorOver(bytes, chunk.from)
  let pageStart = chunk.from
  let buffer = new Uint8Array(0)

  const decompress = (input: Uint8Array, byteLength: number): Uint8Array => {
    if (chunk.codec === 'UNCOMPRESSED') {
      if (input.length !== byteLength)
        throw corrupt(`an uncompressed page of ${byteLength} bytes takes ${input.length}`)
      return input
    }
    const codec = CODEC_TABLE[chunk.codec ?? '']
    if (codec === undefined)
      throw unsupported(
        `its compression, ${chunk.codec ?? 'of a kind unknown here'}, is not one that this version reads; write it with zstd`,
      )
    if (byteLength > input.length * codec.maxRatio + 1024)
      throw corrupt(`a page claims ${byteLength} bytes from ${input.length}`)
    if (buffer.length < byteLength) buffer = new Uint8Array(byteLength)
    const output = buffer.subarray(0, byteLength)
    if (byteLength === 0) return output
    try {
      codec.decompress(input, output)
    } catch (error) {
      throw corrupt(error instanceof Error ? error.message : String(error), undefined, error)
    }
    return output
  }

  return {
    byteOffset: () => pageStart,
    next() {
      while (cursor.at < cursor.end) {
        pageStart = cursor.base + cursor.at
        const header = readPageHeader(cursor)
        const body = takeBody(cursor, header, chunk)
        if (header.kind === 'data') return dataPage1(header, decompress(body, header.uncompressedByteLength), widths)
        if (header.kind === 'data2') return dataPage2(header, body, decompress, widths)
        if (header.kind === 'dictionary') {
          const { encoding, valueCount } = header
          if (encoding !== ENCODING.plain && encoding !== ENCODING.plainDictionary)
            throw corrupt('a dictionary page is not PLAIN')
          return {
            kind: 'dictionary',
            encoding,
            valueCount,
            nullCount: 0,
            levels: null,
            repetition: null,
            bytes: decompress(body, header.uncompressedByteLength),
            at: 0,
          }
        }
      }
      return null
    },
  }
}

/** The page's bytes as they lie in the file, checked. */
function takeBody(cursor: Cursor, header: PageHeader, chunk: Chunk): Uint8Array {
  const left = cursor.end - cursor.at
  if (header.compressedByteLength > left)
    throw corrupt(`a page of ${header.compressedByteLength} bytes where ${left} are left of its column chunk`)
  if (header.uncompressedByteLength > chunk.uncompressedByteLength) {
    throw corrupt(
      `a page claims ${header.uncompressedByteLength} bytes uncompressed, its whole column chunk ${chunk.uncompressedByteLength}`,
    )
  }
  const body = cursor.bytes.subarray(cursor.at, cursor.at + header.compressedByteLength)
  cursor.at += header.compressedByteLength
  if (header.crc !== null && header.crc !== crc32(body)) throw corrupt("a page's checksum does not match")
  return body
}

/** Version 1: levels and values are compressed together; the levels' length stands before them. */
function dataPage1(header: PageHeader, bytes: Uint8Array, widths: LevelWidths): Page {
  const { encoding, valueCount } = header
  let at = 0
  const levelsOf = (width: number, what: string, levelEncoding: number): HybridState | null => {
    if (width === 0) return null
    if (levelEncoding !== ENCODING.rle)
      throw unsupported(`its ${what} levels are bit-packed without runs, as only very old writers do`)
    if (bytes.length - at < 4) throw corrupt(`a page has no ${what} levels`)
    const byteLength = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true)
    if (byteLength > bytes.length - at - 4)
      throw corrupt(`${what} levels of ${byteLength} bytes in a page of ${bytes.length}`)
    const from = at + 4
    at = from + byteLength
    return hybridOver(bytes, from, at, width)
  }
  const repetition = levelsOf(widths.repetition, 'repetition', header.repetitionEncoding)
  const levels = levelsOf(widths.definition, 'definition', header.levelEncoding)
  return { kind: 'data', encoding, valueCount, nullCount: levels === null ? 0 : null, levels, repetition, bytes, at }
}

/** Version 2: levels come first and are never compressed. */
function dataPage2(
  header: PageHeader,
  body: Uint8Array,
  decompress: (input: Uint8Array, byteLength: number) => Uint8Array,
  widths: LevelWidths,
): Page {
  const { encoding, valueCount, repetitionByteLength, definitionByteLength } = header
  const levelBytes = repetitionByteLength + definitionByteLength
  if (levelBytes > body.length || levelBytes > header.uncompressedByteLength) {
    throw corrupt(`levels of ${levelBytes} bytes in a page of ${body.length}`)
  }
  if (widths.definition === 0 && header.nullCount > 0)
    throw corrupt(`${header.nullCount} nulls in a column that is declared to have none`)
  const values = body.subarray(levelBytes)
  const byteLength = header.uncompressedByteLength - levelBytes
  // A page without values, all nulls, may be left empty whatever the codec.
  const bytes = header.isCompressed && values.length > 0 ? decompress(values, byteLength) : values
  const { repetition: r, definition: d } = widths
  const repetition = r === 0 ? null : hybridOver(body, 0, repetitionByteLength, r)
  const levels = d === 0 ? null : hybridOver(body, repetitionByteLength, levelBytes, d)
  // Writers do not agree whether an empty list is a null among a list's values.
  const nullCount = repetition === null ? header.nullCount : null
  return { kind: 'data', encoding, valueCount, nullCount, levels, repetition, bytes, at: 0 }
}
