// The portable form of states: blocks as they are written, and in pieces.
import { expect, test } from 'vitest'
import { createStateReader, createStateWriter } from '../../../src/kernels/aggregate/state-bytes.js'
import { makeKernels } from '../support.js'

test.each([100_000, 100_001, 100_003])(
  'a block of %i bytes is a piece by itself, and ends in zeros',
  async byteLength => {
    const k = await makeKernels()
    const padded = Math.ceil(byteLength / 4) * 4
    const pointer = k.memory.scratch(byteLength + 16)
    k.memory.u8.fill(7, pointer, pointer + byteLength + 16)
    const writer = createStateWriter()
    writer.u32(1)
    writer.lane(k, pointer, byteLength)
    writer.u32(2)
    const pieces = writer.pieces()
    expect(pieces.map(({ length }) => length)).toEqual([4, padded, 4])
    expect(pieces[1].subarray(byteLength).every(byte => byte === 0)).toBe(true)
    for (const state of [pieces, writer.finish()]) {
      const reader = createStateReader(state)
      expect(reader.u32()).toBe(1)
      const read = reader.lane(k, byteLength)
      expect(k.memory.bytes(read, byteLength).every(byte => byte === 7)).toBe(true)
      expect(reader.u32()).toBe(2)
    }
  },
)
