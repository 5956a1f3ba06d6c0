// All kernels in one module, the ABI that src/kernels/ binds. The same in parts, each with what one need calls for, are the modules of parts/.

export * from './parts/aggregates'
export * from './parts/conditions'
export * from './parts/core'
export * from './parts/csv'
export * from './parts/evaluate'
export * from './parts/extremes'
export * from './parts/integers'
export * from './parts/json'
export * from './parts/numbers'
export * from './parts/partitions'
export * from './parts/strings'
export * from './parts/text'
