/**
 * The law of flows that may never end: however their rows are pushed, groups that change fold to what the same rows give collected, whatever verbs and aggregates there are.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { channel, cumulative, type Engine, MillraceError, rows, session, sliding, tumbling } from '../../src/index.js'
import { toRowObject } from '../oracle/javascript.js'
import type { ModelTable } from '../oracle/value.js'
import { type ModelVerb, runModel } from '../oracle/verbs.js'
import { CARRIERS, canCarry, carry, inMemory, schemaOf } from './carriers.js'
import type { Choices } from './choices.js'
import { type Abilities, ALL, someFlow } from './flows.js'
import { type AnyFlow, aggregateOf, applyVerbs, own } from './handles.js'
import { folded, text } from './running.js'
import { cases, check, type LawOptions, longTest, openEngines } from './support.js'
import { tables } from './tables.js'

/** Of these a row goes on by itself, or with those of a side that ends. */
const STATELESS = ['derive', 'filter', 'select', 'drop', 'rename', 'dropNulls', 'explode', 'unpivot', 'join'] as const
const ARRIVING = ['dedupe', 'topK', 'limit'] as const

/** Of one input. */
const alone: Abilities = {
  ...ALL,
  stages: false,
  verbs: [...STATELESS, ...STATELESS, ...ARRIVING, 'aggregate'],
}
/** Of several, whose rows come in any order among one another: nothing that goes by it. */
const together: Abilities = {
  ...alone,
  functions: [
    ...(['count', 'countDistinct', 'sum', 'mean', 'min', 'max', 'variance', 'stddev', 'median', 'quantile'] as const),
    ...(['covariance', 'correlation', 'slope', 'every', 'some', 'histogram'] as const),
  ],
  verbs: [...STATELESS, 'union', 'union', 'aggregate'],
}

/** Below a window: columns stay. */
const inWindows: Abilities = { ...ALL, stages: false, sets: false, verbs: ['derive', 'derive', 'filter', 'dropNulls'] }
const WINDOWS = [
  tumbling('9ms'),
  tumbling('70ms', { offset: '3ms' }),
  sliding('20ms', '5ms'),
  cumulative('12ms', '4ms'),
  session('6ms'),
]

/** Rows, arrays of them and batches, of a few rows each. */
async function pushed(table: ModelTable, choices: Choices): Promise<AnyFlow> {
  const shape = schemaOf(table.fields)
  const feed = channel(shape, { capacity: 1 + choices.below(60) })
  const push = async () => {
    for (let from = 0; from < table.rows.length; ) {
      const to = Math.min(table.rows.length, from + 1 + choices.below(9))
      const some = table.rows.slice(from, to).map(row => toRowObject(row, table.fields))
      const kind = choices.below(4)
      if (kind === 0) for (const row of some) await feed.push(row as never)
      else if (kind === 1) await feed.push(some as never)
      else {
        for (const batch of (await rows(some, shape).collect({ lanes: 0 })).batches) {
          if (kind === 3) await feed.push(batch.slice(0, 0) as never)
          await feed.push(batch as never)
        }
      }
      from = to
      if (choices.chance(30)) await new Promise(done => setTimeout(done, 0))
    }
    feed.close()
  }
  push().catch(() => {})
  return feed.flow as unknown as AnyFlow
}

export function endlessLaws(lanesList: readonly number[], options: LawOptions): void {
  describe('laws of flows that may never end', () => {
    const engines = openEngines(lanesList)
    it.each([
      ['one input', alone],
      ['several inputs', together],
    ])('groups of %s that change fold to what is collected', { timeout: longTest(options) }, async (_, abilities) => {
      let [changes, refused] = [0, 0]
      await check(
        options,
        100,
        cases(fc.oneof({ weight: 6, arbitrary: tables(50) }, { weight: 1, arbitrary: tables(1) }), (table, choices) =>
          someFlow(table, choices, 3, 'aggregate', abilities),
        ),
        async ({ table, verbs, draw }) => {
          if (verbs.some((verb, i) => isOfNothing(verb, runModel(table, verbs.slice(0, i))))) return
          const choices = draw()
          const engine = engines.get(choices.pick(lanesList)) as Engine
          const collected = await applyVerbs(inMemory(table), verbs).collect({ engine })
          const expected = collected.toRows({ bigint: true }).map(text).sort()
          try {
            expect(await folded(applyVerbs(await pushed(table, choices), verbs).run({ engine }))).toEqual(expected)
            changes++
          } catch (error) {
            if (!(error instanceof MillraceError) || !REFUSED.includes(error.code)) throw error
            refused++
          }
        },
      )
      expect(changes).toBeGreaterThan(refused)
    })

    it('windows of rows of any columns fold to what is collected', { timeout: longTest(options) }, async () => {
      let withRows = 0
      const steps = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 20 })), { minLength: 50, maxLength: 50 })
      const timed = fc.tuple(tables(50), steps).map(([{ fields, rows: all }, given]): ModelTable => {
        let latest = -90
        const times = given.map(([step, back]) => {
          latest += step
          return BigInt(latest - back)
        })
        return {
          fields: [...fields, { name: 'time', type: { kind: 'timestamp', nullable: false, unit: 'ms' } }],
          rows: all.map(({ source, values }, i) => ({ source, values: [...values, times[i] as bigint] })),
        }
      })
      await check(
        options,
        150,
        cases(timed, (table, choices) => someFlow(table, choices, 2, 'aggregate', inWindows)),
        async ({ table, verbs, draw }) => {
          const choices = draw()
          const engine = engines.get(choices.pick(lanesList)) as Engine
          const carrier = choices.chance(60) ? null : choices.pick(CARRIERS.filter(each => canCarry(table, each)))
          const source = carrier === null ? await pushed(table, choices) : await carry(table, carrier, choices)
          const [window, mode] = [choices.pick(WINDOWS), choices.pick(['close', 'change'] as const)]
          const flowOf = (from: AnyFlow) => {
            const { keys, aggregates } = verbs[verbs.length - 1] as ModelVerb & { verb: 'aggregate' }
            const marked = applyVerbs(from.watermark('time', { delay: '20ms' }), verbs.slice(0, -1)).window(window)
            return (keys.length === 0 ? marked : marked.groupBy(...keys)).aggregate((t: any) =>
              own(aggregates.map(([name, aggregate]) => [name, aggregateOf(t, aggregate)])),
            ) as AnyFlow
          }
          const collected = (await flowOf(inMemory(table)).collect({ engine })).toRows({ bigint: true }).map(text)
          const job = (mode === 'change' ? flowOf(source).emit('change') : flowOf(source)).run({ engine })
          expect(await folded(job)).toEqual(collected.sort())
          expect(job.metrics()).toMatchObject({ lateRows: 0 })
          if (collected.length > 5) withRows++
        },
      )
      expect(withRows).toBeGreaterThan(20 * options.runs)
    })
  })
}

/** Of no rows a rollup tells nothing, though there is an answer once there is an end. */
const isOfNothing = (verb: ModelVerb, { rows }: ModelTable): boolean =>
  verb.verb === 'aggregate' && rows.length === 0 && verb.by !== undefined

const REFUSED = ['MR_CANNOT_RETRACT', 'MR_UNBOUNDED']
