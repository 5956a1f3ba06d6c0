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
import { createInputsWatermark, type InputState } from './inputs.js'
import { createLiveGraph, type LiveGraph, type SideRows } from './live-graph.js'
import { createWatermark, type Watermark } from './watermark.js'

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

/** The graph of several jobs, which are told apart by their place. */
export interface LiveTreeGraph extends Omit<LiveGraph, 'push' | 'settle'> {
  push(batch: RecordBatch, job: number): RecordBatch[]
  /** Nothing more comes of a job. */
  over(job: number): RecordBatch[]
  /** A job is silent: what can be said without it is. */
  setAside(job: number): RecordBatch[]
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
  readonly schema: SchemaShape
  readonly graphs: readonly LiveGraph[]
}

interface JobState {
  isOver: boolean
  isSilent: boolean
}

export function createLiveTree(context: OperatorContext, plan: TreePlan, sides?: SideRows): LiveTreeGraph {
  const jobs: JobState[] = []
  const owners = new Map<object, readonly number[]>()
  const made: LiveGraph[] = []

  function partOf(each: TreePlan): Part {
    const from = jobs.length
    const part = each.kind === 'job' ? jobPart(each) : unionPart(each)
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
      graphs: graph === null ? [] : [graph],
      state: {
        get watermark() {
          return watermark.value
        },
        get isOver() {
          return own.isOver
        },
        get isSilent() {
          return own.isSilent
        },
      },
      take(_, batch) {
        if (batch === null) return []
        own.isSilent = false
        if (graph !== null) return graph.push(batch).map(takeMarks)
        return [{ batch, marks: watermark.ofRows(batch.vectors[time] as Vector) }]
      },
    }
  }

  function unionPart({ schema, inputs, above }: TreePlan & { kind: 'union' }): Part {
    const parts = inputs.map(partOf)
    const common = createInputsWatermark(parts.map(({ state }) => state))
    let given = new BigInt64Array(0)
    let value = common.value
    const graph = graphOf(above, schema, {
      get value() {
        return value
      },
      ofRows: () => given,
    })
    const names = Object.keys(schema)
    const fits = parts.map(part => {
      const own = Object.keys(part.schema)
      return names.map(name => own.indexOf(name))
    })
    const push = ({ batch, marks }: Marked): Marked[] => {
      given = marks
      return graph.push(batch).map(takeMarks)
    }
    return {
      schema: withoutMarks(above.output),
      graphs: [...parts.flatMap(({ graphs }) => graphs), graph],
      state: {
        get watermark() {
          return value
        },
        get isOver() {
          return parts.every(({ state }) => state.isOver)
        },
        get isSilent() {
          return parts.every(({ state }) => state.isOver || state.isSilent)
        },
      },
      take(job, batch) {
        const i = parts.findIndex(part => owners.get(part)?.includes(job))
        const came = (parts[i] as Part).take(job, batch)
        const rows = came.map(each => ({
          batch: columnsOf(each.batch, schema, fits[i] as readonly number[]),
          marks: common.ofRows(i, each.marks),
        }))
        common.settle()
        const out: Marked[] = []
        for (const [at, each] of rows.entries()) {
          if (at === rows.length - 1) value = common.value
          out.push(...push(each))
        }
        if (value !== common.value) {
          value = common.value
          out.push(...graph.settle().map(takeMarks))
        }
        return out
      },
    }
  }

  let root: Part
  try {
    root = partOf(plan)
  } catch (error) {
    for (const graph of made) graph.free()
    throw error
  }
  const top = root.graphs.at(-1) as LiveGraph
  const given = (marked: readonly Marked[]): RecordBatch[] => marked.map(({ batch }) => batch)

  return {
    push: (batch, job) => given(root.take(job, batch)),
    over(job) {
      ;(jobs[job] as JobState).isOver = true
      return given(root.take(job, null))
    },
    setAside(job) {
      ;(jobs[job] as JobState).isSilent = true
      return given(root.take(job, null))
    },
    tick: () => top.tick(),
    end: () => top.end(),
    get lateRows() {
      return root.graphs.reduce((sum, { lateRows }) => sum + lateRows, 0)
    },
    get watermark() {
      return top.watermark
    },
    get stateSize() {
      return root.graphs.reduce((sum, { stateSize }) => sum + stateSize, 0)
    },
    free() {
      for (const graph of made) graph.free()
    },
  }
}

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

const columnsOf = (batch: RecordBatch, schema: SchemaShape, places: readonly number[]): RecordBatch =>
  new RecordBatch(
    schema,
    places.map(place => batch.vectors[place] as Vector),
    batch.rowCount,
  )
