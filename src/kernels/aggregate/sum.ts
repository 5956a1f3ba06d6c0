/**
 * What a sum of any column is to an aggregation: sum-int.ts and sum-float.ts make it. Its mean is the same sum, divided before it
 * is rounded.
 */
import type { LaneVector } from '../lane-vector.js'
import type { StateReader, StateWriter } from './state-bytes.js'

export interface Sum {
  /** How it is kept now, for `explain`: `int32`, `int64 128`, `float64 fixed 64`. */
  readonly kernel: string
  resize(groupCount: number): void
  /**
   * Names the rows that the slots add next: `validity` (bitmap, or 0) says which count; `groups` is a u32 pointer, or 0 where all
   * are of group 0. All of it must stay where it is until `finish`.
   */
  begin(vector: LaneVector, validity: number, groups: number, rowCount: number): void
  /** Adds what the slots could not hold. */
  finish(): void
  /**
   * int64 or float64 per group, a pointer in scratch. A group where nothing was added has 0.
   * @throws MillraceError `MR_INTEGER_OVERFLOW` where the exact total of integers is beyond int64.
   */
  sums(label: string): number
  /** float64 per group: the sum over `counts` (u64 pointer), rounded once; a pointer in scratch. */
  means(counts: number): number
  /** The states of groups `groups[0..count)` (u32 pointer), or with 0 of the first `count`. */
  write(writer: StateWriter, groups: number, count: number): void
  /** Adds what `write` wrote: its state g to group `groupMap[g]` (u32 pointer), at most `most` of them to the same group. */
  merge(reader: StateReader, groupMap: number, groupCount: number, most: number): void
  free(): void
}
