// Chains of transforms: the least failing row is told, whichever transform it fails in.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int32 } from '../../src/columnar/type.js'
import { MillraceError } from '../../src/errors.js'
import { type Morsel, RowFailure, type Transform } from '../../src/operators/operator.js'
import { applyAll, prefix, runAll } from '../../src/operators/pipeline.js'
import { batchOf, makeContext, morselOf, thrown } from './support.js'

const context = await makeContext()
const { k } = context
const shape = { id: int32() }

const failure = new MillraceError('MR_INTEGER_OVERFLOW', 'too large')
const transform = (apply: Transform['apply']): Transform => ({ label: '', kernels: () => [], apply, free() {} })
const ids = ({ columns: [ids], rowCount }: Morsel) => [
  ...k.memory.i32.subarray(ids.data >>> 2, (ids.data >>> 2) + rowCount),
]

/** Fails at the first of `rows` that is still there; rows are told apart by their id, which is their number. */
const failingAt = (rows: readonly number[]) =>
  transform(morsel => {
    const found = ids(morsel).find(id => rows.includes(id))
    if (found !== undefined) throw new RowFailure(found, failure)
    return morsel
  })

const morsel = (rowCount: number) =>
  morselOf(context, batchOf({ id: Int32Array.from({ length: rowCount }, (_, i) => i) }, shape))

describe('applyAll', () => {
  it('applies each transform to what the one before it left', () => {
    const seen: number[] = []
    const halve = transform(rows => {
      seen.push(rows.rowCount)
      return prefix(rows, rows.rowCount >> 1)
    })
    expect(ids(applyAll([halve, halve], morsel(8), k.memory)!)).toEqual([0, 1])
    expect(seen).toEqual([8, 4])
  })

  it('stops where no row is left', () => {
    const none = transform(() => null)
    const never = transform(() => {
      throw new Error('applied to nothing')
    })
    expect(applyAll([none, never], morsel(3), k.memory)).toBeNull()
  })

  it('tells the least failing row, in whichever transform it fails', () => {
    const rows = fc.uniqueArray(fc.nat({ max: 15 }), { maxLength: 4 })
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 4 }), failingRows => {
        const mark = k.memory.mark()
        const all = failingRows.flat()
        const run = () => applyAll(failingRows.map(failingAt), morsel(16), k.memory)
        if (all.length === 0) expect(run()?.rowCount).toBe(16)
        else expect(thrown(run)).toMatchObject({ row: Math.min(...all), error: failure })
        k.memory.reset(mark)
      }),
    )
  })

  it('what is no failing row passes through', () => {
    const broken = new Error('broken')
    const breaks = transform(() => {
      throw broken
    })
    expect(thrown(() => applyAll([breaks], morsel(4), k.memory))).toBe(broken)
  })
})

describe('prefix', () => {
  it('is the first rows over the same buffers', () => {
    const whole = morsel(10)
    const first = prefix(whole, 3)
    expect(ids(first)).toEqual([0, 1, 2])
    expect(first.columns[0]).toEqual({ ...whole.columns[0], length: 3 })
  })
})

describe('runAll', () => {
  const originOf = ({ rows }: Morsel, row: number): number =>
    rows === 0 ? row : (k.memory.u32[(rows >>> 2) + row] as number)
  const failsAt = (failing: readonly number[]): Transform =>
    transform(morsel => {
      const at = ids(morsel).findIndex(id => failing.includes(id))
      if (at >= 0) throw new RowFailure(originOf(morsel, at), failure)
      return morsel
    })
  /** Each row as often as its id says, three rows to a morsel; in the place of rows that it fails at, it throws once those before have been given. */
  const repeat = (failing: readonly number[] = []): Transform => ({
    ...transform(() => null),
    *expand(morsel) {
      const { u32 } = k.memory
      const all = ids(morsel)
      const at = all.findIndex(id => failing.includes(id))
      const given = at < 0 ? all : all.slice(0, at)
      const rows = given.flatMap((id, row) => Array.from({ length: id % 4 }, () => row))
      for (let from = 0; from < rows.length; from += 3) {
        const piece = rows.slice(from, from + 3)
        const pointer = k.memory.scratch(16)
        u32.set(
          piece.map(row => originOf(morsel, row)),
          pointer >>> 2,
        )
        const batch = batchOf({ id: Int32Array.from(piece, row => all[row] as number) }, shape)
        yield { ...morselOf(context, batch), rows: pointer }
      }
      if (at >= 0) throw new RowFailure(originOf(morsel, at), failure)
    },
  })
  /** What is used, and the row that fails: row by row through all of them. */
  const model = (rowCount: number, sets: readonly (readonly number[])[], places: readonly boolean[]) => {
    const used: number[] = []
    for (let id = 0; id < rowCount; id++) {
      let count = 1
      for (const [i, set] of sets.entries()) {
        if (count > 0 && set.includes(id)) return { used, row: id }
        if (places[i]) count *= id % 4
      }
      for (let i = 0; i < count; i++) used.push(id)
    }
    return { used, row: null }
  }

  it('uses what comes of the rows before the least failing one, whatever makes several of one', () => {
    const sets = fc.array(fc.tuple(fc.uniqueArray(fc.nat(11), { maxLength: 2 }), fc.boolean()), { maxLength: 4 })
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 12 }), (chain, rowCount) => {
        const mark = k.memory.mark()
        const transforms = chain.map(([failing, expands]) => (expands ? repeat(failing) : failsAt(failing)))
        const used: number[] = []
        let row: number | null = null
        try {
          runAll(transforms, morsel(rowCount), k.memory, piece => used.push(...ids(piece)), true)
        } catch (error) {
          if (!(error instanceof RowFailure)) throw error
          row = error.row
        }
        k.memory.reset(mark)
        const expected = model(
          rowCount,
          chain.map(([failing]) => failing),
          chain.map(([, expands]) => expands),
        )
        expect({ used, row }).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })
})
