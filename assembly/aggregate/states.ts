// States of chosen groups, side by side: what is written of an accumulator when only some of its groups go elsewhere.

/** Copies `width` bytes (1, or a multiple of 4) of each of groups[0..count), or with `groups` 0 of the first `count`, from states `stride` bytes apart. */
export function statesTake(states: usize, stride: usize, width: usize, groups: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const from = states + (groups ? usize(load<u32>(groups + (usize(i) << 2))) : usize(i)) * stride
    if (width == 8) store<u64>(out, load<u64>(from))
    else if (width == 16) v128.store(out, v128.load(from))
    else if (width == 1) store<u8>(out, load<u8>(from))
    else for (let at: usize = 0; at < width; at += 4) store<u32>(out + at, load<u32>(from + at))
    out += width
  }
}

/** lengths[i] = bytes of entry codes[i], 0xffffffff where the code is -1. Returns the bytes of all. */
export function statesTextLengths(codes: usize, offsets: usize, count: u32, lengths: usize): u32 {
  let total: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const code = load<u32>(codes + (usize(i) << 2))
    let length: u32 = u32.MAX_VALUE
    if (code != u32.MAX_VALUE) {
      const at = offsets + (usize(code) << 2)
      length = load<u32>(at, 4) - load<u32>(at)
      total += length
    }
    store<u32>(lengths + (usize(i) << 2), length)
  }
  return total
}

/** Writes the bytes of entries `codes`, end to end; -1 has none. */
export function statesTextBytes(codes: usize, offsets: usize, bytes: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const code = load<u32>(codes + (usize(i) << 2))
    if (code == u32.MAX_VALUE) continue
    const at = offsets + (usize(code) << 2)
    const start = load<u32>(at)
    const length = usize(load<u32>(at, 4) - start)
    memory.copy(out, bytes + usize(start), length)
    out += length
  }
}

/** From lengths to `count + 1` offsets, and a bitmap of those that are not 0xffffffff. Returns how many. */
export function statesTextOffsets(lengths: usize, count: u32, offsets: usize, bits: usize): u32 {
  let end: u32 = 0
  let valid: u32 = 0
  for (let i: u32 = 0; i < count; i += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, last = min(8, count - i); j < last; j++) {
      const length = load<u32>(lengths + (usize(i + j) << 2))
      store<u32>(offsets + (usize(i + j) << 2), end)
      if (length == u32.MAX_VALUE) continue
      byte |= 1 << j
      end += length
    }
    valid += popcnt(byte)
    store<u8>(bits + usize(i >> 3), u8(byte))
  }
  store<u32>(offsets + (usize(count) << 2), end)
  return valid
}

/** Makes every zero among doubles (`bytes` 8) or floats (4) the one +0, every NaN the one NaN. */
export function statesFloats(values: usize, bytes: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    if (bytes == 8) {
      const x = load<f64>(values)
      store<u64>(values, x == x ? reinterpret<u64>(x + 0.0) : 0x7ff8000000000000)
    } else {
      const x = load<f32>(values)
      store<u32>(values, x == x ? reinterpret<u32>(x + f32(0)) : 0x7fc00000)
    }
    values += bytes
  }
}
