/** Workers in Node.js: worker threads, whose `exit` and `error` events tell of their end. inside-worker.node.ts is the other side. */
import { Worker } from 'node:worker_threads'
import type { Endpoint } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { StartWorker, WorkerOrigin } from './platform.js'

/** A module as a URL. The sourceURL keeps stack traces readable: without it each frame holds the whole text. */
export const textUrl = (text: string) =>
  `data:text/javascript;base64,${Buffer.from(`${text}\n//# sourceURL=millrace-lane.js`).toString('base64')}`

/** Whether the end of a worker is always noticed. */
export const seesDeath = (): boolean => true

function makeWorker(origin: WorkerOrigin): Worker {
  if (origin.kind === 'factory') return origin.make() as Worker
  const url = origin.kind === 'text' ? textUrl(origin.text) : origin.url
  // Of a program that is no file Node hands its kind on to workers, and refuses it then for those that are files.
  const options = process.execArgv.some(arg => arg.startsWith('--input-type')) ? { execArgv: [] } : {}
  // A string is a path to Node unless it is a URL object.
  return new Worker(typeof url === 'string' && /^(data|file):/.test(url) ? new URL(url) : url, options)
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
    keepAlive(on) {
      // The end of a worker is told by the worker: a process that waits for it must not be over before.
      if (terminated) return
      if (on) worker.ref()
      else worker.unref()
    },
    async terminate() {
      terminated = true
      worker.ref()
      await worker.terminate()
    },
  }
}
