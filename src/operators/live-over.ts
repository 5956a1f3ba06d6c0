/**
 * `over` in a job that goes on: rows wait until the watermark is past their time, take their place among those of their partition, and go on once what is said of them is known. Of a
 * partition that is left then which rows to come may yet ask for (live-over-partition.ts), and of frames that begin with it a state (over-running.ts). What is said is computed as where all is
 * collected (over.ts), of the rows that are kept. Of rows of one time those that wait for rows behind them go on later than others: ties are by arrival, as everywhere.
 */
import { int64 } from '../columnar/type.js'
import { createGroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { take } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { LiveAggregateSpec, LiveOverSpec } from '../plan/live.js'
import type { OperatorContext, OperatorParts } from './build.js'
import { createLeastTime } from './least-time.js'
import type { LiveAggregate } from './live-aggregate.js'
import { createArrivals } from './live-over-arrivals.js'
import { emptyPartition, foldableTo, knownTo, needsOf, type Partition, trim } from './live-over-partition.js'
import { createOneDictionary } from './one-dictionary.js'
import type { Morsel } from './operator.js'
import type { Frames, OverOrder } from './over-order.js'
import { renewOne } from './renewed-texts.js'
import { createRowLog } from './row-log.js'

/** A partition some of whose rows can be given: its rows lie in a batch from `start` on. */
interface Giving {
  readonly partition: Partition
  readonly end: number
  readonly start: number
}

const COUNTED = ['rowNumber', 'rank', 'denseRank'] as const
/** Partitions that there are, at least, before those of which nothing is kept are let go. */
const LEAST_IDLE = 4096
/** The group of a row that is not given. */
const NONE = 0xffff_ffff
const LEAST = -(2n ** 63n)

/** Columns of what it gives: `over.output`. */
export function createLiveOver(
  context: OperatorContext,
  { keys, input, time, over }: LiveAggregateSpec & { readonly over: LiveOverSpec },
  watermark: string,
): LiveAggregate {
  const { k, dictionaries: pool } = context
  const { memory } = k
  const part = context.parts.over as OperatorParts['over']
  const { frame, order: by, calls } = over
  const names = Object.keys(input)
  const keyColumns = keys.map(name => names.indexOf(name))
  const keyTypes = keys.map(name => input[name] as LaneVector['type'])
  const aggregates = part.aggregatesIn(calls)
  /** Those that go on from row to row: they are counted here. */
  const counted = COUNTED.flatMap(kind => calls.filter(call => call.function === kind).map(call => ({ ...call, kind })))
  const smoothed = calls.filter(({ function: name }) => name === 'ewma')
  const others = calls.filter(call => !smoothed.includes(call) && !counted.some(({ name }) => name === call.name))
  const isMarked = by === 'time' && over.columns.includes(watermark)
  /** What is kept of rows: what is handed on, and what is read. */
  const kept = [
    ...new Set([
      ...over.columns.filter(name => !isMarked || name !== watermark),
      ...calls.flatMap(({ inputs, where }) => (where === null ? inputs : [...inputs, where])),
      ...(frame?.unit === 'values' ? [time] : []),
    ]),
  ]
  const placeOf = (name: string): number => kept.indexOf(name)
  const needs = needsOf(over)
  const texts = createOneDictionary(context)
  const resultTexts = new Map<number, LaneDictionary>()
  const textOf = part.textsOf(pool, resultTexts)
  const log = createRowLog(k)
  const arrivals = createArrivals()
  const running = needs.isRunning
    ? part.createRunning(
        context,
        aggregates,
        aggregates.map(({ inputs }) => inputs.map(placeOf)),
        aggregates.map(({ where }) => (where === null ? null : placeOf(where))),
      )
    : null
  /** Whether something of a partition is known for ever. */
  const hasMemory = running !== null || counted.length > 0 || smoothed.length > 0
  let table = createGroupTable(k, keyTypes, 0)
  let partitions: Partition[] = []
  /** Those with rows that wait for others behind them. */
  const pending = new Set<Partition>()
  /** Of these, the times of the first. */
  const held = createLeastTime<Partition>((each, at) => pending.has(each) && each.times[each.next] === at)
  /** Those with rows that have been given and may be asked for. */
  const keeping = new Set<Partition>()
  let passed = LEAST
  let swept = LEAST
  let mostIdle = LEAST_IDLE

  function consume(given: Morsel): Iterable<LaneBatch> {
    const { rowCount } = given
    if (rowCount === 0) return []
    const { columns } = texts.recode(given)
    const vectors = keyColumns.map(i => columns[i] as LaneVector)
    table.cover(vectors, rowCount)
    const found = table.find(vectors, rowCount)
    const groups = found === 0 ? new Uint32Array(rowCount) : memory.u32.slice(found >>> 2, (found >>> 2) + rowCount)
    for (const group of groups) {
      partitions[group] ??= emptyPartition(group, smoothed.length)
      ;(partitions[group] as Partition).waiting++
    }
    const first = log.add({ rowCount, columns: kept.map(name => columns[names.indexOf(name)] as LaneVector) })
    const at = (columns[names.indexOf(time)]?.data ?? 0) >>> 3
    arrivals.add(first, groups, by === 'arrival' ? null : memory.i64.slice(at, at + rowCount))
    return []
  }

  function* advance(mark: bigint, isEnd: boolean): Iterable<LaneBatch> {
    // Of windows that have closed all results are there, also those of the last.
    const limit = by === 'ends' ? mark + 1n : mark
    const touched = settle(by === 'arrival' || isEnd ? null : limit)
    if (isEnd || needs.ticksAhead > 0n) for (const each of pending) touched.add(each)
    const giving = ready(touched, limit, isEnd)
    if (giving.length > 0) yield give(giving, limit)
    passed = heldBack(mark)
    if (isEnd) end()
    else if (needs.ticksBack !== null && limit - swept > needs.ticksBack / 4n) {
      swept = limit
      for (const each of keeping) trimmed(each, limit)
    }
    log.tidy()
    if (!hasMemory && partitions.length > mostIdle) {
      move(column => column)
      mostIdle = Math.max(LEAST_IDLE, 2 * partitions.length)
    }
  }

  /** Rows whose time has come take their places. */
  function settle(limit: bigint | null): Set<Partition> {
    const { numbers, times, groups } = arrivals.take(limit)
    const touched = new Set<Partition>()
    for (const [i, number] of numbers.entries()) {
      const partition = partitions[groups[i] as number] as Partition
      partition.numbers.push(number)
      if (by !== 'arrival') partition.times.push(times[i] as bigint)
      partition.waiting--
      touched.add(partition)
    }
    return touched
  }

  function ready(touched: ReadonlySet<Partition>, limit: bigint, isEnd: boolean): Giving[] {
    const giving: Giving[] = []
    let start = 0
    for (const partition of touched) {
      const { length } = partition.numbers
      const end = isEnd ? length : knownTo(partition, needs, limit)
      if (end < length) {
        const isHeld = pending.has(partition) && end === partition.next
        if (!isHeld && by !== 'arrival') held.add(partition, partition.times[end] as bigint)
        pending.add(partition)
      } else pending.delete(partition)
      if (end === partition.next) continue
      giving.push({ partition, end, start })
      start += length - partition.head
    }
    return giving
  }

  /** The rows whose time has come, in the order of their times and as they came, with what is said of them. */
  function give(giving: readonly Giving[], limit: bigint): LaneBatch {
    const numbers = giving.flatMap(({ partition }) => partition.numbers.slice(partition.head))
    const all: LaneBatch = { rowCount: numbers.length, columns: log.gather(numbers) }
    const output = said(giving, all)
    for (const { partition, end } of giving) partition.next = end
    if (running !== null) fold(giving, all, limit)
    for (const { partition } of giving) trimmed(partition, limit)
    return output
  }

  function said(giving: readonly Giving[], all: LaneBatch): LaneBatch {
    const { rowCount } = all
    const rows = inOrder(giving)
    const at = memory.scratch(4 * rows.length)
    memory.u32.set(rows, at >>> 2)
    const before = running && { states: running, groups: groupsOf(giving, rowCount) }
    const frees: (() => void)[] = []
    try {
      const order = orderOf(giving, rowCount)
      const frames = () => framesIn(giving, all, order)
      const computing = part.computeCalls(context, all, order, others, placeOf, frames, textOf, frees, before)
      let step = computing.next()
      while (!step.done) step = computing.next()
      const computed = new Map([...step.value].map(([name, of]) => [name, of(0, rowCount)]))
      count(giving, rowCount, computed)
      smooth(giving, all, computed)
      const columns = Object.entries(over.output).map(([name, type]): LaneVector => {
        if (isMarked && name === watermark) return marks(rows.length, type)
        const column = computed.get(name) ?? (all.columns[placeOf(name)] as LaneVector)
        return { ...take(k, column, at, rows.length), type, range: null }
      })
      return { rowCount: rows.length, columns }
    } finally {
      for (const free of frees) free()
    }
  }

  /** Each row that is given, by its place in the batch. */
  function eachGiven(giving: readonly Giving[], use: (place: number, i: number, partition: Partition) => void): void {
    for (const { partition, end, start } of giving)
      for (let i = partition.next; i < end; i++) use(start + i - partition.head, i, partition)
  }

  function inOrder(giving: readonly Giving[]): number[] {
    const rows: { readonly place: number; readonly number: number; readonly time: bigint }[] = []
    eachGiven(giving, (place, i, { numbers, times }) => {
      rows.push({ place, number: numbers[i] as number, time: times[i] ?? 0n })
    })
    rows.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.number - b.number))
    return rows.map(({ place }) => place)
  }

  function orderOf(giving: readonly Giving[], rowCount: number): OverOrder {
    const peers: number[] = []
    for (const { partition, start } of giving) {
      const { times, numbers, head } = partition
      for (let i = head; i < numbers.length; i++)
        if (i === head || times[i] !== times[i - 1]) peers.push(start + i - head)
    }
    const partitions = Uint32Array.from([...giving.map(({ start }) => start), rowCount])
    return { rowCount, rows: null, partitions, peers: Uint32Array.from([...peers, rowCount]) }
  }

  /** Of the rows that are given; others have none. */
  function framesIn(giving: readonly Giving[], all: LaneBatch, order: OverOrder): Frames {
    if (frame === null) throw new Error('an aggregate has a frame')
    const column = frame.unit === 'values' ? (all.columns[placeOf(time)] as LaneVector) : null
    const found = part.framesOf(k, order, frame, column, false)
    const frames = { from: new Uint32Array(all.rowCount), to: new Uint32Array(all.rowCount) }
    for (const { partition, end, start } of giving) {
      const { next, folded, head } = partition
      for (let i = next; i < end; i++) {
        const place = start + i - head
        const from = needs.isRunning ? start + folded - head : (found.from[place] as number)
        frames.from[place] = from
        frames.to[place] = Math.max(from, found.to[place] as number)
      }
    }
    return frames
  }

  function groupsOf(giving: readonly Giving[], rowCount: number): Uint32Array {
    const groups = new Uint32Array(rowCount).fill(NONE)
    eachGiven(giving, (place, _, { group }) => {
      groups[place] = group
    })
    return groups
  }

  function count(giving: readonly Giving[], rowCount: number, computed: Map<string, LaneVector>): void {
    if (counted.length === 0) return
    const values = {
      rowNumber: new Float64Array(rowCount),
      rank: new Float64Array(rowCount),
      denseRank: new Float64Array(rowCount),
    }
    eachGiven(giving, (place, i, partition) => {
      const time = partition.times[i] ?? null
      partition.count++
      if (partition.last !== time || partition.count === 1) {
        partition.rank = partition.count
        partition.denseRank++
        partition.last = time
      }
      values.rowNumber[place] = partition.count
      values.rank[place] = partition.rank
      values.denseRank[place] = partition.denseRank
    })
    for (const { name, kind } of counted) computed.set(name, wholeNumbers(values[kind]))
  }

  function wholeNumbers(values: Float64Array): LaneVector {
    const { length } = values
    const data = memory.scratch(8 * length)
    const { u32 } = memory
    for (let i = 0; i < length; i++) {
      const value = values[i] as number
      u32[(data >>> 2) + 2 * i] = value
      u32[(data >>> 2) + 2 * i + 1] = value / 2 ** 32
    }
    return { type: int64(), length, data, validity: 0, dictionary: null, range: null }
  }

  function smooth(giving: readonly Giving[], all: LaneBatch, computed: Map<string, LaneVector>): void {
    for (const [nth, { name, inputs, parameters }] of smoothed.entries()) {
      const column = all.columns[placeOf(inputs[0] as string)] as LaneVector
      const alpha = parameters.alpha as number
      const given = memory.f64.subarray(column.data >>> 3, (column.data >>> 3) + all.rowCount)
      const isValid = part.validityOf(k, column)
      const values = new Float64Array(all.rowCount)
      const isThere = new Uint8Array(all.rowCount)
      eachGiven(giving, (place, _, { means }) => {
        let mean = means[nth] ?? null
        const value = given[place] as number
        if (isValid(place)) mean = mean === null ? value : alpha * value + (1 - alpha) * mean
        means[nth] = mean
        if (mean === null) return
        values[place] = mean
        isThere[place] = 1
      })
      computed.set(name, part.floats(k, values, column.validity === 0 ? null : isThere)(0, all.rowCount))
    }
  }

  /** No row that is yet to come is before what it was after the last step. */
  function marks(length: number, type: LaneVector['type']): LaneVector {
    const data = memory.scratch(8 * length)
    memory.i64.fill(passed, data >>> 3, (data >>> 3) + length)
    return { type, length, data, validity: 0, dictionary: null, range: null }
  }

  /** Adds up what the frames of all rows to come have. */
  function fold(giving: readonly Giving[], all: LaneBatch, limit: bigint): void {
    const places: number[] = []
    const groups: number[] = []
    for (const { partition, start } of giving) {
      const end = foldableTo(partition, frame as NonNullable<typeof frame>, limit)
      for (; partition.folded < end; partition.folded++) {
        places.push(start + partition.folded - partition.head)
        groups.push(partition.group)
      }
    }
    if (places.length > 0) running?.add(all, Uint32Array.from(places), Uint32Array.from(groups), partitions.length)
  }

  function trimmed(partition: Partition, limit: bigint): void {
    trim(partition, needs, limit, log.drop)
    if (partition.next > partition.head) keeping.add(partition)
    else keeping.delete(partition)
  }

  /** How far those behind may take the watermark: not past a row that waits. */
  function heldBack(mark: bigint): bigint {
    const first = held.least()
    if (first === null) return mark
    const least = by === 'ends' ? first - 1n : first
    return least < mark ? least : mark
  }

  function end(): void {
    log.free()
    partitions = []
    pending.clear()
    held.clear()
    keeping.clear()
  }

  /** Has a table of the partitions of which something is kept. */
  function move(recode: (column: LaneVector) => LaneVector): void {
    const left = hasMemory ? partitions : partitions.filter(each => each.waiting > 0 || each.numbers.length > each.head)
    const groups = new Uint32Array(partitions.length)
    const begun = memory.mark()
    if (keys.length > 0) {
      const next = createGroupTable(k, keyTypes, 0)
      if (left.length > 0) {
        const indices = memory.scratch(4 * left.length)
        memory.u32.set(
          left.map(({ group }) => group),
          indices >>> 2,
        )
        const columns = table.keysAt(indices, left.length).map(column => recode({ ...column, range: null }))
        next.cover(columns, left.length)
        const found = next.find(columns, left.length) >>> 2
        for (const [i, partition] of left.entries()) {
          const group = memory.u32[found + i] as number
          groups[partition.group] = group
          partition.group = group
        }
      }
      table.free()
      table = next
    }
    running?.move(groups, partitions.length)
    const moved: Partition[] = []
    for (const partition of left) moved[partition.group] = partition
    partitions = moved
    arrivals.regroup(groups)
    memory.reset(begun)
  }

  function forgetTexts(): void {
    for (const dictionary of resultTexts.values()) pool.release(dictionary)
    resultTexts.clear()
  }

  return {
    label: `over ${keys.length === 0 ? 'all rows' : keys.join(', ')}`,
    consume,
    advance,
    tick: () => [],
    isPending: false,
    get passed() {
      return passed
    },
    renew(renewed) {
      const recode = (column: LaneVector) => renewed.recode(column)
      log.recode(recode)
      move(recode)
      renewOne(texts, renewed, names.length)
      forgetTexts()
    },
    get size() {
      return log.size + (hasMemory ? partitions.length : 0)
    },
    free() {
      log.free()
      running?.free()
      table.free()
      texts.clear()
      forgetTexts()
    },
  }
}
