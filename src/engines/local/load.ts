/** `load()`: rows that stay in the lanes, and whether a terminal may run over them. A chunk of its own; run.ts runs the terminals. */
import { MillraceError } from '../../errors.js'
import type { Pool } from '../../workers/pool.js'
import type { LocalEngine } from './engine.js'
import type { RunOptions } from './options.js'
import { type BoundPlan, type HeldByPool, type LoadedRows, run } from './run.js'
import { unreadAfter } from './unread.js'

/** `load()` of a flow. */
export const loadFlow = (flow: BoundPlan, options?: RunOptions): Promise<LoadedRows> =>
  unreadAfter(load(flow, options), flow)

/** Reads once, and leaves the rows in the lanes. */
export async function load(bound: BoundPlan, options: RunOptions = {}): Promise<LoadedRows> {
  const { result, plan, engine, pool, table } = await run('load', bound, options, true)
  const letGo = hold(engine, pool, table)
  const splits = result.held.flatMap(held => held?.splits ?? []).sort((a, b) => a.split - b.split)
  const firstRows = new Map<number, number>()
  let rowCount = 0
  for (const each of splits) {
    firstRows.set(each.split, rowCount)
    rowCount += each.rowCount
  }
  let open = true
  const rows: HeldByPool = {
    tableId: table,
    owner: engine,
    isOpen: () => open && pool.failure === null,
    schema: plan.output,
    rowCount,
    byteLength: result.held.reduce((sum, held) => sum + (held?.byteLength ?? 0), 0),
    lanes: engine.lanes,
    async close() {
      open = false
      letGo()
    },
    pool,
    firstRows,
    inputs: [{ table, firstSplit: 0 }],
    mirrors: [{ codes: result.held.map(held => new Map((held?.codes ?? []).map(id => [id, null]))) }],
    check: (what, asked) => checkHolder(what, rows, asked),
  }
  return rows
}

/** Returns what lets the rows go, which the end of their lanes does too. */
function hold(engine: LocalEngine, pool: Pool, table: number): () => void {
  engine.holds(1)
  let held = true
  const letGo = () => {
    if (!held) return
    held = false
    stopListening()
    if (pool.failure === null) for (const lane of pool.lanes) lane.release(table)
    engine.holds(-1)
  }
  const stopListening = pool.onEnd(() => queueMicrotask(letGo))
  return letGo
}

function checkHolder(what: string, held: HeldByPool, { engine, lanes }: RunOptions): void {
  if (!held.isOpen()) {
    const { failure } = held.pool
    if (failure !== null && (failure as Partial<MillraceError>).code === 'MR_LANE_FAILED') {
      throw new MillraceError(
        'MR_LANE_FAILED',
        `${what}: the lanes that held these rows failed; load them again`,
        {},
        failure,
      )
    }
    throw new MillraceError('MR_CLOSED', `${what}: these loaded rows have been closed; load them again`)
  }
  if ((engine !== undefined && engine !== held.owner) || (lanes !== undefined && lanes !== held.lanes)) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `${what}: loaded rows stay in the ${held.lanes} lanes of the engine they were loaded with; leave out engine and lanes`,
    )
  }
}
