/**
 * Physical plans run naively, a whole table at a stage, to hold the planner against the model without any kernel. Expressions go
 * through the strict evaluator, so a stage whose expressions are not resolved over its very input fails here.
 */
import type { DataType, SchemaShape } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { isOver } from '../../src/plan/aggregate-types.js'
import type { AccumulatorSpec, PhysicalPlan, Stage } from '../../src/plan/physical.js'
import { evaluateResolved, type Row } from '../expressions/evaluate.js'
import { canonicalResult, type ModelFunction, resultOf } from '../oracle/aggregate.js'
import { fieldsOfOver, type ModelOver, overRows } from '../oracle/over.js'
import { canonical, compareValues, keyText, type ModelField, type ModelTable, type Value } from '../oracle/value.js'

type AggregateStage = Stage & { readonly kind: 'aggregate' }

/** @throws ModelError where a row fails. */
export function interpret(plan: PhysicalPlan, table: ModelTable): ModelTable {
  expectNames(plan.sourceColumns, plan.sourceSchema)
  let schema = plan.sourceSchema
  let rows: Row[] = table.rows.map(
    ({ values }) =>
      new Map(
        plan.sourceColumns.map(name => [name, values[table.fields.findIndex(field => field.name === name)] as Value]),
      ),
  )
  if (plan.prune !== null) {
    // Rows that a source may skip are those that the predicate does not pass: nothing may depend on them.
    const { prune } = plan
    const whole = schema
    rows = rows.filter(row => evaluateResolved(prune, row, whole) === true)
  }
  for (const stage of [...plan.scan, ...plan.final]) {
    rows = run(stage, rows, schema)
    schema = stage.output
  }
  expectNames(Object.keys(schema), plan.output)
  const fields = Object.entries(plan.output).map(([name, type]) => ({ name, type }) as ModelField)
  return { fields, rows: rows.map(row => ({ source: -1, values: fields.map(({ name }) => row.get(name) as Value) })) }
}

function run(stage: Stage, rows: readonly Row[], schema: SchemaShape): Row[] {
  const of = (expression: Expression, row: Row) => evaluateResolved(expression, row, schema)
  const names = Object.keys(stage.output)
  switch (stage.kind) {
    case 'project':
      expectNames(
        stage.columns.map(({ name }) => name),
        stage.output,
      )
      return rows.map(row => new Map(stage.columns.map(({ name, expression }) => [name, of(expression, row)])))
    case 'filter':
      return rows
        .filter(row => of(stage.predicate, row) === true)
        .map(row => new Map(names.map(name => [name, taken(row, name)])))
    case 'limit':
      return rows.slice(stage.offset, stage.offset + stage.count)
    case 'sort': {
      const sorted = [...rows].sort((a, b) => {
        for (const { name, descending, nulls } of stage.orders) {
          const order = compareKeys(taken(a, name), taken(b, name), descending, nulls)
          if (order !== 0) return order
        }
        return 0
      })
      return stage.top === null ? sorted : sorted.slice(0, stage.top)
    }
    case 'user':
      throw new Error('functions of modules are called in lanes')
    case 'explode':
      return rows.flatMap(row => {
        const items = (taken(row, stage.column) ?? []) as Value[]
        return (items.length === 0 ? [null] : items).map(
          item => new Map(names.map(name => [name, name === stage.column ? item : taken(row, name)])),
        )
      })
    case 'unpivot':
      return rows.flatMap(row =>
        stage.on.map(
          on =>
            new Map(
              names.map(name => {
                if (name === stage.variableName) return [name, on]
                return [name, taken(row, name === stage.valueName ? on : name)]
              }),
            ),
        ),
      )
    case 'over':
      return over(stage, rows, schema)
    case 'sample':
      throw new Error('what is sampled is no function of the rows')
    case 'union':
    case 'join':
      throw new Error('one table has no other side')
    case 'aggregate': {
      expectNames([...stage.keys, ...stage.accumulators.map(({ name }) => name)], stage.output)
      return aggregated(stage, rows, schema)
    }
  }
}

