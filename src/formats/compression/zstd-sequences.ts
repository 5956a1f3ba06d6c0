/**
 * The sequences of a Zstandard block (RFC 8878, section 3.1.1.3.2): so many literals, then a match so far back, again and again. zstd.ts reads
 * what stands before them.
 */
import { type FseTable, fail, firstPosition, fseTable, type HuffmanTable } from './zstd-entropy.js'

/** What one block leaves for the next of its frame. */
export interface FrameState {
  huffman: HuffmanTable | null
  literalLengths: FseTable | null
  offsets: FseTable | null
  matchLengths: FseTable | null
  /** The last three offsets. */
  readonly recent: Int32Array
}

/** Literals of the block at hand: a part of `bytes`. */
export interface Literals {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  /** In the input, where the sequences begin. */
  readonly next: number
}

/** Up to this length a loop over bytes is faster than a call. */
const SHORT_COPY = 48

/** Replays the sequences: so many literals, then a match so far back. Returns the new output position. */
export function runSequences(
  view: DataView,
  input: Uint8Array,
  start: number,
  end: number,
  count: number,
  literals: Literals,
  output: Uint8Array,
  o: number,
  frameStart: number,
  state: FrameState,
): number {
  const { bytes, to } = literals
  let { from } = literals
  const { entries: literalEntries, log: literalLog } = state.literalLengths as FseTable
  const { entries: offsetEntries, log: offsetLog } = state.offsets as FseTable
  const { entries: matchEntries, log: matchLog } = state.matchLengths as FseTable
  let recent0 = state.recent[0] as number
  let recent1 = state.recent[1] as number
  let recent2 = state.recent[2] as number
  const limit = output.length
  let p = firstPosition(input, start, end)
  // The 25 bits below a position: see zstd-entropy.ts.
  let w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
  let literalState = (w >>> (25 - literalLog)) & ((1 << literalLog) - 1)
  p -= literalLog
  w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
  let offsetState = (w >>> (25 - offsetLog)) & ((1 << offsetLog) - 1)
  let matchState = (w >>> (25 - offsetLog - matchLog)) & ((1 << matchLog) - 1)
  p -= offsetLog + matchLog
  if (p < 0) fail('the sequences are cut short')

  for (let left = count; ; ) {
    const literalEntry = literalEntries[literalState] as number
    const offsetEntry = offsetEntries[offsetState] as number
    const matchEntry = matchEntries[matchState] as number
    const literalCode = literalEntry >>> 24
    const matchCode = matchEntry >>> 24
    const offsetBits = offsetEntry >>> 24

    // The offset's bits, then the match length's, then the literal length's.
    w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
    let offset: number
    if (offsetBits <= 25) {
      offset = (1 << offsetBits) | ((w >>> (25 - offsetBits)) & ((1 << offsetBits) - 1))
      p -= offsetBits
    } else {
      const top = w & 0x1ffffff
      p -= 25
      const rest = offsetBits - 25
      w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
      offset = ((1 << offsetBits) | (top << rest) | ((w >>> (25 - rest)) & ((1 << rest) - 1))) >>> 0
      p -= rest
    }
    const matchBits = MATCH_BITS[matchCode] as number
    const literalBits = LITERAL_BITS[literalCode] as number
    w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
    let matchLength = (MATCH_BASE[matchCode] as number) + ((w >>> (25 - matchBits)) & ((1 << matchBits) - 1))
    if (matchBits + literalBits > 25) {
      p -= matchBits
      w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
      p += matchBits
    } else w <<= matchBits
    const literalLength =
      (LITERAL_BASE[literalCode] as number) + ((w >>> (25 - literalBits)) & ((1 << literalBits) - 1))
    p -= matchBits + literalBits

    if (offset > 3) {
      offset -= 3
      recent2 = recent1
      recent1 = recent0
      recent0 = offset
    } else {
      // 1, 2, 3 are the recent ones; after no literals they are the second, the third, and the first less one.
      const which = literalLength === 0 ? offset : offset - 1
      if (which === 0) offset = recent0
      else {
        offset = which === 1 ? recent1 : which === 2 ? recent2 : recent0 - 1
        if (which > 1) recent2 = recent1
        recent1 = recent0
        recent0 = offset
      }
    }

    if (p < 0 || literalLength > to - from) fail('a sequence is malformed')
    if (literalLength + matchLength > limit - o) fail('there are more bytes than were expected')
    if (literalLength > SHORT_COPY) {
      output.set(bytes.subarray(from, from + literalLength), o)
      o += literalLength
      from += literalLength
    } else for (const stop = o + literalLength; o < stop; ) output[o++] = bytes[from++] as number
    if (offset < 1 || offset > o - frameStart) fail('a match begins before the data')
    if (matchLength > SHORT_COPY && offset >= matchLength) {
      output.copyWithin(o, o - offset, o - offset + matchLength)
      o += matchLength
    } else {
      let m = o - offset
      for (; matchLength > 0; matchLength--) output[o++] = output[m++] as number
    }
    if (--left === 0) break

    // New states: at most 9 + 9 + 8 bits, one more than a load is good for.
    const literalNeed = (literalEntry >> 16) & 255
    const matchNeed = (matchEntry >> 16) & 255
    const offsetNeed = (offsetEntry >> 16) & 255
    w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
    literalState = (literalEntry & 0xffff) + ((w >>> (25 - literalNeed)) & ((1 << literalNeed) - 1))
    w <<= literalNeed
    matchState = (matchEntry & 0xffff) + ((w >>> (25 - matchNeed)) & ((1 << matchNeed) - 1))
    p -= literalNeed + matchNeed
    w = view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)
    offsetState = (offsetEntry & 0xffff) + ((w >>> (25 - offsetNeed)) & ((1 << offsetNeed) - 1))
    p -= offsetNeed
    if (p < 0) fail('the sequences are cut short')
  }
  if (p !== 0) fail('the sequences do not end where they should')
  state.recent[0] = recent0
  state.recent[1] = recent1
  state.recent[2] = recent2
  const rest = to - from
  if (rest > limit - o) fail('there are more bytes than were expected')
  output.set(bytes.subarray(from, to), o)
  return o + rest
}

/** Extra bits and the least value of each code (section 3.1.1.3.2.1.1). */
const LITERAL_BITS = Uint8Array.of(
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  6,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
)
const MATCH_BITS = new Uint8Array(53)
MATCH_BITS.set([1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 32)
const LITERAL_BASE = basesOf(LITERAL_BITS, 0)
const MATCH_BASE = basesOf(MATCH_BITS, 3)

function basesOf(bits: Uint8Array, first: number): Int32Array {
  const bases = new Int32Array(bits.length)
  for (let code = 0, base = first; code < bits.length; code++) {
    bases[code] = base
    base += 1 << (bits[code] as number)
  }
  return bases
}

/** The default distributions (section 3.1.1.3.2.2). */
const preset = (log: number, counts: readonly number[]) => {
  let table: FseTable | null = null
  return (): FseTable => {
    table ??= fseTable(Int16Array.from(counts), counts.length, log)
    return table
  }
}
export const presetLiteralLengths = preset(
  6,
  [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
)
export const presetMatchLengths = preset(
  6,
  [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
  ],
)
export const presetOffsets = preset(
  5,
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
)
