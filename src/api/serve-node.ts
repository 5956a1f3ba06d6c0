/** A handler of `Request`s called by `node:http`, of which it needs no import. A chunk that `nodeHandler` loads. */
import { within } from '../formats/within.js'
import type { NodeRequest, NodeResponse } from './handlers.js'

/** A client that has not taken the last words by then goes without. */
const SENT_MS = 2_000

/** INTERNAL_ERROR of HTTP/2. */
const BROKEN_OFF = 2

/** Requests that are being answered: undici lets go of the signal of one that nobody holds, and then it is never aborted. */
const answered = new Set<Request>()

export async function serveNode(
  handler: (request: Request) => Response | Promise<Response>,
  incoming: NodeRequest,
  outgoing: NodeResponse,
): Promise<void> {
  const gone = new AbortController()
  const leave = () => gone.abort(new DOMException('the client has left', 'AbortError'))
  outgoing.on('close', leave)
  // Who has left by now is not heard of.
  if (outgoing.stream?.destroyed ?? outgoing.destroyed) leave()
  let request: Request | null = null
  try {
    gone.signal.throwIfAborted()
    request = requestOf(incoming, gone.signal)
    answered.add(request)
    const response = await handler(request)
    outgoing.writeHead(response.status, headersOf(response.headers))
    // Whoever waits for the first row knows by then that it is being made.
    outgoing.flushHeaders?.()
    if (response.body !== null) await pipe(response.body, outgoing, gone.signal)
    outgoing.end()
  } catch {
    if (outgoing.headersSent) await within(sent(outgoing, gone.signal), SENT_MS)
    if (!outgoing.headersSent && !gone.signal.aborted) {
      outgoing.writeHead(500, {})
      outgoing.end()
      // The status has been sent, or nobody is there: all that is left to say is that this is not the end.
    } else if (outgoing.stream) outgoing.stream.close(BROKEN_OFF)
    else outgoing.destroy()
  } finally {
    outgoing.off('close', leave)
    if (request !== null) answered.delete(request)
  }
}

function requestOf(incoming: NodeRequest, signal: AbortSignal): Request {
  const { method = 'GET', url = '/' } = incoming
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (name.startsWith(':') || value === undefined) continue
    for (const each of typeof value === 'string' ? [value] : value) headers.append(name, each)
  }
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const init = { method, headers, signal, ...(hasBody ? { body: streamOf(incoming), duplex: 'half' } : {}) }
  const { origin } = new URL(`http://${headers.get('host') || incoming.headers[':authority'] || 'localhost'}`)
  // A path of two slashes is one too, and names no other host.
  return new Request(url.startsWith('/') ? `${origin}${url}` : new URL(url, origin), init)
}

function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

function headersOf(headers: Headers): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {}
  headers.forEach((value, name) => {
    record[name] = value
  })
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) record['set-cookie'] = cookies
  return record
}

async function pipe(body: ReadableStream<Uint8Array>, outgoing: NodeResponse, gone: AbortSignal): Promise<void> {
  const reader = body.getReader()
  const leave = () => void reader.cancel(gone.reason).catch(() => {})
  gone.addEventListener('abort', leave)
  if (gone.aborted) leave()
  try {
    while (true) {
      const { value, done } = await reader.read()
      gone.throwIfAborted()
      if (done) return
      if (!outgoing.write(value)) await drained(outgoing, gone)
    }
  } finally {
    gone.removeEventListener('abort', leave)
  }
}

/** Resolves when what has been written is on its way, which would be lost with the response, or when nobody is there any more. */
const sent = (outgoing: NodeResponse, gone: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (gone.aborted) return resolve()
    gone.addEventListener('abort', () => resolve())
    outgoing.write(new Uint8Array(0), () => resolve())
  })

/** Resolves when more may be written, or when nobody is there any more. */
async function drained(outgoing: NodeResponse, gone: AbortSignal): Promise<void> {
  let resume = () => {}
  const room = new Promise<void>(resolve => {
    resume = resolve
  })
  outgoing.on('drain', resume)
  gone.addEventListener('abort', resume)
  if (!gone.aborted) await room
  outgoing.off('drain', resume)
  gone.removeEventListener('abort', resume)
  gone.throwIfAborted()
}
