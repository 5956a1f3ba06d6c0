// What `explain` says of windows while a flow runs on is what lanes are told to do: plan/lane-windows.ts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asc,
  channel,
  count,
  cumulative,
  type Flow,
  float64,
  int32,
  list,
  max,
  mean,
  median,
  nullable,
  rowCount,
  rows,
  schema,
  session,
  sliding,
  sum,
  timestamp,
  tumbling,
} from '../../src/index.js'
import { laneWindows } from '../../src/plan/lane-windows.js'
import { type LiveCut, liveCut, livePlan } from '../../src/plan/live.js'
import { physicalPlan } from '../../src/plan/planner.js'
import { boundSchemaOf } from '../../src/plan/typing.js'

const shape = schema({ time: timestamp('ms'), key: int32(), x: float64(), items: nullable(list(int32())) })
const source = rows([], shape)
const others = rows([], schema({ key: int32(), name: int32() }))

const WINDOWS = {
  tumbling: tumbling('10s'),
  offset: tumbling('10s', { offset: '3s' }),
  day: tumbling('1d'),
  month: tumbling('1mo'),
  zone: tumbling('1h', { zone: 'Europe/Berlin' }),
  long: tumbling('100000000h'),
  sliding: sliding('10s', '2s'),
  slow: sliding('200000000h', '100000000h'),
  cumulative: cumulative('10s', '5s'),
  session: session('5s'),
  rows: rowCount(5),
}
const BELOW: Record<string, (flow: Flow<any>) => Flow<any>> = {
  nothing: flow => flow,
  filter: flow => flow.filter(t => t.x.gt(1)),
  join: flow => flow.join(others, 'key'),
  explode: flow => flow.explode('items'),
  sort: flow => flow.orderBy(asc('x')),
  limit: flow => flow.limit(10),
  union: flow => flow.union(flow),
}
const BETWEEN: Record<string, (flow: Flow<any>) => Flow<any>> = {
  nothing: flow => flow,
  derive: flow => flow.derive(t => ({ x: t.x.mul(2) })).filter(t => t.x.gt(0)),
  join: flow => flow.join(others, 'key'),
}
const RESULTS: Record<string, (t: any) => any> = {
  few: t => ({ n: count(), total: sum(t.x), most: max(t.x), ratio: mean(t.x).div(count()) }),
  median: t => ({ n: count(), middle: median(t.x) }),
}
const AFTER: Record<string, (flow: Flow<any>) => Flow<any>> = {
  nothing: flow => flow,
  close: flow => flow.emit('close'),
  change: flow => flow.emit('change'),
  every: flow => flow.emit({ every: '1s' }),
  again: flow => flow.groupBy('windowEnd').aggregate(() => ({ n: count() })),
  filter: flow => flow.filter(t => t.windowEnd.gt(t.windowStart)),
}
const MARKS = [{}, { delay: '5s' }, { delay: '700000000h' }, { maxAdvance: '1m' }, { idleAfter: '1s' }]

interface Said {
  readonly window: keyof typeof WINDOWS
  readonly below: string
  readonly between: string
  readonly results: string
  readonly after: string
  readonly mark: object
  readonly lateness: string | undefined
  readonly isKeyed: boolean
}

const mostly = (values: readonly string[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(values[0] as string) }, fc.constantFrom(...values))

const said: fc.Arbitrary<Said> = fc.record({
  window: mostly(Object.keys(WINDOWS)) as fc.Arbitrary<keyof typeof WINDOWS>,
  below: mostly(Object.keys(BELOW)),
  between: mostly(Object.keys(BETWEEN)),
  results: mostly(Object.keys(RESULTS)),
  after: mostly(Object.keys(AFTER)),
  mark: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, fc.constantFrom(...MARKS)),
  lateness: fc.constantFrom(undefined, undefined, undefined, '0s', '3s'),
  isKeyed: fc.boolean(),
})

