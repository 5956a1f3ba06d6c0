// Output in row order: whatever comes when, what leaves is sorted by split, and leaves as soon as it may.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatch } from '../../../src/columnar/record-batch.js'
import { OrderedOutput } from '../../../src/engines/local/ordered-output.js'

/** Told apart by their number of rows, of which each has one at least. */
const batch = (rows: number) => new RecordBatch({}, [], rows + 1)
const counts = (batches: readonly RecordBatch[]) => batches.map(({ rowCount }) => rowCount - 1)

/** Splits with their batches, and the order in which lanes tell of them: each split's own events stay in order. */
const runs = fc.array(fc.nat({ max: 3 }), { maxLength: 8 }).chain(sizes =>
  fc.record({
    sizes: fc.constant(sizes),
    order: fc.shuffledSubarray(
      sizes.flatMap((size, split) => Array(size + 1).fill(split) as number[]),
      { minLength: sizes.reduce((sum, size) => sum + size + 1, 0) },
    ),
  }),
)

/** Plays the events; `each` sees what has been told so far after every one. */
function play(
  output: OrderedOutput,
  sizes: readonly number[],
  order: readonly number[],
  each: (complete: ReadonlySet<number>) => void = () => {},
) {
  const told = sizes.map(() => 0)
  const complete = new Set<number>()
  for (const split of order) {
    if (told[split] < sizes[split]) output.add(split, batch(10 * split + told[split]))
    else {
      complete.add(split)
      output.complete(split)
    }
    told[split]++
    each(complete)
  }
}
const expected = (sizes: readonly number[]) =>
  sizes.flatMap((size, split) => Array.from({ length: size }, (_, i) => 10 * split + i))

describe('ordered output', () => {
  it('gives all at the end, in order, where nobody takes them before', () => {
    fc.assert(
      fc.property(runs, fc.boolean(), ({ sizes, order }, bySplit) => {
        const output = new OrderedOutput(null, bySplit)
        expect(output.leastIncomplete).toBe(Infinity)
        play(output, sizes, order)
        expect(counts(output.finish())).toEqual(expected(sizes))
        expect(output.finish()).toEqual([])
      }),
    )
  })

  it('gives batches as soon as every split before theirs is complete', () => {
    fc.assert(
      fc.property(runs, ({ sizes, order }) => {
        const seen: RecordBatch[] = []
        const output = new OrderedOutput(each => seen.push(each), true)
        play(output, sizes, order, complete => {
          const least = sizes.findIndex((_, split) => !complete.has(split))
          expect(output.leastIncomplete).toBe(least < 0 ? sizes.length : least)
          const due = expected(sizes).filter(count => least < 0 || count < 10 * least)
          expect(counts(seen).slice(0, due.length)).toEqual(due)
          expect(counts(seen).every(count => least < 0 || count < 10 * (least + 1))).toBe(true)
        })
        expect(output.finish()).toEqual([])
        expect(counts(seen)).toEqual(expected(sizes))
      }),
    )
  })

  it('gives what is gathered once it is told to, and what comes of it then as it comes', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), (before, after) => {
        const seen: RecordBatch[] = []
        const output = new OrderedOutput(each => seen.push(each), false, 0, true)
        for (let i = 0; i < before; i++) output.add(0, batch(i))
        expect(seen).toEqual([])
        output.release()
        expect(seen).toHaveLength(before)
        for (let i = before; i < before + after; i++) {
          output.add(0, batch(i))
          expect(seen).toHaveLength(i + 1)
        }
        expect(counts(seen)).toEqual(Array.from({ length: before + after }, (_, i) => i))
        expect(output.finish()).toEqual([])
        expect(seen).toHaveLength(before + after)
      }),
    )
  })

  it('cuts what is longer than a chunk of a table, and leaves out what has no rows, where all is given at the end', () => {
    const output = new OrderedOutput(null, false)
    for (const rows of [3 * 65_536 + 1, 0, 65_536]) output.add(0, new RecordBatch({}, [], rows))
    expect(output.finish().map(({ rowCount }) => rowCount)).toEqual([65_536, 65_536, 65_536, 1, 65_536])
  })

  it('where splits are not told one by one, the first leaves at once and the others at the end', () => {
    const seen: RecordBatch[] = []
    const output = new OrderedOutput(each => seen.push(each), false)
    output.add(2, batch(20))
    output.add(0, batch(0))
    output.complete(0)
    output.add(1, batch(10))
    output.add(0, batch(1))
    expect(counts(seen)).toEqual([0, 1])
    expect(output.leastIncomplete).toBe(Infinity)
    expect(output.finish()).toEqual([])
    expect(counts(seen)).toEqual([0, 1, 10, 20])
  })
})
