/** What TypeScript infers of joins: the keys that fit, and the columns that come out. plan/join.ts holds the same at run time. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { IsAny, OrNull } from './types.js'
import type { CommonType } from './union-types.js'

/** One name, several, or names of the left side to names of the right one. */
export type JoinKeys<S extends SchemaShape, R extends SchemaShape> =
  | (keyof S & keyof R & string)
  | readonly (keyof S & keyof R & string)[]
  | { readonly [N in keyof S]?: keyof R & string }

/** Names of key columns, of the left side to the right one. */
export type KeyPairs<K> = K extends string
  ? { readonly [N in K]: N }
  : K extends readonly (infer N extends string)[]
    ? { readonly [M in N]: M }
    : K

type RightKeys<K> = KeyPairs<K>[keyof KeyPairs<K>]

/** Of the right side, under the names that they get; `N` makes them nullable. */
export type TakenColumns<S, R, K, X extends string, N extends boolean> = {
  readonly [C in Exclude<keyof R, RightKeys<K>> as C extends keyof S ? `${C & string}${X}` : C]: R[C] extends DataType
    ? N extends true
      ? OrNull<R[C]>
      : R[C]
    : never
}

/** Of the left side, where rows of the right one that have no partner come out too. */
type Kept<S, R, K> = {
  readonly [C in keyof S]: S[C] extends DataType
    ? C extends keyof KeyPairs<K>
      ? KeyOf<S[C], KeyPairs<K>[C] extends keyof R ? R[KeyPairs<K>[C]] : never>
      : OrNull<S[C]>
    : never
}

type KeyOf<A extends DataType, B> = B extends DataType ? CommonType<A, B> : never

type Merged<A, B> = {
  readonly [C in keyof A | keyof B]: Typed<C extends keyof A ? A[C] : C extends keyof B ? B[C] : never>
}

type Typed<T> = T extends DataType ? T : never

/** What `asofJoin` compares: a name, or one of each side. */
export type AsofOn<S extends SchemaShape, R extends SchemaShape> =
  | (keyof S & keyof R & string)
  | { readonly left: keyof S & string; readonly right: keyof R & string }

/** The schema of an `asofJoin`: as of a left join, and what is compared comes once where it has one name. */
export type AsofJoined<S extends SchemaShape, R extends SchemaShape, O, K, X extends string> =
  IsAny<S> extends true
    ? any
    : IsAny<R> extends true
      ? any
      : Merged<S, TakenColumns<S, Omit<R, O extends string ? O : never>, unknown extends K ? never : K, X, true>>

/** The schema of a join; of flows whose columns are not known, anything. */
export type Joined<
  S extends SchemaShape,
  R extends SchemaShape,
  K,
  X extends string,
  How extends 'inner' | 'left' | 'right' | 'full',
> =
  IsAny<S> extends true
    ? any
    : IsAny<R> extends true
      ? any
      : Merged<
          How extends 'right' | 'full' ? Kept<S, R, K> : S,
          TakenColumns<S, R, K, X, How extends 'left' | 'full' ? true : false>
        >
