// The size budget: all that a browser downloads for a minimal program, brotli-compressed.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { expect, inject, test } from 'vitest'

const budgetBytes = 60_000

const program = `
import { columns, sum } from 'millrace'

const flow = columns({ key: Int32Array.of(1, 2, 1), value: Float64Array.of(1, 2, 3) })
const table = await flow.groupBy('key').aggregate(t => ({ total: sum(t.value) })).collect()
document.body.textContent = table.toString()
`

test(`a minimal program downloads at most ${budgetBytes} bytes`, async () => {
  const folder = join(inject('consumer'), 'size')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'main.js'), program)
  const output = (await build({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    build: { write: false, target: 'es2022', minify: true, rolldownOptions: { input: join(folder, 'main.js') } },
  })) as Rolldown.RolldownOutput
  const files = output.output.map(file => {
    const bytes = Buffer.from(file.type === 'chunk' ? file.code : file.source)
    return { name: file.fileName, bytes: bytes.length, brotliBytes: brotliCompressSync(bytes).length }
  })
  // The program reads no file, so no format may be in its bundle, not even as a chunk loaded on demand.
  expect(output.output.filter(file => file.type === 'chunk' && /PAR1/.test(file.code)).map(f => f.fileName)).toEqual([])
  const total = files.reduce((sum, { brotliBytes }) => sum + brotliBytes, 0)
  console.log(`A minimal program downloads ${total} bytes (brotli) of at most ${budgetBytes}:`)
  for (const { name, bytes, brotliBytes } of files) console.log(`  ${name}: ${brotliBytes} (${bytes} minified)`)
  expect(total).toBeGreaterThan(1000)
  expect(total).toBeLessThanOrEqual(budgetBytes)
})
