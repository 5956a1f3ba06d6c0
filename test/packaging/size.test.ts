// The size budget: what a browser really downloads, brotli-compressed, for a program bundled and minified from the package.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { servePages } from './page.js'

/** What is downloaded for a program of few rows, which run in the calling thread: what has been reached of a target of 60,000. */
const coreReachedBytes = 99_620
/** On two lanes, which have the worker's text in place of the inline lane: what has been reached of the same target. */
const lanesReachedBytes = 111_190

const program = (options: string) => `
import { columns, sum } from 'millrace'

const flow = columns({ key: Int32Array.of(1, 2, 1), value: Float64Array.of(1, 2, 3) })
const table = await flow.groupBy('key').aggregate(t => ({ total: sum(t.value) })).orderBy('key').collect(${options})
globalThis.answer = table.toRows()
`

let pages: Awaited<ReturnType<typeof servePages>>

beforeAll(async () => {
  pages = await servePages(inject('consumer'))
})

afterAll(() => pages?.close())

/** Bundles a program, opens it, and tells what was fetched until it had answered. */
async function downloadOf(name: string, source: string) {
  const folder = join(inject('consumer'), name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'main.js'), source)
  await build({
    root: folder,
    base: `/${name}/dist/`,
    configFile: false,
    logLevel: 'warn',
    build: {
      target: 'es2022',
      minify: true,
      rolldownOptions: {
        input: join(folder, 'main.js'),
        // Hashes in the names of chunks take 700 bytes more, and after any change a hundred more or less.
        output: { entryFileNames: 'main.js', chunkFileNames: 'assets/[name].js' },
      },
    },
  })
  const { answer, errors, fetched } = await pages.open(`${name}/dist/main.js`)
  expect(errors).toEqual([])
  expect(answer).toEqual([
    { key: 1, total: 4 },
    { key: 2, total: 2 },
  ])
  const files = await Promise.all(
    fetched.map(async file => {
      const bytes = await readFile(join(inject('consumer'), file))
      return { file, bytes: bytes.length, brotliBytes: brotliCompressSync(bytes).length }
    }),
  )
  const total = files.reduce((sum, { brotliBytes }) => sum + brotliBytes, 0)
  console.log(`${name}: ${total} bytes (brotli) are downloaded`)
  for (const { file, bytes, brotliBytes } of files) console.log(`  ${file}: ${brotliBytes} (${bytes} minified)`)
  return { total, fetched }
}

test(`a minimal program downloads at most ${coreReachedBytes} bytes, and nothing that it does not use`, async () => {
  const { total, fetched } = await downloadOf('size-core', program(''))
  expect(
    fetched.filter(file =>
      /parquet|worker|evaluate|text|aggregates|families|sum-int|integers|extremes|min-max|sets-|partition|load|analysis/.test(
        file,
      ),
    ),
  ).toEqual([])
  expect(total).toBeGreaterThan(1000)
  expect(total).toBeLessThanOrEqual(coreReachedBytes)
})

test(`on two lanes it downloads at most ${lanesReachedBytes} bytes`, async () => {
  const { total } = await downloadOf('size-lanes', program('{ lanes: 2 }'))
  expect(total).toBeLessThanOrEqual(lanesReachedBytes)
})
