/** Aggregates as they are written: what each takes, `where`, arithmetic, and what is refused. What they come to is the engine's. */
import { describe, expect, it } from 'vitest'
import { columnsRecord } from '../../src/api/columns.js'
import { schema } from '../../src/columnar/schema.js'
import { bool, float64, int32, list, timestamp, utf8 } from '../../src/columnar/type.js'
import * as millrace from '../../src/index.js'
import { count, MillraceError, max, mean, min, sum } from '../../src/index.js'

const t = columnsRecord(
  schema({ n: int32(), f: float64(), s: utf8(), b: bool(), at: timestamp(), l: list(int32()) }),
  'aggregate',
) as any
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

  it('carry what they are told, defaults filled in, and print it', () => {
    const { aggregate: call } = millrace.approxTopK(t.s, 3)
    expect(call).toMatchObject({ function: 'approxTopK', parameters: { n: 3, capacity: 64 } })
    const texts = [
      millrace.variance(t.n),
      millrace.variance(t.n, { population: true }),
      millrace.stddev(t.f, {}),
      millrace.covariance(t.n, t.f, { population: true }),
      millrace.correlation(t.n, t.f),
      millrace.slope(t.n, t.f.add(1)),
      millrace.argMin(t.s, t.at),
      millrace.argMax(t.s, t.b),
      millrace.median(t.n),
      millrace.quantile(t.n, 0.9),
      millrace.topK(t.s, 2),
      millrace.bottomK(t.at, 1),
      millrace.collectList(t.b),
      millrace.join(t.s),
      millrace.join(t.s, ' | '),
      millrace.histogram(t.n, [0, 1, 5]),
      millrace.histogram(t.f, { min: 0, max: 1, bins: 20 }),
      millrace.approxCountDistinct(t.s),
      millrace.approxQuantile(t.f, 0.5),
      millrace.approxTopK(t.s, 100),
      millrace.any(t.at),
      millrace.every(t.b),
      millrace.some(t.f.gt(1)).where(t.b),
    ]
    expect(texts.map(String)).toEqual([
      'variance(n)',
      'variance(n, population)',
      'stddev(f)',
      'covariance(n, f, population)',
      'correlation(n, f)',
      'slope(n, f + 1)',
      'argMin(s, at)',
      'argMax(s, b)',
      'median(n)',
      'quantile(n, 0.9)',
      'topK(s, 2)',
      'bottomK(at, 1)',
      'collectList(b)',
      'join(s, ",")',
      'join(s, " | ")',
      'histogram(n, [0, 1, 5])',
      'histogram(f, [0, 0.05, 0.1, 0.15000000000000002, 0.2, 0.25, 0.30000000000000004, 0.35000000000000003, … 13 more])',
      'approxCountDistinct(s, precision 14)',
      'approxQuantile(f, 0.5, error 0.01)',
      'approxTopK(s, 100, capacity 800)',
      'any(at)',
      'every(b)',
      'some(f > 1) where b',
    ])
  })

  it('bins of equal width end exactly at their bounds, -0 being 0', () => {
    const edges = (bins: millrace.Bins | number[]) => (millrace.histogram(t.f, bins).aggregate as any).parameters.edges
    expect(edges({ min: -1, max: 1, bins: 4 })).toEqual([-1, -0.5, 0, 0.5, 1])
    // numpy.linspace(0.1, 0.7, 4)
    expect(edges({ min: 0.1, max: 0.7, bins: 3 })).toEqual([0.1, 0.3, 0.5, 0.7])
    expect(edges([-Infinity, -0, Infinity])).toEqual([-Infinity, 0, Infinity])
  })

  it.each<[takes: string, refused: readonly string[], make: (column: any) => unknown]>([
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.variance(x)],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.stddev(x)],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.covariance(t.n, x)],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.correlation(x, t.n)],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.slope(t.n, x)],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.median(x)],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.quantile(x, 1)],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.histogram(x, [1, 2])],
    ['numbers', ['s', 'b', 'at', 'l'], x => millrace.approxQuantile(x, 0)],
    ['strings', ['n', 'f', 'b', 'at', 'l'], x => millrace.join(x)],
    ['booleans', ['n', 'f', 's', 'at', 'l'], x => millrace.every(x)],
    ['booleans', ['n', 'f', 's', 'at', 'l'], x => millrace.some(x)],
    ['no lists or structs', ['l'], x => millrace.countDistinct(x)],
    ['no lists or structs', ['l'], x => millrace.min(x)],
    ['no lists or structs', ['l'], x => millrace.max(x)],
    ['no lists or structs', ['l'], x => millrace.first(x)],
    ['no lists or structs', ['l'], x => millrace.last(x)],
    ['no lists or structs', ['l'], x => millrace.any(x)],
    ['no lists or structs', ['l'], x => millrace.mode(x)],
    ['no lists or structs', ['l'], x => millrace.argMin(x, t.n)],
    ['no lists or structs', ['l'], x => millrace.argMax(t.n, x)],
    ['no lists or structs', ['l'], x => millrace.topK(x, 1)],
    ['no lists or structs', ['l'], x => millrace.bottomK(x, 1)],
    ['no lists or structs', ['l'], x => millrace.collectList(x)],
    ['no lists or structs', ['l'], x => millrace.approxCountDistinct(x)],
    ['no lists or structs', ['l'], x => millrace.approxTopK(x, 1)],
    ['a column', [], x => millrace.count(x)],
  ])('take %s and refuse columns %j', (takes, refused, make) => {
    for (const name of ['n', 'f', 's', 'b', 'at', 'l']) {
      if (refused.includes(name)) {
        const { code, message } = refusal(() => make(t[name]))
        expect(code).toBe('MR_TYPE_MISMATCH')
        expect(message).toContain(`takes ${takes}, and ${name} is of the`)
      } else make(t[name])
    }
    const unknown = columnsRecord(null, 'aggregate') as any
    make(unknown.x)
  })

  it.each<[make: () => unknown, ...fragments: string[]]>([
    [() => millrace.quantile(t.n, 95), 'quantile: q is a number from 0 to 1', '95 percent is 0.95'],
    [() => millrace.quantile(t.n, -0.1), 'not the number -0.1'],
    [() => millrace.quantile(t.n, NaN), 'not the number NaN'],
    [() => millrace.quantile(t.n, untyped('0.5')), 'not the string "0.5"'],
    [() => millrace.approxQuantile(t.n, 2), 'approxQuantile: q'],
    [() => millrace.approxQuantile(t.n, 0.5, { error: 0 }), 'error is a number from 0.0001 to 0.5'],
    [() => millrace.approxQuantile(t.n, 0.5, untyped({ eror: 0.1 })), 'did you mean error?'],
    [() => millrace.approxQuantile(t.n, 0.5, untyped(0.1)), 'options are an object such as { error: 0.01 }'],
    [() => millrace.topK(t.n, 0), 'topK: n is a whole number from 1 to 1048576, not the number 0', 'orderBy'],
    [() => millrace.topK(t.n, 1.5), 'n is a whole number'],
    [() => millrace.bottomK(t.n, untyped(undefined)), 'bottomK: n is a whole number'],
    [() => millrace.topK(t.n, 2 ** 20 + 1), 'n is a whole number'],
    [() => millrace.approxTopK(t.n, 0), 'approxTopK: n is a whole number'],
    [() => millrace.approxTopK(t.n, 10, { capacity: 9 }), 'capacity is a whole number from 10'],
    [() => millrace.approxCountDistinct(t.n, { precision: 3 }), 'precision is a whole number from 4 to 18'],
    [() => millrace.approxCountDistinct(t.n, { precision: 19 }), 'precision is a whole number from 4 to 18'],
    [() => millrace.variance(t.n, untyped({ population: 1 })), 'population is true or false'],
    [
      () => millrace.stddev(t.n, untyped({ sample: true })),
      'stddev: there is no option "sample"',
      'there is population',
    ],
    [() => millrace.covariance(t.n, t.f, untyped(true)), 'options are an object such as { population: true }'],
    [() => millrace.join(t.s, untyped(3)), 'separator is a string', 'not the number 3'],
    [() => millrace.histogram(t.n, []), 'edges are at least two ascending numbers'],
    [() => millrace.histogram(t.n, [1]), 'edges are at least two'],
    [() => millrace.histogram(t.n, [1, 1]), 'ascending'],
    [() => millrace.histogram(t.n, [1, NaN]), 'ascending'],
    [() => millrace.histogram(t.n, [NaN, 1]), 'ascending'],
    [() => millrace.histogram(t.n, untyped([1, '2'])), 'ascending'],
    [() => millrace.histogram(t.n, new Array<number>(3)), 'ascending'],
    [() => millrace.histogram(t.n, untyped(10)), 'bins are an array of edges, or an object such as { min'],
    [() => millrace.histogram(t.n, { min: 1, max: 1, bins: 2 }), 'min less than max'],
    [() => millrace.histogram(t.n, { min: -1e308, max: 1e308, bins: 2 }), 'min less than max'],
    [() => millrace.histogram(t.n, { min: 0, max: 1, bins: 0 }), 'bins is a whole number from 1'],
    [() => millrace.histogram(t.n, { min: 1, max: 1 + 2 ** -52, bins: 4 }), 'too narrow to be told apart'],
    [() => millrace.histogram(t.n, untyped({ min: 0, max: 1, count: 2 })), 'there is no option "count"'],
  ])('refuse options that cannot be: %s', (make, ...fragments) => {
    const { code, message } = refusal(make)
    expect(code).toBe('MR_INVALID_OPTION')
    for (const fragment of fragments) expect(message).toContain(fragment)
  })

  it('take two columns where pairs count, and say so', () => {
    expect(refusal(() => untyped(millrace.covariance)(t.n)).message).toContain('as in covariance(t.x)')
    expect(refusal(() => millrace.argMin(t.s, untyped('at'))).code).toBe('MR_TYPE_MISMATCH')
  })
})
