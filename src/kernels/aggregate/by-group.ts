/**
 * Rows of a group and a value, kept as they come, put side by side group by group where results or states are made of them. Kernels are in
 * assembly/aggregate/by-group.ts.
 */
import { type DataType, list } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { numbers } from './accumulator.js'

export interface KeptRows {
  /** u32 pointer. */
  readonly groups: number
  readonly length: number
}

export interface Places {
  /** How many values the chosen groups have. */
  readonly total: number
  /** u32 pointer in scratch: where each of them begins, and where the last ends. */
  readonly offsets: number
  /** Moves values of `bytes` (1, 2, 4 or 8) to their places in `out`; call it for each of the parts in turn. */
  move(part: KeptRows, values: number, bytes: number, out: number): void
  /** Before the values of another column of the same rows are moved. */
  rewind(): void
}

/** Places for the values of `chosen[0..count)` (u32 pointer; with 0 the first `count` groups) of `groupCount`, in the order of the parts. */
export function placesOf(
  k: Kernels,
  parts: readonly KeptRows[],
  groupCount: number,
  chosen: number,
  count: number,
): Places {
  const { exports, memory } = k
  const counts = memory.scratch(4 * groupCount)
  const cursors = memory.scratch(4 * groupCount)
  const offsets = memory.scratch(4 * (count + 1))
  memory.u32.fill(0, counts >>> 2, (counts >>> 2) + groupCount)
  memory.u32.fill(0xffffffff, cursors >>> 2, (cursors >>> 2) + groupCount)
  for (const { groups, length } of parts) exports.byGroupCount(groups, length, counts)
  const rewind = () => exports.byGroupStarts(counts, chosen, count, cursors, offsets) >>> 0
  return {
    total: rewind(),
    offsets,
    move({ groups, length }, values, bytes, out) {
      exports.byGroupMove(groups, length, cursors, values, bytes, out)
    },
    rewind,
  }
}

/** The groups of `total` values side by side in scratch: those from `offsets[i]` to `offsets[i + 1]` are of group `groupMap[i]`, i below `count`. */
export function expandGroups(k: Kernels, groupMap: number, offsets: number, count: number, total: number): number {
  const out = k.memory.scratch(4 * total)
  k.exports.byGroupExpand(groupMap, offsets, count, out)
  return out
}

/** From lengths (u32 pointer) to `count + 1` offsets in scratch, and the last of them. */
export function offsetsOf(
  { exports, memory }: Kernels,
  lengths: number,
  count: number,
): { offsets: number; total: number } {
  const offsets = memory.scratch(4 * (count + 1))
  const total = exports.partitionStarts(lengths, 0, count, offsets) >>> 0
  memory.u32[(offsets >>> 2) + count] = total
  return { offsets, total }
}

/** A column of lists: row i is `child` from `offsets[i]` to `offsets[i + 1]` (u32 pointer). */
export const lists = (item: DataType, length: number, offsets: number, child: LaneVector): LaneVector => ({
  ...numbers(list({ ...item, nullable: false }), length, offsets),
  child,
})

/** By the index of a group in another lane (`theirs`) the one that it has here (u32 pointer in scratch); 0 where all are the same. */
export function indexMap({ memory }: Kernels, theirs: number, ours: number, count: number): number {
  const { u32 } = memory
  let most = 0
  let moved = false
  for (let i = 0; i < count; i++) {
    const index = u32[(theirs >>> 2) + i]
    moved ||= index !== u32[(ours >>> 2) + i]
    most = Math.max(most, index)
  }
  if (!moved) return 0
  const map = memory.scratch(4 * (most + 1))
  for (let i = 0; i < count; i++)
    memory.u32[(map >>> 2) + memory.u32[(theirs >>> 2) + i]] = memory.u32[(ours >>> 2) + i]
  return map
}
