/**
 * Rows of a group and a value, kept as they come, parted by the low byte of the group: what aggregates need that look at all values of a
 * group. Pages and records are drawn in assembly/partition.ts.
 */
import type { Kernels } from './instance.js'

export interface Partitions {
  /** How many partitions there can be: group g is in partition g & 255, where it is number g >> 8. */
  readonly count: number
  /** Groups beyond those there were begin empty. */
  resize(groupCount: number): void
  /** Appends value i, of the width given at the beginning, to group `groups[i]` (u32 pointer). */
  append(groups: number, values: number, rowCount: number): void
  /** Appends runs end to end, `total` values in all: the next `lengths[i]` go to group `groups[i]` (u32 pointers). */
  appendRuns(groups: number, lengths: number, count: number, values: number, total: number): void
  /**
   * Adds the number of values of each of a partition's groups to `counts` (u32 pointer, the caller's), and returns how many there are in all. They
   * are at the group's number in its partition, or with `whole` at the group.
   */
  tally(partition: number, counts: number, whole?: boolean): number
  /** Copies a partition's values to `out`, where `starts` (as `tally` has counts) says, and moves that on to their end; passes over 0xffffffff. */
  gather(partition: number, starts: number, out: number, whole?: boolean): void
  free(): void
}

const PARTITIONS = 256
const HEADER_BYTES = 8 + 8 * PARTITIONS
const PAGE_BYTES = 4096
const RECORDS_BYTES = 4080
const LEAST_PAGES = 16
const MOST_PAGES = 1024

export function createPartitions(k: Kernels, valueBytes: 4 | 8): Partitions {
  const { exports, memory } = k
  const appendValues = valueBytes === 8 ? exports.partitionAppend64 : exports.partitionAppend32
  const gatherValues = valueBytes === 8 ? exports.partitionGather64 : exports.partitionGather32
  let header = 0
  let groupCount = 0
  let groupBytes = 0
  let pageCount = 0
  /** Whether the pages say how far they are filled. */
  let closed = true
  const blocks: number[] = []

  /** Pages for so many rows, whichever partitions they go to: each may have to open two that stay unfilled. */
  const reserve = (rowCount: number) => {
    if (header === 0) {
      header = memory.allocate(HEADER_BYTES)
      memory.u32.fill(0, header >>> 2, (header + HEADER_BYTES) >>> 2)
    }
    const perPage = RECORDS_BYTES / (valueBytes + groupBytes)
    const missing =
      Math.ceil(rowCount / perPage) + 2 * Math.min(rowCount, groupCount, PARTITIONS) - memory.u32[(header >>> 2) + 1]
    if (missing <= 0) return
    const generous = Math.max(missing, Math.min(pageCount >> 1, MOST_PAGES))
    const count = Math.ceil(generous / LEAST_PAGES) * LEAST_PAGES
    // So much less is a block of whole pages of memory, which begins where one does, and all of which is ours.
    const block = memory.allocate(PAGE_BYTES * count - 16)
    blocks.push(block)
    pageCount += count
    exports.partitionAddPages(header, block, count)
  }

  return {
    get count() {
      return header === 0 ? 0 : Math.min(groupCount, PARTITIONS)
    },
    resize(count) {
      groupCount = count
      const bytes = count <= PARTITIONS ? 0 : count <= PARTITIONS * 65_536 ? 2 : 4
      if (bytes !== groupBytes && header !== 0) exports.partitionClose(header, true)
      groupBytes = bytes
    },
    append(groups, values, rowCount) {
      reserve(rowCount)
      closed = false
      appendValues(header, groups, values, rowCount, groupBytes)
    },
    appendRuns(groups, lengths, count, values, total) {
      reserve(total)
      closed = false
      exports.partitionAppendRuns(header, groups, lengths, count, values, valueBytes, groupBytes)
    },
    tally(partition, counts, whole = false) {
      if (!closed) exports.partitionClose(header, false)
      closed = true
      return exports.partitionCount(header, partition, valueBytes, counts, whole ? 8 : 0, whole ? partition : 0) >>> 0
    },
    gather(partition, starts, out, whole = false) {
      gatherValues(header, partition, starts, whole ? 8 : 0, whole ? partition : 0, out)
    },
    free() {
      for (const block of blocks.splice(0)) memory.free(block)
      memory.free(header)
      header = 0
      pageCount = 0
    },
  }
}
