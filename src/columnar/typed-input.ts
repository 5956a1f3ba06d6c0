/**
 * Typed arrays as input: views where the array is what the type needs, exact copies where it is not, a coded error
 * where no exact copy exists. Ordinary arrays are builder.ts's.
 */
import { createBuilder } from './builder.js'
import { failure, mismatch, show } from './encode.js'
import { wordsOf } from './int64.js'
import { type DataType, float32, float64, int8, int16, int32, int64, type Kind, uint8, uint16, uint32 } from './type.js'
import { bitmapOf } from './validity.js'
import { allocateData, makeVector, tagOf, type Vector } from './vector.js'

/** The typed arrays of JavaScript (a `Float16Array` too, where there is one). */
export type TypedArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array

const TYPE_OF_ARRAY: Readonly<Record<string, DataType>> = {
  Int8Array: int8(),
  Int16Array: int16(),
  Int32Array: int32(),
  BigInt64Array: int64(),
  Uint8Array: uint8(),
  Uint8ClampedArray: uint8(),
  Uint16Array: uint16(),
  Uint32Array: uint32(),
  BigUint64Array: int64(),
  Float16Array: float32(),
  Float32Array: float32(),
  Float64Array: float64(),
}

/** The type of a typed array as it is, or null for anything else. */
export function typeOfArray(value: unknown): DataType | null {
  const tag = tagOf(value)
  return ArrayBuffer.isView(value) && Object.hasOwn(TYPE_OF_ARRAY, tag) ? TYPE_OF_ARRAY[tag] : null
}

/** Kinds of type whose vectors a typed array is as it lies. */
const VIEWED_AS: Readonly<Record<string, readonly Kind[]>> = {
  Int8Array: ['int8'],
  Int16Array: ['int16'],
  Int32Array: ['int32', 'date'],
  BigInt64Array: ['int64', 'timestamp'],
  Uint8Array: ['uint8'],
  Uint16Array: ['uint16'],
  Uint32Array: ['uint32'],
  Float32Array: ['float32'],
  Float64Array: ['float64'],
}

/** Kinds of type that hold every value of a typed array, so that it may be copied unchecked. */
const COPIED_TO: Readonly<Record<string, readonly Kind[]>> = {
  Int8Array: ['int16', 'int32', 'float32', 'float64', 'date'],
  Int16Array: ['int32', 'float32', 'float64', 'date'],
  Int32Array: ['float64'],
  Uint8Array: ['int16', 'int32', 'uint16', 'uint32', 'float32', 'float64', 'date'],
  Uint16Array: ['int32', 'uint32', 'float32', 'float64', 'date'],
  Uint32Array: ['float64'],
  Float16Array: ['float32', 'float64'],
  Float32Array: ['float64'],
}

/**
 * Returns what reads rows `[from, to)` of `array` as a vector of `type`. A bool takes an array of 0 and 1, a date one
 * of days, a timestamp one of counts of its unit.
 * @throws MillraceError `MR_TYPE_MISMATCH` where no typed array makes such a type; the reader as `VectorBuilder.append`
 * does
 */
export function openTypedArray(
  input: TypedArray,
  type: DataType,
  operator: string,
  column: string,
): (from: number, to: number) => Vector {
  const isClamped = tagOf(input) === 'Uint8ClampedArray'
  const array = isClamped ? new Uint8Array(input.buffer, input.byteOffset, input.length) : input
  const tag = tagOf(array)
  const { kind } = type
  if (kind === 'utf8' || kind === 'list') throw mismatch(array, type, { operator, column, row: 0 })
  if (VIEWED_AS[tag]?.includes(kind)) {
    return (from, to) => makeVector(type, to - from, array.subarray(from, to) as Float64Array)
  }
  if (COPIED_TO[tag]?.includes(kind)) {
    return (from, to) => {
      const data = allocateData(kind, to - from) as Float64Array
      data.set(array.subarray(from, to) as Float64Array)
      return makeVector(type, to - from, data)
    }
  }
  if (tag === 'BigUint64Array' && (kind === 'int64' || kind === 'timestamp')) {
    const signed = new BigInt64Array(array.buffer as ArrayBuffer, array.byteOffset, array.length)
    return (from, to) => {
      const data = signed.subarray(from, to)
      const words = wordsOf(data)
      for (let i = 0; i < data.length; i++) {
        if (words[2 * i + 1] < 0) {
          throw failure(
            'MR_INTEGER_OVERFLOW',
            { operator, column, row: from + i },
            `${show(array[from + i])} is beyond int64, the widest integer there is; declare float64 if it may be rounded first`,
          )
        }
      }
      return makeVector(type, data.length, data)
    }
  }
  if (kind === 'bool') return (from, to) => bits(array.subarray(from, to), type, { operator, column, row: from })
  const builder = createBuilder(type, column, { operator })
  return (from, to) => {
    builder.appendAll(array, from, to)
    return builder.finish()
  }
}

function bits(array: TypedArray, type: DataType, origin: { operator: string; column: string; row: number }): Vector {
  const wrong = array.findIndex((value: number | bigint) => Number(value) !== 0 && Number(value) !== 1)
  if (wrong >= 0) {
    throw failure(
      'MR_TYPE_MISMATCH',
      { ...origin, row: origin.row + wrong },
      `${show(array[wrong])} is neither 0 nor 1, as a bool in a typed array is`,
    )
  }
  return makeVector(type, array.length, bitmapOf(Array.from(array, Number)))
}
