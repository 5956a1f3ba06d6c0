// Every type as every other, values at all edges, against the model; what a failure says; text that is nearly a value.

import { describe, expect, it } from 'vitest'
import {
  type DataType,
  float64,
  int32,
  int64,
  list,
  nullable,
  type SchemaShape,
  timestamp,
  typeName,
  utf8,
} from '../../../src/columnar/type.js'
import { MillraceError } from '../../../src/errors.js'
import type { Expression } from '../../../src/expressions/node.js'
import { resolve, typeOf } from '../../../src/expressions/typing.js'
import { Failures } from '../../../src/operators/compiled.js'
import { compileExpression } from '../../../src/operators/evaluate.js'
import { RowFailure } from '../../../src/operators/operator.js'
import { expectTable } from '../../laws/compare.js'
import { EDGE_FLOATS, integerRange } from '../../laws/tables.js'
import { FUNCTIONS } from '../../oracle/functions.js'
import {
  isInteger,
  ModelError,
  type ModelKind,
  type ModelTable,
  type ModelType,
  type Value,
} from '../../oracle/value.js'
import { batchOf, batchOfModel, makeContext, morselOf, rowsOf, tableOf, thrown } from '../support.js'

const context = await makeContext()
const { k } = context

const UNITS = ['s', 'ms', 'us', 'ns'] as const
const TYPES: readonly ModelType[] = [
  ...(
    [
      'bool',
      'int8',
      'int16',
      'int32',
      'int64',
      'uint8',
      'uint16',
      'uint32',
      'float32',
      'float64',
      'utf8',
      'date',
    ] as const
  ).map((kind): ModelType => ({ kind, nullable: true })),
  ...UNITS.map((unit): ModelType => ({ kind: 'timestamp', nullable: true, unit })),
]

const MAX = 2n ** 63n - 1n
const TEXTS = [
  '0',
  '-0',
  '1',
  '+7',
  '-128',
  '128',
  '255',
  '256',
  '65535',
  '-32769',
  '2147483648',
  '-2147483648',
  '4294967295',
  '4294967296',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  ' 12 ',
  '\t3\n',
  '\u00a05\u3000',
  '',
  ' ',
  '12.0',
  '.5',
  '5.',
  '1e3',
  '1e400',
  '-1e-400',
  '0x10',
  '1_000',
  '1,5',
  'nan',
  '-NaN',
  'inf',
  '-Infinity',
  'infinite',
  '0.1',
  '16777217',
  '3.4028236e38',
  '1e39',
  '1.00000017881393432617187499',
  'true',
  'FALSE',
  't',
  'F',
  'yes',
  'truee',
  'null',
  'é',
  '12é',
  '😀',
  '1970-01-01',
  '2024-02-29',
  '2023-02-29',
  '0000-01-01',
  '+012024-02-29',
  '-0001-12-31',
  '-0000-01-01',
  '+5881580-07-11',
  '+5881580-07-12',
  '1970-1-1',
  '1969-12-31T23:59:59.999Z',
  '2024-02-29T12:34',
  '2024-02-29 12:34:56',
  '2024-02-29T12:34:56.5+02:00',
  '2024-02-29T12:34:56.000000001Z',
  '2024-02-29T24:00:00Z',
  '1677-09-21T00:12:43.145224192Z',
  '1677-09-21T00:12:43.145224191Z',
  '2262-04-11T23:47:16.854775807Z',
  '2262-04-11T23:47:16.854775808Z',
  '2024-02-29T12:34:56.50000Z',
] as const

