// What Node.js offers: files by descriptor, and worker threads whose end is told once, with its reason.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inside } from '../../src/workers/inside-worker.node.js'
import { openFile, openFileToBlock } from '../../src/workers/open-file.node.js'
import type { WorkerHandle } from '../../src/workers/platform.js'
import { platform } from '../../src/workers/platform.node.js'
import { startWorker } from '../../src/workers/start-worker.node.js'
import { refusal, until } from '../flow/env.js'
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

describe.each([
  ['files', openFile],
  ['files that are read on the spot', openFileToBlock],
])('%s', (_, open) => {
  it('are read from anywhere to anywhere, and no further than they go', async () => {
    const source = await open(file)
    expect(await source.byteLength()).toBe(10)
    expect(await source.read(2, 5)).toEqual(Uint8Array.of(2, 3, 4))
    expect(await source.read(8, 20)).toEqual(Uint8Array.of(8, 9))
    expect(await source.read(10, 12)).toEqual(new Uint8Array(0))
    expect(await source.read(3, 3)).toEqual(new Uint8Array(0))
    await source.close()
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'MR_CLOSED' })
  })

  it('are read into what is given, the memory of an instance too', async () => {
    const source = await open(file)
    const memory = new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer)
    expect(await source.readInto?.(memory.subarray(100, 104), 3)).toBe(4)
    expect(memory.slice(98, 106)).toEqual(Uint8Array.of(0, 0, 3, 4, 5, 6, 0, 0))
    expect(await source.readInto?.(memory.subarray(0, 50), 7)).toBe(3)
    expect(await source.readInto?.(memory.subarray(0, 50), 70)).toBe(0)
    expect(typeof source.readInto?.(memory.subarray(0, 1), 0)).toBe(open === openFile ? 'object' : 'number')
    await source.close()
  })

  it('stop at a signal', async () => {
    const source = await open(file)
    await expect(source.read(0, 1, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(() => source.readInto?.(new Uint8Array(1), 0, AbortSignal.abort(new Error('enough')))).toThrow('enough')
    await source.close()
  })

  it('that are not there reject', async () => {
    await expect(open(join(folder, 'none'))).rejects.toThrow('ENOENT')
  })

  it('that are no files are refused, and a pipe is not waited for', async () => {
    expect((await refusal(() => open(folder), 'MR_INVALID_OPTION')).message).toContain(`${folder}/*`)
    const pipe = join(folder, open.name)
    await promisify(execFile)('mkfifo', [pipe])
    expect((await refusal(() => open(pipe), 'MR_INVALID_OPTION')).message).toContain('give it as a stream')
  })

  it.runIf(process.platform === 'linux')('that cannot be read say where', async () => {
    // The memory of a process: nothing is at its beginning.
    const source = await open('/proc/self/mem')
    const error = await refusal(() => source.read(8, 10), 'MR_SOURCE_FAILED')
    expect(error.details).toEqual({ file: '/proc/self/mem', byteOffset: 8 })
    expect(error.message).toContain('EIO')
    await source.close()
  })
})

describe('files of the platform', () => {
  it('are read whole by path or URL; what is no file is nothing', async () => {
    expect(await platform.readFile(file)).toHaveProperty('byteLength', 10)
    expect(await platform.readFile(pathToFileURL(file))).toHaveProperty('byteLength', 10)
    expect(await platform.readFile('https://example.com/kernels.wasm')).toBeNull()
    await refusal(() => platform.readFile(join(folder, 'none')), 'MR_SOURCE_FAILED')
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

  it('that is a file starts where the program comes as text, with all else that Node was started with', async () => {
    const [worker, first] = [join(folder, 'worker.mjs'), join(folder, 'first.mjs')]
    await writeFile(worker, 'throw new Error(globalThis.isFirst + " " + process.execArgv.length)')
    await writeFile(first, 'globalThis.isFirst = true')
    const before = [...process.execArgv]
    const forms = [
      ['--input-type=module', '-e', 'let text'],
      ['--input-type', 'module', '--eval', 'let text'],
      ['--eval=let text', '--input-type=module'],
      ['--input-type=commonjs', '-p', '-e', '1'],
      ['--input-type=module', '-pe', '1'],
    ]
    try {
      for (const form of forms) {
        // One of those is the whole process's: none is given to a worker alone.
        process.execArgv = [...form, '--import', pathToFileURL(first).href, '--expose-gc']
        const reasons = ends(startWorker({ kind: 'url', url: pathToFileURL(worker) }))
        await until(() => reasons.length > 0, 5000)
        expect(reasons[0]?.message, form.join(' ')).toBe('true 2')
      }
    } finally {
      process.execArgv = before
    }
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
