/** Nexmark's queries: what runs on and is folded is what is collected, and DuckDB's answer over the same events (test/golden/nexmark/write.js). */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkedEvents, digest, rowText } from '../../bench/nexmark/answers.js'
import { batchesOf, nexmarkTables, streamOf } from '../../bench/nexmark/flows.js'
import { createNexmark } from '../../bench/nexmark/generator.js'
import { nexmarkIds } from '../../bench/nexmark/ids.js'
import { nexmarkQueries } from '../../bench/nexmark/queries.js'
import * as millrace from '../../src/index.js'

const answers = JSON.parse(readFileSync(new URL('../golden/nexmark/answers.json', import.meta.url), 'utf8'))
const nexmark = createNexmark(checkedEvents.options)
const delay = `${nexmark.delayMs}ms`
let engine: millrace.Engine

beforeAll(async () => {
  engine = await millrace.createEngine({ lanes: 0 })
})
afterAll(() => engine.close())

/** Rows as text, those that are taken back gone. */
async function folded(job: millrace.Job<any>): Promise<string[]> {
  const counts = new Map<string, number>()
  for await (const batch of job) {
    for (const [i, row] of batch.toRows({ bigint: true }).entries()) {
      const text = rowText(row)
      const left = (counts.get(text) ?? 0) + (batch.weights?.[i] ?? 1)
      if (left === 0) counts.delete(text)
      else counts.set(text, left)
    }
  }
  expect(job.metrics().lateRows ?? 0).toBe(0)
  expect([...counts.values()].every(left => left > 0)).toBe(true)
  return [...counts].flatMap(([text, left]) => Array<string>(left).fill(text))
}

for (const { id, text, runsOn, reads, build } of nexmarkQueries(millrace)) {
  test(`${id}: ${text}`, async () => {
    const tables = await nexmarkTables(millrace, nexmark, checkedEvents.events, reads)
    const flows = Object.fromEntries(Object.entries(tables).map(([kind, table]) => [kind, table.flow()]))
    const collected = await build(flows, delay).collect({ engine })
    expect(digest(collected.toRows({ bigint: true }).map(rowText))).toEqual(answers[id])
    const streaming = Object.keys(reads).slice(0, runsOn === 'both' ? undefined : 1)
    const streams = (rows: number) => ({
      ...flows,
      ...Object.fromEntries(
        streaming.map(kind => [kind, streamOf(millrace, kind, (reads as any)[kind], batchesOf(tables[kind], rows))]),
      ),
    })
    if (runsOn === 'no') {
      await expect(folded(build(streams(1000), delay).run({ engine }))).rejects.toMatchObject({ code: 'MR_UNBOUNDED' })
      return
    }
    for (const rows of [1000, 8192])
      expect(digest(await folded(build(streams(rows), delay).run({ engine })))).toEqual(answers[id])
  })
}

test('all queries are asked', () => {
  expect(nexmarkIds).toEqual(nexmarkQueries(millrace).map(({ id }) => id))
  expect(Object.keys(answers)).toEqual(nexmarkQueries(millrace).map(({ id }) => id))
})
