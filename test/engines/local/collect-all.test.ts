/** Several flows at once: what is read once, what is shared and what is not, and that nothing stays behind whatever happens. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { flowOf } from '../../../src/api/flow.js'
import type { LocalEngine } from '../../../src/engines/local/engine.js'
import {
  collectAll,
  columns,
  count,
  createEngine,
  desc,
  type Flow,
  int64,
  max,
  mean,
  min,
  rows,
  schema,
  sum,
  type Table,
  utf8,
} from '../../../src/index.js'
import { tableSource } from '../../../src/sources/memory.js'
import type { OpenRequest, Source } from '../../../src/sources/source.js'
import { refusal } from '../../flow/env.js'

interface Watched<S extends object> {
  readonly flow: Flow<S & any>
  /** Columns of every opening. */
  readonly opened: (readonly string[])[]
  readonly described: () => number
}

/** A source that counts how often it is opened; `isKnown`: whether its schema is known before. */
function watch<T extends Table<any>>(table: T, isKnown = true): Watched<any> {
  const opened: (readonly string[])[] = []
  const inner = tableSource(table)
  let described = 0
  const source: Source = {
    ...inner,
    label: 'watched',
    schema: isKnown ? inner.schema : null,
    async describe(services) {
      described++
      return inner.describe(services)
    },
    async open(request: OpenRequest, services) {
      opened.push(request.columns)
      return inner.open(request, services)
    },
  }
  return { flow: flowOf<any>(source), opened, described: () => described }
}

const ROWS = 3000
const numbers = () =>
  columns({
    id: Int32Array.from({ length: ROWS }, (_, i) => i),
    key: Array.from({ length: ROWS }, (_, i) => `k${i % 7}`),
    x: Float64Array.from({ length: ROWS }, (_, i) => (i % 100) / 4),
    unread: new Float64Array(ROWS),
  }).collect({ lanes: 0 })

