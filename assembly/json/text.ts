// Strings: where they are in the text as they are, or in the pool where they have escapes or ill-formed bytes. Scanning is scan.ts's.

import { firstIllFormed } from '../parse/utf8'
import { Flag, Parser, Status } from './layout'
import { hexDigit, scanText, skipText } from './scan'

/** Bytes are checked some at a time, shortly before they are parsed. */
// @ts-ignore: decorator
@inline
const CHECKED_AT_ONCE: usize = 16384

/** Whether [from, to) is UTF-8; what is before `from` has been dealt with, and is not asked for again. */
export function isWellFormed(parser: Parser, from: usize, to: usize): bool {
  while (to > parser.textLimit) {
    const at = parser.textLimit
    const length = min(parser.end - at, CHECKED_AT_ONCE)
    const offset = usize(firstIllFormed(at, u32(length)))
    if (offset) {
      // A sequence that is cut by the end of what was looked at is looked at again.
      parser.textLimit = at + offset
    } else if (at >= from) {
      return false
    } else {
      parser.textLimit = from
    }
  }
  return true
}

/** From behind the opening quote to behind the closing one; the string is at `textAt`, `textLength` bytes in UTF-8. */
export function readText(parser: Parser, at: usize): usize {
  const to = scanText(at, parser.end)
  if (to < parser.end && load<u8>(to) == 0x22 && (to <= parser.textLimit || parser.flags & Flag.IS_FATAL || isWellFormed(parser, at, to))) {
    parser.textAt = at
    parser.textLength = u32(to - at)
    return to + 1
  }
  return readUnlike(parser, at)
}

/** The same of a string that is not in the text as it is. */
function readUnlike(parser: Parser, at: usize): usize {
  const behind = skipText(parser, at)
  if (behind == 0 || behind > parser.end) return behind
  return takeText(parser, at, behind - 1, true) ? behind : 0
}

/**
 * Copies [from, to) to the pool, with U+FFFD for what is ill-formed, and with `isEscaped` for the characters that valid escapes stand for. False
 * where the pool has no room.
 */
export function takeText(parser: Parser, from: usize, to: usize, isEscaped: bool): bool {
  const isGood = (parser.flags & Flag.IS_FATAL) != 0 || isWellFormed(parser, from, to)
  // No escape is shorter than what it stands for, but a wrong byte is.
  // A byte before the string says whether it was repaired.
  const most = to - from > 0x40000000 ? u32.MAX_VALUE : u32(to - from) * (isGood ? 1 : 3) + 1
  if (parser.poolEnd - parser.poolUsed < most) {
    parser.needBytes = most
    parser.status = Status.POOL_FULL
    return false
  }
  const start = parser.pool + usize(parser.poolUsed) + 1
  let isRepaired = !isGood && firstIllFormed(from, u32(to - from)) < u32(to - from)
  let out = start
  while (from < to) {
    const plain = isEscaped ? min(scanText(from, to), to) : to
    out = isGood ? copied(from, plain, out) : repaired(from, plain, out)
    from = plain
    if (from < to) {
      const kind = load<u8>(from, 1)
      if (kind == 0x75) {
        let unit = unitAt(from)
        from += 6
        if ((unit & 0xf800) == 0xd800) {
          const low = unit < 0xdc00 && from < to && load<u16>(from) == 0x755c ? unitAt(from) : 0
          if ((low & 0xfc00) == 0xdc00) {
            unit = (((unit & 0x3ff) << 10) | (low & 0x3ff)) + 0x10000
            from += 6
          } else {
            unit = 0xfffd
            isRepaired = true
          }
        }
        out = putCodePoint(out, unit)
      } else {
        store<u8>(out, unescaped(kind))
        out++
        from += 2
      }
    }
  }
  parser.textAt = start
  parser.textLength = u32(out - start)
  store<u8>(start - 1, u8(isRepaired))
  if (isRepaired) parser.hasRepairs = 1
  parser.poolUsed += u32(out - start) + 1
  return true
}

/** Up to 15 bytes more are written. */
function copied(from: usize, to: usize, out: usize): usize {
  const end = out + (to - from)
  while (out < end) {
    v128.store(out, v128.load(from))
    from += 16
    out += 16
  }
  return end
}

/** Copies with U+FFFD for each ill-formed sequence: as much of it as could be the beginning of a character, at least a byte. */
function repaired(from: usize, to: usize, out: usize): usize {
  while (from < to) {
    const good = usize(firstIllFormed(from, u32(to - from)))
    out = copied(from, from + good, out)
    from += good
    if (from < to) {
      out = putCodePoint(out, 0xfffd)
      from += subpart(from, to)
    }
  }
  return out
}

/** Bytes of the ill-formed sequence at `at` that one U+FFFD stands for. */
function subpart(at: usize, to: usize): usize {
  const first = u32(load<u8>(at))
  // What cannot begin a character, and second bytes that cannot follow (overlong forms, surrogates, above U+10FFFF).
  if (first < 0xc2 || first > 0xf4) return 1
  const size: usize = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  const least: u32 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80
  const most: u32 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf
  if (at + 1 >= to || u32(load<u8>(at, 1)) < least || u32(load<u8>(at, 1)) > most) return 1
  let length: usize = 2
  while (length < size && at + length < to && (load<u8>(at + length) & 0xc0) == 0x80) length++
  return length
}

/** What valid \uXXXX at `at` says. */
function unitAt(at: usize): u32 {
  let unit: u32 = 0
  for (let i: usize = 2; i < 6; i++) unit = (unit << 4) | u32(hexDigit(load<u8>(at + i)))
  return unit
}

function unescaped(kind: u32): u8 {
  if (kind == 0x62) return 8
  if (kind == 0x66) return 12
  if (kind == 0x6e) return 10
  if (kind == 0x72) return 13
  if (kind == 0x74) return 9
  return u8(kind)
}

function putCodePoint(out: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(out, point)
    return out + 1
  }
  if (point < 0x800) {
    store<u8>(out, 0xc0 | (point >> 6))
    store<u8>(out, 0x80 | (point & 0x3f), 1)
    return out + 2
  }
  if (point < 0x10000) {
    store<u8>(out, 0xe0 | (point >> 12))
    store<u8>(out, 0x80 | ((point >> 6) & 0x3f), 1)
    store<u8>(out, 0x80 | (point & 0x3f), 2)
    return out + 3
  }
  store<u8>(out, 0xf0 | (point >> 18))
  store<u8>(out, 0x80 | ((point >> 12) & 0x3f), 1)
  store<u8>(out, 0x80 | ((point >> 6) & 0x3f), 2)
  store<u8>(out, 0x80 | (point & 0x3f), 3)
  return out + 4
}
