/** The sessions that a row joins are those within the gap that are not over, and few others are looked at. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addSession, sessionsNear } from '../../src/operators/open-sessions.js'

interface Session {
  readonly start: bigint
  readonly last: bigint
}

it('finds those within the gap that are not over', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.bigInt(1n, 9n), fc.bigInt(0n, 9n)), { maxLength: 12 }),
      fc.bigInt(-10n, 130n),
      fc.bigInt(1n, 20n),
      fc.bigInt(-30n, 130n),
      (apart, time, gap, over) => {
        const own: Session[] = []
        let last = 0n
        const all = apart.map(([after, length]) => {
          const start = last + after
          last = start + length
          return { start, last }
        })
        for (const session of [...all].reverse()) addSession(own, session)
        const expected = all.filter(each => each.last > time - gap && each.start < time + gap && each.last > over)
        expect(sessionsNear(own, time - gap, time + gap, over, [])).toEqual(expected)
      },
    ),
  )
})

it('looks at few of many', () => {
  let asked = 0
  const own = Array.from({ length: 10_000 }, (_, i) => ({
    start: BigInt(20 * i),
    get last() {
      asked++
      return BigInt(20 * i)
    },
  }))
  expect(sessionsNear(own, 99_995n, 100_025n, 0n, []).map(({ start }) => start)).toEqual([100_000n, 100_020n])
  expect(asked).toBeLessThan(40)
})
