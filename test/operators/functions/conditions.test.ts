// Conditions over strings of several dictionaries, and what literals beside columns become.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bool,
  date,
  float32,
  int8,
  int32,
  int64,
  nullable,
  type SchemaShape,
  timestamp,
  typeName,
  uint8,
  utf8,
} from '../../../src/columnar/type.js'
import type { Expression, LiteralValue } from '../../../src/expressions/node.js'
import { resolve, typeOf } from '../../../src/expressions/typing.js'
import { Failures } from '../../../src/operators/compiled.js'
import { compileExpression } from '../../../src/operators/evaluate.js'
import { batchOf, makeContext, morselOf, rowsOf } from '../support.js'

const column = (name: string): Expression => ({ op: 'column', name })
const literal = (value: LiteralValue): Expression => ({ op: 'literal', value })
const call = (name: string, ...inputs: Expression[]): Expression => ({ op: 'call', function: name, inputs })
const isNull = (input: Expression): Expression => ({ op: 'isNull', input })

const texts = { a: nullable(utf8()), b: nullable(utf8()) } satisfies SchemaShape

describe('strings of several dictionaries', () => {
  it('are of one dictionary, the same from batch to batch, whichever come; all memory is given back', async () => {
    const context = await makeContext()
    const before = context.usedBytes()
    const resolved = resolve(call('coalesce', column('a'), column('b'), literal('none')), texts)
    const compiled = compileExpression(context, resolved, texts)
    const batches = [
      { a: ['x', null, 'y', null], b: ['p', 'x', null, null] },
      { a: ['y', 'z', 'x', 'x'], b: ['q', 'q', 'q', 'q'] },
      { a: [null, null, null, null], b: [null, 'x', 'none', ''] },
      { a: Array.from({ length: 400 }, (_, i) => (i % 3 === 0 ? null : `a${i}`)), b: Array(400).fill('é'.repeat(50)) },
    ]
    const dictionaries = new Set()
    for (const batch of batches) {
      const vector = compiled.evaluate(morselOf(context, batchOf(batch, texts)), new Failures())
      dictionaries.add(vector.dictionary)
      const rows = rowsOf(context, { rowCount: batch.a.length, columns: [vector] }, { it: typeOf(resolved, texts) })
      expect(rows.map(({ it }) => it)).toEqual(batch.a.map((value, i) => value ?? batch.b[i] ?? 'none'))
    }
    expect(dictionaries.size).toBe(1)
    compiled.free()
    context.loader.close()
    expect(context.usedBytes()).toBe(before)
  })

  it('begin a new dictionary with new ones of their columns', async () => {
    const context = await makeContext()
    const before = context.usedBytes()
    const resolved = resolve(call('when', isNull(column('b')), column('a'), literal('there')), texts)
    const compiled = compileExpression(context, resolved, texts)
    const entries: number[] = []
    for (let i = 0; i < 3; i++) {
      const batch = batchOf({ a: [`one ${i}`, `two ${i}`, null], b: [null, 'x', null] }, texts)
      const vector = compiled.evaluate(morselOf(context, batch), new Failures())
      entries.push(vector.dictionary?.length ?? 0)
      const rows = rowsOf(context, { rowCount: 3, columns: [vector] }, { it: nullable(utf8()) })
      expect(rows.map(({ it }) => it)).toEqual([`one ${i}`, 'there', null])
      // As the input of a job that has spilled does.
      context.loader.close()
    }
    expect(entries).toEqual([3, 3, 3])
    compiled.free()
    expect(context.usedBytes()).toBe(before)
  })
})

it('many conditions write one column, not one each', async () => {
  const context = await makeContext()
  const shape = { x: int32(), y: nullable(int64()) }
  const rowCount = 8192
  const x = Array.from({ length: rowCount }, (_, i) => i % 300)
  const batch = batchOf({ x, y: x.map(i => (i % 7 === 0 ? null : BigInt(i))) }, shape)
  /** Bytes that it takes to choose among so many. */
  const taken = (count: number): number => {
    const inputs = Array.from({ length: count }, (_, i): Expression[] => [
      { op: 'eq', left: column('x'), right: literal(i) },
      i % 2 === 0 ? { op: 'literal', value: BigInt(1000 + i), type: int64() } : column('y'),
    ])
    const resolved = resolve(call('when', ...inputs.flat(), column('y')), shape)
    const compiled = compileExpression(context, resolved, shape)
    const morsel = morselOf(context, batch)
    const before = context.k.memory.mark()
    const chosen = compiled.evaluate(morsel, new Failures())
    const bytes = context.k.memory.mark() - before
    const rows = rowsOf(context, { rowCount, columns: [chosen] }, { it: nullable(int64()) })
    expect(rows.map(({ it }) => it)).toEqual(x.map(i => (i < count && i % 2 === 0 ? 1000 + i : i % 7 === 0 ? null : i)))
    compiled.free()
    return bytes
  }
  // What tells the rows of one more is a few bits of each.
  expect(taken(200) - taken(100)).toBeLessThan(100 * rowCount)
})

