// Files by their path in Node: there whole or not at all, whatever the job, the disk and the process come to.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  arrow,
  arrowSink,
  columns,
  csv,
  csvSink,
  type FileTarget,
  type Flow,
  ndjson,
  ndjsonSink,
  runAll,
} from '../../src/index.js'
import { createFile } from '../../src/workers/write-file.node.js'
import { counted, refusal } from '../flow/env.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-sinks-'))
})
afterEach(() => rm(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const few = () => columns({ x: [1, 2] })
/** Its second row cannot be JSON. */
const bad = () => columns({ x: [1, Number.NaN] })
const write = (target: FileTarget) => few().to(csvSink(target)).finished

describe('a file by its path', () => {
  it('is there with all rows, and nothing else is', async () => {
    for (const lanes of [0, 1, 2]) {
      const job = columns(counted(300_000)).to(csvSink(at('out.csv')), { lanes })
      await job.finished
      const text = await readFile(at('out.csv'), 'utf8')
      expect(text.length).toBe(job.metrics().bytesWritten)
      const lines = text.split('\n')
      expect(lines.length).toBe(300_002)
      expect(lines.slice(0, 3)).toEqual(['id,key,value', '0,0,0', '1,1,0.25'])
      expect(lines[300_000]).toBe(`299999,${299_999 % 7},74999.75`)
      expect(await readdir(folder)).toEqual(['out.csv'])
    }
  })

  it('may be a URL, and have any name that a file may have', async () => {
    await write(pathToFileURL(at('a b%.csv')))
    await write(pathToFileURL(at('b.csv')).href)
    const long = 'é'.repeat(127)
    await write(at(long))
    expect((await readdir(folder)).sort()).toEqual(['a b%.csv', 'b.csv', long])
    const noPath = await refusal(() => write(`${pathToFileURL(at('a'))}%zz`), 'MR_INVALID_OPTION')
    expect(noPath.message).toContain('is no path')
    expect(await readFile(at('a b%.csv'), 'utf8')).toBe('x\n1\n2\n')
  })

  it('stays as it was until the new one is there, and where that fails', async () => {
    await writeFile(at('out'), 'before')
    let during = ''
    const slow = columns(counted(200_000))
    const job = runAll(
      { file: slow, spy: slow },
      {
        file: ndjsonSink(at('out')),
        spy: async () => {
          during = await readFile(at('out'), 'utf8')
        },
      },
    )
    await job.finished
    expect(during).toBe('before')
    const after = await readFile(at('out'), 'utf8')
    expect(after.startsWith('{"id":0,')).toBe(true)
    await refusal(() => bad().to(ndjsonSink(at('out'))).finished, 'MR_INEXACT_VALUE')
    expect(await readFile(at('out'), 'utf8')).toBe(after)
    expect(await readdir(folder)).toEqual(['out'])
  })

  it('is not there where a job fails, is aborted, or is disposed of', async () => {
    for (const lanes of [0, 2]) {
      await refusal(() => bad().to(ndjsonSink(at('out')), { lanes }).finished, 'MR_INEXACT_VALUE')
      const controller = new AbortController()
      const onProgress = () => controller.abort('enough')
      const job = columns(counted(3_000_000)).to(csvSink(at('out')), { lanes, signal: controller.signal, onProgress })
      await expect(job.finished).rejects.toBe('enough')
      const other = columns(counted(1_000_000)).to(csvSink(at('out')), { lanes })
      await expect.poll(() => other.metrics().rowsWritten).toBeGreaterThan(0)
      await other[Symbol.asyncDispose]()
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('one that was stopped has what was read', async () => {
    const job = columns(counted(3_000_000)).to(csvSink(at('out')), { lanes: 1 })
    await expect.poll(() => job.metrics().rowsWritten).toBeGreaterThan(0)
    job.stop()
    await job.finished
    const { rowsWritten } = job.metrics()
    expect((await readFile(at('out'), 'utf8')).split('\n').length).toBe(rowsWritten + 2)
  })

  it('several are there together or not at all', async () => {
    const sinks = { a: ndjsonSink(at('a')), b: ndjsonSink(at('b')) }
    await refusal(() => runAll({ a: few(), b: bad() }, sinks).finished, 'MR_INEXACT_VALUE')
    expect(await readdir(folder)).toEqual([])
    await runAll({ a: few(), b: few() }, sinks).finished
    expect((await readdir(folder)).sort()).toEqual(['a', 'b'])
  })

  it('keeps its rights, and a link stays a link', async () => {
    await writeFile(at('real'), '')
    await chmod(at('real'), 0o640)
    await symlink(at('real'), at('link'))
    await write(at('link'))
    expect(await readFile(at('real'), 'utf8')).toBe('x\n1\n2\n')
    expect((await stat(at('real'))).mode & 0o777).toBe(0o640)
    expect((await readdir(folder, { withFileTypes: true })).find(({ name }) => name === 'link')?.isSymbolicLink()).toBe(
      true,
    )
  })

  it('is made where a link leads that leads nowhere yet, however many there are on the way', async () => {
    await mkdir(at('folder'))
    await symlink('folder/real', at('link'))
    await symlink(at('link'), at('first'))
    await write(at('first'))
    expect(await readFile(at('folder/real'), 'utf8')).toBe('x\n1\n2\n')
    await symlink('loop', at('loop'))
    await symlink('none/out', at('lost'))
    for (const name of ['loop', 'lost']) await refusal(() => write(at(name)), 'MR_SINK_FAILED')
    const links = (await readdir(folder, { withFileTypes: true })).filter(entry => entry.isSymbolicLink())
    expect(links.map(({ name }) => name).sort()).toEqual(['first', 'link', 'loop', 'lost'])
    expect(await readdir(at('folder'))).toEqual(['real'])
  })

  it('of ten thousand columns is written and read', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `gene ${i}`)
    const flow = columns(Object.fromEntries(names.map((name, i) => [name, Int32Array.of(i, -i)])))
    const { schema } = await flow.limit(0).collect({ lanes: 0 })
    await flow.to(csvSink(at('out.csv')), { lanes: 0 }).finished
    await flow.to(ndjsonSink(at('out.ndjson')), { lanes: 0 }).finished
    await flow.to(arrowSink(at('out.arrow')), { lanes: 0 }).finished
    for (const read of [
      csv(at('out.csv'), { schema }),
      ndjson(at('out.ndjson'), { schema }),
      arrow(at('out.arrow')),
    ] as Flow<any>[]) {
      const table = await read.collect({ lanes: 0 })
      expect(Object.keys(table.schema)).toEqual(names)
      expect(table.column('gene 9999').toArray()).toEqual(Int32Array.of(9999, -9999))
    }
  })

  it('refuses what cannot be written, with its name', async () => {
    await mkdir(at('folder'))
    for (const name of ['folder', 'none/out', `${'long'.repeat(100)}`]) {
      const error = await refusal(() => write(at(name)), 'MR_SINK_FAILED')
      expect(error.message).toContain(at(name))
      expect(error.details.file).toBe(at(name))
      expect(error.cause).toBeInstanceOf(Error)
    }
    expect(await readdir(folder)).toEqual(['folder'])
  })

  it('is written by one job at a time', async () => {
    const error = await refusal(
      () => runAll({ a: few(), b: few() }, { a: csvSink(at('out')), b: csvSink(at('out')) }).finished,
      'MR_SINK_FAILED',
    )
    expect(error.message).toContain('another job')
    expect(await readdir(folder)).toEqual([])
    await write(at('out'))
    await write(at('out'))
  })

  it.skipIf(process.platform === 'win32')('that is a pipe is written straight', async () => {
    execFileSync('mkfifo', [at('pipe')])
    const reader = spawn('cat', [at('pipe')])
    let text = ''
    reader.stdout.on('data', chunk => {
      text += chunk
    })
    const ended = new Promise(resolve => reader.on('close', resolve))
    await write(at('pipe'))
    await ended
    expect(text).toBe('x\n1\n2\n')
    expect((await stat(at('pipe'))).isFIFO()).toBe(true)
    await write('/dev/null')
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  it('a process that ends in the middle leaves nothing', async () => {
    const file = await createFile(at('out'))
    await file.write(Uint8Array.of(1, 2, 3))
    const left = (await readdir(folder))[0] as string
    expect(left).toMatch(/^\.millrace-.*\.tmp$/)
    // The same listener that a real end would call.
    const listener = process.listeners('exit').at(-1) as () => void
    listener()
    expect(await readdir(folder)).toEqual([])
    await file.discard(null)
    expect(process.listeners('exit')).not.toContain(listener)
  })
})

const run = (command: string, ...args: string[]) =>
  new Promise<boolean>(resolve => execFile(command, args, error => resolve(error === null)))

describe('a disk that is full', () => {
  let disk: string
  let mounted = false
  beforeAll(async () => {
    disk = await mkdtemp(join(tmpdir(), 'millrace-disk-'))
    mounted = process.getuid?.() === 0 && (await run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk))
  })
  afterAll(async () => {
    if (mounted) await run('umount', disk)
    await rm(disk, { recursive: true, force: true })
  })

  it('leaves no half-written file behind, and what was there as it was', async ({ skip }) => {
    if (!mounted) skip('a disk can be mounted by root alone')
    const flow = columns(counted(500_000))
    await write(join(disk, 'old.csv'))
    for (const sink of [csvSink, ndjsonSink]) {
      for (const name of ['new.csv', 'old.csv']) {
        const error = await refusal(() => flow.to(sink(join(disk, name)), { lanes: 1 }).finished, 'MR_SINK_FAILED')
        expect(error.message).toContain('ENOSPC')
        expect((error.cause as NodeJS.ErrnoException).code).toBe('ENOSPC')
        expect(await readdir(disk)).toEqual(['old.csv'])
        expect(await readFile(join(disk, 'old.csv'), 'utf8')).toBe('x\n1\n2\n')
      }
    }
    // Two of which each has room, and both have not.
    const part = flow.limit(40_000)
    const paths = { a: join(disk, 'a'), b: join(disk, 'b') }
    await refusal(
      () => runAll({ a: part, b: part }, { a: csvSink(paths.a), b: csvSink(paths.b) }).finished,
      'MR_SINK_FAILED',
    )
    expect(await readdir(disk)).toEqual(['old.csv'])
    await part.to(csvSink(paths.a)).finished
    expect((await readdir(disk)).sort()).toEqual(['a', 'old.csv'])
  })
})
