/**
 * Engines: a number of lanes to run jobs on. One made by `createEngine` lives until it is closed; the hidden ones, by which a terminal without
 * an `engine` runs, are shared and end themselves after some idle seconds.
 */
import { platform } from '#platform'
import { MillraceError } from '../../errors.js'
import { openPool, type Pool } from '../../workers/pool.js'
import { type JobRequest, type JobResult, type RunningJob, startJob } from './job.js'
import { checkOptions, type EngineOptions } from './options.js'

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
 * @param options `lanes`: workers, by default as many as there are cores, at most 16; 0: inline. `memory`: bytes for all lanes together.
 * @throws MillraceError `MR_INVALID_OPTION`, `MR_WASM_BLOCKED`, `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT`
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkOptions('createEngine', options, ['lanes', 'memory'])
  const engine = new LocalEngine(options.lanes ?? defaultLanes(), options.memory)
  await engine.open()
  return engine
}

export const defaultLanes = (): number => Math.max(1, Math.min(MOST_DEFAULT_LANES, platform.coreCount()))

export class LocalEngine implements Engine {
  private pool: Promise<Pool> | null = null
  private closed = false
  private running = 0
  private heldTables = 0
  private nextTable = 1
  private idleTimer: ReturnType<typeof setTimeout> | undefined

  /** @param idleMs how long to keep lanes without a job and without loaded rows; undefined: until `close`. */
  constructor(
    private readonly laneCount: number,
    private readonly memoryBytes: number | undefined,
    private readonly idleMs?: number,
  ) {}

  get lanes(): number {
    return this.laneCount
  }

  /** The pool, opened where there is none or the last one failed. */
  async open(): Promise<Pool> {
    if (this.closed) throw closedError()
    let pool = this.pool === null ? null : await this.pool.catch(() => null)
    if (pool === null || pool.failure !== null) {
      this.pool = openPool({ lanes: this.laneCount, memoryBytes: this.memoryBytes })
      this.pool.catch(() => {})
      pool = await this.pool
    }
    if (this.closed) throw closedError()
    return pool
  }

  newTable(): number {
    return this.nextTable++
  }

  /** Runs one job. `pool` where the job needs rows that this very pool holds. */
  async run(
    request: JobRequest,
    extension: 'parquet' | null,
    pool?: Pool,
    onStart?: (job: RunningJob) => void,
  ): Promise<{ result: JobResult; pool: Pool }> {
    this.begin()
    let idle: Promise<void> = Promise.resolve()
    try {
      const on = pool ?? (await this.open())
      if (extension !== null) await Promise.all(on.lanes.map(lane => lane.addExtension(extension)))
      request.signal?.throwIfAborted()
      for (const lane of on.lanes) lane.keepAlive(true)
      const job = startJob(on, request)
      onStart?.(job)
      idle = job.idle.then(() => {
        if (this.running === 1) for (const lane of on.lanes) lane.keepAlive(false)
      })
      return { result: await job.result, pool: on }
    } finally {
      void idle.then(() => this.end())
    }
  }

  /** Counts rows held, which keep the lanes: returns what lets them go. */
  hold(pool: Pool, table: number): () => void {
    this.heldTables++
    let held = true
    return () => {
      if (!held) return
      held = false
      this.heldTables--
      if (pool.failure === null) for (const lane of pool.lanes) lane.release(table)
      this.rest()
    }
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.idleTimer)
    const pool = await this.pool?.catch(() => null)
    await pool?.close(closedError())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private begin(): void {
    if (this.closed) throw closedError()
    this.running++
    clearTimeout(this.idleTimer)
  }

  private end(): void {
    this.running--
    this.rest()
  }

  private rest(): void {
    if (this.idleMs === undefined || this.running > 0 || this.heldTables > 0 || this.closed) return
    clearTimeout(this.idleTimer)
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

const hidden = new Map<string, LocalEngine>()

/** The hidden engine of so many lanes and so much memory. */
export function hiddenEngine(lanes: number, memoryBytes: number | undefined): LocalEngine {
  const key = `${lanes} ${memoryBytes}`
  let engine = hidden.get(key)
  if (engine === undefined) {
    engine = new LocalEngine(lanes, memoryBytes, IDLE_MS)
    hidden.set(key, engine)
  }
  return engine
}

const closedError = () => new MillraceError('MR_CLOSED', 'the engine has been closed; make another with createEngine')
