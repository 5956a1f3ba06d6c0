/** The watermark of several inputs against a model that keeps nothing but what has been heard of each. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createInputsWatermark } from '../../src/graph/inputs.js'

const LEAST = -(2n ** 63n)
const MOST = 2n ** 63n - 1n

type Event =
  | { readonly kind: 'rows'; readonly input: number; readonly steps: readonly (number | null)[] }
  | { readonly kind: 'silent'; readonly input: number }
  | { readonly kind: 'over'; readonly input: number }

const events = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('rows' as const),
        input: fc.nat(2),
        // null: a row that is late whatever comes.
        steps: fc.array(fc.option(fc.nat(9), { freq: 8 }), { maxLength: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('silent' as const), input: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('over' as const), input: fc.nat(2) }) },
  ),
  { maxLength: 40 },
) as fc.Arbitrary<Event[]>

/** Row by row, by the words: the least of those that count, and those that count are neither over nor set aside. */
function model(all: readonly Event[]): { marks: bigint[]; value: bigint }[] {
  const inputs = [0, 1, 2].map(() => ({ mark: LEAST, isOver: false, isSilent: false, isAside: false }))
  let said = LEAST
  const settle = () => {
    for (const input of inputs) {
      if (input.isSilent) input.isAside = true
      else if (input.mark >= said) input.isAside = false
    }
    const counted = inputs.filter(({ isOver, isAside }) => !isOver && !isAside).map(({ mark }) => mark)
    for (const mark of counted) if (counted.every(other => mark <= other) && mark > said) said = mark
  }
  return all.map(event => {
    const input = inputs[event.input] as (typeof inputs)[number]
    const marks: bigint[] = []
    if (input.isOver) return { marks, value: said }
    if (event.kind === 'over') input.isOver = true
    else if (event.kind === 'silent') input.isSilent = true
    else {
      input.isSilent = false
      for (const step of event.steps) {
        if (step !== null) {
          input.mark = (input.mark === LEAST ? 0n : input.mark) + BigInt(step)
          settle()
        }
        marks.push(step === null ? MOST : said)
      }
    }
    settle()
    return { marks, value: said }
  })
}

it('is what is said of it, whatever comes', () => {
  let sawAside = 0
  fc.assert(
    fc.property(events, all => {
      const inputs = [0, 1, 2].map(() => ({ watermark: LEAST, isOver: false, isSilent: false }))
      const made = createInputsWatermark(inputs)
      const found = all.map(event => {
        const input = inputs[event.input] as (typeof inputs)[number]
        if (input.isOver) return { marks: [], value: made.value }
        let marks: bigint[] = []
        if (event.kind === 'over') input.isOver = true
        else if (event.kind === 'silent') input.isSilent = true
        else {
          input.isSilent = false
          const own = event.steps.map(step => {
            if (step === null) return MOST
            input.watermark = (input.watermark === LEAST ? 0n : input.watermark) + BigInt(step)
            return input.watermark
          })
          marks = [...made.ofRows(event.input, BigInt64Array.from(own))]
        }
        made.settle()
        return { marks, value: made.value }
      })
      expect(found).toEqual(model(all))
      if (all.some(({ kind }) => kind === 'silent')) sawAside++
    }),
    { numRuns: 3000 },
  )
  expect(sawAside).toBeGreaterThan(1000)
})
