/** Constant folding of calls of functions, for fold.ts: branches that are never taken go, and what is the same in every engine is computed of literals. */
import { bool, type DataType, type SchemaShape, sameType } from '../columnar/type.js'
import { INT64_MAX, literalOf } from './literal.js'
import type { CallNode, Expression, LiteralNode } from './node.js'
import { resolve, typeOf } from './typing.js'

export function foldCall(node: CallNode, schema: SchemaShape): Expression {
  if (node.function === 'coalesce') return foldCoalesce(node, schema)
  if (node.function === 'when') return foldWhen(node, schema)
  const [input] = node.inputs
  const compute = UNARY[node.function]
  if (compute === undefined || node.inputs.length !== 1 || input.op !== 'literal') return node
  if (input.value === null) return literalOf(null, node.type as DataType)
  const value = compute(input.value as number | bigint)
  return value === null ? node : literalOf(value, node.function === 'isNaN' ? bool() : (input.type as DataType))
}

/** Null where there is none, or where engines may differ. Rounding, roots and signs are exact everywhere; exponentials are not. */
const UNARY: Readonly<Record<string, (value: number | bigint) => LiteralNode['value']>> = {
  abs: value => (typeof value === 'number' ? Math.abs(value) : value < -INT64_MAX ? null : value < 0n ? -value : value),
  sign: value => (typeof value === 'number' ? Math.sign(value) : BigInt(Number(value > 0n) - Number(value < 0n))),
  floor: value => (typeof value === 'number' ? Math.floor(value) : value),
  ceil: value => (typeof value === 'number' ? Math.ceil(value) : value),
  sqrt: value => (typeof value === 'number' ? Math.sqrt(value) : null),
  isNaN: value => Number.isNaN(value),
}

const isNullLiteral = (node: Expression): boolean => node.op === 'literal' && node.value === null

/** Nulls go, and what is behind a value that is never null. */
function foldCoalesce(node: CallNode, schema: SchemaShape): Expression {
  const given = node.inputs.filter(input => !isNullLiteral(input))
  const last = given.findIndex(input => !typeOf(input, schema).nullable)
  return shortened(node, last >= 0 ? given.slice(0, last + 1) : given, schema)
}

/** Conditions that are never true go with their values; behind one that always is, so does everything else: no row asks for it. */
function foldWhen(node: CallNode, schema: SchemaShape): Expression {
  const count = node.inputs.length >> 1
  const inputs: Expression[] = []
  for (let i = 0; i < count; i++) {
    const [condition, value] = node.inputs.slice(2 * i, 2 * i + 2)
    const isLiteral = condition.op === 'literal'
    if (isLiteral && condition.value === true) return shortened(node, [...inputs, value], schema)
    if (!isLiteral) inputs.push(condition, value)
  }
  return shortened(node, [...inputs, node.inputs[2 * count]], schema)
}

/** The call of fewer inputs; of one, which has its type, that itself. */
function shortened(node: CallNode, inputs: readonly Expression[], schema: SchemaShape): Expression {
  if (inputs.length === node.inputs.length) return node
  if (inputs.length === 0) return literalOf(null, node.type as DataType)
  const [only] = inputs
  if (inputs.length === 1 && sameType(typeOf(only, schema), node.type as DataType)) return only
  if (inputs.length === 1 && node.function === 'when') return node
  return resolve({ ...node, inputs: Object.freeze(inputs) }, schema)
}