/** Values at the edges of every type, of those that `type` has. */
function edgesOf(type: ModelType): Value[] {
  const { kind } = type
  if (kind === 'utf8') return [...TEXTS, null]
  if (kind === 'bool') return [true, false, null]
  const integers = (['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'] as const).flatMap(each => {
    const [least, greatest] = integerRange(each)
    return [least, least - 1n, greatest, greatest + 1n]
  })
  const perDay = UNITS.map(unit => 86_400n * { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }[unit])
  const counts = [
    0n,
    1n,
    -1n,
    16_777_217n,
    -33_554_435n,
    9_007_199_254_740_993n,
    2n ** 62n + 1n,
    0x4000_0080_0000_0001n,
    ...perDay.flatMap(day => [day, -day, day - 1n, -day - 1n]),
    MAX / 1000n,
    MAX / 1000n + 1n,
    -MAX / 1_000_000_000n - 1n,
  ]
  const bounds: ModelKind = kind === 'date' ? 'int32' : kind === 'timestamp' ? 'int64' : kind
  if (isInteger(bounds)) {
    const [least, greatest] = integerRange(bounds)
    return [...integers, ...counts]
      .filter(value => value >= least && value <= greatest)
      .concat()
      .map((value): Value => value)
      .concat([null])
  }
  const floats = [
    ...EDGE_FLOATS,
    ...integers.flatMap(value => [Number(value), Number(value) + 0.5, Number(value) - 0.5]),
    0.9999,
    -0.9999,
    3.4028235677973366e38,
    3.4028235677973362e38,
    1e-46,
    16_777_216.5,
    1e21,
    123456789.125,
    2 ** 63 - 1024,
    -(2 ** 63) - 2048,
    0.3,
    1.1754942e-38,
  ]
  return [...(kind === 'float32' ? [...new Set(floats.map(Math.fround))] : floats), null]
}

const call = (name: string, type: ModelType): Expression => ({
  op: 'call',
  function: name,
  inputs: [{ op: 'column', name: 'x' }],
  parameters: { type: type as DataType },
})

const tableIn = (type: ModelType, values: readonly Value[]): ModelTable => ({
  fields: [{ name: 'x', type }],
  rows: values.map((value, source) => ({ source, values: [value] })),
})

/** What the model makes of a value, or the code that it fails with. */
function modelled(name: string, value: Value, from: ModelType, to: ModelType): Value | ModelError {
  try {
    return FUNCTIONS[name].evaluate([value], { parameters: { type: to }, types: [from], row: 0 })
  } catch (error) {
    if (error instanceof ModelError) return error
    throw error
  }
}

function compiled(name: string, from: ModelType, to: ModelType) {
  const schema = { x: from as DataType } satisfies SchemaShape
  const resolved = resolve(call(name, to), schema)
  const { evaluate, free } = compileExpression(context, resolved, schema)
  return {
    free,
    run(values: readonly Value[]) {
      const morsel = morselOf(context, batchOfModel(tableIn(from, values)))
      const failures = new Failures()
      const vector = evaluate(morsel, failures)
      failures.throwIfAny(k, morsel)
      return tableOf(context, { rowCount: values.length, columns: [vector] }, { x: typeOf(resolved, schema) })
    },
  }
}

const name = ({ kind, unit }: ModelType) => (unit === undefined ? kind : `${kind} ${unit}`)

function possible(from: ModelType, to: ModelType): boolean {
  try {
    resolve(call('cast', to), { x: from as DataType })
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'MR_TYPE_MISMATCH' })
    return false
  }
}

