// Truth from text: true, false, t, f in any case, 1 and 0.

/** What the whole of [at, end) says: 0 false, 1 true, 2 neither. Up to 16 bytes behind `end` are read. */
// @ts-ignore: decorator
@inline
export function parseBool(at: usize, end: usize): u32 {
  const length = end - at
  // Setting bit 5 makes capitals small; nothing but a letter becomes that letter.
  const word = load<u32>(at) | 0x20202020
  if (length == 4) return word == 0x65757274 ? 1 : 2
  if (length == 5) return word == 0x736c6166 && (load<u8>(at, 4) | 0x20) == 0x65 ? 0 : 2
  if (length != 1) return 2
  const letter = word & 0xff
  const digit = u32(load<u8>(at)) - 48
  if (digit <= 1) return digit
  return letter == 0x74 ? 1 : letter == 0x66 ? 0 : 2
}
