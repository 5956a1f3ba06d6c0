/** The Zstandard decoder, against frames of the reference encoder; flights.test.ts reads real pages with it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decompressZstd, mostZstdBytes } from '../../../src/formats/compression/zstd.js'
import { FRAMES } from './zstd-frames.js'

const decode = (frame: Uint8Array, length: number): Uint8Array => {
  const output = new Uint8Array(length)
  decompressZstd(frame, output)
  return output
}
const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

describe('zstd', () => {
  for (const { name, content, frame } of FRAMES) {
    test(`decodes ${name}`, () => {
      const expected = content()
      expect(Buffer.compare(decode(fromBase64(frame), expected.length), expected)).toBe(0)
    })
  }

  test('decodes frames one after another, and skips those to be skipped', () => {
    const frame = fromBase64(FRAMES[0]?.frame ?? '')
    const content = FRAMES[0]?.content() ?? new Uint8Array(0)
    const skipped = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9)
    const both = decode(Uint8Array.from([...frame, ...skipped, ...frame]), content.length * 2)
    expect(Buffer.compare(both, Buffer.concat([content, content]))).toBe(0)
  })

  test('knows from the headers of blocks how much there can be at most', () => {
    for (const { content, frame } of FRAMES) {
      const [bytes, { length }] = [fromBase64(frame), content()]
      const most = mostZstdBytes(bytes)
      expect(most).toBeGreaterThanOrEqual(length)
      // All blocks but the last are full.
      expect(most).toBeLessThanOrEqual(Math.max(131_072, Math.ceil(length / 131_072) * 131_072))
      for (let cut = 1; cut < bytes.length - 4; cut += 11)
        expect(() => mostZstdBytes(bytes.subarray(0, cut))).toThrow('zstd: ')
    }
  })

  test('refuses another length than the content has', () => {
    for (const { content, frame } of FRAMES) {
      const { length } = content()
      expect(() => decode(fromBase64(frame), length + 1)).toThrow()
      if (length > 0) expect(() => decode(fromBase64(frame), length - 1)).toThrow()
    }
  })

  test('refuses a wrong checksum', () => {
    const { content, frame } = FRAMES.find(({ name }) => name.includes('checksum')) ?? FRAMES[0]!
    const bytes = fromBase64(frame)
    bytes[bytes.length - 1] ^= 1
    expect(() => decode(bytes, content().length)).toThrow('zstd: the checksum does not match')
  })

  test('a damaged frame is an error or other bytes, never a hang or a fault of another kind', () => {
    const frames = FRAMES.map(({ content, frame }) => ({ bytes: fromBase64(frame), length: content().length }))
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        fc.nat(),
        ({ bytes, length }, damage, cut, at) => {
          let damaged = bytes.slice()
          for (const [position, value] of damage) damaged[position % damaged.length] = value
          if (cut) damaged = damaged.slice(0, at % damaged.length)
          try {
            decode(damaged, length)
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
            expect(error).not.toBeInstanceOf(TypeError)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
})
