/**
 * FlatBuffers, as much of them as Arrow's messages use, read in place. flat-writer.ts writes them.
 *
 * ```
 *   root        u32: from here to a table
 *   table       i32: from its vtable to here | fields' values, or u32 from there to a string, a vector or a table
 *   vtable      u16: its bytes | u16: the table's bytes | u16 for each field: from the table to its value; 0: the default
 *   vector      u32: its items | items            string: a vector of bytes
 * ```
 * The bytes are not trusted: every place is checked before it is read, and tables and strings that are shared, which no writer of Arrow
 * does, cannot be read more often than a few times the bytes that there are.
 */
import { corrupt } from '../fault.js'

/** Fields are numbered as in Arrow's schema files, from 0; one that is absent has its default. */
export interface FlatTable {
  has(field: number): boolean
  bool(field: number): boolean
  uint8(field: number): number
  int16(field: number): number
  int32(field: number, absent?: number): number
  /** @throws MillraceError `MR_FORMAT_ERROR` where it is beyond 2^53, which no length or place is. */
  int64(field: number): number
  string(field: number): string | null
  table(field: number): FlatTable | null
  tables(field: number): FlatTable[]
  /** What `read` makes of each struct, or each int64, of a vector; nothing where it is absent. */
  structs<T>(field: number, byteLength: number, read: (struct: FlatStruct) => T): T[]
  /** Where the table is in the file. */
  readonly byteOffset: number
}

/** A struct's values, by their distance from its beginning. */
export interface FlatStruct {
  int32(offset: number): number
  int64(offset: number): number
}

/** Work that a buffer may make, for each of its bytes. */
const MOST_WORK = 16

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The root table of a buffer.
 * @param byteOffset of the bytes in the file, for errors.
 * @throws MillraceError `MR_FORMAT_ERROR`, as every method does.
 */
export function flatRoot(bytes: Uint8Array, byteOffset: number): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let workLeft = MOST_WORK * bytes.length

  const need = (at: number, byteLength: number): number => {
    if (at + byteLength > bytes.length)
      throw corrupt(`its metadata refer to byte ${at + byteLength} of ${bytes.length}`, byteOffset + at)
    return at
  }
  const work = (amount: number, at: number): void => {
    workLeft -= amount
    if (workLeft < 0) throw corrupt('its metadata refer to the same bytes again and again', byteOffset + at)
  }
  const follow = (at: number): number => at + view.getUint32(need(at, 4), true)
  const wordAt = (at: number): number => {
    const value = view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
    if (!Number.isSafeInteger(value)) throw corrupt(`its metadata have the number ${value}`, byteOffset + at)
    return value
  }
  /** The first item of a vector, and how many there are. */
  const vectorAt = (at: number, itemBytes: number): [first: number, count: number] => {
    const start = follow(at)
    const count = view.getUint32(need(start, 4), true)
    need(start + 4, count * itemBytes)
    work(count, at)
    return [start + 4, count]
  }

  const tableAt = (table: number): FlatTable => {
    work(MOST_WORK, table)
    const vtable = table - view.getInt32(need(table, 4), true)
    if (vtable < 0) throw corrupt('its metadata refer to before their beginning', byteOffset + table)
    const vtableBytes = view.getUint16(need(vtable, 4), true)
    need(vtable, vtableBytes)
    /** Where a field's value is; -1 where it is absent. */
    const place = (field: number, byteLength: number): number => {
      const slot = 4 + 2 * field
      const offset = slot + 2 > vtableBytes ? 0 : view.getUint16(vtable + slot, true)
      return offset === 0 ? -1 : need(table + offset, byteLength)
    }
    const read =
      <T>(byteLength: number, at: (at: number) => T) =>
      (field: number, absent: T): T => {
        const found = place(field, byteLength)
        return found < 0 ? absent : at(found)
      }
    const uint8 = read(1, at => view.getUint8(at))
    const int16 = read(2, at => view.getInt16(at, true))
    const int32 = read(4, at => view.getInt32(at, true))
    const int64 = read(8, wordAt)
    return {
      byteOffset: byteOffset + table,
      has: field => place(field, 1) >= 0,
      bool: field => uint8(field, 0) !== 0,
      uint8: field => uint8(field, 0),
      int16: field => int16(field, 0),
      int32: (field, absent = 0) => int32(field, absent),
      int64: field => int64(field, 0),
      string(field) {
        const at = place(field, 4)
        if (at < 0) return null
        const [first, length] = vectorAt(at, 1)
        return decoder.decode(bytes.subarray(first, first + length))
      },
      table(field) {
        const at = place(field, 4)
        return at < 0 ? null : tableAt(follow(at))
      },
      tables(field) {
        const at = place(field, 4)
        if (at < 0) return []
        const [first, count] = vectorAt(at, 4)
        return Array.from({ length: count }, (_, i) => tableAt(follow(first + 4 * i)))
      },
      structs(field, byteLength, read) {
        const at = place(field, 4)
        if (at < 0) return []
        const [first, count] = vectorAt(at, byteLength)
        let start = first
        const struct = {
          int32: (offset: number) => view.getInt32(start + offset, true),
          int64: (offset: number) => wordAt(start + offset),
        }
        return Array.from({ length: count }, (_, i) => {
          start = first + byteLength * i
          return read(struct)
        })
      },
    }
  }

  return tableAt(follow(0))
}
