// Rows from JSON, against a model that makes a tree of every record and converts value by value. Many cases of it: json-properties.test.ts.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bool,
  date,
  float32,
  float64,
  int8,
  int32,
  int64,
  list,
  nullable,
  struct,
  timestamp,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import { createJsonParser } from '../../src/kernels/json.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import type { JsonShape } from '../../src/kernels/text-rows.js'
import { cases, document } from './json-cases.js'
import { bare, bytesOf, expectLikeModel, feed, model, read, shapeOf } from './json-rows.js'
import { damage, damaged } from './json-texts.js'
import { makeKernels } from './support.js'

const k = await makeKernels()

const values = (shape: JsonShape, text: string | Uint8Array) => read(k, shape, text).rows.map(row => row.values)

/** What is wrong with the one record of a text. */
const fault = (shape: JsonShape, text: string | Uint8Array) => {
  const { bad } = read(k, shape, text)
  expect(bad.length).toBe(1)
  return bad[0]
}

test('records of flat fields, in any order', () => {
  const shape = shapeOf({ a: int32(), b: utf8(), c: float64(), d: nullable(bool()), e: nullable(list(int32())) })
  const text = [
    '{"a":1,"b":"x","c":1.5,"d":true,"e":[1,2]}',
    '{"a":2,"b":"y","c":-2,"d":null,"e":[]}',
    '{"a":-3,"b":"","c":1e3}',
    '{"b":"\\u00e9\\n","c":0.25,"a":12345678,"d":false,"e":[7]}',
  ].join('\n')
  expect(values(shape, text)).toEqual([
    [1n, 'x', 1.5, true, [1n, 2n]],
    [2n, 'y', -2, null, []],
    [-3n, '', 1000, null, null],
    [12345678n, 'é\n', 0.25, false, [7n]],
  ])
})

test('records of every sort are read as the model reads them', () => {
  fc.assert(
    fc.property(cases, ({ shape, records, gap }) => {
      expectLikeModel(k, shape, document(shape.layout, records, gap))
    }),
    { numRuns: 150 },
  )
})

test('damaged records are refused where the model refuses them, and no others', () => {
  fc.assert(
    fc.property(cases, damage, ({ shape, records, gap }, changes) => {
      expectLikeModel(k, shape, damaged(document(shape.layout, records, gap), changes))
    }),
    { numRuns: 250 },
  )
})

