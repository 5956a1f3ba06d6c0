/** A real HTTP server that behaves as it is told, and a network whose waits take no time and are noted. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { type Network, network } from '../../src/formats/network.js'

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void

export interface Site {
  readonly url: string
  /** Methods and ranges, in the order in which they came. */
  readonly asked: string[]
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** Starts a server, for the test that runs. */
export async function serve(handle: Handler): Promise<Site> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.range ?? ''}`.trim())
    handle(request, response, asked.length - 1)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  stops.push(
    () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.csv`, asked }
}

/** What a range request asks for, of a file of so many bytes; null: it asks for all. */
export function rangeOf(request: IncomingMessage, length: number): { from: number; to: number } | null {
  const [, from, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
  return from === undefined ? null : { from: Number(from), to: last ? Math.min(length, Number(last) + 1) : length }
}

/** A server as it ought to be. */
export function good(content: Uint8Array, headers: Record<string, string> = { etag: '"1"' }): Handler {
  return (request, response) => {
    const range = rangeOf(request, content.length)
    if (range === null) {
      response.writeHead(200, { 'content-length': content.length, ...headers })
    } else if (range.from >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}`, ...headers })
    } else {
      response.writeHead(206, {
        'content-length': range.to - range.from,
        'content-range': `bytes ${range.from}-${range.to - 1}/${content.length}`,
        ...headers,
      })
    }
    const part = range === null ? content : content.subarray(range.from, Math.max(range.from, range.to))
    response.end(request.method === 'HEAD' ? undefined : part)
  }
}

/** As a good one, but only so many bytes of the body, after which the connection is lost. */
export function dropping(
  content: Uint8Array,
  sent: number,
  headers: Record<string, string> = { etag: '"1"' },
): Handler {
  return (request, response) => {
    const range = rangeOf(request, content.length)
    const { from, to } = range ?? { from: 0, to: content.length }
    if (range === null) response.writeHead(200, { 'content-length': content.length, ...headers })
    else
      response.writeHead(206, {
        'content-length': to - from,
        'content-range': `bytes ${from}-${to - 1}/${content.length}`,
        ...headers,
      })
    response.flushHeaders()
    response.write(content.subarray(from, Math.min(to, from + sent)), () => response.destroy())
  }
}

export interface QuickNetwork extends Network {
  readonly waits: number[]
}

/** Waits are noted and over at once; chance always gives 0. */
export function quick(): QuickNetwork {
  const waits: number[] = []
  return {
    ...network,
    waits,
    random: () => 0,
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted()
      waits.push(milliseconds)
    },
  }
}
