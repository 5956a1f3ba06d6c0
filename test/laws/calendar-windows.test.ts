/**
 * The law of windows by a calendar: whatever a zone does to its clocks, and wherever windows begin, every row is in its own, each ends where the next begins,
 * and of rows in order none is late.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { count, max, min, rows, schema, stream, timestamp, tumbling } from '../../src/index.js'
import { folded, inBatches, text } from './running.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env
const HOUR = 3_600_000

/** Zones, and when clocks there were put forward or back: at night, at midnight, by half an hour, by a day. */
const CHANGES = [
  ['Europe/Berlin', '2024-03-31T01:00Z'],
  ['Europe/Berlin', '2024-10-27T01:00Z'],
  ['America/New_York', '2024-03-10T07:00Z'],
  ['America/Sao_Paulo', '2018-11-04T03:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00Z'],
  ['Africa/Cairo', '2024-04-25T22:00Z'],
  ['Asia/Tehran', '2021-03-21T20:30Z'],
  ['Australia/Lord_Howe', '2024-04-06T15:00Z'],
  ['Australia/Lord_Howe', '2024-10-05T15:30Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  // From 23:00 to midnight, and by two hours.
  ['America/Nuuk', '2027-03-28T01:00Z'],
  ['Antarctica/Troll', '2025-03-30T01:00Z'],
  // At a minute past midnight, back to the day before.
  ['America/St_Johns', '2006-10-29T02:31Z'],
  ['Asia/Kolkata', '2024-02-29T00:00Z'],
  [undefined, '2024-02-29T00:00Z'],
] as const

const given = fc.record({
  change: fc.constantFrom(...CHANGES),
  /** Hours before it that rows begin, minutes between two, and how many there are. */
  before: fc.integer({ min: 0, max: 24 * 9 }),
  step: fc.constantFrom(10, 15, 60),
  rowCount: fc.integer({ min: 100, max: 1200 }),
  window: fc.oneof(
    fc.record({
      size: fc.constantFrom('1 day', '2 days', '1 week', '1h', '2h', '3h', '6h', '7h', '12h', '36h', '30m'),
      offset: fc.constantFrom(undefined, '6h', '90m', '-1h', '1 day', '-1 day', '3 days', '-8 days 29h'),
    }),
    fc.record({
      size: fc.constantFrom('1 month', '2 months', '1 quarter'),
      offset: fc.constantFrom(undefined, '6h', '14 days', '30 days', '-1 day', '1 month', '-5 months 22 days 7h'),
    }),
  ),
})

describe('windows by a calendar', () => {
  it('follow one another, and have their rows', { timeout: 120_000 * Number(runs ?? 1) }, async () => {
    let changes = 0
    await fc.assert(
      fc.asyncProperty(given, async ({ change: [zone, at], before, step, rowCount, window: { size, offset } }) => {
        const first = Date.parse(at) - before * HOUR
        const all = Array.from({ length: rowCount }, (_, i) => ({ time: new Date(first + i * step * 60_000) }))
        const source = rows(all, schema({ time: timestamp() }))
        const options = { ...(offset === undefined ? {} : { offset }), ...(zone === undefined ? {} : { zone }) }
        const flow = (from: typeof source) =>
          from
            .watermark('time')
            .window(tumbling(size, options))
            .aggregate(t => ({ least: min(t.time), most: max(t.time), n: count() }))
        const table = await flow(source).collect({ lanes: 0 })
        const windows = table.toRows()
        for (const [i, { windowStart, windowEnd, least, most }] of windows.entries()) {
          expect(Number(windowStart)).toBeLessThanOrEqual(Number(least))
          expect(Number(most)).toBeLessThan(Number(windowEnd))
          const next = windows[i + 1]
          if (next === undefined) continue
          const between = Number(next.windowStart) - Number(windowEnd)
          // Of half an hour there are some without a row, and of hours what is left of one where clocks are changed.
          if (size === '30m') expect(between).toBeGreaterThanOrEqual(0)
          else if (between !== 0) {
            expect(size).toMatch(/h$/)
            expect(between).toBeGreaterThan(0)
            expect(between).toBeLessThan(step * 60_000)
            expect(Number(windowEnd)).toBeLessThanOrEqual(Date.parse(at))
            expect(Number(next.windowStart)).toBeGreaterThanOrEqual(Date.parse(at))
          }
        }
        const lengths = new Set(windows.map(({ windowStart, windowEnd }) => Number(windowEnd) - Number(windowStart)))
        if (lengths.size > 1) changes++
        const job = flow(stream(inBatches(source, [37]), { schema: source.schema as never }) as never).run({
          lanes: 0,
        })
        expect(await folded(job)).toEqual(table.toRows({ bigint: true }).map(text).sort())
        expect(job.metrics().lateRows).toBe(0)
      }),
      { numRuns: 60 * Number(runs ?? 1), ...(seed === undefined ? {} : { seed: Number(seed) }) },
    )
    expect(changes).toBeGreaterThan(5)
  })

  it.each(['1 day', '6h', '30m'])(
    'of %s take what clocks show once more, where they are put back past midnight',
    async size => {
      // Midnight of St John's was at 02:30, and at 02:31 it was 23:01 again.
      const times = ['02:00', '02:30', '02:31', '02:55', '03:29', '03:30'].map(at => new Date(`2006-10-29T${at}Z`))
      const flow = rows(
        times.map(time => ({ time })),
        schema({ time: timestamp() }),
      )
        .watermark('time')
        .window(tumbling(size, { zone: 'America/St_Johns' }))
        .aggregate(t => ({ least: min(t.time), most: max(t.time) }))
      const job = flow.run({ lanes: 0 })
      const windows = (await flow.collect({ lanes: 0 })).toRows({ bigint: true })
      expect(await folded(job)).toEqual(windows.map(text).sort())
      expect(job.metrics().lateRows).toBe(0)
      for (const { windowStart, windowEnd, least, most } of windows) {
        expect([windowStart <= (least as bigint), (most as bigint) < windowEnd]).toEqual([true, true])
        if (size === '1 day')
          expect(windowEnd - windowStart).toBe(BigInt((windowEnd > 1162092600000n ? 25 : 24) * HOUR))
      }
    },
  )

  it.each([
    ['8 months', '6 months'],
    ['245 days', '97 days'],
  ])('of %s that clocks are put forward and back in have no rows of the next', async (size, offset) => {
    // From March, when midnight was at 03:30, until November, which began at 02:30, a minute before clocks were put back.
    const times = ['03-01T03:30', '11-01T02:00', '11-01T02:30', '11-01T02:31', '11-01T03:29', '11-01T03:30']
    const windows = rows(
      times.map(at => ({ time: new Date(`2009-${at}Z`) })),
      schema({ time: timestamp() }),
    )
      .watermark('time')
      .window(tumbling(size, { zone: 'America/St_Johns', offset }))
      .aggregate(() => ({ n: count() }))
    const [before, after] = (await windows.collect({ lanes: 0 })).toRows()
    expect([before?.n, after?.n]).toEqual([2, 4])
    expect(before?.windowEnd).toEqual(new Date('2009-11-01T02:30Z'))
    expect(after?.windowStart).toEqual(before?.windowEnd)
  })

  it('that are no part of what clocks are put back by are longer then', async () => {
    // At 15:00 it was 01:30 again, so that 01:40 came twenty minutes late.
    const times = ['14:20', '14:40', '15:00', '15:09', '15:10']
    const windows = rows(
      times.map(at => ({ time: new Date(`2009-04-04T${at}Z`) })),
      schema({ time: timestamp() }),
    )
      .watermark('time')
      .window(tumbling('20m', { zone: 'Australia/Lord_Howe' }))
      .aggregate(() => ({ n: count() }))
    const starts = (await windows.collect({ lanes: 0 })).toRows().map(row => [row.windowStart.toISOString(), row.n])
    expect(starts).toEqual([
      ['2009-04-04T14:20:00.000Z', 1],
      ['2009-04-04T14:40:00.000Z', 3],
      ['2009-04-04T15:10:00.000Z', 1],
    ])
  })

  it.each([
    // At 23:00 it was midnight: a day before what clocks show an hour before the next one, they showed nothing.
    ['1 day', '1 day', 'America/Nuuk', '2027-03-29T00:30Z', '2027-03-28T01:00Z', '2027-03-29T01:00Z'],
    // A day that was left out is one of the calendar.
    ['2 days', '2 days', 'Pacific/Apia', '2011-12-30T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'],
    // A minute past midnight it was a minute past three.
    ['1h', undefined, 'Antarctica/Casey', '2020-10-03T16:00Z', '2020-10-03T16:00Z', '2020-10-03T16:01Z'],
    ['1h', undefined, 'Antarctica/Casey', '2020-10-03T16:01Z', '2020-10-03T16:01Z', '2020-10-03T17:00Z'],
    ['2h', '1h', 'Antarctica/Troll', '2025-03-30T01:30Z', '2025-03-30T01:00Z', '2025-03-30T02:00Z'],
    // Midnight once more, of a month that is thirty days long.
    ['1 month', '30 days', 'America/Moncton', '1999-10-31T03:30Z', '1999-10-31T03:00Z', '1999-12-01T04:00Z'],
    ['2 months', '-14 months 6h', undefined, '2011-07-01T06:17Z', '2011-06-30T18:00Z', '2011-08-31T18:00Z'],
    ['1 month', '1 month 30 days', undefined, '2011-03-31T12:00Z', '2011-03-31T00:00Z', '2011-05-01T00:00Z'],
  ])('of %s from %s on in %s have %s', async (size, offset, zone, time, start, end) => {
    const options = { ...(offset === undefined ? {} : { offset }), ...(zone === undefined ? {} : { zone }) }
    const windows = rows([{ time: new Date(time) }], schema({ time: timestamp() }))
      .watermark('time')
      .window(tumbling(size, options))
      .aggregate(() => ({ n: count() }))
    expect((await windows.collect({ lanes: 0 })).toRows()).toEqual([
      { windowStart: new Date(start), windowEnd: new Date(end), n: 1 },
    ])
  })
})
