// Keys chosen by someone who knows the hashes and their constants, but not the seed: tables of such keys are no more crowded than those of random ones.
// What is measured is in the tables themselves, slot by slot, so that no clock decides.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHashIndex, type HashIndex } from '../../src/kernels/hash.js'
import { instantiate, type Kernels } from '../../src/kernels/instance.js'
import { createKeyStore, type KeyStore } from '../../src/kernels/key-store.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { kernelModule } from './support.js'

/** As much dearer as crafted keys may be. */
const MOST = 3
const MASK = 2n ** 64n - 1n

/** Slots that a search for a key that is not there looks at, on average over all slots: of linear probing, every search is dearer by long runs. */
function searchSteps(slotCount: number, isUsed: (slot: number) => boolean): number {
  let first = 0
  while (isUsed(first)) first++
  let [steps, run] = [slotCount, 0]
  for (let i = 1; i <= slotCount; i++) {
    if (isUsed((first + i) % slotCount)) steps += ++run
    else run = 0
  }
  return steps / slotCount
}

/** An index, and where its header is among the words of memory: the first block that it takes; assembly/hash.ts draws it. */
function openIndex(k: Kernels, store: KeyStore, keyBytes: 4 | 8): { index: HashIndex; header: number } {
  const { memory } = k
  const { allocate } = memory
  let header = 0
  memory.allocate = byteLength => {
    const pointer = allocate.call(memory, byteLength)
    header ||= pointer >>> 2
    return pointer
  }
  const index = createHashIndex(k, store, keyBytes)
  memory.allocate = allocate
  return { index, header }
}

function multipliersOf(k: Kernels): { a: bigint; b: bigint } {
  const { header } = openIndex(k, createKeyStore(k, 1), 8)
  const [a, b] = new BigUint64Array(k.memory.u32.slice(header + 6, header + 10).buffer)
  return { a, b }
}

/** Keys of `width` words, or of 32 bits. */
function stepsOfKeys(k: Kernels, keys: BigUint64Array | Uint32Array, width = 1): number {
  const { memory } = k
  const isHalf = keys instanceof Uint32Array
  const rowCount = keys.length / width
  const [data, groups] = [memory.allocate(keys.byteLength), memory.allocate(4 * rowCount)]
  memory.bytes(data, keys.byteLength).set(new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength))
  const store = createKeyStore(k, width)
  const { index, header } = openIndex(k, store, isHalf ? 4 : 8)
  index.find(data, rowCount, groups)
  expect(store.count).toBe(rowCount)
  const { u32, i32 } = memory
  const slots = u32[header] >>> 2
  const [slotWords, groupAt] = width === 1 && !isHalf ? [4, 2] : [2, 1]
  const steps = searchSteps(2 ** (64 - u32[header + 4]), slot => i32[slots + slot * slotWords + groupAt] >= 0)
  index.free()
  store.free()
  for (const pointer of [data, groups]) memory.free(pointer)
  return steps
}

/** Strings of `byteLength` bytes each, end to end. */
function stepsOfStrings(k: Kernels, bytes: Uint8Array, byteLength: number): number {
  const { memory } = k
  const count = bytes.length / byteLength
  const [offsets, data, codes] = [
    memory.allocate(4 * count + 4),
    memory.allocate(bytes.length),
    memory.allocate(4 * count),
  ]
  memory.u32.set(
    Uint32Array.from({ length: count + 1 }, (_, i) => i * byteLength),
    offsets >>> 2,
  )
  memory.u8.set(bytes, data)
  const dictionary = new LaneDictionary(k)
  dictionary.intern(offsets, data, 0, count, codes)
  expect(dictionary.length).toBe(count)
  // assembly/text.ts draws the header.
  const header = (dictionary as unknown as { readonly header: number }).header >>> 2
  const { u32 } = memory
  const slots = u32[header + 2] >>> 2
  const steps = searchSteps(u32[header + 6] + 1, slot => u32[slots + 2 * slot] !== 0)
  dictionary.free()
  for (const pointer of [offsets, data, codes]) memory.free(pointer)
  return steps
}

/** The inverse of an odd number modulo 2^64, by Newton's iteration. */
function inverse(odd: bigint): bigint {
  let x = odd
  for (let i = 0; i < 6; i++) x = (x * (2n - odd * x)) & MASK
  return x
}

/** splitmix64 (Steele, Lea, Flood 2014). */
function random(index: bigint): bigint {
  let x = ((index + 1n) * 0x9e3779b97f4a7c15n) & MASK
  x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & MASK
  return x ^ (x >> 31n)
}

const wordsOf = (count: number, word: (i: bigint) => bigint): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, i) => BigInt.asUintN(64, word(BigInt(i))))

/** Known constants of the hashes there are: keys that they send to neighbours. */
const CONSTANTS = [0x9e3779b97f4a7c15n, 0xd6e8feb86659fd93n]

