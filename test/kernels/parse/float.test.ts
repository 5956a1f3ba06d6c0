// Floating point numbers from text are correctly rounded. A million of them are in float-million.test.ts.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decimal, fromBits, INFINITY_BITS, middle, nearest, randomOf, spell, split, toBits } from './exact.js'
import { firstWrong, floats } from './module.js'

const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 2 ** 31)
const { random, bits } = randomOf(seed)

/** Texts and what they are. */
function expectAll(pairs: readonly (readonly [string, number])[]): void {
  const wrong = firstWrong(
    pairs.map(([text]) => text),
    pairs.map(([, value]) => value),
  )
  if (wrong !== null) expect.fail(`${wrong} (seed ${seed})`)
}

// From the literature of the matter (W. Clinger 1990, V. Paxson 1991, D. Gay's netlib, exploringbinary.com) and from bugs of PHP, Java, glibc, V8
// and others.
const KNOWN = [
  ...['2.2250738585072011e-308', '2.2250738585072012e-308', '2.2250738585072014e-308', '2.225073858507201e-308'],
  ...['1.7976931348623157e308', '1.7976931348623158e308', '1.7976931348623159e308', '17976931348623158079e289'],
  ...['5e-324', '4.9406564584124654e-324', '2.4703282292062327e-324', '2.4703282292062328e-324', '3e-324', '2e-324'],
  ...['2.47032822920623272088284396434110686182e-324', '2.47032822920623272088284396434110686183e-324'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '9007199254740995', '9007199254740993.0'],
  ...['9007199254740993.00000000000000000000000001', '9007199254740992.99999999999999999999999999'],
  ...[
    '1e23',
    '8.5e22',
    '9.5e-320',
    '8.98846567431158e307',
    '89255.0',
    '1448997445238699',
    '104110013277974872254e-225',
  ],
  ...['123456789012345678901234567890', '36028797018963970', '1234567890123456789012345678901234567890e-300'],
  ...[
    '0.500000000000000166533453693773481063544750213623046875',
    '3.518437208883201171875e13',
    '62.5364939768271845828',
  ],
  ...['8.10109172351e-10', '1.50000000000000011102230246251565', '9214843084008499.0', '30078505129381147446200'],
  ...[
    '1777820000000000000001',
    '0.500000000000000166547006220929549868969843373633921146392822265625',
    '0.3932922657273',
  ],
  ...['6.631236846766476e-316', '3.237883913302901e-319', '5e-20', '67902168e26', '6.9294956446009195e15'],
  ...[
    '1090544144181609348835077142190',
    '0.000000000000000000000000000000000000000000000000000000000000000001',
    '1e-325',
    '1e308',
    '9e307',
    '1e309',
  ],
  ...[
    '9e-265',
    '85e-37',
    '623e100',
    '3571e263',
    '81661e153',
    '920657e-23',
    '4603285e-24',
    '87575437e-309',
    '245540327e122',
  ],
  ...[
    '6138508175e120',
    '83356057653e193',
    '619534293513e124',
    '2335141086879e218',
    '36167929443327e-159',
    '609610927149051e-255',
  ],
  ...[
    '3743626360493413e-165',
    '94080055902682397e-242',
    '899810892172646163e283',
    '7120190517612959703e120',
    '25188282901709339043e-252',
  ],
  ...[
    '308984926168550152811e-52',
    '6372891218502368041059e64',
    '5e125',
    '69e267',
    '999e-026',
    '7861e-034',
    '75569e-254',
    '928609e-261',
  ],
  ...[
    '9210917e080',
    '84863171e114',
    '653777767e273',
    '5232604057e-298',
    '27235667517e-109',
    '653532977297e-123',
    '3142213164987e-294',
  ],
  ...[
    '46202199371337e-072',
    '231010996856685e-073',
    '9324754620109615e212',
    '78459735791271921e049',
    '272104041512242479e200',
  ],
  ...[
    '6802601037806061975e198',
    '20505426358836677347e-221',
    '836168422905420598437e-234',
    '4891559871276714924261e222',
  ],
]

const BY_HAND: [string, bigint][] = [
  ['2.2250738585072011e-308', 0x000f_ffff_ffff_ffffn],
  ['2.2250738585072012e-308', 0x0010_0000_0000_0000n],
  ['1.7976931348623158e308', 0x7fef_ffff_ffff_ffffn],
  ['1.7976931348623159e308', 0x7ff0_0000_0000_0000n],
  ['5e-324', 1n],
  ['2.4703282292062327e-324', 0n],
  ['2.4703282292062328e-324', 1n],
  ['9007199254740993', 0x4340_0000_0000_0000n],
  ['9007199254740993.00000000000000000000000001', 0x4340_0000_0000_0001n],
  ['1e23', 0x44b5_2d02_c7e1_4af6n],
  ['0.1', 0x3fb9_9999_9999_999an],
]

