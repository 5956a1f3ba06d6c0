/** Node.js: files by descriptor, and the worker's end of worker threads. start-worker.node.ts starts them. */
import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { Endpoint } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { type ByteSource, openInput } from '../formats/byte-source.js'
import { describeInput } from '../formats/input.js'
import type { Platform } from './platform.js'

/** A module as a URL. The sourceURL keeps stack traces readable: without it each frame holds the whole text. */
export const textUrl = (text: string) =>
  `data:text/javascript;base64,${Buffer.from(`${text}\n//# sourceURL=millrace-lane.js`).toString('base64')}`

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
  ownEndpoint: () => nodeEndpoint(parentPort as never) as Endpoint,
  holdLock: async () => null,
  seesDeath: true,
  importText: text => import(/* @vite-ignore */ textUrl(text)),
  readFile,
  openFile,
  baseUrl: null,
  coreCount: availableParallelism,
}
