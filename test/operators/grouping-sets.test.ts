// Grouping sets in lanes: derived from groups of several lanes, by morsels, without rows, and what they leave in memory however they end.
import { describe, expect, it } from 'vitest'
import { int32, int64, list, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve, typeOf } from '../../src/expressions/typing.js'
import { createAggregate } from '../../src/operators/aggregate.js'
import type { Breaker } from '../../src/operators/operator.js'
import type { AccumulatorSpec } from '../../src/plan/physical.js'
import { batchOf, type Context, emitted, handedOver, makeContext, morselOf, morselsOf, rowsOf } from './support.js'

const shape = { a: nullable(utf8()), b: int32(), s: nullable(utf8()) } satisfies SchemaShape
type Given = [a: string | null, b: number, s: string | null]

const column = (name: string): Expression => ({ op: 'column', name })

const call = (name: string, what: AccumulatorSpec['function'], input?: string, parameters = {}): AccumulatorSpec => {
  const inputs = input === undefined ? [] : [resolve(column(input), shape)]
  const inputTypes = inputs.map(each => typeOf(each, shape))
  return { name, function: what, inputs, inputTypes, parameters, where: null, label: what }
}

const ACCUMULATORS = [
  call('n', 'count'),
  call('least', 'min', 's'),
  call('all', 'collectList', 's'),
  call('joined', 'join', 's', { separator: '+' }),
]
const OUTPUT = {
  a: nullable(utf8()),
  b: nullable(int32()),
  n: int64(),
  least: nullable(utf8()),
  all: nullable(list(utf8())),
  joined: nullable(utf8()),
} satisfies SchemaShape

const CUBE = [['a', 'b'], ['a'], ['b'], []]

const aggregate = (
  context: Context,
  sets: readonly (readonly string[])[] = CUBE,
  accumulators = ACCUMULATORS,
  output: SchemaShape = OUTPUT,
) =>
  createAggregate(
    context,
    { kind: 'aggregate', keys: sets[0] as readonly string[], sets, panes: null, accumulators, output },
    shape,
  )

const consume = (context: Context, operator: Breaker, rows: readonly Given[], split = 0) => {
  const mark = context.k.memory.mark()
  const data = { a: rows.map(([a]) => a), b: rows.map(([, b]) => b), s: rows.map(([, , s]) => s) }
  try {
    operator.consume(morselOf(context, batchOf(data, shape)), split)
  } finally {
    context.k.memory.reset(mark)
  }
}

function expectEmpty(context: Context, ...operators: Breaker[]): void {
  for (const operator of operators) operator.free()
  context.loader.close()
  expect(context.usedBytes()).toBe(0)
}

const many = (from: number) =>
  Array.from({ length: 5_000 }, (_, i): Given => [`key ${(from + i) % 701}`, 7919 * ((from + i) % 9973), `text ${i}`])