describe('what fails on rows that do not come to it', () => {
  const shape = { p: nullable(bool()), q: bool(), l: nullable(int64()), m: int64(), s: nullable(utf8()) }
  const times = (name: string): Expression => ({ op: 'mul', left: column(name), right: column(name) })
  const isNumeral = call('cast', column('s'))
  const number: Expression = { ...isNumeral, parameters: { type: int64() } } as Expression
  const expressions: [string, Expression, (row: Row) => bigint | null][] = [
    [
      'when',
      call('when', column('p'), times('l'), column('q'), times('m'), number),
      ({ p, q, l, m, s }) => (p === true ? square(l) : q ? square(m) : numberOf(s)),
    ],
    ['coalesce', call('coalesce', column('l'), times('m')), ({ l, m }) => l ?? square(m)],
    [
      'coalesce of three',
      call('coalesce', number, column('l'), times('m')),
      ({ s, l, m }) => numberOf(s) ?? l ?? square(m),
    ],
    [
      'a condition',
      call('when', column('q'), column('l'), { op: 'gt', left: times('m'), right: literal(9n) }, literal(1n)),
      ({ q, l, m }) => (q ? l : (square(m) as bigint) > 9n ? 1n : null),
    ],
    [
      'one in another, and what they have in common',
      call(
        'when',
        column('p'),
        call('when', column('q'), times('m'), column('l')),
        call('coalesce', column('l'), times('m')),
      ),
      ({ p, q, l, m }) => (p === true ? (q ? square(m) : l) : (l ?? square(m))),
    ],
    [
      'what is asked of all rows as well',
      {
        op: 'sub',
        left: call('when', column('p'), times('m'), literal(0n)),
        right: call('when', column('q'), times('m'), literal(0n)),
      },
      ({ p, q, m }) => (p === true ? (square(m) as bigint) : 0n) - (q ? (square(m) as bigint) : 0n),
    ],
  ]
  interface Row {
    p: boolean | null
    q: boolean
    l: bigint | null
    m: bigint
    s: string | null
  }
  const square = (value: bigint | null): bigint | null => {
    if (value !== null && value * value >= 2n ** 63n) throw new RangeError()
    return value === null ? null : value * value
  }
  const numberOf = (text: string | null): bigint | null => {
    if (text !== null && !/^\d+$/.test(text)) throw new RangeError()
    return text === null ? null : BigInt(text)
  }
  const rows = fc.array(
    fc.record<Row>({
      p: fc.constantFrom(true, true, false, null),
      q: fc.boolean(),
      l: fc.constantFrom(1n, 2n, 3n, null, 2n ** 40n),
      m: fc.constantFrom(1n, 3n, 4n, 5n, 2n ** 40n),
      s: fc.constantFrom('1', '22', null, 'x'),
    }),
    { minLength: 1, maxLength: 6 },
  )
  /** Mostly rows that fail of nothing that they are asked, among them some that are asked of nothing that they would fail of. */
  const mended = (of: (row: Row) => bigint | null, given: Row[], few: boolean): Row[] =>
    few ? given.filter(row => !fails(of, row)) : given
  const fails = (of: (row: Row) => bigint | null, row: Row): boolean => {
    try {
      of(row)
      return false
    } catch {
      return true
    }
  }

  it.each(expressions)('has not failed: %s', async (_, raw, model) => {
    const context = await makeContext()
    const resolved = resolve(raw, shape)
    const compiled = compileExpression(context, resolved, shape)
    fc.assert(
      fc.property(rows, fc.boolean(), fc.integer({ min: 1, max: 40 }), (some, few, times) => {
        const given = mended(model, Array.from({ length: times }, () => some).flat(), few)
        if (given.length === 0) return
        const columns = Object.fromEntries(
          Object.keys(shape).map(name => [name, given.map(row => row[name as keyof Row])]),
        )
        const failures = new Failures()
        const morsel = morselOf(context, batchOf(columns, shape))
        const vector = compiled.evaluate(morsel, failures)
        const failing = given.findIndex(row => fails(model, row))
        if (failing >= 0) {
          expect(() => failures.throwIfAny(context.k, morsel)).toThrow(expect.objectContaining({ row: failing }))
          return
        }
        failures.throwIfAny(context.k, morsel)
        const found = rowsOf(context, { rowCount: given.length, columns: [vector] }, { it: typeOf(resolved, shape) })
        expect(found.map(({ it }) => (it === null ? null : BigInt(it as number)))).toEqual(given.map(model))
      }),
      { numRuns: 60 },
    )
    compiled.free()
  })

  it('nor has a value that no row comes to, and its strings keep one dictionary', async () => {
    const context = await makeContext()
    const text = call('cast', times('m'))
    const raw = call('when', column('q'), literal('yes'), { ...text, parameters: { type: utf8() } } as Expression)
    const resolved = resolve(raw, shape)
    const compiled = compileExpression(context, resolved, shape)
    const dictionaries = new Set()
    for (const [q, m, expected] of [
      [
        [true, true],
        [2n ** 62n, 1n],
        ['yes', 'yes'],
      ],
      [
        [true, false],
        [2n ** 62n, 3n],
        ['yes', '9'],
      ],
      [
        [false, true],
        [4n, 2n ** 62n],
        ['16', 'yes'],
      ],
    ] as const) {
      const batch = batchOf({ p: q, q, l: m, m, s: ['a', 'b'] } as never, shape)
      const failures = new Failures()
      const morsel = morselOf(context, batch)
      const vector = compiled.evaluate(morsel, failures)
      failures.throwIfAny(context.k, morsel)
      dictionaries.add(vector.dictionary)
      const rows = rowsOf(context, { rowCount: 2, columns: [vector] }, { it: typeOf(resolved, shape) })
      expect(rows.map(({ it }) => it)).toEqual(expected)
    }
    expect(dictionaries.size).toBe(1)
    compiled.free()
  })
})

