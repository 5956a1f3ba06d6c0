// Powers of ten for float.ts: any is made of one of every 27th and a small power of five, 416 bytes instead of ten thousand.
//
// They lie in the module's own data segment, in page 0 of the lane's memory. Modules share that page, so each has its stretch of it:
// scripts/build-kernels.mjs gives them out.

/** 5^0 to 5^26. */
const FIVES = memory.data<u64>([
  0x1, 0x5, 0x19, 0x7d, 0x271, 0xc35, 0x3d09, 0x1312d, 0x5f5e1, 0x1dcd65, 0x9502f9, 0x2e90edd, 0xe8d4a51, 0x48c27395,
  0x16bcc41e9, 0x71afd498d, 0x2386f26fc1, 0xb1a2bc2ec5, 0x3782dace9d9, 0x1158e460913d, 0x56bc75e2d631, 0x1b1ae4d6e2ef5,
  0x878678326eac9, 0x2a5a058fc295ed, 0xd3c21bcecceda1, 0x422ca8b0a00a425, 0x14adf4b7320334b9,
])

/** The first 64 bits of 10^-351, 10^-324, ..., 10^297, cut off, never rounded up. */
const STRIDES = memory.data<u64>([
  0x8049a4ac0c5811ae, 0xcf42894a5dce35ea, 0xa76c582338ed2621, 0x873e4f75e2224e68, 0xda7f5bf590966848, 0xb080392cc4349dec,
  0x8e938662882af53e, 0xe65829b3046b0afa, 0xba121a4650e4ddeb, 0x964e858c91ba2655, 0xf2d56790ab41c2a2, 0xc428d05aa4751e4c,
  0x9e74d1b791e07e48, 0x8000000000000000, 0xcecb8f27f4200f3a, 0xa70c3c40a64e6c51, 0x86f0ac99b4e8dafd, 0xda01ee641a708de9,
  0xb01ae745b101e9e4, 0x8e41ade9fbebc27d, 0xe5d3ef282a242e81, 0xb9a74a0637ce2ee1, 0x95f83d0a1fb69cd9, 0xf24a01a73cf2dccf,
  0xc3b8358109e84f07,
])

/** 5^k, k from 0 to 26. */
// @ts-ignore: decorator
@inline
export function powerOfFive(k: u32): u64 {
  return load<u64>(FIVES + (usize(k) << 3))
}

/** 10^k as a float64, exactly: k from 0 to 22. */
// @ts-ignore: decorator
@inline
export function powerOfTen(k: u32): f64 {
  return reinterpret<f64>(reinterpret<u64>(f64(i64(powerOfFive(k)))) + (u64(k) << 52))
}

/** The first 64 bits, cut off, of 10^(27 * stride - 351): stride from 0 to 24. */
// @ts-ignore: decorator
@inline
export function strideBits(stride: u32): u64 {
  return load<u64>(STRIDES + (usize(stride) << 3))
}

/** The power of two that the last of those bits stands for. */
// @ts-ignore: decorator
@inline
export function strideExponent(stride: u32): i32 {
  // floor(log2(10^e)) = (e * 217706) >> 16 for all e in question.
  return (((i32(stride) * 27 - 351) * 217706) >> 16) - 63
}
