/** Skipping row groups by statistics: never one that holds a row which passes, and those that plainly hold none. */
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { beforeAll, describe, expect, test } from 'vitest'
import { int64, nullable, type SchemaShape, timestamp } from '../../../src/columnar/type.js'
import type { CompareOp, Expression, LiteralValue } from '../../../src/expressions/node.js'
import { resolvePredicate } from '../../../src/expressions/typing.js'
import { openParquet, type ParquetReader } from '../../../src/formats/parquet/lane-extension.js'
import { evaluateResolved } from '../../expressions/evaluate.js'
import { readTable, type Values } from './read-values.js'

const column = (name: string): Expression => ({ op: 'column', name })
const literal = (value: LiteralValue): Expression => ({ op: 'literal', value })
const compare = (op: CompareOp, name: string, value: LiteralValue): Expression => ({
  op,
  left: column(name),
  right: literal(value),
})

const COMPARE: CompareOp[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte']
const texts = ['', 'a', 'b', 'é', '\u{1f0a1}', '\uffff', 'zz', 'a long text that statistics cut short']
/** Few values, so that bounds are met exactly. */
const columns: Record<string, { type: string; value: fc.Arbitrary<unknown>; literals: fc.Arbitrary<LiteralValue> }> = {
  i: {
    type: 'INT32',
    value: fc.integer({ min: -4, max: 4 }),
    literals: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(0.5, -1.5, Number.NaN, Infinity, 1e300)),
  },
  b: {
    type: 'INT64',
    value: fc.constantFrom(-(2n ** 63n), -1n, 0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n),
    literals: fc.constantFrom<LiteralValue>(
      0n,
      1,
      0.5,
      2n ** 53n,
      2 ** 53,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      1e300,
      -1e300,
    ),
  },
  f: {
    type: 'DOUBLE',
    value: fc.constantFrom(-Infinity, -1.5, -0, 0, 1.5, Number.NaN, Infinity),
    literals: fc.constantFrom<LiteralValue>(-1.5, 0, -0, 1, 2n, Number.NaN, Infinity, -Infinity),
  },
  s: { type: 'STRING', value: fc.constantFrom(...texts), literals: fc.constantFrom<LiteralValue>(...texts) },
  t: { type: 'BOOLEAN', value: fc.boolean(), literals: fc.boolean() },
}
const names = Object.keys(columns)

const leaf: fc.Arbitrary<Expression> = fc.constantFrom(...names).chain(name => {
  const { literals } = columns[name] as (typeof columns)[string]
  return fc.oneof(
    fc
      .tuple(fc.constantFrom(...(name === 't' ? COMPARE.slice(0, 2) : COMPARE)), fc.option(literals, { freq: 10 }))
      .map(([op, value]) => compare(op, name, value)),
    fc.array(fc.option(literals, { freq: 8 }), { maxLength: 3 }).map(
      (values): Expression => ({
        op: 'in',
        input: column(name),
        values: values.map(value => ({ op: 'literal', value })),
      }),
    ),
    fc.constant<Expression>({ op: 'isNull', input: column(name) }),
    fc.constant<Expression>(
      name === 't' ? column('t') : { op: 'lt', left: column('i'), right: column(name === 's' ? 'i' : name) },
    ),
  )
})
const predicates: fc.Arbitrary<Expression> = fc.letrec<{ node: Expression }>(tie => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ op: fc.constantFrom('and' as const, 'or' as const), left: tie('node'), right: tie('node') }),
    fc.record({ op: fc.constant('not' as const), input: tie('node') }),
  ),
})).node

/** The model's integers are bigint, whatever their width. */
const modelValue = (value: Values[number], name: string) => (name === 'i' && value !== null ? BigInt(value) : value)

describe('row groups', () => {
  test('are never skipped where a row passes, and are skipped often', async () => {
    let skipped = 0
    const table = fc.record({
      groups: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      isNullable: fc.boolean(),
    })
    const cases = table.chain(({ groups, isNullable }) => {
      const rowCount = groups.reduce((sum, size) => sum + size, 0)
      const data = Object.fromEntries(
        names.map(name => {
          const { value } = columns[name] as (typeof columns)[string]
          return [
            name,
            fc.array(isNullable ? fc.option(value, { freq: 2 }) : value, { minLength: rowCount, maxLength: rowCount }),
          ]
        }),
      )
      return fc.record({
        groups: fc.constant(groups),
        isNullable: fc.constant(isNullable),
        data: fc.record(data),
        predicates: fc.array(predicates, { minLength: 5, maxLength: 12 }),
      })
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ groups, isNullable, data, predicates }) => {
        const buffer = parquetWriteBuffer({
          columnData: names.map(name => ({
            name,
            data: data[name] as never,
            type: columns[name]?.type as 'INT32',
            nullable: isNullable,
          })),
          rowGroupSize: groups,
        })
        const bytes = new Uint8Array(buffer)
        const reader = await openParquet({ kind: 'bytes', bytes })
        for (const raw of predicates) {
          const predicate = resolvePredicate(raw, reader.schema, 'filter')
          const kept = new Set(reader.candidates(predicate))
          for (const part of reader.rowGroups.keys()) {
            if (kept.has(part)) continue
            skipped++
            const { columns: read, batches } = await readTable(bytes, names, [part])
            for (let row = 0; row < (batches[0]?.rowCount ?? 0); row++) {
              const values = new Map(names.map(name => [name, modelValue(read[name]?.[row] ?? null, name)]))
              if (evaluateResolved(predicate, values, reader.schema) === true)
                expect.unreachable(`row ${row} of ${part} passes`)
            }
          }
        }
      }),
      { numRuns: 60 },
    )
    expect(skipped).toBeGreaterThan(60)
  })
})

