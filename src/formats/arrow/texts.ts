/** Strings of an array's rows, and the offsets that lists have too. codes.ts has strings that are codes into a dictionary. */
import { corrupt, unsupported } from '../fault.js'
import { repairUtf8, type Texts } from '../repair-utf8.js'
import type { ArrowArray } from './arrays.js'
import { isValid, type Rows, rowFault, typed, valuesOf } from './values.js'

/** One batch's text: an int32 offset could say 2 GiB, but views of a damaged file can refer to the same bytes again and again. */
const MOST_TEXT_BYTES = 2 ** 30
const MOST_ITEMS = 2 ** 31 - 1
/** Strings up to this length are in their view. */
const INLINE_BYTES = 12
/** Of longer ones the view has the beginning. */
const PREFIX_BYTES = 4

/** Told of strings that were not UTF-8. */
export interface Repairs {
  illFormedCount: number
}

/** Where rows' runs of characters or items are: in what is here of them, from `start` on. */
export interface Runs {
  readonly start: number
  /** One more than there are rows; they do not decrease. */
  readonly offsets: Int32Array
}

/** @param available of what the offsets refer to. @throws MillraceError `MR_FORMAT_ERROR` */
export function runsOf(rows: Rows, width: 4 | 8, available: number): Runs {
  const { array, rowCount } = rows
  const { offsets: bytes, base, byteOffset } = array
  if (bytes === null) throw corrupt('it has no offsets', byteOffset)
  let start = -base
  let offsets: Int32Array
  if (width === 4) {
    offsets = typed(Int32Array, rows, bytes, 1)
    if (base !== 0) {
      start = 0
      offsets = offsets.map(offset => offset - base)
    }
  } else {
    const wide = typed(BigInt64Array, rows, bytes, 1)
    const first = Number(wide[0])
    start += first
    if (Number(wide[rowCount]) - first > MOST_ITEMS)
      throw unsupported('65,536 rows of it have more than 2 GiB of text, or more than 2^31 items; leave it out')
    // What is beyond int32 becomes -1, which no offset is behind another.
    const narrow = (offset: number) => (offset >= 0 && offset <= MOST_ITEMS ? offset : -1)
    offsets = Int32Array.from({ length: rowCount + 1 }, (_, row) => narrow(Number(wide[row]) - first))
  }
  let last = offsets[0] as number
  let isAscending = start >= 0 && last >= 0
  for (let row = 1; row <= rowCount; row++) {
    const next = offsets[row] as number
    if (next < last) isAscending = false
    last = next
  }
  if (!isAscending || start + last > available)
    throw corrupt(`its offsets decrease, or go beyond the ${available} that there are`, byteOffset)
  return { start, offsets }
}

/** UTF-8, whatever it was. */
export function repaired(texts: Texts, repairs: Repairs): Texts {
  const { illFormedCount, ...sound } = repairUtf8(texts)
  repairs.illFormedCount += illFormedCount
  return sound
}

export function textsOf(rows: Rows, width: 4 | 8, repairs: Repairs): Texts {
  const bytes = valuesOf(rows)
  const { start, offsets } = runsOf(rows, width, bytes.length)
  return repaired({ offsets, bytes: start === 0 ? bytes : bytes.subarray(start) }, repairs)
}

/**
 * Views, put end to end:
 *
 * ```
 *   length: i32   text, up to 12 bytes
 *   length: i32   its first 4 bytes   buffer: i32   offset: i32
 * ```
 */
export function viewedTexts(validity: Uint8Array | null, rows: Rows, repairs: Repairs): Texts {
  const { array, from, rowCount } = rows
  const { buffers, byteOffset } = array
  const views = valuesOf(rows)
  if ((from + rowCount) * 16 > views.length)
    throw corrupt(`it has ${views.length} bytes of views where ${(from + rowCount) * 16} are needed`, byteOffset)
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength)
  /** Where a longer string begins in its buffer. */
  const placeOf = (at: number): [bytes: Uint8Array, place: number] | null => {
    const buffer: ArrowArray['buffers'][number] | undefined = buffers[view.getInt32(at + 8, true)]
    return buffer === undefined ? null : [buffer.bytes, view.getInt32(at + 12, true) - buffer.start]
  }
  const offsets = new Int32Array(rowCount + 1)
  let byteLength = 0
  for (let row = 0; row < rowCount; row++) {
    const at = 16 * (from + row)
    const length = isValid(validity, row) ? view.getInt32(at, true) : 0
    const place = length > INLINE_BYTES ? placeOf(at) : undefined
    if (length < 0 || place === null || (place && (place[1] < 0 || place[1] + length > place[0].length)))
      throw rowFault(`a string of ${length} bytes is not all inside its buffer`, rows, row)
    byteLength += length
    if (byteLength > MOST_TEXT_BYTES)
      throw unsupported(`${rowCount} rows of it hold more than 1 GiB of text; write smaller batches`)
    offsets[row + 1] = byteLength
  }
  const bytes = new Uint8Array(byteLength)
  for (let row = 0; row < rowCount; row++) {
    const at = 16 * (from + row)
    const into = offsets[row] as number
    const length = (offsets[row + 1] as number) - into
    if (length <= INLINE_BYTES) for (let i = 0; i < length; i++) bytes[into + i] = views[at + 4 + i] as number
    else {
      const [source, place] = placeOf(at) as [Uint8Array, number]
      for (let i = 0; i < PREFIX_BYTES; i++) {
        if (source[place + i] !== views[at + 4 + i])
          throw rowFault(`a string of ${length} bytes begins otherwise than its view says`, rows, row)
      }
      bytes.set(source.subarray(place, place + length), into)
    }
  }
  return repaired({ offsets, bytes }, repairs)
}