test('the hard cases that are known', () => {
  expectAll(BY_HAND.map(([text, bits]) => [text, fromBits(bits)]))
  expectAll(
    KNOWN.map(text => {
      const [, whole, part = '', exponent = '0'] = /^(\d+)(?:\.(\d+))?(?:e(.+))?$/.exec(text) as RegExpExecArray
      return [text, fromBits(nearest(whole + part, Number(exponent) - part.length))]
    }),
  )
})

test('all ways to write a number, and what is none', () => {
  const numbers = [
    '0',
    '-0',
    '+0',
    '00.0',
    '.0',
    '0.',
    '1.',
    '.5',
    '-.5e1',
    '+5.e-1',
    '1e5',
    '1E+05',
    '-1e-5',
    '0e999999999999999999999',
    '-0e-99999999999999999999',
    '1e99999999999999999999',
    '-1e400',
    '1e-99999999999999999999',
    '0000000000000000000000000000000.0000000000000000000000000001e+0000000000000000000000000000028',
  ]
  expectAll(numbers.map(text => [text, Number(text)]))
  const names: [string, number][] = []
  for (const [word, value] of [
    ['inf', Infinity],
    ['infinity', Infinity],
    ['nan', NaN],
  ] as const) {
    for (const cased of [word, word.toUpperCase(), word[0].toUpperCase() + word.slice(1), word.replace('n', 'N')]) {
      names.push([cased, value], [`+${cased}`, value], [`-${cased}`, -value])
    }
  }
  expectAll(names)
  // One pattern of NaN.
  expect(floats(['nan', '-NaN']).map(value => toBits(value as number))).toEqual([0x7ff8n << 48n, 0x7ff8n << 48n])
  const none = [
    '',
    '+',
    '-',
    '.',
    '-.',
    'e',
    'e5',
    '.e5',
    '1e',
    '1e+',
    '1e-',
    '1e5.',
    '1e5e5',
    '1.2.3',
    '..1',
    '1..',
    '1.e',
    '--1',
    '+-1',
    '1-',
    '1+1',
    ' 1',
    '1 ',
    '1,5',
    '0x10',
    '1_000',
    '1f',
    '1d',
    'infinit',
    'infinityy',
    'in',
    'na',
    'nann',
    'nan(0)',
    '-',
    'null',
    '1e5 ',
    'Infinity8',
    '١',
    '1\u00002',
    '12345678901234567.1.',
    '1234567890123456.a',
    '123456789012345a',
    '1e1234567890123456789a',
  ]
  expect(floats(none)).toEqual(none.map(() => ({ code: 1 })))
})

test('whatever Number reads as a decimal, and nothing else', () => {
  const grammar = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
  const piece = fc.constantFrom(
    ...'0123456789',
    '.',
    '.',
    'e',
    'E',
    '-',
    '+',
    '00000000',
    '12345678',
    '99999999999999999999',
    'e-30',
    'e300',
    ' ',
    'x',
    ':',
    '/',
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.array(piece, { maxLength: 8 }).map(parts => parts.join('')),
        { maxLength: 200 },
      ),
      texts => {
        expect(floats(texts)).toEqual(texts.map(text => (grammar.test(text) ? Number(text) : { code: 1 })))
      },
    ),
    { numRuns: 200 },
  )
})

test('digits up to 40 with a point anywhere and any exponent, against integers without bound', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'00123456789'), minLength: 1, maxLength: 40 })
  const exponent = fc.oneof(fc.integer({ min: -25, max: 25 }), fc.integer({ min: -370, max: 330 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(digits, exponent, fc.nat()), { maxLength: 20 }), cases => {
      expectAll(
        cases.map(([text, tens, how]) => [spell(text, tens, randomOf(how).random), fromBits(nearest(text, tens))]),
      )
    }),
    { numRuns: 100 },
  )
})

