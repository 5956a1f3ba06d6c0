/** CSV files inferred, against tables that the test made and wrote itself, and real files whose types were looked at. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { schema } from '../../../src/columnar/schema.js'
import { date, float64, int32, list, typeName, utf8 } from '../../../src/columnar/type.js'
import { MillraceError } from '../../../src/errors.js'
import { type CsvInferOptions, inferCsv } from '../../../src/formats/csv/infer.js'
import { expectedType } from '../sorted-values.js'
import { written } from './made-tables.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const infer = (text: string, options: CsvInferOptions = {}, isWhole = true) => inferCsv(bytesOf(text), isWhole, options)
/** Types without their nullable(). */
const typesOf = (text: string, options?: CsvInferOptions) =>
  infer(text, options).types.map(type => typeName({ ...type, nullable: false }))
const refusal = (run: () => unknown): MillraceError => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

describe('a table that was written', () => {
  test('comes back as it was made: delimiter, names, types, values and nulls', () => {
    fc.assert(
      fc.property(written, ({ text, names, table, delimiter, headerBytes }) => {
        const { fields, types, report, dataOffset, ...rest } = infer(text, { comment: '#' })
        expect({ fields, delimiter: rest.delimiter, dataOffset }).toEqual({
          fields: names,
          delimiter,
          dataOffset: headerBytes,
        })
        expect(types.map(typeName)).toEqual(table.map(column => `nullable(${expectedType(column, 'utf8')})`))
        expect(report.columns.map(({ values, nulls }) => [values, nulls])).toEqual(
          table.map(column => [
            column.filter(value => value !== null).length,
            column.filter(value => value === null).length,
          ]),
        )
        expect(report.rows).toBe(table[0].length)
        expect(report.toString().split('\n')).toHaveLength(names.length + 3)
      }),
      { numRuns: 200 },
    )
  })

  test('cut at any byte behind its header never fails, and what is left out is the row that was cut', () => {
    fc.assert(
      fc.property(written, ({ text, names, table, delimiter, headerBytes }) => {
        const bytes = bytesOf(text)
        let before = 0
        for (let end = headerBytes; end <= bytes.length; end++) {
          const { fields, report } = inferCsv(bytes.subarray(0, end), false, { comment: '#', delimiter })
          expect(fields).toEqual(names)
          expect(report.rows === before || report.rows === before + 1).toBe(true)
          before = report.rows
          inferCsv(bytes.subarray(0, end), true, { comment: '#', delimiter })
        }
        // With nothing behind it the last row may have been cut, unless a line break ends it.
        expect(table[0].length - before).toBeLessThanOrEqual(text.endsWith('\n') ? 0 : 1)
        for (let end = 0; end < headerBytes; end++) {
          const error = refusal(() => inferCsv(bytes.subarray(0, end), false, { comment: '#', delimiter }))
          expect([error.code, error.details.incomplete]).toEqual(['MR_FORMAT_ERROR', true])
        }
      }),
      { numRuns: 12 },
    )
  })

  test('any bytes at all are inferred or refused by a code', () => {
    const piece = fc.constantFrom(
      '"',
      ',',
      ';',
      '\n',
      '\r',
      'a',
      '1',
      '.',
      '#',
      '\ufeff',
      '😀',
      'true',
      '""',
      '2024-01-01',
    )
    const bytes = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map(parts => bytesOf(parts.join(''))),
      fc.uint8Array({ maxLength: 40 }),
    )
    fc.assert(
      fc.property(bytes, fc.boolean(), fc.constantFrom(true, false), fc.nat(2), (sample, isWhole, header, skipRows) => {
        try {
          const { fields, types, dataOffset } = inferCsv(sample, isWhole, { header, skipRows, comment: '#' })
          expect(types).toHaveLength(fields.length)
          expect(dataOffset).toBeLessThanOrEqual(sample.length)
        } catch (error) {
          expect(error).toBeInstanceOf(MillraceError)
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe('the delimiter', () => {
  test.each([
    ['a,b\n1,2\n', ','],
    ['a;b\n1,5;2,5\n3,5;4,5\n', ';'],
    ['a\tb\tc\nx,y\t1\t2\n', '\t'],
    ['a|b\n1|2\n', '|'],
    ['"a,b";c\n"1,2,3";d\n', ';'],
    ['a\n1\n', ','],
    ['', ','],
    ['a,b;c,d;e\n1,2;3,4;5\n', ','],
    ['a;b\tc\td\n1;2\t3\t4\n', '\t'],
    ['name,note\nAnn,"x;y"\nBo,"p;q;r"\n', ','],
    ['text\nOne, two\nthree\nfour\n', ','],
  ])('of %j is %j', (text, delimiter) => {
    expect(infer(text).delimiter).toBe(delimiter)
  })

  test('follows names that are known', () => {
    expect(infer('a;b,c\n1;2,3\n', { schema: schema({ a: int32() }) }).delimiter).toBe(';')
    expect(infer('1;2,3;4\n1;2,3;4\n', { header: ['p', 'q', 'r'] }).delimiter).toBe(';')
  })

  test('one ragged row does not hand a file with decimal commas to the comma', () => {
    const rows = Array.from({ length: 50 }, (_, i) => `${i},5;${i},25`)
    expect(infer(['x;y', ...rows, '1;2;3'].join('\n')).delimiter).toBe(';')
  })
})

describe('names', () => {
  test('are made where there are none', () => {
    expect(infer('a,,c\n1,2,3\n').fields).toEqual(['a', 'column1', 'c'])
    const { fields, dataOffset, report } = infer('1,2\n3,4\n', { header: false })
    expect({ fields, dataOffset, rows: report.rows }).toEqual({
      fields: ['column0', 'column1'],
      dataOffset: 0,
      rows: 2,
    })
    expect(infer('1\n1,2\n3,4\n', { header: false }).fields).toHaveLength(2)
  })

  test('that are given leave the first line to the data', () => {
    const { fields, types, report } = infer('1,2\n3,4\n', { header: ['p', 'q'] })
    expect({ fields, rows: report.rows, kinds: types.map(({ kind }) => kind) }).toEqual({
      fields: ['p', 'q'],
      rows: 2,
      kinds: ['int64', 'int64'],
    })
  })

  test('that come twice are refused', () => {
    for (const [text, options] of [
      ['a,b,a\n', {}],
      ['column1,\n', {}],
      ['1,2\n', { header: ['x', 'x'] }],
    ] as const) {
      expect(refusal(() => infer(text, options)).code).toBe('MR_DUPLICATE_COLUMN')
    }
  })

  test('stand below lines to skip, whatever is in those', () => {
    const { fields, dataOffset } = infer('Report "of\n,,,,\na;b\n1;2\n', { skipRows: 2 })
    expect({ fields, dataOffset }).toEqual({ fields: ['a', 'b'], dataOffset: 20 })
    expect(refusal(() => infer('x', { skipRows: 2 }, false)).details.incomplete).toBe(true)
    expect(infer('x', { skipRows: 2 }).fields).toEqual([])
  })

  test('behind a byte order mark have none in them', () => {
    const { fields, dataOffset } = infer('\ufeffa,b\n1,2\n')
    expect({ fields, dataOffset }).toEqual({ fields: ['a', 'b'], dataOffset: 7 })
  })

  test('that go on behind a carriage return are refused, since lines may end in these alone', () => {
    const error = refusal(() => infer('a,"b\r",c\r1,2,3\r'))
    expect([error.code, error.details.byteOffset]).toEqual(['MR_FORMAT_ERROR', 8])
    const other = refusal(() => infer('a,b\r1,2\r3,4\r', { schema: schema({ a: int32() }) }))
    expect([other.code, other.details.byteOffset]).toEqual(['MR_FORMAT_ERROR', 3])
    expect(infer('a,"b\rc"\r\n1,2\r\n').fields).toEqual(['a', 'b\rc'])
  })

  test('with an unclosed quote are refused', () => {
    const error = refusal(() => infer('\na,"b\n1,2\n'))
    expect([error.code, error.details.byteOffset, error.details.incomplete]).toEqual(['MR_FORMAT_ERROR', 1, undefined])
  })
})

describe('types', () => {
  test('keep what a number would lose', () => {
    expect(typesOf('zip,phone,id\n00501,+4930123,9223372036854775808\n')).toEqual(['utf8', 'utf8', 'utf8'])
    expect(typesOf('a,b\n+4,9223372036854775808\n.5,1e3\n')).toEqual(['float64', 'float64'])
    expect(typesOf('a\n0\n1\n')).toEqual(['int64'])
  })

  test('take spaces around numbers, not in text', () => {
    expect(typesOf('a,b,c\n 1 , true,2024-01-01 \n2,false , 2024-01-02\n')).toEqual(['int64', 'bool', 'date'])
    expect(typesOf('a,b\n1,\t2\t\n')).toEqual(['int64', 'int64'])
  })

  test('a null token with spaces around it is null beside numbers, and text beside text', () => {
    const { types, report } = infer('a,b\n1, \n2,3\n')
    expect(types.map(({ kind }) => kind)).toEqual(['int64', 'int64'])
    expect(report.columns[1].nulls).toBe(1)
    const text = infer('a,b,c\n NA ,"NA",\tNA\nx,2,3\n', { nulls: ['NA'] })
    expect(text.types.map(({ kind }) => kind)).toEqual(['utf8', 'utf8', 'int64'])
    expect(text.report.columns.map(({ nulls }) => nulls)).toEqual([0, 0, 1])
    expect(infer('a,b\n1, \n').types[1].kind).toBe('utf8')
  })

  test('a quoted value is one like others, but never null', () => {
    expect(typesOf('a,b\n"1",""\n"2",3\n')).toEqual(['int64', 'utf8'])
    const { report } = infer('a,b\n"NA",NA\n', { nulls: ['NA'] })
    expect(report.columns.map(({ values, nulls }) => [values, nulls])).toEqual([
      [1, 0],
      [0, 1],
    ])
  })

  test('blank lines are rows only where there is one column', () => {
    expect(infer('a,b\n1,2\n\n\r\n3,4\n').report.rows).toBe(2)
    const { report } = infer('a\n1\n\n2\n\n')
    expect([report.rows, report.columns[0].nulls]).toEqual([4, 2])
  })

  test('rows that the reader refuses do not count, and those that it pads do', () => {
    const text = 'a,b\n1,2\nx\n3,y,z\n4,"5"6\n'
    expect(typesOf(text)).toEqual(['int64', 'int64'])
    expect(infer(text).report.rows).toBe(1)
    expect(typesOf(text, { ragged: 'pad' })).toEqual(['utf8', 'utf8'])
    expect(infer(text, { ragged: 'pad' }).report.columns[1].nulls).toBe(1)
  })

  test('nanoseconds give way to microseconds where years are too far off for them, unless something would be lost', () => {
    expect(typesOf('t\n1066-10-14T09:00:00.000000000\n')).toEqual(["timestamp('us')"])
    expect(typesOf('t\n1066-10-14\n2024-01-01T00:00:00.000000001\n')).toEqual(['utf8'])
    expect(typesOf('t\n2024-01-01T00:00:00.000000\n')).toEqual(["timestamp('us')"])
    expect(typesOf('t\n+999999-01-01T00:00:00.000000\n')).toEqual(["timestamp('ms')"])
  })

  test('say what decided', () => {
    const reasons = (text: string) => infer(text).report.columns.map(({ reason }) => reason)
    expect(reasons('a\n1\n2\n3.5\n4.5\n')).toEqual(['3.5 in row 2 makes it float64'])
    expect(reasons('a\n1\n\nx y\n')).toEqual(['"x y" in row 2 makes it utf8'])
    expect(reasons('a\n12\n00501\n')).toEqual(['"00501" in row 1 makes it utf8: a number would lose its zeros'])
    expect(reasons('a\n12\n9223372036854775808\n')).toEqual([
      '9223372036854775808 in row 1 makes it utf8: it is beyond int64',
    ])
    expect(reasons('a\n+49\n')).toEqual(['+49 in row 0 makes it utf8: a number would lose its sign'])
    expect(reasons('a\n1\nNA\nn/a\nNA\n')).toEqual([
      `"NA" in row 1 makes it utf8; with nulls: ['', 'NA', 'n/a'] it would be int64`,
    ])
    expect(reasons('a\n2024-01-01\n2024-01-01T10:00:00.0001\n')).toEqual([
      '4 digits of a second in row 1; UTC where there is no offset',
    ])
    expect(reasons('a,b\n,1\n')).toEqual(['no values', 'all like 1 (row 0)'])
  })

  test('come of no more rows than asked', () => {
    expect(infer('a\n1\n2\nx\n', { sampleRows: 2 }).types[0].kind).toBe('int64')
  })
})

describe('a schema', () => {
  test('is matched by name, and other columns are text', () => {
    const { fields, types, report } = infer('a,b,c\n1,2,3\n', { schema: schema({ c: float64(), a: int32() }) })
    expect(fields).toEqual(['a', 'b', 'c'])
    expect(types.map(typeName)).toEqual(['int32', 'nullable(utf8)', 'float64'])
    expect(report.columns.map(({ reason }) => reason)).toEqual(['declared', 'left out', 'declared'])
  })

  test('with a name that the file lacks is refused, with the nearest', () => {
    const error = refusal(() => infer('price,size\n', { schema: schema({ prize: float64() }) }))
    expect([error.code, error.details.suggestion]).toEqual(['MR_UNKNOWN_COLUMN', 'price'])
    expect(refusal(() => infer('1\n', { header: ['p'], schema: schema({ q: utf8() }) })).code).toBe('MR_UNKNOWN_COLUMN')
  })

  test('is matched by position where there are no names', () => {
    const { fields, types } = infer('1,2,3\n', { header: false, schema: schema({ x: int32(), d: date() }) })
    expect(fields).toEqual(['x', 'd', 'column2'])
    expect(types.map(typeName)).toEqual(['int32', 'date', 'nullable(utf8)'])
    expect(infer('1\n', { header: false, schema: schema({ x: int32(), y: utf8() }) }).fields).toEqual(['x', 'y'])
  })

  test('whose order JavaScript may have changed is not matched by position', () => {
    const error = refusal(() => infer('1,2\n', { header: false, schema: schema({ x: int32(), 7: int32() }) }))
    expect([error.code, error.details.column]).toEqual(['MR_INVALID_OPTION', '7'])
    expect(infer('1,2\n', { header: false, schema: schema({ 0: int32(), 1: int32() }) }).fields).toEqual(['0', '1'])
  })

  test('of a file with no bytes names its columns', () => {
    expect(infer('', { schema: schema({ a: int32() }) }).fields).toEqual(['a'])
    expect(infer('').fields).toEqual([])
    expect(refusal(() => infer('', {}, false)).details.incomplete).toBe(true)
  })

  test('with a list is refused', () => {
    expect(refusal(() => infer('a\n', { schema: schema({ a: list(utf8()) }) })).code).toBe('MR_TYPE_MISMATCH')
  })
})

test('characters that cannot do what they shall are refused', () => {
  const wrong: CsvInferOptions[] = [
    { delimiter: '' },
    { delimiter: '::' },
    { delimiter: '\n' },
    { quote: '“' },
    { comment: '"' },
    { delimiter: '#', comment: '#' },
  ]
  for (const options of wrong) expect(refusal(() => infer('a,b\n', options)).code).toBe('MR_INVALID_OPTION')
  expect(infer('a,b\n"1,2"\n', { quote: null }).report.columns[0].reason).toBe('all like ""1" (row 0)')
})

test.each([
  ['airports.csv', 3376, 'iata:utf8 name:utf8 city:utf8 state:utf8 country:utf8 latitude:float64 longitude:float64'],
  [
    'birdstrikes.csv',
    10000,
    'Airport Name:utf8 Aircraft Make Model:utf8 Effect Amount of damage:utf8 Flight Date:date Aircraft Airline Operator:utf8 Origin State:utf8 Phase of flight:utf8 Wildlife Size:utf8 Wildlife Species:utf8 Time of day:utf8 Cost Other:int64 Cost Repair:int64 Cost Total $:int64 Speed IAS in knots:int64',
  ],
  [
    'seattle-weather.csv',
    1461,
    'date:date precipitation:float64 temp_max:float64 temp_min:float64 wind:float64 weather:utf8',
  ],
  ['stocks.csv', 560, 'symbol:utf8 date:utf8 price:float64'],
  ['zipcodes.csv', 42049, 'zip_code:utf8 latitude:float64 longitude:float64 city:utf8 state:utf8 county:utf8'],
  ['unemployment.tsv', 3218, 'id:int64 rate:float64'],
  [
    'seattle-weather-hourly-normals.csv',
    8759,
    "date:timestamp('ms') pressure:float64 temperature:float64 wind:float64",
  ],
])('%s', (file, rows, expected) => {
  const { fields, types, report } = inferCsv(readFileSync(`node_modules/vega-datasets/data/${file}`), true, {})
  expect(fields.map((name, i) => `${name}:${typeName({ ...types[i], nullable: false })}`).join(' ')).toBe(expected)
  expect(report.rows).toBe(rows)
})

test('the report prints as a small table', () => {
  expect(infer('sym,price\nACME,1\nWILE,3.5\nACME,\n').report.toString()).toBe(
    [
      'column  type               values  nulls  why',
      '------  -----------------  ------  -----  -----------------------------',
      'sym     nullable(utf8)          3      0  all like "ACME" (row 0)',
      'price   nullable(float64)       2      1  3.5 in row 1 makes it float64',
      'from 3 rows, 32 bytes; delimiter ",", a header',
    ].join('\n'),
  )
})
