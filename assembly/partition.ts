// Rows of a group and a value, parted by the low byte of the group while they arrive: whoever reads a partition meets few groups, and
// their values in cache. Rows of a partition lie in pages, linked from the last to the first; nothing is moved when there are more.
//
//   Partitions   | free page u32 | free pages u32 | cursors u32[256] | last pages u32[256] |
//   page         4 KiB, aligned  | page before u32 | first record u32 | behind the last u32 | group bytes u32 | records ... |
//   record       | value, 4 or 8 bytes | group >> 8, in 0 (it is 0), 2 or 4 bytes |         offsets are from the page's begin
//
// All records fill 4,080 bytes without rest, so a cursor at a page's end, or at 0, says that the next record opens a page. A partition's
// first page begins somewhere else in each: 256 cursors at one offset would share a few sets of the cache. Pages come from the binding, which
// sees that there are enough.

// @ts-ignore: decorator
@inline
const PAGE: usize = 4096
// @ts-ignore: decorator
@inline
const HEAD: usize = 16
// @ts-ignore: decorator
@inline
const CURSORS: usize = 8
// @ts-ignore: decorator
@inline
const LAST: usize = 8 + 4 * 256

/** Adds `count` pages from `pages` on to the free ones. */
export function partitionAddPages(parts: usize, pages: usize, count: u32): void {
  let free = load<u32>(parts)
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(pages, free)
    free = u32(pages)
    pages += PAGE
  }
  store<u32>(parts, free)
  store<u32>(parts, load<u32>(parts, 4) + count, 4)
}

/** A page for a partition whose cursor is at the end of one, or at 0; returns its new cursor. */
function open(parts: usize, part: usize, cursor: usize, recordBytes: u32, groupBytes: u32): usize {
  const page = usize(load<u32>(parts))
  store<u32>(parts, load<u32>(page))
  store<u32>(parts, load<u32>(parts, 4) - 1, 4)
  const last = parts + (part << 2)
  const skipped = cursor ? 0 : ((u32(part) * (u32(PAGE - HEAD) / recordBytes)) >> 8) * recordBytes
  const first = HEAD + usize(skipped)
  store<u32>(page, load<u32>(last, LAST))
  store<u32>(page, u32(first), 4)
  store<u32>(page, u32(PAGE), 8)
  store<u32>(page, groupBytes, 12)
  store<u32>(last, u32(page), LAST)
  return page + first
}

/** Notes how far the last page of each partition is filled; with `finish` more records go to new pages, as those of another width must. */
export function partitionClose(parts: usize, finish: bool): void {
  for (let at = parts, end = parts + 1024; at < end; at += 4) {
    const cursor = load<u32>(at, CURSORS)
    if (cursor & u32(PAGE - 1)) store<u32>(usize(load<u32>(at, LAST)), cursor & u32(PAGE - 1), 8)
    if (finish) store<u32>(at, 0, CURSORS)
  }
}

// @ts-ignore: decorator
@inline
function append<V>(parts: usize, groups: usize, values: usize, count: u32, groupBytes: u32): void {
  const recordBytes = u32(sizeof<V>()) + groupBytes
  for (const end = groups + (usize(count) << 2); groups < end; groups += 4) {
    const group = load<u32>(groups)
    const part = usize(group & 255)
    const at = parts + (part << 2)
    let cursor = usize(load<u32>(at, CURSORS))
    if ((cursor & (PAGE - 1)) == 0) cursor = open(parts, part, cursor, recordBytes, groupBytes)
    store<V>(cursor, load<V>(values))
    if (groupBytes == 2) store<u16>(cursor, u16(group >> 8), sizeof<V>())
    else if (groupBytes == 4) store<u32>(cursor, group >> 8, sizeof<V>())
    store<u32>(at, u32(cursor) + recordBytes, CURSORS)
    values += sizeof<V>()
  }
}

/** Appends value i to group groups[i]. */
export function partitionAppend32(parts: usize, groups: usize, values: usize, count: u32, groupBytes: u32): void {
  append<u32>(parts, groups, values, count, groupBytes)
}

export function partitionAppend64(parts: usize, groups: usize, values: usize, count: u32, groupBytes: u32): void {
  append<u64>(parts, groups, values, count, groupBytes)
}

