/** One `DecompressionStream`, written to and read from by one at a time, and what is counted of its output; decompress.ts has as many as there are members. */

export interface Inflater {
  /** Resolves once more can be written; what comes out must be read meanwhile. */
  write(bytes: Uint8Array): Promise<null>
  close(): Promise<null>
  /** The next of the output, or `end`; or null where `unless` resolves before: it is then still the next. */
  read(unless: Promise<null> | null): Promise<Uint8Array | 'end' | null>
  /** Whether anything has been written. */
  isUsed(): boolean
  /** How many bytes more the output must be for its length to be this, modulo 2^32. */
  lacks(length: number): number
  /** Whether `sum` is the Adler-32 of the output, big-endian: what deflate data end with. */
  hasSum(sum: Uint8Array): boolean
  cancel(): void
}

/** @param corrupt makes an error of what the platform throws. */
export function openInflater(format: 'gzip' | 'deflate', corrupt: (error: unknown) => Error): Inflater {
  const stream = new DecompressionStream(format)
  const writer = stream.writable.getWriter()
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let next: Promise<Uint8Array | 'end'> | null = null
  let isUsed = false
  let byteLength = 0
  let sum: Adler = [1, 0]

  /** The error is told to whoever awaits; a promise that nobody awaits any more must not end the process. */
  const guarded = <T>(work: Promise<T>): Promise<T> => {
    const told = work.catch(error => {
      throw corrupt(error)
    })
    told.catch(() => {})
    return told
  }

  return {
    write(bytes) {
      isUsed = true
      return guarded(writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => null))
    },
    close: () => guarded(writer.close().then(() => null)),
    async read(unless) {
      next ??= guarded(reader.read().then(({ done, value }) => (done ? 'end' : value)))
      const chunk = await (unless === null ? next : Promise.race([unless, next]))
      if (chunk === null) return null
      next = null
      if (chunk === 'end') return chunk
      byteLength += chunk.length
      if (format === 'deflate') sum = adler32(sum, chunk)
      return chunk
    },
    isUsed: () => isUsed,
    lacks: length => (length - byteLength) >>> 0,
    hasSum: ([a, b, c, d]) => ((a << 8) | b) === sum[1] && ((c << 8) | d) === sum[0],
    cancel() {
      guarded(reader.cancel())
      guarded(writer.abort())
    },
  }
}

/** The sum of the bytes, and the sum of these sums, modulo 65,521. */
type Adler = readonly [number, number]

/** The second sum stays below 2^32 for so many bytes. */
const UNREDUCED_BYTES = 5552

function adler32([low, high]: Adler, bytes: Uint8Array): Adler {
  for (let from = 0; from < bytes.length; from += UNREDUCED_BYTES) {
    const to = Math.min(bytes.length, from + UNREDUCED_BYTES)
    for (let i = from; i < to; i++) {
      low += bytes[i]
      high += low
    }
    low %= 65_521
    high %= 65_521
  }
  return [low, high]
}
