/** Node.js: files by descriptor. start-worker.node.ts starts worker threads, inside-worker.node.ts is for their inside. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { unopened } from '../formats/unread.js'
import { openFile } from './open-file.node.js'
import type { Platform } from './platform.js'

async function readFile(address: string | URL): Promise<BufferSource | null> {
  const path = pathOf(address)
  if (path === null) return null
  const file = await openFile(path).catch(error => {
    throw unopened(path, error)
  })
  try {
    return (await file.read(0, await file.byteLength())) as BufferSource
  } finally {
    await file.close()
  }
}

function pathOf(address: string | URL): string | null {
  // One letter before the colon is a drive of Windows, not a scheme.
  if (typeof address === 'string' && !/^[a-z][a-z0-9+.-]+:/i.test(address)) return address
  return /^file:/i.test(String(address)) ? fileURLToPath(address) : null
}

export const platform: Platform = {
  readFile,
  openFile,
  baseUrl: null,
  coreCount: availableParallelism,
}
