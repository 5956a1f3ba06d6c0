// One job in one lane: what it says and when, how it fails, and that afterwards the lane's memory is as it was before.
import { describe, expect, it, vi } from 'vitest'
import type { PhysicalPlan } from '../../src/plan/physical.js'
import type { Lane } from '../../src/workers/lane.js'
import { localPorts } from '../../src/workers/port.js'
import { CANCEL, DOUBLED, END, openLane, plan, range, splitOf, startIn, turn, VERBS } from './support.js'

const BIG = 2n ** 62n

/** A lane of which nothing is in use. */
async function freshLane(maximumBytes?: number): Promise<Lane> {
  const lane = await openLane(maximumBytes)
  expect(lane.k.memory.usedBytes).toBe(0)
  return lane
}

function expectAsBefore(lane: Lane): void {
  expect(lane.k.memory.mark()).toBe(0)
  expect(lane.k.memory.usedBytes).toBe(0)
}

/** From now on every kernel traps, as an instance does that went wrong. */
function breakKernels(lane: Lane): void {
  const broken = () => {
    throw new WebAssembly.RuntimeError('unreachable')
  }
  const exports = Object.fromEntries(Object.keys(lane.k.exports).map(name => [name, broken]))
  Object.assign(lane.k, { exports })
}

describe('a job without a gather', () => {
  it('gives the rows of each split, tells of each split read, and ends', async () => {
    const lane = await freshLane()
    const late = plan(VERBS.late)
    const run = startIn(lane, { plan: late })
    run.send(splitOf(0, [1, 2, 3], late), splitOf(2, [4, 5], late), END)
    const { metrics, held } = await run.message('finished')
    expect(run.types()).toEqual(['batch', 'progress', 'batch', 'progress', 'scanned', 'finished'])
    expect(run.messages.flatMap(message => (message.type === 'batch' ? [message.split] : []))).toEqual([0, 2])
    expect(run.messages[1]).toEqual({ type: 'progress', splits: 1, rows: 3, illFormed: 0 })
    expect(run.rows().map(({ id }) => id)).toEqual([3, 4, 5])
    expect(metrics).toMatchObject({ rowsRead: 5, stages: [{ rowsIn: 5, rowsOut: 3 }] })
    expect(held).toBeNull()
    expectAsBefore(lane)
  })

  it('with no split at all it ends too', async () => {
    for (const verbs of Object.values(VERBS)) {
      const lane = await freshLane()
      const run = startIn(lane, { plan: plan(verbs) })
      run.send(END)
      await run.message('finished')
      expect(run.types()).toEqual(['scanned', 'finished'])
      expectAsBefore(lane)
    }
  })

  it('a row that fails is told with its place, and leaves nothing behind', async () => {
    const lane = await freshLane()
    const doubled = plan(VERBS.doubled)
    const run = startIn(lane, { plan: doubled })
    run.send(splitOf(3, [1, 2], doubled), splitOf(5, [1, 2, BIG, BIG], doubled), END)
    const { error, position } = await run.message('failed')
    await run.message('finished')
    expect(error.code).toBe('MR_INTEGER_OVERFLOW')
    expect(position).toEqual({ split: 5, row: 2 })
    expect(run.types()).toEqual(['batch', 'progress', 'failed', 'finished'])
    expectAsBefore(lane)
  })

  it('splits behind the one that failed elsewhere are not read', async () => {
    const lane = await freshLane()
    const doubled = plan(VERBS.doubled)
    const run = startIn(lane, { plan: doubled })
    run.send(
      { type: 'bound', split: 4 },
      splitOf(3, [1], doubled),
      splitOf(4, [2], doubled),
      splitOf(5, [BIG], doubled),
      END,
    )
    const { metrics } = await run.message('finished')
    expect(run.types().filter(type => type === 'progress')).toHaveLength(3)
    expect(run.rows().map(({ id }) => id)).toEqual([1, 2])
    expect(metrics.rowsRead).toBe(2)
    expectAsBefore(lane)
  })

  it('a batch that is not what it should be fails where it is', async () => {
    const lane = await freshLane()
    const all = plan(VERBS.all)
    const run = startIn(lane, { plan: all })
    run.send({ type: 'split', split: 2, work: { kind: 'batches', batches: null as never } })
    expect(await run.message('failed')).toMatchObject({ position: { split: 2, row: 0 } })
    await run.message('finished')
    expectAsBefore(lane)
  })

  it('a part whose extension was never sent is the lane’s fault', async () => {
    const lane = await freshLane()
    const all = plan(VERBS.all)
    const run = startIn(lane, { plan: all })
    const input = { kind: 'bytes', bytes: new Uint8Array(1), name: 'x.parquet' } as never
    run.send({
      type: 'split',
      split: 0,
      work: { kind: 'part', extension: 'parquet', input, inputKey: '0', index: null, part: 0, columns: ['id'] },
    })
    expect(await run.message('fatal')).toMatchObject({ error: { code: 'MR_LANE_FAILED' } })
    await run.message('finished')
    expectAsBefore(lane)
  })
})

