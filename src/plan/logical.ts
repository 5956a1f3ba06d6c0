/**
 * The logical plan: frozen, serialisable data, typed as it is built. Sources stand in it as ids; what an id stands for
 * (an array, a file, a loaded table) is kept beside the plan by the flow. physical.ts says where each part runs.
 */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { AggregateExpression, Expression, OrderKey } from '../expressions/node.js'

export interface SourceNode {
  readonly kind: 'source'
  /** Key of the flow's bindings. */
  readonly id: number
  /** For people: 'columns', 'parquet flights-3m.parquet'. */
  readonly label: string
  /** null until the source is opened (a file read without a schema). */
  readonly schema: SchemaShape | null
  /** Columns that are read, in schema order; null: all. Set by the projection rule. */
  readonly columns: readonly string[] | null
  /** A predicate that a source may use to skip whole splits by their statistics; the filter itself stays in the plan. Set by a rule. */
  readonly prune: Expression | null
}
/** Exactly these columns, in this order; covers select, drop, rename and derive. */
export interface ProjectNode {
  readonly kind: 'project'
  readonly input: PlanNode
  readonly columns: readonly NamedExpression[]
  /** The verb that the user wrote, for errors and explain. */
  readonly verb:
    | 'select'
    | 'drop'
    | 'rename'
    | 'derive'
    | 'fillNull'
    | 'aggregate'
    | 'unpivot'
    | 'over'
    | 'dedupe'
    | 'union'
    | 'window'
    | 'topK'
}
/** A verb over an input whose columns are not known yet (a file read without a schema): a project once they are. */
export interface PendingNode {
  readonly kind: 'pending'
  readonly input: PlanNode
  readonly verb: 'drop' | 'rename' | 'derive' | 'fillNull' | 'dropNulls' | 'dedupe'
  /** drop: the columns that go; rename: new names of plain columns; derive: columns to add or replace; dropNulls, dedupe: those looked at, none for all. */
  readonly columns: readonly NamedExpression[]
  /** dedupe: the row that is kept. */
  readonly keep?: 'first' | 'last'
}
export interface FilterNode {
  readonly kind: 'filter'
  readonly input: PlanNode
  readonly predicate: Expression
}
export interface AggregateNode {
  readonly kind: 'aggregate'
  readonly input: PlanNode
  /** Empty: one row out, over any input. */
  readonly keys: readonly string[]
  /**
   * Grouping sets (`rollup`, `cube`): the rows are grouped once by each, and a key that a set leaves out is null in its groups. The empty set
   * is one group over any input. Groups come out set by set, in this order. null: a plain group-by, by all keys.
   */
  readonly sets: readonly (readonly string[])[] | null
  readonly aggregates: readonly NamedAggregate[]
  /** Windows of event time, which are keys before the others; null: of all time. */
  readonly window: Windowing | null
  /** Set where the keys are panes, of which windows are put together (event-time.ts). */
  readonly panes: Panes | null
}
/** What windows rows are in. Durations are as the user wrote them. */
export type WindowSpec =
  /** `[start, start + size)`, one after another, from `offset` on; in a zone by its calendar. */
  | { readonly kind: 'tumbling'; readonly size: string; readonly offset: string | null; readonly zone: string | null }
  /** Of `size`, one beginning `every` so often. */
  | { readonly kind: 'sliding'; readonly size: string; readonly every: string; readonly offset: string | null }
  /** All that begin with a tumbling window of `size` and end after a whole number of steps. */
  | { readonly kind: 'cumulative'; readonly size: string; readonly step: string; readonly offset: string | null }
  /** Rows of a key that are less than `gap` apart. */
  | { readonly kind: 'session'; readonly gap: string }
  /** So many rows of a key after another. */
  | { readonly kind: 'rowCount'; readonly count: number }
export interface Windowing {
  readonly spec: WindowSpec
  /** The column of the event time. */
  readonly time: string
  readonly allowedLateness: string | null
}
/** Windows of several panes each, all of one length: in ticks of the time column. A pane is called by its beginning. */
export interface Panes {
  readonly kind: 'sliding' | 'cumulative'
  readonly pane: bigint
  readonly size: bigint
  readonly offset: bigint
}
/** From here on rows have an event time, and what is known of how late they may come. */
export interface WatermarkNode {
  readonly kind: 'watermark'
  readonly input: PlanNode
  readonly column: string
  readonly delay: string | null
  readonly idleAfter: string | null
  readonly maxAdvance: string | null
}
export type EmitMode = 'close' | 'change' | { readonly every: string }
/** When the aggregate before it gives what it has, in a job that goes on. */
export interface EmitNode {
  readonly kind: 'emit'
  readonly input: PlanNode
  readonly mode: EmitMode
}
/** Rows that the windows of an aggregate refused, in its place. */
export interface LateNode {
  readonly kind: 'late'
  readonly input: PlanNode
  /** With windows, within a time, or in the order of the event time; or a side of the input, which is then a join by event time. */
  readonly of: AggregateNode | TopNode | DistinctNode | OverNode | { readonly kind: 'side'; readonly side: 0 | 1 }
}
/** Rows but those of which a row with equal keys that stays is less than `within` away, before or after, by their event time. As they come, the first stays. */
export interface DistinctNode {
  readonly kind: 'distinct'
  readonly input: PlanNode
  /** Empty: all columns. */
  readonly keys: readonly string[]
  readonly time: string
  readonly within: string
}
/** The first `count` rows of each group in an order: of rows with equal keys, or of those in a window too. Of equal order they come by event time, and as they came. */
export interface TopNode {
  readonly kind: 'top'
  readonly input: PlanNode
  /** Empty: all rows of a window are one group. */
  readonly keys: readonly string[]
  readonly orders: readonly OrderKey[]
  readonly count: number
  readonly window: Windowing | null
  /** Of rows of equal order the last come first, as they came; absent: by event time, and as they came. */
  readonly ties?: 'last'
}
export interface SortNode {
  readonly kind: 'sort'
  readonly input: PlanNode
  readonly orders: readonly OrderKey[]
}
export interface LimitNode {
  readonly kind: 'limit'
  readonly input: PlanNode
  readonly count: number
  readonly offset: number
}

