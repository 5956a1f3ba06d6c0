/** What each verb does to a few rows, as a user writes it. Random chains of verbs are test/laws. */
import { describe, expect, it } from 'vitest'
import { asc, columns, count, desc, float64, int32, nullable, rows, schema, sum, utf8 } from '../../src/index.js'
import { counted, type FlowEnv, onLanes } from './env.js'

const people = () =>
  rows(
    [
      { name: 'Ada', age: 36, score: 1.5 },
      { name: 'Bo', age: 20, score: null },
      { name: 'Cy', age: 36, score: -0.5 },
      { name: 'Di', age: 51, score: 2 },
    ],
    schema({ name: utf8(), age: int32(), score: nullable(float64()) }),
  )

export function verbSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('verbs', () => {
    onLanes(lanesList, engine => {
      const collect = <T>(flow: { collect(options: object): Promise<T> }) => flow.collect({ engine: engine() })

      it('collect gives the rows as they came', async () => {
        const table = await collect(people())
        expect(table.rowCount).toBe(4)
        expect(table.toRows()).toEqual([
          { name: 'Ada', age: 36, score: 1.5 },
          { name: 'Bo', age: 20, score: null },
          { name: 'Cy', age: 36, score: -0.5 },
          { name: 'Di', age: 51, score: 2 },
        ])
      })

      it('select keeps the named columns, in the order of the names', async () => {
        const table = await collect(people().select('score', 'name'))
        expect(Object.keys(table.schema)).toEqual(['score', 'name'])
        expect(table.at(0)).toEqual({ score: 1.5, name: 'Ada' })
      })

      it('drop keeps the others', async () => {
        const table = await collect(people().drop('name', 'score'))
        expect(table.toColumns()).toEqual({ age: Int32Array.of(36, 20, 36, 51) })
      })

      it('rename leaves columns where they are, and may swap two', async () => {
        const table = await collect(people().rename({ name: 'age', age: 'name' }))
        expect(Object.keys(table.schema)).toEqual(['age', 'name', 'score'])
        expect(table.at(1)).toEqual({ age: 'Bo', name: 20, score: null })
      })

      it('derive adds at the end, replaces in place, and sees only the input columns', async () => {
        const table = await collect(people().derive(t => ({ twice: t.age.mul(2), age: t.age.add(1), old: t.age })))
        expect(Object.keys(table.schema)).toEqual(['name', 'age', 'score', 'twice', 'old'])
        expect(table.at(0)).toEqual({ name: 'Ada', age: 37, score: 1.5, twice: 72, old: 36 })
        expect(table.schema.twice.kind).toBe('int64')
        expect(table.schema.old.kind).toBe('int32')
      })

      it('derive takes literals', async () => {
        const at = new Date(Date.UTC(2024, 1, 29))
        const flow = people()
          .limit(1)
          .derive(() => ({ n: 1.5, s: 'x', yes: true, at }))
          .drop('name', 'age', 'score')
        expect((await collect(flow)).toRows()).toEqual([{ n: 1.5, s: 'x', yes: true, at }])
      })

      it('filter keeps the rows where the predicate is true, and drops false and null alike', async () => {
        const table = await collect(people().filter(t => t.score.gt(0)))
        expect(table.column('name').toArray()).toEqual(['Ada', 'Di'])
        const none = await collect(people().filter(t => t.age.gt(100)))
        expect([none.rowCount, none.toRows(), Object.keys(none.schema)]).toEqual([0, [], ['name', 'age', 'score']])
      })

      it('limit takes rows from the front, after an offset', async () => {
        const names = async (n: number, offset?: number) =>
          (await collect(people().limit(n, offset))).column('name').toArray()
        expect(await names(2)).toEqual(['Ada', 'Bo'])
        expect(await names(2, 1)).toEqual(['Bo', 'Cy'])
        expect(await names(9, 3)).toEqual(['Di'])
        expect(await names(0)).toEqual([])
        expect(await names(1, 9)).toEqual([])
      })

      it('orderBy is stable, with nulls last unless told', async () => {
        const ordered = async (flow: ReturnType<typeof people>) => (await collect(flow)).column('name').toArray().join()
        expect(await ordered(people().orderBy('age'))).toBe('Bo,Ada,Cy,Di')
        expect(await ordered(people().orderBy(desc('age')))).toBe('Di,Ada,Cy,Bo')
        expect(await ordered(people().orderBy('score'))).toBe('Cy,Ada,Di,Bo')
        expect(await ordered(people().orderBy(desc('score')))).toBe('Di,Ada,Cy,Bo')
        expect(await ordered(people().orderBy(asc('score', { nulls: 'first' })))).toBe('Bo,Cy,Ada,Di')
        expect(await ordered(people().orderBy(desc('age'), asc('score')))).toBe('Di,Cy,Ada,Bo')
      })

      it('orderBy then limit gives the first of all rows, across splits', async () => {
        const flow = columns(counted(600_000)).orderBy(desc('key'), desc('id')).limit(3, 1)
        expect((await collect(flow)).column('id').toArray()).toEqual(Int32Array.of(599_990, 599_983, 599_976))
      })

      it('limit takes the first rows of the source, whichever lane is first', async () => {
        const flow = columns(counted(600_000))
          .filter(t => t.id.gte(280_000))
          .limit(4, 2)
        expect((await collect(flow)).column('id').toArray()).toEqual(Int32Array.of(280_002, 280_003, 280_004, 280_005))
      })

      it('many rows come out in the order they had', async () => {
        const table = await collect(columns(counted(600_000)).filter(t => t.key.ne(3)))
        expect(table.rowCount).toBe(514_286)
        const ids = table.column('id').toArray()
        expect(ids.every((id, i) => i === 0 || id > ids[i - 1]!)).toBe(true)
      })

      it('verbs leave the flow they are called on as it was', async () => {
        const flow = people()
        const young = flow.filter(t => t.age.lt(40))
        const names = flow.select('name')
        expect((await collect(young)).rowCount).toBe(3)
        expect((await collect(names)).rowCount).toBe(4)
        expect(Object.keys((await collect(flow)).schema)).toEqual(['name', 'age', 'score'])
      })

      it('what follows an aggregate runs over its groups', async () => {
        const flow = columns(counted(700_000))
          .groupBy('key')
          .aggregate(t => ({ n: count(), total: sum(t.value) }))
          .derive(t => ({ mean: t.total.div(t.n) }))
          .filter(t => t.key.gt(3))
          .orderBy(desc('key'))
        const table = await collect(flow)
        expect(table.column('key').toArray()).toEqual(Int32Array.of(6, 5, 4))
        expect([...table.column('n')]).toEqual([100_000, 100_000, 100_000])
        expect([...table.column('mean')]).toEqual([87_500.625, 87_500.375, 87_500.125])
      })

      it('a table flows again', async () => {
        const table = await collect(people().filter(t => t.age.gt(30)))
        const names = await collect(
          table
            .flow()
            .filter(t => t.age.lt(50))
            .select('name'),
        )
        expect(names.toRows()).toEqual([{ name: 'Ada' }, { name: 'Cy' }])
      })
    })
  })
}
