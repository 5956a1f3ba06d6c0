/** What goes through a `MessagePort` or a `BroadcastChannel`: plain messages, of which port.ts makes batches and receive.ts makes them again. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { VectorData } from '../columnar/vector.js'
import type { SerialisedError } from '../errors.js'

/** A `MessagePort` or a `BroadcastChannel`. Named by their values: the DOM has types of these names, and Node.js has none. */
export type MessagePortOrChannel =
  | (typeof globalThis extends { MessagePort: { prototype: infer P } } ? P : never)
  | (typeof globalThis extends { BroadcastChannel: { prototype: infer C } } ? C : never)

/**
 * Messages in order: `batch`es, then `end`, or `error` where the job failed. A batch stands for itself: it needs none of those before it.
 * Through a `MessagePort` a receiver answers each batch with `{ type: 'taken' }`, for at most 8 are sent unanswered, and may end the job with `{ type: 'cancel' }`.
 * `job` is of one job alone: messages of one that was left may still come while the next one sends. An answer with it is that job's, and one without of whichever sends.
 */
export type PortMessage = { readonly job?: string } & (
  | {
      readonly type: 'batch'
      readonly schema: SchemaShape
      /** Rows sent before this batch. */
      readonly firstRow: number
      readonly rowCount: number
      /** In the order of the schema. */
      readonly columns: readonly PortColumn[]
    }
  | { readonly type: 'end'; readonly rowCount: number }
  | { readonly type: 'error'; readonly error: SerialisedError }
)

/** A column's buffers as Arrow has them; of strings the codes, as a rule, with the entries of this batch. */
export interface PortColumn {
  readonly name: string
  readonly type: DataType
  /** The typed array of its kind: bits for bool, Int32Array of days or of codes, BigInt64Array of int64s and instants; of a list empty. */
  readonly data: VectorData
  /** A bitmap, or null where every row has a value. */
  readonly validity: Uint8Array | null
  readonly nullCount: number
  /** Of strings: entry c is the UTF-8 bytes [offsets[c], offsets[c + 1]). */
  readonly dictionary: { readonly offsets: Int32Array; readonly bytes: Uint8Array } | null
  /** Of lists: row i is rows [offsets[i], offsets[i + 1]) of `child`. Of strings without a dictionary: the bytes of `data`. */
  readonly offsets: Int32Array | null
  readonly child: PortColumn | null
}

export type PortAnswer = { readonly type: 'taken' | 'cancel'; readonly job?: string }
