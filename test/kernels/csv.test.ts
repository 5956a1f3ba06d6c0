// Rows from CSV, against a reader of a byte at a time.

import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
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
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import { createCsvParser } from '../../src/kernels/csv.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import type { BadRow, CsvShape } from '../../src/kernels/text-rows.js'
import { type CsvAnswer, type CsvRow, type CsvValue, readCsv } from '../oracle/csv.js'
import { makeKernels, valuesOf } from './support.js'

const k = await makeKernels()
const RUNS = Number(process.env.MILLRACE_RUNS ?? 1)

afterEach(() => k.memory.reset(0))

const shapeOf = (types: Readonly<Record<string, DataType>>, options: Partial<CsvShape> = {}): CsvShape => ({
  fields: Object.keys(types),
  types: Object.values(types),
  delimiter: ',',
  quote: '"',
  comment: null,
  nulls: [''],
  ragged: 'error',
  fatal: false,
  collect: false,
  ...options,
})

interface Read {
  readonly rows: CsvRow[]
  readonly bad: BadRow[]
  readonly rowsRead: number
  readonly consumed: number
}

interface Way {
  readonly columns?: readonly string[]
  /** Bytes that each call is given at most; a row may need more. */
  readonly pieces?: readonly number[]
  readonly limit?: number
  readonly isEnd?: boolean
}

/** Reads bytes as a lane would: what a call has not consumed is given again with what follows. */
function read(
  bytes: Uint8Array,
  shape: CsvShape,
  { columns = shape.fields, pieces = [], limit = Infinity, isEnd = true }: Way = {},
): Read {
  const dictionaries = new Map<number, LaneDictionary>()
  const parser = createCsvParser(k, shape, columns, i => {
    const dictionary = dictionaries.get(i) ?? new LaneDictionary(k)
    dictionaries.set(i, dictionary)
    return dictionary
  })
  const rows: CsvRow[] = []
  const bad: BadRow[] = []
  let rowsRead = 0
  let consumed = 0
  let given = 0
  const lengths = [...pieces]
  const outer = k.memory.mark()
  try {
    while (consumed < bytes.length) {
      if (given <= consumed || lengths.length > 0) given = Math.min(bytes.length, given + (lengths.shift() ?? Infinity))
      else given = bytes.length
      while (consumed < given) {
        k.memory.reset(outer)
        const length = given - consumed
        const pointer = k.memory.scratch(16 + length + 64) + 16
        // What lies before and behind must not matter.
        k.memory.bytes(pointer - 16, 16).fill(13)
        k.memory.bytes(pointer + length, 64).fill(given % 3 === 0 ? 10 : given % 3 === 1 ? 34 : 44)
        k.memory.u8.set(bytes.subarray(consumed, given), pointer)
        const parsed = parser.parse(pointer, length, limit, isEnd && given === bytes.length)
        const { morsel } = parsed
        const values = morsel.columns.map(column => valuesOf(k, column))
        for (let i = 0; i < morsel.rowCount; i++) {
          const row = rowsRead + (morsel.rows === 0 ? i : k.memory.u32[(morsel.rows >>> 2) + i]!)
          rows.push({ row, values: values.map(column => column[i] as CsvValue) })
        }
        bad.push(
          ...parsed.bad.map(each => ({ ...each, row: each.row + rowsRead, byteOffset: each.byteOffset + consumed })),
        )
        rowsRead += parsed.rowsRead
        consumed += parsed.consumed
        if (parsed.bad.length > 0 && !shape.collect) return { rows, bad, rowsRead, consumed }
        if (parsed.consumed === 0) break
      }
      if (given === bytes.length) break
    }
    return { rows, bad, rowsRead, consumed }
  } finally {
    k.memory.reset(outer)
    parser.free()
    for (const dictionary of dictionaries.values()) dictionary.free()
  }
}

const bare = ({ rows, bad, rowsRead, consumed }: Read): CsvAnswer => ({
  rows,
  bad: bad.map(({ row, byteOffset, column, code }) => ({ row, byteOffset, column, code })),
  rowsRead,
  consumed,
})

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const THREE = { a: utf8(), n: nullable(int32()), x: nullable(float64()) }
const valuesOfText = (text: string, shape = shapeOf(THREE)): CsvValue[][] =>
  read(bytesOf(text), shape).rows.map(({ values }) => [...values])