describe('constants alone', () => {
  it.each([
    [call('coalesce', literal(null), literal('x'), literal('y')), 'x', 'utf8'],
    [call('coalesce', literal(1), literal(2n)), 1, 'int64'],
    [call('coalesce', literal(1.5), literal(2n)), 1.5, 'float64'],
    [call('coalesce', literal(null)), null, 'nullable(float64)'],
    [call('when', literal(true), literal('x'), literal('y')), 'x', 'utf8'],
    [call('when', literal(false), literal('x')), null, 'nullable(utf8)'],
    [call('nullIf', literal('x'), literal('x')), null, 'nullable(utf8)'],
  ])('keep their value: %#', async (raw, value, type) => {
    const context = await makeContext()
    const shape = { a: int32() }
    const resolved = resolve(raw, shape)
    const compiled = compileExpression(context, resolved, shape)
    const vector = compiled.evaluate(morselOf(context, batchOf({ a: Int32Array.of(1, 2) })), new Failures())
    const rows = rowsOf(context, { rowCount: 2, columns: [vector] }, { it: typeOf(resolved, shape) })
    expect(rows).toEqual([{ it: value }, { it: value }])
    expect(typeName(typeOf(resolved, shape))).toBe(type)
    compiled.free()
  })
})

describe('a literal', () => {
  const shape = {
    i8: nullable(int8()),
    u8: nullable(uint8()),
    i32: nullable(int32()),
    i64: nullable(int64()),
    f32: nullable(float32()),
    s: nullable(utf8()),
    d: nullable(date()),
    sec: nullable(timestamp('s', 'Europe/Rome')),
    ms: nullable(timestamp('ms')),
  } satisfies SchemaShape
  const instant = (text: string): Expression => ({
    op: 'literal',
    value: BigInt(Date.parse(text)),
    type: timestamp('ms'),
  })

  it.each<[string, Expression, string]>([
    ['i8', literal(-128), 'int8'],
    ['u8', literal(255), 'uint8'],
    ['i32', literal(0), 'int32'],
    ['i32', literal(0.5), 'float64'],
    ['i64', literal(9n), 'int64'],
    ['f32', literal(0.1), 'float32'],
    ['f32', column('i8'), 'nullable(float64)'],
    ['i8', column('u8'), 'nullable(int32)'],
    ['u8', column('i64'), 'nullable(int64)'],
    ['s', literal('x'), 'utf8'],
    ['d', literal('2024-02-29'), 'date'],
    ['d', instant('2024-02-29T00:00:00Z'), 'date'],
    ['sec', instant('2024-02-29T00:00:01Z'), "timestamp('s', 'Europe/Rome')"],
    ['sec', instant('2024-02-29T00:00:01.5Z'), "timestamp('ms', 'Europe/Rome')"],
    ['sec', column('ms'), "nullable(timestamp('ms'))"],
    ['ms', literal(5n), "timestamp('ms')"],
    ['i32', literal(null), 'nullable(int32)'],
  ])('beside %s, case %#', (name, other, type) => {
    const resolved = resolve(call('coalesce', column(name), other), shape)
    expect(typeName(typeOf(resolved, shape))).toBe(type)
    expect(resolve(resolved, shape)).toEqual(resolved)
  })

  it.each<[string, Expression, RegExp]>([
    ['u8', literal(-1), /the number literal -1: it is beyond uint8; cast the column/],
    ['i64', literal(2n ** 63n), /it is beyond int64$/],
    ['s', literal(1), /nullable\(utf8\) column "s" and the number literal 1/],
    ['i32', literal('x'), /"x"/],
    ['d', literal('2024-02-30'), /no whole day/],
    ['d', instant('2024-02-29T01:00:00Z'), /no whole day/],
    ['ms', literal('2024-02-29'), /write new Date/],
    ['s', column('i32'), /column "s" and nullable\(int32\) column "i32"/],
    ['d', column('ms'), /column "d"/],
  ])('beside %s is refused, case %#', (name, other, message) => {
    expect(() => resolve(call('coalesce', column(name), other), shape, 'derive')).toThrow(message)
    expect(() => resolve(call('coalesce', column(name), other), shape, 'derive')).toThrow(
      expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
    )
  })
})