/** Differences in a few bits, in high or low ones, and such as known multipliers would undo. */
const crafted: fc.Arbitrary<(i: bigint) => bigint> = fc.oneof(
  fc.bigInt(0n, 50n).map(shift => (i: bigint) => i << shift),
  fc.bigInt(24n, 50n).map(shift => (i: bigint) => i << shift),
  fc.tuple(fc.constantFrom(...CONSTANTS), fc.bigInt(0n, 50n)).map(([constant, shift]) => {
    const undone = inverse(constant)
    return (i: bigint) => (i << shift) * undone
  }),
  // Of two multiplications with a fold between: all to one stretch of the table, if nothing secret came in.
  fc.bigInt(0n, 50n).map(shift => {
    const [first, second] = CONSTANTS.map(inverse)
    return (i: bigint) => {
      const hash = ((i << shift) * second) & MASK
      return (hash ^ (hash >> 32n)) * first
    }
  }),
  fc.constantFrom(3n, 1000n, 2n ** 32n + 1n, 2n ** 48n + 1n, 0x1000100010001n).map(factor => (i: bigint) => i * factor),
  fc.uniqueArray(fc.bigInt(0n, 63n), { minLength: 20, maxLength: 20 }).map(bits => (i: bigint) => {
    let word = 0n
    for (const [j, bit] of bits.entries()) word |= ((i >> BigInt(j)) & 1n) << bit
    return word
  }),
)
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })

describe('keys chosen without knowing the seed', () => {
  const count = 6000
  const runs = { numRuns: 50 }

  it('of one word, or half of one', async () => {
    const module = await kernelModule()
    fc.assert(
      fc.property(seeds, crafted, (seed, word) => {
        const k = instantiate(module, { seed })
        const keys = wordsOf(count, word)
        expect(stepsOfKeys(k, keys)).toBeLessThan(MOST * stepsOfKeys(k, wordsOf(count, random)))
        const halves = Uint32Array.from(new Set(Array.from(keys, key => Number(key >> 32n))))
        const other = Uint32Array.from(new Set(Array.from(wordsOf(halves.length, random), key => Number(key >> 32n))))
        expect(stepsOfKeys(k, halves)).toBeLessThan(MOST * stepsOfKeys(k, other))
      }),
      runs,
    )
  })

  it('of several words', async () => {
    const module = await kernelModule()
    const shape = fc.constantFrom('grid', 'equal', 'cancelling')
    fc.assert(
      fc.property(seeds, crafted, crafted, shape, (seed, a, b, kind) => {
        const k = instantiate(module, { seed })
        const side = BigInt(Math.ceil(Math.sqrt(count)))
        const keys = wordsOf(2 * count, j => {
          const i = j >> 1n
          if (kind === 'grid') return (j & 1n) === 0n ? a(i % side) : b(i / side)
          if (kind === 'equal' || (j & 1n) === 0n) return (j & 1n) === 0n ? a(i) : b(i)
          // The second word takes away what a round with the known constants and no seed makes of the first.
          const product = (a(i) * CONSTANTS[0]) & MASK
          const hash = ((product ^ (product >> 32n)) * CONSTANTS[1]) & MASK
          return (hash << 29n) | (hash >> 35n)
        })
        expect(stepsOfKeys(k, keys, 2)).toBeLessThan(MOST * stepsOfKeys(k, wordsOf(2 * count, random), 2))
      }),
      runs,
    )
  })

  it('strings', async () => {
    const module = await kernelModule()
    fc.assert(
      fc.property(
        seeds,
        crafted,
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 0, max: 2 }),
        (seed, word, before, behind) => {
          const k = instantiate(module, { seed })
          const words = 1 + before + behind
          const bytesOf = (of: (i: bigint) => bigint) =>
            new Uint8Array(
              wordsOf(words * count, j => (j % BigInt(words) === BigInt(before) ? of(j / BigInt(words)) : 0n)).buffer,
            )
          expect(stepsOfStrings(k, bytesOf(word), 8 * words)).toBeLessThan(
            MOST * stepsOfStrings(k, bytesOf(random), 8 * words),
          )
        },
      ),
    )
  })

  it('a million of them, all of which collide under another seed', { timeout: 60_000 }, async () => {
    const module = await kernelModule()
    const { a, b } = multipliersOf(instantiate(module, { seed: 1 }))
    const [undoA, undoB] = [inverse(a), inverse(b)]
    const unfold = (hash: bigint) => hash ^ (hash >> 32n)
    const colliding = (out: bigint) => {
      const third = unfold((out * undoA) & MASK)
      const second = unfold((third * undoB) & MASK)
      return ((second * undoA) & MASK) ^ b
    }
    // Few of them under that seed, for each costs as many steps as there are others.
    const few = wordsOf(2000, colliding)
    expect(stepsOfKeys(instantiate(module, { seed: 1 }), few)).toBeGreaterThan(2000 ** 2 / 2 / 2 ** 13)
    const million = 1_000_000
    const usual = stepsOfKeys(instantiate(module, { seed: 1 }), wordsOf(million, random))
    const keys = wordsOf(million, colliding)
    for (const seed of [0, 2, 0xdeadbeef]) {
      expect(stepsOfKeys(instantiate(module, { seed }), keys)).toBeLessThan(MOST * usual)
    }
  })
})
