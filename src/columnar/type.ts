/**
 * The column types: frozen, serialisable descriptions. What a value of each looks like in JavaScript is `ValueOf`;
 * how it lies in memory is said in vector.ts.
 */
import { MillraceError } from '../errors.js'

export type TimeUnit = 's' | 'ms' | 'us' | 'ns'

export type IntegerKind = 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32'
export type FloatKind = 'float32' | 'float64'
export type NumberKind = IntegerKind | FloatKind
export type TimeKind = 'timestamp' | 'date'
export type ScalarKind = 'bool' | NumberKind | 'utf8' | TimeKind
export type Kind = ScalarKind | 'list' | 'struct'

/** One column's type. `nullable: false` promises that no value is null. */
export interface DataType<K extends Kind = Kind, N extends boolean = boolean> {
  readonly kind: K
  readonly nullable: N
  /** Of a timestamp: the unit its int64 counts. */
  readonly unit?: TimeUnit
  /** Of a timestamp: the zone its calendar parts are taken in; instants are UTC whatever it says. */
  readonly timeZone?: string
  /** Of a list: the type of its items. */
  readonly item?: DataType
  /** Of a struct: its fields. */
  readonly fields?: SchemaShape
}

/** Column names to types, in column order: what `schema()` returns and what `Flow`, `Table` and `RecordBatch` carry. */
export type SchemaShape = Readonly<Record<string, DataType>>

export interface Bool extends DataType<'bool', false> {}
export interface Int8 extends DataType<'int8', false> {}
export interface Int16 extends DataType<'int16', false> {}
export interface Int32 extends DataType<'int32', false> {}
export interface Int64 extends DataType<'int64', false> {}
export interface Uint8 extends DataType<'uint8', false> {}
export interface Uint16 extends DataType<'uint16', false> {}
export interface Uint32 extends DataType<'uint32', false> {}
export interface Float32 extends DataType<'float32', false> {}
export interface Float64 extends DataType<'float64', false> {}
export interface Utf8 extends DataType<'utf8', false> {}
export interface Timestamp extends DataType<'timestamp', false> {}
export interface Date_ extends DataType<'date', false> {}
export interface List<T extends DataType = DataType> extends DataType<'list', false> {
  readonly item: T
}
export interface Struct<F extends SchemaShape = SchemaShape> extends DataType<'struct', false> {
  readonly fields: F
}
/** The same type, with nulls allowed. */
export type Nullable<T extends DataType> = Omit<T, 'nullable'> & DataType<T['kind'], true>

const scalar = <K extends Kind>(kind: K): DataType<K, false> => Object.freeze({ kind, nullable: false as const })

const BOOL = scalar('bool')
const INT8 = scalar('int8')
const INT16 = scalar('int16')
const INT32 = scalar('int32')
const INT64 = scalar('int64')
const UINT8 = scalar('uint8')
const UINT16 = scalar('uint16')
const UINT32 = scalar('uint32')
const FLOAT32 = scalar('float32')
const FLOAT64 = scalar('float64')
const UTF8 = scalar('utf8')
const DATE = scalar('date')

export const bool = (): Bool => BOOL
export const int8 = (): Int8 => INT8
export const int16 = (): Int16 => INT16
export const int32 = (): Int32 => INT32
export const int64 = (): Int64 => INT64
export const uint8 = (): Uint8 => UINT8
export const uint16 = (): Uint16 => UINT16
export const uint32 = (): Uint32 => UINT32
export const float32 = (): Float32 => FLOAT32
export const float64 = (): Float64 => FLOAT64
/** A UTF-8 string, compared by its bytes. */
export const utf8 = (): Utf8 => UTF8
/** A calendar day with no time and no zone; in JavaScript `'YYYY-MM-DD'`. */
export const date = (): Date_ => DATE

const UNITS: readonly string[] = ['s', 'ms', 'us', 'ns']