describe('bytes that come in pieces', () => {
  const fields = {
    a: nullable(int32()),
    s: nullable(utf8()),
    f: float64(),
    l: nullable(list(nullable(utf8()))),
    'o.x': nullable(utf8()),
    t: nullable(timestamp('us')),
    key_that_is_long: nullable(bool()),
  }
  const records = [
    '{"a":15,"s":"x","f":37.211254,"l":["p","q"],"o":{"x":"y"},"t":"2024-02-29T12:34:56.789Z","key_that_is_long":true}',
    '{"a":16,"s":"yy","f":3.25,"l":[],"o":{"x":"z"},"t":null,"key_that_is_long":false}',
    '{"a":123456789,"s":"a \\"b\\" \\ud83d\\ude00 é€","f":-1e-7,"l":["p",null],"o":{"x":{"y":[1, 2]}},"t":0}',
    '{"a":1.5,"s":"bad","f":1}',
    '{ "f" : 12345678901234567890 , "other" : [ { } , [ ] , "\\u0041" , -0.5e+3 , true ] , "s" : "" }',
    '{"a":1,"f":2,}',
    '{"a":4,"s":"\\ud800","f":0.1,"a":5,"o":null}',
  ]
  const damagedBytes = Buffer.concat([Buffer.from('{"f":1,"s":"'), Uint8Array.of(0xe2, 0x82, 0x22, 0x7d)])
  const joined = (between: string) => Buffer.concat([Buffer.from(records.join(between) + between), damagedBytes])

  test.each([
    ['lines', false, '\n'],
    ['lines', true, '\r\n'],
    ['lines', false, '\n\n \n'],
    ['array', false, ','],
    ['array', true, ' ,\n  '],
  ] as const)('cut anywhere, %s, fatal %s, %j between', (layout, fatal, between) => {
    const shape = shapeOf(fields, { layout, fatal })
    const bytes =
      layout === 'lines' ? joined(between) : Buffer.concat([Buffer.from(' '), joined(between), Buffer.from(' ]\n')])
    const expected = model(shape, bytes)
    expect(expected.rows.length).toBe(fatal ? 4 : 6)
    const dictionaries = shape.types.map(() => new LaneDictionary(k))
    const parser = createJsonParser(k, shape, shape.fields, i => dictionaries[i])
    for (let cut = 0; cut <= bytes.length; cut++) expect(bare(shape, feed(k, parser, bytes, [cut]))).toEqual(expected)
    parser.free()
    for (const dictionary of dictionaries) dictionary.free()
  })

  test('what lies behind the bytes is no matter', () => {
    const shape = shapeOf(fields)
    const bytes = joined('\n')
    const behinds = [
      '"}\n{"a":1}\n',
      '0',
      '.5',
      'e9',
      '"',
      '\\',
      '}',
      ']',
      ' \n',
      '\0'.repeat(64),
      'true,"a":{"b":"c"}}\n',
      ',"s":"x"'.repeat(8),
    ]
    const expected = model(shape, bytes)
    const dictionaries = shape.types.map(() => new LaneDictionary(k))
    const parser = createJsonParser(k, shape, shape.fields, i => dictionaries[i])
    for (const behind of behinds) {
      for (let cut = 0; cut <= bytes.length; cut += 3) {
        const found = feed(k, parser, bytes, [cut], { behind: Buffer.from(behind.padEnd(64, behind)) })
        expect(bare(shape, found)).toEqual(expected)
      }
    }
    parser.free()
    for (const dictionary of dictionaries) dictionary.free()
  })

  test('split anywhere, each part reads the records that begin in it', () => {
    const shape = shapeOf(fields)
    const bytes = Buffer.concat([Buffer.from('\n'), joined(' \n\n')])
    const expected = model(shape, bytes)
    const dictionaries = shape.types.map(() => new LaneDictionary(k))
    const parser = createJsonParser(k, shape, shape.fields, i => dictionaries[i])
    const pointer = k.memory.allocate(bytes.length + 64)
    for (let split = 1; split <= bytes.length; split++) {
      const first = feed(k, parser, bytes, [], { limit: split })
      k.memory.u8.set(bytes, pointer)
      const start = split - 1 + parser.findStart(pointer + split - 1, bytes.length - split + 1, true)
      expect(first.end).toBe(start)
      const second = feed(k, parser, bytes, [], { start })
      const rows = [...first.rows, ...second.rows].map(row => row.values)
      expect(rows).toEqual(expected.rows.map(row => row.values))
      expect([...first.bad, ...second.bad].map(row => row.byteOffset)).toEqual(expected.bad.map(row => row.byteOffset))
    }
    k.memory.free(pointer)
    parser.free()
    for (const dictionary of dictionaries) dictionary.free()
  })

  test('where records begin is behind a line break, if there is one', () => {
    const parser = createJsonParser(k, shapeOf({ a: int32() }), ['a'], () => expect.fail())
    const pointer = k.memory.allocate(256)
    const find = (text: string, isEnd: boolean) => {
      k.memory.bytes(pointer, 256).fill(10)
      k.memory.u8.set(Buffer.from(text), pointer)
      return parser.findStart(pointer, text.length, isEnd)
    }
    expect(find('\n{"a":1}', false)).toBe(1)
    expect(find(`${'x'.repeat(40)}\r\n{"a":1}\n`, false)).toBe(42)
    expect(find('{"a":1}', false)).toBe(-1)
    expect(find('{"a":1}', true)).toBe(7)
    expect(find('', true)).toBe(0)
    k.memory.free(pointer)
    parser.free()
  })
})

