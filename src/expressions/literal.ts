/**
 * Literal values: the type one has by itself, and its exact form in another type. Nothing here rounds: a value that has no
 * exact form is reported as such, and typing.ts decides whether that is an error, a constant or a neighbouring bound.
 */
import { dayText } from '../columnar/day.js'
import { instantText } from '../columnar/instant.js'
import { bool, type DataType, float64, int64, nullable, type TimeUnit, typeName, utf8 } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import type { LiteralNode, LiteralValue } from './node.js'

export const INT32_MIN = -(2n ** 31n)
export const INT32_MAX = 2n ** 31n - 1n
export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

/** A frozen literal whose type is settled; a null makes the type nullable. */
export function literalOf(value: LiteralValue, type: DataType): LiteralNode {
  return Object.freeze({ op: 'literal', value, type: value === null ? nullable(type) : type })
}

export const isNullLiteral = (node: { readonly op: string }): boolean =>
  node.op === 'literal' && (node as LiteralNode).value === null

/** What a literal is where nothing else says: number float64, bigint int64, as `columns` infers. */
export function standaloneLiteral(node: LiteralNode, operator: string): LiteralNode {
  const { value } = node
  if (node.type !== undefined) return node
  if (value === null) return literalOf(null, float64())
  switch (typeof value) {
    case 'number':
      return literalOf(value, float64())
    case 'bigint':
      return literalOf(checkedInt64(value, operator), int64())
    case 'string':
      return literalOf(value, utf8())
    default:
      return literalOf(value, bool())
  }
}

/** @throws MillraceError `MR_INTEGER_OVERFLOW` beyond int64. */
export function checkedInt64(value: bigint, operator: string): bigint {
  if (value >= INT64_MIN && value <= INT64_MAX) return value
  throw new MillraceError(
    'MR_INTEGER_OVERFLOW',
    `${operator}: the literal ${shortBigint(value)} is beyond int64; use a float64 such as ${Number(value)}`,
    {
      operator,
    },
  )
}

/** The exact integer that a finite number is, or null for a fraction, an infinity or NaN. */
export const exactInteger = (value: number | bigint): bigint | null =>
  typeof value === 'bigint' ? value : Number.isInteger(value) ? BigInt(value) : null

/** The double equal to `value`, or null where there is none. */
export function exactDouble(value: number | bigint): number | null {
  if (typeof value === 'number') return value
  const near = Number(value)
  return Number.isFinite(near) && BigInt(near) === value ? near : null
}

/** The greatest double less than `value`, for a `value` that is no double itself. */
export function doubleBelow(value: bigint): number {
  const near = Number(value)
  if (near === Infinity) return Number.MAX_VALUE
  if (near === -Infinity || BigInt(near) < value) return near
  return nextDown(near)
}

function nextDown(value: number): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigInt64(0)
  view.setBigInt64(0, value > 0 ? bits - 1n : bits + 1n)
  return view.getFloat64(0)
}

const PER_SECOND: Readonly<Record<TimeUnit, bigint>> = { s: 1n, ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n }

/** How many of the finer unit make one of the coarser; below 1n never: `from` is the coarser or equal one. */
export const unitRatio = (from: TimeUnit, to: TimeUnit): bigint => PER_SECOND[to] / PER_SECOND[from]

export const isFiner = (a: TimeUnit, b: TimeUnit): boolean => PER_SECOND[a] > PER_SECOND[b]

/** `value` counts of `from` in counts of `to`: the floor, and whether it is exact. May lie beyond int64. */
export function convertInstant(value: bigint, from: TimeUnit, to: TimeUnit): { floor: bigint; exact: boolean } {
  const scaled = value * PER_SECOND[to]
  const divisor = PER_SECOND[from]
  let floor = scaled / divisor
  const exact = floor * divisor === scaled
  if (!exact && scaled < 0n) floor -= 1n
  return { floor, exact }
}

/** A literal for messages: short, and in the form one would write. */
export function literalText(node: LiteralNode): string {
  const { value, type } = node
  if (value === null) return 'null'
  if (typeof value === 'string') return quote(value)
  if (type?.kind === 'timestamp') return instantText(BigInt(value as bigint), type.unit as TimeUnit)
  if (type?.kind === 'date') return `'${dayText(value as number)}'`
  if (typeof value === 'bigint') return shortBigint(value)
  return Object.is(value, -0) ? '-0' : String(value)
}

function shortBigint(value: bigint): string {
  const text = String(value)
  return text.length <= 40 ? text : `${text.slice(0, 20)}…(${text.length} digits)`
}

/** What a literal is, for messages: its type where it has one, else its JavaScript type. */
export function literalKind(node: LiteralNode): string {
  if (node.type !== undefined) return typeName(node.type)
  return node.value === null ? 'null' : typeof node.value
}
