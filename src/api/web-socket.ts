/** `webSocket`: a flow of the messages of a WebSocket. How it is connected again is sources/live/web-socket.ts's business. */
import type { SchemaShape } from '../columnar/type.js'
import { type Clock, steadyClock } from '../metrics/clock.js'
import { byClock, feedSource } from '../sources/live/feed.js'
import { type SocketLike, type SocketSettings, socketFeed } from '../sources/live/web-socket.js'
import { checkSchema, fullOptions } from './channel.js'
import { type Flow, flowOf } from './flow.js'
import {
  addressOf,
  CONNECTION_OPTIONS,
  type ConnectionOptions,
  checkFunction,
  messageSettings,
  reconnectSettings,
} from './live-options.js'
import { optionsOf } from './options.js'
import { invalid, show } from './refusal.js'
import { millisecondsOf } from './timers.js'

export type SocketMessage = string | Uint8Array

export interface WebSocketOptions<S extends SchemaShape> extends ConnectionOptions<S, SocketMessage> {
  readonly protocols?: string | readonly string[]
  /** Sent whenever the connection is open, as to subscribe: a message, several, or a function that gives them. */
  readonly hello?: SocketMessage | readonly SocketMessage[] | (() => SocketMessage | readonly SocketMessage[])
  /**
   * Every so often `message` is sent, where there is one; a connection on which nothing has been heard for `timeout` (twice `every` unless told) is taken for dead and made again.
   * Without it a connection that has silently died is never missed.
   */
  readonly heartbeat?: {
    readonly every: string | number
    readonly timeout?: string | number
    readonly message?: SocketMessage | (() => SocketMessage)
  }
  /** How long a connection may take to open: `'30s'`. */
  readonly openTimeout?: string | number
  /** A socket does not wait, so what there is no room for is left out, or, which is the default, an error that ends the job. */
  readonly whenFull?: 'dropOldest' | 'dropNewest' | 'error'
  /** The class, where the runtime has none (Node.js before 22): that of the package `ws` will do. */
  readonly WebSocket?: new (
    url: string,
    protocols?: any,
  ) => SocketLike
}

/**
 * A flow of the messages of a WebSocket, from when a job begins to read until it ends. A lost connection is made again, after waits that grow and that chance shortens; what is sent meanwhile is missed, unless `hello` asks
 * for it. Messages that are no rows are counted and told, not fatal.
 *
 * ```ts
 * const trades = webSocket('wss://feed.example/trades', {
 *   schema: schema({ time: timestamp(), symbol: utf8(), price: float64() }),
 *   hello: JSON.stringify({ subscribe: 'trades' }),
 *   heartbeat: { every: '15s', message: 'ping' },
 *   onBadMessage: ({ data }) => show(data),
 * })
 * const dear = trades.filter(t => t.price.gt(100))
 * ```
 * @param url or a function that gives one for each connection, as where it has a token
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal `MR_SOURCE_FAILED` where no attempt is left, `MR_CHANNEL_FULL`
 */
export function webSocket<const S extends SchemaShape>(
  url: string | URL | (() => string | URL | Promise<string | URL>),
  options: WebSocketOptions<S>,
): Flow<S> {
  const name = 'webSocket'
  const known = [...CONNECTION_OPTIONS, 'protocols', 'hello', 'heartbeat', 'openTimeout', 'WebSocket']
  optionsOf(name, options, '{ schema }', known)
  const { schema, protocols, hello = [], openTimeout = 30_000, onStatus } = options
  checkSchema(name, schema)
  checkFunction(name, 'onStatus', onStatus)
  const settings: Omit<SocketSettings, 'clock'> & { readonly clock: Clock | undefined } = {
    ...messageSettings(name, options),
    url: addressOf(name, url),
    connect: connectorOf(options.WebSocket, protocols),
    hello() {
      const messages = typeof hello === 'function' ? hello() : hello
      return Array.isArray(messages) ? messages : [messages as SocketMessage]
    },
    backoff: reconnectSettings(name, options.reconnect),
    openMs: millisecondsOf(name, 'openTimeout', openTimeout, 1),
    heartbeat: heartbeatOf(options.heartbeat),
    onStatus,
  }
  const full = fullOptions(name, options, 'error', ['dropOldest', 'dropNewest', 'error'])
  const listen = byClock(settings.clock, steadyClock, clock => socketFeed({ ...settings, clock }))
  return flowOf(feedSource(name, schema, full, listen)) as Flow<S>
}

function heartbeatOf(heartbeat: WebSocketOptions<SchemaShape>['heartbeat']): SocketSettings['heartbeat'] {
  if (heartbeat === undefined) return null
  const { every, timeout, message } = optionsOf('webSocket', heartbeat, "{ every: '15s' }", [
    'every',
    'timeout',
    'message',
  ])
  const everyMs = millisecondsOf('webSocket', 'every', every, 1)
  return {
    everyMs,
    timeoutMs: timeout === undefined ? 2 * everyMs : millisecondsOf('webSocket', 'timeout', timeout, everyMs),
    message: message === undefined ? null : typeof message === 'function' ? message : () => message,
  }
}

/** @throws MillraceError `MR_INVALID_OPTION` */
function connectorOf(
  given: WebSocketOptions<SchemaShape>['WebSocket'],
  protocols: WebSocketOptions<SchemaShape>['protocols'],
): (url: string) => SocketLike {
  if (given !== undefined && typeof given !== 'function')
    throw invalid('webSocket', `WebSocket is a class, not ${show(given)}`)
  return url => {
    const Socket = given ?? (globalThis as unknown as { WebSocket?: typeof given }).WebSocket
    if (Socket === undefined)
      throw invalid('webSocket', 'there is no WebSocket here; give one, as { WebSocket } of the package ws')
    return protocols === undefined ? new Socket(url) : new Socket(url, protocols)
  }
}
