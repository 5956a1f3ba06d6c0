// The page allocator and the arena, against a plain record of which bytes belong to whom.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MillraceError } from '../../src/errors.js'
import { LaneMemory, PAGE_BYTES } from '../../src/kernels/memory.js'
import { MemoryAccount } from '../../src/kernels/memory-account.js'

const makeMemory = (maximumPages = 1024): LaneMemory =>
  new LaneMemory(new WebAssembly.Memory({ initial: 2, maximum: maximumPages }), maximumPages * PAGE_BYTES)

interface Block {
  pointer: number
  readonly mark: number
  byteLength: number
}

/** Small, at the edges of the size classes, and of several pages. */
const size = fc.oneof(
  fc.nat(200),
  fc.constantFrom(0, 47, 48, 49, 2032, 2033, 16_368, 16_369, 32_752, 32_753, 65_519, 65_520, 65_521),
  fc.nat(400_000),
)

function fill(memory: LaneMemory, { pointer, byteLength, mark }: Block): void {
  memory.bytes(pointer, byteLength).fill(mark)
}

function isIntact(memory: LaneMemory, { pointer, byteLength, mark }: Block): boolean {
  return memory.bytes(pointer, byteLength).every(byte => byte === mark)
}

test('blocks never overlap, keep their contents when others come and go, and leave one free run behind', () => {
  const action = fc.record({
    kind: fc.constantFrom('allocate', 'allocate', 'free', 'reallocate', 'scratch'),
    size,
    pick: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), actions => {
      const memory = makeMemory()
      const blocks: Block[] = []
      const scratches: Block[] = []
      let next = 1
      for (const { kind, size: byteLength, pick } of actions) {
        const picked = blocks[pick % blocks.length]
        if (kind === 'allocate') {
          const block = { pointer: memory.allocate(byteLength), mark: next++ & 0xff, byteLength }
          fill(memory, block)
          blocks.push(block)
        } else if (kind === 'scratch') {
          const block = { pointer: memory.scratch(byteLength), mark: next++ & 0xff, byteLength }
          fill(memory, block)
          scratches.push(block)
        } else if (picked !== undefined && kind === 'free') {
          memory.free(picked.pointer)
          blocks.splice(blocks.indexOf(picked), 1)
        } else if (picked !== undefined) {
          const kept = Math.min(byteLength, picked.byteLength)
          picked.pointer = memory.reallocate(picked.pointer, byteLength)
          expect(isIntact(memory, { ...picked, byteLength: kept })).toBe(true)
          picked.byteLength = byteLength
          fill(memory, picked)
        }
      }
      for (const block of [...blocks, ...scratches]) {
        expect(block.pointer % 16).toBe(0)
        expect(block.pointer).toBeGreaterThanOrEqual(PAGE_BYTES)
        expect(block.pointer + block.byteLength + 16).toBeLessThanOrEqual(memory.memory.buffer.byteLength)
        expect(isIntact(memory, block)).toBe(true)
      }
      for (const { pointer } of blocks) memory.free(pointer)
      memory.reset(0)
      memory.trim()
      expect(memory.usedBytes).toBe(0)
      expect(memory.freeRunCount).toBe(1)
    }),
    { numRuns: 200 },
  )
})

