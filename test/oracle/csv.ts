/**
 * A naive reader of CSV: a byte at a time, a row at a time, values by regular expressions. What src/kernels/csv.ts reads is held against it; what is said
 * of a bad row is not, only its code and place.
 */
import type { DataType } from '../../src/columnar/type.js'
import type { ErrorCode } from '../../src/errors.js'
import type { CsvShape } from '../../src/kernels/text-rows.js'

export type CsvValue = string | number | bigint | boolean | null

export interface CsvRow {
  /** Place among all rows, bad ones too. */
  readonly row: number
  readonly values: readonly CsvValue[]
}

export interface CsvFault {
  readonly row: number
  readonly byteOffset: number
  readonly column: string | null
  readonly code: ErrorCode
}

export interface CsvAnswer {
  readonly rows: readonly CsvRow[]
  readonly bad: readonly CsvFault[]
  readonly rowsRead: number
  /** Bytes of whole rows, and of comments and blank lines. */
  readonly consumed: number
  /** Strings of good rows that are no UTF-8; null where rows behind a bad one may count too. */
  readonly illFormed: number | null
}

interface Field {
  readonly bytes: Uint8Array
  readonly isQuoted: boolean
}

interface Record {
  readonly kind: 'row' | 'comment' | 'blank'
  readonly from: number
  readonly to: number
  readonly next: number
  readonly fields: readonly Field[]
  readonly hasBadQuotes: boolean
}

const LF = 10
const CR = 13

/** All rows that are whole, with the values of `columns`. Without `collect` the first bad row is the last. */
export function readCsv(bytes: Uint8Array, shape: CsvShape, columns: readonly string[], isEnd = true): CsvAnswer {
  const rows: CsvRow[] = []
  const bad: CsvFault[] = []
  let rowsRead = 0
  let illFormed = 0
  let at = 0
  while (at < bytes.length) {
    const record = readRecord(bytes, at, shape, isEnd)
    if (record === null) break
    at = record.next
    if (record.kind !== 'row') continue
    const row = rowsRead++
    const fault = faultOf(bytes, record, shape)
    const values: CsvValue[] = []
    let worst: { column: string; code: ErrorCode; field: number } | null = null
    if (fault === null) {
      for (const column of columns) {
        const field = shape.fields.indexOf(column)
        const value = readValue(record.fields[field], shape.types[field]!, shape)
        if (typeof value === 'object' && value !== null) {
          if (worst === null || field < worst.field) worst = { column, code: value.code, field }
        } else values.push(value)
      }
    }
    if (fault === null && worst === null) {
      rows.push({ row, values })
      for (const [i, column] of columns.entries()) {
        const field = shape.fields.indexOf(column)
        if (shape.types[field]!.kind === 'utf8' && values[i] !== null && record.fields[field] !== undefined)
          illFormed += Number(!isUtf8(record.fields[field].bytes))
      }
      continue
    }
    bad.push({ row, byteOffset: record.from, column: worst?.column ?? null, code: fault ?? worst!.code })
    if (!shape.collect) break
  }
  return { rows, bad, rowsRead, consumed: at, illFormed: bad.length > 0 && !shape.collect ? null : illFormed }
}

function readRecord(bytes: Uint8Array, from: number, shape: CsvShape, isEnd: boolean): Record | null {
  const code = (mark: string | null): number => (mark === null ? -1 : mark.charCodeAt(0))
  const [delimiter, quote, comment] = [code(shape.delimiter), code(shape.quote), code(shape.comment)]
  if (bytes[from] === comment) {
    const stop = bytes.indexOf(LF, from)
    if (stop < 0 && !isEnd) return null
    const next = stop < 0 ? bytes.length : stop + 1
    return { kind: 'comment', from, to: next, next, fields: [], hasBadQuotes: false }
  }
  const fields: Field[] = []
  let field: number[] = []
  let isQuoted = false
  let hasBadQuotes = false
  let state: 'start' | 'plain' | 'inside' | 'closed' = 'start'
  const endField = (): void => {
    fields.push({ bytes: Uint8Array.from(field), isQuoted })
    field = []
    isQuoted = false
    state = 'start'
  }
  const finish = (to: number, next: number): Record => {
    endField()
    const isBlank = to === from && shape.fields.length > 1
    return { kind: isBlank ? 'blank' : 'row', from, to, next, fields, hasBadQuotes }
  }
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (state === 'inside') {
      if (byte !== quote) field.push(byte)
      else if (bytes[at + 1] === quote) field.push(bytes[++at]!)
      else state = 'closed'
      continue
    }
    if (byte === LF) return finish(at, at + 1)
    if (byte === CR && bytes[at + 1] === LF) return finish(at, at + 2)
    if (byte === delimiter) {
      endField()
      continue
    }
    if (state === 'start' && byte === quote) {
      isQuoted = true
      state = 'inside'
      continue
    }
    if (state === 'closed') hasBadQuotes = true
    if (state === 'start') state = 'plain'
    field.push(byte)
  }
  if (!isEnd) return null
  if (state === 'inside') hasBadQuotes = true
  return finish(bytes.length, bytes.length)
}

