// How rows are asked for: limits, bytes that end anywhere, dictionaries, where rows begin, and what is refused.

import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { type DataType, float64, int32, list, nullable, utf8 } from '../../../src/columnar/type.js'
import { createCsvParser } from '../../../src/kernels/csv.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import type { CsvShape } from '../../../src/kernels/text-rows.js'
import { valuesOf } from '../support.js'
import { pick } from './samples.js'
import { bytesOf, k, read, shapeOf, THREE } from './support.js'

const RUNS = Number(process.env.MILLRACE_RUNS ?? 1)

afterEach(() => k.memory.reset(0))

describe('calls', () => {
  const parserOf = (shape: CsvShape, columns = shape.fields) =>
    createCsvParser(k, shape, columns, () => new LaneDictionary(k))
  const put = (text: string | Uint8Array) => {
    const bytes = typeof text === 'string' ? bytesOf(text) : text
    const pointer = k.memory.scratch(bytes.length + 64)
    k.memory.u8.set(bytes, pointer)
    return { pointer, length: bytes.length }
  }

  test('end with rows that begin before the limit', () => {
    const parser = parserOf(shapeOf({ n: int32() }))
    const { pointer, length } = put('11\n22\n33\n44\n')
    for (let limit = 1; limit <= 12; limit++) {
      const { morsel, rowsRead, consumed } = parser.parse(pointer, length, limit, true)
      expect([morsel.rowCount, rowsRead, consumed]).toEqual([
        Math.ceil(limit / 3),
        Math.ceil(limit / 3),
        3 * Math.ceil(limit / 3),
      ])
    }
    expect(parser.parse(pointer, length, 0, true)).toMatchObject({ rowsRead: 0, consumed: 0 })
    parser.free()
    // The same where rows are not all alike.
    const uneven = parserOf(shapeOf({ n: int32(), m: nullable(int32()) }, { ragged: 'pad' }))
    const text = put('1,2\n3\n4,5\n6\n')
    const starts = [0, 4, 6, 10, 12]
    for (let limit = 1; limit <= 12; limit++) {
      const { rowsRead, consumed } = uneven.parse(text.pointer, text.length, limit, true)
      const count = starts.filter(start => start < limit).length
      expect([rowsRead, consumed]).toEqual([count, starts[count]])
    }
    uneven.free()
  })

  test('give no row that does not end in the bytes given', () => {
    const parser = parserOf(shapeOf({ n: int32() }))
    const { pointer } = put('1\n"2\n3\n')
    expect(parser.parse(pointer, 1, 1, false)).toMatchObject({ rowsRead: 0, consumed: 0, bad: [] })
    expect(parser.parse(pointer, 7, 7, false)).toMatchObject({ rowsRead: 1, consumed: 2, bad: [] })
    expect(parser.parse(pointer, 7, 7, true)).toMatchObject({
      rowsRead: 2,
      consumed: 7,
      bad: [{ row: 1, byteOffset: 2 }],
    })
    parser.free()
  })

  test('have at most 65,536 rows, and fewer of many columns', () => {
    const parser = parserOf(shapeOf({ n: int32() }))
    const { pointer, length } = put('7\n'.repeat(70_000))
    const first = parser.parse(pointer, length, length, true)
    expect([first.morsel.rowCount, first.consumed]).toEqual([65_536, 131_072])
    parser.free()
    const types = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`c${i}`, float64()]))
    const wide = parserOf(shapeOf(types))
    const row = `${'7,'.repeat(1999)}7\n`
    const many = put(row.repeat(1100))
    const before = k.memory.mark()
    const second = wide.parse(many.pointer, many.length, many.length, true)
    expect(second.morsel.rowCount).toBeLessThan(1100)
    expect(second.consumed).toBe(row.length * second.morsel.rowCount)
    expect(k.memory.mark() - before).toBeLessThan(2 ** 25)
    expect(valuesOf(k, second.morsel.columns[1999]!).every(value => value === 7)).toBe(true)
    wide.free()
  })

  test('may want no column: rows are counted', () => {
    const parser = parserOf(shapeOf(THREE), [])
    const { pointer, length } = put('a,1,2\nb,x,y\n\nc,,')
    expect(parser.parse(pointer, length, length, true)).toMatchObject({
      rowsRead: 3,
      consumed: length,
      bad: [],
      morsel: { rowCount: 3, columns: [] },
    })
    parser.free()
  })

  test('take whatever dictionary there is', () => {
    const shape = shapeOf({ s: utf8() })
    const dictionaries = [new LaneDictionary(k), new LaneDictionary(k)]
    dictionaries[1]!.internStrings(['c', 'b'])
    let current = 0
    const parser = createCsvParser(k, shape, ['s'], () => dictionaries[current]!)
    const { pointer, length } = put('a\nb\nc\nb\n')
    for (current of [0, 1, 0, 1]) {
      const [column] = parser.parse(pointer, length, length, true).morsel.columns
      expect(column!.dictionary).toBe(dictionaries[current])
      expect(valuesOf(k, column!)).toEqual(['a', 'b', 'c', 'b'])
    }
    expect(dictionaries.map(each => each.length)).toEqual([3, 3])
    parser.free()
  })

  test('find strings again, however many there are', () => {
    const dictionary = new LaneDictionary(k)
    const parser = createCsvParser(k, shapeOf({ s: utf8() }), ['s'], () => dictionary)
    // Beyond what the index of short strings holds, then what it held.
    const counts = [50, 1000, 5000, 40_000, 530_000, 100]
    for (const count of counts) {
      const texts = Array.from({ length: count }, (_, i) =>
        i < 10_000 && i % 7 === 0 ? `a longer string: ${i}` : i < 10_000 && i % 5 === 0 ? `"s""${i}"` : `s${i}`,
      )
      const bytes = bytesOf(`${texts.join('\n')}\n`)
      const mark = k.memory.mark()
      const { pointer, length } = put(bytes)
      let row = 0
      for (let at = 0; at < length; ) {
        const inner = k.memory.mark()
        const { morsel, consumed } = parser.parse(pointer + at, length - at, length - at, true)
        const codes = morsel.columns[0]!.data >>> 2
        for (let i = 0; i < morsel.rowCount; i++)
          if (k.memory.u32[codes + i] !== row + i) expect(k.memory.u32[codes + i]).toBe(row + i)
        row += morsel.rowCount
        at += consumed
        k.memory.reset(inner)
      }
      expect(row).toBe(count)
      k.memory.reset(mark)
    }
    expect(dictionary.length).toBe(530_000)
    expect([0, 1, 5, 529_999].map(code => dictionary.get(code))).toEqual(['a longer string: 0', 's1', 's"5', 's529999'])
    parser.free()
    dictionary.free()
  })

  test('find strings where there is no memory to find them fast, and among any number of null tokens', () => {
    const texts = Array.from({ length: 3000 }, (_, i) => `s${i % 700}`)
    const bytes = bytesOf(`${texts.join('\n')}\n`)
    const expected = texts.map((text, row) => ({ row, values: [text] }))
    const { allocate } = k.memory
    k.memory.allocate = byteLength => {
      // Nothing else takes as much.
      if (byteLength >= 32_768 && byteLength < 2 ** 20) throw new Error('no memory')
      return allocate.call(k.memory, byteLength)
    }
    try {
      expect(read(bytes, shapeOf({ s: utf8() })).rows).toEqual(expected)
    } finally {
      k.memory.allocate = allocate
    }
    const nulls = Array.from({ length: 9000 }, (_, i) => `n${i}`)
    expect(read(bytes, shapeOf({ s: nullable(utf8()) }, { nulls })).rows).toEqual(expected)
    const shape = shapeOf({ s: nullable(utf8()) }, { nulls: [...nulls, 's1'] })
    expect(
      read(bytes, shape)
        .rows.slice(0, 3)
        .map(({ values }) => values),
    ).toEqual([['s0'], [null], ['s2']])
  })

  test('leave nothing behind', () => {
    k.memory.trim()
    const before = k.memory.usedBytes
    const bytes = bytesOf('a,1,0.5\n'.repeat(20_000))
    expect(read(bytes, shapeOf(THREE)).rows).toHaveLength(20_000)
    k.memory.trim()
    expect(k.memory.usedBytes).toBe(before)
  })
})

