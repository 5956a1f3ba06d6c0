/**
 * Types of expressions against a schema. One walk both checks and resolves, so what `typeOf` accepts `resolve` accepts.
 * comparing.ts holds the comparisons; failure.ts says which resolved expressions can fail on a row.
 *
 * A resolved tree is what the operators take:
 * ```
 * add sub mul intDiv mod   int64, int64 or float64, float64      -> the same      neg  int64 or float64
 * div                      float64, float64                       -> float64
 * eq ne lt lte gt gte      equal kinds among int32 int64 float64 bool utf8 date timestamp (one unit),
 *                          or int64 with float64                  -> bool
 * in                       one of those kinds; values of that very kind, or null  -> bool
 * and or not               bool                                   -> bool
 * year month dayOfWeek hour  date or timestamp (UTC; of other zones they are calls)  -> int32
 * call                     what its function takes (calls.ts), with the type of its result
 * cast                     narrower integers -> int32, int64, float64; int64, float32 -> float64; timestamp -> finer unit
 * literal                  typed: number for int32, float64 and date (days); bigint for int64 and timestamp
 * ```
 * Resolving a resolved tree changes nothing.
 */
import {
  bool,
  type DataType,
  float64,
  int32,
  int64,
  isFloat,
  isInteger,
  isNumber,
  isTime,
  nullable,
  type SchemaShape,
  type TimeUnit,
  typeName,
} from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import { resolveCall } from './calls.js'
import { resolveCompare, resolveIn } from './comparing.js'
import {
  checkedInt64,
  exactDouble,
  exactInteger,
  INT64_MAX,
  INT64_MIN,
  isFiner,
  isNullLiteral,
  literalKind,
  literalOf,
  literalText,
  standaloneLiteral,
} from './literal.js'
import type { ArithmeticOp, BinaryNode, CompareOp, Expression, LiteralNode, TimePart } from './node.js'
import { childrenOf, sameExpression } from './walk.js'
import { UTC, zoneOf } from './zone.js'

/** An expression with its type; the type of an untyped literal is not settled yet, and `null`. */
export interface Typed {
  readonly node: Expression
  readonly type: DataType
}

/** Where an expression stands: its columns, and the verb for messages. */
export interface Scope {
  readonly schema: SchemaShape
  readonly operator: string
  /** Set where one was met: its value may be another the next time. */
  param?: true
}

/**
 * The type of `expression` over `schema`.
 * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` and what else `resolve` throws, naming `operator`.
 */
export function typeOf(expression: Expression, schema: SchemaShape, operator?: string): DataType {
  return resolveTyped(expression, schema, operator).type
}

/** The same expression with casts inserted and literals typed. Throws as `typeOf` does. */
export function resolve(expression: Expression, schema: SchemaShape, operator?: string): Expression {
  return resolveTyped(expression, schema, operator).node
}

/** What an expression came to over the schema that it was asked of last: plans ask again and again. */
const resolved = new WeakMap<Expression, { readonly schema: SchemaShape; readonly typed: Typed }>()

/**
 * Both at once. What is resolved already comes back as it is, so that plans over it stay what they were.
 * @param operator the verb that was given the expression; left out where planning has made it
 */
export function resolveTyped(expression: Expression, schema: SchemaShape, operator?: string): Typed {
  const known = resolved.get(expression)
  if (known !== undefined && known.schema === schema) return known.typed
  if (operator !== undefined) checkDepth(expression, operator)
  const scope: Scope = { operator: operator ?? 'expression', schema }
  const { node, type } = settle(walk(expression, scope), scope.operator)
  const typed = { node: sameExpression(node, expression) ? expression : node, type }
  if (!scope.param) resolved.set(expression, { typed, schema })
  return typed
}

/** Expressions are walked by functions that call themselves: they must not run out of stack. */
const MOST_DEPTH = 1000

function checkDepth(expression: Expression, operator: string): void {
  let level: readonly Expression[] = [expression]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MOST_DEPTH) {
      throw new MillraceError(
        'MR_INVALID_OPTION',
        `${operator}: the expression is more than ${MOST_DEPTH} operations deep; of many \`or\` make one \`in\`, or several steps`,
        { operator },
      )
    }
    level = [...new Set(level.flatMap(childrenOf))]
  }
}

/** A predicate, resolved; `MR_TYPE_MISMATCH` where it is not bool. */
export function resolvePredicate(expression: Expression, schema: SchemaShape, operator: string): Expression {
  const { node, type } = resolveTyped(expression, schema, operator)
  if (type.kind !== 'bool') {
    throw mismatch(operator, `the predicate is ${typeName(type)}, not bool; compare it with something, as in t.x.gt(0)`)
  }
  return node
}

