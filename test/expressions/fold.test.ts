/** Facts of folding and of failure analysis: what becomes constant, and what stays because it can fail. */
import { describe, expect, it } from 'vitest'
import { schema } from '../../src/columnar/schema.js'
import { bool, float64, int32, int64, nullable, timestamp, uint32 } from '../../src/columnar/type.js'
import { canFail } from '../../src/expressions/failure.js'
import { fold } from '../../src/expressions/fold.js'
import type { Expression, LiteralValue } from '../../src/expressions/node.js'
import { printExpression } from '../../src/expressions/print.js'
import { resolve } from '../../src/expressions/typing.js'

const shape = schema({
  i: int32(),
  u: uint32(),
  n: nullable(int32()),
  l: int64(),
  f: float64(),
  b: bool(),
  nb: nullable(bool()),
  s: timestamp('s'),
  ms: timestamp('ms'),
})
const column = (name: string): Expression => ({ op: 'column', name })
const literal = (value: LiteralValue): Expression => ({ op: 'literal', value })
const binary = (op: string, left: Expression, right: Expression) => ({ op, left, right }) as Expression
const unary = (op: string, input: Expression) => ({ op, input }) as Expression
const folded = (node: Expression) => printExpression(fold(resolve(node, shape), shape))
const fails = (node: Expression) => canFail(resolve(node, shape), shape)

/** `l * l > 0`: may overflow. */
const failing = binary('gt', binary('mul', column('l'), column('l')), literal(0))

describe('folding', () => {
  const call = (name: string, ...inputs: Expression[]) => ({ op: 'call', function: name, inputs }) as Expression

  it('leaves of coalesce what can come to be chosen', () => {
    expect(folded(call('coalesce', literal(null), column('n'), column('i'), column('n')))).toBe('coalesce(n, i)')
    expect(folded(call('coalesce', column('i'), column('n')))).toBe('i')
    expect(folded(call('coalesce', column('i'), column('i')))).toBe('i')
    expect(folded(call('coalesce', column('n'), column('i'), binary('mul', column('l'), column('l'))))).toBe(
      'coalesce(int64(n), int64(i))',
    )
    // Another type than its own.
    expect(folded(call('coalesce', column('i'), column('l')))).toBe('int64(i)')
  })

  it('leaves of conditions what may be true', () => {
    const values = [column('i'), column('n')]
    expect(folded(call('when', literal(true), ...values))).toBe('i')
    expect(folded(call('when', literal(false), ...values))).toBe('n')
    expect(folded(call('when', literal(null), ...values))).toBe('n')
    expect(folded(call('when', column('b'), column('i'), literal(true), column('n'), column('nb'), column('i')))).toBe(
      'when(b, i, n)',
    )
    expect(folded(call('when', literal(false), binary('mul', column('l'), column('l')), column('i')))).toBe('int64(i)')
    expect(folded(call('when', literal(true), column('l'), binary('mul', column('l'), column('l'))))).toBe('l')
  })

  it('computes of literals what is the same in every engine', () => {
    expect(folded(call('abs', literal(-3n)))).toBe('3')
    expect(folded(call('abs', literal(-(2n ** 63n))))).toMatch(/^abs/)
    expect(folded(call('floor', literal(-1.5)))).toBe('-2')
    expect(folded(call('sqrt', literal(2)))).toBe(String(Math.SQRT2))
    expect(folded(call('isNaN', literal(NaN)))).toBe('true')
    expect(folded(call('exp', literal(1)))).toMatch(/^exp/)
    expect(folded(call('sign', literal(null)))).toBe('null')
  })

  it('knows from their bounds which functions fail of no value', () => {
    expect(fails(call('abs', column('i')))).toBe(false)
    expect(fails(call('abs', column('l')))).toBe(true)
    expect(fails(call('abs', column('f')))).toBe(false)
    expect(fails(call('clamp', column('l'), literal(0n), literal(9n)))).toBe(false)
    const told = (name: string, input: Expression, parameters: object) =>
      ({ ...call(name, input), parameters }) as Expression
    expect(fails(told('round', column('i'), { decimals: -2 }))).toBe(false)
    expect(fails(told('round', column('l'), { decimals: -1 }))).toBe(true)
    expect(fails(told('bucket', column('i'), { width: 10 }))).toBe(false)
    expect(fails(told('bucket', column('l'), { width: 10 }))).toBe(true)
    expect(fails(told('cast', column('i'), { type: int64() }))).toBe(false)
    expect(fails(told('cast', column('l'), { type: int32() }))).toBe(true)
    expect(fails(told('tryCast', column('l'), { type: int32() }))).toBe(false)
  })

  it('computes comparisons of literals, with NaN equal to itself and -0 to 0', () => {
    expect(folded(binary('lt', literal(1), literal(2)))).toBe('true')
    expect(folded(binary('eq', literal(Number.NaN), literal(Number.NaN)))).toBe('true')
    expect(folded(binary('gt', literal(Number.NaN), literal(Number.POSITIVE_INFINITY)))).toBe('true')
    expect(folded(binary('eq', literal(-0), literal(0)))).toBe('true')
    expect(folded(binary('eq', literal(1n), literal(null)))).toBe('null')
  })

  it('makes a constant of what the literal decides, only where no row is null', () => {
    expect(folded(binary('gt', column('i'), literal(1e300)))).toBe('false')
    expect(folded(binary('gt', column('n'), literal(1e300)))).toBe('n != n')
    expect(folded({ op: 'in', input: column('n'), values: [] })).toBe('false')
  })

  it('lets go of what does not decide', () => {
    expect(folded(binary('and', column('b'), literal(true)))).toBe('b')
    expect(folded(binary('or', literal(false), column('nb')))).toBe('nb')
    expect(folded(binary('and', column('b'), binary('gt', column('i'), literal(1e300))))).toBe('false')
    expect(folded(binary('or', column('nb'), literal(null)))).toBe('nb or null')
    expect(folded(binary('and', column('nb'), column('nb')))).toBe('nb')
  })

  it('turns a negated comparison round, and takes two negations away', () => {
    expect(folded(unary('not', binary('lt', column('n'), literal(3))))).toBe('n >= 3')
    expect(folded(unary('not', unary('not', column('nb'))))).toBe('nb')
    expect(folded(unary('isNull', column('i')))).toBe('false')
    expect(folded(unary('isNull', column('n')))).toBe('n is null')
  })

  it('computes integers that stay within int64 and floats, and leaves an overflow to happen', () => {
    expect(folded(binary('add', literal(1n), literal(2n)))).toBe('3')
    expect(folded(binary('mul', literal(0.1), literal(3)))).toBe(String(0.1 * 3))
    expect(folded(binary('div', literal(1), literal(0)))).toBe('null')
    expect(folded(binary('add', literal(2n ** 63n - 1n), literal(1n)))).toBe('9223372036854775807 + 1')
  })

  it('never folds away what can fail', () => {
    expect(folded(binary('and', failing, literal(false)))).toBe('((l * l) > 0) and false')
    expect(folded(binary('or', literal(true), failing))).toBe('true or ((l * l) > 0)')
    expect(folded(unary('isNull', binary('mul', column('l'), column('l'))))).toBe('(l * l) is null')
  })
})

