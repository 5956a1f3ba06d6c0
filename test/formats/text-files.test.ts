// Text on its way into a lane, by a parser of lines in plain JavaScript: whatever the blocks, the parts and where they are cut, every row comes once.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MillraceError } from '../../src/errors.js'
import type { ByteSource } from '../../src/formats/byte-source.js'
import { createTextFiles, type FoundText, type TextPart } from '../../src/formats/text-files.js'
import type { BadRow, TextParser } from '../../src/kernels/text-rows.js'
import { makeKernels } from '../kernels/support.js'

const encoder = new TextEncoder()
const NEWLINE = 10

/** Rows are lines, at most `most` to a call; one that begins with `!` is bad. What it has read is in `lines`. */
function lineParser(bytesAt: (from: number, to: number) => Uint8Array, collect: boolean, most: number) {
  const lines: string[] = []
  const parser: TextParser = {
    parse(pointer, length, limit, isEnd) {
      const bytes = bytesAt(pointer, pointer + length)
      const bad: BadRow[] = []
      let consumed = 0
      let rowsRead = 0
      while (consumed < Math.min(limit, length) && rowsRead < most) {
        let end = bytes.indexOf(NEWLINE, consumed)
        if (end < 0) {
          if (!isEnd) break
          end = length
        }
        const text = new TextDecoder().decode(bytes.subarray(consumed, end))
        if (text.startsWith('!')) {
          bad.push({ row: rowsRead, byteOffset: consumed, column: null, code: 'MR_FORMAT_ERROR', message: 'bad', text })
          if (!collect) break
        } else lines.push(text)
        consumed = Math.min(length, end + 1)
        rowsRead++
      }
      return {
        morsel: { rowCount: rowsRead - (collect ? bad.length : 0), columns: [], rows: 0 },
        rowsRead,
        consumed,
        bad,
        // Of each call, as a parser would count what it has repaired.
        illFormed: rowsRead,
      }
    },
    findStart(pointer, length, isEnd) {
      const at = bytesAt(pointer, pointer + length).indexOf(NEWLINE)
      return at >= 0 ? at + 1 : isEnd ? length : -1
    },
    free() {},
  }
  return { parser, lines }
}

/** Where a file gives its bytes on the spot, as to a lane of Node.js. */
const onTheSpot = (bytes: Uint8Array): Pick<ByteSource, 'readsNow'> => ({
  readsNow(target, from) {
    const part = bytes.subarray(from, from + target.length)
    target.set(part)
    return part.length
  },
})

/** @param more of how it is read */
function fileOf(
  bytes: Uint8Array,
  more: typeof onTheSpot | null,
): { open: () => Promise<ByteSource>; isOpen: () => boolean } {
  let open = false
  return {
    async open() {
      open = true
      return {
        byteLength: async () => bytes.length,
        read: async (from, to) => bytes.subarray(from, to),
        ...more?.(bytes),
        async close() {
          open = false
        },
      }
    },
    isOpen: () => open,
  }
}

const partOf = (from: number, to: number, isGuess: boolean, collects = false): TextPart => ({
  from,
  name: 'file',
  collects,
  bytes: { kind: 'range', input: { kind: 'path', path: 'file' }, to, isGuess },
})

interface Reading {
  readonly lines: string[]
  readonly found: FoundText[]
}

async function readBy(
  more: typeof onTheSpot | null,
  bytes: Uint8Array,
  parts: readonly TextPart[],
  most = 1000,
  wanted = Infinity,
): Promise<Reading> {
  const { memory } = await makeKernels()
  const file = fileOf(bytes, more)
  const files = createTextFiles(memory, file.open)
  const lines: string[] = []
  const found: FoundText[] = []
  let rows = 0
  try {
    for (const part of parts) {
      const own = lineParser((from, to) => memory.bytes(from, to - from).slice(), part.collects, most)
      try {
        for await (const load of files.read(part, 'file', own.parser, each => found.push(each))) {
          const mark = memory.mark()
          try {
            const wantsMore = load((_, rowsRead) => {
              rows += rowsRead
              return rows < wanted
            })
            expect(wantsMore).toBe(rows < wanted)
            if (!wantsMore) break
          } finally {
            memory.reset(mark)
          }
        }
      } finally {
        lines.push(...own.lines)
      }
    }
  } finally {
    await files.close()
    expect(file.isOpen()).toBe(false)
    expect(memory.mark()).toBe(0)
  }
  return { lines, found }
}

