/** Flows that spill at any moment give what the model gives, bit for bit and in order, on any number of lanes, and leave nothing behind. */
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { spillingEngine } from '../workers/spilling.js'
import { canCarry, carry } from './carriers.js'
import { someFlow } from './flows.js'
import { applyVerbs } from './handles.js'
import { cases, check, expectedOf, expectFlow } from './support.js'
import { tables } from './tables.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env
const options = { runs: Number(runs ?? 1), ...(seed === undefined ? {} : { seed: Number(seed) }) }
const lanesList = [0, 1, 2, 3]
/** Enough for all that there is: spilling is not a matter of room here. */
const memory = 2 ** 30

describe('spilling at any moment', () => {
  for (const [name, often, most] of [
    ['always', 1, 3],
    ['now and then', 3, 5],
  ] as const) {
    it(`${name}, flows give what the model gives`, async () => {
      let times = 0
      const engines = await Promise.all(
        lanesList.map(async lanes => ({ lanes, spilling: await spillingEngine(lanes, () => times++ % often === 0) })),
      )
      const makes = ['aggregate', 'orderBy', 'limit'] as const
      await check(
        options,
        100,
        cases(tables(60), (table, choices) => someFlow(table, choices, most, choices.pick(makes))),
        async one => {
          const expected = expectedOf(one)
          // Row groups are splits of their own, however small.
          const carrier = canCarry(one.table, 'parquet') ? 'parquet' : 'chunks'
          const flow = applyVerbs(await carry(one.table, carrier, one.draw()), one.verbs)
          for (const {
            lanes,
            spilling: { engine },
          } of engines) {
            await expectFlow(flow, engine, expected, `${lanes} lanes`, { memory })
          }
        },
      )
      for (const { spilling } of engines) {
        expect(spilling.pieces).toBeGreaterThan(50)
        expect(spilling.usedBytes()).toBe(0)
      }
      expect((await readdir(tmpdir())).filter(file => file.startsWith(`millrace-${process.pid}-`))).toEqual([])
    })
  }
})
