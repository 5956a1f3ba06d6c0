/**
 * Values of fixed width, from a page or a dictionary to 32-bit words: one word for int32 and float32, two (low, high) for 64 bits. Words keep
 * every bit, NaN payloads too, and make no BigInt. strings.ts reads byte arrays, decimal.ts decimals.
 */
import { MillraceError } from '../../errors.js'
import type { Encoded } from './column-type.js'
import { corrupt, unsupported } from './corrupt.js'
import { deltaOver, readDelta } from './delta.js'
import { hybridOver, readHybrid } from './hybrid.js'

/** Reads the next `count` values to words of `out`, from value position o. */
export type ReadWords = (out: Int32Array, o: number, count: number) => void

export type FixedEncoded = Exclude<Encoded, 'bool' | 'bytes' | 'decimal'>

export const wordsPerValue = (encoded: FixedEncoded | 'decimal'): 1 | 2 =>
  encoded === 'int32' || encoded === 'float32' ? 1 : 2

/** `parquet.thrift`, enum Encoding. */
export const ENCODING = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  deltaBinary: 5,
  deltaLength: 6,
  deltaString: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const

const ENCODING_NAMES = [
  'PLAIN',
  'GROUP_VAR_INT',
  'PLAIN_DICTIONARY',
  'RLE',
  'BIT_PACKED',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'RLE_DICTIONARY',
  'BYTE_STREAM_SPLIT',
]

export const isDictionaryEncoding = (encoding: number): boolean =>
  encoding === ENCODING.plainDictionary || encoding === ENCODING.rleDictionary

export function unsupportedEncoding(encoding: number, encoded: Encoded): MillraceError {
  const name = ENCODING_NAMES[encoding] ?? `number ${encoding}`
  return unsupported(
    `a page of ${encoded} values has the encoding ${name}, which this version does not read; write it as PLAIN`,
  )
}

/** A reader of a page's `count` values, which are bytes [at, end). */
export function wordsOf(
  encoded: FixedEncoded,
  encoding: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  count: number,
  dictionary: Int32Array | null,
): ReadWords {
  const words = wordsPerValue(encoded)
  if (isDictionaryEncoding(encoding)) return codedWords(bytes, at, end, dictionary, words)
  if (encoding === ENCODING.plain) return plainWords(encoded, bytes, at, end, count)
  if (encoding === ENCODING.deltaBinary && (encoded === 'int32' || encoded === 'int64' || encoded === 'uint64')) {
    const state = deltaOver(bytes, at, end, count)
    return checking(encoded, (out, o, n) => readDelta(state, out, o, n, words))
  }
  if (encoding === ENCODING.byteStreamSplit && encoded !== 'int96')
    return checking(encoded, splitWords(bytes, at, end, count, words))
  throw unsupportedEncoding(encoding, encoded)
}

/** The entries of a dictionary page, PLAIN, as words. */
export function dictionaryOf(encoded: FixedEncoded, bytes: Uint8Array, count: number): Int32Array {
  const byteWidth = encoded === 'int96' ? 12 : wordsPerValue(encoded) * 4
  if (count * byteWidth > bytes.length) throw corrupt(`a dictionary of ${count} values in ${bytes.length} bytes`)
  const words = new Int32Array(count * wordsPerValue(encoded))
  plainWords(encoded, bytes, 0, bytes.length, count)(words, 0, count)
  return words
}

/** A reader of a page of dictionary codes, whose values are so many words each. */
export function codedWords(
  bytes: Uint8Array,
  at: number,
  end: number,
  dictionary: Int32Array | null,
  words: 1 | 2,
): ReadWords {
  if (dictionary === null) throw corrupt('a page refers to a dictionary that there is not')
  return dictionaryWords(codesOf(bytes, at, end, dictionary.length / words), dictionary, words)
}

/** That a page's values of one width are within its bytes. */
export function checkRoom(count: number, byteWidth: number, byteLength: number): void {
  if (count * byteWidth > byteLength) throw corrupt(`${count} values of ${byteWidth} bytes in a page of ${byteLength}`)
}

/** Reads dictionary codes, each below `length`. A byte before them says how many bits they have. */
export function codesOf(bytes: Uint8Array, at: number, end: number, length: number): ReadWords {
  if (at >= end) throw corrupt('a page of dictionary codes is empty')
  const state = hybridOver(bytes, at + 1, end, bytes[at] as number)
  return (out, o, count) => {
    readHybrid(state, out, o, count)
    const most = greatest(out, o, count)
    if (count > 0 && most >= length) throw corrupt(`code ${most} in a dictionary of ${length}`)
  }
}

