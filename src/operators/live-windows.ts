/**
 * Windows that do not overlap, each given once, as it closes: no row that has gone into one is ever told of before, so a window can have a group table of its own, by keys alone, which is
 * then as fast as where all is collected. Windows of few rows are put together in one table (live-aggregate.ts): a table for each would cost more than it saves.
 *
 * ```
 * rows ──┬── a window with many rows     a table and accumulators of its own; closing gives all it has
 *        └── others                      one table, by window and keys
 * ```
 */
import { bool, type DataType, int32, type SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { numbers } from '../kernels/aggregate/accumulator.js'
import { type AggregateInput, type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { andNot, not } from '../kernels/bitmap.js'
import { compare } from '../kernels/compare.js'
import { createGroupTable, type GroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { rangeIndices, type Selection, selection, slice, take } from '../kernels/select.js'
import { rangeOf } from '../kernels/stats.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext } from './build.js'
import { groupColumns } from './group-columns.js'
import { createKeyLoader } from './key-loader.js'
import { createLeastTime } from './least-time.js'
import { createLiveAggregate, type LiveAggregateStage, type LiveCells } from './live-aggregate.js'
import { movedGroups } from './moved-groups.js'
import { movedStates } from './moved-states.js'
import { createOneDictionary } from './one-dictionary.js'
import { type Morsel, RowFailure } from './operator.js'
import { type RenewedTexts, renewOne } from './renewed-texts.js'
import type { WindowGroups } from './window-parts.js'
import { type FixedWindows, type Range, type Run, rangeOfAll, rangesOf, runsOf, windowStartOf } from './window-runs.js'

export interface LiveWindows extends LiveCells {
  /**
   * Rows of few windows, without the columns of these, `time` being the column of their time: none is late. What is missing among the columns is not read.
   * @param ranges of each `RUN_ROWS` times, where they are known
   */
  consumeTimed(
    morsel: Morsel,
    time: LaneVector,
    fixed: FixedWindows,
    ranges?: readonly Range[] | null,
  ): Iterable<LaneBatch>
}

interface Single {
  readonly start: bigint
  readonly end: bigint
  table: GroupTable
  aggregation: Aggregation
  /** The place of the next row. */
  place: number
}

/** Rows a window of those that come at a time, from which on new ones have tables. */
const LEAST_ROWS = 64
/** Tables are that large at most before they are hashed, and there are no more of them. */
const MOST_SLOTS = 2 ** 16
const MOST_SINGLES = 16
/** Windows of a morsel that rows are sorted by. */
const MOST_SPLIT = 64

export function createLiveWindows(
  context: OperatorContext,
  stage: LiveAggregateStage,
  input: SchemaShape,
): LiveWindows {
  const { k } = context
  const { memory } = k
  const names = Object.keys(input)
  const [startColumn, endColumn, ...others] = stage.keys.map(name => names.indexOf(name)) as [number, number]
  const keyColumns = stage.isEndOnly ? [endColumn, ...others].filter(i => i !== undefined) : others
  const bound = input[stage.keys[0] as string] as DataType
  const keyTypes = keyColumns.map(i => input[names[i] as string] as DataType)
  const inputs = createAggregateInputs(context, stage.accumulators, input)
  const rest = createLiveAggregate(context, stage, input)
  const dictionaries = createOneDictionary(context)
  /** Of what comes in. */
  const texts = createOneDictionary(context)
  const keyLoader = createKeyLoader(context, texts, keyColumns)
  const singles = new Map<bigint, Single>()
  /** Beginnings of the others that are open, and by their ends. */
  const shared = new Set<bigint>()
  const sharedEnds = createLeastTime<bigint>()

  /** The window's own table; null where it is to have none. */
  function singleOf(start: bigint, end: bigint, meanRows: number): Single | null {
    const known = singles.get(start)
    if (known !== undefined) return known
    if (shared.has(start)) return null
    if (meanRows < LEAST_ROWS || singles.size >= MOST_SINGLES) {
      share(start, end)
      return null
    }
    const table = createGroupTable(k, keyTypes, MOST_SLOTS)
    const single: Single = { start, end, table, aggregation: createAggregation(context, inputs.specs), place: 0 }
    singles.set(start, single)
    return single
  }

  function share(start: bigint, end: bigint): void {
    if (shared.has(start)) return
    shared.add(start)
    sharedEnds.add(start, end)
  }

  function add(single: Single, keys: readonly LaneVector[], values: readonly AggregateInput[], rowCount: number): void {
    const groups = groupsOf(single, keys, rowCount)
    single.aggregation.update(groups, values, rowCount, single.place)
    single.aggregation.open(single.table.order, single.table.length)
    single.place += rowCount
  }

  /** Of rows with these keys (u32 pointer); states follow where groups get other indices. */
  function groupsOf(single: Single, keys: readonly LaneVector[], rowCount: number): number {
    const { table } = single
    const move = table.cover(keys, rowCount)
    if (move !== null) single.aggregation = movedStates(context, inputs.specs, table, single.aggregation, move)
    const groups = table.find(keys, rowCount)
    single.aggregation.resize(table.indexCount)
    return groups
  }

  function absorb(groups: WindowGroups<VectorBatch>, place: number): void {
    const { start, end, rowCount, groupCount, state } = groups
    const single = singleOf(start, end, rowCount)
    if (single === null) {
      rest.absorb(groups, place)
      return
    }
    const mark = memory.mark()
    const found = groupsOf(single, keyLoader.load(groups.keys), groupCount)
    single.aggregation.merge(state, found === 0 ? rangeIndices(k, 0, groupCount) : found, groupCount, 1)
    single.aggregation.open(single.table.order, single.table.length)
    single.place = Math.max(single.place, place)
    memory.reset(mark)
  }

  const keysOf = (morsel: Morsel): LaneVector[] => keyColumns.map(i => morsel.columns[i] as LaneVector)

  function* consume(given: Morsel): Iterable<LaneBatch> {
    const morsel = { ...texts.recode(given), rows: given.rows }
    const starts = morsel.columns[startColumn] as LaneVector
    const ends = morsel.columns[stage.isEndOnly ? startColumn : endColumn] as LaneVector
    const range = rangeOf(k, { ...starts, range: null })
    if (morsel.rowCount === 0 || range === null) return
    const endAt = (row: number) => memory.i64[(ends.data >>> 3) + row] as bigint
    if (range.min === range.max) {
      const single = singleOf(range.min, endAt(0), morsel.rowCount)
      if (single === null) yield* rest.consume(morsel)
      else add(single, keysOf(morsel), inputs.evaluate(morsel), morsel.rowCount)
      return
    }
    const at = starts.data >>> 3
    const parts = partsOf(morsel.rowCount, row => memory.i64[at + row] as bigint)
    if (parts === null) {
      // Too many to sort rows by: those that have no table yet get none.
      for (let row = 0; row < morsel.rowCount; row++) {
        const start = memory.i64[at + row] as bigint
        if (!singles.has(start)) share(start, endAt(row))
      }
    }
    const own: [Single, number[]][] = []
    const left: number[] = []
    const meanRows = morsel.rowCount / (parts?.size ?? morsel.rowCount)
    for (const [start, rows] of parts ?? bySingle(morsel.rowCount, row => memory.i64[at + row] as bigint)) {
      const single = start === null ? null : singleOf(start, endAt(rows[0] as number), meanRows)
      if (single === null) for (const row of rows) left.push(row)
      else own.push([single, rows])
    }
    addParts(
      own.map(([single, rows]) => [single, { indices: placesOf(rows), count: rows.length }]),
      morsel,
    )
    if (left.length === morsel.rowCount) yield* rest.consume(morsel)
    else if (left.length > 0) {
      left.sort((a, b) => a - b)
      yield* rest.consume(taken(morsel, placesOf(left), left.length))
    }
  }

  /** Rows by their windows; null where those are too many. */
  function partsOf(rowCount: number, startAt: (row: number) => bigint): Map<bigint, number[]> | null {
    const parts = new Map<bigint, number[]>()
    let last = startAt(0)
    let rows: number[] = []
    parts.set(last, rows)
    for (let row = 0; row < rowCount; row++) {
      const start = startAt(row)
      if (start !== last) {
        last = start
        const known = parts.get(start)
        if (known === undefined && parts.size === MOST_SPLIT) return null
        rows = known ?? []
        if (known === undefined) parts.set(start, rows)
      }
      rows.push(row)
    }
    return parts
  }

  /** The same, those that have no table of their own together. */
  function bySingle(rowCount: number, startAt: (row: number) => bigint): Map<bigint | null, number[]> {
    const parts = new Map<bigint | null, number[]>()
    for (let row = 0; row < rowCount; row++) {
      const start = startAt(row)
      const name = singles.has(start) ? start : null
      const rows = parts.get(name)
      if (rows === undefined) parts.set(name, [row])
      else rows.push(row)
    }
    return parts
  }

  function addParts(parts: readonly [Single, Selection][], morsel: Morsel): void {
    if (parts.length === 0) return
    const values = inputs.evaluate(morsel)
    const keys = keysOf(morsel)
    for (const [single, { indices: places, count }] of parts) {
      const mark = memory.mark()
      add(
        single,
        keys.map(key => ({ ...take(k, key, places, count), range: null })),
        values.map(value => takeInput(value, places, count)),
        count,
      )
      memory.reset(mark)
    }
  }

  const placesOf = (rows: ArrayLike<number>): number => {
    const places = memory.scratch(4 * rows.length)
    memory.u32.set(rows, places >>> 2)
    return places
  }

  function taken(morsel: Morsel, places: number, count: number): Morsel {
    const columns = morsel.columns.map(column => ({ ...take(k, column, places, count), range: null }))
    return { rowCount: count, columns, rows: 0 }
  }

  function takeInput({ vectors, validity }: AggregateInput, places: number, count: number): AggregateInput {
    const bits = validity === 0 ? 0 : take(k, bitmap(validity), places, count).data
    return { vectors: vectors.map(vector => ({ ...take(k, vector, places, count), range: null })), validity: bits }
  }

  const bitmap = (data: number): LaneVector => numbers(bool(), 0, data)

  function* consumeTimed(
    given: Morsel,
    time: LaneVector,
    windows: FixedWindows,
    known: readonly Range[] | null = null,
  ): Iterable<LaneBatch> {
    const morsel = { ...texts.recode(given), rows: given.rows }
    if (morsel.rowCount === 0) return
    const ranges = known ?? rangesOf(k, time, 0, morsel.rowCount)
    const range = rangeOfAll(ranges)
    const { size } = windows
    const first = windowStartOf(range.min, windows)
    const last = windowStartOf(range.max, windows)
    if (first === last) {
      yield* takeWindow(morsel, first, first + size, morsel.rowCount)
      return
    }
    const meanRows = morsel.rowCount / (Number((last - first) / size) + 1)
    for (const run of runsOf(ranges, morsel.rowCount, windows)) {
      const { from, to } = run
      const mark = memory.mark()
      const own = sliced(morsel, from, to)
      try {
        yield* takeRun(own, slice(k, time, from, to), run, size, meanRows)
      } catch (error) {
        throw error instanceof RowFailure && morsel.rows === 0 ? new RowFailure(from + error.row, error.error) : error
      }
      memory.reset(mark)
    }
  }

  /** Rows of a few windows, those of each together. */
  function* takeRun(
    morsel: Morsel,
    time: LaneVector,
    { first, last }: Run,
    size: bigint,
    meanRows: number,
  ): Iterable<LaneBatch> {
    if (first === last) {
      yield* takeWindow(morsel, first, first + size, meanRows)
      return
    }
    const parts = byTime(time, morsel.rowCount, first, size, Number((last - first) / size) + 1)
    const own: [Single, Selection][] = []
    for (const [i, rows] of parts.entries()) {
      if (rows.count === 0) continue
      const start = first + BigInt(i) * size
      const single = singleOf(start, start + size, meanRows)
      if (single !== null) own.push([single, rows])
      else yield* takeWindow(taken(morsel, rows.indices, rows.count), start, start + size, meanRows)
    }
    addParts(own, morsel)
  }

  function sliced(morsel: Morsel, from: number, to: number): Morsel {
    if (to - from === morsel.rowCount) return morsel
    const columns = morsel.columns.map(column => ({ ...slice(k, column, from, to), range: null }))
    return { rowCount: to - from, columns, rows: morsel.rows === 0 ? 0 : morsel.rows + 4 * from }
  }

  /** Rows of one window. */
  function* takeWindow(morsel: Morsel, start: bigint, end: bigint, meanRows: number): Iterable<LaneBatch> {
    const single = singleOf(start, end, meanRows)
    if (single !== null) {
      add(single, keysOf(morsel), inputs.evaluate(morsel), morsel.rowCount)
      return
    }
    const columns = [...morsel.columns]
    columns[startColumn] = instants(start, morsel.rowCount)
    columns[endColumn] = instants(end, morsel.rowCount)
    yield* rest.consume({ ...morsel, columns })
  }

  /** Of each of so many windows its rows (u32 pointers), in scratch. */
  function byTime(time: LaneVector, rowCount: number, first: bigint, size: bigint, count: number): Selection[] {
    // Bit i: not before window w.
    const notBefore = Array.from({ length: count - 1 }, (_, w) =>
      compare(k, 'gte', time, { type: time.type, value: first + BigInt(w + 1) * size }, rowCount),
    )
    return Array.from({ length: count }, (_, w) => {
      const from = notBefore[w - 1]
      const next = notBefore[w]
      if (from === undefined) return selection(k, not(k, next as number, rowCount), rowCount)
      return selection(k, next === undefined ? from : andNot(k, from, next, rowCount), rowCount)
    })
  }

  function instants(value: bigint, length: number): LaneVector {
    const data = memory.scratch(8 * length)
    memory.i64.fill(value, data >>> 3, (data >>> 3) + length)
    return numbers(bound, length, data)
  }

  function* give({ start, end, table, aggregation }: Single): Iterable<LaneBatch> {
    const mark = memory.mark()
    const { length } = table
    const { keys, results } = groupColumns(k, { set: [], table, aggregation, sortedPlaces: () => 0 })
    const bounds = stage.isEndOnly ? [instants(end, length)] : [instants(start, length), instants(end, length)]
    const weights = memory.scratch(4 * length)
    memory.i32.fill(1, weights >>> 2, (weights >>> 2) + length)
    const columns = [...bounds, ...keys, ...results, numbers(int32(), length, weights)]
    yield dictionaries.recode({ rowCount: length, columns })
    memory.reset(mark)
  }

  function* recoded(batches: Iterable<LaneBatch>): Iterable<LaneBatch> {
    for (const batch of batches) yield dictionaries.recode(batch)
  }

  function* advance(watermark: bigint, isEnd: boolean): Iterable<LaneBatch> {
    let closing: Single[] = []
    for (const single of singles.values()) if (isEnd || single.end <= watermark) closing.push(single)
    if (closing.length > 1) closing = closing.sort((a, b) => (a.end < b.end ? -1 : 1))
    for (const single of closing) {
      yield* recoded(rest.advance(single.end - 1n, false))
      try {
        yield* give(single)
      } finally {
        singles.delete(single.start)
        single.table.free()
        single.aggregation.free()
      }
    }
    yield* recoded(rest.advance(watermark, isEnd))
    for (const start of sharedEnds.take(isEnd ? null : watermark)) shared.delete(start)
  }

  function renew(renewed: RenewedTexts): void {
    for (const single of singles.values()) {
      const { table, aggregation } = single
      const recode = (column: LaneVector) => renewed.recode(column)
      const groups = { table, aggregation }
      const moved = movedGroups(context, groups, 0, table.length, keyTypes, MOST_SLOTS, inputs.specs, false, recode)
      single.table = moved.table
      single.aggregation = moved.aggregation
      table.free()
      aggregation.free()
    }
    rest.renew(renewed)
    renewOne(texts, renewed, names.length)
    keyLoader.close()
    dictionaries.clear()
  }

  return {
    label: rest.label,
    consume,
    consumeTimed,
    absorb,
    advance,
    tick: () => [],
    renew,
    get isPending() {
      return rest.isPending
    },
    get size() {
      let size = rest.size
      for (const { table } of singles.values()) size += table.length
      return size
    },
    free() {
      for (const { table, aggregation } of singles.values()) {
        table.free()
        aggregation.free()
      }
      singles.clear()
      inputs.free()
      dictionaries.clear()
      texts.clear()
      keyLoader.close()
      rest.free()
    },
  }
}
