// The first row of every group, told by the groups of rows in their order.
//
//   groups   u32 a row
//   marks    a bitmap of rows: those that are the first of their group

/** The rows whose group no byte of `seen` knows yet, ascending, to `rows` (room for one a row); these are known from now on. Returns how many. */
export function firstSeen(groups: usize, count: u32, seen: usize, rows: usize): u32 {
  const start = rows
  for (let row: u32 = 0; row < count; row++) {
    const at = seen + usize(load<u32>(groups + (usize(row) << 2)))
    store<u32>(rows, row)
    rows += usize(load<u8>(at) ^ 1) << 2
    store<u8>(at, 1)
  }
  return u32((rows - start) >> 2)
}

/**
 * Marks rows whose group is `next`, which then is one more: groups are counted as they appear. Row i is rows[i], or where `rows` is 0 `first` + i. Returns the
 * last `next`.
 */
export function firstMark(groups: usize, count: u32, next: u32, rows: usize, first: u32, marks: usize): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const row = rows ? load<u32>(rows + (usize(i) << 2)) : first + i
    const isFirst = u32(load<u32>(groups + (usize(i) << 2)) == next)
    next += isFirst
    const at = marks + usize(row >> 3)
    store<u8>(at, u8(u32(load<u8>(at)) | (isFirst << (row & 7))))
  }
  return next
}

/** Marks rows[i] for every bit i of `bits` that is set. */
export function firstApply(bits: usize, count: u32, rows: usize, marks: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(rows + (usize(i) << 2))
    const bit = (u32(load<u8>(bits + usize(i >> 3))) >> (i & 7)) & 1
    const at = marks + usize(row >> 3)
    store<u8>(at, u8(u32(load<u8>(at)) | (bit << (row & 7))))
  }
}

/** ids[i] = the top eight bits of a 32-bit hash. */
export function firstIds(hashes: usize, count: u32, ids: usize): void {
  for (const end = hashes + (usize(count) << 2); hashes < end; hashes += 4) {
    store<u16>(ids, u16(load<u8>(hashes + 3)))
    ids += 2
  }
}
