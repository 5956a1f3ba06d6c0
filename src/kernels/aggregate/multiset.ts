/**
 * Counts of distinct values and modes, of every type: exact, from the distinct values of each group and how often each came (pair-table.ts). So rows can be
 * taken back. One table of all pairs would not stay in cache once they are many: they are dealt to many then, and rows wait until there are enough for each.
 */
import { type DataType, int64, isFloat } from '../../columnar/type.js'
import { MORSEL_ROWS } from '../../columnar/vector.js'
import { filled } from '../bitmap.js'
import type { LaneVector } from '../lane-vector.js'
import { dataBytes, elementBytes } from '../operand.js'
import { createPartitions, HEADER_BYTES, PARTITIONS } from '../partition.js'
import { take } from '../select.js'
import { type Accumulator, type AccumulatorContext, type AccumulatorRows, type Family, numbers } from './accumulator.js'
import { countedRows } from './counted-rows.js'
import { createGroupArray } from './group-array.js'
import { createImages } from './images.js'
import { createPairTable, type Pairs, type PairTable, zeros } from './pair-table.js'
import { statesOf } from './state-bytes.js'
import { createTextStates } from './text-states.js'

/** Both of one input share what is kept. */
export const multiset: Family = {
  counts: false,
  share: () => 'multiset',
  create: (context, { inputs: [type] }) => createMultiset(context, { ...type, nullable: false }),
}

/** Pairs without rows are dropped once they are most, and more than these. */
const MOST_DEAD = 4096
/** The most pairs of a table while it is the only one, some 40 bytes each: many more would be far beyond a core's own caches. */
const MOST_PAIRS = 2 ** 18
/** Rows that wait for each pair there is, 4 to 12 bytes each: fetching a table into the cache is for several rows of every line then. */
const WAIT = 4
/** What waits has its group in 24 bits. */
const MOST_GROUPS = 2 ** 24

/** Pairs that have been sent: their values, the groups that these go to, and how often each came. */
interface Piece {
  readonly values: number
  readonly groups: number
  readonly weights: number
  readonly length: number
}