/** Bytes as a string of characters below 256. */
const latin = (text: string): string => Buffer.from(text).toString('latin1')

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const anyType = fc
  .tuple(
    pick<DataType>(
      bool(),
      int8(),
      int16(),
      int32(),
      int64(),
      uint8(),
      uint16(),
      uint32(),
      float32(),
      float64(),
      utf8(),
      utf8(),
      utf8(),
      date(),
      timestamp('s'),
      timestamp('ms'),
      timestamp('us'),
      timestamp('ns'),
    ),
    fc.boolean(),
  )
  .map(([type, isNullable]) => (isNullable ? nullable(type) : type))

const anyWord = fc.oneof(
  pick(
    'a',
    'b',
    'ab',
    'id001',
    'id000000001',
    'twelve bytes',
    'thirteen bytes!',
    'abcdefgh',
    'a\0',
    'null',
    'NA',
    '-1',
    'nan',
  ),
  pick('é', '日本', '\u{1f600}', 'a longer text of more than sixteen bytes', '', ' ', ' x ').map(latin),
  fc.string({ unit: pick(...'ab ,;"\'\n\r#\t', 'é', '\0'), maxLength: 12 }).map(latin),
)
const illFormed = pick(
  '\xff',
  '\xc3',
  'a\xe2\x82',
  '\xf0\x9f\x98x',
  '\xed\xa0\x80',
  '\xc0\x80',
  '\xe2\x82\xe2\x82\xac',
  '\x80',
  '\xf4\x90\x80\x80',
)

/** The greatest int64 of a unit of time that a test needs. */
const YEARS = { s: [1, 9999], ms: [1, 9999], us: [1, 9999], ns: [1700, 2200] } as const

/** Integers of any type and beyond. */
const anyInteger = fc.oneof(
  fc.bigInt({ min: -9n, max: 300n }),
  fc.bigInt({ min: -(10n ** 5n), max: 10n ** 9n }),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  pick(127n, 128n, -128n, -129n, 255n, 256n, 32767n, 32768n, -32768n, 65535n, 65536n),
  pick(2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n - 1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n)),
  pick(12345678n, 123456789n, 1234567890123456n, 12345678901234567n),
)

function integerOf(kind: string): fc.Arbitrary<bigint> {
  const bits = BigInt(kind.replace(/\D/g, ''))
  const [min, max] = kind.startsWith('u') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
  const small = max < 999n ? max : 999n
  return fc.oneof(fc.bigInt({ min: 0n, max: small }), fc.bigInt({ min, max }), pick(min, max))
}

/** A value of a type as a file may have it. */
function textOf({ kind, unit }: DataType): fc.Arbitrary<string> {
  switch (kind) {
    case 'utf8':
      return anyWord
    case 'bool':
      return pick('true', 'FALSE', 't', 'F', '0', '1', 'True')
    case 'float32':
    case 'float64':
      return fc.oneof(
        fc.double().map(String),
        fc.integer({ min: -(10 ** 6), max: 10 ** 6 }).map(n => (n / 1000).toFixed(6)),
        fc.integer({ min: -999, max: 999 }).map(String),
        pick('.5', '5.', '-.5e3', '-0', '-0.0', '+1', '1.7976931348623159e308', 'inf', '-Infinity', '123456789012345'),
        pick('1234567890123456', '0.00000000000001', '12345678.1234567', '1234567.12345678', '99999999999999.9'),
      )
    case 'date':
    case 'timestamp': {
      const [from, to] = YEARS[unit ?? 's']
      const digits = { s: 19, ms: 23, us: 23, ns: 23 }[unit ?? 's']
      return fc
        .date({
          min: new Date(`${String(from).padStart(4, '0')}-01-01`),
          max: new Date(Date.UTC(to, 0)),
          noInvalidDate: true,
        })
        .chain(date => {
          const text = date.toISOString()
          if (kind === 'date') return fc.constant(text.slice(0, 10))
          return pick(
            text.slice(0, digits),
            `${text.slice(0, digits)}Z`,
            `${text.slice(0, 10)} ${text.slice(11, 16)}-03:30`,
          )
        })
    }
    default:
      return integerOf(kind).map(String)
  }
}

