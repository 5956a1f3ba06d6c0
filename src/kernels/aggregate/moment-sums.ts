/**
 * The state that moments are made of: exact sums of values, squares and products of every group, in lanes (moment-lanes.ts) as far as these hold
 * them, the rest in the wide sums of ../wide.ts. Both together are the state, so that when anything moves from one to the other shows in no
 * result. Rows are added by moments.ts; results are made in assembly/aggregate/moment-results.ts.
 */
import { float64 } from '../../columnar/type.js'
import { bitmapBytes } from '../bitmap.js'
import {
  addDigitsToLimbs,
  type Digits,
  digitOf,
  digitsOfLimbs,
  exponentOf,
  spanOfDigits,
  trimDigits,
} from '../exact.js'
import type { Kernels } from '../instance.js'
import { createWideSums, type WideSums } from '../wide.js'
import { type Accumulator, type AggregateSpec, numbers } from './accumulator.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { createMomentLanes, type MomentLanes } from './moment-lanes.js'
import { A, AA, AB, B, BB, formNumber, layoutOf, type MomentField, type MomentLayout } from './moment-layout.js'
import { COUNT, readDigits, type StateReader, type StateWriter, statesOf, writeDigits } from './state-bytes.js'

/** Groups whose sums are gathered at once: a multiple of 8. */
const BLOCK_GROUPS = 1024

/** Chunks that hold any one field. */
const FIELD_CHUNKS = 4
/** How full lanes are is 2^-62 at least. */
const FULLNESS_BIAS = 64

export interface MomentSums extends Pick<Accumulator, 'kernel' | 'resize' | 'write' | 'merge' | 'evaluate' | 'free'> {
  readonly lanes: MomentLanes
  /** Which sums there are. */
  readonly all: readonly number[]
  /** Rows a group that have a NaN or an infinity, int64: what is counted and not added. */
  specials(): number
  /** Empties the lanes and gives them another layout. */
  setLayout(layout: MomentLayout): void
  /** Makes certain that the lanes take so many more rows, at most a quarter of those of their layout. */
  provide(rowCount: number): void
  /** A wide sum that can hold values of such a span. */
  wide(sum: number, low: number, top: number): WideSums
}

