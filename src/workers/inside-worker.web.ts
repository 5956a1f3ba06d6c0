/** Inside a web worker: a Web Lock as its death notice, and text as a module. start-worker.web.ts is the other side. */
import type { Endpoint } from 'comlink'
import type { InsideWorker } from './platform.js'
import { locks, textUrl } from './start-worker.web.js'

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

export const inside: InsideWorker = {
  ownEndpoint: () => globalThis as unknown as Endpoint,
  holdLock,
  openFile: null,
  async importText(text) {
    const url = textUrl(text)
    try {
      return await import(/* @vite-ignore */ url)
    } finally {
      URL.revokeObjectURL(url)
    }
  },
}
