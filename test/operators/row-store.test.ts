// Rows kept by a breaker: their order, their way to another lane, and that every batch is freed, used or not.
import { describe, expect, it } from 'vitest'
import { int32, list, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { VectorBatch } from '../../src/columnar/vector.js'
import { dictionaryOf } from '../../src/kernels/lane-vector.js'
import { freeHeapBatch } from '../../src/operators/heap-batch.js'
import type { Part } from '../../src/operators/operator.js'
import { RowStore } from '../../src/operators/row-store.js'
import { batchOf, type Context, makeContext, morselOf, rowsOf, thrown } from './support.js'

const shape = { id: int32(), text: utf8(), words: list(utf8()) } satisfies SchemaShape
const rows = (...ids: number[]) =>
  batchOf({ id: ids, text: ids.map(id => `text ${id}`), words: ids.map(id => [`text ${id}`, 'word']) }, shape)

function storeOf(context: Context, ...parts: [split: number, ...ids: number[]][]): RowStore {
  const store = new RowStore(context)
  for (const [split, ...ids] of parts) store.add(morselOf(context, rows(...ids)), split)
  return store
}
const idsOf = (context: Context, store: RowStore) =>
  Array.from(store.drain(), ({ split, batch }) => [split, ...rowsOf(context, batch, shape).map(({ id }) => id)])

/** Nothing but what the store holds is in use afterwards. */
function expectEmpty(context: Context, store: RowStore): void {
  store.free()
  context.loader.close()
  expect(context.usedBytes()).toBe(0)
}

describe('a row store', () => {
  it('gives its rows by split, and within a split as they came', async () => {
    const context = await makeContext()
    const store = storeOf(context, [4, 40, 41], [1, 10], [4, 42], [1, 11], [0, 1])
    expect(store.rowCount).toBe(6)
    expect(idsOf(context, store)).toEqual([
      [0, 1],
      [1, 10],
      [1, 11],
      [4, 40, 41],
      [4, 42],
    ])
    expectEmpty(context, store)
  })

  it('rows of several lanes are told by split too, their strings in one dictionary', async () => {
    const context = await makeContext()
    const store = storeOf(context, [2, 20])
    const part = (split: number, ...ids: number[]): Part<VectorBatch> => ({ kind: 'rows', split, batch: rows(...ids) })
    store.absorb(part(3, 30, 20))
    store.absorb(part(1, 10))
    const batches = store.take()
    for (const column of [1, 2])
      expect(new Set(batches.map(({ batch }) => dictionaryOf(batch.columns[column]))).size).toBe(1)
    const texts = ['text 10', 'text 20', 'text 30', 'text 20']
    const all = batches.flatMap(({ batch }) => rowsOf(context, batch, shape))
    expect(all.map(({ text }) => text)).toEqual(texts)
    expect(all.map(({ words }) => words)).toEqual(texts.map(text => [text, 'word']))
    for (const { batch } of batches) freeHeapBatch(context.k, batch)
    expectEmpty(context, store)
  })

  it('frees a batch when the next is asked for, and the rest with itself, however far anyone read', async () => {
    for (const read of [0, 1, 2, 3, 4]) {
      const context = await makeContext()
      const store = storeOf(context, [0, 1], [1, 2], [2, 3])
      const iterator = (read % 2 === 0 ? store.drain() : store.handOver())[Symbol.iterator]()
      for (let i = 0; i < read; i++) iterator.next()
      iterator.return?.()
      expectEmpty(context, store)
    }
  })

  it('freed again, and freed in the middle of a reading that goes on, it is still empty', async () => {
    const context = await makeContext()
    const store = storeOf(context, [0, 1], [1, 2])
    const iterator = store.drain()[Symbol.iterator]()
    iterator.next()
    store.free()
    iterator.return?.()
    expectEmpty(context, store)
  })

  it('refuses what is no rows', async () => {
    const context = await makeContext()
    const store = new RowStore(context)
    const failure = { kind: 'failure', split: 0, failure: {} } as unknown as Part<VectorBatch>
    expect(() => store.absorb(failure)).toThrow('not failure')
  })

  it('rows that memory has no room for leave scratch and heap as they were', async () => {
    const context = await makeContext({ maximumBytes: 2 ** 22 })
    const store = new RowStore(context)
    const batch = batchOf(
      { id: new Int32Array(60_000), text: Array(60_000).fill('x'), words: Array(60_000).fill(['x']) },
      shape,
    )
    const error = thrown(() => {
      while (true) store.absorb({ kind: 'rows', split: 0, batch })
    })
    expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
    expect(store.rowCount).toBeGreaterThan(0)
    expect(context.k.memory.mark()).toBe(0)
    expectEmpty(context, store)
  })
})
