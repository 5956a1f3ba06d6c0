/** Random chains of verbs over a table, each typed by what the verb before it leaves, steered by a tape. */
import {
  type ModelAggregate,
  type ModelAggregateCall,
  type ModelFunction,
  type ModelParameters,
  typeOfAggregate,
} from '../oracle/aggregate.js'
import { INT64_MAX, type ModelExpression } from '../oracle/expression.js'
import { stringFunctions } from '../oracle/functions/strings.js'
import { timeFunctions } from '../oracle/functions/times.js'
import { commonType } from '../oracle/join.js'
import type { ModelUnion } from '../oracle/union.js'
import { isInteger, isNumber, type ModelField, type ModelTable, type Value } from '../oracle/value.js'
import { fieldsAfter, groupingSets, type ModelOrder, type ModelVerb, runModel } from '../oracle/verbs.js'
import { castExpression, magnitudeOfCast } from './cast-calls.js'
import type { Choices } from './choices.js'
import { choosingExpression, familyOf } from './choosing.js'
import { boolExpression, type ColumnState, magnitudeOf, numberExpression } from './expressions.js'
import { columnsAfterAsof, columnsAfterJoin, columnsAfterUnion, otherTable, someAsof, someJoin } from './joins.js'
import { someOver } from './over.js'
import { someFill, someMap } from './staged.js'
import { textExpression } from './strings.js'
import { NAMES } from './tables.js'
import { timeExpression } from './times.js'

/** What chains may be made of. Approximate results are no function of what the model knows: laws of their own hold them. */
export interface Abilities {
  readonly functions: readonly ModelFunction[]
  /** Whether rollups and cubes are drawn. */
  readonly sets: boolean
  /** Whether verbs are drawn that make many rows of few, or that the model is slow at. */
  readonly grows: boolean
  /** Whether joins are: these have a table of their own. */
  readonly joins: boolean
  /** What a chain is made of; left out: anything. */
  readonly verbs?: readonly ModelVerb['verb'][]
  /** Whether stages in the calling thread are, and rules of which groups come out: what is more than one plan, or made by the api. */
  readonly stages: boolean
}

export const ALL: Abilities = {
  functions: [
    'count',
    'countDistinct',
    'sum',
    'mean',
    'min',
    'max',
    'variance',
    'stddev',
    'covariance',
    'correlation',
    'slope',
    'first',
    'last',
    'any',
    'argMin',
    'argMax',
    'median',
    'quantile',
    'mode',
    'topK',
    'bottomK',
    'collectList',
    'join',
    'every',
    'some',
    'histogram',
  ],
  sets: true,
  grows: true,
  joins: true,
  stages: true,
}

/** Of what stands beside another table. */
const MOST_OTHER_ROWS = 200

interface FlowState extends Abilities {
  readonly columns: readonly ColumnState[]
  /** No more rows than this. */
  readonly rowCount: number
}

type Maker = (state: FlowState, choices: Choices) => ModelVerb | null

