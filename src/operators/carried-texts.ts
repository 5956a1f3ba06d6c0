/**
 * Strings that no stage looks at, on their way through a lane: they are not interned, but go out as they came. What stages move in their place is the number of the row that
 * each came in. A part of lanes; `columnsCarried` of plan/carried.ts says which columns these are.
 */
import { gatherVector } from '../columnar/gather.js'
import type { DataType } from '../columnar/type.js'
import { usedStrings } from '../columnar/used-strings.js'
import { dataOf, MORSEL_ROWS, type Vector, type VectorBatch } from '../columnar/vector.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { type Unloaded, unloadVector } from '../kernels/transfer-batch.js'
import type { BatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'

export interface CarriedTexts {
  /** As `loader` does it, but for the columns that are carried; in scratch. */
  load(batch: VectorBatch, loader: BatchLoader): LaneBatch
  /** As `unloadBatch` does it; bytes of strings may be those that were loaded. */
  unload(batch: LaneBatch, types: readonly DataType[], unloaded?: Unloaded): VectorBatch
}

/** Entries of a dictionary for each row that is left: with more, only those that are used go along. */
const MOST_ENTRIES_PER_ROW = 4

/** @param columns by their places among those that are read */
export function carryTexts({ k }: OperatorContext, columns: readonly number[]): CarriedTexts {
  const { memory } = k
  let numbers = Uint32Array.from({ length: MORSEL_ROWS }, (_, row) => row)

  function load(carried: Vector): LaneVector {
    const { type, length } = carried
    const data = memory.scratch(4 * length)
    if (length > numbers.length) numbers = Uint32Array.from({ length }, (_, row) => row)
    memory.u32.set(numbers.subarray(0, length), data >>> 2)
    return { type, length, data, validity: 0, dictionary: null, range: null, carried }
  }

  function unload({ length, data }: LaneVector, carried: Vector, type: DataType): Vector {
    // Rows are left out on the way, and never moved.
    if (length === carried.length) return { ...owned(carried), type }
    const left = gatherVector(carried, memory.u32.subarray(data >>> 2, (data >>> 2) + length))
    const { dictionary } = left
    const few = dictionary !== null && dictionary.length > MOST_ENTRIES_PER_ROW * length ? usedStrings(left) : left
    return { ...few, type }
  }

  return {
    load({ rowCount, vectors }, loader) {
      const others = vectors.filter((_, i) => !columns.includes(i))
      const loaded = loader.load({ rowCount, vectors: others }).columns.values()
      return {
        rowCount,
        columns: vectors.map((vector, i) => (columns.includes(i) ? load(vector) : (loaded.next().value as LaneVector))),
      }
    },
    unload: ({ rowCount, columns }, types, unloaded) => ({
      rowCount,
      vectors: columns.map((column, i) =>
        column.carried ? unload(column, column.carried, types[i]) : unloadVector(k, column, types[i], unloaded),
      ),
    }),
  }
}

/** What is sent on is given away, and a reader may still need the buffers; bytes of strings are copied as they are sent. */
const owned = (vector: Vector): Vector => ({
  ...vector,
  data: vector.dictionary === null ? vector.data : dataOf(vector).slice(),
  validity: vector.validity?.slice() ?? null,
})
