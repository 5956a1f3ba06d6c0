/**
 * The suites and laws of flows that run on once more, with the dictionaries renewed after every step: what is kept from step to step must not depend on the codes that strings happen to have.
 */
import { expect, test, vi } from 'vitest'
import { rows, schema, stream, utf8 } from '../../src/index.js'
import { liveJoinLaws } from '../laws/live-joins.suite.js'
import { liveOverLaws } from '../laws/live-over.suite.js'
import { windowRowLaws } from '../laws/window-rows.suite.js'
import { windowLaws } from '../laws/windows.suite.js'
import { liveSuite } from './live.suite.js'
import { liveJoinSuite } from './live-joins.suite.js'
import { liveOverSuite } from './live-over.suite.js'
import { windowRowsSuite } from './window-rows.suite.js'

const told = vi.hoisted(() => ({ renewals: 0 }))

vi.mock('../../src/operators/renewed-texts.js', async original => {
  const actual = await original<typeof import('../../src/operators/renewed-texts.js')>()
  return {
    ...actual,
    createRenewal() {
      const renewal = actual.createRenewal(-1)
      return {
        isDue: renewal.isDue,
        done(byteLength: number) {
          told.renewals++
          renewal.done(byteLength)
        },
      }
    },
  }
})

liveSuite([0])
liveJoinSuite([0])
liveOverSuite([0])
windowRowsSuite([0])

const few = { lanesList: [0], runs: 80 }
windowLaws(few)
windowRowLaws(few)
liveJoinLaws(few)
liveOverLaws(few)

test('dictionaries were renewed all the time', () => {
  expect(told.renewals).toBeGreaterThan(1000)
})

test('also where partners of rows are known', async () => {
  const shape = schema({ key: utf8(), id: utf8() })
  async function* coming() {
    for (let i = 0; i < 5; i++) {
      yield [{ key: 'ab'[i % 2] as string, id: `id ${i}` }]
      await new Promise(resolve => setTimeout(resolve))
    }
  }
  const known = rows([{ key: 'a', name: 'A' }])
  const before = told.renewals
  const found: unknown[] = []
  for await (const batch of stream(coming(), { schema: shape }).leftJoin(known, 'key').run({ lanes: 0 }))
    found.push(...batch.toRows().map(({ id, name }) => [id, name]))
  expect(found).toEqual(Array.from({ length: 5 }, (_, i) => [`id ${i}`, i % 2 === 0 ? 'A' : null]))
  expect(told.renewals).toBeGreaterThanOrEqual(before + 5)
})
