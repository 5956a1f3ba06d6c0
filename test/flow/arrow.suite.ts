/**
 * Arrow files through whole flows: a real one against the same rows as JSON, one batch of many rows that lanes share, streams whose dictionaries grow
 * and are replaced, and failures that name their row whatever lane met it.
 */
import { describe, expect, it } from 'vitest'
import { createArrowEncoder } from '../../src/formats/arrow/encoder.js'
import {
  arrow,
  columns,
  count,
  countDistinct,
  dictionary,
  max,
  mean,
  type Progress,
  type RecordBatch,
  sum,
  type Table,
  typeName,
} from '../../src/index.js'
import { type FlowEnv, onLanes, refusal } from './env.js'

/** The bytes of a file, its batches as the table has them, or all in one. */
function bytesOf(table: Table<any>, layout: 'file' | 'stream'): Uint8Array<ArrayBuffer> {
  const encoder = createArrowEncoder(table.schema, { layout })
  const chunks = [...encoder.header()]
  for (const { vectors, rowCount } of table.batches) chunks.push(...encoder.batch(vectors, rowCount))
  chunks.push(...encoder.footer())
  return joined(chunks)
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0))
  let end = 0
  for (const chunk of chunks) {
    bytes.set(chunk, end)
    end += chunk.length
  }
  return bytes
}

const ROWS = 180_000
const WORDS = ['', 'oak', 'beech', 'ß', '日本', '🎉']

/** Every way that a column can lie in a file, with nulls here and there. */
const everyKind = () =>
  columns({
    id: Int32Array.from({ length: ROWS }, (_, i) => i),
    double: Array.from({ length: ROWS }, (_, i) => (i % 10 === 3 ? null : i / 8)),
    count: BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(i) ** 3n),
    flag: Array.from({ length: ROWS }, (_, i) => (i % 7 === 0 ? null : i % 3 === 0)),
    word: dictionary(
      Int32Array.from({ length: ROWS }, (_, i) => i % 6),
      WORDS,
    ),
    text: Array.from({ length: ROWS }, (_, i) => (i % 11 === 5 ? null : `row ${i}`)),
    list: Array.from({ length: ROWS }, (_, i) => (i % 5 === 4 ? null : Array.from({ length: i % 4 }, (_, j) => i + j))),
    time: Array.from({ length: ROWS }, (_, i) => new Date(i * 60_000)),
  })

