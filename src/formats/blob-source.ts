/** A `Blob` or `File`: by slices at random positions, by one stream where reading goes on. */
import type { ByteSource } from './byte-source.js'
import { inputName } from './input-name.js'
import { unlessAborted } from './unless-aborted.js'
import { unread } from './unread.js'

/** Read at a time into what is not the source's own. */
const STREAM_BYTES = 2 ** 20

interface Cursor {
  at: number
  readonly reader: ReadableStreamBYOBReader
}

/**
 * A slice costs Chromium some milliseconds of messages, whatever its length: 1 MB at a time came at 0.3 GB/s from memory, by one stream into one buffer
 * at 2.4 GB/s. Node.js has it the other way round: 2.4 GB/s by slices, 0.2 by a stream into a buffer.
 * @param streams whether reading on where the last one ended is by a stream.
 */
export function blobSource(blob: Blob, streams = true): ByteSource {
  const name = inputName({ kind: 'blob', blob })
  let cursor: Cursor | null = null
  let isBusy = false

  const read = async (from: number, to: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> => {
    signal?.throwIfAborted()
    try {
      return new Uint8Array(await unlessAborted(blob.slice(from, to).arrayBuffer(), signal))
    } catch (error) {
      signal?.throwIfAborted()
      throw unread(name, from, error)
    }
  }

  const leave = () => {
    cursor?.reader.cancel().catch(() => {})
    cursor = null
  }

  /** Null where streams of blobs cannot be read into a buffer. */
  const seek = (from: number): Cursor | null => {
    if (cursor?.at === from) return cursor
    leave()
    try {
      const reader = blob.slice(from).stream().getReader({ mode: 'byob' })
      cursor = { at: from, reader }
    } catch {}
    return cursor
  }

  const readOn = async (to: Cursor, given: ArrayBuffer, byteLength: number, signal: AbortSignal | undefined) => {
    let buffer = given
    for (let filled = 0; filled < byteLength; ) {
      const view = new Uint8Array(buffer, filled, byteLength - filled)
      const { done, value } = await unlessAborted(to.reader.read(view), signal)
      if (done || value === undefined) throw new Error('it ends early')
      filled += value.length
      to.at += value.length
      buffer = value.buffer as ArrayBuffer
    }
    return new Uint8Array(buffer, 0, byteLength)
  }

  const readBy = async (buffer: ArrayBuffer, most: number, from: number, signal?: AbortSignal) => {
    signal?.throwIfAborted()
    const byteLength = Math.max(0, Math.min(most, blob.size - from))
    if (byteLength === 0) return new Uint8Array(buffer, 0, 0)
    // One at a time: who comes between has a slice.
    const stream = isBusy || !streams ? null : seek(from)
    if (stream === null) return read(from, from + byteLength, signal)
    isBusy = true
    try {
      return await readOn(stream, buffer, byteLength, signal)
    } catch (error) {
      leave()
      signal?.throwIfAborted()
      throw unread(name, from, error)
    } finally {
      isBusy = false
    }
  }

  return {
    byteLength: async () => blob.size,
    read,
    readBy,
    async readInto(target, from, signal) {
      let buffer = new ArrayBuffer(Math.min(STREAM_BYTES, target.length))
      for (let filled = 0; filled < target.length; ) {
        const bytes = await readBy(buffer, Math.min(STREAM_BYTES, target.length - filled), from + filled, signal)
        if (bytes.length === 0) return filled
        target.set(bytes, filled)
        filled += bytes.length
        buffer = bytes.buffer
      }
      return target.length
    },
    async close() {
      leave()
    },
  }
}
