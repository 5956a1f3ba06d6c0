// What is a row of CSV, and what is a bad one: pinned.

import { afterEach, describe, expect, test } from 'vitest'
import {
  bool,
  type DataType,
  date,
  float64,
  int8,
  int32,
  int64,
  nullable,
  timestamp,
  utf8,
} from '../../../src/columnar/type.js'
import { createCsvParser } from '../../../src/kernels/csv.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import type { CsvShape } from '../../../src/kernels/text-rows.js'
import { bytesOf, k, read, shapeOf, valuesOfText } from './support.js'

afterEach(() => k.memory.reset(0))

describe('RFC 4180 and its neighbours', () => {
  const texts = (text: string, count: number, options: Partial<CsvShape> = {}) =>
    valuesOfText(text, shapeOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, utf8()])), options))

  test.each<[name: string, text: string, rows: string[][], options?: Partial<CsvShape>]>([
    [
      'a line break at the end of each record',
      'aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n',
      [
        ['aaa', 'bbb', 'ccc'],
        ['zzz', 'yyy', 'xxx'],
      ],
    ],
    [
      'none at the end of the last',
      'aaa,bbb,ccc\r\nzzz,yyy,xxx',
      [
        ['aaa', 'bbb', 'ccc'],
        ['zzz', 'yyy', 'xxx'],
      ],
    ],
    ['spaces are part of a field', ' a , b,c \n', [[' a ', ' b', 'c ']]],
    ['a last field of nothing', 'a,b,\n', [['a', 'b', '']]],
    ['a last field of nothing and no line break', 'a,b,', [['a', 'b', '']]],
    [
      'quotes, or none',
      '"aaa","bbb","ccc"\r\nzzz,yyy,xxx',
      [
        ['aaa', 'bbb', 'ccc'],
        ['zzz', 'yyy', 'xxx'],
      ],
    ],
    [
      'a line break within quotes',
      '"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx',
      [
        ['aaa', 'b\r\nbb', 'ccc'],
        ['zzz', 'yyy', 'xxx'],
      ],
    ],
    [
      'a quote within quotes',
      '"aaa","b""bb","ccc"\n"""",""""""," "" "\n',
      [
        ['aaa', 'b"bb', 'ccc'],
        ['"', '""', ' " '],
      ],
    ],
    ['a delimiter within quotes', 'John,"120 any st.","Anytown, WW"\n', [['John', '120 any st.', 'Anytown, WW']]],
    [
      'JSON within quotes',
      '1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n',
      [['1', '{"type": "Point", "coordinates": [102.0, 0.5]}']],
    ],
    [
      'empty quotes',
      '1,"",""\r\n2,3,4\r\n',
      [
        ['1', '', ''],
        ['2', '3', '4'],
      ],
    ],
    ['a quote within a field is a character', 'a"b,5" pipe,c""\n', [['a"b', '5" pipe', 'c""']]],
    [
      'and so are those that follow it',
      'a"b,"c,d"\n"e""f",g"\n',
      [
        ['a"b', 'c,d'],
        ['e"f', 'g"'],
      ],
    ],
    [
      'characters beyond ASCII',
      'a,b,ʤ\n1,2,"😀"\n',
      [
        ['a', 'b', 'ʤ'],
        ['1', '2', '😀'],
      ],
    ],
    [
      'blank lines',
      '\n\na,b\n\r\n\nc,d\n\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a CR that is no line break',
      'a\rb,\r\nc,d\r',
      [
        ['a\rb', ''],
        ['c', 'd\r'],
      ],
    ],
    [
      'a CR before a CRLF',
      'a,b\r\r\nc,d\r\n',
      [
        ['a', 'b\r'],
        ['c', 'd'],
      ],
    ],
    [
      'another delimiter and another quote',
      "'a;b';c\n'it''s';\"\n",
      [
        ['a;b', 'c'],
        ["it's", '"'],
      ],
      { delimiter: ';', quote: "'" },
    ],
    [
      'no quotes at all',
      '"a","b\n"c",""\n',
      [
        ['"a"', '"b'],
        ['"c"', '""'],
      ],
      { quote: null },
    ],
    [
      'tabs',
      'a\tb c\n"d\te"\tf\n',
      [
        ['a', 'b c'],
        ['d\te', 'f'],
      ],
      { delimiter: '\t' },
    ],
    [
      'comments',
      '#x "y\na,b\n# "\n#\nc,#d\n"#e",f\n#',
      [
        ['a', 'b'],
        ['c', '#d'],
        ['#e', 'f'],
      ],
      { comment: '#' },
    ],
    [
      'short and long rows',
      'a\nb,c\nd,e,f\n',
      [
        ['b', 'c'],
        ['d', 'e'],
      ],
      { ragged: 'pad', collect: true },
    ],
  ])('%s', (_, text, rows, options) => {
    expect(texts(text, rows[0]!.length, options)).toEqual(rows)
  })

  test('a blank line of a file of one column is a null', () => {
    expect(valuesOfText('a\n\nb\n', shapeOf({ a: nullable(utf8()) }))).toEqual([['a'], [null], ['b']])
    expect(valuesOfText('\r\n1\r\n', shapeOf({ a: nullable(int32()) }))).toEqual([[null], [1]])
    expect(valuesOfText('\n', shapeOf({ a: utf8() }))).toEqual([['']])
  })

  test('what a row lacks is null where rows are filled up', () => {
    const shape = shapeOf({ a: utf8(), n: nullable(int32()), t: nullable(utf8()) }, { ragged: 'pad' })
    expect(valuesOfText('a\nb,1\r\nc,2,x,y\n', shape)).toEqual([
      ['a', null, null],
      ['b', 1, null],
      ['c', 2, 'x'],
    ])
  })
})

