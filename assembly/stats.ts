// What a morsel's values span: least and greatest integer. It chooses kernels, so it runs at the speed of memory.

// @ts-ignore: decorator
@inline
function minLane<T>(x: v128, y: v128): v128 {
  if (sizeof<T>() == 8) return v128.bitselect(x, y, i64x2.lt_s(x, y))
  return v128.min<T>(x, y)
}

// @ts-ignore: decorator
@inline
function maxLane<T>(x: v128, y: v128): v128 {
  if (sizeof<T>() == 8) return v128.bitselect(x, y, i64x2.gt_s(x, y))
  return v128.max<T>(x, y)
}

// @ts-ignore: decorator
@inline
function range<T>(data: usize, validity: usize, rowCount: u32, out: usize): bool {
  let least: T
  let greatest: T
  let row: u32 = 0
  const lanes: u32 = 16 / u32(sizeof<T>())
  if (validity == 0) {
    if (rowCount == 0) return false
    least = load<T>(data)
    greatest = least
    if (rowCount >= 2 * lanes) {
      let low = v128.splat<T>(least)
      let high = low
      let low2 = low
      let high2 = low
      for (; row + 2 * lanes <= rowCount; row += 2 * lanes) {
        const at = data + usize(row) * sizeof<T>()
        const x = v128.load(at)
        const y = v128.load(at, 16)
        low = minLane<T>(low, x)
        high = maxLane<T>(high, x)
        low2 = minLane<T>(low2, y)
        high2 = maxLane<T>(high2, y)
      }
      v128.store(out, minLane<T>(low, low2))
      v128.store(out, maxLane<T>(high, high2), 16)
      for (let i: usize = 0; i < 16; i += sizeof<T>()) {
        const x = load<T>(out + i)
        const y = load<T>(out + i, 16)
        least = x < least ? x : least
        greatest = y > greatest ? y : greatest
      }
    }
    for (; row < rowCount; row++) {
      const value = load<T>(data + usize(row) * sizeof<T>())
      least = value < least ? value : least
      greatest = value > greatest ? value : greatest
    }
  } else {
    least = <T>0
    greatest = <T>0
    let some = false
    for (; row < rowCount; row += 64) {
      let word = load<u64>(validity + usize(row >> 3))
      if (rowCount - row < 64) word &= u64.MAX_VALUE >> u64(64 - (rowCount - row))
      if (word == 0) continue
      if (!some) {
        least = load<T>(data + (usize(row) + usize(ctz(word))) * sizeof<T>())
        greatest = least
        some = true
      }
      const end = data + usize(min(rowCount, row + 64)) * sizeof<T>()
      for (let at = data + usize(row) * sizeof<T>(); at < end; at += sizeof<T>()) {
        const value = load<T>(at)
        const valid = (word & 1) != 0
        least = valid & (value < least) ? value : least
        greatest = valid & (value > greatest) ? value : greatest
        word >>= 1
      }
    }
    if (!some) return false
  }
  store<i64>(out, i64(least))
  store<i64>(out, i64(greatest), 8)
  return true
}

/**
 * Writes the least and the greatest valid value (two int64) to `out`, which has room for 32 bytes; false where no row is valid.
 * `kind` is the size of an element in bytes, negative where it is unsigned.
 */
export function statsRange(kind: i32, data: usize, validity: usize, rowCount: u32, out: usize): bool {
  switch (kind) {
    case 1: return range<i8>(data, validity, rowCount, out)
    case -1: return range<u8>(data, validity, rowCount, out)
    case 2: return range<i16>(data, validity, rowCount, out)
    case -2: return range<u16>(data, validity, rowCount, out)
    case 4: return range<i32>(data, validity, rowCount, out)
    case -4: return range<u32>(data, validity, rowCount, out)
    default: return range<i64>(data, validity, rowCount, out)
  }
}
