/**
 * The caller's side of lanes in workers: control calls that never hang, a data port for each job, and a notice when a lane dies. A chunk of its
 * own: whoever runs inline never loads it.
 */

import { type Remote, releaseProxy, wrap } from 'comlink'
import { seesDeath, startWorker } from '#start-worker'
import { deserialiseError, MillraceError } from '../errors.js'
import type { PlanPart } from '../plan/needs.js'
import { configuredWorker } from './configure.js'
import type { LaneClient } from './lane-client.js'
import type { WorkerHandle, WorkerOrigin } from './platform.js'
import { messagePort } from './port.js'
import type { LaneControl, LaneOptions, Reply, StartMessage } from './protocol.js'

/** Between heartbeats, where the end of a worker is not seen otherwise; and how long a lane may be silent, being busy with one long step. */
const HEARTBEAT_MS = 1_000
const SILENCE_MS = 10_000

/**
 * Lanes in workers of their own, opened together: all of them or none.
 * @param signal gives the opening up.
 * @param onDeath called whenever one dies without having been terminated.
 * @throws MillraceError `MR_LANE_FAILED` with the reason as its cause where a worker cannot be started; what `Lane.open` throws.
 */
export async function openWorkerLanes(
  count: number,
  options: LaneOptions,
  onDeath: (error: Error) => void,
  signal?: AbortSignal,
): Promise<LaneClient[]> {
  let died: Error | null = null
  const origin = await workerOrigin()
  const opening = Array.from({ length: count }, () =>
    openWorkerLane(origin, options, signal, error => {
      died ??= error
      onDeath(error)
    }),
  )
  const settled = await Promise.allSettled(opening)
  const lanes = settled.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  const refused = settled.find(each => each.status === 'rejected')?.reason ?? died
  if (refused !== null) {
    await Promise.all(lanes.map(lane => lane.terminate()))
    throw refused
  }
  for (const lane of lanes) lane.keepAlive(false)
  return lanes
}

/** The inlined text is a chunk of its own: whoever names a file never loads it. */
async function workerOrigin(): Promise<WorkerOrigin> {
  const worker = configuredWorker()
  if (worker === undefined) return { kind: 'text', text: (await import('virtual:millrace/worker')).workerSource }
  return typeof worker === 'function' ? { kind: 'factory', make: worker } : { kind: 'url', url: worker }
}

