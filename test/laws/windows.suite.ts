/** The law of event time: whatever rows come, in whatever batches and on any number of lanes, what a flow that runs on gives folds to what the model gives; collected, to the same where nothing is late. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bool,
  collectList,
  count,
  cumulative,
  type Flow,
  first,
  float64,
  int64,
  last,
  list,
  max,
  min,
  nullable,
  type RunOptions,
  rowCount,
  rows as rowsOf,
  schema,
  session,
  sliding,
  stream,
  sum,
  timestamp,
  tumbling,
  utf8,
  type Window,
} from '../../src/index.js'
import { type ModelTiming, type ModelWindow, type WindowOf, windowed } from '../oracle/windows.js'
import { folded, forms, inBatches, text } from './running.js'

export interface Row {
  readonly time: bigint | null
  readonly key: string | null
  readonly x: number
  readonly place: bigint
}

export const shape = schema({ time: nullable(timestamp()), key: nullable(utf8()), x: float64(), place: int64() })
/** The same where every row has a time. */
export const timedShape = schema({ ...shape, time: timestamp() }) as unknown as typeof shape

const times = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: -40n, max: 160n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }) },
  { weight: 1, arbitrary: fc.constant(null) },
)
/** Mostly onwards, now and then from anywhere. */
const rows = fc
  .array(
    fc.record({
      step: fc.integer({ min: -12, max: 15 }),
      jump: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: times }),
      isNull: fc.boolean(),
      key: fc.constantFrom('a', 'b', 'ä', '', null),
      x: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(0.1, -0, NaN, Infinity, 1e300)),
    }),
    { maxLength: 60 },
  )
  .map(steps => {
    let now = 0n
    return steps.map(({ step, jump, isNull, key, x }, i): Row => {
      if (jump === null) now += BigInt(step)
      const time = jump === null ? now : isNull ? null : jump
      return { time, key, x, place: BigInt(i) }
    })
  })

const duration = (most: number) => fc.integer({ min: 1, max: most }).map(BigInt)
interface Windows {
  readonly said: Window
  readonly model: ModelWindow
}

/** Ticks are of such a unit. */
type Unit = 'ms' | 's' | 'us' | 'ns'

function saidIn(unit: Unit, model: ModelWindow): Window {
  const of = (ticks: bigint) => `${ticks}${unit}`
  if (model.kind === 'session') return session(of(model.gap))
  if (model.kind === 'rowCount') return rowCount(model.count)
  if (model.kind === 'cumulative') return cumulative(of(model.size), of(model.step))
  const options = model.offset === 0n ? {} : { offset: of(model.offset) }
  return model.kind === 'sliding'
    ? sliding(of(model.size), of(model.every), options)
    : tumbling(of(model.size), options)
}

const windowOf = (model: ModelWindow): Windows => ({ said: saidIn('ms', model), model })

export const overlapping: fc.Arbitrary<Windows> = fc.oneof(
  fc
    .tuple(duration(12), fc.integer({ min: 1, max: 6 }), fc.option(fc.integer({ min: 0, max: 20 }).map(BigInt)))
    .map(([every, count, offset]) =>
      windowOf({ kind: 'sliding', size: every * BigInt(count), every, offset: offset ?? 0n }),
    ),
  fc
    .tuple(duration(12), fc.integer({ min: 1, max: 6 }))
    .map(([step, count]) => windowOf({ kind: 'cumulative', size: step * BigInt(count), step, offset: 0n })),
)
const window: fc.Arbitrary<Windows> = fc.oneof(
  fc
    .tuple(duration(30), fc.option(fc.integer({ min: -40, max: 40 }).map(BigInt)))
    .map(([size, offset]) => windowOf({ kind: 'tumbling', size, offset: offset ?? 0n })),
  { weight: 2, arbitrary: overlapping },
  duration(20).map(gap => windowOf({ kind: 'session', gap })),
  fc.integer({ min: 1, max: 5 }).map(count => windowOf({ kind: 'rowCount', count })),
)

const timing: fc.Arbitrary<ModelTiming> = fc.record({
  delay: fc.constantFrom(0n, 0n, 3n, 10n, 50n, 10_000n),
  lateness: fc.constantFrom(0n, 0n, 1n, 7n, 40n),
  maxAdvance: fc.option(fc.constantFrom(5n, 30n, 1000n), { freq: 4 }),
})

const drawn = fc.record({
  rows,
  /** Windows of many rows have tables of their own. */
  copies: fc.constantFrom(1, 1, 1, 80),
  window,
  timing,
  isKeyed: fc.boolean(),
  isFiltered: fc.boolean(),
  mode: fc.constantFrom('close', 'change', 'every') as fc.Arbitrary<'close' | 'change' | 'every'>,
  cuts: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
  forms,
})

export const cases = drawn.map(given => ({
  ...given,
  rows: given.rows.flatMap(row =>
    Array.from({ length: given.copies }, (_, i) => ({ ...row, place: row.place * BigInt(given.copies) + BigInt(i) })),
  ),
  cuts: given.cuts.map(rows => rows * given.copies),
}))

