// Functions of time, held against the naive model, which asks Intl: all units, around changes of the clocks, before 1970, and at the ends of int64.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DataType, TimeUnit } from '../../src/columnar/type.js'
import { canFail } from '../../src/expressions/failure.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve, typeOf } from '../../src/expressions/typing.js'
import { Failures } from '../../src/operators/compiled.js'
import { compileExpression } from '../../src/operators/evaluate.js'
import { RowFailure } from '../../src/operators/operator.js'
import { expectTable } from '../laws/compare.js'
import { FUNCTIONS } from '../oracle/functions.js'
import { ModelError, type ModelField, type ModelType } from '../oracle/value.js'
import { batchOfModel, makeContext, morselOf, tableOf, thrown } from './support.js'

const context = await makeContext()
const { k } = context
const A: Expression = { op: 'column', name: 'a' }
const B: Expression = { op: 'column', name: 'b' }

const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns']
/** Half hours, LMT with seconds, a skipped day, rules of the south, a lunar calendar, a double summer time, clocks at midnight. */
const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Europe/London',
  'America/Havana',
  'Asia/Kolkata',
  'America/St_Johns',
  '+05:30',
  '-11:00',
  'UTC',
]
const PARTS = [
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'dayOfWeek',
  'dayOfYear',
  'hour',
  'minute',
  'second',
  'millisecond',
]
const STEPS = [
  '15m',
  '1h',
  '6h',
  '45m',
  '50m',
  '1 day',
  '3 days',
  '1 week',
  '2 weeks',
  '1 month',
  '5 months',
  '1 quarter',
  '1 year',
  '10s',
]
const MOVES = [...STEPS, '-1 day', '-1 month', '-13 months', '36h', '-7s', '400 days', '-1 year']

/** Seconds: anywhere between 1830 and 2240, and where Berlin and others change their clocks. */
const CHANGES = [
  '2024-03-31T01:00Z',
  '2024-10-27T01:00Z',
  '2024-03-10T07:00Z',
  '2024-11-03T06:00Z',
  '2011-12-30T10:00Z',
  '2018-11-04T03:00Z',
  '2018-02-18T02:00Z',
  '1945-05-24T00:00Z',
  '1893-03-31T23:06:32Z',
  '2024-04-06T15:00Z',
  '2024-10-05T15:30Z',
  '2024-03-10T05:00Z',
  '2024-11-03T05:00Z',
  '1970-01-01T00:00Z',
]
const seconds = fc.oneof(
  { arbitrary: fc.integer({ min: -4_400_000_000, max: 8_500_000_000 }), weight: 2 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -100_000, max: 100_000 }))
      .map(([text, delta]) => Date.parse(text) / 1000 + delta),
    weight: 3,
  },
  {
    arbitrary: fc
      .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -9, max: 9 }))
      .map(([text, quarters]) => Date.parse(text) / 1000 + quarters * 900),
    weight: 2,
  },
)

const ticks = (unit: TimeUnit): fc.Arbitrary<bigint> =>
  fc
    .tuple(seconds, fc.constantFrom(0, 1, 999, 123))
    .map(
      ([second, fraction]) =>
        BigInt(second) * 10n ** BigInt(3 * UNITS.indexOf(unit)) + (unit === 's' ? 0n : BigInt(fraction)),
    )

interface Case {
  readonly fields: readonly ModelField[]
  readonly rows: readonly (readonly [bigint | null, bigint | null])[]
}

function cases(a: ModelType, b: ModelType, of: (type: ModelType) => fc.Arbitrary<bigint>): fc.Arbitrary<Case> {
  const cell = (type: ModelType) => (type.nullable ? fc.option(of(type), { freq: 6 }) : of(type))
  const row = fc.tuple(cell(a), cell(b))
  return fc.record({
    fields: fc.constant([
      { name: 'a', type: a },
      { name: 'b', type: b },
    ]),
    rows: fc.array(row, { minLength: 1, maxLength: 12 }),
  })
}

