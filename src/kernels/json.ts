/**
 * Rows from records of JSON, in a lane: NDJSON, or the items of one array. The kernels are in assembly/json/, the structs that they share with this in
 * json-layout.ts, what they complain of in json-faults.ts.
 */
import type { DataType } from '../columnar/type.js'
import { decodeUtf8 } from '../columnar/utf8.js'
import { MillraceError, unknownColumn } from '../errors.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import { jsonFault, TRAILING, valueText } from './json-faults.js'
import { COLUMN, FLAG, isReadable, LIST, layOutJson, PARSER, STATE, STATUS, TEXT } from './json-layout.js'
import type { LaneVector } from './lane-vector.js'
import { dataBytes } from './operand.js'
import type { LaneDictionary } from './text.js'
import type { BadRow, JsonShape, ParsedRows, TextParser } from './text-rows.js'

const MOST_ROWS = 65_536
/** Rows of all columns together take no more in scratch, as long as there are some thousands of them. */
const MOST_BYTES = 32 << 20
/** Strings of so many rows are coded at a time: their text is still in the cache then. */
const GROUP_ROWS = 1024
const LEAST_ITEMS = 1024
const LEAST_POOL = 16_384
/** Dictionaries of more strings have no index: it would take more than the caches have. */
const MOST_INDEXED = 2 ** 17
/** Written beyond what is in use. */
const POOL_SLACK = 32
/** Characters of a bad row that are told. */
const MOST_TEXT = 200

/** Of the short strings of a dictionary: assembly/json/codes.ts. */
interface StringIndex {
  readonly dictionary: LaneDictionary
  readonly slotCount: number
  readonly pointer: number
}

/**
 * A parser of `columns`, some of the fields of `shape`, in that order; a utf8 column (or a list of these) is coded by `dictionaries(i)`, which is
 * asked for each time. One of an array remembers, until the end of its bytes, whether it is at the first record, or behind what it could not
 * understand. It owns its blocks until `free`.
 * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for a type that is not read from JSON, `MR_MEMORY_LIMIT`
 */