test('marks nest: a reset gives back what came after its mark and leaves what came before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.record({ push: size }), fc.constant('mark'), fc.constant('reset')), { maxLength: 50 }),
      steps => {
        const memory = makeMemory()
        const marks: { mark: number; count: number }[] = []
        let live: Block[] = []
        let next = 1
        for (const step of steps) {
          if (step === 'mark') marks.push({ mark: memory.mark(), count: live.length })
          else if (step === 'reset') {
            const top = marks.pop()
            if (top === undefined) continue
            memory.reset(top.mark)
            expect(memory.mark()).toBe(top.mark)
            live = live.slice(0, top.count)
          } else if (typeof step === 'object') {
            const block = { pointer: memory.scratch(step.push), mark: next++ & 0xff, byteLength: step.push }
            fill(memory, block)
            live.push(block)
          }
          for (const block of live) expect(isIntact(memory, block)).toBe(true)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('the arena reuses its chunks: the same work again takes no more memory', () => {
  const memory = makeMemory()
  const work = () => {
    const mark = memory.mark()
    for (const byteLength of [100, 900_000, 5_000_000, 16, 2_000_000]) memory.scratch(byteLength)
    memory.reset(mark)
  }
  work()
  work()
  const { usedBytes } = memory
  for (let i = 0; i < 20; i++) work()
  expect(memory.usedBytes).toBe(usedBytes)
})

test('an arena whose requests grow slowly does not keep every chunk it ever had', () => {
  const memory = makeMemory()
  let largest = 0
  for (let byteLength = 1_500_000; byteLength < 4_000_000; byteLength += 50_000) {
    const mark = memory.mark()
    memory.scratch(byteLength)
    memory.reset(mark)
    largest = byteLength
  }
  expect(memory.usedBytes).toBeLessThan(4 * largest)
})

test('trim keeps what is in use', () => {
  const memory = makeMemory()
  const pointer = memory.scratch(100)
  memory.bytes(pointer, 100).fill(7)
  const mark = memory.mark()
  memory.scratch(10_000_000)
  memory.reset(mark)
  memory.trim()
  memory.bytes(memory.allocate(8_000_000), 8_000_000).fill(1)
  expect(isIntact(memory, { pointer, byteLength: 100, mark: 7 })).toBe(true)
  memory.reset(0)
  memory.trim()
  expect(memory.mark()).toBe(0)
})

test('beyond the maximum the error names what was asked, what is used and the maximum, and memory is as it was', () => {
  const memory = makeMemory(16)
  const pointer = memory.allocate(300_000)
  memory.bytes(pointer, 300_000).fill(9)
  const { usedBytes } = memory
  for (const ask of [
    () => memory.allocate(2_000_000),
    () => memory.reallocate(pointer, 2_000_000),
    () => memory.scratch(2_000_000),
  ]) {
    expect(ask).toThrowError(
      expect.objectContaining({
        code: 'MR_MEMORY_LIMIT',
        message: expect.stringMatching(/2000000.*1048576/),
        details: { requestedBytes: 2_000_000, usedBytes, maximumBytes: 16 * PAGE_BYTES },
      }),
    )
  }
  expect(memory.usedBytes).toBe(usedBytes)
  expect(isIntact(memory, { pointer, byteLength: 300_000, mark: 9 })).toBe(true)
  memory.free(pointer)
  expect(memory.allocate(15 * PAGE_BYTES - 16)).toBe(PAGE_BYTES)
})

test('scratch takes no more than it is asked for where memory is nearly full', () => {
  const memory = makeMemory(20)
  memory.allocate(10 * PAGE_BYTES)
  expect(memory.scratch(3 * PAGE_BYTES)).toBeGreaterThan(0)
  expect(memory.scratch(3 * PAGE_BYTES)).toBeGreaterThan(0)
})

test('pointers beyond 2 GiB are positive and usable', () => {
  const memory = new LaneMemory(new WebAssembly.Memory({ initial: 2, maximum: 65_536 }))
  const low = memory.allocate(2 ** 31)
  const high = memory.allocate(1_000_000)
  expect(high).toBeGreaterThan(2 ** 31)
  memory.f64[(high >>> 3) + 3] = 1.5
  memory.u8[high + 999_999] = 255
  expect(new DataView(memory.memory.buffer).getFloat64(high + 24, true)).toBe(1.5)
  const moved = memory.reallocate(high, 3_000_000)
  expect(memory.f64[(moved >>> 3) + 3]).toBe(1.5)
  expect(memory.peakBytes).toBeGreaterThan(2 ** 31)
  memory.free(low)
  memory.free(moved)
  expect(memory.freeRunCount).toBe(1)
})

test('growth makes the views anew and keeps what they showed', () => {
  const memory = makeMemory()
  const pointer = memory.allocate(64)
  memory.i64[pointer >>> 3] = -5n
  const before = memory.i64
  memory.allocate(10_000_000)
  expect(before.length).toBe(0)
  expect(memory.i64[pointer >>> 3]).toBe(-5n)
})

test('freeing what is no block is refused', () => {
  expect(() => makeMemory().free(12 * PAGE_BYTES)).toThrow(/not a block/)
})

test('a job pays for the pages it takes until they are given back, whoever does that', () => {
  const memory = makeMemory()
  const [a, b] = [new MemoryAccount(Infinity, Infinity, 'a'), new MemoryAccount(Infinity, Infinity, 'b')]
  const held = memory.allocate(5 * PAGE_BYTES - 16)
  memory.account = a
  const block = memory.allocate(3 * PAGE_BYTES - 16)
  memory.allocate(100)
  memory.scratch(10)
  expect([a.usedPages, b.usedPages]).toEqual([3 + 1 + 16, 0])
  const longer = memory.reallocate(block, 4 * PAGE_BYTES - 16)
  memory.account = b
  // In the slab and the chunk that the other has made there is room.
  memory.allocate(100)
  memory.scratch(10)
  expect([a.usedPages, b.usedPages]).toEqual([21, 0])
  const taken = memory.reallocate(longer, 6 * PAGE_BYTES - 16)
  expect([a.usedPages, b.usedPages]).toEqual([17, 6])
  memory.account = null
  memory.free(held)
  memory.free(taken)
  memory.reset(0)
  memory.trim()
  expect([a.usedPages, b.usedPages]).toEqual([1, 0])
  expect([a.peakBytes, b.peakBytes]).toEqual([(3 + 1 + 16 + (longer === block ? 1 : 4)) * PAGE_BYTES, 6 * PAGE_BYTES])
})

test('no job gets more than its share, one that is refused has what it had, and others do not feel it', () => {
  const action = fc.record({
    who: fc.constantFrom(0, 1, 2),
    kind: fc.constantFrom('allocate', 'allocate', 'free', 'reallocate', 'scratch', 'reset'),
    size,
    pick: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), actions => {
      const memory = makeMemory()
      const accounts = [
        new MemoryAccount(8 * PAGE_BYTES, 4 * PAGE_BYTES, 'sort by x'),
        new MemoryAccount(2 ** 20, 2 ** 20, 'b'),
      ]
      const blocks: Block[] = []
      for (const [i, { who, kind, size: byteLength, pick }] of actions.entries()) {
        const account = accounts[who] ?? null
        memory.account = account
        const usedBefore = account?.usedPages ?? 0
        const picked = pick % blocks.length
        try {
          if (kind === 'allocate') blocks.push({ pointer: memory.allocate(byteLength), mark: i, byteLength })
          else if (kind === 'scratch') memory.scratch(byteLength)
          else if (kind === 'reset') {
            memory.reset(0)
            memory.trim()
          } else if (blocks.length > 0 && kind === 'free') memory.free(blocks.splice(picked, 1)[0].pointer)
          else if (blocks.length > 0) blocks[picked].pointer = memory.reallocate(blocks[picked].pointer, byteLength)
        } catch (error) {
          expect(account).not.toBeNull()
          const { operator, budgetBytes, shareBytes } = account as MemoryAccount
          const { details, message } = error as MillraceError
          expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
          expect(details).toMatchObject({ operator, budgetBytes, shareBytes })
          expect(message).toContain(`${operator} needs `)
          expect(message).toContain(`budget of ${budgetBytes} in use`)
          expect((details.requestedBytes as number) + (details.usedBytes as number)).toBeGreaterThan(
            shareBytes - 2 * PAGE_BYTES,
          )
          // Chunks that were too small have been given back before a larger one was asked for.
          if (kind === 'scratch') expect(account?.usedPages).toBeLessThanOrEqual(usedBefore)
          else expect(account?.usedPages).toBe(usedBefore)
        }
        let paid = 0
        for (const { usedPages, peakBytes, shareBytes } of accounts) {
          expect(usedPages).toBeGreaterThanOrEqual(0)
          expect(usedPages * PAGE_BYTES).toBeLessThanOrEqual(peakBytes)
          expect(peakBytes).toBeLessThanOrEqual(shareBytes)
          paid += usedPages
        }
        expect(paid * PAGE_BYTES).toBeLessThanOrEqual(memory.usedBytes)
      }
      memory.account = null
      for (const { pointer } of blocks) memory.free(pointer)
      memory.reset(0)
      memory.trim()
      expect(memory.usedBytes).toBe(0)
      expect(accounts.map(({ usedPages }) => usedPages)).toEqual([0, 0])
    }),
  )
})
