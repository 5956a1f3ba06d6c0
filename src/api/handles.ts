/**
 * The handles of columns as users see them, one interface a family: what `t.price` is in a callback. columns.ts makes them,
 * types.ts infers their types.
 */
import type {
  Bool,
  DataType,
  Date_,
  Float64,
  Int32,
  Int64,
  Nullable,
  NumberKind,
  TimeKind,
  Timestamp,
  TimeUnit,
  Utf8,
} from '../columnar/type.js'
import type { Expression } from '../expressions/node.js'
import type {
  CastTo,
  Clamped,
  Coalesced,
  HandleOf,
  MayBeNull,
  NullableIf,
  Or,
  OrNull,
  Power,
  Quotient,
  Remainder,
  Sum,
  Text,
  Truth,
  TypeOf,
} from './types.js'

/** `other`: lists and structs. */
export type Family = ScalarFamily | 'other'
export type ScalarFamily = 'number' | 'string' | 'boolean' | 'time'

declare const TYPE: unique symbol

/** An expression over columns: frozen data, evaluated by the lanes. `T` is the type of its result, `F` its family. */
export interface Expr<T extends DataType = DataType, F extends Family = Family> {
  readonly family: F
  /** The tree behind the handle: plain, serialisable data. */
  readonly expression: Expression
  /** Exists for the type system alone. */
  readonly [TYPE]?: T
  /** True where the value is null; never null itself. */
  isNull(): BoolExpr<Bool>
  /** The opposite of `isNull`. */
  isNotNull(): BoolExpr<Bool>
  /** As `explain` shows it. */
  toString(): string
}

// What may stand beside an expression. These name `Expr` and not `NumberExpr`: comparing two generic interfaces method by method is dear.
export type NumberOperand = number | bigint | Expr<any, 'number'>
export type StringOperand = string | Expr<any, 'string'>
export type BoolOperand = boolean | Expr<any, 'boolean'>
/** A timestamp compares with a `Date`, with a bigint that counts its unit, and with timestamps of any unit; a date with 'YYYY-MM-DD' and with dates. */
export type TimeOperand<T extends DataType> = TimeOperands[T['kind'] & TimeKind]
interface TimeOperands {
  date: TimeLiterals['date'] | Expr<DataType<'date'>, 'time'>
  timestamp: TimeLiterals['timestamp'] | Expr<DataType<'timestamp'>, 'time'>
}
interface TimeLiterals {
  date: string | Date
  timestamp: Date | bigint
}

