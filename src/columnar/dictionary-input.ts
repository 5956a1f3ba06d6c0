/**
 * `dictionary()`: strings that a user already holds as codes and distinct values, an input of `columns()`. What it
 * becomes is a vector over a `Dictionary` (dictionary.ts).
 */
import { MillraceError, quote } from '../errors.js'
import { Dictionary } from './dictionary.js'
import { failure, mismatch, show } from './encode.js'
import { textInterner } from './text-interner.js'
import { type DataType, nullable, utf8 } from './type.js'
import { wellFormed } from './utf8.js'
import { bitmapBytes, bitmapOf, clearBit, getBit, onesBitmap, sliceBits } from './validity.js'
import { makeVector, tagOf, type Vector } from './vector.js'

/** One code per row; in an ordinary array null is a null row. */
export type Codes =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | readonly (number | null | undefined)[]

/** Which rows have a value: a bitmap (bit i & 7 of byte i >> 3), or one boolean per row. */
export type ValidityInput = Uint8Array | readonly boolean[]

export interface DictionaryOptions {
  readonly validity?: ValidityInput
}

export interface DictionaryInput {
  readonly kind: 'dictionary'
  readonly codes: Codes
  readonly values: readonly string[]
  readonly validity: ValidityInput | null
}

/**
 * A string column as codes into distinct values, for `columns({ name: dictionary(codes, values) })`. Nothing is copied
 * or checked yet: both are read when a terminal runs, and a code outside `values` is then `MR_INVALID_CODE`. Equal
 * values are one key. With `validity`, or nulls among the codes, the column is `nullable(utf8)`.
 *
 * ```ts
 * columns({ origin: dictionary(Uint16Array.of(0, 1, 0), ['ATL', 'ORD']) })   // ATL, ORD, ATL
 * ```
 * @throws MillraceError `MR_TYPE_MISMATCH` where `codes` or `values` is no array.
 */
export function dictionary(codes: Codes, values: readonly string[], options: DictionaryOptions = {}): DictionaryInput {
  if (!Array.isArray(codes) && !isCodeArray(codes)) {
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `dictionary: codes must be an array or an integer typed array of at most 32 bits, not ${show(codes)}`,
    )
  }
  if (!Array.isArray(values)) {
    throw new MillraceError('MR_TYPE_MISMATCH', `dictionary: values must be an array of strings, not ${show(values)}`)
  }
  const validity = options.validity ?? null
  if (validity !== null && !Array.isArray(validity) && !(tagOf(validity) === 'Uint8Array')) {
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `dictionary: validity must be a bitmap in a Uint8Array, or an array of booleans, not ${show(validity)}`,
    )
  }
  return Object.freeze({ kind: 'dictionary', codes, values, validity })
}

export const isDictionaryInput = (input: unknown): input is DictionaryInput =>
  typeof input === 'object' && input !== null && (input as DictionaryInput).kind === 'dictionary'

/** Of more values nobody asks here whether some are equal: the lanes do, in a fraction of the time. */
const MOST_LOOKED_UP = 65_536

const CODE_ARRAYS: readonly string[] = [
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'Uint8Array',
  'Uint16Array',
  'Uint32Array',
]
const isCodeArray = (codes: unknown): boolean => CODE_ARRAYS.includes(tagOf(codes))

/** `utf8`, or `nullable(utf8)` where it has a validity or a null among its codes. */
export function dictionaryType({ codes, validity }: DictionaryInput): DataType {
  const hasNulls =
    validity !== null || (Array.isArray(codes) && codes.some(code => code === null || code === undefined))
  return hasNulls ? nullable(utf8()) : utf8()
}

/**
 * Checks the values, once, and returns what reads rows `[from, to)` as a vector. Int32 codes become views where no
 * values are equal; others are copied.
 * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_COLUMN_LENGTH`; the reader `MR_INVALID_CODE`, and `MR_TYPE_MISMATCH`
 * for a null in a type without.
 */
