/** A user's own aggregates: which rows they see and in which order, what they give, and what follows them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  channel,
  collectAll,
  columns,
  count,
  createEngine,
  defineAggregate,
  desc,
  type Engine,
  float64,
  int32,
  int64,
  list,
  max,
  nullable,
  rows,
  schema,
  sum,
  typeName,
  utf8,
} from '../../src/index.js'
import { refusal } from '../flow/env.js'

/** The values as they came, chunks in brackets. */
const trace = defineAggregate({
  name: 'trace',
  init: () => [] as string[],
  update(seen: string[], ...values: unknown[]) {
    seen.push(values.map(String).join('/'))
  },
  merge: (a, b) => [...a, '|', ...b],
  evaluate: seen => seen.join(' '),
  type: utf8(),
})
const product = defineAggregate({
  name: 'product',
  init: () => 1,
  update: (state, value: number) => state * value,
  merge: (a, b) => a * b,
  evaluate: state => state,
  type: float64(),
})
const plain = { init: () => 0, update: (n: number) => n + 1, merge: (a: number, b: number) => a + b }

const trades = columns({
  key: ['a', 'b', 'a', 'b', 'a'],
  x: [1, 2, 3, null, 5],
  y: [10, 20, null, 40, 50],
  flag: [true, true, true, false, false],
})

describe("a user's own aggregate", () => {
  it('is typed at once where its type is given, else when it runs', () => {
    const typed = trades.groupBy('key').aggregate(t => ({ p: product(t.x), half: product(t.x).div(2) }))
    expect(Object.entries(typed.schema ?? {}).map(([name, type]) => `${name} ${typeName(type)}`)).toEqual([
      'key utf8',
      'p float64',
      'half float64',
    ])
    const late = trades.aggregate(t => ({ n: defineAggregate({ ...plain, evaluate: String })(t.x) }))
    expect(late.schema).toBe(null)
  })

  it('says in explain what lanes do, and what the calling thread does', () => {
    const flow = trades
      .filter(t => t.x.gt(0))
      .groupBy('key')
      .aggregate(t => ({ n: count(), p: product(t.x).mul(count()) }))
      .orderBy('p')
    expect(flow.explain()).toContain('calling thread\n  aggregate p = product(x) * count()\nsource p = product(x)')
    expect(flow.explain()).toContain('collectList(x)')
  })

  it('refuses what does not fit, at once', async () => {
    const wrong = (given: object) => () => defineAggregate({ ...plain, evaluate: String, ...given } as never)
    expect((await refusal(wrong({ merge: undefined }), 'MR_TYPE_MISMATCH')).message).toContain('merge is a function')
    expect((await refusal(wrong({ type: 'int32' }), 'MR_TYPE_MISMATCH')).message).toContain('such as float64()')
    expect((await refusal(() => defineAggregate(5 as never), 'MR_TYPE_MISMATCH')).message).toContain('{ init, update')
    const nested = rows([], schema({ l: list(int32()), k: int32() }))
    const over = (make: (t: any) => any) => () => nested.groupBy('k').aggregate(t => ({ a: make(t) }))
    expect(
      (
        await refusal(
          over(t => product(t.l)),
          'MR_TYPE_MISMATCH',
        )
      ).message,
    ).toContain('product takes no lists')
    expect(
      (
        await refusal(
          over(() => (product as any)('k')),
          'MR_TYPE_MISMATCH',
        )
      ).message,
    ).toContain('product(t.x)')
    expect(
      (
        await refusal(
          over(() => (product as any)()),
          'MR_TYPE_MISMATCH',
        )
      ).message,
    ).toContain('product(t.x)')
    await refusal(() => nested.groupBy('k').aggregate(t => ({ k: product(t.k) })), 'MR_DUPLICATE_COLUMN')
    await refusal(() => nested.derive(t => ({ a: product(t.k) as never })), 'MR_TYPE_MISMATCH')
  })
})

