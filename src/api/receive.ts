/** `receive`: messages of a job elsewhere made batches again. sinks/port.ts is the other end; nothing here needs an engine. */
import { Dictionary } from '../columnar/dictionary.js'
import { RecordBatch } from '../columnar/record-batch.js'
import { schemaOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import { makeVector, type Vector } from '../columnar/vector.js'
import { deserialiseError, MillraceError } from '../errors.js'
import type { MessagePortOrChannel, PortAnswer, PortColumn, PortMessage } from '../sinks/port-message.js'
import { invalid, show } from './refusal.js'

/** Of each port, the job whose loop was left last. */
const left = new WeakMap<object, string>()

/**
 * The batches that a job elsewhere sends by `to(port)`: iterate them once. Rows of a `MessagePort` come as fast as they are taken; those of a `BroadcastChannel` wait
 * here, however many they are. Call it before the job begins: rows that were sent earlier through a channel are missed, which is an error. Leaving the loop ends a job that sends
 * through a `MessagePort`.
 *
 * ```ts
 * const { port1, port2 } = new MessageChannel()
 * const job = flow.to(port1)
 * for await (const batch of receive(port2)) show(batch)
 * await job.finished
 * port1.close()
 * ```
 * @throws MillraceError `MR_INVALID_OPTION` for what is neither; (the loop) what the job failed of; MillraceError `MR_FORMAT_ERROR` where rows were missed, `MR_CLOSED` where the port was closed before their end
 */
export function receive<S extends SchemaShape = any>(
  port: MessagePortOrChannel,
): AsyncIterableIterator<RecordBatch<S>> {
  if (typeof port?.addEventListener !== 'function')
    throw invalid('receive', `it takes a MessagePort or a BroadcastChannel, not ${show(port)}`)
  let job: string | undefined
  const answer = (type: PortAnswer['type']) => {
    if ('start' in port) port.postMessage(job === undefined ? { type } : { type, job })
  }
  const waiting: (PortMessage | { readonly type: 'closed' })[] = []
  let wake = () => {}
  const take = (message: (typeof waiting)[number]) => {
    waiting.push(message)
    wake()
  }
  // A channel may have messages of others too, and a port those of a job that was left.
  const hear = ({ data }: MessageEvent<PortMessage | null>) => {
    if (data?.type !== 'batch' && data?.type !== 'end' && data?.type !== 'error') return
    if (data.job !== undefined && job === undefined && data.job !== left.get(port)) job = data.job
    if (data.job === job) take(data)
  }
  const close = () => take({ type: 'closed' })
  const listened = port as MessagePort
  listened.addEventListener('message', hear)
  listened.addEventListener('close', close)
  if ('start' in port) port.start()
  let rows = 0
  let isOver = false
  const end = () => {
    isOver = true
    listened.removeEventListener('message', hear)
    listened.removeEventListener('close', close)
    wake()
  }

  async function next(): Promise<IteratorResult<RecordBatch<S>, undefined>> {
    while (!isOver) {
      const message = waiting.shift()
      if (message === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
        continue
      }
      if (message.type !== 'batch') end()
      if (message.type === 'closed')
        throw new MillraceError('MR_CLOSED', `receive: the port was closed after ${rows} rows, before their end`, {
          row: rows,
        })
      if (message.type === 'error') throw deserialiseError(message.error)
      const firstRow = message.type === 'end' ? message.rowCount : message.firstRow
      if (firstRow !== rows) {
        end()
        throw new MillraceError(
          'MR_FORMAT_ERROR',
          `receive: rows ${rows} to ${firstRow} were sent before anyone listened; call receive before the job begins`,
          { row: rows },
        )
      }
      if (message.type === 'end') break
      rows += message.rowCount
      answer('taken')
      return { done: false, value: batchOf<S>(message.columns, message.rowCount) }
    }
    return { done: true, value: undefined }
  }

  let last: Promise<unknown> = Promise.resolve()
  return {
    // One after another, as a generator's are.
    next() {
      const result = last.then(next)
      last = result.catch(() => {})
      return result
    },
    async return() {
      if (!isOver) {
        end()
        answer('cancel')
        if ('start' in port && job !== undefined) left.set(port, job)
      }
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function batchOf<S extends SchemaShape>(columns: readonly PortColumn[], rowCount: number): RecordBatch<S> {
  const schema = schemaOf(columns) as S
  return new RecordBatch(
    schema,
    columns.map(column => vectorOf(column, rowCount)),
    rowCount,
  )
}

function vectorOf({ type, data, validity, nullCount, dictionary, offsets, child }: PortColumn, length: number): Vector {
  return makeVector(type, length, data, {
    validity,
    nullCount,
    dictionary: dictionary === null ? null : Dictionary.adopt(dictionary.offsets, dictionary.bytes),
    offsets,
    child: child === null ? null : vectorOf(child, (offsets as Int32Array)[length]),
  })
}
