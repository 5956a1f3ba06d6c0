/**
 * Comparisons and `in`, resolved: both sides brought to one kind, and literals to the exact bound in the column's own kind, so
 * that no comparison ever rounds. typing.ts holds everything else.
 *
 * Where a literal decides by itself (`int.gt(1e300)`), the outcome is the same for every row but null ones: `x = x` stands for
 * true and `x != x` for false (NaN equals itself here), and fold.ts makes a constant of it where no row is null or fails.
 */
import { dayText, parseDay } from '../columnar/day.js'
import {
  bool,
  type DataType,
  float64,
  int32,
  int64,
  isFloat,
  isInteger,
  type Kind,
  type TimeUnit,
} from '../columnar/type.js'
import type { MillraceError } from '../errors.js'
import {
  convertInstant,
  doubleBelow,
  exactDouble,
  INT32_MAX,
  INT32_MIN,
  INT64_MAX,
  INT64_MIN,
  isFiner,
  literalKind,
  literalOf,
  literalText,
} from './literal.js'
import type { CompareOp, Expression, LiteralNode } from './node.js'
import { binary, castTo, describe, literalTyped, mismatch, type Scope, settle, type Typed, withNull } from './typing.js'

export const FLIPPED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  lte: 'gte',
  gt: 'lt',
  gte: 'lte',
}

export function resolveCompare(op: CompareOp, left: Typed, right: Typed, scope: Scope): Typed {
  const leftIsLiteral = left.node.op === 'literal'
  const rightIsLiteral = right.node.op === 'literal'
  if (leftIsLiteral && !rightIsLiteral) return resolveCompare(FLIPPED[op], right, left, scope)
  if (leftIsLiteral) left = settle(left, scope.operator)
  checkOrdered(op, left, scope)
  if (rightIsLiteral) return withLiteral(op, left, right.node as LiteralNode, scope)
  const [a, b] = alike(left, right, scope)
  return compared(op, a, b)
}

function compared(op: CompareOp, left: Typed, right: Typed): Typed {
  return { node: binary(op, left.node, right.node), type: withNull(bool(), left.type.nullable || right.type.nullable) }
}

function checkOrdered(op: CompareOp, operand: Typed, scope: Scope): void {
  const { kind } = operand.type
  if (kind === 'list' || kind === 'struct')
    throw mismatch(scope.operator, `${op} cannot compare ${describe(operand)} yet`)
  if (kind === 'bool' && op !== 'eq' && op !== 'ne') {
    throw mismatch(scope.operator, `${op} does not order booleans: ${describe(operand)}; use eq or ne`)
  }
}

/** Two columns or expressions, widened to one comparable kind. */
function alike(left: Typed, right: Typed, scope: Scope): [Typed, Typed] {
  const a = laneType(left.type)
  const b = laneType(right.type)
  const to = commonType(a, b, left.type.kind === 'uint32' || right.type.kind === 'uint32')
  if (to === null) throw mismatch(scope.operator, `cannot compare ${describe(left)} with ${describe(right)}`)
  if (to === 'mixed') return [castTo(left, a, scope.operator), castTo(right, b, scope.operator)]
  return [castTo(left, to, scope.operator), castTo(right, to, scope.operator)]
}

/** The kind in which values of a type are compared: the small integers as int32, uint32 as int64, float32 as float64. */
function laneType(type: DataType): DataType {
  if (type.kind === 'uint32') return int64()
  if (type.kind === 'int64') return int64()
  if (isInteger(type.kind)) return int32()
  return isFloat(type.kind) ? float64() : type
}

/** `'mixed'`: int64 with float64, for which there is an exact comparison and no common type; a uint32 is exact as float64. */
function commonType(a: DataType, b: DataType, hasUint32: boolean): DataType | 'mixed' | null {
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return isFiner(a.unit as TimeUnit, b.unit as TimeUnit) ? a : b
  if (a.kind === b.kind) return a.kind === 'list' || a.kind === 'struct' ? null : a
  const kinds = [a.kind, b.kind]
  if (!kinds.every(kind => isInteger(kind) || isFloat(kind))) return null
  if (!kinds.includes('float64')) return int64()
  return kinds.includes('int64') && !hasUint32 ? 'mixed' : float64()
}

function withLiteral(op: CompareOp, input: Typed, literal: LiteralNode, scope: Scope): Typed {
  if (literal.value === null) {
    const type = laneType(input.type)
    return compared(op, castTo(input, type, scope.operator), literalTyped(null, type))
  }
  const bound = boundOf(input.type, literal, scope, input)
  const type = laneType(input.type)
  if (bound.kind === 'value') return compared(op, castTo(input, type, scope.operator), literalTyped(bound.value, type))
  if (bound.kind === 'between') {
    if (op === 'eq' || op === 'ne') return constant(op === 'ne', input, scope)
    const below = op === 'gt' || op === 'gte' ? 'gt' : 'lte'
    return compared(below, castTo(input, type, scope.operator), literalTyped(bound.below, type))
  }
  const isTrue = op === 'ne' || (bound.kind === 'above' ? op === 'lt' || op === 'lte' : op === 'gt' || op === 'gte')
  return constant(isTrue, input, scope)
}

