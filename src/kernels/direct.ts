/**
 * Group index by direct indexing: a directory with one entry per possible key, where the keys' domains are known and small.
 * How a slot is computed is drawn in assembly/direct.ts; hash.ts serves all other keys.
 */
import type { DataType } from '../columnar/type.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { rangeOf } from './stats.js'

/** The largest directory: 1 MiB of u32, about what a core's second-level cache holds. */
const MOST_SLOTS = 2 ** 18
/** A width no domain of an acceptable directory has; keeps differences of far apart bounds exact. */
const TOO_WIDE = 2 ** 30

export interface DirectIndex {
  /**
   * Makes the directory cover every value of these key columns, or says false where that takes too many slots; then this index
   * is of no use any more. Where it must be laid out anew, `groups()` gives the keys of the groups there are.
   */
  cover(keys: readonly LaneVector[], groups: () => readonly LaneVector[]): boolean
  /**
   * Writes one group index per row to `groups` (u32, caller's). New groups begin at `groupCount`, in row order; the rows that
   * opened them are written to `opened` (u32, caller's, room for `rowCount`). Returns the new number of groups.
   */
  find(keys: readonly LaneVector[], rowCount: number, groupCount: number, groups: number, opened: number): number
  free(): void
}

/** The values that slots are laid out for: `base` to `base + size - 1`, and null before them where the key is nullable. */
interface Domain {
  readonly base: bigint
  readonly size: number
}

interface Bounds {
  readonly min: bigint
  readonly max: bigint
}

/** Whether keys of these types may have small domains at all. */
export const mayIndexDirectly = (types: readonly DataType[]): boolean =>
  types.every(({ kind }) => kind !== 'float32' && kind !== 'float64')

export function createDirectIndex(k: Kernels, types: readonly DataType[]): DirectIndex {
  const { memory, exports } = k
  const nulls = types.map(({ nullable }) => (nullable ? 1 : 0))
  let domains: readonly (Domain | null)[] = types.map(() => null)
  /** What the values, or those who know them, have spanned so far: the least that the domains must cover. */
  let spans: readonly (Bounds | null)[] = domains.map(() => null)
  let strides: readonly number[] = []
  let directory = 0

  const layOut = (next: readonly Domain[], existing: readonly LaneVector[]) => {
    domains = next
    let slotCount = 1
    strides = next.map(({ size }, i) => {
      const stride = slotCount
      slotCount *= size + nulls[i]
      return stride
    })
    memory.free(directory)
    directory = 0
    directory = memory.allocate(4 * slotCount)
    memory.u32.fill(0xffffffff, directory >>> 2, (directory >>> 2) + slotCount)
    const groupCount = existing[0].length
    exports.directFill(directory, slotsOf(existing, groupCount), groupCount)
  }

  /** Slots of the first rows, in scratch, or the codes or integers themselves where they are slots already. */
  const slotsOf = (keys: readonly LaneVector[], rowCount: number): number => {
    const bases = domains.map((domain, i) => (domain as Domain).base - BigInt(nulls[i]))
    if (keys.length === 1 && bases[0] === 0n && keys[0].validity === 0 && isWord(types[0])) return keys[0].data
    const slots = memory.scratch(4 * rowCount)
    for (const [i, { data, validity }] of keys.entries()) {
      const bitmap = nulls[i] === 1 ? validity : 0
      slotterOf(k, types[i])(slots, data, bitmap, bases[i], strides[i], i === 0 ? 0 : 1, rowCount)
    }
    return slots
  }

  return {
    cover(keys, groups) {
      spans = keys.map((key, i) =>
        spanOf(spans[i], isKnownWithin(key, domains[i]) ? promisedBounds(key) : boundsOf(k, key)),
      )
      if (directory !== 0 && spans.every((span, i) => span === null || isWithin(span, domains[i]))) return true
      const exact = spans.map(domainOf)
      // With room to grow, so that a domain which widens batch by batch is not laid out for each of them.
      const roomy = exact.map((domain, i) => widened(domains[i], domain))
      const next = [roomy, exact].find(candidate => slotsFor(candidate, nulls) <= MOST_SLOTS)
      if (next === undefined) return false
      const mark = memory.mark()
      layOut(next, groups())
      memory.reset(mark)
      return true
    },
    find(keys, rowCount, groupCount, groups, opened) {
      const mark = memory.mark()
      const count = exports.directFind(directory, slotsOf(keys, rowCount), rowCount, groups, groupCount, opened) >>> 0
      memory.reset(mark)
      return count
    },
    free() {
      memory.free(directory)
      directory = 0
    },
  }
}

const slotsFor = (domains: readonly Domain[], nulls: readonly number[]): number =>
  domains.reduce((product, { size }, i) => product * (size + nulls[i]), 1)

/** Whether the values may lie in memory as slots do. */
const isWord = ({ kind }: DataType): boolean =>
  kind === 'utf8' || kind === 'int32' || kind === 'uint32' || kind === 'date'

/** What the type, the dictionary or a known range promises, without a look at the values; null where they promise nothing. */
function promisedBounds({ type: { kind }, dictionary, range }: LaneVector): Bounds | null {
  if (kind === 'bool') return { min: 0n, max: 1n }
  if (kind === 'utf8') return { min: 0n, max: BigInt(dictionary?.length ?? 0) - 1n }
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

/** The bounds of the values in hand, null where all are null. */
function boundsOf(k: Kernels, key: LaneVector): Bounds | null {
  const { kind } = key.type
  if (kind === 'bool' || kind === 'utf8' || kind === 'int8' || kind === 'uint8') return promisedBounds(key)
  return rangeOf(k, { ...key, range: null })
}

function spanOf(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (a === null || b === null) return a ?? b
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max }
}

const domainOf = (span: Bounds | null): Domain =>
  span === null ? { base: 0n, size: 0 } : { base: span.min, size: sizeOf(span.min, span.max) }

const sizeOf = (min: bigint, max: bigint): number => Math.min(TOO_WIDE, Number(max - min) + 1)

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
