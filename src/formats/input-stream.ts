/** Streams of bytes that users give: what may be in them, that they are read once, and what it means when they fail. */
import { MillraceError, quote } from '../errors.js'

/** @throws MillraceError `MR_TYPE_MISMATCH` for what is no bytes, `MR_SOURCE_CONSUMED` for bytes that have been transferred. */
export function bytesOf(chunk: unknown, name: string): Uint8Array {
  try {
    if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  } catch (error) {
    const what = `${name} given as an input has been transferred to another thread, and nothing of it is left; give a copy to one of them`
    throw new MillraceError('MR_SOURCE_CONSUMED', what, {}, error)
  }
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `${name} given as an input is of ${typeof chunk === 'string' ? 'strings' : `values such as ${quote(String(chunk))}`}, and not of bytes; pipe text through a TextEncoderStream`,
  )
}

export function consumed(name: string): MillraceError {
  return new MillraceError('MR_SOURCE_CONSUMED', `${name} given as an input has been read already; give a new one`)
}

/** Of what a stream of the user's failed. */
export function streamFailed(name: string, byteOffset: number, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError(
    'MR_SOURCE_FAILED',
    `${name} given as an input failed after ${byteOffset} bytes: ${reason}`,
    { byteOffset },
    cause,
  )
}

const iterated = new WeakSet<object>()

/**
 * An iterable as a stream, whose next chunk is asked for when it is read; a stream that is left ends the iteration.
 * @throws MillraceError `MR_SOURCE_CONSUMED` the second time.
 */
export function streamOf(iterable: AsyncIterable<unknown>, name: string): ReadableStream<Uint8Array> {
  if (iterated.has(iterable)) throw consumed(name)
  iterated.add(iterable)
  let iterator: AsyncIterator<unknown> | null = null
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        iterator ??= iterable[Symbol.asyncIterator]()
        const next = await iterator.next()
        if (next.done) controller.close()
        else controller.enqueue(bytesOf(next.value, name))
      },
      async cancel() {
        await iterator?.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
