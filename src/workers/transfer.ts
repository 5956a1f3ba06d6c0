/**
 * Record batches as messages: plain typed arrays with their buffers transferred, and of each dictionary only the entries that the peer has not had.
 * Both directions and lane to lane alike; one `Outbox` and one `Inbox` per port. transfer-part.ts has what only lanes send one another.
 */
import { Dictionary, shifted } from '../columnar/dictionary.js'
import type { DataType } from '../columnar/type.js'
import { itemsOf, type Vector, type VectorBatch, type VectorData } from '../columnar/vector.js'

interface DictionaryMessage {
  /** Null: of this batch alone. */
  readonly id: number | null
  readonly isDistinct: boolean
  /** Entries from code `from` on, which follow those sent before; null where there are no new ones. */
  readonly delta: { readonly from: number; readonly offsets: Int32Array; readonly bytes: Uint8Array } | null
  /** Within one thread: the dictionary itself. */
  readonly whole?: Dictionary
}

interface VectorMessage {
  readonly type: DataType
  readonly data: VectorData
  readonly validity: Uint8Array | null
  readonly nullCount: number
  readonly offsets: Int32Array | null
  readonly dictionary: DictionaryMessage | null
  readonly child: VectorMessage | null
}

export interface BatchMessage {
  readonly rowCount: number
  readonly vectors: readonly VectorMessage[]
}

/** What has been sent of each dictionary through one port. */
export interface Outbox {
  sent: WeakMap<Dictionary, { readonly id: number; length: number }>
  /** Of dictionaries of a lane that the peer has from before, by their ids: how many entries. */
  known: ReadonlyMap<number, number>
  /** Whether the peer is in this thread, and gets dictionaries as they are. */
  readonly shares: boolean
  count: number
  /** Of strings that the peer has by now, and what it takes to have them. */
  byteLength: number
  /** How many that may be before both sides forget them. */
  mostBytes: number
}
/** Strings may be ever new ones: beyond so many bytes both sides forget what has been sent, and what is still of use comes again. */
const MOST_SENT_BYTES = 2 ** 23

/** The peer's dictionaries as received so far. */
export interface Inbox {
  readonly received: Map<number, Dictionary>
}
export const createOutbox = (known: Outbox['known'] = new Map(), shares = false): Outbox => ({
  sent: new WeakMap(),
  known,
  shares,
  count: 0,
  byteLength: 0,
  mostBytes: MOST_SENT_BYTES,
})
export const createInbox = (): Inbox => ({ received: new Map() })

/**
 * `encodeBatch`, where the peer is told by `isFresh` that both begin anew.
 * @param keep as there
 */
export function encodeFresh(batches: readonly VectorBatch[], outbox: Outbox, keep: boolean) {
  const isFresh = outbox.byteLength > outbox.mostBytes
  if (isFresh) {
    outbox.sent = new WeakMap()
    outbox.known = new Map()
    outbox.byteLength = 0
  }
  const encoded = batches.map(batch => encodeBatch(batch, outbox, keep))
  // What is so large of itself is not sent again and again.
  if (isFresh) outbox.mostBytes = Math.max(MOST_SENT_BYTES, 2 * outbox.byteLength)
  return { isFresh, encoded }
}

/**
 * @param keep true where the buffers stay the sender's (a user's arrays): they are copied. Otherwise they are given away.
 */
export function encodeBatch(
  batch: VectorBatch,
  outbox: Outbox,
  keep: boolean,
): { message: BatchMessage; transfer: ArrayBuffer[] } {
  const transfer = new Set<ArrayBuffer>()
  const hand = <T extends VectorData>(array: T): T => {
    const given = (keep ? array.slice() : array) as T
    transfer.add(given.buffer as ArrayBuffer)
    return given
  }
  // A slice of a text column has all of its parent's bytes: only its own are sent.
  const handText = (bytes: VectorData, offsets: Int32Array) => {
    const from = offsets[0]
    const own = bytes.slice(from, offsets[offsets.length - 1])
    const rebased = offsets.map(offset => offset - from)
    for (const array of [own, rebased]) transfer.add(array.buffer as ArrayBuffer)
    return { data: own, offsets: rebased }
  }
  const handList = (vector: Vector) => {
    const { offsets, items } = itemsOf(vector)
    return { data: hand(vector.data), offsets: hand(offsets), child: encode(items) }
  }
  const encode = (vector: Vector): VectorMessage => ({
    type: vector.type,
    child: null,
    ...(vector.child
      ? handList(vector)
      : vector.offsets === null
        ? { data: hand(vector.data), offsets: null }
        : handText(vector.data, vector.offsets)),
    validity: vector.validity === null ? null : hand(vector.validity),
    nullCount: vector.nullCount,
    dictionary: vector.dictionary === null ? null : encodeDictionary(vector.dictionary, outbox),
  })
  return {
    message: { rowCount: batch.rowCount, vectors: batch.vectors.map(vector => encode(vector)) },
    transfer: [...transfer],
  }
}

function encodeDictionary(dictionary: Dictionary, outbox: Outbox): DictionaryMessage {
  if (dictionary.isOfOneBatch) {
    const { offsets, bytes, isDistinct } = dictionary
    return { id: null, isDistinct, delta: { from: 0, offsets, bytes } }
  }
  const { isDistinct, laneId } = dictionary
  if (outbox.shares) return { id: null, isDistinct, delta: null, whole: dictionary }
  let known = outbox.sent.get(dictionary)
  if (known === undefined) {
    // Those that are no lane's are counted below 0.
    const id = laneId ?? -1 - outbox.count++
    known = { id, length: outbox.known.get(id) ?? 0 }
    outbox.byteLength += 1024
    outbox.sent.set(dictionary, known)
  }
  if (known.length === dictionary.length) return { id: known.id, isDistinct, delta: null }
  const unsent = dictionary.offsets.slice(known.length)
  const bytes = dictionary.bytes.slice(unsent[0])
  const offsets = shifted(unsent, -unsent[0])
  outbox.byteLength += bytes.length
  const from = known.length
  known.length = dictionary.length
  return { id: known.id, isDistinct, delta: { from, offsets, bytes } }
}

/** The batch that `encodeBatch` took apart, over the received buffers. */
export function decodeBatch(message: BatchMessage, inbox: Inbox): VectorBatch {
  const decode = ({ dictionary, child, ...vector }: VectorMessage, length: number): Vector => ({
    ...vector,
    length,
    dictionary: dictionary === null ? null : decodeDictionary(dictionary, inbox),
    child: child === null ? null : decode(child, (vector.offsets as Int32Array)[length]),
  })
  return { rowCount: message.rowCount, vectors: message.vectors.map(vector => decode(vector, message.rowCount)) }
}

function decodeDictionary({ id, isDistinct, delta, whole }: DictionaryMessage, inbox: Inbox): Dictionary {
  if (whole !== undefined) return whole
  if (id === null) {
    if (delta === null) return new Dictionary()
    const own = Dictionary.adopt(delta.offsets, delta.bytes)
    own.isDistinct = isDistinct
    return own
  }
  let dictionary = inbox.received.get(id)
  if (dictionary === undefined) {
    dictionary = new Dictionary()
    dictionary.isDistinct = isDistinct
    inbox.received.set(id, dictionary)
  }
  // Another job over the same rows may have brought some of them meanwhile.
  const had = delta === null ? 0 : dictionary.length - delta.from
  if (delta !== null && had < delta.offsets.length - 1) dictionary.append(delta.offsets.subarray(had), delta.bytes)
  return dictionary
}
