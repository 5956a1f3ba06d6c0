/**
 * A Parquet footer taken apart: schema, row groups, and where each column chunk lies. Plain data, to be kept and sent between threads;
 * metadata.ts finds the footer in a file, statistics.ts reads the bounds.
 */
import type { Field } from '../../columnar/schema.js'
import { schemaOf } from '../../columnar/schema.js'
import type { SchemaShape } from '../../columnar/type.js'
import { quote } from '../../errors.js'
import {
  CONVERTED,
  type ColumnType,
  columnTypeOf,
  type LogicalType,
  PHYSICAL,
  type SchemaElement,
} from './column-type.js'
import { corrupt } from './corrupt.js'
import { type ColumnStatistics, type RawStatistics, readStatistics, statisticsOf } from './statistics.js'
import {
  type Cursor,
  isBool,
  isTrue,
  readByte,
  readI32,
  readList,
  readSize,
  readStruct,
  readText,
  skip,
  WIRE,
} from './thrift.js'

/** `parquet.thrift`, enum CompressionCodec. */
export const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const
export type Codec = (typeof CODECS)[number]

export interface ParquetMetadata {
  /** Every top-level column, also those that cannot be read (see `ColumnType.unsupported`). */
  readonly schema: SchemaShape
  /** In file order, which is `schema`'s but for integer-like names. */
  readonly columns: readonly ParquetColumn[]
  readonly rowCount: number
  readonly rowGroups: readonly RowGroup[]
}

export interface ParquetColumn extends ColumnType {
  readonly name: string
  /** Position of its chunk in the file's row groups; of a nested column, of its first leaf. */
  readonly leaf: number
}

export interface RowGroup {
  readonly rowCount: number
  /** Of the first row, in the file. */
  readonly firstRow: number
  /** One per entry of `ParquetMetadata.columns`; null for what cannot be read. */
  readonly chunks: readonly (Chunk | null)[]
}

export interface Chunk {
  /** In the file: its pages, dictionary first. */
  readonly from: number
  readonly byteLength: number
  /** Of all its pages uncompressed, headers included: no page is larger. */
  readonly uncompressedByteLength: number
  readonly valueCount: number
  readonly codec: Codec | null
  /** Set where the chunk cannot be read: it is encrypted, or in another file. */
  readonly refusal: string | null
  readonly statistics: ColumnStatistics
}

interface RawChunk {
  path: string | null
  encrypted: boolean
  codec: number
  valueCount: number
  uncompressed: number
  compressed: number
  dataPage: number
  dictionaryPage: number
  statistics: RawStatistics | null
}

interface RawRowGroup {
  chunks: RawChunk[]
  rowCount: number
}

/**
 * Reads a footer.
 * @throws MillraceError `MR_FORMAT_ERROR` where it contradicts itself, `MR_DUPLICATE_COLUMN` where two top-level columns share a name.
 */
export function readFooter(cursor: Cursor): ParquetMetadata {
  const start = cursor.base + cursor.at
  let elements: SchemaElement[] | null = null
  let rowCount = -1
  let groups: RawRowGroup[] | null = null
  let orders: boolean[] = []
  readStruct(cursor, (id, type) => {
    if (id === 2 && type === WIRE.LIST) elements = readList(cursor, WIRE.STRUCT, () => readElement(cursor))
    else if (id === 3 && type === WIRE.I64) rowCount = readSize(cursor, 'the row count')
    else if (id === 4 && type === WIRE.LIST) groups = readList(cursor, WIRE.STRUCT, () => readRowGroup(cursor))
    else if (id === 7 && type === WIRE.LIST) orders = readList(cursor, WIRE.STRUCT, () => readColumnOrder(cursor))
    else return false
    return true
  })
  if (elements === null || groups === null || rowCount < 0)
    throw corrupt('the footer has no schema, row count or row groups', start)
  const { columns, leafCount } = topLevel(elements, start)
  const rowGroups: RowGroup[] = []
  let firstRow = 0
  for (const group of groups as RawRowGroup[]) {
    if (group.chunks.length !== leafCount) {
      throw corrupt(
        `row group ${rowGroups.length} has ${group.chunks.length} column chunks for ${leafCount} columns`,
        start,
      )
    }
    const chunks = columns.map(column => {
      if (column.unsupported !== null) return null
      return chunkOf(group.chunks[column.leaf] as RawChunk, column, group.rowCount, orders[column.leaf] === true)
    })
    rowGroups.push({ rowCount: group.rowCount, firstRow, chunks })
    firstRow += group.rowCount
  }
  if (firstRow !== rowCount) throw corrupt(`the footer counts ${rowCount} rows, its row groups hold ${firstRow}`, start)
  return { schema: schemaOf(columns as readonly Field[]), columns, rowCount, rowGroups }
}

