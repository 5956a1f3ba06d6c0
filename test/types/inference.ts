/** What TypeScript infers, as equalities between types: this file compiles, or a fact below is wrong. compiler.test.ts sees that it does. */
import {
  any,
  approxCountDistinct,
  approxQuantile,
  approxTopK,
  argMax,
  argMin,
  type Bool,
  bool,
  bottomK,
  type Column,
  coalesce,
  collectAll,
  collectList,
  columns,
  correlation,
  count,
  countDistinct,
  covariance,
  csvSink,
  type DataType,
  type Date_,
  date,
  defineAggregate,
  defineKernel,
  desc,
  dictionary,
  every,
  ewma,
  type Float32,
  type Float64,
  type Flow,
  first,
  float64,
  histogram,
  type Int8,
  type Int32,
  type Int64,
  int32,
  int64,
  type Job,
  join,
  type List,
  type Live,
  lag,
  last,
  list,
  max,
  mean,
  median,
  min,
  minGroupSize,
  mode,
  type Nullable,
  type NumberExpr,
  nullable,
  parquet,
  privacyBudget,
  quantile,
  type RecordBatch,
  type RowOf,
  rowNumber,
  rows,
  runAll,
  type SchemaShape,
  schema,
  slope,
  some,
  stddev,
  sum,
  type Table,
  type Timestamp,
  timestamp,
  topK,
  tumbling,
  type Uint8,
  type Utf8,
  utf8,
  variance,
  when,
} from 'millrace'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** The schema of a flow without `readonly`, which the inference keeps and nobody asks about. */
type SchemaOf<F> = F extends Flow<infer S> ? { -readonly [K in keyof S]: S[K] } : never
type RowsOf<F> = F extends Flow<infer S> ? RowOf<S> : never
const holds = <T extends true>(): T | undefined => undefined

const trade = schema({
  time: timestamp(),
  day: nullable(date()),
  symbol: utf8(),
  price: float64(),
  size: int32(),
  lots: nullable(int64()),
  isBuy: bool(),
})
const trades = rows([], trade)

// Rows as JavaScript has them.
holds<
  Equal<
    RowsOf<typeof trades>,
    { time: Date; day: string | null; symbol: string; price: number; size: number; lots: number | null; isBuy: boolean }
  >
>()

// select, drop and rename keep exact types.
const selected = trades.select('price', 'lots')
holds<Equal<SchemaOf<typeof selected>, { price: Float64; lots: Nullable<Int64> }>>()
const dropped = trades.drop('time', 'day', 'isBuy', 'symbol', 'size')
holds<Equal<SchemaOf<typeof dropped>, { price: Float64; lots: Nullable<Int64> }>>()
const renamed = selected.rename({ price: 'cost' })
holds<Equal<SchemaOf<typeof renamed>, { cost: Float64; lots: Nullable<Int64> }>>()

// Where it is not known whether rows have bigints, they have either.
const readAs = async (bigint: boolean) => (await trades.select('lots').collect()).toRows({ bigint })
type Read = Awaited<ReturnType<typeof readAs>>[number]
holds<Equal<Read, { lots: number | null } | { lots: bigint | null }>>()

// Handles are typed by their column.
trades.filter(t => {
  holds<Equal<typeof t.price, NumberExpr<Float64>>>()
  return t.isBuy
})

// Functions of the caller's get rows as declared, and give those of the schema; what is filled by a line or the mean is float64.
const mapped = selected.map(({ price, lots }) => ({ cost: price * 2, lots: lots ?? 0 }), {
  schema: schema({ cost: float64(), lots: int64() }),
})
holds<Equal<SchemaOf<typeof mapped>, { cost: Float64; lots: Int64 }>>()
// @ts-expect-error: a row lacks a column.
selected.map(({ price }) => ({ cost: price }), { schema: schema({ cost: float64(), lots: int64() }) })
// @ts-expect-error: a cell is of another type.
selected.flatMap(() => [{ cost: 'x' }], { schema: schema({ cost: float64() }) })
const filledIn = trades
  .select('lots', 'size', 'day')
  .fillNull({ lots: { method: 'linear' }, size: { method: 'mean' }, day: { method: 'previous' } })
holds<Equal<SchemaOf<typeof filledIn>, { lots: Nullable<Float64>; size: Float64; day: Nullable<Date_> }>>()
// @ts-expect-error: there is no such method.
trades.fillNull({ lots: { method: 'before' } })