/** A column or expression of integers or floats. Comparison is exact, and NaN is equal to itself and greater than all other numbers. */
export interface NumberExpr<T extends DataType = DataType<NumberKind>> extends Expr<T, 'number'> {
  /** int64 of integers (beyond it: `MR_INTEGER_OVERFLOW`), float64 as soon as one operand is a float; so are `sub` and `mul`. */
  add<const B extends NumberOperand>(other: B): NumberExpr<Sum<T, B>>
  sub<const B extends NumberOperand>(other: B): NumberExpr<Sum<T, B>>
  mul<const B extends NumberOperand>(other: B): NumberExpr<Sum<T, B>>
  /** float64 division; null where the divisor is zero. */
  div<const B extends NumberOperand>(other: B): NumberExpr<Quotient<T, B>>
  /** The quotient, floored; null where the divisor is zero. */
  intDiv<const B extends NumberOperand>(other: B): NumberExpr<Remainder<T, B>>
  /** The remainder of `intDiv`: it has the divisor's sign; null where the divisor is zero. */
  mod<const B extends NumberOperand>(other: B): NumberExpr<Remainder<T, B>>
  neg(): NumberExpr<Sum<T, 0>>
  /** The magnitude: int64 of integers (the least int64 has none: `MR_INTEGER_OVERFLOW`), float64 of floats. */
  abs(): NumberExpr<Sum<T, 0>>
  /** -1, 0 or 1: int64 of integers, float64 of floats, where a zero keeps its sign and NaN stays NaN. */
  sign(): NumberExpr<Sum<T, 0>>
  /** float64, correctly rounded; NaN of what is below zero. */
  sqrt(): NumberExpr<NullableIf<Float64, T['nullable']>>
  /** e to this, float64. It and `ln`, `log10` and `pow` are within one unit in the last place, and the same bits in every engine. */
  exp(): NumberExpr<NullableIf<Float64, T['nullable']>>
  /** The natural logarithm, float64: negative infinity of 0, NaN of what is below. */
  ln(): NumberExpr<NullableIf<Float64, T['nullable']>>
  /** The decimal logarithm, float64, exact of powers of ten: negative infinity of 0, NaN of what is below. */
  log10(): NumberExpr<NullableIf<Float64, T['nullable']>>
  /** This to the power of `exponent`, float64 whatever they are: NaN of a negative number to what is no integer, 1 of anything to 0, and of 1 to anything. */
  pow<const B extends NumberOperand>(exponent: B): NumberExpr<Power<T, B>>
  /** The greatest whole number that is not above: float64 of floats, and integers as they are, int64. */
  floor(): NumberExpr<Sum<T, 0>>
  /** The least whole number that is not below. */
  ceil(): NumberExpr<Sum<T, 0>>
  /**
   * The nearest number of so many decimals (-22 to 22; negative ones round to tens, hundreds, ...), halves away from zero: float64 of floats, int64 of integers
   * (beyond it: `MR_INTEGER_OVERFLOW`). What is rounded is the exact value of a float: 1.005 is a little less than its name, and to two decimals 1.
   */
  round(decimals?: number): NumberExpr<Sum<T, 0>>
  /**
   * No less than `low` and no more than `high`, either of which may be null, in a row too: no bound. NaN stays NaN. Of bounds that cross in a row the upper
   * one holds. int64 of integers, float64 as soon as one is a float.
   */
  clamp<const A extends NumberOperand | null, const B extends NumberOperand | null = null>(
    low: A,
    high?: B,
  ): NumberExpr<Clamped<T, A, B>>
  /**
   * The beginning of the bucket that it falls in, of those `width` wide (above 0) of which one begins at `offset`: floor((this - offset) / width) * width + offset.
   * int64 where all are integers, exactly (beyond it: `MR_INTEGER_OVERFLOW`); else float64, each step rounded.
   */
  bucket<const W extends number | bigint, const O extends number | bigint = 0>(
    width: W,
    offset?: O,
  ): NumberExpr<Sum<Sum<T, W>, O>>
  /** False of integers; null where the value is. */
  isNaN(): BoolExpr<NullableIf<Bool, T['nullable']>>
  eq<B extends NumberOperand>(other: B): BoolExpr<Truth<T, B>>
  ne<B extends NumberOperand>(other: B): BoolExpr<Truth<T, B>>
  lt<B extends NumberOperand>(other: B): BoolExpr<Truth<T, B>>
  lte<B extends NumberOperand>(other: B): BoolExpr<Truth<T, B>>
  gt<B extends NumberOperand>(other: B): BoolExpr<Truth<T, B>>
  gte<B extends NumberOperand>(other: B): BoolExpr<Truth<T, B>>
  /** `low <= this <= high`, both included. */
  between<A extends NumberOperand, B extends NumberOperand>(low: A, high: B): BoolExpr<Truth<T, A | B>>
  /** Equal to one of `values`; false for an empty list. Where none is equal and one is null: null. */
  in<V extends number | bigint | null>(values: readonly V[]): BoolExpr<Truth<T, V>>
  /** The first of these values that is not null, of the type that holds them all: integers beside floats are float64, literals take the column's type. */
  coalesce<const B extends readonly NumberOperand[]>(...others: B): HandleOf<Coalesced<T, B[number]>>
  /** Null where it equals `value`, else as it is. */
  nullIf(value: NumberOperand): HandleOf<OrNull<T>>
  /**
   * As another type. Fractions are cut off, integers and floats become the nearest float, what is not 0 is true; numbers and truths are written as JavaScript
   * does, times as ISO 8601 has them, and read so, the whitespace around them aside; a coarser unit of time gets the floor, a date is its midnight UTC, and
   * an integer counts the unit. A value that the type does not hold fails: `MR_INTEGER_OVERFLOW` beyond its range, `MR_TYPE_MISMATCH` for text that is none of
   * it, `MR_INEXACT_VALUE` for NaN, for a float beyond float32 and for an instant in text that is finer.
   */
  cast<D extends DataType>(type: D): HandleOf<CastTo<D, T>>
  /** The same, and null where the type does not hold the value. */
  tryCast<D extends DataType>(type: D): HandleOf<OrNull<D>>
  /**
   * A hash that is the same everywhere and always, as int64: XXH64 with `seed`. Of numbers it is that of 8 bytes, low byte first (integers, and times in their
   * unit, as int64; floats as float64, with one zero and one NaN; truths as 0 and 1), of a string that of its UTF-8.
   */
  hash(seed?: number | bigint): NumberExpr<NullableIf<Int64, T['nullable']>>
  /**
   * A pseudonym: 32 hexadecimal digits that nobody computes, or takes back by trying all values, without the secret key of 16 bytes. SipHash-2-4-128 of the same
   * bytes. The key is in no plan that is shown and no error, but in memory; whoever has it can tell whether a value is behind a pseudonym.
   */
  hash(secret: { readonly key: string | Uint8Array }): StringExpr<NullableIf<Utf8, T['nullable']>>
}

