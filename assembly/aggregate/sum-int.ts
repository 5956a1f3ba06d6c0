// What integer columns add to their groups' slots (slots.ts), a block of rows at a time. Sums of doubles are sum-float.ts's.
//
//   one limb     the value itself
//   two limbs    low = value mod 2^40, high = floor(value / 2^40): some 2^38 rows fit, and a carry every 2^22 is enough
//
// `out` is the first addend's lane, `stride` bytes (8 or 16) from row to row; a null row adds 0.

// @ts-ignore: decorator
@inline
const WIDTH: i64 = 40
// @ts-ignore: decorator
@inline
const LOW: i64 = 0xffffffffff

// @ts-ignore: decorator
@inline
function maskAt(validity: usize, row: u32): i64 {
  return -i64((load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1)
}

// @ts-ignore: decorator
@inline
function addends<T>(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    let value = i64(load<T>(data))
    if (validity) value &= maskAt(validity, row)
    store<i64>(out, value)
    data += sizeof<T>()
    out += stride
  }
}

export function sumIntI8(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  addends<i8>(out, stride, data, validity, count)
}

export function sumIntU8(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  addends<u8>(out, stride, data, validity, count)
}

export function sumIntI16(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  addends<i16>(out, stride, data, validity, count)
}

export function sumIntU16(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  addends<u16>(out, stride, data, validity, count)
}

/** The most frequent kind has a loop of its own, eight rows at a time. */
export function sumIntI32(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  const whole = count & ~7
  for (let row: u32 = 0; row < whole; row += 8) {
    let low = v128.load(data)
    let high = v128.load(data, 16)
    if (validity) {
      const bits = i32x4.splat(i32(load<u8>(validity + usize(row >> 3))))
      low = v128.and(low, i32x4.ne(v128.and(bits, i32x4(1, 2, 4, 8)), i32x4.splat(0)))
      high = v128.and(high, i32x4.ne(v128.and(bits, i32x4(16, 32, 64, 128)), i32x4.splat(0)))
    }
    const a = i64x2.extend_low_i32x4_s(low)
    const b = i64x2.extend_high_i32x4_s(low)
    const c = i64x2.extend_low_i32x4_s(high)
    const d = i64x2.extend_high_i32x4_s(high)
    if (stride == 8) {
      v128.store(out, a)
      v128.store(out, b, 16)
      v128.store(out, c, 32)
      v128.store(out, d, 48)
    } else {
      v128.store64_lane(out, a, 0)
      v128.store64_lane(out, a, 1, 16)
      v128.store64_lane(out, b, 0, 32)
      v128.store64_lane(out, b, 1, 48)
      v128.store64_lane(out, c, 0, 64)
      v128.store64_lane(out, c, 1, 80)
      v128.store64_lane(out, d, 0, 96)
      v128.store64_lane(out, d, 1, 112)
    }
    data += 32
    out += stride << 3
  }
  addends<i32>(out, stride, data, validity ? validity + usize(whole >> 3) : 0, count - whole)
}

export function sumIntU32(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  addends<u32>(out, stride, data, validity, count)
}

export function sumIntI64(out: usize, stride: usize, data: usize, validity: usize, count: u32): void {
  addends<i64>(out, stride, data, validity, count)
}

/** int64 as two limbs, low and high, in one slot. */
export function sumIntTwo(out: usize, data: usize, validity: usize, count: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    let value = load<i64>(data)
    if (validity) value &= maskAt(validity, row)
    store<i64>(out, value & LOW)
    store<i64>(out, value >> WIDTH, 8)
    data += 8
    out += 16
  }
}