/** The cuts as parts, all but the first guesses. */
const partsAt = (cuts: readonly number[], length: number, collects = false): TextPart[] => {
  const edges = [...new Set([0, ...cuts.map(cut => cut % (length + 1)), length])].sort((a, b) => a - b)
  return edges.slice(0, -1).map((from, i) => partOf(from, edges[i + 1], i > 0, collects))
}

const texts = fc
  .array(
    fc.string({ maxLength: 12 }).map(line => line.replaceAll('\n', ' ')),
    { maxLength: 40 },
  )
  .chain(lines => fc.boolean().map(ends => lines.join('\n') + (ends ? '\n' : '')))

/** The lines of a text; the last may have no end. */
const linesOf = (text: string): string[] => {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

describe.each([
  ['a block ahead', null],
  ['on the spot', onTheSpot],
])('text files that are read %s', (_, more) => {
  const read = (...given: Parameters<typeof readBy> extends [unknown, ...infer Rest] ? Rest : never) =>
    readBy(more, ...given)

  it('give every row once, wherever they are cut, and each part ends where the next begins', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (text, cuts, most) => {
          const good = text.replaceAll('!', '?')
          const bytes = encoder.encode(good)
          const parts = partsAt(cuts, bytes.length)
          const { lines, found } = await read(bytes, parts, most)
          expect(lines).toEqual(linesOf(good))
          expect(found).toHaveLength(parts.length)
          found.forEach((each, i) => {
            expect(each.to).toBe(found[i + 1]?.from ?? bytes.length)
          })
          expect(found.reduce((sum, { rows }) => sum + rows, 0)).toBe(lines.length)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('give rows longer than many blocks', async () => {
    const long = 'x'.repeat(5_000_000)
    const text = `a\n${long}\nb\n${long}`
    const bytes = encoder.encode(text)
    for (const cuts of [[], [3_000_000], [1, 2, 5_000_003, 5_000_004]]) {
      const { lines } = await read(bytes, partsAt(cuts, bytes.length))
      expect(lines.map(({ length }) => length)).toEqual([1, 5_000_000, 1, 5_000_000])
    }
  })

  it('tell bad rows by their places, or stop at the first', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.array(fc.nat(), { maxLength: 4 }), async (text, cuts) => {
        const bytes = encoder.encode(text)
        const { lines, found } = await read(bytes, partsAt(cuts, bytes.length, true), 3)
        const all = linesOf(text)
        expect(lines).toEqual(all.filter(line => !line.startsWith('!')))
        let rows = 0
        const told = found.flatMap(part => {
          const before = rows
          rows += part.rows
          return part.bad.map(each => ({ row: before + each.row, at: each.byteOffset }))
        })
        const expected = all.flatMap((line, row) => {
          const at = encoder.encode(
            all
              .slice(0, row)
              .map(each => `${each}\n`)
              .join(''),
          ).length
          return line.startsWith('!') ? [{ row, at }] : []
        })
        expect(told).toEqual(expected)

        const [first] = expected
        const whole = [partOf(0, bytes.length, false)]
        if (first === undefined) expect((await read(bytes, whole, 3)).lines).toEqual(all)
        else {
          const error = await read(bytes, whole, 3).catch((caught: MillraceError) => caught)
          expect(error).toMatchObject({
            code: 'MR_FORMAT_ERROR',
            details: { byteOffset: first.at, file: 'file' },
          })
        }
      }),
      { numRuns: 100 },
    )
  })

  it('stop when no more rows are wanted, and report no end then', async () => {
    const bytes = encoder.encode('a\nb\nc\nd\ne\n')
    const { lines, found } = await read(bytes, [partOf(0, bytes.length, false)], 2, 3)
    expect(lines).toEqual(['a', 'b', 'c', 'd'])
    expect(found).toEqual([{ from: 0, to: null, rows: 4, bad: [], illFormed: 4 }])
  })

  it('refuse a row that has no end', async () => {
    const { memory } = await makeKernels()
    const files = createTextFiles(memory, fileOf(encoder.encode('abc'), more).open)
    const stuck: TextParser = {
      parse: () => ({ morsel: { rowCount: 0, columns: [], rows: 0 }, rowsRead: 0, consumed: 0, bad: [], illFormed: 0 }),
      findStart: () => 0,
      free() {},
    }
    const run = async () => {
      for await (const load of files.read(partOf(0, 3, false), 'file', stuck, () => {})) load(() => true)
    }
    await expect(run()).rejects.toMatchObject({ code: 'MR_FORMAT_ERROR', details: { byteOffset: 0 } })
    await files.close()
  })

  it('refuse a file that has become shorter', async () => {
    const { memory } = await makeKernels()
    const open = async () => ({
      ...(await fileOf(encoder.encode('a\n'.repeat(20)), more).open()),
      byteLength: async () => 100,
    })
    const files = createTextFiles(memory, open)
    const run = async () => {
      const { parser } = lineParser((from, to) => memory.bytes(from, to - from).slice(), false, 100)
      for await (const load of files.read(partOf(0, 100, false), 'file', parser, () => {})) load(() => true)
    }
    await expect(run()).rejects.toMatchObject({ code: 'MR_FORMAT_ERROR', details: { byteOffset: 40 } })
    await files.close()
  })
})

