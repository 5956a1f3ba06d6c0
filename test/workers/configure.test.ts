// Where kernels and workers come from: options refused by name, and each form that is allowed put to use.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { kernels } from 'virtual:millrace/kernels'
import { workerSource } from 'virtual:millrace/worker'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { columns, count, createEngine, sum } from '../../src/index.js'
import { compiledKernels, configure } from '../../src/workers/configure.js'
import { refusal } from '../flow/env.js'

let folder = ''
let kernelFile = ''
let workerFile = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  kernelFile = join(folder, 'kernels with a space.wasm')
  workerFile = join(folder, 'worker.mjs')
  await writeFile(kernelFile, await kernels())
  await writeFile(workerFile, workerSource)
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => configure({}))

/** Runs a flow on one lane that must not be inline: what is said on the console would tell. */
async function runsInWorker(): Promise<void> {
  const warn = vi.spyOn(console, 'warn')
  const engine = await createEngine({ lanes: 1 })
  try {
    const table = await columns({ x: Float64Array.of(1, 2, 3) })
      .aggregate(t => ({ n: count(), total: sum(t.x) }))
      .collect({ engine })
    expect(table.toRows()).toEqual([{ n: 3, total: 6 }])
    expect(warn).not.toHaveBeenCalled()
  } finally {
    warn.mockRestore()
    await engine.close()
  }
}

describe('configure', () => {
  it('refuses what is no option, with the nearest that is', async () => {
    const { message } = await refusal(() => configure({ wroker: 'x' } as never), 'MR_INVALID_OPTION')
    expect(message).toContain('did you mean worker?')
    await refusal(() => configure({ lanes: 3 } as never), 'MR_INVALID_OPTION')
  })

  it('refuses values of another kind, and then nothing is changed', async () => {
    const { module: before } = await compiledKernels()
    for (const options of [
      { worker: 1 },
      { worker: null },
      { worker: {} },
      { kernels: 1 },
      { kernels: null },
      { kernels: () => {} },
      null,
      'worker.js',
      undefined,
    ]) {
      await refusal(() => configure(options as never), 'MR_INVALID_OPTION')
    }
    expect((await compiledKernels()).module).toBe(before)
  })

  it('kernels are compiled once, until something else is configured', async () => {
    const [first, second] = await Promise.all([compiledKernels(), compiledKernels()])
    expect(second.module).toBe(first.module)
    configure({})
    expect((await compiledKernels()).module).not.toBe(first.module)
  })

  it('kernels may be bytes, a part of bytes, a compiled module, a path or the URL of a file', async () => {
    const bytes = await kernels()
    const within = new Uint8Array(bytes.length + 20)
    within.set(bytes, 10)
    const module = await WebAssembly.compile(bytes as never)
    for (const one of [
      bytes,
      bytes.slice().buffer,
      within.subarray(10, 10 + bytes.length),
      module,
      kernelFile,
      pathToFileURL(kernelFile),
      pathToFileURL(kernelFile).href,
    ]) {
      configure({ kernels: one as never })
      expect(WebAssembly.Module.exports((await compiledKernels()).module)).toEqual(WebAssembly.Module.exports(module))
    }
    configure({ kernels: module })
    expect((await compiledKernels()).module).toBe(module)
    expect(bytes.length).toBeGreaterThan(0)
  })

  it('kernels that are none are refused with a code, and not remembered', async () => {
    configure({ kernels: Uint8Array.of(1, 2, 3) })
    await refusal(() => compiledKernels(), 'MR_VERSION_MISMATCH')
    await refusal(() => createEngine({ lanes: 0 }), 'MR_VERSION_MISMATCH')
    await refusal(() => createEngine({ lanes: 1 }), 'MR_VERSION_MISMATCH')
    // A module of someone else's.
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    configure({ kernels: empty })
    await refusal(() => createEngine({ lanes: 0 }), 'MR_VERSION_MISMATCH')
    await refusal(() => createEngine({ lanes: 2 }), 'MR_VERSION_MISMATCH')
    configure({ kernels: join(folder, 'late.wasm') })
    await expect(compiledKernels()).rejects.toThrow()
    await writeFile(join(folder, 'late.wasm'), await kernels())
    expect((await compiledKernels()).module).toBeInstanceOf(WebAssembly.Module)
  })

  it('a worker may be a path, the URL of a file, or whatever makes one', async () => {
    let made = 0
    const make = () => {
      made++
      return new Worker(workerFile)
    }
    for (const worker of [workerFile, pathToFileURL(workerFile), pathToFileURL(workerFile).href, make]) {
      configure({ worker })
      await runsInWorker()
    }
    expect(made).toBe(1)
  })
})
