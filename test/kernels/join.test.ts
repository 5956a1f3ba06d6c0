// The join index against a map of keys: every key in every type, direct and hashed, of one column and of several.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type DataType,
  float64,
  int8,
  int32,
  int64,
  isInteger,
  timestamp,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import { buildJoinIndex, type JoinIndex, NONE } from '../../src/kernels/join.js'
import type { LaneVector } from '../../src/kernels/lane-vector.js'
import { rangeOf } from '../../src/kernels/stats.js'
import { copyToHeap, freeHeapBatch, sliceBatch } from '../../src/operators/heap-batch.js'
import { batchOf, makeContext } from '../operators/support.js'

const context = await makeContext()
const { k } = context

type Cell = bigint | number | string | null

const nullable = (type: DataType): DataType => ({ ...type, nullable: true })

function vectors(columns: readonly { readonly type: DataType; readonly values: readonly Cell[] }[]): LaneVector[] {
  const names = columns.map((_, i) => `c${i}`)
  const data = Object.fromEntries(columns.map(({ values }, i) => [names[i], values]))
  const shape = Object.fromEntries(columns.map(({ type }, i) => [names[i], nullable(type)]))
  const loaded = context.loader.load(batchOf(data as never, shape))
  return [...loaded.columns]
}

function build(
  columns: readonly LaneVector[],
  others: readonly DataType[],
  rowCount: number,
  wants: 'lists' | 'tests' | 'either',
  partRows?: number,
): JoinIndex {
  const batch = copyToHeap(k, { rowCount, columns })
  const types = columns.map(({ type }, i) => ({ own: type, other: others[i] as DataType }))
  function* pieces() {
    // A first piece that is short, as those of a part are.
    for (let first = 0; first < rowCount; first += first === 0 ? 128 : 65_536) {
      const count = Math.min(first === 0 ? 128 : 65_536, rowCount - first)
      yield { first, count, columns: sliceBatch(batch, first, count).columns }
    }
  }
  const steps = buildJoinIndex(k, types, pieces, rowCount, wants, partRows)
  let step = steps.next()
  while (!step.done) step = steps.next()
  freeHeapBatch(k, batch)
  return step.value
}

/** As lanes know them of what they hold; null of what has none. */
const rangeOfInts = (column: LaneVector) =>
  isInteger(column.type.kind) || column.type.kind === 'timestamp' ? rangeOf(k, column) : null

/** Rows that have the key of each row, as the index has them. */
function matches(index: JoinIndex, keys: readonly LaneVector[], rowCount: number): number[][] {
  const { u32 } = k.memory
  const ids = index.ids(keys, rowCount) >>> 2
  return Array.from({ length: rowCount }, (_, i) => {
    const id = k.memory.u32[ids + i] as number
    if (id === NONE) return []
    const at = index.starts >>> 2
    const [from, to] = [u32[at + id] as number, u32[at + id + 1] as number]
    return Array.from({ length: to - from }, (_, j) => u32[(index.rows >>> 2) + from + j] as number)
  })
}

const small = fc.integer({ min: -3, max: 3 })
const kinds: Record<string, { type: DataType; value: fc.Arbitrary<Cell>; of: (x: Cell) => unknown }> = {
  int8: { type: int8(), value: small, of: String },
  int32: { type: int32(), value: fc.oneof(small, fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)), of: String },
  uint32: { type: uint32(), value: fc.oneof(fc.nat(3), fc.constantFrom(2 ** 32 - 1)), of: String },
  int64: {
    type: int64(),
    value: fc.oneof(
      small.map(BigInt),
      fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 2n ** 53n),
      // Where narrower integers end.
      fc.integer({ min: 2 ** 31 - 3, max: 2 ** 31 + 2 }).map(BigInt),
      fc.integer({ min: 2 ** 32 - 3, max: 2 ** 32 + 2 }).map(BigInt),
    ),
    of: String,
  },
  float64: {
    type: float64(),
    value: fc.oneof(small, fc.constantFrom(0.5, -0, NaN, Infinity, 2 ** 53, 2 ** 63, -(2 ** 63), 5e-324)),
    of: x => (Object.is(x, -0) ? '0' : Number.isInteger(x as number) ? String(BigInt(x as number)) : String(x)),
  },
  s: { type: timestamp('s'), value: small, of: x => String(Number(x) * 1000) },
  ms: {
    type: timestamp('ms'),
    value: fc.oneof(
      small,
      small.map(x => x * 1000),
    ),
    of: String,
  },
  utf8: { type: utf8(), value: fc.constantFrom('', 'a', 'b', 'é', '😀'), of: String },
}
const NUMBERS = ['int8', 'int32', 'uint32', 'int64', 'float64']
const partnersOf = (kind: string) => (NUMBERS.includes(kind) ? NUMBERS : kind === 'utf8' ? ['utf8'] : ['s', 'ms'])

