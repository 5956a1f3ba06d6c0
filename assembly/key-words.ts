// Group keys as 64-bit words: packs key columns into words and words back into columns. direct.ts and hash.ts find the group
// of a key; which bits a column gets is decided by the binding of the same name.
//
//   row i    word 0                                word 1 ...              `width` words a row, end to end
//   | ...... | key 1 (32 bits) | key 0 (32 bits) | null bits | key 2 |     a key never straddles two words
//
// Equal keys have equal words: null rows have value bits 0 and their null bit 1; -0 is packed as +0, every NaN as one NaN. A key whose values are
// known to lie close together is packed as its distance from `base`, in as many bits as that takes.

// @ts-ignore: decorator
@inline
const NAN64: u64 = 0x7ff8000000000000
// @ts-ignore: decorator
@inline
const NAN32: u32 = 0x7fc00000

/** Element `row` of a column, as unsigned bits; floats in their canonical form. */
// @ts-ignore: decorator
@inline
function keyBits<T>(data: usize, row: usize): u64 {
  if (sizeof<T>() == 8 && isFloat<T>()) {
    const value = load<f64>(data + (row << 3))
    return value != value ? NAN64 : reinterpret<u64>(value + 0.0)
  }
  if (isFloat<T>()) {
    const value = load<f32>(data + (row << 2))
    return value != value ? u64(NAN32) : u64(reinterpret<u32>(value + <f32>0.0))
  }
  return u64(load<T>(data + row * sizeof<T>()))
}

// @ts-ignore: decorator
@inline
function bitAt(bits: usize, row: usize): u32 {
  return (u32(load<u8>(bits + (row >> 3))) >> (u32(row) & 7)) & 1
}

/** ORs each row's bits, shifted, into its word. `rows` lists the rows to pack, or is 0 for the first `count` rows. */
// @ts-ignore: decorator
@inline
function pack<T>(word: usize, stride: usize, shift: u64, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = rows ? usize(load<u32>(rows + (usize(i) << 2))) : usize(i)
    // Narrow values lie here without their sign, and null rows may hold anything: what is beyond the key's bits is none of it.
    store<u64>(word, load<u64>(word) | (((keyBits<T>(data, row) - base) & mask) << shift))
    word += stride
  }
}

export function packU8(word: usize, stride: usize, shift: u32, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  pack<u8>(word, stride, u64(shift), mask, base, data, rows, count)
}

export function packU16(word: usize, stride: usize, shift: u32, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  pack<u16>(word, stride, u64(shift), mask, base, data, rows, count)
}

export function packU32(word: usize, stride: usize, shift: u32, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  pack<u32>(word, stride, u64(shift), mask, base, data, rows, count)
}

export function packU64(word: usize, stride: usize, shift: u32, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  pack<u64>(word, stride, u64(shift), mask, base, data, rows, count)
}

export function packF32(word: usize, stride: usize, shift: u32, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  pack<f32>(word, stride, u64(shift), mask, base, data, rows, count)
}

export function packF64(word: usize, stride: usize, shift: u32, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  pack<f64>(word, stride, u64(shift), mask, base, data, rows, count)
}

export function packBits(word: usize, stride: usize, shift: u32, mask: u64, base: u64, data: usize, rows: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = rows ? usize(load<u32>(rows + (usize(i) << 2))) : usize(i)
    store<u64>(word, load<u64>(word) | (u64(bitAt(data, row)) << u64(shift)))
    word += stride
  }
}

/**
 * Where `validity` says null: clears the value's `bits` bits from `shift` on in the word at `value`, and sets bit `nullShift`
 * of the word at `nulls`.
 */
export function packNulls(
  value: usize, shift: u32, bits: u32, nulls: usize, nullShift: u32,
  stride: usize, validity: usize, rows: usize, count: u32,
): void {
  const keep = ~((u64.MAX_VALUE >> u64(64 - bits)) << u64(shift))
  for (let i: u32 = 0; i < count; i++) {
    const row = rows ? usize(load<u32>(rows + (usize(i) << 2))) : usize(i)
    if (bitAt(validity, row) == 0) {
      store<u64>(value, load<u64>(value) & keep)
      store<u64>(nulls, load<u64>(nulls) | (u64(1) << u64(nullShift)))
    }
    value += stride
    nulls += stride
  }
}

// @ts-ignore: decorator
@inline
function unpack<T>(out: usize, word: usize, stride: usize, shift: u64, mask: u64, base: u64, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    store<T>(out, <T>(((load<u64>(word) >> shift) & mask) + base))
    out += sizeof<T>()
    word += stride
  }
}

export function unpack8(out: usize, word: usize, stride: usize, shift: u32, mask: u64, base: u64, count: u32): void {
  unpack<u8>(out, word, stride, u64(shift), mask, base, count)
}

export function unpack16(out: usize, word: usize, stride: usize, shift: u32, mask: u64, base: u64, count: u32): void {
  unpack<u16>(out, word, stride, u64(shift), mask, base, count)
}

export function unpack32(out: usize, word: usize, stride: usize, shift: u32, mask: u64, base: u64, count: u32): void {
  unpack<u32>(out, word, stride, u64(shift), mask, base, count)
}

export function unpack64(out: usize, word: usize, stride: usize, shift: u32, mask: u64, base: u64, count: u32): void {
  unpack<u64>(out, word, stride, u64(shift), mask, base, count)
}

/** One bit a row to a bitmap, `flip` 1 to invert it: a bool column, or validity from null bits. Returns how many bits are set. */
export function unpackBits(out: usize, word: usize, stride: usize, shift: u32, flip: u32, count: u32): u32 {
  let set: u32 = 0
  for (let i: u32 = 0; i < count; i += 8) {
    const end = min(count - i, 8)
    let byte: u32 = 0
    for (let j: u32 = 0; j < end; j++) {
      byte |= ((u32(load<u64>(word) >> u64(shift)) & 1) ^ flip) << j
      word += stride
    }
    set += popcnt(byte)
    store<u8>(out++, u8(byte))
  }
  return set
}