/** Whether windows have the bounds of their rows, which move. */
const hasOwnBounds = ({ kind }: ModelWindow): boolean => kind === 'session' || kind === 'rowCount'

const zeroed = (value: number): number => (value === 0 ? 0 : value)

/** What the aggregates of the flow come to over the rows of a window. */
function resultOf({ start, end, key, rows: mine }: WindowOf<Row>, isKeyed: boolean): Record<string, unknown> {
  const byTime = [...mine].sort((a, b) => Number((a.time as bigint) - (b.time as bigint)) || Number(a.place - b.place))
  const numbers = mine.map(({ x }) => x)
  const order = (a: number, b: number): number => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b)
  const sorted = [...numbers].sort(order)
  return {
    windowStart: start,
    windowEnd: end,
    ...(isKeyed ? { key } : {}),
    rows: BigInt(mine.length),
    places: mine.reduce((total, { place }) => total + place, 0n),
    first: byTime[0]?.place,
    last: byTime.at(-1)?.place,
    least: zeroed(sorted[0] as number),
    most: zeroed(sorted.at(-1) as number),
    all: mine.map(({ place }) => place),
  }
}

/** The rows of a case in their windows, by their keys, and `results` of these emitted as it says. */
export function flowIn(
  source: Flow<typeof shape>,
  { window: { model }, timing: t, isKeyed, isFiltered, mode }: Case,
  results: (grouped: any) => Flow<any>,
  unit: Unit = 'ms',
): Flow<any> {
  const marked = source.watermark('time', {
    delay: `${t.delay}${unit}`,
    ...(t.maxAdvance === null ? {} : { maxAdvance: `${t.maxAdvance}${unit}` }),
  })
  const kept = isFiltered ? marked.filter(r => r.place.mod(3).ne(1)) : marked
  const inWindows = kept.window(saidIn(unit, model), { allowedLateness: `${t.lateness}${unit}` })
  const given = results(isKeyed ? inWindows.groupBy('key') : inWindows)
  return mode === 'close' ? given : given.emit(mode === 'change' ? 'change' : { every: '1ms' })
}

function flowOf(source: Flow<typeof shape>, given: Case, unit: Unit): Flow<any> {
  const define = (r: any) => ({
    rows: count(),
    places: sum(r.place),
    first: first(r.place),
    last: last(r.place),
    least: min(r.x),
    most: max(r.x),
    all: collectList(r.place),
  })
  return flowIn(source, given, grouped => grouped.aggregate(define), unit)
}

/** That what is collected of a case, in the order of its windows, is what the model gives. */
export async function expectCollected(
  source: Flow<typeof shape>,
  given: Case,
  unit: Unit,
  options: RunOptions,
): Promise<void> {
  const filtered = given.isFiltered ? given.rows.filter(({ place }) => place % 3n !== 1n) : given.rows
  const keyed = given.isKeyed ? filtered : filtered.map(row => ({ ...row, key: null }))
  const { windows } = windowed(keyed, given.window.model, given.timing, true)
  const collected = await flowOf(source, given, unit).collect(options)
  expect(collected.toRows({ bigint: true }).map(text)).toEqual(windows.map(each => text(resultOf(each, given.isKeyed))))
}

export type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

export interface WindowLaws {
  readonly lanesList: readonly number[]
  readonly runs: number
  readonly seed?: number
}