/** Of codes as unsigned numbers: a negative one is out of range too. */
function greatest(codes: Int32Array, o: number, count: number): number {
  let most = 0
  for (let i = o; i < o + count; i++) {
    const code = (codes[i] as number) >>> 0
    if (code > most) most = code
  }
  return most
}

let codeBuffer = new Int32Array(0)
/** Space for the codes of one morsel, shared: it is read and used up within one call. */
function codeSpace(count: number): Int32Array {
  if (codeBuffer.length < count) codeBuffer = new Int32Array(Math.max(count, 65_536))
  return codeBuffer
}

function dictionaryWords(readCodes: ReadWords, dictionary: Int32Array, words: 1 | 2): ReadWords {
  if (words === 1) {
    return (out, o, count) => {
      readCodes(out, o, count)
      for (let i = o; i < o + count; i++) out[i] = dictionary[out[i] as number] as number
    }
  }
  return (out, o, count) => {
    const codes = codeSpace(count)
    readCodes(codes, 0, count)
    gatherPairs(codes, count, dictionary, out, o)
  }
}

/** A function of its own, as the loop above is: inside a closure it takes twice the time. */
function gatherPairs(codes: Int32Array, count: number, dictionary: Int32Array, out: Int32Array, o: number): void {
  for (let i = 0; i < count; i++) {
    const from = (codes[i] as number) << 1
    const to = (o + i) << 1
    out[to] = dictionary[from] as number
    out[to + 1] = dictionary[from + 1] as number
  }
}

function plainWords(encoded: FixedEncoded, bytes: Uint8Array, at: number, end: number, count: number): ReadWords {
  if (encoded === 'int96') return int96Words(bytes, at, end)
  const byteWidth = wordsPerValue(encoded) * 4
  checkRoom(count, byteWidth, end - at)
  return checking(encoded, (out, o, n) => {
    new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(
      bytes.subarray(at, at + n * byteWidth),
      o * byteWidth,
    )
    at += n * byteWidth
  })
}

/** BYTE_STREAM_SPLIT: first every value's byte 0, then every value's byte 1, and so on. */
function splitWords(bytes: Uint8Array, at: number, end: number, count: number, words: 1 | 2): ReadWords {
  const byteWidth = words * 4
  checkRoom(count, byteWidth, end - at)
  let done = 0
  return (out, o, n) => {
    const target = new Uint8Array(out.buffer, out.byteOffset, out.byteLength)
    for (let b = 0; b < byteWidth; b++) {
      const from = at + b * count + done
      for (let i = 0, t = o * byteWidth + b; i < n; i++, t += byteWidth) target[t] = bytes[from + i] as number
    }
    done += n
  }
}

/** int64 has no room for the upper half of uint64. */
function checking(encoded: FixedEncoded, read: ReadWords): ReadWords {
  if (encoded !== 'uint64') return read
  return (out, o, count) => {
    read(out, o, count)
    for (let i = o; i < o + count; i++) {
      if ((out[2 * i + 1] as number) < 0) {
        const value = (BigInt((out[2 * i + 1] as number) >>> 0) << 32n) | BigInt((out[2 * i] as number) >>> 0)
        throw overflow(`the UINT_64 value ${value} is greater than int64 holds`)
      }
    }
  }
}

const JULIAN_EPOCH_DAY = 2_440_588n
const DAY_NS = 86_400_000_000_000n

/** Impala's timestamps: nanoseconds of the day in 8 bytes, then the Julian day in 4. */
function int96Words(bytes: Uint8Array, at: number, end: number): ReadWords {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (out, o, count) => {
    if (count * 12 > end - at) throw corrupt('a page has fewer values than it claims')
    for (let i = o; i < o + count; i++, at += 12) {
      const value = (BigInt(view.getInt32(at + 8, true)) - JULIAN_EPOCH_DAY) * DAY_NS + view.getBigInt64(at, true)
      if (BigInt.asIntN(64, value) !== value)
        throw overflow('an INT96 timestamp is beyond the years 1677 to 2262, which int64 nanoseconds span')
      out[2 * i] = Number(BigInt.asIntN(32, value))
      out[2 * i + 1] = Number(value >> 32n)
    }
  }
}

function overflow(what: string): MillraceError {
  return new MillraceError('MR_INTEGER_OVERFLOW', `${what}; leave the column out with select or drop`)
}
