/** Windows of event time as they are said, and what `window` gives: an aggregate over each of them. plan/event-time.ts says what they are. */
import type { SchemaShape, Timestamp } from '../columnar/type.js'
import { useWindows } from '../plan/event-time.js'
import { LANE_RULES } from '../plan/explain-windows.js'
import type { EmitMode, Windowing, WindowSpec } from '../plan/logical.js'
import { windowRows, windowRowsSchema } from '../plan/window-rows.js'
import { WINDOW_RULES } from '../plan/windows.js'
import type { AggregateExpr } from './aggregate-expr.js'
import type { Flow } from './flow.js'
import { optionsOf } from './options.js'
import type { Order } from './orders.js'
import { invalid, show } from './refusal.js'
import type { Columns, KeyedType } from './types.js'
import { type WindowJoins, windowJoins } from './window-joins.js'

/** Which windows a row is in; made by `tumbling`, `sliding`, `cumulative`, `session` and `rowCount`. */
export interface Window {
  readonly spec: WindowSpec
  /** Joins of a flow in such windows. */
  readonly joins: (left: Flow<any>, windowing: Windowing) => WindowJoins<any>
}

export interface TumblingOptions {
  /**
   * Where windows begin, counted from the epoch: `'15m'` past the hour; `'-1 day'`, for weeks that begin on Sunday. Of days and longer units its months and days are of the calendar, and
   * hours come after them. None by default.
   */
  readonly offset?: string
  /** Whose calendar days, weeks, months, quarters and years are of: `'Europe/Berlin'`. UTC by default. */
  readonly zone?: string
}

/**
 * Windows `[start, start + size)` one after another, from the epoch on. Of days and longer units they follow the calendar: weeks begin on Monday, and in a zone a day may have
 * 23 or 25 hours.
 *
 * ```ts
 * flow.watermark('time').window(tumbling('1 day', { zone: 'Europe/Berlin' })).aggregate(t => ({ sold: sum(t.size) }))
 * ```
 * @throws MillraceError `MR_INVALID_OPTION` where `window` is given it
 */
export function tumbling(size: string, options: TumblingOptions = {}): Window {
  const { offset, zone } = optionsOf('tumbling', options, "{ offset: '15m', zone: 'Europe/Berlin' }", [
    'offset',
    'zone',
  ])
  return windowOf({
    kind: 'tumbling',
    size: durationOf('tumbling', 'the size', size),
    offset: offset === undefined ? null : durationOf('tumbling', 'offset', offset),
    zone: zone === undefined ? null : textOf('tumbling', 'zone', zone),
  })
}

/**
 * Windows of `size` that begin every so often, so that a row is in several. Rows are aggregated once, by the parts that windows have in common.
 *
 * ```ts
 * flow.watermark('time').window(sliding('1h', '5m')).groupBy('symbol').aggregate(t => ({ mean: mean(t.price) }))
 * ```
 * @param size a multiple of `every`; days have 24 hours
 */
export function sliding(size: string, every: string, options: { readonly offset?: string } = {}): Window {
  const { offset } = optionsOf('sliding', options, "{ offset: '15m' }", ['offset'])
  return windowOf({
    kind: 'sliding',
    size: durationOf('sliding', 'the size', size),
    every: durationOf('sliding', 'every', every),
    offset: offset === undefined ? null : durationOf('sliding', 'offset', offset),
  })
}

/**
 * Windows that begin together and end a step apart, up to `size`: the running total of a day, every hour.
 *
 * ```ts
 * flow.watermark('time').window(cumulative('1 day', '1h')).aggregate(t => ({ sold: sum(t.size) }))
 * ```
 * @param size a multiple of `step`; days have 24 hours
 */
export function cumulative(size: string, step: string, options: { readonly offset?: string } = {}): Window {
  const { offset } = optionsOf('cumulative', options, "{ offset: '15m' }", ['offset'])
  return windowOf({
    kind: 'cumulative',
    size: durationOf('cumulative', 'the size', size),
    step: durationOf('cumulative', 'step', step),
    offset: offset === undefined ? null : durationOf('cumulative', 'offset', offset),
  })
}

/**
 * Rows of a key that are less than `gap` apart. A window ends a gap after its last row.
 *
 * ```ts
 * flow.watermark('time').window(session('30m')).groupBy('symbol').aggregate(() => ({ trades: count() }))
 * ```
 */
export function session(gap: string): Window {
  return windowOf({ kind: 'session', gap: durationOf('session', 'the gap', gap) })
}

/**
 * So many rows of a key one after another, as they come; the last window has those that are left. It begins with the earliest time in it and ends with the latest.
 *
 * ```ts
 * flow.watermark('time').window(rowCount(2)).groupBy('symbol').aggregate(t => ({ mean: mean(t.price) }))
 * ```
 */
export function rowCount(count: number): Window {
  if (typeof count !== 'number')
    throw invalid('rowCount', `the count is a number, as in rowCount(100), not ${show(count)}`)
  return windowOf({ kind: 'rowCount', count })
}

