/**
 * Which resolved expressions can fail on some row, by interval arithmetic over the types: `int32.mul(int32)` stays within int64,
 * `int64.add(1)` may not. Rules ask before they move, drop or skip an expression; the operators do the failing.
 */
import type { DataType, SchemaShape, TimeUnit } from '../columnar/type.js'
import { callCanFail, callRange } from './calls.js'
import { INT64_MAX, INT64_MIN, unitRatio } from './literal.js'
import type { CallNode, Expression } from './node.js'
import { hull, RANGES, type Range } from './range.js'
import { typeOf } from './typing.js'
import { childrenOf } from './walk.js'

/** True where some value of the columns makes `expression` (resolved) fail; then no rewrite may change which rows it sees. */
export function canFail(expression: Expression, schema: SchemaShape): boolean {
  if (childrenOf(expression).some(child => canFail(child, schema))) return true
  if (expression.op === 'call' && callCanFail(expression, () => inputRanges(expression, schema))) return true
  // A count of seconds reaches years that an int32 cannot hold; finer units do not.
  if (expression.op === 'year') return typeOf(expression.input, schema).unit === 's'
  const exact = exactRange(expression, schema)
  return exact !== null && (exact.min < INT64_MIN || exact.max > INT64_MAX)
}

/** The values that the exact result may take, beyond int64 too; null for what is no integer. */
function exactRange(node: Expression, schema: SchemaShape): Range | null {
  switch (node.op) {
    case 'literal':
      if (typeof node.value === 'bigint') return { min: node.value, max: node.value }
      return typeof node.value === 'number' && Number.isInteger(node.value) && node.type?.kind !== 'float64'
        ? { min: BigInt(node.value), max: BigInt(node.value) }
        : (RANGES[node.type?.kind ?? 'utf8'] ?? null)
    case 'neg': {
      const input = rangeOf(node.input, schema)
      return input && { min: -input.max, max: -input.min }
    }
    case 'add':
    case 'sub':
    case 'mul':
    case 'intDiv':
    case 'mod': {
      const left = rangeOf(node.left, schema)
      const right = rangeOf(node.right, schema)
      return left && right && combine(node.op, left, right)
    }
    case 'cast': {
      const input = rangeOf(node.input, schema)
      if (node.type.kind === 'float64' || input === null) return null
      if (node.type.kind !== 'timestamp') return input
      const ratio = unitRatio(typeOf(node.input, schema).unit as TimeUnit, node.type.unit as TimeUnit)
      return { min: input.min * ratio, max: input.max * ratio }
    }
    case 'column':
      return RANGES[(schema[node.name] as DataType).kind] ?? null
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour':
      return RANGES.int32 as Range
    case 'call':
      return callRange(node, () => inputRanges(node, schema))
    default:
      return null
  }
}

const inputRanges = ({ inputs }: CallNode, schema: SchemaShape): (Range | null)[] =>
  inputs.map(input => rangeOf(input, schema))

/** The same within int64, since rows beyond it have failed already. */
function rangeOf(node: Expression, schema: SchemaShape): Range | null {
  const range = exactRange(node, schema)
  return range && { min: clamp(range.min), max: clamp(range.max) }
}

const clamp = (value: bigint): bigint => (value < INT64_MIN ? INT64_MIN : value > INT64_MAX ? INT64_MAX : value)

function combine(op: 'add' | 'sub' | 'mul' | 'intDiv' | 'mod', a: Range, b: Range): Range {
  switch (op) {
    case 'add':
      return { min: a.min + b.min, max: a.max + b.max }
    case 'sub':
      return { min: a.min - b.max, max: a.max - b.min }
    case 'mul':
      return among([a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max])
    case 'intDiv': {
      // No quotient is larger than its dividend, and only a divisor of -1 (or less) turns the sign of the least one.
      const turns = b.min <= -1n && b.max >= -1n
      return among([
        a.min,
        a.max,
        turns ? -a.min : a.min === INT64_MIN ? INT64_MAX : -a.min,
        a.max === INT64_MIN ? INT64_MAX : -a.max,
        0n,
      ])
    }
    case 'mod':
      // The remainder of a floored division has the divisor's sign and is nearer to zero.
      return { min: b.min < 0n ? b.min + 1n : 0n, max: b.max > 0n ? b.max - 1n : 0n }
  }
}

const among = (values: readonly bigint[]): Range => hull(values.map(value => ({ min: value, max: value }))) as Range
