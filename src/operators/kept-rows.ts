/**
 * Rows that are kept one by one, each as long as somebody has it, by numbers that others get once nobody has it. They lie in chunks of heap memory; a chunk is merged with the
 * one before it where that is not twice as long, and made anew where half of it is gone, so that there are few, and a row is copied a logarithm of times.
 *
 * ```
 * number ── chunk, row     owners     place     image
 * chunk  ── batch          numbers of its rows, -1 where one is gone
 * ```
 */
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { takeBatch } from '../kernels/select.js'
import type { ColumnKey } from '../kernels/sort.js'
import { compareRows } from './compare-rows.js'
import { copyToHeap, freeHeapBatch, joinBatches } from './heap-batch.js'
import { recodeKept } from './recode-kept.js'

/** The number of a row that is kept. */
export type KeptRow = number

interface Chunk {
  /** Among all chunks, as long as it is there. */
  readonly slot: number
  batch: LaneBatch
  /** By row; -1 where it is gone. */
  rows: Int32Array<ArrayBuffer>
  count: number
}

export interface KeptRows {
  /** Rows in scratch, of which some may be kept until `settle`. Says whether one of them comes before a kept row that came before it: with `isLast` also one of equal order. */
  begin(batch: LaneBatch, isLast: boolean): (row: number, than: KeptRow) => boolean
  /** Keeps a row of the batch that has been begun, for one owner, or for one more. @param place among all that have come */
  keep(row: number, place: number): KeptRow
  /** For one owner more. */
  retain(row: KeptRow): void
  release(row: KeptRow): void
  /** Copies what is kept of the batch that has been begun, which is not needed any more. */
  settle(): void
  /** Gives back the memory of rows that are gone, where it is worth it. */
  tidy(): void
  compare(a: KeptRow, b: KeptRow): number
  /** Has the columns of all rows be others of the same values. */
  recode(change: (column: LaneVector) => LaneVector): void
  /** Columns of these rows, good until `free`. */
  gather(rows: Int32Array): { readonly columns: readonly LaneVector[]; free(): void }
  /** Rows that are kept. */
  readonly size: number
  free(): void
}

/** Rows that are gone before a chunk is made anew, at least. */
const LEAST_GONE = 256

