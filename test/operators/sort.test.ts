// Sorting: stable over splits and lanes, nulls where they are wanted, the first rows only, and its memory.
import { describe, expect, it } from 'vitest'
import { MORSEL_ROWS } from '../../src/columnar/record-batch.js'
import { float64, int32, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { OrderKey } from '../../src/expressions/node.js'
import { createSort } from '../../src/operators/sort.js'
import { batchOf, type Context, emitted, handedOver, makeContext, morselOf, thrown } from './support.js'

const shape = { id: int32(), key: nullable(float64()), text: nullable(utf8()) } satisfies SchemaShape
const by = (name: string, descending = false, nulls: 'first' | 'last' = 'last'): OrderKey => ({
  name,
  descending,
  nulls,
})
const sort = (context: Context, orders: OrderKey[], top: number | null = null) =>
  createSort(context, { kind: 'sort', orders, top, output: shape }, shape)
type Given = [id: number, key: number | null, text: string | null]
const rows = (...given: Given[]) =>
  batchOf({ id: given.map(([id]) => id), key: given.map(([, key]) => key), text: given.map(([, , t]) => t) }, shape)
const ids = (found: Record<string, unknown>[]) => found.map(({ id }) => id)

describe('sort', () => {
  const given: Given[] = [
    [0, 2, 'b'],
    [1, null, 'a'],
    [2, NaN, null],
    [3, -1, 'é'],
    [4, 2, 'a'],
    [5, Infinity, 'z'],
  ]

  it('puts nulls last, or first where that is asked for, whatever the direction; NaN is greatest', async () => {
    const context = await makeContext()
    const sorted = (...orders: OrderKey[]) => {
      const operator = sort(context, orders)
      operator.consume(morselOf(context, rows(...given)), 0)
      const found = ids(emitted(context, operator, shape))
      operator.free()
      return found
    }
    expect(sorted(by('key'))).toEqual([3, 0, 4, 5, 2, 1])
    expect(sorted(by('key', true))).toEqual([2, 5, 0, 4, 3, 1])
    expect(sorted(by('key', false, 'first'))).toEqual([1, 3, 0, 4, 5, 2])
    expect(sorted(by('key', true, 'first'))).toEqual([1, 2, 5, 0, 4, 3])
    expect(sorted(by('text'))).toEqual([1, 4, 0, 5, 3, 2])
    expect(sorted(by('key'), by('text', true))).toEqual([3, 0, 4, 5, 2, 1])
    expect(sorted(by('key'), by('text'))).toEqual([3, 4, 0, 5, 2, 1])
    context.loader.close()
    expect(context.usedBytes()).toBe(0)
  })

  it('equal rows keep the order of their splits, whichever lane had them and whichever came first', async () => {
    const [first, other] = [await makeContext(), await makeContext()]
    const here = sort(first, [by('key')])
    const there = sort(other, [by('key')])
    here.consume(morselOf(first, rows([10, 1, 'x'], [11, 0, 'y'])), 1)
    here.consume(morselOf(first, rows([30, 1, 'x'])), 3)
    there.consume(morselOf(other, rows([20, 1, 'z'], [21, 0, 'x'])), 2)
    there.consume(morselOf(other, rows([0, 1, 'y'])), 0)
    for (const part of handedOver(other, there)) here.absorb(part)
    const found = emitted(first, here, shape)
    expect(ids(found)).toEqual([11, 21, 0, 10, 20, 30])
    expect(found.map(({ text }) => text)).toEqual(['y', 'x', 'y', 'x', 'z', 'x'])
    here.free()
    there.free()
    for (const context of [first, other]) {
      context.loader.close()
      expect(context.usedBytes()).toBe(0)
    }
  })

  it('gives no more than the first rows where only these are needed', async () => {
    const context = await makeContext()
    const operator = sort(context, [by('key', true)], 2)
    operator.consume(morselOf(context, rows(...given)), 0)
    expect(ids(emitted(context, operator, shape))).toEqual([2, 5])
    operator.free()
  })

  it('many rows come morsel by morsel', async () => {
    // Not parted.
    const context = { ...(await makeContext()), mostGroups: Infinity }
    const operator = createSort(
      context,
      { kind: 'sort', orders: [by('id', true)], top: null, output: { id: int32() } },
      { id: int32() },
    )
    for (let split = 0; split < 3; split++) {
      const mark = context.k.memory.mark()
      const id = Int32Array.from({ length: 50_000 }, (_, i) => i * 3 + split)
      operator.consume(morselOf(context, batchOf({ id })), split)
      context.k.memory.reset(mark)
    }
    const counts: number[] = []
    const found: number[] = []
    for (const morsel of operator.emit()) {
      if (morsel === null) continue
      counts.push(morsel.rowCount)
      const { data } = morsel.columns[0]
      found.push(context.k.memory.i32[data >>> 2])
    }
    expect(counts).toEqual([MORSEL_ROWS, MORSEL_ROWS, 150_000 - 2 * MORSEL_ROWS])
    expect(found).toEqual([149_999, 149_999 - MORSEL_ROWS, 149_999 - 2 * MORSEL_ROWS])
    operator.free()
    expect(context.usedBytes()).toBe(0)
  })

  it('of no rows there is nothing to give', async () => {
    const context = await makeContext()
    const operator = sort(context, [by('key')])
    expect([...operator.emit()]).toEqual([])
    operator.free()
    operator.free()
    expect(context.usedBytes()).toBe(0)
  })

  it('gives back its memory when it is left halfway, or refused more', async () => {
    for (const leave of ['before', 'halfway', 'refused']) {
      const context = await makeContext(leave === 'refused' ? { maximumBytes: 2 ** 21 } : {})
      const schema = { id: int32() }
      const operator = createSort(context, { kind: 'sort', orders: [by('id')], top: null, output: schema }, schema)
      const consume = () => {
        const mark = context.k.memory.mark()
        try {
          operator.consume(morselOf(context, batchOf({ id: new Int32Array(60_000) })), 0)
        } finally {
          context.k.memory.reset(mark)
        }
      }
      if (leave === 'refused') {
        const error = thrown(() => {
          while (true) consume()
        })
        expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
        expect(thrown(() => [...operator.emit()])).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
      } else {
        for (let i = 0; i < 3; i++) consume()
        if (leave === 'halfway') {
          const morsels = operator.emit()[Symbol.iterator]()
          morsels.next()
          morsels.return?.()
        }
      }
      operator.free()
      expect(context.usedBytes()).toBe(0)
    }
  })
})
