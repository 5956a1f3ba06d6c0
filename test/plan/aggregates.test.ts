/** What every aggregate gives, by type, and which accumulators it becomes. What these come to is the model's and the kernels' business. */
import { describe, expect, it } from 'vitest'
import * as millrace from '../../src/index.js'
import {
  bool,
  type DataType,
  date,
  type Flow,
  float32,
  float64,
  int16,
  int64,
  list,
  nullable,
  rows,
  schema,
  struct,
  timestamp,
  typeName,
  utf8,
} from '../../src/index.js'
import type { AccumulatorSpec } from '../../src/plan/physical.js'
import { physicalPlan } from '../../src/plan/planner.js'
import { refusal } from '../flow/env.js'

const SCALARS: readonly DataType[] = [bool(), int16(), int64(), float32(), float64(), utf8(), timestamp('us'), date()]
const NUMBERS = SCALARS.filter(({ kind }) => /int|float/.test(kind))

type Make = (x: any, y: any) => any

/** The type of a group's result over rows that are never null, or 'nullable' and the type where it may be null even so. */
const GIVES: Readonly<Record<string, readonly [types: readonly DataType[], gives: (type: DataType) => string, Make]>> =
  {
    'variance()': [NUMBERS, () => 'nullable(float64)', x => millrace.variance(x)],
    'variance({ population })': [NUMBERS, () => 'float64', x => millrace.variance(x, { population: true })],
    'stddev()': [NUMBERS, () => 'nullable(float64)', x => millrace.stddev(x)],
    'stddev({ population })': [NUMBERS, () => 'float64', x => millrace.stddev(x, { population: true })],
    'covariance()': [NUMBERS, () => 'nullable(float64)', (x, y) => millrace.covariance(x, y)],
    'covariance({ population })': [NUMBERS, () => 'float64', (x, y) => millrace.covariance(x, y, { population: true })],
    correlation: [NUMBERS, () => 'nullable(float64)', (x, y) => millrace.correlation(x, y)],
    slope: [NUMBERS, () => 'nullable(float64)', (x, y) => millrace.slope(x, y)],
    median: [NUMBERS, () => 'float64', x => millrace.median(x)],
    quantile: [NUMBERS, () => 'float64', x => millrace.quantile(x, 0.9)],
    approxQuantile: [NUMBERS, () => 'float64', x => millrace.approxQuantile(x, 0.9)],
    histogram: [NUMBERS, () => 'list(int64)', x => millrace.histogram(x, [1, 2])],
    mean: [NUMBERS, () => 'float64', x => millrace.mean(x)],
    sum: [NUMBERS, ({ kind }) => (/int/.test(kind) ? 'int64' : 'float64'), x => millrace.sum(x)],
    min: [SCALARS, typeName, x => millrace.min(x)],
    max: [SCALARS, typeName, x => millrace.max(x)],
    first: [SCALARS, typeName, x => millrace.first(x)],
    last: [SCALARS, typeName, x => millrace.last(x)],
    any: [SCALARS, typeName, x => millrace.any(x)],
    mode: [SCALARS, typeName, x => millrace.mode(x)],
    argMin: [SCALARS, typeName, (x, y) => millrace.argMin(x, y)],
    argMax: [SCALARS, typeName, (x, y) => millrace.argMax(x, y)],
    topK: [SCALARS, type => `list(${typeName(type)})`, x => millrace.topK(x, 3)],
    bottomK: [SCALARS, type => `list(${typeName(type)})`, x => millrace.bottomK(x, 3)],
    collectList: [SCALARS, type => `list(${typeName(type)})`, x => millrace.collectList(x)],
    approxTopK: [SCALARS, type => `list(${typeName(type)})`, x => millrace.approxTopK(x, 3)],
    join: [[utf8()], typeName, x => millrace.join(x)],
    every: [[bool()], typeName, x => millrace.every(x)],
    some: [[bool()], typeName, x => millrace.some(x)],
  }

const COUNTS: Readonly<Record<string, Make>> = {
  count: x => millrace.count(x),
  countDistinct: x => millrace.countDistinct(x),
  approxCountDistinct: x => millrace.approxCountDistinct(x),
}

const input = (type: DataType, other: DataType = type) =>
  rows([], schema({ k: int16(), x: type, y: other })) as Flow<any>
const typeOf = (flow: Flow<any>): string => typeName(flow.schema.a)
const accumulatorsOf = (flow: Flow<any>): readonly AccumulatorSpec[] => {
  const [stage] = physicalPlan(flow.plan).scan
  if (stage?.kind !== 'aggregate') throw new Error('no aggregate')
  return stage.accumulators
}
const orNull = (type: string) => (type.startsWith('nullable') ? type : `nullable(${type})`)