const MAKERS: Record<ModelVerb['verb'], Maker> = {
  aggregate: someAggregate,
  derive: (state, choices) => someDerive(state, choices, false),
  filter({ columns }, choices) {
    const predicate = boolExpression({ columns, choices, mayFail: false }, 2)
    return predicate === null ? null : { verb: 'filter', predicate }
  },
  orderBy({ columns }, choices) {
    const orders = someOrders(columns, choices)
    return orders.length === 0 ? null : { verb: 'orderBy', orders }
  },
  topK({ columns }, choices) {
    const orders = someOrders(columns, choices)
    return orders.length === 0 ? null : { verb: 'topK', count: choices.below(20), orders }
  },
  explode(state, choices) {
    const { columns } = state
    const lists = columns.filter(({ type }) => type.kind === 'list')
    return lists.length === 0 || !state.grows ? null : { verb: 'explode', name: choices.pick(namesOf(lists)) }
  },
  unpivot: (state, choices) => (state.grows ? someUnpivot(state, choices) : null),
  over: (state, choices) =>
    state.grows ? someOver(state.columns, choices, () => someAggregateExpression(state, choices, 1)) : null,
  dropNulls: ({ columns }, choices) => ({ verb: 'dropNulls', names: choices.some(namesOf(columns), 2) }),
  dedupe({ columns }, choices) {
    const keys = choices.chance(70) ? choices.some(namesOf(comparable(columns)), 2) : []
    if (keys.length === 0 && comparable(columns).length < columns.length) return null
    return { verb: 'dedupe', keys, keep: choices.pick(['first', 'last'] as const) }
  },
  fillNull: (state, choices) => (state.stages ? someFill(state.columns, choices) : null),
  map: (state, choices) => (state.stages && state.rowCount < 5000 ? someMap(state.columns, choices) : null),
  flatMap: (state, choices) => MAKERS.map(state, choices),
  limit: (_, choices) => ({
    verb: 'limit',
    count: choices.below(40),
    offset: choices.chance(30) ? choices.below(20) : 0,
  }),
  select: ({ columns }, choices) => ({ verb: 'select', names: choices.some(namesOf(columns), columns.length) }),
  drop({ columns }, choices) {
    return columns.length < 2 ? null : { verb: 'drop', names: choices.some(namesOf(columns), columns.length - 1) }
  },
  join: (state, choices) =>
    state.joins && state.rowCount < 5000 ? someJoin(state.columns, choices, someOther(state, choices)) : null,
  asofJoin: (state, choices) =>
    state.joins && state.rowCount < 5000 ? someAsof(state.columns, choices, someOther(state, choices)) : null,
  union: (state, choices) => (state.joins && state.rowCount < 5000 ? someUnion(state, choices) : null),
  rename({ columns }, choices) {
    const free = NAMES.filter(name => !namesOf(columns).includes(name))
    const from = choices.some(namesOf(columns), 2)
    return free.length < 2 ? null : { verb: 'rename', names: from.map((name, i) => [name, free[i] as string]) }
  },
}

function someOrders(columns: readonly ColumnState[], choices: Choices): ModelOrder[] {
  if (comparable(columns).length === 0) return []
  return choices.some(namesOf(comparable(columns)), 3).map(name => ({
    name,
    descending: choices.chance(50),
    nulls: choices.chance(30) ? ('first' as const) : ('last' as const),
  }))
}

function someUnpivot({ columns }: FlowState, choices: Choices): ModelVerb | null {
  const first = choices.pick(columns)
  const peers = columns.filter(({ type }) => familyOf(type) === familyOf(first.type))
  const on = choices.some(namesOf(peers), 4)
  const rest = namesOf(columns).filter(name => !on.includes(name))
  const index = rest.length > 0 && choices.chance(50) ? choices.some(rest, rest.length) : null
  const free = NAMES.filter(name => !rest.includes(name))
  if (free.length < 2) return null
  const [variableName, valueName] = [choices.pick(free), choices.pick(free)]
  return variableName === valueName ? null : { verb: 'unpivot', on, index, variableName, valueName }
}

/** A chain of at most `most` verbs that cannot fail. `last` makes its last one. */
export function someFlow(
  table: ModelTable,
  choices: Choices,
  most: number,
  last?: ModelVerb['verb'],
  abilities = ALL,
): ModelVerb[] {
  let state = stateOf(table, abilities)
  const verbs: ModelVerb[] = []
  const add = (kind: ModelVerb['verb']) => {
    const verb = MAKERS[kind](state, choices)
    if (verb === null) return
    state = stateAfter(verb, state)
    verbs.push(verb)
  }
  const kinds = abilities.verbs ?? (Object.keys(MAKERS) as ModelVerb['verb'][])
  for (let left = choices.below(most + 1); left > 0; left--) add(choices.pick(kinds))
  if (last !== undefined) add(last)
  return verbs
}

/** A chain that may overflow int64, all of whose columns reach the end: nothing that fails is dead code that a rule may remove. */
export function someFailingFlow(table: ModelTable, choices: Choices, abilities = ALL): ModelVerb[] {
  let state = stateOf(table, abilities)
  const verbs: ModelVerb[] = []
  for (let left = 1 + choices.below(3); left > 0; left--) {
    const verb = choices.chance(30)
      ? MAKERS.filter(state, choices)
      : state.joins && choices.chance(15)
        ? someFailingJoin(state.columns, choices)
        : state.joins && choices.chance(10)
          ? {
              verb: 'union' as const,
              others: [{ table: otherTable(state.columns, choices), verbs: [] }],
              missing: 'null' as const,
            }
          : someDerive(state, choices, true)
    if (verb === null) continue
    state = stateAfter(verb, state)
    verbs.push(verb)
  }
  return verbs
}