describe('numbers', () => {
  test('an integer column takes what is exactly an integer of its type', () => {
    const shape = shapeOf({ v: int64() })
    const taken = {
      '0': 0n,
      '-0': 0n,
      '0.000': 0n,
      '0e9999999999999': 0n,
      '7': 7n,
      '1234567': 1234567n,
      '12345678': 12345678n,
      '-12345678': -12345678n,
      '123456789012345': 123456789012345n,
      '1234567890123456': 1234567890123456n,
      '9223372036854775807': 2n ** 63n - 1n,
      '-9223372036854775808': -(2n ** 63n),
      '1e2': 100n,
      '1.0': 1n,
      '-1.50E1': -15n,
      '9223372036854775.807e3': 2n ** 63n - 1n,
      '100000000000000000000e-18': 100n,
      '0.0000000000000000000000000000001e31': 1n,
    }
    for (const [text, value] of Object.entries(taken)) expect(values(shape, `{"v":${text}}`)).toEqual([[value]])
    for (const text of [
      '9223372036854775808',
      '-9223372036854775809',
      '1e19',
      '1e400',
      '18446744073709551616',
      '1e99999999999999999999',
    ])
      expect(fault(shape, `{"v":${text}}`)).toMatchObject({ code: 'MR_INTEGER_OVERFLOW', byteOffset: 5, column: 'v' })
    for (const text of [
      '1.5',
      '1e-1',
      '123456789012345678901e-2',
      '"1"',
      'true',
      '{}',
      '[]',
      '1e-99999999999999999999',
    ])
      expect(fault(shape, `{"v":${text}}`)).toMatchObject({ code: 'MR_TYPE_MISMATCH', byteOffset: 5, column: 'v' })
  })

  test.each([
    [int8(), -(2n ** 7n), 2n ** 7n - 1n],
    [int32(), -(2n ** 31n), 2n ** 31n - 1n],
    [uint32(), 0n, 2n ** 32n - 1n],
  ])('%o is held to its edges', (type, least, most) => {
    const shape = shapeOf({ v: type })
    // Some before them, so that they are met by what reads records that are alike.
    const text = [0n, 1n, least, most, 1n].map(value => `{"v":${value}}`).join('\n')
    expect(values(shape, text)).toEqual([[0n], [1n], [least], [most], [1n]])
    for (const value of [least - 1n, most + 1n]) {
      const { rows, bad } = read(k, shape, `{"v":1}\n{"v":1}\n{"v":${value}}\n{"v":1}`)
      expect(bad.map(({ code, row }) => [code, row])).toEqual([['MR_INTEGER_OVERFLOW', 2]])
      expect(rows.length).toBe(3)
    }
  })

  test('float columns take any number, rounded correctly', () => {
    const texts = [
      '0',
      '-0',
      '0.1',
      '123.456',
      '37.211254',
      '1e-400',
      '-1e400',
      '1e23',
      '5e-324',
      '9007199254740993',
      '0.30000000000000004',
    ]
    texts.push(
      '2.2250738585072011e-308',
      '1.7976931348623159e308',
      `0.${'0'.repeat(400)}1e401`,
      '999999999999999',
      '123456789.12345',
    )
    const text = texts.map(value => `{"v":${value},"w":${value}}`).join('\n')
    expect(values(shapeOf({ v: float64(), w: float32() }), text)).toEqual(
      texts.map(value => [Number(value), Math.fround(Number(value))]),
    )
  })

  test.each([
    '01',
    '-01',
    '+1',
    '.5',
    '1.',
    '1.e5',
    '1e',
    '1e+',
    '-',
    'NaN',
    'Infinity',
    '-Infinity',
    '0x10',
    '1_000',
    '1.2.3',
    '00',
    '1-2',
  ])('%s is none', text => {
    for (const shape of [
      shapeOf({ v: float64() }),
      shapeOf({ v: int32() }),
      shapeOf({ v: utf8() }),
      shapeOf({ other: nullable(int32()) }),
    ]) {
      // Alone, and where numbers are expected.
      expect(fault(shape, `{"v":${text}}`).code).toBe('MR_FORMAT_ERROR')
      const among = `{"v":1}\n{"v":2}\n{"v":${text}}\n{"v":3}\n`
      expect(bare(shape, read(k, shape, among))).toEqual(model(shape, among))
    }
  })
})

describe('strings', () => {
  const shape = shapeOf({ v: utf8() })

  test('escapes stand for what they say', () => {
    expect(values(shape, '{"v":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u20AC\\ud83d\\uDE00"}')).toEqual([
      ['"\\/\b\f\n\r\t\0é€\u{1f600}'],
    ])
  })

  test('halves of surrogate pairs are replaced, or refused', () => {
    const text = '{"v":"a\\ud800b\\udc00\\ud800\\ud800\\udc00"}'
    expect(values(shape, text)).toEqual([['a\ufffdb\ufffd\ufffd\u{10000}']])
    expect(fault({ ...shape, fatal: true }, text)).toMatchObject({ code: 'MR_FORMAT_ERROR', byteOffset: 7 })
    // Wherever it is.
    expect(fault({ ...shape, fatal: true }, '{"w":["\\udc00"],"v":""}')).toMatchObject({ byteOffset: 7 })
    expect(fault({ ...shape, fatal: true }, '{"\\udc00":1,"v":""}')).toMatchObject({ byteOffset: 2 })
  })

  test('what is no UTF-8 is replaced, or refused', () => {
    const text = Buffer.concat([
      Buffer.from('{"v":"a'),
      Uint8Array.of(0xf0, 0x9f, 0x98, 0xed, 0xa0, 0x80, 0x41, 0xff),
      Buffer.from('"}'),
    ])
    expect(values(shape, text)).toEqual([['a\ufffd\ufffd\ufffd\ufffdA\ufffd']])
    expect(fault({ ...shape, fatal: true }, text)).toMatchObject({
      code: 'MR_FORMAT_ERROR',
      byteOffset: 7,
      column: null,
    })
  })

  test('in records that are alike too', () => {
    const bad = ['"a\\ud800"', '"\x80"', '"\xe2\x82"', '"\xf0\x9f\x98\x80\xff"']
    for (const fatal of [false, true]) {
      for (const layout of ['lines', 'array'] as const) {
        for (const value of bad) {
          for (const key of ['"v"', '"w"', '"\\udc00"', '"\xff"']) {
            const line = `{"v":"x",${key}:${value}}`
            const lines = [
              line,
              ...Array.from({ length: 5 }, () => '{"v":"y","w":"é"}'),
              line,
              line,
              '{"v":"z","w":"z"}',
              line,
            ]
            const text = Buffer.from(layout === 'lines' ? lines.join('\n') : `${lines.join(',')}]`, 'latin1')
            const its = shapeOf({ v: utf8(), w: nullable(utf8()) }, { layout, fatal })
            expect(bare(its, read(k, its, text))).toEqual(model(its, text))
          }
        }
      }
    }
  })

  test('are repaired in rows that find no room at first', () => {
    const its = shapeOf({ v: utf8(), w: utf8(), e: nullable(utf8()), l: nullable(list(utf8())) })
    const items = Array.from({ length: 9000 }, (_, i) => `"i${i % 50}"`)
    const text = Buffer.from(
      `{"v":"\x80","w":"x","e":"${'\\n'.repeat(40_000)}"}\n{"v":"\xff","w":"y","l":[${items}]}\n{"v":"\xe2","w":"z"}`,
      'latin1',
    )
    expect(bare(its, read(k, its, text))).toEqual(model(its, text))
  })

  test('have any length, escaped or not', () => {
    const long = 'abcdefghij'.repeat(30_000)
    const text = `{"v":"${long}"}\n{"v":"${long}\\n"}\n{"v":"${'\\u0041'.repeat(50_000)}"}\n{"v":"x"}`
    expect(values(shape, text)).toEqual([[long], [`${long}\n`], ['A'.repeat(50_000)], ['x']])
  })

  test('other values are their text', () => {
    const texts = ['1.50', '-0', 'true', 'false', '{ "a" : [ 1 , "\\u0041" ] }', '[]', '1e5']
    expect(values(shape, texts.map(value => `{"v": ${value} }`).join('\n'))).toEqual(texts.map(value => [value]))
  })

  test('those of bad rows get no codes', () => {
    const lists = shapeOf({ v: nullable(utf8()), l: nullable(list(utf8())) })
    const dictionaries = lists.types.map(() => new LaneDictionary(k))
    const parser = createJsonParser(k, lists, lists.fields, i => dictionaries[i])
    // So that the bad one is the last of those that are coded together, and what follows has no list.
    const good = Array.from({ length: 1023 }, (_, i) => `{"v":"v${i % 7}","l":["l${i % 5}","x"]}`)
    const text = [...good, '{"v":"never","l":["nowhere","not"],}', '{"v":null,"l":null}', ...good].join('\n')
    const found = feed(k, parser, Buffer.from(text))
    expect(bare(lists, found)).toEqual(model(lists, text))
    expect(dictionaries.map(dictionary => dictionary.length)).toEqual([7, 6])
    parser.free()
    for (const dictionary of dictionaries) dictionary.free()
  })
})