/** @param mostPairs of one table */
export function createMultiset(context: AccumulatorContext, type: DataType, mostPairs = MOST_PAIRS): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const { kind } = type
  const valueBytes = elementBytes(kind)
  const texts = createTextStates(context)
  const images = createImages(k, type)
  const waiting = createPartitions(k, valueBytes === 8 ? 8 : 4)
  let waitingRows = 0
  /** So many rows do not wait any longer. */
  let enough = WAIT * mostPairs
  let groupCount = 0
  const createTable = () => createPairTable(k, type, () => groupCount)
  /** One, or one for each partition. */
  let tables: PairTable[] = []
  /** Values of each group, of so many pairs of each table: while none is taken back, only new ones are counted when that is asked again. */
  const known = createGroupArray(k, 4)
  let counted: number[] = []
  let hasTakenBack = false
  let isAsked = false

  const column = (length: number, data: number): LaneVector => ({
    ...numbers(type, length, data),
    dictionary: kind === 'utf8' ? texts.known() : null,
  })

  const partitionsOf = ({ data, length }: LaneVector, groups: number): number => {
    const out = memory.scratch(4 * length)
    exports.multisetDeal(data, valueBytes, isFloat(kind), groups, length, k.seed, out)
    return out
  }

  /** Rows to the tables they belong to, at once. */
  const add = (values: LaneVector, groups: number, weights: number, weight: bigint) => {
    const { length } = values
    if (tables.length === 1) {
      tables[0].add(values, groups, weights, weight)
      return
    }
    const rows = memory.scratch(4 * length)
    exports.sortIota(length, rows)
    const block = memory.scratch(HEADER_BYTES + 4 * length)
    exports.partitionSort32(partitionsOf(values, groups), rows, length, 0, block, 0)
    for (const [p, table] of tables.entries()) {
      const mark = memory.mark()
      const at = ((block + 16) >>> 2) + p
      const from = p === 0 ? 0 : memory.u32[at - 1]
      const count = memory.u32[at] - from
      const mine = block + HEADER_BYTES + 4 * from
      if (count > 0)
        table.add(take(k, values, mine, count), taken(groups, 4, mine, count), taken(weights, 8, mine, count), weight)
      memory.reset(mark)
    }
  }

  const taken = (list: number, width: number, rows: number, count: number): number =>
    list === 0 ? 0 : statesOf(k, { pointer: list, stride: width }, width, rows, count)

  /** Pairs that have rows go to new tables, which take the place of these. */
  const renew = (old: readonly PairTable[], count: number) => {
    tables = Array.from({ length: count }, createTable)
    counted = []
    for (const table of old) {
      const mark = memory.mark()
      const { values, groups, counts, length } = table.chosen(0)
      if (length > 0) add(values, groups, counts, 0n)
      memory.reset(mark)
      table.free()
    }
  }

  /** What waits goes to the tables. */
  const settle = () => {
    if (waitingRows === 0) return
    const mark = memory.mark()
    const blocks = waiting.blocks()
    const most = exports.partitionMost(blocks) >>> 0
    const groups = memory.scratch(4 * most)
    const values = memory.scratch(valueBytes * most + 16)
    for (const [p, table] of tables.entries()) {
      const inside = memory.mark()
      const count = exports.partitionRows(blocks, p, valueBytes, groups, values) >>> 0
      if (count > 0) table.add(column(count, values), groups, 0, 1n)
      memory.reset(inside)
    }
    memory.reset(mark)
    waiting.free()
    waitingRows = 0
    enough =
      WAIT *
      Math.max(
        mostPairs,
        tables.reduce((sum, { length }) => sum + length, 0),
      )
  }

  const addRows = (rows: AccumulatorRows, weight: bigint) => {
    const mark = memory.mark()
    const [vector] = rows.vectors
    const vectors = kind === 'utf8' ? [column(vector.length, texts.codes(vector))] : rows.vectors
    const { vector: values, groups } = countedRows(k, { ...rows, vectors })
    if (tables.length === 1 || weight !== 1n || groupCount > MOST_GROUPS) {
      settle()
      add(values, groups, 0, weight)
    } else {
      waiting.append(partitionsOf(values, groups), values.data, values.length)
      waitingRows += values.length
      if (waitingRows >= enough) settle()
    }
    memory.reset(mark)
    dealIfMany()
  }

  /** Of many tables each has few pairs for each of many others. */
  const together = (pieces: readonly Piece[], length: number): Piece => {
    const [only] = pieces
    if (pieces.length === 1) return only
    const all = { values: 0, groups: 0, weights: 0, length }
    for (const [name, width] of [
      ['values', valueBytes],
      ['groups', 4],
      ['weights', 8],
    ] as const) {
      all[name] = memory.scratch(width * length + 16)
      let at = all[name]
      for (const piece of pieces) {
        memory.u8.copyWithin(at, piece[name], piece[name] + width * piece.length)
        at += width * piece.length
      }
    }
    return all
  }

  const dealIfMany = () => {
    if (tables.length === 1 && tables[0].length > mostPairs && valueBytes >= 4) renew(tables, PARTITIONS)
  }

  /** For each group its place among the chosen (u32 pointer), or with `chosen` 0 among the first `count`; 0 where that is the group itself. */
  const placesOf = (chosen: number, count: number): number => {
    if (chosen === 0 && count === groupCount) return 0
    const places = memory.scratch(4 * groupCount)
    const { u32 } = memory
    u32.fill(0xffffffff, places >>> 2, (places >>> 2) + groupCount)
    for (let i = 0; i < count; i++) u32[(places >>> 2) + (chosen === 0 ? i : u32[(chosen >>> 2) + i])] = i
    return places
  }

  /** Calls `use` with the pairs of each table in turn. */
  const each = (use: (pairs: Pairs) => void) => {
    settle()
    for (const table of tables) {
      const mark = memory.mark()
      use(table.pairs())
      memory.reset(mark)
    }
  }

  const modes = (): LaneVector => {
    const most = zeros(k, 2 * groupCount)
    const least = zeros(k, 2 * groupCount)
    const find = images.bytes === 4 ? exports.multisetBest32 : exports.multisetBest64
    each(({ groups, values: { data }, counts, length }) => {
      if (length === 0) return
      if (kind === 'utf8') {
        const { offsets, bytes } = texts.dictionary()
        exports.multisetBestText(groups, counts, data, length, most, least, offsets, bytes)
      } else {
        images.each(data, 0, length, 0n, (block, from, count) => find(groups, counts, block, from, count, most, least))
      }
    })
    return column(groupCount, kind === 'utf8' ? least : images.values(least, groupCount))
  }

  /** Adds the pairs that have come since the last time. */
  const countNew = (): number => {
    settle()
    known.resize(groupCount)
    if (counted.length === 0) {
      counted = tables.map(() => 0)
      memory.u8.fill(0, known.pointer, known.pointer + 4 * groupCount)
    }
    for (const [t, table] of tables.entries()) {
      const from = counted[t]
      const count = table.length - from
      if (count === 0) continue
      const mark = memory.mark()
      const groups = table.groupsFrom(from)
      const { u32 } = memory
      const at = known.pointer >>> 2
      if (groups === 0) u32[at] += count
      else for (let i = 0; i < count; i++) u32[at + u32[(groups >>> 2) + i]]++
      memory.reset(mark)
      counted[t] = table.length
    }
    return known.pointer
  }

  const countAll = (): number => {
    const counts = zeros(k, groupCount)
    each(({ groups, counts: weights, length }) => exports.multisetDistinct(groups, weights, length, counts))
    return counts
  }

  const distinct = (): LaneVector => {
    // Who asks once, as a job that ends does, needs no counts that stay.
    const counts = hasTakenBack || !isAsked ? countAll() : countNew()
    isAsked = true
    const data = memory.scratch(8 * groupCount)
    exports.castToInt64(-4, counts, groupCount, data)
    // None is null: a group without values has 0 of them.
    return { ...numbers(int64(), groupCount, data), validity: filled(k, true, groupCount) }
  }

  return {
    get kernel() {
      return `${kind} distinct ${tables[0]?.kernel}${tables.length > 1 ? `, ${tables.length} tables` : ''}`
    },
    resize(count) {
      const before = groupCount
      if (count > MOST_GROUPS) settle()
      groupCount = count
      if (tables.length === 0 || (before <= 1 && count > 1)) renew(tables, Math.max(1, tables.length))
      waiting.resize(count * PARTITIONS)
    },
    update: rows => addRows(rows, 1n),
    retract(rows) {
      hasTakenBack = true
      addRows(rows, -1n)
      const { length } = tables
      if (tables.some(table => table.length > MOST_DEAD / length + 2 * table.live)) renew(tables, length)
    },
    // Tables u32, and of each: pairs u32, for each its group's place u32, its value, and how often it came, i64.
    write(writer, groups, count) {
      settle()
      const mark = memory.mark()
      const places = placesOf(groups, count)
      writer.u32(tables.length)
      for (const table of tables) {
        const inside = memory.mark()
        const chosen = table.chosen(places)
        const { length } = chosen
        writer.u32(length)
        writer.lane(k, chosen.groups, 4 * length)
        if (kind === 'utf8') texts.write(writer, chosen.values.data, 0, length)
        else writer.lane(k, chosen.values.data, dataBytes(kind, length))
        writer.lane(k, chosen.counts, 8 * length)
        memory.reset(inside)
      }
      memory.reset(mark)
    },
    merge(reader, groupMap) {
      let mark = memory.mark()
      let pieces: Piece[] = []
      let rows = 0
      for (let left = reader.u32(); left > 0; left--) {
        const length = reader.u32()
        const places = reader.lane(k, 4 * length)
        const byteLength = dataBytes(kind, length)
        const values = kind === 'utf8' ? texts.read(reader, length).codes : reader.lane(k, byteLength, byteLength + 16)
        const weights = reader.lane(k, 8 * length)
        const groups = memory.scratch(4 * length)
        exports.textRemap(places, length, groupMap, groups)
        if (length > 0) pieces.push({ values, groups, weights, length })
        rows += length
        if (left > 1 && rows < MORSEL_ROWS) continue
        if (rows > 0) {
          const all = together(pieces, rows)
          add(column(rows, all.values), all.groups, all.weights, 0n)
        }
        memory.reset(mark)
        mark = memory.mark()
        pieces = []
        rows = 0
      }
      dealIfMany()
    },
    evaluate: spec => (spec.function === 'mode' ? modes() : distinct()),
    free() {
      for (const table of tables) table.free()
      known.free()
      waiting.free()
      texts.free()
    },
  }
}
