/** What breakers hand from lane to lane, as messages around the batches of transfer.ts. */
import type { VectorBatch } from '../columnar/vector.js'
import { deserialiseError, type SerialisedError, serialiseError } from '../errors.js'
import { type Part, type Position, PositionedFailure } from '../operators/operator.js'
import { type BatchMessage, decodeBatch, encodeBatch, type Inbox, type Outbox } from './transfer.js'

/** A breaker's part on the wire. */
export type PartMessage =
  | Exclude<Part<BatchMessage>, { kind: 'failure' }>
  | { readonly kind: 'failure'; readonly split: number; readonly position: Position; readonly error: SerialisedError }

/** A breaker's part as a message, its batches brought out of the lane by `unload`. */
export function encodePart<B>(
  part: Part<B>,
  unload: (batch: B) => VectorBatch,
  outbox: Outbox,
): { message: PartMessage; transfer: ArrayBuffer[] } {
  if (part.kind === 'failure') {
    const { split, failure } = part
    return {
      message: { kind: 'failure', split, position: failure.position, error: serialiseError(failure.error) },
      transfer: [],
    }
  }
  if (part.kind === 'rows') {
    const { message, transfer } = encodeBatch(unload(part.batch), outbox, false)
    return { message: { ...part, batch: message }, transfer }
  }
  if (part.kind === 'block') return { message: part, transfer: [part.bytes.buffer] }
  if (part.kind === 'partition' || part.kind === 'results') return encodeExchanged(part, unload, outbox)
  const keys = encodeBatch(unload(part.keys), outbox, false)
  const own = [part.appearance, ...part.state].map(({ buffer }) => buffer as ArrayBuffer)
  return {
    message: { ...part, keys: keys.message },
    transfer: [...keys.transfer, ...own],
  }
}

/** The part that `encodePart` took apart. */
export function decodePart(part: PartMessage, inbox: Inbox): Part<VectorBatch> {
  if (part.kind === 'failure') {
    const { split, position, error } = part
    return { kind: 'failure', split, failure: new PositionedFailure(position, deserialiseError(error)) }
  }
  if (part.kind === 'rows') return { ...part, batch: decodeBatch(part.batch, inbox) }
  if (part.kind === 'block') return part
  if (part.kind === 'partition' || part.kind === 'results') return decodeExchanged(part, inbox)
  return { ...part, keys: decodeBatch(part.keys, inbox) }
}

type Exchanged<B> = Part<B> & { readonly kind: 'partition' | 'results' }

function encodeExchanged<B>(
  part: Exchanged<B>,
  unload: (batch: B) => VectorBatch,
  outbox: Outbox,
): { message: Exchanged<BatchMessage>; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = []
  const encode = (batch: B): BatchMessage => {
    const encoded = encodeBatch(unload(batch), outbox, false)
    transfer.push(...encoded.transfer)
    return encoded.message
  }
  // Dictionaries go first: rows and results that come with them are decoded by what they bring.
  const dictionaries = part.dictionaries === null ? null : encode(part.dictionaries)
  if (part.kind === 'results') return { message: { kind: 'results', dictionaries, rows: encode(part.rows) }, transfer }
  const { share, rows, groups } = part
  if (groups !== null) transfer.push(...groups.state.map(({ buffer }) => buffer as ArrayBuffer))
  const message: Exchanged<BatchMessage> = {
    kind: 'partition',
    share,
    dictionaries,
    rows: rows === null ? null : encode(rows),
    groups: groups === null ? null : { keys: encode(groups.keys), state: groups.state },
  }
  return { message, transfer }
}

function decodeExchanged(part: Exchanged<BatchMessage>, inbox: Inbox): Exchanged<VectorBatch> {
  const dictionaries = part.dictionaries === null ? null : decodeBatch(part.dictionaries, inbox)
  if (part.kind === 'results') return { kind: 'results', dictionaries, rows: decodeBatch(part.rows, inbox) }
  const { share, rows, groups } = part
  return {
    kind: 'partition',
    share,
    dictionaries,
    rows: rows === null ? null : decodeBatch(rows, inbox),
    groups: groups === null ? null : { keys: decodeBatch(groups.keys, inbox), state: groups.state },
  }
}