test('times are ISO 8601, or counts of their unit', () => {
  const shape = shapeOf({ d: date(), s: timestamp('s'), ns: timestamp('ns') })
  const text = ['"1970-01-02"', '"1970-01-01T00:00:05+00:00"', '"1970-01-01 00:00:00.000000007"']
  const written = (all: readonly string[]) => `{"d":${all[0]},"s":${all[1]},"ns":${all[2]}}`
  expect(values(shape, `${written(text)}\n${written(['-3', '1.0e3', '-9223372036854775808'])}`)).toEqual([
    [1n, 5n, 7n],
    [-3n, 1000n, -(2n ** 63n)],
  ])
  expect(values(shape, written(['"1970-01-\\u00302"', text[1], text[2]]))).toEqual([[1n, 5n, 7n]])
  const wrong = [
    [['"1970-02-30"', text[1], text[2]], 'd', 'MR_TYPE_MISMATCH'],
    [['2147483648', text[1], text[2]], 'd', 'MR_INTEGER_OVERFLOW'],
    [[text[0], '"1970-01-01T00:00:00.5"', text[2]], 's', 'MR_INEXACT_VALUE'],
    [[text[0], text[1], '"2300-01-01"'], 'ns', 'MR_INEXACT_VALUE'],
    [[text[0], text[1], '1.5'], 'ns', 'MR_TYPE_MISMATCH'],
  ] as const
  for (const [all, column, code] of wrong) expect(fault(shape, written(all))).toMatchObject({ column, code })
})

