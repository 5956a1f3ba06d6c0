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
    const names = [...new Set(sharing.map(other => other.function as 'min' | 'max'))]
    return createMinMax(k, names, spec.inputs[0])
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

function createMinMax(k: Kernels, names: readonly ('min' | 'max')[], type: DataType): Accumulator {
  const { exports, memory } = k
  const images = createImages(k, type)
  const { bytes } = images
  const both = bytes === 4 ? exports.minMaxBoth32 : exports.minMaxBoth64
  const all = new Map(names.map(name => [name as string, createExtremes(k, name, images)]))
  const [least, greatest] = [all.get('min'), all.get('max')]
  const pointerFor = ({ function: name }: AggregateSpec) => (all.get(name) as Extremes).states.pointer
  let groupCount = 0
  return {
    kernel: type.kind,
    resize(count) {
      groupCount = count
      for (const { states } of all.values()) states.resize(count)
    },
    update({ vectors: [{ data }], validity, groups, rowCount }) {
      // Rows that do not count have an image that is neutral to one of the two only.
      if (least !== undefined && greatest !== undefined && validity === 0 && groups !== 0) {
        images.each(data, 0, rowCount, 0n, (from, row, count) =>
          both(greatest.states.pointer, least.states.pointer, groups + 4 * row, from, count),
        )
        return
      }
      for (const each of all.values())
        images.each(data, validity, rowCount, each.identity, (from, row, count) =>
          each.update(groups === 0 ? 0 : groups + 4 * row, from, count),
        )
    },
    write(writer, groups, count) {
      for (const { states } of all.values())
        writer.states(k, { pointer: states.pointer, stride: bytes }, bytes, groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      for (const each of all.values()) each.update(groupMap, reader.lane(k, bytes * count), count)
      memory.reset(mark)
    },
    evaluate(spec) {
      const pointer = pointerFor(spec)
      // What the column's images are is copied: the state goes on.
      const copy = memory.scratch(bytes * groupCount)
      memory.u8.copyWithin(copy, pointer, pointer + bytes * groupCount)
      return numbers(type, groupCount, images.values(copy, groupCount))
    },
    evaluateAt(spec, groups, count) {
      const taken = statesOf(k, { pointer: pointerFor(spec), stride: bytes }, bytes, groups, count)
      return numbers(type, count, images.values(taken, count))
    },
    free() {
      for (const { states } of all.values()) states.free()
    },
  }
}
