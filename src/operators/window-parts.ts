/**
 * What a lane makes of rows of a flow that runs on: groups by window and keys with their states, for the calling thread to merge into those that it has (live-windows.ts). A part of lanes.
 *
 * A lane does not know the watermark that its rows come to, only how they move it on. A row is late where its window has ended by either: those that are by the rows of this lane before it
 * are left out here, and counted; of all others of a window none is, or each, which is seen from the end of the window.
 * Where windows overlap rows are grouped by pane, and come so as long as none is late for any window by those before it.
 */
import { bool, type SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { numbers } from '../kernels/aggregate/accumulator.js'
import { type AggregateInput, type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { not } from '../kernels/bitmap.js'
import { createGroupTable, type GroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { type Selection, selection, slice, take, takeBatch } from '../kernels/select.js'
import type { LaneWindows } from '../plan/lane-windows.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext, Pipeline } from './build.js'
import { movedStates } from './moved-states.js'
import { createOneDictionary } from './one-dictionary.js'
import { type Meter, type Morsel, RowFailure } from './operator.js'
import { applyAll } from './pipeline.js'
import { type Range, RUN_ROWS, type Run, rangeOfAll, rangesOf, runsOf, windowStartOf } from './window-runs.js'

/** The groups of one window, or of all panes, by their first appearance; `B` as of `Part`. */
export interface WindowGroups<B> {
  /** How many rows each has, where windows overlap: their beginnings are the first key then. */
  readonly panes: readonly { readonly start: bigint; readonly rowCount: number }[] | null
  readonly start: bigint
  readonly end: bigint
  readonly rowCount: number
  readonly groupCount: number
  readonly keys: B
  readonly state: readonly Uint8Array[]
}

/** Rows one after another, grouped. */
export interface WindowPart<B> {
  /** As they came to the watermark. */
  readonly rowCount: number
  /** Null: none of them has a time. */
  readonly latest: bigint | null
  /** Of those that would have been in windows, also for want of a time. */
  readonly lateRows: number
  /** Behind the last of them, among the places of all rows. */
  readonly place: number
  readonly windows: readonly WindowGroups<B>[]
}

export interface WindowParts {
  /**
   * Takes rows as they come to the watermark. `place`: of the first among all. False: it has not, and leaves them to the calling thread, unless `give` makes room; where a row fails it is
   * that which says whether it should have been looked at.
   */
  take(morsel: Morsel, place: number): boolean
  /** All that it has taken since the last time; null: nothing. */
  give(unload: (batch: LaneBatch) => VectorBatch): WindowPart<VectorBatch> | null
  free(): void
}

/** What is measured, by what it is called. */
interface Counted {
  readonly label: string
  kernels(): readonly string[]
}

/** In the place of a window's beginning. */
const ALL = 0n

interface Single {
  readonly table: GroupTable
  aggregation: Aggregation
  rowCount: number
}

/** Rows of a morsel that is worth a part: fewer are sooner grouped where they are to be in the end. */
const LEAST_ROWS = 8192
/** Windows of a part, which have a table each, or panes, which are in one; and rows to each. */
const MOST_WINDOWS = 16
const MOST_PANES = 64
const LEAST_WINDOW_ROWS = 256
/** Groups of a part before another is begun. */
const MOST_GROUPS = 2 ** 17
/** Where a group has so few rows or fewer, as many morsels go on as they are before it is tried again. */
const LEAST_GROUP_ROWS = 4
const REST_MORSELS = 16
/** Slots of tables without hashing: fewer than in the calling thread, since a lane has more windows at a time. */
const MOST_SLOTS = 2 ** 14
/** Instants of which sums and differences are exact in a double. */
const MOST_EXACT = 2n ** 51n
/** Places up to there are exact in a double, and the calling thread may go on from them. */
const MOST_PLACE = 2 ** 52

/** @param pipeline of `spec.stages`. @param input the columns that come. @param meterOf who counts what is grouped. @param leastRows for tests, which have few */
export function createWindowParts(
  context: OperatorContext,
  spec: LaneWindows,
  pipeline: Pipeline,
  input: SchemaShape,
  meterOf: (operator: Counted) => Meter,
  leastRows = { morsel: LEAST_ROWS, window: LEAST_WINDOW_ROWS, group: LEAST_GROUP_ROWS },
): WindowParts {
  const { k } = context
  const { memory } = k
  const { fixed, stages, goesByPlace, overlaps } = spec
  const given = Object.keys(input)
  const timeColumn = given.indexOf(spec.column)
  const own = stages.sourceColumns.map(name => given.indexOf(name))
  const timeOfOwn = own.indexOf(timeColumn)
  const schema = pipeline.scan.output
  const names = Object.keys(schema)
  const keyColumns = spec.keys.map(name => names.indexOf(name))
  const time = names.indexOf(spec.time)
  const keyTypes = [...(overlaps ? [schema[spec.time]] : []), ...spec.keys.map(name => schema[name])]
  const inputs = createAggregateInputs(context, spec.accumulators, schema)
  const texts = createOneDictionary(context)
  const size = Number(fixed.size)
  const offset = Number(fixed.offset % fixed.size)
  const delay = Number(spec.delay)
  /** By their beginnings; groups of panes are in one table, whose order is theirs. */
  const windows = new Map<bigint, Single>()
  /** How many rows each pane has. */
  const panes = new Map<bigint, number>()
  let rowCount = 0
  let lateRows = 0
  let place = 0
  let latest: bigint | null = null
  /** Morsels that are left alone. */
  let resting = 0
  let kernels: readonly string[] = []
  const counts = meterOf({ label: `group by ${['window', ...spec.keys].join(', ')}`, kernels: () => kernels })

  const endOf = (instant: number): number => {
    const since = (instant - offset) % size
    return instant - (since < 0 ? since + size : since) + size
  }

  const groupCount = (): number => {
    let count = 0
    for (const { table } of windows.values()) count += table.length
    return count
  }

  /** Whether rows of these times have few windows, together with those that there are, and many rows in each. */
  function areFew({ min, max }: Range, more: number): boolean {
    let [first, last] = [windowStartOf(min, fixed), windowStartOf(max, fixed)]
    for (const start of (overlaps ? panes : windows).keys()) {
      if (start < first) first = start
      if (start > last) last = start
    }
    const count = (last - first) / fixed.size + 1n
    return count <= (overlaps ? MOST_PANES : MOST_WINDOWS) && rowCount + more >= leastRows.window * Number(count)
  }

  /** Rows whose windows have ended by the rows before them. */
  function lateAmong({ data, length }: LaneVector, ranges: readonly Range[]): number[] {
    const rows: number[] = []
    const { i32, u32 } = memory
    let most = latest === null ? -Infinity : Number(latest)
    for (const [i, { min, max }] of ranges.entries()) {
      const after = Math.max(most, Number(max))
      if (endOf(Number(min)) <= after - delay) {
        const to = Math.min(length, (i + 1) * RUN_ROWS)
        for (let row = i * RUN_ROWS, word = (data >>> 2) + 2 * row; row < to; row++, word += 2) {
          const instant = i32[word + 1] * 2 ** 32 + u32[word]
          if (instant > most) most = instant
          // None ends before its rows' times.
          else if (instant < most - delay && endOf(instant) <= most - delay) rows.push(row)
        }
      }
      most = after
    }
    return rows
  }

  /** All rows but these, ascending (u32 pointer). */
  function othersThan(rows: readonly number[], length: number): number {
    const places = memory.scratch(4 * (length - rows.length))
    let [at, next] = [places >>> 2, 0]
    for (let row = 0; row < length; row++) {
      if (row === rows[next]) next++
      else memory.u32[at++] = row
    }
    return places
  }

  function placesOf(rows: readonly number[]): number {
    const places = memory.scratch(4 * rows.length)
    memory.u32.set(rows, places >>> 2)
    return places
  }

  const through = (batch: LaneBatch): Morsel | null => applyAll(pipeline.scan.transforms, { ...batch, rows: 0 }, memory)

  function taken(batch: LaneBatch, places: number, count: number): LaneBatch {
    const { columns } = takeBatch(k, batch, places, count)
    return { rowCount: count, columns: columns.map(column => ({ ...column, range: null })) }
  }

  function takeRows(morsel: Morsel, at: number): boolean {
    if (resting > 0 || (rowCount === 0 && morsel.rowCount < leastRows.morsel)) return false
    if (groupCount() > MOST_GROUPS || (goesByPlace && at > MOST_PLACE)) return false
    const { length, validity } = morsel.columns[timeColumn]
    const all: LaneBatch = { rowCount: length, columns: own.map(i => morsel.columns[i]) }
    if (validity === 0) return takeTimed(all, at, length, null)
    const known = selection(k, validity, length)
    const unknown = selection(k, not(k, validity, length), length)
    const refused = unknown.count === 0 ? null : through(taken(all, unknown.indices, unknown.count))
    return takeTimed(taken(all, known.indices, known.count), at, length, refused)
  }

  /** Rows that have a time, of so many that came; `untimed`: what is left of those that have none. */
  function takeTimed(all: LaneBatch, at: number, total: number, untimed: LaneBatch | null): boolean {
    const times: LaneVector = { ...all.columns[timeOfOwn], validity: 0 }
    const came = rangesOf(k, times, 0, all.rowCount)
    const range = all.rowCount === 0 ? null : rangeOfAll(came)
    if (range !== null && (range.min < -MOST_EXACT || range.max > MOST_EXACT)) return false
    const late = lateAmong(times, came)
    // They may be late for some of their windows only: what is there in the others is to be told before.
    if (overlaps && late.length > 0) return false
    const isEach = late.length === 0
    const kept = isEach ? all : taken(all, othersThan(late, all.rowCount), all.rowCount - late.length)
    const ranges = isEach ? came : rangesOf(k, kept.columns[timeOfOwn], 0, kept.rowCount)
    if (kept.rowCount > 0 && !areFew(rangeOfAll(ranges), kept.rowCount)) return false
    const left = kept.rowCount === 0 ? null : through(kept)
    const refused = isEach ? null : through(taken(all, placesOf(late), late.length))
    if (left !== null) {
      const rows: Morsel = { ...texts.recode(left), rows: left.rows }
      counts.run(() => {
        const values = inputs.evaluate(rows)
        // From here on nothing fails for the sake of a row.
        counts.took(rows)
        const isWhole = rows.rowCount === kept.rowCount
        group(rows, values, isWhole ? ranges : rangesOf(k, rows.columns[time], 0, rows.rowCount), at)
      })
    }
    rowCount += total
    lateRows += (refused?.rowCount ?? 0) + (untimed?.rowCount ?? 0)
    place = at + total
    if (range !== null && (latest === null || range.max > latest)) latest = range.max
    return true
  }

  function group(rows: LaneBatch, values: readonly AggregateInput[], ranges: readonly Range[], at: number): void {
    const keys = keyColumns.map(i => rows.columns[i])
    if (overlaps) {
      add(ALL, [panesOf(rows.columns[time], ranges), ...keys], values, rows.rowCount, at)
      return
    }
    for (const { from, to, first, last } of runsOf(ranges, rows.rowCount, fixed)) {
      const mark = memory.mark()
      const cut = (vector: LaneVector): LaneVector => ({ ...slice(k, vector, from, to), range: null })
      const whole = from === 0 && to === rows.rowCount
      const [mine, own] = whole ? [keys, values] : [keys.map(cut), values.map(each => mapped(each, cut))]
      if (first === last) add(first, mine, own, to - from, at + from)
      else {
        const parts = partsOf(rows.columns[time], { from, to, first, last })
        for (const [i, { indices, count }] of parts.entries()) {
          if (count === 0) continue
          const inner = memory.mark()
          const pick = (vector: LaneVector): LaneVector => ({ ...take(k, vector, indices, count), range: null })
          const start = first + BigInt(i) * fixed.size
          add(
            start,
            mine.map(pick),
            own.map(each => mapped(each, pick)),
            count,
            at + from,
          )
          memory.reset(inner)
        }
      }
      memory.reset(mark)
    }
  }

  /** Of each of so many windows its rows, from `from` on (u32 pointers). */
  function partsOf(times: LaneVector, run: Run): Selection[] {
    const windowOf = windowsOf(times, run)
    const counts = countsOf(windowOf, run)
    const places = Array.from(counts, count => memory.scratch(4 * count))
    const next = places.map(place => place >>> 2)
    const { u32: room } = memory
    for (let row = 0; row < windowOf.length; row++) room[next[windowOf[row]]++] = row
    return places.map((indices, i) => ({ indices, count: counts[i] }))
  }

  /** Of each row of a run, the how manieth of its windows it is in. */
  function windowsOf({ data }: LaneVector, { from, to, first }: Run): Uint8Array {
    const least = Number(first)
    const windowOf = new Uint8Array(to - from)
    const { i32, u32 } = memory
    for (let row = from, word = (data >>> 2) + 2 * from; row < to; row++, word += 2)
      windowOf[row - from] = Math.floor((i32[word + 1] * 2 ** 32 + u32[word] - least) / size)
    return windowOf
  }

  function countsOf(windowOf: Uint8Array, { first, last }: Run): Uint32Array {
    const counts = new Uint32Array(Number((last - first) / fixed.size) + 1)
    for (const window of windowOf) counts[window]++
    return counts
  }

  /** The beginning of each row's pane; how many rows these have is counted. */
  function panesOf(times: LaneVector, ranges: readonly Range[]): LaneVector {
    const { type, length } = times
    const data = memory.scratch(8 * length)
    const { i64 } = memory
    for (const run of runsOf(ranges, length, fixed)) {
      const { from, to, first, last } = run
      const at = data >>> 3
      const windowOf = first === last ? null : windowsOf(times, run)
      const counts = windowOf === null ? [to - from] : [...countsOf(windowOf, run)]
      const starts = counts.map((_, i) => first + BigInt(i) * fixed.size)
      for (const [i, count] of counts.entries())
        if (count > 0) panes.set(starts[i], (panes.get(starts[i]) ?? 0) + count)
      if (windowOf === null) i64.fill(first, at + from, at + to)
      else for (let row = from; row < to; row++) i64[at + row] = starts[windowOf[row - from]]
    }
    return { type, length, data, validity: 0, dictionary: null, range: null }
  }

  const mapped = ({ vectors, validity }: AggregateInput, rows: (vector: LaneVector) => LaneVector): AggregateInput => ({
    vectors: vectors.map(rows),
    validity: validity === 0 ? 0 : rows(numbers(bool(), 0, validity)).data,
  })

  function add(
    start: bigint,
    keys: readonly LaneVector[],
    values: readonly AggregateInput[],
    count: number,
    at: number,
  ): void {
    let single = windows.get(start)
    if (single === undefined) {
      const table = createGroupTable(k, keyTypes, MOST_SLOTS)
      single = { table, aggregation: createAggregation(context, inputs.specs), rowCount: 0 }
      windows.set(start, single)
    }
    const { table } = single
    const move = table.cover(keys, count)
    if (move !== null) single.aggregation = movedStates(context, inputs.specs, table, single.aggregation, move)
    const groups = table.find(keys, count)
    single.aggregation.resize(table.indexCount)
    single.aggregation.update(groups, values, count, at)
    single.aggregation.open(table.order, table.length)
    single.rowCount += count
  }

  function clear(): void {
    for (const { table, aggregation } of windows.values()) {
      table.free()
      aggregation.free()
    }
    windows.clear()
    panes.clear()
    texts.clear()
    rowCount = 0
    lateRows = 0
    latest = null
  }

  return {
    take(morsel, at) {
      const mark = memory.mark()
      try {
        const isTaken = takeRows(morsel, at)
        if (resting > 0) resting--
        return isTaken
      } catch (error) {
        if (error instanceof RowFailure) return false
        throw error
      } finally {
        memory.reset(mark)
      }
    },
    give(unload) {
      if (rowCount === 0) return null
      const mark = memory.mark()
      const all = [...windows].sort(([a], [b]) => (a < b ? -1 : 1))
      const groups = all.map(([start, { table, aggregation, rowCount }]): WindowGroups<VectorBatch> => {
        const { length } = table
        kernels = [`group: ${table.kernel}`, ...aggregation.kernels]
        const state = aggregation.laneState(table.order, length, true)
        const columns = table.keys()
        counts.gave({ rowCount: length, columns })
        const keys = unload({ rowCount: length, columns })
        const ofPanes = overlaps ? Array.from(panes, ([start, rowCount]) => ({ start, rowCount })) : null
        return { panes: ofPanes, start, end: start + fixed.size, rowCount, groupCount: length, keys, state }
      })
      if (rowCount < leastRows.group * groupCount()) resting = REST_MORSELS
      const part = { rowCount, latest, lateRows, place, windows: groups }
      clear()
      memory.reset(mark)
      return part
    },
    free() {
      clear()
      inputs.free()
      pipeline.free()
    },
  }
}
