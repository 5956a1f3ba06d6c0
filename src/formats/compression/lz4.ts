/**
 * LZ4 blocks, bare (LZ4_RAW) and in the frames that Hadoop puts around them (LZ4), decoded into a buffer whose length is known. lz4-frame.ts has
 * the frames of LZ4 itself.
 */

export function fail(what: string): never {
  throw new Error(`lz4: ${what}`)
}

/** @throws Error where `input` is malformed, or holds another number of bytes than `output`. */
export function decompressLz4Raw(input: Uint8Array, output: Uint8Array): void {
  const o = readBlock(input, 0, input.length, output, 0)
  if (o !== output.length) fail(`${o} bytes came where ${output.length} were expected`)
}

/**
 * The deprecated codec: Hadoop's frames, each with two big-endian lengths (decoded, encoded), and what some writers made of it: one bare block.
 */
export function decompressLz4(input: Uint8Array, output: Uint8Array): void {
  if (!isHadoop(input, output.length)) {
    decompressLz4Raw(input, output)
    return
  }
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  let o = 0
  for (let at = 0; at < input.length; ) {
    const end = at + 8 + view.getUint32(at + 4)
    o = readBlock(input, at + 8, end, output, o)
    at = end
  }
}

/** Whether the input is Hadoop frames to its last byte, and their lengths add up. */
function isHadoop(input: Uint8Array, outputLength: number): boolean {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  let decoded = 0
  let at = 0
  while (at + 8 <= input.length) {
    decoded += view.getUint32(at)
    at += 8 + view.getUint32(at + 4)
  }
  return at === input.length && decoded === outputLength
}

/** Decodes bytes [at, end) to `output` from `o`, where what came before may be copied from. Returns where it ends. */
export function readBlock(input: Uint8Array, at: number, end: number, output: Uint8Array, o: number): number {
  while (at < end) {
    const token = input[at++] as number
    let literals = token >> 4
    if (literals === 15) {
      for (let byte = 255; byte === 255; literals += byte) {
        if (at >= end) fail('the block is cut short')
        byte = input[at++] as number
      }
    }
    if (literals > end - at || literals > output.length - o) fail('literals are longer than the block or the page')
    if (literals > 32) output.set(input.subarray(at, at + literals), o)
    else for (let i = 0; i < literals; i++) output[o + i] = input[at + i] as number
    at += literals
    o += literals
    if (at === end) return o
    if (at + 2 > end) fail('the block is cut short')
    const offset = (input[at] as number) | ((input[at + 1] as number) << 8)
    at += 2
    let length = token & 15
    if (length === 15) {
      for (let byte = 255; byte === 255; length += byte) {
        if (at >= end) fail('the block is cut short')
        byte = input[at++] as number
      }
    }
    length += 4
    if (offset === 0 || offset > o || length > output.length - o) fail('a match is out of range')
    if (offset >= length && length > 32) output.copyWithin(o, o - offset, o - offset + length)
    else for (let i = 0; i < length; i++) output[o + i] = output[o - offset + i] as number
    o += length
  }
  return o
}
