// How fast Nexmark's queries are: events are made beforehand, then streamed in batches, and every row of the answer is taken.

import { setImmediate } from 'node:timers/promises'
import { batchesOf, nexmarkTables, streamOf } from './flows.js'
import { createNexmark } from './generator.js'
import { nexmarkQueries } from './queries.js'

/** Seconds of event time that a run spans, so that windows of 10 s close. */
const SPAN_S = 25
const DISORDER = 1000

/**
 * @param {any} api
 * @param {{ id: string, events: number, seed: number, runs: number, lanes: number }} options events of all kinds
 * @returns {Promise<{ id: string, runsOn: string, why?: string, rows: number, isCollected: boolean, results: number, ms: number[] }>} rows of the kinds that the query reads; a first run is left out
 */
export async function measureNexmark(api, { id, events, seed, runs, lanes }) {
  const { reads, build, runsOn, why } = nexmarkQueries(api).find(query => query.id === id)
  const nexmark = createNexmark({ seed, rate: events / SPAN_S, disorder: DISORDER })
  const delay = `${nexmark.delayMs}ms`
  const tables = await nexmarkTables(api, nexmark, events, reads)
  const batches = Object.keys(reads)
    .slice(0, runsOn === 'both' ? undefined : 1)
    .map(kind => [kind, batchesOf(tables[kind])])
  const isCollected = runsOn === 'no' || runsOn === 'end'
  const engine = await api.createEngine({ lanes })
  const ms = []
  let results = 0
  for (let i = 0; i <= runs; i++) {
    globalThis.gc?.()
    await setImmediate()
    const start = performance.now()
    const flows = Object.fromEntries(Object.entries(tables).map(([kind, table]) => [kind, table.flow()]))
    if (isCollected) results = (await build(flows, delay).collect({ engine })).rowCount
    else {
      results = 0
      const streams = batches.map(([kind, all]) => [kind, streamOf(api, kind, reads[kind], all)])
      const job = build({ ...flows, ...Object.fromEntries(streams) }, delay).run({ engine })
      for await (const batch of job) results += batch.rowCount
      if ((job.metrics().lateRows ?? 0) > 0) throw new Error(`${job.metrics().lateRows} rows are late`)
    }
    if (i > 0) ms.push(performance.now() - start)
  }
  await engine.close()
  return {
    id,
    runsOn,
    why,
    rows: Object.values(tables).reduce((sum, table) => sum + table.rowCount, 0),
    isCollected,
    results,
    ms,
  }
}
