/** A `WritableStream` as what batches, or the bytes made of them, go into, as fast as it takes them. */
import { MillraceError } from '../errors.js'
import { type Sink, sinkFailed } from './sink.js'

export interface ChunkWriter<T> {
  /** Rejects when the stream fails, be it that nothing is being written. */
  readonly gone: Promise<unknown>
  /** Resolves when the stream wants more. */
  write(chunk: T): Promise<void>
  close(): Promise<void>
  abort(reason: unknown): Promise<void>
}

/** @throws MillraceError `MR_SINK_FAILED` where another writer has the stream */
export function openStream<T>(stream: WritableStream<T>, place: string): ChunkWriter<T> {
  if (stream.locked) {
    throw new MillraceError('MR_SINK_FAILED', `${place} is being written to by another: its lock is taken`, {
      file: place,
    })
  }
  const writer = stream.getWriter()
  const gone = writer.closed.catch(error => {
    throw sinkFailed(place, 'written to', error)
  })
  // Told where it is awaited.
  gone.catch(() => {})
  return {
    gone,
    async write(chunk) {
      try {
        await writer.ready
        writer.write(chunk).catch(() => {})
        // By its queuing strategy, not by its last chunk: it may work on some while others come.
        await writer.ready
      } catch (error) {
        throw sinkFailed(place, 'written to', error)
      }
    },
    async close() {
      try {
        await writer.close()
      } catch (error) {
        throw sinkFailed(place, 'written to', error)
      }
    },
    // One that has failed already says so once more.
    abort: reason => writer.abort(reason).catch(() => {}),
  }
}

/** Batches themselves, in order. */
export const streamSink = (stream: WritableStream): Sink => ({
  async open() {
    return openStream(stream, 'the WritableStream')
  },
  fail: reason => stream.abort(reason),
})
