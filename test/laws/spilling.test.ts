/** Flows that spill at any moment give what the model gives, bit for bit and in order, on any number of lanes, and leave nothing behind. */
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rows, stream } from '../../src/index.js'
import type { ModelVerb } from '../oracle/verbs.js'
import { spillingEngine } from '../workers/spilling.js'
import { canCarry, carry } from './carriers.js'
import { ALL, comparable, everyAggregate, someFailingFlow, someFlow } from './flows.js'
import { applyVerbs } from './handles.js'
import { inBatches } from './running.js'
import { type Case, cases, check, expectedOf, expectFlow, longTest } from './support.js'
import { fieldsOf, tables } from './tables.js'
import { expectCollected, overlapping, cases as windowCases, shape as windowShape } from './windows.suite.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env
const options = { runs: 0.6 * Number(runs ?? 1), ...(seed === undefined ? {} : { seed: Number(seed) }) }
const lanesList = [0, 1, 2, 3]
/** Enough for all that there is: spilling is not a matter of room here. */
const memory = 2 ** 30

const enders = ['aggregate', 'orderBy', 'limit'] as const
const flows = (most: number) =>
  cases(tables(60), (table, choices) => someFlow(table, choices, most, choices.pick(enders)))

/** Joins one after another, whose rows leave as they are, or are waited for. */
const joined = cases(tables(60), (table, choices) =>
  someFlow(table, choices, 4, choices.pick(['join', 'aggregate', 'orderBy', 'limit']), {
    ...ALL,
    verbs: ['join', 'join', 'join', 'filter', 'derive', 'select', 'union'],
  }),
)

/** A verb for some aggregates each, so that all are drawn: by sets of keys, or by these keys alone. */
const everyOne = cases(tables(60, fieldsOf(5)), (table, choices) => {
  const able = comparable(table.fields.map(field => ({ ...field, magnitude: 0n, samples: [] }))).map(({ name }) => name)
  if (able.length === 0) return []
  const verbs = everyAggregate(table, choices, choices.some(able, 3), choices.pick(['cube', 'rollup']))
  return choices.chance(50) ? verbs : verbs.map(verb => ({ ...verb, by: undefined }) as ModelVerb)
})

/** Without a budget nothing spills, and the same lanes part rows by keys and by ranges, and exchange them, at a handful of groups where others do at a hundred thousand. */
describe('rows parted at a handful of groups', () => {
  it.each([
    ['flows give what the model gives', 100, flows(4), false],
    ['every aggregate is what the model gives', 20, everyOne, true],
  ] as const)('%s', { timeout: longTest(options) }, async (_, times, given, isOneByOne) => {
    const engines = await Promise.all(
      lanesList.map(async lanes => ({ lanes, ...(await spillingEngine(lanes, () => false)) })),
    )
    await check(options, times, given, async one => {
      const carrier = one
        .draw()
        .pick((['parquet', 'chunks', 'arrow', 'csv'] as const).filter(each => canCarry(one.table, each)))
      const source = await carry(one.table, carrier, one.draw())
      for (const chain of isOneByOne ? one.verbs.map(verb => [verb]) : [one.verbs]) {
        const expected = expectedOf({ table: one.table, verbs: chain })
        for (const { lanes, engine } of engines) {
          await expectFlow(applyVerbs(source, chain), engine, expected, `${carrier}, ${lanes} lanes`)
        }
      }
    })
    for (const { usedBytes } of engines) expect(usedBytes()).toBe(0)
  })
})

describe('spilling at any moment', () => {
  for (const [name, often, times, given, isOneByOne, least = 20] of [
    ['always, flows give what the model gives', 1, 100, flows(3), false],
    ['now and then, flows give what the model gives', 3, 100, flows(5), false],
    ['always, joins give what the model gives', 1, 100, joined, false],
    ['now and then, joins give what the model gives', 3, 100, joined, false],
    ['now and then, what fails is what fails in the model', 2, 60, cases(tables(60), someFailingFlow), false, 0],
    ['always, every aggregate is what the model gives', 1, 25, everyOne, true],
    ['now and then, every aggregate is what the model gives', 4, 25, everyOne, true],
  ] as [string, number, number, fc.Arbitrary<Case>, boolean, number?][]) {
    it(name, { timeout: longTest(options) }, async () => {
      let taken = 0
      const engines = await Promise.all(
        lanesList.map(async lanes => ({ lanes, spilling: await spillingEngine(lanes, () => taken++ % often === 0) })),
      )
      await check(options, times, given, async ({ table, verbs, draw }) => {
        // Row groups are splits of their own, however small.
        const source = await carry(table, canCarry(table, 'parquet') ? 'parquet' : 'chunks', draw())
        for (const chain of isOneByOne ? verbs.map(verb => [verb]) : [verbs]) {
          const expected = expectedOf({ table, verbs: chain })
          for (const { lanes, spilling } of engines) {
            await expectFlow(applyVerbs(source, chain), spilling.engine, expected, `${lanes} lanes`, { memory })
          }
        }
      })
      for (const { spilling } of engines) {
        expect(spilling.pieces).toBeGreaterThanOrEqual(least)
        expect(spilling.usedBytes()).toBe(0)
      }
      expect((await readdir(tmpdir())).filter(file => file.startsWith(`millrace-${process.pid}-`))).toEqual([])
    })
  }

  it('always, windows that overlap hold what the model gives', { timeout: longTest(options) }, async () => {
    const engines = await Promise.all(lanesList.map(lanes => spillingEngine(lanes, () => true)))
    const overlaps = fc.record({ given: windowCases, window: overlapping })
    await fc.assert(
      fc.asyncProperty(overlaps, async ({ given, window }) => {
        const one = { ...given, window }
        for (const { engine } of engines) {
          const source = stream(inBatches(rows(one.rows, windowShape), one.cuts, one.forms), { schema: windowShape })
          await expectCollected(source, one, 'ms', { engine, memory })
        }
      }),
      { numRuns: 100 * options.runs, ...(seed === undefined ? {} : { seed: Number(seed) }) },
    )
    for (const { pieces, usedBytes } of engines) {
      expect(pieces).toBeGreaterThan(100)
      expect(usedBytes()).toBe(0)
    }
  })
})
