// Rows from CSV, against a reader of a byte at a time.

import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../src/columnar/type.js'
import { readCsv } from '../oracle/csv.js'
import { anySample, manyRows } from './csv/samples.js'
import { bare, bytesOf, k, read, shapeOf } from './csv/support.js'

const RUNS = Number(process.env.MILLRACE_RUNS ?? 1)

afterEach(() => k.memory.reset(0))

describe.each([
  ['tables', 0],
  ['tables with a few bad rows', 1],
  ['anything', 2],
] as const)('%s', (_, trouble) => {
  test('are read as by the naive reader', () => {
    fc.assert(
      fc.property(anySample(trouble), ({ bytes, shape, columns }) => {
        expect(bare(read(bytes, shape, { columns }))).toEqual(readCsv(bytes, shape, columns))
      }),
      { numRuns: 200 * RUNS },
    )
  })

  test('are the same whatever the pieces that they come in', () => {
    fc.assert(
      fc.property(anySample(trouble), fc.integer({ min: 1, max: 40 }), ({ bytes, shape, columns }, limit) => {
        const whole = readCsv(bytes, shape, columns)
        for (let cut = 1; cut < bytes.length; cut++) {
          expect(bare(read(bytes, shape, { columns, pieces: [cut] }))).toEqual(whole)
        }
        const piecemeal = Array.from(bytes, () => 1)
        expect(bare(read(bytes, shape, { columns, pieces: piecemeal }))).toEqual(whole)
        expect(bare(read(bytes, shape, { columns, limit }))).toEqual(whole)
        expect(bare(read(bytes, shape, { columns, isEnd: false }))).toEqual(readCsv(bytes, shape, columns, false))
      }),
      { numRuns: 8 * RUNS },
    )
  })
})

test('whatever stands at the border of a block is read as anywhere else', () => {
  const rows = [
    'a,"b"',
    '"a""b",c',
    '"",""',
    '"a,\r\n""",b',
    'a"b,"c"',
    'a,b"c',
    '"a"b,c',
    'a,"b"\rc',
    'a,"b"\r',
    '"a"\r,b',
    'a,b\r',
    '#a,"b',
    'a',
    '',
    'a,b,c',
    'é,\u{1f600}',
  ]
  const types = { a: utf8(), b: utf8() }
  let phase = 0
  for (const row of rows) {
    for (const end of ['\n', '\r\n']) {
      for (const comment of row.startsWith('#') ? [null, '#'] : [phase % 2 === 0 ? null : '#']) {
        const shape = shapeOf(types, { collect: true, comment })
        // Rows alike before it, over blocks without a quote and with some.
        for (const before of ['', `x,y${end}`, `"x",y${end}`]) {
          // Each third place, others for each row.
          for (let length = phase++ % 3; length < 66; length += 3) {
            const text = `${before.repeat(70)}${'z'.repeat(length)},${end}${row}${end}${row}${end}1,"2"${end}`
            const bytes = bytesOf(text)
            // Many times faster than to compare what has been read.
            expect(JSON.stringify(bare(read(bytes, shape)))).toBe(JSON.stringify(readCsv(bytes, shape, shape.fields)))
          }
        }
      }
    }
  }
})

test.each([
  ['tables', 0],
  ['tables with a few bad rows', 1],
  ['anything', 2],
] as const)('%s of many windows, with rows longer than one', (_, trouble) => {
  fc.assert(
    fc.property(anySample(trouble), fc.nat(), fc.integer({ min: 1, max: 150_000 }), (sample, seed, cut) => {
      const { shape, columns, lines } = sample
      fc.pre(lines.length > 1)
      const { delimiter, quote } = shape
      const last = ['x', ...shape.fields.slice(1).map(() => '')].join(delimiter)
      const long =
        trouble === 0
          ? []
          : [
              `${quote ?? ''}${`a long text\n${quote ?? ''}${quote ?? ''}`.repeat(3000)}${quote ?? ''}${last}`,
              `${'y'.repeat(40_000)}${last.slice(1)}`,
              `${delimiter.repeat(40_000)}`,
            ]
      const bytes = manyRows(sample, seed, 100_000, long)
      const collecting = { ...shape, collect: true }
      expect(bare(read(bytes, collecting, { columns, pieces: [cut] }))).toEqual(readCsv(bytes, collecting, columns))
    }),
    { numRuns: 3 * RUNS },
  )
})
