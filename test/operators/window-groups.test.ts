/** Windows that overlap, of more groups than are put together at a time: their panes are kept from turn to turn. */
import { describe, expect, it } from 'vitest'
import { int32, int64, type SchemaShape, timestamp } from '../../src/columnar/type.js'
import { createAggregate } from '../../src/operators/aggregate.js'
import type { Stage } from '../../src/plan/physical.js'
import { batchOf, type Context, emitted, handedOver, makeContext, morselOf, type Row } from './support.js'

const input = { start: timestamp(), key: int32() } satisfies SchemaShape
const output = { start: timestamp(), '#windowEnd': timestamp(), key: int32(), n: int64() } satisfies SchemaShape
const PANE = 5
const stage: Stage & { kind: 'aggregate' } = {
  kind: 'aggregate',
  keys: ['start', 'key'],
  accumulators: [{ name: 'n', function: 'count', inputs: [], inputTypes: [], parameters: {}, where: null, label: 'n' }],
  sets: null,
  panes: { kind: 'sliding', pane: BigInt(PANE), size: 2n * BigInt(PANE), offset: 0n },
  output,
}

const ROWS = 50_000
const OF_PANE = 700
const startOf = (row: number) => PANE * Math.floor(row / OF_PANE)
const keyOf = (row: number) => (row * 7919) % 30_000

function consume(context: Context, from: number, to: number) {
  const breaker = createAggregate(context, stage, input)
  const rows = Array.from({ length: to - from }, (_, i) => from + i)
  const batch = batchOf({ start: rows.map(row => new Date(startOf(row))), key: Int32Array.from(rows, keyOf) }, input)
  const mark = context.k.memory.mark()
  breaker.consume(morselOf(context, batch), from)
  context.k.memory.reset(mark)
  return breaker
}

/** Window by window, as they end, each group as often as its panes have it. */
function wanted(): Row[] {
  const found: Row[] = []
  const last = startOf(ROWS - 1) + 2 * PANE
  for (let end = PANE; end <= last; end += PANE) {
    const counts = new Map<number, number>()
    const first = OF_PANE * Math.max(0, end / PANE - 2)
    for (let row = first; row < Math.min(ROWS, (OF_PANE * end) / PANE); row++)
      counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1)
    for (const [key, n] of counts) found.push({ start: new Date(end - 2 * PANE), '#windowEnd': new Date(end), key, n })
  }
  return found
}

describe('windows of panes', () => {
  it('are put together some at a time, of groups that two lanes have found', async () => {
    const [first, second] = [await makeContext(), await makeContext()]
    const [own, other] = [consume(first, 0, ROWS / 2), consume(second, ROWS / 2, ROWS)]
    for (const part of handedOver(second, other)) own.absorb(part)
    expect(emitted(first, own, output)).toEqual(wanted())
    own.free()
    other.free()
    for (const context of [first, second]) {
      context.loader.close()
      expect(context.usedBytes()).toBe(0)
    }
  })
})
