/** Which nodes and buffers of a batch are whose: Arrow lists them column by column, each before its children. */
import { corrupt } from '../fault.js'
import type { ArrowField } from './field.js'
import type { BatchHeader } from './message.js'

/** Where a column's own begin. Its children's follow. */
export interface ColumnPlace {
  readonly node: number
  readonly buffer: number
  /** Behind the last buffer, children's too. */
  readonly bufferEnd: number
  /** In the counts of views' data buffers. */
  readonly variadic: number
  readonly children: readonly ColumnPlace[]
}

/**
 * The places of these columns, which are all that the batch has.
 * @param byteOffset of the batch, for errors.
 * @throws MillraceError `MR_FORMAT_ERROR` where it has more or fewer nodes or buffers, or a column of another number of rows.
 */
export function placesOf(fields: readonly ArrowField[], header: BatchHeader, byteOffset: number): ColumnPlace[] {
  const { nodes, buffers, variadicCounts, rowCount, isOlder } = header
  let [node, buffer, variadic] = [0, 0, 0]
  const placeOf = (field: ArrowField): ColumnPlace => {
    const own = { node: node++, buffer, variadic }
    buffer += field.bufferCount + (isOlder ? field.olderBufferCount : 0)
    if (field.isView) {
      const count = variadicCounts[variadic++] ?? -1
      if (count < 0 || count > buffers.length)
        throw corrupt(`a column of views has ${count} buffers of ${buffers.length}`, byteOffset)
      buffer += count
    }
    const children = field.children.map(placeOf)
    return { ...own, bufferEnd: buffer, children }
  }
  const places = fields.map(placeOf)
  if (node !== nodes.length || buffer !== buffers.length)
    throw corrupt(
      `a batch has ${nodes.length} columns and ${buffers.length} buffers, where ${node} and ${buffer} belong to its schema`,
      byteOffset,
    )
  for (const place of places) {
    const { length } = nodes[place.node] as BatchHeader['nodes'][number]
    if (length !== rowCount) throw corrupt(`a column has ${length} rows where its batch has ${rowCount}`, byteOffset)
  }
  return places
}
