/** From the physical plan's stages to operators: the one place where the plan path and the data path meet. */
import type { SchemaShape } from '../columnar/type.js'
import type { CallPart } from '../expressions/node.js'
import type { AggregateParts } from '../kernels/aggregate/accumulator.js'
import type { Kernels } from '../kernels/instance.js'
import { isBreaker, type PhysicalPlan, type Stage } from '../plan/physical.js'
import { createAggregate } from './aggregate.js'
import type { CallCompiler } from './call.js'
import { type Evaluator, evaluatorOf } from './compiled.js'
import type { DictionaryPool } from './dictionary-pool.js'
import type { GraphMeter } from './graph-meter.js'
import { createLimit } from './limit.js'
import type { Breaker, Transform } from './operator.js'
import { createProject } from './project.js'
import { createSort } from './sort.js'
import type { Spill } from './spill.js'

/** And what spilling-aggregate.ts, which is another part, borrows of this one. */
export type Partitions = Pick<typeof import('./aggregate-exchange.js'), 'createAggregateExchange'> &
  Pick<typeof import('./ranged-sort.js'), 'createRangedSort'> &
  Pick<typeof import('./first-rows.js'), 'createFirstRows'> &
  Pick<typeof import('./share-groups.js'), 'createShareGroups' | 'inputsOfRows' | 'planeColumns' | 'words'> &
  Pick<typeof import('../kernels/radix.js'), 'keyPlanes' | 'keysOfPlanes' | 'PARTITIONS' | 'partRows' | 'rowsOfLane'>

export interface OperatorParts extends AggregateParts, Record<CallPart, CallCompiler> {
  readonly conditions: CallCompiler & Pick<typeof import('./unified-text.js'), 'createUnifiedText'>
  readonly evaluate: Evaluator
  readonly partitions: Partitions
  readonly sets: Pick<typeof import('./grouping-sets.js'), 'coarserGroups'>
  readonly windows: Pick<typeof import('./window-groups.js'), 'windowGroups' | 'windowsFrom'>
  readonly userCode: Pick<typeof import('./user-code.js'), 'createUserCode'>
  readonly over: Pick<
    typeof import('./over.js'),
    'aggregatesIn' | 'computeCalls' | 'createOver' | 'createRunning' | 'floats' | 'framesOf' | 'textsOf' | 'validityOf'
  >
  readonly shapes: Pick<typeof import('./shapes-part.js'), 'createExplode' | 'createUnpivot' | 'createSample'>
  readonly joins: Pick<
    typeof import('./joins-part.js'),
    | 'createAsofJoin'
    | 'createJoin'
    | 'createPartedJoin'
    | 'createUnion'
    | 'giveLast'
    | 'hashedKeys'
    | 'keyHashes'
    | 'shareSides'
  >
}

export interface OperatorContext {
  readonly k: Kernels
  readonly dictionaries: DictionaryPool
  /** At least what the plan needs: plan/needs.ts. */
  readonly parts: Partial<OperatorParts>
  /** Groups that one table may have, or rows be sorted at once, before they are parted; for tests, which have no millions of rows. */
  readonly mostGroups?: number
  /** Rows of a part of an index that joins look up in (kernels/parted-index.ts), likewise. */
  readonly partRows?: number
  /** The most that are made for keys of small domains, where memory is short. */
  readonly mostSlots?: number
  /** Strings beyond which those are looked for that are of no use any more (renewed-texts.ts); for tests, which have no millions of them. */
  readonly mostTextBytes?: number
  /** Of a job that has a budget, where something can be spilled. */
  readonly spill?: Spill
  /** Of a flow that runs on, where it is measured. */
  readonly meter?: GraphMeter
}

/** Transforms, then the breaker that ends them; the last segment of a plan has none. */
export interface Segment {
  readonly transforms: readonly Transform[]
  readonly breaker: Breaker | null
  /** Schema of what leaves the transforms: what the breaker consumes. */
  readonly schema: SchemaShape
  /** Schema of what leaves the segment. */
  readonly output: SchemaShape
}

export interface Pipeline {
  /** Of a union, what the rows of each input run through before `scan`. */
  readonly branches: readonly (readonly Transform[])[]
  /** What every lane runs over its own rows. */
  readonly scan: Segment
  /** What lane 0 runs after the gather, each over what the breaker before it emits. */
  readonly final: readonly Segment[]
  free(): void
}

/** Rows that come from tables which lanes hold: how many all of them have, 0 where a job has a budget. */
export interface RowsHeld {
  readonly rowCount: number
  readonly lanes: number
}

