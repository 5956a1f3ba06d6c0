/** URLs from front to end, against servers that fail, drop, lie, ignore ranges or change what they serve in the middle. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ByteStreamOptions, openByteStream } from '../../src/formats/byte-stream.js'
import type { UrlVersion } from '../../src/formats/http-range.js'
import { refusal } from '../flow/env.js'
import { expectSame, gathered, joined, someBytes } from './byte-stream.suite.js'
import { dropping, good, type Handler, quick, rangeOf, serve } from './server.js'

const content = someBytes(300_000)
const other = someBytes(300_000, 99)
const read = (url: string, options: ByteStreamOptions = {}, version?: UrlVersion) =>
  gathered(
    openByteStream({ kind: 'url', url, ...(version === undefined ? {} : { version }) }, null, {
      network: quick(),
      ...options,
    }),
  )
/** One after another, and the last for all that follow. */
const inTurn =
  (...handlers: Handler[]): Handler =>
  (request, response, count) =>
    (handlers[Math.min(count, handlers.length - 1)] as Handler)(request, response, count)

describe('a URL', () => {
  test('is read by one request', async () => {
    const { url, asked } = await serve(good(content))
    expectSame(await read(url), content)
    expect(asked).toEqual(['GET'])
  })

  test('is read from where it is told, with ranges or without', async () => {
    for (const handler of [good(content), ((_, response) => response.end(content)) satisfies Handler]) {
      const { url, asked } = await serve(handler)
      for (const from of [1, 70_000, 299_999, 300_000, 400_000])
        expectSame(await read(url, { from }), content.subarray(from))
      expect(asked[0]).toBe('GET bytes=1-')
    }
  })

  test('may have nothing, or no length', async () => {
    const { url } = await serve(good(new Uint8Array(0)))
    expect((await read(url)).length).toBe(0)
    const { url: chunked } = await serve((_, response) => {
      response.write(content.subarray(0, 1000))
      response.end(content.subarray(1000))
    })
    expectSame(await read(chunked), content)
  })

  test('is decompressed, whether its transfer or the file is compressed, or both', async () => {
    const zipped = gzipSync(content)
    const { url } = await serve((request, response) => {
      if (request.url === '/transfer') response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped)
      else if (request.url === '/both') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(zipped))
      else response.end(zipped)
    })
    for (const path of ['/transfer', '/both', '/data.csv.gz']) expectSame(await read(new URL(path, url).href), content)
  })

  test('is no more read than is asked for, and its connection ends with the loop', async () => {
    let closed = 0
    let sent = 0
    const { url } = await serve((_, response) => {
      response.on('close', () => closed++)
      const more = () => {
        while (!response.destroyed) {
          sent += 65_536
          if (!response.write(new Uint8Array(65_536))) break
        }
      }
      response.on('drain', more)
      more()
    })
    for await (const _ of openByteStream({ kind: 'url', url }, null)) break
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(closed).toBe(1)
    expect(sent).toBeLessThan(20_000_000)
  })
})