/** One that loses no row that may have failed: its condition alone does. */
const someFailingJoin = (columns: readonly ColumnState[], choices: Choices): ModelVerb | null => {
  const join = someJoin(columns, choices, null)
  return join === null || join.how === 'right' || join.how === 'full' ? null : join
}

/** With tables like this one, verbs of their own behind some. */
function someUnion(state: FlowState, choices: Choices): ModelVerb {
  const others: ModelUnion['others'][number][] = []
  for (let left = 1 + choices.below(2); left > 0; left--) {
    // Of several, each has columns that may stand under those of all before it.
    const columns = columnsAfterUnion({ verb: 'union', others, missing: 'null' }, state.columns)
    const table = otherTable(columns, choices)
    const { made } = choices.chance(70) ? someOther(state, choices)(table) : table
    const mayStand = fieldsAfterAll(made?.verbs ?? [], table.fields).every(({ name, type }) => {
      const own = columns.find(column => column.name === name)
      return own === undefined || commonType(own.type, type) !== null
    })
    others.push(made === undefined || !mayStand ? { table, verbs: [] } : made)
  }
  return { verb: 'union', others, missing: 'null' }
}

/** Makes some other table of one, by a chain of its own, as often as not. */
function someOther(state: FlowState, choices: Choices): (table: ModelTable) => ModelTable {
  return table => {
    if (choices.chance(50)) return table
    // Few of these have others in them again.
    const verbs = someFlow(table, choices, 2, undefined, { ...state, joins: choices.chance(25) })
    const made = runModel(table, verbs)
    return verbs.length === 0 || made.rows.length > MOST_OTHER_ROWS ? table : { ...made, made: { table, verbs } }
  }
}

const fieldsAfterAll = (verbs: readonly ModelVerb[], fields: readonly ModelField[]) =>
  verbs.reduce((all, verb) => fieldsAfter(verb, all), fields)

function someDerive({ columns }: FlowState, choices: Choices, mayFail: boolean): ModelVerb | null {
  // What replaces a column could make dead code of a failing one.
  const free = mayFail ? NAMES.filter(name => !namesOf(columns).includes(name)) : NAMES
  if (free.length === 0) return null
  const derived = choices.some(free, 2).flatMap((name): [string, ModelExpression][] => {
    const options = { columns, choices, mayFail }
    if (!mayFail && choices.chance(25)) return [[name, { op: 'column', name: choices.pick(namesOf(columns)) }]]
    if (choices.chance(mayFail ? 10 : 25)) return either(name, boolExpression(options, 2))
    if (choices.chance(mayFail ? 2 : 20)) return either(name, textExpression(options, 2))
    if (!mayFail && choices.chance(12)) return either(name, timeExpression(options))
    if (!mayFail && choices.chance(5)) return either(name, someHash(columns, choices))
    if (choices.chance(mayFail ? 4 : 12)) return either(name, choosingExpression(options, 1, true)?.expression ?? null)
    if (choices.chance(mayFail ? 5 : 10)) return either(name, castExpression(options)?.expression ?? null)
    return either(name, numberExpression(options, 3)?.expression ?? null)
  })
  return derived.length === 0 ? null : { verb: 'derive', columns: derived }
}

/** XXH64 by a seed, or a pseudonym under a key. */
function someHash(columns: readonly ColumnState[], choices: Choices): ModelExpression | null {
  const fitting = comparable(columns)
  if (fitting.length === 0) return null
  const inputs: ModelExpression[] = [{ op: 'column', name: choices.pick(namesOf(fitting)) }]
  const parameters = choices.chance(50) ? { seed: choices.below(3) } : { key: '000102030405060708090a0b0c0d0e0f' }
  return { op: 'call', function: 'hash', inputs, parameters }
}

