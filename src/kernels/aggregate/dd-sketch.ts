/**
 * approxQuantile: DDSketch over numbers, each taken as a double. A result is within the relative error of the value of rank floor(q (n - 1)) of
 * n values; NaN is greatest, and subnormals are taken for 0. Buckets and papers are in assembly/aggregate/dd-sketch.ts.
 *
 * ```
 * serialised   error float64     a group: how many entries u32[count]
 *              entries, those of a group by ascending key: count i32, key u32; a count c of 2^30 or more is two, c % 2^30 and c / 2^30
 * ```
 */
import { float64 } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import { widen } from '../cast.js'
import { elementBytes } from '../operand.js'
import { type Accumulator, type AccumulatorContext, type AccumulatorRows, type Family, numbers } from './accumulator.js'
import { createGroupTables } from './group-tables.js'
import { BLOCK_ROWS } from './slots.js'

const ERROR = 0.01

export const ddSketch: Family = {
  counts: false,
  share: ({ parameters }) => `ddSketch ${parameters.error ?? ERROR}`,
  create: (context, { parameters }) => createDdSketch(context, parameters.error ?? ERROR),
}

function createDdSketch({ k }: AccumulatorContext, error: number): Accumulator {
  const { exports, memory } = k
  const tables = createGroupTables(k)
  const multiplier = (0.7 / logOf((1 + error) / (1 - error))) * (1 + 2 ** -20)
  const bias = 1 - Math.floor(-1022 * multiplier)
  const [errorLow, errorHigh] = new Uint32Array(Float64Array.of(error).buffer)
  let groupCount = 0

  const add = ({ vectors: [vector], validity, groups, rowCount }: AccumulatorRows, by: 1 | -1) => {
    const width = elementBytes(vector.type.kind)
    const mark = memory.mark()
    const keys = memory.scratch(4 * BLOCK_ROWS + 4)
    for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rowCount - from)
      const block = memory.mark()
      const slice = { ...vector, data: vector.data + width * from, length: count }
      exports.ddSketchKeys(widen(k, slice, float64()).vector.data, count, multiplier, bias, keys)
      const blockGroups = groups === 0 ? 0 : groups + 4 * from
      const bits = validity === 0 ? 0 : validity + from / 8
      tables.run(count, (pool, row) =>
        exports.ddSketchAdd(pool, tables.pointer, blockGroups, keys, bits, row, count, by),
      )
      memory.reset(block)
    }
    memory.reset(mark)
  }

  return {
    kernel: `float64 error ${error}`,
    resize(count) {
      groupCount = count
      tables.resize(count)
    },
    update: rows => add(rows, 1),
    retract: rows => add(rows, -1),
    write(writer, groups, count) {
      const mark = memory.mark()
      const lengths = memory.scratch(4 * count)
      const entries = memory.scratch(8 * (exports.groupTablesUsed(tables.pointer, groups, count) >>> 0))
      const entryCount = exports.ddSketchTake(tables.pointer, groups, count, lengths, entries, !writer.forLane) >>> 0
      writer.u32(errorLow)
      writer.u32(errorHigh)
      writer.lane(k, lengths, 4 * count)
      writer.lane(k, entries, 8 * entryCount)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      if (reader.u32() !== errorLow || reader.u32() !== errorHigh) {
        throw new MillraceError(
          'MR_VERSION_MISMATCH',
          `the state of an approxQuantile has another error than ${error}; merge states of one flow`,
        )
      }
      const mark = memory.mark()
      const lengths = reader.lane(k, 4 * count)
      const entryCount = memory.u32
        .subarray(lengths >>> 2, (lengths >>> 2) + count)
        .reduce((sum, length) => sum + length, 0)
      const entries = reader.lane(k, 8 * entryCount)
      const groups = memory.scratch(4 * entryCount)
      exports.groupTablesSpread(lengths, groupMap, count, groups)
      tables.run(entryCount, (pool, from) =>
        exports.ddSketchMerge(pool, tables.pointer, groups, entries, from, entryCount),
      )
      memory.reset(mark)
    },
    evaluate({ parameters }) {
      const data = memory.scratch(8 * groupCount)
      const room = memory.scratch(8 * (exports.groupTablesMost(tables.pointer, groupCount) >>> 0))
      exports.ddSketchQuantiles(tables.pointer, groupCount, parameters.q as number, multiplier, bias, room, data)
      return numbers(float64(), groupCount, data)
    },
    free: tables.free,
  }
}

/** The natural logarithm of a number from 1 on, by arithmetic that is the same in every runtime, as `Math.log` need not be. */
function logOf(x: number): number {
  let halvings = 0
  for (; x >= 2; x /= 2) halvings++
  // 2 artanh(z), its series from the small end.
  const z = (x - 1) / (x + 1)
  let sum = 0
  for (let power = 39; power > 0; power -= 2) sum = sum * z * z + 1 / power
  return halvings * Math.LN2 + 2 * z * sum
}