/** A column or expression of strings, compared by their UTF-8 bytes. What is computed of one is computed once per distinct string; positions and lengths count code points. */
export interface StringExpr<T extends DataType = DataType<'utf8'>> extends Expr<T, 'string'> {
  /** In lower case, by the rules for no language in particular; beyond ASCII by the Unicode version of the JavaScript engine. So is `upper`. */
  lower(): StringExpr<T>
  upper(): StringExpr<T>
  /** Without the whitespace around it, which is what JavaScript's `trim` takes for such. */
  trim(): StringExpr<T>
  trimStart(): StringExpr<T>
  trimEnd(): StringExpr<T>
  /** From code point `start` to before `end`; numbers below 0 count from the end, as for JavaScript's `slice`. */
  slice(start: number, end?: number): StringExpr<T>
  /** This and the others, one behind the other; null where one is. */
  concat<const B extends readonly StringOperand[]>(...others: B): StringExpr<Text<T, B[number]>>
  /** With every occurrence of `text` replaced, from left to right; an empty `text` occurs nowhere. */
  replace<A extends StringOperand, B extends StringOperand>(text: A, by: B): StringExpr<Text<T, A | B>>
  /** The same of the first occurrence. */
  replaceFirst<A extends StringOperand, B extends StringOperand>(text: A, by: B): StringExpr<Text<T, A | B>>
  /** Filled up to `length` code points (at most 65,535), as JavaScript's `padStart` does it. */
  padStart(length: number, fill?: string): StringExpr<T>
  padEnd(length: number, fill?: string): StringExpr<T>
  /** `count` times, at most 65,535. */
  repeat(count: number): StringExpr<T>
  /** Its code points in reverse. */
  reverse(): StringExpr<T>
  /** Piece `index` of those between the separators, from 0, below 0 from the last; null where there is none. */
  split(separator: string, index: number): StringExpr<OrNull<T>>
  /** In code points. */
  length(): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** The code points before the first occurrence of `text`; -1 where there is none. */
  indexOf<B extends StringOperand>(text: B): NumberExpr<NullableIf<Int32, Or<T['nullable'], MayBeNull<B>>>>
  contains<B extends StringOperand>(text: B): BoolExpr<Truth<T, B>>
  startsWith<B extends StringOperand>(text: B): BoolExpr<Truth<T, B>>
  endsWith<B extends StringOperand>(text: B): BoolExpr<Truth<T, B>>
  /** The nearest float64 to what it spells, whitespace around it apart: `-1.5e3`, `.5`, `nan`, `inf`, `Infinity` in any case; null where it is no number. */
  toNumber(): NumberExpr<Nullable<Float64>>
  /**
   * Whether the pattern matches somewhere; without flags g and y. One that may take a time that grows exponentially, has too many ways to match the same text, refers back (`\\1`) or
   * has classes of strings (of flag v) is `MR_INVALID_OPTION`; where
   * time may grow with a power of the length, so is a string that is too long (44,721 UTF-16 units for a square, 1,817 for a cube). JavaScript's engine is asked, once per distinct string.
   */
  matches(pattern: RegExp): BoolExpr<NullableIf<Bool, T['nullable']>>
  /** What a group of the pattern has matched, by number or name; by default the first, or all of a pattern without groups. Null where it has not. As for `matches`. */
  extract(pattern: RegExp, group?: number | string): StringExpr<OrNull<T>>
  /**
   * The instant that it says, whitespace around it apart; null where it is none, or finer than `unit` (default `'ms'`). Without a format ISO 8601: `2024-03-31`, then perhaps `T` or a space and `12:30`,
   * `12:30:15` or `12:30:15.25`, then perhaps `Z` or `+01:00`. Formats are those of `strftime`: %Y %y %m %b %B %d %e %j %a %A %H %I %p %M %S %f %z %s %F %T %R %D %%. Without an offset it is in UTC, or, with a
   * format, in `zone`.
   */
  parseTime(
    format?: string,
    options?: { readonly unit?: TimeUnit; readonly zone?: string },
  ): TimeExpr<Nullable<Timestamp>>
  /**
   * What a string of JSON has at a path such as `'a.b'`, `'items[0].price'` or `'["a name"]'`: the characters of a string, of anything else its text; null where it has nothing or null there, or is no JSON. With a
   * type what `tryCast` makes of that.
   */
  json(path: string): StringExpr<Nullable<Utf8>>
  json<D extends DataType>(path: string, type: D): HandleOf<OrNull<D>>
  eq<B extends StringOperand>(other: B): BoolExpr<Truth<T, B>>
  ne<B extends StringOperand>(other: B): BoolExpr<Truth<T, B>>
  lt<B extends StringOperand>(other: B): BoolExpr<Truth<T, B>>
  lte<B extends StringOperand>(other: B): BoolExpr<Truth<T, B>>
  gt<B extends StringOperand>(other: B): BoolExpr<Truth<T, B>>
  gte<B extends StringOperand>(other: B): BoolExpr<Truth<T, B>>
  /** `low <= this <= high`, both included. */
  between<A extends StringOperand, B extends StringOperand>(low: A, high: B): BoolExpr<Truth<T, A | B>>
  /** Equal to one of `values`; false for an empty list. Where none is equal and one is null: null. */
  in<V extends string | null>(values: readonly V[]): BoolExpr<Truth<T, V>>
  /** The first of these values that is not null. */
  coalesce<const B extends readonly StringOperand[]>(...others: B): HandleOf<Coalesced<T, B[number]>>
  /** Null where it equals `value`, else as it is. */
  nullIf(value: StringOperand): HandleOf<OrNull<T>>
  /** As another type, as numbers are cast; a value that the type does not hold fails. */
  cast<D extends DataType>(type: D): HandleOf<CastTo<D, T>>
  /** The same, and null where the type does not hold the value. */
  tryCast<D extends DataType>(type: D): HandleOf<OrNull<D>>
  /** As numbers are hashed: XXH64, as int64. */
  hash(seed?: number | bigint): NumberExpr<NullableIf<Int64, T['nullable']>>
  /** A pseudonym under a secret key of 16 bytes, as of numbers. */
  hash(secret: { readonly key: string | Uint8Array }): StringExpr<NullableIf<Utf8, T['nullable']>>
}

