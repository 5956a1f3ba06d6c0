/**
 * Exact sums of any range of doubles, as windows of 32-bit chunks: the last resort of aggregate/sum-float.ts, where the bits of a
 * column span more than the two limbs of exact.ts hold. Drawn in assembly/wide.ts.
 */
import { type Digits, digitOf, exponentOf, trimDigits } from './exact.js'
import type { Kernels } from './instance.js'

/** Rows that may be added before carries must be propagated. */
const MOST_ADDITIONS = 2 ** 29
/** The grid of doubles ends here: bit 2^1023 and two chunks for carries and sign. That of their products is twice as wide. */
const LAST_DIGIT = digitOf(1023) + 2
/** A window that must give is widened by this much more. */
const SPARE_DIGITS = 2

/** What doubles span: multiples of 2^low with 53 bits of their own each, all below 2^top in magnitude. */
export interface DoubleSpan {
  readonly low: number
  readonly top: number
}

export interface WideSums {
  /** For `explain`: chunks a group. */
  readonly chunkCount: number
  /** The digit of the grid that chunk 0 is, and where the chunks of group 0 begin until the next `cover` or `resize`. */
  readonly first: number
  readonly chunks: number
  /** Groups beyond those there were have the sum 0. */
  resize(groupCount: number): void
  /** Makes the window hold doubles of such a span, and their sums. */
  cover(span: DoubleSpan): void
  /** Provides for so many more addends of less than 2^32 to any chunk: for who adds to the chunks himself. */
  reserve(addends: number): void
  /**
   * Adds rows `from` to `rowCount` of a float32 or float64 column to their groups (u32 pointer, 0: all to group 0), where `mask`
   * (a bitmap, or 0) allows. Returns `rowCount`, or the first row that is not finite or not within the window.
   */
  add(kind: 'float32' | 'float64', data: number, mask: number, groups: number, from: number, rowCount: number): number
  /** Adds the values of digits, which the window must hold, to groups `groupMap` (u32 pointer, or 0: in order). */
  addDigits(digits: Digits, groupMap: number): void
  /** The values of groups `groups[0..count)` (u32 pointer), or with 0 of the first `count`, in portable form. */
  digits(groups: number, count: number): Digits
  /** As `roundLimbs` of exact.ts. */
  round(counts: number): number
  free(): void
}

/** `products`: of these, not of values of a column. `add` relies on the window of the others: a NaN is beyond it. */
export function createWideSums(k: Kernels, span: DoubleSpan, products = false): WideSums {
  const { exports, memory } = k
  const leastDigit = products ? -Infinity : 0
  const mostDigit = products ? Infinity : LAST_DIGIT
  let first = 0
  let chunkCount = 0
  let chunks = 0
  let capacity = 0
  let groupCount = 0
  let additions = 0

  const carry = () => {
    exports.wideNormalise(chunks, chunkCount, groupCount)
    additions = 0
  }

  const cover = ({ low, top }: DoubleSpan) => {
    const lowDigit = digitOf(low)
    const lastDigit = Math.ceil((top - exponentOf(0)) / 32) + 1
    const last = first + chunkCount - 1
    if (chunkCount > 0 && lowDigit >= first && lastDigit <= last) return
    const from = chunkCount === 0 || lowDigit < first ? Math.max(leastDigit, lowDigit - SPARE_DIGITS) : first
    const to = chunkCount === 0 || lastDigit > last ? Math.min(mostDigit, lastDigit + SPARE_DIGITS) : last
    const count = to - from + 1
    const moved = memory.allocate(8 * count * capacity)
    if (chunkCount > 0) {
      carry()
      exports.wideMove(chunks, chunkCount, moved, count, first - from, groupCount)
    }
    memory.free(chunks)
    chunks = moved
    first = from
    chunkCount = count
  }
  cover(span)

  const reserve = (addends: number) => {
    additions += addends
    if (additions <= MOST_ADDITIONS) return
    carry()
    additions = addends
  }

  return {
    get chunkCount() {
      return chunkCount
    },
    get first() {
      return first
    },
    get chunks() {
      return chunks
    },
    cover,
    reserve,
    resize(count) {
      if (count > capacity) {
        capacity = Math.max(count, capacity * 2)
        chunks = memory.reallocate(chunks, 8 * chunkCount * capacity)
      }
      if (count > groupCount) {
        memory.u8.fill(0, chunks + 8 * chunkCount * groupCount, chunks + 8 * chunkCount * count)
        groupCount = count
      }
    },
    add(kind, data, mask, groups, from, rowCount) {
      reserve(rowCount - from)
      const add = kind === 'float64' ? exports.wideAddF64 : exports.wideAddF32
      return add(chunks, chunkCount, exponentOf(first), groups, data, mask, from, rowCount) >>> 0
    },
    addDigits(digits, groupMap) {
      if (digits.count === 0) return
      // A merge may add to one group as often as there are digits' groups.
      reserve(digits.groupCount)
      const { count, pointer } = digits
      exports.wideAddDigits(chunks, chunkCount, digits.first - first, groupMap, pointer, count, digits.groupCount)
    },
    digits(groups, count) {
      const width = 8 * chunkCount
      let from = chunks
      if (groups !== 0) {
        from = memory.scratch(width * count)
        exports.statesTake(chunks, width, width, groups, count, from)
      }
      const pointer = memory.scratch(4 * chunkCount * count)
      exports.wideDigits(from, chunkCount, count, pointer)
      return trimDigits(k, { pointer, first, count: chunkCount, groupCount: count })
    },
    round(counts) {
      const out = memory.scratch(8 * groupCount)
      exports.wideRound(chunks, chunkCount, exponentOf(first), counts, groupCount, out)
      return out
    },
    free() {
      memory.free(chunks)
      chunks = 0
    },
  }
}
