/**
 * Jobs of flows that run on and read several sources: inputs of a union are jobs of their own, read at once. Where rows have an event time they meet by the least watermark
 * (graph/live-tree.ts); else they go on as they come. A chunk of its own.
 */
import { checkAppended } from '../../columnar/appended.js'
import { RecordBatch } from '../../columnar/record-batch.js'
import { fieldsOf } from '../../columnar/schema.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { Vector } from '../../columnar/vector.js'
import { MillraceError } from '../../errors.js'
import { planOfJoin } from '../../graph/built-join.js'
import { createLiveTree, type TreePlan } from '../../graph/live-tree.js'
import { arrivalOf } from '../../metrics/arrivals.js'
import type { OperatorContext } from '../../operators/build.js'
import { sourceNode } from '../../plan/build.js'
import { givesAtEnd, type LivePlan, liveCut, livePlan } from '../../plan/live.js'
import {
  chainOf,
  isStateless,
  jobsOf,
  type LiveTree,
  liveTree,
  meets,
  schemaBelow,
  stageOfMeeting,
} from '../../plan/live-tree.js'
import type { PlanNode, UnionNode } from '../../plan/logical.js'
import { type PlanPart, partsFor } from '../../plan/needs.js'
import { overInput } from '../../plan/rules/rewrite.js'
import { inputsOf, sourcesOf } from '../../plan/sources-of.js'
import { stepsBefore } from '../../plan/steps-before.js'
import { bindPlan, boundSchemaOf } from '../../plan/typing.js'
import type { Source } from '../../sources/source.js'
import { stageSource } from '../../sources/stage.js'
import { followSignal } from './follow-signal.js'
import { type Intake, rowsAreOf, type SidesOf, startLive, startSteps } from './live.js'
import { type Arrival, mergeJobs } from './merge-jobs.js'
import { ENDED, type OwnOptions, type RunOptions } from './options.js'
import { spellOut } from './row-error.js'
import { bareSource } from './rows-job.js'
import { type BoundPlan, collect } from './run.js'
import { ALL, type Job, type JobMetrics, nodesWithin, startRun } from './run-job.js'
import { sharingSources } from './shared-source.js'
import { describeSources } from './sides.js'
import { startAny } from './start-any.js'
import { totalOf } from './total-progress.js'
import { unreadAfter } from './unread.js'

type OnSchema = (schema: SchemaShape) => void

export async function startSeveral<S extends SchemaShape>(
  given: BoundPlan,
  told: OwnOptions,
  what: string,
  onSchema?: OnSchema,
): Promise<Job<S>> {
  const whole = new Set(sidesIn(given.plan).flatMap(side => sourcesOf(side).map(({ id }) => id)))
  const bound = sharingWithin(given, whole)
  const plans = { plans: [bound.plan], sources: bound.sources }
  const { sources, schemas } = await describeSources(plans, told, ({ id }) => !whole.has(id))
  // Jobs are stopped by themselves, and sides are read whole.
  const { [ENDED]: _, ...options } = told
  const plan = bindPlan(bound.plan, schemas)
  const known: BoundPlan = { ...bound, plan, sources }
  checkSides(plan, known)
  const tree = liveTree(plan)
  if (tree !== null && !isEndless(plan, known) && givesAtEnd(chainOf(plan).nodes, nodesOf(plan)))
    return startRun(known, options, what, onSchema)
  if (tree !== null) return startSteps(own => treeIntake(tree, known, own, what), options, onSchema)
  const union = lowestUnion(plan)
  if (union !== null && runsOn(union.node, known)) {
    const { node, above } = union
    if (above.every(isStateless)) {
      const inputs = inputsOf(node).map(input => above.reduce<PlanNode>((below, each) => overInput(each, below), input))
      return startSteps(own => plainIntake(inputs, plan, known, own, what), options, onSchema)
    }
    return startAny(merged(node, plan, known, options, what), options, what, onSchema)
  }
  const cut = liveCut(plan, isEndless(plan, known))
  if (cut !== null) return startLive(known, cut, options, what, onSchema, sidesOf(known), startAny)
  if (bareSource(plan, sources, stepsBefore(plan, options.memory !== undefined)) === null)
    return startRun(known, options, what, onSchema)
  return startLive(known, { before: plan, nodes: [] }, options, what, onSchema, sidesOf(known), startAny)
}

