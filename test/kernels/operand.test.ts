// Constant columns, and the layout facts that bindings share.

import { expect, test } from 'vitest'
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
  list,
  nullable,
  timestamp,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import { dataBytes, elementBytes, integerKind, type ScalarValue } from '../../src/kernels/operand.js'
import { constant } from '../../src/kernels/scalar.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { makeKernels, ROW_COUNTS, valuesOf } from './support.js'

const k = await makeKernels()

test('a constant column holds its value in every row, for every type', () => {
  const dictionary = new LaneDictionary(k)
  dictionary.internStrings(['another'])
  const cases: [DataType, ScalarValue][] = [
    [bool(), true],
    [bool(), false],
    [int8(), -7],
    [int16(), -300],
    [int32(), -70_000],
    [uint32(), 4_000_000_000],
    [date(), 19_000],
    [int64(), -(2n ** 62n)],
    [timestamp('us'), 1n],
    [float32(), 0.5],
    [float64(), -0],
    [utf8(), 'one'],
  ]
  for (const [type, value] of cases) {
    for (const n of ROW_COUNTS) {
      const vector = constant(k, { type, value }, n, dictionary)
      expect(valuesOf(k, vector)).toEqual(new Array(n).fill(value))
      expect([vector.validity, vector.length]).toEqual([0, n])
    }
  }
  dictionary.free()
})

test('a constant null is null in every row, for every type', () => {
  const dictionary = new LaneDictionary(k)
  for (const type of [bool(), int8(), int64(), float64(), timestamp(), utf8()]) {
    expect(valuesOf(k, constant(k, { type: nullable(type), value: null }, 130, dictionary))).toEqual(
      new Array(130).fill(null),
    )
  }
  expect(dictionary.length).toBe(0)
  dictionary.free()
})

test('a constant string needs a dictionary', () => {
  expect(() => constant(k, { type: utf8(), value: 'x' }, 1)).toThrowError(
    expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
  )
})

test('widths: bytes of an element, negative for unsigned integers, bitmaps in whole blocks', () => {
  expect([elementBytes('bool'), elementBytes('int16'), elementBytes('utf8'), elementBytes('timestamp')]).toEqual([
    0, 2, 4, 8,
  ])
  expect([integerKind('uint16'), integerKind('int16'), integerKind('date'), integerKind('bool')]).toEqual([-2, 2, 4, 0])
  expect([dataBytes('bool', 129), dataBytes('float64', 3)]).toEqual([32, 24])
  expect(() => elementBytes(list(int32()).kind)).toThrowError(expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }))
})
