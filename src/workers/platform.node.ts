/** Node.js: worker threads, whose `exit` and `error` events tell of their end, and files by descriptor. */
import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parentPort, Worker } from 'node:worker_threads'
import type { Endpoint } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { ByteSource } from '../formats/byte-source.js'
import type { Platform, WorkerHandle, WorkerOrigin } from './platform.js'

/** A module as a URL. The sourceURL keeps stack traces readable: without it each frame holds the whole text. */
const textUrl = (text: string) =>
  `data:text/javascript;base64,${Buffer.from(`${text}\n//# sourceURL=millrace-lane.js`).toString('base64')}`

function makeWorker(origin: WorkerOrigin): Worker {
  if (origin.kind === 'factory') return origin.make() as Worker
  const url = origin.kind === 'text' ? textUrl(origin.text) : origin.url
  // A string is a path to Node unless it is a URL object.
  return new Worker(typeof url === 'string' && /^(data|file):/.test(url) ? new URL(url) : url)
}

function startWorker(origin: WorkerOrigin): WorkerHandle {
  const worker = makeWorker(origin)
  let listener: ((reason: Error | null) => void) | null = null
  let death: { reason: Error | null } | null = null
  let terminated = false
  const die = (reason: Error | null) => {
    if (death !== null || terminated) return
    death = { reason }
    listener?.(reason)
  }
  worker.on('error', error => die(error instanceof Error ? error : new Error(String(error))))
  worker.on('exit', () => die(null))
  return {
    endpoint: nodeEndpoint(worker as never) as Endpoint,
    onDeath(next) {
      listener = next
      if (death !== null) next(death.reason)
    },
    watchLock() {},
    keepAlive: on => (on ? worker.ref() : worker.unref()),
    async terminate() {
      terminated = true
      await worker.terminate()
    },
  }
}

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

export const platform: Platform = {
  startWorker,
  ownEndpoint: () => nodeEndpoint(parentPort as never) as Endpoint,
  holdLock: async () => null,
  seesDeath: true,
  importText: text => import(/* @vite-ignore */ textUrl(text)),
  openFile,
  baseUrl: null,
  coreCount: availableParallelism,
}
