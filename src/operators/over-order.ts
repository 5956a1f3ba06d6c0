/** The rows of an `over` in the order of their partitions: where partitions and peers begin and end, and the frame of each row, in places of that order. */
import type { DataType } from '../columnar/type.js'
import { bitmapBytes } from '../kernels/bitmap.js'
import { markChanges, startsOf } from '../kernels/frames.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { argsort, type ColumnKey, type SortKey, sortKeysOf } from '../kernels/sort.js'
import type { RowFrame } from '../plan/physical.js'

export interface OverOrder {
  readonly rowCount: number
  /** The row at each place; null: place and row are the same. */
  readonly rows: Uint32Array | null
  /** Places where partitions begin, ascending, then the number of rows. */
  readonly partitions: Uint32Array
  /** The same of runs of rows that are equal in partition and order. */
  readonly peers: Uint32Array
}

/** @param orders behind the partition's columns */
export function orderRows(
  k: Kernels,
  batch: LaneBatch,
  partitionBy: readonly number[],
  orders: readonly ColumnKey[],
): OverOrder {
  const { rowCount, columns } = batch
  const keys: SortKey[] = [
    ...partitionBy.map(i => ({ vector: columns[i], descending: false, nulls: 'last' as const })),
    ...sortKeysOf(columns, orders),
  ]
  const { memory } = k
  const mark = memory.mark()
  const sorted = keys.length > 0 ? argsort(k, keys, rowCount) : 0
  const begins = memory.scratch(rowCount + 1)
  memory.u8.fill(0, begins, begins + rowCount)
  if (rowCount > 0) memory.u8[begins] = 1
  for (const i of partitionBy) markChanges(k, columns[i], sorted, begins)
  const partitions = startsOf(k, begins, rowCount)
  for (const { column } of orders) markChanges(k, columns[column], sorted, begins)
  // Without an order all rows of a partition are peers.
  const peers = orders.length === 0 ? partitions : startsOf(k, begins, rowCount)
  const rows = sorted === 0 ? null : memory.u32.slice(sorted >>> 2, (sorted >>> 2) + rowCount)
  memory.reset(mark)
  return { rowCount, rows, partitions, peers }
}

export function validityOf({ memory }: Kernels, { validity }: LaneVector): (row: number) => boolean {
  if (validity === 0) return () => true
  const { u8 } = memory
  return row => (u8[validity + (row >>> 3)] & (1 << (row & 7))) !== 0
}

/** A bitmap in scratch of rows `from` to `to` of a byte a row. */
export function bitsOf({ memory }: Kernels, bytes: Uint8Array, from: number, to: number): number {
  const bits = memory.scratch(bitmapBytes(to - from))
  const { u8 } = memory
  u8.fill(0, bits, bits + bitmapBytes(to - from))
  for (let row = from; row < to; row++) u8[bits + ((row - from) >>> 3)] |= bytes[row] << ((row - from) & 7)
  return bits
}

type Values = ArrayLike<number> | ArrayLike<bigint>

/** Equal where the keys are: of strings codes, of booleans bytes. A view, good until the memory grows. */
export function valuesOf({ memory }: Kernels, { type, data, length }: LaneVector): Values {
  const { buffer } = memory.u8
  switch (type.kind) {
    case 'bool': {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = (memory.u8[data + (i >>> 3)] >>> (i & 7)) & 1
      return bytes
    }
    case 'int8':
      return new Int8Array(buffer, data, length)
    case 'uint8':
      return new Uint8Array(buffer, data, length)
    case 'int16':
      return new Int16Array(buffer, data, length)
    case 'uint16':
      return new Uint16Array(buffer, data, length)
    case 'uint32':
      return new Uint32Array(buffer, data, length)
    case 'float32':
      return new Float32Array(buffer, data, length)
    case 'float64':
      return new Float64Array(buffer, data, length)
    case 'int64':
    case 'timestamp':
      return new BigInt64Array(buffer, data, length)
    default:
      return new Int32Array(buffer, data, length)
  }
}

/** From where to where each place's frame goes: places `from[p]` to before `to[p]`, equal where there is no row. */
export interface Frames {
  readonly from: Uint32Array
  readonly to: Uint32Array
}