describe('nulls', () => {
  test('are tokens without quotes, of any type', () => {
    const types = {
      s: nullable(utf8()),
      n: nullable(int32()),
      x: nullable(float64()),
      b: nullable(bool()),
      d: nullable(date()),
    }
    const shape = shapeOf(types, { nulls: ['NA', '-1', 'nan', '1900-01-01', 'f'] })
    expect(
      valuesOfText(
        'NA,NA,NA,NA,NA\n"NA",1,0.5,t,2000-01-01\n-1,-1,-1,f,1900-01-01\n"-1","-1","nan","f"," 1900-01-01 "\n',
        shape,
      ),
    ).toEqual([
      [null, null, null, null, null],
      ['NA', 1, 0.5, true, 10957],
      [null, null, null, null, null],
      ['-1', -1, NaN, false, -25567],
    ])
  })

  test('without a token for it an empty field is a string, and nothing else', () => {
    const shape = shapeOf({ s: nullable(utf8()), n: nullable(int32()) }, { nulls: [], collect: true })
    const { rows, bad } = read(bytesOf(',1\nx,\n'), shape)
    expect(rows).toEqual([{ row: 0, values: ['', 1] }])
    expect(bad).toMatchObject([{ row: 1, byteOffset: 3, column: 'n', code: 'MR_TYPE_MISMATCH', text: 'x,' }])
  })

  test('a column without any has no validity', () => {
    const parser = createCsvParser(k, shapeOf({ n: nullable(int32()) }), ['n'], () => new LaneDictionary(k))
    const pointer = k.memory.scratch(100)
    const parse = (text: string) => {
      k.memory.u8.set(bytesOf(text), pointer)
      return parser.parse(pointer, text.length, text.length, true).morsel.columns[0]!
    }
    expect(parse('1\n2\n').validity).toBe(0)
    expect(parse('1\n\n').validity).not.toBe(0)
    expect(parse('3\n').validity).toBe(0)
    parser.free()
  })
})

