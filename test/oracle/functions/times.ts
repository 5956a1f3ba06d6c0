/** Functions of time, one instant at a time: parts by counting, zones by asking `Intl`, durations by their text. */
import { civilOfDays, floorDiv, timePart } from '../calendar.js'
import type { ModelFunction, ModelFunctions, ModelParameters } from '../functions.js'
import { ModelError, type ModelKind, type ModelType, NANOSECONDS_PER, type Value } from '../value.js'
import { daysOfCivil, instantOf, localAt, offsetAt } from '../zones.js'

// Not expression.ts's: that imports this file.
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  hour: 3_600_000_000_000n,
  minute: 60_000_000_000n,
  second: 1_000_000_000n,
}
const DAYS: Readonly<Record<string, bigint>> = { day: 1n, week: 7n }
const MONTHS: Readonly<Record<string, bigint>> = { month: 1n, quarter: 3n, year: 12n }

interface Told {
  readonly zone: string | null
  /** Ticks of a day and of a second; a date is one tick. */
  readonly perDay: bigint
  readonly perSecond: bigint
  readonly type: ModelType
  readonly parameters: ModelParameters
}

type Compute = (value: bigint, told: Told, other: bigint) => bigint

function of(kind: ModelKind | 'same', compute: Compute, least = INT64_MIN, greatest = INT64_MAX): ModelFunction {
  return {
    type: inputs => {
      const nullable = inputs.some(input => input.nullable)
      return kind === 'same' ? (inputs[0] as ModelType) : { kind, nullable }
    },
    evaluate(values, { parameters, types: [type, otherType], row }): Value {
      // Of two units the finer, which has no room for all that the coarser has, whatever the other is.
      const unit = finer(type as ModelType, otherType)
      const inUnit = (given: Value, { unit: own }: ModelType): bigint => {
        const counted = own === undefined || unit === undefined ? 1n : NANOSECONDS_PER[own] / NANOSECONDS_PER[unit]
        const scaled = BigInt((given ?? 0n) as bigint) * counted
        if (scaled < INT64_MIN || scaled > INT64_MAX) throw new ModelError('MR_INTEGER_OVERFLOW', row)
        return scaled
      }
      const value = inUnit(values[0] as Value, type as ModelType)
      const other = otherType === undefined ? 0n : inUnit(values[1] as Value, otherType)
      if (values.includes(null)) return null
      const perSecond = unit === undefined ? 0n : NANOSECONDS_PER.s / NANOSECONDS_PER[unit]
      const told: Told = {
        zone: (parameters.zone as string | undefined) ?? null,
        perSecond,
        perDay: unit === undefined ? 1n : 86_400n * perSecond,
        type: { ...(type as ModelType), ...(unit === undefined ? {} : { unit }) },
        parameters,
      }
      const result = compute(value, told, other)
      const isDays = kind === 'date' || (kind === 'same' && type?.kind === 'date')
      const [low, high] = isDays || kind === 'int32' ? [-(2n ** 31n), 2n ** 31n - 1n] : [least, greatest]
      if (result < low || result > high) throw new ModelError('MR_INTEGER_OVERFLOW', row)
      return result
    },
  }
}

function finer(a: ModelType, b: ModelType | undefined): ModelType['unit'] {
  if (b?.unit === undefined || a.unit === undefined) return a.unit
  return NANOSECONDS_PER[a.unit] < NANOSECONDS_PER[b.unit] ? a.unit : b.unit
}

const local = (value: bigint, { zone, perSecond, type }: Told): bigint =>
  type.kind === 'date' ? value : localAt(zone, value, perSecond)

const part = (compute: (local: bigint, told: Told) => bigint): ModelFunction =>
  of('int32', (value, told) => compute(local(value, told), told))

const day = (value: bigint, { perDay }: Told): bigint => floorDiv(value, perDay)
const clock = (value: bigint, { perDay }: Told): bigint => value - floorDiv(value, perDay) * perDay
const civil = (value: bigint, told: Told) => civilOfDays(day(value, told))
const dayOfYear = (days: bigint): bigint => days - daysOfCivil(civilOfDays(days).year, 1, 1) + 1n
/** 0 for Monday. */
const weekday = (days: bigint): bigint => days + 3n - floorDiv(days + 3n, 7n) * 7n

/** `15m`, `-1 day`, `2 months`, `hour`: a count and a unit. */
function duration({ by }: ModelParameters): { months: bigint; days: bigint; nanoseconds: bigint } {
  const [, sign, count, word] = /^(-?)(\d*) ?([a-z]+)$/.exec(String(by)) as unknown as [string, string, string, string]
  const number = BigInt(count || '1') * (sign === '-' ? -1n : 1n)
  const units: Readonly<Record<string, bigint>> = { ...NANOSECONDS, ...DAYS, ...MONTHS }
  const unit = word in units ? word : word.replace(/s$/, '')
  const of = (some: Readonly<Record<string, bigint>>) => number * (some[unit] ?? 0n)
  return { months: of(MONTHS), days: of(DAYS), nanoseconds: of(NANOSECONDS) }
}

