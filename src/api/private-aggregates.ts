/** Private aggregates taken apart: what lanes compute, what noise the calling thread adds, and what it costs. privacy.ts has what users call. */
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { Table } from '../columnar/table.js'
import { bool, type DataType, float64, int64, isNumber, type SchemaShape } from '../columnar/type.js'
import type { AggregateCall, AggregateExpression, Expression } from '../expressions/node.js'
import { printAggregate, printName } from '../expressions/print.js'
import { aggregateNode, columnOf, filterNode, freshName, projectNode, sortNode } from '../plan/build.js'
import { call } from '../plan/cleaning.js'
import type { NamedAggregate } from '../plan/logical.js'
import type { RandomBytes } from '../sources/discrete-noise.js'
import { tableSource } from '../sources/memory.js'
import type { GroupChoice, Noise, NoisyColumn, NoisyPlan } from '../sources/noisy-groups.js'
import type { PlanBefore, Source } from '../sources/source.js'
import { type AggregateExpr, aggregateCall } from './aggregate-expr.js'
import { Flow, flowOf } from './flow.js'
import { joined } from './joins.js'
import type { BoundedOptions, PrivacyCost, PrivateRelease } from './privacy.js'
import { namesOf, plainColumns } from './private-groups.js'
import { invalid, show } from './refusal.js'
import type { Lowering, UserDefinition } from './user-aggregate.js'

export type PrivateName = 'dpCount' | 'dpSum' | 'dpMean'

/** What is promised once an answer's cost has been taken. */
export interface Release {
  readonly random: RandomBytes
  /** Where nothing came of it. Idempotent. */
  takeBack(): void
}
export type Reserve = (release: PrivateRelease) => Release

/** Which groups come out, as users say it. */
export type PrivateChoice =
  | { readonly kind: 'public'; readonly groups: Flow<any> }
  | ({ readonly kind: 'enough' } & PrivacyCost)

interface Definition {
  readonly reserve: Reserve
  readonly cost: PrivacyCost
  /** Of a count there is none. */
  readonly grid: Grid | null
}

/** Bounded values as whole numbers of `unit`, of which the least and the greatest are rounded outward. */
interface Grid {
  readonly unit: number
  readonly lower: number
  readonly upper: number
  /** As users gave them. */
  readonly bounds: readonly [number, number]
}

export function privateCall(
  name: PrivateName,
  reserve: Reserve,
  inputs: readonly unknown[],
  options: PrivacyCost & Partial<BoundedOptions>,
): AggregateExpr<any, any> {
  const { epsilon, delta } = options
  const grid = name === 'dpCount' ? null : gridOf(name, options)
  const definition: Definition = Object.freeze({ reserve, cost: { epsilon, delta }, grid })
  const user: UserDefinition = Object.freeze({ name, isPrivate: true, definition, lower: privateLowering(null) })
  return aggregateCall(name === 'dpCount' ? 'count' : 'sum', inputs, undefined, user)
}

/** Bits of the greatest bound: rounding shifts a sum of 10^7 values by a hundredth of the bound at most, and sums of 2^32 values fit. */
const GRID_BITS = 30

/** @throws MillraceError `MR_INVALID_OPTION` */
function gridOf(name: string, { lower, upper }: Partial<BoundedOptions>): Grid {
  for (const bound of [lower, upper]) {
    if (typeof bound !== 'number' || !Number.isFinite(bound))
      throw invalid(
        name,
        `lower and upper are numbers that bound each value, as in { lower: 0, upper: 100, epsilon: 0.1 }, not ${show(bound)}`,
      )
  }
  const [low, high] = [lower as number, upper as number]
  if (low >= high) throw invalid(name, `lower is below upper, and ${low} is not below ${high}`)
  const size = Math.max(-low, high, low, -high)
  if (size > 2 ** 900 || size < 2 ** -900)
    throw invalid(name, `bounds such as ${size} are too far from 1; scale the values first`)
  const unit = 2 ** (Math.ceil(Math.log2(size)) - GRID_BITS)
  return { unit, lower: Math.floor(low / unit), upper: Math.ceil(high / unit), bounds: [low, high] }
}

