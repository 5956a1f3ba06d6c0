import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  columns,
  createEngine,
  type Engine,
  int32,
  json,
  list,
  MillraceError,
  nullable,
  rows,
  schema,
  utf8,
} from '../../src/index.js'

const LANES = [0, 1, 2, 3]
const engines: Engine[] = []
beforeAll(async () => {
  for (const lanes of LANES) engines.push(await createEngine({ lanes }))
})
afterAll(async () => {
  await Promise.all(engines.map(engine => engine.close()))
})

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return error instanceof MillraceError ? error.code : String(error)
  }
  return 'nothing'
}

describe('explode', () => {
  it('makes as many morsels as it takes, and gives every item its row', async () => {
    const lengths = [0, 200_000, 1, 65_536, 0, 3]
    const flow = rows(
      lengths.map((length, id) => ({ id, items: length === 0 ? null : Array.from({ length }, (_, i) => i) })),
      schema({ id: int32(), items: nullable(list(int32())) }),
    ).explode('items')
    const expected = lengths.flatMap((length, id) =>
      length === 0 ? [[id, null]] : Array.from({ length }, (_, i) => [id, i]),
    )
    for (const engine of engines) {
      const table = await flow.collect({ engine })
      const [ids, items] = [table.column('id'), table.column('items')]
      expect(table.rowCount).toBe(expected.length)
      expect(expected.findIndex(([id, item], i) => ids.at(i) !== id || items.at(i) !== item)).toBe(-1)
    }
  })

  it('gives nulls where no row has an item, of strings and of lists too', async () => {
    const flow = rows([{ a: [] }, { a: null }], schema({ a: nullable(list(utf8())) })).explode('a')
    expect((await flow.collect()).toRows()).toEqual([{ a: null }, { a: null }])
    const nested = rows([{ a: [] }, { a: [[], [1]] }], schema({ a: list(list(int32())) })).explode('a')
    expect((await nested.collect()).toRows()).toEqual([{ a: null }, { a: [] }, { a: [1] }])
  })

  it('reports the row of the source that fails behind it', async () => {
    const flow = rows([{ a: [1n, 2n] }, { a: [] }, { a: [3n, 2n ** 62n] }])
      .explode('a')
      .derive(t => ({ b: t.a.mul(4) }))
    for (const engine of engines)
      await expect(flow.collect({ engine })).rejects.toMatchObject({ code: 'MR_INTEGER_OVERFLOW', details: { row: 2 } })
    expect((await flow.limit(3).collect()).column('b').toArray()).toEqual([4, 8, null])
  })

  it('is refused where there is no list', () => {
    const flow = columns({ a: [1] })
    expect(code(() => flow.explode('a' as never))).toBe('MR_TYPE_MISMATCH')
    expect(code(() => flow.explode('b' as never))).toBe('MR_UNKNOWN_COLUMN')
  })
})

describe('unpivot', () => {
  it('cuts what is too much for a morsel, in the order of rows and columns', async () => {
    const n = 70_000
    const flow = columns({
      a: Int32Array.from({ length: n }, (_, i) => i),
      b: Float64Array.from({ length: n }, (_, i) => i + 0.5),
      c: Array.from({ length: n }, (_, i) => (i % 3 === 0 ? null : -i)),
    }).unpivot({ on: ['a', 'b', 'c'] })
    for (const engine of engines) {
      const table = await flow.collect({ engine })
      const [names, values] = [table.column('variable'), table.column('value')]
      expect(table.rowCount).toBe(3 * n)
      for (let i = 0; i < 3 * n; i += 997) {
        const row = Math.floor(i / 3)
        expect([names.at(i), values.at(i)]).toEqual(
          [
            ['a', row],
            ['b', row + 0.5],
            ['c', row % 3 === 0 ? null : -row],
          ][i % 3],
        )
      }
    }
  })

  it('takes columns of a file whose columns are known once it opens', async () => {
    const flow = json({ text: '[{"k":"x","p":1,"q":2.5},{"k":"y","p":3,"q":null}]' })
    expect(flow.schema).toBe(null)
    const table = await flow.unpivot({ on: ['q', 'p'], valueName: 'v' }).collect()
    expect(table.toRows()).toEqual([
      { k: 'x', variable: 'q', v: 2.5 },
      { k: 'x', variable: 'p', v: 1 },
      { k: 'y', variable: 'q', v: null },
      { k: 'y', variable: 'p', v: 3 },
    ])
    await expect(flow.unpivot({ on: ['k', 'p'] }).collect()).rejects.toMatchObject({ code: 'MR_TYPE_MISMATCH' })
    await expect(flow.unpivot({ on: ['z'] }).collect()).rejects.toMatchObject({ code: 'MR_UNKNOWN_COLUMN' })
  })

  it('is refused with a reason', () => {
    const flow = columns({ a: [1], b: ['x'], variable: [2] })
    expect(code(() => flow.unpivot({ on: ['a', 'b'], index: [] }))).toBe('MR_TYPE_MISMATCH')
    expect(code(() => flow.unpivot({ on: ['a'] }))).toBe('MR_DUPLICATE_COLUMN')
    expect(code(() => flow.unpivot({ on: [] }))).toBe('MR_INVALID_OPTION')
    expect(code(() => flow.unpivot({ on: ['a'], index: ['a'] }))).toBe('MR_INVALID_OPTION')
    expect(code(() => flow.unpivot({ on: 'a' } as never))).toBe('MR_TYPE_MISMATCH')
    expect(code(() => flow.unpivot({ on: ['a'], name: 'x' } as never))).toBe('MR_INVALID_OPTION')
    expect(code(() => flow.unpivot({ on: ['z' as 'a'] }))).toBe('MR_UNKNOWN_COLUMN')
  })
})

