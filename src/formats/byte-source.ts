/**
 * Bytes at random positions, for readers of files: a `Blob`, bytes in memory, a URL (by ranges), or a path that the platform opens.
 * An `InputDescriptor` is what is sent to a lane, which opens it itself; what is in the bytes is a format's business. byte-stream.ts gives them
 * from front to end.
 */
import { MillraceError, quote } from '../errors.js'
import { blobSource } from './blob-source.js'
import type { UrlVersion } from './http-range.js'
import { type Network, network } from './network.js'
import { unopened } from './unread.js'
import { urlSource } from './url-source.js'

export interface ByteSource {
  byteLength(signal?: AbortSignal): Promise<number>
  /**
   * The bytes `[from, to)`; a view that the caller must not write to. Fewer bytes come only where the input ends before `to`, or has shrunk since
   * it was measured: see `readExactly`.
   */
  read(from: number, to: number, signal?: AbortSignal): Promise<Uint8Array>
  /**
   * Fills `target` with the bytes from `from` on, and tells how many there were: fewer than it takes only at the input's end. A promise means that
   * `target` is written to until it settles, so the memory under it must not grow meanwhile. Reading on where the last call ended is quickest. Absent
   * where `read` is all there is.
   */
  readInto?(target: Uint8Array, from: number, signal?: AbortSignal): number | Promise<number>
  /**
   * The same to the beginning of a buffer that is taken away, and is given back, or another in its place, as that of the bytes: without a copy, where they
   * come as a stream.
   */
  readBy?(buffer: ArrayBuffer, byteLength: number, from: number): Promise<Uint8Array<ArrayBuffer>>
  /** As `readInto`, on the spot, where that is the quickest. */
  readonly readsNow?: (target: Uint8Array, from: number) => number
  /** Of a URL: whether its server gives parts. Where it does not, the first reading reads everything, which `openByteStream` need not hold. */
  hasRanges?(signal?: AbortSignal): Promise<boolean>
  /** Of a URL: what the file is, to be pinned to its descriptor. */
  version?(): Promise<UrlVersion>
  /** Ends what is being read, too. */
  close(): Promise<void>
}

/**
 * Structured-cloneable. Prefer `blob` over `bytes` for what is sent to several lanes: a blob is shared, bytes are copied. A URL's `version` is what
 * it was when it was first opened: opened as another it is refused.
 */
export type InputDescriptor =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'url'; readonly url: string; readonly version?: UrlVersion }

/** What can be read once, from front to end; `stream` can be transferred. */
export interface StreamDescriptor {
  readonly kind: 'stream'
  readonly stream: ReadableStream<Uint8Array>
  readonly name: string
}

/** What `openByteStream` takes. */
export type SequentialDescriptor = InputDescriptor | StreamDescriptor

export type OpenFile = (path: string) => Promise<ByteSource>

/**
 * Opens an input.
 * @param openFile the platform's; null where there are no paths.
 * @throws MillraceError `MR_SOURCE_FAILED` where there is no such file, or the disk or, when it is read, the server fails; `MR_INVALID_OPTION` for a folder.
 */
export async function openInput(
  input: InputDescriptor,
  openFile: OpenFile | null = null,
  net: Network = network,
): Promise<ByteSource> {
  if (input.kind === 'bytes') return bytesSource(input.bytes)
  // Where there are paths, in Node.js, slices are quicker than streams.
  if (input.kind === 'blob') return blobSource(input.blob, openFile === null)
  if (input.kind === 'url') return urlSource(input.url, input.version ?? null, net)
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

/** `input`, so that whoever opens it elsewhere notices where it is no longer what `source`, opened of it, has been reading; and need not measure it. */
export async function pinned(input: InputDescriptor, source: ByteSource): Promise<InputDescriptor> {
  return input.kind !== 'url' || source.version === undefined ? input : { ...input, version: await source.version() }
}

/** As `readInto` of a source, or by its `read` where that is all there is. */
export function readInto(
  source: ByteSource,
  target: Uint8Array,
  from: number,
  signal?: AbortSignal,
): number | Promise<number> {
  if (source.readInto !== undefined) return source.readInto(target, from, signal)
  return source.read(from, from + target.length, signal).then(bytes => {
    target.set(bytes)
    return bytes.length
  })
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
  const readInto = (target: Uint8Array, from: number): number => {
    const part = bytes.subarray(from, from + target.length)
    target.set(part)
    return part.length
  }
  return {
    byteLength: async () => bytes.length,
    read: async (from, to) => bytes.subarray(from, to),
    readInto,
    readsNow: readInto,
    close: async () => {},
  }
}
