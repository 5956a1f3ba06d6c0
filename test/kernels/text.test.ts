// The lane's dictionary, against a Map from string to code.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dictionary } from '../../src/columnar/dictionary.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { bitmap, bitsOf, makeKernels } from './support.js'

const k = await makeKernels()

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'a', 'b', '\0', '\0\0', 'abcdefgh', 'abcdefg', 'abcdefghabcdefgh', 'é', '\u{1f600}'),
)

/** Strings as offsets and bytes in scratch. */
function put(values: readonly string[]): { offsets: number; bytes: number } {
  const encoded = values.map(value => Buffer.from(value))
  const offsets = k.memory.scratch(4 * values.length + 4)
  const bytes = k.memory.scratch(encoded.reduce((sum, { length }) => sum + length, 16))
  let end = 0
  k.memory.u32[offsets >>> 2] = 0
  encoded.forEach((text, i) => {
    k.memory.u8.set(text, bytes + end)
    end += text.length
    k.memory.u32[(offsets >>> 2) + i + 1] = end
  })
  return { offsets, bytes }
}

/** `count` strings of 12 bytes each: 'id' and the number in ten digits. */
function putIds(from: number, count: number): { offsets: number; bytes: number } {
  const text = Array.from({ length: count }, (_, i) => `id${String(from + i).padStart(10, '0')}`).join('')
  const offsets = k.memory.scratch(4 * count + 4)
  const bytes = k.memory.scratch(text.length + 16)
  k.memory.u8.set(Buffer.from(text), bytes)
  for (let i = 0; i <= count; i++) k.memory.u32[(offsets >>> 2) + i] = 12 * i
  return { offsets, bytes }
}

const codesAt = (pointer: number, n: number): number[] =>
  Array.from(k.memory.u32.subarray(pointer >>> 2, (pointer >>> 2) + n))

class Model {
  readonly codes = new Map<string, number>()
  code(value: string): number {
    const code = this.codes.get(value) ?? this.codes.size
    this.codes.set(value, code)
    return code
  }
}

test('equal strings have equal codes, new ones the next code, morsel after morsel', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyText, { maxLength: 60 }), { maxLength: 6 }), morsels => {
      const mark = k.memory.mark()
      const dictionary = new LaneDictionary(k)
      const model = new Model()
      for (const values of morsels) {
        const { offsets, bytes } = put(values)
        const codes = k.memory.scratch(4 * values.length)
        dictionary.intern(offsets, bytes, 0, values.length, codes)
        expect(codesAt(codes, values.length)).toEqual(values.map(value => model.code(value)))
      }
      expect(dictionary.length).toBe(model.codes.size)
      for (const [value, code] of model.codes) expect(dictionary.get(code)).toBe(value)
      dictionary.free()
      k.memory.reset(mark)
    }),
    { numRuns: 200 },
  )
})

test('a byte order mark is a character like any other', () => {
  const dictionary = new LaneDictionary(k)
  const values = ['\ufeff', '', '\ufeffa', 'a']
  expect(Array.from(dictionary.internStrings(values))).toEqual([0, 1, 2, 3])
  expect(values.map((_, code) => dictionary.get(code))).toEqual(values)
  expect(values.map((_, code) => dictionary.toDictionary().get(code))).toEqual(values)
  dictionary.free()
})

test('null rows get code 0 and add nothing', () => {
  const dictionary = new LaneDictionary(k)
  const { offsets, bytes } = put(['x', 'never', 'y', 'x'])
  const codes = k.memory.scratch(16)
  dictionary.intern(offsets, bytes, bitmap(k, [true, false, true, true]), 4, codes)
  expect(codesAt(codes, 4)).toEqual([0, 0, 1, 0])
  expect(dictionary.length).toBe(2)
  dictionary.free()
})

test('find gives -1 for what is not there, and adds nothing', () => {
  const dictionary = new LaneDictionary(k)
  dictionary.internStrings(['a', 'b'])
  const { offsets, bytes } = put(['b', 'c', '', 'a'])
  const codes = k.memory.scratch(16)
  dictionary.find(offsets, bytes, 4, codes)
  expect(codesAt(codes, 4).map(code => code | 0)).toEqual([1, -1, -1, 0])
  expect(dictionary.length).toBe(2)
  dictionary.free()
})

