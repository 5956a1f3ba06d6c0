/** What the callbacks of `derive` and `aggregate` give back, checked and made into nodes. */
import { quote } from '../errors.js'
import type { NamedAggregate, NamedExpression } from '../plan/logical.js'
import { isAggregate } from './aggregate-expr.js'
import { isHandle, literalOf } from './columns.js'
import { isPlainRecord, mismatch, show } from './refusal.js'

/** The columns that the callback of `derive` gave. @throws MillraceError `MR_TYPE_MISMATCH` */
export function derivationsOf(result: unknown): NamedExpression[] {
  return entriesOf('derive', result).map(([name, value]) => ({ name, expression: derivedOf(name, value) }))
}

function derivedOf(name: string, value: unknown): NamedExpression['expression'] {
  if (isHandle(value)) return value.expression
  if (isAggregate(value))
    throw mismatch(
      'derive',
      `derive: ${quote(name)} is an aggregate; derive works row by row, aggregates stand in aggregate(...)`,
      name,
    )
  if (value === undefined)
    throw mismatch('derive', `derive: ${quote(name)} is undefined; for a null column write null`, name)
  return literalOf(value, 'derive', name)
}

/** The aggregates that the callback of `aggregate` gave. @throws MillraceError `MR_TYPE_MISMATCH` */
export function aggregatesOf(result: unknown, operator = 'aggregate'): NamedAggregate[] {
  return entriesOf(operator, result).map(([name, value]) => {
    if (isAggregate(value)) return Object.freeze({ name, expression: value.aggregate })
    const what = isHandle(value) ? `the column expression ${value}` : show(value)
    throw mismatch(
      operator,
      `${operator}: ${quote(name)} is ${what}, not an aggregate; wrap a column in one: count(t.x), sum(t.x), mean(t.x), min(t.x), max(t.x)`,
      name,
    )
  })
}

/** The columns that a callback gave back. */
function entriesOf(operator: string, result: unknown): [string, unknown][] {
  if (isPlainRecord(result) && !isHandle(result) && !isAggregate(result)) return Object.entries(result)
  const hint = isHandle(result) || isAggregate(result) ? 'a single expression' : show(result)
  throw mismatch(
    operator,
    `${operator}: the function gives ${hint}; give an object of names to expressions, as in t => ({ name: ... })`,
  )
}
