// Batches in heap blocks: copies, slices and joins hold the same rows, and every block is given back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bool, float64, int8, int16, int64, list, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import { rangeIndices } from '../../src/kernels/select.js'
import { byteLengthOf, concatenate, copyToHeap, freeHeapBatch, sliceBatch } from '../../src/operators/heap-batch.js'
import { batchOf, makeContext, morselOf, rowsOf, thrown } from './support.js'

const shape = {
  flag: nullable(bool()),
  small: int8(),
  medium: int16(),
  wide: nullable(int64()),
  number: nullable(float64()),
  text: nullable(utf8()),
  words: nullable(list(nullable(utf8()))),
  bits: list(list(bool())),
} satisfies SchemaShape

const rowsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const row = first + i
    return {
      flag: row % 3 === 0 ? null : row % 2 === 0,
      small: row % 100,
      medium: 30 * (row % 1000),
      wide: row % 4 === 0 ? null : 2 ** 40 + row,
      number: row % 5 === 0 ? null : row / 4,
      text: row % 7 === 0 ? null : `text ${row % 11}`,
      words: row % 9 === 0 ? null : Array.from({ length: row % 4 }, (_, j) => (j === 2 ? null : `word ${row % 5}`)),
      bits: Array.from({ length: row % 3 }, (_, j) => Array.from({ length: (row + j) % 13 }, (_, b) => b % 3 === 0)),
    }
  })
const columnsFrom = (first: number, count: number) => {
  const rows = rowsFrom(first, count)
  return batchOf(
    Object.fromEntries(Object.keys(shape).map(name => [name, rows.map(row => row[name as keyof typeof shape])])),
    shape,
  )
}

describe('a batch in heap blocks', () => {
  it('outlives the scratch that it was copied from', async () => {
    const context = await makeContext()
    const { memory } = context.k
    const mark = memory.mark()
    const kept = copyToHeap(context.k, morselOf(context, columnsFrom(0, 200)))
    memory.reset(mark)
    memory.u8.fill(0xee, memory.scratch(100_000), memory.scratch(16))
    expect(rowsOf(context, kept, shape)).toEqual(rowsFrom(0, 200))
  })

  it('gives back every block', async () => {
    const context = await makeContext()
    const batches = [1, 9, 5_000].map(count => copyToHeap(context.k, morselOf(context, columnsFrom(0, count))))
    context.loader.close()
    for (const batch of batches) freeHeapBatch(context.k, batch)
    expect(context.usedBytes()).toBe(0)
  })

  it('a slice from a multiple of 128 is the same buffers, bits too', async () => {
    const context = await makeContext()
    const kept = copyToHeap(context.k, morselOf(context, columnsFrom(0, 1000)))
    for (const [from, count] of [
      [0, 1000],
      [128, 5],
      [384, 616],
      [896, 0],
    ]) {
      const slice = sliceBatch(kept, from, count)
      expect(rowsOf(context, slice, shape)).toEqual(rowsFrom(from, count))
      // A copy of it has its own rows and items only.
      const copy = copyToHeap(context.k, slice)
      expect(rowsOf(context, copy, shape)).toEqual(rowsFrom(from, count))
      expect(byteLengthOf(copy)).toBeLessThanOrEqual(byteLengthOf(slice))
      freeHeapBatch(context.k, copy)
    }
    expect(() => sliceBatch(kept, 64, 1)).toThrow('a multiple of 128')
  })

  it('joined batches are their rows one after another, wherever the bits begin', async () => {
    const context = await makeContext()
    const counts = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(counts, sizes => {
        let row = 0
        const parts = sizes.map(count => {
          const batch = copyToHeap(context.k, morselOf(context, columnsFrom(row, count)))
          row += count
          return { split: 0, batch }
        })
        const joined = concatenate(context.k, parts)
        expect(joined.rowCount).toBe(row)
        expect(rowsOf(context, joined, shape)).toEqual(rowsFrom(0, row))
        freeHeapBatch(context.k, joined)
        context.k.memory.reset(0)
      }),
      { numRuns: 25 },
    )
    context.loader.close()
    expect(context.usedBytes()).toBe(0)
  })

  it('a copy or a join that memory has no room for leaves nothing behind', async () => {
    const context = await makeContext({ maximumBytes: 2 ** 22 })
    const batch = batchOf({ a: new Int32Array(40_000), b: new Int32Array(40_000), c: new Int32Array(40_000) })
    const parts = [0, 1, 2, 3].map(split => {
      context.k.memory.reset(0)
      return { split, batch: copyToHeap(context.k, morselOf(context, batch)) }
    })
    context.k.memory.reset(0)
    const used = context.k.memory.usedBytes
    expect(thrown(() => concatenate(context.k, parts))).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
    // The parts are gone too: they were the join's to free.
    expect(context.k.memory.usedBytes).toBeLessThan(used)
    const scratch = morselOf(context, batch)
    const kept: ReturnType<typeof copyToHeap>[] = []
    const error = thrown(() => {
      while (true) kept.push(copyToHeap(context.k, scratch))
    })
    expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
    for (const each of kept) freeHeapBatch(context.k, each)
    context.loader.close()
    expect(context.usedBytes()).toBe(0)
  })

  it('says how many bytes it has', async () => {
    const context = await makeContext()
    const morsel = morselOf(context, batchOf({ id: Int32Array.of(1, 2, 3), x: [1.5, null, 2] }))
    expect(byteLengthOf(morsel)).toBe(12 + 24 + 16)
  })

  it('counts row numbers from one to another', async () => {
    const { k } = await makeContext()
    const indices = rangeIndices(k, 3, 7)
    expect([...k.memory.u32.subarray(indices >>> 2, (indices >>> 2) + 4)]).toEqual([3, 4, 5, 6])
  })
})
