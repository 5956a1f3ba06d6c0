/** Exposes a `Lane` through Comlink: the control calls of a worker, each answered by an envelope that keeps errors whole. */

import { expose } from 'comlink'
import { inside } from '#inside-worker'
import { serialiseError } from '../errors.js'
import { Lane, type LaneParts, type PartName } from './lane.js'
import { messagePort } from './port.js'
import type { LaneControl, Reply } from './protocol.js'

/** @param loadPart from its name and, where the caller sent one, its text. */
export function serveLane(loadPart: (name: PartName, text: string | null) => Promise<unknown>): void {
  const lane = new Lane(inside.openFile)
  const control: LaneControl = {
    open: options =>
      reply(async () => {
        lane.open(options)
        return { lock: await inside.holdLock() }
      }),
    add: (name, text, kernels) =>
      reply(async () => {
        lane.add(name, (await loadPart(name, text)) as LaneParts[typeof name], kernels)
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
