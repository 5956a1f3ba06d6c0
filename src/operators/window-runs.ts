/** Rows by the windows that their times lie in, of windows of one length: looked at in runs, since rows are mostly in order and only runs in which windows mix need be sorted. */
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { slice } from '../kernels/select.js'
import { rangeOf } from '../kernels/stats.js'

/** Windows of one length one after another, in ticks. */
export interface FixedWindows {
  readonly size: bigint
  readonly offset: bigint
}

/** The least and the greatest of some times, in ticks. */
export interface Range {
  readonly min: bigint
  readonly max: bigint
}

/** Rows side by side, and the beginnings of their first and last windows. */
export interface Run {
  readonly from: number
  readonly to: number
  readonly first: bigint
  readonly last: bigint
}

/** Rows of which the times are looked at together: a multiple of 128, so that bitmaps need no shift. */
export const RUN_ROWS = 2048

/** Of each `RUN_ROWS` times from `from` on, none of which is null. */
export function rangesOf(k: Kernels, time: LaneVector, from: number, to: number): Range[] {
  const ranges: Range[] = []
  for (let row = from; row < to; row += RUN_ROWS)
    ranges.push(rangeOf(k, { ...slice(k, time, row, Math.min(to, row + RUN_ROWS)), range: null }) as Range)
  return ranges
}

/** Of the first `count` of them, at least one. */
export function rangeOfAll(ranges: readonly Range[], count = ranges.length): Range {
  let { min, max } = ranges[0] as Range
  for (let i = 1; i < count; i++) {
    const own = ranges[i] as Range
    if (own.min < min) min = own.min
    if (own.max > max) max = own.max
  }
  return { min, max }
}

/** The beginning of the window that a time lies in. */
export function windowStartOf(time: bigint, { size, offset }: FixedWindows): bigint {
  const since = (time - offset) % size
  return time - (since < 0n ? since + size : since)
}

/** Where rows are mostly in order, they are cut where windows mix: only those that do are sorted. */
export function runsOf(ranges: readonly Range[], length: number, windows: FixedWindows): readonly Run[] {
  const runs: Run[] = []
  let run: Run | null = null
  for (const [i, { min, max }] of ranges.entries()) {
    const from = i * RUN_ROWS
    const to = Math.min(length, from + RUN_ROWS)
    const first = windowStartOf(min, windows)
    const last = windowStartOf(max, windows)
    const isMixed = first !== last
    if (run !== null && (isMixed ? run.first !== run.last : run.first === first && run.last === last)) {
      const before: Run = run
      run = {
        first: first < before.first ? first : before.first,
        last: last > before.last ? last : before.last,
        from: before.from,
        to,
      }
      runs[runs.length - 1] = run
    } else {
      run = { first, last, from, to }
      runs.push(run)
    }
  }
  return runs
}
