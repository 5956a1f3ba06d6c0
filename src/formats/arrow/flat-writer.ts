/**
 * FlatBuffers of a few fields, written from front to back: a table, then what it refers to. The layout is drawn in flat-reader.ts; a vtable stands
 * right before its table, and every number at a multiple of its length.
 */

/** A field's value; null: the default, which is not written. */
export type FlatValue =
  | null
  | string
  | { readonly int: number; readonly bytes: 1 | 2 | 4 | 8 }
  | { readonly table: FlatFields }
  | { readonly tables: readonly FlatFields[] }
  /** A vector of structs, each of so many int64. */
  | { readonly structs: readonly (readonly number[])[] }

/** By the fields' numbers. */
export type FlatFields = readonly FlatValue[]

export const int8 = (int: number): FlatValue => ({ int, bytes: 1 })
export const int16 = (int: number): FlatValue => ({ int, bytes: 2 })
export const int32 = (int: number): FlatValue => ({ int, bytes: 4 })
export const int64 = (int: number): FlatValue => ({ int, bytes: 8 })

const encoder = new TextEncoder()

/** A buffer of a multiple of 8 bytes. */
export function flatBuffer(root: FlatFields): Uint8Array {
  let bytes = new Uint8Array(256)
  let view = new DataView(bytes.buffer)
  let end = 4

  /** Makes room for `byteLength` zeros, `before` bytes before the next multiple of `alignment`; where they begin. */
  const reserve = (byteLength: number, alignment: number, before = 0): number => {
    const at = Math.ceil((end + before) / alignment) * alignment - before
    end = at + byteLength
    if (end > bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * bytes.length))
      larger.set(bytes)
      bytes = larger
      view = new DataView(bytes.buffer)
    }
    return at
  }
  const putInt = (at: number, value: number, byteLength: 1 | 2 | 4 | 8): void => {
    if (byteLength === 1) view.setInt8(at, value)
    else if (byteLength === 2) view.setInt16(at, value, true)
    else if (byteLength === 4) view.setInt32(at, value, true)
    else view.setBigInt64(at, BigInt(value), true)
  }

  const writeTable = (fields: FlatFields): number => {
    const sizes = fields.map(value =>
      value === null ? 0 : typeof value === 'object' && 'int' in value ? value.bytes : 4,
    )
    const vtableBytes = 4 + 2 * fields.length
    const vtable = reserve(vtableBytes, 2)
    const table = reserve(4, 8)
    view.setUint16(vtable, vtableBytes, true)
    view.setInt32(table, table - vtable, true)
    const places = sizes.map((size, i) => {
      if (size === 0) return 0
      const place = reserve(size, size)
      view.setUint16(vtable + 4 + 2 * i, place - table, true)
      return place
    })
    view.setUint16(vtable + 2, end - table, true)
    for (const [i, value] of fields.entries()) {
      const place = places[i] as number
      if (value === null) continue
      if (typeof value === 'object' && 'int' in value) putInt(place, value.int, value.bytes)
      else refer(place, writeValue(value))
    }
    return table
  }

  const refer = (place: number, target: number): void => view.setUint32(place, target - place, true)

  const writeValue = (value: Exclude<FlatValue, null | { int: number }>): number => {
    if (typeof value === 'string') {
      const text = encoder.encode(value)
      // A zero follows, which is not counted.
      const at = reserve(4 + text.length + 1, 4)
      view.setUint32(at, text.length, true)
      bytes.set(text, at + 4)
      return at
    }
    if ('table' in value) return writeTable(value.table)
    if ('tables' in value) {
      const at = reserve(4 + 4 * value.tables.length, 4)
      view.setUint32(at, value.tables.length, true)
      for (const [i, fields] of value.tables.entries()) refer(at + 4 + 4 * i, writeTable(fields))
      return at
    }
    const { structs } = value
    const words = structs.flat()
    const at = reserve(4 + 8 * words.length, 8, 4)
    view.setUint32(at, structs.length, true)
    for (const [i, word] of words.entries()) putInt(at + 4 + 8 * i, word, 8)
    return at
  }

  refer(0, writeTable(root))
  return bytes.subarray(0, reserve(0, 8))
}
