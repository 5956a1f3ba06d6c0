/** `pivot` without its columns given, once its groups are there: their values are numbered, and a flow over the groups makes a column of each. A chunk of its own. */
import { openColumns } from '../columnar/input.js'
import { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { Table } from '../columnar/table.js'
import { int32, type SchemaShape } from '../columnar/type.js'
import { quote } from '../errors.js'
import type { AggregateExpression } from '../expressions/node.js'
import { isCount, isOver } from '../plan/aggregate-types.js'
import { tableSource } from '../sources/memory.js'
import type { Source } from '../sources/source.js'
import { first } from './aggregates.js'
import { coalesce } from './conditions.js'
import type { Flow } from './flow.js'
import { columnName, fresh, nameOf, type Pivot, uniquely } from './pivot.js'
import { invalid } from './refusal.js'

/** More columns than that are more than anyone meant. */
const MOST_COLUMNS = 10_000

type Spread = (
  flow: Flow<any>,
  pivot: Pivot,
  names: readonly string[],
  isOf: (t: Record<string, any>, column: number) => any,
) => Flow<any>

/**
 * @param groups by `index` and `on`, with `results` for the measures
 * @param aggregates what each measure is
 */
export async function columnsOf(
  groups: Table<any>,
  pivot: Pivot,
  results: readonly string[],
  aggregates: readonly AggregateExpression[],
  spread: Spread,
  collect: Parameters<NonNullable<Source['settle']>>[0],
): Promise<Source> {
  const { on, measures } = pivot
  const { ids, names } = numbered(groups, on)
  const number = fresh('#id', Object.keys(groups.schema))
  const rows: Flow<any> = withColumn(groups, number, ids).flow()
  const wide = spread(rows, { ...pivot, measures: results, aggregate: first }, names, (t, i) => t[number].eq(i))
  const nothing = aggregates.map(ofNothing)
  const cells = names.flatMap(name =>
    measures.map((measure, i) => ({
      made: columnName(name, results[i], results),
      name: columnName(name, measure, measures),
      nothing: nothing[i],
    })),
  )
  const renamed: Flow<any> = wide.rename(uniquely(cells.map(({ made, name }) => [made, name] as const)) as never)
  const filled = cells.filter(cell => cell.nothing !== null)
  const last =
    filled.length === 0
      ? renamed
      : renamed.derive(t => Object.fromEntries(filled.map(cell => [cell.name, coalesce(t[cell.name], cell.nothing)])))
  return { ...tableSource(await collect(last)), label: `pivot ${on}` }
}

/** The values of `on` numbered by first appearance, and what their columns are called. */
function numbered(table: Table<any>, on: string): { ids: Int32Array; names: string[] } {
  const ids = new Int32Array(table.rowCount)
  const known = new Map<unknown, number>()
  const names: string[] = []
  for (const [row, value] of valuesIn(table, on).entries()) {
    const key = value instanceof Date ? value.getTime() : value
    let id = known.get(key)
    if (id === undefined) {
      id = names.push(nameOf(value)) - 1
      known.set(key, id)
    }
    ids[row] = id
  }
  if (names.length > MOST_COLUMNS)
    throw invalid(
      'pivot',
      `${quote(on)} has ${names.length} different values, which would all be columns; filter them, or name those that are meant: columns`,
    )
  return { ids, names }
}

/** Safe whatever the values: those that JavaScript cannot hold are bigints. */
function valuesIn(table: Table<any>, on: string): readonly unknown[] {
  const { kind, unit } = table.schema[on]
  const asBigint = kind === 'int64' || (kind === 'timestamp' && unit !== 's' && unit !== 'ms')
  if (!asBigint) return [...table.column(on)]
  return table.toRows({ bigint: true }).map(row => (row as Record<string, unknown>)[on])
}

function withColumn(table: Table<any>, name: string, ids: Int32Array): Table<any> {
  const input = openColumns({ [name]: ids })
  const schema = schemaOf([...fieldsOf(table.schema as SchemaShape), { name, type: int32() }])
  let from = 0
  const batches = table.batches.map(batch => {
    const to = from + batch.rowCount
    const [made] = input.read(from, to, [name]).vectors
    from = to
    const names = Object.keys(batch.schema)
    const vectors = Object.keys(schema).map(each => (each === name ? made : batch.vectors[names.indexOf(each)]))
    return new RecordBatch(schema, vectors, batch.rowCount)
  })
  return new Table(schema, batches)
}

/** What an aggregate is of no rows at all, integers as bigint: 0 of a count; null of others, and of a quotient that is null of some rows too. */
function ofNothing(node: AggregateExpression): number | bigint | null {
  if (node.op === 'literal') {
    const value = node.value as number | bigint
    return Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 63 ? BigInt(value) : value
  }
  if (node.op === 'aggregate') return !isOver(node.function) && isCount(node.function) ? 0n : null
  const [a, b] = [ofNothing(node.left), ofNothing(node.right)]
  if (a === null || b === null) return null
  if (node.op === 'div') return node.right.op !== 'literal' || Number(b) === 0 ? null : Number(a) / Number(b) + 0
  // Whole numbers exactly, and of the others one zero.
  const areWhole = typeof a === 'bigint' && typeof b === 'bigint'
  const [x, y] = areWhole ? [a, b] : ([Number(a), Number(b)] as unknown as [bigint, bigint])
  const result = node.op === 'add' ? x + y : node.op === 'sub' ? x - y : x * y
  return areWhole ? result : Number(result) + 0
}
