/**
 * Bytes at random positions, for readers of files: a `Blob`, bytes in memory, a URL (by ranges), or a path that the platform opens.
 * An `InputDescriptor` is what is sent to a lane, which opens it itself; what is in the bytes is a format's business.
 */
import { MillraceError, quote } from '../errors.js'

export interface ByteSource {
  byteLength(): Promise<number>
  /**
   * The bytes `[from, to)`; a view that the caller must not write to. Fewer bytes come only where the input has shrunk since it was
   * measured: see `readExactly`.
   */
  read(from: number, to: number, signal?: AbortSignal): Promise<Uint8Array>
  close(): Promise<void>
}

/** Structured-cloneable. Prefer `blob` over `bytes` for what is sent to several lanes: a blob is shared, bytes are copied. */
export type InputDescriptor =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'url'; readonly url: string }

export type OpenFile = (path: string) => Promise<ByteSource>

/**
 * Opens an input.
 * @param openFile the platform's; null where there are no paths.
 * @throws MillraceError `MR_INVALID_OPTION` where the file or the URL cannot be opened.
 */
export async function openInput(input: InputDescriptor, openFile: OpenFile | null = null): Promise<ByteSource> {
  if (input.kind === 'bytes') return bytesSource(input.bytes)
  if (input.kind === 'blob') return blobSource(input.blob)
  if (input.kind === 'url') return urlSource(input.url)
  if (openFile === null) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `there are no file paths here to open ${quote(input.path)} by; give a URL, a File or a Blob instead`,
      { file: input.path },
    )
  }
  try {
    return await openFile(input.path)
  } catch (error) {
    throw unopened(input.path, error)
  }
}

/** `[from, to)` in full. @throws MillraceError `MR_FORMAT_ERROR` where the input has become shorter than it was. */
export async function readExactly(
  source: ByteSource,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await source.read(from, to, signal)
  if (bytes.length !== to - from) {
    throw new MillraceError(
      'MR_FORMAT_ERROR',
      `bytes ${from} to ${to} were asked for and ${bytes.length} came: the input changed while it was read`,
      { byteOffset: from + bytes.length },
    )
  }
  return bytes
}

function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    byteLength: async () => bytes.length,
    read: async (from, to) => bytes.subarray(from, to),
    close: async () => {},
  }
}

function blobSource(blob: Blob): ByteSource {
  return {
    byteLength: async () => blob.size,
    read: async (from, to, signal) => {
      signal?.throwIfAborted()
      return new Uint8Array(await blob.slice(from, to).arrayBuffer())
    },
    close: async () => {},
  }
}

/**
 * A URL, read by ranges. A server that ignores them (status 200) is read once, whole, and served from memory after that.
 *
 * The length comes from a HEAD request, since `Content-Length` is readable across origins and `Content-Range` is not; where HEAD is refused,
 * as by addresses signed for GET, from the first range. A compressed transfer has no byte positions: it too is read whole.
 */
function urlSource(url: string): ByteSource {
  let whole: Promise<Uint8Array> | null = null
  let length: Promise<number> | null = null

  /** `response` where one has begun that will hold everything. */
  const fetchWhole = (response?: Response): Promise<Uint8Array> => {
    if (whole !== null) {
      response?.body?.cancel().catch(() => {})
      return whole
    }
    const reading = (async () => new Uint8Array(await checked(response ?? (await request(url)), url).arrayBuffer()))()
    whole = reading
    reading.catch(() => {
      if (whole === reading) whole = null
    })
    return reading
  }

  const measure = async (): Promise<number> => {
    const head = await fetch(url, { method: 'HEAD' }).catch(() => null)
    const measured = head?.ok === true && head.headers.get('content-encoding') === null ? head.headers : null
    if (measured?.get('content-length')) return Number(measured.get('content-length'))
    const first = await request(url, 0, 1)
    const total = /\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1]
    if (first.status === 206 && total !== undefined) {
      await first.body?.cancel()
      return Number(total)
    }
    if (first.status === 206) await first.body?.cancel()
    return (await fetchWhole(first.status === 206 ? undefined : first)).length
  }

  return {
    byteLength() {
      length ??= measure()
      return length
    },
    async read(from, to, signal) {
      if (whole !== null) return (await whole).subarray(from, to)
      if (from === to) return new Uint8Array(0)
      const response = await request(url, from, to, signal)
      if (response.status === 206 && response.headers.get('content-encoding') === null) {
        return new Uint8Array(await checked(response, url).arrayBuffer())
      }
      return (await fetchWhole(response.status === 206 ? undefined : response)).subarray(from, to)
    },
    close: async () => {
      whole = null
    },
  }
}

async function request(url: string, from?: number, to?: number, signal?: AbortSignal): Promise<Response> {
  try {
    const headers: Record<string, string> = from === undefined ? {} : { range: `bytes=${from}-${(to as number) - 1}` }
    return await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) })
  } catch (error) {
    signal?.throwIfAborted()
    throw unopened(url, error)
  }
}

function checked(response: Response, url: string): Response {
  if (response.ok) return response
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `cannot read ${quote(url)}: the server answered ${response.status} ${response.statusText}`,
    {
      file: url,
    },
  )
}

function unopened(name: string, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('MR_INVALID_OPTION', `cannot open ${quote(name)}: ${reason}`, { file: name }, cause)
}
