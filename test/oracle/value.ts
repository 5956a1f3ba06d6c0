/**
 * The values, types and tables of the naive model, and how they compare. Everything that counts in whole units (integers,
 * dates in days, timestamps in their unit) is a bigint, floats are numbers; javascript.ts turns them into what users see.
 */
import type { ModelVerb } from './verbs.js'

export type ModelKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'float32'
  | 'float64'
  | 'utf8'
  | 'timestamp'
  | 'date'
  | 'list'

export type ModelUnit = 's' | 'ms' | 'us' | 'ns'

export interface ModelType {
  readonly kind: ModelKind
  readonly nullable: boolean
  /** Of a timestamp. */
  readonly unit?: ModelUnit
  /** Of a list. */
  readonly item?: ModelType
}

/** A list is an array of values; nothing compares lists or takes them as keys. */
export type Value = null | boolean | bigint | number | string | readonly Value[]

export interface ModelField {
  readonly name: string
  readonly type: ModelType
}

export interface ModelRow {
  /** Row in the source; -1 where it comes of many. */
  readonly source: number
  readonly values: readonly Value[]
}

export interface ModelTable {
  readonly fields: readonly ModelField[]
  readonly rows: readonly ModelRow[]
  /** The table that these rows were made of, and how, where a flow is to make them. */
  readonly made?: { readonly table: ModelTable; readonly verbs: readonly ModelVerb[] }
}

/** What the engine must fail with, and at which source row (-1: at no one row). */
export class ModelError extends Error {
  readonly code: string
  readonly row: number

  constructor(code: string, row: number) {
    super(`${code} at row ${row}`)
    this.code = code
    this.row = row
  }
}

export const isInteger = (kind: ModelKind): boolean => /^u?int/.test(kind)
export const isFloat = (kind: ModelKind): boolean => kind.startsWith('float')
export const isNumber = (kind: ModelKind): boolean => isInteger(kind) || isFloat(kind)

export const NANOSECONDS_PER: Readonly<Record<ModelUnit, bigint>> = {
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  ns: 1n,
}

/**
 * Order of two values that are not null: NaN equals itself and is greatest, -0 equals 0, a bigint and a number compare exactly,
 * false comes before true, strings go by their UTF-8 bytes.
 */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b)
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  // JavaScript compares a bigint with a number by their mathematical values.
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

/** The order of code points is that of their UTF-8 bytes; that of UTF-16 units is not. */
function compareCodePoints(a: string, b: string): number {
  let at = 0
  while (at < a.length && at < b.length) {
    const left = a.codePointAt(at) as number
    const right = b.codePointAt(at) as number
    if (left !== right) return left - right
    at += left > 0xffff ? 2 : 1
  }
  return a.length - b.length
}

/** Keys and aggregates hold one zero, +0; JavaScript knows only one NaN. */
export function canonical(value: Value): Value {
  return Object.is(value, -0) ? 0 : value
}

/** Equal for values that are one key, and only for those: nulls are one, NaNs are one, zeros are one. */
export function keyText(values: readonly Value[]): string {
  return JSON.stringify(values.map(value => (value === null ? null : `${typeof value} ${String(canonical(value))}`)))
}
