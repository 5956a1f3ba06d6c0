/**
 * Aggregates over frames, by the accumulators of any group-by: a frame is a group. Where frames have few rows each row is given to all frames that it is in; else rows
 * are aggregated in blocks of 1, 2, 4, ... rows first, and a frame is merged of the few blocks that make it up. So whatever an aggregate is, it is as exact as in a
 * group-by, and nothing is ever taken back.
 *
 * ```
 *   blocks of 4   |       |       |
 *   of 2          |   |   |   |   |
 *   of 1          | | | | | | | | |
 *   a frame          [-][---][-]
 * ```
 */
import { MORSEL_ROWS } from '../columnar/vector.js'
import type { AggregateFunction, AggregateSpec } from '../kernels/aggregate/accumulator.js'
import { type AggregateInput, type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { and, isTrue } from '../kernels/bitmap.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { slice, take } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import { freeVector, recodeText } from '../kernels/transfer-batch.js'
import type { OverCall } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { copyToHeap, freeHeapBatch, joinBatches } from './heap-batch.js'
import type { Frames, OverOrder } from './over-order.js'
import type { RunningStates } from './over-running.js'

/** Frames that are aggregated at once. */
const FRAMES_AT_ONCE = 65_536
/** Rows that frames may have together then, where their states keep them. */
const ROWS_AT_ONCE = 2 ** 21
/** Aggregates whose states are of one size, however many rows they have: a block's may go into many frames. The others are given the rows of every frame, or grow with it. */
const MERGED: readonly string[] = [
  ...['count', 'sum', 'mean', 'min', 'max', 'first', 'last', 'argMin', 'argMax'],
  ...['variance', 'stddev', 'covariance', 'correlation', 'slope', 'histogram'],
]
export const areOfOneSize = (calls: readonly OverCall[]): boolean =>
  calls.every(({ function: name }) => MERGED.includes(name))
/** Of the others those whose states keep no more than so many rows, or what they are told. */
const BOUNDED: readonly string[] = ['topK', 'bottomK', 'approxCountDistinct', 'approxQuantile', 'approxTopK']
const ROWS_KEPT = 2 ** 14
const mostKept = ({ function: name, parameters: { capacity, n } }: OverCall): number =>
  BOUNDED.includes(name) ? Math.max(ROWS_KEPT, capacity ?? n ?? 0) : MERGED.includes(name) ? 0 : Infinity
/** Those that tell rows apart by their places, so that all rows must come in with them. */
const ORDERED: readonly string[] = ['first', 'last', 'argMin', 'argMax']
/** What frames that grow have in common ends at multiples of so many rows. */
const TRUNK_ROWS = 32
/** Frames of so many rows on average are given their rows one by one. */
const FEW_ROWS = 6
/** A state costs what so many rows do, to be merged into another. */
const MANY_ROWS = 512
/** Rows between two blocks that are aggregated along with them, so that they are one run. */
const MOST_BETWEEN = 4096
/** Levels from this one on have blocks so large that they are few: made once for all frames. */
const LARGE_BLOCKS = 16

/** With which frames begin, beside their own rows: the states of rows that came before. */
export interface FramesBefore {
  readonly states: RunningStates
  /** The group of each place's frame; one that there are no rows of: it has its own only. */
  readonly groups: Uint32Array
}

export interface FrameResults {
  /** In heap blocks: a column for each call, a row for each distinct frame. */
  readonly batch: LaneBatch
  /** The frame of each row. */
  readonly frameOf: Uint32Array
  free(): void
}

/**
 * All results, and a null after every step: others may have a turn.
 * @param textOf dictionaries that get the strings of results, by call; kept by the caller
 * @param before rows that are not there any more, with which frames begin
 */
export function* aggregateFrames(
  context: OperatorContext,
  batch: LaneBatch,
  places: readonly (readonly number[])[],
  masks: readonly (number | null)[],
  calls: readonly OverCall[],
  order: OverOrder,
  frames: Frames,
  textOf: (call: number) => LaneDictionary,
  before: FramesBefore | null = null,
): Generator<null, FrameResults> {
  const { k } = context
  const { memory } = k
  const rows = placed(context, batch, places, masks, order)
  const { specs, inputs } = specsOf(calls, places, masks)
  const { from, to, groups: owners, frameOf } = distinct(frames, order, before?.groups ?? null)
  const origin = before?.states.rowCount ?? 0
  const canMerge = areOfOneSize(calls)
  const hasNoOrder = !calls.some(({ function: name }) => ORDERED.includes(name))
  const keptRows = Math.max(...calls.map(mostKept))
  const parts: LaneBatch[] = []
  const large = new Map<number, Aggregation>()
  let grown = null as Grown | null
  try {
    for (let first = 0; first < from.length; ) {
      const end = endOf(first)
      const mark = memory.mark()
      const aggregation = createAggregation(context, specs, true)
      try {
        aggregation.resize(end - first)
        if (before !== null && owners !== null) before.states.give(aggregation, owners.subarray(first, end))
        fill(aggregation, first, end)
        aggregation.open(0, end - first)
        const columns = aggregation.evaluate(end - first).map((column, i) => {
          const type = { ...column.type, nullable: true }
          return dictionaryOf(column) === null ? { ...column, type } : { ...recodeText(k, column, textOf(i)), type }
        })
        parts.push(copyToHeap(k, { rowCount: end - first, columns }))
      } finally {
        aggregation.free()
        memory.reset(mark)
      }
      first = end
      yield null
    }
    const whole = parts.length === 1 ? (parts.pop() as LaneBatch) : joinBatches(k, parts)
    return { batch: whole, frameOf, free: () => freeHeapBatch(k, whole) }
  } finally {
    for (const part of parts) freeHeapBatch(k, part)
    for (const aggregation of large.values()) aggregation.free()
    grown?.states.free()
    rows.free()
  }

  /** Where states grow with their rows there are not too many of them at once. */
  function endOf(first: number): number {
    const most = Math.min(from.length, first + FRAMES_AT_ONCE)
    if (canMerge) return most
    let end = first
    for (let kept = 0; end < most; end++) {
      kept += Math.min(to[end] - from[end], keptRows)
      if (kept > ROWS_AT_ONCE && end > first) break
    }
    return end
  }

  function fill(aggregation: Aggregation, first: number, end: number): void {
    let [sum, least, most] = [0, order.rowCount, 0]
    for (let frame = first; frame < end; frame++) {
      if (from[frame] === to[frame]) continue
      sum += to[frame] - from[frame]
      least = Math.min(least, from[frame])
      most = Math.max(most, to[frame])
    }
    const isFew = sum <= Math.max(FEW_ROWS * (end - first), most - least)
    const spans = { from: from.subarray(first, end), to: to.subarray(first, end) }
    const isGrown = sum > MANY_ROWS * (end - first) && before === null && beginAlike(spans)
    if (!canMerge && isGrown) giveGrown(aggregation, spans)
    else if (isFew || !canMerge) giveRows(aggregation, spans)
    else if (hasNoOrder && beginAlike(spans)) mergeTrunks(aggregation, spans)
    else mergeBlocks(aggregation, spans)
  }

  /** Each frame its rows, whatever others they are in. */
  function giveRows(aggregation: Aggregation, { from, to }: Frames): void {
    const mark = memory.mark()
    const list = memory.scratch(4 * MORSEL_ROWS)
    const groups = memory.scratch(4 * MORSEL_ROWS)
    let position = origin
    let count = 0
    const flush = () => {
      const inner = memory.mark()
      aggregation.update(
        groups,
        inputs.map(input => rows.listed(input, list, count)),
        count,
        position,
      )
      memory.reset(inner)
      position += count
      count = 0
    }
    for (let frame = 0; frame < from.length; frame++) {
      let { u32 } = memory
      for (let place = from[frame]; place < to[frame]; place++) {
        u32[(list >>> 2) + count] = place
        u32[(groups >>> 2) + count] = frame
        if (++count < MORSEL_ROWS) continue
        flush()
        u32 = memory.u32
      }
    }
    if (count > 0) flush()
    memory.reset(mark)
  }

  /** Each frame what the one before it has, where that begins at the same place, and its own rows beyond. */
  function giveGrown(aggregation: Aggregation, { from, to }: Frames): void {
    for (let frame = 0; frame < from.length; frame++) {
      if (grown === null || grown.from !== from[frame] || grown.to > to[frame]) {
        grown?.states.free()
        grown = { states: createAggregation(context, specs, true), from: from[frame], to: from[frame] }
        grown.states.resize(1)
      }
      const mark = memory.mark()
      for (let place = grown.to; place < to[frame]; place += MORSEL_ROWS) {
        const count = Math.min(MORSEL_ROWS, to[frame] - place)
        const own = inputs.map(input => rows.run(input, place, count))
        grown.states.update(0, own, count, place)
      }
      grown.to = to[frame]
      grown.states.open(0, 1)
      const target = memory.scratch(4)
      memory.u32[target >>> 2] = frame
      aggregation.merge(grown.states.laneState(0, 1), target, 1, 1)
      memory.reset(mark)
    }
  }

  /**
   * Of frames that begin at one place and grow row by row: what all of a run of them have in common is merged once, and each is given the few rows that it has beyond.
   */
  function mergeTrunks(aggregation: Aggregation, { from, to }: Frames): void {
    const trunks: { from: number[]; to: number[] } = { from: [], to: [] }
    const owned: number[] = []
    const owners: number[] = []
    const cuts = new Uint32Array(from.length)
    for (let frame = 0; frame < from.length; frame++) {
      const cut = Math.max(from[frame], to[frame] - (to[frame] % TRUNK_ROWS))
      cuts[frame] = cut
      if (cut === from[frame]) continue
      if (trunks.from.at(-1) !== from[frame] || trunks.to.at(-1) !== cut) {
        trunks.from.push(from[frame])
        trunks.to.push(cut)
      }
      owned.push(trunks.from.length - 1)
      owners.push(frame)
    }
    const common = createAggregation(context, specs, true)
    const mark = memory.mark()
    try {
      common.resize(trunks.from.length)
      mergeBlocks(common, { from: Uint32Array.from(trunks.from), to: Uint32Array.from(trunks.to) })
      const groups = memory.scratch(4 * owned.length)
      const targets = memory.scratch(4 * owned.length)
      memory.u32.set(owned, groups >>> 2)
      memory.u32.set(owners, targets >>> 2)
      aggregation.merge(common.laneState(groups, owned.length), targets, owned.length, 1)
    } finally {
      common.free()
      memory.reset(mark)
    }
    giveRows(aggregation, { from: cuts, to })
  }

  function mergeBlocks(aggregation: Aggregation, spans: Frames): void {
    for (const [level, { blocks, owners }] of coverOf(spans).entries()) {
      if (blocks.length === 0) continue
      const mark = memory.mark()
      const isLarge = level >= LARGE_BLOCKS
      const segments = isLarge
        ? [{ first: 0, last: Math.ceil(order.rowCount / 2 ** level) - 1, base: 0 }]
        : segmentsOf(blocks, level)
      const states = (isLarge && large.get(level)) || blockStates(level, segments)
      try {
        const count = blocks.length
        const groups = memory.scratch(4 * count)
        const targets = memory.scratch(4 * count)
        memory.u32.set(owners, targets >>> 2)
        const { u32 } = memory
        for (let i = 0; i < count; i++) u32[(groups >>> 2) + i] = groupOf(blocks[i], segments)
        aggregation.merge(states.laneState(groups, count), targets, count, 2)
      } finally {
        if (isLarge) large.set(level, states)
        else states.free()
        memory.reset(mark)
      }
    }
  }

  /** The rows of the segments' blocks aggregated, a group a block. */
  function blockStates(level: number, segments: readonly Segment[]): Aggregation {
    const states = createAggregation(context, specs, true)
    try {
      states.resize(segments.reduce((sum, { first, last }) => sum + last - first + 1, 0))
      for (const { first, last, base } of segments) {
        const end = Math.min(order.rowCount, (last + 1) * 2 ** level)
        for (let place = first * 2 ** level; place < end; place += MORSEL_ROWS) {
          const count = Math.min(MORSEL_ROWS, end - place)
          const mark = memory.mark()
          const groups = memory.scratch(4 * count)
          const { u32 } = memory
          for (let i = 0; i < count; i++) u32[(groups >>> 2) + i] = base + Math.floor((place + i) / 2 ** level) - first
          states.update(
            groups,
            inputs.map(input => rows.run(input, place, count)),
            count,
            origin + place,
          )
          memory.reset(mark)
        }
      }
      return states
    } catch (error) {
      states.free()
      throw error
    }
  }
}

/** One group, of the rows from a place to another. */
interface Grown {
  readonly states: Aggregation
  readonly from: number
  to: number
}

interface Segment {
  /** Blocks `first` to `last` are the groups from `base` on. */
  readonly first: number
  readonly last: number
  readonly base: number
}

/** Runs of blocks that have all of `blocks` among them. */
function segmentsOf(blocks: readonly number[], level: number): Segment[] {
  const sorted = Uint32Array.from(blocks).sort()
  const segments: Segment[] = []
  let [first, last, base] = [sorted[0], sorted[0], 0]
  for (const block of sorted) {
    if ((block - last - 1) * 2 ** level > MOST_BETWEEN) {
      segments.push({ first, last, base })
      base += last - first + 1
      first = block
    }
    last = block
  }
  segments.push({ first, last, base })
  return segments
}

function groupOf(block: number, segments: readonly Segment[]): number {
  let [low, high] = [0, segments.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (segments[middle].first <= block) low = middle
    else high = middle - 1
  }
  return segments[low].base + block - segments[low].first
}

/** Of each level the blocks that frames are made of, and the frame that each belongs to: at most two a frame. */
function coverOf({ from, to }: Frames): { readonly blocks: number[]; readonly owners: number[] }[] {
  const levels: { readonly blocks: number[]; readonly owners: number[] }[] = []
  for (let frame = 0; frame < from.length; frame++) {
    let [low, high] = [from[frame], to[frame]]
    for (let level = 0; low < high; level++) {
      levels[level] ??= { blocks: [], owners: [] }
      const { blocks, owners } = levels[level]
      if (low & 1) {
        blocks.push(low++)
        owners.push(frame)
      }
      if (high & 1) {
        blocks.push(--high)
        owners.push(frame)
      }
      low >>>= 1
      high >>>= 1
    }
  }
  return levels
}

/** Whether most frames begin where the one before does. */
function beginAlike({ from }: Frames): boolean {
  let alike = 0
  for (let frame = 1; frame < from.length; frame++) if (from[frame] === from[frame - 1]) alike++
  return alike > 0.75 * from.length
}

/** Frames that follow one another and are the same, behind the same rows, are one. */
function distinct({ from, to }: Frames, { rowCount, rows }: OverOrder, groups: Uint32Array | null) {
  const frameOf = new Uint32Array(rowCount)
  const starts = new Uint32Array(rowCount)
  const ends = new Uint32Array(rowCount)
  const owners = groups && new Uint32Array(rowCount)
  let count = 0
  for (let place = 0; place < rowCount; place++) {
    const isSame =
      count > 0 &&
      starts[count - 1] === from[place] &&
      ends[count - 1] === to[place] &&
      (owners === null || owners[count - 1] === groups?.[place])
    if (!isSame) {
      starts[count] = from[place]
      if (owners !== null && groups !== null) owners[count] = groups[place]
      ends[count++] = to[place]
    }
    frameOf[rows === null ? place : rows[place]] = count - 1
  }
  return {
    from: starts.subarray(0, count),
    to: ends.subarray(0, count),
    groups: owners?.subarray(0, count) ?? null,
    frameOf,
  }
}

interface Input {
  readonly columns: readonly number[]
  readonly mask: number | null
}

/** Equal inputs under equal masks are one. */
export function specsOf(
  calls: readonly OverCall[],
  places: readonly (readonly number[])[],
  masks: readonly (number | null)[],
): { specs: AggregateSpec[]; inputs: Input[] } {
  const inputs: Input[] = []
  const known = new Map<string, number>()
  const specs = calls.map(({ function: name, inputTypes, parameters, label }, i): AggregateSpec => {
    const key = `${places[i].join()} ${masks[i]}`
    const inputIndex = known.get(key) ?? inputs.push({ columns: places[i], mask: masks[i] }) - 1
    known.set(key, inputIndex)
    return { function: name as AggregateFunction, inputs: inputTypes, inputIndex, parameters, label }
  })
  return { specs, inputs }
}

/** The columns that are aggregated, in the order of places. */
export function placed(
  { k }: OperatorContext,
  batch: LaneBatch,
  places: readonly (readonly number[])[],
  masks: readonly (number | null)[],
  { rows, rowCount }: OverOrder,
) {
  const { memory } = k
  const columns = new Map<number, LaneVector>()
  const blocks: LaneVector[] = []
  const read = new Set([...places.flat(), ...masks.filter(mask => mask !== null)])
  try {
    const mark = memory.mark()
    const indices = rows === null ? 0 : memory.scratch(4 * rowCount)
    if (rows !== null) memory.u32.set(rows, indices >>> 2)
    for (const i of read) {
      if (rows === null) columns.set(i, batch.columns[i])
      else {
        const taken = copyToHeap(k, { rowCount, columns: [take(k, batch.columns[i], indices, rowCount)] }).columns[0]
        blocks.push(taken)
        columns.set(i, taken)
      }
    }
    memory.reset(mark)
  } catch (error) {
    for (const block of blocks) freeVector(k, block)
    throw error
  }
  const inputOf = (
    { columns: own, mask }: Input,
    count: number,
    cut: (column: LaneVector) => LaneVector,
  ): AggregateInput => {
    const vectors = own.map(i => cut(columns.get(i) as LaneVector))
    let validity = mask === null ? 0 : isTrue(k, cut(columns.get(mask) as LaneVector))
    for (const vector of vectors) {
      if (vector.validity === 0 || vector.validity === validity) continue
      validity = validity === 0 ? vector.validity : and(k, validity, vector.validity, count)
    }
    return { vectors, validity }
  }
  return {
    /** Places `at` to `at + count`. */
    run: (input: Input, at: number, count: number) => inputOf(input, count, column => slice(k, column, at, at + count)),
    /** Places `list[0..count)` (u32 pointer). */
    listed: (input: Input, list: number, count: number) =>
      inputOf(input, count, column => take(k, column, list, count)),
    free() {
      for (const block of blocks) freeVector(k, block)
    },
  }
}
