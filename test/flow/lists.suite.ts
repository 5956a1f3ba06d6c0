/** Columns of lists through every verb that carries them, on every number of lanes, value by value. What a list is in memory: test/columnar/list.test.ts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bool,
  columns,
  count,
  type DataType,
  desc,
  float64,
  int32,
  int64,
  list,
  nullable,
  rows,
  type SchemaShape,
  schema,
  timestamp,
  utf8,
} from '../../src/index.js'
import { listSample } from '../columnar/arbitraries.js'
import { type FlowEnv, onLanes, refusal } from './env.js'

const trade = schema({
  id: int32(),
  tags: nullable(list(nullable(utf8()))),
  sizes: list(int64()),
  steps: list(nullable(list(float64()))),
  flags: nullable(list(bool())),
  times: list(nullable(timestamp('ms'))),
})

/** Row i: lists of every length from 0 up, null ones, and strings that are new all the way. */
const tradeOf = (id: number) => ({
  id,
  tags: id % 5 === 0 ? null : Array.from({ length: id % 4 }, (_, j) => (j === 1 ? null : `tag ${(id * 7 + j) % 5000}`)),
  sizes: Array.from({ length: id % 3 }, (_, j) => id * 1_000_000 + j),
  steps: Array.from({ length: id % 3 }, (_, j) =>
    j === id % 2 ? null : Array.from({ length: j + (id % 2) }, () => id / 4),
  ),
  flags: id % 7 === 0 ? null : Array.from({ length: id % 11 }, (_, j) => (id + j) % 3 === 0),
  times: Array.from({ length: id % 2 }, () => (id % 3 === 0 ? null : new Date(id))),
})
const few = Array.from({ length: 12 }, (_, id) => tradeOf(id))
/** Three splits, so that every lane has some; made once. */
let manyTrades: ReturnType<typeof tradeOf>[] | null = null
const many = () => {
  manyTrades ??= Array.from({ length: 265_000 }, (_, id) => tradeOf(id))
  return manyTrades
}
const idsOf = (flow: { toRows(): { id: number }[] }) => flow.toRows().map(({ id }) => id)

