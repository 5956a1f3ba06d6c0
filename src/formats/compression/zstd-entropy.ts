/**
 * The entropy codes of Zstandard (RFC 8878, section 4): FSE and Huffman decoding tables, and Huffman-coded literals. zstd.ts is the format
 * around them.
 *
 * Both are read backwards, from the last byte of a stream to its first. A position is the count of bits that are left; what lies below it
 * comes with one unaligned load of the 32 bits that end at or above the position:
 *
 * ```
 *   load at (p - 25) >> 3, shifted down by (p - 25) & 7: bits 0..24 are the next 25, the next of them in bit 24
 * ```
 * Where fewer are left, what precedes the stream is read too; it is never used by a sound stream, and a broken one ends on p !== 0.
 * Loads stay inside the input, because at least four bytes of headers precede any stream, and none passes a stream's end.
 */

/** Each entry: symbol << 24 | bits to read << 16 | next state before those bits are added. */
export interface FseTable {
  readonly log: number
  readonly entries: Int32Array
}

/** Each entry: symbol << 8 | bits of its code; indexed by the next `log` bits. */
export interface HuffmanTable {
  readonly log: number
  readonly entries: Uint16Array
}

const highestBit = (value: number): number => 31 - Math.clz32(value)

export function fail(what: string): never {
  throw new Error(`zstd: ${what}`)
}

/** A table of one symbol, which takes no bits. */
export const singleFse = (symbol: number): FseTable => ({ log: 0, entries: Int32Array.of(symbol << 24) })

/** Spreads normalised counts over a table (section 4.1.1); -1 is "less than one". */
export function fseTable(counts: Int16Array, symbolCount: number, log: number): FseTable {
  const size = 1 << log
  const symbols = new Uint8Array(size)
  const next = new Int32Array(symbolCount)
  let high = size
  for (let s = 0; s < symbolCount; s++) {
    if (counts[s] === -1) {
      symbols[--high] = s
      next[s] = 1
    } else next[s] = counts[s] as number
  }
  const step = (size >> 1) + (size >> 3) + 3
  let position = 0
  for (let s = 0; s < symbolCount; s++) {
    for (let i = 0; i < (counts[s] as number); i++) {
      symbols[position] = s
      do position = (position + step) & (size - 1)
      while (position >= high)
    }
  }
  if (position !== 0) fail('a table of probabilities does not fill its space')
  const entries = new Int32Array(size)
  for (let i = 0; i < size; i++) {
    const symbol = symbols[i] as number
    const state = next[symbol]++ as number
    const bits = log - highestBit(state)
    entries[i] = (symbol << 24) | (bits << 16) | ((state << bits) - size)
  }
  return { log, entries }
}

/** Reads a table's description at `at`; returns the table and where it ends. */
export function readFseTable(
  input: Uint8Array,
  at: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): { table: FseTable; at: number } {
  if (at >= end) fail('a table of probabilities is missing')
  const log = ((input[at] as number) & 15) + 5
  if (log > maxLog) fail(`a table of 2^${log} states where 2^${maxLog} are allowed`)
  const counts = new Int16Array(256)
  let bit = at * 8 + 4
  let remaining = 1 << log
  let symbol = 0
  const peek = (p: number) => {
    const b = p >> 3
    return (
      (((input[b] as number) | ((input[b + 1] as number) << 8) | ((input[b + 2] as number) << 16)) >>> (p & 7)) & 0xffff
    )
  }
  while (remaining > 0 && symbol <= maxSymbol) {
    if (bit > end * 8) fail('a table of probabilities is cut short')
    const bits = highestBit(remaining + 1)
    const all = (2 << bits) - 1
    const short = (1 << bits) - 1
    const spare = all - remaining - 1
    let value = peek(bit) & all
    if ((value & short) < spare) {
      value &= short
      bit += bits
    } else {
      if (value > short) value -= spare
      bit += bits + 1
    }
    const count = value - 1
    counts[symbol++] = count
    remaining -= Math.abs(count)
    if (count === 0) {
      for (let repeat = 3; repeat === 3; ) {
        if (bit > end * 8) fail('a table of probabilities is cut short')
        repeat = peek(bit) & 3
        bit += 2
        symbol += repeat
      }
    }
  }
  const after = (bit + 7) >> 3
  if (remaining !== 0 || symbol > maxSymbol + 1 || after > end) fail('a table of probabilities is malformed')
  return { table: fseTable(counts, symbol, log), at: after }
}

