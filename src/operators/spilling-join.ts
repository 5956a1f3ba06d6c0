/**
 * A join of a job with a budget whose other side may be more than there is room for. Then the rows of both sides go to the job's file in the order of a hash of their keys
 * (sorted-runs.ts), and once there are no more, stretches of hashes are joined one after another, each as any rows are (join.ts):
 *
 * ```
 *   right rows by hash   [====== as many as there is room for ======][====== ...
 *                         indexed, and looked up by                   the same once more
 *   left rows by hash    [==][==][==][==]                            [==][==] ...
 *                         what comes of them goes to the file too, with the place of its left row, and comes out in the order of these
 * ```
 * Rows with one key have one hash, so that they come in their order. Inner, left, semi and anti joins without a condition on pairs can be so; of a side that there is room for
 * nothing is written, and rows are joined as they come.
 */
import { type DataType, int32, type SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { numbers } from '../kernels/aggregate/accumulator.js'
import { bothValid } from '../kernels/bitmap.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { rangeIndices, selection, takeBatch } from '../kernels/select.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import type { JoinStage } from '../plan/physical.js'
import { batchBytes, laneBatchOfBytes } from './batch-bytes.js'
import type { OperatorContext, OperatorParts } from './build.js'
import { fittingBatches } from './fitting-batches.js'
import { byteLengthOf, copyToHeap, freeHeapBatch } from './heap-batch.js'
import { createOneDictionary } from './one-dictionary.js'
import type { Deferred, Morsel, Side, Transform } from './operator.js'
import { createSortedRuns, type SortedRuns, splitBySplit } from './sorted-runs.js'
import type { Piece, Spill, SpillFile } from './spill.js'

/** Where a left row came from, beside its columns. */
const SPLIT = '\0split'
const ROW = '\0row'
/** Bytes of a row in the index and while that is made, about. */
const INDEX_BYTES = 40
/** Of the lane's share, what a side may take and still be joined at once, and what a stretch of one may. */
const MOST_AT_ONCE = 0.6
const STRETCH_PARTS = 12
const ROW_PARTS = 4096
const LEAST_ROWS = 256

/** Null where rows are joined as they come in any case. */
export function createSpillingJoin(
  context: OperatorContext,
  spill: Spill,
  stage: JoinStage,
  input: SchemaShape,
): Transform | null {
  const { how, right: sideSchema } = stage
  if (stage.where !== null || stage.asof !== null || how === 'right' || how === 'full') return null
  const { k } = context
  const { memory } = k
  const { account } = spill
  const { createJoin, hashedKeys, keyHashes } = context.parts.joins as OperatorParts['joins']
  const plain = createJoin(context, stage, input)
  const sideTypes = Object.values(sideSchema)
  const leftTypes = [...Object.values(input), int32(), int32()]
  const outTypes = [...Object.values(stage.output), int32(), int32()]
  const innerInput: SchemaShape = { ...input, [SPLIT]: int32(), [ROW]: int32() }
  const innerStage: JoinStage = { ...stage, output: { ...stage.output, [SPLIT]: int32(), [ROW]: int32() } }
  const keys = hashedKeys(stage, input)
  /** Codes of the side's rows that are in memory. */
  const strings = createOneDictionary(context)
  const kept: { readonly split: number; readonly batch: LaneBatch; readonly isHeld: boolean }[] = []
  let keptBytes = 0
  let keptRows = 0
  /** Of the side's rows, once they have been cut: where they are, and the last hash that they have. */
  const stretches: { readonly pieces: Piece[]; last: number }[] = []
  let bytes = 0
  let arrived = 0
  let timesSpilled = 0
  /** What is needed for so many rows, and what comes of them, is a small part of the budget. */
  const atOnce = Math.max(LEAST_ROWS, Math.floor(account.shareBytes / ROW_PARTS))
  let right: SortedRuns | null = null
  let left: SortedRuns | null = null
  let out: SortedRuns | null = null
  /** Of the rows that come next. */
  let origin = { split: 0, firstRow: 0, places: 0 }

  const unregister = spill.register({
    byteLength: () => (spill.file === null || right !== null ? 0 : keptBytes),
    spill() {
      right = spillSide()
    },
  })

  const byHash = (types: readonly DataType[]): SortedRuns =>
    createSortedRuns(context, spill, [...types, int32()], [{ column: types.length, descending: false, nulls: 'last' }])

  /** The rows with a hash of their keys behind their columns, in scratch. */
  function hashed(batch: LaneBatch, side: 'left' | 'right'): LaneBatch {
    const { rowCount } = batch
    const hashes = keyHashes(k, keys, batch, side)
    return { rowCount, columns: [...batch.columns, numbers(int32(), rowCount, hashes)] }
  }

  /** The side's rows likewise; those with a null among their keys, which meet no row and have one hash, are left out. */
  function hashedSide(batch: LaneBatch): LaneBatch {
    const { rowCount, columns } = batch
    let valid = 0
    for (const key of keys) valid = bothValid(k, valid, columns[key.right.column].validity, rowCount)
    if (valid === 0) return hashed(batch, 'right')
    const { indices, count } = selection(k, valid, rowCount)
    return hashed(takeBatch(k, batch, indices, count), 'right')
  }

  const hasRoom = (): boolean =>
    account.usedBytes + keptBytes + INDEX_BYTES * keptRows <= MOST_AT_ONCE * account.shareBytes

  function takeSide(batch: LaneBatch, split: number, isHeld: boolean): void {
    if (right === null) {
      kept.push({ split, batch: isHeld ? batch : copyToHeap(k, batch), isHeld })
      keptBytes += byteLengthOf(batch)
      keptRows += batch.rowCount
      if (!hasRoom() && spill.file !== null) right = spillSide()
      return
    }
    const rows = hashedSide(batch)
    right.add(rows, split)
    // Nor need the strings of rows that are left out be kept.
    if (right.spilled.times === timesSpilled && rows.rowCount === batch.rowCount) return
    timesSpilled = right.spilled.times
    strings.clear()
  }

  function spillSide(): SortedRuns {
    const runs = byHash(sideTypes)
    kept.sort((a, b) => a.split - b.split)
    for (let part = kept.shift(); part !== undefined; part = kept.shift()) {
      const mark = memory.mark()
      try {
        runs.add(hashedSide(part.batch), part.split)
      } finally {
        if (!part.isHeld) freeHeapBatch(k, part.batch)
      }
      memory.reset(mark)
    }
    keptBytes = keptRows = 0
    strings.clear()
    return runs
  }

  function dropKept(): void {
    for (const { batch, isHeld } of kept.splice(0)) if (!isHeld) freeHeapBatch(k, batch)
    keptBytes = keptRows = 0
  }

  const side: Side = {
    index: stage.side,
    rows: {
      hold: (batch, split) => takeSide(batch, split, true),
      add(batch: VectorBatch, split = arrived++) {
        for (const each of fittingBatches(batch, account.shareBytes / 12)) {
          const mark = memory.mark()
          takeSide(strings.load(each), split, false)
          memory.reset(mark)
        }
      },
      dictionaryOf: () => null,
    },
    *prepare() {
      unregister()
      if (right !== null) {
        strings.clear()
        yield* cutStretches(right)
        right.free()
        left = byHash(leftTypes)
        return
      }
      for (const { batch, split } of kept) plain.side.rows.hold(batch, split)
      yield* plain.side.prepare()
      dropKept()
      strings.clear()
    },
  }

  function* expand(morsel: Morsel): Iterable<Morsel> {
    if (left === null) {
      yield* plain.expand(morsel)
      return
    }
    const { rowCount } = morsel
    const splits = memory.scratch(4 * rowCount + 4)
    const rows = memory.scratch(4 * rowCount + 4)
    const { u32, i32 } = memory
    i32.fill(origin.split, splits >>> 2, (splits >>> 2) + rowCount)
    for (let i = 0; i < rowCount; i++) {
      const row = morsel.rows === 0 ? i : u32[(morsel.rows >>> 2) + i]
      u32[(rows >>> 2) + i] = origin.firstRow + (origin.places === 0 ? row : u32[(origin.places >>> 2) + row])
    }
    const columns = [...morsel.columns, numbers(int32(), rowCount, splits), numbers(int32(), rowCount, rows)]
    left.add(hashed({ rowCount, columns }, 'left'), 0)
  }

  /** Rows in the order of their hashes, of which some are at hand. */
  function rowsOf(runs: SortedRuns) {
    const batches = runs.sorted()[Symbol.iterator]()
    let batch: LaneBatch | null = null
    let at = 0
    const hashAt = (row: number) => {
      const { columns } = batch as LaneBatch
      return memory.i32[(columns[columns.length - 1].data >>> 2) + row]
    }
    const drop = () => {
      if (batch !== null) freeHeapBatch(k, batch)
      batch = null
    }
    return {
      /** Whether there are any left. */
      *fill(): Generator<undefined, boolean> {
        if (batch !== null && at === batch.rowCount) drop()
        while (batch === null) {
          const mark = memory.mark()
          const { done, value } = batches.next()
          if (done === true) return false
          if (value !== null && value.rowCount > 0) batch = copyToHeap(k, value)
          at = 0
          memory.reset(mark)
          yield
        }
        return true
      },
      /** Rows at hand, at most `count` and with hashes up to `last`, without these, in scratch; null where there are none. */
      take(count: number, last: number): { rows: LaneBatch; last: number } | null {
        const { rowCount, columns } = batch as LaneBatch
        let [end, most] = [at, Math.min(rowCount, at + count)]
        while (end < most) {
          const middle = (end + most) >>> 1
          if (hashAt(middle) <= last) end = middle + 1
          else most = middle
        }
        if (end === at) return null
        const own = { rowCount, columns: columns.slice(0, -1) }
        const rows = takeBatch(k, own, rangeIndices(k, at, end), end - at)
        const reached = hashAt(end - 1)
        at = end
        return { rows, last: reached }
      },
      close() {
        batches.return?.()
        drop()
      },
    }
  }

  /** Writes the side's rows once more, stretch by stretch. */
  function* cutStretches(runs: SortedRuns): Generator<undefined> {
    const rows = rowsOf(runs)
    const most = account.shareBytes / STRETCH_PARTS
    let cost = 0
    try {
      spill.makeRoom(account.shareBytes)
      stretches.push({ pieces: [], last: -1 })
      while (yield* rows.fill()) {
        const mark = memory.mark()
        const stretch = stretches[stretches.length - 1]
        // Once there are enough, those with the last hash, which are to be together.
        const found = cost < most ? rows.take(atOnce, Infinity) : rows.take(Infinity, stretch.last)
        if (found === null) {
          stretches.push({ pieces: [], last: -1 })
          cost = 0
        } else {
          const piece = write(unloadBatch(k, found.rows, sideTypes))
          stretch.pieces.push(piece)
          stretch.last = found.last
          cost += 2 * piece.byteLength + INDEX_BYTES * piece.rowCount
        }
        memory.reset(mark)
        yield
      }
      stretches[stretches.length - 1].last = Infinity
    } finally {
      rows.close()
    }
  }

  function write(batch: VectorBatch): Piece {
    const written = batchBytes(batch)
    bytes += written.length
    return { from: (spill.file as SpillFile).write(written), byteLength: written.length, rowCount: batch.rowCount }
  }

  /** Joins all rows, stretch by stretch. */
  function* joinStretches(ofLeft: SortedRuns, to: SortedRuns): Generator<undefined> {
    const rows = rowsOf(ofLeft)
    try {
      for (const { pieces, last } of stretches) {
        if (!(yield* rows.fill())) return
        // What is read back has dictionaries that nothing can be added to.
        const own = createOneDictionary(context, () => false)
        const parts: LaneBatch[] = []
        const inner = createJoin(context, innerStage, innerInput)
        try {
          spill.makeRoom(account.shareBytes / 2)
          for (const { from, byteLength } of pieces) {
            const mark = memory.mark()
            const { batch, pointer } = laneBatchOfBytes(k, (spill.file as SpillFile).read(from, byteLength), sideTypes)
            try {
              parts.push(copyToHeap(k, own.recode(batch)))
            } finally {
              memory.free(pointer)
            }
            memory.reset(mark)
            yield
          }
          for (const [i, batch] of parts.entries()) inner.side.rows.hold(batch, i)
          yield* inner.side.prepare() as Iterable<undefined>
          for (const batch of parts.splice(0)) freeHeapBatch(k, batch)
          while (yield* rows.fill()) {
            const mark = memory.mark()
            spill.makeRoom(0.4 * account.shareBytes)
            const found = rows.take(atOnce, last)
            if (found !== null) for (const morsel of inner.expand({ ...found.rows, rows: 0 })) to.add(morsel, 0)
            memory.reset(mark)
            if (found === null) break
            yield
          }
        } finally {
          inner.free()
          for (const batch of parts) freeHeapBatch(k, batch)
          own.clear()
        }
      }
    } finally {
      rows.close()
    }
  }

  function* emit(): Iterable<Deferred | null> {
    if (left === null) return
    out = createSortedRuns(context, spill, outTypes, [
      { column: outTypes.length - 2, descending: false, nulls: 'last' },
      { column: outTypes.length - 1, descending: false, nulls: 'last' },
    ])
    spill.makeRoom(account.shareBytes)
    for (const _ of joinStretches(left, out)) yield null
    left.free()
    for (const batch of out.sorted()) {
      if (batch === null) {
        yield null
        continue
      }
      const at = batch.columns[batch.columns.length - 2].data >>> 2
      const splits = memory.u32.slice(at, at + batch.rowCount)
      for (const { split, batch: own } of splitBySplit(k, batch, splits)) {
        const rows = own.columns[own.columns.length - 1].data
        yield { split: split | 0, morsel: { rowCount: own.rowCount, rows, columns: own.columns.slice(0, -2) } }
      }
    }
  }

  return {
    label: plain.label,
    kernels: () => plain.kernels(),
    apply: plain.apply,
    expand,
    renew: mostBytes => plain.renew?.(mostBytes),
    side,
    deferred: {
      at(split, firstRow, places) {
        origin = { split, firstRow, places }
      },
      emit,
    },
    get spilled() {
      const all = [right, left, out].flatMap(runs => (runs === null ? [] : [runs.spilled]))
      return {
        bytes: all.reduce((sum, each) => sum + each.bytes, bytes),
        pieces: all.reduce(
          (sum, each) => sum + each.pieces,
          stretches.reduce((sum, { pieces }) => sum + pieces.length, 0),
        ),
        times: left?.spilled.times ?? 0,
      }
    },
    free() {
      unregister()
      plain.free()
      dropKept()
      strings.clear()
      for (const runs of [right, left, out]) runs?.free()
    },
  }
}