export function openDictionary(
  input: DictionaryInput,
  type: DataType,
  operator: string,
  column: string,
): (from: number, to: number) => Vector {
  const { codes, values } = input
  const { dictionary: entries, intern } = values.length > MOST_LOOKED_UP ? unlooked() : textInterner()
  const recoded = new Int32Array(values.length)
  for (let v = 0; v < values.length; v++) {
    const value: unknown = values[v]
    if (typeof value === 'string') {
      recoded[v] = intern(value)
      continue
    }
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `${operator}: column ${quote(column)}: values[${v}] of its dictionary is ${show(value)}, not a string; mark null rows by validity`,
      { operator, column },
    )
  }
  const areDistinct = entries.length === values.length
  // A null row has a code too, which must be in range even where there are no values.
  if (values.length === 0) intern('')
  const bitmap = validityBitmap(input, operator, column)

  return (from, to) => {
    const length = to - from
    const isView = areDistinct && tagOf(codes) === 'Int32Array'
    let data = isView ? (codes as Int32Array).subarray(from, to) : copyCodes(codes, from, to)
    let validity = bitmap === null ? null : sliceBits(bitmap, from, to)
    if (Array.isArray(codes)) validity = withoutNullCodes(codes, from, to, validity)
    for (let i = 0; i < length; i++) {
      if (data[i] >= 0 && data[i] < values.length) continue
      if (validity === null || getBit(validity, i)) {
        throw failure(
          'MR_INVALID_CODE',
          { operator, column, row: from + i },
          `code ${show(codes[from + i])} is not an index into the ${values.length} values of its dictionary`,
        )
      }
      if (data.buffer === (codes as Int32Array).buffer) data = data.slice()
      data[i] = 0
    }
    if (!areDistinct) for (let i = 0; i < length; i++) data[i] = recoded[data[i]]
    const vector = makeVector(type, length, data, { validity, dictionary: entries })
    if (vector.nullCount > 0 && !type.nullable) {
      let i = 0
      while (getBit(validity as Uint8Array, i)) i++
      throw mismatch(null, type, { operator, column, row: from + i })
    }
    return vector
  }
}

/** Every string an entry of its own. */
function unlooked(): { readonly dictionary: Dictionary; intern(text: string): number } {
  const dictionary = new Dictionary()
  return { dictionary, intern: text => dictionary.add(wellFormed(text)) }
}

/** The codes as int32; what is no code becomes -1, which is one of no dictionary, and null 0. */
function copyCodes(codes: Codes, from: number, to: number): Int32Array {
  if (!Array.isArray(codes)) return Int32Array.from((codes as Int32Array).subarray(from, to))
  const data = new Int32Array(to - from)
  for (let i = from; i < to; i++) {
    const code: unknown = codes[i]
    data[i - from] = code === null || code === undefined ? 0 : Number.isInteger(code) ? (code as number) : -1
  }
  return data
}

/** `validity` without the rows whose code is null. */
function withoutNullCodes(
  codes: readonly unknown[],
  from: number,
  to: number,
  validity: Uint8Array | null,
): Uint8Array | null {
  let bitmap: Uint8Array | null = null
  for (let i = from; i < to; i++) {
    if (codes[i] !== null && codes[i] !== undefined) continue
    bitmap ??= validity === null ? onesBitmap(to - from) : validity.slice()
    clearBit(bitmap, i - from)
  }
  return bitmap ?? validity
}

function validityBitmap({ codes, validity }: DictionaryInput, operator: string, column: string): Uint8Array | null {
  if (validity === null) return null
  const isBitmap = !Array.isArray(validity)
  if (isBitmap ? validity.length < bitmapBytes(codes.length) : validity.length !== codes.length) {
    throw new MillraceError(
      'MR_COLUMN_LENGTH',
      `${operator}: column ${quote(column)}: a validity of ${validity.length} ${isBitmap ? 'bytes' : 'booleans'} does not fit ${codes.length} codes`,
      { operator, column },
    )
  }
  return isBitmap ? (validity as Uint8Array) : bitmapOf(validity)
}
