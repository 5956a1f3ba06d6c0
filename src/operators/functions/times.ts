/**
 * Functions of dates and timestamps, compiled: a part of lanes, loaded for the first plan that calls one. What a zone has a say in is computed on what its
 * clocks show, and put back; dates are days, of one tick each.
 */
import type { DataType, TimeUnit } from '../../columnar/type.js'
import { type Duration, parseDuration } from '../../expressions/duration.js'
import type { CallNode } from '../../expressions/node.js'
import { UTC } from '../../expressions/zone.js'
import { bothValid } from '../../kernels/bitmap.js'
import type { LaneVector } from '../../kernels/lane-vector.js'
import { nullableIf } from '../../kernels/operand.js'
import { rangeOf } from '../../kernels/stats.js'
import {
  distances,
  floored,
  flooredToMonths,
  fromDays,
  type Instants,
  isPart,
  monthsBetween,
  nextOfClock,
  PART_RANGES,
  parts,
  type Shifted,
  scaled,
  shifted,
  toDays,
  toInstant,
  toLocal,
} from '../../kernels/times.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'
import type { Failures } from '../compiled.js'
import { createZoneTable } from '../zone-table.js'

const NANOSECONDS: Readonly<Record<TimeUnit, bigint>> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n }
const DAY_NANOSECONDS = 86_400_000_000_000n
const NONE: Duration = { months: 0, days: 0, nanoseconds: 0n }
/** The Monday of the week of 1970-01-01. */
const MONDAY = -3n

