/**
 * What a runtime must offer: threads, files and a core count. `#platform` is platform.node.ts or platform.web.ts, chosen by the `imports` map
 * of package.json and never by sniffing globals.
 */
import type { Endpoint } from 'comlink'
import type { OpenFile } from '../formats/byte-source.js'

/** Where a worker's code comes from: the inlined text, a published file, or a factory of the user's. */
export type WorkerOrigin =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'url'; readonly url: string | URL }
  | { readonly kind: 'factory'; readonly make: () => unknown }

export interface WorkerHandle {
  /** Comlink's end for control calls. */
  readonly endpoint: Endpoint
  /**
   * Calls `listener` once when the worker has ended or failed, with the reason where one is known, also after the fact.
   * Not called for a `terminate` of our own.
   */
  onDeath(listener: (reason: Error | null) => void): void
  /** Browsers fire no event when a worker is terminated: waits for the release of a lock that the worker holds. No effect in Node. */
  watchLock(name: string): void
  /** Node: whether the worker keeps the process alive. No effect in browsers. */
  keepAlive(on: boolean): void
  terminate(): Promise<void>
}

/** `startWorker` of `#start-worker`, which is chosen as `#platform` is, and apart from it: whoever runs inline starts none. */
export type StartWorker = (origin: WorkerOrigin) => WorkerHandle

/** `#inside-worker`, likewise: what only a worker needs. */
export interface InsideWorker {
  /** Comlink's end towards whoever started it. */
  ownEndpoint(): Endpoint
  /**
   * Holds a lock until the worker ends, so that its end is seen. Resolves to its name once it is held, or to null where
   * ends are seen otherwise (Node) or locks do not exist (an insecure page).
   */
  holdLock(): Promise<string | null>
  /** As a platform's, but reading blocks the worker, which is quicker. */
  readonly openFile: OpenFile | null
  importText(text: string): Promise<unknown>
}

export interface Platform {
  /**
   * The bytes of a file, by its path or its `file:` URL; null for another URL, and where there are no files.
   * @throws MillraceError `MR_INVALID_OPTION` where it cannot be read.
   */
  readFile(address: string | URL): Promise<BufferSource | null>
  /** Null where there are no paths. */
  readonly openFile: OpenFile | null
  /** What relative addresses are relative to; null where strings are paths. */
  readonly baseUrl: string | null
  coreCount(): number
}
