/** Arbitrary schemas and rows, full of what goes wrong: nulls, NaN, -0, subnormals, extremes, astral strings, odd names. */
import fc from 'fast-check'
import { INT64_MAX, INT64_MIN } from '../oracle/expression.js'
import type { ModelField, ModelKind, ModelRow, ModelTable, ModelType, Value } from '../oracle/value.js'

export const NAMES = [
  'a',
  'b',
  'c',
  'k',
  'x',
  'y',
  '',
  '__proto__',
  'constructor',
  'toString',
  'length',
  'two words',
  '日本',
  '😀',
] as const

const KINDS: readonly ModelKind[] = [
  'float64',
  'int32',
  'utf8',
  'int64',
  'bool',
  'timestamp',
  'date',
  'float32',
  'int8',
  'int16',
  'uint8',
  'uint16',
  'uint32',
]

/** Doubles at every edge of the format. */
export const EDGE_FLOATS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.1,
  NaN,
  Infinity,
  -Infinity,
  5e-324,
  -5e-324,
  2.2250738585072014e-308,
  2.225073858507201e-308,
  1e-300,
  1e308,
  -1e308,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2 ** 53,
  2 ** 63,
  -(2 ** 63),
  1 / 3,
]

const STRINGS = [
  '',
  'a',
  'ab',
  'b',
  'A',
  'é',
  '\uFF5E',
  '😀',
  'zz',
  '\u0000',
  'null',
  'a longer string than most',
] as const

/** Instants whose nanoseconds fit an int64, so that units can be compared without failing. */
const MILLISECONDS_MOST = 9_200_000_000_000n
const PER_MILLISECOND = { s: 1n, ms: 1n, us: 1000n, ns: 1_000_000n } as const

/** The bits of an integer kind, and whether it has a sign. */
export function integerRange(kind: ModelKind): readonly [least: bigint, greatest: bigint] {
  if (kind === 'int64') return [INT64_MIN, INT64_MAX]
  const bits = BigInt(kind.replace(/\D+/, ''))
  return kind.startsWith('u') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
}

function integers(least: bigint, greatest: bigint): fc.Arbitrary<bigint> {
  const from = least > -9n ? least : -9n
  const narrow = fc.bigInt({ min: from, max: 9n })
  const wide = fc.bigInt({ min: least, max: greatest })
  return fc.oneof(
    { arbitrary: narrow, weight: 5 },
    { arbitrary: wide, weight: 2 },
    { arbitrary: fc.constantFrom(least, greatest, greatest - 1n), weight: 1 },
  )
}

/** Values of a type that are not null. */
export function valuesOf({ kind, unit, item }: ModelType): fc.Arbitrary<Value> {
  switch (kind) {
    case 'list': {
      const value = valuesOf(item as ModelType)
      return fc.array(item?.nullable ? fc.option(value) : value, { maxLength: 4 })
    }
    case 'bool':
      return fc.boolean()
    case 'float64':
      return fc.oneof(
        { arbitrary: fc.integer({ min: -3, max: 3 }), weight: 3 },
        { arbitrary: fc.constantFrom(...EDGE_FLOATS), weight: 2 },
        { arbitrary: fc.double(), weight: 2 },
        { arbitrary: fc.integer({ min: -100_000, max: 100_000 }).map(cents => cents / 100), weight: 2 },
      )
    case 'float32':
      return fc.oneof(
        fc.integer({ min: -3, max: 3 }),
        fc.float(),
        fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** -149, Math.fround(3.4e38)),
      )
    case 'utf8':
      return fc.oneof(
        { arbitrary: fc.constantFrom(...STRINGS), weight: 3 },
        { arbitrary: fc.string({ unit: 'binary', maxLength: 6 }), weight: 1 },
      )
    case 'date':
      // The years 1 to 9999: the others have no plain 'YYYY-MM-DD'.
      return fc.oneof(integers(-9n, 9n), fc.bigInt({ min: -719_162n, max: 2_932_896n }))
    case 'timestamp': {
      const most = unit === 's' ? MILLISECONDS_MOST / 1000n : MILLISECONDS_MOST * PER_MILLISECOND[unit ?? 'ms']
      return fc.oneof(integers(-9n, 9n), fc.bigInt({ min: -most, max: most }))
    }
    default:
      return integers(...integerRange(kind))
  }
}