describe('tryCast and cast', () => {
  for (const from of TYPES) {
    it(`of ${name(from)} are the model's`, () => {
      const edges = edgesOf(from)
      let pairs = 0
      for (const to of TYPES.filter(type => possible(from, type))) {
        pairs++
        const mark = k.memory.mark()
        const attempt = compiled('tryCast', from, to)
        const wanted = edges.map(value => modelled('tryCast', value, from, to) as Value)
        expectTable(attempt.run(edges), tableIn({ ...to, nullable: true }, wanted))
        attempt.free()
        const strict = compiled('cast', from, to)
        for (const value of edges) {
          const result = modelled('cast', value, from, to)
          // A row before it, and one behind it that fails too.
          const rows = [null, value, value]
          if (result instanceof ModelError) {
            expect(thrown(() => strict.run(rows))).toMatchObject({ row: 1, error: { code: result.code } })
          } else expectTable(strict.run(rows), tableIn({ ...to, nullable: true }, [null, result, result]))
        }
        strict.free()
        context.loader.close()
        k.memory.reset(mark)
      }
      expect(pairs).toBeGreaterThan(5)
    })
  }

  it('are refused between types that have nothing in common', () => {
    const refused = TYPES.flatMap(from => TYPES.filter(to => !possible(from, to)).map(to => `${from.kind} ${to.kind}`))
    const times = ['date', 'timestamp']
    const others = ['bool', 'float32', 'float64']
    expect(new Set(refused)).toEqual(
      new Set(times.flatMap(time => others.flatMap(other => [`${time} ${other}`, `${other} ${time}`]))),
    )
  })
})

describe('a failure', () => {
  it.each<[Value, ModelKind, ModelKind, string, string]>([
    [300n, 'int32', 'int8', 'MR_INTEGER_OVERFLOW', '300 is beyond int8'],
    [-1n, 'int64', 'uint32', 'MR_INTEGER_OVERFLOW', '-1 is beyond uint32'],
    [1e300, 'float64', 'int64', 'MR_INTEGER_OVERFLOW', '1e+300 is beyond int64'],
    [1e300, 'float64', 'float32', 'MR_INEXACT_VALUE', '1e+300 is beyond float32'],
    [NaN, 'float64', 'int32', 'MR_INEXACT_VALUE', 'NaN is no int32'],
    [NaN, 'float32', 'bool', 'MR_INEXACT_VALUE', 'NaN is no bool'],
    ['12x', 'utf8', 'int32', 'MR_TYPE_MISMATCH', '"12x" is no int32'],
    ['300', 'utf8', 'uint8', 'MR_INTEGER_OVERFLOW', '"300" is beyond uint8'],
    ['2023-02-29', 'utf8', 'date', 'MR_TYPE_MISMATCH', '"2023-02-29" is no date'],
    ['y'.repeat(99), 'utf8', 'bool', 'MR_TYPE_MISMATCH', `"${'y'.repeat(60)}…" is no bool`],
  ])('of %s from %s to %s is %s', (value, from, to, code, what) => {
    const { run, free } = compiled('cast', { kind: from, nullable: true }, { kind: to, nullable: false })
    const failure = thrown(() => run([value])) as RowFailure
    expect(failure).toBeInstanceOf(RowFailure)
    expect(failure.error).toMatchObject({ code, details: { what, remedy: expect.stringMatching(/tryCast/) } })
    free()
    context.loader.close()
  })

  it('of an instant says that it is finer', () => {
    const { run, free } = compiled(
      'cast',
      { kind: 'utf8', nullable: true },
      { kind: 'timestamp', nullable: false, unit: 's' },
    )
    expect((thrown(() => run(['2024-01-01T00:00:00.5Z'])) as RowFailure).error).toBeInstanceOf(MillraceError)
    free()
    context.loader.close()
  })
})

