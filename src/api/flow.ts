/**
 * `Flow`: a query over a source, built verb by verb and run by a terminal. Every verb gives a new flow and changes nothing. The record of
 * handles in its callbacks is columns.ts's, aggregates are aggregates.ts's, and where rows come from is sources.ts's.
 */
import type { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { setTableMethods, type Table } from '../columnar/table.js'
import type { DataType, Int64, RowOf, SchemaShape, Utf8 } from '../columnar/type.js'
import { lateJob } from '../engines/local/late-job.js'
import { lateLive } from '../engines/local/late-live.js'
import type { Live } from '../engines/local/live-table.js'
import type { RunOptions } from '../engines/local/options.js'
import { type BoundPlan, collect, heldSource, type LoadedRows, type RejectedBy } from '../engines/local/run.js'
import type { Job } from '../engines/local/run-job.js'
import { unreadAfter } from '../engines/local/unread.js'
import {
  aggregateNode,
  checkNames,
  cubeSets,
  dedupeNode,
  deriveNode,
  dropNode,
  dropNullsNode,
  filterNode,
  limitNode,
  renameNode,
  rollupSets,
  selectNode,
  sortNode,
  sourceNode,
} from '../plan/build.js'
import { not } from '../plan/cleaning.js'
import { distinctNode } from '../plan/distinct.js'
import { emitNode, eventTimeOf, lateNode, watermarkNode, windowedNode, windowingOf } from '../plan/event-time.js'
import { explainPlan } from '../plan/explain.js'
import type { AggregateNode, PlanNode, Windowing } from '../plan/logical.js'
import { explodeNode } from '../plan/shape.js'
import { topNode } from '../plan/top.js'
import { schemaOfPlan } from '../plan/typing.js'
import type { MessagePortOrChannel } from '../sinks/port-message.js'
import type { Sink } from '../sinks/sink.js'
import { tableSource } from '../sources/memory.js'
import { asTheyAre } from '../sources/param-values.js'
import type { Source } from '../sources/source.js'
import { type AggregateExpr, predicateOf, usersIn } from './aggregate-expr.js'
import { aggregatesOf, derivationsOf } from './callbacks.js'
import {
  BROKEN_RULES,
  checkFree,
  type DedupeOptions,
  dedupeOptions,
  type FillByMethod,
  filledColumns,
  filledInOrder,
  methodsOf,
  rulesOf,
} from './cleaning.js'
import { columnsRecord } from './columns.js'
import type { Expr } from './handles.js'
import { type IntervalOptions, intervalJoined } from './interval-join.js'
import type { AsofJoined, AsofOn, Joined, JoinKeys } from './join-types.js'
import { type AsofOptions, asofJoined, type JoinOptions, joined, type TestOptions } from './joins.js'
import { castAll } from './methods/casts.js'
import { optionsOf } from './options.js'
import { type Order, ordersOf } from './orders.js'
import { type HasSelf, type OverOptions, overOf } from './over.js'
import { pivoted } from './pivot.js'
import type { Pivoted, PivotOptions } from './pivot-types.js'
import type { GroupRule } from './private-groups.js'
import { invalid, isPlainRecord, mismatch, show } from './refusal.js'
import type { Exploded, ListNames, Unpivoted } from './shape-types.js'
import { type SampleOptions, sampleOf, type UnpivotOptions, unpivotOf } from './shapes.js'
import type {
  CastTo,
  Columns,
  Filled,
  HandleOf,
  KeyedType,
  Literal,
  OrNull,
  TypeOfValue,
  UnkeyedType,
} from './types.js'
import type { United } from './union-types.js'
import { type UnionOptions, united } from './unions.js'
import {
  isStandardValidator,
  isUserModule,
  parted,
  type RowInput,
  type StandardValidator,
  type UserModule,
  type UserOptions,
  userCalled,
  userFiltered,
} from './user-code.js'
import {
  emitModeOf,
  type WatermarkOptions,
  type Window,
  type WindowedFlow,
  type WindowOptions,
  watermarkOptions,
  windowOptions,
} from './windows.js'

/** Names to renamed names. */
type Renames<S> = { readonly [K in keyof S]?: string }

let sourceCount = 0

export class Flow<S extends SchemaShape = any> implements BoundPlan {
  /** The query: frozen, serialisable data. */
  readonly plan: PlanNode
  /** What the source ids in the plan stand for. */
  readonly sources: ReadonlyMap<number, Source>
  /** The columns that come out; null until the source opens, for a file read without a schema. */
  readonly schema: S | null

  /** Of rows that `validate` has rejected, as they come from it. */
  readonly rejectedBy: RejectedBy | null

  /** Made by sources and verbs. @throws MillraceError what the plan's types call for. */
  constructor(plan: PlanNode, sources: ReadonlyMap<number, Source>, rejectedBy: RejectedBy | null = null) {
    this.plan = plan
    this.sources = sources
    this.rejectedBy = rejectedBy
    this.schema = schemaOfPlan(plan) as S | null
  }

  /**
   * Only these columns, in this order.
   *
   * ```ts
   * flow.select('symbol', 'price')
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION` for none
   */
  select<N extends keyof S & string>(...names: N[]): Flow<{ readonly [K in N]: S[K] }> {
    return this.next(selectNode(this.plan, this.schema, names))
  }

  /**
   * All columns but these.
   *
   * ```ts
   * flow.drop('isBuy')
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION` where none is left
   */
  drop<N extends keyof S & string>(...names: N[]): Flow<{ readonly [K in Exclude<keyof S, N>]: S[K] }> {
    return this.next(dropNode(this.plan, this.schema, names))
  }

  /**
   * Columns under new names, `{ old: 'new' }`, in their old places.
   *
   * ```ts
   * flow.rename({ price: 'cost' })
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`
   */
  rename<const R extends Renames<S>>(
    names: R & { readonly [K in Exclude<keyof R, keyof S>]: never },
  ): Flow<{ readonly [K in keyof S as K extends keyof R ? (R[K] extends string ? R[K] : K) : K]: S[K] }> {
    if (!isPlainRecord(names))
      throw mismatch('rename', `rename takes an object of old names to new ones, not ${show(names)}`)
    const pairs = Object.keys(names).map(name => [name, (names as Record<string, string>)[name]] as const)
    return this.next(renameNode(this.plan, this.schema, pairs))
  }

  /**
   * Adds columns computed from the row, or replaces those of the same name in place. All expressions see the input's columns.
   *
   * ```ts
   * flow.derive(t => ({ total: t.price.mul(t.size), hour: t.time.hour(), source: 'web' }))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`
   */
  derive<D extends Readonly<Record<string, Expr<any> | Literal>>>(
    define: (t: Columns<S>) => D,
  ): Flow<{
    readonly [K in keyof S | keyof D]: K extends keyof D ? TypeOfValue<D[K]> : K extends keyof S ? S[K] : never
  }> {
    return this.next(deriveNode(this.plan, this.schema, derivationsOf(this.call('derive', define))))
  }

  /**
   * Converts columns in place, each as the method `cast` does: a value that its new type does not hold fails, where `derive` and `tryCast` would give null.
   *
   * ```ts
   * flow.cast({ size: int32(), price: utf8() })
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`
   */
  cast<C extends { readonly [K in keyof S]?: DataType }>(
    types: C,
  ): Flow<{ readonly [K in keyof S]: K extends keyof C ? (C[K] extends DataType ? CastTo<C[K], S[K]> : S[K]) : S[K] }> {
    return this.next(deriveNode(this.plan, this.schema, derivationsOf(this.call('cast', t => castAll(t, types)))))
  }

  /**
   * Only rows where the predicate is true: neither false nor null. It is an expression, which lanes compute; or a function of a module (`map`), which they call with each row,
   * and which gives true or false.
   *
   * ```ts
   * flow.filter(t => t.price.gt(10).and(t.symbol.in(['ABC', 'XYZ'])))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`; for a module as `map` does
   */
  filter(
    predicate: ((t: Columns<S>) => Expr<any, 'boolean'> | boolean) | UserModule,
    options?: Pick<UserOptions<S>, 'onError'>,
  ): Flow<S> {
    if (isUserModule(predicate)) return userCalled('filter', this, predicate, options)
    return this.next(filterNode(this.plan, predicateOf(this.call('filter', predicate), 'filter')))
  }

  /**
   * Only rows that a function keeps, by true or false. As `map` does, it is called in the calling thread with a plain object, a row at a time, while lanes go on with what comes
   * before, and it may be asynchronous. What an expression can say `filter` does faster.
   *
   * ```ts
   * flow.filterRows(({ symbol, price }) => new Map([['ABC', 10]]).get(symbol) !== price)
   * ```
   * @param options `onError` hears of rows that fail, which are then left out
   * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION`; the terminal `MR_USER_CODE_FAILED` with the row where the function throws, `MR_TYPE_MISMATCH` where it gives
   * neither
   */
  filterRows(
    fn: (row: RowOf<S>) => boolean | PromiseLike<boolean>,
    options?: Pick<UserOptions<S>, 'onError'>,
  ): Flow<S> {
    return userFiltered(this, fn, options)
  }

  /**
   * Only rows of which none of these columns is null; of which none is at all, where none is named. NaN is no null.
   *
   * ```ts
   * flow.dropNulls('size')
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`
   */
  dropNulls<N extends keyof S & string>(...names: N[]): Flow<S> {
    return this.next(dropNullsNode(this.plan, this.schema, names))
  }

  /**
   * Columns with a value in the place of their nulls, which are then not nullable; or filled by a method: the value of the row before (`previous`) or after (`next`), the
   * `mean`, or on the line between the values around (`linear`, rows being equally far apart). The last two give float64. Methods go by the order of rows and run in the calling
   * thread; where there is no value to go by a null stays, and `mean` reads the source twice.
   *
   * ```ts
   * flow.fillNull({ size: { method: 'previous' }, symbol: 'unknown' })
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for a value of another family or a method that is none of the column's, `MR_INVALID_OPTION`
   */
  fillNull<const V extends { readonly [K in keyof S]?: Literal | FillByMethod }>(
    values: V & { readonly [K in Exclude<keyof V, keyof S>]: never },
  ): Flow<{ readonly [K in keyof S]: K extends keyof V ? Filled<S[K], V[K]> : S[K] }> {
    const columns = filledColumns(values)
    const names = columns.map(({ name }) => name)
    checkNames('fillNull', names, this.schema)
    const flow = filledInOrder(this, methodsOf(values))
    return columns.length === 0 ? flow : flow.next(deriveNode(flow.plan, flow.schema, columns, 'fillNull'))
  }

  /**
   * One row of those that are equal in the columns named, or in all: the first, or the last of them, each in its own place. Null equals null here, and NaN itself. Where a flow
   * runs on the first go on at once, and their keys are kept as long as it runs; of the last each takes the place of the one before, which is taken back (`batch.weights`).
   *
   * ```ts
   * flow.dedupe({ keys: ['symbol', 'time'], keep: 'last' })
   * ```
   *
   * Within a time it is of rows near one another, keeps no key for longer, and the event time goes on. Rows behind the watermark are late (`late()`):
   *
   * ```ts
   * flow.watermark('time', { delay: '1s' }).dedupe({ keys: ['symbol'], within: '10s' }).window(tumbling('1m')).aggregate(() => ({ n: count() }))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH` for a key of lists, `MR_UNBOUNDED` for the last of rows with lists where a flow runs on by event time; with `within` `MR_NO_EVENT_TIME` without a watermark before
   */
  dedupe<N extends keyof S & string>(...by: N[] | [DedupeOptions<N>]): Flow<S> {
    const { names, keep, within } = dedupeOptions(by)
    if (within !== null) return this.next(distinctNode(this.plan, this.schema, names, within, eventTimeOf(this.plan)))
    return this.next(dedupeNode(this.plan, this.schema, names, keep))
  }

  /**
   * Parts the rows by rules: `valid` those of which all are true, `rejected` all others, with a column `brokenRules` of the names of those that are false or null, and `counts`
   * one row with how many rows break each. No row is lost. `collectAll` reads the source once for all three. A job that `rejected` itself is run by has counts too: `metrics().rules`.
   *
   * ```ts
   * const { valid, rejected, counts } = flow.validate({ priced: t => t.price.gt(0), sized: t => t.size.between(1, 1000) })
   * ```
   * In the place of rules a validator of rows may be given, of zod, valibot, arktype or another library that has the Standard Schema interface: it is called in the calling thread
   * with each row, `brokenRules` is what it has against one, as in `price: too small, name: required`, and there are no `counts`. It judges rows and does not change them.
   *
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION` for none; the terminal `MR_USER_CODE_FAILED` where a validator throws
   */
  validate(validator: StandardValidator): Omit<Validated<S, never>, 'counts'>
  validate<const R extends Readonly<Record<string, (t: Columns<S>) => Expr<any, 'boolean'> | boolean>>>(
    rules: R,
  ): Validated<S, R>
  validate(rules: StandardValidator | Readonly<Record<string, unknown>>): object {
    checkFree(this.schema)
    if (isStandardValidator(rules)) return Object.freeze(parted(this, rules))
    const { isValid, broken, counts } = rulesOf(rules, rule => this.call('validate', rule as never))
    const rejected = this.next(filterNode(this.plan, not(isValid)))
    return Object.freeze({
      valid: this.next<S>(filterNode(this.plan, isValid)),
      rejected: new Flow<any>(
        deriveNode(rejected.plan, this.schema, [{ name: BROKEN_RULES, expression: broken }]),
        this.sources,
        { column: BROKEN_RULES, names: Object.keys(rules) },
      ),
      counts: this.next<any>(aggregateNode(this.plan, this.schema, [], counts, null, 'validate')),
    })
  }

  /**
   * Each row as a function makes it, in row order. It is called in the calling thread, a row at a time, with a plain object, while lanes go on with what comes before; it may
   * be asynchronous, and is then awaited before the next row.
   *
   * As `{ module, export }` it is a function of a module, named by its URL, that every lane imports: all of them call it at a time, each with rows of its own, so it must not depend
   * on any other row, nor be asynchronous. The order of rows is kept. In Node.js it is `new URL('./clean.js', import.meta.url)`; in a page its URL, which workers must be allowed to import.
   *
   * ```ts
   * flow.map(({ symbol, price }) => ({ label: `${symbol} at ${price}` }), { schema: schema({ label: utf8() }) })
   * ```
   * @param options `schema` declares the columns of what the function gives; `onError` hears of rows that fail, which are then left out
   * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION`; the terminal `MR_USER_CODE_FAILED` with the row where the function throws, `MR_TYPE_MISMATCH` and what
   * else conversion calls for where what it gives is not of the columns, `MR_UNSAFE_INTEGER` for an int64 that is no safe number
   */
  map<const O extends SchemaShape>(
    fn: ((row: RowOf<S>) => RowInput<O> | PromiseLike<RowInput<O>>) | UserModule,
    options: UserOptions<O>,
  ): Flow<O> {
    return userCalled('map', this, fn, options)
  }

  /**
   * Each row as any number of rows: as `map`, with a function that gives an array of them, or another iterable.
   *
   * ```ts
   * flow.flatMap(({ symbol, price }) => [{ symbol, price }, { symbol, price: -price }], {
   *   schema: schema({ symbol: utf8(), price: float64() }),
   *   onError: error => show(error.details.row),
   * })
   * ```
   * @throws MillraceError as `map` does
   */
  flatMap<const O extends SchemaShape>(
    fn: ((row: RowOf<S>) => Iterable<RowInput<O>> | PromiseLike<Iterable<RowInput<O>>>) | UserModule,
    options: UserOptions<O>,
  ): Flow<O> {
    return userCalled('flatMap', this, fn, options)
  }

  /**
   * The first `n` rows after `offset`, in row order. Run, a flow that may never end gives them as they come, and its job ends with them.
   *
   * ```ts
   * flow.orderBy(desc('price')).limit(10)
   * ```
   * @throws MillraceError `MR_INVALID_OPTION` for what is no whole number from 0 up
   */
  limit(n: number, offset = 0): Flow<S> {
    return this.next(limitNode(this.plan, n, offset))
  }

  /**
   * Sorted by these columns, ascending unless `desc`; stable; nulls last unless told.
   *
   * ```ts
   * flow.orderBy('symbol', desc('price', { nulls: 'first' }))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION` for none
   */
  orderBy(...orders: ((keyof S & string) | Order<keyof S & string>)[]): Flow<S> {
    return this.next(sortNode(this.plan, this.schema, ordersOf('orderBy', orders)))
  }

  /**
   * The first `n` rows of these orders: `orderBy(...orders).limit(n)`.
   *
   * ```ts
   * flow.topK(10, desc('price'))
   * ```
   * @throws MillraceError as `orderBy` and `limit` do
   */
  topK(n: number, ...orders: ((keyof S & string) | Order<keyof S & string>)[]): Flow<S> {
    return this.next(limitNode(sortNode(this.plan, this.schema, ordersOf('topK', orders), 'topK'), n, 0, 'topK'))
  }

  /**
   * Rows chosen by chance, in row order: `n` of them, or all where there are fewer, or each with the chance of `fraction`. A row is chosen by a hash of the seed and
   * of its place in the input, so the same seed gives the same rows again, whatever the lanes; other chunks, or another format, may give others.
   *
   * ```ts
   * flow.sample({ n: 1000, seed: 7 })
   * ```
   * @param options `seed` is a whole number, 0 unless told
   * @throws MillraceError `MR_INVALID_OPTION`
   */
  sample(options: SampleOptions): Flow<S> {
    return this.next(sampleOf(this.plan, options))
  }

  /**
   * A row for each item of a column of lists, the other columns repeated: a list that is empty or null gives one row, with null.
   *
   * ```ts
   * flow.groupBy('isBuy').aggregate(t => ({ size: collectList(t.size) })).explode('size')
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for a column of no lists
   */
  explode<N extends ListNames<S>>(name: N): Flow<Exploded<S, N>> {
    return this.next(explodeNode(this.plan, this.schema, name))
  }

  /**
   * A row for each of the columns `on`, one after another: the column's name in `variable`, its value in `value`, and the columns `index` repeated. Values get the type that
   * holds them all: float64 of int32 and float64.
   *
   * ```ts
   * flow.unpivot({ on: ['price', 'size'], index: ['symbol'] })
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH` where no type holds the values of all
   */
  unpivot<
    const N extends keyof S & string,
    const I extends keyof S & string = Exclude<keyof S & string, N>,
    const V extends string = 'variable',
    const W extends string = 'value',
  >(
    options: UnpivotOptions<N, I> & { readonly variableName?: V; readonly valueName?: W },
  ): Flow<Unpivoted<S, N, I, V, W>> {
    return this.next(unpivotOf(this.plan, this.schema, options))
  }

  /**
   * Rows to columns: a row for each group of `index`, in order of first appearance, and a column for each value of `on`, of what `values` are in its rows. A cell that no row is of is
   * null, or 0 where rows are counted. What is computed of counts goes by these, but for quotients where `columns` is left out: they are null.
   *
   * ```ts
   * flow.pivot({ on: 'symbol', index: ['isBuy'], values: 'price', aggregate: price => mean(price), columns: ['ABC', 'XYZ'] })
   * ```
   * @param options without `columns` all values of `on` are found first, and what the columns are is known once the flow runs
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION`, `MR_DUPLICATE_COLUMN` where two values have one name
   */
  pivot<
    const N extends keyof S & string,
    const I extends keyof S & string,
    const V extends keyof S & string,
    const C extends Literal,
    A extends (value: HandleOf<S[V]>) => AggregateExpr<any, any>,
  >(
    options: PivotOptions<N, I, V, C, A> & {
      readonly values: V
      readonly aggregate: A
      readonly columns: readonly C[]
    },
  ): Flow<Pivoted<S, I, V, C, A, false>>
  pivot<
    const N extends keyof S & string,
    const I extends keyof S & string,
    const V extends keyof S & string,
    const C extends Literal,
  >(
    options: PivotOptions<N, I, V, C, undefined> & { readonly values: V; readonly columns: readonly C[] },
  ): Flow<Pivoted<S, I, V, C, unknown, false>>
  pivot(
    options: PivotOptions<
      keyof S & string,
      keyof S & string,
      keyof S & string,
      Literal,
      (value: any) => AggregateExpr<any, any>
    >,
  ): Flow<any>
  pivot(options: any): Flow<any> {
    return pivoted(this, options)
  }

  /**
   * Adds columns said of each row among others, or replaces those of the same name; rows stay as they are and where they are. Aggregates are over a frame of the partition:
   * without an order all of it, with one all rows up to the row and its peers, or what `rows` and `range` say. `rowNumber`, `rank`, `denseRank`, `percentRank`, `ntile`, `lag`, `lead`
   * and `ewma` are of the partition whatever the frame.
   *
   * ```ts
   * flow.over({ partitionBy: 'symbol', orderBy: 'time', rows: [-2, 0] }, t => ({ moving: mean(t.price), before: lag(t.price) }))
   * ```
   *
   * Where a flow runs on, the order is that of the event time, ascending, or of `windowEnd` behind windows that close: a row waits until the watermark is past it, and where its frame, or a `lead`, goes
   * further, for the rows behind it; rows behind the watermark are late (`late()`). They come in the order of their times, those that are equal as they came, and the event time goes on. Without an order they
   * are taken as they come. Of each partition it keeps what frames to come have. Frames that go on to the end of the partition, `percentRank` and `ntile` are refused.
   *
   * ```ts
   * flow.watermark('time', { delay: '5s' }).over({ partitionBy: 'symbol', orderBy: 'time', range: ['-5m', 0] }, t => ({ high: max(t.price) }))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION`; where a flow runs on `MR_UNBOUNDED`, and `MR_CANNOT_RETRACT` over groups that change
   */
  over<const O extends OverOptions<keyof S & string>, A extends Readonly<Record<string, AggregateExpr<any, any>>>>(
    options: O,
    define: (t: Columns<S>) => A,
  ): Flow<{
    readonly [K in keyof S | keyof A]: K extends keyof A
      ? HasSelf<O> extends true
        ? KeyedType<A[K]>
        : UnkeyedType<A[K]>
      : K extends keyof S
        ? S[K]
        : never
  }> {
    return this.next(overOf(this.plan, this.schema, options, this.call('over', define)))
  }

  /**
   * Says that a column has the rows' event time. Where a flow runs on (`run`, `to`, `subscribe`), the watermark goes with the latest time so far, `delay` behind it: windows that
   * end before it close, and a row that comes for one that has closed is late. Where all rows are collected none is. Rows without a time are in no window, and late.
   *
   * ```ts
   * flow.watermark('time', { delay: '5s' }).window(tumbling('1m')).groupBy('symbol').aggregate(t => ({ high: max(t.price) }))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for what is no timestamp, `MR_INVALID_OPTION`
   */
  watermark(column: keyof S & string, options: WatermarkOptions = {}): Flow<S> {
    return this.next(watermarkNode(this.plan, this.schema, column, watermarkOptions(options)))
  }

  /**
   * Rows in windows of event time: `tumbling`, `sliding`, `cumulative`, `session` or `rowCount`. What `groupBy` and `aggregate` then give has the columns `windowStart` and
   * `windowEnd` first, in the order of ends, beginnings and first appearance. A window without rows has no result.
   *
   * ```ts
   * flow.watermark('time').window(sliding('1h', '15m'), { allowedLateness: '5m' }).groupBy('symbol').aggregate(t => ({ mean: mean(t.price) }))
   * ```
   * @throws MillraceError `MR_NO_EVENT_TIME` without a watermark before, `MR_INVALID_OPTION`
   */
  window(window: Window, options: WindowOptions = {}): WindowedFlow<S> {
    const { spec, allowedLateness } = windowOptions(window, options)
    const windowing = windowingOf(this.plan, spec, allowedLateness)
    const aggregate = (names: readonly string[], define: (t: Columns<S>) => unknown) =>
      this.aggregated(names, null, 'window', define, undefined, windowing)
    return Object.freeze({
      ...window.joins(this, windowing),
      groupBy: (...names: string[]) => {
        if (names.length === 0) throw invalid('groupBy', 'name at least one column, or call aggregate without groupBy')
        aggregateNode(this.plan, this.schema, names, [])
        return Object.freeze({
          aggregate: (define: never) => aggregate(names, define),
          topK: (n: number, ...orders: unknown[]) => this.top(names, n, orders, windowing),
        })
      },
      aggregate: (define: never) => aggregate([], define),
      topK: (n: number, ...orders: unknown[]) => this.top([], n, orders, windowing),
    }) as WindowedFlow<S>
  }

  /**
   * When an aggregate before this gives its groups, in a flow that runs on: once, as their window closes (`'close'`, the default of windows); at every change (`'change'`, the
   * default without windows); or at most so often, by the clock, and when their window closes. A group that has been given before is taken back first: rows of weight -1 (`batch.weights`), then those of weight +1.
   *
   * ```ts
   * flow.groupBy('symbol').aggregate(() => ({ trades: count() })).emit({ every: '1s' })
   * ```
   * @throws MillraceError `MR_INVALID_OPTION`
   */
  emit(mode: 'close' | 'change' | { readonly every: string }): Flow<S> {
    return this.next(emitNode(this.plan, emitModeOf(mode)))
  }

  /**
   * The rows that the windows before this refused, since they came when their windows had closed, or have no time: with the columns that went into these. Of a `dedupe` within a
   * time, or an `over` in the order of the event time, where that is nearer, those behind the watermark. Of a join in windows, or within an interval, those of this flow, or, with `'right'`, of the other.
   *
   * ```ts
   * const bars = flow.watermark('time').window(tumbling('1m')).aggregate(t => ({ high: max(t.price) }))
   * const refused = await bars.late().collect()
   * ```
   * @param side of a join, whose rows
   * @throws MillraceError `MR_INVALID_OPTION` where there is no window
   */
  late(side: 'left' | 'right' = 'left'): Flow<any> {
    const at = ['left', 'right'].indexOf(side)
    if (at < 0) throw invalid('late', `of 'left' or 'right', not ${show(side)}`)
    return this.next(lateNode(this.plan, at as 0 | 1))
  }

  /**
   * Groups of rows with equal values in these columns (null is a value here).
   *
   * ```ts
   * flow.groupBy('symbol').aggregate(t => ({ trades: count(), vwap: sum(t.price.mul(t.size)).div(sum(t.size)) }))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION` for none
   */
  groupBy<N extends keyof S & string>(...names: N[]): GroupedFlow<S, N> {
    return this.grouped('groupBy', names, null)
  }

  /**
   * Groups by all these columns, then by all but the last, and so on to one group of all rows: subtotals and a total. The columns that a group is not by are
   * null in it. Groups of the finest come first, each in order of first appearance.
   *
   * ```ts
   * flow.rollup('symbol', 'isBuy').aggregate(t => ({ trades: count(), volume: sum(t.size) }))
   * ```
   * @throws MillraceError as `groupBy` does
   */
  rollup<N extends keyof S & string>(...names: N[]): RolledFlow<S, N> {
    return this.grouped('rollup', names, rollupSets(names))
  }

  /**
   * Groups by every subset of these columns, the largest first, then in the order of the names. The columns that a group is not by are null in it.
   *
   * ```ts
   * flow.cube('symbol', 'isBuy').aggregate(() => ({ trades: count() }))
   * ```
   * @param names at most 12
   * @throws MillraceError as `groupBy` does
   */
  cube<N extends keyof S & string>(...names: N[]): RolledFlow<S, N> {
    return this.grouped('cube', names, cubeSets(names))
  }

  /**
   * One row over all rows: counts are 0 and all else is null where there are none.
   *
   * ```ts
   * flow.aggregate(t => ({ trades: count(), highest: max(t.price), bought: sum(t.size).where(t.isBuy) }))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION` for none
   */
  aggregate<A extends Readonly<Record<string, AggregateExpr<any, any>>>>(
    define: (t: Columns<S>) => A,
    groups?: GroupRule,
  ): Flow<{ readonly [K in keyof A]: UnkeyedType<A[K]> }> {
    return this.aggregated([], null, 'groupBy', define, groups)
  }

  /**
   * Rows of both flows that have equal keys, side by side: this flow's columns, then the other's; key columns come once. In the order of this flow's rows, and of the
   * other's for each of them. Null equals nothing here, NaN itself; numbers are compared by value, whatever their types.
   *
   * ```ts
   * flow.join(columns({ symbol: ['ABC', 'XYZ'], country: ['DE', 'FR'] }), 'symbol')
   * ```
   * @param right is run first, and every lane holds all its rows, so that it had better be the smaller one; where this flow runs on it must end
   * @param on one name, several, or names of this flow to names of the other: `{ symbol: 'ticker' }`
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION` for no key
   */
  join<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<Joined<S, R, K, X, 'inner'>> {
    return joined('join', this, right, on, options)
  }

  /**
   * As `join`, and rows of this flow without a partner come too, with nulls for the other's columns.
   *
   * ```ts
   * flow.leftJoin(columns({ ticker: ['ABC'], price: [10] }), { symbol: 'ticker' }, { suffix: '_then' })
   * ```
   * @throws MillraceError as `join` does
   */
  leftJoin<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<Joined<S, R, K, X, 'left'>> {
    return joined('leftJoin', this, right, on, options)
  }

  /**
   * As `join`, and rows of the other flow without a partner follow, in their order, with nulls for this one's columns; keys are those of either side.
   *
   * ```ts
   * flow.rightJoin(columns({ symbol: ['ABC', 'DEF'], country: ['DE', 'IT'] }), 'symbol')
   * ```
   * @throws MillraceError as `join` does, and `MR_TYPE_MISMATCH` where no type holds the keys of both sides
   */
  rightJoin<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<Joined<S, R, K, X, 'right'>> {
    return joined('rightJoin', this, right, on, options)
  }

  /**
   * `leftJoin` and `rightJoin` in one: the rows of both flows that have no partner come too.
   *
   * ```ts
   * flow.fullJoin(columns({ symbol: ['ABC', 'DEF'], country: ['DE', 'IT'] }), 'symbol')
   * ```
   * @throws MillraceError as `rightJoin` does
   */
  fullJoin<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<Joined<S, R, K, X, 'full'>> {
    return joined('fullJoin', this, right, on, options)
  }

  /**
   * Rows that have a partner in the other flow, once each, with their own columns alone.
   *
   * ```ts
   * flow.semiJoin(columns({ symbol: ['ABC'], limit: [10] }), 'symbol', { where: (trade, most) => trade.price.gt(most.limit) })
   * ```
   * @throws MillraceError as `join` does
   */
  semiJoin<R extends SchemaShape>(right: Flow<R>, on: JoinKeys<S, R>, options?: TestOptions<S, R>): Flow<S> {
    return joined('semiJoin', this, right, on, options)
  }

  /**
   * Rows that have no partner in the other flow.
   *
   * ```ts
   * flow.antiJoin(columns({ symbol: ['ABC'] }), 'symbol')
   * ```
   * @throws MillraceError as `join` does
   */
  antiJoin<R extends SchemaShape>(right: Flow<R>, on: JoinKeys<S, R>, options?: TestOptions<S, R>): Flow<S> {
    return joined('antiJoin', this, right, on, options)
  }

  /**
   * Each row of this flow beside the row of the other that is nearest in time, or in number, among those with its keys; nulls where there is none. The right one
   * comes in the order of time, of equal ones in its own order. Null and NaN are near nothing.
   *
   * ```ts
   * flow.asofJoin(columns({ time: [new Date('2024-01-02T03:04:04Z')], symbol: ['ABC'], bid: [10.25] }), {
   *   on: 'time',
   *   by: 'symbol',
   *   tolerance: '5s',
   * })
   * ```
   * @throws MillraceError as `join` does; `MR_TYPE_MISMATCH` where what is compared is of two kinds
   */
  asofJoin<
    R extends SchemaShape,
    const O extends AsofOn<S, R>,
    const K extends JoinKeys<S, R> = never,
    const X extends string = '_right',
  >(right: Flow<R>, options: AsofOptions<S, R, K, X, O>): Flow<AsofJoined<S, R, O, K, X>> {
    return asofJoined(this, right, options)
  }

  /**
   * Rows of both flows that have equal keys and whose event times lie within bounds of one another: columns as `join` gives them, and the event time stays this flow's. Both need a
   * watermark. Where the flow runs on, pairs come as soon as both rows have; rows are kept until no partner can come, and one that is behind the watermark is left out
   * and counted (`lateRows`).
   *
   * ```ts
   * const paid = columns({ time: [new Date('2024-01-02T03:04:15Z')], symbol: ['ABC'], paid: [10.5] })
   * flow.watermark('time').intervalJoin(paid.watermark('time'), { on: 'symbol', between: ['0s', '1m'] })
   * ```
   * @throws MillraceError as `join` does, `MR_NO_EVENT_TIME` where a flow has no watermark, `MR_INVALID_OPTION`
   */
  intervalJoin<
    R extends SchemaShape,
    const K extends JoinKeys<S, R>,
    const X extends string = '_right',
    const H extends 'inner' | 'left' = 'inner',
  >(right: Flow<R>, options: IntervalOptions<S, R, K, X, H>): Flow<Joined<S, R, K, X, H>> {
    return intervalJoined(this, right, options)
  }

  /**
   * The rows of this flow, then those of the others; where a flow runs on (`run`, `to`, `subscribe`, `live`), of all as they come, with the least watermark of them. Columns go by their names and have the type that holds the values of all: int64 of int32 and int64, float64 of int32 and
   * float64, nullable where one of them is.
   *
   * ```ts
   * flow.union(columns({ symbol: ['DEF'], price: [7] }), { missing: 'null' })
   * ```
   * @param others flows, and last perhaps `{ missing: 'null' }`, by which a column that some flow lacks is null in its rows
   * @throws MillraceError `MR_UNKNOWN_COLUMN` for a column that some flow lacks, `MR_TYPE_MISMATCH` where no type holds the values of all, `MR_INVALID_OPTION`
   */
  union<const F extends readonly Flow<any>[]>(...others: F): Flow<United<S, F, false>>
  union<const F extends readonly Flow<any>[]>(
    ...others: readonly [...F, { readonly missing: 'null' }]
  ): Flow<United<S, F, true>>
  union<const F extends readonly Flow<any>[]>(...others: readonly [...F, UnionOptions]): Flow<United<S, F, false>>
  union(...others: readonly unknown[]): Flow<any> {
    return united(this, others)
  }

  /**
   * Runs the flow and resolves to all its rows, in this thread. Running it again reads the source again.
   *
   * ```ts
   * const table = await flow.select('symbol', 'price').collect()
   * show(table.toString())
   * ```
   * @throws (rejects) MillraceError; with `signal.reason` where it is aborted
   */
  async collect(options?: RunOptions): Promise<Table<S>> {
    const bound = this.now()
    if (options?.onMetrics !== undefined)
      return (await import('../engines/local/collect-watched.js')).collectWatched<S>(bound, options)
    return unreadAfter(collect<S>(bound, options), bound)
  }

  /**
   * Runs the flow once and keeps its rows in the lanes: a flow over them that reads nothing again.
   *
   * ```ts
   * await using held = await flow.select('symbol', 'price').load()
   * show(await held.aggregate(t => ({ mean: mean(t.price) })).collect())
   * show(await held.groupBy('symbol').aggregate(() => ({ trades: count() })).collect())
   * ```
   * @throws (rejects) as `collect` does
   */
  async load(options?: RunOptions): Promise<Loaded<S>> {
    const bound = this.now()
    const { loadFlow } = await import('../engines/local/load.js')
    return new Loaded<S>(await loadFlow(bound, options))
  }

  /**
   * Runs the flow and gives its batches while it runs, in row order, reading ahead of the reader by a bounded number. Leaving the loop,
   * disposing of the job or aborting cancels it.
   *
   * ```ts
   * for await (const batch of flow.run()) show(batch)
   * ```
   */
  run(options?: RunOptions): Job<S> {
    const bound = this.now()
    return lateJob<S>(async () => (await import('../engines/local/start-any.js')).startFlow(bound, options), true)
  }

  /**
   * Runs the flow into a sink, as fast as that takes what comes: `csvSink`, `ndjsonSink`, `jsonSink` or `arrowSink` for a file, a function that is called with each
   * batch and awaited, a `WritableStream` of batches, or a `MessagePort` or `BroadcastChannel`, of which `receive` is the other end.
   *
   * The job's `finished` resolves once the sink has all rows. What the job fails of, and what the sink does, it rejects with, and then nothing is left in the sink, nor is it
   * where the job is aborted or disposed of; `stop()` ends the input, and what has been read, or pushed, is written.
   *
   * ```ts
   * const job = flow.filter(t => t.isBuy).to(csvSink('bought.csv'))
   * await job.finished
   * show(job.metrics().bytesWritten)
   * ```
   * @throws (`finished` rejects) MillraceError as `collect` does; `MR_SINK_FAILED` where the sink cannot be written, `MR_INVALID_OPTION` for what is no sink
   */
  to(sink: SinkInput<S>, options?: RunOptions): Job<S> {
    return deliver('to', this.now(), sink, options)
  }

  /**
   * Runs the flow and calls `take` with each of its batches, in row order, awaiting what it returns before the next. What it throws ends the job, whose `finished` rejects with it:
   * where nobody handles that, it is an unhandled rejection like any other.
   *
   * ```ts
   * const job = flow.subscribe(batch => show(batch))
   * await job.finished
   * ```
   * @throws (`finished` rejects) as `to` does
   */
  subscribe(take: (batch: RecordBatch<S>) => unknown, options?: RunOptions): Job<S> {
    return deliver('subscribe', this.now(), take, options)
  }

  /**
   * Runs the flow, and gives a table that follows it: the last one that was collected, anew whenever a `param` in the flow is set; or of a flow that runs on, all rows that it has given and
   * not taken back.
   *
   * ```ts
   * const least = param(10)
   * const view = flow.filter(t => t.price.gte(least)).groupBy('symbol').aggregate(() => ({ trades: count() })).live()
   * const stop = view.subscribe(table => show(table.toString()))
   * await view.ready
   * least.set(11)
   * stop()
   * await view.close()
   * ```
   */
  live(options?: RunOptions): Live<S> {
    const begun = this.now()
    const start = async () => (await import('../engines/local/live-table.js')).startLiveTable<S>(this, begun, options)
    return lateLive<S>(start)
  }

  /** The plan as readable text: what is read, what every lane does, what one lane does after the gather. */
  explain(): string
  /** Runs the flow too, drops its rows, and adds what was measured: the kernels chosen, rows, time and memory. */
  explain(how: { readonly analyze: true }, options?: RunOptions): Promise<string>
  explain(how?: { readonly analyze?: boolean }, options?: RunOptions): string | Promise<string> {
    if (how !== undefined) optionsOf('explain', how, '{ analyze: true }', ['analyze'])
    if (how?.analyze !== true) return explainBound(this)
    const bound = this.now()
    return import('../engines/local/analysis.js').then(({ explainAnalysis }) => explainAnalysis(bound, options))
  }

  private grouped(verb: string, names: readonly string[], sets: AggregateNode['sets']): any {
    if (names.length === 0) throw invalid(verb, `name at least one column, or call aggregate without ${verb}`)
    aggregateNode(this.plan, this.schema, names, [], sets, verb)
    return Object.freeze({
      aggregate: (define: (t: Columns<S>) => unknown, groups?: GroupRule) =>
        this.aggregated(names, sets, verb, define, groups),
      ...(sets === null && { topK: (n: number, ...orders: unknown[]) => this.top(names, n, orders, null) }),
    })
  }

  private top(names: readonly string[], n: number, orders: readonly unknown[], window: Windowing | null): Flow<any> {
    return this.next(topNode(this.plan, this.schema, names, n, ordersOf('topK', orders), window))
  }

  private aggregated(
    names: readonly string[],
    sets: AggregateNode['sets'],
    verb: string,
    define: (t: Columns<S>) => unknown,
    groups?: GroupRule,
    window: Windowing | null = null,
  ): Flow<any> {
    const aggregates = aggregatesOf(this.call('aggregate', define))
    if (groups !== undefined && typeof groups?.lower !== 'function')
      throw mismatch(
        'aggregate',
        `aggregate takes a rule such as minGroupSize(5) beside its function, not ${show(groups)}`,
      )
    const users = aggregates.flatMap(({ expression }) => usersIn(expression))
    const lowering = groups ?? users.find(({ isPrivate }) => isPrivate) ?? users[0]
    if (lowering !== undefined) {
      if (window !== null)
        throw invalid('window', 'private aggregates and those of your own are of all rows; take the window away')
      return lowering.lower(this, names, aggregates, sets, verb)
    }
    if (window !== null) return this.next(windowedNode(this.plan, this.schema, names, aggregates, window))
    return this.next(aggregateNode(this.plan, this.schema, names, aggregates, sets, verb))
  }

  /** For a job that begins now. */
  private now(): BoundPlan {
    return asTheyAre<[BoundPlan]>(this)[0]
  }

  private next<T extends SchemaShape>(plan: PlanNode): Flow<T> {
    return new Flow<T>(plan, this.sources)
  }

  private call(operator: string, define: (t: Columns<S>) => unknown): unknown {
    if (typeof define !== 'function')
      throw mismatch(
        operator,
        `${operator} takes a function of the columns, as in ${operator}(t => ...), not ${show(define)}`,
      )
    return define(columnsRecord(this.schema, operator) as Columns<S>)
  }
}

/**
 * What `to` takes. A function is called with each batch, and awaited; a `WritableStream` gets batches, as fast as it wants them; through a port or a channel batches are
 * sent as messages (`PortMessage`), and a channel, which nobody answers, is sent all as they come.
 */
export type SinkInput<S extends SchemaShape = any> =
  | Sink
  | ((batch: RecordBatch<S>) => unknown)
  | WritableStream<RecordBatch<S>>
  | MessagePortOrChannel

const deliver = (what: string, flow: BoundPlan, sink: SinkInput, options?: RunOptions): Job<any> =>
  lateJob(
    async () => (await import('../engines/local/deliver.js')).startDelivery(what, [{ flow, sink }], options),
    false,
  )

/** What `validate` gives. */
export interface Validated<S extends SchemaShape, R> {
  readonly valid: Flow<S>
  readonly rejected: Flow<{ readonly [K in keyof S | 'brokenRules']: K extends keyof S ? S[K] : Utf8 }>
  readonly counts: Flow<{ readonly [K in keyof R]: Int64 }>
}

/** What `groupBy` gives: say what to compute for each group, or which rows of it stay. */
export interface GroupedFlow<S extends SchemaShape, N extends keyof S> {
  /** One row a group, in order of first appearance: the keys, then these columns. `groups` says which come out: all by default. @throws MillraceError `MR_DUPLICATE_COLUMN` for the name of a key */
  aggregate<A extends Readonly<Record<string, AggregateExpr<any, any>>>>(
    define: (t: Columns<S>) => A,
    groups?: GroupRule,
  ): Flow<{ readonly [K in N | keyof A]: K extends keyof A ? KeyedType<A[K]> : K extends keyof S ? S[K] : never }>
  /**
   * The first `n` rows of each group in these orders, whole: group after group in the order of first appearance. Rows of equal order come by their event time, if there is a
   * watermark, and as they came. Where a flow runs on, the rows that enter and leave the first ones are told: of weight 1 and -1 (`batch.weights`).
   *
   * ```ts
   * flow.groupBy('symbol').topK(2, desc('price'))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_INVALID_OPTION`
   */
  topK(n: number, ...orders: ((keyof S & string) | Order<keyof S & string>)[]): Flow<S>
}

/** What `rollup` and `cube` give: say what to compute for each group. */
export interface RolledFlow<S extends SchemaShape, N extends keyof S> {
  /** One row a group: the keys, null where the group is not by them, then these columns. The group of all rows is there even where there are none. @throws MillraceError `MR_DUPLICATE_COLUMN` for the name of a key */
  aggregate<A extends Readonly<Record<string, AggregateExpr<any, any>>>>(
    define: (t: Columns<S>) => A,
    groups?: GroupRule,
  ): Flow<{
    readonly [K in N | keyof A]: K extends keyof A ? UnkeyedType<A[K]> : K extends keyof S ? OrNull<S[K]> : never
  }>
}

/** Rows held in the lanes of one engine: a flow that reads nothing again. Close it when done. */
export class Loaded<S extends SchemaShape = any> extends Flow<S> {
  readonly rowCount: number
  readonly byteLength: number
  private readonly rows: LoadedRows

  /** Made by `load`. */
  constructor(rows: LoadedRows) {
    const { plan, sources } = flowOf(heldSource(rows))
    super(plan, sources)
    this.rows = rows
    this.rowCount = rows.rowCount
    this.byteLength = rows.byteLength
  }

  /** Frees the rows; flows over them are refused from then on with `MR_CLOSED`. Idempotent. */
  close(): Promise<void> {
    return this.rows.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A plan as text; before it, where a source is made in this thread, that of what it is made of. */
function explainBound({ plan, sources }: BoundPlan): string {
  const before = [...sources.values()].flatMap(source =>
    source.before === undefined
      ? []
      : [explainBound(source.before), 'calling thread', `  ${source.step ?? `aggregate ${source.label}`}`],
  )
  return [...before, explainPlan(plan, sources.values())].join('\n')
}

/** A key for what is bound to a flow's plan. */
export const newBinding = (): number => ++sourceCount

/** A flow over a source, under an id of its own. */
export function flowOf<S extends SchemaShape>(source: Source): Flow<S> {
  const id = ++sourceCount
  // For its checks of types.
  if (source.schema !== null) schemaOf(fieldsOf(source.schema))
  return new Flow<S>(sourceNode(id, source.label, source.schema), new Map([[id, source]]))
}

declare module '../columnar/table.js' {
  interface Table<S extends SchemaShape = any> {
    /** A flow over the rows of this table, which it reads where they are. */
    flow(): Flow<S>

    /**
     * The rows as an Arrow IPC stream, for other programs and libraries: strings that come twice on average are dictionary-encoded, others plain.
     *
     * ```ts
     * const bytes = await (await flow.collect()).toArrow()
     * ```
     * @throws MillraceError `MR_MEMORY_LIMIT` where a column's strings outgrow 32-bit offsets
     */
    toArrow(): Promise<Uint8Array<ArrayBuffer>>
    /**
     * The rows as what another library reads from them: a table of apache-arrow or flechette, given its `tableFromIPC`.
     *
     * ```ts
     * const peer = await (await flow.collect()).toArrow(tableFromIPC)
     * ```
     * @throws MillraceError `MR_MEMORY_LIMIT`, `MR_TYPE_MISMATCH` for what is no function
     */
    toArrow<T>(read: (bytes: Uint8Array<ArrayBuffer>) => T): Promise<T>
  }
}

setTableMethods({
  flow: table => flowOf(tableSource(table)),
  toArrow: async (table, read?: unknown) => (await import('../formats/arrow/to-arrow.js')).tableToArrow(table, read),
})
