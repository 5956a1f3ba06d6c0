/** The laws of grouping sets: every aggregate of every group of every set is what the model gives, bit for bit, on every number of lanes. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { Engine } from '../../src/index.js'
import { type Carrier, canCarry, carry } from './carriers.js'
import { comparable, everyAggregate } from './flows.js'
import { applyVerb } from './handles.js'
import { type Case, cases, check, expectedOf, expectFlow, type LawOptions, longTest, openEngines } from './support.js'
import { fieldsOf, spread, tables } from './tables.js'

/** Of a Parquet file each row group is a split: these make four. */
const LARGE_ROWS = 40_000

const byEverySet = (given: fc.Arbitrary<Case['table']>): fc.Arbitrary<Case> =>
  cases(given, (table, choices) => {
    const able = comparable(table.fields.map(field => ({ ...field, magnitude: 0n, samples: [] }))).map(
      ({ name }) => name,
    )
    if (able.length === 0) return []
    return everyAggregate(table, choices, choices.some(able, 3), choices.pick(['cube', 'rollup']))
  })

export function setLaws(lanesList: readonly number[], options: LawOptions): void {
  describe('laws of grouping sets', () => {
    const engines = openEngines(lanesList)

    async function holds({ table, verbs, draw }: Case, carriers: readonly Carrier[]): Promise<void> {
      for (const verb of verbs) {
        const expected = expectedOf({ table, verbs: [verb] })
        for (const carrier of carriers.filter(one => canCarry(table, one))) {
          const flow = applyVerb(await carry(table, carrier, draw()), verb)
          for (const lanes of lanesList) {
            await expectFlow(flow, engines.get(lanes) as Engine, expected, `${carrier}, ${lanes} lanes`)
          }
        }
      }
    }

    it('every aggregate is what the model gives for each set', { timeout: longTest(options) }, () =>
      check(options, 40, byEverySet(tables(60, fieldsOf(5))), one => holds(one, ['chunks', 'parquet'])),
    )

    it('and so over many rows in many splits', { timeout: longTest(options) }, () => {
      const large = fc
        .tuple(tables(300, fieldsOf(4)), fc.nat())
        .filter(([table]) => table.rows.length > 0 && canCarry(table, 'parquet'))
        .chain(([block, seed]) => byEverySet(fc.constant(spread(block, LARGE_ROWS, seed))))
      return check(options, 2, large, one => holds(one, ['parquet']))
    })
  })
}
