/** A flow as the body of a response: server-sent events or NDJSON, pulled by whoever reads it. A chunk that `flowHandler` loads. */
import { checkAppended } from '../columnar/appended.js'
import type { RecordBatch } from '../columnar/record-batch.js'
import type { SchemaShape } from '../columnar/type.js'
import { comesInTime } from '../engines/local/limited-job.js'
import type { BoundPlan } from '../engines/local/run.js'
import { startRun } from '../engines/local/run-job.js'
import { startFlow } from '../engines/local/start-any.js'
import { MillraceError } from '../errors.js'
import type { BatchEncoder } from '../formats/batch-encoder.js'
import { createJsonEncoder } from '../formats/json/write.js'
import { LATE, within } from '../formats/within.js'
import { asTheyAre } from '../sources/param-values.js'
import type { Flow } from './flow.js'
import type { Serving } from './handlers.js'

/** The id of the last event, be it an error: who asks for what follows it has had everything. */
const END = 'end'

/** For whoever asks for responses though nobody takes this one, as nginx has it. */
const CLIENT_LEFT = 499

/** Resolves once the flow's columns are known. @throws (rejects) what the flow fails of before that */
export async function serveFlow(request: Request, flow: Flow, serving: Serving): Promise<Response> {
  const lastId = serving.format === 'sse' && serving.resume ? request.headers.get('last-event-id') : null
  if (request.headers.get('last-event-id') === END) return new Response(null, { status: 204 })
  const cancel = new AbortController()
  const leave = () => cancel.abort(new DOMException('the client has left', 'AbortError'))
  if (request.signal.aborted) leave()
  request.signal.addEventListener('abort', leave, { once: true })
  let tellSchema: (schema: SchemaShape) => void = () => {}
  const known = new Promise<SchemaShape>(resolve => {
    tellSchema = resolve
  })
  const { engine, lanes, memory } = serving
  // Nobody could wait for the last row of one that may never end: its windows are sent as they close.
  const start = [...flow.sources.values()].some(comesInTime) ? startFlow : startRun
  const [bound] = asTheyAre<[BoundPlan]>(flow)
  const job = start(bound, { engine, lanes, memory, signal: cancel.signal }, 'flowHandler', tellSchema)
  const schema = await Promise.race([known, job.finished.then(() => known)]).catch(error => {
    if (cancel.signal.aborted) return null
    throw error
  })
  if (schema === null) return new Response(null, { status: CLIENT_LEFT })
  const pieces = piecesOf(job, schema, rowsHad(lastId), serving, cancel.signal)
  cancel.signal.addEventListener('abort', () => pieces.return().catch(() => {}))
  if (request.method === 'HEAD') leave()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await pieces.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: leave,
    },
    // A piece is made when it is asked for: the job reads as fast as the client.
    { highWaterMark: 0 },
  )
  return new Response(request.method === 'HEAD' ? null : body, {
    headers: {
      'content-type': serving.format === 'sse' ? 'text/event-stream' : 'application/x-ndjson',
      'cache-control': 'no-store',
      // Proxies of nginx's kind gather what they pass on, unless told not to.
      'x-accel-buffering': 'no',
    },
  })
}

export const failedResponse = async (error: unknown, serving: Serving): Promise<Response> =>
  Response.json({ error: await described(error, serving) }, { status: 500, headers: { 'cache-control': 'no-store' } })

const rowsHad = (lastId: string | null): number => (lastId !== null && /^\d{1,15}$/.test(lastId) ? Number(lastId) : 0)

/** What of an error is sent. */
async function described(error: unknown, { onError }: Serving): Promise<{ code: string | null; message: string }> {
  const said = await onError?.(error)
  const isOurs = error instanceof MillraceError
  // What others throw is not for strangers.
  const message = said ?? (isOurs ? error.message : 'the flow failed')
  return { code: isOurs ? error.code : null, message }
}

const utf8 = (text: string) => new TextEncoder().encode(text)

async function* piecesOf(
  batches: AsyncIterable<RecordBatch>,
  schema: SchemaShape,
  skipped: number,
  serving: Serving,
  left: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { format, rowsPerEvent, heartbeatMs, nonFinite } = serving
  const isEvents = format === 'sse'
  const lines = createJsonEncoder(schema, { nonFinite })
  let rows = 0
  try {
    for await (const batch of withHeartbeats(batches, isEvents ? heartbeatMs : null)) {
      if (batch !== null) checkAppended(batch, 'what is served')
      if (batch === null) {
        yield utf8(': heartbeat\n\n')
        continue
      }
      const from = Math.min(batch.rowCount, Math.max(0, skipped - rows))
      const step = isEvents ? rowsPerEvent : batch.rowCount
      for (let at = from; at < batch.rowCount; at += step) {
        const part = batch.slice(at, at + step)
        if (isEvents) {
          const before = rows + at
          const json = encoded(createJsonEncoder(schema, { nonFinite }, 'line', before), part)
          yield joined([utf8(`id: ${before + part.rowCount}\ndata: `), ...json, utf8('\n\n')])
        } else {
          for (const piece of lines.batch(part)) yield piece.slice()
          for (const piece of lines.flush()) yield piece.slice()
        }
      }
      rows += batch.rowCount
    }
    if (isEvents) yield utf8(`id: ${END}\nevent: end\ndata: ${JSON.stringify({ rows })}\n\n`)
  } catch (error) {
    if (left.aborted) return
    const told = await described(error, serving)
    if (isEvents) {
      yield utf8(`id: ${END}\nevent: error\ndata: ${JSON.stringify(told)}\n\n`)
      return
    }
    yield utf8(`${JSON.stringify({ error: told })}\n`)
    // So that nobody takes the rows so far for all.
    throw error
  }
}

/** The whole of a file, as pieces to keep. */
function encoded(encoder: BatchEncoder, batch: RecordBatch): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (const piece of encoder.batch(batch)) pieces.push(piece.slice())
  for (const piece of encoder.footer()) pieces.push(piece.slice())
  return pieces
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** The items, and null whenever none has come for `ms`. */
async function* withHeartbeats<T>(
  items: AsyncIterable<T>,
  ms: number | null,
): AsyncGenerator<T | null, void, undefined> {
  const iterator = items[Symbol.asyncIterator]()
  try {
    while (true) {
      const next = iterator.next()
      let result = ms === null ? await next : await within(next, ms)
      for (; result === LATE; result = await within(next, ms as number)) yield null
      if (result.done) return
      yield result.value
    }
  } finally {
    await iterator.return?.()
  }
}
