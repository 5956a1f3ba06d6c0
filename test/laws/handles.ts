/**
 * Says the model's flows and expressions through the public interface. Names are only known when a test runs, so the flows
 * here are `Flow<any>`; that the types of a written flow are right is the business of test/types.
 */
import * as millrace from '../../src/index.js'
import { asc, desc, type Flow } from '../../src/index.js'
import type { ModelAggregate } from '../oracle/aggregate.js'
import type { ModelExpression, ModelLiteral } from '../oracle/expression.js'
import { dateText } from '../oracle/javascript.js'
import type { ModelPlaced } from '../oracle/over.js'
import { type ModelTable, NANOSECONDS_PER } from '../oracle/value.js'
import type { ModelVerb } from '../oracle/verbs.js'
import { beside, schemaOf } from './carriers.js'

export type AnyFlow = Flow<any>
type Handles = Record<string, any>

const CALLS = millrace as unknown as Record<string, (...of: any[]) => any>

/** A flow over a table that stands beside another. */
type Beside = (table: ModelTable) => AnyFlow

export function applyVerbs(flow: AnyFlow, verbs: readonly ModelVerb[], side: Beside = beside): AnyFlow {
  return verbs.reduce((before, verb) => applyVerb(before, verb, side), flow)
}

export function applyVerb(flow: AnyFlow, verb: ModelVerb, side: Beside = beside): AnyFlow {
  switch (verb.verb) {
    case 'select':
      return flow.select(...verb.names)
    case 'drop':
      return flow.drop(...verb.names)
    case 'rename':
      return flow.rename(own(verb.names))
    case 'derive':
      return flow.derive((t: Handles) => own(verb.columns.map(([name, expression]) => [name, handleOf(t, expression)])))
    case 'filter':
      return flow.filter((t: Handles) => handleOf(t, verb.predicate))
    case 'dropNulls':
      return flow.dropNulls(...verb.names)
    case 'dedupe':
      return verb.keep === 'last' ? flow.dedupe({ keys: verb.keys, keep: 'last' }) : flow.dedupe(...verb.keys)
    case 'fillNull':
      return flow.fillNull(own(verb.columns.map(([name, method]) => [name, { method }])) as never)
    case 'map':
    case 'flatMap': {
      const made = (row: Record<string, unknown>) => own(verb.fields.map(({ name }) => [name, row[name]]))
      const options = { schema: schemaOf(verb.fields) }
      // A row is made of all its columns, of which others may not do.
      const chosen = flow.select(...new Set([...verb.fields.map(({ name }) => name), verb.twice]))
      if (verb.verb === 'map') return chosen.map(made as never, options)
      return chosen.flatMap(((row: any) => (row[verb.twice] === null ? [] : [made(row), made(row)])) as never, options)
    }
    case 'limit':
      return flow.limit(verb.count, verb.offset)
    case 'orderBy':
      return flow.orderBy(
        ...verb.orders.map(({ name, descending, nulls }) => (descending ? desc : asc)(name, { nulls })),
      )
    case 'topK':
      return flow.topK(
        verb.count,
        ...verb.orders.map(({ name, descending, nulls }) => (descending ? desc : asc)(name, { nulls })),
      )
    case 'explode':
      return flow.explode(verb.name)
    case 'unpivot': {
      const { on, index, variableName, valueName } = verb
      return flow.unpivot({ on, ...(index === null ? {} : { index }), variableName, valueName })
    }
    case 'over': {
      const { partitionBy, orders, frame, columns } = verb
      const options = {
        partitionBy,
        orderBy: orders.map(({ name, descending, nulls }) => (descending ? desc : asc)(name, { nulls })),
        ...(frame === null ? {} : { [frame.unit]: [frame.from, frame.to] }),
      }
      return flow.over(options as never, (t: Handles) =>
        own(columns.map(([name, column]) => [name, 'placed' in column ? placedOf(t, column) : aggregateOf(t, column)])),
      )
    }
    case 'asofJoin': {
      const { on, by, direction, tolerance, suffix } = verb
      return (flow as any).asofJoin(side(verb.right), {
        on: on[0] === on[1] ? on[0] : { left: on[0], right: on[1] },
        ...(by.length === 0 ? {} : { by: own(by) }),
        direction,
        ...(tolerance === null ? {} : { tolerance: tolerance.written }),
        suffix,
      })
    }
    case 'union':
      return (flow as any).union(...verb.others.map(({ table, verbs }) => applyVerbs(side(table), verbs, side)), {
        missing: verb.missing,
      })
    case 'join': {
      const { how, suffix, where } = verb
      const method = how === 'inner' ? 'join' : `${how}Join`
      const options = {
        ...(how === 'semi' || how === 'anti' ? {} : { suffix }),
        ...(where === null ? {} : { where: (l: Handles, r: Handles) => handleOf(bothSides(l, r), where) }),
      }
      return (flow as any)[method](side(verb.right), own(verb.keys), options)
    }
    case 'aggregate': {
      const of = (t: Handles) => own(verb.aggregates.map(([name, aggregate]) => [name, aggregateOf(t, aggregate)]))
      const groups = verb.least === undefined ? [] : [millrace.minGroupSize(verb.least)]
      if (verb.by !== undefined) return flow[verb.by](...verb.keys).aggregate(of, ...groups)
      return verb.keys.length === 0 ? flow.aggregate(of) : flow.groupBy(...verb.keys).aggregate(of, ...groups)
    }
  }
}