describe('grouping sets', () => {
  it('come set by set, groups in order of first appearance, from all lanes, a column in one dictionary', async () => {
    const [first, other] = [await makeContext(), await makeContext()]
    const [here, there] = [aggregate(first), aggregate(other)]
    consume(first, here, [['x', 1, 'p']], 1)
    const later: Given[] = [
      [null, 2, null],
      ['x', 2, 'q'],
    ]
    consume(other, there, later, 0)
    for (const part of handedOver(other, there)) here.absorb(part)
    const found: unknown[] = []
    const dictionaries = new Map<string, Set<unknown>>()
    for (const morsel of morselsOf(here)) {
      for (const [i, name] of Object.keys(OUTPUT).entries()) {
        const each = morsel.columns[i]
        dictionaries.set(name, (dictionaries.get(name) ?? new Set()).add((each?.child ?? each)?.dictionary))
      }
      found.push(...rowsOf(first, morsel, OUTPUT))
    }
    const none = { least: null, all: null, joined: null }
    expect(found).toEqual([
      { a: null, b: 2, n: 1, ...none },
      { a: 'x', b: 2, n: 1, least: 'q', all: ['q'], joined: 'q' },
      { a: 'x', b: 1, n: 1, least: 'p', all: ['p'], joined: 'p' },
      { a: null, b: null, n: 1, ...none },
      { a: 'x', b: null, n: 2, least: 'p', all: ['q', 'p'], joined: 'q+p' },
      { a: null, b: 2, n: 2, least: 'q', all: ['q'], joined: 'q' },
      { a: null, b: 1, n: 1, least: 'p', all: ['p'], joined: 'p' },
      { a: null, b: null, n: 3, least: 'p', all: ['q', 'p'], joined: 'q+p' },
    ])
    for (const [name, met] of dictionaries) expect(met.size, name).toBe(1)
    expectEmpty(first, here)
    expectEmpty(other, there)
  })

  it('over no rows the empty set still has its group, and no other has one', async () => {
    const context = await makeContext()
    const operator = aggregate(context)
    expect(emitted(context, operator, OUTPUT)).toEqual([
      { a: null, b: null, n: 0, least: null, all: null, joined: null },
    ])
    const without = aggregate(context, [['a', 'b'], ['a']])
    expect(emitted(context, without, OUTPUT)).toEqual([])
    expectEmpty(context, operator, without)
  })

  it('of more groups than a morsel has rows come morsel by morsel, and may be left at any', async () => {
    const context = await makeContext()
    const output = { a: OUTPUT.a, b: OUTPUT.b, n: OUTPUT.n }
    const operator = aggregate(context, CUBE, [call('n', 'count')], output)
    const total = 70_000
    for (let from = 0; from < total; from += 5_000) {
      consume(
        context,
        operator,
        Array.from({ length: 5_000 }, (_, i) => [`${(from + i) % 3}`, (from + i) * 7919, null]),
        from / 5_000,
      )
    }
    const { memory } = context.k
    const emit = function* () {
      const morsels = morselsOf(operator)[Symbol.iterator]()
      try {
        while (true) {
          // As a lane does it: scratch is anyone's between two morsels.
          const mark = memory.mark()
          const { done, value } = morsels.next()
          if (done) return
          yield value
          memory.reset(mark)
          memory.bytes(memory.scratch(1 << 20), 1 << 20).fill(0xaa)
          memory.reset(mark)
        }
      } finally {
        morsels.return?.()
      }
    }
    const counts: number[] = []
    let rows = 0
    for (const morsel of emit()) {
      expect(morsel.rowCount).toBeLessThanOrEqual(65_536)
      counts.push(morsel.rowCount)
      for (const { n, b } of rowsOf(context, morsel, output).slice(0, 3)) {
        const most = rows < total ? 1 : rows < total + 3 ? total / 3 : b === null ? total : 1
        expect(Math.abs(Number(n) - most)).toBeLessThan(1)
      }
      rows += morsel.rowCount
    }
    expect(counts).toEqual([65_536, total - 65_536, 3, 65_536, total - 65_536, 1])
    for (let stop = 1; stop <= counts.length; stop++) {
      let left = stop
      for (const _ of emit()) if (--left === 0) break
    }
    expectEmpty(context, operator)
  })

  it('that are refused memory leave nothing behind', { timeout: 60_000 }, async () => {
    const outcomes = new Set<string>()
    for (const pages of Array.from({ length: 24 }, (_, i) => 48 + 12 * i)) {
      const context = await makeContext({ maximumBytes: pages * 65_536 })
      const operator = aggregate(context)
      let sets = 0
      const error = (() => {
        try {
          for (let i = 0; i < 3; i++) consume(context, operator, many(5_000 * i), i)
          sets = 1
          for (const { columns } of morselsOf(operator)) {
            expect(columns).toHaveLength(6)
            sets += 1
            context.k.memory.reset(0)
          }
        } catch (caught) {
          return caught
        }
        return null
      })()
      if (error !== null) expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
      outcomes.add(
        error === null ? 'made' : sets === 0 ? 'refused rows' : sets === 1 ? 'refused' : 'refused on the way',
      )
      expectEmpty(context, operator)
    }
    expect([...outcomes].sort()).toEqual(['made', 'refused', 'refused on the way', 'refused rows'])
  })
})
