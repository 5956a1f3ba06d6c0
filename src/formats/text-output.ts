/**
 * Values as bytes of text in a buffer that is used again and again: what the encoders of CSV and JSON share. How fields and records are put
 * around them is csv/write.ts's and json/write.ts's. Nothing goes through a JavaScript string that need not: strings are UTF-8 already.
 */
import { dayText } from '../columnar/day.js'
import type { Dictionary } from '../columnar/dictionary.js'
import { float32Text } from '../columnar/float-text.js'
import { instantText, UNITS_PER_SECOND } from '../columnar/instant.js'
import { isSafe, numberAt, wordsOf } from '../columnar/int64.js'
import type { TimeUnit } from '../columnar/type.js'

export interface TextOutput {
  bytes: Uint8Array
  /** Where the next byte goes. */
  at: number
  /** Bytes that are free after `room`, beyond those asked for: enough for what a record has besides its strings and lists. */
  readonly slack: number
}

/** Bytes that make a piece: one is handed on once so many have been written. */
const PIECE_BYTES = 2 ** 20
const FIRST_BYTES = 2 ** 12
/** What a number, a bool or a time takes at most, and what stands before and behind it. */
export const CELL_BYTES = 64

export const createTextOutput = (slack: number): TextOutput => ({
  bytes: new Uint8Array(FIRST_BYTES + slack),
  at: 0,
  slack,
})

/** Makes room for `byteLength` bytes and the slack. */
export function room(out: TextOutput, byteLength: number): void {
  const least = out.at + byteLength + out.slack
  if (least <= out.bytes.length) return
  const larger = new Uint8Array(Math.max(least, out.bytes.length * 2))
  larger.set(out.bytes.subarray(0, out.at))
  out.bytes = larger
}

export const isPiece = (out: TextOutput): boolean => out.at >= PIECE_BYTES

/** What has been written, a view that is good until the next byte is. */
export function take(out: TextOutput): Uint8Array {
  const piece = out.bytes.subarray(0, out.at)
  out.at = 0
  return piece
}

/** Text of ASCII characters, as all numbers and times are. */
export function putAscii(out: TextOutput, text: string): void {
  const { bytes } = out
  let { at } = out
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
  out.at = at
}

/** Up to so many bytes a loop is faster than a call of `set`. */
const SHORT = 48

export function putBytes(out: TextOutput, source: Uint8Array, from: number, to: number): void {
  const { bytes } = out
  if (to - from > SHORT) {
    bytes.set(source.subarray(from, to), out.at)
    out.at += to - from
    return
  }
  let { at } = out
  for (let i = from; i < to; i++) bytes[at++] = source[i]
  out.at = at
}

/** What is known of each entry of a dictionary, 0 at first: found once, however many rows and batches have it. */
export function formsOf(known: WeakMap<Dictionary, Uint8Array>, dictionary: Dictionary): Uint8Array {
  let forms = known.get(dictionary)
  if (forms === undefined || forms.length < dictionary.length) {
    const larger = new Uint8Array(Math.max(dictionary.length, 2 * (forms?.length ?? 0)))
    if (forms !== undefined) larger.set(forms)
    forms = larger
    known.set(dictionary, forms)
  }
  return forms
}

const MINUS = 45
const POINT = 46
const ZERO = 48
const NINE_DIGITS = 1e9

/** A safe integer. */
export function putInteger(out: TextOutput, value: number): void {
  if (value < 0) {
    out.bytes[out.at++] = MINUS
    value = -value
  }
  if (value < NINE_DIGITS) {
    putDigits(out, value, digitCount(value))
    return
  }
  const high = Math.floor(value / NINE_DIGITS)
  putDigits(out, high, digitCount(high))
  putDigits(out, value - high * NINE_DIGITS, 9)
}

/** The last `count` digits of an integer below 2^31, with zeros before them. */
function putDigits(out: TextOutput, value: number, count: number): void {
  const { bytes } = out
  let rest = value | 0
  for (let i = out.at + count - 1; i >= out.at; i--) {
    const tenth = (rest / 10) | 0
    bytes[i] = ZERO + rest - tenth * 10
    rest = tenth
  }
  out.at += count
}

function digitCount(value: number): number {
  if (value < 1e4) return value < 100 ? (value < 10 ? 1 : 2) : value < 1e3 ? 3 : 4
  if (value < 1e7) return value < 1e5 ? 5 : value < 1e6 ? 6 : 7
  return value < 1e8 ? 8 : value < 1e9 ? 9 : 10
}

/** Element i of an int64 column, given its memory as words too. */
export function putInt64(out: TextOutput, data: BigInt64Array, words: Int32Array, i: number): void {
  const value = numberAt(words, i)
  if (isSafe(value)) putInteger(out, value)
  else putAscii(out, String(data[i]))
}

/** Decimals of so many digits at most name doubles one to one: any that gives a number back is the shortest, but for zeros at its end. */
const EXACT_BELOW = 1e15