describe('a kernel that traps', () => {
  it('is fatal to the lane, which still says that it has finished', async () => {
    for (const verbs of [VERBS.doubled, VERBS.grouped, VERBS.late]) {
      const lane = await freshLane()
      const one = plan(verbs)
      const run = startIn(lane, { plan: one })
      run.send(splitOf(0, range(0, 100), one))
      await run.message('progress')
      breakKernels(lane)
      run.send(splitOf(1, range(0, 100), one), END)
      const { error } = await run.message('fatal')
      expect(error).toMatchObject({ code: 'MR_LANE_FAILED', cause: { name: 'RuntimeError', message: 'unreachable' } })
      await run.message('finished')
      expect(run.types().slice(-2)).toEqual(['fatal', 'finished'])
    }
  })

  it('also while the job is prepared', async () => {
    const lane = await freshLane()
    const one = plan([{ verb: 'aggregate', keys: [], aggregates: VERBS.grouped[0].aggregates }])
    Object.assign(lane.k.memory, {
      allocate() {
        throw new WebAssembly.RuntimeError('unreachable')
      },
    })
    const run = startIn(lane, { plan: one })
    run.send(splitOf(0, [1], one), END)
    await run.message('finished')
    expect(run.types()).toEqual(['fatal', 'finished'])
  })
})

describe('cancelling', () => {
  it('is answered while the job waits for a split', async () => {
    for (const verbs of Object.values(VERBS)) {
      const lane = await freshLane()
      const one = plan(verbs)
      const run = startIn(lane, { plan: one })
      run.send(splitOf(0, [1, 2, 3], one))
      await run.message('progress')
      run.send(CANCEL)
      await run.message('finished')
      expect(run.types().at(-1)).toBe('finished')
      expect(run.types()).not.toContain('failed')
      expect(run.types()).not.toContain('scanned')
      expectAsBefore(lane)
    }
  })

  it('is answered before the splits that came with it are read', async () => {
    const lane = await freshLane()
    const one = plan(VERBS.grouped)
    const run = startIn(lane, { plan: one })
    for (let split = 0; split < 50; split++) run.send(splitOf(split, range(0, 1000), one))
    run.send(CANCEL)
    const { metrics } = await run.message('finished')
    expect(metrics.rowsRead).toBeLessThan(50_000)
    expectAsBefore(lane)
  })

  it('is answered while parts of other lanes are awaited', async () => {
    for (const verbs of [VERBS.grouped, VERBS.sorted, VERBS.limited]) {
      const lane = await freshLane()
      const one = plan(verbs)
      const [mine] = localPorts()
      const run = startIn(lane, { plan: one }, [mine])
      run.send(splitOf(0, range(0, 10), one), END)
      await run.message('scanned')
      await turn()
      run.send(CANCEL)
      await run.message('finished')
      expect(run.types()).not.toContain('failed')
      expectAsBefore(lane)
    }
  })
})

