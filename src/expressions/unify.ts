/**
 * One type for values that are to stand in one column: the branches of a condition, what stands in for nulls. Nothing is rounded but integers
 * beside floats. Literals take the type of the columns they stand beside.
 */
import { parseDay } from '../columnar/day.js'
import {
  type DataType,
  date,
  float64,
  int32,
  int64,
  isFloat,
  isInteger,
  isNumber,
  sameType,
  type TimeUnit,
  timestamp,
  typeName,
} from '../columnar/type.js'
import { convertInstant, exactInteger, isFiner } from './literal.js'
import type { LiteralNode } from './node.js'
import {
  castTo,
  describe,
  isUntyped,
  literalTyped,
  mismatch,
  operandAs,
  type Scope,
  settle,
  type Typed,
  withNull,
} from './typing.js'

/**
 * The type that holds the values of both, nullable where one is: the same; of different integers int32 or int64; of other numbers float64; of
 * timestamps the finer unit, and the zone where they agree. Null where there is none.
 */
export function commonType(a: DataType, b: DataType): DataType | null {
  const isNullable = a.nullable || b.nullable
  if (sameType(a, b)) return withNull(a, isNullable)
  if (a.kind === 'timestamp' && b.kind === 'timestamp') {
    const unit = (isFiner(a.unit as TimeUnit, b.unit as TimeUnit) ? a : b).unit
    return withNull(timestamp(unit, a.timeZone === b.timeZone ? a.timeZone : undefined), isNullable)
  }
  if (!isNumber(a.kind) || !isNumber(b.kind)) return null
  if (isFloat(a.kind) || isFloat(b.kind)) return withNull(float64(), isNullable)
  const isWide = [a.kind, b.kind].some(kind => kind === 'int64' || kind === 'uint32')
  return withNull(isWide ? int64() : int32(), isNullable)
}

/** `inputs` of one type, each with its own nulls. @throws MillraceError `MR_TYPE_MISMATCH` where there is none that holds them all */
export function unified(
  inputs: readonly Typed[],
  name: string,
  scope: Scope,
): { readonly inputs: readonly Typed[]; readonly type: DataType } {
  const literals = inputs.filter(isAdaptable)
  const columns = inputs.filter(input => !isAdaptable(input))
  const [first = ofLiterals(literals, scope), ...others] = columns
  let type = withNull(first.type, false)
  for (const other of others) {
    const common = commonType(type, other.type)
    if (common === null) throw mismatch(scope.operator, `${name} of ${describe(first)} and ${describe(other)}`)
    type = withNull(common, false)
  }
  if (type.kind === 'list' || type.kind === 'struct') {
    throw mismatch(scope.operator, `${name} takes no lists: ${describe(first)}`)
  }
  for (const { node } of literals) type = besideLiteral(type, node as LiteralNode)
  const taken = inputs.map(input =>
    isAdaptable(input) ? literalAs(input, type, name, first, scope) : castTo(input, type, scope.operator),
  )
  return { inputs: taken, type }
}

/** The literal of a JavaScript value as a type, exactly but for a float32. @throws MillraceError `MR_TYPE_MISMATCH` where the type does not hold it */
export function literalIn(node: LiteralNode, type: DataType, name: string): LiteralNode {
  const scope: Scope = { schema: {}, operator: name }
  const given: Typed = { node, type }
  const isHeld =
    type.kind !== 'list' &&
    type.kind !== 'struct' &&
    besideLiteral(type, node).kind === type.kind &&
    besideLiteral(type, node).unit === type.unit
  if (!isHeld) throw mismatch(name, `${describe(given)} is no ${typeName(type)}`)
  return literalAs(given, withNull(type, false), name, given, scope).node as LiteralNode
}

/** Untyped literals, and a `Date`, whose unit is the millisecond because JavaScript has no other. */
const isAdaptable = ({ node }: Typed): boolean =>
  node.op === 'literal' && (node.type === undefined || (node.type.kind === 'timestamp' && node.type.unit === 'ms'))

