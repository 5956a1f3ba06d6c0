/**
 * Batches as CSV: a chunk loaded for the first sink that writes it. What is written reads back as it was, so a field is quoted wherever it would
 * otherwise be taken apart or for something else: a null is an empty field, an empty string is `""`.
 */
import type { Dictionary } from '../../columnar/dictionary.js'
import { fieldsOf } from '../../columnar/schema.js'
import { isFloat, type Kind, type SchemaShape } from '../../columnar/type.js'
import { getBit } from '../../columnar/validity.js'
import type { Codes, Vector, VectorBatch } from '../../columnar/vector.js'
import { quote as asText, MillraceError } from '../../errors.js'
import type { BatchEncoder } from '../batch-encoder.js'
import { type CellWriter, jsonCell, plainWriter, timeWriter } from '../json/cells.js'
import {
  CELL_BYTES,
  createTextOutput,
  formsOf,
  isPiece,
  putAscii,
  putBytes,
  putFloat32,
  putFloat64,
  room,
  type TextOutput,
  take,
} from '../text-output.js'

export interface CsvWriteOptions {
  /** What stands between fields, one ASCII character: `','` by default. */
  readonly delimiter?: string
  /** What stands around quoted fields and, within them, twice for itself, one ASCII character: `'"'` by default. */
  readonly quote?: string
  /** Which fields are quoted: those that need it (the default), all strings, or all but nulls. */
  readonly quoted?: 'needed' | 'strings' | 'all'
  /** Whether the first line has the names of the columns; true by default. */
  readonly header?: boolean
  /** `'\n'` by default. */
  readonly lineEnd?: '\n' | '\r\n'
  /** What is written for null, unquoted: nothing by default. The same text as a value is quoted. */
  readonly nulls?: string
  /** What becomes of a NaN or an infinity in a list, which is written as JSON; by default it is refused. */
  readonly nonFinite?: 'error' | 'null'
}

/** Options as bytes. */
interface Dialect {
  readonly delimiter: number
  readonly quote: number
  readonly quoted: 'needed' | 'strings' | 'all'
  readonly nulls: Uint8Array
  readonly nonFinite: 'error' | 'null'
}

const encoder = () => new TextEncoder()

/** @throws MillraceError `MR_INVALID_OPTION`; batches `MR_INEXACT_VALUE` for a NaN or an infinity in a list */
export function createCsvEncoder(schema: SchemaShape, options: CsvWriteOptions = {}): BatchEncoder {
  const { header = true, lineEnd = '\n', nulls = '' } = options
  const dialect = dialectOf(options)
  const fields = fieldsOf(schema)
  const ends = encoder().encode(lineEnd)
  const nullBytes = encoder().encode(nulls).length
  const out = createTextOutput((CELL_BYTES + nullBytes) * (fields.length + 1))
  const forms = new WeakMap<Dictionary, Uint8Array>()
  let rows = 0

  function putRecord(putCell: (c: number) => void): void {
    room(out, 0)
    for (let c = 0; c < fields.length; c++) {
      if (c > 0) out.bytes[out.at++] = dialect.delimiter
      putCell(c)
    }
    putBytes(out, ends, 0, ends.length)
  }

  return {
    header() {
      if (header) {
        putRecord(c => {
          const name = encoder().encode(fields[c].name)
          if (dialect.quoted !== 'needed' || needsQuotes(dialect, name, 0, name.length)) {
            putQuoted(out, dialect, name, 0, name.length)
            return
          }
          room(out, name.length)
          putBytes(out, name, 0, name.length)
        })
      }
      return []
    },
    *batch({ vectors, rowCount }: VectorBatch) {
      const cells = vectors.map((vector, c) => {
        const place = { column: fields[c].name, firstRow: rows, nonFinite: dialect.nonFinite }
        return orNull(out, dialect, vector, fieldWriter(out, dialect, vector, place, forms))
      })
      const last = cells.length - 1
      const [delimiter, first] = [dialect.delimiter, ends[0]]
      for (let i = 0; i < rowCount; i++) {
        room(out, 0)
        for (let c = 0; c <= last; c++) {
          cells[c](i)
          out.bytes[out.at++] = c < last ? delimiter : first
        }
        if (ends.length > 1) out.bytes[out.at++] = ends[1]
        if (isPiece(out)) yield take(out)
      }
      rows += rowCount
    },
    *flush() {
      if (out.at > 0) yield take(out)
    },
    footer: () => [],
  }
}

