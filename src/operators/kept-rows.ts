/**
 * Rows that are kept one by one, each as long as somebody has it. They lie in chunks of heap memory; a chunk is merged with the one before it where that is not twice as
 * long, and made anew where half of it is gone, so that there are few, and a row is copied a logarithm of times.
 */
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { takeBatch } from '../kernels/select.js'
import { compareRows, type RunKey } from './compare-rows.js'
import { copyToHeap, freeHeapBatch, joinBatches } from './heap-batch.js'
import { recodeKept } from './recode-kept.js'

export interface KeptRow {
  /** Where it lies; another chunk and row when chunks are merged. */
  chunk: Chunk
  row: number
  /** How many have it: one more may count itself. */
  owners: number
  /** Its place among all that have come. */
  readonly place: number
  /** Ascends with the first order; where equal, rows are compared. */
  readonly image: number
}

interface Chunk {
  batch: LaneBatch
  /** By row; null where it is gone. */
  rows: (KeptRow | null)[]
  count: number
}

export interface KeptRows {
  /** Rows in scratch, of which some may be kept until `settle`. Says whether one of them comes before a kept row that came before it: with `isLast` also one of equal order. */
  begin(batch: LaneBatch, isLast: boolean): (row: number, than: KeptRow) => boolean
  /** Keeps a row of the batch that has been begun, for one owner, or for one more. */
  keep(row: number, place: number): KeptRow
  release(row: KeptRow): void
  /** Copies what is kept of the batch that has been begun. With `isDone` what lies in scratch is not needed any more. */
  settle(isDone: boolean): void
  /** Gives back the memory of rows that are gone, where it is worth it. */
  tidy(): void
  compare(a: KeptRow, b: KeptRow): number
  /** Has the columns of all rows be others of the same values. */
  recode(change: (column: LaneVector) => LaneVector): void
  /** Columns of these rows, good until `free`. */
  gather(rows: readonly KeptRow[]): { readonly columns: readonly LaneVector[]; free(): void }
  /** Rows that are kept. */
  readonly size: number
  free(): void
}

/** Rows that are gone before a chunk is made anew, at least. */
const LEAST_GONE = 256

