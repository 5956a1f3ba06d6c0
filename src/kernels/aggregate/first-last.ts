/** The value of the first and of the last row of every group by position, and the position of the last; `any` is the first. Drawn in assembly/aggregate/first-last.ts. */
import { int64 } from '../../columnar/type.js'
import { type Accumulator, type AccumulatorContext, type AggregateSpec, type Family, numbers } from './accumulator.js'
import { createElementStates } from './elements.js'
import { createGroupArray } from './group-array.js'
import { statesOf } from './state-bytes.js'

export const firstLast: Family = {
  counts: false,
  share: ({ function: name }) => (isLast(name) ? 'last' : 'first'),
  create: createFirstLast,
}

const STATE_BYTES = 16

const isLast = (name: AggregateSpec['function']): boolean => name === 'last' || name === 'lastPlace'

function createFirstLast(context: AccumulatorContext, { function: name, inputs: [type] }: AggregateSpec): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const last = isLast(name)
  const states = createGroupArray(k, STATE_BYTES, [-1])
  const elements = createElementStates(context, type)
  let groupCount = 0
  const values = () => ({ pointer: states.pointer + 8, stride: STATE_BYTES })
  const evaluateAt = ({ function: asked }: AggregateSpec, groups: number, count: number) =>
    asked === 'lastPlace'
      ? numbers(int64(), count, statesOf(k, { pointer: states.pointer, stride: STATE_BYTES }, 8, groups, count))
      : elements.column(values(), count, groups)

  return {
    kernel: type.kind,
    resize(count) {
      groupCount = count
      states.resize(count)
    },
    update({ vectors: [vector], validity, groups, rowCount, position }) {
      const mark = memory.mark()
      const { data, bits } = elements.of(vector)
      if (groups === 0) exports.firstLastOne(states.pointer, validity, rowCount, data, bits, position, last)
      else {
        const update = last ? exports.lastUpdate : exports.firstUpdate
        update(states.pointer, groups, validity, rowCount, data, bits, position)
      }
      memory.reset(mark)
    },
    write(writer, groups, count) {
      writer.states(k, { pointer: states.pointer, stride: STATE_BYTES }, 8, groups, count)
      elements.write(writer, values(), groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      const places = reader.lane(k, 8 * count)
      const { data, bits } = elements.read(reader, count)
      exports.firstLastMerge(states.pointer, groupMap, places, count, data, bits, last)
      memory.reset(mark)
    },
    evaluate: spec => evaluateAt(spec, 0, groupCount),
    evaluateAt,
    free() {
      states.free()
      elements.free()
    },
  }
}