export function windowLaws({ lanesList, runs, seed }: WindowLaws): void {
  describe('windows of event time', () => {
    it.each(lanesList)(
      'on %i lanes fold to what the model gives, running on and collected',
      { timeout: 60_000 + 200 * runs },
      async lanes => {
        let lateCases = 0
        await fc.assert(
          fc.asyncProperty(
            cases,
            fc.constantFrom<Unit>('ms', 'ms', 's', 'us', 'ns'),
            fc.boolean(),
            fc.constantFrom('none', 'none', 'rows', 'partners'),
            async (given, unit, hasBudget, mending) => {
              const options = hasBudget ? { lanes, memory: 2 ** 28 } : { lanes }
              const keyed = (all: readonly Row[]) => (given.isKeyed ? all : all.map(row => ({ ...row, key: null })))
              const isTimed = given.rows.every(({ time }) => time !== null)
              const time = isTimed ? timestamp(unit) : nullable(timestamp(unit))
              const own = schema({ ...shape, time }) as unknown as typeof shape
              const source = rowsOf(given.rows, own)
              const coming = mending === 'none' ? source : rowsOf(spoiled(given.rows), own)
              const flow = () => {
                const streamed = stream(inBatches(coming, given.cuts, given.forms), { schema: own })
                return flowOf(mending === 'none' ? streamed : mended(streamed, mending), given, unit)
              }
              // The watermark goes by all rows, also by those that are filtered out behind it.
              const model = windowedBehind(given, keyed)
              const expected = model.windows.map(each => text(resultOf(each, given.isKeyed))).sort()
              const job = flow().run(options)
              const keys = ['windowStart', 'windowEnd', ...(given.isKeyed ? ['key'] : [])]
              expect(await folded(job, hasOwnBounds(given.window.model) ? [] : keys)).toEqual(expected)
              expect(job.metrics().groups).toBe(0)
              const late = model.late.map(({ place }) => place)
              // A job more: of few that none is late for, to see that it gives none.
              if (late.length > 0 || given.rows.length % 4 === 0) {
                const found: bigint[] = []
                for await (const batch of flow().late().select('place').run(options))
                  for (const { place } of batch.toRows({ bigint: true })) found.push(place as bigint)
                expect(found.sort((a, b) => Number(a - b))).toEqual(late)
              }
              if (late.length > 0) lateCases++
              await expectCollected(source, given, unit, options)
            },
          ),
          { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
        )
        expect(lateCases).toBeGreaterThan(runs / 20)
      },
    )

    it.each(lanesList)(
      'on %i lanes hold the rows that explode and unpivot make of one by its time',
      { timeout: 60_000 + 200 * runs },
      async lanes => {
        await fc.assert(
          fc.asyncProperty(cases, fc.constantFrom('explode', 'unpivot'), async (given, verb) => {
            const { window: windows, timing: t, mode } = given
            const listed = schema({ ...shape, items: list(nullable(int64())) })
            const source = rowsOf(
              given.rows.map(row => ({
                ...row,
                items: [row.place, null, row.place + 1n].slice(0, Number(row.place % 4n)),
              })),
              listed,
            )
            const made = (flow: Flow<any>): Flow<any> =>
              verb === 'explode'
                ? flow.explode('items').rename({ items: 'value' })
                : flow
                    .derive(r => ({ twice: r.x.add(r.x) }))
                    .unpivot({ on: ['x', 'twice'], index: ['place', 'key', 'time'] })
            const marked = (flow: Flow<any>) => flow.watermark('time', { delay: `${t.delay}ms` })
            const counted = (flow: Flow<any>) => {
              const results = flow
                .window(windows.said, { allowedLateness: `${t.lateness}ms` })
                .groupBy('key')
                .aggregate(r => ({
                  rows: count(),
                  least: min(r.value),
                  first: first(r.value),
                  all: collectList(r.place),
                }))
              return mode === 'close' ? results : results.emit(mode === 'change' ? 'change' : { every: '1ms' })
            }
            const streamed = () => stream(inBatches(source, given.cuts, given.forms), { schema: listed })
            // Rows of the same time one after another move the watermark as one of them does.
            const [ahead, behind] = [() => counted(marked(made(streamed()))), () => counted(made(marked(streamed())))]
            const keys = hasOwnBounds(windows.model) ? [] : ['windowStart', 'windowEnd', 'key']
            expect(await folded(behind().run({ lanes }), keys)).toEqual(await folded(ahead().run({ lanes }), keys))
            const late = (flow: Flow<any>) => folded(flow.late().select('place', 'value').run({ lanes }))
            expect(await late(behind())).toEqual(await late(ahead()))
            const collected = async (flow: Flow<any>) =>
              (await flow.collect({ lanes })).toRows({ bigint: true }).map(text)
            expect(await collected(counted(made(marked(source))))).toEqual(
              await collected(counted(marked(made(source)))),
            )
          }),
          { numRuns: Math.ceil(runs / 10), ...(seed === undefined ? {} : { seed }) },
        )
      },
    )
  })
}

/** Rows among others, of far later times, that are not to move the watermark. */
const spoiled = (rows: readonly Row[]): Row[] =>
  rows.flatMap((row, i) => {
    const own = { ...row, x: -row.x }
    return i % 3 === 1 ? [own] : [{ ...own, time: (row.time ?? 0n) + 1000n, key: 'no', place: -1n }, own]
  })

/** These as they were, before a watermark sees them; be it by what is said of their keys elsewhere. */
function mended(flow: Flow<typeof shape>, by: 'rows' | 'partners'): Flow<typeof shape> {
  const known = rowsOf([{ key: 'no', isOut: true }], schema({ key: utf8(), isOut: bool() }))
  const own = (by === 'rows'
    ? flow.filter(r => r.place.gte(0))
    : flow
        .leftJoin(known, 'key')
        .filter(r => r.isOut.isNull())
        .drop('isOut')) as unknown as Flow<typeof shape>
  return own.derive(r => ({ x: r.x.neg() })) as unknown as Flow<typeof shape>
}

/** Rows that a filter behind the watermark leaves, each with what the watermark is by all rows. */
export function windowedBehind(
  { rows: all, window: { model }, timing: t, isFiltered }: Case,
  keyed: (rows: readonly Row[]) => readonly Row[],
): { windows: WindowOf<Row>[]; late: Row[] } {
  const given = keyed(all)
  if (!isFiltered) return windowed(given, model, t, false)
  const { windows, late } = windowed(
    // A row that is filtered out has a key that no other has: it moves the watermark, and is in windows of its own.
    given.map(row => (row.place % 3n === 1n ? { ...row, key: `#${row.place}` } : row)),
    model,
    t,
    false,
  )
  const isOut = ({ place }: Row) => place % 3n === 1n
  return { windows: windows.filter(({ rows: mine }) => !mine.some(isOut)), late: late.filter(row => !isOut(row)) }
}