/** A row for each item of a list column, the others repeated; one with null where there is no item. */
export interface ExplodeNode {
  readonly kind: 'explode'
  readonly input: PlanNode
  readonly column: string
}
/** A row for each of several columns: what the column is called, and its value. */
export interface UnpivotNode {
  readonly kind: 'unpivot'
  readonly input: PlanNode
  readonly on: readonly string[]
  /** Columns that are repeated; null: all but `on`, until the input's are known. */
  readonly index: readonly string[] | null
  readonly variableName: string
  readonly valueName: string
}
/** Rows chosen by a hash of their place: `count` of them, or each with a chance of `fraction`; one of the two is null. */
export interface SampleNode {
  readonly kind: 'sample'
  readonly input: PlanNode
  readonly count: number | null
  readonly fraction: number | null
  readonly seed: number
}

/** Columns said of each row among the rows of its partition, beside those that there are or in their place. */
export interface OverNode {
  readonly kind: 'over'
  readonly input: PlanNode
  /** Empty: all rows are one partition. */
  readonly partitionBy: readonly string[]
  /** Empty: the order of the rows. */
  readonly orders: readonly OrderKey[]
  /** What aggregates are over; null: as SQL has it, all rows of the partition, or with an order all up to the row and its peers. */
  readonly frame: Frame | null
  readonly columns: readonly NamedAggregate[]
}
/** From where to where, counted from the row: in rows, or in the unit of the only order column; null: as far as the partition goes. */
export interface Frame {
  readonly unit: 'rows' | 'range'
  readonly from: FrameBound
  readonly to: FrameBound
}
/** Strings are durations: '-5m'. */
export type FrameBound = number | string | null

export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'
/** Each row of `input` beside the rows of `right` that have its keys. What the columns are called is join.ts's to say. */
export interface JoinNode {
  readonly kind: 'join'
  /** The left side. */
  readonly input: PlanNode
  readonly right: PlanNode
  readonly how: JoinKind
  /** The verb that the user wrote, for errors and explain. */
  readonly verb: string
  readonly keys: readonly JoinKey[]
  /** A condition on pairs, over the columns of both sides (pair-columns.ts). */
  readonly where: Expression | null
  readonly suffix: string
  /** Columns of the right side that are handed on; null until both schemas are known. */
  readonly taken: readonly TakenColumn[] | null
  /** Of a left join to the nearest row with the keys, of which there may then be none; null: to all of them. */
  readonly asof: AsofJoin | null
  /** Set where rows of both sides that go on have all their partners by event time; its keys and its condition say the same (window-join.ts). */
  readonly meets?: Meeting
}
export type Meeting =
  /** In windows: the columns, of both sides, that have the beginning and the end of a row's, and those of their times. Durations as the user wrote them. */
  | {
      readonly start: string
      readonly end: string
      readonly times: readonly [string, string]
      /** All others of each side. */
      readonly columns: readonly [readonly string[], readonly string[]]
      readonly spec: WindowSpec
      readonly allowedLateness: string | null
    }
  /** Times that lie so far apart, counted from the left one; durations as the user wrote them. */
  | { readonly left: string; readonly right: string; readonly lower: string; readonly upper: string }
export interface AsofJoin {
  /** Columns that are compared. */
  readonly left: string
  readonly right: string
  readonly direction: 'before' | 'after' | 'either'
  /** As the user wrote it. */
  readonly within: number | string | null
  /** In which they are compared, and how far they may be from one another in it; settled once both schemas are known. */
  readonly type: DataType
  readonly tolerance: bigint | number | null
}
export interface JoinKey {
  readonly left: string
  readonly right: string
}
export interface TakenColumn {
  readonly name: string
  /** Its name on the right side. */
  readonly column: string
}

/** The rows of all inputs, one input after another; columns by name (union.ts). */
export interface UnionNode {
  readonly kind: 'union'
  readonly input: PlanNode
  readonly others: readonly PlanNode[]
  /** What becomes of columns that some input lacks. */
  readonly missing: 'error' | 'null'
  /** What comes out; null until all schemas are known. Once it is there every input has at least these columns, in these types. */
  readonly columns: SchemaShape | null
}

/** Rows as a function of a module of the user's makes them: the lanes import it, and call it with each row as an object. */
export interface UserNode {
  readonly kind: 'user'
  readonly input: PlanNode
  readonly verb: 'map' | 'flatMap' | 'filter'
  /** An absolute URL. */
  readonly module: string
  readonly export: string
  /** The columns of what it gives; null: rows stay as they are. */
  readonly schema: SchemaShape | null
  /** Key of what hears of rows that fail, among the flow's bindings; null: the job fails. */
  readonly listener: number | null
}

export interface NamedExpression {
  readonly name: string
  readonly expression: Expression
}
export interface NamedAggregate {
  readonly name: string
  readonly expression: AggregateExpression
}

export type PlanNode =
  | SourceNode
  | ProjectNode
  | PendingNode
  | FilterNode
  | AggregateNode
  | SortNode
  | LimitNode
  | ExplodeNode
  | UnpivotNode
  | SampleNode
  | OverNode
  | JoinNode
  | UnionNode
  | UserNode
  | WatermarkNode
  | EmitNode
  | LateNode
  | TopNode
  | DistinctNode
