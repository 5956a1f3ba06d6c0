// The benchmark's harness: who sits together, what ratios are of, and a whole run of it over a small table.

import { describe, expect, test } from 'vitest'
import { questions } from '../../bench/groupby/questions.js'
import { groupByReport } from '../../bench/groupby/report.js'
import { runGroupBy, seat } from '../../bench/groupby/suite.js'
import { compare, summarise } from '../../bench/groupby/summary.js'
import { chooseJoinPeers } from '../../bench/joins/suite.js'
import { choosePeers } from '../../bench/peers/catalogue.js'
import { runSorting, sortingReport } from '../../bench/sorting/suite.js'

const entries = choosePeers({ families: ['duckdb', 'polars'], lanes: [0, 2], threads: 2 })
const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id)

describe('peers', () => {
  const bytes = (list: readonly { bytesPerRow: number }[]) =>
    list.reduce((sum, { bytesPerRow }) => sum + bytesPerRow, 0)
  const ours = entries.slice(0, 2)

  test('sit together where memory holds them', () => {
    expect(seat(entries, 100, 100 * bytes(entries))).toEqual([entries])
  })

  test('sit apart where it does not, each time with ours', () => {
    const sittings = seat(entries, 100, 100 * bytes(entries) - 1)
    expect(sittings.map(ids)).toEqual([ids(entries.slice(0, -1)), [...ids(ours), entries.at(-1)!.id]])
    expect(seat(entries, 100, 100 * (bytes(ours) + Math.max(...entries.map(entry => entry.bytesPerRow))))).toHaveLength(
      4,
    )
  })

  test('are refused where memory does not hold one of them beside ours', () => {
    expect(() => seat(entries, 1e6, 1e6 * bytes(ours) + 1)).toThrow('choose fewer lanes or rows')
  })
})

test('a ratio is of times of one sitting, and of several the median', () => {
  type Result = Parameters<typeof summarise>[0]
  type Sitting = Result['questions'][number]['sittings'][number]
  const times = (ms: number) => ({
    cold: { inHandMs: 9, readMs: 9 },
    warm: [{ inHandMs: ms, readMs: ms }],
    problem: null,
  })
  const failed = { cold: null, warm: [], problem: 'broken' }
  const sittings: Sitting[] = [
    { 'millrace:0': times(2), 'millrace:2': times(1), 'duckdb:enum': times(10), 'polars:strings': failed },
    { 'millrace:0': times(6), 'millrace:2': times(4), 'duckdb:varchar': times(20) },
  ]
  const result: Result = {
    rowCount: 100,
    peers: entries,
    versions: {},
    loads: {},
    peaks: {},
    failures: {},
    questions: [
      {
        question: questions[0],
        groupCount: 1,
        byteLength: 400,
        bandwidths: { 1: [1e9] },
        sittings,
      },
    ],
  }
  const [summary] = summarise(result)
  expect(
    compare([summary], 'millrace:0', ['duckdb:enum', 'duckdb:varchar', 'polars:strings'], 'inHandMs').ratios,
  ).toEqual([0.3])
  expect(compare([summary], 'millrace:2', ['millrace:0'], 'inHandMs').ratios).toEqual([(0.5 + 4 / 6) / 2])
  expect(compare([summary], 'millrace:0', ['polars:strings'], 'inHandMs')).toEqual({ ratios: [null], mean: null })
  expect(summary.warm['millrace:0']?.inHandMs).toBe(4)
  expect(summary.problems).toEqual({ 'polars:strings': 'broken' })
})

test('a whole run over 10,000 rows, in two sittings: every answer of the built library is exact', async () => {
  const [own] = choosePeers({ families: [], lanes: [0], threads: 1 })
  const others = ['one', 'two'].map(id => ({ ...own, id, label: id, isExact: false }))
  const options = { rowCount: 10_000, seed: 1, runs: 1, threads: 1, limitMs: 20_000, log: () => {} }
  const result = await runGroupBy({
    ...options,
    questions: questions.filter(({ id }) => ['q1', 'q10'].includes(id)),
    entries: [own, ...others],
    freeBytes: 2 * options.rowCount * own.bytesPerRow,
  })
  const { text, problems } = groupByReport([result], options)
  expect(problems).toEqual([])
  const summaries = summarise(result)
  expect(summaries.map(({ groupCount }) => groupCount)).toEqual([100, 10_000])
  for (const { sittings } of summaries) {
    expect(sittings.map(Object.keys)).toEqual([
      [own.id, 'one'],
      [own.id, 'two'],
    ])
  }
  expect(compare(summaries, own.id, ['one', 'two'], 'inHandMs').ratios).not.toContain(null)
  expect(text.join('\n')).toContain('q10 sum v3, count by id1..id6')
})

test('rows are sorted and deduped by the built library inline and in lanes, to the same rows', async () => {
  const entries = chooseJoinPeers({ families: [], lanes: [0, 2], threads: 1 })
  const result = await runSorting({ rowCount: 10_000, seed: 1, runs: 1, limitMs: 20_000, entries, log: () => {} })
  const { text, problems } = sortingReport([result])
  expect(problems).toEqual([])
  expect(Object.keys(result.times)).toEqual(['s1', 's2', 's3', 'd1', 'd2', 'd3'])
  expect(text.join('\n')).toContain('dedupe of whole rows')
})