export function createKeptRows(k: Kernels, orders: readonly ColumnKey[]): KeptRows {
  const { memory } = k
  const chunks: Chunk[] = []
  /** By their slots; null: free. */
  const slots: (Chunk | null)[] = []
  let fresh: Chunk | null = null
  let images = new Float64Array(0)
  /** Numbers that nobody has. */
  const unused: number[] = []
  let length = 0
  let size = 0
  /** By number: where it lies, which is in another chunk and row once chunks are merged, how many have it, and its place among all that have come. */
  let slotOf = new Int32Array(64)
  let rowOf = new Int32Array(64)
  let owners = new Int32Array(64)
  let placeOf = new Float64Array(64)
  /** Ascends with the first order; where equal, rows are compared. */
  let imageOf = new Float64Array(64)

  function open(batch: LaneBatch, rows: Int32Array<ArrayBuffer>, count: number): Chunk {
    const free = slots.indexOf(null)
    const slot = free < 0 ? slots.length : free
    const chunk = { slot, batch, rows, count }
    slots[slot] = chunk
    return chunk
  }

  function begin(batch: LaneBatch, isLast: boolean): (row: number, than: KeptRow) => boolean {
    const most = isLast ? 0 : -1
    settle()
    fresh = open(batch, new Int32Array(batch.rowCount).fill(-1), 0)
    images = imagesOf(k, batch, orders[0])
    const own = images
    return (row, than) => {
      const [image, other] = [own[row] as number, imageOf[than] as number]
      if (image !== other) return image < other
      return compareRows(k, orders, batch, row, batchOf(than), rowOf[than] as number) <= most
    }
  }

  const batchOf = (row: KeptRow): LaneBatch => (slots[slotOf[row] as number] as Chunk).batch

  function keep(row: number, place: number): KeptRow {
    const chunk = fresh as Chunk
    const known = chunk.rows[row] as number
    if (known >= 0) {
      retain(known)
      return known
    }
    const kept = unused.pop() ?? length++
    if (kept === owners.length) grow()
    slotOf[kept] = chunk.slot
    rowOf[kept] = row
    owners[kept] = 1
    placeOf[kept] = place
    imageOf[kept] = images[row] as number
    chunk.rows[row] = kept
    chunk.count++
    size++
    return kept
  }

  function grow(): void {
    const larger = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    const room = 2 * owners.length
    slotOf = larger(slotOf, new Int32Array(room))
    rowOf = larger(rowOf, new Int32Array(room))
    owners = larger(owners, new Int32Array(room))
    placeOf = larger(placeOf, new Float64Array(room))
    imageOf = larger(imageOf, new Float64Array(room))
  }

  function retain(row: KeptRow): void {
    owners[row] = (owners[row] as number) + 1
  }

  function release(row: KeptRow): void {
    const left = (owners[row] as number) - 1
    owners[row] = left
    if (left > 0) return
    const chunk = slots[slotOf[row] as number] as Chunk
    chunk.rows[rowOf[row] as number] = -1
    chunk.count--
    unused.push(row)
    size--
  }

  /** The rows of chunks that are left, in one. */
  function merged(parts: readonly Chunk[]): Chunk | null {
    const left = parts.filter(({ count }) => count > 0)
    if (left.length === 0) return null
    const mark = memory.mark()
    const rows = new Int32Array(left.reduce((sum, { count }) => sum + count, 0))
    let at = 0
    const batches = left.map(({ batch, rows: own, count }) => {
      const indices = memory.scratch(4 * count)
      const { u32 } = memory
      let to = indices >>> 2
      for (let row = 0; row < own.length; row++) {
        const kept = own[row] as number
        if (kept < 0) continue
        rows[at++] = kept
        u32[to++] = row
      }
      return chosen(batch, indices, count)
    })
    const [first] = batches as [LaneBatch]
    const batch = batches.length === 1 ? copyToHeap(k, first) : joinBatches(k, batches)
    memory.reset(mark)
    const chunk = open(batch, rows, rows.length)
    for (let row = 0; row < rows.length; row++) {
      const kept = rows[row] as number
      slotOf[kept] = chunk.slot
      rowOf[kept] = row
    }
    return chunk
  }

  function chosen(batch: LaneBatch, indices: number, count: number): LaneBatch {
    const { rowCount, columns } = takeBatch(k, batch, indices, count)
    return { rowCount, columns: columns.map(column => ({ ...column, range: null })) }
  }

  function settle(): void {
    if (fresh === null) return
    const chunk = merged([fresh])
    slots[fresh.slot] = null
    fresh = null
    if (chunk === null) return
    chunks.push(chunk)
    while (chunks.length > 1 && (chunks.at(-2) as Chunk).count <= 2 * (chunks.at(-1) as Chunk).count) {
      replace(chunks.splice(-2))
    }
  }

  function replace(parts: readonly Chunk[], at = chunks.length): void {
    const chunk = merged(parts)
    for (const { batch, slot } of parts) {
      freeHeapBatch(k, batch)
      slots[slot] = null
    }
    if (chunk !== null) chunks.splice(at, 0, chunk)
  }

  function tidy(): void {
    for (let i = chunks.length - 1; i >= 0; i--) {
      const { rows, count } = chunks[i] as Chunk
      if (count === 0 || rows.length - count > Math.max(LEAST_GONE, count)) replace(chunks.splice(i, 1), i)
    }
  }

  function gather(rows: Int32Array): ReturnType<KeptRows['gather']> {
    const counts = new Int32Array(slots.length)
    for (let i = 0; i < rows.length; i++) {
      const slot = slotOf[rows[i] as number] as number
      counts[slot] = (counts[slot] as number) + 1
    }
    const indices = memory.scratch(4 * rows.length)
    const order = memory.scratch(4 * rows.length)
    /** Where those of each chunk begin, one chunk after another. */
    const next = new Int32Array(slots.length)
    for (let slot = 1; slot < slots.length; slot++)
      next[slot] = (next[slot - 1] as number) + (counts[slot - 1] as number)
    const parts = [...slots.keys()].filter(slot => counts[slot] !== 0)
    const starts = parts.map(slot => indices + 4 * (next[slot] as number))
    const { u32 } = memory
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      const slot = slotOf[row] as number
      const to = next[slot] as number
      next[slot] = to + 1
      u32[(indices >>> 2) + to] = rowOf[row] as number
      u32[(order >>> 2) + i] = to
    }
    const batches = parts.map((slot, i) =>
      chosen((slots[slot] as Chunk).batch, starts[i] as number, counts[slot] as number),
    )
    const [only] = batches
    if (batches.length === 1 && only !== undefined) return { columns: only.columns, free() {} }
    const joined = joinBatches(k, batches)
    return { columns: chosen(joined, order, rows.length).columns, free: () => freeHeapBatch(k, joined) }
  }

  return {
    begin,
    keep,
    retain,
    release,
    settle,
    tidy,
    compare(a, b) {
      const [image, other] = [imageOf[a] as number, imageOf[b] as number]
      if (image !== other) return image < other ? -1 : 1
      const found = compareRows(k, orders, batchOf(a), rowOf[a] as number, batchOf(b), rowOf[b] as number)
      return found || (placeOf[a] as number) - (placeOf[b] as number)
    },
    recode: change => recodeKept(k, chunks, change),
    gather,
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
function imagesOf({ memory }: Kernels, batch: LaneBatch, order: ColumnKey | undefined): Float64Array<ArrayBuffer> {
  const images = new Float64Array(batch.rowCount)
  if (order === undefined) return images
  const { type, data, validity } = batch.columns[order.column] as LaneVector
  const views: Readonly<Partial<Record<typeof type.kind, readonly [ArrayLike<number>, number]>>> = {
    int8: [memory.i8, 0],
    uint8: [memory.u8, 0],
    int16: [memory.i16, 1],
    uint16: [memory.u16, 1],
    int32: [memory.i32, 2],
    date: [memory.i32, 2],
    uint32: [memory.u32, 2],
    float32: [memory.f32, 2],
    float64: [memory.f64, 3],
  }
  const view = views[type.kind]
  const sign = order.descending ? -1 : 1
  const isWide = type.kind === 'int64' || type.kind === 'timestamp'
  const { i32, u32 } = memory
  const none = order.nulls === 'first' ? -Infinity : Infinity
  for (let row = 0; row < images.length; row++) {
    if (validity !== 0 && ((memory.u8[validity + (row >>> 3)] as number) & (1 << (row & 7))) === 0) images[row] = none
    else if (isWide) {
      const at = (data >>> 2) + 2 * row
      images[row] = sign * ((i32[at + 1] as number) * 2 ** 32 + (u32[at] as number))
    } else if (view !== undefined) {
      const value = view[0][(data >>> view[1]) + row] as number
      images[row] = sign * (Number.isNaN(value) ? Infinity : value)
    }
  }
  return images
}
