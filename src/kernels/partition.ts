/**
 * Rows of a group and a value, kept as they come but parted by the low byte of the group: for aggregates that need all values of a group.
 * Blocks are drawn in assembly/partition.ts, whose kernels read them.
 */
import type { Kernels } from './instance.js'

export interface Partitions {
  /** Groups beyond those there were begin empty. */
  resize(groupCount: number): void
  /** Appends value i, of the width given at the beginning, to group `groups[i]` (u32 pointer), or with 0 to group 0. */
  append(groups: number, values: number, rowCount: number): void
  /** The first block of all rows, 0 where there are none; good until more come. One may be in scratch. */
  blocks(): number
  /** Rows of partitions `from` to `to`. */
  rowsOf(from: number, to: number): number
  /** The same blocks, each with its length in bytes. */
  list(): { readonly block: number; readonly byteLength: number }[]
  /**
   * Takes over a copy of another's block. Where `map` (u32 pointer) is given, a row of group g becomes one of map[g].
   */
  adopt(block: number, byteLength: number, map: number): void
  /** Forgets all rows. */
  free(): void
}

/** Group g is in partition g & 255, where it is number g >> 8. */
export const PARTITIONS = 256
/** Before the values of a block: 16 bytes, of which the last word is 0, and where each partition ends (u32). */
export const HEADER_BYTES = 1040
/** Where in a block its partitions begin, u32 each, and behind them the last one ends. */
export const STARTS = 12
const BLOCK_ROWS = 65_536
/** Blocks share a piece of heap, so that little of its whole pages is lost. */
const MOST_BLOCKS_AT_ONCE = 8

export function createPartitions({ exports, memory }: Kernels, valueBytes: 4 | 8): Partitions {
  const sort = valueBytes === 8 ? exports.partitionSort64 : exports.partitionSort32
  const pieces: number[] = []
  let free = 0
  let freeBytes = 0
  let blocksAtOnce = 1
  let first = 0
  let highBytes = 0
  /** Rows that are too few for a block yet. */
  let groupsWaiting = 0
  let valuesWaiting = 0
  let waiting = 0
  let capacity = 0

  const blockBytes = (rowCount: number) => Math.ceil((HEADER_BYTES + rowCount * (valueBytes + highBytes)) / 16) * 16

  const keep = (groups: number, values: number) => {
    const byteLength = blockBytes(BLOCK_ROWS)
    if (freeBytes < byteLength) {
      free = memory.allocate(byteLength * blocksAtOnce)
      freeBytes = byteLength * blocksAtOnce
      pieces.push(free)
      blocksAtOnce = Math.min(2 * blocksAtOnce, MOST_BLOCKS_AT_ONCE)
    }
    sort(groups, values, BLOCK_ROWS, highBytes, free, first)
    first = free
    free += byteLength
    freeBytes -= byteLength
  }

  const wait = (groups: number, values: number, rowCount: number) => {
    if (waiting + rowCount > capacity) {
      capacity = Math.min(BLOCK_ROWS, Math.max(waiting + rowCount, 2 * capacity, 256))
      groupsWaiting = memory.reallocate(groupsWaiting, 4 * capacity)
      valuesWaiting = memory.reallocate(valuesWaiting, valueBytes * capacity)
    }
    const to = groupsWaiting + 4 * waiting
    if (groups === 0) memory.u8.fill(0, to, to + 4 * rowCount)
    else memory.u8.copyWithin(to, groups, groups + 4 * rowCount)
    memory.u8.copyWithin(valuesWaiting + valueBytes * waiting, values, values + valueBytes * rowCount)
    waiting += rowCount
    if (waiting < BLOCK_ROWS) return
    keep(groupsWaiting, valuesWaiting)
    waiting = 0
  }

  const blocks = () => {
    if (waiting === 0) return first
    const block = memory.scratch(blockBytes(waiting))
    sort(groupsWaiting, valuesWaiting, waiting, highBytes, block, first)
    return block
  }

  const append = (groups: number, values: number, rowCount: number) => {
    for (let from = 0; from < rowCount; ) {
      const count = Math.min(BLOCK_ROWS - waiting, rowCount - from)
      const add = count === BLOCK_ROWS ? keep : wait
      add(groups === 0 ? 0 : groups + 4 * from, values + valueBytes * from, count)
      from += count
    }
  }

  return {
    resize(groupCount) {
      highBytes = groupCount <= PARTITIONS ? 0 : groupCount <= PARTITIONS * 65_536 ? 2 : 4
    },
    append,
    blocks,
    rowsOf(from, to) {
      const mark = memory.mark()
      let block = blocks()
      const { u32 } = memory
      let rows = 0
      for (; block !== 0; block = u32[block >>> 2]) {
        const starts = (block + STARTS) >>> 2
        rows += u32[starts + to] - u32[starts + from]
      }
      memory.reset(mark)
      return rows
    },
    list() {
      let block = blocks()
      // The last may have called for more memory.
      const { u32 } = memory
      const all = []
      for (; block !== 0; block = u32[block >>> 2]) {
        const [rowCount, high] = [u32[(block >>> 2) + 1], u32[(block >>> 2) + 2]]
        all.push({ block, byteLength: HEADER_BYTES + rowCount * (valueBytes + high) })
      }
      return all
    },
    adopt(block, byteLength, map) {
      if (map !== 0) {
        const rowCount = memory.u32[(block >>> 2) + 1]
        const groups = memory.scratch(4 * rowCount)
        exports.partitionRegroup(block, valueBytes, map, groups)
        append(groups, block + HEADER_BYTES, rowCount)
        return
      }
      const copy = memory.allocate(byteLength)
      pieces.push(copy)
      memory.u8.copyWithin(copy, block, block + byteLength)
      memory.u32[copy >>> 2] = first
      first = copy
    },
    free() {
      for (const piece of pieces.splice(0)) memory.free(piece)
      memory.free(groupsWaiting)
      memory.free(valuesWaiting)
      groupsWaiting = valuesWaiting = waiting = capacity = first = freeBytes = 0
    },
  }
}
