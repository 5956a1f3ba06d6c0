/**
 * Batches and errors as they leave a lane extension: plain structures without classes. An extension is bundled apart from the core, so
 * its `Dictionary` and `MillraceError` are other classes than the core's; `createReviver` and `reviveError` make the core's of them.
 */
import { Dictionary } from '../columnar/dictionary.js'
import type { Vector } from '../columnar/vector.js'
import { type ErrorCode, type ErrorDetails, MillraceError } from '../errors.js'

/** Entry c is bytes[offsets[c] .. offsets[c + 1]). Never changed once handed out; batches of one file part share it by identity. */
export interface PlainDictionary {
  readonly length: number
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/**
 * A `Vector` but for its dictionary, and its items'. Buffers are the receiver's to read, and may be views of one that batches share.
 */
export interface PlainVector extends Omit<Vector, 'dictionary' | 'child'> {
  readonly dictionary: PlainDictionary | null
  readonly child?: PlainVector | null
}

export interface PlainBatch {
  readonly rowCount: number
  /** In the order of the columns asked for. */
  readonly vectors: readonly PlainVector[]
  /** Strings of this batch that were not UTF-8 and had their ill-formed parts replaced by U+FFFD; a dictionary's count with its first batch. */
  readonly illFormedCount: number
}

/** Makes vectors of plain ones, without copying rows: each dictionary becomes one `Dictionary`, however many batches share it. */
export function createReviver(): (batch: PlainBatch) => Vector[] {
  const revived = new WeakMap<PlainDictionary, Dictionary>()
  const revive = (plain: PlainDictionary): Dictionary => {
    let dictionary = revived.get(plain)
    if (dictionary === undefined) {
      dictionary = new Dictionary()
      dictionary.append(plain.offsets, plain.bytes)
      revived.set(plain, dictionary)
    }
    return dictionary
  }
  const vectorOf = (vector: PlainVector): Vector => ({
    ...vector,
    dictionary: vector.dictionary === null ? null : revive(vector.dictionary),
    child: vector.child ? vectorOf(vector.child) : null,
  })
  return batch => batch.vectors.map(vectorOf)
}

/** The core's `MillraceError` for one that an extension threw; anything else as it is. */
export function reviveError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof MillraceError || error.name !== 'MillraceError') return error
  const { code, details } = error as Error & { code?: ErrorCode; details?: ErrorDetails }
  if (code === undefined) return error
  return new MillraceError(code, error.message.slice(code.length + 2), details, error.cause)
}
