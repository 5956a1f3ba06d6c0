/**
 * One sum as limbs in the slots of its groups: what the limbs may hold by now, and the change to another layout in time. What is
 * added is written by sum-int.ts and sum-float.ts; arithmetic on whole sums is ../exact.ts's.
 */
import {
  addDigitsToLimbs,
  type Digits,
  digitsOfLimbs,
  type Lane,
  type LimbLayout,
  limbsToIntegers,
  relayLimbs,
  roundLimbs,
} from '../exact.js'
import type { Kernels } from '../instance.js'
import type { Slots, SlotUser } from './slots.js'
import { type StateReader, type StateWriter, statesOf } from './state-bytes.js'

/** Half of what an int64 holds, so that the bounds may be rounded doubles. */
const MOST = 2 ** 62

export interface Limbs {
  readonly layout: LimbLayout
  readonly groupCount: number
  resize(groupCount: number): void
  /** Provides for `rows` more addends a group, each below 2^top in magnitude. False where a limb could overflow. */
  reserve(rows: number, top: number): boolean
  /** No group's highest limb is beyond this in magnitude, the rows provided for included. */
  bound(): number
  /** The least layout-independent exponent known for which every group's sum is below 2^top in magnitude. Merged sums may be beyond every addend. */
  top(): number
  /** Changes to a layout that holds all values (see `holds`); its base is at most the present one. */
  relay(next: LimbLayout): void
  /** Where the limbs are, until the slots next change. */
  lane(): Lane
  /** Of groups `groups[0..count)` (u32 pointer), or with 0 of the first `count`. */
  digits(groups: number, count: number): Digits
  /** The digits' bits must lie within the layout, and `reserve` have provided for them. */
  addDigits(digits: Digits, groupMap: number): void
  /** Writes the limbs of groups `groups[0..count)` as they are, with their layout: for lanes of this build alone. */
  writeLimbs(writer: StateWriter, groups: number, count: number): void
  /** What `writeLimbs` wrote, of so many groups, in scratch. */
  readLimbs(reader: StateReader, count: number): GivenLimbs
  /** Adds these, at most `most` to the same group. False, with nothing added, where they are of other limbs or a lower base, or there is no room. */
  addLimbs(given: GivenLimbs, groupMap: number, most: number): boolean
  round(counts: number): number
  integers(): { data: number; failed: number }
}

/** Sums side by side, as they come from another lane. */
export interface GivenLimbs {
  readonly layout: LimbLayout
  readonly lane: Lane
  readonly count: number
  /** None is beyond 2^top in magnitude. */
  readonly top: number
}

/** Whether a layout can hold sums below 2^top in magnitude. */
export const holds = ({ base, width }: LimbLayout, top: number): boolean => top <= base + width + Math.log2(MOST)

/** `user` is who stands for these limbs in `slots`; its `lanes` follow `layout.limbs`. */
export function createLimbs(k: Kernels, slots: Slots, user: SlotUser, initial: LimbLayout): Limbs {
  let layout = initial
  let groupCount = 0
  /** No group's highest limb is beyond this, nor its low one of two beyond that. */
  let bound = 0
  let lowBound = 0
  /** Whether the limbs are as `measure` left them. */
  let measured = false

  const lane = () => slots.lane(user)

  const normalise = () => {
    const { pointer, stride } = lane()
    k.exports.exactNormalise(pointer, stride, layout.width, groupCount)
    lowBound = 2 ** layout.width
  }

  const measure = () => {
    if (layout.limbs === 2) normalise()
    const { pointer, stride } = lane()
    return 2 ** k.exports.exactLimbBits(layout.limbs === 2 ? pointer + 8 : pointer, stride, groupCount)
  }

  return {
    get layout() {
      return layout
    },
    get groupCount() {
      return groupCount
    },
    resize(count) {
      groupCount = count
    },
    reserve(rows, top) {
      const { limbs, base, width } = layout
      // One more a row for what the low limb carries.
      const more = rows * (2 ** (top - base - width) + 1)
      if (bound + more > MOST) bound = measure()
      if (bound + more > MOST) return false
      bound += more
      measured = false
      if (limbs === 2) {
        if (lowBound + rows * 2 ** width > MOST) normalise()
        lowBound += rows * 2 ** width
      }
      return true
    },
    bound: () => bound,
    top() {
      bound = measure()
      return layout.base + layout.width + Math.log2(bound) + 1
    },
    relay(next) {
      const before = layout
      layout = next
      measured = false
      if (bound === 0 && lowBound === 0) {
        // Nothing has been added yet, and zeros are zeros in every layout.
        if (next.limbs !== before.limbs) slots.change(user, () => {})
        return
      }
      if (next.limbs === before.limbs) relayLimbs(k, before, lane(), next, lane(), groupCount)
      else slots.change(user, (from, to) => relayLimbs(k, before, from, next, to, groupCount))
      lowBound = 2 ** next.width
      bound = measure()
    },
    lane,
    digits(groups, count) {
      const width = 8 * layout.limbs
      const from = groups === 0 ? lane() : { pointer: statesOf(k, lane(), width, groups, count), stride: width }
      return digitsOfLimbs(k, layout, from, count)
    },
    writeLimbs(writer, groups, count) {
      if (bound > 0 && !measured) {
        bound = Math.min(bound, measure())
        measured = true
      }
      const { limbs, base, width, cap } = layout
      for (const word of [limbs, base, width, cap]) writer.u32(word)
      writer.u32(Math.ceil(Math.log2(bound + 1)))
      writer.states(k, lane(), 8 * limbs, groups, count)
    },
    readLimbs(reader, count) {
      const limbs = reader.u32() as 1 | 2
      const theirs = { limbs, base: reader.u32() | 0, width: reader.u32(), cap: reader.u32() | 0 }
      // One more for what the low limb carries.
      const top = theirs.base + theirs.width + reader.u32() + 1
      const pointer = reader.lane(k, 8 * limbs * count)
      return { layout: theirs, lane: { pointer, stride: 8 * limbs }, count, top }
    },
    addLimbs({ layout: theirs, lane: from, count, top }, groupMap, most) {
      const { limbs, base, width } = layout
      if (theirs.limbs !== limbs || theirs.base < base || theirs.base - base >= 64) return false
      const more = most * (2 ** (top - base - width) + 1)
      // Theirs are normalised: a low limb of two is below 2^width.
      const low = limbs === 2 ? most * 2 ** width : 0
      if (bound + more > MOST || lowBound + low > MOST) return false
      if (theirs.base !== base || theirs.width !== width) relayLimbs(k, theirs, from, layout, from, count)
      bound += more
      lowBound += low
      measured = false
      const { pointer, stride } = lane()
      k.exports.exactAddLimbs(pointer, stride, limbs, groupMap, from.pointer, count)
      return true
    },
    addDigits: (digits, groupMap) => addDigitsToLimbs(k, layout, lane(), digits, groupMap),
    round: counts => roundLimbs(k, layout, lane(), counts, groupCount),
    integers: () => limbsToIntegers(k, layout, lane(), groupCount),
  }
}
