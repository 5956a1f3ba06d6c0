/** Server-sent events over `fetch`: asked for again from the last event whenever the connection is lost, and read no faster than lanes take the rows. */
import { quote } from '../../errors.js'
import { unlessAborted } from '../../formats/unless-aborted.js'
import type { Clock } from '../../metrics/clock.js'
import { type BackoffOptions, createBackoff } from './backoff.js'
import { createEventParser, type StreamEvent } from './event-stream.js'
import type { Listen } from './feed.js'
import { createIntake, type FeedStatus, feedFailed, type IntakeSettings } from './intake.js'

export interface EventSettings extends Omit<IntakeSettings, 'decode'> {
  readonly url: () => string | URL | Promise<string | URL>
  /** Null: the runtime's. */
  readonly fetch: typeof fetch | null
  readonly init: RequestInit
  /** Rows of an event; null or undefined for none. */
  readonly decode: (event: StreamEvent) => unknown
  /** The events that have rows; null: all. */
  readonly events: ReadonlySet<string> | null
  /** The event that ends the input; null: none does. */
  readonly until: string | null
  readonly lastEventId: string
  /** Null: the first end is the end. */
  readonly backoff: BackoffOptions | null
  /** How long a server may be silent; null: for ever. */
  readonly timeoutMs: number | null
  readonly onStatus: ((status: FeedStatus) => void) | undefined
  readonly clock: Clock
}

const OPERATOR = 'eventSource'
/** The event by which a server says that it has failed, as flowHandler's last: what has come is not all. */
const FAILURE = 'error'
/** Answers that another attempt may fare better than. */
const PASSING = new Set([408, 425, 429])

/** Why a connection is at an end, and whether another may do better. */
interface Loss {
  readonly reason: string
  readonly isFinal: boolean
  readonly status?: number
  readonly isClean: boolean
}

