// Strings that are made of others: written behind a dictionary's last entry, and kept there where they are new. A kernel that finds no room says of
// which item, and `stringsBuiltBytes` how many bytes that item's string has.

import { isValid } from '../inline'
import { findSlot, hashBytes, NO_ROOM, StringTable } from '../text'
import { endOf, Input, inputAt, startOf } from './items'
import { codePoints, find, forward, isLeading } from './scan'

// What is built; the numbers are those of src/kernels/strings.ts.
// @ts-ignore: decorator
@inline
const LOWER: u32 = 0
// @ts-ignore: decorator
@inline
const UPPER: u32 = 1
// @ts-ignore: decorator
@inline
const CONCAT: u32 = 2
// @ts-ignore: decorator
@inline
const REPLACE: u32 = 3
// @ts-ignore: decorator
@inline
const REPLACE_FIRST: u32 = 4
// @ts-ignore: decorator
@inline
const PAD_START: u32 = 5
// @ts-ignore: decorator
@inline
const PAD_END: u32 = 6
// @ts-ignore: decorator
@inline
const REPEAT: u32 = 7
// @ts-ignore: decorator
@inline
const REVERSE: u32 = 8

/** Instead of a code: letters beyond ASCII, whose case is no kernel's business. */
// @ts-ignore: decorator
@inline
const NOT_ASCII: u32 = u32.MAX_VALUE

/**
 * Writes a code per item; a null one gets 0. `inputCount` inputs: of lower, upper, repeat and reverse the string alone, of concat all, of replace what is
 * replaced and by what, of the pads what fills. `number` is how long a padded string is in code points, and how often one is repeated.
 */
export function stringsBuild(
  what: u32, number: u32, table: usize, inputs: usize, inputCount: u32, validity: usize, from: u32, count: u32, codes: usize,
): u32 {
  const dictionary = changetype<StringTable>(table)
  for (let item = from; item < count; item++) {
    let code: u32 = 0
    if (isValid(validity, item)) {
      const bytes = builtBytes(what, number, inputs, inputCount, item)
      if (bytes == u64.MAX_VALUE) code = NOT_ASCII
      else {
        const end = load<u32>(dictionary.offsets + (usize(dictionary.count) << 2))
        if (bytes > u64(dictionary.byteCapacity - end)) return item
        build(what, number, inputs, inputCount, item, dictionary.bytes + usize(end))
        code = internBuilt(dictionary, end, u32(bytes))
        if (code == NO_ROOM) return item
      }
    }
    store<u32>(codes + (usize(item) << 2), code)
  }
  return count
}

/** Bytes of an item's string, which may be more than a memory has. */
export function stringsBuiltBytes(what: u32, number: u32, inputs: usize, inputCount: u32, item: u32): f64 {
  return f64(builtBytes(what, number, inputs, inputCount, item))
}

/** The code of the `length` bytes behind the last entry, which become an entry where they are new. */
function internBuilt(table: StringTable, end: u32, length: u32): u32 {
  const at = table.bytes + usize(end)
  const hash = hashBytes(at, length, table.seed)
  const slot = findSlot(table, at, length, hash)
  const code = load<u32>(slot) - 1
  if (code != u32.MAX_VALUE) return code
  const count = table.count
  if (count == table.capacity || (count << 1) >= table.slotMask) return NO_ROOM
  store<u32>(table.offsets + (usize(count) << 2), end + length, 4)
  store<u64>(slot, (u64(hash) << 32) | u64(count + 1))
  table.count = count + 1
  return count
}

function builtBytes(what: u32, number: u32, inputs: usize, inputCount: u32, item: u32): u64 {
  const input = inputAt(inputs, 0)
  const at = startOf(input, item)
  const end = endOf(input, item)
  const own = u64(end - at)
  switch (what) {
    case LOWER:
    case UPPER:
      return isAscii(at, end) ? own : u64.MAX_VALUE
    case CONCAT: {
      let bytes = own
      for (let i: u32 = 1; i < inputCount; i++) bytes += u64(endOf(inputAt(inputs, i), item) - startOf(inputAt(inputs, i), item))
      return bytes
    }
    case REPLACE:
    case REPLACE_FIRST: {
      const part = inputAt(inputs, 1)
      const by = inputAt(inputs, 2)
      const needle = startOf(part, item)
      const length = endOf(part, item) - needle
      const places = u64(occurrences(at, end, needle, length, what == REPLACE))
      return own + places * u64(endOf(by, item) - startOf(by, item)) - places * u64(length)
    }
    case PAD_START:
    case PAD_END: {
      const fill = inputAt(inputs, 1)
      const fillAt = startOf(fill, item)
      const fillEnd = endOf(fill, item)
      const missing = missingPoints(number, at, end, fillAt, fillEnd)
      if (missing == 0) return own
      const points = codePoints(fillAt, fillEnd)
      return own + u64(missing / points) * u64(fillEnd - fillAt) + u64(forward(fillAt, fillEnd, missing % points) - fillAt)
    }
    case REPEAT:
      return own * u64(number)
    default:
      return own
  }
}