/** What is read at once, and is made of one source, shares it: inputs that are that source itself are seen to by `startJobs`. @param whole sources of sides that are read before the others */
function sharingWithin({ plan, sources, rejectedBy = null }: BoundPlan, whole: ReadonlySet<number>): BoundPlan {
  const apart = [...sources].map(entry => ({ plan, sources: new Map([entry]) }))
  const shared = sharingSources(apart.filter(({ sources: [[id]] }) => !whole.has(id)))
  return { plan, rejectedBy, sources: new Map([...sources, ...shared.flatMap(each => [...each.sources])]) }
}

/** All that rows go through as they come, not those of the other side of a join. */
const nodesOf = (plan: PlanNode): Exclude<PlanNode, { kind: 'source' }>[] =>
  plan.kind === 'source'
    ? []
    : [plan, ...(plan.kind === 'union' || meets(plan) ? inputsOf(plan) : [plan.input]).flatMap(nodesOf)]

/** The other sides of joins that are read whole. */
function sidesIn(plan: PlanNode): PlanNode[] {
  if (plan.kind === 'source') return []
  return [...(plan.kind === 'join' && !meets(plan) ? [plan.right] : []), ...inputsOf(plan).flatMap(sidesIn)]
}

/** The other side of a join is read whole before the first row of this one. @throws MillraceError `MR_UNBOUNDED` where it may never end */
function checkSides(plan: PlanNode, bound: BoundPlan): void {
  if (plan.kind === 'source') return
  if (plan.kind === 'join' && !meets(plan) && isEndless(plan.right, bound)) {
    throw new MillraceError(
      'MR_UNBOUNDED',
      `${plan.verb}: the other flow (${sourcesOf(plan.right)[0]?.label}) may never end, and all its rows would have to be known first; join them in windows, as in window(tumbling('10s')).join(...), by intervalJoin, or by asofJoin in direction 'before', where both have a watermark, or collect the other one before`,
      { operator: plan.verb },
    )
  }
  for (const input of inputsOf(plan)) checkSides(input, bound)
}

const sidesOf =
  (bound: BoundPlan): SidesOf =>
  async (plans, options) => {
    const { onProgress: _, ...own } = options
    const rows = new Map<PlanNode, readonly RecordBatch[]>()
    const sides = plans.flatMap(({ before, segments }) => [
      ...(before?.sides ?? []),
      ...segments.flatMap(({ stages, timed }) => [...stages.sides, ...(timed?.sides ?? [])]),
    ])
    for (const plan of new Set(sides)) rows.set(plan, (await collect({ plan, sources: bound.sources }, own)).batches)
    return rows
  }

const isEndless = (plan: PlanNode, { sources }: BoundPlan): boolean =>
  sourcesOf(plan).some(({ id }) => sources.get(id)?.isEndless === true)

/** Whether rows of an input come as they come, or are told before all have. */
const runsOn = (node: UnionNode, { sources }: BoundPlan): boolean =>
  sourcesOf(node).some(({ id }) => sources.get(id)?.once === true) ||
  inputsOf(node).some(input => liveCut(input, false) !== null)

function lowestUnion(
  plan: PlanNode,
): { readonly node: UnionNode; readonly above: Exclude<PlanNode, { kind: 'source' }>[] } | null {
  const above: Exclude<PlanNode, { kind: 'source' }>[] = []
  let node = plan
  for (; node.kind !== 'source' && node.kind !== 'union'; node = node.input) above.unshift(node)
  return node.kind === 'union' ? { node, above } : null
}

