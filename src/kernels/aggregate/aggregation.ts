/**
 * All accumulators of one group-by: equal state is kept once (the sum of a sum and a mean, the rows of every count), and what
 * only adds is updated together (slots.ts). It knows group indices, not keys: those are ../group.ts's.
 *
 * An accumulator is a file beside this one (sum-int.ts, sum-float.ts, min-max.ts, min-max-text.ts) with one shape: `resize`,
 * take rows, `write`, `merge`, evaluate, `free`.
 */
import { type DataType, float64, int64, isFloat } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { nullableIf } from '../operand.js'
import { createMinMax, type MinMax } from './min-max.js'
import { createMinMaxText } from './min-max-text.js'
import { createSlots, type Slots, type SlotUser } from './slots.js'
import {
  createStateReader,
  createStateWriter,
  mergeCounts,
  STATE_MAGIC,
  STATE_VERSION,
  type StateReader,
  writeCounts,
} from './state-bytes.js'
import type { Sum } from './sum.js'
import { createFloatSum } from './sum-float.js'
import { createIntSum } from './sum-int.js'
import { createValues, type Values } from './values.js'

export type AggregateFunction = 'count' | 'sum' | 'mean' | 'min' | 'max'

export interface AggregateSpec {
  readonly function: AggregateFunction
  /** Type of the input column; null where rows are counted. */
  readonly input: DataType | null
  /** Which of `update`'s inputs it reads: the same for the same column under the same filter. */
  readonly inputIndex: number
  /** Names it in errors. */
  readonly label: string
}

export interface AggregateInput {
  readonly vector: LaneVector | null
  /** Bitmap of the rows that count: not null, and allowed by a filter; 0 where all do. */
  readonly validity: number
}

export interface AggregationState {
  /** Portable: see state-bytes.ts. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** One per distinct min or max of strings, a value a group, in scratch: strings travel as columns. */
  readonly vectors: LaneVector[]
}

export interface Aggregation {
  /** Per spec, what computes it now, for `explain`: `sum float64 fixed 64`. */
  readonly kernels: readonly string[]
  /** Groups beyond those there were begin empty. Call it before `update` with all groups that the rows have. */
  resize(groupCount: number): void
  /**
   * Takes rows, at most 65,536: row i is of group `groups[i]` (u32 pointer), or with 0 of group 0. Every group below the count of
   * `resize` must have had a row by the end of the first update that could, except where there is but group 0.
   */
  update(groups: number, inputs: readonly AggregateInput[], rowCount: number): void
  state(): AggregationState
  /**
   * Adds another's state: its group g to group `groupMap[g]` (u32 pointer), all different, for its `groupCount` groups. Its vectors
   * may have codes of another dictionary.
   * @throws MillraceError `MR_VERSION_MISMATCH` for a state of other aggregates or another version, `MR_FORMAT_ERROR` for one cut short.
   */
  merge(state: { bytes: Uint8Array; vectors: readonly LaneVector[] }, groupMap: number, groupCount: number): void
  /**
   * One vector per spec in scratch, `groupCount` (that of `resize`) rows: null where nothing was counted, 0 for a count.
   * @throws MillraceError `MR_INTEGER_OVERFLOW` for an exact integer total beyond int64.
   */
  evaluate(groupCount: number): LaneVector[]
  free(): void
}

/** What is kept for one input. */
interface Input {
  readonly values: Values
  readonly counted: boolean
  readonly sum: Sum | null
  readonly min: MinMax | null
  readonly max: MinMax | null
}

/** Rows counted: a lane that adds 1 a row. */
const ROWS: SlotUser = { lanes: 1, fill: null, promote() {} }

export function createAggregation(k: Kernels, specs: readonly AggregateSpec[]): Aggregation {
  const { memory } = k
  const slots = createSlots(k)
  const countsRows = specs.some(needsCount)
  const inputs = createInputs(k, slots, specs)
  if (countsRows) slots.add(ROWS)
  const accumulators = [...inputs.values()].flatMap(({ values, sum, min, max }) => [values, sum, min, max])
  const inputOf = (spec: AggregateSpec) => inputs.get(spec.inputIndex) as Input

  let groupCount = 0

  return {
    get kernels() {
      return specs.map(spec => [spec.function, kernelOf(spec, inputOf(spec))].filter(Boolean).join(' '))
    },
    resize(count) {
      groupCount = count
      slots.resize(count)
      for (const accumulator of accumulators) accumulator?.resize(count)
    },
    update(groups, columns, rowCount) {
      if (rowCount === 0) return
      const mark = memory.mark()
      const begun: { readonly input: Input; readonly vector: LaneVector; readonly bits: number }[] = []
      for (const [index, input] of inputs) {
        const { vector, validity } = columns[index]
        const valueCount = input.values.update(groups, validity, rowCount)
        if (vector === null) continue
        // A bitmap without a gap costs as little as none.
        const bits = valueCount === rowCount ? 0 : validity
        begun.push({ input, vector, bits })
        input.sum?.begin(vector, bits, groups, rowCount)
      }
      slots.update(groups, rowCount)
      for (const { input, vector, bits } of begun) {
        input.sum?.finish()
        input.min?.update(vector, bits, groups, rowCount)
        input.max?.update(vector, bits, groups, rowCount)
      }
      memory.reset(mark)
    },
    state() {
      const writer = createStateWriter()
      for (const word of headOf(specs)) writer.u32(word)
      writer.u32(groupCount)
      const vectors: LaneVector[] = []
      if (countsRows) writeCounts(k, writer, slots.lane(ROWS), groupCount)
      for (const accumulator of accumulators) {
        accumulator?.write(writer)
        if (accumulator !== null && 'stateVectors' in accumulator) vectors.push(...accumulator.stateVectors())
      }
      return { bytes: writer.finish(), vectors }
    },
    merge(state, groupMap, count) {
      const mark = memory.mark()
      const reader = createStateReader(state.bytes)
      checkHead(reader, specs, count)
      const vectors = state.vectors[Symbol.iterator]()
      if (countsRows) mergeCounts(k, reader, slots.lane(ROWS), groupMap, count)
      for (const { values, sum, min, max } of inputs.values()) {
        values.merge(reader, groupMap, count)
        sum?.merge(reader, groupMap, count)
        min?.merge(reader, vectors, groupMap, count)
        max?.merge(reader, vectors, groupMap, count)
      }
      memory.reset(mark)
    },
    evaluate(count) {
      const counts = new Map<Input, number>()
      const validities = new Map<Input, number>()
      for (const input of inputs.values()) {
        if (input.counted) counts.set(input, input.values.counts(slots.lane(ROWS)))
        validities.set(input, input.values.validity(counts.get(input) ?? 0))
      }
      return specs.map(spec => {
        const input = inputOf(spec)
        const result = evaluateSpec(spec, input, counts.get(input) ?? 0)
        const validity = spec.function === 'count' ? 0 : (validities.get(input) as number)
        return { ...result, length: count, validity, type: nullableIf(result.type, validity) }
      })
    },
    free() {
      slots.free()
      for (const accumulator of accumulators) accumulator?.free()
    },
  }
}

