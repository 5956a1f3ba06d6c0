/**
 * The law of several inputs: however their rows come among one another, where each is no more out of order than its watermark says, a flow that runs on folds to what it
 * gives collected, and to the model.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  count,
  cumulative,
  type Flow,
  int64,
  max,
  min,
  nullable,
  rows as rowsOf,
  schema,
  session,
  sliding,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { type ModelWindow, type WindowOf, windowed } from '../oracle/windows.js'
import { folded, pace, paced, text, timesOf } from './running.js'

const shape = schema({ time: nullable(timestamp()), key: nullable(utf8()), place: int64() })

interface Row {
  readonly time: bigint | null
  readonly key: string | null
  readonly place: bigint
}

const window = fc.constantFrom(
  { said: tumbling('7ms'), model: { kind: 'tumbling', size: 7n, offset: 0n } },
  { said: tumbling('20ms', { offset: '3ms' }), model: { kind: 'tumbling', size: 20n, offset: 3n } },
  { said: sliding('15ms', '5ms'), model: { kind: 'sliding', size: 15n, every: 5n, offset: 0n } },
  { said: cumulative('12ms', '4ms'), model: { kind: 'cumulative', size: 12n, step: 4n, offset: 0n } },
  { said: session('4ms'), model: { kind: 'session', gap: 4n } },
) as fc.Arbitrary<{ said: ReturnType<typeof session>; model: ModelWindow }>

const input = fc.constantFrom(0, 3, 12).chain(delay =>
  fc.record({
    delay: fc.constant(delay),
    times: timesOf(delay),
    keys: fc.array(fc.constantFrom('a', 'b', 'ä', null), { minLength: 1, maxLength: 7 }),
    pace,
    /** A table, where its rows are known from the start. */
    isBounded: fc.integer({ min: 0, max: 4 }).map(n => n === 0),
  }),
)

const cases = fc.record({
  inputs: fc.array(input, { minLength: 2, maxLength: 3 }),
  window,
  where: fc.constantFrom('above', 'below', 'filtered', 'nested') as fc.Arbitrary<
    'above' | 'below' | 'filtered' | 'nested'
  >,
  mode: fc.constantFrom('close', 'change') as fc.Arbitrary<'close' | 'change'>,
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

function flowOf({ inputs, window: { said }, where, mode }: Case, sources: readonly Flow<any>[]): Flow<any> {
  const delay = (i: number) => ({ delay: `${inputs[i]?.delay}ms` })
  const most = { delay: `${Math.max(...inputs.map(each => each.delay))}ms` }
  const [first, ...others] = sources as [Flow<any>, ...Flow<any>[]]
  const marked = sources.map((each, i) => each.watermark('time', delay(i)))
  const kept = where === 'filtered' ? marked.map(each => each.filter((r: any) => r.place.mod(3).ne(1))) : marked
  const [head, ...rest] = kept as [Flow<any>, ...Flow<any>[]]
  const union =
    where === 'above'
      ? first
          .union(...others)
          .derive((r: any) => ({ twice: r.place.mul(2) }))
          .watermark('time', most)
      : where === 'nested'
        ? rest.reduce((left, each) => left.union(each.rename({ key: 'k' }).rename({ k: 'key' })), head)
        : head.union(...rest)
  const results = union
    .window(said)
    .groupBy('key')
    .aggregate((r: any) => ({
      rows: count(),
      places: sum(r.place),
      least: min(r.place),
      most: max(r.place),
    })) as Flow<any>
  return mode === 'change' ? results.emit('change') : results
}

const resultOf = ({ start, end, key, rows }: WindowOf<Row>) => {
  const places = rows.map(({ place }) => place)
  return {
    windowStart: start,
    windowEnd: end,
    key,
    rows: BigInt(rows.length),
    places: places.reduce((a, b) => a + b, 0n),
    least: places.reduce((a, b) => (b < a ? b : a)),
    most: places.reduce((a, b) => (b > a ? b : a)),
  }
}

export interface InputLaws {
  readonly lanesList: readonly number[]
  readonly runs: number
  readonly seed?: number
}

export function inputLaws({ lanesList, runs, seed }: InputLaws): void {
  describe('several inputs of one flow that runs on', () => {
    it.each(lanesList)('on %i lanes fold to what they are collected', { timeout: 60_000 + 200 * runs }, async lanes => {
      let sawRows = 0
      await fc.assert(
        fc.asyncProperty(cases, async given => {
          let place = 0n
          const rows = given.inputs.map(({ times, keys }) =>
            times.map((time, i): Row => ({ time, key: keys[i % keys.length] as string | null, place: place++ })),
          )
          const all = rows.flat().filter(({ place }) => given.where !== 'filtered' || place % 3n !== 1n)
          const timing = { delay: 0n, lateness: 0n, maxAdvance: null }
          const model = windowed(all, given.window.model, timing, true)
          const expected = model.windows.map(each => text(resultOf(each))).sort()
          const bounded = rows.map(each => rowsOf(each, shape))
          const running = given.inputs.map((each, i) =>
            each.isBounded ? (bounded[i] as Flow<any>) : paced(rows[i] as Row[], shape, each.pace),
          )
          const job = flowOf(given, running).run({ lanes })
          expect(await folded(job)).toEqual(expected)
          expect(job.metrics()).toMatchObject({ lateRows: model.late.length })
          const collected = await flowOf(given, bounded).collect({ lanes })
          expect(collected.toRows({ bigint: true }).map(text).sort()).toEqual(expected)
          if (expected.length > 5) sawRows++
        }),
        { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
      )
      expect(sawRows).toBeGreaterThan(runs / 3)
    })
  })
}
