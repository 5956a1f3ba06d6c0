/**
 * A URL, read from some byte to its end. A connection that drops is taken up where it ended, by a range of the same version of the file; url-source.ts
 * reads at random positions.
 */
import type { MillraceError } from '../errors.js'
import {
  changed,
  isEncoded,
  isVersioned,
  lengthRefused,
  lost,
  sameVersion,
  type UrlVersion,
  versionOf,
  wrongRange,
} from './http-range.js'
import { createRetries, dismiss, type Failure, failed, isFailure, type Network, request } from './network.js'

/**
 * Chunks as they come, of any size. The first request is a plain one, so that a server may compress what it sends; the others are for ranges. A
 * server that gives none sends again what has been read, which is passed over: allowed where it says which version that is.
 *
 * @param pinned what the file was for whoever described it.
 * @throws MillraceError `MR_SOURCE_FAILED`; `MR_FORMAT_ERROR` where the file has changed; the signal's reason.
 */
export async function* urlStream(
  url: string,
  from: number,
  pinned: UrlVersion | null,
  net: Network,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  let at = from
  let version: UrlVersion = pinned ?? { byteLength: null, etag: null, lastModified: null }
  const retries = createRetries(net, signal, () => at)

  while (true) {
    const asked = at === 0 ? null : at
    const answer = await request(net, url, {
      ...(asked === null ? {} : { range: `bytes=${asked}-` }),
      accepted: 416,
      signal,
    })
    if (isFailure(answer)) {
      await retries.after(answer)
      continue
    }
    if (answer.status === 416) {
      dismiss(answer)
      const length = lengthRefused(answer) ?? version.byteLength
      const was = version.byteLength ?? length
      if (length !== was) throw changed(url, `it had ${was} bytes and has ${length}`, at)
      // A connection may be lost behind the last byte; and one may be asked to begin there, or farther on.
      if (length !== null && length <= at && (length === at || at === from)) return
      if (length !== null && length < at) throw changed(url, `it has ${length} bytes, and ${at} were read`, at)
      await retries.after(failed(url, `the server has no bytes from ${at}`, { status: 416 }))
      continue
    }
    const isPart = answer.status === 206
    const wrong = isPart && asked !== null ? wrongRange(url, answer, asked) : null
    if (wrong !== null) {
      await retries.after(wrong)
      continue
    }
    const now = versionOf(answer, asked)
    try {
      if (at > from && !isVersioned(version)) throw unversioned(url, at)
      version = sameVersion(url, version, now, at)
    } catch (error) {
      dismiss(answer)
      throw error
    }

    // Of the whole file what was read is passed over.
    let toSkip = isPart ? 0 : at
    const end = isEncoded(answer) ? null : version.byteLength
    const reader = answer.body?.getReader()
    let failure: Failure | null = null
    try {
      while (reader !== undefined && failure === null) {
        const next = await reader.read().catch((error: unknown) => ({ error }))
        if ('error' in next) {
          signal?.throwIfAborted()
          failure = lost(url, next.error)
        } else if (next.done) {
          break
        } else {
          const chunk = next.value.subarray(Math.min(toSkip, next.value.length))
          toSkip -= next.value.length - chunk.length
          if (chunk.length === 0) continue
          if (end !== null && at + chunk.length > end) {
            throw changed(url, `it has ${end} bytes by what the server said, and it sends more`, end)
          }
          at += chunk.length
          retries.progress(chunk.length)
          yield chunk
        }
      }
    } finally {
      reader?.cancel().catch(() => {})
    }
    if (toSkip === 0 && (end === null ? failure === null : at === end)) return
    // It ends before where reading was to begin.
    if (toSkip > 0 && failure === null && at === from) return
    await retries.after(
      failure ?? failed(url, `the server ended its answer early, after ${at} ${end === null ? '' : `of ${end} `}bytes`),
    )
  }
}

function unversioned(url: string, byteOffset: number): MillraceError {
  const what = `the connection was lost after ${byteOffset} bytes, and the server does not tell by what to take it up: no length, ETag or date`
  return failed(url, what, { byteOffset }).error
}
