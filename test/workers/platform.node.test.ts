// What Node.js offers: files by descriptor, and worker threads whose end is told once, with its reason.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inside } from '../../src/workers/inside-worker.node.js'
import type { WorkerHandle } from '../../src/workers/platform.js'
import { platform } from '../../src/workers/platform.node.js'
import { startWorker } from '../../src/workers/start-worker.node.js'
import { until } from '../flow/env.js'
import { turn } from './support.js'

let folder = ''
let file = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  file = join(folder, 'ten bytes')
  await writeFile(
    file,
    Uint8Array.from({ length: 10 }, (_, i) => i),
  )
})
afterAll(() => rm(folder, { recursive: true }))

describe('files', () => {
  it('are read from anywhere to anywhere, and no further than they go', async () => {
    const source = await platform.openFile?.(file)
    expect(await source?.byteLength()).toBe(10)
    expect(await source?.read(2, 5)).toEqual(Uint8Array.of(2, 3, 4))
    expect(await source?.read(8, 20)).toEqual(Uint8Array.of(8, 9))
    expect(await source?.read(10, 12)).toEqual(new Uint8Array(0))
    expect(await source?.read(3, 3)).toEqual(new Uint8Array(0))
    await source?.close()
    await expect(source?.read(0, 1)).rejects.toThrow()
  })

  it('that are not there reject', async () => {
    await expect(platform.openFile?.(join(folder, 'none'))).rejects.toThrow('ENOENT')
  })

  it('are read whole by path or URL; what is no file is nothing', async () => {
    expect(await platform.readFile(file)).toHaveProperty('byteLength', 10)
    expect(await platform.readFile(pathToFileURL(file))).toHaveProperty('byteLength', 10)
    expect(await platform.readFile('https://example.com/kernels.wasm')).toBeNull()
  })
})

describe('a module as text', () => {
  it('is imported, whatever characters it holds', async () => {
    const module = (await inside.importText('export const text = "é\\u{1F600} 😀`"')) as { text: string }
    expect(module.text).toBe('é😀 😀`')
  })
})

describe('a worker thread', () => {
  const ends = (handle: WorkerHandle) => {
    const reasons: (Error | null)[] = []
    handle.onDeath(reason => reasons.push(reason))
    return reasons
  }
  const start = (text: string) => startWorker({ kind: 'text', text })

  it('that throws dies once, of what it threw', async () => {
    const reasons = ends(start('throw new RangeError("too far")'))
    await until(() => reasons.length > 0, 5000)
    await turn(20)
    expect(reasons).toMatchObject([{ name: 'RangeError', message: 'too far' }])
  })

  it('that exits dies once, of nothing that is known', async () => {
    const reasons = ends(start('process.exit(0)'))
    await until(() => reasons.length > 0, 5000)
    await turn(20)
    expect(reasons).toEqual([null])
  })

  it('that throws no error dies of one all the same', async () => {
    const reasons = ends(start('throw "a string"'))
    await until(() => reasons.length > 0, 5000)
    await turn(20)
    expect(reasons).toHaveLength(1)
    expect(reasons[0]).toBeInstanceOf(Error)
    expect(reasons[0]?.message).toContain('a string')
  })

  it('tells whoever asks later that it has died', async () => {
    const handle = start('process.exit(1)')
    const reasons = ends(handle)
    await until(() => reasons.length > 0, 5000)
    expect(ends(handle)).toEqual([null])
  })

  it('that is ended by us does not die', async () => {
    const handle = start('setInterval(() => {}, 1000)')
    const reasons = ends(handle)
    handle.keepAlive(false)
    handle.keepAlive(true)
    await handle.terminate()
    await handle.terminate()
    await turn(20)
    expect(reasons).toEqual([])
  })
})
