/**
 * Functions of instants and of days. Here an instant is an int64 of ticks, of which `perDay` are a day; a day is one of a tick. Results are in scratch,
 * with the least valid row that leaves its type, or -1: then what is there of that row is unspecified.
 */
import type { Kernels } from './instance.js'

export interface Instants {
  /** int64 per row. */
  readonly data: number
  readonly validity: number
  readonly length: number
  readonly perDay: bigint
}

export interface Shifted {
  readonly data: number
  readonly failedRow: number
}

/** The numbers that assembly/times/parts.ts has for them. */
const PARTS = [
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'dayOfWeek',
  'dayOfYear',
  'hour',
  'minute',
  'second',
  'millisecond',
] as const
export type Part = (typeof PARTS)[number]

export const isPart = (name: string): name is Part => (PARTS as readonly string[]).includes(name)

/** Known without looking, so that groups of these are indexed directly. */
export const PART_RANGES: Readonly<Partial<Record<Part, { readonly min: bigint; readonly max: bigint }>>> = {
  quarter: { min: 1n, max: 4n },
  month: { min: 1n, max: 12n },
  week: { min: 1n, max: 53n },
  day: { min: 1n, max: 31n },
  dayOfWeek: { min: 1n, max: 7n },
  dayOfYear: { min: 1n, max: 366n },
  hour: { min: 0n, max: 23n },
  minute: { min: 0n, max: 59n },
  second: { min: 0n, max: 59n },
  millisecond: { min: 0n, max: 999n },
}

/** A zone's table: assembly/times/zones.ts draws it. */
export const ZONE_BYTES = 32

/** int32. */
export function parts(k: Kernels, part: Part, { data, validity, length, perDay }: Instants): Shifted {
  const out = k.memory.scratch(4 * length)
  return { data: out, failedRow: k.exports.timesPart(PARTS.indexOf(part), data, validity, perDay, length, out) }
}

/** int64 of int32 days. */
export function fromDays(k: Kernels, data: number, length: number): number {
  const out = k.memory.scratch(8 * length)
  k.exports.timesFromDays(data, length, out)
  return out
}

export function toDays(k: Kernels, { data, validity, length }: Instants): Shifted {
  const out = k.memory.scratch(4 * length)
  return { data: out, failedRow: k.exports.timesToDays(data, validity, length, out) }
}

/** Times `times`, or, where that is 1, by `by`, floored. */
export function scaled(k: Kernels, { data, validity, length }: Instants, times: bigint, by: bigint): Shifted {
  const out = k.memory.scratch(8 * length)
  return { data: out, failedRow: k.exports.timesScale(data, validity, times, by, length, out) }
}

/** So many months on, the day cut to what the month has, then so many ticks. */
export function shifted(
  k: Kernels,
  { data, validity, length, perDay }: Instants,
  months: bigint,
  ticks: bigint,
): Shifted {
  const out = k.memory.scratch(8 * length)
  return { data: out, failedRow: k.exports.timesShift(data, validity, months, ticks, perDay, length, out) }
}

/** Down to multiples of `size` ticks, counted from `anchor`, which is 0 to `size`. */
export function floored(k: Kernels, { data, validity, length }: Instants, size: bigint, anchor: bigint): Shifted {
  const out = k.memory.scratch(8 * length)
  return { data: out, failedRow: k.exports.timesFloor(data, validity, size, anchor, length, out) }
}

/** Down to multiples of `months`, counted from January 1970. */
export function flooredToMonths(k: Kernels, { data, validity, length, perDay }: Instants, months: bigint): Shifted {
  const out = k.memory.scratch(8 * length)
  return { data: out, failedRow: k.exports.timesFloorMonths(data, validity, months, perDay, length, out) }
}

/** Whole times `size` ticks from `b` to `a`; null where either is, as `validity` says. */
export function distances(k: Kernels, { data, length }: Instants, b: number, validity: number, size: bigint): Shifted {
  const out = k.memory.scratch(8 * length)
  return { data: out, failedRow: k.exports.timesDiff(data, b, validity, size, length, out) }
}

/** Whole times `months` from `b` to `a`. */
export function monthsBetween(k: Kernels, { data, length, perDay }: Instants, b: number, months: bigint): Shifted {
  const out = k.memory.scratch(8 * length)
  k.exports.timesDiffMonths(data, b, months, perDay, length, out)
  return { data: out, failedRow: -1 }
}

/** What clocks show. */
export function toLocal(k: Kernels, zone: number, { data, validity, length }: Instants): Shifted {
  const out = k.memory.scratch(8 * length)
  return { data: out, failedRow: k.exports.timesToLocal(zone, data, validity, length, out) }
}

/**
 * When clocks show it; of two instants the earlier. Times that are skipped: `compatible` as much later as clocks are put forward, else at that very moment.
 * `near`: with the offset that was in force at `instants`, where that can be.
 */
export function toInstant(
  k: Kernels,
  zone: number,
  how: 'compatible' | 'start' | 'near',
  { data, validity, length, perDay }: Instants,
  instants: number,
): Shifted {
  const out = k.memory.scratch(8 * length)
  const which = { compatible: 0, start: 1, near: 2 }[how]
  const reach = 2n * perDay
  const failedRow = k.exports.timesToInstant(zone, which, reach, data, instants, validity, length, out)
  return { data: out, failedRow }
}

/** When clocks show a multiple of `size` next, or pass one, as they are put forward. */
export function nextOfClock(k: Kernels, zone: number, { data, validity, length }: Instants, size: bigint): Shifted {
  const out = k.memory.scratch(8 * length)
  return { data: out, failedRow: k.exports.timesNext(zone, size, data, validity, length, out) }
}
