/**
 * Counts of distinct values and modes, of every type: exact, from the distinct values of each group and how often each came (pair-table.ts). So rows can be
 * taken back. One table of all pairs would not stay in cache once they are many: they are dealt to many then, and rows wait until there are enough for each.
 */
import { type DataType, int64, isFloat } from '../../columnar/type.js'
import { MORSEL_ROWS } from '../../columnar/vector.js'
import { filled } from '../bitmap.js'
import type { LaneVector } from '../lane-vector.js'
import { PAGE_BYTES } from '../memory-account.js'
import { dataBytes, elementBytes } from '../operand.js'
import { createPartitions, HEADER_BYTES, PARTITIONS, STARTS } from '../partition.js'
import { take } from '../select.js'
import {
  type Accumulator,
  type AccumulatorContext,
  type AccumulatorRows,
  type Family,
  numbers,
  type StateShares,
} from './accumulator.js'
import { countedRows } from './counted-rows.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { createImages } from './images.js'
import { createPairTable, type Pairs, type PairTable, zeros } from './pair-table.js'
import { statesOf } from './state-bytes.js'
import { createTextStates } from './text-states.js'

/** Both of one input share what is kept. */
export const multiset: Family = {
  counts: false,
  share: () => 'multiset',
  create: (context, { inputs: [type] }, sharing) =>
    createMultiset(
      context,
      { ...type, nullable: false },
      sharing?.some(spec => spec.function === 'mode'),
    ),
}

/** Pairs without rows are dropped once they are most, and more than these. */
const MOST_DEAD = 4096
/** The most pairs of a table while it is the only one, some 40 bytes each: many more would be far beyond a core's own caches. */
const MOST_PAIRS = 2 ** 16
/** So many times as many in a table that is indexed directly, which takes fewer bytes. */
const MORE_DIRECT = 4
/** Room that a job has, if what it may take is limited, before there are many tables: what waits for them takes many times its bytes in them, and at a stroke. */
const ROOM_TO_DEAL = 2 ** 30
/** Rows that wait for each pair there is, 4 to 12 bytes each: fetching a table into the cache is for several rows of every line then. */
const WAIT = 4
/** And for each of the pairs of one table at first: many tables take as much before there is a pair in them. */
const FIRST_WAIT = 16
/** At most, while most of the rows are of pairs of their own, and take less room than these. */
const MOST_WAIT = 128
/** No partition has so many times as many rows as there are in the mean. */
const MOST_SKEW = 4
/** Partitions that tell of all. */
const LOOKED_INTO = [0, PARTITIONS / 2]
/** Which of so many runs of tables a pair is in depends on its value alone. */
const VALUE_CLASSES = 16
/** What waits has its group in 24 bits. */
const MOST_GROUPS = 2 ** 24

/** Rows or pairs in the order of their partitions; `weights` is 0 where rows have none of their own, `starts` has the first of each partition, and the end. */
interface Dealt {
  readonly values: number
  readonly groups: number
  readonly weights: number
  readonly starts: Uint32Array
}

/** Pairs that have been sent: their values, the groups that these go to, and how often each came. */
interface Piece {
  readonly values: number
  readonly groups: number
  readonly weights: number
  readonly length: number
}

/**
 * @param hasMode whether a mode is asked for
 * @param mostPairs of one table
 */
