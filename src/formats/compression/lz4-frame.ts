/**
 * LZ4 frames, as Arrow's LZ4_FRAME has them, decoded into a buffer whose length is known. lz4.ts decodes the blocks in them:
 *
 * ```
 *   04 22 4D 18  FLG BD [content size: 8] [dictionary id: 4] HC   blocks   00 00 00 00  [content checksum: 4]
 *   block        its length: 4, the highest bit set where it is not compressed; its bytes; [checksum: 4]
 * ```
 */
import { fail, readBlock } from './lz4.js'
import { xxhash32 } from './xxhash32.js'

const MAGIC = 0x184d2204
/** Sixteen magic numbers of frames to be skipped, from this one. */
const SKIPPABLE_MAGIC = 0x184d2a50

/** @throws Error where `input` is malformed, or holds another number of bytes than `output`. */
export function decompressLz4Frame(input: Uint8Array, output: Uint8Array): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  let at = 0
  let o = 0
  while (at < input.length) {
    if (input.length - at < 8) fail('the input ends in a frame header')
    const magic = view.getUint32(at, true)
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
      at += 8 + view.getUint32(at + 4, true)
      if (at > input.length) fail('a frame to be skipped is cut short')
    } else if (magic === MAGIC) {
      const frame = readFrame(view, input, at, output, o)
      at = frame.at
      o = frame.o
    } else fail('there is no frame here')
  }
  if (o !== output.length) fail(`${o} bytes came where ${output.length} were expected`)
}

function readFrame(
  view: DataView,
  input: Uint8Array,
  from: number,
  output: Uint8Array,
  o: number,
): { at: number; o: number } {
  const start = o
  const flags = input[from + 4] as number
  if (flags >> 6 !== 1) fail('the frame is of another version')
  if ((flags & 1) !== 0) fail('the frame needs a dictionary, and there is none')
  const hasBlockChecksums = (flags & 16) !== 0
  const hasContentChecksum = (flags & 4) !== 0
  let at = from + 6 + ((flags & 8) !== 0 ? 8 : 0)
  const word = (): number => {
    if (at + 4 > input.length) fail('the frame is cut short')
    at += 4
    return view.getUint32(at - 4, true)
  }
  if (at >= input.length) fail('the input ends in a frame header')
  if (((xxhash32(input, from + 4, at) >> 8) & 255) !== input[at]) fail('the checksum of a frame header does not match')
  at++
  for (let size = word(); size !== 0; size = word()) {
    const byteLength = size & 0x7fffffff
    const end = at + byteLength
    if (end > input.length) fail('a block is longer than the input')
    if (size === byteLength) o = readBlock(input, at, end, output, o)
    else {
      if (byteLength > output.length - o) fail('there are more bytes than were expected')
      output.set(input.subarray(at, end), o)
      o += byteLength
    }
    const from = at
    at = end
    if (hasBlockChecksums && word() !== xxhash32(input, from, end)) fail('the checksum of a block does not match')
  }
  if (hasContentChecksum && word() !== xxhash32(output, start, o)) fail('the checksum does not match')
  return { at, o }
}