it('very many bad rows of one block are told', async () => {
  const many = 1_000_000
  const sent: TextPart['bytes'] = { kind: 'sent', bytes: encoder.encode('!\n'.repeat(many)) }
  const part: TextPart = { from: 0, name: 'file', collects: true, bytes: sent }
  const { found } = await readBy(null, encoder.encode(''), [part], many)
  expect(found.map(({ bad }) => bad.length)).toEqual([2 ** 19, many - 2 ** 19, 0])
})

it('bad rows of a part are told while it is read, each once', async () => {
  const many = 10_000
  const bytes = encoder.encode('!\n'.repeat(many))
  const { found } = await readBy(null, bytes, [partOf(0, bytes.length, false, true)], 1000)
  expect(found.map(({ goesOn, to, rows, bad }) => [goesOn, to, rows, bad.length])).toEqual([
    [true, null, 0, 5000],
    [true, null, 0, 5000],
    [undefined, bytes.length, many, 0],
  ])
  const places = found.flatMap(({ bad }) => bad.map(({ row, byteOffset }) => [row, byteOffset]))
  expect(places).toEqual(Array.from({ length: many }, (_, row) => [row, 2 * row]))
})

it('a row of very many chunks of a stream is parsed a few times, not with each', async () => {
  const { memory } = await makeKernels()
  const long = 2_000_000
  const bytes = encoder.encode(`a\n${'x'.repeat(long)}\nb`)
  let at = 0
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, at + 1000))
      at += 1000
    },
  })
  const input = { kind: 'stream', stream, name: 'stream' } as never
  const part: TextPart = { from: 0, name: 'stream', collects: false, bytes: { kind: 'stream', input, decode: {} } }
  const { parser, lines } = lineParser((from, to) => memory.bytes(from, to - from).slice(), false, 1000)
  let parsedBytes = 0
  const counted: TextParser = {
    ...parser,
    parse(pointer, length, ...rest) {
      parsedBytes += length
      return parser.parse(pointer, length, ...rest)
    },
  }
  const files = createTextFiles(memory, null)
  for await (const load of files.read(part, 'stream', counted, () => {})) {
    const mark = memory.mark()
    load(() => true)
    memory.reset(mark)
  }
  expect(lines.map(({ length }) => length)).toEqual([1, long, 1])
  // With each of its chunks from 64 KB on it would be a thousand times.
  expect(parsedBytes).toBeLessThan(10 * long)
})
