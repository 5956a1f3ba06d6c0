/** Columns that are codes into a dictionary: checked, and null where their entry is. dictionaries.ts reads the dictionaries. */
import type { DataType } from '../../columnar/type.js'
import { clearBit, getBit, onesBitmap } from '../../columnar/validity.js'
import { allocateData, type VectorData } from '../../columnar/vector.js'
import type { PlainDictionary } from '../plain-batch.js'
import type { ArrowDictionary } from './arrays.js'
import type { Storage } from './field.js'
import { isValid, type Rows, rowFault, typed } from './values.js'

/** A null row has a code too, which must be in range even where there are no values. */
const EMPTY_TEXT: PlainDictionary = { length: 1, offsets: new Int32Array(2), bytes: new Uint8Array(0) }

const MOST_CODES = 2 ** 31 - 1

/** The strings of a dictionary, at least one. */
export const textOf = (dictionary: ArrowDictionary | null): PlainDictionary =>
  dictionary?.text && dictionary.text.length > 0 ? dictionary.text : EMPTY_TEXT

/** Codes that name an entry, and which rows have a value. @throws MillraceError `MR_FORMAT_ERROR` for a code out of range. */
export function codesOf(
  storage: Storage,
  { length, validity: entries }: ArrowDictionary,
  validity: Uint8Array | null,
  rows: Rows,
): { readonly codes: Int32Array; readonly validity: Uint8Array | null } {
  const { rowCount } = rows
  const given = asInt32(storage, rows)
  let codes = given
  let bitmap = validity
  for (let row = 0; row < rowCount; row++) {
    const code = given[row] as number
    const isInRange = code >= 0 && code < length
    if (isInRange && (entries === null || getBit(entries, code))) continue
    if (isValid(bitmap, row)) {
      if (!isInRange) throw rowFault(`it has the code ${code}, and its dictionary ${length} values`, rows, row)
      if (bitmap === validity) bitmap = validity === null ? onesBitmap(rowCount) : validity.slice()
      clearBit(bitmap as Uint8Array, row)
    }
    if (codes === given) codes = given.slice()
    codes[row] = 0
  }
  return { codes, validity: bitmap }
}

/** What is beyond int32 becomes -1, which is a code of no dictionary. */
function asInt32(storage: Storage, rows: Rows): Int32Array {
  const narrow = (code: number) => (code >= 0 && code <= MOST_CODES ? code : -1)
  switch (storage) {
    case 'int32':
      return typed(Int32Array, rows)
    case 'int8':
      return Int32Array.from(typed(Int8Array, rows))
    case 'int16':
      return Int32Array.from(typed(Int16Array, rows))
    case 'uint8':
      return Int32Array.from(typed(Uint8Array, rows))
    case 'uint16':
      return Int32Array.from(typed(Uint16Array, rows))
    case 'uint32':
      return Int32Array.from(typed(Uint32Array, rows), narrow)
    default: {
      const wide = typed(BigInt64Array, rows)
      return Int32Array.from({ length: rows.rowCount }, (_, row) => narrow(Number(wide[row])))
    }
  }
}

/** The values that codes in range stand for; none where there is no dictionary. */
export function valuesByCode({ values, length }: ArrowDictionary, type: DataType, codes: Int32Array): VectorData {
  const data = allocateData(type.kind, codes.length) as Float64Array
  const from = values as Float64Array
  if (length > 0) for (let row = 0; row < codes.length; row++) data[row] = from[codes[row] as number] as number
  return data
}
