// What is kept of state, as metrics tell it.
import { expect, test } from 'vitest'
import { createLiveMeter } from '../../../src/engines/local/live-meter.js'
import type { LaneMemory } from '../../../src/kernels/memory.js'
import type { LiveAggregate } from '../../../src/operators/live-aggregate.js'

test('what aggregates had in common is taken from each by what it keeps, in whole bytes', () => {
  const memory = { usedBytes: 0, scratchBytes: 0, account: null }
  const meter = createLiveMeter(memory as unknown as LaneMemory, false)
  for (const bytes of [70, 30]) {
    const aggregate = meter.aggregate({
      label: 'aggregate',
      size: 0,
      // biome-ignore lint/correctness/useYield: it gives nothing, and keeps more.
      *advance() {
        memory.usedBytes += bytes
      },
    } as unknown as LiveAggregate)
    expect([...aggregate.advance(0n, false)]).toEqual([])
  }
  const kept = () => meter.nodes(1).map(({ stateBytes }) => stateBytes)
  expect(kept()).toEqual([70, 30])
  memory.usedBytes = 45
  meter.renewed()
  expect(kept()).toEqual([31, 13])
})
