// What a change of a group costs while its windows are open: that of the group, and not of all that these windows have.
import { expect, it } from 'vitest'
import { int64, timestamp } from '../../src/columnar/type.js'
import { createLiveAggregate } from '../../src/operators/live-aggregate.js'
import { batchOf, makeContext, morselOf } from './support.js'

const shape = { start: timestamp(), end: timestamp(), watermark: timestamp(), id: int64() }
const count = {
  name: 'n',
  function: 'count',
  inputs: [],
  inputTypes: [],
  where: null,
  parameters: {},
  label: 'count()',
} as const

/** Milliseconds that one row takes, at best, where so many groups are there in each window. */
async function updateMs(
  windows: 'ends' | { kind: 'sliding'; pane: bigint; size: bigint; offset: bigint },
  groups: number,
) {
  const context = await makeContext()
  const { memory } = context.k
  const keys = windows === 'ends' ? ['start', 'end', 'id'] : ['start', 'id']
  const live = createLiveAggregate(
    context,
    {
      keys,
      accumulators: [count],
      windows,
      isEndOnly: false,
      lateness: 0n,
      emits: 'changes',
      watermark: 'watermark',
      weight: null,
    },
    shape,
  )
  const push = (ids: readonly number[]): number => {
    const mark = memory.mark()
    const all = (value: number) => ids.map(() => new Date(value))
    const batch = batchOf({ start: all(0), end: all(60), watermark: all(-1), id: ids }, shape)
    let rows = 0
    for (const { rowCount } of live.consume(morselOf(context, batch))) rows += rowCount
    memory.reset(mark)
    return rows
  }
  for (let from = 0; from < groups; from += 50_000)
    push(Array.from({ length: Math.min(50_000, groups - from) }, (_, i) => from + i))
  let best = Infinity
  for (let i = 0; i < 30; i++) {
    const begin = performance.now()
    // As it was, and as it is, in each window.
    expect(push([(i * 7919) % groups])).toBe(windows === 'ends' ? 2 : 12)
    best = Math.min(best, performance.now() - begin)
  }
  live.free()
  return best
}

it.each([
  ['follow one another', 'ends' as const],
  ['overlap', { kind: 'sliding' as const, pane: 10n, size: 60n, offset: 0n }],
])(
  'a change takes as long among many groups as among few, where windows %s',
  { timeout: 60_000 },
  async (_, windows) => {
    const few = await updateMs(windows, 100)
    expect(await updateMs(windows, windows === 'ends' ? 200_000 : 50_000)).toBeLessThan(8 * few)
  },
)
