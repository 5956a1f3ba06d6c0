/** `eventSource`: a flow of server-sent events. How they are asked for is sources/live/event-source.ts's business. */
import type { SchemaShape } from '../columnar/type.js'
import { steadyClock } from '../metrics/clock.js'
import type { Decode } from '../sources/live/decode.js'
import { type EventSettings, eventFeed } from '../sources/live/event-source.js'
import type { StreamEvent } from '../sources/live/event-stream.js'
import { byClock, feedSource } from '../sources/live/feed.js'
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
import { invalid, isPlainRecord, show } from './refusal.js'
import { millisecondsOf } from './timers.js'

export interface EventSourceOptions<S extends SchemaShape> extends ConnectionOptions<S, StreamEvent> {
  /** Names of the events that have rows; by default `'message'`, which are those without a name. One called `'error'` that is not among them fails the job. */
  readonly events?: readonly string[]
  /** The event that ends the input; by default `'end'`, which is what `flowHandler` sends last. */
  readonly until?: string | null
  /** Where to begin: what an event said as its id. */
  readonly lastEventId?: string
  /** A connection on which nothing comes for so long is made again, where it is told: servers send comments to be known alive. */
  readonly timeout?: string | number
  /** For the request: headers, credentials, a method and a body. */
  readonly init?: RequestInit
  readonly fetch?: typeof fetch
}

/**
 * A flow of server-sent events, over `fetch`, so that there may be headers: from when a job begins to read until it ends. A lost connection is made again and asks for what follows the last event (`Last-Event-ID`), after the wait that the
 * server asks for (`retry`), which grows. It is read as fast as the job takes its rows. An answer of 204 ends the input; an event `error`, by which `flowHandler` says that its flow has failed, is a failure here too.
 *
 * ```ts
 * const handler = flowHandler(() => flow.select('symbol', 'price'), { format: 'sse' })
 * const prices = eventSource('http://localhost/prices', {
 *   schema: schema({ symbol: utf8(), price: float64() }),
 *   fetch: (url, init) => handler(new Request(url, init)),
 * })
 * show(await prices.collect({ lanes: 0 }))
 * ```
 * @param url or a function that gives one for each connection
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal `MR_SOURCE_FAILED` where no attempt is left, or the server refuses
 */
export function eventSource<const S extends SchemaShape>(
  url: string | URL | (() => string | URL | Promise<string | URL>),
  options: EventSourceOptions<S>,
): Flow<S> {
  const name = 'eventSource'
  const known = [...CONNECTION_OPTIONS, 'events', 'until', 'lastEventId', 'timeout', 'init', 'fetch']
  optionsOf(name, options, '{ schema }', known)
  const { schema, format, events = ['message'], until = 'end', lastEventId = '', timeout, onStatus } = options
  const { init = {}, fetch: fetching } = options
  checkSchema(name, schema)
  checkFunction(name, 'onStatus', onStatus)
  checkFunction(name, 'fetch', fetching)
  if (!Array.isArray(events) || events.length === 0 || events.some(each => typeof each !== 'string'))
    throw invalid(name, `events is an array of names, not ${show(events)}`)
  if (until !== null && typeof until !== 'string') throw invalid(name, `until is a name or null, not ${show(until)}`)
  if (typeof lastEventId !== 'string') throw invalid(name, `lastEventId is a string, not ${show(lastEventId)}`)
  if (/[\0\r\n]/.test(lastEventId)) throw invalid(name, `lastEventId is one line, not ${show(lastEventId)}`)
  if (!isPlainRecord(init)) throw invalid(name, `init is an object such as { headers }, not ${show(init)}`)
  checkHeaders(init)
  const { decode, clock: own, ...settings } = messageSettings(name, options)
  const made: Omit<EventSettings, 'clock'> = {
    ...settings,
    decode: typeof format === 'function' ? format : ({ data }) => (decode as Decode)(data),
    url: addressOf(name, url),
    fetch: fetching ?? null,
    init,
    events: new Set(events),
    until,
    lastEventId,
    backoff: reconnectSettings(name, options.reconnect),
    timeoutMs: timeout === undefined ? null : millisecondsOf(name, 'timeout', timeout, 1),
    onStatus,
  }
  const listen = byClock(own, steadyClock, clock => eventFeed({ ...made, clock }))
  return flowOf(feedSource(name, schema, fullOptions(name, options, 'block'), listen)) as Flow<S>
}

/** @throws MillraceError `MR_INVALID_OPTION` */
function checkHeaders({ headers }: RequestInit): void {
  try {
    new Headers(headers)
  } catch (error) {
    throw invalid('eventSource', `init has headers that are none: ${(error as Error).message}`)
  }
}
