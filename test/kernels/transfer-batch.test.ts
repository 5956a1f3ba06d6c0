// Record batches into a lane and out again: what comes out is what went in.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dictionary } from '../../src/columnar/dictionary.js'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import {
  bool,
  type DataType,
  date,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullable,
  type SchemaShape,
  struct,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import { bitmapOf } from '../../src/columnar/validity.js'
import { allocateData, makeVector, type Vector } from '../../src/columnar/vector.js'
import type { LaneBatch } from '../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { loadBatch, unloadBatch } from '../../src/kernels/transfer-batch.js'
import { anyDouble, makeKernels, ROW_COUNTS } from './support.js'

const k = await makeKernels()

const NUMBERS: readonly DataType[] = [
  int8(),
  int16(),
  int32(),
  uint8(),
  uint16(),
  uint32(),
  float32(),
  float64(),
  date(),
]

/** The form in which strings are handed over. */
type TextForm = 'codes' | 'plain'

function vectorOf(type: DataType, values: readonly unknown[], form: TextForm): Vector {
  const n = values.length
  const validity = values.includes(null) ? bitmapOf(values.map(value => value !== null)) : null
  const nullableType = validity === null ? type : nullable(type)
  if (type.kind === 'bool') return makeVector(nullableType, n, bitmapOf(values), { validity })
  if (type.kind !== 'utf8') {
    const data = allocateData(type.kind, n)
    values.forEach((value, i) => {
      if (value !== null) data[i] = value as never
    })
    return makeVector(nullableType, n, data, { validity })
  }
  if (form === 'codes') {
    const dictionary = new Dictionary()
    const data = Int32Array.from(values, value => (value === null ? 0 : dictionary.add(value as string)))
    return makeVector(nullableType, n, data, { validity, dictionary })
  }
  const encoded = values.map(value => Buffer.from((value ?? 'hidden') as string))
  const offsets = new Int32Array(n + 1)
  encoded.forEach((text, i) => {
    offsets[i + 1] = offsets[i] + text.length
  })
  return makeVector(nullableType, n, new Uint8Array(Buffer.concat(encoded)), { validity, offsets })
}

