/**
 * Parquet's DELTA_BINARY_PACKED, read on from call to call like hybrid.ts. Sums wrap in two's complement, as the format says.
 *
 * ```
 *   block size, miniblocks per block, count, first value      varints, the last one zigzag
 *   block:  least delta (zigzag) | one width byte per miniblock | miniblocks: (delta - least) in `width` bits each
 * ```
 */
import { corrupt } from './corrupt.js'
import { bitsAt } from './hybrid.js'
import { type Cursor, cursorOver, readI64, readVarint } from './thrift.js'

export interface DeltaState {
  readonly cursor: Cursor
  readonly miniblocks: number
  readonly perMiniblock: number
  /** Values left, the first one included. */
  left: number
  isFirst: boolean
  /** The last value, low and high words. */
  low: number
  high: number
  leastLow: number
  leastHigh: number
  /** Where the block's width bytes stand. */
  widthsAt: number
  /** Miniblock of the block, and what is left of it. */
  miniblock: number
  miniblockLeft: number
  width: number
  bit: number
}

/** @throws MillraceError `MR_FORMAT_ERROR` for a header that no writer makes, or another count than `count`. */
export function deltaOver(bytes: Uint8Array, at: number, end: number, count: number): DeltaState {
  const cursor = cursorOver(bytes, 0, at, end)
  const blockSize = readVarint(cursor)
  const miniblocks = readVarint(cursor)
  const total = readVarint(cursor)
  const perMiniblock = blockSize / miniblocks
  if (miniblocks === 0 || blockSize === 0 || !Number.isInteger(perMiniblock / 8)) {
    throw corrupt(`delta blocks of ${blockSize} values in ${miniblocks} miniblocks`)
  }
  if (total !== count) throw corrupt(`${total} deltas for ${count} values`)
  const first = readI64(cursor)
  return {
    cursor,
    miniblocks,
    perMiniblock,
    left: total,
    isFirst: true,
    low: Number(BigInt.asIntN(32, first)),
    high: Number(first >> 32n),
    leastLow: 0,
    leastHigh: 0,
    widthsAt: 0,
    miniblock: miniblocks,
    miniblockLeft: 0,
    width: 0,
    bit: 0,
  }
}

/** The next `count` values to out[o] and on; `stride` 1: their low words; 2: low and high words (o counts values). */
export function readDelta(state: DeltaState, out: Int32Array, o: number, count: number, stride: 1 | 2): void {
  if (count > state.left) throw corrupt('a page has fewer values than it claims')
  if (count > 0 && state.isFirst) {
    state.isFirst = false
    put(state, out, o++, stride)
    state.left--
    count--
  }
  const { bytes, end } = state.cursor
  while (count > 0) {
    if (state.miniblockLeft === 0) nextMiniblock(state)
    const n = Math.min(count, state.miniblockLeft)
    const { width, leastLow, leastHigh } = state
    let { low, high, bit } = state
    if (state.cursor.at * 8 + bit + n * width > end * 8) throw corrupt('a page has fewer values than it claims')
    const base = state.cursor.at * 8
    for (let i = 0; i < n; i++, o++) {
      let deltaLow = leastLow
      let deltaHigh = leastHigh
      if (width > 0) {
        const packed = bitsAt(bytes, base + bit, width > 32 ? 32 : width)
        const packedHigh = width > 32 ? bitsAt(bytes, base + bit + 32, width - 32) : 0
        bit += width
        deltaLow = (leastLow + packed) | 0
        deltaHigh = leastHigh + packedHigh + (deltaLow >>> 0 < packed >>> 0 ? 1 : 0)
      }
      const sum = (low + deltaLow) | 0
      high = (high + deltaHigh + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0
      low = sum
      if (stride === 1) out[o] = low
      else {
        out[2 * o] = low
        out[2 * o + 1] = high
      }
    }
    state.low = low
    state.high = high
    state.bit = bit
    state.miniblockLeft -= n
    state.left -= n
    count -= n
    if (state.miniblockLeft === 0) leaveMiniblock(state)
  }
}

/** Where the encoded values end, found without decoding them. */
export function deltaEnd(bytes: Uint8Array, at: number, end: number, count: number): number {
  const state = deltaOver(bytes, at, end, count)
  state.left--
  while (state.left > 0) {
    nextMiniblock(state)
    state.left -= Math.min(state.left, state.perMiniblock)
    state.miniblockLeft = 0
    leaveMiniblock(state)
  }
  return state.cursor.at
}

function put(state: DeltaState, out: Int32Array, o: number, stride: 1 | 2): void {
  out[o * stride] = state.low
  if (stride === 2) out[o * 2 + 1] = state.high
}

function nextMiniblock(state: DeltaState): void {
  const { cursor } = state
  if (state.miniblock === state.miniblocks) {
    const least = readI64(cursor)
    state.leastLow = Number(BigInt.asIntN(32, least))
    state.leastHigh = Number(least >> 32n)
    state.widthsAt = cursor.at
    cursor.at += state.miniblocks
    if (cursor.at > cursor.end) throw corrupt('a delta block is cut short')
    state.miniblock = 0
  }
  state.width = cursor.bytes[state.widthsAt + state.miniblock] as number
  if (state.width > 64) throw corrupt(`deltas of ${state.width} bits`)
  state.miniblockLeft = state.perMiniblock
  state.bit = 0
}

/** A miniblock is padded to its full size, wherever its last value is. */
function leaveMiniblock(state: DeltaState): void {
  const { cursor } = state
  cursor.at = Math.min(cursor.end, cursor.at + (state.perMiniblock / 8) * state.width)
  state.miniblock++
}