function flowOf({ window, below, between, results, after, mark, lateness, isKeyed }: Said): Flow<any> {
  const marked = (BETWEEN[between] as (flow: Flow<any>) => Flow<any>)(
    (BELOW[below] as (flow: Flow<any>) => Flow<any>)(source).watermark('time', mark),
  )
  const windows = marked.window(WINDOWS[window], lateness === undefined ? {} : { allowedLateness: lateness }) as any
  const grouped = (isKeyed ? windows.groupBy('key') : windows).aggregate(RESULTS[results])
  return (AFTER[after] as (flow: Flow<any>) => Flow<any>)(grouped)
}

const runningOn = (flow: Flow<any>): string | undefined => {
  const lines = flow.explain().split('\n')
  const at = lines.indexOf('running on')
  return at < 0 ? undefined : lines[at + 1]
}

describe('what is said of windows', () => {
  it('is what lanes do', () => {
    let grouped = 0
    fc.assert(
      fc.property(said, each => {
        const flow = flowOf(each)
        const cut = liveCut(flow.plan, false) as LiveCut
        const below = physicalPlan(cut.before)
        const does = laneWindows(livePlan(cut, boundSchemaOf(cut.before)), below) !== null
        if (does) grouped++
        const line = runningOn(flow) as string
        expect(line.startsWith('  every lane groups by window')).toBe(does)
        expect(/^ {2}calling thread groups by window(, key)?: [a-z].+$/.test(line)).toBe(!does)
        expect(line.includes('window, key')).toBe(each.isKeyed)
      }),
      { numRuns: 150 },
    )
    expect(grouped).toBeGreaterThan(10)
  })

  it('has a reason where lanes do not', () => {
    const usual: Said = {
      ...{ window: 'tumbling', below: 'filter', between: 'derive', results: 'few', after: 'nothing' },
      ...{ mark: {}, lateness: undefined, isKeyed: true },
    }
    const reason = (some: Partial<Said>) =>
      runningOn(flowOf({ ...usual, ...some }))?.replace('  calling thread groups by window, key: ', '')
    expect(reason({})).toBe('  every lane groups by window, key')
    expect(reason({ window: 'session' })).toBe('each key has windows of its own')
    expect(reason({ window: 'month' })).toBe('windows follow a calendar, or are too long')
    expect(reason({ lateness: '3s' })).toBe('windows take late rows')
    expect(reason({ after: 'change' })).toBe('results are told as they change')
    expect(reason({ mark: { maxAdvance: '1m' } })).toBe('the watermark moves on by at most 1m')
    expect(reason({ below: 'union' })).toBe('several inputs come to the watermark')
    expect(reason({ below: 'sort' })).toBe('what is below the watermark must see all rows')
    expect(reason({ between: 'join' })).toBe('join is between watermark and window')
    expect(reason({ results: 'median' })).toBe('median(x) keeps more than a few values a group')
  })

  it('is that lanes have no rows, where these are pushed and little happens to them before', () => {
    const { flow } = channel(shape)
    const counted = (from: Flow<any>) =>
      from
        .watermark('time')
        .window(tumbling('1s'))
        .aggregate(() => ({ n: count() }))
    expect(runningOn(counted(flow))).toBe(
      '  calling thread groups by window: nothing happens to rows below the watermark',
    )
    expect(runningOn(counted(flow.filter(t => t.x.gt(0)).derive(t => ({ x: t.x.mul(2).floor() }))))).toBe(
      '  calling thread groups by window: what happens to rows below the watermark is not worth a lane',
    )
    const much = flow.derive(t => ({ x: t.x.abs().sqrt().floor().sqrt().abs() }))
    expect(runningOn(counted(much))).toBe('  every lane groups by window')
  })

  it('is nothing where there are none, and goes before what comes out', async () => {
    const plain = source.groupBy('key').aggregate(() => ({ n: count() }))
    expect(runningOn(plain)).toBe(undefined)
    expect(runningOn(source.watermark('time').window(tumbling('1s')).groupBy('key').topK(1, 'x'))).toBe(undefined)
    const lines = flowOf({
      ...{ window: 'sliding', below: 'nothing', between: 'nothing', results: 'few', after: 'nothing' },
      ...{ mark: {}, lateness: undefined, isKeyed: false },
    })
      .explain()
      .split('\n')
    expect(lines.slice(-3, -1)).toEqual(['running on', '  every lane groups by window'])
    expect(lines.at(-1)).toMatch(/^output: /)
  })
})
