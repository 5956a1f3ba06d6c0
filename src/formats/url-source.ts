/**
 * A URL, read by ranges at random positions. A server that ignores them (status 200) is read once, whole, and served from memory after that.
 * url-stream.ts reads one from its beginning to its end.
 */
import { MillraceError, quote } from '../errors.js'
import type { ByteSource } from './byte-source.js'
import {
  changed,
  contentRange,
  isEncoded,
  lengthRefused,
  readBody,
  sameVersion,
  type UrlVersion,
  versionOf,
  wrongRange,
} from './http-range.js'
import { createRetries, dismiss, failed, isFailure, type Network, request } from './network.js'
import { unlessAborted } from './unless-aborted.js'

/** What may be held of a file whose server gives no ranges. */
const MOST_HELD_BYTES = 256 * 2 ** 20

/**
 * The length comes from a HEAD request, since `Content-Length` is readable across origins and `Content-Range` is not; where HEAD is refused,
 * as by addresses signed for GET, from the first range. A compressed transfer has no byte positions: it is read whole.
 *
 * @param pinned what the file was for whoever described it: read as another it is refused, and not measured again.
 */
export function urlSource(
  url: string,
  pinned: UrlVersion | null,
  net: Network,
  mostHeldBytes = MOST_HELD_BYTES,
): ByteSource {
  const closing = new AbortController()
  let version: UrlVersion = pinned ?? { byteLength: null, etag: null, lastModified: null }
  let length: Promise<number> | null = pinned?.byteLength == null ? null : Promise.resolve(pinned.byteLength)
  let whole: Promise<Uint8Array> | null = null

  /** @throws where it is another file than before. */
  const compare = (now: UrlVersion, byteOffset: number) => {
    version = sameVersion(url, version, now, byteOffset)
  }

  /** What a server makes of a range of one byte. */
  const probe = async (signal: AbortSignal): Promise<Response> => {
    const retries = createRetries(net, signal, () => 0)
    while (true) {
      const answer = await request(net, url, { range: 'bytes=0-0', accepted: 416, signal })
      if (!isFailure(answer)) return answer
      // Browsers fail where a range was asked for and what comes is compressed all the same, which they do not tell.
      const plain = answer.error.details.status === undefined ? await request(net, url, { signal }) : answer
      if (!isFailure(plain)) return plain
      await retries.after(answer)
    }
  }

  const measure = async (): Promise<number> => {
    const { signal } = closing
    // The range has it answered for the bytes as they are, and not compressed.
    const head = await request(net, url, { method: 'HEAD', range: 'bytes=0-', signal })
    const measured = isFailure(head) || isEncoded(head) ? null : versionOf(head, 0)
    // A length of nothing is what servers say that know no better.
    if (measured?.byteLength) {
      compare(measured, 0)
      return measured.byteLength
    }
    const first = await probe(signal)
    const total = first.status === 416 ? lengthRefused(first) : contentRange(first)?.total
    if (first.status !== 200 && !isEncoded(first) && total != null) {
      dismiss(first)
      compare({ ...versionOf(first, null), byteLength: total }, 0)
      return total
    }
    return (await readWhole(first)).length
  }

  /** @param answer where one has begun that will hold everything. */
  const readWhole = (answer: Response | null): Promise<Uint8Array> => {
    const begun = answer?.status === 200 && whole === null ? answer : null
    if (answer !== null && begun === null) dismiss(answer)
    if (whole !== null) return whole
    const reading = fetchWhole(begun)
    whole = reading
    reading.catch(() => {
      if (whole === reading) whole = null
    })
    return reading
  }

  const fetchWhole = async (begun: Response | null): Promise<Uint8Array> => {
    const { signal } = closing
    const retries = createRetries(net, signal, () => 0)
    while (true) {
      const answer = begun ?? (await request(net, url, { signal }))
      begun = null
      if (isFailure(answer)) {
        await retries.after(answer)
        continue
      }
      compare(versionOf(answer, null), 0)
      const expected = version.byteLength
      if (expected !== null && expected > mostHeldBytes) {
        dismiss(answer)
        throw tooMuch(url, mostHeldBytes)
      }
      let bytes = new Uint8Array(expected ?? 65_536)
      let came = 0
      const take = (chunk: Uint8Array) => {
        if (came + chunk.length > mostHeldBytes) throw tooMuch(url, mostHeldBytes)
        if (came + chunk.length > bytes.length) bytes = grown(bytes, came + chunk.length)
        bytes.set(chunk, came)
        came += chunk.length
        return true
      }
      const failure = await readBody(url, answer, take, signal)
      if (failure !== null) {
        await retries.after(failure)
        continue
      }
      if (expected !== null && came !== expected) throw changed(url, `it had ${expected} bytes, and ${came} came`, came)
      version = { ...version, byteLength: came }
      return bytes.subarray(0, came)
    }
  }

  /** Fills `target`, which is known to lie within the file; or returns an answer by which there are no ranges. */
  const fillByRanges = async (target: Uint8Array, from: number, signal: AbortSignal): Promise<Response | null> => {
    let filled = 0
    const retries = createRetries(net, signal, () => from + filled)
    while (filled < target.length) {
      const at = from + filled
      const range = `bytes=${at}-${from + target.length - 1}`
      const answer = await request(net, url, { range, accepted: 416, signal })
      if (isFailure(answer)) {
        await retries.after(answer)
        continue
      }
      if (answer.status === 416) {
        dismiss(answer)
        const now = lengthRefused(answer)
        if (now !== null && now !== version.byteLength)
          throw changed(url, `it had ${version.byteLength} bytes and has ${now}`, at)
        await retries.after(failed(url, `the server has no ${range}`, { status: 416 }))
        continue
      }
      if (answer.status !== 206 || isEncoded(answer)) return answer
      const wrong = wrongRange(url, answer, at)
      if (wrong !== null) {
        await retries.after(wrong)
        continue
      }
      compare({ ...versionOf(answer, null), byteLength: contentRange(answer)?.total ?? null }, at)
      const before = filled
      const take = (chunk: Uint8Array) => {
        if (filled + chunk.length > target.length) {
          filled = before // which bytes are those that were asked for?
          return false
        }
        target.set(chunk, filled)
        filled += chunk.length
        return true
      }
      const failure = await readBody(url, answer, take, signal)
      retries.progress(filled - before)
      if (filled < target.length) {
        const short = `${filled - before} of ${target.length - before} bytes came`
        await retries.after(failure ?? failed(url, `the server ended its answer early: ${short}`))
      }
    }
    return null
  }

  const byteLength = (signal?: AbortSignal): Promise<number> => {
    if (length === null) {
      const measuring = measure()
      length = measuring
      measuring.catch(() => {
        if (length === measuring) length = null
      })
    }
    return unlessAborted(length, signal)
  }

  /** The part of a length that is there. */
  const within = async (from: number, wanted: number, signal: AbortSignal | undefined) => {
    closing.signal.throwIfAborted()
    return Math.max(0, Math.min(wanted, (await byteLength(signal)) - from))
  }

  const fill = async (target: Uint8Array, from: number, signal?: AbortSignal): Promise<void> => {
    if (target.length === 0) return
    let answer: Response | null = null
    if (whole === null) {
      const { both, release } = eitherOf(signal, closing.signal)
      try {
        answer = await fillByRanges(target, from, both)
      } finally {
        release()
      }
      if (answer === null) return
    }
    const bytes = await unlessAborted(readWhole(answer), signal)
    target.set(bytes.subarray(from, from + target.length))
  }

  return {
    byteLength,
    async read(from, to, signal) {
      const wanted = await within(from, to - from, signal)
      if (whole !== null) return (await unlessAborted(whole, signal)).subarray(from, from + wanted)
      const bytes = new Uint8Array(wanted)
      await fill(bytes, from, signal)
      return bytes
    },
    async readInto(target, from, signal) {
      const wanted = await within(from, target.length, signal)
      await fill(target.subarray(0, wanted), from, signal)
      return wanted
    },
    async hasRanges(signal) {
      if ((await byteLength(signal)) === 0) return true
      if (whole !== null) return false
      const { both, release } = eitherOf(signal, closing.signal)
      try {
        const answer = await probe(both)
        dismiss(answer)
        return answer.status === 206 && !isEncoded(answer)
      } finally {
        release()
      }
    },
    async version() {
      await byteLength()
      return version
    },
    async close() {
      whole = null
      closing.abort(new MillraceError('MR_CLOSED', `${quote(url)} has been closed`, { file: url }))
    },
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, least: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(least, 2 * bytes.length))
  larger.set(bytes)
  return larger
}

function tooMuch(url: string, mostHeldBytes: number): MillraceError {
  return new MillraceError(
    'MR_MEMORY_LIMIT',
    `${quote(url)}: the server gives no ranges, and what is beyond ${mostHeldBytes} bytes is not held in memory for that; use a server that does, or a format that is read from front to end`,
    { file: url },
  )
}

/**
 * A signal of its own for each reading, that aborts as soon as either does: a fetch leaves listeners on its signal, and `AbortSignal.any` is younger than
 * the oldest runtimes.
 */
function eitherOf(a: AbortSignal | undefined, b: AbortSignal): { both: AbortSignal; release(): void } {
  const controller = new AbortController()
  const removals = [a, b].map(signal => {
    const abort = () => controller.abort(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    return () => signal?.removeEventListener('abort', abort)
  })
  return { both: controller.signal, release: () => removals.forEach(remove => void remove()) }
}
