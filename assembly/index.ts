// The export list of the kernels: the ABI that src/kernels/ binds. What is exported lives in the files beside this one.

export * from './arithmetic'
export * from './bitmap'
export * from './calendar'
export * from './cast'
export * from './compare'
export * from './rank'
export * from './select'
export * from './sort'
export * from './stats'
export * from './text'

/** Raised whenever an export or a memory layout changes; the binding refuses a module of another version. */
export function abiVersion(): i32 {
  return 1
}
