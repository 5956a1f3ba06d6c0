/**
 * What users give as an input (a path, a URL, a `File`, a `Response`, bytes) made into descriptors that lanes can open;
 * byte-source.ts opens them, in the lanes: a chunk that a format brings with it.
 */
import { MillraceError, quote } from '../errors.js'
import type { InputDescriptor } from './byte-source.js'

export type Input = string | URL | Blob | Response | ReadableStream<Uint8Array> | ArrayBuffer | ArrayBufferView

/**
 * @param baseUrl what strings without a scheme are relative to; null where they are paths (Node).
 * A `Response` and a stream are read to their end, into a `Blob`; bytes are copied into one, so that lanes share them and the caller's
 * are never detached.
 * @throws MillraceError `MR_INVALID_OPTION` for what is no input, `MR_SOURCE_CONSUMED` for a body that has been read already.
 */
export async function describeInput(input: Input, baseUrl: string | null): Promise<InputDescriptor> {
  if (typeof input === 'string') {
    // One letter before the colon is a drive of Windows, not a scheme.
    if (/^[a-z][a-z0-9+.-]+:/i.test(input)) return describeUrl(parseUrl(input), baseUrl === null)
    return baseUrl === null ? { kind: 'path', path: input } : describeUrl(parseUrl(input, baseUrl), false)
  }
  if (input instanceof URL) return describeUrl(input, baseUrl === null)
  if (input instanceof Blob) return { kind: 'blob', blob: input }
  if (input instanceof ArrayBuffer || ArrayBuffer.isView(input)) {
    return { kind: 'blob', blob: new Blob([input as Uint8Array<ArrayBuffer>]) }
  }
  if (input instanceof Response || input instanceof ReadableStream) {
    if (input instanceof Response ? input.bodyUsed : input.locked) throw consumed()
    const response = input instanceof Response ? input : new Response(input)
    if (!response.ok) {
      throw new MillraceError(
        'MR_INVALID_OPTION',
        `the response given as an input has status ${response.status} ${response.statusText}`,
      )
    }
    return { kind: 'blob', blob: await response.blob() }
  }
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `an input is a path, a URL, a File or Blob, a Response, a ReadableStream or bytes, not ${input === null ? 'null' : typeof input}`,
  )
}

/** How an input is called in messages. */
export function inputName(input: InputDescriptor): string {
  if (input.kind === 'path') return input.path
  if (input.kind === 'url') return input.url.length <= 200 ? input.url : `${input.url.slice(0, 200)}…`
  if (input.kind === 'blob') return (input.blob as Partial<File>).name ?? `a Blob of ${input.blob.size} bytes`
  return `${input.bytes.length} bytes in memory`
}

function parseUrl(text: string, baseUrl?: string): URL {
  try {
    return new URL(text, baseUrl)
  } catch (error) {
    throw new MillraceError('MR_INVALID_OPTION', `${quote(text)} is no URL`, { file: text }, error)
  }
}

function describeUrl(url: URL, paths: boolean): InputDescriptor {
  if (url.protocol === 'file:' && paths) {
    try {
      return { kind: 'path', path: decodeURIComponent(url.pathname).replace(/^\/([a-z]:)/i, '$1') }
    } catch (error) {
      throw new MillraceError('MR_INVALID_OPTION', `${quote(url.href)} is no path`, { file: url.href }, error)
    }
  }
  return { kind: 'url', url: url.href }
}

function consumed(): MillraceError {
  return new MillraceError(
    'MR_SOURCE_CONSUMED',
    'the response or stream given as an input has been read already; fetch it again',
  )
}