/** @param column the only order column, for a frame of values */
export function framesOf(
  k: Kernels,
  order: OverOrder,
  frame: RowFrame,
  column: LaneVector | null,
  descending: boolean,
): Frames {
  const { rowCount, partitions, peers } = order
  const frames = { from: new Uint32Array(rowCount), to: new Uint32Array(rowCount) }
  if (frame.unit === 'rows') rowFrames(frames, partitions, frame.from as number | null, frame.to as number | null)
  else {
    peerFrames(frames, partitions, peers, frame.from === null, frame.to === null)
    if (frame.unit === 'values') valueFrames(k, frames, order, frame, column as LaneVector, descending)
  }
  return frames
}

function rowFrames({ from, to }: Frames, partitions: Uint32Array, first: number | null, last: number | null): void {
  for (let i = 0; i + 1 < partitions.length; i++) {
    const [start, end] = [partitions[i], partitions[i + 1]]
    for (let place = start; place < end; place++) {
      const low = first === null ? start : Math.min(end, Math.max(start, place + first))
      const high = last === null ? end : Math.min(end, Math.max(start, place + last + 1))
      from[place] = low
      to[place] = Math.max(low, high)
    }
  }
}

/** From the partition's start or that of the peers, to the end of either. */
function peerFrames(
  { from, to }: Frames,
  partitions: Uint32Array,
  peers: Uint32Array,
  fromStart: boolean,
  toEnd: boolean,
): void {
  for (let i = 0, partition = 0; i + 1 < peers.length; i++) {
    const [start, end] = [peers[i], peers[i + 1]]
    if (start >= partitions[partition + 1]) partition++
    const [first, last] = [fromStart ? partitions[partition] : start, toEnd ? partitions[partition + 1] : end]
    // Most peers are few, and filling them by a call is dearer.
    for (let place = start; place < end; place++) {
      from[place] = first
      to[place] = last
    }
  }
}

/** Frames of peers made those of values, where there are values: a null has its peers. */
function valueFrames(
  k: Kernels,
  { from, to }: Frames,
  { rowCount, rows, partitions }: OverOrder,
  frame: RowFrame,
  column: LaneVector,
  descending: boolean,
): void {
  const isValid = validityOf(k, column)
  const rowAt = (place: number) => (rows === null ? place : rows[place])
  const values = placedValues(k, column, rows, rowCount)
  const sign = descending ? -1 : 1
  // A distance in the direction of the order.
  const shift = (bound: number | bigint | null): number | bigint | null => {
    if (bound === null) return null
    return isWide(column.type) ? BigInt(bound) * BigInt(sign) : Number(bound) * sign
  }
  const [first, last] = [shift(frame.from), shift(frame.to)]
  for (let i = 0; i + 1 < partitions.length; i++) {
    let [start, end] = [partitions[i], partitions[i + 1]]
    while (start < end && !isValid(rowAt(start))) start++
    while (end > start && !isValid(rowAt(end - 1))) end--
    let [low, high] = [start, start]
    for (let place = start; place < end; place++) {
      if (first !== null) {
        const bound = plus(values[place], first)
        while (low < end && compare(values[low], bound) * sign < 0) low++
        from[place] = low
      }
      if (last !== null) {
        const bound = plus(values[place], last)
        while (high < end && compare(values[high], bound) * sign <= 0) high++
        to[place] = high
      }
      if (to[place] < from[place]) to[place] = from[place]
    }
  }
}

const isWide = ({ kind }: DataType): boolean => kind === 'int64' || kind === 'timestamp'

function placedValues(k: Kernels, column: LaneVector, rows: Uint32Array | null, rowCount: number): Values {
  const values = valuesOf(k, column)
  const placed = isWide(column.type) ? new BigInt64Array(rowCount) : new Float64Array(rowCount)
  for (let place = 0; place < rowCount; place++) placed[place] = values[rows === null ? place : rows[place]] as never
  return placed
}

const plus = (value: number | bigint, distance: number | bigint): number | bigint =>
  (value as number) + (distance as number)

/** NaN equals itself and is greatest. */
function compare(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(isNotANumber(a)) - Number(isNotANumber(b))
}

const isNotANumber = (value: number | bigint): boolean => typeof value === 'number' && Number.isNaN(value)