describe('aggregates by type', () => {
  it.each(Object.entries(GIVES))('%s', (_, [types, gives, make]) => {
    for (const type of SCALARS) {
      const over = (flow: Flow<any>) => flow.groupBy('k').aggregate(t => ({ a: make(t.x, t.y) }))
      if (!types.includes(type)) {
        expect(() => over(input(type))).toThrow('MR_TYPE_MISMATCH')
        continue
      }
      const wanted = gives(type)
      expect(typeOf(over(input(type)))).toBe(wanted)
      expect(typeOf(over(input(nullable(type))))).toBe(orNull(wanted))
      if (make.length === 2) expect(typeOf(over(input(type, nullable(type))))).toBe(orNull(wanted))
      expect(typeOf(input(type).aggregate(t => ({ a: make(t.x, t.y) })))).toBe(orNull(wanted))
      const filtered = input(type)
        .groupBy('k')
        .aggregate(t => ({ a: make(t.x, t.y).where(t.k.gt(0)) }))
      expect(typeOf(filtered)).toBe(orNull(wanted))
    }
  })

  it.each(Object.entries(COUNTS))('%s is int64 and never null', (_, make) => {
    for (const type of [...SCALARS, ...SCALARS.map(nullable)]) {
      expect(typeOf(input(type).aggregate(t => ({ a: make(t.x, t.y).where(t.k.gt(0)) })))).toBe('int64')
    }
  })

  it('refuse lists and structs, but for counting them', () => {
    for (const type of [list(int16()), struct({ a: int16() })]) {
      for (const [, , make] of Object.values(GIVES)) {
        expect(() => input(type).aggregate(t => ({ a: make(t.x, t.y) }))).toThrow('MR_TYPE_MISMATCH')
      }
      expect(typeOf(input(type).aggregate(t => ({ a: millrace.count(t.x) })))).toBe('int64')
    }
  })

  it('refuse them as well where the types are known late', async () => {
    const { plan } = millrace.parquet(new Uint8Array(0)).aggregate(t => ({ a: millrace.join(t.x) }))
    const error = await refusal(() => physicalPlan(plan, schema({ x: int16() })), 'MR_TYPE_MISMATCH')
    expect(error.message).toContain('join does not take int16 column "x"')
  })
})

describe('accumulators', () => {
  const t = (make: (t: any) => Record<string, any>) => accumulatorsOf(input(float64(), bool()).aggregate(make))
  const said = (make: (t: any) => Record<string, any>) =>
    t(make).map(({ function: name, parameters }) => `${name} ${JSON.stringify(parameters)}`)

  it('stand for several names of one thing', () => {
    expect(said(({ x }) => ({ a: millrace.any(x), b: millrace.first(x) }))).toEqual(['first {}'])
    expect(said(({ x }) => ({ a: millrace.median(x), b: millrace.quantile(x, 0.5) }))).toEqual(['quantile {"q":0.5}'])
    expect(said(({ y }) => ({ a: millrace.every(y), b: millrace.min(y) }))).toEqual(['min {}'])
    expect(said(({ y }) => ({ a: millrace.some(y), b: millrace.max(y), c: millrace.every(y) }))).toEqual([
      'max {}',
      'min {}',
    ])
  })

  it('are shared by equal parameters alone', () => {
    expect(
      said(({ x }) => ({
        a: millrace.topK(x, 2),
        b: millrace.topK(x, 3),
        c: millrace.topK(x, 2),
        d: millrace.variance(x),
        e: millrace.variance(x, { population: true }),
        f: millrace.variance(x, { population: false }),
        g: millrace.stddev(x),
      })),
    ).toEqual([
      'topK {"n":2}',
      'topK {"n":3}',
      'variance {"population":false}',
      'variance {"population":true}',
      'stddev {"population":false}',
    ])
  })

  it('are named in errors as they were written', () => {
    const labels = t(({ x, y }) => ({
      a: millrace.median(x),
      b: millrace.every(y),
      c: millrace.approxTopK(x, 2).where(y),
    })).map(({ label }) => label)
    expect(labels).toEqual(['median(x)', 'every(y)', 'approxTopK(x, 2, capacity 64)'])
  })

  it('know the types of all their inputs', () => {
    const [spec] = t(({ x, y }) => ({ a: millrace.argMin(x, y) })) as [AccumulatorSpec]
    expect(spec.inputTypes.map(typeName)).toEqual(['float64', 'bool'])
  })

  it('take arithmetic between them, where they are numbers', () => {
    const flow = input(float64(), bool()).groupBy('k')
    const made = flow.aggregate(t => ({
      a: millrace.stddev(t.x).div(millrace.mean(t.x)),
      n: millrace.countDistinct(t.x).add(1),
    }))
    expect([typeOf(made), typeName(made.schema?.n as DataType)]).toEqual(['nullable(float64)', 'int64'])
    expect(() => flow.aggregate(t => ({ a: (millrace.topK(t.x, 2) as any).add(1) }))).toThrow('add takes numbers')
    expect(() => flow.aggregate(t => ({ a: (millrace.every(t.y) as any).mul(2) }))).toThrow('mul takes numbers')
  })
})
