/**
 * What an answer tells of a file: which bytes it holds, and which version of the file they are of. Two answers of different versions must not be
 * put together. network.ts makes the requests.
 *
 * `If-Range` would have the server compare versions, but makes a browser ask other sites for leave first, which most refuse; so they are
 * compared here, as far as a server tells them (to other sites: its `Last-Modified`, and lengths).
 */
import { MillraceError, quote } from '../errors.js'
import { dismiss, type Failure, failed } from './network.js'

/** A file at a URL as it was when it was first asked for. Null: unknown. Structured-cloneable. */
export interface UrlVersion {
  readonly byteLength: number | null
  readonly etag: string | null
  readonly lastModified: string | null
}

/** The bytes `[from, to)` of `total`. */
export interface ContentRange {
  readonly from: number
  readonly to: number
  readonly total: number | null
}

/** Null where there is none, or it may not be read. */
export function contentRange(response: Response): ContentRange | null {
  const match = /^\s*bytes\s+(\d+)-(\d+)\/(\d+|\*)\s*$/i.exec(response.headers.get('content-range') ?? '')
  if (match === null) return null
  const [, from, last, total] = match as unknown as [string, string, string, string]
  return { from: Number(from), to: Number(last) + 1, total: total === '*' ? null : Number(total) }
}

/** What a 416 tells of the length. */
export function lengthRefused(response: Response): number | null {
  const total = /^\s*bytes\s+\*\/(\d+)\s*$/i.exec(response.headers.get('content-range') ?? '')?.[1]
  return total === undefined ? null : Number(total)
}

/** A compressed transfer has no byte positions. */
export function isEncoded(response: Response): boolean {
  const encoding = response.headers.get('content-encoding')
  return encoding !== null && encoding.toLowerCase() !== 'identity'
}

/**
 * @param from where the range began that was asked for, up to the end of the file; null: no range was. Those come as they are; what else another site
 *   sends may be compressed without our being told, and its length is then another.
 */
export function versionOf(response: Response, from: number | null): UrlVersion {
  const { headers, status } = response
  const text = headers.get('content-length')
  const isTold =
    text !== null && /^\d+$/.test(text) && !isEncoded(response) && (from !== null || response.type !== 'cors')
  const length = isTold ? Number(text) : null
  const isPart = status === 206
  return {
    byteLength:
      (isPart ? contentRange(response)?.total : null) ??
      (length === null ? null : isPart ? length + (from ?? 0) : length),
    etag: headers.get('etag'),
    lastModified: headers.get('last-modified'),
  }
}

/** Whether there is anything by which to see that a file is another than it was. */
export const isVersioned = (version: UrlVersion): boolean =>
  version.byteLength !== null || version.etag !== null || version.lastModified !== null

/** What both answers tell of a file. @throws MillraceError `MR_FORMAT_ERROR` where they tell of different ones. */
export function sameVersion(url: string, first: UrlVersion, now: UrlVersion, byteOffset: number): UrlVersion {
  const differ = <T>(a: T | null, b: T | null) => a !== null && b !== null && a !== b
  const was = differ(first.byteLength, now.byteLength)
    ? `it had ${first.byteLength} bytes and has ${now.byteLength}`
    : differ(opaque(first.etag), opaque(now.etag))
      ? `its ETag was ${first.etag} and is ${now.etag}`
      : differ(first.lastModified, now.lastModified)
        ? `it was of ${first.lastModified} and is of ${now.lastModified}`
        : null
  if (was !== null) throw changed(url, was, byteOffset)
  return {
    byteLength: first.byteLength ?? now.byteLength,
    etag: first.etag ?? now.etag,
    lastModified: first.lastModified ?? now.lastModified,
  }
}

export function changed(url: string, what: string, byteOffset: number): MillraceError {
  return new MillraceError(
    'MR_FORMAT_ERROR',
    `${quote(url)}: the input changed while it was read: ${what}; read it again`,
    {
      file: url,
      byteOffset,
    },
  )
}

/** Without what servers put to it for a transfer that they compress: weakness, and the compression's name. */
const opaque = (etag: string | null) => etag?.replace(/^W\//, '').replace(/[-;](gzip|br|zstd|deflate)"$/, '"') ?? null

/**
 * Hands on what the body of an answer holds, chunk by chunk, until `take` returns false: that is more than was asked for.
 * @returns why the body is not what it ought to be; null: it has ended.
 * @throws what `take` throws; the signal's reason.
 */
export async function readBody(
  url: string,
  response: Response,
  take: (chunk: Uint8Array) => boolean,
  signal: AbortSignal | undefined,
): Promise<Failure | null> {
  if (response.body === null) return null
  const reader = response.body.getReader()
  try {
    while (true) {
      const next = await reader.read().catch((error: unknown) => ({ error }))
      if ('error' in next) {
        signal?.throwIfAborted()
        return lost(url, next.error)
      }
      if (next.done) return null
      if (!take(next.value)) return failed(url, 'the server sends more than was asked for')
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

export function lost(url: string, error: unknown): Failure {
  const reason = error instanceof Error ? error.message : String(error)
  return failed(url, `the connection was lost: ${reason}`, {}, error)
}

/** An answer to a range that holds another one is let go of. */
export function wrongRange(url: string, response: Response, from: number): Failure | null {
  const range = contentRange(response)
  if (range === null || range.from === from) return null
  dismiss(response)
  return failed(url, `bytes from ${from} were asked for, and the server sent bytes from ${range.from}`)
}
