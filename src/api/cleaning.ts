/** What the verbs of cleaning are given, checked: `dedupe`, `fillNull`, `validate`. */
import type { SchemaShape } from '../columnar/type.js'
import { quote } from '../errors.js'
import type { Expression } from '../expressions/node.js'
import { printName } from '../expressions/print.js'
import { columnOf } from '../plan/build.js'
import { allOf, call, not, RULE_SEPARATOR } from '../plan/cleaning.js'
import type { NamedAggregate, NamedExpression } from '../plan/logical.js'
import { type FillMethod, filledSchema } from '../sources/filled-schema.js'
import { predicateOf } from './aggregate-expr.js'
import { literalOf } from './columns.js'
import type { Flow } from './flow.js'
import { optionsOf } from './options.js'
import { invalid, isPlainRecord, mismatch, show } from './refusal.js'
import { stagedFlow } from './staged.js'

/** What `dedupe` may be told. */
export interface DedupeOptions<N extends string = string> {
  /** Rows are doubles where they are equal in these; by default in all columns. */
  readonly keys?: readonly N[]
  /** Which of them stays: the first by default. */
  readonly keep?: 'first' | 'last'
  /**
   * Rows are doubles only where one that stays is less than that away from them, before or after, by event time: `'10s'`. By default however far away. The first stays, as they
   * come, so that it needs a watermark, and rows behind it, or without a time, are late.
   */
  readonly within?: string
}

/** @throws MillraceError `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH` */
export function dedupeOptions(given: readonly unknown[]): {
  names: readonly string[]
  keep: 'first' | 'last'
  within: string | null
} {
  if (given.length !== 1 || !isPlainRecord(given[0]))
    return { names: given as readonly string[], keep: 'first', within: null }
  const {
    keys = [],
    keep = 'first',
    within = null,
  } = optionsOf<DedupeOptions>('dedupe', given[0], "{ keys: ['id'] }", ['keys', 'keep', 'within'])
  if (keep !== 'first' && keep !== 'last') throw invalid('dedupe', `keep is 'first' or 'last', not ${show(keep)}`)
  if (!Array.isArray(keys)) throw mismatch('dedupe', `dedupe: keys is an array of column names, not ${show(keys)}`)
  if (within !== null && typeof within !== 'string')
    throw invalid('dedupe', `within is a duration such as '10s', not ${show(within)}`)
  if (within !== null && keep === 'last')
    throw invalid('dedupe', "within a time the first row stays: leave out within, or keep: 'last'")
  return { names: keys, keep, within }
}

/** How nulls are filled that no value is named for. */
export interface FillByMethod {
  /** The value of the row before, or after; the mean of all rows; or on the line between the values around, rows being equally far apart. */
  readonly method: FillMethod
}

const METHODS: readonly FillMethod[] = ['previous', 'next', 'mean', 'linear']

/** Of the columns of `fillNull` those that are filled by a method. @throws MillraceError `MR_INVALID_OPTION` */
export function methodsOf(values: unknown): Map<string, FillMethod> {
  if (!isPlainRecord(values)) return new Map()
  return new Map(
    Object.entries(values).flatMap(([name, value]) => {
      if (!isPlainRecord(value)) return []
      const { method } = optionsOf('fillNull', value, "{ method: 'previous' }", ['method'])
      if (METHODS.includes(method as FillMethod)) return [[name, method as FillMethod]]
      throw invalid('fillNull', `a method is ${METHODS.map(quote).join(', ')}, not ${show(method)}`)
    }),
  )
}

/** Columns whose nulls are filled in row order, in the calling thread. @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` */
export function filledInOrder(flow: Flow<any>, methods: ReadonlyMap<string, FillMethod>): Flow<any> {
  if (methods.size === 0) return flow
  const label = `fillNull ${[...methods].map(([name, method]) => `${printName(name)} by ${method}`).join(', ')}`
  const schema = flow.schema === null ? null : filledSchema(flow.schema, methods)
  return stagedFlow(flow, { label, step: label, schema }, async collect =>
    (await import('./fill-in-order.js')).fillInOrder(flow, methods, collect),
  )
}

/** Columns with a value in the place of their nulls, but those that are filled by a method. @throws MillraceError `MR_TYPE_MISMATCH` */
export function filledColumns(values: unknown): NamedExpression[] {
  if (!isPlainRecord(values)) {
    throw mismatch('fillNull', `fillNull takes an object of columns to values, as in { price: 0 }, not ${show(values)}`)
  }
  return Object.entries(values).flatMap(([name, value]) => {
    if (isPlainRecord(value)) return []
    if (value === null || value === undefined) {
      throw mismatch(
        'fillNull',
        `fillNull: the value of ${quote(name)} is ${value}; name what stands in for null`,
        name,
      )
    }
    return [{ name, expression: call('coalesce', columnOf(name), literalOf(value, 'fillNull')) }]
  })
}

/** Rules as what is true of a good row: a null is not. */
export interface Rules {
  readonly isValid: Expression
  /** The names of the rules that a row breaks, with `, ` between two. */
  readonly broken: Expression
  /** How many rows break each. */
  readonly counts: readonly NamedAggregate[]
}

/** @throws MillraceError `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH` */
export function rulesOf(rules: unknown, evaluate: (predicate: unknown) => unknown): Rules {
  if (!isPlainRecord(rules)) {
    throw mismatch(
      'validate',
      `validate takes an object of rules, as in { positive: t => t.price.gt(0) }, not ${show(rules)}`,
    )
  }
  const named = Object.entries(rules).map(([name, rule]): [string, Expression] => [
    name,
    call('coalesce', predicateOf(evaluate(rule), 'validate', `validate: ${quote(name)}`), literalOf(false, 'validate')),
  ])
  if (named.length === 0) throw invalid('validate', 'name at least one rule, as in { positive: t => t.price.gt(0) }')
  for (const [name] of named) {
    if (name === '' || name.includes(RULE_SEPARATOR))
      throw invalid(
        'validate',
        `a rule is called ${quote(name)}; rejected rows list names with ${quote(RULE_SEPARATOR)} between two, so that none has that or is empty`,
      )
  }
  const texts = named.map(([name, holds]) =>
    call('when', holds, literalOf('', 'validate'), literalOf(name + RULE_SEPARATOR, 'validate')),
  )
  return {
    isValid: allOf(named.map(([, holds]) => holds)),
    broken: {
      ...call('slice', call('concat', ...texts, literalOf('', 'validate'))),
      parameters: { start: 0, end: -RULE_SEPARATOR.length },
    } as Expression,
    counts: named.map(([name, holds]) => ({
      name,
      expression: { op: 'aggregate', function: 'count', inputs: [], where: not(holds) },
    })),
  }
}

/** The column of a rejected row that says why. */
export const BROKEN_RULES = 'brokenRules'

/** @throws MillraceError `MR_DUPLICATE_COLUMN` */
export function checkFree(schema: SchemaShape | null): void {
  if (schema === null || !Object.hasOwn(schema, BROKEN_RULES)) return
  throw invalid(
    'validate',
    `rejected rows say why in the column ${quote(BROKEN_RULES)}, and there is one of that name; rename it first`,
  )
}
