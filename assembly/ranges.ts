// Rows parted by ranges of their sort images (sort.ts), so that what is sorted at a time fits the caches.
//
//   images    u64 a row, order-preserving
//   bounds    u64[2^bits - 1], ascending; a row is in the partition of as many bounds as are not above its image
//   ids       u16 a row: its partition

/** Cells that the images between the first bound and the last are in, at most, and how many bounds one may have for rows to be found by them. */
const CELL_BITS: u32 = 12
const MOST_IN_CELL: u32 = 4

/** ids[i] = `first` + how many of the bounds are at most images[i]. `cells` is room for u16[2^12 + 1]. */
export function rangeFind(images: usize, count: u32, bounds: usize, bits: u32, first: u32, ids: usize, cells: usize): void {
  const boundCount = (u32(1) << bits) - 1
  const low = load<u64>(bounds)
  const span = load<u64>(bounds + (usize(boundCount - 1) << 3)) - low
  const width: u32 = 64 - u32(clz(span))
  const shift = u64(width > CELL_BITS ? width - CELL_BITS : 0)
  if (fillCells(bounds, boundCount, low, shift, cells, u32(span >> shift)) > MOST_IN_CELL) {
    searchBounds(images, count, bounds, bits, first, ids)
    return
  }
  const last = bounds + (usize(boundCount) << 3)
  for (const end = images + (usize(count) << 3); images < end; images += 8) {
    const image = load<u64>(images)
    const above = select<u64>(image - low, 0, image >= low)
    const cell = usize(select<u64>(span, above, above > span) >> shift)
    let at = bounds + (usize(load<u16>(cells + (cell << 1))) << 3)
    while (at < last && image >= load<u64>(at)) at += 8
    store<u16>(ids, u16(first + u32((at - bounds) >> 3)))
    ids += 2
  }
}

/** cells[c] = how many bounds lie in the cells before it. Returns how many one cell has at most. */
function fillCells(bounds: usize, boundCount: u32, low: u64, shift: u64, cells: usize, lastCell: u32): u32 {
  let most: u32 = 0
  let bound: u32 = 0
  for (let cell: u32 = 0; cell <= lastCell; cell++) {
    store<u16>(cells + (usize(cell) << 1), u16(bound))
    const before = bound
    while (bound < boundCount && u32((load<u64>(bounds + (usize(bound) << 3)) - low) >> shift) == cell) bound++
    most = max(most, bound - before)
  }
  return most
}

function searchBounds(images: usize, count: u32, bounds: usize, bits: u32, first: u32, ids: usize): void {
  // Of the rest of the bounds the upper half is left or the lower one: the same steps for every row, and no branch.
  const top = usize(1) << (bits + 2)
  for (const end = images + (usize(count) << 3); images < end; images += 8) {
    const image = load<u64>(images)
    let at = bounds
    for (let step = top; step > 4; step >>= 1) at += select<usize>(step, 0, image >= load<u64>(at + step - 8))
    store<u16>(ids, u16(first + u32((at - bounds) >> 3)))
    ids += 2
  }
}

/** Copies pieces one after another to `out`: `pieces` is u32[2 * count], where each begins and its bytes. */
export function rangeJoin(pieces: usize, count: u32, out: usize): void {
  for (const end = pieces + (usize(count) << 3); pieces < end; pieces += 8) {
    const bytes = usize(load<u32>(pieces + 4))
    memory.copy(out, usize(load<u32>(pieces)), bytes)
    out += bytes
  }
}

/** The partition of rows that are null is `id`. */
export function rangeNulls(ids: usize, validity: usize, count: u32, id: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    const isValid = (load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1
    if (!isValid) store<u16>(ids + (usize(row) << 1), u16(id))
  }
}

/** Rows in the order of their partitions, stably; `starts` (u32[partitions + 1]) gets where each begins, and the end. */
export function rangeOrder(ids: usize, count: u32, partitions: u32, starts: usize, rows: usize): void {
  memory.fill(starts, 0, usize(partitions + 1) << 2)
  const end = ids + (usize(count) << 1)
  for (let at = ids; at < end; at += 2) {
    const slot = starts + (usize(load<u16>(at)) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  let next: u32 = 0
  for (let p: u32 = 0; p <= partitions; p++) {
    const slot = starts + (usize(p) << 2)
    const own = load<u32>(slot)
    store<u32>(slot, next)
    next += own
  }
  let row: u32 = 0
  for (let at = ids; at < end; at += 2) {
    const slot = starts + (usize(load<u16>(at)) << 2)
    const to = load<u32>(slot)
    store<u32>(slot, to + 1)
    store<u32>(rows + (usize(to) << 2), row++)
  }
  // Starts have moved to the ends of their rows, where the next begins.
  memory.copy(starts + 4, starts, usize(partitions) << 2)
  store<u32>(starts, 0)
}
