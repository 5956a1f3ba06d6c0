// White space, strings, numbers and words, checked strictly. What is inside of what is nested.ts's.

import { Fault, Flag, Parser, Status } from './layout'

/** Notes what is wrong and where, unless bytes are just lacking; there is nothing to go on with. */
export function fail(parser: Parser, fault: Fault, at: usize): usize {
  parser.status = Status.BAD
  parser.fault = fault
  parser.faultAt = at
  parser.faultColumn = 0
  return 0
}

/** White space of all kinds; a line break ends a record where each has a line. */
// @ts-ignore: decorator
@inline
export function isSpace(parser: Parser, byte: u32): bool {
  return byte == 32 || byte == 13 || byte == 9 || (byte == 10 && (parser.flags & Flag.IS_ARRAY) != 0)
}

/** The first byte from `at` on that is no white space. */
// @ts-ignore: decorator
@inline
export function skipSpace(parser: Parser, at: usize): usize {
  return load<u8>(at) > 32 ? at : skipSpaces(parser, at)
}

function skipSpaces(parser: Parser, at: usize): usize {
  const end = parser.end
  while (at < end && isSpace(parser, load<u8>(at))) at++
  return at
}

/** A bit for each of 16 bytes that is a quote, a backslash or a control character. */
// @ts-ignore: decorator
@inline
function stopsAt(at: usize): i32 {
  const text = v128.load(at)
  // With bit 1 turned over the quote is next to the control characters, and the space is not.
  const turned = v128.xor(text, i8x16.splat(2))
  const isLow = i8x16.eq(i8x16.min_u(turned, i8x16.splat(0x20)), turned)
  return i8x16.bitmask(v128.or(isLow, i8x16.eq(text, i8x16.splat(0x5c))))
}

/** The first quote, backslash or control character from `at` on; a place from `end` on where there is none before it. */
// @ts-ignore: decorator
@inline
export function scanText(at: usize, end: usize): usize {
  let stops = stopsAt(at)
  while (stops == 0) {
    at += 16
    if (at >= end) return at
    stops = stopsAt(at)
  }
  return at + usize(ctz(stops))
}

/** The first byte from `at` on that is no digit; a place from `end` on where there is none before it. */
// @ts-ignore: decorator
@inline
export function scanDigits(at: usize, end: usize): usize {
  while (true) {
    const digits = load<u64>(at) ^ 0x3030303030303030
    const others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080
    if (others) return at + usize(ctz(others) >> 3)
    at += 8
    if (at >= end) return at
  }
}

/** From behind the opening quote to behind the closing one. */
export function skipText(parser: Parser, at: usize): usize {
  const end = parser.end
  while (true) {
    at = scanText(at, end)
    if (at >= end) return fail(parser, Fault.CUT_OFF, at)
    const byte = load<u8>(at)
    if (byte == 0x22) return at + 1
    if (byte != 0x5c) return fail(parser, Fault.CONTROL, at)
    at = skipEscape(parser, at)
    if (at == 0) return 0
  }
}

/** From a backslash to behind what it begins; two escapes that are one character are taken as one. */
function skipEscape(parser: Parser, at: usize): usize {
  const kind = load<u8>(at, 1)
  if (kind != 0x75) {
    // " / \ b f n r t
    const isKnown = kind == 0x22 || kind == 0x2f || kind == 0x5c || kind == 0x62 || kind == 0x66 || kind == 0x6e || kind == 0x72 || kind == 0x74
    return isKnown ? at + 2 : fail(parser, Fault.ESCAPE, at + 1)
  }
  const unit = hexUnit(parser, at)
  if (unit < 0) return 0
  if ((unit & 0xf800) != 0xd800) return at + 6
  // A high half may be followed by a low one.
  if (unit < 0xdc00 && load<u16>(at, 6) == 0x755c) {
    const low = hexUnit(parser, at + 6)
    if (low < 0) return 0
    if ((low & 0xfc00) == 0xdc00) return at + 12
  }
  if (parser.halfAt == 0) parser.halfAt = at
  return at + 6
}

/** What \uXXXX at `at` says, or -1 where its digits are none. */
function hexUnit(parser: Parser, at: usize): i32 {
  let unit: i32 = 0
  for (let i: usize = 2; i < 6; i++) {
    const digit = hexDigit(load<u8>(at + i))
    if (digit < 0) {
      fail(parser, Fault.ESCAPE, at + i)
      return -1
    }
    unit = (unit << 4) | digit
  }
  return unit
}

// @ts-ignore: decorator
@inline
export function hexDigit(byte: u32): i32 {
  if (byte - 0x30 < 10) return byte - 0x30
  const letter = (byte | 0x20) - 0x61
  return letter < 6 ? i32(letter + 10) : -1
}

/** From the first byte of a number, a digit or a minus, to behind it. */
export function skipNumber(parser: Parser, at: usize): usize {
  const end = parser.end
  if (load<u8>(at) == 0x2d) at++
  const first = load<u8>(at)
  if (u32(first) - 0x30 >= 10) return fail(parser, Fault.NUMBER, at)
  const digits = at
  at = scanDigits(at, end)
  if (first == 0x30 && at > digits + 1) return fail(parser, Fault.NUMBER, digits + 1)
  if (load<u8>(at) == 0x2e) {
    const from = at + 1
    at = scanDigits(from, end)
    if (at == from) return fail(parser, Fault.NUMBER, at)
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    const sign = load<u8>(at, 1)
    const from = at + (sign == 0x2b || sign == 0x2d ? 2 : 1)
    at = scanDigits(from, end)
    if (at == from) return fail(parser, Fault.NUMBER, at)
  }
  return at
}

/** Behind true, false or null, four bytes of which are `word` from `at` on. */
// @ts-ignore: decorator
@inline
function skipWord(parser: Parser, at: usize, word: u32): usize {
  const other = load<u32>(at) ^ word
  return other ? fail(parser, Fault.VALUE, at + usize(ctz(other) >> 3)) : at + 4
}

/** Behind a value that is no object and no array, from its first byte. */
export function skipScalar(parser: Parser, at: usize): usize {
  const byte = load<u8>(at)
  if (byte == 0x22) return skipText(parser, at + 1)
  if (byte == 0x74) return skipWord(parser, at, 0x65757274)
  if (byte == 0x66) return skipWord(parser, at + 1, 0x65736c61)
  if (byte == 0x6e) return skipWord(parser, at, 0x6c6c756e)
  if (byte == 0x2d || u32(byte) - 0x30 < 10) return skipNumber(parser, at)
  return fail(parser, Fault.VALUE, at)
}