const pair = fc
  .constantFrom(...Object.keys(kinds))
  .chain(own => fc.tuple(fc.constant(own), fc.constantFrom(...partnersOf(own))))
const columnOf = (kind: string, length: number): fc.Arbitrary<Cell[]> => {
  const { value } = kinds[kind] as (typeof kinds)[string]
  const ofLength = { minLength: length, maxLength: length }
  // Without a null there is a way of its own.
  return fc.oneof(fc.array(fc.option(value, { freq: 6 }), ofLength), fc.array<Cell>(value, ofLength))
}

describe('a join index', () => {
  it('finds the rows with equal keys, in their order, whatever the types', () => {
    const cases = fc
      .tuple(fc.array(pair, { minLength: 1, maxLength: 3 }), fc.nat(40), fc.nat(40))
      .chain(([pairs, rightRows, leftRows]) =>
        fc.record({
          pairs: fc.constant(pairs),
          partRows: fc.constantFrom(undefined, 1, 3, 10),
          right: fc.tuple(...pairs.map(([own]) => columnOf(own, rightRows))),
          left: fc.tuple(...pairs.map(([, other]) => columnOf(other, leftRows))),
        }),
      )
    fc.assert(
      fc.property(cases, ({ pairs, partRows, right, left }) => {
        const mark = k.memory.mark()
        const side = (values: readonly (readonly Cell[])[], at: 0 | 1) =>
          vectors(
            values.map((cells, i) => ({
              type: (kinds[(pairs[i] as [string, string])[at]] as (typeof kinds)[string]).type,
              values: cells,
            })),
          )
        const keyOf = (values: readonly (readonly Cell[])[], at: 0 | 1, row: number) => {
          const cells = values.map((cells, i) => {
            const cell = cells[row] as Cell
            return cell === null ? null : (kinds[(pairs[i] as [string, string])[at]] as (typeof kinds)[string]).of(cell)
          })
          return cells.includes(null) ? null : JSON.stringify(cells)
        }
        const [rightRows, leftRows] = [right[0]?.length ?? 0, left[0]?.length ?? 0]
        const others = pairs.map(([, other]) => nullable((kinds[other] as (typeof kinds)[string]).type))
        const index = build(side(right, 0), others, rightRows, 'lists', partRows)
        const expected = Array.from({ length: leftRows }, (_, i) => {
          const key = keyOf(left, 1, i)
          return Array.from({ length: rightRows }, (_, j) => j).filter(j => key !== null && keyOf(right, 0, j) === key)
        })
        const keys = side(left, 1)
        expect(matches(index, keys, leftRows), index.kernel).toEqual(expected)
        // Of bounds that are known, or are not.
        const bounded = keys.map(column => ({ ...column, range: column.range ?? rangeOfInts(column) }))
        for (const given of [keys, bounded]) if (index.misses(given)) expect(expected.flat()).toEqual([])
        index.free()
        for (const wants of ['tests', 'either'] as const) {
          const found = build(side(right, 0), others, rightRows, wants, partRows)
          if (found.isUnique) {
            const rows = found.rowsOf(side(left, 1), leftRows) >>> 2
            const all = Array.from({ length: leftRows }, (_, i) => k.memory.i32[rows + i])
            if (wants === 'tests') expect(all.map(row => row !== -1)).toEqual(expected.map(each => each.length > 0))
            else expect(all).toEqual(expected.map(each => each[0] ?? -1))
          } else expect(matches(found, side(left, 1), leftRows)).toEqual(expected)
          found.free()
        }
        k.memory.reset(mark)
      }),
      { numRuns: 120 },
    )
  })

  it('finds no row for integers of 32 bits whose distance to it wraps', () => {
    for (const [type, most] of [
      [int32(), 2n ** 31n - 1n],
      [uint32(), 2n ** 32n - 1n],
    ] as const) {
      const mark = k.memory.mark()
      const least = type.kind === 'int32' ? -(2n ** 31n) : 0n
      const own = vectors([{ type: int64(), values: [most, most + 1n, most + 2n, most + 3n] }])
      const index = build(own, [type], 4, 'either')
      const left = vectors([{ type, values: [least, least + 1n, most, 5n, least + 2n].map(Number) }])
      expect([...k.memory.i32.subarray(index.rowsOf(left, 5) >>> 2).subarray(0, 5)]).toEqual([-1, -1, 0, -1, -1])
      index.free()
      k.memory.reset(mark)
    }
  })

  it('finds no row for strings that came to its dictionary later', () => {
    const mark = k.memory.mark()
    for (const wants of ['lists', 'either'] as const) {
      const index = build(vectors([{ type: utf8(), values: [`a ${wants}`, `b ${wants}`] }]), [utf8()], 2, wants)
      const later = Array.from({ length: 3000 }, (_, i) => `${wants} ${i}`)
      const keys = vectors([{ type: utf8(), values: later }])
      const found = (index.isUnique ? index.rowsOf(keys, 3000) : index.ids(keys, 3000)) >>> 2
      expect([...k.memory.u32.slice(found, found + 3000)].every(row => row === NONE)).toBe(true)
      index.free()
    }
    k.memory.reset(mark)
  })

  it('tells by the bounds of keys that none is met', () => {
    const index = build(vectors([{ type: int32(), values: [5, null, 9] }]), [int64()], 3, 'either')
    const keys = (values: Cell[]) =>
      vectors([{ type: int64(), values }]).map(column => ({ ...column, range: rangeOfInts(column) }))
    expect(index.misses(keys([1n, 4n, null]))).toBe(true)
    expect(index.misses(keys([10n, 2n ** 40n]))).toBe(true)
    expect(index.misses(keys([4n, 10n]))).toBe(false)
    expect(index.misses(keys([9n, 12n]))).toBe(false)
    expect(index.misses(vectors([{ type: int64(), values: [1n] }]))).toBe(false)
    index.free()
    const empty = build(vectors([{ type: int32(), values: [] }]), [int64()], 0, 'either')
    expect(empty.misses(keys([1n]))).toBe(true)
    empty.free()
  })

  it('takes what it needs and gives it back', () => {
    const before = context.usedBytes()
    const scattered = Array.from({ length: 5000 }, (_, i) => BigInt(i % 4900) * 1_000_000_007n)
    for (const [type, values, kernel] of [
      [int64(), scattered, 'hash'],
      [int32(), Array.from({ length: 5000 }, (_, i) => i), 'direct, unique'],
      [float64(), Array.from({ length: 5000 }, (_, i) => i / 3), 'hash, unique'],
    ] as const) {
      const columns = vectors([{ type, values }])
      const index = build(columns, [type], values.length, 'either')
      expect(index.kernel).toBe(kernel)
      const keys = vectors([{ type, values: values.slice(0, 100) }])
      if (index.isUnique) {
        const rows = index.rowsOf(keys, 100) >>> 2
        expect([...k.memory.u32.slice(rows, rows + 100)]).toEqual(Array.from({ length: 100 }, (_, i) => i))
      }
      index.free()
    }
    expect(context.usedBytes()).toBe(before)
  })
})