test('middles between neighbours and what is just beside them, in every magnitude', () => {
  const pairs: [string, number][] = []
  const add = (low: bigint): void => {
    const { digits, tens } = middle(low)
    const [below, above] = [fromBits(low), fromBits(low + 1n)]
    const sign = random() < 0.5 ? '-' : ''
    const of = (value: number): number => (sign === '' ? value : -value)
    pairs.push([sign + spell(digits, tens, random), of(low & 1n ? above : below)])
    pairs.push([sign + spell(String(BigInt(digits) + 1n), tens, random), of(above)])
    pairs.push([sign + spell(String(BigInt(digits) - 1n), tens, random), of(below)])
    // Far behind it, in digits that no fixed precision holds.
    const zeros = Math.floor(random() * 3000)
    pairs.push([sign + spell(`${digits}${'0'.repeat(zeros)}1`, tens - zeros - 1, random), of(above)])
    pairs.push([sign + spell(`${BigInt(digits) - 1n}${'9'.repeat(zeros + 1)}`, tens - zeros - 1, random), of(below)])
    // The number itself, in full.
    const whole = decimal(split(low).integer, split(low).exponent)
    pairs.push([sign + spell(whole.digits, whole.tens, random), of(below)])
  }
  for (let exponent = 0n; exponent < 2047n; exponent += 3n) add((exponent << 52n) | (bits() & ((1n << 52n) - 1n)))
  for (const low of [
    0n,
    1n,
    2n,
    3n,
    (1n << 52n) - 2n,
    (1n << 52n) - 1n,
    1n << 52n,
    (1n << 52n) + 1n,
    (2n << 52n) - 1n,
    2n << 52n,
    INFINITY_BITS - 2n,
    INFINITY_BITS - 1n,
  ])
    add(low)
  for (let i = 0; i < 300; i++) {
    // Ones and zeros in runs, and middles of few digits.
    add((bits() & (0x7ffn << 52n)) | ((1n << 52n) - 1n - BigInt(i % 5)))
    add(toBits(2 ** 53 + 2 * Math.floor(random() * 2 ** 40)))
    add(toBits(Math.floor(random() * 2 ** 20) * 2 ** Math.floor(random() * 60 - 30)))
  }
  expectAll(pairs)
})

test('numbers around 2^53 and 2^64 with any small exponent', () => {
  const pairs: [string, number][] = []
  for (const power of [2n ** 53n, 2n ** 54n, 10n ** 16n, 2n ** 63n, 2n ** 64n, 10n ** 19n]) {
    for (let by = -9n; by <= 33n; by += 2n) {
      for (let tens = -25; tens <= 25; tens++) {
        const digits = String(power + by)
        pairs.push([spell(digits, tens, random), fromBits(nearest(digits, tens))])
      }
      pairs.push([String(power + by), Number(power + by)])
    }
  }
  expectAll(pairs)
})

// Around a middle cut off after 17 to 19 digits a product of 64-bit factors is often in doubt, or nearly.
test('middles cut off after some digits, in every power of ten', () => {
  const pairs: [string, number][] = []
  for (let tens = -342; tens <= 308; tens++) {
    for (let i = 0; i < 6; i++) {
      const value = (1 + random() * 9) * 10 ** Math.max(-323, Math.min(308, tens + 18)) || 5e-324
      if (value === Infinity) continue
      const exact = middle(toBits(value))
      const count = Math.min(exact.digits.length, 17 + (i % 3))
      const digits = String(BigInt(exact.digits.slice(0, count)) + BigInt(i >> 1))
      const rest = exact.tens + exact.digits.length - count
      pairs.push([`${digits}e${rest}`, fromBits(nearest(digits, rest))])
    }
    const short = String(1 + Math.floor(random() * 99_999))
    pairs.push([`${short}e${tens}`, fromBits(nearest(short, tens))])
  }
  expectAll(pairs)
})

test('a hundred thousand digits and zeros', () => {
  const long = 100_000
  const zeros = '0'.repeat(long)
  expectAll([
    [`${zeros}1.5${zeros}`, 1.5],
    [`0.${zeros}15e${long + 1}`, 1.5],
    [`15${zeros}e-${long + 1}`, 1.5],
    [`9007199254740993.${zeros}`, 9007199254740992],
    [`9007199254740993.${zeros}1`, 9007199254740994],
    [`900719925474099${'3'.padEnd(long, '0')}.${zeros}1e-${long - 1}`, 9007199254740994],
    [`1${zeros}`, Infinity],
    [`.${zeros}1`, 0],
    [`0.${'3'.repeat(long)}`, 1 / 3],
    [`${'9'.repeat(long)}e-${long}`, 1],
    [`1e${zeros}5`, 1e5],
    [`-0.${zeros}`, -0],
  ])
})

test('numbers of many kinds as they are written', () => {
  const pairs: [string, number][] = []
  for (let i = 0; i < 8000; i++) {
    const value = (random() < 0.5 ? -1 : 1) * fromBits(bits())
    const small = (random() - 0.5) * 10 ** Math.floor(random() * 12)
    const places = Math.floor(random() * 12)
    pairs.push(
      [String(value), value],
      [value.toExponential(), value],
      [value.toPrecision(17), value],
      [value.toPrecision(21 + (i % 80)), value],
    )
    pairs.push(
      [String(small), small],
      [small.toFixed(places), Number(small.toFixed(places))],
      [String(Math.round(small)), Math.round(small) + 0],
    )
  }
  expectAll(pairs.map(([text, value]) => [text, text.startsWith('-') && value === 0 ? -0 : value]))
})
