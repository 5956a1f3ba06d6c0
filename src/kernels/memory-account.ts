/** What one job may take, and has, of a lane's memory. memory.ts counts; the lane says which job is at work. */
import { MillraceError } from '../errors.js'

export const PAGE_BYTES = 65_536

/**
 * Pages taken while this is the memory's `account`, until they are given back, whoever does that. Small blocks belong to whoever had their slab
 * made, and arena chunks to whoever made the arena grow.
 */
export class MemoryAccount {
  usedPages = 0
  peakPages = 0
  /** Why nothing is spilled, for errors: half a sentence, or nothing. */
  hint = ''
  /** @param budgetBytes of the job in all lanes. @param shareBytes of that, what it may take in this one. @param operator who is at work, for errors. */
  constructor(
    readonly budgetBytes: number,
    readonly shareBytes: number,
    public operator: string,
  ) {}

  get peakBytes(): number {
    return this.peakPages * PAGE_BYTES
  }

  get usedBytes(): number {
    return this.usedPages * PAGE_BYTES
  }

  hasRoom(pages: number): boolean {
    return (this.usedPages + pages) * PAGE_BYTES <= this.shareBytes
  }

  /** What to throw where `hasRoom` says no. */
  overBudget(requestedBytes: number): MillraceError {
    const { budgetBytes, shareBytes, usedBytes, operator } = this
    const share =
      shareBytes < budgetBytes ? `the ${shareBytes} that one lane has of the job's budget of` : "the job's budget of"
    return new MillraceError(
      'MR_MEMORY_LIMIT',
      `${operator} needs ${requestedBytes} more bytes, but the job has ${usedBytes} of ${share} ${budgetBytes} in use; ` +
        `${this.hint}raise the memory option, or work on fewer columns or groups at a time`,
      { operator, budgetBytes, shareBytes, usedBytes, requestedBytes },
    )
  }
}
