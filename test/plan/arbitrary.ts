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
import { overNode } from '../../src/plan/over.js'
import { explodeNode, unpivotNode } from '../../src/plan/shape.js'
import { schemaOfPlan } from '../../src/plan/typing.js'
import { rawOf, schemaOfFields } from '../expressions/arbitrary.js'
import type { ModelAggregate } from '../oracle/aggregate.js'
import type { ModelPlaced } from '../oracle/over.js'
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
    case 'topK':
      return limitNode(sortNode(input, schema, verb.orders), verb.count)
    case 'explode':
      return explodeNode(input, schema, verb.name)
    case 'unpivot':
      return unpivotNode(input, schema, verb)
    case 'over':
      return overNode(
        input,
        schema,
        verb,
        verb.columns.map(([name, column]) => ({
          name,
          expression: 'placed' in column ? placedOf(column) : aggregateOf(column),
        })),
      )
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
    case 'fillNull':
    case 'map':
    case 'flatMap':
      throw new Error('a plan of one table has no joins, and no stages')
  }
}

function placedOf({ placed, inputs, rows, missing, alpha }: ModelPlaced): AggregateExpression {
  return {
    op: 'aggregate',
    function: placed,
    inputs: inputs.map(rawOf),
    parameters: {
      ...(rows === undefined ? {} : { rows }),
      ...(alpha === undefined ? {} : { alpha }),
      ...(missing === undefined
        ? {}
        : { default: { op: 'literal', value: typeof missing === 'bigint' ? Number(missing) : (missing as string) } }),
    },
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