/** A column or expression of booleans; logic is SQL's, with null for "unknown". */
export interface BoolExpr<T extends DataType = DataType<'bool'>> extends Expr<T, 'boolean'> {
  and<B extends BoolOperand>(other: B): BoolExpr<Truth<T, B>>
  or<B extends BoolOperand>(other: B): BoolExpr<Truth<T, B>>
  not(): BoolExpr<NullableIf<Bool, T['nullable']>>
  eq<B extends BoolOperand>(other: B): BoolExpr<Truth<T, B>>
  ne<B extends BoolOperand>(other: B): BoolExpr<Truth<T, B>>
  /** Equal to one of `values`; false for an empty list. Where none is equal and one is null: null. */
  in<V extends boolean | null>(values: readonly V[]): BoolExpr<Truth<T, V>>
  /** The first of these values that is not null. */
  coalesce<const B extends readonly BoolOperand[]>(...others: B): HandleOf<Coalesced<T, B[number]>>
  /** Null where it equals `value`, else as it is. */
  nullIf(value: BoolOperand): HandleOf<OrNull<T>>
  /** As another type, as numbers are cast; a value that the type does not hold fails. */
  cast<D extends DataType>(type: D): HandleOf<CastTo<D, T>>
  /** The same, and null where the type does not hold the value. */
  tryCast<D extends DataType>(type: D): HandleOf<OrNull<D>>
  /** As numbers are hashed: XXH64, as int64. */
  hash(seed?: number | bigint): NumberExpr<NullableIf<Int64, T['nullable']>>
  /** A pseudonym under a secret key of 16 bytes, as of numbers. */
  hash(secret: { readonly key: string | Uint8Array }): StringExpr<NullableIf<Utf8, T['nullable']>>
}

