/** What came from another thread and is not needed any more: a lane makes so little garbage that it would lie there for long. */
import type { Vector } from './vector.js'

let nowhere: MessagePort | null = null

/** Frees the buffers of a batch that no one else has, all at once; its strings stay. */
export function freeBatch({
  vectors,
}: {
  readonly vectors: readonly Pick<Vector, 'data' | 'validity' | 'offsets'>[]
}): void {
  if (nowhere === null) {
    // What is given to a port that has no other end is let go of.
    const { port1, port2 } = new MessageChannel()
    port1.close()
    nowhere = port2
  }
  const buffers = new Set<ArrayBuffer>()
  for (const { data, validity, offsets } of vectors) {
    for (const array of [data, validity, offsets]) if (array !== null) buffers.add(array.buffer as ArrayBuffer)
  }
  nowhere.postMessage(null, [...buffers])
}
