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
import { readsOf } from './join.js'
import type { AggregateNode, JoinNode, PlanNode, ProjectNode, SourceNode, TakenColumn } from './logical.js'
import { LEFT } from './pair-columns.js'
import { isBreaker, type JoinStage, type PhysicalPlan, type Stage } from './physical.js'
import { optimise } from './rules/optimise.js'
import { isIdentity } from './rules/rewrite.js'
import { bindPlan, boundSchemaOf, type SourceSchemas } from './typing.js'

/**
 * @param sourceSchema the source's, where the plan does not know it: a file read without a schema.
 * @throws MillraceError what typing throws, where the schema was not known before.
 */
export function physicalPlan(plan: PlanNode, sourceSchema: SourceSchemas = null): PhysicalPlan {
  const bound = bindPlan(plan, sourceSchema)
  const chain = chainOf(optimise(bound))
  const source = chain[0] as SourceNode
  const sides: PlanNode[] = []
  const stages = narrowFilters(chain.slice(1).flatMap((node, i) => stagesOf(node, chain.slice(i + 2), sides)))
  const cut = stages.findIndex(isBreaker) + 1
  return Object.freeze({
    sourceId: source.id,
    sourceColumns: Object.freeze(Object.keys(boundSchemaOf(source))),
    sourceSchema: boundSchemaOf(source),
    prune: source.prune,
    scan: Object.freeze(cut === 0 ? stages : stages.slice(0, cut)),
    final: Object.freeze(cut === 0 ? [] : stages.slice(cut)),
    output: boundSchemaOf(bound),
    sides: Object.freeze(sides),
  })
}

/** From the source up. */
function chainOf(plan: PlanNode): PlanNode[] {
  const chain: PlanNode[] = []
  for (let node = plan; ; node = node.input) {
    chain.unshift(node)
    if (node.kind === 'source') return chain
  }
}

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
    case 'join':
      return [joinStage(node, sides.push(node.right) - 1, output)]
    case 'source':
    case 'pending':
      throw new Error(`a ${node.kind} node within a bound plan`)
  }
}

function joinStage(node: JoinNode, side: number, output: SchemaShape): JoinStage {
  const { verb, how, keys, where } = node
  const reads = where === null ? [] : [...collectColumns(where, new Set())]
  const taken = node.taken as readonly TakenColumn[]
  return { kind: 'join', verb, how, side, right: boundSchemaOf(node.right), keys, where, reads, taken, output }
}

function aggregateStages(node: AggregateNode): Stage[] {
  const { keys, sets } = node
  const { accumulators, accumulated, columns, output } = accumulate(node, boundSchemaOf(node.input))
  const ordered = Object.keys(output).map(
    name => columns.find(column => column.name === name) as (typeof columns)[number],
  )
  const aggregate: Stage = { kind: 'aggregate', keys, sets, accumulators, output: accumulated }
  return accumulators.length === 0
    ? [aggregate]
    : [aggregate, { kind: 'project', verb: 'aggregate', columns: ordered, output }]
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
    case 'join':
      for (const { name } of stage.taken) names.delete(name)
      for (const key of stage.keys) names.add(key.left)
      for (const name of readsOf(stage.reads, LEFT)) names.add(name)
      break
    case 'limit':
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
    else if (stage.kind === 'project' || stage.kind === 'aggregate') narrow = null
    const output = narrow ?? stage.output
    restatedStages.push(Object.freeze({ ...stage, output }))
  }
  return restatedStages
}