/** Handles of both sides under the names that the model gives them. */
const bothSides = (l: Handles, r: Handles): Handles =>
  new Proxy({}, { get: (_, name: string) => (name.startsWith('l.') ? l : r)[name.slice(2)] })

/** The handle of an expression; a literal, which only ever stands on the right, as the JavaScript value that a user would write. */
export function handleOf(t: Handles, expression: ModelExpression): any {
  switch (expression.op) {
    case 'column':
      return t[expression.name]
    case 'literal':
      return literalOf(expression)
    case 'not':
    case 'neg':
    case 'isNull':
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour':
      return handleOf(t, expression.input)[expression.op]()
    case 'between':
      return handleOf(t, expression.input).between(handleOf(t, expression.low), handleOf(t, expression.high))
    case 'in':
      return handleOf(t, expression.input).in(expression.values.map(literalOf))
    case 'call': {
      if (expression.function === 'when') return whenOf(expression.inputs.map(input => handleOf(t, input)))
      const [first, ...rest] = expression.inputs.map(input => handleOf(t, input))
      const { zone, key, ...told } = expression.parameters ?? {}
      if (key !== undefined)
        return first.hash({
          key: Uint8Array.from((key as string).match(/../g) ?? [], digits => Number.parseInt(digits, 16)),
        })
      const others = Object.values(told)
      // Beside others a zone is an option.
      const named = zone === undefined ? [] : [others.length === 0 ? zone : { zone }]
      return first[expression.function](...rest, ...others, ...named)
    }
    default:
      return handleOf(t, expression.left)[expression.op](handleOf(t, expression.right))
  }
}

/** Conditions and their values by turns, and perhaps what else there is. */
function whenOf(inputs: readonly unknown[]): any {
  let made: any = { when: CALLS.when }
  for (let i = 0; i + 1 < inputs.length; i += 2) made = made.when(inputs[i]).then(inputs[i + 1])
  return inputs.length % 2 === 1 ? made.otherwise(inputs[inputs.length - 1]) : made
}

function literalOf({ value, type }: ModelLiteral): unknown {
  if (typeof value !== 'bigint') return value
  if (type.kind === 'date') return dateText(value)
  if (type.kind === 'timestamp')
    return new Date(Number((value * NANOSECONDS_PER[type.unit ?? 'ms']) / NANOSECONDS_PER.ms))
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

function placedOf(t: Handles, { placed, inputs, rows, missing, alpha }: ModelPlaced): any {
  const told = alpha === undefined ? rows : { alpha }
  const given = typeof missing === 'bigint' ? Number(missing) : missing
  const all = [...inputs.map(input => handleOf(t, input)), ...(told === undefined ? [] : [told])]
  return CALLS[placed]?.(...all, ...(given === undefined ? [] : [given]))
}

export function aggregateOf(t: Handles, aggregate: ModelAggregate): any {
  if ('literal' in aggregate)
    return typeof aggregate.literal === 'bigint' ? Number(aggregate.literal) : aggregate.literal
  if ('op' in aggregate) return aggregateOf(t, aggregate.left)[aggregate.op](aggregateOf(t, aggregate.right))
  const { function: name, inputs, parameters = {}, where } = aggregate
  const { q, n, separator, edges, population } = parameters
  const told = q ?? n ?? separator ?? edges ?? (population === undefined ? undefined : { population })
  const given = [...inputs.map(input => handleOf(t, input)), ...(told === undefined ? [] : [told])]
  const call = CALLS[name]?.(...given)
  return where === null ? call : call.where(handleOf(t, where))
}

/** An object with own properties, defined and not assigned, so that `__proto__` is one of them. */
export function own<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries)
}
