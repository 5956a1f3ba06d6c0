/** What the joins of a flow do: keys, options and the condition, checked, and made into a node. flow.ts has the verbs, plan/join.ts says what comes out. */
import { int64, type SchemaShape } from '../columnar/type.js'
import { MillraceError, nearestName, quote } from '../errors.js'
import type { Expression } from '../expressions/node.js'
import { joinNode } from '../plan/join.js'
import type { JoinKey, JoinKind } from '../plan/logical.js'
import { LEFT, RIGHT } from '../plan/pair-columns.js'
import { predicateOf } from './aggregate-expr.js'
import { columnsRecord } from './columns.js'
import { Flow } from './flow.js'
import type { Expr } from './handles.js'
import type { JoinKeys } from './join-types.js'
import { invalid, isPlainRecord, mismatch, show } from './refusal.js'
import type { Columns } from './types.js'

export interface TestOptions<S extends SchemaShape = any, R extends SchemaShape = any> {
  /** A condition on a pair of rows beside equal keys; pairs for which it is false or null are none. */
  readonly where?: (left: Columns<S>, right: Columns<R>) => Expr<any, 'boolean'> | boolean
}

export interface JoinOptions<S extends SchemaShape = any, R extends SchemaShape = any, X extends string = string>
  extends TestOptions<S, R> {
  /** Behind the names of columns of the right side that the left one has too; by default `_right`. */
  readonly suffix?: X
}

/** How `asofJoin` finds the nearest row. */
export interface AsofOptions<
  S extends SchemaShape = any,
  R extends SchemaShape = any,
  K extends JoinKeys<S, R> = any,
  X extends string = string,
  O = any,
> {
  /** The column that is compared: of one name in both flows, or of two. Timestamps, dates or numbers. */
  readonly on: O
  /** Keys that must be equal: one name, several, or names of this flow to names of the other. */
  readonly by?: K
  /** Which row of the other flow: the last at the time or `before` it, the first at it or `after`, or the nearer one; of two as near that before. */
  readonly direction?: 'before' | 'after' | 'either'
  /** How far it may be, this included: a number, or of times a duration such as `'5s'`, `'250ms'`, `'2 h'`, `'1 d'`. */
  readonly tolerance?: number | string
  /** Behind the names of columns of the other flow that this one has too; by default `_right`. */
  readonly suffix?: X
}

/** @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION`, `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN` */
export function joined(
  verb: string,
  left: Flow<any>,
  right: Flow<any>,
  on: unknown,
  options: JoinOptions | undefined,
  how = verb === 'join' ? 'inner' : (verb.replace('Join', '') as JoinKind),
): Flow<any> {
  if (!(right instanceof Flow)) throw mismatch(verb, `${verb} takes a flow to join with, not ${show(right)}`)
  const isTest = how === 'semi' || how === 'anti'
  const { where, suffix = '_right' } = checkedOptions(verb, options, isTest ? ['where'] : ['where', 'suffix'])
  checkSuffix(verb, suffix)
  const node = joinNode(left.plan, left.schema, right.plan, right.schema, {
    how,
    verb,
    keys: keysOf(verb, on),
    where: conditionOf(verb, left, right, where),
    suffix,
    asof: null,
  })
  return new Flow(node, new Map([...left.sources, ...right.sources]))
}

/** @throws MillraceError as `joined` does */
export function asofJoined(left: Flow<any>, right: Flow<any>, options: AsofOptions): Flow<any> {
  const verb = 'asofJoin'
  if (!(right instanceof Flow)) throw mismatch(verb, `${verb} takes a flow to join with, not ${show(right)}`)
  const known = ['on', 'by', 'direction', 'tolerance', 'suffix']
  const { on, by, direction = 'before', tolerance = null, suffix = '_right' } = checkedOptions(verb, options, known)
  checkSuffix(verb, suffix)
  if (!['before', 'after', 'either'].includes(direction))
    throw invalid(verb, `direction is 'before', 'after' or 'either', not ${show(direction)}`)
  if (tolerance !== null && typeof tolerance !== 'number' && typeof tolerance !== 'string')
    throw invalid(verb, `tolerance is a number, or a duration such as '5s', not ${show(tolerance)}`)
  const pair = typeof on === 'string' ? { left: on, right: on } : on
  if (typeof pair?.left !== 'string' || typeof pair.right !== 'string')
    throw mismatch(
      verb,
      `${verb}: on is the name of a column, or { left, right }, as in { on: 'time' }, not ${show(on)}`,
    )
  const node = joinNode(left.plan, left.schema, right.plan, right.schema, {
    how: 'left',
    verb,
    keys: by === undefined ? [] : keysOf(verb, by),
    where: null,
    suffix,
    asof: Object.freeze({
      left: pair.left,
      right: pair.right,
      direction,
      within: tolerance,
      type: int64(),
      tolerance: null,
    }),
  })
  return new Flow(node, new Map([...left.sources, ...right.sources]))
}

export function checkedOptions<O extends object>(verb: string, options: O | undefined, known: readonly string[]): O {
  if (options === undefined) return {} as O
  if (!isPlainRecord(options)) throw invalid(verb, `options are an object, not ${show(options)}`)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const near = nearestName(name, known)
    throw invalid(
      verb,
      `there is no option ${quote(name)}; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`}`,
    )
  }
  return options as O
}

export function checkSuffix(verb: string, suffix: unknown): void {
  if (typeof suffix !== 'string') throw invalid(verb, `suffix is a string, not ${show(suffix)}`)
}

/** Pairs of names. */
export function keysOf(verb: string, on: unknown): readonly JoinKey[] {
  const example = `${verb}(right, 'key')`
  if (typeof on === 'string') return [{ left: on, right: on }]
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(on)
    ? on.map(name => [name, name] as const)
    : isPlainRecord(on)
      ? Object.entries(on)
      : []
  if (!Array.isArray(on) && !isPlainRecord(on))
    throw mismatch(
      verb,
      `${verb} takes the names of its keys, as in ${example}, ['a', 'b'] or { left: 'right' }, not ${show(on)}`,
    )
  if (pairs.length === 0) throw invalid(verb, `name at least one key, as in ${example}`)
  const seen = new Set<unknown>()
  return Object.freeze(
    pairs.map(([left, right]) => {
      for (const name of [left, right])
        if (typeof name !== 'string') throw mismatch(verb, `${verb}: a key is the name of a column, not ${show(name)}`)
      if (seen.has(left))
        throw new MillraceError('MR_DUPLICATE_COLUMN', `${verb}: key ${quote(left as string)} comes twice`, {
          operator: verb,
          column: left as string,
        })
      seen.add(left)
      return Object.freeze({ left, right } as JoinKey)
    }),
  )
}

export function conditionOf(verb: string, left: Flow<any>, right: Flow<any>, where: unknown): Expression | null {
  if (where === undefined) return null
  if (typeof where !== 'function')
    throw mismatch(verb, `${verb}: where is a function of both sides, as in (l, r) => l.x.lt(r.y), not ${show(where)}`)
  const sides = [columnsRecord(left.schema, verb, LEFT), columnsRecord(right.schema, verb, RIGHT)]
  return predicateOf(where(...sides), verb)
}
