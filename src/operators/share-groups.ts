/**
 * The groups of some partitions, found by the words of their keys, with the rank of the first row of each: what partitioned-groups.ts and
 * spilled-groups.ts come to when they group a share.
 */
import { type DataType, int64 } from '../columnar/type.js'
import type { AggregateSpec } from '../kernels/aggregate/accumulator.js'
import { type AggregateInput, type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { createGroupArray, type GroupArray } from '../kernels/aggregate/group-array.js'
import { createHashIndex, type HashIndex } from '../kernels/hash.js'
import { createKeyStore, type KeyStore } from '../kernels/key-store.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { leastRanks, planesOfWords, wordsOfPlanes } from '../kernels/radix.js'
import type { OperatorContext } from './build.js'

export interface ShareGroups {
  readonly length: number
  /** States by the places of the groups. */
  readonly aggregation: Aggregation
  /** Groups: planes of key words, then ranks; `state` as an aggregation gives it. `areDistinct` where no two of them have the same key. */
  addGroups(batch: LaneBatch, state: readonly Uint8Array[], areDistinct?: boolean): void
  /** Rows: planes of key words, then ranks, then whatever follows; `inputs` as an aggregation takes them. */
  addRows(batch: LaneBatch, inputs: readonly AggregateInput[]): void
  /** Pointer to the planes of all groups, end to end, in scratch. */
  planes(): number
  /** Pointer to an int64 a group; good until there are more. */
  readonly ranks: number
  free(): void
}

/** @param width words a key. @param expected groups get room at once. */
export function createShareGroups(
  context: OperatorContext,
  width: number,
  specs: readonly AggregateSpec[],
  expected: number,
): ShareGroups {
  const { k } = context
  const { memory } = k
  const made: { free(): void }[] = []
  const owned = <T extends { free(): void }>(one: T): T => {
    made.push(one)
    return one
  }
  const free = () => {
    for (const one of made.splice(0)) one.free()
  }
  let store: KeyStore
  let index: HashIndex
  let aggregation: Aggregation
  let firsts: GroupArray
  try {
    store = owned(createKeyStore(k, width))
    index = owned(createHashIndex(k, store, 8, expected))
    aggregation = owned(createAggregation(context, specs))
    // Beyond every rank, until a group's first comes.
    firsts = owned(createGroupArray(k, 8, [0x7fffffff]))
  } catch (error) {
    free()
    throw error
  }

  const find = ({ columns, rowCount }: LaneBatch): number => {
    const groups = memory.scratch(4 * rowCount)
    const planes = columns.slice(0, width).map(({ data }) => data)
    index.find(wordsOfPlanes(k, planes, rowCount), rowCount, groups)
    firsts.resize(store.count)
    leastRanks(k, firsts.pointer, groups, columns[width].data, rowCount)
    aggregation.resize(store.count)
    return groups
  }

  return {
    get length() {
      return store.count
    },
    aggregation,
    addGroups(batch, state, areDistinct = true) {
      const mark = memory.mark()
      const { rowCount } = batch
      const groups = find(batch)
      const most = areDistinct ? 1 : mostOf(memory.u32.subarray(groups >>> 2, (groups >>> 2) + rowCount), store.count)
      aggregation.merge(state, groups, rowCount, most)
      aggregation.open(0, store.count)
      memory.reset(mark)
    },
    addRows(batch, inputs) {
      const mark = memory.mark()
      aggregation.update(find(batch), inputs, batch.rowCount, 0)
      aggregation.open(0, store.count)
      memory.reset(mark)
    },
    planes: () => planesOfWords(k, store.pointer, width, store.count),
    get ranks() {
      return firsts.pointer
    },
    free,
  }
}

/** How often the most frequent index is there. */
function mostOf(indices: Uint32Array, indexCount: number): number {
  const counts = new Uint32Array(indexCount)
  let most = 0
  for (const index of indices) most = Math.max(most, ++counts[index])
  return most
}

/** A column of words, or of ranks. */
export const words = (data: number, length: number): LaneVector => ({
  type: int64(),
  length,
  data,
  validity: 0,
  dictionary: null,
  range: null,
})

/** Planes that lie end to end, as columns. */
export const planeColumns = (planes: number, width: number, rowCount: number): LaneVector[] =>
  Array.from({ length: width }, (_, j) => words(planes + 8 * j * rowCount, rowCount))

/** What accumulators read, of rows as they are parted: behind planes and ranks each input's vectors, or of one without any its bitmap. */
export function inputsOfRows(
  { columns }: LaneBatch,
  width: number,
  inputTypes: readonly (readonly DataType[])[],
): AggregateInput[] {
  let at = width + 1
  return inputTypes.map(types => {
    if (types.length === 0) return { vectors: [], validity: columns[at++].data }
    const vectors = columns.slice(at, at + types.length)
    at += types.length
    return { vectors, validity: vectors[0].validity }
  })
}
