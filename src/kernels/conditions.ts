/** Choosing between two operands of one type, row by row. Results are in scratch. */
import type { DataType } from '../columnar/type.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { dataBytes, elementBytes, type Operand, type Scalar } from './operand.js'
import { isScalar, type Walk } from './scalar.js'
import type { LaneDictionary } from './text.js'

/**
 * `a` in the rows of the bitmap `mask`, `b` in the others: operands of `type`; of strings codes into `dictionary`, a constant's too.
 * @param type not a list's or a struct's
 * @param into what this has given before, and nobody reads any more but as `a` or `b`: it is written over
 */
export function select(
  k: Kernels,
  mask: number,
  a: Operand,
  b: Operand,
  type: DataType,
  rowCount: number,
  dictionary: LaneDictionary | null = null,
  into: LaneVector | null = null,
): LaneVector {
  const { exports, memory } = k
  const kernel = {
    0: exports.conditionsSelectBits,
    1: exports.conditionsSelect8,
    2: exports.conditionsSelect16,
    4: exports.conditionsSelect32,
    8: exports.conditionsSelect64,
  }[elementBytes(type.kind)] as typeof exports.conditionsSelectBits
  const data = into?.data ?? memory.scratch(dataBytes(type.kind, rowCount) + 16)
  kernel(mask, ...values(k, a, type), ...values(k, b, type), rowCount, data)
  const validity = mayBeNull(a) || mayBeNull(b) ? into?.validity || memory.scratch(bitmapBytes(rowCount)) : 0
  if (validity !== 0) exports.conditionsSelectBits(mask, ...valid(k, a), ...valid(k, b), rowCount, validity)
  return {
    type: { ...type, nullable: validity !== 0 },
    length: rowCount,
    data,
    validity,
    dictionary,
    range: hull(rangeOf(a, type), rangeOf(b, type)),
  }
}

const mayBeNull = (operand: Operand): boolean => (isScalar(operand) ? operand.value === null : operand.validity !== 0)

const values = (k: Kernels, operand: Operand, type: DataType): Walk =>
  isScalar(operand) ? [copies(k, operand, type), 0] : [operand.data, 16]

function valid(k: Kernels, operand: Operand): Walk {
  if (!isScalar(operand) && operand.validity !== 0) return [operand.validity, 16]
  return [bytes(k, mayBeNull(operand) ? 0 : 0xff), 0]
}

/** A constant as 16 bytes of copies. */
function copies(k: Kernels, { value }: Scalar, { kind }: DataType): number {
  const { memory } = k
  if (value === null || kind === 'bool') return bytes(k, value === true ? 0xff : 0)
  const at = memory.scratch(16)
  if (kind === 'float64') memory.f64.fill(Number(value), at >>> 3, (at >>> 3) + 2)
  else if (kind === 'float32') memory.f32.fill(Number(value), at >>> 2, (at >>> 2) + 4)
  else if (elementBytes(kind) === 8) memory.i64.fill(BigInt(value as bigint), at >>> 3, (at >>> 3) + 2)
  else if (elementBytes(kind) === 4) memory.i32.fill(Number(value), at >>> 2, (at >>> 2) + 4)
  else if (elementBytes(kind) === 2) memory.i16.fill(Number(value), at >>> 1, (at >>> 1) + 8)
  else memory.i8.fill(Number(value), at, at + 16)
  return at
}

function bytes({ memory }: Kernels, value: number): number {
  const at = memory.scratch(16)
  memory.bytes(at, 16).fill(value)
  return at
}

type Range = LaneVector['range']

/** Undefined where there are no values. */
function rangeOf(operand: Operand, { kind }: DataType): Range | undefined {
  if (!isScalar(operand)) return operand.range
  const { value } = operand
  if (value === null) return undefined
  if (kind === 'bool' || kind === 'utf8' || kind.startsWith('float')) return null
  return { min: BigInt(value as bigint), max: BigInt(value as bigint) }
}

function hull(a: Range | undefined, b: Range | undefined): Range {
  if (a === undefined || b === undefined) return a ?? b ?? null
  if (a === null || b === null) return null
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max }
}

/** Rows of codes into `entries`, from `row` on, as codes of a dictionary's `table`, by a `map` that has what has been met so far. */
export interface Recoding {
  readonly table: number
  /** u32 pointer, with the validity of the rows. */
  readonly codes: number
  readonly validity: number
  readonly row: number
  readonly length: number
  readonly entries: LaneDictionary
  readonly map: number
  readonly out: number
}

/** The row whose string found no room, or `length`. */
export const recode = (k: Kernels, { table, codes, validity, row, length, entries, map, out }: Recoding): number =>
  k.exports.conditionsRecode(table, codes, validity, row, length, entries.offsets, entries.bytes, map, out)