const needsCount = (spec: AggregateSpec): boolean => spec.function === 'count' || spec.function === 'mean'

/** One per input that any spec reads, with the state that its specs need. */
function createInputs(k: Kernels, slots: Slots, specs: readonly AggregateSpec[]): Map<number, Input> {
  const inputs = new Map<number, Input>()
  for (const { inputIndex } of specs) {
    if (inputs.has(inputIndex)) continue
    const mine = specs.filter(spec => spec.inputIndex === inputIndex)
    const has = (...functions: AggregateFunction[]) =>
      mine.find(spec => functions.includes(spec.function))?.input ?? null
    const summed = has('sum', 'mean')
    const counted = mine.some(needsCount)
    inputs.set(inputIndex, {
      counted,
      values: createValues(k, counted),
      sum:
        summed === null
          ? null
          : isFloat(summed.kind)
            ? createFloatSum(k, slots, summed)
            : createIntSum(k, slots, summed),
      min: minMaxOf(k, 'min', has('min')),
      max: minMaxOf(k, 'max', has('max')),
    })
  }
  return inputs
}

function minMaxOf(k: Kernels, name: 'min' | 'max', type: DataType | null): MinMax | null {
  if (type === null) return null
  return type.kind === 'utf8' ? createMinMaxText(k, name, type) : createMinMax(k, name, type)
}

function kernelOf(spec: AggregateSpec, { sum, min, max }: Input): string {
  if (spec.function === 'count') return ''
  if (spec.function === 'min') return (min as MinMax).kernel
  if (spec.function === 'max') return (max as MinMax).kernel
  return (sum as Sum).kernel
}

/** The results in scratch; which groups have one is the caller's to add. */
function evaluateSpec(spec: AggregateSpec, { sum, min, max }: Input, counts: number): LaneVector {
  const numbers = (type: DataType, data: number): LaneVector => ({
    type,
    length: 0,
    data,
    validity: 0,
    dictionary: null,
    range: null,
  })
  switch (spec.function) {
    case 'count':
      return numbers(int64(), counts)
    case 'sum':
      return numbers(isFloat((spec.input as DataType).kind) ? float64() : int64(), (sum as Sum).sums(spec.label))
    case 'mean':
      return numbers(float64(), (sum as Sum).means(counts))
    case 'min':
      return (min as MinMax).evaluate()
    case 'max':
      return (max as MinMax).evaluate()
  }
}

const FUNCTIONS: readonly AggregateFunction[] = ['count', 'sum', 'mean', 'min', 'max']
const KINDS: readonly string[] = [
  'none',
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'float32',
  'float64',
  'utf8',
  'timestamp',
  'date',
]

/** Magic, version, and the aggregates that the state is of, each as one word. */
function headOf(specs: readonly AggregateSpec[]): number[] {
  const words = specs.map(
    ({ function: name, input, inputIndex }) =>
      FUNCTIONS.indexOf(name) + (KINDS.indexOf(input?.kind ?? 'none') << 8) + (inputIndex << 16),
  )
  return [STATE_MAGIC, STATE_VERSION, words.length, ...words]
}

function checkHead(reader: StateReader, specs: readonly AggregateSpec[], groupCount: number): void {
  const [magic, version, ...aggregates] = headOf(specs)
  if (reader.u32() !== magic) {
    throw new MillraceError('MR_FORMAT_ERROR', 'these bytes are not the state of an aggregation: they begin otherwise')
  }
  const found = reader.u32()
  if (found !== version) {
    throw new MillraceError(
      'MR_VERSION_MISMATCH',
      `the state of an aggregation has version ${found}, this library reads version ${version}; use the library that wrote it`,
    )
  }
  if (aggregates.some(word => reader.u32() !== word >>> 0)) {
    throw new MillraceError(
      'MR_VERSION_MISMATCH',
      'the state is of other aggregates than these; merge states of one flow',
    )
  }
  const groups = reader.u32()
  if (groups !== groupCount) {
    throw new MillraceError(
      'MR_FORMAT_ERROR',
      `the state is of ${groups} groups, where ${groupCount} keys came with it`,
    )
  }
}