function chunkOf(raw: RawChunk, column: ParquetColumn, rowCount: number, ordered: boolean): Chunk {
  const hasDictionary = raw.dictionaryPage > 0 && raw.dictionaryPage < raw.dataPage
  const statistics = raw.encrypted ? null : raw.statistics
  return {
    from: hasDictionary ? raw.dictionaryPage : raw.dataPage,
    byteLength: raw.compressed,
    uncompressedByteLength: raw.uncompressed,
    valueCount: raw.valueCount,
    codec: CODECS[raw.codec] ?? null,
    refusal: raw.encrypted
      ? 'is encrypted, which this version does not read'
      : raw.path !== null
        ? `has its data in another file, ${quote(raw.path)}, which this version does not follow`
        : null,
    // Of a list they are its items', which say nothing of rows.
    statistics: statisticsOf(column.list === null ? statistics : null, column, rowCount, ordered),
  }
}

/** Top-level columns of the flattened schema tree, which lists elements depth first. */
function topLevel(elements: readonly SchemaElement[], start: number): { columns: ParquetColumn[]; leafCount: number } {
  const root = elements[0]
  if (root === undefined) throw corrupt('the footer has an empty schema', start)
  const columns: ParquetColumn[] = []
  let leafCount = 0
  let next = 1
  for (let i = 0; i < root.childCount; i++) {
    const first = next
    const firstLeaf = leafCount
    for (let pending = 1; pending > 0; next++) {
      const child = elements[next]
      if (child === undefined) throw corrupt('the schema ends in the middle of its tree', start)
      if (child.physical !== null) leafCount++
      pending += child.childCount - 1
    }
    const subtree = elements.slice(first, next)
    columns.push({ ...columnTypeOf(subtree), name: (subtree[0] as SchemaElement).name, leaf: firstLeaf })
  }
  if (next !== elements.length)
    throw corrupt(`the schema lists ${elements.length} elements, its tree has ${next}`, start)
  return { columns, leafCount }
}

function readElement(cursor: Cursor): SchemaElement {
  let physical = -1
  let typeLength = 0
  let repetition = 0
  let name = ''
  let childCount = 0
  let converted = -1
  let scale = 0
  let precision = 0
  let logical: LogicalType | null = null
  const at = cursor.base + cursor.at
  readStruct(cursor, (id, type) => {
    if (id === 4 && type === WIRE.BINARY) name = readText(cursor)
    else if (id === 10 && type === WIRE.STRUCT) {
      logical = readLogicalType(cursor, (s, p) => {
        scale = s
        precision = p
      })
    } else if (type !== WIRE.I32 || id > 8) return false
    else {
      const value = readI32(cursor)
      if (id === 1) physical = value
      else if (id === 2) typeLength = value
      else if (id === 3) repetition = value
      else if (id === 5) childCount = value
      else if (id === 6) converted = value
      else if (id === 7) scale = value
      else precision = value
    }
    return true
  })
  if (childCount < 0 || (childCount > 0 && physical >= 0))
    throw corrupt(`schema element ${quote(name)} has a type and ${childCount} children`, at)
  return {
    name,
    physical: PHYSICAL[physical] ?? null,
    typeLength,
    repetition: repetition === 0 ? 'REQUIRED' : repetition === 1 ? 'OPTIONAL' : 'REPEATED',
    childCount,
    converted: CONVERTED[converted] ?? null,
    logical,
    precision,
    scale,
  }
}

