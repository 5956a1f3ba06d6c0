/**
 * Exact sums of doubles and floats, in the cheapest form that holds the bits seen: one limb, two limbs, or wide chunks, with
 * exact promotion from one to the next when a later batch demands it, so that when it happens shows in no result. NaN and
 * infinities are counted apart, three counts a group. Sums of integers are sum-int.ts's.
 */
import type { DataType } from '../../columnar/type.js'
import type { LimbLayout } from '../exact.js'
import { type Digits, digitsOfLimbs, spanOfDigits } from '../exact.js'
import type { Kernels } from '../instance.js'
import { createWideSums, type DoubleSpan, type WideSums } from '../wide.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { createLimbs, type GivenLimbs, holds } from './limbs.js'
import type { Slots, SlotUser } from './slots.js'
import { isZero, readDigits, type StateWriter, statesOf, writeDigits } from './state-bytes.js'
import type { Sum } from './sum.js'

/** Bits of one limb that addends may span, and of two: the rest is for as many of them as a group gets before it is measured. */
const ONE_LIMB_BITS = 40
const TWO_LIMB_BITS = 86
/** Two limbs get half of the bits each, and so as much room for rows; but fewer bits than these are worth no more room. */
const LEAST_WIDTH = 36
/** Room for bits below and above what the first batch showed: later batches then seldom change the layout. */
const SPARE_BITS = 12
const SPARE_BITS_ABOVE = 2
/** The unit of the high limb and its rounding constant, 1.5 * 2^(52 + unit), must be finite. */
const MOST_UNIT = 970
const LEAST_EXPONENT = -1074

const SPECIAL_BYTES = 24

interface Rows {
  readonly data: number
  readonly groups: number
  readonly rowCount: number
}

/** What a scan of a batch's rows shows; `low`, `least` and `top` are exponents, null where all finite values are zero. */
interface Scan {
  readonly bits: { readonly low: number; readonly least: number; readonly top: number } | null
  readonly specialCount: number
  /** Bitmap in scratch of the rows that count and are finite. */
  readonly finite: number
}

