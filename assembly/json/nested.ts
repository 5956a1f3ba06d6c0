// Values that nobody wants, however nested, checked as strictly as any. No recursion: of what is open there is a bit each.

import { Fault, MOST_DEPTH, Parser } from './layout'
import { quickSkip } from './quick'
import { fail, scanText, skipScalar, skipSpace, skipText } from './scan'

/** Behind any value, from its first byte. `depth` objects and arrays are open around it. */
export function skipValue(parser: Parser, at: usize, depth: u32): usize {
  return (load<u8>(at) | 0x20) == 0x7b ? skipNested(parser, at, depth) : skipScalar(parser, at)
}

/** Behind an object or an array. */
function skipNested(parser: Parser, at: usize, depth: u32): usize {
  const end = parser.end
  const outside = depth
  let isObject = false
  while (true) {
    // At the first byte of a value.
    if (at >= end) return fail(parser, Fault.CUT_OFF, at)
    const opening = load<u8>(at)
    if ((opening | 0x20) == 0x7b) {
      if (depth >= MOST_DEPTH) return fail(parser, Fault.DEPTH, at)
      isObject = opening == 0x7b
      note(parser, depth, isObject)
      depth++
      at = skipSpace(parser, at + 1)
      if (load<u8>(at) != (isObject ? 0x7d : 0x5d)) {
        if (isObject) {
          at = skipKey(parser, at)
          if (at == 0) return 0
        }
        continue
      }
      at++
      depth--
      if (depth == outside) return at
      isObject = isNoted(parser, depth - 1)
    } else {
      const behind = quickSkip(at, end)
      at = behind ? behind : skipScalar(parser, at)
      if (at == 0) return 0
    }
    // Behind a value, in what is open.
    while (true) {
      at = skipSpace(parser, at)
      if (at >= end) return fail(parser, Fault.CUT_OFF, at)
      const byte = load<u8>(at)
      at++
      if (byte == 0x2c) {
        at = skipSpace(parser, at)
        if (isObject) {
          at = skipKey(parser, at)
          if (at == 0) return 0
        }
        break
      }
      if (byte != (isObject ? 0x7d : 0x5d)) return fail(parser, isObject ? Fault.AFTER_MEMBER : Fault.AFTER_ITEM, at - 1)
      depth--
      if (depth == outside) return at
      isObject = isNoted(parser, depth - 1)
    }
  }
}

// @ts-ignore: decorator
@inline
function note(parser: Parser, depth: u32, isObject: bool): void {
  const word = parser.nesting + (usize(depth >> 5) << 2)
  const bit = u32(1) << (depth & 31)
  store<u32>(word, isObject ? load<u32>(word) | bit : load<u32>(word) & ~bit)
}

// @ts-ignore: decorator
@inline
function isNoted(parser: Parser, depth: u32): bool {
  return ((load<u32>(parser.nesting + (usize(depth >> 5) << 2)) >> (depth & 31)) & 1) != 0
}

/** From the quote that opens a key to the first byte of its value. */
// @ts-ignore: decorator
@inline
function skipKey(parser: Parser, at: usize): usize {
  if (load<u8>(at) != 0x22) return fail(parser, Fault.KEY, at)
  const close = scanText(at + 1, parser.end)
  at = close < parser.end && load<u8>(close) == 0x22 ? close + 1 : skipText(parser, at + 1)
  if (at == 0) return 0
  at = skipSpace(parser, at)
  return load<u8>(at) == 0x3a ? skipSpace(parser, at + 1) : fail(parser, Fault.COLON, at)
}
