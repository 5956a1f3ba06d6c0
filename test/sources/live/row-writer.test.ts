/** Rows written one by one, or many, against what reads all of them at once: the same columns, or the same refusal with nothing written. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openRows } from '../../../src/columnar/input.js'
import { schema as schemaOf } from '../../../src/columnar/schema.js'
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
} from '../../../src/columnar/type.js'
import { createRowWriter } from '../../../src/sources/live/row-writer.js'

const TYPES: readonly DataType[] = [
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
  date(),
  timestamp('ms'),
  timestamp('s'),
  timestamp('ns'),
  list(int32()),
]

const plain = (type: DataType): fc.Arbitrary<unknown> => {
  switch (type.kind) {
    case 'bool':
      return fc.boolean()
    case 'utf8':
      return fc.string({ maxLength: 3 })
    case 'date':
      return fc.oneof(fc.constantFrom('2024-02-29', '1969-12-31'), fc.integer({ min: -1000, max: 1000 }))
    case 'timestamp':
      return fc.oneof(
        fc
          .date({ noInvalidDate: true, min: new Date(-1e6), max: new Date(1e6) })
          .map(each => new Date(Math.floor(each.getTime() / 1000) * 1000)),
        fc.integer(),
        fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
      )
    case 'list':
      return fc.array(fc.integer(), { maxLength: 3 })
    case 'float32':
      return fc.oneof(fc.float(), fc.constantFrom(-0, Number.NaN))
    case 'float64':
      return fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN), fc.bigInt({ min: -1000n, max: 1000n }))
    case 'int64':
      return fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(-0))
    default:
      return type.kind.startsWith('u')
        ? fc.integer({ min: 0, max: 255 })
        : fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constant(-0), fc.constant(7n))
  }
}
const odd = fc.constantFrom<unknown>(
  null,
  undefined,
  1.5,
  2 ** 31,
  2 ** 53,
  -1e10,
  2n ** 70n,
  'x',
  true,
  new Date(1),
  new Date(Number.NaN),
  [],
  {},
  Infinity,
  0.1,
  1e300,
)

const NAMES = ['a', 'b', 'constructor', '7', '__proto__']
const cases = fc
  .array(fc.record({ type: fc.constantFrom(...TYPES), isNullable: fc.boolean() }), {
    minLength: 1,
    maxLength: NAMES.length,
  })
  .chain(columns => {
    const shape = schemaOf(
      Object.fromEntries(
        columns.map(({ type, isNullable }, i) => [
          NAMES[i] === '__proto__' ? '_p' : NAMES[i],
          isNullable ? nullable(type) : type,
        ]),
      ),
    )
    const value = (type: DataType) =>
      fc.oneof(
        { weight: 12, arbitrary: plain(type) },
        { weight: type.nullable ? 3 : 0, arbitrary: fc.constantFrom(null, undefined) },
        { weight: 1, arbitrary: odd },
      )
    const names = Object.keys(shape)
    const row = fc
      .tuple(
        fc.shuffledSubarray([...names, 'other'], { minLength: names.length }),
        fc.boolean(),
        ...names.map(name => value(shape[name] as DataType)),
      )
      .map(([order, isInOrder, ...values]) => {
        const made: Record<string, unknown> = {}
        for (const name of isInOrder ? names : order) made[name] = name === 'other' ? 1 : values[names.indexOf(name)]
        return made
      })
    return fc.record({
      shape: fc.constant(shape),
      pushes: fc.array(
        fc.oneof(
          row.map(each => ({ one: each })),
          fc.array(row, { maxLength: 6 }).map(many => ({ many })),
        ),
        { maxLength: 8 },
      ),
    })
  })

it('writes what openRows reads, or refuses as it does', () => {
  fc.assert(
    fc.property(cases, ({ shape, pushes }) => {
      const writer = createRowWriter(shape, 'rows')
      let taken: object[] = []
      const check = () => {
        const batch = writer.finish()
        expect(batch.rowCount).toBe(taken.length)
        expect(batch.toRows({ bigint: true })).toEqual(
          openRows(taken, shape).read(0, taken.length).toRows({ bigint: true }),
        )
        taken = []
      }
      pushes.forEach((push, i) => {
        const rows = 'one' in push ? [push.one] : push.many
        let refusal: unknown = null
        try {
          openRows(rows, shape).read(0, rows.length)
        } catch (error) {
          refusal = error
        }
        let found: unknown = null
        try {
          if ('one' in push) writer.append(push.one)
          else writer.appendAll(push.many)
        } catch (error) {
          found = error
        }
        expect((found as Error | null)?.message).toEqual((refusal as Error | null)?.message)
        if (refusal === null) taken.push(...rows)
        expect(writer.length).toBe(taken.length)
        if (i % 3 === 2) check()
        else if (i % 5 === 4) {
          taken.length = Math.floor(taken.length / 2)
          writer.truncate(taken.length)
        }
      })
      check()
    }),
    { numRuns: 600 },
  )
})