/** Null-or-not is decided by the operands of nearly every operator. */
export const withNull = (type: DataType, isNullable: boolean): DataType =>
  isNullable === type.nullable ? type : isNullable ? nullable(type) : Object.freeze({ ...type, nullable: false })

export const mismatch = (operator: string, text: string, column?: string): MillraceError =>
  new MillraceError('MR_TYPE_MISMATCH', `${operator}: ${text}`, {
    operator,
    ...(column === undefined ? {} : { column }),
  })

/** An operand for messages: `utf8 column "name"`, `the literal 5`, or just its type. */
export function describe(operand: Typed): string {
  const { node } = operand
  if (node.op === 'column') return `${typeName(operand.type)} ${node.label ?? `column ${quote(node.name)}`}`
  if (node.op === 'literal') return `the ${literalKind(node)} literal ${literalText(node)}`
  return `a ${typeName(operand.type)} expression`
}

export const isUntyped = (node: Expression): node is LiteralNode => node.op === 'literal' && node.type === undefined

/** A literal that nothing has typed gets the type it has by itself. */
export function settle(operand: Typed, operator: string): Typed {
  if (!isUntyped(operand.node)) return operand
  const node = standaloneLiteral(operand.node, operator)
  return { node, type: node.type as DataType }
}

const UNSETTLED = float64()

/** Bottom-up; untyped literals come out as they are, for their parent to type. */
function walk(node: Expression, scope: Scope): Typed {
  switch (node.op) {
    case 'column':
      return column(node.name, node, scope)
    case 'literal':
      return { node, type: node.type ?? UNSETTLED }
    case 'param':
      scope.param = true
      return literalTyped(node.cell.value, node.type)
    case 'call': {
      const inputs = node.inputs.map(input => walk(input, scope))
      return resolveCall(node, inputs, scope)
    }
    case 'cast':
      return castTo(settle(walk(node.input, scope), scope.operator), node.type, scope.operator)
    case 'isNull':
      return unary('isNull', settle(walk(node.input, scope), scope.operator), bool())
    case 'not': {
      const input = logical(walk(node.input, scope), 'not', scope)
      return unary('not', input, input.type)
    }
    case 'and':
    case 'or': {
      const left = logical(walk(node.left, scope), node.op, scope)
      const right = logical(walk(node.right, scope), node.op, scope)
      const type = withNull(bool(), left.type.nullable || right.type.nullable)
      return { node: Object.freeze({ op: node.op, left: left.node, right: right.node }), type }
    }
    case 'neg':
      return negate(walk(node.input, scope), scope)
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour':
      return timePart(node.op, walk(node.input, scope), scope)
    case 'in':
      return resolveIn(settle(walk(node.input, scope), scope.operator), node.values, scope)
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return resolveCompare(node.op, walk(node.left, scope), walk(node.right, scope), scope)
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'intDiv':
    case 'mod':
      return arithmetic(node.op, walk(node.left, scope), walk(node.right, scope), scope)
    default:
      throw mismatch(scope.operator, `there is no operation ${quote(String((node as { op: unknown }).op))}`)
  }
}

function column(name: string, node: Expression, { schema, operator }: Scope): Typed {
  if (!Object.hasOwn(schema, name)) throw unknownColumn(name, Object.keys(schema), operator)
  return { node, type: schema[name] as DataType }
}

function unary(op: 'not' | 'neg' | 'isNull' | TimePart, input: Typed, type: DataType): Typed {
  return { node: Object.freeze({ op, input: input.node }), type }
}

export function binary(op: ArithmeticOp | CompareOp, left: Expression, right: Expression): BinaryNode {
  return Object.freeze({ op, left, right })
}

export function logical(operand: Typed, op: string, scope: Scope): Typed {
  if (isNullLiteral(operand.node)) return { node: literalOf(null, bool()), type: nullable(bool()) }
  const input = settle(operand, scope.operator)
  if (input.type.kind === 'bool') return input
  throw mismatch(scope.operator, `${op} takes booleans, not ${describe(input)}`)
}

function negate(operand: Typed, scope: Scope): Typed {
  const input = numeric(settle(operand, scope.operator), 'neg', scope)
  const widened = castTo(input, isInteger(input.type.kind) ? int64() : float64(), scope.operator)
  return unary('neg', widened, widened.type)
}

function arithmetic(op: ArithmeticOp, left: Typed, right: Typed, scope: Scope): Typed {
  numeric(left, op, scope)
  numeric(right, op, scope)
  const kind = op !== 'div' && isIntegral(left, right) && isIntegral(right, left) ? int64() : float64()
  const a = operandAs(left, kind, scope)
  const b = operandAs(right, kind, scope)
  const divides = op === 'div' || op === 'intDiv' || op === 'mod'
  const isNullable = a.type.nullable || b.type.nullable || (divides && !isNonZeroLiteral(b.node))
  return { node: binary(op, a.node, b.node), type: withNull(kind, isNullable) }
}

