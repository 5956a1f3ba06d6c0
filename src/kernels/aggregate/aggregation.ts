/**
 * All accumulators of one group-by: equal state is kept once (the sum of a sum and a mean, the rows of every count), and what
 * only adds is updated together (slots.ts). It knows group indices, not keys: those are ../group.ts's.
 *
 * Sums and counts have their own shape (sum.ts, values.ts); every other aggregate is an accumulator of a family that a plan has
 * needed (min-max.ts, families.ts), as are sums of integers.
 */
import { type DataType, float64, int64, isFloat } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { LaneVector } from '../lane-vector.js'
import { nullableIf } from '../operand.js'
import { rangeIndices } from '../select.js'
import {
  type Accumulator,
  type AccumulatorContext,
  AGGREGATE_FUNCTIONS,
  type AggregateFunction,
  type AggregateSpec,
  type Family,
  numbers,
  type StateShares,
} from './accumulator.js'
import { createSlots, type Slots, type StoredRows } from './slots.js'
import {
  createStateReader,
  createStateWriter,
  LANE_STATE_MAGIC,
  mergeCounts,
  STATE_MAGIC,
  STATE_VERSION,
  type StateReader,
  type StateWriter,
  writeCounts,
} from './state-bytes.js'
import type { Sum } from './sum.js'
import { createFloatSum } from './sum-float.js'
import { createValues, type OpenedGroups, type Values } from './values.js'

export interface AggregateInput {
  /** In the order of the specs' inputs. */
  readonly vectors: readonly LaneVector[]
  /** Bitmap of the rows that count: no input is null, and a filter allows them; 0 where all do. */
  readonly validity: number
}

export interface Aggregation {
  /** Per spec, what computes it now, for `explain`: `sum float64 fixed 64`. */
  readonly kernels: readonly string[]
  /** Of what it is made of, that of which lanes may share out the values. */
  readonly shares: readonly StateShares[]
  /** Groups beyond those there were begin empty. Call it before `update` with all groups that the rows have. */
  resize(groupCount: number): void
  /**
   * Takes rows, at most 65,536: row i is of group `groups[i]` (u32 pointer), or with 0 of group 0. `position` is the place of the first row
   * among all rows (accumulator.ts).
   */
  update(groups: number, inputs: readonly AggregateInput[], rowCount: number, position: number): void
  /** Says which groups have had a row by now; call it after `update` and `merge`. */
  open(order: number, count: number): void
  /** Groups that follow may be other lanes': no row of theirs has come here. */
  admit(): void
  /**
   * Takes back rows that it has taken, in any order. Made to be `retractable` only.
   * @throws MillraceError `MR_CANNOT_RETRACT` naming the aggregate that has no way to; nothing has then been taken back.
   */
  retract(groups: number, inputs: readonly AggregateInput[], rowCount: number, position: number): void
  /**
   * The states (state-bytes.ts) of groups `groups[0..count)` (u32 pointer), or with 0 of the first `count`: portable and canonical.
   */
  state(groups: number, count: number): Uint8Array<ArrayBuffer>
  /** The same in whatever form is cheapest between two lanes, in pieces. `ofAll`: the groups are all there are. */
  laneState(groups: number, count: number, ofAll?: boolean): readonly Uint8Array<ArrayBuffer>[]
  /**
   * Adds another's state: its group g to group `groupMap[g]` (u32 pointer), for its `count` groups, at most `most` of them to the same group.
   * @throws MillraceError `MR_VERSION_MISMATCH` for a state of other aggregates or another version, `MR_FORMAT_ERROR` for one cut short.
   */
  merge(state: Uint8Array | readonly Uint8Array[], groupMap: number, count: number, most: number): void
  /**
   * One vector per spec in scratch, `groupCount` (that of `resize`) rows: null where nothing was counted, 0 for a count.
   * @throws MillraceError `MR_INTEGER_OVERFLOW` for an exact integer total beyond int64.
   */
  evaluate(groupCount: number): LaneVector[]
  /** The same of groups `groups[0..count)` (u32 pointer) alone, or null where one of the aggregates has no way to. */
  evaluateAt(groups: number, count: number): LaneVector[] | null
  free(): void
}