describe('what a cast resolves to', () => {
  const shape = {
    i: int32(),
    n: nullable(int32()),
    t: timestamp('ms', 'Europe/Rome'),
    l: list(int32()),
    s: utf8(),
  } satisfies SchemaShape
  const cast = (column: string, type: DataType, how = 'cast'): Expression => ({
    op: 'call',
    function: how,
    inputs: [{ op: 'column', name: column }],
    parameters: { type },
  })

  it('is the column itself, or what typing puts in, where nothing can fail', () => {
    expect(resolve(cast('i', int32()), shape)).toEqual({ op: 'column', name: 'i' })
    expect(resolve(cast('i', int64()), shape)).toMatchObject({ op: 'cast', type: int64() })
    expect(resolve(cast('n', float64()), shape)).toMatchObject({ op: 'cast', type: nullable(float64()) })
    expect(resolve(cast('i', nullable(int64())), shape)).toMatchObject({ op: 'call', function: 'cast' })
    expect(typeName(typeOf(cast('n', float64()), shape))).toBe('nullable(float64)')
    expect(typeName(typeOf(cast('i', nullable(int64())), shape))).toBe('nullable(int64)')
    expect(typeName(typeOf(cast('i', int64(), 'tryCast'), shape))).toBe('nullable(int64)')
    expect(typeName(typeOf(cast('t', timestamp('ms')), shape))).toBe("timestamp('ms')")
    expect(typeName(typeOf(cast('t', timestamp('s', 'Asia/Tokyo')), shape))).toBe("timestamp('s', 'Asia/Tokyo')")
  })

  it('is refused of lists, and with a hint where another type comes between', () => {
    expect(() => resolve(cast('l', int32()), shape)).toThrow(/list\(int32\) column "l" does not become int32/)
    expect(() => resolve(cast('i', list(int32())), shape)).toThrow(/does not become list/)
    expect(() => resolve(cast('t', float64()), shape)).toThrow(/cast it to int64 first/)
  })
})

describe('memory', () => {
  it('writes ever new values and those that come again alike', async () => {
    const own = await makeContext()
    const shape = { f: nullable(float64()) } satisfies SchemaShape
    const raw: Expression = {
      op: 'call',
      function: 'cast',
      inputs: [{ op: 'column', name: 'f' }],
      parameters: { type: utf8() },
    }
    const written = compileExpression(own, resolve(raw, shape), shape)
    const morsels = [1000, 1000, 3, 1000, 3, 3, 1000].map((distinct, i) =>
      Array.from({ length: 300 }, (_, row) => (row % 10 === 3 ? null : ((row + 100 * i) % distinct) / 8)),
    )
    for (const values of morsels) {
      const morsel = morselOf(own, batchOf({ f: values }, shape))
      const columns = [written.evaluate(morsel, new Failures())]
      const rows = rowsOf(own, { rowCount: 300, columns }, { f: nullable(utf8()) })
      expect(rows.map(({ f }) => f)).toEqual(values.map(value => (value === null ? null : String(value))))
      own.k.memory.reset(0)
    }
    written.free()
  })

  it('is all given back, whatever the dictionaries, and equal values are written once', async () => {
    const own = await makeContext()
    const before = own.usedBytes()
    const shape = { s: nullable(utf8()), f: nullable(float64()) } satisfies SchemaShape
    const cast = (column: string, type: DataType): Expression => ({
      op: 'call',
      function: 'tryCast',
      inputs: [{ op: 'column', name: column }],
      parameters: { type },
    })
    const expressions = [cast('s', int32()), cast('f', utf8())].map(raw => resolve(raw, shape))
    const [read, written] = expressions.map(expression => compileExpression(own, expression, shape))
    for (let i = 0; i < 4; i++) {
      const values = Array.from({ length: 300 }, (_, row) => (row % 10 === 3 ? null : (row % 7) + i * 1000))
      const batch = batchOf(
        { s: values.map(value => (value === null ? null : `${value}`)), f: values.map(value => value) },
        shape,
      )
      const morsel = morselOf(own, batch)
      const columns = [read, written].map(({ evaluate }) => evaluate(morsel, new Failures()))
      const rows = rowsOf(own, { rowCount: 300, columns }, { s: nullable(int32()), f: nullable(utf8()) })
      expect(rows).toEqual(values.map(value => ({ s: value, f: value === null ? null : String(value) })))
      expect(columns[1].dictionary?.length).toBe(7 * (i + 1))
      // Other dictionaries, as after spilling.
      if (i === 1) own.loader.close()
    }
    read.free()
    written.free()
    own.loader.close()
    expect(own.usedBytes()).toBe(before)
  })
})