describe('bad rows', () => {
  const said = (text: string, types: Record<string, DataType>, options: Partial<CsvShape> = {}) => {
    const { bad } = read(bytesOf(text), shapeOf(types, options))
    return bad.map(({ row, byteOffset, column, code, message, text }) => [row, byteOffset, column, code, message, text])
  }

  test.each<[types: Record<string, DataType>, text: string, column: string | null, code: string, message: string]>([
    [
      { age: int32() },
      '12x',
      'age',
      'MR_TYPE_MISMATCH',
      '"12x" is no int32 (column "age"); declare the column utf8, or collect bad rows',
    ],
    ...['2.5', '-.5e-3', '1e3'].map((text): [Record<string, DataType>, string, string, string, string] => [
      { n: int64() },
      text,
      'n',
      'MR_TYPE_MISMATCH',
      `"${text}" is no int64 (column "n"); declare the column float64, or collect bad rows`,
    ]),
    [
      { day: date() },
      '2.5',
      'day',
      'MR_TYPE_MISMATCH',
      '"2.5" is no date (column "day"); declare the column utf8, or collect bad rows',
    ],
    [
      { age: int8() },
      '"300"',
      'age',
      'MR_INTEGER_OVERFLOW',
      '"300" is beyond int8 (column "age"); declare the column int64, or collect bad rows',
    ],
    [
      { n: int64() },
      '9223372036854775808',
      'n',
      'MR_INTEGER_OVERFLOW',
      '"9223372036854775808" is beyond int64 (column "n"); declare the column float64 or utf8, or collect bad rows',
    ],
    [
      { t: timestamp('s') },
      '2024-01-01 00:00:00.5',
      't',
      'MR_INEXACT_VALUE',
      '"2024-01-01 00:00:00.5" is finer than timestamp(\'s\') or beyond it (column "t"); declare the column with another unit, or utf8, or collect bad rows',
    ],
    [
      { n: int32() },
      '""',
      'n',
      'MR_TYPE_MISMATCH',
      '"" is no int32 (column "n"); declare the column utf8, or collect bad rows',
    ],
    [
      { n: int32(), m: int32() },
      ',1',
      'n',
      'MR_TYPE_MISMATCH',
      'a null where none may be (column "n"); declare the column nullable(int32), or collect bad rows',
    ],
    [
      { a: utf8(), b: utf8() },
      'x',
      null,
      'MR_FORMAT_ERROR',
      "a row of 1 field where there are 2; check the delimiter, or set ragged: 'pad', or collect bad rows",
    ],
    [
      { a: utf8() },
      '"x"y',
      null,
      'MR_FORMAT_ERROR',
      'text behind the closing quote of a field; write a quote within quotes twice, or set quote: null where "\\"" is text like any other, or collect bad rows',
    ],
    [
      { a: utf8() },
      '"x',
      null,
      'MR_FORMAT_ERROR',
      'the field that a quote opens is closed nowhere; close it, or set quote: null where "\\"" is text like any other, or collect bad rows',
    ],
  ])('%j: %s', (types, text, column, code, message) => {
    expect(said(text, types)).toEqual([[0, 0, column, code, message, text]])
  })

  test('ill-formed UTF-8 is one, or replaced', () => {
    const bytes = Buffer.from('ok,1\nx\xe2\x82y\xff,2\n', 'latin1')
    const types = { s: utf8(), n: int32() }
    expect(read(bytes, shapeOf(types)).rows.map(({ values }) => values)).toEqual([
      ['ok', 1],
      ['x\ufffdy\ufffd', 2],
    ])
    expect(read(bytes, shapeOf(types, { fatal: true }))).toMatchObject({
      rows: [{ row: 0 }],
      bad: [
        {
          row: 1,
          byteOffset: 5,
          code: 'MR_FORMAT_ERROR',
          message: expect.stringMatching(/^byte 1 of the row is no UTF-8/),
        },
      ],
    })
  })

  test('ill-formed UTF-8 is found far behind a quote in the middle of a field', () => {
    // Such a row is read by itself, beyond the block of 64 bytes in which it begins.
    const bytes = Buffer.from(`ok,1\nx"y${'z'.repeat(100)}\xff,2\nok,3\n`, 'latin1')
    const types = { s: utf8(), n: int32() }
    const { rows, illFormed } = read(bytes, shapeOf(types))
    expect(rows[1]?.values).toEqual([`x"y${'z'.repeat(100)}\ufffd`, 2])
    expect(illFormed).toBe(1)
    expect(read(bytes, shapeOf(types, { fatal: true, collect: true })).bad).toMatchObject([
      { row: 1, byteOffset: 5, column: null, code: 'MR_FORMAT_ERROR' },
    ])
  })

  test('are told in order, the leftmost value of each, with rows that are not read as such', () => {
    const text = '1,a\nx,y,z\n2,b\n"q"q,1\ny,\n3,c\n'
    const types = { n: int32(), m: int32() }
    expect(said(text, types, { collect: true }).map(([row, at, column, code]) => [row, at, column, code])).toEqual([
      [0, 0, 'm', 'MR_TYPE_MISMATCH'],
      [1, 4, null, 'MR_FORMAT_ERROR'],
      [2, 10, 'm', 'MR_TYPE_MISMATCH'],
      [3, 14, null, 'MR_FORMAT_ERROR'],
      [4, 21, 'n', 'MR_TYPE_MISMATCH'],
      [5, 24, 'm', 'MR_TYPE_MISMATCH'],
    ])
  })

  test('of a long row the beginning is told', () => {
    const [[, , , , message, text]] = said(`${'é'.repeat(150)}${'\u{1f600}'.repeat(1000)},1\n`, {
      n: int32(),
      m: int32(),
    })
    expect((text as string).length).toBeLessThanOrEqual(200)
    expect(text).toBe('é'.repeat(150) + '\u{1f600}'.repeat(25))
    expect((message as string).length).toBeLessThan(300)
  })

  test('among rows in CRLF, each of which ends in one CR more', () => {
    const text = '1,a\r\r\nx,b\r\r\n3,c\r\r\n'
    const { rows } = read(bytesOf(text), shapeOf({ n: int32(), s: utf8() }, { collect: true }))
    expect(rows.map(({ values }) => values)).toEqual([
      [1, 'a\r'],
      [3, 'c\r'],
    ])
  })

  test('thousands in a window', () => {
    const text = Array.from({ length: 9000 }, (_, i) => (i % 3 === 0 ? `${i}` : i % 3 === 1 ? 'x' : 'y,z')).join('\n')
    const { rows, bad, rowsRead } = read(bytesOf(text), shapeOf({ n: int32() }, { collect: true }))
    expect(rowsRead).toBe(9000)
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 3000 }, (_, i) => 3 * i))
    expect(bad.map(({ row }) => row)).toEqual(Array.from({ length: 9000 }, (_, i) => i).filter(i => i % 3 !== 0))
  })
})
