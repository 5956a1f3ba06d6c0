/**
 * From a logical plan to the stages that lanes run: binds it to its source's schema, applies the rules, and cuts it at the first node
 * that must see all rows. The stages themselves are drawn in physical.ts; `final` holds what follows the cut, so the merge
 * of the last scan stage is not repeated there.
 */
import { schemaOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { canFail } from '../expressions/failure.js'
import type { Expression } from '../expressions/node.js'
import { collectColumns } from '../expressions/walk.js'
import { accumulate } from './accumulate.js'
import { columnOf } from './build.js'
import { END, hasEventTime, lowerEventTime, withWindowEnd } from './event-time.js'
import { readsOf } from './join.js'
import type {
  AggregateNode,
  JoinNode,
  NamedExpression,
  PlanNode,
  ProjectNode,
  SourceNode,
  TakenColumn,
  UnionNode,
  UnpivotNode,
} from './logical.js'
import { overStages } from './over.js'
import { LEFT } from './pair-columns.js'
import { type Branch, hasTail, isBreaker, type JoinStage, type PhysicalPlan, type Stage } from './physical.js'
import { optimise } from './rules/optimise.js'
import { isIdentity } from './rules/rewrite.js'
import { unpivotInput } from './shape.js'
import { inputsOf } from './sources-of.js'
import { bindPlan, boundSchemaOf, type SourceSchemas } from './typing.js'

/** Whether an input of a union over `source` is to be run first, though it could be read as it comes, after `before`. */
export type RunsFirst = (source: SourceNode, before: readonly SourceNode[]) => boolean

/**
 * @param sourceSchema the source's, where the plan does not know it: a file read without a schema.
 * @throws MillraceError what typing throws, where the schema was not known before.
 */
export function physicalPlan(
  plan: PlanNode,
  sourceSchema: SourceSchemas = null,
  runsFirst: RunsFirst = () => false,
): PhysicalPlan {
  const said = bindPlan(plan, sourceSchema)
  const bound = withoutEventTime(said)
  const chain = chainOf(optimise(bound))
  const sides: PlanNode[] = []
  const [first] = chain
  const branches = first.kind === 'union' ? branchesOf(first, sides, runsFirst, []) : []
  const above = chain.slice(1).flatMap((node, i) => stagesOf(node, chain.slice(i + 2), sides))
  const start = boundSchemaOf(first)
  const stages = narrowFilters(first.kind === 'union' ? [{ kind: 'union', output: start }, ...above] : above)
  const cut = stages.findIndex(isBreaker) + 1
  return Object.freeze({
    sourceId: first.kind === 'union' ? UNION : first.id,
    sourceColumns: Object.freeze(Object.keys(start)),
    sourceSchema: start,
    prune: first.kind === 'union' ? null : first.prune,
    branches: Object.freeze(branches),
    scan: Object.freeze(cut === 0 ? stages : stages.slice(0, cut)),
    final: Object.freeze(cut === 0 ? [] : stages.slice(cut)),
    output: boundSchemaOf(said),
    sides: Object.freeze(sides),
  })
}

/** A bound plan, and nodes of event time spelt out by others, as where all input ends. */
export const withoutEventTime = (bound: PlanNode): PlanNode =>
  hasEventTime(bound) ? bindPlan(lowerEventTime(bound), null) : bound

/** No source's id. */
const UNION = -1

/** From the source, or the union, up. */
function chainOf(plan: PlanNode): [SourceNode | UnionNode, ...Exclude<PlanNode, SourceNode>[]] {
  const chain: Exclude<PlanNode, SourceNode>[] = []
  for (let node = plan; ; node = node.input) {
    if (node.kind === 'source' || node.kind === 'union') return [node, ...chain]
    chain.unshift(node)
  }
}

/** Of unions within unions too. What must see all its rows is run first, as a plan of its own. */
function branchesOf(
  union: UnionNode,
  sides: PlanNode[],
  runsFirst: RunsFirst,
  before: SourceNode[],
  output = boundSchemaOf(union),
): Branch[] {
  const fit: Stage = { kind: 'project', verb: 'union', columns: Object.keys(output).map(plainColumn), output }
  return inputsOf(union).flatMap(input => {
    const [first, ...nodes] = chainOf(input)
    const stages = nodes.flatMap(node => stagesOf(node, [], []))
    if (
      stages.some(stage => isBreaker(stage) || hasTail(stage)) ||
      (first.kind === 'source' && runsFirst(first, before))
    ) {
      const schema = boundSchemaOf(input)
      const source = { side: sides.push(input) - 1 }
      return [{ source, columns: Object.keys(schema), schema, prune: null, stages: [fit] }]
    }
    if (first.kind === 'source') before.push(first)
    const own = nodes.flatMap(node => stagesOf(node, [], sides))
    // Its columns are those that come out: rows are made to fit once.
    if (first.kind === 'union' && own.length === 0) return branchesOf(first, sides, runsFirst, before, output)
    const starts: Branch[] =
      first.kind === 'union'
        ? branchesOf(first, sides, runsFirst, before)
        : [
            {
              source: { id: first.id },
              columns: Object.keys(boundSchemaOf(first)),
              schema: boundSchemaOf(first),
              prune: first.prune,
              stages: [],
            },
          ]
    return starts.map(start => ({ ...start, stages: narrowFilters([...start.stages, ...own, fit]) }))
  })
}

const plainColumn = (name: string): NamedExpression => ({ name, expression: columnOf(name) })

function stagesOf(node: PlanNode, above: readonly PlanNode[], sides: PlanNode[]): Stage[] {
  const output = boundSchemaOf(node)
  switch (node.kind) {
    case 'project':
      return [{ kind: 'project', verb: node.verb, columns: node.columns, output }]
    case 'filter':
      return [{ kind: 'filter', predicate: node.predicate, output }]
    case 'aggregate':
      return aggregateStages(node)
    case 'sort':
      return [{ kind: 'sort', orders: node.orders, top: rowsNeeded(above), output }]
    case 'limit':
      return [{ kind: 'limit', count: node.count, offset: node.offset, output }]
    case 'sample':
      return [{ kind: 'sample', count: node.count, fraction: node.fraction, seed: node.seed, output }]
    case 'user': {
      const { kind, verb, module, export: name, listener } = node
      return [{ kind, verb, module, export: name, listener, input: boundSchemaOf(node.input), output }]
    }
    case 'explode':
      return [{ kind: 'explode', column: node.column, output }]
    case 'unpivot':
      return unpivotStages(node, output)
    case 'over':
      return overStages(node, boundSchemaOf(node.input))
    case 'join':
      return [joinStage(node, sides.push(node.right) - 1, output)]
    case 'source':
    case 'union':
    case 'pending':
    case 'watermark':
    case 'emit':
    case 'top':
    case 'distinct':
    case 'late':
      throw new Error(`a ${node.kind} node within a bound plan`)
  }
}

function joinStage(node: JoinNode, side: number, output: SchemaShape): JoinStage {
  const { verb, how, keys, where, asof } = node
  const reads = where === null ? [] : [...collectColumns(where, new Set())]
  const taken = node.taken as readonly TakenColumn[]
  return { kind: 'join', verb, how, side, right: boundSchemaOf(node.right), keys, where, reads, taken, asof, output }
}

function aggregateStages(node: AggregateNode): Stage[] {
  const { keys, sets, panes } = node
  const input = boundSchemaOf(node.input)
  const { accumulators, columns: results, ...made } = accumulate(node, input)
  const columns = panes === null ? results : [...results, plainColumn(END)]
  const [accumulated, output] = [made.accumulated, made.output].map(schema => withWindowEnd(node, schema)) as [
    SchemaShape,
    SchemaShape,
  ]
  const ordered = Object.keys(output).map(
    name => columns.find(column => column.name === name) as (typeof columns)[number],
  )
  const aggregate: Stage = { kind: 'aggregate', keys, sets, accumulators, panes, output: accumulated }
  return accumulators.length === 0
    ? [aggregate]
    : [aggregate, { kind: 'project', verb: 'aggregate', columns: ordered, output }]
}

/** What comes into `value` is of one type first. */
function unpivotStages(node: UnpivotNode, output: SchemaShape): Stage[] {
  const { on, variableName, valueName } = node
  const columns = unpivotInput(node, boundSchemaOf(node.input))
  const types = columns.map(({ name, type }) => ({ name, type }))
  return [
    { kind: 'project', verb: 'unpivot', columns, output: schemaOf(types) },
    { kind: 'unpivot', on, variableName, valueName, output },
  ]
}

/** How many rows a limit further up takes from the front; projects between keep rows as they are, if none of them can fail. */
function rowsNeeded(above: readonly PlanNode[]): number | null {
  for (const node of above) {
    if (node.kind === 'limit') return Number.isSafeInteger(node.count + node.offset) ? node.count + node.offset : null
    if (node.kind !== 'project' || projectCanFail(node)) return null
  }
  return null
}

const projectCanFail = ({ columns, input }: ProjectNode): boolean =>
  columns.some(({ expression }) => canFail(expression, boundSchemaOf(input)))

/** A filter and a join hand on only the columns that a later stage reads, so that nothing is gathered in vain. */
function narrowFilters(stages: readonly Stage[]): Stage[] {
  const narrowed: Stage[] = []
  let read = new Set(Object.keys(stages.at(-1)?.output ?? {}))
  for (const stage of stages.toReversed()) {
    narrowed.unshift(narrowedTo(stage, read))
    read = readBy(stage, read)
  }
  return restated(narrowed)
}

function narrowedTo(stage: Stage, read: ReadonlySet<string>): Stage {
  if (stage.kind === 'filter') return { ...stage, output: only(stage.output, read) }
  if (stage.kind !== 'join') return stage
  const taken = stage.taken.filter(({ name }) => read.has(name))
  return { ...stage, taken, output: only(stage.output, read) }
}

const only = (schema: SchemaShape, names: ReadonlySet<string>): SchemaShape =>
  schemaOf(
    Object.keys(schema)
      .filter(name => names.has(name))
      .map(name => ({ name, type: schema[name] as DataType })),
  )

/** Columns that a stage reads of its input, given those read of its output. */
function readBy(stage: Stage, read: ReadonlySet<string>): Set<string> {
  const names = new Set(stage.kind === 'project' || stage.kind === 'aggregate' ? [] : read)
  const add = (expression: Expression | null) => expression !== null && collectColumns(expression, names)
  switch (stage.kind) {
    case 'project':
      for (const { expression } of stage.columns) add(expression)
      break
    case 'filter':
      add(stage.predicate)
      break
    case 'aggregate':
      for (const key of stage.keys) names.add(key)
      for (const { inputs, where } of stage.accumulators) {
        for (const input of inputs) add(input)
        add(where)
      }
      break
    case 'sort':
      for (const { name } of stage.orders) names.add(name)
      break
    case 'user':
      return new Set(Object.keys(stage.input))
    case 'explode':
      names.add(stage.column)
      break
    case 'unpivot':
      for (const name of stage.on) names.add(name)
      break
    case 'over':
      for (const { name } of stage.calls) names.delete(name)
      for (const name of [...stage.partitionBy, ...stage.orders.map(order => order.name)]) names.add(name)
      for (const { inputs, where } of stage.calls)
        for (const name of [...inputs, where]) if (name !== null) names.add(name)
      break
    case 'join':
      for (const { name } of stage.taken) names.delete(name)
      for (const key of stage.keys) names.add(key.left)
      if (stage.asof !== null) names.add(stage.asof.left)
      for (const name of readsOf(stage.reads, LEFT)) names.add(name)
      break
    case 'union':
    case 'limit':
    case 'sample':
      break
  }
  return names
}

/** Outputs of sorts and limits follow from their inputs, and a project that hands on just what a narrowed filter leaves goes. */
function restated(stages: readonly Stage[]): Stage[] {
  const restatedStages: Stage[] = []
  let narrow: SchemaShape | null = null
  for (const stage of stages) {
    if (stage.kind === 'project' && narrow !== null && isIdentity(stage.columns, narrow)) continue
    if (stage.kind === 'filter' || stage.kind === 'join') narrow = stage.output
    else if (
      stage.kind === 'project' ||
      stage.kind === 'aggregate' ||
      stage.kind === 'unpivot' ||
      stage.kind === 'user' ||
      stage.kind === 'over'
    )
      narrow = null
    else if (stage.kind === 'explode' && narrow !== null) narrow = only(stage.output, new Set(Object.keys(narrow)))
    const output = narrow ?? stage.output
    restatedStages.push(Object.freeze({ ...stage, output }))
  }
  return restatedStages
}