function faultOf(bytes: Uint8Array, record: Record, shape: CsvShape): ErrorCode | null {
  if (record.hasBadQuotes) return 'MR_FORMAT_ERROR'
  if (shape.ragged === 'error' && record.fields.length !== shape.fields.length) return 'MR_FORMAT_ERROR'
  if (!shape.fatal) return null
  return isUtf8(bytes.subarray(record.from, record.to)) ? null : 'MR_FORMAT_ERROR'
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

const MISMATCH = { code: 'MR_TYPE_MISMATCH' } as const
const OVERFLOW = { code: 'MR_INTEGER_OVERFLOW' } as const
const INEXACT = { code: 'MR_INEXACT_VALUE' } as const

function readValue(
  field: Field | undefined,
  type: DataType,
  { nulls }: CsvShape,
): CsvValue | typeof MISMATCH | typeof OVERFLOW | typeof INEXACT {
  const none = type.nullable ? null : MISMATCH
  if (field === undefined) return none
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(field.bytes)
  if (type.kind === 'utf8') {
    if (field.isQuoted || (text === '' && !type.nullable)) return text
    return isNull(field.bytes, nulls) ? none : text
  }
  const trimmed = text.replace(/^[ \t]+|[ \t]+$/g, '')
  if (!field.isQuoted && (isNull(field.bytes, nulls) || nulls.includes(trimmed))) return none
  switch (type.kind) {
    case 'bool':
      return /^(true|t|1)$/i.test(trimmed) ? true : /^(false|f|0)$/i.test(trimmed) ? false : MISMATCH
    case 'float32':
    case 'float64': {
      const value = readFloat(trimmed)
      return value === null ? MISMATCH : type.kind === 'float32' ? Math.fround(value) : value
    }
    case 'date': {
      const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(trimmed)
      return match === null ? MISMATCH : (daysOf(match) ?? MISMATCH)
    }
    case 'timestamp':
      return readTimestamp(trimmed, { s: 0, ms: 3, us: 6, ns: 9 }[type.unit!])
    default:
      return readInteger(trimmed, type.kind)
  }
}

/** Byte for byte: what is no UTF-8 is no token. */
const isNull = (bytes: Uint8Array, nulls: readonly string[]): boolean =>
  nulls.some(token => Buffer.from(token).equals(bytes))

function readInteger(text: string, kind: string): number | bigint | typeof MISMATCH | typeof OVERFLOW {
  if (!/^[+-]?\d+$/.test(text)) return MISMATCH
  const value = BigInt(text.replace('+', ''))
  const bits = BigInt(kind.replace(/\D/g, ''))
  const [least, most] = kind.startsWith('u') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
  if (value < least || value > most) return OVERFLOW
  return bits === 64n ? value : Number(value)
}

function readFloat(text: string): number | null {
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  const match = /^([+-]?)(nan|inf|infinity)$/i.exec(text)
  if (match === null) return null
  return match[2]!.toLowerCase() === 'nan' ? NaN : match[1] === '-' ? -Infinity : Infinity
}

function daysOf([, year, month, day]: RegExpExecArray): number | null {
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`)
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) return null
  return date.getTime() / 86_400_000
}

function readTimestamp(text: string, digits: number): bigint | typeof MISMATCH | typeof INEXACT {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::(\d\d))?)?)?$/.exec(text)
  const days = match === null ? null : daysOf(match)
  if (match === null || days === null) return MISMATCH
  const [hour, minute, second] = [match[4], match[5], match[6]].map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
  ]
  const offset = (match[8] === '-' ? -1 : 1) * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0))
  if (hour > 23 || minute > 59 || second > 59) return MISMATCH
  const fraction = match[7] ?? ''
  if (/[1-9]/.test(fraction.slice(digits))) return INEXACT
  const seconds = BigInt(((days * 24 + hour) * 60 + minute - offset) * 60 + second)
  const ticks = seconds * 10n ** BigInt(digits) + BigInt(fraction.slice(0, digits).padEnd(digits, '0') || '0')
  return BigInt.asIntN(64, ticks) === ticks ? ticks : INEXACT
}
