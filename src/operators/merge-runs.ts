/**
 * Runs of sorted rows in a job's file, merged: a block of each run is in the lane's memory, and as far as the blocks reach their rows are put side by
 * side and sorted as any rows are.
 *
 * ```
 *   run 0   [== block ==][== block ....]   [ block ]  ...      the bound is the least last row in memory of those runs that go on:
 *   run 1   [=== block ===][ block =]      [ block ]  ...      no row that has not been read comes before it, so all rows up to it are taken (=),
 *   run 2   [= block =.......]                                 and as each run has a whole block or two, that is about a block of each
 *                                   ^ bound
 * ```
 * So a handful of rows are compared by their keys, and each is sorted once more, by kernels, whatever the number of runs.
 */
import { type DataType, int32 } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { slice, takeBatch } from '../kernels/select.js'
import { argsort, type ColumnKey, sortKeysOf } from '../kernels/sort.js'
import { laneBatchOfBytes } from './batch-bytes.js'
import type { OperatorContext } from './build.js'
import { compareRows } from './compare-rows.js'
import { freeHeapBatch, joinBatches } from './heap-batch.js'
import { createOneDictionary } from './one-dictionary.js'
import type { Piece, SpillFile } from './spill.js'

/** Rows in the order of some keys, and where these are equal in the order of their splits and of their arrival. */
export interface Run {
  /** Blocks of rows with one column more, the last: the split of each. */
  readonly pieces: Piece[]
  /** The least and the greatest split. */
  readonly splits: readonly [number, number]
}

/** Types of the columns of a run's blocks. */
export const typesOfRun = (types: readonly DataType[]): DataType[] => [...types, int32()]

interface Cursor {
  readonly run: Run
  /** Its place among the runs: of equal rows of one split those of an earlier run came first. */
  readonly place: number
  /** The next piece to be read. */
  next: number
  readonly blocks: Block[]
  /** The first row of the first block that has not been taken. */
  at: number
}

interface Block {
  readonly pointer: number
  readonly batch: LaneBatch
}

/** Blocks of a run that are in memory, if it has as many. */
const BLOCKS = 2

/**
 * The rows of all runs in order, at most `rowsAtOnce` at a time, in scratch that is good until the next are asked for; the last column is the split.
 * The strings of different batches have codes of different dictionaries.
 * @param before is called before more is read, so that others may make room
 */
export function* mergeRuns(
  context: OperatorContext,
  file: SpillFile,
  runs: readonly Run[],
  types: readonly DataType[],
  keys: readonly ColumnKey[],
  rowsAtOnce = MORSEL_ROWS,
  before = (): void => {},
): Generator<LaneBatch> {
  const splitColumn: ColumnKey = { column: types.length, descending: false, nulls: 'last' }
  const isInSplitOrder = runs.every(({ splits: [first] }, i) => i === 0 || runs[i - 1].splits[1] <= first)
  const allKeys = [...keys, splitColumn]
  const sortKeys = isInSplitOrder ? keys : allKeys
  const cursors = runs.map((run, place): Cursor => ({ run, place, next: 0, blocks: [], at: 0 }))
  try {
    while (true) {
      before()
      for (const cursor of cursors) fill(context, file, typesOfRun(types), cursor)
      const open = cursors.filter(({ blocks }) => blocks.length > 0)
      if (open.length === 0) return
      const bound = boundOf(context, allKeys, open)
      const taken = open.flatMap(cursor => takeUntil(context, allKeys, cursor, bound))
      yield* inOrder(
        context,
        taken.map(({ rows }) => rows),
        sortKeys,
        new Set(taken.map(({ cursor }) => cursor)).size === 1,
        rowsAtOnce,
      )
      for (const cursor of open) dropUsed(context, cursor)
    }
  } finally {
    for (const { blocks } of cursors) for (const { pointer } of blocks) context.k.memory.free(pointer)
  }
}

