/**
 * Gzip and deflate by the platform's `DecompressionStream`, one for each member of a file (gzip-members.ts finds where they may begin).
 *
 * Platforms differ in what they make of bytes behind the end of compressed data: browsers throw, and drop what they have decompressed; Node goes on
 * with another member, and drops what is none. So nothing is written behind an end knowingly, and at the end the length is compared.
 */
import { MillraceError, quote } from '../errors.js'
import { gzipPieces, PIECE_BYTES, type Piece } from './gzip-members.js'
import { openInflater } from './inflater.js'

export interface DecompressOptions {
  readonly format: 'gzip' | 'deflate'
  /** Of the input, for errors. */
  readonly name: string
  /** What a compressed byte may become on average; not counted before 16 MB have come out. */
  readonly maximumExpansion?: number
  /** After so long of no output a decompressor is taken to wait for more. */
  readonly quietMs?: number
}

/** Deflate data expand 1032 times at most. */
const MAXIMUM_EXPANSION = 1000
const UNCOUNTED_BYTES = 16 * 2 ** 20

/** What may be on its way through a decompressor: of some pieces, the most that they can become. */
const ON_ITS_WAY_BYTES = 8 * PIECE_BYTES * 1032
const QUIET_MS = 1000

/**
 * @returns chunks as the platform gives them, of some 64 kB at most.
 * @throws MillraceError `MR_FORMAT_ERROR` for what is truncated, corrupt, followed by something else, or expands beyond the limit.
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  { format, name, maximumExpansion = MAXIMUM_EXPANSION, quietMs = QUIET_MS }: DecompressOptions,
): AsyncGenerator<Uint8Array, void, void> {
  let compressed = 0
  let decompressed = 0
  const refusal = (what: string, cause?: unknown) =>
    new MillraceError('MR_FORMAT_ERROR', `${quote(name)}: ${what}`, { file: name, byteOffset: compressed }, cause)
  const corrupt = (cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return refusal(`the ${format} data are truncated or corrupt, seen by byte ${compressed}: ${reason}`, cause)
  }
  const followed = () =>
    refusal(`the ${format} data are followed by something else, or corrupt, seen by byte ${compressed}; cut it off`)
  let inflater = openInflater(format, corrupt)

  const counted = (chunk: Uint8Array): Uint8Array => {
    decompressed += chunk.length
    if (decompressed <= UNCOUNTED_BYTES || decompressed <= maximumExpansion * compressed) return chunk
    throw refusal(
      `${compressed} bytes of ${format} data have become ${decompressed}, which is over ${maximumExpansion} times as many; raise maximumExpansion where that is as it should be`,
    )
  }
  /** What comes out before `work` is done; with null, until the end. */
  async function* outputUntil(work: Promise<null> | null) {
    while (true) {
      const chunk = await inflater.read(work)
      if (chunk === null) return
      if (chunk !== 'end') yield counted(chunk)
      else if (work === null) return
      else throw followed()
    }
  }
  /** What comes out until it is as long as a member that ends here, or is seen to be another length. */
  async function* outputUpTo(length: number) {
    while (inflater.lacks(length) !== 0 && inflater.lacks(length) < ON_ITS_WAY_BYTES) {
      const quiet = waiting(quietMs)
      const chunk = await inflater.read(quiet.over)
      quiet.end()
      if (chunk === null) return
      if (chunk === 'end') throw followed()
      yield counted(chunk)
    }
  }
  async function* finish(isWhole: () => boolean) {
    const closed = inflater.close()
    yield* outputUntil(null)
    await closed
    if (!isWhole()) throw followed()
  }

  try {
    let last: Uint8Array = new Uint8Array(0)
    for await (const { bytes, endsWith } of format === 'gzip' ? gzipPieces(chunks) : plainPieces(chunks)) {
      if (bytes.length === 0) {
        yield* finish(() => (format === 'gzip' ? inflater.lacks(endsWith as number) === 0 : inflater.hasSum(last)))
        return
      }
      if (endsWith !== null && inflater.isUsed()) {
        yield* outputUpTo(endsWith)
        if (inflater.lacks(endsWith) === 0) {
          yield* finish(() => inflater.lacks(endsWith) === 0)
          inflater = openInflater(format, corrupt)
        }
      }
      compressed += bytes.length
      yield* outputUntil(inflater.write(bytes))
      last = bytes.length < 4 ? Uint8Array.of(...last, ...bytes).subarray(-4) : bytes.subarray(-4)
    }
  } finally {
    inflater.cancel()
  }
}

async function* plainPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece, void, void> {
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      yield { bytes: chunk.subarray(from, from + PIECE_BYTES), endsWith: null }
    }
  }
  yield { bytes: new Uint8Array(0), endsWith: null }
}

function waiting(milliseconds: number): { over: Promise<null>; end(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<null>(resolve => {
    timer = setTimeout(resolve, milliseconds, null)
  })
  return { over, end: () => clearTimeout(timer) }
}
