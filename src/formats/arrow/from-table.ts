/**
 * Tables of apache-arrow and flechette as ours, over the same buffers wherever the layout allows. Neither library is imported: what is read are
 * the properties in which they hold Arrow's types and buffers, which are told apart by name.
 */
import { RecordBatch } from '../../columnar/record-batch.js'
import { fieldsOf } from '../../columnar/schema.js'
import { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import { MORSEL_ROWS } from '../../columnar/vector.js'
import { MillraceError, quote } from '../../errors.js'
import { createReviver, type PlainVector } from '../plain-batch.js'
import type { ArrowArray, ArrowDictionary } from './arrays.js'
import { joined } from './dictionaries.js'
import { type ArrowField, type ArrowTypeParts, arrowField, TYPE } from './field.js'
import { arrowSchema } from './file.js'
import type { Repairs } from './texts.js'
import { vectorOf } from './vectors.js'

/** A table of apache-arrow or flechette. */
export interface ArrowTable {
  readonly numRows: number
  readonly schema: { readonly fields: readonly unknown[] }
  getChildAt(index: number): unknown
}

/** What the two call the same, or each in its way: apache-arrow first. */
interface TheirType {
  readonly typeId: number
  readonly bitWidth?: number
  readonly isSigned?: boolean
  readonly signed?: boolean
  readonly precision?: number
  readonly scale?: number
  readonly unit?: number
  readonly mode?: number
  readonly timezone?: string | null
  readonly listSize?: number
  readonly byteWidth?: number
  readonly stride?: number
  readonly children?: readonly TheirField[] | null
  readonly id?: number
  readonly indices?: TheirType
  readonly dictionary?: TheirType
}

interface TheirField {
  readonly name: string
  readonly nullable: boolean
  readonly type: TheirType
}

/** One of a column's chunks: a `Data`, or a `Batch`. */
interface TheirChunk {
  readonly length: number
  readonly nullCount: number
  /** Of bits alone: all else is cut already. */
  readonly offset?: number
  readonly nullBitmap?: Uint8Array | null
  readonly validity?: Uint8Array | null
  readonly values?: ArrayBufferView | null
  readonly valueOffsets?: ArrayBufferView | null
  readonly offsets?: ArrayBufferView | null
  readonly variadicBuffers?: readonly Uint8Array[]
  readonly data?: readonly Uint8Array[]
  readonly children?: readonly TheirChunk[] | null
  readonly dictionary?: TheirColumn | null
}

interface TheirColumn {
  readonly data: readonly TheirChunk[]
}

/** The columns of a table; one that cannot be read has an empty struct for its type. @throws MillraceError `MR_DUPLICATE_COLUMN` */
export const schemaOfArrowTable = (table: ArrowTable): SchemaShape => arrowSchema({ fields: fieldsOfTable(table) })

/** Whether no row of a column is null. */
export function hasNoNulls(table: ArrowTable, name: string): boolean {
  const position = fieldsOfTable(table).findIndex(field => field.name === name)
  return chunksOf(table, position).every(({ nullCount }) => nullCount === 0)
}

/**
 * These columns, as a table of ours.
 * @param schema theirs, perhaps without the nulls that there are not.
 * @throws MillraceError `MR_TYPE_MISMATCH` for a column that cannot be read, `MR_INTEGER_OVERFLOW`, `MR_INEXACT_VALUE`; `MR_FORMAT_ERROR` where
 * the table is not sound
 */
export function readArrowTable(table: ArrowTable, schema: SchemaShape): Table {
  const fields = fieldsOfTable(table)
  const dictionaries = createDictionaries()
  const columns = fieldsOf(schema).map(({ name }) => {
    const position = fields.findIndex(field => field.name === name)
    const field = fields[position] as ArrowField
    if (field.type === null) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `fromArrow: column ${quote(name)} is ${field.arrowName}, which this version does not read; leave it out with select or drop`,
        { column: name },
      )
    }
    const arrays = chunksOf(table, position).map(chunk => arrayOf(field, chunk, dictionaries))
    return { field, arrays: arrays.filter(({ length }) => length > 0), chunk: 0, row: 0 }
  })

  const revive = createReviver()
  const batches: RecordBatch[] = []
  for (let firstRow = 0; firstRow < table.numRows; ) {
    // Up to where the nearest chunk ends.
    const rowCount = columns.reduce(
      (most, { arrays, chunk, row }) => Math.min(most, (arrays[chunk]?.length ?? 0) - row),
      Math.min(MORSEL_ROWS, table.numRows - firstRow),
    )
    if (rowCount <= 0)
      throw new MillraceError('MR_FORMAT_ERROR', `fromArrow: a column has fewer than the table's ${table.numRows} rows`)
    const vectors = columns.map(column => {
      const { field, arrays, chunk, row } = column
      const array = arrays[chunk] as ArrowArray
      column.row += rowCount
      if (column.row === array.length) {
        column.chunk++
        column.row = 0
      }
      return convert(field, array, row, row + rowCount, firstRow)
    })
    const revived = revive({ rowCount, vectors, illFormedCount: 0 })
    batches.push(new RecordBatch(schema, revived, rowCount))
    firstRow += rowCount
  }
  return new Table(schema, batches)
}

