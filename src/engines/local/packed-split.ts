/** The work of a split as it goes to a lane, and what is left of it here. */
import { MillraceError } from '../../errors.js'
import type { Split } from '../../sources/source.js'
import type { WireWork } from '../../workers/protocol.js'
import { encodeFresh, type Outbox } from '../../workers/transfer.js'

/** @param told inputs of which the lane has the index */
export function packed(
  work: Split['work'],
  { told, outbox }: { readonly told: Set<string>; readonly outbox: Outbox },
  inline: boolean,
): { work: WireWork; transfer: ArrayBuffer[] } {
  if (work.kind === 'part') {
    const isTold = told.has(work.inputKey)
    told.add(work.inputKey)
    return { work: isTold ? { ...work, index: null } : work, transfer: [] }
  }
  if (work.kind === 'text') {
    const { bytes } = work
    const isSent = bytes.kind === 'sent' && !inline
    return { work, transfer: isSent ? [bytes.bytes.buffer as ArrayBuffer] : [] }
  }
  const { isFresh, encoded } = encodeFresh(work.batches(), outbox, !inline)
  return {
    work: { kind: 'batches', batches: encoded.map(({ message }) => message), isFresh },
    transfer: encoded.flatMap(({ transfer }) => transfer),
  }
}

/** What is left of a split's work once it has been sent: its kind. */
export const sent = (work: Split['work']): Split['work'] =>
  work.kind === 'batches'
    ? { kind: 'batches', batches: () => [] }
    : work.kind === 'text'
      ? { ...work, bytes: { kind: 'sent', bytes: new Uint8Array(0) } }
      : work

/** Whatever was thrown for another reason than that a worker cannot be sent it, an Error or not, is told as it is. */
export function unsent(thrown: Error, label: string): Error {
  if (!(thrown instanceof Error) || thrown instanceof MillraceError) return thrown
  if (thrown.name !== 'DataCloneError' && !/cloneable/.test(thrown.message)) return thrown
  return new MillraceError(
    'MR_SOURCE_FAILED',
    `${label} cannot be sent to the lanes: ${thrown.message}; run the flow with lanes: 0`,
    {},
    thrown,
  )
}
