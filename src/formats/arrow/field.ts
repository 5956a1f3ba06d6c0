/**
 * Columns as Arrow describes them: how they lie in buffers, and the type that they have here. message.ts reads them from a file's schema,
 * from-table.ts takes them from another library's tables.
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
  type TimeUnit,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../columnar/type.js'

/** The numbers of Arrow's `Type` union; -1 is what other libraries call a dictionary. */
export const TYPE = {
  dictionary: -1,
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  interval: 11,
  list: 12,
  struct: 13,
  union: 14,
  fixedSizeBinary: 15,
  fixedSizeList: 16,
  map: 17,
  duration: 18,
  largeBinary: 19,
  largeUtf8: 20,
  largeList: 21,
  runEndEncoded: 22,
  binaryView: 23,
  utf8View: 24,
  listView: 25,
  largeListView: 26,
} as const

/** How a column's values lie in its buffers; `other`: not in a way that is read here. */
export type Storage =
  | 'null'
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'date64'
  | 'utf8'
  | 'largeUtf8'
  | 'utf8View'
  | 'list'
  | 'largeList'
  | 'fixedSizeList'
  | 'other'

/** Plain data. */
export interface ArrowField {
  readonly name: string
  /** Null: it cannot be read. */
  readonly type: DataType | null
  /** The type as Arrow calls it, for messages. */
  readonly arrowName: string
  readonly nullable: boolean
  /** Of the codes, where there is a dictionary. */
  readonly storage: Storage
  /** Buffers in a record batch, those of children not counted, and data buffers of views not. */
  readonly bufferCount: number
  /** Those that it had more before version 5 of the metadata: a bitmap of what cannot be null itself. */
  readonly olderBufferCount: number
  readonly isView: boolean
  /** Of a list of fixed size: the items of a row. */
  readonly listSize: number
  readonly children: readonly ArrowField[]
  readonly dictionary: ArrowDictionaryField | null
}

export interface ArrowDictionaryField {
  readonly id: number
  /** The values, as a column of a dictionary batch. */
  readonly values: ArrowField
}

/** Of all columns, and of what is in them. */
export const dictionaryFields = (fields: readonly ArrowField[]): ArrowDictionaryField[] =>
  fields.flatMap(({ dictionary, children }) => [
    ...(dictionary === null ? [] : [dictionary]),
    ...dictionaryFields(children),
  ])

/** What is told of a type, by whoever tells it. */
export interface ArrowTypeParts {
  readonly typeId: number
  readonly bitWidth?: number
  readonly isSigned?: boolean
  /** Of a float 0 to 2: half, single, double; of a date 0 or 1: days, milliseconds; of a timestamp 0 to 3: s to ns; of a union 0 or 1: sparse, dense. */
  readonly unit?: number
  readonly timeZone?: string | null
  /** Items of a list, bytes of a binary. */
  readonly size?: number
  readonly precision?: number
  readonly scale?: number
}

export interface ArrowFieldParts {
  readonly name: string
  readonly nullable: boolean
  readonly type: ArrowTypeParts
  /** Of the values, where there is a dictionary. */
  readonly children: readonly ArrowField[]
  readonly dictionary: { readonly id: number; readonly indices: ArrowTypeParts } | null
}

export function arrowField({ name, nullable, type, children, dictionary }: ArrowFieldParts): ArrowField {
  const values = plainField(name, nullable, type, children)
  if (dictionary === null) return values
  const { storage } = storageOf(dictionary.indices, [])
  const isRead = values.type !== null && isInDictionaries(values) && /^u?int/.test(storage)
  return {
    ...values,
    type: isRead ? values.type : null,
    arrowName: `dictionary<${values.arrowName}, indices ${arrowName(dictionary.indices, [])}>`,
    storage: isRead ? storage : 'other',
    bufferCount: 2,
    olderBufferCount: 0,
    isView: false,
    children: [],
    dictionary: { id: dictionary.id, values: { ...values, name: 'its dictionary', nullable: true } },
  }
}

/** Dictionaries of strings, and of what lies in one array. */
const isInDictionaries = ({ storage }: ArrowField): boolean =>
  !['null', 'bool', 'list', 'largeList', 'fixedSizeList'].includes(storage)

function plainField(
  name: string,
  mayBeNull: boolean,
  parts: ArrowTypeParts,
  children: readonly ArrowField[],
): ArrowField {
  const { storage, type } = storageOf(parts, children)
  return {
    name,
    // Nothing says of what type nulls alone are: they are what a column of nulls is elsewhere.
    type: type === null ? null : mayBeNull || storage === 'null' ? nullable(type) : type,
    arrowName: arrowName(parts, children),
    nullable: mayBeNull || storage === 'null',
    storage,
    bufferCount: bufferCount(parts),
    olderBufferCount: parts.typeId === TYPE.union || parts.typeId === TYPE.runEndEncoded ? 1 : 0,
    isView: parts.typeId === TYPE.utf8View || parts.typeId === TYPE.binaryView,
    listSize: storage === 'fixedSizeList' ? (parts.size ?? 0) : 0,
    children,
    dictionary: null,
  }
}