const scalarTypes: fc.Arbitrary<ModelType> = fc
  .record({ kind: fc.constantFrom(...KINDS), nullable: fc.boolean(), unit: fc.constantFrom('ms', 's', 'us', 'ns') })
  .map(({ kind, nullable, unit }) => (kind === 'timestamp' ? { kind, nullable, unit } : { kind, nullable }))

const listOf = (items: fc.Arbitrary<ModelType>): fc.Arbitrary<ModelType> =>
  fc.record({ kind: fc.constant('list' as const), nullable: fc.boolean(), item: items })

export const types: fc.Arbitrary<ModelType> = fc.oneof(
  { arbitrary: scalarTypes, weight: 10 },
  {
    arbitrary: listOf(fc.oneof({ arbitrary: scalarTypes, weight: 4 }, { arbitrary: listOf(scalarTypes), weight: 1 })),
    weight: 1,
  },
)

/** Mostly int64, whose arithmetic can overflow. */
export const overflowingTypes: fc.Arbitrary<ModelType> = fc.record({
  kind: fc.constantFrom('int64', 'int64', 'int64', 'uint32', 'float64', 'utf8'),
  nullable: fc.boolean(),
})

export function fieldsOf(most = 5, of: fc.Arbitrary<ModelType> = types): fc.Arbitrary<ModelField[]> {
  const field = fc.record({ name: fc.constantFrom(...NAMES), type: of })
  return fc.uniqueArray(field, { minLength: 1, maxLength: most, selector: ({ name }) => name })
}

/** One column: sometimes few distinct values, sometimes all null or null up to some row, with nulls as often as not where they are allowed. */
function columnOf(type: ModelType, length: number): fc.Arbitrary<Value[]> {
  const few = fc.array(valuesOf(type), { minLength: 1, maxLength: 3 }).chain(values => fc.constantFrom(...values))
  return fc
    .record({
      distinct: fc.constantFrom(valuesOf(type), few),
      nulls: type.nullable ? fc.constantFrom(0, 1, 5, 1000) : fc.constant(0),
      // Whole splits without a value, before or behind those that have some.
      head: type.nullable
        ? fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.nat({ max: length }))
        : fc.constant(0),
      tail: type.nullable
        ? fc.oneof({ arbitrary: fc.constant(0), weight: 7 }, fc.nat({ max: length }))
        : fc.constant(0),
    })
    .chain(({ distinct, nulls, head, tail }) => {
      const value: fc.Arbitrary<Value> =
        nulls === 0
          ? distinct
          : fc.oneof({ arbitrary: fc.constant(null), weight: nulls }, { arbitrary: distinct, weight: 5 })
      return fc
        .array(value, { minLength: length, maxLength: length })
        .map(values => values.map((each, row) => (row < head || row >= length - tail ? null : each)))
    })
}

/** A table of up to `mostRows` rows over arbitrary fields. */
export function tables(mostRows: number, fields: fc.Arbitrary<ModelField[]> = fieldsOf()): fc.Arbitrary<ModelTable> {
  return fc.tuple(fields, fc.nat({ max: mostRows })).chain(([chosen, rowCount]) =>
    fc.tuple(...chosen.map(({ type }) => columnOf(type, rowCount))).map(columns => ({
      fields: chosen,
      rows: Array.from({ length: rowCount }, (_, source) => ({
        source,
        values: columns.map(column => column[source] as Value),
      })),
    })),
  )
}

/**
 * Many rows made of few: row i is a row of `block` chosen by a hash of (seed, i) among a part of the block that widens with i, so that
 * new keys, new ranges and new failures turn up all the way, in every split.
 */
export function spread(block: ModelTable, rowCount: number, seed: number): ModelTable {
  const distinct = block.rows.length
  if (distinct === 0) return block
  const rows: ModelRow[] = []
  for (let source = 0; source < rowCount; source++) {
    const known = 1 + Math.floor((distinct * (source + 1)) / rowCount)
    const row = block.rows[mix(seed, source) % Math.min(known, distinct)] as ModelRow
    rows.push({ source, values: row.values })
  }
  return { fields: block.fields, rows }
}

/** A hash of two integers to 32 bits (the finaliser of MurmurHash3). */
function mix(seed: number, value: number): number {
  let hash = (seed ^ Math.imul(value, 0x9e3779b1)) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
