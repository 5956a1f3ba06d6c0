/**
 * What TypeScript infers: the handle of a column, the type of an arithmetic result, the schema of `columns` and `rows`. Types only, and
 * the same rules as typing.ts of expressions/ holds at run time. The handles themselves are columns.ts.
 */
import type { DictionaryInput } from '../columnar/dictionary-input.js'
import type {
  Bool,
  DataType,
  Date_,
  Float32,
  Float64,
  FloatKind,
  Int8,
  Int16,
  Int32,
  Int64,
  IntegerKind,
  Kind,
  List,
  Nullable,
  NumberKind,
  ScalarKind,
  SchemaShape,
  TimeKind,
  Timestamp,
  Uint8,
  Uint16,
  Uint32,
  Utf8,
} from '../columnar/type.js'
import type { AggregateExpr } from './aggregate-expr.js'
import type { AnyExpr, BoolExpr, Expr, NumberExpr, StringExpr, TimeExpr } from './handles.js'

/** A value that stands for itself in `derive`. */
export type Literal = number | bigint | string | boolean | Date | null

/** The record of handles that callbacks get: one for each column. */
export type Columns<S extends SchemaShape> = { readonly [K in keyof S]: HandleOf<S[K]> }

export type IsAny<T> = 0 extends 1 & T ? true : false

/**
 * The handle of a column. It goes over `T` and looks its kind up, so that it is known of a type parameter too, of `S['time']` where `S` has a timestamp there: of conditions
 * alone the compiler would only know that one of their branches holds. `All` keeps unions whole.
 */
export type HandleOf<T extends DataType, All extends DataType = T> = T extends unknown
  ? 0 extends 1 & T
    ? AnyExpr
    : T['kind'] extends ScalarKind | 'list'
      ? Handles<All>[All['kind']]
      : T['kind'] extends 'struct'
        ? Expr<All>
        : AnyExpr
  : never

interface Handles<T extends DataType>
  extends Record<NumberKind, NumberExpr<T>>,
    Record<TimeKind, TimeExpr<T>>,
    Record<'list' | 'struct', Expr<T>> {
  utf8: StringExpr<T>
  bool: BoolExpr<T>
}

/** The type named by kind and nullability, in the form in which it would be declared. */
export type TypeOf<K extends Kind, N extends boolean> = [K] extends ['int64']
  ? NullableIf<Int64, N>
  : [K] extends ['float64']
    ? NullableIf<Float64, N>
    : [K] extends ['bool']
      ? NullableIf<Bool, N>
      : DataType<K, N>

export type NullableIf<T extends DataType, N> = [N] extends [false] ? T : Nullable<T>

type KindOf<B> = B extends { readonly expression: unknown }
  ? B extends Expr<infer U>
    ? IsAny<U> extends true
      ? 'int64' | 'float64'
      : U['kind']
    : never
  : B extends bigint
    ? 'int64'
    : B extends number
      ? number extends B
        ? 'int64' | 'float64'
        : `${B}` extends `${bigint}`
          ? 'int64'
          : 'float64'
      : never

/** `true` where an operand may be null. */
export type MayBeNull<B> = B extends Expr<infer U> ? U['nullable'] : null extends B ? true : false

type ArithmeticKind<A extends Kind, B extends Kind> = [A | B] extends [IntegerKind]
  ? 'int64'
  : [A] extends [FloatKind]
    ? 'float64'
    : [B] extends [never]
      ? 'int64' | 'float64'
      : [B] extends [FloatKind]
        ? 'float64'
        : 'int64' | 'float64'

export type Or<A, B> = [A] extends [false] ? B : true

/** add, sub, mul: int64 of integers, float64 as soon as one is a float. */
export type Sum<T extends DataType, B> = TypeOf<ArithmeticKind<T['kind'], KindOf<B>>, Or<T['nullable'], MayBeNull<B>>>

/** intDiv, mod: as `Sum`, and null for a zero divisor unless it is a literal that is not zero. */
export type Remainder<T extends DataType, B> = TypeOf<
  ArithmeticKind<T['kind'], KindOf<B>>,
  Or<T['nullable'], MayBeZero<B>>
>

