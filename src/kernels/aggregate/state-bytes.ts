/**
 * The portable form of aggregate states: little-endian, read in the order it was written. aggregation.ts writes the head, each
 * accumulator its own part.
 *
 * ```
 * magic  'MRag' (or 'MRlg': between lanes)  u32     version u32     aggregates u32, and for each: function u8, input kind u8, input index u16
 * groups u32     parts: u32 words and blocks, each block padded to 4 bytes
 * digits of a sum or a count: first u32, count u32, then count * groups u32 (layout in assembly/exact.ts)
 * ```
 */
import { MillraceError } from '../../errors.js'
import { addDigitsToLimbs, type Digits, digitsOfLimbs, type Lane, type LimbLayout } from '../exact.js'
import type { Kernels } from '../instance.js'

export const STATE_MAGIC = 0x6761524d
/** Of a state that is no further to go than to another lane: not canonical. */
export const LANE_STATE_MAGIC = 0x676c524d
/** Raised with every change of the form; a state of another version is refused. */
export const STATE_VERSION = 1

export interface StateWriter {
  /** Whether the state goes no further than to another lane of this build: then sums may be written as they lie, in no canonical form. */
  readonly forLane: boolean
  /** Whether, besides, the groups are all there are: then rows that are kept may be written as they lie. */
  readonly ofAll: boolean
  u32(value: number): void
  /** A copy of a block of lane memory. */
  lane(k: Kernels, pointer: number, byteLength: number): void
  /** `width` bytes (1, 4 or a multiple of 8) a group from `lane`, of groups `groups[0..count)` (u32 pointer), or with 0 of the first `count`. */
  states(k: Kernels, lane: Lane, width: number, groups: number, count: number): void
  /** All of it. */
  finish(): Uint8Array<ArrayBuffer>
  /** The same, in pieces that need not be copied together. */
  pieces(): readonly Uint8Array<ArrayBuffer>[]
}

export interface StateReader {
  /** As the writer had it: the head says so. */
  forLane: boolean
  /** Whether sums and counts are to be taken away from others, and so read as their negatives. Of portable states only. */
  negate: boolean
  /** @throws MillraceError `MR_FORMAT_ERROR` behind the end. */
  u32(): number
  /**
   * A block of this length, copied to scratch, where `room` bytes are taken for it.
   * @throws MillraceError `MR_FORMAT_ERROR` behind the end.
   */
  lane(k: Kernels, byteLength: number, room?: number): number
}

/** From so many bytes on a block is a piece by itself: it is copied once. */
const OWN_PIECE_BYTES = 65_536

export function createStateWriter(forLane = false, ofAll = false): StateWriter {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let bytes = new Uint8Array(256)
  let view = new DataView(bytes.buffer)
  let length = 0
  const grow = (byteLength: number) => {
    if (length + byteLength <= bytes.length) return
    const larger = new Uint8Array(Math.max(length + byteLength, bytes.length * 2))
    larger.set(bytes.subarray(0, length))
    bytes = larger
    view = new DataView(bytes.buffer)
  }
  const endPiece = () => {
    if (length > 0) pieces.push(bytes.slice(0, length))
    length = 0
  }
  const lane: StateWriter['lane'] = (k, pointer, byteLength) => {
    const padded = Math.ceil(byteLength / 4) * 4
    if (byteLength >= OWN_PIECE_BYTES) {
      endPiece()
      const piece = new Uint8Array(k.memory.copyOut(pointer, padded))
      pieces.push(piece.fill(0, byteLength))
      return
    }
    grow(padded)
    bytes.set(k.memory.bytes(pointer, byteLength), length)
    length += padded
  }
  return {
    forLane,
    ofAll,
    u32(value) {
      grow(4)
      view.setUint32(length, value, true)
      length += 4
    },
    lane,
    states(k, from, width, groups, count) {
      const mark = k.memory.mark()
      lane(k, statesOf(k, from, width, groups, count), width * count)
      k.memory.reset(mark)
    },
    pieces() {
      endPiece()
      return pieces
    },
    finish() {
      endPiece()
      const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
      let at = 0
      for (const piece of pieces) {
        all.set(piece, at)
        at += piece.length
      }
      return all
    },
  }
}