async function openWorkerLane(
  origin: WorkerOrigin,
  options: LaneOptions,
  signal: AbortSignal | undefined,
  onDeath: (error: MillraceError) => void,
): Promise<LaneClient> {
  const handle = start(origin)
  const calls = new Calls()
  // Held here as long as the lane is: Comlink ends a proxy that is collected.
  const control = wrap<LaneControl>(handle.endpoint)
  let heartbeat: ReturnType<typeof setInterval> | undefined
  let opened = false
  const end = () => {
    clearInterval(heartbeat)
    control[releaseProxy]()
  }
  let dead = false
  const die = (reason: Error | null) => {
    if (dead) return
    dead = true
    const error = laneFailed(reason)
    calls.end(error)
    clearInterval(heartbeat)
    if (opened) onDeath(error)
  }
  handle.onDeath(die)
  // A worker that is no lane never answers.
  const abort = () => die(signal?.reason)
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  try {
    const { lock } = await calls.run(() => control.open(options))
    if (lock !== null) handle.watchLock(lock)
    else if (!seesDeath()) heartbeat = startHeartbeat(control, die)
    opened = true
  } catch (error) {
    clearInterval(heartbeat)
    await handle.terminate()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  return {
    inline: false,
    start(spec, gather) {
      const { port1, port2 } = new MessageChannel()
      const message: StartMessage = { type: 'start', job: spec, data: port2, gather }
      const post = async () => handle.endpoint.postMessage(message, [port2, ...gather])
      // What cannot be sent is a bug, and ends the job through the pool.
      post().catch(die)
      return messagePort(port1)
    },
    async add(part, kernels) {
      const isFormat = typeof part === 'object'
      const name = isFormat ? part.name : part
      const load = isFormat ? part.text : PART_TEXTS[part]
      const [text, module] = await Promise.all([origin.kind === 'text' ? load() : null, kernels])
      await calls.run(() => control.add(name, text?.laneSource ?? null, module))
    },
    release(table) {
      calls.run(() => control.release(table)).catch(() => {})
    },
    keepAlive: on => handle.keepAlive(on),
    async terminate() {
      dead = true
      end()
      calls.end(new MillraceError('MR_CLOSED', 'the lane was closed'))
      await handle.terminate()
    },
  }
}

function start(origin: WorkerOrigin): WorkerHandle {
  try {
    return startWorker(origin)
  } catch (error) {
    throw laneFailed(error as Error)
  }
}

function laneFailed(reason: Error | null): MillraceError {
  if (reason instanceof MillraceError) return reason
  const why = reason === null ? 'its worker ended' : reason.message
  return new MillraceError(
    'MR_LANE_FAILED',
    `a lane failed: ${why}; the job was given up, and the next one starts fresh lanes`,
    {},
    reason ?? undefined,
  )
}

/** Texts for a worker that was itself started from text; a worker file has its own chunks. */
const PART_TEXTS: Record<PlanPart, () => Promise<{ laneSource: string }>> = {
  evaluate: () => import('virtual:millrace/lane/evaluate'),
  numbers: () => import('virtual:millrace/lane/numbers'),
  strings: () => import('virtual:millrace/lane/strings'),
  times: () => import('virtual:millrace/lane/times'),
  conditions: () => import('virtual:millrace/lane/conditions'),
  casts: () => import('virtual:millrace/lane/casts'),
  hashes: () => import('virtual:millrace/lane/hashes'),
  userKernels: () => import('virtual:millrace/lane/userKernels'),
  text: () => import('virtual:millrace/lane/text'),
  integers: () => import('virtual:millrace/lane/integers'),
  extremes: () => import('virtual:millrace/lane/extremes'),
  aggregates: () => import('virtual:millrace/lane/aggregates'),
  partitions: () => import('virtual:millrace/lane/partitions'),
  sets: () => import('virtual:millrace/lane/sets'),
  windows: () => import('virtual:millrace/lane/windows'),
  windowParts: () => import('virtual:millrace/lane/windowParts'),
  carried: () => import('virtual:millrace/lane/carried'),
  over: () => import('virtual:millrace/lane/over'),
  shapes: () => import('virtual:millrace/lane/shapes'),
  spill: () => import('virtual:millrace/lane/spill'),
  joins: () => import('virtual:millrace/lane/joins'),
  userCode: () => import('virtual:millrace/lane/userCode'),
}

function startHeartbeat(control: Remote<LaneControl>, die: (reason: Error) => void): ReturnType<typeof setInterval> {
  let lastSeen = performance.now()
  return setInterval(() => {
    if (performance.now() - lastSeen > SILENCE_MS) die(new Error(`it has been silent for ${SILENCE_MS / 1000} s`))
    control.ping().then(() => {
      lastSeen = performance.now()
    })
  }, HEARTBEAT_MS)
}

/** Pending control calls: Comlink leaves them pending for ever when a worker dies. */
class Calls {
  private readonly pending = new Set<(error: Error) => void>()
  private ended: Error | null = null

  async run<T>(call: () => Promise<Reply<T>>): Promise<T> {
    if (this.ended !== null) throw this.ended
    let reject: (error: Error) => void = () => {}
    const rejected = new Promise<never>((_, fail) => {
      reject = fail
    })
    this.pending.add(reject)
    try {
      const reply = await Promise.race([call(), rejected])
      if ('error' in reply) throw deserialiseError(reply.error)
      return reply.value
    } finally {
      this.pending.delete(reject)
    }
  }

  /** Rejects those that are pending, and all later ones. */
  end(error: Error): void {
    this.ended ??= error
    for (const reject of this.pending) reject(error)
    this.pending.clear()
  }
}
