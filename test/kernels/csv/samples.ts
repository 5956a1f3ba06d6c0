/** Files of CSV at random, right and wrong. */

import * as fc from 'fast-check'
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
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../../src/columnar/type.js'
import type { CsvShape } from '../../../src/kernels/text-rows.js'
import { shapeOf } from './support.js'

/** Bytes as a string of characters below 256. */
const latin = (text: string): string => Buffer.from(text).toString('latin1')

export const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

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

export interface Sample {
  readonly lines: readonly string[]
  readonly ends: readonly string[]
  readonly bytes: Uint8Array
  readonly shape: CsvShape
  readonly columns: readonly string[]
}

/** How much is wrong with a file: 0 nothing, 1 a few values and rows, 2 anything. */
export function anySample(trouble: 0 | 1 | 2): fc.Arbitrary<Sample> {
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
/** The lines of a sample over and over, in some order, with `long` among them, to a file of several windows. */
export function manyRows(
  { lines, ends }: Sample,
  seed: number,
  byteLength: number,
  long: readonly string[],
): Uint8Array {
  const parts: string[] = []
  let random = seed
  for (let length = 0; length < byteLength; length += parts.at(-1)!.length) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0
    const all = random % 64 === 0 && long.length > 0 ? long : lines
    parts.push(`${all[(random >>> 8) % all.length]}${ends[parts.length % ends.length]}`)
  }
  return Buffer.from(parts.join(''), 'latin1')
}
