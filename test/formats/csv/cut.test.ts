/** Where rows end in text that comes piece by piece, against rows that are known: whatever the pieces, what is cut off is all the whole rows that have come. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRowCutter } from '../../../src/formats/csv/cut.js'

const text = (...units: readonly string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 6 })
const quoted = text('a', ',', '\n', '""', '#', 'é').map(inner => `"${inner}"`)
const field = fc.oneof(text('a', ' ', '#', 'é'), quoted)
const row = fc.array(field, { minLength: 1, maxLength: 4 }).map(fields => fields.join(','))
const comment = text('a', ',', '"', '#').map(inner => `#${inner}`)
const plain = row.filter(line => !line.startsWith('#'))

/** Where rows end, and all of them as bytes. */
function joined(rows: readonly string[]): { readonly bytes: Uint8Array; readonly ends: ReadonlySet<number> } {
  const ends = new Set<number>([0])
  let all = ''
  for (const each of rows) {
    all += `${each}\n`
    ends.add(new TextEncoder().encode(all).length)
  }
  return { bytes: new TextEncoder().encode(all), ends }
}

const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 })

/** After each piece, what is left begins where the last row that is whole ended. */
function expectCut(
  { bytes, ends }: ReturnType<typeof joined>,
  cut: (bytes: Uint8Array) => number,
  lengths: readonly number[],
): void {
  let from = 0
  for (let to = 0, i = 0; to < bytes.length; i++) {
    to = Math.min(bytes.length, to + lengths[i % lengths.length])
    from += cut(bytes.slice(from, to))
    expect(from).toBe([...ends].filter(end => end <= to).at(-1))
  }
}

it('is where no quote is open', () => {
  fc.assert(
    fc.property(fc.array(plain, { maxLength: 8 }), pieces, (rows, lengths) => {
      expectCut(joined(rows), createRowCutter({ delimiter: ',', quote: '"', comment: null }), lengths)
    }),
    { numRuns: 500 },
  )
})

it('is where no quote is open that is of a row: comments have none, and a line within quotes is no comment', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, comment), { maxLength: 8 }), pieces, (rows, lengths) => {
      expectCut(joined(rows), createRowCutter({ delimiter: ',', quote: '"', comment: '#' }), lengths)
    }),
    { numRuns: 500 },
  )
})

it('is where a line ends, where nothing is quoted', () => {
  fc.assert(
    fc.property(fc.array(text('a', ',', '"', '#'), { maxLength: 8 }), pieces, (rows, lengths) => {
      expectCut(joined(rows), createRowCutter({ delimiter: ',', quote: null, comment: null }), lengths)
      expectCut(joined(rows), createRowCutter(null), lengths)
    }),
    { numRuns: 200 },
  )
})
