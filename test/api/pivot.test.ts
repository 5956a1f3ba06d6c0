import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  collectList,
  columns,
  count,
  createEngine,
  csv,
  defineAggregate,
  type Engine,
  float64,
  int64,
  json,
  MillraceError,
  mean,
  rows,
  schema,
  stream,
  sum,
  utf8,
} from '../../src/index.js'

const engines: Engine[] = []
beforeAll(async () => {
  for (const lanes of [0, 2]) engines.push(await createEngine({ lanes }))
})
afterAll(async () => {
  await Promise.all(engines.map(engine => engine.close()))
})

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return error instanceof MillraceError ? error.code : String(error)
  }
  return 'nothing'
}

describe('pivot', () => {
  const rain = columns({
    city: ['Oslo', 'Rome', 'Oslo', 'Oslo', 'Bern'],
    month: ['jan', 'feb', 'feb', 'jan', null],
    mm: [10, 20, 30, 5, 1],
    days: Int32Array.of(3, 4, 5, 6, 7),
  })

  it('makes a column of each value that is given', async () => {
    const flow = rain.pivot({ on: 'month', index: ['city'], values: 'mm', columns: ['feb', 'jan', null] })
    expect(Object.keys(flow.schema ?? {})).toEqual(['city', 'feb', 'jan', 'null'])
    expect((await flow.collect()).toRows()).toEqual([
      { city: 'Oslo', feb: 30, jan: 10, null: null },
      { city: 'Rome', feb: 20, jan: null, null: null },
      { city: 'Bern', feb: null, jan: null, null: 1 },
    ])
  })

  it('finds the values in order of first appearance, and gives what naming them gives', async () => {
    const ofCounts = [
      (v: any) => count(v).mul(2).add(1),
      (v: any) => count(v).add(2n ** 53n + 1n),
      (v: any) => count(v).mul(-0.5),
    ]
    for (const aggregate of [undefined, sum, mean, count, ...ofCounts]) {
      for (const values of [['mm'], ['days', 'mm']] as const) {
        const options = { on: 'month', index: ['city'], values, ...(aggregate && { aggregate }) } as const
        for (const engine of engines) {
          const found = await rain.pivot(options).collect({ engine })
          const given = await rain.pivot({ ...options, columns: ['jan', 'feb', null] }).collect({ engine })
          expect(found.toRows({ bigint: true })).toEqual(given.toRows({ bigint: true }))
          expect(found.schema).toEqual(given.schema)
        }
      }
    }
    const { schema: names } = await rain.pivot({ on: 'month', index: [], values: ['mm', 'days'] }).collect()
    expect(Object.keys(names)).toEqual(['mm_jan', 'days_jan', 'mm_feb', 'days_feb', 'mm_null', 'days_null'])
  })

  it('leaves a quotient null where its rows make the divisor zero', async () => {
    const table = await rain
      .pivot({ on: 'month', index: ['city'], values: 'mm', aggregate: (v: any) => count(v).div(count(v).sub(1)) })
      .collect()
    expect(table.toRows()).toEqual([
      { city: 'Oslo', jan: 2, feb: null, null: null },
      { city: 'Rome', jan: null, feb: null, null: null },
      { city: 'Bern', jan: null, feb: null, null: null },
    ])
  })

  it('is what a model of it gives', async () => {
    const row = fc.record({
      k: fc.constantFrom('a', 'b', 'c'),
      on: fc.integer({ min: 0, max: 4 }),
      v: fc.option(fc.integer({ min: -9, max: 9 })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), fc.constantFrom(...engines), async (data, engine) => {
        const flow = columns({
          k: data.map(({ k }) => k),
          on: Int32Array.from(data, ({ on }) => on),
          v: data.map(({ v }) => v),
        } as { k: string[]; on: Int32Array; v: (number | null)[] })
        const table = await (flow as any)
          .pivot({ on: 'on', index: ['k'], values: 'v', aggregate: sum })
          .collect({ engine })
        const names = [...new Set(data.map(({ on }) => String(on)))]
        const expected = [...new Set(data.map(({ k }) => k))].map(k => {
          const cells = names.map(name => {
            const own = data
              .filter(one => one.k === k && String(one.on) === name && one.v !== null)
              .map(({ v }) => v as number)
            return [name, own.length === 0 ? null : own.reduce((a, b) => a + b, 0)] as const
          })
          return { k, ...Object.fromEntries(cells) }
        })
        expect(table.toRows()).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  it('reads its input once, and goes on as a flow', async () => {
    const once = stream(
      (async function* () {
        yield { k: 'a', n: 'x', v: 1 }
        yield { k: 'a', n: 'y', v: 2 }
      })(),
      { schema: schema({ k: utf8(), n: utf8(), v: float64() }) },
    )
    const table = await once
      .pivot({ on: 'n', index: ['k'], values: 'v' })
      .derive(t => ({ both: t.x.add(t.y) }))
      .collect()
    expect(table.toRows()).toEqual([{ k: 'a', x: 1, y: 2, both: 3 }])
    const file = json({ text: '[{"k":"a","n":true,"v":1},{"k":"b","n":false,"v":2}]' })
    expect((await file.pivot({ on: 'n', index: ['k'], values: 'v', aggregate: count }).collect()).toRows()).toEqual([
      { k: 'a', true: 1, false: 0 },
      { k: 'b', true: 0, false: 1 },
    ])
    expect(rain.pivot({ on: 'month', index: ['city'], values: 'mm' }).explain()).toContain('pivot month')
  })

  it('takes values that JavaScript has no number for', async () => {
    const flow = rows(
      [
        { n: 2n ** 60n, v: 1n },
        { n: 2n ** 60n + 1n, v: 2n },
      ],
      schema({ n: int64(), v: int64() }),
    )
    expect((await flow.pivot({ on: 'n', index: [], values: 'v' }).collect()).toRows()).toEqual([
      { '1152921504606846976': 1, '1152921504606846977': 2 },
    ])
  })

  it('is refused with a reason', async () => {
    const pivot = (options: object) => code(() => rain.pivot(options as never))
    expect(pivot({ on: 'month', index: ['city'], values: [] })).toBe('MR_INVALID_OPTION')
    expect(pivot({ on: 'month', index: ['month'], values: 'mm' })).toBe('MR_INVALID_OPTION')
    expect(pivot({ on: 'month', index: 'city', values: 'mm' })).toBe('MR_TYPE_MISMATCH')
    expect(pivot({ on: 'month', index: ['city'], values: 'mm', aggregate: 'sum' })).toBe('MR_TYPE_MISMATCH')
    expect(pivot({ on: 'month', index: ['city'], values: 'mm', columns: [] })).toBe('MR_TYPE_MISMATCH')
    expect(pivot({ on: 'month', index: ['city'], values: 'mm', columns: [1] })).toBe('MR_TYPE_MISMATCH')
    expect(pivot({ on: 'month', index: ['city'], values: 'mm', columns: ['a', 'a'] })).toBe('MR_DUPLICATE_COLUMN')
    expect(pivot({ on: 'month', index: ['city'], values: 'mm', columns: ['city'] })).toBe('MR_DUPLICATE_COLUMN')
    expect(pivot({ on: 'nope', index: ['city'], values: 'mm' })).toBe('MR_UNKNOWN_COLUMN')
    expect(pivot({ on: 'month', index: ['city'], values: 'mm', name: 'x' })).toBe('MR_INVALID_OPTION')
    const own = defineAggregate({
      init: () => 0,
      update: (a, x: number) => a + x,
      merge: (a, b) => a + b,
      evaluate: a => a,
      type: float64(),
    })
    expect(pivot({ on: 'month', index: ['city'], values: 'mm', aggregate: own })).toBe('MR_INVALID_OPTION')
    const lists = { on: 'month', index: ['city'], values: 'mm', aggregate: collectList } as const
    expect(pivot(lists)).toBe('MR_INVALID_OPTION')
    await expect(csv({ text: 'city,month,mm\nOslo,jan,10\n' }).pivot(lists).collect()).rejects.toThrow('columns: [')
    expect((await rain.pivot({ ...lists, columns: ['feb'] }).collect()).at(0)).toEqual({ city: 'Oslo', feb: [30] })
    const many = columns({ n: Int32Array.from({ length: 20_000 }, (_, i) => i) })
    await expect(
      many
        .derive(t => ({ v: t.n }))
        .pivot({ on: 'n', index: [], values: 'v' })
        .collect(),
    ).rejects.toMatchObject({ code: 'MR_INVALID_OPTION' })
  })
})
