/**
 * Which groups have a value of one input, and how many. All rows are counted once for all inputs, in the slots (aggregation.ts);
 * here is only what one input's nulls take away, and nothing at all until the first null comes.
 */
import { bitmapBytes } from '../bitmap.js'
import type { Lane } from '../exact.js'
import type { Kernels } from '../instance.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { isZero, mergeCounts, type StateReader, type StateWriter, statesOf, writeCounts } from './state-bytes.js'

export interface Values {
  resize(groupCount: number): void
  /**
   * Notes rows (at least one) of groups (u32 pointer, or 0: all of group 0); `validity` is a bitmap, or 0. Returns how many have
   * a value.
   */
  update(groups: number, validity: number, rowCount: number): number
  /** Takes rows back; where values are counted only. */
  retract(groups: number, validity: number, rowCount: number): void
  /** Groups that follow may be such as have had no row: until now all had one, and what has no null a value. */
  admit(): void
  /** The states of groups `groups[0..count)` (u32 pointer), or with 0 of the first `count`. */
  write(writer: StateWriter, groups: number, count: number): void
  merge(reader: StateReader, groupMap: number, groupCount: number, most: number): void
  /** Values per group, a u64 pointer in scratch, given how many rows each has. Where they are counted only. */
  counts(rows: Lane): number
  /**
   * A bitmap in scratch of the groups that have a value, or 0 where all have. `counts` is what `counts` gave, where counted. Where they are not it may be of groups `groups[0..count)` (u32
   * pointer) alone.
   */
  validity(counts: number, groups?: number, count?: number): number
  free(): void
}

/** What of a group's rows is written: nothing (every row has a value), nulls a group, or a byte a group that has a value. */
const NOTHING = 0
const NULLS = 1
const PRESENT = 2

/** The groups that have had a row, merged ones included: indices `order[0..count)` (u32 pointer, kept), or with 0 the first `count`. */
export interface OpenedGroups {
  order: number
  count: number
}

/** `opened` is brought up to date, by whoever owns it, after each update and merge. */
export function createValues(k: Kernels, counted: boolean, opened: Readonly<OpenedGroups>): Values {
  const { exports, memory } = k
  let groupCount = 0
  /** Counted: nulls, int64 a group. Else: a byte a group, 1 where there is a value. While it is null every row has had a value. */
  let kept: GroupArray | null = null

  const keep = (): GroupArray => {
    if (kept === null) {
      kept = createGroupArray(k, counted ? 8 : 1)
      kept.resize(groupCount)
      if (!counted) markOpened(kept.pointer)
    }
    return kept
  }

  const markOpened = (present: number) => {
    const { order, count } = opened
    const { u8, u32 } = memory
    if (order === 0) u8.fill(1, present, present + count)
    else for (let i = 0; i < count; i++) u8[present + u32[(order >>> 2) + i]] = 1
  }

  const noteNulls = (groups: number, validity: number, rowCount: number, nullCount: number) => {
    const { pointer } = keep()
    if (groups === 0) memory.i64[pointer >>> 3] += BigInt(nullCount)
    else exports.countNulls(pointer, groups, validity, rowCount)
  }

  const notePresent = (groups: number, validity: number, rowCount: number, nullCount: number) => {
    const { pointer } = keep()
    if (nullCount === rowCount) return
    if (groups === 0) memory.u8[pointer] = 1
    else exports.countPresent(pointer, groups, validity, rowCount)
  }

  return {
    resize(count) {
      groupCount = count
      kept?.resize(count)
    },
    update(groups, validity, rowCount) {
      const nullCount = validity === 0 ? 0 : rowCount - exports.countValid(validity, rowCount)
      if (counted) {
        if (nullCount > 0) noteNulls(groups, validity, rowCount, nullCount)
      } else if (nullCount > 0 || kept !== null) {
        notePresent(groups, nullCount > 0 ? validity : 0, rowCount, nullCount)
      }
      return rowCount - nullCount
    },
    retract(groups, validity, rowCount) {
      if (validity === 0 || exports.countValid(validity, rowCount) === rowCount) return
      const mark = memory.mark()
      const nulls = memory.scratch(8 * groupCount)
      memory.u8.fill(0, nulls, nulls + 8 * groupCount)
      if (groups === 0) memory.i64[nulls >>> 3] = BigInt(rowCount - exports.countValid(validity, rowCount))
      else exports.countNulls(nulls, groups, validity, rowCount)
      const { pointer } = keep()
      const { i64 } = memory
      for (let group = 0; group < groupCount; group++) i64[(pointer >>> 3) + group] -= i64[(nulls >>> 3) + group]
      memory.reset(mark)
    },
    admit() {
      if (!counted) keep()
    },
    write(writer, groups, count) {
      if (!counted && opened.count === 0) keep()
      // Nulls that have all been taken back were never there.
      const isNothing = kept === null || (counted && !writer.forLane && isZero(k, kept.pointer, 8 * groupCount))
      writer.u32(isNothing ? NOTHING : counted ? NULLS : PRESENT)
      if (kept === null || isNothing) return
      if (counted) writeCounts(k, writer, { pointer: kept.pointer, stride: 8 }, groups, count)
      else writer.states(k, { pointer: kept.pointer, stride: 1 }, 1, groups, count)
    },
    merge(reader, groupMap, count) {
      const form = reader.u32()
      const mark = memory.mark()
      if (form === NULLS) {
        mergeCounts(k, reader, { pointer: keep().pointer, stride: 8 }, groupMap, count)
      } else if (form === PRESENT) {
        exports.countMergePresent(keep().pointer, groupMap, reader.lane(k, count), count)
      } else if (!counted && kept !== null) {
        exports.countPresent(kept.pointer, groupMap, 0, count)
      }
      memory.reset(mark)
    },
    counts({ pointer, stride }) {
      const out = memory.scratch(8 * groupCount)
      exports.countEvaluate(pointer, stride, kept?.pointer ?? 0, groupCount, out)
      return out
    },
    validity(counts, groups = 0, count = groupCount) {
      const bits = memory.scratch(bitmapBytes(count))
      if (counted) return exports.countBits(counts, count, bits) === count ? 0 : bits
      if (kept === null && opened.count > 0) return 0
      const present = statesOf(k, { pointer: keep().pointer, stride: 1 }, 1, groups, count)
      return exports.countPresentBits(present, count, bits) === count ? 0 : bits
    },
    free() {
      kept?.free()
      kept = null
    },
  }
}