export const eventFeed =
  (settings: EventSettings): Listen =>
  queue => {
    const { clock, timeoutMs, onStatus } = settings
    let event: StreamEvent = { event: '', data: '', id: '' }
    // What is told of a bad message is its data, what is decoded the event.
    const intake = createIntake(queue, { ...settings, decode: () => settings.decode(event) }, OPERATOR)
    const backoff = settings.backoff === null ? null : createBackoff(settings.backoff)
    const over = new AbortController()
    let lastId = settings.lastEventId
    let retryMs: number | null = null
    let url = ''
    let connections = 0
    let failures = 0

    const tell = (state: FeedStatus['state'], reason: string | null = null, retryInMs: number | null = null) => {
      const { dropped } = queue
      queue.hear(onStatus?.({ ...intake.counts, state, url, connections, failures, dropped, reason, retryInMs }))
    }
    const sleep = (milliseconds: number): Promise<void> =>
      new Promise(resolve => {
        const done = () => {
          cancel()
          over.signal.removeEventListener('abort', done)
          resolve()
        }
        const cancel = clock.setTimer(clock.now() + milliseconds, done)
        over.signal.addEventListener('abort', done)
      })

    /** Reads one answer to its end. Null: the input ends. @throws what ends the feed */
    async function connection(): Promise<Loss | null> {
      const silent = new AbortController()
      const abort = () => silent.abort()
      over.signal.addEventListener('abort', abort)
      let cancel = () => {}
      let isSilent = false
      const listen = () => {
        cancel()
        if (timeoutMs === null) return
        cancel = clock.setTimer(clock.now() + timeoutMs, () => {
          isSilent = true
          silent.abort()
        })
      }
      const lost = (error: unknown): Loss => {
        const reason = isSilent
          ? `nothing has been heard for ${timeoutMs} ms`
          : error instanceof Error
            ? error.message
            : String(error)
        return { reason, isFinal: false, isClean: false }
      }
      const { fetch: own } = settings
      const ask = async (): Promise<Response | Loss> => {
        const address = String(await settings.url())
        silent.signal.throwIfAborted()
        url = address
        if (own === null && !isAddress(url)) return { reason: 'it is no address', isFinal: true, isClean: false }
        const response = await (own ?? fetch)(url, requestOf(settings.init, lastId, silent.signal))
        if (silent.signal.aborted) response.body?.cancel().catch(() => {})
        return response
      }
      /** A `fetch` of the caller's, and what it gives, need not know of the signal. */
      const heard = <T>(promise: Promise<T>): Promise<T> => unlessAborted(promise, silent.signal)
      let body: ReadableStreamDefaultReader<Uint8Array> | null = null
      try {
        listen()
        let response: Response | Loss
        try {
          response = await heard(ask())
        } catch (error) {
          return lost(error)
        }
        if ('isFinal' in response) return response
        body = response.body?.getReader() ?? null
        const { status } = response
        if (status === 204) return null
        if (status !== 200) {
          const isFinal = status < 500 && !PASSING.has(status)
          return { reason: `it answered with status ${status}`, isFinal, isClean: false, status }
        }
        const type = response.headers.get('content-type') ?? ''
        if (!/^text\/event-stream\s*(;|$)/i.test(type) || body === null)
          return {
            reason: `it answered with ${type || 'no type'}, not text/event-stream`,
            isFinal: true,
            isClean: false,
          }
        connections++
        tell('open')
        const parser = createEventParser(lastId, retryMs)
        const text = new TextDecoder()
        while (true) {
          let read: ReadableStreamReadResult<Uint8Array>
          let events: StreamEvent[]
          listen()
          try {
            read = await heard(body.read())
            if (read.done) return { reason: 'the connection was closed', isFinal: false, isClean: true }
            events = parser.feed(text.decode(read.value, { stream: true }))
          } catch (error) {
            return lost(error)
          }
          // A slow job is no silent server.
          cancel()
          retryMs = parser.retryMs
          for (event of events) {
            failures = 0
            backoff?.reset()
            if (event.event === settings.until) return null
            if (settings.events === null || settings.events.has(event.event)) await intake.take(event.data)
            else if (event.event === FAILURE)
              return { reason: `the server has failed: ${quote(event.data)}`, isFinal: true, isClean: false }
            if (over.signal.aborted) return null
            lastId = event.id
          }
          lastId = parser.lastId
        }
      } finally {
        cancel()
        over.signal.removeEventListener('abort', abort)
        body?.cancel().catch(() => {})
      }
    }

    async function listenOn(): Promise<void> {
      while (!over.signal.aborted) {
        tell('connecting')
        const loss = await connection()
        if (over.signal.aborted) return
        if (loss === null) {
          tell('ended')
          queue.close()
          return
        }
        failures++
        const wait = backoff === null || loss.isFinal ? null : backoff.next(retryMs ?? undefined)
        if (wait === null) {
          tell('ended', loss.reason)
          const isClean = loss.isClean && backoff === null
          queue.close(isClean ? undefined : feedFailed(OPERATOR, url, loss.reason, failures, loss.status))
          return
        }
        tell('waiting', loss.reason, wait)
        await sleep(wait)
      }
    }
    listenOn().catch(error => queue.close(error))
    return () => over.abort()
  }

/** `fetch` fails alike of what is none and of a server that is not there; the former stays so. */
function isAddress(url: string): boolean {
  try {
    return Boolean(new URL(url, globalThis.location?.href))
  } catch {
    return false
  }
}

function requestOf(init: RequestInit, lastId: string, signal: AbortSignal): RequestInit {
  const headers = new Headers(init.headers)
  headers.set('accept', 'text/event-stream')
  if (lastId !== '') headers.set('last-event-id', bytesOf(lastId))
  return { cache: 'no-store', ...init, headers, signal }
}

/** Its UTF-8, a character a byte: headers take no others. */
const bytesOf = (text: string): string =>
  Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte)).join('')
