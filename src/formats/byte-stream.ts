/**
 * The bytes of an input from front to end, decompressed, and as UTF-8: for what cannot be read at random positions, or need not be. byte-source.ts has
 * the latter; what is in the bytes is a format's business.
 */
import { MillraceError, quote } from '../errors.js'
import { type OpenFile, openInput, readInto, type SequentialDescriptor, type StreamDescriptor } from './byte-source.js'
import { decompress } from './decompress.js'
import { encodingName, reencode, SNIFFED_BYTES, sniffEncoding } from './encoding.js'
import { inputName } from './input-name.js'
import { bytesOf, consumed, streamFailed } from './input-stream.js'
import { joinedBytes } from './joined-bytes.js'
import { type Network, network } from './network.js'
import { unlessAborted } from './unless-aborted.js'
import { urlStream } from './url-stream.js'

export type Compression = 'gzip' | 'deflate' | 'none' | 'auto'

export interface ByteStreamOptions {
  /** Auto: gzip where the input begins as gzip does. Deflate is what HTTP calls so: in a zlib wrapping. */
  readonly compression?: Compression | undefined
  /**
   * A label of the Encoding standard, of which UTF-8 is made. Without one UTF-16 is seen by its byte order mark, and all else passes as it is: a mark of
   * UTF-8 too, which `sniffEncoding` tells.
   */
  readonly encoding?: string | undefined
  /** Whether what is ill-formed in another encoding than UTF-8 is an error; otherwise it becomes U+FFFD. */
  readonly fatal?: boolean | undefined
  /** How many bytes a compressed one may become on average, once 16 MB have come out: 1000 unless told otherwise. */
  readonly maximumExpansion?: number | undefined
  /** Where to begin. Other than at 0 nothing is sniffed: auto is then none. */
  readonly from?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly network?: Network | undefined
}

/** No chunk is larger. */
export const MOST_CHUNK_BYTES = 2 ** 20

/**
 * An input for reading, from its beginning each time it is iterated. A chunk is read when it is asked for, and must not be written to; leaving the loop closes
 * the input.
 * @param openFile the platform's; null where there are no paths.
 * @throws MillraceError at once `MR_INVALID_OPTION` for an option; in the loop what `openInput` throws, `MR_SOURCE_FAILED` where the input cannot be read to its
 *   end, `MR_FORMAT_ERROR` where it has changed, or its compression or encoding is broken, `MR_SOURCE_CONSUMED` for a stream that was read before; the
 *   signal's reason.
 */
export function openByteStream(
  input: SequentialDescriptor,
  openFile: OpenFile | null,
  options: ByteStreamOptions = {},
): AsyncIterable<Uint8Array> {
  const { compression = 'auto', maximumExpansion, from = 0 } = options
  if (!['gzip', 'deflate', 'none', 'auto'].includes(compression)) {
    throw invalid(`compression is gzip, deflate, none or auto, not ${quote(String(compression))}`)
  }
  if (maximumExpansion !== undefined && !(maximumExpansion >= 1)) {
    throw invalid(`maximumExpansion is a number of at least 1, not ${String(maximumExpansion)}`)
  }
  const encoding = options.encoding === undefined ? null : encodingName(options.encoding)
  return { [Symbol.asyncIterator]: () => textBytes(input, openFile, from, encoding, { ...options, compression }) }
}

async function* textBytes(
  input: SequentialDescriptor,
  openFile: OpenFile | null,
  from: number,
  encoding: string | null,
  options: ByteStreamOptions & { readonly compression: Compression },
): AsyncGenerator<Uint8Array, void, void> {
  const name = inputName(input)
  const utf8 = (chunks: AsyncIterable<Uint8Array>, sniffed: string | null) =>
    sniffed === null || sniffed === 'utf-8' ? chunks : reencode(chunks, sniffed, options.fatal === true, name)
  const raw = rawBytes(input, openFile, from, options)
  const plain = from > 0 && options.compression === 'auto' ? raw : decompressed(raw, input, options)
  const text =
    encoding === null && from === 0
      ? byBeginning(plain, SNIFFED_BYTES, (head, all) => utf8(all, sniffEncoding(head).encoding))
      : utf8(plain, encoding)
  for await (const chunk of text) {
    for (let at = 0; at < chunk.length; at += MOST_CHUNK_BYTES) yield chunk.subarray(at, at + MOST_CHUNK_BYTES)
  }
}