/** What is known of where rows come from and go to. */
export interface Ends {
  /** No row leaves before all have come. */
  readonly isWaitedFor?: boolean
  /** The scan is of rows that lanes hold. */
  readonly held?: RowsHeld | null
  /** What comes out is copied out of the lane, column by column. */
  readonly leaves?: boolean
}

export function buildPipeline(context: OperatorContext, plan: PhysicalPlan, ends: Ends = {}): Pipeline {
  const segments: Segment[] = []
  const free = () => {
    for (const { transforms, breaker } of segments) {
      breaker?.free()
      for (const transform of transforms) transform.free()
    }
  }
  try {
    // What comes of one input of several is in the order of its splits among the others', and a limit, or who takes rows as they come, may not want to wait for all.
    const breaks = plan.scan.find(isBreaker)?.kind
    const mayWait = breaks === undefined ? ends.isWaitedFor : breaks !== 'limit'
    const branches = plan.branches.map(({ stages, schema }) => cut(context, stages, schema, segments, {})[0].transforms)
    const [scan] = cut(context, plan.scan, plan.sourceSchema, segments, { ...ends, isWaitedFor: mayWait })
    const final =
      scan.breaker === null
        ? []
        : cut(context, plan.final, scan.output, segments, { isWaitedFor: true, leaves: ends.leaves })
    return { branches, scan, final, free }
  } catch (error) {
    free()
    throw error
  }
}

/** Segments of which only the last has no breaker; they are also appended to `all` as they are made. */
function cut(
  context: OperatorContext,
  stages: readonly Stage[],
  input: SchemaShape,
  all: Segment[],
  ends: Ends,
): [Segment, ...Segment[]] {
  const segments: Segment[] = []
  let transforms: Transform[] = []
  let schema = input
  const close = (breaker: Breaker | null, output: SchemaShape) => {
    const segment = { transforms, breaker, schema, output }
    segments.push(segment)
    all.push(segment)
    transforms = []
    schema = output
  }
  for (const [i, stage] of stages.entries()) {
    if (!isBreaker(stage)) {
      const leaves = ends.leaves === true && i === stages.length - 1
      transforms.push(createTransform(context, stage, schema, { ...ends, leaves }))
      schema = stage.output
    } else close(createBreaker(context, stage, schema, ends), stage.output)
  }
  close(null, schema)
  return segments as [Segment, ...Segment[]]
}

function createTransform(context: OperatorContext, stage: Stage, input: SchemaShape, ends: Ends): Transform {
  if (stage.kind === 'project') return createProject(context, stage, input)
  if (stage.kind === 'filter') return evaluatorOf(context).createFilter(context, stage, input, ends.leaves)
  if (stage.kind === 'join' || stage.kind === 'union') return createPairing(context, stage, input, ends)
  const shapes = context.parts.shapes as OperatorParts['shapes']
  if (stage.kind === 'explode') return shapes.createExplode(context, stage, input)
  if (stage.kind === 'unpivot') return shapes.createUnpivot(context, stage, input)
  if (stage.kind === 'user') return (context.parts.userCode as OperatorParts['userCode']).createUserCode(context, stage)
  throw new Error(`a ${stage.kind} is no transform`)
}

function createPairing(
  context: OperatorContext,
  stage: Stage & { kind: 'join' | 'union' },
  input: SchemaShape,
  { isWaitedFor, held, leaves }: Ends,
): Transform {
  const joins = context.parts.joins as OperatorParts['joins']
  if (stage.kind === 'union') return joins.createUnion(context, stage.output)
  if (stage.asof !== null) return joins.createAsofJoin(context, stage, input, leaves)
  return (
    (isWaitedFor &&
      (context.spill?.createJoin(stage, input) || (held && joins.createPartedJoin(context, stage, input, leaves)))) ||
    joins.createJoin(context, stage, input, leaves)
  )
}

function createBreaker(context: OperatorContext, stage: Stage, input: SchemaShape, { held }: Ends): Breaker {
  const spilling = context.spill?.createBreaker(stage, input)
  if (spilling) return spilling
  if (stage.kind === 'aggregate')
    return (
      context.parts.partitions?.createFirstRows(context, stage, input) ??
      createAggregate(context, stage, input, null, held)
    )
  if (stage.kind === 'sort') return createSort(context, stage, input)
  if (stage.kind === 'limit') return createLimit(context, stage)
  if (stage.kind === 'sample') return (context.parts.shapes as OperatorParts['shapes']).createSample(context, stage)
  if (stage.kind === 'over') return (context.parts.over as OperatorParts['over']).createOver(context, stage, input)
  throw new Error(`a ${stage.kind} is no breaker`)
}
