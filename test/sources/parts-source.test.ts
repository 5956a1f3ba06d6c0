// Files in parts, by the example of Parquet: row groups as splits, several files as one, what is declared held against what is there, and files that are let go of.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { float64, int32, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve } from '../../src/expressions/typing.js'
import type { OpenFile } from '../../src/formats/byte-source.js'
import type { Input } from '../../src/formats/input.js'
import { parquetFormat } from '../../src/formats/parquet/format.js'
import { count, parquet } from '../../src/index.js'
import { partsSource } from '../../src/sources/parts-source.js'
import type { SourceServices, Split } from '../../src/sources/source.js'
import { findFiles } from '../../src/workers/find-files.node.js'
import { platform } from '../../src/workers/platform.node.js'
import { refusal } from '../flow/env.js'

interface Columns {
  readonly id: number[]
  readonly key?: (string | null)[]
  readonly x?: number[]
}
/** Row groups of ten rows; `key` may be null, the others may not. */
function bytesOf({ id, key, x }: Columns): Uint8Array<ArrayBuffer> {
  const columnData = [
    { name: 'id', data: id, type: 'INT32' as const, nullable: false },
    ...(key === undefined ? [] : [{ name: 'key', data: key, type: 'STRING' as const }]),
    ...(x === undefined ? [] : [{ name: 'x', data: x, type: 'DOUBLE' as const, nullable: false }]),
  ]
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 10 }))
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const keys = (ids: number[]) => ids.map(id => (id % 5 === 0 ? null : `key ${id % 3}`))
const first = bytesOf({ id: range(0, 35), key: keys(range(0, 35)) })
const second = bytesOf({ id: range(35, 50), key: keys(range(35, 50)) })

/** The platform's files, those that are open counted. */
function services(): SourceServices & { readonly open: () => number; readonly opened: () => number } {
  let open = 0
  let opened = 0
  const openFile: OpenFile = async path => {
    const source = await (platform.openFile as OpenFile)(path)
    open++
    opened++
    return {
      ...source,
      async close() {
        open--
        await source.close()
      },
    }
  }
  return { openFile, baseUrl: null, findFiles, open: () => open, opened: () => opened }
}

const describeAndOpen = async (
  inputs: readonly Input[],
  {
    declared = null,
    columns = ['id'],
    prune = null,
  }: { declared?: SchemaShape | null; columns?: string[]; prune?: Expression | null } = {},
) => {
  const own = services()
  const source = partsSource(parquetFormat, inputs, declared)
  const schema = await source.describe(own)
  const { splits } = await source.open({ columns, prune: prune && resolve(prune, schema) }, own)
  return { schema, splits }
}
const places = (splits: readonly Split[]) =>
  splits.map(({ firstRow, rowCount, work }) => [firstRow, rowCount, work.kind === 'part' ? work.part : -1])
const idAbove = (value: number): Expression => ({
  op: 'gt',
  left: { op: 'column', name: 'id' },
  right: { op: 'literal', value },
})

let folder = ''
let path = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  path = join(folder, 'first.parquet')
  await writeFile(path, first)
})
afterAll(() => rm(folder, { recursive: true }))