describe('what can fail', () => {
  it('int64 arithmetic can, arithmetic of narrower integers mostly cannot', () => {
    expect(fails(binary('add', column('l'), literal(1)))).toBe(true)
    expect(fails(binary('add', column('i'), column('u')))).toBe(false)
    expect(fails(binary('mul', column('i'), column('i')))).toBe(false)
    expect(fails(binary('mul', column('u'), column('u')))).toBe(true)
    expect(fails(binary('mul', binary('mul', column('i'), column('i')), column('i')))).toBe(true)
    expect(fails(unary('neg', column('l')))).toBe(true)
    expect(fails(unary('neg', column('i')))).toBe(false)
  })

  it('floats, remainders and comparisons cannot; only -1 makes a quotient overflow', () => {
    expect(fails(binary('mul', column('f'), column('f')))).toBe(false)
    expect(fails(binary('div', column('l'), column('l')))).toBe(false)
    expect(fails(binary('mod', column('l'), column('l')))).toBe(false)
    expect(fails(binary('intDiv', column('l'), literal(2)))).toBe(false)
    expect(fails(binary('intDiv', column('l'), literal(-1)))).toBe(true)
    expect(fails(binary('intDiv', column('l'), column('i')))).toBe(true)
    expect(fails(binary('lt', column('l'), column('f')))).toBe(false)
  })

  it('a timestamp brought to a finer unit can, and so can the year of a count of seconds', () => {
    expect(fails(binary('lt', column('s'), column('ms')))).toBe(true)
    expect(fails(unary('year', column('s')))).toBe(true)
    expect(fails(unary('year', column('ms')))).toBe(false)
  })

  it('is asked of every part', () => {
    expect(fails(binary('and', column('b'), failing))).toBe(true)
    expect(fails(unary('isNull', unary('neg', column('l'))))).toBe(true)
  })
})
