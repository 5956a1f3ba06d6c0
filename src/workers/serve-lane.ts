/** Exposes a `Lane` through Comlink: the control calls of a worker, each answered by an envelope that keeps errors whole. */

import { expose } from 'comlink'
import { inside } from '#inside-worker'
import { MillraceError, serialiseError } from '../errors.js'
import { Lane, type LaneParts, type PartName } from './lane.js'
import { messagePort } from './port.js'
import type { LaneControl, Reply, StartMessage } from './protocol.js'

/**
 * @param loadPart from its name and, where the caller sent one, its text.
 * @param probe rejects where no part could be loaded: a page's policy may allow workers what it refuses to import in them.
 */
export function serveLane(
  loadPart: (name: PartName, text: string | null) => Promise<unknown>,
  probe?: () => Promise<unknown>,
): void {
  const lane = new Lane(inside.openFile)
  const control: LaneControl = {
    open: options =>
      reply(async () => {
        lane.open(options)
        await probe?.().catch(error => {
          throw new MillraceError('MR_LANE_FAILED', `a lane failed: its worker may import nothing: ${error}`, {}, error)
        })
        return { lock: await inside.holdLock() }
      }),
    add: (name, text, kernels) =>
      reply(async () => {
        lane.add(name, (await loadPart(name, text)) as LaneParts[typeof name], kernels)
        return null
      }),
    release: table =>
      reply(() => {
        lane.release(table)
        return null
      }),
    ping: () => reply(() => null),
  }
  const endpoint = inside.ownEndpoint()
  expose(control, endpoint)
  endpoint.addEventListener('message', event => {
    const { data: message } = event as MessageEvent<StartMessage | null>
    if (message?.type === 'start')
      lane.start(message.job, { gather: message.gather.map(messagePort), data: messagePort(message.data) })
  })
}

async function reply<T>(run: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { value: await run() }
  } catch (error) {
    return { error: serialiseError(error) }
  }
}