describe('splits', () => {
  it('are the row groups, each read by whichever lane, of the columns that are wanted', async () => {
    const { schema, splits } = await describeAndOpen([first], { columns: ['key', 'id'] })
    expect(schema).toEqual({ id: int32(), key: nullable(utf8()) })
    expect(places(splits)).toEqual([
      [0, 10, 0],
      [10, 10, 1],
      [20, 10, 2],
      [30, 5, 3],
    ])
    expect(splits[0].work).toMatchObject({ kind: 'part', extension: 'parquet', columns: ['key', 'id'], inputKey: '0' })
    expect(splits[0].byteLength).toBeGreaterThan(0)
    const [narrow] = (await describeAndOpen([first], { columns: ['id'] })).splits
    expect(narrow.byteLength).toBeLessThan(splits[0].byteLength)
  })

  it('of several files follow one another, rows counted through', async () => {
    const { splits } = await describeAndOpen([first, second])
    expect(places(splits)).toEqual([
      [0, 10, 0],
      [10, 10, 1],
      [20, 10, 2],
      [30, 5, 3],
      [35, 10, 0],
      [45, 5, 1],
    ])
    expect(splits.map(({ work }) => work.kind === 'part' && work.inputKey)).toEqual(['0', '0', '0', '0', '1', '1'])
  })

  it('that statistics rule out are left out, and the others keep their row numbers', async () => {
    const { splits } = await describeAndOpen([first, second], { prune: idAbove(27) })
    expect(places(splits)).toEqual([
      [20, 10, 2],
      [30, 5, 3],
      [35, 10, 0],
      [45, 5, 1],
    ])
    expect((await describeAndOpen([first, second], { prune: idAbove(100) })).splits).toEqual([])
  })

  it('a row that fails behind pruned ones is told by its number in all files', async () => {
    const id = range(0, 50).map(i => (i === 37 ? 2 ** 31 - 1 : i))
    const inputs = [bytesOf({ id: id.slice(0, 30) }), bytesOf({ id: id.slice(30) })]
    const flow = parquet(inputs)
      .filter(t => t.id.gt(25))
      .derive(t => ({ large: t.id.mul(2 ** 40).mul(t.id) }))
    const error = await refusal(() => flow.collect({ lanes: 0 }), 'MR_INTEGER_OVERFLOW')
    expect(error.details.row).toBe(37)
  })
})

describe('what is declared', () => {
  it('is read by name, in its order, as the file has it', async () => {
    const declared = { key: nullable(utf8()), id: int32() }
    expect((await describeAndOpen([first], { declared })).schema).toBe(declared)
    expect(partsSource(parquetFormat, [first], declared).schema).toBe(declared)
  })

  it('and is not there, or is of another type, is refused by name and file', async () => {
    const refused = async (declared: SchemaShape, code: string) =>
      refusal(() => describeAndOpen([first], { declared }), code)
    expect((await refused({ idd: int32() }, 'MR_UNKNOWN_COLUMN')).message).toContain('did you mean "id"?')
    const { message, details } = await refused({ id: float64() }, 'MR_TYPE_MISMATCH')
    expect(message).toContain('is int32, not float64')
    expect(details).toMatchObject({ column: 'id' })
  })

  it('without nulls is taken at its word only where the statistics agree', async () => {
    await refusal(() => describeAndOpen([first], { declared: { key: utf8() } }), 'MR_TYPE_MISMATCH')
    const full = bytesOf({ id: [1, 2], key: ['a', 'b'] })
    const declared = { key: utf8() }
    expect((await describeAndOpen([full], { declared })).schema).toBe(declared)
    const error = await refusal(() => describeAndOpen([full, first], { declared }), 'MR_TYPE_MISMATCH')
    expect(error.message).toContain('may have nulls')
  })
})