describe('a file of three row groups', () => {
  let reader: ParquetReader
  let shape: SchemaShape
  beforeAll(async () => {
    const buffer = parquetWriteBuffer({
      columnData: [
        { name: 'n', type: 'INT64', data: [1n, 2n, 3n, 10n, 20n, 30n, 100n, 200n, null], nullable: true },
        { name: 'f', type: 'DOUBLE', data: [1, 2, 3, 4, Number.NaN, 6, 7, 8, 9] },
        { name: 's', type: 'STRING', data: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] },
        { name: 'time', type: 'TIMESTAMP', data: Array.from({ length: 9 }, (_, i) => new Date(i * 1000)) },
      ],
      rowGroupSize: 3,
    })
    reader = await openParquet({ kind: 'bytes', bytes: new Uint8Array(buffer) })
    shape = reader.schema
  })
  const kept = (predicate: Expression) => reader.candidates(resolvePredicate(predicate, shape, 'filter'))

  test('keeps the groups whose bounds allow a match', () => {
    expect(shape.n).toEqual(nullable(int64()))
    expect(reader.candidates(null)).toEqual([0, 1, 2])
    expect(kept(compare('gt', 'n', 3))).toEqual([1, 2])
    expect(kept(compare('gte', 'n', 3))).toEqual([0, 1, 2])
    expect(kept(compare('eq', 'n', 25))).toEqual([1])
    expect(kept(compare('eq', 'n', 2.5))).toEqual([])
    expect(kept({ op: 'not', input: compare('gt', 'n', 3) })).toEqual([0])
    expect(kept({ op: 'in', input: column('s'), values: [literal('c') as never, literal('h') as never] })).toEqual([
      0, 2,
    ])
    expect(kept({ op: 'and', left: compare('gt', 'n', 3), right: compare('lt', 's', 'g') })).toEqual([1])
    expect(kept({ op: 'isNull', input: column('n') })).toEqual([2])
    expect(kept({ op: 'isNull', input: column('f') })).toEqual([])
    expect(kept(compare('eq', 'n', null))).toEqual([])
  })

  test('knows that NaN is greater than every bound', () => {
    expect(kept(compare('gt', 'f', 100))).toEqual([1])
    expect(kept(compare('lt', 'f', 2))).toEqual([0])
  })

  test('compares times with times, in the unit of the column', () => {
    expect(shape.time?.kind).toBe('timestamp')
    const at = (seconds: number): Expression => ({
      op: 'literal',
      value: BigInt(seconds * 1000),
      type: timestamp('ms'),
    })
    expect(kept({ op: 'gte', left: column('time'), right: at(6) })).toEqual([2])
  })

  test('of a list of values those within bounds count, which are looked at once for all groups', () => {
    const among = (name: string, ...values: LiteralValue[]) =>
      kept({ op: 'in', input: column(name), values: values.map(value => literal(value) as never) })
    expect(among('n', 4n, 9n, 31n, 99n, -1n)).toEqual([])
    expect(among('n', 31n, 200n, null, 1n)).toEqual([0, 2])
    expect(among('n', null)).toEqual([])
    expect(among('f', 3.5, 0.5)).toEqual([])
    expect(among('f', 0.5, Number.NaN)).toEqual([0, 1, 2])
    expect(among('s', 'c\0', 'Z', 'f\uffff', 'i\u{1f0a1}')).toEqual([])
    let looks = 0
    const values = Array.from({ length: 100 }, (_, i) => {
      const value = 1000n + BigInt(i)
      const counted = {
        op: 'literal' as const,
        type: int64(),
        get value() {
          looks++
          return value
        },
      }
      return counted
    })
    const first = { op: 'in' as const, input: column('n'), values }
    expect(reader.candidates(first)).toEqual([])
    const atFirst = looks
    for (let i = 0; i < 10; i++) expect(reader.candidates(first)).toEqual([])
    expect([atFirst > 0, looks]).toEqual([true, atFirst])
  })

  test('a predicate that can fail skips nothing', () => {
    const sum: Expression = { op: 'add', left: column('n'), right: column('n') }
    const never = compare('gt', 'n', 1000)
    expect(kept(never)).toEqual([])
    expect(kept({ op: 'and', left: never, right: { op: 'gt', left: sum, right: literal(0) } })).toEqual([0, 1, 2])
  })
})
