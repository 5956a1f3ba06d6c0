// Texts damaged in many ways: whatever the bytes, a parser ends, passes all of them, gives what it gives of pieces, and says where what it refuses is.
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  bool,
  type DataType,
  date,
  float64,
  int32,
  int64,
  list,
  nullable,
  timestamp,
  utf8,
} from '../../src/columnar/type.js'
import { createCsvParser } from '../../src/kernels/csv.js'
import type { Kernels } from '../../src/kernels/instance.js'
import { createJsonParser } from '../../src/kernels/json.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import type { CsvShape, JsonShape, TextParser } from '../../src/kernels/text-rows.js'
import { makeKernels, valuesOf } from '../kernels/support.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env
const options = { numRuns: 33_500 * Number(runs ?? 1), ...(seed === undefined ? {} : { seed: Number(seed) }) }

const TYPES: Readonly<Record<string, DataType>> = {
  id: int64(),
  city: nullable(utf8()),
  degrees: nullable(float64()),
  size: nullable(int32()),
  day: nullable(date()),
  at: nullable(timestamp('ms')),
  wet: nullable(bool()),
}

const csvShape = (fatal: boolean, collect: boolean): CsvShape => ({
  fields: Object.keys(TYPES),
  types: Object.values(TYPES),
  delimiter: ',',
  quote: '"',
  comment: '#',
  nulls: ['', 'NA'],
  ragged: 'error',
  fatal,
  collect,
})

const jsonShape = (fatal: boolean, collect: boolean, layout: 'lines' | 'array'): JsonShape => ({
  fields: [...Object.keys(TYPES), 'tags', 'sky.clouds'],
  paths: [...Object.keys(TYPES).map(name => [name]), ['tags'], ['sky', 'clouds']],
  types: [...Object.values(TYPES), nullable(list(nullable(utf8()))), nullable(int64())],
  layout,
  fatal,
  collect,
})

const CSV_SEEDS = [
  '1,Rome,31.5,7,2026-07-01,2026-07-01T10:00:00Z,true\r\n2,"a ""b"", c\nd",-0.25,NA,,,false\n',
  '# of a kind\n3,,1e-7,-2147483648,0001-01-01,1969-12-31 23:59:59.999+02:00,\n4,Zürich 😀,nan,2147483647,9999-12-31,,t',
]
const JSON_SEEDS = [
  '{"id":1,"city":"Rome","degrees":31.5,"size":7,"day":"2026-07-01","at":"2026-07-01T10:00:00Z","wet":true,"tags":["a",null]}\n',
  '{"id":2,"sky":{"clouds":3,"x":[{"y":1}]},"city":"\\u00fc\\ud83d\\ude00 \\n","degrees":-1e-7,"wet":null,"unknown":{"a":[1,2,{"b":"}"}]}}\r\n',
]
const ARRAY_SEED = ` ${JSON_SEEDS.map(line => line.trim()).join(' , ')} ] `

/** Bytes and runs that mean something to one of the parsers. */
const TOKENS = [
  ...[
    '"',
    '""',
    ',',
    '\n',
    '\r\n',
    '\r',
    '#',
    '\\',
    '\\u',
    '\\ud800',
    '{',
    '}',
    '[',
    ']',
    ':',
    '-',
    '.',
    'e',
    '0',
    'null',
  ],
  ...['true', '9223372036854775808', '1e999', '2026-13-01', ' ', '\t', '\u0000', '"id":', '{"id":', 'é', '😀'],
].map(token => [...new TextEncoder().encode(token)])

interface Change {
  readonly at: number
  readonly kind: number
  readonly length: number
  readonly bytes: readonly number[]
}

const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.record({
    at: fc.nat(),
    kind: fc.nat(4),
    length: fc.integer({ min: 1, max: 12 }),
    bytes: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...TOKENS) },
      { weight: 1, arbitrary: fc.array(fc.nat(255), { minLength: 1, maxLength: 6 }) },
    ),
  }),
  { minLength: 1, maxLength: 5 },
)

/** Bytes put in, taken out, written over, repeated, or cut off. */
function damaged(text: string, all: readonly Change[]): Uint8Array {
  let bytes = [...new TextEncoder().encode(text)]
  for (const { at, kind, length, bytes: own } of all) {
    const from = at % (bytes.length + 1)
    if (kind === 0) bytes.splice(from, 0, ...own)
    else if (kind === 1) bytes.splice(from, length)
    else if (kind === 2) bytes.splice(from, own.length, ...own)
    else if (kind === 3) bytes.splice(from, 0, ...bytes.slice(from, from + 4 * length))
    else bytes = bytes.slice(0, from)
  }
  return Uint8Array.from(bytes)
}

