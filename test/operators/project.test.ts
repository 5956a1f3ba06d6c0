// Projections: which columns come out, in which order, of which type.
import { describe, expect, it } from 'vitest'
import { schemaOf } from '../../src/columnar/schema.js'
import { int32, int64, nullable, type SchemaShape } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve } from '../../src/expressions/typing.js'
import { createProject } from '../../src/operators/project.js'
import { batchOf, makeContext, morselOf, rowsOf, tableOf, thrown } from './support.js'

const context = await makeContext()
const shape = { a: int32(), b: int64() } satisfies SchemaShape
const rows = batchOf({ a: Int32Array.of(1, 2, 3), b: BigInt64Array.of(10n, 2n ** 62n, 2n ** 62n) }, shape)
const column = (name: string): Expression => ({ op: 'column', name })
const doubled: Expression = resolve({ op: 'add', left: column('b'), right: column('b') }, shape)

const project = (columns: [string, Expression][], output: SchemaShape) =>
  createProject(
    context,
    {
      kind: 'project',
      verb: 'derive',
      columns: columns.map(([name, expression]) => ({ name, expression: resolve(expression, shape) })),
      output,
    },
    shape,
  )

describe('project', () => {
  it('gives each column as it is, or an expression evaluated', () => {
    const output = { b: int64(), twice: int64() }
    const twice = resolve({ op: 'mul', left: column('a'), right: { op: 'literal', value: 2 } }, shape)
    const columns: [string, Expression][] = [
      ['b', column('b')],
      ['twice', twice],
    ]
    const made = project(columns, output).apply(morselOf(context, batchOf({ a: [1], b: [5n] }, shape)))
    expect(rowsOf(context, made!, output)).toEqual([{ b: 5, twice: 2 }])
  })

  it('columns with names like integers come in the order of the schema, not in that of the verb', () => {
    const output = schemaOf([
      { name: 'x', type: int32() },
      { name: '10', type: int64() },
      { name: '2', type: int32() },
    ])
    expect(Object.keys(output)).toEqual(['2', '10', 'x'])
    const columns: [string, Expression][] = [
      ['x', column('a')],
      ['10', column('b')],
      ['2', column('a')],
    ]
    const made = project(columns, output).apply(morselOf(context, batchOf({ a: [1], b: [5n] }, shape)))
    expect(rowsOf(context, made!, output)).toEqual([{ 2: 1, 10: 5, x: 1 }])
  })

  it('a column has the type that the plan says, which may be wider in nulls than what was found', () => {
    const output = { a: nullable(int32()) }
    const made = project([['a', column('a')]], output).apply(morselOf(context, rows))
    expect(tableOf(context, made!, output).toRows()).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
    expect(made!.columns[0].type).toEqual(nullable(int32()))
  })

  it('of several failing columns the least row is told', () => {
    const scaled: Expression = { op: 'mul', left: column('b'), right: { op: 'literal', value: 2n ** 61n } }
    const columns: [string, Expression][] = [
      ['late', doubled],
      ['early', scaled],
    ]
    const failing = project(columns, { late: int64(), early: int64() })
    expect(thrown(() => failing.apply(morselOf(context, rows)))).toMatchObject({
      row: 0,
      error: { code: 'MR_INTEGER_OVERFLOW', details: { operator: 'mul' } },
    })
  })
})
