// Rows of many groups, parted by a hash of their keys so that the groups of a partition fit the caches; and results brought back into the order
// in which their groups appeared. How keys lie in words is drawn in key-words.ts.
//
//   starts   u32[partitions + 1]   where each partition begins among the parted rows: multiples of 8, so that bitmaps are cut at bytes
//   counts   u32[partitions]       its rows; what lies between them and the next start is of no meaning
//   rank     i64                   a row's place among all rows: split * 2^32 + its number within the split

// @ts-ignore: decorator
@inline
const K1: u64 = 0x9e3779b97f4a7c15
// @ts-ignore: decorator
@inline
const K2: u64 = 0xd6e8feb86659fd93

/** A 32-bit hash of each row's words, planes of u64 `pitch` bytes apart, of which only the bits in `masks` (u64 a plane) count. */
export function radixHash(planes: usize, pitch: usize, width: u32, masks: usize, seed: u64, count: u32, hashes: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    let hash = seed
    for (let j: u32 = 0; j < width; j++) {
      const word = load<u64>(planes + usize(j) * pitch + (usize(i) << 3)) & load<u64>(masks + (usize(j) << 3))
      hash = (hash ^ word) * K1
      hash = (hash ^ (hash >> 32)) * K2
    }
    store<u32>(hashes + (usize(i) << 2), u32(hash >> 32))
  }
}

/**
 * Mixes lut[code] into each row's hash, the code being `bits` bits of its word from `shift` on; where bit `nullShift` of the word at `nulls` (a
 * plane, or 0) is set the key is null, and its code of no meaning.
 */
export function radixMix(
  hashes: usize, plane: usize, shift: u32, bits: u32, nulls: usize, nullShift: u32, lut: usize, count: u32,
): void {
  const mask = u64.MAX_VALUE >> u64(64 - bits)
  for (let i: u32 = 0; i < count; i++) {
    const code = usize((load<u64>(plane + (usize(i) << 3)) >> u64(shift)) & mask)
    let hash = load<u32>(lut + (code << 2))
    if (nulls && (load<u64>(nulls + (usize(i) << 3)) >> u64(nullShift)) & 1) hash = 0
    const at = hashes + (usize(i) << 2)
    store<u32>(at, u32(((u64(load<u32>(at)) ^ hash) * K1) >> 32))
  }
}

/** A stable order of rows by the top `bits` of their hashes. Returns the length of `rows`: room for `count` and 7 more a partition. */
export function radixOrder(hashes: usize, count: u32, bits: u32, starts: usize, counts: usize, rows: usize): u32 {
  const partitions: u32 = 1 << bits
  const shift = 32 - bits
  memory.fill(counts, 0, usize(partitions) << 2)
  const end = hashes + (usize(count) << 2)
  for (let at = hashes; at < end; at += 4) {
    const slot = counts + (usize(load<u32>(at) >> shift) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  let next: u32 = 0
  for (let p: u32 = 0; p < partitions; p++) {
    store<u32>(starts + (usize(p) << 2), next)
    const rest = load<u32>(counts + (usize(p) << 2))
    for (let pad = next + rest, to = (next + rest + 7) & ~7; pad < to; pad++) store<u32>(rows + (usize(pad) << 2), 0)
    next = (next + rest + 7) & ~7
  }
  store<u32>(starts + (usize(partitions) << 2), next)
  let row: u32 = 0
  for (let at = hashes; at < end; at += 4) {
    const slot = starts + (usize(load<u32>(at) >> shift) << 2)
    const to = load<u32>(slot)
    store<u32>(slot, to + 1)
    store<u32>(rows + (usize(to) << 2), row++)
  }
  // Starts have moved to the ends of their rows.
  for (let p: u32 = 0; p < partitions; p++) {
    const slot = starts + (usize(p) << 2)
    store<u32>(slot, load<u32>(slot) - load<u32>(counts + (usize(p) << 2)))
  }
  return next
}

/** out[i] = first + rows[i] */
export function radixRanks(first: i64, rows: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) store<i64>(out + (usize(i) << 3), first + i64(load<u32>(rows + (usize(i) << 2))))
}

/** Words row by row to one plane of them, or with `planes` true the other way: `width` words a row. */
export function radixPlane(from: usize, fromStride: usize, to: usize, toStride: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(to, load<u64>(from))
    from += fromStride
    to += toStride
  }
}

/** Replaces the code, `bits` bits from `shift` on, of each word by map[code], but where the key is null (as `radixMix` has it): that has no code. */
export function radixRecode(
  plane: usize, shift: u32, bits: u32, nulls: usize, nullShift: u32, map: usize, count: u32,
): void {
  const mask = u64.MAX_VALUE >> u64(64 - bits)
  for (const end = plane + (usize(count) << 3); plane < end; plane += 8) {
    const isNull = nulls != 0 && (load<u64>(nulls) >> u64(nullShift)) & 1
    if (nulls) nulls += 8
    if (isNull) continue
    const word = load<u64>(plane)
    const code = usize((word >> u64(shift)) & mask)
    store<u64>(plane, (word & ~(mask << u64(shift))) | (u64(load<u32>(map + (code << 2))) << u64(shift)))
  }
}

/** Rows by the lane that ranks belong to: lanes[split]. Writes the rows of lane `lane`, ascending; returns how many. */
export function radixOfLane(ranks: usize, count: u32, lanes: usize, lane: u32, rows: usize): u32 {
  let found: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const split = u32(load<u64>(ranks + (usize(i) << 3)) >> 32)
    store<u32>(rows + (usize(found) << 2), i)
    found += u32(load<u32>(lanes + (usize(split) << 2)) == lane)
  }
  return found
}

/** at[sequence] = i for every rank i, where a split's first row has the number firsts[split] among the lane's. */
export function radixPlace(ranks: usize, count: u32, firsts: usize, at: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const rank = load<u64>(ranks + (usize(i) << 3))
    const sequence = load<u32>(firsts + (usize(rank >> 32) << 2)) + u32(rank)
    store<u32>(at + (usize(sequence) << 2), i)
  }
}

/** Those of `count` entries that are not 0xffffffff, close together; returns how many. */
export function radixPlaced(at: usize, count: u32, out: usize): u32 {
  const start = out
  for (const end = at + (usize(count) << 2); at < end; at += 4) {
    const entry = load<u32>(at)
    store<u32>(out, entry)
    out += usize(entry != u32.MAX_VALUE) << 2
  }
  return u32((out - start) >> 2)
}
