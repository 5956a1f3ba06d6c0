// Rows taken back leave nothing behind: whatever came and went in whatever order, the state is that of the rows that stayed, to the byte.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DataType, float64, int32, int64, nullable } from '../../../src/columnar/type.js'
import type { AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { type Aggregation, createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { accumulatorContext, anyDouble, anyInt32, anyInt64, laneVector, makeKernels } from '../support.js'
import { groupPointer } from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

type Row = readonly [group: number, x: number | null, n: bigint | null, i: number | null]

const types: readonly DataType[] = [nullable(float64()), nullable(int64()), nullable(int32())]
const spec = (name: AggregateFunction, inputIndex: number): AggregateSpec => ({
  function: name,
  inputs: inputIndex < types.length ? [types[inputIndex]] : [],
  inputIndex,
  parameters: { population: false },
  label: `${name}(#${inputIndex})`,
})
const SPECS = [
  spec('sum', 0),
  spec('mean', 0),
  spec('variance', 0),
  spec('sum', 1),
  spec('count', 1),
  spec('stddev', 2),
  spec('count', 3),
]
const GROUPS = 4

const make = (specs = SPECS): Aggregation => {
  const aggregation = createAggregation(accumulatorContext(k), specs, true)
  aggregation.resize(GROUPS)
  return aggregation
}

const give = (aggregation: Aggregation, how: 'update' | 'retract', rows: readonly Row[]) => {
  const mark = k.memory.mark()
  const columns = types.map((type, i) =>
    laneVector(
      k,
      type,
      rows.map(row => row[i + 1] as number),
    ),
  )
  const inputs = [
    ...columns.map(vector => ({ vectors: [vector], validity: vector.validity })),
    { vectors: [], validity: 0 },
  ]
  aggregation[how](
    groupPointer(
      k,
      rows.map(([group]) => group),
    ),
    inputs,
    rows.length,
    0,
  )
  if (rows.length > 0) aggregation.open(0, GROUPS)
  k.memory.reset(mark)
}

const row = fc.tuple(
  fc.nat({ max: GROUPS - 1 }),
  fc.option(anyDouble),
  fc.option(anyInt64.map(n => n / 8n)),
  fc.option(anyInt32),
) as fc.Arbitrary<Row>

describe('rows that are taken back', () => {
  test('leave the state of the rows that stayed, whatever the order, of them and of the aggregates', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(SPECS), fc.shuffledSubarray(SPECS, { minLength: 2 })),
        fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 4 }),
        fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 4 }),
        fc.func(fc.nat()),
        (specs, gone, stays, order) => {
          const aggregation = make(specs)
          const steps = [
            ...gone.map((rows, i) => ({ how: 'update' as const, rows, at: 2 * (order(i) % 50) })),
            ...stays.map((rows, i) => ({ how: 'update' as const, rows, at: 2 * (order(-i - 1) % 50) })),
          ].sort((a, b) => a.at - b.at)
          for (const { how, rows } of steps) give(aggregation, how, rows)
          // In other pieces and another order than they came.
          const back = gone.flat().reverse()
          for (let from = 0; from < back.length; from += 7) give(aggregation, 'retract', back.slice(from, from + 7))
          const expected = make(specs)
          for (const rows of stays) give(expected, 'update', rows)
          expected.open(0, GROUPS)
          aggregation.open(0, GROUPS)
          expect(Buffer.compare(aggregation.state(0, GROUPS), expected.state(0, GROUPS))).toBe(0)
          aggregation.free()
          expected.free()
        },
      ),
      { numRuns: 150 },
    )
  })

  test('a million of them, in another order, leave zero bits', () => {
    let seed = 12345
    const random = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed / 2 ** 32
    }
    const wild = [NaN, Infinity, -Infinity, 1e308, -1e308, 5e-324, 0.1]
    const rows = Array.from({ length: 1_000_000 }, (): Row => {
      const x = random() < 0.01 ? (wild[Math.floor(random() * wild.length)] as number) : (random() - 0.5) * 1e6
      const n = BigInt(Math.floor(random() * 2 ** 40)) << 20n
      return [Math.floor(random() * GROUPS), random() < 0.05 ? null : x, n, null]
    })
    const specs = [spec('sum', 0), spec('mean', 0), spec('sum', 1), spec('count', 3)]
    const aggregation = make(specs)
    for (let from = 0; from < rows.length; from += 50_000) give(aggregation, 'update', rows.slice(from, from + 50_000))
    for (let i = rows.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[rows[i], rows[j]] = [rows[j] as Row, rows[i] as Row]
    }
    for (let from = 0; from < rows.length; from += 65_536) give(aggregation, 'retract', rows.slice(from, from + 65_536))
    const empty = make(specs)
    empty.open(0, GROUPS)
    expect(Buffer.compare(aggregation.state(0, GROUPS), empty.state(0, GROUPS))).toBe(0)
  })

  test('are refused, by name, where an aggregate has no way to', () => {
    const aggregation = make([spec('sum', 0), spec('max', 0)])
    give(aggregation, 'update', [[0, 1, null, null]])
    expect(() => give(aggregation, 'retract', [[0, 1, null, null]])).toThrow(/MR_CANNOT_RETRACT: max\(#0\)/)
  })
})
