/**
 * Constant folding of resolved expressions. It never folds away an error (an operand that can fail stays) and never rounds: what
 * it computes is what the kernel would, bit for bit. Changes neither the type's kind nor the value for any row; a nullable
 * type may become a narrower one.
 */
import { bool, type DataType, type SchemaShape } from '../columnar/type.js'
import { FLIPPED } from './comparing.js'
import { canFail } from './failure.js'
import { foldCall } from './fold-calls.js'
import { INT64_MAX, INT64_MIN, literalOf } from './literal.js'
import type {
  ArithmeticOp,
  BinaryNode,
  CastNode,
  CompareOp,
  Expression,
  LiteralNode,
  LogicNode,
  UnaryNode,
} from './node.js'
import { castTo, typeOf } from './typing.js'
import { mapChildren, sameExpression } from './walk.js'

/** `expression` (resolved over `schema`) with its constant parts computed. Folding twice changes nothing more. */
export function fold(expression: Expression, schema: SchemaShape): Expression {
  const node = mapChildren(expression, child => fold(child, schema))
  switch (node.op) {
    case 'and':
    case 'or':
      return foldLogic(node, schema)
    case 'not':
      return foldNot(node)
    case 'isNull':
      return foldIsNull(node, schema)
    case 'in':
      return node.values.length === 0 && !canFail(node.input, schema) ? FALSE : node
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return foldCompare(node as BinaryNode & { readonly op: CompareOp }, schema)
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return foldArithmetic(node as BinaryNode & { readonly op: ArithmeticOp })
    case 'cast':
      return foldCast(node, schema)
    case 'call':
      return foldCall(node, schema)
    default:
      return node
  }
}

const TRUE = literalOf(true, bool())
const FALSE = literalOf(false, bool())

const isLiteral = (node: Expression): node is LiteralNode => node.op === 'literal'
const isValue = (node: Expression, value: boolean): boolean => isLiteral(node) && node.value === value

/** The absorbing operand swallows a partner that cannot fail; the neutral one goes. Null is neither. */
function foldLogic(node: LogicNode, schema: SchemaShape): Expression {
  const absorbing = node.op === 'or'
  const { left, right } = node
  if (isValue(left, !absorbing)) return right
  if (isValue(right, !absorbing)) return left
  if (isValue(left, absorbing) && !canFail(right, schema)) return left
  if (isValue(right, absorbing) && !canFail(left, schema)) return right
  return sameExpression(left, right) ? left : node
}

const NEGATED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'gte',
  gte: 'lt',
  gt: 'lte',
  lte: 'gt',
}

/** Every comparison has an opposite, since NaN too has its place in the order; null stays null on both sides. */
function foldNot(node: UnaryNode): Expression {
  const { input } = node
  if (isLiteral(input)) return input.value === null ? input : input.value === true ? FALSE : TRUE
  if (input.op === 'not') return input.input
  return input.op in NEGATED ? Object.freeze({ ...(input as BinaryNode), op: NEGATED[input.op as CompareOp] }) : node
}

/** As binding makes one: its input may have become a literal, or be nullable no more. */
function foldCast(node: CastNode, schema: SchemaShape): Expression {
  const folded = castTo({ node: node.input, type: typeOf(node.input, schema) }, node.type, 'cast').node
  return sameExpression(folded, node) ? node : folded
}

function foldIsNull(node: UnaryNode, schema: SchemaShape): Expression {
  if (isLiteral(node.input)) return node.input.value === null ? TRUE : FALSE
  return typeOf(node.input, schema).nullable || canFail(node.input, schema) ? node : FALSE
}

function foldCompare(node: BinaryNode & { readonly op: CompareOp }, schema: SchemaShape): Expression {
  const { op, left, right } = node
  if (isLiteral(left) && isLiteral(right)) {
    if (left.value === null || right.value === null) return literalOf(null, bool())
    if (typeof left.value !== typeof right.value || typeof left.value === 'string') return node
    return holds(op, order(left.value as number, right.value as number)) ? TRUE : FALSE
  }
  // As binding puts it.
  if (isLiteral(left)) return foldCompare(Object.freeze({ ...node, op: FLIPPED[op], left: right, right: left }), schema)
  // A null on one side leaves null whatever the other is, so long as the other cannot fail.
  if (isLiteral(right) && right.value === null && !canFail(left, schema)) return literalOf(null, bool())
  const isSettled = sameExpression(left, right) && !typeOf(left, schema).nullable && !canFail(left, schema)
  return isSettled ? (holds(op, 0) ? TRUE : FALSE) : node
}

/** NaN equals itself and is the greatest; -0 equals 0. Numbers, bigints and booleans alike. */
function order(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  return a === b ? 0 : (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0)
}

function holds(op: CompareOp, sign: number): boolean {
  switch (op) {
    case 'eq':
      return sign === 0
    case 'ne':
      return sign !== 0
    case 'lt':
      return sign < 0
    case 'lte':
      return sign <= 0
    case 'gt':
      return sign > 0
    case 'gte':
      return sign >= 0
  }
}

/** Integers that stay within int64, and floats, whose one rounding is the kernel's own; an overflow is left to happen. */
function foldArithmetic(node: BinaryNode & { readonly op: ArithmeticOp }): Expression {
  const { op, left, right } = node
  if (!isLiteral(left) || !isLiteral(right)) return node
  const type = left.type as DataType
  if (left.value === null || right.value === null) return literalOf(null, type)
  if (typeof left.value === 'bigint' && typeof right.value === 'bigint') {
    if (op === 'div') return node
    const result =
      op === 'add' ? left.value + right.value : op === 'sub' ? left.value - right.value : left.value * right.value
    return result < INT64_MIN || result > INT64_MAX ? node : literalOf(result, type)
  }
  const [a, b] = [left.value as number, right.value as number]
  if (op === 'div') return literalOf(b === 0 ? null : a / b, type)
  return literalOf(op === 'add' ? a + b : op === 'sub' ? a - b : a * b, type)
}
