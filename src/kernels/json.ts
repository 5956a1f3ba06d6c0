/**
 * Rows from records of JSON: NDJSON, or the items of one array. assembly/json/ reads them; here is the room that it reads them into, and what is said
 * of bad ones. The structs that both know are json/layout.ts's.
 */
import { type DataType, typeName } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import { badJsonRow, TRAILING } from './json/faults.js'
import { COLUMN, FLAG, isReadable, layOutJson, PARSER, STATE, STATUS } from './json/layout.js'
import { createStringIndex } from './json/string-index.js'
import type { LaneVector } from './lane-vector.js'
import { dataBytes } from './operand.js'
import type { LaneDictionary } from './text.js'
import type { BadRow, JsonShape, ParsedRows, TextParser } from './text-rows.js'

const MOST_ROWS = 65_536
/** Of many columns fewer rows are read at a time: what is parsed of them shall not be more than this. */
const MOST_MORSEL_BYTES = 2 ** 24
const LEAST_ROWS = 1024
/** Strings of so many rows are coded at a time: their text is still in the cache then. */
const GROUP_ROWS = 1024
const SPAN_BYTES = 8
const LEAST_ITEMS = 1024
const LEAST_POOL_BYTES = 16_384
/** Written beyond what is in use. */
const POOL_SLACK_BYTES = 32

/**
 * A parser of one file's records; of files of lines, in any order, of several. That of an array remembers from call to call where the array stands.
 * @param columns those wanted, in the order of the output. @param dictionaries of columns of strings, and of lists of them, by their place among
 *   those wanted; asked at each call, for they may change
 * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for a type that is not read from JSON, `MR_INVALID_OPTION`, `MR_MEMORY_LIMIT`
 */
