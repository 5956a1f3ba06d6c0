/** Verbs at run time: what they give, what they refuse at once and in which words, and what waits for the terminal. Answers are the flow suites'. */
import { describe, expect, it } from 'vitest'
import { flowOf } from '../../src/api/flow.js'
import {
  asc,
  bool,
  columns,
  count,
  csv,
  date,
  defineAggregate,
  desc,
  dictionary,
  type ErrorCode,
  type Flow,
  float64,
  int32,
  list,
  literal,
  MillraceError,
  max,
  mean,
  nullable,
  param,
  parquet,
  rows,
  schema,
  sum,
  timestamp,
  tumbling,
  typeName,
  utf8,
} from '../../src/index.js'

const trade = schema({
  time: timestamp('us'),
  day: date(),
  symbol: utf8(),
  price: float64(),
  size: nullable(int32()),
  isBuy: bool(),
})
const trades = rows([], trade)
// As a JavaScript user writes, whom no compiler stops.
const untyped = trades as any
const unknown = (): Flow<any> =>
  flowOf({
    label: 'file x',
    schema: null,
    rowCount: null,
    describe: async () => trade,
    open: async () => ({ splits: [] }),
  })

function refused(code: ErrorCode, act: () => unknown): MillraceError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    expect((error as MillraceError).code).toBe(code)
    return error as MillraceError
  }
  throw new Error('accepted')
}

it('errors name the verb that was called, and columns by themselves', async () => {
  const right = untyped.select('symbol')
  const wrong: [string, ErrorCode, () => unknown, object?][] = [
    ['topK', 'MR_INVALID_OPTION', () => untyped.topK(1)],
    ['topK', 'MR_INVALID_OPTION', () => untyped.topK(-1, 'price')],
    ['topK', 'MR_TYPE_MISMATCH', () => untyped.topK(1, 5 as never)],
    ['topK', 'MR_UNKNOWN_COLUMN', () => untyped.topK(1, 'prise'), { column: 'prise' }],
    ['topK', 'MR_INVALID_OPTION', () => untyped.groupBy('symbol').topK(0.5, 'price')],
    ['topK', 'MR_INVALID_OPTION', () => untyped.groupBy('symbol').topK(1)],
    ['fillNull', 'MR_UNKNOWN_COLUMN', () => untyped.fillNull({ prise: 0 }), { column: 'prise' }],
    ['fillNull', 'MR_TYPE_MISMATCH', () => columns({ s: ['a', null] }).fillNull({ s: 5 as never })],
    ['derive', 'MR_TYPE_MISMATCH', () => untyped.derive(() => ({ x: {} })), { column: 'x' }],
    ['derive', 'MR_TYPE_MISMATCH', () => untyped.derive(() => ({ x: new Date(Number.NaN) })), { column: 'x' }],
    ['validate', 'MR_TYPE_MISMATCH', () => untyped.validate({ a: (t: any) => t.price })],
    [
      'pivot',
      'MR_DUPLICATE_COLUMN',
      () => untyped.pivot({ on: 'symbol', index: ['size'], values: 'price', columns: ['size'] }),
      { column: 'size' },
    ],
    ['join', 'MR_UNKNOWN_COLUMN', () => untyped.join(right, 'symbl'), { column: 'symbl' }],
    ['leftJoin', 'MR_UNKNOWN_COLUMN', () => untyped.leftJoin(right, { symbol: 'symbl' }), { column: 'symbl' }],
  ]
  for (const [operator, code, act, details = {}] of wrong) {
    const error = refused(code, act)
    expect(error.details).toMatchObject({ operator, ...details })
    expect(error.message.startsWith(`${code}: ${operator}`)).toBe(true)
  }
  const lists = columns({ l: [[1]] })
  const said: [ErrorCode, () => unknown, string][] = [
    ['MR_TYPE_MISMATCH', () => lists.join(lists, 'l' as never), 'these are lists, which cannot be keys'],
    ['MR_TYPE_MISMATCH', () => untyped.pivot({ on: 's', index: [], values: 'x', columns: [] }), 'not an empty one'],
  ]
  for (const [code, act, words] of said) expect(refused(code, act).message).toContain(words)
  const made = refused('MR_TYPE_MISMATCH', () => untyped.aggregate((t: any) => ({ x: (max(t.symbol) as any).add(1) })))
  expect([made.message.includes('max(symbol)'), made.details.column]).toEqual([true, undefined])
  const table = await untyped.collect()
  for (const name of [undefined, null, 5]) refused('MR_UNKNOWN_COLUMN', () => table.column(name as never))
})

