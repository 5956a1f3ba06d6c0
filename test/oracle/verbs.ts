/**
 * The verbs of the naive model: a flow is a list of them, run over a table one row at a time, each row pulled through all verbs
 * before the next is begun. So what fails first in row order is what is reported, and rows that a limit cuts off are never met.
 */
import { aggregateRows, type ModelAggregate, typeOfAggregate } from './aggregate.js'
import { fieldsOfAsof, type ModelAsof, nearestJoined } from './asof.js'
import { evaluate, type ModelExpression, typeOfExpression } from './expression.js'
import { fieldsOfJoin, joined, type ModelJoin } from './join.js'
import { fieldsOfOver, type ModelOver, overRows } from './over.js'
import { exploded, fieldsOfExplode, fieldsOfUnpivot, type ModelExplode, type ModelUnpivot, unpivoted } from './shape.js'
import { fieldsOfFill, filled, type ModelFill, type ModelMap, mapped } from './staged.js'
import { fieldsOfUnion, fitted, type ModelUnion } from './union.js'
import {
  canonical,
  compareValues,
  keyText,
  type ModelField,
  type ModelRow,
  type ModelTable,
  type Value,
} from './value.js'

export interface ModelOrder {
  readonly name: string
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
}

export type ModelVerb =
  | { readonly verb: 'select' | 'drop'; readonly names: readonly string[] }
  | { readonly verb: 'rename'; readonly names: readonly (readonly [from: string, to: string])[] }
  | { readonly verb: 'derive'; readonly columns: readonly (readonly [name: string, expression: ModelExpression])[] }
  | { readonly verb: 'filter'; readonly predicate: ModelExpression }
  | { readonly verb: 'dropNulls'; readonly names: readonly string[] }
  | { readonly verb: 'dedupe'; readonly keys: readonly string[]; readonly keep: 'first' | 'last' }
  | { readonly verb: 'limit'; readonly count: number; readonly offset: number }
  | { readonly verb: 'orderBy'; readonly orders: readonly ModelOrder[] }
  | {
      readonly verb: 'aggregate'
      /** Empty: one row out, over any input. */
      readonly keys: readonly string[]
      /** Groups by several sets of the keys; left out: by all of them. */
      readonly by?: 'rollup' | 'cube'
      /** Groups of fewer rows are left out. */
      readonly least?: number
      readonly aggregates: readonly (readonly [name: string, aggregate: ModelAggregate])[]
    }
  | { readonly verb: 'topK'; readonly count: number; readonly orders: readonly ModelOrder[] }
  | ModelExplode
  | ModelUnpivot
  | ModelOver
  | ModelJoin
  | ModelUnion
  | ModelAsof
  | ModelFill
  | ModelMap

export type ModelAggregateVerb = ModelVerb & { readonly verb: 'aggregate' }

/**
 * The table that a flow must give.
 * @throws ModelError for what the engine must refuse, at the least failing row.
 */
export function runModel(input: ModelTable, verbs: readonly ModelVerb[]): ModelTable {
  return { fields: fieldsOfInput({ table: input, verbs }), rows: [...rowsAfter(input, verbs)] }
}

function rowsAfter(input: ModelTable, verbs: readonly ModelVerb[]): Iterable<ModelRow> {
  let fields = input.fields
  let rows: Iterable<ModelRow> = input.rows
  for (const verb of verbs) {
    rows = applyVerb(verb, rows, fields)
    fields = fieldsAfter(verb, fields)
  }
  return rows
}

const fieldsOfInput = ({ table, verbs }: ModelUnion['others'][number]): readonly ModelField[] =>
  verbs.reduce((fields, verb) => fieldsAfter(verb, fields), table.fields)