test('a million entries, and all memory given back', () => {
  const before = k.memory.usedBytes
  const mark = k.memory.mark()
  const dictionary = new LaneDictionary(k)
  const n = 1_000_000
  const codes = k.memory.scratch(4 * 65_536)
  for (let from = 0; from < n; from += 65_536) {
    const count = Math.min(65_536, n - from)
    const inner = k.memory.mark()
    const { offsets, bytes } = putIds(from, count)
    dictionary.intern(offsets, bytes, 0, count, codes)
    expect(k.memory.u32[(codes >>> 2) + count - 1]).toBe(from + count - 1)
    // A second time nothing is new.
    dictionary.intern(offsets, bytes, 0, count, codes)
    expect(k.memory.u32[codes >>> 2]).toBe(from)
    k.memory.reset(inner)
  }
  expect(dictionary.length).toBe(n)
  expect(dictionary.get(765_432)).toBe('id0000765432')
  const ranks = dictionary.ranks()
  expect([0, 1, 499_999, 999_999].map(entry => k.memory.u32[(ranks >>> 2) + entry])).toEqual([0, 1, 499_999, 999_999])
  dictionary.free()
  k.memory.reset(mark)
  k.memory.trim()
  expect(k.memory.usedBytes).toBeLessThanOrEqual(before)
})

/** The most slots in a row that are in use: what a failed search may have to walk. */
function longestCluster(dictionary: LaneDictionary): number {
  const { header } = dictionary as unknown as { header: number }
  const [, , slots, , , , mask] = k.memory.u32.subarray(header >>> 2, (header >>> 2) + 8)
  let longest = 0
  let length = 0
  for (let slot = 0; slot <= mask; slot++) {
    length = k.memory.u32[(slots >>> 2) + 2 * slot] === 0 ? 0 : length + 1
    longest = Math.max(longest, length)
  }
  return longest
}

test('hashes of near-equal strings spread over a table', () => {
  // The instance seed decides the slots; whatever it is, no family of strings may fall into few of them.
  const families = [
    (i: number) => `${i}`,
    (i: number) => `${'\0'.repeat(i % 97)}${i}`,
    (i: number) => `prefix that is long and equal ${i} suffix`,
    (i: number) => String.fromCharCode(i & 0x7f, (i >> 7) & 0x7f, 0, 0, 0, 0, 0, 0, (i * 31) & 0x7f),
  ]
  for (const family of families) {
    const values = [...new Set(Array.from({ length: 20_000 }, (_, i) => family(i)))]
    const mark = k.memory.mark()
    const dictionary = new LaneDictionary(k)
    const { offsets, bytes } = put(values)
    const codes = k.memory.scratch(4 * values.length)
    dictionary.intern(offsets, bytes, 0, values.length, codes)
    expect(longestCluster(dictionary)).toBeLessThan(100)
    expect(dictionary.length).toBe(values.length)
    dictionary.free()
    k.memory.reset(mark)
  }
})

function columnar(values: readonly string[]): Dictionary {
  const dictionary = new Dictionary()
  for (const value of values) dictionary.add(value)
  return dictionary
}

const mapOf = (lane: LaneDictionary, dictionary: Dictionary): number[] => {
  const pointer = lane.codeMap(dictionary)
  return Array.from({ length: dictionary.length }, (_, code) =>
    pointer === 0 ? code : k.memory.u32[(pointer >>> 2) + code],
  )
}

test('the first dictionary keeps its codes, and needs no map even when it grows', () => {
  const lane = new LaneDictionary(k)
  const dictionary = columnar(['a', 'b'])
  expect(lane.codeMap(dictionary)).toBe(0)
  dictionary.add('c')
  expect(lane.codeMap(dictionary)).toBe(0)
  expect([0, 1, 2].map(code => lane.get(code))).toEqual(['a', 'b', 'c'])
  lane.free()
})

test('of a long dictionary that has other entries, those are mapped that lie where a batch has its own', () => {
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), (seed, isShared) => {
      let state = seed >>> 0
      const below = (most: number) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return Math.floor((state / 2 ** 32) * most)
      }
      const lane = new LaneDictionary(k)
      const known = Array.from({ length: 500 }, (_, i) => `s${isShared ? 60_000 + i : i * 7}`)
      lane.internStrings(known)
      const dictionary = columnar([])
      const grow = (count: number) => {
        // Some strings come again and again, also next to one another.
        for (let i = 0; i < count; i++) dictionary.add(`s${below(8) === 0 ? below(90_000) : dictionary.length + 1}`)
      }
      grow(66_000 + below(1500))
      for (let batch = 0; batch < 6; batch++) {
        const rows = below(3000)
        const [from, width] = [below(dictionary.length), 1 + below(3000)]
        const codes = Int32Array.from({ length: rows }, () => Math.min(from + below(width), dictionary.length - 1))
        const map = lane.codeMap(dictionary, codes) >>> 2
        for (const code of codes) expect(lane.get(k.memory.u32[map + code])).toBe(dictionary.get(code))
        grow(below(2) * below(2000))
      }
      expect(new Set(Array.from({ length: lane.length }, (_, code) => lane.get(code))).size).toBe(lane.length)
      expect(lane.length).toBeLessThan(500 + 6 * 6000)
      lane.free()
    }),
    { numRuns: 20 },
  )
})