it('a type that there is not is refused wherever one is named', () => {
  for (const type of [{ kind: 'decimal' }, { kind: 'timestamp', unit: 'h' }, { kind: 'list' }] as any[]) {
    const named = [
      () => columns({ x: [1] }, { x: type }),
      () => rows([{ x: 1 }], { x: type }),
      () => csv({ text: 'x' }, { schema: { x: type } }),
      () => literal(1, type),
      () => param(1, type),
      () => trades.cast({ price: type }),
      () => trades.derive(t => ({ x: t.symbol.tryCast(type) })),
      () => trades.derive(t => ({ x: t.symbol.json('a', type) })),
      () => trades.map(() => ({ x: 1 }), { schema: { x: type } }),
      () => defineAggregate({ init: () => 0, update: n => n, merge: n => n, evaluate: n => n, type }),
    ]
    for (const act of named) refused('MR_TYPE_MISMATCH', act)
  }
})

it('what is no reader of bytes and no input is refused as such', async () => {
  const table = await untyped.collect()
  for (const read of [-1, {}, 'tableFromIPC'])
    await expect(table.toArrow(read as never)).rejects.toMatchObject({ code: 'MR_TYPE_MISMATCH' })
  await expect(csv(Object.create(null)).collect()).rejects.toBeInstanceOf(MillraceError)
})

const typesOf = (flow: Flow<any>) =>
  Object.entries(flow.schema as object).map(([name, type]) => `${name} ${typeName(type)}`)

