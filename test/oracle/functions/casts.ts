/** Conversions: of exact values, one at a time, text by regular expressions. */

import type { ModelFunction, ModelFunctions } from '../functions.js'
import { dateText } from '../javascript.js'
import { toUnits } from '../rational.js'
import { isFloat, ModelError, type ModelType, NANOSECONDS_PER, type Value } from '../value.js'

export const castFunctions: ModelFunctions = { cast: conversion(true), tryCast: conversion(false) }

type Code = 'MR_INTEGER_OVERFLOW' | 'MR_TYPE_MISMATCH' | 'MR_INEXACT_VALUE'
/** A value that there is not, and why. */
interface Missing {
  readonly missing: Code
}
const BEYOND: Missing = { missing: 'MR_INTEGER_OVERFLOW' }
const NO_SUCH: Missing = { missing: 'MR_TYPE_MISMATCH' }
const INEXACT: Missing = { missing: 'MR_INEXACT_VALUE' }

function conversion(isStrict: boolean): ModelFunction {
  return {
    type: ([from], { type }) => {
      const to = type as ModelType
      return { ...to, nullable: !isStrict || to.nullable || (from as ModelType).nullable }
    },
    evaluate([value], { parameters, types: [from], row }) {
      if (value === null) return null
      const result = converted(value as Value, from as ModelType, parameters.type as ModelType)
      if (typeof result !== 'object' || result === null || Array.isArray(result)) return result as Value
      if (isStrict) throw new ModelError((result as Missing).missing, row)
      return null
    },
  }
}

const DAY = 86_400n * NANOSECONDS_PER.s

function converted(value: Value, from: ModelType, to: ModelType): Value | Missing {
  if (from.kind === to.kind && from.unit === to.unit) return value
  if (to.kind === 'utf8') return written(value, from)
  if (typeof value === 'string') return read(value, to)
  if (isFloat(to.kind)) return toFloat(typeof value === 'boolean' ? Number(value) : (value as number | bigint), to.kind)
  if (to.kind === 'bool') return Number.isNaN(value) ? INEXACT : Number(value) !== 0
  if (typeof value === 'number')
    return within(Number.isNaN(value) ? INEXACT : Number.isFinite(value) ? BigInt(Math.trunc(value)) : BEYOND, to)
  const whole = typeof value === 'boolean' ? BigInt(value) : (value as bigint)
  if (isTime(from) && isTime(to)) return within(floorDiv(whole * nanoseconds(from), nanoseconds(to)), to)
  return within(whole, to)
}

const isTime = ({ kind }: ModelType) => kind === 'date' || kind === 'timestamp'
const nanoseconds = ({ kind, unit }: ModelType): bigint => (kind === 'date' ? DAY : NANOSECONDS_PER[unit ?? 'ms'])

function floorDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value < quotient * divisor ? quotient - 1n : quotient
}

function within(value: bigint | Missing, { kind }: ModelType): Value | Missing {
  if (typeof value !== 'bigint') return value
  const bits = kind === 'timestamp' ? 64 : kind === 'date' ? 32 : Number(kind.replace(/\D/g, ''))
  return (kind.startsWith('u') ? BigInt.asUintN : BigInt.asIntN)(bits, value) === value ? value : BEYOND
}

/** The double or float32 nearest to an exact value. */
function toFloat(value: number | bigint, kind: string): number | Missing {
  if (kind === 'float64') return Number(value)
  const near = typeof value === 'bigint' ? nearestFloat32(value) : Math.fround(value)
  return Math.abs(near) === Infinity && Math.abs(Number(value)) !== Infinity ? INEXACT : near
}

/** By one rounding, to even: an integer of more than 24 bits is cut to these, and what is left decides. */
function nearestFloat32(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  const drop = BigInt(Math.max(0, magnitude.toString(2).length - 24))
  let kept = magnitude >> drop
  const twice = (magnitude - (kept << drop)) * 2n
  const half = 1n << drop
  if (drop > 0n && (twice > half || (twice === half && kept % 2n === 1n))) kept++
  return Number(value < 0n ? -(kept << drop) : kept << drop)
}

function written(value: Value, { kind, unit }: ModelType): string {
  if (kind === 'date') return dateText(value as bigint)
  if (kind === 'timestamp') return instantText(value as bigint, unit ?? 'ms')
  if (kind !== 'float32') return String(value)
  // The first of its decimals, from few digits to many, that is read as the same float32.
  for (let digits = 1; digits <= 9; digits++) {
    const text = String(Number((value as number).toPrecision(digits)))
    if (Object.is(Math.fround(Number(text)), value)) return text
  }
  return String(value)
}

