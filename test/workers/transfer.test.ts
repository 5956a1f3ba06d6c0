// Batches as messages: every type there and back, dictionaries sent once, and whose buffers are whose.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dictionary } from '../../src/columnar/dictionary.js'
import { dictionary } from '../../src/columnar/dictionary-input.js'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { float64, int32, list, nullable, utf8 } from '../../src/columnar/type.js'
import { makeVector } from '../../src/columnar/vector.js'
import { MillraceError } from '../../src/errors.js'
import { type Part, PositionedFailure } from '../../src/operators/operator.js'
import { type BatchMessage, createInbox, createOutbox, decodeBatch, encodeBatch } from '../../src/workers/transfer.js'
import { decodePart, encodePart } from '../../src/workers/transfer-part.js'
import { tables } from '../laws/tables.js'
import { batchOf, batchOfModel } from '../operators/support.js'

/** The message as it arrives: its buffers moved, all else cloned. */
const arrive = ({ message, transfer }: { message: BatchMessage; transfer: ArrayBuffer[] }): BatchMessage =>
  structuredClone(message, { transfer })
const received = (message: BatchMessage, like: RecordBatch, inbox = createInbox()) => {
  const { rowCount, vectors } = decodeBatch(message, inbox)
  return new RecordBatch(like.schema, vectors, rowCount)
}
const text = new TextEncoder()

describe('a batch on its way', () => {
  it('arrives as it was, whatever its types, and stays as it was where it is kept', () => {
    fc.assert(
      fc.property(tables(24), fc.boolean(), (model, keep) => {
        const batch = batchOfModel(model)
        const before = batch.toRows({ bigint: true })
        const message = arrive(encodeBatch(batch, createOutbox(), keep))
        expect(received(message, batch).toRows({ bigint: true })).toEqual(before)
        if (keep) expect(batch.toRows({ bigint: true })).toEqual(before)
      }),
      { numRuns: 20 },
    )
  })

  it('keeping does not detach the arrays that the user gave', () => {
    const data = { id: Int32Array.of(1, 2, 3), x: Float64Array.of(0.5, 1.5, 2.5) }
    const codes = Int32Array.of(0, 1, 0)
    const batch = batchOf({ ...data, key: dictionary(codes, ['a', 'b']) })
    arrive(encodeBatch(batch, createOutbox(), true))
    expect(data).toEqual({ id: Int32Array.of(1, 2, 3), x: Float64Array.of(0.5, 1.5, 2.5) })
    expect(codes).toEqual(Int32Array.of(0, 1, 0))
  })

  it('given away, every buffer moves, and one that two columns share only once', () => {
    const data = Float64Array.of(1, 2)
    const vector = makeVector(float64(), 2, data)
    const batch = new RecordBatch({ a: float64(), b: float64() }, [vector, vector], 2)
    const encoded = encodeBatch(batch, createOutbox(), false)
    expect(encoded.transfer).toEqual([data.buffer])
    const copy = received(arrive(encoded), batch)
    expect(data.length).toBe(0)
    expect(copy.toRows()).toEqual([
      { a: 1, b: 1 },
      { a: 2, b: 2 },
    ])
  })

  it('a slice of a text column takes only its own bytes along', () => {
    const words = ['zero', 'one', 'two', 'three', 'four']
    const bytes = text.encode(words.join(''))
    const offsets = Int32Array.of(0, 4, 7, 10, 15, 19)
    const whole = new RecordBatch({ t: utf8() }, [makeVector(utf8(), 5, bytes, { offsets })], 5)
    const slice = whole.slice(2, 4)
    const { message, transfer } = encodeBatch(slice, createOutbox(), true)
    expect(message.vectors[0]).toMatchObject({ offsets: Int32Array.of(0, 3, 8), data: text.encode('twothree') })
    expect(received(arrive({ message, transfer }), slice).toRows()).toEqual([{ t: 'two' }, { t: 'three' }])
    expect(whole.toRows().map(({ t }) => t)).toEqual(words)
  })

  it('a slice of a column of lists takes only its own items along, at every depth', () => {
    const lists = [[[1], [2, 3]], [], [[4, 5, 6]], [[], [7]]]
    const whole = batchOf({ x: lists }, { x: list(list(int32())) })
    const slice = whole.slice(1, 3)
    const { message, transfer } = encodeBatch(slice, createOutbox(), true)
    expect(message.vectors[0]).toMatchObject({
      offsets: Int32Array.of(0, 0, 1),
      child: { offsets: Int32Array.of(0, 3), child: { data: Int32Array.of(4, 5, 6), child: null } },
    })
    expect(received(arrive({ message, transfer }), slice).toRows()).toEqual([{ x: [] }, { x: [[4, 5, 6]] }])
    expect(whole.toRows().map(({ x }) => x)).toEqual(lists)
  })

  it('one and the same list column may be sent twice, kept or given away', () => {
    const batch = batchOf({ x: [['a', null], null], y: [[true], []] })
    const twice = new RecordBatch(
      { ...batch.schema, z: batch.schema.x },
      [...batch.vectors, batch.vectors[0]],
      batch.rowCount,
    )
    const rows = twice.toRows()
    for (const keep of [true, true, false])
      expect(received(arrive(encodeBatch(twice, createOutbox(), keep)), twice).toRows()).toEqual(rows)
  })
})

