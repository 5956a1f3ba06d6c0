/** Joins whose right side is first reduced to rows with a key of the left one give what they give without: the rows, and their order. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect } from '../../src/engines/local/run.js'
import {
  columns,
  createEngine,
  type Engine,
  type Flow,
  float64,
  int32,
  int64,
  nullable,
  schema,
  utf8,
} from '../../src/index.js'
import { explainPlan } from '../../src/plan/explain.js'
import type { PlanNode } from '../../src/plan/logical.js'
import { reduceSides, type SideStatistics } from '../../src/plan/reduced-side.js'
import { sourcesOf } from '../../src/plan/sources-of.js'
import { bindPlan } from '../../src/plan/typing.js'

const VERBS = ['join', 'leftJoin', 'rightJoin', 'fullJoin', 'semiJoin', 'antiJoin'] as const
/** Of each kind few values, some of which are equal to those of another kind. */
const VALUES: Record<KeyKind, fc.Arbitrary<unknown>> = {
  int32: fc.constantFrom(0, 1, 2, -7),
  float64: fc.constantFrom(0, -0, 1, 2.5, Number.NaN, Number.POSITIVE_INFINITY),
  int64: fc.constantFrom(0n, 1n, 2n, -(2n ** 63n)),
  utf8: fc.constantFrom('', 'a', 'ä', '😀'),
}
const KINDS = ['int32', 'float64', 'int64', 'utf8'] as const
type KeyKind = (typeof KINDS)[number]
const TYPES = { int32, float64, int64, utf8 }
const isText = (kind: KeyKind) => kind === 'utf8'

const keyTypes = fc
  .tuple(fc.constantFrom(...KINDS), fc.constantFrom(...KINDS))
  .filter(([a, b]) => isText(a) === isText(b))
const side = (kinds: readonly KeyKind[], most: number) =>
  fc.array(fc.tuple(...kinds.map(kind => fc.option(VALUES[kind], { freq: 6 }))), { maxLength: most })
const given = fc.array(keyTypes, { minLength: 1, maxLength: 2 }).chain(types =>
  fc.record({
    types: fc.constant(types),
    left: side(
      types.map(([kind]) => kind),
      9,
    ),
    right: side(
      types.map(([, kind]) => kind),
      30,
    ),
    verb: fc.constantFrom(...VERBS),
    isFiltered: fc.boolean(),
    hasCondition: fc.boolean(),
  }),
)

const told = (few: number | null, many: number | null, held: number | null = null): SideStatistics => ({
  rowCount: async source => (source.label.includes('l of') ? few : many),
  isShared: () => held !== null,
  count: async () => held ?? 0,
})
/** The first source, which is the left one, under a name by which it is known. */
function named(plan: PlanNode): PlanNode {
  if (plan.kind === 'source') return Object.freeze({ ...plan, label: `l of ${plan.label}` })
  return Object.freeze({ ...plan, input: named(plan.input) })
}
const planOf = (flow: Flow<any>) => named(bindPlan((flow as any).plan, null))
const reducedOf = (flow: Flow<any>, statistics = told(1000, 1_000_000)) => reduceSides(planOf(flow), statistics)
const valuesOf = async (plan: PlanNode, flow: Flow<any>, engine: Engine) => {
  const table = await collect<any>({ plan, sources: (flow as any).sources }, { engine })
  return { schema: table.schema, rows: table.toRows({ bigint: true }) }
}