test('strings are found in a dictionary far beyond the caches, new ones, known ones and nulls side by side', () => {
  const mark = k.memory.mark()
  const lane = new LaneDictionary(k)
  const model = new Model()
  for (let round = 0; round < 12; round++) {
    const values = Array.from({ length: 20_000 }, (_, i) => {
      const place = 16_384 * round + i
      return i % 7 === 0
        ? `again ${Math.imul(place, 7919) & 0xffff}`
        : i % 5 === 0
          ? ''
          : `${'x'.repeat(i % 20)}${place}`
    })
    const isValid = values.map((_, i) => i % 11 !== 3)
    const { offsets, bytes } = put(values)
    const validity = bitmap(k, isValid)
    const codes = k.memory.scratch(4 * values.length)
    lane.intern(offsets, bytes, validity, values.length, codes)
    expect(codesAt(codes, values.length)).toEqual(values.map((value, i) => (isValid[i] ? model.code(value) : 0)))
    k.memory.reset(mark)
  }
  expect(lane.length).toBeGreaterThan(65_536)
  lane.free()
})

test('any dictionaries, growing in turns and with repeated entries, map to the codes of their strings', () => {
  const step = fc.record({ which: fc.nat(11), values: fc.array(anyText, { maxLength: 20 }), forgets: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const mark = k.memory.mark()
      const lane = new LaneDictionary(k)
      const model = new Model()
      // More dictionaries than are remembered.
      const all = Array.from({ length: 12 }, () => ({ dictionary: new Dictionary(), values: [] as string[] }))
      for (const { which, values, forgets } of steps) {
        if (forgets) lane.forgetMaps()
        const { dictionary, values: known } = all[which]
        for (const value of values) {
          dictionary.add(value)
          known.push(value)
        }
        const got = mapOf(lane, dictionary)
        expect(got).toEqual(known.map(value => model.code(value)))
      }
      expect(lane.length).toBe(model.codes.size)
      lane.free()
      k.memory.reset(mark)
    }),
    { numRuns: 200 },
  )
})

test('the mirror has the same codes, and entries() is what a peer lacks', () => {
  const lane = new LaneDictionary(k)
  lane.internStrings(['x', '', 'zé'])
  const mirror = lane.toDictionary()
  expect([mirror.length, mirror.get(0), mirror.get(1), mirror.get(2)]).toEqual([3, 'x', '', 'zé'])
  lane.internStrings(['y', 'x', 'w'])
  expect(lane.toDictionary()).toBe(mirror)
  expect([mirror.length, mirror.get(3), mirror.get(4)]).toEqual([5, 'y', 'w'])
  const { offsets, bytes } = lane.entries(2)
  expect([Array.from(offsets), Buffer.from(bytes).toString()]).toEqual([[0, 3, 4, 5], 'zéyw'])
  lane.free()
})

test('ranks are the order of unsigned bytes, and follow growth', () => {
  // Long common prefixes, and strings that differ only in zeros at their ends.
  const tricky = fc.tuple(
    fc.constantFrom('', 'a'.repeat(7), 'a'.repeat(14), 'prefix/of/many/'),
    fc.constantFrom('', '\0', '\0\0', 'b', 'é', '\u{10ffff}'),
    anyText,
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.array(
          fc.oneof(
            anyText,
            tricky.map(parts => parts.join('')),
          ),
          { maxLength: 150 },
        ),
        { maxLength: 3 },
      ),
      groups => {
        const lane = new LaneDictionary(k)
        for (const values of groups) {
          lane.internStrings(values)
          const entries = Array.from({ length: lane.length }, (_, code) => Buffer.from(lane.get(code)))
          const sorted = entries.map((_, code) => code).sort((a, b) => Buffer.compare(entries[a], entries[b]))
          const ranks = new Array<number>(lane.length)
          sorted.forEach((code, rank) => {
            ranks[code] = rank
          })
          expect(codesAt(lane.ranks(), lane.length)).toEqual(ranks)
        }
        lane.free()
      },
    ),
    { numRuns: 200 },
  )
})

test('ranks of thousands of strings with one long prefix, and of nested prefixes', () => {
  for (const family of [(i: number) => `${'x'.repeat(3000)}${i % 2}${i}`, (i: number) => 'y'.repeat(i)]) {
    const values = Array.from({ length: 1500 }, (_, i) => family(i))
    const lane = new LaneDictionary(k)
    lane.internStrings(values)
    const sorted = values.map((_, i) => i).sort((a, b) => (values[a] < values[b] ? -1 : 1))
    const ranks = codesAt(lane.ranks(), lane.length)
    sorted.forEach((entry, rank) => {
      if (ranks[entry] !== rank) expect([entry, ranks[entry]]).toEqual([entry, rank])
    })
    lane.free()
  }
})