function addedMonths(value: bigint, months: bigint, told: Told): bigint {
  if (months === 0n) return value
  const { year, month, day: of } = civil(value, told)
  const all = year * 12n + BigInt(month - 1) + months
  const years = floorDiv(all, 12n)
  return daysOfCivil(years, Number(all - years * 12n) + 1, of) * told.perDay + clock(value, told)
}

const ticks = (nanoseconds: bigint, { type }: Told): bigint =>
  type.unit === undefined ? 0n : nanoseconds / NANOSECONDS_PER[type.unit]

function add(value: bigint, told: Told): bigint {
  const { months, days, nanoseconds } = duration(told.parameters)
  let moved = value
  if (months !== 0n || days !== 0n) {
    const to = addedMonths(local(value, told), months, told) + days * told.perDay
    moved = told.type.kind === 'date' ? to : instantOf(told.zone, to, told.perSecond, 'compatible')
  }
  return moved + ticks(nanoseconds, told)
}

function truncate(value: bigint, told: Told): bigint {
  const { months, days, nanoseconds } = duration(told.parameters)
  const { zone, perDay, perSecond, type } = told
  const shown = local(value, told)
  let start: bigint
  if (months !== 0n) {
    const { year, month } = civil(shown, told)
    const all = floorDiv((year - 1970n) * 12n + BigInt(month - 1), months) * months
    const years = floorDiv(all, 12n)
    start = daysOfCivil(years + 1970n, Number(all - years * 12n) + 1, 1) * perDay
  } else if (days !== 0n) {
    const anchor = days % 7n === 0n ? -3n : 0n
    start = (floorDiv(day(shown, told) - anchor, days) * days + anchor) * perDay
  } else {
    const size = ticks(nanoseconds, told)
    start = floorDiv(shown, size) * size
  }
  if (type.kind === 'date') return start
  const prefer = nanoseconds === 0n ? undefined : offsetAt(zone, value, perSecond)
  return instantOf(zone, start, perSecond, 'start', prefer)
}

function diff(value: bigint, told: Told, other: bigint): bigint {
  const { months, days, nanoseconds } = duration(told.parameters)
  if (nanoseconds !== 0n) return (value - other) / ticks(nanoseconds, told)
  const [to, from] = [local(value, told), local(other, told)]
  if (days !== 0n) return (to - from) / (days * told.perDay)
  // A guess that does not go too far, then step by step.
  const monthsOf = (shown: bigint) => civil(shown, told).year * 12n + BigInt(civil(shown, told).month)
  const between = (monthsOf(to) - monthsOf(from)) / months
  let count = between > 1n ? between - 1n : between < -1n ? between + 1n : 0n
  const reach = (n: bigint) => addedMonths(from, n * months, told)
  if (to >= from) while (reach(count + 1n) <= to) count++
  else while (reach(count - 1n) >= to) count--
  return count
}

export const timeFunctions: ModelFunctions = {
  year: part((value, told) => civil(value, told).year),
  quarter: part((value, told) => BigInt(Math.ceil(civil(value, told).month / 3))),
  month: part((value, told) => BigInt(civil(value, told).month)),
  week: part((value, told) => {
    const thursday = day(value, told) - weekday(day(value, told)) + 3n
    return floorDiv(dayOfYear(thursday) - 1n, 7n) + 1n
  }),
  day: part((value, told) => BigInt(civil(value, told).day)),
  dayOfWeek: part((value, told) => timePart('dayOfWeek', value, told.type)),
  dayOfYear: part((value, told) => dayOfYear(day(value, told))),
  hour: part((value, told) => clock(value, told) / (told.perSecond * 3600n)),
  minute: part((value, told) => (clock(value, told) / (told.perSecond * 60n)) % 60n),
  second: part((value, told) => (clock(value, told) / told.perSecond) % 60n),
  millisecond: part((value, told) => ((clock(value, told) % told.perSecond) * 1000n) / told.perSecond),
  date: of('date', (value, told) => day(local(value, told), told)),
  epoch: of('int64', (value, { type, parameters }) => {
    const nanoseconds = value * (type.unit === undefined ? 86_400n * NANOSECONDS_PER.s : NANOSECONDS_PER[type.unit])
    return floorDiv(nanoseconds, NANOSECONDS_PER[(parameters.unit ?? 'ms') as 'ms'])
  }),
  add: of('same', add),
  truncate: of('same', truncate),
  diff: of('int64', diff),
}
