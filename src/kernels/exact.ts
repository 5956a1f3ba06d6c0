/**
 * Exact sums of one or two limbs a group: rounding, carries, changes of layout, and the portable digits. Drawn in
 * assembly/exact.ts. Who adds to the limbs is aggregate/limbs.ts; sums of any range are wide.ts's.
 */
import type { Kernels } from './instance.js'

/** How the limbs of every group of one sum are to be read: value = (low + high * 2^width) * 2^base. */
export interface LimbLayout {
  readonly limbs: 1 | 2
  /** Exponent of the unit, -1074 to 970. */
  readonly base: number
  /** Bits from the low limb to the high one, 1 to 52; 0 for one limb. */
  readonly width: number
  /** Every addend is below 2^cap in magnitude. */
  readonly cap: number
}

/** Where a sum's limbs lie: group g's low limb at `pointer + g * stride`, its high limb 8 bytes on. */
export interface Lane {
  readonly pointer: number
  readonly stride: number
}

/** The portable form of a sum's values: digits of 32 bits on one grid for all sums. In scratch. */
export interface Digits {
  /** u32[groupCount * count], two's complement. */
  readonly pointer: number
  /** Number on the grid of the first digit of every group. */
  readonly first: number
  /** Digits a group; 0 where every value is 0. */
  readonly count: number
  readonly groupCount: number
}

/** Exponent of bit 0 of digit 0 of the grid. */
const GRID_EXPONENT = -1088

export const digitOf = (exponent: number): number => Math.floor((exponent - GRID_EXPONENT) / 32)
export const exponentOf = (digit: number): number => digit * 32 + GRID_EXPONENT

/**
 * The doubles nearest to the sums, or to the sums over `counts` (pointer to u64, or 0), rounded once; a pointer in scratch. A
 * count of 0 gives 0.
 */
export function roundLimbs(k: Kernels, layout: LimbLayout, lane: Lane, counts: number, groupCount: number): number {
  const { exports, memory } = k
  const { base, width } = layout
  const out = memory.scratch(8 * groupCount)
  if (layout.limbs === 1) exports.exactRoundOne(lane.pointer, lane.stride, base, counts, groupCount, out)
  else exports.exactRoundTwo(lane.pointer, lane.stride, base, width, counts, groupCount, out)
  return out
}

/** Sums of integers as int64, a pointer in scratch; `failed` is the first group whose total is beyond int64, or -1. */
export function limbsToIntegers(
  k: Kernels,
  { limbs, width }: LimbLayout,
  { pointer, stride }: Lane,
  groupCount: number,
): { data: number; failed: number } {
  const data = k.memory.scratch(8 * groupCount)
  return { data, failed: k.exports.exactIntegers(pointer, stride, limbs, width, groupCount, data) }
}

/** Rewrites limbs for another layout, whose base is at most this one's; in place where `to` is `from`. */
export function relayLimbs(
  k: Kernels,
  from: LimbLayout,
  fromLane: Lane,
  to: LimbLayout,
  toLane: Lane,
  groupCount: number,
): void {
  k.exports.exactRelayout(
    fromLane.pointer,
    fromLane.stride,
    from.limbs,
    from.width,
    toLane.pointer,
    toLane.stride,
    to.limbs,
    to.width,
    from.base - to.base,
    groupCount,
  )
}

/** The portable form of limbs. */
export function digitsOfLimbs(
  k: Kernels,
  { limbs, width, base }: LimbLayout,
  { pointer, stride }: Lane,
  groupCount: number,
): Digits {
  const all = k.memory.scratch(20 * groupCount)
  k.exports.exactDigits(pointer, stride, limbs, width, base, groupCount, all)
  return trimDigits(k, { pointer: all, first: digitOf(base), count: 5, groupCount })
}

/** The same values in as few digits as hold them. */
export function trimDigits(k: Kernels, digits: Digits): Digits {
  const { exports, memory } = k
  const bits = bitsOfDigits(k, digits)
  const from = bits === null ? 0 : bits.lowest >>> 5
  // Bit `highest` is the sign.
  const count = bits === null ? 0 : (bits.highest >>> 5) - from + 1
  const pointer = memory.scratch(4 * count * digits.groupCount)
  exports.exactTrim(digits.pointer, digits.count, from, count, digits.groupCount, pointer)
  return { pointer, first: digits.first + from, count, groupCount: digits.groupCount }
}

/**
 * The span of the values' bits as exponents of two: every value is a multiple of 2^low, and below 2^top in magnitude. Null where
 * all are 0.
 */
export function spanOfDigits(k: Kernels, digits: Digits): { low: number; top: number } | null {
  const bits = bitsOfDigits(k, digits)
  if (bits === null) return null
  const unit = exponentOf(digits.first)
  return { low: unit + bits.lowest, top: unit + bits.highest + 1 }
}

/** Adds digits to limbs: group g's to that of group `groupMap[g]` (u32 pointer), or with 0 to group g's. Their bits must fit. */
export function addDigitsToLimbs(
  k: Kernels,
  { limbs, width, base }: LimbLayout,
  { pointer, stride }: Lane,
  digits: Digits,
  groupMap: number,
): void {
  if (digits.count === 0) return
  const shift = exponentOf(digits.first) - base
  const { count, groupCount } = digits
  k.exports.exactAddDigits(pointer, stride, limbs, width, shift, groupMap, digits.pointer, count, groupCount)
}

function bitsOfDigits(k: Kernels, { pointer, count, groupCount }: Digits): { lowest: number; highest: number } | null {
  if (count === 0) return null
  const { exports, memory } = k
  const mark = memory.mark()
  const out = memory.scratch(8)
  const any = exports.exactSpan(pointer, count, groupCount, out)
  const [lowest, highest] = memory.u32.subarray(out >>> 2, (out >>> 2) + 2)
  memory.reset(mark)
  return any ? { lowest, highest } : null
}
