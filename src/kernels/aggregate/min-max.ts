/**
 * Least and greatest values of every type but strings (min-max-text.ts): a group's state is an image (images.ts), and merging is updating
 * with another's states. Drawn in assembly/aggregate/min-max.ts.
 */
import type { DataType } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'
import { type Accumulator, type Family, numbers } from './accumulator.js'
import { createGroupArray } from './group-array.js'
import { createImages } from './images.js'
import { statesOf } from './state-bytes.js'

/** A family of one accumulator an aggregate. */
export const minMax: Family = {
  counts: false,
  share: spec => spec.function,
  create: ({ k }, { function: name, inputs: [type] }) => createMinMax(k, name as 'min' | 'max', type),
}

function createMinMax(k: Kernels, name: 'min' | 'max', type: DataType): Accumulator {
  const { exports, memory } = k
  const max = name === 'max'
  const images = createImages(k, type)
  const { bytes } = images
  const identity = max ? ~images.greatest : images.greatest
  const update = max
    ? bytes === 4
      ? exports.minMaxGreatest32
      : exports.minMaxGreatest64
    : bytes === 4
      ? exports.minMaxLeast32
      : exports.minMaxLeast64
  const updateOne = max
    ? bytes === 4
      ? exports.minMaxGreatestOf32
      : exports.minMaxGreatestOf64
    : bytes === 4
      ? exports.minMaxLeastOf32
      : exports.minMaxLeastOf64
  const low = Number(BigInt.asIntN(32, identity))
  const states = createGroupArray(k, bytes, bytes === 4 ? [low] : [low, Number(identity >> 32n)])
  let groupCount = 0

  return {
    kernel: type.kind,
    resize(count) {
      groupCount = count
      states.resize(count)
    },
    update({ vectors: [{ data }], validity, groups, rowCount }) {
      images.each(data, validity, rowCount, identity, (from, row, count) => {
        if (groups === 0) updateOne(states.pointer, from, count)
        else update(states.pointer, groups + 4 * row, from, count)
      })
    },
    write(writer, groups, count) {
      writer.states(k, { pointer: states.pointer, stride: bytes }, bytes, groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      update(states.pointer, groupMap, reader.lane(k, bytes * count), count)
      memory.reset(mark)
    },
    evaluate() {
      // What the column's images are is copied: the state goes on.
      const copy = memory.scratch(bytes * groupCount)
      memory.u8.copyWithin(copy, states.pointer, states.pointer + bytes * groupCount)
      return numbers(type, groupCount, images.values(copy, groupCount))
    },
    evaluateAt: (_, groups, count) =>
      numbers(
        type,
        count,
        images.values(statesOf(k, { pointer: states.pointer, stride: bytes }, bytes, groups, count), count),
      ),
    free: states.free,
  }
}
