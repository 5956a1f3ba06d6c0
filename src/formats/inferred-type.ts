/**
 * The narrowest type that holds a column's sampled values without losing anything, and which value decided it. What a value is by its text is
 * value-sort.ts's.
 */
import { shorten } from '../columnar/to-string.js'
import {
  bool,
  type DataType,
  date,
  float64,
  int64,
  nullable,
  type TimeUnit,
  timestamp,
  typeName,
  utf8,
} from '../columnar/type.js'
import { fractionDigits, hasLeadingZero, type ValueSort, yearOf } from './value-sort.js'

export interface InferredType {
  /** Always nullable: the rest of the file may hold what the sample does not. */
  readonly type: DataType
  readonly reason: string
}

export interface TypeScan {
  see(sort: ValueSort, text: string, row: number): void
  /** Values seen. */
  readonly values: number
  has(sort: ValueSort): boolean
  /** Null where there were no values. */
  first(): Example | null
  decide(): InferredType
}

export interface Example {
  readonly text: string
  readonly row: number
}

/** The whole years that an int64 of the unit reaches, as far as years are written. */
const UNITS = [
  { unit: 'ms', digits: 3, first: -9_999_999, last: 9_999_999 },
  { unit: 'us', digits: 6, first: -290_000, last: 290_000 },
  { unit: 'ns', digits: 9, first: 1678, last: 2261 },
] as const

/** @param roundsIntegers whether integers beyond int64 may be float64, as in JSON, where a number is a number; otherwise they stay text. */
export function createTypeScan(roundsIntegers: boolean): TypeScan {
  // In order of first appearance: what changes the type last decides.
  const firsts = new Map<ValueSort, Example>()
  const tokens = new Set<string>()
  let values = 0
  let written = 0
  let significant = 0
  let finest: Example | null = null
  let withoutOffset = false
  let firstYear = Infinity
  let lastYear = -Infinity

  const seeTime = (text: string, row: number): void => {
    const year = yearOf(text)
    firstYear = Math.min(firstYear, year)
    lastYear = Math.max(lastYear, year)
    const digits = fractionDigits(text)
    withoutOffset ||= !/(?:Z|[+-]\d\d(?::\d\d)?)$/.test(text.slice(11))
    significant = Math.max(significant, digits.significant)
    if (digits.written > written) {
      written = digits.written
      finest = { text, row }
    }
  }

  /** The unit that the digits written ask for, or else the finest that reaches all years and rounds nothing; null where there is none. */
  const unit = (): TimeUnit | null => {
    const units = UNITS.filter(({ first, last }) => first <= firstYear && lastYear <= last)
    const exact = units.filter(({ digits }) => digits >= significant)
    return (exact.find(({ digits }) => digits >= written) ?? exact.at(-1))?.unit ?? null
  }

  const typeOf = (sorts: readonly ValueSort[]): DataType => {
    const has = (sort: ValueSort) => sorts.includes(sort)
    const only = (...allowed: ValueSort[]) => sorts.every(sort => allowed.includes(sort))
    if (sorts.length === 0) return utf8()
    if (only('bool')) return bool()
    if (only('integer')) return int64()
    if (only('integer', 'wide', 'float')) return has('float') || roundsIntegers ? float64() : utf8()
    if (only('date')) return date()
    const timeUnit = only('date', 'time') ? unit() : null
    return timeUnit === null ? utf8() : timestamp(timeUnit)
  }

  const reasonOf = (type: DataType, sorts: readonly ValueSort[]): string => {
    if (sorts.length === 0) return 'no values'
    let decider = sorts[0]
    for (let n = 2; n <= sorts.length; n++) {
      if (typeName(typeOf(sorts.slice(0, n))) !== typeName(typeOf(sorts.slice(0, n - 1)))) decider = sorts[n - 1]
    }
    const example = firsts.get(decider) as Example
    const makes = `${shown(decider, example.text)} in row ${example.row} makes it ${typeName(type)}`
    if (type.kind === 'timestamp') {
      const zone = withoutOffset ? '; UTC where there is no offset' : ''
      if (finest !== null && type.unit !== 'ms')
        return `${type.unit === 'us' ? Math.min(written, 6) : written} digits of a second in row ${finest.row}${zone}`
      return `${sorts.length === 1 ? like(decider, example) : makes}${zone}`
    }
    if (type.kind !== 'utf8') return sorts.length === 1 ? like(decider, example) : makes
    const known = typeOf(sorts.filter(sort => sort !== 'token'))
    if (sorts.includes('token') && sorts.length > 1 && known.kind !== 'utf8') {
      const nulls = [...tokens].map(token => `'${token}'`).join(', ')
      return `${makes}; with nulls: ['', ${nulls}] it would be ${typeName(known)}`
    }
    if (decider === 'wide')
      return `${makes}: ${/^\+/.test(example.text) ? 'a number would lose its sign' : 'it is beyond int64'}`
    if (decider === 'time') return `${makes}: no unit holds all instants`
    if (decider === 'text' && hasLeadingZero(example.text)) return `${makes}: a number would lose its zeros`
    if (sorts.length === 1) return like(decider, example)
    return decider === sorts[0] ? `text like ${shown(decider, example.text)} (row ${example.row})` : makes
  }

  return {
    see(sort, text, row) {
      values++
      if (!firsts.has(sort)) firsts.set(sort, { text, row })
      if (sort === 'date' || sort === 'time') seeTime(text, row)
      else if (sort === 'token') tokens.add(text)
    },
    get values() {
      return values
    },
    has: sort => firsts.has(sort),
    first: () => firsts.values().next().value ?? null,
    decide() {
      const sorts = [...firsts.keys()]
      const type = typeOf(sorts)
      return { type: nullable(type), reason: reasonOf(type, sorts) }
    },
  }
}

const like = (sort: ValueSort, { text, row }: Example): string => `all like ${shown(sort, text)} (row ${row})`

const shown = (sort: ValueSort, text: string): string =>
  sort === 'text' || sort === 'token' ? `"${shorten(text)}"` : shorten(text)