describe('sample', () => {
  const n = 300_000
  const flow = columns({
    i: Int32Array.from({ length: n }, (_, i) => i),
    s: Array.from({ length: n }, (_, i) => `s${i % 9}`),
  })
  const idsOf = async (sampled: typeof flow, engine: Engine): Promise<number[]> => {
    const table = await sampled.collect({ engine })
    const ids = [...(table.column('i').toArray() as Int32Array)]
    expect(ids.every((id, at) => at === 0 || (ids[at - 1] as number) < id)).toBe(true)
    expect(table.column('s').toArray()).toEqual(ids.map(id => `s${id % 9}`))
    return ids
  }

  it('keeps the same rows on every number of lanes, in row order', async () => {
    for (const options of [{ n: 1000 }, { n: 20_000, seed: 5 }, { fraction: 0.02, seed: 9 }]) {
      const [first, ...others] = await Promise.all(engines.map(engine => idsOf(flow.sample(options), engine)))
      for (const other of others) expect(other).toEqual(first)
      if (options.n !== undefined) expect(first).toHaveLength(options.n)
    }
  })

  it('chooses rows evenly, and others by another seed', async () => {
    const [a, b] = await Promise.all(
      [1, 2].map(seed => idsOf(flow.sample({ fraction: 0.1, seed }), engines[0] as Engine)),
    )
    // Six standard deviations from the mean at most.
    for (const ids of [a, b] as number[][]) {
      expect(Math.abs(ids.length - n / 10)).toBeLessThan(6 * Math.sqrt(n * 0.09))
      for (let part = 0; part < 10; part++) {
        const here = ids.filter(id => Math.floor(id / (n / 10)) === part).length
        expect(Math.abs(here - n / 100)).toBeLessThan(6 * Math.sqrt(n * 0.009))
      }
    }
    const others = new Set(b)
    const both = (a as number[]).filter(id => others.has(id)).length
    expect(Math.abs(both - n / 100)).toBeLessThan(6 * Math.sqrt(n * 0.01))
  })

  it('keeps exactly as many rows as are wanted, or all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 60 }),
        fc.nat({ max: 80 }),
        fc.nat(),
        fc.constantFrom(...engines),
        async (rowCount, wanted, seed, engine) => {
          const source = columns({ i: Int32Array.from({ length: rowCount }, (_, i) => i) })
          const ids = (await source.sample({ n: wanted, seed }).collect({ engine })).column('i').toArray() as Int32Array
          expect(ids.length).toBe(Math.min(wanted, rowCount))
          expect([...ids]).toEqual([...new Set(ids)].sort((a, b) => a - b))
          const all = await source.sample({ fraction: 1, seed }).collect({ engine })
          expect(all.rowCount).toBe(rowCount)
          expect((await source.sample({ fraction: 0 }).collect({ engine })).rowCount).toBe(0)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('samples what comes of groups too, and within a budget', async () => {
    const grouped = flow.orderBy('i').sample({ n: 50 })
    for (const engine of engines) {
      const ids = await idsOf(grouped as typeof flow, engine)
      expect(ids).toHaveLength(50)
      const table = await grouped.collect({ engine, memory: 64 * 2 ** 20 })
      expect([...(table.column('i').toArray() as Int32Array)]).toEqual(ids)
    }
  })

  it('is refused with a reason', () => {
    for (const options of [
      {},
      { n: 1, fraction: 1 },
      { n: -1 },
      { n: 1.5 },
      { fraction: 2 },
      { fraction: NaN },
      { n: 1, seed: -1 },
    ])
      expect(
        code(() => flow.sample(options as never)),
        JSON.stringify(options),
      ).toBe('MR_INVALID_OPTION')
  })
})
