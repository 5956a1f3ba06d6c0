// Compiles the benchmarks' own AssemblyScript, with the flags that the library's kernels are compiled with.

import { readFile } from 'node:fs/promises'
import asc from 'assemblyscript/asc'

/**
 * @param {URL} url a file of AssemblyScript that imports its memory
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compileAssembly(url) {
  const { binary, error, stderr } = await asc.compileString(await readFile(url, 'utf8'), {
    optimizeLevel: 3,
    noAssert: true,
    enable: ['simd'],
    runtime: 'stub',
    importMemory: true,
  })
  if (error) throw new Error(`${url.pathname} does not compile.\n${stderr}`, { cause: error })
  return WebAssembly.compile(binary)
}

/** An instance over `memory`. @returns {any} its exports */
export function instantiateAssembly(module, memory) {
  return new WebAssembly.Instance(module, { env: { memory, abort: () => {} } }).exports
}
