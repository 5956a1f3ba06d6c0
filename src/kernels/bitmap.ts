/**
 * Bitmaps in scratch, and three-valued logic on columns of booleans. A pointer of 0 stands for "all set" only where it says
 * validity; bits beyond the last row are unspecified. From a bitmap to rows: select.ts.
 */
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'

/** Bytes of a bitmap of `rowCount` rows: whole blocks of 16, which is how kernels read and write it. */
export const bitmapBytes = (rowCount: number): number => Math.ceil(rowCount / 128) * 16

export function and(k: Kernels, a: number, b: number, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  k.exports.bitmapAnd(a, b, rowCount, out)
  return out
}

export function or(k: Kernels, a: number, b: number, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  k.exports.bitmapOr(a, b, rowCount, out)
  return out
}

/** a & ~b */
export function andNot(k: Kernels, a: number, b: number, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  k.exports.bitmapAndNot(a, b, rowCount, out)
  return out
}

export function xor(k: Kernels, a: number, b: number, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  k.exports.bitmapXor(a, b, rowCount, out)
  return out
}

export function not(k: Kernels, a: number, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  k.exports.bitmapNot(a, rowCount, out)
  return out
}

/** The set bits among the first `rowCount`. */
export function count(k: Kernels, a: number, rowCount: number): number {
  return k.exports.bitmapCount(a, rowCount)
}

/** A bitmap of nothing but `value`. */
export function filled(k: Kernels, value: boolean, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  k.memory.bytes(out, bitmapBytes(rowCount)).fill(value ? 0xff : 0)
  return out
}

/** Copies `count` bits between any bit positions of two bitmaps that do not overlap; other bits of the target stay. */
export function copyBits(
  k: Kernels,
  source: number,
  sourceBit: number,
  target: number,
  targetBit: number,
  count: number,
): void {
  k.exports.bitmapCopy(source, sourceBit, target, targetBit, count)
}

/** The validity of what needs two valid inputs: 0 where neither has nulls; may be one of the two pointers. */
export function bothValid(k: Kernels, a: number, b: number, rowCount: number): number {
  if (a === 0 || a === b) return b
  return b === 0 ? a : and(k, a, b, rowCount)
}

/** Where a boolean column is true, and not null: what a filter keeps. */
export function isTrue(k: Kernels, vector: LaneVector): number {
  return vector.validity === 0 ? vector.data : and(k, vector.data, vector.validity, vector.length)
}

/** Where a column is null, as a boolean column without nulls. */
export function isNull(k: Kernels, vector: LaneVector): LaneVector {
  const { length, validity } = vector
  return booleans(length, validity === 0 ? filled(k, false, length) : not(k, validity, length), 0)
}

/** Three-valued `not`: null stays null. */
export function negated(k: Kernels, vector: LaneVector): LaneVector {
  return { ...vector, data: not(k, vector.data, vector.length) }
}

/** Three-valued `and` and `or` of two boolean columns of one length: false and null is false, true or null is true. */
export function logic(k: Kernels, op: 'and' | 'or', left: LaneVector, right: LaneVector): LaneVector {
  const n = left.length
  const combine = op === 'and' ? and : or
  if (left.validity === 0 && right.validity === 0) return booleans(n, combine(k, left.data, right.data, n), 0)
  // True where the operator finds enough that is true, false where it finds enough that is false; known where either.
  const trues = combine(k, isTrue(k, left), isTrue(k, right), n)
  const falses = (op === 'and' ? or : and)(k, isFalse(k, left), isFalse(k, right), n)
  return booleans(n, trues, or(k, trues, falses, n))
}

/** A boolean column over these bitmaps. */
export function booleans(length: number, data: number, validity: number): LaneVector {
  return { type: { kind: 'bool', nullable: validity !== 0 }, length, data, validity, dictionary: null, range: null }
}

function isFalse(k: Kernels, vector: LaneVector): number {
  return vector.validity === 0
    ? not(k, vector.data, vector.length)
    : andNot(k, vector.validity, vector.data, vector.length)
}
