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
import { type DataType, leafType, type SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS, makeVector, type Vector, type VectorBatch } from '../columnar/vector.js'
import { count, isTrue, not } from '../kernels/bitmap.js'
import { compare } from '../kernels/compare.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { selection, slice, take, takeIndices } from '../kernels/select.js'
import { ENTRY_BYTES } from '../kernels/text.js'
import { loadVector, unloadBatch } from '../kernels/transfer-batch.js'
import { type BatchLoader, createBatchLoader } from '../operators/batch-loader.js'
import { buildPipeline, type OperatorContext, type Pipeline } from '../operators/build.js'
import { morselsOf } from '../operators/heap-batch.js'
import { createLiveAggregate, type LiveAggregate, type LiveCells } from '../operators/live-aggregate.js'
import { createLiveDistinct } from '../operators/live-distinct.js'
import { createLiveOver } from '../operators/live-over.js'
import { createLiveSessions } from '../operators/live-sessions.js'
import { createLiveTop } from '../operators/live-top.js'
import { createLiveWindows, type LiveWindows } from '../operators/live-windows.js'
import { type Morsel, RowFailure, type Side } from '../operators/operator.js'
import { runAll } from '../operators/pipeline.js'
import { createRenewal, createRenewedTexts, type RenewedTexts } from '../operators/renewed-texts.js'
import { type WindowBounds, windowsOf } from '../operators/window-groups.js'
import type { WindowPart } from '../operators/window-parts.js'
import { type FixedWindows, type Range, RUN_ROWS, rangeOfAll, rangesOf } from '../operators/window-runs.js'
import { type LiveAggregateSpec, type LivePlan, type LiveSegment, WATERMARK, WEIGHT } from '../plan/live.js'
import type { Panes, PlanNode } from '../plan/logical.js'
import type { PhysicalPlan } from '../plan/physical.js'
import { fittingSteps } from './fitting-steps.js'
import { loadAll, rowsOf } from './load-together.js'
import { createStepsBefore } from './steps-before.js'
import { createWatermark, type Watermark } from './watermark.js'
import { withoutRow } from './without-row.js'

export interface LiveGraph {
  /** One step: what comes out of a batch. @throws RowFailure, of a row of the batch */
  push(batch: RecordBatch): RecordBatch[]
  /** The same of batches that have come together: as one step, where that can be. */
  pushAll(batches: readonly RecordBatch[]): RecordBatch[]
  /** The same of rows that a lane has grouped: `laneWindows` says of which plans. */
  pushPart(part: WindowPart<VectorBatch>): RecordBatch[]
  /** Of a step that has failed, what has come out of the rows before. */
  left(): RecordBatch[]
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
  /** How far what comes out has come: rows that have yet to come out are not before it. */
  readonly passed: bigint
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
  readonly timed: TimedStep | null
}

/** The way of batches that lie within windows still open: no row of theirs is asked whether it is late. */
interface TimedStep {
  readonly spec: LiveAggregateSpec
  readonly pipeline: Pipeline
  readonly columns: readonly number[]
  readonly aggregate: LiveWindows
  readonly fixed: FixedWindows
  /** Of each column of the aggregate's input where it is, or the time in its place where it is not read. */
  readonly places: readonly number[]
  readonly time: number
}

