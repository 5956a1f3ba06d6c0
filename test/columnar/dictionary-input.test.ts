// Facts about dictionary(codes, values).

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Codes, dictionary } from '../../src/columnar/dictionary-input.js'
import { batchesFromColumns, openColumns } from '../../src/columnar/input.js'
import { schema } from '../../src/columnar/schema.js'
import { int32, nullable, utf8 } from '../../src/columnar/type.js'
import { cuts, errorOf } from './arbitraries.js'

const read = (input: ReturnType<typeof dictionary>): unknown[] => [...batchesFromColumns({ x: input })[0].column('x')]

test('codes of any width, with nulls by bitmap, by booleans or among the codes, read as their values in any chunks', () => {
  const makes = [Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array, Uint32Array]
  const texts = fc.array(fc.constantFrom('a', 'b', '', 'é', '\u{1f600}', '__proto__'), { minLength: 1, maxLength: 8 })
  const columns = texts.chain(values =>
    fc
      .array(fc.option(fc.nat(values.length - 1)), { maxLength: 80 })
      .chain(codes => fc.tuple(fc.constant(values), fc.constant(codes), cuts(codes.length), fc.constantFrom(...makes))),
  )
  fc.assert(
    fc.property(columns, ([values, codes, ends, make]) => {
      const expected = codes.map(code => (code === null ? null : values[code]))
      const validity = codes.map(code => code !== null)
      // The code of a null row may be anything.
      const typed = new make(codes.map(code => code ?? 99))
      const bitmap = new Uint8Array(Math.ceil(codes.length / 8))
      for (const [i, code] of codes.entries()) if (code !== null) bitmap[i >> 3] |= 1 << (i & 7)
      for (const input of [
        dictionary(codes, values),
        dictionary(typed, values, { validity }),
        dictionary(typed, values, { validity: bitmap }),
      ]) {
        const opened = openColumns({ x: input })
        const seen = ends.slice(1).flatMap((end, b) => {
          const { vectors } = opened.read(ends[b], end)
          for (const code of vectors[0].data) expect(code).toBeLessThan(vectors[0].dictionary?.length ?? 0)
          return [...opened.read(ends[b], end).column('x')]
        })
        expect(seen).toEqual(expected)
      }
      expect([...typed]).toEqual(codes.map(code => code ?? 99))
    }),
  )
})

test('equal values are one key', () => {
  const input = dictionary(Int32Array.of(0, 1, 2, 1), ['a', 'b', 'a'])
  const [vector] = batchesFromColumns({ x: input })[0].vectors
  expect(vector.dictionary?.length).toBe(2)
  expect(vector.data).toEqual(Int32Array.of(0, 1, 0, 1))
  expect(input.codes).toEqual(Int32Array.of(0, 1, 2, 1))
})

test('values that differ only in lone surrogates are one key', () => {
  expect(read(dictionary([0, 1], ['\ud800', '\udfff']))).toEqual(['\ufffd', '\ufffd'])
})

test('the chunks of a column share one dictionary', () => {
  const opened = openColumns({ x: dictionary([0, 1], ['a', 'b']) })
  expect(opened.read(0, 1).vectors[0].dictionary).toBe(opened.read(1, 2).vectors[0].dictionary)
})

test('nulls alone need no values', () => {
  expect(read(dictionary([null, null], []))).toEqual([null, null])
  expect(read(dictionary(Int32Array.of(5), [], { validity: [false] }))).toEqual([null])
})

describe('a code outside the values', () => {
  const wrong: readonly (readonly [Codes, unknown])[] = [
    [[0, 2], 2],
    [[0, -1], -1],
    [[0, 0.5], 0.5],
    [[0, Number.NaN], Number.NaN],
    [[0, '1' as never], '"1"'],
    [Int8Array.of(0, -1), -1],
    [Uint32Array.of(0, 2 ** 32 - 1), 2 ** 32 - 1],
    [Int32Array.of(0, 2), 2],
  ]
  test.each(wrong)('in %o is refused with its row when it is read', (codes, shown) => {
    const error = errorOf(() => read(dictionary(codes, ['a', 'b'])))
    expect(error).toMatchObject({ code: 'MR_INVALID_CODE', column: 'x', row: 1 })
    expect(error.message).toContain(`code ${shown} `)
  })

  test('is counted from the start of the column', () => {
    const opened = openColumns({ x: dictionary([0, 0, 0, 9], ['a']) })
    expect(errorOf(() => opened.read(2, 4))).toMatchObject({ code: 'MR_INVALID_CODE', row: 3 })
  })
})

test('values that are no strings are refused', () => {
  for (const value of [1, null, undefined, {}]) {
    expect(errorOf(() => read(dictionary([0], [value as never])))).toMatchObject({
      code: 'MR_TYPE_MISMATCH',
      column: 'x',
    })
  }
})

test('a validity of another length is refused', () => {
  expect(errorOf(() => read(dictionary([0, 0], ['a'], { validity: [true] }))).code).toBe('MR_COLUMN_LENGTH')
  expect(errorOf(() => read(dictionary(new Int8Array(9), ['a'], { validity: Uint8Array.of(255) }))).code).toBe(
    'MR_COLUMN_LENGTH',
  )
})

test('arguments that are no arrays are refused at once', () => {
  expect(errorOf(() => dictionary('ab' as never, ['a'])).code).toBe('MR_TYPE_MISMATCH')
  expect(errorOf(() => dictionary(Float64Array.of(0) as never, ['a'])).code).toBe('MR_TYPE_MISMATCH')
  expect(errorOf(() => dictionary([0], 'a' as never)).code).toBe('MR_TYPE_MISMATCH')
  expect(errorOf(() => dictionary([0], ['a'], { validity: 5 as never })).code).toBe('MR_TYPE_MISMATCH')
})

test('a declared type is utf8, nullable where there are nulls', () => {
  const x = dictionary([0, null], ['a'])
  expect(batchesFromColumns({ x }, schema({ x: nullable(utf8()) }))[0].toRows()).toEqual([{ x: 'a' }, { x: null }])
  expect(errorOf(() => batchesFromColumns({ x }, schema({ x: utf8() })))).toMatchObject({
    code: 'MR_TYPE_MISMATCH',
    row: 1,
  })
  expect(errorOf(() => batchesFromColumns({ x }, schema({ x: int32() })))).toMatchObject({
    code: 'MR_TYPE_MISMATCH',
    column: 'x',
  })
})