export function createFloatSum(k: Kernels, slots: Slots, type: DataType): Sum {
  const { exports, memory } = k
  const kind = type.kind === 'float32' ? 'float32' : 'float64'
  const elementBytes = kind === 'float64' ? 8 : 4
  const addOne = kind === 'float64' ? exports.sumFloatOneF64 : exports.sumFloatOneF32
  const addTwo = kind === 'float64' ? exports.sumFloatTwoF64 : exports.sumFloatTwoF32
  const spanOf = kind === 'float64' ? exports.sumFloatSpanF64 : exports.sumFloatSpanF32
  const countSpecials = kind === 'float64' ? exports.sumFloatSpecialsF64 : exports.sumFloatSpecialsF32
  let rows: Rows = { data: 0, groups: 0, rowCount: 0 }
  let mask = 0
  /** Whether this batch's NaN and infinities have been counted and masked. */
  let scanned = false
  let hasLayout = false
  let magic = 0
  let highMagic = 0
  let cap = 0
  let wide: WideSums | null = null
  /** The first row of this batch that is wide's to add. */
  let wideFrom = 0
  let specials: GroupArray | null = null
  let groupCount = 0

  const user: SlotUser = {
    get lanes() {
      return wide === null ? limbs.layout.limbs : 0
    },
    bound: Infinity,
    stored: () => null,
    rows: {
      add(to, stride, replica, groups, from, count, room) {
        if (!hasLayout) return 0
        const data = rows.data + elementBytes * from
        const bits = mask === 0 ? 0 : mask + from / 8
        return limbs.layout.limbs === 1
          ? addOne(to, stride, replica, groups, data, bits, count, magic, cap, room) >>> 0
          : addTwo(to, replica, groups, data, bits, count, magic, highMagic, cap, room) >>> 0
      },
    },
    promote(from) {
      const { bits } = scan()
      if (bits === null) return hasLayout ? undefined : setLayout(chooseLayout(0, 1) as LimbLayout)
      const { base, cap: top } = limbs.layout
      if (hasLayout && bits.low >= base && bits.top <= top) return undefined
      const next = hasLayout
        ? layoutFor(Math.min(base, bits.low), Math.max(top, bits.top))
        : chooseLayout(bits.low, bits.top)
      if (next === null) {
        toWide({ low: bits.least, top: bits.top })
        wideFrom = from
      } else {
        setLayout(next)
      }
      return undefined
    },
  }
  const limbs = createLimbs(k, slots, user, { limbs: 1, base: 0, width: 0, cap: 0 })
  slots.add(user)

  /** Looks at every row of the batch; counts what cannot be added, and masks it from then on. */
  const scan = (): Scan => {
    const { data, groups, rowCount } = rows
    const finite = memory.scratch(Math.ceil(rowCount / 128) * 16)
    const out = memory.scratch(16)
    spanOf(data, mask, rowCount, finite, out)
    const [low, least, top, specialCount] = memory.i32.subarray(out >>> 2, (out >>> 2) + 4)
    if (specialCount > 0 && !scanned) {
      specials ??= createGroupArray(k, SPECIAL_BYTES)
      specials.resize(groupCount)
      countSpecials(specials.pointer, groups, data, mask, rowCount)
      mask = finite
      scanned = true
    }
    return { bits: least > top ? null : { low, least, top }, specialCount, finite }
  }

  /** Adopts a layout, and provides for this batch in it, or for a wider one where there is not enough room. */
  const setLayout = (next: LimbLayout) => {
    limbs.relay(next)
    hasLayout = true
    ;[magic, highMagic, cap] = roundingOf(next)
    provide(rows.rowCount, next.cap)
  }

  /** Makes certain that so many more addends below 2^top fit; false once sums are wide. */
  const provide = (count: number, top: number): boolean => {
    while (wide === null && !limbs.reserve(count, top)) {
      const { limbs: size, base, cap: most } = limbs.layout
      if (size === 1) setLayout(twoLimbs(base, most))
      else toWide({ low: base, top: most })
    }
    return wide === null
  }

  const toWide = (span: DoubleSpan) => {
    const mark = memory.mark()
    const digits = hasLayout ? limbs.digits(0, groupCount) : null
    const sums = digits === null ? null : spanOfDigits(k, digits)
    const made = createWideSums(k, {
      low: Math.min(span.low, sums?.low ?? span.low),
      top: Math.max(span.top, sums?.top ?? span.top),
    })
    try {
      made.resize(groupCount)
    } catch (error) {
      made.free()
      throw error
    }
    if (digits !== null) made.addDigits(digits, 0)
    memory.reset(mark)
    wide = made
    slots.change(user, () => {})
  }

  const rounded = (counts: number): number => {
    const out = wide === null ? limbs.round(counts) : wide.round(counts)
    if (specials !== null) exports.sumFloatApplySpecials(specials.pointer, groupCount, out)
    return out
  }

  return {
    get kernel() {
      if (wide !== null) return `${kind} wide ${wide.chunkCount}`
      return `${kind} fixed ${64 * limbs.layout.limbs}`
    },
    resize(count) {
      groupCount = count
      limbs.resize(count)
      wide?.resize(count)
      specials?.resize(count)
    },
    begin(vector, validity, groups, rowCount) {
      rows = { data: vector.data, groups, rowCount }
      mask = validity
      scanned = false
      wideFrom = 0
      if (hasLayout) provide(rowCount, limbs.layout.cap)
    },
    finish() {
      if (wide === null) return
      const { data, groups, rowCount } = rows
      while (wideFrom < rowCount) {
        wideFrom = wide.add(kind, data, mask, groups, wideFrom, rowCount)
        if (wideFrom === rowCount) return
        const { bits } = scan()
        if (bits !== null) wide.cover({ low: bits.least, top: bits.top })
      }
    },
    sums: () => rounded(0),
    means: rounded,
    write(writer, groups, count) {
      const asLimbs = writer.forLane && wide === null && hasLayout
      if (writer.forLane) writer.u32(asLimbs ? 1 : 0)
      if (asLimbs) {
        limbs.writeLimbs(writer, groups, count)
        writeSpecials(writer, groups, count)
        return
      }
      writeDigits(k, writer, wide === null ? limbs.digits(groups, count) : wide.digits(groups, count))
      writeSpecials(writer, groups, count)
    },
    merge(reader, groupMap, count, most) {
      const mark = memory.mark()
      const given = reader.forLane && reader.u32() === 1 ? limbs.readLimbs(reader, count) : null
      rows = { data: 0, groups: 0, rowCount: 0 }
      const digits = given === null ? readDigits(k, reader, count) : mergeLimbs(given, groupMap, most)
      const span = digits && spanOfDigits(k, digits)
      if (digits !== null && span !== null) {
        if (wide === null) makeRoom(span, most)
        if (wide === null) limbs.addDigits(digits, groupMap)
        else {
          const sums: WideSums = wide
          sums.cover(span)
          sums.addDigits(digits, groupMap)
        }
      }
      if (reader.u32() === 1) {
        specials ??= createGroupArray(k, SPECIAL_BYTES)
        specials.resize(groupCount)
        const counts = reader.lane(k, SPECIAL_BYTES * count)
        if (reader.negate) exports.exactNegateCounts(counts, (SPECIAL_BYTES / 8) * count)
        exports.sumFloatMergeSpecials(specials.pointer, groupMap, counts, count)
      }
      memory.reset(mark)
    },
    free() {
      wide?.free()
      specials?.free()
    },
  }

  function writeSpecials(writer: StateWriter, groups: number, count: number): void {
    const mark = memory.mark()
    const from = { pointer: specials?.pointer ?? 0, stride: SPECIAL_BYTES }
    const counts = specials === null ? 0 : statesOf(k, from, SPECIAL_BYTES, groups, count)
    // Those that have all been taken back were never there.
    const any = counts !== 0 && !isZero(k, counts, SPECIAL_BYTES * count)
    writer.u32(any ? 1 : 0)
    if (any) writer.lane(k, counts, SPECIAL_BYTES * count)
    memory.reset(mark)
  }

  /** Adds these in a layout that has both bases where there is one. Wide sums, or none yet, have no room for limbs: then they come back as digits. */
  function mergeLimbs(given: GivenLimbs, groupMap: number, most: number): Digits | null {
    const { layout: theirs, lane, count } = given
    if (wide === null && hasLayout) {
      const { base, cap: top } = limbs.layout
      const next = theirs.base < base ? layoutFor(theirs.base, Math.max(top, theirs.cap)) : null
      if (next !== null) setLayout(next)
      if (wide === null && limbs.addLimbs(given, groupMap, most)) return null
    }
    return digitsOfLimbs(k, theirs, lane, count)
  }

  /** As `chooseLayout`, of layouts that hold what has been summed so far: many addends, or a merged sum, may be beyond the greatest addend. */
  function layoutFor(low: number, top: number): LimbLayout | null {
    const next = chooseLayout(low, top)
    if (next === null) return null
    const summed = limbs.top()
    if (holds(next, summed)) return next
    const two = twoLimbs(next.base, next.cap)
    return holds(two, summed) ? two : null
  }

  /** Makes the limbs hold `more` addends a group of such a span, or the sums wide. */
  function makeRoom(span: DoubleSpan, more: number): void {
    const { base, cap: most } = limbs.layout
    if (!hasLayout || span.low < base) {
      const low = hasLayout ? Math.min(base, span.low) : span.low
      const next = hasLayout ? layoutFor(low, Math.max(most, span.top)) : chooseLayout(low, span.top)
      if (next === null) toWide(span)
      else setLayout(next)
    }
    provide(more, Math.max(span.top, limbs.layout.base))
  }
}

