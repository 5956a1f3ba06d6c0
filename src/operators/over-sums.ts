/**
 * Sums, means and counts over frames, whatever the frames: each is the difference of two exact sums of all rows before a place (kernels/frames.ts). What that cannot
 * hold, and other aggregates, are over-aggregate.ts's.
 */
import { type DataType, isFloat, isNumber } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { createFrameSums, type FrameSums, putAtRows } from '../kernels/frames.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import type { OverCall } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import type { Computed } from './over.js'
import { placed, specsOf } from './over-aggregate.js'
import { bitsOf, type Frames, type OverOrder } from './over-order.js'

export const isSummed = ({ function: name, inputTypes: [type] }: OverCall): boolean =>
  name === 'count' || ((name === 'sum' || name === 'mean') && isNumber(type.kind))

/** The calls' columns by their names, those that could be made; null: others may have a turn. @param frees as `computeCalls` has it */
export function* frameSums(
  context: OperatorContext,
  batch: LaneBatch,
  calls: readonly OverCall[],
  places: readonly (readonly number[])[],
  masks: readonly (number | null)[],
  order: OverOrder,
  frames: Frames,
  frees: (() => void)[],
): Generator<null, Map<string, Computed>> {
  const { k } = context
  const { memory } = k
  const { rowCount } = order
  const columns = new Map<string, Computed>()
  const { specs, inputs } = specsOf(calls, places, masks)
  const rows = placed(context, batch, places, masks, order)
  try {
    for (const [at, input] of inputs.entries()) {
      const own = specs.flatMap(({ inputIndex }, i) => (inputIndex === at ? [calls[i]] : []))
      const value = own.find(({ function: name }) => name !== 'count')?.inputTypes[0] ?? null
      const areSome = input.mask !== null || input.columns.some(i => batch.columns[i].validity !== 0)
      const sums = createFrameSums(k, value, rowCount, areSome, (from, count) => {
        const { vectors, validity } = rows.run(input, from, count)
        return { vector: vectors[0] ?? null, validity }
      })
      yield null
      if (sums === null) continue
      try {
        for (const call of own) {
          const column = yield* put(sums, call, value)
          if (column !== null) columns.set(call.name, column)
        }
      } finally {
        sums.free()
      }
    }
  } finally {
    rows.free()
  }
  return columns

  /** Null where a sum is beyond its type. */
  function* put(
    sums: FrameSums,
    { function: name }: OverCall,
    value: DataType | null,
  ): Generator<null, Computed | null> {
    const values = memory.allocate(8 * rowCount)
    frees.push(() => memory.free(values))
    const isThere = name === 'count' ? null : new Uint8Array(rowCount)
    for (let from = 0; from < rowCount; from += MORSEL_ROWS) {
      const mark = memory.mark()
      const count = Math.min(MORSEL_ROWS, rowCount - from)
      const listed = (all: Uint32Array): number => {
        const list = memory.scratch(4 * count)
        memory.u32.set(all.subarray(from, from + count), list >>> 2)
        return list
      }
      const [first, last] = [listed(frames.from), listed(frames.to)]
      const at = order.rows === null ? 0 : listed(order.rows)
      const counts = sums.counts(first, last, count)
      const found =
        name === 'count'
          ? counts
          : name === 'sum'
            ? sums.sums(first, last, count)
            : sums.means(first, last, count, counts)
      if (found !== null) putAtRows(k, found, at, from, count, values)
      const { u32 } = memory
      if (isThere !== null) {
        for (let i = 0; i < count; i++) {
          isThere[order.rows === null ? from + i : order.rows[from + i]] = u32[(counts >>> 2) + 2 * i] > 0 ? 1 : 0
        }
      }
      memory.reset(mark)
      if (found === null) return null
      yield null
    }
    const kind = name === 'mean' || (name === 'sum' && value !== null && isFloat(value.kind)) ? 'float64' : 'int64'
    return (from, to) => ({
      type: { kind, nullable: isThere !== null },
      length: to - from,
      data: values + 8 * from,
      validity: isThere === null ? 0 : bitsOf(k, isThere, from, to),
      dictionary: null,
      range: null,
    })
  }
}
