// So many groups that no table of theirs is in a cache: slots for all where the rows are held, and else rows that are parted, against a map and in its order.
import { describe, expect, test } from 'vitest'
import { columns, count, countDistinct, first, max, min, sum } from '../../src/index.js'
import { loadedInto, scrambled } from './loaded-lanes.js'

const ROWS = 420_000

const ints = (of: (i: number) => number) => Int32Array.from({ length: ROWS }, (_, i) => of(i))

const near = ints(i => (scrambled(i) % 300_000) - 1000)
const far = ints(i => scrambled(i % 250_000) | 0)
/** Few in the first morsel of a lane, as many as rows behind. */
const late = ints(i => (i < 200_000 ? 7 * (i % 50_000) : scrambled(i) % 300_000))
const parts = ints(i => scrambled(i + 1) % 500)
const values = ints(i => (i % 1009) - 500)
const texts = Array.from(values, value => `value ${value}`)
const names = Array.from(near, key => `name ${key}`)
const data = { near, far, late, parts, values, texts, names }
const rows = columns(data)

type Key = 'near' | 'far' | 'late' | 'parts' | 'names'

const grouped = (keys: readonly Key[]) => {
  const groups = new Map<string, { keys: Record<string, unknown>; rows: number[] }>()
  for (let i = 0; i < ROWS; i++) {
    const key = keys.map(name => data[name][i])
    const mine = groups.get(key.join())
    if (mine === undefined)
      groups.set(key.join(), { keys: Object.fromEntries(keys.map((k, j) => [k, key[j]])), rows: [i] })
    else mine.rows.push(i)
  }
  return [...groups.values()]
}

/** What is the first not to be as wanted: `toEqual` of so many rows takes long. */
function differing(found: readonly object[], wanted: readonly object[]) {
  const isAlike = (a: object | undefined, b: object | undefined) =>
    a !== undefined && b !== undefined && Object.entries(b).every(([name, value]) => (a as never)[name] === value)
  const at = Array.from({ length: Math.max(found.length, wanted.length) }, (_, i) => i).find(
    i => !isAlike(found[i], wanted[i]),
  )
  return at === undefined ? null : { at, found: found[at], wanted: wanted[at] }
}

const known = new Map<string, ReturnType<typeof grouped>>()
const expected = (keys: readonly Key[]) => {
  const groups = known.get(keys.join()) ?? grouped(keys)
  known.set(keys.join(), groups)
  return groups
}

describe.each([0, 2, 3])('on %i lanes', lanes => {
  const held = loadedInto(lanes, rows)

  test.each([[['near']], [['far']], [['late']], [['names']], [['parts', 'near']]] as [Key[]][])('by %j', async keys => {
    const groups = expected(keys)
    const numbers = held.loaded
      .groupBy(...keys)
      .aggregate(t => ({ n: count(), total: sum(t.values), least: min(t.values) }))
    const all = held.loaded
      .groupBy(...keys)
      .aggregate(t => ({ texts: max(t.texts), distinct: countDistinct(t.values) }))
    const firsts = held.loaded.groupBy(...keys).aggregate(t => ({ at: first(t.values), n: count() }))
    const wanted = (results: (mine: readonly number[]) => object) =>
      groups.map(({ keys: key, rows: mine }) => ({ ...key, ...results(mine) }))
    expect(
      differing(
        await held.collected(numbers),
        wanted(mine => ({
          n: mine.length,
          total: mine.reduce((total, i) => total + values[i], 0),
          least: mine.reduce((least, i) => Math.min(least, values[i]), Infinity),
        })),
      ),
    ).toBeNull()
    expect(
      differing(
        await held.collected(all),
        wanted(mine => ({
          texts: mine.map(i => texts[i]).reduce((most, text) => (text > most ? text : most)),
          distinct: new Set(mine.map(i => values[i])).size,
        })),
      ),
    ).toBeNull()
    expect(
      differing(
        await held.collected(firsts),
        wanted(mine => ({ at: values[mine[0]], n: mine.length })),
      ),
    ).toBeNull()
  })

  test('how groups are found is said', async () => {
    const explained = async (key: Key) => {
      const flow = held.loaded.groupBy(key).aggregate(t => ({ total: sum(t.values) }))
      return String(await flow.explain({ analyze: true }))
    }
    expect(await explained('near')).toContain('group: direct;')
    expect(await explained('far')).toContain('group: hash 32, parted;')
  })
})
