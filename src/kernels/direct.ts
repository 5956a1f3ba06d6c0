/**
 * Group index by direct indexing: where the keys' domains are known and small, the values themselves say the index of their group, and
 * nothing is looked up. How a slot is computed is drawn in assembly/direct.ts; hash.ts serves all other keys.
 */
import type { DataType } from '../columnar/type.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import { keyBits, unpackerOf } from './key-words.js'
import type { LaneVector } from './lane-vector.js'
import { rangeOf } from './stats.js'
import type { LaneDictionary } from './text.js'

/** The most slots, if no fewer are wanted: states of 16 bytes for them all are what a core's caches hold. */
const MOST_SLOTS = 2 ** 18
/** Fewer rows than that are worth few slots: each costs the making and the reading of its state, rows or none. */
const SLOTS_PER_ROW = 4
const LEAST_SLOTS = 1024
/** A width no domain of an acceptable layout has; keeps differences of far apart bounds exact. */
const TOO_WIDE = 2 ** 30

export interface DirectIndex {
  /** Groups so far. */
  readonly length: number
  /** Every index is below. */
  readonly slotCount: number
  /** Of each key; null before the first row. */
  readonly domains: readonly (Domain | null)[]
  /** What the values of each key have spanned so far, those that were refused among them; null where there was none. */
  readonly spans: readonly (Bounds | null)[]
  /** u32 pointer: the slots of the groups in order of first appearance; kept, and only appended to. */
  readonly order: number
  /**
   * Makes the layout cover every value of these key columns: `same` where it does already, `moved` where it was laid out anew, `refused` where
   * that takes too many slots; then nothing has changed. What `moved` means for the groups there are: their old slots in `before` and new ones in
   * `order`, both in order of first appearance.
   */
  cover(keys: readonly LaneVector[], rowCount: number): 'same' | 'moved' | 'refused'
  /** u32 pointer in scratch: the slots that groups had before the last move. */
  readonly before: number
  /** The slot of each row, a u32 pointer: in scratch, or the codes or integers themselves. */
  find(keys: readonly LaneVector[], rowCount: number): number
  /** The keys of the groups, in order of first appearance, in scratch; `dictionaries[i]` is what key i's codes refer to. */
  keys(dictionaries: readonly (LaneDictionary | null)[]): LaneVector[]
  free(): void
}

/** The values that slots are laid out for: `base` to `base + size - 1`, and null before them where the key is nullable. */
export interface Domain {
  readonly base: bigint
  readonly size: number
}

export interface Bounds {
  readonly min: bigint
  readonly max: bigint
}

const NO_DOMAIN: Domain = { base: 0n, size: 0 }

/** Whether keys of these types may have small domains at all. */
export const mayIndexDirectly = (types: readonly DataType[]): boolean =>
  types.every(({ kind }) => kind !== 'float32' && kind !== 'float64')

export function createDirectIndex(k: Kernels, types: readonly DataType[], mostSlots = MOST_SLOTS): DirectIndex {
  const { memory, exports } = k
  const nulls = types.map(({ nullable }) => (nullable ? 1 : 0))
  let domains: readonly (Domain | null)[] = types.map(() => null)
  /** What the values, or those who know them, have spanned so far: the least that the domains must cover. */
  let spans: readonly (Bounds | null)[] = domains.map(() => null)
  let strides: readonly number[] = []
  let slotCount = 0
  /** Groups that there can be: once they are all there, rows need not be looked at for new ones. */
  let possible = 0
  let flags = 0
  let order = 0
  let before = 0
  let length = 0

  const layOut = (next: readonly Domain[], existing: readonly LaneVector[]) => {
    const old = memory.scratch(4 * length)
    memory.u8.copyWithin(old, order, order + 4 * length)
    before = old
    domains = next
    slotCount = 1
    strides = next.map(({ size }, i) => {
      const stride = slotCount
      slotCount *= size + nulls[i]
      return stride
    })
    memory.free(flags)
    memory.free(order)
    flags = 0
    order = 0
    flags = memory.allocate(slotCount)
    order = memory.allocate(4 * slotCount)
    memory.u8.fill(0xff, flags, flags + slotCount)
    const slots = slotsOf(existing, length)
    memory.u8.copyWithin(order, slots, slots + 4 * length)
    exports.directMark(flags, order, length)
  }

  /** Slots of the first rows, in scratch, or the codes or integers themselves where they are slots already. */
  const slotsOf = (keys: readonly LaneVector[], rowCount: number): number => {
    const bases = domains.map((domain, i) => (domain as Domain).base - BigInt(nulls[i]))
    if (keys.length === 1 && bases[0] === 0n && nulls[0] === 0 && isWord(types[0])) return keys[0].data
    const slots = memory.scratch(4 * rowCount + 16)
    for (const [i, { data, validity }] of keys.entries()) {
      const bitmap = nulls[i] === 1 ? validity : 0
      slotterOf(k, types[i])(slots, data, bitmap, bases[i], strides[i], i === 0 ? 0 : 1, rowCount)
    }
    return slots
  }

  const keysOf = (dictionaries: readonly (LaneDictionary | null)[]): LaneVector[] =>
    types.map((type, i) => {
      const { base, size } = domains[i] ?? NO_DOMAIN
      const bits = keyBits(type)
      const data = memory.scratch(bits === 1 ? bitmapBytes(length) : (bits / 8) * length)
      const validity = nulls[i] === 1 ? memory.scratch(bitmapBytes(length)) : 0
      const mark = memory.mark()
      const words = memory.scratch(16 * length)
      const lowered = base - BigInt(nulls[i])
      const nullable = nulls[i] as unknown as boolean
      exports.directWords(order, length, strides[i], size + nulls[i], lowered, nullable, words)
      if (bits === 1) exports.unpackBits(data, words, 16, 0, 0, length)
      else unpackerOf(k, bits)(data, words, 16, 0, -1n, 0n, length)
      const valid = validity === 0 ? length : exports.unpackBits(validity, words + 8, 16, 0, 1, length)
      memory.reset(mark)
      const dictionary = dictionaries[i] ?? null
      return { type, length, data, validity: valid === length ? 0 : validity, dictionary, range: null }
    })

  return {
    get length() {
      return length
    },
    get slotCount() {
      return slotCount
    },
    get domains() {
      return domains
    },
    get spans() {
      return spans
    },
    get order() {
      return order
    },
    get before() {
      return before
    },
    cover(keys, rowCount) {
      spans = keys.map((key, i) =>
        spanOf(
          spans[i],
          isKnownWithin(key, domains[i]) ? promisedBounds(key) : boundsOf(k, key, Math.max(MOST_SLOTS, mostSlots)),
        ),
      )
      possible = spans.reduce((product, span, i) => product * (sizeOfSpan(span) + nulls[i]), 1)
      if (flags !== 0 && spans.every((span, i) => span === null || isWithin(span, domains[i]))) return 'same'
      const exact = spans.map((span, i) => domainOf(span, keys.length === 1 && nulls[i] === 0 && isWord(types[i])))
      // With room to grow, so that a domain which widens batch by batch is not laid out for each of them.
      const roomy = exact.map((domain, i) => widened(domains[i], domain))
      const most = Math.min(mostSlots, Math.max(LEAST_SLOTS, SLOTS_PER_ROW * rowCount, 2 * slotCount))
      const next = [roomy, exact].find(candidate => slotsFor(candidate, nulls) <= most)
      if (next === undefined) return 'refused'
      layOut(next, length === 0 ? keys : keysOf([]))
      return 'moved'
    },
    find(keys, rowCount) {
      const slots = slotsOf(keys, rowCount)
      if (length < possible) length = exports.directOpen(flags, slots, rowCount, order, length) >>> 0
      return slots
    },
    keys: keysOf,
    free() {
      memory.free(flags)
      memory.free(order)
      flags = 0
      order = 0
    },
  }
}

