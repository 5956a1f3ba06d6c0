/**
 * Arrow's messages and footers, from FlatBuffers to plain objects. Where they are in a file is messages-in.ts's business, what lies in a body
 * batch-reader.ts's.
 */
import { corrupt, unsupported } from '../fault.js'
import { type ArrowField, type ArrowTypeParts, arrowField, dictionaryFields, TYPE } from './field.js'
import { type FlatTable, flatRoot } from './flat-reader.js'

export type Message =
  | { readonly kind: 'schema'; readonly bodyLength: number; readonly fields: readonly ArrowField[] }
  | { readonly kind: 'batch'; readonly bodyLength: number; readonly batch: BatchHeader }
  | {
      readonly kind: 'dictionary'
      readonly bodyLength: number
      readonly id: number
      readonly isDelta: boolean
      readonly batch: BatchHeader
    }

/** What is told of a batch's columns and their children, each before its children, in the order of the schema. */
export interface BatchHeader {
  /** Metadata before version 5, see `ArrowField.olderBufferCount`. */
  readonly isOlder: boolean
  readonly rowCount: number
  readonly nodes: readonly BatchNode[]
  readonly buffers: readonly BatchBuffer[]
  readonly compression: Compression | null
  /** Data buffers of each column of views. */
  readonly variadicCounts: readonly number[]
}

export interface BatchNode {
  readonly length: number
  /** Negative: not known. */
  readonly nullCount: number
}

/** A place in the body. */
export interface BatchBuffer {
  readonly offset: number
  readonly length: number
}

export type Compression = 'LZ4_FRAME' | 'ZSTD'

/** Of a message in a file. */
export interface Block {
  readonly at: number
  /** The words before the metadata included. */
  readonly metadataLength: number
  readonly bodyLength: number
}

export interface Footer {
  readonly fields: readonly ArrowField[]
  readonly dictionaries: readonly Block[]
  readonly batches: readonly Block[]
}

/** Versions of the format, as numbers of Arrow's `MetadataVersion`: those of 0.8 and of 1.0. */
const [V4, V5] = [3, 4]
const DEEPEST = 64
const COMPRESSIONS: readonly Compression[] = ['LZ4_FRAME', 'ZSTD']

/**
 * @param byteOffset of `bytes` in the file, for errors.
 * @throws MillraceError `MR_FORMAT_ERROR`
 */
export function readMessage(bytes: Uint8Array, byteOffset: number): Message {
  const message = flatRoot(bytes, byteOffset)
  const version = versionOf(message)
  const kind = message.uint8(1)
  const header = message.table(2)
  const bodyLength = message.int64(3)
  if (header === null) throw corrupt('a message has no header', byteOffset)
  if (bodyLength < 0) throw corrupt(`a message has a body of ${bodyLength} bytes`, byteOffset)
  if (kind === 1) return { kind: 'schema', bodyLength, fields: fieldsOf(header) }
  if (kind === 3) return { kind: 'batch', bodyLength, batch: batchHeader(header, version, bodyLength) }
  if (kind !== 2) throw unsupported(`it has a message of kind ${kind} at byte ${byteOffset}, which is no batch of rows`)
  const data = header.table(1)
  if (data === null) throw corrupt('a dictionary has no values', byteOffset)
  return {
    kind: 'dictionary',
    bodyLength,
    id: header.int64(0),
    isDelta: header.bool(2),
    batch: batchHeader(data, version, bodyLength),
  }
}

/** @throws MillraceError `MR_FORMAT_ERROR` */
export function readFooter(bytes: Uint8Array, byteOffset: number): Footer {
  const footer = flatRoot(bytes, byteOffset)
  versionOf(footer)
  const schema = footer.table(1)
  if (schema === null) throw corrupt('the footer has no schema', byteOffset)
  const blocks = (field: number): Block[] =>
    footer.structs(field, 24, block => ({
      at: block.int64(0),
      metadataLength: block.int32(8),
      bodyLength: block.int64(16),
    }))
  return { fields: fieldsOf(schema), dictionaries: blocks(2), batches: blocks(3) }
}

