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
  /** Definition levels of width 1; null where the column has none. */
  readonly levels: HybridState | null
  /** The values: bytes [at, bytes.length). */
  readonly bytes: Uint8Array
  readonly at: number
}

/**
 * @param bytes the chunk's, in full.
 * @param isOptional whether there are definition levels.
 */
export function createPageReader(chunk: Chunk, bytes: Uint8Array, isOptional: boolean): PageReader {
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
        if (header.kind === 'data')
          return dataPage1(header, decompress(body, header.uncompressedByteLength), isOptional)
        if (header.kind === 'data2') return dataPage2(header, body, decompress, isOptional)
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
function dataPage1(header: PageHeader, bytes: Uint8Array, isOptional: boolean): Page {
  const { encoding, valueCount } = header
  if (!isOptional) return { kind: 'data', encoding, valueCount, nullCount: 0, levels: null, bytes, at: 0 }
  if (header.levelEncoding !== ENCODING.rle)
    throw unsupported('its definition levels are bit-packed without runs, as only very old writers do')
  if (bytes.length < 4) throw corrupt('a page has no definition levels')
  const byteLength = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  if (byteLength > bytes.length - 4)
    throw corrupt(`definition levels of ${byteLength} bytes in a page of ${bytes.length}`)
  const at = 4 + byteLength
  return { kind: 'data', encoding, valueCount, nullCount: null, levels: hybridOver(bytes, 4, at, 1), bytes, at }
}

/** Version 2: levels come first and are never compressed. */
function dataPage2(
  header: PageHeader,
  body: Uint8Array,
  decompress: (input: Uint8Array, byteLength: number) => Uint8Array,
  isOptional: boolean,
): Page {
  const { encoding, valueCount, nullCount, repetitionByteLength, definitionByteLength } = header
  const levelBytes = repetitionByteLength + definitionByteLength
  if (levelBytes > body.length || levelBytes > header.uncompressedByteLength) {
    throw corrupt(`levels of ${levelBytes} bytes in a page of ${body.length}`)
  }
  if (!isOptional && nullCount > 0) throw corrupt(`${nullCount} nulls in a column that is declared to have none`)
  const values = body.subarray(levelBytes)
  const byteLength = header.uncompressedByteLength - levelBytes
  // A page without values, all nulls, may be left empty whatever the codec.
  const bytes = header.isCompressed && values.length > 0 ? decompress(values, byteLength) : values
  const levels = isOptional ? hybridOver(body, repetitionByteLength, levelBytes, 1) : null
  return { kind: 'data', encoding, valueCount, nullCount, levels, bytes, at: 0 }
}
