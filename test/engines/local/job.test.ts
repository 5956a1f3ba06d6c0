// One job from the calling thread, its lanes played by the test: who gets which split, which failure is told, and that it always ends.
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RecordBatch } from '../../../src/columnar/record-batch.js'
import type { Progress } from '../../../src/engines/local/job-request.js'
import { MillraceError } from '../../../src/errors.js'
import {
  ALL,
  batchMessage,
  errorNamed,
  failed,
  GROUPED,
  playPool,
  progress,
  SCANNED,
  splits,
  start,
  stateOf,
  turns,
} from './support.js'

afterEach(() => {
  vi.useRealTimers()
})

describe('splits', () => {
  it('are handed out two ahead, on demand, each once, and then the word that there are no more', async () => {
    const { pool, lanes } = playPool(2)
    const job = start(pool, { splits: splits(7) })
    await turns()
    expect(lanes.map(lane => lane.splits())).toEqual([
      [0, 2],
      [1, 3],
    ])
    lanes[1].say(progress())
    await turns()
    lanes[1].say(progress(2))
    await turns()
    expect(lanes.map(lane => lane.splits())).toEqual([
      [0, 2],
      [1, 3, 4, 5, 6],
    ])
    expect(lanes[0].heard.at(-1)).toMatchObject({ type: 'split' })
    lanes[0].say(progress())
    await turns()
    expect(lanes[0].heard.at(-1)).toEqual({ type: 'end' })
    for (const lane of lanes) {
      lane.say(SCANNED)
      lane.finish()
    }
    expect((await job.result).batches).toEqual([])
    await job.idle
  })

  it('that lanes go on to hold are shared equally by their bytes, however quick a lane is, and all are told the end', async () => {
    const bytes = fc.array(fc.oneof(fc.constant(0), fc.nat(500)), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat(3)),
        async (sizes, count, turn) => {
          const { pool, lanes } = playPool(count)
          const all = splits(sizes.length).map((split, i) => ({ ...split, byteLength: sizes[i] as number }))
          const job = start(pool, { splits: all, holdAs: 1 })
          await turns()
          const told = lanes.map(() => 0)
          const waiting = () => lanes.flatMap((lane, i) => (lane.splits().length > (told[i] as number) ? [i] : []))
          while (waiting().length > 0) {
            const which = waiting()
            const i = which[(turn.next().value as number) % which.length] as number
            told[i] = (told[i] as number) + 1
            lanes[i]?.say(progress())
            await turns()
          }
          const taken = lanes.map(lane => lane.splits())
          expect(taken.flat().sort((a, b) => a - b)).toEqual([...all.keys()])
          const weight = (split: number) => Math.max(1, sizes[split] as number)
          const share = all.reduce((sum, _, i) => sum + weight(i), 0) / count
          for (const own of taken) {
            const before = own.slice(0, -1).reduce((sum, split) => sum + weight(split), 0)
            if (own.length > 0) expect(before).toBeLessThan(share)
          }
          for (const { heard } of lanes) expect(heard.at(-1)).toEqual({ type: 'end' })
          for (const lane of lanes) lane.finish()
          await job.idle
          await job.result
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of an input without rows: every lane is told the end at once', async () => {
    const { pool, lanes } = playPool(3)
    start(pool, { splits: [] })
    await turns()
    expect(lanes.map(({ heard }) => heard)).toEqual(lanes.map(() => [{ type: 'end' }]))
  })

  it('are not handed out while the reader wants no more, until it asks again', async () => {
    const { pool, lanes } = playPool(1)
    let wants = false
    const job = start(pool, { splits: splits(3), wantsMore: () => wants })
    await turns()
    expect(lanes[0].heard).toEqual([])
    wants = true
    job.feedAll()
    await turns()
    expect(lanes[0].splits()).toEqual([0, 1])
  })

  it('are not handed out far ahead of the first that is not complete, where batches leave in order', async () => {
    const { pool, lanes } = playPool(2)
    const seen: RecordBatch[] = []
    start(pool, { splits: splits(100), onBatch: batch => seen.push(batch) })
    const done = [0, 0]
    /** A lane reads the next split that it has; false where it has none. */
    const read = async (i: number) => {
      const split = lanes[i].splits()[done[i]]
      if (split === undefined) return false
      done[i]++
      lanes[i].say(batchMessage(split), progress())
      await turns()
      return true
    }
    await turns()
    // The first lane is busy with split 0 for long.
    while (await read(1));
    expect(lanes.map(lane => lane.splits())).toEqual([
      [0, 2],
      [1, 3, 4, 5, 6, 7],
    ])
    expect(seen).toEqual([])
    await read(0)
    expect(seen.map(batch => batch.at(0)?.id)).toEqual([0, 10])
    // From here on both read to the end, and all leaves in order.
    while ((await read(0)) || (await read(1)));
    expect(seen.map(batch => batch.at(0)?.id)).toEqual(Array.from({ length: 100 }, (_, split) => 10 * split))
    for (const { heard } of lanes) expect(heard.at(-1)).toEqual({ type: 'end' })
  })

  it('where rows are gathered first, the reader holds nothing back', async () => {
    const { pool, lanes } = playPool(1)
    start(pool, { plan: GROUPED, splits: splits(60), onBatch: () => {} })
    for (let i = 0; i < 60; i++) {
      await turns()
      lanes[0].say(progress())
    }
    await turns()
    expect(lanes[0].splits()).toHaveLength(60)
    expect(lanes[0].heard.at(-1)).toEqual({ type: 'end' })
  })

  it('stop where the caller ends the input', async () => {
    const { pool, lanes } = playPool(1)
    const job = start(pool, { splits: splits(10) })
    await turns()
    job.endInput()
    lanes[0].say(progress(2), SCANNED)
    await turns()
    expect(lanes[0].splits()).toEqual([0, 1])
    expect(lanes[0].heard.at(-1)).toEqual({ type: 'end' })
    lanes[0].finish()
    await job.result
  })
})

describe('failures', () => {
  it('the least failing row is told, in whichever order lanes tell theirs', () => {
    const place = fc.record({ split: fc.nat({ max: 5 }), row: fc.nat({ max: 3 }) })
    const order = fc.array(place, { minLength: 1, maxLength: 4 })
    return fc.assert(
      fc.asyncProperty(order, async places => {
        const { pool, lanes } = playPool(4)
        const job = start(pool, { splits: splits(8) })
        await turns()
        for (const [i, { split, row }] of places.entries()) {
          expect(await stateOf(job.result)).toBe('pending')
          lanes[i].say(failed(split, row))
        }
        for (const lane of lanes.slice(places.length)) {
          expect(await stateOf(job.result)).toBe('pending')
          lane.say(SCANNED)
        }
        const [least] = [...places].sort((a, b) => a.split - b.split || a.row - b.row)
        await expect(job.result).rejects.toThrow(`split ${least.split} row ${least.row}`)
        for (const lane of lanes) lane.finish()
        await job.idle
      }),
      { numRuns: 40 },
    )
  })

  it('other lanes go on up to the failure, and get no more splits', async () => {
    const { pool, lanes } = playPool(2)
    start(pool, { splits: splits(8) })
    await turns()
    lanes[0].say(failed(2, 5))
    await turns()
    expect(lanes[1].heard).toContainEqual({ type: 'bound', split: 2 })
    lanes[1].say(progress(2))
    await turns()
    expect(lanes[1].splits()).toEqual([1, 3])
    expect(lanes[1].heard.at(-1)).toEqual({ type: 'end' })
  })

  it('one that belongs to no row rejects at once, and cancels every lane', async () => {
    const { pool, lanes, closed } = playPool(2)
    const job = start(pool, { splits: splits(8) })
    await turns()
    lanes[1].say(failed(null, 0, 'no memory'))
    await expect(job.result).rejects.toThrow('no memory')
    await turns()
    for (const lane of lanes) expect(lane.heard.at(-1)).toEqual({ type: 'cancel' })
    expect(await stateOf(job.idle)).toBe('pending')
    for (const lane of lanes) lane.finish()
    await job.idle
    expect(closed).toEqual([])
  })

  it('a row that fails is told by its place in the source', async () => {
    const { pool, lanes } = playPool(1)
    const job = start(pool, { splits: splits(8) })
    await turns()
    const expression = { op: 'column', name: 'id' } as const
    const error = { name: 'MillraceError', message: 'MR_INTEGER_OVERFLOW: x', code: 'MR_INTEGER_OVERFLOW' } as const
    lanes[0].say({ type: 'failed', position: { split: 3, row: 4 }, error: { ...error, details: { expression } } })
    await expect(job.result).rejects.toMatchObject({ code: 'MR_INTEGER_OVERFLOW', details: { row: 34 } })
    await expect(job.result).rejects.toThrow('(row 34 of test)')
  })

  it('a split that cannot be read fails as a row in it would: an earlier one counts before it', async () => {
    for (const [earlier, told] of [
      [false, 'cannot read'],
      [true, 'split 0 row 9'],
    ] as const) {
      const { pool, lanes } = playPool(2)
      const unreadable = new MillraceError('MR_TYPE_MISMATCH', 'cannot read', { row: 13 })
      const read = (split: number) => {
        if (split === 1) throw unreadable
      }
      const job = start(pool, { splits: splits(8, read) })
      await turns()
      expect(lanes.map(lane => lane.splits())).toEqual([[0], []])
      expect(lanes.map(({ heard }) => heard.at(-1)?.type)).toEqual(['end', 'end'])
      lanes[1].say(SCANNED)
      expect(await stateOf(job.result)).toBe('pending')
      lanes[0].say(earlier ? failed(0, 9) : SCANNED)
      await expect(job.result).rejects.toThrow(told)
      if (!earlier) await expect(job.result).rejects.toBe(unreadable)
    }
  })

  it('whatever reading a split throws is what the job rejects with', async () => {
    for (const reason of [null, undefined, 'text', new Error('plain')]) {
      const { pool, lanes } = playPool(1)
      const job = start(pool, {
        splits: splits(2, () => {
          throw reason
        }),
      })
      await turns()
      lanes[0].say(SCANNED)
      await expect(job.result).rejects.toBe(reason)
    }
  })

  it('a lane that is not to be trusted any more closes the pool, whose failure is the job’s', async () => {
    const { pool, lanes, closed, listeners } = playPool(2)
    const job = start(pool, { splits: splits(8) })
    await turns()
    lanes[0].say({ type: 'fatal', error: errorNamed('trapped') })
    await expect(job.result).rejects.toThrow('trapped')
    await job.idle
    expect(closed).toHaveLength(1)
    expect(listeners.size).toBe(0)
  })

  it('a pool that has failed already starts no lane', async () => {
    const { pool, lanes } = playPool(2)
    const reason = new Error('gone')
    await pool.close(reason)
    const job = start(pool, { splits: splits(8) })
    await expect(job.result).rejects.toBe(reason)
    await job.idle
    expect(lanes.map(({ specs }) => specs.length)).toEqual([0, 0])
  })

  it('a table of which some lanes kept their part, while others failed, is let go of', async () => {
    for (const end of ['failed', 'good']) {
      const { pool, lanes } = playPool(2)
      const job = start(pool, { splits: splits(2), holdAs: 5 })
      await turns()
      lanes[0].say(SCANNED)
      lanes[0].finish()
      lanes[1].say(end === 'failed' ? failed(null) : SCANNED)
      await turns()
      expect(lanes.map(({ released }) => released)).toEqual([[], []])
      lanes[1].finish()
      await job.idle
      const wanted = end === 'failed' ? [5] : []
      expect(lanes.map(({ released }) => released)).toEqual([wanted, wanted])
    }
  })
})

describe('cancelling', () => {
  it('rejects at once with the reason, and is idle when every lane has answered', async () => {
    const { pool, lanes } = playPool(2)
    const controller = new AbortController()
    const job = start(pool, { splits: splits(8), signal: controller.signal })
    await turns()
    const reason = { any: 'reason' }
    controller.abort(reason)
    await expect(job.result).rejects.toBe(reason)
    await turns()
    for (const lane of lanes) expect(lane.heard.at(-1)).toEqual({ type: 'cancel' })
    lanes[0].say(batchMessage(0), progress(), failed(0))
    lanes[0].finish()
    expect(await stateOf(job.idle)).toBe('pending')
    lanes[1].finish()
    await job.idle
  })

  it('a lane that does not answer within two seconds is ended with its pool', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { pool, lanes, closed } = playPool(2)
    const controller = new AbortController()
    const job = start(pool, { splits: splits(8), signal: controller.signal })
    controller.abort('enough')
    await expect(job.result).rejects.toBe('enough')
    lanes[0].finish()
    vi.advanceTimersByTime(1999)
    expect(await stateOf(job.idle)).toBe('pending')
    expect(closed).toEqual([])
    vi.advanceTimersByTime(1)
    await job.idle
    expect(closed).toMatchObject([{ code: 'MR_LANE_FAILED' }])
    await turns()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lanes that answer in time leave no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { pool, lanes, closed } = playPool(2)
    const controller = new AbortController()
    const job = start(pool, { splits: splits(8), signal: controller.signal })
    controller.abort('enough')
    expect(vi.getTimerCount()).toBe(1)
    for (const lane of lanes) lane.finish()
    await job.idle
    expect(vi.getTimerCount()).toBe(0)
    expect(closed).toEqual([])
  })

  it('an inline lane is told before its pool is gone, since it would go on', async () => {
    const { pool, lanes } = playPool(1, true)
    const job = start(pool, { splits: splits(8) })
    await turns()
    const reason = new Error('closed')
    await pool.close(reason)
    await expect(job.result).rejects.toBe(reason)
    await turns()
    expect(lanes[0].heard.at(-1)).toEqual({ type: 'cancel' })
    lanes[0].finish()
    await job.idle
  })

  it('however jobs end, they leave no listener on the signal nor on the pool', async () => {
    const { pool, lanes, listeners } = playPool(2)
    const controller = new AbortController()
    const { signal } = controller
    for (let i = 0; i < 1000; i++) {
      const own = new AbortController()
      const job = start(pool, { splits: splits(2), signal: i % 3 === 0 ? own.signal : signal })
      await Promise.resolve()
      if (i % 3 === 0) own.abort()
      else if (i % 3 === 1) lanes[0].say(failed(null))
      for (const lane of lanes) lane.finish()
      await job.idle
      if (i % 3 === 0) expect(getEventListeners(own.signal, 'abort')).toHaveLength(0)
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    expect(listeners.size).toBe(0)
  })
})

describe('progress', () => {
  it('counts rows and the bytes of finished splits, and ends with all', async () => {
    const { pool, lanes } = playPool(1)
    const told: Progress[] = []
    const job = start(pool, { splits: splits(3), onProgress: each => told.push(each) })
    await turns()
    lanes[0].say(
      { type: 'progress', splits: 0, rows: 4, illFormed: 0 },
      { type: 'progress', splits: 1, rows: 6, illFormed: 0 },
    )
    await turns()
    lanes[0].say(progress(2), SCANNED)
    lanes[0].finish()
    await job.result
    expect(told[0]).toEqual({ rows: 4, totalRows: 30, bytes: 0, totalBytes: 240 })
    expect(told.at(-1)).toEqual({ rows: 30, totalRows: 30, bytes: 240, totalBytes: 240 })
  })

  it('what the caller’s function throws is what the job rejects with, even the last time', async () => {
    const thrown = new Error('of the caller')
    for (const count of [0, 2]) {
      const { pool, lanes } = playPool(1)
      const onProgress = () => {
        throw thrown
      }
      const job = start(pool, { splits: splits(count), onProgress })
      await turns()
      if (count > 0) lanes[0].say(progress(2))
      lanes[0].say(SCANNED)
      lanes[0].finish()
      await expect(job.result).rejects.toBe(thrown)
      await job.idle
    }
  })

  it('aborting in the last call still counts', async () => {
    const { pool, lanes } = playPool(1)
    const controller = new AbortController()
    const job = start(pool, { signal: controller.signal, onProgress: () => controller.abort('late') })
    await turns()
    lanes[0].finish()
    await expect(job.result).rejects.toBe('late')
    await job.idle
  })

  it('of rows that lanes hold, bytes are told in proportion', async () => {
    const { pool, lanes } = playPool(1)
    const told: Progress[] = []
    start(pool, {
      splits: null,
      heldInputs: [{ table: 1, firstSplit: 0 }],
      totalRows: 40,
      totalBytes: 400,
      onProgress: each => told.push(each),
    })
    await turns()
    lanes[0].say({ type: 'progress', splits: 0, rows: 10, illFormed: 0 })
    await turns()
    expect(told).toEqual([{ rows: 10, totalRows: 40, bytes: 100, totalBytes: 400 }])
  })
})

describe('results', () => {
  it('come in the order of their splits, and within one as they came, whatever the lanes', async () => {
    const { pool, lanes } = playPool(2)
    const job = start(pool, { splits: splits(4) })
    await turns()
    lanes[1].say(batchMessage(3), batchMessage(1), progress(2))
    lanes[0].say(batchMessage(2), batchMessage(0), batchMessage(0), progress(2))
    for (const lane of lanes) {
      lane.say(SCANNED)
      lane.finish()
    }
    const { batches, metrics, held } = await job.result
    expect(batches.map(batch => batch.at(0)?.id)).toEqual([0, 0, 10, 20, 30])
    expect(batches[0].schema).toEqual(ALL.output)
    expect(metrics).toHaveLength(2)
    expect(held).toEqual([null, null])
  })
})
