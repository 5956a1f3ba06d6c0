/** Inputs of every kind, opened and read: above all URLs, against servers that honour ranges, ignore them, refuse HEAD, or fail. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { type ByteSource, type InputDescriptor, openInput, readExactly } from '../../src/formats/byte-source.js'
import { inputName } from '../../src/formats/input.js'

const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31) & 255)

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** Starts a server; returns its URL and what was asked of it. */
async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.range ?? ''}`.trim())
    handle(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  stops.push(
    () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`, asked }
}

function sendRange(request: IncomingMessage, response: ServerResponse): void {
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
  if (request.method === 'HEAD' || from === undefined) {
    response.writeHead(200, { 'content-length': content.length }).end(request.method === 'HEAD' ? undefined : content)
    return
  }
  const part = content.subarray(Number(from), Number(to) + 1)
  response
    .writeHead(206, { 'content-length': part.length, 'content-range': `bytes ${from}-${to}/${content.length}` })
    .end(part)
}

async function expectContent(source: ByteSource): Promise<void> {
  expect(await source.byteLength()).toBe(5000)
  expect([...(await readExactly(source, 100, 200))]).toEqual([...content.subarray(100, 200)])
  const [head, tail] = await Promise.all([readExactly(source, 0, 7), readExactly(source, 4990, 5000)])
  expect([...head, ...tail]).toEqual([...content.subarray(0, 7), ...content.subarray(4990)])
  expect((await readExactly(source, 50, 50)).length).toBe(0)
  await source.close()
}

describe('a URL', () => {
  test('is read by ranges where the server gives them', async () => {
    const { url, asked } = await serve(sendRange)
    await expectContent(await openInput({ kind: 'url', url }))
    expect(asked.sort()).toEqual(['GET bytes=0-6', 'GET bytes=100-199', 'GET bytes=4990-4999', 'HEAD'])
  })

  test('is measured by its first range where HEAD is refused', async () => {
    const { url, asked } = await serve((request, response) =>
      request.method === 'HEAD' ? response.writeHead(403).end() : sendRange(request, response),
    )
    await expectContent(await openInput({ kind: 'url', url }))
    expect(asked.slice(0, 2)).toEqual(['HEAD', 'GET bytes=0-0'])
  })

  test('is read once, whole, where the server ignores ranges', async () => {
    const { url, asked } = await serve((request, response) =>
      response.writeHead(200, { 'content-length': 5000 }).end(request.method === 'HEAD' ? undefined : content),
    )
    await expectContent(await openInput({ kind: 'url', url }))
    expect(asked).toEqual(['HEAD', 'GET bytes=100-199'])
    asked.length = 0
    const many = await openInput({ kind: 'url', url })
    const parts = await Promise.all([0, 1000, 2000].map(from => readExactly(many, from, from + 10)))
    expect(parts.map(part => part[0])).toEqual([0, 1000, 2000].map(i => content[i]))
  })

  test('is read whole where its transfer is compressed', async () => {
    const zipped = gzipSync(content)
    const { url } = await serve((request, response) =>
      response
        .writeHead(200, { 'content-encoding': 'gzip', 'content-length': zipped.length })
        .end(request.method === 'HEAD' ? undefined : zipped),
    )
    await expectContent(await openInput({ kind: 'url', url }))
  })

  test('that is not there is an error with its status; one that recovers is read', async () => {
    let isUp = false
    const { url } = await serve((request, response) =>
      isUp ? sendRange(request, response) : response.writeHead(503).end(),
    )
    const source = await openInput({ kind: 'url', url })
    await expect(source.read(0, 10)).rejects.toMatchObject({
      code: 'MR_INVALID_OPTION',
      message: expect.stringContaining('503'),
    })
    isUp = true
    expect([...(await source.read(0, 3))]).toEqual([...content.subarray(0, 3)])
    const { url: gone } = await serve((_, response) => response.destroy())
    await expect((await openInput({ kind: 'url', url: gone })).byteLength()).rejects.toMatchObject({
      code: 'MR_INVALID_OPTION',
      details: { file: gone },
    })
  })

  test('that sends too little is an error', async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(206, { 'content-range': 'bytes 0-9/5000', 'content-length': 4 }).end(content.subarray(0, 4)),
    )
    await expect(readExactly(await openInput({ kind: 'url', url }), 0, 10)).rejects.toMatchObject({
      code: 'MR_FORMAT_ERROR',
    })
  })

  test('stops at once when the signal aborts', async () => {
    const { url } = await serve(() => {})
    const source = await openInput({ kind: 'url', url })
    const controller = new AbortController()
    const reading = source.read(0, 10, controller.signal)
    controller.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
  })
})

describe('other inputs', () => {
  test('are read from memory, from blobs and from what the platform opens', async () => {
    await expectContent(await openInput({ kind: 'bytes', bytes: content }))
    await expectContent(await openInput({ kind: 'blob', blob: new Blob([content]) }))
    const opened: string[] = []
    const openFile = async (path: string) => {
      opened.push(path)
      return openInput({ kind: 'bytes', bytes: content })
    }
    await expectContent(await openInput({ kind: 'path', path: 'a/b' }, openFile))
    expect(opened).toEqual(['a/b'])
  })

  test('that cannot be opened say so', async () => {
    await expect(openInput({ kind: 'path', path: 'a' })).rejects.toMatchObject({
      code: 'MR_INVALID_OPTION',
      details: { file: 'a' },
    })
    const missing = async () => {
      throw new Error('ENOENT: no such file')
    }
    await expect(openInput({ kind: 'path', path: 'a' }, missing)).rejects.toThrow(
      'cannot open "a": ENOENT: no such file',
    )
  })

  test('that shrink while they are read are an error', async () => {
    const shrunk = await openInput({ kind: 'bytes', bytes: content.subarray(0, 10) })
    await expect(readExactly(shrunk, 5, 20)).rejects.toMatchObject({
      code: 'MR_FORMAT_ERROR',
      details: { byteOffset: 10 },
    })
  })

  test('have names for messages', () => {
    const names = (
      [
        { kind: 'path', path: 'a.parquet' },
        { kind: 'url', url: 'https://example.org/a' },
        { kind: 'blob', blob: new File([content], 'b.parquet') },
        { kind: 'blob', blob: new Blob([content]) },
        { kind: 'bytes', bytes: content },
      ] satisfies InputDescriptor[]
    ).map(inputName)
    expect(names).toEqual([
      'a.parquet',
      'https://example.org/a',
      'b.parquet',
      'a Blob of 5000 bytes',
      '5000 bytes in memory',
    ])
  })
})
