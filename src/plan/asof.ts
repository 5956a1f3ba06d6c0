/** `asofJoin` in the plan: what is compared, in which type, and how far it may be. The rest is a left join's (join.ts). */
import { type DataType, float64, int64, isInteger, isNumber, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import { commonType } from './common-type.js'
import { nanosecondsOf, nanosecondsPer } from './duration.js'
import type { AsofJoin } from './logical.js'

/** Once both schemas are known: its type, and its tolerance in that. @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION` */
export function settleAsof(asof: AsofJoin, left: SchemaShape, right: SchemaShape): AsofJoin {
  for (const [name, schema, where] of [
    [asof.left, left, 'the left side'],
    [asof.right, right, 'the right side'],
  ] as const)
    if (!Object.hasOwn(schema, name)) throw unknownColumn(name, Object.keys(schema), `asofJoin, ${where}`)
  const [a, b] = [left[asof.left] as DataType, right[asof.right] as DataType]
  const type = comparedType(a, b)
  if (type === null) {
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `asofJoin: ${quote(asof.left)} of the left side is ${typeName(a)}, ${quote(asof.right)} of the right side is ${typeName(b)}; on takes two timestamps, two dates, or two numbers that one type holds`,
      { operator: 'asofJoin', column: asof.left },
    )
  }
  return Object.freeze({ ...asof, type, tolerance: toleranceIn(asof.within, type, a) })
}

function comparedType(a: DataType, b: DataType): DataType | null {
  if (a.kind === 'date' && b.kind === 'date') return int64()
  const common =
    (a.kind === 'timestamp' && b.kind === 'timestamp') || (isNumber(a.kind) && isNumber(b.kind))
      ? commonType(a, b)
      : null
  if (common === null) return null
  if (common.kind === 'timestamp') return Object.freeze({ ...common, nullable: false })
  return isInteger(common.kind) ? int64() : float64()
}

function toleranceIn(within: AsofJoin['within'], type: DataType, left: DataType): bigint | number | null {
  if (within === null) return null
  const isTime = left.kind === 'timestamp' || left.kind === 'date'
  if (typeof within === 'number') {
    if (left.kind === 'timestamp')
      throw invalid(`tolerance of times is a duration such as '5s' or '2 h', not ${within}`)
    if (!(within >= 0)) throw invalid(`tolerance is a number from 0 up, not ${within}`)
    if (type.kind === 'float64') return within
    return within >= 2 ** 63 ? null : BigInt(Math.floor(within))
  }
  if (!isTime) throw invalid(`tolerance of numbers is a number, not ${quote(within)}`)
  const nanoseconds = nanosecondsOf(within, 'asofJoin')
  if (nanoseconds < 0n) throw invalid(`tolerance is a duration from 0 up, not ${quote(within)}`)
  // Dates are compared as they are, in days.
  return nanoseconds / nanosecondsPer(left.kind === 'date' ? left : type)
}

const invalid = (text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `asofJoin: ${text}`, { operator: 'asofJoin' })