/** Jobs of these plans, which read what they share once. */
function startJobs(
  plans: readonly PlanNode[],
  { sources }: BoundPlan,
  options: OwnOptions,
  what: string,
): { readonly jobs: readonly Job[]; readonly schemas: Promise<readonly SchemaShape[]> } {
  const flows = plans.map(plan => {
    const ids = new Set(sourcesOf(plan).map(({ id }) => id))
    // What hears of rows that fail is no source.
    return { plan, sources: new Map([...sources].filter(([id, source]) => ids.has(id) || source.hear !== undefined)) }
  })
  const { memory, onProgress, ...rest } = options
  const report = onProgress && totalOf(onProgress)
  const own = {
    ...rest,
    ...(memory !== undefined && { memory: Math.max(2 ** 20, memory / plans.length) }),
    [ALL]: options[ALL] ?? options.signal,
  }
  const told: Promise<SchemaShape>[] = []
  const cancels = plans.map(() => new AbortController())
  const unfollow = followSignal(options.signal, ...cancels)
  const jobs = sharingSources(flows).map((flow, i) => {
    let tell: OnSchema = () => {}
    const schema = new Promise<SchemaShape>(resolve => {
      tell = resolve
    })
    const job = startAny(
      flow,
      { ...own, signal: (cancels[i] as AbortController).signal, ...(report && { onProgress: report() }) },
      what,
      tell,
    )
    unreadAfter(job.finished, flow)
    told.push(Promise.race([schema, job.finished.then(() => schema)]))
    return job
  })
  Promise.allSettled(jobs.map(job => job.finished)).then(unfollow)
  const schemas = Promise.all(told)
  schemas.catch(() => {})
  return { jobs, schemas }
}

/** That of jobs which meet by their watermarks. */
function treeIntake(tree: LiveTree, bound: BoundPlan, options: RunOptions, what: string): Intake<Arrival> {
  const parts = jobsOf(tree)
  const { jobs, schemas } = startJobs(
    parts.map(({ before }) => before),
    bound,
    options,
    what,
  )
  const labels = parts.map(({ before }) => rowsAreOf(before))
  let graph: ReturnType<typeof createLiveTree> | null = null
  return {
    ...intakeOf(
      jobs,
      labels,
      options,
      parts.map(({ idleMs }) => idleMs),
      silent => graph?.setAside(silent) ?? [],
    ),
    async open() {
      const made = treePlan(tree, await schemas)
      const sides = await sidesOf(bound)(made.plans, options)
      return {
        plan: made,
        create(context: OperatorContext) {
          const own = createLiveTree(context, made.tree, sides)
          graph = own
          return Object.create(own, {
            push: { value: ({ batch, job }: Arrival) => (batch === null ? own.over(job) : own.push(batch, job)) },
          })
        },
      }
    },
  }
}

function treePlan(tree: LiveTree, schemas: readonly SchemaShape[]) {
  const plans: LivePlan[] = []
  const parts = new Set<PlanPart>()
  let at = 0
  const planned = (each: LiveTree, schema: SchemaShape, isTop: boolean): LivePlan => {
    const meets = each.kind === 'join' ? each.node.meets : undefined
    // Windows that rows may still come for are told more than once.
    const ends = meets && 'end' in meets && meets.allowedLateness === null ? meets.end : null
    const plan = livePlan(each, schema, !isTop, { ends })
    for (const part of plan.parts) parts.add(part)
    plans.push(plan)
    return plan
  }
  const planOf = (each: LiveTree, isTop: boolean): { readonly tree: TreePlan; readonly everyMs: number | null } => {
    if (each.kind === 'job') {
      const schema = schemas[at++] as SchemaShape
      const above = planned(each, schema, false)
      const watermark = above.watermark as NonNullable<typeof above.watermark>
      return {
        tree: { kind: 'job', schema, watermark, above: each.nodes.length === 1 ? null : above },
        everyMs: null,
      }
    }
    const inputs = each.inputs.map(input => planOf(input, false).tree)
    const schema = schemaBelow(each)
    const above = planned(each, schema, isTop)
    const { everyMs } = above
    if (each.kind === 'union') return { tree: { kind: 'union', schema, inputs, above }, everyMs }
    const { node } = each
    const late = each.late?.of.kind === 'side' ? each.late.of.side : null
    const stage = stageOfMeeting(node)
    const sides = [boundSchemaOf(node.input), stage.right] as const
    for (const part of partsFor(planOfJoin(stage, sides[0]), 0)) parts.add(part)
    return { tree: { kind: 'join', schema, sides, stage, meets: node.meets ?? null, inputs, above, late }, everyMs }
  }
  const made = planOf(tree, true)
  const { above } = made.tree as Exclude<TreePlan, { kind: 'job' }>
  return { ...made, plans, output: above.output, parts: [...parts] }
}

