/**
 * approxTopK: the most frequent values of any type, by space-saving counters. An estimated count is never too low, and too high by at most one
 * in capacity + 1 of the rows. Counters and papers are in assembly/aggregate/space-saving.ts.
 *
 * ```
 * serialised   capacity u32     a group: how many counters u32[count], what they lack int64[count]
 *              counts int64[], of a group by ascending value     values: images int64[], or strings as text-states.ts writes them
 * ```
 */
import { type DataType, list } from '../../columnar/type.js'
import {
  type Accumulator,
  type AccumulatorContext,
  type AggregateParameters,
  type Family,
  numbers,
} from './accumulator.js'
import { createGroupArray } from './group-array.js'
import { createGroupTables, readParameter } from './group-tables.js'
import { createImages } from './images.js'
import { createTextStates } from './text-states.js'

export const spaceSaving: Family = {
  counts: false,
  share: ({ parameters }) => `spaceSaving ${capacityOf(parameters)}`,
  create: (context, { inputs: [type], parameters }) => createSpaceSaving(context, type, capacityOf(parameters)),
}

/** Four counters a value wanted, that the last of them is not drowned by what is rare. */
const capacityOf = ({ capacity, n = 1 }: AggregateParameters): number => capacity ?? Math.max(32, 4 * n)

function createSpaceSaving(context: AccumulatorContext, type: DataType, capacity: number): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const isText = type.kind === 'utf8'
  const texts = createTextStates(context)
  const images = isText ? null : createImages(k, type)
  const imageBytes = images?.bytes ?? 4
  const tables = createGroupTables(k)
  const extras = createGroupArray(k, 16)
  let groupCount = 0

  /** For the counters of whichever group has most, before a merge or after. */
  const roomForAll = () => memory.scratch(16 * ((exports.groupTablesMost(tables.pointer, groupCount) >>> 0) + 2))
  const ranks = () => texts.known()?.ranks() ?? 0

  return {
    kernel: `${type.kind} ${capacity}`,
    resize(count) {
      groupCount = count
      tables.resize(count)
      extras.resize(count)
    },
    update({ vectors: [vector], validity, groups, rowCount }) {
      const mark = memory.mark()
      const room = memory.scratch(16 * (2 * capacity + 2))
      const add = (block: number, from: number, count: number) => {
        const blockGroups = groups === 0 ? 0 : groups + 4 * from
        const bits = validity === 0 ? 0 : validity + from / 8
        tables.run(count, (pool, row) =>
          exports.spaceSavingAdd(
            pool,
            tables.pointer,
            extras.pointer,
            blockGroups,
            block,
            imageBytes,
            bits,
            row,
            count,
            capacity,
            room,
          ),
        )
      }
      if (images !== null) images.each(vector.data, 0, rowCount, 0n, add)
      else {
        const codes = texts.codes(vector)
        if (codes !== 0) add(codes, 0, rowCount)
      }
      memory.reset(mark)
    },
    write(writer, groups, count) {
      const mark = memory.mark()
      const most = (exports.groupTablesUsed(tables.pointer, groups, count) >>> 0) + count
      const lengths = memory.scratch(4 * count)
      const lacking = memory.scratch(8 * count)
      const values = memory.scratch(8 * most)
      const counts = memory.scratch(8 * most)
      const taken = exports.spaceSavingTake(
        tables.pointer,
        extras.pointer,
        groups,
        count,
        ranks(),
        roomForAll(),
        lengths,
        lacking,
        values,
        counts,
        !writer.forLane,
      )
      writer.u32(capacity)
      writer.lane(k, lengths, 4 * count)
      writer.lane(k, lacking, 8 * count)
      writer.lane(k, counts, 8 * taken)
      if (isText) texts.write(writer, values, 0, taken)
      else writer.lane(k, values, 8 * taken)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      readParameter(reader, 'approxTopK', 'capacity', capacity)
      const mark = memory.mark()
      const lengths = reader.lane(k, 4 * count)
      const lacking = reader.lane(k, 8 * count)
      const taken = memory.u32.subarray(lengths >>> 2, (lengths >>> 2) + count).reduce((sum, length) => sum + length, 0)
      const counts = reader.lane(k, 8 * taken)
      const values = isText ? texts.read(reader, taken).codes : reader.lane(k, 8 * taken)
      const groups = memory.scratch(4 * taken)
      exports.groupTablesSpread(lengths, groupMap, count, groups)
      const width = isText ? 4 : 8
      tables.run(taken, (pool, from) =>
        exports.spaceSavingMerge(pool, tables.pointer, extras.pointer, groups, values, width, counts, from, taken),
      )
      exports.spaceSavingPrune(tables.pointer, extras.pointer, groupMap, lacking, count, capacity, roomForAll())
      memory.reset(mark)
    },
    evaluate({ parameters, inputs: [{ nullable: _, ...rest }] }) {
      const item = { ...rest, nullable: false }
      const n = parameters.n as number
      const used = exports.groupTablesUsed(tables.pointer, 0, groupCount) >>> 0
      const most = Math.min(n * groupCount, used + groupCount)
      const offsets = memory.scratch(4 * (groupCount + 1))
      const top = memory.scratch(imageBytes * most)
      exports.spaceSavingTop(
        tables.pointer,
        extras.pointer,
        groupCount,
        n,
        ranks(),
        roomForAll(),
        offsets,
        imageBytes,
        top,
      )
      const length = memory.u32[(offsets >>> 2) + groupCount]
      const data = images === null ? top : images.values(top, length)
      const child = { ...numbers(item, length, data), dictionary: texts.known() }
      return { ...numbers(list(item), groupCount, offsets), child }
    },
    free() {
      tables.free()
      extras.free()
      texts.free()
    },
  }
}
