/**
 * Values of a column, or a list's items, put end to end as pages give them, nulls in their places; column-reader.ts and list-reader.ts make
 * vectors of them. A receiver gets buffers of its own.
 */
import type { DataType } from '../../columnar/type.js'
import type { VectorData } from '../../columnar/vector.js'
import { MillraceError } from '../../errors.js'
import type { PlainDictionary, PlainVector } from '../plain-batch.js'
import type { ChunkPages, OpenPage } from './chunk-pages.js'
import type { Encoded } from './column-type.js'
import { type HybridState, readBits } from './hybrid.js'
import {
  createStringBuilder,
  finishStrings,
  putDictionaryStrings,
  type ReadStrings,
  reserveRows,
  type StringBuilder,
  spreadStrings,
} from './strings.js'
import { type FixedEncoded, type ReadWords, wordsPerValue } from './values.js'

export type Values = Pick<PlainVector, 'data' | 'dictionary' | 'offsets'>

export interface ValueBuilder {
  /** Appends the page's next values as rows [row, row + rows), of which `dense` are valid. */
  put(page: OpenPage, row: number, rows: number, dense: number, validity: Uint8Array | null): void
  /**
   * @param validity null where no row is null.
   * @param placeOf what an error calls row i; i where it is left out.
   */
  finish(rowCount: number, validity: Uint8Array | null, placeOf?: (i: number) => number): Values
}

/**
 * @param type of a value.
 * @param capacity rows that there is room for at once; more take copying.
 */
export function createValues(encoded: Encoded, type: DataType, capacity: number, pages: ChunkPages): ValueBuilder {
  if (encoded === 'bool') return bools(capacity)
  return encoded === 'bytes' ? strings(capacity, pages) : fixed(encoded, type, capacity)
}

function fixed(encoded: FixedEncoded | 'decimal', type: DataType, capacity: number): ValueBuilder {
  const words = wordsPerValue(encoded)
  let data = new Int32Array(capacity * words)
  return {
    put(page, row, rows, dense, validity) {
      data = roomFor(data, (row + rows) * words)
      ;(page.words as ReadWords)(data, row, dense)
      if (dense < rows) spreadWords(data, words, row, rows, dense, validity as Uint8Array)
    },
    finish(rowCount, validity, placeOf = i => i) {
      return {
        data: typedData(exactly(data, rowCount * words), type, validity, placeOf),
        dictionary: null,
        offsets: null,
      }
    },
  }
}

function bools(capacity: number): ValueBuilder {
  let data = new Uint8Array((capacity + 7) >> 3)
  return {
    put(page, row, rows, dense, validity) {
      data = roomFor(data, (row + rows + 7) >> 3)
      const bits = page.bits as HybridState
      if (dense === rows) readBits(bits, data, row, rows)
      else {
        const packed = new Uint8Array((dense + 7) >> 3)
        readBits(bits, packed, 0, dense)
        spreadBits(packed, data, row, rows, validity as Uint8Array)
      }
    },
    finish: rowCount => ({ data: exactly(data, (rowCount + 7) >> 3), dictionary: null, offsets: null }),
  }
}

/** Codes while every page is dictionary-encoded; rows with any other page become plain strings. */
function strings(capacity: number, pages: ChunkPages): ValueBuilder {
  let codes = new Int32Array(capacity)
  let plain: StringBuilder | null = null
  return {
    put(page, row, rows, dense, validity) {
      if (page.codes !== null) {
        codes = roomFor(codes, row + rows)
        page.codes(codes, row, dense)
        if (plain === null) {
          if (dense < rows) spreadWords(codes, 1, row, rows, dense, validity as Uint8Array)
          return
        }
        reserveRows(plain, rows)
        putDictionaryStrings(plain, pages.texts() as PlainDictionary, codes.subarray(row, row + dense), dense)
      } else {
        if (plain === null) {
          plain = createStringBuilder(Math.max(capacity, row + rows))
          // Null rows before this page have codes too; that they get some entry's text is harmless.
          if (row > 0) putDictionaryStrings(plain, pages.texts() as PlainDictionary, codes.subarray(0, row), row)
        }
        reserveRows(plain, rows)
        ;(page.strings as ReadStrings)(plain, dense)
      }
      if (dense < rows) spreadStrings(plain, validity as Uint8Array, row, rows, dense)
    },
    finish(rowCount) {
      const dictionary = pages.texts()
      if (plain === null && dictionary !== null) return { data: exactly(codes, rowCount), dictionary, offsets: null }
      const texts = pages.repaired(finishStrings(plain ?? createStringBuilder(0)))
      return { data: texts.bytes, dictionary: null, offsets: texts.offsets }
    },
  }
}

/** The same array, or a longer copy. */
function roomFor<A extends Int32Array | Uint8Array>(array: A, length: number): A {
  if (length <= array.length) return array
  const larger = new (array.constructor as new (length: number) => A)(Math.max(length, array.length * 2))
  larger.set(array)
  return larger
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

/** The array where that is all of it, or a copy that is no longer. */
const exactly = <A extends Int32Array | Uint8Array>(array: A, length: number): A =>
  array.length === length ? array : (array.slice(0, length) as A)

/** The words as the type's array: the same buffer, or a narrower copy. */
function typedData(
  words: Int32Array,
  type: DataType,
  validity: Uint8Array | null,
  placeOf: (i: number) => number,
): VectorData {
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
        row: placeOf(i),
      })
    }
  }
  return data
}
