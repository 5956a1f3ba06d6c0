/** `asc` and `desc`: what `orderBy` of flow.ts sorts by. */
import type { OrderKey } from '../expressions/node.js'
import { isHandle } from './columns.js'
import { optionsOf } from './options.js'
import { invalid, isPlainRecord, mismatch, show } from './refusal.js'

/** A column to order by: `asc(name)`, `desc(name)`. */
export interface Order<N extends string = string> extends OrderKey {
  readonly name: N
}

export interface OrderOptions {
  /** Where nulls go, whatever the direction. Default 'last'. */
  readonly nulls?: 'first' | 'last'
}

/**
 * Ascending order of a column; numbers up to NaN, false before true. @throws MillraceError `MR_INVALID_OPTION`
 *
 * ```ts
 * flow.orderBy('symbol', asc('price', { nulls: 'first' }))
 * ```
 */
export const asc = <const N extends string>(name: N, options?: OrderOptions): Order<N> => order(name, false, options)

/**
 * Descending order of a column; nulls still last unless told. @throws MillraceError `MR_INVALID_OPTION`
 *
 * ```ts
 * flow.orderBy(desc('price')).limit(3)
 * ```
 */
export const desc = <const N extends string>(name: N, options?: OrderOptions): Order<N> => order(name, true, options)

function order<N extends string>(name: N, descending: boolean, options: OrderOptions = {}): Order<N> {
  const verb = descending ? 'desc' : 'asc'
  if (typeof name !== 'string')
    throw mismatch(verb, `${verb} takes the name of a column, as in ${verb}('price'), not ${show(name)}`)
  const { nulls = 'last' } = optionsOf(verb, options, "{ nulls: 'first' }", ['nulls'])
  if (nulls !== 'first' && nulls !== 'last') throw invalid(verb, `nulls is 'first' or 'last', not ${show(nulls)}`)
  return Object.freeze({ name, descending, nulls })
}

/** What a user gave to a verb. @throws MillraceError `MR_TYPE_MISMATCH` */
export const ordersOf = (verb: string, given: readonly unknown[]): OrderKey[] => given.map(each => orderOf(each, verb))

function orderOf(given: unknown, verb: string): OrderKey {
  if (typeof given === 'string') return asc(given)
  if (isHandle(given))
    throw mismatch(verb, `${verb} takes names, as in desc('price'); to order by an expression derive it first`)
  if (isPlainRecord(given) && typeof (given as { name?: unknown }).name === 'string') {
    const { name, descending, nulls } = given as unknown as OrderKey
    return descending ? desc(name, { nulls }) : asc(name, { nulls })
  }
  throw mismatch(verb, `${verb} takes names, asc(name) and desc(name), not ${show(given)}`)
}
