/** Durations as people write them: `'15m'`, `'1 month'`, `'-3 days'`, `'1h 30m'`, `'P1DT12H'`. Days and months are kept apart: how long they are is a calendar's to say. */
import { MillraceError, quote } from '../errors.js'

export interface Duration {
  readonly months: number
  readonly days: number
  readonly nanoseconds: bigint
}

type Part = keyof Duration

const FIXED = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n }

/** Counts of a unit in what it is kept as; `m` is a minute, `mo` a month. */
const UNITS: readonly (readonly [names: string, part: Part, count: bigint])[] = [
  ['ns nanosecond nanoseconds', 'nanoseconds', FIXED.ns],
  ['us µs μs microsecond microseconds', 'nanoseconds', FIXED.us],
  ['ms millisecond milliseconds', 'nanoseconds', FIXED.ms],
  ['s sec secs second seconds', 'nanoseconds', FIXED.s],
  ['m min mins minute minutes', 'nanoseconds', FIXED.m],
  ['h hr hrs hour hours', 'nanoseconds', FIXED.h],
  ['d day days', 'days', 1n],
  ['w week weeks', 'days', 7n],
  ['mo month months', 'months', 1n],
  ['q quarter quarters', 'months', 3n],
  ['y year years', 'months', 12n],
]

const BY_NAME = new Map(UNITS.flatMap(([names, part, count]) => names.split(' ').map(name => [name, { part, count }])))
const ISO_DATE: Readonly<Record<string, string>> = { Y: 'y', M: 'mo', W: 'w', D: 'd' }
const ISO_CLOCK: Readonly<Record<string, string>> = { H: 'h', M: 'm', S: 's' }

/** So that no count leaves int64 in any unit before it is looked at. */
const MOST = 10n ** 15n

/**
 * A sign, which is for all that follows, then numbers with units in any order, or a unit alone, which is one of it; or ISO 8601's `P1Y2M3W4DT5H6M7S`.
 * Seconds and shorter units may have a fraction, down to nanoseconds.
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function parseDuration(text: unknown, operator: string): Duration {
  const parsed = typeof text === 'string' && text.length <= 200 ? parse(text.trim()) : null
  if (parsed !== null) return parsed
  const shown = typeof text === 'string' ? quote(text) : String(text)
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `${operator}: ${shown} is no duration; write one such as '15m', '1 hour', '1 day', '2 weeks', '1 month', '1 quarter' or '1 year'`,
    { operator },
  )
}

function parse(text: string): Duration | null {
  const isNegative = text.startsWith('-')
  const rest = text.replace(/^[+-]/, '').trimStart()
  const terms = rest.startsWith('P') ? isoTerms(rest) : wordTerms(rest)
  if (terms === null || terms.length === 0) return null
  const sums: Record<Part, bigint> = { months: 0n, days: 0n, nanoseconds: 0n }
  for (const [number, name] of terms) {
    const unit = BY_NAME.get(name)
    if (unit === undefined) return null
    const count = times(number, unit.count)
    if (count === null || (unit.part !== 'nanoseconds' && number.includes('.'))) return null
    sums[unit.part] += count
  }
  if (sums.months > MOST || sums.days > MOST || sums.nanoseconds > MOST * FIXED.s) return null
  const sign = isNegative ? -1n : 1n
  return {
    months: Number(sign * sums.months),
    days: Number(sign * sums.days),
    nanoseconds: sign * sums.nanoseconds,
  }
}

type Term = readonly [number: string, unit: string]

function wordTerms(text: string): Term[] | null {
  if (BY_NAME.has(text)) return [['1', text]]
  const terms = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-zµμ]+)\s*/gy)]
  return terms.reduce((sum, [all]) => sum + all.length, 0) === text.length
    ? terms.map(([, number, unit]) => [number, unit])
    : null
}

function isoTerms(text: string): Term[] | null {
  const match = /^P((?:\d+[YMWD])*)(?:T((?:\d+(?:\.\d+)?[HMS])+))?$/.exec(text)
  if (match === null) return null
  const of = (part: string | undefined, units: Readonly<Record<string, string>>): Term[] =>
    [...(part ?? '').matchAll(/([\d.]+)([A-Z])/g)].map(([, number, letter]) => [number, units[letter]])
  return [...of(match[1], ISO_DATE), ...of(match[2], ISO_CLOCK)]
}

/** A decimal number times a count, or null where that is no integer. */
function times(number: string, count: bigint): bigint | null {
  const [whole, fraction = ''] = number.split('.')
  const scale = 10n ** BigInt(fraction.length)
  const scaled = BigInt(whole + fraction) * count
  return scaled % scale === 0n ? scaled / scale : null
}
