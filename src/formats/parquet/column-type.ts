/**
 * What a Parquet column is called here: physical, converted and logical types to a `DataType` and the way its values are read.
 * The footer's bytes are taken apart in footer.ts.
 */
import {
  bool,
  type DataType,
  date,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  list,
  nullable,
  struct,
  type TimeUnit,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../columnar/type.js'
import { type Decimal, MAX_BYTES } from './decimal.js'
import { isItemOfList, type ListLevels, listOf } from './list-type.js'

/** `parquet.thrift`, enum Type. */
export const PHYSICAL = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const
export type PhysicalType = (typeof PHYSICAL)[number]

/** `parquet.thrift`, enum ConvertedType. */
export const CONVERTED = [
  'UTF8',
  'MAP',
  'MAP_KEY_VALUE',
  'LIST',
  'ENUM',
  'DECIMAL',
  'DATE',
  'TIME_MILLIS',
  'TIME_MICROS',
  'TIMESTAMP_MILLIS',
  'TIMESTAMP_MICROS',
  'UINT_8',
  'UINT_16',
  'UINT_32',
  'UINT_64',
  'INT_8',
  'INT_16',
  'INT_32',
  'INT_64',
  'JSON',
  'BSON',
  'INTERVAL',
] as const

export interface LogicalType {
  readonly name: string
  /** Of TIMESTAMP and TIME. */
  readonly unit?: TimeUnit
  /** Of INTEGER. */
  readonly bitWidth?: number
  readonly isSigned?: boolean
}

export interface SchemaElement {
  readonly name: string
  readonly physical: PhysicalType | null
  readonly typeLength: number
  readonly repetition: 'REQUIRED' | 'OPTIONAL' | 'REPEATED'
  readonly childCount: number
  readonly converted: (typeof CONVERTED)[number] | null
  readonly logical: LogicalType | null
  readonly precision: number
  readonly scale: number
}

/** How a column's values, or its items, lie in its pages. `uint64` becomes int64, `int96` a timestamp in ns; both are checked value by value; `decimal` becomes float64. */
export type Encoded = 'bool' | 'int32' | 'int64' | 'uint64' | 'int96' | 'float32' | 'float64' | 'bytes' | 'decimal'

export interface ColumnType {
  /** Of a column that cannot be read: an empty struct, which no operator takes. */
  readonly type: DataType
  readonly encoded: Encoded
  /** How digits lie in pages; null where `encoded` says all. */
  readonly decimal: Decimal | null
  /** Whether bytes are UUIDs, 16 each, which are read as text. */
  readonly isUuid: boolean
  /** Parquet's name of a type that cannot be read; null where it can. */
  readonly unsupported: string | null
  /** Whether the strings are declared to be UTF-8; otherwise their statistics say nothing about the values as read. */
  readonly isText: boolean
  /** Of a list; `encoded` is then its items'. */
  readonly list: ListLevels | null
}

/**
 * The type of a top-level column. OPTIONAL is nullable. A BYTE_ARRAY without annotation is read as text: older writers leave the
 * annotation out, and what is not UTF-8 is replaced and counted, so nothing is misread in silence.
 * @param subtree the column's element and what is below it, depth first.
 */
export function columnTypeOf(subtree: readonly SchemaElement[]): ColumnType {
  const element = subtree[0] as SchemaElement
  const nested = listOf(subtree)
  const leaf = nested === null ? element : nested.item
  const read = leaf.physical === null ? null : flatType(leaf)
  if (read === null)
    return {
      type: nullable(struct({})),
      encoded: 'bytes',
      decimal: null,
      isUuid: false,
      unsupported: parquetName(subtree),
      isText: false,
      list: null,
    }
  const { encoded, decimal = null, isUuid = false } = read
  const isText = !isUuid && read.type.kind === 'utf8' && annotation(leaf) !== null
  const own = leaf.repetition === 'OPTIONAL' ? nullable(read.type) : read.type
  if (nested === null) return { type: own, encoded, decimal, isUuid, unsupported: null, isText, list: null }
  const type = nested.levels.list === 1 ? nullable(list(own)) : list(own)
  return { type, encoded, decimal, isUuid, unsupported: null, isText, list: nested.levels }
}

const annotation = (element: SchemaElement): string | null => element.logical?.name ?? element.converted

interface FlatType extends Partial<Pick<ColumnType, 'decimal' | 'isUuid'>> {
  readonly type: DataType
  readonly encoded: Encoded
}

function flatType(element: SchemaElement): FlatType | null {
  const { physical } = element
  const name = annotation(element)
  const plain = name === null || name === 'UNKNOWN'
  if (name === 'DECIMAL') {
    const decimal = decimalOf(element)
    return decimal === null ? null : { type: float64(), encoded: 'decimal', decimal }
  }
  if (physical === 'BOOLEAN' && plain) return { type: bool(), encoded: 'bool' }
  if (physical === 'FLOAT' && plain) return { type: float32(), encoded: 'float32' }
  if (physical === 'DOUBLE' && plain) return { type: float64(), encoded: 'float64' }
  if (physical === 'INT96' && plain) return { type: timestamp('ns'), encoded: 'int96' }
  if (physical === 'BYTE_ARRAY' && (plain || ['STRING', 'UTF8', 'ENUM', 'JSON'].includes(name)))
    return { type: utf8(), encoded: 'bytes' }
  if (physical === 'FIXED_LEN_BYTE_ARRAY' && name === 'UUID' && element.typeLength === 16)
    return { type: utf8(), encoded: 'bytes', isUuid: true }
  if (physical === 'INT32') {
    if (plain) return { type: int32(), encoded: 'int32' }
    if (name === 'DATE') return { type: date(), encoded: 'int32' }
    const type = integerType(element)
    return type === null || type.kind === 'int64' ? null : { type, encoded: 'int32' }
  }
  if (physical === 'INT64') {
    if (plain) return { type: int64(), encoded: 'int64' }
    if (name === 'TIMESTAMP_MILLIS') return { type: timestamp('ms'), encoded: 'int64' }
    if (name === 'TIMESTAMP_MICROS') return { type: timestamp('us'), encoded: 'int64' }
    if (name === 'TIMESTAMP' && element.logical?.unit !== undefined)
      return { type: timestamp(element.logical.unit), encoded: 'int64' }
    const type = integerType(element)
    return type?.kind === 'int64' ? { type, encoded: isUnsigned(element) ? 'uint64' : 'int64' } : null
  }
  return null
}

/** Null of what no writer means: no digits, or a point outside of them. */
function decimalOf({ physical, typeLength, precision, scale }: SchemaElement): Decimal | null {
  if (precision < 1 || scale < 0 || scale > precision) return null
  if (physical === 'FIXED_LEN_BYTE_ARRAY' && (typeLength < 1 || typeLength > MAX_BYTES)) return null
  return physical === 'INT32' ||
    physical === 'INT64' ||
    physical === 'FIXED_LEN_BYTE_ARRAY' ||
    physical === 'BYTE_ARRAY'
    ? { physical, byteLength: typeLength, scale }
    : null
}

const isUnsigned = ({ logical, converted }: SchemaElement): boolean =>
  logical?.name === 'INTEGER' ? logical.isSigned === false : converted?.startsWith('UINT_') === true

function integerType(element: SchemaElement): DataType | null {
  const { logical, converted } = element
  const digits = /^U?INT_(\d+)$/.exec(converted ?? '')?.[1]
  const bits = logical === null ? Number(digits) : logical.name === 'INTEGER' ? logical.bitWidth : undefined
  const unsigned = isUnsigned(element)
  if (bits === 8) return unsigned ? uint8() : int8()
  if (bits === 16) return unsigned ? uint16() : int16()
  if (bits === 32) return unsigned ? uint32() : int32()
  return bits === 64 ? int64() : null
}

/** For messages: `DECIMAL(10, 2)`, `LIST of a group of fields`, `FIXED_LEN_BYTE_ARRAY(16)`, `a group of fields`. */
function parquetName(subtree: readonly SchemaElement[], isItem = false): string {
  const element = subtree[0] as SchemaElement
  const name = annotation(element)
  if (element.repetition === 'REPEATED')
    return `repeated ${parquetName([{ ...element, repetition: 'REQUIRED' }, ...subtree.slice(1)])}`
  if (name === 'DECIMAL') return `DECIMAL(${element.precision}, ${element.scale})`
  if (element.physical === 'FIXED_LEN_BYTE_ARRAY' && name === null) return `FIXED_LEN_BYTE_ARRAY(${element.typeLength})`
  if (name === 'LIST' && !isItem && element.childCount === 1 && subtree.length > 2)
    return `LIST of ${isItemOfList(subtree) ? 'a group of fields' : parquetName(subtree.slice(2), true)}`
  return name ?? element.physical ?? 'a group of fields'
}