/** By the model's own, of columns that the stage reads. */
function over(stage: Stage & { readonly kind: 'over' }, rows: readonly Row[], schema: SchemaShape): Row[] {
  const fields = Object.entries(schema).map(([name, type]) => ({ name, type }) as ModelField)
  const column = (name: string) => ({ op: 'column', name }) as const
  const { unit, from, to } = stage.frame
  const distance = (bound: number | bigint | null) => (bound === null ? null : Number(bound))
  const columns = stage.calls.map(({ name, function: fn, inputs, where, parameters }) => {
    const own = { inputs: inputs.map(column) }
    if (isOver(fn)) return [name, { ...own, ...parameters, placed: fn }] as const
    return [name, { ...own, function: fn, parameters, where: where === null ? null : column(where) }] as const
  })
  const model: ModelOver = {
    verb: 'over',
    partitionBy: stage.partitionBy,
    orders: stage.orders,
    frame: { unit: unit === 'rows' ? 'rows' : 'range', from: distance(from), to: distance(to) },
    columns: columns as unknown as ModelOver['columns'],
  }
  const given = rows.map(row => ({ source: -1, values: fields.map(({ name }) => taken(row, name)) }))
  const after = fieldsOfOver(model, fields)
  const names = Object.keys(stage.output)
  return overRows(model, given, fields).map(
    ({ values }) => new Map(names.map(name => [name, values[after.findIndex(field => field.name === name)] as Value])),
  )
}

function compareKeys(a: Value, b: Value, descending: boolean, nulls: 'first' | 'last'): number {
  if (a === null || b === null) return (Number(a === null) - Number(b === null)) * (nulls === 'last' ? 1 : -1)
  return compareValues(a, b) * (descending ? -1 : 1)
}

function aggregated({ keys, sets, accumulators }: AggregateStage, rows: readonly Row[], schema: SchemaShape): Row[] {
  return (sets ?? [keys]).flatMap(set => groupsOf(set, keys, accumulators, rows, schema))
}

function groupsOf(
  set: readonly string[],
  keys: readonly string[],
  specs: readonly AccumulatorSpec[],
  rows: readonly Row[],
  schema: SchemaShape,
): Row[] {
  const groups = new Map<string, { key: Value[]; counted: Value[][][] }>()
  const newGroup = (key: Value[]) => ({ key, counted: specs.map((): Value[][] => []) })
  if (set.length === 0) groups.set(keyText([]), newGroup(keys.map(() => null)))
  for (const [place, row] of rows.entries()) {
    const own = set.map(name => canonical(taken(row, name)))
    const text = keyText(own)
    const key = keys.map(name => (set.includes(name) ? (own[set.indexOf(name)] as Value) : null))
    const group = groups.get(text) ?? newGroup(key)
    groups.set(text, group)
    for (const [i, { function: fn, inputs, where }] of specs.entries()) {
      if (where !== null && evaluateResolved(where, row, schema) !== true) continue
      const values = inputs.map(input => evaluateResolved(input, row, schema))
      if (!values.includes(null)) group.counted[i]?.push(fn === 'lastPlace' ? [BigInt(place)] : values)
    }
  }
  // The model's own results, of values that are computed here.
  return [...groups.values()].map(
    ({ key, counted }) =>
      new Map([
        ...keys.map((name, i) => [name, key[i] as Value] as const),
        ...specs.map(({ name, function: fn, parameters }, i) => {
          const model = (fn === 'lastPlace' ? 'last' : fn) as ModelFunction
          return [name, canonicalResult(resultOf(model, counted[i] as Value[][], parameters))] as const
        }),
      ]),
  )
}

function taken(row: Row, name: string): Value {
  const value = row.get(name)
  if (value === undefined) throw new Error(`a stage reads ${JSON.stringify(name)}, which its input does not have`)
  return value
}

function expectNames(names: readonly string[], schema: Readonly<Record<string, DataType>>): void {
  const expected = Object.keys(schema)
  if (JSON.stringify(names) !== JSON.stringify(expected))
    throw new Error(`columns ${JSON.stringify(names)} where the schema has ${JSON.stringify(expected)}`)
}
