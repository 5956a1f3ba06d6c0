/**
 * What a user's function makes of rows: called row by row, its results read as columns, and what goes wrong told with its row. The calling thread runs functions so
 * (sources/user-stage.ts), and lanes those of modules (operators/user-code.ts).
 */
import { MillraceError } from '../errors.js'
import { notARow, objectsUntil } from './infer.js'
import { openRows } from './input.js'
import type { RecordBatch } from './record-batch.js'
import { rowReader } from './row.js'
import type { SchemaShape } from './type.js'
import { shown, type UserVerb } from './user-failure.js'

/** What is known of a result before it is read: rows that it stands for. @throws MillraceError for what is no such result */
export function rowsOfResult(verb: UserVerb, result: unknown): readonly object[] {
  if (verb === 'map') return [checkRow(verb, result)]
  if (Array.isArray(result)) return checkRows(result)
  if (typeof result === 'object' && result !== null && Symbol.iterator in result)
    return checkRows(Array.from(result as Iterable<object>))
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `flatMap: the function gives an array of rows, or another iterable of them, not ${shown(result)}`,
    { operator: verb },
  )
}

/** At once: what promises among them reject with would be nobody's. */
function checkRows(rows: readonly object[]): readonly object[] {
  const end = objectsUntil(rows, 0, rows.length)
  if (end < rows.length) throw withoutRow(notARow(rows, end))
  return rows
}

function checkRow(verb: UserVerb, result: unknown): object {
  if (typeof result === 'object' && result !== null && !Array.isArray(result)) return result
  throw new MillraceError('MR_TYPE_MISMATCH', `${verb}: the function gives a row, an object, not ${shown(result)}`, {
    operator: verb,
  })
}

/** @throws MillraceError for what is no truth value */
export function isKept(verb: UserVerb, result: unknown): boolean {
  if (typeof result === 'boolean') return result
  throw new MillraceError('MR_TYPE_MISMATCH', `${verb}: the function gives true or false, not ${shown(result)}`, {
    operator: verb,
  })
}

/** Rows of a batch that a function is called with, as objects. @throws MillraceError for one with a value that a number or a `Date` would round */
export function rowsOf(batch: RecordBatch): (i: number) => object {
  const read = rowReader(batch.schema, batch.vectors, 0)
  return i => {
    try {
      return read(i)
    } catch (error) {
      throw unreadable(error)
    }
  }
}

/** What a function gave for one row. */
export interface Given {
  /** The row within its batch. */
  readonly row: number
  readonly rows: readonly object[]
}

/**
 * The rows that were given as a batch of columns, and for each the row that it was made of. `fail` hears of those that do not fit the columns, of which nothing is taken then.
 * @throws MillraceError as `openRows` does, where `fail` throws
 */
export function batchOf(
  given: readonly Given[],
  schema: SchemaShape,
  fail: (row: number, error: unknown) => void,
): { readonly batch: RecordBatch; readonly origins: Int32Array } {
  const read = (some: readonly Given[]) => {
    const rows = some.length === 1 ? some[0].rows : some.flatMap(each => each.rows)
    return openRows(rows, schema).read(0, rows.length)
  }
  let fitting = given
  let batch: RecordBatch
  try {
    batch = read(given)
  } catch {
    // Seldom: each row by itself tells which it is.
    fitting = given.filter(each => {
      try {
        read([each])
        return true
      } catch (error) {
        fail(each.row, withoutRow(error))
        return false
      }
    })
    batch = read(fitting)
  }
  const origins = new Int32Array(batch.rowCount)
  let at = 0
  for (const { row, rows } of fitting) for (let i = 0; i < rows.length; i++) origins[at++] = row
  return { batch, origins }
}

/** `toRows` and its like are no way out here, and the row is told by who called the function. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof MillraceError)) return error
  const text = error.message.slice(error.code.length + 2).replace(/, row \d+: (.*); read it with .*$/, ': $1')
  const remedy = 'cast it to utf8 before to have it exactly, or drop the column'
  return new MillraceError(error.code, `${text}; ${remedy}`, { column: error.details.column })
}

/** A reader counts rows of what the function gave; which row that was made of is told by who called it. */
function withoutRow(error: unknown): unknown {
  if (!(error instanceof MillraceError)) return error
  const text = error.message
    .slice(error.code.length + 2)
    .replace(/^rows: (.*?),? row \d+(?=:)/, 'the result, $1')
    .replace(/^rows: row \d+ is/, 'a row of the result is')
  return new MillraceError(error.code, text, error.details, error.cause)
}
