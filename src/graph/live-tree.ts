/**
 * The operators of a job of several inputs that go on at once: what comes of one goes up through its own, and on where inputs meet, by the watermark of all of these.
 *
 * ```
 * job ── watermark ── stages ──┐
 *                              ├── rows, and the least watermark ── stages ── live aggregate ── ... ── batches out
 * job ── watermark ── stages ──┘
 * ```
 */
import { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import type { Vector } from '../columnar/vector.js'
import type { OperatorContext } from '../operators/build.js'
import { type LivePlan, WATERMARK } from '../plan/live.js'
import type { Meeting } from '../plan/logical.js'
import type { JoinStage } from '../plan/physical.js'
import { createAsofMeeting } from './asof-meeting.js'
import { columnsOf } from './built-join.js'
import { createInputsWatermark, type InputState } from './inputs.js'
import { createIntervalJoin } from './interval-join.js'
import { createLiveGraph, type LiveGraph, type SideRows } from './live-graph.js'
import type { LiveJoin, OnLate } from './live-join.js'
import { createWatermark, type Watermark } from './watermark.js'
import { createWindowJoin } from './window-join.js'
import { withoutRow } from './without-row.js'

/** What a tree of live-tree.ts comes to once the columns of its jobs are known. */
export type TreePlan =
  | {
      readonly kind: 'job'
      readonly schema: SchemaShape
      readonly watermark: NonNullable<LivePlan['watermark']>
      /** Null: its rows go on as they come. */
      readonly above: LivePlan | null
    }
  | {
      readonly kind: 'union'
      readonly schema: SchemaShape
      readonly inputs: readonly TreePlan[]
      readonly above: LivePlan
    }
  | {
      readonly kind: 'join'
      /** Of what the join gives, and of its inputs. */
      readonly schema: SchemaShape
      readonly sides: readonly [SchemaShape, SchemaShape]
      readonly stage: JoinStage
      /** Null: of an `asofJoin`. */
      readonly meets: Meeting | null
      readonly inputs: readonly TreePlan[]
      readonly above: LivePlan
      /** The input whose late rows go on, in the place of what it gives. */
      readonly late: 0 | 1 | null
    }

/** The graph of several jobs, which are told apart by their place. */
export interface LiveTreeGraph extends Omit<LiveGraph, 'push' | 'pushAll' | 'pushPart' | 'left' | 'settle' | 'passed'> {
  push(batch: RecordBatch, job: number): RecordBatch[]
  /** Nothing more comes of a job. */
  over(job: number): RecordBatch[]
  /** Jobs are silent: what can be said without them is. */
  setAside(silent: readonly number[]): RecordBatch[]
}

/** Rows with the watermark as each came, which is no column of theirs. */
interface Marked {
  readonly batch: RecordBatch
  readonly marks: BigInt64Array<ArrayBuffer>
}

interface Part {
  readonly state: InputState
  /** What comes out by a batch of one of its jobs; null: by what has become of the job otherwise. */
  take(job: number, batch: RecordBatch | null): Marked[]
  /** Nothing more comes of any of its jobs. */
  end(): Marked[]
  readonly schema: SchemaShape
  /** Whether it gives the rows of its job as they come. */
  readonly isBare: boolean
}

interface JobState {
  isOver: boolean
  isSilent: boolean
}

export function createLiveTree(context: OperatorContext, plan: TreePlan, sides?: SideRows): LiveTreeGraph {
  const jobs: JobState[] = []
  const owners = new Map<object, readonly number[]>()
  const made: LiveGraph[] = []
  const joins: LiveJoin[] = []
  const free = () => {
    for (const each of [...made, ...joins]) each.free()
  }

  function partOf(each: TreePlan): Part {
    const from = jobs.length
    const part = each.kind === 'job' ? jobPart(each) : each.kind === 'union' ? unionPart(each) : joinPart(each)
    owners.set(
      part,
      Array.from({ length: jobs.length - from }, (_, i) => from + i),
    )
    return part
  }

  function graphOf(above: LivePlan, schema: SchemaShape, watermark: Watermark): LiveGraph {
    const graph = createLiveGraph(context, above, schema, sides, watermark)
    made.push(graph)
    return graph
  }

  function jobPart({ schema, watermark: spec, above }: TreePlan & { kind: 'job' }): Part {
    const own: JobState = { isOver: false, isSilent: false }
    jobs.push(own)
    const watermark = createWatermark(spec)
    const time = Object.keys(schema).indexOf(spec.column)
    const graph = above && graphOf(above, schema, watermark)
    return {
      schema: above === null ? schema : withoutMarks(above.output),
      isBare: graph === null,
      end: () => graph?.end().map(takeMarks) ?? [],
      state: stateOf(
        () => graph?.passed ?? watermark.value,
        () => own.isOver,
        () => own.isSilent,
      ),
      take(_, batch) {
        if (batch === null) return []
        own.isSilent = false
        if (graph !== null) return graph.push(batch).map(takeMarks)
        return [{ batch, marks: watermark.ofRows(batch.vectors[time] as Vector) }]
      },
    }
  }

  /** Inputs that meet: their parts, and which has a job. */
  function inputsOf(inputs: readonly TreePlan[], schemas: readonly SchemaShape[]) {
    const parts = inputs.map(partOf)
    const common = createInputsWatermark(parts.map(({ state }) => state))
    const arrivals = (i: number, came: readonly Marked[]): Marked[] =>
      came.map(({ batch, marks }) => ({
        batch: columnsOf(batch, schemas[i] as SchemaShape),
        marks: common.ofRows(i, marks),
      }))
    const ended = new Set<Part>()
    /** What an input has kept, once nothing more comes of it. */
    const rest = (part: Part): Marked[] => {
      if (ended.has(part)) return []
      ended.add(part)
      return part.end()
    }
    return {
      common,
      parts,
      /** Rows of input `i`, and what the watermark then is. */
      take(job: number, batch: RecordBatch | null): { readonly i: number; readonly rows: Marked[] } {
        const i = parts.findIndex(part => owners.get(part)?.includes(job))
        const part = parts[i] as Part
        const came = part.take(job, batch)
        const rows = arrivals(i, part.state.isOver ? [...came, ...rest(part)] : came)
        common.settle()
        return { i, rows }
      },
      end: (): { readonly i: number; readonly rows: Marked[] }[] =>
        parts.map((part, i) => ({ i, rows: arrivals(i, rest(part)) })),
      isOver: () => parts.every(({ state }) => state.isOver),
      isSilent: () => parts.every(({ state }) => state.isOver || state.isSilent),
    }
  }

  function unionPart({ schema, inputs, above }: TreePlan & { kind: 'union' }): Part {
    const { common, parts, take, end, isOver, isSilent } = inputsOf(
      inputs,
      inputs.map(() => schema),
    )
    const areBare = parts.every(({ isBare }) => isBare)
    let marksNow = NONE
    let value = common.value
    const graph = graphOf(
      above,
      schema,
      given(
        () => value,
        () => marksNow,
      ),
    )
    const push = ({ batch, marks }: Marked): Marked[] => {
      marksNow = marks
      return (areBare ? graph.push(batch) : withoutRow(() => graph.push(batch))).map(takeMarks)
    }
    return {
      schema: withoutMarks(above.output),
      isBare: false,
      state: stateOf(() => graph.passed, isOver, isSilent),
      take(job, batch) {
        const { rows } = take(job, batch)
        const out: Marked[] = []
        for (const [at, each] of rows.entries()) {
          // What closes by the last rows does so with them.
          if (at === rows.length - 1) value = common.value
          out.push(...push(each))
        }
        if (value !== common.value) {
          value = common.value
          out.push(...graph.settle().map(takeMarks))
        }
        return out
      },
      end: () => [...end().flatMap(({ rows }) => rows.flatMap(push)), ...graph.end().map(takeMarks)],
    }
  }

  function joinPart({
    schema,
    sides: own,
    stage,
    meets,
    inputs,
    above,
    late: lateSide,
  }: TreePlan & { kind: 'join' }): Part {
    const { common, take, end, isOver, isSilent } = inputsOf(inputs, own)
    let late: RecordBatch[] = []
    const join = createMeeting(context, stage, own[0], meets, (side, batch) => {
      if (side === lateSide) late.push(batch)
    })
    joins.push(join)
    let value = LEAST
    const graph = graphOf(
      above,
      schema,
      given(
        () => value,
        times => new BigInt64Array(times.length).fill(value),
      ),
    )
    const push = (given: readonly RecordBatch[]): Marked[] => {
      const batches = lateSide === null ? given : late
      late = []
      return batches.flatMap(batch => withoutRow(() => graph.push(columnsOf(batch, schema))).map(takeMarks))
    }
    const behind = (mark: bigint): bigint => (mark < LEAST + join.hold ? LEAST : mark - join.hold)
    return {
      schema: withoutMarks(above.output),
      isBare: false,
      state: stateOf(() => graph.passed, isOver, isSilent),
      take(job, batch) {
        const { i, rows } = take(job, batch)
        const out: Marked[] = []
        for (const { batch, marks } of rows) out.push(...push(join.push(i, batch, marks)))
        out.push(...push(join.advance(common.value, false)))
        if (value !== behind(common.value)) {
          value = behind(common.value)
          out.push(...graph.settle().map(takeMarks))
        }
        return out
      },
      end() {
        const out: Marked[] = []
        for (const { i, rows } of end())
          for (const { batch, marks } of rows) out.push(...push(join.push(i, batch, marks)))
        out.push(...push(join.advance(common.value, true)))
        return [...out, ...graph.end().map(takeMarks)]
      },
    }
  }

  let root: Part
  try {
    root = partOf(plan)
  } catch (error) {
    free()
    throw error
  }
  // The root's is made last.
  const top = made.at(-1) as LiveGraph
  const batchesOf = (marked: readonly Marked[]): RecordBatch[] => marked.map(({ batch }) => batch)

  return {
    push: (batch, job) => batchesOf(root.take(job, batch)),
    over(job) {
      ;(jobs[job] as JobState).isOver = true
      return batchesOf(root.take(job, null))
    },
    setAside(silent) {
      for (const job of silent) (jobs[job] as JobState).isSilent = true
      return silent.flatMap(job => batchesOf(root.take(job, null)))
    },
    tick: () => top.tick(),
    end: () => batchesOf(root.end()),
    get lateRows() {
      return [...made, ...joins].reduce((sum, { lateRows }) => sum + lateRows, 0)
    },
    get watermark() {
      return top.watermark
    },
    get stateSize() {
      return made.reduce((sum, { stateSize }) => sum + stateSize, 0) + joins.reduce((sum, { size }) => sum + size, 0)
    },
    free,
  }
}

function createMeeting(
  context: OperatorContext,
  stage: JoinStage,
  left: SchemaShape,
  meets: Meeting | null,
  onLate: OnLate,
): LiveJoin {
  if (meets === null) return createAsofMeeting(context, stage, left)
  return 'end' in meets
    ? createWindowJoin(context, stage, left, meets, onLate)
    : createIntervalJoin(context, stage, left, meets, onLate)
}

/** A watermark that is told from elsewhere: which rows close windows is asked of each. */
const given = (value: () => bigint, ofRows: Watermark['ofRows']): Watermark => ({
  get value() {
    return value()
  },
  ofRows,
  mayAdvance: () => false,
  closing: () => null,
  advance: () => {},
})

const stateOf = (watermark: () => bigint, isOver: () => boolean, isSilent: () => boolean): InputState => ({
  get watermark() {
    return watermark()
  },
  get isOver() {
    return isOver()
  },
  get isSilent() {
    return isSilent()
  },
})

const LEAST = -(2n ** 63n)

const withoutMarks = (schema: SchemaShape): SchemaShape =>
  schemaOf(fieldsOf(schema).filter(({ name }) => name !== WATERMARK))

/** The watermark of a plan that keeps it is the last column. The root's does not. */
function takeMarks(batch: RecordBatch): Marked {
  const names = Object.keys(batch.schema)
  if (names.at(-1) !== WATERMARK) return { batch, marks: NONE }
  const marks = batch.vectors.at(-1)?.data as BigInt64Array<ArrayBuffer>
  const own = new RecordBatch(withoutMarks(batch.schema), batch.vectors.slice(0, -1), batch.rowCount, batch.weights)
  return { batch: own, marks: marks.slice(0, batch.rowCount) }
}

const NONE = new BigInt64Array(0)
