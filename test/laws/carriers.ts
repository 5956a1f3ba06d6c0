/**
 * The ways one and the same table can come into a flow: columns, rows, dictionaries, tables in odd chunks, and Parquet files of
 * many small row groups, each a split of its own. Whatever is said of a flow must hold for all of them.
 */
import { parquetWriteBuffer } from 'hyparquet-writer'
import {
  bool,
  columns,
  type DataType,
  date,
  dictionary,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  list,
  nullable,
  parquet,
  rows,
  type SchemaShape,
  schema,
  Table,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../src/index.js'
import { toJavaScript, toRowObject } from '../oracle/javascript.js'
import { isFloat, type ModelField, type ModelTable, type ModelType, type Value } from '../oracle/value.js'
import type { Choices } from './choices.js'
import { type AnyFlow, own } from './handles.js'

export const CARRIERS = ['columns', 'rows', 'dictionary', 'chunks', 'parquet'] as const
export type Carrier = (typeof CARRIERS)[number]

/** A flow over `table`, brought in as `carrier` says; `choices` draws the details, such as where chunks end. */
export async function carry(table: ModelTable, carrier: Carrier, choices: Choices): Promise<AnyFlow> {
  const shape = schemaOf(table.fields)
  switch (carrier) {
    case 'columns':
      return columns(columnsOf(table, false), shape)
    case 'dictionary':
      return columns(columnsOf(table, true), shape)
    case 'rows':
      return rows(
        table.rows.map(row => toRowObject(row, table.fields)),
        shape,
      )
    case 'chunks':
      return rechunk(await columns(columnsOf(table, false), shape).collect({ lanes: 0 }), choices).flow()
    case 'parquet':
      return parquet(parquetBytes(table, choices))
  }
}

/** Whether a carrier can hold the table: Parquet knows no timestamps in seconds, and lists are not read from it. */
export function canCarry({ fields }: ModelTable, carrier: Carrier): boolean {
  return carrier !== 'parquet' || fields.every(({ type }) => type.unit !== 's' && type.kind !== 'list')
}

export function schemaOf(fields: readonly ModelField[]): SchemaShape {
  return schema(own(fields.map(({ name, type }) => [name, typeOf(type)])))
}

function typeOf({ kind, nullable: mayBeNull, unit, item }: ModelType): DataType {
  const plain = {
    bool,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    float32,
    float64,
    utf8,
    date,
    timestamp: () => timestamp(unit),
    list: () => list(typeOf(item as ModelType)),
  }[kind]()
  return mayBeNull ? nullable(plain) : plain
}

/** Typed arrays where there are no nulls, else ordinary arrays; strings as they are or as codes into a shuffled list with twins. */
function columnsOf({ fields, rows }: ModelTable, asDictionary: boolean): Record<string, never> {
  return own(
    fields.map(({ name, type }, i) => {
      const values = rows.map(row => row.values[i] as Value)
      if (type.kind === 'utf8' && asDictionary) return [name, dictionaryOf(values as (string | null)[]) as never]
      const said = values.map(value => toJavaScript(value, type))
      return [name, (values.includes(null) ? said : (typedArrayOf(said, type) ?? said)) as never]
    }),
  )
}

function typedArrayOf(values: readonly Value[], { kind }: ModelType): ArrayLike<unknown> | null {
  const make = {
    int8: Int8Array,
    int16: Int16Array,
    int32: Int32Array,
    uint8: Uint8Array,
    uint16: Uint16Array,
    uint32: Uint32Array,
    float32: Float32Array,
    float64: Float64Array,
  }[kind as string]
  if (make !== undefined) return make.from(values as number[])
  return kind === 'int64' || kind === 'timestamp' ? BigInt64Array.from(values as bigint[]) : null
}

/** Each distinct string twice in the list, its rows taking either code in turn, so that equal values under two codes are one. */
function dictionaryOf(values: readonly (string | null)[]) {
  const distinct = [...new Set(values)].filter(value => value !== null).reverse()
  const entries = [...distinct, ...distinct]
  const place = new Map(distinct.map((value, code) => [value, code]))
  const codes = Int32Array.from(values, (value, i) =>
    value === null ? 0 : (place.get(value) as number) + (i % 2) * distinct.length,
  )
  const validity = values.map(value => value !== null)
  if (distinct.length === 0) return values
  return validity.includes(false) ? dictionary(codes, entries, { validity }) : dictionary(codes, entries)
}

/** The same rows in chunks that end anywhere, off byte boundaries of bitmaps too. */
function rechunk(table: Table, choices: Choices): Table {
  const batches = table.batches.flatMap(batch => {
    const parts = []
    // Tiny chunks of a small table, odd ones of a large.
    const [least, most] = batch.rowCount < 1000 ? [1, 9] : [20_001, 30_000]
    for (let from = 0; from < batch.rowCount; ) {
      const to = from + least + choices.below(most)
      parts.push(batch.slice(from, to))
      from = to
    }
    return parts
  })
  return new Table(table.schema, batches)
}

const PARQUET_TYPES: Record<string, object> = {
  bool: { type: 'BOOLEAN' },
  int8: { type: 'INT32', converted_type: 'INT_8' },
  int16: { type: 'INT32', converted_type: 'INT_16' },
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  uint8: { type: 'INT32', converted_type: 'UINT_8' },
  uint16: { type: 'INT32', converted_type: 'UINT_16' },
  uint32: { type: 'INT32', converted_type: 'UINT_32' },
  float32: { type: 'FLOAT' },
  float64: { type: 'DOUBLE' },
  utf8: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  date: { type: 'INT32', converted_type: 'DATE' },
}

/** A Parquet file of the table in small row groups, with statistics. */
function parquetBytes({ fields, rows }: ModelTable, choices: Choices): Uint8Array {
  const elements = fields.map(({ name, type }) => ({
    name,
    repetition_type: type.nullable ? 'OPTIONAL' : 'REQUIRED',
    ...(type.kind === 'timestamp' ? parquetTimestamp(type) : PARQUET_TYPES[type.kind]),
  }))
  const columnData = fields.map(({ name, type }, i) => ({
    name,
    // The writer's dictionaries take -0 for 0.
    ...(isFloat(type.kind) ? { encoding: 'PLAIN' as const } : {}),
    data: rows.map(({ values }) => {
      const value = values[i] as Value
      // As stored: days and counts of the unit, not the strings and dates of JavaScript.
      return typeof value === 'bigint' && type.kind !== 'int64' && type.kind !== 'timestamp' ? Number(value) : value
    }),
  }))
  const few = rows.length < 1000 ? 1 + choices.below(9) : Math.ceil(rows.length / 7)
  const bytes = parquetWriteBuffer({
    columnData,
    schema: [{ name: 'root', num_children: fields.length }, ...elements] as never,
    rowGroupSize: few,
  })
  return new Uint8Array(bytes)
}

function parquetTimestamp({ unit }: ModelType): object {
  const name = { s: '', ms: 'MILLIS', us: 'MICROS', ns: 'NANOS' }[unit ?? 'ms']
  return { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: name } }
}
