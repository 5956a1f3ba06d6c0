/** Values of which the test knows what they are because it made them, and what a column of them must come to. */
import fc from 'fast-check'

export interface Known {
  readonly text: string
  readonly sort: 'bool' | 'integer' | 'wide' | 'float' | 'date' | 'time' | 'text'
  /** Of a time: digits of a second, none of them needless. */
  readonly digits?: number
}

const day = fc.date({ min: new Date('1700-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })

export const knownValue: Readonly<Record<Known['sort'], fc.Arbitrary<Known>>> = {
  bool: fc.constantFrom('true', 'false', 'TRUE', 'False').map(text => ({ text, sort: 'bool' })),
  integer: fc
    .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -99n, max: 99n }))
    .map(n => ({ text: String(n), sort: 'integer' })),
  wide: fc
    .bigInt({ min: 2n ** 63n, max: 2n ** 80n })
    .chain(n => fc.constantFrom(String(n), String(-n - 1n)))
    .map(text => ({ text, sort: 'wide' })),
  float: fc
    .double({ noDefaultInfinity: true, noNaN: true })
    .map(String)
    .filter(text => /[.e]/.test(text))
    .map(text => ({ text, sort: 'float' })),
  date: day.map(date => ({ text: date.toISOString().slice(0, 10), sort: 'date' })),
  time: fc
    .record({
      date: day,
      fraction: fc.constantFrom('', '.5', ',25', '.123', '.0001', '.123456', '.1234567', '.123456789'),
      mark: fc.constantFrom('T', ' '),
      zone: fc.constantFrom('', 'Z', '+02', '-11:30'),
    })
    .map(({ date, fraction, mark, zone }) => ({
      text: date.toISOString().slice(0, 19).replace('T', mark) + fraction + zone,
      sort: 'time',
      digits: Math.max(0, fraction.length - 1),
    })),
  text: fc
    .string({ unit: fc.constantFrom('a', 'é', '😀', ',', ';', '"', ' ', '\t', '\n', '\r\n', '1', '.', '-') })
    .map(rest => ({ text: `x${rest}`, sort: 'text' })),
}

/** A column of one sort, or of two. */
export const knownColumn = (rows: number, sorts: readonly Known['sort'][]): fc.Arbitrary<(Known | null)[]> =>
  fc.uniqueArray(fc.constantFrom(...sorts), { minLength: 1, maxLength: 2 }).chain(chosen => {
    const value: fc.Arbitrary<Known | null> = fc.oneof(...chosen.map(sort => knownValue[sort]))
    return fc.array(fc.option(value, { freq: 5 }), { minLength: rows, maxLength: rows })
  })

/** The type that a column must have, by what it was made of. */
export function expectedType(column: readonly (Known | null)[], wideIs: 'utf8' | 'float64'): string {
  const values = column.filter(value => value !== null)
  const sorts = new Set(values.map(({ sort }) => sort))
  const has = (...some: Known['sort'][]) => some.some(sort => sorts.has(sort))
  const one = sorts.size === 1 ? values[0].sort : null
  if (one === 'bool' || one === 'date') return one
  if (one === 'integer') return 'int64'
  if (sorts.size > 0 && !has('bool', 'date', 'time', 'text')) return has('float') ? 'float64' : wideIs
  if (has('time') && !has('bool', 'integer', 'wide', 'float', 'text')) {
    const digits = Math.max(...values.map(value => value.digits ?? 0))
    return `timestamp('${digits <= 3 ? 'ms' : digits <= 6 ? 'us' : 'ns'}')`
  }
  return 'utf8'
}
