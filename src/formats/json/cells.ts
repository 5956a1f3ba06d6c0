/** Values as JSON text: what a record of write.ts holds, and what a list is in a field of csv/write.ts. */
import type { Dictionary } from '../../columnar/dictionary.js'
import { wordsOf } from '../../columnar/int64.js'
import { isFloat, type TimeUnit } from '../../columnar/type.js'
import { getBit } from '../../columnar/validity.js'
import type { Codes, Vector } from '../../columnar/vector.js'
import { MillraceError, quote } from '../../errors.js'
import {
  CELL_BYTES,
  dayPutter,
  formsOf,
  instantPutter,
  putAscii,
  putBytes,
  putFloat32,
  putFloat64,
  putInt64,
  putInteger,
  room,
  type TextOutput,
} from '../text-output.js'

/** Writes the value of row i, a null too. There is room for what is no string and no list. */
export type CellWriter = (i: number) => void

/** Where a column stands in what is written, and what becomes of a NaN or an infinity in it, for which JSON has no word. */
export interface JsonPlace {
  readonly column: string
  /** Rows written before those of this vector. */
  readonly firstRow: number
  readonly nonFinite: 'error' | 'null'
}

/** Writes rows of `vector`: numbers exactly, times as ISO 8601 strings, lists as arrays. @throws (the writer) MillraceError `MR_INEXACT_VALUE` */
export function jsonCell(out: TextOutput, vector: Vector, place: JsonPlace): CellWriter {
  const put = valueWriter(out, vector, place)
  const { validity } = vector
  if (validity === null) return put
  return i => {
    if (getBit(validity, i)) put(i)
    else putAscii(out, 'null')
  }
}

function valueWriter(out: TextOutput, vector: Vector, place: JsonPlace): CellWriter {
  const { kind, unit } = vector.type
  if (kind === 'list') return listWriter(out, vector, place)
  if (kind === 'utf8') return textWriter(out, vector)
  if (kind === 'date' || kind === 'timestamp') return quoted(out, timeWriter(out, vector, unit))
  if (!isFloat(kind)) return plainWriter(out, vector)
  const data = vector.data as Float64Array
  const put = kind === 'float32' ? putFloat32 : putFloat64
  return i => {
    const value = data[i]
    if (Number.isFinite(value)) put(out, value)
    else if (place.nonFinite === 'null') putAscii(out, 'null')
    else throw nonFinite(value, place, i)
  }
}

/** Of a bool or an integer. */
export function plainWriter(out: TextOutput, { type: { kind }, data }: Vector): CellWriter {
  if (kind === 'bool') return i => putAscii(out, getBit(data as Uint8Array, i) ? 'true' : 'false')
  if (kind === 'int64') {
    const words = wordsOf(data as BigInt64Array)
    return i => putInt64(out, data as BigInt64Array, words, i)
  }
  return i => putInteger(out, data[i] as number)
}

/** Of a date or, with its unit, a timestamp; without quotes. */
export function timeWriter(out: TextOutput, { data }: Vector, unit: TimeUnit | undefined): CellWriter {
  if (unit !== undefined) return instantPutter(out, data as BigInt64Array, unit)
  const put = dayPutter(out)
  return i => put(data[i] as number)
}

const QUOTE = 34

function quoted(out: TextOutput, put: CellWriter): CellWriter {
  return i => {
    out.bytes[out.at++] = QUOTE
    put(i)
    out.bytes[out.at++] = QUOTE
  }
}

function listWriter(out: TextOutput, { offsets, child }: Vector, place: JsonPlace): CellWriter {
  const ends = offsets as Int32Array
  // Items are named, in an error, by the row that they are in.
  const within = { ...place }
  const put = jsonCell(out, child as Vector, within)
  return i => {
    room(out, 1)
    out.bytes[out.at++] = 91
    for (let item = ends[i]; item < ends[i + 1]; item++) {
      within.firstRow = place.firstRow + i - item
      room(out, CELL_BYTES)
      if (item > ends[i]) out.bytes[out.at++] = 44
      put(item)
    }
    room(out, 1)
    out.bytes[out.at++] = 93
  }
}

/** Of each entry of a dictionary: not looked at yet, to be copied as it is, to be escaped. */
const [UNKNOWN, PLAIN, ESCAPED] = [0, 1, 2]

function textWriter(out: TextOutput, { data, dictionary, offsets }: Vector): CellWriter {
  if (offsets !== null) return i => putJsonText(out, data as Uint8Array, offsets[i], offsets[i + 1])
  const forms = formsOf(known, dictionary as Dictionary)
  const codes = data as Codes
  const { bytes, offsets: ends } = dictionary as Dictionary
  return i => {
    const code = codes[i]
    const [from, to] = [ends[code], ends[code + 1]]
    if (forms[code] === UNKNOWN) forms[code] = needsEscape(bytes, from, to) ? ESCAPED : PLAIN
    if (forms[code] === ESCAPED) {
      putJsonText(out, bytes, from, to)
      return
    }
    room(out, to - from + 2)
    out.bytes[out.at++] = QUOTE
    putBytes(out, bytes, from, to)
    out.bytes[out.at++] = QUOTE
  }
}

const known = new WeakMap<Dictionary, Uint8Array>()

const BACKSLASH = 92

function needsEscape(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]
    if (byte < 32 || byte === QUOTE || byte === BACKSLASH) return true
  }
  return false
}

/** The letter that follows the backslash for those control characters that have one. */
const LETTERS: Readonly<Record<number, number>> = { 8: 98, 9: 116, 10: 110, 12: 102, 13: 114 }
const HEX = '0123456789abcdef'

/** Well-formed UTF-8 as a JSON string, with quotes, as `JSON.stringify` would write it. */
export function putJsonText(out: TextOutput, source: Uint8Array, from: number, to: number): void {
  room(out, 6 * (to - from) + 2)
  const { bytes } = out
  let { at } = out
  bytes[at++] = QUOTE
  for (let i = from; i < to; i++) {
    const byte = source[i]
    if (byte >= 32 && byte !== QUOTE && byte !== BACKSLASH) {
      bytes[at++] = byte
      continue
    }
    bytes[at++] = BACKSLASH
    const letter = byte >= 32 ? byte : LETTERS[byte]
    if (letter !== undefined) bytes[at++] = letter
    else {
      bytes[at++] = 117
      bytes[at++] = 48
      bytes[at++] = 48
      bytes[at++] = HEX.charCodeAt(byte >> 4)
      bytes[at++] = HEX.charCodeAt(byte & 15)
    }
  }
  bytes[at++] = QUOTE
  out.at = at
}

function nonFinite(value: number, { column, firstRow }: JsonPlace, i: number): MillraceError {
  const row = firstRow + i
  return new MillraceError(
    'MR_INEXACT_VALUE',
    `column ${quote(column)}, row ${row}: JSON has no ${value}; write null for it with { nonFinite: 'null' }, or filter such rows out`,
    { column, row, value },
  )
}