/** Reads a Huffman tree's description (section 4.2.1) at `at`. */
export function readHuffmanTable(input: Uint8Array, at: number, end: number): { table: HuffmanTable; at: number } {
  if (at >= end) fail('a Huffman tree is missing')
  const weights = new Uint8Array(256)
  const head = input[at++] as number
  let count: number
  const after = at + (head < 128 ? head : (head - 126) >> 1)
  if (after > end) fail('a Huffman tree is cut short')
  if (head < 128) count = readWeights(input, at, after, weights)
  else {
    count = head - 127
    for (let i = 0; i < count; i++) weights[i] = ((input[at + (i >> 1)] as number) >> (i & 1 ? 0 : 4)) & 15
  }
  let sum = 0
  for (let i = 0; i < count; i++) sum += (1 << (weights[i] as number)) >> 1
  const log = sum === 0 ? 12 : highestBit(sum) + 1
  const rest = (1 << log) - sum
  if (log > 11 || (rest & (rest - 1)) !== 0) fail('a Huffman tree is malformed')
  weights[count++] = highestBit(rest) + 1
  // Longest codes first, in order of symbols.
  const starts = new Int32Array(14)
  for (let i = 0; i < count; i++) starts[(weights[i] as number) + 1] += (1 << (weights[i] as number)) >> 1
  for (let w = 1; w < 14; w++) (starts[w] as number) += starts[w - 1] as number
  const entries = new Uint16Array(1 << log)
  for (let i = 0; i < count; i++) {
    const weight = weights[i] as number
    if (weight === 0) continue
    const from = starts[weight] as number
    starts[weight] = from + ((1 << weight) >> 1)
    entries.fill((i << 8) | (log + 1 - weight), from, starts[weight])
  }
  return { table: { log, entries }, at: after }
}

/** Weights coded by two FSE states that take turns. Returns how many there are. */
function readWeights(input: Uint8Array, at: number, end: number, weights: Uint8Array): number {
  const { table, at: start } = readFseTable(input, at, end, 6, 255)
  if (start >= end) fail('Huffman weights are missing')
  const { entries, log } = table
  let p = firstPosition(input, start, end)
  let count = 0
  const read = (bits: number): number => {
    p -= bits
    if (p < 0) return 0
    const b = start + (p >> 3)
    return (((input[b] as number) | ((input[b + 1] as number) << 8)) >> (p & 7)) & ((1 << bits) - 1)
  }
  const states = [read(log), read(log)]
  if (p < 0) fail('Huffman weights are cut short')
  for (let turn = 0; count < 255; turn ^= 1) {
    const entry = entries[states[turn] as number] as number
    weights[count++] = entry >>> 24
    states[turn] = (entry & 0xffff) + read((entry >> 16) & 255)
    if (p < 0) {
      weights[count++] = (entries[states[turn ^ 1] as number] as number) >>> 24
      for (let i = 0; i < count; i++) if ((weights[i] as number) > 11) fail('a Huffman code is longer than 11 bits')
      return count
    }
  }
  return fail('there are too many Huffman weights')
}

/** The bits of the stream [start, end), below the set bit that marks its end. */
export function firstPosition(input: Uint8Array, start: number, end: number): number {
  const last = end > start ? (input[end - 1] as number) : 0
  if (last === 0) fail('a bit stream has no end mark')
  return (end - start - 1) * 8 + highestBit(last)
}

/** Decodes one stream, [start, end), to `out` [o, to). */
export function decodeHuffman1(
  view: DataView,
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  o: number,
  to: number,
  { log, entries }: HuffmanTable,
): void {
  finishHuffman(view, start, firstPosition(input, start, end), out, o, to, log, entries)
}

