/**
 * Vectors as Arrow's nodes and buffers, column by column; text-writer.ts has the strings. Buffers are the vectors' own, not copies, where they
 * lie as Arrow has them.
 */
import type { DataType } from '../../columnar/type.js'
import { dataOf, itemsOf, type Vector } from '../../columnar/vector.js'
import { type BodyWriter, putBuffer, putNode } from './body-writer.js'
import { createTextWriter, type TextWriter } from './text-writer.js'

/** One of the batches' columns. */
export interface ColumnWriter {
  /** What its strings, or those in its lists, are written by; null where it has none. */
  readonly text: TextWriter | null
  /** Looks at the first rows, before the schema is written. */
  begin(vector: Vector): void
  write(vector: Vector, body: BodyWriter): void
}

/** @param mostRemembered strings, roughly. */
export function createColumnWriter(type: DataType, column: string, mostRemembered: number): ColumnWriter {
  const { kind } = type
  if (kind === 'utf8') {
    const text = createTextWriter(column, mostRemembered)
    return {
      text,
      begin: vector => text.begin(vector),
      write(vector, body) {
        putNode(vector, body)
        text.write(vector, body)
      },
    }
  }
  if (kind === 'list') {
    const items = createColumnWriter(type.item as DataType, column, mostRemembered)
    return {
      text: items.text,
      begin: vector => items.begin(itemsOf(vector).items),
      write(vector, body) {
        putNode(vector, body)
        const { offsets, items: child } = itemsOf(vector)
        putBuffer(offsets, body)
        items.write(child, body)
      },
    }
  }
  return {
    text: null,
    begin() {},
    write(vector, body) {
      putNode(vector, body)
      putBuffer(dataOf(vector), body)
    },
  }
}
