/** `MessagePort`s and `BroadcastChannel`s as sinks: batches as messages of their own buffers. The other end is receive.ts. */

import { checkAppended } from '../columnar/appended.js'
import { Dictionary, shifted } from '../columnar/dictionary.js'
import type { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf } from '../columnar/schema.js'
import { bitmapBytes } from '../columnar/validity.js'
import { type Codes, dataOf, itemsOf, type Vector, type VectorData, wideCodes } from '../columnar/vector.js'
import { MillraceError, serialiseError } from '../errors.js'
import type { PortAnswer, PortColumn, PortMessage } from './port-message.js'
import { type Sink, type SinkWriter, sinkFailed } from './sink.js'

/** Batches sent and not answered. */
const MOST_AHEAD = 8

type Post = (message: PortMessage, transfer: Transferable[]) => void

/** Ports that a job sends through. */
const inUse = new WeakSet<MessagePort>()

/** As fast as the receiver answers. It fails where the receiver cancels or, where the runtime tells, closes its port. */
export const portSink = (port: MessagePort): Sink => ({
  async open() {
    if (inUse.has(port)) throw new MillraceError('MR_SINK_FAILED', 'another job is sending through the MessagePort')
    inUse.add(port)
    const job = newJob()
    let ahead = 0
    let gone: unknown = null
    let wake = () => {}
    let tell: (reason: unknown) => void = () => {}
    const told = new Promise((_, reject) => {
      tell = reject
    })
    told.catch(() => {})
    const leave = (reason: unknown) => {
      gone ??= reason
      tell(gone)
      wake()
    }
    const hear = ({ data }: MessageEvent<PortAnswer | null>) => {
      if (data?.job !== undefined && data.job !== job) return
      if (data?.type === 'taken') {
        ahead--
        wake()
      } else if (data?.type === 'cancel') leave(left('has cancelled'))
    }
    const close = () => leave(left('is closed'))
    port.addEventListener('message', hear)
    port.addEventListener('close', close)
    port.start()
    const stop = () => {
      inUse.delete(port)
      port.removeEventListener('message', hear)
      port.removeEventListener('close', close)
    }
    const writer = postingWriter(job, (message, transfer) => port.postMessage(message, transfer))
    return {
      gone: told,
      get bytesWritten() {
        return writer.bytesWritten
      },
      async write(batch) {
        while (ahead >= MOST_AHEAD && gone === null) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
        if (gone !== null) throw gone
        ahead++
        writer.write(batch)
      },
      close() {
        if (gone !== null) throw gone
        stop()
        writer.close()
      },
      abort(reason) {
        leave(reason)
        stop()
        writer.abort(reason)
      },
    }
  },
  fail(reason) {
    if (!inUse.has(port)) port.postMessage(failure(reason))
  },
})

/** To whoever listens. Nobody answers, so it is as fast as the job: receivers keep what they have not handled. */
export const channelSink = (channel: BroadcastChannel): Sink => ({
  async open() {
    return postingWriter(newJob(), message => {
      try {
        channel.postMessage(message)
      } catch (error) {
        throw sinkFailed(`the BroadcastChannel ${channel.name}`, 'written to', error)
      }
    })
  },
  fail: reason => channel.postMessage(failure(reason)),
})

const left = (how: string) => new MillraceError('MR_SINK_FAILED', `the receiver at the other end of the port ${how}`)

const failure = (reason: unknown): PortMessage => ({ type: 'error', error: serialiseError(reason) })

const newJob = () => Math.random().toString(36).slice(2)

function postingWriter(job: string, post: Post): SinkWriter {
  let bytesWritten = 0
  let rowCount = 0
  return {
    get bytesWritten() {
      return bytesWritten
    },
    write(batch) {
      const { message, transfer } = messageOf(checkAppended(batch, 'a port'), rowCount)
      for (const { byteLength } of transfer) bytesWritten += byteLength
      rowCount += batch.rowCount
      post({ ...message, job }, transfer)
    },
    close: () => post({ type: 'end', rowCount, job }, []),
    abort: reason => post({ ...failure(reason), job }, []),
  }
}

/** Buffers are copies: a batch may share its own with others, and may be a part of them. */
function messageOf(batch: RecordBatch, firstRow: number): { message: PortMessage; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = []
  const own = <T extends VectorData>(array: T): T => {
    const copy = array.slice() as T
    transfer.push(copy.buffer as ArrayBuffer)
    return copy
  }
  const columnOf = (name: string, vector: Vector): PortColumn => {
    const { type, length, nullCount } = vector
    const validity = vector.validity === null ? null : own(vector.validity.subarray(0, bitmapBytes(length)))
    const column = { name, type, validity, nullCount, dictionary: null, offsets: null, child: null }
    if (vector.child) {
      const { offsets, items } = itemsOf(vector)
      return { ...column, data: own(vector.data), offsets: own(offsets), child: columnOf(name, items) }
    }
    if (vector.offsets !== null) {
      const offsets = vector.offsets.subarray(0, length + 1)
      return {
        ...column,
        data: own(vector.data.subarray(offsets[0], offsets[length])),
        offsets: own(shifted(offsets, -offsets[0])),
      }
    }
    if (vector.dictionary === null) return { ...column, data: own(dataOf(vector)) }
    const { codes, dictionary } = compacted(vector)
    return {
      ...column,
      data: own(codes),
      dictionary: { offsets: own(dictionary.offsets), bytes: own(dictionary.bytes) },
    }
  }
  const columns = fieldsOf(batch.schema).map(({ name }, i) => columnOf(name, batch.vectors[i]))
  return { message: { type: 'batch', schema: batch.schema, firstRow, rowCount: batch.rowCount, columns }, transfer }
}

/** Codes into no more entries than there are rows: a dictionary of many batches has those of all. */
function compacted(vector: Vector): { codes: Int32Array; dictionary: Dictionary } {
  const codes = wideCodes(dataOf(vector) as Codes)
  const dictionary = vector.dictionary as Dictionary
  if (dictionary.length <= codes.length) return { codes, dictionary }
  const { offsets, bytes } = dictionary
  const fewer = new Dictionary()
  const recoded = new Map<number, number>()
  const compact = codes.map(code => {
    let to = recoded.get(code)
    if (to === undefined) {
      to = recoded.size
      recoded.set(code, to)
      fewer.append(offsets.subarray(code, code + 2), bytes)
    }
    return to
  })
  return { codes: compact, dictionary: fewer }
}
