/**
 * Counts of distinct values and modes, of every type: exact, from the distinct values of each group and how often each came. A group and a
 * value are together the key of a group table (../group.ts), which finds them in a small domain or by hashing; what is kept for each is drawn in
 * assembly/aggregate/multiset.ts. So rows can be taken back.
 */
import { type DataType, int64, uint32 } from '../../columnar/type.js'
import { filled } from '../bitmap.js'
import { createGroupTable } from '../group.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { dataBytes } from '../operand.js'
import { take } from '../select.js'
import { type Accumulator, type AccumulatorContext, type AccumulatorRows, type Family, numbers } from './accumulator.js'
import { expandGroups, offsetsOf } from './by-group.js'
import { countedRows } from './counted-rows.js'
import { createGroupArray } from './group-array.js'
import { createImages } from './images.js'
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

/** Pairs of groups and values in order of first appearance; `groups` is 0 where all are of group 0. */
interface Pairs {
  readonly groups: number
  readonly values: LaneVector
  /** Pointer to i64; 0 for a pair that has no rows any more. */
  readonly counts: number
  readonly length: number
}

function createMultiset(context: AccumulatorContext, type: DataType): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const { kind } = type
  const texts = createTextStates(context)
  const images = createImages(k, type)
  let groupCount = 0
  /** While there is but one group, values alone are keys. */
  let keyed = false
  let table = createGroupTable(k, [type])
  let counts = createGroupArray(k, 8)
  /** Pairs that have rows. */
  let live = 0

  const column = (columnType: DataType, length: number, data: number): LaneVector => ({
    ...numbers(columnType, length, data),
    dictionary: columnType.kind === 'utf8' ? texts.known() : null,
  })

  /** `weights` points to an i64 a row; where it is 0 they all weigh `weight`. */
  const add = (values: LaneVector, groups: number, weights: number, weight: bigint) => {
    const { length } = values
    const columns = [values]
    if (keyed) {
      const range = { min: 0n, max: BigInt(groupCount - 1) }
      columns.unshift({ ...column(uint32(), length, groups || zeros(k, length)), range })
    }
    const move = table.cover(columns, length)
    if (move !== null) {
      const moved = createGroupArray(k, 8)
      moved.resize(table.indexCount)
      exports.multisetMove(counts.pointer, move.from, moved.pointer, move.to, move.count)
      counts.free()
      counts = moved
    }
    const pairs = table.find(columns, length)
    counts.resize(table.indexCount)
    live += exports.multisetAdd(counts.pointer, pairs, length, weights, weight)
  }

  const addRows = (rows: AccumulatorRows, weight: bigint) => {
    const mark = memory.mark()
    const [vector] = rows.vectors
    const vectors = kind === 'utf8' ? [column(type, vector.length, texts.codes(vector))] : rows.vectors
    const { vector: values, groups } = countedRows(k, { ...rows, vectors })
    add(values, groups, 0, weight)
    memory.reset(mark)
  }

  const pairs = (): Pairs => {
    const { length, order } = table
    const columns = table.keys()
    const groups = keyed ? columns[0].data : 0
    return { groups, values: columns[columns.length - 1], counts: take64(k, counts.pointer, order, length), length }
  }

  /** Pairs that have rows, `total` in all, each of group by[i] (0: all of 0) where the group's start (u32; 0xffffffff passes it over) says. */
  const sorted = ({ groups, values, counts, length }: Pairs, by: number, starts: number, total: number): Pairs => {
    const order = memory.scratch(4 * total)
    exports.multisetOrder(by, counts, length, starts, order)
    const theirs = groups === 0 ? 0 : take32(k, groups, order, total)
    return {
      groups: theirs,
      values: take(k, values, order, total),
      counts: take64(k, counts, order, total),
      length: total,
    }
  }

  /** A table of the pairs that have rows, and no others. */
  const rebuild = () => {
    const mark = memory.mark()
    const { groups, values, counts: weights } = sorted(pairs(), 0, zeros(k, 1), live)
    table.free()
    counts.free()
    live = 0
    keyed = groupCount > 1
    table = createGroupTable(k, keyed ? [uint32(), type] : [type])
    counts = createGroupArray(k, 8)
    if (values.length > 0) add(values, groups, weights, 0n)
    memory.reset(mark)
  }

  /** How many distinct values each group has, u32. */
  const distinct = ({ groups, counts, length }: Pairs): number => {
    const out = zeros(k, groupCount)
    exports.multisetDistinct(groups, counts, length, out)
    return out
  }

  const modes = ({ groups, values, counts, length }: Pairs): LaneVector => {
    const best = zeros(k, groupCount)
    const most = zeros(k, 2 * groupCount)
    if (length === 0) return column(type, groupCount, zeros(k, 2 * groupCount))
    if (kind === 'utf8') {
      const { offsets, bytes } = texts.dictionary()
      exports.multisetBestText(groups, counts, values.data, length, most, best, offsets, bytes)
    } else {
      const find = images.bytes === 4 ? exports.multisetBest32 : exports.multisetBest64
      const least = memory.scratch(8 * groupCount)
      images.each(values.data, 0, length, 0n, (block, from, count) => {
        find(groups, counts, block, from, count, most, best, least)
      })
    }
    return take(k, values, best, groupCount)
  }

  return {
    get kernel() {
      return `${kind} distinct ${table.kernel}`
    },
    resize(count) {
      groupCount = count
      if (count > 1 && !keyed) rebuild()
    },
    update(rows) {
      addRows(rows, 1n)
    },
    retract(rows) {
      addRows(rows, -1n)
      if (table.length > MOST_DEAD + 2 * live) rebuild()
    },
    // Distinct values a group, u32 each; then the values, group by group, and how often each came, i64.
    write(writer, groups, count) {
      const mark = memory.mark()
      const all = pairs()
      const lengths = take32(k, distinct(all), groups, count)
      const starts = memory.scratch(4 * groupCount)
      memory.u32.fill(0xffffffff, starts >>> 2, (starts >>> 2) + groupCount)
      const total = exports.partitionStarts(lengths, groups, count, starts) >>> 0
      const written = sorted(all, all.groups, starts, total)
      writer.lane(k, lengths, 4 * count)
      if (kind === 'utf8') texts.write(writer, written.values.data, 0, total)
      else writer.lane(k, written.values.data, dataBytes(kind, total))
      writer.lane(k, written.counts, 8 * total)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      const lengths = reader.lane(k, 4 * count)
      const { offsets, total } = offsetsOf(k, lengths, count)
      const byteLength = dataBytes(kind, total)
      const data = kind === 'utf8' ? texts.read(reader, total).codes : reader.lane(k, byteLength, byteLength + 16)
      const weights = reader.lane(k, 8 * total)
      if (total > 0) add(column(type, total, data), expandGroups(k, groupMap, offsets, count, total), weights, 0n)
      memory.reset(mark)
    },
    evaluate(spec) {
      if (spec.function === 'mode') return modes(pairs())
      const data = memory.scratch(8 * groupCount)
      if (keyed) exports.castToInt64(-4, distinct(pairs()), groupCount, data)
      else memory.i64.fill(BigInt(live), data >>> 3, (data >>> 3) + groupCount)
      // None is null: a group without values has 0 of them.
      return { ...numbers(int64(), groupCount, data), validity: filled(k, true, groupCount) }
    },
    free() {
      table.free()
      counts.free()
      texts.free()
    },
  }
}

const take32 = (k: Kernels, data: number, indices: number, count: number): number =>
  statesOf(k, { pointer: data, stride: 4 }, 4, indices, count)

const take64 = (k: Kernels, data: number, indices: number, count: number): number =>
  statesOf(k, { pointer: data, stride: 8 }, 8, indices, count)

/** u32 in scratch. */
function zeros({ memory }: Kernels, count: number): number {
  const pointer = memory.scratch(4 * count)
  memory.u32.fill(0, pointer >>> 2, (pointer >>> 2) + count)
  return pointer
}
