/** What the tests of the JSON parser share: rows read as a lane would, bytes coming in pieces, and compared with the model's. */
import { expect } from 'vitest'
import { type DataType, isInteger, isTime } from '../../src/columnar/type.js'
import type { Kernels } from '../../src/kernels/instance.js'
import { createJsonParser } from '../../src/kernels/json.js'
import type { LaneVector } from '../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import type { BadRow, JsonShape, TextParser } from '../../src/kernels/text-rows.js'
import { type JsonModelRows, jsonRows } from '../oracle/json.js'
import type { ModelType, Value } from '../oracle/value.js'
import { valuesOf } from './support.js'

export const shapeOf = (
  fields: Readonly<Record<string, DataType>>,
  options: Partial<JsonShape> & { path?: (name: string) => string[] } = {},
): JsonShape => ({
  fields: Object.keys(fields),
  paths: Object.keys(fields).map(options.path ?? (name => name.split('.'))),
  types: Object.values(fields),
  layout: 'lines',
  fatal: false,
  collect: true,
  ...options,
})

export const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? Buffer.from(text) : text)

export interface Read {
  readonly rows: { place: number; values: Value[] }[]
  readonly bad: BadRow[]
  readonly illFormed: number
}

/** The values of a column as the model has them. */
export function modelValues(k: Kernels, vector: LaneVector): Value[] {
  const { type, child } = vector
  if (type.kind === 'list') {
    const items = modelValues(k, child as LaneVector)
    const offsets = k.memory.u32.subarray(vector.data >>> 2, (vector.data >>> 2) + vector.length + 1)
    const { u8 } = k.memory
    return Array.from({ length: vector.length }, (_, i) =>
      vector.validity !== 0 && ((u8[vector.validity + (i >> 3)] >> (i & 7)) & 1) === 0
        ? null
        : items.slice(offsets[i], offsets[i + 1]),
    )
  }
  const isWhole = isInteger(type.kind) || isTime(type.kind)
  return valuesOf(k, vector).map(value => (isWhole && value !== null ? BigInt(value) : value))
}

/** Feeds a parser bytes that come in pieces, which end at `cuts`, as far as `limit`; `start` bytes are passed over. */
export function feed(
  k: Kernels,
  parser: TextParser,
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  { start = 0, limit = bytes.length, behind = null as Uint8Array | null } = {},
): Read & { end: number } {
  const { memory } = k
  const pointer = memory.allocate(bytes.length + 128)
  const rows: Read['rows'] = []
  const bad: BadRow[] = []
  let at = start
  let read = 0
  let repaired = 0
  for (const available of [...cuts, bytes.length]) {
    const isEnd = available === bytes.length
    for (;;) {
      // What is behind the bytes is what has yet to come, or what the test says.
      memory.u8.set(bytes, pointer)
      memory.u8.set(
        (behind ?? bytes.subarray(available, available + 64)).subarray(0, bytes.length + 128 - available),
        pointer + available,
      )
      const mark = memory.mark()
      const {
        morsel,
        rowsRead,
        consumed,
        bad: some,
        illFormed,
      } = parser.parse(pointer + at, available - at, limit - at, isEnd)
      expect(morsel.rowCount + some.length).toBe(rowsRead)
      const columns = morsel.columns.map(column => modelValues(k, column))
      for (let i = 0; i < morsel.rowCount; i++) {
        const place = morsel.rows === 0 ? i : memory.u32[(morsel.rows >>> 2) + i]
        rows.push({ place: read + place, values: columns.map(values => values[i]) })
      }
      for (const row of some) bad.push({ ...row, row: row.row + read, byteOffset: row.byteOffset + at })
      read += rowsRead
      repaired += illFormed
      at += consumed
      memory.reset(mark)
      if (consumed === 0 || at >= limit) break
    }
  }
  memory.free(pointer)
  return { rows, bad, illFormed: repaired, end: at }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reading a string repairs it, so that its bytes have to be looked at. */
export function expectUtf8(dictionary: LaneDictionary): void {
  const { offsets, bytes } = dictionary.entries(0)
  for (let i = 0; i < dictionary.length; i++)
    expect(() => strict.decode(bytes.subarray(offsets[i], offsets[i + 1]))).not.toThrow()
}

/** Reads all with a parser of its own. */
export function read(k: Kernels, shape: JsonShape, text: string | Uint8Array, cuts: readonly number[] = []): Read {
  const dictionaries = shape.types.map(() => new LaneDictionary(k))
  const parser = createJsonParser(k, shape, shape.fields, i => dictionaries[i])
  const { rows, bad, illFormed } = feed(k, parser, bytesOf(text), cuts)
  parser.free()
  for (const dictionary of dictionaries) {
    expectUtf8(dictionary)
    dictionary.free()
  }
  return { rows, bad, illFormed }
}

export function model(shape: JsonShape, text: string | Uint8Array): JsonModelRows {
  return jsonRows(bytesOf(text), { ...shape, types: shape.types as readonly ModelType[] })
}

/** Bad rows without their words, as the model has them. */
export const bare = (shape: JsonShape, { rows, bad, illFormed }: Read): JsonModelRows => ({
  rows,
  illFormed,
  bad: bad.map(({ row, byteOffset, column, code, text }) => ({
    row,
    byteOffset,
    column: column === null ? -1 : shape.fields.indexOf(column),
    code,
    text,
  })),
})

/** That all is read as the model reads it. */
export function expectLikeModel(
  k: Kernels,
  shape: JsonShape,
  text: string | Uint8Array,
  cuts: readonly number[] = [],
): void {
  expect(bare(shape, read(k, shape, text, cuts))).toEqual(model(shape, text))
}