const either = (name: string, expression: ModelExpression | null): [string, ModelExpression][] =>
  expression === null ? [] : [[name, expression]]

function someAggregate(state: FlowState, choices: Choices): ModelVerb {
  const keys = choices.chance(80) ? choices.some(namesOf(comparable(state.columns)), 3) : []
  const free = NAMES.filter(name => !keys.includes(name))
  const by = state.sets && keys.length > 0 && choices.chance(25) ? choices.pick(['rollup', 'cube'] as const) : undefined
  return {
    verb: 'aggregate',
    keys,
    ...(by === undefined ? {} : { by }),
    ...(state.stages && keys.length > 0 && choices.chance(15) ? { least: 1 + choices.below(3) } : {}),
    aggregates: choices.some(free, 3).map(name => [name, someAggregateExpression(state, choices, 1)] as const),
  }
}

function someAggregateExpression(state: FlowState, choices: Choices, depth: number): ModelAggregate {
  const call = someCall(state, choices)
  if (depth === 0 || !choices.chance(25)) return call
  const right: ModelAggregate = choices.chance(70)
    ? someAggregateExpression(state, choices, depth - 1)
    : { literal: 100n, kind: 'int64' }
  const made: ModelAggregate = { op: choices.pick(['div', 'add', 'sub', 'mul'] as const), left: call, right }
  const fits = magnitudeOfAggregate(made, state) <= INT64_MAX
  return isNumeric(call, state) && isNumeric(right, state) && fits ? made : call
}

/** Drawn more often than the others: what can be computed with afterwards. */
const PLAIN = ['sum', 'count', 'mean', 'min', 'max'] as const

const NUMERIC: readonly ModelFunction[] = [
  'sum',
  'mean',
  'variance',
  'stddev',
  'covariance',
  'correlation',
  'slope',
  'median',
  'quantile',
  'histogram',
]
const PAIRS: readonly ModelFunction[] = ['covariance', 'correlation', 'slope', 'argMin', 'argMax']

/** An aggregate of every one of `functions`, under as many free names as there are; several verbs where these are too few. */
export function everyAggregate(
  table: ModelTable,
  choices: Choices,
  keys: readonly string[],
  by: 'rollup' | 'cube',
  abilities = ALL,
): ModelVerb[] {
  const state = stateOf(table, abilities)
  const free = NAMES.filter(name => !keys.includes(name))
  const calls = abilities.functions.map(name => someCall(state, choices, name))
  return Array.from({ length: Math.ceil(calls.length / free.length) }, (_, i) => ({
    verb: 'aggregate',
    keys,
    by,
    aggregates: calls
      .slice(i * free.length, (i + 1) * free.length)
      .map((call, j) => [free[j] as string, call] as const),
  }))
}

/** An aggregate, or some put together, of what a table has. */
export const someAggregateOf = (table: ModelTable, choices: Choices): ModelAggregate =>
  someAggregateExpression(stateOf(table, ALL), choices, 1)

/** One aggregate over all rows up to each, or others from it on: frames of many rows. */
export function someLongFrames(table: ModelTable, choices: Choices, name: ModelFunction): ModelVerb {
  const state = stateOf(table, ALL)
  const [from, to] = choices.pick([
    [null, 0],
    [0, null],
    [-20, 0],
    [null, null],
    [-30, 5],
  ] as const)
  const keys = namesOf(comparable(state.columns))
  return {
    verb: 'over',
    partitionBy: keys.length > 0 && choices.chance(40) ? choices.some(keys, 1) : [],
    orders: choices.chance(50) ? someOrders(state.columns, choices) : [],
    frame: { unit: 'rows', from, to },
    columns: [['a', someCall(state, choices, name)]],
  }
}

function someCall(
  state: FlowState,
  choices: Choices,
  name = choices.chance(75) ? choices.pick(state.functions) : choices.pick(PLAIN),
): ModelAggregateCall {
  const { columns } = state
  const where = choices.chance(20) ? boolExpression({ columns, choices, mayFail: false }, 1) : null
  const rows: ModelAggregateCall = { function: 'count', inputs: [], where }
  if (name === 'count' && choices.chance(60)) return rows
  const inputs = [someInput(name, state, choices), ...(PAIRS.includes(name) ? [someInput(name, state, choices)] : [])]
  if (inputs.includes(null)) return rows
  const parameters = someParameters(name, choices)
  const call: ModelAggregateCall = {
    function: name,
    inputs: inputs as ModelExpression[],
    ...(parameters === null ? {} : { parameters }),
    where,
  }
  const fits = name !== 'sum' || magnitudeOfAggregate(call, state) <= INT64_MAX
  return fits ? call : { ...call, function: 'mean' }
}