/** @param choice null: not told */
export function privateLowering(choice: PrivateChoice | null): Lowering {
  return (flow, keys, aggregates, sets, verb) => {
    // For its checks of names.
    aggregateNode(flow.plan, flow.schema, keys, aggregates, sets, verb)
    checkChoice(choice, keys, sets !== null, verb)
    const calls = [...new Set(aggregates.flatMap(({ expression }) => callsIn(expression)))]
    const reserve = reserveOf(calls)
    const taken = [...keys, ...namesOf(aggregates)]
    const fresh = (): string => {
      const name = freshName(`#${taken.length}`, taken)
      taken.push(name)
      return name
    }
    const exact: NamedAggregate[] = []
    const compute = (expression: AggregateExpression): string => {
      const name = fresh()
      exact.push({ name, expression })
      return name
    }
    const columns = calls.map(node => noisyColumn(node, fresh(), compute))
    const groups: GroupChoice =
      choice?.kind === 'enough'
        ? { ...choice, count: compute({ op: 'aggregate', function: 'count', inputs: [] }), name: fresh() }
        : { kind: 'all', keys }
    const noisy: NoisyPlan = { columns, choice: groups, hidden: namesOf(exact) }

    const inner = grouped(flow, keys, exact, sets, verb, choice)
    // A row counts once in the groups of each set.
    const times = sets?.length ?? 1
    const costs = [...calls.map(node => definitionOf(node).cost), ...(choice?.kind === 'enough' ? [choice] : [])]
    const cost = {
      epsilon: times * sum(costs.map(({ epsilon }) => epsilon)),
      delta: times * sum(costs.map(({ delta }) => delta)),
    }
    const label = aggregates
      .map(({ name, expression }) => `${printName(name)} = ${printAggregate(expression)}`)
      .join(', ')
    const { plan, sources } = flowOf(noisySource(inner, noisy, () => reserve({ label, ...cost }), label, cost))

    const kept = groups.kind === 'all' ? plan : filterNode(plan, columnOf(groups.name))
    const columnFor = (node: AggregateExpression): Expression => {
      if (node.op === 'literal') return node
      if (node.op === 'aggregate') return columnOf(columns[calls.indexOf(node)].name)
      return Object.freeze({ op: node.op, left: columnFor(node.left), right: columnFor(node.right) })
    }
    const results = aggregates.map(({ name, expression }) => ({ name, expression: columnFor(expression) }))
    return new Flow(projectNode(kept, 'aggregate', [...plainColumns(keys), ...results]), sources)
  }
}

/** @throws MillraceError `MR_INVALID_OPTION` where groups would tell of rows, or there is nothing to choose from */
function checkChoice(choice: PrivateChoice | null, keys: readonly string[], hasSets: boolean, verb: string): void {
  if (keys.length === 0) {
    if (choice !== null)
      throw invalid('aggregate', 'without keys there is one group, which always comes out; leave the groups out')
  } else if (choice === null) {
    throw invalid(
      verb,
      'which groups there are tells of their rows; name them beforehand, as in aggregate(t => ..., publicGroups(flow)), or have them chosen by dpGroups({ epsilon, delta })',
    )
  } else if (choice.kind === 'public' && hasSets) {
    throw invalid(verb, 'public groups are those of all keys; use groupBy, or dpGroups')
  }
}

/** @throws MillraceError `MR_INVALID_OPTION` */
function callsIn(node: AggregateExpression): AggregateCall[] {
  if (node.op === 'literal') return []
  if (node.op !== 'aggregate') return [...callsIn(node.left), ...callsIn(node.right)]
  if ((node.definition as UserDefinition | undefined)?.isPrivate) return [node]
  throw invalid(
    'aggregate',
    `${printAggregate(node)} would give away exactly what the private aggregates beside it hide; have only private ones here`,
  )
}

const definitionOf = ({ definition }: AggregateCall) => (definition as UserDefinition).definition as Definition

/** Takes from the one budget of all. @throws MillraceError `MR_INVALID_OPTION` */
function reserveOf(calls: readonly AggregateCall[]): Reserve {
  if (calls.length === 0) throw invalid('aggregate', 'groups for private aggregates are given, and there is none')
  const [first, ...others] = new Set(calls.map(node => definitionOf(node).reserve))
  if (others.length > 0)
    throw invalid('aggregate', 'private aggregates of two budgets stand in one; take them from one')
  return first
}

