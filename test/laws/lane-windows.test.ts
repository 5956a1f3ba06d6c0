// Windows of a flow that runs on, of rows that lanes group before they leave them: rows, order, late rows and what is counted are those of the calling thread alone, whatever the lanes.
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  argMax,
  count,
  createEngine,
  csv,
  dictionary,
  type Engine,
  type Flow,
  float64,
  columns as flowOfColumns,
  int32,
  last,
  max,
  mean,
  min,
  nullable,
  type RecordBatch,
  schema,
  sliding,
  stream,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { text } from './running.js'

const { MILLRACE_RUNS: scale = '1', MILLRACE_SEED: seed } = process.env
/** A lane begins to group with so many rows; batches of fewer go on as they are. */
const LARGE = 8192

const shape = schema({ time: nullable(timestamp()), key: int32(), name: nullable(utf8()), x: float64() })
const timedShape = schema({ ...shape, time: timestamp() }) as unknown as typeof shape

const cases = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  /** Rows of each batch. */
  batches: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: LARGE, max: 6 * LARGE }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 300 }) },
    ),
    { minLength: 2, maxLength: 8 },
  ),
  /** How far back times go now and then, and how often one of a thousand does. */
  disorder: fc.constantFrom(0, 40, 20_000, 400_000),
  often: fc.constantFrom(1, 30, 500),
  /** Of short ones a morsel has more than a lane groups at once. */
  isSliding: fc.boolean(),
  size: fc.constantFrom(1000, 4000, 12_000, 20_000, 300_000),
  delay: fc.constantFrom(0, 40, 12_000, 12_001),
  hasNulls: fc.boolean(),
  keys: fc.constantFrom<readonly string[]>([], ['key'], ['name'], ['key', 'name']),
  /** Whether they are there from the start, come batch by batch, or are read from a text. */
  source: fc.constantFrom('columns', 'stream', 'text') as fc.Arbitrary<'columns' | 'stream' | 'text'>,
  /** Whether a stream's rows are worth a lane: the calling thread does what happens to others as they come. */
  isMuch: fc.boolean(),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

/** All rows, a millisecond and a half apart but for those that come late. */
function columnsOf({ seed, batches, disorder, often, hasNulls }: Case) {
  const rowCount = batches.reduce((total, rows) => total + rows, 0)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const time: (bigint | null)[] = []
  const key = new Int32Array(rowCount)
  const name = new Int32Array(rowCount)
  const x = new Float64Array(rowCount)
  for (let row = 0; row < rowCount; row++) {
    const now = Math.floor(1.5 * row)
    time.push(hasNulls && random(900) === 0 ? null : BigInt(random(1000) < often ? now - random(disorder + 1) : now))
    key[row] = random(50)
    name[row] = random(4)
    x[row] = random(1000) / 7
  }
  return { time, key, name, x }
}

const NAMES = ['a', 'ö', '', 'zz']

const textOf = ({ time, key, name, x }: ReturnType<typeof columnsOf>): Uint8Array => {
  const lines = time.map((each, row) => {
    const at = each === null ? '' : new Date(Number(each)).toISOString()
    return `${at},${key[row]},"${NAMES[name[row] as number]}",${x[row]}`
  })
  return new TextEncoder().encode(['time,key,name,x', ...lines].join('\n'))
}

async function* inBatches(all: Flow<typeof shape>, sizes: readonly number[]): AsyncGenerator<RecordBatch> {
  const table = await all.collect({ lanes: 0 })
  let from = 0
  for (const rows of sizes) {
    yield* table.slice(from, from + rows).batches as readonly RecordBatch[]
    from += rows
  }
}

