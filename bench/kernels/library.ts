// What the kernel benches take of the library: bindings that its operators use too; bundle.js makes this one a module that Node runs.

export { kernels as kernelBytes } from 'virtual:millrace/kernels'
export { float64, int32 } from '../../src/columnar/type.js'
export { createAggregation } from '../../src/kernels/aggregate/aggregation.js'
export { FAMILIES } from '../../src/kernels/aggregate/families.js'
export { compare } from '../../src/kernels/compare.js'
export { compileKernels } from '../../src/kernels/compile.js'
export { createGroupTable } from '../../src/kernels/group.js'
export { instantiate } from '../../src/kernels/instance.js'
export { createPartitions } from '../../src/kernels/partition.js'
export { selection, take } from '../../src/kernels/select.js'
export { argsort } from '../../src/kernels/sort.js'
