/** What the compiler refuses and in which words, what a hover shows, and what checking costs. What it infers is inference.ts. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Compilation, compile } from './compile.js'

const PRELUDE = [
  "import { argMin, asc, bool, channel, coalesce, columns, correlation, count, date, desc, every, float64, histogram, int32, join, list, max, mean, min, nullable, quantile, rows, schema, sum, timestamp, topK, tumbling, utf8, variance, when } from 'millrace'",
  'const trade = schema({ time: timestamp(), day: date(), symbol: utf8(), price: float64(), size: nullable(int32()), isBuy: bool() })',
  'const trades = rows([], trade)',
]

/** A line of a program, and what the compiler's message about it holds. */
type Refusal = readonly [code: string, ...fragments: string[]]

const COLUMNS = ['"pirce"', '"day" | "isBuy" | "price" | "size" | "symbol" | "time"']

const REFUSALS: Readonly<Record<string, readonly Refusal[]>> = {
  'a misspelt column': [
    ['trades.filter(t => t.pirce.gt(0))', "Property 'pirce' does not exist on type 'Columns<", "Did you mean 'price'?"],
    ['trades.derive(t => ({ x: t.pirce }))', "Property 'pirce' does not exist", "Did you mean 'price'?"],
    ['trades.aggregate(t => ({ x: sum(t.pirce) }))', "Property 'pirce' does not exist", "Did you mean 'price'?"],
    ["trades.select('pirce')", ...COLUMNS],
    ["trades.drop('pirce')", ...COLUMNS],
    ["trades.groupBy('pirce')", ...COLUMNS],
    ["trades.rollup('pirce')", ...COLUMNS],
    ["trades.cube('symbol', 'pirce')", ...COLUMNS],
    ["trades.rename({ pirce: 'p' })", "'pirce' does not exist", "Did you mean to write 'price'?"],
    ["trades.orderBy('pirce')", ...COLUMNS],
    ["trades.orderBy(desc('pirce'))", 'Order<"pirce">', 'Did you mean \'"price"\'?'],
    [
      "trades.select('price').filter(t => t.size.gt(0))",
      "Property 'size' does not exist on type 'Columns<{ readonly price: Float64; }>'",
    ],
    ["trades.rename({ price: 'cost' }).filter(t => t.price.gt(0))", "Property 'price' does not exist"],
  ],
  'a row of another schema, pushed': [
    [
      'channel(schema({ id: int32(), name: nullable(utf8()) })).push({ id: 1 })',
      "'{ id: number; }' is not assignable to parameter of type 'PushInput<{ readonly id: Int32; readonly name: Nullable<Utf8>; }>'",
    ],
    ["channel(schema({ id: int32() })).push([{ id: 'x' }])", "Type 'string' is not assignable to type 'number'"],
  ],
  'a wrong family': [
    ['trades.derive(t => ({ x: t.symbol.add(1) }))', "Property 'add' does not exist on type 'StringExpr<Utf8>'"],
    ['trades.derive(t => ({ x: t.symbol.year() }))', "Property 'year' does not exist on type 'StringExpr<Utf8>'"],
    [
      "trades.derive(t => ({ x: t.price.add('1') }))",
      "type 'string' is not assignable to parameter of type 'NumberOperand'",
    ],
    [
      'trades.derive(t => ({ x: t.price.add(t.symbol) }))',
      "'StringExpr<Utf8>' is not assignable to parameter of type 'NumberOperand'",
      '\'"string"\' is not assignable to type \'"number"\'',
    ],
    ['trades.filter(t => t.symbol.gt(1))', "type 'number' is not assignable to parameter of type 'StringOperand'"],
    [
      'trades.filter(t => t.isBuy.and(t.price))',
      "'NumberExpr<Float64>' is not assignable to parameter of type 'BoolOperand'",
    ],
    [
      'trades.filter(t => t.price)',
      "'NumberExpr<Float64>' is not assignable to type",
      '\'"number"\' is not assignable to type \'"boolean"\'',
    ],
    ['trades.filter(t => t.price.eq(null))', "type 'null' is not assignable to parameter of type 'NumberOperand'"],
    ["trades.filter(t => t.price.in(['a']))", "Type 'string' is not assignable to type 'number | bigint | null'"],
    ["trades.filter(t => t.time.gt('2020-01-01'))", "type 'string' is not assignable to parameter of type", 'Date'],
    ["trades.filter(t => t.time.in(['2020-01-01']))", "Type 'string' is not assignable to type 'bigint | Date | null'"],
    ['trades.filter(t => t.day.in([1n]))', "Type 'bigint' is not assignable to type 'string | Date | null'"],
    [
      'trades.filter(t => t.time.gt(t.day))',
      "'TimeExpr<Date_>' is not assignable",
      '\'"date"\' is not assignable to type \'"timestamp"\'',
    ],
    [
      'trades.derive(t => ({ x: t.day.hour() }))',
      "The 'this' context of type 'TimeExpr<Date_>'",
      '\'"date"\' is not assignable to type \'"timestamp"\'',
    ],
    [
      'trades.aggregate(t => ({ x: sum(t.symbol) }))',
      "'StringExpr<Utf8>' is not assignable",
      '\'"string"\' is not assignable to type \'"number"\'',
    ],
    [
      'trades.aggregate(t => ({ x: mean(t.isBuy) }))',
      "'BoolExpr<Bool>' is not assignable",
      '\'"boolean"\' is not assignable to type \'"number"\'',
    ],
    ["trades.aggregate(t => ({ x: sum('price') }))", "type 'string' is not assignable"],
    [
      'trades.aggregate(t => ({ x: min(t.symbol).add(1) }))',
      "'AggregateExpr<Utf8, Nullable<Utf8>>'",
      "not assignable to method's 'this' of type 'NumberAggregate'",
    ],
  ],
  'a choice of another family': [
    ["trades.derive(t => ({ x: when(t.isBuy).then(t.price).otherwise('x') }))", "'NumberOperand | null'"],
    ["trades.derive(t => ({ x: when(t.isBuy).then('x').otherwise(1) }))", "'1' is not assignable to parameter"],
    [
      'trades.derive(t => ({ x: when(t.isBuy).then(t.price).when(t.isBuy).then(t.symbol) }))',
      "'StringExpr<Utf8>' is not assignable to parameter of type 'NumberOperand | null'",
    ],
    ['trades.derive(t => ({ x: coalesce(t.time, 1) }))', "'1' is not assignable to parameter"],
    [
      'trades.derive(t => ({ x: coalesce(t.size, t.symbol) }))',
      "'StringExpr<Utf8>' is not assignable to parameter of type 'NumberOperand | null'",
    ],
    [
      'rows([], schema({ a: list(utf8()) })).derive(t => ({ x: when(true).then(t.a) }))',
      "not assignable to parameter of type 'Choice'",
    ],
  ],
  'a list as an operand': [
    [
      "rows([], schema({ a: list(utf8()) })).filter(t => t.a.eq(['x']))",
      "Property 'eq' does not exist on type",
      'List<Utf8>',
    ],
    ['rows([], schema({ a: list(utf8()) })).filter(t => t.a)', 'is not assignable to type', 'List<Utf8>'],
    ['rows([], schema({ a: list(int32()) })).aggregate(t => ({ x: sum(t.a) }))', 'is not assignable', 'List<Int32>'],
  ],
  'an aggregate of a wrong family': [
    [
      'trades.aggregate(t => ({ x: variance(t.symbol) }))',
      "'StringExpr<Utf8>' is not assignable",
      '\'"string"\' is not assignable to type \'"number"\'',
    ],
    ['trades.aggregate(t => ({ x: quantile(t.time, 0.5) }))', "'TimeExpr<Timestamp>' is not assignable", '"number"'],
    ['trades.aggregate(t => ({ x: correlation(t.price, t.symbol) }))', "'StringExpr<Utf8>' is not assignable"],
    ['trades.aggregate(t => ({ x: join(t.price) }))', "'NumberExpr<Float64>' is not assignable", '"string"'],
    ['trades.aggregate(t => ({ x: every(t.price) }))', "'NumberExpr<Float64>' is not assignable", '"boolean"'],
    [
      'trades.aggregate(t => ({ x: topK(t.price, 2).add(1) }))',
      "'AggregateExpr<List<Float64>, Nullable<List<Float64>>>'",
      "not assignable to method's 'this' of type 'NumberAggregate'",
    ],
    [
      'rows([], schema({ l: list(int32()) })).aggregate(t => ({ x: min(t.l) }))',
      "'Expr<List<Int32>, Family>' is not assignable",
    ],
    ['trades.aggregate(t => ({ x: topK(t.price) }))', 'Expected 2 arguments, but got 1'],
    ['trades.aggregate(t => ({ x: argMin(t.price) }))', 'Expected 2 arguments, but got 1'],
  ],
  'a bare column where an aggregate belongs, and an aggregate where a column does': [
    [
      'trades.aggregate(t => ({ x: t.price }))',
      "'NumberExpr<Float64>' is missing the following properties from type 'AggregateExpr<any, any>'",
    ],
    [
      "trades.groupBy('symbol').aggregate(t => ({ n: count(), x: t.price }))",
      "'NumberExpr<Float64>' is missing",
      "'AggregateExpr<any, any>'",
    ],
    [
      'trades.aggregate(t => ({ x: sum(t.price).div(t.price) }))',
      "'NumberExpr<Float64>' is not assignable to parameter of type 'AggregateOperand'",
    ],
    ['trades.aggregate(t => ({ x: sum(sum(t.price)) }))', "'AggregateExpr<Float64, Nullable<Float64>>'", '"number"'],
    [
      'trades.derive(t => ({ x: sum(t.price) }))',
      "'AggregateExpr<Float64, Nullable<Float64>>' is not assignable to type 'Expr<any, Family> | Literal'",
    ],
    ['trades.filter(t => sum(t.price))', "'AggregateExpr<Float64, Nullable<Float64>>' is not assignable"],
    [
      'trades.aggregate(t => ({ x: sum(t.price).where(t.price) }))',
      "'NumberExpr<Float64>' is not assignable",
      '\'"number"\' is not assignable to type \'"boolean"\'',
    ],
  ],
  'a wrong option': [
    ["trades.orderBy(desc('price', { nulls: 'frist' }))", 'Did you mean \'"first"\'?'],
    ['trades.collect({ lane: 2 })', "'lane' does not exist in type 'RunOptions'", "Did you mean to write 'lanes'?"],
    [
      'trades.aggregate(t => ({ x: variance(t.price, { populaton: true }) }))',
      "'populaton' does not exist in type 'SpreadOptions<",
      "Did you mean to write 'population'?",
    ],
    [
      "trades.aggregate(t => ({ x: quantile(t.price, '0.5') }))",
      "type 'string' is not assignable to parameter of type 'number'",
    ],
    ['trades.aggregate(t => ({ x: histogram(t.price, { min: 0, max: 1 }) }))', "Property 'bins' is missing"],
    ["trades.limit('3')", "type 'string' is not assignable to parameter of type 'number'"],
    ['columns({ a: new Map() })', "'Map<any, any>' is not assignable to type", 'ColumnInput'],
  ],
}