test('predicates over entries: kept, extended, and bounded in number', () => {
  const lane = new LaneDictionary(k)
  const values = ['b', 'a', 'c', 'ab', '']
  const codes = k.memory.scratch(40)
  k.memory.u32.set([4, 3, 2, 1, 0, 0, 1, 2, 3, 4], codes >>> 2)
  lane.internStrings(values.slice(0, 3))
  lane.matches('lt', 'b')
  lane.memberOf(['a', 'nowhere', 'ab'])
  lane.internStrings(values)
  expect(bitsOf(k, lane.lookupBits(codes, lane.matches('lt', 'b'), 10), 10)).toEqual(
    [4, 3, 2, 1, 0, 0, 1, 2, 3, 4].map(code => values[code] < 'b'),
  )
  expect(bitsOf(k, lane.lookupBits(codes, lane.memberOf(['a', 'nowhere', 'ab']), 5), 5)).toEqual([
    false,
    true,
    false,
    true,
    false,
  ])
  const before = k.memory.usedBytes
  for (let i = 0; i < 1000; i++) lane.matches('eq', `literal ${i}`)
  expect(k.memory.usedBytes - before).toBeLessThanOrEqual(65_536)
  lane.free()
})

test('an empty dictionary may be asked anything', () => {
  const lane = new LaneDictionary(k)
  expect([lane.length, lane.byteLength, lane.toDictionary().length]).toEqual([0, 0, 0])
  expect(lane.codeMap(new Dictionary())).toBe(0)
  expect(lane.ranks()).toBeGreaterThan(0)
  expect(lane.matches('eq', 'x')).toBeGreaterThan(0)
  lane.free()
})

test('running out of memory at any point leaves a dictionary that is right', async () => {
  const values = Array.from({ length: 30_000 }, (_, i) => `a string of some length ${(i * 7919) % 30_000}`)
  const source = columnar(values)
  const outcomes = new Set<string>()
  for (let pages = 6; pages < 90; pages += 3) {
    const { memory, ...rest } = await makeKernels({ maximumBytes: pages * 65_536 })
    const lane = new LaneDictionary({ memory, ...rest })
    const attempt = (what: string, work: () => void) => {
      try {
        work()
        outcomes.add(`${what} worked`)
      } catch (error) {
        expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
        outcomes.add(`${what} did not`)
      }
      memory.reset(0)
      memory.trim()
    }
    attempt('mapping', () => lane.codeMap(source))
    // What is left is enough to rank a dictionary that was filled halfway, not a whole one.
    const filler: number[] = []
    while (memory.usedBytes < memory.maximumBytes - 12 * 65_536) filler.push(memory.allocate(65_000))
    attempt('ranking', () => lane.ranks())
    for (const pointer of filler) memory.free(pointer)
    attempt('ranking again', () => {
      const sorted = values.slice(0, lane.length).sort()
      const at = lane.ranks() >>> 2
      for (let entry = 0; entry < lane.length; entry += 331) expect(sorted[memory.u32[at + entry]]).toBe(values[entry])
    })
    for (let code = 0; code < lane.length; code += 97) expect(lane.get(code)).toBe(values[code])
    lane.free()
    expect([memory.usedBytes, memory.freeRunCount]).toEqual([0, 1])
  }
  expect([...outcomes].sort()).toEqual([
    'mapping did not',
    'mapping worked',
    'ranking again worked',
    'ranking did not',
    'ranking worked',
  ])
})

test('entries that are taken over are those that would have been interned, whatever is asked of them next', () => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 100 })
  fc.assert(
    fc.property(texts, texts, texts, fc.boolean(), (first, second, others, asks) => {
      const source = new LaneDictionary(k)
      const target = new LaneDictionary(k)
      const entries = (dictionary: LaneDictionary) =>
        Array.from({ length: dictionary.length }, (_, code) => dictionary.get(code))
      for (const part of [first, second]) {
        source.internStrings(part)
        expect(target.codeMap(source.toDictionary())).toBe(0)
        expect(entries(target)).toEqual(entries(source))
        // From here on it is looked things up in.
        if (asks) expect([...target.internStrings(part)]).toEqual([...source.internStrings(part)])
      }
      const known = entries(source)
      const codes = target.internStrings(others)
      expect(Array.from(codes, code => target.get(code))).toEqual(others)
      expect(new Set(entries(target)).size).toBe(target.length)
      expect(target.length).toBe(new Set([...known, ...others]).size)
      source.internStrings(others)
      expect(target.fingerprint()).toBe(source.fingerprint())
      source.free()
      target.free()
    }),
  )
})