export function createKeptRows(k: Kernels, orders: readonly RunKey[]): KeptRows {
  const { memory } = k
  const chunks: Chunk[] = []
  let fresh: Chunk | null = null
  let images = new Float64Array(0)
  let size = 0

  function begin(batch: LaneBatch, isLast: boolean): (row: number, than: KeptRow) => boolean {
    const most = isLast ? 0 : -1
    settle(true)
    fresh = { batch, rows: new Array(batch.rowCount).fill(null), count: 0 }
    images = imagesOf(k, batch, orders[0])
    return (row, than) => {
      const image = images[row] as number
      if (image !== than.image) return image < than.image
      return compareRows(k, orders, batch, row, than.chunk.batch, than.row) <= most
    }
  }

  function keep(row: number, place: number): KeptRow {
    const chunk = fresh as Chunk
    const known = chunk.rows[row]
    if (known) {
      known.owners++
      return known
    }
    const kept: KeptRow = { chunk, row, owners: 1, place, image: images[row] as number }
    chunk.rows[row] = kept
    chunk.count++
    size++
    return kept
  }

  function release(row: KeptRow): void {
    if (--row.owners > 0) return
    row.chunk.rows[row.row] = null
    row.chunk.count--
    size--
  }

  /** The rows of chunks that are left, in one. */
  function merged(parts: readonly Chunk[]): Chunk | null {
    const left = parts.filter(({ count }) => count > 0)
    if (left.length === 0) return null
    const mark = memory.mark()
    const own = left.map(chunk => chunk.rows.filter(row => row !== null))
    const rows = own.flat()
    const batches = left.map(({ batch }, i) => chosen(batch, own[i] as KeptRow[]))
    const [first] = batches as [LaneBatch]
    const batch = batches.length === 1 ? copyToHeap(k, first) : joinBatches(k, batches)
    memory.reset(mark)
    const chunk: Chunk = { batch, rows, count: rows.length }
    for (const [i, row] of rows.entries()) {
      row.chunk = chunk
      row.row = i
    }
    return chunk
  }

  function chosen(batch: LaneBatch, rows: readonly KeptRow[]): LaneBatch {
    const indices = memory.scratch(4 * rows.length)
    memory.u32.set(
      rows.map(({ row }) => row),
      indices >>> 2,
    )
    const { rowCount, columns } = takeBatch(k, batch, indices, rows.length)
    return { rowCount, columns: columns.map(column => ({ ...column, range: null })) }
  }

  function settle(isDone: boolean): void {
    if (fresh === null) return
    const { batch, rows } = fresh
    const chunk = merged([fresh])
    fresh = isDone ? null : chunk === null ? fresh : { batch, rows: new Array(rows.length).fill(null), count: 0 }
    if (chunk === null) return
    chunks.push(chunk)
    while (chunks.length > 1 && (chunks.at(-2) as Chunk).count <= 2 * (chunks.at(-1) as Chunk).count) {
      replace(chunks.splice(-2))
    }
  }

  function replace(parts: readonly Chunk[], at = chunks.length): void {
    const chunk = merged(parts)
    for (const { batch } of parts) freeHeapBatch(k, batch)
    if (chunk !== null) chunks.splice(at, 0, chunk)
  }

  function tidy(): void {
    for (let i = chunks.length - 1; i >= 0; i--) {
      const { rows, count } = chunks[i] as Chunk
      if (count === 0 || rows.length - count > Math.max(LEAST_GONE, count)) replace(chunks.splice(i, 1), i)
    }
  }

  return {
    begin,
    keep,
    release,
    settle,
    tidy,
    compare: (a, b) => {
      if (a.image !== b.image) return a.image - b.image < 0 ? -1 : 1
      return compareRows(k, orders, a.chunk.batch, a.row, b.chunk.batch, b.row) || a.place - b.place
    },
    recode: change => recodeKept(k, chunks, change),
    gather(rows) {
      const parts = new Map<Chunk, KeptRow[]>()
      for (const row of rows) {
        const mine = parts.get(row.chunk)
        if (mine === undefined) parts.set(row.chunk, [row])
        else mine.push(row)
      }
      const [only] = parts
      if (parts.size === 1 && only !== undefined) return { columns: chosen(only[0].batch, rows).columns, free() {} }
      const joined = joinBatches(
        k,
        [...parts].map(([{ batch }, mine]) => chosen(batch, mine)),
      )
      const places = new Map<KeptRow, number[]>()
      let next = 0
      for (const mine of parts.values()) {
        for (const row of mine) {
          const known = places.get(row)
          if (known === undefined) places.set(row, [next++])
          else known.push(next++)
        }
      }
      const order = memory.scratch(4 * rows.length)
      memory.u32.set(
        rows.map(row => (places.get(row) as number[]).pop() as number),
        order >>> 2,
      )
      const { columns } = takeBatch(k, joined, order, rows.length)
      return { columns: columns.map(column => ({ ...column, range: null })), free: () => freeHeapBatch(k, joined) }
    },
    get size() {
      return size
    },
    free() {
      fresh = null
      for (const { batch } of chunks.splice(0)) freeHeapBatch(k, batch)
    },
  }
}

/** Numbers that ascend as rows come in an order; where they are equal, rows may yet differ. */
function imagesOf({ memory }: Kernels, batch: LaneBatch, order: RunKey | undefined): Float64Array<ArrayBuffer> {
  const images = new Float64Array(batch.rowCount)
  if (order === undefined) return images
  const { type, data, validity } = batch.columns[order.column] as LaneVector
  const views: Readonly<Partial<Record<typeof type.kind, readonly [ArrayLike<number | bigint>, number]>>> = {
    int8: [memory.i8, 0],
    uint8: [memory.u8, 0],
    int16: [memory.i16, 1],
    uint16: [memory.u16, 1],
    int32: [memory.i32, 2],
    date: [memory.i32, 2],
    uint32: [memory.u32, 2],
    float32: [memory.f32, 2],
    float64: [memory.f64, 3],
    int64: [memory.i64, 3],
    timestamp: [memory.i64, 3],
  }
  const view = views[type.kind]
  const sign = order.descending ? -1 : 1
  const none = order.nulls === 'first' ? -Infinity : Infinity
  for (let row = 0; row < images.length; row++) {
    if (validity !== 0 && ((memory.u8[validity + (row >>> 3)] as number) & (1 << (row & 7))) === 0) images[row] = none
    else if (view !== undefined) {
      const value = Number(view[0][(data >>> view[1]) + row])
      images[row] = sign * (Number.isNaN(value) ? Infinity : value)
    }
  }
  return images
}