describe('jobs of several lanes', () => {
  /** The same plan in lanes 0, 1, ..., each with its splits. */
  async function startAll(one: PhysicalPlan, laneCount: number, maximumBytes?: number) {
    const lanes = [await freshLane(maximumBytes)]
    while (lanes.length < laneCount) lanes.push(await freshLane())
    const channels = lanes.slice(1).map(() => localPorts())
    let closes = 0
    for (const port of channels.flat()) {
      const { close } = port
      port.close = () => {
        closes++
        close()
      }
    }
    const runs = lanes.map((lane, i) =>
      startIn(lane, { plan: one, lane: i }, i === 0 ? channels.map(([first]) => first) : [channels[i - 1][1]]),
    )
    return { lanes, runs, closes: () => closes }
  }

  it('come together in the first, whatever the order of splits and lanes', async () => {
    const grouped = plan(VERBS.grouped)
    const { lanes, runs } = await startAll(grouped, 3)
    runs[1].send(splitOf(0, [0, 1, 4], grouped), splitOf(3, [9, 10], grouped), END)
    runs[0].send(splitOf(2, [5, 6, 8], grouped), END)
    runs[2].send(splitOf(1, [3, 4, 7], grouped), END)
    await Promise.all(runs.map(run => run.message('finished')))
    expect(runs[0].rows()).toEqual([
      { key: 'key 0', rows: 3, least: 'key 0', total: 15 },
      { key: 'key 1', rows: 4, least: 'key 1', total: 19 },
      { key: null, rows: 2, least: null, total: 10 },
      { key: 'key 2', rows: 2, least: 'key 2', total: 13 },
    ])
    for (const lane of lanes) expectAsBefore(lane)
  })

  it('sorted and limited rows come in the order of the source', async () => {
    for (const [verbs, wanted] of [
      [VERBS.sorted, range(0, 12).reverse()],
      [VERBS.limited, [0, 1, 2, 3]],
    ] as const) {
      const one = plan(verbs)
      const { lanes, runs } = await startAll(one, 3)
      runs[2].send(splitOf(0, [0, 1, 2], one), END)
      runs[0].send(splitOf(1, [3, 4, 5], one), splitOf(3, [9, 10, 11], one), END)
      runs[1].send(splitOf(2, [6, 7, 8], one), END)
      await Promise.all(runs.map(run => run.message('finished')))
      expect(runs[0].rows().map(({ id }) => id)).toEqual(wanted)
      for (const lane of lanes) expectAsBefore(lane)
    }
  })

  it('the channels between lanes are closed at the end, whether it was good or bad', async () => {
    for (const end of ['good', 'failed', 'cancelled']) {
      const one = plan([...VERBS.doubled, ...VERBS.grouped])
      const { runs, closes } = await startAll(one, 3)
      runs.forEach((run, i) => {
        run.send(splitOf(i, i === 0 && end === 'failed' ? [BIG] : [1], one))
      })
      await Promise.all(runs.map(run => run.message(run === runs[0] && end === 'failed' ? 'failed' : 'progress')))
      for (const run of runs) run.send(end === 'good' ? END : CANCEL)
      await Promise.all(runs.map(run => run.message('finished')))
      expect(closes()).toBe(2)
    }
  })

  it('parts that have come already are not taken any more once another could not be', async () => {
    // Time flies, so that the loop is let turn after every part.
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
      now += 10
      return now
    })
    const lane = await freshLane()
    const one = plan(VERBS.sorted)
    const [[good, itsGood], [bad, itsBad]] = [localPorts(), localPorts()]
    const run = startIn(lane, { plan: one }, [good, bad])
    run.send(END)
    const given = splitOf(0, range(0, 5), one)
    if (given.type !== 'split' || given.work.kind !== 'batches') throw new Error('no batches')
    const [batch] = given.work.batches
    for (let i = 0; i < 3; i++) itsGood.post({ type: 'part', part: { kind: 'rows', split: 0, batch } })
    itsBad.post({ type: 'part', part: { kind: 'no such kind', keys: batch, stateVectors: batch } })
    expect(await run.message('failed')).toMatchObject({ position: null })
    await run.message('finished')
    await turn(20)
    clock.mockRestore()
    lane.k.memory.trim()
    expectAsBefore(lane)
  })

  it('a part that cannot be taken fails the job once, and those after it meet nothing that has been freed', async () => {
    const one = plan(VERBS.grouped)
    const { lanes, runs } = await startAll(one, 3, 2 ** 21)
    runs[0].send(splitOf(0, [1], one), END)
    await runs[0].message('scanned')
    // From now on the first lane has no room for anything.
    const taken: number[] = []
    for (let bytes = 2 ** 20; bytes >= 2 ** 14; bytes /= 2) {
      try {
        while (true) taken.push(lanes[0].k.memory.allocate(bytes - 16))
      } catch {}
    }
    for (const [i, run] of runs.slice(1).entries()) run.send(splitOf(i + 1, range(0, 20_000), one), END)
    const { error, position } = await runs[0].message('failed')
    expect(error.code).toBe('MR_MEMORY_LIMIT')
    expect(position).toBeNull()
    await Promise.all(runs.map(run => run.message('finished')))
    await turn(20)
    expect(runs[0].types().filter(type => type === 'failed')).toHaveLength(1)
    for (const pointer of taken) lanes[0].k.memory.free(pointer)
    lanes[0].k.memory.trim()
    for (const lane of lanes) expectAsBefore(lane)
    // The lane is as good as new.
    const again = startIn(lanes[0], { plan: one })
    again.send(splitOf(0, range(0, 100), one), END)
    await again.message('finished')
    expect(again.rows()).toHaveLength(4)
  })
})