describe('several files', () => {
  it('have the first one’s columns, which may be null where they may be in any', async () => {
    const plain = bytesOf({ id: [1], x: [0.5] })
    const { schema } = await describeAndOpen([plain, bytesOf({ id: [2], x: [1.5], key: ['more'] })])
    expect(schema).toEqual({ id: int32(), x: float64() })
    await refusal(() => describeAndOpen([first, plain]), 'MR_UNKNOWN_COLUMN')
    const table = await parquet([first, second])
      .aggregate(() => ({ n: count() }))
      .collect({ lanes: 0 })
    expect(table.toRows()).toEqual([{ n: 50 }])
  })

  it('that do not agree are refused with the name of the one that differs, and what helps', async () => {
    const named = (name: string, columns: Columns) => new File([bytesOf(columns)], name)
    const full = named('full.parquet', { id: [1], x: [0.5] })
    const short = named('short.parquet', { id: [2] })
    const data = (name: string, value: number) => ({ name, data: [value], type: 'DOUBLE' as const, nullable: false })
    const other = new File([parquetWriteBuffer({ columnData: [data('id', 7.5), data('x', 1)] })], 'other.parquet')
    const lacking = await refusal(() => describeAndOpen([full, short]), 'MR_UNKNOWN_COLUMN')
    expect(lacking.message).toMatch(/short\.parquet: there is no column "x", which full\.parquet has.*union/)
    expect(lacking.details).toMatchObject({ file: 'short.parquet', column: 'x' })
    const declared = { id: int32(), x: float64() }
    const asDeclared = await refusal(() => describeAndOpen([full, short], { declared }), 'MR_UNKNOWN_COLUMN')
    expect(asDeclared.message).toContain('parquet short.parquet: there is no column "x"')
    const differing = await refusal(() => describeAndOpen([full, other]), 'MR_TYPE_MISMATCH')
    expect(differing.message).toMatch(/"id" of other\.parquet is float64, not int32 as in full\.parquet; .*union/)
    // What it says to do is done.
    const [left, right] = [parquet(full), parquet(other)]
    const wide = { id: float64() }
    expect((await left.cast(wide).union(right).collect({ lanes: 0 })).toRows()).toEqual([
      { id: 1, x: 0.5 },
      { id: 7.5, x: 1 },
    ])
    const padded = left.union(parquet(short), { missing: 'null' })
    expect((await padded.collect({ lanes: 0 })).rowCount).toBe(2)
  })

  it('of which one is no Parquet file are refused with its name', async () => {
    const broken = new File([Uint8Array.of(1, 2, 3)], 'broken.parquet')
    const error = await refusal(() => describeAndOpen([first, broken]), 'MR_FORMAT_ERROR')
    expect(error.message).toContain('broken.parquet')
  })
})

describe('files', () => {
  it('are open only while their footers are read, which is once a job', async () => {
    const own = services()
    const source = partsSource(parquetFormat, [path, path], null)
    await source.describe(own)
    expect(own.open()).toBe(0)
    await source.open({ columns: ['id'], prune: null }, own)
    expect([own.open(), own.opened()]).toEqual([0, 2])
    await source.open({ columns: ['id'], prune: null }, own)
    expect([own.open(), own.opened()]).toEqual([0, 4])
  })

  it('are closed whatever goes wrong, and though nobody ever opens what was described', async () => {
    const own = services()
    const none = join(folder, 'none.parquet')
    await refusal(() => partsSource(parquetFormat, [path, none], null).describe(own), 'MR_SOURCE_FAILED')
    await refusal(() => partsSource(parquetFormat, [path], { id: utf8() }).describe(own), 'MR_TYPE_MISMATCH')
    await writeFile(join(folder, 'broken.parquet'), Uint8Array.of(1, 2, 3))
    await refusal(
      () => partsSource(parquetFormat, [path, join(folder, 'broken.parquet')], null).describe(own),
      'MR_FORMAT_ERROR',
    )
    await partsSource(parquetFormat, [path], null).describe(own)
    expect(own.open()).toBe(0)
    expect(own.opened()).toBeGreaterThan(3)
  })

  it('that were not there may be there the next time', async () => {
    const late = join(folder, 'late.parquet')
    const source = partsSource(parquetFormat, [late], null)
    await refusal(() => source.describe(services()), 'MR_SOURCE_FAILED')
    await writeFile(late, second)
    expect(await source.describe(services())).toEqual({ id: int32(), key: nullable(utf8()) })
  })
})

describe('inputs that can be read once', () => {
  const streamOf = (bytes: Uint8Array) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 100) controller.enqueue(bytes.slice(at, at + 100))
        controller.close()
      },
    })

  it('are read once, and may be collected again and again, also both at once', async () => {
    for (const input of [new Response(first), streamOf(first)]) {
      const flow = parquet(input).aggregate(() => ({ n: count() }))
      const tables = await Promise.all([flow.collect({ lanes: 0 }), flow.collect({ lanes: 1 })])
      tables.push(await flow.collect({ lanes: 0 }))
      for (const table of tables) expect(table.toRows()).toEqual([{ n: 35 }])
    }
  })

  it('that someone else has read are refused', async () => {
    const response = new Response(first)
    await response.arrayBuffer()
    await refusal(() => parquet(response).collect({ lanes: 0 }), 'MR_SOURCE_CONSUMED')
  })
})