/** In what zone calendar and clock are looked at, such as `'Europe/Berlin'` or `'+05:30'`. */
export interface ZoneOptions {
  readonly zone?: string
}

/**
 * A column or expression of timestamps or dates. Calendar and clock are those of `zone`; without one, of the zone in the column's type; without that, of UTC. Zones
 * are those of the tz database that the JavaScript engine has, for years before 1800 as they were then. A date takes no zone.
 *
 * Durations are such as `'15m'`, `'1 hour'`, `'1 day'`, `'2 weeks'`, `'1 month'`, `'1 quarter'`, `'1 year'`, `'-1h 30m'`, and ISO 8601's `'P1DT12H'`; `m` is
 * a minute, `mo` a month. Months and days are the calendar's: a day around a change of the clocks has 23 or 25 hours. What leaves its type is `MR_INTEGER_OVERFLOW`.
 */
export interface TimeExpr<T extends DataType = DataType<TimeKind>> extends Expr<T, 'time'> {
  year(zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** 1 to 4. */
  quarter(zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** 1 to 12. */
  month(zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** ISO: 1 to 53; the first is the one with the year's first Thursday. */
  week(zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** 1 to 31. */
  day(zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** ISO: Monday is 1, Sunday 7. */
  dayOfWeek(zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** 1 to 366. */
  dayOfYear(zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** 0 to 23, of a timestamp: a date has none, nor has it what follows. */
  hour(this: Expr<DataType<'timestamp'>, 'time'>, zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  minute(this: Expr<DataType<'timestamp'>, 'time'>, zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  second(this: Expr<DataType<'timestamp'>, 'time'>, zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** 0 to 999, of the second. */
  millisecond(this: Expr<DataType<'timestamp'>, 'time'>, zone?: string): NumberExpr<NullableIf<Int32, T['nullable']>>
  /** The day that it is. */
  date(zone?: string): TimeExpr<NullableIf<Date_, T['nullable']>>
  /** The instant at which the zone's clocks show what this shows in UTC: for local times that were read as if they were in UTC. */
  atZone(this: Expr<DataType<'timestamp'>, 'time'>, zone: string): TimeExpr<T>
  /** int64: what `unit` counts since 1970-01-01T00:00Z, floored; of a date, to its midnight in UTC. */
  epoch(unit?: TimeUnit): NumberExpr<NullableIf<Int64, T['nullable']>>
  /**
   * The beginning of the hour, the day, the month, ... that it is in. Multiples such as `'15m'` or `'2 months'` count from 1970-01-01T00:00 as the zone's clocks
   * have it, weeks from Mondays. Where the beginning is skipped, because clocks are put forward, it is that moment; of two it is the first.
   */
  truncate(unit: string, options?: ZoneOptions): TimeExpr<T>
  /**
   * Months first, then days, then hours and less. A day that a month does not have is its last: January 31st and a month is the last of February. A time that clocks
   * skip is as much later as they are put forward; of two it is the first.
   */
  add(duration: string, options?: ZoneOptions): TimeExpr<T>
  /** int64: how many whole `unit`s can be added to `other` without passing this; below 0 where this is before it. Days and longer count what clocks show. */
  diff<B extends TimeOperand<T>>(
    other: B,
    unit: string,
    options?: ZoneOptions,
  ): NumberExpr<TypeOf<'int64', Or<T['nullable'], MayBeNull<B>>>>
  eq<B extends TimeOperand<T>>(other: B): BoolExpr<Truth<T, B>>
  ne<B extends TimeOperand<T>>(other: B): BoolExpr<Truth<T, B>>
  lt<B extends TimeOperand<T>>(other: B): BoolExpr<Truth<T, B>>
  lte<B extends TimeOperand<T>>(other: B): BoolExpr<Truth<T, B>>
  gt<B extends TimeOperand<T>>(other: B): BoolExpr<Truth<T, B>>
  gte<B extends TimeOperand<T>>(other: B): BoolExpr<Truth<T, B>>
  /** `low <= this <= high`, both included. */
  between<A extends TimeOperand<T>, B extends TimeOperand<T>>(low: A, high: B): BoolExpr<Truth<T, A | B>>
  /** Equal to one of `values`; false for an empty list. Where none is equal and one is null: null. */
  in<V extends TimeLiterals[T['kind'] & TimeKind] | null>(values: readonly V[]): BoolExpr<Truth<T, V>>
  /** The first of these values that is not null. */
  coalesce<const B extends readonly TimeOperand<T>[]>(...others: B): HandleOf<Coalesced<T, B[number]>>
  /** Null where it equals `value`, else as it is. */
  nullIf(value: TimeOperand<T>): HandleOf<OrNull<T>>
  /** As another type, as numbers are cast; a value that the type does not hold fails. */
  cast<D extends DataType>(type: D): HandleOf<CastTo<D, T>>
  /** The same, and null where the type does not hold the value. */
  tryCast<D extends DataType>(type: D): HandleOf<OrNull<D>>
  /** As numbers are hashed: XXH64, as int64. */
  hash(seed?: number | bigint): NumberExpr<NullableIf<Int64, T['nullable']>>
  /** A pseudonym under a secret key of 16 bytes, as of numbers. */
  hash(secret: { readonly key: string | Uint8Array }): StringExpr<NullableIf<Utf8, T['nullable']>>
}

type AnyOperand = number | bigint | string | boolean | Date | Expr<any>
type Unknown = BoolExpr<Nullable<Bool>>

/** A column whose type is not known before the source opens (`Flow<any>`): every family's methods, checked by the terminal. */
export interface AnyExpr extends Expr<any, any> {
  /** A number, or, of a date or a timestamp, a duration. */
  add(other: number | bigint | string | Expr<any>, options?: ZoneOptions): AnyExpr
  sub(other: number | bigint | Expr<any>): AnyExpr
  mul(other: number | bigint | Expr<any>): AnyExpr
  div(other: number | bigint | Expr<any>): AnyExpr
  intDiv(other: number | bigint | Expr<any>): AnyExpr
  mod(other: number | bigint | Expr<any>): AnyExpr
  neg(): AnyExpr
  abs(): AnyExpr
  sign(): AnyExpr
  sqrt(): AnyExpr
  exp(): AnyExpr
  ln(): AnyExpr
  log10(): AnyExpr
  pow(exponent: number | bigint | Expr<any>): AnyExpr
  floor(): AnyExpr
  ceil(): AnyExpr
  round(decimals?: number): AnyExpr
  clamp(low: number | bigint | Expr<any> | null, high?: number | bigint | Expr<any> | null): AnyExpr
  bucket(width: number | bigint, offset?: number | bigint): AnyExpr
  isNaN(): Unknown
  lower(): AnyExpr
  upper(): AnyExpr
  trim(): AnyExpr
  trimStart(): AnyExpr
  trimEnd(): AnyExpr
  slice(start: number, end?: number): AnyExpr
  concat(...others: readonly StringOperand[]): AnyExpr
  replace(text: StringOperand, by: StringOperand): AnyExpr
  replaceFirst(text: StringOperand, by: StringOperand): AnyExpr
  padStart(length: number, fill?: string): AnyExpr
  padEnd(length: number, fill?: string): AnyExpr
  repeat(count: number): AnyExpr
  reverse(): AnyExpr
  split(separator: string, index: number): AnyExpr
  length(): AnyExpr
  indexOf(text: StringOperand): AnyExpr
  contains(text: StringOperand): Unknown
  startsWith(text: StringOperand): Unknown
  endsWith(text: StringOperand): Unknown
  toNumber(): AnyExpr
  matches(pattern: RegExp): Unknown
  extract(pattern: RegExp, group?: number | string): AnyExpr
  parseTime(format?: string, options?: { readonly unit?: TimeUnit; readonly zone?: string }): AnyExpr
  json(path: string): AnyExpr
  json<D extends DataType>(path: string, type: D): HandleOf<OrNull<D>>
  and(other: BoolOperand): Unknown
  or(other: BoolOperand): Unknown
  not(): Unknown
  year(zone?: string): AnyExpr
  quarter(zone?: string): AnyExpr
  month(zone?: string): AnyExpr
  week(zone?: string): AnyExpr
  day(zone?: string): AnyExpr
  dayOfWeek(zone?: string): AnyExpr
  dayOfYear(zone?: string): AnyExpr
  hour(zone?: string): AnyExpr
  minute(zone?: string): AnyExpr
  second(zone?: string): AnyExpr
  millisecond(zone?: string): AnyExpr
  date(zone?: string): AnyExpr
  atZone(zone: string): AnyExpr
  epoch(unit?: TimeUnit): AnyExpr
  truncate(unit: string, options?: ZoneOptions): AnyExpr
  diff(other: AnyOperand, unit: string, options?: ZoneOptions): AnyExpr
  eq(other: AnyOperand): Unknown
  ne(other: AnyOperand): Unknown
  lt(other: AnyOperand): Unknown
  lte(other: AnyOperand): Unknown
  gt(other: AnyOperand): Unknown
  gte(other: AnyOperand): Unknown
  between(low: AnyOperand, high: AnyOperand): Unknown
  in(values: readonly (number | bigint | string | boolean | Date | null)[]): Unknown
  coalesce(...others: readonly AnyOperand[]): AnyExpr
  nullIf(value: AnyOperand): AnyExpr
  hash(seed?: number | bigint): AnyExpr
  hash(secret: { readonly key: string | Uint8Array }): AnyExpr
  cast<D extends DataType>(type: D): HandleOf<OrNull<D>>
  tryCast<D extends DataType>(type: D): HandleOf<OrNull<D>>
}
