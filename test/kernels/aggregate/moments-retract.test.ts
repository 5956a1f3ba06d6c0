// What a million rows leave in the exact sums of moments once they have been taken back: nothing. It takes seconds, so it is a suite of its own.

import { expect, test } from 'vitest'
import { float64 } from '../../../src/columnar/type.js'
import type { Accumulator, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { FAMILIES } from '../../../src/kernels/aggregate/families.js'
import { createStateWriter } from '../../../src/kernels/aggregate/state-bytes.js'
import { accumulatorContext, makeKernels } from '../support.js'

const k = await makeKernels()
const groupCount = 1000
const SPEC: AggregateSpec = {
  function: 'correlation',
  inputs: [float64(), float64()],
  inputIndex: 0,
  parameters: {},
  label: 'correlation(y, x)',
}

function stateOf(accumulator: Accumulator): Uint8Array {
  const writer = createStateWriter()
  accumulator.write(writer, 0, groupCount)
  return writer.finish()
}

test('a million rows, taken back in another order, leave zero bits', () => {
  const rowCount = 1_000_000
  let seed = 0x5eed
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  // Prices, uniform doubles, a few of any exponent, and what is no number.
  const draw = () => {
    const sort = random()
    if (sort < 0.5) return Math.round(random() * 1e6) / 100
    if (sort < 0.999) return random() - 0.5
    return sort < 0.9998
      ? (random() - 0.5) * 2 ** Math.floor(random() * 1800 - 900)
      : [NaN, Infinity, -Infinity][seed % 3]
  }
  const rows = Array.from({ length: rowCount }, () => [Math.floor(random() * groupCount), draw(), draw()] as const)
  const order = Uint32Array.from(rows, (_, i) => i)
  const shuffle = () => {
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[order[i], order[j]] = [order[j], order[i]]
    }
  }
  const feed = () => {
    const accumulator = FAMILIES.correlation!.create(accumulatorContext(k), SPEC)
    accumulator.resize(groupCount)
    return accumulator
  }
  const pass = (to: Accumulator, from: number, end: number, how: 'update' | 'retract', most: number) => {
    for (let at = from; at < end; ) {
      const mark = k.memory.mark()
      const count = Math.min(end - at, 1 + Math.floor(random() * most))
      const groups = k.memory.scratch(4 * count)
      const columns = [1, 2].map(() => k.memory.scratch(8 * count + 16))
      for (let i = 0; i < count; i++) {
        const row = rows[order[at + i]]
        k.memory.u32[(groups >>> 2) + i] = row[0]
        for (const c of [0, 1]) k.memory.f64[(columns[c] >>> 3) + i] = row[c + 1]
      }
      const vectors = columns.map(data => ({
        type: float64(),
        length: count,
        data,
        validity: 0,
        dictionary: null,
        range: null,
      }))
      to[how]!({ groups, rowCount: count, vectors, validity: 0, valueCount: count, position: 0 })
      at += count
      k.memory.reset(mark)
    }
  }
  const all = feed()
  pass(all, 0, rowCount, 'update', 65_536)
  shuffle()
  pass(all, 0, rowCount / 2, 'retract', 20_000)
  const half = feed()
  pass(half, rowCount / 2, rowCount, 'update', 3000)
  expect(Buffer.compare(stateOf(all), stateOf(half))).toBe(0)
  pass(all, rowCount / 2, rowCount, 'retract', 5000)
  expect(Buffer.compare(stateOf(all), stateOf(feed()))).toBe(0)
}, 60_000)
