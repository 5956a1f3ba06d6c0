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

test('a build in another place is the same byte for byte, and a second one there compiles nothing', {
  timeout: 480_000,
}, async () => {
  const outDir = join(folder, 'another')
  const here = await buildKernels()
  const there = await buildKernels({ outDir })
  expect(there.compiled).toBe(true)
  const names = Object.keys(here.partPaths)
  expect(names.length).toBeGreaterThan(3)
  expect(Object.keys(there.partPaths)).toEqual(names)
  for (const [i, path] of [here.wasmPath, ...Object.values(here.partPaths)].entries()) {
    const other = [there.wasmPath, ...Object.values(there.partPaths)][i] as string
    expect((await readFile(path)).equals(await readFile(other)), path).toBe(true)
  }
  expect((await readFile(there.wasmPath)).equals(await kernels())).toBe(true)
  expect((await buildKernels({ outDir })).compiled).toBe(false)
})

test('the module imports a memory, and tells its ABI version', async () => {
  const module = await WebAssembly.compile(await kernels())
  const imports = WebAssembly.Module.imports(module)
  expect(imports.filter(({ kind }) => kind === 'memory')).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
  expect(WebAssembly.Module.exports(module)).toContainEqual({ name: 'abiVersion', kind: 'function' })
  expect(WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'memory').length).toBeLessThanOrEqual(1)
})
