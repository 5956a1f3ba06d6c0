/**
 * int64 values as pairs of 32-bit words, which JavaScript reads and writes many times faster than BigInts.
 * Little-endian, as everything Millrace runs on is.
 */
import { MillraceError, quote } from '../errors.js'

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n
const TWO_32 = 2 ** 32
const TWO_53 = 2 ** 53

/** The same memory: low word of element i at 2i, high word at 2i + 1. */
export const wordsOf = (data: BigInt64Array): Int32Array =>
  new Int32Array(data.buffer, data.byteOffset, data.length * 2)

/** Element i as a number: exact where `isSafe` of it holds, else rounded but not into the safe range. */
export const numberAt = (words: Int32Array, i: number): number => words[2 * i + 1] * TWO_32 + (words[2 * i] >>> 0)

export const isSafe = (value: number): boolean => value > -TWO_53 && value < TWO_53

/** Sets element i to a safe integer. */
export function setNumber(words: Int32Array, i: number, value: number): void {
  const high = Math.floor(value / TWO_32)
  words[2 * i] = value - high * TWO_32
  words[2 * i + 1] = high
}

/** Why an int64 cannot be had as a number. `row` is the row of the table. */
export function unsafeInteger(column: string, row: number, value: bigint): MillraceError {
  return new MillraceError(
    'MR_UNSAFE_INTEGER',
    `column ${quote(column)}, row ${row}: ${value} is beyond ±(2^53 - 1), so a number would round it; read it with toRows({ bigint: true }), or a column of them with toBigInt64Array()`,
    { column, row, value },
  )
}