const UNREAD = { storage: 'other', type: null } as const

const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns']

function storageOf(
  { typeId, bitWidth, isSigned, unit, timeZone, size = 0 }: ArrowTypeParts,
  children: readonly ArrowField[],
): { readonly storage: Storage; readonly type: DataType | null } {
  const listOf = (storage: Storage) => {
    const item = children.length === 1 ? (children[0] as ArrowField).type : null
    return item === null || size < 0 ? UNREAD : { storage, type: list(item) }
  }
  switch (typeId) {
    case TYPE.null:
      return { storage: 'null', type: float64() }
    case TYPE.bool:
      return { storage: 'bool', type: bool() }
    case TYPE.int: {
      const integer = (isSigned ? SIGNED : UNSIGNED).get(bitWidth ?? 0)
      return integer ?? UNREAD
    }
    case TYPE.float:
      return FLOATS[unit ?? -1] ?? UNREAD
    case TYPE.utf8:
      return { storage: 'utf8', type: utf8() }
    case TYPE.largeUtf8:
      return { storage: 'largeUtf8', type: utf8() }
    case TYPE.utf8View:
      return { storage: 'utf8View', type: utf8() }
    case TYPE.date:
      return { storage: unit === 0 ? 'int32' : 'date64', type: date() }
    case TYPE.timestamp: {
      const timeUnit = UNITS[unit ?? -1]
      return timeUnit === undefined
        ? UNREAD
        : { storage: 'int64', type: timestamp(timeUnit, timeZone ? timeZone : undefined) }
    }
    case TYPE.list:
      return listOf('list')
    case TYPE.largeList:
      return listOf('largeList')
    case TYPE.fixedSizeList:
      return listOf('fixedSizeList')
    default:
      return UNREAD
  }
}

const SIGNED: ReadonlyMap<number, { storage: Storage; type: DataType }> = new Map([
  [8, { storage: 'int8', type: int8() }],
  [16, { storage: 'int16', type: int16() }],
  [32, { storage: 'int32', type: int32() }],
  [64, { storage: 'int64', type: int64() }],
] as const)

const UNSIGNED: ReadonlyMap<number, { storage: Storage; type: DataType }> = new Map([
  [8, { storage: 'uint8', type: uint8() }],
  [16, { storage: 'uint16', type: uint16() }],
  [32, { storage: 'uint32', type: uint32() }],
  [64, { storage: 'uint64', type: int64() }],
] as const)

const FLOATS: readonly { storage: Storage; type: DataType }[] = [
  { storage: 'float16', type: float32() },
  { storage: 'float32', type: float32() },
  { storage: 'float64', type: float64() },
]

function bufferCount({ typeId, unit }: ArrowTypeParts): number {
  switch (typeId) {
    case TYPE.null:
    case TYPE.runEndEncoded:
      return 0
    case TYPE.struct:
    case TYPE.fixedSizeList:
      return 1
    case TYPE.union:
      return unit === 1 ? 2 : 1
    case TYPE.binary:
    case TYPE.utf8:
    case TYPE.largeBinary:
    case TYPE.largeUtf8:
    case TYPE.listView:
    case TYPE.largeListView:
      return 3
    default:
      return 2
  }
}

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TYPE).map(([name, id]) => [id, name]))

function arrowName(parts: ArrowTypeParts, children: readonly ArrowField[]): string {
  const { typeId, bitWidth, isSigned, unit, size, precision, scale } = parts
  const name = NAMES.get(typeId) ?? `type ${typeId}`
  switch (typeId) {
    case TYPE.int:
      return `${isSigned ? 'int' : 'uint'}${bitWidth}`
    case TYPE.float:
      return ['float16', 'float32', 'float64'][unit ?? -1] ?? name
    case TYPE.date:
      return unit === 0 ? 'date32' : 'date64'
    case TYPE.timestamp:
      return `timestamp(${UNITS[unit ?? -1] ?? unit})`
    case TYPE.decimal:
      return `decimal(${precision}, ${scale})`
    case TYPE.fixedSizeBinary:
      return `fixedSizeBinary(${size})`
    case TYPE.list:
    case TYPE.largeList:
    case TYPE.fixedSizeList:
    case TYPE.listView:
    case TYPE.largeListView:
      return `${name}<${children.map(child => child.arrowName).join(', ')}>`
    case TYPE.struct:
      return `struct<${children.map(child => child.name).join(', ')}>`.slice(0, 200)
    default:
      return name
  }
}
