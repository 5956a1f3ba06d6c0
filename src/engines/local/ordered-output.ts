/** A job's output batches put in row order: (split, arrival). A batch may leave as soon as every split before its own is complete. */
import { morselsOf, type RecordBatch } from '../../columnar/record-batch.js'

export class OrderedOutput {
  private readonly waiting = new Map<number, RecordBatch[]>()
  private readonly completed = new Set<number>()
  /**
   * @param sink takes batches as soon as they may leave; null: `finish` gives them all.
   * @param bySplit whether splits are told complete one by one; otherwise batches wait for the end, those of split 0 (a gathered output) apart.
   */
  constructor(
    private readonly sink: ((batch: RecordBatch, split: number) => void) | null,
    private readonly bySplit: boolean,
    /** The first split. */
    private next = 0,
    /** Whether a split's batches may only leave once it is complete, and a gathered output once it is told to. */
    private whole = false,
  ) {}

  /** The split whose batches leave as they come, while later ones wait for it; infinite where nothing is to leave early, split by split. */
  get leastIncomplete(): number {
    return this.sink !== null && this.bySplit ? this.next : Infinity
  }

  add(split: number, batch: RecordBatch): void {
    if (this.sink !== null && split === this.next && !this.whole) {
      this.sink(batch, split)
      return
    }
    const batches = this.waiting.get(split)
    if (batches === undefined) this.waiting.set(split, [batch])
    else batches.push(batch)
  }

  complete(split: number): void {
    if (!this.bySplit || this.sink === null) return
    this.completed.add(split)
    while (this.completed.delete(this.next)) {
      if (this.whole) this.leave()
      this.next++
      if (!this.whole) this.leave()
    }
  }

  /** A gathered output may leave, and what comes of it. */
  release(): void {
    if (this.bySplit) return
    this.whole = false
    if (this.sink !== null) this.leave()
  }

  private leave(): void {
    for (const batch of this.waiting.get(this.next) ?? []) this.sink?.(batch, this.next)
    this.waiting.delete(this.next)
  }

  /** What has not left yet; with a sink it is sent there, and nothing is returned. */
  finish(): RecordBatch[] {
    const splits = [...this.waiting.keys()].sort((a, b) => a - b)
    const batches = splits.flatMap(split => this.waiting.get(split) as RecordBatch[])
    this.waiting.clear()
    if (this.sink === null) return batches.flatMap(morselsOf)
    for (const batch of batches) this.sink(batch, -1)
    return []
  }
}
