// Splits of text in order: rows counted, bad rows told in row order, and a wrong guess seen wherever it is.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BadRow, CsvShape } from '../../src/kernels/text-rows.js'
import type { IllFormedText, RejectedRow, Resume, Split, TextWork } from '../../src/sources/source.js'
import { createTextOrder, Misread } from '../../src/sources/text-order.js'

const START: Resume = { split: 0, at: null, rows: 0, illFormed: 0 }

const shape: CsvShape = {
  fields: [],
  types: [],
  delimiter: ',',
  quote: '"',
  comment: null,
  nulls: [],
  ragged: 'error',
  fatal: false,
  collect: true,
}

/** Parts of 100 bytes of files of so many parts each. */
const splitsOf = (files: readonly number[]): Split[] =>
  files.flatMap((parts, file) =>
    Array.from({ length: parts }, (_, i) => ({
      firstRow: null,
      rowCount: null,
      byteLength: 100,
      work: {
        kind: 'text' as const,
        format: 'csv' as const,
        shape,
        columns: [],
        inputKey: String(file),
        name: `file ${file}`,
        from: 100 * i,
        bytes: {
          kind: 'range' as const,
          input: { kind: 'bytes' as const, bytes: new Uint8Array(0) },
          to: 100 * (i + 1),
          isGuess: i > 0,
        },
      },
    })),
  )

const bad = (row: number): BadRow => ({
  row,
  byteOffset: 0,
  column: null,
  code: 'MR_FORMAT_ERROR',
  message: '',
  text: '',
})

/** What lanes find of files whose parts' rows begin a few bytes into each part. */
const filesArbitrary = fc
  .array(
    fc.array(fc.record({ rows: fc.nat(5), late: fc.nat(99), bad: fc.nat(2), illFormed: fc.nat(3) }), {
      minLength: 1,
      maxLength: 6,
    }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map(files => ({
    splits: splitsOf(files.map(({ length }) => length)),
    reports: files.flatMap(parts =>
      parts.map(({ rows, bad: badCount, illFormed }, i) => ({
        from: i === 0 ? 0 : 100 * i + parts[i].late,
        to: 100 * (i + 1) + (parts[i + 1]?.late ?? 0),
        rows: rows + badCount,
        bad: Array.from({ length: badCount }, (_, row) => bad(row)),
        illFormed,
      })),
    ),
  }))

describe('text order', () => {
  it('counts rows and tells bad ones in order, however reports come', () => {
    fc.assert(
      fc.property(filesArbitrary, fc.infiniteStream(fc.nat()), ({ splits, reports }, choices) => {
        const told: RejectedRow[] = []
        const texts: IllFormedText[] = []
        const order = createTextOrder(
          splits,
          START,
          row => told.push(row),
          text => texts.push(text),
        )
        const left = reports.map((_, split) => split)
        const taken = new Set<number>()
        while (left.length > 0) {
          const [split] = left.splice(choices.next().value % left.length, 1)
          // Some are told of while they are read, and at once where all before them is known.
          const { bad: all, from } = reports[split]
          const ahead = choices.next().value % (all.length + 1)
          if (ahead > 0) {
            order.take(split, { goesOn: true, from, to: null, rows: 0, bad: all.slice(0, ahead), illFormed: 0 })
            expect(order.verified).toBeLessThanOrEqual(split)
            if (order.verified === split) expect(told.at(-1)?.row).toBe(order.firstRow(split) + ahead - 1)
          }
          order.take(split, { ...reports[split], bad: all.slice(ahead) })
          taken.add(split)
          const gap = reports.findIndex((_, each) => !taken.has(each))
          expect(order.verified).toBe(gap < 0 ? reports.length : gap)
        }
        let rows = 0
        const expected: number[] = []
        const ofRows: IllFormedText[] = []
        reports.forEach((report, split) => {
          expect(order.firstRow(split)).toBe(rows)
          for (const { row } of report.bad) expected.push(rows + row)
          const { name } = splits[split].work as TextWork
          const place = { file: name, fromRow: rows, toRow: rows + report.rows }
          if (report.illFormed > 0) ofRows.push({ ...place, count: report.illFormed })
          rows += report.rows
        })
        expect(told.map(({ row }) => row)).toEqual(expected)
        expect(order.illFormed).toBe(reports.reduce((sum, { illFormed }) => sum + illFormed, 0))
        expect(texts).toEqual(ofRows)
      }),
    )
  })

  it('sees a split that did not begin where the one before ended, and says where to go on', () => {
    fc.assert(
      fc.property(filesArbitrary, fc.nat(), fc.integer({ min: 1, max: 50 }), ({ splits, reports }, which, by) => {
        const guesses = splits.flatMap(({ work }, split) =>
          work.kind === 'text' && work.bytes.kind === 'range' && work.bytes.isGuess ? [split] : [],
        )
        fc.pre(guesses.length > 0)
        const wrong = guesses[which % guesses.length]
        const order = createTextOrder(splits, START, undefined)
        const rows = reports.slice(0, wrong).reduce((sum, report) => sum + report.rows, 0)
        const illFormed = reports.slice(0, wrong).reduce((sum, report) => sum + report.illFormed, 0)
        const play = () => {
          reports.forEach((report, split) => {
            order.take(split, split === wrong ? { ...report, from: report.from + by } : report)
          })
        }
        try {
          play()
          expect.unreachable()
        } catch (error) {
          expect(error).toBeInstanceOf(Misread)
          expect((error as Misread).resume).toEqual({ split: wrong, at: reports[wrong].from, rows, illFormed })
        }
      }),
    )
  })

  it('a part not read to its end is checked, and nothing after it is counted', () => {
    const splits = splitsOf([3])
    const order = createTextOrder(splits, START, undefined)
    order.take(0, { from: 0, to: 110, rows: 4, bad: [], illFormed: 0 })
    order.take(1, { from: 110, to: null, rows: 1, bad: [], illFormed: 0 })
    order.check(1)
    expect(order.verified).toBe(1)
    const other = createTextOrder(splits, START, undefined)
    other.take(0, { from: 0, to: 110, rows: 4, bad: [], illFormed: 0 })
    other.take(1, { from: 112, to: null, rows: 1, bad: [], illFormed: 0 })
    expect(() => other.check(1)).toThrow(Misread)
  })

  it('gives the beginning in the place of a guess once the split before has been read', () => {
    const order = createTextOrder(splitsOf([2, 1]), START, undefined)
    expect(order.exact(0)).toMatchObject({ from: 0 })
    expect(order.exact(1)).toBeNull()
    order.take(0, { from: 0, to: 133, rows: 4, bad: [], illFormed: 0 })
    expect(order.exact(1)).toMatchObject({ from: 133, bytes: { isGuess: false } })
    expect(order.exact(2)).toMatchObject({ from: 0 })
  })
})
