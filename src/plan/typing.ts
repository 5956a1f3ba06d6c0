/**
 * Types of plans: the schema that leaves each node, and `bindPlan`, which settles a plan over its source's schema so that every
 * expression in it is resolved. build.ts makes the nodes; planner.ts turns a bound plan into stages.
 */
import { schemaOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import type { AggregateCall } from '../expressions/node.js'
import { resolve, resolvePredicate, typeOf } from '../expressions/typing.js'
import { mapCalls, mapNamed, sameItems } from '../expressions/walk.js'
import { accumulate } from './accumulate.js'
import { checkKey, settlePending } from './build.js'
import { distanceOf, keysOf } from './distinct.js'
import { checkWatermark, rowSchema, windowedSchema, withWindowEnd } from './event-time.js'
import { joinSchema, pairSchema, settleJoin } from './join.js'
import type {
  AggregateNode,
  JoinNode,
  OverNode,
  PendingNode,
  PlanNode,
  ProjectNode,
  SourceNode,
  UnionNode,
} from './logical.js'
import { lowerOver } from './over.js'
import { overInput } from './rules/rewrite.js'
import { explodedSchema, unpivotedSchema, unpivotNode } from './shape.js'
import { inputsOf } from './sources-of.js'
import { settleUnion, unionSchema } from './union.js'

const known = new WeakMap<PlanNode, SchemaShape | null>()

/**
 * The schema of what leaves `plan`, checked all the way down; null where the source's is not known yet.
 * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` and what else the expressions call for.
 */
export function schemaOfPlan(plan: PlanNode): SchemaShape | null {
  let schema = known.get(plan)
  if (schema === undefined) {
    if (plan.kind === 'source') schema = deliveredSchema(plan)
    else if (plan.kind === 'union') schema = schemaOfUnion(plan, inputsOf(plan).map(schemaOfPlan))
    else if (plan.kind === 'late' && plan.of.kind === 'side')
      schema = schemaOfSide(plan.input as JoinNode, plan.of.side)
    else if (plan.kind === 'join') schema = schemaOfJoin(plan, schemaOfPlan(plan.input), schemaOfPlan(plan.right))
    else schema = schemaOver(plan, schemaOfPlan(plan.input))
    known.set(plan, schema)
  }
  return schema
}

/** The same for a bound plan, whose schema is always known. */
export function boundSchemaOf(plan: PlanNode): SchemaShape {
  const schema = schemaOfPlan(plan)
  if (schema === null)
    throw new MillraceError('MR_INVALID_OPTION', 'the schema of the source is not known before it is opened')
  return schema
}

function deliveredSchema({ schema, columns }: SourceNode): SchemaShape | null {
  if (schema === null || columns === null) return schema
  return schemaOf(columns.map(name => ({ name, type: schema[name] as DataType })))
}

const schemaOfJoin = (node: JoinNode, left: SchemaShape | null, right: SchemaShape | null): SchemaShape | null =>
  left === null || right === null ? null : joinSchema(node, left, right)

/** The columns of one side of a join by event time that are its own. */
function schemaOfSide({ input, right, meets }: JoinNode, side: 0 | 1): SchemaShape | null {
  const schema = schemaOfPlan(side === 0 ? input : right)
  if (schema === null || meets === undefined || !('end' in meets)) return schema
  return schemaOf((meets.columns[side] as readonly string[]).map(name => ({ name, type: schema[name] as DataType })))
}

/** Over what the expressions of a bound node stand. */
export const scopeOf = (node: Exclude<PlanNode, SourceNode>): SchemaShape =>
  node.kind === 'join' ? pairSchema(boundSchemaOf(node.input), boundSchemaOf(node.right)) : boundSchemaOf(node.input)

const schemaOfUnion = (node: UnionNode, inputs: readonly (SchemaShape | null)[]): SchemaShape | null =>
  inputs.every(schema => schema !== null) ? unionSchema(node, inputs) : null

type Unary = Exclude<PlanNode, SourceNode | JoinNode | UnionNode>

function schemaOver(node: Unary, input: SchemaShape | null): SchemaShape | null {
  if (input === null) return null
  switch (node.kind) {
    case 'project':
      return schemaOf(
        node.columns.map(({ name, expression }) => ({ name, type: typeOf(expression, input, node.verb) })),
      )
    case 'pending':
      return schemaOfPlan(settlePending(node, node.input, input))
    case 'filter':
      resolvePredicate(node.predicate, input, 'filter')
      return input
    case 'aggregate':
      for (const name of node.keys) checkKey(name, input, 'groupBy')
      return node.window === null
        ? withWindowEnd(node, accumulate(node, input).output)
        : windowedSchema(node, node.window, input)
    case 'top':
      for (const name of node.keys) checkKey(name, input, 'groupBy')
      for (const { name } of node.orders) checkKey(name, input, 'orderBy')
      return rowSchema(node, input)
    case 'distinct':
      for (const name of keysOf(node, input)) checkKey(name, input, 'dedupe')
      distanceOf(node, input)
      return input
    case 'watermark':
      checkWatermark(node, input)
      return input
    case 'emit':
    case 'late':
      return input
    case 'sort':
      for (const { name } of node.orders) checkKey(name, input, 'orderBy')
      return input
    case 'limit':
    case 'sample':
      return input
    case 'user':
      return node.schema ?? input
    case 'explode':
      return explodedSchema(node, input)
    case 'unpivot':
      return unpivotedSchema(node, input)
    case 'over':
      for (const name of [...node.partitionBy, ...node.orders.map(order => order.name)]) checkKey(name, input, 'over')
      return lowerOver(node, input).output
  }
}

/** The schema of each source that the plan does not know; of a single one, just that. */
export type SourceSchemas = SchemaShape | null | ((source: SourceNode) => SchemaShape | null)

/**
 * `plan` with its sources' schemas put in, pending verbs spelt out, and every expression resolved. Binding again changes nothing.
 * @param schema those of sources, where the plan does not know them yet.
 */
export function bindPlan(plan: PlanNode, schema: SourceSchemas): PlanNode {
  if (plan.kind === 'source') {
    const bound = plan.schema ?? (typeof schema === 'function' ? schema(plan) : schema)
    if (bound === null)
      throw new MillraceError('MR_INVALID_OPTION', `the schema of ${plan.label} is not known before it is opened`)
    return plan.schema === null ? Object.freeze({ ...plan, schema: bound }) : plan
  }
  if (plan.kind === 'union') return bindUnion(plan, schema)
  const input = bindPlan(plan.input, schema)
  if (plan.kind === 'join') return bindJoin(plan, input, bindPlan(plan.right, schema))
  const over = boundSchemaOf(input)
  // May be several nodes, all of them to be bound.
  if (plan.kind === 'pending') return bindPlan(settlePending(plan, input, over), schema)
  const node =
    plan.kind === 'unpivot' && (plan.index === null || input !== plan.input)
      ? unpivotNode(input, over, plan)
      : overInput(plan, input)
  boundSchemaOf(node)
  return mapExpressions(node, (expression, verb) => resolve(expression, over, verb))
}

function bindUnion(plan: UnionNode, schema: SourceSchemas): UnionNode {
  const inputs = inputsOf(plan).map(input => bindPlan(input, schema))
  const [input, ...others] = inputs as [PlanNode, ...PlanNode[]]
  if (plan.columns !== null) return Object.freeze({ ...plan, input, others: Object.freeze(others) })
  return settleUnion(plan, inputs, inputs.map(boundSchemaOf))
}

function bindJoin(plan: JoinNode, input: PlanNode, right: PlanNode): PlanNode {
  const settled = settleJoin(plan, boundSchemaOf(input), boundSchemaOf(right))
  const node = Object.freeze({ ...settled, input, right })
  boundSchemaOf(node)
  return mapExpressions(node, (expression, verb) => resolve(expression, scopeOf(node), verb))
}

/** The same node with every expression in it replaced; the node itself where none changes. Inputs of the node stay. */
export function mapExpressions<N extends PlanNode>(
  node: N,
  map: (expression: ExpressionOf, verb: string) => ExpressionOf,
): N
export function mapExpressions(
  node: PlanNode,
  map: (expression: ExpressionOf, verb: string) => ExpressionOf,
): PlanNode {
  switch (node.kind) {
    case 'filter': {
      const predicate = map(node.predicate, 'filter')
      return predicate === node.predicate ? node : Object.freeze({ ...node, predicate })
    }
    case 'project':
    case 'pending':
      return withColumns(
        node,
        mapNamed(node.columns, expression => map(expression, node.verb)),
      )
    case 'join': {
      const where = node.where && map(node.where, node.verb)
      return where === node.where ? node : Object.freeze({ ...node, where })
    }
    case 'aggregate':
      return withAggregates(node, call => mapInputsOf(call, map))
    case 'over':
      return withColumns(
        node,
        mapNamed(node.columns, expression => mapCalls(expression, call => mapInputsOf(call, map))),
      )
    default:
      return node
  }
}

/** The same aggregation of other calls; itself where none differs. */
export function withAggregates(node: AggregateNode, map: (call: AggregateCall) => AggregateCall): AggregateNode {
  const aggregates = mapNamed(node.aggregates, expression => mapCalls(expression, map))
  return aggregates === node.aggregates ? node : Object.freeze({ ...node, aggregates })
}

const withColumns = <N extends ProjectNode | PendingNode | OverNode>(node: N, columns: N['columns']): N =>
  columns === node.columns ? node : Object.freeze(Object.assign({ ...node }, { columns }))

type ExpressionOf = Parameters<typeof resolve>[0]

function mapInputsOf(
  call: AggregateCall,
  map: (expression: ExpressionOf, verb: string) => ExpressionOf,
): AggregateCall {
  const inputs = call.inputs.map(input => map(input, call.function))
  const where = call.where && map(call.where, `${call.function}.where`)
  if (where === call.where && sameItems(inputs, call.inputs)) return call
  return Object.freeze({ ...call, inputs, ...(where === undefined ? {} : { where }) })
}
