/** A partition of an `over` that goes on: its rows in their order, and which of them are still needed, by the frames of rows to come. */

import type { LiveOverSpec } from '../plan/live.js'
import type { RowFrame } from '../plan/physical.js'

/**
 * ```
 *   head              next               length
 *    |  given, kept    |  not yet given    |
 *    |        folded   |                          before it: in the state of frames that begin with the partition
 * ```
 */
export interface Partition {
  /** In the group table. */
  group: number
  /** Of its rows in the log. */
  numbers: number[]
  /** Empty where rows are in the order in which they came. */
  times: bigint[]
  head: number
  next: number
  folded: number
  /** Rows that wait for the watermark, and are not among those above. */
  waiting: number
  /** Of rows that have been given: how many, the last one's rank and time, and what each `ewma` has come to. */
  count: number
  rank: number
  denseRank: number
  last: bigint | null
  readonly means: (number | null)[]
}

export const emptyPartition = (group: number, means: number): Partition => ({
  group,
  numbers: [],
  times: [],
  head: 0,
  next: 0,
  folded: 0,
  waiting: 0,
  count: 0,
  rank: 0,
  denseRank: 0,
  last: null,
  means: new Array(means).fill(null),
})

/** What rows need of others. */
export interface Needs {
  /** Frames begin with the partition. */
  readonly isRunning: boolean
  /** So many rows before a row. */
  readonly rowsBack: number
  /** Rows of so many ticks before a row; null: none but those. */
  readonly ticksBack: bigint | null
  /** Rows of so many ticks behind a row. */
  readonly ticksAhead: bigint
  /** So many rows behind a row. */
  readonly rowsAhead: number
}

export function needsOf({ frame, calls, rowsAhead }: LiveOverSpec): Needs {
  const lags = calls.filter(({ function: name }) => name === 'lag').map(({ parameters }) => parameters.rows as number)
  const isOfRows = frame?.unit === 'rows'
  const [from, to] = [frame?.from ?? null, frame?.to ?? null]
  return {
    isRunning: frame !== null && from === null,
    rowsBack: Math.max(0, isOfRows && from !== null ? -Number(from) : 0, ...lags),
    ticksBack: frame === null || isOfRows || from === null ? null : from < 0 ? -BigInt(from) : 0n,
    ticksAhead: frame?.unit === 'values' && to !== null && to > 0 ? BigInt(to) : 0n,
    rowsAhead,
  }
}

/** Where the rows end of which all is known. @param limit all rows before it have come */
export function knownTo({ numbers, times, next }: Partition, { rowsAhead, ticksAhead }: Needs, limit: bigint): number {
  let end = Math.max(next, numbers.length - rowsAhead)
  if (ticksAhead > 0n) while (end > next && (times[end - 1] as bigint) + ticksAhead >= limit) end--
  return end
}

/** Where the rows end that the frames of all rows to come have, of those that begin with the partition. */
export function foldableTo(partition: Partition, { unit, to }: RowFrame, limit: bigint): number {
  const { times, next, folded } = partition
  if (unit === 'rows') return Math.max(folded, next + Math.min(0, Number(to) + 1))
  const distance = BigInt(to ?? 0)
  if (distance >= 0n) return next
  const last = nextTime(partition, limit) + distance
  let end = folded
  while (end < next && (times[end] as bigint) <= last) end++
  return end
}

/** The least time that a row has which has not been given. */
const nextTime = ({ times, next }: Partition, limit: bigint): bigint => times[next] ?? limit

/** Lets go of rows that nobody asks for any more. */
export function trim(partition: Partition, needs: Needs, limit: bigint, drop: (number: number) => void): void {
  const { rowsBack, ticksBack, isRunning } = needs
  const { numbers, times, next } = partition
  const end = Math.min(Math.max(0, next - rowsBack), isRunning ? partition.folded : next)
  const least = ticksBack === null ? null : nextTime(partition, limit) - ticksBack
  let { head } = partition
  while (head < end && (least === null || (times[head] as bigint) < least)) drop(numbers[head++] as number)
  partition.head = head
  if (2 * head < numbers.length) return
  numbers.splice(0, head)
  times.splice(0, head)
  partition.next -= head
  partition.folded -= head
  partition.head = 0
}
