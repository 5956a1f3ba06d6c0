/** What is wrong with records of JSON, in words. The numbers are assembly/json/layout.ts's. */
import { type DataType, typeName } from '../columnar/type.js'
import { decodeUtf8 } from '../columnar/utf8.js'
import type { ErrorCode } from '../errors.js'

const MALFORMED: readonly string[] = [
  '',
  'a record must be an object in braces; name the path to the records if they are inside something else',
  'a key in double quotes is expected here',
  'a colon is expected behind a key',
  'a comma or a closing brace is expected behind the value of a key',
  'a comma or a closing bracket is expected behind an item',
  'no JSON value begins here: values are objects, arrays, strings in double quotes, numbers, true, false and null',
  'a digit is expected here: numbers are written like -12.5e3, without a plus, leading zeros, or a point at either end',
  'a control character must be escaped inside a string, a line break as \\n; or a closing quote is missing',
  'there is no such escape: they are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits',
  'objects and arrays are nested deeper than 1,024 levels',
  'nothing but white space may stand between a record and the next: a line break, or in an array a comma or its closing bracket',
  'the record is cut off',
  'behind the last item of an array there must be no comma',
  'nothing but white space may follow the array of records',
  'the array of records is not closed: its bracket is missing, so records may be too',
  'a surrogate in an escape is not one of a pair; with fatal: false it is replaced by U+FFFD',
  'the bytes are not UTF-8; name the encoding, or with fatal: false they are replaced by U+FFFD',
]
/** Something follows the array of records. */
export const TRAILING = 14
const MISMATCH = 18
const OVERFLOW = 19
const INEXACT = 20
const NULL = 21

export interface JsonFault {
  readonly code: ErrorCode
  readonly message: string
}

/**
 * @param type of the column that is at fault, else null.
 * @param value the text of the value that does not fit.
 */
export function jsonFault(fault: number, type: DataType | null, value: string): JsonFault {
  if (type === null) return { code: 'MR_FORMAT_ERROR', message: MALFORMED[fault] }
  const name = typeName(type)
  if (fault === MISMATCH)
    return {
      code: 'MR_TYPE_MISMATCH',
      message: `${value} is no ${name}; declare the column as what it holds, or as utf8`,
    }
  if (fault === OVERFLOW)
    return { code: 'MR_INTEGER_OVERFLOW', message: `${value} is beyond ${name}; declare a wider type, or float64` }
  if (fault === INEXACT)
    return { code: 'MR_INEXACT_VALUE', message: `${value} cannot be held by ${name}; declare a finer unit, or utf8` }
  const what = fault === NULL ? 'null' : 'a missing key'
  return { code: 'MR_TYPE_MISMATCH', message: `${what} is no ${name}; declare the column as nullable` }
}

const MOST_VALUE = 40

/** The value that begins at `at`, shortened. */
export function valueText(bytes: Uint8Array, at: number, end: number): string {
  const text = decodeUtf8(bytes, at, Math.min(end, at + 4 * MOST_VALUE))
  const value = /^"(?:[^"\\]|\\.)*"?|^[^,\]}\s]*/s.exec(text)?.[0] ?? ''
  const whole = /^[[{]/.test(text) ? (text[0] === '{' ? 'an object' : 'an array') : value
  return whole.length > MOST_VALUE ? `${whole.slice(0, MOST_VALUE)}…` : whole
}
