/**
 * Damaged files and streams: cut short, overwritten, lying. Each is a coded error with its place, or a table that is sound; none hangs, reads
 * outside its bytes or takes the memory that it claims. MILLRACE_RUNS multiplies how many there are, MILLRACE_SEED draws others.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { float64, int32 as int32Type, list, nullable, utf8 } from '../../../src/columnar/type.js'
import { type FlatFields, flatBuffer, int8, int16, int32, int64 } from '../../../src/formats/arrow/flat-writer.js'
import { batchFields, endOfStream, messageBytes, schemaFields } from '../../../src/formats/arrow/write-message.js'
import { type Read, readArrow } from './read-arrow.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env
const RUNS = Number(runs ?? 1)
const SEED = Number(seed ?? 1)

const folder = new URL('../../golden/arrow/', import.meta.url)
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)))
const files = readdirSync(folder).filter(name => /\.arrows?$/.test(name) && !name.startsWith('beyond'))

interface Coded {
  readonly code: string
  readonly message: string
  readonly details: { readonly file?: string; readonly byteOffset?: number; readonly unsupported?: boolean }
}

const CODES = ['MR_FORMAT_ERROR', 'MR_INTEGER_OVERFLOW', 'MR_INEXACT_VALUE', 'MR_DUPLICATE_COLUMN', 'MR_TYPE_MISMATCH']

/** What comes of damaged bytes: an error that is coded, or rows. */
async function readDamaged(bytes: Uint8Array): Promise<Read | Coded> {
  const began = performance.now()
  try {
    return await readArrow(bytes)
  } catch (error) {
    const { code, message, details } = error as Coded
    // Anything else, from the reader or from the walk over what came, is a bug.
    if (!CODES.includes(code)) throw error
    if (code !== 'MR_DUPLICATE_COLUMN')
      expect([message.slice(0, code.length + 9), details.file]).toEqual([
        `${code}: arrow "`,
        `${bytes.length} bytes in memory`,
      ])
    if (code === 'MR_FORMAT_ERROR' && !details.unsupported) expect(details.byteOffset, message).toBeTypeOf('number')
    return error as Coded
  } finally {
    expect(performance.now() - began).toBeLessThan(2000)
  }
}

const isRefused = (outcome: Read | Coded): outcome is Coded => 'code' in outcome

/** A small generator, so that a run can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const NUMBERS = [0, 1, 2, 7, 8, 255, 256, 65_535, 2 ** 31 - 1, -1, -2, -(2 ** 31), 2 ** 20, 100, 64]

/** A few bytes changed: at random, to numbers that are likely to matter, moved, taken out or put in. */
function damaged(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let copy = bytes.slice()
  for (let left = 1 + random(3); left > 0; left--) {
    const at = random(copy.length)
    const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength)
    const kind = random(7)
    if (kind === 0) copy[at] = random(256)
    else if (kind === 1) copy[at] = (copy[at] as number) ^ (1 << random(8))
    else if (kind < 4) {
      const place = at - (at % 4)
      if (place + 8 > copy.length) continue
      const number = NUMBERS[random(NUMBERS.length)] as number
      if (kind === 2) view.setInt32(place, number, true)
      else view.setBigInt64(place, BigInt(number) * (random(3) === 0 ? 2n ** 32n : 1n), true)
    } else if (kind === 4) copy.copyWithin(at, random(copy.length), random(copy.length))
    else if (kind === 5) {
      const end = Math.min(copy.length, at + 1 + random(64))
      copy = new Uint8Array(Buffer.concat([copy.subarray(0, at), copy.subarray(end)]))
    } else copy = new Uint8Array(Buffer.concat([copy.subarray(0, at), copy.subarray(0, random(64)), copy.subarray(at)]))
    if (copy.length === 0) return copy
  }
  return copy
}

describe('bytes that are changed', () => {
  test.each(files)('of %s are an error, or make rows that are sound', async name => {
    const bytes = bytesOf(name)
    const random = randomOf(SEED * 1000 + files.indexOf(name))
    let refused = 0
    const count = 150 * RUNS
    for (let i = 0; i < count; i++) {
      const outcome = await readDamaged(damaged(bytes, random))
      if (isRefused(outcome)) refused++
    }
    expect(refused).toBeGreaterThan(count / 20)
  })
})