/** Something that the aggregate takes, or null where there is no such column. */
function someInput(name: ModelFunction, { columns }: FlowState, choices: Choices): ModelExpression | null {
  const options = { columns, choices, mayFail: false }
  if (NUMERIC.includes(name)) return numberExpression(options, 1)?.expression ?? null
  if (name === 'every' || name === 'some') return boolExpression(options, 1)
  const fitting =
    name === 'count'
      ? columns
      : name === 'join'
        ? columns.filter(({ type }) => type.kind === 'utf8')
        : comparable(columns)
  return fitting.length === 0 ? null : { op: 'column', name: choices.pick(fitting).name }
}

const EDGES: readonly (readonly number[])[] = [
  [0, 1],
  [-3, -1, 0, 0.5, 1, 3],
  [-Infinity, 0, Infinity],
  [-9, -2, 1e-300, 7, 1e9, 2 ** 63],
]

function someParameters(name: ModelFunction, choices: Choices): ModelParameters | null {
  switch (name) {
    case 'variance':
    case 'stddev':
    case 'covariance':
      return { population: choices.chance(50) }
    case 'quantile':
      return { q: choices.pick([0.5, 0, 1, 0.25, 0.9, 1 / 3, 0.01]) }
    case 'topK':
    case 'bottomK':
      return { n: 1 + choices.below(4) }
    case 'join':
      return { separator: choices.pick([',', '', ' | ', '😀']) }
    case 'histogram':
      return { edges: choices.pick(EDGES) }
    default:
      return null
  }
}

const isNumeric = (aggregate: ModelAggregate, { columns }: FlowState): boolean =>
  isNumber(typeOfAggregate(aggregate, columns, true).kind)

function magnitudeOfAggregate(aggregate: ModelAggregate, state: FlowState): bigint {
  if ('literal' in aggregate) return BigInt(aggregate.literal as bigint)
  if ('op' in aggregate) {
    return magnitudeOf(
      aggregate.op,
      magnitudeOfAggregate(aggregate.left, state),
      magnitudeOfAggregate(aggregate.right, state),
    )
  }
  const [input] = aggregate.inputs
  if (aggregate.function === 'count' || aggregate.function === 'countDistinct' || input === undefined)
    return BigInt(state.rowCount)
  const magnitude = magnitudeOfExpression(input, state.columns)
  return aggregate.function === 'sum' ? magnitude * BigInt(state.rowCount) : magnitude
}

function magnitudeOfExpression(expression: ModelExpression, columns: readonly ColumnState[]): bigint {
  switch (expression.op) {
    case 'column':
      return columns.find(({ name }) => name === expression.name)?.magnitude ?? 0n
    case 'literal':
      return typeof expression.value === 'bigint' ? abs(expression.value) : 0n
    case 'neg':
      return magnitudeOfExpression(expression.input, columns)
    case 'call':
      if (expression.function === 'hash') return 2n ** 63n
      if (expression.function === 'cast' || expression.function === 'tryCast') return magnitudeOfCast(expression)
      // Of functions of integers that give integers: none takes them further from zero but by what they are told (number-calls.ts).
      return (
        2000n +
        expression.inputs
          .map(input => magnitudeOfExpression(input, columns))
          .reduce((a, b) => (a > b ? a : b), isOfOthers(expression.function) ? 2n ** 31n : 0n)
      )
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour':
      return 10_000n
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'intDiv':
    case 'mod': {
      const left = magnitudeOfExpression(expression.left, columns)
      return magnitudeOf(expression.op, left, magnitudeOfExpression(expression.right, columns))
    }
    default:
      return 0n
  }
}

/** Numbers of strings and of times, which have a magnitude of their own. */
const isOfOthers = (name: string): boolean => Object.hasOwn(stringFunctions, name) || Object.hasOwn(timeFunctions, name)

