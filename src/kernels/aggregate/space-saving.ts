/**
 * approxTopK: the most frequent values of any type, by space-saving counters, which are pruned within a split only. An estimated count is never too low,
 * and too high by at most one in capacity + 1 of the rows. Counters and papers are in assembly/aggregate/space-saving.ts.
 *
 * ```
 * serialised   capacity u32     a group: tag of its open table u32[count]     a table, closed and open in turn: how many counters u32[], what they lack int64[]
 *              counts int64[], of a table by ascending value     values: images int64[], or strings as text-states.ts writes them
 * ```
 */
import { type DataType, list } from '../../columnar/type.js'
import {
  type Accumulator,
  type AccumulatorContext,
  type AggregateParameters,
  type Family,
  numbers,
  SPLIT_WEIGHT,
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

  /** For the counters of whichever two tables have most. */
  const roomForAll = () => memory.scratch(32 * ((exports.groupTablesMost(tables.pointer, 2 * groupCount) >>> 0) + 2))
  const ranks = () => texts.known()?.ranks() ?? 0

  return {
    kernel: `${type.kind} ${capacity}`,
    resize(count) {
      groupCount = count
      tables.resize(2 * count)
      extras.resize(2 * count)
    },
    update({ vectors: [vector], validity, groups, rowCount, position }) {
      const mark = memory.mark()
      const tag = 1 + Math.floor(position / SPLIT_WEIGHT)
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
            tag,
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
      const chosen = memory.scratch(8 * count)
      const tags = memory.scratch(4 * count)
      exports.spaceSavingTables(tables.pointer, groups, count, chosen, tags)
      const most = (exports.groupTablesUsed(tables.pointer, chosen, 2 * count) >>> 0) + 2 * count
      const lengths = memory.scratch(8 * count)
      const lacking = memory.scratch(16 * count)
      const values = memory.scratch(8 * most)
      const counts = memory.scratch(8 * most)
      const taken = exports.spaceSavingTake(
        tables.pointer,
        extras.pointer,
        chosen,
        2 * count,
        ranks(),
        roomForAll(),
        lengths,
        lacking,
        values,
        counts,
        !writer.forLane,
      )
      writer.u32(capacity)
      writer.lane(k, tags, 4 * count)
      writer.lane(k, lengths, 8 * count)
      writer.lane(k, lacking, 16 * count)
      writer.lane(k, counts, 8 * taken)
      if (isText) texts.write(writer, values, 0, taken)
      else writer.lane(k, values, 8 * taken)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      readParameter(reader, 'approxTopK', 'capacity', capacity)
      const mark = memory.mark()
      const tags = reader.lane(k, 4 * count)
      const lengths = reader.lane(k, 8 * count)
      const lacking = reader.lane(k, 16 * count)
      const each = memory.u32.subarray(lengths >>> 2, (lengths >>> 2) + 2 * count)
      const taken = each.reduce((sum, length) => sum + length, 0)
      const counts = reader.lane(k, 8 * taken)
      const values = isText ? texts.read(reader, taken).codes : reader.lane(k, 8 * taken)
      const places = memory.scratch(8 * count)
      exports.spaceSavingPlace(tables.pointer, groupMap, tags, count, places)
      exports.spaceSavingLack(extras.pointer, places, lacking, 2 * count)
      const placeOf = memory.scratch(4 * taken)
      exports.groupTablesSpread(lengths, places, 2 * count, placeOf)
      const width = isText ? 4 : 8
      tables.run(taken, (pool, from) =>
        exports.spaceSavingMerge(pool, tables.pointer, extras.pointer, placeOf, values, width, counts, from, taken),
      )
      memory.reset(mark)
    },
    evaluate({ parameters, inputs: [{ nullable: _, ...rest }] }) {
      const item = { ...rest, nullable: false }
      const n = parameters.n as number
      const used = exports.groupTablesUsed(tables.pointer, 0, 2 * groupCount) >>> 0
      const most = Math.min(n * groupCount, used + 2 * groupCount)
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
