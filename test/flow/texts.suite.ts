/** Files of text through whole flows, on every number of lanes: where they come from, how they are cut, and what is said of rows that cannot be read. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flowOf } from '../../src/api/flow.js'
import {
  collectAll,
  columns,
  count,
  csv,
  type Files,
  type Flow,
  float64,
  type IllFormedText,
  type InferenceReport,
  type Inputs,
  int64,
  json,
  last,
  mean,
  ndjson,
  nullable,
  type Progress,
  type RecordBatch,
  type RejectedRow,
  runAll,
  schema,
  sum,
  utf8,
} from '../../src/index.js'
import { type CsvOptions, textSource } from '../../src/sources/text.js'
import { expectWaitedFor, onLanes, refusal } from './env.js'

const SHAPE = schema({ id: int64(), city: nullable(utf8()), degrees: nullable(float64()) })

const rowAt = (id: number) => ({
  id,
  city: id % 7 === 6 ? null : id % 5 === 4 ? `a "quoted", name\nof two lines ${id % 11}` : `city ${id % 13}`,
  degrees: id % 9 === 8 ? null : id / 8,
})
const rowsAt = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => rowAt(from + i))

const field = (value: string | number | null): string =>
  value === null ? '' : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)
const csvLines = (rows: readonly ReturnType<typeof rowAt>[], end = '\n'): string =>
  rows.map(({ id, city, degrees }) => [id, city, degrees].map(field).join(',') + end).join('')
const csvOf = (rows: readonly ReturnType<typeof rowAt>[]): string => `id,city,degrees\n${csvLines(rows)}`
const jsonLines = (rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('')

const bytesOf = (text: string) => new TextEncoder().encode(text)
const streamOf = (text: string, size: number) => {
  const bytes = bytesOf(text)
  let at = 0
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, at + size))
      at += size
    },
  })
}
const gzip = (text: string) => new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).blob()

const plain: Omit<CsvOptions, 'schema'> = {
  format: 'csv',
  encoding: null,
  compression: 'auto',
  maximumExpansion: 1000,
  fatal: false,
  sampleRows: 1000,
  onBadRow: undefined,
  onInferred: undefined,
  splitBytes: null,
  delimiter: ',',
  quote: '"',
  comment: null,
  header: true,
  nulls: [''],
  ragged: 'error',
  skipRows: 0,
}

/** The browser's own, where there is one. */
function fileListOf(files: readonly File[]): Files {
  if (typeof DataTransfer === 'function') {
    const transfer = new DataTransfer()
    for (const file of files) transfer.items.add(file)
    return transfer.files
  }
  return Object.assign(
    [...files].reduce((all, file, i) => Object.assign(all, { [i]: file }), {}),
    {
      length: files.length,
      item: (i: number) => files[i] ?? null,
      [Symbol.toStringTag]: 'FileList',
    },
  )
}

