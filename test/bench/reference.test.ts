// The benchmark's exact answers against rationals by BigInt, group by group; and the check that peers are held to.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAnswer, writeAnswer } from '../../bench/groupby/answer-file.js'
import { answerColumns, difference, takeColumn, toAnswer } from '../../bench/groupby/check.js'
import { groupByData, keyText } from '../../bench/groupby/data.js'
import { questions } from '../../bench/groupby/questions.js'
import { referenceAnswer } from '../../bench/groupby/reference.js'
import { exactly, nearest } from '../kernels/aggregate/model.js'

type Question = (typeof questions)[number]
type Output = Question['outputs'][number]
type Data = ReturnType<typeof groupByData>
type Answer = ReturnType<typeof referenceAnswer>

const isText = (name: string): name is 'id1' | 'id2' | 'id3' => name === 'id1' || name === 'id2' || name === 'id3'
const valueAt = (data: Data, name: keyof Data['columns'], row: number): number =>
  isText(name) ? data.columns[name].codes[row] : (data.columns[name] as Int32Array)[row]

/** Sums of exact values in units of 2^-1074, and of their products in units of 2^-2148. */
const total = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n)
const products = (xs: readonly bigint[], ys: readonly bigint[]) => total(xs.map((x, i) => x * ys[i]))

/** n * Sxy - Sx * Sy, in units of 2^-2148. */
function spread(xs: readonly bigint[], ys: readonly bigint[]): bigint {
  return BigInt(xs.length) * products(xs, ys) - total(xs) * total(ys)
}

/** What an output is of some rows, by its definition; the largest values as several. */
function model(output: Output, data: Data, rows: readonly number[]): number[] {
  const column = (name: 'v1' | 'v2' | 'v3') => rows.map(row => valueAt(data, name, row))
  const n = BigInt(rows.length)
  switch (output.of) {
    case 'count':
      return [rows.length]
    case 'sum':
      return [nearest(total(column(output.column).map(exactly)))]
    case 'mean':
      return [nearest(total(column(output.column).map(exactly)), n)]
    case 'range':
      return [Math.max(...column(output.max)) - Math.min(...column(output.min))]
    case 'median': {
      const sorted = column(output.column).sort((a, b) => a - b)
      const middle = [sorted[(rows.length - 1) >> 1], sorted[rows.length >> 1]]
      return [nearest(total(middle.map(exactly)), 2n)]
    }
    case 'stddev': {
      const xs = column(output.column).map(exactly)
      return [n < 2n ? NaN : Math.sqrt(nearest(spread(xs, xs), (n * (n - 1n)) << 1074n))]
    }
    case 'largest': {
      const sorted = column(output.column).sort((a, b) => b - a)
      return Array.from({ length: output.count }, (_, i) => sorted[i] ?? NaN)
    }
    case 'r2': {
      const [xs, ys] = [column(output.x), column(output.y)].map(values => values.map(BigInt))
      const [xx, yy] = [Number(spread(xs, xs)), Number(spread(ys, ys))]
      if (xx === 0 || yy === 0) return [NaN]
      const r = Math.max(-1, Math.min(1, Number(spread(xs, ys)) / (Math.sqrt(xx) * Math.sqrt(yy))))
      return [r * r]
    }
  }
}