/** True (or false) for every row that is not null. */
function constant(isTrue: boolean, input: Typed, scope: Scope): Typed {
  const operand = castTo(input, laneType(input.type), scope.operator)
  return compared(isTrue ? 'eq' : 'ne', operand, operand)
}

/** Where a literal lies among the values of a type: one of them, between two neighbours, or beyond all of them. */
type Bound =
  | { readonly kind: 'value'; readonly value: number | bigint | string | boolean }
  | { readonly kind: 'between'; readonly below: number | bigint }
  | { readonly kind: 'above' }
  | { readonly kind: 'below' }

const value = (value: number | bigint | string | boolean): Bound => ({ kind: 'value', value })
const ABOVE: Bound = { kind: 'above' }
const BELOW: Bound = { kind: 'below' }

function boundOf(type: DataType, literal: LiteralNode, scope: Scope, input: Typed): Bound {
  const literalType = literal.type
  const refuse = (hint = ''): MillraceError =>
    mismatch(
      scope.operator,
      `cannot compare ${describe(input)} with the ${literalKind(literal)} literal ${literalText(literal)}${hint}`,
    )
  const number = numberIn(literal)
  switch (type.kind) {
    case 'bool':
      if (typeof literal.value === 'boolean') return value(literal.value)
      throw refuse()
    case 'utf8':
      if (typeof literal.value === 'string') return value(literal.value)
      throw refuse()
    case 'date':
      return dateBound(literal, refuse)
    case 'timestamp': {
      const unit = type.unit as TimeUnit
      if (literalType?.kind === 'timestamp')
        return instantBound(literal.value as bigint, literalType.unit as TimeUnit, unit)
      if (literalType === undefined && typeof literal.value === 'bigint') return integerBound(literal.value, 'int64')
      throw refuse(
        typeof literal.value === 'string' ? '; write new Date(...)' : `; write a Date, or a bigint that counts ${unit}`,
      )
    }
    case 'list':
    case 'struct':
      throw refuse()
    default:
      if (number === null) throw refuse()
      return isFloat(type.kind) ? floatBound(number) : integerBound(number, laneType(type).kind)
  }
}

function numberIn(literal: LiteralNode): number | bigint | null {
  const { value, type } = literal
  if (typeof value !== 'number' && typeof value !== 'bigint') return null
  return type === undefined || isInteger(type.kind) || isFloat(type.kind) ? value : null
}

function integerBound(number: number | bigint, kind: Kind): Bound {
  if (typeof number === 'number') {
    if (Number.isNaN(number) || number === Infinity) return ABOVE
    if (number === -Infinity) return BELOW
  }
  const whole = typeof number === 'bigint' || Number.isInteger(number)
  const floor = typeof number === 'bigint' ? number : BigInt(Math.floor(number))
  if (floor > (kind === 'int32' ? INT32_MAX : INT64_MAX)) return ABOVE
  if (floor < (kind === 'int32' ? INT32_MIN : INT64_MIN)) return BELOW
  const inKind = kind === 'int32' ? Number(floor) : floor
  return whole ? value(inKind) : { kind: 'between', below: inKind }
}

function floatBound(number: number | bigint): Bound {
  const double = exactDouble(number)
  return double === null ? { kind: 'between', below: doubleBelow(number as bigint) } : value(double)
}

function instantBound(instant: bigint, from: TimeUnit, to: TimeUnit): Bound {
  const { floor, exact } = convertInstant(instant, from, to)
  if (floor > INT64_MAX) return ABOVE
  if (floor < INT64_MIN) return BELOW
  return exact ? value(floor) : { kind: 'between', below: floor }
}

function dateBound(literal: LiteralNode, refuse: (hint?: string) => MillraceError): Bound {
  const { value: given, type } = literal
  if (type?.kind === 'date') return value(given as number)
  if (typeof given === 'string') {
    const days = parseDay(given)
    if (days === null) throw refuse(": that is no day; write 'YYYY-MM-DD'")
    return value(days)
  }
  if (type?.kind !== 'timestamp') throw refuse("; write 'YYYY-MM-DD'")
  const { floor, exact } = convertInstant(given as bigint, type.unit as TimeUnit, 's')
  const days = Number(floor) / 86_400
  if (exact && Number.isInteger(days)) return value(days)
  throw refuse(`: a date is a whole day and no instant; write '${dayText(Math.floor(days))}'`)
}

/** `input in values`: values that no row can equal are dropped; an all-dropped list leaves false for every row but null ones. */
export function resolveIn(input: Typed, values: readonly LiteralNode[], scope: Scope): Typed {
  checkOrdered('eq', input, scope)
  const type = laneType(input.type)
  const kept: LiteralNode[] = []
  let hasNull = false
  for (const literal of values) {
    if (literal.value === null) {
      hasNull = true
      continue
    }
    const bound = boundOf(input.type, literal, scope, input)
    if (bound.kind === 'value') kept.push(literalOf(bound.value, withNull(type, false)))
  }
  if (hasNull) kept.push(literalOf(null, type))
  if (kept.length === 0 && values.length > 0) return constant(false, input, scope)
  const node: Expression = Object.freeze({
    op: 'in',
    input: castTo(input, type, scope.operator).node,
    values: Object.freeze(kept),
  })
  return { node, type: withNull(bool(), kept.length > 0 && (input.type.nullable || hasNull)) }
}
