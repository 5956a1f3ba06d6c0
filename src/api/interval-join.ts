/** `intervalJoin`, its options checked. plan/interval-join.ts says what it comes to. */
import type { SchemaShape } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { eventTimeOf } from '../plan/event-time.js'
import { intervalJoin, type MeetingSide } from '../plan/interval-join.js'
import { Flow } from './flow.js'
import type { JoinKeys } from './join-types.js'
import { checkedOptions, checkSuffix, conditionOf, type JoinOptions, keysOf } from './joins.js'
import { invalid, mismatch, show } from './refusal.js'

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

/** @throws MillraceError as `joined` does */
export function intervalJoined(left: Flow<any>, right: Flow<any>, options: IntervalOptions): Flow<any> {
  const verb = 'intervalJoin'
  if (!(right instanceof Flow)) throw mismatch(verb, `${verb} takes a flow to join with, not ${show(right)}`)
  const known = ['on', 'between', 'how', 'where', 'suffix']
  const { on, between, how = 'inner', where, suffix = '_right' } = checkedOptions(verb, options, known)
  checkSuffix(verb, suffix)
  if (how !== 'inner' && how !== 'left') throw invalid(verb, `how is 'inner' or 'left', not ${show(how)}`)
  if (!Array.isArray(between) || between.length !== 2 || between.some(each => typeof each !== 'string'))
    throw invalid(verb, `between is two durations, as in ['-5s', '1m'], not ${show(between)}`)
  const plan = intervalJoin(
    sideOf(verb, left, 'this flow'),
    sideOf(verb, right, 'the other flow'),
    between as unknown as readonly [string, string],
    { how, verb, keys: keysOf(verb, on), where: conditionOf(verb, left, right, where), suffix },
  )
  return new Flow(plan, new Map([...left.sources, ...right.sources]))
}

export function sideOf(verb: string, { plan, schema }: Flow<any>, which: string): MeetingSide {
  const time = eventTimeOf(plan)
  if (time === null)
    throw new MillraceError(
      'MR_NO_EVENT_TIME',
      `${verb}: rows of ${which} have no event time; say which column has it before, as in watermark('time')`,
      { operator: verb },
    )
  if (schema === null)
    throw invalid(
      verb,
      `the columns of ${which} are not known before it is opened; declare them, as in csv(file, { schema })`,
    )
  return { plan, schema, time }
}
