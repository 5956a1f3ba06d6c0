/** What the engine tests share: a pool whose lanes are played by the test, and jobs over made-up splits. */
import { startJob } from '../../../src/engines/local/job.js'
import type { JobRequest, RunningJob } from '../../../src/engines/local/job-request.js'
import type { SerialisedError } from '../../../src/errors.js'
import type { PhysicalPlan } from '../../../src/plan/physical.js'
import type { Split } from '../../../src/sources/source.js'
import type { LaneClient } from '../../../src/workers/lane-client.js'
import type { Pool } from '../../../src/workers/pool.js'
import { localPorts, type Port } from '../../../src/workers/port.js'
import type { FromLane, JobSpec, ToLane } from '../../../src/workers/protocol.js'
import { createOutbox, encodeBatch } from '../../../src/workers/transfer.js'
import { batchOf } from '../../operators/support.js'
import { plan, VERBS } from '../../workers/support.js'

export const ALL = plan(VERBS.all)
export const GROUPED = plan(VERBS.grouped)

/** A lane that the test plays. */
export interface PlayedLane {
  readonly specs: JobSpec[]
  /** What the job has sent, as it came. */
  readonly heard: ToLane[]
  /** Splits received so far. */
  splits(): number[]
  readonly released: number[]
  say(...messages: FromLane[]): void
  finish(): void
}

export interface PlayedPool {
  readonly pool: Pool
  readonly lanes: readonly PlayedLane[]
  /** Reasons for which the pool was closed. */
  readonly closed: Error[]
  /** Who would be told of its end. */
  readonly listeners: Set<(error: Error) => void>
}

export function playPool(count: number, inline = false): PlayedPool {
  const listeners = new Set<(error: Error) => void>()
  const closed: Error[] = []
  const played = Array.from({ length: count }, () => playLane(inline))
  const pool: Pool = {
    lanes: played.map(({ client }) => client),
    inline,
    add: async () => {},
    get failure() {
      return closed[0] ?? null
    },
    onEnd(listener) {
      if (closed.length > 0) listener(closed[0])
      else listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close(reason) {
      closed.push(reason)
      for (const listener of [...listeners]) listener(reason)
      listeners.clear()
    },
  }
  return { pool, lanes: played.map(({ lane }) => lane), closed, listeners }
}

function playLane(inline: boolean): { client: LaneClient; lane: PlayedLane } {
  let port: Port | null = null
  const specs: JobSpec[] = []
  const heard: ToLane[] = []
  const released: number[] = []
  const say = (...messages: FromLane[]) => {
    for (const message of messages) port?.post(message)
  }
  const client: LaneClient = {
    inline,
    start(spec) {
      specs.push(spec)
      const [its, mine] = localPorts()
      port = mine
      mine.onmessage = (message: ToLane) => heard.push(message)
      return its
    },
    add: async () => {},
    release: table => released.push(table),
    keepAlive() {},
    async terminate() {},
  }
  const lane: PlayedLane = {
    specs,
    heard,
    released,
    splits: () => heard.flatMap(message => (message.type === 'split' ? [message.split] : [])),
    say,
    finish: () => say({ type: 'finished', metrics: { stages: [], rowsRead: 0, peakBytes: 0 }, held: null }),
  }
  return { client, lane }
}

/** Splits of ten rows each, in the order of the source; `read` stands for reading them. */
export function splits(count: number, read: (split: number) => void = () => {}): Split[] {
  return Array.from({ length: count }, (_, split) => ({
    firstRow: 10 * split,
    rowCount: 10,
    byteLength: 80,
    work: {
      kind: 'batches',
      batches: () => {
        read(split)
        return [rowsOf(split)]
      },
    },
  }))
}

const rowsOf = (split: number) =>
  batchOf(
    { id: Array.from({ length: 10 }, (_, i) => BigInt(10 * split + i)), key: Array(10).fill('k') },
    ALL.sourceSchema,
  )

/** A batch of a split on its way back. */
export const batchMessage = (split: number): FromLane => ({
  type: 'batch',
  split,
  batch: encodeBatch(rowsOf(split), createOutbox(), true).message,
})
export const progress = (count = 1): FromLane => ({ type: 'progress', splits: count, rows: 10 * count, illFormed: 0 })
export const SCANNED: FromLane = { type: 'scanned' }
export const failed = (split: number | null, row = 0, name = `split ${split} row ${row}`): FromLane => ({
  type: 'failed',
  error: errorNamed(name),
  position: split === null ? null : { split, row },
})
export const errorNamed = (message: string): SerialisedError => ({ name: 'Error', message })

export function start(
  pool: Pool,
  request: Partial<JobRequest> & { readonly plan?: PhysicalPlan; readonly splits?: readonly Split[] | null },
): RunningJob {
  const all = request.splits === undefined ? splits(0) : request.splits
  const job = startJob(pool, {
    plan: ALL,
    splits: all,
    rest: null,
    heldInputs: null,
    sides: [],
    chained: null,
    createOrder: undefined,
    told: 0,
    firstRowOf: split => 10 * split,
    totalRows: 10 * (all?.length ?? 0),
    totalBytes: 80 * (all?.length ?? 0),
    holdAs: null,
    memoryBytes: undefined,
    spill: null,
    sourceLabel: 'test',
    listenerOf: () => () => {},
    signal: undefined,
    onProgress: undefined,
    onBatch: null,
    wantsMore: () => true,
    ...request,
  })
  job.result.catch(() => {})
  return job
}

/** Whether a promise has settled by now, a turn later. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  await turns()
  return Promise.race([
    promise.then(
      () => 'resolved' as const,
      () => 'rejected' as const,
    ),
    Promise.resolve().then(() => Promise.resolve('pending' as const)),
  ])
}

/** Lets every message that is under way arrive, and its answer, timers standing still. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}