describe('keys', () => {
  test('of a key given twice the last counts, whatever was wrong with the first', () => {
    const shape = shapeOf({ a: int32(), b: nullable(utf8()), 'o.x': nullable(int32()), 'o.y': nullable(int32()) })
    const text = [
      '{"a":"x","b":"1","a":2,"b":null}',
      '{"a":1,"b":null,"b":"2"}',
      '{"a":1,"o":{"x":1,"y":2},"o":{"x":3}}',
      '{"a":1,"o":5,"o":{"y":4}}',
      '{"a":1,"o":{"x":1},"o":null}',
      '{"\\u0061":1,"a":7}',
    ].join('\n')
    expect(values(shape, text)).toEqual([
      [2n, null, null, null],
      [1n, '2', null, null],
      [1n, null, 3n, null],
      [1n, null, null, 4n],
      [1n, null, null, null],
      [7n, null, null, null],
    ])
    expect(fault(shape, '{"a":1,"a":"x"}')).toMatchObject({ column: 'a', byteOffset: 11 })
    expect(fault(shape, '{"a":1,"o":{"x":1},"o":6}')).toMatchObject({ column: 'o.x', byteOffset: 23 })
  })

  test('an object given twice is forgotten, though what stands before it is as before', () => {
    const shape = shapeOf({ 'o.x': nullable(int32()), 'o.y': nullable(int32()), a: int32(), b: nullable(int32()) })
    const pairs = [
      ['{"a":1,"o":{"x":1,"y":1}}', '{"o":{"x":1,"y":2},"a":1,"o":{"x":5}}'],
      ['{"a":1,"o":{},"b":2}', '{"o":{"x":1},"a":1,"o":{},"b":2}'],
      ['{"a":1,"o":{"x":1},"b":2}', '{"o":{"y":1},"a":1,"o":{"x":3},"b":2}'],
      ['{"o":{"x":1},"a":2}', '{"o":{"x":1},"a":2,"o":{"y":3}}'],
    ]
    for (const [usual, twice] of pairs) {
      for (const before of [1, 3, 70]) {
        const text = [...Array.from({ length: before }, () => usual), twice, usual, twice].join('\n')
        expect(bare(shape, read(k, shape, text))).toEqual(model(shape, text))
      }
    }
  })

  test('a path leads through objects; a column may be on the way of another, and several at the end of one', () => {
    const shape = shapeOf(
      { text: nullable(utf8()), x: nullable(int32()), again: nullable(float64()), deep: nullable(utf8()) },
      { path: name => ({ text: ['o'], x: ['o', 'x'], again: ['o', 'x'], deep: ['o', 'p', 'q'] })[name]! },
    )
    const text = [
      '{"o":{"x":1,"p":{"q":"z"}}}',
      '{"o":{"p":null}}',
      '{"o":null}',
      '{}',
      '{"o":{"p":{"q":[1]},"x":2}}',
    ].join('\n')
    expect(values(shape, text)).toEqual([
      ['{"x":1,"p":{"q":"z"}}', 1n, 1, 'z'],
      ['{"p":null}', null, null, null],
      [null, null, null, null],
      [null, null, null, null],
      ['{"p":{"q":[1]},"x":2}', 2n, 2, '[1]'],
    ])
    expect(fault(shape, '{"o":{"p":[]}}')).toMatchObject({ column: 'deep', code: 'MR_TYPE_MISMATCH', byteOffset: 10 })
    expect(fault(shape, '{"o":7}')).toMatchObject({ column: 'x', code: 'MR_TYPE_MISMATCH', byteOffset: 5 })
  })

  test('in records that are alike, the one that is not is read by itself', () => {
    const shape = shapeOf({ 'o.x': nullable(int32()), a: nullable(utf8()), b: nullable(float64()) })
    const alike = (i: number) => `{"o":{"x":${i}},"a":${i % 3 ? `"s${i}"` : 'null'},"b":${i % 4 ? i / 8 : 'null'}}`
    const odd = [
      '{"o":{"x":1},"o":{},"a":"2"}',
      '{"o":{"x":1},"a":"2","a":null,"b":7}',
      '{"o":{"x":1},"a":"2","b":7,"o":{"y":0}}',
      '{"o":{"x":1},"b":7}',
      '{"o":{"x":1},"a":"2"}',
      '{"o":{"x":1},"a":"2","b":"no number"}',
      '{"o":{"x":1},"a":"2","b":7,}',
      '{"o":{"x":1},"a":"2","b":7} ',
      '{"o":{"x":1},"a":"2","b":7}}',
      '{"o":{"x":1},"a":"\\u0032","b":7e0}',
      '{"o":{"x":1},"a":"2","b":7',
      '{"o":{"x":1},"a":"2","b":07}',
      '{"o":{"x":1},"a":"2","b":7.}',
      '{"o":{"x":1 },"a": "2","b":7}',
      '{"o":{"x":1},"a":"2","c":[1,{"d":"\\n"}],"b":7}',
      '{"o":null,"a":"2","b":7}',
      '',
      ' ',
      '{}',
    ]
    for (const record of odd) {
      for (const before of [0, 1, 2, 3, 40, 64, 65, 100]) {
        const lines = [
          ...Array.from({ length: before }, (_, i) => alike(i)),
          record,
          ...Array.from({ length: 9 }, (_, i) => alike(i + 5)),
        ]
        for (const layout of ['lines', 'array'] as const) {
          const text = layout === 'lines' ? lines.join('\n') : `${lines.join(',')}]`
          expect(bare({ ...shape, layout }, read(k, { ...shape, layout }, text))).toEqual(
            model({ ...shape, layout }, text),
          )
        }
      }
    }
  })

  test('may be anything: empty, long, with escapes, and of any number', () => {
    const long = 'k'.repeat(1000)
    const shape = shapeOf({ '': int32(), [long]: int32(), 'é"\n': int32() }, { path: name => [name] })
    const escaped = '"\\u00e9\\u0022\\n":3'
    const unknown = Array.from({ length: 2000 }, (_, i) => `"u${i}":${i}`)
    expect(values(shape, `{"":1,"${long}":2,${escaped}}\n{${unknown},"${long}":5,${escaped},${unknown},"":4}`)).toEqual(
      [
        [1n, 2n, 3n],
        [4n, 5n, 3n],
      ],
    )
  })

  test('what is missing is null, where it may be', () => {
    const shape = shapeOf({ a: int32(), b: nullable(int32()), c: bool() })
    expect(values(shape, '{"c":true,"a":1}')).toEqual([[1n, null, true]])
    expect(fault(shape, '{"b":1,"a":2 }')).toMatchObject({ column: 'c', code: 'MR_TYPE_MISMATCH', byteOffset: 13 })
    expect(fault(shape, '{"a":null,"c":true}')).toMatchObject({ column: 'a', code: 'MR_TYPE_MISMATCH', byteOffset: 5 })
    // In records that are alike otherwise.
    const text = `${'{"a":1,"b":2,"c":true}\n'.repeat(50)}{"a":1,"b":2}\n${'{"a":1,"c":true}\n'.repeat(50)}`
    expect(bare(shape, read(k, shape, text))).toEqual(model(shape, text))
  })
})

