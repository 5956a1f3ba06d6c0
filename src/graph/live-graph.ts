/**
 * The operators of a job that goes on, and its steps: a batch goes through all segments, and what closes or changes by it comes out; between two steps nothing is under way.
 *
 * ```
 * batch ── watermark of each row ── stages ── aggregate ── stages ── aggregate ── ... ── batches out
 *                                                 |
 *                                             late rows
 * ```
 */
import { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { makeVector, type Vector } from '../columnar/vector.js'
import { count, isTrue, not } from '../kernels/bitmap.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { selection, take } from '../kernels/select.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import { type BatchLoader, createBatchLoader } from '../operators/batch-loader.js'
import { buildPipeline, type OperatorContext, type Pipeline } from '../operators/build.js'
import { morselsOf } from '../operators/heap-batch.js'
import { createLiveAggregate, type LiveAggregate } from '../operators/live-aggregate.js'
import { createLiveSessions } from '../operators/live-sessions.js'
import type { Morsel, Side } from '../operators/operator.js'
import { runAll } from '../operators/pipeline.js'
import { type LiveAggregateSpec, type LivePlan, type LiveSegment, WATERMARK, WEIGHT } from '../plan/live.js'
import type { PlanNode } from '../plan/logical.js'
import { createWatermark, type Watermark } from './watermark.js'

export interface LiveGraph {
  /** One step: what comes out of a batch. @throws RowFailure, of a row of the batch */
  push(batch: RecordBatch): RecordBatch[]
  /** What closes where the watermark has moved on without rows. */
  settle(): RecordBatch[]
  /** What has changed since the last time, where that waits for a clock. */
  tick(): RecordBatch[]
  /** There is no more input: all windows close. */
  end(): RecordBatch[]
  /** Rows that came too late, or had no time. */
  readonly lateRows: number
  /** Of event time, in ticks; null before the first row that has one. */
  readonly watermark: bigint | null
  /** Groups that are kept. */
  readonly stateSize: number
  free(): void
}

interface Step {
  readonly pipeline: Pipeline
  /** Which columns of what comes in the stages take. */
  readonly columns: readonly number[]
  readonly aggregate: LiveAggregate | null
  readonly spec: LiveAggregateSpec | null
  /** Of the aggregate's input. */
  readonly kept: number
}

/** The rows of the other sides of joins, by their plans. */
export type SideRows = ReadonlyMap<PlanNode, readonly RecordBatch[]>

/** @param watermark where it is not that of the rows alone: how it goes, and what it is of rows */
export function createLiveGraph(
  context: OperatorContext,
  plan: LivePlan,
  input: SchemaShape,
  sides: SideRows = new Map(),
  watermark: Watermark | null = plan.watermark === null ? null : createWatermark(plan.watermark),
): LiveGraph {
  const { k } = context
  const { memory } = k
  const timeColumn = plan.watermark === null ? -1 : Object.keys(input).indexOf(plan.watermark.column)
  const loader: BatchLoader = createBatchLoader(context)
  let out: RecordBatch[] = []
  let lateRows = 0
  const steps: Step[] = []
  try {
    let names = [...Object.keys(input), ...(plan.watermark === null ? [] : [WATERMARK])]
    for (const segment of plan.segments) {
      const step = stepOf(segment, names)
      steps.push(step)
      if (segment.aggregate !== null) names = outputNames(segment.aggregate)
    }
  } catch (error) {
    free()
    throw error
  }
  function stepOf({ stages, aggregate: spec }: LiveSegment, names: readonly string[]): Step {
    const pipeline = buildPipeline(context, stages)
    const columns = stages.sourceColumns.map(name => names.indexOf(name))
    try {
      for (const { side } of pipeline.scan.transforms) if (side) fill(side, stages.sides[side.index] as PlanNode)
      const kept = spec === null || spec.kept === null ? -1 : Object.keys(spec.input).indexOf(spec.kept)
      return { pipeline, columns, spec, kept, aggregate: spec && aggregateOf(spec) }
    } catch (error) {
      pipeline.free()
      throw error
    }
  }

  function fill({ rows, prepare }: Side, of: PlanNode): void {
    const mark = memory.mark()
    for (const batch of sides.get(of) ?? []) {
      rows.add(batch)
      memory.reset(mark)
    }
    Array.from(prepare())
    memory.reset(mark)
  }

  function aggregateOf(spec: LiveAggregateSpec): LiveAggregate {
    const { windows } = spec
    if (typeof windows === 'object' && (windows.kind === 'session' || windows.kind === 'rowCount')) {
      const { keys, accumulators, lateness, emits, time } = spec
      const stage = { keys, accumulators, lateness, emits, time, windows, watermark: WATERMARK }
      return createLiveSessions(context, stage, spec.input, (morsel, rows) => {
        const places = memory.scratch(4 * rows.length)
        memory.u32.set(rows, places >>> 2)
        late(morsel, places, rows.length, spec)
      })
    }
    return createLiveAggregate(context, { ...spec, windows, watermark: WATERMARK }, spec.input)
  }

  /** Rows that come to a step, or with the last one out. */
  function flow(batch: LaneBatch, at: number): void {
    if (batch.rowCount === 0) return
    const { pipeline, columns, aggregate, spec, kept } = steps[at] as Step
    const own = at === 0 ? batch.columns : columns.map(i => batch.columns[i] as LaneVector)
    const use = (morsel: Morsel) => {
      if (aggregate === null || spec === null) emit(morsel)
      else for (const each of aggregate.consume(inTime(morsel, spec, kept))) spread(each, at + 1, spec)
    }
    runAll(pipeline.scan.transforms, { rowCount: batch.rowCount, columns: own, rows: 0 }, memory, use, false)
  }

  /** What an aggregate gives may have any number of rows. */
  function spread(batch: LaneBatch, at: number, { givesLate }: LiveAggregateSpec): void {
    if (givesLate) return
    for (const morsel of morselsOf(k, batch)) flow(morsel, at)
  }

  function inTime(morsel: Morsel, spec: LiveAggregateSpec, kept: number): Morsel {
    if (kept < 0) return morsel
    const bits = isTrue(k, morsel.columns[kept] as LaneVector)
    const rowCount = count(k, bits, morsel.rowCount)
    if (rowCount === morsel.rowCount) return morsel
    const refused = selection(k, not(k, bits, morsel.rowCount), morsel.rowCount)
    late(morsel, refused.indices, refused.count, spec)
    const { indices } = selection(k, bits, morsel.rowCount)
    const columns = morsel.columns.map(column => ({ ...take(k, column, indices, rowCount), range: null }))
    return { rowCount, columns, rows: 0 }
  }

  /** Late rows go on as they came, where that is what is asked for. */
  function late(morsel: Morsel, places: number, rowCount: number, spec: LiveAggregateSpec): void {
    lateRows += rowCount
    if (!spec.givesLate) return
    const names = Object.keys(spec.input)
    const columns = spec.lateColumns.map(name =>
      take(k, morsel.columns[names.indexOf(name)] as LaneVector, places, rowCount),
    )
    flow(
      { rowCount, columns: columns.map(column => ({ ...column, range: null })) },
      steps.findIndex(step => step.spec === spec) + 1,
    )
  }

  function emit(morsel: Morsel): void {
    const { output } = (steps.at(-1) as Step).pipeline.scan
    const names = Object.keys(output)
    const weight = names.indexOf(WEIGHT)
    const columns = fieldsOf(plan.output).map(({ name }) => morsel.columns[names.indexOf(name)] as LaneVector)
    give(
      plan.output,
      { rowCount: morsel.rowCount, columns },
      weight < 0 ? null : (morsel.columns[weight] as LaneVector),
    )
  }

  function give(schema: SchemaShape, batch: LaneBatch, weight: LaneVector | null): void {
    const { vectors, rowCount } = unloadBatch(k, batch, Object.values(schema))
    const weights = weight === null ? null : memory.i32.slice(weight.data >>> 2, (weight.data >>> 2) + rowCount)
    const isAdded = weights === null || weights.every(each => each === 1)
    out.push(new RecordBatch(schema, vectors, rowCount, isAdded ? null : weights))
  }

  /** From the first aggregate on, each having given what goes on to the next. */
  function advance(isEnd: boolean): void {
    const mark = memory.mark()
    const to = watermark?.value ?? LEAST
    for (const [at, { aggregate, spec }] of steps.entries()) {
      if (aggregate === null || spec === null) continue
      for (const batch of aggregate.advance(to, isEnd)) spread(batch, at + 1, spec)
    }
    memory.reset(mark)
  }

  const given = (): RecordBatch[] => {
    const all = out
    out = []
    return all
  }

  function free(): void {
    for (const { pipeline, aggregate } of steps) {
      aggregate?.free()
      pipeline.free()
    }
    loader.close()
  }

  return {
    push(batch) {
      const mark = memory.mark()
      const marks = plan.watermark === null ? null : (watermark?.ofRows(batch.vectors[timeColumn] as Vector) ?? null)
      const vectors =
        marks === null
          ? batch.vectors
          : [
              ...batch.vectors,
              makeVector(withoutNulls(batch.vectors[timeColumn]?.type as DataType), batch.rowCount, marks),
            ]
      // Only what the first stages take: of a column that nobody reads there may be no kernels.
      const own = (steps[0] as Step).columns.map(i => vectors[i] as Vector)
      flow(loader.load({ rowCount: batch.rowCount, vectors: own }), 0)
      memory.reset(mark)
      advance(false)
      return given()
    },
    settle() {
      advance(false)
      return given()
    },
    tick() {
      const mark = memory.mark()
      for (const [at, { aggregate, spec }] of steps.entries()) {
        if (aggregate === null || spec === null) continue
        for (const batch of aggregate.tick()) spread(batch, at + 1, spec)
      }
      memory.reset(mark)
      return given()
    },
    end() {
      advance(true)
      return given()
    },
    get lateRows() {
      return lateRows
    },
    get watermark() {
      return watermark === null || watermark.value === LEAST ? null : watermark.value
    },
    get stateSize() {
      return steps.reduce((sum, { aggregate }) => sum + (aggregate?.size ?? 0), 0)
    },
    free,
  }
}

/** What an aggregate gives: of windows beginning and end, keys, accumulators and the weight. */
function outputNames({ givesLate, lateColumns, windows, isEndOnly, keys, accumulators }: LiveAggregateSpec): string[] {
  if (givesLate) return [...lateColumns]
  const hasBounds = windows !== 'none' && !isEndOnly
  const plain = !hasBounds ? keys : windows === 'ends' ? keys.slice(2) : isSessionLike(windows) ? keys : keys.slice(1)
  return [
    ...(hasBounds ? ['#windowStart', '#windowEnd'] : []),
    ...plain,
    ...accumulators.map(({ name }) => name),
    WEIGHT,
  ]
}

const isSessionLike = (windows: LiveAggregateSpec['windows']): boolean =>
  typeof windows === 'object' && (windows.kind === 'session' || windows.kind === 'rowCount')

const withoutNulls = (type: DataType): DataType => ({ ...type, nullable: false })

const LEAST = -(2n ** 63n)