function orNull(out: TextOutput, { nulls }: Dialect, { validity }: Vector, put: CellWriter): CellWriter {
  if (validity === null) return put
  return i => {
    if (getBit(validity, i)) put(i)
    else putBytes(out, nulls, 0, nulls.length)
  }
}

function fieldWriter(
  out: TextOutput,
  dialect: Dialect,
  vector: Vector,
  place: Parameters<typeof jsonCell>[2],
  forms: WeakMap<Dictionary, Uint8Array>,
): CellWriter {
  const { kind } = vector.type
  if (kind === 'utf8') return textWriter(out, dialect, vector, forms)
  if (kind === 'list') return quotedField(out, dialect, jsonCell(out, { ...vector, validity: null }, place))
  const put = scalarWriter(out, vector)
  if (dialect.quoted === 'all' || mayHold(kind, dialect.delimiter)) return quotedField(out, dialect, put)
  return dialect.nulls.length === 0 ? put : quotedIfNull(out, dialect, put)
}

function scalarWriter(out: TextOutput, vector: Vector): CellWriter {
  const { kind, unit } = vector.type
  if (kind === 'date' || kind === 'timestamp') return timeWriter(out, vector, unit)
  if (!isFloat(kind)) return plainWriter(out, vector)
  const data = vector.data as Float64Array
  const put = kind === 'float32' ? putFloat32 : putFloat64
  return i => {
    const value = data[i]
    if (Number.isFinite(value)) put(out, value)
    else putAscii(out, String(value))
  }
}

/** Characters that values of a kind are written with, besides digits. */
const LETTERS_OF_KIND: Readonly<Partial<Record<Kind, string>>> = {
  bool: 'truefals',
  float32: '+-.eNaInfity',
  float64: '+-.eNaInfity',
  date: '+-',
  timestamp: '+-:.TZ',
}

/** Whether a field of this kind may hold the delimiter: with a delimiter such as `:` or `-`. */
function mayHold(kind: Kind, delimiter: number): boolean {
  const letter = String.fromCharCode(delimiter)
  return (LETTERS_OF_KIND[kind] ?? '-').includes(letter) || (kind !== 'bool' && letter >= '0' && letter <= '9')
}

/** What `put` writes, in quotes; quotes in it are doubled. */
function quotedField(out: TextOutput, { quote }: Dialect, put: CellWriter): CellWriter {
  return i => {
    out.bytes[out.at++] = quote
    const from = out.at
    put(i)
    doubleQuotes(out, from, quote)
    out.bytes[out.at++] = quote
  }
}

/** Doubles the quotes among the bytes written since `from`, from the end, each byte moved once. */
function doubleQuotes(out: TextOutput, from: number, quote: number): void {
  let count = 0
  for (let i = from; i < out.at; i++) if (out.bytes[i] === quote) count++
  if (count === 0) return
  room(out, count)
  const { bytes, at } = out
  out.at = at + count
  for (let i = at - 1; count > 0; i--) {
    bytes[i + count] = bytes[i]
    if (bytes[i] === quote) bytes[i + --count] = quote
  }
}

/** A value that reads as null does, of which there are few, in quotes. */
function quotedIfNull(out: TextOutput, dialect: Dialect, put: CellWriter): CellWriter {
  const { nulls, quote } = dialect
  return i => {
    const from = out.at
    put(i)
    if (!isNull(dialect, out.bytes, from, out.at)) return
    out.at = from
    out.bytes[out.at++] = quote
    putBytes(out, nulls, 0, nulls.length)
    out.bytes[out.at++] = quote
  }
}

/** Of each entry of a dictionary: not looked at yet, to be copied as it is, to be quoted. */
const [UNKNOWN, PLAIN, QUOTED] = [0, 1, 2]

