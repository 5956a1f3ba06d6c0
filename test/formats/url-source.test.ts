/** URLs at random positions, against servers that honour ranges, ignore them, refuse HEAD, fail, lie, change what they serve, or hang. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ByteSource, openInput, pinned, readExactly } from '../../src/formats/byte-source.js'
import type { UrlVersion } from '../../src/formats/http-range.js'
import { urlSource } from '../../src/formats/url-source.js'
import { refusal } from '../flow/env.js'
import { expectSame, someBytes } from './byte-stream.suite.js'
import { dropping, good, type Handler, quick, rangeOf, serve } from './server.js'

const content = someBytes(200_000)
const open = (url: string, net = quick(), version: UrlVersion | null = null) => urlSource(url, version, net)

async function expectContent(source: ByteSource): Promise<void> {
  expect(await source.byteLength()).toBe(content.length)
  expectSame(await readExactly(source, 100, 200), content.subarray(100, 200))
  const [head, tail] = await Promise.all([readExactly(source, 0, 7), readExactly(source, 199_990, 200_000)])
  expectSame(head, content.subarray(0, 7))
  expectSame(tail, content.subarray(199_990))
  expect((await readExactly(source, 50, 50)).length).toBe(0)
  // No further than the file goes.
  expectSame(await source.read(199_990, 300_000), content.subarray(199_990))
  expect((await source.read(300_000, 300_010)).length).toBe(0)
  const target = new Uint8Array(150_000).fill(9)
  expect(await source.readInto?.(target, 100_000)).toBe(100_000)
  expectSame(target.subarray(0, 100_000), content.subarray(100_000))
  expect(target[100_000]).toBe(9)
}

describe('a server with ranges', () => {
  test('is asked for what is read, and measured once', async () => {
    const { url, asked } = await serve(good(content))
    const source = await openInput({ kind: 'url', url })
    await expectContent(source)
    await source.close()
    expect(asked.sort()).toEqual([
      'GET bytes=0-6',
      'GET bytes=100-199',
      'GET bytes=100000-199999',
      'GET bytes=199990-199999',
      'GET bytes=199990-199999',
      'HEAD bytes=0-',
    ])
  })

  test.each<[string, Handler]>([
    ['refuses it', (_, response) => response.writeHead(403).end()],
    ['tells no length', (_, response) => response.writeHead(200).end()],
    ['says that there is nothing', (_, response) => response.writeHead(200, { 'content-length': '0' }).end()],
    [
      'measures what it would compress',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '77' }).end(),
    ],
    ['drops it', (_, response) => response.destroy()],
  ])('is measured by its first range where HEAD %s', async (_, head) => {
    const { url, asked } = await serve((request, response, count) =>
      (request.method === 'HEAD' ? head : good(content))(request, response, count),
    )
    await expectContent(open(url))
    expect(asked.slice(0, 2)).toEqual(['HEAD bytes=0-', 'GET bytes=0-0'])
  })

  test('may have nothing', async () => {
    const { url } = await serve(good(new Uint8Array(0)))
    const source = open(url)
    expect(await source.byteLength()).toBe(0)
    expect((await source.read(0, 10)).length).toBe(0)
  })
})

describe('what fails for a while', () => {
  test.each([408, 425, 429, 500, 502, 503, 504])('status %i is asked again', async status => {
    const net = quick()
    const { url, asked } = await serve((request, response, count) =>
      count === 1 || count === 2 ? response.writeHead(status).end() : good(content)(request, response, count),
    )
    expectSame(await open(url, net).read(5, 10), content.subarray(5, 10))
    expect(asked).toEqual(['HEAD bytes=0-', ...Array(3).fill('GET bytes=5-9')])
    expect(net.waits).toEqual([250, 750])
  })

  test('is waited for as long as the server asks, by seconds or by date', async () => {
    const at = Math.ceil(Date.now() / 1000) * 1000 + 5000
    for (const [retryAfter, least, most] of [
      ['3', 3000, 3000],
      ['0', 250, 250],
      [new Date(at).toUTCString(), 3000, 6000],
      ['nonsense', 250, 250],
    ] as const) {
      const net = quick()
      const { url } = await serve((request, response, count) =>
        count === 1
          ? response.writeHead(429, { 'retry-after': retryAfter }).end()
          : good(content)(request, response, count),
      )
      await open(url, net).read(0, 3)
      expect(net.waits.length).toBe(1)
      expect(net.waits[0], retryAfter).toBeGreaterThanOrEqual(least)
      expect(net.waits[0], retryAfter).toBeLessThanOrEqual(most)
    }
  })

  test('is given up where the server asks to wait for too long', async () => {
    const net = quick()
    const { url } = await serve((_, response) => response.writeHead(503, { 'retry-after': '3600' }).end())
    const error = await refusal(() => open(url, net).read(0, 3), 'MR_SOURCE_FAILED')
    expect(error.message).toContain('asks to wait 3600 s')
    expect(net.waits).toEqual([])
  })

  test('is given up after five attempts, with ever longer waits, less by chance', async () => {
    const net = { ...quick(), random: () => 0.5 }
    const { url, asked } = await serve((request, response, count) =>
      request.method === 'HEAD' ? good(content)(request, response, count) : response.writeHead(503).end(),
    )
    const error = await refusal(() => open(url, net).read(10, 20), 'MR_SOURCE_FAILED')
    expect(error.message).toContain('the server answered 503 Service Unavailable (5 attempts)')
    expect(error.details).toEqual({ file: url, status: 503, attempts: 5, byteOffset: 10 })
    expect(asked.length).toBe(6)
    expect(net.waits).toEqual([250, 750, 2250, 6750].map(most => 0.75 * most))
  })

  test('may be a network that is not there', async () => {
    const { url } = await serve((_, response) => response.destroy())
    const error = await refusal(() => open(url).byteLength(), 'MR_SOURCE_FAILED')
    expect(error.details).toMatchObject({ file: url, attempts: 5 })
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  test('may be there the next time', async () => {
    let isUp = false
    const { url } = await serve((request, response, count) =>
      isUp ? good(content)(request, response, count) : response.writeHead(503).end(),
    )
    const source = open(url)
    await refusal(() => source.read(0, 10), 'MR_SOURCE_FAILED')
    isUp = true
    await expectContent(source)
  })

  test('is not asked again where the answer is final', async () => {
    for (const [status, hint] of [
      [404, '404'],
      [401, 'a fetch of your own'],
      [403, 'a fetch of your own'],
      [410, '410'],
      [501, '501'],
    ] as const) {
      const net = quick()
      const { url, asked } = await serve((_, response) => response.writeHead(status).end())
      const error = await refusal(() => open(url, net).read(0, 1), 'MR_SOURCE_FAILED')
      expect(error.message).toContain(hint)
      expect(error.details).toEqual({ file: url, status, attempts: 1, byteOffset: 0 })
      expect([asked.length, net.waits.length]).toEqual([2, 0])
    }
    const error = await refusal(() => open('data:text/plain;base64,!').read(0, 1), 'MR_SOURCE_FAILED')
    expect(error.details.attempts).toBe(1)
  })
})

describe('an answer that is not what was asked for', () => {
  /** The first answer to a GET is odd. */
  const oddly = (odd: Handler): Handler => {
    let isFirst = true
    return (request, response, count) => {
      const isOdd = isFirst && request.method === 'GET'
      if (isOdd) isFirst = false
      ;(isOdd ? odd : good(content))(request, response, count)
    }
  }
  const partial =
    (headers: Record<string, string | number>, body: Uint8Array): Handler =>
    (_, response) =>
      response.writeHead(206, headers).end(body)

  test.each<[string, Handler, string[]]>([
    ['a connection that drops', dropping(content, 300), ['bytes=1000-1999', 'bytes=1300-1999']],
    ['one that drops at once', (_, response) => response.destroy(), ['bytes=1000-1999', 'bytes=1000-1999']],
    [
      'a part that ends early',
      partial({ 'content-range': 'bytes 1000-1249/200000', 'content-length': 250 }, content.subarray(1000, 1250)),
      ['bytes=1000-1999', 'bytes=1250-1999'],
    ],
    [
      'a length that is too small',
      partial({ 'content-range': 'bytes 1000-1999/200000', 'content-length': 10 }, content.subarray(1000, 1010)),
      ['bytes=1000-1999', 'bytes=1010-1999'],
    ],
    [
      'another part',
      partial({ 'content-range': 'bytes 0-999/200000' }, content.subarray(0, 1000)),
      ['bytes=1000-1999', 'bytes=1000-1999'],
    ],
    [
      'more than a part',
      partial({ 'content-range': 'bytes 1000-1999/200000' }, content.subarray(1000, 2500)),
      ['bytes=1000-1999', 'bytes=1000-1999'],
    ],
    ['everything, as a part', partial({}, content), ['bytes=1000-1999', 'bytes=1000-1999']],
    ['no such part', (_, response) => response.writeHead(416).end(), ['bytes=1000-1999', 'bytes=1000-1999']],
  ])('%s', async (_, odd, ranges) => {
    const { url, asked } = await serve(oddly(odd))
    expectSame(await open(url).read(1000, 2000), content.subarray(1000, 2000))
    expect(asked).toEqual(['HEAD bytes=0-', ...ranges.map(range => `GET ${range}`)])
  })

  test('again and again is an error', async () => {
    for (const odd of [
      dropping(content, 0),
      dropping(content, 1),
      partial({ 'content-range': 'bytes 0-999/200000' }, content.subarray(0, 1000)),
      partial({}, content),
      ((_, response) => response.writeHead(416).end()) satisfies Handler,
      partial({ 'content-length': 0 }, new Uint8Array(0)),
    ]) {
      const { url } = await serve((request, response, count) =>
        (request.method === 'HEAD' ? good(content) : odd)(request, response, count),
      )
      const error = await refusal(() => open(url).read(1000, 2000), 'MR_SOURCE_FAILED')
      expect(error.details).toMatchObject({ file: url, attempts: 5 })
    }
  })

  test('is made good as long as it brings something', async () => {
    const { url, asked } = await serve((request, response, count) =>
      (request.method === 'HEAD' ? good(content) : dropping(content, 70_000))(request, response, count),
    )
    expectSame(await open(url).read(0, 200_000), content)
    expect(asked.length).toBe(4)
  })

  test('whatever it is, is read right or refused', async () => {
    const kinds = fc.constantFrom('good', 'drop', 'destroy', 'error', 'short', 'long', 'other', 'whole', 'none')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(kinds, fc.nat({ max: 4000 })), { minLength: 1, maxLength: 12 }),
        fc.nat({ max: 3000 }),
        fc.integer({ min: 1, max: 3000 }),
        async (answers, from, length) => {
          const file = content.subarray(0, 5000)
          const { url } = await serve((request, response, count) => {
            const [kind, n] = answers[count % answers.length] as [string, number]
            const { from: a, to: b } = rangeOf(request, file.length) ?? { from: 0, to: file.length }
            const range = { 'content-range': `bytes ${a}-${b - 1}/${file.length}` }
            if (request.method === 'HEAD' || kind === 'good') good(file)(request, response, count)
            else if (kind === 'drop') dropping(file, n)(request, response, count)
            else if (kind === 'destroy') response.destroy()
            else if (kind === 'error') response.writeHead(500).end()
            else if (kind === 'short') response.writeHead(206, range).end(file.subarray(a, Math.min(b, a + n)))
            else if (kind === 'long') response.writeHead(206, range).end(file.subarray(a, b + 1 + n))
            else if (kind === 'other')
              response.writeHead(206, { 'content-range': `bytes ${n}-${file.length - 1}/5000` }).end(file.subarray(n))
            else if (kind === 'whole') response.writeHead(200).end(file)
            else response.writeHead(206, range).end()
          })
          const source = open(url)
          const read = await source.read(from, from + length).catch(error => error)
          await source.close()
          if (read instanceof Uint8Array) expectSame(read, file.subarray(from, from + length))
          else expect(read).toMatchObject({ code: 'MR_SOURCE_FAILED', details: { file: url } })
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('a file that changes', () => {
  const other = someBytes(200_000, 99)
  const longer = someBytes(200_001, 99)

  test.each<[string, Handler, Handler, string]>([
    ['its ETag', good(content), good(other, { etag: '"2"' }), 'its ETag was "1" and is "2"'],
    [
      'its date',
      good(content, { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }),
      good(other, { 'last-modified': 'Tue, 02 Jan 2024 00:00:00 GMT' }),
      'it was of Mon, 01 Jan 2024',
    ],
    ['its length', good(content, {}), good(longer, {}), 'it had 200000 bytes and has 200001'],
    [
      'its length, to less than is read',
      good(content, {}),
      good(content.subarray(0, 10), {}),
      'it had 200000 bytes and has 10',
    ],
  ])('is seen by %s', async (_, before, after, message) => {
    let handle = before
    const { url } = await serve((...given) => handle(...given))
    const source = open(url)
    await source.read(0, 10)
    handle = after
    const error = await refusal(() => source.read(100, 200), 'MR_FORMAT_ERROR')
    expect(error.message).toContain('the input changed while it was read')
    expect(error.message).toContain(message)
    expect(error.details).toEqual({ file: url, byteOffset: 100 })
  })

  test('in the middle of an answer is not put together of two', async () => {
    const { url } = await serve((request, response, count) =>
      (count === 0 ? good(content) : count === 1 ? dropping(content, 300) : good(other, { etag: '"2"' }))(
        request,
        response,
        count,
      ),
    )
    const error = await refusal(() => open(url).read(1000, 2000), 'MR_FORMAT_ERROR')
    expect(error.details.byteOffset).toBe(1300)
  })

  test('only in how strongly its ETag is meant, or what its transfer is compressed by, does not', async () => {
    for (const etag of ['W/"1"', '"1-gzip"', 'W/"1-gzip"']) {
      let now = '"1"'
      const { url } = await serve((...given) => good(content, { etag: now })(...given))
      const source = open(url)
      await source.byteLength()
      now = etag
      expectSame(await source.read(5, 9), content.subarray(5, 9))
    }
  })

  test('between the one who describes it and the one who reads it is seen', async () => {
    let handle = good(content)
    const { url, asked } = await serve((...given) => handle(...given))
    const first = open(url)
    const described = await pinned({ kind: 'url', url }, first)
    await first.close()
    expect(described).toEqual({ kind: 'url', url, version: { byteLength: 200_000, etag: '"1"', lastModified: null } })
    asked.length = 0
    const second = await openInput(structuredClone(described))
    expectSame(await second.read(1, 4), content.subarray(1, 4))
    expect(asked).toEqual(['GET bytes=1-3'])
    handle = good(other, { etag: '"2"' })
    await refusal(async () => (await openInput(described)).read(1, 4), 'MR_FORMAT_ERROR')
    expect(await pinned({ kind: 'path', path: 'x' }, first)).toEqual({ kind: 'path', path: 'x' })
  })
})

describe('a server without ranges', () => {
  const whole: Handler = (request, response) =>
    response.writeHead(200, { 'content-length': content.length }).end(request.method === 'HEAD' ? undefined : content)

  test('is read once, whole', async () => {
    const { url, asked } = await serve(whole)
    await expectContent(open(url))
    expect(asked).toEqual(['HEAD bytes=0-', 'GET bytes=100-199'])
    asked.length = 0
    const many = open(url)
    const parts = await Promise.all([0, 1000, 2000].map(from => readExactly(many, from, from + 10)))
    expect(parts.map(part => part[0])).toEqual([0, 1000, 2000].map(i => content[i]))
    expect(asked.length).toBeLessThanOrEqual(4)
  })

  test('is told from one with ranges before it is read', async () => {
    for (const [handler, has] of [
      [good(content), true],
      [good(new Uint8Array(0)), true],
      [whole, false],
      [
        ((request, response) =>
          response
            .writeHead(request.method === 'HEAD' ? 405 : 200, { 'content-encoding': 'gzip' })
            .end(gzipSync(content))) satisfies Handler,
        false,
      ],
    ] as const) {
      const { url } = await serve(handler)
      const source = open(url)
      expect(await source.hasRanges?.()).toBe(has)
      expect((await source.read(0, 3)).length).toBe((await source.byteLength()) && 3)
    }
  })

  test('is read whole where its transfer is compressed', async () => {
    const zipped = gzipSync(content)
    const { url } = await serve((request, response) =>
      response
        .writeHead(200, { 'content-encoding': 'gzip', 'content-length': zipped.length })
        .end(request.method === 'HEAD' ? undefined : zipped),
    )
    await expectContent(open(url))
  })

  test('is read whole where it gives a part of a compressed file', async () => {
    const zipped = gzipSync(content)
    const { url } = await serve((request, response) => {
      const range = request.method === 'GET' ? rangeOf(request, zipped.length) : null
      if (range === null)
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(request.method === 'HEAD' ? undefined : zipped)
      else
        response
          .writeHead(206, {
            'content-encoding': 'gzip',
            'content-range': `bytes ${range.from}-${range.to - 1}/${zipped.length}`,
          })
          .end(zipped.subarray(range.from, range.to))
    })
    await expectContent(open(url))
  })

  test('is read whole where a browser fails at what it compresses though a range was asked for', async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(content)),
    )
    const net = quick()
    const fetch: typeof net.fetch = async (address, init) => {
      if (new Headers(init.headers).has('range')) throw new TypeError('Failed to fetch')
      return net.fetch(address, init)
    }
    const source = open(url, { ...net, fetch })
    expect(await source.hasRanges?.()).toBe(false)
    await expectContent(source)
  })

  test('is asked again where it drops', async () => {
    const { url, asked } = await serve((request, response, count) => {
      if (request.method === 'HEAD' || count > 3) whole(request, response, count)
      else
        response
          .writeHead(200, { 'content-length': content.length })
          .write(content.subarray(0, 70_000), () => response.destroy())
    })
    await expectContent(open(url))
    expect(asked).toEqual(['HEAD bytes=0-', 'GET bytes=100-199', 'GET', 'GET', 'GET'])
  })

  test('that lies about its length is found out', async () => {
    for (const length of [199_999, 200_001]) {
      const { url } = await serve((request, response) =>
        request.method === 'HEAD'
          ? response.writeHead(200, { 'content-length': length }).end()
          : response.writeHead(200).end(content),
      )
      const error = await refusal(() => open(url).read(0, 10), 'MR_FORMAT_ERROR')
      expect(error.message).toContain(`it had ${length} bytes, and 200000 came`)
    }
  })

  test('of too much is refused, and told what to do', async () => {
    for (const isTold of [true, false]) {
      const { url } = await serve((request, response) =>
        response
          .writeHead(200, isTold ? { 'content-length': content.length } : {})
          .end(request.method === 'HEAD' ? undefined : content),
      )
      const error = await refusal(() => urlSource(url, null, quick(), 100_000).read(0, 10), 'MR_MEMORY_LIMIT')
      expect(error.message).toContain('the server gives no ranges')
      expect((await urlSource(url, null, quick(), 200_000).read(0, 10)).length).toBe(10)
    }
  })
})

