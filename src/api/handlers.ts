/** Flows served to pages: a handler from requests to responses, and the same for `node:http`. What they do is loaded with the first request. */
import type { RunOptions } from '../engines/local/options.js'
import { quote } from '../errors.js'
import { Flow } from './flow.js'
import { invalid, show } from './refusal.js'

/** With `engine`, `lanes` and `memory` as terminals have them; a server does well to have one engine for all requests. */
export interface FlowHandlerOptions extends Pick<RunOptions, 'engine' | 'lanes' | 'memory'> {
  /** `'sse'`: server-sent events, for an `EventSource`; `'ndjson'`: a JSON object a line, for `fetch`. */
  readonly format: 'sse' | 'ndjson'
  /** Rows of an event, at most; 1,000 by default. */
  readonly rowsPerEvent?: number
  /** How often a comment is sent while no rows come, so that nobody on the way takes the connection for dead; 15,000 by default. */
  readonly heartbeatMs?: number
  /** Whether a page that has lost its connection gets the rows after those it had, which suits a flow that gives the same rows each time; true by default. */
  readonly resume?: boolean
  /** What becomes of a NaN or an infinity, for which JSON has no word; by default it is an error. */
  readonly nonFinite?: 'error' | 'null'
  /** Told of what a flow fails of. What it returns, or resolves to, is sent in place of the error's message, which may name files and columns. */
  readonly onError?: (error: unknown) => string | undefined | Promise<string | undefined>
}

/** From a request to a response, as edge runtimes, Deno and Bun have it, and service workers, which may not `import()`: there it is to be bundled into one file. For Node see `nodeHandler`. */
export type RequestHandler = (request: Request) => Promise<Response>

/**
 * A handler that runs a flow for each request and sends its rows while it runs, as fast as the client takes them; a client that leaves ends the job.
 *
 * As server-sent events each message is a JSON array of rows, and its id the number of rows so far, by which an `EventSource` that lost its connection goes on where it was. The last event is
 * `end`, with `{ rows }`, or `error`, with `{ code, message }`; to an `EventSource` that asks again after either the answer is 204, upon which it stops. As NDJSON each line is a row; after a
 * failure the last line is `{ error: { code, message } }` and the transfer breaks off. A flow that fails before its columns are known is answered with status 500 and that JSON.
 *
 * ```ts
 * const handler = flowHandler(() => flow.select('symbol', 'price'), { format: 'ndjson' })
 * const response = await handler(new Request('http://localhost/trades'))
 * show(await response.text())
 * ```
 * @param makeFlow gets the request, and may answer with a `Response` instead of a flow
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function flowHandler(
  makeFlow: (request: Request) => Flow<any> | Response | Promise<Flow<any> | Response>,
  options: FlowHandlerOptions,
): RequestHandler {
  if (typeof makeFlow !== 'function')
    throw invalid('flowHandler', `it takes a function that makes a flow, not ${show(makeFlow)}`)
  const serving = checkServing(options ?? {})
  return async request => {
    const { failedResponse, serveFlow } = await import('./serve-flow.js')
    try {
      const flow = await makeFlow(request)
      if (flow instanceof Response) return flow
      if (!(flow instanceof Flow)) throw invalid('flowHandler', `the function gives a flow, not ${show(flow)}`)
      return await serveFlow(request, flow, serving)
    } catch (error) {
      return failedResponse(error, serving)
    }
  }
}

const OPTIONS = ['format', 'rowsPerEvent', 'heartbeatMs', 'resume', 'nonFinite', 'onError', 'engine', 'lanes', 'memory']

function checkServing(options: FlowHandlerOptions) {
  for (const name of Object.keys(options))
    if (!OPTIONS.includes(name))
      throw invalid('flowHandler', `there is no option ${quote(name)}; there are ${OPTIONS.join(', ')}`)
  const { rowsPerEvent = 1000, heartbeatMs = 15_000, resume = true, nonFinite = 'error', ...others } = options
  if (others.format !== 'sse' && others.format !== 'ndjson')
    throw invalid('flowHandler', `format is 'sse' or 'ndjson', not ${show(others.format)}`)
  if (!(Number.isInteger(rowsPerEvent) && rowsPerEvent > 0))
    throw invalid('flowHandler', `rowsPerEvent is a whole number from 1 up, not ${show(rowsPerEvent)}`)
  if (!(heartbeatMs >= 10 && heartbeatMs < 2 ** 31))
    throw invalid('flowHandler', `heartbeatMs is a number of milliseconds, at least 10, not ${show(heartbeatMs)}`)
  return { ...others, rowsPerEvent, heartbeatMs, resume, nonFinite }
}

/** How a flow is served: the options, with what is there by default. */
export type Serving = ReturnType<typeof checkServing>

/** What is wanted of `http.IncomingMessage`. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** What is wanted of `http.ServerResponse`, and of `http2.Http2ServerResponse`. */
export interface NodeResponse {
  readonly headersSent: boolean
  readonly destroyed?: boolean
  /** Of HTTP/2. */
  readonly stream?: { readonly destroyed: boolean; close(code: number): unknown }
  writeHead(status: number, headers: Record<string, string | string[]>): unknown
  flushHeaders?(): unknown
  write(chunk: Uint8Array, done?: () => void): boolean
  end(): unknown
  destroy(): unknown
  on(event: 'close' | 'drain', listener: () => void): unknown
  off(event: 'close' | 'drain', listener: () => void): unknown
}

/**
 * A handler of requests for `node:http` and `node:http2`: `createServer(nodeHandler(handler))`, or a route of whatever calls `(request, response)`.
 *
 * ```ts
 * const serve = nodeHandler(flowHandler(() => flow, { format: 'sse' }))
 * show(typeof serve)
 * ```
 */
export function nodeHandler(
  handler: (request: Request) => Response | Promise<Response>,
): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  if (typeof handler !== 'function')
    throw invalid('nodeHandler', `it takes a handler such as flowHandler gives, not ${show(handler)}`)
  return async (request, response) => (await import('./serve-node.js')).serveNode(handler, request, response)
}
