// The law of groups that lanes make of rows before the calling thread has them: in whatever parts, it comes to what the rows themselves come to, row by row and in order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RecordBatch } from '../../src/columnar/record-batch.js'
import { createLiveGraph, type LiveGraph } from '../../src/graph/live-graph.js'
import {
  any,
  argMax,
  count,
  cumulative,
  type Flow,
  first,
  float64,
  int32,
  int64,
  last,
  MillraceError,
  max,
  mean,
  min,
  nullable,
  rows as rowsOf,
  schema,
  sliding,
  sum,
  timestamp,
  tumbling,
  utf8,
  variance,
} from '../../src/index.js'
import { unloadBatch } from '../../src/kernels/transfer-batch.js'
import { createBatchLoader } from '../../src/operators/batch-loader.js'
import { buildPipeline, type OperatorContext } from '../../src/operators/build.js'
import { RowFailure } from '../../src/operators/operator.js'
import { createWindowParts, type WindowParts } from '../../src/operators/window-parts.js'
import { type LaneWindows, laneWindows } from '../../src/plan/lane-windows.js'
import { type LiveCut, liveCut, livePlan } from '../../src/plan/live.js'
import { physicalPlan } from '../../src/plan/planner.js'
import { bindPlan } from '../../src/plan/typing.js'
import { openContext } from '../../src/workers/open-context.js'
import { text } from '../laws/running.js'

const { MILLRACE_RUNS: scale = '1', MILLRACE_SEED: seed } = process.env

const untimed = schema({
  time: nullable(timestamp()),
  key: nullable(utf8()),
  code: int32(),
  x: float64(),
  y: int64(),
  name: nullable(utf8()),
})
const timed = schema({ ...untimed, time: timestamp() }) as unknown as typeof untimed

const LARGE = 2n ** 62n

const drawnRows = fc
  .array(
    fc.record({
      step: fc.integer({ min: -12, max: 15 }),
      jump: fc.oneof(
        { weight: 24, arbitrary: fc.constant(null) },
        { weight: 2, arbitrary: fc.integer({ min: -60, max: 400 }) },
      ),
      key: fc.constantFrom('a', 'b', 'ä', '', null),
      code: fc.integer({ min: 0, max: 4 }),
      x: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(0.1, -0, NaN, Infinity, 1e300)),
      y: fc.oneof({ weight: 60, arbitrary: fc.bigInt(-9n, 9n) }, { weight: 1, arbitrary: fc.constant(LARGE) }),
      name: fc.constantFrom('m', 'z', 'ö', null),
    }),
    { maxLength: 150, size: 'max' },
  )
  .map(steps => {
    let now = 0
    return steps.map(({ step, jump, ...row }) => {
      if (jump === null) now += step
      return { time: BigInt(jump ?? now), ...row }
    })
  })

const cases = fc.record({
  rows: drawnRows,
  /** Windows of many rows have tables of their own. */
  copies: fc.constantFrom(1, 1, 1, 40),
  nullTimes: fc.array(fc.nat(200), { maxLength: 4 }),
  size: fc.integer({ min: 1, max: 60 }),
  kind: fc.constantFrom('tumbling', 'tumbling', 'sliding', 'cumulative') as fc.Arbitrary<
    'tumbling' | 'sliding' | 'cumulative'
  >,
  /** Of windows that overlap, how many panes each has. */
  panes: fc.integer({ min: 1, max: 4 }),
  offset: fc.integer({ min: -70, max: 70 }),
  delay: fc.constantFrom(0, 0, 3, 10, 50),
  keys: fc.constantFrom<readonly string[]>([], ['key'], ['code'], ['key', 'code'], ['name', 'key']),
  isFiltered: fc.boolean(),
  mayFail: fc.constantFrom('no', 'no', 'no', 'stage', 'input') as fc.Arbitrary<'no' | 'stage' | 'input'>,
  cuts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
  /** What becomes of each cut: it goes as it is, or to a lane, which then gives what it has, or has more to come. */
  ways: fc.array(fc.constantFrom('rows', 'give', 'give', 'keep'), { minLength: 1, maxLength: 7 }),
  otherCuts: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 3 }),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

