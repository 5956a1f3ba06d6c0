/**
 * One column of one batch: Arrow's layout in ordinary JavaScript buffers. `Column` (column.ts) is what users read;
 * a lane's own form, inside WebAssembly memory, is `LaneVector` in kernels/.
 *
 * ```
 * validity   null, or a bitmap: bit (i & 7) of byte (i >> 3) is 1 where row i has a value; at least ceil(length / 8) bytes
 * data       bool            Uint8Array, a bitmap like validity
 *            int8..float64   the typed array of that kind, `length` elements
 *            date            Int32Array, days since 1970-01-01
 *            timestamp       BigInt64Array, counts of the unit since the epoch
 *            utf8            Int32Array of codes into `dictionary`         (dictionary set, offsets null)
 *                            Uint8Array of bytes, `offsets` of length + 1  (dictionary null, offsets set)
 * ```
 * A null row's data is unspecified but harmless: a code is in range, an offset does not decrease.
 */
import type { Dictionary } from './dictionary.js'
import type { DataType } from './type.js'

export type VectorData =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array

export interface Vector {
  readonly type: DataType
  readonly length: number
  readonly nullCount: number
  readonly validity: Uint8Array | null
  readonly data: VectorData
  readonly dictionary: Dictionary | null
  readonly offsets: Int32Array | null
}
