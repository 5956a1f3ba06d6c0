/** Browsers (and whatever else has web workers): blob-URL module workers, and a Web Lock per worker as its death notice. */
import type { Endpoint } from 'comlink'
import type { Platform, WorkerHandle, WorkerOrigin } from './platform.js'

const textUrl = (text: string) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))

function makeWorker(origin: WorkerOrigin): { worker: Worker; revoke: () => void } {
  if (origin.kind === 'factory') return { worker: origin.make() as Worker, revoke() {} }
  if (origin.kind === 'url') return { worker: new Worker(origin.url, { type: 'module' }), revoke() {} }
  const url = textUrl(origin.text)
  return { worker: new Worker(url, { type: 'module' }), revoke: () => URL.revokeObjectURL(url) }
}

function startWorker(origin: WorkerOrigin): WorkerHandle {
  const { worker, revoke } = makeWorker(origin)
  let listener: ((reason: Error | null) => void) | null = null
  let death: { reason: Error | null } | null = null
  let terminated = false
  const waiting = new AbortController()
  const die = (reason: Error | null) => {
    if (death !== null || terminated) return
    death = { reason }
    revoke()
    listener?.(reason)
  }
  // A worker that CSP refuses, and one whose script fails, say so by this event and by no exception.
  worker.addEventListener('error', event => {
    event.preventDefault()
    die(new Error(event.message || 'the worker could not be started'))
  })
  // A module worker's URL must live until its script has been fetched: its first message proves that.
  worker.addEventListener('message', revoke, { once: true })
  return {
    endpoint: worker as unknown as Endpoint,
    onDeath(next) {
      listener = next
      if (death !== null) next(death.reason)
    },
    watchLock(name) {
      navigator.locks.request(name, { signal: waiting.signal }, () => die(null)).catch(() => {})
    },
    keepAlive() {},
    async terminate() {
      terminated = true
      waiting.abort()
      revoke()
      worker.terminate()
    },
  }
}

const locks = () => (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks

function holdLock(): Promise<string | null> {
  const manager = locks()
  if (manager === undefined) return Promise.resolve(null)
  const name = `millrace-lane-${crypto.randomUUID()}`
  return new Promise(resolve => {
    manager
      .request(name, () => {
        resolve(name)
        return new Promise(() => {}) // held until the worker ends
      })
      .catch(() => resolve(null))
  })
}

export const platform: Platform = {
  startWorker,
  ownEndpoint: () => globalThis as unknown as Endpoint,
  holdLock,
  get seesDeath() {
    return locks() !== undefined
  },
  async importText(text) {
    const url = textUrl(text)
    try {
      return await import(/* @vite-ignore */ url)
    } finally {
      URL.revokeObjectURL(url)
    }
  },
  openFile: null,
  get baseUrl() {
    const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } }
    return document?.baseURI ?? location?.href ?? 'http://localhost/'
  },
  coreCount: () => (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1,
}
