/** Files that are followed, in Node.js: sources/live/tail.ts reads them. */
import { open, stat } from 'node:fs/promises'
import { MillraceError, quote } from '../errors.js'
import type { TailFiles } from '../sources/live/tail.js'

const CHUNK_BYTES = 2 ** 16

export const tailFiles: TailFiles | null = {
  async open(path) {
    const handle = await open(path, 'r').catch(error => absent(error, path))
    if (handle === null) return null
    const buffer = new Uint8Array(CHUNK_BYTES)
    try {
      const { dev, ino } = await handle.stat()
      return {
        identity: `${dev}:${ino}`,
        size: async () => (await handle.stat()).size,
        async read(position) {
          const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position).catch(error => refuse(error, path))
          return buffer.subarray(0, bytesRead)
        },
        close: () => handle.close(),
      }
    } catch (error) {
      await handle.close()
      return refuse(error, path)
    }
  },
  async identityOf(path) {
    const found = await stat(path).catch(error => absent(error, path))
    return found === null ? null : `${found.dev}:${found.ino}`
  },
}

function absent(error: unknown, path: string): null {
  if ((error as { code?: string }).code === 'ENOENT') return null
  return refuse(error, path)
}

function refuse(error: unknown, path: string): never {
  throw new MillraceError(
    'MR_SOURCE_FAILED',
    `tail: ${quote(path)} cannot be read: ${(error as Error).message}`,
    { operator: 'tail', file: path },
    error,
  )
}