/** What a hover over an expression shows, told by a message that has to name its type. */
const HOVERS: readonly (readonly [code: string, shown: string])[] = [
  ["trades.select('price', 'size')", 'Flow<{ readonly price: Float64; readonly size: Nullable<Int32>; }>'],
  [
    "trades.select('price').derive(t => ({ twice: t.price.mul(2) }))",
    'Flow<{ readonly price: Float64; readonly twice: Float64; }>',
  ],
  [
    "trades.groupBy('symbol').aggregate(t => ({ n: count(), mean: mean(t.size), vwap: sum(t.price).div(count()) }))",
    'Flow<{ readonly mean: Nullable<Float64>; readonly n: Int64; readonly symbol: Utf8; readonly vwap: Nullable<Float64>; }>',
  ],
  [
    'trades.aggregate(t => ({ spread: variance(t.price), size: sum(t.size), high: max(t.price) }))',
    'Flow<{ readonly spread: Nullable<Float64>; readonly size: Nullable<Int64>; readonly high: Nullable<Float64>; }>',
  ],
  [
    "trades.watermark('time').window(tumbling('1m')).aggregate(() => ({ n: count() })).select('windowStart')",
    'Flow<{ readonly windowStart: Timestamp; }>',
  ],
  ["trades.derive(t => ({ at: t.symbol.indexOf('x') })).select('at')", 'Flow<{ readonly at: Int32; }>'],
  ["rows([{ a: 1, b: 'x' }])", 'Flow<{ readonly a: Float64; readonly b: Utf8; }>'],
  [
    "columns({ a: [['x']], b: [[[1n], null], null] })",
    'Flow<{ readonly a: List<Utf8>; readonly b: Nullable<List<Nullable<List<Int64>>>>; }>',
  ],
  [
    'rows([], schema({ a: nullable(list(utf8())), b: list(list(int32())) }))',
    'Flow<{ readonly a: Nullable<List<Utf8>>; readonly b: List<List<Int32>>; }>',
  ],
  ['columns({ a: Int16Array.of(1), b: [1, null] })', 'Flow<{ readonly a: Int16; readonly b: Nullable<Float64>; }>'],
]

