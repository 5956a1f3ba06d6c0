/** Hand-computed facts about the model's expressions. */
import { describe, expect, it } from 'vitest'
import {
  evaluate,
  INT64_MAX,
  INT64_MIN,
  type ModelExpression,
  type ModelLiteral,
  typeOfExpression,
} from './expression.js'
import type { ModelKind, ModelUnit, Value } from './value.js'

const literal = (kind: ModelKind, value: Value, unit?: ModelUnit): ModelLiteral => ({
  op: 'literal',
  value,
  type: { kind, nullable: value === null, ...(unit === undefined ? {} : { unit }) },
})
const int = (value: bigint | null) => literal('int64', value)
const float = (value: number | null) => literal('float64', value)
const text = (value: string | null) => literal('utf8', value)
const yes = literal('bool', true)
const no = literal('bool', false)
const unknown = literal('bool', null)
const value = (expression: ModelExpression) => evaluate(expression, { source: 3, values: [] }, [])
const binary = (op: 'add' | 'sub' | 'mul' | 'div' | 'intDiv' | 'mod' | 'eq' | 'lt' | 'gt' | 'and' | 'or') => {
  return (left: ModelExpression, right: ModelExpression) => value({ op, left, right })
}

describe('expressions of the model', () => {
  it('follow three-valued logic', () => {
    const and = binary('and')
    const or = binary('or')
    expect([and(yes, unknown), and(no, unknown), and(unknown, no)]).toEqual([null, false, false])
    expect([or(yes, unknown), or(no, unknown), or(unknown, yes)]).toEqual([true, null, true])
    expect(value({ op: 'not', input: unknown })).toBeNull()
    expect(value({ op: 'isNull', input: unknown })).toBe(true)
    expect(binary('eq')(int(null), int(null))).toBeNull()
  })

  it('find in a list as SQL does', () => {
    const isIn = (input: ModelLiteral, ...values: ModelLiteral[]) => value({ op: 'in', input, values })
    expect(isIn(int(1n), int(2n), int(1n))).toBe(true)
    expect(isIn(int(1n), int(2n))).toBe(false)
    expect(isIn(int(1n), int(2n), int(null))).toBeNull()
    expect(isIn(int(null), int(2n))).toBeNull()
    expect(isIn(int(1n))).toBe(false)
    expect(isIn(float(NaN), float(NaN))).toBe(true)
  })

  it('order NaN above every number and take the two zeros for one', () => {
    expect(binary('gt')(float(NaN), float(Infinity))).toBe(true)
    expect(binary('eq')(float(NaN), float(NaN))).toBe(true)
    expect(binary('lt')(float(-0), float(0))).toBe(false)
    expect(binary('eq')(float(-0), int(0n))).toBe(true)
  })

  it('compare an integer with a float exactly', () => {
    expect(binary('eq')(int(2n ** 53n + 1n), float(2 ** 53))).toBe(false)
    expect(binary('gt')(int(2n ** 53n + 1n), float(2 ** 53))).toBe(true)
    expect(binary('lt')(int(INT64_MAX), float(2 ** 63))).toBe(true)
  })

  it('compare strings by their bytes, not by UTF-16 units', () => {
    expect('\u{1F600}' < '\uFF5E').toBe(true)
    expect(binary('gt')(text('\u{1F600}'), text('\uFF5E'))).toBe(true)
    expect(binary('lt')(text('a'), text('ab'))).toBe(true)
  })

  it('compare instants of different units', () => {
    expect(binary('eq')(literal('timestamp', 2n, 's'), literal('timestamp', 2000n, 'ms'))).toBe(true)
    expect(binary('lt')(literal('timestamp', 1999n, 'us'), literal('timestamp', 2n, 'ms'))).toBe(true)
  })

  it('refuse to wrap, at the row', () => {
    const failure = expect.objectContaining({ code: 'MR_INTEGER_OVERFLOW', row: 3 })
    expect(() => binary('add')(int(INT64_MAX), int(1n))).toThrow(failure)
    expect(() => binary('mul')(int(INT64_MIN), int(-1n))).toThrow(failure)
    expect(() => binary('intDiv')(int(INT64_MIN), int(-1n))).toThrow(failure)
    expect(() => value({ op: 'neg', input: int(INT64_MIN) })).toThrow(failure)
    expect(binary('mod')(int(INT64_MIN), int(-1n))).toBe(0n)
    expect(binary('add')(int(null), int(INT64_MAX))).toBeNull()
  })

  it('floor integer division and remainder, and give null for a zero divisor', () => {
    expect([binary('intDiv')(int(-7n), int(2n)), binary('mod')(int(-7n), int(2n))]).toEqual([-4n, 1n])
    expect([binary('intDiv')(int(7n), int(-2n)), binary('mod')(int(7n), int(-2n))]).toEqual([-4n, -1n])
    expect([binary('intDiv')(float(-7.5), int(2n)), binary('mod')(float(-7.5), int(2n))]).toEqual([-4, 0.5])
    expect([binary('div')(int(7n), int(2n)), binary('div')(int(7n), int(0n))]).toEqual([3.5, null])
    expect([binary('mod')(float(1), float(-0)), binary('intDiv')(int(1n), int(0n))]).toEqual([null, null])
  })

  it('type arithmetic by its operands', () => {
    const typed = (op: 'add' | 'div' | 'mod', left: ModelLiteral, right: ModelLiteral) =>
      typeOfExpression({ op, left, right }, [])
    expect(typed('add', literal('int8', 1n), literal('int8', 1n))).toEqual({ kind: 'int64', nullable: false })
    expect(typed('add', literal('float32', 1), int(1n))).toEqual({ kind: 'float64', nullable: false })
    expect(typed('div', int(1n), int(2n))).toEqual({ kind: 'float64', nullable: false })
    expect(typed('mod', int(1n), int(0n))).toEqual({ kind: 'int64', nullable: true })
  })
})
