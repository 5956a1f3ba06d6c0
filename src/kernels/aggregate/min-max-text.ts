/**
 * Least and greatest strings by their bytes: a group's state is a code of the column's dictionary. Other types are min-max.ts's.
 */
import { bitmapBytes } from '../bitmap.js'
import type { LaneVector } from '../lane-vector.js'
import type { Accumulator, AccumulatorContext, AggregateSpec, Family } from './accumulator.js'
import { createGroupArray } from './group-array.js'
import { statesOf } from './state-bytes.js'
import { createTextRanks } from './text-ranks.js'
import { createTextStates } from './text-states.js'

/** A family of one accumulator an aggregate. */
export const minMaxText: Family = { counts: false, share: spec => spec.function, create: createMinMaxText }

function createMinMaxText(context: AccumulatorContext, { function: name, inputs: [type] }: AggregateSpec): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const states = createGroupArray(k, 4, [-1])
  const texts = createTextStates(context)
  const ranks = createTextRanks(k)
  const wanted = name === 'max' ? 1 : -1
  let groupCount = 0
  const add = (codes: number, validity: number, groups: number, rowCount: number) => {
    exports.minMaxText(states.pointer, groups, codes, validity, rowCount, ...ranks.of(texts.dictionary()), wanted)
  }

  function column(data: number, length: number): LaneVector {
    const bits = memory.scratch(bitmapBytes(length))
    const validity = exports.minMaxTextBits(data, length, bits) === length ? 0 : bits
    return { type, length, data, validity, dictionary: texts.known(), range: null }
  }

  return {
    kernel: 'utf8',
    resize(count) {
      groupCount = count
      states.resize(count)
    },
    update({ vectors: [vector], validity, groups, rowCount }) {
      const mark = memory.mark()
      const codes = texts.codes(vector)
      if (codes !== 0) add(codes, validity, groups, rowCount)
      memory.reset(mark)
    },
    write(writer, groups, count) {
      texts.write(writer, states.pointer, groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      const { codes, validity } = texts.read(reader, count)
      add(codes, validity, groupMap, count)
      memory.reset(mark)
    },
    evaluate() {
      const data = memory.scratch(4 * groupCount)
      memory.u8.copyWithin(data, states.pointer, states.pointer + 4 * groupCount)
      return column(data, groupCount)
    },
    evaluateAt: (_, groups, count) =>
      column(statesOf(k, { pointer: states.pointer, stride: 4 }, 4, groups, count), count),
    free() {
      states.free()
      texts.free()
      ranks.free()
    },
  }
}