function build(what: u32, number: u32, inputs: usize, inputCount: u32, item: u32, to: usize): void {
  const input = inputAt(inputs, 0)
  const at = startOf(input, item)
  const end = endOf(input, item)
  switch (what) {
    case LOWER:
      return changeCase(at, end, to, 65)
    case UPPER:
      return changeCase(at, end, to, 97)
    case CONCAT:
      for (let i: u32 = 0; i < inputCount; i++) to = append(to, startOf(inputAt(inputs, i), item), endOf(inputAt(inputs, i), item))
      return
    case REPLACE:
    case REPLACE_FIRST:
      return replace(at, end, inputAt(inputs, 1), inputAt(inputs, 2), item, what == REPLACE, to)
    case PAD_START:
    case PAD_END: {
      const fill = inputAt(inputs, 1)
      const fillAt = startOf(fill, item)
      const fillEnd = endOf(fill, item)
      let missing = missingPoints(number, at, end, fillAt, fillEnd)
      if (what == PAD_END) to = append(to, at, end)
      if (missing != 0) {
        const points = codePoints(fillAt, fillEnd)
        for (; missing >= points; missing -= points) to = append(to, fillAt, fillEnd)
        to = append(to, fillAt, forward(fillAt, fillEnd, missing))
      }
      if (what == PAD_START) append(to, at, end)
      return
    }
    case REPEAT:
      for (let i: u32 = 0; i < number; i++) to = append(to, at, end)
      return
    case REVERSE: {
      let from = end
      while (from > at) {
        const last = from
        from--
        while (from > at && !isLeading(load<u8>(from))) from--
        to = append(to, from, last)
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function append(to: usize, at: usize, end: usize): usize {
  memory.copy(to, at, end - at)
  return to + (end - at)
}

function isAscii(at: usize, end: usize): bool {
  while (at + 16 <= end) {
    if (i8x16.bitmask(v128.load(at)) != 0) return false
    at += 16
  }
  const rest = u32(end - at)
  return (i8x16.bitmask(v128.load(at)) & ((1 << rest) - 1)) == 0
}

/** ASCII letters from `first` on get bit 5 turned. */
function changeCase(at: usize, end: usize, to: usize, first: u8): void {
  const low = i8x16.splat(first)
  const letters = i8x16.splat(26)
  while (at + 16 <= end) {
    const text = v128.load(at)
    const isLetter = i8x16.lt_u(i8x16.sub(text, low), letters)
    v128.store(to, v128.xor(text, v128.and(isLetter, i8x16.splat(32))))
    at += 16
    to += 16
  }
  while (at < end) {
    const byte = load<u8>(at)
    store<u8>(to, byte ^ (u8(u8(byte - first) < 26) << 5))
    at++
    to++
  }
}

/** Nothing is nowhere: an empty needle has no occurrence. */
function occurrences(at: usize, end: usize, needle: usize, length: usize, all: bool): u32 {
  if (length == 0) return 0
  let count: u32 = 0
  while (true) {
    const place = find(at, end, needle, length)
    if (place == 0) return count
    count++
    if (!all) return count
    at = place + length
  }
}

function replace(at: usize, end: usize, part: Input, by: Input, item: u32, all: bool, to: usize): void {
  const needle = startOf(part, item)
  const length = endOf(part, item) - needle
  while (length != 0) {
    const place = find(at, end, needle, length)
    if (place == 0) break
    to = append(to, at, place)
    to = append(to, startOf(by, item), endOf(by, item))
    at = place + length
    if (!all) break
  }
  append(to, at, end)
}

/** Code points that a string has too few; none where there is nothing to fill it with. */
function missingPoints(wanted: u32, at: usize, end: usize, fillAt: usize, fillEnd: usize): u32 {
  const points = codePoints(at, end)
  return fillAt == fillEnd || points >= wanted ? 0 : wanted - points
}
