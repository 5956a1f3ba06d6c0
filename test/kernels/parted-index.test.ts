// The parted index against a map of words: how many rows a word has, and where they are, goes from none to nearly all, so that tables are too small at first too.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPartedIndex } from '../../src/kernels/parted-index.js'
import { makeContext } from '../operators/support.js'

const context = await makeContext()
const { k } = context
const { memory } = k
const NONE = 0xffffffff

interface Given {
  readonly words: readonly bigint[]
  /** Whether each row has a word. */
  readonly has: readonly boolean[]
}

const keyWords = ({ words, has }: Given) => {
  const made = { words: memory.scratch(8 * words.length + 8), valid: memory.scratch(words.length / 8 + 16) }
  words.forEach((word, i) => {
    memory.i64[(made.words >>> 3) + i] = word
  })
  memory.u8.fill(0, made.valid, made.valid + words.length / 8 + 1)
  has.forEach((bit, i) => {
    if (bit) memory.u8[made.valid + (i >> 3)] |= 1 << (i & 7)
  })
  return has.every(bit => bit) ? { ...made, valid: 0 } : made
}

/** Numbers that follow from a seed. */
function* numbers(seed: number): Generator<number> {
  for (let x = seed | 1; ; ) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    yield (x >>> 0) / 2 ** 32
  }
}

/** Words of so many that there are; `late` of the rows have one word, and are the last. */
function rowsOf(seed: number, count: number, distinct: number, late: number, nulls: number): Given {
  const next = numbers(seed)
  const random = () => next.next().value as number
  const spread = (n: number) => BigInt.asIntN(64, BigInt(n) * 0x9e3779b97f4a7c15n)
  const lateFrom = Math.floor(count * (1 - late))
  const words = Array.from({ length: count }, (_, i) => (i < lateFrom ? spread(Math.floor(random() * distinct)) : -1n))
  return { words, has: words.map(() => random() >= nulls) }
}

describe('a parted index', () => {
  it('has the rows of each word, in order', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      count: fc.oneof(fc.nat(50), fc.nat(6000)),
      distinct: fc.constantFrom(1, 5, 300, 5000, 2 ** 40),
      late: fc.constantFrom(0, 0, 0.3, 0.98),
      nulls: fc.constantFrom(0, 0, 0.2, 1),
      partRows: fc.constantFrom(1, 20, 300, 8192),
      piece: fc.constantFrom(128, 1000, 65_536),
      wants: fc.constantFrom('lists', 'first', 'either', 'values'),
    })
    fc.assert(
      fc.property(cases, ({ seed, count, distinct, late, nulls, partRows, piece, wants }) => {
        const before = context.usedBytes()
        const given = rowsOf(seed, count, distinct, late, nulls)
        const model = new Map<bigint, number[]>()
        given.words.forEach((word, i) => {
          if (!given.has[i]) return
          const rows = model.get(word)
          if (rows === undefined) model.set(word, [i])
          else rows.push(i)
        })
        const index = createPartedIndex(k, count, partRows)
        for (let first = 0; first < count; first += piece) {
          const mark = memory.mark()
          const end = Math.min(count, first + piece)
          index.add(
            keyWords({ words: given.words.slice(first, end), has: given.has.slice(first, end) }),
            first,
            end - first,
          )
          memory.reset(mark)
        }
        for (const _ of index.finish(wants)) memory.reset(0)
        const isUnique = [...model.values()].every(rows => rows.length === 1)
        expect(index.hasRows).toBe(wants === 'first' || wants === 'values' || (wants === 'either' && isUnique))
        if (wants === 'values') {
          const values = memory.u32.subarray(index.values >>> 2, (index.values >>> 2) + count)
          const firsts = given.words.map((word, i) => (given.has[i] ? model.get(word)?.[0] : NONE))
          expect(Array.from(values)).toEqual(firsts)
          index.dropValues()
        }
        const asked = [...model.keys(), ...rowsOf(seed + 1, 100, 2 ** 40, 0.1, 0).words]
        const words = keyWords({ words: asked, has: asked.map((_, i) => i % 7 !== 3) })
        const found = index.find(words, asked.length) >>> 2
        const { u32 } = memory
        asked.forEach((word, i) => {
          const value = u32[found + i] as number
          const rows = i % 7 === 3 ? undefined : model.get(word)
          if (rows === undefined) expect(value).toBe(NONE)
          else if (index.hasRows) expect(value).toBe(rows[0])
          else {
            expect(value).toBeLessThan(index.idCount)
            const at = (index.starts >>> 2) + value
            const [from, to] = [u32[at] as number, u32[at + 1] as number]
            expect(Array.from(u32.subarray((index.rows >>> 2) + from, (index.rows >>> 2) + to))).toEqual(rows)
          }
        })
        if (!index.hasRows) {
          expect(index.idCount).toBe(model.size)
          expect(u32[(index.starts >>> 2) + index.idCount]).toBe(given.has.filter(bit => bit).length)
        }
        index.free()
        expect(context.usedBytes()).toBe(before)
      }),
      { numRuns: 150 },
    )
  })
})
