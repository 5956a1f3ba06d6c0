// Batches as bytes: every type, nulls, lists and strings come back, in JavaScript and in a lane, and only the strings that are used are there.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { int32, list, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import { sliceVector, type Vector } from '../../src/columnar/vector.js'
import { freeVector, unloadBatch } from '../../src/kernels/transfer-batch.js'
import { batchBytes, batchOfBytes, laneBatchOfBytes } from '../../src/operators/batch-bytes.js'
import { fittingBatches } from '../../src/operators/fitting-batches.js'
import { copyToHeap } from '../../src/operators/heap-batch.js'
import { createOneDictionary } from '../../src/operators/one-dictionary.js'
import { tables } from '../laws/tables.js'
import { batchOf, batchOfModel, type Context, makeContext, morselOf, rowsOf, tableOf } from './support.js'

const schemaOf = (batch: RecordBatch): SchemaShape => batch.schema

/** As it leaves a lane: strings by codes. */
function throughLane(context: Context, batch: RecordBatch): RecordBatch {
  const mark = context.k.memory.mark()
  const { vectors, rowCount } = unloadBatch(context.k, morselOf(context, batch), Object.values(schemaOf(batch)))
  context.k.memory.reset(mark)
  return new RecordBatch(schemaOf(batch), vectors, rowCount)
}

const dictionaryLengths = (vectors: readonly Vector[]): number[] =>
  vectors.flatMap(({ dictionary, child }) =>
    child ? dictionaryLengths([child]) : dictionary === null ? [] : [dictionary.length],
  )

describe('a batch as bytes', () => {
  it('comes back, rows and types, whatever they are', async () => {
    const context = await makeContext()
    fc.assert(
      fc.property(tables(150), table => {
        const batch = throughLane(context, batchOfModel(table))
        const types = Object.values(schemaOf(batch))
        const { rowCount, vectors } = batchOfBytes(batchBytes(batch), types)
        expect(new RecordBatch(schemaOf(batch), vectors, rowCount).toRows({ bigint: true })).toEqual(
          batch.toRows({ bigint: true }),
        )
      }),
      { numRuns: 100 },
    )
  })

  it('in a lane is one block, and can be recoded', async () => {
    const context = await makeContext()
    const { k } = context
    fc.assert(
      fc.property(tables(150), table => {
        const batch = throughLane(context, batchOfModel(table))
        const types = Object.values(schemaOf(batch))
        const mark = k.memory.mark()
        const { pointer, batch: inLane } = laneBatchOfBytes(k, batchBytes(batch), types)
        const strings = createOneDictionary(context, () => false)
        const found = tableOf(context, strings.recode(inLane), schemaOf(batch))
        expect(found.toRows({ bigint: true })).toEqual(batch.toRows({ bigint: true }))
        strings.clear()
        k.memory.free(pointer)
        k.memory.reset(mark)
      }),
      { numRuns: 60 },
    )
    context.loader.close()
    expect(context.usedBytes()).toBe(0)
  })

  it('brings the strings that it uses, each once', async () => {
    const context = await makeContext()
    const schema = { text: nullable(utf8()) }
    const many = throughLane(context, batchOf({ text: Array.from({ length: 5000 }, (_, i) => `text ${i}`) }, schema))
    const few = throughLane(context, batchOf({ text: ['text 7', null, 'text 9', 'text 7'] }, schema))
    expect(dictionaryLengths(many.vectors)).toEqual([5000])
    const { vectors } = batchOfBytes(batchBytes(few), [schema.text])
    expect(dictionaryLengths(vectors)[0]).toBeLessThanOrEqual(3)
    expect(batchBytes(few).length).toBeLessThan(300)
    // Few strings may be long ones.
    const long = throughLane(
      context,
      batchOf({ text: Array.from({ length: 20 }, (_, i) => `${i}`.repeat(1000)) }, schema),
    )
    const one = { rowCount: 1, vectors: long.vectors.map(vector => sliceVector(vector, 3, 4)) }
    expect(batchBytes(one).length).toBeLessThan(1200)
  })
})

describe('a column', () => {
  it('keeps one dictionary, whatever its batches come with, until that is let go', async () => {
    const context = await makeContext()
    const { k } = context
    const schema = { text: utf8() }
    const strings = createOneDictionary(context)
    const give = (...texts: string[]) => {
      const other = createOneDictionary(context)
      const batch = strings.recode(other.load(batchOf({ text: texts }, schema)))
      const rows = rowsOf(context, batch, schema).map(({ text }) => text)
      const { dictionary } = batch.columns[0]
      other.clear()
      return { rows, dictionary }
    }
    const first = give('a', 'b')
    const second = give('c', 'b')
    expect([first.rows, second.rows]).toEqual([
      ['a', 'b'],
      ['c', 'b'],
    ])
    expect(second.dictionary).toBe(first.dictionary)
    expect(first.dictionary?.length).toBe(3)
    strings.clear()
    expect(give('d').dictionary).not.toBe(first.dictionary)
    strings.clear()
    k.memory.reset(0)
    expect(context.usedBytes()).toBe(0)
  })
})

describe('batches that fit', () => {
  const schema = { id: int32(), text: utf8(), list: list(utf8()) }
  const batch = batchOf(
    {
      id: Int32Array.from({ length: 20_000 }, (_, i) => i),
      text: Array.from({ length: 20_000 }, (_, i) => `text ${i}`),
      list: Array.from({ length: 20_000 }, (_, i) => (i % 2 ? [`item ${i}`] : [])),
    },
    schema,
  )

  it('are the batch itself where there is room', () => {
    expect([...fittingBatches(batch, 2 ** 24)]).toEqual([batch])
  })

  it('are its rows in order, and have no longer dictionaries than rows where these are long', async () => {
    const context = await makeContext()
    const coded = throughLane(context, batch)
    for (const given of [batch, coded]) {
      const parts = [...fittingBatches(given, 2 ** 17)]
      expect(parts.length).toBeGreaterThan(3)
      const rows = parts.flatMap(({ vectors, rowCount }) => new RecordBatch(schema, vectors, rowCount).toRows())
      expect(rows).toEqual(batch.toRows())
      for (const { vectors, rowCount } of parts) {
        for (const length of dictionaryLengths(vectors)) expect(length).toBeLessThanOrEqual(rowCount)
        const mark = context.k.memory.mark()
        for (const column of copyToHeap(context.k, context.loader.load({ vectors, rowCount })).columns)
          freeVector(context.k, column)
        context.k.memory.reset(mark)
      }
    }
  })
})
