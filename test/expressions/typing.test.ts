/** Facts of typing: what each operator takes and gives, how literals settle, and what is refused with which words. */
import { describe, expect, it } from 'vitest'
import { schema } from '../../src/columnar/schema.js'
import {
  bool,
  date,
  float32,
  float64,
  int8,
  int32,
  int64,
  list,
  nullable,
  timestamp,
  typeName,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import type { MillraceError } from '../../src/errors.js'
import type { Expression, LiteralValue } from '../../src/expressions/node.js'
import { printExpression } from '../../src/expressions/print.js'
import { resolve, typeOf } from '../../src/expressions/typing.js'

const shape = schema({
  i8: int8(),
  i32: int32(),
  u32: uint32(),
  i64: int64(),
  n64: nullable(int64()),
  f32: float32(),
  f64: float64(),
  s: utf8(),
  b: bool(),
  nb: nullable(bool()),
  ms: timestamp('ms'),
  us: timestamp('us'),
  ns: nullable(timestamp('ns')),
  rome: timestamp('ms', 'Europe/Rome'),
  d: date(),
  items: list(int32()),
})

const column = (name: string): Expression => ({ op: 'column', name })
const literal = (value: LiteralValue): Expression => ({ op: 'literal', value })
const instant = (text: string): Expression => ({
  op: 'literal',
  value: BigInt(Date.parse(text)),
  type: timestamp('ms'),
})
type Operand = Expression | LiteralValue
const operand = (given: Operand): Expression => (typeof given === 'object' && given !== null ? given : literal(given))
const binary = (op: string, left: Operand, right: Operand) =>
  ({ op, left: operand(left), right: operand(right) }) as Expression
const unary = (op: string, input: Expression) => ({ op, input }) as Expression
const among = (input: Expression, values: LiteralValue[]): Expression => ({
  op: 'in',
  input,
  values: values.map(value => ({ op: 'literal', value })),
})

const type = (expression: Expression) => typeName(typeOf(expression, shape, 'derive'))
/** The resolved tree as text, and the type of the whole. */
const resolved = (expression: Expression) => `${printExpression(resolve(expression, shape))}: ${type(expression)}`

function refusal(expression: Expression): MillraceError {
  try {
    typeOf(expression, shape, 'derive')
  } catch (error) {
    return error as MillraceError
  }
  throw new Error(`accepted: ${printExpression(expression)}`)
}

describe('arithmetic', () => {
  it('add, sub, mul and neg of integers are int64, of any float float64', () => {
    expect(resolved(binary('add', column('i8'), column('u32')))).toBe('int64(i8) + int64(u32): int64')
    expect(resolved(binary('mul', column('i32'), column('f32')))).toBe('float64(i32) * float64(f32): float64')
    expect(resolved(unary('neg', column('i8')))).toBe('-int64(i8): int64')
    expect(type(unary('neg', column('f32')))).toBe('float64')
    expect(type(binary('sub', column('n64'), column('i32')))).toBe('nullable(int64)')
  })

  it('a whole literal is an integer beside integers and a float beside floats; a fraction makes floats of integers', () => {
    expect(resolved(binary('add', column('i32'), 1))).toBe('int64(i32) + 1: int64')
    expect(resolved(binary('add', column('i32'), 1n))).toBe('int64(i32) + 1: int64')
    expect(resolve(binary('add', column('f64'), 1), shape)).toMatchObject({
      right: { value: 1, type: { kind: 'float64' } },
    })
    expect(resolved(binary('add', column('i32'), 1.5))).toBe('float64(i32) + 1.5: float64')
    expect(type(binary('add', column('i64'), 1e300))).toBe('float64')
    expect(resolved(binary('sub', 1, column('i32')))).toBe('1 - int64(i32): int64')
  })

  it('div is float64; a zero divisor gives null, so only a literal that is not zero keeps it from being nullable', () => {
    expect(resolved(binary('div', column('i32'), 3))).toBe('float64(i32) / 3: float64')
    expect(type(binary('div', column('i32'), 0))).toBe('nullable(float64)')
    expect(type(binary('div', column('i32'), column('i32')))).toBe('nullable(float64)')
    expect(type(binary('intDiv', column('i32'), -2))).toBe('int64')
    expect(type(binary('mod', column('i32'), column('i8')))).toBe('nullable(int64)')
    expect(type(binary('mod', column('f32'), 0.5))).toBe('float64')
  })

  it('a bigint beside a float must be that very float, and within int64 beside an integer', () => {
    expect(type(binary('add', column('f64'), 2n ** 60n))).toBe('float64')
    expect(refusal(binary('add', column('f64'), 2n ** 53n + 1n))).toMatchObject({ code: 'MR_INEXACT_VALUE' })
    expect(refusal(binary('add', column('i64'), 2n ** 63n))).toMatchObject({ code: 'MR_INTEGER_OVERFLOW' })
  })

  it('takes nothing but numbers, and says what it got', () => {
    expect(refusal(binary('add', column('s'), 1)).message).toBe(
      'MR_TYPE_MISMATCH: derive: add takes numbers, not utf8 column "s"',
    )
    expect(refusal(binary('add', column('i32'), 'x')).message).toBe(
      'MR_TYPE_MISMATCH: derive: add takes numbers, not the string literal "x"',
    )
    expect(refusal(unary('neg', column('b')))).toMatchObject({
      code: 'MR_TYPE_MISMATCH',
      details: { operator: 'derive', column: 'b' },
    })
    expect(refusal(binary('mul', column('d'), 2)).code).toBe('MR_TYPE_MISMATCH')
  })

  it('goes a thousand operations deep, and says so beyond, however far', () => {
    const deep = (operations: number) => {
      let expression: Expression = column('i32')
      for (let i = 0; i < operations; i++) expression = binary('add', expression, 1)
      return expression
    }
    expect(type(deep(999))).toBe('int64')
    for (const operations of [1000, 100_000]) {
      expect(refusal(deep(operations))).toMatchObject({ code: 'MR_INVALID_OPTION', details: { operator: 'derive' } })
    }
    // Of the same operands there are not as many as there are ways to them.
    let shared: Expression = column('f64')
    for (let i = 0; i < 20; i++) shared = binary('add', shared, shared)
    expect(type(shared)).toBe('float64')
  })
})

describe('comparison', () => {
  it('small integers compare as int32, uint32 and int64 as int64, floats as float64, int64 with float as they are', () => {
    expect(resolved(binary('lt', column('i8'), column('i32')))).toBe('int32(i8) < i32: bool')
    expect(resolved(binary('lt', column('i8'), column('u32')))).toBe('int64(i8) < int64(u32): bool')
    expect(resolved(binary('eq', column('i32'), column('f32')))).toBe('float64(i32) = float64(f32): bool')
    expect(resolved(binary('eq', column('i64'), column('f32')))).toBe('i64 = float64(f32): bool')
    expect(resolved(binary('eq', column('u32'), column('f64')))).toBe('float64(u32) = f64: bool')
    expect(resolved(binary('gte', column('n64'), column('i8')))).toBe('n64 >= int64(i8): nullable(bool)')
  })

  it('an integer column beside a fraction is compared with the whole number below it', () => {
    expect(resolved(binary('gt', column('i32'), 2.5))).toBe('i32 > 2: bool')
    expect(resolved(binary('gte', column('i32'), 2.5))).toBe('i32 > 2: bool')
    expect(resolved(binary('lt', column('i32'), -2.5))).toBe('i32 <= -3: bool')
    expect(resolved(binary('lte', column('i64'), 0.5))).toBe('i64 <= 0: bool')
    expect(resolved(binary('gt', 2.5, column('i32')))).toBe('i32 <= 2: bool')
    expect(resolved(binary('eq', column('i32'), 2.5))).toBe('i32 != i32: bool')
    expect(resolved(binary('ne', column('n64'), 2.5))).toBe('n64 = n64: nullable(bool)')
  })

  it('a literal beyond all values of an integer decides every row that is not null', () => {
    expect(resolved(binary('lt', column('i8'), 2 ** 40))).toBe('int32(i8) = int32(i8): bool')
    expect(resolved(binary('gt', column('i64'), 1e300))).toBe('i64 != i64: bool')
    expect(resolved(binary('gt', column('i64'), -(10n ** 30n)))).toBe('i64 = i64: bool')
    expect(resolved(binary('lt', column('n64'), Number.NaN))).toBe('n64 = n64: nullable(bool)')
    expect(resolved(binary('lte', column('i64'), Number.NEGATIVE_INFINITY))).toBe('i64 != i64: bool')
    expect(resolved(binary('lt', column('i64'), 2n ** 63n - 1n))).toBe('i64 < 9223372036854775807: bool')
  })

  it('a bigint that is no double is compared with the double below it', () => {
    expect(resolved(binary('gt', column('f64'), 2n ** 53n + 1n))).toBe('f64 > 9007199254740992: bool')
    expect(resolved(binary('lt', column('f64'), 2n ** 53n + 3n))).toBe('f64 <= 9007199254740994: bool')
    expect(resolved(binary('gte', column('f64'), -(2n ** 53n) - 1n))).toBe('f64 > -9007199254740994: bool')
    expect(resolved(binary('eq', column('f64'), 2n ** 53n + 1n))).toBe('f64 != f64: bool')
    expect(resolved(binary('gt', column('f64'), 10n ** 400n))).toBe('f64 > 1.7976931348623157e+308: bool')
    expect(resolved(binary('gt', column('f64'), -(10n ** 400n)))).toBe('f64 > -Infinity: bool')
  })

  it('booleans are equal or not, and have no order', () => {
    expect(type(binary('eq', column('b'), true))).toBe('bool')
    expect(type(binary('ne', column('b'), column('nb')))).toBe('nullable(bool)')
    expect(refusal(binary('lt', column('b'), column('nb'))).message).toContain('does not order booleans')
    expect(refusal(binary('gte', true, column('b'))).code).toBe('MR_TYPE_MISMATCH')
  })

  it('families do not mix', () => {
    for (const [left, right] of [
      ['s', 'i32'],
      ['b', 'i8'],
      ['ms', 'd'],
      ['i64', 'ms'],
      ['d', 's'],
    ]) {
      expect(refusal(binary('eq', column(left as string), column(right as string))).message).toContain('cannot compare')
    }
    expect(refusal(binary('eq', column('s'), 1)).message).toContain(
      'cannot compare utf8 column "s" with the number literal 1',
    )
    expect(refusal(binary('eq', column('i32'), '1')).message).toContain('the string literal "1"')
    expect(refusal(binary('eq', column('items'), column('items'))).code).toBe('MR_TYPE_MISMATCH')
  })
})

describe('time', () => {
  it('timestamps of two units compare in the finer one, whatever their zones', () => {
    expect(resolved(binary('lt', column('ms'), column('us')))).toBe('timestamp_us(ms) < us: bool')
    expect(resolved(binary('gte', column('ns'), column('us')))).toBe('ns >= timestamp_ns(us): nullable(bool)')
    expect(resolved(binary('eq', column('ms'), column('rome')))).toBe('ms = rome: bool')
  })

  it('a Date is brought to the unit of the column, exactly', () => {
    expect(resolved(binary('gte', column('us'), instant('2001-01-01T00:00:00.5Z')))).toBe(
      'us >= 2001-01-01T00:00:00.500000Z: bool',
    )
    const seconds = schema({ at: timestamp('s') })
    const half = instant('2001-01-01T00:00:00.5Z')
    expect(printExpression(resolve(binary('lt', column('at'), half), seconds))).toBe('at <= 2001-01-01T00:00:00Z')
    expect(printExpression(resolve(binary('eq', column('at'), half), seconds))).toBe('at != at')
    expect(printExpression(resolve(binary('gt', column('at'), instant('1969-12-31T23:59:59.5Z')), seconds))).toBe(
      'at > 1969-12-31T23:59:59Z',
    )
  })

  it('a Date beyond the range of nanoseconds decides every row', () => {
    expect(resolved(binary('lt', column('ns'), instant('2500-01-01T00:00:00Z')))).toBe('ns = ns: nullable(bool)')
    expect(resolved(binary('lt', column('ns'), instant('1500-01-01T00:00:00Z')))).toBe('ns != ns: nullable(bool)')
  })

  it('a bigint counts the unit of the column; a number and a string are refused, with what to write', () => {
    expect(resolve(binary('gt', column('us'), 5n), shape)).toMatchObject({
      right: { value: 5n, type: { kind: 'timestamp', unit: 'us' } },
    })
    expect(refusal(binary('gt', column('us'), 5)).message).toContain('write a Date, or a bigint that counts us')
    expect(refusal(binary('gt', column('us'), '2001-01-01')).message).toContain('write new Date(...)')
  })

  it("a date compares with 'YYYY-MM-DD' and with a Date at midnight UTC", () => {
    expect(resolve(binary('eq', column('d'), '1970-01-02'), shape)).toMatchObject({
      right: { value: 1, type: { kind: 'date' } },
    })
    expect(resolved(binary('gte', column('d'), instant('2024-02-29T00:00:00Z')))).toBe("d >= '2024-02-29': bool")
    expect(refusal(binary('gte', column('d'), instant('2024-02-29T12:00:00Z'))).message).toContain("write '2024-02-29'")
    for (const text of ['2023-02-29', '2023-13-01', 'today', '2023-1-1', '']) {
      expect(refusal(binary('eq', column('d'), text))).toMatchObject({
        code: 'MR_TYPE_MISMATCH',
        message: expect.stringContaining("write 'YYYY-MM-DD'"),
      })
    }
  })

  it('parts are int32; a date has no hour; of zones other than UTC they are calls', () => {
    for (const part of ['year', 'month', 'dayOfWeek']) expect(type(unary(part, column('d')))).toBe('int32')
    expect(type(unary('hour', column('ns')))).toBe('nullable(int32)')
    expect(refusal(unary('hour', column('d'))).message).toContain('has no hour')
    expect(resolved(unary('year', column('rome')))).toBe('year(rome, "Europe/Rome"): int32')
    // As a file may have it.
    const nowhere = schema({ at: { ...timestamp('ms'), timeZone: 'Europe/Atlantis' } })
    expect(() => typeOf(unary('hour', column('at')), nowhere)).toThrow('MR_INVALID_OPTION')
    expect(refusal(unary('year', column('i64'))).code).toBe('MR_TYPE_MISMATCH')
    const utc = schema({ at: timestamp('ms', 'UTC') })
    expect(typeName(typeOf(unary('hour', column('at')), utc))).toBe('int32')
  })
})

describe('logic and membership', () => {
  it('and, or and not take booleans; isNull takes anything and is never null', () => {
    expect(type(binary('and', column('b'), column('nb')))).toBe('nullable(bool)')
    expect(type(unary('not', column('b')))).toBe('bool')
    expect(refusal(binary('or', column('b'), column('i32'))).message).toContain(
      'or takes booleans, not int32 column "i32"',
    )
    expect(type(unary('isNull', column('n64')))).toBe('bool')
    expect(type(unary('isNull', column('items')))).toBe('bool')
  })

  it('in keeps the values that some row can equal, in the kind of the column', () => {
    expect(resolved(among(column('i8'), [1, 2.5, 300, 1e300]))).toBe('int32(i8) in (1, 300): bool')
    expect(resolved(among(column('u32'), [4294967295]))).toBe('int64(u32) in (4294967295): bool')
    expect(resolved(among(column('f32'), [1, Number.NaN, 2n ** 53n + 1n]))).toBe('float64(f32) in (1, NaN): bool')
    expect(resolved(among(column('d'), ['1970-01-01']))).toBe("d in ('1970-01-01'): bool")
    expect(refusal(among(column('s'), ['a', 1])).code).toBe('MR_TYPE_MISMATCH')
  })

  it('in of an empty list is false for null too; a list of which nothing is left is false, but null for null', () => {
    expect(resolved(among(column('n64'), []))).toBe('n64 in (): bool')
    expect(resolved(among(column('n64'), [2.5]))).toBe('n64 != n64: nullable(bool)')
    expect(resolved(among(column('i64'), [2.5, null]))).toBe('i64 in (null): nullable(bool)')
  })
})

describe('names and literals', () => {
  it('an unknown column is named, with the nearest', () => {
    expect(refusal(column('f46'))).toMatchObject({
      code: 'MR_UNKNOWN_COLUMN',
      details: { column: 'f46', suggestion: 'f64' },
    })
    expect(refusal(column('toString')).code).toBe('MR_UNKNOWN_COLUMN')
  })

  it('a literal by itself is what columns() would infer', () => {
    expect([1, 1n, 'x', true, null].map(value => type(literal(value)))).toEqual([
      'float64',
      'int64',
      'utf8',
      'bool',
      'nullable(float64)',
    ])
    expect(type(instant('2001-01-01T00:00:00Z'))).toBe("timestamp('ms')")
    expect(refusal(literal(2n ** 64n)).code).toBe('MR_INTEGER_OVERFLOW')
  })

  it('a null takes the type of its partner', () => {
    expect(resolve(binary('add', column('i32'), null), shape)).toMatchObject({
      right: { value: null, type: { kind: 'int64', nullable: true } },
    })
    expect(resolved(binary('eq', column('s'), null))).toBe('s = null: nullable(bool)')
    expect(type(binary('and', column('b'), null))).toBe('nullable(bool)')
  })
})
