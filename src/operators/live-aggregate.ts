/**
 * `groupBy().aggregate()` in a job that goes on: groups are given as their windows close, or as they change. Rows are grouped in cells: by window and keys, by pane and keys
 * where windows overlap, or by keys alone.
 *
 * ```
 * consume     rows ── cells: group table, accumulators ── those that change, where that is to be told
 * advance     the watermark: windows that end before it are put together of their cells, and given; cells that no window needs any more go
 * ```
 * What has been given and changes is taken back: a row as it was, of weight -1, then as it is, of weight +1. Groups of which no row is left are only taken back.
 */
import { bool, type DataType, int32, type SchemaShape, uint32 } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { type AggregateSpec, numbers } from '../kernels/aggregate/accumulator.js'
import { type AggregateInput, type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { createGroupTable, type GroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { rangeIndices, take } from '../kernels/select.js'
import { rangeOf } from '../kernels/stats.js'
import type { Panes } from '../plan/logical.js'
import type { AccumulatorSpec } from '../plan/physical.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import { createAlikeTexts } from './alike-texts.js'
import type { OperatorContext } from './build.js'
import { createKeyLoader } from './key-loader.js'
import { createLeastTime } from './least-time.js'
import { createCellKeys } from './live-cell-keys.js'
import {
  createChangedGroups,
  createChangedPanes,
  createChangedWindows,
  type LiveChanges,
  rowsOf,
} from './live-changes.js'
import { movedGroups } from './moved-groups.js'
import { createOneDictionary } from './one-dictionary.js'
import type { Morsel } from './operator.js'
import { type RenewedTexts, renewOne } from './renewed-texts.js'
import { ascending, combined, inOrder, type WindowBounds, windowsOf } from './window-groups.js'
import type { WindowGroups } from './window-parts.js'

export interface LiveAggregateStage {
  /** Columns of the input. With windows the first is their beginning, or a pane's, and of windows that do not overlap the second their end. */
  readonly keys: readonly string[]
  readonly accumulators: readonly AccumulatorSpec[]
  readonly windows: 'none' | 'ends' | Panes
  /** Only an end: windows whose beginning is no key of these. */
  readonly isEndOnly: boolean
  /** How long after their end windows still take rows, in ticks. */
  readonly lateness: bigint
  /** `changes`: told as they are; `kept`: gathered until `tick`, or until their window closes or is over; `closed`: once, as windows close, and then as `changes`. */
  readonly emits: 'changes' | 'kept' | 'closed'
  /** Of panes, the column of the watermark as each row came. */
  readonly watermark: string
  /** A column of the input: -1 where a row is taken back; null: none ever is. */
  readonly weight: string | null
}

/** Columns: of windows beginning and end, keys, accumulators, and last the weight (int32). */
export interface LiveAggregate {
  readonly label: string
  consume(morsel: Morsel): Iterable<LaneBatch>
  /** The watermark is there; with `isEnd` there is no more input, and all windows close. */
  advance(watermark: bigint, isEnd: boolean): Iterable<LaneBatch>
  /** Gives what has changed since the last time. */
  tick(): Iterable<LaneBatch>
  /** Whether something has codes that cannot be replaced now: what waits to be told, or all that it keeps. */
  readonly isPending: boolean
  /** Between two steps, where nothing is pending: has what is kept take codes of new dictionaries, and lets go of the old. */
  renew(texts: RenewedTexts): void
  /** Cells that are kept. */
  readonly size: number
  /** How far what follows may take the watermark, where rows have yet to go on that are before it; left out: there are none. */
  readonly passed?: bigint | undefined
  free(): void
}

/** Of windows that are told once. */
export interface LiveCells extends LiveAggregate {
  /** Groups that lanes have made of rows of a window that is open, or of panes, of which nothing is told once their windows are over. `place`: behind these rows. */
  absorb(groups: WindowGroups<VectorBatch>, place: number): void
}

/** Cells of one pane, or of one window. */
interface Pane {
  readonly start: bigint
  /** Its cells, ascending. */
  cells: number[]
  readonly windows: readonly OpenWindow[]
}

interface OpenWindow extends WindowBounds {
  readonly panes: Pane[]
  isClosed: boolean
}

/** What windows are found by. */
const nameOf = ({ start, end }: WindowBounds): string => `${start} ${end}`

/** Cells that are gone before the table is made anew, at least. */
const LEAST_GONE = 4096
const GLOBAL: WindowBounds = { start: 0n, end: 2n ** 63n - 1n }
/** Cells that are all evaluated where some are asked for. */
const MOST_AT_ONCE = 1024
/** More than one table of a lane's direct keys would have: cells are numbered as they appear. */
const NO_SLOTS = 0

export function createLiveAggregate(
  context: OperatorContext,
  stage: LiveAggregateStage,
  input: SchemaShape,
): LiveCells {
  const { k } = context
  const { memory } = k
  const { windows, lateness, emits } = stage
  const names = Object.keys(input)
  const keyColumns = stage.keys.map(name => names.indexOf(name))
  const keyTypes = stage.keys.map(name => input[name] as DataType)
  const weightColumn = stage.weight === null ? -1 : names.indexOf(stage.weight)
  const isRetractable = stage.weight !== null
  const inputs = createAggregateInputs(context, stage.accumulators, input)
  /** Of rows that count as there, where any may be taken back. */
  const rowSpec: AggregateSpec = {
    function: 'count',
    inputs: [],
    inputIndex: inputs.types.length,
    parameters: {},
    label: 'count()',
  }
  const specs = isRetractable ? [...inputs.specs, rowSpec] : inputs.specs
  const isWindowed = windows !== 'none'
  const hasEnds = windows === 'ends'
  const isOverlapping = typeof windows === 'object'
  /** One group of all rows, which is there before the first. */
  const isOne = !isWindowed && keyTypes.length === 0
  /** Keys that are no window's. */
  const plainFrom = !isWindowed ? 0 : hasEnds && !stage.isEndOnly ? 2 : 1
  /** Of what is given of windows: their bounds and keys. */
  const groupTypes = [...Array(stage.isEndOnly ? 1 : 2).fill(keyTypes[0]), ...keyTypes.slice(plainFrom)] as DataType[]
  const dictionaries = createOneDictionary(context)
  /** Of what comes in: tables and states have codes of one dictionary a column. */
  const texts = createOneDictionary(context)
  const keyLoader = createKeyLoader(context, texts, isOverlapping ? keyColumns : keyColumns.slice(plainFrom))
  let table = makeTable()
  const alike = createAlikeTexts(context)
  let aggregation = createAggregation(alike.context(), specs, isRetractable)
  alike.keep()
  let position = 0
  let gone = 0
  /** By their beginnings, and of windows that do not overlap their ends. */
  const panes = new Map<bigint, Pane>()
  let paneOfCell: Pane[] = []
  const open = new Map<string, OpenWindow>()
  /** By their ends, and once closed by when they are over. */
  const due = createLeastTime<OpenWindow>()
  /** Of the cells of panes that overlap, where changes are told. */
  const cellKeys =
    isOverlapping && (emits !== 'closed' || lateness > 0n) && keyTypes.length > plainFrom
      ? createCellKeys(k, keyTypes.slice(plainFrom), NO_SLOTS)
      : null
  let closedUpTo = -(2n ** 63n)
  const changes = createChanges()

  function makeTable(): GroupTable {
    return createGroupTable(k, keyTypes, NO_SLOTS)
  }

  function createChanges(): LiveChanges<OpenWindow> {
    const cellCount = () => table.indexCount
    if (!isWindowed) return createChangedGroups(k, { keyCount: keyTypes.length, cellCount, cellsNow })
    const endOf = ({ end }: OpenWindow) => end
    const ofWindows = { groupTypes, endColumn: stage.isEndOnly ? 0 : 1, endOf, isTold, windowsNow: windowsAsTheyAre }
    const windowsAt = (cell: number) => (paneOfCell[cell] as Pane).windows
    return isOverlapping
      ? createChangedPanes(k, {
          ...ofWindows,
          windowsOf: windowsAt,
          keyOf: cell => cellKeys?.at(cell) ?? 0,
          cellsOf: cellsOfKey,
        })
      : createChangedWindows(k, { ...ofWindows, cellCount, windowOf: cell => windowsAt(cell)[0] as OpenWindow })
  }

  /**
   * A row may be late for some of its windows and in time for others: those end before it counts. So where there are such rows the watermark moves on between rows, as it
   * does without batches.
   */
  function* consume(morsel: Morsel): Iterable<LaneBatch> {
    if (typeof windows !== 'object' || morsel.rowCount === 0) {
      yield* takeRows(morsel)
      return
    }
    const starts = morsel.columns[keyColumns[0] as number] as LaneVector
    const marks = morsel.columns[names.indexOf(stage.watermark)] as LaneVector
    const at = (vector: LaneVector, row: number): bigint => memory.i64[(vector.data >>> 3) + row] as bigint
    // Of rows that are not late at all the watermark only rises.
    const latest = at(marks, morsel.rowCount - 1)
    const least = rangeOf(k, { ...starts, range: null })?.min ?? latest
    if (latest < least + windows.pane + lateness) {
      yield* takeRows(morsel)
      return
    }
    let from = 0
    for (let row = 0; row < morsel.rowCount; row++) {
      const mark = at(marks, row)
      if (mark < at(starts, row) + windows.pane + lateness || mark <= closedUpTo) continue
      if (row > from) yield* takeRows(rowsFrom(morsel, from, row))
      from = row
      yield* advance(mark, false)
    }
    yield* takeRows(rowsFrom(morsel, from, morsel.rowCount))
  }

  function rowsFrom(morsel: Morsel, from: number, to: number): Morsel {
    const count = to - from
    const places = rangeIndices(k, from, to)
    const columns = morsel.columns.map(column => ({ ...take(k, column, places, count), range: null }))
    return { rowCount: count, columns, rows: morsel.rows === 0 ? places : morsel.rows + 4 * from }
  }

  function takeRows(given: Morsel): Iterable<LaneBatch> {
    if (given.rowCount === 0) return []
    const morsel = { ...texts.recode(given), rows: given.rows }
    const keys = keyColumns.map(i => morsel.columns[i] as LaneVector)
    const values = inputs.evaluate(morsel)
    if (keys.length === 0) return single(morsel, values)
    const earlier = table.length
    table.cover(keys, morsel.rowCount)
    const groups = table.find(keys, morsel.rowCount)
    if (table.length > earlier) meet(keys, groups, earlier, morsel.rowCount)
    if (!isWindowed || emits !== 'closed' || lateness > 0n)
      changes.touch(memory.u32.subarray(groups >>> 2, (groups >>> 2) + morsel.rowCount), earlier)
    update(groups, morsel, values)
    return emits === 'changes' || (emits === 'closed' && changes.hasAny) ? changes.tell() : []
  }

  function absorb({ start, end, groupCount, keys: own, state }: WindowGroups<VectorBatch>, place: number): void {
    const mark = memory.mark()
    const bounds = isOverlapping ? [] : [instants(start, groupCount), instants(end, groupCount)]
    const keys = [...bounds, ...keyLoader.load(own)]
    const earlier = table.length
    table.cover(keys, groupCount)
    const groups = table.find(keys, groupCount)
    if (table.length > earlier) meet(keys, groups, earlier, groupCount)
    aggregation.resize(table.indexCount)
    aggregation.merge(state, groups, groupCount, 1)
    aggregation.open(table.order, table.length)
    position = Math.max(position, place)
    memory.reset(mark)
  }

  function instants(value: bigint, length: number): LaneVector {
    const data = memory.scratch(8 * length)
    memory.i64.fill(value, data >>> 3, (data >>> 3) + length)
    return numbers(keyTypes[0] as DataType, length, data)
  }

  /** Without keys there is one cell. */
  function single(morsel: Morsel, values: AggregateInput[]): Iterable<LaneBatch> {
    changes.touch([0], 1)
    update(0, morsel, values)
    return emits === 'changes' ? changes.tell() : []
  }

  function update(groups: number, morsel: Morsel, values: AggregateInput[]): void {
    aggregation.resize(table.indexCount)
    const at = position
    position += morsel.rowCount
    const all = isRetractable ? [...values, { vectors: [], validity: 0 }] : values
    const { data } = isRetractable ? (morsel.columns[weightColumn] as LaneVector) : { data: 0 }
    const weights = isRetractable ? memory.i32.slice(data >>> 2, (data >>> 2) + morsel.rowCount) : null
    if (weights === null || weights.every(each => each > 0)) {
      aggregation.update(groups, all, morsel.rowCount, at)
      aggregation.open(table.order, table.length)
      return
    }
    // Rows one way, then the other.
    for (const sign of [1, -1]) {
      const rows: number[] = []
      for (let row = 0; row < weights.length; row++) if (Math.sign(weights[row] as number) === sign) rows.push(row)
      if (rows.length === 0) continue
      const places = memory.scratch(4 * rows.length)
      memory.u32.set(rows, places >>> 2)
      const mine = groups === 0 ? 0 : take(k, numbers(uint32(), morsel.rowCount, groups), places, rows.length).data
      const taken = all.map(each => takeInput(each, places, rows.length))
      if (sign > 0) aggregation.update(mine, taken, rows.length, at)
      else aggregation.retract(mine, taken, rows.length, at)
      aggregation.open(table.order, table.length)
    }
  }

  function takeInput({ vectors, validity }: AggregateInput, places: number, count: number): AggregateInput {
    const bits = validity === 0 ? 0 : take(k, numbers(bool(), 0, validity), places, count).data
    return { vectors: vectors.map(vector => ({ ...take(k, vector, places, count), range: null })), validity: bits }
  }

  /** Cells that rows are the first of: which pane each is in. */
  function meet(keys: readonly LaneVector[], groups: number, from: number, rowCount: number): void {
    if (!isWindowed) return
    const found = cellKeys?.find(keys.slice(plainFrom), rowCount) ?? 0
    const cells = memory.u32.subarray(groups >>> 2, (groups >>> 2) + rowCount)
    const starts = (keys[0] as LaneVector).data >>> 3
    const ends = hasEnds ? (keys[stage.isEndOnly ? 0 : 1] as LaneVector).data >>> 3 : 0
    for (let row = 0, next = from; next < table.length; row++) {
      if (cells[row] !== next) continue
      const start = memory.i64[starts + row] as bigint
      const end = hasEnds ? (memory.i64[ends + row] as bigint) : start
      const pane = paneOf(start, end)
      pane.cells.push(next++)
      paneOfCell.push(pane)
      if (found !== 0) cellKeys?.push(memory.u32[(found >>> 2) + row] as number)
    }
  }

  function paneOf(start: bigint, end: bigint): Pane {
    let pane = panes.get(start)
    if (pane === undefined) {
      const bounds = isOverlapping ? windowsOf(windows, start) : [{ start, end }]
      const mine = bounds.map(openWindow)
      pane = { start, cells: [], windows: mine }
      for (const window of mine) window.panes.push(pane)
      panes.set(start, pane)
    }
    return pane
  }

  function openWindow(bounds: WindowBounds): OpenWindow {
    const { start, end } = bounds
    const name = nameOf(bounds)
    let window = open.get(name)
    if (window === undefined) {
      window = { start, end, panes: [], isClosed: end <= closedUpTo }
      open.set(name, window)
      // One that has closed without a row may yet have its first, and is gone a while after its end.
      due.add(window, window.isClosed ? end + lateness : end)
    }
    return window
  }

  /** Whether a change of the window is to be told now. */
  function isTold({ isClosed, end }: OpenWindow): boolean {
    return end + lateness > closedUpTo && (emits !== 'closed' || isClosed)
  }

  /** Cells of no window with their results, in scratch that is good until the next are asked for. */
  function* cellsNow(cells: ArrayLike<number>, weight: number): Iterable<LaneBatch> {
    const mark = memory.mark()
    const count = cells.length
    const indices = memory.scratch(4 * count)
    memory.u32.set(cells, indices >>> 2)
    aggregation.resize(table.indexCount)
    const own = aggregation.evaluateAt(indices, count)
    const fresh = own || isAllAtOnce(count) ? null : createAggregation(alike.context(), specs, isRetractable)
    try {
      const keys = table.keysAt(indices, count)
      const results = own ?? (fresh === null ? resultsOf(indices, count) : mergedResults(fresh, indices, count))
      yield* finished({ rowCount: count, columns: [...keys, ...results] }, weight)
    } finally {
      fresh?.free()
      memory.reset(mark)
    }
  }

  /** Whether results of all cells are had sooner than states of some. */
  const isAllAtOnce = (count: number): boolean =>
    table.length <= MOST_AT_ONCE + 4 * count || specs.some(spec => spec.function === 'countDistinct')

  function resultsOf(indices: number, count: number): LaneVector[] {
    return aggregation.evaluate(table.indexCount).map(each => take(k, each, indices, count))
  }

  function mergedResults(fresh: Aggregation, indices: number, count: number): LaneVector[] {
    fresh.resize(count)
    if (position > 0) fresh.merge(aggregation.laneState(indices, count), rangeIndices(k, 0, count), count, 1)
    fresh.open(0, count)
    return fresh.evaluate(count)
  }

  /** Windows with their results, in their order, made of these of their cells. */
  function* windowsAsTheyAre(
    all: Iterable<readonly [window: OpenWindow, cells: readonly number[]]>,
    weight: number,
  ): Iterable<LaneBatch> {
    const groups = Array.from(all, ([{ start, end }, cells]) => ({ start, end, rows: ascending([cells]) }))
      .filter(({ rows }) => rows.length > 0)
      .sort(inOrder)
    if (groups.length === 0) return
    const mark = memory.mark()
    const bound = keyTypes[0] as DataType
    const types = [bound, bound, ...keyTypes.slice(plainFrom)]
    const keysAt = (rows: number, count: number) => table.keysAt(rows, count).slice(plainFrom)
    const source = { keysAt, indices: 0, aggregation }
    for (const { rowCount, columns } of combined(context, types, specs, source, groups))
      yield* finished({ rowCount, columns: stage.isEndOnly ? columns.slice(1) : columns }, weight)
    memory.reset(mark)
  }

  const cellsOf = ({ panes }: OpenWindow): number[] => panes.flatMap(({ cells }) => cells)

  /** Of a window that is open, which has all cells between its bounds. */
  function cellsOfKey(window: OpenWindow, key: number): readonly number[] {
    if (cellKeys === null) return cellsOf(window)
    return cellKeys.cellsOf(key).filter(cell => {
      const { start } = paneOfCell[cell] as Pane
      return start >= window.start && start < window.end
    })
  }

  /** With weights, in the dictionaries of the output, without groups that have no rows. */
  function* finished({ rowCount, columns }: LaneBatch, weight: number): Iterable<LaneBatch> {
    let batch: LaneBatch = { rowCount, columns }
    if (isRetractable) {
      const counts = columns.at(-1) as LaneVector
      const rows: number[] = []
      const words = memory.u32.subarray(counts.data >>> 2, (counts.data >>> 2) + 2 * rowCount)
      for (let row = 0; row < rowCount; row++) if (words[2 * row] !== 0 || words[2 * row + 1] !== 0) rows.push(row)
      batch = { rowCount, columns: columns.slice(0, -1) }
      if (rows.length === 0 && !isOne) return
      if (rows.length < rowCount && !isOne) batch = rowsOf(k, batch, rows)
    }
    const weights = memory.scratch(4 * batch.rowCount)
    memory.i32.fill(weight, weights >>> 2, (weights >>> 2) + batch.rowCount)
    const recoded = dictionaries.recode(batch)
    yield {
      rowCount: batch.rowCount,
      columns: [...recoded.columns, numbers(int32(), batch.rowCount, weights)],
    }
  }

  function* advance(watermark: bigint, isEnd: boolean): Iterable<LaneBatch> {
    // Of no rows at all there is one result too.
    if (isEnd && isOne && position === 0) {
      changes.touch([0], 1)
      aggregation.resize(table.indexCount)
    }
    if (isEnd && (emits === 'kept' || isOne)) yield* changes.tell()
    if (!isWindowed) return
    const first = due.least()
    if (!isEnd && (first === null || watermark < first)) {
      if (watermark > closedUpTo) closedUpTo = watermark
      return
    }
    closedUpTo = isEnd ? GLOBAL.end : watermark
    const closing: OpenWindow[] = []
    const ending: OpenWindow[] = []
    for (const window of due.take(isEnd ? null : watermark)) {
      const isOver = isEnd || window.end + lateness <= watermark
      if (!window.isClosed && (isEnd || window.end <= watermark)) {
        window.isClosed = true
        closing.push(window)
      }
      if (isOver) ending.push(window)
      else due.add(window, window.end + lateness)
    }
    if (emits === 'closed')
      yield* windowsAsTheyAre(
        closing.map(window => [window, cellsOf(window)]),
        1,
      )
    else if (emits === 'kept' && closing.length + ending.length > 0 && changes.hasAny) {
      const ends = new Set([...closing, ...ending].map(({ end }) => end))
      yield* changes.tell(end => ends.has(end))
    }
    for (const window of ending) {
      open.delete(nameOf(window))
      changes.forget(window)
    }
    // Once all of them are gone: one that had been, and was opened anew for a pane before, is not among those of panes that are older.
    for (const window of ending) {
      for (const pane of window.panes) {
        if (panes.get(pane.start) !== pane || pane.windows.some(each => open.has(nameOf(each)))) continue
        panes.delete(pane.start)
        gone += pane.cells.length
      }
    }
    if (gone > LEAST_GONE && 2 * gone > table.length) move()
  }

  /** A table and accumulators of the cells that are left. */
  function move(renewed?: RenewedTexts): void {
    // Of the one group without keys there is nothing before the first row.
    if (position === 0) return
    const mark = memory.mark()
    const left = isWindowed
      ? [...panes.values()].flatMap(({ cells }) => cells).sort((a, b) => a - b)
      : Array.from({ length: table.length }, (_, cell) => cell)
    const count = left.length
    const indices = memory.scratch(4 * count)
    memory.u32.set(left, indices >>> 2)
    const before = { table, aggregation }
    const renumbered = changes.renumber()
    const recode = renewed && ((column: LaneVector) => renewed.recode(column))
    const own = alike.context(renewed && (old => renewed.of(old)))
    const after = movedGroups(own, before, indices, count, keyTypes, NO_SLOTS, specs, isRetractable, recode)
    alike.keep()
    if (cellKeys !== null) {
      const keys = count === 0 ? [] : after.table.keysAt(rangeIndices(k, 0, count), count)
      cellKeys.renew(keys.slice(plainFrom), count)
    }
    if (isWindowed) {
      const places = new Map(left.map((cell, i) => [cell, i]))
      paneOfCell = left.map(cell => paneOfCell[cell] as Pane)
      for (const pane of panes.values()) pane.cells = pane.cells.map(cell => places.get(cell) as number)
      renumbered(places)
    }
    table = after.table
    aggregation = after.aggregation
    before.table.free()
    before.aggregation.free()
    gone = 0
    memory.reset(mark)
  }

  function renew(renewed: RenewedTexts): void {
    move(renewed)
    renewOne(texts, renewed, names.length)
    keyLoader.close()
    dictionaries.clear()
  }

  return {
    label: `aggregate by ${stage.keys.length === 0 ? 'nothing' : stage.keys.join(', ')}`,
    consume,
    absorb,
    advance,
    tick: () => (emits === 'kept' ? changes.tell() : []),
    renew,
    get isPending() {
      return changes.isPending
    },
    get size() {
      return table.length - gone
    },
    free() {
      changes.free()
      inputs.free()
      table.free()
      cellKeys?.free()
      aggregation.free()
      dictionaries.clear()
      texts.clear()
      keyLoader.close()
    },
  }
}
