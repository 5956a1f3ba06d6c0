/**
 * Medians and quantiles: exact, from all values of a group, which are kept. Approximate ones in little memory are another family's.
 *
 * The quantile q of n values in ascending order x[0] .. x[n - 1] (NaN the greatest) lies at h = (n - 1) * q, a double: with a = x[floor(h)],
 * b = x[floor(h) + 1] and t = h - floor(h) it is a where t is 0 or a equals b, (a + b) / 2 where t is 0.5, else the lesser of a + t * (b - a)
 * and b. A sum or a difference beyond the doubles is avoided by a / 2 + b / 2 and a * (1 - t) + b * t. So between two infinities, and next to
 * a NaN, it is NaN. Values are made float64 first: an int64 is rounded to the nearest.
 */
import { type DataType, float64, type Kind } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'
import { elementBytes, integerKind } from '../operand.js'
import { type Block, createPartitions, HEADER_BYTES, PARTITIONS } from '../partition.js'
import { rangeIndices } from '../select.js'
import {
  type Accumulator,
  type AggregateSpec,
  type Family,
  numbers,
  type Share,
  type StateShares,
} from './accumulator.js'
import { expandGroups, indexMap, offsetsOf } from './by-group.js'
import { countedRows } from './counted-rows.js'
import { type StateReader, type StateWriter, statesOf } from './state-bytes.js'

/** A median is a quantile: all of one input share what is kept. */
export const keptValues: Family = {
  counts: false,
  share: () => 'kept values',
  create: ({ k }, spec, sharing = [spec]) => createKeptValues(k, spec.inputs[0], sharing),
}

/** Visits a value before pivots are chosen for the worst case (assembly/order-statistics.ts); two are usual. */
const BUDGET = 8

/** What comes between lanes: values group by group, blocks of rows as they lie, or results. */
const VALUES = 0
const BLOCKS = 1
const RESULTS = 2
/** So many values, of so many groups, are worth sharing out. */
const MUCH_VALUES = 2 ** 17
const MUCH_GROUPS = 32