function modelAnswer(data: Data, question: Question): { keys: number[][]; values: number[][] } {
  const groups = new Map<string, number[]>()
  for (let row = 0; row < data.rowCount; row++) {
    const key = question.keys.map(name => valueAt(data, name, row)).join()
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return {
    keys: [...groups.keys()].map(key => key.split(',').map(Number)),
    values: [...groups.values()].map(rows => question.outputs.flatMap(output => model(output, data, rows))),
  }
}

const rowsOf = (columns: Record<string, ArrayLike<number>>, rowCount: number) =>
  Array.from({ length: rowCount }, (_, row) => Object.values(columns).map(column => column[row]))

function expectModel(data: Data, question: Question): void {
  const { rowCount, keys, outputs } = referenceAnswer(data, question)
  const expected = modelAnswer(data, question)
  expect(rowsOf(keys, rowCount)).toEqual(expected.keys)
  expect(rowsOf(outputs, rowCount)).toEqual(expected.values)
}

/** Tables of few groups, with the extremes of every column often. */
const anyData: fc.Arbitrary<Data> = fc.integer({ min: 1, max: 60 }).chain(rowCount => {
  const ints = (min: number, max: number) =>
    fc
      .array(fc.integer({ min, max }), { minLength: rowCount, maxLength: rowCount })
      .map(values => Int32Array.from(values))
  const text = (name: 'id1' | 'id2' | 'id3') =>
    ints(0, 2).map(codes => ({ codes, values: [0, 1, 2].map(code => keyText(name, code)) }))
  const millionths = fc.oneof(fc.integer({ min: 0, max: 1e8 }), fc.constantFrom(0, 1, 2, 99_999_999, 1e8))
  return fc.record({
    rowCount: fc.constant(rowCount),
    columns: fc.record({
      id1: text('id1'),
      id2: text('id2'),
      id3: text('id3'),
      id4: ints(1, 3),
      id5: ints(1, 3),
      id6: ints(1, 3),
      v1: ints(1, 5),
      v2: ints(1, 15),
      v3: fc
        .array(millionths, { minLength: rowCount, maxLength: rowCount })
        .map(values => Float64Array.from(values, value => value / 1e6)),
    }),
  })
})

describe('the exact answer', () => {
  test.each(questions)('to $id is what rationals say, on tables of few groups', question => {
    fc.assert(
      fc.property(anyData, data => expectModel(data, question)),
      { numRuns: 40 },
    )
  })

  test.each(questions)('to $id is what rationals say, on the benchmark’s own data', question => {
    expectModel(groupByData(3000, 7), question)
  })

  test('holds with more rows in a group than one run of limbs takes', () => {
    const data = groupByData(5000, 3)
    data.columns.id4.fill(1)
    data.columns.id5.fill(1)
    data.columns.v3.fill(99.999999, 0, 4500)
    expectModel(data, questions.find(({ id }) => id === 'q6')!)
  })
})

test('columns made without the others are the same', () => {
  const { columns } = groupByData(1000, 5)
  expect(groupByData(1000, 5, ['id3', 'v3'])).toEqual({
    rowCount: 1000,
    columns: { id3: columns.id3, v3: columns.v3 },
  })
})

describe('the check', () => {
  const data = groupByData(2000, 1)
  const copy = (answer: Answer): Answer => ({
    rowCount: answer.rowCount,
    keys: Object.fromEntries(Object.entries(answer.keys).map(([name, column]) => [name, column.slice()])),
    outputs: Object.fromEntries(Object.entries(answer.outputs).map(([name, column]) => [name, column.slice()])),
  })
  const columnsOf = (answer: Answer) => [...Object.values(answer.keys), ...Object.values(answer.outputs)]
  const swapRows = (answer: Answer, a: number, b: number) => {
    for (const column of columnsOf(answer)) [column[a], column[b]] = [column[b], column[a]]
  }

  test.each(questions)(
    'of $id finds one value that differs, a group too few, one twice, and for ours the order',
    question => {
      const expected = referenceAnswer(data, question)
      const last = expected.rowCount - 1
      const wrong = (change: (answer: Answer) => void, exact: boolean) => {
        const answer = copy(expected)
        change(answer)
        return difference(question, answer, expected, { exact })
      }
      expect(wrong(() => {}, true)).toBeNull()
      expect(wrong(answer => swapRows(answer, 0, last), false)).toBeNull()
      expect(wrong(answer => swapRows(answer, 0, last), true)).toMatch(/is row/)
      for (const name in expected.outputs) {
        const off = (by: number) => (answer: Answer) => {
          answer.outputs[name][last] = Number.isNaN(answer.outputs[name][last])
            ? 1
            : answer.outputs[name][last] * by + by - 1
        }
        expect(wrong(off(1 + 1e-5), false)).toMatch(/instead of/)
        expect(wrong(off(1 + 1e-15), true)).toMatch(/instead of/)
      }
      for (const key in expected.keys) {
        expect(wrong(answer => answer.keys[key].fill(1_000_000, last), false)).toMatch(/no group/)
      }
      expect(wrong(answer => columnsOf(answer).forEach(column => column.copyWithin(last, 0, 1)), false)).toMatch(
        /twice/,
      )
      expect(wrong(answer => Object.assign(answer, { rowCount: last }), false)).toMatch(/groups instead of/)
    },
  )

  test.each(questions)(
    'of $id takes a peer’s columns as they come, the largest values as lists or as rows',
    question => {
      const expected = referenceAnswer(data, question)
      const places = Object.values(expected.outputs)
      const text = (key: string) =>
        isText(key) ? Array.from(expected.keys[key], code => keyText(key, code)) : expected.keys[key]
      const nullFor = (value: number) => (Number.isNaN(value) ? null : value)
      const lists = Array.from({ length: expected.rowCount }, (_, row) =>
        places.map(column => column[row]).filter(value => !Number.isNaN(value)),
      )
      const isLargest = question.outputs[0].of === 'largest'
      const outputs = isLargest
        ? { [question.outputs[0].name]: lists }
        : Object.fromEntries(
            Object.entries(expected.outputs).map(([name, column]) => [name, Array.from(column, nullFor)]),
          )
      const keys = Object.fromEntries(question.keys.map(key => [key, text(key)]))
      const given = (columns: Record<string, ArrayLike<unknown>>, rowCount: number) =>
        toAnswer(
          question,
          rowCount,
          Object.fromEntries(
            answerColumns(question).map(name => [name, takeColumn(question, name, columns[name], rowCount)]),
          ),
        )
      expect(given({ ...keys, ...outputs }, expected.rowCount)).toEqual(expected)
      if (isLargest) {
        const rows = lists.flatMap((list, row) => list.toReversed().map(value => [keys.id6[row], value]))
        const columns = { id6: rows.map(([id6]) => id6), largest: rows.map(([, value]) => value) }
        expect(given(columns, rows.length)).toEqual(expected)
      }
    },
  )

  test('refuses a string that is no key, a value that is not there, a number that is not whole where a key is wanted', () => {
    const [q1] = questions
    expect(() => takeColumn(q1, 'id1', ['id001', 'id01x'], 2)).toThrow('id1 holds "id01x"')
    expect(() => takeColumn(q1, 'id1', ['id0001'], 1)).toThrow('id1 holds')
    expect(() => takeColumn(q1, 'id1', ['id000'], 1)).toThrow('id1 holds')
    expect(() => takeColumn(q1, 'v1', [null], 1)).toThrow('v1 holds null')
    expect(() => takeColumn(q1, 'v1', [NaN], 1)).toThrow('v1 holds NaN')
    expect(() => takeColumn(questions[3], 'id4', [1.5], 1)).toThrow('id4 holds 1.5')
    expect(() => takeColumn(q1, 'v1', [1], 2)).toThrow('v1 has 1 values in 2 rows')
  })
})

test('an answer comes back from its file as it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  try {
    for (const question of questions) {
      const answer = referenceAnswer(groupByData(500, 2), question)
      writeAnswer(join(folder, question.id), answer)
      expect(readAnswer(join(folder, question.id))).toEqual(answer)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
