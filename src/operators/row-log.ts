/**
 * Rows that are kept in the order in which they came, by numbers that ascend, until each is dropped. They lie in chunks of heap memory: one that is mostly gone is made anew, and one that is
 * not twice as long as the next is merged with it, so that there are few and a row is copied a logarithm of times. kept-rows.ts keeps rows that several have, in an order.
 */
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { takeBatch } from '../kernels/select.js'
import { copyToHeap, freeHeapBatch, joinBatches } from './heap-batch.js'
import { lowerBound } from './lower-bound.js'
import { recodeKept } from './recode-kept.js'

export interface RowLog {
  /** Copies rows. @returns the number of the first; those of the others follow */
  add(batch: LaneBatch): number
  drop(number: number): void
  /** Gives back the memory of rows that are gone, where it is worth it: after a step. */
  tidy(): void
  /** These rows in their order, in scratch. */
  gather(numbers: readonly number[]): readonly LaneVector[]
  /** Has the columns of all rows be others of the same values. */
  recode(change: (column: LaneVector) => LaneVector): void
  /** Rows that are kept. */
  readonly size: number
  free(): void
}

interface Chunk {
  batch: LaneBatch
  readonly first: number
  /** By row, ascending; null: from `first` on, one after another. */
  readonly numbers: Float64Array | null
  readonly isGone: Uint8Array
  left: number
}

/** Rows that are gone before a chunk is made anew, at least. */
const LEAST_GONE = 256

export function createRowLog(k: Kernels): RowLog {
  const { memory } = k
  /** In the order of their numbers. */
  let chunks: Chunk[] = []
  let next = 0
  let size = 0

  function chunkOf(number: number, hint: number): number {
    if (isIn(hint, number)) return hint
    let [low, high] = [0, chunks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((chunks[middle] as Chunk).first <= number) low = middle
      else high = middle - 1
    }
    return low
  }

  const isIn = (at: number, number: number): boolean =>
    at < chunks.length &&
    (chunks[at] as Chunk).first <= number &&
    (at + 1 === chunks.length || number < (chunks[at + 1] as Chunk).first)

  /** The rows that are left of chunks that follow one another, in one. */
  function merged(parts: readonly Chunk[]): Chunk | null {
    const left = parts.filter(chunk => chunk.left > 0)
    const [head] = left
    if (head === undefined) return null
    const mark = memory.mark()
    const numbers = new Float64Array(left.reduce((sum, chunk) => sum + chunk.left, 0))
    let at = 0
    const batches = left.map(({ batch, first, numbers: own, isGone, left: count }) => {
      const rows = memory.scratch(4 * count)
      let to = rows >>> 2
      const { u32 } = memory
      for (let row = 0; row < batch.rowCount; row++) {
        if (isGone[row] === 1) continue
        u32[to++] = row
        numbers[at++] = own === null ? first + row : (own[row] as number)
      }
      return withoutRanges(takeBatch(k, batch, rows, count))
    })
    const [only] = batches as [LaneBatch]
    const batch = batches.length === 1 ? copyToHeap(k, only) : joinBatches(k, batches)
    memory.reset(mark)
    const least = numbers[0] as number
    const isDense = (numbers.at(-1) as number) - least === numbers.length - 1
    return {
      batch,
      first: least,
      numbers: isDense ? null : numbers,
      isGone: new Uint8Array(numbers.length),
      left: numbers.length,
    }
  }

  function replace(at: number, count: number): void {
    const parts = chunks.slice(at, at + count)
    const chunk = merged(parts)
    chunks.splice(at, count, ...(chunk === null ? [] : [chunk]))
    for (const { batch } of parts) freeHeapBatch(k, batch)
  }

  return {
    add(batch) {
      const first = next
      const { rowCount } = batch
      if (rowCount === 0) return first
      const own = copyToHeap(k, withoutRanges(batch))
      chunks.push({ batch: own, first, numbers: null, isGone: new Uint8Array(rowCount), left: rowCount })
      next += rowCount
      size += rowCount
      return first
    },
    drop(number) {
      const chunk = chunks[chunkOf(number, 0)] as Chunk
      chunk.isGone[rowOf(chunk, number)] = 1
      chunk.left--
      size--
    },
    tidy() {
      for (let i = chunks.length - 1; i >= 0; i--) {
        const { batch, left } = chunks[i] as Chunk
        if (left === 0 || batch.rowCount - left > Math.max(LEAST_GONE, left)) replace(i, 1)
      }
      for (let i = chunks.length - 2; i >= 0; i--) {
        const [one, other] = [chunks[i], chunks[i + 1]] as [Chunk, Chunk]
        if (one.left <= 2 * other.left) replace(i, 2)
      }
    },
    gather(numbers) {
      const count = numbers.length
      const own: number[][] = chunks.map(() => [])
      const places = new Uint32Array(count)
      const chunkAt = new Uint32Array(count)
      let at = 0
      for (let i = 0; i < count; i++) {
        const number = numbers[i] as number
        at = chunkOf(number, at)
        chunkAt[i] = at
        places[i] = (own[at] as number[]).push(rowOf(chunks[at] as Chunk, number)) - 1
      }
      const used = chunks.flatMap((_, i) => ((own[i] as number[]).length > 0 ? [i] : []))
      const batches = used.map(i => taken(k, (chunks[i] as Chunk).batch, own[i] as number[]))
      if (batches.length === 1) return (batches[0] as LaneBatch).columns
      const begins = new Uint32Array(chunks.length)
      let sum = 0
      for (const i of used) {
        begins[i] = sum
        sum += (own[i] as number[]).length
      }
      const joined = joinBatches(k, batches)
      try {
        for (let i = 0; i < count; i++) places[i] = (places[i] as number) + (begins[chunkAt[i] as number] as number)
        return taken(k, joined, places).columns
      } finally {
        freeHeapBatch(k, joined)
      }
    },
    recode: change => recodeKept(k, chunks, change),
    get size() {
      return size
    },
    free() {
      for (const { batch } of chunks) freeHeapBatch(k, batch)
      chunks = []
      size = 0
    },
  }
}

/** Chosen rows, in scratch. */
function taken(k: Kernels, batch: LaneBatch, rows: ArrayLike<number>): LaneBatch {
  const indices = k.memory.scratch(4 * rows.length)
  k.memory.u32.set(rows, indices >>> 2)
  return withoutRanges(takeBatch(k, batch, indices, rows.length))
}

const withoutRanges = ({ rowCount, columns }: LaneBatch): LaneBatch => ({
  rowCount,
  columns: columns.map(column => ({ ...column, range: null })),
})

const rowOf = ({ numbers, first }: Chunk, number: number): number =>
  numbers === null ? number - first : lowerBound(numbers, number)
