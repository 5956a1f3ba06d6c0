import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { Engine } from '../../src/index.js'
import type { ModelTable, ModelType } from '../oracle/value.js'
import { type Carrier, canCarry, carry } from './carriers.js'
import { ALL, someFlow } from './flows.js'
import { applyVerbs } from './handles.js'
import { cases, check, expectedOf, expectFlow, longTest, openEngines } from './support.js'
import { fieldsOf, tables } from './tables.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env
const options = { runs: Number(runs ?? 1), ...(seed === undefined ? {} : { seed: Number(seed) }) }
const texts: fc.Arbitrary<ModelType> = fc.record({
  kind: fc.constantFrom('utf8', 'utf8', 'utf8', 'int32', 'bool', 'float64'),
  nullable: fc.constantFrom(true, true, false),
})
const lists = [0, 2]
describe('texts', () => {
  const engines = openEngines(lists)
  it('small', { timeout: longTest(options) * 10 }, () =>
    check(
      options,
      300,
      cases(tables(40, fieldsOf(4, texts)), (t, c) => someFlow(t, c, 5)),
      async one => {
        const expected = expectedOf(one)
        for (const carrier of ['parquet', 'chunks', 'stream', 'arrow', 'ndjson'] as Carrier[]) {
          if (!canCarry(one.table, carrier)) continue
          const flow = applyVerbs(await carry(one.table, carrier, one.draw()), one.verbs)
          const lanes = one.draw().chance(20) ? 2 : 0
          await expectFlow(flow, engines.get(lanes) as Engine, expected, `${carrier}, ${lanes} lanes`)
        }
      },
    ),
  )
  it('many', { timeout: longTest(options) * 10 }, () => {
    const many = fc
      .tuple(tables(30, fieldsOf(4, texts)), fc.nat({ max: 9000 }), fc.constantFrom(10, 1500, 6000), fc.nat())
      .filter(([t]) => t.rows.length > 0)
      .map(
        ([block, rowCount, distinct, salt]): ModelTable => ({
          fields: block.fields,
          rows: Array.from({ length: rowCount }, (_, source) => {
            const row = block.rows[Math.floor((source * block.rows.length) / rowCount)] as any
            const wide = Math.floor((source * 7 + salt) / 5) % distinct
            return {
              source,
              values: row.values.map((v: any, i: number) =>
                typeof v === 'string' && (salt >> i) % 2 === 0 ? `${v}${wide}` : v,
              ),
            }
          }),
        }),
      )
    const flows = many.chain(table =>
      cases(fc.constant(table), (t, c) =>
        someFlow(t, c, 3, c.pick(['aggregate', undefined, 'orderBy', 'dedupe', 'derive', 'filter'] as const), {
          ...ALL,
          grows: false,
          joins: true,
        }),
      ),
    )
    return check(options, 60, flows, async one => {
      const expected = expectedOf(one)
      for (const carrier of ['parquet', 'chunks', 'stream'] as Carrier[]) {
        if (!canCarry(one.table, carrier)) continue
        for (const lanes of lists)
          await expectFlow(
            applyVerbs(await carry(one.table, carrier, one.draw()), one.verbs),
            engines.get(lanes) as Engine,
            expected,
            `${carrier}, ${lanes} lanes`,
          )
      }
    })
  })
})
