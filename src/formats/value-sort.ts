/**
 * What a value is by its text, by the rules of the kernels that will parse it (assembly/parse/), and stricter where a number would lose what the
 * text says.
 */
import { parseDay } from '../columnar/day.js'

/**
 * `wide`: an integer that int64 does not hold as it is written: beyond its range, or with a plus sign. `token`: text that often stands for null.
 */
export type ValueSort = 'bool' | 'integer' | 'wide' | 'float' | 'date' | 'time' | 'token' | 'text'

/** Of a field of CSV, without the spaces around it. */
export function sortOfField(text: string): ValueSort {
  if (text.length > LONGEST) return 'text'
  const first = text.charCodeAt(0)
  const isNumeric = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46
  if (isNumeric) {
    const sort = sortOfNumber(text) ?? sortOfTime(text)
    if (sort !== null) return sort
  } else if (BOOL.test(text)) {
    return 'bool'
  }
  if (NOT_FINITE.test(text)) return 'float'
  return TOKENS.has(text) ? 'token' : 'text'
}

/** Of a number as it is written in CSV or JSON; null for what is none. */
export function sortOfNumber(text: string): 'integer' | 'wide' | 'float' | null {
  if (hasLeadingZero(text)) return null
  if (INTEGER.test(text)) return text.charCodeAt(0) === 43 || isBeyondInt64(text) ? 'wide' : 'integer'
  return FLOAT.test(text) && isHeld(text) ? 'float' : null
}

/** Of text in ISO 8601; null for what is no day and no instant. */
export function sortOfTime(text: string): 'date' | 'time' | null {
  if (text.length < 10 || text.length > LONGEST) return null
  if (text.length <= 14) {
    const day = parseDay(text)
    if (day !== null) return (day | 0) === day ? 'date' : null
  }
  const match = TIME.exec(text)
  if (match === null || parseDay(text.slice(0, (match[1] as string).length + 6)) === null) return null
  const [, , hour, minute, second = '0', zoneHour = '0', zoneMinute = '0'] = match
  const isTime = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
  const isZone = Number(zoneHour) < 24 && Number(zoneMinute) < 60
  return isTime && isZone && fractionDigits(text).significant <= 9 ? 'time' : null
}

/** Of text that is a date or a time. */
export const yearOf = (text: string): number => Number.parseInt(text, 10)

/** Digits of the fraction of a second: as written, and without the zeros at their end. */
export function fractionDigits(text: string): { written: number; significant: number } {
  const fraction = /[.,](\d+)/.exec(text)?.[1] ?? ''
  return { written: fraction.length, significant: fraction.replace(/0+$/, '').length }
}

export const hasLeadingZero = (text: string): boolean =>
  /^[+-]?0\d/.test(text) && /^[+-]?[\d.]+(?:[eE][+-]?\d+)?$/.test(text)

/** Nothing longer is taken for anything but text, so that no pattern is slow. */
const LONGEST = 1000

const BOOL = /^(?:true|false)$/i
const INTEGER = /^[+-]?\d+$/
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i
const TIME = /^(\d{4}|[+-]\d{6,7})-\d\d-\d\d[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?:Z|[+-](\d\d)(?::(\d\d))?)?$/
const TOKENS: ReadonlySet<string> = new Set(
  'NA N/A n/a na #N/A NULL Null null NIL nil None none NONE \\N - -- ? . * missing unknown'.split(' '),
)

function isBeyondInt64(text: string): boolean {
  const isNegative = text.charCodeAt(0) === 45
  const digits = isNegative ? text.slice(1) : text
  if (digits.length !== 19) return digits.length > 19
  return digits > (isNegative ? '9223372036854775808' : '9223372036854775807')
}

/** Whether a double holds it, if rounded: `1e999` and `1e-999`, which are codes more often than numbers, it does not. */
function isHeld(text: string): boolean {
  const value = Number(text)
  if (!Number.isFinite(value)) return false
  return value !== 0 || !/[1-9]/.test(text.replace(/[eE].*$/, ''))
}
