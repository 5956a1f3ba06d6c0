/**
 * DECIMALs, each read as the float64 nearest to it, as the same number is in a CSV file. Their digits are an integer: of 4 or 8 bytes, low byte
 * first, or of any length, high byte first. values.ts reads what else has a fixed width.
 */
import { corrupt } from './corrupt.js'
import { createStringBuilder, type ReadStrings, stringsOf } from './strings.js'
import { checkRoom, codedWords, ENCODING, isDictionaryEncoding, type ReadWords, wordsOf } from './values.js'

/** 256 bits, of 76 digits, are the widest that there are. */
export const MAX_BYTES = 32

export interface Decimal {
  /** BYTE_ARRAY says the length of each value. */
  readonly physical: 'INT32' | 'INT64' | 'FIXED_LEN_BYTE_ARRAY' | 'BYTE_ARRAY'
  /** Of a value of FIXED_LEN_BYTE_ARRAY. */
  readonly byteLength: number
  /** Digits behind the point, from 0. */
  readonly scale: number
}

/** A reader of a page's `count` values, which are bytes [at, end), to the words of float64. */
export function decimalsOf(
  decimal: Decimal,
  encoding: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  count: number,
  dictionary: Int32Array | null,
): ReadWords {
  if (isDictionaryEncoding(encoding)) return codedWords(bytes, at, end, dictionary, 2)
  const { physical, byteLength, scale } = decimal
  const nearest = nearestOf(scale)
  if (physical === 'INT32') return fromInt32(wordsOf('int32', encoding, bytes, at, end, count, null), nearest)
  if (physical === 'INT64') return fromInt64(wordsOf('int64', encoding, bytes, at, end, count, null), nearest)
  if (physical === 'BYTE_ARRAY' || encoding !== ENCODING.plain)
    return fromStrings(stringsOf(encoding, bytes, at, end, count), nearest)
  checkRoom(count, byteLength, end - at)
  return (out, o, n) => {
    const doubles = doublesOf(out)
    for (let i = o; i < o + n; i++, at += byteLength) doubles[i] = nearest(digitsAt(bytes, at, byteLength))
  }
}

/** A bound, as statistics keep it: PLAIN without a length. Rounding keeps the order. */
export function decimalBound(decimal: Decimal, bytes: Uint8Array): number | null {
  const { physical, scale } = decimal
  const { byteLength } = bytes
  if (byteLength === 0 || byteLength > MAX_BYTES) return null
  const isInteger = physical === 'INT32' || physical === 'INT64'
  if (isInteger && byteLength !== (physical === 'INT32' ? 4 : 8)) return null
  // Bytes that are cut off are the low ones.
  if (physical === 'FIXED_LEN_BYTE_ARRAY' && byteLength !== decimal.byteLength) return null
  const digits = isInteger ? bytes.slice().reverse() : bytes
  return nearestOf(scale)(digitsAt(digits, 0, byteLength))
}

/** The entries of a dictionary page, PLAIN, as words of float64. */
export function decimalDictionaryOf(decimal: Decimal, bytes: Uint8Array, count: number): Int32Array {
  // Of at least a byte each, or 4 that say a length: what the page claims is no reason to make room for it.
  if (count > bytes.length) throw corrupt(`a dictionary of ${count} values in ${bytes.length} bytes`)
  const words = new Int32Array(count * 2)
  decimalsOf(decimal, ENCODING.plain, bytes, 0, bytes.length, count, null)(words, 0, count)
  return words
}

/** A value of digits in two's complement, high byte first, at `at`. No bytes are 0. */
function digitsAt(bytes: Uint8Array, at: number, byteLength: number): number | bigint {
  if (byteLength > MAX_BYTES) throw corrupt(`a DECIMAL of ${byteLength} bytes`)
  const end = at + byteLength
  const sign = byteLength > 0 && (bytes[at] as number) > 127 ? -1 : 0
  // Bytes that only repeat the sign: 16 of them mostly hold a small number.
  while (at < end - 6 && bytes[at] === (sign & 255)) at++
  if (end - at <= 6) {
    let digits = sign
    for (; at < end; at++) digits = digits * 256 + (bytes[at] as number)
    return digits
  }
  let digits = BigInt(sign)
  for (; at < end; at++) digits = (digits << 8n) | BigInt(bytes[at] as number)
  return digits
}

type Nearest = (digits: number | bigint) => number

/** The float64 nearest to digits * 10^-scale: where both are exact that is their quotient, otherwise the number's text is read. */
function nearestOf(scale: number): Nearest {
  const unit = Number(`1e${scale}`)
  return digits =>
    scale <= 22 && digits >= -MAX_SAFE && digits <= MAX_SAFE ? Number(digits) / unit : Number(`${digits}e-${scale}`)
}

const MAX_SAFE = Number.MAX_SAFE_INTEGER

/** `out` begins where float64 may lie. */
const doublesOf = (out: Int32Array): Float64Array => new Float64Array(out.buffer, out.byteOffset, out.length >> 1)

function fromInt32(read: ReadWords, nearest: Nearest): ReadWords {
  return (out, o, count) => {
    const digits = new Int32Array(count)
    read(digits, 0, count)
    const doubles = doublesOf(out)
    for (let i = 0; i < count; i++) doubles[o + i] = nearest(digits[i] as number)
  }
}

function fromInt64(read: ReadWords, nearest: Nearest): ReadWords {
  return (out, o, count) => {
    read(out, o, count)
    const doubles = doublesOf(out)
    for (let i = o; i < o + count; i++) {
      const high = out[2 * i + 1] as number
      const low = (out[2 * i] as number) >>> 0
      const isSafe = high >= -(2 ** 21) && high < 2 ** 21
      doubles[i] = nearest(isSafe ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low))
    }
  }
}

function fromStrings(read: ReadStrings, nearest: Nearest): ReadWords {
  return (out, o, count) => {
    const texts = createStringBuilder(count)
    read(texts, count)
    const doubles = doublesOf(out)
    const { offsets, bytes } = texts
    for (let i = 0; i < count; i++) {
      const from = offsets[i] as number
      doubles[o + i] = nearest(digitsAt(bytes, from, (offsets[i + 1] as number) - from))
    }
  }
}
