/**
 * One column chunk as vectors, morsel by morsel: pages come from page.ts, values from values.ts and strings.ts; here nulls are put in their
 * places and vectors are made. Nothing is held but one page and one morsel, whatever the chunk claims to hold.
 */
import type { DataType } from '../../columnar/type.js'
import type { VectorData } from '../../columnar/vector.js'
import { MillraceError } from '../../errors.js'
import type { PlainDictionary, PlainVector } from '../plain-batch.js'
import { repairUtf8 } from '../repair-utf8.js'
import { corrupt } from './corrupt.js'
import type { Chunk, ParquetColumn } from './footer.js'
import { type HybridState, hybridOver, packedBits, readBits } from './hybrid.js'
import { createPageReader, type Page } from './page.js'
import {
  createStringBuilder,
  finishStrings,
  putDictionaryStrings,
  type ReadStrings,
  type StringBuilder,
  spreadStrings,
  stringDictionaryOf,
  stringsOf,
} from './strings.js'
import {
  codesOf,
  dictionaryOf,
  ENCODING,
  type FixedEncoded,
  isDictionaryEncoding,
  type ReadWords,
  unsupportedEncoding,
  wordsOf,
  wordsPerValue,
} from './values.js'

export interface ColumnReader {
  /** The next `rowCount` rows. @throws MillraceError `MR_FORMAT_ERROR`, `MR_INTEGER_OVERFLOW` */
  next(rowCount: number): PlainVector
  /** Strings that were repaired since the last call. */
  takeIllFormedCount(): number
  /** Of the page read last, for errors. */
  byteOffset(): number
}

/** The data page at hand. */
interface OpenPage {
  /** Rows not yet read. */
  left: number
  readonly levels: HybridState | null
  /** One of these, by the column's type and the page's encoding. */
  readonly words: ReadWords | null
  readonly codes: ReadWords | null
  readonly strings: ReadStrings | null
  readonly bits: HybridState | null
}

