/** Methods of dates and timestamps that call functions. Durations and zones are checked where they are typed (expressions/functions/times.ts). */
import type { CallParameters } from '../../expressions/node.js'
import type { CallMethod, CallMethods } from '../calls.js'
import { invalid, isPlainRecord, show } from '../refusal.js'

type Split = NonNullable<CallMethod['split']>

const part = (plain: boolean): CallMethod => ({
  of: ['time'],
  gives: 'number',
  split: ([zone], name) => [[], zone === undefined ? undefined : { zone: text(zone, name, 'the zone') }],
  // In UTC some are operators of the tree.
  ...(plain ? { isOperator: ([zone]: readonly unknown[]) => zone === undefined } : {}),
})

const byDuration: Split = ([by, options], name) => [
  [],
  { by: text(by, name, 'the duration'), ...zoneIn(options, name) },
]

export const timeMethods: CallMethods = {
  year: part(true),
  quarter: part(false),
  month: part(true),
  week: part(false),
  day: part(false),
  dayOfWeek: part(true),
  dayOfYear: part(false),
  hour: part(true),
  minute: part(false),
  second: part(false),
  millisecond: part(false),
  date: { ...part(false), gives: 'time' },
  atZone: { of: ['time'], gives: 'same', split: ([zone], name) => [[], { zone: text(zone, name, 'the zone') }] },
  epoch: {
    of: ['time'],
    gives: 'number',
    split: ([unit = 'ms'], name) => {
      if (['s', 'ms', 'us', 'ns'].includes(unit as string)) return [[], { unit: unit as string }]
      throw invalid(name, `the unit is 's', 'ms', 'us' or 'ns', not ${show(unit)}`)
    },
  },
  truncate: { of: ['time'], gives: 'same', split: byDuration },
  // Of numbers, and of what may be one, it adds numbers.
  add: { of: ['time'], gives: 'same', split: byDuration, isOperator: ([by]) => typeof by !== 'string' },
  diff: {
    of: ['time'],
    gives: 'number',
    split: ([other, unit, options], name) => [[other], { by: text(unit, name, 'the unit'), ...zoneIn(options, name) }],
  },
}

function zoneIn(options: unknown, name: string): CallParameters {
  if (options === undefined) return {}
  if (!isPlainRecord(options)) throw invalid(name, `the options are an object such as { zone: 'Europe/Berlin' }`)
  return options.zone === undefined ? {} : { zone: text(options.zone, name, 'the zone') }
}

function text(value: unknown, name: string, what: string): string {
  if (typeof value === 'string') return value
  throw invalid(name, `${what} is a string, not ${show(value)}`)
}
