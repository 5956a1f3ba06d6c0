/** The law of rows that tie: by event time who is first, of equal times by the order of rows, whatever the lanes, collected or while a flow runs on; rows without a time come after all others. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  argMax,
  argMin,
  channel,
  type Flow,
  first,
  int32,
  int64,
  last,
  nullable,
  rows as rowsOf,
  schema,
  sliding,
  stream,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { type ModelWindow, windowsAt } from '../oracle/windows.js'
import { folded, forms, inBatches, text } from './running.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env

interface Row {
  readonly time: bigint | null
  readonly key: string
  readonly x: number
  readonly name: string
  readonly place: bigint
}

const shapeOf = (isNullable: boolean) =>
  schema({
    time: (isNullable ? nullable(timestamp()) : timestamp()) as ReturnType<typeof timestamp>,
    key: utf8(),
    x: int32(),
    name: utf8(),
    place: int64(),
  })

type Windows = Extract<ModelWindow, { kind: 'tumbling' | 'sliding' }> | null

const drawn = fc.record({
  rows: fc.array(
    fc.record({
      time: fc.option(fc.bigInt({ min: -9n, max: 9n }), { freq: 6 }),
      key: fc.constantFrom('a', 'b'),
      x: fc.integer({ min: -1, max: 1 }),
      name: fc.constantFrom('', 'ä', 'z'),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  isNullable: fc.boolean(),
  window: fc.constantFrom<Windows>(
    null,
    { kind: 'tumbling', size: 5n, offset: 0n },
    { kind: 'sliding', size: 6n, every: 2n, offset: 0n },
  ),
  cuts: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
  forms,
})

const query = (flow: Flow<any>, window: Windows): Flow<any> => {
  const timed = flow.watermark('time', { delay: '1s' })
  const windowed =
    window === null
      ? timed
      : timed.window(
          window.kind === 'tumbling' ? tumbling(`${window.size}ms`) : sliding(`${window.size}ms`, `${window.every}ms`),
        )
  return windowed.groupBy('key').aggregate((t: any) => ({
    least: argMin(t.place, t.x),
    greatest: argMax(t.place, t.x),
    leastName: argMin(t.place, t.name),
    greatestName: argMax(t.place, t.name),
    first: first(t.place),
    last: last(t.place),
  }))
}

/** Stable, by `compare` and the time. */
const best = (rows: readonly Row[], compare: (a: Row, b: Row) => number): bigint | undefined =>
  [...rows].sort((a, b) => compare(a, b) || byTime(a, b, 1))[0]?.place

/** @param missing 1: rows without a time come last */
const byTime = (a: Row, b: Row, missing: number): number => {
  if (a.time === null || b.time === null) return a.time === b.time ? 0 : a.time === null ? missing : -missing
  return Number(a.time - b.time)
}
const byName = (a: Row, b: Row) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))

function model(rows: readonly Row[], window: Windows): string[] {
  const groups = new Map<string, { windows: object; rows: Row[] }>()
  for (const row of rows) {
    if (window !== null && row.time === null) continue
    const all = window === null ? [{}] : windowsAt(window, row.time as bigint)
    for (const at of all) {
      const windows = 'start' in at ? { windowStart: at.start, windowEnd: at.end } : {}
      const name = text({ ...windows, key: row.key })
      const group = groups.get(name)
      if (group === undefined) groups.set(name, { windows, rows: [row] })
      else group.rows.push(row)
    }
  }
  return [...groups.values()]
    .map(({ windows, rows }) =>
      text({
        ...windows,
        key: rows[0]?.key,
        least: best(rows, (a, b) => a.x - b.x),
        greatest: best(rows, (a, b) => b.x - a.x),
        leastName: best(rows, byName),
        greatestName: best(rows, (a, b) => byName(b, a)),
        first: best(rows, () => 0),
        last: best([...rows].reverse(), (a, b) => byTime(b, a, -1)),
      }),
    )
    .sort()
}

describe('rows that tie', () => {
  it('go by their event time, and then by the order of rows', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ rows: given, isNullable, window, cuts, forms }) => {
        const rows: Row[] = given.map((row, i) => ({
          ...row,
          time: isNullable ? row.time : (row.time ?? 0n),
          place: BigInt(i),
        }))
        const shape = shapeOf(isNullable)
        const expected = model(rows, window)
        const source = () => rowsOf(rows as never, shape)
        for (const lanes of [0, 2]) {
          const parts = () => stream(inBatches(source(), cuts, forms), { schema: shape })
          for (const flow of [source(), parts()]) {
            const table = await query(flow, window).collect({ lanes })
            expect(table.toRows({ bigint: true }).map(text).sort()).toEqual(expected)
          }
          const feed = channel(shape)
          for await (const batch of inBatches(source(), cuts, forms)) feed.push(batch as never)
          feed.close()
          expect((await folded(query(feed.flow, window).run({ lanes }))).sort()).toEqual(expected)
        }
      }),
      { numRuns: Number(runs ?? 60), ...(seed !== undefined && { seed: Number(seed) }) },
    )
  })
})