/** A column with noise, and what lanes compute for it. */
function noisyColumn(
  node: AggregateCall,
  name: string,
  compute: (expression: AggregateExpression) => string,
): NoisyColumn {
  const {
    cost: { epsilon, delta },
    grid,
  } = definitionOf(node)
  const { where } = node
  const over = (called: 'count' | 'sum', inputs: readonly Expression[]): string =>
    compute({ op: 'aggregate', function: called, inputs, ...(where === undefined ? {} : { where }) })
  if (grid === null) {
    return { kind: 'count', name, of: over('count', []), noise: { sensitivity: 1, epsilon, delta } }
  }
  const { unit, lower, upper } = grid
  const value = onGrid(node.inputs[0], grid)
  if (node.definition?.name === 'dpSum') {
    const noise: Noise = { sensitivity: Math.max(Math.abs(lower), Math.abs(upper)), epsilon, delta }
    return { kind: 'sum', name, of: over('sum', [value]), unit, noise }
  }
  // From the middle values are half as far away at most as from zero.
  const middle = Math.round((lower + upper) / 2)
  const distance: Expression = {
    op: 'sub',
    left: value,
    right: { op: 'literal', value: BigInt(middle), type: INT64 },
  }
  const half = { epsilon: epsilon / 2, delta: delta / 2 }
  return {
    kind: 'mean',
    name,
    of: over('sum', [distance]),
    count: over('count', [value]),
    unit,
    middle: middle * unit,
    lower: grid.bounds[0],
    upper: grid.bounds[1],
    noise: { sensitivity: Math.max(upper - middle, middle - lower), ...half },
    countNoise: { sensitivity: 1, ...half },
  }
}

/** A value as a whole number of units: int64, null for null and NaN. */
function onGrid(value: Expression, { unit, bounds: [lower, upper] }: Grid): Expression {
  const clamped = call('clamp', value, literal(lower), literal(upper))
  const units = call('round', { op: 'mul', left: clamped, right: literal(1 / unit) })
  return Object.freeze({ ...call('tryCast', units), parameters: { type: INT64 } }) as Expression
}

const INT64 = int64()
const literal = (value: number): Expression => ({ op: 'literal', value, type: float64() })

/** What lanes compute of each group, in an order that tells of no row. */
function grouped(
  flow: Flow,
  keys: readonly string[],
  exact: readonly NamedAggregate[],
  sets: Parameters<Lowering>[3],
  verb: string,
  choice: PrivateChoice | null,
): Flow {
  const inner = new Flow(aggregateNode(flow.plan, flow.schema, keys, exact, sets, verb), flow.sources)
  if (choice === null) return inner
  if (choice.kind === 'public') return joined('leftJoin', publicKeys(choice.groups, flow, keys), inner, keys, {})
  const orders = keys.map(name => ({ name, descending: false, nulls: 'last' as const }))
  return new Flow(sortNode(inner.plan, inner.schema, orders), inner.sources)
}

/** Each once, and numbers of the type that the flow's keys have, where that is known. */
function publicKeys(groups: Flow<any>, { schema }: Flow, keys: readonly string[]): Flow {
  const own = groups.select(...keys)
  const types = keys.flatMap((name): [string, DataType][] => {
    const [given, wanted] = [own.schema?.[name], schema?.[name]] as (DataType | undefined)[]
    return given && wanted && isNumber(given.kind) && isNumber(wanted.kind) && given.kind !== wanted.kind
      ? [[name, wanted]]
      : []
  })
  return (types.length === 0 ? own : own.cast(Object.fromEntries(types))).dedupe()
}

/** The rows of `inner` with noise, which each job that asks for them pays for. */
function noisySource(inner: Flow, noisy: NoisyPlan, reserve: () => Release, label: string, cost: PrivacyCost): Source {
  const notRun = async () => {
    throw new Error('a source that is to be settled first was opened')
  }
  return {
    label,
    schema: inner.schema === null ? null : noisySchema(inner.schema, noisy),
    rowCount: null,
    before: inner,
    step: `noise for ${label}, at epsilon ${cost.epsilon}${cost.delta > 0 ? ` and delta ${cost.delta}` : ''}`,
    async settle(collect: (before: PlanBefore) => Promise<Table>) {
      const release = reserve()
      try {
        const [{ noisyTable }, table] = await Promise.all([import('../sources/noisy-groups.js'), collect(inner)])
        return {
          ...tableSource(await noisyTable(table, noisy, noisySchema(table.schema, noisy), release.random)),
          label,
        }
      } catch (error) {
        // Nothing has been given away.
        release.takeBack()
        throw error
      }
    },
    describe: notRun,
    open: notRun,
  }
}

/** Columns that come out of these. */
function noisySchema(input: SchemaShape, { columns, choice, hidden }: NoisyPlan): SchemaShape {
  return schemaOf([
    ...fieldsOf(input).filter(({ name }) => !hidden.includes(name)),
    ...columns.map(({ name, kind }) => ({ name, type: kind === 'count' ? int64() : float64() })),
    ...(choice.kind === 'all' ? [] : [{ name: choice.name, type: bool() }]),
  ])
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
