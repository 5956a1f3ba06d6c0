/** Exposes a `Lane` through Comlink: the control calls of a worker, each answered by an envelope that keeps errors whole. */

import { expose } from 'comlink'
import { inside } from '#inside-worker'
import { platform } from '#platform'
import { serialiseError } from '../errors.js'
import { LaneDictionary } from '../kernels/text.js'
import { compileExpression, compilePredicate } from '../operators/evaluate.js'
import { Lane } from './lane.js'
import { messagePort } from './port.js'
import type { LaneControl, Reply } from './protocol.js'
import type { FormatModule } from './split-reader.js'

/** @param loadExtension from its name and, where the caller sent one, its text. */
export function serveLane(loadExtension: (name: string, text: string | null) => Promise<unknown>): void {
  const lane = new Lane(platform.openFile, {
    evaluator: async () => ({ compileExpression, compilePredicate }),
    text: async () => ({ LaneDictionary }),
  })
  const control: LaneControl = {
    open: options =>
      reply(async () => {
        lane.open(options)
        return { lock: await inside.holdLock() }
      }),
    addExtension: (name, text) =>
      reply(async () => {
        if (!lane.extensions.has(name)) lane.extensions.set(name, (await loadExtension(name, text)) as FormatModule)
        return null
      }),
    start: (job, data, gather) =>
      reply(() => {
        lane.start(job, { data: messagePort(data), gather: gather.map(messagePort) })
        return null
      }),
    release: table =>
      reply(() => {
        lane.release(table)
        return null
      }),
    ping: () => reply(() => null),
  }
  expose(control, inside.ownEndpoint())
}

async function reply<T>(run: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { value: await run() }
  } catch (error) {
    return { error: serialiseError(error) }
  }
}
