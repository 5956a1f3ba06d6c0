/** What TypeScript infers of `pivot`: the columns that it makes where their values are given. */
import type { SchemaShape } from '../columnar/type.js'
import type { AggregateExpr } from './aggregate-expr.js'
import type { Literal, OrNull } from './types.js'

export interface PivotOptions<
  N extends string = string,
  I extends string = string,
  V extends string = string,
  C extends Literal = Literal,
  A = unknown,
> {
  /** The column whose values become columns. */
  readonly on: N
  /** The columns that rows are for; none: one row. */
  readonly index: readonly I[]
  /** The column that the cells are of; of several each has columns of its own, called `values_on`. */
  readonly values: V | readonly V[]
  /** What becomes of the values that belong in one cell: a function such as `sum`. Default `first`. */
  readonly aggregate?: A
  /** Values of `on` that become columns, in this order; left out: all that there are, by first appearance, which is known once the flow runs. */
  readonly columns?: readonly C[]
}

type Text<C> = C extends string | number | bigint | boolean | null ? `${C}` : string

/** Of one column of values: the values' names, else these behind that of the column. */
export type Pivoted<
  S extends SchemaShape,
  I extends keyof S & string,
  V extends keyof S & string,
  C,
  A,
  Many extends boolean,
> = {
  readonly [K in I | (Many extends true ? `${V}_${Text<C>}` : Text<C>)]: K extends I
    ? S[K]
    : unknown extends A
      ? OrNull<Many extends true ? (K extends `${infer W extends V}_${string}` ? S[W] : never) : S[V]>
      : A extends (...values: any[]) => AggregateExpr<any, infer U>
        ? U
        : any
}