/** @param state what a writer gave: in pieces, none of which ends within a value, or as one. */
export function createStateReader(state: Uint8Array | readonly Uint8Array[]): StateReader {
  const pieces = state instanceof Uint8Array ? [state] : state
  let index = 0
  let start = 0
  let at = 0
  /** Where the next bytes are: in piece `index`. */
  const take = (byteLength: number): number => {
    while (at === (pieces[index]?.length ?? 0) && index + 1 < pieces.length && byteLength > 0) {
      start += at
      at = 0
      index++
    }
    const from = at
    at += Math.ceil(byteLength / 4) * 4
    if (at > (pieces[index]?.length ?? 0)) {
      throw new MillraceError(
        'MR_FORMAT_ERROR',
        `the state of an aggregation ends after ${start + (pieces[index]?.length ?? 0)} bytes, in the middle of a value at byte ${start + from}`,
        { byteOffset: start + from },
      )
    }
    return from
  }
  return {
    forLane: false,
    negate: false,
    u32() {
      const from = take(4)
      const { buffer, byteOffset } = pieces[index]
      return new DataView(buffer, byteOffset).getUint32(from, true)
    },
    lane(k, byteLength, room = byteLength) {
      const from = take(byteLength)
      const pointer = k.memory.scratch(room)
      if (byteLength > 0) k.memory.u8.set(pieces[index].subarray(from, from + byteLength), pointer)
      return pointer
    },
  }
}

/** States side by side: where they are, or gathered into scratch. Parameters as `StateWriter.states` has them. */
export function statesOf(k: Kernels, { pointer, stride }: Lane, width: number, groups: number, count: number): number {
  if (groups === 0 && stride === width) return pointer
  const out = k.memory.scratch(width * count)
  k.exports.statesTake(pointer, stride, width, groups, count, out)
  return out
}

export function writeDigits(k: Kernels, writer: StateWriter, { pointer, first, count, groupCount }: Digits): void {
  // Where all values are 0, nothing tells how they came about.
  writer.u32(count === 0 ? 0 : first)
  writer.u32(count)
  writer.lane(k, pointer, 4 * count * groupCount)
}

/** What `writeDigits` wrote, in scratch. */
export function readDigits(k: Kernels, reader: StateReader, groupCount: number): Digits {
  // Digits of products begin below those of values.
  const first = reader.u32() | 0
  const count = reader.u32()
  const pointer = reader.lane(k, 4 * count * groupCount)
  if (!reader.negate || count === 0) return { pointer, first, count, groupCount }
  const negated = k.memory.scratch(4 * (count + 1) * groupCount)
  k.exports.exactNegate(pointer, count, groupCount, negated)
  return { pointer: negated, first, count: count + 1, groupCount }
}

/** Whether a block of lane memory is all zeros. */
export const isZero = (k: Kernels, pointer: number, byteLength: number): boolean =>
  k.memory.bytes(pointer, byteLength).every(byte => byte === 0)

/** A count is a sum of ones. */
export const COUNT: LimbLayout = { limbs: 1, base: 0, width: 0, cap: 1 }

/** One int64 a group, in as few digits as hold them all. */
export function writeCounts(k: Kernels, writer: StateWriter, lane: Lane, groups: number, count: number): void {
  if (writer.forLane) {
    writer.states(k, lane, 8, groups, count)
    return
  }
  writeDigits(k, writer, digitsOfLimbs(k, COUNT, { pointer: statesOf(k, lane, 8, groups, count), stride: 8 }, count))
}

/** Adds what `writeCounts` wrote to a lane: group g's to group `groupMap[g]` (u32 pointer). */
export function mergeCounts(k: Kernels, reader: StateReader, lane: Lane, groupMap: number, groupCount: number): void {
  const mark = k.memory.mark()
  if (reader.forLane) {
    k.exports.exactAddLimbs(lane.pointer, lane.stride, 1, groupMap, reader.lane(k, 8 * groupCount), groupCount)
    k.memory.reset(mark)
    return
  }
  addDigitsToLimbs(k, COUNT, lane, readDigits(k, reader, groupCount), groupMap)
  k.memory.reset(mark)
}
