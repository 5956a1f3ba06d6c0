/**
 * Arrays as vectors: views of the same bytes wherever Arrow's layout is ours. All that a kernel would trust is checked on the way: offsets that
 * do not decrease, codes in range, UTF-8. arrays.ts reads the bytes.
 */
import type { DataType } from '../../columnar/type.js'
import { countBits, getBit } from '../../columnar/validity.js'
import { allocateData } from '../../columnar/vector.js'
import { corrupt, unsupported } from '../fault.js'
import type { PlainVector } from '../plain-batch.js'
import type { ArrowArray, ArrowDictionary } from './arrays.js'
import { codesOf, textOf, valuesByCode } from './codes.js'
import type { ArrowField } from './field.js'
import { type Repairs, type Runs, runsOf, textsOf, viewedTexts } from './texts.js'
import { bitsOf, fixedValues, type Rows, rowFault } from './values.js'

/** Items of lists that no byte stands for, of nulls alone: more of them are more likely a fault than data. */
const MOST_NULL_ITEMS = 2 ** 20
const MOST_ITEMS = 2 ** 31 - 1

/** What a vector has beside its type, its length and its nulls. */
type Parts = Pick<PlainVector, 'data' | 'validity'> & Partial<Pick<PlainVector, 'dictionary' | 'offsets' | 'child'>>

/**
 * Rows [from, to) of an array, `0 <= from <= to <= length`.
 * @param isItem of lists, whose rows are not known.
 * @throws MillraceError `MR_FORMAT_ERROR`, `MR_INTEGER_OVERFLOW`, `MR_INEXACT_VALUE`, with `details.row` counted from `from`.
 */
export function vectorOf(
  field: ArrowField,
  array: ArrowArray,
  from: number,
  to: number,
  repairs: Repairs,
  isItem = false,
): PlainVector {
  const type = field.type as DataType
  const length = to - from
  const rows: Rows = { array, from, rowCount: length, isItem }
  if (array.isAllNull || length === 0) return nulls(field, type, rows, repairs)
  const validity = array.validity === null ? null : bitsOf(rows, array.validity)
  const parts = partsOf(field, type, validity, rows, repairs)
  const nullCount = parts.validity === null ? 0 : length - countBits(parts.validity, length)
  if (nullCount > 0 && !field.nullable) {
    let row = 0
    while (getBit(parts.validity as Uint8Array, row)) row++
    throw unexpectedNull(rows, row)
  }
  return {
    type,
    length,
    nullCount,
    dictionary: null,
    offsets: null,
    child: null,
    ...parts,
    validity: nullCount === 0 ? null : parts.validity,
  }
}

const unexpectedNull = (rows: Rows, row: number) =>
  rowFault('it has a null, though its schema says that it has none', rows, row)

/** All rows null, or no rows. */
function nulls(field: ArrowField, type: DataType, rows: Rows, repairs: Repairs): PlainVector {
  const { array, rowCount, isItem } = rows
  if (isItem && rowCount > MOST_NULL_ITEMS)
    throw unsupported(`65,536 rows of it hold ${rowCount} nulls in lists; leave it out with select or drop`)
  if (rowCount > 0 && !field.nullable) throw unexpectedNull(rows, 0)
  const isList = type.kind === 'list'
  const isCoded = type.kind === 'utf8' && field.dictionary !== null
  const isPlain = type.kind === 'utf8' && field.dictionary === null
  return {
    type,
    length: rowCount,
    nullCount: rowCount,
    validity: rowCount === 0 ? null : new Uint8Array(Math.ceil(rowCount / 8)),
    data: isPlain ? new Uint8Array(0) : allocateData(type.kind, rowCount),
    dictionary: isCoded ? textOf(array.dictionary) : null,
    offsets: isList || isPlain ? new Int32Array(rowCount + 1) : null,
    child: isList ? vectorOf(field.children[0] as ArrowField, array, 0, 0, repairs, true) : null,
  }
}

function partsOf(field: ArrowField, type: DataType, validity: Uint8Array | null, rows: Rows, repairs: Repairs): Parts {
  const { storage } = field
  if (field.dictionary !== null) {
    const dictionary = rows.array.dictionary as ArrowDictionary
    const { codes, ...rest } = codesOf(storage, dictionary, validity, rows)
    return type.kind === 'utf8'
      ? { data: codes, dictionary: textOf(dictionary), ...rest }
      : { data: valuesByCode(dictionary, type, codes), ...rest }
  }
  switch (storage) {
    case 'utf8':
    case 'largeUtf8':
    case 'utf8View': {
      const { bytes, offsets } =
        storage === 'utf8View'
          ? viewedTexts(validity, rows, repairs)
          : textsOf(rows, storage === 'utf8' ? 4 : 8, repairs)
      return { data: bytes, offsets, validity }
    }
    case 'list':
    case 'largeList':
    case 'fixedSizeList': {
      const { child, byteOffset } = rows.array
      if (child === null) throw corrupt('its lists have no items', byteOffset)
      const runs =
        storage === 'fixedSizeList'
          ? fixedRuns(field.listSize, child.length, rows)
          : runsOf(rows, storage === 'list' ? 4 : 8, child.length)
      return { ...itemsOf(field.children[0] as ArrowField, child, runs, repairs), validity }
    }
    default:
      return { data: fixedValues(storage, type, validity, rows), validity }
  }
}

function fixedRuns(size: number, available: number, { array, from, rowCount }: Rows): Runs {
  if ((from + rowCount) * size > available || rowCount * size > MOST_ITEMS)
    throw corrupt(`its lists of ${size} items need more than the ${available} that there are`, array.byteOffset)
  return { start: from * size, offsets: Int32Array.from({ length: rowCount + 1 }, (_, row) => row * size) }
}

/** Only the items of these rows. */
function itemsOf(field: ArrowField, child: ArrowArray, { start, offsets }: Runs, repairs: Repairs) {
  const first = offsets[0] as number
  const end = offsets[offsets.length - 1] as number
  return {
    data: allocateData('list', 0),
    offsets: first === 0 ? offsets : offsets.map(offset => offset - first),
    child: vectorOf(field, child, start + first, start + end, repairs, true),
  }
}