/** Appends runs of values end to end: the next lengths[i] go to group groups[i]. */
export function partitionAppendRuns(
  parts: usize, groups: usize, lengths: usize, count: u32, values: usize, valueBytes: u32, groupBytes: u32,
): void {
  const recordBytes = valueBytes + groupBytes
  for (let i: u32 = 0; i < count; i++) {
    const group = load<u32>(groups + (usize(i) << 2))
    const part = usize(group & 255)
    const at = parts + (part << 2)
    let left = load<u32>(lengths + (usize(i) << 2))
    let cursor = usize(load<u32>(at, CURSORS))
    while (left) {
      if ((cursor & (PAGE - 1)) == 0) cursor = open(parts, part, cursor, recordBytes, groupBytes)
      const records = min(left, (u32(PAGE) - u32(cursor & (PAGE - 1))) / recordBytes)
      const end = cursor + usize(records) * usize(recordBytes)
      if (groupBytes == 0) {
        memory.copy(cursor, values, end - cursor)
        values += end - cursor
      } else {
        for (; cursor < end; cursor += usize(recordBytes)) {
          if (valueBytes == 4) store<u32>(cursor, load<u32>(values))
          else store<u64>(cursor, load<u64>(values))
          const to = cursor + usize(valueBytes)
          if (groupBytes == 2) store<u16>(to, u16(group >> 8))
          else store<u32>(to, group >> 8)
          values += usize(valueBytes)
        }
      }
      cursor = end
      left -= records
    }
    store<u32>(at, u32(cursor), CURSORS)
  }
}

/** The high bits of a record's group. */
// @ts-ignore: decorator
@inline
function highAt(record: usize, valueBytes: u32, groupBytes: u32): usize {
  return groupBytes == 2 ? usize(load<u16>(record + usize(valueBytes))) : groupBytes ? usize(load<u32>(record + usize(valueBytes))) : 0
}

/**
 * counts[(h << shift) + base] += 1 for each record of the partition, h being the high bits of its group. Returns the number of records. Pages
 * are to be closed before.
 */
export function partitionCount(parts: usize, part: u32, valueBytes: u32, counts: usize, shift: u32, base: u32): u32 {
  let total: u32 = 0
  counts += usize(base) << 2
  const groupShift = usize(shift) + 2
  for (let page = usize(load<u32>(parts + (usize(part) << 2), LAST)); page; page = usize(load<u32>(page))) {
    const groupBytes = load<u32>(page, 12)
    const recordBytes = valueBytes + groupBytes
    const records = (load<u32>(page, 8) - load<u32>(page, 4)) / recordBytes
    total += records
    if (groupBytes == 0) {
      store<u32>(counts, load<u32>(counts) + records)
      continue
    }
    for (let at = page + usize(load<u32>(page, 4)), end = page + usize(load<u32>(page, 8)); at < end; at += usize(recordBytes)) {
      const slot = counts + (highAt(at, valueBytes, groupBytes) << groupShift)
      store<u32>(slot, load<u32>(slot) + 1)
    }
  }
  return total
}

/** starts[groups[i]] (with `groups` 0 starts[i]) = the sum of the lengths before i. Returns the sum of all. `starts` may be `lengths` where `groups` is 0. */
export function partitionStarts(lengths: usize, groups: usize, count: u32, starts: usize): u32 {
  let start: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const length = load<u32>(lengths + (usize(i) << 2))
    store<u32>(starts + (usize(groups ? load<u32>(groups + (usize(i) << 2)) : i) << 2), start)
    start += length
  }
  return start
}

// @ts-ignore: decorator
@inline
function gather<V>(parts: usize, part: u32, starts: usize, shift: u32, base: u32, out: usize): void {
  starts += usize(base) << 2
  const groupShift = usize(shift) + 2
  for (let page = usize(load<u32>(parts + (usize(part) << 2), LAST)); page; page = usize(load<u32>(page))) {
    const groupBytes = load<u32>(page, 12)
    const end = page + usize(load<u32>(page, 8))
    let at = page + usize(load<u32>(page, 4))
    if (groupBytes == 0) {
      const start = load<u32>(starts)
      if (start == u32.MAX_VALUE) continue
      memory.copy(out + usize(start) * sizeof<V>(), at, end - at)
      store<u32>(starts, start + u32((end - at) / sizeof<V>()))
      continue
    }
    const recordBytes = sizeof<V>() + usize(groupBytes)
    for (; at < end; at += recordBytes) {
      const slot = starts + (highAt(at, u32(sizeof<V>()), groupBytes) << groupShift)
      const start = load<u32>(slot)
      if (start == u32.MAX_VALUE) continue
      store<V>(out + usize(start) * sizeof<V>(), load<V>(at))
      store<u32>(slot, start + 1)
    }
  }
}

/** Copies the partition's values to where their groups' starts say, as indexed by `partitionCount`, and moves these on; 0xffffffff is passed over. */
export function partitionGather32(parts: usize, part: u32, starts: usize, shift: u32, base: u32, out: usize): void {
  gather<u32>(parts, part, starts, shift, base, out)
}

export function partitionGather64(parts: usize, part: u32, starts: usize, shift: u32, base: u32, out: usize): void {
  gather<u64>(parts, part, starts, shift, base, out)
}
