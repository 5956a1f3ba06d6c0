// Rows of a column whose bits are set, side by side: what gathering by indices gives, for less where most rows stay.

// ids of the bytes that are moved for four bits of a bitmap, 16 masks of 16 bytes: made at 0xf000 for the time of a call.
// @ts-ignore: decorator
@inline
const MASKS: usize = 0xf000

function makeMasks(): void {
  for (let bits: u32 = 0; bits < 16; bits++) {
    let at = MASKS + (usize(bits) << 4)
    v128.store(at, i32x4.splat(0))
    for (let lane: u32 = 0; lane < 4; lane++) {
      if (!((bits >> lane) & 1)) continue
      store<u32>(at, 0x03020100 + lane * 0x04040404)
      at += 4
    }
  }
}

/** 4-byte elements; `out` has room for four more. */
export function compact32(data: usize, bitmap: usize, count: u32, out: usize): void {
  makeMasks()
  for (const end = data + (usize(count) << 2); data < end; data += 32, bitmap++) {
    let bits = u32(load<u8>(bitmap))
    const left = u32((end - data) >> 2)
    if (left < 8) bits &= (1 << left) - 1
    const first = bits & 15
    v128.store(out, i8x16.swizzle(v128.load(data), v128.load(MASKS + (usize(first) << 4))))
    out += usize(popcnt(first)) << 2
    if (left <= 4) break
    v128.store(out, i8x16.swizzle(v128.load(data, 16), v128.load(MASKS + usize(bits & 0xf0))))
    out += usize(popcnt(bits >> 4)) << 2
  }
}

// @ts-ignore: decorator
@inline
function step<T>(data: usize, bits: usize, i: usize, out: usize): usize {
  store<T>(out, load<T>(data + i * sizeof<T>()))
  return out + ((bits >> i) & 1) * sizeof<T>()
}

// @ts-ignore: decorator
@inline
function compact<T>(data: usize, bitmap: usize, count: u32, out: usize): void {
  for (const end = data + (usize(count) & ~7) * sizeof<T>(); data < end; data += 8 * sizeof<T>(), bitmap++) {
    const bits = usize(load<u8>(bitmap))
    out = step<T>(data, bits, 0, out)
    out = step<T>(data, bits, 1, out)
    out = step<T>(data, bits, 2, out)
    out = step<T>(data, bits, 3, out)
    out = step<T>(data, bits, 4, out)
    out = step<T>(data, bits, 5, out)
    out = step<T>(data, bits, 6, out)
    out = step<T>(data, bits, 7, out)
  }
  for (let i: usize = 0; i < usize(count & 7); i++) out = step<T>(data, usize(load<u8>(bitmap)), i, out)
}

/** The same of other widths; `out` has room for one more. */
export function compactOther(width: u32, data: usize, bitmap: usize, count: u32, out: usize): void {
  switch (width) {
    case 1: return compact<u8>(data, bitmap, count, out)
    case 2: return compact<u16>(data, bitmap, count, out)
    default: compact<u64>(data, bitmap, count, out)
  }
}