test('objects and arrays are as deep as 1,024, and no deeper', () => {
  const shape = shapeOf({ v: nullable(utf8()), l: nullable(list(utf8())) })
  const nested = (depth: number) => '['.repeat(depth - 1) + ']'.repeat(depth - 1)
  for (const key of ['v', 'w', 'l']) {
    expect(read(k, shape, `{"${key}":${nested(1024)}}`).bad).toEqual([])
    expect(fault(shape, `{"${key}":${nested(1025)}}`)).toMatchObject({ code: 'MR_FORMAT_ERROR', byteOffset: 5 + 1023 })
    expect(fault(shape, `{"${key}":${'[{"a":'.repeat(100_000)}`)).toMatchObject({ code: 'MR_FORMAT_ERROR' })
  }
  // In an array of records what follows is still found.
  const array = `{"v":${nested(5000)}},{"v":"x"}]`
  expect(bare({ ...shape, layout: 'array' }, read(k, { ...shape, layout: 'array' }, array))).toEqual(
    model({ ...shape, layout: 'array' }, array),
  )
})

describe('an array of records', () => {
  const shape = shapeOf({ a: int32() }, { layout: 'array' })

  test.each([
    [']', []],
    [' \n ] \n', []],
    ['{"a":1}]', [1n]],
    [' {"a":1}\r\n,\n{"a":2} ]  ', [1n, 2n]],
  ])('%j', (text, expected) => {
    expect(read(k, shape, text)).toEqual({
      rows: expected.map((value, place) => ({ place, values: [value] })),
      bad: [],
      illFormed: 0,
    })
  })

  test.each([
    ['', 0],
    ['{"a":1}', 7],
    ['{"a":1},', 8],
    ['{"a":1},]', 8],
    ['{"a":1}] x', 9],
    ['{"a":1}]]', 8],
    [',{"a":1}]', 0],
    ['{"a":1},,{"a":2}]', 8],
    ['{"a":1} {"a":2}]', 8],
    ['[{"a":1}]]', 0],
    ['1]', 0],
    ['{"a":1}}]', 7],
    ['{"a":"x}', 8],
    ['{"a":1},{"a":"x\n"},{"a":2}]', 15],
    ['{"a":1},{"a":[1}},{"a":2}]', 15],
  ])('%j is refused at byte %i', (text, byteOffset) => {
    const { bad } = read(k, shape, text)
    expect(bad.length).toBe(1)
    expect(bad[0]).toMatchObject({ code: 'MR_FORMAT_ERROR', byteOffset })
    expect(bare(shape, read(k, shape, text))).toEqual(model(shape, text))
    for (let cut = 0; cut <= text.length; cut++) expect(read(k, shape, text, [cut]).bad).toEqual(bad)
  })

  test('that is not closed is told though its end comes with no bytes', () => {
    const parser = createJsonParser(k, shape, ['a'], () => expect.fail())
    const pointer = k.memory.allocate(128)
    const text = '{"a":1},{"a":2},'
    k.memory.u8.set(Buffer.from(text), pointer)
    expect(parser.parse(pointer, text.length, text.length, false)).toMatchObject({
      rowsRead: 2,
      consumed: text.length,
      bad: [],
    })
    expect(parser.parse(pointer, 0, 0, true).bad).toMatchObject([
      { code: 'MR_FORMAT_ERROR', row: 0, byteOffset: 0, text: '' },
    ])
    expect(parser.parse(pointer, 0, 0, true)).toMatchObject({ rowsRead: 0, consumed: 0, bad: [] })
    k.memory.free(pointer)
    parser.free()
  })
})

