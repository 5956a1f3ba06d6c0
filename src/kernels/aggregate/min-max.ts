/**
 * Least and greatest values of every type but strings (min-max-text.ts): a group's state is an image (images.ts), and merging is updating
 * with another's states. Drawn in assembly/aggregate/min-max.ts.
 */
import type { DataType } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'
import { type Accumulator, type AggregateSpec, type Family, numbers } from './accumulator.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { createImages, type Images } from './images.js'
import { statesOf } from './state-bytes.js'

/** Both of one input are found together. */
export const minMax: Family = {
  counts: false,
  share: () => 'minMax',
  create({ k }, spec, sharing = [spec]) {
    const [{ function: first }] = sharing
    const isBoth = sharing.some(other => other.function !== first)
    return isBoth ? createBoth(k, spec.inputs[0]) : createMinMax(k, first as 'min' | 'max', spec.inputs[0])
  },
}

/** The states of one of the two. */
interface Extremes {
  readonly states: GroupArray
  readonly identity: bigint
  /** Images of rows, to the groups at `groups` (u32 pointer) or with 0 to group 0. */
  update(groups: number, images: number, count: number): void
}

function createExtremes(k: Kernels, name: 'min' | 'max', { bytes, greatest }: Images): Extremes {
  const { exports } = k
  const identity = name === 'max' ? ~greatest : greatest
  const low = Number(BigInt.asIntN(32, identity))
  const states = createGroupArray(k, bytes, bytes === 4 ? [low] : [low, Number(identity >> 32n)])
  const [keyed, single] = {
    max: {
      4: [exports.minMaxGreatest32, exports.minMaxGreatestOf32] as const,
      8: [exports.minMaxGreatest64, exports.minMaxGreatestOf64] as const,
    },
    min: {
      4: [exports.minMaxLeast32, exports.minMaxLeastOf32] as const,
      8: [exports.minMaxLeast64, exports.minMaxLeastOf64] as const,
    },
  }[name][bytes]
  return {
    states,
    identity,
    update(groups, images, count) {
      if (groups === 0) single(states.pointer, images, count)
      else keyed(states.pointer, groups, images, count)
    },
  }
}

function createMinMax(k: Kernels, name: 'min' | 'max', type: DataType): Accumulator {
  const images = createImages(k, type)
  const own = createExtremes(k, name, images)
  return accumulatorOf(
    k,
    type,
    images,
    [own],
    () => own,
    ({ vectors: [{ data }], validity, groups, rowCount }) =>
      images.each(data, validity, rowCount, own.identity, (from, row, count) =>
        own.update(groups === 0 ? 0 : groups + 4 * row, from, count),
      ),
  )
}

function createBoth(k: Kernels, type: DataType): Accumulator {
  const { exports } = k
  const images = createImages(k, type)
  const [least, greatest] = [createExtremes(k, 'min', images), createExtremes(k, 'max', images)]
  const all = [least, greatest]
  const both = images.bytes === 4 ? exports.minMaxBoth32 : exports.minMaxBoth64
  return accumulatorOf(
    k,
    type,
    images,
    all,
    ({ function: name }) => (name === 'min' ? least : greatest),
    ({ vectors: [{ data }], validity, groups, rowCount }) => {
      if (validity !== 0 || groups === 0) {
        // Rows that do not count have an image that is neutral to one of the two only.
        for (const each of all)
          images.each(data, validity, rowCount, each.identity, (from, row, count) =>
            each.update(groups === 0 ? 0 : groups + 4 * row, from, count),
          )
        return
      }
      images.each(data, 0, rowCount, 0n, (from, row, count) =>
        both(greatest.states.pointer, least.states.pointer, groups + 4 * row, from, count),
      )
    },
  )
}

function accumulatorOf(
  k: Kernels,
  type: DataType,
  images: Images,
  all: readonly Extremes[],
  statesFor: (spec: AggregateSpec) => Extremes,
  update: Accumulator['update'],
): Accumulator {
  const { memory } = k
  const { bytes } = images
  let groupCount = 0
  return {
    kernel: type.kind,
    resize(count) {
      groupCount = count
      for (const { states } of all) states.resize(count)
    },
    update,
    write(writer, groups, count) {
      for (const { states } of all) writer.states(k, { pointer: states.pointer, stride: bytes }, bytes, groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      for (const each of all) each.update(groupMap, reader.lane(k, bytes * count), count)
      memory.reset(mark)
    },
    evaluate(spec) {
      const { pointer } = statesFor(spec).states
      // What the column's images are is copied: the state goes on.
      const copy = memory.scratch(bytes * groupCount)
      memory.u8.copyWithin(copy, pointer, pointer + bytes * groupCount)
      return numbers(type, groupCount, images.values(copy, groupCount))
    },
    evaluateAt(spec, groups, count) {
      const { pointer } = statesFor(spec).states
      const taken = statesOf(k, { pointer, stride: bytes }, bytes, groups, count)
      return numbers(type, count, images.values(taken, count))
    },
    free() {
      for (const { states } of all) states.free()
    },
  }
}
