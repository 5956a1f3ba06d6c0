/** The real file: 3,000,000 flights, written by Polars (version 1 pages, zstd, dictionaries), against hyparquet's own reading of it. */
import { readFileSync } from 'node:fs'
import { parquetMetadata, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { beforeAll, describe, expect, test } from 'vitest'
import { schema } from '../../../src/columnar/schema.js'
import { int64, nullable, timestamp, utf8 } from '../../../src/columnar/type.js'
import { openParquet, type ParquetReader } from '../../../src/formats/parquet/lane-extension.js'
import type { PlainVector } from '../../../src/formats/plain-batch.js'
import { valuesOf } from './read-values.js'

const path = new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url)
const bytes = new Uint8Array(readFileSync(path))
const names = ['date', 'delay', 'distance', 'origin', 'destination']

describe('flights-3m.parquet', () => {
  let reader: ParquetReader
  beforeAll(async () => {
    reader = await openParquet({ kind: 'bytes', bytes })
  })

  test('has its schema, rows and row groups', () => {
    expect(reader.schema).toEqual(
      schema({
        date: nullable(timestamp('us')),
        delay: nullable(int64()),
        distance: nullable(int64()),
        origin: nullable(utf8()),
        destination: nullable(utf8()),
      }),
    )
    expect(reader.rowCount).toBe(3_000_000)
    expect(reader.rowGroups.map(group => group.rowCount)).toEqual([...Array(10).fill(272_727), 272_730])
    expect(reader.rowGroups[10]?.firstRow).toBe(2_727_270)
    expect(reader.unsupported.size).toBe(0)
  })

  for (const part of [0, 5, 10]) {
    test(`row group ${part} is what hyparquet reads, microseconds exactly`, async () => {
      const columns: unknown[][] = names.map(() => [])
      const sizes: number[] = []
      for await (const batch of reader.read(part, names)) {
        sizes.push(batch.rowCount)
        batch.vectors.forEach((vector, c) => {
          expect(vector.length).toBe(batch.rowCount)
          for (const value of valuesOf(vector)) columns[c]?.push(value)
        })
      }
      const rowCount = reader.rowGroups[part]?.rowCount ?? 0
      expect(sizes).toEqual([65_536, 65_536, 65_536, 65_536, rowCount - 4 * 65_536])
      const { firstRow } = reader.rowGroups[part] ?? { firstRow: 0 }
      const expected: unknown[][] = []
      await parquetRead({
        file: bytes.buffer,
        rowStart: firstRow,
        rowEnd: firstRow + rowCount,
        columns: names,
        compressors,
        parsers: { timestampFromMicroseconds: micros => micros },
        onComplete: rows => expected.push(...(rows as unknown[][])),
      })
      expect(expected.length).toBe(rowCount)
      let differences = 0
      expected.forEach((row, i) => {
        row.forEach((value, c) => {
          if (columns[c]?.[i] !== value) differences++
        })
      })
      expect(differences).toBe(0)
    })
  }

  test('strings come as codes into one dictionary per row group', async () => {
    const dictionaries = new Set<unknown>()
    for await (const batch of reader.read(3, ['origin'])) {
      const [vector] = batch.vectors as [PlainVector]
      expect(vector.offsets).toBeNull()
      expect(vector.validity).toBeNull()
      dictionaries.add(vector.dictionary)
      expect(batch.illFormedCount).toBe(0)
    }
    expect(dictionaries.size).toBe(1)
  })

  test('statistics are exact, and hold for the rows', async () => {
    const group = reader.rowGroups[2]
    const read = parquetMetadata(bytes.buffer, { parsers: { timestampFromMicroseconds: micros => micros } })
      .row_groups[2]
    for (const [i, name] of names.entries()) {
      const expected = read?.columns[i]?.meta_data?.statistics
      const { min, max, nullCount } = group?.statistics.get(name) ?? {}
      expect([min, max, nullCount]).toEqual([expected?.min_value, expected?.max_value, Number(expected?.null_count)])
      let [least, greatest] = [max, min]
      for await (const batch of reader.read(2, [name])) {
        for (const value of valuesOf(batch.vectors[0] as PlainVector)) {
          if (value !== null && least != null && value < least) least = value
          if (value !== null && greatest != null && value > greatest) greatest = value
        }
      }
      expect([least, greatest]).toEqual([min, max])
    }
  })

  test('only the bytes of the columns asked for are read', async () => {
    const ranges: [number, number][] = []
    const source = {
      byteLength: async () => bytes.length,
      read: async (from: number, to: number) => {
        ranges.push([from, to])
        return bytes.subarray(from, to)
      },
      close: async () => {},
    }
    const watched = await openParquet({ kind: 'path', path: 'flights' }, async () => source, reader.metadata)
    expect(ranges).toEqual([])
    let rows = 0
    for await (const batch of watched.read(1, ['delay'])) rows += batch.rowCount
    expect(rows).toBe(272_727)
    expect(ranges.length).toBe(1)
    const [from, to] = ranges[0] as [number, number]
    expect(to - from).toBe(watched.byteLength(1, ['delay']))
    ranges.length = 0
    for await (const batch of watched.read(1, [])) rows -= batch.rowCount
    expect(rows).toBe(0)
    expect(ranges).toEqual([])
  })

  test('an unknown column is refused with the nearest name, and so is an unknown row group', async () => {
    const drain = async (part: number, columns: string[]) => {
      for await (const batch of reader.read(part, columns)) expect(batch.rowCount).toBeGreaterThan(0)
    }
    await expect(drain(0, ['orign'])).rejects.toMatchObject({
      code: 'MR_UNKNOWN_COLUMN',
      details: { suggestion: 'origin' },
    })
    await expect(drain(11, ['origin'])).rejects.toMatchObject({ code: 'MR_INVALID_OPTION' })
  })

  test('stops when the signal aborts, and refuses to read once closed', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    let batches = 0
    const reading = (async () => {
      for await (const batch of reader.read(0, names, controller.signal)) {
        batches += Math.sign(batch.rowCount)
        controller.abort(reason)
      }
    })()
    await expect(reading).rejects.toBe(reason)
    expect(batches).toBe(1)
    const closed = await openParquet({ kind: 'bytes', bytes })
    await closed.close()
    await closed.close()
    await expect(closed.read(0, names)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'MR_CLOSED' })
  })
})