function windowOf(spec: WindowSpec): Window {
  useWindows({ ...WINDOW_RULES, ...LANE_RULES, rows: windowRows, rowSchema: windowRowsSchema })
  return Object.freeze({ spec: Object.freeze(spec), joins: windowJoins })
}

function durationOf(operator: string, what: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw invalid(operator, `${what} is a duration such as '15m', not ${show(value)}`)
}

const textOf = (operator: string, what: string, value: unknown): string => {
  if (typeof value === 'string') return value
  throw invalid(operator, `${what} is a string, not ${show(value)}`)
}

export interface WatermarkOptions {
  /** How much later than another a row may come: the watermark is that far behind the latest time. None by default. */
  readonly delay?: string
  /**
   * Of several inputs (`union`) one that has been silent for so long, by the job's clock, is waited for no more, until it has caught up with what was said without it. Where all are
   * silent nothing happens. By default each is waited for.
   */
  readonly idleAfter?: string
  /** The most by which one row may move the watermark on: one from further ahead is late, and moves nothing. */
  readonly maxAdvance?: string
}

/** @throws MillraceError `MR_INVALID_OPTION` */
export function watermarkOptions(options: WatermarkOptions) {
  const names = ['delay', 'idleAfter', 'maxAdvance'] as const
  const given = optionsOf('watermark', options, "{ delay: '5s' }", names)
  const [delay, idleAfter, maxAdvance] = names.map(name => {
    const value = given[name]
    return value === undefined ? null : durationOf('watermark', name, value)
  }) as [string | null, string | null, string | null]
  return { delay, idleAfter, maxAdvance }
}

export interface WindowOptions {
  /** How long after its end a window still takes rows, by event time: its result is then taken back and given anew. None by default. */
  readonly allowedLateness?: string
}

export function windowOptions(window: Window, options: WindowOptions): Pick<Windowing, 'spec' | 'allowedLateness'> {
  const { allowedLateness } = optionsOf('window', options, "{ allowedLateness: '1m' }", ['allowedLateness'])
  if (typeof window?.spec?.kind !== 'string')
    throw invalid('window', `it takes a window such as tumbling('1m'), not ${show(window)}`)
  const lateness = allowedLateness === undefined ? null : durationOf('window', 'allowedLateness', allowedLateness)
  return { spec: window.spec, allowedLateness: lateness }
}

/** @throws MillraceError `MR_INVALID_OPTION` */
export function emitModeOf(mode: unknown): EmitMode {
  if (mode === 'close' || mode === 'change') return mode
  if (typeof mode === 'object' && mode !== null && 'every' in mode)
    return Object.freeze({ every: durationOf('emit', 'every', mode.every) })
  throw invalid('emit', `it takes 'close', 'change' or { every: '1s' }, not ${show(mode)}`)
}

/** A flow whose rows are in windows: say what to compute for each, or what to join there. */
export interface WindowedFlow<S extends SchemaShape> extends WindowJoins<S> {
  /** One row a window and group: `windowStart`, `windowEnd`, these columns, then the aggregates. */
  groupBy<N extends keyof S & string>(
    ...names: N[]
  ): {
    /** In the order of the windows' ends, beginnings, and first appearance. @throws MillraceError `MR_DUPLICATE_COLUMN` */
    aggregate<A extends Readonly<Record<string, AggregateExpr<any, any>>>>(
      define: (t: Columns<S>) => A,
    ): Flow<Windowed<S, N, A>>
    /** As `topK` of all rows of a window, of those with equal keys. */
    topK(n: number, ...orders: ((keyof S & string) | Order<keyof S & string>)[]): Flow<InWindow<S>>
  }
  /** One row a window that has rows: `windowStart`, `windowEnd`, then these columns. */
  aggregate<A extends Readonly<Record<string, AggregateExpr<any, any>>>>(
    define: (t: Columns<S>) => A,
  ): Flow<Windowed<S, never, A>>
  /**
   * The first `n` rows of each window in these orders: `windowStart`, `windowEnd`, then the row. In the order of the windows' ends, beginnings and of the groups' first
   * appearance. Rows of equal order come by their event time, and as they came.
   *
   * ```ts
   * flow.watermark('time').window(tumbling('1h')).groupBy('symbol').topK(3, desc('price'))
   * ```
   * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN` for a column called as a window's end or beginning is, `MR_INVALID_OPTION`
   */
  topK(n: number, ...orders: ((keyof S & string) | Order<keyof S & string>)[]): Flow<InWindow<S>>
}

type InWindow<S extends SchemaShape> = {
  readonly [K in 'windowStart' | 'windowEnd' | keyof S]: K extends 'windowStart' | 'windowEnd' ? Timestamp : S[K]
}

type Windowed<S extends SchemaShape, N extends keyof S, A> = {
  readonly [K in 'windowStart' | 'windowEnd' | N | keyof A]: K extends keyof A
    ? A[K] extends AggregateExpr<any, any>
      ? KeyedType<A[K]>
      : never
    : K extends 'windowStart' | 'windowEnd'
      ? Timestamp
      : K extends keyof S
        ? S[K]
        : never
}
