/** The value at the row with the least or the greatest of another column, the first of those that tie, by event time where there is a third input, or where that is asked for the last. Drawn in assembly/aggregate/arg-min-max.ts. */
import { setNumber } from '../../columnar/int64.js'
import type { DataType } from '../../columnar/type.js'
import type { Lane } from '../exact.js'
import type { Accumulator, AccumulatorContext, AccumulatorRows, AggregateSpec, Family } from './accumulator.js'
import { createElementStates, type Elements } from './elements.js'
import { createGroupArray } from './group-array.js'
import { createImages } from './images.js'
import { type StateReader, type StateWriter, statesOf } from './state-bytes.js'
import { createTextRanks } from './text-ranks.js'
import { createTextStates } from './text-states.js'

/** Of the value, of what it goes by, and of the event time, which is never null. */
export const argMinMax: Family = {
  counts: false,
  share: ({ function: name, parameters }) => `${name} ${parameters.ties ?? 'first'}`,
  create: createArgMinMax,
}

const STATE_BYTES = 16
/** Above all places of rows. */
const MOST_PLACES = Number.MAX_SAFE_INTEGER
/** The greatest int64, in words. */
const LATEST = [-1, 0x7fffffff]

function createArgMinMax(context: AccumulatorContext, spec: AggregateSpec): Accumulator {
  const { k } = context
  const { memory } = k
  const [type, by, time] = spec.inputs
  const states = createGroupArray(k, STATE_BYTES, [-1])
  const best = createGroupArray(k, 8, [-1])
  const times = time === undefined ? null : createGroupArray(k, 8, LATEST)
  const elements = createElementStates(context, type)
  const keys = (by.kind === 'utf8' ? textKeys : numberKeys)(
    context,
    by,
    spec.function === 'argMax',
    spec.parameters.ties === 'last',
    time !== undefined,
  )
  let groupCount = 0
  const part = (offset: number): Lane => ({ pointer: states.pointer + offset, stride: STATE_BYTES })

  return {
    kernel: `${type.kind} by ${by.kind}`,
    resize(count) {
      groupCount = count
      states.resize(count)
      best.resize(count)
      times?.resize(count)
    },
    update(rows) {
      const mark = memory.mark()
      const instants = times === null ? 0 : rows.vectors[2].data
      keys.update(best.pointer, states.pointer, rows, elements.of(rows.vectors[0]), times?.pointer ?? 0, instants)
      memory.reset(mark)
    },
    write(writer, groups, count) {
      keys.write(writer, { pointer: best.pointer, stride: 8 }, groups, count)
      writer.states(k, part(0), 8, groups, count)
      if (times !== null) writer.states(k, { pointer: times.pointer, stride: 8 }, 8, groups, count)
      elements.write(writer, part(8), groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      const merge = keys.read(reader, count)
      const places = reader.lane(k, 8 * count)
      const instants = times === null ? 0 : reader.lane(k, 8 * count)
      const values = elements.read(reader, count)
      merge(best.pointer, states.pointer, groupMap, places, values, times?.pointer ?? 0, instants)
      memory.reset(mark)
    },
    evaluate: () => elements.column(part(8), groupCount),
    evaluateAt: (_, groups, count) => elements.column(part(8), count, groups),
    free() {
      states.free()
      best.free()
      times?.free()
      elements.free()
      keys.free()
    },
  }
}

/** What the value goes by. */
interface Keys {
  /** @param times those of the best rows, or 0; `instants`: those of `rows` */
  update(best: number, states: number, rows: AccumulatorRows, values: Elements, times: number, instants: number): void
  write(writer: StateWriter, lane: Lane, groups: number, count: number): void
  /** Reads what `write` wrote; the rest of those states then goes to their groups. */
  read(
    reader: StateReader,
    count: number,
  ): (
    best: number,
    states: number,
    groupMap: number,
    places: number,
    values: Elements,
    times: number,
    instants: number,
  ) => void
  free(): void
}

function numberKeys({ k }: AccumulatorContext, by: DataType, max: boolean, isLast: boolean, isTimed: boolean): Keys {
  const { exports, memory } = k
  const images = createImages(k, by)
  const update = images.bytes === 4 ? exports.argUpdate32 : exports.argUpdate64
  const sign = -(2n ** 63n)
  const flip = max ? ~sign : sign
  // Only among these is a key of all ones. A lane's own rows come in order; another's may lie before.
  let ties = isLast || isTimed || by.kind === 'int64' || by.kind === 'timestamp'
  /** The later a row, the less its place: u64 a row, where the last of those that tie is wanted. */
  const placesOf = (position: number, rowCount: number): number => {
    if (!isLast) return 0
    const places = memory.scratch(8 * rowCount)
    const words = memory.i32.subarray(places >>> 2, (places >>> 2) + 2 * rowCount)
    for (let row = 0; row < rowCount; row++) setNumber(words, row, MOST_PLACES - position - row)
    return places
  }
  return {
    update(best, states, { vectors, validity, groups, rowCount, position }, { data, bits }, times, instants) {
      // Images of nulls are what is hardly ever better.
      const identity = max ? ~images.greatest : images.greatest
      const places = placesOf(position, rowCount)
      images.each(vectors[1].data, validity, rowCount, identity, (from, row, count) => {
        const indices = groups === 0 ? 0 : groups + 4 * row
        const valid = validity === 0 ? 0 : validity + row / 8
        const at = places && places + 8 * row
        const values = data + (row / 8) * bits
        const when = instants + 8 * row
        update(best, states, indices, from, flip, ties, valid, count, at, position + row, values, bits, times, when)
      })
    },
    write(writer, lane, groups, count) {
      writer.states(k, lane, 8, groups, count)
    },
    read(reader, count) {
      const keys = reader.lane(k, 8 * count)
      ties = true
      return (best, states, groupMap, places, { data, bits }, times, instants) =>
        exports.argUpdate64(best, states, groupMap, keys, 0n, true, 0, count, places, 0, data, bits, times, instants)
    },
    free() {},
  }
}

function textKeys(context: AccumulatorContext, _by: DataType, max: boolean): Keys {
  const { k } = context
  const { exports, memory } = k
  const texts = createTextStates(context)
  const ranks = createTextRanks(k)
  const wanted = max ? 1 : -1
  return {
    update(best, states, { vectors, validity, groups, rowCount, position }, { data, bits }, times, instants) {
      const codes = texts.codes(vectors[1])
      const order = ranks.of(texts.dictionary())
      const at = [data, bits, ...order, times, instants] as const
      exports.argUpdateText(best, states, groups, codes, wanted, validity, rowCount, 0, position, ...at)
    },
    write(writer, lane, groups, count) {
      const mark = memory.mark()
      texts.write(writer, statesOf(k, lane, 4, groups, count), 0, count)
      memory.reset(mark)
    },
    read(reader, count) {
      const { codes, validity } = texts.read(reader, count)
      return (best, states, groupMap, places, { data, bits }, times, instants) => {
        const at = [data, bits, ...ranks.of(texts.dictionary()), times, instants] as const
        exports.argUpdateText(best, states, groupMap, codes, wanted, validity, count, places, 0, ...at)
      }
    },
    free() {
      texts.free()
      ranks.free()
    },
  }
}