describe('bad rows', () => {
  test('that are not collected end the parsing, behind the rows before', () => {
    const shape = shapeOf({ a: int32(), s: utf8() }, { collect: false })
    const dictionary = new LaneDictionary(k)
    const parser = createJsonParser(k, shape, ['a', 's'], () => dictionary)
    const text = '{"a":1,"s":"x"}\n{"a":2,"s":"y"}\n{"a":3,"s":4,}\n{"a":"x","s":"z"}\n'
    const pointer = k.memory.allocate(text.length + 64)
    k.memory.u8.set(Buffer.from(text), pointer)
    const mark = k.memory.mark()
    const { morsel, rowsRead, consumed, bad } = parser.parse(pointer, text.length, text.length, true)
    expect({ rowsRead, consumed, rowCount: morsel.rowCount, rows: morsel.rows }).toEqual({
      rowsRead: 3,
      consumed: 47,
      rowCount: 2,
      rows: 0,
    })
    expect(bad).toEqual([
      {
        row: 2,
        byteOffset: 45,
        column: null,
        code: 'MR_FORMAT_ERROR',
        message: 'a key in double quotes is expected here, or collect bad rows',
        text: '{"a":3,"s":4,}',
      },
    ])
    expect(
      Array.from({ length: 2 }, (_, i) => dictionary.get(k.memory.u32[(morsel.columns[1].data >>> 2) + i])),
    ).toEqual(['x', 'y'])
    k.memory.reset(mark)
    k.memory.free(pointer)
    parser.free()
    dictionary.free()
  })

  test('say what they are, what is wrong, and what to try', () => {
    const shape = shapeOf({ a: int32(), b: nullable(timestamp('s')), 'o.x': nullable(list(int8())) })
    const messages = [
      '{"a":1',
      '{"a":1,"o":{"x":[null]}}',
      '{"a":1}}',
      '"a"',
      '{"a" 1}',
      "{'a':1}",
      '{"a":tru}',
      '{"a":01}',
      '{"a":-}',
      '{"w":"\\x"}',
      '{"w":"\t"}',
      '{"w":[1 2]}',
      `{"w":${'['.repeat(2000)}`,
      '{"a":9999999999}',
      '{"a":1.25}',
      `{"a":"${'long '.repeat(20)}"}`,
      '{"a":null}',
      '{"b":0}',
      '{"a":1,"b":"2024-01-01T00:00:00.5"}',
      '{"a":1,"o":{"x":[1,300]}}',
      '{"a":1,"o":{"x":{"y":1}}}',
    ].map(text => `${fault(shape, text).code} ${fault(shape, text).column}: ${fault(shape, text).message}`)
    expect(messages).toEqual([
      'MR_FORMAT_ERROR null: the record is not closed; write each on one line, and check whether the file is complete',
      'MR_TYPE_MISMATCH o.x: a null where none may be (column "o.x"); declare the column list(nullable(int8))',
      'MR_FORMAT_ERROR null: something else than white space follows the record; write each record on a line of its own, or behind a comma in an array',
      'MR_FORMAT_ERROR null: a record must be an object in braces; if the records are inside something else, say where',
      'MR_FORMAT_ERROR null: a colon is expected behind a key',
      'MR_FORMAT_ERROR null: a key in double quotes is expected here',
      'MR_FORMAT_ERROR null: no value begins here; there are objects, arrays, strings in double quotes, numbers, true, false and null',
      'MR_FORMAT_ERROR null: no number goes on like this; they are written like -12.5e3, with no plus, no zero before other digits, and digits on both sides of a point',
      'MR_FORMAT_ERROR null: no number goes on like this; they are written like -12.5e3, with no plus, no zero before other digits, and digits on both sides of a point',
      'MR_FORMAT_ERROR null: no such escape; there are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits',
      'MR_FORMAT_ERROR null: a control character, such as a line break, within a string; escape it, or close the string before it',
      'MR_FORMAT_ERROR null: a comma or a closing bracket is expected behind a value in an array',
      'MR_FORMAT_ERROR null: objects and arrays are nested more than 1,024 deep; name the fields further out only',
      'MR_INTEGER_OVERFLOW a: 9999999999 is beyond int32 (column "a"); declare a wider type',
      'MR_TYPE_MISMATCH a: 1.25 is no int32 (column "a"); declare the column as what it has, or utf8',
      'MR_TYPE_MISMATCH a: "long long long long long long long long… is no int32 (column "a"); declare the column as what it has, or utf8',
      'MR_TYPE_MISMATCH a: a null where one is needed (column "a"); declare the column nullable(int32)',
      'MR_TYPE_MISMATCH a: no value where one is needed (column "a"); declare the column nullable(int32)',
      'MR_INEXACT_VALUE b: "2024-01-01T00:00:00.5" is finer than timestamp(\'s\') or beyond it (column "b"); declare another unit, or utf8',
      'MR_INTEGER_OVERFLOW o.x: 300 is beyond int8 (column "o.x"); declare a wider type',
      'MR_TYPE_MISMATCH o.x: an object is no list(int8) (column "o.x"); declare the column as what it has, or utf8',
    ])
  })

  test('have their text, cut where it is long', () => {
    const shape = shapeOf({ a: int32() })
    expect(fault(shape, `  {"a":"${'é'.repeat(300)}"}  `).text).toBe(`{"a":"${'é'.repeat(194)}`)
    expect(fault(shape, `{"a":"${'\u{1f600}'.repeat(300)}"}`).text).toBe(`{"a":"${'\u{1f600}'.repeat(97)}`)
  })
})

