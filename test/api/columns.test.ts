/** Handles and the record of them at run time: families, operands, odd names, and what JavaScript does to any object. */
import { describe, expect, it } from 'vitest'
import { columnsRecord, handleOf } from '../../src/api/columns.js'
import { schema } from '../../src/columnar/schema.js'
import { bool, date, float64, int32, list, timestamp, utf8 } from '../../src/columnar/type.js'
import { count, MillraceError, sum } from '../../src/index.js'

const shape = schema({ n: int32(), f: float64(), s: utf8(), b: bool(), t: timestamp(), d: date(), l: list(int32()) })
// As a JavaScript user sees it, whom no compiler stops.
const record = (of: typeof shape | null = shape) => columnsRecord(of, 'filter') as any

function refusal(act: () => unknown): MillraceError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('accepted')
}

describe('the record of columns', () => {
  it('has a handle of its family for each column, and nothing else', () => {
    const t = record()
    expect(Object.keys(t).map(name => [name, t[name].family])).toEqual([
      ['n', 'number'],
      ['f', 'number'],
      ['s', 'string'],
      ['b', 'boolean'],
      ['t', 'time'],
      ['d', 'time'],
      ['l', 'other'],
    ])
    expect({ ...t }.n).toBe(t.n)
    expect('n' in t).toBe(true)
    expect('m' in t).toBe(false)
  })

  it('refuses an unknown name at once, with the nearest', () => {
    expect(refusal(() => record({ ...shape }).N)).toMatchObject({
      code: 'MR_UNKNOWN_COLUMN',
      details: { operator: 'filter', column: 'N', suggestion: 'n' },
    })
    for (const name of ['constructor', '__proto__', 'hasOwnProperty', '']) {
      expect(refusal(() => record()[name]).code).toBe('MR_UNKNOWN_COLUMN')
    }
  })

  it('takes any string for a name, those of Object.prototype too', () => {
    const names = ['__proto__', 'constructor', 'then', 'toJSON', 'toString', '', 'two words', '7']
    const odd = columnsRecord(
      schema(Object.fromEntries(names.map(name => [name, int32()])) as Record<string, ReturnType<typeof int32>>),
      'filter',
    ) as any
    for (const name of names) expect(odd[name].expression).toEqual({ op: 'column', name })
  })

  it('is no promise, prints, and refuses changes', async () => {
    const t = record()
    expect(await t).toBe(t)
    expect(await record(null)).toBeDefined()
    for (const each of [t, record(null)]) expect(() => JSON.stringify(each)).not.toThrow()
    expect(Object.prototype.toString.call(t)).toBe('[object Object]')
    expect(() => {
      t.n = 1
    }).toThrow(TypeError)
  })

  it('without a schema has every name, with the methods of every family', () => {
    const t = record(null)
    expect(t.anything.family).toBe('any')
    for (const name of ['then', 'toJSON', 'toString']) expect(t[name].expression).toEqual({ op: 'column', name })
    expect(t.a.add(1).gt(t.b).and(t.c.year().eq(2000)).toString()).toBe('((a + 1) > b) and (year(c) = 2000)')
  })
})

describe('a handle', () => {
  const t = record()

  it('is frozen, serialisable data: its expression and nothing more', () => {
    const predicate = t.n.add(1).between(2, 3).or(t.d.eq('2024-01-01').not())
    expect(Object.keys(predicate)).toEqual(['expression'])
    expect(structuredClone(predicate)).toEqual({ expression: predicate.expression })
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(predicate)).toBe(true)
    expect(frozen(t.t.in([new Date(0), null]))).toBe(true)
  })

  it('reads as text, and is no value for an operator of JavaScript', () => {
    expect(`${t.n.mul(2).lt(t.f)}`).toBe('(n * 2) < f')
    expect(String(t.s.in(['a', null]))).toBe('s in ("a", null)')
    for (const act of [() => t.n + 1, () => t.n > 1, () => +t.n, () => t.n - 1]) {
      expect(refusal(act)).toMatchObject({ code: 'MR_TYPE_MISMATCH', message: expect.stringContaining('.gt(0)') })
    }
  })

  it('says which family has a method that it has not', () => {
    expect(refusal(() => t.s.add(1)).message).toBe(
      'MR_TYPE_MISMATCH: s is a string, which has no add; a number, a date or timestamp has it',
    )
    expect(refusal(() => t.n.year()).message).toContain('a date or timestamp has it')
    expect(refusal(() => t.b.lt(true)).message).toContain('a number, a string, a date or timestamp has it')
    expect(refusal(() => t.l.eq([])).code).toBe('MR_TYPE_MISMATCH')
    expect(String(t.l.isNull())).toBe('l is null')
  })

  it('takes operands of its own family only', () => {
    for (const act of [
      () => t.n.add('1'),
      () => t.n.eq(t.s),
      () => t.s.eq(1),
      () => t.b.and(1),
      () => t.b.and(t.n),
      () => t.t.gt(5),
      () => t.n.add(new Date()),
      () => t.n.add({}),
      () => t.n.add(() => 1),
      () => t.n.add(Symbol('x')),
      () => t.n.add(sum(t.n)),
      () => t.n.gt(count()),
      () => t.s.in('abc'.length),
      () => t.s.in([t.s]),
      () => t.s.in([1]),
      () => t.t.eq(new Date(Number.NaN)),
    ]) {
      expect(refusal(act).code).toBe('MR_TYPE_MISMATCH')
    }
  })

  it('sends who asks for null to isNull', () => {
    for (const nothing of [null, undefined]) expect(refusal(() => t.n.eq(nothing)).message).toContain('.isNull()')
  })

  it('keeps a Date as its instant in milliseconds, and other literals as they are', () => {
    expect(t.t.gt(new Date(5)).expression.right).toEqual({
      op: 'literal',
      value: 5n,
      type: { kind: 'timestamp', nullable: false, unit: 'ms' },
    })
    expect(t.n.add(-0).expression.right.value).toBe(-0)
    expect(t.n.add(2n ** 62n).expression.right).toEqual({ op: 'literal', value: 2n ** 62n })
  })

  it('is refused where what stands in it again and again makes it too large, and told what to do', () => {
    const { n } = record()
    const doubled = (times: number) => Array.from({ length: times }).reduce<any>(each => each.mul(each), n)
    // A tree of 2^19 - 1 nodes.
    expect(doubled(18).expression.op).toBe('mul')
    const error = refusal(() => doubled(19))
    expect(error.code).toBe('MR_INVALID_OPTION')
    expect(error.message).toContain('derive what it repeats as a column')
    expect(refusal(() => doubled(18).between(doubled(18), n)).code).toBe('MR_INVALID_OPTION')
    const many = Array.from({ length: 50_000 }, (_, i) => n.eq(i)).reduce((all, each) => all.or(each))
    expect(many.family).toBe('boolean')
  })

  it('knows none of the methods that are not its own', () => {
    expect(handleOf('number', { op: 'column', name: 'x' })).not.toHaveProperty('greater')
  })
})
