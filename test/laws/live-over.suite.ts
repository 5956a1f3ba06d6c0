/**
 * The law of `over` on flows that run on: whatever rows come, in whatever batches and on any number of lanes, what is said of those that are in time folds to what the model says of them
 * collected, also where windows, or another `over`, follow; in the end nothing is kept.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  count,
  type Flow,
  first,
  float64,
  int64,
  lag,
  last,
  lead,
  nullable,
  rows as rowsOf,
  schema,
  session,
  sliding,
  stream,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { toJavaScript } from '../oracle/javascript.js'
import { fieldsOfOver, type ModelFrame, type ModelOver, overRows } from '../oracle/over.js'
import type { ModelField, ModelRow, ModelTable, Value } from '../oracle/value.js'
import { type ModelWindow, windowed } from '../oracle/windows.js'
import { type Choices, choicesOf, tapes } from './choices.js'
import { someAggregateOf } from './flows.js'
import { applyVerb } from './handles.js'
import { somePlaced } from './over.js'
import { folded, forms, inBatches, text } from './running.js'

const row = fc.record({
  step: fc.integer({ min: -9, max: 12 }),
  /** From anywhere, or without a time. */
  jump: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.option(fc.bigInt({ min: -60n, max: 200n }), { freq: 3, nil: 'none' as const }) },
  ),
  key: fc.constantFrom('a', 'a', 'b', 'ä', '', null),
  x: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(0.1, 0.25, NaN, Infinity, 1e300)),
  n: fc.option(fc.bigInt({ min: -2n, max: 3n }), { freq: 4 }),
})

export const overCases = fc.record({
  rows: fc.oneof(fc.array(row, { maxLength: 30 }), fc.array(row, { maxLength: 90, size: 'max' })),
  delay: fc.constantFrom(0n, 0n, 3n, 10n, 40n),
  maxAdvance: fc.option(fc.constantFrom(15n, 1000n), { freq: 4 }),
  cuts: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
  forms,
  tape: tapes(),
  after: fc.constantFrom('nothing', 'nothing', 'nothing', 'windows', 'over') as fc.Arbitrary<
    'nothing' | 'windows' | 'over'
  >,
  byArrival: fc.integer({ min: 0, max: 7 }).map(n => n === 0),
  window: fc.constantFrom('tumbling', 'sliding', 'session'),
})
type Case = typeof overCases extends fc.Arbitrary<infer T> ? T : never

const WINDOWS: Readonly<Record<string, { said: any; model: ModelWindow }>> = {
  tumbling: { said: tumbling('9ms'), model: { kind: 'tumbling', size: 9n, offset: 0n } },
  sliding: { said: sliding('12ms', '4ms'), model: { kind: 'sliding', size: 12n, every: 4n, offset: 0n } },
  session: { said: session('5ms'), model: { kind: 'session', gap: 5n } },
}

const fieldsOf = (hasNulls: boolean): ModelField[] => [
  { name: 'time', type: { kind: 'timestamp', unit: 'ms', nullable: hasNulls } },
  { name: 'key', type: { kind: 'utf8', nullable: true } },
  { name: 'x', type: { kind: 'float64', nullable: false } },
  { name: 'n', type: { kind: 'int64', nullable: true } },
  { name: 'place', type: { kind: 'int64', nullable: false } },
]
const shapeOf = (hasNulls: boolean) =>
  schema({
    time: hasNulls ? nullable(timestamp()) : timestamp(),
    key: nullable(utf8()),
    x: float64(),
    n: nullable(int64()),
    place: int64(),
  }) as any

function rowsIn({ rows }: Case): ModelRow[] {
  let now = 0n
  return rows.map(({ step, jump, key, x, n }, i) => {
    if (jump === null) now += BigInt(step)
    const time = jump === null ? now : jump === 'none' ? null : jump
    return { source: i, values: [time, key, x, n, BigInt(i)] }
  })
}

/** Of rows of one time the first. */
function ofOwnTimes(rows: readonly ModelRow[]): ModelRow[] {
  const seen = new Set<Value>()
  return rows.filter(({ values: [time] }) => time === null || (!seen.has(time as Value) && seen.add(time as Value)))
}

/** Which rows are late, by the watermark as each came. */
function lateIn(rows: readonly ModelRow[], { delay, maxAdvance }: Case): Set<ModelRow> {
  const late = new Set<ModelRow>()
  let latest: bigint | null = null
  for (const each of rows) {
    const time = each.values[0] as bigint | null
    const isAhead = time !== null && maxAdvance !== null && latest !== null && time > latest + maxAdvance
    if (time !== null && !isAhead && (latest === null || time > latest)) latest = time
    if (time === null || isAhead || time < (latest as bigint) - delay) late.add(each)
  }
  return late
}

