/** Rows that stay in a lane: chunks of heap memory, in row order, with the dictionaries that their codes point into. */
import type { SchemaShape } from '../columnar/type.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext } from '../operators/build.js'
import { byteLengthOf, freeHeapBatch } from '../operators/heap-batch.js'
import type { HeldReport } from './protocol.js'

export interface HeldChunk {
  readonly split: number
  /** The chunk's first row, counted from the first that this lane holds of the split. */
  readonly firstRow: number
  readonly batch: LaneBatch
}

export interface HeldTable {
  readonly schema: SchemaShape
  /** Ascending by (split, firstRow). Each chunk retains its dictionaries. */
  readonly chunks: HeldChunk[]
  /** Whoever holds or reads it; the last to let go frees it. */
  users: number
  /** Per column what `rangesOf` found. */
  ranges: readonly LaneVector['range'][] | null
}

/** Per column the bounds of all its values in this lane, null where they have none. One choice of kernels then serves every chunk. */
export function rangesOf(table: HeldTable): readonly LaneVector['range'][] {
  table.ranges ??= Object.keys(table.schema).map((_, i) =>
    table.chunks.reduce<LaneVector['range']>((all, { batch }) => {
      const { range } = batch.columns[i]
      if (all === null || range === null) return all ?? range
      return { min: all.min < range.min ? all.min : range.min, max: all.max > range.max ? all.max : range.max }
    }, null),
  )
  return table.ranges
}

/** One for each column that has one. */
export const dictionariesOf = ({ columns }: LaneBatch): LaneDictionary[] =>
  columns.map(dictionaryOf).filter(dictionary => dictionary !== null)

export function retainTable(table: HeldTable): void {
  table.users++
}

export function releaseTable({ k, dictionaries }: OperatorContext, table: HeldTable): void {
  if (--table.users > 0) return
  for (const { batch } of table.chunks) {
    for (const dictionary of dictionariesOf(batch)) dictionaries.release(dictionary)
    freeHeapBatch(k, batch)
  }
  table.chunks.length = 0
}

/** What the caller must know of a table: rows by split, and bytes, dictionaries included. */
export function reportTable(table: HeldTable): HeldReport {
  const splits: { split: number; rowCount: number }[] = []
  const dictionaries = new Set<LaneDictionary>()
  let byteLength = 0
  for (const { split, batch } of table.chunks) {
    const last = splits[splits.length - 1]
    if (last?.split === split) last.rowCount += batch.rowCount
    else splits.push({ split, rowCount: batch.rowCount })
    byteLength += byteLengthOf(batch)
    for (const dictionary of dictionariesOf(batch)) dictionaries.add(dictionary)
  }
  for (const { length, byteLength: text } of dictionaries) byteLength += 4 * length + text
  return { splits, byteLength, codes: [...dictionaries].map(({ id }) => id) }
}
