/** Values as expressions: literals of a type, and parameters that change between jobs. */
import { describe, expect, it } from 'vitest'
import {
  bool,
  columns,
  date,
  float32,
  float64,
  int8,
  int32,
  int64,
  list,
  literal,
  MillraceError,
  nullable,
  param,
  timestamp,
  typeName,
  uint8,
  utf8,
} from '../../src/index.js'

function refusal(act: () => unknown): [code: string, message: string] {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return [(error as MillraceError).code, (error as MillraceError).message]
  }
  throw new Error('accepted')
}

const flow = columns({ n: Int32Array.of(1, 2, 3) })

describe('timestamp', () => {
  it('has a time zone that there is, if it has one', () => {
    for (const zone of ['Europe/Berlin', 'UTC', '+05:30']) expect(timestamp('s', zone).timeZone).toBe(zone)
    for (const zone of ['Mars/Olympus', '', '+25:00', 5 as never])
      expect(refusal(() => timestamp('ms', zone))).toEqual([
        'MR_INVALID_OPTION',
        expect.stringContaining('timestamp: there is no time zone'),
      ])
  })
})

describe('literal', () => {
  it('has the type that it is told, or the one that it has by itself', async () => {
    const table = await flow
      .limit(1)
      .derive(() => ({
        a: literal(7, uint8()),
        b: literal(-0.1, float32()),
        c: literal('2024-02-29', date()),
        d: literal(new Date(1500), timestamp('us')),
        e: literal(null, utf8()),
        f: literal(true, bool()),
        g: literal(5n),
        h: literal(2).add(1),
        i: literal(9, int64()),
        j: literal(null),
      }))
      .collect()
    expect(Object.values(table.schema).map(typeName)).toEqual([
      'int32',
      'uint8',
      'float32',
      'date',
      "timestamp('us')",
      'nullable(utf8)',
      'bool',
      'int64',
      'float64',
      'int64',
      'nullable(float64)',
    ])
    expect(table.at(0)).toEqual({
      n: 1,
      a: 7,
      b: Math.fround(-0.1),
      c: '2024-02-29',
      d: new Date(1500),
      e: null,
      f: true,
      g: 5,
      h: 3,
      i: 9,
      j: null,
    })
  })

  it.each<[unknown, unknown, RegExp]>([
    [256, uint8(), /: literal: the number literal 256 is beyond uint8; name a wider type, such as int64\(\)$/],
    [2n ** 63n, int64(), /: literal: the bigint literal 9223372036854775808 is beyond int64$/],
    [0.5, int32(), /is no int32/],
    ['x', int32(), /: literal: the string literal "x" is no int32$/],
    [1, utf8(), /: literal: the number literal 1 is no utf8$/],
    ['2023-02-29', date(), /no whole day/],
    [new Date(1500), timestamp('s'), /is no timestamp\('s'\)/],
    [1, list(int32()), /is no list/],
    [1, 'int32', /takes a type/],
    [{}, int32(), /no literal/],
  ])('is refused where the type does not hold it: case %#', (value, type, message) => {
    expect(refusal(() => literal(value as never, type as never))).toEqual([
      'MR_TYPE_MISMATCH',
      expect.stringMatching(message),
    ])
  })

  it('is an operand like others', async () => {
    const table = await flow.derive(t => ({ x: literal(10, int8()).sub(t.n), y: t.n.add(literal(1n)) })).collect()
    expect(table.toRows().map(({ x, y }) => [x, y])).toEqual([
      [9, 2],
      [8, 3],
      [7, 4],
    ])
    expect(typeName(table.schema.x)).toBe('int64')
    expect(typeName(nullable(float64()))).toBe('nullable(float64)')
  })
})

describe('param', () => {
  it('is read by each job anew, on any number of lanes', async () => {
    const least = param(2)
    const some = flow.filter(t => t.n.gte(least)).derive(t => ({ twice: t.n.mul(least) }))
    for (const lanes of [0, 2]) {
      least.set(2)
      expect((await some.collect({ lanes })).toRows()).toEqual([
        { n: 2, twice: 4 },
        { n: 3, twice: 6 },
      ])
      expect(some.explain()).toContain('2')
      least.set(2.5)
      expect(least.value).toBe(2.5)
      expect((await some.collect({ lanes })).toRows()).toEqual([{ n: 3, twice: 7.5 }])
    }
    expect(String(least)).toBe('param(2.5)')
  })

  it('keeps its type', () => {
    const text = param('a')
    expect(refusal(() => text.set(1 as never))).toEqual([
      'MR_TYPE_MISMATCH',
      expect.stringMatching(/it is utf8, and the number 1 is float64/),
    ])
    expect(refusal(() => text.set(null as never))[0]).toBe('MR_TYPE_MISMATCH')
    expect(refusal(() => param(null as never))[0]).toBe('MR_TYPE_MISMATCH')
    expect(refusal(() => param({} as never))[0]).toBe('MR_TYPE_MISMATCH')
    expect(text.value).toBe('a')
  })

  it('may be of any type that a literal has', async () => {
    const at = param(new Date(2000))
    const on = param(true)
    const day = param('1970-01-02', date())
    const name = param('x')
    const rows = columns({ t: [new Date(1000), new Date(3000)], b: [true, false], s: ['x', 'y'] })
    const table = await rows
      .derive(t => ({
        late: t.t.gt(at),
        same: t.b.eq(on),
        named: t.s.eq(name),
        before: t.t.cast(date()).lt(day),
        text: t.s.coalesce(name),
      }))
      .select('late', 'same', 'named', 'before', 'text')
      .collect()
    expect(table.toRows()).toEqual([
      { late: false, same: true, named: true, before: true, text: 'x' },
      { late: true, same: false, named: false, before: true, text: 'y' },
    ])
  })
})
