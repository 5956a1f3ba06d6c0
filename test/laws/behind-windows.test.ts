/** Of a flow that ends, whatever verbs stand behind its windows, what it gives when it is run folds to what it gives collected: those that must see all rows too. */
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import {
  columns,
  count,
  createEngine,
  cumulative,
  desc,
  type Engine,
  type Flow,
  float64,
  int32,
  median,
  rank,
  schema,
  session,
  sliding,
  sum,
  timestamp,
  tumbling,
} from '../../src/index.js'
import { folded, text } from './running.js'

const { MILLRACE_RUNS: scale = '1', MILLRACE_SEED: seed } = process.env
const engines = new Map<number, Promise<Engine>>()
const engineOf = (lanes: number): Promise<Engine> => {
  const engine = engines.get(lanes) ?? createEngine({ lanes })
  engines.set(lanes, engine)
  return engine
}
afterAll(async () => {
  for (const engine of engines.values()) await (await engine).close()
})

const verbs: Record<string, (flow: Flow<any>) => Flow<any>> = {
  orderBy: flow => flow.orderBy(desc('v'), 'k'),
  limit: flow => flow.limit(7, 2),
  sample: flow => flow.sample({ n: 9, seed: 3 }),
  topK: flow => flow.topK(5, desc('v'), 'k'),
  filter: flow => flow.filter(t => t.v.gt(3)),
  derive: flow => flow.derive(t => ({ v: t.v.mul(2) })),
  groupBy: flow => flow.groupBy('k').aggregate(t => ({ v: sum(t.v), n: count() })),
  rollup: flow => flow.rollup('k').aggregate(t => ({ v: sum(t.v) })),
  rightJoin: flow => flow.rightJoin(columns({ k: Int32Array.of(0, 1, 9) }), 'k'),
  over: flow => flow.over({ orderBy: ['v', 'k'] }, () => ({ place: rank() })),
}
const windows = [tumbling('1s'), sliding('2s', '500ms'), session('150ms'), cumulative('4s', '1s')]
const shape = schema({ at: timestamp('ms'), k: int32(), v: float64() })

const cases = fc.record({
  rows: fc.array(fc.record({ step: fc.integer({ min: -60, max: 200 }), k: fc.nat(3), v: fc.nat(50) }), {
    maxLength: 80,
  }),
  window: fc.constantFrom(...windows),
  isLate: fc.boolean(),
  chain: fc.array(fc.constantFrom(...Object.keys(verbs)), { minLength: 1, maxLength: 3 }),
  lanes: fc.constantFrom(0, 0, 0, 1, 2, 3),
})

it('folds to what is collected', { timeout: 60_000 + 60_000 * Number(scale) }, async () => {
  let ordered = 0
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, window, isLate, chain, lanes }) => {
      let now = 0
      const at = BigInt64Array.from(rows, ({ step }) => {
        now += step
        return BigInt(now)
      })
      const all = columns(
        { at, k: Int32Array.from(rows, ({ k }) => k), v: Float64Array.from(rows, ({ v }) => v / 4) },
        shape,
      )
      // No row is late: collected, none is.
      const marked: Flow<any> = all.watermark('at', { delay: '5s' })
      const grouped = marked
        .window(window, isLate ? { allowedLateness: '1s' } : {})
        .groupBy('k')
        .aggregate(t => ({ n: count(), v: sum(t.v), q: median(t.v) }))
      const flow = chain.reduce((made, verb) => (verbs[verb] as (typeof verbs)[string])(made), grouped)
      const options = { engine: await engineOf(lanes) }
      const collected = (await flow.collect(options)).toRows({ bigint: true }).map(text)
      expect(await folded(flow.run(options))).toEqual([...collected].sort())
      // The last verb says an order: so do its rows come.
      if (chain.at(-1) !== 'orderBy') return
      const given: string[] = []
      for await (const batch of flow.run(options)) given.push(...batch.toRows({ bigint: true }).map(text))
      expect(given).toEqual(collected)
      if (given.length > 3) ordered++
    }),
    { numRuns: Math.round(250 * Number(scale)), ...(seed === undefined ? {} : { seed: Number(seed) }) },
  )
  expect(ordered).toBeGreaterThan(2)
})
