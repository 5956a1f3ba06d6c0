/** The sinks suite in a real browser, and files of the origin private file system, which are there whole or not at all. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { channel, columns, csvSink, int32, ndjsonSink, opfsFile, runAll, schema } from '../../src/index.js'
import { counted, refusal, until } from '../flow/env.js'
import { webEnv } from '../flow/env.web.js'
import { sinkSuite } from '../flow/sinks.suite.js'
import { lanesList } from './lanes.js'

sinkSuite(lanesList, webEnv())

/** All files of the page's own, by their paths. */
async function files(folder?: FileSystemDirectoryHandle, path = ''): Promise<string[]> {
  const found: string[] = []
  const entries = (folder ?? (await navigator.storage.getDirectory())) as FileSystemDirectoryHandle & {
    entries(): AsyncIterable<[string, FileSystemHandle]>
  }
  for await (const [name, entry] of entries.entries()) {
    if (entry.kind === 'file') found.push(path + name)
    else found.push(...(await files(entry as FileSystemDirectoryHandle, `${path}${name}/`)))
  }
  return found.sort()
}

describe('files of the origin', () => {
  afterEach(async () => {
    const root = await navigator.storage.getDirectory()
    for (const name of new Set((await files()).map(path => path.split('/')[0] as string)))
      await root.removeEntry(name, { recursive: true })
  })
  const bad = () => columns({ x: [1, Number.NaN] })

  it('are written in folders made on the way, and read back', async () => {
    const file = opfsFile('exports/of/trades.csv')
    const job = columns(counted(200_000)).to(csvSink(file), { lanes: 2 })
    await job.finished
    const text = await (await file.file()).text()
    expect(text.length).toBe(job.metrics().bytesWritten)
    const lines = text.split('\n')
    expect(lines.length).toBe(200_002)
    expect([lines[0], lines[200_000]]).toEqual(['id,key,value', '199999,2,49999.75'])
    expect(await files()).toEqual(['exports/of/trades.csv'])
  })

  it('are not there where a job fails, and stay as they were where they were there', async () => {
    await refusal(() => bad().to(ndjsonSink(opfsFile('new.ndjson'))).finished, 'MR_INEXACT_VALUE')
    expect(await files()).toEqual([])
    const file = opfsFile('old.ndjson')
    await columns({ x: [1] }).to(ndjsonSink(file)).finished
    await refusal(() => bad().to(ndjsonSink(file)).finished, 'MR_INEXACT_VALUE')
    expect(await (await file.file()).text()).toBe('{"x":1}\n')
    await columns({ x: [2] }).to(ndjsonSink(file)).finished
    expect(await (await file.file()).text()).toBe('{"x":2}\n')
    expect(await files()).toEqual(['old.ndjson'])
  })

  it('are not there before they are whole, and what a page that has ended had begun goes', async () => {
    const file = opfsFile('exports/late.csv')
    const feed = channel(schema({ x: int32() }))
    const job = feed.flow.to(csvSink(file))
    await feed.push({ x: 1 })
    await until(() => job.metrics().rowsWritten === 1, 5_000)
    await refusal(() => file.file(), 'MR_SOURCE_FAILED')
    const unfinished = await (await navigator.storage.getDirectory()).getDirectoryHandle('millrace-unfinished')
    const left = crypto.randomUUID()
    await unfinished.getFileHandle(left, { create: true })
    const begun = (await files()).filter(path => !path.endsWith('.crswap'))
    expect(begun.length).toBe(2)
    // What is being written stays, however long that takes.
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000)
    await columns({ x: [1] }).to(csvSink(opfsFile('other.csv'))).finished
    await until(async () => !(await files()).some(path => path.endsWith(left)), 5_000)
    vi.restoreAllMocks()
    feed.close()
    await job.finished
    expect(await (await file.file()).text()).toBe('x\n1\n')
    expect(await files()).toEqual(['exports/late.csv', 'other.csv'])
  })

  it('are written by streams that the page has made of them', async () => {
    const root = await navigator.storage.getDirectory()
    const handle = await root.getFileHandle('made.csv', { create: true })
    await columns({ x: [1, 2] }).to(csvSink(await handle.createWritable())).finished
    expect(await (await handle.getFile()).text()).toBe('x\n1\n2\n')
  })

  it('are there all together or none', async () => {
    const flows = { a: columns({ x: [1] }), b: bad() }
    const sinks = { a: ndjsonSink(opfsFile('a')), b: ndjsonSink(opfsFile('b')) }
    await refusal(() => runAll(flows, sinks).finished, 'MR_INEXACT_VALUE')
    expect(await files()).toEqual([])
    await runAll({ ...flows, b: flows.a }, sinks).finished
    expect(await files()).toEqual(['a', 'b'])
  })

  it('by a handle too', async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('picked.csv', { create: true })
    await columns({ x: [1.5] }).to(csvSink(handle)).finished
    expect(await (await handle.getFile()).text()).toBe('x\n1.5\n')
  })

  it('that cannot be are refused', async () => {
    for (const path of ['', 'a//b', '../a', 'a/.'])
      await refusal(() => bad().to(csvSink(opfsFile(path))).finished, 'MR_INVALID_OPTION')
    for (const path of ['none', 'no/folder/none']) {
      const error = await refusal(() => opfsFile(path).file(), 'MR_SOURCE_FAILED')
      expect(error.details).toEqual({ file: path })
      expect(error.cause).toMatchObject({ name: 'NotFoundError' })
    }
    await refusal(() => bad().to(csvSink('a path')).finished, 'MR_INVALID_OPTION')
    await columns({ x: [1] }).to(csvSink(opfsFile('a'))).finished
    await refusal(() => columns({ x: [1] }).to(csvSink(opfsFile('a/b'))).finished, 'MR_SINK_FAILED')
  })
})
