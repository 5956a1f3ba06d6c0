/** Columns of integers as int64, for sums and moments of them. */
import type { Kind } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'

/** What writes an integer column as int64, a null as 0. */
export function fillerOf({ exports }: Kernels, kind: Kind): Kernels['exports']['sumIntI32'] {
  switch (kind) {
    case 'int8':
      return exports.sumIntI8
    case 'uint8':
      return exports.sumIntU8
    case 'int16':
      return exports.sumIntI16
    case 'uint16':
      return exports.sumIntU16
    case 'int32':
      return exports.sumIntI32
    case 'uint32':
      return exports.sumIntU32
    default:
      return exports.sumIntI64
  }
}
