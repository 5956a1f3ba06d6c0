/** Inside a worker thread: its port, and text as a module. start-worker.node.ts is the other side, and sees its end. */
import { parentPort } from 'node:worker_threads'
import type { Endpoint } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { openFileToBlock } from './open-file.node.js'
import type { InsideWorker } from './platform.js'
import { textUrl } from './start-worker.node.js'

export const inside: InsideWorker = {
  ownEndpoint: () => nodeEndpoint(parentPort as never) as Endpoint,
  holdLock: async () => null,
  openFile: openFileToBlock,
  importText: text => import(/* @vite-ignore */ textUrl(text)),
}
