/** Files of Node.js, read by threads of its pool, or in a lane's worker by the worker itself. */
import { readSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { MillraceError, quote } from '../errors.js'
import type { ByteSource } from '../formats/byte-source.js'
import { unread } from '../formats/unread.js'

/** Opens a file to be read without blocking the calling thread. @throws what the file system throws; MillraceError `MR_INVALID_OPTION` for what is no file. */
export const openFile = (path: string): Promise<ByteSource> => opened(path, readLater)

/**
 * Opens one to be read on the spot, for threads that have nothing else to do: without the way to the pool and back, which is long when that is busy. From the
 * page cache 1 MB at a time comes at 7 GB/s into a buffer or an instance's memory that is there already, at 4 into new buffers.
 */
export async function openFileToBlock(path: string): Promise<ByteSource> {
  const source = await opened(path, readNow)
  return { ...source, readsNow: (target, from) => source.readInto?.(target, from) as number }
}

type ReadAt = (handle: FileHandle, target: Uint8Array, from: number) => number | Promise<number>

async function opened(path: string, readAt: ReadAt): Promise<ByteSource> {
  // Before it is opened: of a pipe that would wait for its writer.
  const found = await stat(path)
  if (!found.isFile()) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      found.isDirectory()
        ? `${quote(path)} is a folder; its files are read by a pattern such as ${quote(`${path.replace(/[\\/]$/, '')}/*`)}`
        : `${quote(path)} is no regular file; give it as a stream, as createReadStream(${quote(path)})`,
      { file: path },
    )
  }
  const handle = await open(path, 'r')
  let isOpen = true
  const check = (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted()
    if (!isOpen) throw new MillraceError('MR_CLOSED', `${quote(path)} has been closed`, { file: path })
  }
  const failed = (from: number, error: unknown) => (isOpen ? unread(path, from, error) : error)
  const readInto = (target: Uint8Array, from: number): number | Promise<number> => {
    try {
      const read = readAt(handle, target, from)
      return typeof read === 'number'
        ? read
        : read.catch(error => {
            throw failed(from, error)
          })
    } catch (error) {
      throw failed(from, error)
    }
  }
  return {
    async byteLength() {
      return (await handle.stat()).size
    },
    async read(from, to, signal) {
      check(signal)
      const bytes = new Uint8Array(to - from)
      const read = await readInto(bytes, from)
      return read === bytes.length ? bytes : bytes.subarray(0, read)
    },
    readInto(target, from, signal) {
      check(signal)
      return readInto(target, from)
    },
    async close() {
      isOpen = false
      await handle.close()
    },
  }
}

/** The system may give fewer bytes than were asked for; none at the end. */
function readNow({ fd }: FileHandle, target: Uint8Array, from: number): number {
  let filled = 0
  while (filled < target.length) {
    const read = readSync(fd, target, filled, target.length - filled, from + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}

async function readLater(handle: FileHandle, target: Uint8Array, from: number): Promise<number> {
  let filled = 0
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
