// What the kernels of this folder are given: items, each with one string of every input. An item is a row, or an entry of a dictionary that is
// asked for the first time.
//
//   Input (16 bytes)    codes     u32 per item, into the dictionary whose entries are at
//                       offsets   u32, one more than entries
//   the next input      bytes
//   follows at once     step      4, or 0 where all items have the same code, the first

@unmanaged
export class Input {
  codes: usize
  offsets: usize
  bytes: usize
  step: u32
}

// @ts-ignore: decorator
@inline
export function inputAt(inputs: usize, index: u32): Input {
  return changetype<Input>(inputs + (usize(index) << 4))
}

/** Where the offset of the item's string is. */
// @ts-ignore: decorator
@inline
export function offsetAt(input: Input, item: u32): usize {
  return input.offsets + (usize(load<u32>(input.codes + usize(item) * usize(input.step))) << 2)
}

// @ts-ignore: decorator
@inline
export function startOf(input: Input, item: u32): usize {
  return input.bytes + usize(load<u32>(offsetAt(input, item)))
}

// @ts-ignore: decorator
@inline
export function endOf(input: Input, item: u32): usize {
  return input.bytes + usize(load<u32>(offsetAt(input, item), 4))
}
