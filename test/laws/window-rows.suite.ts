/** The law of the first rows of windows: whatever rows come, in whatever batches and on any number of lanes, those that a flow that runs on gives fold to the model's; collected they are these where nothing is late. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asc, count, desc, type Flow, rows as rowsOf, stream, sum } from '../../src/index.js'
import { spaced, windowed } from '../oracle/windows.js'
import { folded, inBatches, text } from './running.js'
import { type Case, cases, flowIn, overlapping, type Row, shape, timedShape, windowedBehind } from './windows.suite.js'

interface Told {
  readonly name: 'x' | 'key' | 'place'
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
}

const order: fc.Arbitrary<Told> = fc.record({
  name: fc.constantFrom('x' as const, 'x' as const, 'key' as const, 'place' as const),
  descending: fc.boolean(),
  nulls: fc.constantFrom('first' as const, 'last' as const),
})

const tops = fc.record({
  given: cases,
  n: fc.constantFrom(0, 1, 1, 2, 3, 7),
  orders: fc.uniqueArray(order, { minLength: 1, maxLength: 2, selector: ({ name }) => name }),
})

/** Of windows that overlap and are given once. */
const panedTops = fc.tuple(tops, overlapping).map(([{ given, ...rest }, window]) => ({
  ...rest,
  given: { ...given, window, mode: 'close' as const, timing: { ...given.timing, lateness: 0n } },
}))

/** Rows near one another, of few keys, so that many are just so far apart as they may be. */
const near = fc
  .tuple(
    cases,
    fc.array(
      fc.record({
        step: fc.integer({ min: -4, max: 5 }),
        key: fc.constantFrom('a', 'b', null),
        isNull: fc.integer({ min: 0, max: 15 }).map(n => n === 0),
      }),
      { maxLength: 60, size: 'max' },
    ),
  )
  .map(([given, steps]) => {
    let now = 0n
    const rows = steps.map(({ step, key, isNull }, i): Row => {
      now += BigInt(step)
      return { time: isNull ? null : now, key, x: i, place: BigInt(i) }
    })
    return { ...given, rows }
  })

const bytes = new TextEncoder()

