/** A row's error as the user reads it: a lane knows the expression as data, and the row only within its split. */
import { MillraceError } from '../../errors.js'
import type { Expression } from '../../expressions/node.js'
import { printExpression } from '../../expressions/print.js'

/**
 * `error` with its expression spelt out; other errors as they are.
 * @param place the row as counted in the source of that label; null where the row came out of an aggregate or a sort.
 */
export function spellOut(error: Error, place: { readonly row: number; readonly label: string } | null): Error {
  if (!(error instanceof MillraceError) || error.details.expression === undefined) return error
  const { expression, ...details } = error.details as { readonly expression: Expression }
  const { op } = expression
  const where = place === null ? '' : ` (row ${place.row} of ${place.label})`
  const text = `${printExpression(expression)} is beyond ${op === 'year' ? 'int32' : 'int64'}${where}; ${REMEDIES[op] ?? REMEDY}`
  return new MillraceError(error.code, text, place === null ? details : { ...details, row: place.row }, error.cause)
}

const REMEDY = 'filter such rows out first, or compute in float64, for instance from a float64 column'
const REMEDIES: Readonly<Record<string, string>> = {
  cast: 'declare the column in a coarser unit of time',
  year: 'filter such rows out first',
}
