// Functions of strings over many morsels, held against the naive model: tables that grow with dictionaries, rows that are asked one by one, columns that
// change their dictionaries, and long strings, which kernels read in blocks.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve, typeOf } from '../../src/expressions/typing.js'
import type { LaneVector } from '../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { Failures } from '../../src/operators/compiled.js'
import { compileExpression } from '../../src/operators/evaluate.js'
import { FUNCTIONS } from '../oracle/functions.js'
import type { Value } from '../oracle/value.js'
import { batchOf, type Context, makeContext, morselOf, rowsOf, thrown } from './support.js'

const SHAPE = { a: nullable(utf8()), b: nullable(utf8()), c: nullable(utf8()) } satisfies SchemaShape
type Row = { readonly [K in keyof typeof SHAPE]: string | null }

const column = (name: string): Expression => ({ op: 'column', name })
const literal = (value: string | null): Expression => ({ op: 'literal', value })
const call = (name: string, inputs: readonly Expression[], parameters = {}): Expression => ({
  op: 'call',
  function: name,
  inputs,
  parameters,
})

const A = column('a')
const PIECES = ['ab', 'b', 'A', '😀', ' ', '\u3000', 'É', 'a, ', 'straße', '\u00a0', '\ufeff', '12', '.5', '-', 'İ']

const CALLS: readonly Expression[] = [
  ...['lower', 'upper', 'trim', 'trimStart', 'trimEnd', 'reverse', 'length', 'toNumber'].map(name => call(name, [A])),
  ...[0, 3, -3, 40].flatMap(start =>
    [undefined, 0, 5, 17, -1, -40].map(end => call('slice', [A], { start, ...(end === undefined ? {} : { end }) })),
  ),
  ...['b', ', ', '😀', 'bab'].flatMap(part => [
    ...['contains', 'startsWith', 'endsWith', 'indexOf'].map(name => call(name, [A, literal(part)])),
    call('replace', [A, literal(part), literal('<é>')]),
    call('replaceFirst', [A, literal(part), literal('')]),
    ...[0, 2, -1, -3].map(index => call('split', [A], { separator: part, index })),
  ]),
  ...['contains', 'startsWith', 'endsWith', 'indexOf'].map(name => call(name, [A, column('b')])),
  call('concat', [A, literal('·'), column('b'), column('c')]),
  call('concat', [A]),
  call('concat', [literal('<'), A]),
  call('concat', [literal('x'), literal('y')]),
  call('concat', [A, A]),
  call('concat', [A, literal(null)]),
  call('replace', [A, column('b'), column('c')]),
  call('replace', [literal('a b A'), column('b'), literal('😀')]),
  call('contains', [A, literal('')]),
  call('replace', [A, literal(''), literal('x')]),
  ...['^a', '(\\d+)(\\.\\d)?', 'STRASSE', '[^a-z\\s]+$', '', '(?<=b)a'].flatMap(source => [
    call('matches', [A], { source, flags: 'iu' }),
    call('extract', [A], { source: `(${source})`, flags: 'iu', group: 1 }),
    call('extract', [A], { source, flags: '', group: 0 }),
  ]),
  call('extract', [A], { source: 'a(x)?', flags: '', group: 1 }),
  call('padStart', [A], { length: 21, fill: 'é-' }),
  call('padEnd', [A], { length: 21, fill: '😀12' }),
  call('padEnd', [A], { length: 21, fill: '' }),
  call('repeat', [A], { count: 0 }),
  call('repeat', [A], { count: 3 }),
]

const strings = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map(pieces => pieces.join(''))

function expected(node: Expression, row: Row): Value {
  if (node.op === 'column') return row[node.name as keyof Row]
  if (node.op === 'literal') return node.value as Value
  if (node.op !== 'call') throw new Error('only calls')
  const value = FUNCTIONS[node.function].evaluate(
    node.inputs.map(input => expected(input, row)),
    { parameters: node.parameters ?? {}, types: [], row: 0 },
  )
  return typeof value === 'bigint' ? Number(value) : value
}

/** What one compiled call gives for one morsel after the other; a null among them begins new dictionaries. */
function run(context: Context, raw: Expression, morsels: readonly (readonly Row[] | null)[]): unknown[] {
  const resolved = resolve(raw, SHAPE)
  const compiled = compileExpression(context, resolved, SHAPE)
  const got: unknown[] = []
  try {
    for (const rows of morsels) {
      if (rows === null) {
        context.loader.close()
        continue
      }
      const columns = Object.fromEntries(
        Object.keys(SHAPE).map(name => [name, rows.map(row => row[name as keyof Row])]),
      )
      const vector = compiled.evaluate(morselOf(context, batchOf(columns, SHAPE)), new Failures())
      const shape = { it: typeOf(resolved, SHAPE) }
      got.push(...rowsOf(context, { rowCount: rows.length, columns: [vector] }, shape).map(({ it }) => it))
      context.k.memory.reset(0)
    }
  } finally {
    compiled.free()
  }
  return got
}

