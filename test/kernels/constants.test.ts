// The modules of parts lie over one memory, so constants that one had there would be overwritten by those of the next.

import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { buildKernels } from '../../scripts/build-kernels.mjs'

const DATA = 11

/** Ids of the sections of a module: each is its id, its length as LEB128 and its content. */
function sectionsOf(wasm: Uint8Array): number[] {
  const ids: number[] = []
  for (let at = 8; at < wasm.length; ) {
    ids.push(wasm[at++])
    let length = 0
    for (let shift = 0; ; shift += 7) {
      length += (wasm[at] & 127) * 2 ** shift
      if (wasm[at++] < 128) break
    }
    at += length
  }
  return ids
}

// Compiling takes a while, where nothing has been compiled yet.
test('no module has constants in memory', { timeout: 120_000 }, async () => {
  const { wasmPath, partPaths } = await buildKernels()
  for (const path of [wasmPath, ...Object.values(partPaths)]) {
    const sections = sectionsOf(await readFile(path))
    expect(sections.length).toBeGreaterThan(4)
    expect(sections, `${basename(path)} has memory.data, an array literal or a string`).not.toContain(DATA)
  }
})
