/** LZ4 frames: those that the lz4 program wrote, with every option that changes the layout, and damaged ones. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decompressLz4Frame } from '../../../src/formats/compression/lz4-frame.js'
import { xxhash32 } from '../../../src/formats/compression/xxhash32.js'
import { LZ4_FRAMES, lz4Text } from './lz4-frames.js'

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), character => character.charCodeAt(0))

describe('XXH32', () => {
  // From the description of the algorithm, and from the xxhsum program.
  test.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['0123456789abcdef', 0xc2c45b69],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('of %j', (text, hash) => {
    expect(xxhash32(new TextEncoder().encode(text))).toBe(hash)
  })
})

describe('LZ4 frames', () => {
  test.each(Object.entries(LZ4_FRAMES))('written with %s', (_, frame) => {
    const expected = lz4Text()
    const output = new Uint8Array(expected.length)
    decompressLz4Frame(bytesOf(frame), output)
    expect(Buffer.compare(output, expected)).toBe(0)
  })

  test('one after another, with a frame to be skipped between', () => {
    const frame = bytesOf(LZ4_FRAMES.default as string)
    const skipped = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3)
    const expected = lz4Text()
    const output = new Uint8Array(2 * expected.length)
    decompressLz4Frame(Uint8Array.from([...frame, ...skipped, ...frame]), output)
    expect(Buffer.compare(output.subarray(expected.length), expected)).toBe(0)
  })

  test('of another length than is expected are refused', () => {
    const frame = bytesOf(LZ4_FRAMES.default as string)
    for (const length of [0, lz4Text().length - 1, lz4Text().length + 1])
      expect(() => decompressLz4Frame(frame, new Uint8Array(length))).toThrow('lz4: ')
  })

  test('with a byte changed are refused, or give the same, or (where there is no checksum) other bytes; cut short they are refused', () => {
    const expected = lz4Text()
    const checked = bytesOf(LZ4_FRAMES['block and content checksums'] as string)
    for (let cut = 1; cut < checked.length; cut += 7)
      expect(() => decompressLz4Frame(checked.subarray(0, cut), new Uint8Array(expected.length))).toThrow('lz4: ')
    fc.assert(
      fc.property(fc.nat(checked.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = checked.slice()
        damaged[at] = (damaged[at] as number) ^ change
        const output = new Uint8Array(expected.length)
        try {
          decompressLz4Frame(damaged, output)
        } catch (error) {
          expect(String(error)).toMatch(/^Error: lz4: /)
          return
        }
        expect(Buffer.compare(output, expected)).toBe(0)
      }),
      { numRuns: 500, seed: 42 },
    )
  })
})
