/** What a user gives `to` as a sink: which kind it is. */
import type { RecordBatch } from '../columnar/record-batch.js'
import { MillraceError } from '../errors.js'
import { isOf, type Sink, type SinkWriter } from './sink.js'
import { streamSink } from './stream.js'

/** @throws MillraceError `MR_INVALID_OPTION` for what is no sink */
export async function sinkOf(given: unknown, what: string): Promise<Sink> {
  if (typeof given === 'function') return callbackSink(given as (batch: RecordBatch) => unknown)
  if (what === 'subscribe')
    throw new MillraceError('MR_INVALID_OPTION', `subscribe takes a function of batches, not ${show(given)}`)
  if (isOf('WritableStream', given)) return streamSink(given as WritableStream)
  if (isOf('MessagePort', given)) return (await import('./port.js')).portSink(given as MessagePort)
  if (isOf('BroadcastChannel', given)) return (await import('./port.js')).channelSink(given as BroadcastChannel)
  if (typeof given === 'object' && given !== null && typeof (given as Sink).open === 'function') return given as Sink
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `${what}: a sink is a function, a WritableStream, a MessagePort, a BroadcastChannel, or one of csvSink, ndjsonSink, jsonSink and arrowSink, not ${show(given)}`,
  )
}

/** What the `open` of a sink has given. @throws MillraceError `MR_INVALID_OPTION` for what is no writer */
export function writerOf(given: SinkWriter | undefined, what: string): SinkWriter {
  const lacking = (['write', 'close', 'abort'] as const).find(name => typeof given?.[name] !== 'function')
  if (given !== undefined && lacking === undefined) return given
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `${what}: the open of a sink gives an object with functions write, close and abort, not ${given ? `one without ${lacking}` : show(given)}`,
  )
}

const show = (value: unknown) => (value === null ? 'null' : typeof value)

/** What it throws is what the job fails of. */
const callbackSink = (take: (batch: RecordBatch) => unknown): Sink => ({
  async open() {
    return {
      async write(batch) {
        await take(batch)
      },
      close() {},
      abort() {},
    }
  },
})
