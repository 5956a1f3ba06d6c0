/** What tests of rows from CSV share: shapes, and reading as a lane would. */

import { type DataType, float64, int32, nullable, utf8 } from '../../../src/columnar/type.js'
import { createCsvParser } from '../../../src/kernels/csv.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import type { BadRow, CsvShape } from '../../../src/kernels/text-rows.js'
import type { CsvAnswer, CsvRow, CsvValue } from '../../oracle/csv.js'
import { makeKernels, valuesOf } from '../support.js'

export const k = await makeKernels()

export const shapeOf = (types: Readonly<Record<string, DataType>>, options: Partial<CsvShape> = {}): CsvShape => ({
  fields: Object.keys(types),
  types: Object.values(types),
  delimiter: ',',
  quote: '"',
  comment: null,
  nulls: [''],
  ragged: 'error',
  fatal: false,
  collect: false,
  ...options,
})

export interface Read {
  readonly rows: CsvRow[]
  readonly bad: BadRow[]
  readonly rowsRead: number
  readonly consumed: number
  readonly illFormed: number | null
}

export interface Way {
  readonly columns?: readonly string[]
  /** Bytes that each call is given at most; a row may need more. */
  readonly pieces?: readonly number[]
  readonly limit?: number
  readonly isEnd?: boolean
}

/** Reads bytes as a lane would: what a call has not consumed is given again with what follows. */
export function read(
  bytes: Uint8Array,
  shape: CsvShape,
  { columns = shape.fields, pieces = [], limit = Infinity, isEnd = true }: Way = {},
): Read {
  const dictionaries = new Map<number, LaneDictionary>()
  const parser = createCsvParser(k, shape, columns, i => {
    const dictionary = dictionaries.get(i) ?? new LaneDictionary(k)
    dictionaries.set(i, dictionary)
    return dictionary
  })
  const rows: CsvRow[] = []
  const bad: BadRow[] = []
  let rowsRead = 0
  let illFormed = 0
  let consumed = 0
  let given = 0
  const lengths = [...pieces]
  const outer = k.memory.mark()
  try {
    while (consumed < bytes.length) {
      if (given <= consumed || lengths.length > 0) given = Math.min(bytes.length, given + (lengths.shift() ?? Infinity))
      else given = bytes.length
      while (consumed < given) {
        k.memory.reset(outer)
        const length = given - consumed
        const pointer = k.memory.scratch(16 + length + 64) + 16
        // What lies before and behind must not matter.
        k.memory.bytes(pointer - 16, 16).fill(13)
        k.memory.bytes(pointer + length, 64).fill(given % 3 === 0 ? 10 : given % 3 === 1 ? 34 : 44)
        k.memory.u8.set(bytes.subarray(consumed, given), pointer)
        const parsed = parser.parse(pointer, length, limit, isEnd && given === bytes.length)
        const { morsel } = parsed
        const values = morsel.columns.map(column => valuesOf(k, column))
        for (let i = 0; i < morsel.rowCount; i++) {
          const row = rowsRead + (morsel.rows === 0 ? i : k.memory.u32[(morsel.rows >>> 2) + i]!)
          rows.push({ row, values: values.map(column => column[i] as CsvValue) })
        }
        bad.push(
          ...parsed.bad.map(each => ({ ...each, row: each.row + rowsRead, byteOffset: each.byteOffset + consumed })),
        )
        rowsRead += parsed.rowsRead
        consumed += parsed.consumed
        illFormed += parsed.illFormed
        if (parsed.bad.length > 0 && !shape.collect) return { rows, bad, rowsRead, consumed, illFormed: null }
        if (parsed.consumed === 0) break
      }
      if (given === bytes.length) break
    }
    return { rows, bad, rowsRead, consumed, illFormed }
  } finally {
    k.memory.reset(outer)
    parser.free()
    for (const dictionary of dictionaries.values()) dictionary.free()
  }
}

export const bare = ({ rows, bad, rowsRead, consumed, illFormed }: Read): CsvAnswer => ({
  rows,
  bad: bad.map(({ row, byteOffset, column, code }) => ({ row, byteOffset, column, code })),
  rowsRead,
  consumed,
  illFormed,
})

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export const THREE = { a: utf8(), n: nullable(int32()), x: nullable(float64()) }
export const valuesOfText = (text: string, shape = shapeOf(THREE)): CsvValue[][] =>
  read(bytesOf(text), shape).rows.map(({ values }) => [...values])