export function createJsonParser(
  k: Kernels,
  shape: JsonShape,
  columns: readonly string[],
  dictionaries: (i: number) => LaneDictionary,
): TextParser {
  const { memory, exports } = k
  const { collect } = shape
  const fieldOf = new Map(shape.fields.map((name, field) => [name, field]))
  const fields = columns.map(name => {
    const field = fieldOf.get(name)
    if (field === undefined) throw unknownColumn(name, shape.fields, 'json')
    checkField(name, shape.types[field], shape.paths[field])
    return field
  })
  const types = fields.map(field => shape.types[field])
  const isArray = shape.layout === 'array'
  const flags = (isArray ? FLAG.isArray : 0) | (shape.fatal ? FLAG.isFatal : 0)
  /** A morsel's, of one row. */
  const rowBytes = types.reduce((sum, { kind }) => sum + dataBytes(kind, 128) / 128 + 1 / 8, 0)
  const paths = fields.map(field => shape.paths[field])
  const layout = layOutJson(k, paths, types)
  const { parser } = layout
  const indices = types.map(() => createStringIndex(k))
  /** Kept from call to call, as is the pool: where strings are in the text. */
  const spans = types.map(() => 0)
  const itemCapacities = types.map(() => LEAST_ITEMS)
  let poolBytes = 0
  let pool = 0
  /** An array to its end; what is parsed next is another. */
  let hasEnded = false

  const get = (struct: number, word: number): number => memory.u32[(struct >>> 2) + word]
  const set = (struct: number, word: number, value: number): void => {
    memory.u32[(struct >>> 2) + word] = value
  }

  const free = (): void => {
    for (const pointer of [...spans, pool]) memory.free(pointer)
    for (const index of indices) index.free()
    spans.fill(0)
    pool = 0
    layout.free()
  }

  /** Room for elements in scratch, the first `used` of which it has already. */
  const placeElements = (column: number, type: DataType, capacity: number, used: number): void => {
    const data = memory.scratch(dataBytes(type.kind, capacity))
    const validity = type.nullable ? memory.scratch(bitmapBytes(capacity)) : 0
    const { u8 } = memory
    if (validity !== 0) u8.fill(0xff, validity, validity + bitmapBytes(capacity))
    if (used > 0) {
      const oldData = get(column, COLUMN.data)
      const oldValidity = get(column, COLUMN.validity)
      u8.copyWithin(data, oldData, oldData + dataBytes(type.kind, used))
      if (validity !== 0) u8.copyWithin(validity, oldValidity, oldValidity + bitmapBytes(used))
    }
    set(column, COLUMN.data, data)
    set(column, COLUMN.validity, validity)
  }

  /** Of strings: room for spans, those that are there kept. Kernels are told where that of element 0 would be. */
  const placeSpans = (i: number, column: number, type: DataType, capacity: number): void => {
    if (type.kind !== 'utf8') return
    spans[i] = memory.reallocate(spans[i], SPAN_BYTES * capacity)
    set(column, COLUMN.spans, spans[i] - SPAN_BYTES * get(column, COLUMN.spansFrom))
  }

  const placeColumn = (i: number, column: number, type: DataType, capacity: number, spanCount: number): void => {
    placeElements(column, type, capacity, 0)
    set(column, COLUMN.hasNulls, 0)
    set(column, COLUMN.spansFrom, 0)
    placeSpans(i, column, type, spanCount)
    if (type.kind !== 'utf8') return
    const dictionary = dictionaries(i)
    const index = indices[i]
    index.attach(dictionary)
    set(column, COLUMN.table, dictionary.table)
    set(column, COLUMN.index, index.pointer)
    set(column, COLUMN.indexShift, index.shift)
    set(column, COLUMN.indexRoom, index.room)
  }

  const begin = (pointer: number, length: number, limit: number, isEnd: boolean, capacity: number): void => {
    for (const [i, type] of types.entries()) {
      const column = layout.columns[i]
      placeColumn(i, column, type, capacity, GROUP_ROWS)
      if (type.kind !== 'list') continue
      const items = layout.items[i]
      memory.u32[get(column, COLUMN.data) >>> 2] = 0
      placeColumn(i, items, type.item as DataType, itemCapacities[i], itemCapacities[i])
      set(items, COLUMN.count, 0)
      set(items, COLUMN.capacity, itemCapacities[i])
    }
    if (pool === 0) makePoolRoom(LEAST_POOL_BYTES)
    if (get(parser, PARSER.serial) > 2 ** 31) layout.restart()
    set(parser, PARSER.at, pointer)
    set(parser, PARSER.end, pointer + length)
    set(parser, PARSER.stop, pointer + Math.max(0, Math.min(limit, length)))
    set(parser, PARSER.flags, flags | (isEnd ? FLAG.isEnd : 0))
    set(parser, PARSER.row, 0)
    set(parser, PARSER.groupFrom, 0)
    set(parser, PARSER.groupRows, GROUP_ROWS)
    setRowEnd(capacity, GROUP_ROWS)
    set(parser, PARSER.poolUsed, 0)
    set(parser, PARSER.textLimit, pointer)
    set(parser, PARSER.line, 0)
    set(parser, PARSER.lineEnd, 0)
    set(parser, PARSER.scanned, pointer)
    set(parser, PARSER.mayBatch, isArray ? 0 : 1)
    set(parser, PARSER.after, STATUS.groupFull)
    set(parser, PARSER.hasRepairs, 0)
    set(parser, PARSER.repaired, 0)
  }

  const setRowEnd = (rowEnd: number, groupEnd: number): void => {
    set(parser, PARSER.rowEnd, rowEnd)
    set(parser, PARSER.groupEnd, Math.min(groupEnd, rowEnd))
  }

  const makePoolRoom = (byteLength: number): void => {
    const bytes = Math.max(2 * poolBytes, byteLength)
    memory.free(pool)
    pool = 0
    pool = memory.allocate(bytes + POOL_SLACK_BYTES)
    poolBytes = bytes
    set(parser, PARSER.pool, pool)
    set(parser, PARSER.poolUsed, 0)
    set(parser, PARSER.poolEnd, poolBytes)
  }

  const makeItemRoom = (i: number): void => {
    const items = layout.items[i]
    const type = types[i].item as DataType
    itemCapacities[i] *= 2
    placeElements(items, type, itemCapacities[i], get(items, COLUMN.count))
    placeSpans(i, items, type, itemCapacities[i])
    set(items, COLUMN.capacity, itemCapacities[i])
  }

  /** Which column, or the items of which, have no room. */
  const needing = (): number => {
    const column = get(parser, PARSER.needColumn)
    const i = layout.columns.indexOf(column)
    return i < 0 ? layout.items.indexOf(column) : i
  }

  const readBad = (row: number, pointer: number): BadRow => {
    const i = layout.columns.indexOf(get(parser, PARSER.faultColumn))
    const found = {
      fault: get(parser, PARSER.fault),
      at: get(parser, PARSER.faultAt),
      column: i < 0 ? null : { name: columns[i], type: types[i] },
      from: get(parser, PARSER.badFrom),
      to: get(parser, PARSER.badTo),
    }
    return badJsonRow(memory.u8, row, pointer, found, collect)
  }

  const vectorOf = (i: number, column: number, type: DataType, length: number): LaneVector => ({
    type,
    length,
    data: get(column, COLUMN.data),
    validity: get(column, COLUMN.hasNulls) ? get(column, COLUMN.validity) : 0,
    dictionary: type.kind === 'utf8' ? dictionaries(i) : null,
    range: null,
  })

  const finish = (i: number, rowCount: number): LaneVector => {
    const column = layout.columns[i]
    const vector = vectorOf(i, column, types[i], rowCount)
    indices[i].room = get(column, COLUMN.indexRoom)
    if (types[i].kind !== 'list') return vector
    const count = memory.u32[(vector.data >>> 2) + rowCount]
    indices[i].room = get(layout.items[i], COLUMN.indexRoom)
    itemCapacities[i] = Math.max(LEAST_ITEMS, 2 ** Math.ceil(Math.log2(count + 1)))
    return { ...vector, child: vectorOf(i, layout.items[i], types[i].item as DataType, count) }
  }

  const parse = (pointer: number, length: number, limit: number, isEnd: boolean): ParsedRows => {
    const most = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(MOST_MORSEL_BYTES / rowBytes)))
    // No record is shorter than {} and what parts it from the next.
    const capacity = Math.min(most, Math.floor(length / 3) + 1)
    begin(pointer, length, limit, isEnd, capacity)
    if (hasEnded && length > 0) {
      hasEnded = false
      set(parser, PARSER.state, STATE.first)
    }
    const bad: BadRow[] = []
    let places = 0
    let placed = 0
    const placeRows = (): void => {
      if (places === 0) places = memory.scratch(4 * capacity)
      for (const to = get(parser, PARSER.row); placed < to; placed++)
        memory.u32[(places >>> 2) + placed] = placed + bad.length
    }
    if (get(parser, PARSER.state) === STATE.lost) set(parser, PARSER.at, pointer + length)
    for (let status: number; ; ) {
      status = exports.jsonParse(parser)
      if (status === STATUS.done) break
      if (status === STATUS.tableFull) dictionaries(needing()).makeRoom(get(parser, PARSER.needBytes))
      else if (status === STATUS.poolFull) makePoolRoom(get(parser, PARSER.needBytes))
      else if (status === STATUS.itemsFull) makeItemRoom(needing())
      else if (shape.isInner && get(parser, PARSER.fault) === TRAILING) {
        set(parser, PARSER.state, STATE.lost)
        set(parser, PARSER.after, STATUS.done)
      } else {
        placeRows()
        bad.push(readBad(placed + bad.length, pointer))
        setRowEnd(capacity - bad.length, get(parser, PARSER.groupEnd))
        // Nothing more but the codes of the rows before it.
        if (!collect) set(parser, PARSER.after, STATUS.done)
      }
    }
    if (places !== 0) placeRows()
    const rowCount = get(parser, PARSER.row)
    const consumed = get(parser, PARSER.at) - pointer
    if (isEnd && consumed === length) hasEnded = true
    return {
      morsel: { rowCount, columns: types.map((_, i) => finish(i, rowCount)), rows: collect ? places : 0 },
      rowsRead: rowCount + bad.length,
      consumed,
      bad,
      illFormed: get(parser, PARSER.repaired),
    }
  }

  return {
    parse,
    findStart(pointer, length, isEnd) {
      // No line break can be within a record.
      const at = (exports.jsonLineBreak(pointer, pointer + length) >>> 0) - pointer
      if (at < length) return at + 1
      return isEnd ? length : -1
    },
    free,
  }
}

function checkField(name: string, type: DataType, path: readonly string[]): void {
  if (path.length === 0) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `json: the path of column ${quote(name)} has no key; name the key that it is the value of`,
      { column: name },
    )
  }
  if (isReadable(type)) return
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `json: column ${quote(name)} cannot be ${typeName(type)}; declare it utf8 to have its JSON as text`,
    { column: name },
  )
}
