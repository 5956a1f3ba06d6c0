/**
 * The law of joins that run on: however the rows of both flows come among one another, where each is no more out of order than its watermark says, what comes out folds to
 * what the join gives collected, and to the model; and in the end nothing is kept.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  count,
  cumulative,
  type Flow,
  int64,
  nullable,
  rank,
  rows as rowsOf,
  schema,
  session,
  sliding,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { type How, inWindows, latestBefore, type Met, type TimedRow, withinInterval } from '../oracle/meetings.js'
import { folded, pace, paced, text, timesOf } from './running.js'

const shape = schema({ time: nullable(timestamp()), key: nullable(utf8()), place: int64() })
/** Where no time is null, windows have no nulls either. */
const timedShape = schema({ time: timestamp(), key: nullable(utf8()), place: int64() })

const side = fc.constantFrom(0, 3, 12).chain(delay =>
  fc.record({
    delay: fc.constant(delay),
    times: timesOf(delay, 30),
    keys: fc.array(fc.constantFrom('a', 'b', 'ä', null), { minLength: 1, maxLength: 7 }),
    pace,
    isBounded: fc.integer({ min: 0, max: 5 }).map(n => n === 0),
    isFiltered: fc.boolean(),
  }),
)

const join = fc.oneof(
  fc.record({
    kind: fc.constant('window' as const),
    verb: fc.constantFrom('join', 'leftJoin', 'rightJoin', 'fullJoin', 'semiJoin', 'antiJoin'),
    size: fc.constantFrom(1n, 7n, 25n),
    shape: fc.constantFrom('tumbling', 'tumbling', 'sliding', 'cumulative'),
    /** Windows have so many parts. */
    parts: fc.constantFrom(1n, 2n, 5n),
    /** Of inner joins: as much less is what the watermark is behind. */
    lateness: fc.option(fc.constantFrom(1, 3, 12)),
  }),
  fc.record({
    kind: fc.constant('interval' as const),
    how: fc.constantFrom('inner', 'left') as fc.Arbitrary<'inner' | 'left'>,
    lower: fc.integer({ min: -15, max: 10 }),
    length: fc.integer({ min: 0, max: 20 }),
  }),
  fc.record({
    kind: fc.constant('asof' as const),
    isKeyed: fc.boolean(),
    tolerance: fc.option(fc.integer({ min: 0, max: 25 })),
    /** One name for both times, which then come once. */
    isShared: fc.boolean(),
  }),
)

/** What comes of a join goes into such windows, or none. */
const again = fc.constantFrom(
  null,
  tumbling('30ms'),
  sliding('20ms', '5ms'),
  cumulative('40ms', '10ms'),
  session('4ms'),
)

