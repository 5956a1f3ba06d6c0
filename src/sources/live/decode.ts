/** Messages of a feed as rows: JSON, lines of JSON, lines of CSV, each value in the type that its column has. Files of these are the kernels' (formats/, sources/text.ts), by the same rules. */
import { parseDay } from '../../columnar/day.js'
import { UNITS_PER_SECOND } from '../../columnar/instant.js'
import { fieldsOf } from '../../columnar/schema.js'
import { type DataType, isFloat, isInteger, type SchemaShape, type TimeUnit, typeName } from '../../columnar/type.js'
import { MillraceError, quote } from '../../errors.js'

export type Message = string | Uint8Array

/** Rows, columns or a batch of a message, as a queue takes them; null or undefined for none. @throws for what is no such message */
export type Decode = (message: Message) => unknown

export type MessageFormat = 'json' | 'ndjson' | 'csv'

/** @throws MillraceError `MR_FORMAT_ERROR` */
function textOf(message: Message, operator: string): string {
  if (typeof message === 'string') return message
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(message)
  } catch (error) {
    throw new MillraceError('MR_FORMAT_ERROR', `${operator}: a message is no UTF-8`, { operator }, error)
  }
}

/**
 * `json`: a row, or an array of rows; names with points are looked for in nested objects too. `ndjson`: one a line. `csv`: lines with all columns of the schema in order, and no header.
 * Times are ISO 8601, or numbers that count the column's unit; an int64 may be a string of digits, since JSON readers round large numbers.
 */
export function decoderOf(format: MessageFormat, schema: SchemaShape, operator: string): Decode {
  if (format === 'csv') return csvDecoder(schema, operator)
  const row = jsonRow(schema, operator)
  if (format === 'ndjson') return message => linesOf(textOf(message, operator)).map(line => row(jsonOf(line, operator)))
  return message => {
    const value = jsonOf(textOf(message, operator), operator)
    // An array also of one: an object whose values are arrays would be taken for columns.
    return Array.isArray(value) ? value.map(row) : [row(value)]
  }
}

const linesOf = (text: string): string[] => text.split(/\r?\n/).filter(line => line.trim() !== '')

function jsonOf(text: string, operator: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MillraceError(
      'MR_FORMAT_ERROR',
      `${operator}: a message is no JSON: ${(error as Error).message}`,
      { operator },
      error,
    )
  }
}

type Convert = (value: unknown, column: string) => unknown

function jsonRow(schema: SchemaShape, operator: string): (value: unknown) => object {
  const cells = fieldsOf(schema).map(({ name, type }) => ({ name, path: name.split('.'), convert: converter(type) }))
  const isPlain = cells.every(({ path, convert }) => convert === null && path.length === 1)
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MillraceError('MR_TYPE_MISMATCH', `${operator}: a message is ${show(value)}, and no row`, { operator })
    }
    if (isPlain) return value
    const row: Record<string, unknown> = Object.create(null)
    for (const { name, path, convert } of cells) {
      const cell = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : nested(value, path)
      row[name] = convert === null || cell === null || cell === undefined ? cell : convert(cell, name)
    }
    return row
  }
}

function nested(value: unknown, path: readonly string[]): unknown {
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

/** Of JSON's values, which may be fine as they are: null. */
function converter(type: DataType): Convert | null {
  switch (type.kind) {
    case 'timestamp':
      return (value, column) => (typeof value === 'string' ? instantOf(value, type, column) : value)
    case 'int64':
      return value => (typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value)
    case 'float32':
      return value => (typeof value === 'number' ? Math.fround(value) : value)
    case 'utf8':
      return value => (typeof value === 'object' ? JSON.stringify(value) : value)
    case 'list': {
      const item = converter(type.item as DataType)
      return item === null
        ? null
        : (value, column) =>
            Array.isArray(value) ? value.map(each => (each === null ? null : item(each, column))) : value
    }
    default:
      return null
  }
}

const TIME =
  /^(\d{4}|[+-]\d{6,7})(-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?)?$/

/** The count of an instant in the column's unit; without a zone it is UTC. @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INEXACT_VALUE` */
function instantOf(text: string, type: DataType, column: string): bigint {
  const match = text.length <= 100 ? TIME.exec(text) : null
  const day = match === null ? null : parseDay(match[1] + match[2])
  if (match === null || day === null) throw misfit(text, type, column)
  const [, , , hour = '0', minute = '0', second = '0', fraction = '', sign, zoneHour = '0', zoneMinute = '0'] = match
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) throw misfit(text, type, column)
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) throw misfit(text, type, column)
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -60 : 60)
  const seconds = ((day * 24 + Number(hour)) * 60 + Number(minute)) * 60 + Number(second) - offset
  const perSecond = UNITS_PER_SECOND[type.unit as TimeUnit]
  const digits = String(perSecond).length - 1
  if (/[1-9]/.test(fraction.slice(digits))) {
    throw new MillraceError(
      'MR_INEXACT_VALUE',
      `column ${quote(column)}: ${quote(text)} is finer than what ${typeName(type)} counts`,
      { column },
    )
  }
  return BigInt(seconds) * BigInt(perSecond) + BigInt(fraction.slice(0, digits).padEnd(digits, '0') || '0')
}

