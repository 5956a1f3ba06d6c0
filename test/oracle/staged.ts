/** What is made in the calling thread: `fillNull` by methods, `map` and `flatMap`, of all rows in their order. */
import { isNumber, type ModelField, type ModelRow, type Value } from './value.js'

export interface ModelFill {
  readonly verb: 'fillNull'
  readonly columns: readonly (readonly [name: string, method: 'previous' | 'next' | 'linear'])[]
}

export interface ModelMap {
  readonly verb: 'map' | 'flatMap'
  /** The columns that the function gives, as they are. */
  readonly fields: readonly ModelField[]
  /** flatMap: rows in which this column is null are no rows, all others are two. */
  readonly twice: string
}

export const fieldsOfFill = ({ columns }: ModelFill, fields: readonly ModelField[]): readonly ModelField[] => {
  const methods = new Map(columns)
  return fields.map(({ name, type }) => {
    const method = methods.get(name)
    return { name, type: method === 'linear' ? { kind: 'float64', nullable: type.nullable } : type }
  })
}

export function filled({ columns }: ModelFill, given: readonly ModelRow[], fields: readonly ModelField[]): ModelRow[] {
  const rows = given.map(({ source, values }) => ({ source, values: [...values] }))
  for (const [name, method] of columns) {
    const at = fields.findIndex(field => field.name === name)
    const column = rows.map(({ values }) => values[at] as Value)
    for (const [i, { values }] of rows.entries()) {
      const own = column[i] as Value
      if (method === 'linear') values[at] = own === null ? between(column, i) : Number(own)
      else values[at] = own ?? neighbour(column, i, method === 'previous' ? -1 : 1)?.value ?? null
    }
  }
  return rows
}

function neighbour(column: readonly Value[], from: number, step: 1 | -1): { value: Value; at: number } | null {
  for (let at = from + step; at >= 0 && at < column.length; at += step) {
    const value = column[at] as Value
    if (value !== null) return { value, at }
  }
  return null
}

function between(column: readonly Value[], i: number): Value {
  const [left, right] = [neighbour(column, i, -1), neighbour(column, i, 1)]
  if (left === null || right === null) return null
  const [a, b] = [Number(left.value), Number(right.value)]
  const part = (i - left.at) / (right.at - left.at)
  return Number.isFinite(b - a) ? a + (b - a) * part : a * (1 - part) + b * part
}

export function* mapped(
  { verb, fields: made, twice }: ModelMap,
  rows: Iterable<ModelRow>,
  fields: readonly ModelField[],
): Iterable<ModelRow> {
  const placeOf = (name: string) => fields.findIndex(field => field.name === name)
  const places = made.map(({ name }) => placeOf(name))
  const decides = placeOf(twice)
  for (const row of rows) {
    const times = verb === 'map' ? 1 : row.values[decides] === null ? 0 : 2
    // Rows are told apart by what they are.
    for (let i = 0; i < times; i++)
      yield { source: row.source, values: places.map(place => row.values[place] as Value) }
  }
}

/** Kinds whose values come to a function and back as they are, whatever they are. */
export const isMappable = ({ kind }: ModelField['type']): boolean =>
  kind !== 'int64' && kind !== 'timestamp' && kind !== 'list'

/** What `linear` takes. */
export const isFillable = ({ type }: ModelField): boolean => isNumber(type.kind)
