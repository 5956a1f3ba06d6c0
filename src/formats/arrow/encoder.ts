/**
 * Arrow IPC, written batch by batch: a file or a stream, as chunks of bytes in order. The layout is drawn in file-index.ts; what is made of a table at
 * once is to-arrow.ts's.
 */
import { fieldsOf } from '../../columnar/schema.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { Vector } from '../../columnar/vector.js'
import { type BodyWriter, createBody, putBuffer, putNode } from './body-writer.js'
import { createColumnWriter } from './column-writer.js'
import type { FlatFields } from './flat-writer.js'
import type { Block } from './message.js'
import { type DictionaryDelta, MOST_REMEMBERED } from './text-writer.js'
import {
  batchFields,
  endOfStream,
  fileEnd,
  fileStart,
  type Header,
  messageBytes,
  schemaFields,
} from './write-message.js'

export interface ArrowEncoder {
  /** What comes first. */
  header(): Uint8Array[]
  /**
   * Rows, and what they need before them: with the first the schema, which says whether strings are codes, then what their dictionaries have
   * gained. Chunks may be views of the vectors' buffers: they must be written before these are changed or transferred.
   * @param vectors one per column, of at most 2^31 - 1 rows.
   * @throws MillraceError `MR_MEMORY_LIMIT` where strings outgrow 32-bit offsets
   */
  batch(vectors: readonly Vector[], rowCount: number): Uint8Array[]
  /** What comes last. */
  footer(): Uint8Array[]
}

export interface ArrowEncoderOptions {
  /** A file has a footer by which its batches are found; a stream can be read while it is written. */
  readonly layout: 'file' | 'stream'
  /** Strings of a column of codes that are remembered, roughly: of more, some are written twice. */
  readonly mostRemembered?: number
}

/**
 * @throws MillraceError `MR_TYPE_MISMATCH` for a struct
 */
export function createArrowEncoder(
  schema: SchemaShape,
  { layout, mostRemembered = MOST_REMEMBERED }: ArrowEncoderOptions,
): ArrowEncoder {
  const fields = fieldsOf(schema)
  const columns = fields.map(({ name, type }) => createColumnWriter(type, name, mostRemembered))
  const dictionaries: Block[] = []
  const batches: Block[] = []
  let written: FlatFields | null = null
  let byteLength = 0
  // A type that cannot be written is refused now.
  schemaFields(fields, () => null)

  /** Counts bytes on their way out. */
  const emit = (chunks: Uint8Array[]): Uint8Array[] => {
    for (const chunk of chunks) byteLength += chunk.length
    return chunks
  }

  const message = (header: Header, body: BodyWriter, blocks: Block[] | null): Uint8Array[] => {
    const metadata = messageBytes(header, body.byteLength)
    blocks?.push({ at: byteLength, metadataLength: metadata.length, bodyLength: body.byteLength })
    return emit([metadata, ...body.chunks])
  }

  const schemaMessage = (): Uint8Array[] => {
    const positionOf = new Map(fields.map(({ name }, position) => [name, position]))
    written = schemaFields(fields, column => {
      const position = positionOf.get(column) as number
      return columns[position]?.text?.isCoded ? position : null
    })
    return message({ kind: 'schema', fields: written }, createBody(), null)
  }

  const dictionaryMessage = (id: number, { isDelta, length, offsets, bytes }: DictionaryDelta): Uint8Array[] => {
    const body = createBody()
    putNode({ length, nullCount: 0, validity: null }, body)
    putBuffer(offsets, body)
    putBuffer(bytes, body)
    const batch = batchFields(length, body.nodes, body.buffers)
    return message({ kind: 'dictionary', id, isDelta, batch }, body, dictionaries)
  }

  return {
    header: () => emit(layout === 'file' ? [fileStart()] : []),
    batch(vectors, rowCount) {
      if (rowCount === 0) return []
      const chunks: Uint8Array[] = []
      if (written === null) {
        for (const [i, column] of columns.entries()) column.begin(vectors[i] as Vector)
        chunks.push(...schemaMessage())
      }
      const body = createBody()
      for (const [i, column] of columns.entries()) {
        column.text?.trim(layout === 'stream')
        column.write(vectors[i] as Vector, body)
        const delta = column.text?.isCoded ? column.text.takeDelta() : null
        if (delta !== null) chunks.push(...dictionaryMessage(i, delta))
      }
      const batch = batchFields(rowCount, body.nodes, body.buffers)
      chunks.push(...message({ kind: 'batch', batch }, body, batches))
      return chunks
    },
    footer() {
      const chunks = written === null ? schemaMessage() : []
      chunks.push(...emit([endOfStream()]))
      if (layout === 'file') chunks.push(...emit([fileEnd(written as FlatFields, dictionaries, batches)]))
      return chunks
    },
  }
}