describe('a server that hangs', () => {
  const hang: Handler = () => {}
  const half: Handler = (request, response, count) =>
    request.method === 'HEAD'
      ? good(content)(request, response, count)
      : response.writeHead(206, { 'content-length': 1000 }).write(content.subarray(0, 10))

  const wholeHalf: Handler = (request, response, count) =>
    request.method === 'HEAD'
      ? good(content)(request, response, count)
      : response.writeHead(200).write(content.subarray(0, 10))

  test.each<[string, Handler]>([
    ['at once', hang],
    ['in the middle', half],
    ['in the middle of everything', wholeHalf],
    ['and asks to wait', (_, response) => response.writeHead(503, { 'retry-after': '10' }).end()],
  ])('%s is left when the signal aborts', async (_, handler) => {
    const { url } = await serve(handler)
    const source = await openInput({ kind: 'url', url })
    const controller = new AbortController()
    const reading = source.read(0, 1000, controller.signal)
    setTimeout(() => controller.abort(new Error('enough')), 40)
    await expect(reading).rejects.toThrow('enough')
    await expect(source.read(0, 1000, controller.signal)).rejects.toThrow('enough')
    // Another reader waits on.
    const other = source.read(0, 1000)
    await source.close()
    await expect(other).rejects.toMatchObject({ code: 'MR_CLOSED' })
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'MR_CLOSED' })
  })

  test('for a byte at a time is read to its end', async () => {
    const { url } = await serve((request, response, count) => {
      const range = request.method === 'GET' ? rangeOf(request, content.length) : null
      if (range === null) return good(content)(request, response, count)
      response.writeHead(206, { 'content-range': `bytes ${range.from}-${range.to - 1}/${content.length}` })
      let at = range.from
      const drip = () => {
        response.write(content.subarray(at, at + 1))
        if (++at < range.to) setTimeout(drip, 1)
        else response.end()
      }
      drip()
    })
    expectSame(await open(url).read(500, 530), content.subarray(500, 530))
  })
})
