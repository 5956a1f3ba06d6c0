/** A WebSocket against a server that drops its connection every few messages, says things twice and sends garbage. */
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer, WebSocket as WsSocket } from 'ws'
import {
  type BadMessage,
  type FeedStatus,
  float64,
  int64,
  nullable,
  type SocketLike,
  schema,
  timestamp,
  utf8,
  type WebSocketOptions,
  webSocket,
} from '../../../src/index.js'
import { expectWaitedFor, refusal, until } from '../../flow/env.js'
import { virtualClock } from '../../metrics/virtual-clock.js'

const SHAPE = schema({ id: int64(), price: float64() })
const inline = { lanes: 0 }
const Socket = WsSocket as unknown as NonNullable<WebSocketOptions<typeof SHAPE>['WebSocket']>

let servers: WebSocketServer[] = []
afterEach(async () => {
  for (const server of servers) {
    for (const client of server.clients) client.terminate()
    await new Promise(resolve => server.close(resolve))
  }
  servers = []
})

async function serve(onConnection: (socket: WsSocket, connection: number) => void) {
  const server = new WebSocketServer({ port: 0 })
  servers.push(server)
  let connections = 0
  server.on('connection', socket => onConnection(socket, connections++))
  await new Promise(resolve => server.on('listening', resolve))
  return { server, url: `ws://localhost:${(server.address() as { port: number }).port}` }
}

/** A socket that does what the test says. */
class FakeSocket implements SocketLike {
  static all: FakeSocket[] = []
  binaryType = 'blob'
  onopen: SocketLike['onopen'] = null
  onmessage: SocketLike['onmessage'] = null
  onclose: SocketLike['onclose'] = null
  onerror: SocketLike['onerror'] = null
  readonly sent: unknown[] = []
  closed = false
  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }
  send(data: unknown) {
    this.sent.push(data)
  }
  close() {
    this.closed = true
  }
}