const programs: Record<string, string> = {}
const places: { readonly file: string; readonly line: number }[] = []

/** One program a group; a statement a line. */
function write(file: string, lines: readonly string[]): void {
  programs[file] = [...PRELUDE, ...lines, ''].join('\n')
  for (const i of lines.keys()) places.push({ file, line: PRELUDE.length + 1 + i })
}

const fileOf = (group: string) => `refused-${Object.keys(REFUSALS).indexOf(group)}`
for (const [group, refusals] of Object.entries(REFUSALS))
  write(
    fileOf(group),
    refusals.map(([code]) => code),
  )
write(
  'hovers',
  HOVERS.map(([code], i) => `export const hover${i}: never = ${code}`),
)

let compilation: Compilation

describe('the compiler', () => {
  beforeAll(async () => {
    compilation = await compile(programs)
  }, 60_000)

  const messageAt = (file: string, index: number) =>
    compilation.messages.get(file)?.get(PRELUDE.length + 1 + index) ?? 'accepted'

  for (const [group, refusals] of Object.entries(REFUSALS)) {
    describe(`refuses ${group}`, () => {
      it.each(refusals.map((refusal, i) => [refusal[0], i, refusal] as const))('%s', (_, i, [, ...fragments]) => {
        for (const fragment of fragments) expect(messageAt(fileOf(group), i)).toContain(fragment)
        expect(messageAt(fileOf(group), i).split('\n').length).toBeLessThan(8)
      })
    })
  }

  it('says nothing about the lines around them', () => {
    for (const [file, messages] of compilation.messages) {
      if (!(file in programs)) continue
      const expected = places.filter(place => place.file === file).map(({ line }) => line)
      expect([...messages.keys()].filter(line => !expected.includes(line))).toEqual([])
    }
  })

  it.each(HOVERS)('shows %s as declared', (code, shown) => {
    const i = HOVERS.findIndex(([other]) => other === code)
    expect(messageAt('hovers', i)).toContain(`Type '${shown}' is not assignable to type 'never'`)
  })
})

