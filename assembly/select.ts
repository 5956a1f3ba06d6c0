// From bitmaps to rows: the indices of set bits, and gathering the rows that indices name. All of it is free of branches on data:
// a branch on every row costs five times as much at a selectivity of 10%.

/**
 * Writes the indices (u32) of the set bits among the first `rowCount` and returns how many. `out` must have room for
 * `rowCount + 4`: stores go in fours.
 */
export function selectIndices(bitmap: usize, rowCount: u32, out: usize): u32 {
  const start = out
  for (let row: u32 = 0; row < rowCount; row += 64) {
    let word = load<u64>(bitmap + usize(row >> 3))
    if (rowCount - row < 64) word &= u64.MAX_VALUE >> u64(64 - (rowCount - row))
    const count = usize(popcnt(word))
    if (count == 64) {
      let lanes = i32x4.add(i32x4.splat(row), i32x4(0, 1, 2, 3))
      for (let i: usize = 0; i < 256; i += 16) {
        v128.store(out + i, lanes)
        lanes = i32x4.add(lanes, i32x4.splat(4))
      }
    } else {
      for (let at = out, end = out + (count << 2); at < end; at += 16) {
        store<u32>(at, row + u32(ctz(word)))
        word &= word - 1
        store<u32>(at, row + u32(ctz(word)), 4)
        word &= word - 1
        store<u32>(at, row + u32(ctz(word)), 8)
        word &= word - 1
        store<u32>(at, row + u32(ctz(word)), 12)
        word &= word - 1
      }
    }
    out += count << 2
  }
  return u32((out - start) >> 2)
}

// @ts-ignore: decorator
@inline
function take<T>(data: usize, indices: usize, count: u32, out: usize): void {
  const end = indices + (usize(count) << 2)
  while (indices < end) {
    store<T>(out, load<T>(data + usize(load<u32>(indices)) * sizeof<T>()))
    indices += 4
    out += sizeof<T>()
  }
}

/** out[i] = data[indices[i]], elements of one byte. */
export function selectTake8(data: usize, indices: usize, count: u32, out: usize): void {
  take<u8>(data, indices, count, out)
}

export function selectTake16(data: usize, indices: usize, count: u32, out: usize): void {
  take<u16>(data, indices, count, out)
}

export function selectTake32(data: usize, indices: usize, count: u32, out: usize): void {
  take<u32>(data, indices, count, out)
}

export function selectTake64(data: usize, indices: usize, count: u32, out: usize): void {
  take<u64>(data, indices, count, out)
}

/** Bit i of `out` = bit indices[i] of `bitmap`; whole bytes are written, zeros beyond the end. */
export function selectTakeBits(bitmap: usize, indices: usize, count: u32, out: usize): void {
  let bits: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(indices + (usize(i) << 2))
    bits |= ((u32(load<u8>(bitmap + usize(index >> 3))) >> (index & 7)) & 1) << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out + usize(i >> 3), u8(bits))
      bits = 0
    }
  }
  if (count & 7) store<u8>(out + usize(count >> 3), u8(bits))
}