interface Answer {
  readonly rows: string[]
  readonly bad: { readonly row: number; readonly byteOffset: number; readonly code: string }[]
}

/** All rows of bytes that come in pieces, as text-files.ts feeds a parser. */
function readAll(
  k: Kernels,
  make: (dictionaries: (i: number) => LaneDictionary) => TextParser,
  bytes: Uint8Array,
  cuts: readonly number[],
): Answer {
  const { memory } = k
  const dictionaries: LaneDictionary[] = []
  const parser = make(i => {
    dictionaries[i] ??= new LaneDictionary(k)
    return dictionaries[i]
  })
  const rows: string[] = []
  const bad: { row: number; byteOffset: number; code: string }[] = []
  const mark = memory.mark()
  try {
    let at = 0
    let rowsRead = 0
    for (const end of [...cuts, bytes.length]) {
      const isEnd = end === bytes.length
      for (let turns = 0; at < end; turns++) {
        expect(turns, 'it ends').toBeLessThan(10_000)
        const inner = memory.mark()
        const pointer = memory.scratch(end - at + 64)
        memory.u8.set(bytes.subarray(at, end), pointer)
        memory.u8.fill(0x22, pointer + end - at, pointer + end - at + 64)
        const parsed = parser.parse(pointer, end - at, Infinity, isEnd)
        const columns = parsed.morsel.columns.map(column => (column.child ? [] : valuesOf(k, column)))
        for (let row = 0; row < parsed.morsel.rowCount; row++) {
          rows.push(columns.map(values => String(values[row])).join('|'))
        }
        for (const each of parsed.bad) {
          expect(each.byteOffset).toBeGreaterThanOrEqual(0)
          expect(each.byteOffset).toBeLessThanOrEqual(end - at)
          expect(each.code).toMatch(/^MR_(FORMAT_ERROR|TYPE_MISMATCH|INTEGER_OVERFLOW|INEXACT_VALUE)$/)
          expect(each.message).not.toBe('')
          bad.push({ row: rowsRead + each.row, byteOffset: at + each.byteOffset, code: each.code })
        }
        memory.reset(inner)
        rowsRead += parsed.rowsRead
        at += parsed.consumed
        if (parsed.consumed === 0) break
      }
    }
    expect(at, 'all bytes are passed').toBe(bytes.length)
    return { rows, bad }
  } finally {
    memory.reset(mark)
    parser.free()
    for (const dictionary of dictionaries) dictionary?.free()
  }
}

describe('damaged text', () => {
  let k: Kernels | null = null
  const kernels = async () => {
    k ??= await makeKernels()
    return k
  }
  afterEach(() => expect(k?.memory.mark()).toBe(0))

  const holds = (seeds: readonly string[], make: (k: Kernels, fatal: boolean) => Parameters<typeof readAll>[1]) =>
    fc.asyncProperty(
      fc.constantFrom(...seeds),
      changes,
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 3 }),
      async (text, all, fatal, places) => {
        const own = await kernels()
        const bytes = damaged(text, all)
        const cuts = [...new Set(places.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
        const before = performance.now()
        const whole = readAll(own, make(own, fatal), bytes, [])
        expect(readAll(own, make(own, fatal), bytes, cuts)).toEqual(whole)
        expect(performance.now() - before, 'it takes no second').toBeLessThan(10_000)
        expect(own.memory.usedBytes).toBeLessThan(2 ** 26)
      },
    )

  it('as CSV', { timeout: 600_000 * Math.max(1, Number(runs ?? 1)) }, () =>
    fc.assert(
      holds(
        [...CSV_SEEDS, CSV_SEEDS.join('')],
        (own, fatal) => dictionaries => createCsvParser(own, csvShape(fatal, true), Object.keys(TYPES), dictionaries),
      ),
      options,
    ),
  )

  it('as NDJSON', { timeout: 600_000 * Math.max(1, Number(runs ?? 1)) }, () =>
    fc.assert(
      holds([...JSON_SEEDS, JSON_SEEDS.join('')], (own, fatal) => dictionaries => {
        const shape = jsonShape(fatal, true, 'lines')
        return createJsonParser(own, shape, shape.fields, dictionaries)
      }),
      options,
    ),
  )

  it('as an array of records', { timeout: 600_000 * Math.max(1, Number(runs ?? 1)) }, () =>
    fc.assert(
      holds([ARRAY_SEED], (own, fatal) => dictionaries => {
        const shape = jsonShape(fatal, true, 'array')
        return createJsonParser(own, shape, shape.fields, dictionaries)
      }),
      options,
    ),
  )
})
