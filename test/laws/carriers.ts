/**
 * The ways one and the same table can come into a flow: columns, rows, dictionaries, tables in odd chunks, streams, Parquet files of
 * many small row groups, each a split of its own, Arrow files and streams of odd chunks, and files of text cut into parts anywhere. Whatever is said of a flow must hold for all of them.
 */
import { parquetWriteBuffer } from 'hyparquet-writer'
import { flowOf } from '../../src/api/flow.js'
import { createArrowEncoder } from '../../src/formats/arrow/encoder.js'
import {
  arrow,
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
  type RecordBatch,
  rows,
  type SchemaShape,
  schema,
  stream,
  Table,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../src/index.js'
import { type CsvOptions, type JsonOptions, textSource } from '../../src/sources/text.js'
import { floorDiv } from '../oracle/calendar.js'
import { dateText, toJavaScript, toRowObject } from '../oracle/javascript.js'
import {
  isFloat,
  type ModelField,
  type ModelTable,
  type ModelType,
  type ModelUnit,
  NANOSECONDS_PER,
  type Value,
} from '../oracle/value.js'
import { type Choices, choicesOf } from './choices.js'
import { type AnyFlow, applyVerbs, own } from './handles.js'

export const CARRIERS = [
  'columns',
  'rows',
  'dictionary',
  'chunks',
  'stream',
  'parquet',
  'arrow',
  'csv',
  'csvStream',
  'ndjson',
] as const
export type Carrier = (typeof CARRIERS)[number]

/** Flows that one terminal alone can read. */
export const isReadOnce = (carrier: Carrier): boolean => carrier === 'stream' || carrier === 'csvStream'

/** A flow over `table`, brought in as `carrier` says; `choices` draws the details, such as where chunks end. */
export async function carry(table: ModelTable, carrier: Carrier, choices: Choices): Promise<AnyFlow> {
  const shape = schemaOf(table.fields)
  switch (carrier) {
    case 'chunks':
      return (await rechunked(table, shape, choices)).flow()
    case 'stream':
      return stream(itemsOf(table, shape, choices), { schema: shape })
    case 'arrow':
      return arrow(arrowBytes(await rechunked(table, shape, choices), choices))
    default:
      return broughtAtOnce(table, shape, carrier, choices)
  }
}

function broughtAtOnce(
  table: ModelTable,
  shape: SchemaShape,
  carrier: Exclude<Carrier, 'chunks' | 'stream' | 'arrow'>,
  choices: Choices,
): AnyFlow {
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
    case 'parquet':
      return parquet(parquetBytes(table, choices))
    case 'csv':
    case 'csvStream':
      return textFlow(
        { ...CSV, schema: shape, header: table.fields.map(({ name }) => name) },
        csvText(table, choices),
        choices,
        carrier === 'csvStream',
      )
    case 'ndjson':
      return textFlow({ ...JSON_LINES, schema: shape }, jsonText(table, choices), choices)
  }
}

/** A flow over columns. */
export const inMemory = (table: ModelTable): AnyFlow => columns(columnsOf(table, false), schemaOf(table.fields))

/** A flow over a table that stands beside another in a join or a union, made of others where it is: each time brought in the same way, tables in any way that needs no waiting. */
export function beside(table: ModelTable): AnyFlow {
  if (table.made !== undefined) return applyVerbs(beside(table.made.table), table.made.verbs)
  const { fields, rows: all } = table
  const shape = schemaOf(fields)
  const choices = choicesOf([all.length + 5 * fields.length, 3 * all.length, 7, 2, 5])
  const ways = (['columns', 'parquet', 'dictionary', 'rows', 'parquet', 'csv', 'ndjson'] as const).filter(way =>
    canCarry(table, way),
  )
  return broughtAtOnce(table, shape, choices.pick(ways), choices)
}

/** Whether a carrier can hold the table: Parquet knows no timestamps in seconds, and lists are not read from it nor from CSV; JSON has no infinities, and no lists of
 * lists are read from it. */
export function canCarry({ fields, rows }: ModelTable, carrier: Carrier): boolean {
  const hasLists = fields.some(({ type }) => type.kind === 'list')
  if (carrier === 'parquet') return !hasLists && fields.every(({ type }) => type.unit !== 's')
  if (carrier === 'csv' || carrier === 'csvStream') return !hasLists && fields.length > 0
  if (carrier !== 'ndjson') return true
  return rows.every(({ values }) => values.every(isInJson)) && fields.every(({ type }) => type.item?.kind !== 'list')
}

const isInJson = (value: Value): boolean =>
  Array.isArray(value) ? value.every(isInJson) : typeof value !== 'number' || Number.isFinite(value)

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

/** The same rows in chunks that end anywhere, off byte boundaries of bitmaps too; some have no rows, and strings may be coded by a dictionary a chunk. */
async function rechunked(table: ModelTable, shape: SchemaShape, choices: Choices): Promise<Table> {
  const whole = await columns(columnsOf(table, false), shape).collect({ lanes: 0 })
  const hasEmpty = choices.chance(40)
  const batches: RecordBatch[] = []
  let at = 0
  for (const batch of whole.batches) {
    // Tiny chunks of a small table, odd ones of a large.
    const [least, most, own] = batch.rowCount < 1000 ? [1, 9, choices.below(3)] : [20_001, 30_000, 0]
    for (let from = 0; from < batch.rowCount; ) {
      const to = Math.min(batch.rowCount, from + least + choices.below(most))
      if (hasEmpty && choices.chance(50)) batches.push(batch.slice(from, from))
      batches.push(
        own > 0 && choices.below(own) === 0 ? await chunkOf(table, shape, at + from, at + to) : batch.slice(from, to),
      )
      from = to
    }
    at += batch.rowCount
  }
  return new Table(whole.schema, batches)
}

