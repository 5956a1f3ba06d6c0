// The export list of the kernels: the ABI that src/kernels/ binds. What is exported lives in the files beside this one.

export * from './aggregate/count'
export * from './aggregate/kept-values'
export * from './aggregate/min-max'
export * from './aggregate/min-max-text'
export * from './aggregate/multiset'
export * from './aggregate/slots'
export * from './aggregate/states'
export * from './aggregate/sum-float'
export * from './aggregate/sum-int'
export * from './arithmetic'
export * from './bitmap'
export * from './calendar'
export * from './cast'
export * from './compare'
export * from './direct'
export * from './exact'
export * from './hash'
export * from './key-words'
export * from './partition'
export * from './rank'
export * from './select'
export * from './sort'
export * from './stats'
export * from './text'
export * from './wide'

/** Raised whenever an export or a memory layout changes; the binding refuses a module of another version. */
export function abiVersion(): i32 {
  return 1
}
