/**
 * Jobs with far more state than budget, on every number of lanes: the same bits in the same order as without a budget, within it, and no file is left
 * whatever happens.
 */
import { describe, expect, it } from 'vitest'
import {
  approxCountDistinct,
  approxQuantile,
  argMax,
  collectList,
  columns,
  count,
  countDistinct,
  createEngine,
  csv,
  desc,
  type Engine,
  type Flow,
  first,
  float64,
  type Inputs,
  int32,
  int64,
  join,
  last,
  max,
  mean,
  median,
  min,
  mode,
  nullable,
  rowNumber,
  schema,
  sliding,
  stddev,
  sum,
  type Table,
  timestamp,
  topK,
  utf8,
} from '../../src/index.js'
import { counted, type FlowEnv, onLanes, refusal, until } from './env.js'

const MiB = 2 ** 20
const ROWS = 230_000
/** Of each lane, at most: how much one of several gets to do is a matter of chance. */
const MOST_SHARE = 3.5 * MiB
const JOIN_SHARE = 5 * MiB

/** Many keys, few keys, numbers of every size, and strings, nulls among them all. */
function dataOf(seed: number) {
  let state = seed
  const below = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
  const make = <T>(of: (i: number) => T) => Array.from({ length: ROWS }, (_, i) => of(i))
  return columns(
    {
      id: Int32Array.from(make(() => below(90_000))),
      few: Int32Array.from(make(() => below(700))),
      value: make(i =>
        below(9) === 0 ? null : below(2) === 0 ? below(10 ** 6) / 100 : (i % 3) * 10 ** (below(30) - 15),
      ),
      wide: make(() => (below(9) === 0 ? null : BigInt(below(2 ** 31)) * 2n ** 20n)),
      name: make(() => (below(20) === 0 ? null : `name ${below(60_000)}`)),
    },
    schema({ id: int32(), few: int32(), value: nullable(float64()), wide: nullable(int64()), name: nullable(utf8()) }),
  )
}

type Data = ReturnType<typeof dataOf>

const FLOWS: Record<string, (all: Data) => Flow<any>> = {
  'sums, extremes and counts': all =>
    all
      .groupBy('id')
      .aggregate(t => ({ n: count(), s: sum(t.value), m: mean(t.wide), least: min(t.value), most: max(t.wide) })),
  'moments and places': all =>
    all
      .groupBy('id')
      .aggregate(t => ({ d: stddev(t.value), f: first(t.name), l: last(t.few), a: argMax(t.name, t.value) })),
  'values that are kept': all =>
    all
      .groupBy('name')
      .aggregate(t => ({ m: median(t.value), c: countDistinct(t.wide), k: topK(t.few, 2), o: mode(t.few) })),
  'lists and joined strings': all =>
    all.groupBy('few').aggregate(t => ({ l: collectList(t.value), j: join(t.name, ',') })),
  'sketches by several keys': all =>
    all.groupBy('name', 'few').aggregate(t => ({ a: approxCountDistinct(t.id), q: approxQuantile(t.value, 0.5) })),
  'a sort by several keys': all => all.orderBy('name', desc('value'), 'few'),
  'a group-by, then another, then a sort': all =>
    all
      .groupBy('id', 'few')
      .aggregate(t => ({ s: sum(t.value), n: max(t.name) }))
      .groupBy('id')
      .aggregate(t => ({ s: median(t.s), n: min(t.n) }))
      .orderBy(desc('n'), 's'),
  'windows that overlap': all =>
    all
      .filter(t => t.few.lt(120))
      .derive(t => ({ at: t.few.cast(int64()).cast(timestamp()) }))
      .watermark('at', { delay: '1s' })
      .window(sliding('300ms', '100ms'))
      .groupBy('name')
      .aggregate(t => ({ n: count(), s: sum(t.value), l: last(t.wide), c: countDistinct(t.few) })),
  'a sort of which few rows are wanted': all => all.orderBy('name', 'value').limit(20_000, 5),
}

/** Of which one lane needs more to begin with. */
const JOINS: typeof FLOWS = {
  'a join': all => all.filter(t => t.few.lt(200)).leftJoin(all.drop('name'), 'id'),
  'a join by several keys, whose rows are grouped': all =>
    all
      .join(all.drop('name'), ['id', 'few'])
      .groupBy('name')
      .aggregate(t => ({ n: count(), s: sum(t.value_right), l: last(t.wide_right) })),
  'rows that have no partner, in order': all =>
    all.antiJoin(all.filter(t => t.few.lt(690)).select('id', 'wide'), ['id', 'wide']).orderBy('name', 'id'),
}

