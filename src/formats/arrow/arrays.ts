/**
 * Rows of one column as Arrow lays them out: buffers as bytes, re-based to the rows that were read. vectors.ts makes vectors of them;
 * from-table.ts has those of other libraries' tables.
 */

import type { VectorData } from '../../columnar/vector.js'
import { corrupt } from '../fault.js'
import type { PlainDictionary } from '../plain-batch.js'
import type { Body } from './body.js'
import type { ArrowField, Storage } from './field.js'
import type { BatchHeader } from './message.js'
import type { ColumnPlace } from './places.js'

export interface ArrowArray {
  readonly length: number
  /** Null: no row is null, unless all are. */
  readonly validity: Uint8Array | null
  readonly isAllNull: boolean
  /** The bit of `validity`, and of a bool's values, that is the first row's. */
  readonly firstBit: number
  /** Values, codes, characters or views; null where there are none. */
  readonly values: Uint8Array | null
  readonly offsets: Uint8Array | null
  /** Of what the offsets refer to, characters or rows of the child, the first that is here. */
  readonly base: number
  /** What views refer to, of each buffer the part from `start` on. */
  readonly buffers: readonly { readonly start: number; readonly bytes: Uint8Array }[]
  readonly child: ArrowArray | null
  readonly dictionary: ArrowDictionary | null
  /** Of its first buffer in the input, for errors. */
  readonly byteOffset: number | undefined
}

/** Strings, or values in one array. */
export interface ArrowDictionary {
  readonly length: number
  readonly text: PlainDictionary | null
  readonly values: VectorData | null
  /** A bitmap of the entries that are not null; null: all. */
  readonly validity: Uint8Array | null
}

/** Bytes of a value; 0 where it is not so many for each. */
export const WIDTH: Readonly<Record<Storage, number>> = {
  null: 0,
  bool: 0,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
  date64: 8,
  utf8: 0,
  largeUtf8: 0,
  utf8View: 16,
  list: 0,
  largeList: 0,
  fixedSizeList: 0,
  other: 0,
}

/** One batch, as arrays are read from it. */
export interface BatchContext {
  readonly header: BatchHeader
  readonly body: Body
  dictionaryOf(id: number): Promise<ArrowDictionary>
}

const nothing = (
  length: number,
  byteOffset: number | undefined,
  dictionary: ArrowDictionary | null = null,
): ArrowArray => ({
  length,
  validity: null,
  isAllNull: length > 0,
  firstBit: 0,
  values: null,
  offsets: null,
  base: 0,
  buffers: [],
  child: null,
  dictionary,
  byteOffset,
})

/**
 * Rows [from, to) of a column. Only their bytes are read: of what has offsets, in two steps, unless it is all rows.
 * @throws MillraceError `MR_FORMAT_ERROR`
 */
