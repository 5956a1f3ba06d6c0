// Offsets found by halving, against Intl asked for each instant: every zone that the engine knows, years far away too.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { offsetsOf } from '../../src/expressions/zone-offsets.js'
import { offsetAt } from '../oracle/zones.js'

const ZONES = Intl.supportedValuesOf('timeZone')
const YEAR = 31_556_952

describe('offsets of a zone', () => {
  it('are what Intl says, wherever one looks', () => {
    const first = fc.integer({ min: -180 * YEAR, max: 200 * YEAR })
    const looked = fc
      .tuple(first, fc.integer({ min: 0, max: 3 * YEAR }))
      .chain(([from, length]) =>
        fc.tuple(
          fc.constant(from),
          fc.constant(from + length),
          fc.array(fc.integer({ min: from, max: from + length }), { minLength: 40, maxLength: 40 }),
        ),
      )
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), looked, (zone, [from, to, seconds]) => {
        const { starts, offsets } = offsetsOf(zone, from, to)
        for (const second of seconds) {
          const at = Math.max(
            0,
            starts.findLastIndex(start => start <= second),
          )
          expect(offsets[at], `${zone} ${second}`).toBe(Number(offsetAt(zone, BigInt(second), 1n)))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are found whichever years are looked for first', () => {
    const zone = 'America/Asuncion'
    for (const year of [40, 20, 60, -90, 41]) offsetsOf(zone, year * YEAR, (year + 1) * YEAR)
    const { starts, offsets } = offsetsOf(zone, -90 * YEAR, 61 * YEAR)
    expect([...starts].sort((a, b) => a - b)).toEqual(starts)
    for (let i = 1; i < starts.length; i++) {
      expect(offsets[i]).not.toBe(offsets[i - 1])
      const [before, after] = [starts[i] - 1, starts[i]].map(second => Number(offsetAt(zone, BigInt(second), 1n)))
      expect([before, after]).toEqual([offsets[i - 1], offsets[i]])
    }
  })

  it('never change twice within four days, which is how often they are asked for', () => {
    // The densest that there are.
    for (const zone of [
      'America/Noronha',
      'Asia/Gaza',
      'Africa/Tunis',
      'Europe/Simferopol',
      'America/Argentina/Tucuman',
    ]) {
      const { starts } = offsetsOf(zone, -180 * YEAR, 120 * YEAR)
      const gaps = starts.slice(1).map((start, i) => start - starts[i])
      expect(Math.min(...gaps.slice(1))).toBeGreaterThan(5 * 86_400)
    }
  })
})