/** div: float64. */
export type Quotient<T extends DataType, B> = TypeOf<'float64', Or<T['nullable'], MayBeZero<B>>>

/** pow: float64. */
export type Power<T extends DataType, B> = TypeOf<'float64', Or<T['nullable'], MayBeNull<B>>>

/** clamp: as `Sum`, but a bound that is null is none. */
export type Clamped<T extends DataType, A, B> = TypeOf<
  ArithmeticKind<ArithmeticKind<T['kind'], KindOf<Exclude<A, null>>>, KindOf<Exclude<B, null>>>,
  T['nullable']
>

type MayBeZero<B> = B extends number | bigint
  ? number extends B
    ? true
    : bigint extends B
      ? true
      : B extends 0 | 0n
        ? true
        : false
  : true

/** Comparisons and logic: null where an operand is. */
export type Truth<T extends DataType, B> = TypeOf<'bool', Or<T['nullable'], MayBeNull<B>>>

/** Of strings: null where one is. */
export type Text<T extends DataType, B> = NullableIf<Utf8, Or<T['nullable'], MayBeNull<B>>>
/** The type of `T` where it is not null, else of another of `B`. */
export type Coalesced<T extends DataType, B> = CoalescedOf<Expr<T> | B>

/** A column whose nulls are filled, with a value or by a method. */
export type Filled<T extends DataType, V> = V extends { readonly method: infer M }
  ? M extends 'mean' | 'linear'
    ? TypeOf<'float64', T['nullable']>
    : T
  : Coalesced<T, V>

/** The type that holds all of `V`, expressions and literals: null where all may be. */
export type CoalescedOf<V> = Unified<V, [NeverNull<V>] extends [never] ? true : false>

/** The same, null where one may be. */
export type Chosen<V> = Unified<V, true extends MayBeNull<V> ? true : false>

type NeverNull<V> =
  V extends Expr<infer U> ? ([U['nullable']] extends [false] ? true : never) : V extends null ? never : true

/** unify.ts of expressions/ says the same of nodes. */
type Unified<V, N extends boolean> =
  ExprTypes<V> extends infer E
    ? IsAny<E> extends true
      ? any
      : [E] extends [never]
        ? LiteralKind<Exclude<V, null>, N>
        : E extends string
          ? Named<BesideLiteral<Extract<E, Kind>, Exclude<V, Expr<any>>>, N>
          : never
    : never

/** The kinds of the expressions among `V` as one. */
type ExprTypes<V> =
  IsAny<V> extends true ? any : UnifiedKind<V extends Expr<infer U> ? (IsAny<U> extends true ? any : U['kind']) : never>

type UnifiedKind<K> =
  IsAny<K> extends true
    ? any
    : [K] extends [never]
      ? never
      : IsUnion<K> extends false
        ? K
        : [K] extends ['int8' | 'int16' | 'int32' | 'uint8' | 'uint16']
          ? 'int32'
          : [K] extends [IntegerKind]
            ? 'int64'
            : [K] extends [NumberKind]
              ? 'float64'
              : K

type IsUnion<K, All = K> = [K] extends [never] ? false : K extends unknown ? ([All] extends [K] ? false : true) : never

/** A fraction makes a float of an integer, and a number of which nobody knows may. */
type BesideLiteral<K extends Kind, L> = [K] extends [IntegerKind]
  ? [Extract<L, number>] extends [infer F extends number]
    ? number extends F
      ? K | 'float64'
      : [F] extends [never]
        ? K
        : `${F}` extends `${bigint}`
          ? K
          : 'float64'
    : K
  : K

type LiteralKind<L, N extends boolean> = NullableIf<[L] extends [never] ? Float64 : TypeOfValue<L>, N>

type Named<K extends Kind, N extends boolean> = K extends keyof Declared ? NullableIf<Declared[K], N> : DataType<K, N>

/** The type that a cast gives: null where the value is, and where the type says so. */
export type CastTo<D extends DataType, T extends DataType> = [T['nullable']] extends [false] ? D : OrNull<D>

/** The type of a derived column. */
export type TypeOfValue<V> =
  V extends Expr<infer T>
    ? T
    : V extends number
      ? Float64
      : V extends bigint
        ? Int64
        : V extends string
          ? Utf8
          : V extends boolean
            ? Bool
            : V extends Date
              ? Timestamp
              : V extends null
                ? Nullable<Float64>
                : never