// explode gives items, unpivot the type that holds the values of all.
const exploded = rows([], schema({ a: int32(), l: list(utf8()) })).explode('l')
holds<Equal<SchemaOf<typeof exploded>, { a: Int32; l: Nullable<Utf8> }>>()
const unpivoted = trades.unpivot({ on: ['price', 'size'], index: ['symbol', 'day'] })
holds<Equal<SchemaOf<typeof unpivoted>, { symbol: Utf8; day: Nullable<Date_>; variable: Utf8; value: Float64 }>>()
const named = selected.unpivot({ on: ['lots'], variableName: 'name', valueName: 'lot' })
holds<Equal<SchemaOf<typeof named>, { price: Float64; name: Utf8; lot: Nullable<Int64> }>>()

// over adds columns; a frame that may be empty makes nulls.
const placed = selected.over({ orderBy: 'price', rows: [-2, 0] }, t => ({
  n: rowNumber(),
  total: sum(t.price),
  before: lag(t.price),
  filled: lag(t.price, 1, 0),
  smooth: ewma(t.lots, { span: 3 }),
}))
holds<
  Equal<
    SchemaOf<typeof placed>,
    {
      price: Float64
      lots: Nullable<Int64>
      n: Int64
      total: Float64
      before: Nullable<Float64>
      filled: Float64
      smooth: Nullable<Float64>
    }
  >
>()
const ahead = selected.over({ rows: [1, 2] }, t => ({ total: sum(t.price), rows: count() }))
holds<Equal<SchemaOf<typeof ahead>['total'], Nullable<Float64>>>()
holds<Equal<SchemaOf<typeof ahead>['rows'], Int64>>()

// pivot makes columns of values that are given.
const pivoted = trades.pivot({ on: 'symbol', index: ['isBuy'], values: 'price', columns: ['ABC', 'XYZ'] })
holds<Equal<SchemaOf<typeof pivoted>, { isBuy: Bool; ABC: Nullable<Float64>; XYZ: Nullable<Float64> }>>()
const pivotedSums = trades.pivot({
  on: 'isBuy',
  index: ['symbol'],
  values: 'size',
  aggregate: sum,
  columns: [true, false],
})
holds<Equal<SchemaOf<typeof pivotedSums>, { symbol: Utf8; true: Nullable<Int64>; false: Nullable<Int64> }>>()

// derive adds and replaces.
const derived = selected.derive(t => ({
  price: t.price.isNull(),
  n: 1,
  s: 'x',
  b: true,
  big: 1n,
  at: new Date(0),
  none: null,
}))
holds<
  Equal<
    SchemaOf<typeof derived>,
    {
      price: Bool
      lots: Nullable<Int64>
      n: Float64
      s: Utf8
      b: Bool
      big: Int64
      at: Timestamp
      none: Nullable<Float64>
    }
  >
>()

// Arithmetic: int64 of integers, float64 as soon as one is a float; quotients are null for a zero divisor.
const numbers = trades.derive(t => ({
  time: t.size.add(1),
  day: t.size.mul(t.lots),
  symbol: t.size.sub(1.5),
  price: t.price.mul(t.size),
  size: t.size.div(2),
  lots: t.size.div(t.size),
  isBuy: t.size.intDiv(2),
  mod: t.size.mod(t.size),
  neg: t.size.neg(),
  part: t.day.year(),
  hour: t.time.hour(),
}))
holds<
  Equal<
    SchemaOf<typeof numbers>,
    {
      time: Int64
      day: Nullable<Int64>
      symbol: Float64
      price: Float64
      size: Float64
      lots: Nullable<Float64>
      isBuy: Int64
      mod: Nullable<Int64>
      neg: Int64
      part: Nullable<Int32>
      hour: Int32
    }
  >
>()
// A number whose value is not known when compiling may be whole or not.
const scale: number = 2
const scaled = trades
  .derive(t => ({ x: t.size.mul(scale), y: t.price.mul(scale), z: t.size.clamp(scale), w: t.size.clamp(scale, null) }))
  .select('x', 'y', 'z', 'w')
type WholeOrNot = DataType<'int64' | 'float64', false>
holds<Equal<SchemaOf<typeof scaled>, { x: WholeOrNot; y: Float64; z: WholeOrNot; w: WholeOrNot }>>()

// Comparisons and logic are null where an operand may be.
const truths = trades
  .derive(t => ({
    a: t.price.gt(1),
    b: t.lots.gt(1),
    c: t.price.between(t.lots, 2),
    d: t.symbol.in(['a', null]),
    e: t.symbol.in(['a']),
    f: t.isBuy.and(t.lots.eq(1)),
    g: t.day.isNull().not(),
    h: t.time.lt(new Date(0)),
    i: t.day.eq('2024-02-29'),
  }))
  .select('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')
holds<
  Equal<
    SchemaOf<typeof truths>,
    {
      a: Bool
      b: Nullable<Bool>
      c: Nullable<Bool>
      d: Nullable<Bool>
      e: Bool
      f: Nullable<Bool>
      g: Bool
      h: Bool
      i: Nullable<Bool>
    }
  >
>()

// Functions of strings and of times: null where an operand may be, and where there may be no answer.
const functions = trades
  .derive(t => ({
    a: t.symbol.lower().concat('/', t.symbol),
    b: t.symbol.replace('a', 'b').length(),
    c: t.symbol.split(',', 0),
    d: t.symbol.contains('x'),
    e: t.symbol.toNumber(),
    f: t.symbol.parseTime(),
    g: t.symbol.json('a.b', int32()),
    h: t.symbol.extract(/a/),
    i: t.time.truncate('1 day', { zone: 'Europe/Berlin' }),
    j: t.day.add('1 month').day(),
    k: t.time.diff(new Date(0), 'hour'),
    l: t.time.date('Europe/Berlin'),
    m: t.day.epoch('s'),
  }))
  .select('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm')
holds<
  Equal<
    SchemaOf<typeof functions>,
    {
      a: Utf8
      b: Int32
      c: Nullable<Utf8>
      d: Bool
      e: Nullable<Float64>
      f: Nullable<Timestamp>
      g: Nullable<Int32>
      h: Nullable<Utf8>
      i: Timestamp
      j: Nullable<Int32>
      k: Int64
      l: Date_
      m: Nullable<Int64>
    }
  >
>()

// Aggregates in a group: nullable only where the input is, or a filter may leave no row.
const grouped = trades.groupBy('symbol', 'day').aggregate(t => ({
  n: count(),
  m: count().where(t.isBuy),
  total: sum(t.size),
  lots: sum(t.lots),
  money: sum(t.price.mul(t.size)),
  mean: mean(t.size),
  low: min(t.symbol),
  when: max(t.time),
  some: sum(t.price).where(t.isBuy),
  vwap: sum(t.price).div(sum(t.size)),
  more: sum(t.size).add(count()),
}))
holds<
  Equal<
    SchemaOf<typeof grouped>,
    {
      symbol: Utf8
      day: (typeof trade)['day']
      n: Int64
      m: Int64
      total: Int64
      lots: Nullable<Int64>
      money: Float64
      mean: Float64
      low: Utf8
      when: Timestamp
      some: Nullable<Float64>
      vwap: Nullable<Float64>
      more: Int64
    }
  >
>()

// Without a key there may be no row: all but counts are nullable.
const whole = trades.aggregate(t => ({
  n: count(),
  twice: count().mul(2),
  total: sum(t.size),
  more: sum(t.size).add(count()),
  top: max(t.symbol),
}))
holds<
  Equal<
    SchemaOf<typeof whole>,
    { n: Int64; twice: Int64; total: Nullable<Int64>; more: Nullable<Int64>; top: Nullable<Utf8> }
  >
>()
const answer: Promise<Table<{ readonly n: Int64 }>> = trades.aggregate(() => ({ n: count() })).collect()
void answer

// columns and rows infer from their data.
const inferred = columns({
  i8: Int8Array.of(1),
  u8: Uint8Array.of(1),
  f32: Float32Array.of(1),
  i64: BigInt64Array.of(1n),
  n: [1, 2],
  m: [1, null],
  s: ['a'],
  when: [new Date(0), undefined],
  code: dictionary(Uint8Array.of(0), ['a']),
  hole: dictionary([0, null], ['a']),
  none: [null],
})
holds<
  Equal<
    SchemaOf<typeof inferred>,
    {
      i8: Int8
      u8: Uint8
      f32: Float32
      i64: Int64
      n: Float64
      m: Nullable<Float64>
      s: Utf8
      when: Nullable<Timestamp>
      code: Utf8
      hole: Nullable<Utf8>
      none: Nullable<Float64>
    }
  >
>()
const people = rows([{ name: 'Ada', age: 36 }] as { name: string; age?: number; tags: boolean | null }[])
holds<Equal<SchemaOf<typeof people>, { name: Utf8; age: Nullable<Float64>; tags: Nullable<Bool> }>>()

// Lists: rows as arrays, columns carried with their exact types, handles that know only null, and inference from arrays.
const tagged = rows([], schema({ id: int32(), tags: nullable(list(utf8())), steps: list(nullable(list(int64()))) }))
holds<Equal<RowsOf<typeof tagged>, { id: number; tags: string[] | null; steps: (number[] | null)[] }>>()
const noTags = tagged.filter(t => t.tags.isNull()).derive(t => ({ id: t.steps, none: t.tags.isNull() }))
holds<
  Equal<
    SchemaOf<typeof noTags>,
    { id: List<Nullable<List<Int64>>>; tags: Nullable<List<Utf8>>; steps: List<Nullable<List<Int64>>>; none: Bool }
  >
>()
const nested = columns({ tags: [['a'], ['b', null]], steps: [[[1n]], null], either: [[1], undefined] })
holds<
  Equal<
    SchemaOf<typeof nested>,
    { tags: List<Nullable<Utf8>>; steps: Nullable<List<List<Int64>>>; either: Nullable<List<Float64>> }
  >
>()
const listed: Promise<(string[] | null)[]> = tagged.collect().then(table => table.column('tags').toArray())
void listed

// The other aggregates keep a type, count, measure in float64 or list.
const described = trades.groupBy('symbol').aggregate(t => ({
  open: first(t.price),
  close: last(t.lots),
  cheapest: argMin(t.time, t.price),
  cheapLot: argMin(t.time, t.lots),
  lotDay: argMax(t.day, t.price),
  busiest: mode(t.isBuy),
  one: any(t.size),
  symbols: countDistinct(t.symbol),
  about: approxCountDistinct(t.day),
  sample: variance(t.price),
  whole: stddev(t.price, { population: true }),
  wholeLots: stddev(t.lots, { population: true }),
  together: covariance(t.price, t.size, { population: true }),
  togetherLots: covariance(t.price, t.lots, { population: true }),
  r: correlation(t.price, t.size),
  rise: slope(t.price, t.size),
  middle: median(t.size),
  high: quantile(t.lots, 0.9),
  highish: approxQuantile(t.price, 0.9),
  bins: histogram(t.price, [0, 1, 2]),
  lotBins: histogram(t.lots, { min: 0, max: 1, bins: 2 }),
  top: topK(t.price, 3),
  bottom: bottomK(t.lots, 3),
  all: collectList(t.day),
  often: approxTopK(t.time, 3),
  text: join(t.symbol),
  bought: every(t.isBuy),
  late: some(t.lots.gt(1)),
  filtered: topK(t.size, 1).where(t.isBuy),
  share: stddev(t.price).div(mean(t.price)),
  twice: quantile(t.price, 0.5).mul(2),
}))
holds<
  Equal<
    SchemaOf<typeof described>,
    {
      symbol: Utf8
      open: Float64
      close: Nullable<Int64>
      cheapest: Timestamp
      cheapLot: Nullable<Timestamp>
      lotDay: Nullable<Date_>
      busiest: Bool
      one: Int32
      symbols: Int64
      about: Int64
      sample: Nullable<Float64>
      whole: Float64
      wholeLots: Nullable<Float64>
      together: Float64
      togetherLots: Nullable<Float64>
      r: Nullable<Float64>
      rise: Nullable<Float64>
      middle: Float64
      high: Nullable<Float64>
      highish: Float64
      bins: List<Int64>
      lotBins: Nullable<List<Int64>>
      top: List<Float64>
      bottom: Nullable<List<Int64>>
      all: Nullable<List<Date_>>
      often: List<Timestamp>
      text: Utf8
      bought: Bool
      late: Nullable<Bool>
      filtered: Nullable<List<Int32>>
      share: Nullable<Float64>
      twice: Float64
    }
  >
>()
const lists = described.select('bins', 'bottom', 'often', 'all')
holds<Equal<RowsOf<typeof lists>, { bins: number[]; bottom: number[] | null; often: Date[]; all: string[] | null }>>()
const describedAll = trades.aggregate(t => ({ n: countDistinct(t.day), top: topK(t.price, 2), all: every(t.isBuy) }))
holds<Equal<SchemaOf<typeof describedAll>, { n: Int64; top: Nullable<List<Float64>>; all: Nullable<Bool> }>>()

// Grouping sets: keys and aggregates may be null.
const rolled = trades.rollup('symbol', 'day').aggregate(t => ({ n: count(), high: max(t.price) }))
holds<
  Equal<SchemaOf<typeof rolled>, { symbol: Nullable<Utf8>; day: Nullable<Date_>; n: Int64; high: Nullable<Float64> }>
>()
const cubed = trades.cube('isBuy').aggregate(() => ({ n: count() }))
holds<Equal<SchemaOf<typeof cubed>, { isBuy: Nullable<Bool>; n: Int64 }>>()

// A user's own: the type that it says, or that of its results.
const longest = defineAggregate({
  init: () => '',
  update: (longer: string, text: string) => (text.length > longer.length ? text : longer),
  merge: (a, b) => (a.length < b.length ? b : a),
  evaluate: text => text.length,
})
const spanned = defineAggregate({
  init: () => ({ first: 0, last: 0 }),
  update(state, at: Date, size: number) {
    state.last = at.getTime() * size
  },
  merge: (_, later) => later,
  evaluate: ({ last }) => last,
  type: nullable(int64()),
})
const own = trades.groupBy('symbol').aggregate(t => ({
  n: longest(t.symbol),
  span: spanned(t.time, t.size).where(t.isBuy),
  twice: longest(t.symbol).mul(2),
}))
holds<Equal<SchemaOf<typeof own>, { symbol: Utf8; n: Float64; span: Nullable<Int64>; twice: Float64 }>>()
// @ts-expect-error: it takes two columns
trades.aggregate(t => ({ span: spanned(t.time) }))

// Several at once, each under its name.
const both = collectAll({ few: trades.select('price'), n: cubed })
holds<
  Equal<Awaited<typeof both>, { few: Table<{ readonly price: Float64 }>; n: Awaited<ReturnType<typeof cubed.collect>> }>
>()

// Choosing: the type that holds all, literals as the column beside them; null where all may be, or of conditions where one may.
const chosen = trades.derive(t => ({
  a: t.lots.coalesce(0),
  b: t.size.coalesce(t.lots, 0.5),
  c: coalesce(t.day, '2024-01-01'),
  d: t.lots.coalesce(t.lots),
  e: t.symbol.nullIf(''),
  f: when(t.isBuy).then(t.size).when(t.size.gt(3)).then(t.price).otherwise(0),
  g: when(t.isBuy).then('x'),
  h: when(t.isBuy).then(t.time).otherwise(null),
  i: when(t.isBuy).then(1).otherwise(2).add(1),
  j: t.lots.isNotNull(),
  k: coalesce(t.size, t.lots),
}))
holds<
  Equal<
    Pick<SchemaOf<typeof chosen>, 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k'>,
    {
      a: Int64
      b: Float64
      c: Date_
      d: Nullable<Int64>
      e: Nullable<Utf8>
      f: Float64
      g: Nullable<Utf8>
      h: Nullable<Timestamp>
      i: Float64
      j: Bool
      k: Int64
    }
  >
>()
// @ts-expect-error: a number is no string
trades.derive(t => ({ a: t.symbol.coalesce(1) }))

// Casts give the type that they are told, null where the value is, and of those that may be in vain always.
const cast = trades.select('price', 'lots', 'symbol').cast({ price: int32(), lots: utf8() })
holds<Equal<SchemaOf<typeof cast>, { price: Int32; lots: Nullable<Utf8>; symbol: Utf8 }>>()
const attempted = trades
  .select('price')
  .derive(t => ({ n: t.price.tryCast(int64()), m: t.price.cast(nullable(utf8())).eq('1') }))
holds<Equal<SchemaOf<typeof attempted>, { price: Float64; n: Nullable<Int64>; m: Nullable<Bool> }>>()
// @ts-expect-error: there is no such column
trades.cast({ pirce: int32() })
// @ts-expect-error: that is a name, not a type
trades.cast({ price: 'int32' })

// Numbers: integers stay integers where that can be.
const computed = trades.select('price', 'size', 'lots').derive(t => ({
  a: t.size.round(-1),
  b: t.price.floor(),
  c: t.lots.clamp(0, null),
  d: t.size.clamp(0, 0.5),
  j: t.size.clamp(0),
  e: t.size.bucket(10),
  f: t.lots.bucket(0.5),
  g: t.size.pow(2),
  h: t.lots.exp(),
  i: t.lots.sign(),
}))
holds<
  Equal<
    Omit<SchemaOf<typeof computed>, 'price' | 'size' | 'lots'>,
    {
      a: Int64
      b: Float64
      c: Nullable<Int64>
      d: Float64
      j: Int64
      e: Int64
      f: Nullable<Float64>
      g: Float64
      h: Nullable<Float64>
      i: Nullable<Int64>
    }
  >
>()

// A file without a schema: any name, every method, and rows of any.
const flights = parquet('flights.parquet')
holds<Equal<typeof flights, Flow<any>>>()
const late = flights
  .filter(t => t.delay.gt(10).and(t.origin.eq('ATL')))
  .derive(t => ({ hour: t.date.hour(), twice: t.delay.mul(2).add(t.distance) }))
  .groupBy('origin', 'hour')
  .aggregate(t => ({ n: count(), mean: mean(t.twice), worst: max(t.delay) }))
holds<Equal<RowsOf<typeof late>, { origin: any; hour: any; n: number; mean: number | null; worst: any }>>()
const known = parquet('flights.parquet', { schema: schema({ delay: int32() }) })
holds<Equal<SchemaOf<typeof known>, { delay: Int32 }>>()

// Rows of which one has a null, or lacks a name, have one schema, as they have when run.
const gappy = rows([
  { a: 'x', b: 1 },
  { a: null, b: 2 },
  { b: 3, c: [1] },
])
holds<Equal<SchemaOf<typeof gappy>, { a: Nullable<Utf8>; b: Float64; c: Nullable<List<Float64>> }>>()
gappy.filter(t => t.a.eq('x').or(t.c.isNull())).derive(t => ({ a: t.a.lower() }))
const events = rows(
  [] as ({ readonly at: Date; readonly size: number } | { readonly at: Date; readonly note?: string })[],
)
holds<Equal<SchemaOf<typeof events>, { at: Timestamp; size: Nullable<Float64>; note: Nullable<Utf8> }>>()
// What no value says is as where all are null.
const empty = columns({ a: [], b: [[]] })
holds<Equal<SchemaOf<typeof empty>, { a: Nullable<Float64>; b: List<Nullable<Float64>> }>>()
// Of rows of which nothing is known anything may be asked.
const unknownRows = rows(JSON.parse('[]'))
holds<Equal<typeof unknownRows, Flow<any>>>()

// A query is a function from flows to flows.
const busiest = (flow: Flow<typeof trade>) =>
  flow
    .groupBy('symbol')
    .aggregate(() => ({ n: count() }))
    .orderBy('n')
    .limit(3)
holds<Equal<SchemaOf<ReturnType<typeof busiest>>, { symbol: Utf8; n: Int64 }>>()
busiest(trades)

// It may ask for some columns only, whatever others there are, and what comes of them is known where it is called.
const daily = <S extends SchemaShape & { readonly time: Timestamp; readonly size: DataType<'int32'> }>(flow: Flow<S>) =>
  flow
    .filter(t => t.time.gt(new Date(0)).and(t.time.lte(t.time)).and(t.size.add(1).gt(t.size)))
    .watermark('time')
    .window(tumbling('1 day'))
    .aggregate(t => ({ opened: min(t.time), hour: max(t.time.hour()), size: sum(t.size) }))
const days = daily(trades)
holds<
  Equal<
    SchemaOf<typeof days>,
    {
      windowStart: Timestamp
      windowEnd: Timestamp
      opened: Timestamp
      hour: Int32
      size: Int64
    }
  >
>()
// @ts-expect-error: a column is missing
daily(trades.drop('size'))
const filledUp = <S extends { readonly size: DataType<'int32'>; readonly isBuy: Bool }>(flow: Flow<S>) =>
  flow.derive(t => ({ signed: when(t.isBuy).then(t.size).otherwise(0), size: coalesce(t.size, 0) })).select('signed')
const signed = filledUp(trades)
holds<Equal<SchemaOf<typeof signed>, { signed: Int32 }>>()
const totalOf = <S extends { readonly [K in N]: DataType<'float64'> }, N extends string>(flow: Flow<S>, name: N) =>
  flow.aggregate(t => ({ total: sum(t[name]) }))
const total = totalOf(trades, 'price')
holds<Equal<SchemaOf<typeof total>, { total: Nullable<Float64> }>>()
// @ts-expect-error: it is no float64
totalOf(trades, 'symbol')
const labels = async <S extends { readonly symbol: Utf8 }>(flow: Flow<S>): Promise<string[]> =>
  (await flow.collect()).toRows().map(row => row.symbol)
labels(trades)

// Batches know their columns, wherever they go.
const jobs = [
  trades.to(batch => {
    holds<Equal<typeof batch, RecordBatch<typeof trade>>>()
  }),
  trades.select('price').subscribe(async batch => batch.column('price').toArray().fill(0)),
  trades.to(csvSink('trades.csv', { delimiter: ';' })),
  trades.to(new WritableStream<RecordBatch<typeof trade>>()),
  runAll(
    { few: trades.select('price'), n: cubed },
    { few: batch => batch.column('price'), n: new MessageChannel().port1 },
  ),
]
// @ts-expect-error: there is no such column
trades.subscribe(batch => batch.column('pirce'))
// @ts-expect-error: a sink is missing
runAll({ few: trades, n: cubed }, { few: () => {} })
// @ts-expect-error: a path alone is no sink
trades.to('trades.csv')
const { rowsWritten, bytesWritten } = (jobs[0] as Job).metrics()
holds<Equal<[typeof rowsWritten, typeof bytesWritten], [number, number]>>()

// What takes any table, any live one, batch, column, job or flow takes each of them.
const sizes = {
  table: (table: Table) => table.rowCount,
  live: (live: Live) => live.table?.rowCount,
  batch: (batch: RecordBatch) => batch.rowCount,
  column: (column: Column) => column.length,
  job: (job: Job) => job.metrics(),
  flow: (flow: Flow) => flow.explain(),
}
void [trades.collect().then(sizes.table), sizes.live(trades.live()), sizes.job(trades.run()), sizes.flow(trades)]
void trades.collect().then(table => [table.batches.map(sizes.batch), sizes.column(table.column('lots'))])

// Joins: key columns come once, clashing names get a suffix, and what may be unmatched may be null.
const prices = columns({ symbol: ['ABC'], price: Float64Array.of(1), venue: [1, null] })
const joined = selected.derive(t => ({ symbol: 'x', n: t.price })).join(prices, 'symbol')
holds<
  Equal<
    SchemaOf<typeof joined>,
    { price: Float64; lots: Nullable<Int64>; symbol: Utf8; n: Float64; price_right: Float64; venue: Nullable<Float64> }
  >
>()
const keyed = columns({ k: Int32Array.of(1), x: Float64Array.of(1) })
const other = columns({ j: [1n], x: Int32Array.of(1), y: ['a'] })
const left = keyed.leftJoin(other, { k: 'j' }, { suffix: '2', where: (l, r) => l.x.lt(r.x) })
holds<Equal<SchemaOf<typeof left>, { k: Int32; x: Float64; x2: Nullable<Int32>; y: Nullable<Utf8> }>>()
const full = keyed.fullJoin(other, { k: 'j' })
holds<Equal<SchemaOf<typeof full>, { k: Int64; x: Nullable<Float64>; x_right: Nullable<Int32>; y: Nullable<Utf8> }>>()
const right = keyed.rightJoin(columns({ k: Int32Array.of(1), z: [true] }), ['k'])
holds<Equal<SchemaOf<typeof right>, { k: Int32; x: Nullable<Float64>; z: Bool }>>()
const semi = keyed.semiJoin(other, { k: 'j' })
holds<Equal<SchemaOf<typeof semi>, { k: Int32; x: Float64 }>>()
const nearest = keyed.asofJoin(columns({ x: Float64Array.of(1), k: Int32Array.of(1), bid: [1n] }), { on: 'x', by: 'k' })
holds<Equal<SchemaOf<typeof nearest>, { k: Int32; x: Float64; bid: Nullable<Int64> }>>()
const unkeyed = keyed.asofJoin(other, { on: { left: 'x', right: 'x' }, suffix: '_then' })
holds<
  Equal<
    SchemaOf<typeof unkeyed>,
    { k: Int32; x: Float64; j: Nullable<Int64>; x_then: Nullable<Int32>; y: Nullable<Utf8> }
  >
>()
const [timedA, timedB] = [
  rows([], schema({ at: timestamp(), k: int32(), x: float64() })).watermark('at'),
  rows([], schema({ at: timestamp(), k: int32(), y: utf8() })).watermark('at'),
]
const inWindows = timedA.window(tumbling('1m')).leftJoin(timedB, 'k')
holds<
  Equal<
    SchemaOf<typeof inWindows>,
    {
      windowStart: Timestamp
      windowEnd: Timestamp
      at: Timestamp
      k: Int32
      x: Float64
      at_right: Nullable<Timestamp>
      y: Nullable<Utf8>
    }
  >
>()
const within = timedA.intervalJoin(timedB, { on: 'k', between: ['-1s', '1s'], suffix: '_b' })
holds<Equal<SchemaOf<typeof within>, { at: Timestamp; k: Int32; x: Float64; at_b: Timestamp; y: Utf8 }>>()
// @ts-expect-error a key is a column of both sides
timedA.intervalJoin(timedB, { on: 'x', between: ['-1s', '1s'] })
// @ts-expect-error a key is a column of both sides
keyed.join(other, 'k')
// @ts-expect-error the right name is a column of the right side
keyed.join(other, { k: 'nope' })

// Unions: the type that holds the values of all.
const united = keyed.union(columns({ x: [1], k: [1n] }), columns({ k: Int32Array.of(1), x: [2, null] }))
holds<Equal<SchemaOf<typeof united>, { k: Int64; x: Nullable<Float64> }>>()
const partly = keyed.union(columns({ k: Int32Array.of(1), z: ['a'] }), { missing: 'null' })
holds<Equal<SchemaOf<typeof partly>, { k: Int32; x: Nullable<Float64>; z: Nullable<Utf8> }>>()

// Kernels of the user: the declared type, null where an input may be.
const hypot = await defineKernel({
  wasm: new Uint8Array(),
  export: 'f',
  inputs: [float64(), int32()],
  output: float64(),
})
const sometimes = await defineKernel({ wasm: 'f.wasm', export: 'f', inputs: [bool()], output: nullable(int64()) })
const byKernels = rows([], schema({ x: float64(), n: nullable(int32()), b: bool() })).derive(t => ({
  a: hypot(t.x, 2),
  c: hypot(t.x, t.n),
  d: sometimes(t.b),
  e: hypot(t.x, 1).add(1),
  f: hypot(t.x, null),
}))
holds<
  Equal<
    SchemaOf<typeof byKernels>,
    {
      x: Float64
      n: Nullable<Int32>
      b: Bool
      a: Float64
      c: Nullable<Float64>
      d: Nullable<Int64>
      e: Float64
      f: Nullable<Float64>
    }
  >
>()
// @ts-expect-error it takes two values
hypot(1)
// @ts-expect-error a definition has an output
void defineKernel({ wasm: new Uint8Array(), export: 'f', inputs: [float64()] })

// The first rows of groups keep their columns; of windows they have bounds beside them.
const firstRows = trades.groupBy('symbol').topK(2, desc('price'), 'size')
holds<Equal<SchemaOf<typeof firstRows>, SchemaOf<typeof trades>>>()
const timedRows = rows([], schema({ at: timestamp(), k: nullable(utf8()), x: float64() })).watermark('at')
const firstOfWindows = timedRows.window(tumbling('1m')).groupBy('k').topK(1, desc('x'))
holds<
  Equal<
    SchemaOf<typeof firstOfWindows>,
    {
      windowStart: DataType<'timestamp', false>
      windowEnd: DataType<'timestamp', false>
      at: DataType<'timestamp', false>
      k: Nullable<Utf8>
      x: Float64
    }
  >
>()
const spacedRows = timedRows.dedupe({ keys: ['k'], within: '10s' })
holds<Equal<SchemaOf<typeof spacedRows>, SchemaOf<typeof timedRows>>>()
// @ts-expect-error there is no such column
trades.groupBy('symbol').topK(2, 'prize')
// @ts-expect-error sets of keys have no first rows
trades.rollup('symbol').topK
// @ts-expect-error a duration is text
timedRows.dedupe({ within: 10 })

// Private aggregates are never null, and may be computed with; groups are chosen beside.
const { dpCount, dpSum, dpMean, dpGroups } = privacyBudget({ epsilon: 1, delta: 1e-6 })
const hidden = keyed.groupBy('k').aggregate(
  t => ({
    n: dpCount({ epsilon: 0.1 }),
    s: dpSum(t.x, { lower: 0, upper: 1, epsilon: 0.1 }),
    m: dpMean(t.x, { lower: 0, upper: 1, epsilon: 0.1, delta: 1e-7 }),
    r: dpSum(t.x, { lower: 0, upper: 1, epsilon: 0.1 }).div(dpCount({ epsilon: 0.1 })),
  }),
  dpGroups({ epsilon: 0.1, delta: 1e-7 }),
)
holds<Equal<SchemaOf<typeof hidden>, { k: Int32; n: Int64; s: Float64; m: Float64; r: Nullable<Float64> }>>()
const hiddenAll = keyed.aggregate(() => ({ n: dpCount({ epsilon: 0.1 }) }))
holds<Equal<SchemaOf<typeof hiddenAll>, { n: Int64 }>>()
const largeOnly = keyed.groupBy('k').aggregate(() => ({ n: count() }), minGroupSize(5, 'x'))
holds<Equal<SchemaOf<typeof largeOnly>, { k: Int32; n: Int64 }>>()
// @ts-expect-error bounds are named
dpSum(keyed as never, { epsilon: 1 })