function textWriter(
  out: TextOutput,
  dialect: Dialect,
  { data, dictionary, offsets }: Vector,
  known: WeakMap<Dictionary, Uint8Array>,
): CellWriter {
  const always = dialect.quoted !== 'needed'
  const put = (bytes: Uint8Array, from: number, to: number, isQuoted: boolean) => {
    if (isQuoted) {
      putQuoted(out, dialect, bytes, from, to)
      return
    }
    room(out, to - from)
    putBytes(out, bytes, from, to)
  }
  if (offsets !== null) {
    const bytes = data as Uint8Array
    return i =>
      put(bytes, offsets[i], offsets[i + 1], always || needsQuotes(dialect, bytes, offsets[i], offsets[i + 1]))
  }
  const { bytes, offsets: ends } = dictionary as Dictionary
  const forms = formsOf(known, dictionary as Dictionary)
  const codes = data as Codes
  return i => {
    const code = codes[i]
    const [from, to] = [ends[code], ends[code + 1]]
    if (forms[code] === UNKNOWN) forms[code] = always || needsQuotes(dialect, bytes, from, to) ? QUOTED : PLAIN
    put(bytes, from, to, forms[code] === QUOTED)
  }
}

const [TAB, LF, CR, SPACE] = [9, 10, 13, 32]

/** Whether text would be taken apart, trimmed, or taken for a null or a byte order mark. */
function needsQuotes(dialect: Dialect, bytes: Uint8Array, from: number, to: number): boolean {
  if (from === to || isNull(dialect, bytes, from, to)) return true
  const [first, last] = [bytes[from], bytes[to - 1]]
  if (first === SPACE || first === TAB || last === SPACE || last === TAB) return true
  if (first === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf) return true
  const { delimiter, quote } = dialect
  for (let i = from; i < to; i++) {
    const byte = bytes[i]
    if (byte === delimiter || byte === quote || byte === LF || byte === CR) return true
  }
  return false
}

function isNull({ nulls }: Dialect, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== nulls.length) return false
  for (let i = 0; i < nulls.length; i++) if (bytes[from + i] !== nulls[i]) return false
  return true
}

function putQuoted(out: TextOutput, { quote }: Dialect, source: Uint8Array, from: number, to: number): void {
  room(out, 2 * (to - from) + 2)
  const { bytes } = out
  let { at } = out
  bytes[at++] = quote
  for (let i = from; i < to; i++) {
    if (source[i] === quote) bytes[at++] = quote
    bytes[at++] = source[i]
  }
  bytes[at++] = quote
  out.at = at
}

const OPTIONS = ['delimiter', 'quote', 'quoted', 'header', 'lineEnd', 'nulls', 'nonFinite']

function dialectOf(options: CsvWriteOptions): Dialect {
  const invalid = (what: string) => new MillraceError('MR_INVALID_OPTION', `writing CSV: ${what}`)
  for (const name of Object.keys(options))
    if (!OPTIONS.includes(name)) throw invalid(`there is no option ${asText(name)}; there are ${OPTIONS.join(', ')}`)
  const { delimiter = ',', quote = '"', quoted = 'needed', header, lineEnd, nulls = '', nonFinite = 'error' } = options
  const one = (name: string, value: string) => {
    if (typeof value === 'string' && /^[\0-\x7f]$/.test(value) && !/[\r\n]/.test(value)) return value.charCodeAt(0)
    throw invalid(`${name} is one ASCII character and no line break, not ${asText(String(value))}`)
  }
  const of = (name: string, value: unknown, ...values: unknown[]) => {
    if (value !== undefined && !values.includes(value))
      throw invalid(`${name} is ${values.map(each => JSON.stringify(each)).join(' or ')}, not ${asText(String(value))}`)
  }
  of('quoted', quoted, 'needed', 'strings', 'all')
  of('header', header, true, false)
  of('lineEnd', lineEnd, '\n', '\r\n')
  of('nonFinite', nonFinite, 'error', 'null')
  if (typeof nulls !== 'string') throw invalid(`nulls is the text of a null, not ${asText(String(nulls))}`)
  const dialect = { delimiter: one('delimiter', delimiter), quote: one('quote', quote) }
  if (delimiter === quote) throw invalid(`delimiter and quote are both ${asText(quote)}`)
  // Numbers and times would be torn apart at it.
  if (/[\w+\-.:]/.test(quote)) throw invalid(`quote is a mark that no number or time has, not ${asText(quote)}`)
  if ([delimiter, quote, '\r', '\n'].some(mark => nulls.includes(mark)))
    throw invalid(`nulls is text without the delimiter, quotes and line breaks, not ${asText(nulls)}`)
  return { ...dialect, quoted, nonFinite, nulls: encoder().encode(nulls) }
}