function flowOf(
  source: Flow<typeof untimed>,
  { size, kind, panes, offset, delay, keys, isFiltered, mayFail }: Case,
): Flow<any> {
  const marked = source.watermark('time', { delay: `${delay}ms` })
  const some = isFiltered ? marked.filter(r => r.y.mod(3).ne(1)) : marked
  const computed = some.derive(r => ({ z: mayFail === 'stage' ? r.y.mul(2) : r.y.add(1) }))
  const moved = { offset: `${offset}ms` }
  const windows = computed.window(
    kind === 'tumbling'
      ? tumbling(`${size}ms`, moved)
      : kind === 'sliding'
        ? sliding(`${size * panes}ms`, `${size}ms`, moved)
        : cumulative(`${size * panes}ms`, `${size}ms`),
  )
  const grouped = keys.length === 0 ? windows : windows.groupBy(...(keys as ['key']))
  return grouped.aggregate((r: any) => ({
    rows: count(),
    named: count(r.name),
    total: sum(r.x),
    whole: sum(mayFail === 'input' ? r.y.mul(2) : r.y.add(2)),
    some: sum(r.z).where(r.code.gt(2)),
    mean: mean(r.x),
    spread: variance(r.code),
    least: min(r.name),
    most: max(r.x),
    first: first(r.y),
    last: last(r.name),
    any: any(r.x),
    top: argMax(r.y, r.code),
  }))
}

/** Rows in so many at a time. */
function* cutBy(all: RecordBatch, cuts: readonly number[]): Iterable<RecordBatch> {
  for (let row = 0, i = 0; row < all.rowCount; i++) {
    const end = Math.min(all.rowCount, row + (cuts[i % cuts.length] as number))
    yield all.slice(row, end)
    row = end
  }
}

/** Strings that lanes have met before, in another order each: their codes are not those of others. */
const met = await Promise.all(
  [
    ['', 'z', 'ä', 'b', 'm'],
    ['b', 'ö', 'a', ''],
  ].map(async texts => {
    const rows = texts.map(each => ({ time: 0n, key: each, code: 0, x: 0, y: 0n, name: each }))
    return (await rowsOf(rows, untimed).collect({ lanes: 0 })).batches[0]
  }),
)

/** Made once: that takes longer than a run does. */
const PARTS = ['evaluate', 'text', 'integers', 'extremes', 'aggregates', 'conditions', 'numbers', 'times'] as const
const contexts = [0, 1, 2].map(async () => (await openContext(PARTS)).context)

function openLane(context: OperatorContext, spec: LaneWindows, shape: typeof untimed, before: RecordBatch) {
  const loader = createBatchLoader(context)
  loader.load(before)
  context.k.memory.reset(0)
  const none = { took() {}, gave() {}, run: <T>(work: () => T): T => work() }
  const windows: WindowParts = createWindowParts(
    context,
    spec,
    buildPipeline(context, spec.stages),
    shape,
    () => none,
    { morsel: 1, window: 0, group: 0 },
  )
  return {
    take(batch: RecordBatch, place: number): boolean {
      const mark = context.k.memory.mark()
      const isTaken = windows.take({ ...loader.load(batch), rows: 0 }, place)
      context.k.memory.reset(mark)
      return isTaken
    },
    give: () => windows.give(batch => unloadBatch(context.k, batch)),
    close() {
      windows.free()
      loader.close()
    },
  }
}

/** Bytes that something still has of each. */
const kept = (all: readonly OperatorContext[]): number[] =>
  all.map(({ k: { memory } }) => memory.usedBytes - memory.scratchBytes)

interface Answer {
  readonly rows: readonly string[]
  readonly late: number
  readonly watermark: bigint | null
  readonly failure: unknown
}