/** So few rows are not worth a part of their own. */
const LEAST_TIMED_ROWS = 256

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
  const timedLoader: BatchLoader = createBatchLoader(context)
  let out: RecordBatch[] = []
  let lateRows = 0
  let passed = LEAST
  /** What a step was of, as far as it is kept. */
  let last: readonly Vector[] = []
  const isOut = plan.segments.every(({ stages, aggregate }) => aggregate === null && stages.scan.length === 0)
  const before = plan.before === undefined ? null : createStepsBefore(context, plan.before, fillSides, isOut)
  const steps: Step[] = []
  /** Rows of what a step is given that are late, and where rows that `inTime` has left are among these; null: all are left. */
  const lateRowsOfStep: number[] = []
  let places: Uint32Array | null = null
  const shareBytes = memory.account?.shareBytes ?? Infinity
  const renewal = createRenewal(context.mostTextBytes ?? MOST_TEXT_BYTES, shareBytes)
  if (watermark !== null && plan.watermark !== null) {
    const known = () => (watermark.value === LEAST ? null : watermark.value)
    context.meter?.watermark(known, input[plan.watermark.column] as DataType)
  }
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
  shareDictionaries(null)

  /** Strings that go either way have codes of one dictionary. */
  function shareDictionaries(renewed: RenewedTexts | null): void {
    const before = (steps[0] as Step).columns.map((_, i) => loader.of(i))
    if (renewed !== null) {
      for (const each of [loader, timedLoader]) each.close()
      for (const [i, old] of before.entries()) {
        const dictionary = renewed.known(old)
        if (dictionary !== null) loader.adopt(i, dictionary)
      }
    }
    const { timed, columns } = steps[0] as Step
    for (const [i, column] of timed?.columns.entries() ?? []) {
      const type = Object.values(input)[column]
      if (type === undefined || leafType(type).kind !== 'utf8') continue
      const place = columns.indexOf(column)
      const known = loader.of(place)
      const dictionary = known ?? context.dictionaries.create()
      timedLoader.adopt(i, dictionary)
      if (known !== null) continue
      loader.adopt(place, dictionary)
      context.dictionaries.release(dictionary)
    }
  }

  function stepOf({ stages, aggregate: spec, timed }: LiveSegment, names: readonly string[]): Step {
    const plain = buildPipeline(context, stages)
    const pipeline = context.meter?.pipeline(plain) ?? plain
    const columns = stages.sourceColumns.map(name => names.indexOf(name))
    try {
      fillSides(pipeline, stages)
      const kept = spec === null || spec.kept === null ? -1 : Object.keys(spec.input).indexOf(spec.kept)
      const plainAggregate = spec && aggregateOf(spec)
      const aggregate = plainAggregate && (context.meter?.aggregate(plainAggregate) ?? plainAggregate)
      const step = { pipeline, columns, spec, kept, aggregate }
      return {
        ...step,
        timed:
          timed && spec?.fixed && !spec.givesLate && watermark !== null
            ? timedStep(timed, spec, spec.fixed, names, aggregate, pipeline)
            : null,
      }
    } catch (error) {
      pipeline.free()
      throw error
    }
  }

  function fillSides({ scan }: Pipeline, { sides: plans }: PhysicalPlan): void {
    for (const { side } of scan.transforms) if (side) fill(side, plans[side.index] as PlanNode)
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

  function timedStep(
    stages: PhysicalPlan,
    spec: LiveAggregateSpec,
    fixed: FixedWindows,
    names: readonly string[],
    aggregate: LiveAggregate | null,
    isFor: Pipeline,
  ): TimedStep {
    const plain = buildPipeline(context, stages)
    fillSides(plain, stages)
    const pipeline = context.meter?.pipeline(plain, isFor) ?? plain
    const output = Object.keys(pipeline.scan.output)
    const time = output.indexOf(spec.time)
    return {
      spec,
      pipeline,
      columns: stages.sourceColumns.map(name => names.indexOf(name)),
      aggregate: aggregate as LiveWindows,
      fixed,
      time,
      places: Object.keys(spec.input).map(name => (output.includes(name) ? output.indexOf(name) : time)),
    }
  }

  function aggregateOf(spec: LiveAggregateSpec): LiveAggregate {
    const { windows, top, distinct, over } = spec
    if (over !== undefined) return createLiveOver(context, { ...spec, over }, WATERMARK)
    if (distinct !== undefined) return createLiveDistinct(context, { ...spec, distinct }, WATERMARK)
    if (top !== undefined)
      return createLiveTop(context, { ...spec, top, watermark: WATERMARK }, (_, rows) => late(rows, spec, true))
    if (typeof windows === 'object' && (windows.kind === 'session' || windows.kind === 'rowCount')) {
      const { keys, accumulators, lateness, emits, time } = spec
      const stage = { keys, accumulators, lateness, emits, time, windows, watermark: WATERMARK }
      return createLiveSessions(context, stage, spec.input, (_, rows) => late(rows, spec, true))
    }
    const stage = { ...spec, windows, watermark: WATERMARK }
    const isOnce = windows === 'ends' && spec.emits === 'closed' && spec.lateness === 0n && spec.weight === null
    return isOnce ? createLiveWindows(context, stage, spec.input) : createLiveAggregate(context, stage, spec.input)
  }

  /** Rows that come to a step, or with the last one out. */
  function flow(batch: LaneBatch, at: number): void {
    if (batch.rowCount === 0) return
    const { pipeline, columns, aggregate, spec, kept } = steps[at] as Step
    const own = at === 0 ? batch.columns : columns.map(i => batch.columns[i] as LaneVector)
    const use = (morsel: Morsel) => {
      if (aggregate === null || spec === null) emit(morsel)
      else {
        for (const each of aggregate.consume(inTime(morsel, spec, kept))) spread(each, at + 1, spec)
        if (spec.givesLate) giveLate(morsel, spec, at)
      }
    }
    runAll(pipeline.scan.transforms, { rowCount: batch.rowCount, columns: own, rows: 0 }, memory, use, false)
  }

  /**
   * Takes the rows of a batch, from the first on, of which none can be late: their windows are open when they have been taken. Where a window closes in their midst they are taken in two parts.
   * @returns how many rows it has taken; the others are to be asked one by one
   */
  function pushTimed(batches: readonly RecordBatch[]): number {
    const { timed } = steps[0] as Step
    const rowCount = rowsOf(batches)
    if (timed === null || rowCount === 0 || rowCount > MORSEL_ROWS) return 0
    if (batches.some(({ vectors }) => vectors[timeColumn]?.validity !== null)) return 0
    const loaded = loadAll(context, batches, timed.columns, timedLoader)
    return loaded === null ? 0 : takeOpen(timed, loaded)
  }

  /** The same of the columns that such rows are taken by. */
  function takeOpen(timed: TimedStep, { rowCount: length, columns }: LaneBatch): number {
    const own = watermark as Watermark
    const place = timed.columns.indexOf(timeColumn)
    const times = columns[place] as LaneVector
    let from = 0
    while (from < length) {
      const mark = memory.mark()
      let ranges = rangesOf(k, times, from, length)
      let range = rangeOfAll(ranges)
      let count = length - from
      if (!own.mayAdvance(range, timed.fixed)) {
        const closing = own.closing(range, timed.fixed)
        const run = closing === null ? 0 : ranges.findIndex(({ max }) => max >= closing)
        count = closing === null ? 0 : run * RUN_ROWS + firstFrom(times, from + run * RUN_ROWS, length, closing)
        if (count < LEAST_TIMED_ROWS) break
        const cut = from + run * RUN_ROWS
        ranges = [...ranges.slice(0, run), ...rangesOf(k, times, cut, from + count)]
        range = rangeOfAll(ranges)
        if (!own.mayAdvance(range, timed.fixed)) break
      }
      own.advance(range.max)
      takeTimed(timed, columns, from, from + count, ranges)
      memory.reset(mark)
      from += count
    }
    return from
  }

  /** Takes all rows at once, where there is no watermark that goes from row to row. @returns whether it has */
  function pushWhole(batches: readonly RecordBatch[]): boolean {
    if (plan.watermark !== null) return false
    const loaded = loadAll(context, batches, (steps[0] as Step).columns, loader)
    if (loaded === null) return false
    flow(loaded, 0)
    return true
  }

  /** Takes rows of which some may be late: `before` others of the same batch have been taken. */
  function pushRows(batch: RecordBatch, before: number): void {
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
    inRows(before, () => flow(loader.load({ rowCount: batch.rowCount, vectors: own }), 0))
  }

  /** Rows that are in memory, with all columns, of which some may be late. */
  function pushLoaded({ rowCount, columns }: LaneBatch): void {
    const { timed, columns: own } = steps[0] as Step
    const at = (places: readonly number[], of: readonly LaneVector[]) => places.map(i => of[i] as LaneVector)
    const isOpen = timed !== null && columns[timeColumn]?.validity === 0
    const taken = isOpen ? takeOpen(timed, { rowCount, columns: at(timed.columns, columns) }) : 0
    if (taken === rowCount) return
    const left = columns.map(column => slice(k, column, taken, rowCount))
    const times = left[timeColumn]
    if (times !== undefined && watermark !== null) {
      const [vector] = unloadBatch(k, { rowCount: times.length, columns: [times] }).vectors
      const marks = watermark.ofRows(vector as Vector)
      left.push(loadVector(k, makeVector(withoutNulls(times.type), times.length, marks), null))
    }
    inRows(taken, () => flow({ rowCount: rowCount - taken, columns: at(own, left) }, 0))
  }

  /** How many times from `from` on come before the first that is not before this one, which is one of the next `RUN_ROWS`. */
  function firstFrom(times: LaneVector, from: number, to: number, time: bigint): number {
    const run = slice(k, times, from, Math.min(to, from + RUN_ROWS))
    const bits = compare(k, 'gte', run, { type: run.type, value: time }, run.length) >>> 2
    let word = 0
    while (word < run.length >>> 5 && memory.u32[bits + word] === 0) word++
    const found = memory.u32[bits + word] as number
    return found === 0 ? run.length : Math.min(run.length, 32 * word + 31 - Math.clz32(found & -found))
  }

  function takeTimed(
    { spec, pipeline, columns: own, aggregate, fixed, places, time }: TimedStep,
    loaded: readonly LaneVector[],
    from: number,
    to: number,
    ranges: readonly Range[],
  ): void {
    const isWhole = to - from === loaded[0]?.length
    const columns = isWhole ? loaded : loaded.map(column => slice(k, column, from, to))
    const given = columns[own.indexOf(timeColumn)] as LaneVector
    const use = (morsel: Morsel) => {
      const all = places.map(each => morsel.columns[each] as LaneVector)
      const times = morsel.columns[time] as LaneVector
      const known = times.data === given.data && morsel.rowCount === to - from ? ranges : null
      for (const each of aggregate.consumeTimed({ ...morsel, columns: all }, times, fixed, known)) spread(each, 1, spec)
    }
    const morsel = { rowCount: to - from, columns, rows: 0 }
    inRows(from, () => runAll(pipeline.scan.transforms, morsel, memory, use, false))
  }

  /** What an aggregate gives may have any number of rows. */
  function spread(batch: LaneBatch, at: number, { givesLate }: LiveAggregateSpec): void {
    if (givesLate) return
    for (const morsel of morselsOf(k, batch)) withoutRow(() => flow(morsel, at))
  }

  function inTime(morsel: Morsel, spec: LiveAggregateSpec, kept: number): Morsel {
    if (kept < 0) return morsel
    const bits = isTrue(k, morsel.columns[kept] as LaneVector)
    const rowCount = count(k, bits, morsel.rowCount)
    if (rowCount === morsel.rowCount) return morsel
    const refused = selection(k, not(k, bits, morsel.rowCount), morsel.rowCount)
    const { indices } = selection(k, bits, morsel.rowCount)
    late(memory.u32.subarray(refused.indices >>> 2, (refused.indices >>> 2) + refused.count), spec)
    if (spec.givesLate) places = memory.u32.slice(indices >>> 2, (indices >>> 2) + rowCount)
    const columns = morsel.columns.map(column => ({ ...take(k, column, indices, rowCount), range: null }))
    return { rowCount, columns, rows: takeIndices(k, morsel.rows, indices, rowCount) }
  }

  /** Rows of what a step is given, or of those that `inTime` has left of it. */
  function late(rows: ArrayLike<number>, spec: LiveAggregateSpec, isGiven = false): void {
    refuse((steps.find(step => step.spec === spec) as Step).aggregate as LiveAggregate, rows.length, isGiven)
    if (!spec.givesLate) return
    for (const row of Array.from(rows)) lateRowsOfStep.push(places?.[row] ?? row)
  }

  /** Late rows go on as they came, whatever they were late for. */
  function giveLate(morsel: Morsel, spec: LiveAggregateSpec, at: number): void {
    const rows = Uint32Array.from(lateRowsOfStep.splice(0)).sort()
    places = null
    if (rows.length === 0) return
    const indices = memory.scratch(rows.byteLength)
    memory.u32.set(rows, indices >>> 2)
    const names = Object.keys(spec.input)
    const columns = spec.lateColumns.map(name =>
      take(k, morsel.columns[names.indexOf(name)] as LaneVector, indices, rows.length),
    )
    const taken = columns.map(column => ({ ...column, range: null }))
    withoutRow(() => flow({ rowCount: rows.length, columns: taken }, at + 1))
  }

  function refuse(aggregate: LiveAggregate, rowCount: number, isGiven = false): void {
    lateRows += rowCount
    context.meter?.late(aggregate, rowCount, isGiven)
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
    const types = Object.values(schema)
    const { vectors, rowCount } = before?.unload(batch, types) ?? unloadBatch(k, batch, types)
    const weights = weight === null ? null : memory.i32.slice(weight.data >>> 2, (weight.data >>> 2) + rowCount)
    const isAdded = weights === null || weights.every(each => each === 1)
    out.push(new RecordBatch(schema, vectors, rowCount, isAdded ? null : weights))
  }

  /** From the first aggregate on, each having given what goes on to the next. */
  function advance(isEnd: boolean): void {
    const mark = memory.mark()
    let to = watermark?.value ?? LEAST
    for (const [at, { aggregate, spec }] of steps.entries()) {
      if (aggregate === null || spec === null) continue
      for (const batch of aggregate.advance(to, isEnd)) spread(batch, at + 1, spec)
      if (aggregate.passed !== undefined && aggregate.passed < to) to = aggregate.passed
    }
    passed = to
    memory.reset(mark)
  }

  /** After a step: lets go of strings that nobody needs any more. */
  function renew(): void {
    if (!renewal.isDue(context.dictionaries.byteLength, coming) || steps.some(({ aggregate }) => aggregate?.isPending))
      return
    const mark = memory.mark()
    const renewed = createRenewedTexts(context)
    for (const { aggregate } of steps) aggregate?.renew(renewed)
    for (const { pipeline, timed } of steps)
      for (const each of [pipeline, timed?.pipeline]) for (const stage of each?.scan.transforms ?? []) stage.renew?.(0)
    before?.renew(renewed)
    shareDictionaries(renewed)
    renewed.release()
    memory.reset(mark)
    renewal.done(context.dictionaries.byteLength)
    context.meter?.renewed()
  }

  /** Bytes of the dictionaries that batches come with, which would be back with the next. */
  function coming(): number {
    let bytes = 0
    for (const dictionary of new Set(last.map(({ dictionary }) => dictionary)))
      if (dictionary !== null) bytes += dictionary.byteLength + ENTRY_BYTES * dictionary.length
    return bytes
  }

  const vectorsOf = (batch: RecordBatch | undefined): readonly Vector[] =>
    before === null ? (steps[0] as Step).columns.flatMap(i => batch?.vectors[i] ?? []) : (batch?.vectors ?? [])

  function left(): RecordBatch[] {
    const all = out
    out = []
    return all
  }

  /** A step is over, whose rows came with these. */
  function endStep(from: readonly Vector[]): void {
    last = from
    renew()
  }

  const given = (from: readonly Vector[] = []): RecordBatch[] => {
    endStep(from)
    return left()
  }

  function free(): void {
    for (const { pipeline, aggregate, timed } of steps) {
      aggregate?.free()
      timed?.pipeline.free()
      pipeline.free()
    }
    before?.free()
    loader.close()
    timedLoader.close()
  }

  /** @param rowsBefore that came together with it, and have been taken */
  function pushOne(batch: RecordBatch, rowsBefore: number): void {
    const mark = memory.mark()
    const taken = pushTimed([batch])
    memory.reset(mark)
    if (taken < batch.rowCount || taken === 0)
      pushRows(taken === 0 ? batch : batch.slice(taken, batch.rowCount), rowsBefore + taken)
    memory.reset(mark)
    advance(false)
  }

  function pushBatches(batches: readonly RecordBatch[]): void {
    if (before !== null) {
      before.push(batches, batch => {
        pushLoaded(batch)
        advance(false)
      })
      return
    }
    const mark = memory.mark()
    const isWhole = batches.length > 1 && pushWhole(batches)
    const taken = isWhole ? rowsOf(batches) : batches.length > 1 ? pushTimed(batches) : 0
    memory.reset(mark)
    if (taken > 0) advance(false)
    let rowsBefore = 0
    for (const batch of batches) {
      const from = taken - rowsBefore
      if (from <= 0) pushOne(batch, rowsBefore)
      else if (from < batch.rowCount) pushOne(batch.slice(from, batch.rowCount), taken)
      rowsBefore += batch.rowCount
    }
  }

  function pushAll(batches: readonly RecordBatch[]): RecordBatch[] {
    let rowsBefore = 0
    for (const step of fittingSteps(batches, shareBytes)) {
      inRows(rowsBefore, () => pushBatches(step))
      rowsBefore += rowsOf(step)
      endStep(vectorsOf(step.at(-1)))
    }
    return left()
  }

  return {
    push: batch => pushAll([batch]),
    pushAll,
    pushPart({ windows, latest, lateRows: lateThere, place }) {
      const { aggregate, spec } = steps[0] as Step & { readonly aggregate: LiveCells; readonly spec: LiveAggregateSpec }
      const mark = memory.mark()
      const least = (watermark as Watermark).value
      let late = lateThere
      for (const groups of windows) {
        const isOver = groups.panes === null && groups.end <= least
        if (isOver) late += groups.rowCount
        else aggregate.absorb(groups, place)
        for (const { start, rowCount } of groups.panes ?? []) if (lastEndOf(spec, start) <= least) late += rowCount
      }
      refuse(aggregate, late)
      if (latest !== null) watermark?.advance(latest)
      memory.reset(mark)
      advance(false)
      return given(windows.flatMap(({ keys }) => keys.vectors))
    },
    left,
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
    get passed() {
      return passed
    },
    get stateSize() {
      return steps.reduce((sum, { aggregate }) => sum + (aggregate?.size ?? 0), 0)
    },
    free,
  }
}

