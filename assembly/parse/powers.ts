// Powers of ten for float.ts: any is made of one of every 27th and a small power of five. They are computed or lie in the code, for modules of
// parts share one memory and so can have no constants in it.

/** 5^k, k from 0 to 27: the product of 5, 5^2, 5^4, 5^8 and 5^16 as the bits of k say, without a branch. */
// @ts-ignore: decorator
@inline
export function powerOfFive(k: u32): u64 {
  const bits = u64(k)
  const low = (1 + ((0 - (bits & 1)) & 4)) * (1 + ((0 - ((bits >> 1) & 1)) & 24))
  const middle = (1 + ((0 - ((bits >> 2) & 1)) & 624)) * (1 + ((0 - ((bits >> 3) & 1)) & 390624))
  return low * middle * (1 + ((0 - (bits >> 4)) & 152587890624))
}

/** 10^k as a float64, exactly: k from 0 to 22. */
// @ts-ignore: decorator
@inline
export function powerOfTen(k: u32): f64 {
  return reinterpret<f64>(reinterpret<u64>(f64(i64(powerOfFive(k)))) + (u64(k) << 52))
}

/** The first 64 bits, cut off, never rounded up, of 10^(27 * stride - 351): stride from 0 to 24. */
export function strideBits(stride: u32): u64 {
  switch (stride) {
    case 0: return 0x8049a4ac0c5811ae
    case 1: return 0xcf42894a5dce35ea
    case 2: return 0xa76c582338ed2621
    case 3: return 0x873e4f75e2224e68
    case 4: return 0xda7f5bf590966848
    case 5: return 0xb080392cc4349dec
    case 6: return 0x8e938662882af53e
    case 7: return 0xe65829b3046b0afa
    case 8: return 0xba121a4650e4ddeb
    case 9: return 0x964e858c91ba2655
    case 10: return 0xf2d56790ab41c2a2
    case 11: return 0xc428d05aa4751e4c
    case 12: return 0x9e74d1b791e07e48
    case 13: return 0x8000000000000000
    case 14: return 0xcecb8f27f4200f3a
    case 15: return 0xa70c3c40a64e6c51
    case 16: return 0x86f0ac99b4e8dafd
    case 17: return 0xda01ee641a708de9
    case 18: return 0xb01ae745b101e9e4
    case 19: return 0x8e41ade9fbebc27d
    case 20: return 0xe5d3ef282a242e81
    case 21: return 0xb9a74a0637ce2ee1
    case 22: return 0x95f83d0a1fb69cd9
    case 23: return 0xf24a01a73cf2dccf
    default: return 0xc3b8358109e84f07
  }
}

/** The power of two that the last of those bits stands for. */
// @ts-ignore: decorator
@inline
export function strideExponent(stride: u32): i32 {
  // floor(log2(10^e)) = (e * 217706) >> 16 for all e in question.
  return (((i32(stride) * 27 - 351) * 217706) >> 16) - 63
}