const misfit = (text: string, type: DataType, column: string): MillraceError =>
  new MillraceError('MR_TYPE_MISMATCH', `column ${quote(column)}: ${quote(text)} is no ${typeName(type)}`, { column })

const INTEGER = /^[+-]?\d+$/
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
const NOT_FINITE = /^([+-]?)(?:(nan)|inf|infinity)$/i

/** A field's text as the value that it stands for; null: the field is empty and not quoted. */
function fieldValue(text: string, type: DataType, column: string): unknown {
  const { kind } = type
  if (kind === 'utf8' || kind === 'date') return text
  if (kind === 'timestamp') return instantOf(text, type, column)
  if (kind === 'bool') {
    if (/^(?:true|t|1)$/i.test(text)) return true
    if (/^(?:false|f|0)$/i.test(text)) return false
  } else if (isInteger(kind) && INTEGER.test(text)) {
    return BigInt(text.replace(/^\+/, ''))
  } else if (isFloat(kind)) {
    const special = NOT_FINITE.exec(text)
    if (special !== null) return special[2] !== undefined ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
    if (FLOAT.test(text)) return kind === 'float32' ? Math.fround(Number(text)) : Number(text)
  }
  throw misfit(text, type, column)
}

function csvDecoder(schema: SchemaShape, operator: string): Decode {
  const fields = fieldsOf(schema)
  const fail = (what: string): never => {
    throw new MillraceError('MR_FORMAT_ERROR', `${operator}: ${what}`, { operator })
  }
  for (const { name, type } of fields)
    if (type.kind === 'list') {
      throw new MillraceError('MR_INVALID_OPTION', `${operator}: a field of CSV holds no list, as ${quote(name)} is`, {
        operator,
        column: name,
      })
    }
  return message => {
    const rows: object[] = []
    for (const texts of csvRows(textOf(message, operator), fail)) {
      if (texts.length !== fields.length) fail(`a line has ${texts.length} fields, the schema has ${fields.length}`)
      const row: Record<string, unknown> = Object.create(null)
      fields.forEach(({ name, type }, i) => {
        const text = texts[i]
        row[name] = text === null ? null : fieldValue(text, type, name)
      })
      rows.push(row)
    }
    return rows
  }
}

/** Rows of fields by RFC 4180; an empty field without quotes is null, and lines of nothing are left out. */
function* csvRows(text: string, fail: (what: string) => never): Generator<(string | null)[]> {
  let row: (string | null)[] = []
  let at = 0
  while (at < text.length) {
    let field: string | null
    if (text[at] === '"') {
      let from = at + 1
      field = ''
      while (true) {
        const quoted = text.indexOf('"', from)
        if (quoted < 0) fail('a quote is not closed')
        field += text.slice(from, quoted)
        at = quoted + 1
        if (text[at] !== '"') break
        field += '"'
        from = at + 1
      }
    } else {
      const end = text.slice(at).search(/[,\r\n]/)
      const to = end < 0 ? text.length : at + end
      field = to === at ? null : text.slice(at, to)
      at = to
    }
    row.push(field)
    if (text[at] === ',') {
      at++
      if (at === text.length || text[at] === '\n' || text[at] === '\r') row.push(null)
      else continue
    }
    if (at < text.length && !/[\r\n]/.test(text[at])) fail('something stands between a closing quote and the comma')
    while (text[at] === '\r' || text[at] === '\n') at++
    if (row.length > 1 || row[0] !== null) yield row
    row = []
  }
}

function show(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'string' ? quote(value) : String(value)
}
