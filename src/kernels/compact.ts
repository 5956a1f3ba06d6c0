/** The rows of a column whose bits are set, where most rows stay: `take` of select.ts gives the same by indices, in any order. */
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { elementBytes } from './operand.js'
import { take, takeBits } from './select.js'

/** @param indices of the `count` set bits. In scratch. */
export function compact(k: Kernels, vector: LaneVector, bitmap: number, indices: number, count: number): LaneVector {
  const { exports, memory } = k
  const { type, length, data, validity, child } = vector
  const width = child ? 0 : elementBytes(type.kind)
  if (width === 0) return take(k, vector, indices, count)
  const out = memory.scratch(width * count + 16)
  if (width === 4) exports.compact32(data, bitmap, length, out)
  else exports.compactOther(width, data, bitmap, length, out)
  return { ...vector, length: count, data: out, validity: validity && takeBits(k, validity, indices, count) }
}
