/**
 * Gzip data cut where a member may begin. A file may be several members one behind the other (`cat a.gz b.gz`), and what decompresses one does not
 * tell where it ends, or refuses what follows; decompress.ts settles which of the places found here are true.
 *
 * ```
 *   member   1f 8b 08 flags ...   deflate data   CRC-32: 4 bytes   length of what was compressed, modulo 2^32: 4 bytes
 * ```
 */
import { joinedBytes } from './joined-bytes.js'

export interface Piece {
  /** At most `PIECE_BYTES`. */
  readonly bytes: Uint8Array
  /** Where a member may end before this piece: what its length would be. */
  readonly endsWith: number | null
}

/** What goes into a decompressor at a time comes out at most 1032 times as long. */
export const PIECE_BYTES = 32_768

/** The last piece is of no bytes, and behind the end. */
export async function* gzipPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece, void, void> {
  let last: Uint8Array = new Uint8Array(TAIL_BYTES)
  /** Bytes that may turn out to begin a member. */
  let held: Uint8Array = new Uint8Array(0)
  const pieceOf = (bytes: Uint8Array, isBegin: boolean): Piece => {
    const endsWith = isBegin ? lengthBefore(last) : null
    last = joinedBytes(last, bytes.subarray(-TAIL_BYTES)).subarray(-TAIL_BYTES)
    return { bytes, endsWith }
  }
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : joinedBytes(held, chunk)
    let from = 0
    while (from < bytes.length) {
      const begins = beginsMember(bytes, from)
      if (begins === null) break
      const to = memberStart(bytes, begins ? from + 1 : from, Math.min(bytes.length, from + PIECE_BYTES))
      yield pieceOf(bytes.subarray(from, to), begins)
      from = to
    }
    held = bytes.slice(from)
  }
  if (held.length > 0) yield pieceOf(held, false)
  yield { bytes: held.subarray(held.length), endsWith: littleEndian(last.subarray(-4)) }
}

/** The first place in `[from, to)` where a member begins, or where one may that goes on behind all bytes; otherwise `to`. */
function memberStart(bytes: Uint8Array, from: number, to: number): number {
  const searched = bytes.subarray(0, to)
  for (let i = searched.indexOf(0x1f, from); i >= 0; i = searched.indexOf(0x1f, i + 1)) {
    if (beginsMember(bytes, i) !== false) return i
  }
  return to
}

/** Null: the bytes end before that is known. */
function beginsMember(bytes: Uint8Array, at: number): boolean | null {
  for (let i = 0; i < 4; i++) {
    if (at + i === bytes.length) return null
    if (i < 3 ? bytes[at + i] !== MAGIC[i] : bytes[at + i] >= 0x20) return false
  }
  return true
}

const MAGIC = Uint8Array.of(0x1f, 0x8b, 8)

/** A checksum, a length, and what an empty member has before them. */
const TAIL_BYTES = 12

/**
 * The length that would stand before a member that begins here, and null where none can. Zeros are before many a thing that looks like one (a
 * gzip file in an archive): of nothing only where deflate data of nothing are before them, `03 00` or `00 00 ff ff`.
 */
function lengthBefore(last: Uint8Array): number | null {
  const length = littleEndian(last.subarray(-4))
  if (length !== 0) return length
  const [a, b, c, d, ...sum] = last.subarray(0, 8)
  const isNothing = (c === 3 && d === 0) || (a === 0 && b === 0 && c === 0xff && d === 0xff)
  return isNothing && sum.every(byte => byte === 0) ? 0 : null
}

const littleEndian = ([a, b, c, d]: Uint8Array) => (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
