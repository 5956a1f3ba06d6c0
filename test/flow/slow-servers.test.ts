// Servers that never finish an answer: a job that is aborted lets go of them, wherever it waits for them, and its lanes go on.
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { expect, it, vi } from 'vitest'
import { arrow, columns, createEngine, csv, type Flow, parquet, sum } from '../../src/index.js'
import { good, serve } from '../formats/server.js'

const text = Buffer.from(`n,name\n${Array.from({ length: 200_000 }, (_, i) => `${i},${i % 7}\n`).join('')}`)
const golden = (name: string) => readFile(new URL(`../golden/${name}`, import.meta.url))

/** Of the answers behind the first `whole` ones, those to HEAD not counted, only half comes. */
async function stalling(content: Uint8Array, whole: number) {
  const open = new Set<ServerResponse>()
  let bodies = 0
  const site = await serve((request, response, count) => {
    if (request.method !== 'HEAD' && ++bodies > whole) {
      open.add(response.on('close', () => open.delete(response)))
      response.end = ((part: Uint8Array) => response.write(part.subarray(0, (part.length + 1) >> 1))) as never
    }
    good(content)(request, response, count)
  })
  return { url: site.url, open }
}

it.each<[string, () => Promise<Uint8Array>, number, (url: string) => Flow]>([
  ['the footer of a Parquet file', () => golden('duckdb/listed.parquet'), 0, url => parquet(url)],
  ['row groups', () => golden('duckdb/listed.parquet'), 1, url => parquet(url)],
  ['the footer of an Arrow file', () => golden('arrow/types.arrow'), 1, url => arrow(url)],
  ['the beginning of a text', async () => text, 1, url => csv(url)],
  ['the rows of a text', async () => text, 2, url => csv(url)],
  ['a text that is compressed', async () => gzipSync(text), 3, url => csv(url)],
])('lets go of %s', async (what, content, whole, flowOf) => {
  for (const lanes of [0, 2]) {
    const { url, open } = await stalling(await content(), whole)
    const engine = await createEngine({ lanes })
    try {
      const held = await columns({ n: Int32Array.of(1, 2) }).load({ engine })
      const controller = new AbortController()
      const job = flowOf(url).collect({ engine, signal: controller.signal })
      job.catch(() => {})
      await vi.waitFor(() => expect(open.size).toBeGreaterThan(0))
      controller.abort(new Error('enough'))
      await expect(job).rejects.toThrow('enough')
      await vi.waitFor(() => expect(open.size).toBe(0), 1000)
      // Lanes that do not stop in time are ended, with all that they hold.
      if (what === 'row groups') await new Promise(resolve => setTimeout(resolve, 2200))
      expect((await held.aggregate(t => ({ total: sum(t.n) })).collect()).toRows()).toEqual([{ total: 3 }])
    } finally {
      await engine.close()
    }
  }
})
