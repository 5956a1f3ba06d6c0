// The reading benchmark's harness: the files and what is said to be in them, the check of a reading, and whole runs over small files.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { groupByBlocks, groupByData, keyText } from '../../bench/groupby/data.js'
import { columnNames } from '../../bench/groupby/questions.js'
import { rowsOfBytes, writeRows } from '../../bench/reading/files.js'
import { objectRows } from '../../bench/reading/peers/object-rows.js'
import { chooseReaders } from '../../bench/reading/readers.js'
import { readingReport } from '../../bench/reading/report.js'
import { runReading } from '../../bench/reading/suite.js'
import { timedRead } from '../../bench/reading/timed-read.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** More than a block. */
const MANY = 66_000
const ROWS = 3000
const expectedRows = () => {
  const { columns } = groupByData(ROWS, 3)
  return Array.from({ length: ROWS }, (_, row) => ({
    id1: keyText('id1', columns.id1.codes[row]),
    id2: keyText('id2', columns.id2.codes[row]),
    id3: keyText('id3', columns.id3.codes[row]),
    id4: columns.id4[row],
    id5: columns.id5[row],
    id6: columns.id6[row],
    v1: columns.v1[row],
    v2: columns.v2[row],
    v3: columns.v3[row],
  }))
}
const fileOf = (format: 'csv' | 'ndjson', rows = ROWS) => {
  const path = join(folder, `rows-${rows}.${format}`)
  const facts = writeRows(path, format, rows, 3)
  return { path, format, byteLength: readFileSync(path).length, facts }
}

describe('the files', () => {
  test('of CSV hold the table, number for number', () => {
    const [header, ...lines] = readFileSync(fileOf('csv').path, 'utf8').trimEnd().split('\n')
    expect(header).toBe(columnNames.join(','))
    expect(lines).toEqual(expectedRows().map(row => Object.values(row).join(',')))
  })

  test('of NDJSON hold it too, and JSON.parse reads it', () => {
    const lines = readFileSync(fileOf('ndjson').path, 'utf8').trimEnd().split('\n')
    expect(lines).toEqual(expectedRows().map(row => JSON.stringify(row)))
  })

  test('come with what is in them', () => {
    const { facts } = fileOf('csv')
    const rows = expectedRows()
    const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0)
    expect(facts.rowCount).toBe(ROWS)
    for (const name of ['id4', 'id5', 'id6', 'v1', 'v2'] as const) expect(facts.sums[name]).toBe(sum(row => row[name]))
    for (const name of ['id1', 'id2', 'id3'] as const)
      expect(facts.sums[name]).toBe(sum(row => Number(row[name].slice(2))))
    expect(facts.millionths).toBe(String(sum(row => Math.round(row.v3 * 1e6))))
    expect(facts.v3).toBeCloseTo(
      sum(row => row.v3),
      4,
    )
    const some = rows.filter(({ id1 }) => id1 === 'id042')
    expect(facts.byId1.v1[41]).toBe(some.reduce((total, { v1 }) => total + v1, 0))
    expect(facts.byId1.v3[41]).toBeCloseTo(some.reduce((total, { v3 }) => total + v3, 0) / some.length, 9)
  })

  test('are about as long as asked', () => {
    const { byteLength } = fileOf('csv', rowsOfBytes(2e6))
    expect(byteLength / 2e6).toBeGreaterThan(0.98)
    expect(byteLength / 2e6).toBeLessThan(1.02)
  })
})

test('rows made a block at a time are those made at once', () => {
  const { columns } = groupByData(MANY, 3)
  let at = 0
  let blocks = 0
  for (const block of groupByBlocks(MANY, 3)) {
    const isSame = (made: ArrayLike<number>, whole: ArrayLike<number>) =>
      Array.from({ length: block.rowCount }, (_, i) => made[i] === whole[at + i]).every(Boolean)
    expect(isSame(block.columns.v3, columns.v3) && isSame(block.columns.id3, columns.id3.codes)).toBe(true)
    at += block.rowCount
    blocks++
  }
  expect([at, blocks]).toEqual([MANY, 2])
})

test('the check finds a row too few, one value that differs, and one of another type', async () => {
  const file = fileOf('csv')
  const reading = async (change: (rows: Record<string, unknown>[]) => void, exact = false) => {
    const rows: Record<string, unknown>[] = expectedRows()
    change(rows)
    return (await timedRead({ read: async () => objectRows(rows) }, file, exact)).problem
  }
  expect(await reading(() => {})).toBeNull()
  expect(await reading(rows => void rows.pop())).toMatch(/2999 rows instead of 3000/)
  for (const name of columnNames) {
    const change = (rows: Record<string, unknown>[]) => {
      const value = rows[9][name]
      rows[9][name] = typeof value === 'string' ? `${value}1` : (value as number) + 1e-6
    }
    expect(await reading(change)).toMatch(name === 'v3' ? /millionths instead of/ : new RegExp(`${name} sums up`))
  }
  await expect(reading(rows => Object.assign(rows[5], { v1: '3' }))).rejects.toThrow('v1 holds "3" in row 5')
  const sums = { ...file.facts.sums, v3: file.facts.v3 * (1 + 1e-15) }
  const read = async () => ({ rowCount: ROWS, sums: () => sums, release() {} })
  expect((await timedRead({ read }, file, false)).problem).toBeNull()
  expect((await timedRead({ read }, file, true)).problem).toMatch(/v3 sums up/)
})

test('a whole run: who reads a file rightly has times, who cannot has a problem', async () => {
  const file = fileOf('ndjson')
  const entries = chooseReaders({ families: ['json-parse'], lanes: [], threads: 1 })
  const missing = { ...entries[0], id: 'missing', label: 'missing', module: './peers/missing.js' }
  const result = await runReading({ file, entries: [...entries, missing], runs: 2, limitMs: 20_000, log: () => {} })
  const { text, problems, losses } = readingReport([result], { runs: 2, threads: 1 })
  expect(result.sittings[0]['json-parse'].warm).toHaveLength(2)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain('missing')
  expect(losses).toEqual([])
  expect(text.join('\n')).toContain('JSON.parse, line by line')
})

test('a ratio is of times of one sitting, and what misses its target is a loss', () => {
  const readers = chooseReaders({ families: ['polars', 'duckdb'], lanes: [1, 2], threads: 2 })
  const times = (ms: number) => ({ cold: 2 * ms, warm: [ms, ms], problem: null })
  const result = {
    file: {
      path: '',
      format: 'csv' as const,
      byteLength: 5e8,
      facts: { ...fileOf('csv', 1000).facts, rowCount: 1e7 },
    },
    readers,
    versions: Object.fromEntries(readers.map(({ id }) => [id, 'some'])),
    peaks: {},
    failures: {},
    sittings: [
      {
        'millrace:1:load': times(800),
        'millrace:2:load': times(400),
        'millrace:1:collect': times(900),
        'millrace:2:collect': times(700),
        polars: times(1000),
        duckdb: times(2000),
      },
    ],
  }
  const { text, losses, problems } = readingReport([result], { runs: 2, threads: 2 })
  expect(problems).toEqual([])
  expect(losses.map(loss => loss.replace(/^.*MB, /, ''))).toEqual([
    'millrace 2 lanes, collect / polars: 0.70 (the target is 0.5)',
    'millrace 2 lanes, collect / millrace 1 lane, collect: 0.78 (the target is 0.6)',
  ])
  expect(text.join('\n')).toMatch(/millrace 2 lanes, load \/ polars\s+\| 0.40 \|\s+2.50 \|\s+0.5/)
})
