// @ts-nocheck: AssemblyScript, compiled by floor.js.
// The memory-bandwidth floor: the least that any kernel must do is read its input once, and this only reads.

/** Sums `count` float64 values from `pointer`, 64 bytes a turn in four independent chains; `count` is a multiple of 8. */
export function sum(pointer: usize, count: i32): f64 {
  const end = pointer + ((<usize>count) << 3)
  let a = f64x2.splat(0)
  let b = f64x2.splat(0)
  let c = f64x2.splat(0)
  let d = f64x2.splat(0)
  while (pointer < end) {
    a = f64x2.add(a, v128.load(pointer))
    b = f64x2.add(b, v128.load(pointer, 16))
    c = f64x2.add(c, v128.load(pointer, 32))
    d = f64x2.add(d, v128.load(pointer, 48))
    pointer += 64
  }
  const total = f64x2.add(f64x2.add(a, b), f64x2.add(c, d))
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1)
}
