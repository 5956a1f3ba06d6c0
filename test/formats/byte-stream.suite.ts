/** Inputs read from front to end, in Node and in browsers alike: cut, decompressed and decoded, each against what was put in. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wellFormed } from '../../src/columnar/utf8.js'
import { openInput, readInto, type SequentialDescriptor } from '../../src/formats/byte-source.js'
import { type ByteStreamOptions, MOST_CHUNK_BYTES, openByteStream } from '../../src/formats/byte-stream.js'
import { decompress } from '../../src/formats/decompress.js'
import { encodingName, reencode, sniffEncoding } from '../../src/formats/encoding.js'
import { describeInputs, type Input } from '../../src/formats/input.js'
import { refusal } from '../flow/env.js'

export const SERVICES = { baseUrl: 'http://localhost/', findFiles: null }

export async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) {
    expect(chunk.length).toBeGreaterThan(0)
    expect(chunk.length).toBeLessThanOrEqual(MOST_CHUNK_BYTES)
    all.push(chunk)
  }
  return joined(all)
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** `toEqual` takes seconds for a megabyte. */
export function expectSame(bytes: Uint8Array, expected: Uint8Array, what = ''): void {
  const differs = bytes.findIndex((byte, i) => byte !== expected[i])
  expect([bytes.length, differs], what).toEqual([expected.length, -1])
}

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

/** Bytes that compress somewhat, and others, by a small generator. */
export function someBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed
  return Uint8Array.from({ length }, (_, i) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return i % 5 === 0 ? state >> 16 : 65 + (i % 11)
  })
}

export async function compressed(
  bytes: Uint8Array,
  format: CompressionFormat = 'gzip',
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream(format))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** In chunks of so many bytes, in turn. */
export async function* inChunks(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = Math.max(1, lengths[i % lengths.length] as number)
    yield bytes.slice(at, at + length)
    at += length
  }
}

const read = (input: Input, options?: ByteStreamOptions) =>
  describeInputs([input], SERVICES, { streams: 'sequential' }).then(([described]) =>
    gathered(openByteStream(described as SequentialDescriptor, null, options)),
  )