describe('verbs', () => {
  it('give a new flow and leave the old one as it was', () => {
    const filtered = trades.filter(t => t.isBuy)
    expect(filtered).not.toBe(trades)
    expect(trades.plan.kind).toBe('source')
    expect(filtered.sources).toBe(trades.sources)
  })

  it('select orders columns as asked, drop and rename keep their places', () => {
    expect(typesOf(trades.select('size', 'price'))).toEqual(['size nullable(int32)', 'price float64'])
    expect(typesOf(trades.drop('time', 'day', 'isBuy'))).toEqual([
      'symbol utf8',
      'price float64',
      'size nullable(int32)',
    ])
    expect(typesOf(trades.select('symbol', 'price').rename({ symbol: 'price', price: 'symbol' }))).toEqual([
      'price utf8',
      'symbol float64',
    ])
    expect(typesOf(trades.select('price').rename({}))).toEqual(['price float64'])
    expect(typesOf(untyped.select('price').drop())).toEqual(['price float64'])
  })

  it('derive replaces in place and adds at the end, over the columns of its input', () => {
    const derived = trades
      .select('price', 'size')
      .derive(t => ({ total: t.price.mul(t.size), price: t.size, label: 'x' }))
    expect(typesOf(derived)).toEqual([
      'price nullable(int32)',
      'size nullable(int32)',
      'total nullable(float64)',
      'label utf8',
    ])
    const literals = trades.select('price').derive(() => ({ a: 1, b: 2n, c: null, d: true, e: new Date(0) }))
    expect(typesOf(literals).slice(1)).toEqual([
      'a float64',
      'b int64',
      'c nullable(float64)',
      'd bool',
      "e timestamp('ms')",
    ])
    expect(typesOf(trades.select('price').derive(() => ({})))).toEqual(['price float64'])
  })

  it('aggregates are nullable without a key, filtered, over nulls, and as quotients', () => {
    const define = (t: any) => ({
      n: count(),
      total: sum(t.price),
      some: sum(t.price).where(t.isBuy),
      sizes: sum(t.size),
      mean: sum(t.price).div(2),
    })
    expect(typesOf(untyped.groupBy('symbol').aggregate(define))).toEqual([
      'symbol utf8',
      'n int64',
      'total float64',
      'some nullable(float64)',
      'sizes nullable(int64)',
      'mean nullable(float64)',
    ])
    expect(typesOf(untyped.aggregate(define)).slice(0, 2)).toEqual(['n int64', 'total nullable(float64)'])
    expect(typesOf(trades.groupBy('symbol').aggregate(() => ({})))).toEqual(['symbol utf8'])
  })

  it('rollup and cube make keys and aggregates nullable, and say what they cannot group by', () => {
    const define = (t: any) => ({ n: count(), total: sum(t.price) })
    for (const verb of ['rollup', 'cube'] as const) {
      expect(typesOf(untyped[verb]('symbol').aggregate(define))).toEqual([
        'symbol nullable(utf8)',
        'n int64',
        'total nullable(float64)',
      ])
      expect(refused('MR_INVALID_OPTION', () => untyped[verb]()).message).toContain(`call aggregate without ${verb}`)
      expect(refused('MR_UNKNOWN_COLUMN', () => untyped[verb]('symbo')).message).toContain('did you mean "symbol"?')
      expect(
        refused('MR_DUPLICATE_COLUMN', () => untyped[verb]('symbol').aggregate(() => ({ symbol: count() }))).message,
      ).toContain(`already a key of ${verb}`)
    }
    const many = Array.from({ length: 13 }, (_, i) => `k${i}`)
    const wide = columns(Object.fromEntries(many.map(name => [name, [1]]))) as Flow<any>
    expect(refused('MR_INVALID_OPTION', () => wide.cube(...many)).message).toContain('2^13 subsets; name at most 12')
    expect((wide.rollup(...many).aggregate(() => ({ n: count() })).plan as any).sets).toHaveLength(14)
    expect((wide.cube(...many.slice(1)).aggregate(() => ({ n: count() })).plan as any).sets).toHaveLength(4096)
  })

  it('names that look like integers come first, as in every object of JavaScript, and keep their own types', () => {
    const flow = columns({ b: ['x'], 1: Int32Array.of(1), a: Float64Array.of(1) }) as Flow<any>
    expect(typesOf(flow.select('b', '1'))).toEqual(['1 int32', 'b utf8'])
    const grouped = flow.groupBy('b', '1').aggregate((t: any) => ({ a: sum(t.a), 0: count() }))
    expect(typesOf(grouped)).toEqual(['0 int64', '1 int32', 'b utf8', 'a float64'])
  })

  it('plans and handles are serialisable data', () => {
    const flow = trades
      .filter(t => t.day.gte('2024-01-01'))
      .groupBy('symbol')
      .aggregate(t => ({ m: mean(t.price) }))
      .orderBy(desc('m'))
      .limit(3)
    expect(structuredClone(flow.plan)).toEqual(flow.plan)
  })
})