describe('where rows begin', () => {
  const startOf = (text: string | Uint8Array, shape: CsvShape, isEnd = true): number => {
    const bytes = typeof text === 'string' ? bytesOf(text) : text
    const mark = k.memory.mark()
    const parser = createCsvParser(k, shape, [], () => new LaneDictionary(k))
    const pointer = k.memory.scratch(bytes.length + 64)
    k.memory.u8.set(bytes, pointer)
    const start = parser.findStart(pointer, bytes.length, isEnd)
    parser.free()
    k.memory.reset(mark)
    return start
  }
  const two = shapeOf({ a: utf8(), b: utf8() })

  test.each<[text: string, start: number]>([
    ['x,y\nz,w\n', 4],
    ['\nz,w\n', 1],
    ['x,"y\n', 5],
    ['1,"a"\n2,"b, c\nd"\n', 6],
    ['a\nb, c",2\n3,"d"\n', 10],
    ['",2\n3,"d"\n', 4],
    ['x\ny\nz""\n","b"\nc,d\n', 14],
    ['5" pipe,x\n6" pipe,y\n', 10],
    ['abc', 3],
    ['"', 1],
  ])('%j: %i', (text, start) => {
    expect(startOf(text, two)).toBe(start)
  })

  test('more bytes are needed where there is none yet', () => {
    expect(startOf('abc', two, false)).toBe(-1)
    expect(startOf('abc\n', two, false)).toBe(4)
    expect(startOf('a"b",c', two, false)).toBe(-1)
  })

  test('quotes are ignored where they mean nothing', () => {
    expect(startOf('a"\n",b\n', shapeOf({ a: utf8(), b: utf8() }, { quote: null }))).toBe(3)
  })

  test('is found at every byte of a file whose texts are like texts', () => {
    const words = pick('a', 'of', 'no', 'words, more words', 'lines\nof text', 'he said "no"', '"quoted"', '', 'x\r\ny')
    const text = fc.array(words, { minLength: 1, maxLength: 4 }).map(each => each.join(' '))
    const quoted = (each: string): string => (/[",\n]/.test(each) ? `"${each.replaceAll('"', '""')}"` : each)
    const row = fc.tuple(fc.nat(), text, fc.nat(), text).map(([n, a, m, b]) => `${n},${quoted(a)},${m},${quoted(b)}\n`)
    const shape = shapeOf({ n: int32(), a: utf8(), m: int32(), b: utf8() })
    let wrong = 0
    let all = 0
    fc.assert(
      fc.property(fc.array(row, { minLength: 20, maxLength: 40 }), rows => {
        const bytes = bytesOf(rows.join(''))
        const starts = [0]
        for (const each of rows) starts.push(starts.at(-1)! + bytesOf(each).length)
        // The last rows are little to judge by.
        for (let cut = 0; cut < starts.at(-10)!; cut++) {
          all++
          if (cut + startOf(bytes.subarray(cut), shape) !== starts.find(start => start > cut)) wrong++
        }
      }),
      { numRuns: 5 * RUNS, seed: 1 },
    )
    expect(all).toBeGreaterThan(1500)
    expect(wrong / all).toBeLessThan(0.001)
  })
})

describe('refusals', () => {
  const refusal = (
    types: Record<string, DataType>,
    options: Partial<CsvShape>,
    columns = Object.keys(types),
  ): unknown => {
    try {
      createCsvParser(k, shapeOf(types, options), columns, () => new LaneDictionary(k)).free()
    } catch (error) {
      return error
    }
    return null
  }

  test.each<[options: Partial<CsvShape>, code: string]>([
    [{ delimiter: '' }, 'MR_INVALID_OPTION'],
    [{ delimiter: '||' }, 'MR_INVALID_OPTION'],
    [{ delimiter: '\n' }, 'MR_INVALID_OPTION'],
    [{ delimiter: 'é' }, 'MR_INVALID_OPTION'],
    [{ quote: ',' }, 'MR_INVALID_OPTION'],
    [{ comment: '"' }, 'MR_INVALID_OPTION'],
    [{ fields: [] }, 'MR_INVALID_OPTION'],
  ])('%j', (options, code) => {
    const before = k.memory.usedBytes
    expect(refusal({ a: utf8() }, options)).toMatchObject({ code })
    expect(k.memory.usedBytes).toBe(before)
  })

  test('columns that there are not, and types that are none of text', () => {
    const before = k.memory.usedBytes
    expect(refusal({ alpha: utf8() }, {}, ['alpa'])).toMatchObject({
      code: 'MR_UNKNOWN_COLUMN',
      details: { suggestion: 'alpha' },
    })
    expect(refusal({ a: list(int32()) }, {})).toMatchObject({ code: 'MR_TYPE_MISMATCH', details: { column: 'a' } })
    expect(k.memory.usedBytes).toBe(before)
  })
})