/** The fields that a verb leaves. */
export function fieldsAfter(verb: ModelVerb, fields: readonly ModelField[]): readonly ModelField[] {
  switch (verb.verb) {
    case 'select':
      return verb.names.map(name => fields.find(field => field.name === name) as ModelField)
    case 'drop':
      return fields.filter(({ name }) => !verb.names.includes(name))
    case 'rename': {
      const names = new Map(verb.names)
      return fields.map(({ name, type }) => ({ name: names.get(name) ?? name, type }))
    }
    case 'derive': {
      const derived = verb.columns.map(([name, expression]) => ({ name, type: typeOfExpression(expression, fields) }))
      const replaced = fields.map(field => derived.find(({ name }) => name === field.name) ?? field)
      return [...replaced, ...derived.filter(({ name }) => !fields.some(field => field.name === name))]
    }
    case 'aggregate': {
      const keyed = verb.keys.length > 0 && verb.by === undefined
      return [
        ...verb.keys.map(key => {
          const { name, type } = fields.find(field => field.name === key) as ModelField
          return { name, type: { ...type, nullable: type.nullable || !keyed } }
        }),
        ...verb.aggregates.map(([name, aggregate]) => ({ name, type: typeOfAggregate(aggregate, fields, keyed) })),
      ]
    }
    case 'explode':
      return fieldsOfExplode(verb, fields)
    case 'unpivot':
      return fieldsOfUnpivot(verb, fields)
    case 'over':
      return fieldsOfOver(verb, fields)
    case 'join':
      return fieldsOfJoin(verb, fields)
    case 'asofJoin':
      return fieldsOfAsof(verb, fields)
    case 'union':
      return fieldsOfUnion([fields, ...verb.others.map(fieldsOfInput)])
    case 'fillNull':
      return fieldsOfFill(verb, fields)
    case 'map':
    case 'flatMap':
      return verb.fields
    default:
      return fields
  }
}

function* applyVerb(verb: ModelVerb, rows: Iterable<ModelRow>, fields: readonly ModelField[]): Iterable<ModelRow> {
  const valueIn = (row: ModelRow, name: string) => row.values[fields.findIndex(field => field.name === name)] as Value
  switch (verb.verb) {
    case 'rename':
      yield* rows
      return
    case 'select':
    case 'drop': {
      const kept = fieldsAfter(verb, fields).map(({ name }) => fields.findIndex(field => field.name === name))
      for (const row of rows) yield { source: row.source, values: kept.map(i => row.values[i] as Value) }
      return
    }
    case 'derive': {
      const expressions = new Map(verb.columns)
      const columns = fieldsAfter(verb, fields).map(
        ({ name }): ModelExpression => expressions.get(name) ?? { op: 'column', name },
      )
      for (const row of rows) {
        yield { source: row.source, values: columns.map(expression => evaluate(expression, row, fields)) }
      }
      return
    }
    case 'filter':
      for (const row of rows) {
        if (evaluate(verb.predicate, row, fields) === true) yield row
      }
      return
    case 'dropNulls': {
      const names = verb.names.length === 0 ? fields.map(({ name }) => name) : verb.names
      for (const row of rows) if (names.every(name => valueIn(row, name) !== null)) yield row
      return
    }
    case 'dedupe': {
      const names = verb.keys.length === 0 ? fields.map(({ name }) => name) : verb.keys
      const kept = new Map<string, ModelRow>()
      // What has been grouped is of no one row, and holds one zero; rows with lists stay as they are.
      const isGrouped = !fields.some(({ type }) => type.kind === 'list')
      for (const given of rows) {
        const row = isGrouped ? { source: -1, values: given.values.map(canonical) } : given
        const key = keyText(names.map(name => valueIn(row, name)))
        if (verb.keep === 'first' && kept.has(key)) continue
        // A key that is taken out and put in again comes last.
        kept.delete(key)
        kept.set(key, row)
      }
      yield* kept.values()
      return
    }
    case 'limit': {
      let seen = 0
      if (verb.count === 0) return
      for (const row of rows) {
        seen += 1
        if (seen > verb.offset) yield row
        if (seen === verb.offset + verb.count) return
      }
      return
    }
    case 'orderBy':
      yield* [...rows].sort((a, b) => {
        for (const { name, descending, nulls } of verb.orders) {
          const order = compareKeys(valueIn(a, name), valueIn(b, name), descending, nulls)
          if (order !== 0) return order
        }
        return 0
      })
      return
    case 'topK':
      yield* applyVerb(
        { verb: 'limit', count: verb.count, offset: 0 },
        applyVerb({ verb: 'orderBy', orders: verb.orders }, rows, fields),
        fields,
      )
      return
    case 'explode':
      yield* exploded(verb, rows, fields)
      return
    case 'unpivot':
      yield* unpivoted(verb, rows, fields)
      return
    case 'over':
      yield* overRows(verb, rows, fields)
      return
    case 'join':
      yield* joined(verb, rows, fields)
      return
    case 'asofJoin':
      yield* nearestJoined(verb, rows, fields)
      return
    case 'union': {
      const all = fieldsAfter(verb, fields)
      yield* fitted(rows, fields, all)
      for (const other of verb.others) yield* fitted(rowsAfter(other.table, other.verbs), fieldsOfInput(other), all)
      return
    }
    case 'fillNull':
      yield* filled(verb, [...rows], fields)
      return
    case 'map':
    case 'flatMap':
      yield* mapped(verb, rows, fields)
      return
    case 'aggregate':
      yield* aggregated(verb, rows, fields)
  }
}

