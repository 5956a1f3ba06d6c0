// Lists in a lane: gathered, sliced, loaded and unloaded, against arrays of arrays.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { type DataType, int32, leafType, list, utf8 } from '../../src/columnar/type.js'
import { sliceVector, type Vector } from '../../src/columnar/vector.js'
import { dictionaryOf, type LaneVector } from '../../src/kernels/lane-vector.js'
import { itemsOf, slice, take } from '../../src/kernels/select.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { freeVector, loadVector, unloadVector } from '../../src/kernels/transfer-batch.js'
import { listSample, sample, vectorOf } from '../columnar/arbitraries.js'
import { makeKernels } from './support.js'

const k = await makeKernels()

const valuesOf = (vector: Vector): unknown[] =>
  new RecordBatch({ x: vector.type }, [vector], vector.length).toRows({ bigint: true }).map(({ x }) => x)
const seen = (lane: LaneVector): unknown[] => valuesOf(unloadVector(k, lane))

/** Runs with the vector in scratch, and sees that nothing is left behind. */
function inLane(vector: Vector, use: (lane: LaneVector) => void): void {
  const { memory } = k
  const mark = memory.mark()
  const dictionary = leafType(vector.type).kind === 'utf8' ? new LaneDictionary(k) : null
  use(loadVector(k, vector, dictionary))
  dictionary?.free()
  memory.reset(mark)
  memory.trim()
}

function indicesOf(rows: readonly number[]): number {
  const pointer = k.memory.scratch(4 * rows.length)
  k.memory.u32.set(rows, pointer >>> 2)
  return pointer
}

const pair = fc.tuple(fc.nat(80), fc.nat(80))
const within = ([a, b]: [number, number], length: number) => [Math.min(a, b, length), Math.min(Math.max(a, b), length)]

test('take gathers lists in any order, with repeats, of lists and of every type', () => {
  fc.assert(
    fc.property(listSample(80), fc.array(fc.nat(), { maxLength: 120 }), pair, ({ type, values }, picks, ends) => {
      const [from, to] = within(ends, values.length)
      inLane(vectorOf(type, values), whole => {
        for (const lane of [whole, slice(k, whole, from, to)]) {
          const all = seen(lane)
          const rows = all.length === 0 ? [] : picks.map(pick => pick % all.length)
          const taken = take(k, lane, indicesOf(rows), rows.length)
          expect(seen(taken)).toEqual(rows.map(row => all[row]))
          // Its own items and no others, end to end.
          expect(k.memory.u32[taken.data >>> 2]).toBe(0)
          expect(k.memory.u32[(taken.data >>> 2) + rows.length]).toBe(taken.child?.length)
          expect(taken.validity === 0).toBe(lane.validity === 0)
        }
      })
    }),
    { numRuns: 300 },
  )
})

test('a slice holds its rows, wherever it begins, and so does a slice of it', () => {
  fc.assert(
    fc.property(fc.oneof(listSample(), sample(80)), pair, pair, ({ type, values }, first, second) => {
      const [from, to] = within(first, values.length)
      const [least, most] = within(second, to - from)
      inLane(vectorOf(type, values), lane => {
        const expected = valuesOf(vectorOf(type, values)).slice(from, to)
        const part = slice(k, lane, from, to)
        expect(part.length).toBe(to - from)
        if (type.kind !== 'list')
          return expect(seen(take(k, part, indicesOf(expected.map((_, i) => i)), part.length))).toEqual(expected)
        expect(seen(part)).toEqual(expected)
        expect(seen(slice(k, part, least, most))).toEqual(expected.slice(least, most))
      })
    }),
    { numRuns: 300 },
  )
})

test('lists come out of a lane as they went in, from slices too, in scratch and in blocks that are all given back', () => {
  fc.assert(
    fc.property(listSample(), pair, fc.boolean(), ({ type, values }, ends, onHeap) => {
      const [from, to] = within(ends, values.length)
      const whole = vectorOf(type, values)
      const dictionary = leafType(type).kind === 'utf8' ? new LaneDictionary(k) : null
      const mark = k.memory.mark()
      const used = k.memory.usedBytes
      for (const vector of [whole, sliceVector(whole, from, to)]) {
        const lane = loadVector(k, vector, dictionary, onHeap ? 'heap' : 'scratch')
        expect(dictionaryOf(lane)).toBe(dictionary)
        const back = unloadVector(k, lane)
        expect(valuesOf(back)).toEqual(valuesOf(vector))
        expect(back.offsets?.[0]).toBe(0)
        expect(back.child?.length).toBe(back.offsets?.[vector.length])
        if (onHeap) freeVector(k, lane)
      }
      dictionary?.free()
      k.memory.reset(mark)
      k.memory.trim()
      expect(k.memory.usedBytes).toBeLessThanOrEqual(used)
    }),
    { numRuns: 200 },
  )
})

describe('the layout', () => {
  const rows = [[1, 2, 3], [], [4], [5, 6]]

  test('offsets of a slice keep their base, and its items are the very memory', () => {
    inLane(vectorOf(list(int32()), rows), lane => {
      const part = slice(k, lane, 2, 4)
      expect(part.data).toBe(lane.data + 8)
      expect(part.child).toBe(lane.child)
      const { items, base } = itemsOf(k, part)
      expect([base, items.length, items.data]).toEqual([3, 3, (lane.child as LaneVector).data + 12])
      expect(take(k, part, indicesOf([]), 0).child?.length).toBe(0)
    })
  })

  test('no row at all is one offset', () => {
    inLane(vectorOf(list(int32()), []), lane => {
      expect([lane.length, lane.child?.length]).toEqual([0, 0])
      expect(seen(lane)).toEqual([])
    })
  })

  test('every buffer that comes out can be transferred on its own', () => {
    inLane(vectorOf(list(list(int32())), [[[1], [2, 3]], []]), lane => {
      const buffers: ArrayBufferLike[] = []
      for (let one: Vector | null | undefined = unloadVector(k, lane); one; one = one.child) {
        for (const array of [one.data, one.offsets]) {
          if (array === null) continue
          expect(array.buffer.byteLength).toBe(array.byteLength)
          buffers.push(array.buffer)
        }
      }
      expect(new Set(buffers).size).toBe(5)
    })
  })

  test('strings in lists are coded by the dictionary that the column is given, and need one', () => {
    const lane = new LaneDictionary(k)
    lane.internStrings(['b'])
    const type: DataType = list(list(utf8()))
    const loaded = [[[['a'], ['b', 'c']]], [[['c']]]].map(values => loadVector(k, vectorOf(type, values), lane))
    expect(loaded.map(seen)).toEqual([[[['a'], ['b', 'c']]], [[['c']]]])
    expect(lane.length).toBe(3)
    expect(() => loadVector(k, vectorOf(type, [[['a']]]), null)).toThrowError(
      expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
    )
    lane.free()
  })

  test('memory that runs out within the items leaves nothing behind', async () => {
    const small = await makeKernels({ maximumBytes: 1 << 20 })
    const vector = vectorOf(list(list(int32())), [[new Int32Array(250_000)]])
    for (let filled = 0; filled < 4; filled++) {
      expect(() => {
        const one = loadVector(small, vector, null, 'heap')
        try {
          loadVector(small, vector, null, 'heap')
        } finally {
          freeVector(small, one)
        }
      }).toThrowError(expect.objectContaining({ code: 'MR_MEMORY_LIMIT' }))
      expect(small.memory.usedBytes).toBe(0)
    }
  })
})