export function textSuite(lanesList: readonly number[]): void {
  describe('files of text', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })
      const rows = rowsAt(0, 3000)

      it('are the same from everywhere, as CSV', async () => {
        const text = csvOf(rows)
        const inputs = [
          { text },
          bytesOf(text),
          bytesOf(text).buffer as ArrayBuffer,
          new Blob([text]),
          new File([text], 'cities.csv'),
          new Response(text),
          streamOf(text, 1000),
          streamOf(text, 7919),
          await gzip(text),
          new Response(await gzip(text)),
        ]
        for (const input of inputs) {
          const table = await csv(input, { schema: SHAPE }).collect(o())
          expect(table.toRows()).toEqual(rows)
        }
      })

      it('are those of a FileList, as a page has of its field or of a drop', async () => {
        const parts = [rows.slice(0, 1000), rows.slice(1000)]
        const files = fileListOf(parts.map((part, i) => new File([csvOf(part)], `${i}.csv`)))
        expect((await csv(files, { schema: SHAPE }).collect(o())).toRows()).toEqual(rows)
        await refusal(() => csv(fileListOf([])), 'MR_INVALID_OPTION')
      })

      it('are the same from everywhere, as JSON', async () => {
        for (const read of [ndjson, json]) {
          const text = jsonLines(rows)
          for (const input of [{ text }, bytesOf(text), streamOf(text, 777), await gzip(text)]) {
            expect((await read(input, { schema: SHAPE }).collect(o())).toRows()).toEqual(rows)
          }
        }
        const document = JSON.stringify({ about: { rows: rows.length }, data: { items: rows }, more: [1, { x: ']' }] })
        for (const input of [{ text: document }, streamOf(document, 999), await gzip(document)]) {
          expect((await json(input, { schema: SHAPE, path: 'data.items' }).collect(o())).toRows()).toEqual(rows)
        }
        expect((await json({ text: JSON.stringify(rows, null, 2) }, { schema: SHAPE }).collect(o())).toRows()).toEqual(
          rows,
        )
      })

      it('are read one after another, those of a stream among them', async () => {
        const parts = [rows.slice(0, 10), rows.slice(10, 1500), rows.slice(1500, 1500), rows.slice(1500)]
        const texts = parts.map(csvOf)
        const inputs = [
          { text: texts[0] as string },
          streamOf(texts[1] as string, 100),
          new Blob([texts[2] as string]),
          { text: texts[3] as string },
        ]
        expect((await csv(inputs, { schema: SHAPE }).collect(o())).toRows()).toEqual(rows)
      })

      it('have their types inferred, and say how', async () => {
        const reports: InferenceReport[] = []
        const flow = csv({ text: csvOf(rows) }, { onInferred: report => reports.push(report) })
        const table = await flow.collect(o())
        expect(table.schema).toEqual(
          schema({ id: nullable(int64()), city: nullable(utf8()), degrees: nullable(float64()) }),
        )
        expect(table.toRows()).toEqual(rows)
        expect(reports).toHaveLength(1)
        expect(String(reports[0])).toContain('nullable(float64)')
        const grouped = flow.groupBy('city').aggregate((t: any) => ({ n: count(), mean: mean(t.degrees) }))
        expect((await grouped.collect(o())).rowCount).toBe(new Set(rows.map(({ city }) => city)).size)
      })

      it('have the columns of the first that has a row, wherever those without are', async () => {
        const few = rows.slice(0, 20)
        const lines = jsonLines(few)
        const named = { header: ['id', 'city', 'degrees'] }
        const ways: (readonly [
          string,
          string,
          (inputs: Inputs, onInferred: (report: InferenceReport) => void) => Flow<any>,
        ])[] = [
          ['', csvOf(few), (inputs, onInferred) => csv(inputs, { onInferred })],
          ['\r\n\n', csvOf(few), (inputs, onInferred) => csv(inputs, { onInferred })],
          [csvOf([]), csvOf(few), (inputs, onInferred) => csv(inputs, { onInferred })],
          ['degrees,city,id,more\n', csvOf(few), (inputs, onInferred) => csv(inputs, { onInferred })],
          ['', csvLines(few), (inputs, onInferred) => csv(inputs, { ...named, onInferred })],
          ['', lines, (inputs, onInferred) => ndjson(inputs, { onInferred })],
          [' \n', lines, (inputs, onInferred) => json(inputs, { onInferred })],
          ['[]', JSON.stringify(few), (inputs, onInferred) => json(inputs, { onInferred })],
        ]
        for (const [none, some, read] of ways) {
          for (const places of ['01', '001', '0101', '10', '0110']) {
            const kinds = [(text: string) => ({ text }), (text: string) => streamOf(text, 50)]
            const zipped = await Promise.all([...places].map(place => gzip(place === '0' ? none : some)))
            const plain = kinds.map(kind => [...places].map(place => kind(place === '0' ? none : some)))
            for (const inputs of [...plain, zipped]) {
              const reports: InferenceReport[] = []
              const table = await read(inputs as Inputs, report => reports.push(report)).collect(o())
              expect(table.toRows()).toEqual([...places].flatMap(place => (place === '0' ? [] : few)))
              expect(reports.map(report => report.columns.length)).toEqual([3])
            }
          }
        }
        const headers = csv([{ text: '' }, { text: csvOf([]) }, { text: 'id,city,degrees,more\n' }])
        expect(Object.keys((await headers.collect(o())).schema)).toEqual(['id', 'city', 'degrees'])
        const reports: InferenceReport[] = []
        const nothing = csv([{ text: '' }, { text: '' }], { onInferred: report => reports.push(report) })
        expect(await nothing.collect(o())).toMatchObject({ rowCount: 0, schema: {} })
        expect(reports.map(report => report.columns)).toEqual([[]])
      })

      it('are read with other delimiters, quotes, nulls, comments and headers', async () => {
        const text = `made by hand\n# the first\nid;city;degrees\r\n1;'a;b';NA\r\n# between\r\n2;NA;1.5\r\n`
        const table = await csv(
          { text },
          { schema: SHAPE, delimiter: ';', quote: "'", nulls: ['', 'NA'], comment: '#', skipRows: 1 },
        ).collect(o())
        expect(table.toRows()).toEqual([
          { id: 1, city: 'a;b', degrees: null },
          { id: 2, city: null, degrees: 1.5 },
        ])
        const bare = await csv({ text: '1\tx\t2\n3\ty\n' }, { header: false, ragged: 'pad' }).collect(o())
        expect(bare.toRows()).toEqual([
          { column0: 1, column1: 'x', column2: 2 },
          { column0: 3, column1: 'y', column2: null },
        ])
        const named = await csv(
          { text: '1,x\n' },
          { header: ['id', 'city'], schema: schema({ city: utf8(), id: int64() }) },
        ).collect(o())
        expect(named.toRows()).toEqual([{ city: 'x', id: 1 }])
      })

      it('are read in other encodings', async () => {
        const text = csvOf([{ id: 1, city: 'Zürich', degrees: 1 }])
        const utf16 = new Uint8Array(2 + 2 * text.length)
        utf16.set([0xff, 0xfe])
        Array.from(text, (character, i) =>
          utf16.set([character.charCodeAt(0) & 255, character.charCodeAt(0) >> 8], 2 + 2 * i),
        )
        const latin = Uint8Array.from(text, character => character.charCodeAt(0))
        for (const flow of [
          csv(utf16, { schema: SHAPE }),
          csv(latin, { schema: SHAPE, encoding: 'latin1' }),
          csv({ text: `\uFEFF${text}` }, { schema: SHAPE }),
          csv(streamOf(`\uFEFF${text}`, 5), { schema: SHAPE }),
        ]) {
          expect((await flow.collect(o())).at(0)).toEqual({ id: 1, city: 'Zürich', degrees: 1 })
        }
        expect((await csv(latin, { schema: SHAPE }).collect(o())).column('city').at(0)).toBe('Z\uFFFDrich')
        await refusal(() => csv(latin, { schema: SHAPE, fatal: true }).collect(o()), 'MR_FORMAT_ERROR')
      })

      it('wherever they are cut, a guess that was wrong is made good', async () => {
        // Within quotes there are lines that look like rows, longer than what a lane looks at.
        const lines = csvLines(rowsAt(0, 40).map(row => ({ ...row, city: 'x' })))
        const some = Array.from({ length: 30 }, (_, id) => ({
          id,
          city: id % 3 === 1 ? `${lines}end` : `city ${id}`,
          degrees: id,
        }))
        const bytes = bytesOf(csvOf(some))
        const bad: RejectedRow[] = []
        for (const splitBytes of [97, 500, 1021, 4096]) {
          for (const collects of [false, true]) {
            const source = textSource('csv', [new Blob([bytes])], {
              ...plain,
              schema: SHAPE,
              splitBytes,
              onBadRow: collects ? row => bad.push(row) : undefined,
            })
            const flow = flowOf<typeof SHAPE>(source)
            expect((await flow.collect(o())).toRows()).toEqual(some)
            const groups = await flow.aggregate(t => ({ n: count(), total: sum(t.degrees) })).collect(o())
            expect(groups.at(0)).toEqual({ n: 30, total: 435 })
            const seen: number[] = []
            for await (const batch of flow.run(o())) for (const { id } of batch.toRows()) seen.push(id)
            expect(seen).toEqual(some.map(({ id }) => id))
            const loaded = await flow.load(o())
            expect(loaded.rowCount).toBe(30)
            expect((await loaded.collect()).toRows()).toEqual(some)
            await loaded.close()
          }
        }
        expect(bad).toEqual([])
      })

      it('beside streams, which can be read but once, rows are those of all inputs, guesses right or wrong', async () => {
        // Within quotes there are lines that look like rows, longer than what a lane looks at.
        const lines = csvLines(rowsAt(0, 40).map(row => ({ ...row, city: 'x' })))
        const someRows = (id: number, n: number) =>
          Array.from({ length: n }, (_, i) => ({ id: id + i, city: i % 3 === 1 ? `${lines}end` : 'x', degrees: i }))
        const input = fc.record({ n: fc.nat(12), isStream: fc.boolean(), isUnited: fc.boolean() })
        await fc.assert(
          fc.asyncProperty(
            fc.array(input, { minLength: 2, maxLength: 4 }),
            fc.constantFrom(97, 500, 1021),
            fc.constantFrom('collect', 'run', 'load', 'limit', 'run limit', 'groups'),
            async (inputs, splitBytes, terminal) => {
              const parts: Inputs[][] = []
              const expected: ReturnType<typeof someRows> = []
              for (const [i, { n, isStream, isUnited }] of inputs.entries()) {
                const of = someRows(100 * i, n)
                expected.push(...of)
                if (parts.length === 0 || isUnited) parts.push([])
                parts[parts.length - 1].push(isStream ? streamOf(csvOf(of), 1000) : new Blob([csvOf(of)]))
              }
              const [first, ...others] = parts.map(part =>
                flowOf<typeof SHAPE>(textSource('csv', part as Blob[], { ...plain, schema: SHAPE, splitBytes })),
              )
              const flow = others.length === 0 ? first : first.union(...others)
              if (terminal === 'collect') expect((await flow.collect(o())).toRows()).toEqual(expected)
              else if (terminal === 'run') {
                const ids: unknown[] = []
                for await (const batch of flow.run(o())) ids.push(...batch.column('id'))
                expect(ids.toSorted()).toEqual(expected.map(({ id }) => id).toSorted())
              } else if (terminal === 'load') {
                await using loaded = await flow.load(o())
                expect((await loaded.collect()).toRows()).toEqual(expected)
              } else if (terminal === 'run limit') {
                let rowCount = 0
                for await (const batch of flow.limit(10).run(o())) rowCount += batch.rowCount
                expect(rowCount).toBe(Math.min(10, expected.length))
              } else if (terminal === 'limit') {
                const few = await flow.limit(10).collect(o())
                expect(few.toRows()).toEqual(expected.slice(0, 10))
              } else {
                const groups = await flow.aggregate(t => ({ n: count(), last: last(t.id) })).collect(o())
                expect(groups.at(0)).toEqual({ n: expected.length, last: expected.at(-1)?.id ?? null })
              }
            },
          ),
          { numRuns: 40 },
        )
      })

      it('say where the first bad row is, whatever comes after it', async () => {
        const lines = csvOf(rows).split('\n')
        const at = 1234
        lines[at] = '77,x,warm'
        lines[at + 100] = 'no,x,1'
        const byteOffset = bytesOf(`${lines.slice(0, at).join('\n')}\n`).length
        const text = lines.join('\n')
        const before = (await csv({ text: lines.slice(0, at).join('\n') }, { schema: SHAPE }).collect(o())).rowCount
        for (const splitBytes of [null, 1000]) {
          const source = textSource('csv', [new File([text], 'cities.csv')], { ...plain, schema: SHAPE, splitBytes })
          const error = await refusal(() => flowOf(source).collect(o()), 'MR_TYPE_MISMATCH')
          expect(error.details).toMatchObject({
            file: 'cities.csv',
            row: before,
            column: 'degrees',
            byteOffset,
            text: '77,x,warm',
          })
          expect(error.message).toContain(`cities.csv, row ${before}, byte ${byteOffset}, column "degrees": `)
          // What comes before it can be had.
          expect((await flowOf(source).limit(before).collect(o())).rowCount).toBe(before)
        }
      })

      it('tell all bad rows in their order, and read the others', async () => {
        const good = rowsAt(0, 2000).filter(({ city }) => city === null || !city.includes('\n'))
        const lines = csvOf(good).trimEnd().split('\n')
        const expected: { row: number; text: string }[] = []
        for (const [i, text] of [
          [5, 'x,y,1'],
          [17, '1,2'],
          [900, '9,"a" b,1'],
          [1300, '1,,1e'],
        ] as const) {
          lines.splice(i, 0, text)
          expected.push({ row: i - 1, text })
        }
        const text = `${lines.join('\n')}\n`
        for (const splitBytes of [null, 700]) {
          const bad: RejectedRow[] = []
          const onBadRow = (row: RejectedRow) => bad.push(row)
          const source = textSource('csv', [new Blob([text])], { ...plain, schema: SHAPE, splitBytes, onBadRow })
          expect((await flowOf(source).collect(o())).toRows()).toEqual(good)
          expect(bad.map(({ row, text: own }) => ({ row, text: own }))).toEqual(expected)
          bad.length = 0
          // A value that is not read is not looked at: what has too few fields, or a quote in the wrong place, is no row all the same.
          const n = await flowOf(source)
            .aggregate((t: any) => ({ n: count(), last: sum(t.id), most: sum(t.degrees) }))
            .select('n')
            .collect(o())
          expect(n.at(0)).toEqual({ n: good.length })
          expect(bad).toHaveLength(4)
        }
        const bad: RejectedRow[] = []
        const streamed = csv(streamOf(text, 333), { schema: SHAPE, onBadRow: row => bad.push(row) })
        expect((await streamed.collect(o())).rowCount).toBe(good.length)
        expect(bad.map(({ row, text: own }) => ({ row, text: own }))).toEqual(expected)
      })

      it('tell bad rows of a file that is one part as they come, of several files in their order', async () => {
        const shape = schema({ id: int64() })
        const lines = Array.from({ length: 20_000 }, (_, i) => (i % 10 === 0 ? `${i}` : `no ${i}`))
        const zipped = await gzip(`id\n${lines.join('\n')}\n`)
        const document = { text: `[${lines.map(line => `{"id":${/^no/.test(line) ? `"${line}"` : line}}`).join(',')}]` }
        const good = lines.filter(line => !line.startsWith('no')).map(id => ({ id: Number(id) }))
        const bad: number[] = []
        const onBadRow = ({ row }: RejectedRow) => bad.push(row)
        const told = lines.flatMap((line, row) => (line.startsWith('no') ? [row] : []))
        const both = [...told, ...told.map(row => lines.length + row)]
        const one = () => csv(zipped, { schema: shape, onBadRow })
        for (const [flow, rows] of [
          [csv([zipped, zipped], { schema: shape, onBadRow }), both],
          [json([document, document], { schema: shape, onBadRow }), both],
          [one().union(one()), [...told, ...told]],
        ] as const) {
          bad.length = 0
          expect((await flow.collect(o())).toRows()).toEqual([...good, ...good])
          expect(bad).toEqual(rows)
        }
      })

      it('count strings in which ill-formed text was replaced', async () => {
        // 0xff is written as ÿ at first. Every third row has one; what guesses where rows begin is misled by line breaks within quotes.
        const city = (i: number, mark: string) =>
          i % 3 === 0 ? `${mark}${i % 10}\n${'1,x,2\n'.repeat(i % 30 === 0 ? 60 : 1)}` : `city ${i % 10}`
        const line = (i: number) => `${i},"${city(i, 'ÿ')}",1\n`
        const binary = `id,city,degrees\n${Array.from({ length: 900 }, (_, i) => line(i)).join('')}`
        const bytes = Uint8Array.from(binary, character => character.charCodeAt(0))
        const cities = Array.from({ length: 900 }, (_, i) => city(i, '\ufffd'))
        for (const splitBytes of [null, 97, 1000]) {
          const told: IllFormedText[] = []
          const onIllFormed = (text: IllFormedText) => told.push(text)
          const source = textSource('csv', [new File([bytes], 'a.csv')], {
            ...plain,
            schema: SHAPE,
            splitBytes,
            onIllFormed,
          })
          const job = flowOf(source).select('city').run(o())
          const found: unknown[] = []
          for await (const batch of job) found.push(...batch.toRows().map(({ city }: any) => city))
          expect(found).toEqual(cities)
          expect(job.metrics().illFormed).toBe(300)
          expect(told.reduce((sum, each) => sum + each.count, 0)).toBe(300)
          expect(told.every(({ file }, i) => file === 'a.csv' && told[i].fromRow >= (told[i - 1]?.toRow ?? 0))).toBe(
            true,
          )
          told.length = 0
          const n = await flowOf(source)
            .groupBy('city')
            .aggregate(() => ({ n: count() }))
            .collect(o())
          expect(n.rowCount).toBe(new Set(cities).size)
          expect(told.reduce((sum, each) => sum + each.count, 0)).toBe(300)
          // What is not read is not looked at.
          const others = flowOf(source).select('id').run(o())
          for await (const batch of others) expect(batch.schema).toEqual(schema({ id: int64() }))
          expect(others.metrics()).not.toHaveProperty('illFormed')
        }
      })

      it('count them in JSON and in other encodings too', async () => {
        const told: IllFormedText[] = []
        const onIllFormed = (text: IllFormedText) => told.push(text)
        const counted = () => told.splice(0).reduce((sum, each) => sum + each.count, 0)
        const bytesIn = (text: string) => Uint8Array.from(text, character => character.charCodeAt(0))
        const lines = bytesIn(
          '{"a":"x\xff","b":["\xc3","y"]}\n{"a":"\\ud800","b":[]}\n{"a":"\\u00ff","b":null}\n{"\xff":1}\n',
        )
        const read = await ndjson(lines, { onIllFormed }).collect(o())
        expect(read.toRows().map(({ a, b }: any) => [a, b])).toEqual([
          ['x\ufffd', ['\ufffd', 'y']],
          ['\ufffd', []],
          ['ÿ', null],
          [null, null],
        ])
        expect(counted()).toBe(3)
        const utf16 = new Uint8Array(
          Uint16Array.from('a\n\ud800x\nfine\n', character => character.charCodeAt(0)).buffer,
        )
        expect((await csv(utf16, { encoding: 'utf-16le', onIllFormed }).collect(o())).toRows()).toEqual([
          { a: '\ufffdx' },
          { a: 'fine' },
        ])
        expect(counted()).toBe(1)
        const shiftJis = bytesIn('a\n\x82\xa0\n\x82\n')
        expect((await csv(shiftJis, { encoding: 'shift_jis', onIllFormed }).collect(o())).at(0)).toEqual({ a: 'あ' })
        expect(counted()).toBe(1)
      })

      it('what a bad row’s listener throws ends the job', async () => {
        const flow = csv(
          { text: 'id,city,degrees\nx,,\n' },
          {
            schema: SHAPE,
            onBadRow: () => {
              throw new Error('not having it')
            },
          },
        )
        await expect(flow.collect(o())).rejects.toThrow('not having it')
      })

      it('a listener that is asynchronous is waited for, and what it rejects with ends the job', async () => {
        const bytes = Uint8Array.from('id,city,degrees\nx,,\n1,\xff,2\n', character => character.charCodeAt(0))
        const read = (options: object, signal?: AbortSignal) =>
          csv(bytes, options).collect({ ...o(), ...(signal && { signal }) })
        const skipped = { schema: SHAPE, onBadRow: () => {} }
        await expectWaitedFor((onBadRow, signal) => read({ ...skipped, onBadRow }, signal))
        await expectWaitedFor((onIllFormed, signal) => read({ ...skipped, onIllFormed }, signal))
        await expectWaitedFor((onInferred, signal) => read({ onInferred }, signal))
        // Also of what was read before a guess was found to be wrong.
        const text = `id,city,degrees\nx,,\n${'1,"a\n2,b,3\n",3\n'.repeat(200)}`
        const guessed = (onBadRow: () => Promise<void>, signal?: AbortSignal) =>
          flowOf(textSource('csv', [new Blob([text])], { ...plain, schema: SHAPE, splitBytes: 97, onBadRow })).collect({
            ...o(),
            ...(signal && { signal }),
          })
        await expectWaitedFor(guessed)
      })

      it('tell how far they have been read, in bytes and rows', async () => {
        const many = rowsAt(0, 60_000)
        const blob = new Blob([csvOf(many)])
        const told: Progress[] = []
        const table = await csv(blob, { schema: SHAPE })
          .aggregate(() => ({ n: count() }))
          .collect({ ...o(), onProgress: progress => told.push(progress) })
        expect(table.at(0)).toEqual({ n: 60_000 })
        const last = told.at(-1) as Progress
        expect(last.rows).toBe(60_000)
        expect(last.totalRows).toBe(60_000)
        expect(last.bytes).toBe(last.totalBytes)
        expect(last.totalBytes).toBeGreaterThan(blob.size - 100)
      })

      it('only what a flow reads is parsed', async () => {
        const text = 'id,city,degrees\n1,a,not a number\n2,b,nor this\n'
        const table = await csv({ text }, { schema: SHAPE }).select('id').collect(o())
        expect(table.toRows()).toEqual([{ id: 1 }, { id: 2 }])
        expect(
          (
            await csv({ text }, { schema: SHAPE })
              .aggregate(() => ({ n: count() }))
              .collect(o())
          ).at(0),
        ).toEqual({ n: 2 })
      })

      it('without a row there is a table without one', async () => {
        for (const text of ['id,city,degrees\n', 'id,city,degrees']) {
          expect((await csv({ text }, { schema: SHAPE }).collect(o())).rowCount).toBe(0)
        }
        expect((await ndjson({ text: '\n\n' }, { schema: SHAPE }).collect(o())).rowCount).toBe(0)
        expect((await json({ text: '[]' }, { schema: SHAPE }).collect(o())).rowCount).toBe(0)
      })

      it('a stream begins with as few bytes as it likes, and goes on with as many', async () => {
        const text = csvOf(rowsAt(0, 20_000))
        for (const input of [bytesOf(text), new Uint8Array(await (await gzip(text)).arrayBuffer())]) {
          for (const first of [1, 2]) {
            const parts = [input.slice(0, first), input.slice(first)]
            const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
              start(controller) {
                for (const part of parts) controller.enqueue(part)
                controller.close()
              },
            })
            expect((await csv(stream, { schema: SHAPE }).collect(o())).rowCount).toBe(20_000)
          }
        }
      })

      it('a row of a stream may come in very many pieces', { timeout: 20_000 }, async () => {
        const city = 'a'.repeat(2 ** 24)
        const lines = [`id,city,degrees\n1,"${city}",2\n3,b,4\n`, jsonLines([{ ...rowAt(1), city }, rowAt(2)])]
        for (const flow of [
          csv(streamOf(lines[0], 2000), { schema: SHAPE }),
          ndjson(streamOf(lines[1], 2000), { schema: SHAPE }),
        ]) {
          const table = await flow.collect(o())
          expect(table.column('city').at(0)?.length).toBe(city.length)
          expect(table.rowCount).toBe(2)
        }
      })

      it('a stream can be read once', async () => {
        const flow = csv(streamOf(csvOf(rows), 1000), { schema: SHAPE })
        await flow.collect(o())
        await refusal(() => flow.collect(o()), 'MR_SOURCE_CONSUMED')
      })

      it('a stream is read once by a terminal that reads it several times', async () => {
        const few = columns({ id: BigInt64Array.from([3n, 4n, 5000n]), name: ['three', 'four', 'none'] })
        const text = csvOf(rows)
        const ways: (() => Flow<any>)[] = [
          () => csv(streamOf(text, 1000), { schema: SHAPE }),
          () => csv(streamOf(text, 77)),
          () => csv([{ text: csvOf([]) }, new Response(text)], { schema: SHAPE }),
          () => ndjson(streamOf(jsonLines(rows), 1000)),
          () => json(streamOf(JSON.stringify(rows), 1000)),
        ]
        for (const way of ways) {
          const read: number[] = []
          const take = async (flow: Flow<any>) => {
            for await (const batch of flow.run(o())) read.push(...(batch.column('id').toArray() as number[]))
            return read.splice(0)
          }
          expect(await take(way().join(few, 'id'))).toEqual([3, 4])
          const flow = way()
          const own = flow.groupBy('city').aggregate(() => ({ n: count() }))
          expect(await take(flow.join(own, 'city').filter((t: any) => t.id.lt(5)))).toEqual([0, 1, 2, 3, 4])
          const twice = way()
          expect(
            (
              await twice
                .union(twice)
                .aggregate(() => ({ n: count() }))
                .collect(o())
            ).at(0),
          ).toEqual({ n: 6000 })
          const both = way()
          expect(await take(both.union(both.filter((t: any) => t.id.lt(2))))).toHaveLength(3002)
          const shared = way()
          const late = shared.filter((t: any) => t.id.gte(2990))
          const all = await collectAll({ late, groups: shared.groupBy('city').aggregate(() => ({ n: count() })) }, o())
          expect(all.late.rowCount).toBe(10)
          expect(all.groups.toRows()).toEqual(
            (
              await csv({ text }, { schema: SHAPE })
                .groupBy('city')
                .aggregate(() => ({ n: count() }))
                .collect(o())
            ).toRows(),
          )
          const staged = way()
          const carried = staged.fillNull({ city: { method: 'previous' } })
          const [asIs, after] = [
            staged.aggregate(t => ({ n: count(t.city) })),
            carried.aggregate(t => ({ n: count(t.city) })),
          ]
          const nulls = rows.filter(({ city }) => city === null).length
          const filled = await collectAll({ asIs, after }, o())
          expect([filled.asIs.at(0), filled.after.at(0)]).toEqual([{ n: 3000 - nulls }, { n: 3000 }])
          const met = way()
          expect((await met.semiJoin(met.fillNull({ city: { method: 'next' } }), 'city').collect(o())).rowCount).toBe(
            3000 - nulls,
          )
          const { valid, rejected } = way().validate({ early: t => t.id.lt(2000) })
          const counts = { valid: 0, rejected: 0 }
          const sinks = {
            valid(batch: RecordBatch) {
              counts.valid += batch.rowCount
            },
            rejected(batch: RecordBatch) {
              counts.rejected += batch.rowCount
            },
          }
          await runAll({ valid, rejected }, sinks, o()).finished
          expect(counts).toEqual({ valid: 2000, rejected: 1000 })
        }
      })

      it('a stream is let go of when no more is wanted', async () => {
        let cancelled = 0
        const endless = () => {
          let chunk = 0
          return new ReadableStream<Uint8Array>({
            pull(controller) {
              controller.enqueue(bytesOf(chunk++ === 0 ? csvOf(rows.slice(0, 100)) : csvLines(rows.slice(0, 100))))
            },
            cancel() {
              cancelled++
            },
          })
        }
        expect((await csv(endless(), { schema: SHAPE }).limit(7).collect(o())).rowCount).toBe(7)
        for await (const _ of csv(endless(), { schema: SHAPE }).run(o())) break
        const abort = new AbortController()
        const job = csv(endless(), { schema: SHAPE })
          .aggregate(() => ({ n: count() }))
          .collect({ ...o(), signal: abort.signal })
        setTimeout(() => abort.abort(new Error('enough')), 30)
        await expect(job).rejects.toThrow('enough')
        // Of a plan that is refused only once there is a sample to say what columns there are.
        await refusal(
          () =>
            csv(endless())
              .filter(t => t.nothing.gt(1))
              .collect(o()),
          'MR_UNKNOWN_COLUMN',
        )
        await new Promise(resolve => setTimeout(resolve, 20))
        expect(cancelled).toBe(4)
      })
    })

    it('are refused for what is no option, no input or no such column', async () => {
      const input = { text: 'a,b\n1,2\n' }
      await refusal(() => csv(input, { delimiter: ',,' }), 'MR_INVALID_OPTION')
      await refusal(() => csv(input, { delimiter: '"' }), 'MR_INVALID_OPTION')
      await refusal(() => csv(input, { quotes: "'" } as any), 'MR_INVALID_OPTION')
      await refusal(() => csv(input, { ragged: 'drop' } as any), 'MR_INVALID_OPTION')
      await refusal(() => csv(input, { encoding: 'klingon' }).collect(), 'MR_INVALID_OPTION')
      await refusal(() => csv([] as any), 'MR_INVALID_OPTION')
      await refusal(() => csv(7 as any), 'MR_INVALID_OPTION')
      await refusal(() => ndjson(input, { path: 'x' } as any), 'MR_INVALID_OPTION')
      const error = await refusal(() => csv(input, { schema: schema({ c: int64() }) }).collect(), 'MR_UNKNOWN_COLUMN')
      expect(error.message).toContain('"c"')
      await refusal(() => csv({ text: 'a,a\n1,2\n' }).collect(), 'MR_DUPLICATE_COLUMN')
      await refusal(() => json({ text: '{"a": [1, 2' }).collect(), 'MR_FORMAT_ERROR')
    })
  })
}
