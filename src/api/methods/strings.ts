/** Methods of strings that call functions. */
import { utf8 } from '../../columnar/type.js'
import type { CallParameters } from '../../expressions/node.js'
import type { CallMethod, CallMethods } from '../calls.js'
import { invalid, isPlainRecord, mismatch, show } from '../refusal.js'
import { typeIn } from './casts.js'

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
  matches: gives('boolean', ([pattern], name) => [[], patternOf(pattern, name)]),
  extract: gives('string', ([pattern, group], name) => {
    const told = patternOf(pattern, name)
    return [[], { ...told, group: groupOf(pattern as RegExp, group, name) }]
  }),
  parseTime: gives('time', ([format, options], name) => [[], timeOptions(format, options, name)]),
  json: gives('typed', ([path, type], name) => [
    [],
    { path: string(path, name, 'the path'), type: type === undefined ? utf8() : typeIn(type, name) },
  ]),
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

/** A regular expression as plain data. Whether it may be used is for the lanes to say, which look at how long it may take. */
function patternOf(pattern: unknown, name: string): { readonly source: string; readonly flags: string } {
  if (!(pattern instanceof RegExp))
    throw mismatch(name, `${name} takes a regular expression such as /^a/, not ${show(pattern)}`)
  const { source, flags } = pattern
  if (!/[gy]/.test(flags)) return { source, flags }
  throw invalid(
    name,
    `the flags g and y, of ${pattern}, say where the next search begins, and each string is searched once; leave them out`,
  )
}

/** By default the first group, or of a pattern without groups all of the match. */
function groupOf(pattern: RegExp, group: unknown, name: string): number | string {
  const { groups, length } = new RegExp(`${pattern.source}|`, pattern.flags).exec('') as RegExpExecArray
  const chosen = group ?? Math.min(1, length - 1)
  if (typeof chosen === 'string' && Object.hasOwn(groups ?? {}, chosen)) return chosen
  if (typeof chosen === 'number' && Number.isInteger(chosen) && chosen >= 0 && chosen < length) return chosen
  throw invalid(name, `${pattern} has no group ${show(chosen)}; it has ${length - 1}, and 0 is all of the match`)
}

function timeOptions(format: unknown, options: unknown, name: string): CallParameters {
  if (options !== undefined && !isPlainRecord(options))
    throw invalid(name, `the options are an object such as { unit: 'us' }`)
  const { unit = 'ms', zone } = options ?? {}
  if (!['s', 'ms', 'us', 'ns'].includes(unit as string))
    throw invalid(name, `the unit is 's', 'ms', 'us' or 'ns', not ${show(unit)}`)
  const written = format === undefined ? null : string(format, name, 'the format')
  if (zone !== undefined && (written === null || /^([^%]|%[^zs])*%[zs]/.test(written)))
    throw invalid(name, 'a zone is for texts without an offset: it takes a format, without %z and %s')
  return {
    ...(written === null ? {} : { format: written }),
    unit: unit as string,
    ...(zone === undefined ? {} : { zone: string(zone, name, 'the zone') }),
  }
}