describe('a limit', () => {
  it('stops reading once it has its rows', async () => {
    const lane = await freshLane()
    const limited = plan(VERBS.limited)
    const run = startIn(lane, { plan: limited })
    for (let split = 0; split < 5; split++) run.send(splitOf(split, range(3 * split, 3 * split + 3), limited))
    run.send(END)
    const { metrics } = await run.message('finished')
    expect(run.rows().map(({ id }) => id)).toEqual([0, 1, 2, 3])
    expect(metrics.rowsRead).toBe(6)
    expectAsBefore(lane)
  })

  it('a row that fails behind its last is none; before it, it is told with its place', async () => {
    const one = plan([{ verb: 'derive', columns: [['twice', DOUBLED]] }, ...VERBS.limited])
    for (const [ids, wanted] of [
      [[1, 2, 3, 4, BIG], null],
      [[1, 2, 3, BIG, 4, 5], { split: 6, row: 3 }],
    ] as const) {
      const lane = await freshLane()
      const run = startIn(lane, { plan: one })
      run.send(splitOf(6, ids, one), END)
      await run.message('finished')
      if (wanted === null) expect(run.rows().map(({ twice }) => twice)).toEqual([2, 4, 6, 8])
      else expect(await run.message('failed')).toMatchObject({ position: wanted })
      expectAsBefore(lane)
    }
  })
})

describe('many jobs in one lane', () => {
  it('side by side do not meet', async () => {
    const lane = await freshLane()
    const one = plan(VERBS.grouped)
    const runs = range(0, 8).map(() => startIn(lane, { plan: one }))
    for (let split = 0; split < 20; split++) {
      for (const run of runs) run.send(splitOf(split, range(0, 2000), one))
    }
    runs.forEach((run, i) => {
      run.send(i % 4 === 3 ? CANCEL : END)
    })
    await Promise.all(runs.map(run => run.message('finished')))
    const first = runs[0].rows()
    expect(first.reduce((sum, { rows }) => sum + Number(rows), 0)).toBe(40_000)
    runs.forEach((run, i) => {
      expect(run.rows()).toEqual(i % 4 === 3 ? [] : first)
    })
    expectAsBefore(lane)
  })

  it('a thousand, cancelled, failed or done, leave memory as it was', async () => {
    const lane = await freshLane()
    const plans = [VERBS.doubled, VERBS.grouped, VERBS.sorted, VERBS.limited].map(plan)
    for (let i = 0; i < 1000; i++) {
      const one = plans[i % plans.length]
      const run = startIn(lane, { plan: one })
      run.send(splitOf(0, i % 3 === 0 ? [1, BIG] : [1, 2, 3], one), i % 5 === 0 ? CANCEL : END)
      await run.message('finished')
      run.port.close()
    }
    expectAsBefore(lane)
  })
})
