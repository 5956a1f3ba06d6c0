/** What is said of records of JSON that could not be read. The numbers of faults are those of assembly/json/layout.ts. */
import { type DataType, leafType, list, nullable, typeName } from '../../columnar/type.js'
import { decodeUtf8 } from '../../columnar/utf8.js'
import { type ErrorCode, quote } from '../../errors.js'
import type { BadRow } from '../text-rows.js'

/** Of a record as a whole. */
const MALFORMED: readonly string[] = [
  '',
  'a record must be an object in braces; if the records are inside something else, say where',
  'a key in double quotes is expected here',
  'a colon is expected behind a key',
  'a comma or a closing brace is expected behind a value in an object',
  'a comma or a closing bracket is expected behind a value in an array',
  'no value begins here; there are objects, arrays, strings in double quotes, numbers, true, false and null',
  'no number goes on like this; they are written like -12.5e3, with no plus, no zero before other digits, and digits on both sides of a point',
  'a control character, such as a line break, within a string; escape it, or close the string before it',
  'no such escape; there are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits',
  'objects and arrays are nested more than 1,024 deep; name the fields further out only',
  'something else than white space follows the record; write each record on a line of its own, or behind a comma in an array',
  'the record is not closed; write each on one line, and check whether the file is complete',
  'a comma with no record behind it; remove it',
  'something else than white space follows the array of records; remove it',
  'the array of records is not closed; check whether the file is complete',
  'an escape that is half of a surrogate pair; write both, or let it be replaced',
  'no UTF-8; name the encoding of the file, or let such bytes be replaced',
]
/** Something follows the array of records. */
export const TRAILING = 14
const OVERFLOW = 19
const INEXACT = 20
const NULL = 21
const MISSING = 22
const NULL_ITEM = 23

const MOST_CHARACTERS = 200
const MOST_VALUE_CHARACTERS = 40
/** No character has more bytes. */
const CHARACTER_BYTES = 4

/** A fault in the record `[from, to)`. */
export interface JsonFault {
  readonly fault: number
  readonly at: number
  /** The column whose value does not fit, and its type; null where it is the record as a whole. */
  readonly column: { readonly name: string; readonly type: DataType } | null
  readonly from: number
  readonly to: number
}

/** @param base where what is parsed begins. */
export function badJsonRow(bytes: Uint8Array, row: number, base: number, found: JsonFault, collect: boolean): BadRow {
  const { at, column, from, to } = found
  const { code, message } =
    column === null ? malformed(found.fault) : misfit(found.fault, column, valueAt(bytes, at, to))
  return {
    row,
    byteOffset: at - base,
    column: column?.name ?? null,
    code,
    message: collect ? message : `${message}, or collect bad rows`,
    text: excerpt(bytes, from, to),
  }
}

interface Said {
  readonly code: ErrorCode
  readonly message: string
}

const malformed = (fault: number): Said => ({ code: 'MR_FORMAT_ERROR', message: MALFORMED[fault] })

function misfit(fault: number, { name, type }: { name: string; type: DataType }, value: string): Said {
  const plain: DataType = { ...type, nullable: false }
  const leaf = typeName({ ...leafType(type), nullable: false })
  const where = `(column ${quote(name)})`
  switch (fault) {
    case OVERFLOW: {
      const wider = leaf === 'int64' ? 'float64 or utf8' : 'a wider type'
      return {
        code: 'MR_INTEGER_OVERFLOW',
        message: `${value} is beyond ${leaf} ${where}; declare ${wider}`,
      }
    }
    case INEXACT:
      return {
        code: 'MR_INEXACT_VALUE',
        message: `${value} is finer than ${leaf} or beyond it ${where}; declare another unit, or utf8`,
      }
    case NULL:
    case MISSING: {
      const what = fault === NULL ? 'a null' : 'no value'
      return {
        code: 'MR_TYPE_MISMATCH',
        message: `${what} where one is needed ${where}; declare the column ${typeName(nullable(plain))}`,
      }
    }
    case NULL_ITEM:
      return {
        code: 'MR_TYPE_MISMATCH',
        message: `a null where none may be ${where}; declare the column ${typeName(list(nullable(type.item as DataType)))}`,
      }
    default:
      return {
        code: 'MR_TYPE_MISMATCH',
        message: `${value} is no ${typeName(plain)} ${where}; declare the column as what it has, or utf8`,
      }
  }
}

/** The value that begins at `at`, in a well-formed record. */
function valueAt(bytes: Uint8Array, at: number, end: number): string {
  const text = decodeUtf8(bytes, at, Math.min(end, at + CHARACTER_BYTES * MOST_VALUE_CHARACTERS))
  if (text.startsWith('{')) return 'an object'
  if (text.startsWith('[')) return 'an array'
  const value = /^"(?:[^"\\]|\\.)*"?|^[^,\]}\s]*/.exec(text)?.[0] ?? ''
  return value.length <= MOST_VALUE_CHARACTERS ? value : `${cut(value, MOST_VALUE_CHARACTERS)}…`
}

/** Bytes `[from, to)` as text without white space around it, cut where it is long. */
function excerpt(bytes: Uint8Array, from: number, to: number): string {
  while (from < to && bytes[from] <= 32) from++
  while (from < to && bytes[to - 1] <= 32) to--
  return cut(decodeUtf8(bytes, from, Math.min(to, from + CHARACTER_BYTES * MOST_CHARACTERS)), MOST_CHARACTERS)
}

/** At most so many UTF-16 units, and no half of a character. */
const cut = (text: string, most: number): string => text.slice(0, most).replace(/[\ud800-\udbff]$/, '')
