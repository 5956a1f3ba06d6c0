/**
 * Rows on their way into a table that stays in a lane (held-table.ts), morsel by morsel. Where about as many are to come as a split had before, there is
 * room for them at once, and they are copied to where they will stay; else every morsel is a chunk, and those of a split are joined in the end.
 */
import { bitmapBytes, copyBits } from '../kernels/bitmap.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { dataBytes, elementBytes } from '../kernels/operand.js'
import type { OperatorContext } from '../operators/build.js'
import { copyToHeap, freeHeapBatch } from '../operators/heap-batch.js'
import { LONG_MORSEL_ROWS } from '../operators/operator.js'
import { dictionariesOf, type HeldTable, joinChunks, wider } from './held-table.js'

export interface HeldRows {
  /** Rows in scratch that follow all those that have come. */
  add(batch: LaneBatch, split: number): void
  /** All rows have come. */
  end(): void
}

/** Splits of a file are alike, but not to the row. */
const SLACK = 1.02

export function createHeldRows(context: OperatorContext, table: HeldTable): HeldRows {
  const { k, dictionaries } = context
  const { memory } = k
  const { chunks } = table
  let split = -1
  /** Rows of this split so far, and of the one before. */
  let rowCount = 0
  let expected = 0
  /** Rows for which the last chunk has room; 0 where it is as it came. */
  let capacity = 0

  const push = (batch: LaneBatch) => {
    for (const dictionary of dictionariesOf(batch)) dictionaries.retain(dictionary)
    chunks.push({ split, firstRow: rowCount, batch })
  }

  /** Columns like these, without rows, with room for so many. */
  const makeRoom = (columns: readonly LaneVector[], rows: number): LaneBatch => {
    const empty: LaneVector[] = []
    try {
      for (const column of columns) {
        const data = memory.allocate(dataBytes(column.type.kind, rows))
        empty.push({ ...column, length: 0, data, validity: 0, range: null })
      }
    } catch (error) {
      freeHeapBatch(k, { rowCount: 0, columns: empty })
      throw error
    }
    return { rowCount: 0, columns: empty }
  }

  /** Puts rows behind those of the last chunk, which has room. */
  const append = ({ columns, rowCount: more }: LaneBatch) => {
    const last = chunks[chunks.length - 1]
    const length = last.batch.rowCount
    const grown: LaneVector[] = []
    for (const [i, to] of last.batch.columns.entries()) {
      const from = columns[i]
      const width = elementBytes(to.type.kind)
      if (from.validity !== 0) copyBits(k, from.validity, 0, to.validity, length, more)
      if (width === 0) copyBits(k, from.data, 0, to.data, length, more)
      else memory.u8.copyWithin(to.data + width * length, from.data, from.data + width * more)
      grown.push({ ...to, length: length + more, range: wider(to.range, from.range) })
    }
    chunks[chunks.length - 1] = { ...last, batch: { rowCount: length + more, columns: grown } }
  }

  /** Bitmaps for columns of the last chunk that had no nulls so far. */
  const makeBitmaps = ({ columns }: LaneBatch) => {
    for (const [i, { validity }] of columns.entries()) {
      const last = chunks[chunks.length - 1]
      const own = [...last.batch.columns]
      if (validity === 0 || own[i].validity !== 0) continue
      const bits = memory.allocate(bitmapBytes(capacity))
      memory.bytes(bits, bitmapBytes(capacity)).fill(0xff)
      own[i] = { ...own[i], validity: bits }
      chunks[chunks.length - 1] = { ...last, batch: { ...last.batch, columns: own } }
    }
  }

  const isAlike = (a: LaneBatch, b: LaneBatch): boolean =>
    a.columns.every((column, i) => dictionaryOf(column) === dictionaryOf(b.columns[i]))

  return {
    add(batch, of) {
      if (of !== split) {
        joinChunks(context, table)
        expected = rowCount
        split = of
        rowCount = 0
        capacity = 0
      }
      const last = chunks.at(-1)?.batch
      if (last === undefined || last.rowCount + batch.rowCount > capacity || !isAlike(last, batch)) {
        const rows = Math.min(LONG_MORSEL_ROWS, Math.ceil(SLACK * expected) - rowCount)
        const hasLists = batch.columns.some(({ child }) => child)
        const isKnown = rows > batch.rowCount && !hasLists && (memory.account?.shareBytes ?? Infinity) === Infinity
        capacity = isKnown ? rows : 0
        push(isKnown ? makeRoom(batch.columns, rows) : copyToHeap(k, batch))
      }
      if (capacity > 0) {
        makeBitmaps(batch)
        append(batch)
      }
      rowCount += batch.rowCount
    },
    end: () => joinChunks(context, table),
  }
}