describe('dictionaries', () => {
  const coded = (entries: Dictionary, codes: number[]) =>
    new RecordBatch(
      { t: nullable(utf8()) },
      [makeVector(nullable(utf8()), codes.length, Int32Array.from(codes), { dictionary: entries })],
      codes.length,
    )
  const entriesOf = (...values: string[]) => {
    const entries = new Dictionary()
    append(entries, ...values)
    return entries
  }
  const append = (entries: Dictionary, ...values: string[]) => {
    const encoded = values.map(value => text.encode(value))
    const offsets = new Int32Array(values.length + 1)
    encoded.forEach(({ length }, i) => {
      offsets[i + 1] = offsets[i] + length
    })
    entries.append(offsets, text.encode(values.join('')))
  }

  it('are sent once, and of what is added later only that', () => {
    const entries = entriesOf('a', 'bc')
    const [outbox, inbox] = [createOutbox(), createInbox()]
    const send = (codes: number[]) => {
      const batch = coded(entries, codes)
      const message = arrive(encodeBatch(batch, outbox, true))
      const rows = received(message, batch, inbox).toRows()
      return { delta: message.vectors[0].dictionary?.delta, values: rows.map(({ t }) => t) }
    }
    expect(send([0, 1])).toMatchObject({ delta: { offsets: Int32Array.of(0, 1, 3) }, values: ['a', 'bc'] })
    expect(send([1, 1])).toEqual({ delta: null, values: ['bc', 'bc'] })
    append(entries, 'é', '')
    expect(send([3, 2])).toMatchObject({
      delta: { offsets: Int32Array.of(0, 2, 2), bytes: text.encode('é') },
      values: ['', 'é'],
    })
    expect(send([0, 3])).toEqual({ delta: null, values: ['a', ''] })
  })

  it('of a lane that the peer has from before are sent from there on, also where another job has brought more meanwhile', () => {
    const entries = entriesOf('a', 'bc', 'def')
    entries.laneId = 7
    const had = entriesOf('a')
    const send = (codes: number[]) => {
      const inbox = createInbox()
      inbox.received.set(7, had)
      const batch = coded(entries, codes)
      const message = arrive(encodeBatch(batch, createOutbox(new Map([[7, 1]])), true))
      const rows = received(message, batch, inbox).toRows()
      return { from: message.vectors[0].dictionary?.delta?.from, values: rows.map(({ t }) => t) }
    }
    expect(send([0, 2, 1])).toEqual({ from: 1, values: ['a', 'def', 'bc'] })
    expect(send([2, 1])).toEqual({ from: 1, values: ['def', 'bc'] })
    expect(had.strings()).toEqual(['a', 'bc', 'def'])
    append(entries, 'g')
    expect(send([3, 0])).toEqual({ from: 1, values: ['g', 'a'] })
    expect(had.strings()).toEqual(['a', 'bc', 'def', 'g'])
  })

  it('are those of the sender where it shares a thread with its peer', () => {
    const entries = entriesOf('a', 'bc')
    const batch = coded(entries, [1, 0])
    const { message } = encodeBatch(batch, createOutbox(new Map(), true), false)
    expect(decodeBatch(message, createInbox()).vectors[0].dictionary).toBe(entries)
  })

  it('of strings in lists too are sent once', () => {
    const [outbox, inbox] = [createOutbox(), createInbox()]
    const entries = entriesOf('a', 'bc')
    const send = (codes: number[]) => {
      const child = makeVector(utf8(), codes.length, Int32Array.from(codes), { dictionary: entries })
      const vector = makeVector(list(utf8()), 1, new Uint8Array(0), { offsets: Int32Array.of(0, codes.length), child })
      const batch = new RecordBatch({ t: list(utf8()) }, [vector], 1)
      const message = arrive(encodeBatch(batch, outbox, true))
      return { delta: message.vectors[0].child?.dictionary?.delta, rows: received(message, batch, inbox).toRows() }
    }
    expect(send([1, 0])).toMatchObject({ delta: { offsets: Int32Array.of(0, 1, 3) }, rows: [{ t: ['bc', 'a'] }] })
    append(entries, 'd')
    expect(send([2, 1])).toMatchObject({ delta: { bytes: text.encode('d') }, rows: [{ t: ['d', 'bc'] }] })
    expect(send([0])).toEqual({ delta: null, rows: [{ t: ['a'] }] })
  })

  it('are told apart, and shared by the columns and batches that share them', () => {
    const [one, other] = [entriesOf('one'), entriesOf('other')]
    const [outbox, inbox] = [createOutbox(), createInbox()]
    const arrived = [one, other, one].map(
      entries => decodeBatch(arrive(encodeBatch(coded(entries, [0]), outbox, true)), inbox).vectors[0].dictionary,
    )
    expect(arrived[0]).toBe(arrived[2])
    expect(arrived.map(entries => entries?.get(0))).toEqual(['one', 'other', 'one'])
  })

  it('made for one batch alone are sent with it, and remembered by nobody', () => {
    const [outbox, inbox] = [createOutbox(), createInbox()]
    const shared = entriesOf('shared')
    for (const value of ['x', 'yz']) {
      const own = Dictionary.adopt(Int32Array.of(0, value.length), text.encode(value))
      own.isOfOneBatch = true
      const batch = coded(own, [0, 0])
      const arrived = received(arrive(encodeBatch(batch, outbox, false)), batch, inbox)
      expect(arrived.toRows()).toEqual([{ t: value }, { t: value }])
      // From here on it may be shared, by slices for one.
      expect(arrived.vectors[0].dictionary?.isOfOneBatch).toBe(false)
    }
    expect(inbox.received.size).toBe(0)
    const batch = coded(shared, [0])
    expect(received(arrive(encodeBatch(batch, outbox, false)), batch, inbox).toRows()).toEqual([{ t: 'shared' }])
    expect(inbox.received.size).toBe(1)
  })

  it('of one port mean nothing to another', () => {
    const entries = entriesOf('a')
    const first = encodeBatch(coded(entries, [0]), createOutbox(), true)
    const second = encodeBatch(coded(entries, [0]), createOutbox(), true)
    expect(first.message.vectors[0].dictionary?.delta).not.toBeNull()
    expect(second.message.vectors[0].dictionary?.delta).not.toBeNull()
  })

  it('without entries arrive without entries', () => {
    const type = nullable(utf8())
    const validity = new Uint8Array(1)
    const vector = makeVector(type, 2, new Int32Array(2), { dictionary: new Dictionary(), validity, nullCount: 2 })
    const batch = new RecordBatch({ t: type }, [vector], 2)
    const message = arrive(encodeBatch(batch, createOutbox(), true))
    expect(received(message, batch).toRows()).toEqual([{ t: null }, { t: null }])
  })
})

