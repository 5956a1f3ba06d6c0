/**
 * Row objects to columns, row by row: what `openRows` (columnar/input.ts) makes of all rows at once, for rows that come one at a time, whole or not at all. Numbers and instants go straight to typed arrays that are used
 * again and again; a value that is not plainly of its type, a null say, sends its column to a builder, which knows all of them, until the batch is finished.
 */
import { createBuilder } from '../../columnar/builder.js'
import { isRow, notARow, valueGetter } from '../../columnar/infer.js'
import { setNumber, wordsOf } from '../../columnar/int64.js'
import { RecordBatch } from '../../columnar/record-batch.js'
import { fieldsOf } from '../../columnar/schema.js'
import type { DataType, SchemaShape } from '../../columnar/type.js'
import { allocateData, makeVector, type VectorData } from '../../columnar/vector.js'

export interface RowWriter {
  readonly length: number
  /** @throws MillraceError what `openRows` throws; nothing is appended then */
  append(row: object): void
  appendAll(rows: readonly object[]): void
  /** Forgets the rows from `length` on. */
  truncate(length: number): void
  /** The rows so far; it begins anew. */
  finish(): RecordBatch
}

/** How plain values are stored. */
const BUILT = 0
const FLOAT64 = 1
const FLOAT32 = 2
const INT32 = 3
const INTEGER = 4
const INT64 = 5
const MILLISECONDS = 6

const LEAST: Readonly<Record<string, number>> = { int8: -128, int16: -32768 }
const MOST: Readonly<Record<string, number>> = {
  int8: 127,
  int16: 32767,
  uint8: 255,
  uint16: 65535,
  uint32: 2 ** 32 - 1,
}

const FIRST_ROWS = 256
/** Of a column: what comes without end may have ever new ones. */
const MOST_STRINGS = 2 ** 16
const MOST_STRING_BYTES = 2 ** 21
const MOST_KEPT_ROWS = 2 ** 18

interface Column {
  readonly type: DataType
  readonly store: number
  readonly least: number
  readonly most: number
  readonly name: string
  readonly value: (row: object) => unknown
  readonly builder: ReturnType<typeof createBuilder>
  isBuilt: boolean
  data: VectorData
  words: Int32Array
}

export function createRowWriter(schema: SchemaShape, operator: string): RowWriter {
  const columns = fieldsOf(schema).map(
    ({ name, type }): Column => ({
      type,
      store: storeOf(type),
      least: LEAST[type.kind] ?? 0,
      most: MOST[type.kind] ?? 0,
      name,
      value: valueGetter(name),
      builder: createBuilder(type, name, {
        operator,
        capacity: FIRST_ROWS,
        largeEntries: MOST_STRINGS,
        largeBytes: MOST_STRING_BYTES,
      }),
      isBuilt: storeOf(type) === BUILT,
      data: allocateData(type.kind, 0),
      words: new Int32Array(0),
    }),
  )
  let capacity = 0
  let length = 0

  const reserve = (least: number): void => {
    if (least <= capacity) return
    capacity = Math.max(least, 2 * capacity, FIRST_ROWS)
    for (const column of columns) {
      if (column.store === BUILT) continue
      const data = allocateData(column.type.kind, capacity)
      if (!column.isBuilt) data.set(column.data.subarray(0, length) as never)
      column.data = data
      if (data instanceof BigInt64Array) column.words = wordsOf(data)
    }
  }

  const truncate = (to: number): void => {
    length = to
    for (const { isBuilt, builder } of columns) if (isBuilt && builder.length > to) builder.truncate(to)
  }

  return {
    get length() {
      return length
    },
    append(row) {
      reserve(length + 1)
      try {
        appendRow(columns, length, row, 0)
      } catch (error) {
        truncate(length)
        throw error
      }
      length++
    },
    appendAll(rows) {
      reserve(length + rows.length)
      try {
        for (let i = 0; i < rows.length; i++) {
          if (!isRow(rows[i])) throw notARow(rows, i)
          appendRow(columns, length + i, rows[i], i)
        }
      } catch (error) {
        truncate(length)
        throw error
      }
      length += rows.length
    },
    truncate,
    finish() {
      const vectors = columns.map(column => {
        if (column.isBuilt) {
          column.isBuilt = column.store === BUILT
          return column.builder.finish()
        }
        return makeVector(column.type, length, column.data.slice(0, length))
      })
      const batch = new RecordBatch(schema, vectors, length)
      length = 0
      // What an array of very many rows has called for is not kept.
      if (capacity > MOST_KEPT_ROWS) capacity = 0
      return batch
    },
  }
}

/**
 * Names that come in the order of the schema are read as they are met, which engines do without looking anything up (4 times as fast as asking each object for each name); what is left over is asked for.
 * @param i the place in the columns
 * @param at the row's place in what was given
 */
function appendRow(columns: readonly Column[], i: number, row: object, at: number): void {
  let c = 0
  for (const name in row) {
    if (c === columns.length) return
    const column = columns[c]
    if (name !== column.name) continue
    const value = (row as Record<string, unknown>)[name]
    if (!isStored(column, i, value)) build(column, i, value, at)
    c++
  }
  for (; c < columns.length; c++) {
    const value = columns[c].value(row)
    if (!isStored(columns[c], i, value)) build(columns[c], i, value, at)
  }
}

/** Stores what is plainly of the type. */
function isStored(column: Column, i: number, value: unknown): boolean {
  if (column.isBuilt) return false
  switch (column.store) {
    case FLOAT64:
      if (typeof value !== 'number') return false
      ;(column.data as Float64Array)[i] = value
      return true
    case FLOAT32:
      if (typeof value !== 'number' || !Object.is(Math.fround(value), value)) return false
      ;(column.data as Float32Array)[i] = value
      return true
    case INT32:
      if (typeof value !== 'number' || (value | 0) !== value) return false
      ;(column.data as Int32Array)[i] = value
      return true
    case INTEGER:
      if (typeof value !== 'number' || !(value >= column.least && value <= column.most)) return false
      if (Math.floor(value) !== value) return false
      ;(column.data as Int16Array)[i] = value
      return true
    case MILLISECONDS: {
      // A number counts them.
      const count = value instanceof Date ? value.getTime() : value
      if (!Number.isSafeInteger(count)) return false
      setNumber(column.words, i, count as number)
      return true
    }
    case INT64:
      if (!Number.isSafeInteger(value)) return false
      setNumber(column.words, i, value as number)
      return true
    default:
      return false
  }
}

/** @throws MillraceError what the value calls for */
function build(column: Column, i: number, value: unknown, row: number): void {
  const { builder } = column
  if (!column.isBuilt) {
    builder.appendAll(column.data as ArrayLike<unknown>, 0, i)
    column.isBuilt = true
  }
  builder.append(value, row)
}

function storeOf({ kind, unit }: DataType): number {
  switch (kind) {
    case 'float64':
      return FLOAT64
    case 'float32':
      return FLOAT32
    case 'int32':
      return INT32
    case 'int64':
      return INT64
    case 'timestamp':
      return unit === 'ms' ? MILLISECONDS : INT64
    case 'int8':
    case 'int16':
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return INTEGER
    default:
      return BUILT
  }
}