/**
 * An instant: int64 counts of `unit` since 1970-01-01T00:00:00Z.
 * @throws MillraceError `MR_INVALID_OPTION` for another unit. Whether there is a zone of that name is for those to ask who need its calendar.
 */
export function timestamp(unit: TimeUnit = 'ms', timeZone?: string): Timestamp {
  if (!UNITS.includes(unit)) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `timestamp: the unit is one of 's', 'ms', 'us', 'ns', not ${JSON.stringify(unit)}`,
    )
  }
  return Object.freeze({ kind: 'timestamp', nullable: false, unit, ...(timeZone === undefined ? {} : { timeZone }) })
}

/**
 * Rows that are lists of `item`; in JavaScript arrays. Lists are carried by every verb and made by some aggregates; of
 * expressions only `isNull` takes them, and no key or order.
 */
export const list = <T extends DataType>(item: T): List<T> => Object.freeze({ kind: 'list', nullable: false, item })

/** Reserved: structs are described but no operator of this version takes them. */
export const struct = <F extends SchemaShape>(fields: F): Struct<F> =>
  Object.freeze({ kind: 'struct', nullable: false, fields: Object.freeze({ ...fields }) })

/** The same type with nulls allowed. */
export const nullable = <T extends DataType>(type: T): Nullable<T> =>
  Object.freeze({ ...type, nullable: true }) as unknown as Nullable<T>

export const isInteger = (kind: Kind): kind is IntegerKind => kind.startsWith('int') || kind.startsWith('uint')
export const isFloat = (kind: Kind): kind is FloatKind => kind.startsWith('float')
export const isNumber = (kind: Kind): kind is NumberKind => isInteger(kind) || isFloat(kind)
export const isTime = (kind: Kind): kind is TimeKind => kind === 'timestamp' || kind === 'date'

/** What lists, and lists of lists, hold in the end; of any other type itself. */
export const leafType = (type: DataType): DataType => (type.kind === 'list' ? leafType(type.item as DataType) : type)

/** Equal kind, unit, zone and shape; nullability apart. */
export function sameType(a: DataType, b: DataType): boolean {
  return typeName({ ...a, nullable: false }) === typeName({ ...b, nullable: false })
}

/** As it would be declared: `nullable(timestamp('us'))`. */
export function typeName(type: DataType): string {
  if (type.nullable) return `nullable(${typeName({ ...type, nullable: false })})`
  if (type.kind === 'timestamp') {
    return type.timeZone === undefined ? `timestamp('${type.unit}')` : `timestamp('${type.unit}', '${type.timeZone}')`
  }
  if (type.kind === 'list') return `list(${typeName(type.item as DataType)})`
  if (type.kind === 'struct') {
    const fields = Object.entries(type.fields as SchemaShape).map(
      ([name, field]) => `${JSON.stringify(name)}: ${typeName(field)}`,
    )
    return `struct({ ${fields.join(', ')} })`
  }
  return type.kind
}

type NonNullValueOf<T extends DataType> = T['kind'] extends 'bool'
  ? boolean
  : T['kind'] extends NumberKind
    ? number
    : T['kind'] extends 'utf8' | 'date'
      ? string
      : T['kind'] extends 'timestamp'
        ? Date
        : T extends { readonly kind: 'list'; readonly item: infer I extends DataType }
          ? ValueOf<I>[]
          : T extends { readonly kind: 'struct'; readonly fields: infer F extends SchemaShape }
            ? RowOf<F>
            : unknown

/**
 * The JavaScript value of a type: `Date` for a timestamp, `'YYYY-MM-DD'` for a date, `null` where nullable; `any` of an
 * unknown type.
 */
export type ValueOf<T extends DataType> = T extends unknown
  ? 0 extends 1 & T
    ? any
    : T['nullable'] extends false
      ? NonNullValueOf<T>
      : NonNullValueOf<T> | null
  : never

/** The JavaScript row of a schema. */
export type RowOf<S extends SchemaShape> = { -readonly [K in keyof S]: ValueOf<S[K]> }
