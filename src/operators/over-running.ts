/** Frames that begin where their partition does, of partitions that go on: rows that all frames to come have are added up, a state for each partition, and need not be kept. */
import { MORSEL_ROWS } from '../columnar/vector.js'
import { type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { rangeIndices } from '../kernels/select.js'
import type { OverCall } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { areOfOneSize, placed, specsOf } from './over-aggregate.js'

export interface RunningStates {
  /** Rows that it has. */
  readonly rowCount: number
  /** Adds the rows at these places of a batch, in the order of their partitions, each to its group of `groupCount`. */
  add(batch: LaneBatch, places: Uint32Array, groups: Uint32Array, groupCount: number): void
  /** Adds to each of an aggregation's groups, of the same calls, that of its place in `groups`. */
  give(to: Aggregation, groups: Uint32Array): void
  /** Has its first groups have other numbers, and the strings of its states lie in new dictionaries. */
  move(numbers: ArrayLike<number>, groupCount: number): void
  free(): void
}

export function createRunning(
  context: OperatorContext,
  calls: readonly OverCall[],
  places: readonly (readonly number[])[],
  masks: readonly (number | null)[],
): RunningStates {
  const { k } = context
  const { memory } = k
  const { specs, inputs } = specsOf(calls, places, masks)
  const isOfOneSize = areOfOneSize(calls)
  let states = createAggregation(context, specs, true)
  let rowCount = 0
  let count = 0

  const u32s = (values: ArrayLike<number>): number => {
    const pointer = memory.scratch(4 * values.length)
    memory.u32.set(values, pointer >>> 2)
    return pointer
  }

  return {
    get rowCount() {
      return rowCount
    },
    add(batch, list, groups, groupCount) {
      count = groupCount
      states.resize(groupCount)
      const order = { rowCount: batch.rowCount, rows: null, partitions: list, peers: list }
      const rows = placed(context, batch, places, masks, order)
      for (let from = 0; from < list.length; from += MORSEL_ROWS) {
        const mark = memory.mark()
        const some = Math.min(MORSEL_ROWS, list.length - from)
        const [at, to] = [list, groups].map(each => u32s(each.subarray(from, from + some))) as [number, number]
        states.update(
          to,
          inputs.map(input => rows.listed(input, at, some)),
          some,
          rowCount,
        )
        rowCount += some
        memory.reset(mark)
      }
      states.open(0, groupCount)
      rows.free()
    },
    give(to, groups) {
      // Values that are kept are given to one at a time: each pass has every group once at most.
      const passes: { readonly own: number[]; readonly targets: number[] }[] = []
      const times = new Map<number, number>()
      for (const [i, group] of groups.entries()) {
        // One that nothing has been added to is not among them yet.
        if (group >= count) continue
        const nth = isOfOneSize ? 0 : (times.get(group) ?? 0)
        times.set(group, nth + 1)
        passes[nth] ??= { own: [], targets: [] }
        passes[nth].own.push(group)
        passes[nth].targets.push(i)
      }
      for (const { own, targets } of passes) {
        const mark = memory.mark()
        to.merge(states.laneState(u32s(own), own.length), u32s(targets), own.length, 1)
        memory.reset(mark)
      }
    },
    move(numbers, groupCount) {
      const mark = memory.mark()
      const fresh = createAggregation(context, specs, true)
      fresh.resize(groupCount)
      const own = Math.min(count, numbers.length)
      if (own > 0) {
        const to = u32s(Array.from({ length: own }, (_, i) => numbers[i]))
        fresh.merge(states.laneState(rangeIndices(k, 0, own), own), to, own, 1)
      }
      fresh.open(0, groupCount)
      states.free()
      states = fresh
      count = groupCount
      memory.reset(mark)
    },
    free: () => states.free(),
  }
}
