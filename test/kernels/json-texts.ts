/** Arbitrary JSON as text: every way to write a value, records that look like the one before and records that do not, and damage. */
import * as fc from 'fast-check'

const space = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constant(' ') },
  { weight: 1, arbitrary: fc.constantFrom('  ', '\t', '\r', ' \t ') },
)

const HEX = '0123456789abcdef'
const escapeUnit = (unit: number): string =>
  `\\u${[12, 8, 4, 0].map((shift, i) => (i % 2 ? HEX : HEX.toUpperCase())[(unit >> shift) & 15]).join('')}`

/** A character of a string, as it is or escaped. */
const character = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...'abcxyz 0{}[],:/') },
  { weight: 2, arbitrary: fc.constantFrom('é', '€', '\u{1f600}', '\x7f', '\u2028', '\ufffd') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\\n', '\\"', '\\\\', '\\/', '\\b', '\\f', '\\r', '\\t', '\\u0000', '\\u0041'),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map(escapeUnit) },
  { weight: 1, arbitrary: fc.constantFrom('\\ud83d\\ude00', '\\uD800', '\\udfff', '\\ud800\\u0041', '\\ude00\\ud83d') },
)

const content = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...'abcdef'), { maxLength: 9 }).map(all => all.join('')) },
  { weight: 3, arbitrary: fc.array(character, { maxLength: 24 }).map(all => all.join('')) },
  { weight: 1, arbitrary: fc.array(character, { minLength: 30, maxLength: 90 }).map(all => all.join('')) },
)
export const stringText = content.map(text => `"${text}"`)

const digits = (least: number, most: number) =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: least, maxLength: most }).map(all => all.join(''))
export const numberText = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.constantFrom(
    '2147483647',
    '2147483648',
    '-2147483648',
    '-2147483649',
    '9223372036854775807',
    '9223372036854775808',
  ),
  fc.constantFrom('-9223372036854775808', '-9223372036854775809', '255', '256', '-1', '65536', '-0', '0', '4294967295'),
  fc.constantFrom(
    '1e2',
    '1.0',
    '10e-1',
    '1.5',
    '1e400',
    '-1e-400',
    '0e999999999999',
    '123456789012345678901e-2',
    '0.00',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => String(value).replace('e+', 'E+')),
  fc.integer({ min: -100_000, max: 100_000 }).map(value => (value / 1000).toFixed(3)),
  fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.oneof(
        fc.constant('0'),
        digits(0, 25).map(rest => `7${rest}`),
      ),
      fc.option(digits(1, 25), { nil: '' }),
      fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-'), digits(1, 4)), { nil: null }),
    )
    .map(
      ([sign, whole, part, exponent]) =>
        `${sign}${whole}${part === '' ? '' : `.${part}`}${exponent === null ? '' : exponent.join('')}`,
    ),
)

export const timeText = fc
  .oneof(
    fc.constantFrom('2024-02-29', '2023-02-29', '1969-12-31', '0000-01-01', '9999-12-31', '2024-13-01', '2024-1-1', ''),
    fc.constantFrom('2024-02-29T12:34:56.789Z', '2024-02-29 12:34', '2024-02-29T12:34:56,5+02:00', '2024-02-29T24:00'),
    fc.constantFrom('1677-09-21T00:12:43.145224193Z', '1969-12-31T23:59:59.9999', '2024-02-29T12:34:56-0530', 'x'),
    fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map(date => date.toISOString()),
  )
  .map(text => `"${text}"`)

const scalarText = fc.oneof(stringText, numberText, timeText, fc.constantFrom('true', 'false', 'null'))

/** Any value, nested. */
export const valueText: fc.Arbitrary<string> = fc.letrec<{ value: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: scalarText },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
        .map(items => `[${items.map(parts => parts.join('')).join(',') || ' '}]`),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(fc.constantFrom('"x"', '"p"', '"q"', '"\\u0078"', '"é"'), space, tie('value'), space), {
          maxLength: 4,
        })
        .map(members => `{${members.map(([key, gap, value, behind]) => `${key}${gap}:${value}${behind}`).join(', ')}}`),
    },
  ),
})).value

export type Members = readonly (readonly [key: string, value: string])[]

/** How a record is written: what stands around its keys and values. */
export const style = fc.constantFrom<readonly [open: string, comma: string, colon: string, close: string]>(
  ['{', ',', ':', '}'],
  ['{', ', ', ': ', '}'],
  ['{ ', ' , ', ' :\t', ' }'],
  ['{\t', ',\r', ':                    ', '}  '],
)

export const write = (members: Members, [open, comma, colon, close]: readonly string[]): string =>
  `${open}${members.map(([key, value]) => `${key}${colon}${value}`).join(comma)}${close}`

/** Damage to bytes: some put in, taken out, or replaced. */
export const damage = fc.array(
  fc.record({
    at: fc.nat(10_000),
    removed: fc.nat(2),
    added: fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '\n',
        '0',
        '1',
        '.',
        'e',
        '-',
        '+',
        'n',
        't',
        ' ',
        '\0',
      ),
      fc.constantFrom('\x1f', '/', '\\u12', '\\ud800', 'NaN', '//', "'", '\r\n', '\n\n', ' \n', '""', 'null', '1e'),
    ),
    raw: fc.option(
      fc.constantFrom<readonly number[]>(
        [0x80],
        [0xc3],
        [0xe2, 0x82],
        [0xed, 0xa0, 0x80],
        [0xf0, 0x9f],
        [0xff],
        [0xf4, 0x90],
      ),
      {
        freq: 6,
      },
    ),
  }),
  { maxLength: 3 },
)

export function damaged(
  text: string,
  changes: readonly { at: number; removed: number; added: string; raw: readonly number[] | null }[],
): Uint8Array {
  let bytes: Uint8Array = Buffer.from(text)
  for (const { at, removed, added, raw } of changes) {
    const place = at % (bytes.length + 1)
    bytes = Buffer.concat([
      bytes.subarray(0, place),
      raw === null ? Buffer.from(added) : Uint8Array.from(raw),
      bytes.subarray(place + removed),
    ])
  }
  return bytes
}
