/** Constants among operands (operand.ts): told from columns, and written to where kernels read them. */

import { MillraceError } from '../errors.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { nullColumn } from './null-column.js'
import { dataBytes, elementBytes, type Operand, type Scalar } from './operand.js'
import type { LaneDictionary } from './text.js'

export const isScalar = (operand: Operand): operand is Scalar => !('data' in operand)

export const validityOf = (operand: Operand): number => (isScalar(operand) ? 0 : operand.validity)

/** A scalar of a fixed-width type as 16 bytes of copies in scratch, so that a loop walks it with step 0. */
export function writeScalar(k: Kernels, { type, value }: Scalar): number {
  const { memory } = k
  const pointer = memory.scratch(16)
  if (type.kind === 'float64') memory.f64.fill(Number(value), pointer >>> 3, (pointer >>> 3) + 2)
  else if (elementBytes(type.kind) === 8) memory.i64.fill(BigInt(value as bigint), pointer >>> 3, (pointer >>> 3) + 2)
  else memory.i32.fill(Number(value), pointer >>> 2, (pointer >>> 2) + 4)
  return pointer
}

/** Where kernels read an operand of 8-byte or 4-byte elements, and by how many bytes they step for 16 bytes of result. */
export type Walk = readonly [pointer: number, step: number]

export function walk(k: Kernels, operand: Operand): Walk {
  return isScalar(operand) ? [writeScalar(k, operand), 0] : [operand.data, 16]
}

/** A column of one value, in scratch. A string needs the dictionary that its code is to come from. */
export function constant(
  k: Kernels,
  { type, value }: Scalar,
  rowCount: number,
  dictionary: LaneDictionary | null = null,
): LaneVector {
  const { memory } = k
  // Nothing else of a list can be written.
  if (type.kind === 'list') return nullColumn(k, type, rowCount, dictionary)
  const code = type.kind === 'utf8' && value !== null ? dictionary?.internStrings([String(value)])[0] : 0
  if (code === undefined || (type.kind === 'utf8' && dictionary === null)) {
    throw new MillraceError('MR_TYPE_MISMATCH', 'constant: a column of strings needs a dictionary')
  }
  const validity = value === null ? memory.scratch(bitmapBytes(rowCount)) : 0
  if (validity !== 0) memory.bytes(validity, bitmapBytes(rowCount)).fill(0)
  const { kind } = type
  const data = memory.scratch(dataBytes(kind, rowCount))
  const width = elementBytes(kind)
  const at = data / (width || 1)
  const end = at + rowCount
  if (kind === 'bool') memory.bytes(data, bitmapBytes(rowCount)).fill(value === true ? 0xff : 0)
  else if (kind === 'float64') memory.f64.fill(Number(value), at, end)
  else if (kind === 'float32') memory.f32.fill(Number(value), at, end)
  else if (width === 8) memory.i64.fill(BigInt((value ?? 0) as bigint), at, end)
  else if (width === 4) memory.i32.fill(kind === 'utf8' ? code : Number(value), at, end)
  else if (width === 2) memory.i16.fill(Number(value), at, end)
  else memory.i8.fill(Number(value), at, end)
  return { type, length: rowCount, data, validity, dictionary: kind === 'utf8' ? dictionary : null, range: null }
}