/** A finite number in the fewest digits that give it back, as `String` writes it; `-0` keeps its sign. */
export function putFloat64(out: TextOutput, value: number): void {
  if (!putDecimal(out, value)) putAscii(out, String(value))
}

/**
 * Numbers of few digits, as most that people measure or count are, at a fraction of `String`'s time: the least of 0, 3 and 6 decimals that give
 * `value` back, without the zeros at its end. Returns whether there are such.
 */
function putDecimal(out: TextOutput, value: number): boolean {
  const whole = Math.trunc(value)
  if (whole === value) {
    if (Math.abs(value) >= EXACT_BELOW) return false
    if (value === 0 && Object.is(value, -0)) out.bytes[out.at++] = MINUS
    putInteger(out, value)
    return true
  }
  let scale = 1e3
  let scaled = Math.round(value * scale)
  if (scaled / scale !== value) {
    scale = 1e6
    scaled = Math.round(value * scale)
    if (scaled / scale !== value) return false
  }
  if (Math.abs(scaled) >= EXACT_BELOW) return false
  if (scaled < 0) {
    out.bytes[out.at++] = MINUS
    scaled = -scaled
  }
  const integer = Math.floor(scaled / scale)
  let fraction = (scaled - integer * scale) | 0
  let digits = scale === 1e3 ? 3 : 6
  while (fraction % 10 === 0) {
    fraction = (fraction / 10) | 0
    digits--
  }
  putInteger(out, integer)
  out.bytes[out.at++] = POINT
  putDigits(out, fraction, digits)
  return true
}

/** A finite float32 in the fewest digits that give it back. */
export function putFloat32(out: TextOutput, value: number): void {
  if (Math.trunc(value) === value && Math.abs(value) < 2 ** 24) putDecimal(out, value)
  else putAscii(out, float32Text(value))
}

/** Days whose text is kept: a century. */
const KEPT_DAYS = 36_525

/** Writes days since 1970-01-01 as `YYYY-MM-DD`; years beyond four digits as columnar/day.ts does. */
export function dayPutter(out: TextOutput): (day: number) => void {
  const texts = new Map<number, string>()
  let last = Number.NaN
  let text = ''
  return day => {
    if (day !== last) {
      last = day
      const known = texts.get(day)
      text = known ?? dayText(day)
      if (known === undefined && texts.size < KEPT_DAYS) texts.set(day, text)
    }
    putAscii(out, text)
  }
}

const DAY_SECONDS = 86_400
const FRACTION_DIGITS: Readonly<Record<TimeUnit, number>> = { s: 0, ms: 3, us: 6, ns: 9 }

/** Writes element i of a timestamp column in ISO 8601 with Z, with as many digits of a second as the unit has. */
export function instantPutter(out: TextOutput, data: BigInt64Array, unit: TimeUnit): (i: number) => void {
  const words = wordsOf(data)
  const perSecond = UNITS_PER_SECOND[unit]
  const digits = FRACTION_DIGITS[unit]
  const putDay = dayPutter(out)
  const putTwo = (value: number, before: number) => {
    out.bytes[out.at++] = before
    putDigits(out, value, 2)
  }
  return i => {
    const count = numberAt(words, i)
    // Seconds beyond 2^53 only such units reach, and only in the last of their range.
    if (!isSafe(count) && perSecond <= 1e3) {
      putAscii(out, instantText(data[i], unit))
      return
    }
    let fraction: number
    let seconds: number
    if (isSafe(count)) {
      seconds = Math.floor(count / perSecond)
      fraction = count - seconds * perSecond
      // The quotient may have been rounded up.
      if (fraction < 0) {
        seconds--
        fraction += perSecond
      }
    } else {
      fraction = remainder(words[2 * i + 1], words[2 * i], perSecond)
      // `count` may be off by 1024 here, a millionth of a second's nanoseconds.
      seconds = Math.round((count - fraction) / perSecond)
    }
    const day = Math.floor(seconds / DAY_SECONDS)
    const ofDay = seconds - day * DAY_SECONDS
    putDay(day)
    putTwo((ofDay / 3600) | 0, 84)
    putTwo(((ofDay / 60) | 0) % 60, 58)
    putTwo(ofDay % 60, 58)
    if (digits > 0) {
      out.bytes[out.at++] = POINT
      putDigits(out, fraction, digits)
    }
    out.bytes[out.at++] = 90
  }
}

/** An int64 of these words modulo `divisor`, at most 1e9, never negative: every product stays below 2^53. */
function remainder(high: number, low: number, divisor: number): number {
  const first = high % divisor
  const rest = modulo((first < 0 ? first + divisor : first) * 65_536 + (low >>> 16), divisor)
  return modulo(rest * 65_536 + (low & 0xffff), divisor)
}

/** Of a safe integer from 0 up; the operator takes ten times as long for those beyond 32 bits. */
function modulo(value: number, divisor: number): number {
  const rest = value - Math.floor(value / divisor) * divisor
  return rest < 0 ? rest + divisor : rest
}
