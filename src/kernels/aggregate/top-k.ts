/**
 * The n greatest values of every group, descending, or the n least, ascending, as lists: a few numbers are kept side by side; many, and strings, are
 * rows that are cut when there is no more room (top-k-rows.ts). Both are drawn in assembly/aggregate/top-k.ts.
 */
import { type DataType, isFloat } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'
import { type Accumulator, type Family, numbers } from './accumulator.js'
import { lists } from './by-group.js'
import { createGroupArray } from './group-array.js'
import { createImages } from './images.js'
import { createTopRows } from './top-k-rows.js'

/** Up to so many a row is put in place among the others. */
const MOST_IN_PLACE = 16

export const topK: Family = {
  counts: ({ inputs: [{ kind }], parameters }) => !(isFloat(kind) && (parameters.n as number) <= MOST_IN_PLACE),
  share: ({ function: name, parameters: { n } }) => `${name} ${n}`,
  create(context, { function: name, inputs: [type], parameters }) {
    const n = parameters.n as number
    const top = name === 'topK'
    return n > MOST_IN_PLACE || type.kind === 'utf8'
      ? createTopRows(context, type, top, n)
      : createTopInPlace(context.k, type, top, n)
  },
}

function createTopInPlace(k: Kernels, type: DataType, top: boolean, n: number): Accumulator {
  const { exports, memory } = k
  const images = createImages(k, type)
  const { bytes, greatest } = images
  // What keys are of images; the image whose key is 0 is what nulls become.
  const flip = top ? greatest + 1n : greatest
  const identity = top ? ~greatest : greatest
  const update =
    bytes === 8
      ? (groups: number, from: number, count: number) =>
          exports.topUpdate64(states.pointer, groups, from, flip, count, n)
      : (groups: number, from: number, count: number) =>
          exports.topUpdate32(states.pointer, groups, from, Number(flip), count, n)
  const states = createGroupArray(k, bytes * n)
  let groupCount = 0

  return {
    kernel: `${type.kind} in place`,
    resize(count) {
      groupCount = count
      states.resize(count)
    },
    update({ vectors: [{ data }], validity, groups, rowCount }) {
      images.each(data, validity, rowCount, identity, (from, row, count) =>
        update(groups === 0 ? 0 : groups + 4 * row, from, count),
      )
    },
    write(writer, groups, count) {
      writer.states(k, { pointer: states.pointer, stride: bytes * n }, bytes * n, groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      exports.topMerge(states.pointer, groupMap, reader.lane(k, bytes * n * count), count, n, bytes)
      memory.reset(mark)
    },
    evaluate(_, counts) {
      const offsets = memory.scratch(4 * (groupCount + 1))
      // No float has the key 0: those of them that are stored are all there are.
      const offsetsOf = () =>
        isFloat(type.kind)
          ? exports.topFound(states.pointer, n, bytes, groupCount, offsets)
          : exports.topOffsets(counts, groupCount, n, offsets)
      const total = offsetsOf() >>> 0
      const found = memory.scratch(bytes * total)
      exports.topImages(states.pointer, n, bytes, flip, offsets, groupCount, found)
      return lists(type, groupCount, offsets, numbers({ ...type, nullable: false }, total, images.values(found, total)))
    },
    free: states.free,
  }
}