/** All values of all columns, as text where they are not numbers. */
function expectSame(found: Table, wanted: Table): void {
  expect(found.rowCount).toBe(wanted.rowCount)
  expect(Object.keys(found.schema)).toEqual(Object.keys(wanted.schema))
  for (const name of Object.keys(wanted.schema)) {
    const [a, b] = [found.column(name), wanted.column(name)]
    for (let i = 0; i < wanted.rowCount; i++) {
      const [x, y] = [a.at(i) as unknown, b.at(i) as unknown]
      if (Object.is(x, y) || (typeof y === 'object' && JSON.stringify(x) === JSON.stringify(y))) continue
      throw new Error(`${name}, row ${i}: ${JSON.stringify(x)}, not ${JSON.stringify(y)}`)
    }
  }
}

const peaksOf = (text: string): number[] =>
  ((/memory of the job, peak by lane: (.*)$/m.exec(text) as RegExpExecArray)[1] as string)
    .split(', ')
    .map(each => MiB * Number.parseFloat(each))

export function spillSuite(lanesList: readonly number[], env: FlowEnv, seed = 1): void {
  /** Inline in a page there is nowhere to write to. */
  const spilling = lanesList.filter(lanes => lanes > 0 || env.runtime === 'node')
  /** Of what more lanes do as two do. */
  const noneAndTwo = spilling.filter(lanes => lanes % 2 === 0)

  describe('a job with a small part of the memory that it would take', () => {
    const data = dataOf(seed)
    for (const [i, [name, make]] of Object.entries({ ...FLOWS, ...JOINS }).entries()) {
      const flow = make(data)
      const most = name in JOINS ? JOIN_SHARE : MOST_SHARE
      let once: Promise<{ wanted: Table; peak: number }> | null = null
      const unbounded = () => {
        once ??= (async () => {
          const [peak] = peaksOf(await flow.explain({ analyze: true }, { lanes: 0 }))
          return { wanted: await flow.collect({ lanes: 0 }), peak }
        })()
        return once
      }
      // Inline and three lanes take turns with one and two: each flow takes seconds on each.
      const turn =
        env.runtime === 'node' ? spilling.filter(lanes => [0, 3].includes(lanes) === (i % 2 === 0)) : spilling
      onLanes(turn, (engine, lanes) => {
        it(`gives the same: ${name}`, { timeout: 120_000 }, async () => {
          const { wanted, peak } = await unbounded()
          expect(peak).toBeGreaterThan((name in JOINS ? 2.5 : 4.5) * most)
          const share = name in JOINS ? most : Math.min(most, Math.floor(peak / 5))
          const options = { engine: engine(), memory: share * Math.max(1, lanes) }
          expectSame(await flow.collect(options), wanted)
          // Twice as long, and told alike by all lanes: inline and on two by turns, where both spill.
          if (lanes !== (spilling.includes(0) ? 2 * (i % 2) : 2)) return
          const text = await flow.explain({ analyze: true }, options)
          expect(text).toMatch(/spilled [\d.]+ MB in \d+ pieces/)
          // Told to a tenth.
          expect(Math.max(...peaksOf(text))).toBeLessThanOrEqual(share + MiB / 20)
        })
      })
    }
  })

  describe('what has been spilled', () => {
    const all = columns(counted(400_000))
    const manyGroups = all.groupBy('id').aggregate(t => ({ s: sum(t.value) }))
    const memory = (lanes: number) => 4 * MiB * Math.max(1, lanes)
    /** In a browser a disk that is busy is waited for. */
    const goes = () => until(async () => (await env.spillFiles()) === 0, 20_000)

    async function expectWorks(engine: Engine, lanes: number): Promise<void> {
      expect((await manyGroups.collect({ engine, memory: memory(lanes) })).rowCount).toBe(400_000)
      await goes()
    }

    onLanes(spilling, (engine, lanes) => {
      it('goes with a job that ends', { timeout: 60_000 }, async () => {
        await expectWorks(engine(), lanes)
      })

      it('goes with a job that is aborted halfway', { timeout: 60_000 }, async () => {
        let seen = 0
        const look = async () => {
          seen = Math.max(seen, await env.spillFiles())
        }
        const controller = new AbortController()
        const aborted = manyGroups.collect({
          engine: engine(),
          memory: memory(lanes),
          signal: controller.signal,
          onProgress: async () => {
            await look()
            // Once something has been written, however long it takes to see it.
            if (seen > 0) controller.abort('enough')
          },
        })
        await expect(aborted).rejects.toBe('enough')
        expect(seen).toBeGreaterThan(0)
        await goes()
        await expectWorks(engine(), lanes)
      })

      it('goes with a job that fails by a row near the end', { timeout: 60_000 }, async () => {
        const overflowing = columns({
          id: BigInt64Array.from({ length: 600_000 }, (_, i) => (i === 599_999 ? 2n ** 62n : BigInt(i))),
        })
          .derive(t => ({ twice: t.id.add(t.id) }))
          .orderBy(desc('twice'))
        const error = await refusal(
          () => overflowing.collect({ engine: engine(), memory: memory(lanes) }),
          'MR_INTEGER_OVERFLOW',
        )
        expect(error.details.row).toBe(599_999)
        await goes()
        await expectWorks(engine(), lanes)
      })

      it('goes with an engine that is closed', { timeout: 120_000 }, async () => {
        const own = await createEngine({ lanes })
        const closed = manyGroups.collect({
          engine: own,
          memory: memory(lanes),
          onProgress: ({ rows }) => void (rows > 240_000 && own.close()),
        })
        await expect(closed).rejects.toMatchObject({ code: 'MR_CLOSED' })
        await goes()
      })

      if (lanes > 0) {
        it('goes with a lane that dies', { timeout: 120_000 }, async () => {
          const own = await createEngine({ lanes })
          let killed = false
          const dying = manyGroups.collect({
            engine: own,
            memory: memory(lanes),
            onProgress({ rows }) {
              if (rows > 240_000 && !killed) env.workers.killLast()
              killed ||= rows > 240_000
            },
          })
          await expect(dying).rejects.toMatchObject({ code: 'MR_LANE_FAILED' })
          await goes()
          await expectWorks(own, lanes)
          await own.close()
        })
      }
    })
  })

  describe('strings that a filter leaves out', () => {
    const rowCount = 262_144
    const all = columns({
      name: Array.from({ length: rowCount }, (_, i) => `a name like no other, ${i}`),
      few: Int32Array.from({ length: rowCount }, (_, i) => i % 400),
    })
    const some = all.filter(t => t.few.eq(1))
    const flows: Record<string, Flow> = {
      'a group-by': some.groupBy('name').aggregate(() => ({ n: count() })),
      'a group-by of what they say': all
        .filter(t => t.name.contains('77'))
        .groupBy('few')
        .aggregate(() => ({ n: count() })),
      'computed ones': all
        .derive(t => ({ name: t.name.concat('!') }))
        .filter(t => t.few.eq(1))
        .groupBy('name')
        .aggregate(() => ({ n: count() })),
      'an aggregate without keys': some.aggregate(t => ({ most: max(t.name), n: count() })),
      'a sort': some.orderBy(desc('name')),
      'a limit': some.limit(50, 300),
      'rows among others': some.over({ partitionBy: ['few'], orderBy: ['name'] }, () => ({ n: rowNumber() })),
      'rows that only pass': all.filter(t => t.few.gt(1)),
    }
    const wanted = new Map<string, Promise<Table>>()
    onLanes(noneAndTwo, (engine, lanes) => {
      it.each(Object.keys(flows))('need no room: %s', { timeout: 60_000 }, async name => {
        if (!wanted.has(name)) wanted.set(name, flows[name].collect({ lanes: 0 }))
        const same = (await wanted.get(name)) as Table
        expect(same.rowCount).toBeGreaterThan(0)
        expectSame(await flows[name].collect({ engine: engine(), memory: 4 * MiB * Math.max(1, lanes) }), same)
      })
    })
  })

  describe('rows that a limit leaves out', () => {
    const data = dataOf(seed)
    const flows: Record<string, Flow<any>> = {
      'before those that are wanted': data.limit(10, 200_000),
      'behind them, of other lanes': data.limit(120_000, 1000),
      'in order': data.orderBy('name', 'value').limit(10_000, 100_000),
    }
    onLanes(noneAndTwo, (engine, lanes) => {
      it.each(Object.keys(flows))('need no room: %s', { timeout: 60_000 }, async name => {
        const wanted = await flows[name].collect({ lanes: 0 })
        expect(wanted.rowCount).toBeGreaterThan(0)
        expectSame(await flows[name].collect({ engine: engine(), memory: 3 * MiB * Math.max(1, lanes) }), wanted)
      })
    })
  })

  describe('jobs at the same time, each with a budget', () => {
    const all = columns(counted(200_000))
    const flows: Flow[] = [
      all.orderBy(desc('value')),
      all.groupBy('id').aggregate(t => ({ s: sum(t.value) })),
      all.groupBy('id', 'key').aggregate(() => ({ n: count() })),
    ]
    onLanes(spilling, (engine, lanes) => {
      it('have as much room as each has alone', { timeout: 60_000 }, async () => {
        const options = { engine: engine(), memory: 3 * MiB * Math.max(1, lanes) }
        const found = await Promise.all(flows.map(flow => flow.collect(options)))
        for (const [i, flow] of flows.entries()) expectSame(found[i], await flow.collect({ lanes: 0 }))
      })
    })
  })

  describe('strings that come again and again, in no order', () => {
    const rowCount = 60_000
    const name = Array.from({ length: rowCount }, (_, i) => `name ${(i * 7919) % 12_000} `.padEnd(200, 'and more '))
    const all = columns({ name })
    onLanes(spilling, (engine, lanes) => {
      it('are read as far as there is room', { timeout: 60_000 }, async () => {
        const flow: Flow = all.groupBy('name').aggregate(() => ({ n: count() }))
        const wanted = await flow.collect({ lanes: 0 })
        expectSame(await flow.collect({ engine: engine(), memory: 4 * MiB * Math.max(1, lanes) }), wanted)
      })
    })
  })

  describe('the other side of a join', () => {
    const rowCount = 200_000
    const key = Array.from({ length: rowCount }, (_, i) => (i * 7919) % rowCount)
    const some = columns({ key: Int32Array.from(key).reverse(), place: Int32Array.from(key, (_, i) => i) })
    const name = key.map(each => `a name like no other, ${each}`)
    const flows: Record<string, Flow> = {
      'may have many strings': some.join(columns({ key: Int32Array.from(key), name }), 'key'),
      'may have many keys that are null': some.leftJoin(
        columns({ key: key.map(each => (each % 50 === 0 ? each : null)), name, value: Float64Array.from(key) }),
        'key',
      ),
    }
    onLanes(noneAndTwo, (engine, lanes) => {
      it.each(Object.keys(flows))('%s', { timeout: 60_000 }, async name => {
        const wanted = await flows[name].collect({ lanes: 0 })
        expectSame(await flows[name].collect({ engine: engine(), memory: 5 * MiB * Math.max(1, lanes) }), wanted)
      })
    })
  })

  describe('rows looked up by text', () => {
    const text = Array.from({ length: 200_000 }, (_, i) => `k${i}`)
    const few = text.filter((_, i) => i % 100 === 0)
    const flow: Flow<any> = columns({ text: few }).join(columns({ text, place: Int32Array.from(text.keys()) }), 'text')
    onLanes(noneAndTwo, (engine, lanes) => {
      it('leave nothing of the strings that were let go', { timeout: 60_000 }, async () => {
        const wanted = await flow.collect({ lanes: 0 })
        expect(wanted.rowCount).toBe(few.length)
        expectSame(await flow.collect({ engine: engine(), memory: 2 * MiB * Math.max(1, lanes) }), wanted)
      })
    })
  })

  describe('an aggregate without keys', () => {
    const few = Int32Array.from({ length: 300_000 }, (_, i) => i % 10)
    const text = Array.from(few, (_, i) => (i % 50 === 7 ? null : `some words of row ${(i * 7919) % few.length}`))
    const csvText = `few,text\n${text.map((each, i) => `${few[i]},${each ?? ''}`).join('\n')}\n`
    const sources: Record<string, Flow<any>> = {
      columns: columns({ few, text }),
      csv: csv({ text: csvText }, { schema: schema({ few: int32(), text: nullable(utf8()) }) }),
    }
    const of = (rows: Flow<any>): Flow =>
      rows.aggregate(t => ({
        n: count(t.text),
        least: min(t.text),
        most: max(t.text.upper()).where(t.few.lt(7)),
        front: first(t.text),
        back: last(t.text),
        which: argMax(t.text, t.few),
        best: topK(t.text, 3),
        distinct: approxCountDistinct(t.text),
        digits: countDistinct(t.few),
      }))
    onLanes(noneAndTwo, (engine, lanes) => {
      it.each(Object.keys(sources))(
        'keeps no strings but those of its results: %s',
        { timeout: 60_000 },
        async name => {
          const wanted = await of(sources[name]).collect({ lanes: 0 })
          expect(wanted.toRows()[0]).toMatchObject({ n: 294_000, front: 'some words of row 0', digits: 10 })
          expectSame(
            await of(sources[name]).collect({ engine: engine(), memory: 8 * MiB * Math.max(1, lanes) }),
            wanted,
          )
        },
      )
    })
  })

  describe('strings of the input', () => {
    const text = Array.from({ length: 200_000 }, (_, i) => `some words of row ${(i * 7919) % 200_000}`)
    const flow: Flow<any> = columns({ text }).orderBy('text')
    onLanes(spilling, (engine, lanes) => {
      it('take no room once it has ended', { timeout: 60_000 }, async () => {
        const wanted = await flow.collect({ lanes: 0 })
        expectSame(await flow.collect({ engine: engine(), memory: 2.5 * MiB * Math.max(1, lanes) }), wanted)
      })
    })
  })

  describe('a budget of a few pages', () => {
    it('does not have groups parted one by one', { timeout: 60_000 }, async () => {
      const flow: Flow = columns(counted(30_000))
        .derive(t => ({ by: t.id.mod(9000) }))
        .groupBy('by')
        .aggregate(t => ({ n: count(), s: sum(t.value), m: mean(t.id), d: stddev(t.value), o: count(t.value) }))
      const wanted = await flow.collect({ lanes: 0 })
      for (const lanes of spilling) {
        if (lanes > 0) continue
        expectSame(await flow.collect({ lanes, memory: MiB }), wanted)
        const text = await flow.explain({ analyze: true }, { lanes, memory: MiB })
        expect(Number(/spilled [\d.]+ MB in (\d+) pieces/.exec(text)?.[1])).toBeLessThan(9000)
      }
    })
  })

  describe('groups that keep many values', () => {
    const rowCount = 500_000
    const value = Float64Array.from({ length: rowCount }, (_, i) => (i * 31) % 100_003)
    const name = Array.from({ length: rowCount }, (_, i) => `name ${(i * 31) % 50_021}`)
    const by = (groups: number) => Int32Array.from({ length: rowCount }, (_, i) => (i * 7919) % groups)
    const flows: Record<string, Flow> = {
      'few of them': columns({ by: by(100), value })
        .groupBy('by')
        .aggregate(t => ({ l: collectList(t.value) })),
      'lists of strings': columns({ by: by(2000), name })
        .groupBy('by')
        .aggregate(t => ({ l: collectList(t.name) })),
    }
    const wanted = new Map<string, Promise<Table>>()
    onLanes(noneAndTwo, (engine, lanes) => {
      it.each(Object.keys(flows))('are written: %s', { timeout: 60_000 }, async name => {
        if (!wanted.has(name)) wanted.set(name, flows[name].collect({ lanes: 0 }))
        const found = await flows[name].collect({ engine: engine(), memory: 4 * MiB * Math.max(1, lanes) })
        expectSame(found, (await wanted.get(name)) as Table)
      })
    })
  })

  describe('windows of hundreds of panes', () => {
    it('are put together within a budget', { timeout: 60_000 }, async () => {
      const at = BigInt64Array.from({ length: 4000 }, (_, i) => BigInt((i * 7919) % 30_000))
      const id = Int32Array.from({ length: 4000 }, (_, i) => i % 40)
      const flow: Flow<any> = columns({ at, id }, schema({ at: timestamp(), id: int32() }))
        .watermark('at', { delay: '1m' })
        .window(sliding('20s', '100ms'))
        .groupBy('id')
        .aggregate(() => ({ n: count() }))
      const wanted = await flow.collect({ lanes: 0 })
      for (const lanes of spilling) {
        if (lanes > 0) continue
        expectSame(await flow.collect({ lanes, memory: 2 * MiB }), wanted)
        expect(await flow.explain({ analyze: true }, { lanes, memory: 2 * MiB })).toMatch(/spilled [\d.]+ MB/)
      }
    })
  })

  describe('sums that become wider by strings', () => {
    it('are written in time, whatever the budget', { timeout: 60_000 }, async () => {
      const flow: Flow<any> = dataOf(seed)
        .groupBy('name')
        .aggregate(t => ({ s: sum(t.value) }))
      const wanted = await flow.collect({ lanes: 0 })
      for (const lanes of spilling) {
        if (lanes > 0) continue
        for (const share of [2, 3.5, 4.5]) expectSame(await flow.collect({ lanes, memory: share * MiB }), wanted)
      }
    })
  })

  describe('text', () => {
    it('is read in blocks that a small budget has room for', { timeout: 60_000 }, async () => {
      const shape = schema({ id: int32(), key: int32(), value: float64(), name: utf8() })
      const lines = Array.from({ length: 60_000 }, (_, i) => `${i},${(i * 7919) % 60_000},${i / 4},name${i % 997}\n`)
      const bytes = new TextEncoder().encode(`id,key,value,name\n${lines.join('')}`)
      const oneChunk = () =>
        new ReadableStream<Uint8Array<ArrayBuffer>>({
          start(controller) {
            controller.enqueue(bytes)
            controller.close()
          },
        })
      const grouped = (input: Inputs): Flow<any> =>
        csv(input, { schema: shape })
          .groupBy('key', 'name')
          .aggregate(t => ({ s: sum(t.value), n: count() }))
      const wanted = await grouped(bytes).collect({ lanes: 0 })
      for (const lanes of spilling) {
        if (lanes === 1 || lanes === 3) continue
        const memory = Math.max(1, lanes) * 4 * MiB
        for (const input of [bytes, oneChunk()]) expectSame(await grouped(input).collect({ lanes, memory }), wanted)
      }
    })
  })

  describe('a tenth of the state', () => {
    it('is enough to group and to sort', { timeout: 120_000 }, async () => {
      const all = columns(counted(1_500_000))
      const grouped = all.groupBy('id').aggregate(t => ({ s: sum(t.value) }))
      const flows = [grouped, all.orderBy(desc('id'))] as readonly Flow[]
      for (const flow of flows) {
        const [peak] = peaksOf(await flow.explain({ analyze: true }, { lanes: 0 }))
        for (const lanes of spilling) {
          if (lanes === 1 || lanes === 3) continue
          const memory = Math.max(1, lanes) * 3 * MiB
          expect(memory / Math.max(1, lanes)).toBeLessThan(peak / 10)
          const table = await flow.collect({ lanes, memory })
          const ids = table.column('id').toArray() as ArrayLike<number>
          const step = ids[1] - ids[0]
          expect([ids.length, step]).toEqual([1_500_000, flow === grouped ? 1 : -1])
          for (let i = 1; i < ids.length; i++) if (ids[i] - ids[i - 1] !== step) throw new Error(`row ${i}: ${ids[i]}`)
        }
      }
    })
  })

  describe('an engine that may not spill', () => {
    it('refuses what is beyond the budget, and options that say no folder', async () => {
      for (const lanes of lanesList) {
        const engine = await createEngine({ lanes, spill: false })
        const flow = columns(counted(400_000)).orderBy(desc('id'))
        const error = await refusal(() => flow.collect({ engine, memory: 3 * MiB }), 'MR_MEMORY_LIMIT')
        expect(error.message).not.toContain('spilled')
        await engine.close()
      }
      for (const spill of [true, '', 7, null]) {
        await refusal(() => createEngine({ lanes: 0, spill: spill as never }), 'MR_INVALID_OPTION')
      }
      expect(await env.spillFiles()).toBe(0)
    })

    it('in a page inline, says why', async () => {
      if (env.runtime === 'node') return
      const flow = columns(counted(400_000)).orderBy(desc('id'))
      const error = await refusal(() => flow.collect({ lanes: 0, memory: 3 * MiB }), 'MR_MEMORY_LIMIT')
      expect(error.message).toContain('nothing can be spilled')
    })
  })
}
