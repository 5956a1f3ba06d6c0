// Rows of the calling thread as splits: whole morsels, small batches joined, only the columns that are wanted, read late.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openColumns, openRows } from '../../src/columnar/input.js'
import { MORSEL_ROWS, RecordBatch } from '../../src/columnar/record-batch.js'
import { Table } from '../../src/columnar/table.js'
import { float64, type SchemaShape } from '../../src/columnar/type.js'
import { makeVector } from '../../src/columnar/vector.js'
import { dictionary } from '../../src/index.js'
import { inputSource, tableSource } from '../../src/sources/memory.js'
import type { Source, SourceServices, Split } from '../../src/sources/source.js'
import { tables } from '../laws/tables.js'
import { batchOf, batchOfModel } from '../operators/support.js'

const SERVICES = {} as SourceServices
const open = async (source: Source, names: readonly string[]): Promise<readonly Split[]> =>
  (await source.open({ columns: names, prune: null }, SERVICES)).splits
const batchesOf = ({ work }: Split): readonly RecordBatch[] => (work.kind === 'batches' ? work.batches() : [])
const rowCounts = (splits: readonly Split[]) => splits.map(split => batchesOf(split).map(({ rowCount }) => rowCount))
const numbers = (rowCount: number) => Float64Array.from({ length: rowCount }, (_, i) => i)

describe('columns and rows', () => {
  it('are cut into splits of two morsels', async () => {
    const data = { x: numbers(5 * MORSEL_ROWS + 3), y: numbers(5 * MORSEL_ROWS + 3) }
    const source = inputSource('columns', openColumns(data).schema, () => openColumns(data))
    expect(source).toMatchObject({ label: 'columns', rowCount: null, schema: { x: float64(), y: float64() } })
    expect(await source.describe(SERVICES)).toBe(source.schema)
    const splits = await open(source, ['x'])
    expect(splits.map(({ firstRow, rowCount, byteLength }) => [firstRow, rowCount, byteLength])).toEqual([
      [0, 2 * MORSEL_ROWS, 16 * MORSEL_ROWS],
      [2 * MORSEL_ROWS, 2 * MORSEL_ROWS, 16 * MORSEL_ROWS],
      [4 * MORSEL_ROWS, MORSEL_ROWS + 3, 8 * MORSEL_ROWS + 24],
    ])
    expect(rowCounts(splits)).toEqual([
      [MORSEL_ROWS, MORSEL_ROWS],
      [MORSEL_ROWS, MORSEL_ROWS],
      [MORSEL_ROWS, 3],
    ])
    const last = batchesOf(splits[2])[1]
    expect(last.toRows()).toEqual([0, 1, 2].map(i => ({ x: 5 * MORSEL_ROWS + i })))
  })

  it('without rows have no splits', async () => {
    const source = inputSource('rows', { x: float64() }, () => openRows([], { x: float64() }))
    expect(await open(source, ['x'])).toEqual([])
  })

  it('are looked at for each job, and converted when a split is handed out', async () => {
    const given = [{ x: 1 }, { x: 2 }]
    let opened = 0
    const source = inputSource('rows', { x: float64() }, () => {
      opened++
      return openRows(given, { x: float64() })
    })
    expect(opened).toBe(0)
    const splits = await open(source, ['x'])
    given[1].x = 20
    expect(batchesOf(splits[0])[0].toRows()).toEqual([{ x: 1 }, { x: 20 }])
    await open(source, ['x'])
    expect(opened).toBe(2)
  })
})

