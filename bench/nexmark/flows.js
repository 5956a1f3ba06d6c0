// Nexmark's events as flows: collected of columns, or streamed in batches.

import { nexmarkColumns } from './generator.js'

/** Rows of a batch that is streamed. */
export const BATCH_ROWS = 8192

/** @param {any} api what `import 'millrace'` gives */
export function nexmarkSchema({ int64, schema, timestamp, utf8 }, kind, names) {
  const types = { id: int64(), count: int64(), time: timestamp('ms'), text: utf8() }
  return schema(Object.fromEntries(names.map(name => [name, types[nexmarkColumns[kind][name]]])))
}

/**
 * All events of what a query reads, as tables.
 *
 * @param {any} api
 * @param {ReturnType<typeof import('./generator.js').createNexmark>} nexmark
 * @param {number} events of all kinds
 * @param {import('./queries.js').NexmarkQuery['reads']} reads
 * @returns {Promise<Record<string, any>>} by kind
 */
export async function nexmarkTables(api, nexmark, events, reads) {
  const tables = {}
  for (const [kind, names] of Object.entries(reads)) {
    const data = nexmark.columns(kind, 0, events, names)
    tables[kind] = await api.columns(data, nexmarkSchema(api, kind, names)).collect()
  }
  return tables
}

/** Batches of a table, one after another. */
export function batchesOf(table, rows = BATCH_ROWS) {
  const batches = []
  for (const batch of table.batches) {
    for (let from = 0; from < batch.rowCount; from += rows)
      batches.push(batch.slice(from, Math.min(from + rows, batch.rowCount)))
  }
  return batches
}

/** Batches as they come. */
export function streamOf(api, kind, names, batches) {
  return api.stream(
    (async function* () {
      yield* batches
    })(),
    { schema: nexmarkSchema(api, kind, names) },
  )
}
