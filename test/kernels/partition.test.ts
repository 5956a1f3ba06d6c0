// Rows parted by the low byte of their group: those of some partitions, and blocks as they are sent.
import { beforeEach, expect, test } from 'vitest'
import type { Kernels } from '../../src/kernels/instance.js'
import { createPartitions, PARTITIONS } from '../../src/kernels/partition.js'
import { makeKernels } from './support.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

/** Groups i * 7 % groupCount. */
function partedRows(rows: number, groupCount: number) {
  const { memory } = k
  const parted = createPartitions(k, 8)
  parted.resize(groupCount)
  for (let from = 0; from < rows; from += 10_000) {
    const count = Math.min(10_000, rows - from)
    const mark = memory.mark()
    const groups = memory.scratch(4 * count)
    const values = memory.scratch(8 * count)
    for (let i = 0; i < count; i++) {
      memory.u32[(groups >>> 2) + i] = ((from + i) * 7) % groupCount
      memory.f64[(values >>> 3) + i] = from + i
    }
    parted.append(groups, values, count)
    memory.reset(mark)
  }
  return parted
}

test('how many rows some partitions have', () => {
  const parted = partedRows(150_000, 1000)
  const expected = (from: number, to: number) =>
    Array.from({ length: 150_000 }, (_, i) => ((i * 7) % 1000) & 255).filter(part => part >= from && part < to).length
  for (const [from, to] of [
    [0, 256],
    [0, 0],
    [0, 16],
    [200, 240],
    [255, 256],
    [100, 100],
  ] as const)
    expect(parted.rowsOf(from, to)).toBe(expected(from, to))
  parted.free()
})

test('rows that are too few for a block may call for more memory, where the others are no longer where they were seen', () => {
  const rows = 190_000
  const parted = partedRows(rows, 1000)
  const { memory } = k
  let grown = 0
  for (let i = 0; i < 64; i++) {
    memory.scratch(65_536)
    const mark = memory.mark()
    const before = memory.i64.byteLength
    const counts = Array.from(parted.list(0, PARTITIONS), ({ rowCount }) => rowCount)
    expect(counts.length).toBe(3)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows)
    if (memory.i64.byteLength > before) grown++
    memory.reset(mark)
    expect(parted.rowsOf(0, 256)).toBe(rows)
  }
  expect(grown).toBeGreaterThan(0)
  parted.free()
})

test.each([40, 1000])('blocks of some partitions, of %i groups, are what another takes over of these', groupCount => {
  const { memory } = k
  const rows = 150_000
  const parted = partedRows(rows, groupCount)
  for (const [from, to] of [
    [0, 256],
    [0, 13],
    [13, 256],
    [7, 7],
  ] as const) {
    const taken = createPartitions(k, 8)
    taken.resize(groupCount)
    for (const block of parted.list(from, to)) taken.adopt(block, 0)
    expect(taken.rowsOf(0, 256)).toBe(parted.rowsOf(from, to))
    const mark = memory.mark()
    const groups = memory.scratch(4 * rows)
    const values = memory.scratch(8 * rows)
    let [sum, strays] = [0, 0]
    for (let part = 0; part < PARTITIONS; part++) {
      const count = k.exports.partitionRows(taken.blocks(), part, 8, groups, values)
      for (let i = 0; i < count; i++) {
        const value = memory.f64[(values >>> 3) + i]
        if (256 * memory.u32[(groups >>> 2) + i] + part !== (value * 7) % groupCount) strays++
        sum += value
      }
    }
    const expected = Array.from({ length: rows }, (_, i) => i).filter(i => {
      const part = ((i * 7) % groupCount) & 255
      return part >= from && part < to
    })
    expect(strays).toBe(0)
    expect(sum).toBe(expected.reduce((all, i) => all + i, 0))
    memory.reset(mark)
    taken.free()
  }
  parted.free()
})