function check(node: Expression & { readonly op: 'call' }, { fields, rows }: Case): void {
  const before = k.memory.mark()
  const schema = Object.fromEntries(fields.map(({ name, type }) => [name, type as DataType]))
  const types = node.inputs.map(input => fields.find(({ name }) => input === (name === 'a' ? A : B))?.type as ModelType)
  const { evaluate, type } = FUNCTIONS[node.function]
  const model = { fields, rows: rows.map((values, source) => ({ source, values })) }
  const resolved = resolve(node, schema)
  expect(resolve(resolved, schema)).toEqual(resolved)
  const compiled = compileExpression(context, resolved, schema)
  const morsel = morselOf(context, batchOfModel(model))
  const failures = new Failures()
  const vector = compiled.evaluate(morsel, failures)
  let wanted: unknown[] | number
  try {
    wanted = rows.map(([a, b], row) =>
      evaluate(
        node.inputs.map(input => (input === A ? a : b)),
        { parameters: node.parameters ?? {}, types, row },
      ),
    )
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    wanted = error.row
  }
  if (typeof wanted === 'number') {
    const failure = thrown(() => failures.throwIfAny(k, morsel))
    expect(failure).toBeInstanceOf(RowFailure)
    expect(failure).toMatchObject({ row: wanted, error: { code: 'MR_INTEGER_OVERFLOW' } })
    expect(canFail(resolved, schema)).toBe(true)
  } else {
    failures.throwIfAny(k, morsel)
    const shape = { it: typeOf(resolved, schema) }
    const table = {
      fields: [{ name: 'it', type: type(types, node.parameters ?? {}) }],
      rows: wanted.map((value, source) => ({ source, values: [value as bigint] })),
    }
    expectTable(tableOf(context, { rowCount: rows.length, columns: [vector] }, shape), table)
  }
  compiled.free()
  context.loader.close()
  k.memory.reset(before)
}

type Call = Expression & { readonly op: 'call' }
const call = (name: string, inputs: readonly Expression[], parameters = {}): Call => ({
  op: 'call',
  function: name,
  inputs,
  parameters,
})
const zone = fc.option(fc.constantFrom(...ZONES), { freq: 4 }).map(name => (name === null ? {} : { zone: name }))

const someCall: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(fc.constantFrom(...PARTS), zone).map(([name, told]) => call(name, [A], told)),
  zone.map(told => call('date', [A], told)),
  fc.constantFrom(...UNITS).map(unit => call('epoch', [A], { unit })),
  fc.tuple(fc.constantFrom(...STEPS), zone).map(([by, told]) => call('truncate', [A], { by, ...told })),
  fc.tuple(fc.constantFrom(...MOVES), zone).map(([by, told]) => call('add', [A], { by, ...told })),
  fc.tuple(fc.constantFrom(...STEPS), zone).map(([by, told]) => call('diff', [A, B], { by, ...told })),
)

const instantType = fc
  .record({ unit: fc.constantFrom(...UNITS), nullable: fc.boolean() })
  .map(({ unit, nullable }): ModelType => ({ kind: 'timestamp', unit, nullable }))

describe('functions of time', () => {
  it('of timestamps are what Intl and counting make of them', () => {
    const cased = fc.tuple(instantType, instantType, someCall).chain(([a, b, node]) =>
      fc.tuple(
        fc.constant(node),
        cases(a, b, ({ unit }) => ticks(unit as TimeUnit)),
      ),
    )
    fc.assert(
      fc.property(cased, ([node, one]) => check(node, one)),
      { numRuns: 120 },
    )
  })

  it('of any int64 are right, or fail at the least row', () => {
    const edge = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: 0n, max: 10n ** 16n }).chain(by => fc.constantFrom(by - 2n ** 63n, 2n ** 63n - 1n - by)),
    )
    const named = someCall.map(node => ({ ...node, parameters: { ...node.parameters, zone: undefined } }))
    const cased = fc.tuple(instantType, instantType, named).chain(([a, b, node]) =>
      fc.tuple(
        fc.constant(node),
        cases(a, b, () => edge),
      ),
    )
    fc.assert(
      fc.property(
        cased,
        ([
          {
            parameters: { zone: _, ...parameters },
            ...node
          },
          one,
        ]) => {
          if (!/year|date/.test(node.function)) check({ ...node, parameters } as Call, one)
        },
      ),
      { numRuns: 80 },
    )
  })

  it('of dates are those of whole days', () => {
    const type: ModelType = { kind: 'date', nullable: true }
    const days = fc.oneof(fc.bigInt({ min: -719_162n, max: 2_932_896n }), fc.bigInt({ min: -40n, max: 40n }))
    const named = someCall.filter(({ function: name, parameters = {} }) => {
      const isShort = typeof parameters.by === 'string' && !/day|week|month|quarter|year/.test(parameters.by)
      return !isShort && parameters.zone === undefined && !/hour|minute|second|date/.test(name)
    })
    // What leaves the years that have a plain name is another suite's.
    const inside = fc.bigInt({ min: -700_000n, max: 2_900_000n })
    fc.assert(
      fc.property(
        named.chain(node =>
          fc.tuple(
            fc.constant(node),
            cases(type, type, () => (node.function === 'add' ? inside : fc.oneof(days, inside))),
          ),
        ),
        ([node, one]) => {
          if (node.function === 'truncate')
            check(node, { ...one, rows: one.rows.map(([a, b]) => [a !== null && a < -700_000n ? 0n : a, b]) })
          else check(node, one)
        },
      ),
      { numRuns: 70 },
    )
  })
})