describe('a file cut short', () => {
  test.each(files.filter(name => name.endsWith('.arrow')))('%s, is refused wherever it is cut', async name => {
    const bytes = bytesOf(name)
    for (let cut = 0; cut < bytes.length; cut += 1 + Math.floor(bytes.length / (300 * RUNS))) {
      const outcome = await readDamaged(bytes.subarray(0, cut))
      expect(outcome).toMatchObject({ code: 'MR_FORMAT_ERROR', details: { byteOffset: expect.any(Number) } })
    }
  })
})

describe('a stream cut short', () => {
  test.each(files.filter(name => name.endsWith('.arrows')))(
    '%s, is refused, or ends between two batches',
    async name => {
      const bytes = bytesOf(name)
      const whole = await readArrow(bytes)
      let sound = 0
      for (let cut = 0; cut < bytes.length; cut++) {
        // Every byte around the ends of messages, which are at multiples of 8; of the others some.
        if (cut % 8 !== 0 && cut % 8 !== 7 && cut % 97 !== 0) continue
        const outcome = await readDamaged(bytes.subarray(0, cut))
        if (isRefused(outcome)) {
          expect(outcome).toMatchObject({ code: 'MR_FORMAT_ERROR', details: { byteOffset: expect.any(Number) } })
          continue
        }
        sound++
        for (const [column, values] of Object.entries(outcome.columns))
          expect(values).toEqual(whole.columns[column]?.slice(0, outcome.rowCount))
      }
      // After the schema, and after each message.
      expect(sound).toBeGreaterThan(0)
      expect(sound).toBeLessThan(20)
    },
  )
})

/** A stream of one batch, as it is told. */
function streamOf(
  schema: FlatFields,
  rowCount: number,
  nodes: [number, number][],
  buffers: [number, number][],
  body: Uint8Array = new Uint8Array(64),
  bodyLength = body.length,
): Uint8Array {
  return new Uint8Array(
    Buffer.concat([
      messageBytes({ kind: 'schema', fields: schema }, 0),
      messageBytes({ kind: 'batch', batch: batchFields(rowCount, nodes, buffers) }, bodyLength),
      body,
      endOfStream(),
    ]),
  )
}

