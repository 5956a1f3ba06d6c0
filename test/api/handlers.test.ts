// Flows as responses: to requests as they are, and over a real server of node:http, whose clients leave, wait and come back.
import { createServer, get, type Server } from 'node:http'
import { connect, constants, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import { openColumns } from '../../src/columnar/input.js'
import { MORSEL_ROWS } from '../../src/columnar/record-batch.js'
import {
  channel,
  columns,
  count,
  csv,
  Flow,
  type FlowHandlerOptions,
  flowHandler,
  type Int32,
  int32,
  int64,
  nodeHandler,
  replay,
  rows,
  schema,
  stream,
  sum,
  timestamp,
  tumbling,
} from '../../src/index.js'
import { sourceNode } from '../../src/plan/build.js'
import { inputSource } from '../../src/sources/memory.js'
import { counted, refusal, until } from '../flow/env.js'

const SPLIT_ROWS = 2 * MORSEL_ROWS
const SPLITS = 40
const data = { id: Int32Array.from({ length: SPLITS * SPLIT_ROWS }, (_, i) => i) }

/** A flow over many rows, and how many splits of it have been read; each takes a while where `pause` says so. */
function watched() {
  let read = 0
  const source = inputSource('watched', openColumns(data).schema, () => {
    const input = openColumns(data)
    return {
      schema: input.schema,
      rowCount: input.rowCount,
      read: (from, to, names) => {
        if (from % SPLIT_ROWS === 0) read++
        return input.read(from, to, names)
      },
    }
  })
  const flow = new Flow<{ id: Int32 }>(sourceNode(1, 'watched', source.schema), new Map([[1, source]]))
  return { flow, read: () => read }
}

const few = () => columns({ id: [1, 2, 3], text: ['a\nb', null, 'é'] })
const failing = () => columns({ n: BigInt64Array.of(1n, 2n ** 62n) }).derive(t => ({ twice: t.n.mul(2) }))
/** Rows that come, and then one that cannot be JSON. */
const failingLate = () => columns({ x: [1, 2, Number.NaN] })
const request = (headers: Record<string, string> = {}, init: RequestInit = {}) =>
  new Request('http://localhost/flow', { headers, ...init })

interface Event {
  readonly id?: string
  readonly event?: string
  readonly data?: any
  readonly comment?: string
}

/** By the letter of the specification's event stream format. */
function eventsOf(text: string): Event[] {
  const blocks = text.split('\n\n')
  expect(blocks.pop()).toBe('')
  return blocks.map(block => {
    const event: Record<string, unknown> = {}
    for (const line of block.split('\n')) {
      const [, field, value] = /^(\w*): ?(.*)$/.exec(line) as unknown as [string, string, string]
      event[field === '' ? 'comment' : field] = field === 'data' ? JSON.parse(value) : value
    }
    return event
  })
}
function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}
const linesOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))

