/**
 * A vector's values as JavaScript's: one reader per vector, chosen once, and whole vectors as arrays. The way back in
 * is builder.ts.
 */

import { dayText } from './day.js'
import type { Dictionary } from './dictionary.js'
import { epochMs, inexactDate } from './instant.js'
import { isSafe, numberAt, unsafeInteger, wordsOf } from './int64.js'
import type { TimeUnit } from './type.js'
import { decodeUtf8 } from './utf8.js'
import { getBit } from './validity.js'
import { type Codes, dataOf, type Vector } from './vector.js'

/** Row i of the vector it was made for, `0 <= i < length`. */
export type Reader = (i: number) => unknown

/** Where a vector lies, for error messages. */
export interface Place {
  readonly column: string
  /** Row of the table at which the vector begins. */
  readonly firstRow: number
}

/**
 * Reads `vector` row by row: number, boolean, string, `Date`, `'YYYY-MM-DD'`, an array of these, or null. With `bigint`, an int64 or
 * timestamp is its int64 as it lies there, and nothing throws; else the reader throws `MR_UNSAFE_INTEGER` or
 * `MR_INEXACT_VALUE` at a row that would be rounded.
 */
export function readerOf(vector: Vector, place: Place, bigint = false): Reader {
  const read = denseReader(vector, place, bigint)
  const { validity } = vector
  return validity === null ? read : i => (getBit(validity, i) ? read(i) : null)
}

// Every kind has a function literal of its own, so that the engine sees one array type at each access.
function denseReader(vector: Vector, place: Place, bigint: boolean): Reader {
  switch (vector.type.kind) {
    case 'bool': {
      const data = vector.data as Uint8Array
      return i => getBit(data, i)
    }
    case 'int8': {
      const data = vector.data as Int8Array
      return i => data[i]
    }
    case 'int16': {
      const data = vector.data as Int16Array
      return i => data[i]
    }
    case 'int32': {
      const data = vector.data as Int32Array
      return i => data[i]
    }
    case 'uint8': {
      const data = vector.data as Uint8Array
      return i => data[i]
    }
    case 'uint16': {
      const data = vector.data as Uint16Array
      return i => data[i]
    }
    case 'uint32': {
      const data = vector.data as Uint32Array
      return i => data[i]
    }
    case 'float32': {
      const data = vector.data as Float32Array
      return i => data[i]
    }
    case 'float64': {
      const data = vector.data as Float64Array
      return i => data[i]
    }
    case 'int64': {
      const data = vector.data as BigInt64Array
      if (bigint) return i => data[i]
      const words = wordsOf(data)
      return i => {
        const value = numberAt(words, i)
        if (!isSafe(value)) throw unsafeInteger(place.column, place.firstRow + i, data[i])
        return value
      }
    }
    case 'timestamp': {
      const data = vector.data as BigInt64Array
      if (bigint) return i => data[i]
      const words = wordsOf(data)
      const unit = vector.type.unit as TimeUnit
      return i => {
        const ms = epochMs(data, words, i, unit)
        if (Number.isNaN(ms)) throw inexactDate(place.column, place.firstRow + i, data[i], unit)
        return new Date(ms)
      }
    }
    case 'date': {
      const data = vector.data as Int32Array
      const texts = new Map<number, string>()
      return i => {
        let text = texts.get(data[i])
        if (text === undefined) {
          text = dayText(data[i])
          if (texts.size < CACHED_DAYS) texts.set(data[i], text)
        }
        return text
      }
    }
    case 'utf8': {
      const { offsets } = vector
      if (offsets !== null) {
        const bytes = vector.data as Uint8Array
        return i => decodeUtf8(bytes, offsets[i], offsets[i + 1])
      }
      const codes = vector.data as Codes
      const dictionary = vector.dictionary as Dictionary
      return i => dictionary.get(codes[i])
    }
    case 'list': {
      const offsets = vector.offsets as Int32Array
      // The child's rows are named, in an error, by the row of the table that they are in.
      const within = { column: place.column, firstRow: 0 }
      const read = readerOf(vector.child as Vector, within, bigint)
      return i => {
        const start = offsets[i]
        const items = new Array<unknown>(offsets[i + 1] - start)
        for (let j = 0; j < items.length; j++) {
          within.firstRow = place.firstRow + i - start - j
          items[j] = read(start + j)
        }
        return items
      }
    }
    default:
      throw new TypeError(`no vector holds ${vector.type.kind}`)
  }
}

/** Days whose text a reader keeps: a century. */
const CACHED_DAYS = 36_525

/** An array that numbers without nulls are copied into. */
export type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array

/**
 * Writes the numbers of `vector`, a vector of numbers without nulls, to `target` from `at`. An int64 goes into a
 * `Float64Array`, checked.
 * @throws MillraceError `MR_UNSAFE_INTEGER`.
 */
export function copyNumbers(vector: Vector, target: NumberArray, at: number, place: Place): void {
  if (vector.type.kind !== 'int64') {
    target.set(dataOf(vector) as NumberArray, at)
    return
  }
  const data = vector.data as BigInt64Array
  const words = wordsOf(data)
  for (let i = 0; i < vector.length; i++) {
    const value = numberAt(words, i)
    if (!isSafe(value)) throw unsafeInteger(place.column, place.firstRow + i, data[i])
    target[at + i] = value
  }
}
