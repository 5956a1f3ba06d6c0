/** How the failure of a user's function is told: user-rows.ts calls functions. */
import { MillraceError, quote } from '../errors.js'

export type UserVerb = 'map' | 'flatMap' | 'filter' | 'filterRows' | 'validate'

/**
 * What a row failed of, told with its place: what the function threw is the cause.
 * @param place `row 3 of columns`
 * @param row among the rows of the source, or of those that the verb is given; undefined: not known
 */
export function failureOf(verb: UserVerb, place: string, row: number | undefined, thrown: unknown): MillraceError {
  const details = { operator: verb, ...(row === undefined ? {} : { row }) }
  if (thrown instanceof MillraceError) {
    const text = thrown.message.slice(thrown.code.length + 2).replace(`${verb}: `, '')
    const { column } = thrown.details
    return new MillraceError(
      thrown.code,
      `${verb}: ${place}: ${text}`,
      column === undefined ? details : { ...details, column },
      thrown.cause,
    )
  }
  return new MillraceError(
    'MR_USER_CODE_FAILED',
    `${verb}: the function failed on ${place}: ${thrownText(thrown)}; make it take such rows, leave them out first, or collect failures with onError`,
    details,
    thrown,
  )
}

/** What someone's code threw, in a message. */
export const thrownText = (thrown: unknown): string =>
  thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : shown(thrown)

/** A value in a message. */
export const shown = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'an array'
      : value instanceof Promise
        ? 'a promise'
        : typeof value === 'object'
          ? 'an object'
          : typeof value === 'string'
            ? `the string ${quote(value)}`
            : String(value)

export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
