/** The suite of files of text in Node; in a browser it is run by test/browser/texts.test.ts. */

import { openAsBlob } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { csv } from '../../src/index.js'
import { refusal } from './env.js'
import { textSuite } from './texts.suite.js'

textSuite([0, 1, 2, 3])

it('a Blob of a file, which no worker can be sent, is read inline and refused by lanes with what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  try {
    const file = join(folder, 'numbers.csv')
    await writeFile(file, `n\n${Array.from({ length: 1000 }, (_, i) => i).join('\n')}\n`)
    const blob = await openAsBlob(file)
    expect((await csv(blob).collect({ lanes: 0 })).rowCount).toBe(1000)
    const error = await refusal(() => csv(blob).collect({ lanes: 2 }), 'MR_SOURCE_FAILED')
    expect(error.message).toContain('path of the file')
  } finally {
    await rm(folder, { recursive: true })
  }
})
