/** Workers in Node.js: worker threads, whose `exit` and `error` events tell of their end. platform.node.ts is the rest of the platform. */
import { Worker } from 'node:worker_threads'
import type { Endpoint } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { StartWorker, WorkerOrigin } from './platform.js'
import { textUrl } from './platform.node.js'

function makeWorker(origin: WorkerOrigin): Worker {
  if (origin.kind === 'factory') return origin.make() as Worker
  const url = origin.kind === 'text' ? textUrl(origin.text) : origin.url
  // A string is a path to Node unless it is a URL object.
  return new Worker(typeof url === 'string' && /^(data|file):/.test(url) ? new URL(url) : url)
}

export const startWorker: StartWorker = origin => {
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
