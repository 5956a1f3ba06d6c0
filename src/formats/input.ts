/**
 * What users give as an input (a path or a pattern of paths, a URL, a `File`, a `Response`, a stream, bytes, text) made into descriptors that lanes can
 * open: loaded with the first format that needs it. byte-source.ts and byte-stream.ts open them, in the lanes.
 */
import { MillraceError, quote } from '../errors.js'
import type { InputDescriptor, SequentialDescriptor } from './byte-source.js'
import { bytesOf, consumed, streamFailed, streamOf } from './input-stream.js'
import { isFailure, network, request } from './network.js'
import { unlessAborted } from './unless-aborted.js'

/**
 * Where bytes come from: a path or a pattern of paths such as `data/*.csv` (Node), a URL, a `File` or `Blob`, a `Response`, a stream or an async
 * iterable of bytes, bytes, or `{ text }`. What can be read only once, a `Response`, a stream and an iterable, serves one terminal.
 */
export type Input =
  | string
  | URL
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ArrayBuffer
  | ArrayBufferView
  | { readonly text: string }

/** What inputs need of the runtime. */
export interface InputServices {
  /** What strings without a scheme are relative to; null where they are paths (Node). */
  readonly baseUrl: string | null
  /** Null where there are no paths. */
  readonly findFiles: FindFiles | null
}

/** The files that a string stands for: itself where there is such a file, or where it is no pattern; otherwise those that match, sorted by their paths. */
export type FindFiles = (path: string) => Promise<readonly string[]>

export interface DescribeOptions {
  readonly signal?: AbortSignal | undefined
  /** The verb that was given the inputs, for messages. */
  readonly verb?: string | undefined
}

/**
 * Descriptors of all inputs, in their order; a pattern has one for each file. A `Response` and a stream are read to their end, into a `Blob`; bytes are copied into
 * one, so that lanes share them and the caller's are never detached. With `streams: 'sequential'` they become descriptors for one reading from front to end.
 *
 * @throws MillraceError `MR_INVALID_OPTION` for what is no input, and a pattern that nothing matches; `MR_SOURCE_CONSUMED` for what has been read already;
 *   `MR_SOURCE_FAILED` for a stream that fails; the signal's reason.
 */
export async function describeInputs(
  inputs: readonly Input[],
  services: InputServices,
  options?: DescribeOptions,
): Promise<InputDescriptor[]>
export async function describeInputs(
  inputs: readonly Input[],
  services: InputServices,
  options: DescribeOptions & { readonly streams: 'sequential' },
): Promise<SequentialDescriptor[]>
export async function describeInputs(
  inputs: readonly Input[],
  services: InputServices,
  options: DescribeOptions & { readonly streams?: 'sequential' } = {},
): Promise<SequentialDescriptor[]> {
  const described: SequentialDescriptor[] = []
  // One after another: of several that are refused it is the first that is named, and streams are not held beside one another.
  for (const input of inputs) {
    options.signal?.throwIfAborted()
    described.push(...(await describeInput(input, services, options).catch(error => refuse(error, options.verb))))
  }
  return described
}

function refuse(error: unknown, verb: string | undefined): never {
  if (!(error instanceof MillraceError) || error.code !== 'MR_INVALID_OPTION' || verb === undefined) throw error
  const { code, message, details, cause } = error
  throw new MillraceError(code, `${verb}: ${message.slice(code.length + 2)}`, { operator: verb, ...details }, cause)
}

/**
 * `describeInputs` for a source of which many terminals read, also at once: what can be read but once is kept of the first, though that is aborted, and
 * strings are looked up each time.
 */
export function keptInputs(
  inputs: readonly Input[],
  verb?: string,
): (services: InputServices, signal?: AbortSignal) => Promise<InputDescriptor[]> {
  const kept = new Map<Input, Promise<InputDescriptor[]>>()
  const keep = (input: Input, services: InputServices): Promise<InputDescriptor[]> => {
    const describing = kept.get(input) ?? describeInputs([input], services, { verb })
    kept.set(input, describing)
    describing.catch(() => kept.delete(input))
    return describing
  }
  return async (services, signal) => {
    const described: InputDescriptor[] = []
    for (const input of inputs) {
      signal?.throwIfAborted()
      const one =
        typeof input === 'string' ? describeInputs([input], services, { signal, verb }) : keep(input, services)
      described.push(...(await unlessAborted(one, signal)))
    }
    return described
  }
}

async function describeInput(
  input: Input,
  { baseUrl, findFiles }: InputServices,
  { signal, streams }: DescribeOptions & { readonly streams?: 'sequential' },
): Promise<readonly SequentialDescriptor[]> {
  if (typeof input === 'string') {
    // One letter before the colon is a drive of Windows, not a scheme.
    if (/^[a-z][a-z0-9+.-]+:/i.test(input)) return [await describeUrl(parseUrl(input), baseUrl === null, signal)]
    if (baseUrl !== null) return [await describeUrl(parseUrl(input, baseUrl), false, signal)]
    const paths = findFiles === null ? [input] : await unlessAborted(findFiles(input), signal)
    return paths.map(path => ({ kind: 'path', path }))
  }
  if (input instanceof URL) return [await describeUrl(input, baseUrl === null, signal)]
  if (input instanceof Blob) {
    const isReadHere = streams !== 'sequential' && !(await isSendable(input, baseUrl === null))
    return [isReadHere ? await readWhole(input.stream(), 'a Blob', signal) : { kind: 'blob', blob: input }]
  }
  if (input instanceof ArrayBuffer || ArrayBuffer.isView(input)) return [blobOf(bytesOf(input, 'what was'))]
  const stream = streamIn(input)
  if (stream !== null) {
    return [
      streams === 'sequential' ? { kind: 'stream', ...stream } : await readWhole(stream.stream, stream.name, signal),
    ]
  }
  if (isText(input)) return [blobOf(input.text)]
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `an input is a path, a URL, a File or Blob, a Response, a stream, bytes or { text }, not ${input === null ? 'null' : typeof input}`,
  )
}

