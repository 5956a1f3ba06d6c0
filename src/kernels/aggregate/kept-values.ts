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
import { createPartitions, PARTITIONS } from '../partition.js'
import { type Accumulator, type AggregateSpec, type Family, numbers, type StateShares } from './accumulator.js'
import { expandGroups, offsetsOf } from './by-group.js'
import { countedRows } from './counted-rows.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { type StateReader, type StateWriter, statesOf } from './state-bytes.js'

/** A median is a quantile: all of one input share what is kept. */
export const keptValues: Family = {
  counts: false,
  share: () => 'kept values',
  create: ({ k }, spec, sharing = [spec]) => createKeptValues(k, spec.inputs[0], sharing),
}

/** Where the values of a group are, and whether its result has been given here. */
const HERE = 0
const GIVEN = 1
const ELSEWHERE = 2
/** In place of a number of blocks. */
const RESULTS = 0xffffffff
/** A start that is none. */
const PASSED_OVER = 0xffffffff
/** So many rows, of so many groups, are worth sharing out. */
const MUCH_ROWS = 2 ** 17
const MUCH_GROUPS = 32

/** Visits a value before pivots are chosen for the worst case (assembly/order-statistics.ts); two are usual. */
const BUDGET = 8

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
  let rowCount = 0
  /** By group, where its values are (`HERE` ...); null while all are here. */
  let whereabouts: GroupArray | null = null
  /** Results that other lanes have found, f64 a group for each quantile, ascending. */
  const given: GroupArray[] = []
  let isReduced = false

  const ascendingQs = () => [...qs].sort((a, b) => a - b)

  const placesOfValues = (): GroupArray => {
    whereabouts ??= createGroupArray(k, 1)
    whereabouts.resize(groupCount)
    return whereabouts
  }

  /** Calls `use` with every group whose values are not here. */
  const eachElsewhere = (use: (group: number) => void, first = 0, step = 1) => {
    if (whereabouts === null) return
    const { pointer } = placesOfValues()
    const { u8 } = memory
    for (let group = first; group < groupCount; group += step) if (u8[pointer + group] !== HERE) use(group)
  }

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
    for (let partition = 0; partition < Math.min(PARTITIONS, groupCount); partition++) {
      const groups = Math.ceil((groupCount - partition) / PARTITIONS)
      memory.u32.fill(0, ends >>> 2, (ends >>> 2) + groups)
      exports.partitionCount(blocks, partition, ends, 0, 0, valueBytes)
      const at = (group: number) => (ends >>> 2) + (group - partition) / PARTITIONS
      const eachOther = (use: (slot: number) => void) => eachElsewhere(group => use(at(group)), partition, PARTITIONS)
      eachOther(slot => {
        memory.u32[slot] = 0
      })
      const total = exports.partitionStarts(ends, 0, groups, ends) >>> 0
      eachOther(slot => {
        memory.u32[slot] = PASSED_OVER
      })
      gather(blocks, partition, ends, 0, 0, values)
      eachOther(slot => {
        memory.u32[slot] = slot === ends >>> 2 ? 0 : memory.u32[slot - 1]
      })
      exports.keptImages(images, values, total)
      const out = results + 8 * partition
      const [stride, column] = [8 * PARTITIONS, 8 * groupCount]
      quantiles(images, values, other, ends, groups, wanted, ascending.length, room, BUDGET, out, stride, column)
    }
    memory.reset(mark)
  }

  /** 0 to `count` as u32 in scratch. */
  const indicesOf = (count: number): number => {
    const indices = memory.scratch(4 * count)
    for (let i = 0; i < count; i++) memory.u32[(indices >>> 2) + i] = i
    return indices
  }

  /** By the other's index of a group the one it has here (u32 pointer in scratch); 0 where they are the same. */
  const mapOf = (theirs: number, ours: number, count: number): number => {
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

  const writeValues = (writer: StateWriter, groups: number, count: number) => {
    const lengths = memory.scratch(4 * groupCount)
    memory.u32.fill(0, lengths >>> 2, (lengths >>> 2) + groupCount)
    const blocks = partitions.blocks()
    const partitionCount = Math.min(PARTITIONS, groupCount)
    for (let p = 0; p < partitionCount; p++) exports.partitionCount(blocks, p, lengths, 8, p, valueBytes)
    eachElsewhere(group => {
      memory.u32[(lengths >>> 2) + group] = 0
    })
    const taken = statesOf(k, { pointer: lengths, stride: 4 }, 4, groups, count)
    const starts = memory.scratch(4 * groupCount)
    memory.u32.fill(PASSED_OVER, starts >>> 2, (starts >>> 2) + groupCount)
    const total = exports.partitionStarts(taken, groups, count, starts) >>> 0
    eachElsewhere(group => {
      memory.u32[(starts >>> 2) + group] = PASSED_OVER
    })
    const values = memory.scratch(valueBytes * total)
    for (let p = 0; p < partitionCount; p++) gather(blocks, p, starts, 8, p, values)
    writer.lane(k, taken, 4 * count)
    writer.lane(k, values, valueBytes * total)
  }

  const readValues = (reader: StateReader, groupMap: number, count: number) => {
    const lengths = reader.lane(k, 4 * count)
    const { offsets, total } = offsetsOf(k, lengths, count)
    const values = reader.lane(k, valueBytes * total)
    partitions.append(expandGroups(k, groupMap, offsets, count, total), values, total)
    rowCount += total
  }

  /** The results of all groups for one of the quantiles, in scratch: those found here, and those that were given. */
  const resultsOf = (i: number): number => {
    const ascending = ascendingQs()
    if (results === 0) find(ascending)
    const data = memory.scratch(8 * groupCount)
    const from = results + 8 * groupCount * i
    memory.u8.copyWithin(data, from, from + 8 * groupCount)
    const theirs = given[i]
    theirs?.resize(groupCount)
    if (theirs) {
      eachElsewhere(group => {
        memory.f64[(data >>> 3) + group] = memory.f64[(theirs.pointer >>> 3) + group]
      })
    }
    return data
  }

  /** Whether no values follow; where each group's are, a byte each; and results, f64 a group for each quantile. */
  const writeResults = (writer: StateWriter, groups: number, count: number) => {
    const { pointer } = placesOfValues()
    const columns = ascendingQs().map((_, i) => resultsOf(i))
    const places = memory.scratch(count)
    for (let i = 0; i < count; i++) {
      const place = memory.u8[pointer + (groups === 0 ? i : memory.u32[(groups >>> 2) + i])]
      // What others have is theirs to tell.
      memory.u8[places + i] = !isReduced ? place : place === HERE ? GIVEN : HERE
    }
    writer.u32(RESULTS)
    writer.u32(Number(isReduced))
    writer.lane(k, places, count)
    for (const column of columns) writer.states(k, { pointer: column, stride: 8 }, 8, groups, count)
  }

  const readResults = (reader: StateReader, groupMap: number, count: number): boolean => {
    const areReduced = reader.u32() === 1
    const places = reader.lane(k, count)
    const { pointer } = placesOfValues()
    for (let q = 0; q < qs.size; q++) {
      given[q] ??= createGroupArray(k, 8)
      given[q].resize(groupCount)
      const column = reader.lane(k, 8 * count)
      const { u8, u32, f64 } = memory
      for (let i = 0; i < count; i++) {
        if (u8[places + i] === HERE) continue
        const group = u32[(groupMap >>> 2) + i]
        u8[pointer + group] = u8[places + i]
        f64[(given[q].pointer >>> 3) + group] = f64[(column >>> 3) + i]
      }
    }
    return areReduced
  }

  /** Groups u32, as places; values a group; the values. */
  const shares: StateShares = {
    get isMuch() {
      return rowCount > MUCH_ROWS && groupCount >= MUCH_GROUPS
    },
    write(writer, { share, groups, count, shareOf }) {
      const mark = memory.mark()
      const places = memory.scratch(4 * count)
      const own = memory.scratch(4 * count)
      const { u32 } = memory
      let length = 0
      for (let i = 0; i < count; i++) {
        if (shareOf[i] !== share) continue
        u32[(places >>> 2) + length] = i
        u32[(own >>> 2) + length++] = groups === 0 ? i : u32[(groups >>> 2) + i]
      }
      writer.u32(length)
      writer.lane(k, places, 4 * length)
      writeValues(writer, own, length)
      memory.reset(mark)
    },
    merge(reader, groupMap) {
      forget()
      const mark = memory.mark()
      const length = reader.u32()
      const groups = memory.scratch(4 * length)
      exports.textRemap(reader.lane(k, 4 * length), length, groupMap, groups)
      readValues(reader, groups, length)
      memory.reset(mark)
    },
    end({ share, groups, count, shareOf }, handsOver) {
      forget()
      const { pointer } = placesOfValues()
      const { u8, u32 } = memory
      for (let i = 0; i < count; i++)
        if (shareOf[i] !== share) u8[pointer + (groups === 0 ? i : u32[(groups >>> 2) + i])] = ELSEWHERE
      find(ascendingQs())
      isReduced = handsOver
    },
  }

  return {
    kernel: `${kind} kept`,
    resize(count) {
      if (count === groupCount) return
      forget()
      groupCount = count
      partitions.resize(count)
    },
    update(rows) {
      forget()
      rowCount += rows.valueCount
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
    // Values a group, u32 each; then the values as they came, group by group. Between lanes a word comes first: how many blocks of rows as they lie
    // there are instead, behind the index of each group in them; or that before all this come results.
    write(writer, groups, count) {
      const mark = memory.mark()
      const hasResults = isReduced || whereabouts !== null
      if (hasResults) writeResults(writer, groups, count)
      const asTheyLie = writer.ofAll && !hasResults ? partitions.list() : []
      if (asTheyLie.length > 0) {
        writer.u32(asTheyLie.length)
        writer.lane(k, groups === 0 ? indicesOf(count) : groups, 4 * count)
        for (const { block, byteLength } of asTheyLie) {
          writer.u32(byteLength)
          writer.lane(k, block, byteLength)
        }
        memory.reset(mark)
        return
      }
      if (writer.forLane) writer.u32(0)
      writeValues(writer, groups, isReduced ? 0 : count)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      forget()
      const mark = memory.mark()
      let blockCount = reader.forLane ? reader.u32() : 0
      const hasResults = blockCount === RESULTS
      const areReduced = hasResults && readResults(reader, groupMap, count)
      if (hasResults) blockCount = reader.u32()
      if (blockCount > 0) {
        const map = mapOf(reader.lane(k, 4 * count), groupMap, count)
        for (let i = 0; i < blockCount; i++) {
          const outer = memory.mark()
          const byteLength = reader.u32()
          partitions.adopt(reader.lane(k, byteLength), byteLength, map)
          memory.reset(outer)
        }
      } else readValues(reader, groupMap, areReduced ? 0 : count)
      memory.reset(mark)
    },
    evaluate(spec) {
      const q = qOf(spec)
      if (!qs.has(q)) {
        qs.add(q)
        forget()
      }
      return numbers(float64(), groupCount, resultsOf(ascendingQs().indexOf(q)))
    },
    shares,
    free() {
      forget()
      partitions.free()
      whereabouts?.free()
      for (const each of given) each.free()
    },
  }
}

const qOf = ({ parameters: { q = 0.5 } }: AggregateSpec): number => q

/** What `keptImages` is told. */
const IMAGES: Readonly<Partial<Record<Kind, number>>> = { uint32: 1, float32: 2, float64: 3 }
