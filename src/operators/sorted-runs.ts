/**
 * Rows kept for a sort, or in the order of their splits, of which those that the budget has no room for are in the job's file, in sorted runs.
 * merge-runs.ts puts the runs together.
 *
 * A lane that has spilled hands over its rows sorted, as blocks that lane 0 appends to a run without a look at them; one that has not hands over its
 * rows as they came. Where only the first rows are wanted (`top`), the others are dropped before anything is written.
 */
import { type DataType, int32 } from '../columnar/type.js'
import { MORSEL_ROWS, type VectorBatch } from '../columnar/vector.js'
import type { Kernels } from '../kernels/instance.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { PAGE_BYTES } from '../kernels/memory-account.js'
import { rangeIndices, takeBatch } from '../kernels/select.js'
import { argsort, type ColumnKey, sortKeysOf } from '../kernels/sort.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import { batchBytes, narrowed } from './batch-bytes.js'
import type { OperatorContext } from './build.js'
import { byteLengthOf, concatenate, copyToHeap, freeHeapBatch, sliceBatch } from './heap-batch.js'
import { mergeRuns, type Run, typesOfRun } from './merge-runs.js'
import { createOneDictionary, entryBytes } from './one-dictionary.js'
import type { Part } from './operator.js'
import { RowStore, type Rows, rowsByPart, type StoredRows } from './row-store.js'
import type { Piece, Spill, Spilled, SpillFile } from './spill.js'

export interface SortedRuns extends Rows {
  /** The rows in order, at most a morsel at a time, in scratch that is good until the next are asked for. Null: others may have a turn. */
  sorted(): Iterable<LaneBatch | null>
  readonly spilled: Spilled
}

/** Runs that are merged at a time, and the part of a lane's budget that a block of one takes: two of each are in memory. */
const FAN_IN = 24
const BLOCK_PARTS = 16 * FAN_IN
/** Bytes that argsort and the column of splits need for each row, and those that argsort needs for each entry of a dictionary of a key. */
const SORT_BYTES = 44
const RANK_BYTES = 36
/** Rows worth a run of their own, if others can be had. */
const LEAST_ROWS = 8192

