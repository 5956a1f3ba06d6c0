/** The header before each page of a column chunk; page.ts reads the page behind it. */
import { corrupt } from './corrupt.js'
import { type Cursor, isBool, isTrue, readI32, readStruct, WIRE } from './thrift.js'

export interface PageHeader {
  readonly kind: 'data' | 'data2' | 'dictionary' | 'other'
  readonly compressedByteLength: number
  readonly uncompressedByteLength: number
  /** CRC-32 of the page's bytes as they lie in the file. */
  readonly crc: number | null
  readonly valueCount: number
  /** `parquet.thrift`, enum Encoding. */
  readonly encoding: number
  /** Of version 1: the encoding of definition levels. */
  readonly levelEncoding: number
  /** Of version 1: that of repetition levels. */
  readonly repetitionEncoding: number
  /** Of version 2. */
  readonly nullCount: number
  readonly definitionByteLength: number
  readonly repetitionByteLength: number
  readonly isCompressed: boolean
}

const KINDS = ['data', 'other', 'dictionary', 'data2'] as const

/** Sizes are within int32 and not negative; more is for the caller to check. */
export function readPageHeader(cursor: Cursor): PageHeader {
  const at = cursor.base + cursor.at
  const header = {
    kind: 'other' as PageHeader['kind'],
    compressedByteLength: -1,
    uncompressedByteLength: -1,
    crc: null as number | null,
    valueCount: 0,
    encoding: -1,
    levelEncoding: 3,
    repetitionEncoding: 3,
    nullCount: 0,
    definitionByteLength: 0,
    repetitionByteLength: 0,
    isCompressed: true,
  }
  let told = ''
  readStruct(cursor, (id, type) => {
    if (type === WIRE.STRUCT && (id === 5 || id === 7 || id === 8)) {
      told = id === 5 ? 'data' : id === 7 ? 'dictionary' : 'data2'
      readStruct(cursor, (field, wire) => {
        if (id === 8 && field === 7 && isBool(wire)) header.isCompressed = isTrue(wire)
        else if (wire !== WIRE.I32) return false
        else if (field === 1) header.valueCount = readI32(cursor)
        else if (id === 8 && field === 2) header.nullCount = readI32(cursor)
        else if (field === (id === 8 ? 4 : 2)) header.encoding = readI32(cursor)
        else if (id === 5 && field === 3) header.levelEncoding = readI32(cursor)
        else if (id === 5 && field === 4) header.repetitionEncoding = readI32(cursor)
        else if (id === 8 && field === 5) header.definitionByteLength = readI32(cursor)
        else if (id === 8 && field === 6) header.repetitionByteLength = readI32(cursor)
        else return false
        return true
      })
    } else if (type !== WIRE.I32) return false
    else if (id === 1) header.kind = KINDS[readI32(cursor)] ?? 'other'
    else if (id === 2) header.uncompressedByteLength = readI32(cursor)
    else if (id === 3) header.compressedByteLength = readI32(cursor)
    else if (id === 4) header.crc = readI32(cursor)
    else return false
    return true
  })
  if (header.kind !== 'other' && told !== header.kind) throw corrupt('a page header contradicts its own type', at)
  const sizes = [header.compressedByteLength, header.uncompressedByteLength, header.valueCount, header.nullCount]
  if (Math.min(...sizes, header.definitionByteLength, header.repetitionByteLength) < 0) {
    throw corrupt('a page header has a negative or missing size', at)
  }
  if (header.nullCount > header.valueCount)
    throw corrupt(`a page claims ${header.nullCount} nulls among ${header.valueCount} values`, at)
  return header
}