export function compileCall(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const { k } = context
  const { function: name, parameters = {} } = node
  const type = node.type as DataType
  const by = parameters.by === undefined ? null : parseDuration(parameters.by, name)
  const offset = parameters.offset === undefined ? NONE : parseDuration(parameters.offset, name)
  const table = (parameters.zone ?? UTC) === UTC ? null : createZoneTable(k, parameters.zone as string)

  return {
    run(morsel, failures) {
      const vectors = inputs.map(({ column }) => column(morsel, failures))
      const [vector] = vectors
      const nanoseconds = vector.type.kind === 'date' ? null : NANOSECONDS[vector.type.unit as TimeUnit]
      const run = runOf(nanoseconds, vector, failures)
      const validity = vectors.reduce((so, { validity }) => bothValid(k, so, validity, morsel.rowCount), 0)
      const data = compute(run, vectors, validity)
      const range = isPart(name) ? (PART_RANGES[name] ?? null) : null
      return { type: nullableIf(type, validity), length: morsel.rowCount, data, validity, dictionary: null, range }
    },
    free: () => table?.free(),
  }

  /** What is the same for all steps of one morsel. */
  function runOf(nanoseconds: bigint | null, { validity, length }: LaneVector, failures: Failures) {
    const perDay = nanoseconds === null ? 1n : DAY_NANOSECONDS / nanoseconds
    const noted = ({ data, failedRow }: Shifted): number => {
      failures.note(failedRow, node, BEYOND)
      return data
    }
    const of = (data: number): Instants => ({ data, validity, length, perDay })
    const zone = (data: number, reach = 0n): number => {
      const { min, max } = rangeOf(k, { type: TICKS, data, validity, length, dictionary: null, range: null }) ?? ZERO
      return table?.covering({ min, max: max + reach }, perDay / 86_400n) ?? 0
    }
    return {
      nanoseconds,
      perDay,
      noted,
      of,
      ticksOf: ({ type, data }: LaneVector): number => (type.kind === 'date' ? fromDays(k, data, length) : data),
      local: (data: number): number => (table === null ? data : noted(toLocal(k, zone(data), of(data)))),
      instant: (local: number, how: 'compatible' | 'start' | 'near', was: number): number =>
        table === null ? local : noted(toInstant(k, zone(local), how, of(local), was)),
      next: (data: number, size: bigint): number => noted(nextOfClock(k, zone(data, size), of(data), size)),
      /** A result of the column's own type. */
      own: (data: number): number => (nanoseconds === null ? noted(toDays(k, of(data))) : data),
    }
  }

  function compute(run: ReturnType<typeof runOf>, [vector, other]: readonly LaneVector[], validity: number): number {
    const { noted, of, perDay, nanoseconds } = run
    const ticks = run.ticksOf(vector)
    if (isPart(name)) return noted(parts(k, name, of(run.local(ticks))))
    switch (name) {
      case 'epoch': {
        const to = NANOSECONDS[parameters.unit as TimeUnit]
        const from = nanoseconds ?? DAY_NANOSECONDS
        return noted(scaled(k, of(ticks), from > to ? from / to : 1n, from > to ? 1n : to / from))
      }
      case 'date':
        return noted(toDays(k, of(noted(scaled(k, of(run.local(ticks)), 1n, perDay)))))
      case 'atZone':
        return run.instant(ticks, 'compatible', ticks)
      case 'add':
        return run.own(added(run, ticks, by as Duration))
      case 'truncate':
        return run.own(truncated(run, ticks, by as Duration))
      default: {
        const { months, days, nanoseconds: short } = by as Duration
        const isOfCalendar = short === 0n
        const from = run.ticksOf(other)
        const [a, b] = isOfCalendar ? [run.local(ticks), run.local(from)] : [ticks, from]
        if (months !== 0) return noted(monthsBetween(k, of(a), b, BigInt(months)))
        return noted(distances(k, of(a), b, validity, ticksIn(run, days, short)))
      }
    }
  }

  /** Months and days by the calendar, then the rest by the clock. */
  function added(run: ReturnType<typeof runOf>, ticks: number, { months, days, nanoseconds: short }: Duration): number {
    const { noted, of } = run
    if (table === null) return noted(shifted(k, of(ticks), BigInt(months), ticksIn(run, days, short)))
    const isOfCalendar = months !== 0 || days !== 0
    const day = isOfCalendar
      ? run.instant(
          noted(shifted(k, of(run.local(ticks)), BigInt(months), ticksIn(run, days, 0n))),
          'compatible',
          ticks,
        )
      : ticks
    return short === 0n ? day : noted(shifted(k, of(day), 0n, ticksIn(run, 0, short)))
  }

  /** To where a unit begins, or the next one: units that an offset moves, months and days of it by the calendar, the rest, and all of it for units of hours, by the clock. */
  function truncated(
    run: ReturnType<typeof runOf>,
    ticks: number,
    { months, days, nanoseconds: short }: Duration,
  ): number {
    const { noted, of } = run
    const isNext = parameters.next === true
    const moved = (data: number, months: number, ticks: bigint): number =>
      months === 0 && ticks === 0n ? data : noted(shifted(k, of(data), BigInt(months), ticks))
    const isOfCalendar = short === 0n
    const byClock = ticksIn(run, isOfCalendar ? 0 : offset.days, offset.nanoseconds)
    const byDays = ticksIn(run, isOfCalendar ? offset.days : 0, 0n)
    const size = ticksIn(run, days, short)
    const instants = moved(ticks, 0, -byClock)
    if (isNext && !isOfCalendar && table !== null) return moved(run.next(instants, size), 0, byClock)
    // Days first, since they were added last: no month is cut then.
    const local = of(moved(moved(run.local(instants), 0, -byDays), -offset.months, 0n))
    const anchor = days % 7 === 0 && days !== 0 ? size + MONDAY * run.perDay : 0n
    const whole = noted(months === 0 ? floored(k, local, size, anchor) : flooredToMonths(k, local, BigInt(months)))
    const start = moved(whole, offset.months + (isNext ? months : 0), byDays + (isNext ? size : 0n))
    return moved(run.instant(start, isOfCalendar ? 'start' : 'near', instants), 0, byClock)
  }

  function ticksIn({ perDay, nanoseconds }: ReturnType<typeof runOf>, days: number, short: bigint): bigint {
    return BigInt(days) * perDay + (nanoseconds === null ? 0n : short / nanoseconds)
  }
}

const ZERO = { min: 0n, max: 0n }
const TICKS: DataType = { kind: 'int64', nullable: true }

const BEYOND = {
  code: 'MR_INTEGER_OVERFLOW',
  what: 'is beyond what its type can hold',
  remedy: 'filter such rows out first, or declare the column in a coarser unit of time',
} as const