export function arrowSuite(lanesList: readonly number[], env: FlowEnv): void {
  describe('Arrow files', () => {
    let whole: Table<any>
    const table = async () => {
      whole ??= await everyKind().collect({ lanes: 0 })
      return whole
    }

    onLanes(lanesList, engine => {
      const collect = (flow: { collect(options: object): Promise<any> }) => flow.collect({ engine: engine() })

      it('the flights are what they are as JSON, row by row', async () => {
        const { input, rows } = await env.arrowFlights()
        const read: Table<any> = await collect(arrow(input))
        expect(Object.values(read.schema).map(type => typeName(type as never))).toEqual([
          'nullable(int16)',
          'nullable(int16)',
          'nullable(float32)',
        ])
        expect(read.rowCount).toBe(rows.length)
        const [delay, distance, time] = ['delay', 'distance', 'time'].map(name => read.column(name).toArray())
        let different = 0
        rows.forEach((row, i) => {
          const same = delay[i] === row.delay && distance[i] === row.distance && time[i] === Math.fround(row.time)
          if (!same) different++
        })
        expect(different).toBe(0)
        const late = rows.filter(({ delay }) => delay > 60)
        const answer = await collect(
          arrow(input)
            .filter(t => t.delay.gt(60))
            .aggregate(t => ({ n: count(), furthest: max(t.distance), total: sum(t.delay), mean: mean(t.delay) })),
        )
        const total = late.reduce((all, { delay }) => all + delay, 0)
        expect(answer.toRows()).toEqual([
          {
            n: late.length,
            furthest: Math.max(...late.map(({ distance }) => distance)),
            total,
            mean: total / late.length,
          },
        ])
      })

      it('a file and a stream of many batches are what was written, whichever lane reads them', async () => {
        const written = await table()
        for (const layout of ['file', 'stream'] as const) {
          const read: Table<any> = await collect(arrow(bytesOf(written, layout)))
          expectSame(read, written)
        }
      })

      it('one batch of many rows is shared by the lanes, and each reads its part of it', async () => {
        const written = await table()
        const batch = await oneBatch(written)
        const encoder = createArrowEncoder(written.schema, { layout: 'file' })
        const file = joined([...encoder.header(), ...encoder.batch(batch.vectors, ROWS), ...encoder.footer()])
        const seen: Progress[] = []
        const read: Table<any> = await arrow(new Blob([file])).collect({
          engine: engine(),
          onProgress: progress => seen.push(progress),
        })
        expectSame(read, written)
        expect(seen.at(-1)).toMatchObject({ rows: ROWS, totalRows: ROWS })
        // Nearly all bytes are rows'.
        expect(seen.at(-1)?.totalBytes).toBeGreaterThan(0.9 * file.length)
        expect(seen.at(-1)?.bytes).toBe(seen.at(-1)?.totalBytes)
        const grouped = await collect(
          arrow(file)
            .groupBy('word')
            .aggregate(t => ({ n: count(), texts: countDistinct(t.text), total: sum(t.id) })),
        )
        expect(grouped.column('word').toArray()).toEqual(WORDS)
        expect([...grouped.column('n')]).toEqual(WORDS.map(() => ROWS / 6))
      })

      it('only the columns that are asked for are read, in any order, and none for a count', async () => {
        const written = await table()
        const file = bytesOf(written, 'file')
        const two = await collect(arrow(file).select('text', 'id').limit(3, 170_000))
        expect(two.toRows()).toEqual(
          [170_000, 170_001, 170_002].map(id => ({ text: id % 11 === 5 ? null : `row ${id}`, id })),
        )
        expect((await collect(arrow([file, file]).aggregate(() => ({ n: count() })))).toRows()).toEqual([
          { n: 2 * ROWS },
        ])
      })

      it('dictionaries that grow, and that are replaced, have each row its value', async () => {
        const parts = [
          ['a', 'a', 'b', 'b'],
          ['b', 'c', 'c', 'a'],
          ['d', 'a', 'd', 'c'],
        ]
        const chunks: Uint8Array[] = []
        const one = await columns({ x: ['a'] }).collect()
        const encoder = createArrowEncoder(one.schema, { layout: 'stream', mostRemembered: 2 })
        chunks.push(...encoder.header())
        for (let i = 0; i < 50; i++) {
          const [batch] = (await columns({ x: parts[i % 3] as string[] }).collect()).batches
          chunks.push(...encoder.batch((batch as RecordBatch<any>).vectors, 4))
        }
        chunks.push(...encoder.footer())
        const read = await collect(arrow(joined(chunks)))
        expect([...read.column('x')]).toEqual(Array.from({ length: 50 }, (_, i) => parts[i % 3]).flat())
      })

      it('a value that has no place here is told with its row and column, the first of several', async () => {
        const { vectors } = await oneBatch(
          await columns({
            big: BigInt64Array.from({ length: ROWS }, (_, i) => (i >= 140_000 && i % 2 ? -1n : 1n)),
          }).collect(),
        )
        const encoder = createArrowEncoder({ big: { kind: 'int64', nullable: false } }, { layout: 'file' })
        const file = joined([...encoder.header(), ...encoder.batch(vectors, ROWS), ...encoder.footer()])
        // The sign is one byte of the type, which is there twice: in the schema and in the footer.
        const signs = placesOf(file, [64, 0, 0, 0, 1])
        expect(signs.length).toBe(2)
        for (const at of signs) file[at + 4] = 0
        const error = await refusal(() => collect(arrow(file)), 'MR_INTEGER_OVERFLOW')
        expect(error.details).toMatchObject({ column: 'big', row: 140_001 })
      })

      it('what is no Arrow file is refused, and a file that was cut short', async () => {
        const written = bytesOf(await columns({ a: [1, 2, 3] }).collect(), 'file')
        for (const bytes of [new Uint8Array(0), new TextEncoder().encode('a,b\n1,2\n'), written.slice(0, -3)]) {
          const error = await refusal(() => collect(arrow(bytes)), 'MR_FORMAT_ERROR')
          expect(error.details.byteOffset).toBeTypeOf('number')
        }
        const holed = written.slice()
        holed.fill(0, 300, 420)
        const error = await refusal(() => collect(arrow(new File([holed], 'holed.arrow'))), 'MR_FORMAT_ERROR')
        expect(error.message).toContain('arrow "holed.arrow"')
      })
    })
  })
}

/** All rows as one batch, which `collect` never makes. */
async function oneBatch(table: Table<any>): Promise<RecordBatch> {
  const { concatVectors } = await import('../../src/columnar/concat.js')
  const { RecordBatch } = await import('../../src/columnar/record-batch.js')
  const vectors = Object.keys(table.schema).map((_, i) =>
    concatVectors(table.batches.map(batch => batch.vectors[i] as never)),
  )
  return new RecordBatch(table.schema, vectors, table.rowCount)
}

function expectSame(read: Table<any>, written: Table<any>): void {
  expect(read.rowCount).toBe(written.rowCount)
  expect(Object.keys(read.schema)).toEqual(Object.keys(written.schema))
  for (const name of Object.keys(written.schema)) {
    expect(typeName(read.schema[name])).toBe(typeName(written.schema[name]))
    const [own, expected] = [read, written].map(table => {
      const column = table.column(name)
      return column.type.kind === 'int64' || column.type.kind === 'timestamp'
        ? column.toBigInt64Array()
        : column.toArray()
    }) as [ArrayLike<unknown>, ArrayLike<unknown>]
    let different = 0
    for (let i = 0; i < expected.length; i++) {
      const [a, b] = [own[i], expected[i]]
      if (!Object.is(a, b) && !(Array.isArray(b) && JSON.stringify(a) === JSON.stringify(b))) different++
    }
    expect([name, different]).toEqual([name, 0])
  }
}

/** Where these bytes are. */
function placesOf(bytes: Uint8Array, wanted: readonly number[]): number[] {
  const places: number[] = []
  for (let at = 0; at + wanted.length <= bytes.length; at++)
    if (wanted.every((byte, i) => bytes[at + i] === byte)) places.push(at)
  return places
}
