/** A row's error as the user reads it: a lane knows the expression as data, and the row only within its split. */
import { failureOf, type UserVerb } from '../../columnar/user-failure.js'
import { MillraceError, quote } from '../../errors.js'
import type { Expression } from '../../expressions/node.js'
import { printExpression } from '../../expressions/print.js'
import { collectColumns } from '../../expressions/walk.js'

/**
 * `error` with its expression spelt out, or with the place in the file of a row that could not be read; other errors as they are.
 * Its details name the first column of the source that the expression reads.
 * @param place the row as counted in the source of that label; null where the row came out of an aggregate or a sort.
 */
export function spellOut(error: Error, place: { readonly row: number; readonly label: string } | null): Error {
  if (!(error instanceof MillraceError)) return error
  if (error.details.userVerb !== undefined) {
    const row = place === null ? 'a row' : `row ${place.row} of ${place.label}`
    return failureOf(
      error.details.userVerb as UserVerb,
      row,
      place?.row,
      error.code === 'MR_USER_CODE_FAILED' ? error.cause : error,
    )
  }
  const { text: rowText, file, byteOffset, column } = error.details
  if (place !== null && rowText !== undefined && byteOffset !== undefined) {
    const at = `${file}, row ${place.row}, byte ${byteOffset}${column === undefined ? '' : `, column ${quote(column)}`}`
    const what = error.message.slice(error.code.length + 2)
    return new MillraceError(error.code, `${at}: ${what}`, { ...error.details, row: place.row }, error.cause)
  }
  if (error.details.expression === undefined) return error
  const { expression, what, remedy, ...details } = error.details as {
    readonly expression: Expression
    readonly what?: string
    readonly remedy?: string
  }
  const { op } = expression
  const where = place === null ? '' : ` (row ${place.row} of ${place.label})`
  const text = `${printExpression(expression)}${what === undefined ? ` is beyond ${op === 'year' ? 'int32' : 'int64'}` : `: ${what}`}${where}; ${remedy ?? REMEDIES[op] ?? REMEDY}`
  if (place === null) return new MillraceError(error.code, text, details, error.cause)
  const [read] = collectColumns(expression, new Set())
  return new MillraceError(error.code, text, { ...details, column: read, row: place.row }, error.cause)
}

const REMEDY = 'filter such rows out first, or compute in float64, for instance from a float64 column'
const REMEDIES: Readonly<Record<string, string>> = {
  cast: 'declare the column in a coarser unit of time',
  year: 'filter such rows out first',
}
