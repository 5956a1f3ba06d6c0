/**
 * Parquet's RLE / bit-packing hybrid: definition levels, dictionary codes and booleans. A state reads on where the last call stopped,
 * so that a page is decoded morsel by morsel, whatever number of values it claims. delta.ts is the other packed encoding.
 *
 * ```
 *   header varint: even: a run of header >> 1 equal values, the value in ceil(width / 8) bytes
 *                  odd:  (header >> 1) * 8 values of `width` bits each, least significant bit first
 * ```
 */
import { corrupt } from './corrupt.js'

export interface HybridState {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
  readonly end: number
  readonly width: number
  /** Values left of the run at hand, equal or packed. */
  left: number
  /** Of an equal run; -1 in a packed one. */
  value: number
  /** Bits of the packed run already read; its bytes begin at `at`. */
  bit: number
}

/** Over bytes [at, end), values of `width` bits (0 to 32). */
export function hybridOver(bytes: Uint8Array, at: number, end: number, width: number): HybridState {
  if (width > 32) throw corrupt(`values of ${width} bits`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { bytes, view, at, end, width, left: 0, value: -1, bit: 0 }
}

/** Over `count` bits without headers, as PLAIN booleans are. */
export function packedBits(bytes: Uint8Array, at: number, end: number, count: number): HybridState {
  const state = hybridOver(bytes, at, end, 1)
  state.left = count
  return state
}

/** Up to this length a loop is faster than a call. */
const SHORT_RUN = 64

/** The next `count` values, to out[o], out[o + 1], ... as signed 32-bit numbers. @throws MillraceError `MR_FORMAT_ERROR` where there are fewer. */
export function readHybrid(state: HybridState, out: Int32Array, o: number, count: number): void {
  while (count > 0) {
    if (state.left === 0) nextRun(state)
    const n = Math.min(count, state.left)
    if (state.value >= 0) {
      const { value } = state
      if (n > SHORT_RUN) out.fill(value, o, o + n)
      else for (let i = o; i < o + n; i++) out[i] = value
    } else {
      checkPacked(state, n)
      unpack(state.bytes, state.view, state.at * 8 + state.bit, state.width, out, o, n)
      advancePacked(state, n)
    }
    state.left -= n
    o += n
    count -= n
  }
}

/**
 * The next `count` values of width 1, to bits [o, o + count) of a bitmap, which must be 0 before. Returns how many are 1.
 */
export function readBits(state: HybridState, bitmap: Uint8Array, o: number, count: number): number {
  let ones = 0
  while (count > 0) {
    if (state.left === 0) nextRun(state)
    const n = Math.min(count, state.left)
    if (state.value < 0) {
      checkPacked(state, n)
      ones += copyBits(state.bytes, state.at * 8 + state.bit, bitmap, o, n)
      advancePacked(state, n)
    } else if (state.value === 1) {
      setBits(bitmap, o, n)
      ones += n
    } else if (state.value > 1) throw corrupt(`a level of ${state.value} where 1 is the highest`)
    state.left -= n
    o += n
    count -= n
  }
  return ones
}

function nextRun(state: HybridState): void {
  let header = 0
  for (let shift = 0; ; shift += 7) {
    if (state.at >= state.end || shift > 28) throw corrupt('a page has fewer values than it claims')
    const byte = state.bytes[state.at++] as number
    header |= (byte & 127) << shift
    if (byte < 128) break
  }
  header >>>= 0
  if ((header & 1) === 1) {
    state.left = (header >>> 1) * 8
    state.value = state.width === 0 ? 0 : -1
    state.bit = 0
    return
  }
  const bytes = (state.width + 7) >> 3
  if (state.at + bytes > state.end) throw corrupt('a page has fewer values than it claims')
  let value = 0
  for (let i = 0; i < bytes; i++) value |= (state.bytes[state.at + i] as number) << (i * 8)
  // A code of 32 bits with the top one set is out of any dictionary's range; it must not look like a packed run.
  if (value < 0) throw corrupt('a code is out of range')
  state.at += bytes
  state.left = header >>> 1
  state.value = value
}

/** Writers may leave out the padding of the last group: only bits that are wanted must be there. */
function checkPacked(state: HybridState, n: number): void {
  if (state.at * 8 + state.bit + n * state.width > state.end * 8)
    throw corrupt('a page has fewer values than it claims')
}

function advancePacked(state: HybridState, n: number): void {
  state.bit += n * state.width
  if (n === state.left) {
    state.at = Math.min(state.end, state.at + ((state.bit + 7) >> 3))
    state.bit = 0
  }
}

function unpack(
  bytes: Uint8Array,
  view: DataView,
  bit: number,
  width: number,
  out: Int32Array,
  o: number,
  n: number,
): void {
  const stop = o + n
  if (width === 8) {
    for (let b = bit >>> 3; o < stop; ) out[o++] = bytes[b++] as number
    return
  }
  if (width === 16 && (bit & 7) === 0) {
    for (let b = bit >>> 3; o < stop; b += 2) out[o++] = view.getUint16(b, true)
    return
  }
  // One load of 32 bits holds any 25, wherever they begin: two values of up to 12 bits. The last values, whose load would pass the end of
  // the buffer, come after.
  const safe = Math.max(0, Math.min(n, Math.floor(((bytes.length - 4) * 8 - bit) / width)))
  const mask = (1 << width) - 1
  if (width <= 12) {
    for (const pairsEnd = o + (safe & ~1); o < pairsEnd; o += 2) {
      const word = view.getUint32(bit >>> 3, true) >>> (bit & 7)
      out[o] = word & mask
      out[o + 1] = (word >>> width) & mask
      bit += width + width
    }
  } else if (width <= 25) {
    for (const end = o + safe; o < end; bit += width) out[o++] = (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & mask
  }
  for (; o < stop; bit += width) out[o++] = bitsAt(bytes, bit, width)
}

/** `width` bits (1 to 32) from bit position `bit`, as a signed 32-bit number. */
export function bitsAt(bytes: Uint8Array, bit: number, width: number): number {
  const b = bit >>> 3
  const shift = bit & 7
  const low =
    (bytes[b] as number) |
    ((bytes[b + 1] as number) << 8) |
    ((bytes[b + 2] as number) << 16) |
    ((bytes[b + 3] as number) << 24)
  const value = shift === 0 ? low : (low >>> shift) | ((bytes[b + 4] as number) << (32 - shift))
  return width === 32 ? value : value & ((1 << width) - 1)
}

/** Copies n bits; returns how many are 1. */
function copyBits(from: Uint8Array, fromBit: number, to: Uint8Array, toBit: number, n: number): number {
  let ones = 0
  while (n > 0 && (toBit & 7) !== 0) {
    const bit = ((from[fromBit >>> 3] as number) >> (fromBit & 7)) & 1
    to[toBit >>> 3] |= bit << (toBit & 7)
    ones += bit
    fromBit++
    toBit++
    n--
  }
  const shift = fromBit & 7
  let f = fromBit >>> 3
  let t = toBit >>> 3
  for (; n > 0; n -= 8, f++, t++) {
    let byte = (from[f] as number) >> shift
    if (shift !== 0) byte |= (from[f + 1] as number) << (8 - shift)
    byte &= n >= 8 ? 255 : (1 << n) - 1
    to[t] = byte
    ones += POPULATION[byte] as number
  }
  return ones
}

const POPULATION = new Uint8Array(256)
for (let i = 1; i < 256; i++) POPULATION[i] = (POPULATION[i >> 1] as number) + (i & 1)

function setBits(bitmap: Uint8Array, o: number, n: number): void {
  for (; n > 0 && (o & 7) !== 0; o++, n--) bitmap[o >>> 3] |= 1 << (o & 7)
  bitmap.fill(255, o >>> 3, (o >>> 3) + (n >> 3))
  if ((n & 7) !== 0) bitmap[(o + n) >>> 3] |= (1 << (n & 7)) - 1
}
