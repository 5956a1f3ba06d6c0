/** A row's error as the user reads it: a lane knows the expression as data, and the row only within its split. */
import { failureOf, type UserVerb } from '../../columnar/user-failure.js'
import { MillraceError, quote } from '../../errors.js'
import type { CallNode, Expression } from '../../expressions/node.js'
import { printExpression } from '../../expressions/print.js'
import { collectColumns, substitute } from '../../expressions/walk.js'
import type { PhysicalPlan } from '../../plan/physical.js'

/**
 * `error` with its expression spelt out, or with the place in the file of a row that could not be read; other errors as they are.
 * Its details name the expression, and of the columns that it reads the first.
 * @param place the row as counted in the source of that label; null where the row came out of an aggregate or a sort.
 * @param plan whose aggregates stand in the expression by names that the planner has made.
 */
export function spellOut(
  error: Error,
  place: { readonly row: number; readonly label: string } | null,
  plan?: PhysicalPlan,
): Error {
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
  const {
    expression: raw,
    what,
    remedy,
    ...told
  } = error.details as {
    readonly expression: Expression
    readonly what?: string
    readonly remedy?: string
  }
  const expression = plan === undefined ? raw : withAggregates(raw, plan)
  const { op } = expression
  const printed = printExpression(expression)
  const [read] = collectColumns(expression, new Set())
  const details = { ...told, expression: printed, ...(read !== undefined && { column: read }) }
  const where = place === null ? '' : ` (row ${place.row} of ${place.label})`
  const text = `${printed}${what === undefined ? ` is beyond ${op === 'year' ? 'int32' : 'int64'}` : `: ${what}`}${where}; ${remedy ?? REMEDIES[op] ?? REMEDY}`
  return new MillraceError(error.code, text, place === null ? details : { ...details, row: place.row }, error.cause)
}

/** `sum(big)` in the place of the column that it is in. */
const withAggregates = (expression: Expression, { scan, final }: PhysicalPlan): Expression =>
  substitute(expression, name => {
    const found = [...scan, ...final]
      .flatMap(stage => (stage.kind === 'aggregate' ? stage.accumulators : []))
      .find(each => each.name === name)
    return found === undefined
      ? { op: 'column', name }
      : ({ op: 'call', function: found.function, inputs: found.inputs, parameters: found.parameters } as CallNode)
  })

const REMEDY = 'filter such rows out first, or compute in float64, for instance from a float64 column'
const REMEDIES: Readonly<Record<string, string>> = {
  cast: 'declare the column in a coarser unit of time',
  year: 'filter such rows out first',
}