function versionOf(table: FlatTable): number {
  const version = table.int16(0)
  if (version !== V4 && version !== V5)
    throw unsupported(`its metadata are of version ${version + 1}, and only 4 and 5 are read; write it again`)
  return version
}

function fieldsOf(schema: FlatTable): ArrowField[] {
  if (schema.int16(0) !== 0)
    throw unsupported('its numbers are big-endian, which this version does not read; write it as little-endian')
  const fields = schema.tables(1).map(field => fieldOf(field, 1))
  const typeOf = new Map<number, string>()
  for (const { id, values } of dictionaryFields(fields)) {
    const other = typeOf.get(id) ?? values.arrowName
    if (other !== values.arrowName)
      throw corrupt(`columns of ${other} and ${values.arrowName} share the dictionary ${id}`, schema.byteOffset)
    typeOf.set(id, other)
  }
  return fields
}

function fieldOf(field: FlatTable, depth: number): ArrowField {
  if (depth > DEEPEST) throw corrupt(`a column is nested more than ${DEEPEST} times`, field.byteOffset)
  const name = field.string(0) ?? ''
  const type = field.table(3)
  if (type === null) throw corrupt('a column has no type', field.byteOffset)
  const encoding = field.table(4)
  return arrowField({
    name,
    nullable: field.bool(1),
    type: typeOf(field.uint8(2), type),
    children: field.tables(5).map(child => fieldOf(child, depth + 1)),
    dictionary: encoding === null ? null : { id: encoding.int64(0), indices: indicesOf(encoding.table(1)) },
  })
}

const indicesOf = (type: FlatTable | null): ArrowTypeParts =>
  type === null ? { typeId: TYPE.int, bitWidth: 32, isSigned: true } : typeOf(TYPE.int, type)

function typeOf(typeId: number, type: FlatTable): ArrowTypeParts {
  switch (typeId) {
    case TYPE.int:
      return { typeId, bitWidth: type.int32(0), isSigned: type.bool(1) }
    case TYPE.float:
    case TYPE.union:
      return { typeId, unit: type.int16(0) }
    case TYPE.date:
      // Milliseconds, where it is not told.
      return { typeId, unit: type.has(0) ? type.int16(0) : 1 }
    case TYPE.timestamp:
      return { typeId, unit: type.int16(0), timeZone: type.string(1) }
    case TYPE.fixedSizeList:
    case TYPE.fixedSizeBinary:
      return { typeId, size: type.int32(0) }
    case TYPE.decimal:
      return { typeId, precision: type.int32(0), scale: type.int32(1) }
    default:
      return { typeId }
  }
}

function batchHeader(batch: FlatTable, version: number, bodyLength: number): BatchHeader {
  const { byteOffset } = batch
  const rowCount = batch.int64(0)
  if (rowCount < 0) throw corrupt(`a batch has ${rowCount} rows`, byteOffset)
  const nodes = batch.structs(1, 16, node => ({ length: node.int64(0), nullCount: node.int64(8) }))
  for (const { length, nullCount } of nodes) {
    if (length < 0 || nullCount > length)
      throw corrupt(`a column has ${nullCount} nulls among ${length} rows`, byteOffset)
  }
  const buffers = batch.structs(2, 16, buffer => ({ offset: buffer.int64(0), length: buffer.int64(8) }))
  for (const { offset, length } of buffers) {
    if (offset < 0 || length < 0 || offset + length > bodyLength)
      throw corrupt(`a buffer of ${length} bytes at ${offset} of a body of ${bodyLength}`, byteOffset)
  }
  const compression = batch.table(3)
  if (compression !== null && (compression.uint8(0) >= COMPRESSIONS.length || compression.uint8(1) !== 0))
    throw unsupported(
      `a batch is compressed by a codec of number ${compression.uint8(0)}, method ${compression.uint8(1)}; only LZ4 and Zstandard are read: write it with one of them`,
    )
  return {
    isOlder: version < V5,
    rowCount,
    nodes,
    buffers,
    compression: compression === null ? null : (COMPRESSIONS[compression.uint8(0)] as Compression),
    variadicCounts: batch.structs(4, 8, count => count.int64(0)),
  }
}