/** That of jobs whose batches go on as they come. */
function plainIntake(
  inputs: readonly PlanNode[],
  plan: PlanNode,
  bound: BoundPlan,
  options: RunOptions,
  what: string,
): Intake<Arrival> {
  const { jobs, schemas } = startJobs(inputs, bound, options, what)
  const output = boundSchemaOf(plan)
  return {
    ...intakeOf(jobs, inputs.map(rowsAreOf), options),
    async open() {
      await schemas
      const nothing = () => []
      const create = () => ({
        push: ({ batch }: Arrival) => (batch === null ? [] : [fitted(batch, output)]),
        tick: nothing,
        end: nothing,
        lateRows: 0,
        watermark: null,
        stateSize: 0,
        free: () => {},
      })
      return { plan: { output, parts: [], everyMs: null }, create }
    },
  }
}

function fitted(batch: RecordBatch, output: SchemaShape): RecordBatch {
  const names = Object.keys(batch.schema)
  const vectors = fieldsOf(output).map(({ name }) => batch.vectors[names.indexOf(name)] as Vector)
  return new RecordBatch(output, vectors, batch.rowCount, batch.weights)
}

/** The plan over a union that gives the rows of its inputs as they come. */
function merged(node: UnionNode, plan: PlanNode, bound: BoundPlan, options: RunOptions, what: string): BoundPlan {
  const schema = boundSchemaOf(node)
  const given = stageSource('union', schema, { output: input => input, run: batches => batches }, async () => {
    // What it gives is told of by the job over it.
    const { jobs } = startJobs(inputsOf(node), bound, { ...options, onProgress: undefined }, what)
    async function* batches() {
      for await (const { batch } of mergeJobs(jobs))
        if (batch !== null) yield fitted(checkAppended(batch, 'what follows a union'), schema)
    }
    return {
      schema: Promise.resolve(schema),
      batches: batches(),
      nodes: () => jobs.flatMap(nodesWithin),
      stop() {
        for (const job of jobs) job.stop()
      },
      close: async () => {
        await Promise.all(jobs.map(job => job[Symbol.asyncDispose]()))
      },
    }
  })
  const source: Source = isEndless(node, bound) ? { ...given, isEndless: true } : given
  const start = sourceNode(MERGED, 'union', schema)
  const over = (each: PlanNode): PlanNode =>
    each === node ? start : overInput(each as Exclude<PlanNode, { kind: 'source' }>, over((each as UnionNode).input))
  return { ...bound, plan: over(plan), sources: new Map([...bound.sources, [MERGED, source]]) }
}

/** No source's id. */
const MERGED = -2

function intakeOf(
  jobs: readonly Job[],
  labels: readonly (string | null)[],
  options: RunOptions,
  idle: readonly (number | null)[] = [],
  setAside: (jobs: readonly number[]) => RecordBatch[] = () => [],
): Omit<Intake<Arrival>, 'open'> {
  const rows = jobs.map(() => 0)
  let last = 0
  const finished = Promise.all(jobs.map(job => job.finished)).then(() => {})
  // Told to whoever takes what arrives.
  finished.catch(() => {})
  return {
    async *arrivals(give) {
      for await (const arrival of mergeJobs(jobs, idle, silent => give(() => setAside(silent)), options.clock)) {
        last = arrival.job
        yield arrival
        rows[last] = (rows[last] as number) + arrival.rowCount
      }
    },
    arrived: ({ batch }) => (batch === null ? undefined : arrivalOf(batch)),
    finished,
    stop() {
      for (const job of jobs) job.stop()
    },
    metrics: () => sumOf(jobs.map(job => job.metrics())),
    spell({ error, row }) {
      const label = labels[last] ?? null
      return spellOut(error, label === null ? null : { row: (rows[last] as number) + row, label })
    },
  }
}

const sumOf = (all: readonly JobMetrics[]): JobMetrics => {
  const sum = (of: 'rows' | 'totalRows' | 'bytes' | 'totalBytes' | 'illFormed' | 'droppedRows') =>
    all.reduce((total, each) => total + (each[of] ?? 0), 0)
  const [illFormed, droppedRows] = [sum('illFormed'), sum('droppedRows')]
  return {
    rows: sum('rows'),
    totalRows: sum('totalRows'),
    bytes: sum('bytes'),
    totalBytes: sum('totalBytes'),
    rowsWritten: 0,
    bytesWritten: 0,
    ...(illFormed > 0 && { illFormed }),
    ...(droppedRows > 0 && { droppedRows }),
    elapsedMs: Math.max(0, ...all.map(({ elapsedMs = 0 }) => elapsedMs)),
    nodes: all.flatMap(({ nodes = [] }) => nodes),
  }
}
