/** Expressions that choose among values: `coalesce` and `when`. */
import type { Expression } from '../expressions/node.js'
import { callNode, type Handle, handleOf, isHandle, literalOf, operandOf, type RuntimeFamily } from './columns.js'
import type { BoolOperand, Expr, NumberOperand, ScalarFamily, StringOperand } from './handles.js'
import { mismatch } from './refusal.js'
import type { Chosen, CoalescedOf, HandleOf, Literal } from './types.js'

/** A value that may be chosen: an expression, or a literal. */
export type Choice = Literal | Expr<any, ScalarFamily>

/** One that may be chosen beside `V`: of its family, or null. */
export type ChoiceBeside<V> = ChoicesOf[[V] extends [never] ? 'any' : FamilyOfChoice<V>]

/** Of a literal every family that may have it. */
export type FamilyOfChoice<V> =
  V extends Expr<any, any>
    ? V['family']
    : V extends number
      ? 'number'
      : V extends bigint
        ? 'number' | 'time'
        : V extends string
          ? 'string' | 'time'
          : V extends boolean
            ? 'boolean'
            : V extends Date
              ? 'time'
              : 'any'

/** What may be chosen, by family. */
export interface ChoicesOf {
  number: NumberOperand | null
  string: StringOperand | null
  boolean: BoolOperand | null
  time: Date | string | bigint | Expr<any, 'time'> | null
  other: null
  any: Choice
}

/**
 * The first of `values` that is not null, row by row; null where all are. They are of one family, and the result has the type that holds them all:
 * the same where they are the same, int32 or int64 of different integers, float64 of other numbers, of timestamps the finer unit. A literal takes the
 * type of the columns it stands beside. A value is asked of the rows where all before it are null, and does not fail on others. The method `coalesce` does the same.
 *
 * ```ts
 * flow.derive(t => ({ size: coalesce(t.size, t.price, 0) }))
 * ```
 * @throws MillraceError (from the verb) `MR_TYPE_MISMATCH` where no type holds them all
 */
export function coalesce<const V extends Choice, const W extends readonly ChoiceBeside<V>[]>(
  value: V,
  ...others: W
): HandleOf<CoalescedOf<V | W[number]>>
export function coalesce(...values: readonly unknown[]): unknown {
  return chosen(
    'coalesce',
    values,
    values.map(value => choiceOf(value, 'coalesce')),
  )
}

/** A condition that waits for its value. */
export interface When<V> {
  then<const W extends ChoiceBeside<V>>(value: W): Then<V | W>
}

/** Values by condition so far, an expression by itself: null where no condition is true. */
export type Then<V> = HandleOf<Chosen<V | null>> & {
  /** Another condition, for the rows of which none before is true. */
  when(condition: BoolOperand): When<V>
  /** The value of the rows of which no condition is true. */
  otherwise<const W extends ChoiceBeside<V>>(value: W): HandleOf<Chosen<V | W>>
}

/**
 * Chooses by conditions, row by row: the value of the first that is true, not false or null. The result has the type that holds all values, as
 * `coalesce` says; without `otherwise` it is null where no condition is true. A condition is asked of the rows for which none
 * before it is true, and a value of the rows that choose it: one that would fail on other rows (`MR_INTEGER_OVERFLOW`, a `cast`) does not.
 *
 * ```ts
 * flow.derive(t => ({ band: when(t.price.gte(11)).then('high').when(t.price.gte(10)).then('middle').otherwise('low') }))
 * ```
 * @throws MillraceError (from the verb) `MR_TYPE_MISMATCH` where no type holds all values
 */
export function when(condition: BoolOperand): When<never> {
  return whenAfter([], [], condition) as When<never>
}

function whenAfter(before: readonly Expression[], values: readonly unknown[], condition: unknown): object {
  const test = operandOf(condition, 'boolean', 'when')
  return Object.freeze({
    // biome-ignore lint/suspicious/noThenProperty: the word for it, and never awaited: it takes a value.
    then: (value: unknown) => thenOf([...before, test, choiceOf(value, 'when')], [...values, value]),
  })
}

function thenOf(inputs: readonly Expression[], values: readonly unknown[]): Handle {
  return chosen('when', values, inputs, {
    when: { value: (condition: unknown) => whenAfter(inputs, values, condition) },
    otherwise: {
      value: (value: unknown) => chosen('when', [...values, value], [...inputs, choiceOf(value, 'when')]),
    },
  })
}

const chosen = (
  name: string,
  values: readonly unknown[],
  inputs: readonly Expression[],
  more?: PropertyDescriptorMap,
) => handleOf(familyOfAll(values), callNode(name, inputs), more)

function choiceOf(value: unknown, name: string): Expression {
  if (isHandle(value)) return value.expression
  if (value === undefined) throw mismatch(name, `${name}: a value is undefined; for null write null`)
  return literalOf(value, name)
}

/** That of the columns; of literals alone theirs. Whether all are of one is typing's to say. */
function familyOfAll(values: readonly unknown[]): RuntimeFamily {
  const families = values.flatMap(value => (isHandle(value) ? [value.family] : []))
  if (families.length > 0) return families.includes('any') ? 'any' : families[0]
  const literal = values.find(value => value !== null)
  if (literal instanceof Date) return 'time'
  return (
    ({ number: 'number', bigint: 'number', string: 'string', boolean: 'boolean' } as const)[String(typeof literal)] ??
    'any'
  )
}