/** @param keys none: by split and arrival alone. @param top rows wanted from the front, null for all. */
export function createSortedRuns(
  context: OperatorContext,
  spill: Spill,
  types: readonly DataType[],
  keys: readonly ColumnKey[],
  top: number | null = null,
): SortedRuns {
  const { k, dictionaries: pool } = context
  const { memory } = k
  const { account } = spill
  // A dictionary that others keep may be longer than there is room to sort it.
  const strings = createOneDictionary(context, theirs => RANK_BYTES * theirs.length <= account.shareBytes / 8)
  const store = new RowStore(context)
  const runs: Run[] = []
  /** Runs that other lanes hand over, by their mark. */
  const received = new Map<number, Run>()
  /** Bytes of the rows in memory, and of the widest column's share of them. */
  let storedBytes = 0
  let widestBytes = 0
  let splits: [number, number] = [Infinity, -Infinity]
  let total = 0
  let blockRows = 0
  let bytes = 0
  let pieces = 0
  let times = 0
  let isFreed = false
  const blockBytes = Math.max(4096, Math.min(2 ** 20, account.shareBytes / BLOCK_PARTS))
  const unregister = spill.register({
    byteLength: () => (spill.file === null || store.rowCount === 0 ? 0 : Math.max(1, storedBytes)),
    spill: () => relieve(),
  })

  const write = (batch: VectorBatch): Piece => {
    const written = batchBytes(batch)
    const piece = {
      from: (spill.file as SpillFile).write(written),
      byteLength: written.length,
      rowCount: batch.rowCount,
    }
    bytes += written.length
    pieces++
    return piece
  }

  /** Rows that can be added and still be sorted. */
  const roomFor = (batch: LaneBatch): number => {
    // As pages and slabs have it where there are rows to go by.
    const perRow = Math.max(byteLengthOf(batch) / batch.rowCount, storedBytes / Math.max(1024, store.rowCount))
    const sorting = Math.max(SORT_BYTES, widestBytes / Math.max(1, store.rowCount))
    const ranks = keys.reduce((sum, { column }) => sum + RANK_BYTES * (strings.of(column)?.length ?? 0), 0)
    // Strings that are to be coded anew may each be new.
    const entries = batch.columns.reduce((sum, column, i) => {
      const theirs = dictionaryOf(column)
      return theirs === null || theirs === strings.of(i) ? sum : sum + entryBytes(theirs)
    }, 0)
    const growth = types.reduce((sum, _, i) => sum + (strings.of(i)?.growthBytes ?? 0), 0)
    const reserve = 8 * PAGE_BYTES + account.shareBytes / 8
    const free = account.shareBytes - account.usedBytes - ranks - growth - reserve
    return Math.floor((free - store.rowCount * sorting) / (perRow + sorting + entries))
  }

  const add = (batch: LaneBatch, split: number): void => {
    const { rowCount } = batch
    const mayRelieve = spill.file !== null || top !== null
    total += rowCount
    for (let from = 0; from < rowCount; ) {
      let count = rowCount - from
      if (mayRelieve) {
        if (store.rowCount > 0 && roomFor(batch) < Math.min(count, LEAST_ROWS)) relieve()
        count = Math.min(count, Math.max(1024, 128 * Math.floor(roomFor(batch) / 128)))
      }
      // Whose codes these are may have changed by now.
      keep(strings.recode(count === rowCount ? batch : sliceBatch(batch, from, count)), split)
      from += count
    }
    // Better now, when the next rows may come with dictionaries of their own, than in the middle of these.
    if (mayRelieve && rowCount > 0 && roomFor(batch) < Math.min(rowCount, LEAST_ROWS)) relieve()
  }

  const keep = (batch: LaneBatch, split: number) => {
    const before = account.usedBytes
    store.add(batch, split)
    storedBytes += account.usedBytes - before
    widestBytes += Math.max(...batch.columns.map(column => byteLengthOf({ rowCount: 0, columns: [column] })), 0)
    splits = [Math.min(splits[0], split), Math.max(splits[1], split)]
  }

  /** All rows in memory side by side by split and arrival, which are then no longer in the store, and the parts that they were. */
  const takeAll = (): { all: LaneBatch; parts: readonly StoredRows[] } => {
    const parts = store.take()
    storedBytes = 0
    widestBytes = 0
    return { all: concatenate(k, parts), parts }
  }

  /** u32 pointer in scratch. */
  const orderOf = (all: LaneBatch): number => argsort(k, sortKeysOf(all.columns, keys), all.rowCount)

  const relieve = (): void => {
    if (store.rowCount === 0) return
    if (top !== null && store.rowCount >= 2 * top) prune(top)
    else if (spill.file !== null) endRun()
    memory.trim()
  }

  /** Keeps only the first rows, in the order in which they came, and no strings but theirs. */
  const prune = (count: number) => {
    const mark = memory.mark()
    const kept: { readonly split: number; readonly batch: VectorBatch }[] = []
    const { all, parts } = takeAll()
    try {
      const order = orderOf(all)
      memory.u32.subarray(order >>> 2, (order >>> 2) + count).sort()
      for (const { split, indices, count: rows } of rowsByPart(k, order, count, parts)) {
        const inner = memory.mark()
        const batch = unloadBatch(k, takeBatch(k, all, indices, rows), types)
        kept.push({ split, batch: narrowed(batch) })
        memory.reset(inner)
      }
    } finally {
      freeHeapBatch(k, all)
      memory.reset(mark)
    }
    letGo()
    for (const { split, batch } of kept) {
      keep(strings.load(batch), split)
      memory.reset(mark)
    }
  }

  const letGo = () => {
    splits = [Infinity, -Infinity]
    strings.clear()
    store.free()
    times++
  }

  /** Writes the rows in memory as a run. */
  const endRun = () => {
    const mark = memory.mark()
    const run: Run = { pieces: [], splits }
    const { all, parts } = takeAll()
    let column = 0
    try {
      column = memory.allocate(4 * all.rowCount)
      let row = column >>> 2
      for (const { split, batch } of parts) {
        memory.u32.fill(split, row, row + batch.rowCount)
        row += batch.rowCount
      }
      const count = Math.min(all.rowCount, top ?? Infinity)
      const columns = [...all.columns, splitColumn(column, all.rowCount)]
      const order = orderOf(all)
      for (let from = 0; from < count; ) {
        const inner = memory.mark()
        const rows = Math.min(count - from, rowsOfBlock(all))
        const batch = takeBatch(k, { rowCount: all.rowCount, columns }, order + 4 * from, rows)
        run.pieces.push(write(unloadBatch(k, batch, typesOfRun(types))))
        fitBlock(run.pieces)
        memory.reset(inner)
        from += rows
      }
    } finally {
      memory.free(column)
      freeHeapBatch(k, all)
      memory.reset(mark)
    }
    runs.push(run)
    letGo()
  }

  const rowsOfBlock = (batch: LaneBatch): number => {
    if (blockRows === 0) blockRows = blockBytes / Math.max(1, byteLengthOf(batch) / batch.rowCount)
    return Math.max(1, Math.min(MORSEL_ROWS, Math.floor(blockRows)))
  }

  /** What a block came to says how many rows the next should have: strings and lists are as long as they are. */
  const fitBlock = (written: readonly Piece[]) => {
    const { rowCount, byteLength } = written[written.length - 1]
    blockRows = Math.min(2 * blockRows, (rowCount * blockBytes) / byteLength)
  }

  /** So few runs that they can be merged at once, in the order of their rows; others have a turn while they are made. */
  function* fewRuns(): Generator<null, readonly Run[]> {
    if (store.rowCount > 0) endRun()
    let all = [...runs.splice(0), ...received.values()]
    received.clear()
    while (all.length > FAN_IN) {
      const next: Run[] = []
      for (let first = 0; first < all.length; first += FAN_IN) {
        next.push(yield* mergedRun(all.slice(first, first + FAN_IN)))
      }
      all = next
    }
    return all
  }

  function* mergedRun(some: readonly Run[]): Generator<null, Run> {
    const run: Run = {
      pieces: [],
      splits: [Math.min(...some.map(each => each.splits[0])), Math.max(...some.map(each => each.splits[1]))],
    }
    let left = top ?? Infinity
    const batches = merged(some, Math.max(1, Math.floor(blockRows)))
    try {
      while (left > 0) {
        // Whoever has a turn between two may reset scratch further.
        const mark = memory.mark()
        const { done, value: batch } = batches.next()
        if (done === true) break
        run.pieces.push(write(unloadBatch(k, batch, typesOfRun(types))))
        left -= batch.rowCount
        memory.reset(mark)
        yield null
      }
    } finally {
      batches.return(undefined)
    }
    return run
  }

  const merged = (some: readonly Run[], rowsAtOnce: number) =>
    mergeRuns(context, spill.file as SpillFile, some, types, keys, rowsAtOnce, () => {
      // What the largest morsel needed is not needed now.
      memory.trim()
      spill.makeRoom(0.45 * account.shareBytes)
    })

  const hasRuns = () => runs.length > 0 || received.size > 0

  /** The rows of memory alone. */
  function* sortedInMemory(): Iterable<LaneBatch> {
    const rowCount = Math.min(store.rowCount, top ?? Infinity)
    if (rowCount === 0) return
    const { all } = takeAll()
    let order = 0
    try {
      const mark = memory.mark()
      const sorted = orderOf(all)
      order = memory.allocate(4 * rowCount)
      memory.u8.copyWithin(order, sorted, sorted + 4 * rowCount)
      memory.reset(mark)
      memory.trim()
      // Whoever is given a morsel may copy it, and what it takes of the copy.
      const fitting = (account.shareBytes - account.usedBytes) / (4 * Math.max(1, byteLengthOf(all) / all.rowCount))
      const rows = Math.max(128, Math.min(MORSEL_ROWS, Math.floor(fitting)))
      for (let from = 0; from < rowCount; from += rows) {
        yield takeBatch(k, all, order + 4 * from, Math.min(rows, rowCount - from))
      }
    } finally {
      memory.free(order)
      freeHeapBatch(k, all)
    }
  }

  function* sorted(): Iterable<LaneBatch | null> {
    unregister()
    if (top === 0) return
    if (!hasRuns()) {
      yield* sortedInMemory()
      return
    }
    let left = top ?? Infinity
    for (const { rowCount, columns } of merged(yield* fewRuns(), MORSEL_ROWS)) {
      const count = Math.min(rowCount, left)
      yield { rowCount: count, columns: columns.slice(0, -1).map(column => ({ ...column, length: count })) }
      left -= count
      if (left === 0) return
    }
  }

  return {
    get rowCount() {
      return total
    },
    get spilled() {
      return { bytes, pieces, times }
    },
    add,
    absorb(part: Part<VectorBatch>) {
      const mark = memory.mark()
      if (part.kind === 'rows') {
        const batch = strings.load(part.batch)
        // Where there is no room for the rows, those before them go, and with these the strings that are kept: these are still needed.
        const coded = batch.columns.map(dictionaryOf).filter(dictionary => dictionary !== null)
        for (const dictionary of coded) pool.retain(dictionary)
        try {
          add(batch, part.split)
        } finally {
          for (const dictionary of coded) pool.release(dictionary)
        }
      } else if (part.kind === 'block') {
        if (spill.file === null) throw account.overBudget(part.bytes.length)
        let run = received.get(part.of)
        if (run === undefined) {
          // Of which splits its rows are is not told.
          run = { pieces: [], splits: [-Infinity, Infinity] }
          received.set(part.of, run)
        }
        run.pieces.push({ from: spill.file.write(part.bytes), byteLength: part.bytes.length, rowCount: part.rowCount })
        bytes += part.bytes.length
        pieces++
        total += part.rowCount
      } else throw new Error(`rows are absorbed here, not ${part.kind}`)
      memory.reset(mark)
    },
    *handOver() {
      unregister()
      if (!hasRuns()) {
        if (top !== null && store.rowCount > top) prune(top)
        yield* store.handOver()
        return
      }
      const some = yield* fewRuns()
      // No two lanes have rows of one split.
      const of = some.reduce((least, { splits: [first] }) => Math.min(least, first), Infinity)
      let left = top ?? Infinity
      for (const batch of merged(some, Math.max(1, Math.floor(blockRows)))) {
        const written = batchBytes(unloadBatch(k, batch, typesOfRun(types)))
        yield { kind: 'block', of, rowCount: batch.rowCount, bytes: written }
        left -= batch.rowCount
        if (left <= 0) return
      }
    },
    sorted,
    *drain(): Iterable<StoredRows | null> {
      unregister()
      if (!hasRuns()) {
        yield* store.drain()
        return
      }
      for (const { rowCount, columns } of merged(yield* fewRuns(), MORSEL_ROWS)) {
        const at = columns[columns.length - 1].data >>> 2
        const ofRows = memory.u32.slice(at, at + rowCount)
        yield* splitBySplit(k, { rowCount, columns: columns.slice(0, -1) }, ofRows)
      }
    },
    free() {
      if (isFreed) return
      isFreed = true
      unregister()
      store.free()
      strings.clear()
    },
  }
}

/** Rows in scratch, cut where their splits end: each part is in scratch too, and good until the next is asked for. */
export function* splitBySplit(k: Kernels, batch: LaneBatch, ofRows: Uint32Array): Generator<StoredRows> {
  const { rowCount } = batch
  if (rowCount === 0) return
  if (ofRows.every(split => split === ofRows[0])) {
    yield { split: ofRows[0], batch }
    return
  }
  const kept = copyToHeap(k, batch)
  try {
    for (let from = 0, to = 0; from < rowCount; from = to) {
      while (to < rowCount && ofRows[to] === ofRows[from]) to++
      yield { split: ofRows[from], batch: takeBatch(k, kept, rangeIndices(k, from, to), to - from) }
    }
  } finally {
    freeHeapBatch(k, kept)
  }
}

const splitColumn = (data: number, length: number): LaneVector => ({
  type: int32(),
  length,
  data,
  validity: 0,
  dictionary: null,
  range: null,
})
