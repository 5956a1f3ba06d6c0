/** What users give aggregates and orders beside columns, checked by name: every refusal says what there is and what to write. */
import { nearestName, quote } from '../errors.js'
import { invalid, isPlainRecord, show } from './refusal.js'

/** The most items that an aggregate keeps for each group, and the most that can be asked of it. */
export const MOST_ITEMS = 2 ** 20

/** An object of options, of these names only. @throws MillraceError `MR_INVALID_OPTION` */
export function optionsOf<T extends object>(operator: string, given: T, example: string, known: readonly string[]): T {
  if (!isPlainRecord(given)) throw invalid(operator, `options are an object such as ${example}, not ${show(given)}`)
  for (const option of Object.keys(given)) {
    if (known.includes(option)) continue
    const near = nearestName(option, known)
    throw invalid(
      operator,
      `there is no option ${quote(option)}; ${near === undefined ? `there is ${known.join(', ')}` : `did you mean ${near}?`}`,
    )
  }
  return given
}

/** @param hint what to do where it is not, after a `;` or `,`. @throws MillraceError `MR_INVALID_OPTION` */
export function wholeNumber(
  operator: string,
  name: string,
  value: unknown,
  least: number,
  most: number,
  hint = '',
): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw invalid(operator, `${name} is a whole number from ${least} to ${most}, not ${show(value)}${hint}`)
}
