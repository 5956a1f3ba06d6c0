// Lanes and the tables they hold: who keeps them, who lets go, and what is left.
import { describe, expect, it } from 'vitest'
import { Lane } from '../../src/workers/lane.js'
import { END, openLane, PARTS, plan, range, splitOf, startIn, VERBS } from './support.js'

const all = plan(VERBS.all)

/** Holds rows 0 to 999, in two splits, as table `id`. */
async function hold(lane: Lane, id: number, verbs: Parameters<typeof plan>[0] = []) {
  const one = plan(verbs)
  const run = startIn(lane, { plan: one, holdAs: id })
  run.send(splitOf(1, range(0, 400), one), splitOf(4, range(400, 1000), one), END)
  const { held } = await run.message('finished')
  expect(run.types()).not.toContain('batch')
  return held
}
const ids = (run: ReturnType<typeof startIn>) => run.rows().map(({ id }) => id)

describe('a lane', () => {
  it('that is not open has neither kernels nor dictionaries', () => {
    const lane = new Lane(null)
    expect(() => lane.k).toThrow('MR_CLOSED')
    expect(() => lane.dictionaries).toThrow('MR_CLOSED')
  })

  it('reports what it holds by split, and gives it all back when told to', async () => {
    const lane = await openLane()
    const held = await hold(lane, 7)
    expect(held?.splits).toEqual([
      { split: 1, rowCount: 400 },
      { split: 4, rowCount: 600 },
    ])
    // int64 ids, int32 codes, a bit of validity; and three short strings.
    expect(held?.byteLength).toBeGreaterThan(12_000)
    expect(held?.byteLength).toBeLessThan(13_000)
    expect(lane.k.memory.usedBytes).toBeGreaterThan(0)
    lane.release(7)
    lane.release(7)
    lane.release(8)
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('without a part that a plan needs fails that job, keeps no rows for it, and runs it once it has it', async () => {
    const { text, evaluate } = PARTS
    const lane = await openLane(2 ** 28, { text })
    await hold(lane, 1)
    const late = plan(VERBS.late)
    const failed = startIn(lane, { plan: late, heldInputs: [{ table: 1, firstSplit: 0 }] })
    await failed.message('finished')
    expect(failed.types()).toEqual(['failed', 'finished'])
    lane.add('evaluate', evaluate, null)
    const run = startIn(lane, { plan: late, heldInputs: [{ table: 1, firstSplit: 0 }] })
    await run.message('finished')
    expect(ids(run)).toEqual(range(3, 1000))
    lane.release(1)
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('runs jobs over what it holds, any number of times', async () => {
    const lane = await openLane()
    await hold(lane, 1)
    for (let i = 0; i < 3; i++) {
      const late = plan(VERBS.late)
      const run = startIn(lane, { plan: late, heldInputs: [{ table: 1, firstSplit: 0 }] })
      const { metrics } = await run.message('finished')
      expect(ids(run)).toEqual(range(3, 1000))
      expect(metrics.rowsRead).toBe(1000)
    }
    lane.release(1)
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('holds what a table held becomes, strings too, after the first is gone', async () => {
    const lane = await openLane()
    await hold(lane, 1)
    const grouped = plan(VERBS.grouped)
    const run = startIn(lane, { plan: grouped, heldInputs: [{ table: 1, firstSplit: 0 }], holdAs: 2 })
    const { held } = await run.message('finished')
    expect(held?.splits.map(({ rowCount }) => rowCount)).toEqual([4])
    lane.release(1)
    const again = startIn(lane, {
      plan: { ...all, sourceColumns: ['key'], output: { key: grouped.output.key } },
      heldInputs: [{ table: 2, firstSplit: 0 }],
    })
    await again.message('finished')
    expect(again.rows()).toEqual([{ key: 'key 0' }, { key: 'key 1' }, { key: 'key 2' }, { key: null }])
    lane.release(2)
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('keeps a table that is let go of until the jobs over it have ended', async () => {
    const lane = await openLane()
    await hold(lane, 1)
    const sorted = plan(VERBS.sorted)
    const run = startIn(lane, { plan: sorted, heldInputs: [{ table: 1, firstSplit: 0 }] })
    lane.release(1)
    expect(lane.tables.size).toBe(0)
    await run.message('finished')
    expect(ids(run)).toEqual(range(0, 1000).reverse())
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('refuses a job over a table that is gone, and loses nothing by it', async () => {
    const lane = await openLane()
    for (const verbs of Object.values(VERBS)) {
      const run = startIn(lane, { plan: plan(verbs), heldInputs: [{ table: 3, firstSplit: 0 }] })
      const { error, position } = await run.message('failed')
      expect(error.code).toBe('MR_CLOSED')
      expect(position).toBeNull()
      await run.message('finished')
      expect(lane.k.memory.usedBytes).toBe(0)
    }
  })

  it('keeps no part of a table whose job failed or was cancelled', async () => {
    for (const end of ['failed', 'cancelled']) {
      const lane = await openLane()
      const doubled = plan(VERBS.doubled)
      const run = startIn(lane, { plan: doubled, holdAs: 1 })
      run.send(splitOf(0, range(0, 100), doubled))
      await run.message('progress')
      if (end === 'failed') run.send(splitOf(1, [1, 2n ** 62n], doubled), END)
      else run.send({ type: 'cancel' })
      const { held } = await run.message('finished')
      expect(held).toBeNull()
      expect(lane.tables.size).toBe(0)
      expect(lane.k.memory.usedBytes).toBe(0)
    }
  })

  it('a table that there is no room for is refused with both figures, and leaves nothing', async () => {
    const lane = await openLane(2 ** 21)
    const run = startIn(lane, { plan: all, holdAs: 1 })
    for (let split = 0; split < 20; split++) run.send(splitOf(split, range(0, 10_000), all))
    run.send(END)
    const { error } = await run.message('failed')
    expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT', details: { maximumBytes: 2 ** 21 } })
    await run.message('finished')
    expect(lane.k.memory.usedBytes).toBe(0)
  })

  it('a job that cannot be prepared lets go of the table it was to read', async () => {
    const lane = await openLane(2 ** 21)
    const held = await hold(lane, 1)
    expect(held).not.toBeNull()
    const taken: number[] = []
    for (let bytes = 2 ** 20; bytes >= 64; bytes /= 2) {
      try {
        while (true) taken.push(lane.k.memory.allocate(bytes - 16))
      } catch {}
    }
    const one = plan([{ verb: 'aggregate', keys: [], aggregates: VERBS.grouped[0].aggregates }])
    const run = startIn(lane, { plan: one, heldInputs: [{ table: 1, firstSplit: 0 }] })
    expect(await run.message('failed')).toMatchObject({ error: { code: 'MR_MEMORY_LIMIT' } })
    await run.message('finished')
    expect(lane.tables.get(1)?.users).toBe(1)
    for (const pointer of taken) lane.k.memory.free(pointer)
    lane.release(1)
    expect(lane.k.memory.usedBytes).toBe(0)
  })
})
