/**
 * One page's bytes out of their codec, into a buffer of the length that its header states. Snappy is hyparquet's, gzip and brotli are
 * hyparquet-compressors', imported file by file: its index would compile a WebAssembly module at import, which pages may forbid.
 */
import { snappyUncompress } from 'hyparquet/src/snappy.js'
import { decompressBrotli } from 'hyparquet-compressors/src/brotli.js'
import { gunzip } from 'hyparquet-compressors/src/gzip.js'
import { decompressLz4, decompressLz4Raw } from '../../compression/lz4.js'
import { decompressZstd } from '../../compression/zstd.js'
import { crc32 } from './crc32.js'

export type Decompress = (input: Uint8Array, output: Uint8Array) => void

interface CodecEntry {
  readonly decompress: Decompress
  /** No sound page is more times smaller than this than its content; bounds what a lying header can allocate. */
  readonly maxRatio: number
}

/** By Parquet's names. LZO is not there: nothing free reads it. */
export const CODEC_TABLE: Readonly<Record<string, CodecEntry>> = {
  SNAPPY: { decompress: unsnappy, maxRatio: 64 },
  GZIP: { decompress: ungzip, maxRatio: 1_100 },
  BROTLI: { decompress: unbrotli, maxRatio: 1_000_000 },
  LZ4: { decompress: decompressLz4, maxRatio: 260 },
  LZ4_RAW: { decompress: decompressLz4Raw, maxRatio: 260 },
  // A block of one repeated byte: 131,072 bytes from 4.
  ZSTD: { decompress: decompressZstd, maxRatio: 33_000 },
}

/**
 * Snappy states its length, and hyparquet's decoder believes it and every length within: a literal of four gigabytes keeps it busy for seconds,
 * and a match may write past `output`. So the elements are walked first.
 */
function unsnappy(input: Uint8Array, output: Uint8Array): void {
  let stated = 0
  let at = 0
  for (let shift = 0; at < 5; shift += 7) {
    const byte = input[at++] ?? 0
    stated += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  if (stated !== output.length)
    throw new Error(`snappy: the page states ${stated} bytes where ${output.length} were expected`)
  checkElements(input, at, stated)
  snappyUncompress(input, output)
}

/** Literals and copies as in snappy's format description: a tag's low two bits, then lengths and offsets, little-endian. */
function checkElements(input: Uint8Array, from: number, outputLength: number): void {
  let made = 0
  for (let at = from; at < input.length; ) {
    const tag = input[at++]
    const kind = tag & 3
    const high = tag >> 2
    if (kind === 0) {
      const extra = Math.max(0, high - 59)
      const length = (extra === 0 ? high : littleEndian(input, at, extra)) + 1
      at += extra + length
      made += length
      if (at > input.length) throw new Error('snappy: a literal reaches beyond the page')
    } else {
      const offsetBytes = kind === 3 ? 4 : kind
      const offset = littleEndian(input, at, offsetBytes) + (kind === 1 ? (tag >> 5) * 256 : 0)
      at += offsetBytes
      if (offset === 0 || offset > made) throw new Error('snappy: a copy from before the beginning')
      made += kind === 1 ? (high & 7) + 4 : high + 1
    }
    if (made > outputLength) throw new Error(`snappy: more than the ${outputLength} bytes that it states`)
  }
}

function littleEndian(input: Uint8Array, at: number, byteLength: number): number {
  let value = 0
  for (let i = 0; i < byteLength; i++) value += (input[at + i] ?? 0) * 256 ** i
  return value
}

/** The decoder stops silently at the end of `output`, or short of it: the trailer (CRC-32 and length) tells whether all is there. */
function ungzip(input: Uint8Array, output: Uint8Array): void {
  if (input.length < 18 || input[0] !== 31 || input[1] !== 139) throw new Error('gzip: there is no member here')
  gunzip(input, output)
  const trailer = new DataView(input.buffer, input.byteOffset + input.length - 8, 8)
  if (trailer.getUint32(4, true) !== output.length || trailer.getInt32(0, true) !== crc32(output)) {
    throw new Error('gzip: the length or the checksum does not match')
  }
}

function unbrotli(input: Uint8Array, output: Uint8Array): void {
  output.set(decompressBrotli(input, output.length))
}
