/**
 * The caller's side of one lane, in a worker or inline: control calls that never hang, a data port for each job, and a notice when the lane dies.
 */

import { type Remote, releaseProxy, transfer, wrap } from 'comlink'
import { platform } from '#platform'
import { deserialiseError, MillraceError } from '../errors.js'
import type { WorkerHandle, WorkerOrigin } from './platform.js'
import { localPorts, messagePort, type Port } from './port.js'
import type { JobSpec, LaneControl, LaneOptions, Reply } from './protocol.js'
import type { FormatModule } from './split-reader.js'

/** Between heartbeats, where the end of a worker is not seen otherwise; and how long a lane may be silent, being busy with one long step. */
const HEARTBEAT_MS = 1_000
const SILENCE_MS = 10_000

export interface LaneClient {
  /** In the calling thread: messages need not be copied. */
  readonly inline: boolean
  /** Starts a job and gives its data port. `gather` are the lane's ends of the channels to other lanes. */
  start(spec: JobSpec, gather: readonly MessagePort[]): Port
  /** Has the lane load an extension, once. */
  addExtension(name: 'parquet'): Promise<void>
  release(table: number): void
  /** Whether the lane keeps a Node process alive. */
  keepAlive(on: boolean): void
  /** Ends the lane, and rejects what is pending. */
  terminate(): Promise<void>
}

/** A lane in the calling thread. @throws MillraceError `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT` */
export async function openInlineLane(options: LaneOptions): Promise<LaneClient> {
  // A chunk of its own: whoever has workers gets the lane as their text, and never loads this one.
  const { Lane } = await import('./lane.js')
  const lane = new Lane(platform.openFile)
  lane.open(options)
  return {
    inline: true,
    start(spec) {
      const [mine, its] = localPorts()
      lane.start(spec, { data: its, gather: [] })
      return mine
    },
    async addExtension(name) {
      if (!lane.extensions.has(name)) lane.extensions.set(name, await importExtension())
    },
    release: table => lane.release(table),
    keepAlive() {},
    async terminate() {},
  }
}

/**
 * A lane in a worker of its own.
 * @param onDeath called once if the lane dies without having been terminated.
 * @throws MillraceError `MR_LANE_FAILED` with the reason as its cause where the worker cannot be started; what `Lane.open` throws.
 */
export async function openWorkerLane(
  origin: WorkerOrigin,
  options: LaneOptions,
  onDeath: (error: MillraceError) => void,
): Promise<LaneClient> {
  const handle = startWorker(origin)
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
  try {
    const { lock } = await calls.run(() => control.open(options))
    if (lock !== null) handle.watchLock(lock)
    else if (!platform.seesDeath) heartbeat = startHeartbeat(control, die)
    opened = true
  } catch (error) {
    clearInterval(heartbeat)
    await handle.terminate()
    throw error
  }
  const extensions = new Map<string, Promise<unknown>>()
  return {
    inline: false,
    start(spec, gather) {
      const { port1, port2 } = new MessageChannel()
      // A failure to start is the lane's death or a bug: either ends the job through the pool.
      calls.run(() => control.start(spec, transfer(port2, [port2]), transfer([...gather], [...gather]))).catch(die)
      return messagePort(port1)
    },
    async addExtension(name) {
      let adding = extensions.get(name)
      if (adding === undefined) {
        adding = extensionText(origin).then(text => calls.run(() => control.addExtension(name, text)))
        extensions.set(name, adding)
        adding.catch(() => extensions.delete(name))
      }
      await adding
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

function startWorker(origin: WorkerOrigin): WorkerHandle {
  try {
    return platform.startWorker(origin)
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

/** The text of the parquet extension for a worker that was itself started from text; a worker file has its own chunk. */
async function extensionText(origin: WorkerOrigin): Promise<string | null> {
  return origin.kind === 'text' ? (await import('virtual:millrace/lane/parquet')).laneSource : null
}

async function importExtension(): Promise<FormatModule> {
  return import('../formats/parquet/lane-extension.js')
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