/** Rows by themselves, as a batch that shares nothing with others. */
async function chunkOf({ fields, rows: all }: ModelTable, shape: SchemaShape, from: number, to: number) {
  const { batches } = await columns(columnsOf({ fields, rows: all.slice(from, to) }, false), shape).collect({
    lanes: 0,
  })
  return batches[0] as RecordBatch
}

/** A file or a stream of the table's chunks. */
function arrowBytes({ schema, batches }: Table, choices: Choices): Uint8Array<ArrayBuffer> {
  const encoder = createArrowEncoder(schema, { layout: choices.chance(50) ? 'stream' : 'file' })
  const chunks = [...encoder.header(), ...batches.flatMap(batch => encoder.batch(batch.vectors, batch.rowCount))]
  chunks.push(...encoder.footer())
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const chunk of chunks) {
    bytes.set(chunk, end)
    end += chunk.length
  }
  return bytes
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

/** Rows, arrays of rows and batches, of a few rows each. */
async function* itemsOf(
  { fields, rows: all }: ModelTable,
  shape: SchemaShape,
  choices: Choices,
): AsyncGenerator<object> {
  const few = all.length < 1000 ? 9 : 50_000
  for (let from = 0; from < all.length; ) {
    const to = Math.min(all.length, from + 1 + choices.below(few))
    const some = all.slice(from, to).map(row => toRowObject(row, fields))
    const kind = choices.below(3)
    if (choices.chance(15)) yield choices.chance(50) ? [] : await rows([], shape).collect({ lanes: 0 })
    if (kind === 0) yield* some
    else if (kind === 1) yield some
    else yield await rows(some, shape).collect({ lanes: 0 })
    from = to
  }
}

const TEXT = {
  encoding: null,
  compression: 'auto',
  maximumExpansion: 1000,
  fatal: false,
  sampleRows: 100,
  onBadRow: undefined,
  onInferred: undefined,
} as const
const CSV = {
  ...TEXT,
  format: 'csv',
  delimiter: ',',
  quote: '"',
  comment: null,
  nulls: [''],
  ragged: 'error',
  skipRows: 0,
} as const
const JSON_LINES = { ...TEXT, format: 'json', path: null, layout: 'lines', flatten: true } as const

/** A flow over text that is cut into parts of some bytes: in the middle of rows, of quotes and of characters. */
function textFlow(
  options: Omit<CsvOptions, 'splitBytes'> | Omit<JsonOptions, 'splitBytes'>,
  text: string,
  choices: Choices,
  isStream = false,
): AnyFlow {
  const bytes = new TextEncoder().encode(text)
  const splitBytes = bytes.length < 10_000 ? 16 + choices.below(300) : Math.ceil(bytes.length / (3 + choices.below(5)))
  const input = isStream ? streamOf(bytes, splitBytes) : new Blob([bytes])
  return flowOf(textSource(options.format, [input], { ...options, splitBytes } as CsvOptions)) as AnyFlow
}

function streamOf(bytes: Uint8Array<ArrayBuffer>, chunkBytes: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, at + chunkBytes))
      at += chunkBytes
    },
  })
}

function csvText({ fields, rows: all }: ModelTable, choices: Choices): string {
  const end = choices.pick(['\n', '\r\n'])
  // A record that is all empty would be a blank line, which is none.
  const lines = all.map(({ values }) => {
    const cells = values.map((value, i) => csvCell(value as Value, (fields[i] as ModelField).type, choices))
    return cells.join(',')
  })
  return lines.map(line => line + end).join('')
}

function csvCell(value: Value, type: ModelType, choices: Choices): string {
  if (value === null) return ''
  const text = textOf(value, type)
  const needsQuotes = type.kind === 'utf8' && (text === '' || /[",\r\n]/.test(text))
  return needsQuotes || choices.chance(20) ? `"${text.replaceAll('"', '""')}"` : text
}

/** As text formats have it: an instant in ISO form, a number by its shortest digits. */
function textOf(value: Value, { kind, unit }: ModelType): string {
  if (kind === 'date') return dateText(value as bigint)
  if (kind === 'timestamp') return instantText(value as bigint, unit ?? 'ms')
  return Object.is(value, -0) ? '-0' : String(value)
}

function instantText(value: bigint, unit: ModelUnit): string {
  const perSecond = NANOSECONDS_PER.s / NANOSECONDS_PER[unit]
  const seconds = floorDiv(value, perSecond)
  const days = floorDiv(seconds, 86_400n)
  const ofDay = Number(seconds - days * 86_400n)
  const pad = (part: number) => String(part).padStart(2, '0')
  const time = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60, ofDay % 60].map(pad).join(':')
  const digits = String(perSecond).length - 1
  const fraction = digits === 0 ? '' : `.${String(value - seconds * perSecond).padStart(digits, '0')}`
  return `${dateText(days)}T${time}${fraction}Z`
}

function jsonText({ fields, rows: all }: ModelTable, choices: Choices): string {
  const lines = all.map(({ values }) => {
    const shown = values.flatMap((value, i) => {
      const { name, type } = fields[i] as ModelField
      // A field that is not there is null.
      if (value === null && choices.chance(50)) return []
      return [`${JSON.stringify(name)}:${jsonValue(value as Value, type)}`]
    })
    return `{${shown.join(choices.pick([',', ', ']))}}`
  })
  return lines.map(line => `${line}\n`).join('')
}

function jsonValue(value: Value, type: ModelType): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(item => jsonValue(item, type.item as ModelType)).join(',')}]`
  if (typeof value === 'string') return JSON.stringify(value)
  return type.kind === 'date' || type.kind === 'timestamp' ? JSON.stringify(textOf(value, type)) : textOf(value, type)
}
