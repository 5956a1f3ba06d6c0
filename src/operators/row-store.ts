/** Whole rows kept by a breaker, in heap batches tagged with their split: what sort and limit remember, hand over and take over. */
import type { VectorBatch } from '../columnar/vector.js'
import type { Kernels } from '../kernels/instance.js'
import { dictionaryOf, type LaneBatch } from '../kernels/lane-vector.js'
import { type BatchLoader, createBatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'
import type { Part } from './operator.js'

export interface StoredRows {
  readonly split: number
  readonly batch: LaneBatch
}

/** What sort and limit ask of the rows that they keep. */
export interface Rows {
  readonly rowCount: number
  /** Copies the rows. */
  add(batch: LaneBatch, split: number): void
  absorb(part: Part<VectorBatch>): void
  handOver(): Iterable<Part<LaneBatch> | null>
  /**
   * All rows by (split, arrival), batch by batch; each is freed when the next is asked for, and those not asked for by `free`. Null: others may have a
   * turn.
   */
  drain(): Iterable<StoredRows | null>
  free(): void
}

/** Of rows in an ascending list of `count` (u32 pointer), of parts that lay side by side: of each part that has some, its split, and where they are in the list. */
export function* rowsByPart(
  { memory }: Kernels,
  rows: number,
  count: number,
  parts: readonly StoredRows[],
): Generator<{ readonly split: number; readonly indices: number; readonly count: number }> {
  let [first, end] = [0, 0]
  for (const { split, batch } of parts) {
    const from = first
    end += batch.rowCount
    while (first < count && memory.u32[(rows >>> 2) + first] < end) first++
    if (first > from) yield { split, indices: rows + 4 * from, count: first - from }
  }
}

export class RowStore implements Rows {
  rowCount = 0
  private readonly parts: StoredRows[] = []
  private readonly loader: BatchLoader

  constructor(private readonly context: OperatorContext) {
    this.loader = createBatchLoader(context)
  }

  add(batch: LaneBatch, split: number): void {
    for (const [i, column] of batch.columns.entries()) {
      const dictionary = dictionaryOf(column)
      if (dictionary !== null) this.loader.adopt(i, dictionary)
    }
    this.parts.push({ split, batch: copyToHeap(this.context.k, batch) })
    this.rowCount += batch.rowCount
  }

  absorb(part: Part<VectorBatch>): void {
    if (part.kind !== 'rows') throw new Error(`rows are absorbed here, not ${part.kind}`)
    const { memory } = this.context.k
    const mark = memory.mark()
    try {
      this.add(this.loader.load(part.batch), part.split)
    } finally {
      memory.reset(mark)
    }
  }

  *handOver(): Iterable<Part<LaneBatch>> {
    for (const part of this.drain()) yield { kind: 'rows', ...part }
  }

  *drain(): Iterable<StoredRows> {
    const ordered = this.sorted()
    for (let part = ordered.shift(); part !== undefined; part = ordered.shift()) {
      try {
        yield part
      } finally {
        freeHeapBatch(this.context.k, part.batch)
      }
    }
  }

  /** All rows by (split, arrival), which stay this one's. */
  stored(): readonly StoredRows[] {
    return this.sorted()
  }

  /** Rows of elsewhere, coded as those that are here, in heap blocks that are the caller's to free. */
  load(batch: VectorBatch): LaneBatch {
    return this.loader.load(batch, 'heap')
  }

  /** All rows by (split, arrival); the batches are the caller's to free from now on. */
  take(): StoredRows[] {
    this.rowCount = 0
    return this.sorted().splice(0)
  }

  free(): void {
    for (const { batch } of this.take()) freeHeapBatch(this.context.k, batch)
    this.loader.close()
  }

  private sorted(): StoredRows[] {
    return this.parts.sort((a, b) => a.split - b.split)
  }
}