/** @param bytes the chunk's, in full. */
export function createColumnReader(column: ParquetColumn, chunk: Chunk, bytes: Uint8Array): ColumnReader {
  const { encoded, type } = column
  const pages = createPageReader(chunk, bytes, type.nullable)
  let wordDictionary: Int32Array | null = null
  let textDictionary: PlainDictionary | null = null
  let illFormedCount = 0
  let page: OpenPage | null = null
  /** Behind the page at hand. */
  let rowsLeft = chunk.valueCount

  const readDictionary = ({ bytes, valueCount }: Page): void => {
    if (wordDictionary !== null || textDictionary !== null) throw corrupt('a column chunk has two dictionaries')
    if (encoded === 'bool') throw corrupt('a boolean column has a dictionary')
    if (encoded !== 'bytes') {
      wordDictionary = dictionaryOf(encoded, bytes, valueCount)
      return
    }
    const texts = repairUtf8(stringDictionaryOf(bytes, valueCount))
    illFormedCount += texts.illFormedCount
    // A null row's code is 0, which must be in range even where all rows are null.
    textDictionary = {
      offsets: valueCount === 0 ? new Int32Array(2) : texts.offsets,
      bytes: texts.bytes,
      length: Math.max(valueCount, 1),
    }
  }

  /** The page that the next rows are in. */
  const current = (): OpenPage => {
    while (page === null || page.left === 0) {
      const next = pages.next()
      if (next === null) throw corrupt('a column chunk has fewer values than its row group has rows')
      if (next.kind === 'dictionary') {
        readDictionary(next)
        continue
      }
      if (next.valueCount > rowsLeft) throw corrupt('a column chunk has more values than its row group has rows')
      rowsLeft -= next.valueCount
      page = openPage(next, encoded, wordDictionary, textDictionary)
    }
    return page
  }

  /** Calls `read` for each part of the next rows that lies in one page: its first row, its rows, and how many of them are not null. */
  const eachPart = (
    rowCount: number,
    validity: Uint8Array | null,
    read: (page: OpenPage, row: number, rows: number, dense: number) => void,
  ): number => {
    let valid = 0
    for (let row = 0; row < rowCount; ) {
      const open = current()
      const rows = Math.min(rowCount - row, open.left)
      const dense = open.levels === null ? rows : readBits(open.levels, validity as Uint8Array, row, rows)
      read(open, row, rows, dense)
      open.left -= rows
      valid += dense
      row += rows
    }
    return rowCount - valid
  }

  const fixed = (rowCount: number, validity: Uint8Array | null): Omit<PlainVector, 'type' | 'length'> => {
    const words = wordsPerValue(encoded as FixedEncoded)
    const data = new Int32Array(rowCount * words)
    const nullCount = eachPart(rowCount, validity, (open, row, rows, dense) => {
      ;(open.words as ReadWords)(data, row, dense)
      if (dense < rows) spreadWords(data, words, row, rows, dense, validity as Uint8Array)
    })
    return {
      nullCount,
      validity,
      data: typedData(data, type, nullCount === 0 ? null : validity),
      dictionary: null,
      offsets: null,
    }
  }

  const bools = (rowCount: number, validity: Uint8Array | null): Omit<PlainVector, 'type' | 'length'> => {
    const data = new Uint8Array((rowCount + 7) >> 3)
    const nullCount = eachPart(rowCount, validity, (open, row, rows, dense) => {
      const bits = open.bits as HybridState
      if (dense === rows) readBits(bits, data, row, rows)
      else {
        const packed = new Uint8Array((dense + 7) >> 3)
        readBits(bits, packed, 0, dense)
        spreadBits(packed, data, row, rows, validity as Uint8Array)
      }
    })
    return { nullCount, validity, data, dictionary: null, offsets: null }
  }

  /** Codes while every page is dictionary-encoded; a morsel with any other page becomes plain strings. */
  const strings = (rowCount: number, validity: Uint8Array | null): Omit<PlainVector, 'type' | 'length'> => {
    const codes = new Int32Array(rowCount)
    const made: { plain: StringBuilder | null } = { plain: null }
    const nullCount = eachPart(rowCount, validity, (open, row, rows, dense) => {
      if (open.codes !== null) {
        open.codes(codes, row, dense)
        if (made.plain === null) {
          if (dense < rows) spreadWords(codes, 1, row, rows, dense, validity as Uint8Array)
          return
        }
        putDictionaryStrings(made.plain, textDictionary as PlainDictionary, codes.subarray(row, row + dense), dense)
      } else {
        if (made.plain === null) {
          made.plain = createStringBuilder(rowCount)
          // Null rows before this page have codes too; that they get some entry's text is harmless.
          if (row > 0) putDictionaryStrings(made.plain, textDictionary as PlainDictionary, codes, row)
        }
        ;(open.strings as ReadStrings)(made.plain, dense)
      }
      if (dense < rows) spreadStrings(made.plain, validity as Uint8Array, row, rows, dense)
    })
    if (made.plain === null) return { nullCount, validity, data: codes, dictionary: textDictionary, offsets: null }
    const texts = repairUtf8(finishStrings(made.plain))
    illFormedCount += texts.illFormedCount
    return { nullCount, validity, data: texts.bytes, dictionary: null, offsets: texts.offsets }
  }

  return {
    next(rowCount) {
      const validity = type.nullable ? new Uint8Array((rowCount + 7) >> 3) : null
      const vector =
        encoded === 'bool'
          ? bools(rowCount, validity)
          : encoded === 'bytes'
            ? strings(rowCount, validity)
            : fixed(rowCount, validity)
      return { ...vector, type, length: rowCount, validity: vector.nullCount === 0 ? null : validity }
    },
    takeIllFormedCount() {
      const taken = illFormedCount
      illFormedCount = 0
      return taken
    },
    byteOffset: pages.byteOffset,
  }
}

