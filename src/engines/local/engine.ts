/**
 * Engines: a number of lanes to run jobs on. One made by `createEngine` lives until it is closed; the hidden ones, by which a terminal without
 * an `engine` runs, are shared and end themselves after some idle seconds.
 */
import { platform } from '#platform'
import { MillraceError } from '../../errors.js'
import type { LaneReader } from '../../formats/format.js'
import { partsFor } from '../../plan/needs.js'
import { openPool, type Pool } from '../../workers/pool.js'
import { startJob } from './job.js'
import type { JobRequest, JobResult, RunningJob } from './job-request.js'
import { checkOptions, type EngineOptions } from './options.js'
import { unlessAborted } from './unless-aborted.js'

/** A pool of lanes to reuse from job to job. */
export interface Engine extends AsyncDisposable {
  /** Workers; 0: jobs run inline, in the calling thread. */
  readonly lanes: number
  /** Ends the lanes. Jobs under way reject with `MR_CLOSED`, and so does every later one. Idempotent. */
  close(): Promise<void>
}

/** How long a hidden engine waits for another job. */
const IDLE_MS = 5_000
const MOST_DEFAULT_LANES = 16

/**
 * Opens a pool of lanes, to be used by `{ engine }` in any terminal and closed by `close()` or `await using`.
 *
 * ```ts
 * await using engine = await createEngine({ lanes: 2 })
 * const table = await flow.collect({ engine })
 * ```
 * @param options `lanes`: workers, by default as many as there are cores, at most 16; 0: inline. `memory`: bytes that all lanes together
 *   may ever take; what one job may take is the `memory` of its terminal. `spill`: the folder where jobs write what is beyond that (Node.js), by
 *   default that of temporary files; `false`: nowhere.
 * @throws MillraceError `MR_INVALID_OPTION`, `MR_WASM_BLOCKED`, `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT`
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkOptions('createEngine', options, ['lanes', 'memory', 'spill'])
  const { lanes = defaultLanes(), memory, spill = null } = options
  const engine = new LocalEngine(lanes, memory, undefined, spill === false ? null : { folder: spill })
  await engine.open()
  return engine
}

export const defaultLanes = (): number => Math.max(1, Math.min(MOST_DEFAULT_LANES, platform.coreCount()))

export class LocalEngine implements Engine {
  private pool: Promise<Pool> | null = null
  private closed = false
  private readonly closing = new AbortController()
  private running = 0
  /** Pools whose lanes keep a Node process alive, as long as any job runs. */
  private readonly awake = new Set<Pool>()
  private heldTables = 0
  private nextTable = 1
  private idleTimer: ReturnType<typeof setTimeout> | undefined

  /** @param idleMs how long to keep lanes without a job and without loaded rows; undefined: until `close`. */
  constructor(
    private readonly laneCount: number,
    private readonly memoryBytes: number | undefined,
    private readonly idleMs?: number,
    /** Where jobs may spill; null: nowhere. */
    readonly spill: JobRequest['spill'] = { folder: null },
  ) {}

  get lanes(): number {
    return this.laneCount
  }

  /** The pool, opened where there is none or the last one failed. Whoever asks meanwhile gets the same one. */
  async open(): Promise<Pool> {
    while (true) {
      if (this.closed) throw closedError()
      const opening = this.pool ?? this.openAnother()
      const pool = await opening
      if (this.closed) throw closedError()
      if (pool.failure === null) return pool
      if (this.pool === opening) this.pool = null
    }
  }

  private openAnother(): Promise<Pool> {
    const { signal } = this.closing
    const opening = openPool({ lanes: this.laneCount, memoryBytes: this.memoryBytes, signal })
    this.pool = opening
    opening.catch(() => {
      if (this.pool === opening) this.pool = null
    })
    return opening
  }

  newTable(): number {
    return this.nextTable++
  }

  /** Runs one job. `pool` where the job needs rows that this very pool holds. */
  async run(
    request: JobRequest,
    readers: readonly LaneReader[],
    pool?: Pool,
    onStart?: (job: RunningJob) => void,
  ): Promise<{ result: JobResult; pool: Pool }> {
    if (this.closed) request.rest?.close().catch(() => {})
    this.begin()
    let idle: Promise<void> = Promise.resolve()
    try {
      const on = await unlessAborted(this.prepare(request, readers, pool), request.signal).catch(error => {
        request.rest?.close().catch(() => {})
        throw error
      })
      const job = startJob(on, request)
      idle = job.idle
      onStart?.(job)
      return { result: await job.result, pool: on }
    } finally {
      void idle.then(() => this.end())
    }
  }

  /** One table more, or less, of rows that the lanes hold, which are kept for them. */
  holds(change: 1 | -1): void {
    this.heldTables += change
    this.rest()
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.idleTimer)
    this.closing.abort(closedError())
    const pool = await this.pool?.catch(() => null)
    await pool?.close(closedError())
  }

  private async prepare(
    { plan, totalRows, memoryBytes, spill, windows, carried = [] }: JobRequest,
    readers: readonly LaneReader[],
    pool: Pool | undefined,
  ): Promise<Pool> {
    const on = pool ?? (await this.open())
    this.wake(on)
    const parts = partsFor(plan, totalRows ?? Infinity, memoryBytes !== undefined && spill !== null)
    if (carried.length > 0) parts.push('carried')
    const above = on.inline ? [] : (windows?.spec.parts ?? [])
    await Promise.all([...parts, ...above, ...readers].map(part => on.add(part)))
    return on
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private begin(): void {
    if (this.closed) throw closedError()
    this.running++
    this.rest()
  }

  /** From here until no job runs, what is awaited of the lanes keeps a Node process alive. */
  private wake(pool: Pool): void {
    if (this.running === 0) return // aborted meanwhile
    this.awake.add(pool)
    for (const lane of pool.lanes) lane.keepAlive(true)
  }

  private end(): void {
    this.running--
    if (this.running === 0) {
      for (const { lanes } of this.awake) for (const lane of lanes) lane.keepAlive(false)
      this.awake.clear()
    }
    this.rest()
  }

  private rest(): void {
    clearTimeout(this.idleTimer)
    if (this.idleMs === undefined || this.running > 0 || this.heldTables > 0 || this.closed) return
    this.idleTimer = setTimeout(() => this.endIdle(), this.idleMs)
    ;(this.idleTimer as { unref?(): void }).unref?.()
  }

  private endIdle(): void {
    const { pool } = this
    this.pool = null
    void pool?.then(
      each => each.close(closedError()),
      () => {},
    )
  }
}

const hidden = new Map<number, LocalEngine>()

/** The hidden engine of so many lanes. */
export function hiddenEngine(lanes: number): LocalEngine {
  let engine = hidden.get(lanes)
  if (engine === undefined) {
    engine = new LocalEngine(lanes, undefined, IDLE_MS)
    hidden.set(lanes, engine)
  }
  return engine
}

const closedError = () => new MillraceError('MR_CLOSED', 'the engine has been closed; make another with createEngine')
