/** Expressions that are values: `literal` of a type of one's own, and `param`, whose value may change between jobs. */
import {
  type DataType,
  type Timestamp,
  type TimeUnit,
  typeName,
  timestamp as typeOfInstants,
} from '../columnar/type.js'
import { standaloneLiteral } from '../expressions/literal.js'
import type { LiteralNode, ParamCell } from '../expressions/node.js'
import { literalIn } from '../expressions/unify.js'
import { zoneOf } from '../expressions/zone.js'
import { useParams } from '../sources/param-values.js'
import { PARAM_RULES } from '../sources/params.js'
import { familyOf, handleOf, literalOf } from './columns.js'
import { typeIn } from './methods/casts.js'
import { mismatch, show } from './refusal.js'
import type { HandleOf, Literal, OrNull, TypeOfValue } from './types.js'

/**
 * An instant: int64 counts of `unit` since 1970-01-01T00:00:00Z.
 * @throws MillraceError `MR_INVALID_OPTION` for another unit, and a time zone that there is not
 */
export function timestamp(unit: TimeUnit = 'ms', timeZone?: string): Timestamp {
  if (timeZone !== undefined) zoneOf(timeZone, 'timestamp')
  return typeOfInstants(unit, timeZone)
}

/**
 * A value as an expression, of `type` or of the type that it has by itself: number float64, bigint int64, a `Date` `timestamp('ms')`, null a nullable
 * float64. It has the methods of its family.
 *
 * ```ts
 * flow.derive(t => ({ source: literal(7, uint8()), none: literal(null, utf8()), left: literal(100).sub(t.price) }))
 * ```
 * @throws MillraceError `MR_TYPE_MISMATCH` where the type does not hold the value
 */
export function literal<const V extends Literal>(value: V): HandleOf<TypeOfValue<V>>
export function literal<D extends DataType, const V extends Literal>(
  value: V,
  type: D,
): HandleOf<[V] extends [null] ? OrNull<D> : D>
export function literal(value: Literal, type?: DataType): unknown {
  const typed = valueNode(value, 'literal', type)
  return handleOf(familyOf(typed.type as DataType), typed)
}

/** A value that may change between jobs, by itself an expression. */
export type Param<D extends DataType, V extends ParamValue> = HandleOf<D> & {
  /** What jobs that begin now are given. */
  readonly value: V
  /** Of jobs that begin from now on. @throws MillraceError `MR_TYPE_MISMATCH` for a value of another type */
  set(value: V): void
}

export type ParamValue = number | bigint | string | boolean | Date

/**
 * A value that stands in expressions where a literal may, and is read anew by each job as it begins: one flow serves many values. Its type is `type`, or
 * that of `initial` by itself (number float64, bigint int64), so what is computed with it keeps its type whatever it is set to.
 *
 * ```ts
 * const least = param(10)
 * const dear = flow.filter(t => t.price.gt(least))
 * show((await dear.collect()).rowCount)
 * least.set(11)
 * show((await dear.collect()).rowCount)
 * ```
 */
export function param<V extends ParamValue>(initial: V): Param<TypeOfValue<V>, Widened<V>>
export function param<V extends ParamValue, D extends DataType>(initial: V, type: D): Param<D, Widened<V>>
export function param(initial: ParamValue, type?: DataType): unknown {
  useParams(PARAM_RULES)
  const first = valueNode(initial, 'param', type)
  const cell: ParamCell = { value: first.value, listeners: new Set() }
  let given = initial
  const expression = Object.freeze({ op: 'param', cell, type: first.type as DataType } as const)
  return handleOf(familyOf(expression.type), expression, {
    value: { get: () => given },
    set: {
      value(next: ParamValue) {
        const node = valueNode(next, 'param', type)
        if (node.type?.kind !== expression.type.kind) {
          const [own, other] = [expression.type, node.type as DataType].map(typeName)
          throw mismatch('param', `param: it is ${own}, and ${show(next)} is ${other}`)
        }
        given = next
        cell.value = node.value
        for (const hear of cell.listeners) hear()
      },
    },
  })
}

type Widened<V> = V extends number
  ? number
  : V extends bigint
    ? bigint
    : V extends string
      ? string
      : V extends boolean
        ? boolean
        : V

function valueNode(value: unknown, name: string, type: DataType | undefined): LiteralNode {
  if (name === 'param' && (value === null || value === undefined))
    throw mismatch(name, `${name} takes a value, not ${value}`)
  const node = literalOf(value, name)
  return type === undefined ? standaloneLiteral(node, name) : literalIn(node, typeIn(type, name), name)
}
