/** Flows into sinks: what arrives, how fast it is read, and how a job ends that is stopped, aborted, left or refused. Files by path are test/sinks. */
import { describe, expect, it } from 'vitest'
import { openColumns } from '../../src/columnar/input.js'
import { MORSEL_ROWS } from '../../src/columnar/record-batch.js'
import {
  arrow,
  arrowSink,
  channel,
  columns,
  count,
  csv,
  csvSink,
  dictionary,
  type FileHandle,
  Flow,
  type Int32,
  int32,
  jsonSink,
  list,
  ndjson,
  ndjsonSink,
  nullable,
  type PortMessage,
  type RecordBatch,
  receive,
  rows,
  runAll,
  type Sink,
  type SinkWriter,
  schema,
  stream,
  sum,
  Table,
  timestamp,
  utf8,
} from '../../src/index.js'
import { sourceNode } from '../../src/plan/build.js'
import { inputSource } from '../../src/sources/memory.js'
import { counted, type FlowEnv, onLanes, refusal, until } from './env.js'

const SPLIT_ROWS = 2 * MORSEL_ROWS
const SPLITS = 24
const data = { id: Int32Array.from({ length: SPLITS * SPLIT_ROWS }, (_, i) => i) }

/** A flow over all rows, and how many splits of it have been read. */
function watched() {
  let read = 0
  const source = inputSource('watched', openColumns(data).schema, () => {
    const input = openColumns(data)
    return {
      schema: input.schema,
      rowCount: input.rowCount,
      read: (from, to, names) => {
        if (from % SPLIT_ROWS === 0) read++
        return input.read(from, to, names)
      },
    }
  })
  const flow = new Flow<{ id: Int32 }>(sourceNode(1, 'watched', source.schema), new Map([[1, source]]))
  return { flow, read: () => read }
}
/** 16 batches of half a split each may wait, and what lanes had in hand when these were full. */
const mostAhead = (lanes: number) => 8 + 2 * Math.max(1, lanes) + 8

const few = () =>
  rows(
    [
      { name: 'Ada "A"', tags: ['x', null], at: new Date('2024-02-29T12:00:00.5Z') },
      { name: null, tags: [], at: new Date(0) },
      { name: '', tags: ['y'], at: new Date('1969-12-31T23:59:59.999Z') },
    ],
    schema({ name: nullable(utf8()), tags: list(nullable(utf8())), at: timestamp('ms') }),
  )
const turn = (ms = 20) => new Promise<void>(resolve => setTimeout(resolve, ms))
const never = () => new Promise<never>(() => {})

/** A stream of bytes, and what has come into it. */
function collector() {
  const chunks: Uint8Array[] = []
  const seen = { closed: false }
  const blob = async () => new Blob(chunks as Uint8Array<ArrayBuffer>[])
  const stream = new WritableStream<Uint8Array>({
    write(chunk) {
      chunks.push(chunk)
    },
    close() {
      seen.closed = true
    },
  })
  return { stream, seen, blob, text: async () => (await blob()).text() }
}

/** A sink of the test's own, which notes what is asked of it. */
function noting(parts: Partial<SinkWriter & { open(): unknown }> = {}) {
  const log: string[] = []
  const noted = (name: 'write' | 'finish' | 'close' | 'abort') => async (given?: any) => {
    if (log.at(-1) !== name) log.push(name)
    await (parts[name] as ((given: any) => unknown) | undefined)?.(given)
  }
  const sink: Sink = {
    async open(columns) {
      log.push(`open ${Object.keys(columns)}`)
      await parts.open?.()
      return { write: noted('write'), finish: noted('finish'), close: noted('close'), abort: noted('abort') }
    },
  }
  return { sink, log }
}

