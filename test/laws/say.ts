/** Flows and tables of the model as text near to what a user would write, so that a failing case can be read and tried. */
import type { ModelAggregate } from '../oracle/aggregate.js'
import type { ModelExpression } from '../oracle/expression.js'
import type { ModelPlaced } from '../oracle/over.js'
import type { ModelTable, Value } from '../oracle/value.js'
import type { ModelOrder, ModelVerb } from '../oracle/verbs.js'
import { typeText, valueText } from './compare.js'

const quoted = (names: readonly string[]) => names.map(name => JSON.stringify(name)).join(', ')

export function sayTable({ fields, rows, made }: ModelTable): string {
  if (made !== undefined) return `${sayTable(made.table)}\n${sayVerbs(made.verbs)}`
  const heads = fields.map(({ name, type }) => `${JSON.stringify(name)}: ${typeText(type)}`)
  const lines = rows.slice(0, 60).map(({ values }) => `  ${values.map(valueText).join(' | ')}`)
  return [`{ ${heads.join(', ')} } ${rows.length} rows`, ...lines].join('\n')
}

export function sayVerbs(verbs: readonly ModelVerb[]): string {
  return verbs.map(verb => `  .${sayVerb(verb)}`).join('\n')
}

function sayVerb(verb: ModelVerb): string {
  switch (verb.verb) {
    case 'select':
    case 'drop':
      return `${verb.verb}(${quoted(verb.names)})`
    case 'rename':
      return `rename(${verb.names.map(([from, to]) => `${JSON.stringify(from)}: ${JSON.stringify(to)}`).join(', ')})`
    case 'derive':
      return `derive(${verb.columns.map(([name, one]) => `${JSON.stringify(name)}: ${sayExpression(one)}`).join(', ')})`
    case 'filter':
      return `filter(${sayExpression(verb.predicate)})`
    case 'dropNulls':
      return `dropNulls(${quoted(verb.names)})`
    case 'dedupe':
      return `dedupe({ keys: [${quoted(verb.keys)}], keep: ${verb.keep} })`
    case 'fillNull':
      return `fillNull(${verb.columns.map(([name, method]) => `${JSON.stringify(name)}: by ${method}`).join(', ')})`
    case 'map':
    case 'flatMap':
      return `${verb.verb}(to ${quoted(verb.fields.map(({ name }) => name))}${verb.verb === 'map' ? '' : `, twice where ${JSON.stringify(verb.twice)}`})`
    case 'limit':
      return `limit(${verb.count}, ${verb.offset})`
    case 'orderBy':
      return `orderBy(${sayOrders(verb.orders)})`
    case 'topK':
      return `topK(${verb.count}, ${sayOrders(verb.orders)})`
    case 'explode':
      return `explode(${JSON.stringify(verb.name)})`
    case 'unpivot':
      return `unpivot(${JSON.stringify({ ...verb, verb: undefined })})`
    case 'over': {
      const columns = verb.columns.map(
        ([name, one]) => `${JSON.stringify(name)}: ${'placed' in one ? sayPlaced(one) : sayAggregate(one)}`,
      )
      const frame = verb.frame === null ? '' : ` ${verb.frame.unit} ${verb.frame.from} to ${verb.frame.to}`
      return `over(${quoted(verb.partitionBy)} by ${sayOrders(verb.orders)}${frame}, ${columns.join(', ')})`
    }
    case 'asofJoin': {
      const { right, ...how } = verb
      const text = JSON.stringify(how, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
      return `asofJoin(${text}) with\n${sayTable(right)}`
    }
    case 'union':
      return `union(${verb.others.map(({ table, verbs }) => `\n${sayTable(table)}\n${sayVerbs(verbs)}\n`).join(', ')})`
    case 'join': {
      const on = verb.keys.map(([left, right]) => `${JSON.stringify(left)}: ${JSON.stringify(right)}`)
      const where = verb.where === null ? '' : `where ${sayExpression(verb.where)}`
      return `${verb.how}Join({ ${on.join(', ')} }) ${where} suffix ${JSON.stringify(verb.suffix)} with\n${sayTable(verb.right)}`
    }
    case 'aggregate': {
      const aggregates = verb.aggregates.map(([name, one]) => `${JSON.stringify(name)}: ${sayAggregate(one)}`)
      const least = verb.least === undefined ? '' : ` where ${verb.least} rows`
      return `${verb.by ?? 'groupBy'}(${quoted(verb.keys)}).aggregate(${aggregates.join(', ')})${least}`
    }
  }
}

const sayPlaced = ({ placed, inputs, rows, missing, alpha }: ModelPlaced): string =>
  `${placed}(${[...inputs.map(sayExpression), rows, missing, alpha]
    .filter(told => told !== undefined)
    .map(String)
    .join(', ')})`

const sayOrders = (orders: readonly ModelOrder[]): string =>
  orders
    .map(({ name, descending, nulls }) => `${descending ? 'desc' : 'asc'} ${JSON.stringify(name)} nulls ${nulls}`)
    .join(', ')

export function sayExpression(expression: ModelExpression): string {
  switch (expression.op) {
    case 'column':
      return `t[${JSON.stringify(expression.name)}]`
    case 'literal':
      return sayLiteral(expression.value, expression.type.kind)
    case 'between':
      return `${sayExpression(expression.input)}.between(${sayExpression(expression.low)}, ${sayExpression(expression.high)})`
    case 'in':
      return `${sayExpression(expression.input)}.in([${expression.values.map(sayExpression).join(', ')}])`
    case 'call': {
      const told = Object.values(expression.parameters ?? {}).map(value => JSON.stringify(value))
      return `${expression.function}(${[...expression.inputs.map(sayExpression), ...told].join(', ')})`
    }
    default:
      if ('input' in expression) return `${sayExpression(expression.input)}.${expression.op}()`
      return `${sayExpression(expression.left)}.${expression.op}(${sayExpression(expression.right)})`
  }
}

function sayLiteral(value: Value, kind: string): string {
  return kind === 'timestamp' || kind === 'date' ? `${kind} ${value}` : valueText(value)
}

function sayAggregate(aggregate: ModelAggregate): string {
  if ('literal' in aggregate) return valueText(aggregate.literal)
  if ('op' in aggregate) return `${sayAggregate(aggregate.left)}.${aggregate.op}(${sayAggregate(aggregate.right)})`
  const parameters = Object.entries(aggregate.parameters ?? {}).map(([name, value]) => `${name}: ${valueText(value)}`)
  const call = `${aggregate.function}(${[...aggregate.inputs.map(sayExpression), ...parameters].join(', ')})`
  return aggregate.where === null ? call : `${call}.where(${sayExpression(aggregate.where)})`
}
