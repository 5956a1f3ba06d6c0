/**
 * `over`: all rows side by side in the first lane, ordered by partition, order and place; what is said of each row is computed in that order, and the rows come out
 * in their own, with it. Frames are over-order.ts's, aggregates over-aggregate.ts's.
 */
import { bool, int64, type SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { and } from '../kernels/bitmap.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { take } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OverCall, Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { concatenate, freeHeapBatch, sliceBatch } from './heap-batch.js'
import type { Breaker } from './operator.js'
import { aggregateFrames, type FramesBefore } from './over-aggregate.js'
import { frameDistincts, frameModes } from './over-distinct.js'
import { bitsOf, type Frames, framesOf, type OverOrder, orderRows, validityOf } from './over-order.js'
import { frameQuantiles } from './over-quantiles.js'
import { isLong } from './over-sliding.js'
import { frameSums, isSummed } from './over-sums.js'
import { RowStore } from './row-store.js'

export { framesOf, validityOf } from './over-order.js'
export { createRunning } from './over-running.js'

/** One column: rows `from` to `to` of it, in scratch. */
export type Computed = (from: number, to: number) => LaneVector

export function createOver(context: OperatorContext, stage: Stage & { kind: 'over' }, input: SchemaShape): Breaker {
  const { k, dictionaries: pool } = context
  const store = new RowStore(context)
  const names = Object.keys(input)
  const placeOf = (name: string) => names.indexOf(name)
  const orders = stage.orders.map(({ name, descending, nulls }) => ({ column: placeOf(name), descending, nulls }))
  const texts = new Map<number, LaneDictionary>()

  const textOf = textsOf(pool, texts)

  function* computed(all: LaneBatch, frees: (() => void)[]): Generator<null, Map<string, Computed>> {
    const order = orderRows(k, all, stage.partitionBy.map(placeOf), orders)
    yield null
    const [first] = orders
    const frames = () =>
      framesOf(k, order, stage.frame, first ? all.columns[first.column] : null, first?.descending ?? false)
    return yield* computeCalls(context, all, order, stage.calls, placeOf, frames, textOf, frees)
  }

  return {
    label: `over ${stage.partitionBy.length === 0 ? 'all rows' : stage.partitionBy.join(', ')}`,
    kernels: () => [],
    consume: (morsel, split) => store.add(morsel, split),
    wants: () => true,
    handOver: () => store.handOver(),
    absorb: part => store.absorb(part),
    *emit() {
      if (store.rowCount === 0) return
      const all = concatenate(k, store.take())
      const frees: (() => void)[] = []
      try {
        const columns = yield* computed(all, frees)
        for (let from = 0; from < all.rowCount; from += MORSEL_ROWS) {
          const rowCount = Math.min(MORSEL_ROWS, all.rowCount - from)
          const own = sliceBatch(all, from, rowCount).columns
          const output = Object.entries(stage.output).map(([name, type]) => {
            const column = columns.get(name)?.(from, from + rowCount) ?? own[placeOf(name)]
            return { ...column, type }
          })
          yield { rowCount, columns: output, rows: 0 }
        }
      } finally {
        for (const free of frees) free()
        freeHeapBatch(k, all)
      }
    },
    free() {
      store.free()
      for (const dictionary of texts.values()) pool.release(dictionary)
      texts.clear()
    },
  }
}

/** The strings of the results of each aggregate, from the first time that they are asked for. */
export const textsOf =
  (pool: OperatorContext['dictionaries'], texts: Map<number, LaneDictionary>) =>
  (call: number): LaneDictionary => {
    const known = texts.get(call) ?? pool.create()
    texts.set(call, known)
    return known
  }

/**
 * What is said of the rows of a batch, by the names of the calls. Null: others may have a turn.
 * @param framesOf asked for where there are aggregates
 * @param frees gets what is to be done once the columns are of no use any more
 * @param running states of rows that are not in the batch, with which frames begin
 */
export function* computeCalls(
  context: OperatorContext,
  all: LaneBatch,
  order: OverOrder,
  calls: readonly OverCall[],
  placeOf: (name: string) => number,
  framesOf: () => Frames,
  textOf: (call: number) => LaneDictionary,
  frees: (() => void)[],
  running: FramesBefore | null = null,
): Generator<null, Map<string, Computed>> {
  const { k } = context
  const columns = new Map<string, Computed>()
  for (const call of calls) {
    const make = PLACED[call.function as keyof typeof PLACED]
    if (make === undefined) continue
    columns.set(call.name, make(context, order, call, all.columns[placeOf(call.inputs[0])]))
    yield null
  }
  const aggregates = aggregatesIn(calls)
  if (aggregates.length === 0) return columns
  const frames = framesOf()
  const maskOf = ({ where }: OverCall) => (where === null ? null : placeOf(where))
  const areLong = running === null && isLong(frames)
  const isApart = ({ function: name }: OverCall) => areLong && ['quantile', 'countDistinct', 'mode'].includes(name)
  for (const call of aggregates.filter(isApart)) {
    const mask = maskOf(call)
    const rows = mask === null ? null : all.columns[mask]
    const column = all.columns[placeOf(call.inputs[0])]
    if (call.function === 'countDistinct') {
      const counts = yield* frameDistincts(k, column, rows, order, frames)
      columns.set(call.name, wholeNumbers(context, counts))
      continue
    }
    if (call.function === 'mode') {
      const { rowOf, isThere } = yield* frameModes(k, column, rows, order, frames)
      columns.set(call.name, (from, to) => {
        const modes = oneNumber(k, taken(k, column, rowOf.subarray(from, to)))
        return { ...modes, type: { ...modes.type, nullable: true }, validity: bitsOf(k, isThere, from, to) }
      })
      continue
    }
    const found = yield* frameQuantiles(k, column, rows, call.parameters.q ?? 0.5, order, frames)
    columns.set(call.name, floats(k, found.values, found.isThere))
  }
  const summed = running === null ? aggregates.filter(isSummed) : []
  if (summed.length > 0) {
    const inputs = summed.map(({ inputs }) => inputs.map(placeOf))
    const found = yield* frameSums(context, all, summed, inputs, summed.map(maskOf), order, frames, frees)
    for (const [name, column] of found) columns.set(name, column)
  }
  const others = aggregates.filter(call => !isApart(call) && !columns.has(call.name))
  if (others.length === 0) return columns
  const places = others.map(({ inputs }) => inputs.map(placeOf))
  const masks = others.map(maskOf)
  const results = yield* aggregateFrames(context, all, places, masks, others, order, frames, textOf, running)
  frees.push(results.free)
  for (const [i, { name }] of others.entries()) {
    columns.set(name, (from, to) => taken(k, results.batch.columns[i], results.frameOf.subarray(from, to)))
  }
  return columns
}

/** Those of frames of rows; the others are of a row's place. */
export const aggregatesIn = (calls: readonly OverCall[]): OverCall[] =>
  calls.filter(({ function: name }) => !(name in PLACED))

function taken(k: OperatorContext['k'], column: LaneVector, rows: Uint32Array): LaneVector {
  const indices = k.memory.scratch(4 * rows.length)
  k.memory.u32.set(rows, indices >>> 2)
  return take(k, column, indices, rows.length)
}

type Make = (context: OperatorContext, order: OverOrder, call: OverCall, column: LaneVector) => Computed

const PLACED: Readonly<Record<string, Make>> = {
  rowNumber: (context, order) => counted(context, order, (place, start) => place - start + 1),
  rowsLeft: (context, order) => counted(context, order, (place, _, end) => end - place - 1),
  ntile: (context, order, { parameters }) => {
    const parts = parameters.rows as number
    return counted(context, order, (place, start, end) => {
      const [size, rest] = [Math.floor((end - start) / parts), (end - start) % parts]
      const at = place - start
      // The first parts have a row more.
      const long = rest * (size + 1)
      return at < long ? Math.floor(at / (size + 1)) + 1 : rest + Math.floor((at - long) / size) + 1
    })
  },
  rank: (context, order) => ranked(context, order, (first, start) => first - start + 1),
  denseRank: (context, order) => ranked(context, order, (_first, _start, nth) => nth),
  percentRank: percentRanks,
  lag: (context, order, { parameters }, column) => shifted(context, order, column, -(parameters.rows as number)),
  lead: (context, order, { parameters }, column) => shifted(context, order, column, parameters.rows as number),
  ewma,
  spaced,
}

/** A whole number below 2^32 for each row, of its place and those where its partition begins and ends. */
function counted(
  context: OperatorContext,
  { rowCount, rows, partitions }: OverOrder,
  of: (place: number, start: number, end: number) => number,
): Computed {
  const values = new Uint32Array(rowCount)
  for (let i = 0; i + 1 < partitions.length; i++) {
    const [start, end] = [partitions[i], partitions[i + 1]]
    for (let place = start; place < end; place++) values[rows === null ? place : rows[place]] = of(place, start, end)
  }
  return wholeNumbers(context, values)
}

/** The same of the first of its peers, and of how manieth they are. */
function ranked(
  context: OperatorContext,
  order: OverOrder,
  of: (first: number, start: number, nth: number) => number,
): Computed {
  const values = new Uint32Array(order.rowCount)
  eachPeers(order, (first, end, start, _partitionEnd, nth) => {
    const value = of(first, start, nth)
    for (let place = first; place < end; place++) values[order.rows === null ? place : order.rows[place]] = value
  })
  return wholeNumbers(context, values)
}

function percentRanks({ k }: OperatorContext, order: OverOrder): Computed {
  const values = new Float64Array(order.rowCount)
  eachPeers(order, (first, end, start, partitionEnd) => {
    const value = partitionEnd - start === 1 ? 0 : (first - start) / (partitionEnd - start - 1)
    for (let place = first; place < end; place++) values[order.rows === null ? place : order.rows[place]] = value
  })
  return floats(k, values, null)
}

function eachPeers(
  { peers, partitions }: OverOrder,
  use: (first: number, end: number, start: number, partitionEnd: number, nth: number) => void,
): void {
  for (let i = 0, partition = 0, nth = 1; i + 1 < peers.length; i++, nth++) {
    if (peers[i] >= partitions[partition + 1]) {
      partition++
      nth = 1
    }
    use(peers[i], peers[i + 1], partitions[partition], partitions[partition + 1], nth)
  }
}

/** The value of the row so many places on, null where that is another partition's. */
function shifted(
  { k }: OperatorContext,
  { rowCount, rows, partitions }: OverOrder,
  column: LaneVector,
  distance: number,
): Computed {
  const { memory } = k
  const sources = new Uint32Array(rowCount)
  const isThere = new Uint8Array(rowCount)
  for (let i = 0; i + 1 < partitions.length; i++) {
    const [start, end] = [partitions[i], partitions[i + 1]]
    for (let place = start; place < end; place++) {
      const other = place + distance
      if (other < start || other >= end) continue
      const row = rows === null ? place : rows[place]
      sources[row] = rows === null ? other : rows[other]
      isThere[row] = 1
    }
  }
  return (from, to) => {
    const indices = memory.scratch(4 * (to - from))
    memory.u32.set(sources.subarray(from, to), indices >>> 2)
    const values = take(k, column, indices, to - from)
    const present = bitsOf(k, isThere, from, to)
    const validity = values.validity === 0 ? present : and(k, values.validity, present, to - from)
    return { ...values, validity }
  }
}

/** Each value weighs `alpha`, all before it together the rest; a null leaves what there was, and the first value is taken as it is. */
function ewma(
  { k }: OperatorContext,
  { rowCount, rows, partitions }: OverOrder,
  { parameters }: OverCall,
  column: LaneVector,
): Computed {
  const alpha = parameters.alpha as number
  const given = new Float64Array(k.memory.u8.buffer, column.data, rowCount)
  const isValid = validityOf(k, column)
  const values = new Float64Array(rowCount)
  const isThere = new Uint8Array(rowCount)
  for (let i = 0; i + 1 < partitions.length; i++) {
    let mean: number | null = null
    for (let place = partitions[i]; place < partitions[i + 1]; place++) {
      const row = rows === null ? place : rows[place]
      if (isValid(row)) mean = mean === null ? given[row] : alpha * given[row] + (1 - alpha) * mean
      if (mean === null) continue
      values[row] = mean
      isThere[row] = 1
    }
  }
  return floats(k, values, column.validity === 0 ? null : isThere)
}

/** Of rows as they come, whether all before it that are kept are `within` or more away: of each stretch of that length at most one is. */
function spaced(
  { k }: OperatorContext,
  { rowCount, rows, partitions }: OverOrder,
  { parameters }: OverCall,
  column: LaneVector,
): Computed {
  const within = parameters.within as bigint
  const times = k.memory.i64.slice(column.data >>> 3, (column.data >>> 3) + rowCount)
  const isKept = new Uint8Array(rowCount)
  for (let i = 0; i + 1 < partitions.length; i++) {
    const kept = new Map<bigint, bigint>()
    for (let place = partitions[i]; place < partitions[i + 1]; place++) {
      const row = rows === null ? place : rows[place]
      const time = times[row]
      const stretch = time / within - (time < 0n && time % within !== 0n ? 1n : 0n)
      let isFree = true
      for (let near = stretch - 1n; near <= stretch + 1n; near++) {
        const other = kept.get(near)
        if (other !== undefined && time - other < within && other - time < within) isFree = false
      }
      if (!isFree) continue
      kept.set(stretch, time)
      isKept[row] = 1
    }
  }
  return (from, to) => ({
    type: bool(),
    length: to - from,
    data: bitsOf(k, isKept, from, to),
    validity: 0,
    dictionary: null,
    range: null,
  })
}

function wholeNumbers({ k }: OperatorContext, values: Uint32Array): Computed {
  const { memory } = k
  return (from, to) => {
    const data = memory.scratch(8 * (to - from))
    const { u32 } = memory
    for (let row = from, at = data >>> 2; row < to; row++, at += 2) {
      u32[at] = values[row]
      u32[at + 1] = 0
    }
    return { type: int64(), length: to - from, data, validity: 0, dictionary: null, range: null }
  }
}

export function floats(k: OperatorContext['k'], values: Float64Array, isThere: Uint8Array | null): Computed {
  const { memory } = k
  return (from, to) => {
    const data = memory.scratch(8 * (to - from))
    memory.f64.set(values.subarray(from, to), data >>> 3)
    const validity = isThere === null ? 0 : bitsOf(k, isThere, from, to)
    return {
      type: { kind: 'float64', nullable: validity !== 0 },
      length: to - from,
      data,
      validity,
      dictionary: null,
      range: null,
    }
  }
}

/** Floats in scratch with one zero and one NaN, in place. */
function oneNumber({ memory }: OperatorContext['k'], column: LaneVector): LaneVector {
  const { type, data, length } = column
  if (type.kind !== 'float64' && type.kind !== 'float32') return column
  const values = type.kind === 'float64' ? memory.f64.subarray(data >>> 3) : memory.f32.subarray(data >>> 2)
  for (let i = 0; i < length; i++) values[i] = Number.isNaN(values[i]) ? Number.NaN : values[i] + 0
  return column
}
