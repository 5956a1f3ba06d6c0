/** Columns put together row by row, so that all that is wanted of a row that lies anywhere is fetched from one place. The layout is drawn in assembly/records.ts. */
import type { DataType } from '../columnar/type.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { dataBytes, elementBytes } from './operand.js'

/** Rows at a time: their records stay in the fastest cache from the first field to the last, 16 KB of 32 bytes each. */
const ROWS_AT_ONCE = 512
/** Bytes of a cache line. */
const LINE_BYTES = 64

export interface Records {
  /** In a heap block of the caller's. */
  readonly data: number
  readonly stride: number
  /** Where each field is in a record. */
  readonly offsets: readonly number[]
}

export const isPackable = ({ kind }: DataType): boolean => kind !== 'list' && elementBytes(kind) > 0

/** Offsets of fields in a record, each at a multiple of its width, and the bytes of one. */
export function recordLayout(types: readonly DataType[]): Omit<Records, 'data'> {
  const widths = types.map(({ kind }) => elementBytes(kind))
  const offsets = widths.map(() => 0)
  let end = 0
  for (const width of [8, 4, 2, 1]) {
    widths.forEach((own, i) => {
      if (own !== width) return
      offsets[i] = end
      end += width
    })
  }
  let stride = 8
  while (stride < end) stride *= 2
  // A record within one line is worth some room, but not as much again.
  if (stride > LINE_BYTES || stride > 1.4 * end) stride = Math.ceil(end / 8) * 8
  return { offsets, stride }
}

/** Rows of columns, in the order of the fields, to records `first` and on. */
export function putRecords(
  { exports }: Kernels,
  { data, stride, offsets }: Records,
  columns: readonly LaneVector[],
  first: number,
): void {
  const count = columns[0].length
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, count - from)
    columns.forEach((column, i) => {
      const width = elementBytes(column.type.kind)
      exports.recordsPut(width, column.data + from * width, rows, data + (first + from) * stride + offsets[i], stride)
    })
  }
}

/** Some fields of records `rows[0..count)` (u32), as columns in scratch without validity: pointers to their data. */
export function takeFields(
  { exports, memory }: Kernels,
  { data, stride, offsets }: Records,
  fields: readonly { readonly field: number; readonly type: DataType }[],
  rows: number,
  count: number,
): number[] {
  const out = fields.map(({ type }) => memory.scratch(dataBytes(type.kind, count)))
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    const some = Math.min(ROWS_AT_ONCE, count - from)
    fields.forEach(({ field, type }, i) => {
      const width = elementBytes(type.kind)
      exports.recordsTake(width, data + offsets[field], stride, rows + 4 * from, some, out[i] + from * width)
    })
  }
  return out
}
