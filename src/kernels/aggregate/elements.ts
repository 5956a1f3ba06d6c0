/**
 * Values of one column as 8-byte parts of states: an element's bits with zeros above, of a string its code. Where a state has none it is all ones.
 * What comes out of states holds one zero and one NaN.
 */
import { type DataType, isFloat } from '../../columnar/type.js'
import { bitmapBytes } from '../bitmap.js'
import type { Lane } from '../exact.js'
import type { LaneVector } from '../lane-vector.js'
import { elementBytes } from '../operand.js'
import { type AccumulatorContext, numbers } from './accumulator.js'
import { type StateReader, type StateWriter, statesOf } from './state-bytes.js'
import { createTextStates } from './text-states.js'

/** What kernels read with `elementAt` (assembly/inline.ts). */
export interface Elements {
  readonly data: number
  readonly bits: number
}

export interface ElementStates {
  /** A column's elements, in scratch where they had to be changed. At least one row is not null. */
  of(vector: LaneVector): Elements
  /** Writes the values at `lane`, 8 bytes each, of groups `groups[0..count)` (u32 pointer; with 0 the first `count`). */
  write(writer: StateWriter, lane: Lane, groups: number, count: number): void
  /** What `write` wrote, in scratch. */
  read(reader: StateReader, count: number): Elements
  /** The values at `lane` of groups `groups[0..count)` (u32 pointer; with 0 the first `count`) as a column in scratch. */
  column(lane: Lane, count: number, groups?: number): LaneVector
  free(): void
}

export function createElementStates(context: AccumulatorContext, type: DataType): ElementStates {
  const { k } = context
  const { exports, memory } = k
  const { kind } = type
  const width = elementBytes(kind)
  const texts = kind === 'utf8' ? createTextStates(context) : null
  // In serialised states.
  const kept = width === 8 ? 8 : 4

  const taken = (lane: Lane, groups: number, count: number): number => {
    const values = statesOf(k, lane, kept, groups, count)
    if (isFloat(kind)) exports.statesFloats(values, width, count)
    return values
  }

  return {
    of: vector => ({ data: texts === null ? vector.data : texts.codes(vector), bits: 8 * width || 1 }),
    write(writer, lane, groups, count) {
      const mark = memory.mark()
      const values = taken(lane, groups, count)
      if (texts === null) writer.lane(k, values, kept * count)
      else texts.write(writer, values, 0, count)
      memory.reset(mark)
    },
    read: (reader, count) => ({
      data: texts === null ? reader.lane(k, kept * count, kept * count + 16) : texts.read(reader, count).codes,
      bits: 8 * kept,
    }),
    column(lane, count, groups = 0) {
      const values = taken(lane, groups, count)
      if (texts !== null) {
        const bits = memory.scratch(bitmapBytes(count))
        const validity = exports.minMaxTextBits(values, count, bits) === count ? 0 : bits
        return { ...numbers(type, count, values), validity, dictionary: texts.known() }
      }
      if (width >= 4) return numbers(type, count, values)
      const data = memory.scratch(width === 0 ? bitmapBytes(count) : width * count)
      if (width === 0) exports.minMaxBits(values, count, data)
      else exports.minMaxNarrow(values, kept, count, data, width)
      return numbers(type, count, data)
    },
    free() {
      texts?.free()
    },
  }
}
