/** One `DecompressionStream`, and what is known of its output; decompress.ts has as many, one after another, as a file has members. */

export interface Inflater {
  /**
   * Resolves once more may be written, or once the output has ended, though more was to come. What comes out is gathered meanwhile: that is of what was
   * written, so it has a bound as long as it is taken before more is written.
   */
  write(bytes: Uint8Array): Promise<Written>
  /** Resolves once all has come out. */
  close(): Promise<void>
  /** All that has come out since the last time. */
  take(): Uint8Array[]
  /** Whether anything has been written. */
  isUsed(): boolean
  /** How many bytes more must come out for them to be so many, modulo 2^32. */
  lacks(length: number): number
  /** Resolves when more has come out, or after so long. True: it has. */
  more(mostMs: number): Promise<boolean>
  /** Whether `sum` is the Adler-32 of what has come out, big-endian: what deflate data end with. */
  hasSum(sum: Uint8Array): boolean
  cancel(): void
}

type Written = 'more' | 'ended'

/** @param check of each chunk that comes out; what it throws, writing and closing reject with. */
export function openInflater(format: 'gzip' | 'deflate', check: (chunk: Uint8Array) => void): Inflater {
  const stream = new DecompressionStream(format)
  const writer = stream.writable.getWriter()
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let chunks: Uint8Array[] = []
  let isUsed = false
  let byteLength = 0
  let sum: Adler = [1, 0]
  let wake = () => {}

  const gather = async (): Promise<'ended'> => {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return 'ended'
      check(value)
      chunks.push(value)
      byteLength += value.length
      if (format === 'deflate') sum = adler32(sum, value)
      wake()
    }
  }
  let isEnded = false
  let onEnd: (end: Promise<Written>) => void = () => {}
  const ended = gather()
  const end = () => {
    isEnded = true
    onEnd(ended)
    wake()
  }
  ended.then(end, end)

  return {
    // No race of promises: each would leave its mark on `ended` for as long as that lasts.
    write: bytes =>
      new Promise((resolve, reject) => {
        isUsed = true
        onEnd = resolve
        if (isEnded) return resolve(ended)
        writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => resolve('more'), reject)
      }),
    async close() {
      await Promise.all([ended, writer.close()])
    },
    take() {
      const taken = chunks
      chunks = []
      return taken
    },
    isUsed: () => isUsed,
    lacks: length => (length - byteLength) >>> 0,
    more: mostMs =>
      new Promise(resolve => {
        if (isEnded) return resolve(false)
        const timer = setTimeout(resolve, mostMs, false)
        wake = () => {
          clearTimeout(timer)
          resolve(true)
        }
      }),
    hasSum: ([a, b, c, d]) => ((a << 8) | b) === sum[1] && ((c << 8) | d) === sum[0],
    cancel() {
      reader.cancel().catch(() => {})
      writer.abort().catch(() => {})
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
