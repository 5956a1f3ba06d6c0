/** Server-sent events against a server of node:http that breaks off, and against our own handler. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import {
  columns,
  eventSource,
  type FeedStatus,
  float64,
  flowHandler,
  int64,
  type StreamEvent,
  schema,
  stream as streamOf,
} from '../../../src/index.js'
import { expectWaitedFor, refusal, until } from '../../flow/env.js'
import { virtualClock } from '../../metrics/virtual-clock.js'

const SHAPE = schema({ id: int64(), price: float64() })
const inline = { lanes: 0 }

let closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing) await close()
  closing = []
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  let count = 0
  let open = 0
  const server = createServer((request, response) => {
    open++
    response.on('close', () => open--)
    answer(request, response, count++)
  })
  await new Promise<void>(resolve => server.listen(0, resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url: `http://localhost:${(server.address() as { port: number }).port}/`, open: () => open }
}

const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

describe('eventSource', () => {
  it('goes on from the last event when the connection breaks off, anywhere', async () => {
    const total = 120
    const from: (string | undefined)[] = []
    const { url, open } = await serve((request, response, count) => {
      const last = request.headers['last-event-id'] as string | undefined
      from.push(last)
      expect(request.headers.accept).toBe('text/event-stream')
      expect(request.headers['x-token']).toBe('secret')
      const first = last === undefined ? 0 : Number(last) + 1
      stream(response)
      let text = 'retry: 3\n\n'
      for (let id = first; id < total; id++) {
        text +=
          id % 9 === 8
            ? `: all is well\nid: ${id}\ndata: {"id":${id},\r\ndata:"price":${id / 4}}\r\n\r\n`
            : `id: ${id}\ndata: [{"id":${id},"price":${id / 4}}]\n\n`
        if (id % 10 === 5) text += `event: news\ndata: not rows\n\n`
        if (id % 15 === 7) text += `data: garbage\nid: ${id}\n\n`
      }
      if (count < 6) {
        // It breaks off within an event as well as between two.
        response.write(text.slice(0, 500 + 37 * count))
        setTimeout(() => response.destroy(), 5)
      } else response.end(`${text}event: end\ndata: {}\n\n`)
    })
    const states: FeedStatus[] = []
    let bad = 0
    const table = await eventSource(url, {
      schema: SHAPE,
      init: { headers: { 'x-token': 'secret' } },
      onStatus: status => states.push(status),
      onBadMessage: ({ data }) => {
        expect(data).toBe('garbage')
        bad++
      },
      reconnect: { min: 1, jitter: 0 },
    }).collect(inline)
    expect(table.toRows()).toEqual(Array.from({ length: total }, (_, id) => ({ id, price: id / 4 })))
    expect(from.length).toBe(7)
    expect(bad).toBeGreaterThanOrEqual(8)
    expect(states.filter(({ state }) => state === 'waiting').every(({ retryInMs }) => retryInMs === 3)).toBe(true)
    expect(states[states.length - 1]).toMatchObject({ state: 'ended', rows: total, connections: 7, badMessages: bad })
    await until(() => open() === 0, 2000)
  })

  it('waits for listeners that are asynchronous, and what they reject with ends the job', async () => {
    const { url, open } = await serve((_, response) => stream(response).end('data: garbage\n\nevent: end\ndata\n\n'))
    const run = (options: object, signal?: AbortSignal) =>
      eventSource(url, { schema: SHAPE, ...options }).collect({ ...inline, ...(signal && { signal }) })
    await expectWaitedFor((onBadMessage, signal) => run({ onBadMessage }, signal))
    await expectWaitedFor((onStatus, signal) => run({ onStatus }, signal))
    await until(() => open() === 0, 2000)
  })

  it('says in UTF-8 which event was the last', async () => {
    const ids = ['7', 'café', '日本 😀', 'é'.repeat(5000)]
    const from: (string | undefined)[] = []
    const { url } = await serve((request, response, count) => {
      const last = request.headers['last-event-id'] as string | undefined
      from.push(last && Buffer.from(last, 'latin1').toString())
      stream(response).end(
        count < 4 ? `id: ${ids[count]}\ndata: {"id":${count},"price":0}\n\n` : 'event: end\ndata\n\n',
      )
    })
    const flow = eventSource(url, { schema: SHAPE, reconnect: { min: 1, attempts: 1 } })
    expect((await flow.collect(inline)).rowCount).toBe(4)
    expect(from).toEqual([undefined, ...ids])
  })

  it('reads what flowHandler serves, and its answer of 204 as the end', async () => {
    const data = columns({ id: BigInt64Array.of(1n, 2n, 3n), price: Float64Array.of(0.1, 2, 3) })
    const handler = flowHandler(() => data, { format: 'sse', rowsPerEvent: 2 })
    const flow = eventSource('http://localhost/', {
      schema: SHAPE,
      fetch: (url, init) => handler(new Request(url, init)),
    })
    expect((await flow.collect(inline)).toRows()).toEqual([
      { id: 1, price: 0.1 },
      { id: 2, price: 2 },
      { id: 3, price: 3 },
    ])
    const { url } = await serve((_, response, count) => {
      if (count > 0) response.writeHead(204).end()
      else stream(response).end('event: trade\ndata: {"id":1,"price":2}\n\n')
    })
    const trades = eventSource(url, {
      schema: SHAPE,
      events: ['trade'],
      format: ({ event, data }: StreamEvent) => ({ ...JSON.parse(data), id: event.length }),
      reconnect: { min: 1 },
    })
    expect((await trades.collect(inline)).toRows()).toEqual([{ id: 5, price: 2 }])
  })

  it('fails where what flowHandler serves has failed, after the rows before', async () => {
    async function* pump() {
      for (let id = 0; id < 5; id++) yield { id, price: id / 4 }
      throw new Error('the pump is dry')
    }
    const handler = flowHandler(() => streamOf(pump(), { schema: SHAPE }), { format: 'sse', rowsPerEvent: 2, lanes: 0 })
    const served = (options = {}) =>
      eventSource('http://localhost/', {
        schema: SHAPE,
        reconnect: { min: 1 },
        fetch: (url, init) => handler(new Request(url, init)),
        ...options,
      })
    const ids: number[] = []
    const reading = async () => {
      for await (const batch of served().run(inline)) ids.push(...batch.column('id').toArray())
    }
    expect((await refusal(reading, 'MR_SOURCE_FAILED')).message).toContain('the server has failed')
    expect(ids).toEqual([0, 1, 2, 3, 4])
    const told: string[] = []
    const format = ({ event, data }: StreamEvent) => (event === 'error' ? void told.push(data) : JSON.parse(data))
    await served({ format, events: ['message', 'error'] }).collect(inline)
    expect(told).toEqual([expect.stringContaining('MR_SOURCE_FAILED')])
  })

  it('tries again what may pass, and fails of what will not', async () => {
    const answers = [
      (response: ServerResponse) => response.writeHead(503).end('busy'),
      (response: ServerResponse) => response.writeHead(429).end(),
      (response: ServerResponse) => response.writeHead(404).end('gone'),
    ]
    const { url } = await serve((_, response, count) => void answers[count]?.(response))
    const states: FeedStatus[] = []
    const flow = eventSource(url, {
      schema: SHAPE,
      reconnect: { min: 1, max: 2 },
      onStatus: status => states.push(status),
    })
    const refused = await refusal(() => flow.collect(inline), 'MR_SOURCE_FAILED')
    expect(refused.message).toContain('status 404')
    expect(refused.details).toMatchObject({ operator: 'eventSource', status: 404, attempts: 3 })
    expect(states.map(({ state, failures }) => `${state} ${failures}`)).toEqual([
      'connecting 0',
      'waiting 1',
      'connecting 1',
      'waiting 2',
      'connecting 2',
      'ended 3',
    ])
    const page = await serve((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'))
    const html = eventSource(page.url, { schema: SHAPE })
    expect((await refusal(() => html.collect(inline), 'MR_SOURCE_FAILED')).message).toContain('text/html')
    const nobody = eventSource('http://localhost:1/', { schema: SHAPE, reconnect: { min: 1, attempts: 2 } })
    expect((await refusal(() => nobody.collect(inline), 'MR_SOURCE_FAILED')).message).toContain('3 attempts')
    const none = eventSource(() => 'http//localhost/', { schema: SHAPE, reconnect: { min: 1 } })
    expect((await refusal(() => none.collect(inline), 'MR_SOURCE_FAILED')).message).toContain('no address')
    const once = await serve((_, response) => stream(response).end('data: {"id":1,"price":2}\n\n'))
    expect((await eventSource(once.url, { schema: SHAPE, reconnect: false }).collect(inline)).rowCount).toBe(1)
  })

  it('reads no faster than the job takes rows, and leaves nothing when that ends', async () => {
    let sent = 0
    const { url, open } = await serve((_, response) => {
      stream(response)
      const more = () => {
        while (
          !response.destroyed &&
          response.write(`data: ${JSON.stringify(Array.from({ length: 200 }, () => ({ id: sent++, price: 0 })))}\n\n`)
        ) {}
      }
      response.on('drain', more)
      more()
    })
    const job = eventSource(url, { schema: SHAPE, capacity: 1000 }).run(inline)
    const iterator = job[Symbol.asyncIterator]()
    await iterator.next()
    let before = -1
    for (let turns = 0; turns < 100 && sent > before; turns++) {
      before = sent
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(sent).toBe(before)
    await iterator.return?.()
    await job.finished
    await until(() => open() === 0, 2000)
  })

  it('waits longer after each failure too where the server asks for no wait', async () => {
    const waits: (number | null)[] = []
    let isUp = true
    const flow = eventSource('http://x/', {
      schema: SHAPE,
      reconnect: { jitter: 0, attempts: 6 },
      onStatus: ({ state, retryInMs }) => void (state === 'waiting' && waits.push(retryInMs)),
      fetch: async () => {
        if (!isUp) throw new TypeError('fetch failed')
        isUp = false
        return new Response('retry: 0\n\n', { headers: { 'content-type': 'text/event-stream' } })
      },
    })
    await refusal(() => flow.collect(inline), 'MR_SOURCE_FAILED')
    expect(waits).toEqual([1, 2, 4, 8, 16, 32])
  })

  it('takes an object of arrays for a row that does not fit, never for columns', async () => {
    const bad: unknown[] = []
    const messages = ['{"id":[1,2],"price":[3,4]}', '{"id":[],"price":[]}', '{"id":5,"price":6}']
    const flow = eventSource('http://x/', {
      schema: SHAPE,
      onBadMessage: ({ data }) => bad.push(data),
      fetch: async () =>
        new Response(`${messages.map(data => `data: ${data}\n\n`).join('')}event: end\ndata:\n\n`, {
          headers: { 'content-type': 'text/event-stream' },
        }),
    })
    expect((await flow.collect(inline)).toRows()).toEqual([{ id: 5, price: 6 }])
    expect(bad).toEqual(messages.slice(0, 2))
  })

  it('misses a server that has gone silent, and leaves no timer', async () => {
    const clock = virtualClock(0)
    const { url, open } = await serve((_, response) => void stream(response).write('data: {"id":1,"price":2}\n\n'))
    const states: FeedStatus[] = []
    const job = eventSource(url, {
      schema: SHAPE,
      timeout: '30s',
      reconnect: { min: '2s', jitter: 0 },
      clock,
      onStatus: status => states.push(status),
    }).run(inline)
    await until(() => states.length === 2 && states[1]?.state === 'open' && clock.timers === 1, 2000)
    await clock.advance(30_000)
    await until(() => states.length === 3, 2000)
    expect(states[2]).toMatchObject({
      state: 'waiting',
      reason: 'nothing has been heard for 30000 ms',
      retryInMs: 2000,
    })
    await clock.advance(2000)
    await until(() => states.length === 5 && clock.timers === 1, 2000)
    await job[Symbol.asyncDispose]()
    await until(() => open() === 0 && clock.timers === 0, 2000)
  })

  it('lets go of what a fetch gives that knows no signal, and misses its silence', async () => {
    for (const when of ['asked', 'answered', 'reading']) {
      let [open, asked] = [0, 0]
      const answer = () =>
        new Response(
          new ReadableStream({
            start(controller) {
              open++
              if (when === 'reading') controller.enqueue(new TextEncoder().encode('data: {"id":1,"price":2}\n\n'))
            },
            cancel() {
              open--
              return new Promise(() => {})
            },
          }),
          { headers: { 'content-type': 'text/event-stream' } },
        )
      const job = eventSource('http://x/', {
        schema: SHAPE,
        timeout: 20,
        reconnect: { min: 1, max: 1 },
        fetch: async () => {
          asked++
          if (when === 'asked') await new Promise(resolve => setTimeout(resolve, 60))
          return answer()
        },
      }).run(inline)
      const first = job[Symbol.asyncIterator]().next()
      await until(() => asked > 2, 2000)
      if (when === 'reading') expect((await first).value?.toRows()).toEqual([{ id: 1, price: 2 }])
      await job[Symbol.asyncDispose]()
      await until(() => open === 0, 2000)
      const before = asked
      await new Promise(resolve => setTimeout(resolve, 70))
      expect({ when, asked, open }).toEqual({ when, asked: before, open: 0 })
    }
  })

  it('refuses what it cannot do', async () => {
    const make = (options: object) =>
      refusal(() => eventSource('http://x', { schema: SHAPE, ...options } as any), 'MR_INVALID_OPTION')
    await make({ schema: undefined })
    await make({ events: [] })
    await make({ until: 3 })
    await make({ timeout: 0 })
    await make({ init: 'GET' })
    await make({ init: { headers: { 'x token': 'secret' } } })
    await make({ lastEventId: 3 })
    await make({ lastEventId: '3\n4' })
    await make({ header: {} })
  })
})
