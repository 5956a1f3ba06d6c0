/** The type that holds the values of two types exactly, for columns that come from two sources. */
import {
  type DataType,
  float64,
  int32,
  int64,
  isFloat,
  isInteger,
  list,
  nullable,
  type TimeUnit,
} from '../columnar/type.js'
import { isFiner } from '../expressions/literal.js'
import { withNull } from '../expressions/typing.js'

/** Null where there is none. Nullable where either is; of two time zones neither is kept. */
export function commonType(a: DataType, b: DataType): DataType | null {
  const type = commonKind(a, b)
  return type && withNull(type, a.nullable || b.nullable)
}

function commonKind(a: DataType, b: DataType): DataType | null {
  if (a.kind === 'list' && b.kind === 'list') {
    const [left, right] = [a.item as DataType, b.item as DataType]
    const item = left.kind === right.kind && left.unit === right.unit ? commonType(left, right) : null
    return item && list(item)
  }
  if (a.kind === 'timestamp' && b.kind === 'timestamp') {
    const finer = isFiner(a.unit as TimeUnit, b.unit as TimeUnit) ? a : b
    if (a.timeZone === b.timeZone) return finer
    const { timeZone: _, ...rest } = finer
    return Object.freeze(rest)
  }
  if (a.kind === b.kind) return a.kind === 'struct' ? null : a
  if (isInteger(a.kind) && isInteger(b.kind)) return isNarrow(a) && isNarrow(b) ? int32() : int64()
  const isExact = (type: DataType) => isFloat(type.kind) || (isInteger(type.kind) && type.kind !== 'int64')
  return isExact(a) && isExact(b) ? float64() : null
}

const isNarrow = ({ kind }: DataType): boolean => kind !== 'int64' && kind !== 'uint32'

export const orNull = (type: DataType): DataType => (type.nullable ? type : nullable(type))