describe('a connection that drops', () => {
  test('is taken up where it ended', async () => {
    const net = quick()
    const { url, asked } = await serve(inTurn(dropping(content, 100_000), dropping(content, 50_000), good(content)))
    expectSame(await read(url, { network: net }), content)
    expect(asked).toEqual(['GET', 'GET bytes=100000-', 'GET bytes=150000-'])
    expect(net.waits).toEqual([250, 750])
  })

  test('behind the last byte has brought everything', async () => {
    const { url, asked } = await serve(dropping(content, 300_000))
    expectSame(await read(url), content)
    expect(asked).toEqual(['GET'])
    // Without a length there is one more question.
    const chunked = await serve(
      inTurn((_, response) => {
        response.writeHead(200, { etag: '"1"' }).write(content, () => response.destroy())
      }, good(content)),
    )
    expectSame(await read(chunked.url), content)
    expect(chunked.asked).toEqual(['GET', 'GET bytes=300000-'])
  })

  test('of a compressed transfer is taken up by a range of what it would have become', async () => {
    const zipped = gzipSync(content, { level: 0 })
    const { url, asked } = await serve(
      inTurn((_, response) => {
        response
          .writeHead(200, { 'content-encoding': 'gzip', etag: '"1-gzip"' })
          .write(zipped.subarray(0, 200_000), () => response.destroy())
      }, good(content)),
    )
    expectSame(await read(url), content)
    expect(asked[1]).toMatch(/^GET bytes=\d{5,}-$/)
  })

  test('where there are no ranges is passed over what was read', async () => {
    const whole: Handler = (_, response) => response.writeHead(200, { etag: '"1"' }).end(content)
    const { url, asked } = await serve(
      inTurn((_, response) => {
        response.writeHead(200, { etag: '"1"' }).write(content.subarray(0, 100_000), () => response.destroy())
      }, whole),
    )
    expectSame(await read(url), content)
    expect(asked).toEqual(['GET', 'GET bytes=100000-'])
  })

  test('where nothing tells the version is an error', async () => {
    const { url } = await serve(
      inTurn(
        (_, response) => {
          response.writeHead(200).write(content.subarray(0, 100_000), () => response.destroy())
        },
        good(content, {}),
      ),
    )
    const error = await refusal(() => read(url), 'MR_SOURCE_FAILED')
    expect(error.message).toContain('no length, ETag or date')
    expect(error.details).toMatchObject({ file: url, byteOffset: 100_000 })
  })

  test('again and again without progress is an error', async () => {
    const { url, asked } = await serve(inTurn(dropping(content, 100_000), dropping(content, 10)))
    const error = await refusal(() => read(url), 'MR_SOURCE_FAILED')
    expect(error.details).toMatchObject({ file: url, attempts: 5 })
    expect(error.details.byteOffset).toBeGreaterThanOrEqual(100_000)
    expect(asked.length).toBeLessThan(8)
  })

  test('for any reason, any number of times, loses nothing', async () => {
    const kinds = fc.constantFrom('drop', 'destroy', '503', 'short', 'other', 'whole')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(kinds, fc.nat({ max: 150_000 })), { minLength: 1, maxLength: 8 }),
        async answers => {
          const { url } = await serve((request, response, count) => {
            const [kind, n] = answers[count] ?? ['good', 0]
            const { from } = rangeOf(request, content.length) ?? { from: 0 }
            const range = { 'content-range': `bytes ${from}-299999/300000`, etag: '"1"' }
            if (kind === 'drop') dropping(content, n)(request, response, count)
            else if (kind === 'destroy') response.destroy()
            else if (kind === '503') response.writeHead(503).end()
            else if (kind === 'short' && from > 0) response.writeHead(206, range).end(content.subarray(from, from + n))
            else if (kind === 'other' && from > 0)
              response.writeHead(206, { 'content-range': 'bytes 5-299999/300000' }).end(content.subarray(5))
            else if (kind === 'whole') response.writeHead(200, { etag: '"1"', 'content-length': 300_000 }).end(content)
            else good(content)(request, response, count)
          })
          const out = await read(url).catch(error => error)
          if (out instanceof Uint8Array) expectSame(out, content)
          else expect(out).toMatchObject({ code: 'MR_SOURCE_FAILED', details: { attempts: 5 } })
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('a file that changes in the middle', () => {
  test.each<[string, Record<string, string>, Handler]>([
    ['its ETag', { etag: '"1"' }, good(other, { etag: '"2"' })],
    [
      'its date',
      { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' },
      good(other, { 'last-modified': 'Tue, 02 Jan 2024 00:00:00 GMT' }),
    ],
    ['its length', {}, good(someBytes(300_001), {})],
    ['its length, to less than has been read', {}, good(content.subarray(0, 5000), {})],
    [
      'its ETag, where there are no ranges',
      { etag: '"1"' },
      (_, response) => response.writeHead(200, { etag: '"2"' }).end(other),
    ],
  ])('is seen by %s', async (_, headers, after) => {
    const { url } = await serve(inTurn(dropping(content, 100_000, headers), after))
    const error = await refusal(() => read(url), 'MR_FORMAT_ERROR')
    expect(error.message).toContain('the input changed while it was read')
    expect(error.details).toEqual({ file: url, byteOffset: 100_000 })
  })

  test('since it was described is seen', async () => {
    const { url } = await serve(good(content, { etag: '"2"' }))
    await refusal(() => read(url, {}, { byteLength: null, etag: '"1"', lastModified: null }), 'MR_FORMAT_ERROR')
    await refusal(() => read(url, {}, { byteLength: 5, etag: null, lastModified: null }), 'MR_FORMAT_ERROR')
    expectSame(await read(url, {}, { byteLength: 300_000, etag: 'W/"2"', lastModified: null }), content)
  })
})

describe('a length that is not true', () => {
  test('is never the length of what is read', async () => {
    // Too long: the connection ends before it, and then there is no more.
    const { url } = await serve(
      inTurn(
        (_, response) =>
          response.writeHead(200, { 'content-length': 300_010, etag: '"1"' }).write(content, () => response.destroy()),
        good(content),
      ),
    )
    await refusal(() => read(url), 'MR_FORMAT_ERROR')
    // Of a part that says it is more than it is.
    const { url: part } = await serve(
      inTurn(dropping(content, 100_000), (_, response) =>
        response
          .writeHead(206, { 'content-range': 'bytes 100000-299999/300000', etag: '"1"' })
          .end(joined([content.subarray(100_000), new Uint8Array(10)])),
      ),
    )
    await refusal(() => read(part), 'MR_FORMAT_ERROR')
  })
})

describe('a server that hangs', () => {
  test.each<[string, Handler]>([
    ['at once', () => {}],
    ['in the middle', (_, response) => void response.writeHead(200).write(content.subarray(0, 10))],
    ['and asks to wait', (_, response) => response.writeHead(503, { 'retry-after': '10' }).end()],
  ])('%s is left when the signal aborts', async (_, handler) => {
    const { url } = await serve(handler)
    const controller = new AbortController()
    const reading = gathered(openByteStream({ kind: 'url', url }, null, { signal: controller.signal }))
    setTimeout(() => controller.abort(new Error('enough')), 40)
    await expect(reading).rejects.toThrow('enough')
  })

  test('for a byte at a time is read to its end', async () => {
    const { url } = await serve((_, response) => {
      let at = 0
      const drip = () => {
        response.write(content.subarray(at, ++at))
        if (at < 30) setTimeout(drip, 1)
        else response.end()
      }
      drip()
    })
    expectSame(await read(url), content.subarray(0, 30))
  })

  test('404 is final', async () => {
    const { url, asked } = await serve((_, response) => response.writeHead(404).end())
    const error = await refusal(() => read(url), 'MR_SOURCE_FAILED')
    expect(error.details).toEqual({ file: url, status: 404, attempts: 1, byteOffset: 0 })
    expect(asked.length).toBe(1)
  })
})