function someFrame(choices: Choices, isTimed: boolean): ModelFrame | null {
  if (isTimed && choices.chance(25)) return null
  const unit = isTimed && choices.chance(50) ? 'range' : 'rows'
  const scale = unit === 'range' ? 4 : 1
  const to = (choices.below(9) - 5) * scale
  const from = choices.chance(40) ? null : to - choices.below(6) * scale
  return choices.chance(15) ? { unit, from: choices.chance(50) ? null : 0, to: 0 } : { unit, from, to }
}

function someOver(table: ModelTable, choices: Choices, byArrival: boolean, free: readonly string[]): ModelOver {
  const columns = table.fields.map(field => ({ ...field, magnitude: 100n, samples: [] }))
  const orders = byArrival ? [] : [{ name: 'time', descending: false, nulls: 'last' as const }]
  const partitionBy = choices.chance(75) ? choices.some(['key', 'n'], 2) : []
  return {
    verb: 'over',
    partitionBy,
    orders,
    frame: someFrame(choices, !byArrival),
    columns: choices
      .some(free, 4)
      .map(name => [
        name,
        choices.chance(55) ? someAggregateOf(table, choices) : somePlaced(columns as never, orders, choices, true),
      ]),
  }
}

const leadsIn = ({ frame, columns }: ModelOver): boolean =>
  (frame?.to ?? 0) > 0 || columns.some(([, column]) => 'placed' in column && column.placed === 'lead')

const shown = (rows: readonly ModelRow[], fields: readonly ModelField[]): string[] =>
  rows.map(({ values }) =>
    text(Object.fromEntries(fields.map(({ name, type }, i) => [name, toJavaScript(values[i] as Value, type)]))),
  )

const counts = (r: any) => ({ rows: count(), places: sum(r.place), first: first(r.place), last: last(r.place) })

/** The same of the model's rows: `at` says where the columns are. */
function windowsOf(rows: readonly ModelRow[], window: ModelWindow, given: Case, isBatch: boolean): string[] {
  const all = rows.map(({ values }) => ({
    time: values[0] as bigint | null,
    key: values[1] as string | null,
    place: values[4] as bigint,
  }))
  return windowed(all, window, { ...given, lateness: 0n }, isBatch).windows.map(({ start, end, key, rows: mine }) => {
    const byTime = [...mine].sort((a, b) => Number((a.time as bigint) - (b.time as bigint)))
    return text({
      windowStart: start,
      windowEnd: end,
      key,
      rows: BigInt(mine.length),
      places: mine.reduce((total, { place }) => total + place, 0n),
      first: byTime[0]?.place,
      last: byTime.at(-1)?.place,
    })
  })
}

export interface OverLaws {
  readonly lanesList: readonly number[]
  readonly runs: number
  readonly seed?: number
}

