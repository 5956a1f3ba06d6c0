/**
 * Windows put together of panes: rows are grouped once, by pane, and the groups of a window are those of its panes, their states merged. What states hold is exact, so that
 * makes the same bits as grouping the rows of the window. A part of lanes, for plans with windows that overlap.
 */
import type { DataType } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import type { AggregateSpec } from '../kernels/aggregate/accumulator.js'
import { type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { createGroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { take, takeIndices } from '../kernels/select.js'
import type { Panes } from '../plan/logical.js'
import type { OperatorContext } from './build.js'
import { type Grouping, groupColumns, groupsInOrder } from './group-columns.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'

export interface WindowBounds {
  readonly start: bigint
  readonly end: bigint
}

/** A window, and which rows of some keys are groups of its panes: ascending. */
export interface WindowRows extends WindowBounds {
  readonly rows: ArrayLike<number>
}

/** Groups of panes: keys but the pane, and where their states are (u32 pointer, 0 where that is their place). */
export interface PaneGroups {
  /** Of these rows (u32 pointer), in scratch. */
  readonly keysAt: (rows: number, count: number) => readonly LaneVector[]
  readonly indices: number
  readonly aggregation: Aggregation
}

/** Groups that are put together at a time, but for those of one window. */
const ROWS_AT_ONCE = 65_536

const floorMod = (a: bigint, b: bigint): bigint => ((a % b) + b) % b

/** Where a window begins or ends. @throws MillraceError `MR_INTEGER_OVERFLOW` */
export function instantOf(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw new MillraceError(
    'MR_INTEGER_OVERFLOW',
    'window: the time of a row has windows beyond what its type can hold; filter such rows out first, or declare the column in a coarser unit of time',
    { operator: 'window' },
  )
}

/** The windows that a pane is part of, as they end. @throws MillraceError `MR_INTEGER_OVERFLOW` */
export function windowsOf(panes: Panes, start: bigint): WindowBounds[] {
  const windowAt = windowsFrom(panes, start)
  const windows: WindowBounds[] = []
  for (let window = windowAt(0); window !== null; window = windowAt(windows.length)) windows.push(window)
  return windows
}

/** The same, each by its place; null beyond the last. */
export function windowsFrom(
  { kind, pane, size, offset }: Panes,
  start: bigint,
): (place: number) => WindowBounds | null {
  const isSliding = kind === 'sliding'
  const first = instantOf(isSliding ? start + pane - size : start - floorMod(start - offset, size))
  const last = instantOf(isSliding ? start + size : first + size)
  return place => {
    const end = start + pane * BigInt(place + 1)
    return end > last ? null : { start: isSliding ? end - size : first, end }
  }
}

/** All windows of the groups by pane, in their order: by end, beginning, and first appearance; in scratch that is good until the next are asked for. */
export function* windowGroups(
  context: OperatorContext,
  panes: Panes,
  keyTypes: readonly DataType[],
  specs: readonly AggregateSpec[],
  grouping: Grouping,
): Generator<LaneBatch> {
  const { k } = context
  const { memory } = k
  const { length } = grouping.table
  if (length === 0) return
  // What is in scratch is gone when more windows are asked for.
  const mark = memory.mark()
  const found = groupsInOrder(k, grouping)
  const kept = copyToHeap(k, { rowCount: length, columns: found.keys })
  let indices = 0
  try {
    if (found.indices !== 0) {
      indices = memory.allocate(4 * length)
      memory.u8.copyWithin(indices, found.indices, found.indices + 4 * length)
    }
    memory.reset(mark)
    const [pane, ...keys] = kept.columns
    yield* combined(
      context,
      keyTypes,
      specs,
      {
        keysAt: (rows, count) => keys.map(key => take(k, key, rows, count)),
        indices,
        aggregation: grouping.aggregation,
      },
      windowsAmong(
        panes,
        memory.i64.slice((pane as LaneVector).data >>> 3, ((pane as LaneVector).data >>> 3) + length),
      ),
    )
  } finally {
    memory.free(indices)
    freeHeapBatch(k, kept)
  }
}

/** The windows of panes that begin then, one a row, in order. */
function windowsAmong(panes: Panes, starts: BigInt64Array): WindowRows[] {
  const byPane = new Map<bigint, number[]>()
  for (const [row, start] of starts.entries()) {
    const rows = byPane.get(start)
    if (rows === undefined) byPane.set(start, [row])
    else rows.push(row)
  }
  const rowsOf = new Map<string, WindowBounds & { readonly panes: (readonly number[])[] }>()
  for (const [start, rows] of byPane) {
    for (const window of windowsOf(panes, start)) {
      const name = `${window.start} ${window.end}`
      const known = rowsOf.get(name)
      if (known === undefined) rowsOf.set(name, { ...window, panes: [rows] })
      else known.panes.push(rows)
    }
  }
  return [...rowsOf.values()]
    .sort(inOrder)
    .map(({ start, end, panes: all }): WindowRows => ({ start, end, rows: ascending(all) }))
}

/** All numbers of several lists. */
export function ascending(lists: readonly (readonly number[])[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all.sort()
}

export const inOrder = (a: WindowBounds, b: WindowBounds): number =>
  a.end === b.end ? Number(a.start > b.start) - Number(a.start < b.start) : a.end < b.end ? -1 : 1

/**
 * Beginning, end, keys and results of the windows' groups, window after window, each in order of first appearance; in scratch that is good until the next are asked for.
 * @param keyTypes of the beginning, the end, and the keys
 */
export function* combined(
  context: OperatorContext,
  keyTypes: readonly DataType[],
  specs: readonly AggregateSpec[],
  { keysAt, indices, aggregation }: PaneGroups,
  windows: Iterable<WindowRows>,
): Generator<LaneBatch> {
  const { k } = context
  const { memory } = k
  for (const part of inParts(windows)) {
    const mark = memory.mark()
    const count = part.reduce((sum, { rows }) => sum + rows.length, 0)
    const places = memory.scratch(4 * count)
    const [starts, ends] = [memory.scratch(8 * count), memory.scratch(8 * count)]
    let at = 0
    for (const { start, end, rows } of part) {
      memory.u32.set(rows, (places >>> 2) + at)
      memory.i64.fill(start, (starts >>> 3) + at, (starts >>> 3) + at + rows.length)
      memory.i64.fill(end, (ends >>> 3) + at, (ends >>> 3) + at + rows.length)
      at += rows.length
    }
    const bound = (data: number): LaneVector => ({
      type: keyTypes[0] as DataType,
      length: count,
      data,
      validity: 0,
      dictionary: null,
      range: null,
    })
    const columns = [bound(starts), bound(ends), ...keysAt(places, count)]
    const table = createGroupTable(k, keyTypes)
    const merged = createAggregation(context, specs)
    try {
      table.cover(columns, count)
      const found = table.find(columns, count)
      merged.resize(table.indexCount)
      for (const turn of inTurns(memory.u32.slice(places >>> 2, (places >>> 2) + count))) {
        const inner = memory.mark()
        const [own, groups] = [memory.scratch(4 * turn.length), memory.scratch(4 * turn.length)]
        const { u32 } = memory
        for (let i = 0; i < turn.length; i++) {
          const at = turn[i] as number
          u32[(own >>> 2) + i] = u32[(places >>> 2) + at] as number
          u32[(groups >>> 2) + i] = u32[(found >>> 2) + at] as number
        }
        const most = mostOf(memory.u32.subarray(groups >>> 2, (groups >>> 2) + turn.length), table.indexCount)
        const states = aggregation.laneState(takeIndices(k, indices, own, turn.length), turn.length)
        merged.merge(states, groups, turn.length, most)
        memory.reset(inner)
      }
      merged.open(table.order, table.length)
      const grouping = { set: [], table, aggregation: merged, sortedPlaces: () => 0 }
      const { keys: values, results } = groupColumns(k, grouping)
      yield { rowCount: table.length, columns: [...values, ...results] }
    } finally {
      table.free()
      merged.free()
      memory.reset(mark)
    }
  }
}

/** A state can be taken once at a time: places of rows, each row once a turn. */
function inTurns(rows: Uint32Array): Uint32Array[] {
  let least = Infinity
  let most = 0
  for (const row of rows) {
    least = Math.min(least, row)
    most = Math.max(most, row)
  }
  const times = new Uint32Array(Math.max(0, most - least + 1))
  const turnOf = new Uint32Array(rows.length)
  const counts: number[] = []
  for (let at = 0; at < rows.length; at++) {
    const place = (rows[at] as number) - least
    const turn = times[place] as number
    times[place] = turn + 1
    turnOf[at] = turn
    counts[turn] = (counts[turn] ?? 0) + 1
  }
  const turns = counts.map(count => new Uint32Array(count))
  for (let at = rows.length - 1; at >= 0; at--) {
    const turn = turnOf[at] as number
    ;(turns[turn] as Uint32Array)[--(counts[turn] as number)] = at
  }
  return turns
}

function* inParts(windows: Iterable<WindowRows>): Iterable<WindowRows[]> {
  let part: WindowRows[] = []
  let rowCount = 0
  for (const window of windows) {
    if (part.length > 0 && rowCount + window.rows.length > ROWS_AT_ONCE) {
      yield part
      part = []
      rowCount = 0
    }
    part.push(window)
    rowCount += window.rows.length
  }
  if (part.length > 0) yield part
}

/** How often the most frequent index is there. */
function mostOf(indices: Uint32Array, indexCount: number): number {
  const counts = new Uint32Array(indexCount)
  let most = 0
  for (const index of indices) {
    counts[index] = (counts[index] as number) + 1
    most = Math.max(most, counts[index] as number)
  }
  return most
}
