/**
 * What operators need to spill: a file of their job in their lane, and how much of the job's budget is left. Who spills what is said in
 * sorted-runs.ts and spilling-aggregate.ts; where the file is, in workers/spill.ts. All of it is a part of lanes (workers/lane.ts), loaded for jobs that
 * have a budget.
 *
 * A job counts what it has in the lane's memory, by whole pages: rows and states kept, tables, dictionaries, and the scratch of the morsel in hand.
 * Beside it, in JavaScript buffers, there is one piece of the file on its way, 64 KB that wait to be written, and between two lanes some parts under way
 * (workers/credit.ts).
 */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { MemoryAccount } from '../kernels/memory-account.js'
import type { JoinStage, Stage } from '../plan/physical.js'
import type { Breaker, Transform } from './operator.js'
import type { Rows } from './row-store.js'

/** Bytes are only ever appended, and all go with the job. */
export interface SpillFile {
  /** @returns where they begin. @throws MillraceError `MR_MEMORY_LIMIT` where there is no room for them */
  write(bytes: Uint8Array): number
  read(from: number, byteLength: number): Uint8Array<ArrayBuffer>
}

/** Where something lies in the file. */
export interface Piece {
  readonly from: number
  readonly byteLength: number
  /** Rows or groups. */
  readonly rowCount: number
}

/** What an operator has written. */
export interface Spilled {
  readonly bytes: number
  readonly pieces: number
  /** How often it has let go of all that had codes of its input's dictionaries. */
  readonly times: number
}

export const addSpilled = (a: Spilled, b: Spilled): Spilled => ({
  bytes: a.bytes + b.bytes,
  pieces: a.pieces + b.pieces,
  times: a.times + b.times,
})

/** Who can make room by writing what it keeps. */
export interface Spillable {
  /** Bytes that this would free, about. */
  byteLength(): number
  spill(): void
}

export interface Spill {
  readonly account: MemoryAccount
  /** Null where nothing can be spilled, which is known before the first morsel. */
  readonly file: SpillFile | null
  /** Takes part in `makeRoom` until it says that it does not. */
  register(spillable: Spillable): () => void
  /** Has others write what they keep until so many bytes are free, or nobody has anything left. Not to be called from `spill`. */
  makeRoom(byteLength: number): void
  /** Null for a stage that keeps nothing worth spilling. */
  createBreaker(stage: Stage, input: SchemaShape): Breaker | null
  /** Null for a join that keeps nothing but its other side. */
  createJoin(stage: JoinStage, input: SchemaShape): Transform | null
  /** Rows of these types, by split and arrival. */
  createRows(types: readonly DataType[]): Rows
}
