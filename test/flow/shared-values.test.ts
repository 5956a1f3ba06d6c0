// States that hold so many values that lanes share them out: counts of distinct values and modes, against maps and against other numbers of lanes.
import { describe, expect, test } from 'vitest'
import { columns, countDistinct, createEngine, first, max, median, mode, quantile, sum, utf8 } from '../../src/index.js'
import { loadedInto, scrambled } from './loaded-lanes.js'

const ROWS = 440_000

/** So many values that every lane of three has more than one table takes; some come twice, in lanes far from one another. */
const values = Int32Array.from({ length: ROWS }, (_, i) => scrambled(i % 300_000) | 0)
/** Of a few rows in the middle many values, elsewhere few: one lane alone has much. */
const uneven = Int32Array.from({ length: ROWS }, (_, i) => (i > 150_000 && i < 290_000 ? scrambled(i) : i % 5))
const texts = Array.from(values, value => `user ${value}`)
const wide = Float64Array.from(values, value => value / 3)
/** Groups that first appear late, and in other lanes than most of their rows are in. */
const groups = Int32Array.from({ length: ROWS }, (_, i) => (i < 200_000 ? i % 40 : 90 - (i % 90)))
const names = Array.from(groups, group => `group ${group} of some length`)
/** Groups that every lane meets in its first rows. */
const cells = Int32Array.from({ length: ROWS }, (_, i) => scrambled(i) % 600)
const rows = columns({ values, uneven, texts, wide, groups, names, cells })

function expected<K, V>(keys: readonly K[] | Int32Array, of: ArrayLike<V>) {
  const counts = new Map<K | number, Map<V, number>>()
  for (let i = 0; i < ROWS; i++) {
    const mine = counts.get(keys[i]) ?? new Map<V, number>()
    counts.set(keys[i], mine)
    mine.set(of[i], (mine.get(of[i]) ?? 0) + 1)
  }
  return [...counts].map(([key, mine]) => ({ key, distinct: mine.size, most: Math.max(...mine.values()) }))
}

