// Compiling and instantiating: versions, refusals, and private memories.

import { readFile } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { buildKernels } from '../../scripts/build-kernels.mjs'
import { compileKernels } from '../../src/kernels/compile.js'
import { ABI_VERSION, addKernels, instantiate, isTrap } from '../../src/kernels/instance.js'
import { kernelModule, makeKernels } from './support.js'

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

test('an instance has the version that the bindings were written for', async () => {
  expect((await makeKernels()).exports.abiVersion()).toBe(ABI_VERSION)
})

test('each instance has a memory and a seed of its own', async () => {
  const module = await kernelModule()
  const [a, b] = [instantiate(module), instantiate(module)]
  expect(a.memory.memory).not.toBe(b.memory.memory)
  expect(a.seed).not.toBe(b.seed)
  expect(instantiate(module, { seed: 0xffff_ffff }).seed).toBe(0xffff_ffff)
})

test('parts are added over the same memory, and those of another version are refused', async () => {
  const { partPaths } = await buildKernels()
  const moduleOf = async (part: string) => compileKernels(await readFile(partPaths[part]!))
  const k = instantiate(await moduleOf('core'))
  expect(k.exports.castToInt32).toBeUndefined()
  const held = k.exports
  addKernels(k, await moduleOf('evaluate'))
  const data = k.memory.scratch(16)
  const out = k.memory.scratch(64)
  k.memory.i8.set([-1, 2, -3], data)
  held.castToInt32(1, data, 3, out)
  expect([...k.memory.i32.subarray(out >>> 2, (out >>> 2) + 3)]).toEqual([-1, 2, -3])
  const other = await compileKernels(EMPTY_MODULE)
  expect(() => addKernels(k, other)).toThrowError(expect.objectContaining({ code: 'MR_VERSION_MISMATCH' }))
})

test('a module without our exports is refused by version', async () => {
  const other = await compileKernels(EMPTY_MODULE)
  expect(() => instantiate(other)).toThrowError(expect.objectContaining({ code: 'MR_VERSION_MISMATCH' }))
})

test('a module with imports that we do not have is refused by version', async () => {
  // (module (import "a" "b" (func)))
  const bytes = Uint8Array.of(...EMPTY_MODULE, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x61, 1, 0x62, 0, 0)
  const other = await compileKernels(bytes)
  expect(() => instantiate(other)).toThrowError(expect.objectContaining({ code: 'MR_VERSION_MISMATCH' }))
})

test('a module of another ABI version is refused, both versions named', async () => {
  // (module (func (export "abiVersion") (result i32) (i32.const 63)))
  const name = [...'abiVersion'].map(character => character.charCodeAt(0))
  const bytes = Uint8Array.of(
    ...EMPTY_MODULE,
    1,
    5,
    1,
    0x60,
    0,
    1,
    0x7f,
    3,
    2,
    1,
    0,
    7,
    14,
    1,
    10,
    ...name,
    0,
    0,
    10,
    6,
    1,
    4,
    0,
    0x41,
    63,
    0x0b,
  )
  const other = await compileKernels(bytes)
  expect(() => instantiate(other)).toThrowError(
    expect.objectContaining({ code: 'MR_VERSION_MISMATCH', details: { found: 63, expected: ABI_VERSION } }),
  )
})

test('the bytes may come as any view', async () => {
  const { buffer, byteOffset, byteLength } = EMPTY_MODULE
  expect(await compileKernels(new DataView(buffer, byteOffset, byteLength))).toBeInstanceOf(WebAssembly.Module)
})

test('bytes that are no module are refused', async () => {
  await expect(compileKernels(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'MR_VERSION_MISMATCH' })
  await expect(compileKernels(new Response('not found', { status: 404 }))).rejects.toMatchObject({
    code: 'MR_LANE_FAILED',
  })
})

test('a module is taken as it is, and bytes may come as a response or from a URL', async () => {
  const module = await kernelModule()
  expect(await compileKernels(module)).toBe(module)
  expect(await compileKernels(new Response(EMPTY_MODULE))).toBeInstanceOf(WebAssembly.Module)
  const url = `data:application/wasm;base64,${Buffer.from(EMPTY_MODULE).toString('base64')}`
  expect(await compileKernels(url)).toBeInstanceOf(WebAssembly.Module)
  await expect(compileKernels('nowhere://')).rejects.toMatchObject({ code: 'MR_LANE_FAILED' })
})

test('where WebAssembly is refused or missing, the error says so', async () => {
  const compile = vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new Error('refused by policy'))
  await expect(compileKernels(EMPTY_MODULE)).rejects.toMatchObject({ code: 'MR_WASM_BLOCKED' })
  compile.mockRestore()
  vi.stubGlobal('WebAssembly', undefined)
  await expect(compileKernels(EMPTY_MODULE)).rejects.toMatchObject({ code: 'MR_WASM_BLOCKED' })
  vi.unstubAllGlobals()
})

test('the maximum memory is kept', async () => {
  const { memory } = await makeKernels({ maximumBytes: 10 * 65_536 + 1 })
  expect(memory.maximumBytes).toBe(10 * 65_536)
  expect(() => memory.allocate(10 * 65_536)).toThrowError(expect.objectContaining({ code: 'MR_MEMORY_LIMIT' }))
})

test('a read beyond memory is a trap, told apart from other errors', async () => {
  const { exports } = await makeKernels()
  let trap: unknown
  try {
    exports.bitmapCount(0xffff_0000, 1000)
  } catch (error) {
    trap = error
  }
  expect([isTrap(trap), isTrap(new Error('other'))]).toEqual([true, false])
})

test('the debug build keeps the names of kernels', async () => {
  const { wasmPath } = await buildKernels({ debug: true })
  const module = await compileKernels(await readFile(wasmPath))
  const [names] = WebAssembly.Module.customSections(module, 'name')
  expect(new TextDecoder().decode(names)).toContain('bitmapCount')
})
