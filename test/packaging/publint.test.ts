// The packed tarball as registries and bundlers see it; what a program can do with it is in consumer.test.ts.

import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { expect, inject, test } from 'vitest'
import { listFiles } from '../../scripts/build-kernels.mjs'

const files = async () => {
  const { stdout } = await promisify(execFile)('tar', ['-tzf', inject('tarball')])
  return stdout.trim().split(/\r?\n/)
}

test('publint has nothing to say about the tarball', async () => {
  const { buffer, byteOffset, byteLength } = await readFile(inject('tarball'))
  const tarball = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
  const { messages } = await publint({ pack: { tarball } })
  expect(messages.filter(({ type }) => type !== 'suggestion')).toEqual([])
})

test('the tarball has every published file and no test, tool or benchmark', async () => {
  const packed = await files()
  for (const name of [
    'dist/node/index.js',
    'dist/node/worker.js',
    'dist/web/index.js',
    'dist/web/worker.js',
    'dist/kernels.wasm',
    'dist/types/index.d.ts',
    'LICENSE',
    'THIRD_PARTY_LICENSES',
    'README.md',
  ]) {
    expect(packed).toContain(`package/${name}`)
  }
  expect(packed.filter(name => /^package\/(test|scripts|bench|demo|examples|assembly|build)\//.test(name))).toEqual([])
})

test('every path that package.json names is in the tarball', async () => {
  const packed = await files()
  const manifest = JSON.parse(await readFile(`${inject('consumer')}/node_modules/millrace/package.json`, 'utf8'))
  const named = [...JSON.stringify([manifest.exports, manifest.imports]).matchAll(/"\.\/([^"]+)"/g)].map(
    match => match[1],
  )
  expect(named.length).toBeGreaterThan(6)
  expect(
    named
      .filter(path => path !== 'package.json' && path !== 'worker.js' && path !== 'kernels.wasm')
      .filter(path => !packed.includes(`package/${path}`)),
  ).toEqual([])
})

test('the declarations name no module that a consumer does not have', async () => {
  const types = `${inject('consumer')}/node_modules/millrace/dist/types`
  for (const path of (await listFiles(types)).filter(path => path.endsWith('.d.ts'))) {
    expect(
      (await readFile(path, 'utf8')).match(/['"](?:#platform|virtual:|comlink|hyparquet|node:)[^'"]*['"]/g),
      path,
    ).toBeNull()
  }
})

test('bundlers are told to leave what is imported by an address that only the running program has', async () => {
  const web = `${inject('consumer')}/node_modules/millrace/dist/web`
  const left: string[] = []
  for (const name of await readdir(web)) {
    // Others hold texts, which no bundler reads.
    if (!/(?<!-lane|-text)\.js$/.test(name)) continue
    const code = await readFile(`${web}/${name}`, 'utf8')
    for (const [call] of code.matchAll(/\bimport\((?!\s*['"])[^)]*\)/g)) {
      expect([name, call]).toEqual([name, expect.stringContaining('/* webpackIgnore: true */')])
      left.push(name)
    }
  }
  expect(new Set(left)).toEqual(new Set(['user-code.js', 'worker.js']))
})

test('nothing asks for its own address, which bundles of CommonJS do not have', async () => {
  const dist = `${inject('consumer')}/node_modules/millrace/dist`
  for (const path of await listFiles(dist)) {
    if (path.endsWith('.js')) expect((await readFile(path, 'utf8')).match(/[=(]\s*import\.meta\b.*/g), path).toBeNull()
  }
})

test('nothing runs when the library is installed, and nothing else is installed with it', async () => {
  const manifest = JSON.parse(await readFile(`${inject('consumer')}/node_modules/millrace/package.json`, 'utf8'))
  expect(manifest.dependencies ?? {}).toEqual({})
  expect(Object.keys(manifest.scripts).filter(name => /^(pre|post)?install$/.test(name))).toEqual([])
})