describe('a function of strings', () => {
  it('gives what the model gives, morsel after morsel', async () => {
    const context = await makeContext()
    const before = context.usedBytes()
    const cell = fc.option(strings, { freq: 5 })
    const row: fc.Arbitrary<Row> = fc.record({ a: cell, b: cell, c: cell })
    const morsel = fc.option(fc.array(row, { minLength: 1, maxLength: 40, size: 'max' }), { freq: 8 })
    fc.assert(
      fc.property(fc.constantFrom(...CALLS), fc.array(morsel, { minLength: 1, maxLength: 4 }), (node, morsels) => {
        const rows = morsels.flatMap(each => each ?? [])
        expect(run(context, node, morsels)).toEqual(rows.map(each => expected(node, each)))
        context.loader.close()
      }),
      { numRuns: 400 },
    )
    expect(context.usedBytes()).toBe(before)
  })

  it('asks for what a morsel has of a long dictionary, and for the rest where that is little', async () => {
    const context = await makeContext()
    const long = Array.from({ length: 5000 }, (_, i): Row => ({ a: `Row ${i}`, b: `R${i % 7}`, c: 'w' }))
    const few = [long[4999], long[17], { a: null, b: 'x', c: null }]
    for (const node of [call('lower', [A]), call('contains', [A, column('b')]), call('concat', [A, column('b')])]) {
      const compiled = compileExpression(context, resolve(node, SHAPE), SHAPE)
      for (const rows of [long, few, few, long.slice(0, 2400), long]) {
        const columns = { a: rows.map(({ a }) => a), b: rows.map(({ b }) => b), c: rows.map(({ c }) => c) }
        const morsel = morselOf(context, batchOf(columns, SHAPE))
        // The dictionary is that of all rows before the call has seen any.
        if (rows === long && node.op === 'call' && node.function === 'lower') continue
        const vector = compiled.evaluate(morsel, new Failures())
        const got = rowsOf(
          context,
          { rowCount: rows.length, columns: [vector] },
          { it: typeOf(resolve(node, SHAPE), SHAPE) },
        )
        expect(got.map(({ it }) => it)).toEqual(rows.map(row => expected(node, row)))
        context.k.memory.reset(0)
      }
      compiled.free()
      context.loader.close()
    }
  })

  it('takes a column that has had nothing but nulls', async () => {
    const context = await makeContext()
    const nulls: Row[] = [{ a: null, b: null, c: null }]
    for (const node of CALLS.filter(({ op }) => op === 'call')) {
      expect(run(context, node, [nulls, [{ a: 'ab', b: 'b', c: '' }], nulls])).toEqual(
        [...nulls, { a: 'ab', b: 'b', c: '' }, ...nulls].map(row => expected(node, row)),
      )
      context.loader.close()
    }
  })

  it('takes a column whose dictionary has no entry yet, as after a first row group of nulls', async () => {
    const context = await makeContext()
    const { k } = context
    for (const node of [call('length', [A]), call('lower', [A]), call('contains', [A, literal('b')])]) {
      const resolved = resolve(node, SHAPE)
      const compiled = compileExpression(context, resolved, SHAPE)
      const dictionary = new LaneDictionary(k)
      const answer = (codes: Uint32Array, valid: number): unknown => {
        const data = k.memory.scratch(4)
        const validity = k.memory.scratch(8)
        k.memory.u32[data >>> 2] = codes[0] ?? 0
        k.memory.u8[validity] = valid
        const a: LaneVector = { type: SHAPE.a, length: 1, data, validity, dictionary, range: null }
        const vector = compiled.evaluate({ rowCount: 1, columns: [a, a, a], rows: 0 }, new Failures())
        const [{ it }] = rowsOf(context, { rowCount: 1, columns: [vector] }, { it: typeOf(resolved, SHAPE) })
        k.memory.reset(0)
        return it
      }
      expect(answer(new Uint32Array(0), 0)).toBe(null)
      expect(dictionary.length).toBe(0)
      expect(answer(dictionary.internStrings(['Abc']), 1)).toEqual(expected(node, { a: 'Abc', b: null, c: null }))
      compiled.free()
      dictionary.free()
    }
  })

  it('runs out of memory with a code, and gives back what it had', async () => {
    const context = await makeContext({ maximumBytes: 24 * 2 ** 20 })
    const before = context.usedBytes()
    const rows: Row[] = Array.from({ length: 20 }, (_, i) => ({ a: `${i}`.repeat(10_000), b: null, c: null }))
    expect(() => run(context, call('repeat', [A], { count: 65_535 }), [rows])).toThrow('MR_MEMORY_LIMIT')
    context.loader.close()
    expect(context.usedBytes()).toBe(before)
  })

  it('refuses a row whose string is too long for its pattern, the first, and only where it is asked of', async () => {
    const context = await makeContext()
    const long = 'a'.repeat(50_000)
    const node = call('matches', [A], { source: 'a+b', flags: '' })
    const compiled = compileExpression(context, resolve(node, SHAPE), SHAPE)
    const texts = ['ab', long, `${long}b`, null]
    const evaluate = (rows: readonly (string | null)[]) => {
      const failures = new Failures()
      const columns = { a: rows, b: rows.map(() => null), c: rows.map(() => null) }
      const morsel = morselOf(context, batchOf(columns, SHAPE))
      compiled.evaluate(morsel, failures)
      return thrown(() => {
        failures.throwIfAny(context.k, morsel)
        throw null
      })
    }
    expect(evaluate(texts)).toMatchObject({ row: 1, error: { code: 'MR_INVALID_OPTION' } })
    expect(evaluate([null, 'ab', 'x'])).toBe(null)
    expect(evaluate([null, 'ab', `${long}b`])).toMatchObject({ row: 2 })
    compiled.free()
  })
})
