/** What is said of rows of CSV that could not be read. The numbers of faults are those of assembly/csv/context.ts. */
import { type DataType, nullable, typeName } from '../../columnar/type.js'
import { decodeUtf8 } from '../../columnar/utf8.js'
import { type ErrorCode, quote } from '../../errors.js'
import type { BadRow, CsvShape } from '../text-rows.js'

export const FAULT = { stray: 1, unclosed: 2, fields: 3, utf8: 4, value: 5, overflow: 6, beyond: 7, null: 8 } as const

const MOST_CHARACTERS = 200
/** No character has more bytes. */
const CHARACTER_BYTES = 4

export interface Said {
  readonly code: ErrorCode
  readonly column: string | null
  readonly message: string
}

/** Of a row as a whole; `detail` is the number of its fields, or the place of a byte in it. */
export function sayRow(shape: CsvShape, fault: number, detail: number): Said {
  const said = (message: string): Said => ({
    code: 'MR_FORMAT_ERROR',
    column: null,
    message: shape.collect ? message : `${message}, or collect bad rows`,
  })
  const mark = quote(shape.quote ?? '')
  const expected = shape.fields.length
  switch (fault) {
    case FAULT.stray:
      return said(
        `text behind the closing quote of a field; write a quote within quotes twice, or set quote: null where ${mark} is text like any other`,
      )
    case FAULT.unclosed:
      return said(
        `the field that a quote opens is closed nowhere; close it, or set quote: null where ${mark} is text like any other`,
      )
    case FAULT.utf8:
      return said(`byte ${detail} of the row is no UTF-8; name the encoding of the file, or let such bytes be replaced`)
    default:
      return said(
        `a row of ${detail} ${detail === 1 ? 'field' : 'fields'} where there are ${expected}; check the delimiter, or set ragged: 'pad'`,
      )
  }
}

/** Of the text of one value. */
export function sayValue(shape: CsvShape, fault: number, field: number, text: string): Said {
  const column = shape.fields[field]
  const type = shape.types[field]
  const plain: DataType = { ...type, nullable: false }
  const said = (code: ErrorCode, message: string): Said => ({
    code,
    column,
    message: shape.collect ? message : `${message}, or collect bad rows`,
  })
  const where = `(column ${quote(column)})`
  switch (fault) {
    case FAULT.null:
      return said(
        'MR_TYPE_MISMATCH',
        `${text === '' ? 'a null' : `the null ${quote(text)}`} where none may be ${where}; declare the column ${typeName(nullable(plain))}`,
      )
    case FAULT.overflow: {
      const wider = type.kind === 'int64' ? 'float64 or utf8' : 'int64'
      return said(
        'MR_INTEGER_OVERFLOW',
        `${quote(text)} is beyond ${typeName(plain)} ${where}; declare the column ${wider}`,
      )
    }
    case FAULT.beyond:
      return said(
        'MR_INEXACT_VALUE',
        `${quote(text)} is finer than ${typeName(plain)} or beyond it ${where}; declare the column with another unit, or utf8`,
      )
    default: {
      const fits = /int/.test(type.kind) && isDecimal(text) ? 'float64' : 'utf8'
      return said('MR_TYPE_MISMATCH', `${quote(text)} is no ${typeName(plain)} ${where}; declare the column ${fits}`)
    }
  }
}

/** Digits with a point or an exponent: what float64 reads, and no integer does. */
const isDecimal = (text: string): boolean => /^\s*[-+]?(?:\d+\.?|\d*\.\d+)(?:e[-+]?\d+)?\s*$/i.test(text)

/** Bytes `[from, to)` as text, cut where it is long. */
export function excerpt(bytes: Uint8Array, from: number, to: number): string {
  const text = decodeUtf8(bytes, from, Math.min(to, from + CHARACTER_BYTES * MOST_CHARACTERS)).slice(0, MOST_CHARACTERS)
  // No half of a character.
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text
}

/** A row at fault: `row` and `byteOffset` of what is parsed. */
export const badRow = (said: Said, row: number, byteOffset: number, text: string): BadRow => ({
  row,
  byteOffset,
  ...said,
  text,
})
