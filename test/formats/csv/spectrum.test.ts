// The cases of csv-spectrum through the public interface, all columns as text: on every number of lanes, and what is written of them reads back equal.
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../../../scripts/build-kernels.mjs'
import { csv, csvSink, schema, utf8 } from '../../../src/index.js'

const folder = join(root, 'node_modules/csv-spectrum')
const cases = (await readdir(join(folder, 'csvs'))).map(file => basename(file, '.csv'))

/** Where the answer that comes with a case is another file's. */
const CORRECTED: Readonly<Record<string, object>> = { location_coordinates: { 'Contact Phone Number': '2095257564' } }

describe('the spectrum of CSV', () => {
  test('is there', () => {
    expect(cases.length).toBeGreaterThanOrEqual(12)
  })

  test.each(cases)('%s', async name => {
    const parsed = JSON.parse(await readFile(join(folder, 'json', `${name}.json`), 'utf8')) as object | object[]
    const expected = (Array.isArray(parsed) ? parsed : [parsed]).map(row => ({ ...row, ...CORRECTED[name] }))
    const names = Object.keys(expected[0] as object)
    const shape = schema(Object.fromEntries(names.map(column => [column, utf8()])))
    const path = join(folder, 'csvs', `${name}.csv`)
    const flow = csv(path, { schema: shape })
    for (const lanes of [0, 2]) expect((await flow.collect({ lanes })).toRows()).toEqual(expected)

    const chunks: Uint8Array<ArrayBuffer>[] = []
    const written = new WritableStream<Uint8Array>({ write: chunk => void chunks.push(chunk.slice()) })
    await flow.to(csvSink(written), { lanes: 0 }).finished
    expect((await csv(new Blob(chunks), { schema: shape }).collect({ lanes: 0 })).toRows()).toEqual(expected)
  })
})
