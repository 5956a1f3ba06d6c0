/** The suite of files of text in Node; in a browser it is run by test/browser/texts.test.ts. */

import { openAsBlob } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { arrow, arrowSink, csv, type Table } from '../../src/index.js'
import { expectSame } from '../arrays.js'
import { textSuite } from './texts.suite.js'

textSuite([0, 1, 2, 3])

it('a Blob of a file, which no worker can be sent, is read by lanes as it is inline', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  try {
    const file = join(folder, 'numbers.csv')
    const rows = Array.from({ length: 200_000 }, (_, i) => ({ n: i, name: `${i % 7} "and" ${i}\n` }))
    await writeFile(file, `n,name\n${rows.map(({ n, name }) => `${n},"${name.replaceAll('"', '""')}"\n`).join('')}`)
    const blob = await openAsBlob(file)
    const flow = csv(blob)
    const expected = await csv(file).collect({ lanes: 0 })
    const expectRows = (table: Table<any>): void => {
      expectSame(table.column('n').toArray(), expected.column('n').toArray())
      expectSame(
        table.column('name').toArray(),
        rows.map(({ name }) => name),
      )
    }
    expectRows(expected)
    expectSame(
      Array.from(expected.column('n').toArray(), Number),
      rows.map(({ n }) => n),
    )
    for (const lanes of [0, 2]) {
      expectRows(await flow.collect({ lanes }))
      expect((await csv([file, blob, file]).collect({ lanes })).rowCount).toBe(3 * rows.length)
    }
    // Of these Node says that they can be sent; a worker that reads one ends the process.
    const body = blob.slice(7, blob.size - 1)
    for (const made of [blob.slice(0), new File([blob], 'numbers.csv'), new Blob(['n,name\n', body, '\n'])])
      expect((await csv(made).collect({ lanes: 2 })).rowCount).toBe(rows.length)
    const packed = join(folder, 'numbers.arrow')
    await csv(file).to(arrowSink(packed), { lanes: 0 }).finished
    for (const lanes of [0, 2]) {
      const packedBlob = await openAsBlob(packed)
      for (const made of [packedBlob, packedBlob.slice(0)]) expectRows(await arrow(made).collect({ lanes }))
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