describe.each([0, 2])('collectAll on %i lanes', lanes => {
  let engine: LocalEngine
  beforeEach(async () => {
    engine = (await createEngine({ lanes })) as LocalEngine
    for (const lane of (await engine.open()).lanes) vi.spyOn(lane, 'release')
    vi.spyOn(engine, 'run')
  })
  afterEach(async () => {
    // Whatever was held has been let go of, by every lane; so has what a failed load had begun.
    for (const released of await releases()) expect(released).toEqual(expect.arrayContaining(held()))
    expect((engine as any).heldTables).toBe(0)
    await engine.close()
  })
  const held = () => {
    const { calls, settledResults } = vi.mocked(engine.run).mock
    return calls.flatMap(([{ holdAs }], i) => (settledResults[i]?.type === 'fulfilled' ? (holdAs ?? []) : []))
  }
  const releases = async () =>
    (await engine.open()).lanes.map(lane => vi.mocked(lane.release).mock.calls.map(([table]) => table))

  /** What each flow gives by itself is what they give together. */
  async function expectAlike(flows: Record<string, Flow<any>>): Promise<Record<string, Table>> {
    const together = await collectAll(flows, { engine })
    expect(Object.keys(together)).toEqual(Object.keys(flows))
    for (const [name, flow] of Object.entries(flows)) {
      const alone = await flow.collect({ lanes: 0 })
      expect(together[name]?.schema).toEqual(alone.schema)
      expect(together[name]?.toRows()).toEqual(alone.toRows())
    }
    return together
  }

  it('reads a source once, with the columns that any flow reads', async () => {
    const { flow, opened } = watch(await numbers())
    const tables = await collectAll(
      {
        keys: flow.groupBy('key').aggregate(() => ({ n: count() })),
        top: flow.orderBy(desc('x'), 'id').limit(3).select('id'),
        all: flow.aggregate(t => ({ mean: mean(t.x) })),
      },
      { engine },
    )
    expect(opened).toEqual([['id', 'key', 'x']])
    expect(tables.keys.rowCount).toBe(7)
    expect(tables.top.toRows()).toEqual([{ id: 99 }, { id: 199 }, { id: 299 }])
    expect(tables.all.toRows()).toEqual([{ mean: 12.375 }])
    expect(held()).toHaveLength(1)
  })

  it('gives what each flow gives by itself, whatever they share', async () => {
    const { flow, opened } = watch(await numbers())
    const some = flow.filter(t => t.x.gt(5)).derive(t => ({ twice: t.x.mul(2) }))
    const grouped = some.groupBy('key').aggregate(t => ({ n: count(), most: max(t.twice) }))
    const cases: Record<string, Flow<any>>[] = [
      { a: some, b: some.filter(t => t.id.lt(9)), c: some.aggregate(() => ({ n: count() })) },
      { a: grouped, b: grouped.orderBy(desc('key')), c: grouped.aggregate(t => ({ n: sum(t.n) })) },
      { a: flow, b: flow },
      { a: flow.limit(100).filter(t => t.id.gt(3)), b: flow.limit(100).aggregate(t => ({ least: min(t.key) })) },
      { a: flow.orderBy(desc('x')).limit(2), b: flow.orderBy(desc('x')).limit(3).select('id') },
      { a: flow.orderBy(desc('x')).limit(20).drop('key'), b: flow.orderBy(desc('x')).limit(20).select('id') },
      { a: flow.aggregate(() => ({ n: count() })), b: flow.filter(() => true).aggregate(() => ({ n: count() })) },
      { a: some.select('key', 'id'), b: some.rename({ key: 'k' }) },
    ]
    for (const [i, flows] of cases.entries()) {
      opened.length = 0
      await expectAlike(flows)
      expect(opened.length, `case ${i}`).toBe(1 + Object.keys(flows).length)
    }
    expect(held()).toHaveLength(cases.length)
  })

  it('keeps only the rows that a filter common to all leaves', async () => {
    const { flow } = watch(await numbers())
    const few = flow.filter(t => t.id.lt(10))
    const progress: number[] = []
    await collectAll(
      { a: few.aggregate(() => ({ n: count() })), b: few.groupBy('key').aggregate(() => ({ n: count() })) },
      { engine, onProgress: ({ rows }) => progress.push(rows) },
    )
    const [shared, ...rests] = vi.mocked(engine.run).mock.calls.map(([request]) => request)
    expect([shared?.plan.scan.map(({ kind }) => kind), shared?.plan.output]).toEqual([['filter'], { key: utf8() }])
    expect(rests.map(({ totalRows }) => totalRows)).toEqual([10, 10])
    // Progress is that of the source, which is read once.
    expect(progress.at(-1)).toBe(ROWS)
  })

  it('knows late what a file without a schema has', async () => {
    const { flow, opened } = watch(await numbers(), false)
    await expectAlike({
      a: flow.drop('unread').rename({ key: 'k' }),
      b: flow.drop('unread').derive(t => ({ id: t.id.add(1) })),
      c: flow.groupBy('key').aggregate(t => ({ n: sum(t.x) })),
    })
    expect(opened).toHaveLength(4)
    expect(opened[0]).toEqual(['id', 'key', 'x'])
  })

  it('runs flows that have nothing in common one by one, and one alone as collect does', async () => {
    const [one, other] = [watch(await numbers()), watch(await numbers())]
    await expectAlike({ a: one.flow.limit(2), b: other.flow.limit(3) })
    expect([one.opened.length, other.opened.length]).toEqual([2, 2])
    expect((await collectAll({ only: one.flow.limit(1) }, { engine })).only.rowCount).toBe(1)
    expect(await collectAll({}, { engine })).toEqual({})
    expect(held()).toHaveLength(0)
  })

  it('does not hold again what is loaded, unless less of it is shared', async () => {
    const loaded = await (await numbers()).flow().load({ engine })
    await collectAll({ a: loaded.limit(3), b: loaded.aggregate(() => ({ n: count() })) }, { engine })
    expect(held()).toHaveLength(1)
    const few = loaded.filter(t => t.id.lt(100))
    const { a, b } = await collectAll({ a: few.limit(3), b: few.aggregate(() => ({ n: count() })) }, { engine })
    expect([a.rowCount, b.toRows()]).toEqual([3, [{ n: 100 }]])
    expect(held()).toHaveLength(2)
    for (const released of await releases()) expect(released).toEqual(held().slice(1))
    await loaded.close()
  })

  it('a flow that ends early does not fail in rows that it does not need', async () => {
    const most = 2n ** 63n - 1n
    const x = rows([{ x: 1n }, { x: 2n }, { x: most }], schema({ x: int64() }))
    const next = x.derive(t => ({ y: t.x.add(1) }))
    const { a, b } = await collectAll({ a: next.limit(1), b: next.limit(2) }, { engine })
    expect([a.rowCount, b.rowCount]).toEqual([1, 2])
    // Below what needs all rows it is shared, and fails where it fails alone.
    const summed = next.aggregate(t => ({ s: max(t.y) }))
    const error = await refusal(
      () => collectAll({ a: summed, b: summed.derive(t => ({ t: t.s })) }, { engine }),
      'MR_INTEGER_OVERFLOW',
    )
    expect(error.details.row).toBe(2)
  })

  it('when one fails all is released, and the row is told as by itself', async () => {
    const most = 2n ** 63n - 1n
    const { flow, opened } = watch(
      await rows(
        [
          { x: 1n, s: 'a' },
          { x: most, s: 'b' },
        ],
        schema({ x: int64(), s: utf8() }),
      ).collect({ lanes: 0 }),
    )
    const flows = { a: flow.aggregate(() => ({ n: count() })), b: flow.derive(t => ({ y: t.x.add(1) })) }
    const error = await refusal(() => collectAll(flows, { engine }), 'MR_INTEGER_OVERFLOW')
    expect(error.message).toContain('(row 1 of watched)')
    expect(error.details.row).toBe(1)
    expect([opened.length, held().length]).toEqual([1, 1])
  })

  it('when it is aborted all is released', async () => {
    const reason = new Error('enough')
    await expect(collectAll({ a: columns({ x: [1] }) }, { engine, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    const { flow, opened } = watch(await numbers())
    const flows = { a: flow.aggregate(() => ({ n: count() })), b: flow.orderBy('x'), c: flow.orderBy(desc('id')) }
    // At any moment: while it loads, and between flows.
    let aborted = 0
    for (const turns of [0, 1, 2, 4, 8, 16, 32, 64]) {
      const controller = new AbortController()
      const job = collectAll(flows, { engine, signal: controller.signal })
      for (let i = 0; i < turns; i++) await new Promise(resolve => setTimeout(resolve, 0))
      controller.abort(reason)
      await job.then(
        () => {},
        error => {
          expect(error).toBe(reason)
          aborted++
        },
      )
      expect((engine as any).heldTables).toBe(0)
    }
    expect(aborted).toBeGreaterThan(0)
    expect(opened.length).toBeLessThanOrEqual(8)
    expect((await flow.aggregate(() => ({ n: count() })).collect({ engine })).toRows()).toEqual([{ n: ROWS }])
  })

  it('refuses what is no flow, and options that there are not', async () => {
    const flow = columns({ x: [1] })
    const wrong = (flows: unknown, options?: object) => () => collectAll(flows as any, options)
    expect((await refusal(wrong([flow]), 'MR_TYPE_MISMATCH')).message).toContain('not an array')
    expect((await refusal(wrong({ a: flow, b: 5 }), 'MR_TYPE_MISMATCH')).message).toContain('"b" is the number 5')
    expect((await refusal(wrong({ a: flow }, { lane: 1 }), 'MR_INVALID_OPTION')).message).toContain(
      'did you mean lanes',
    )
    expect((await refusal(wrong({ a: flow, b: flow }, { lanes: -1 }), 'MR_INVALID_OPTION')).message).toContain(
      'collectAll',
    )
  })
})