/** What is kept for one input. */
interface Input {
  readonly values: Values
  readonly counted: boolean
  readonly sum: Sum | null
  /** Each once, however many specs share it. */
  readonly accumulators: readonly Accumulator[]
  readonly accumulatorOf: ReadonlyMap<AggregateSpec, Accumulator>
}

/** Rows counted: a lane that adds 1 a row. */
const createRowCount = () => ({
  lanes: 1 as const,
  bound: 0,
  stored: (): StoredRows => ({ kind: 'one' }),
  rows: { fill() {} },
  promote() {},
})

/** @param retractable counts what it could otherwise do without, so that rows can be taken back. */
export function createAggregation(
  context: AccumulatorContext,
  specs: readonly AggregateSpec[],
  retractable = false,
): Aggregation {
  const { k } = context
  const { memory } = k
  const slots = createSlots(k)
  const countsRows = retractable || specs.some(spec => needsCount(context, spec))
  const rowCounter = createRowCount()
  const opened: OpenedGroups = { order: 0, count: 0 }
  const inputs = createInputs(context, slots, specs, opened, retractable)
  if (countsRows) slots.add(rowCounter)
  const parts = [...inputs.values()].flatMap(({ values, sum, accumulators }) => [values, sum, ...accumulators])
  const inputOf = (spec: AggregateSpec) => inputs.get(spec.inputIndex) as Input
  let groupCount = 0

  const write = (groups: number, count: number, forLane: boolean, ofAll = false): StateWriter => {
    const writer = createStateWriter(forLane, ofAll)
    for (const word of headOf(specs, forLane)) writer.u32(word)
    writer.u32(count)
    const mark = memory.mark()
    if (countsRows) writeCounts(k, writer, slots.lane(rowCounter), groups, count)
    for (const part of parts) part?.write(writer, groups, count)
    memory.reset(mark)
    return writer
  }

  return {
    get kernels() {
      return specs.map(spec => [spec.function, kernelOf(spec, inputOf(spec))].filter(Boolean).join(' '))
    },
    shares: [...inputs.values()].flatMap(({ accumulators }) => accumulators.flatMap(({ shares }) => shares ?? [])),
    resize(count) {
      groupCount = count
      slots.resize(count)
      for (const part of parts) part?.resize(count)
    },
    update(groups, columns, rowCount, position) {
      if (rowCount === 0) return
      const mark = memory.mark()
      const begun: (() => void)[] = []
      for (const [index, { values, sum, accumulators }] of inputs) {
        const { vectors, validity } = columns[index]
        const valueCount = values.update(groups, validity, rowCount)
        // A bitmap without a gap costs as little as none.
        const bits = valueCount === rowCount ? 0 : validity
        if (sum !== null) {
          sum.begin(vectors[0], bits, groups, rowCount)
          begun.push(() => sum.finish())
        }
        if (valueCount === 0 || accumulators.length === 0) continue
        const rows = { groups, rowCount, vectors, validity: bits, valueCount, position }
        begun.push(() => {
          for (const accumulator of accumulators) accumulator.update(rows)
        })
      }
      rowCounter.bound += rowCount
      slots.update(groups, rowCount)
      for (const finish of begun) finish()
      memory.reset(mark)
    },
    open(order, count) {
      opened.order = order
      opened.count = count
    },
    admit() {
      for (const { values } of inputs.values()) values.admit()
    },
    retract(groups, columns, rowCount, position) {
      if (rowCount === 0) return
      for (const spec of specs) {
        const accumulator = inputOf(spec).accumulatorOf.get(spec)
        if (accumulator === undefined || accumulator.retract !== undefined) continue
        throw new MillraceError(
          'MR_CANNOT_RETRACT',
          `${spec.label} cannot take rows back; use an exact or a retractable aggregate where rows may be withdrawn`,
          { operator: 'aggregate', column: spec.label },
        )
      }
      // In the order of the inputs, which is that of the states: the first of an input may be another than the first of all that it has.
      const plainSpecs = [...inputs].flatMap(([index, { accumulatorOf }]) =>
        specs.filter(spec => spec.inputIndex === index && !accumulatorOf.has(spec)),
      )
      // Sums and counts are taken away as what the rows come to by themselves.
      const plain = createAggregation(context, plainSpecs, true)
      const mark = memory.mark()
      try {
        plain.resize(groupCount)
        plain.update(groups, columns, rowCount, position)
        const reader = createStateReader(plain.state(0, groupCount))
        reader.negate = true
        checkHead(reader, plainSpecs, groupCount)
        const all = rangeIndices(k, 0, groupCount)
        mergeCounts(k, reader, slots.lane(rowCounter), all, groupCount)
        for (const [index, { values, sum, accumulators }] of inputs) {
          const { vectors, validity } = columns[index]
          const isPlain = specs.some(spec => spec.inputIndex === index && !inputOf(spec).accumulatorOf.has(spec))
          if (isPlain) {
            values.merge(reader, all, groupCount, 1)
            sum?.merge(reader, all, groupCount, 1)
          } else values.retract(groups, validity, rowCount)
          const valueCount = validity === 0 ? rowCount : k.exports.countValid(validity, rowCount)
          const rows = {
            groups,
            rowCount,
            vectors,
            validity: valueCount === rowCount ? 0 : validity,
            valueCount,
            position,
          }
          if (valueCount > 0) for (const accumulator of accumulators) accumulator.retract?.(rows)
        }
      } finally {
        memory.reset(mark)
        plain.free()
      }
    },
    state: (groups, count) => write(groups, count, false).finish(),
    laneState: (groups, count, ofAll) => write(groups, count, true, ofAll).pieces(),
    merge(state, groupMap, count, most) {
      // What is merged is not told how many rows it is of.
      rowCounter.bound = Infinity
      const mark = memory.mark()
      const reader = createStateReader(state)
      checkHead(reader, specs, count)
      if (countsRows) mergeCounts(k, reader, slots.lane(rowCounter), groupMap, count)
      for (const part of parts) part?.merge(reader, groupMap, count, most)
      memory.reset(mark)
    },
    evaluate(count) {
      const counts = new Map<Input, number>()
      const validities = new Map<Input, number>()
      for (const input of inputs.values()) {
        if (input.counted) counts.set(input, input.values.counts(slots.lane(rowCounter)))
        validities.set(input, input.values.validity(counts.get(input) ?? 0))
      }
      return specs.map(spec => {
        const input = inputOf(spec)
        const result = evaluateSpec(spec, input, counts.get(input) ?? 0, count)
        return withNulls(result, count, COUNTS.includes(spec.function) ? 0 : (validities.get(input) as number))
      })
    },
    evaluateAt(groups, count) {
      const results = specs.map(spec => {
        const { counted, accumulatorOf, values } = inputOf(spec)
        const result = counted ? null : accumulatorOf.get(spec)?.evaluateAt?.(spec, groups, count)
        return result ? withNulls(result, count, values.validity(0, groups, count)) : null
      })
      return results.includes(null) ? null : (results as LaneVector[])
    },
    free() {
      slots.free()
      for (const part of parts) part?.free()
    },
  }
}

