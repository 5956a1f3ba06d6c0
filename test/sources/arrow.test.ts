// Arrow files as sources: batches as parts, put together where they are small and cut where they are large, described once and read by any lane.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { concatVectors } from '../../src/columnar/concat.js'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { makeVector } from '../../src/columnar/vector.js'
import { createArrowEncoder } from '../../src/formats/arrow/encoder.js'
import type { ArrowIndex } from '../../src/formats/arrow/file-index.js'
import { arrowFormat } from '../../src/formats/arrow/format.js'
import { arrow, columns, count, float64, int32, nullable, schema, sum, Table, utf8 } from '../../src/index.js'
import { partsSource } from '../../src/sources/parts-source.js'
import type { SourceServices, Split } from '../../src/sources/source.js'
import { platform } from '../../src/workers/platform.node.js'
import { refusal } from '../flow/env.js'

const services = { ...platform } as unknown as SourceServices

function fileOf(table: Table<any>, batches = table.batches): Uint8Array<ArrayBuffer> {
  const encoder = createArrowEncoder(table.schema, { layout: 'file' })
  const chunks = [...encoder.header(), ...batches.flatMap(batch => encoder.batch(batch.vectors, batch.rowCount))]
  return new Uint8Array(Buffer.concat([...chunks, ...encoder.footer()]))
}

/** All rows as one batch. */
function asOne(table: Table<any>): RecordBatch<any> {
  const vectors = Object.keys(table.schema).map((_, i) =>
    concatVectors(table.batches.map(batch => batch.vectors[i] as never)),
  )
  return new RecordBatch(table.schema, vectors, table.rowCount)
}

const describeAndOpen = async (bytes: Uint8Array<ArrayBuffer>, columns = ['id']) => {
  const source = partsSource(arrowFormat, [bytes], null)
  const shape = await source.describe(services)
  const { splits } = await source.open({ columns, prune: null }, services)
  return { shape, splits }
}
const rowsOf = (splits: readonly Split[]) => splits.map(({ rowCount }) => rowCount)

const ids = (rowCount: number) =>
  columns({ id: Int32Array.from({ length: rowCount }, (_, i) => i) }).collect({ lanes: 0 })

describe('parts', () => {
  it('of a large batch are runs of its rows, of small batches several of these', async () => {
    const table = await ids(400_000)
    expect(rowsOf((await describeAndOpen(fileOf(table, [asOne(table)]))).splits)).toEqual([
      131_072, 131_072, 131_072, 6784,
    ])
    // The table's own batches have 65,536 rows.
    expect(rowsOf((await describeAndOpen(fileOf(table))).splits)).toEqual([131_072, 131_072, 131_072, 6784])
    const small = Array.from(
      { length: 400 },
      (_, i) => table.slice(i * 1000, i * 1000 + 1000).batches[0] as RecordBatch<any>,
    )
    expect(
      rowsOf(
        (
          await describeAndOpen(
            fileOf(
              table,
              small.filter(batch => batch.rowCount === 1000),
            ),
          )
        ).splits,
      )[0],
    ).toBe(131_000)
  })

  it('of rows of many bytes are fewer rows, so that a lane holds some megabytes of them', async () => {
    const [rowCount, length] = [400, 100_000]
    const offsets = Int32Array.from({ length: rowCount + 1 }, (_, i) => i * length)
    const bytes = new Uint8Array(rowCount * length)
    for (let i = 0; i < rowCount; i++) bytes.fill(97 + (i % 26), i * length, (i + 1) * length)
    const vector = makeVector(utf8(), rowCount, bytes, { offsets })
    const shape = schema({ text: utf8() })
    const file = fileOf(new Table(shape, [new RecordBatch(shape, [vector], rowCount)]))
    const { splits } = await describeAndOpen(file, ['text'])
    expect(rowsOf(splits)).toEqual([328, 72])
    for (const split of splits) expect(split.byteLength).toBeLessThan(35e6)
    const { batches } = await arrow(file).collect({ lanes: 0 })
    expect(batches.map(({ rowCount }) => rowCount)).toEqual([160, 160, 8, 72])
    const texts = batches.flatMap(batch => [...batch.column('text')])
    expect(texts.map(text => `${text.length} ${text[0]}${text.at(-1)}`)).toEqual(
      Array.from({ length: rowCount }, (_, i) => `${length} ${String.fromCharCode(97 + (i % 26)).repeat(2)}`),
    )
  })

  it('are told with the bytes of the columns that are read', async () => {
    const table = await columns({ id: new Int32Array(1000), x: new Float64Array(1000) }).collect({ lanes: 0 })
    const bytes = fileOf(table)
    const of = async (...names: string[]) => (await describeAndOpen(bytes, names)).splits[0]?.byteLength
    expect([await of('id'), await of('x'), await of('x', 'id'), await of()]).toEqual([4000, 8000, 12_000, 0])
  })

  it('come with what is known of their file, plain enough to be sent', async () => {
    const { splits } = await describeAndOpen(fileOf(await ids(300_000)))
    const [first] = splits
    expect(first?.work).toMatchObject({ kind: 'part', extension: 'arrow', part: 0, columns: ['id'], inputKey: '0' })
    const { index } = (first as Split).work as unknown as { index: ArrowIndex }
    expect(structuredClone(index)).toEqual(index)
  })
})