const slotsFor = (domains: readonly Domain[], nulls: readonly number[]): number =>
  domains.reduce((product, { size }, i) => product * (size + nulls[i]), 1)

/** Whether the values may lie in memory as slots do. */
const isWord = ({ kind }: DataType): boolean =>
  kind === 'utf8' || kind === 'int32' || kind === 'uint32' || kind === 'date'

/** What the type, the dictionary or a known range promises, without a look at the values; null where they promise nothing. */
export function promisedBounds({ type: { kind }, dictionary, range }: LaneVector): Bounds | null {
  if (kind === 'bool') return { min: 0n, max: 1n }
  if (kind === 'utf8') return range ?? { min: 0n, max: BigInt(dictionary?.length || 1) - 1n }
  if (kind === 'int8') return { min: -128n, max: 127n }
  if (kind === 'uint8') return { min: 0n, max: 255n }
  return range
}

function isKnownWithin(key: LaneVector, domain: Domain | null): boolean {
  const promised = promisedBounds(key)
  return promised !== null && isWithin(promised, domain)
}

const isWithin = ({ min, max }: Bounds, domain: Domain | null): boolean =>
  domain !== null && min >= domain.base && max < domain.base + BigInt(domain.size)

/** The bounds of the values in hand, null where all are null; what is promised where that is near enough, and of codes always. */
function boundsOf(k: Kernels, key: LaneVector, most: number): Bounds | null {
  const promised = promisedBounds(key)
  const isEnough = promised !== null && (key.type.kind === 'utf8' || sizeOfSpan(promised) <= most)
  return isEnough ? promised : rangeOf(k, { ...key, range: null })
}

function spanOf(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (a === null || b === null) return a ?? b
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max }
}

/** Values that are slots as they are cost nothing to find, so a domain of these begins at 0 where that is near. */
function domainOf(span: Bounds | null, fromZero: boolean): Domain {
  if (span === null) return { base: 0n, size: 0 }
  const base = fromZero && span.min > 0n && span.min <= span.max - span.min ? 0n : span.min
  return { base, size: sizeOf(base, span.max) }
}

const sizeOf = (min: bigint, max: bigint): number => Math.min(TOO_WIDE, Number(max - min) + 1)

const sizeOfSpan = (span: Bounds | null): number => (span === null ? 0 : sizeOf(span.min, span.max))

/** `domain` and what there was before, and half as much again on each side that had to give. */
function widened(before: Domain | null, { base, size }: Domain): Domain {
  if (before === null || before.size === 0) return { base, size }
  const more = BigInt(Math.ceil(size / 2))
  const end = base + BigInt(size)
  const beforeEnd = before.base + BigInt(before.size)
  const from = base < before.base ? base - more : before.base
  const to = end > beforeEnd ? end + more : beforeEnd
  return { base: from, size: sizeOf(from, to - 1n) }
}

function slotterOf({ exports }: Kernels, { kind }: DataType): Kernels['exports']['directSlots32'] {
  switch (kind) {
    case 'bool':
      return exports.directSlotsBits
    case 'int8':
      return exports.directSlotsI8
    case 'uint8':
      return exports.directSlotsU8
    case 'int16':
      return exports.directSlotsI16
    case 'uint16':
      return exports.directSlotsU16
    case 'int64':
    case 'timestamp':
      return exports.directSlotsI64
    default:
      return exports.directSlots32
  }
}