function withNulls(result: LaneVector, length: number, validity: number): LaneVector {
  const bits = result.validity || validity
  return { ...result, length, validity: bits, type: nullableIf(result.type, bits) }
}

/** Of nothing there are none: never null. */
const COUNTS: readonly AggregateFunction[] = ['count', 'countDistinct', 'approxCountDistinct']

function familyOf({ parts }: AccumulatorContext, { function: name, inputs }: AggregateSpec): Family | null {
  if (name === 'count' || name === 'sum' || name === 'mean') return null
  const isExtreme = (name === 'min' || name === 'max') && inputs[0].kind !== 'utf8'
  const family = isExtreme ? parts.extremes?.minMax : parts.aggregates?.FAMILIES[name]
  if (family === undefined) throw notLoaded(name)
  return family
}

function needsCount(context: AccumulatorContext, spec: AggregateSpec): boolean {
  if (spec.function === 'count' || spec.function === 'mean') return true
  const counts = familyOf(context, spec)?.counts
  return typeof counts === 'function' ? counts(spec) : counts === true
}

/** One per input that any spec reads, with the state that its specs need. */
function createInputs(
  context: AccumulatorContext,
  slots: Slots,
  specs: readonly AggregateSpec[],
  opened: OpenedGroups,
  retractable: boolean,
): Map<number, Input> {
  const { k } = context
  const inputs = new Map<number, Input>()
  for (const { inputIndex } of specs) {
    if (inputs.has(inputIndex)) continue
    const mine = specs.filter(spec => spec.inputIndex === inputIndex)
    const summed = mine.find(spec => spec.function === 'sum' || spec.function === 'mean')?.inputs[0]
    const counted = retractable || mine.some(spec => needsCount(context, spec))
    const shared = new Map<string, Accumulator>()
    const accumulatorOf = new Map<AggregateSpec, Accumulator>()
    for (const spec of mine) {
      const family = familyOf(context, spec)
      if (family === null) continue
      const key = family.share(spec)
      const sharing = mine.filter(other => familyOf(context, other)?.share(other) === key)
      const accumulator = shared.get(key) ?? family.create(context, spec, sharing)
      shared.set(key, accumulator)
      accumulatorOf.set(spec, accumulator)
    }
    inputs.set(inputIndex, {
      counted,
      values: createValues(k, counted, opened),
      sum: sumOf(context, slots, summed),
      accumulators: [...shared.values()],
      accumulatorOf,
    })
  }
  return inputs
}

