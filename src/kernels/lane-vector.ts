/**
 * A column and a batch inside a lane's WebAssembly memory: types and pointers, no bytes. Every kernel binding takes these.
 * Moving between this form and `RecordBatch` is transfer-batch.ts's work.
 *
 * ```
 * data       bool            bitmap, bit (i & 7) of byte (i >> 3); readable up to the next multiple of 16 bytes
 *            int8..float64   little-endian elements
 *            date            int32        timestamp int64
 *            utf8            int32 codes into `dictionary`; always a dictionary: plain strings are interned on the way in
 *            list            `length + 1` uint32 offsets, from any base: row i is rows [offset i, offset i + 1) of `child`
 * validity   0 (no nulls), or a pointer to a bitmap as above
 * ```
 * Pointers are 16-byte aligned and below 4 GiB (kept as unsigned JavaScript numbers). Buffers may be read, never written, up to
 * 16 bytes past their end. The values of null rows are unspecified, but codes stay in range and offsets do not decrease.
 */
import type { DataType } from '../columnar/type.js'
import type { Vector } from '../columnar/vector.js'
import type { LaneDictionary } from './text.js'

export interface LaneVector {
  readonly type: DataType
  readonly length: number
  readonly data: number
  readonly validity: number
  readonly dictionary: LaneDictionary | null
  /** Of strings that no stage looks at (operators/carried-texts.ts): what they came in; `data` are numbers of its rows, and nulls are not told here. Else absent. */
  readonly carried?: Vector
  /** Of a list, all lists' items, of type `type.item`; else null or absent. */
  readonly child?: LaneVector | null
  /** Bounds of the non-null values of an integer, date or timestamp column, or of the codes of strings, where they are known (inclusive); else null. */
  readonly range: { readonly min: bigint; readonly max: bigint } | null
}

export interface LaneBatch {
  readonly rowCount: number
  /** In schema order; names are the plan's business. */
  readonly columns: readonly LaneVector[]
}

/** A batch on its way out of a lane, from which columns are copied one by one: each is best made when its turn has come, so that a fast cache has it still. */
export interface LeavingBatch extends LaneBatch {
  /** Makes a column in scratch, to be given back before the next is asked for. `columns` have nothing but types then. */
  readonly columnAt?: (i: number) => LaneVector
}

/** @param leaves whether each is made in its turn, rather than all at once */
export function columnsOf(
  types: readonly DataType[],
  columnAt: (i: number) => LaneVector,
  leaves: boolean,
): Pick<LeavingBatch, 'columns' | 'columnAt'> {
  if (!leaves) return { columns: types.map((_, i) => columnAt(i)) }
  return { columns: types.map(type => emptyColumn(type)), columnAt }
}

/** Without rows. */
export const emptyColumn = (type: DataType, dictionary: LaneDictionary | null = null): LaneVector => ({
  type,
  length: 0,
  data: 0,
  validity: 0,
  dictionary,
  range: null,
})

/** The dictionary that a column's strings are coded by, those in its lists too; null where it has none. */
export const dictionaryOf = ({ child, dictionary }: LaneVector): LaneDictionary | null =>
  child ? dictionaryOf(child) : dictionary
