/**
 * A small hash table for each group, and the pool that their blocks are cut from: drawn in assembly/aggregate/group-tables.ts. Kernels that run
 * out of room say so; here is what makes room and calls them again.
 */
import { MillraceError } from '../../errors.js'
import type { Kernels } from '../instance.js'
import { createGroupArray } from './group-array.js'
import type { StateReader } from './state-bytes.js'

const TABLE_BYTES = 16
const POOL_BYTES = 144
const LEAST_CHUNK_BYTES = 4096
const MOST_CHUNK_BYTES = 2 ** 22
/** Words of the pool. */
const NEXT = 0
const END = 1
const WANTED = 2

export interface GroupTables {
  /** Where the tables are until the next `resize`. */
  readonly pointer: number
  resize(groupCount: number): void
  /**
   * Calls a kernel until it has gone through all of `count`: it is given the pool and where to begin, and returns where it stopped because the
   * pool had no room.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  run(count: number, kernel: (pool: number, from: number) => number): void
  free(): void
}

export function createGroupTables(k: Kernels): GroupTables {
  const { memory } = k
  const tables = createGroupArray(k, TABLE_BYTES)
  let pool = memory.allocate(POOL_BYTES)
  memory.bytes(pool, POOL_BYTES).fill(0)
  const chunks: number[] = []
  let chunkBytes = LEAST_CHUNK_BYTES

  const makeRoom = () => {
    const wanted = memory.u32[(pool >>> 2) + WANTED]
    const byteLength = Math.max(chunkBytes, wanted)
    // What is left of the last chunk is lost: less than what was wanted.
    const chunk = memory.allocate(byteLength)
    chunks.push(chunk)
    memory.u32[(pool >>> 2) + NEXT] = chunk
    memory.u32[(pool >>> 2) + END] = chunk + byteLength
    chunkBytes = Math.min(chunkBytes * 2, MOST_CHUNK_BYTES)
  }

  return {
    get pointer() {
      return tables.pointer
    },
    resize: tables.resize,
    run(count, kernel) {
      for (let at = 0; at < count; ) {
        at = kernel(pool, at) >>> 0
        if (at < count) makeRoom()
      }
    },
    free() {
      tables.free()
      memory.free(pool)
      pool = 0
      for (const chunk of chunks) memory.free(chunk)
      chunks.length = 0
    },
  }
}

/**
 * Reads a sketch's parameter, which both sides must have the same.
 *
 * @throws MillraceError `MR_VERSION_MISMATCH` where it is another.
 */
export function readParameter(reader: StateReader, aggregate: string, name: string, expected: number): void {
  const found = reader.u32()
  if (found === expected) return
  throw new MillraceError(
    'MR_VERSION_MISMATCH',
    `the state of an ${aggregate} has ${name} ${found}, where it is ${expected} here; merge states of one flow`,
  )
}