function instantText(value: bigint, unit: keyof typeof NANOSECONDS_PER): string {
  const perDay = DAY / NANOSECONDS_PER[unit]
  const days = floorDiv(value, perDay)
  const nanos = (value - days * perDay) * NANOSECONDS_PER[unit]
  const second = Number(nanos / NANOSECONDS_PER.s)
  const two = (part: number) => String(part).padStart(2, '0')
  const fraction = String(nanos % NANOSECONDS_PER.s)
    .padStart(9, '0')
    .slice(0, { s: 0, ms: 3, us: 6, ns: 9 }[unit])
  const clock = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`
  return `${dateText(days)}T${clock}${fraction === '' ? '' : `.${fraction}`}Z`
}

function read(text: string, to: ModelType): Value | Missing {
  const trimmed = text.trim()
  switch (to.kind) {
    case 'bool':
      return /^(true|t|1)$/i.test(trimmed) ? true : /^(false|f|0)$/i.test(trimmed) ? false : NO_SUCH
    case 'float32':
    case 'float64': {
      const number = readFloat(trimmed)
      return number === null ? NO_SUCH : to.kind === 'float32' ? nearestToText(trimmed, number) : number
    }
    case 'date': {
      const match = DATE.exec(trimmed)
      const days = match === null ? null : daysOf(match)
      return days === null ? NO_SUCH : within(days, to)
    }
    case 'timestamp':
      return readInstant(trimmed, to)
    default:
      return /^[+-]?\d+$/.test(trimmed) ? within(BigInt(trimmed.replace('+', '')), to) : NO_SUCH
  }
}

function readFloat(text: string): number | null {
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  if (/^[+-]?nan$/i.test(text)) return NaN
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  return null
}

/** The float32 nearest to what is written, of which `number` is the nearest double: exactly between two float32s, the text itself decides. */
function nearestToText(text: string, number: number): number {
  const near = Math.fround(number)
  if (near === number || !Number.isFinite(near)) return near
  const [, sign, whole, fraction = '', exponent = '0'] = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(
    text,
  ) as RegExpExecArray
  const scale = BigInt(exponent) - BigInt(fraction.length)
  if (scale < -2000n || scale > 400n) return near
  const written = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  const difference = written * 10n ** (scale + 2000n) * 2n ** 1074n - toUnits(number) * 10n ** 2000n
  // A step so small that only what lies exactly in the middle is moved by it.
  const nudge = difference > 0n ? 2 ** -52 : difference < 0n ? -(2 ** -52) : 0
  return Math.fround(number + Math.abs(number) * nudge)
}

const DATE = /^([+-]\d{4,}|\d{4})-(\d\d)-(\d\d)$/

function daysOf([, year, month, day]: readonly (string | undefined)[]): bigint | null {
  if (/^-0+$/.test(year as string)) return null
  const y = BigInt((year as string).replace('+', ''))
  const [m, d] = [Number(month), Number(day)]
  const isLeap = y % 4n === 0n && (y % 100n !== 0n || y % 400n === 0n)
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  if (m < 1 || m > 12 || d < 1 || d > (lengths[m - 1] as number)) return null
  const before = y - 1n
  const leaps = floorDiv(before, 4n) - floorDiv(before, 100n) + floorDiv(before, 400n)
  const ofYear = lengths.slice(0, m - 1).reduce((sum, length) => sum + length, d - 1)
  return before * 365n + leaps + BigInt(ofYear) - 719_162n
}

function readInstant(text: string, to: ModelType): Value | Missing {
  const match =
    /^([+-]\d{4,}|\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::(\d\d))?)?)?$/.exec(
      text,
    )
  const days = match === null ? null : daysOf(match)
  if (match === null || days === null) return NO_SUCH
  const [hour, minute, second, , , offsetHour, offsetMinute] = match.slice(4).map(part => Number(part ?? 0)) as number[]
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return NO_SUCH
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute) * 60
  const seconds = days * 86_400n + BigInt(hour * 3600 + minute * 60 + second - offset)
  const fraction = (match[7] ?? '').padEnd(9, '0')
  const nanos = BigInt(fraction.slice(0, 9))
  const unit = NANOSECONDS_PER[to.unit ?? 'ms']
  if (/[1-9]/.test(fraction.slice(9)) || nanos % unit !== 0n) return INEXACT
  const ticks = seconds * (NANOSECONDS_PER.s / unit) + nanos / unit
  return BigInt.asIntN(64, ticks) === ticks ? ticks : INEXACT
}
