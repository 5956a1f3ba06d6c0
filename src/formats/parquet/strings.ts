/**
 * Byte arrays: from a page to slices of it, from slices and dictionary entries to one run of offsets and bytes. values.ts reads what has a
 * fixed width.
 */
import type { PlainDictionary } from '../plain-batch.js'
import type { Texts } from '../repair-utf8.js'
import { corrupt, unsupported } from './corrupt.js'
import { deltaEnd, deltaOver, readDelta } from './delta.js'
import { checkRoom, ENCODING, unsupportedEncoding } from './values.js'

/** Appends the next `count` strings of a page. */
export type ReadStrings = (out: StringBuilder, count: number) => void

/** Strings end to end. Null rows are empty ones. */
export interface StringBuilder {
  /** Has room for all rows and one more; `reserveRows` makes room for more rows. */
  offsets: Int32Array
  count: number
  bytes: Uint8Array
  byteLength: number
}

/** One morsel's text: an int32 offset could say 2 GiB, but a few bytes of a damaged page can ask for that much. */
const MAX_MORSEL_BYTES = 2 ** 30

export function createStringBuilder(rowCount: number): StringBuilder {
  return { offsets: new Int32Array(rowCount + 1), count: 0, bytes: new Uint8Array(rowCount * 8), byteLength: 0 }
}

/** Of strings of as many rows as were appended. */
export function finishStrings({ offsets, count, bytes, byteLength }: StringBuilder): Texts {
  return {
    offsets: offsets.subarray(0, count + 1),
    bytes: bytes.length > byteLength * 2 ? bytes.slice(0, byteLength) : bytes.subarray(0, byteLength),
  }
}

export function reserveRows(out: StringBuilder, more: number): void {
  const needed = out.count + more + 1
  if (needed <= out.offsets.length) return
  const larger = new Int32Array(Math.max(needed, out.offsets.length * 2))
  larger.set(out.offsets)
  out.offsets = larger
}

function reserve(out: StringBuilder, more: number): void {
  const needed = out.byteLength + more
  if (needed > MAX_MORSEL_BYTES)
    throw unsupported(`${out.offsets.length - 1} values hold more than 1 GiB of text, which a batch cannot`)
  if (needed <= out.bytes.length) return
  const larger = new Uint8Array(Math.min(MAX_MORSEL_BYTES, Math.max(needed, out.bytes.length * 2)))
  larger.set(out.bytes.subarray(0, out.byteLength))
  out.bytes = larger
}

/** Appends source[from .. from + length). Room for it must have been reserved. */
function put(out: StringBuilder, source: Uint8Array, from: number, length: number): void {
  const { bytes } = out
  let o = out.byteLength
  if (length > 32) bytes.set(source.subarray(from, from + length), o)
  else for (const end = o + length; o < end; ) bytes[o++] = source[from++] as number
  out.byteLength += length
  out.offsets[++out.count] = out.byteLength
}

export function putDictionaryStrings(
  out: StringBuilder,
  dictionary: PlainDictionary,
  codes: Int32Array,
  count: number,
): void {
  const { offsets, bytes } = dictionary
  for (let i = 0; i < count; i++) {
    const from = offsets[codes[i] as number] as number
    const length = (offsets[(codes[i] as number) + 1] as number) - from
    reserve(out, length)
    put(out, bytes, from, length)
  }
}

/**
 * Spreads the last `dense` strings over the last `rows` rows: where a row's bit is 0 it is the empty string.
 * @param bit of the first of those rows in the bitmap.
 */
export function spreadStrings(
  out: StringBuilder,
  validity: Uint8Array,
  bit: number,
  rows: number,
  dense: number,
): void {
  const { offsets } = out
  const start = out.count - dense
  let d = out.count
  for (let i = rows - 1; i >= 0; i--) {
    offsets[start + i + 1] = offsets[d] as number
    if (((validity[(bit + i) >> 3] as number) >> ((bit + i) & 7)) & 1) d--
  }
  out.count = start + rows
}

/** A reader of a page's `count` UUIDs, which are bytes [at, end), as text; not for dictionary codes. */
export function uuidsOf(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): ReadStrings {
  if (encoding !== ENCODING.plain) throw unsupportedEncoding(encoding, 'bytes')
  checkRoom(count, 16, end - at)
  return (out, n) => {
    reserve(out, n * 36)
    for (let i = 0; i < n; i++, at += 16) {
      let o = out.byteLength
      for (let b = 0; b < 16; b++) {
        if (b === 4 || b === 6 || b === 8 || b === 10) out.bytes[o++] = 45
        const byte = bytes[at + b] as number
        out.bytes[o++] = HEX[byte >> 4] as number
        out.bytes[o++] = HEX[byte & 15] as number
      }
      out.byteLength = o
      out.offsets[++out.count] = o
    }
  }
}