function createKeptValues(k: Kernels, { kind }: DataType, sharing: readonly AggregateSpec[]): Accumulator {
  const { exports, memory } = k
  const valueBytes = elementBytes(kind) === 8 ? 8 : 4
  const images = IMAGES[kind] ?? 0
  const quantiles = valueBytes === 8 ? exports.keptQuantiles64 : exports.keptQuantiles32
  const gather = valueBytes === 8 ? exports.partitionGather64 : exports.partitionGather32
  const partitions = createPartitions(k, valueBytes)
  /** All quantiles that are asked for, ascending: they are found together. */
  const qs = new Set(sharing.map(qOf))
  /** Results of these quantiles, one after the other, f64 a group; 0 where they are to be found anew. */
  let results = 0
  let groupCount = 0
  let valueCount = 0
  /** The partitions of this lane's share, the first and behind the last: once lanes have shared the values out, results are those of its groups, and of others as they come. */
  let own: readonly [number, number] | null = null

  const partitionCount = () => Math.min(PARTITIONS, groupCount)

  const forget = () => {
    memory.free(results)
    results = 0
  }

  const find = (ascending: readonly number[]) => {
    forget()
    results = memory.allocate(8 * groupCount * ascending.length)
    const mark = memory.mark()
    const wanted = memory.scratch(8 * ascending.length)
    memory.f64.set(ascending, wanted >>> 3)
    const room = memory.scratch(112 * ascending.length + 640)
    const blocks = partitions.blocks()
    const most = exports.partitionMost(blocks) >>> 0
    const values = memory.scratch(valueBytes * most + 16)
    const other = memory.scratch(valueBytes * most + 16)
    const ends = memory.scratch(4 * Math.ceil(groupCount / PARTITIONS))
    const [first, end] = own ?? [0, partitionCount()]
    for (let partition = first; partition < end; partition++) {
      const groups = Math.ceil((groupCount - partition) / PARTITIONS)
      memory.u32.fill(0, ends >>> 2, (ends >>> 2) + groups)
      const total = exports.partitionCount(blocks, partition, ends, 0, 0, valueBytes)
      exports.partitionStarts(ends, 0, groups, ends)
      gather(blocks, partition, ends, 0, 0, values)
      exports.keptImages(images, values, total)
      const out = results + 8 * partition
      const [stride, column] = [8 * PARTITIONS, 8 * groupCount]
      quantiles(images, values, other, ends, groups, wanted, ascending.length, room, BUDGET, out, stride, column)
    }
    memory.reset(mark)
  }

  const ascendingQs = () => [...qs].sort((a, b) => a - b)

  const partitionsOfShare = ({ share, shares }: Share): [number, number] => {
    const first = (i: number) => Math.floor((partitionCount() * i) / shares)
    return [first(share), first(share + 1)]
  }

  /** Each behind its rows, and then 0. */
  const writeBlocks = (writer: StateWriter, blocks: Iterable<Block>) => {
    for (const { header, rowCount, highBytes, values, highs } of blocks) {
      writer.u32(rowCount)
      writer.u32(highBytes)
      writer.lane(k, header, HEADER_BYTES)
      writer.lane(k, values, valueBytes * rowCount)
      writer.lane(k, highs, highBytes * rowCount)
    }
    writer.u32(0)
  }

  const adoptBlocks = (reader: StateReader, map: number) => {
    for (let rowCount = reader.u32(); rowCount > 0; rowCount = reader.u32()) {
      const mark = memory.mark()
      const highBytes = reader.u32()
      const header = reader.lane(k, HEADER_BYTES)
      const values = reader.lane(k, valueBytes * rowCount)
      const highs = reader.lane(k, highBytes * rowCount)
      valueCount += rowCount
      partitions.adopt({ header, rowCount, highBytes, values, highs }, map)
      memory.reset(mark)
    }
  }

  /** Of the groups of this lane's share; f64 a group for each quantile, ascending. */
  const writeResults = (
    writer: StateWriter,
    [first, end]: readonly [number, number],
    groups: number,
    count: number,
  ) => {
    writer.u32(RESULTS)
    writer.u32(first)
    writer.u32(end)
    for (let q = 0; q < qs.size; q++) {
      writer.states(k, { pointer: results + 8 * groupCount * q, stride: 8 }, 8, groups, count)
    }
  }

  const readResults = (reader: StateReader, groupMap: number, count: number) => {
    if (own === null) throw new Error('results are for a lane that has shared values out')
    const [first, end] = [reader.u32(), reader.u32()]
    for (let q = 0; q < qs.size; q++) {
      const theirs = reader.lane(k, 8 * count) >>> 3
      const ours = (results + 8 * groupCount * q) >>> 3
      const { u32, f64 } = memory
      for (let i = 0; i < count; i++) {
        const group = u32[(groupMap >>> 2) + i]
        const partition = group % PARTITIONS
        if (partition >= first && partition < end) f64[ours + group] = f64[theirs + i]
      }
    }
  }

  /** Blocks with the rows of the share alone. */
  const shares: StateShares = {
    goByIndex: true,
    get isMuch() {
      return valueCount > MUCH_VALUES && groupCount >= MUCH_GROUPS
    },
    write(writer, share) {
      const mark = memory.mark()
      writeBlocks(writer, share.areAlike ? partitions.list(...partitionsOfShare(share)) : [])
      memory.reset(mark)
    },
    merge(reader) {
      forget()
      adoptBlocks(reader, 0)
    },
    end(share) {
      if (!share.areAlike) return
      own = partitionsOfShare(share)
      find(ascendingQs())
    },
  }

  return {
    kernel: `${kind} kept`,
    resize(count) {
      if (count === groupCount) return
      if (own !== null) throw new Error('groups come when values have been shared out')
      forget()
      groupCount = count
      partitions.resize(count)
    },
    update(rows) {
      forget()
      valueCount += rows.valueCount
      const mark = memory.mark()
      const {
        groups,
        vector: { data, length },
      } = countedRows(k, rows)
      let values = data
      if (elementBytes(kind) < 4) {
        values = memory.scratch(4 * length)
        exports.castToInt32(integerKind(kind), data, length, values)
      }
      partitions.append(groups, values, length)
      memory.reset(mark)
    },
    // Values a group, u32 each; then the values as they came, group by group. Between lanes a word comes first: there may be blocks instead, behind
    // the index of each group in them, or results.
    write(writer, groups, count) {
      if (own !== null) {
        writeResults(writer, own, groups, count)
        return
      }
      const mark = memory.mark()
      if (writer.ofAll) {
        writer.u32(BLOCKS)
        writer.lane(k, groups === 0 ? rangeIndices(k, 0, count) : groups, 4 * count)
        writeBlocks(writer, partitions.list(0, PARTITIONS))
        memory.reset(mark)
        return
      }
      if (writer.forLane) writer.u32(VALUES)
      const lengths = memory.scratch(4 * groupCount)
      memory.u32.fill(0, lengths >>> 2, (lengths >>> 2) + groupCount)
      const blocks = partitions.blocks()
      const used = partitionCount()
      for (let p = 0; p < used; p++) exports.partitionCount(blocks, p, lengths, 8, p, valueBytes)
      const taken = statesOf(k, { pointer: lengths, stride: 4 }, 4, groups, count)
      const starts = memory.scratch(4 * groupCount)
      memory.u32.fill(0xffffffff, starts >>> 2, (starts >>> 2) + groupCount)
      const total = exports.partitionStarts(taken, groups, count, starts) >>> 0
      const values = memory.scratch(valueBytes * total)
      for (let p = 0; p < used; p++) gather(blocks, p, starts, 8, p, values)
      writer.lane(k, taken, 4 * count)
      writer.lane(k, values, valueBytes * total)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      const form = reader.forLane ? reader.u32() : VALUES
      if (form === RESULTS) {
        readResults(reader, groupMap, count)
        memory.reset(mark)
        return
      }
      forget()
      if (form === BLOCKS) {
        adoptBlocks(reader, indexMap(k, reader.lane(k, 4 * count), groupMap, count))
        memory.reset(mark)
        return
      }
      const lengths = reader.lane(k, 4 * count)
      const { offsets, total } = offsetsOf(k, lengths, count)
      const values = reader.lane(k, valueBytes * total)
      valueCount += total
      partitions.append(expandGroups(k, groupMap, offsets, count, total), values, total)
      memory.reset(mark)
    },
    evaluate(spec) {
      const q = qOf(spec)
      if (!qs.has(q)) {
        qs.add(q)
        forget()
      }
      const ascending = ascendingQs()
      if (results === 0) find(ascending)
      const data = memory.scratch(8 * groupCount)
      const from = results + 8 * groupCount * ascending.indexOf(q)
      memory.u8.copyWithin(data, from, from + 8 * groupCount)
      return numbers(float64(), groupCount, data)
    },
    shares,
    free() {
      forget()
      partitions.free()
    },
  }
}

const qOf = ({ parameters: { q = 0.5 } }: AggregateSpec): number => q

/** What `keptImages` is told. */
const IMAGES: Readonly<Partial<Record<Kind, number>>> = { uint32: 1, float32: 2, float64: 3 }
