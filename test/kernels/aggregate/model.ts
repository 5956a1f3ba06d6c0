/** What the aggregate tests hold the kernels against: exact rationals by BigInt, rounded once; and columns put into lane memory. */
import type { DataType } from '../../../src/columnar/type.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import type { LaneVector } from '../../../src/kernels/lane-vector.js'
import type { LaneDictionary } from '../../../src/kernels/text.js'
import { laneVector } from '../support.js'

export type Value = number | bigint | boolean | string | null

const bytes = new DataView(new ArrayBuffer(8))

export function bitsOfDouble(x: number): bigint {
  bytes.setFloat64(0, x)
  return bytes.getBigUint64(0)
}

/** A finite double as a multiple of 2^-1074. */
export function exactly(x: number): bigint {
  const bits = bitsOfDouble(x)
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & 0xfffffffffffffn
  const magnitude = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n)
  return bits >> 63n === 1n ? -magnitude : magnitude
}

/** The double nearest to numerator * 2^-1074 / denominator, ties to even; never -0. */
export function nearest(numerator: bigint, denominator = 1n): number {
  const negative = numerator < 0n
  const magnitude = negative ? -numerator : numerator
  let shift = BigInt(Math.max(0, bitLength(magnitude) - bitLength(denominator) - 53))
  if (magnitude / (denominator << shift) >= 1n << 53n) shift++
  const divisor = denominator << shift
  let quotient = magnitude / divisor
  const rest = 2n * (magnitude % divisor)
  if (rest > divisor || (rest === divisor && quotient % 2n === 1n)) quotient++
  if (quotient === 0n) return 0
  const bits = quotient < 1n << 52n ? quotient : ((shift + 1n) << 52n) + (quotient - (1n << 52n))
  bytes.setBigUint64(0, bits >= 0x7ff0000000000000n ? 0x7ff0000000000000n : bits)
  return negative ? -bytes.getFloat64(0) : bytes.getFloat64(0)
}

const bitLength = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length)

/** Sum or mean of doubles as the semantics say, with NaN and infinities apart. */
export function modelFloat(values: readonly number[], mean: boolean): number | null {
  if (values.length === 0) return null
  if (values.some(Number.isNaN) || (values.includes(Infinity) && values.includes(-Infinity))) return NaN
  if (values.includes(Infinity)) return Infinity
  if (values.includes(-Infinity)) return -Infinity
  return nearest(
    values.reduce((sum, x) => sum + exactly(x), 0n),
    mean ? BigInt(values.length) : 1n,
  )
}

export const modelIntMean = (values: readonly bigint[]): number | null =>
  values.length === 0 ? null : nearest(values.reduce((sum, x) => sum + x, 0n) << 1074n, BigInt(values.length))

/** Least or greatest by `compare`, null of none. */
export function modelBest<T>(values: readonly T[], compare: (a: T, b: T) => number, wanted: 1 | -1): T | null {
  return values.reduce<T | null>(
    (best, x) => (best === null || Math.sign(compare(x, best)) === wanted ? x : best),
    null,
  )
}

/** NaN is greatest, -0 equals 0. */
export function compareNumbers(a: number | bigint | boolean, b: number | bigint | boolean): number {
  const nan = Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return nan !== 0 ? nan : a < b ? -1 : Number(a > b)
}

export const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** A column in scratch; strings get codes of `dictionary`. */
export function columnOf(k: Kernels, type: DataType, values: readonly Value[], dictionary: LaneDictionary): LaneVector {
  if (type.kind !== 'utf8') return laneVector(k, type, values as (number | bigint | boolean | null)[])
  const codes = dictionary.internStrings(values.map(value => (value ?? values.find(v => v !== null) ?? '') as string))
  return {
    ...laneVector(
      k,
      type,
      values.map((value, i) => (value === null ? null : codes[i])),
    ),
    dictionary,
  }
}

/** Group indices as a u32 pointer in scratch. */
export function groupPointer(k: Kernels, groups: readonly number[]): number {
  const pointer = k.memory.scratch(4 * groups.length)
  k.memory.u32.set(groups, pointer >>> 2)
  return pointer
}

export interface MomentQuestion {
  readonly name: 'variance' | 'stddev' | 'covariance' | 'correlation' | 'slope'
  readonly population: boolean
}

/** A moment of rows of one value or two, as the semantics say: exact sums, and one rounding. */
export function modelMoment(
  { name, population }: MomentQuestion,
  rows: readonly (readonly (number | bigint)[])[],
): number | null {
  const n = BigInt(rows.length)
  if (n < (population ? 1n : 2n)) return null
  if (rows.flat().some(x => typeof x === 'number' && !Number.isFinite(x))) return NaN
  // In units of 2^-1074 and 2^-2148, where there is any double.
  const unit = rows.flat().some(x => typeof x === 'number') ? 1074n : 0n
  const integers = rows.map(row => row.map(x => (typeof x === 'bigint' ? x << unit : exactly(x))))
  const sum = (of: (row: bigint[]) => bigint) => integers.reduce((total, row) => total + of(row), 0n)
  const central = (i: number, j: number) => n * sum(row => row[i] * row[j]) - sum(row => row[i]) * sum(row => row[j])
  const over = (n * (population ? n : n - 1n)) << (2n * unit)
  switch (name) {
    case 'variance':
      return nearest(central(0, 0) << 1074n, over)
    case 'stddev':
      return Math.sqrt(nearest(central(0, 0) << 1074n, over))
    case 'covariance':
      return nearest(central(0, 1) << 1074n, over)
    case 'slope':
      return central(1, 1) === 0n ? null : nearest(central(0, 1) << 1074n, central(1, 1))
    default:
      return modelCorrelation(central(0, 1), central(0, 0), central(1, 1))
  }
}

function modelCorrelation(ab: bigint, aa: bigint, bb: bigint): number | null {
  if (aa === 0n || bb === 0n) return null
  const [a, b] = [rounded53(aa), rounded53(bb)]
  const above = rounded53(ab)
  const roots = Math.sqrt(a.significand * (1 + (a.exponent & 1))) * Math.sqrt(b.significand * (1 + (b.exponent & 1)))
  const exponent = above.exponent - (a.exponent >> 1) - (b.exponent >> 1)
  const quotient = exactly(above.significand / roots)
  const value = exponent >= 0 ? nearest(quotient << BigInt(exponent)) : nearest(quotient, 1n << BigInt(-exponent))
  return Math.min(Math.max(value, -1), 1)
}

/** The nearest significand of 53 bits at most, times 2^exponent. */
function rounded53(n: bigint): { significand: number; exponent: number } {
  const exponent = Math.max(0, bitLength(n < 0n ? -n : n) - 53)
  const cut = 1n << BigInt(exponent)
  const magnitude = n < 0n ? -n : n
  const quotient = magnitude / cut
  const rest = 2n * (magnitude % cut)
  const up = rest > cut || (rest === cut && quotient % 2n === 1n) ? 1n : 0n
  return { significand: Number(n < 0n ? -(quotient + up) : quotient + up), exponent }
}
