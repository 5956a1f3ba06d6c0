/** Some lanes opened together. They live and die together: a job uses all of them, so when one fails the pool is closed and another takes its place. */
import { MillraceError } from '../errors.js'
import type { LaneReader } from '../formats/format.js'
import type { PlanPart } from '../plan/needs.js'
import { compiledKernels, type LaneKernels } from './configure.js'
import { type LaneClient, openInlineLane } from './lane-client.js'
import type { LaneOptions } from './protocol.js'

export interface Pool {
  /** At least one; exactly one where it is inline. */
  readonly lanes: readonly LaneClient[]
  readonly inline: boolean
  /** Has all lanes load a part, or what reads a source, once. */
  add(part: PlanPart | LaneReader): Promise<unknown>
  /** Why the pool can no longer be used, once it cannot. */
  readonly failure: Error | null
  /** Calls back once when the pool fails or is closed; also after the fact. Returns what takes the listener away. */
  onEnd(listener: (error: Error) => void): () => void
  /** Ends every lane; whoever still uses them is told `reason`. Idempotent. */
  close(reason: Error): Promise<void>
}

export interface PoolOptions {
  /** 0: inline. */
  readonly lanes: number
  /** For all lanes together; undefined: as much as 32-bit pointers reach. */
  readonly memoryBytes: number | undefined
  /** Seeds the group tables; undefined: random. */
  readonly seed?: number
  /** Gives up the opening, with its reason; no worker is left. */
  readonly signal?: AbortSignal
}

let warned = false

/**
 * Opens the lanes. Where workers are refused (a content security policy) there is one inline lane instead, which is said once on the console.
 * @throws MillraceError `MR_WASM_BLOCKED`, `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT`
 */
export async function openPool({ lanes, memoryBytes, seed, signal }: PoolOptions): Promise<Pool> {
  const kernels = await compiledKernels()
  const options: LaneOptions = {
    kernels: kernels.module,
    seed: seed ?? Math.floor(Math.random() * 2 ** 32),
    maximumBytes: Math.min(2 ** 32, Math.floor((memoryBytes ?? Infinity) / Math.max(1, lanes))),
  }
  if (lanes > 0) {
    try {
      return await openWorkers(lanes, kernels, options, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof MillraceError) || error.code !== 'MR_LANE_FAILED') throw error
      if (!warned)
        console.warn(`millrace: workers cannot be started here, so jobs run inline, in this thread. ${error.message}`)
      warned = true
    }
  }
  return createPool([await openInlineLane(options)], true, kernels).pool
}

async function openWorkers(
  count: number,
  kernels: LaneKernels,
  options: LaneOptions,
  signal: AbortSignal | undefined,
): Promise<Pool> {
  let fail = (_error: Error) => {}
  const { openWorkerLanes } = await import('./worker-lanes.js')
  const lanes = await openWorkerLanes(count, options, error => fail(error), signal)
  const created = createPool(lanes, false, kernels)
  fail = created.fail
  return created.pool
}

function createPool(
  lanes: readonly LaneClient[],
  inline: boolean,
  kernels: LaneKernels,
): { pool: Pool; fail: (error: Error) => void } {
  const parts = new Map<string, Promise<unknown>>()
  const listeners = new Set<(error: Error) => void>()
  let failure: Error | null = null
  let closing: Promise<unknown> | null = null
  const close = async (reason: Error) => {
    if (closing === null) {
      failure = reason
      for (const listener of listeners) listener(reason)
      listeners.clear()
      closing = Promise.all(lanes.map(lane => lane.terminate()))
      // Lanes that were ended in the middle of a job could not.
      if (parts.has('spill')) void closing.then(async () => (await import('#spill-file')).spillPlatform.sweep())
    }
    await closing
  }
  const pool: Pool = {
    lanes,
    inline,
    add(part) {
      const name = typeof part === 'object' ? part.name : part
      let adding = parts.get(name)
      if (adding === undefined) {
        const module = kernels.part(name, typeof part === 'object' ? part.kernels : undefined)
        adding = Promise.all(lanes.map(lane => lane.add(part, module)))
        adding.catch(() => parts.delete(name))
        parts.set(name, adding)
      }
      return adding
    },
    get failure() {
      return failure
    },
    onEnd(listener) {
      if (failure !== null) listener(failure)
      else listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close,
  }
  return { pool, fail: error => void close(error) }
}
