/** Rows that other lanes hand over come with strings which nobody but their taker has: they must outlast those that make way for them. */
import { describe, expect, it } from 'vitest'
import { float64, int32, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import { MemoryAccount } from '../../src/kernels/memory-account.js'
import { copyToHeap, freeHeapBatch } from '../../src/operators/heap-batch.js'
import { createSortedRuns } from '../../src/operators/sorted-runs.js'
import type { Spill } from '../../src/operators/spill.js'
import { openSpill } from '../../src/workers/spill.js'
import { batchOf, makeContext, tableOf } from './support.js'

const MiB = 2 ** 20
const shape = { text: utf8(), id: int32() } satisfies SchemaShape
const ROWS = 120_000
const PART = 4096
/** Ever new ones, which are not in order as they come. */
const textOf = (i: number) => `${(i * 7919) % 10_007} of ${i} ${'x'.repeat(i % 40)}`

describe('rows of other lanes', () => {
  it.each([500, 20_000, null])('of which the first %s are wanted keep their strings', async top => {
    const context = await makeContext()
    const { memory } = context.k
    const account = new MemoryAccount(4 * MiB, 4 * MiB, 'the job')
    const job = openSpill(context, account, null)
    const ids: number[] = []
    const texts: string[] = []
    try {
      await job.ready()
      memory.account = account
      const types = Object.values(shape)
      const runs = createSortedRuns(
        job.context,
        job.context.spill as Spill,
        types,
        [{ column: 0, descending: true, nulls: 'last' }],
        top,
      )
      for (let from = 0; from < ROWS; from += PART) {
        const all = Array.from({ length: Math.min(PART, ROWS - from) }, (_, i) => from + i)
        runs.absorb({ kind: 'rows', split: from / PART, batch: batchOf({ text: all.map(textOf), id: all }, shape) })
      }
      for (const batch of runs.sorted()) {
        if (batch === null) continue
        for (const { id, text } of tableOf(job.context as never, batch, shape).toRows()) {
          ids.push(id as number)
          texts.push(text as string)
        }
      }
      expect(runs.spilled.times).toBeGreaterThan(2)
      runs.free()
    } finally {
      memory.account = null
      await job.close()
    }
    const sorted = Array.from({ length: ROWS }, (_, i) => ({ i, text: Buffer.from(textOf(i)) }))
      .sort((a, b) => Buffer.compare(b.text, a.text) || a.i - b.i)
      .slice(0, top ?? ROWS)
    expect(ids).toEqual(sorted.map(({ i }) => i))
    expect(texts).toEqual(sorted.map(({ i }) => textOf(i)))
    expect(context.usedBytes()).toBe(0)
  })
})

describe('rows of which none need be written', () => {
  it('come in morsels for which there is room, and for a copy', async () => {
    const context = await makeContext()
    const { memory } = context.k
    const account = new MemoryAccount(64 * MiB, 64 * MiB, 'the job')
    const job = openSpill(context, account, null)
    const wide: SchemaShape = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`column ${i}`, float64()]))
    const count = 5 * 16_256
    let next = 0
    try {
      await job.ready()
      memory.account = account
      const keys = [{ column: 0, descending: true, nulls: 'last' } as const]
      const runs = createSortedRuns(job.context, job.context.spill as Spill, Object.values(wide), keys)
      for (let from = 0; from < count; from += 16_256) {
        const values = Array.from({ length: Math.min(16_256, count - from) }, (_, i) => from + i)
        const batch = batchOf(Object.fromEntries(Object.keys(wide).map(name => [name, values])), wide)
        runs.absorb({ kind: 'rows', split: 0, batch })
      }
      for (const batch of runs.sorted()) {
        if (batch === null) continue
        const values = memory.f64.subarray(
          batch.columns[39].data >>> 3,
          (batch.columns[39].data >>> 3) + batch.rowCount,
        )
        for (const value of values) expect(value).toBe(count - ++next)
        freeHeapBatch(context.k, copyToHeap(context.k, batch))
      }
      expect(runs.spilled.times).toBe(0)
      runs.free()
    } finally {
      memory.account = null
      await job.close()
    }
    expect(next).toBe(count)
  })
})
