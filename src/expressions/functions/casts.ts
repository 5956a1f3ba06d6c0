/** Conversions that users ask for: `cast`, which fails of a value that the type does not hold, and `tryCast`, which gives null instead. */
import { type DataType, isFloat, isInteger, typeName } from '../../columnar/type.js'
import type { CallTyping, FunctionSignature, Functions } from '../calls.js'
import type { CallNode } from '../node.js'
import { isWithin, RANGES } from '../range.js'
import { castTo, describe, isUntyped, literalTyped, mismatch, settle, type Typed, widens, withNull } from '../typing.js'

const signature: FunctionSignature = {
  takes: castTyping,
  range(node, [input]) {
    const own = RANGES[typeOfCast(node).kind]
    return input && own && isWithin(input, own) ? input : (own ?? null)
  },
}

export const castFunctions: Functions = {
  cast: {
    ...signature,
    fails(node, [input]) {
      const { kind } = typeOfCast(node)
      if (kind === 'utf8') return false
      const own = RANGES[kind]
      return !input || (own === undefined ? !isFloat(kind) : !isWithin(input, own))
    },
  },
  tryCast: signature,
}

/** What the call says, and not what it is null for. */
const typeOfCast = ({ parameters }: CallNode): DataType => parameters?.type as DataType

/** What is the type already stays as it is, and what widens without fail is the cast that typing itself puts in. */
function castTyping(...[node, [given], scope]: Parameters<CallTyping>): ReturnType<CallTyping> {
  const { function: name } = node
  const type = withNull(typeOfCast(node), false)
  const isNullable = (input: Typed) => input.type.nullable || typeOfCast(node).nullable || name === 'tryCast'
  if (isUntyped(given.node) && given.node.value === null) return literalTyped(null, type)
  const input = settle(given, scope.operator)
  if (!converts(input.type, type)) {
    throw mismatch(
      scope.operator,
      `${name}: ${describe(input)} does not become ${typeName(type)}${hintFor(input.type, type)}`,
      input.node.op === 'column' ? input.node.name : undefined,
    )
  }
  const to = withNull(type, isNullable(input))
  if (to.nullable === input.type.nullable) {
    if (typeName(to) === typeName(input.type)) return input
    if (to.kind !== input.type.kind && to.kind !== 'timestamp' && widens(input.type, to))
      return castTo(input, to, scope.operator)
  }
  return { inputs: [input], type: to }
}

/** Whether there is such a conversion, nullability apart. */
function converts(from: DataType, to: DataType): boolean {
  const isCount = ({ kind }: DataType) => isInteger(kind) || kind === 'date' || kind === 'timestamp'
  const isPlain = ({ kind }: DataType) => isInteger(kind) || isFloat(kind) || kind === 'bool'
  const isScalar = ({ kind }: DataType) => kind !== 'list' && kind !== 'struct'
  if (from.kind === 'utf8' || to.kind === 'utf8') return isScalar(from) && isScalar(to)
  return (isCount(from) && isCount(to)) || (isPlain(from) && isPlain(to))
}

function hintFor(from: DataType, to: DataType): string {
  const isTime = ({ kind }: DataType) => kind === 'date' || kind === 'timestamp'
  if (isTime(from) && isFloat(to.kind)) return '; cast it to int64 first, which counts its unit'
  return isFloat(from.kind) && isTime(to) ? '; cast it to int64 first, which is taken for a count of the unit' : ''
}