/** What fails of rows before which so many others of the same batch have been taken. */
function inRows(taken: number, step: () => void): void {
  try {
    step()
  } catch (error) {
    throw error instanceof RowFailure ? new RowFailure(taken + error.row, error.error) : error
  }
}

/** Of the windows that rows of a pane are in. */
const lastEndOf = ({ windows }: LiveAggregateSpec, pane: bigint): bigint =>
  (windowsOf(windows as Panes, pane).at(-1) as WindowBounds).end

/** What an aggregate gives: of windows beginning and end, keys, accumulators and the weight. */
function outputNames({
  givesLate,
  lateColumns,
  windows,
  isEndOnly,
  keys,
  accumulators,
  top,
  distinct,
  over,
}: LiveAggregateSpec): string[] {
  if (givesLate) return [...lateColumns]
  if (over !== undefined) return Object.keys(over.output)
  if (distinct !== undefined) return [...distinct.columns]
  const hasBounds = windows !== 'none' && !isEndOnly
  if (top !== undefined) return [...(hasBounds ? ['#windowStart', '#windowEnd'] : []), ...top.columns, WEIGHT]
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

/** Strings, and what finds them, before those are looked for that are of no use any more. */
const MOST_TEXT_BYTES = 2 ** 23
const LEAST = -(2n ** 63n)