function flowOf(given: Case, data: ReturnType<typeof columnsOf>): Flow<any> {
  const own = given.hasNulls ? shape : timedShape
  const all = flowOfColumns({ ...data, name: dictionary(data.name, NAMES) }, own as any) as unknown as Flow<
    typeof shape
  >
  const source =
    given.source === 'columns'
      ? all
      : ((given.source === 'stream'
          ? stream(inBatches(all, given.batches), { schema: own })
          : csv(textOf(data), { schema: own })) as unknown as typeof all)
  const windows = source
    .derive(r => ({ y: (given.isMuch ? r.x.abs().abs().abs().abs().abs() : r.x).mul(2) }))
    .watermark('time', { delay: `${given.delay}ms` })
    .filter(r => r.key.ne(7))
    .window(given.isSliding ? sliding(`${4 * given.size}ms`, `${given.size}ms`) : tumbling(`${given.size}ms`))
  return (given.keys.length === 0 ? windows : windows.groupBy(...(given.keys as ['key']))).aggregate(r => ({
    rows: count(),
    total: sum(r.x),
    whole: sum(r.key),
    mean: mean(r.y).where(r.key.gt(3)),
    least: min(r.name),
    most: max(r.x),
    last: last(r.x),
    top: argMax(r.name, r.y),
  }))
}

const engines = new Map<number, Promise<Engine>>()
const engineOf = (lanes: number): Promise<Engine> => {
  const engine = engines.get(lanes) ?? createEngine({ lanes })
  engines.set(lanes, engine)
  return engine
}

async function run(flow: Flow<any>, lanes: number) {
  const job = flow.run({ engine: await engineOf(lanes) })
  const rows: string[] = []
  let counted = 0
  for await (const batch of job) {
    for (const row of batch.toRows({ bigint: true })) {
      rows.push(text(row))
      counted += Number(row.rows)
    }
  }
  const { lateRows, watermark, groups, nodes = [] } = job.metrics()
  const grouped = nodes.find(({ name, place }) => place === 'lanes' && name.startsWith('group by window'))?.rowsIn ?? 0
  return { answer: { rows, lateRows, watermark, groups }, counted, grouped }
}

describe('windows that lanes group', () => {
  afterAll(async () => {
    for (const engine of engines.values()) await (await engine).close()
  })

  it('are those of the calling thread alone, on 0, 1, 2 and 3 lanes', { timeout: 180_000 }, async () => {
    const seen = { grouped: 0, late: 0, sliding: 0, withRows: 0, alone: 0 }
    await fc.assert(
      fc.asyncProperty(cases, async given => {
        const data = columnsOf(given)
        const alone = await run(flowOf({ ...given, isMuch: true }, data), 0)
        const pushed = data.key.filter(key => key !== 7).length
        expect(alone.grouped).toBe(0)
        if (!given.isSliding) expect(alone.counted + (alone.answer.lateRows as number)).toBe(pushed)
        for (const lanes of [given.isMuch ? 1 : 0, 2, 3]) {
          const found = await run(flowOf(given, data), lanes)
          expect(found.answer).toEqual(alone.answer)
          if (lanes === 0) seen.alone++
          if (found.grouped > 0) seen.grouped++
          if (found.grouped > 0 && given.isSliding) seen.sliding++
          if (found.grouped > 0 && found.grouped < pushed) seen.withRows++
          if (found.grouped > 0 && (found.answer.lateRows as number) > 0) seen.late++
        }
      }),
      { numRuns: Math.round(20 * Number(scale)), ...(seed === undefined ? {} : { seed: Number(seed) }) },
    )
    for (const times of Object.values(seen)) expect(times, JSON.stringify(seen)).toBeGreaterThan(Number(scale))
  })

  it('go as they are where a job has a budget, or late rows are asked for', async () => {
    const given: Case = {
      ...{ seed: 5, batches: [2 * LARGE], disorder: 20_000, often: 30, size: 4000, delay: 0, hasNulls: false },
      ...{ keys: ['key'], source: 'columns', isSliding: false, isMuch: false },
    }
    const data = columnsOf(given)
    const engine = await engineOf(2)
    for (const [flow, options] of [
      [flowOf(given, data), { memory: 2 ** 28 }],
      [flowOf(given, data).late(), {}],
    ] as const) {
      const job = flow.run({ engine, ...options })
      for await (const _ of job);
      expect(job.metrics().lateRows).toBeGreaterThan(0)
      expect((job.metrics().nodes ?? []).some(({ name }) => name.startsWith('group by window'))).toBe(false)
    }
  })
})