function decompressed(
  raw: AsyncIterable<Uint8Array>,
  input: SequentialDescriptor,
  { compression, maximumExpansion }: ByteStreamOptions,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return raw
  const name = inputName(input)
  const by = (format: 'gzip' | 'deflate', all: AsyncIterable<Uint8Array>) =>
    decompress(all, { format, name, ...(maximumExpansion === undefined ? {} : { maximumExpansion }) })
  if (compression === 'gzip' || compression === 'deflate') return by(compression, raw)
  return byBeginning(raw, 2, (head, all) => {
    if (head[0] === 0x1f && head[1] === 0x8b) return by('gzip', all)
    // What comes from a server may have been decompressed on the way; a file that was is another file.
    if (/\.gz$/i.test(name) && (input.kind === 'path' || input.kind === 'blob')) {
      throw new MillraceError(
        'MR_FORMAT_ERROR',
        `${quote(name)} is no gzip file, though it is called so; give { compression: 'none' } if it is plain`,
        { file: name, byteOffset: 0 },
      )
    }
    return all
  })
}

/** Chooses by the first bytes how all of them are to be read. */
async function* byBeginning(
  chunks: AsyncIterable<Uint8Array>,
  byteLength: number,
  choose: (head: Uint8Array, all: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = chunks[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array(0)
  async function* all() {
    if (head.length > 0) yield head
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  }
  try {
    while (head.length < byteLength) {
      const next = await iterator.next()
      if (next.done) break
      head = head.length === 0 ? next.value : joinedBytes(head, next.value)
    }
    yield* choose(head, all())
  } finally {
    await iterator.return?.()
  }
}

async function* rawBytes(
  input: SequentialDescriptor,
  openFile: OpenFile | null,
  from: number,
  { signal, network: net = network }: ByteStreamOptions,
): AsyncGenerator<Uint8Array, void, void> {
  if (input.kind === 'stream') return yield* streamBytes(input, from, signal)
  if (input.kind === 'url') return yield* urlStream(input.url, from, input.version ?? null, net, signal)
  const source = await openInput(input, openFile, net)
  try {
    const byteLength = await source.byteLength(signal)
    let at = from
    while (true) {
      const chunk = new Uint8Array(MOST_CHUNK_BYTES)
      const read = await readInto(source, chunk, at, signal)
      at += read
      if (read > 0) yield chunk.subarray(0, read)
      if (read < MOST_CHUNK_BYTES) break
    }
    if (at < byteLength && from < byteLength) throw shrunk(inputName(input), byteLength, at)
  } finally {
    await source.close()
  }
}

/** The stream stays locked, by which it is seen that it has been read. */
async function* streamBytes(
  { stream, name }: StreamDescriptor,
  from: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  if (stream.locked) throw consumed(name)
  const reader = stream.getReader()
  let at = 0
  try {
    while (true) {
      const next = await unlessAborted(reader.read(), signal).catch((error: unknown) => {
        signal?.throwIfAborted()
        throw streamFailed(name, at, error)
      })
      if (next.done) return
      const chunk = bytesOf(next.value, name)
      at += chunk.length
      const rest = chunk.subarray(Math.max(0, chunk.length - Math.max(0, at - from)))
      if (rest.length > 0) yield rest
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

function shrunk(name: string, byteLength: number, byteOffset: number): MillraceError {
  return new MillraceError(
    'MR_FORMAT_ERROR',
    `${quote(name)}: the input changed while it was read: it had ${byteLength} bytes and has ${byteOffset}; read it again`,
    { file: name, byteOffset },
  )
}

function invalid(what: string): MillraceError {
  return new MillraceError('MR_INVALID_OPTION', what)
}