describe('what a batch claims', () => {
  const types = { double: nullable(float64()), text: utf8(), items: list(int32Type()) }
  const schemaOf = (...names: (keyof typeof types)[]) =>
    schemaFields(
      names.map(name => ({ name, type: types[name] })),
      () => null,
    )
  const refused = async (bytes: Uint8Array, what: string) => {
    const outcome = await readDamaged(bytes)
    expect(outcome).toMatchObject({
      code: 'MR_FORMAT_ERROR',
      message: expect.stringContaining(what),
      details: { byteOffset: expect.any(Number) },
    })
  }

  test('about its rows is held against its bytes', async () => {
    const one = schemaOf('double')
    await refused(
      streamOf(
        one,
        9,
        [[9, 0]],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      'a buffer has 64 bytes where 72 are needed',
    )
    await refused(
      streamOf(
        one,
        2 ** 40,
        [[2 ** 40, 0]],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      'in a body of 64 bytes',
    )
    await refused(
      streamOf(
        one,
        2 ** 30,
        [[2 ** 30, 0]],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      'a buffer has 64 bytes',
    )
    await refused(
      streamOf(
        one,
        8,
        [[7, 0]],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      'has 7 rows where its batch has 8',
    )
    await refused(
      streamOf(
        one,
        8,
        [[8, 9]],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      '9 nulls among 8 rows',
    )
    await refused(
      streamOf(
        one,
        8,
        [[8, 1]],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      'has 1 nulls, and no bitmap',
    )
    await refused(
      streamOf(
        one,
        -1,
        [[-1, 0]],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      'has -1 rows',
    )
    await refused(
      streamOf(
        one,
        8,
        [[8, 0]],
        [
          [0, 0],
          [8, 64],
        ],
      ),
      'a buffer of 64 bytes at 8 of a body of 64',
    )
    await refused(
      streamOf(
        one,
        8,
        [[8, 0]],
        [
          [0, 0],
          [0, -8],
        ],
      ),
      'a buffer of -8 bytes',
    )
    await refused(streamOf(one, 8, [[8, 0]], [[0, 64]]), '1 columns and 1 buffers, where 1 and 2 belong to its schema')
    await refused(
      streamOf(
        one,
        8,
        [
          [8, 0],
          [8, 0],
        ],
        [
          [0, 0],
          [0, 64],
        ],
      ),
      'a batch has 2 columns',
    )
    await refused(
      streamOf(
        one,
        8,
        [[8, 0]],
        [
          [0, 0],
          [0, 64],
        ],
        new Uint8Array(64),
        2 ** 50,
      ),
      'ends in the middle of a message',
    )
    expect(
      await readArrow(
        streamOf(
          one,
          8,
          [[8, 0]],
          [
            [0, 0],
            [0, 64],
          ],
        ),
      ),
    ).toMatchObject({ rowCount: 8 })
  })

  test('about its offsets is held against what they refer to', async () => {
    const text = (...offsets: number[]) =>
      streamOf(
        schemaOf('text'),
        3,
        [[3, 0]],
        [
          [0, 0],
          [0, 16],
          [16, 5],
        ],
        bytes32(...offsets),
      )
    const bytes32 = (...numbers: number[]) => {
      const body = new Uint8Array(64)
      new Int32Array(body.buffer).set(numbers)
      return body
    }
    for (const offsets of [
      [0, 2, 1, 5],
      [-1, 0, 1, 2],
      [0, 1, 2, 6],
      [0, 2 ** 31 - 1, 0, 3],
    ])
      await refused(text(...offsets), 'its offsets decrease, or go beyond the 5')
    expect((await readArrow(text(1, 1, 3, 5))).columns.text).toEqual(['', '\0\0', '\0\0'])
    const items = (childRows: number, ...offsets: number[]) =>
      streamOf(
        schemaOf('items'),
        3,
        [
          [3, 0],
          [childRows, 0],
        ],
        [
          [0, 0],
          [0, 16],
          [16, 0],
          [16, 20],
        ],
        bytes32(...offsets),
      )
    await refused(items(5, 0, 2, 1, 5), 'its offsets decrease')
    await refused(items(5, 0, 2, 3, 6), 'go beyond the 5')
    await refused(items(6, 0, 2, 3, 6), 'a buffer has 20 bytes where 24 are needed')
  })

  test('about offsets of 64 bits is held against what they refer to, however far off', async () => {
    const text = (...offsets: bigint[]) => {
      const body = new Uint8Array(64)
      new BigInt64Array(body.buffer).set(offsets)
      const type: FlatFields = [int16(0), { tables: [['x', int8(1), int8(20), { table: [] }, null, { tables: [] }]] }]
      return streamOf(
        type,
        3,
        [[3, 0]],
        [
          [0, 0],
          [0, 32],
          [32, 5],
        ],
        body,
      )
    }
    for (const between of [2n ** 32n + 2n, 2n - 2n ** 32n, 2n ** 63n - 1n, -1n])
      await refused(text(0n, between, 3n, 5n), 'its offsets decrease')
    expect((await readArrow(text(0n, 2n, 3n, 5n))).columns.x).toEqual(['\0\0', '\0', '\0\0'])
  })

  test('about how a string begins, in its view, is held against the string', async () => {
    const viewed = (prefix: string) => {
      const body = new Uint8Array(64)
      const words = new Int32Array(body.buffer)
      words.set([13, 0, 0, 1])
      body.set(Buffer.from(prefix), 4)
      body.set(Buffer.from('-fourteen bytes'), 16)
      const type: FlatFields = [int16(0), { tables: [['x', int8(1), int8(24), { table: [] }, null, { tables: [] }]] }]
      const batch: FlatFields = [
        ...batchFields(
          1,
          [[1, 0]],
          [
            [0, 0],
            [0, 16],
            [16, 15],
          ],
        ),
        null,
        { structs: [[1]] },
      ]
      return new Uint8Array(
        Buffer.concat([
          messageBytes({ kind: 'schema', fields: type }, 0),
          messageBytes({ kind: 'batch', batch }, body.length),
          body,
          endOfStream(),
        ]),
      )
    }
    await refused(viewed('fouR'), 'begins otherwise than its view says')
    expect((await readArrow(viewed('four'))).columns.x).toEqual(['fourteen byte'])
  })

  test('about the length of a compressed buffer takes no memory for it', async () => {
    const bytes = bytesOf('full-zstd.arrows')
    const view = new DataView(bytes.buffer)
    const before = process.memoryUsage().arrayBuffers
    let refused = 0
    for (let at = 0; at + 8 < bytes.length; at += 8) {
      // Lengths of buffers are numbers like these.
      const length = view.getBigInt64(at, true)
      if (length < 60n || length > 10_000n) continue
      view.setBigInt64(at, length + 2n ** 28n, true)
      const outcome = await readDamaged(bytes)
      view.setBigInt64(at, length, true)
      if (isRefused(outcome) && outcome.message.includes('claims to have')) refused++
    }
    expect(refused).toBeGreaterThan(20)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
  })

  test('about billions of rows without a byte takes no memory for them', async () => {
    const schema: FlatFields = [
      int16(0),
      { tables: [['nothing', int8(1), int8(1), { table: [] }, null, { tables: [] }]] },
    ]
    const rows = 2 ** 31
    await refused(streamOf(schema, rows, [[rows, rows]], [], new Uint8Array(0)), 'a batch has 2147483648 rows')
    // A list of nulls has offsets of its own, and items that no byte stands for.
    const lists: FlatFields = [
      int16(0),
      {
        tables: [
          [
            'x',
            int8(1),
            int8(12),
            { table: [] },
            null,
            { tables: [['item', int8(1), int8(1), { table: [] }, null, { tables: [] }]] },
          ],
        ],
      },
    ]
    const body = new Uint8Array(8)
    new Int32Array(body.buffer).set([0, 2 ** 31 - 1])
    const outcome = await readDamaged(
      streamOf(
        lists,
        1,
        [
          [1, 0],
          [2 ** 31 - 1, 2 ** 31 - 1],
        ],
        [
          [0, 0],
          [0, 8],
        ],
        body,
      ),
    )
    expect(outcome).toMatchObject({ code: 'MR_FORMAT_ERROR', details: { unsupported: true, column: 'x' } })
  })
})

describe('a schema', () => {
  const schemaStream = (fields: FlatFields[], endianness = 0): Uint8Array =>
    new Uint8Array(
      Buffer.concat([
        messageBytes({ kind: 'schema', fields: [int16(endianness), { tables: fields }] }, 0),
        endOfStream(),
      ]),
    )
  const field = (name: string, typeId: number, children: FlatFields[] = []): FlatFields => [
    name,
    int8(1),
    int8(typeId),
    { table: [] },
    null,
    { tables: children },
  ]

  test('that is big-endian is refused by name', async () => {
    const outcome = await readDamaged(schemaStream([field('x', 6)], 1))
    expect(outcome).toMatchObject({
      code: 'MR_FORMAT_ERROR',
      message: expect.stringContaining('big-endian'),
      details: { unsupported: true },
    })
  })

  test('with two columns of one name is refused', async () => {
    expect(await readDamaged(schemaStream([field('x', 6), field('x', 6)]))).toMatchObject({
      code: 'MR_DUPLICATE_COLUMN',
    })
  })

  test('whose columns of other kinds share a dictionary is refused', async () => {
    const coded = (name: string, typeId: number, unit: number): FlatFields => [
      name,
      int8(1),
      int8(typeId),
      { table: [int16(unit)] },
      { table: [int64(7), { table: [int32(32), int8(1)] }, int8(0)] },
      { tables: [] },
    ]
    const shared = (typeId: number, ...units: number[]) =>
      readDamaged(schemaStream(units.map((unit, i) => coded(`${i}`, typeId, unit))))
    expect(await shared(8, 0, 1)).toMatchObject({ message: expect.stringContaining('columns of date32 and date64') })
    expect(await shared(10, 1, 3)).toMatchObject({
      message: expect.stringContaining('columns of timestamp(ms) and timestamp(ns) share the dictionary 7'),
    })
    expect(isRefused(await shared(10, 1, 1))).toBe(false)
  })

  test('nested deeper than any is refused', async () => {
    let nested = field('x', 6)
    for (let i = 0; i < 100; i++) nested = field('x', 12, [nested])
    expect(await readDamaged(schemaStream([nested]))).toMatchObject({
      code: 'MR_FORMAT_ERROR',
      message: expect.stringContaining('nested'),
    })
  })

  test('that refers to itself, or to the same again and again, ends', async () => {
    const bytes = schemaStream([field('x', 12, [field('a', 12, [field('b', 6)]), field('c', 6)])])
    let refused = 0
    for (let at = 8; at + 4 <= bytes.length; at += 4) {
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      const before = view.getInt32(at, true)
      for (const offset of [0, 4, 8, -4, -8, 12, 16, 2 ** 31 - 1, 0x7fffff]) {
        view.setInt32(at, offset, true)
        if (isRefused(await readDamaged(bytes))) refused++
      }
      view.setInt32(at, before, true)
    }
    expect(refused).toBeGreaterThan(100)
  })

  test('of another version, or of no rows at all, is refused by name', async () => {
    const framed = (metadata: Uint8Array) => {
      const head = new Int32Array([-1, metadata.length])
      return new Uint8Array(Buffer.concat([new Uint8Array(head.buffer), metadata]))
    }
    const old = framed(flatBuffer([int16(2), int8(1), { table: [int16(0), { tables: [] }] }, int64(0)]))
    expect(await readDamaged(old)).toMatchObject({ message: expect.stringContaining('of version 3') })
    const tensor = framed(flatBuffer([int16(4), int8(4), { table: [int32(0)] }, int64(0)]))
    expect(await readDamaged(tensor)).toMatchObject({ message: expect.stringContaining('no batch of rows') })
    for (const bytes of [
      '',
      'FEA1',
      'PAR1',
      'ARROW1',
      'ARROW1\0\0ARROW1',
      'a,b\n1,2\n',
      '{"a":1}\n',
      '\0'.repeat(100),
      '\xff'.repeat(100),
    ]) {
      const outcome = await readDamaged(Uint8Array.from(bytes, character => character.charCodeAt(0)))
      expect(outcome).toMatchObject({ code: 'MR_FORMAT_ERROR' })
    }
  })
})

test('what follows the end of a stream is not left out in silence', async () => {
  const stream = bytesOf('types.arrows')
  const twice = new Uint8Array(Buffer.concat([stream, stream]))
  expect(await readDamaged(twice)).toMatchObject({ code: 'MR_FORMAT_ERROR', details: { byteOffset: stream.length } })
})

test('a stream that adds to its dictionary with each batch is read', async () => {
  const count = 10_000
  const schema = schemaFields([{ name: 'text', type: utf8() }], () => 0)
  const wordOf = (i: number) => `word ${i}`.padEnd(12, '.')
  const body = (...words: number[]) => {
    const bytes = new Uint8Array(24)
    new Int32Array(bytes.buffer).set(words)
    return bytes
  }
  const messages = [messageBytes({ kind: 'schema', fields: schema }, 0)]
  for (let i = 0; i < count; i++) {
    const added = body(0, 12)
    added.set(Buffer.from(wordOf(i)), 8)
    const values = batchFields(
      1,
      [[1, 0]],
      [
        [0, 0],
        [0, 8],
        [8, 12],
      ],
    )
    const rows = batchFields(
      1,
      [[1, 0]],
      [
        [0, 0],
        [0, 4],
      ],
    )
    messages.push(messageBytes({ kind: 'dictionary', id: 0, isDelta: i > 0, batch: values }, added.length), added)
    messages.push(messageBytes({ kind: 'batch', batch: rows }, 24), body(i))
  }
  const bytes = new Uint8Array(Buffer.concat([...messages, endOfStream()]))
  const { columns } = await readArrow(bytes)
  expect(columns.text).toEqual(Array.from({ length: count }, (_, i) => wordOf(i)))
})