/** The type of an aggregated column: with a key, or without, where there may be no row at all. */
export type KeyedType<A> = A extends AggregateExpr<infer T, any> ? T : never
export type UnkeyedType<A> = A extends AggregateExpr<any, infer U> ? U : never

export type SumType<T extends DataType> =
  IsAny<T> extends true
    ? any
    : T['kind'] extends IntegerKind
      ? NullableIf<Int64, T['nullable']>
      : T['kind'] extends FloatKind
        ? NullableIf<Float64, T['nullable']>
        : DataType<'int64' | 'float64', T['nullable']>

/** Of means and quantiles. */
export type MeanType<T extends DataType> =
  IsAny<T> extends true ? Nullable<Float64> : NullableIf<Float64, T['nullable']>

/** Values of `T` that are not null, in a list. */
export type ListOf<T extends DataType> = IsAny<T> extends true ? any : NullableIf<List<NonNull<T>>, T['nullable']>

/** `T`, nullable where it or `B` is. */
export type NullIfEither<T extends DataType, B extends DataType> = [B['nullable']] extends [false] ? T : OrNull<T>

export type OrNull<T extends DataType> = [T['nullable']] extends [false] ? Nullable<T> : T

/** The type of the values that are there, in the form in which it would be declared. */
type NonNull<T extends DataType> = [T['nullable']] extends [false]
  ? T
  : T['kind'] extends keyof Declared
    ? Declared[T['kind']]
    : DataType<T['kind'], false>

/** By kind, the types as `schema` declares them. */
export interface Declared {
  bool: Bool
  int8: Int8
  int16: Int16
  int32: Int32
  int64: Int64
  uint8: Uint8
  uint16: Uint16
  uint32: Uint32
  float32: Float32
  float64: Float64
  utf8: Utf8
  timestamp: Timestamp
  date: Date_
}

/** A `dictionary()` that knows whether it has nulls. */
export interface DictionaryOf<T extends DataType> extends DictionaryInput {
  readonly type?: T
}

/** The type that `columns` infers for one of its inputs. */
export type TypeOfInput<I> =
  IsAny<I> extends true
    ? any
    : I extends DictionaryOf<infer T>
      ? T
      : I extends Float64Array
        ? Float64
        : I extends Float32Array
          ? Float32
          : I extends Int32Array
            ? Int32
            : I extends Int16Array
              ? Int16
              : I extends Int8Array
                ? Int8
                : I extends Uint32Array
                  ? Uint32
                  : I extends Uint16Array
                    ? Uint16
                    : I extends Uint8Array | Uint8ClampedArray
                      ? Uint8
                      : I extends BigInt64Array | BigUint64Array
                        ? Int64
                        : I extends readonly (infer V)[]
                          ? TypeOfCells<V>
                          : DataType

/** The schema that `rows` infers. Rows of a union, which a literal with a null in one of them is, make one schema; of rows of which nothing is known it is any. */
export type SchemaOfRows<R> = [NamesOf<R>] extends [never]
  ? any
  : { readonly [K in NamesOf<R>]: TypeOfCells<CellsOf<R, K>> }

type NamesOf<R> = R extends unknown ? keyof R : never
type CellsOf<R, K> = R extends unknown ? (K extends keyof R ? R[K] : undefined) : never

/** The type of a column of such values; null and undefined make it nullable. */
export type TypeOfCells<V> =
  IsAny<V> extends true
    ? any
    : NullableIf<
        TypeOfCell<Exclude<V, null | undefined>>,
        [V] extends [never] ? true : null extends V ? true : undefined extends V ? true : false
      >

type TypeOfCell<V> = [V] extends [never]
  ? Float64
  : [V] extends [number]
    ? Float64
    : [V] extends [bigint]
      ? Int64
      : [V] extends [string]
        ? Utf8
        : [V] extends [boolean]
          ? Bool
          : [V] extends [Date]
            ? Timestamp
            : [V] extends [readonly (infer I)[]]
              ? List<TypeOfCells<I>>
              : DataType
