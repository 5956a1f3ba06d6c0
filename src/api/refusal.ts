/** The errors that the api throws at users whom no compiler stopped, and how a wrong value reads in them. */
import { MillraceError, quote } from '../errors.js'

export const mismatch = (operator: string, message: string, column?: string): MillraceError =>
  new MillraceError('MR_TYPE_MISMATCH', message, { operator, ...(column === undefined ? {} : { column }) })

export const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })

/** A value in a message: short, and safe whatever it is. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `the string ${quote(value)}`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'object' && value !== null) {
    if ((value as { family?: unknown }).family === 'aggregate')
      return 'an aggregate (they stand in aggregate(...) only)'
    return Array.isArray(value)
      ? 'an array'
      : value instanceof Date
        ? 'a Date'
        : value instanceof Promise
          ? 'a promise'
          : 'an object'
  }
  return `${typeof value === 'bigint' ? 'the bigint' : typeof value === 'number' ? 'the number' : ''} ${String(value)}`.trim()
}

export const isPlainRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Promise) &&
  !(value instanceof Date)
