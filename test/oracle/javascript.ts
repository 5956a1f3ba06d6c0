/** Model values as JavaScript values: what `toRows({ bigint: true })` gives, and what sources accept. */
import { civilOfDays } from './calendar.js'
import type { ModelField, ModelRow, ModelType, Value } from './value.js'

/** A number for small integers and floats, a bigint for int64 and timestamps (in their unit), `'YYYY-MM-DD'` for a date, an array for a list. */
export function toJavaScript(value: Value, type: ModelType): Value {
  if (Array.isArray(value)) return value.map(item => toJavaScript(item, type.item as ModelType))
  if (typeof value !== 'bigint') return value
  if (type.kind === 'date') return dateText(value)
  return type.kind === 'int64' || type.kind === 'timestamp' ? value : Number(value)
}

/** `'YYYY-MM-DD'` of a day counted from 1970-01-01; beyond the years 0 to 9999 with a sign and six digits of the year at least. */
export function dateText(days: bigint): string {
  const { year, month, day } = civilOfDays(days)
  const isPlain = year >= 0 && year <= 9999
  const text = isPlain ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(year < 0 ? -year : year, 6)}`
  return `${text}-${pad(month, 2)}-${pad(day, 2)}`
}

/** A row as an ordinary object with own properties, whatever the names. */
export function toRowObject(row: ModelRow, fields: readonly ModelField[]): Record<string, Value> {
  return Object.fromEntries(fields.map(({ name, type }, i) => [name, toJavaScript(row.values[i] as Value, type)]))
}

function pad(value: bigint | number, digits: number): string {
  return String(value).padStart(digits, '0')
}
