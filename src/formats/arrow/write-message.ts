/** Arrow's messages and footers as bytes; message.ts reads them. */
import type { Field } from '../../columnar/schema.js'
import type { DataType } from '../../columnar/type.js'
import { MillraceError, quote } from '../../errors.js'
import { TYPE } from './field.js'
import { type FlatFields, type FlatValue, flatBuffer, int8, int16, int32, int64 } from './flat-writer.js'
import type { Block } from './message.js'

/** Version 5 of the metadata, that of 1.0. */
const VERSION = int16(4)
const CONTINUATION = 0xffffffff

/** The id of the dictionary that a column's strings, or those in its lists, are coded by; null where they are not. */
export type DictionaryIds = (column: string) => number | null

export const schemaFields = (fields: readonly Field[], dictionaryOf: DictionaryIds): FlatFields => [
  int16(0),
  { tables: fields.map(({ name, type }) => fieldTable(name, type, dictionaryOf(name))) },
]

function fieldTable(name: string, type: DataType, dictionary: number | null): FlatFields {
  const isText = type.kind === 'utf8'
  const [typeId, parts] = typeTable(type, name)
  return [
    name,
    int8(type.nullable ? 1 : 0),
    int8(typeId),
    { table: parts },
    isText && dictionary !== null ? { table: [int64(dictionary), { table: [int32(32), int8(1)] }, int8(0)] } : null,
    { tables: type.kind === 'list' ? [fieldTable('item', type.item as DataType, dictionary)] : [] },
  ]
}

const UNITS = ['s', 'ms', 'us', 'ns']

function typeTable(type: DataType, column: string): [typeId: number, parts: FlatFields] {
  const { kind, unit, timeZone } = type
  const integer = /^(u?)int(\d+)$/.exec(kind)
  if (integer !== null) return [TYPE.int, [int32(Number(integer[2])), int8(integer[1] === '' ? 1 : 0)]]
  switch (kind) {
    case 'bool':
      return [TYPE.bool, []]
    case 'float32':
      return [TYPE.float, [int16(1)]]
    case 'float64':
      return [TYPE.float, [int16(2)]]
    case 'utf8':
      return [TYPE.utf8, []]
    case 'date':
      return [TYPE.date, [int16(0)]]
    case 'timestamp':
      return [TYPE.timestamp, [int16(UNITS.indexOf(unit as string)), timeZone ?? null]]
    case 'list':
      return [TYPE.list, []]
    default:
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `arrow: column ${quote(column)} is a ${kind}, which this version does not write; leave it out with select or drop`,
        { column },
      )
  }
}

export type Header =
  | { readonly kind: 'schema'; readonly fields: FlatFields }
  | { readonly kind: 'dictionary'; readonly id: number; readonly isDelta: boolean; readonly batch: FlatFields }
  | { readonly kind: 'batch'; readonly batch: FlatFields }

/** A message up to its body: the words before its metadata, and these. */
export function messageBytes(header: Header, bodyLength: number): Uint8Array {
  return framed(
    flatBuffer([VERSION, int8(KINDS.indexOf(header.kind) + 1), { table: headerTable(header) }, int64(bodyLength)]),
  )
}

const KINDS = ['schema', 'dictionary', 'batch']

function headerTable(header: Header): FlatFields {
  if (header.kind === 'schema') return header.fields
  if (header.kind === 'batch') return header.batch
  return [int64(header.id), { table: header.batch }, int8(header.isDelta ? 1 : 0)]
}

function framed(metadata: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + metadata.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, CONTINUATION, true)
  view.setUint32(4, metadata.length, true)
  bytes.set(metadata, 8)
  return bytes
}

/** @param nodes of columns, each before its children: rows and nulls. @param buffers places in the body. */
export const batchFields = (
  rowCount: number,
  nodes: readonly (readonly [length: number, nullCount: number])[],
  buffers: readonly (readonly [offset: number, length: number])[],
): FlatFields => [int64(rowCount), { structs: nodes }, { structs: buffers }]

/** What a stream ends with, and the messages of a file. */
export const endOfStream = (): Uint8Array => framed(new Uint8Array(0))

/** What a file begins with, padded. */
export const fileStart = (): Uint8Array => Uint8Array.of(...MAGIC, 0, 0)

const MAGIC = [65, 82, 82, 79, 87, 49]

/** What follows the messages of a file. */
export function fileEnd(schema: FlatFields, dictionaries: readonly Block[], batches: readonly Block[]): Uint8Array {
  // The second word is an int32 and four bytes of padding.
  const blocks = (list: readonly Block[]): FlatValue => ({
    structs: list.map(({ at, metadataLength, bodyLength }) => [at, metadataLength, bodyLength]),
  })
  const footer = flatBuffer([VERSION, { table: schema }, blocks(dictionaries), blocks(batches)])
  const bytes = new Uint8Array(footer.length + 4 + MAGIC.length)
  bytes.set(footer)
  new DataView(bytes.buffer).setUint32(footer.length, footer.length, true)
  bytes.set(MAGIC, footer.length + 4)
  return bytes
}
