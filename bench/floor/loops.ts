// @ts-nocheck: AssemblyScript, compiled by compile.js.
// The loops that sums are measured against: what a program does that cares for neither order, exactness nor overflow.

/** sums[groups[i]] += values[i], in plain float64; `groups` are u32. */
export function sumBy(values: usize, groups: usize, count: i32, sums: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const sum = sums + ((<usize>load<u32>(groups + (i << 2))) << 3)
    store<f64>(sum, load<f64>(sum) + load<f64>(values + (i << 3)))
  }
}

/** The same for int32 values and int64 sums. */
export function sumIntBy(values: usize, groups: usize, count: i32, sums: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const sum = sums + ((<usize>load<u32>(groups + (i << 2))) << 3)
    store<i64>(sum, load<i64>(sum) + <i64>load<i32>(values + (i << 2)))
  }
}
