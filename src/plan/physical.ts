/**
 * The physical plan: what lanes run. A flow of this version is a chain, cut at its first operator that must see all rows:
 *
 * ```
 *   split, split, ...          every lane, one split after another
 *        |
 *   scan stages                project, filter, join     (stateless, morsel by morsel)
 *        |
 *   scan end                   collect | aggregate (partial) | sort | limit
 *  ------|------- gather ----- every lane sends its part to lane 0 (nothing to gather for `collect` and `hold`)
 *   final stages               the merge of that end, then whatever follows it, in lane 0
 *        |
 *   output                     batches to the caller, or `hold`: the rows stay in the lane(s)
 * ```
 * Everything is typed: every expression has its casts inserted and its literals typed, every stage knows its output schema.
 * It is plain data, sent to the lanes by structured clone.
 */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { AggregateFunction, AggregateParameters, Expression, OrderKey, OverFunction } from '../expressions/node.js'
import type { AsofJoin, JoinKey, JoinKind, NamedExpression, Panes, PlanNode, TakenColumn } from './logical.js'

/** One accumulator; `inputs` and `where` are over the stage's input columns. Equal accumulators of one aggregate are shared. */
export interface AccumulatorSpec {
  readonly function: AggregateFunction
  readonly inputs: readonly Expression[]
  /** Of `inputs`; lanes derive no types. */
  readonly inputTypes: readonly DataType[]
  readonly parameters: AggregateParameters
  readonly where: Expression | null
  /** For people, in errors: `sum(price)`. */
  readonly label: string
  /** Name of the column it becomes; planner-made (`#0`, `#1`, ...), renamed by the `project` stage after it. */
  readonly name: string
}

export type Stage =
  | {
      readonly kind: 'project'
      readonly verb: string
      readonly columns: readonly NamedExpression[]
      readonly output: SchemaShape
    }
  | { readonly kind: 'filter'; readonly predicate: Expression; readonly output: SchemaShape }
  | {
      readonly kind: 'aggregate'
      readonly keys: readonly string[]
      /** As in the logical plan: groups of each set, one set after another, keys that it leaves out null; the empty set has a group over any input. */
      readonly sets: readonly (readonly string[])[] | null
      readonly accumulators: readonly AccumulatorSpec[]
      /** Set where the first key is a pane: windows come out, of a beginning, which is called as that key, and an end. */
      readonly panes: Panes | null
      readonly output: SchemaShape
    }
  | {
      readonly kind: 'sort'
      readonly orders: readonly OrderKey[] /** Rows needed from the front, where a limit follows. */
      readonly top: number | null
      readonly output: SchemaShape
    }
  | { readonly kind: 'limit'; readonly count: number; readonly offset: number; readonly output: SchemaShape }
  | {
      readonly kind: 'user'
      readonly verb: 'map' | 'flatMap' | 'filter'
      readonly module: string
      readonly export: string
      readonly listener: number | null
      /** All of it is read. */
      readonly input: SchemaShape
      readonly output: SchemaShape
    }
  | { readonly kind: 'explode'; readonly column: string; readonly output: SchemaShape }
  | {
      readonly kind: 'unpivot'
      /** Of one type, but for their nulls: a project before it sees to that. */
      readonly on: readonly string[]
      readonly variableName: string
      readonly valueName: string
      readonly output: SchemaShape
    }
  | {
      readonly kind: 'sample'
      readonly count: number | null
      readonly fraction: number | null
      readonly seed: number
      readonly output: SchemaShape
    }
  | {
      readonly kind: 'over'
      readonly partitionBy: readonly string[]
      readonly orders: readonly OrderKey[]
      readonly frame: RowFrame
      /** Of columns of its input alone: what is computed of them a project before it does. */
      readonly calls: readonly OverCall[]
      /** Input columns that are handed on, then the calls. */
      readonly output: SchemaShape
    }
  | JoinStage
  /** The first of a scan of several inputs: strings of all of them in one dictionary a column. */
  | { readonly kind: 'union'; readonly output: SchemaShape }

/** Stateless but for the rows of its other side, which every lane has from the start. */
export interface JoinStage {
  readonly kind: 'join'
  readonly verb: string
  readonly how: JoinKind
  /** Its other side, among the plan's. */
  readonly side: number
  /** Columns of that. */
  readonly right: SchemaShape
  readonly keys: readonly JoinKey[]
  readonly where: Expression | null
  /** What `where` reads, of both sides. */
  readonly reads: readonly string[]
  readonly taken: readonly TakenColumn[]
  readonly asof: AsofJoin | null
  readonly output: SchemaShape
}

/** Where the rows of an input of a union come from, and what they run through. */
export interface Branch {
  /** A source by its id; or what one of the plan's sides gives. */
  readonly source: { readonly id: number } | { readonly side: number }
  readonly columns: readonly string[]
  readonly schema: SchemaShape
  readonly prune: Expression | null
  readonly stages: readonly Stage[]
}

/** A frame in rows, in peers of the row (`peers`), or in the values of the only order column. */
export interface RowFrame {
  readonly unit: 'rows' | 'peers' | 'values'
  /** bigint of integers and instants, in the column's unit. */
  readonly from: number | bigint | null
  readonly to: number | bigint | null
}

/** One column of an `over` stage. */
export interface OverCall {
  readonly function: AggregateFunction | OverFunction
  readonly inputs: readonly string[]
  readonly inputTypes: readonly DataType[]
  readonly parameters: AggregateParameters
  /** A column of booleans: only rows where it is true count. */
  readonly where: string | null
  readonly label: string
  readonly name: string
}

/** Whether a stage must see all rows before it gives any. */
export const isBreaker = ({ kind }: Stage): boolean =>
  kind === 'aggregate' || kind === 'sort' || kind === 'limit' || kind === 'sample' || kind === 'over'

/** Whether a stage gives rows of its own after all that come through it. */
export const hasTail = (stage: Stage): boolean =>
  stage.kind === 'join' && (stage.how === 'right' || stage.how === 'full')

export interface PhysicalPlan {
  readonly sourceId: number
  /** Input columns of the first stage, in order, as the source must deliver them. */
  readonly sourceColumns: readonly string[]
  readonly sourceSchema: SchemaShape
  readonly prune: Expression | null
  /** Stateless stages, then at most one breaker as the last. */
  readonly scan: readonly Stage[]
  /** What follows the gather in lane 0; empty where `scan` has no such last stage. */
  readonly final: readonly Stage[]
  readonly output: SchemaShape
  /** Inputs of a union, one after another: each is read and runs through stages of its own, which are stateless, before `scan`. Empty: a single source. */
  readonly branches: readonly Branch[]
  /** What is run first, bound: the other sides of joins, and inputs of a union that cannot be read as they come. */
  readonly sides: readonly PlanNode[]
}
