/**
 * The law of sums: the exact rational sum (by BigInt), rounded once, whatever the order, the chunks, the groups and the lanes;
 * and the same of means. Values are chosen to cancel, to overflow on the way, and to underflow.
 */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { Engine } from '../../src/index.js'
import type { ModelAggregate } from '../oracle/aggregate.js'
import { exactSum } from '../oracle/rational.js'
import type { ModelField, ModelTable } from '../oracle/value.js'
import { canCarry, carry } from './carriers.js'
import { choicesOf } from './choices.js'
import { valueText } from './compare.js'
import { applyVerbs } from './handles.js'
import { check, expectedOf, expectFlow, type LawOptions, longTest, openEngines } from './support.js'
import { EDGE_FLOATS, spread } from './tables.js'

/** Two splits in memory; the row groups of a Parquet file are seven. */
const LARGE_ROWS = 280_000
const FIELDS: readonly ModelField[] = [
  { name: 'key', type: { kind: 'int32', nullable: false } },
  { name: 'x', type: { kind: 'float64', nullable: false } },
]

const finite = EDGE_FLOATS.filter(Number.isFinite)
const wild = fc.oneof(
  { arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }), weight: 2 },
  { arbitrary: fc.constantFrom(...finite), weight: 3 },
)
const subnormal = fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n }).map(units => Number(units) * 5e-324)
const prices = fc.integer({ min: -10_000_000, max: 10_000_000 }).map(cents => cents / 100)
const near = fc.integer({ min: -60, max: 60 }).map(power => (power % 2 === 0 ? 1 : -1) * 2 ** power)
const any = fc.oneof(wild, fc.constantFrom(...EDGE_FLOATS))

/** Lists of one temper, so that each kind of sum (narrow, wide, everything) is met. */
const values = fc
  .constantFrom(wild, subnormal, prices, near, any)
  .chain(value => fc.array(value, { minLength: 1, maxLength: 200 }))
  // What is added and taken back again in another place must leave nothing behind.
  .chain(list => fc.constantFrom(list, [...list, ...list.map(value => -value).reverse()]))

const sums: readonly (readonly [string, ModelAggregate])[] = (['sum', 'mean', 'min', 'max'] as const).map(name => [
  name,
  { function: name, inputs: [{ op: 'column', name: 'x' }], where: null },
])

function tableOf(list: readonly number[], groups: number): ModelTable {
  return { fields: FIELDS, rows: list.map((x, source) => ({ source, values: [BigInt(source % groups), x] })) }
}

export function sumLaws(lanesList: readonly number[], options: LawOptions): void {
  describe('laws of sums', () => {
    const engines = openEngines(lanesList)

    async function holds(table: ModelTable, carriers: readonly ('columns' | 'chunks' | 'parquet')[]): Promise<void> {
      for (const keys of [[], ['key']]) {
        const verbs = [{ verb: 'aggregate', keys, aggregates: sums }] as const
        const expected = expectedOf({ table, verbs })
        for (const carrier of carriers.filter(one => canCarry(table, one))) {
          const flow = applyVerbs(await carry(table, carrier, choicesOf([3, 1, 6])), verbs)
          for (const lanes of lanesList) {
            await expectFlow(flow, engines.get(lanes) as Engine, expected, `${carrier}, by ${keys}, ${lanes} lanes`)
          }
        }
      }
    }

    it('a sum is the exact sum rounded once, in every order', { timeout: longTest(options) }, () =>
      check(options, 60, fc.tuple(values, fc.integer({ min: 1, max: 5 })), async ([list, groups]) => {
        await holds(tableOf(list, groups), ['columns', 'chunks', 'parquet'])
        await holds(tableOf([...list].reverse(), groups), ['columns'])
      }),
    )

    it('a sum over many splits is the exact sum rounded once', { timeout: longTest(options) }, () =>
      check(options, 2, fc.tuple(values, fc.nat(), fc.integer({ min: 1, max: 5 })), async ([list, seed, groups]) => {
        await holds(spread(tableOf(list, groups), LARGE_ROWS, seed), ['columns'])
      }),
    )

    it('1e308, -1e308, 1e-300 and the least double keep each other', async () => {
      const list = [1e308, 5e-324, 1e308, 1e-300, -1e308, -1e308, -5e-324]
      if (exactSum(list) !== 1e-300) throw new Error(`the model itself says ${valueText(exactSum(list))}`)
      await holds(tableOf(list, 1), ['columns', 'chunks', 'parquet'])
      await holds(spread(tableOf(list, 2), LARGE_ROWS, 7), ['columns'])
    })
  })
}
