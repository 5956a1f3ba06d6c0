/**
 * Rows that outlive their morsel: a copy of a batch in heap blocks of its own. Scratch is what a morsel lives in; what an operator or a held table
 * keeps lives here, until it is freed.
 */
import { MORSEL_ROWS } from '../columnar/vector.js'
import { bitmapBytes, copyBits } from '../kernels/bitmap.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { dataBytes, elementBytes } from '../kernels/operand.js'
import { itemsOf } from '../kernels/select.js'
import { freeVector } from '../kernels/transfer-batch.js'
import type { Morsel } from './operator.js'
import type { StoredRows } from './row-store.js'

export function copyToHeap(k: Kernels, batch: LaneBatch): LaneBatch {
  const columns: LaneVector[] = []
  try {
    for (const column of batch.columns) columns.push(joined(k, [column]))
  } catch (error) {
    freeHeapBatch(k, { rowCount: batch.rowCount, columns })
    throw error
  }
  return { rowCount: batch.rowCount, columns }
}

/** `count` rows from `from`, which is a multiple of 128, so that no bitmap need be shifted: the same buffers. */
export function sliceBatch(batch: LaneBatch, from: number, count: number): LaneBatch {
  if (from % 128 !== 0) throw new Error(`a slice begins at a multiple of 128 rows, not at ${from}`)
  const columns = batch.columns.map(column => {
    const width = column.child ? 4 : elementBytes(column.type.kind)
    return {
      ...column,
      length: count,
      data: column.data + (width === 0 ? from / 8 : from * width),
      validity: column.validity === 0 ? 0 : column.validity + from / 8,
    }
  })
  return { rowCount: count, columns }
}

/** All rows of a batch in scratch, which is not needed any more once the first morsel has been used. */
export function* morselsOf(k: Kernels, batch: LaneBatch): Generator<Morsel> {
  if (batch.rowCount <= MORSEL_ROWS) {
    if (batch.rowCount > 0) yield { ...batch, rows: 0 }
    return
  }
  const kept = copyToHeap(k, batch)
  try {
    for (let from = 0; from < kept.rowCount; from += MORSEL_ROWS) {
      yield { ...sliceBatch(kept, from, Math.min(MORSEL_ROWS, kept.rowCount - from)), rows: 0 }
    }
  } finally {
    freeHeapBatch(k, kept)
  }
}

/** All rows of `parts`, one after another, in one heap batch; frees the parts, column by column. There is at least one. */
export function concatenate(k: Kernels, parts: readonly StoredRows[]): LaneBatch {
  if (parts.length === 1) return parts[0].batch
  const rowCount = parts.reduce((sum, { batch }) => sum + batch.rowCount, 0)
  const columns: LaneVector[] = []
  let freed = 0
  try {
    for (let i = 0; i < parts[0].batch.columns.length; i++) {
      const own = parts.map(({ batch }) => batch.columns[i])
      columns.push(joined(k, own, rowCount))
      freed++
      for (const column of own) freeVector(k, column)
    }
  } catch (error) {
    freeHeapBatch(k, { rowCount, columns })
    for (const { batch } of parts) for (const column of batch.columns.slice(freed)) freeVector(k, column)
    throw error
  }
  return { rowCount, columns }
}

/** The same of batches that stay as they are, wherever they are; there is at least one, and all are coded by the same dictionaries. */
export function joinBatches(k: Kernels, batches: readonly LaneBatch[]): LaneBatch {
  const rowCount = batches.reduce((sum, each) => sum + each.rowCount, 0)
  const columns: LaneVector[] = []
  try {
    for (let i = 0; i < batches[0].columns.length; i++) {
      const own = batches.map(each => each.columns[i])
      columns.push(joined(k, own, rowCount))
    }
  } catch (error) {
    freeHeapBatch(k, { rowCount, columns })
    throw error
  }
  return { rowCount, columns }
}

/** Their bitmaps one after another, in a heap block; rows of `length` that no part has are null. */
export function joinedValidity(k: Kernels, parts: readonly LaneVector[], length: number): number {
  const { memory } = k
  const validity = memory.allocate(bitmapBytes(length))
  memory.bytes(validity, bitmapBytes(length)).fill(0xff)
  let row = 0
  for (const part of parts) {
    if (part.validity !== 0) copyBits(k, part.validity, 0, validity, row, part.length)
    row += part.length
  }
  const { u8 } = memory
  for (; row < length; row++) u8[validity + (row >> 3)] &= ~(1 << (row & 7))
  return validity
}

/** The rows of all `parts`, one after another, in heap blocks. There is at least one. */
export function joined(k: Kernels, parts: readonly LaneVector[], length = parts[0].length): LaneVector {
  const { memory } = k
  const [first] = parts
  const { kind } = first.type
  const dictionary = parts.find(part => part.dictionary !== null)?.dictionary ?? null
  const whole = { ...first, length, data: 0, validity: 0, dictionary, range: parts.length === 1 ? first.range : null }
  const items: LaneVector[] = []
  let itemCount = 0
  let row = 0
  // What was the first part's is not this one's to free.
  whole.child = null
  try {
    whole.data = memory.allocate(dataBytes(kind, length))
    if (parts.some(({ validity }) => validity !== 0)) {
      whole.validity = joinedValidity(k, parts, length)
    }
    for (const part of parts) {
      if (part.child) {
        const own = itemsOf(k, part)
        const { u32 } = memory
        const [from, to] = [part.data >>> 2, (whole.data >>> 2) + row]
        for (let i = 0; i <= part.length; i++) u32[to + i] = u32[from + i] - own.base + itemCount
        items.push(own.items)
        itemCount += own.items.length
      } else if (kind === 'bool') copyBits(k, part.data, 0, whole.data, row, part.length)
      else {
        const width = elementBytes(kind)
        memory.u8.copyWithin(whole.data + row * width, part.data, part.data + part.length * width)
      }
      row += part.length
    }
    if (items.length > 0) whole.child = joined(k, items, itemCount)
    return whole
  } catch (error) {
    freeVector(k, whole)
    throw error
  }
}

export function freeHeapBatch(k: Kernels, batch: LaneBatch): void {
  for (const column of batch.columns) freeVector(k, column)
}

/** Bytes of a batch's buffers, dictionaries apart. */
export const byteLengthOf = ({ columns }: LaneBatch): number =>
  columns.reduce((sum, column) => sum + bytesOf(column), 0)

const bytesOf = ({ type, length, validity, child }: LaneVector): number =>
  dataBytes(type.kind, length) + (validity === 0 ? 0 : bitmapBytes(length)) + (child ? bytesOf(child) : 0)