describe('a flow as a response', () => {
  const ask = (flow: Flow, options: FlowHandlerOptions, given = request()) =>
    flowHandler(() => flow, { lanes: 1, ...options })(given)

  it('of NDJSON has a line a row', async () => {
    const response = await ask(few(), { format: 'ndjson' })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    expect(linesOf(await response.text())).toEqual([
      { id: 1, text: 'a\nb' },
      { id: 2, text: null },
      { id: 3, text: 'é' },
    ])
  })

  it('of events has arrays of rows, numbered, and an end', async () => {
    const response = await ask(few(), { format: 'sse', rowsPerEvent: 2 })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(eventsOf(await response.text())).toEqual([
      {
        id: '2',
        data: [
          { id: 1, text: 'a\nb' },
          { id: 2, text: null },
        ],
      },
      { id: '3', data: [{ id: 3, text: 'é' }] },
      { id: 'end', event: 'end', data: { rows: 3 } },
    ])
  })

  it('goes on after the rows that a page had, and is over for one that had all', async () => {
    const askAfter = async (id: string, options: Partial<FlowHandlerOptions> = {}) =>
      ask(few(), { format: 'sse', rowsPerEvent: 1, ...options }, request({ 'last-event-id': id }))
    const ids = async (response: Promise<Response>) => eventsOf(await (await response).text()).map(({ id }) => id)
    expect(await ids(askAfter('2'))).toEqual(['3', 'end'])
    expect(await ids(askAfter('1', { rowsPerEvent: 10 }))).toEqual(['3', 'end'])
    expect(await ids(askAfter('3'))).toEqual(['end'])
    expect(await ids(askAfter('none'))).toEqual(['1', '2', '3', 'end'])
    expect(await ids(askAfter('2', { resume: false }))).toEqual(['1', '2', '3', 'end'])
    expect((await askAfter('end')).status).toBe(204)
  })

  it('that fails late has a coded error as its last event, or last line before it breaks off', async () => {
    const events = eventsOf(await (await ask(failingLate(), { format: 'sse', rowsPerEvent: 1 })).text())
    expect(events.map(({ id }) => id)).toEqual(['1', '2', 'end'])
    expect(events[2]).toMatchObject({ event: 'error', data: { code: 'MR_INEXACT_VALUE' } })
    expect(events[2]?.data.message).toContain('row 2')
    const response = await ask(failingLate(), { format: 'ndjson' })
    const lines = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect(JSON.parse((await lines.read()).value as string)).toMatchObject({ error: { code: 'MR_INEXACT_VALUE' } })
    await refusal(() => lines.read(), 'MR_INEXACT_VALUE')
  })

  it('that fails before its first row is known to have failed', async () => {
    const seen: unknown[] = []
    const onError = (error: unknown) => {
      seen.push(error)
      return 'not for you'
    }
    const makers: [() => any, string | null][] = [
      [() => few().filter((t: any) => t.none.gt(1)), 'MR_UNKNOWN_COLUMN'],
      [
        () => {
          throw new Error('a secret')
        },
        null,
      ],
      [() => 5, 'MR_INVALID_OPTION'],
    ]
    for (const [maker, code] of makers) {
      const response = await flowHandler(maker, { format: 'sse' })(request())
      expect(response.status).toBe(500)
      const { error } = await response.json()
      expect(error.code).toBe(code)
      expect(error.message).not.toContain('secret')
      const told = await flowHandler(maker, { format: 'ndjson', onError })(request())
      expect(await told.json()).toEqual({ error: { code, message: 'not for you' } })
    }
    expect(seen.length).toBe(3)
    // One that is asynchronous is waited for, and what it rejects with is the server's to hear, as what it throws is.
    const later = { format: 'sse', onError: async () => 'later' } as const
    expect(await (await ask(5 as never, later)).json()).toMatchObject({ error: { message: 'later' } })
    expect(eventsOf(await (await ask(failing(), later)).text()).at(-1)).toMatchObject({ data: { message: 'later' } })
    const refusing = async () => {
      throw new Error('no log')
    }
    await expect(ask(5 as never, { format: 'sse', onError: refusing })).rejects.toThrow('no log')
    await expect((await ask(failing(), { format: 'sse', onError: refusing })).text()).rejects.toThrow('no log')
    const own = flowHandler(() => new Response('no', { status: 403 }), { format: 'sse' })
    expect((await own(request())).status).toBe(403)
    const response = await ask(failing(), { format: 'sse' })
    expect(eventsOf(await response.text()).at(-1)).toMatchObject({
      event: 'error',
      data: { code: 'MR_INTEGER_OVERFLOW' },
    })
  })

  it('is read no faster than its body, and not at all once that is cancelled or the request aborted', async () => {
    for (const leave of ['cancel', 'abort'] as const) {
      const controller = new AbortController()
      const { flow, read } = watched()
      const response = await ask(flow, { format: 'ndjson' }, request({}, { signal: controller.signal }))
      const reader = response.body!.getReader()
      expect((await reader.read()).value!.length).toBeGreaterThan(0)
      await new Promise(resolve => setTimeout(resolve, 100))
      const before = read()
      expect(before).toBeLessThanOrEqual(8 + 2 + 8)
      expect(before).toBeLessThan(SPLITS)
      if (leave === 'cancel') await reader.cancel()
      else controller.abort()
      await new Promise(resolve => setTimeout(resolve, 100))
      expect(read()).toBe(before)
    }
  })

  it('of a flow that may never end has windows as they close, and changes are refused', async () => {
    const feed = channel(schema({ time: timestamp(), n: int32() }))
    const windows = feed.flow.watermark('time').window(tumbling('10s'))
    const flow = windows.aggregate(t => ({ n: sum(t.n) })).map(({ n }) => ({ n }), { schema: schema({ n: int64() }) })
    const response = await flowHandler(() => flow, { format: 'ndjson' })(request())
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    for (let n = 0; n < 15; n++) await feed.push({ time: new Date(n * 1000), n })
    expect((await reader.read()).value).toBe('{"n":45}\n')
    feed.close()
    expect((await reader.read()).value).toBe('{"n":60}\n')
    expect((await reader.read()).done).toBe(true)

    const other = channel(schema({ n: int32() }))
    const changing = other.flow.aggregate(() => ({ rows: count() }))
    const events = (await flowHandler(() => changing, { format: 'sse' })(request())).text()
    // Rows that a busy machine takes together make no change of what was told.
    for (let n = 0; !other.isClosed; n++) {
      await other.push({ n })
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    expect(eventsOf(await events).at(-1)).toMatchObject({ event: 'error', data: { code: 'MR_CANNOT_RETRACT' } })
  })

  it('of rows that come in their own time, though they end, has windows as they close', async () => {
    const shape = schema({ time: timestamp(), n: int32() })
    const recorded = [0, 1, 10, 3_600_000].map((ms, n) => ({ time: new Date(ms), n }))
    async function* coming() {
      yield recorded.slice(0, 3)
      await new Promise(() => {})
    }
    const same = (flow: Flow<typeof shape>) => flow.map(row => row, { schema: shape })
    const [played, streamed] = [() => replay(rows(recorded, shape)), () => stream(coming(), { schema: shape })]
    for (const flow of [played(), same(played()), played().union(played()), streamed(), same(streamed())]) {
      const windows = flow.watermark('time').window(tumbling('10ms'))
      const served = windows.aggregate(t => ({ n: count(), of: sum(t.n) })).select('of')
      const response = await flowHandler(() => served, { format: 'ndjson' })(request())
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      expect((await reader.read()).value).toMatch(/^{"of":[12]}\n$/)
      await reader.cancel()
    }
  })

  it('to a client that leaves before the columns are known ends at once, and is no failure', async () => {
    const unknown = () => csv(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const errors: unknown[] = []
    const onError = (error: unknown) => void errors.push(error)
    const serve = flowHandler(unknown, { format: 'sse', onError: onError as () => undefined })
    const client = new AbortController()
    const response = serve(request({}, { signal: client.signal }))
    await new Promise(resolve => setTimeout(resolve, 20))
    client.abort()
    expect((await response).status).toBe(499)
    expect((await serve(request({}, { signal: AbortSignal.abort() }))).status).toBe(499)
    expect(errors).toEqual([])
  })

  it('to HEAD has no body', async () => {
    const { flow, read } = watched()
    const response = await ask(flow, { format: 'sse' }, request({}, { method: 'HEAD' }))
    expect([response.status, response.body]).toEqual([200, null])
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(read()).toBeLessThan(SPLITS)
  })

  it('refuses options that cannot be', () => {
    const refused = [{}, { format: 'csv' }, { format: 'sse', rowsPerEvent: 0 }, { format: 'sse', heartbeatMs: 1 }]
    for (const options of refused) expect(() => flowHandler(few, options as never)).toThrow('MR_INVALID_OPTION')
    for (const handler of [undefined, 5, {}])
      expect(() => nodeHandler(handler as never)).toThrow('MR_INVALID_OPTION: nodeHandler: ')
    expect(() => flowHandler(few() as never, { format: 'sse' })).toThrow('MR_INVALID_OPTION')
  })
})

describe('a flow over node:http', () => {
  let server: Server | null = null
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })
  const serve = async (handler: (request: Request) => Response | Promise<Response>) => {
    server = createServer(nodeHandler(handler))
    await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('comes whole, through fetch', async () => {
    const address = await serve(flowHandler(() => columns(counted(100_000)), { format: 'ndjson' }))
    const response = await fetch(`${address}/rows?x=1`)
    const lines = linesOf(await response.text())
    expect(lines.length).toBe(100_000)
    expect(lines.at(-1)).toEqual({ id: 99_999, key: 99_999 % 7, value: 24_999.75 })
  })

  it('gets the request: its method, address, headers and body', async () => {
    const address = await serve(async request => {
      const { method, url, headers } = request
      return new Response(JSON.stringify([method, new URL(url).pathname, headers.get('x-one'), await request.text()]), {
        status: 201,
        headers: [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ],
      })
    })
    const response = await fetch(`${address}/a/b?c`, { method: 'POST', headers: { 'x-one': '1' }, body: 'the body' })
    expect(response.status).toBe(201)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response.json()).toEqual(['POST', '/a/b', '1', 'the body'])
  })

  it('a path of two slashes names no other host', async () => {
    const address = await serve(request => new Response(request.url.slice(request.url.indexOf(':'))))
    for (const path of ['//', '//other.example/rows?x=1']) {
      const text = await new Promise<string>(resolve => {
        get({ port: new URL(address).port, path }, response => response.on('data', chunk => resolve(String(chunk))))
      })
      expect(text.endsWith(`:${new URL(address).port}${path}`)).toBe(true)
    }
  })

  it('the path is that of the request, whatever host is told', async () => {
    const address = await serve(request => new Response(new URL(request.url).pathname))
    for (const host of ['localhost', 'localhost/admin', 'localhost/admin?', 'localhost/admin#', '']) {
      const text = await new Promise<string>(resolve => {
        const to = { port: new URL(address).port, path: '/public', headers: { host } }
        get(to, response => response.on('data', chunk => resolve(String(chunk))))
      })
      expect([host, text]).toEqual([host, '/public'])
    }
  })

  it('that breaks off is no end: the client is told', async () => {
    const address = await serve(flowHandler(failingLate, { format: 'ndjson' }))
    await expect(fetch(address).then(response => response.text())).rejects.toThrow()
    const thrower = await serve(() => {
      throw new Error('no')
    })
    expect((await fetch(thrower)).status).toBe(500)
  })

  it('that fails late says so in its last line, which comes before it breaks off', async () => {
    const address = await serve(flowHandler(failingLate, { format: 'ndjson' }))
    const lines = await new Promise<string[]>(resolve => {
      const client = get(address, response => {
        const text: string[] = []
        response.on('data', chunk => text.push(String(chunk)))
        response.on('error', () => resolve(text.join('').trim().split('\n')))
      })
      client.on('error', () => {})
    })
    expect(JSON.parse(lines.at(-1) as string)).toMatchObject({ error: { code: 'MR_INEXACT_VALUE' } })
  })

  it('a client that does not read stops the reading; one that leaves ends the job', async () => {
    const { flow, read } = watched()
    const errors: unknown[] = []
    const onError = (error: unknown) => {
      errors.push(error)
      return undefined
    }
    const address = await serve(flowHandler(() => flow, { format: 'ndjson', onError, lanes: 2 }))
    const client = get(address)
    const response = await new Promise<NodeJS.ReadableStream>(resolve => client.on('response', resolve))
    response.pause()
    let before = -1
    // The buffers of the connection take some megabytes first.
    await expect
      .poll(
        async () => {
          const last = before
          before = read()
          return before > 0 && before === last
        },
        { interval: 200, timeout: 20_000 },
      )
      .toBe(true)
    expect(before).toBeLessThan(SPLITS)
    client.on('error', () => {})
    client.destroy()
    await until(() => server?.listenerCount('request') === 1, 1000)
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(read()).toBe(before)
    expect(errors).toEqual([])
  })

  it.each([
    ['handled', ['left']],
    ['answered', ['left', 'handled', 'cancelled']],
  ])('a client that has left before its request is %s leaves nothing behind', async (when, expected) => {
    const seen: string[] = []
    const { promise: left, resolve: leave } = deferred()
    const body = new ReadableStream({ cancel: () => void seen.push('cancelled') }, { highWaterMark: 0 })
    const handle = nodeHandler(async () => {
      await left
      seen.push('handled')
      return new Response(body)
    })
    const { promise: done, resolve: end } = deferred()
    server = createServer(async (incoming, outgoing) => {
      outgoing.on('close', () => {
        seen.push('left')
        leave()
      })
      if (when === 'handled') await left
      await handle(incoming, outgoing)
      end()
    })
    await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
    const client = get({ port: (server.address() as AddressInfo).port })
    client.on('error', () => {})
    setTimeout(() => client.destroy(), 50)
    await done
    expect(seen).toEqual(expected)
  })

  it('the signal of a request is aborted when its client leaves, however late', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const { promise: left, resolve: leave } = deferred()
    const address = await serve(
      flowHandler(
        ({ signal }) => {
          signal.addEventListener('abort', leave)
          return channel(schema({ id: int32() })).flow
        },
        { format: 'sse' },
      ),
    )
    const client = get(address)
    client.on('error', () => {})
    await new Promise(resolve => client.on('response', resolve))
    for (let i = 0; i < 3; i++) {
      await new Promise(resolve => setTimeout(resolve, 20))
      collect()
    }
    client.destroy()
    await left
  })

  it('events say that they are alive while no rows come', async () => {
    let go = () => {}
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    const source = inputSource('slow', openColumns(data).schema, () => openColumns({ id: data.id.subarray(0, 3) }))
    const slow = {
      ...source,
      open: async (...given: Parameters<typeof source.open>) => {
        await gate
        return source.open(...given)
      },
    }
    const flow = new Flow(sourceNode(1, 'slow', source.schema), new Map([[1, slow]]))
    const address = await serve(flowHandler(() => flow, { format: 'sse', heartbeatMs: 20 }))
    // Its head comes before any row.
    const response = await fetch(address)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = (await reader.read()).value as string
    text += (await reader.read()).value
    expect(eventsOf(text)).toEqual([{ comment: 'heartbeat' }, { comment: 'heartbeat' }])
    go()
    for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) text += value
    expect(eventsOf(text).filter(({ comment }) => comment === undefined)).toEqual([
      { id: '3', data: [{ id: 0 }, { id: 1 }, { id: 2 }] },
      { id: 'end', event: 'end', data: { rows: 3 } },
    ])
  })
})

describe('a flow over node:http2', () => {
  /** What is answered, and the code by which the stream ends. */
  async function ask(handler: (request: Request) => Response | Promise<Response>) {
    const server = createHttp2Server(nodeHandler(handler))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    try {
      const request = client.request({ ':path': '/rows', ':authority': 'flows.example' })
      let text = ''
      request.on('data', chunk => {
        text += chunk
      })
      request.on('error', () => {})
      await new Promise<void>(resolve => request.on('close', resolve))
      return { text, code: request.rstCode }
    } finally {
      client.close()
      server.close()
    }
  }

  it('comes whole, and gets the address of the request', async () => {
    const whole = await ask(flowHandler(() => columns(counted(100_000)), { format: 'ndjson' }))
    expect([linesOf(whole.text).length, whole.code]).toEqual([100_000, constants.NGHTTP2_NO_ERROR])
    expect((await ask(({ url }) => new Response(url))).text).toBe('http://flows.example/rows')
  })

  it('that breaks off is no end: the client is told', async () => {
    const { text, code } = await ask(flowHandler(failingLate, { format: 'ndjson' }))
    expect(linesOf(text).at(-1)).toMatchObject({ error: { code: 'MR_INEXACT_VALUE' } })
    expect(code).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  })
})
