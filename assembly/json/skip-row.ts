// Past a bad row.

import { Fault, Flag, MOST_DEPTH, Parser, State } from './layout'
import { scanText } from './scan'

/** From the bad row at `parser.at` to where the next may begin; false where more bytes are needed to know. */
export function skipRow(parser: Parser): bool {
  parser.badFrom = parser.at
  return parser.flags & Flag.IS_ARRAY ? skipItem(parser) : skipLine(parser)
}

function skipLine(parser: Parser): bool {
  const end = parser.end
  const at = jsonLineBreak(parser.faultAt, end)
  if (at >= end && !(parser.flags & Flag.IS_END)) return false
  parser.badTo = min(at, end)
  parser.at = min(at + 1, end)
  return true
}

/** The first line break from `at` on, or `end`. */
export function jsonLineBreak(at: usize, end: usize): usize {
  while (at < end) {
    const breaks = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(10)))
    if (breaks) return min(at + usize(ctz(breaks)), end)
    at += 16
  }
  return end
}

/** To behind the comma or the bracket behind an item whose brackets are in order; all the rest where they are not. */
function skipItem(parser: Parser): bool {
  const end = parser.end
  const nesting = parser.nesting
  let at = parser.at
  let depth: u32 = 0
  let isLost = false
  if (parser.fault == Fault.BEHIND_ARRAY) {
    isLost = true
    at = parser.faultAt + 1
  }
  while (at < end && !isLost) {
    const byte = u32(load<u8>(at))
    if (byte == 0x22) {
      at = textEnd(at + 1, end)
      isLost = at < end && load<u8>(at) != 0x22
    } else if ((byte | 0x20) == 0x7b) {
      if (depth < MOST_DEPTH) {
        const word = nesting + (usize(depth >> 5) << 2)
        const bit = u32(1) << (depth & 31)
        store<u32>(word, byte == 0x7b ? load<u32>(word) | bit : load<u32>(word) & ~bit)
      }
      depth++
    } else if (depth == 0 && (byte == 0x2c || byte == 0x5d)) {
      parser.badTo = at
      parser.at = at + 1
      parser.state = byte == 0x2c ? State.BEHIND_COMMA : State.CLOSED
      return true
    } else if ((byte | 0x20) == 0x7d) {
      isLost = depth == 0
      if (!isLost) {
        depth--
        if (depth < MOST_DEPTH) {
          const isObject = (load<u32>(nesting + (usize(depth >> 5) << 2)) >> (depth & 31)) & 1
          isLost = isObject != u32(byte == 0x7d)
        }
      }
    }
    at++
  }
  // What is lost is told at once, though more may follow; but not what might still come to an end.
  if (!isLost && !(parser.flags & Flag.IS_END)) return false
  parser.badTo = min(at, end)
  parser.at = end
  parser.state = State.LOST
  return true
}

/** The closing quote, or a control character that cannot be in a string; from `end` on where neither is before it. */
function textEnd(at: usize, end: usize): usize {
  while (true) {
    at = scanText(at, end)
    if (at >= end || load<u8>(at) != 0x5c) return at
    at += 2
    if (at >= end) return end
  }
}
