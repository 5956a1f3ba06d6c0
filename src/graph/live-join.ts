/** What joins of two inputs that go on have in common: rows come from either, and leave as the watermark of both says. */
import { concatVectors } from '../columnar/concat.js'
import { gatherBatch } from '../columnar/gather-batch.js'
import { MORSEL_ROWS, RecordBatch } from '../columnar/record-batch.js'
import { isNullAt, type Vector } from '../columnar/vector.js'

export interface LiveJoin {
  /** Rows of input 0, the left one, or 1, with the watermark as each came. */
  push(side: number, batch: RecordBatch, marks: BigInt64Array): RecordBatch[]
  /** What follows from the watermark of both; `isEnd`: nothing more comes. */
  advance(to: bigint, isEnd: boolean): RecordBatch[]
  readonly lateRows: number
  /** Rows that are kept. */
  readonly size: number
  /** How far behind the watermark the times of what it still gives may be. */
  readonly hold: bigint
  free(): void
}

/** Is given the rows of an input that are late. */
export type OnLate = (side: number, batch: RecordBatch) => void

/** The rows whose instant passes, in their order; null where all do. */
export function rowsWhere(column: Vector, passes: (instant: bigint, row: number) => boolean): Uint32Array | null {
  const data = column.data as BigInt64Array
  const rows = new Uint32Array(column.length)
  let count = 0
  for (let row = 0; row < column.length; row++)
    if (!isNullAt(column, row) && passes(data[row] as bigint, row)) rows[count++] = row
  return count === column.length ? null : rows.slice(0, count)
}

/** Those that are not among `rows`, ascending. */
export function othersThan(rows: Uint32Array, rowCount: number): Uint32Array {
  const others = new Uint32Array(rowCount - rows.length)
  for (let row = 0, next = 0, at = 0; row < rowCount; row++) {
    if (rows[next] === row) next++
    else others[at++] = row
  }
  return others
}

/** The rows of all, of which there is one at least. */
export function endToEnd(batches: readonly RecordBatch[]): RecordBatch {
  const [first] = batches as [RecordBatch]
  if (batches.length === 1) return first
  return new RecordBatch(
    first.schema,
    first.vectors.map((_, i) => concatVectors(batches.map(({ vectors }) => vectors[i] as Vector))),
    batches.reduce((sum, { rowCount }) => sum + rowCount, 0),
  )
}

/** Puts rows behind others that are kept, together with such as are not much more: each is copied a logarithm of times, and those that come one by one take no batch each. */
export function appendTo(batches: RecordBatch[], batch: RecordBatch): void {
  let added = batch
  for (let last = batches.at(-1); last && last.rowCount < 2 * added.rowCount; last = batches.at(-1)) {
    if (last.rowCount + added.rowCount > MORSEL_ROWS) break
    batches.pop()
    added = endToEnd([last, added])
  }
  batches.push(added)
}

export const picked = (batch: RecordBatch, rows: Uint32Array | null): RecordBatch =>
  rows === null ? batch : gatherBatch(batch, rows)