interface Sample {
  readonly lines: readonly string[]
  readonly ends: readonly string[]
  readonly bytes: Uint8Array
  readonly shape: CsvShape
  readonly columns: readonly string[]
}

/** How much is wrong with a file: 0 nothing, 1 a few values and rows, 2 anything. */
function anySample(trouble: 0 | 1 | 2): fc.Arbitrary<Sample> {
  const shape = fc
    .record({
      types: fc.array(anyType, { minLength: 1, maxLength: 4 }),
      delimiter: pick(',', ',', ';', '\t'),
      quote: pick('"', '"', "'", null),
      comment: pick(null, null, '#'),
      nulls: pick([''], [''], [], ['', 'NA', 'null'], ['-1', 'nan', 'a']),
      ragged: pick<CsvShape['ragged']>('error', 'pad'),
      fatal: fc.boolean(),
      collect: trouble === 0 ? fc.boolean() : pick(true, true, false),
    })
    .map(({ types, ...options }) => shapeOf(Object.fromEntries(types.map((type, i) => [`c${i}`, type])), options))
  return shape.chain(shape => {
    const quoted = (text: string): string =>
      shape.quote === null
        ? text
        : `${shape.quote}${text.replaceAll(shape.quote, shape.quote + shape.quote)}${shape.quote}`
    // A text that must be quoted is; others may be.
    const written = (text: string, isWanted: boolean): string =>
      shape.quote !== null && (isWanted || /["',;\t\n\r#]/.test(text) || text.startsWith(shape.quote))
        ? quoted(text)
        : text.replace(/[,;\t\n\r#"']/g, '_')
    const field = (type: DataType): fc.Arbitrary<string> => {
      const right = fc
        .tuple(textOf(type), fc.integer({ min: 0, max: 9 }))
        .map(([text, dice]) =>
          dice === 0 && type.nullable ? '' : dice === 1 && type.kind !== 'utf8' ? ` ${text} ` : written(text, dice < 4),
        )
      if (trouble === 0) return right
      const wrong = fc.oneof(
        anyInteger.map(String),
        anyWord.map(text => written(text, false)),
        fc.string({ unit: pick(...'a1,;"\'\n\r#\t '), maxLength: 5 }),
        illFormed,
        illFormed.map(quoted),
        pick(
          '2024-02-30',
          '0000-01-01',
          '1500-01-01 00:00',
          '2024-02-29T23:59:59.123456789',
          '.',
          '-',
          '1.5',
          '0x1',
          '1e400',
        ),
      )
      return fc.oneof({ weight: trouble === 1 ? 30 : 3, arbitrary: right }, { weight: 1, arbitrary: wrong })
    }
    const row = fc.tuple(...shape.types.map(field)).map(fields => fields.join(shape.delimiter))
    const odd = fc.oneof(
      pick('', '\r', `#${latin('é')}"x`, '#', `x${shape.delimiter}`),
      fc
        .array(
          anyWord.map(text => written(text, false)),
          { maxLength: 6 },
        )
        .map(fields => fields.join(shape.delimiter)),
    )
    const line =
      trouble === 0 ? row : fc.oneof({ weight: trouble === 1 ? 20 : 4, arbitrary: row }, { weight: 1, arbitrary: odd })
    const ends = pick(['\n'], ['\n'], ['\r\n'], ['\n', '\r\n'])
    return fc
      .record({
        lines: fc.array(line, { maxLength: 12 }),
        ends,
        hasEnd: fc.boolean(),
        columns: fc.shuffledSubarray([...shape.fields]),
      })
      .map(({ lines, ends, hasEnd, columns }) => {
        const text = lines
          .map((line, i) => line + (i + 1 < lines.length || hasEnd ? ends[i % ends.length] : ''))
          .join('')
        return { lines, ends, bytes: Buffer.from(text, 'latin1'), shape, columns }
      })
  })
}

describe.each([
  ['tables', 0],
  ['tables with a few bad rows', 1],
  ['anything', 2],
] as const)('%s', (_, trouble) => {
  test('are read as by the naive reader', () => {
    fc.assert(
      fc.property(anySample(trouble), ({ bytes, shape, columns }) => {
        expect(bare(read(bytes, shape, { columns }))).toEqual(readCsv(bytes, shape, columns))
      }),
      { numRuns: 200 * RUNS },
    )
  })

  test('are the same whatever the pieces that they come in', () => {
    fc.assert(
      fc.property(anySample(trouble), fc.integer({ min: 1, max: 40 }), ({ bytes, shape, columns }, limit) => {
        const whole = readCsv(bytes, shape, columns)
        for (let cut = 1; cut < bytes.length; cut++) {
          expect(bare(read(bytes, shape, { columns, pieces: [cut] }))).toEqual(whole)
        }
        const piecemeal = Array.from(bytes, () => 1)
        expect(bare(read(bytes, shape, { columns, pieces: piecemeal }))).toEqual(whole)
        expect(bare(read(bytes, shape, { columns, limit }))).toEqual(whole)
        expect(bare(read(bytes, shape, { columns, isEnd: false }))).toEqual(readCsv(bytes, shape, columns, false))
      }),
      { numRuns: 8 * RUNS },
    )
  })
})

test('whatever stands at the border of a block is read as anywhere else', () => {
  const rows = [
    'a,"b"',
    '"a""b",c',
    '"",""',
    '"a,\r\n""",b',
    'a"b,"c"',
    'a,b"c',
    '"a"b,c',
    'a,"b"\rc',
    'a,"b"\r',
    '"a"\r,b',
    'a,b\r',
    '#a,"b',
    'a',
    '',
    'a,b,c',
    'é,\u{1f600}',
  ]
  const types = { a: utf8(), b: utf8() }
  let phase = 0
  for (const row of rows) {
    for (const end of ['\n', '\r\n']) {
      for (const comment of [null, '#']) {
        const shape = shapeOf(types, { collect: true, comment })
        // Rows alike before it, over blocks without a quote and with some.
        for (const before of ['', `x,y${end}`, `"x",y${end}`]) {
          // Each third place, others for each row.
          for (let length = phase++ % 3; length < 66; length += 3) {
            const text = `${before.repeat(70)}${'z'.repeat(length)},${end}${row}${end}${row}${end}1,"2"${end}`
            const bytes = bytesOf(text)
            // Many times faster than to compare what has been read.
            expect(JSON.stringify(bare(read(bytes, shape)))).toBe(JSON.stringify(readCsv(bytes, shape, shape.fields)))
          }
        }
      }
    }
  }
})

/** The lines of a sample over and over, in some order, with `long` among them, to a file of several windows. */
function manyRows({ lines, ends }: Sample, seed: number, byteLength: number, long: readonly string[]): Uint8Array {
  const parts: string[] = []
  let random = seed
  for (let length = 0; length < byteLength; length += parts.at(-1)!.length) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0
    const all = random % 64 === 0 && long.length > 0 ? long : lines
    parts.push(`${all[(random >>> 8) % all.length]}${ends[parts.length % ends.length]}`)
  }
  return Buffer.from(parts.join(''), 'latin1')
}

test.each([
  ['tables', 0],
  ['tables with a few bad rows', 1],
  ['anything', 2],
] as const)('%s of many windows, with rows longer than one', (_, trouble) => {
  fc.assert(
    fc.property(anySample(trouble), fc.nat(), fc.integer({ min: 1, max: 150_000 }), (sample, seed, cut) => {
      const { shape, columns, lines } = sample
      fc.pre(lines.length > 1)
      const { delimiter, quote } = shape
      const last = ['x', ...shape.fields.slice(1).map(() => '')].join(delimiter)
      const long =
        trouble === 0
          ? []
          : [
              `${quote ?? ''}${`a long text\n${quote ?? ''}${quote ?? ''}`.repeat(3000)}${quote ?? ''}${last}`,
              `${'y'.repeat(40_000)}${last.slice(1)}`,
              `${delimiter.repeat(40_000)}`,
            ]
      const bytes = manyRows(sample, seed, 100_000, long)
      const collecting = { ...shape, collect: true }
      expect(bare(read(bytes, collecting, { columns, pieces: [cut] }))).toEqual(readCsv(bytes, collecting, columns))
    }),
    { numRuns: 3 * RUNS },
  )
})

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