export function sinkSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('sinks', () => {
    onLanes(lanesList, (engine, lanes) => {
      const o = () => ({ engine: engine() })

      it('a function gets all rows in order, each batch once the one before has been dealt with', async () => {
        const { flow, read } = watched()
        let [next, most, running] = [0, 0, 0]
        const job = flow.to(async (batch: RecordBatch) => {
          expect(++running).toBe(1)
          const ids = batch.column('id').toArray() as Int32Array
          expect(ids[0]).toBe(next)
          next += ids.length
          if (next % (3 * SPLIT_ROWS) === 0) await turn()
          most = Math.max(most, read() - next / SPLIT_ROWS)
          running--
        }, o())
        await job.finished
        expect(next).toBe(data.id.length)
        expect(most).toBeLessThanOrEqual(mostAhead(lanes))
        expect(job.metrics()).toMatchObject({ rows: next, totalRows: next, rowsWritten: next, bytesWritten: 0 })
      })

      it('a stream of batches gets them as fast as it takes them', async () => {
        const { flow, read } = watched()
        let [taken, most] = [0, 0]
        const stream = new WritableStream<RecordBatch>({
          async write(batch) {
            taken += batch.rowCount
            if (taken % (3 * SPLIT_ROWS) === 0) await turn()
            most = Math.max(most, read() - taken / SPLIT_ROWS)
          },
        })
        await flow.to(stream, o()).finished
        expect(taken).toBe(data.id.length)
        expect(most).toBeLessThanOrEqual(mostAhead(lanes))
        expect(stream.locked).toBe(true)
      })

      it('a file of bytes gets no more than it takes, and what is read waits', async () => {
        const { flow, read } = watched()
        const controller = new AbortController()
        const stuck = new WritableStream<Uint8Array>({
          write: (_chunk, { signal }) =>
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        })
        const job = flow.to(ndjsonSink(stuck), { ...o(), signal: controller.signal })
        await turn(300)
        expect(read()).toBeLessThanOrEqual(mostAhead(lanes))
        expect(job.metrics().rowsWritten).toBe(0)
        controller.abort('enough')
        await expect(job.finished).rejects.toBe('enough')
      })

      it('text files have what was asked for', async () => {
        const [csv, lines, array] = [collector(), collector(), collector()]
        await few().to(csvSink(csv.stream, { delimiter: ';' }), o()).finished
        expect(await csv.text()).toBe(
          'name;tags;at\n"Ada ""A""";"[""x"",null]";2024-02-29T12:00:00.500Z\n;"[]";1970-01-01T00:00:00.000Z\n"";"[""y""]";1969-12-31T23:59:59.999Z\n',
        )
        const job = few().to(ndjsonSink(lines.stream), o())
        await job.finished
        const records = [
          { name: 'Ada "A"', tags: ['x', null], at: '2024-02-29T12:00:00.500Z' },
          { name: null, tags: [], at: '1970-01-01T00:00:00.000Z' },
          { name: '', tags: ['y'], at: '1969-12-31T23:59:59.999Z' },
        ]
        expect((await lines.text()).split('\n')).toEqual([...records.map(record => JSON.stringify(record)), ''])
        expect(job.metrics()).toMatchObject({ rowsWritten: 3, bytesWritten: (await lines.text()).length })
        await few().to(jsonSink(array.stream), o()).finished
        expect(JSON.parse(await array.text())).toEqual(records)
        expect([csv.seen, lines.seen, array.seen].every(({ closed }) => closed)).toBe(true)
      })

      it('Arrow files and streams read back equal, through lanes', async () => {
        const codes = Int32Array.from({ length: 70_000 }, (_, i) => (i * 7) % 1000)
        const flow = columns({
          id: Int32Array.from(codes, (_, i) => i),
          text: dictionary(
            codes,
            Array.from({ length: 1000 }, (_, i) => `value ${i}`),
            // Null now and then.
            { validity: Array.from(codes, code => code % 5 > 0) },
          ),
          value: Float64Array.from(codes, code => code / 4),
          items: Array.from(codes, code => [code % 9, null].slice(code % 3)),
        })
        const expected = await flow.collect(o())
        for (const layout of ['file', 'stream'] as const) {
          const bytes = collector()
          const job = flow.to(arrowSink(bytes.stream, { layout }), o())
          await job.finished
          const blob = await bytes.blob()
          expect(job.metrics()).toMatchObject({ rowsWritten: 70_000, bytesWritten: blob.size })
          const back = await arrow(blob).collect(o())
          expect(back.schema).toEqual(expected.schema)
          // As text, since comparing objects one by one takes seconds.
          expect(JSON.stringify(back.toRows()) === JSON.stringify(expected.toRows())).toBe(true)
          const none = collector()
          await flow.filter(() => false).to(arrowSink(none.stream, { layout }), o()).finished
          const empty = await arrow(await none.blob()).collect(o())
          expect([empty.rowCount, empty.schema]).toEqual([0, expected.schema])
        }
        await refusal(
          () => flow.to(arrowSink(collector().stream, { layout: 'pages' as never }), o()).finished,
          'MR_INVALID_OPTION',
        )
      })

      it('a flow without rows makes a file all the same', async () => {
        const none = few().filter(() => false)
        const [csv, array] = [collector(), collector()]
        await none.to(csvSink(csv.stream), o()).finished
        await none.to(jsonSink(array.stream), o()).finished
        expect([await csv.text(), await array.text()]).toEqual(['name,tags,at\n', '[]\n'])
      })

      it('what picked files take is theirs at the end, or dropped', async () => {
        const log: string[] = []
        let text = ''
        const picked: FileHandle = {
          name: 'picked.csv',
          createWritable: async () => ({
            async write(bytes) {
              text += new TextDecoder().decode(bytes)
            },
            close: async () => void log.push('close'),
            abort: async () => void log.push('abort'),
          }),
        }
        await columns({ x: [1, 2] }).to(csvSink(picked), o()).finished
        expect([text, log]).toEqual(['x\n1\n2\n', ['close']])
        const bad = columns({ x: [1, Number.NaN] }).to(ndjsonSink(picked), o())
        expect(await refusal(() => bad.finished, 'MR_INEXACT_VALUE')).toMatchObject({
          details: { row: 1, column: 'x' },
        })
        expect(log).toEqual(['close', 'abort'])
      })

      it('through a port come equal batches, no faster than they are taken', async () => {
        const { flow, read } = watched()
        const { port1, port2 } = new MessageChannel()
        const job = flow.to(port1, o())
        let [next, most] = [0, 0]
        for await (const batch of receive<{ id: Int32 }>(port2)) {
          const ids = batch.column('id').toArray()
          expect(ids[0]).toBe(next)
          next += ids.length
          if (next % (3 * SPLIT_ROWS) === 0) await turn()
          most = Math.max(most, read() - next / SPLIT_ROWS)
        }
        await job.finished
        expect(next).toBe(data.id.length)
        expect(most).toBeLessThanOrEqual(mostAhead(lanes) + 4)
        expect(job.metrics()).toMatchObject({ rowsWritten: next, bytesWritten: 4 * next })
        port1.close()
      })

      it('strings of few and of many different values are written, read back, sent, and asked again alike', async () => {
        for (const entries of [3, 256, 257, 70_000]) {
          const codes = Int32Array.from({ length: 70_000 }, (_, i) => (i * 31) % entries)
          const texts = Array.from({ length: entries }, (_, i) => `value ${i}`)
          const valid = Array.from(codes, code => code % 7 !== 5)
          const table = await columns({ text: dictionary(codes, texts, { validity: valid }), id: codes })
            .filter(t => t.id.ne(1))
            .select('text')
            .collect(o())
          const kept = Array.from(codes).filter(code => code !== 1)
          const expected = kept.map(code => (code % 7 === 5 ? null : (texts[code] as string)))
          expect(table.column('text').toArray()).toEqual(expected)
          const counts = await table
            .flow()
            .groupBy('text')
            .aggregate(() => ({ rows: count() }))
            .collect(o())
          expect(counts.rowCount).toBe(new Set(expected).size)
          expect(counts.column('rows').at(0)).toBe(expected.filter(text => text === expected[0]).length)
          for (const [toSink, from] of [
            [csvSink, csv],
            [ndjsonSink, ndjson],
            [arrowSink, arrow],
          ] as const) {
            const { stream, blob } = collector()
            await table.flow().to((toSink as typeof csvSink)(stream), o()).finished
            const back = (from as typeof csv)(await blob(), { schema: table.schema })
            expect((await back.collect(o())).column('text').toArray()).toEqual(expected)
          }
          expect((await arrow(await table.toArrow()).collect(o())).column('text').toArray()).toEqual(expected)
          const { port1, port2 } = new MessageChannel()
          const job = table.flow().to(port1, o())
          const heard: unknown[] = []
          for await (const batch of receive(port2)) heard.push(...batch.column('text'))
          await job.finished
          port1.close()
          expect(heard).toEqual(expected)
        }
      })

      it('batches of every kind of column survive ports and channels', async () => {
        const many = Array.from({ length: 5000 }, (_, i) => `value ${i}`)
        const codes = Int32Array.from({ length: 3000 }, (_, i) => (i * 7) % 5000)
        const flow = columns({
          text: dictionary(codes, many),
          few: dictionary(
            codes.map(code => code % 3),
            ['a', '', 'é'],
            { validity: Array.from(codes, code => code % 5 > 0) },
          ),
          flag: Array.from(codes, code => code % 2 === 0),
          big: BigInt64Array.from(codes, code => BigInt(code) * 10n ** 15n),
          items: Array.from(codes, code => [`${code % 9}`, null].slice(code % 3)),
        })
        const expected = (await flow.collect(o())).toRows({ bigint: true })
        const { port1, port2 } = new MessageChannel()
        const [channel, other] = [new BroadcastChannel('millrace-sinks'), new BroadcastChannel('millrace-sinks')]
        const heard = receive(other)
        for (const [to, from] of [
          [port1, receive(port2)],
          [channel, heard],
        ] as const) {
          const job = flow.filter(t => t.big.gte(0)).to(to, o())
          const batches: RecordBatch[] = []
          for await (const batch of from) batches.push(batch)
          await job.finished
          expect(new Table(batches[0]!.schema, batches).toRows({ bigint: true })).toEqual(expected)
        }
        port1.close()
        channel.close()
        other.close()
      })

      it('a receiver that was too late, that leaves, and one whose job fails are told', async () => {
        for (const port of [null, undefined, 5, {}]) await refusal(() => receive(port as never), 'MR_INVALID_OPTION')
        const [channel, other] = [new BroadcastChannel('millrace-late'), new BroadcastChannel('millrace-late')]
        await columns({ x: [1] }).to(channel, o()).finished
        await turn()
        const late = receive(other)
        // Heard: the end of rows whose beginning was not.
        channel.postMessage({ type: 'end', rowCount: 1 } satisfies PortMessage)
        await refusal(() => late.next(), 'MR_FORMAT_ERROR')
        const failing = receive(other)
        const max = BigInt64Array.of(2n ** 63n - 1n)
        const job = columns({ max })
          .derive(t => ({ next: t.max.add(1) }))
          .to(channel, o())
        await refusal(() => failing.next(), 'MR_INTEGER_OVERFLOW')
        await refusal(() => job.finished, 'MR_INTEGER_OVERFLOW')
        channel.close()
        other.close()
        await refusal(() => few().to(channel, o()).finished, 'MR_SINK_FAILED')

        const { port1, port2 } = new MessageChannel()
        const left = watched().flow.to(port1, o())
        for await (const batch of receive(port2)) {
          expect(batch.rowCount).toBe(MORSEL_ROWS)
          break
        }
        await refusal(() => left.finished, 'MR_SINK_FAILED')
        port1.close()
      })

      it('a port that was left is sent through again, by one job at a time', async () => {
        const { port1, port2 } = new MessageChannel()
        for (let round = 0; round < 4; round++) {
          // Of rows that are few the job may have ended before it hears that it was left.
          const job = round % 2 === 0 ? watched().flow.to(port1, o()) : few().to(port1, o())
          for await (const batch of receive(port2)) {
            expect(batch.rowCount).toBeGreaterThan(0)
            break
          }
          await job.finished.catch(() => {})
        }
        const { flow } = watched()
        const job = flow.to(port1, o())
        const heard = receive(port2)
        const second = await refusal(() => few().to(port1, o()).finished, 'MR_SINK_FAILED')
        expect(second.message).toContain('another job')
        let rowCount = 0
        for await (const batch of heard) rowCount += batch.rowCount
        await job.finished
        expect(rowCount).toBe(data.id.length)
        port1.close()
      })

      it('whoever waits at the other end hears of a job that fails before its sink is opened', async () => {
        const missing = () => csv('/nowhere/missing.csv').cast({ x: int32() })
        const early = new Error('early')
        const heardOf = async (give: (port: MessagePort | BroadcastChannel) => Promise<void>) => {
          const { port1, port2 } = new MessageChannel()
          const [channel, other] = [new BroadcastChannel('millrace-early'), new BroadcastChannel('millrace-early')]
          const waiting = [receive(port2).next(), receive(other).next()]
          const told = Promise.allSettled(waiting)
          await Promise.allSettled([give(port1), give(channel)])
          const heard = await Promise.race([told, turn(2_000)])
          for (const each of [port1, channel, other]) each.close()
          return heard?.map(each => each.status === 'rejected' && each.reason.message)
        }
        expect(await heardOf(port => few().to(port, { ...o(), signal: AbortSignal.abort(early) }).finished)).toEqual(
          Array(2).fill('early'),
        )
        const unread = await heardOf(port => missing().to(port, o()).finished)
        expect(unread).toHaveLength(2)
        for (const message of unread ?? []) expect(message).toContain('missing.csv')
        const streams = [
          (to: WritableStream) => missing().to(to, o()),
          (to: WritableStream) => missing().to(csvSink(to), o()),
          // Refused by the encoder, before the stream is opened.
          (to: WritableStream) => few().to(csvSink(to, { delimiter: '' }), o()),
        ]
        for (const give of streams) {
          const { readable, writable } = new TransformStream()
          const read = readable.getReader().read()
          const job = give(writable)
          const error = await job.finished.catch(caught => caught)
          await expect(Promise.race([read, turn(2_000)])).rejects.toBe(error)
        }
      })

      it('a receiver passes over messages of others', async () => {
        const { port1, port2 } = new MessageChannel()
        const heard = receive(port2)
        for (const message of [null, 'hello', { type: 'ping' }, 5]) port1.postMessage(message)
        const job = few().to(port1, o())
        let rowCount = 0
        for await (const batch of heard) rowCount += batch.rowCount
        await job.finished
        expect(rowCount).toBe(3)
        port1.close()
      })

      it('subscribe gives batches; what the subscriber throws, or rejects with, ends the job with that very error', async () => {
        const seen: number[] = []
        await columns(counted(100)).subscribe(batch => seen.push(batch.rowCount), o()).finished
        expect(seen).toEqual([100])
        for (const fail of [
          (error: Error) => Promise.reject(error),
          (error: Error) => {
            throw error
          },
        ]) {
          const thrown = new Error('of the subscriber')
          const { flow, read } = watched()
          await expect(flow.subscribe(() => fail(thrown), o()).finished).rejects.toBe(thrown)
          await turn()
          expect(read()).toBeLessThan(SPLITS)
        }
        await refusal(
          () => columns({ x: [1] }).subscribe(new WritableStream() as never, o()).finished,
          'MR_INVALID_OPTION',
        )
      })

      it('a job asks a sink to open, to write, to finish and to close, in this order', async () => {
        const { sink, log } = noting()
        await few().to(sink, o()).finished
        expect(log).toEqual(['open name,tags,at', 'write', 'finish', 'close'])
      })

      it('a sink that fails, at whatever, is asked to leave nothing behind', async () => {
        for (const at of ['write', 'finish', 'close'] as const) {
          const thrown = new Error(at)
          const { sink, log } = noting({
            [at]: () => {
              throw thrown
            },
          })
          await expect(few().to(sink, o()).finished).rejects.toBe(thrown)
          expect(log.at(-1)).toBe('abort')
        }
        const thrown = new Error('open')
        const { sink, log } = noting({
          open: () => {
            throw thrown
          },
        })
        const { flow, read } = watched()
        await expect(flow.to(sink, o()).finished).rejects.toBe(thrown)
        expect(log).toEqual(['open id'])
        await turn()
        expect(read()).toBeLessThan(SPLITS)
      })

      it('a stream that fails is a coded error with its cause', async () => {
        const cause = new Error('full')
        for (const underlying of [{ write: () => Promise.reject(cause) }, { close: () => Promise.reject(cause) }]) {
          const error = await refusal(
            () => few().to(csvSink(new WritableStream(underlying)), o()).finished,
            'MR_SINK_FAILED',
          )
          expect(error.cause).toBe(cause)
        }
        const locked = new WritableStream()
        locked.getWriter()
        await refusal(() => few().to(locked, o()).finished, 'MR_SINK_FAILED')
      })

      it('a sink that fails, or is left, ends a flow that gives nothing', async () => {
        const quiet = () => {
          const feed = channel(schema({ x: int32() }))
          return { feed, flow: feed.flow.filter(t => t.x.gt(1)) }
        }
        const cause = new Error('the client is gone')
        for (const sinkOf of [(made: WritableStream) => made, (made: WritableStream) => csvSink(made)]) {
          const { feed, flow } = quiet()
          let isOpen = () => {}
          const opened = new Promise<void>(resolve => {
            isOpen = resolve
          })
          let fail: (error: Error) => void = () => {}
          const made = new WritableStream({
            start(controller) {
              fail = error => controller.error(error)
            },
            write: () => isOpen(),
          })
          const job = flow.to(sinkOf(made), o())
          feed.push({ x: 2 })
          await opened
          fail(cause)
          expect((await refusal(() => job.finished, 'MR_SINK_FAILED')).cause).toBe(cause)
          await until(() => feed.isClosed, 10_000)
        }
        const { feed, flow } = quiet()
        const { port1, port2 } = new MessageChannel()
        const job = flow.to(port1, o())
        const batches = receive(port2)
        feed.push({ x: 2 })
        await batches.next()
        await batches.return?.()
        await refusal(() => job.finished, 'MR_SINK_FAILED')
        await until(() => feed.isClosed, 10_000)
        port1.close()
      })

      it('a flow that fails leaves nothing in its sink', async () => {
        const { sink, log } = noting()
        const n = BigInt64Array.from({ length: 3 * SPLIT_ROWS }, (_, i) => (i === 2 * SPLIT_ROWS + 5 ? 2n ** 62n : 1n))
        const job = columns({ n })
          .derive(t => ({ twice: t.n.mul(2) }))
          .to(sink, o())
        const error = await refusal(() => job.finished, 'MR_INTEGER_OVERFLOW')
        expect(error.details.row).toBe(2 * SPLIT_ROWS + 5)
        expect(log.at(-1)).toBe('abort')
        expect(log).not.toContain('close')
      })

      it('stopped, what has been read is written and shown', async () => {
        const { flow, read } = watched()
        let taken = 0
        const { sink, log } = noting({
          write(batch) {
            taken += batch.rowCount
          },
        })
        const job = flow.to(sink, o())
        await until(() => taken > 0, 5000)
        job.stop()
        await job.finished
        expect(log.at(-1)).toBe('close')
        expect(taken).toBe(read() * SPLIT_ROWS)
        const early = watched()
        const stopped = early.flow.to(() => {}, o())
        stopped.stop()
        await stopped.finished
        expect(early.read()).toBeLessThanOrEqual(2 * Math.max(1, lanes))
      })

      it('aborted or disposed of, whatever the sink does, it ends at once and leaves nothing', async () => {
        for (const at of ['open', 'write', 'finish', 'abort'] as const) {
          // A sink that never opens is waited for, but not for ever.
          if (at === 'open' && lanes > 0) continue
          const controller = new AbortController()
          const reason = { at }
          const { sink, log } = noting({ [at]: at === 'abort' ? () => {} : never })
          const job = few().to(sink, { ...o(), signal: controller.signal })
          await until(
            () => log.includes(at === 'open' ? 'open name,tags,at' : at === 'abort' ? 'open name,tags,at' : at),
            5000,
          )
          controller.abort(reason)
          const began = performance.now()
          if (at === 'abort') await job.finished.catch(() => {})
          else await expect(job.finished).rejects.toBe(reason)
          expect(performance.now() - began).toBeLessThan(at === 'open' ? 4000 : 1500)
          if (at === 'write' || at === 'finish') expect(log.at(-1)).toBe('abort')
        }
        const { sink, log } = noting({ write: never })
        const job = few().to(sink, o())
        await until(() => log.includes('write'), 5000)
        await job[Symbol.asyncDispose]()
        expect(log.at(-1)).toBe('abort')
        await expect(job.finished).rejects.toMatchObject({ name: 'AbortError' })
      })

      it('an aborted signal and one that is aborted afterwards', async () => {
        const { sink, log } = noting()
        await expect(few().to(sink, { ...o(), signal: AbortSignal.abort('never') }).finished).rejects.toBe('never')
        expect(log).toEqual([])
        const controller = new AbortController()
        await few().to(sink, { ...o(), signal: controller.signal }).finished
        controller.abort()
        expect(log.at(-1)).toBe('close')
      })

      it('what is no sink, and what is no option, is refused, and so is iterating', async () => {
        for (const given of [null, 5, 'out.csv', {}, new ReadableStream()])
          await refusal(() => few().to(given as never, o()).finished, 'MR_INVALID_OPTION')
        for (const writer of [undefined, null, 5, { write() {}, abort() {} }])
          await refusal(() => few().to({ open: async () => writer as never }, o()).finished, 'MR_INVALID_OPTION')
        await refusal(() => few().to(csvSink(5 as never), o()).finished, 'MR_INVALID_OPTION')
        await refusal(() => few().to(csvSink('https://example.com/x'), o()).finished, 'MR_INVALID_OPTION')
        await refusal(() => few().to(csvSink(collector().stream, { delimiter: '' }), o()).finished, 'MR_INVALID_OPTION')
        await refusal(() => few().to(() => {}, { ...o(), lane: 1 } as never).finished, 'MR_INVALID_OPTION')
        const job = few().to(() => {}, o())
        await refusal(async () => {
          for await (const batch of job) expect(batch).toBeNull()
        }, 'MR_SOURCE_CONSUMED')
        await job.finished
      })

      it('runAll runs all, and shows nothing before all have everything', async () => {
        const flow = columns(counted(300_000))
        const [a, b] = [noting({ finish: () => turn(50) }), noting()]
        const order: string[] = []
        const [one, two] = [
          noting({ close: () => void order.push('one') }),
          noting({ finish: () => void order.push('two') }),
        ]
        const job = runAll(
          { a: flow, b: flow.limit(10), one: flow, two: flow.filter(t => t.id.lt(100)) },
          { a: a.sink, b: b.sink, one: one.sink, two: two.sink },
          o(),
        )
        await job.finished
        expect(order).toEqual(['two', 'one'])
        expect([a, b].map(({ log }) => log.at(-1))).toEqual(['close', 'close'])
        expect(job.metrics()).toMatchObject({ rowsWritten: 600_110 })
        await runAll({}, {}, o()).finished
      })

      it('a failure of one of several ends all, and leaves nothing in any', async () => {
        const thrown = new Error('one of them')
        const [good, slow] = [noting(), noting({ write: () => turn(5) })]
        const bad = noting({
          finish: () => {
            throw thrown
          },
        })
        const { flow, read } = watched()
        const job = runAll(
          { good: few(), bad: few(), slow: flow },
          { good: good.sink, bad: bad.sink, slow: slow.sink },
          o(),
        )
        await expect(job.finished).rejects.toBe(thrown)
        expect([good, bad, slow].map(({ log }) => log.at(-1))).toEqual(['abort', 'abort', 'abort'])
        expect([good, bad, slow].some(({ log }) => log.includes('close'))).toBe(false)
        expect(read()).toBeLessThan(SPLITS)
      })

      it('a stream that fails as it closes leaves nothing in what comes before it', async () => {
        const broken = () => new WritableStream({ close: () => Promise.reject(new Error('broken')) })
        for (const last of [broken(), csvSink(broken())]) {
          const { sink, log } = noting()
          await refusal(() => runAll({ a: few(), b: few() }, { a: sink, b: last }, o()).finished, 'MR_SINK_FAILED')
          expect([log.includes('close'), log.at(-1)]).toEqual([false, 'abort'])
        }
      })

      it('a sink that is not asked to finish, and fails as it closes, leaves nothing in what comes before it', async () => {
        const thrown = new Error('not committed')
        const own: Sink = {
          open: async () => ({ write() {}, close: () => Promise.reject(thrown), abort() {} }),
        }
        const { sink, log } = noting()
        await expect(runAll({ a: few(), b: few() }, { a: sink, b: own }, o()).finished).rejects.toBe(thrown)
        expect([log.includes('finish'), log.includes('close'), log.at(-1)]).toEqual([true, false, 'abort'])
      })

      it('a sink is not opened any more once another has failed, however soon', async () => {
        for (let turns = 0; turns < 12; turns++) {
          const { sink, log } = noting()
          const failing: Sink = {
            async open() {
              for (let i = 0; i < turns; i++) await null
              throw new Error('early')
            },
          }
          const mapped = few().map(({ name }) => ({ name }), { schema: schema({ name: nullable(utf8()) }) })
          await expect(runAll({ a: few(), b: mapped }, { a: failing, b: sink }, o()).finished).rejects.toThrow('early')
          await turn(5)
          expect([undefined, 'abort']).toContain(log.at(-1))
        }
      })

      it('runAll reads a stream once for flows of which some have functions of rows before them', async () => {
        const shape = schema({ id: int32(), text: utf8() })
        const given = Array.from({ length: 500 }, (_, id) => ({ id, text: `${id % 7}` }))
        async function* items() {
          yield* given
        }
        const lines = () => new Blob([given.map(row => `${JSON.stringify(row)}\n`).join('')]).stream()
        for (const all of [
          stream(items(), { schema: shape }),
          ndjson(lines(), { schema: shape }),
          ndjson(lines()),
        ] as Flow<any>[]) {
          const even = all.filterRows(({ id }) => id % 2 === 0)
          const flows = {
            all,
            same: all,
            even,
            third: even.filter(t => t.id.mod(3).eq(0)),
            other: all.fillNull({ text: { method: 'previous' } }).limit(20),
          }
          const ids: Record<string, number[]> = {}
          const sinks = Object.fromEntries(
            Object.keys(flows).map(name => {
              const own: number[] = []
              ids[name] = own
              return [name, (batch: RecordBatch) => own.push(...(batch.column('id') as Iterable<number>))]
            }),
          )
          await runAll(flows, sinks as never, o()).finished
          const where = (test: (id: number) => boolean) => given.map(({ id }) => id).filter(test)
          expect(ids).toEqual({
            all: where(() => true),
            same: where(() => true),
            even: where(id => id % 2 === 0),
            third: where(id => id % 6 === 0),
            other: where(id => id < 20),
          })
          // What is left of it is nothing.
          await refusal(() => runAll(flows, sinks as never, o()).finished, 'MR_SOURCE_CONSUMED')
        }
        const twice = stream(items(), { schema: shape })
        const filled = twice.fillNull({ id: { method: 'mean' } })
        const none = () => {}
        await refusal(
          () => runAll({ twice, filled }, { twice: none, filled: none }, o()).finished,
          'MR_SOURCE_CONSUMED',
        )
      })

      it('runAll goes on with rows that functions make for several flows when one of these has all that it wants', async () => {
        for (const names of [
          ['first', 'all'],
          ['all', 'first'],
        ]) {
          const feed = channel(schema({ id: int32() }))
          const all = feed.flow.map(row => row, { schema: schema({ id: int32() }) })
          const flows: Record<string, Flow<{ id: Int32 }>> = { first: all.limit(1), all }
          const ids: Record<string, number[]> = { first: [], all: [] }
          const each = (of: (name: string) => unknown) => Object.fromEntries(names.map(name => [name, of(name)]))
          const sinks = each(
            name => (batch: RecordBatch<{ id: Int32 }>) => ids[name].push(...batch.column('id').toArray()),
          )
          const job = runAll(each(name => flows[name]) as typeof flows, sinks as never, o())
          for (let id = 0; id < 5; id++) {
            await feed.push({ id })
            await until(() => ids.all.length > id, 1000)
          }
          feed.close()
          await job.finished
          expect(ids).toEqual({ first: [0], all: [0, 1, 2, 3, 4] })
        }
      })

      it('runAll goes on with what flows share when one of them wants nothing, or ends before it has opened that', async () => {
        const shape = schema({ id: int32() })
        const same = (flow: Flow<typeof shape>) => flow.map(row => row, { schema: shape })
        const some = (flow: Flow<typeof shape>) => flow.filter(t => t.id.gt(0))
        const none = rows([], shape)
        const cases: Record<string, (f: Flow<typeof shape>) => Record<string, Flow<typeof shape>>> = {
          filtered: f => ({ none: some(f).limit(0), all: f }),
          last: f => ({ all: f, none: some(f).limit(0) }),
          mapped: f => ({ none: same(f).limit(0), all: f }),
          'of the same rows': f => {
            const own = same(f)
            return { none: own.limit(0), all: own, more: f }
          },
          'two of the same rows': f => {
            const own = same(some(f))
            return { none: own.limit(0), neither: own.limit(0), all: f }
          },
          'in a union': f => ({ some: none.union(same(f).limit(0), some(f)), all: f }),
          'nobody wants any': f => ({ none: some(f).limit(0), neither: f.limit(0) }),
        }
        for (const [name, flowsOf] of Object.entries(cases)) {
          const feed = channel(shape)
          const text = new Blob(['id\n0\n1\n2\n']).stream() as ReadableStream<Uint8Array<ArrayBuffer>>
          for (const given of [feed.flow, csv(text, { schema: shape })]) {
            const flows = flowsOf(given)
            const ids: Record<string, number[]> = Object.fromEntries(Object.keys(flows).map(each => [each, []]))
            const sinks = Object.fromEntries(
              Object.entries(ids).map(([each, own]) => [
                each,
                (batch: RecordBatch<typeof shape>) => void own.push(...batch.column('id').toArray()),
              ]),
            )
            const job = runAll(flows, sinks as never, o())
            if (given === feed.flow) {
              await feed.push([{ id: 0 }, { id: 1 }, { id: 2 }]).catch(() => {})
              feed.close()
            }
            await job.finished
            const all = { none: [], neither: [], some: [1, 2], all: [0, 1, 2], more: [0, 1, 2] }
            for (const [each, own] of Object.entries(ids))
              expect([name, each, own]).toEqual([name, each, all[each as 'all']])
          }
        }
      })

      it('a sink of no rows of a feed has its columns', async () => {
        const feed = channel(schema({ id: int32() }))
        const kept = collector()
        await feed.flow
          .filter(t => t.id.gt(0))
          .limit(0)
          .to(csvSink(kept.stream), o()).finished
        expect(await kept.text()).toBe('id\n')
      })

      it('runAll reads a stream once for all its flows, at the pace of the slowest', async () => {
        const shape = schema({ id: int32(), text: utf8() })
        let [given, most, slowest] = [0, 0, 0]
        let isClosed = false
        async function* items() {
          try {
            for (; given < 200; given++) {
              most = Math.max(most, given - slowest)
              yield rows([{ id: given, text: `${given % 7}` }], shape).collect({ lanes: 0 })
              // What comes at once would be put together.
              for (let wait = 0; wait < 3; wait++) await new Promise(resolve => setTimeout(resolve, 0))
            }
          } finally {
            isClosed = true
          }
        }
        const all = stream(items(), { schema: shape })
        const ids: unknown[] = []
        const texts: unknown[] = []
        const firsts: unknown[] = []
        let total: unknown
        const job = runAll(
          {
            ids: all.filter(t => t.id.mod(2).eq(0)).select('id'),
            texts: all.select('text'),
            first: all.limit(3),
            total: all.aggregate(t => ({ total: sum(t.id), n: count() })),
          },
          {
            ids: batch => ids.push(...batch.column('id')),
            async texts(batch) {
              texts.push(...batch.column('text'))
              if (texts.length % 50 === 0) await turn()
              slowest = texts.length
            },
            first: batch => firsts.push(...batch.column('id')),
            total: batch => {
              total = batch.at(0)
            },
          },
          o(),
        )
        await job.finished
        expect(ids).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i))
        expect(texts).toEqual(Array.from({ length: 200 }, (_, i) => `${i % 7}`))
        expect(firsts).toEqual([0, 1, 2])
        expect(total).toEqual({ total: (199 * 200) / 2, n: 200 })
        // 16 batches of one row may wait, splits that lanes have in hand, and those that wait for the others.
        expect(most).toBeLessThanOrEqual(16 + 8 + 4 * Math.max(1, lanes) + 6)
        expect(isClosed).toBe(true)
        await refusal(() => all.to(() => {}, o()).finished, 'MR_SOURCE_CONSUMED')
      })

      it('a stream that fails, or is stopped, ends all that share it', async () => {
        const shape = schema({ id: int32() })
        const thrown = new Error('of the stream')
        async function* failing() {
          yield [{ id: 1 }, { id: 2 }]
          await turn()
          throw thrown
        }
        const flow = stream(failing(), { schema: shape })
        const [a, b] = [noting(), noting()]
        const error = await runAll({ a: flow, b: flow.select('id') }, { a: a.sink, b: b.sink }, o()).finished.then(
          () => null,
          (error: Error) => error,
        )
        expect(error === thrown || error?.message.includes('of the stream')).toBe(true)
        expect([a, b].map(({ log }) => log.at(-1))).toEqual(['abort', 'abort'])

        let isClosed = false
        async function* endless() {
          try {
            for (let id = 0; ; id++) {
              yield [{ id }]
              await turn(1)
            }
          } finally {
            isClosed = true
          }
        }
        const live = stream(endless(), { schema: shape })
        let [left, right] = [0, 0]
        const job = runAll(
          { left: live, right: live },
          {
            left: batch => {
              left += batch.rowCount
            },
            right: batch => {
              right += batch.rowCount
            },
          },
          o(),
        )
        await until(() => left > 5 && right > 5, 5000)
        job.stop()
        await job.finished
        await until(() => isClosed, 1000)
      })

      it('runAll refuses what does not fit together', async () => {
        const [flow, sink] = [few(), () => {}]
        const refused: [unknown, unknown, object, string][] = [
          [[flow], { a: sink }, {}, 'MR_INVALID_OPTION'],
          [null, { a: sink }, {}, 'MR_TYPE_MISMATCH'],
          [{ a: 5 }, { a: sink }, {}, 'MR_TYPE_MISMATCH'],
          [{ a: flow }, {}, {}, 'MR_INVALID_OPTION'],
          [{ a: flow }, { a: sink, b: sink }, {}, 'MR_INVALID_OPTION'],
          [{ a: flow, b: flow }, { a: sink, b: sink }, { memory: 1.5 * 2 ** 20 }, 'MR_INVALID_OPTION'],
          [{ a: flow }, { a: sink }, { signal: 5 }, 'MR_INVALID_OPTION'],
        ]
        for (const [flows, sinks, options, code] of refused.slice(1))
          await refusal(() => runAll(flows as never, sinks as never, { ...o(), ...options }).finished, code)
      })
    })
  })
}