describe.each([0, 2, 3])('on %i lanes', lanes => {
  const held = loadedInto(lanes, rows)

  test.each(['values', 'uneven', 'texts', 'wide'] as const)('%s of all rows', async name => {
    const flow = held.loaded.aggregate(t => ({ distinct: countDistinct(t[name]), total: sum(t.groups) }))
    const total = groups.reduce((all, group) => all + group, 0)
    const of = { values, uneven, texts, wide }[name]
    expect(await held.collected(flow)).toEqual([{ distinct: new Set<unknown>(of).size, total }])
  })

  test.each(['groups', 'names'] as const)('of %s, in order of first appearance', async key => {
    const flow = held.loaded.groupBy(key).aggregate(t => ({
      values: countDistinct(t.values),
      uneven: countDistinct(t.uneven),
      texts: countDistinct(t.texts),
      few: countDistinct(t.groups),
      top: max(t.values),
      first: first(t.texts),
    }))
    const [ofValues, ofUneven] = [values, uneven].map(each => expected(key === 'groups' ? groups : names, each))
    const found = await held.collected(flow)
    expect(found.map(row => row[key])).toEqual(ofValues.map(each => each.key))
    for (const name of ['values', 'texts'])
      expect(found.map(row => row[name])).toEqual(ofValues.map(each => each.distinct))
    expect(found.map(row => row.uneven)).toEqual(ofUneven.map(each => each.distinct))
    expect(new Set(found.map(row => row.few))).toEqual(new Set([1]))
  })

  test('values that come most often, of several the least', async () => {
    const flow = held.loaded.groupBy('groups').aggregate(t => ({
      mode: mode(t.values),
      text: mode(t.texts),
      distinct: countDistinct(t.values),
    }))
    const model = expected(groups, values)
    const found = await held.collected(flow)
    for (const [i, row] of found.entries()) {
      const { mode: value, text, distinct } = row as { mode: number; text: string; distinct: number }
      const mine = new Map<number, number>()
      for (let j = 0; j < ROWS; j++) {
        if (groups[j] === model[i].key) mine.set(values[j], (mine.get(values[j]) ?? 0) + 1)
      }
      const best = [...mine].filter(([, count]) => count === model[i].most).map(([each]) => each)
      expect(value).toBe(Math.min(...best))
      expect(text).toBe(best.map(each => `user ${each}`).sort()[0])
      expect(distinct).toBe(model[i].distinct)
    }
  })

  test.each([
    ['names', names],
    ['groups', groups],
    ['cells', cells],
  ] as const)('medians and quantiles of %s, some of them without a value', async (key, keys) => {
    const flow = held.loaded.groupBy(key).aggregate(t => ({
      middle: median(t.wide),
      most: quantile(t.values, 0.9),
      some: median(t.values).where(t.groups.gt(60)),
      distinct: countDistinct(t.texts),
    }))
    const model = new Map<string | number, { all: number[]; some: number[] }>()
    for (let i = 0; i < ROWS; i++) {
      const mine = model.get(keys[i]) ?? { all: [], some: [] }
      model.set(keys[i], mine)
      mine.all.push(values[i])
      if (groups[i] > 60) mine.some.push(values[i])
    }
    const at = (sorted: Float64Array, q: number) => {
      const h = (sorted.length - 1) * q
      const [a, b, t] = [sorted[Math.floor(h)], sorted[Math.floor(h) + 1], h - Math.floor(h)]
      return t === 0 || a === b ? a : t === 0.5 ? (a + b) / 2 : Math.min(a + t * (b - a), b)
    }
    const found = await held.collected(flow)
    expect(found.map(row => row[key])).toEqual([...model.keys()])
    for (const [i, { all, some }] of [...model.values()].entries()) {
      const sorted = Float64Array.from(all).sort()
      expect(found[i].middle).toBe(
        at(
          sorted.map(value => value / 3),
          0.5,
        ),
      )
      expect(found[i].most).toBe(at(sorted, 0.9))
      expect(found[i].some).toBe(some.length === 0 ? null : at(Float64Array.from(some).sort(), 0.5))
    }
  })

  test.each([24, 48, 96])('within %i MiB, in which many tables have no room', async mebibytes => {
    const flow = rows.groupBy('groups').aggregate(t => ({ values: countDistinct(t.values), texts: mode(t.texts) }))
    const found = (await flow.collect({ engine: held.engine, memory: mebibytes * 2 ** 20 })).toRows()
    const model = expected(groups, values)
    expect(found.map(row => [row.groups, row.values])).toEqual(model.map(each => [each.key, each.distinct]))
  })

  test('with what else is asked of the groups behind, and rows that are left out', async () => {
    const flow = held.loaded
      .filter(t => t.values.gt(0))
      .groupBy('names')
      .aggregate(t => ({ distinct: countDistinct(t.values).where(t.wide.lt(5e8)), top: max(t.values) }))
      .orderBy('distinct', 'names')
    const kept = new Map<string, Set<number>>()
    for (let i = 0; i < ROWS; i++) {
      if (values[i] <= 0) continue
      const mine = kept.get(names[i]) ?? new Set()
      kept.set(names[i], mine)
      if (wide[i] < 5e8) mine.add(values[i])
    }
    const model = [...kept].map(([name, mine]) => ({ names: name, distinct: mine.size }))
    model.sort((a, b) => a.distinct - b.distinct || (a.names < b.names ? -1 : 1))
    const found = await held.collected(flow)
    expect(found).toEqual(model.map(each => expect.objectContaining(each)))
  })
})

test('medians where strings that are no keys have come behind the last that is one, to every lane', async () => {
  const [ROWS, LATE] = [2 ** 20, 2 ** 18]
  const at = (f: (i: number) => number) => Int32Array.from({ length: ROWS }, (_, i) => f(i))
  const flow = columns({
    id: at(i => (i < ROWS - LATE ? 0 : 1000) + (i % 64)),
    part: at(i => (i >> 6) & 7),
    value: at(scrambled),
  })
    .derive(t => ({ name: t.id.cast(utf8()) }))
    .filter(t => t.name.length().lt(3))
    .groupBy('name', 'part')
    .aggregate(t => ({ middle: median(t.value) }))
  const answers = []
  for (const lanes of [0, 2, 3]) {
    const engine = await createEngine({ lanes })
    answers.push((await flow.collect({ engine })).toRows())
    await engine.close()
  }
  expect(answers[0].length).toBe(512)
  for (const answer of answers.slice(1)) expect(answer).toEqual(answers[0])
})
