// Rows that wait until the watermark is past them: what a list gives, and how many are asked.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { makeVector } from '../../src/columnar/vector.js'
import { createWaiting } from '../../src/graph/waiting.js'
import { int32, schema, timestamp } from '../../src/index.js'
import { createArrivals } from '../../src/operators/live-over-arrivals.js'

const shape = schema({ id: int32(), time: timestamp() })

const batchOf = (first: number, times: readonly bigint[]): RecordBatch =>
  new RecordBatch(
    shape,
    [
      makeVector(
        int32(),
        times.length,
        Int32Array.from(times, (_, i) => first + i),
      ),
      makeVector(timestamp(), times.length, BigInt64Array.from(times)),
    ],
    times.length,
  )

const idsOf = (batches: readonly RecordBatch[]): number[] =>
  batches.flatMap(batch => [...(batch.column('id' as never).toArray() as Int32Array)])

/** Rows that come, up to where what waits is then past. */
const steps = fc.array(
  fc.record({
    times: fc.array(fc.bigInt({ min: 0n, max: 40n }), { minLength: 1, maxLength: 9 }),
    to: fc.bigInt({ min: 0n, max: 45n }),
  }),
  { maxLength: 30 },
)

describe('rows that wait', () => {
  it('are taken once each, when their time is past, in whatever batches they come', () => {
    fc.assert(
      fc.property(steps, given => {
        const waiting = createWaiting(1)
        const arrivals = createArrivals()
        let expected: { id: number; time: bigint }[] = []
        let id = 0
        for (const { times, to } of given) {
          waiting.add(batchOf(id, times))
          arrivals.add(id, new Uint32Array(times.length), BigInt64Array.from(times))
          expected.push(...times.map(time => ({ id: id++, time })))
          const past = expected.filter(({ time }) => time < to)
          expected = expected.filter(({ time }) => time >= to)
          expect(idsOf(waiting.take(time => time < to)).sort((a, b) => a - b)).toEqual(past.map(row => row.id))
          expect(waiting.size).toBe(expected.length)
          // In the order of their times, and of equal times as they came.
          past.sort((a, b) => Number(a.time - b.time) || a.id - b.id)
          expect(arrivals.take(to).numbers).toEqual(past.map(row => row.id))
        }
        expect(arrivals.take(null).numbers).toHaveLength(expected.length)
      }),
    )
  })

  it('are asked a logarithm of times while none is past, however many have come one by one', () => {
    const count = 4096
    const waiting = createWaiting(1)
    const arrivals = createArrivals()
    let [asked, compared] = [0, 0]
    const never = () => {
      asked++
      return false
    }
    /** Before all times; told of each comparison. */
    const limit = {
      valueOf() {
        compared++
        return 0n
      },
    } as unknown as bigint
    for (let i = 0; i < count; i++) {
      const times = [BigInt((7 * i) % count)]
      waiting.add(batchOf(i, times))
      arrivals.add(i, Uint32Array.of(i), BigInt64Array.from(times))
      waiting.take(never)
      arrivals.take(limit)
    }
    expect(asked).toBeLessThan(count * 13)
    expect(compared).toBeLessThan(count * 13)
    expect(idsOf(waiting.take(() => true))).toHaveLength(count)
    expect(arrivals.take(null).groups).toHaveLength(count)
  })
})
