/** Browsers, and whatever else has web workers. start-worker.web.ts starts these, inside-worker.web.ts is for their inside. */
import type { Platform } from './platform.js'

export const platform: Platform = {
  readFile: async () => null,
  openFile: null,
  get baseUrl() {
    const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } }
    return document?.baseURI ?? location?.href ?? 'http://localhost/'
  },
  coreCount: () => (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1,
}
