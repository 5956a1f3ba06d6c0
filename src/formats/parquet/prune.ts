/**
 * Which row groups a predicate cannot pass, from their statistics: the predicate is evaluated over what is known of all rows at once.
 * Always on the safe side: what is not known may be anything.
 */
import { canFail } from '../../expressions/failure.js'
import type { CompareOp, Expression, InNode } from '../../expressions/node.js'
import { sameExpression } from '../../expressions/walk.js'
import type { ParquetMetadata } from './footer.js'
import { type Bound, compareBounds } from './statistics.js'

/**
 * True where no row of the row group makes `predicate` (resolved over the file's schema) true. A predicate that can fail proves nothing:
 * leaving rows out could leave their error out.
 */
export function pruneRowGroup(metadata: ParquetMetadata, rowGroup: number, predicate: Expression): boolean {
  const group = metadata.rowGroups[rowGroup]
  if (group === undefined || canFail(predicate, metadata.schema)) return false
  const known = (name: string): Values => {
    const i = metadata.columns.findIndex(column => column.name === name)
    const statistics = group.chunks[i]?.statistics
    if (statistics === undefined) return ANYTHING
    const { min, max, nullCount, mayHoldNaN } = statistics
    return {
      min,
      // NaN is greater than every bound.
      max: mayHoldNaN ? null : max,
      mayBeNull: metadata.columns[i]?.type.nullable === true && nullCount !== 0,
      mayBeValue: nullCount === null || nullCount < group.rowCount,
    }
  }
  return (outcomes(predicate, known) & TRUE) === 0
}

/** What an expression's value may be, over all rows. */
interface Values {
  /** No value is below it; null: unknown. */
  readonly min: Bound | null
  readonly max: Bound | null
  readonly mayBeNull: boolean
  readonly mayBeValue: boolean
}
type Known = (column: string) => Values

const ANYTHING: Values = { min: null, max: null, mayBeNull: true, mayBeValue: true }

/** What a predicate may come out as, over all rows: a set of these, or neither where it is null for all. Null makes nothing true, so it is not tracked. */
const TRUE = 1
const FALSE = 2

function outcomes(node: Expression, known: Known): number {
  switch (node.op) {
    case 'and':
    case 'or': {
      const left = outcomes(node.left, known)
      const right = outcomes(node.right, known)
      // One side decides for the strong outcome; the weak one takes both.
      const strong = node.op === 'and' ? FALSE : TRUE
      return ((left | right) & strong) | (left & right & ~strong)
    }
    case 'not': {
      const input = outcomes(node.input, known)
      return (input & TRUE ? FALSE : 0) | (input & FALSE ? TRUE : 0)
    }
    case 'isNull': {
      const { mayBeNull, mayBeValue } = valuesOf(node.input, known)
      return (mayBeNull ? TRUE : 0) | (mayBeValue ? FALSE : 0)
    }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      const left = valuesOf(node.left, known)
      if (!sameExpression(node.left, node.right)) return compare(node.op, left, valuesOf(node.right, known))
      const isTrue = node.op === 'eq' || node.op === 'lte' || node.op === 'gte'
      return left.mayBeValue ? (isTrue ? TRUE : FALSE) : 0
    }
    case 'in':
      return isIn(node, known)
    case 'column':
    case 'literal': {
      const { min, max, mayBeValue } = valuesOf(node, known)
      return mayBeValue ? (max === false ? 0 : TRUE) | (min === true ? 0 : FALSE) : 0
    }
    default:
      return TRUE | FALSE
  }
}

function compare(op: CompareOp, left: Values, right: Values): number {
  if (!left.mayBeValue || !right.mayBeValue) return 0
  // Of left's least against right's greatest and the other way; NaN where either is unknown, so that no comparison with 0 holds.
  const leastToGreatest = order(left.min, right.max)
  const greatestToLeast = order(left.max, right.min)
  const less = !(leastToGreatest >= 0)
  const greater = !(greatestToLeast <= 0)
  const equal = !(leastToGreatest > 0 || greatestToLeast < 0)
  const holds = {
    eq: equal,
    ne: less || greater,
    lt: less,
    lte: less || equal,
    gt: greater,
    gte: greater || equal,
  }
  const fails = { eq: holds.ne, ne: holds.eq, lt: holds.gte, lte: holds.gt, gt: holds.lte, gte: holds.lt }
  return (holds[op] ? TRUE : 0) | (fails[op] ? FALSE : 0)
}

function order(a: Bound | null, b: Bound | null): number {
  if (a === null || b === null) return Number.NaN
  const comparable = typeof a === typeof b || (isNumeric(a) && isNumeric(b))
  return comparable ? compareBounds(a, b) : Number.NaN
}

const isNumeric = (bound: Bound): boolean => typeof bound === 'number' || typeof bound === 'bigint'

/** A null among the values makes null of what would be false. */
function isIn(node: InNode, known: Known): number {
  const { min, max, mayBeValue } = valuesOf(node.input, known)
  const { bounds, hasNull, hasNaN } = boundsIn(node)
  const isFalse = hasNull ? 0 : FALSE
  if (!mayBeValue || (bounds.length === 0 && !hasNaN)) return isFalse
  // Of those that are not below the least, the first: it alone can be too great.
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (order(min, bounds[middle]) > 0) low = middle + 1
    else high = middle
  }
  const mayBeOne = hasNaN || (low < bounds.length && !(order(max, bounds[low]) < 0))
  return mayBeOne ? isFalse | TRUE : isFalse
}

interface BoundsIn {
  /** Ascending. */
  readonly bounds: readonly Bound[]
  readonly hasNull: boolean
  /** Which is beyond all bounds, and may be anywhere. */
  readonly hasNaN: boolean
}
/** Thousands of values, asked for in each row group. */
const sorted = new WeakMap<InNode, BoundsIn>()

function boundsIn(node: InNode): BoundsIn {
  let found = sorted.get(node)
  if (found === undefined) {
    const values = node.values.map(({ value }) => value)
    const bounds = values.filter(value => value !== null && !Number.isNaN(value)) as Bound[]
    found = { bounds: bounds.sort(compareBounds), hasNull: values.includes(null), hasNaN: values.some(Number.isNaN) }
    sorted.set(node, found)
  }
  return found
}

function valuesOf(node: Expression, known: Known): Values {
  if (node.op === 'column') return known(node.name)
  if (node.op === 'literal') {
    const { value } = node
    if (value === null) return { min: null, max: null, mayBeNull: true, mayBeValue: false }
    const bound = Number.isNaN(value) ? null : value
    return { min: bound, max: bound, mayBeNull: false, mayBeValue: true }
  }
  if (node.op !== 'cast') return ANYTHING
  const input = valuesOf(node.input, known)
  const { kind } = node.type
  // Widening keeps order, and so does rounding to float64. A time's units would have to be scaled: unknown is safe.
  if (kind === 'float64') return { ...input, min: mapNumber(input.min, Number), max: mapNumber(input.max, Number) }
  if (kind === 'int64') return { ...input, min: mapNumber(input.min, BigInt), max: mapNumber(input.max, BigInt) }
  if (kind === 'int32') return input
  return { ...ANYTHING, mayBeNull: input.mayBeNull, mayBeValue: input.mayBeValue }
}

function mapNumber(bound: Bound | null, convert: (value: number | bigint) => Bound): Bound | null {
  return typeof bound === 'number' || typeof bound === 'bigint' ? convert(bound) : null
}
