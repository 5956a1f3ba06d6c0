/**
 * Functions of dates and timestamps. What a function is told: `zone`, the one that its calendar and clock are of, by default that of the column's type,
 * else UTC; `by`, a duration; `unit`.
 */
import { parseDay } from '../../columnar/day.js'
import { type DataType, date, int32, int64, type TimeUnit, timestamp } from '../../columnar/type.js'
import { MillraceError, quote } from '../../errors.js'
import type { CallTyping, Functions } from '../calls.js'
import { type Duration, parseDuration } from '../duration.js'
import { isFiner, unitRatio } from '../literal.js'
import type { CallNode, CallParameters } from '../node.js'
import {
  castTo,
  describe,
  isUntyped,
  literalTyped,
  mismatch,
  type Scope,
  settle,
  type Typed,
  withNull,
} from '../typing.js'
import { UTC, zoneOf } from '../zone.js'

const DAY = 86_400_000_000_000n
const MOST_TICKS = 2n ** 62n

/** Only instants near the ends of int64 have clocks beyond it. */
const inZone = ({ parameters }: CallNode): boolean => (parameters?.zone ?? UTC) !== UTC

const partOfDay = { takes: part(false), fails: inZone }
const partOfClock = { takes: part(true), fails: inZone }

export const timeFunctions: Functions = {
  year: { takes: part(false), fails: true },
  quarter: partOfDay,
  month: partOfDay,
  week: partOfDay,
  day: partOfDay,
  dayOfWeek: partOfDay,
  dayOfYear: partOfDay,
  hour: partOfClock,
  minute: partOfClock,
  second: partOfClock,
  millisecond: partOfClock,
  epoch: { takes: epoch, fails: true },
  date: { takes: toDate, fails: true },
  truncate: { takes: truncate, fails: true },
  add: { takes: add, fails: true },
  atZone: { takes: atZone, fails: true },
  diff: { takes: diff, fails: true },
}

function part(isOfClock: boolean): CallTyping {
  return (node, [given], scope) => {
    const input = time(given, node, scope)
    if (isOfClock && input.type.kind === 'date') throw noClock(input, node, scope)
    return { inputs: [input], parameters: told(node, input, scope), type: withNull(int32(), input.type.nullable) }
  }
}

/** The parameters of a call with its zone written out, so that lanes need not look for it. */
function told({ function: name, parameters = {} }: CallNode, { type }: Typed, { operator }: Scope): CallParameters {
  if (type.kind === 'date') {
    if (parameters.zone === undefined) return parameters
    throw invalid(operator, `${name}: a date is a day in every zone; only timestamps take one`)
  }
  const zone = parameters.zone ?? type.timeZone
  return zone === undefined ? parameters : { ...parameters, zone: zoneOf(zone, operator) }
}

function epoch(node: CallNode, [given]: readonly Typed[], scope: Scope): ReturnType<CallTyping> {
  const input = time(given, node, scope)
  return { inputs: [input], type: withNull(int64(), input.type.nullable) }
}

function toDate(node: CallNode, [given]: readonly Typed[], scope: Scope): ReturnType<CallTyping> {
  const input = time(given, node, scope)
  return { inputs: [input], parameters: told(node, input, scope), type: withNull(date(), input.type.nullable) }
}

function truncate(node: CallNode, [given]: readonly Typed[], scope: Scope): ReturnType<CallTyping> {
  const input = time(given, node, scope)
  unitOf(node, input.type, scope)
  // Of windows.
  const { offset: by } = node.parameters ?? {}
  if (by !== undefined) fitting(parseDuration(by, scope.operator), { ...node, parameters: { by } }, input.type, scope)
  return { inputs: [input], parameters: told(node, input, scope), type: input.type }
}

function add(node: CallNode, [given]: readonly Typed[], scope: Scope): ReturnType<CallTyping> {
  const input = time(given, node, scope)
  fitting(parseDuration(node.parameters?.by, scope.operator), node, input.type, scope)
  return { inputs: [input], parameters: told(node, input, scope), type: input.type }
}

