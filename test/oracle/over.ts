/** `over` in the naive model: for each row its partition is sorted, its frame listed, and the aggregate worked out of that list. */
import { aggregateRows, type ModelAggregate, typeOfAggregate } from './aggregate.js'
import { evaluate, type ModelExpression, typeOfExpression } from './expression.js'
import {
  canonical,
  compareValues,
  keyText,
  type ModelField,
  type ModelRow,
  type ModelType,
  type Value,
} from './value.js'
import type { ModelOrder } from './verbs.js'

export interface ModelPlaced {
  readonly placed: 'rowNumber' | 'rowsLeft' | 'rank' | 'denseRank' | 'percentRank' | 'ntile' | 'lag' | 'lead' | 'ewma'
  readonly inputs: readonly ModelExpression[]
  /** lag, lead, ntile. */
  readonly rows?: number
  /** lag, lead: what stands for a row that is not there, of the input's type. */
  readonly missing?: Value
  readonly alpha?: number
}

export interface ModelFrame {
  readonly unit: 'rows' | 'range'
  readonly from: number | null
  readonly to: number | null
}

export interface ModelOver {
  readonly verb: 'over'
  readonly partitionBy: readonly string[]
  readonly orders: readonly ModelOrder[]
  readonly frame: ModelFrame | null
  readonly columns: readonly (readonly [name: string, column: ModelAggregate | ModelPlaced])[]
}

export function fieldsOfOver(over: ModelOver, fields: readonly ModelField[]): readonly ModelField[] {
  const made = over.columns.map(([name, column]) => ({ name, type: typeOfColumn(column, over, fields) }))
  const kept = fields.map(field => made.find(({ name }) => name === field.name) ?? field)
  return [...kept, ...made.filter(({ name }) => !fields.some(field => field.name === name))]
}

function typeOfColumn(
  column: ModelAggregate | ModelPlaced,
  { frame }: ModelOver,
  fields: readonly ModelField[],
): ModelType {
  if (!('placed' in column)) {
    const hasSelf = frame === null || ((frame.from ?? 0) <= 0 && (frame.to ?? 0) >= 0)
    return typeOfAggregate(column, fields, hasSelf)
  }
  const input = column.inputs[0] && typeOfExpression(column.inputs[0], fields)
  if (column.placed === 'percentRank') return { kind: 'float64', nullable: false }
  if (column.placed === 'ewma') return { kind: 'float64', nullable: input?.nullable === true }
  if (input === undefined) return { kind: 'int64', nullable: false }
  return { ...input, nullable: column.missing === undefined || input.nullable }
}

export function overRows(over: ModelOver, given: Iterable<ModelRow>, fields: readonly ModelField[]): ModelRow[] {
  const rows = [...given]
  const after = fieldsOfOver(over, fields)
  const placeOf = (name: string) => fields.findIndex(field => field.name === name)
  const partitions = new Map<string, ModelRow[]>()
  const keyOf = (row: ModelRow) => keyText(over.partitionBy.map(name => canonical(row.values[placeOf(name)] as Value)))
  for (const row of rows) partitions.set(keyOf(row), [...(partitions.get(keyOf(row)) ?? []), row])
  const compare = (a: ModelRow, b: ModelRow): number => {
    for (const { name, descending, nulls } of over.orders) {
      const order = compareKeys(a.values[placeOf(name)] as Value, b.values[placeOf(name)] as Value, descending, nulls)
      if (order !== 0) return order
    }
    return 0
  }
  for (const partition of partitions.values()) partition.sort(compare)
  return rows.map(row => {
    const partition = partitions.get(keyOf(row)) as ModelRow[]
    const at = partition.indexOf(row)
    const values = after.map(({ name }) => {
      const column = over.columns.find(([own]) => own === name)?.[1]
      if (column === undefined) return row.values[placeOf(name)] as Value
      if ('placed' in column) return placedValue(column, partition, at, compare, fields)
      const collect = aggregateRows(column, fields)
      for (const [i, other] of partition.entries()) {
        if (isInFrame(over, partition, at, i, compare, placeOf)) collect.add(other)
      }
      return collect.result()
    })
    return { source: row.source, values }
  })
}

function isInFrame(
  { frame, orders }: ModelOver,
  partition: readonly ModelRow[],
  at: number,
  other: number,
  compare: (a: ModelRow, b: ModelRow) => number,
  placeOf: (name: string) => number,
): boolean {
  const [row, one] = [partition[at] as ModelRow, partition[other] as ModelRow]
  if (frame === null) return orders.length === 0 || compare(one, row) <= 0
  const { unit, from, to } = frame
  if (unit === 'rows') return (from === null || other >= at + from) && (to === null || other <= at + to)
  const ordered = ({ values }: ModelRow) => values[placeOf((orders[0] as ModelOrder).name)] as Value
  // Where the row is among those that are so far from the other: before it, at it, behind it.
  const side = (distance: number): number => {
    const [own, its] = [ordered(row), ordered(one)]
    if (own === null || ((from ?? 0) === 0 && (to ?? 0) === 0)) return compare(one, row)
    if (its === null) return other - at
    const sign = orders[0]?.descending ? -1 : 1
    const bound = typeof own === 'bigint' ? own + BigInt(distance * sign) : (own as number) + distance * sign
    return compareValues(its, bound) * sign
  }
  return (from === null || side(from) >= 0) && (to === null || side(to) <= 0)
}

function placedValue(
  { placed, inputs, rows = 1, missing, alpha = 0 }: ModelPlaced,
  partition: readonly ModelRow[],
  at: number,
  compare: (a: ModelRow, b: ModelRow) => number,
  fields: readonly ModelField[],
): Value {
  const row = partition[at] as ModelRow
  const before = partition.filter(other => compare(other, row) < 0)
  const valueAt = (i: number) => evaluate(inputs[0] as ModelExpression, partition[i] as ModelRow, fields)
  switch (placed) {
    case 'rowNumber':
      return BigInt(at + 1)
    case 'rowsLeft':
      return BigInt(partition.length - at - 1)
    case 'rank':
      return BigInt(before.length + 1)
    case 'denseRank':
      return BigInt(before.filter((other, i) => i === 0 || compare(before[i - 1] as ModelRow, other) !== 0).length + 1)
    case 'percentRank':
      return partition.length === 1 ? 0 : before.length / (partition.length - 1)
    case 'ntile': {
      // Dealt as evenly as can be, to the first parts first.
      const sizes = Array.from({ length: rows }, (_, i) => Math.ceil((partition.length - i) / rows))
      let part = 0
      for (let left = at; left >= (sizes[part] as number); part++) left -= sizes[part] as number
      return BigInt(part + 1)
    }
    case 'lag':
    case 'lead': {
      const other = placed === 'lag' ? at - rows : at + rows
      return other in partition ? valueAt(other) : (missing ?? null)
    }
    case 'ewma': {
      let mean: number | null = null
      for (let i = 0; i <= at; i++) {
        const value = valueAt(i)
        if (value !== null) mean = mean === null ? Number(value) : alpha * Number(value) + (1 - alpha) * mean
      }
      return mean
    }
  }
}

function compareKeys(a: Value, b: Value, descending: boolean, nulls: 'first' | 'last'): number {
  if (a === null || b === null) return (Number(a === null) - Number(b === null)) * (nulls === 'last' ? 1 : -1)
  return compareValues(a, b) * (descending ? -1 : 1)
}
