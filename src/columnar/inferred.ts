/**
 * What infer.ts finds, told to TypeScript: the schema type of `columns(data)` and of `rows(array)` given without a schema.
 */
import type { DictionaryInput } from './dictionary-input.js'
import type {
  Bool,
  DataType,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Nullable,
  SchemaShape,
  Timestamp,
  Uint8,
  Uint16,
  Uint32,
  Utf8,
} from './type.js'

type NonNull<V> = Exclude<V, null | undefined>

/** The type of a column of such values. Tuples keep off distribution: a mix of families has no type. */
type OfCell<V> = 0 extends V & 1
  ? DataType
  : [NonNull<V>] extends [never]
    ? Nullable<Float64>
    : [V] extends [NonNull<V>]
      ? OfValue<V>
      : Nullable<OfValue<NonNull<V>>>

type OfValue<V> = [V] extends [number]
  ? Float64
  : [V] extends [bigint]
    ? Int64
    : [V] extends [string]
      ? Utf8
      : [V] extends [boolean]
        ? Bool
        : [V] extends [Date]
          ? Timestamp
          : DataType

type OfColumn<C> = C extends Int8Array
  ? Int8
  : C extends Int16Array
    ? Int16
    : C extends Int32Array
      ? Int32
      : C extends BigInt64Array | BigUint64Array
        ? Int64
        : C extends Uint8Array | Uint8ClampedArray
          ? Uint8
          : C extends Uint16Array
            ? Uint16
            : C extends Uint32Array
              ? Uint32
              : C extends Float32Array
                ? Float32
                : C extends Float64Array
                  ? Float64
                  : C extends DictionaryInput<infer Codes, infer V>
                    ? OfDictionary<Codes, V>
                    : C extends readonly (infer V)[]
                      ? OfCell<V>
                      : DataType

type OfDictionary<Codes, V> = [V] extends [null]
  ? Codes extends ArrayBufferView | readonly number[]
    ? Utf8
    : Nullable<Utf8>
  : Nullable<Utf8>

/** The schema that `columns(data)` infers. */
export type SchemaOfColumns<D> = { readonly [K in keyof D & string]: OfColumn<D[K]> } extends infer S extends
  SchemaShape
  ? S
  : never

/** The schema that `rows(array)` infers for rows of type R. */
export type SchemaOfRows<R> = { readonly [K in keyof R & string]: OfCell<R[K]> } extends infer S extends SchemaShape
  ? S
  : never