export function byteStreamSuite(): void {
  const content = someBytes(1_100_001)
  const zippedContent = compressed(content)

  describe('inputs of every kind', () => {
    const kinds: Record<string, () => Input> = {
      'a Blob': () => new Blob([content]),
      'a File': () => new File([content], 'a.csv'),
      bytes: () => content,
      'a buffer': () => content.buffer,
      'a Response': () => new Response(content),
      'a ReadableStream': () => new Blob([content]).stream(),
      'an async iterable': () => inChunks(content, [7, 3_000_000]),
    }
    test.each(Object.entries(kinds))('%s', async (_, make) => {
      expectSame(await read(make()), content)
    })

    test('text is its UTF-8, lone surrogates replaced', async () => {
      expect(textOf(await read({ text: 'a,é\n😀,\ud800\n' }))).toBe('a,é\n😀,\ufffd\n')
      expectSame(await read({ text: '' }), new Uint8Array(0))
    })

    test('begin where they are told to', async () => {
      for (const from of [0, 1, 1_048_576, 1_100_000, 1_100_001, 9_000_000]) {
        expectSame(await read(new Blob([content]), { from }), content.subarray(from), `from ${from}`)
        expectSame(await read(inChunks(content, [1000, 1_100_000]), { from }), content.subarray(from), `from ${from}`)
      }
    })

    test('are read when they are asked for, and let go of when they are left', async () => {
      let asked = 0
      let left = 0
      async function* endless() {
        try {
          while (true) {
            asked++
            yield new Uint8Array(1000)
          }
        } finally {
          left++
        }
      }
      const [input] = await describeInputs([endless()], SERVICES, { streams: 'sequential' })
      for await (const chunk of openByteStream(input as SequentialDescriptor, null)) {
        expect(chunk.length).toBe(1000)
        if (asked === 5) break
      }
      expect([asked, left]).toEqual([5, 1])
    })
  })

  describe('a Blob', () => {
    test('is read on, back, and by several at once', async () => {
      const source = await openInput({ kind: 'blob', blob: new Blob([content]) })
      const target = new Uint8Array(100_000)
      const expectFrom = async (from: number, length: number) => {
        const read = await readInto(source, target.subarray(0, length), from)
        expectSame(target.subarray(0, read), content.subarray(from, from + length), `${length} from ${from}`)
      }
      for (const from of [0, 100_000, 200_000, 250_000, 200_000]) await expectFrom(from, 100_000)
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat({ max: content.length + 10 }), fc.nat({ max: 100_000 })), { maxLength: 6 }),
          async parts => {
            for (const [from, length] of parts) {
              await expectFrom(from, length)
              await expectFrom(from + length, length)
            }
          },
        ),
        { numRuns: 20 },
      )
      const targets = Array.from({ length: 5 }, () => new Uint8Array(70_000))
      await Promise.all(targets.map((each, i) => readInto(source, each, 70_000 * i)))
      for (const [i, each] of targets.entries()) expectSame(each, content.subarray(70_000 * i, 70_000 * (i + 1)))
      await source.close()
    })

    test('of which the file is gone says where', async () => {
      const lost = new File([content], 'a.csv')
      const failing = new ReadableStream({
        type: 'bytes',
        pull(controller) {
          controller.error(new DOMException('gone', 'NotReadableError'))
        },
      })
      lost.slice = () => ({ stream: () => failing }) as Blob
      const source = await openInput({ kind: 'blob', blob: lost })
      const error = await refusal(() => readInto(source, new Uint8Array(10), 70), 'MR_SOURCE_FAILED')
      expect(error.details).toEqual({ file: 'a.csv', byteOffset: 70 })
    })
  })

  describe('a stream', () => {
    test('is read once', async () => {
      const used = new Response('abc')
      await used.text()
      const locked = new Blob(['abc']).stream()
      locked.getReader()
      const drained = new Blob(['abc']).stream()
      const reader = drained.getReader()
      while (!(await reader.read()).done);
      reader.releaseLock()
      const iterated = inChunks(bytesOf('abc'), [1])
      await read(iterated)
      for (const input of [used, locked, drained, iterated]) {
        await refusal(() => read(input), 'MR_SOURCE_CONSUMED')
        await refusal(() => describeInputs([input], SERVICES), 'MR_SOURCE_CONSUMED')
      }
      const [described] = await describeInputs([new Response('abc')], SERVICES, { streams: 'sequential' })
      expect(textOf(await gathered(openByteStream(described as SequentialDescriptor, null)))).toBe('abc')
      await refusal(() => gathered(openByteStream(described as SequentialDescriptor, null)), 'MR_SOURCE_CONSUMED')
    })

    test('that fails is an error that says after how many bytes', async () => {
      async function* failing() {
        yield new Uint8Array(70)
        throw new RangeError('the cable is out')
      }
      const error = await refusal(() => read(failing()), 'MR_SOURCE_FAILED')
      expect(error.message).toContain('after 70 bytes: the cable is out')
      expect(error.details.byteOffset).toBe(70)
      expect(error.cause).toBeInstanceOf(RangeError)
      await refusal(() => describeInputs([failing()], SERVICES), 'MR_SOURCE_FAILED')
    })

    test('of something else than bytes is refused', async () => {
      async function* strings() {
        yield 'a,b\n'
      }
      for (const streams of [undefined, 'sequential'] as const) {
        const reading = async () => {
          const options = streams === undefined ? {} : { streams }
          const [input] = await describeInputs([strings() as never], SERVICES, options as { streams: 'sequential' })
          await gathered(openByteStream(input as SequentialDescriptor, null))
        }
        expect((await refusal(reading, 'MR_TYPE_MISMATCH')).message).toContain('TextEncoderStream')
      }
    })

    test('that hangs ends when the signal aborts', async () => {
      const hanging = () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) })
      for (const describe of [
        (signal: AbortSignal) => describeInputs([hanging()], SERVICES, { signal }),
        (signal: AbortSignal) => read(hanging(), { signal }),
        (signal: AbortSignal) => read(hanging(), { signal, compression: 'gzip' }),
      ]) {
        const controller = new AbortController()
        const reading = describe(controller.signal)
        setTimeout(() => controller.abort(new Error('enough')), 10)
        await expect(reading).rejects.toThrow('enough')
      }
    })
  })

  describe('gzip', () => {
    const unzipped = (bytes: Uint8Array) =>
      gathered(decompress(inChunks(bytes, [1000]), { format: 'gzip', name: 'x', quietMs: 20 }))

    test('of any members, cut anywhere, is what went in', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat({ max: 6000 }), fc.integer({ min: 1, max: 1e6 })), { minLength: 1, maxLength: 5 }),
          fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })), {
            minLength: 1,
            maxLength: 5,
          }),
          async (parts, lengths) => {
            const members = parts.map(([length, seed]) => someBytes(length, seed))
            const zipped = joined(await Promise.all(members.map(member => compressed(member))))
            const out = await gathered(decompress(inChunks(zipped, lengths), { format: 'gzip', name: 'x' }))
            expectSame(out, joined(members))
          },
        ),
        { numRuns: 25 },
      )
    })

    test('is seen by its first bytes, whatever it is called', async () => {
      const zipped = await zippedContent
      const twice = joined([zipped, await compressed(bytesOf('and more'))])
      expectSame(await read(new Blob([zipped])), content)
      expectSame(await read(new File([twice], 'a.csv.gz')), joined([content, bytesOf('and more')]))
      expectSame(await read(inChunks(zipped, [1, 50_000])), content)
      expectSame(await read(new Blob([zipped]), { compression: 'none' }), zipped)
      expectSame(await read(new Blob([zipped]), { from: 3 }), zipped.subarray(3))
      expectSame(await read(new Blob([zipped]), { compression: 'gzip' }), content)
    })

    test('that a file is called and is not is refused, unless it is told to be plain', async () => {
      const file = new File(['a,b\n'], 'a.csv.gz')
      const error = await refusal(() => read(file), 'MR_FORMAT_ERROR')
      expect(error.message).toContain("{ compression: 'none' }")
      expect(textOf(await read(file, { compression: 'none' }))).toBe('a,b\n')
      await refusal(() => read(new File([], 'a.gz')), 'MR_FORMAT_ERROR')
      await refusal(() => read(file, { compression: 'gzip' }), 'MR_FORMAT_ERROR')
    })

    test('cut off anywhere is an error with the offset', async () => {
      const zipped = joined([await compressed(someBytes(3000)), await compressed(someBytes(2000, 7))])
      const first = (await compressed(someBytes(3000))).length
      for (let length = 2; length < zipped.length; length += length < 40 || length > zipped.length - 20 ? 1 : 97) {
        // A file that ends behind its first member is whole.
        if (length === first) continue
        const error = await refusal(() => read(new Blob([zipped.subarray(0, length)])), 'MR_FORMAT_ERROR')
        expect(error.details.byteOffset).toBe(length)
      }
      expectSame(await read(new Blob([zipped.subarray(0, first)])), someBytes(3000))
    })

    test('with a byte changed is an error, or is what went in', async () => {
      const plain = someBytes(3000)
      const zipped = joined([await compressed(plain), await compressed(plain)])
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: zipped.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
          const damaged = zipped.slice()
          damaged[at] = (damaged[at] as number) ^ change
          const out = await unzipped(damaged).catch(error => error)
          // What is in a header and means nothing to us: a time, a system, a name.
          if (out instanceof Uint8Array) expectSame(out, joined([plain, plain]))
          else expect(out).toMatchObject({ code: 'MR_FORMAT_ERROR', details: { byteOffset: expect.any(Number) } })
        }),
        { numRuns: 100 },
      )
    })

    test('followed by something else is an error', async () => {
      const zipped = await compressed(someBytes(5000))
      for (const tail of [
        [0],
        [0, 0, 0, 0, 0, 0],
        [1],
        [0x1f],
        [0x1f, 0x8b],
        [0x1f, 0x8b, 8, 32],
        [...bytesOf('something else')],
      ]) {
        const followed = joined([zipped, Uint8Array.from(tail)])
        await refusal(() => unzipped(followed), 'MR_FORMAT_ERROR')
        await refusal(() => unzipped(joined([followed, zipped])), 'MR_FORMAT_ERROR')
      }
    })

    test('of nothing is nothing, and stands before something', async () => {
      const [nothing, something] = [await compressed(new Uint8Array(0)), await zippedContent]
      expect((await read(new Blob([nothing]))).length).toBe(0)
      const several = joined([nothing, something, nothing, nothing, something])
      expectSame(await read(new Blob([several])), joined([content, content]))
    })

    test('that expands beyond the limit is refused, and names the option', async () => {
      const bomb = await compressed(new Uint8Array(20_000_000))
      const error = await refusal(() => read(new Blob([bomb])), 'MR_FORMAT_ERROR')
      expect(error.message).toContain('raise maximumExpansion')
      expect((await read(new Blob([bomb]), { maximumExpansion: 1100 })).length).toBe(20_000_000)
      // So little is never too much.
      const small = await compressed(new Uint8Array(16 * 2 ** 20))
      expect((await read(new Blob([small]), { maximumExpansion: 2 })).length).toBe(16 * 2 ** 20)
      await refusal(() => read(new Blob([small]), { maximumExpansion: 0 }), 'MR_INVALID_OPTION')
    })

    test('is decompressed as it is asked for', async () => {
      const zipped = await compressed(someBytes(2_000_000))
      let given = 0
      async function* counted() {
        for await (const chunk of inChunks(zipped, [10_000])) {
          given += chunk.length
          yield chunk
        }
      }
      for await (const _ of decompress(counted(), { format: 'gzip', name: 'x' })) break
      expect(given).toBeLessThan(150_000)
      expect(given).toBeLessThan(zipped.length / 2)
    })
  })

  describe('deflate', () => {
    test('is what went in, where it is asked for', async () => {
      for (const length of [0, 1, 5551, 5552, 5553, 300_000]) {
        const plain = someBytes(length)
        const zipped = await compressed(plain, 'deflate')
        expectSame(await read(new Blob([zipped]), { compression: 'deflate' }), plain)
        expectSame(await read(inChunks(zipped, [1, 2, 3, 900]), { compression: 'deflate' }), plain)
        await refusal(() => read(new Blob([zipped.subarray(0, -1)]), { compression: 'deflate' }), 'MR_FORMAT_ERROR')
        for (const tail of [[0], [0, 0, 0, 0], [120, 156]]) {
          const followed = joined([zipped, Uint8Array.from(tail)])
          await refusal(() => read(new Blob([followed]), { compression: 'deflate' }), 'MR_FORMAT_ERROR')
        }
      }
    })
  })

  describe('encodings', () => {
    const text = 'name,price\nJosé,€5\n日本,😀\n'
    const utf16 = (littleEndian: boolean, mark: boolean) => {
      const whole = mark ? `\ufeff${text}` : text
      const view = new DataView(new ArrayBuffer(2 * whole.length))
      for (let i = 0; i < whole.length; i++) view.setUint16(2 * i, whole.charCodeAt(i), littleEndian)
      return new Uint8Array(view.buffer)
    }

    test('are told by their byte order mark', () => {
      expect(sniffEncoding(Uint8Array.of(0xef, 0xbb, 0xbf, 65))).toEqual({ encoding: 'utf-8', byteLength: 3 })
      expect(sniffEncoding(Uint8Array.of(0xff, 0xfe))).toEqual({ encoding: 'utf-16le', byteLength: 2 })
      expect(sniffEncoding(Uint8Array.of(0xfe, 0xff, 0))).toEqual({ encoding: 'utf-16be', byteLength: 2 })
      for (const none of [[], [0xef], [0xef, 0xbb], [0xff], [65, 66, 67]]) {
        expect(sniffEncoding(Uint8Array.from(none))).toEqual({ encoding: null, byteLength: 0 })
      }
    })

    test('become UTF-8, cut anywhere', async () => {
      for (const lengths of [[1], [2], [3], [1, 4, 2], [1000]]) {
        for (const isLittle of [true, false]) {
          expect(textOf(await read(inChunks(utf16(isLittle, true), lengths)))).toBe(text)
          const encoding = isLittle ? 'utf-16le' : 'utf-16be'
          expect(textOf(await read(inChunks(utf16(isLittle, false), lengths), { encoding }))).toBe(text)
          expect(textOf(await read(inChunks(utf16(isLittle, true), lengths), { encoding, fatal: true }))).toBe(text)
        }
        const western = Uint8Array.of(0x4a, 0x6f, 0x73, 0xe9, 0x2c, 0x80, 0x35)
        expect(textOf(await read(inChunks(western, lengths), { encoding: 'latin1' }))).toBe('José,€5')
        const japanese = Uint8Array.of(0x93, 0xfa, 0x96, 0x7b, 0x0a)
        expect(textOf(await read(inChunks(japanese, lengths), { encoding: 'shift_jis' }))).toBe('日本\n')
      }
      expect(textOf(await read(await compressed(utf16(true, true))))).toBe(text)
    })

    test('of UTF-8 pass as they are, with their mark', async () => {
      const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0xc3, 0x28)
      expectSame(await read(marked), marked)
      expectSame(await read(marked, { encoding: 'UTF8' }), marked)
    })

    test('that are ill-formed have it replaced, or are an error with the offset', async () => {
      const odd = Uint8Array.of(65, 0, 0x3d, 0xd8, 66, 0, 67)
      expect(textOf(await read(odd, { encoding: 'utf-16le' }))).toBe('A\ufffdB\ufffd')
      const error = await refusal(() => read(odd, { encoding: 'utf-16le', fatal: true }), 'MR_FORMAT_ERROR')
      expect(error.details.byteOffset).toBe(0)
      const late = joined([utf16(true, false).subarray(0, 20), new Uint8Array(40_000).fill(65), Uint8Array.of(0xff)])
      const at = await refusal(() => read(late, { encoding: 'utf-16le', fatal: true }), 'MR_FORMAT_ERROR')
      expect(at.details.byteOffset).toBe(late.length)
    })

    test('that nobody knows are refused at once', () => {
      const blob = { kind: 'blob', blob: new Blob([]) } as const
      for (const options of [{ encoding: 'utf-9' }, { encoding: '' }, { compression: 'zip' as never }]) {
        expect(() => openByteStream(blob, null, options)).toThrow('MR_INVALID_OPTION')
      }
      expect(encodingName('Latin1')).toBe('windows-1252')
    })

    test('give each text that they can hold back', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'grapheme', maxLength: 300 }),
          fc.array(fc.nat({ max: 9 }), { minLength: 1 }),
          async (whole, lengths) => {
            const view = new DataView(new ArrayBuffer(2 * whole.length))
            for (let i = 0; i < whole.length; i++) view.setUint16(2 * i, whole.charCodeAt(i), true)
            const out = reencode(inChunks(new Uint8Array(view.buffer), lengths), 'utf-16le', false, 'x')
            const parts: Uint8Array[] = []
            for await (const part of out) parts.push(part)
            const expected = wellFormed(whole.replace(/^\ufeff/, ''))
            expect(textOf(joined(parts))).toBe(expected)
          },
        ),
        { numRuns: 100 },
      )
    })
  })
}