export function listSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('lists', () => {
    onLanes(lanesList, engine => {
      const collect = <T>(flow: { collect(options: object): Promise<T> }) => flow.collect({ engine: engine() })
      const fewTrades = () => rows(few, trade)

      it('come out as they went in, and are seen in every way that a table has', async () => {
        const table = await collect(fewTrades())
        expect(table.toRows()).toEqual(few)
        expect(table.at(-1)).toEqual(few[11])
        expect([...table]).toEqual(few)
        expect(table.column('tags').toArray()).toEqual(few.map(({ tags }) => tags))
        expect(table.toColumns().steps).toEqual(few.map(({ steps }) => steps))
        expect(table.slice(3, 9).toRows()).toEqual(few.slice(3, 9))
        expect(table.toRows({ bigint: true })[5]).toMatchObject({ sizes: [5_000_000n, 5_000_001n], times: [5n] })
        expect(table.schema.tags).toEqual(trade.tags)
      })

      it('are carried by select, drop, rename, derive, filter, limit and orderBy', async () => {
        const flow = fewTrades()
        const kept = few.map(({ id, tags }) => ({ id, tags }))
        expect((await collect(flow.select('id', 'tags'))).toRows()).toEqual(kept)
        expect((await collect(flow.drop('sizes', 'steps', 'flags', 'times'))).toRows()).toEqual(kept)
        expect((await collect(flow.rename({ tags: 'words' }).select('words'))).column('words').toArray()).toEqual(
          few.map(({ tags }) => tags),
        )
        const derived = await collect(flow.derive(t => ({ tags: t.steps, more: t.sizes })).select('tags', 'more'))
        expect(derived.toRows()).toEqual(few.map(({ steps, sizes }) => ({ tags: steps, more: sizes })))
        expect((await collect(flow.filter(t => t.id.mod(3).eq(1)))).toRows()).toEqual(
          few.filter(({ id }) => id % 3 === 1),
        )
        expect((await collect(flow.limit(4, 5))).toRows()).toEqual(few.slice(5, 9))
        expect((await collect(flow.orderBy(desc('id')))).toRows()).toEqual([...few].reverse())
      })

      it('may be asked for null, and for nothing else', async () => {
        const flow = fewTrades()
        expect(idsOf(await collect(flow.filter(t => t.tags.isNull())))).toEqual([0, 5, 10])
        const asked = await collect(flow.derive(t => ({ none: t.flags.isNull(), ever: t.steps.isNull() })))
        expect(asked.column('none').toArray()).toEqual(few.map(({ flags }) => flags === null))
        expect(asked.column('ever').toArray()).toEqual(few.map(() => false))
        const untyped = flow as any
        for (const make of [
          () => untyped.groupBy('tags').aggregate(() => ({ n: count() })),
          () => untyped.orderBy('tags'),
          () => untyped.filter((t: any) => t.tags.eq(t.tags)),
          () => untyped.filter((t: any) => t.tags),
          () => untyped.derive((t: any) => ({ x: t.sizes.add(1) })),
        ]) {
          await refusal(() => collect(make()), 'MR_TYPE_MISMATCH')
        }
      })

      it('are carried through many splits, filtered, ordered and cut', async () => {
        const all = many()
        const flow = rows(all, trade).filter(t => t.id.mod(7).ne(3))
        const kept = all.filter(({ id }) => id % 7 !== 3)
        expectSame((await collect(flow)).toRows(), kept)
        const backwards = await collect(flow.orderBy(desc('id')).limit(70_000, 10).drop('times'))
        expectSame(
          backwards.toRows(),
          kept
            .slice(-70_010, -10)
            .reverse()
            .map(({ times: _, ...row }) => row),
        )
      })

      it('stay in the lanes, and a table of them flows again', async () => {
        const all = many().slice(0, 140_000)
        const loaded = await rows(all, trade).load({ engine: engine() })
        try {
          expect(loaded.byteLength).toBeGreaterThan(all.length * 4 * 10)
          for (let again = 0; again < 2; again++) {
            const even = await collect(loaded.filter(t => t.id.mod(2).eq(0)).drop('sizes'))
            expectSame(
              even.toRows(),
              all.filter(({ id }) => id % 2 === 0).map(({ sizes: _, ...row }) => row),
            )
          }
          expectSame((await collect(loaded.limit(10, 70_000))).toRows(), all.slice(70_000, 70_010))
        } finally {
          await loaded.close()
        }
        const table = await collect(rows(all.slice(0, 70_000), trade))
        const part = table.slice(65_000, 66_000)
        expectSame((await collect(part.flow().filter(t => t.id.gte(65_100)))).toRows(), all.slice(65_100, 66_000))
        expectSame((await collect(table.flow())).toRows(), all.slice(0, 70_000))
      })

      it('come batch by batch', async () => {
        const seen: unknown[] = []
        for await (const batch of fewTrades().select('tags').run({ engine: engine() })) seen.push(...batch.toRows())
        expect(seen).toEqual(few.map(({ tags }) => ({ tags })))
      })

      it('of every type, nested and null, survive a filter bit for bit', async () => {
        await fc.assert(
          fc.asyncProperty(listSample(), listSample(), async (one, other) => {
            const length = Math.min(one.values.length, other.values.length)
            const data: Record<string, unknown[]> = {
              id: Array.from({ length }, (_, i) => i),
              one: one.values.slice(0, length),
              other: other.values.slice(0, length),
            }
            const shape: SchemaShape = { id: int32(), one: one.type, other: other.type }
            const flow = columns(data as never, shape) as any
            const whole = (await collect(flow)) as any
            expectSame(
              whole.toRows({ bigint: true }),
              expectedRows(data, shape, () => true),
            )
            const odd = (await collect(flow.filter((t: any) => t.id.mod(2).eq(1)).orderBy(desc('id')))) as any
            expectSame(odd.toRows({ bigint: true }), expectedRows(data, shape, i => i % 2 === 1).reverse())
          }),
          { numRuns: 40 },
        )
      })
    })

    it('are inferred from arrays in columns and rows', async () => {
      const table = await columns({ tags: [['a'], [], null], steps: [[[1]], [[], null], []] }).collect()
      expect(table.schema).toEqual({
        tags: nullable(list(utf8())),
        steps: list(nullable(list(float64()))),
      })
      expect(table.toRows()).toEqual([
        { tags: ['a'], steps: [[1]] },
        { tags: [], steps: [[], null] },
        { tags: null, steps: [] },
      ])
      expect((await rows([{ when: [new Date(5)] }, {}]).collect()).toRows()).toEqual([
        { when: [new Date(5)] },
        { when: null },
      ])
    })
  })
}

/** Rows of model values as `toRows({ bigint: true })` must give them. */
function expectedRows(data: Record<string, unknown[]>, shape: SchemaShape, keep: (i: number) => boolean): unknown[] {
  return (data.id as number[])
    .filter(keep)
    .map(i =>
      Object.fromEntries(
        Object.keys(shape).map(name => [name, given((data[name] as unknown[])[i], shape[name] as DataType)]),
      ),
    )
}

/** A lone surrogate is no text: it comes back as U+FFFD. */
const given = (value: unknown, type: DataType): unknown =>
  Array.isArray(value)
    ? value.map(item => given(item, type.item as DataType))
    : typeof value === 'string'
      ? value.replace(/\p{Surrogate}/gu, '\ufffd')
      : value

/** Deeply equal, told apart by every bit, and quick over a hundred thousand rows. */
function expectSame(actual: readonly unknown[], expected: readonly unknown[]): void {
  expect(actual.length).toBe(expected.length)
  const wrong = expected.findIndex((value, i) => !same(actual[i], value))
  if (wrong >= 0) expect(actual[wrong], `row ${wrong}`).toEqual(expected[wrong])
  expect(wrong).toBe(-1)
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  const names = Object.keys(b)
  if (Array.isArray(a) !== Array.isArray(b) || Object.keys(a).length !== names.length) return false
  return names.every(name => same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]))
}