const HEX = new TextEncoder().encode('0123456789abcdef')

/** A reader of a page's `count` strings, which are bytes [at, end); not for dictionary codes. */
export function stringsOf(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): ReadStrings {
  if (encoding === ENCODING.plain) return plainStrings(bytes, at, end)
  if (encoding === ENCODING.deltaLength) return deltaLengthStrings(bytes, at, end, count)
  if (encoding === ENCODING.deltaString) return deltaStrings(bytes, at, end, count)
  throw unsupportedEncoding(encoding, 'bytes')
}

/** Each length in 4 bytes, then the string. */
function plainStrings(bytes: Uint8Array, at: number, end: number): ReadStrings {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (out, count) => {
    for (let i = 0; i < count; i++) {
      if (at + 4 > end) throw corrupt('a page has fewer values than it claims')
      const length = view.getUint32(at, true)
      at += 4
      if (length > end - at) throw corrupt(`a string of ${length} bytes where ${end - at} are left`)
      reserve(out, length)
      put(out, bytes, at, length)
      at += length
    }
  }
}

/** All lengths, delta-encoded, then all strings. */
function deltaLengthStrings(bytes: Uint8Array, at: number, end: number, count: number): ReadStrings {
  const lengths = deltaOver(bytes, at, end, count)
  let next = deltaEnd(bytes, at, end, count)
  return (out, n) => {
    const morsel = new Int32Array(n)
    readDelta(lengths, morsel, 0, n, 1)
    for (let i = 0; i < n; i++) {
      const length = morsel[i] as number
      if (length < 0 || length > end - next) throw corrupt(`a string of ${length} bytes where ${end - next} are left`)
      reserve(out, length)
      put(out, bytes, next, length)
      next += length
    }
  }
}

/** How much of the string before is kept, delta-encoded; the lengths of what follows; what follows. */
function deltaStrings(bytes: Uint8Array, at: number, end: number, count: number): ReadStrings {
  const prefixes = deltaOver(bytes, at, end, count)
  const suffixesAt = deltaEnd(bytes, at, end, count)
  const suffixes = deltaOver(bytes, suffixesAt, end, count)
  let next = deltaEnd(bytes, suffixesAt, end, count)
  let last: Uint8Array = new Uint8Array(0)
  return (out, n) => {
    const kept = new Int32Array(n)
    const added = new Int32Array(n)
    readDelta(prefixes, kept, 0, n, 1)
    readDelta(suffixes, added, 0, n, 1)
    for (let i = 0; i < n; i++) {
      const prefix = kept[i] as number
      const suffix = added[i] as number
      const start = out.byteLength
      if (prefix < 0 || prefix > last.length)
        throw corrupt(`a string begins with ${prefix} bytes of one of ${last.length}`)
      if (suffix < 0 || suffix > end - next) throw corrupt(`a string of ${suffix} bytes where ${end - next} are left`)
      reserve(out, prefix + suffix)
      out.bytes.set(last.subarray(0, prefix), start)
      out.byteLength += prefix
      put(out, bytes, next, suffix)
      next += suffix
      last = out.bytes.subarray(start, out.byteLength)
    }
    // The builder's bytes go to the receiver, who may transfer them.
    last = last.slice()
  }
}

/** The entries of a dictionary page: PLAIN, 16 bytes each. */
export function uuidDictionaryOf(bytes: Uint8Array, count: number): Texts {
  const read = uuidsOf(ENCODING.plain, bytes, 0, bytes.length, count)
  const out = createStringBuilder(count)
  read(out, count)
  return finishStrings(out)
}

/** The entries of a dictionary page: PLAIN strings, end to end without their lengths. */
export function stringDictionaryOf(bytes: Uint8Array, count: number): Texts {
  if (count * 4 > bytes.length) throw corrupt(`a dictionary of ${count} strings in ${bytes.length} bytes`)
  const out = {
    offsets: new Int32Array(count + 1),
    count: 0,
    bytes: new Uint8Array(bytes.length - count * 4),
    byteLength: 0,
  }
  plainStrings(bytes, 0, bytes.length)(out, count)
  return finishStrings(out)
}
