/**
 * Turns a split as it came over the wire into batches in the lane's memory: decodes those that were sent, reads those that the lane opens itself
 * through an extension. One per job: it owns the open inputs and the input columns' dictionaries.
 */
import type { VectorBatch } from '../columnar/vector.js'
import { MillraceError } from '../errors.js'
import type { FormatReader } from '../formats/format.js'
import { inputName } from '../formats/input.js'
import { createReviver, reviveError } from '../formats/plain-batch.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { createBatchLoader } from '../operators/batch-loader.js'
import type { Lane } from './lane.js'
import type { WireWork } from './protocol.js'
import { createInbox, decodeBatch } from './transfer.js'

export interface SplitReader {
  read(work: WireWork): AsyncIterable<VectorBatch>
  /** A batch of `read` in scratch. */
  load(batch: VectorBatch): LaneBatch
  close(): Promise<void>
}

export function createSplitReader(lane: Lane): SplitReader {
  const inbox = createInbox()
  const loader = createBatchLoader(lane)
  const revive = createReviver()
  const open = new Map<string, Promise<FormatReader>>()

  const openOnce = ({ extension, input, inputKey, index }: WireWork & { kind: 'part' }): Promise<FormatReader> => {
    const before = open.get(inputKey)
    if (before !== undefined) return before
    const module = lane.parts[extension]
    if (module === undefined)
      throw new MillraceError(
        'MR_LANE_FAILED',
        `the lane has no extension ${extension} to read ${inputName(input)} with`,
      )
    const reader = module.open(input, lane.openFile, index)
    open.set(inputKey, reader)
    return reader
  }

  return {
    async *read(work) {
      if (work.kind === 'batches') {
        for (const message of work.batches) yield decodeBatch(message, inbox)
        return
      }
      try {
        const reader = await openOnce(work)
        for await (const batch of reader.read(work.part, work.columns)) {
          yield { rowCount: batch.rowCount, vectors: revive(batch) }
        }
      } catch (error) {
        throw reviveError(error)
      }
    },
    load: batch => loader.load(batch),
    async close() {
      loader.close()
      for (const reader of open.values()) await reader.then(each => each.close()).catch(() => {})
    },
  }
}
