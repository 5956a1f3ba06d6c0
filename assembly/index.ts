// The export list of the kernels: the ABI that src/kernels/ binds. What is exported lives in the files beside this one.

export * from './text'

/** Raised whenever an export or a memory layout changes; the binding refuses a module of another version. */
export function abiVersion(): i32 {
  return 1
}
