/** Typing, folding and failure analysis against the naive model, over random expressions and rows. Facts are in the neighbour files. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.js'
import { canFail } from '../../src/expressions/failure.js'
import { fold } from '../../src/expressions/fold.js'
import type { Expression } from '../../src/expressions/node.js'
import { printExpression } from '../../src/expressions/print.js'
import { resolve, resolveTyped, typeOf } from '../../src/expressions/typing.js'
import { evaluate, typeOfExpression } from '../oracle/expression.js'
import { ModelError, type Value } from '../oracle/value.js'
import { type ExpressionCase, expressionCases, rowsOf, schemaOfFields } from './arbitrary.js'
import { evaluateResolved } from './evaluate.js'

const RUNS = { numRuns: 1500 * Number(process.env.MILLRACE_RUNS ?? 1) }

/** What comes of a row: a value, or the failure. */
function outcome(evaluateRow: () => Value): Value | 'fails' {
  try {
    return evaluateRow()
  } catch (error) {
    if (error instanceof ModelError) return 'fails'
    throw error
  }
}

const expected = ({ table, model }: ExpressionCase) =>
  table.rows.map(row => outcome(() => evaluate(model, row, table.fields)))
const found = ({ table, schema }: ExpressionCase, node: Expression) =>
  rowsOf(table).map(row => outcome(() => evaluateResolved(node, row, schema)))

describe('random expressions', () => {
  it('have the type that the model gives them', () => {
    fc.assert(
      fc.property(expressionCases, ({ raw, schema, model, table }) => {
        const { kind, nullable } = typeOfExpression(model, table.fields)
        expect(typeOf(raw, schema)).toMatchObject({ kind, nullable })
      }),
      RUNS,
    )
  })

  it('resolve to trees in resolved form that mean the same, failures included', () => {
    fc.assert(
      fc.property(expressionCases, one => {
        expect(found(one, resolve(one.raw, one.schema))).toEqual(expected(one))
      }),
      RUNS,
    )
  })

  it('resolve to what resolves to itself', () => {
    fc.assert(
      fc.property(expressionCases, ({ raw, schema }) => {
        const once = resolveTyped(raw, schema)
        expect(resolveTyped(once.node, schema)).toEqual(once)
      }),
      RUNS,
    )
  })

  it('fold to what means the same, failures included, and folds no further', () => {
    fc.assert(
      fc.property(expressionCases, one => {
        const { node, type } = resolveTyped(one.raw, one.schema)
        const folded = fold(node, one.schema)
        expect(found(one, folded)).toEqual(expected(one))
        expect(fold(folded, one.schema)).toEqual(folded)
        const after = typeOf(folded, one.schema)
        expect(after.kind).toBe(type.kind)
        expect(type.nullable || !after.nullable).toBe(true)
      }),
      RUNS,
    )
  })

  it('fail on no row where the analysis says that they cannot', () => {
    fc.assert(
      fc.property(expressionCases, one => {
        if (!canFail(resolve(one.raw, one.schema), one.schema)) expect(expected(one)).not.toContain('fails')
      }),
      RUNS,
    )
  })

  it('print as one short line, and survive structured cloning', () => {
    fc.assert(
      fc.property(expressionCases, ({ raw, schema }) => {
        const resolved = resolve(raw, schema)
        for (const node of [raw, resolved]) expect(printExpression(node)).toMatch(/^.{1,3000}$/su)
        expect(structuredClone(resolved)).toEqual(resolved)
      }),
      { numRuns: 200 },
    )
  })
})

describe('trees of any shape, ill-typed ones too', () => {
  const literals = fc.oneof(
    fc.constantFrom(0, 1.5, -0, NaN, Infinity, 2 ** 53, 1e300),
    fc.constantFrom(0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 53n + 1n, 10n ** 30n),
    fc.constantFrom('', 'a', '2024-02-29', '2023-02-29'),
    fc.constantFrom(true, false, null),
  )
  const { tree } = fc.letrec<{ tree: Expression }>(tie => {
    const child = tie('tree')
    return {
      tree: fc.oneof(
        { maxDepth: 4 },
        fc
          .constantFrom('i8', 'u32', 'i64', 'f32', 'f64', 's', 'b', 't', 'd', 'none')
          .map(name => ({ op: 'column', name }) as const),
        literals.map(value => ({ op: 'literal', value }) as const),
        fc
          .record({
            op: fc.constantFrom(
              'add',
              'sub',
              'mul',
              'div',
              'intDiv',
              'mod',
              'eq',
              'ne',
              'lt',
              'lte',
              'gt',
              'gte',
              'and',
              'or',
            ),
            left: child,
            right: child,
          })
          .map(node => node as Expression),
        fc
          .record({ op: fc.constantFrom('not', 'neg', 'isNull', 'year', 'hour'), input: child })
          .map(node => node as Expression),
        fc
          .record({
            op: fc.constant('in'),
            input: child,
            values: fc.array(
              literals.map(value => ({ op: 'literal', value }) as const),
              { maxLength: 3 },
            ),
          })
          .map(node => node as Expression),
      ),
    }
  })
  const schema = schemaOfFields([
    { name: 'i8', type: { kind: 'int8', nullable: false } },
    { name: 'u32', type: { kind: 'uint32', nullable: true } },
    { name: 'i64', type: { kind: 'int64', nullable: false } },
    { name: 'f32', type: { kind: 'float32', nullable: false } },
    { name: 'f64', type: { kind: 'float64', nullable: true } },
    { name: 's', type: { kind: 'utf8', nullable: false } },
    { name: 'b', type: { kind: 'bool', nullable: true } },
    { name: 't', type: { kind: 'timestamp', nullable: false, unit: 'us' } },
    { name: 'd', type: { kind: 'date', nullable: true } },
  ])
  const row = new Map<string, Value>([
    ['i8', -3n],
    ['u32', 7n],
    ['i64', 2n ** 62n],
    ['f32', 0.5],
    ['f64', null],
    ['s', 'a'],
    ['b', true],
    ['t', -1n],
    ['d', 19_000n],
  ])

  it('are refused with a code, or resolve to resolved form: nothing in between', () => {
    let accepted = 0
    fc.assert(
      fc.property(tree, node => {
        let resolved: Expression
        try {
          resolved = resolve(node, schema)
        } catch (error) {
          expect(error).toBeInstanceOf(MillraceError)
          return
        }
        accepted++
        const before = outcome(() => evaluateResolved(resolved, row, schema))
        expect(outcome(() => evaluateResolved(fold(resolved, schema), row, schema))).toEqual(before)
        expect(resolve(resolved, schema)).toEqual(resolved)
      }),
      { numRuns: 4000 },
    )
    expect(accepted).toBeGreaterThan(300)
  })
})