export function createJsonParser(
  k: Kernels,
  shape: JsonShape,
  columns: readonly string[],
  dictionaries: (i: number) => LaneDictionary,
): TextParser {
  const { memory, exports } = k
  const places = columns.map(name => {
    const place = shape.fields.indexOf(name)
    if (place < 0) throw unknownColumn(name, shape.fields, 'json')
    return place
  })
  const types = places.map(i => shape.types[i])
  for (const [i, type] of types.entries()) {
    if (isReadable(type)) continue
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `json: columns of ${type.kind} are not read from JSON; declare utf8, which has its text`,
      { column: columns[i] },
    )
  }
  const layout = layOutJson(
    k,
    places.map(i => shape.paths[i]),
    types,
  )
  const { parser } = layout
  const isArray = shape.layout === 'array'
  const flags = (isArray ? FLAG.isArray : 0) | (shape.fatal ? FLAG.isFatal : 0)
  const rowBytes = types.reduce((sum, { kind }) => sum + dataBytes(kind, 128) / 128 + 1 / 8, 0)

  /** Kept from call to call: spans of rows and of items, and the pool. */
  const spans = types.map(({ kind }) => (kind === 'utf8' ? memory.allocate(8 * GROUP_ROWS) : 0))
  const itemSpans = types.map(() => 0)
  const itemCapacities = types.map(() => LEAST_ITEMS)
  const indices: (StringIndex | null)[] = types.map(() => null)
  let poolBytes = LEAST_POOL
  let pool = memory.allocate(poolBytes + POOL_SLACK)

  const get = (struct: number, field: number): number => memory.u32[(struct >>> 2) + field]
  const set = (struct: number, field: number, value: number): void => {
    memory.u32[(struct >>> 2) + field] = value
  }

  /** New buffers for a column's elements, or what it has in larger ones. */
  const place = (column: number, type: DataType, capacity: number, used: number) => {
    const data = memory.scratch(dataBytes(type.kind, capacity) + 16)
    const validity = type.nullable ? memory.scratch(bitmapBytes(capacity)) : 0
    if (validity !== 0) memory.bytes(validity, bitmapBytes(capacity)).fill(0xff)
    if (used > 0) {
      const { u8 } = memory
      const from = get(column, COLUMN.data)
      u8.copyWithin(data, from, from + dataBytes(type.kind, used))
      const valid = get(column, COLUMN.validity)
      if (validity !== 0) u8.copyWithin(validity, valid, valid + bitmapBytes(used))
    }
    set(column, COLUMN.data, data)
    set(column, COLUMN.validity, validity)
  }

  const growItems = (i: number) => {
    const items = layout.items[i]
    const type = types[i].item as DataType
    const used = get(items, COLUMN.count)
    itemCapacities[i] *= 2
    place(items, type, itemCapacities[i], used)
    placeItemSpans(i)
    set(items, COLUMN.capacity, itemCapacities[i])
  }

  const placeItemSpans = (i: number) => {
    if (types[i].item?.kind !== 'utf8') return
    itemSpans[i] = memory.reallocate(itemSpans[i], 8 * itemCapacities[i])
    // They point to where the span of the first item of all would be.
    set(layout.items[i], COLUMN.spans, itemSpans[i] - 8 * get(layout.items[i], COLUMN.spansFrom))
  }

  /** The dictionary, and an index of its short strings that is four times as large as it, while that is not too large. */
  const placeIndex = (i: number, column: number) => {
    const dictionary = dictionaries(i)
    const { length } = dictionary
    const index = indices[i]
    set(column, COLUMN.table, dictionary.table)
    const isGood = index?.dictionary === dictionary && (2 * length < index.slotCount || length > MOST_INDEXED)
    if (isGood) return
    if (index !== null) memory.free(index.pointer)
    indices[i] = null
    set(column, COLUMN.index, 0)
    if (length > MOST_INDEXED) return
    let shift = 54
    while (2 ** (64 - shift) < 4 * length) shift--
    const slotCount = 2 ** (64 - shift)
    const pointer = memory.allocate(16 * slotCount)
    memory.bytes(pointer, 16 * slotCount).fill(0)
    indices[i] = { dictionary, slotCount, pointer }
    set(column, COLUMN.index, pointer)
    set(column, COLUMN.indexShift, shift)
    set(column, COLUMN.indexRoom, slotCount / 2)
  }

  const begin = (pointer: number, length: number, limit: number, isEnd: boolean, capacity: number) => {
    for (const [i, type] of types.entries()) {
      const column = layout.columns[i]
      const items = layout.items[i]
      place(column, type, capacity, 0)
      set(column, COLUMN.hasNulls, 0)
      set(column, COLUMN.spans, spans[i])
      set(column, COLUMN.spansFrom, 0)
      const op = get(column, COLUMN.op)
      if (op === TEXT) placeIndex(i, column)
      if (op !== LIST) continue
      memory.u32[get(column, COLUMN.data) >>> 2] = 0
      place(items, type.item as DataType, itemCapacities[i], 0)
      set(items, COLUMN.hasNulls, 0)
      set(items, COLUMN.spansFrom, 0)
      placeItemSpans(i)
      set(items, COLUMN.count, 0)
      set(items, COLUMN.capacity, itemCapacities[i])
      if (get(items, COLUMN.op) === TEXT) placeIndex(i, items)
    }
    set(parser, PARSER.at, pointer)
    set(parser, PARSER.end, pointer + length)
    set(parser, PARSER.stop, pointer + Math.min(limit, length))
    set(parser, PARSER.flags, flags | (isEnd ? FLAG.isEnd : 0))
    set(parser, PARSER.row, 0)
    set(parser, PARSER.rowEnd, capacity)
    set(parser, PARSER.groupFrom, 0)
    set(parser, PARSER.groupRows, GROUP_ROWS)
    set(parser, PARSER.groupEnd, Math.min(GROUP_ROWS, capacity))
    set(parser, PARSER.pool, pool)
    set(parser, PARSER.poolUsed, 0)
    set(parser, PARSER.poolEnd, poolBytes)
    set(parser, PARSER.textLimit, pointer)
    if (get(parser, PARSER.serial) > 2 ** 31) layout.restart()
    set(parser, PARSER.line, 0)
    set(parser, PARSER.lineEnd, 0)
    set(parser, PARSER.scanned, pointer)
    set(parser, PARSER.mayBatch, isArray ? 0 : 1)
    set(parser, PARSER.after, STATUS.groupFull)
  }

  const badRow = (row: number, pointer: number, end: number): BadRow => {
    const faultAt = get(parser, PARSER.faultAt)
    const i = layout.columns.indexOf(get(parser, PARSER.faultColumn))
    const from = get(parser, PARSER.badFrom)
    const to = get(parser, PARSER.badTo)
    const value = i < 0 ? '' : valueText(memory.u8, faultAt, end)
    // No character takes more than four bytes.
    const text = decodeUtf8(memory.u8, from, Math.min(to, from + 4 * MOST_TEXT)).trim()
    return {
      row,
      byteOffset: faultAt - pointer,
      column: i < 0 ? null : columns[i],
      ...jsonFault(get(parser, PARSER.fault), i < 0 ? null : types[i], value),
      text: [...text].slice(0, MOST_TEXT).join(''),
    }
  }

  const makeTableRoom = () => {
    const column = get(parser, PARSER.needColumn)
    const i = layout.columns.indexOf(column)
    dictionaries(i < 0 ? layout.items.indexOf(column) : i).makeRoom(get(parser, PARSER.needBytes))
  }

  const makePoolRoom = () => {
    while (poolBytes < get(parser, PARSER.needBytes) + get(parser, PARSER.poolUsed)) poolBytes *= 2
    memory.free(pool)
    pool = 0
    pool = memory.allocate(poolBytes + POOL_SLACK)
    set(parser, PARSER.pool, pool)
    set(parser, PARSER.poolUsed, 0)
    set(parser, PARSER.poolEnd, poolBytes)
  }

  const vectorOf = (column: number, type: DataType, length: number, dictionary: LaneDictionary | null): LaneVector => ({
    type,
    length,
    data: get(column, COLUMN.data),
    validity: get(column, COLUMN.hasNulls) ? get(column, COLUMN.validity) : 0,
    dictionary,
    range: null,
  })

  const vectors = (rowCount: number): LaneVector[] =>
    types.map((type, i) => {
      const column = layout.columns[i]
      if (type.kind !== 'list') return vectorOf(column, type, rowCount, type.kind === 'utf8' ? dictionaries(i) : null)
      const item = type.item as DataType
      const count = memory.u32[(get(column, COLUMN.data) >>> 2) + rowCount]
      const child = vectorOf(layout.items[i], item, count, item.kind === 'utf8' ? dictionaries(i) : null)
      return { ...vectorOf(column, type, rowCount, null), child }
    })

  const parse = (pointer: number, length: number, limit: number, isEnd: boolean): ParsedRows => {
    // No record is shorter than {} and what ends it.
    const capacity = Math.max(
      1,
      Math.min(MOST_ROWS, Math.floor(length / 3) + 1, Math.max(4096, Math.floor(MOST_BYTES / rowBytes))),
    )
    begin(pointer, length, limit, isEnd, capacity)
    const bad: BadRow[] = []
    let rows = 0
    let placed = 0
    /** Rows up to this one have their place. */
    const placeRows = (to: number) => {
      if (rows === 0) rows = memory.scratch(4 * capacity)
      for (; placed < to; placed++) memory.u32[(rows >>> 2) + placed] = placed + bad.length
    }
    let isLost = get(parser, PARSER.state) === STATE.lost
    if (isLost) set(parser, PARSER.at, pointer + length)
    while (!isLost) {
      const status = exports.jsonParse(parser)
      if (status === STATUS.done) break
      if (status === STATUS.tableFull) makeTableRoom()
      else if (status === STATUS.poolFull) makePoolRoom()
      else if (status === STATUS.itemsFull) growItems(layout.items.indexOf(get(parser, PARSER.needColumn)))
      else if (shape.isInner && get(parser, PARSER.fault) === TRAILING) {
        set(parser, PARSER.state, STATE.lost)
        set(parser, PARSER.stop, 0)
      } else {
        const row = get(parser, PARSER.row)
        placeRows(row)
        bad.push(badRow(row + bad.length, pointer, pointer + length))
        // What is left: nothing, so that strings get their codes.
        if (!shape.collect) set(parser, PARSER.stop, 0)
        set(parser, PARSER.rowEnd, capacity - bad.length)
        set(parser, PARSER.groupEnd, Math.min(get(parser, PARSER.groupEnd), capacity - bad.length))
        if (isArray && get(parser, PARSER.state) === STATE.lost) {
          set(parser, PARSER.stop, 0)
        }
      }
    }
    const rowCount = get(parser, PARSER.row)
    const consumed = get(parser, PARSER.at) - pointer
    isLost = get(parser, PARSER.state) === STATE.lost
    if (isEnd && consumed === length) set(parser, PARSER.state, STATE.first)
    const leftOut = shape.collect && bad.length > 0
    if (leftOut) placeRows(rowCount)
    return {
      morsel: { rowCount, columns: vectors(rowCount), rows: leftOut ? rows : 0 },
      rowsRead: rowCount + bad.length,
      consumed,
      bad,
    }
  }

  return {
    parse,
    findStart(pointer, length, isEnd) {
      const end = pointer + length
      const at = exports.jsonLineBreak(pointer, end) >>> 0
      if (at < end) return at + 1 - pointer
      return isEnd ? length : -1
    },
    free() {
      layout.free()
      for (const block of [...spans, ...itemSpans, ...indices.map(index => index?.pointer ?? 0), pool])
        memory.free(block)
    },
  }
}