const LOGICAL: Readonly<Record<number, string>> = {
  1: 'STRING',
  2: 'MAP',
  3: 'LIST',
  4: 'ENUM',
  5: 'DECIMAL',
  6: 'DATE',
  7: 'TIME',
  8: 'TIMESTAMP',
  10: 'INTEGER',
  11: 'UNKNOWN',
  12: 'JSON',
  13: 'BSON',
  14: 'UUID',
  15: 'FLOAT16',
  16: 'VARIANT',
  17: 'GEOMETRY',
  18: 'GEOGRAPHY',
}
const UNITS = { 1: 'ms', 2: 'us', 3: 'ns' } as const

/** A union: one field, whose id says which type. */
function readLogicalType(cursor: Cursor, decimal: (scale: number, precision: number) => void): LogicalType {
  const logical: { name: string; unit?: 'ms' | 'us' | 'ns'; bitWidth?: number; isSigned?: boolean } = {
    name: 'of a kind unknown here',
  }
  readStruct(cursor, (kind, wire) => {
    if (wire !== WIRE.STRUCT) return false
    logical.name = LOGICAL[kind] ?? `of kind ${kind}`
    let scale = 0
    let precision = 0
    readStruct(cursor, (id, type) => {
      if (logical.name === 'DECIMAL' && type === WIRE.I32) {
        if (id === 1) scale = readI32(cursor)
        else precision = readI32(cursor)
        return true
      }
      if (logical.name === 'INTEGER' && id === 1 && type === 3) logical.bitWidth = readByte(cursor)
      else if (logical.name === 'INTEGER' && id === 2 && isBool(type)) logical.isSigned = isTrue(type)
      else if ((logical.name === 'TIMESTAMP' || logical.name === 'TIME') && id === 2 && type === WIRE.STRUCT) {
        readStruct(cursor, unit => {
          logical.unit = UNITS[unit as 1 | 2 | 3]
          return false
        })
      } else return false
      return true
    })
    if (logical.name === 'DECIMAL') decimal(scale, precision)
    return true
  })
  return logical
}

/** Whether the column's bounds follow the order that its type defines. */
function readColumnOrder(cursor: Cursor): boolean {
  let byType = false
  readStruct(cursor, (id, type) => {
    byType ||= id === 1
    skip(cursor, type, 0)
    return true
  })
  return byType
}

function readRowGroup(cursor: Cursor): RawRowGroup {
  const group: RawRowGroup = { chunks: [], rowCount: 0 }
  readStruct(cursor, (id, type) => {
    if (id === 1 && type === WIRE.LIST) group.chunks = readList(cursor, WIRE.STRUCT, () => readChunk(cursor))
    else if (id === 3 && type === WIRE.I64) group.rowCount = readSize(cursor, 'the row count of a row group')
    else return false
    return true
  })
  return group
}

function readChunk(cursor: Cursor): RawChunk {
  const chunk: RawChunk = {
    path: null,
    encrypted: false,
    codec: -1,
    valueCount: 0,
    uncompressed: 0,
    compressed: 0,
    dataPage: 0,
    dictionaryPage: 0,
    statistics: null,
  }
  readStruct(cursor, (id, type) => {
    if (id === 1 && type === WIRE.BINARY) chunk.path = readText(cursor)
    else if (id === 3 && type === WIRE.STRUCT) readChunkMetadata(cursor, chunk)
    else {
      chunk.encrypted ||= id === 8
      return false
    }
    return true
  })
  return chunk
}

function readChunkMetadata(cursor: Cursor, chunk: RawChunk): void {
  readStruct(cursor, (id, type) => {
    if (type === WIRE.I32 && id === 4) chunk.codec = readI32(cursor)
    else if (type === WIRE.I64) {
      if (id === 5) chunk.valueCount = readSize(cursor, 'the value count of a column chunk')
      else if (id === 6) chunk.uncompressed = readSize(cursor, 'the uncompressed size of a column chunk')
      else if (id === 7) chunk.compressed = readSize(cursor, 'the size of a column chunk')
      else if (id === 9) chunk.dataPage = readSize(cursor, 'the offset of a data page')
      else if (id === 11) chunk.dictionaryPage = readSize(cursor, 'the offset of a dictionary page')
      else return false
    } else if (id === 12 && type === WIRE.STRUCT) chunk.statistics = readStatistics(cursor)
    else return false
    return true
  })
}
