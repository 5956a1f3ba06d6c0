// What a job may take of a lane's memory: who is refused, who is not, and that all of it comes back.
import { describe, expect, it } from 'vitest'
import type { Lane } from '../../src/workers/lane.js'
import { CANCEL, END, openLane, plan, range, splitOf, startIn, VERBS } from './support.js'

const MiB = 2 ** 20
const small = { budgetBytes: 3 * MiB, shareBytes: 3 * MiB, spill: null }
const sorted = plan(VERBS.sorted)
const all = plan(VERBS.all)

const splits = (from: number, to: number) =>
  range(from, to).map(i => splitOf(i, range(20_000 * i, 20_000 * (i + 1)), sorted))

async function holding(lane: Lane, splitCount: number): Promise<void> {
  const run = startIn(lane, { plan: all, holdAs: 1 })
  run.send(...splits(0, splitCount), END)
  await run.message('finished')
}

describe('a job with a budget', () => {
  it('fails of its own excess alone, with the operator, and the one beside it goes on', async () => {
    const lane = await openLane()
    const greedy = startIn(lane, { plan: sorted, budget: small })
    const modest = startIn(lane, { plan: sorted, budget: small })
    modest.send(...splits(0, 1))
    greedy.send(...splits(0, 20), END)
    const { error } = await greedy.message('failed')
    expect(error).toMatchObject({
      code: 'MR_MEMORY_LIMIT',
      details: { budgetBytes: 3 * MiB, shareBytes: 3 * MiB, operator: 'sort by id desc' },
    })
    expect(error.message).toContain('sort by id desc needs ')
    await greedy.message('finished')
    modest.send(END)
    await modest.message('finished')
    expect(modest.types()).not.toContain('failed')
    expect(modest.rows().map(({ id }) => id)).toEqual(range(0, 20_000).reverse())
    expect(lane.k.memory.usedBytes).toBe(0)
    expect(lane.k.memory.account).toBeNull()
  })

  it('does not pay for rows that are held, and gives back all that it took: done, failed and cancelled', async () => {
    const lane = await openLane()
    await holding(lane, 10)
    const heldBytes = lane.k.memory.usedBytes
    expect(heldBytes).toBeGreaterThan(small.shareBytes)
    const grouped = plan(VERBS.grouped)
    const done = startIn(lane, { plan: grouped, heldInputs: [{ table: 1, firstSplit: 0 }], budget: small })
    const { metrics } = await done.message('finished')
    expect(done.types()).not.toContain('failed')
    expect(metrics.peakBytes).toBeGreaterThan(0)
    expect(metrics.peakBytes).toBeLessThan(small.shareBytes)
    expect(lane.k.memory.usedBytes).toBe(heldBytes)
    const failed = startIn(lane, { plan: sorted, heldInputs: [{ table: 1, firstSplit: 0 }], budget: small })
    expect((await failed.message('failed')).error.details).toMatchObject({
      operator: 'sort by id desc',
      budgetBytes: 3 * MiB,
    })
    await failed.message('finished')
    expect(lane.k.memory.usedBytes).toBe(heldBytes)
    const cancelled = startIn(lane, { plan: sorted, heldInputs: [{ table: 1, firstSplit: 0 }] })
    cancelled.send(CANCEL)
    await cancelled.message('finished')
    expect(lane.k.memory.usedBytes).toBe(heldBytes)
    lane.release(1)
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('pays for the rows that it has held, and is told so by name', async () => {
    const lane = await openLane()
    const run = startIn(lane, { plan: all, holdAs: 1, budget: small })
    run.send(...splits(0, 20), END)
    expect((await run.message('failed')).error.details).toMatchObject({ operator: 'load', budgetBytes: 3 * MiB })
    await run.message('finished')
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('too small to begin with it fails and leaves nothing', async () => {
    const lane = await openLane()
    const run = startIn(lane, { plan: plan(VERBS.grouped), budget: { budgetBytes: MiB, shareBytes: 1, spill: null } })
    run.send(...splits(0, 1), END)
    expect((await run.message('failed')).error).toMatchObject({ code: 'MR_MEMORY_LIMIT', details: { shareBytes: 1 } })
    await run.message('finished')
    expect(lane.k.memory.usedBytes).toBe(0)
    expect(lane.k.memory.account).toBeNull()
  })

  it('tells the most that it has had itself, not what others had before', async () => {
    const lane = await openLane()
    const peakOf = async (splitCount: number) => {
      const run = startIn(lane, { plan: sorted })
      run.send(...splits(0, splitCount), END)
      return (await run.message('finished')).metrics.peakBytes
    }
    const [large, less] = [await peakOf(20), await peakOf(1)]
    expect(large).toBeGreaterThan(20 * 20_000 * 12)
    expect(less).toBeLessThan(large / 3)
    expect(await peakOf(20)).toBe(large)
  })
})
