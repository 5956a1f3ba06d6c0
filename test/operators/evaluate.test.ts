// Compiled expressions over morsels, held against the naive model: every node, every type, and the least failing row.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bool, float64, int32, int64, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve, typeOf } from '../../src/expressions/typing.js'
import { Failures } from '../../src/operators/compiled.js'
import { compileExpression, compilePredicate } from '../../src/operators/evaluate.js'
import { RowFailure } from '../../src/operators/operator.js'
import { type ExpressionCase, expressionCases } from '../expressions/arbitrary.js'
import { bitsOf } from '../kernels/support.js'
import { expectTable } from '../laws/compare.js'
import { evaluate, typeOfExpression } from '../oracle/expression.js'
import { ModelError, type ModelTable } from '../oracle/value.js'
import { batchOf, batchOfModel, makeContext, morselOf, rowsOf, tableOf, thrown } from './support.js'

const context = await makeContext()
const { k } = context

const column = (name: string): Expression => ({ op: 'column', name })
const literal = (value: string | number | bigint | boolean | null): Expression => ({ op: 'literal', value })

/** What the model makes of the expression: a table of one column, or the least row at which it fails. */
function expected({ table, model }: ExpressionCase): ModelTable | ModelError {
  const fields = [{ name: 'it', type: typeOfExpression(model, table.fields) }]
  try {
    return { fields, rows: table.rows.map(row => ({ ...row, values: [evaluate(model, row, table.fields)] })) }
  } catch (error) {
    if (error instanceof ModelError) return error
    throw error
  }
}

describe('an expression over a morsel', () => {
  it('has the value that the model gives each row, or fails at the least row where the model fails', () => {
    fc.assert(
      fc.property(expressionCases, one => {
        const before = k.memory.mark()
        const resolved = resolve(one.raw, one.schema)
        const compiled = compileExpression(context, resolved, one.schema)
        const morsel = morselOf(context, batchOfModel(one.table))
        const failures = new Failures()
        const vector = compiled.evaluate(morsel, failures)
        const wanted = expected(one)
        if (wanted instanceof ModelError) {
          const failure = thrown(() => failures.throwIfAny(k, morsel))
          expect(failure).toMatchObject({ row: wanted.row, error: { code: wanted.code } })
        } else {
          failures.throwIfAny(k, morsel)
          const shape = { it: typeOf(resolved, one.schema) }
          expectTable(tableOf(context, { rowCount: morsel.rowCount, columns: [vector] }, shape), wanted)
        }
        compiled.free()
        context.loader.close()
        k.memory.reset(before)
      }),
      { numRuns: 250 },
    )
  })

  const shape = { n: nullable(int64()), b: nullable(bool()), t: nullable(utf8()), f: float64() } satisfies SchemaShape
  const morsel = () =>
    morselOf(
      context,
      batchOf({ n: [1n, null, 3n], b: [true, false, null], t: ['a', null, 'b'], f: [0.5, NaN, -0] }, shape),
    )
  const values = (raw: Expression) => {
    const resolved = resolve(raw, shape)
    const compiled = compileExpression(context, resolved, shape)
    const vector = compiled.evaluate(morsel(), new Failures())
    const rows = rowsOf(context, { rowCount: 3, columns: [vector] }, { it: typeOf(resolved, shape) })
    compiled.free()
    return rows.map(({ it }) => it)
  }

  it('a constant is a column of its own, strings too', () => {
    expect(values(literal('x'))).toEqual(['x', 'x', 'x'])
    expect(values(literal(7))).toEqual([7, 7, 7])
    expect(values(literal(true))).toEqual([true, true, true])
  })

  it('a comparison with null is null in every row', () => {
    for (const op of ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'] as const) {
      expect(values({ op, left: column('n'), right: literal(null) })).toEqual([null, null, null])
      expect(values({ op, left: literal(null), right: column('t') })).toEqual([null, null, null])
    }
  })

  it('two constants may be compared, strings too', () => {
    expect(values({ op: 'lt', left: literal('a'), right: literal('b') })).toEqual([true, true, true])
    expect(values({ op: 'eq', left: literal(1), right: literal(2) })).toEqual([false, false, false])
  })

  it('nothing is among no values, null is not even unknown among them', () => {
    expect(values({ op: 'in', input: column('t'), values: [] })).toEqual([false, false, false])
  })

  it('a null among the values makes a miss unknown', () => {
    const among = [{ op: 'literal', value: 'a' } as const, { op: 'literal', value: null } as const]
    expect(values({ op: 'in', input: column('t'), values: among })).toEqual([true, null, null])
  })

  it('a predicate is true only where it is neither false nor null', () => {
    const predicate = compilePredicate(context, column('b'), shape)
    expect(bitsOf(k, predicate.evaluate(morsel(), new Failures()), 3)).toEqual([true, false, false])
    predicate.free()
  })
})

describe('failures', () => {
  const node = column('x')

  it('the least row is the one that is told, whatever the order in which they are noted', () => {
    const failures = new Failures()
    for (const row of [-1, 7, 3, 5, -1]) failures.note(row, node)
    const failure = thrown(() => failures.throwIfAny(k, { rowCount: 9, columns: [], rows: 0 }))
    expect(failure).toBeInstanceOf(RowFailure)
    expect(failure).toMatchObject({ row: 3 })
  })

  it('the row is that of the morsel as it entered the pipeline', () => {
    const rows = k.memory.scratch(4 * 3)
    k.memory.u32.set([10, 20, 30], rows >>> 2)
    const failures = new Failures()
    failures.note(1, node)
    expect(thrown(() => failures.throwIfAny(k, { rowCount: 3, columns: [], rows }))).toMatchObject({ row: 20 })
  })

  it('no failing row is no failure', () => {
    const failures = new Failures()
    failures.note(-1, node)
    failures.throwIfAny(k, { rowCount: 1, columns: [], rows: 0 })
  })
})

describe('memory', () => {
  it('an expression with string constants gives back all that it took', async () => {
    const own = await makeContext()
    const before = own.usedBytes()
    const shape = { a: int32() }
    const compiled = compileExpression(own, resolve(literal('a constant'), shape), shape)
    for (let i = 0; i < 3; i++) compiled.evaluate(morselOf(own, batchOf({ a: Int32Array.of(1, 2) })), new Failures())
    compiled.free()
    compiled.free()
    expect(own.usedBytes()).toBe(before)
  })
})
