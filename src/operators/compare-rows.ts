/** The order of two rows of two batches, as argsort (kernels/sort.ts) has it: for the few comparisons that find where a run is cut. */
import type { Kind } from '../columnar/type.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import type { ColumnKey } from '../kernels/sort.js'

/** Below 0 where row `i` of `a` comes first, 0 where they are equal in all keys. Each batch may have dictionaries of its own. */
export function compareRows(
  k: Kernels,
  keys: readonly ColumnKey[],
  a: LaneBatch,
  i: number,
  b: LaneBatch,
  j: number,
): number {
  for (const { column, descending, nulls } of keys) {
    const [left, right] = [a.columns[column], b.columns[column]]
    const [leftValid, rightValid] = [isValid(k, left, i), isValid(k, right, j)]
    if (leftValid && rightValid) {
      const order = compareValues(k, left.type.kind, left, i, right, j)
      if (order !== 0) return descending ? -order : order
    } else if (leftValid !== rightValid) return leftValid === (nulls === 'first') ? 1 : -1
  }
  return 0
}

const isValid = ({ memory }: Kernels, { validity }: LaneVector, i: number): boolean =>
  validity === 0 || bit(memory.u8, validity, i) === 1

const bit = (bytes: Uint8Array, pointer: number, i: number): number => (bytes[pointer + (i >> 3)] >> (i & 7)) & 1

function compareValues(k: Kernels, kind: Kind, a: LaneVector, i: number, b: LaneVector, j: number): number {
  const { memory } = k
  switch (kind) {
    case 'bool':
      return bit(memory.u8, a.data, i) - bit(memory.u8, b.data, j)
    case 'int8':
      return memory.i8[a.data + i] - memory.i8[b.data + j]
    case 'uint8':
      return memory.u8[a.data + i] - memory.u8[b.data + j]
    case 'int16':
      return memory.i16[(a.data >>> 1) + i] - memory.i16[(b.data >>> 1) + j]
    case 'uint16':
      return memory.u16[(a.data >>> 1) + i] - memory.u16[(b.data >>> 1) + j]
    case 'int32':
    case 'date':
      return memory.i32[(a.data >>> 2) + i] - memory.i32[(b.data >>> 2) + j]
    case 'uint32':
      return memory.u32[(a.data >>> 2) + i] - memory.u32[(b.data >>> 2) + j]
    case 'float32':
      return compareFloats(memory.f32[(a.data >>> 2) + i], memory.f32[(b.data >>> 2) + j])
    case 'float64':
      return compareFloats(memory.f64[(a.data >>> 3) + i], memory.f64[(b.data >>> 3) + j])
    case 'utf8':
      return compareTexts(k, a, i, b, j)
    default: {
      const [left, right] = [memory.i64[(a.data >>> 3) + i], memory.i64[(b.data >>> 3) + j]]
      return left < right ? -1 : left > right ? 1 : 0
    }
  }
}

/** NaN is greatest, and equal to itself. */
function compareFloats(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

/** By unsigned bytes, a prefix first. */
function compareTexts({ memory: { u8, u32 } }: Kernels, a: LaneVector, i: number, b: LaneVector, j: number): number {
  const at = ({ dictionary, data }: LaneVector, row: number): [from: number, length: number] => {
    if (dictionary === null) return [0, 0]
    const entry = (dictionary.offsets >>> 2) + u32[(data >>> 2) + row]
    return [dictionary.bytes + u32[entry], u32[entry + 1] - u32[entry]]
  }
  const [left, leftLength] = at(a, i)
  const [right, rightLength] = at(b, j)
  const common = Math.min(leftLength, rightLength)
  for (let byte = 0; byte < common; byte++) {
    const order = u8[left + byte] - u8[right + byte]
    if (order !== 0) return order
  }
  return leftLength - rightLength
}