function isNonZeroLiteral(node: Expression): boolean {
  return node.op === 'literal' && node.value !== null && Number(node.value) !== 0
}

/** Integers, and untyped literals that are whole numbers within int64; a null goes with its partner. */
export function isIntegral(operand: Typed, partner: Typed): boolean {
  const { node } = operand
  if (!isUntyped(node)) return isInteger(operand.type.kind)
  if (node.value === null) return isUntyped(partner.node) ? partner.node.value !== null : isInteger(partner.type.kind)
  if (typeof node.value === 'bigint') return true
  const whole = exactInteger(node.value as number)
  return whole !== null && whole >= INT64_MIN && whole <= INT64_MAX && isWholePartner(partner)
}

/** Two untyped numbers are floats, as each would be by itself. */
const isWholePartner = (partner: Typed): boolean => !isUntyped(partner.node) || typeof partner.node.value !== 'number'

export function operandAs(operand: Typed, type: DataType, scope: Scope): Typed {
  const { node } = operand
  if (!isUntyped(node)) return castTo(operand, type, scope.operator)
  if (node.value === null) return literalTyped(null, type)
  const value = node.value as number | bigint
  if (type.kind === 'int64') return literalTyped(checkedInt64(BigInt(value), scope.operator), type)
  return literalTyped(inDouble(value, scope.operator), type)
}

function inDouble(value: number | bigint, operator: string): number {
  const double = exactDouble(value)
  if (double !== null) return double
  throw new MillraceError(
    'MR_INEXACT_VALUE',
    `${operator}: the literal ${value}n is no float64; write the number that is meant, ${Number(value)}`,
    {
      operator,
    },
  )
}

export function literalTyped(value: LiteralNode['value'], type: DataType): Typed {
  const node = literalOf(value, type)
  return { node, type: node.type as DataType }
}

export function numeric(operand: Typed, op: string, scope: Scope): Typed {
  const { node, type } = operand
  const fits = isUntyped(node)
    ? node.value === null || typeof node.value === 'number' || typeof node.value === 'bigint'
    : isNumber(type.kind)
  if (fits) return operand
  throw mismatch(
    scope.operator,
    `${op} takes numbers, not ${describe(operand)}`,
    node.op === 'column' && node.label === undefined ? node.name : undefined,
  )
}

function timePart(part: TimePart, operand: Typed, scope: Scope): Typed {
  const input = settle(operand, scope.operator)
  const { type } = input
  if (!isTime(type.kind)) throw mismatch(scope.operator, `${part} takes a date or a timestamp, not ${describe(input)}`)
  if (part === 'hour' && type.kind === 'date') {
    throw mismatch(
      scope.operator,
      `${describe(input)} has no hour; a date is a whole day. Declare the column as timestamp() to have hours`,
    )
  }
  if (type.timeZone !== undefined && zoneOf(type.timeZone, scope.operator) !== UTC) {
    return resolveCall({ op: 'call', function: part, inputs: [input.node] }, [input], scope)
  }
  return unary(part, input, withNull(int32(), type.nullable))
}

/** `operand` widened to the kind (and unit) of `target`; its own nullability is kept. Literals are converted here and now. */
export function castTo(operand: Typed, target: DataType, operator: string): Typed {
  const { node, type } = operand
  if (type.kind === target.kind && type.unit === target.unit) return operand
  if (!widens(type, target)) throw mismatch(operator, `${describe(operand)} does not widen to ${typeName(target)}`)
  const to = withNull(target, type.nullable)
  if (node.op === 'literal') {
    if (node.value === null) return literalTyped(null, to)
    const value = node.value as number | bigint
    if (to.kind === 'float64') return literalTyped(Number(value), to)
    if (to.kind === 'int64') return literalTyped(BigInt(value), to)
    if (to.kind === 'int32') return literalTyped(Number(value), to)
  }
  return { node: Object.freeze({ op: 'cast', input: node, type: to }), type: to }
}

const BITS: Readonly<Partial<Record<DataType['kind'], number>>> = {
  int8: 7,
  int16: 15,
  int32: 31,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  int64: 63,
}

export function widens(from: DataType, to: DataType): boolean {
  if (from.kind === 'timestamp') return to.kind === 'timestamp' && isFiner(to.unit as TimeUnit, from.unit as TimeUnit)
  if (to.kind === 'float64') return isNumber(from.kind)
  if (to.kind === 'int64' || to.kind === 'int32')
    return isInteger(from.kind) && (BITS[from.kind] as number) <= (BITS[to.kind] as number)
  return isFloat(from.kind) && to.kind === from.kind
}