export async function readArray(
  batch: BatchContext,
  field: ArrowField,
  place: ColumnPlace,
  from: number,
  to: number,
): Promise<ArrowArray> {
  const { header, body } = batch
  const { storage } = field
  const { length, nullCount } = header.nodes[place.node] as BatchHeader['nodes'][number]
  const byteOffset = field.bufferCount === 0 ? undefined : body.byteOffset(place.buffer)
  if (to > length) throw corrupt(`it has ${length} values where ${to} are needed`, byteOffset)
  if (from === to || storage === 'null') return nothing(to - from, byteOffset)

  const own = header.buffers.slice(place.buffer, place.buffer + field.bufferCount)
  const [, second] = own
  // Where all are null some writers leave the buffers out.
  if (nullCount === length && (second ?? own[0])?.length === 0)
    return nothing(to - from, byteOffset, field.dictionary && (await batch.dictionaryOf(field.dictionary.id)))
  const bits = (buffer: number) => body.read(buffer, from >> 3, Math.ceil(to / 8))
  const bytes = (buffer: number, width: number, more = 0) => body.read(buffer, from * width, (to + more) * width)
  const hasValidity = nullCount !== 0 && own[0]?.length !== 0
  if (nullCount > 0 && !hasValidity) throw corrupt(`it has ${nullCount} nulls, and no bitmap of them`, byteOffset)
  const validityRead = hasValidity ? bits(place.buffer) : null
  const isWhole = from === 0 && to === length

  const readData = async (): Promise<Partial<ArrowArray>> => {
    switch (storage) {
      case 'bool':
        return { values: await bits(place.buffer + 1) }
      case 'utf8':
      case 'largeUtf8':
        return readRuns(storage === 'utf8' ? 4 : 8, place.buffer + 1, {
          length: await body.byteLength(place.buffer + 2),
          read: async (start, end) => ({ values: await body.read(place.buffer + 2, start, end) }),
        })
      case 'list':
      case 'largeList': {
        const [child] = place.children as [ColumnPlace]
        return readRuns(storage === 'list' ? 4 : 8, place.buffer + 1, {
          length: (header.nodes[child.node] as BatchHeader['nodes'][number]).length,
          read: async (start, end) => ({
            child: await readArray(batch, field.children[0] as ArrowField, child, start, end),
          }),
        })
      }
      case 'fixedSizeList': {
        const { listSize, children } = field
        const [child] = place.children as [ColumnPlace]
        return {
          child: await readArray(batch, children[0] as ArrowField, child, from * listSize, to * listSize),
        }
      }
      case 'utf8View':
        return readViews()
      default:
        return { values: await bytes(place.buffer + 1, WIDTH[storage]) }
    }
  }

  /** Offsets, and what they refer to. */
  const readRuns = async (
    width: 4 | 8,
    buffer: number,
    target: { length: number; read(start: number, end: number): Promise<Partial<ArrowArray>> },
  ): Promise<Partial<ArrowArray>> => {
    const offsetsRead = bytes(buffer, width, 1)
    if (isWhole) {
      const [offsets, data] = await Promise.all([offsetsRead, target.read(0, target.length)])
      return { offsets, ...data }
    }
    const offsets = await offsetsRead
    const [start, end] = [offsetAt(offsets, width, 0), offsetAt(offsets, width, to - from)]
    if (start < 0 || end < start || end > target.length)
      throw corrupt(`its offsets go from ${start} to ${end} of ${target.length}`, body.byteOffset(buffer))
    return { offsets, base: start, ...(await target.read(start, end)) }
  }

  const readViews = async (): Promise<Partial<ArrowArray>> => {
    const count = place.bufferEnd - place.buffer - 2
    const viewsRead = bytes(place.buffer + 1, WIDTH.utf8View)
    // It is awaited below, unless something else fails first.
    viewsRead.catch(() => {})
    const lengths = await Promise.all(Array.from({ length: count }, (_, i) => body.byteLength(place.buffer + 2 + i)))
    const ranges = isWhole
      ? lengths.map(length => ({ from: 0, to: length }))
      : usedRanges(await viewsRead, await validityRead, from & 7, lengths)
    const buffers = await Promise.all(
      ranges.map(async (range, i) => ({
        start: range.from,
        bytes: await body.read(place.buffer + 2 + i, range.from, range.to),
      })),
    )
    return { values: await viewsRead, buffers }
  }

  const [validity, data, dictionary] = await Promise.all([
    validityRead,
    readData(),
    field.dictionary === null ? null : batch.dictionaryOf(field.dictionary.id),
  ])
  return { ...nothing(to - from, byteOffset, dictionary), validity, isAllNull: false, firstBit: from & 7, ...data }
}

export function offsetAt(bytes: Uint8Array, width: 4 | 8, i: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return width === 4
    ? view.getInt32(4 * i, true)
    : view.getInt32(8 * i + 4, true) * 2 ** 32 + view.getUint32(8 * i, true)
}

/** The part of each buffer that views refer to; what is out of range is left for vectors.ts to refuse. */
function usedRanges(
  views: Uint8Array,
  validity: Uint8Array | null,
  firstBit: number,
  lengths: readonly number[],
): { from: number; to: number }[] {
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength)
  const ranges = lengths.map(length => ({ from: length, to: 0 }))
  for (let at = 0, bit = firstBit; at < views.length; at += 16, bit++) {
    if (validity !== null && (((validity[bit >> 3] as number) >> (bit & 7)) & 1) === 0) continue
    const length = view.getInt32(at, true)
    const range = ranges[view.getInt32(at + 8, true)]
    if (length <= 12 || range === undefined) continue
    const start = view.getInt32(at + 12, true)
    range.from = Math.min(range.from, Math.max(0, start))
    range.to = Math.max(range.to, start + length)
  }
  return ranges.map(({ from, to }, i) =>
    from < to ? { from, to: Math.min(to, lengths[i] as number) } : { from: 0, to: 0 },
  )
}