function openPage(
  page: Page,
  encoded: ParquetColumn['encoded'],
  words: Int32Array | null,
  texts: PlainDictionary | null,
): OpenPage {
  const { encoding, bytes, at, valueCount, levels } = page
  const end = bytes.length
  const open = { left: valueCount, levels, words: null, codes: null, strings: null, bits: null }
  const dense = denseCount(levels, valueCount)
  if (page.nullCount !== null && page.nullCount !== valueCount - dense) {
    throw corrupt(`a page claims ${page.nullCount} nulls, its levels have ${valueCount - dense}`)
  }
  // A page of nulls alone may have no value bytes at all, not even an encoding's header.
  if (dense === 0) {
    return {
      ...open,
      words: noWords,
      codes: texts === null ? null : noWords,
      strings: noStrings,
      bits: packedBits(bytes, end, end, 0),
    }
  }
  if (encoded === 'bool') return { ...open, bits: boolBits(encoding, bytes, at, dense) }
  if (encoded !== 'bytes') return { ...open, words: wordsOf(encoded, encoding, bytes, at, end, dense, words) }
  if (!isDictionaryEncoding(encoding)) return { ...open, strings: stringsOf(encoding, bytes, at, end, dense) }
  if (texts === null) throw corrupt('a page refers to a dictionary that there is not')
  return { ...open, codes: codesOf(bytes, at, end, texts.length) }
}

const noWords: ReadWords = () => {}
const noStrings: ReadStrings = () => {}

/** Counts a page's non-null values ahead, in small pieces: the levels are read again when its rows are. */
function denseCount(levels: HybridState | null, valueCount: number): number {
  if (levels === null) return valueCount
  const ahead = hybridOver(levels.bytes, levels.at, levels.end, levels.width)
  const piece = new Uint8Array(1024)
  let dense = 0
  for (let left = valueCount; left > 0; ) {
    const n = Math.min(left, 8192)
    dense += readBits(ahead, piece.fill(0), 0, n)
    left -= n
  }
  return dense
}

function boolBits(encoding: number, bytes: Uint8Array, at: number, count: number): HybridState {
  if (encoding === ENCODING.plain) return packedBits(bytes, at, bytes.length, count)
  if (encoding !== ENCODING.rle) throw unsupportedEncoding(encoding, 'bool')
  if (bytes.length - at < 4) throw corrupt('a page of booleans has no length')
  const byteLength = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true)
  if (byteLength > bytes.length - at - 4) throw corrupt(`booleans of ${byteLength} bytes in a page of ${bytes.length}`)
  return hybridOver(bytes, at + 4, at + 4 + byteLength, 1)
}

const isValid = (validity: Uint8Array, row: number): number => ((validity[row >> 3] as number) >> (row & 7)) & 1

/** Moves `dense` values at [row, row + dense) to the valid ones of [row, row + rows), from the last to the first. */
function spreadWords(
  data: Int32Array,
  words: 1 | 2,
  row: number,
  rows: number,
  dense: number,
  validity: Uint8Array,
): void {
  let from = row + dense - 1
  for (let to = row + rows - 1; from >= row && to > from; to--) {
    if (isValid(validity, to) === 0) continue
    if (words === 1) data[to] = data[from] as number
    else {
      data[2 * to] = data[2 * from] as number
      data[2 * to + 1] = data[2 * from + 1] as number
    }
    from--
  }
}

function spreadBits(packed: Uint8Array, data: Uint8Array, row: number, rows: number, validity: Uint8Array): void {
  let from = 0
  for (let to = row; to < row + rows; to++) {
    if (isValid(validity, to) === 0) continue
    if (isValid(packed, from++) === 1) data[to >> 3] |= 1 << (to & 7)
  }
}

/** The words as the type's array: the same buffer, or a narrower copy. */
function typedData(words: Int32Array, type: DataType, validity: Uint8Array | null): VectorData {
  const { kind } = type
  const buffer = words.buffer as ArrayBuffer
  if (kind === 'int32' || kind === 'date') return words
  if (kind === 'uint32') return new Uint32Array(buffer)
  if (kind === 'float32') return new Float32Array(buffer)
  if (kind === 'float64') return new Float64Array(buffer)
  if (kind === 'int64' || kind === 'timestamp') return new BigInt64Array(buffer)
  const narrow = { int8: Int8Array, int16: Int16Array, uint8: Uint8Array, uint16: Uint16Array }[
    kind as 'int8' | 'int16' | 'uint8' | 'uint16'
  ]
  const data = new narrow(words)
  for (let i = 0; i < words.length; i++) {
    if (data[i] !== words[i] && (validity === null || isValid(validity, i) === 1)) {
      throw new MillraceError('MR_INTEGER_OVERFLOW', `the value ${words[i]} does not fit the declared type ${kind}`, {
        row: i,
      })
    }
  }
  return data
}