/** Reads blocks where there are too few. */
function fill({ k }: OperatorContext, file: SpillFile, types: DataType[], cursor: Cursor): void {
  const { blocks, run } = cursor
  while (blocks.length < BLOCKS && cursor.next < run.pieces.length) {
    const { from, byteLength } = run.pieces[cursor.next++]
    blocks.push(laneBatchOfBytes(k, file.read(from, byteLength), types))
  }
}

function dropUsed({ k }: OperatorContext, cursor: Cursor): void {
  const { blocks } = cursor
  while (blocks.length > 0 && cursor.at >= blocks[0].batch.rowCount) {
    cursor.at -= blocks[0].batch.rowCount
    k.memory.free((blocks.shift() as Block).pointer)
  }
}

/** Whose last row in memory is the bound; null where all rows that there still are are in memory. */
function boundOf({ k }: OperatorContext, keys: readonly ColumnKey[], open: readonly Cursor[]): Cursor | null {
  const goingOn = open.filter(({ run, next }) => next < run.pieces.length)
  if (goingOn.length === 0) return null
  return goingOn.reduce((least, cursor) => {
    const [a, b] = [lastBlock(cursor), lastBlock(least)]
    return compareRows(k, keys, a, a.rowCount - 1, b, b.rowCount - 1) < 0 ? cursor : least
  })
}

const lastBlock = ({ blocks }: Cursor): LaneBatch => blocks[blocks.length - 1].batch

/** The rows of a cursor up to the bound, block by block; `at` moves behind them, counted from the first block. */
function takeUntil(
  { k }: OperatorContext,
  keys: readonly ColumnKey[],
  cursor: Cursor,
  bound: Cursor | null,
): { cursor: Cursor; rows: LaneBatch }[] {
  const taken: { cursor: Cursor; rows: LaneBatch }[] = []
  let first = 0
  for (const { batch } of cursor.blocks) {
    const from = Math.max(0, cursor.at - first)
    const isAll = bound === null || cursor === bound
    const end = isAll ? batch.rowCount : endOf(k, keys, batch, from, cursor.place, bound)
    if (end > from) {
      const columns = batch.columns.map(column => slice(k, column, from, end))
      taken.push({ cursor, rows: { rowCount: end - from, columns } })
      cursor.at = first + end
    }
    if (end < batch.rowCount) break
    first += batch.rowCount
  }
  return taken
}

/** The first row of a block, from `from` on, that comes behind the bound. */
function endOf(
  k: Kernels,
  keys: readonly ColumnKey[],
  block: LaneBatch,
  from: number,
  place: number,
  bound: Cursor,
): number {
  const last = lastBlock(bound)
  let [least, most] = [from, block.rowCount]
  while (least < most) {
    const middle = (least + most) >>> 1
    const order = compareRows(k, keys, block, middle, last, last.rowCount - 1) || place - bound.place
    if (order < 0) least = middle + 1
    else most = middle
  }
  return least
}

/** Rows of several runs side by side in order, in scratch. */
function* inOrder(
  context: OperatorContext,
  taken: readonly LaneBatch[],
  keys: readonly ColumnKey[],
  isOneRun: boolean,
  rowsAtOnce: number,
): Generator<LaneBatch> {
  const { k } = context
  const { memory } = k
  // The blocks have only their own.
  const strings = createOneDictionary(context, () => false)
  let all: LaneBatch | null = null
  let order = 0
  try {
    const mark = memory.mark()
    all = joinBatches(
      k,
      taken.map(batch => strings.recode(batch)),
    )
    memory.reset(mark)
    const { rowCount, columns } = all
    order = memory.allocate(4 * rowCount)
    const sorted = argsort(k, isOneRun ? [] : sortKeysOf(columns, keys), rowCount)
    memory.u8.copyWithin(order, sorted, sorted + 4 * rowCount)
    memory.reset(mark)
    for (let from = 0; from < rowCount; from += rowsAtOnce) {
      yield takeBatch(k, all, order + 4 * from, Math.min(rowsAtOnce, rowCount - from))
    }
  } finally {
    memory.free(order)
    if (all !== null) freeHeapBatch(k, all)
    strings.clear()
  }
}