/** A program of some size, whose cost is what it adds to that of importing the library. */
const SAMPLE = `
export const bars = trades
  .filter(t => t.price.gt(0).and(t.size.isNull().not()).and(t.time.gte(new Date(0))))
  .derive(t => ({ notional: t.price.mul(t.size), hour: t.time.hour(), weekday: t.time.dayOfWeek() }))
  .rename({ isBuy: 'buy' })
  .groupBy('symbol', 'hour')
  .aggregate(t => ({
    n: count(), buys: count().where(t.buy), volume: sum(t.size), low: min(t.price),
    vwap: sum(t.notional).div(sum(t.size)), mean: mean(t.notional.add(1).sub(t.price).div(2)),
  }))
  .orderBy(desc('vwap', { nulls: 'first' }), asc('symbol'), 'hour')
  .drop('low')
  .limit(10)
export const more = bars
  .derive(t => ({ share: t.buys.div(t.n), late: t.hour.between(18, 23), weekend: t.hour.mod(7).in([5, 6]) }))
  .filter(t => t.late.or(t.weekend))
  .select('symbol', 'share', 'mean')
  .aggregate(t => ({ symbols: count(t.symbol), share: mean(t.share), top: min(t.symbol) }))
export const rowsOfMore = async () => (await more.collect()).toRows().map(row => row.share ?? row.symbols)
`

/** Measured with the TypeScript of package-lock.json. Raise it knowingly: it is what every keystroke in an editor costs a user. */
const MOST_INSTANTIATIONS = 2_850

/** What describing a column in every way adds to it. */
const DESCRIBED = `
export const described = trades.groupBy('symbol').aggregate(t => ({
  low: quantile(t.price, 0.1), top: topK(t.price, 3), spread: variance(t.price), at: argMin(t.time, t.price),
  r: correlation(t.price, t.size), bins: histogram(t.size, [0, 1, 10]), bought: every(t.isBuy), days: join(t.symbol),
}))
export const listsOfDescribed = async () => (await described.collect()).toRows().map(row => row.top.length + (row.bins ?? []).length)
`
const MOST_INSTANTIATIONS_DESCRIBED = 760

it('a program of two queries costs no more type instantiations than it used to', async () => {
  const bare = await compile({ program: PRELUDE.join('\n') })
  const sample = await compile({ program: [...PRELUDE, SAMPLE].join('\n') })
  const described = await compile({ program: [...PRELUDE, SAMPLE, DESCRIBED].join('\n') })
  expect(described.messages.get('program')).toBeUndefined()
  const cost = sample.instantiations - bare.instantiations
  expect(cost).toBeLessThanOrEqual(MOST_INSTANTIATIONS)
  expect(cost).toBeGreaterThan(MOST_INSTANTIATIONS / 2)
  const more = described.instantiations - sample.instantiations
  expect(more).toBeLessThanOrEqual(MOST_INSTANTIATIONS_DESCRIBED)
  expect(more).toBeGreaterThan(MOST_INSTANTIATIONS_DESCRIBED / 2)
}, 60_000)