function convert(field: ArrowField, array: ArrowArray, from: number, to: number, firstRow: number): PlainVector {
  const repairs: Repairs = { illFormedCount: 0 }
  try {
    return vectorOf(field, array, from, to, repairs)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    const { code, message, details } = error
    const row = details.row === undefined ? {} : { row: firstRow + details.row }
    const where = `fromArrow: column ${quote(field.name)}${details.row === undefined ? '' : `, row ${row.row}`}`
    throw new MillraceError(
      code,
      `${where}: ${message.slice(code.length + 2)}`,
      { ...details, ...row, column: field.name },
      error,
    )
  }
}

const fieldsOfTable = ({ schema }: ArrowTable): ArrowField[] => (schema.fields as readonly TheirField[]).map(fieldOf)

function chunksOf(table: ArrowTable, position: number): readonly TheirChunk[] {
  return (table.getChildAt(position) as TheirColumn | null)?.data ?? []
}

function fieldOf({ name, nullable, type }: TheirField): ArrowField {
  const isCoded = type.typeId === TYPE.dictionary
  const values = isCoded ? (type.dictionary as TheirType) : type
  return arrowField({
    name,
    nullable,
    type: partsOf(values),
    children: (values.children ?? []).map(fieldOf),
    dictionary: isCoded ? { id: type.id ?? 0, indices: partsOf(type.indices as TheirType) } : null,
  })
}

const partsOf = (type: TheirType): ArrowTypeParts => ({
  typeId: type.typeId,
  bitWidth: type.bitWidth,
  isSigned: type.isSigned ?? type.signed,
  unit: type.typeId === TYPE.float ? type.precision : (type.unit ?? type.mode),
  timeZone: type.timezone,
  size: type.listSize ?? type.byteWidth ?? type.stride,
  precision: type.precision,
  scale: type.scale,
})

type Dictionaries = (field: ArrowField, column: TheirColumn | null | undefined) => ArrowDictionary

/** Batches share their dictionaries: each is read once. */
function createDictionaries(): Dictionaries {
  const known = new Map<TheirColumn, ArrowDictionary>()
  const read: Dictionaries = (field, column) => {
    const chunks = column?.data ?? []
    const found = column && known.get(column)
    if (found) return found
    const vectors = chunks.map(chunk => convert(field, arrayOf(field, chunk, read), 0, chunk.length, 0))
    const dictionary = joined(vectors, field)
    if (column) known.set(column, dictionary)
    return dictionary
  }
  return read
}

function arrayOf(field: ArrowField, chunk: TheirChunk, dictionaries: Dictionaries): ArrowArray {
  const { length, nullCount, offset = 0 } = chunk
  const bitmap = chunk.nullBitmap ?? chunk.validity ?? null
  const bits = (bytes: Uint8Array): Uint8Array => bytes.subarray(offset >> 3)
  const values = chunk.values ? bytesOf(chunk.values) : null
  const offsets = chunk.valueOffsets ?? chunk.offsets ?? null
  const [child] = chunk.children ?? []
  const [item] = field.children
  return {
    length,
    validity: nullCount === 0 || bitmap === null || bitmap.length === 0 ? null : bits(bitmap),
    isAllNull: field.storage === 'null',
    firstBit: offset & 7,
    values: values !== null && field.storage === 'bool' ? bits(values) : values,
    offsets: offsets === null ? null : bytesOf(offsets),
    base: 0,
    buffers: (chunk.variadicBuffers ?? chunk.data ?? []).map(bytes => ({ start: 0, bytes })),
    child: child && item?.type ? arrayOf(item, child, dictionaries) : null,
    dictionary: field.dictionary === null ? null : dictionaries(field.dictionary.values, chunk.dictionary),
    byteOffset: undefined,
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
