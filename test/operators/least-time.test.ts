// The least of times that come and go, against all of them, and how many it asks.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLeastTime } from '../../src/operators/least-time.js'

interface Waiting {
  time: bigint | null
}

describe('the least time', () => {
  it('is that of those that still are', () => {
    const steps = fc.array(fc.record({ who: fc.nat(5), time: fc.option(fc.bigInt({ min: -20n, max: 20n })) }))
    fc.assert(
      fc.property(steps, given => {
        const all: Waiting[] = Array.from({ length: 6 }, () => ({ time: null }))
        const least = createLeastTime<Waiting>((each, time) => each.time === time)
        for (const { who, time } of given) {
          const each = all[who] as Waiting
          each.time = time
          if (time !== null) least.add(each, time)
          const times = all.flatMap(one => one.time ?? [])
          expect(least.least()).toBe(times.length === 0 ? null : times.reduce((a, b) => (a < b ? a : b)))
        }
        least.clear()
        expect(least.least()).toBe(null)
      }),
    )
  })

  it('has those taken that are not after a time, in their order, and no more of them', () => {
    const steps = fc.array(fc.record({ times: fc.array(fc.nat(30), { maxLength: 5 }), upTo: fc.option(fc.nat(30)) }))
    fc.assert(
      fc.property(steps, given => {
        const least = createLeastTime<number>()
        let expected: number[] = []
        for (const { times, upTo } of given) {
          for (const time of times) least.add(time, BigInt(time))
          expected = [...expected, ...times].sort((a, b) => a - b)
          const due = expected.filter(time => upTo === null || time <= upTo)
          expect(least.take(upTo === null ? null : BigInt(upTo))).toEqual(due)
          expected = expected.slice(due.length)
        }
      }),
    )
  })

  it('asks each once it is over, and otherwise one a time', () => {
    const count = 1000
    let asked = 0
    const all = Array.from({ length: count }, (): Waiting => ({ time: null }))
    const least = createLeastTime<Waiting>((each, time) => {
      asked++
      return each.time === time
    })
    const wait = (each: Waiting, time: bigint) => {
      each.time = time
      least.add(each, time)
    }
    for (const [i, each] of all.entries()) wait(each, BigInt(i))
    // In turns: the least is another one each time.
    for (let step = 0; step < 5 * count; step++) {
      expect(least.least()).toBe(BigInt(step))
      wait(all[step % count] as Waiting, BigInt(step + count))
    }
    expect(asked).toBeLessThan(2 * 5 * count)
  })
})