describe('verbs refuse at once', () => {
  it('unknown columns, naming the verb and the nearest', () => {
    for (const [verb, act] of Object.entries({
      select: () => untyped.select('prise'),
      drop: () => untyped.drop('prise'),
      rename: () => untyped.rename({ prise: 'x' }),
      derive: () => untyped.derive((t: any) => ({ x: t.prise })),
      filter: () => untyped.filter((t: any) => t.prise.gt(0)),
      orderBy: () => untyped.orderBy('prise'),
      groupBy: () => untyped.groupBy('prise'),
      aggregate: () => untyped.aggregate((t: any) => ({ x: sum(t.prise) })),
    })) {
      expect(refused('MR_UNKNOWN_COLUMN', act).details).toEqual({
        operator: verb,
        column: 'prise',
        suggestion: 'price',
      })
    }
  })

  it('a key that cannot be one, at once', () => {
    const flow = columns({ l: [[1]], t: [new Date(0)] })
    const grouped: [() => unknown, string][] = [
      [() => flow.groupBy('t', 'l'), 'groupBy'],
      [() => flow.rollup('l'), 'rollup'],
      [() => flow.cube('l'), 'cube'],
      [() => flow.watermark('t').window(tumbling('1s')).groupBy('l'), 'groupBy'],
    ]
    for (const [act, operator] of grouped) {
      expect(act).toThrow(
        expect.objectContaining({
          code: 'MR_TYPE_MISMATCH',
          message: `MR_TYPE_MISMATCH: ${operator}: column "l" is a list, which cannot be a key`,
          details: { operator, column: 'l' },
        }),
      )
    }
  })

  it('a name twice', () => {
    refused('MR_DUPLICATE_COLUMN', () => untyped.select('price', 'price'))
    refused('MR_DUPLICATE_COLUMN', () => untyped.drop('price', 'price'))
    refused('MR_DUPLICATE_COLUMN', () => untyped.rename({ price: 'size' }))
    refused('MR_DUPLICATE_COLUMN', () => untyped.rename({ price: 'x', size: 'x' }))
    refused('MR_DUPLICATE_COLUMN', () => untyped.groupBy('symbol', 'symbol'))
    refused('MR_DUPLICATE_COLUMN', () => untyped.rollup('symbol', 'symbol'))
    refused('MR_DUPLICATE_COLUMN', () => untyped.orderBy('price', desc('price')))
    expect(
      refused('MR_DUPLICATE_COLUMN', () => trades.groupBy('symbol').aggregate(() => ({ symbol: count() }))).message,
    ).toContain('already a key')
  })

  it('verbs without names, and counts that are none', () => {
    for (const act of [
      () => untyped.select(),
      () => untyped.orderBy(),
      () => untyped.groupBy(),
      () => untyped.aggregate(() => ({})),
      () => untyped.drop(...Object.keys(trade)),
      () => untyped.limit(-1),
      () => untyped.limit(1.5),
      () => untyped.limit('3'),
      () => untyped.limit(2 ** 53),
      () => untyped.limit(1, -1),
      () => untyped.limit(),
      () => desc('price', { nulls: 'frist' as 'first' }),
      () => desc('price', { null: 'first' } as object),
      () => asc('price', 'first' as never),
    ]) {
      refused('MR_INVALID_OPTION', act)
    }
  })

  it('names that are no strings', () => {
    expect(refused('MR_TYPE_MISMATCH', () => untyped.select(['price', 'size'])).message).toContain(
      'write the names one after another',
    )
    refused('MR_TYPE_MISMATCH', () => untyped.rename({ price: 5 }))
    refused('MR_TYPE_MISMATCH', () => untyped.rename('price'))
    refused('MR_TYPE_MISMATCH', () => untyped.groupBy(null))
    refused('MR_TYPE_MISMATCH', () => untyped.orderBy(5))
    refused('MR_TYPE_MISMATCH', () => asc(5 as never))
    expect(refused('MR_TYPE_MISMATCH', () => untyped.orderBy(columnOf())).message).toContain('derive it first')
  })
  const columnOf = () => {
    let handle: unknown
    untyped.filter((t: any) => {
      handle = t.price
      return true
    })
    return handle
  }

  it('a bare column in aggregate, saying what to wrap it in', () => {
    const { message } = refused('MR_TYPE_MISMATCH', () => untyped.aggregate((t: any) => ({ x: t.price })))
    expect(message).toContain('"x" is the column expression price, not an aggregate')
    expect(message).toContain('sum(t.x)')
    refused('MR_TYPE_MISMATCH', () => untyped.aggregate(() => ({ x: 5 })))
    refused('MR_TYPE_MISMATCH', () => untyped.aggregate(() => ({ x: undefined })))
  })

  it('an aggregate in derive and filter', () => {
    expect(refused('MR_TYPE_MISMATCH', () => untyped.derive((t: any) => ({ x: sum(t.price) }))).message).toContain(
      'row by row',
    )
    expect(refused('MR_TYPE_MISMATCH', () => untyped.filter(() => count())).message).toContain('an aggregate')
  })

  it('a predicate that is none', () => {
    for (const predicate of [
      (t: any) => t.price,
      () => undefined,
      () => null,
      () => 1,
      () => 'price',
      async () => true,
    ]) {
      expect(refused('MR_TYPE_MISMATCH', () => untyped.filter(predicate)).message).toContain('t.x.gt(0)')
    }
    refused('MR_TYPE_MISMATCH', () => untyped.filter('price > 0'))
  })

  it('callbacks that give no object of columns', () => {
    for (const result of [undefined, null, 5, [], new Date(), Promise.resolve({})]) {
      expect(refused('MR_TYPE_MISMATCH', () => untyped.derive(() => result)).message).toContain('t => ({ name: ... })')
      refused('MR_TYPE_MISMATCH', () => untyped.aggregate(() => result))
    }
    refused('MR_TYPE_MISMATCH', () => untyped.derive((t: any) => t.price))
    refused('MR_TYPE_MISMATCH', () => untyped.aggregate(() => count()))
    for (const value of [undefined, {}, [], () => 1, Symbol('x'), new Date(Number.NaN)])
      refused('MR_TYPE_MISMATCH', () => untyped.derive(() => ({ x: value })))
    refused('MR_INTEGER_OVERFLOW', () => untyped.derive(() => ({ x: 2n ** 63n })))
  })

  it('types that do not fit', () => {
    refused('MR_TYPE_MISMATCH', () => untyped.filter((t: any) => t.time.eq(t.day)))
    refused('MR_TYPE_MISMATCH', () => untyped.filter((t: any) => t.day.eq('2023-02-29')))
    refused('MR_TYPE_MISMATCH', () => untyped.derive((t: any) => ({ x: t.day.hour() })))
    const nested = rows([], schema({ l: list(int32()) })) as any
    refused('MR_TYPE_MISMATCH', () => nested.groupBy('l').aggregate(() => ({ n: count() })))
    refused('MR_TYPE_MISMATCH', () => nested.orderBy('l'))
  })

  it('sources that are none', () => {
    refused('MR_INVALID_OPTION', () => parquet([]))
    refused('MR_INVALID_OPTION', () => parquet(5 as never))
    refused('MR_INVALID_OPTION', () => parquet('x', { shema: trade } as object))
    refused('MR_TYPE_MISMATCH', () => columns(5 as never))
    refused('MR_TYPE_MISMATCH', () => rows('x' as never))
    refused('MR_TYPE_MISMATCH', () => rows([5] as never))
    refused('MR_TYPE_MISMATCH', () => columns({ a: 'abc' as never }))
    refused('MR_TYPE_MISMATCH', () => dictionary(5 as never, []))
    refused('MR_INVALID_OPTION', () => dictionary([0], ['a'], { valid: [true] } as object))
    refused('MR_INVALID_OPTION', () => dictionary([0], ['a'], 5 as never))
  })
})