function stateOf({ fields, rows }: ModelTable, abilities: Abilities): FlowState {
  const columns = fields.map((field, i): ColumnState => {
    let magnitude = 0n
    for (const { values } of rows) {
      const value = values[i]
      if (typeof value === 'bigint' && abs(value) > magnitude) magnitude = abs(value)
    }
    return {
      ...field,
      magnitude,
      samples: rows.slice(0, 8).flatMap(({ values }) => (values[i] === null ? [] : [values[i] as Value])),
    }
  })
  return { ...abilities, columns, rowCount: rows.length }
}

function stateAfter(verb: ModelVerb, state: FlowState): FlowState {
  const { columns, rowCount } = state
  if (verb.verb === 'explode' || verb.verb === 'unpivot') {
    const after = fieldsAfter(verb, columns).map((field): ColumnState => {
      const own = columns.find(({ name }) => name === field.name)
      const isValue = verb.verb === 'unpivot' && field.name === verb.valueName
      if (own !== undefined && !isValue && field.name !== (verb.verb === 'explode' ? verb.name : verb.variableName))
        return own
      const from = isValue ? columns.filter(({ name }) => verb.on.includes(name)) : []
      const magnitude = from.reduce((most, column) => (column.magnitude > most ? column.magnitude : most), 0n)
      return { ...field, magnitude: isInteger(field.type.kind) && !isValue ? INT64_MAX : magnitude, samples: [] }
    })
    return {
      ...state,
      columns: after,
      rowCount: Math.max(1, rowCount) * (verb.verb === 'explode' ? Math.max(4, rowCount) : verb.on.length),
    }
  }
  if (verb.verb === 'asofJoin') return { ...state, columns: columnsAfterAsof(verb, columns) }
  if (verb.verb === 'union') {
    const more = verb.others.reduce((sum, { table }) => sum + table.rows.length, 0)
    return { ...state, columns: columnsAfterUnion(verb, columns), rowCount: rowCount + more }
  }
  if (verb.verb === 'join') {
    const most = Math.max(1, verb.right.rows.length)
    return { ...state, columns: columnsAfterJoin(verb, columns), rowCount: Math.max(1, rowCount) * most + most }
  }
  const renamed =
    verb.verb === 'rename' ? new Map(verb.names.map(([from, to]) => [to, from])) : new Map<string, string>()
  const derived = new Map<string, bigint>()
  if (verb.verb === 'derive') {
    for (const [name, expression] of verb.columns) derived.set(name, magnitudeOfExpression(expression, columns))
  }
  if (verb.verb === 'aggregate') {
    for (const [name, one] of verb.aggregates) derived.set(name, magnitudeOfAggregate(one, state))
  }
  if (verb.verb === 'over') {
    for (const [name, one] of verb.columns) {
      const [input] = 'placed' in one ? one.inputs : []
      if (!('placed' in one)) derived.set(name, magnitudeOfAggregate(one, state))
      else derived.set(name, input === undefined ? BigInt(rowCount) : most(magnitudeOfExpression(input, columns), 7n))
    }
  }
  const after = fieldsAfter(verb, columns).map(({ name, type }): ColumnState => {
    const before = columns.find(column => column.name === (renamed.get(name) ?? name))
    const magnitude = derived.get(name)
    if (magnitude !== undefined) return { name, type, magnitude, samples: [] }
    const samples = before?.type.kind === type.kind ? before.samples : []
    return { name, type, magnitude: before?.magnitude ?? 0n, samples }
  })
  const groupings = verb.verb === 'aggregate' ? groupingSets(verb).length : 1
  return { ...state, columns: after, rowCount: Math.max(1, rowCount) * (verb.verb === 'flatMap' ? 2 : groupings) }
}

/** What may be a key, an order or an operand: lists are only carried, counted and asked for null. */
export const comparable = (columns: readonly ColumnState[]) => columns.filter(({ type }) => type.kind !== 'list')
const namesOf = (columns: readonly ColumnState[]): string[] => columns.map(({ name }) => name)
const abs = (value: bigint): bigint => (value < 0n ? -value : value)
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)
