/** Joins that a windowed flow has. plan/window-join.ts says what they come to. */
import type { SchemaShape, Timestamp } from '../columnar/type.js'
import { eventTimeOf, noEventTime } from '../plan/event-time.js'
import type { JoinKind, Windowing } from '../plan/logical.js'
import { type MeetingSide, windowJoin } from '../plan/window-join.js'
import { Flow } from './flow.js'
import type { Joined, JoinKeys } from './join-types.js'
import { checkedOptions, checkSuffix, conditionOf, type JoinOptions, keysOf, type TestOptions } from './joins.js'
import { invalid, mismatch, show } from './refusal.js'
import type { IsAny } from './types.js'

/** With the window that its rows are in. */
export type InWindow<S extends SchemaShape> =
  IsAny<S> extends true
    ? any
    : {
        readonly [K in 'windowStart' | 'windowEnd' | keyof S]: K extends 'windowStart' | 'windowEnd' ? Timestamp : S[K]
      }

/** Joins of a flow whose rows are in windows to another flow that has a watermark. */
export interface WindowJoins<S extends SchemaShape> {
  /**
   * Rows of both flows that are in the same window and have equal keys: `windowStart`, `windowEnd`, then as `join` gives them. Windows are those that time alone
   * makes, `tumbling`, `sliding` and `cumulative`; in windows that overlap rows meet once for each that they have in common. Where the flow runs on, they come when the window closes, and nothing of it is kept
   * from then on; a row that comes for one that has closed is left out and counted (`lateRows`). With `allowedLateness`, which `join` alone takes, it meets the rows of its window for so long. The other flow
   * needs a watermark of its own.
   *
   * ```ts
   * const seen = columns({ time: [new Date(5)], symbol: ['ABC'], viewers: [12] }).watermark('time')
   * flow.watermark('time').window(tumbling('10s')).join(seen, 'symbol')
   * ```
   * @throws MillraceError as `join` does, `MR_NO_EVENT_TIME` where the other flow has no watermark, `MR_INVALID_OPTION` for `session` and `rowCount`, and where columns are not known beforehand
   */
  join<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<InWindow<Joined<S, R, K, X, 'inner'>>>
  /** As `join`, and rows without a partner in their window come too, with nulls for the other flow's columns. */
  leftJoin<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<InWindow<Joined<S, R, K, X, 'left'>>>
  /** As `join`, and rows of the other flow without a partner in their window come too. */
  rightJoin<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<InWindow<Joined<S, R, K, X, 'right'>>>
  /** `leftJoin` and `rightJoin` in one. */
  fullJoin<R extends SchemaShape, const K extends JoinKeys<S, R>, const X extends string = '_right'>(
    right: Flow<R>,
    on: K,
    options?: JoinOptions<S, R, X>,
  ): Flow<InWindow<Joined<S, R, K, X, 'full'>>>
  /** Rows that have a partner in their window, once each, with their own columns alone. */
  semiJoin<R extends SchemaShape>(right: Flow<R>, on: JoinKeys<S, R>, options?: TestOptions<S, R>): Flow<InWindow<S>>
  /** Rows that have no partner in their window. */
  antiJoin<R extends SchemaShape>(right: Flow<R>, on: JoinKeys<S, R>, options?: TestOptions<S, R>): Flow<InWindow<S>>
}

const VERBS = ['join', 'leftJoin', 'rightJoin', 'fullJoin', 'semiJoin', 'antiJoin'] as const

/** Those of a flow in windows. */
export function windowJoins(left: Flow<any>, window: Windowing): WindowJoins<any> {
  const joins = VERBS.map(verb => [
    verb,
    (right: Flow<any>, on: unknown, options?: JoinOptions) => windowJoined(verb, left, right, window, on, options),
  ])
  return Object.fromEntries(joins)
}

function windowJoined(
  verb: string,
  left: Flow<any>,
  right: Flow<any>,
  window: Windowing,
  on: unknown,
  options: JoinOptions | undefined,
): Flow<any> {
  if (!(right instanceof Flow)) throw mismatch(verb, `${verb} takes a flow to join with, not ${show(right)}`)
  const how = verb === 'join' ? 'inner' : (verb.replace('Join', '') as JoinKind)
  const isTest = how === 'semi' || how === 'anti'
  const { where, suffix = '_right' } = checkedOptions(verb, options, isTest ? ['where'] : ['where', 'suffix'])
  checkSuffix(verb, suffix)
  const plan = windowJoin(sideOf(verb, left, 'this flow'), sideOf(verb, right, 'the other flow'), window, {
    how,
    verb,
    keys: keysOf(verb, on),
    where: conditionOf(verb, left, right, where),
    suffix,
  })
  return new Flow(plan, new Map([...left.sources, ...right.sources]))
}

function sideOf(verb: string, { plan, schema }: Flow<any>, which: string): MeetingSide {
  const time = eventTimeOf(plan)
  if (time === null) throw noEventTime(verb)
  if (schema === null)
    throw invalid(
      verb,
      `the columns of ${which} are not known before it is opened; declare them, as in csv(file, { schema })`,
    )
  return { plan, schema, time }
}
