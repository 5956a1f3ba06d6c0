/**
 * What a column's values span. Bindings that choose a kernel by its range ask here, once per morsel.
 */
import { isInteger, isTime } from '../columnar/type.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { integerKind } from './operand.js'

/**
 * The least and the greatest non-null value of an integer, date or timestamp column; null where there is none, or for
 * another type. Reads the column, whatever `vector.range` says.
 */
export function rangeOf(k: Kernels, vector: LaneVector): { readonly min: bigint; readonly max: bigint } | null {
  const { kind } = vector.type
  if (!isInteger(kind) && !isTime(kind)) return null
  const { memory } = k
  const mark = memory.mark()
  const out = memory.scratch(32)
  const found = k.exports.statsRange(integerKind(kind), vector.data, vector.validity, vector.length, out)
  const range = found ? { min: memory.i64[out >>> 3], max: memory.i64[(out >>> 3) + 1] } : null
  memory.reset(mark)
  return range
}
