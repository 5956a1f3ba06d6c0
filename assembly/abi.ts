// The version of the kernels, exported by every module made of them.

/** Raised whenever an export or a memory layout changes; the binding refuses a module of another version. */
export function abiVersion(): i32 {
  return 1
}
