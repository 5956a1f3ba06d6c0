/** What TypeScript infers of `explode` and `unpivot`; the same rules as shape.ts of plan/ holds at run time. */
import type { DataType, SchemaShape, Utf8 } from '../columnar/type.js'
import type { Expr } from './handles.js'
import type { Chosen, IsAny, OrNull } from './types.js'

/** The type of a list's items, which may be missing. */
export type ItemType<T extends DataType> =
  IsAny<T> extends true ? any : T extends { readonly item: infer I extends DataType } ? OrNull<I> : DataType

export type Exploded<S extends SchemaShape, N extends keyof S> = {
  readonly [K in keyof S]: K extends N ? ItemType<S[K]> : S[K]
}

/** The names of columns of lists. */
export type ListNames<S extends SchemaShape> = {
  [K in keyof S & string]: IsAny<S[K]> extends true ? K : S[K]['kind'] extends 'list' ? K : never
}[keyof S & string]

export type Unpivoted<
  S extends SchemaShape,
  N extends keyof S,
  I extends keyof S,
  V extends string,
  W extends string,
> = {
  readonly [K in I | V | W]: K extends W
    ? Chosen<{ [C in N]: Expr<S[C]> }[N]>
    : K extends V
      ? Utf8
      : K extends keyof S
        ? S[K]
        : never
}
