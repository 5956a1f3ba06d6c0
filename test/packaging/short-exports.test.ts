// The kernels' exports under short names: the same functions, and uses renamed alike or refused.

import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseSync } from 'vite'
import { expect, test } from 'vitest'
import { buildKernels, listFiles, root } from '../../scripts/build-kernels.mjs'
import { renameExports, renameUses, shortNames } from '../../scripts/short-exports.mjs'

const { wasmPath, partPaths } = await buildKernels()
const wasm = await readFile(wasmPath)
const short = shortNames(wasm)
const exportsOf = async (bytes: Uint8Array) =>
  WebAssembly.Module.exports(await WebAssembly.compile(Uint8Array.from(bytes)))

test('every export has a short name of its own, in the same place', async () => {
  const long = await exportsOf(wasm)
  const renamed = await exportsOf(renameExports(wasm, short))
  expect(renamed).toEqual(long.map(({ name, kind }) => ({ name: short.get(name), kind })))
  expect(new Set(renamed.map(({ name }) => name)).size).toBe(long.length)
})

test('the name of the version is one of this build', () => {
  // A custom section, which changes nothing that a kernel does.
  const other = shortNames(Buffer.concat([wasm, Uint8Array.of(0, 2, 1, 97)]))
  expect(shortNames(wasm)).toEqual(short)
  expect([...short].filter(([name, renamed]) => other.get(name) !== renamed)).toEqual([
    ['abiVersion', expect.stringMatching(/^abi\d+$/)],
  ])
})

test('every export is called by a binding, and every binding calls exports that there are', async () => {
  const sources = (await listFiles(join(root, 'src/kernels'))).map(path => readFile(path, 'utf8'))
  const code = (await Promise.all(sources)).join('\n')
  expect([...short.keys()].filter(name => !code.includes(`exports.${name}`))).toEqual([])
  expect(renameUses(code, short)).not.toMatch(/\bexports\.(?!abi\d+\b)\w{3,}\b/)
})

/** What a file imports as it runs, however far down, and itself. */
async function closure(path: string): Promise<Set<string>> {
  const reached = new Set([join(root, path)])
  for (const file of reached) {
    const { module } = parseSync(file, await readFile(file, 'utf8'))
    const imported = module.staticImports
      .filter(({ entries }) => entries.some(({ isType }) => !isType))
      .map(({ moduleRequest }) => moduleRequest.value)
    const exported = module.staticExports.flatMap(({ entries }) => entries.map(each => each.moduleRequest?.value ?? ''))
    for (const from of [...imported, ...exported]) {
      if (from.startsWith('.')) reached.add(join(dirname(file), from.replace(/\.js$/, '.ts')))
    }
  }
  return reached
}

/** What each part calls: its own bindings, and what it needs beside these (src/plan/needs.ts). */
const parts: Record<string, { entry: string; with: string[] }> = {
  core: { entry: 'src/workers/lane.ts', with: [] },
  text: { entry: 'src/kernels/text.ts', with: [] },
  evaluate: { entry: 'src/operators/evaluate.ts', with: ['text'] },
  integers: { entry: 'src/kernels/aggregate/sum-int.ts', with: [] },
  extremes: { entry: 'src/kernels/aggregate/min-max.ts', with: [] },
  aggregates: { entry: 'src/kernels/aggregate/families.ts', with: ['integers', 'extremes'] },
  partitions: { entry: 'src/workers/partitions.ts', with: [] },
  json: { entry: 'src/kernels/json.ts', with: [] },
  sets: { entry: 'src/operators/grouping-sets.ts', with: [] },
  joins: { entry: 'src/operators/joins-part.ts', with: [] },
}

test.each(Object.entries(parts))('what %s calls is in its kernels', async (part, { entry, with: others }) => {
  const modules = [...new Set(['core', part, ...others])].filter(name => partPaths[name] !== undefined)
  const has = new Set<string>()
  for (const name of modules) {
    for (const each of await exportsOf(await readFile(partPaths[name]!))) has.add(each.name)
  }
  const core = await closure(parts.core!.entry)
  const files = [...(await closure(entry))].filter(path => part === 'core' || !core.has(path))
  const code = (await Promise.all(files.map(path => readFile(path, 'utf8')))).join('\n')
  const called = [...code.matchAll(/\bexports\.(\w+)/g)].map(match => match[1]!)
  expect(called.length + Number(part === 'sets')).toBeGreaterThan(0)
  expect(called.filter(name => !has.has(name))).toEqual([])
})

test('the parts have all that the whole has', async () => {
  const all = await Promise.all(Object.values(partPaths).map(async path => exportsOf(await readFile(path))))
  const names = new Set(all.flat().map(({ name }) => name))
  expect(names).toEqual(new Set((await exportsOf(wasm)).map(({ name }) => name)))
})

test('a use that cannot be renamed stops the build', () => {
  expect(() => renameUses("exports['sum' + kind]()", short)).toThrow('Write exports.name')
  expect(() => renameUses('exports.noSuchKernel()', short)).toThrow('no export noSuchKernel')
})
