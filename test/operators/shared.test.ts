// What the expressions of a stage have in common is computed once a morsel, and anew for the next one.

import { describe, expect, it } from 'vitest'
import { float64, nullable, type SchemaShape } from '../../src/columnar/type.js'
import { commonParts } from '../../src/expressions/common.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve, typeOf } from '../../src/expressions/typing.js'
import { columns } from '../../src/index.js'
import { createProject } from '../../src/operators/project.js'
import { batchOf, makeContext, morselOf, rowsOf } from './support.js'

const column = (name: string): Expression => ({ op: 'column', name })
const literal = (value: number): Expression => ({ op: 'literal', value })
const binary = (op: 'add' | 'mul', left: Expression, right: Expression): Expression => ({ op, left, right })

describe('common parts', () => {
  const product = binary('mul', column('a'), column('b'))
  const sum = binary('add', product, literal(1))

  it('are those that are there more than once, and the largest of them', () => {
    const { idOf, largest } = commonParts([sum, binary('mul', sum, literal(2)), product])
    expect(largest).toEqual([product, sum])
    expect(idOf(sum)).toBeGreaterThanOrEqual(0)
    expect(idOf(sum)).not.toBe(idOf(product))
    // The same object twice, and an equal one.
    expect(commonParts([sum, binary('add', binary('mul', column('a'), column('b')), literal(1))]).largest).toEqual([
      sum,
    ])
  })

  it('are no columns, no literals, and nothing that is there once', () => {
    const { idOf, largest } = commonParts([product, binary('mul', column('b'), column('a'))])
    expect(largest).toEqual([])
    expect(idOf(product)).toBe(-1)
    expect(idOf(column('a'))).toBe(-1)
    // -0 is another literal than 0.
    expect(
      commonParts([binary('add', column('a'), literal(0)), binary('add', column('a'), literal(-0))]).largest,
    ).toEqual([])
  })
})

describe('a stage', () => {
  it('computes them once a morsel', async () => {
    const context = await makeContext()
    const shape = { a: float64(), b: nullable(float64()) } satisfies SchemaShape
    const product = binary('mul', column('a'), column('b'))
    const expressions = {
      x: resolve(binary('add', product, literal(1)), shape),
      y: resolve(product, shape),
      z: resolve(binary('mul', product, product), shape),
    }
    const output = Object.fromEntries(Object.entries(expressions).map(([name, each]) => [name, typeOf(each, shape)]))
    const stage = {
      kind: 'project',
      verb: 'derive',
      columns: Object.entries(expressions).map(([name, expression]) => ({ name, expression })),
      output,
    } as const
    let count = 0
    const { arithmeticMulFloat64 } = context.k.exports
    context.k.exports.arithmeticMulFloat64 = (...given) => {
      count++
      arithmeticMulFloat64(...given)
    }
    const project = createProject(context, stage, shape)
    for (const [turn, a] of [Float64Array.of(1, 2, 3), Float64Array.of(4, 5, 6)].entries()) {
      const b = [10, null, 0.5]
      const morsel = project.apply(morselOf(context, batchOf({ a, b }, shape)))
      const wanted = b.map((value, i) => (value === null ? null : value * (a[i] as number)))
      expect(rowsOf(context, morsel as NonNullable<typeof morsel>, output)).toEqual(
        wanted.map(y => ({ x: y === null ? null : y + 1, y, z: y === null ? null : y * y })),
      )
      // The product, and its square.
      expect(count).toBe(2 * (turn + 1))
    }
    project.free()
  })

  it('says so', () => {
    const flow = columns({ a: Float64Array.of(1), b: Float64Array.of(2) })
    const derived = flow.derive(t => ({ x: t.a.mul(t.b).add(1), y: t.a.mul(t.b).sub(1) }))
    expect(derived.explain()).toContain('; computed once: a * b')
    expect(flow.derive(t => ({ x: t.a.mul(t.b), y: t.a })).explain()).not.toContain('computed once')
  })
})