describe('webSocket', () => {
  it('gets every row once from a server that drops, doubles and garbles', async () => {
    const total = 200
    let next = 0
    let garbage = 0
    const hellos: string[] = []
    const { server, url } = await serve((socket, connection) => {
      socket.on('message', data => {
        hellos.push(String(data))
        let sent = 0
        const timer = setInterval(() => {
          if (next === total) {
            clearInterval(timer)
            socket.send(JSON.stringify({ id: -1, price: 0 }))
            return
          }
          const row = { id: next, price: next / 4 }
          // In turn: a row, an array, bytes; each tenth is said again, its id in digits, each seventh followed by garbage.
          if (next % 3 === 0) socket.send(JSON.stringify(row))
          else if (next % 3 === 1) socket.send(JSON.stringify([row]))
          else socket.send(Buffer.from(JSON.stringify(row)))
          if (next % 10 === 9) socket.send(JSON.stringify({ ...row, id: String(next) }))
          if (next % 7 === 6) {
            const kinds = ['<html>', '{"id":"x","price":1}', '[1,2]', '{"price":3}', Buffer.of(0xff)]
            socket.send(kinds[garbage++ % kinds.length] as string)
          }
          next++
          if (++sent === 23) {
            clearInterval(timer)
            if (connection % 2 === 0) socket.terminate()
            else socket.close(1011, 'tired')
          }
        }, 1)
      })
    })
    const states: FeedStatus[] = []
    const bad: BadMessage[] = []
    const flow = webSocket(url, {
      schema: SHAPE,
      hello: 'rows, please',
      unique: 'id',
      reconnect: { min: 5, max: 20, seed: 7 },
      onStatus: status => states.push(status),
      onBadMessage: message => bad.push(message),
      WebSocket: Socket,
    })
    const ids: number[] = []
    const job = flow.run(inline)
    for await (const batch of job) {
      for (const { id, price } of batch) {
        if (id < 0) job.stop()
        else {
          ids.push(id)
          expect(price).toBe(id / 4)
        }
      }
    }
    await job.finished
    expect(ids).toEqual(Array.from({ length: total }, (_, id) => id))
    expect(bad.length).toBe(garbage)
    expect(bad.map(({ count }) => count)).toEqual(Array.from({ length: garbage }, (_, i) => i + 1))
    expect(new Set(bad.map(({ error }) => (error as { code?: string }).code))).toEqual(
      new Set(['MR_FORMAT_ERROR', 'MR_TYPE_MISMATCH']),
    )
    const connections = Math.ceil(total / 23)
    expect(hellos).toEqual(Array.from({ length: connections }, () => 'rows, please'))
    expect(states.filter(({ state }) => state === 'open').length).toBe(connections)
    const last = states[states.length - 1] as FeedStatus
    expect(last).toMatchObject({ state: 'open', connections, dropped: 0 })
    expect(states.find(({ reason }) => reason?.includes('tired'))).toMatchObject({ state: 'waiting' })
    // Nothing is left: the server's side closes too.
    await until(() => server.clients.size === 0, 2000)
  })

  it('waits longer after each failure, by a chance that a seed repeats, and not for ever', async () => {
    const clock = virtualClock(0)
    const waits: (number | null)[] = []
    const run = async (seed: number) => {
      FakeSocket.all = []
      const own: (number | null)[] = []
      const job = webSocket('ws://nowhere', {
        schema: SHAPE,
        reconnect: { min: 100, max: 1000, jitter: 0.5, seed, attempts: 6 },
        clock,
        onStatus: ({ state, retryInMs }) => void (state === 'waiting' && own.push(retryInMs)),
        WebSocket: FakeSocket,
      }).collect(inline)
      const refused = refusal(() => job, 'MR_SOURCE_FAILED')
      for (let attempt = 0; attempt < 7; attempt++) {
        await until(() => FakeSocket.all.length === attempt + 1, 2000)
        FakeSocket.all[attempt]!.onclose?.({ code: 1006, reason: '' })
        await clock.advance(1000)
      }
      expect((await refused).message).toContain('closed with code 1006 (7 attempts)')
      expect(clock.timers).toBe(0)
      return own
    }
    waits.push(...(await run(3)))
    expect(waits.length).toBe(6)
    const longest = [100, 200, 400, 800, 1000, 1000]
    waits.forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual(longest[i]! / 2)
      expect(wait).toBeLessThanOrEqual(longest[i]!)
    })
    expect(await run(3)).toEqual(waits)
    expect(await run(4)).not.toEqual(waits)
  })

  it('tries again at once where one that cannot be opened tells only of an error', async () => {
    const clock = virtualClock(0)
    FakeSocket.all = []
    const refused = refusal(
      () =>
        webSocket('ws://nowhere', {
          schema: SHAPE,
          reconnect: { min: 100, jitter: 0, attempts: 1 },
          clock,
          WebSocket: FakeSocket,
        }).collect(inline),
      'MR_SOURCE_FAILED',
    )
    for (let attempt = 0; attempt < 2; attempt++) {
      await until(() => FakeSocket.all.length === attempt + 1, 2000)
      const { onerror, onclose } = FakeSocket.all[attempt]!
      onerror?.({ message: 'nobody is there' })
      if (attempt > 0) onclose?.({ code: 1006, reason: '' })
      await clock.advance(100)
    }
    expect((await refused).message).toContain('it cannot be opened: nobody is there (2 attempts)')
    expect(clock.timers).toBe(0)
  })

  it('begins its waits anew once something has been heard', async () => {
    const clock = virtualClock(0)
    FakeSocket.all = []
    const waits: (number | null)[] = []
    const job = webSocket('ws://nowhere', {
      schema: SHAPE,
      reconnect: { min: 100, max: 10_000, jitter: 0 },
      clock,
      onStatus: ({ state, retryInMs }) => void (state === 'waiting' && waits.push(retryInMs)),
      WebSocket: FakeSocket,
    }).run(inline)
    for (let attempt = 0; attempt < 6; attempt++) {
      await until(() => FakeSocket.all.length === attempt + 1, 2000)
      const socket = FakeSocket.all[attempt]!
      if (attempt === 3) {
        socket.onopen?.({})
        socket.onmessage?.({ data: '{"id":1,"price":2}' })
      }
      socket.onclose?.({ code: 1006, reason: '' })
      await clock.advance(10_000)
    }
    expect(waits).toEqual([100, 200, 400, 100, 200, 400])
    await job[Symbol.asyncDispose]()
    expect(clock.timers).toBe(0)
  })

  it('misses a connection that has silently died, and one that never opens', async () => {
    const clock = virtualClock(0)
    FakeSocket.all = []
    const reasons: (string | null)[] = []
    const job = webSocket(() => `ws://nowhere/${FakeSocket.all.length}`, {
      schema: SHAPE,
      heartbeat: { every: '10s', timeout: '25s', message: 'ping' },
      reconnect: { min: '1s', jitter: 0 },
      openTimeout: '5s',
      hello: () => ['a', 'b'],
      clock,
      onStatus: ({ state, reason }) => void (state === 'waiting' && reasons.push(reason)),
      WebSocket: FakeSocket,
    }).run(inline)
    await until(() => FakeSocket.all.length === 1, 2000)
    const [first] = FakeSocket.all as [FakeSocket]
    expect(first.binaryType).toBe('arraybuffer')
    first.onopen?.({})
    await clock.advance(12_000)
    first.onmessage?.({ data: '{"id":1,"price":2}' })
    await clock.advance(24_000)
    expect(first.closed).toBe(false)
    expect(first.sent).toEqual(['a', 'b', 'ping', 'ping', 'ping'])
    await clock.advance(5000)
    expect(first.closed).toBe(true)
    expect(reasons[0]).toContain('nothing has been heard for 28000 ms')
    await clock.advance(1000)
    const second = FakeSocket.all[1]!
    expect(second.url).toBe('ws://nowhere/1')
    await clock.advance(6000)
    expect(second.closed).toBe(true)
    expect(reasons[1]).toContain('not open after 5000 ms')
    // A late timer is no sign of silence.
    await until(() => FakeSocket.all.length === 3, 2000)
    const third = FakeSocket.all[2]!
    third.onopen?.({})
    await clock.jumpTo(clock.now() + 600_000)
    expect(third.closed).toBe(false)
    await job[Symbol.asyncDispose]()
    expect(third.closed).toBe(true)
    expect(clock.timers).toBe(0)
  })

  it('lets go at once of a connection that has silently died', async () => {
    const made: WsSocket[] = []
    class Watched extends WsSocket {
      constructor(url: string) {
        super(url)
        made.push(this)
      }
    }
    // Its server hears nothing any more, and answers nothing.
    const { url } = await serve(socket => void (socket as unknown as { _socket: { pause(): void } })._socket.pause())
    const job = webSocket(url, {
      schema: SHAPE,
      heartbeat: { every: 20 },
      reconnect: { min: 1 },
      WebSocket: Watched as unknown as typeof Socket,
    }).run(inline)
    const first = job[Symbol.asyncIterator]().next()
    await until(() => made.length > 1, 2000)
    await until(() => made[0]?.readyState === WsSocket.CLOSED, 2000)
    await job[Symbol.asyncDispose]()
    expect((await first).done).toBe(true)
    for (const socket of made) socket.terminate()
  })

  it('ends with its connection where it is not to be made again, cleanly or not', async () => {
    const { url } = await serve((socket, connection) => {
      socket.send('1,2.5\n2,\n')
      socket.close(connection === 0 ? 1000 : 1011)
    })
    const shape = schema({ id: int64(), price: nullable(float64()) })
    const flow = webSocket(url, { schema: shape, format: 'csv', reconnect: false, WebSocket: Socket })
    expect((await flow.collect(inline)).toRows()).toEqual([
      { id: 1, price: 2.5 },
      { id: 2, price: null },
    ])
    await refusal(() => flow.collect(inline), 'MR_SOURCE_FAILED')
  })

  it('ends the job for what the caller throws, and for rows there is no room for', async () => {
    const { server, url } = await serve(socket => {
      socket.send('nothing')
      for (let id = 0; id < 20; id++) socket.send(JSON.stringify({ id, price: 0 }))
    })
    const run = (options: object) => webSocket(url, { schema: SHAPE, WebSocket: Socket, ...options }).collect(inline)
    const boom = () => {
      throw new Error('boom')
    }
    await expect(run({ onBadMessage: boom })).rejects.toThrow('boom')
    await expect(run({ onStatus: boom })).rejects.toThrow('boom')
    await refusal(
      () =>
        run({
          capacity: 1,
          format: () => [
            { id: 1, price: 1 },
            { id: 2, price: 2 },
          ],
        }),
      'MR_CHANNEL_FULL',
    )
    await until(() => server.clients.size === 0, 2000)
  })

  it('waits for listeners that are asynchronous, and what they reject with ends the job', async () => {
    const { server, url } = await serve(socket => {
      socket.send('nothing')
      socket.close(1000)
    })
    const run = (options: object, signal?: AbortSignal) =>
      webSocket(url, { schema: SHAPE, WebSocket: Socket, reconnect: false, ...options }).collect({
        ...inline,
        ...(signal && { signal }),
      })
    await expectWaitedFor((onBadMessage, signal) => run({ onBadMessage }, signal))
    await expectWaitedFor((onStatus, signal) => run({ onStatus }, signal))
    const failing = async () => {
      throw new Error('boom')
    }
    // Of a feed that goes on.
    await expect(run({ reconnect: { min: 1 }, onBadMessage: failing })).rejects.toThrow('boom')
    await until(() => server.clients.size === 0, 2000)
  })

  it('leaves nothing when it is aborted, open or waiting', async () => {
    const { server, url } = await serve(() => {})
    const controller = new AbortController()
    let isOpen = false
    const job = webSocket(url, {
      schema: SHAPE,
      WebSocket: Socket,
      onStatus: ({ state }) => {
        isOpen = state === 'open'
      },
    }).collect({ ...inline, signal: controller.signal })
    await until(() => isOpen, 2000)
    controller.abort(new Error('enough'))
    await expect(job).rejects.toThrow('enough')
    await until(() => server.clients.size === 0, 2000)
  })

  it('refuses what it cannot do', async () => {
    const make = (options: object, url: unknown = 'ws://x') =>
      refusal(() => webSocket(url as string, options as any), 'MR_INVALID_OPTION')
    await make({})
    await make({ schema: SHAPE, WebSocket: FakeSocket }, 7)
    await make({ schema: SHAPE, WebSocket: 7 })
    await make({ schema: SHAPE, WebSocket: FakeSocket, format: 'xml' })
    await make({ schema: SHAPE, WebSocket: FakeSocket, reconnect: { min: '1s', max: '1ms' } })
    await make({ schema: SHAPE, WebSocket: FakeSocket, reconnect: { jitter: 2 } })
    await make({ schema: SHAPE, WebSocket: FakeSocket, heartbeat: {} })
    await make({ schema: SHAPE, WebSocket: FakeSocket, unique: 'ID' })
    await make({ schema: SHAPE, WebSocket: FakeSocket, whenFull: 'block' })
    // The first wait may be longer than what the longest is unless told.
    webSocket('ws://x', { schema: SHAPE, WebSocket: FakeSocket, reconnect: { min: '1m' } })
    const BadUrl = class {
      constructor() {
        throw new SyntaxError('no such protocol')
      }
    }
    const job = webSocket('gopher://x', { schema: SHAPE, WebSocket: BadUrl as any }).collect(inline)
    expect((await refusal(() => job, 'MR_SOURCE_FAILED')).message).toContain('no such protocol')
  })
})

