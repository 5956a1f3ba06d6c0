/** What functions and methods of values refuse at once, and that what they make is data. */
import { describe, expect, it } from 'vitest'
import { columnsRecord } from '../../src/api/columns.js'
import { schema } from '../../src/columnar/schema.js'
import { bool, float64, int32, utf8 } from '../../src/columnar/type.js'
import { coalesce, columns, MillraceError, when } from '../../src/index.js'

const t = columnsRecord(schema({ n: int32(), f: float64(), s: utf8(), b: bool() }), 'derive') as any

function refusal(act: () => unknown): [code: string, message: string] {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return [(error as MillraceError).code, (error as MillraceError).message]
  }
  throw new Error('accepted')
}

describe('numbers', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a fraction of decimals', () => t.f.round(1.5), /integer from -22 to 22, not the number 1.5/],
    ['too many decimals', () => t.f.round(23), /from -22 to 22/],
    ['a text for decimals', () => t.f.round('2'), /not the string "2"/],
    ['bounds that cross', () => t.f.clamp(3, 2n), /the bounds cross: 3 is above 2/],
    ['a bound that is NaN', () => t.f.clamp(NaN, 2), /NaN/],
    ['a width of 0', () => t.f.bucket(0), /above 0/],
    ['a width that is NaN', () => t.f.bucket(NaN), /above 0/],
    ['a width without end', () => t.f.bucket(Infinity), /above 0/],
    ['no width', () => t.f.bucket(), /not undefined/],
    ['a column of widths', () => t.f.bucket(t.n), /not an object/],
    ['an offset without end', () => t.f.bucket(1, -Infinity), /finite/],
  ])('refuse %s', (_, act, message) => {
    expect(refusal(act)).toEqual(['MR_INVALID_OPTION', expect.stringMatching(message)])
  })

  it('have buckets within int64', () => {
    const flow = columns({ n: Int32Array.of(1) })
    expect(refusal(() => flow.derive(r => ({ x: r.n.bucket(2 ** 70) })))).toEqual([
      'MR_INVALID_OPTION',
      expect.stringMatching(/beyond int64/),
    ])
  })

  it('are clamped to what is there', async () => {
    const flow = columns({ n: [1, 5, null, 9] })
    const table = await flow
      .derive(r => ({ low: r.n.clamp(2), high: r.n.clamp(null, 6), both: r.n.clamp(2, 6) }))
      .collect()
    expect(table.toRows()).toEqual([
      { n: 1, low: 2, high: 1, both: 2 },
      { n: 5, low: 5, high: 5, both: 5 },
      { n: null, low: null, high: null, both: null },
      { n: 9, low: 9, high: 6, both: 6 },
    ])
  })
})

describe('conditions', () => {
  it('print as they would be written, and are plain data', () => {
    const chosen = when(t.n.gt(1)).then('many').when(t.b).then(t.s)
    expect(String(chosen)).toBe('when(n > 1, "many", b, s)')
    expect(String(chosen.otherwise(null))).toBe('when(n > 1, "many", b, s, null)')
    expect(String(coalesce(t.n, t.f, 0))).toBe('coalesce(n, f, 0)')
    expect(structuredClone(chosen).expression).toEqual(chosen.expression)
    expect(Object.isFrozen(chosen)).toBe(true)
  })

  it('have the methods of what they choose', () => {
    expect(when(t.b).then(t.s).otherwise('x').family).toBe('string')
    expect(when(t.b).then(1).otherwise(2n).family).toBe('number')
    expect(coalesce(null, new Date(0)).family).toBe('time')
    expect(String(coalesce(t.n, 1).add(1))).toBe('coalesce(n, 1) + 1')
  })

  it.each<[string, () => unknown, RegExp]>([
    ['a condition that is a number', () => when(t.n), /when of a boolean takes a boolean, and n is a number/],
    ['a value that is not there', () => when(t.b).then(undefined as never), /undefined; for null write null/],
    ['an object', () => coalesce(t.n, {} as never), /no literal/],
    ['a family of its own', () => t.s.coalesce(1), /coalesce of a string takes a string/],
    ['null, which stands in for nothing', () => t.s.coalesce(null), /null/],
  ])('refuse %s', (_, act, message) => {
    expect(refusal(act)).toEqual(['MR_TYPE_MISMATCH', expect.stringMatching(message)])
  })

  it('refuse values that no type holds, at the verb', () => {
    const flow = columns({ n: Int32Array.of(1), s: ['a'], b: [true] })
    expect(
      refusal(() =>
        flow.derive(r => ({
          x: when(r.b)
            .then(r.n)
            .otherwise(r.s as never) as never,
        })),
      ),
    ).toEqual(['MR_TYPE_MISMATCH', expect.stringMatching(/when of int32 column "n" and utf8 column "s"/)])
  })

  it('choose by the first condition that is true, of rows whose columns nobody knew before', async () => {
    const flow = columns({ n: [1, 2, 3, null], s: ['a', null, 'c', null] }) as any
    const table = await flow
      .derive((r: any) => ({
        size: when(r.n.gt(2)).then('large').when(r.n.gt(1)).then('middle').otherwise(r.s),
        none: when(r.n.eq(1)).then(r.n),
        text: r.s.coalesce('none').nullIf('a'),
        there: r.s.isNotNull(),
      }))
      .collect()
    expect(table.toRows()).toEqual([
      { n: 1, s: 'a', size: 'a', none: 1, text: null, there: true },
      { n: 2, s: null, size: 'middle', none: null, text: 'none', there: false },
      { n: 3, s: 'c', size: 'large', none: null, text: 'c', there: true },
      { n: null, s: null, size: null, none: null, text: 'none', there: false },
    ])
  })
})

describe('casts', () => {
  it('refuse what is no type', () => {
    for (const type of ['int32', int32, undefined, null]) {
      expect(refusal(() => t.n.cast(type))).toEqual([
        'MR_TYPE_MISMATCH',
        expect.stringMatching(/takes a type, as in int32\(\)/),
      ])
    }
    const flow = columns({ n: [1] }) as any
    expect(refusal(() => flow.cast(int32))).toEqual([
      'MR_TYPE_MISMATCH',
      expect.stringMatching(/object of names to types/),
    ])
    expect(refusal(() => flow.cast({ m: int32() }))[0]).toBe('MR_UNKNOWN_COLUMN')
    expect(refusal(() => flow.cast({ n: {} }))[0]).toBe('MR_TYPE_MISMATCH')
  })

  it('have the methods of their type', () => {
    expect(t.n.cast(utf8()).family).toBe('string')
    expect(String(t.s.tryCast(float64()).add(1))).toBe('tryCast(s, float64) + 1')
  })

  it('convert columns in place, and name the row that they fail on', async () => {
    const flow = columns({ a: ['1', '2'], b: [1.9, -1.9], c: [true, null] })
    const table = await flow.cast({ a: int32(), b: utf8(), c: int32() }).collect()
    expect(table.toRows()).toEqual([
      { a: 1, b: '1.9', c: 1 },
      { a: 2, b: '-1.9', c: null },
    ])
    expect(Object.keys(table.schema)).toEqual(['a', 'b', 'c'])
    await expect(
      columns({ a: ['1', 'x'] })
        .cast({ a: int32() })
        .collect(),
    ).rejects.toMatchObject({
      code: 'MR_TYPE_MISMATCH',
      message: expect.stringMatching(/cast\(a, int32\): "x" is no int32 \(row 1 of columns\); write tryCast/),
      details: { row: 1 },
    })
  })
})