describe('a table', () => {
  const tableOf = (batch: RecordBatch, sizes: readonly number[]) => {
    const batches: RecordBatch[] = []
    let row = 0
    for (const size of sizes) {
      batches.push(batch.slice(row, row + size))
      row += size
    }
    return new Table(batch.schema as SchemaShape, [...batches, batch.slice(row)])
  }

  it('gives its rows in order, however it is chunked, and only the columns that are wanted', async () => {
    const sizes = fc.array(fc.nat({ max: 9 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(tables(60), sizes, fc.nat(), async (model, chunks, choice) => {
        const batch = batchOfModel(model)
        const table = tableOf(batch, chunks)
        const names = Object.keys(table.schema).filter((_, i) => (choice >> i) % 2 === 0)
        const splits = await open(tableSource(table), names)
        const found = splits.flatMap(batchesOf)
        for (const { schema } of found) expect(Object.keys(schema)).toEqual(names)
        expect(splits.reduce((sum, { rowCount }) => sum + (rowCount as number), 0)).toBe(batch.rowCount)
        expect(found.flatMap(each => each.toRows({ bigint: true }))).toEqual(
          batch.toRows({ bigint: true }).map(row => Object.fromEntries(names.map(name => [name, row[name]]))),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('says how many rows it has, and where each split begins', async () => {
    const batch = batchOf({ x: numbers(3 * MORSEL_ROWS) })
    const chunks = Array.from({ length: 6 }, () => MORSEL_ROWS / 2)
    const source = tableSource(tableOf(batch, chunks))
    expect(source.rowCount).toBe(3 * MORSEL_ROWS)
    const splits = await open(source, ['x'])
    expect(splits.map(({ firstRow, rowCount }) => [firstRow, rowCount])).toEqual([
      [0, 2 * MORSEL_ROWS],
      [2 * MORSEL_ROWS, MORSEL_ROWS],
    ])
    expect(rowCounts(splits)).toEqual([[MORSEL_ROWS, MORSEL_ROWS], [MORSEL_ROWS]])
    expect(batchesOf(splits[1])[0].at(0)).toEqual({ x: 2 * MORSEL_ROWS })
  })

  it('whole morsels go as they are, without a copy', async () => {
    const x = numbers(2 * MORSEL_ROWS)
    const table = tableOf(batchOf({ x }), [MORSEL_ROWS])
    const [split] = await open(tableSource(table), ['x'])
    expect(batchesOf(split).map(({ vectors }) => vectors[0].data.buffer)).toEqual([x.buffer, x.buffer])
  })

  it('a batch of more rows than a morsel is cut', async () => {
    const rowCount = 2 * MORSEL_ROWS + 100
    const vector = makeVector(float64(), rowCount, numbers(rowCount))
    const large: RecordBatch = new RecordBatch({ x: float64() }, [vector], rowCount)
    const table = new Table(large.schema, [large])
    const splits = await open(tableSource(table), ['x'])
    expect(rowCounts(splits)).toEqual([[MORSEL_ROWS, MORSEL_ROWS], [100]])
    expect(batchesOf(splits[1])[0].at(-1)).toEqual({ x: rowCount - 1 })
  })

  it('hundreds of thousands of one-row chunks are read in few splits, in time that grows with their number', async () => {
    const codes = Int32Array.from({ length: MORSEL_ROWS }, (_, i) => i % 100)
    const values = Array.from({ length: 100 }, (_, i) => `value ${i}`)
    const batch = batchOf({ x: numbers(MORSEL_ROWS), key: dictionary(codes, values) })
    const chunks = Array.from({ length: 1000 }, (_, i) => batch.slice(i, i + 1))
    const read = async (rowCount: number) => {
      const all = Array.from({ length: rowCount }, (_, i) => chunks[i % 1000])
      const table = new Table(batch.schema as SchemaShape, all)
      const start = performance.now()
      const splits = await open(tableSource(table), ['x', 'key'])
      const found = splits.flatMap(batchesOf)
      return { splits, found, milliseconds: performance.now() - start }
    }
    const few = [await read(56_000), await read(56_000), await read(56_000)]
    const rowCount = 560_000
    const { splits, found, milliseconds } = await read(rowCount)
    expect(splits).toHaveLength(5)
    expect(found.map(each => each.rowCount)).toEqual([...Array(8).fill(MORSEL_ROWS), rowCount - 8 * MORSEL_ROWS])
    expect(found[8].at(-1)).toEqual({ x: 999, key: 'value 99' })
    // Ten times as many; some 300 ms on a quiet machine.
    expect(milliseconds).toBeLessThan(40 * Math.max(...few.map(each => each.milliseconds)))
  })

  it('no columns at all still have their rows', async () => {
    const table = tableOf(batchOf({ x: numbers(10) }), [3, 3])
    const [split] = await open(tableSource(table), [])
    expect(batchesOf(split).map(({ rowCount, vectors }) => [rowCount, vectors.length])).toEqual([[10, 0]])
  })

  it('strings of chunks with dictionaries of their own come with one', async () => {
    const parts = [
      ['a', 'b'],
      ['b', null],
      ['c', 'a'],
    ].map(text => batchOf({ text }, { text: { kind: 'utf8', nullable: true } } as const))
    const table = new Table(parts[0].schema as SchemaShape, parts)
    const [split] = await open(tableSource(table), ['text'])
    const [joined] = batchesOf(split)
    expect(joined.toRows().map(({ text }) => text)).toEqual(['a', 'b', 'b', null, 'c', 'a'])
  })
})
