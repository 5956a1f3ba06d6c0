/** The type that holds the values of two types exactly, for columns that come from two sources. */
import { type DataType, isFloat, list, nullable } from '../columnar/type.js'
import { withNull } from '../expressions/typing.js'
import { commonType as nearestType } from '../expressions/unify.js'

/** Null where there is none: no float64 holds all of int64. Lists are of one type, but for nulls in them. */
export function commonType(a: DataType, b: DataType): DataType | null {
  if (a.kind === 'list' && b.kind === 'list') {
    const [left, right] = [a.item as DataType, b.item as DataType]
    const item = left.kind === right.kind && left.unit === right.unit ? commonType(left, right) : null
    return item && withNull(list(item), a.nullable || b.nullable)
  }
  const isRounded = (integer: DataType, float: DataType) => integer.kind === 'int64' && isFloat(float.kind)
  return isRounded(a, b) || isRounded(b, a) ? null : nearestType(a, b)
}

export const orNull = (type: DataType): DataType => (type.nullable ? type : nullable(type))
