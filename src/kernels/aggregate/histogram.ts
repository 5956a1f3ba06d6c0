/**
 * Histograms of numbers between given edges: bin i counts values from edges[i] up to but not edges[i + 1], the last one that too. Values outside,
 * and NaN, are in no bin. Kept counts are drawn in assembly/aggregate/histogram.ts.
 */
import { type DataType, float64, int64 } from '../../columnar/type.js'
import { widen } from '../cast.js'
import type { Kernels } from '../instance.js'
import {
  type Accumulator,
  type AccumulatorRows,
  type AggregateParameters,
  type Family,
  numbers,
} from './accumulator.js'
import { lists } from './by-group.js'
import { createGroupArray } from './group-array.js'

export const histogram: Family = {
  counts: false,
  share: ({ parameters: { edges } }) => `histogram ${edges}`,
  create: ({ k }, { inputs: [type], parameters }) => createHistogram(k, type, parameters),
}

function createHistogram(k: Kernels, { kind }: DataType, { edges = [] }: AggregateParameters): Accumulator {
  const { exports, memory } = k
  const bins = edges.length - 1
  const cells = bins + 1
  const last = edges[bins]
  const scale = scaleOf(edges)
  const table = memory.allocate(8 * cells)
  memory.f64.set([...edges.slice(0, bins), NaN], table >>> 3)
  const states = createGroupArray(k, 8 * cells)
  let groupCount = 0

  /** The values as doubles, in scratch or as they came. */
  const doubles = ({ vectors: [vector], rowCount }: AccumulatorRows): number => {
    if (kind !== 'int64') return widen(k, vector, float64()).vector.data
    const out = memory.scratch(8 * rowCount)
    exports.histogramFloors(vector.data, rowCount, last, out)
    return out
  }

  const add = (rows: AccumulatorRows, weight: bigint) => {
    const { groups, rowCount, validity } = rows
    const mark = memory.mark()
    const found = memory.scratch(4 * rowCount + 4)
    exports.histogramBins(doubles(rows), validity, rowCount, table, bins, last, scale, found)
    exports.histogramAdd(states.pointer, groups, found, rowCount, cells, weight)
    memory.reset(mark)
  }

  return {
    kernel: `${kind} ${bins} ${scale > 0 ? 'equal bins' : 'bins'}`,
    resize(count) {
      groupCount = count
      states.resize(count)
    },
    update: rows => add(rows, 1n),
    retract: rows => add(rows, -1n),
    write(writer, groups, count) {
      writer.states(k, { pointer: states.pointer, stride: 8 * cells }, 8 * cells, groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      exports.histogramMerge(states.pointer, groupMap, reader.lane(k, 8 * cells * count), count, cells)
      memory.reset(mark)
    },
    evaluate() {
      const items = memory.scratch(8 * bins * groupCount)
      const offsets = memory.scratch(4 * (groupCount + 1))
      exports.histogramLists(states.pointer, groupCount, bins, items, offsets)
      return lists(int64(), groupCount, offsets, numbers(int64(), bins * groupCount, items))
    },
    free() {
      states.free()
      memory.free(table)
    },
  }
}

/**
 * What a value's distance from the first edge is multiplied by to give its bin, or one of the two beside it; 0 where there is no such number. The
 * products ascend with the values, so what holds for the edges holds between them.
 */
function scaleOf(edges: readonly number[]): number {
  const bins = edges.length - 1
  const scale = bins / (edges[bins] - edges[0])
  const near = (edge: number, i: number) => {
    const bin = Math.min(bins - 1, Math.max(0, (edge - edges[0]) * scale - 0.5)) + 2 ** 52 - 2 ** 52
    return bin >= i - 1 && bin <= i
  }
  return scale > 0 && scale < Infinity && edges.every(near) ? scale : 0
}