/** What comes out of a graph that is given something, and in the end all that it has. */
function answerOf(graph: LiveGraph, feed: (take: (batches: readonly RecordBatch[]) => void) => void): Answer {
  const rows: string[] = []
  const take = (batches: readonly RecordBatch[]) => {
    for (const batch of batches) rows.push(...batch.toRows({ bigint: true }).map(text))
  }
  try {
    feed(take)
    take(graph.end())
  } catch (error) {
    const failure = error instanceof RowFailure ? error.error : error
    if (!(failure instanceof MillraceError)) throw error
    // How much comes out before goes by the batches.
    return { rows: [], late: 0, watermark: null, failure: failure.message }
  }
  expect(graph.stateSize).toBe(0)
  return { rows, late: graph.lateRows, watermark: graph.watermark, failure: null }
}

describe('groups of windows that lanes have made', () => {
  it('come to what the rows come to, whatever lanes are given of them', { timeout: 120_000 }, async () => {
    const seen = { parts: 0, late: 0, lateInParts: 0, overlapping: 0, failures: 0, taken: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(cases, async given => {
        const nulls = new Set(given.nullTimes)
        const own = given.rows.map((row, i) => (nulls.has(i) ? { ...row, time: null } : row))
        // Copies that differ, for results that go by the places of rows.
        const rows = own.flatMap(row =>
          Array.from({ length: given.copies }, (_, i) => ({ ...row, y: i === 0 ? row.y : BigInt(i), x: row.x + i })),
        )
        const cutsOf = (cuts: readonly number[]) => cuts.map(cut => cut * given.copies)
        const shape = rows.some(({ time }) => time === null) ? untimed : timed
        const source = rowsOf(rows, shape)
        const [all] = (await source.collect({ lanes: 0 })).batches
        if (all === undefined) return
        const cut = liveCut(bindPlan((flowOf(source, given) as any).plan, null), false) as LiveCut
        const plan = livePlan(cut, shape)
        const spec = laneWindows(plan, physicalPlan(cut.before)) as LaneWindows
        const [context, ...others] = (await Promise.all(contexts)) as [OperatorContext, ...OperatorContext[]]
        const run = (feed: (graph: LiveGraph, take: (batches: readonly RecordBatch[]) => void) => void) => {
          const graph = createLiveGraph(context, plan, shape)
          const answer = answerOf(graph, take => feed(graph, take))
          graph.free()
          context.k.memory.reset(0)
          return answer
        }
        const expected = run((graph, take) => {
          for (const batch of cutBy(all, cutsOf(given.otherCuts))) take(graph.push(batch))
        })
        const lanes = others.map((each, i) => openLane(each, spec, shape, met[i] as RecordBatch))
        const found = run((graph, take) => {
          let lane = lanes[0] as (typeof lanes)[0]
          let split = 0
          let place = 0
          const give = (): boolean => {
            const part = lane.give()
            if (part === null) return false
            seen.parts++
            if (part.lateRows > 0) seen.lateInParts++
            if (given.kind !== 'tumbling' && given.panes > 1) seen.overlapping++
            take(graph.pushPart(part))
            return true
          }
          for (const [i, batch] of [...cutBy(all, cutsOf(given.cuts))].entries()) {
            const way = given.ways[i % given.ways.length]
            const at = split * 2 ** 32 + place
            place += batch.rowCount
            if (way !== 'rows' && (lane.take(batch, at) || (give() && lane.take(batch, at)))) seen.taken++
            else {
              give()
              if (way !== 'rows') seen.refused++
              take(graph.push(batch))
            }
            if (way === 'keep') continue
            give()
            // The next split is another lane's.
            lane = lanes[++split % 2] as typeof lane
            place = 0
          }
          give()
        })
        for (const lane of lanes) lane.close()
        expect(found).toEqual(expected)
        // Some bytes are kernels' own, made once.
        expect(Math.max(...kept([context, ...others]))).toBeLessThan(256)
        if (expected.late > 0) seen.late++
        if (expected.failure !== null) seen.failures++
      }),
      { numRuns: Math.round(300 * Number(scale)), ...(seed === undefined ? {} : { seed: Number(seed) }) },
    )
    for (const times of Object.values(seen)) expect(times, JSON.stringify(seen)).toBeGreaterThan(3 * Number(scale))
  })
})