const LOOKS = 32

/**
 * Node.js has Blobs of files that no worker can be sent, nor their slices, and Blobs and Files made of them, though it does send these: reading one then ends the
 * process. Bytes in memory come within a few microtasks, those of a file never do: looked at are the ends and some places between, for a file among other parts.
 */
export async function isSendable(blob: Blob, isNode: boolean): Promise<boolean> {
  if (!isNode || blob.size === 0) return true
  try {
    structuredClone(blob)
  } catch {
    return false
  }
  let came = 0
  for (let i = 0; i <= LOOKS; i++) {
    const at = Math.floor(((blob.size - 1) * i) / LOOKS)
    blob
      .slice(at, at + 1)
      .arrayBuffer()
      .then(
        () => came++,
        () => {},
      )
  }
  for (let microtask = 0; microtask < 16; microtask++) await null
  return came > LOOKS
}

function blobOf(content: string | Uint8Array): InputDescriptor {
  // No blob is made of shared memory.
  const part = typeof content === 'string' || content.buffer instanceof ArrayBuffer ? content : content.slice()
  return { kind: 'blob', blob: new Blob([part as string | Uint8Array<ArrayBuffer>]) }
}

const isText = (input: unknown): input is { readonly text: string } =>
  typeof input === 'object' && input !== null && 'text' in input && typeof input.text === 'string'

/** The stream that an input is or has; null where it has none. */
function streamIn(input: unknown): { readonly stream: ReadableStream<Uint8Array>; readonly name: string } | null {
  if (input instanceof Response) {
    const name = 'a Response'
    if (input.bodyUsed || input.body?.locked) throw consumed(name)
    if (!input.ok) {
      throw new MillraceError(
        'MR_INVALID_OPTION',
        `the response given as an input has status ${input.status} ${input.statusText}`.trimEnd(),
        { status: input.status },
      )
    }
    return { stream: owned(input.body ?? new Blob([]).stream(), input), name }
  }
  if (input instanceof ReadableStream) {
    const name = 'a ReadableStream'
    if (isDisturbed(input)) throw consumed(name)
    return { stream: input, name }
  }
  if (typeof input === 'object' && input !== null && Symbol.asyncIterator in input) {
    const name = 'an async iterable'
    return { stream: streamOf(input as AsyncIterable<unknown>, name), name }
  }
  return null
}

/** A stream that has been read to its end and let go of is not locked; only a body made of it tells. */
function isDisturbed(stream: ReadableStream): boolean {
  if (stream.locked) return true
  try {
    owned(stream, new Response(stream))
    return false
  } catch {
    return true
  }
}

const owners = new WeakMap<ReadableStream, Response>()

/** Node cancels the body of a response that is collected as garbage, though the body itself is not. */
function owned<S extends ReadableStream>(stream: S, owner: Response): S {
  owners.set(stream, owner)
  return stream
}

async function readWhole(
  stream: ReadableStream<Uint8Array>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<InputDescriptor> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let came = 0
  try {
    while (true) {
      const next = await unlessAborted(reader.read(), signal).catch((error: unknown) => {
        signal?.throwIfAborted()
        throw streamFailed(name, came, error)
      })
      if (next.done) break
      const chunk = bytesOf(next.value, name)
      came += chunk.length
      chunks.push(chunk)
    }
    return { kind: 'blob', blob: new Blob(chunks as Uint8Array<ArrayBuffer>[]) }
  } finally {
    reader.cancel().catch(() => {})
  }
}

function parseUrl(text: string, baseUrl?: string): URL {
  try {
    return new URL(text, baseUrl)
  } catch (error) {
    throw new MillraceError('MR_INVALID_OPTION', `${quote(text)} is no URL`, { file: text }, error)
  }
}

async function describeUrl(url: URL, isNode: boolean, signal: AbortSignal | undefined): Promise<InputDescriptor> {
  if (!isNode) return { kind: 'url', url: url.href }
  if (url.protocol === 'file:') {
    try {
      return { kind: 'path', path: decodeURIComponent(url.pathname).replace(/^\/([a-z]:)/i, '$1') }
    } catch (error) {
      throw new MillraceError('MR_INVALID_OPTION', `${quote(url.href)} is no path`, { file: url.href }, error)
    }
  }
  if (!FETCHED.has(url.protocol)) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `${quote(url.href)} cannot be fetched: there are ${[...FETCHED, 'file:'].join(' ')}; what comes another way can be given as a stream`,
      { file: url.href },
    )
  }
  // Node's fetch leaves out the last byte of each range of a Blob.
  if (url.protocol === 'blob:') {
    const answer = await request(network, url.href, { signal })
    if (isFailure(answer)) throw answer.error
    return { kind: 'blob', blob: await answer.blob() }
  }
  return { kind: 'url', url: url.href }
}

/** What Node's fetch knows; browsers have schemes of their own besides. */
const FETCHED = new Set(['http:', 'https:', 'data:', 'blob:'])