describe('what is declared', () => {
  it('is read by name, in its order, and held against the file', async () => {
    const bytes = fileOf(await columns({ a: [1, null], b: ['x', 'y'] }).collect({ lanes: 0 }))
    const shape = schema({ b: utf8(), a: nullable(float64()) })
    const flow = arrow(bytes, { schema: shape })
    expect(flow.schema).toBe(shape)
    expect((await flow.collect({ lanes: 0 })).toRows()).toEqual([
      { b: 'x', a: 1 },
      { b: 'y', a: null },
    ])
    await refusal(() => arrow(bytes, { schema: schema({ a: float64() }) }).collect(), 'MR_TYPE_MISMATCH')
    await refusal(() => arrow(bytes, { schema: schema({ b: int32() }) }).collect(), 'MR_TYPE_MISMATCH')
    const error = await refusal(() => arrow(bytes, { schema: schema({ bb: utf8() }) }).collect(), 'MR_UNKNOWN_COLUMN')
    expect(error.message).toContain('did you mean "b"?')
  })

  it('without nulls is taken at its word where the batches say that there are none', async () => {
    const shape = schema({ a: nullable(float64()) })
    const full = await columns({ a: [1, 2] }, shape).collect({ lanes: 0 })
    const declared = arrow(fileOf(full), { schema: schema({ a: float64() }) })
    expect((await declared.collect({ lanes: 0 })).column('a').toArray()).toEqual(Float64Array.of(1, 2))
  })
})

it('is called by its name in explain and in errors', async () => {
  const file = new File([fileOf(await ids(3))], 'ids.arrow')
  expect(arrow(file, { schema: schema({ id: int32() }) }).explain()).toContain('source arrow ids.arrow: id: int32')
  expect(arrow('there.arrow').explain()).toContain('source arrow there.arrow, whose columns are known once it opens')
  await refusal(() => arrow([]), 'MR_INVALID_OPTION')
  await refusal(() => arrow(file, { columns: ['id'] } as never), 'MR_INVALID_OPTION')
  await refusal(() => arrow('there.arrow').collect({ lanes: 0 }), 'MR_SOURCE_FAILED')
})

describe('over the network', () => {
  let server: Server
  let folder: string
  let bytes: Uint8Array
  const requests: string[] = []
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-'))
    const table = await columns({
      id: Int32Array.from({ length: 400_000 }, (_, i) => i),
      x: Float64Array.from({ length: 400_000 }, (_, i) => i / 2),
      word: Array.from({ length: 400_000 }, (_, i) => `w${i % 100}`),
    }).collect({ lanes: 0 })
    bytes = fileOf(table)
    await writeFile(join(folder, 'table.arrow'), bytes)
    server = createServer((request, response) => {
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
      const head = { 'accept-ranges': 'bytes', 'content-length': String(bytes.length) }
      if (request.method === 'HEAD') response.writeHead(200, head).end()
      else if (from === undefined) response.writeHead(200, head).end(bytes)
      else {
        requests.push(`${from}-${to}`)
        const part = bytes.subarray(Number(from), Number(to) + 1)
        response
          .writeHead(206, {
            'content-length': String(part.length),
            'content-range': `bytes ${from}-${to}/${bytes.length}`,
          })
          .end(part)
      }
    })
    await new Promise<void>(resolve => server.listen(0, () => resolve()))
  })
  afterAll(async () => {
    server.close()
    await rm(folder, { recursive: true })
  })

  it('only the ranges of the columns that are read are fetched', async () => {
    const { port } = server.address() as { port: number }
    const read = await arrow(`http://localhost:${port}/table.arrow`)
      .aggregate(t => ({ n: count(), total: sum(t.id) }))
      .collect({ lanes: 0 })
    expect(read.toRows()).toEqual([{ n: 400_000, total: (399_999 * 400_000) / 2 }])
    const fetched = requests.reduce((total, range) => {
      const [from, to] = range.split('-').map(Number) as [number, number]
      return total + to - from + 1
    }, 0)
    // The ids are 1.6 of 6.4 MB; headers and gaps that are not worth a request come on top.
    expect(fetched).toBeLessThan(2.4e6)
    expect(requests.length).toBeLessThan(60)
  })
})
