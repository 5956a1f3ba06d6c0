/**
 * Types found by looking at JavaScript values, for input that comes without a schema. Reading the values is input.ts's.
 */
import { MillraceError, quote } from '../errors.js'
import { type DictionaryInput, dictionaryType, isDictionaryInput } from './dictionary-input.js'
import { failure, isDate, type Origin, show } from './encode.js'
import { schemaOf } from './schema.js'
import {
  bool,
  type DataType,
  float64,
  int64,
  list,
  nullable,
  type SchemaShape,
  timestamp,
  typeName,
  utf8,
} from './type.js'
import { type TypedArray, typeOfArray } from './typed-input.js'

/** A value of an ordinary array; a list is an array of such values. */
export type CellInput = number | bigint | boolean | string | Date | null | undefined | TypedArray | readonly CellInput[]

/** One column of `columns()`. */
export type ColumnInput = TypedArray | DictionaryInput | readonly CellInput[]

/** The data of `columns()`. */
export type ColumnsInput = Readonly<Record<string, ColumnInput>>

/**
 * The schema of columns: typed arrays as they are (a `BigUint64Array` as int64), `dictionary()` as utf8, ordinary
 * arrays by their values: number as float64, bigint as int64, `Date` as timestamp('ms'), string as utf8, boolean as
 * bool, array as a list of what its items are; nullable where one is null or undefined, and nullable(float64) where all
 * are.
 * @throws MillraceError `MR_TYPE_MISMATCH` with its row where an array mixes families or holds something else.
 */
export function inferColumns(data: ColumnsInput): SchemaShape {
  return schemaOf(earliestError(Object.keys(data), name => ({ name, type: typeOfInput(data[name], name) })))
}

/**
 * The schema of row objects: the names of all rows in order of first appearance, each typed as an array of its values
 * would be; a name that a row lacks is null there.
 * @throws MillraceError `MR_TYPE_MISMATCH` with its row.
 */
export function inferRows(rows: readonly object[]): SchemaShape {
  const end = objectsUntil(rows, 0, rows.length)
  const names = namesOf(rows, end)
  const fields = earliestError([...names], name => {
    const family = familyScan('rows', name)
    const value = valueGetter(name)
    for (let i = 0; i < end; i++) family.see(value(rows[i]), i)
    return { name, type: family.type() }
  })
  if (end < rows.length) throw notARow(rows, end)
  return schemaOf(fields)
}

function namesOf(rows: readonly object[], end: number): ReadonlySet<string> {
  const names = new Set<string>()
  let last: readonly string[] = []
  for (let i = 0; i < end; i++) {
    const keys = Object.keys(rows[i])
    // Most rows have the very names of the row before.
    if (keys.length === last.length && keys.every((key, k) => key === last[k])) continue
    for (const key of keys) names.add(key)
    last = keys
  }
  return names
}

/** The first of the rows `[from, to)` that is none, or `to`. */
export function objectsUntil(rows: readonly unknown[], from: number, to: number): number {
  let i = from
  while (i < to && isRow(rows[i])) i++
  return i
}

export const isRow = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !Array.isArray(given) && !(given instanceof Promise)

/** What rows that are only promised reject with is heard: nobody else will. */
export function hearPromises(rows: readonly unknown[]): void {
  for (const row of rows) if (row instanceof Promise) row.catch(() => {})
}

/** For the row `i` of those. */
export function notARow(rows: readonly unknown[], i: number): MillraceError {
  hearPromises(rows)
  return new MillraceError(
    'MR_TYPE_MISMATCH',
    `rows: row ${i} is ${rows[i] instanceof Promise ? 'a promise (await it)' : show(rows[i])}, not an object of column names to values`,
    {
      operator: 'rows',
      row: i,
    },
  )
}

/**
 * What reads the value of a row under `name`: its own where every object has something by that name, such as
 * `constructor`.
 */
export function valueGetter(name: string): (row: object) => unknown {
  if (name in Object.prototype)
    return row => (Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined)
  return row => (row as Record<string, unknown>)[name]
}

/**
 * Maps items, and where several fail throws the error of the least row: whichever column is looked at first, the answer
 * is the same.
 */
export function earliestError<T, R>(items: readonly T[], map: (item: T, i: number) => R): R[] {
  let earliest: unknown
  let earliestRow = Infinity
  let failed = false
  const results = items.map((item, i) => {
    try {
      return map(item, i)
    } catch (error) {
      const row = error instanceof MillraceError ? (error.details.row ?? -1) : -1
      if (!failed || row < earliestRow) {
        earliest = error
        earliestRow = row
      }
      failed = true
      return undefined as R
    }
  })
  if (failed) throw earliest
  return results
}

function typeOfInput(input: ColumnInput, name: string): DataType {
  const type = typeOfArray(input)
  if (type !== null) return type
  if (isDictionaryInput(input)) return dictionaryType(input)
  if (!Array.isArray(input)) throw notAColumn(input, name)
  const family = familyScan('columns', name)
  for (let i = 0; i < input.length; i++) family.see(input[i], i)
  return family.type()
}

export function notAColumn(input: unknown, column: string): MillraceError {
  return new MillraceError(
    'MR_TYPE_MISMATCH',
    `columns: column ${quote(column)} is ${show(input)}; pass an array, a typed array or dictionary(codes, values)`,
    { operator: 'columns', column },
  )
}

interface FamilyScan {
  see(value: unknown, row: number): void
  type(): DataType
}

/** Looks at the values of one column, one after another. */
function familyScan(operator: string, column: string): FamilyScan {
  let found: DataType | null = null
  let sample = ''
  let hasNulls = false
  // What all lists hold, looked at as one column.
  let items: FamilyScan | null = null
  return {
    see(value, row) {
      if (value === null || value === undefined) {
        hasNulls = true
        return
      }
      const sort = typeof value
      if (sort === sample) return
      const type = Array.isArray(value) ? LIST : typeOfCell(value, { operator, column, row })
      if (found !== null && found !== type) {
        throw failure(
          'MR_TYPE_MISMATCH',
          { operator, column, row },
          `${show(value)} in a column that began as ${found === LIST ? 'lists' : typeName(found)}; convert it, or declare a schema`,
        )
      }
      found = type
      if (Array.isArray(value)) {
        items ??= familyScan(operator, column)
        for (const item of value) items.see(item, row)
      }
      // Every object is looked at; of the rest, `typeof` says it all.
      if (sort !== 'object') sample = sort
    },
    type() {
      if (found === null) return nullable(float64())
      const type = items === null ? found : list(items.type())
      return hasNulls ? nullable(type) : type
    },
  }
}

const TIMESTAMP = timestamp('ms')
const LIST = list(float64())

function typeOfCell(value: unknown, origin: Origin): DataType {
  switch (typeof value) {
    case 'number':
      return float64()
    case 'bigint':
      return int64()
    case 'string':
      return utf8()
    case 'boolean':
      return bool()
    default:
      if (isDate(value)) return TIMESTAMP
      throw failure(
        'MR_TYPE_MISMATCH',
        origin,
        `${show(value)} is no column value; pass numbers, bigints, strings, booleans, Dates or null`,
      )
  }
}
