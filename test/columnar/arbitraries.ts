/**
 * Random types with random values of each, and ways to cut them into chunks; the facts about them are in the test files
 * beside.
 */
import fc from 'fast-check'
import { createBuilder } from '../../src/columnar/builder.js'
import { dayText } from '../../src/columnar/day.js'
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
  type TimeUnit,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import type { Vector } from '../../src/columnar/vector.js'

export interface Sample {
  readonly type: DataType
  /** As `toRows({ bigint: true })` gives them. */
  readonly values: readonly unknown[]
}

const INT64_MAX = 2n ** 63n - 1n
const int64s = fc.oneof(
  fc.bigInt(-INT64_MAX - 1n, INT64_MAX),
  fc.constantFrom(-INT64_MAX - 1n, INT64_MAX, 0n, -1n),
  fc.bigInt(-9n, 9n),
)
const texts = fc.oneof(
  fc.constantFrom('', 'ATL', 'ORD', '\ufeffbom', '\u{1f600}', 'null', '__proto__', 'a\0b'),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary', maxLength: 60 }),
)
const int = (min: number, max: number) => fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))

const VALUES_OF: readonly (readonly [DataType, fc.Arbitrary<unknown>])[] = [
  [bool(), fc.boolean()],
  [int8(), int(-128, 127)],
  [int16(), int(-32768, 32767)],
  [int32(), int(-(2 ** 31), 2 ** 31 - 1)],
  [int64(), int64s],
  [uint8(), int(0, 255)],
  [uint16(), int(0, 65535)],
  [uint32(), int(0, 2 ** 32 - 1)],
  [float32(), fc.oneof(fc.float(), fc.constantFrom(-0, Number.NaN, Infinity, 2 ** -149))],
  [float64(), fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN, -Infinity, 5e-324, Number.MAX_VALUE))],
  [utf8(), texts],
  [date(), int(-(2 ** 31), 2 ** 31 - 1).map(dayText)],
  ...(['s', 'ms', 'us', 'ns'] as TimeUnit[]).map(unit => [timestamp(unit), int64s] as const),
]

type Typed = readonly [DataType, fc.Arbitrary<unknown>]
const scalars = fc.constantFrom(...VALUES_OF)
const withNulls = ([type, value]: Typed): Typed => [nullable(type), fc.option(value, { freq: 3 })]
/** A type and its values, or the nullable one. */
const either = (typed: fc.Arbitrary<Typed>) =>
  fc.tuple(typed, fc.boolean()).map(([t, isNull]) => (isNull ? withNulls(t) : t))
const listOf = ([type, value]: Typed): Typed => [list(type), fc.array(value, { maxLength: 5 })]
const lists = either(fc.oneof(scalars, either(scalars).map(listOf))).map(listOf)

const samplesOf = (typed: fc.Arbitrary<Typed>, maxLength: number): fc.Arbitrary<Sample> =>
  either(typed).chain(([type, value]) => fc.record({ type: fc.constant(type), values: fc.array(value, { maxLength }) }))

/** A type, of lists too, and up to `maxLength` values of it, with nulls in some of the nullable ones. */
export const sample = (maxLength = 200): fc.Arbitrary<Sample> =>
  samplesOf(fc.oneof({ arbitrary: scalars, weight: 3 }, { arbitrary: lists, weight: 1 }), maxLength)

/** The same of lists alone, lists of lists among them, of every scalar type. */
export const listSample = (maxLength = 60): fc.Arbitrary<Sample> => samplesOf(lists, maxLength)

/** Cuts `length` items into runs: the ends of each, some of them empty. */
export const cuts = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(length), { maxLength: 6 }).map(ends => [0, ...ends.sort((a, b) => a - b), length])

/** A table's worth of rows: one sample a column, all of one length. */
export const samples = (maxColumns = 5): fc.Arbitrary<{ samples: Sample[]; length: number }> =>
  fc.array(sample(60), { maxLength: maxColumns }).map(all => {
    const length = all.length === 0 ? 0 : Math.min(...all.map(({ values }) => values.length))
    return { samples: all.map(({ type, values }) => ({ type, values: values.slice(0, length) })), length }
  })

/** A vector of these values, made by the builder. */
export function vectorOf(type: DataType, values: readonly unknown[], column = 'x'): Vector {
  const builder = createBuilder(type, column)
  builder.appendAll(values, 0, values.length)
  return builder.finish()
}

/** The code of the error that `fn` throws, and where it says it was; the test fails where it throws none. */
export function errorOf(fn: () => unknown): { code: string; column?: unknown; row?: unknown; message: string } {
  try {
    fn()
  } catch (error) {
    const { code, details, message } = error as {
      code: string
      details: { column?: unknown; row?: unknown }
      message: string
    }
    return {
      code,
      ...(details?.column === undefined ? {} : { column: details.column }),
      ...(details?.row === undefined ? {} : { row: details.row }),
      message,
    }
  }
  throw new Error('nothing was thrown')
}
