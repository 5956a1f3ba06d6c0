// Comparisons of columns and constants to bitmaps. Two questions, equal and less, answer all six with their operands swapped or the
// answer inverted, since the order is total: NaN equals itself and is greater than every number, -0 equals 0.
// Operands are walked by a step in bytes per 16 bytes of column: 16 for a column, 0 for a constant (16 bytes of copies).
// Strings are compared in text.ts, bitmaps in bitmap.ts.

// @ts-ignore: decorator
@inline
function equal<T>(x: v128, y: v128): v128 {
  if (!isFloat<T>()) return v128.eq<T>(x, y)
  return v128.or(f64x2.eq(x, y), v128.and(f64x2.ne(x, x), f64x2.ne(y, y)))
}

// @ts-ignore: decorator
@inline
function less<T>(x: v128, y: v128): v128 {
  if (!isFloat<T>()) return v128.lt<T>(x, y)
  return v128.or(f64x2.lt(x, y), v128.and(f64x2.eq(x, x), f64x2.ne(y, y)))
}

// @ts-ignore: decorator
@inline
function equalOne<T>(x: T, y: T): bool {
  if (!isFloat<T>()) return x == y
  return x == y || (x != x && y != y)
}

// @ts-ignore: decorator
@inline
function lessOne<T>(x: T, y: T): bool {
  if (!isFloat<T>()) return x < y
  return x < y || (x == x && y != y)
}

// @ts-ignore: decorator
@inline
function test<T, Less>(x: v128, y: v128): v128 {
  return sizeof<Less>() == 1 ? equal<T>(x, y) : less<T>(x, y)
}

/** Eight rows of int64 or float64 as 16-bit lanes, four blocks of two. */
// @ts-ignore: decorator
@inline
function eight64<T, Less>(a: usize, aStep: usize, b: usize, bStep: usize): v128 {
  const low = v128.shuffle<u32>(
    test<T, Less>(v128.load(a), v128.load(b)),
    test<T, Less>(v128.load(a + aStep), v128.load(b + bStep)), 0, 2, 4, 6)
  const high = v128.shuffle<u32>(
    test<T, Less>(v128.load(a + 2 * aStep), v128.load(b + 2 * bStep)),
    test<T, Less>(v128.load(a + 3 * aStep), v128.load(b + 3 * bStep)), 0, 2, 4, 6)
  return i16x8.narrow_i32x4_s(low, high)
}

// @ts-ignore: decorator
@inline
function compare<T, Less>(a: usize, aStep: usize, b: usize, bStep: usize, invert: u32, rowCount: u32, out: usize): void {
  const flip: u32 = invert ? 0xffff : 0
  let row: u32 = 0
  for (; row + 16 <= rowCount; row += 16) {
    let bits: i32
    if (sizeof<T>() == 8) {
      bits = i8x16.bitmask(i8x16.narrow_i16x8_s(
        eight64<T, Less>(a, aStep, b, bStep),
        eight64<T, Less>(a + 4 * aStep, aStep, b + 4 * bStep, bStep)))
      a += 8 * aStep
      b += 8 * bStep
    } else {
      const low = i16x8.narrow_i32x4_s(
        test<T, Less>(v128.load(a), v128.load(b)),
        test<T, Less>(v128.load(a + aStep), v128.load(b + bStep)))
      const high = i16x8.narrow_i32x4_s(
        test<T, Less>(v128.load(a + 2 * aStep), v128.load(b + 2 * bStep)),
        test<T, Less>(v128.load(a + 3 * aStep), v128.load(b + 3 * bStep)))
      bits = i8x16.bitmask(i8x16.narrow_i16x8_s(low, high))
      a += 4 * aStep
      b += 4 * bStep
    }
    store<u16>(out + usize(row >> 3), u16(u32(bits) ^ flip))
  }
  if (row < rowCount) {
    aStep = aStep ? sizeof<T>() : 0
    bStep = bStep ? sizeof<T>() : 0
    let bits = flip
    for (let i: u32 = 0; row + i < rowCount; i++) {
      const x = load<T>(a)
      const y = load<T>(b)
      bits ^= u32(sizeof<Less>() == 1 ? equalOne<T>(x, y) : lessOne<T>(x, y)) << i
      a += aStep
      b += bStep
    }
    store<u16>(out + usize(row >> 3), u16(bits))
  }
}

