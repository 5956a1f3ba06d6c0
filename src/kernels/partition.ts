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
  /** The same blocks, of the rows of partitions `from` to `to` alone; each is good until the next. */
  list(from: number, to: number): Iterable<Block>
  /**
   * Takes over a copy of another's block. Where `map` (u32 pointer) is given, a row of group g becomes one of map[g].
   */
  adopt(block: Block, map: number): void
  /** Forgets all rows. */
  free(): void
}

/** What a block is made of: pointers, and how many bytes there are of each group >> 8. */
export interface Block {
  readonly header: number
  readonly rowCount: number
  readonly highBytes: number
  readonly values: number
  readonly highs: number
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

  /** The rows of partitions `from` to `to` of a block. */
  const stretch = (block: number, from: number, to: number): Block => {
    const starts = (block + STARTS) >>> 2
    const {
      [(block >>> 2) + 1]: all,
      [(block >>> 2) + 2]: highBytes,
      [starts + from]: first,
      [starts + to]: end,
    } = memory.u32
    const rowCount = end - first
    const values = block + HEADER_BYTES
    const highs = values + valueBytes * all + highBytes * first
    if (rowCount === all) return { header: block, rowCount, highBytes, values, highs }
    const header = memory.scratch(HEADER_BYTES)
    const { u32 } = memory
    u32.set([0, rowCount, highBytes, 0], header >>> 2)
    for (let p = 1; p <= PARTITIONS; p++)
      u32[((header + STARTS) >>> 2) + p] = Math.min(Math.max(u32[starts + p], first), end) - first
    return { header, rowCount, highBytes, values: values + valueBytes * first, highs }
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
    *list(from, to) {
      for (let block = blocks(); block !== 0; block = memory.u32[block >>> 2]) {
        const mark = memory.mark()
        const each = stretch(block, from, to)
        if (each.rowCount > 0) yield each
        memory.reset(mark)
      }
    },
    adopt({ header, rowCount, highBytes, values, highs }, map) {
      if (map !== 0) {
        const groups = memory.scratch(4 * rowCount)
        exports.partitionRegroup(header, highs, map, groups)
        append(groups, values, rowCount)
        return
      }
      const block = memory.allocate(HEADER_BYTES + rowCount * (valueBytes + highBytes))
      pieces.push(block)
      const { u8, u32 } = memory
      const place = block + HEADER_BYTES
      u8.copyWithin(block, header, header + HEADER_BYTES)
      u8.copyWithin(place, values, values + valueBytes * rowCount)
      u8.copyWithin(place + valueBytes * rowCount, highs, highs + highBytes * rowCount)
      u32[block >>> 2] = first
      first = block
    },
    free() {
      for (const piece of pieces.splice(0)) memory.free(piece)
      memory.free(groupsWaiting)
      memory.free(valuesWaiting)
      groupsWaiting = valuesWaiting = waiting = capacity = first = freeBytes = 0
    },
  }
}
