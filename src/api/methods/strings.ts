/** Methods of strings that call functions. */
import type { CallMethod, CallMethods } from '../calls.js'
import { invalid, mismatch, show } from '../refusal.js'

const gives = (family: CallMethod['gives'], split?: CallMethod['split']): CallMethod => ({
  of: ['string'],
  gives: family,
  ...(split === undefined ? {} : { split }),
})

/** So that no string is made longer by a slip of the pen. */
const MOST_POINTS = 65_535
const INT32_MOST = 2 ** 31 - 1

export const stringMethods: CallMethods = {
  lower: gives('string'),
  upper: gives('string'),
  trim: gives('string'),
  trimStart: gives('string'),
  trimEnd: gives('string'),
  slice: gives('string', ([start, end], name) => [
    [],
    { start: integer(start ?? 0, name, 'start'), ...(end === undefined ? {} : { end: integer(end, name, 'end') }) },
  ]),
  concat: gives('string'),
  replace: gives('string', twoStrings),
  replaceFirst: gives('string', twoStrings),
  padStart: gives('string', padding),
  padEnd: gives('string', padding),
  repeat: gives('string', ([count], name) => [[], { count: integer(count, name, 'count', 0, MOST_POINTS) }]),
  reverse: gives('string'),
  split: gives('string', ([separator, index], name) => {
    const between = string(separator, name, 'separator')
    if (between === '') throw invalid(name, 'the separator is an empty string, which is everywhere')
    return [[], { separator: between, index: integer(index, name, 'index') }]
  }),
  length: gives('number'),
  indexOf: gives('number'),
  contains: gives('boolean'),
  startsWith: gives('boolean'),
  endsWith: gives('boolean'),
  toNumber: gives('number'),
}

type Split = ReturnType<NonNullable<CallMethod['split']>>

function twoStrings(given: readonly unknown[], name: string): Split {
  if (given.some(value => value instanceof RegExp)) {
    throw mismatch(name, `${name} takes strings; what a regular expression matches is had by extract`)
  }
  if (given.length !== 2) throw mismatch(name, `${name} takes what is replaced, and by what`)
  return [given]
}

function padding([length, fill = ' ']: readonly unknown[], name: string): Split {
  return [[], { length: integer(length, name, 'length', 0, MOST_POINTS), fill: string(fill, name, 'fill') }]
}

function integer(value: unknown, name: string, what: string, least = -INT32_MOST, most = INT32_MOST): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value + 0
  throw invalid(name, `${what} is an integer from ${least} to ${most}, not ${show(value)}`)
}

function string(value: unknown, name: string, what: string): string {
  if (typeof value === 'string') return value
  throw invalid(name, `${what} is a string, not ${show(value)}`)
}