const cases = fc.record({
  left: side,
  right: side,
  join,
  hasNulls: fc.boolean(),
  hasCondition: fc.boolean(),
  /** Grouped by their windows, or by windows of the left rows' times. */
  isGrouped: fc.boolean(),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

type WindowJoin = Extract<Case['join'], { kind: 'window' }>

function windowOf({ shape: kind, size: part, parts }: WindowJoin) {
  const [size, whole] = [part * parts, `${part * parts}ms`]
  if (kind === 'sliding')
    return { said: sliding(whole, `${part}ms`), model: { kind, size, every: part, offset: 0n } as const }
  if (kind === 'cumulative')
    return { said: cumulative(whole, `${part}ms`), model: { kind, size, step: part, offset: 0n } as const }
  return { said: tumbling(whole), model: { kind: 'tumbling', size, offset: 0n } as const }
}

const latenessOf = ({ join }: Case): number =>
  join.kind === 'window' && join.verb === 'join' && join.lateness !== null ? join.lateness : 0

const howOf = (verb: string): How => (verb === 'join' ? 'inner' : (verb.replace('Join', '') as How))

function flowOf(given: Case, left: Flow<any>, right: Flow<any>): Flow<any> {
  const lateness = latenessOf(given)
  const marked = (flow: Flow<any>, { delay, isFiltered }: Case['left']) => {
    const own = flow.watermark('time', { delay: `${Math.max(0, delay - lateness)}ms` })
    return isFiltered ? own.filter((r: any) => r.place.mod(3).ne(1)) : own
  }
  const [a, b] = [
    marked(left, given.left),
    marked(
      right.rename({ place: 'other' }).derive((r: any) => ({ place: r.other })),
      given.right,
    ).select('other', 'key', 'time'),
  ]
  const { join } = given
  if (join.kind === 'asof') {
    const { isKeyed, tolerance, isShared } = join
    const marked = (flow: Flow<any>, { delay }: Case['left']) => flow.watermark('time', { delay: `${delay}ms` })
    const joined = marked(left, given.left).asofJoin(
      isShared
        ? marked(right.rename({ place: 'other' }), given.right)
        : marked(right.rename({ place: 'other' }), given.right).rename({ time: 'before' }),
      {
        on: isShared ? 'time' : { left: 'time', right: 'before' },
        ...(isKeyed ? { by: 'key' } : {}),
        ...(tolerance === null ? {} : { tolerance: `${tolerance}ms` }),
      } as any,
    ) as Flow<any>
    return given.isGrouped
      ? joined
          .window(tumbling('9ms'))
          .groupBy('key')
          .aggregate((r: any) => ({ n: count(), s: sum(r.other) }))
      : joined
  }
  const options = given.hasCondition ? { where: (l: any, r: any) => l.place.add(r.other).mod(4).ne(0) } : {}
  if (join.kind === 'interval') {
    const { how, lower, length } = join
    const joined = a.intervalJoin(b, {
      on: 'key',
      between: [`${lower}ms`, `${lower + length}ms`],
      how,
      ...options,
    } as any)
    return given.isGrouped
      ? joined
          .window(tumbling('9ms'))
          .groupBy('key')
          .aggregate((r: any) => ({ n: count(), s: sum(r.place) }))
      : joined
  }
  const joined = (a.window(windowOf(join).said, lateness === 0 ? {} : { allowedLateness: `${lateness}ms` }) as any)[
    join.verb
  ](b, 'key', options)
  return given.isGrouped
    ? joined.groupBy('windowEnd', 'key').aggregate((r: any) => ({ n: count(), s: sum(r.place) }))
    : joined
}

function modelOf(
  { join, hasCondition, isGrouped }: Case,
  left: readonly TimedRow[],
  right: readonly TimedRow[],
): object[] {
  if (join.kind === 'asof') {
    const rows = latestBefore(left, right, join.isKeyed, join.tolerance === null ? null : BigInt(join.tolerance))
    const named = rows.map(({ left: l, right: r }) => ({
      time: l.time,
      key: l.key,
      place: l.place,
      ...(join.isShared ? {} : { before: r?.time ?? null }),
      ...(join.isKeyed ? {} : { key_right: r?.key ?? null }),
      other: r?.place ?? null,
    }))
    return isGrouped
      ? groupedBy(
          named.filter(({ time }) => time !== null),
          row => nineOf(row.time as bigint, row.key),
          row => row.other,
        )
      : named
  }
  const where = (l: TimedRow, r: TimedRow) => !hasCondition || (l.place + r.place) % 4n !== 0n
  const met: Met<TimedRow>[] =
    join.kind === 'window'
      ? inWindows(left, right, howOf(join.verb), windowOf(join).model, where)
      : withinInterval(left, right, join.how, BigInt(join.lower), BigInt(join.lower + join.length), where)
  const isTest = join.kind === 'window' && (join.verb === 'semiJoin' || join.verb === 'antiJoin')
  const rows = met.map(({ left: l, right: r, start, end }) => ({
    ...(join.kind === 'window' ? { windowStart: start, windowEnd: end } : {}),
    time: l?.time ?? null,
    key: l?.key ?? r?.key ?? null,
    place: l?.place ?? null,
    ...(isTest ? {} : { other: r?.place ?? null, time_right: r?.time ?? null }),
  }))
  if (!isGrouped) return rows
  return groupedBy(
    join.kind === 'window' ? rows : rows.filter(({ time }) => time !== null),
    row =>
      join.kind === 'window'
        ? { windowEnd: (row as { windowEnd?: bigint }).windowEnd, key: row.key }
        : nineOf(row.time as bigint, row.key),
    row => row.place,
  )
}

function nineOf(time: bigint, key: string | null): object {
  const windowStart = time - (((time % 9n) + 9n) % 9n)
  return { windowStart, windowEnd: windowStart + 9n, key }
}

function groupedBy<R>(rows: readonly R[], headOf: (row: R) => object, amountOf: (row: R) => bigint | null): object[] {
  const groups = new Map<string, { n: bigint; s: bigint | null; head: object }>()
  for (const row of rows) {
    const head = headOf(row)
    const { n, s } = groups.get(text(head)) ?? { n: 0n, s: null }
    const value = amountOf(row)
    groups.set(text(head), { head, n: n + 1n, s: value === null ? s : (s ?? 0n) + value })
  }
  return [...groups.values()].map(({ head, n, s }) => ({ ...head, n, s }))
}

export interface JoinLaws {
  readonly lanesList: readonly number[]
  readonly runs: number
  readonly seed?: number
}

export function liveJoinLaws({ lanesList, runs, seed }: JoinLaws): void {
  describe('joins by event time', () => {
    it.each(lanesList)('on %i lanes fold to what they are collected', { timeout: 60_000 + 300 * runs }, async lanes => {
      let sawRows = 0
      await fc.assert(
        fc.asyncProperty(cases, async given => {
          const sides = [given.left, given.right]
          const rows = sides.map(({ times, keys }, s) =>
            times.map(
              (time, i): TimedRow => ({
                time: time ?? (given.hasNulls ? null : 0n),
                key: keys[i % keys.length] as string | null,
                place: BigInt(2 * i + s),
              }),
            ),
          )
          // A time in the place of null would be out of order.
          const [left, right] = (
            given.hasNulls ? rows : rows.map((all, s) => all.filter((_, i) => sides[s]?.times[i] !== null))
          ) as [TimedRow[], TimedRow[]]
          const isAsof = given.join.kind === 'asof'
          const passes = isAsof || (given.join.kind === 'interval' && given.join.how === 'left')
          const kept = (all: readonly TimedRow[], isFiltered: boolean) =>
            all.filter(({ place }) => !isFiltered || isAsof || place % 3n !== 1n)
          const mine = [kept(left, given.left.isFiltered), kept(right, given.right.isFiltered)] as const
          const expected = modelOf(given, ...mine)
            .map(text)
            .sort()
          const own = given.hasNulls ? shape : timedShape
          const bounded = [left, right].map(all => rowsOf(all as never, own as never) as unknown as Flow<any>) as [
            Flow<any>,
            Flow<any>,
          ]
          const running = [left, right].map((all, i) =>
            sides[i]?.isBounded ? (bounded[i] as Flow<any>) : paced(all, own, (sides[i] as Case['left']).pace),
          ) as [Flow<any>, Flow<any>]
          const job = flowOf(given, ...running).run({ lanes })
          expect(await folded(job)).toEqual(expected)
          const collected = await flowOf(given, ...bounded).collect({ lanes })
          expect(collected.toRows({ bigint: true }).map(text).sort()).toEqual(expected)
          // A left row without a time has no row before it, and is late where windows follow.
          const late = mine
            .flatMap((all, i) => (passes && i === 0 && !given.isGrouped ? [] : all))
            .filter(({ time }) => time === null).length
          // Groups of windows that are told more than once never close.
          const isOpen = given.isGrouped && latenessOf(given) > 0
          expect(job.metrics()).toMatchObject({ lateRows: late, ...(isOpen ? {} : { groups: 0 }) })
          if (given.join.kind !== 'asof' && !given.isGrouped) {
            for (const [i, which] of (['left', 'right'] as const).entries()) {
              const refused = (mine[i] as TimedRow[])
                .filter(({ time }) => time === null && !(passes && i === 0))
                .map(({ place }) => place)
              const placed = (flows: [Flow<any>, Flow<any>]) =>
                flowOf(given, ...flows)
                  .late(which)
                  .select(i === 0 ? 'place' : 'other')
              const told = await placed(bounded).collect({ lanes })
              expect(told.toRows({ bigint: true }).map(row => Object.values(row)[0])).toEqual(refused)
              const again = [left, right].map((all, s) => paced(all, own, (sides[s] as Case['left']).pace))
              const live = await folded(placed(again as [Flow<any>, Flow<any>]).run({ lanes }))
              expect(live).toEqual(refused.map(place => text({ [i === 0 ? 'place' : 'other']: place })).sort())
            }
          }
          if (expected.length > 3) sawRows++
        }),
        { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
      )
      expect(sawRows).toBeGreaterThan(runs / 40)
    })
    it.each(lanesList)(
      'in windows are said of, or in windows again, by their ends, on %i lanes as they are collected',
      { timeout: 60_000 + 300 * runs },
      async lanes => {
        let sawRows = 0
        await fc.assert(
          fc.asyncProperty(
            cases,
            join,
            fc.boolean(),
            again,
            fc.boolean(),
            async (any, windows, isParted, next, isTop) => {
              fc.pre(windows.kind === 'window')
              const given: Case = { ...any, join: { ...windows, lateness: null } as WindowJoin, isGrouped: false }
              const sides = [given.left, given.right]
              const rows = sides.map(({ times, keys }) =>
                times.flatMap((time, i) =>
                  time === null ? [] : [{ time, key: keys[i % keys.length] as string | null, place: BigInt(i) }],
                ),
              )
              const of = ([left, right]: readonly Flow<any>[]): Flow<any> => {
                const joined = flowOf(given, left as Flow<any>, right as Flow<any>)
                if (next === null)
                  return joined.over(
                    { orderBy: 'windowEnd', ...(isParted ? { partitionBy: 'key' } : {}) },
                    (r: any) => ({
                      n: count(),
                      s: sum(r.place),
                      nth: rank(),
                    }),
                  )
                const marked = joined.rename({ windowEnd: 'end' }).drop('windowStart').watermark('end').window(next)
                const grouped: any = isParted ? marked.groupBy('key') : marked
                return isTop
                  ? grouped.topK(2, 'place', ...('other' in (joined.schema as object) ? ['other'] : []))
                  : grouped.aggregate((r: any) => ({ n: count(), s: sum(r.place) }))
              }
              const bounded = rows.map(all => rowsOf(all as never, timedShape as never) as unknown as Flow<any>)
              const running = rows.map((all, i) => paced(all, timedShape, (sides[i] as Case['left']).pace))
              const collected = (await of(bounded).collect({ lanes })).toRows({ bigint: true })
              const job = of(running).run({ lanes })
              expect(await folded(job)).toEqual(collected.map(text).sort())
              expect(job.metrics()).toMatchObject({ lateRows: 0 })
              if (collected.length > 3) sawRows++
            },
          ),
          { numRuns: Math.ceil(runs / 3), ...(seed === undefined ? {} : { seed }) },
        )
        expect(sawRows).toBeGreaterThan(runs / 120)
      },
    )
    it.each(lanesList)(
      'of results of windows are on %i lanes what they are collected',
      { timeout: 60_000 + 300 * runs },
      async lanes => {
        let sawRows = 0
        await fc.assert(
          fc.asyncProperty(cases, fc.constantFrom('tumbling', 'sliding', 'session'), async (given, kind) => {
            const inner = { tumbling: tumbling('5ms'), sliding: sliding('6ms', '3ms'), session: session('3ms') }[kind]
            const results = (flow: Flow<any>, { delay }: Case['left']): Flow<any> =>
              flow
                .watermark('time', { delay: `${delay}ms` })
                .window(inner)
                .groupBy('key')
                .aggregate((r: any) => ({ n: count(), place: sum(r.place) }))
                .rename({ windowEnd: 'time' })
                .drop('windowStart')
                .watermark('time')
            const of = (left: Flow<any>, right: Flow<any>): Flow<any> => {
              const [a, b] = [results(left, given.left), results(right, given.right).rename({ place: 'other', n: 'm' })]
              if (given.join.kind === 'interval') {
                const { how, lower, length } = given.join
                return a.intervalJoin(b, { on: 'key', between: [`${lower}ms`, `${lower + length}ms`], how } as any)
              }
              if (given.join.kind === 'asof') return a.asofJoin(b, { on: 'time', by: 'key' } as any) as Flow<any>
              const joined = (a.window(tumbling(`${given.join.size}ms`)) as any)[given.join.verb](b, 'key')
              return given.isGrouped
                ? joined.groupBy('windowEnd').aggregate((r: any) => ({ n: count(), s: sum(r.n) }))
                : joined
            }
            const sides = [given.left, given.right]
            const rows = sides.map(({ times, keys }) =>
              times.flatMap((time, i) =>
                time === null ? [] : [{ time, key: keys[i % keys.length] as string | null, place: BigInt(i) }],
              ),
            )
            const bounded = rows.map(all => rowsOf(all as never, timedShape as never) as unknown as Flow<any>)
            const running = rows.map((all, i) =>
              sides[i]?.isBounded ? (bounded[i] as Flow<any>) : paced(all, timedShape, (sides[i] as Case['left']).pace),
            )
            const collected = await of(...(bounded as [Flow<any>, Flow<any>])).collect({ lanes })
            const expected = collected.toRows({ bigint: true }).map(text).sort()
            const job = of(...(running as [Flow<any>, Flow<any>])).run({ lanes })
            expect(await folded(job)).toEqual(expected)
            expect(job.metrics()).toMatchObject({ lateRows: 0, groups: 0 })
            if (expected.length > 1) sawRows++
          }),
          { numRuns: Math.ceil(runs / 3), ...(seed === undefined ? {} : { seed }) },
        )
        expect(sawRows).toBeGreaterThan(runs / 120)
      },
    )
  })
}