describe('parts of a breaker', () => {
  const send = (part: Part<RecordBatch>) => {
    const { message, transfer } = encodePart(part, batch => batch, createOutbox())
    return decodePart(structuredClone(message, { transfer }), createInbox())
  }

  it('rows arrive with their split', () => {
    const batch = batchOf({ id: Int32Array.of(1, 2), t: ['x', null] }, { id: int32(), t: nullable(utf8()) })
    const rows = batch.toRows()
    const part = send({ kind: 'rows', split: 7, batch })
    expect(part).toMatchObject({ kind: 'rows', split: 7 })
    if (part.kind !== 'rows') throw new Error('not rows')
    expect(new RecordBatch(batch.schema, part.batch.vectors, part.batch.rowCount).toRows()).toEqual(rows)
  })

  it('groups arrive with their keys, states and order of appearance', () => {
    const part = send({
      kind: 'groups',
      groupCount: 2,
      appearance: Float64Array.of(0, 0, 3, 1),
      keys: batchOf({ key: Int32Array.of(5, 6) }),
      state: [Uint8Array.of(1, 2, 3)],
    })
    expect(part).toMatchObject({
      kind: 'groups',
      groupCount: 2,
      appearance: Float64Array.of(0, 0, 3, 1),
      state: [Uint8Array.of(1, 2, 3)],
      keys: { rowCount: 2, vectors: [{ data: Int32Array.of(5, 6) }] },
    })
  })

  it('a failure keeps its place, and its error its class, code and details', () => {
    const error = new MillraceError('MR_INTEGER_OVERFLOW', 'too large', { column: 'x' }, new Error('cause'))
    const part = send({ kind: 'failure', split: 3, failure: new PositionedFailure({ split: 3, row: 9 }, error) })
    if (part.kind !== 'failure') throw new Error('not a failure')
    expect(part.split).toBe(3)
    expect(part.failure).toBeInstanceOf(PositionedFailure)
    expect(part.failure.position).toEqual({ split: 3, row: 9 })
    expect(part.failure.error).toBeInstanceOf(MillraceError)
    expect(part.failure.error).toMatchObject({ code: error.code, message: error.message, details: { column: 'x' } })
    expect((part.failure.error as Error).cause).toMatchObject({ message: 'cause' })
  })
})
