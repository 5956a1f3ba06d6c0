/** The model's flows, said as plans. */
import type { SchemaShape } from '../../src/columnar/type.js'
import type { AggregateExpression } from '../../src/expressions/node.js'
import {
  aggregateNode,
  dedupeNode,
  deriveNode,
  dropNode,
  dropNullsNode,
  filterNode,
  limitNode,
  renameNode,
  selectNode,
  sortNode,
  sourceNode,
} from '../../src/plan/build.js'
import type { PlanNode } from '../../src/plan/logical.js'
import { schemaOfPlan } from '../../src/plan/typing.js'
import { rawOf, schemaOfFields } from '../expressions/arbitrary.js'
import type { ModelAggregate } from '../oracle/aggregate.js'
import type { ModelField } from '../oracle/value.js'
import { groupingSets, type ModelVerb } from '../oracle/verbs.js'

/** @param isKnown whether the source says its schema before it is opened. */
export function planOf(fields: readonly ModelField[], verbs: readonly ModelVerb[], isKnown = true): PlanNode {
  return verbs.reduce<PlanNode>(
    (plan, verb) => nodeOf(verb, plan, schemaOfPlan(plan)),
    sourceNode(1, 'test', isKnown ? schemaOfFields(fields) : null),
  )
}

function nodeOf(verb: ModelVerb, input: PlanNode, schema: SchemaShape | null): PlanNode {
  switch (verb.verb) {
    case 'select':
      return selectNode(input, schema, verb.names)
    case 'drop':
      return dropNode(input, schema, verb.names)
    case 'rename':
      return renameNode(input, schema, verb.names)
    case 'derive':
      return deriveNode(
        input,
        schema,
        verb.columns.map(([name, expression]) => ({ name, expression: rawOf(expression) })),
      )
    case 'filter':
      return filterNode(input, rawOf(verb.predicate))
    case 'dropNulls':
      return dropNullsNode(input, schema, verb.names)
    case 'dedupe':
      return dedupeNode(input, schema, verb.keys, verb.keep)
    case 'limit':
      return limitNode(input, verb.count, verb.offset)
    case 'orderBy':
      return sortNode(input, schema, verb.orders)
    case 'aggregate':
      return aggregateNode(
        input,
        schema,
        verb.keys,
        verb.aggregates.map(([name, aggregate]) => ({ name, expression: aggregateOf(aggregate) })),
        verb.by === undefined ? null : groupingSets(verb),
      )
    case 'asofJoin':
    case 'union':
    case 'join':
      throw new Error('a plan of one table has no joins')
  }
}

function aggregateOf(aggregate: ModelAggregate): AggregateExpression {
  if ('literal' in aggregate) return { op: 'literal', value: Number(aggregate.literal) }
  if ('op' in aggregate)
    return { op: aggregate.op, left: aggregateOf(aggregate.left), right: aggregateOf(aggregate.right) }
  const { function: name, inputs, parameters, where } = aggregate
  return {
    op: 'aggregate',
    function: name,
    inputs: inputs.map(rawOf),
    ...(parameters === undefined ? {} : { parameters }),
    ...(where === null ? {} : { where: rawOf(where) }),
  }
}