/** What literals among themselves are: the first that is not null decides, and a number beside a bigint is an integer where it can be. */
function ofLiterals(literals: readonly Typed[], scope: Scope): Typed {
  const values = literals.map(({ node }) => (node as LiteralNode).value)
  const first = literals.find((_, i) => values[i] !== null) ?? literals[0]
  const bigint = literals.find(({ node }, i) => isUntyped(node) && typeof values[i] === 'bigint')
  return settle(
    bigint !== undefined && typeof (first.node as LiteralNode).value === 'number' ? bigint : first,
    scope.operator,
  )
}

/** `type`, or the wider one that a literal of the same family calls for. */
function besideLiteral(type: DataType, { value, type: own }: LiteralNode): DataType {
  if (isInteger(type.kind) && typeof value === 'number' && !Number.isInteger(value)) return float64()
  if (type.kind !== 'timestamp' || own === undefined || value === null) return type
  const unit = type.unit as TimeUnit
  if (convertInstant(value as bigint, own.unit as TimeUnit, unit).exact) return type
  return timestamp(own.unit, type.timeZone)
}

const WIDTHS: Readonly<Partial<Record<DataType['kind'], readonly [bits: bigint, isSigned: boolean]>>> = {
  int8: [8n, true],
  int16: [16n, true],
  int32: [32n, true],
  int64: [64n, true],
  uint8: [8n, false],
  uint16: [16n, false],
  uint32: [32n, false],
}

function literalAs(literal: Typed, type: DataType, name: string, beside: Typed, scope: Scope): Typed {
  const { value, type: own } = literal.node as LiteralNode
  if (value === null) return literalTyped(null, type)
  const what =
    beside === literal
      ? `${describe(literal)} is no ${typeName(type)}`
      : `${name} of ${describe(beside)} and ${describe(literal)}`
  const refuse = (hint = '') => mismatch(scope.operator, `${what}${hint}`)
  switch (type.kind) {
    case 'bool':
      if (typeof value === 'boolean') return literalTyped(value, type)
      throw refuse()
    case 'utf8':
      if (typeof value === 'string') return literalTyped(value, type)
      throw refuse()
    case 'date': {
      const days = daysOf(value, own)
      if (days === null) throw refuse(": that is no whole day; write 'YYYY-MM-DD'")
      return literalTyped(days, date())
    }
    case 'timestamp': {
      if (typeof value !== 'bigint') throw refuse('; write new Date(...)')
      if (own === undefined) return literalTyped(BigInt.asIntN(64, value) === value ? value : refuseWide(), type)
      const { floor } = convertInstant(value, own.unit as TimeUnit, type.unit as TimeUnit)
      return literalTyped(BigInt.asIntN(64, floor) === floor ? floor : refuseWide(), type)
    }
    default: {
      if (own !== undefined || (typeof value !== 'number' && typeof value !== 'bigint')) throw refuse()
      if (type.kind === 'float64') return operandAs(literal, type, scope)
      if (type.kind === 'float32') return literalTyped(Math.fround(Number(value)), type)
      const whole = exactInteger(value) as bigint
      const [bits, isSigned] = WIDTHS[type.kind] as readonly [bigint, boolean]
      if ((isSigned ? BigInt.asIntN : BigInt.asUintN)(Number(bits), whole) !== whole) refuseWide()
      return literalTyped(type.kind === 'int64' ? whole : Number(whole), type)
    }
  }

  function refuseWide(): never {
    const isNarrow = isInteger(type.kind) && type.kind !== 'int64'
    const beyond = `is beyond ${typeName(type)}`
    if (beside === literal) {
      const hint = isNarrow ? '; name a wider type, such as int64()' : ''
      throw mismatch(scope.operator, `${describe(literal)} ${beyond}${hint}`)
    }
    throw refuse(`: it ${beyond}${isNarrow ? '; cast the column to a wider type first, as in .cast(int64())' : ''}`)
  }
}

function daysOf(value: LiteralNode['value'], own: DataType | undefined): number | null {
  if (typeof value === 'string') return parseDay(value)
  if (typeof value !== 'bigint' || own?.kind !== 'timestamp') return null
  const { floor, exact } = convertInstant(value, own.unit as TimeUnit, 's')
  return exact && floor % 86_400n === 0n ? Number(floor / 86_400n) : null
}
