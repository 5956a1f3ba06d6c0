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

/** Chunks of a platform are small; fewer and larger ones have a shorter way. */
const BLOCK_BYTES = 2 ** 18

/**
 * @returns chunks of at most 256 kB, as soon as they are there.
 * @throws MillraceError `MR_FORMAT_ERROR` for what is truncated, corrupt, followed by something else, or expands beyond the limit.
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  { format, name, maximumExpansion = MAXIMUM_EXPANSION, quietMs = QUIET_MS }: DecompressOptions,
): AsyncGenerator<Uint8Array, void, void> {
  if (typeof DecompressionStream !== 'function') {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `${quote(name)} is ${format}, which this runtime cannot decompress: it has no DecompressionStream`,
      {
        file: name,
      },
    )
  }
  let compressed = 0
  let decompressed = 0
  const refusal = (what: string, cause?: unknown) =>
    new MillraceError('MR_FORMAT_ERROR', `${quote(name)}: ${what}`, { file: name, byteOffset: compressed }, cause)
  const followed = () =>
    refusal(`the ${format} data are followed by something else, or corrupt, seen by byte ${compressed}; cut it off`)
  const limit = (chunk: Uint8Array): void => {
    decompressed += chunk.length
    if (decompressed <= UNCOUNTED_BYTES || decompressed <= maximumExpansion * compressed) return
    throw refusal(
      `${compressed} bytes of ${format} data have become ${decompressed}, which is over ${maximumExpansion} times as many; raise maximumExpansion where that is as it should be`,
    )
  }
  /** What the platform throws is of the data, which are corrupt. */
  const inflated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      if (error instanceof MillraceError) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw refusal(`the ${format} data are truncated or corrupt, seen by byte ${compressed}: ${reason}`, error)
    }
  }
  let inflater = openInflater(format, limit)

  /** Whether so much comes out, as does if a member ends here: waits for it while it may be on its way. */
  const hasBecome = async (length: number): Promise<boolean> => {
    while (inflater.lacks(length) !== 0 && inflater.lacks(length) < ON_ITS_WAY_BYTES) {
      if (!(await inflater.more(quietMs))) return false
    }
    return inflater.lacks(length) === 0
  }

  let written: Promise<'more' | 'ended'> = Promise.resolve('more')
  const settled = async (): Promise<void> => {
    if ((await written) === 'ended') throw followed()
  }

  try {
    let last: Uint8Array = new Uint8Array(0)
    for await (const { bytes, endsWith } of format === 'gzip' ? gzipPieces(chunks) : plainPieces(chunks)) {
      await settled()
      if (bytes.length === 0) {
        await inflated(inflater.close())
        if (format === 'gzip' ? inflater.lacks(endsWith as number) !== 0 : !inflater.hasSum(last)) throw followed()
        yield* blocks(inflater.take())
        return
      }
      if (endsWith !== null && inflater.isUsed() && (await hasBecome(endsWith))) {
        await inflated(inflater.close())
        if (inflater.lacks(endsWith) !== 0) throw followed()
        yield* blocks(inflater.take())
        inflater = openInflater(format, limit)
      }
      const taken = inflater.take()
      compressed += bytes.length
      last = bytes.length < 4 ? Uint8Array.of(...last, ...bytes).subarray(-4) : bytes.subarray(-4)
      // Node decompresses in another thread, while the receiver has what came of the piece before.
      written = inflated(inflater.write(bytes))
      written.catch(() => {})
      yield* blocks(taken)
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

function* blocks(chunks: readonly Uint8Array[]): Generator<Uint8Array, void, void> {
  let from = 0
  while (from < chunks.length) {
    let to = from
    let byteLength = 0
    while (to < chunks.length && (to === from || byteLength + chunks[to].length <= BLOCK_BYTES)) {
      byteLength += chunks[to++].length
    }
    const block = new Uint8Array(byteLength)
    for (let at = 0; from < to; at += chunks[from++].length) block.set(chunks[from], at)
    yield block
  }
}
