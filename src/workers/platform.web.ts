/** Browsers, and whatever else has web workers: a Web Lock per worker as its death notice. start-worker.web.ts starts them. */
import type { Endpoint } from 'comlink'
import type { Platform } from './platform.js'

/** A script as a URL; whoever made it revokes it. */
export const textUrl = (text: string) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))

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
  readFile: async () => null,
  openFile: null,
  get baseUrl() {
    const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } }
    return document?.baseURI ?? location?.href ?? 'http://localhost/'
  },
  coreCount: () => (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1,
}