/** Of one column, or of two. */
export function createMomentSums(k: Kernels, two: boolean): MomentSums {
  const { exports, memory } = k
  const sums = two ? [A, B, AA, BB, AB] : [A, AA]
  const lanes = createMomentLanes(k)
  const wide: (WideSums | undefined)[] = []
  let specials: GroupArray | null = null
  let groupCount = 0

  const wideSum = (sum: number, low: number, top: number): WideSums => {
    const found = wide[sum] ?? createWideSums(k, { low, top }, true)
    found.cover({ low, top })
    found.resize(groupCount)
    wide[sum] = found
    return found
  }

  /** Moves all that the lanes hold to the wide sums. */
  const empty = () => {
    if (lanes.layout === null || lanes.rows === 0) return
    for (const field of lanes.layout.fields) {
      const to = wideSum(field.sum, field.exponent, field.exponent + 64)
      to.reserve(lanes.places(field).length)
      gatherField(field, to.first, 0, groupCount, 0, to.chunks, to.chunkCount)
    }
    lanes.clear()
  }

  /** Adds a field of groups `groups[0..count)` (u32 pointer), or with 0 of `count` from `from` on, to chunks, the first being digit `first`. */
  function gatherField(
    field: MomentField,
    first: number,
    groups: number,
    count: number,
    from: number,
    chunks: number,
    chunkCount: number,
  ): void {
    for (const place of lanes.places(field)) {
      gatherPlace(place + 16 * from, field, first, groups, count, chunks, chunkCount)
    }
  }

  /** As `gatherField`, of a field that lies anywhere, 16 bytes a group. */
  function gatherPlace(
    place: number,
    { offset, width, exponent }: MomentField,
    first: number,
    groups: number,
    count: number,
    chunks: number,
    chunkCount: number,
  ): void {
    const at = exponent - exponentOf(first)
    exports.momentsGather(place, 16, groups, count, offset, width, at, chunks, chunkCount)
  }

  /** The digits that a sum's state takes, lanes and all. */
  const windowOf = (sum: number, withLanes = true): { first: number; count: number } => {
    const firsts: number[] = []
    const ends: number[] = []
    const had = wide[sum]
    if (had !== undefined) {
      firsts.push(had.first)
      ends.push(had.first + had.chunkCount)
    }
    for (const { sum: other, exponent } of lanes.layout?.fields ?? []) {
      if (other !== sum || !withLanes) continue
      firsts.push(digitOf(exponent))
      ends.push(digitOf(exponent) + FIELD_CHUNKS)
    }
    if (firsts.length === 0) return { first: digitOf(0), count: 0 }
    const first = Math.min(...firsts)
    return { first, count: Math.max(...ends) - first }
  }

  /** Writes a sum of groups `groups[0..count)` (u32 pointer), or with 0 of `count` from `from` on, as digits of its window. */
  const gather = (sum: number, groups: number, from: number, count: number, digits: number, withLanes = true) => {
    const window = windowOf(sum, withLanes)
    if (window.count === 0) return
    const mark = memory.mark()
    const chunks = memory.scratch(8 * window.count * count)
    const had = wide[sum]
    if (had === undefined) memory.u8.fill(0, chunks, chunks + 8 * window.count * count)
    else {
      const width = 8 * had.chunkCount
      const states = statesOf(k, { pointer: had.chunks + width * from, stride: width }, width, groups, count)
      exports.wideMove(states, had.chunkCount, chunks, window.count, had.first - window.first, count)
    }
    for (const field of lanes.layout?.fields ?? []) {
      if (field.sum !== sum || !withLanes) continue
      gatherField(field, window.first, groups, count, from, chunks, window.count)
    }
    exports.wideDigits(chunks, window.count, count, digits)
    memory.reset(mark)
  }

  const digitsOf = (sum: number, groups: number, count: number, withLanes: boolean): Digits => {
    const window = windowOf(sum, withLanes)
    const pointer = memory.scratch(4 * window.count * count)
    for (let from = 0; from < count; from += BLOCK_GROUPS) {
      const some = groups === 0 ? 0 : groups + 4 * from
      const digits = pointer + 4 * window.count * from
      gather(sum, some, some === 0 ? from : 0, Math.min(BLOCK_GROUPS, count - from), digits, withLanes)
    }
    return trimDigits(k, { pointer, ...window, groupCount: count })
  }

  const addDigits = (sum: number, untrimmed: Digits, groupMap: number) => {
    // The window is made for the values: it has no room for digits that say nothing.
    const digits = trimDigits(k, untrimmed)
    const span = spanOfDigits(k, digits)
    if (span !== null) wideSum(sum, span.low, span.top).addDigits(digits, groupMap)
  }

  const specialCounts = (): number => {
    specials ??= createGroupArray(k, 8)
    specials.resize(groupCount)
    return specials.pointer
  }

  /** Between lanes, the lanes of groups as they lie, with their layout and how full they are. */
  const writeLanes = (writer: StateWriter, groups: number, count: number) => {
    const { layout } = lanes
    writer.u32(layout === null ? 0 : 1)
    if (layout === null) return
    lanes.join()
    // A power of two, or 0.
    writer.u32(Math.max(0, Math.log2(lanes.fullness()) + FULLNESS_BIAS))
    writer.u32(formNumber(layout))
    for (const { low, top } of layout.spans) for (const word of [low, top]) writer.u32(word)
    for (let slot = 0; slot < layout.slots; slot++) {
      writer.states(k, { pointer: lanes.state + slot * lanes.pitch, stride: 16 }, 16, groups, count)
    }
  }

  /** Adds what `writeLanes` wrote: to lanes of the same layout, else to the wide sums. */
  const mergeLanes = (reader: StateReader, groupMap: number, count: number, most: number) => {
    if (reader.u32() === 0) return
    const full = 2 ** (reader.u32() - FULLNESS_BIAS)
    const form = reader.u32()
    const spanOf = () => ({ low: reader.u32() | 0, top: reader.u32() | 0, negative: form !== 0, integer: false })
    const layout = layoutOf(form, two ? [spanOf(), spanOf()] : [spanOf()])
    const slots = Array.from({ length: layout.slots }, () => reader.lane(k, 16 * count))
    if (lanes.layout === null) lanes.setLayout(layout)
    if (isSame(lanes.layout as MomentLayout, layout) && lanes.absorb(most * full)) {
      for (const [i, slot] of slots.entries()) {
        exports.slotsAdd(lanes.state + i * lanes.pitch, 0, groupMap, slot, count)
      }
      return
    }
    for (const field of layout.fields) {
      const mark = memory.mark()
      const first = digitOf(field.exponent)
      const chunks = memory.scratch(8 * FIELD_CHUNKS * count)
      const pointer = memory.scratch(4 * FIELD_CHUNKS * count)
      memory.u8.fill(0, chunks, chunks + 8 * FIELD_CHUNKS * count)
      const place = slots[field.lane >> 1] + 8 * (field.lane & 1)
      gatherPlace(place, field, first, 0, count, chunks, FIELD_CHUNKS)
      exports.wideDigits(chunks, FIELD_CHUNKS, count, pointer)
      addDigits(field.sum, { pointer, first, count: FIELD_CHUNKS, groupCount: count }, groupMap)
      memory.reset(mark)
    }
  }

  return {
    lanes,
    all: sums,
    get kernel() {
      const form = lanes.layout?.form ?? 'empty'
      return wide.some(Boolean) ? `${form} wide` : form
    },
    specials: specialCounts,
    provide(rowCount) {
      if (lanes.reserve(rowCount)) return
      empty()
      lanes.reserve(rowCount)
    },
    setLayout(layout) {
      empty()
      lanes.setLayout(layout)
    },
    wide: wideSum,
    resize(count) {
      groupCount = count
      lanes.resize(count)
      for (const sum of wide) sum?.resize(count)
      specials?.resize(count)
    },
    write(writer, groups, count) {
      const mark = memory.mark()
      if (writer.forLane) writeLanes(writer, groups, count)
      const all = sums.map(sum => digitsOf(sum, groups, count, !writer.forLane))
      if (specials === null) all.push({ pointer: 0, first: 0, count: 0, groupCount: count })
      else {
        const pointer = statesOf(k, { pointer: specials.pointer, stride: 8 }, 8, groups, count)
        all.push(digitsOfLimbs(k, COUNT, { pointer, stride: 8 }, count))
      }
      // Nothing is written the same way, wherever its window was.
      for (const digits of all) writeDigits(k, writer, digits.count === 0 ? { ...digits, first: 0 } : digits)
      memory.reset(mark)
    },
    merge(reader, groupMap, count, most) {
      const mark = memory.mark()
      if (reader.forLane) mergeLanes(reader, groupMap, count, most)
      for (const sum of sums) addDigits(sum, readDigits(k, reader, count), groupMap)
      const digits = readDigits(k, reader, count)
      if (digits.count > 0) addDigitsToLimbs(k, COUNT, { pointer: specialCounts(), stride: 8 }, digits, groupMap)
      memory.reset(mark)
    },
    evaluate({ function: name, parameters: { population = false } }: AggregateSpec, counts) {
      const out = memory.scratch(8 * groupCount)
      const validity = memory.scratch(bitmapBytes(groupCount))
      const results = { ...numbers(float64(), groupCount, out), validity }
      const kind = name === 'correlation' ? 1 : name === 'slope' ? 2 : 0
      const root = name === 'stddev'
      const special = specials?.pointer ?? 0
      const table = memory.scratch(60)
      if (!wide.some(Boolean) && lanes.copy === 0 && lanes.layout !== null && lanes.layout.form !== 'bins') {
        const { fields } = lanes.layout
        for (const field of fields) {
          memory.u32.set([lanes.places(field)[0], field.offset, field.width], (table + 12 * field.sum) >>> 2)
        }
        const [a, b] = fields.map(field => field.exponent)
        const exponent = kind === 2 ? a - b : fields[fields.length - 1].exponent
        if (
          exports.momentsEvaluateSmall(
            table,
            kind,
            two,
            population,
            root,
            exponent,
            counts,
            special,
            groupCount,
            out,
            validity,
          )
        ) {
          return results
        }
      }
      const windows = sums.map(sum => windowOf(sum))
      // Sums as they are, and as factors of a product.
      const firsts = windows.flatMap(({ first }) => [first, 2 * first - digitOf(0)])
      const ends = windows.flatMap(({ first, count }) => [first + count, 2 * (first + count) - digitOf(0)])
      const capacity = Math.max(...ends) - Math.min(...firsts) + 8
      const work = memory.scratch(10 * (4 * (capacity + 8) + 16))
      for (let from = 0; from < groupCount; from += BLOCK_GROUPS) {
        const mark = memory.mark()
        const count = Math.min(BLOCK_GROUPS, groupCount - from)
        for (const [i, sum] of sums.entries()) {
          const window = windows[i]
          const digits = memory.scratch(4 * window.count * count)
          gather(sum, 0, from, count, digits)
          memory.u32.set([digits, window.first, window.count], (table + 12 * sum) >>> 2)
        }
        exports.momentsEvaluate(
          table,
          kind,
          two,
          population,
          root,
          counts + 8 * from,
          special && special + 8 * from,
          count,
          out + 8 * from,
          validity + from / 8,
          capacity,
          work,
        )
        memory.reset(mark)
      }
      return results
    },
    free() {
      lanes.free()
      for (const sum of wide) sum?.free()
      specials?.free()
    },
  }
}

const isSame = (a: MomentLayout, b: MomentLayout): boolean =>
  a.form === b.form && a.spans.every(({ low, top }, i) => low === b.spans[i].low && top === b.spans[i].top)
