/** Workers in browsers: module workers, by blob URLs where their text is inlined. inside-worker.web.ts is the other side. */
import type { Endpoint } from 'comlink'
import type { StartWorker, WorkerOrigin } from './platform.js'

/** A script as a URL; whoever made it revokes it. */
export const textUrl = (text: string) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))

export const locks = () => (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks

/** Whether the end of a worker is always noticed; otherwise the pool sends heartbeats. */
export const seesDeath = (): boolean => locks() !== undefined

function makeWorker(origin: WorkerOrigin): { worker: Worker; revoke: () => void } {
  if (origin.kind === 'factory') return { worker: origin.make() as Worker, revoke() {} }
  if (origin.kind === 'url') return { worker: new Worker(origin.url, { type: 'module' }), revoke() {} }
  const url = textUrl(origin.text)
  return { worker: new Worker(url, { type: 'module' }), revoke: () => URL.revokeObjectURL(url) }
}

export const startWorker: StartWorker = origin => {
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