/** Decodes the four streams of [start, end), whose lengths stand before them, to `out` [o, to). */
export function decodeHuffman4(
  view: DataView,
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  o: number,
  to: number,
  { log, entries }: HuffmanTable,
): void {
  if (end - start < 10) fail('four streams are cut short')
  const s1 = start + 6
  const s2 = s1 + view.getUint16(start, true)
  const s3 = s2 + view.getUint16(start + 2, true)
  const s4 = s3 + view.getUint16(start + 4, true)
  if (s4 >= end) fail('four streams are longer than their block')
  const quarter = (to - o + 3) >> 2
  const o2 = o + quarter
  const o3 = o2 + quarter
  const o4 = o3 + quarter
  if (o4 > to) fail('four streams for too few literals')
  let p1 = firstPosition(input, s1, s2)
  let p2 = firstPosition(input, s2, s3)
  let p3 = firstPosition(input, s3, s4)
  let p4 = firstPosition(input, s4, end)
  const drop = 25 - log
  const mask = (1 << log) - 1
  const pairs = (to - o4) & ~1
  let i = 0
  // Two symbols to a load: 2 * 11 bits of the 25. The four chains do not depend on each other, so they run side by side.
  for (; i < pairs && (p1 | p2 | p3 | p4) >= 0; i += 2) {
    let w1 = view.getUint32(s1 + ((p1 - 25) >> 3), true) >>> ((p1 - 25) & 7)
    let w2 = view.getUint32(s2 + ((p2 - 25) >> 3), true) >>> ((p2 - 25) & 7)
    let w3 = view.getUint32(s3 + ((p3 - 25) >> 3), true) >>> ((p3 - 25) & 7)
    let w4 = view.getUint32(s4 + ((p4 - 25) >> 3), true) >>> ((p4 - 25) & 7)
    let e1 = entries[(w1 >>> drop) & mask] as number
    let e2 = entries[(w2 >>> drop) & mask] as number
    let e3 = entries[(w3 >>> drop) & mask] as number
    let e4 = entries[(w4 >>> drop) & mask] as number
    out[o + i] = e1 >> 8
    out[o2 + i] = e2 >> 8
    out[o3 + i] = e3 >> 8
    out[o4 + i] = e4 >> 8
    w1 <<= e1 & 15
    w2 <<= e2 & 15
    w3 <<= e3 & 15
    w4 <<= e4 & 15
    p1 -= e1 & 15
    p2 -= e2 & 15
    p3 -= e3 & 15
    p4 -= e4 & 15
    e1 = entries[(w1 >>> drop) & mask] as number
    e2 = entries[(w2 >>> drop) & mask] as number
    e3 = entries[(w3 >>> drop) & mask] as number
    e4 = entries[(w4 >>> drop) & mask] as number
    out[o + i + 1] = e1 >> 8
    out[o2 + i + 1] = e2 >> 8
    out[o3 + i + 1] = e3 >> 8
    out[o4 + i + 1] = e4 >> 8
    p1 -= e1 & 15
    p2 -= e2 & 15
    p3 -= e3 & 15
    p4 -= e4 & 15
  }
  finishHuffman(view, s1, p1, out, o + i, o2, log, entries)
  finishHuffman(view, s2, p2, out, o2 + i, o3, log, entries)
  finishHuffman(view, s3, p3, out, o3 + i, o4, log, entries)
  finishHuffman(view, s4, p4, out, o4 + i, to, log, entries)
}

function finishHuffman(
  view: DataView,
  start: number,
  p: number,
  out: Uint8Array,
  o: number,
  to: number,
  log: number,
  entries: Uint16Array,
): void {
  const drop = 25 - log
  const mask = (1 << log) - 1
  while (o < to && p >= 0) {
    const e = entries[((view.getUint32(start + ((p - 25) >> 3), true) >>> ((p - 25) & 7)) >>> drop) & mask] as number
    out[o++] = e >> 8
    p -= e & 15
  }
  if (p !== 0 || o !== to) fail('a stream of literals does not end where it should')
}
