// Filters: which rows are left, which columns, and where in the source a row came from.
import { describe, expect, it } from 'vitest'
import { bool, int32, int64, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve } from '../../src/expressions/typing.js'
import { createFilter } from '../../src/operators/filter.js'
import { batchOf, makeContext, morselOf, rowsOf, thrown } from './support.js'

const context = await makeContext()
const { k } = context
const shape = { id: int32(), keep: nullable(bool()), text: utf8(), big: int64() } satisfies SchemaShape
const rows = batchOf(
  {
    id: Int32Array.of(0, 1, 2, 3),
    keep: [true, null, false, true],
    text: ['a', 'b', 'a', 'c'],
    big: [1n, 2n ** 62n, 2n ** 62n, 4n],
  },
  shape,
)

const filter = (predicate: Expression, output: SchemaShape = shape) =>
  createFilter(context, { kind: 'filter', predicate: resolve(predicate, shape), output }, shape)
const column = (name: string): Expression => ({ op: 'column', name })
const idAbove = (value: number): Expression => ({ op: 'gt', left: column('id'), right: { op: 'literal', value } })
const sourceRows = (pointer: number, count: number) => [
  ...k.memory.u32.subarray(pointer >>> 2, (pointer >>> 2) + count),
]

describe('filter', () => {
  it('keeps the rows where the predicate is true, neither those where it is false nor where it is null', () => {
    const left = filter(column('keep')).apply(morselOf(context, rows))
    expect(rowsOf(context, left!, shape).map(({ id }) => id)).toEqual([0, 3])
    expect(rowsOf(context, left!, shape).map(({ text }) => text)).toEqual(['a', 'c'])
  })

  it('keeps only the columns that are read later, in the order of its schema', () => {
    const output = { text: shape.text, id: shape.id }
    const left = filter(column('keep'), output).apply(morselOf(context, rows))
    expect(rowsOf(context, left!, output)).toEqual([
      { text: 'a', id: 0 },
      { text: 'c', id: 3 },
    ])
  })

  it('a morsel of which no row is left is none', () => {
    expect(filter(idAbove(3)).apply(morselOf(context, rows))).toBeNull()
  })

  it('a morsel of which every row is left goes on as it is, without a copy', () => {
    const morsel = morselOf(context, rows)
    const left = filter(idAbove(-1)).apply(morsel)
    expect(left?.rowCount).toBe(4)
    expect(left?.columns.map(({ data }) => data)).toEqual(morsel.columns.map(({ data }) => data))
    expect(left?.rows).toBe(0)
  })

  it('rows remember where in the morsel they came from, through several filters', () => {
    const once = filter(idAbove(0)).apply(morselOf(context, rows))
    expect(sourceRows(once!.rows, 3)).toEqual([1, 2, 3])
    const twice = filter(column('keep')).apply(once!)
    expect(sourceRows(twice!.rows, 1)).toEqual([3])
  })

  it('a failing predicate tells the row as it entered the pipeline', () => {
    const doubled: Expression = { op: 'add', left: column('big'), right: column('big') }
    const failing = filter({ op: 'gt', left: doubled, right: { op: 'literal', value: 0 } })
    expect(thrown(() => failing.apply(morselOf(context, rows)))).toMatchObject({ row: 1 })
    const later = filter(idAbove(1)).apply(morselOf(context, rows))
    expect(thrown(() => failing.apply(later!))).toMatchObject({ row: 2 })
  })
})