export function liveOverLaws({ lanesList, runs, seed }: OverLaws): void {
  const times = { numRuns: runs, ...(seed === undefined ? {} : { seed }) }
  describe('over on flows that run on', () => {
    it.each(lanesList)('says on %i lanes what the model says', { timeout: 60_000 + 300 * runs }, async lanes => {
      let lateCases = 0
      await fc.assert(
        fc.asyncProperty(overCases, async given => {
          const choices = choicesOf(given.tape)
          const all = rowsIn(given)
          const hasNulls = all.some(({ values }) => values[0] === null)
          const [fields, shape] = [fieldsOf(hasNulls), shapeOf(hasNulls)]
          const free =
            given.after === 'nothing' && !given.byArrival ? ['a', 'b', 'c', 'x', 'key', 'n'] : ['a', 'b', 'c', 'x']
          const over = someOver({ fields, rows: all }, choices, given.byArrival, free)
          // Windows behind rows that wait for others, as they come, are refused.
          const isRefused = given.byArrival && leadsIn(over)
          const after = given.byArrival ? (isRefused ? 'nothing' : 'windows') : given.after
          // Of rows of one time those leave first that wait for none behind them, and what comes next goes by that.
          const rows = after !== 'nothing' && leadsIn(over) ? ofOwnTimes(all) : all
          const made = fieldsOfOver(over, fields)
          const second =
            after === 'over' ? someOver({ fields: made, rows: [] }, choices, false, ['b', 'd', 'place']) : null
          const { said, model } = WINDOWS[given.window] as (typeof WINDOWS)[string]
          const flowOf = (source: Flow<any>): Flow<any> => {
            const marked = source.watermark('time', {
              delay: `${given.delay}ms`,
              ...(given.maxAdvance === null ? {} : { maxAdvance: `${given.maxAdvance}ms` }),
            })
            const told = applyVerb(marked, over)
            if (second !== null) return applyVerb(told, second)
            return after === 'windows' ? told.window(said).groupBy('key').aggregate(counts) : told
          }
          const expectedOf = (all: readonly ModelRow[], isBatch: boolean): string[] => {
            const one = overRows(over, all, fields)
            if (second !== null) return shown(overRows(second, one, made), fieldsOfOver(second, made))
            return after === 'windows' ? windowsOf(one, model, given, isBatch) : shown(one, made)
          }
          const objects = rows.map(({ values: [time, key, x, n, place] }) => ({ time, key, x, n, place }))
          const source = rowsOf(objects as never, shape) as unknown as Flow<any>
          const running = () => flowOf(stream(inBatches(source, given.cuts, given.forms), { schema: shape }))
          const late = given.byArrival ? new Set<ModelRow>() : lateIn(rows, given)
          const job = running().run({ lanes })
          expect(await folded(job)).toEqual(
            expectedOf(
              rows.filter(each => !late.has(each)),
              !given.byArrival,
            ).sort(),
          )
          if (!given.byArrival || after === 'windows') expect(job.metrics().groups).toBe(0)
          if (!given.byArrival) {
            expect(job.metrics().lateRows).toBe(late.size)
            if (after === 'nothing') {
              const found: unknown[] = []
              for await (const batch of running().late().run({ lanes }))
                found.push(...batch.toRows({ bigint: true }).map(({ place }) => place))
              expect(found).toEqual([...late].map(({ values }) => values[4]))
            }
            if (late.size > 0) lateCases++
          }
          const collected = await flowOf(source).collect({ lanes })
          expect(collected.toRows({ bigint: true }).map(text)).toEqual(expectedOf(rows, true))
        }),
        times,
      )
      expect(lateCases).toBeGreaterThan(runs / 40)
    })

    it.each(lanesList)(
      'of windows that have closed is on %i lanes that of all',
      { timeout: 60_000 + 300 * runs },
      async lanes => {
        await fc.assert(
          fc.asyncProperty(overCases, fc.boolean(), async (given, isSummed) => {
            const rows = rowsIn(given)
            const hasNulls = rows.some(({ values }) => values[0] === null)
            const objects = rows.map(({ values: [time, key, x, n, place] }) => ({ time, key, x, n, place }))
            const shape = shapeOf(hasNulls)
            const source = rowsOf(objects as never, shape) as unknown as Flow<any>
            const { said, model } = WINDOWS[given.window] as (typeof WINDOWS)[string]
            const flowOf = (from: Flow<any>) => {
              const told = from
                .watermark('time', { delay: `${given.delay}ms` })
                .window(said)
                .groupBy('key')
                .aggregate(() => ({ rows: count() }))
                .over({ partitionBy: 'key', orderBy: 'windowEnd', rows: [-2, 0] }, (t: any) => ({
                  before: lag(t.rows),
                  next: lead(t.rows, 2, -1),
                  three: sum(t.rows),
                }))
              return isSummed
                ? told.groupBy('windowEnd').aggregate((t: any) => ({ all: sum(t.three), n: sum(t.next) }))
                : told
            }
            const live = await folded(
              flowOf(stream(inBatches(source, given.cuts, given.forms), { schema: shape })).run({ lanes }),
            )
            const timed = objects.map(({ time, key }) => ({ time: time as bigint | null, key: key as string | null }))
            const { windows } = windowed(timed, model, { delay: given.delay, lateness: 0n, maxAdvance: null }, false)
            const told = windows.map(({ start, end, key, rows: mine }, i) => {
              const sizeAt = (at: number) => {
                const own = windows.filter(each => each.key === key)
                return own[own.indexOf(windows[i] as (typeof windows)[number]) + at]?.rows.length
              }
              const whole = (size: number | undefined, missing: bigint | null) =>
                size === undefined ? missing : BigInt(size)
              return {
                ...{ windowStart: start, windowEnd: end, key, rows: BigInt(mine.length) },
                ...{ before: whole(sizeAt(-1), null), next: whole(sizeAt(2), -1n) },
                three: [-2, -1, 0].reduce((total, at) => total + (whole(sizeAt(at), 0n) as bigint), 0n),
              }
            })
            const ends = [...new Set(told.map(({ windowEnd }) => windowEnd))].map(windowEnd => {
              const own = told.filter(each => each.windowEnd === windowEnd)
              const total = (of: 'three' | 'next') => own.reduce((sum, each) => sum + (each[of] as bigint), 0n)
              return { windowEnd, all: total('three'), n: total('next') }
            })
            expect(live).toEqual((isSummed ? ends : told).map(each => text(each)).sort())
          }),
          times,
        )
      },
    )
  })
}
