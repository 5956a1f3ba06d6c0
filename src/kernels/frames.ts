/**
 * Rows that lie in the order of their partitions, place by place: where keys change, and exact sums of frames, each the difference of two sums of all rows before a
 * place. Layout in assembly/over.ts; which frames there are is operators/over-order.ts's.
 */
import { type DataType, isFloat, isInteger } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { fillerOf } from './aggregate/fill-int.js'
import { chooseLayout, roundingOf } from './aggregate/sum-float.js'
import { bitmapBytes } from './bitmap.js'
import { type Lane, type LimbLayout, limbsToIntegers, roundLimbs } from './exact.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { elementBytes } from './operand.js'

/** Sets a byte, `begins`, wherever the column's value is another key than that at the place before. `rows`: the u32 row at each place, 0 where they are the same. */
export function markChanges({ exports }: Kernels, column: LaneVector, rows: number, begins: number): void {
  const { type, data, validity, length } = column
  const bytes = elementBytes(type.kind)
  exports.overChanges(isFloat(type.kind) ? 8 + bytes : bytes, data, validity, rows, length, begins)
}

/** Places whose byte is set, then `count`. */
export function startsOf({ exports, memory }: Kernels, begins: number, count: number): Uint32Array<ArrayBuffer> {
  const mark = memory.mark()
  const out = memory.scratch(4 * count + 4)
  const found = exports.overStarts(begins, count, out) >>> 0
  memory.u32[(out >>> 2) + found] = count
  const starts = memory.u32.slice(out >>> 2, (out >>> 2) + found + 1)
  memory.reset(mark)
  return starts
}

/** Places of a column, and which of them count (0: all); a count of rows has no column. */
export interface FrameInput {
  readonly vector: LaneVector | null
  readonly validity: number
}

export interface FrameSums {
  /** Of some frames (u32 places), in scratch: how many rows count, u64. */
  counts(from: number, to: number, count: number): number
  /** Their sums, int64 of integers and else float64, and null where one is beyond int64. */
  sums(from: number, to: number, count: number): number | null
  /** Their means, float64, by the counts; 0 where there are none. */
  means(from: number, to: number, count: number, counts: number): number
  free(): void
}

/** Of integers, as assembly/aggregate/sum-int.ts has it. */
const INTEGERS: LimbLayout = { limbs: 2, base: 0, width: 40, cap: 63 }
/** Room for the addends of a block, which kernels write before they are added. */
const BLOCK_BYTES = 4096

/**
 * @param type of the values, integers or floats; null: rows are counted only
 * @param input the places `at` to `at + count`, in scratch
 * @param areSome whether some rows may not count
 * @returns null where the sums take more than two limbs, or values are not finite
 */
export function createFrameSums(
  k: Kernels,
  type: DataType | null,
  rowCount: number,
  areSome: boolean,
  input: (at: number, count: number) => FrameInput,
): FrameSums | null {
  const { exports, memory } = k
  const each = (use: (input: FrameInput, at: number, count: number) => void) => {
    for (let at = 0; at < rowCount; at += MORSEL_ROWS) {
      const mark = memory.mark()
      const count = Math.min(MORSEL_ROWS, rowCount - at)
      use(input(at, count), at, count)
      memory.reset(mark)
    }
  }
  const isWhole = type !== null && isInteger(type.kind)
  const layout = type === null || isWhole ? INTEGERS : layoutOf(type)
  if (layout === null) return null
  const free = () => {
    memory.free(counted)
    memory.free(summed)
  }
  let counted = 0
  let summed = 0
  try {
    if (areSome) counted = memory.allocate(4 * rowCount + 4)
    if (type !== null) summed = memory.allocate(16 * rowCount + 16)
    memory.u32.fill(0, counted >>> 2, (counted >>> 2) + (areSome ? 1 : 0))
    memory.u8.fill(0, summed, summed + (type === null ? 0 : 16))
    each(({ vector, validity }, at, count) => {
      if (areSome) exports.overCounts(validity, count, counted + 4 * at)
      if (vector === null || type === null) return
      const addends = memory.scratch(16 * count)
      memory.u8.fill(0, addends, addends + 16 * count)
      if (isWhole) addIntegers(vector, validity, count, addends)
      else addFloats(vector, validity, count, addends, layout)
      exports.overSums(addends, layout.width, count, summed + 16 * at)
    })
  } catch (error) {
    free()
    throw error
  }

  function layoutOf({ kind }: DataType): LimbLayout | null {
    let [low, top, areFinite] = [Infinity, -Infinity, true]
    each(({ vector, validity }, _at, count) => {
      const finite = memory.scratch(bitmapBytes(count))
      const out = memory.scratch(16)
      const span = kind === 'float64' ? exports.sumFloatSpanF64 : exports.sumFloatSpanF32
      span((vector as LaneVector).data, validity, count, finite, out)
      const [lowest, least, most, specials] = memory.i32.subarray(out >>> 2, (out >>> 2) + 4)
      if (specials > 0) areFinite = false
      if (least > most) return
      low = Math.min(low, lowest)
      top = Math.max(top, most)
    })
    if (!areFinite) return null
    return low > top ? chooseLayout(0, 1, 2) : chooseLayout(low, top, 2)
  }

  function addIntegers({ type, data }: LaneVector, validity: number, count: number, addends: number): void {
    if (type.kind === 'int64') exports.sumIntTwo(addends, data, validity, count)
    else fillerOf(k, type.kind)(addends, 16, data, validity, count)
  }

  function addFloats(vector: LaneVector, validity: number, count: number, addends: number, by: LimbLayout): void {
    const [magic, highMagic, cap] = roundingOf(by)
    const groups = memory.scratch(4 * count)
    exports.sortIota(count, groups)
    const room = memory.scratch(BLOCK_BYTES)
    const add = vector.type.kind === 'float64' ? exports.sumFloatTwoF64 : exports.sumFloatTwoF32
    const added = add(addends, 0, groups, vector.data, validity, count, magic, highMagic, cap, room) >>> 0
    if (added !== count) throw new Error(`row ${added} is beyond the span of all rows`)
  }

  const limbsOf = (from: number, to: number, count: number): Lane => {
    const out = memory.scratch(16 * count)
    exports.overFrameSums(summed, from, to, count, out)
    return { pointer: out, stride: 16 }
  }
  return {
    counts(from, to, count) {
      const out = memory.scratch(8 * count)
      exports.overFrameCounts(counted, from, to, count, out)
      return out
    },
    sums(from, to, count) {
      const own = limbsOf(from, to, count)
      if (!isWhole) return roundLimbs(k, layout, own, 0, count)
      const { data, failed } = limbsToIntegers(k, layout, own, count)
      return failed < 0 ? data : null
    },
    means: (from, to, count, counts) => roundLimbs(k, layout, limbsOf(from, to, count), counts, count),
    free,
  }
}

/** 8 bytes a place to the rows there (u32, 0: those from `first` on). */
export function putAtRows(
  { exports }: Kernels,
  values: number,
  rows: number,
  first: number,
  count: number,
  out: number,
): void {
  exports.overPut(values, rows, first, count, out)
}