/** Bit i of `out` = (a[i] == b[i]) != invert. */
export function compareEqualInt32(a: usize, aStep: usize, b: usize, bStep: usize, invert: u32, rowCount: u32, out: usize): void {
  compare<i32, u8>(a, aStep, b, bStep, invert, rowCount, out)
}

/** Bit i of `out` = (a[i] < b[i]) != invert. */
export function compareLessInt32(a: usize, aStep: usize, b: usize, bStep: usize, invert: u32, rowCount: u32, out: usize): void {
  compare<i32, u16>(a, aStep, b, bStep, invert, rowCount, out)
}

export function compareEqualInt64(a: usize, aStep: usize, b: usize, bStep: usize, invert: u32, rowCount: u32, out: usize): void {
  compare<i64, u8>(a, aStep, b, bStep, invert, rowCount, out)
}

export function compareLessInt64(a: usize, aStep: usize, b: usize, bStep: usize, invert: u32, rowCount: u32, out: usize): void {
  compare<i64, u16>(a, aStep, b, bStep, invert, rowCount, out)
}

export function compareEqualFloat64(a: usize, aStep: usize, b: usize, bStep: usize, invert: u32, rowCount: u32, out: usize): void {
  compare<f64, u8>(a, aStep, b, bStep, invert, rowCount, out)
}

export function compareLessFloat64(a: usize, aStep: usize, b: usize, bStep: usize, invert: u32, rowCount: u32, out: usize): void {
  compare<f64, u16>(a, aStep, b, bStep, invert, rowCount, out)
}

/** -1, 0 or 1: an integer against a float, exactly, where a conversion to either type would round. */
function orderMixed(integer: i64, float: f64): i32 {
  if (!(float < 9223372036854775808.0)) return -1
  if (float < -9223372036854775808.0) return 1
  const whole = i64(float)
  if (integer != whole) return integer < whole ? -1 : 1
  const fraction = float - f64(whole)
  return i32(fraction < 0) - i32(fraction > 0)
}

/** Bit i of `out` = whether int64 a[i] <=> float64 b[i] is among the outcomes wanted: bit 0 less, bit 1 equal, bit 2 greater. */
export function compareMixed(a: usize, aStep: usize, b: usize, bStep: usize, wanted: u32, rowCount: u32, out: usize): void {
  aStep >>= 1
  bStep >>= 1
  let bits: u32 = 0
  for (let row: u32 = 0; row < rowCount; row++) {
    bits |= ((wanted >> u32(orderMixed(load<i64>(a), load<f64>(b)) + 1)) & 1) << (row & 7)
    if ((row & 7) == 7 || row + 1 == rowCount) {
      store<u8>(out + usize(row >> 3), u8(bits))
      bits = 0
    }
    a += aStep
    b += bStep
  }
}

// @ts-ignore: decorator
@inline
function inSorted<T>(data: usize, rowCount: u32, set: usize, setCount: u32, out: usize): void {
  let bits: u32 = 0
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<T>(data + usize(row) * sizeof<T>())
    let base = set
    let length = setCount
    while (length > 1) {
      const half = length >> 1
      const middle = base + usize(half) * sizeof<T>()
      base = lessOne<T>(value, load<T>(middle)) ? base : middle
      length -= half
    }
    bits |= u32(equalOne<T>(load<T>(base), value)) << (row & 7)
    if ((row & 7) == 7 || row + 1 == rowCount) {
      store<u8>(out + usize(row >> 3), u8(bits))
      bits = 0
    }
  }
}

/** Bit i of `out` = whether data[i] is in the ascending set, which has at least one element. */
export function compareInInt32(data: usize, rowCount: u32, set: usize, setCount: u32, out: usize): void {
  inSorted<i32>(data, rowCount, set, setCount, out)
}

export function compareInInt64(data: usize, rowCount: u32, set: usize, setCount: u32, out: usize): void {
  inSorted<i64>(data, rowCount, set, setCount, out)
}

export function compareInFloat64(data: usize, rowCount: u32, set: usize, setCount: u32, out: usize): void {
  inSorted<f64>(data, rowCount, set, setCount, out)
}
