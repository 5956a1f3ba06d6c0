/** Rows made fit for use: nulls filled and dropped, doubles dropped, rules told. Random ones are test/laws. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  collectAll,
  columns,
  csv,
  type Flow,
  float64,
  int32,
  list,
  nullable,
  rows,
  runAll,
  schema,
  typeName,
  utf8,
} from '../../src/index.js'
import { type FlowEnv, onLanes, refusal } from './env.js'

export function cleaningSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('cleaning', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })
      const trades = () =>
        columns(
          { id: [1, 2, 2, 3, null, null], price: [1.5, null, 7, NaN, 2, null], name: ['a', 'b', 'c', null, 'e', 'f'] },
          schema({ id: nullable(int32()), price: nullable(float64()), name: nullable(utf8()) }),
        )

      it('fills nulls with values, whose columns are not nullable then', async () => {
        const table = await trades().fillNull({ price: 0, name: 'none' }).collect(o())
        expect(table.column('price').toArray()).toEqual(Float64Array.of(1.5, 0, 7, NaN, 2, 0))
        expect(table.column('name').toArray()).toEqual(['a', 'b', 'c', 'none', 'e', 'f'])
        expect(Object.values(table.schema).map(type => typeName(type))).toEqual(['nullable(int32)', 'float64', 'utf8'])
        await refusal(() => trades().fillNull({ price: 'x' } as never), 'MR_TYPE_MISMATCH')
        await refusal(() => trades().fillNull({ size: 1 } as never), 'MR_UNKNOWN_COLUMN')
        await refusal(() => trades().fillNull({ price: null } as never), 'MR_TYPE_MISMATCH')
      })

      it('drops rows with nulls, but not with NaN', async () => {
        expect((await trades().dropNulls().collect(o())).toRows()).toEqual([
          { id: 1, price: 1.5, name: 'a' },
          { id: 2, price: 7, name: 'c' },
        ])
        expect((await trades().dropNulls('price', 'id').collect(o())).column('id').toArray()).toEqual(
          Int32Array.of(1, 2, 3),
        )
      })

      it('drops doubles whose rows have lists', async () => {
        const cell = fc.option(fc.integer({ min: 0, max: 3 }), { nil: null })
        const row = fc.record({
          a: cell,
          '#others': cell,
          l: fc.option(fc.array(cell, { maxLength: 3 }), { nil: null }),
        })
        const shape = schema({
          a: nullable(int32()),
          '#others': nullable(int32()),
          l: nullable(list(nullable(int32()))),
        })
        await fc.assert(
          fc.asyncProperty(fc.array(row, { maxLength: 30 }), fc.boolean(), async (given, isLast) => {
            const keep = isLast ? ('last' as const) : ('first' as const)
            for (const keys of [['a'], ['a', '#others']] as const) {
              const table = await rows(given, shape)
                .dedupe({ keys: [...keys], keep })
                .collect(o())
              const isDouble = (other: (typeof given)[number], i: number) =>
                keys.every(key => other[key] === given[i][key])
              const expected = given.filter(
                (_, i) => !(isLast ? given.slice(i + 1) : given.slice(0, i)).some(other => isDouble(other, i)),
              )
              expect(table.toRows()).toEqual(expected)
            }
          }),
          { numRuns: 15 },
        )
      })

      it('drops doubles, of which the first stays or the last, with its nulls', async () => {
        expect((await trades().dedupe('id').collect(o())).toRows()).toEqual([
          { id: 1, price: 1.5, name: 'a' },
          { id: 2, price: null, name: 'b' },
          { id: 3, price: NaN, name: null },
          { id: null, price: 2, name: 'e' },
        ])
        expect(
          (
            await trades()
              .dedupe({ keys: ['id'], keep: 'last' })
              .collect(o())
          ).toRows(),
        ).toEqual([
          { id: 1, price: 1.5, name: 'a' },
          { id: 2, price: 7, name: 'c' },
          { id: 3, price: NaN, name: null },
          { id: null, price: null, name: 'f' },
        ])
        // Each in its own place, whether all columns are nullable or some are not.
        const again = () => columns({ '#0': [1, 2, 1, null, 2, 1], b: [1, 1, 1, 2, null, null] })
        expect(
          (
            await again()
              .dedupe({ keys: ['#0'], keep: 'last' })
              .collect(o())
          ).toRows(),
        ).toEqual([
          { '#0': null, b: 2 },
          { '#0': 2, b: null },
          { '#0': 1, b: null },
        ])
        expect((await again().dedupe({ keep: 'last' }).collect(o())).column('#0').toArray()).toEqual([2, 1, null, 2, 1])
        expect(
          (
            await again()
              .derive(() => ({ one: 1 }))
              .dedupe({ keys: ['b'], keep: 'last' })
              .collect(o())
          )
            .column('#0')
            .toArray(),
        ).toEqual([1, null, 1])
        const doubled = columns({ a: [1, 1, NaN, NaN, null, null], b: ['x', 'x', 'y', 'y', 'x', 'x'] })
        expect((await doubled.dedupe().collect(o())).rowCount).toBe(3)
        await refusal(() => trades().dedupe({ keep: 'any' } as never), 'MR_INVALID_OPTION')
        await refusal(() => trades().dedupe({ by: ['id'] } as never), 'MR_INVALID_OPTION')
        await refusal(() => columns({ a: [1], b: [[1, 2]] }).dedupe('b'), 'MR_TYPE_MISMATCH')
        await refusal(() => columns({ a: [1], b: [[1, 2]] }).dedupe(), 'MR_TYPE_MISMATCH')
      })

      it('parts rows by rules, of which a null breaks one, and counts', async () => {
        const { valid, rejected, counts } = trades().validate({
          known: t => t.id.isNull().not(),
          cheap: t => t.price.lt(5),
        })
        const found = await collectAll({ valid, rejected, counts }, o())
        expect(found.valid.toRows()).toEqual([{ id: 1, price: 1.5, name: 'a' }])
        expect(found.rejected.toRows().map(({ brokenRules }) => brokenRules)).toEqual([
          'cheap',
          'cheap',
          'cheap',
          'known',
          'known, cheap',
        ])
        expect(found.counts.toRows()).toEqual([{ known: 2, cheap: 4 }])
        await refusal(() => trades().validate({}), 'MR_INVALID_OPTION')
        await refusal(() => trades().validate({ 'a, b': t => t.id.gt(0) }), 'MR_INVALID_OPTION')
        await refusal(() => trades().validate({ '': t => t.id.gt(0) }), 'MR_INVALID_OPTION')
        await refusal(() => trades().derive({ brokenRules: 1 } as never), 'MR_TYPE_MISMATCH')
        const clash = trades().derive(() => ({ brokenRules: 1 }))
        await refusal(() => clash.validate({ known: t => t.id.isNull().not() }), 'MR_INVALID_OPTION')
      })

      it('counts how many rejected rows break each rule, in the metrics of their job', async () => {
        const size = 200_000
        const flow = columns({ id: Int32Array.from({ length: size }, (_, i) => i) })
        const { valid, rejected } = flow.validate({
          even: t => t.id.mod(2).eq(0),
          small: t => t.id.lt(150_000),
          never: t => t.id.gte(0),
        })
        let kept = 0
        const both = runAll(
          { valid, rejected },
          { valid: (batch: any) => (kept += batch.rowCount), rejected: () => {} },
          o(),
        )
        await both.finished
        expect(kept).toBe(75_000)
        expect(both.metrics()).toMatchObject({ rules: { even: 100_000, small: 50_000, never: 0 }, rowsWritten: size })
        const job = rejected.run(o())
        for await (const batch of job) if (batch.rowCount > 0) break
        const { rules = {}, rowsWritten } = job.metrics()
        expect(rules.even).toBe(rowsWritten)
        const alone = rejected.to(() => {}, o())
        await alone.finished
        expect(alone.metrics().rules).toEqual({ even: 100_000, small: 50_000, never: 0 })
        const other = rejected.drop('brokenRules').to(() => {}, o())
        await other.finished
        expect('rules' in other.metrics()).toBe(false)
      })

      it('may be said before the columns are known', async () => {
        const read = () => csv({ text: 'a,b\n1,x\n1,\n,y\n2,z\n1,x\n' }) as Flow
        expect((await read().dropNulls().dedupe().collect(o())).toRows()).toEqual([
          { a: 1, b: 'x' },
          { a: 2, b: 'z' },
        ])
        expect((await read().fillNull({ a: 0 }).dedupe('a').collect(o())).column('a').toArray()).toEqual(
          Float64Array.of(1, 0, 2),
        )
        await refusal(() => read().dropNulls('c').collect(o()), 'MR_UNKNOWN_COLUMN')
        await refusal(() => read().dedupe('c').collect(o()), 'MR_UNKNOWN_COLUMN')
        const { rejected } = read().validate({ small: (t: any) => t.a.lt(2) })
        expect((await rejected.collect(o())).toRows()).toEqual([
          { a: null, b: 'y', brokenRules: 'small' },
          { a: 2, b: 'z', brokenRules: 'small' },
        ])
      })
    })
  })
}
