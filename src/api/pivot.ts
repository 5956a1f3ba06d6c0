/**
 * `pivot`: rows to columns. With the values that become columns given it is a group-by, an aggregate for each of them with its `where`. Without, the groups by these values
 * too are made first, and the calling thread gives each value a number, by which they are made columns (`before` of sources/source.ts).
 */
import type { SchemaShape } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import type { AggregateExpression } from '../expressions/node.js'
import { printName } from '../expressions/print.js'
import type { Source } from '../sources/source.js'
import { type AggregateExpr, isAggregate, usersIn } from './aggregate-expr.js'
import { first } from './aggregates.js'
import { type Flow, flowOf } from './flow.js'
import { optionsOf } from './options.js'
import type { PivotOptions } from './pivot-types.js'
import { invalid, mismatch, show } from './refusal.js'

const EXAMPLE = "{ on: 'month', index: ['city'], values: 'rain' }"

export function pivoted(flow: Flow<any>, options: PivotOptions): Flow<any> {
  const known = ['on', 'index', 'values', 'aggregate', 'columns']
  const { on, index, values, aggregate = first, columns } = optionsOf('pivot', options, EXAMPLE, known)
  const measures = typeof values === 'string' ? [values] : values
  for (const [what, names] of [
    ['index', index],
    ['values', measures],
  ] as const) {
    if (!Array.isArray(names) || !names.every(name => typeof name === 'string'))
      throw mismatch('pivot', `pivot: ${what} is an array of names, as in ${EXAMPLE}, not ${show(names)}`)
  }
  if (typeof on !== 'string')
    throw mismatch('pivot', `pivot: on is the name of a column, as in ${EXAMPLE}, not ${show(on)}`)
  if (measures.length === 0) throw invalid('pivot', `name at least one column of values, as in ${EXAMPLE}`)
  if (index.includes(on)) throw invalid('pivot', `${quote(on)} cannot be both on and index`)
  if (typeof aggregate !== 'function')
    throw mismatch('pivot', `pivot: aggregate is a function of a column of values, such as sum, not ${show(aggregate)}`)
  const plan = { on, index, measures, aggregate: aggregate as Pivot['aggregate'] }
  if (columns === undefined) return found(flow, plan)
  if (!Array.isArray(columns) || columns.length === 0)
    throw mismatch(
      'pivot',
      `pivot: columns is an array of the values that become columns, not ${Array.isArray(columns) ? 'an empty one' : show(columns)}`,
    )
  return spread(flow, plan, columns.map(nameOf), (t, i) => isValue(t[on], columns[i]))
}

export interface Pivot {
  readonly on: string
  readonly index: readonly string[]
  readonly measures: readonly string[]
  readonly aggregate: (value: any) => AggregateExpr<any, any>
}

type Handles = Record<string, any>

/** A column for each of `names` and each measure, of the rows that are of it. */
function spread(
  flow: Flow<any>,
  { index, measures, aggregate }: Pivot,
  names: readonly string[],
  isOf: (t: Handles, column: number) => any,
): Flow<any> {
  const define = (t: Handles) =>
    uniquely(
      names.flatMap((name, i) =>
        measures.map(measure => [columnName(name, measure, measures), aggregate(t[measure]).where(isOf(t, i))]),
      ),
      index,
    )
  return grouped(flow, index, define)
}

const grouped = (flow: Flow<any>, keys: readonly string[], define: (t: Handles) => Record<string, any>): Flow<any> =>
  keys.length === 0 ? flow.aggregate(define) : flow.groupBy(...keys).aggregate(define)

/** The value alone where there is one column of values, else that column's name before it. */
export const columnName = (name: string, measure: string, measures: readonly string[]): string =>
  measures.length === 1 ? name : `${measure}_${name}`

/** @param taken names that other columns have */
export function uniquely<T>(
  entries: readonly (readonly [string, T])[] | readonly (string | T)[][],
  taken: readonly string[] = [],
): Record<string, T> {
  const seen = new Set(taken)
  for (const [name] of entries as readonly (readonly [string, T])[]) {
    if (seen.has(name))
      throw new MillraceError('MR_DUPLICATE_COLUMN', `pivot: two columns would be called ${quote(name)}`, {
        operator: 'pivot',
        column: name,
      })
    seen.add(name)
  }
  return Object.fromEntries(entries as readonly (readonly [string, T])[])
}

export const nameOf = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value))

function isValue(handle: any, value: unknown): any {
  if (value === null) return handle.isNull()
  return typeof value === 'number' && Number.isNaN(value) ? handle.isNaN() : handle.eq(value)
}

function found(flow: Flow<any>, pivot: Pivot): Flow<any> {
  const { on, index, measures, aggregate } = pivot
  const results = measures.map((_, i) => fresh(`#${i}`, [...index, on]))
  let cells: readonly AggregateExpression[] = []
  const define = (t: Handles) => {
    const made = measures.map(measure => aggregate(t[measure]))
    for (const each of made) {
      const user = isAggregate(each) ? usersIn(each.aggregate)[0] : undefined
      if (user !== undefined)
        throw invalid('pivot', `with ${user.name} say which values become columns, as in columns: ['a', 'b']`)
    }
    cells = made.filter(isAggregate).map(({ aggregate }) => aggregate)
    return Object.fromEntries(made.map((each, i) => [results[i], each] as const))
  }
  // With a known schema what is refused is refused at once.
  const before = grouped(flow, [...index, on], define)
  const refuseLists = (schema: SchemaShape | null) => {
    if (results.some(name => schema?.[name].kind === 'list'))
      throw invalid('pivot', "where cells are lists say which values become columns, as in columns: ['a', 'b']")
  }
  refuseLists(before.schema)
  const notRun = async () => {
    throw new Error('a source that is to be settled first was opened')
  }
  const source: Source = {
    label: `pivot ${printName(on)}`,
    schema: null,
    rowCount: null,
    before,
    async settle(collect) {
      const { columnsOf } = await import('./pivot-columns.js')
      const groups = await collect(before)
      refuseLists(groups.schema)
      return columnsOf(groups, pivot, results, cells, spread, collect)
    },
    describe: notRun,
    open: notRun,
  }
  return flowOf(source)
}

export function fresh(name: string, taken: readonly string[]): string {
  let free = name
  while (taken.includes(free)) free += '#'
  return free
}
