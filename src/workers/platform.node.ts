/** Node.js: files by descriptor. start-worker.node.ts starts worker threads, inside-worker.node.ts is for their inside. */
import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { type ByteSource, openInput } from '../formats/byte-source.js'
import { describeInput } from '../formats/input.js'
import type { Platform } from './platform.js'

async function openFile(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r')
  return {
    async byteLength() {
      return (await handle.stat()).size
    },
    async read(from, to) {
      const bytes = new Uint8Array(to - from)
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, from + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return filled === bytes.length ? bytes : bytes.subarray(0, filled)
    },
    async close() {
      await handle.close()
    },
  }
}

async function readFile(address: string | URL): Promise<BufferSource | null> {
  const input = await describeInput(address, null)
  if (input.kind !== 'path') return null
  const file = await openInput(input, openFile)
  try {
    return (await file.read(0, await file.byteLength())) as BufferSource
  } finally {
    await file.close()
  }
}

export const platform: Platform = {
  readFile,
  openFile,
  baseUrl: null,
  coreCount: availableParallelism,
}