describe.each([0, 2])("a user's own aggregate on %i lanes", lanes => {
  let engine: Engine
  beforeAll(async () => {
    engine = await createEngine({ lanes })
  })
  afterAll(() => engine.close())

  it('sees the rows of its group in row order, none where an input is null', async () => {
    const table = await trades
      .groupBy('key')
      .aggregate(t => ({
        x: trace(t.x),
        pairs: trace(t.y, t.x),
        some: trace(t.x, t.y, t.key).where(t.flag),
        n: count(),
      }))
      .collect({ engine })
    expect(table.toRows()).toEqual([
      { key: 'a', x: '1 3 5', pairs: '10/1 50/5', some: '1/10/a', n: 3 },
      { key: 'b', x: '2', pairs: '20/2', some: '2/20/b', n: 2 },
    ])
  })

  it('gives what evaluate makes of the state before any row, where there is none', async () => {
    const define = (t: any) => ({ p: product(t.x), seen: trace(t.x).where(t.x.gt(100)) })
    expect(
      (
        await trades
          .filter(() => false)
          .aggregate(define)
          .collect({ engine })
      ).toRows(),
    ).toEqual([{ p: 1, seen: '' }])
    const keyed = await trades
      .filter(() => false)
      .groupBy('key')
      .aggregate(define)
      .collect({ engine })
    expect([keyed.rowCount, Object.keys(keyed.schema)]).toEqual([0, ['key', 'p', 'seen']])
  })

  it('goes on: arithmetic, verbs, loading and batches', async () => {
    const flow = trades
      .groupBy('key')
      .aggregate(t => ({
        p: product(t.x),
        each: product(t.x).div(count()),
        negated: product(t.x).sub(1).mul(-0),
        n: count(),
      }))
      .derive(t => ({ more: t.p.add(t.n) }))
      .orderBy(desc('p'))
    const expected = [
      { key: 'a', p: 15, each: 5, negated: 0, n: 3, more: 18 },
      { key: 'b', p: 2, each: 1, negated: 0, n: 2, more: 4 },
    ]
    expect((await flow.collect({ engine })).toRows()).toEqual(expected)
    const batches = []
    for await (const batch of flow.run({ engine })) batches.push(...batch)
    expect(batches).toEqual(expected)
    const loaded = await flow.load({ engine })
    expect((await loaded.filter(t => t.p.gt(2)).collect({ engine })).toRows()).toEqual(expected.slice(0, 1))
    await loaded.close()
    const again = flow.aggregate(t => ({ p: product(t.p), seen: trace(t.key) }))
    expect((await again.collect({ engine })).toRows()).toEqual([{ p: 30, seen: 'a b' }])
  })

  it('infers the type of its results, and holds them to the one that is given', async () => {
    const of = (evaluate: (n: number) => unknown, type?: any) =>
      trades
        .groupBy('key')
        .aggregate(t => ({ r: defineAggregate({ ...plain, evaluate, type, name: 'mine' })(t.x) as any, n: count() }))
        .filter((t: any) => t.r.isNull().not())
        .collect({ engine })
    const cases: [(n: number) => unknown, string, unknown[]][] = [
      [n => n / 2, 'float64', [1.5, 0.5]],
      [n => BigInt(n), 'int64', [3, 1]],
      [n => (n > 1 ? `${n}` : null), 'nullable(utf8)', ['3']],
      [n => n > 1, 'bool', [true, false]],
      [n => new Date(n), "timestamp('ms')", [new Date(3), new Date(1)]],
      [n => Array(n).fill(n), 'list(float64)', [[3, 3, 3], [1]]],
    ]
    for (const [evaluate, type, results] of cases) {
      const table = await of(evaluate)
      expect([typeName(table.schema.r as never), table.toRows().map((row: any) => row.r)]).toEqual([type, results])
    }
    expect(typeName((await of(n => n, nullable(int32()))).schema.r as never)).toBe('nullable(int32)')
    await refusal(() => of(n => n + 0.5, int64()), 'MR_INEXACT_VALUE')
    await refusal(() => of(n => (n > 1 ? n : 'x')), 'MR_TYPE_MISMATCH')
    const object = await refusal(() => of(n => ({ n }), int64()), 'MR_TYPE_MISMATCH')
    expect(object.message).toMatch(/: mine: evaluate gave for .* what its column cannot hold: an object is not/)
    expect(object.details).toEqual({ operator: 'mine', column: 'r', function: 'evaluate', group: 0 })
    const broken = new Error('of the user')
    const throwing = () => {
      throw broken
    }
    const failed = await refusal(() => of(throwing), 'MR_USER_CODE_FAILED')
    expect(failed.cause).toBe(broken)
    expect(failed.details).toMatchObject({ column: 'r', function: 'evaluate', group: 0 })
  })

  it('says which function failed, on which value of which group', async () => {
    const data = columns({ k: ['a', 'b', 'b'], day: [1n, 2n ** 60n, 2n ** 60n], x: [1, 2, -1] })
    const failing = (part: string, fails: (...args: any[]) => boolean) => {
      const parts: Record<string, unknown> = {
        init: () => 0,
        update: (state: number, x: number) => state + x,
        merge: (a: number, b: number) => a + b,
        evaluate: (state: number) => state,
      }
      const call = parts[part] as (...args: unknown[]) => unknown
      const own = { ...parts, name: 'mine', [part]: (...args: unknown[]) => (fails(...args) ? boom() : call(...args)) }
      return defineAggregate(own as never)
    }
    const raise = (thrown: unknown): never => {
      throw thrown
    }
    const thrown = new RangeError('of the user')
    const boom = (): never => {
      throw thrown
    }
    const of = (part: string, fails: (...args: any[]) => boolean) => {
      const mine = failing(part, fails) as (x: any) => any
      const flow = data.groupBy('k', 'day').aggregate(t => ({ r: mine(t.x).add(1) as any }))
      return refusal(() => flow.collect({ engine }), 'MR_USER_CODE_FAILED')
    }
    const update = await of('update', (_, x) => x < 0)
    expect(update.cause).toBe(thrown)
    expect(update.message).toContain(
      'mine: update failed on value 1 of the group k = "b", day = 1152921504606846976: RangeError: of the user',
    )
    expect(update.details).toEqual({ operator: 'mine', column: 'r', function: 'update', group: 1, value: 1 })
    expect((await of('init', () => true)).details).toEqual({
      operator: 'mine',
      column: 'r',
      function: 'init',
      group: 0,
    })
    expect((await of('evaluate', state => state === 1)).details).toMatchObject({ function: 'evaluate', group: 0 })
    for (const nothing of [null, undefined]) {
      const own = { ...plain, evaluate: (n: number) => n, init: () => raise(nothing) }
      const flow = data.aggregate(t => ({ r: defineAggregate(own as never)(t.x as never) as any }))
      expect((await refusal(() => flow.collect({ engine }), 'MR_USER_CODE_FAILED')).cause).toBe(nothing)
    }
    const long = columns({ x: new Float64Array(70_000) })
    const merge = await refusal(
      () => long.aggregate(t => ({ r: (failing('merge', () => true) as any)(t.x) })).collect({ engine }),
      'MR_USER_CODE_FAILED',
    )
    expect(merge.message).toContain('mine: merge failed on all rows')
  })

  it('refuses asynchronous functions, and what they fail of later goes to nobody', async () => {
    const unhandled: unknown[] = []
    const hear = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', hear)
    const parts = {
      init: () => ({ sum: 0 }),
      update(state: { sum: number }, x: number) {
        state.sum += x
      },
      merge: (a: { sum: number }) => a,
      evaluate: ({ sum: total }: { sum: number }) => total,
    }
    for (const part of ['init', 'update', 'evaluate'] as const) {
      for (const late of [() => {}, () => Promise.reject(new Error('too late'))]) {
        const call = parts[part] as (...args: unknown[]) => unknown
        const own = { ...parts, name: 'mine', [part]: async (...args: unknown[]) => call(...args) ?? late() }
        const mine = defineAggregate(own as never) as unknown as (x: any) => any
        const flow = trades.groupBy('key').aggregate(t => ({ r: mine(t.x) as any }))
        const error = await refusal(() => flow.collect({ engine }), 'MR_TYPE_MISMATCH')
        expect(error.message).toContain(`mine: ${part} is asynchronous`)
        expect(error.details).toEqual({ operator: 'mine', column: 'r', function: part })
      }
    }
    await new Promise(resolve => setTimeout(resolve, 10))
    process.off('unhandledRejection', hear)
    expect(unhandled).toEqual([])
  })

  it('calls the functions of an object as its methods', async () => {
    class Scaled {
      constructor(readonly factor: number) {}
      init() {
        return 0 * this.factor
      }
      update(state: number, x: number) {
        return state + this.factor * x
      }
      merge(a: number, b: number) {
        return a + b + 0 * this.factor
      }
      evaluate(state: number) {
        return state / this.factor
      }
    }
    const table = await trades.aggregate(t => ({ r: defineAggregate(new Scaled(4))(t.x) })).collect({ engine })
    expect(table.toRows()).toEqual([{ r: 11 }])
  })

  it('tells what it cannot take by the names that it was written with', async () => {
    const far = columns({ k: ['a', 'b'], n: [1n, 2n ** 60n], s: ['x', 'y'] }).groupBy('k')
    const counting = defineAggregate({ ...plain, name: 'counting', evaluate: n => n, type: float64() })
    const unsafe = await refusal(
      () => far.aggregate(t => ({ r: counting(t.n as any) })).collect({ engine }),
      'MR_UNSAFE_INTEGER',
    )
    expect(unsafe.message).toContain('counting: a value of the group k = "b": 1152921504606846976 is beyond')
    expect(unsafe.message).not.toContain('toRows')
    expect(unsafe.details).toMatchObject({ operator: 'counting', column: 'r', group: 1 })
    const texts = await refusal(
      () => far.aggregate(t => ({ r: (max(t.s) as any).add(counting(t.n as any)) })).collect({ engine }),
      'MR_TYPE_MISMATCH',
    )
    expect([texts.message.includes('max(s)'), texts.details.column]).toEqual([true, undefined])
    await refusal(() => defineAggregate({ ...plain, evaluate: n => n, name: 7 as never }), 'MR_TYPE_MISMATCH')
  })

  it('takes null for a state like any other', async () => {
    const sinceNegative = defineAggregate({
      init: () => null as number | null,
      update: (state: number | null, x: number) => (x < 0 ? null : (state ?? 0) + x),
      merge: (_, later) => later,
      evaluate: state => state,
      type: nullable(float64()),
    })
    const data = columns({ k: [1, 1, 1, 1, 2, 2], x: [1, 2, -1, 5, 4, -4] })
    const table = await data
      .groupBy('k')
      .aggregate(t => ({ x: sinceNegative(t.x) }))
      .collect({ engine })
    expect(table.toRows()).toEqual([
      { k: 1, x: 5 },
      { k: 2, x: null },
    ])
  })

  it('merges states of 65,536 rows, in order', async () => {
    const many = columns({
      k: Int32Array.from({ length: 300_000 }, (_, i) => i % 2),
      i: Int32Array.from({ length: 300_000 }, (_, i) => i),
    })
    const chunks = defineAggregate({
      init: () => [] as { first: number; last: number; rows: number }[],
      update(state, i: number) {
        const [chunk] = state
        if (chunk === undefined) return [{ first: i, last: i, rows: 1 }]
        // Every value comes after the one before it.
        if (i === chunk.last + 2) Object.assign(chunk, { last: i, rows: chunk.rows + 1 })
        return undefined
      },
      merge: (a, b) => [...a, ...b],
      evaluate: state => state.map(({ first, last, rows }) => `${first}-${last} ${rows}`).join(', '),
    })
    const table = await many
      .groupBy('k')
      .aggregate(t => ({ seen: chunks(t.i), n: count() }))
      .collect({ engine })
    expect(table.toRows()).toEqual(
      [0, 1].map(k => ({
        k,
        seen: [0, 65_536, 131_072]
          .map(from => [from, Math.min(from + 65_536, 150_000)] as const)
          .map(([from, to]) => `${2 * from + k}-${2 * (to - 1) + k} ${to - from}`)
          .join(', '),
        n: 150_000,
      })),
    )
  })

  it('knows late what a file without a schema has, and may stand beside keys of any name', async () => {
    const table = rows([
      { '#0': 1, '1': 2, p: 3 },
      { '#0': 1, '1': 2, p: 5 },
    ])
    const flow = table
      .groupBy('#0', '1')
      .aggregate((t: any) => ({ '#1': product(t.p), '0': sum(t.p), p: product(t.p).add(1) }))
    expect((await flow.collect({ engine })).toRows()).toEqual([{ '0': 8, '1': 2, '#0': 1, '#1': 15, p: 16 }])
  })

  it('is run once for flows that go on from it', async () => {
    let evaluated = 0
    const counting = defineAggregate({ ...plain, evaluate: n => n + 0 * evaluated++, type: float64() })
    const flow = trades.groupBy('key').aggregate(t => ({ n: counting(t.x) }))
    const { a, b } = await collectAll({ a: flow, b: flow.aggregate(t => ({ n: sum(t.n) })) }, { engine })
    expect([a.toRows().map(row => row.n), b.toRows(), evaluated]).toEqual([[3, 1], [{ n: 4 }], 2])
  })

  it('is cancelled with what comes before it, and tells how far that is', async () => {
    const reason = new Error('enough')
    const flow = trades.aggregate(t => ({ p: product(t.x) }))
    await expect(flow.collect({ engine, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const seen: number[] = []
    await flow.collect({ engine, onProgress: ({ rows: read }) => seen.push(read) })
    expect(seen.at(-1)).toBe(5)
  })
})

describe('a job that is stopped while the values of a feed are listed', () => {
  it('finishes what has been read', async () => {
    const names = rows([{ key: 'a', name: 'A' }])
    for (const joined of [false, true]) {
      const feed = channel(schema({ key: utf8(), value: int32() }))
      const products = feed.flow.groupBy('key').aggregate(t => ({ product: product(t.value) }))
      const job = joined ? products.join(names, 'key').run() : products.run()
      const read: unknown[] = []
      const reading = (async () => {
        for await (const batch of job) read.push(...batch.toRows())
      })()
      await feed.push([2, 3, 4].map(value => ({ key: 'a', value })))
      while (feed.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5))
      job.stop()
      await reading
      await job.finished
      expect(read).toEqual([{ key: 'a', product: 24, ...(joined && { name: 'A' }) }])
      expect(feed.isClosed).toBe(true)
    }
  })

  it('and one that is stopped before has read nothing', async () => {
    const feed = channel(schema({ value: int32() }))
    const job = feed.flow.aggregate(t => ({ product: product(t.value) })).run()
    job.stop()
    const read: unknown[] = []
    for await (const batch of job) read.push(...batch.toRows())
    expect(read).toEqual([{ product: 1 }])
  })
})