/** By unsigned bytes of strings, NaN greatest. */
function compared(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') {
    const [left, right] = [bytes.encode(a), bytes.encode(b)]
    const at = left.findIndex((byte, i) => byte !== right[i])
    return at < 0 ? left.length - right.length : at >= right.length ? 1 : (left[at] as number) - (right[at] as number)
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

/** The first `n`: sorted by the orders, the time, and the place. */
function firstOf(rows: readonly Row[], n: number, orders: readonly Told[], isTimed: boolean): Row[] {
  return [...rows]
    .sort((a, b) => {
      for (const { name, descending, nulls } of orders) {
        const [left, right] = [a[name], b[name]]
        if ((left === null) !== (right === null)) return (left === null) === (nulls === 'first') ? -1 : 1
        const found = left === null ? 0 : compared(left, right)
        if (found !== 0) return descending ? -found : found
      }
      if (!isTimed || a.time === b.time) return Number(a.place - b.place)
      return a.time === null ? 1 : b.time === null ? -1 : a.time < b.time ? -1 : 1
    })
    .slice(0, n)
}

const saidOf = (orders: readonly Told[]) =>
  orders.map(({ name, descending, nulls }) => (descending ? desc(name, { nulls }) : asc(name, { nulls })))

const topOf = (source: Flow<typeof shape>, given: Case, n: number, orders: readonly Told[]): Flow<any> =>
  flowIn(source, given, grouped => grouped.topK(n, ...saidOf(orders)))

/** As they come from a table: there is one zero in an order, and the rows keep theirs. */
const shown = ({ time, key, x, place }: Row) => ({ time, key, x, place })

export interface WindowRowLaws {
  readonly lanesList: readonly number[]
  readonly runs: number
  readonly seed?: number
}

export function windowRowLaws({ lanesList, runs, seed }: WindowRowLaws): void {
  const times = { numRuns: runs, ...(seed === undefined ? {} : { seed }) }
  describe('the first rows', () => {
    it.each(
      lanesList.flatMap(lanes => [
        [lanes, 'windows', tops] as const,
        [lanes, 'windows that overlap', panedTops] as const,
      ]),
    )(
      'on %i lanes of %s are those of the model, running on and collected',
      { timeout: 60_000 + 200 * runs },
      async (lanes, _, drawn) => {
        let lateCases = 0
        await fc.assert(
          fc.asyncProperty(drawn as typeof tops, async ({ given, n, orders }) => {
            const filtered = given.isFiltered ? given.rows.filter(({ place }) => place % 3n !== 1n) : given.rows
            const byPlace = new Map(given.rows.map(row => [row.place, row]))
            const keyed = (all: readonly Row[]) => (given.isKeyed ? all : all.map(row => ({ ...row, key: null })))
            const rowsIn = (windows: ReturnType<typeof windowed<Row>>['windows']) =>
              windows.flatMap(({ start, end, rows }) =>
                firstOf(
                  rows.map(({ place }) => byPlace.get(place) as Row),
                  n,
                  orders,
                  true,
                ).map(row => text({ windowStart: start, windowEnd: end, ...shown(row) })),
              )
            const own = given.rows.every(({ time }) => time !== null) ? timedShape : shape
            const source = rowsOf(given.rows, own)
            const flow = () =>
              topOf(stream(inBatches(source, given.cuts, given.forms), { schema: own }), given, n, orders)
            const model = windowedBehind(given, keyed)
            const job = flow().run({ lanes })
            expect(await folded(job)).toEqual(rowsIn(model.windows).sort())
            expect(job.metrics().groups).toBe(0)
            // Windows of so many rows are given when these have come.
            const comesInTurn = given.window.model.kind !== 'rowCount'
            if (comesInTurn && given.mode === 'close' && given.timing.lateness === 0n) {
              const inTurn: string[] = []
              for await (const batch of flow().run({ lanes })) inTurn.push(...batch.toRows({ bigint: true }).map(text))
              expect(inTurn).toEqual(rowsIn(model.windows))
            }
            const found: bigint[] = []
            for await (const batch of flow().late().select('place').run({ lanes }))
              for (const { place } of batch.toRows({ bigint: true })) found.push(place as bigint)
            expect(found.sort((a, b) => Number(a - b))).toEqual(model.late.map(({ place }) => place))
            if (model.late.length > 0) lateCases++
            const batch = windowed(keyed(filtered), given.window.model, given.timing, true)
            const collected = await topOf(source, given, n, orders).collect({ lanes })
            expect(collected.toRows({ bigint: true }).map(text)).toEqual(rowsIn(batch.windows))
          }),
          times,
        )
        expect(lateCases).toBeGreaterThan(runs / 20)
      },
    )

    it.each(lanesList)(
      'of groups on %i lanes are those of the model, running on and collected',
      { timeout: 60_000 + 200 * runs },
      async lanes => {
        await fc.assert(
          fc.asyncProperty(tops, fc.boolean(), async ({ given, n, orders }, isTimed) => {
            const source = rowsOf(given.rows, shape)
            const of = (flow: Flow<typeof shape>) =>
              (isTimed ? flow.watermark('time') : flow).groupBy('key').topK(n, ...saidOf(orders))
            const groups = new Map<string | null, Row[]>()
            for (const row of given.rows) groups.set(row.key, [...(groups.get(row.key) ?? []), row])
            const expected = [...groups.values()].flatMap(rows =>
              firstOf(rows, n, orders, isTimed).map(row => text(shown(row))),
            )
            const live = of(stream(inBatches(source, given.cuts, given.forms), { schema: shape }))
            const told = live.emit(given.mode === 'every' ? { every: '1ms' } : 'change')
            expect(await folded(told.run({ lanes }))).toEqual([...expected].sort())
            const collected = await of(source).collect({ lanes })
            expect(collected.toRows({ bigint: true }).map(text)).toEqual(expected)
          }),
          times,
        )
      },
    )

    it.each(lanesList)(
      'within a time, on %i lanes, are those of the model, running on, behind windows, and collected',
      { timeout: 60_000 + 200 * runs },
      async lanes => {
        let lateCases = 0
        let doubles = 0
        await fc.assert(
          fc.asyncProperty(
            fc.oneof(cases, near),
            fc.constantFrom(1n, 2n, 3n, 5n, 30n, 1000n),
            async (given, within) => {
              const own = given.rows.every(({ time }) => time !== null) ? timedShape : shape
              const source = rowsOf(given.rows, own)
              const { delay, maxAdvance } = given.timing
              const of = (flow: Flow<typeof shape>) =>
                flow
                  .watermark('time', {
                    delay: `${delay}ms`,
                    ...(maxAdvance === null ? {} : { maxAdvance: `${maxAdvance}ms` }),
                  })
                  .dedupe({ keys: ['key'], within: `${within}ms` })
              const live = () => of(stream(inBatches(source, given.cuts, given.forms), { schema: own }))
              const model = spaced(given.rows, within, given.timing, false)
              expect(await inOrder(live())).toEqual(model.kept.map(row => text(shown(row))))
              expect(await inOrder(live().late())).toEqual(model.late.map(row => text(shown(row))))
              if (model.late.length > 0) lateCases++
              if (model.kept.length + model.late.length < given.rows.length) doubles++
              const batch = spaced(given.rows, within, given.timing, true)
              const collected = async (flow: Flow<any>) =>
                (await flow.collect({ lanes })).toRows({ bigint: true }).map(row => text(row as object))
              expect(await collected(of(source))).toEqual(batch.kept.map(row => text(shown(row))))
              expect(await collected(of(source).late())).toEqual(batch.late.map(row => text(shown(row))))
              // The watermark goes by all rows, also by those that are left out.
              const counted = live()
                .window(given.window.said)
                .groupBy('key')
                .aggregate(t => ({ rows: count(), places: sum(t.place) }))
              const names = new Set(model.kept)
              const { windows } = windowed(
                given.rows.map(row => (names.has(row) ? row : { ...row, key: `#${row.place}` })),
                given.window.model,
                { ...given.timing, lateness: 0n },
                false,
              )
              expect(await folded(counted.run({ lanes }))).toEqual(
                windows
                  .filter(({ key }) => !key?.startsWith('#'))
                  .map(({ start, end, key, rows }) =>
                    text({
                      windowStart: start,
                      windowEnd: end,
                      key,
                      rows: BigInt(rows.length),
                      places: rows.reduce((total, { place }) => total + place, 0n),
                    }),
                  )
                  .sort(),
              )

              async function inOrder(flow: Flow<any>): Promise<string[]> {
                const found: string[] = []
                for await (const batch of flow.run({ lanes })) {
                  expect(batch.weights).toBe(null)
                  found.push(...batch.toRows({ bigint: true }).map(row => text(row as object)))
                }
                return found
              }
            },
          ),
          times,
        )
        expect(lateCases).toBeGreaterThan(runs / 20)
        expect(doubles).toBeGreaterThan(runs / 20)
      },
    )
  })
}
