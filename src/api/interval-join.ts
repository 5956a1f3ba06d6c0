/** `intervalJoin`: a join with a condition on the event times of both sides. Where flows run on, it is graph/interval-join.ts's. */
import type { SchemaShape } from '../columnar/type.js'
import { nanosecondsOf } from '../plan/duration.js'
import { eventTimeOf, noEventTime } from '../plan/event-time.js'
import type { JoinNode } from '../plan/logical.js'
import { Flow } from './flow.js'
import type { JoinKeys } from './join-types.js'
import { checkedOptions, type JoinOptions, joined } from './joins.js'
import { invalid, show } from './refusal.js'

/** How `intervalJoin` finds partners. */
export interface IntervalOptions<
  S extends SchemaShape = any,
  R extends SchemaShape = any,
  K extends JoinKeys<S, R> = any,
  X extends string = string,
  H extends 'inner' | 'left' = 'inner' | 'left',
> extends JoinOptions<S, R, X> {
  /** Keys that must be equal: one name, several, or names of this flow to names of the other. */
  readonly on: K
  /** How much later than this flow's row the other's may be, from and to, both included: `['-5s', '1m']` is from 5 seconds before to a minute after. */
  readonly between: readonly [string, string]
  /** `'inner'`, or `'left'`: rows without a partner come too, with nulls, once the watermark says that none will come. */
  readonly how?: H
}

const VERB = 'intervalJoin'

/** @throws MillraceError as `joined` does, `MR_NO_EVENT_TIME` */
export function intervalJoined(left: Flow<any>, right: Flow<any>, options: IntervalOptions): Flow<any> {
  const {
    on,
    between,
    how = 'inner',
    where,
    ...rest
  } = checkedOptions(VERB, options, ['on', 'between', 'how', 'where', 'suffix'])
  if (how !== 'inner' && how !== 'left') throw invalid(VERB, `how is 'inner' or 'left', not ${show(how)}`)
  const [lower, upper] = Array.isArray(between) ? between : []
  if (typeof lower !== 'string' || typeof upper !== 'string' || nanosecondsOf(lower, VERB) > nanosecondsOf(upper, VERB))
    throw invalid(
      VERB,
      `between is two durations, the first not above the other, as in ['-5s', '1m'], not ${show(between)}`,
    )
  const [a, b] = [left, right].map(flow => (flow instanceof Flow ? eventTimeOf(flow.plan) : ''))
  if (a === null || b === null) throw noEventTime(VERB)
  const within = (l: any, r: any) => {
    const isNear = r[b as string].gte(l[a as string].add(lower)).and(r[b as string].lte(l[a as string].add(upper)))
    return where === undefined ? isNear : isNear.and(where(l, r))
  }
  const { plan, sources } = joined(VERB, left, right, on, { ...rest, where: within }, how)
  const meets = Object.freeze({ left: a, right: b, lower, upper })
  return new Flow(Object.freeze({ ...(plan as JoinNode), meets } as JoinNode), sources)
}
