/**
 * Requests that may fail and be made again. What a failure is and how long to wait is told here; what a range or a version of a file is, in
 * http-range.ts; who reads what, in url-source.ts and url-stream.ts.
 */
import { MillraceError, quote } from '../errors.js'

/** What requests need of the runtime; a test has its own. */
export interface Network {
  fetch(url: string, init: RequestInit): Promise<Response>
  /** Resolves after so long; rejects with the signal's reason. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** At least 0, less than 1. */
  random(): number
  /** Milliseconds since the epoch. */
  now(): number
}

/** A request, or a part of its answer, that came to nothing. */
export interface Failure {
  readonly error: MillraceError
  /** Whether another attempt may fare better. */
  readonly isPassing: boolean
  /** What the server asked to wait, or null. */
  readonly afterMs: number | null
}

/** Attempts in a row that bring nothing, with a wait before each but the first: 0.25, 0.75, 2.25 and 6.75 seconds, less up to half by chance. */
const ATTEMPTS = 5
const FIRST_WAIT_MS = 250
const GROWTH = 3
/** All waits in a row together; a server that asks for more is not waited for. */
const MOST_WAITED_MS = 15_000
/** So many bytes are progress, and what failed before them is forgotten: a server that drops every connection at once must come to an end. */
const PROGRESS_BYTES = 65_536

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

export const network: Network = {
  fetch: (url, init) => fetch(url, init),
  sleep,
  random: () => Math.random(),
  now: () => Date.now(),
}

/**
 * A request's answer, or why there is none: an answer of 2xx, or one of `accepted`.
 * @throws the signal's reason.
 */
export async function request(
  net: Network,
  url: string,
  init: {
    readonly method?: string
    readonly range?: string
    readonly accepted?: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<Response | Failure> {
  const { method = 'GET', range, accepted, signal } = init
  let response: Response
  try {
    signal?.throwIfAborted()
    response = await net.fetch(url, {
      method,
      ...(range === undefined ? {} : { headers: { range } }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    return unreached(url, error)
  }
  if (response.ok || response.status === accepted) return response
  dismiss(response)
  return refused(url, response, net.now())
}

export const isFailure = (answer: object): answer is Failure => 'isPassing' in answer

/** Lets go of an answer whose body nobody reads. */
export function dismiss(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** An answer that is not as it ought to be: another attempt may bring a better one, unless there is no server at all behind the URL. */
export function failed(url: string, what: string, details: object = {}, cause?: unknown): Failure {
  const error = new MillraceError(
    'MR_SOURCE_FAILED',
    `cannot read ${quote(url)}: ${what}`,
    { file: url, ...details },
    cause,
  )
  return { error, isPassing: /^https?:/i.test(url), afterMs: null }
}

export interface Retries {
  /** Waits until the next attempt. @throws the failure's error, where it is final or was one too many; the signal's reason. */
  after(failure: Failure): Promise<void>
  /** So many bytes more have come. */
  progress(bytes: number): void
}

/** @param byteOffset where reading stands, for the error. */
export function createRetries(net: Network, signal: AbortSignal | undefined, byteOffset: () => number): Retries {
  let attempts = 0
  let waitedMs = 0
  let came = 0
  return {
    async after({ error, isPassing, afterMs }) {
      attempts++
      const grown = FIRST_WAIT_MS * GROWTH ** (attempts - 1)
      const waitMs = Math.max(afterMs ?? 0, grown * (1 - net.random() / 2))
      if (!isPassing || attempts === ATTEMPTS || waitedMs + waitMs > MOST_WAITED_MS) {
        const asked =
          afterMs !== null && afterMs > MOST_WAITED_MS ? `; it asks to wait ${Math.ceil(afterMs / 1000)} s` : ''
        const tried = attempts > 1 ? ` (${attempts} attempts)` : ''
        const message = error.message.slice(error.code.length + 2)
        throw new MillraceError(
          error.code,
          `${message}${asked}${tried}`,
          { byteOffset: byteOffset(), ...error.details, attempts },
          error.cause,
        )
      }
      waitedMs += waitMs
      await net.sleep(waitMs, signal)
    },
    progress(bytes) {
      came += bytes
      if (came < PROGRESS_BYTES) return
      came = attempts = waitedMs = 0
    },
  }
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
  })
}

/** Names that do not exist and certificates that do not hold stay so. */
const LASTING = /ENOTFOUND|CERT|SELF_SIGNED|ERR_INVALID|ERR_SSL/

function unreached(url: string, error: unknown): Failure {
  const cause = (error as { cause?: { code?: unknown; message?: unknown } }).cause
  const reason = error instanceof Error ? error.message : String(error)
  // Browsers do not tell a page whether it was the network or a policy.
  const more =
    cause === undefined
      ? 'no network, or a server that does not allow this page to read it (CORS)'
      : String(cause.message ?? cause)
  const failure = failed(url, `${reason} (${more})`, {}, error)
  return { ...failure, isPassing: failure.isPassing && !LASTING.test(String(cause?.code)) }
}

function refused(url: string, response: Response, nowMs: number): Failure {
  const { status, statusText } = response
  const hint =
    status === 401 || status === 403
      ? '; where it wants to know who asks, give the Response of a fetch of your own'
      : ''
  const failure = failed(url, `the server answered ${status} ${statusText}`.trimEnd() + hint, { status })
  return { ...failure, isPassing: PASSING.has(status), afterMs: retryAfter(response, nowMs) }
}

/** `Retry-After` is a number of seconds or a date. */
function retryAfter(response: Response, nowMs: number): number | null {
  const text = response.headers.get('retry-after')
  if (text === null) return null
  const afterMs = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isFinite(afterMs) ? Math.max(0, afterMs) : null
}
