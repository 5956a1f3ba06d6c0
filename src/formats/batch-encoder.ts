/** What turns batches into the bytes of a file: the contract that the writers of all formats keep, and sinks/encoded.ts uses. */
import type { VectorBatch } from '../columnar/vector.js'

/**
 * Makes one file, from `header` through `batch`es to `footer`. The pieces that come are views which are good until the next is asked for; those of
 * text are about a megabyte each, and what is less waits for more until `flush`.
 */
export interface BatchEncoder {
  header(): Iterable<Uint8Array>
  /** @throws MillraceError where a value has no exact form in this format, naming row and column. */
  batch(batch: VectorBatch): Iterable<Uint8Array>
  /** What has been written so far and not come yet. */
  flush(): Iterable<Uint8Array>
  footer(): Iterable<Uint8Array>
}
