// Chains of transforms: the least failing row is told, whichever transform it fails in.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int32 } from '../../src/columnar/type.js'
import { MillraceError } from '../../src/errors.js'
import { type Morsel, RowFailure, type Transform } from '../../src/operators/operator.js'
import { applyAll, prefix } from '../../src/operators/pipeline.js'
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
