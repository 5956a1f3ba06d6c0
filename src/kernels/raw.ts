/**
 * The types of the exports of the module that has all kernels, as the compiler writes them while building (`npm run build:kernels`): pointers and
 * lengths are numbers, i64 is bigint. The bindings beside this file give them shapes; nothing else calls them.
 */
import type { instantiate } from '../../build/kernels.js'

export type RawExports = Omit<Awaited<ReturnType<typeof instantiate>>, 'memory'>
