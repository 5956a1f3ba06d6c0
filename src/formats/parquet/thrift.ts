/**
 * Thrift's compact protocol, as far as Parquet's footer and page headers use it: a cursor, scalar reads, and walks over structs and lists.
 * Every length is checked against the bytes that are left before anything is made of it. What the fields mean is said in footer.ts and
 * page-header.ts.
 */
import { corrupt } from './corrupt.js'

export interface Cursor {
  readonly bytes: Uint8Array
  /** Next byte to read. */
  at: number
  readonly end: number
  /** Position in the file of `bytes[0]`, for errors. */
  readonly base: number
}

/** Wire types. A bool field's value is its type. */
const TRUE = 1
const FALSE = 2
const BYTE = 3
const I16 = 4
const I32 = 5
const I64 = 6
const DOUBLE = 7
const BINARY = 8
const LIST = 9
const SET = 10
const MAP = 11
const STRUCT = 12

/** Deeper than any real footer; bounds recursion over hostile ones. */
const MAX_DEPTH = 64

export const cursorOver = (bytes: Uint8Array, base: number, at = 0, end = bytes.length): Cursor => ({
  bytes,
  at,
  end,
  base,
})

/**
 * Walks a struct's fields. `visit` reads the field's value from the cursor and returns true, or returns false to have it skipped:
 * unknown fields, and known ones of an unexpected wire type.
 */
export function readStruct(cursor: Cursor, visit: (id: number, type: number) => boolean): void {
  let id = 0
  for (;;) {
    const head = readByte(cursor)
    const type = head & 15
    if (type === 0) return
    id = head >> 4 === 0 ? readI32(cursor) : id + (head >> 4)
    if (!visit(id, type)) skip(cursor, type, 0)
  }
}

/** Walks a list, after its field's type was seen to be LIST. `item` must read one item. */
export function readList<T>(cursor: Cursor, itemType: number, item: (index: number) => T): T[] {
  const head = readByte(cursor)
  const count = head >> 4 === 15 ? readLength(cursor) : head >> 4
  if ((head & 15) !== itemType && count > 0)
    throw corrupt(`a list of type ${head & 15} where ${itemType} was expected`, here(cursor))
  // Every item takes a byte at least.
  if (count > cursor.end - cursor.at)
    throw corrupt(`a list of ${count} items in ${cursor.end - cursor.at} bytes`, here(cursor))
  const items: T[] = []
  for (let i = 0; i < count; i++) items.push(item(i))
  return items
}

export const isTrue = (type: number): boolean => type === TRUE
export const isBool = (type: number): boolean => type === TRUE || type === FALSE
export const WIRE = { I32, I64, BINARY, LIST, STRUCT } as const

export function readByte(cursor: Cursor): number {
  if (cursor.at >= cursor.end) throw corrupt('the metadata ends in the middle of a value', here(cursor))
  return cursor.bytes[cursor.at++] as number
}

export function readI32(cursor: Cursor): number {
  const zigzag = readVarint(cursor)
  return (zigzag >>> 1) ^ -(zigzag & 1)
}

/** An unsigned varint of 32 bits. */
export function readVarint(cursor: Cursor): number {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readByte(cursor)
    value |= (byte & 127) << shift
    if (byte < 128) return value >>> 0
  }
  throw corrupt('a number of more than 32 bits where 32 were expected', here(cursor))
}

/** A signed 64-bit number, exactly. */
export function readI64(cursor: Cursor): bigint {
  let low = 0
  let high = 0
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = readByte(cursor)
    if (shift < 28) low |= (byte & 127) << shift
    else if (shift === 28) {
      low |= (byte & 15) << 28
      high |= (byte & 127) >> 4
    } else if (shift < 63) high |= (byte & 127) << (shift - 32)
    else high |= (byte & 1) << 31
    if (byte < 128) {
      const zigzag = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
      return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n))
    }
  }
  throw corrupt('a number of more than 64 bits', here(cursor))
}

/** A count, size or offset of 64 bits, as a number. @throws `MR_FORMAT_ERROR` where it is negative or beyond 2^53. */
export function readSize(cursor: Cursor, what: string): number {
  const value = readI64(cursor)
  if (value < 0n || value > 9007199254740991n) throw corrupt(`${what} is ${value}`, here(cursor))
  return Number(value)
}

/** A view of the bytes of a string or binary value. */
export function readBinary(cursor: Cursor): Uint8Array {
  const length = readLength(cursor)
  const value = cursor.bytes.subarray(cursor.at, cursor.at + length)
  cursor.at += length
  return value
}

const decoder = new TextDecoder()
export const readText = (cursor: Cursor): string => decoder.decode(readBinary(cursor))

/** A length of what follows, in bytes or in things of a byte at least. */
function readLength(cursor: Cursor): number {
  const length = readVarint(cursor)
  const left = cursor.end - cursor.at
  if (length > left) throw corrupt(`a length of ${length} where ${left} bytes are left`, here(cursor))
  return length
}

/** Reads past a value of any type. */
export function skip(cursor: Cursor, type: number, depth: number): void {
  if (depth > MAX_DEPTH) throw corrupt('the metadata is nested too deeply', here(cursor))
  if (type === TRUE || type === FALSE) return
  if (type === BYTE) readByte(cursor)
  else if (type === I16 || type === I32 || type === I64) while (readByte(cursor) >= 128);
  else if (type === DOUBLE) for (let i = 0; i < 8; i++) readByte(cursor)
  else if (type === BINARY) readBinary(cursor)
  else if (type === LIST || type === SET) {
    const head = readByte(cursor)
    const count = head >> 4 === 15 ? readLength(cursor) : head >> 4
    for (let i = 0; i < count; i++) skipItem(cursor, head & 15, depth + 1)
  } else if (type === MAP) {
    const count = readLength(cursor)
    const types = count === 0 ? 0 : readByte(cursor)
    for (let i = 0; i < count; i++) {
      skipItem(cursor, types >> 4, depth + 1)
      skipItem(cursor, types & 15, depth + 1)
    }
  } else if (type === STRUCT) {
    for (;;) {
      const head = readByte(cursor)
      if ((head & 15) === 0) return
      if (head >> 4 === 0) readI32(cursor)
      skip(cursor, head & 15, depth + 1)
    }
  } else throw corrupt(`a value of unknown type ${type}`, here(cursor))
}

/** In a list a bool is a byte of its own. */
function skipItem(cursor: Cursor, type: number, depth: number): void {
  if (type === TRUE || type === FALSE) readByte(cursor)
  else skip(cursor, type, depth)
}

const here = (cursor: Cursor): number => cursor.base + cursor.at