const anyBatch = fc.constantFrom(...ROW_COUNTS.filter(n => n < 200)).chain(n => {
  const cells = <T>(value: fc.Arbitrary<T>) =>
    fc
      .boolean()
      .chain(nulls => fc.array(nulls ? fc.option(value, { nil: null }) : value, { minLength: n, maxLength: n }))
  return fc
    .record({
      numbers: fc.tuple(...NUMBERS.map(() => cells(fc.integer({ min: 0, max: 127 })))),
      doubles: cells(anyDouble),
      longs: cells(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      flags: cells(fc.boolean()),
      texts: cells(fc.string({ unit: 'grapheme', maxLength: 12 })),
      form: fc.constantFrom<TextForm>('codes', 'plain'),
    })
    .map(({ numbers, doubles, longs, flags, texts, form }) => {
      const vectors = [
        ...numbers.map((values, i) => vectorOf(NUMBERS[i], values, form)),
        vectorOf(float64(), doubles, form),
        vectorOf(int64(), longs, form),
        vectorOf(timestamp('us'), longs, form),
        vectorOf(bool(), flags, form),
        vectorOf(utf8(), texts, form),
        vectorOf(utf8(), [...texts].reverse(), form),
      ]
      const schema = Object.fromEntries(vectors.map((vector, i) => [`c${i}`, vector.type]))
      return new RecordBatch(schema, vectors, n)
    })
})

/** Out of the lane, and given its schema again. */
function unload<S extends SchemaShape>(batch: LaneBatch, schema: S): RecordBatch<S> {
  const { vectors, rowCount } = unloadBatch(k, batch, Object.values(schema))
  return new RecordBatch(schema, vectors, rowCount)
}

const rowsOf = (batch: RecordBatch) => batch.toRows({ bigint: true })

test('any batch, whole or sliced anywhere, comes out as it went in', () => {
  fc.assert(
    fc.property(
      anyBatch,
      fc.nat(200),
      fc.nat(200),
      fc.constantFrom('scratch' as const, 'heap' as const),
      (batch, a, b, place) => {
        const mark = k.memory.mark()
        const used = k.memory.usedBytes
        const slice = batch.slice(Math.min(a, b), Math.max(a, b))
        const dictionaries = batch.vectors.map(({ type }) => (type.kind === 'utf8' ? new LaneDictionary(k) : null))
        for (const each of [batch, slice]) {
          const loaded = loadBatch(k, each, dictionaries, place)
          expect(rowsOf(unload(loaded, batch.schema))).toEqual(rowsOf(each))
          if (place === 'heap')
            for (const { data, validity } of loaded.columns)
              for (const pointer of [data, validity]) k.memory.free(pointer)
        }
        for (const dictionary of dictionaries) dictionary?.free()
        k.memory.reset(mark)
        // Arena chunks may have been added; every block has been freed.
        k.memory.trim()
        expect(k.memory.usedBytes).toBeLessThanOrEqual(used)
      },
    ),
    { numRuns: 150 },
  )
})

test('every buffer of an unloaded batch is its own, so that it can be transferred', () => {
  const values = Array.from({ length: 70 }, (_, i) => (i % 7 === 0 ? null : i))
  const vectors = [
    vectorOf(int32(), values, 'codes'),
    vectorOf(
      bool(),
      values.map(value => (value === null ? null : true)),
      'codes',
    ),
  ]
  const schema = { a: nullable(int32()), b: nullable(bool()) }
  const loaded = loadBatch(k, new RecordBatch(schema, vectors, 70), [null, null])
  const batch = unload(loaded, schema)
  const buffers = batch.vectors.flatMap(({ data, validity }) => [data.buffer, (validity as Uint8Array).buffer])
  expect(new Set(buffers).size).toBe(4)
  for (const { data, validity } of batch.vectors) {
    expect(data.buffer.byteLength).toBe(data.byteLength)
    expect((validity as Uint8Array).buffer.byteLength).toBe(9)
  }
  const copy = structuredClone(batch.vectors[0].data, { transfer: [batch.vectors[0].data.buffer as ArrayBuffer] })
  expect(copy.length).toBe(70)
})

test('strings of many dictionaries get one dictionary in the lane and out of it', () => {
  const lane = new LaneDictionary(k)
  const unloaded = [
    ['a', 'b'],
    ['b', 'c', 'a'],
    ['c', null, 'd'],
  ].map((values, i) => {
    const vector = vectorOf(utf8(), values, i === 1 ? 'plain' : 'codes')
    const schema = { s: nullable(utf8()) }
    return unload(loadBatch(k, new RecordBatch(schema, [vector], values.length), [lane]), schema)
  })
  expect(unloaded.map(batch => batch.toRows().map(row => row.s))).toEqual([
    ['a', 'b'],
    ['b', 'c', 'a'],
    ['c', null, 'd'],
  ])
  expect(new Set(unloaded.map(batch => batch.vectors[0].dictionary)).size).toBe(1)
  expect(Array.from(unloaded[1].vectors[0].data as Int32Array)).toEqual([1, 2, 0])
  lane.free()
})

test('a batch that uses little of a large dictionary takes only that along', () => {
  const lane = new LaneDictionary(k)
  const values = Array.from({ length: 5000 }, (_, i) => `value ${i}`)
  lane.internStrings(values)
  const schema = { s: utf8() }
  const few = ['value 4000', 'value 7', 'value 4000', 'new']
  const batch = unload(loadBatch(k, new RecordBatch(schema, [vectorOf(utf8(), few, 'plain')], 4), [lane]), schema)
  expect(batch.toRows().map(row => row.s)).toEqual(few)
  expect((batch.vectors[0].dictionary as Dictionary).length).toBe(3)
  lane.free()
})

test('codes come out as narrow as the dictionary allows, and as they are where nobody says who receives them', () => {
  const schema = { s: nullable(utf8()) }
  for (const [entries, narrow] of [
    [1, Uint8Array],
    [256, Uint8Array],
    [257, Uint16Array],
    [65_536, Uint16Array],
    [65_537, Int32Array],
  ] as const) {
    const lane = new LaneDictionary(k)
    lane.internStrings(Array.from({ length: entries }, (_, i) => `entry ${i}`))
    for (const length of [1, 7, 8, 9, 15, 16, 17, 31, 65_536]) {
      const values = Array.from({ length }, (_, i) =>
        i % 11 === 5 ? null : `entry ${Math.max(0, entries - 1 - (i % 5000))}`,
      )
      const mark = k.memory.mark()
      const loaded = loadBatch(k, new RecordBatch(schema, [vectorOf(utf8(), values, 'codes')], length), [lane])
      // As many rows are expected as make the whole dictionary worth sending.
      const unloaded = unloadBatch(k, loaded, Object.values(schema), { expected: entries, rows: new WeakMap() })
      expect(unloaded.vectors[0].data).toBeInstanceOf(narrow)
      expect(new RecordBatch(schema, unloaded.vectors, length).toRows().map(row => row.s)).toEqual(values)
      expect(unload(loaded, schema).vectors[0].data).toBeInstanceOf(Int32Array)
      k.memory.reset(mark)
    }
    lane.free()
  }
})

test('a column of nothing but null strings, with no entry in its dictionary', () => {
  const lane = new LaneDictionary(k)
  const schema = { s: nullable(utf8()) }
  const vector = makeVector(nullable(utf8()), 3, new Int32Array(3), {
    validity: new Uint8Array(1),
    dictionary: new Dictionary(),
  })
  const batch = unload(loadBatch(k, new RecordBatch(schema, [vector], 3), [lane]), schema)
  expect(batch.toRows()).toEqual([{ s: null }, { s: null }, { s: null }])
  lane.free()
})

test('what has no lane form is refused, and nothing stays behind', () => {
  const used = k.memory.usedBytes
  const vectors = [vectorOf(int32(), [1, 2], 'codes'), { ...vectorOf(int32(), [1, 2], 'codes'), type: struct({}) }]
  const batch = Object.assign(Object.create(RecordBatch.prototype), { schema: {}, vectors, rowCount: 2, weights: null })
  expect(() => loadBatch(k, batch, [null, null], 'heap')).toThrowError(
    expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
  )
  expect(k.memory.usedBytes).toBe(used)
  const text = new RecordBatch({ s: utf8() }, [vectorOf(utf8(), ['a'], 'codes')], 1)
  expect(() => loadBatch(k, text, [null])).toThrowError(expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }))
})

test('memory that runs out while loading is a coded error, and nothing stays behind', async () => {
  const small = await makeKernels({ maximumBytes: 1 << 20 })
  const schema = { a: float64(), b: float64() }
  const vectors = [0, 1].map(() => makeVector(float64(), 65_536, new Float64Array(65_536)))
  expect(() => loadBatch(small, new RecordBatch(schema, vectors, 65_536), [null, null], 'heap')).toThrowError(
    expect.objectContaining({ code: 'MR_MEMORY_LIMIT' }),
  )
  expect(small.memory.usedBytes).toBe(0)
})