/** The cheapest limbs for multiples of 2^low below 2^top, `fewest` or more, or null where two do not suffice. */
export function chooseLayout(low: number, top: number, fewest = 1): LimbLayout | null {
  const bits = top - low
  if (fewest === 1 && bits <= ONE_LIMB_BITS && top <= MOST_UNIT) {
    const room = spread(low, top, Math.min(SPARE_BITS, ONE_LIMB_BITS - bits))
    return { limbs: 1, base: room.low, width: 0, cap: room.top }
  }
  if (bits > TWO_LIMB_BITS || top > MOST_UNIT) return null
  const room = spread(low, top, Math.max(0, Math.min(SPARE_BITS, 2 * LEAST_WIDTH + SPARE_BITS + 2 - bits)))
  return twoLimbs(room.low, room.top)
}

/** What kernels round addends with, to the unit of the low limb and that of the high one, and what these must be below. */
export const roundingOf = ({ base, width, cap }: LimbLayout): [number, number, number] => [
  1.5 * 2 ** (52 + base),
  1.5 * 2 ** Math.min(1022, 52 + base + width),
  2 ** cap,
]

function twoLimbs(base: number, cap: number): LimbLayout {
  const width = Math.max(LEAST_WIDTH, Math.ceil((cap - base) / 2))
  return { limbs: 2, base, width, cap }
}

/** `spare` bits more, a few of them above. */
function spread(low: number, top: number, spare: number): { low: number; top: number } {
  const above = Math.min(SPARE_BITS_ABOVE, spare >> 1)
  return { low: Math.max(LEAST_EXPONENT, low - (spare - above)), top: top + above }
}
