/** What TypeScript infers of unions. plan/union.ts holds the same at run time. */
import type { DataType, IntegerKind, NumberKind, SchemaShape } from '../columnar/type.js'
import type { Flow } from './flow.js'
import type { IsAny, NullIfEither, OrNull, TypeOf } from './types.js'

/** The schema of a union; `M` where columns may be missing. */
export type United<S extends SchemaShape, F extends readonly Flow<any>[], M extends boolean> =
  IsAny<S> extends true
    ? any
    : F extends readonly [Flow<infer R>, ...infer Rest extends readonly Flow<any>[]]
      ? IsAny<R> extends true
        ? any
        : United<Both<S, R, M>, Rest, M>
      : S

type Both<S extends SchemaShape, R extends SchemaShape, M extends boolean> = {
  readonly [C in keyof S | keyof R]: C extends keyof S & keyof R
    ? CommonType<S[C], R[C]>
    : M extends true
      ? C extends keyof S
        ? OrNull<S[C]>
        : C extends keyof R
          ? OrNull<R[C]>
          : never
      : never
}

/** The type that holds the values of two. */
export type CommonType<A extends DataType, B extends DataType> =
  IsAny<A> extends true
    ? any
    : IsAny<B> extends true
      ? any
      : [A['kind']] extends [B['kind']]
        ? NullIfEither<A, B>
        : TypeOf<
            [A['kind'] | B['kind']] extends [IntegerKind]
              ? 'int64' extends A['kind'] | B['kind']
                ? 'int64'
                : 'int32' | 'int64'
              : [A['kind'] | B['kind']] extends [NumberKind]
                ? 'float64'
                : never,
            [A['nullable'] | B['nullable']] extends [false] ? false : true
          >