describe('right sides of joins, reduced by the keys of the left', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await createEngine({ lanes: 0 })
  })
  afterAll(() => engine.close())

  const large = columns({ key: Int32Array.of(3, 1, 2, 1), value: Float64Array.of(1, 2, 3, 4) }) as Flow<any>
  const small = columns({ key: Int32Array.of(1, 1, 3), name: ['a', 'b', 'c'] }) as Flow<any>

  it('come to the same', async () => {
    let reductions = 0
    await fc.assert(
      fc.asyncProperty(given, async ({ types, left, right, verb, isFiltered, hasCondition }) => {
        const keepsRight = verb === 'rightJoin' || verb === 'fullJoin'
        // Some keys of two types have no one type to come out in.
        fc.pre(!keepsRight || types.every(([a, b]) => a === b))
        const columnsOf = (rows: readonly (readonly unknown[])[], which: 0 | 1): Flow<any> => {
          const name = 'lr'[which]
          const keys = types.map((pair, i) => [`${name}${i}`, nullable(TYPES[pair[which]]())] as const)
          const data = keys.map(([key], i) => [key, rows.map(row => row[i])])
          return columns(
            { ...Object.fromEntries(data), [`${name}Row`]: Int32Array.from(rows.keys()) },
            schema({ ...Object.fromEntries(keys), [`${name}Row`]: int32() } as any),
          ) as Flow<any>
        }
        const on = Object.fromEntries(types.map((_, i) => [`l${i}`, `r${i}`]))
        let first = columnsOf(left, 0)
        if (isFiltered) first = first.filter((t: any) => t.lRow.gt(1))
        const options = hasCondition ? { where: (l: any, r: any) => l.lRow.lt(r.rRow) } : {}
        const flow: Flow<any> = (first as any)[verb](columnsOf(right, 1), on, options)
        const reduced = await reducedOf(flow)
        if (sourcesOf(reduced).length > 2) reductions++
        expect(sourcesOf(reduced).length).toBe(keepsRight ? 2 : 3)
        expect(await valuesOf(reduced, flow, engine)).toEqual(await valuesOf(planOf(flow), flow, engine))
      }),
      { numRuns: 250 },
    )
    expect(reductions).toBeGreaterThan(50)
  })

  it('are reduced only where the left side is known to be far smaller', async () => {
    const flow = small.join(large, 'key')
    for (const [few, many] of [
      [null, 1e6],
      [10, null],
      [10, 2 ** 17 - 1],
      [1e6, 7e6],
    ] as const)
      expect(await reducedOf(flow, told(few, many))).toEqual(planOf(flow))
    expect(explainPlan(await reducedOf(flow, told(10, 2 ** 17)))).toContain(
      'l of columns (10 rows, whose keys are built first: the right side has 131072)',
    )
  })

  it('of which a row a key will do, where only that is asked', async () => {
    expect(explainPlan(await reducedOf(small.semiJoin(large, 'key')))).toContain('aggregate by key')
    expect(explainPlan(await reducedOf(small.join(large, 'key')))).not.toContain('aggregate')
  })

  it('of rows that lanes hold only where few are left', async () => {
    const flow = small.join(large, 'key')
    expect(sourcesOf(await reducedOf(flow, told(1000, 1_000_000, 125_000)))).toHaveLength(3)
    expect(sourcesOf(await reducedOf(flow, told(1000, 1_000_000, 125_001)))).toHaveLength(2)
    expect(sourcesOf(await reducedOf(flow, told(100_000, 1_000_000, 0)))).toHaveLength(2)
    expect(sourcesOf(await reducedOf(small.antiJoin(large, 'key'), told(1000, 1_000_000, 1_000_000)))).toHaveLength(3)
  })

  it('are left alone where something may fail on the left, or rows are put together there', async () => {
    const failing = small.derive((t: any) => ({ far: t.key.mul(2n ** 40n).mul(2n ** 40n) }))
    for (const left of [failing, small.limit(2), small.dedupe(), small.union(small)])
      expect(sourcesOf(await reducedOf((left as Flow<any>).join(large, 'key'))).length).toBe(
        sourcesOf(planOf((left as Flow<any>).join(large, 'key'))).length,
      )
  })

  it('wherever joins stand: below other verbs, in unions, one after another', async () => {
    const once = small.join(large, 'key').filter((t: any) => t.value.gt(1))
    const flow = once.select('key', 'value').union(small.leftJoin(large, 'key').select('key', 'value') as never)
    const reduced = await reduceSides(bindPlan((flow as any).plan, null), {
      ...told(null, null),
      rowCount: async ({ schema }) => (Object.hasOwn(schema ?? {}, 'name') ? 1000 : 1_000_000),
    })
    expect(sourcesOf(reduced)).toHaveLength(6)
    expect(await valuesOf(reduced, flow, engine)).toEqual(await valuesOf((flow as any).plan, flow, engine))
  })
})