function compareKeys(a: Value, b: Value, descending: boolean, nulls: 'first' | 'last'): number {
  if (a === null || b === null) return (Number(a === null) - Number(b === null)) * (nulls === 'last' ? 1 : -1)
  return compareValues(a, b) * (descending ? -1 : 1)
}

/** The sets of keys by which rows are grouped, one after another: the finest first. */
export function groupingSets({ keys, by }: ModelAggregateVerb): readonly (readonly string[])[] {
  if (by === undefined) return [keys]
  if (by === 'rollup') return [...keys, null].map((_, i) => keys.slice(0, keys.length - i))
  // All subsets, in order of their sizes and then of the names, as they stand in `keys`.
  const subsets = Array.from({ length: 2 ** keys.length }, (_, bits) => keys.filter((_, i) => (bits >> i) & 1))
  const places = (set: readonly string[]) => set.map(name => keys.indexOf(name))
  return subsets.sort((a, b) => {
    if (a.length !== b.length) return b.length - a.length
    const [left, right] = [places(a), places(b)]
    const i = left.findIndex((place, at) => place !== right[at])
    return i < 0 ? 0 : (left[i] as number) - (right[i] as number)
  })
}

function* aggregated(verb: ModelAggregateVerb, given: Iterable<ModelRow>, fields: readonly ModelField[]) {
  const rows = verb.by === undefined ? given : [...given]
  for (const set of groupingSets(verb)) yield* groupsOf(set, verb, rows, fields)
}

function* groupsOf(
  set: readonly string[],
  { keys, aggregates, least = 0 }: ModelAggregateVerb,
  rows: Iterable<ModelRow>,
  fields: readonly ModelField[],
): Iterable<ModelRow> {
  const keyPlaces = keys.map(key => fields.findIndex(({ name }) => name === key))
  // A Map keeps the order of insertion, which is the order of first appearance. With no key there is one group even of no rows.
  const groups = new Map<string, { key: readonly Value[]; size: number; collect: ReturnType<typeof aggregateRows>[] }>()
  const newGroup = (key: readonly Value[]) => ({
    key,
    size: 0,
    collect: aggregates.map(([, one]) => aggregateRows(one, fields)),
  })
  if (set.length === 0) groups.set(keyText(keys.map(() => null)), newGroup(keys.map(() => null)))
  for (const row of rows) {
    const key = keyPlaces.map((place, i) =>
      set.includes(keys[i] as string) ? canonical(row.values[place] as Value) : null,
    )
    const text = keyText(key)
    const group = groups.get(text) ?? newGroup(key)
    groups.set(text, group)
    group.size++
    for (const aggregate of group.collect) aggregate.add(row)
  }
  for (const { key, size, collect } of groups.values()) {
    if (size < least) continue
    yield { source: -1, values: [...key, ...collect.map(aggregate => aggregate.result())] }
  }
}