function sumOf({ k, parts }: AccumulatorContext, slots: Slots, type: DataType | undefined): Sum | null {
  if (type === undefined) return null
  if (isFloat(type.kind)) return createFloatSum(k, slots, type)
  if (parts.integers === undefined) throw notLoaded('sum')
  return parts.integers.createIntSum(k, slots, type)
}

const notLoaded = (name: string) => new Error(`the plan has ${name}, and its kernels were not loaded`)

function kernelOf(spec: AggregateSpec, { accumulatorOf, sum }: Input): string {
  return spec.function === 'count' ? '' : (accumulatorOf.get(spec) ?? (sum as Sum)).kernel
}

/** The results in scratch; which groups have one is the caller's to add. */
function evaluateSpec(spec: AggregateSpec, input: Input, counts: number, length: number): LaneVector {
  switch (spec.function) {
    case 'count':
      return numbers(int64(), length, counts)
    case 'sum':
      return numbers(isFloat(spec.inputs[0].kind) ? float64() : int64(), length, (input.sum as Sum).sums(spec.label))
    case 'mean':
      return numbers(float64(), length, (input.sum as Sum).means(counts))
    default:
      return (input.accumulatorOf.get(spec) as Accumulator).evaluate(spec, counts)
  }
}

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
function headOf(specs: readonly AggregateSpec[], forLane: boolean): number[] {
  const words = specs.map(
    ({ function: name, inputs, inputIndex }) =>
      AGGREGATE_FUNCTIONS.indexOf(name) + (KINDS.indexOf(inputs[0]?.kind ?? 'none') << 8) + (inputIndex << 16),
  )
  return [forLane ? LANE_STATE_MAGIC : STATE_MAGIC, STATE_VERSION, words.length, ...words]
}

function checkHead(reader: StateReader, specs: readonly AggregateSpec[], groupCount: number): void {
  const [magic, version, ...aggregates] = headOf(specs, false)
  const found = reader.u32()
  reader.forLane = found === LANE_STATE_MAGIC
  if (found !== magic && !reader.forLane) {
    throw new MillraceError('MR_FORMAT_ERROR', 'these bytes are not the state of an aggregation: they begin otherwise')
  }
  const written = reader.u32()
  if (written !== version) {
    throw new MillraceError(
      'MR_VERSION_MISMATCH',
      `the state of an aggregation has version ${written}, this library reads version ${version}; use the library that wrote it`,
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
