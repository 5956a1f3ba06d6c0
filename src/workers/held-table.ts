/** Rows that stay in a lane: chunks of heap memory, in row order, with the dictionaries that their codes point into. */
import type { SchemaShape } from '../columnar/type.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext } from '../operators/build.js'
import { byteLengthOf, concatenate, freeHeapBatch } from '../operators/heap-batch.js'
import { LONG_MORSEL_ROWS } from '../operators/operator.js'
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
  table.ranges ??= Object.keys(table.schema).map((_, i) => rangeOfColumn(table.chunks, i))
  return table.ranges
}

const rangeOfColumn = (chunks: readonly HeldChunk[], column: number): LaneVector['range'] =>
  chunks.reduce<LaneVector['range']>((all, { batch }) => wider(all, batch.columns[column].range), null)

/** The bounds of all values of both. */
export function wider(a: LaneVector['range'], b: LaneVector['range']): LaneVector['range'] {
  if (a === null || b === null) return a ?? b
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max }
}

/** Makes as few chunks as may be of those of the last split, all of which there are: what takes long morsels can then have them. */
export function joinChunks({ k, dictionaries }: OperatorContext, { chunks }: HeldTable): void {
  const split = chunks.at(-1)?.split
  const first = chunks.findIndex(chunk => chunk.split === split)
  if (first < 0) return
  const own = chunks.splice(first)
  while (own.length > 0) {
    const run = own.splice(0, runLength(own))
    if (run.length === 1) {
      chunks.push(run[0])
      continue
    }
    const ranges = run[0].batch.columns.map((_, i) => rangeOfColumn(run, i))
    const coding = run.map(({ batch }) => dictionariesOf(batch))
    try {
      const batch = concatenate(k, run)
      const columns = batch.columns.map((column, i) => ({ ...column, range: ranges[i] }))
      const chunk = { ...run[0], batch: { ...batch, columns } }
      for (const dictionary of dictionariesOf(chunk.batch)) dictionaries.retain(dictionary)
      chunks.push(chunk)
    } catch (error) {
      chunks.push(...own)
      throw error
    } finally {
      for (const dictionary of coding.flat()) dictionaries.release(dictionary)
    }
  }
}

/** How many of the chunks, from the first on, can be one: coded alike, and no longer together than a long morsel. */
function runLength(chunks: readonly HeldChunk[]): number {
  const codes = chunks[0].batch.columns.map(dictionaryOf)
  let rowCount = 0
  const end = chunks.findIndex(({ batch }) => {
    rowCount += batch.rowCount
    return rowCount > LONG_MORSEL_ROWS || batch.columns.some((column, i) => dictionaryOf(column) !== codes[i])
  })
  return end < 0 ? chunks.length : Math.max(1, end)
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