describe('much of it', () => {
  test('at most 65,536 rows at a time, bad ones among them', () => {
    const shape = shapeOf({ a: nullable(int32()), b: nullable(int32()) })
    const whole = Array.from({ length: 70_000 }, (_, i) => `{"a":${2 * i},"b":${2 * i}}`)
    const wholeRows = read(k, shape, whole.join('\n')).rows
    expect(wholeRows.every(({ place, values }) => values.every(value => value === BigInt(2 * place)))).toBe(true)
    expect(wholeRows.length).toBe(70_000)
    const lines = whole.map((line, i) => (i % 1000 === 999 ? '{"a":x}' : line))
    const { rows, bad } = read(k, shape, lines.join('\n'))
    expect(rows.length).toBe(70_000 - 70)
    expect(rows.every(({ place, values }) => values.every(value => value === BigInt(2 * place)))).toBe(true)
    expect(bad.map(({ row }) => row)).toEqual(Array.from({ length: 70 }, (_, i) => i * 1000 + 999))
    const bytes = bytesOf(lines.join('\n'))
    const pointer = k.memory.allocate(bytes.length + 64)
    const parser = createJsonParser(k, shape, shape.fields, () => expect.fail())
    k.memory.u8.set(bytes, pointer)
    const mark = k.memory.mark()
    expect(parser.parse(pointer, bytes.length, bytes.length, true).rowsRead).toBe(65_536)
    k.memory.reset(mark)
    k.memory.free(pointer)
    parser.free()
  })

  test('dictionaries, lists and columns grow as they must, and all memory is given back', () => {
    const before = k.memory.usedBytes
    const columns = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`c${i}`, nullable(i % 2 ? utf8() : int32())]),
    )
    const shape = shapeOf({ ...columns, l: nullable(list(nullable(utf8()))), n: nullable(list(int32())) })
    const lines = Array.from({ length: 2000 }, (_, i) => {
      const record: Record<string, unknown> = { c1: `text ${i}`, [`c${i % 100}`]: i % 2 ? `odd ${i}` : i }
      if (i % 10 === 0) record.l = Array.from({ length: i % 70 }, (_, j) => (j % 7 === 0 ? null : `item ${j * i}`))
      if (i % 3 === 0) record.n = Array.from({ length: i % 40 }, (_, j) => j)
      if (i === 1500) record.n = Array.from({ length: 20_000 }, (_, j) => j)
      return JSON.stringify(record)
    })
    const text = lines.join('\n')
    const mark = k.memory.mark()
    expect(bare(shape, read(k, shape, text))).toEqual(model(shape, text))
    k.memory.reset(mark)
    k.memory.trim()
    expect(k.memory.usedBytes).toBe(before)
  })

  test('strings keep their codes from call to call, and have others where the dictionary is another', () => {
    const shape = shapeOf({ v: utf8() })
    const dictionaries = [new LaneDictionary(k), new LaneDictionary(k)]
    let current = 0
    const parser = createJsonParser(k, shape, ['v'], () => dictionaries[current])
    const lines = (from: number) =>
      Buffer.from(Array.from({ length: 5000 }, (_, i) => `{"v":"v${from + i}"}`).join('\n'))
    for (const [which, from] of [
      [0, 0],
      [0, 0],
      [1, 4000],
      [0, 2000],
      [1, 0],
    ] as const) {
      current = which
      const { rows } = feed(k, parser, lines(from))
      expect(rows.every((row, i) => row.values[0] === `v${from + i}`)).toBe(true)
    }
    expect(dictionaries.map(dictionary => dictionary.length)).toEqual([7000, 9000])
    parser.free()
    for (const dictionary of dictionaries) dictionary.free()
  })
})

test('refuses columns that there are not, and types that JSON has not', () => {
  const shape = shapeOf({ a: int32(), s: struct({ x: int32() }), l: list(list(int32())) })
  const make = (column: string) => () => createJsonParser(k, shape, [column], () => expect.fail())
  expect(make('b')).toThrow(expect.objectContaining({ code: 'MR_UNKNOWN_COLUMN' }))
  expect(make('s')).toThrow(expect.objectContaining({ code: 'MR_TYPE_MISMATCH', details: { column: 's' } }))
  expect(make('l')).toThrow(expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }))
  const pathless = { ...shape, paths: [[], ['s'], ['l']] }
  expect(() => createJsonParser(k, pathless, ['a'], () => expect.fail())).toThrow(
    expect.objectContaining({ code: 'MR_INVALID_OPTION' }),
  )
})

test('without columns rows are counted, and checked all the same', () => {
  const shape = shapeOf({})
  const text = `${'{"a":1,"b":[{"c":"d"}]}\n'.repeat(200)}{"a":01}\n{}\n`
  const { rows, bad } = read(k, shape, text)
  expect(rows.length).toBe(201)
  expect(bad.map(({ row }) => row)).toEqual([200])
  expectLikeModel(k, shape, text)
})
