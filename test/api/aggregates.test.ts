/** Aggregates as they are written: what each takes, `where`, arithmetic, and what is refused. What they come to is the engine's. */
import { describe, expect, it } from 'vitest'
import { columnsRecord } from '../../src/api/columns.js'
import { schema } from '../../src/columnar/schema.js'
import { bool, float64, int32, utf8 } from '../../src/columnar/type.js'
import { count, MillraceError, max, mean, min, sum } from '../../src/index.js'

const t = columnsRecord(schema({ n: int32(), f: float64(), s: utf8(), b: bool() }), 'aggregate') as any
const untyped = (value: unknown) => value as any

function refusal(act: () => unknown): MillraceError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('accepted')
}

describe('aggregates', () => {
  it('are calls over an expression, or over rows', () => {
    expect(count().aggregate).toEqual({ op: 'aggregate', function: 'count', inputs: [] })
    expect(String(sum(t.n.mul(2)))).toBe('sum(n * 2)')
    expect([count(t.s), mean(t.f), min(t.s), max(t.b)].map(String)).toEqual(['count(s)', 'mean(f)', 'min(s)', 'max(b)'])
  })

  it('combine by arithmetic, with numbers too', () => {
    expect(String(sum(t.f).div(count()).mul(100).sub(min(t.n)).add(1n))).toBe(
      '(((sum(f) / count()) * 100) - min(n)) + 1',
    )
  })

  it('where holds for every call in it, and several must all be true', () => {
    expect(String(sum(t.n).where(t.b))).toBe('sum(n) where b')
    expect(String(sum(t.n).where(t.b).where(t.n.gt(0)))).toBe('sum(n) where b and (n > 0)')
    expect(String(sum(t.n).div(count()).where(t.b))).toBe('(sum(n) where b) / (count() where b)')
  })

  it('are frozen data that structured cloning keeps', () => {
    const aggregate = sum(t.n).div(count()).where(t.b)
    expect(Object.keys(aggregate)).toEqual(['aggregate'])
    expect(structuredClone(aggregate)).toEqual({ aggregate: aggregate.aggregate })
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(aggregate)).toBe(true)
  })

  it('take columns of the right family, and say what they got', () => {
    expect(refusal(() => sum(t.s)).message).toContain('sum takes numbers')
    expect(refusal(() => sum(t.b)).message).toContain('count().where(t.x)')
    expect(refusal(() => mean(t.s)).code).toBe('MR_TYPE_MISMATCH')
    expect(refusal(() => sum(untyped('n'))).message).toContain('as in sum(t.x)')
    expect(refusal(() => sum(untyped(undefined))).code).toBe('MR_TYPE_MISMATCH')
    expect(refusal(() => count(untyped(sum(t.n)))).message).toContain('not another aggregate')
    expect(refusal(() => min(untyped(5))).code).toBe('MR_TYPE_MISMATCH')
  })

  it('combine with aggregates and numbers only', () => {
    expect(refusal(() => sum(t.n).div(t.n)).message).toContain('aggregate it first, as in sum(t.x)')
    expect(refusal(() => sum(t.n).add(untyped('1'))).code).toBe('MR_TYPE_MISMATCH')
    expect(refusal(() => untyped(sum(t.n)) + 1).message).toContain('.div(count())')
  })

  it('where takes a predicate', () => {
    expect(refusal(() => count().where(t.n)).message).toContain('t.x.gt(0)')
    expect(refusal(() => count().where(untyped('b'))).code).toBe('MR_TYPE_MISMATCH')
  })
})
