// The kernels' exports under short names: the same functions, and uses renamed alike or refused.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildKernels, listFiles, root } from '../../scripts/build-kernels.mjs'
import { renameExports, renameUses, shortNames } from '../../scripts/short-exports.mjs'

const wasm = await readFile((await buildKernels()).wasmPath)
const short = shortNames(wasm)
const exportsOf = async (bytes: Uint8Array) =>
  WebAssembly.Module.exports(await WebAssembly.compile(Uint8Array.from(bytes)))

test('every export but the version has a short name of its own, in the same place', async () => {
  const long = await exportsOf(wasm)
  const renamed = await exportsOf(renameExports(wasm, short))
  expect(renamed).toEqual(long.map(({ name, kind }) => ({ name: short.get(name) ?? name, kind })))
  expect(new Set(renamed.map(({ name }) => name)).size).toBe(long.length)
  expect(long.filter(({ name }) => !short.has(name))).toEqual([{ name: 'abiVersion', kind: 'function' }])
})

test('every export is called by a binding, and every binding calls exports that there are', async () => {
  const sources = (await listFiles(join(root, 'src/kernels'))).map(path => readFile(path, 'utf8'))
  const code = (await Promise.all(sources)).join('\n')
  expect([...short.keys()].filter(name => !code.includes(`exports.${name}`))).toEqual([])
  expect(renameUses(code, short)).not.toMatch(/\bexports\.\w{3,}(?<!abiVersion)\b/)
})

test('a use that cannot be renamed stops the build', () => {
  expect(() => renameUses("exports['sum' + kind]()", short)).toThrow('Write exports.name')
  expect(() => renameUses('exports.noSuchKernel()', short)).toThrow('no export noSuchKernel')
})