describe('messages', () => {
  it('are read in the types of their columns', async () => {
    const shape = schema({
      'at.time': timestamp('us'),
      id: int64(),
      text: nullable(utf8()),
    })
    const { url } = await serve(socket => {
      socket.send(
        '{"at":{"time":"2024-02-29T12:00:00.000123+01:00"},"id":"9007199254740993","text":{"a":1}}\n\n{"at.time":5,"id":7}',
      )
      socket.send('{"at":{"time":"2024-02-30"},"id":1}')
      socket.send('{"at":{"time":"2024-02-28T00:00:00.0000001Z"},"id":1}')
      socket.send('{"at":{"time":"2024-02-28"},"id":9007199254740993}')
      socket.close(1000)
    })
    const bad: string[] = []
    const table = await webSocket(url, {
      schema: shape,
      format: 'ndjson',
      reconnect: false,
      onBadMessage: ({ error }) => void bad.push((error as { code: string }).code),
      WebSocket: Socket as any,
    }).collect(inline)
    expect(table.toRows({ bigint: true })).toEqual([
      { 'at.time': 1709204400000123n, id: 9007199254740993n, text: '{"a":1}' },
      { 'at.time': 5n, id: 7n, text: null },
    ])
    expect(bad).toEqual(['MR_TYPE_MISMATCH', 'MR_INEXACT_VALUE', 'MR_UNSAFE_INTEGER'])
  })
})