export function createMultiset(
  context: AccumulatorContext,
  type: DataType,
  hasMode = true,
  mostPairs = MOST_PAIRS,
): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const { kind } = type
  const valueBytes = elementBytes(kind)
  const texts = createTextStates(context)
  const images = createImages(k, type)
  const waiting = createPartitions(k, valueBytes === 8 ? 8 : 4)
  let waitingRows = 0
  /** So many rows do not wait any longer. */
  let enough = FIRST_WAIT * mostPairs
  let groupCount = 0
  /** One, or one for each partition. */
  let tables: PairTable[] = []
  /** What was the only one: its pairs go to the others when rows do. */
  let early: PairTable | null = null
  /** Partitions of which rows that wait are wanted, the first and behind the last: others are other lanes'. */
  let wanted: readonly [number, number] = [0, PARTITIONS]
  /** How many distinct values each group has in the tables, u32, once that is worth the room: where pairs are many, or are counted more than once. */
  let known: GroupArray | null = null
  let isAsked = false
  /** @param counts where it adds up how many distinct values each group has; 0: nowhere */
  const createTable = (counts = () => known?.pointer ?? 0) => createPairTable(k, type, () => groupCount, counts)
  /** Values of each group that are in none of these tables, since other lanes have them: u32 each; null while there are none. */
  let elsewhere: GroupArray | null = null
  let isReduced = false

  const column = (length: number, data: number): LaneVector => ({
    ...numbers(type, length, data),
    dictionary: kind === 'utf8' ? texts.known() : null,
  })

  const partitionsOf = ({ data, length }: LaneVector, groups: number): number => {
    const out = memory.scratch(4 * length)
    let words = data
    if (kind === 'utf8') {
      // Whatever its code: lanes deal alike.
      words = memory.scratch(4 * length)
      exports.textRemap(data, length, texts.dictionary().hashes(), words)
    }
    exports.multisetDeal(words, valueBytes, isFloat(kind), groups, length, k.seed, out)
    return out
  }

  /** Rows in the order of their partitions, in scratch. */
  const dealt = (values: LaneVector, groups: number, weights: number): Dealt => {
    const { length } = values
    const rows = memory.scratch(4 * length)
    exports.sortIota(length, rows)
    const block = memory.scratch(HEADER_BYTES + 4 * length)
    exports.partitionSort32(partitionsOf(values, groups), rows, length, 0, block, 0)
    const starts = (block + STARTS) >>> 2
    const order = block + HEADER_BYTES
    return {
      values: take(k, values, order, length).data,
      groups: taken(groups, 4, order, length),
      weights: taken(weights, 8, order, length),
      starts: memory.u32.slice(starts, starts + PARTITIONS + 1),
    }
  }

  /** Those of a partition to its table; `more` rows follow of which so many are likely new. */
  const addDealt = ({ values, groups, weights, starts }: Dealt, p: number, weight: bigint, more = 0) => {
    const from = starts[p]
    const count = starts[p + 1] - from
    if (count === 0) return
    const mark = memory.mark()
    const at = (list: number, width: number) => (list === 0 ? 0 : list + width * from)
    const rows = column(count, at(values, valueBytes))
    tables[p].add(rows, at(groups, 4), at(weights, 8), weight, count + more)
    memory.reset(mark)
  }

  /** Rows to the tables they belong to, at once. */
  const add = (values: LaneVector, groups: number, weights: number, weight: bigint) => {
    if (tables.length === 1) {
      tables[0].add(values, groups, weights, weight)
      return
    }
    const rows = dealt(values, groups, weights)
    for (const p of tables.keys()) addDealt(rows, p, weight)
  }

  const taken = (list: number, width: number, rows: number, count: number): number =>
    list === 0 ? 0 : statesOf(k, { pointer: list, stride: width }, width, rows, count)

  /** Counts the values in the tables anew, and from now on as they come. */
  const know = (): number => {
    known ??= createGroupArray(k, 4)
    known.resize(groupCount)
    const { pointer } = known
    memory.u8.fill(0, pointer, pointer + 4 * groupCount)
    for (const table of tables) table.countDistinct(pointer)
    return pointer
  }

  /** Pairs that have rows go to new tables, which take the place of these. */
  const renew = (old: readonly PairTable[], count: number) => {
    tables = Array.from({ length: count }, () => createTable())
    if (known !== null) know()
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
    if (waitingRows === 0 && early === null) return
    const mark = memory.mark()
    let pairs: Dealt | null = null
    if (early !== null) {
      const { values, groups, counts } = early.chosen(0)
      pairs = dealt(values, groups, counts)
    }
    const blocks = waiting.blocks()
    const most = exports.partitionMost(blocks) >>> 0
    const groups = memory.scratch(4 * most)
    const values = memory.scratch(valueBytes * most + 16)
    // Of how many rows how many pairs are new, in the tables that have had theirs.
    let rows = 0
    let made = 0
    for (let [p, end] = wanted; p < end; p++) {
      const inside = memory.mark()
      const table = tables[p]
      const count = exports.partitionRows(blocks, p, valueBytes, groups, values) >>> 0
      const likely = Math.ceil((count * made) / (rows || 1))
      if (pairs !== null) addDealt(pairs, p, 0n, likely)
      const before = table.length
      if (count > 0) table.add(column(count, values), groups, 0, 1n, likely)
      rows += count
      made += table.length - before
      memory.reset(inside)
    }
    memory.reset(mark)
    waiting.free()
    waitingRows = 0
    early?.free()
    early = null
    const pairCount = tables.reduce((sum, { length }) => sum + length, 0)
    enough = Math.max(FIRST_WAIT * mostPairs, WAIT * pairCount)
  }

  /** Whether most of the rows that wait are of pairs of their own. */
  const areMostlyDistinct = (): boolean => {
    const mark = memory.mark()
    const blocks = waiting.blocks()
    const most = exports.partitionMost(blocks) >>> 0
    if (most * PARTITIONS > MOST_SKEW * waitingRows) return false
    const groups = memory.scratch(4 * most)
    const values = memory.scratch(valueBytes * most + 16)
    const table = createTable(() => 0)
    try {
      let rows = 0
      for (const p of LOOKED_INTO) {
        const count = exports.partitionRows(blocks, p, valueBytes, groups, values) >>> 0
        if (count > 0) table.add(column(count, values), groups, 0, 1n)
        rows += count
      }
      return 2 * table.length > rows
    } finally {
      table.free()
      memory.reset(mark)
    }
  }

  /** What waits goes to the tables where it is enough, or waits for more. */
  const settleIfEnough = () => {
    if (waitingRows < enough) return
    if (waitingRows < MOST_WAIT * mostPairs && areMostlyDistinct()) enough = 2 * waitingRows
    else settle()
  }

  /** Rows that go to the tables once there are enough. */
  const wait = (values: LaneVector, groups: number) => {
    if (groupCount > MOST_GROUPS) {
      settle()
      add(values, groups, 0, 1n)
      return
    }
    waiting.append(partitionsOf(values, groups), values.data, values.length)
    waitingRows += values.length
  }

  const addRows = (rows: AccumulatorRows, weight: bigint) => {
    const mark = memory.mark()
    const [vector] = rows.vectors
    const vectors = kind === 'utf8' ? [column(vector.length, texts.codes(vector))] : rows.vectors
    const { vector: values, groups } = countedRows(k, { ...rows, vectors })
    if (tables.length === 1 || weight !== 1n) {
      settle()
      add(values, groups, 0, weight)
    } else {
      wait(values, groups)
      settleIfEnough()
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

  const mayDeal = valueBytes >= 4
  const deal = () => {
    early = tables[0]
    tables = Array.from({ length: PARTITIONS }, () => createTable())
    know()
  }
  const dealIfMany = () => {
    if (tables.length > 1 || !mayDeal || memory.account?.hasRoom(ROOM_TO_DEAL / PAGE_BYTES) === false) return
    const [{ length, kernel }] = tables
    if (length > mostPairs * (kernel.startsWith('direct') ? MORE_DIRECT : 1)) deal()
  }

  /** The partitions of a share, the first and behind the last. */
  const partitionsOfShare = (share: number, shares: number): [number, number] => {
    if (tables.length === 1) deal()
    const first = (i: number) => Math.floor((VALUE_CLASSES * i) / shares) * (PARTITIONS / VALUE_CLASSES)
    return [first(share), first(share + 1)]
  }

  const earlyPairs = (table: PairTable, from: number, to: number): Pairs => {
    const all = table.chosen(0)
    const { values, groups, weights, starts } = dealt(all.values, all.groups, all.counts)
    const first = starts[from]
    const length = starts[to] - first
    const pairs = column(length, values + valueBytes * first)
    return { groups: groups + 4 * first, values: pairs, counts: weights + 8 * first, length }
  }

  const othersOfGroups = (): GroupArray => {
    elsewhere ??= createGroupArray(k, 4)
    elsewhere.resize(groupCount)
    return elsewhere
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

  /** Of each group the value that came most often, and how often: 0 of a group without values. */
  const modes = (): { readonly values: LaneVector; readonly most: number } => {
    const most = zeros(k, 2 * groupCount)
    const least = zeros(k, 2 * groupCount)
    const find = images.bytes === 4 ? exports.multisetBest32 : exports.multisetBest64
    settle()
    for (const table of tables) {
      if (table.length === 0) continue
      const mark = memory.mark()
      const { groups, values, counts, length } = table.pairs()
      if (kind === 'utf8') {
        const { offsets, bytes } = texts.dictionary()
        exports.multisetBestText(groups, counts, values.data, length, most, least, offsets, bytes)
      } else {
        images.each(values.data, 0, length, 0n, (block, from, count) =>
          find(groups, counts, block, from, count, most, least),
        )
      }
      memory.reset(mark)
    }
    return { values: column(groupCount, kind === 'utf8' ? least : images.values(least, groupCount)), most }
  }

  /** The modes that there are, as pairs of their places. */
  const modePairs = (chosen: number, count: number): Pairs => {
    const [order, groups] = [memory.scratch(4 * count), memory.scratch(4 * count)]
    if (!hasMode) return { groups, values: column(0, 0), counts: 0, length: 0 }
    const { values, most } = modes()
    const { u32, i64 } = memory
    let length = 0
    for (let i = 0; i < count; i++) {
      const group = chosen === 0 ? i : u32[(chosen >>> 2) + i]
      if (i64[(most >>> 3) + group] === 0n) continue
      u32[(order >>> 2) + length] = group
      u32[(groups >>> 2) + length++] = i
    }
    return { groups, values: take(k, values, order, length), counts: taken(most, 8, order, length), length }
  }

  /** How many values chosen groups have elsewhere, u32 in scratch; and in the tables, if these are to be added. */
  const countsOf = (chosen: number, count: number, isOfAll: boolean): number => {
    const other = othersOfGroups().pointer >>> 2
    const own = isOfAll ? ownCounts() >>> 2 : 0
    const out = memory.scratch(4 * count)
    const { u32 } = memory
    for (let i = 0; i < count; i++) {
      const group = chosen === 0 ? i : u32[(chosen >>> 2) + i]
      u32[(out >>> 2) + i] = u32[other + group] + (isOfAll ? u32[own + group] : 0)
    }
    return out
  }

  const ownCounts = (): number => {
    settle()
    if (known !== null) return known.pointer
    if (isAsked) return know()
    isAsked = true
    const counts = zeros(k, groupCount)
    for (const table of tables) table.countDistinct(counts)
    return counts
  }

  const distinct = (): LaneVector => {
    const counts = elsewhere === null ? ownCounts() : countsOf(0, groupCount, true)
    const data = memory.scratch(8 * groupCount)
    exports.castToInt64(-4, counts, groupCount, data)
    // None is null: a group without values has 0 of them.
    return { ...numbers(int64(), groupCount, data), validity: filled(k, true, groupCount) }
  }

  /** Pairs, and rows that wait: how many u32, and of these pairs; groups u32, values, how often each pair came i64. */
  const shares: StateShares = {
    goByIndex: false,
    get isMuch() {
      return tables.length > 1
    },
    write(writer, { share, shares: all, groups: chosen, count }) {
      const mark = memory.mark()
      const [from, to] = partitionsOfShare(share, all)
      const pairs = tables.slice(from, to).map(table => table.chosen(0))
      if (early !== null) pairs.push(earlyPairs(early, from, to))
      const pairCount = pairs.reduce((sum, { length }) => sum + length, 0)
      const total = pairCount + waiting.rowsOf(from, to)
      const groups = memory.scratch(4 * total)
      const values = memory.scratch(valueBytes * total + 16)
      const weights = memory.scratch(8 * pairCount)
      const { u8 } = memory
      let at = 0
      for (const {
        groups: own,
        values: { data },
        counts,
        length,
      } of pairs) {
        u8.copyWithin(groups + 4 * at, own, own + 4 * length)
        u8.copyWithin(values + valueBytes * at, data, data + valueBytes * length)
        u8.copyWithin(weights + 8 * at, counts, counts + 8 * length)
        at += length
      }
      const blocks = waiting.blocks()
      for (let p = from; p < to; p++)
        at += exports.partitionRows(blocks, p, valueBytes, groups + 4 * at, values + valueBytes * at) >>> 0
      const places = placesOf(chosen, count)
      if (places !== 0) exports.textRemap(groups, total, places, groups)
      writer.u32(total)
      writer.u32(pairCount)
      writer.lane(k, groups, 4 * total)
      if (kind === 'utf8') texts.writeRepeated(writer, values, total)
      else writer.lane(k, values, valueBytes * total)
      writer.lane(k, weights, 8 * pairCount)
      memory.reset(mark)
    },
    merge(reader, groupMap) {
      // Where no row has come there was nothing to deal when the shares of others were written.
      if (tables.length === 1) deal()
      const mark = memory.mark()
      const [total, pairCount] = [reader.u32(), reader.u32()]
      const places = reader.lane(k, 4 * total)
      const values =
        kind === 'utf8'
          ? texts.readRepeated(reader, total)
          : reader.lane(k, valueBytes * total, valueBytes * total + 16)
      const weights = reader.lane(k, 8 * pairCount)
      const groups = memory.scratch(4 * total)
      exports.textRemap(places, total, groupMap, groups)
      if (pairCount > 0) add(column(pairCount, values), groups, weights, 0n)
      // As other lanes have other groups, so they have pairs in other tables.
      if (total > pairCount) wait(column(total - pairCount, values + valueBytes * pairCount), groups + 4 * pairCount)
      memory.reset(mark)
    },
    end({ share, shares: all }, handsOver) {
      wanted = partitionsOfShare(share, all)
      for (const [p, table] of tables.entries()) {
        if (p >= wanted[0] && p < wanted[1]) continue
        table.free()
        tables[p] = createTable()
      }
      know()
      settle()
      isReduced = handsOver
    },
  }

  return {
    get kernel() {
      return `${kind} distinct ${(early ?? tables[0])?.kernel}${tables.length > 1 ? `, ${tables.length} tables` : ''}`
    },
    resize(count) {
      const before = groupCount
      if (count > MOST_GROUPS || (before <= 1 && count > 1)) settle()
      groupCount = count
      known?.resize(count)
      if (tables.length === 0 || (before <= 1 && count > 1)) renew(tables, Math.max(1, tables.length))
      waiting.resize(count * PARTITIONS)
    },
    update: rows => addRows(rows, 1n),
    retract(rows) {
      addRows(rows, -1n)
      const { length } = tables
      if (tables.some(table => table.length > MOST_DEAD / length + 2 * table.live)) renew(tables, length)
    },
    // Tables u32, and of each: pairs u32, for each its group's place u32, its value, and how often it came, i64. Between lanes a word more, and where
    // that is 1 for each group how many values are elsewhere, u32.
    write(writer, groups, count) {
      settle()
      const mark = memory.mark()
      const places = placesOf(groups, count)
      const reduced = isReduced ? modePairs(groups, count) : null
      const lists = reduced === null ? tables.map(table => () => table.chosen(places)) : [() => reduced]
      writer.u32(lists.length)
      for (const list of lists) {
        const inside = memory.mark()
        const chosen = list()
        const { length } = chosen
        writer.u32(length)
        writer.lane(k, chosen.groups, 4 * length)
        if (kind === 'utf8') texts.write(writer, chosen.values.data, 0, length)
        else writer.lane(k, chosen.values.data, dataBytes(kind, length))
        writer.lane(k, chosen.counts, 8 * length)
        memory.reset(inside)
      }
      if (writer.forLane) {
        const hasElsewhere = isReduced || elsewhere !== null
        writer.u32(Number(hasElsewhere))
        if (hasElsewhere) {
          const counts = countsOf(groups, count, isReduced)
          const { u32 } = memory
          // Those that are written with them are not elsewhere.
          if (reduced !== null)
            for (let i = 0; i < reduced.length; i++) u32[(counts >>> 2) + u32[(reduced.groups >>> 2) + i]]--
          writer.lane(k, counts, 4 * count)
        }
      }
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
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
      if (reader.forLane && reader.u32() === 1) {
        const counts = reader.lane(k, 4 * count)
        const { pointer } = othersOfGroups()
        const { u32 } = memory
        for (let i = 0; i < count; i++) u32[(pointer >>> 2) + u32[(groupMap >>> 2) + i]] += u32[(counts >>> 2) + i]
      }
      memory.reset(mark)
      dealIfMany()
    },
    evaluate: spec => (spec.function === 'mode' ? modes().values : distinct()),
    ...(mayDeal ? { shares } : {}),
    free() {
      for (const table of tables) table.free()
      early?.free()
      known?.free()
      elsewhere?.free()
      waiting.free()
      texts.free()
    },
  }
}