describe('a flow whose schema is not known yet', () => {
  it('takes any name and any method, and says so', () => {
    const flow = unknown()
      .derive(t => ({ twice: t.price.mul(2) }))
      .rename({ twice: 'double' })
      .drop('time')
      .filter(t => t.double.gt(1).and(t.symbol.eq('a')))
    expect(flow.schema).toBe(null)
    expect(flow.explain()).toContain('whose columns are known once it opens')
  })

  it('refuses at once what no schema could make right', () => {
    refused('MR_DUPLICATE_COLUMN', () => unknown().select('a', 'a'))
    refused('MR_INVALID_OPTION', () => unknown().select())
    refused('MR_INVALID_OPTION', () => unknown().limit(-1))
    refused('MR_TYPE_MISMATCH', () => unknown().aggregate(t => ({ x: t.price as never })))
    refused('MR_DUPLICATE_COLUMN', () =>
      unknown()
        .groupBy('a')
        .aggregate(() => ({ a: count() })),
    )
  })

  it('rejects at the terminal what turns out wrong', async () => {
    const wrong: [ErrorCode, Flow<any>][] = [
      ['MR_UNKNOWN_COLUMN', unknown().select('prise')],
      ['MR_UNKNOWN_COLUMN', unknown().drop('prise')],
      ['MR_UNKNOWN_COLUMN', unknown().filter(t => t.prise.gt(1))],
      [
        'MR_UNKNOWN_COLUMN',
        unknown()
          .groupBy('prise')
          .aggregate(() => ({ n: count() })),
      ],
      ['MR_TYPE_MISMATCH', unknown().filter(t => t.symbol.gt(1))],
      ['MR_TYPE_MISMATCH', unknown().derive(t => ({ x: t.symbol.add(t.price) }))],
      ['MR_TYPE_MISMATCH', unknown().filter(t => t.price.and(true))],
      ['MR_TYPE_MISMATCH', unknown().aggregate(t => ({ x: sum(t.isBuy) }))],
      ['MR_DUPLICATE_COLUMN', unknown().rename({ price: 'size' })],
    ]
    for (const [code, flow] of wrong) await expect(flow.collect({ lanes: 0 })).rejects.toMatchObject({ code })
  })

  it('says of what a row failed: the column and the row', async () => {
    const data = columns({ n: BigInt64Array.of(1n, 2n ** 62n), s: ['1', 'x'] })
    const cases: [Flow<any>, object][] = [
      [data.derive(t => ({ z: t.n.add(t.n) })), { operator: 'add', column: 'n', row: 1 }],
      [data.filter(t => t.s.cast(int32()).gt(0)), { operator: 'cast', column: 's', row: 1 }],
    ]
    for (const [flow, details] of cases) {
      const error = await flow.collect({ lanes: 0 }).then(
        () => null,
        thrown => thrown as MillraceError,
      )
      expect(error?.details).toEqual(details)
    }
  })

  it('is typed once the source opens', async () => {
    const table = await unknown()
      .derive(t => ({ n: 1, price: t.size.add(1) }))
      .drop('time', 'day')
      .collect({ lanes: 0 })
    expect(Object.entries(table.schema).map(([name, type]) => `${name} ${typeName(type)}`)).toEqual([
      'symbol utf8',
      'price nullable(int64)',
      'size nullable(int32)',
      'isBuy bool',
      'n float64',
    ])
  })
})

describe('terminals', () => {
  it('reject, and never throw', async () => {
    const results = [
      trades.collect({ lanes: -1 }),
      trades.collect({ lane: 1 } as object),
      trades.collect(5 as never),
      trades.load({ lanes: 65 }),
      trades.explain({ analyze: true }, { lanes: 1.5 }),
    ]
    for (const result of await Promise.allSettled(results)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'MR_INVALID_OPTION' } })
    }
    const reason = new Error('enough')
    await expect(trades.collect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('a table is a source again, under its own types', async () => {
    const table = await columns({ a: Int8Array.of(1, 2, 3) }).collect()
    const flow = table.flow().filter(t => t.a.gt(1))
    expect(typesOf(flow)).toEqual(['a int8'])
    expect((await flow.collect()).toRows()).toEqual([{ a: 2 }, { a: 3 }])
  })

  it('inputs are read when a terminal runs, each time', async () => {
    const data = Float64Array.of(1, 2)
    const flow = columns({ a: data })
    data[0] = 7
    expect((await flow.collect()).toRows()).toEqual([{ a: 7 }, { a: 2 }])
    data[1] = 8
    expect((await flow.collect()).toRows()).toEqual([{ a: 7 }, { a: 8 }])
  })
})