function atZone(node: CallNode, [given]: readonly Typed[], scope: Scope): ReturnType<CallTyping> {
  const input = time(given, node, scope)
  if (input.type.kind === 'date') throw noClock(input, node, scope)
  return { inputs: [input], parameters: told(node, input, scope), type: input.type }
}

function diff(node: CallNode, [a, b]: readonly Typed[], scope: Scope): ReturnType<CallTyping> {
  const left = time(a, node, scope)
  const right = time(likeColumn(b, left.type), node, scope)
  if (left.type.kind !== right.type.kind) {
    throw mismatch(
      scope.operator,
      `diff is between two timestamps or two dates, not between ${describe(left)} and ${describe(right)}`,
    )
  }
  const type = right.type.kind === 'timestamp' && isFiner(right.type.unit as TimeUnit, left.type.unit as TimeUnit)
  const unit = (type ? right : left).type.unit
  const inputs =
    unit === undefined ? [left, right] : [left, right].map(side => castTo(side, timestamp(unit), scope.operator))
  unitOf(node, (type ? right : left).type, scope)
  return {
    inputs,
    parameters: told(node, left, scope),
    type: withNull(int64(), left.type.nullable || right.type.nullable),
  }
}

/** A literal as the column beside it would be written: 'YYYY-MM-DD' a date, a bigint a count of its unit. */
function likeColumn(given: Typed, { kind, unit }: DataType): Typed {
  if (!isUntyped(given.node)) return given
  const { value } = given.node
  const day = kind === 'date' && typeof value === 'string' ? parseDay(value) : null
  if (day !== null) return literalTyped(day, date())
  return kind === 'timestamp' && typeof value === 'bigint' ? literalTyped(value, timestamp(unit)) : given
}

function time(given: Typed, { function: name }: CallNode, { operator }: Scope): Typed {
  const input = settle(given, operator)
  const { kind } = input.type
  if (kind === 'timestamp' || kind === 'date') return input
  throw mismatch(operator, `${name} takes a date or a timestamp, not ${describe(input)}`)
}

const noClock = (input: Typed, { function: name }: CallNode, { operator }: Scope): MillraceError =>
  mismatch(
    operator,
    `${describe(input)} has no ${name}; a date is a whole day. Declare the column as timestamp() to have hours`,
  )

/** A duration that is to be counted in: of one kind, and above zero. */
function unitOf(node: CallNode, type: DataType, scope: Scope): void {
  const { by } = node.parameters ?? {}
  const duration = parseDuration(by, scope.operator)
  const { months, days, nanoseconds } = duration
  const kinds = [months, days, nanoseconds].filter(count => count !== 0 && count !== 0n)
  if (kinds.length !== 1 || kinds[0] < 0) {
    throw invalid(
      scope.operator,
      `${node.function}: ${quote(String(by))} is no unit; it is a number of months, of days or of something shorter, above 0`,
    )
  }
  fitting(duration, node, type, scope)
}

/** Refuses what a column has no room for. */
function fitting(
  { days, nanoseconds }: Duration,
  { parameters, function: name }: CallNode,
  type: DataType,
  scope: Scope,
): void {
  const by = quote(String(parameters?.by))
  const perUnit = type.kind === 'date' ? DAY : unitRatio(type.unit as TimeUnit, 'ns')
  const ticks = (BigInt(days) * DAY + nanoseconds) / perUnit
  if (ticks > MOST_TICKS || ticks < -MOST_TICKS) {
    throw invalid(
      scope.operator,
      `${name}: ${by} is longer than ${type.kind === 'date' ? 'dates' : `timestamps in '${type.unit}'`} can tell`,
    )
  }
  if (nanoseconds === 0n) return
  if (type.kind === 'date') {
    throw invalid(
      scope.operator,
      `${name}: a date is a whole day, and ${by} is no number of days; declare the column as timestamp() to have hours`,
    )
  }
  if (nanoseconds % perUnit !== 0n) {
    throw invalid(scope.operator, `${name}: ${by} is no whole number of the column's unit, which is '${type.unit}'`)
  }
}

const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })
