/**
 * What apache-arrow and flechette write themselves, not from our bytes: columns of every type of theirs that we read, made by their own builders.
 * Values are told as read-arrow.ts tells them.
 */
import * as flechette from '@uwdata/flechette'
import * as apache from 'apache-arrow'

export interface PeerColumn {
  readonly values: readonly unknown[]
  readonly apache: ((values: readonly unknown[]) => any) | null
  readonly flechette: ((values: readonly unknown[], maxBatchRows: number) => any) | null
}

const ROWS = 40
const values = (of: (i: number) => unknown, every = 6): unknown[] =>
  Array.from({ length: ROWS }, (_, i) => (i % every === 2 ? null : of(i)))
const DAY_MS = 86_400_000
const WORDS = ['', 'oak', 'ß', '日本', '🎉', 'words that are longer than twelve bytes', 'oak']

const made = (type: any, from: (value: any) => unknown = value => value) => ({
  apache: (list: readonly unknown[]) =>
    apache.vectorFromArray(
      list.map(value => (value === null ? null : from(value))),
      type,
    ),
})
const built = (type: any, from: (value: any) => unknown = value => value) => ({
  flechette: (list: readonly unknown[], maxBatchRows: number) =>
    flechette.columnFromArray(list.map(value => (value === null ? null : from(value))) as any, type, { maxBatchRows }),
})
const number = (value: bigint) => Number(value)
/** Days and counts of time as the Date or the milliseconds that builders take. */
const perMs = (count: bigint, unitsPerMs: number) => Number(count) / unitsPerMs
const f = flechette
const a = apache
const integer = (bits: number, isSigned: boolean) =>
  values(i => BigInt(i % 2 ? i : isSigned ? -(2 ** (bits - 1)) : 2 ** bits - 1))
const words = values(i => WORDS[i % WORDS.length])

export const PEER_COLUMNS: Readonly<Record<string, PeerColumn>> = {
  bool: { values: values(i => i % 3 === 0), ...made(new a.Bool()), ...built(f.bool()) },
  int8: { values: integer(8, true), ...made(new a.Int8(), number), ...built(f.int8(), number) },
  int16: { values: integer(16, true), ...made(new a.Int16(), number), ...built(f.int16(), number) },
  int32: { values: integer(32, true), ...made(new a.Int32(), number), ...built(f.int32(), number) },
  int64: { values: values(i => 2n ** 62n - BigInt(i)), ...made(new a.Int64()), ...built(f.int64()) },
  uint8: { values: integer(8, false), ...made(new a.Uint8(), number), ...built(f.uint8(), number) },
  uint16: { values: integer(16, false), ...made(new a.Uint16(), number), ...built(f.uint16(), number) },
  uint32: { values: integer(32, false), ...made(new a.Uint32(), number), ...built(f.uint32(), number) },
  uint64: { values: values(i => 2n ** 63n - 1n - BigInt(i)), ...made(new a.Uint64()), ...built(f.uint64()) },
  float16: { values: values(i => i / 4), ...made(new a.Float16()), ...built(f.float16()) },
  float32: { values: values(i => i / 4), ...made(new a.Float32()), ...built(f.float32()) },
  float64: {
    values: values(i => [i / 3, -0, Number.NaN, Infinity][i % 4]),
    ...made(new a.Float64()),
    ...built(f.float64()),
  },
  utf8: { values: words, ...made(new a.Utf8()), ...built(f.utf8()) },
  largeUtf8: { values: words, ...made(new a.LargeUtf8()), ...built(f.largeUtf8()) },
  dateDay: {
    values: values(i => BigInt(i * 100 - 700)),
    ...made(new a.DateDay(), day => new Date(Number(day) * DAY_MS)),
    ...built(f.dateDay(), day => new Date(Number(day) * DAY_MS)),
  },
  dateMillisecond: {
    values: values(i => BigInt(i * 100 - 700)),
    ...made(new a.DateMillisecond(), day => new Date(Number(day) * DAY_MS)),
    ...built(f.dateMillisecond(), day => new Date(Number(day) * DAY_MS)),
  },
  seconds: {
    values: values(i => BigInt(i * 1000 - 7000)),
    ...made(new a.TimestampSecond(), count => perMs(count, 1e-3)),
    ...built(f.timestamp(0, null), count => perMs(count, 1e-3)),
  },
  milliseconds: {
    values: values(i => BigInt(i * 1000 - 7001)),
    ...made(new a.TimestampMillisecond('Europe/Berlin'), count => perMs(count, 1)),
    ...built(f.timestamp(1, 'Europe/Berlin'), count => perMs(count, 1)),
  },
  microseconds: {
    values: values(i => BigInt(i * 1000 - 7000)),
    ...made(new a.TimestampMicrosecond(), count => perMs(count, 1000)),
    ...built(f.timestamp(2, null), count => perMs(count, 1000)),
  },
  nanoseconds: {
    values: values(i => BigInt(i) * 1_000_000n),
    ...made(new a.TimestampNanosecond(), count => perMs(count, 1e6)),
    ...built(f.timestamp(3, null), count => perMs(count, 1e6)),
  },
  dictionary8: {
    values: words,
    ...made(new a.Dictionary(new a.Utf8(), new a.Int8(), 1001)),
    ...built(f.dictionary(f.utf8(), f.int8(), false, 1001)),
  },
  dictionaryU16: {
    values: words,
    ...made(new a.Dictionary(new a.Utf8(), new a.Uint16(), 1002)),
    ...built(f.dictionary(f.utf8(), f.uint16(), false, 1002)),
  },
  dictionaryOfNumbers: {
    values: values(i => i % 5),
    ...made(new a.Dictionary(new a.Float64(), new a.Int32(), 1003)),
    ...built(f.dictionary(f.float64(), f.int32(), false, 1003)),
  },
  list: {
    values: values(i => Array.from({ length: i % 4 }, (_, j) => (j === 2 ? null : BigInt(i * j)))),
    ...made(new a.List(new a.Field('item', new a.Int32(), true)), list =>
      list.map((x: bigint | null) => (x === null ? null : Number(x))),
    ),
    ...built(f.list(f.int32()), list => list.map((x: bigint | null) => (x === null ? null : Number(x)))),
  },
  largeList: {
    values: values(i => Array.from({ length: i % 3 }, (_, j) => WORDS[(i + j) % 7])),
    apache: null,
    ...built(f.largeList(f.utf8())),
  },
  fixedSizeList: {
    values: values(i => [i / 2, -i, 1]),
    ...made(new a.FixedSizeList(3, new a.Field('item', new a.Float64(), true))),
    ...built(f.fixedSizeList(f.float64(), 3)),
  },
  listOfLists: {
    values: values(i => Array.from({ length: i % 3 }, (_, j) => Array.from({ length: j }, () => i % 2 === 0))),
    ...made(new a.List(new a.Field('item', new a.List(new a.Field('item', new a.Bool(), true)), true))),
    ...built(f.list(f.list(f.bool()))),
  },
}

/** One table of one of them, with the columns that it can make. @param maxBatchRows of flechette's. */
export function peerMade(
  peer: 'apache-arrow' | 'flechette',
  maxBatchRows = Infinity,
): {
  table: any
  columns: Record<string, readonly unknown[]>
} {
  const columns: Record<string, readonly unknown[]> = {}
  const parts: Record<string, any> = {}
  for (const [name, { values, apache: inApache, flechette: inFlechette }] of Object.entries(PEER_COLUMNS)) {
    const make = peer === 'flechette' ? inFlechette : inApache
    if (make === null) continue
    columns[name] = values
    parts[name] = make(values, maxBatchRows)
  }
  return { columns, table: peer === 'flechette' ? flechette.tableFromColumns(parts) : new apache.Table(parts as never) }
}

export const peerBytes = (peer: 'apache-arrow' | 'flechette', table: any, layout: 'file' | 'stream'): Uint8Array =>
  peer === 'flechette'
    ? (flechette.tableToIPC(table, { format: layout }) as Uint8Array)
    : apache.tableToIPC(table, layout)
