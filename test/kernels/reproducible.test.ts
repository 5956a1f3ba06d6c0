// The compiled module as a file: reproducible and versioned. What it computes is tested in the files beside this one.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kernels } from 'virtual:millrace/kernels'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildKernels } from '../../scripts/build-kernels.mjs'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-kernels-'))
})

afterAll(() => rm(folder, { recursive: true }))

test('two builds in different places are the same byte for byte, and are what is inlined', {
  timeout: 480_000,
}, async () => {
  const [first, second] = await Promise.all(
    ['first', 'second'].map(async name => {
      const { wasmPath, partPaths, compiled } = await buildKernels({ outDir: join(folder, name), cache: false })
      expect(compiled).toBe(true)
      return Promise.all([wasmPath, ...Object.values(partPaths)].map(path => readFile(path)))
    }),
  )
  expect(first!.length).toBeGreaterThan(4)
  for (const [i, bytes] of first!.entries()) expect(bytes.equals(second![i]!)).toBe(true)
  expect(first![0]!.equals(await kernels())).toBe(true)
})

test('a second build into the same place compiles nothing', { timeout: 480_000 }, async () => {
  const outDir = join(folder, 'cached')
  expect((await buildKernels({ outDir })).compiled).toBe(true)
  expect((await buildKernels({ outDir })).compiled).toBe(false)
})

test('the module imports a memory, and tells its ABI version', async () => {
  const module = await WebAssembly.compile(await kernels())
  const imports = WebAssembly.Module.imports(module)
  expect(imports.filter(({ kind }) => kind === 'memory')).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
  expect(WebAssembly.Module.exports(module)).toContainEqual({ name: 'abiVersion', kind: 'function' })
  expect(WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'memory').length).toBeLessThanOrEqual(1)
})
