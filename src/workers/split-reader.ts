/**
 * Turns a split as it came over the wire into batches in the lane's memory: decodes those that were sent, reads those that the lane opens itself
 * through an extension. One per job: it owns the open inputs and the input columns' dictionaries.
 */
import type { VectorBatch } from '../columnar/vector.js'
import { MillraceError } from '../errors.js'
import type { InputDescriptor } from '../formats/byte-source.js'
import { inputName } from '../formats/input.js'
import type { openParquet, ParquetReader } from '../formats/parquet/lane-extension.js'
import { createReviver, reviveError } from '../formats/plain-batch.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { createBatchLoader } from '../operators/batch-loader.js'
import type { Lane } from './lane.js'
import type { WireWork } from './protocol.js'
import { createInbox, decodeBatch } from './transfer.js'

/** What a lane extension exports. */
export interface FormatModule {
  readonly openParquet: typeof openParquet
}

export interface SplitReader {
  read(work: WireWork): AsyncIterable<VectorBatch>
  /** A batch of `read` in scratch. */
  load(batch: VectorBatch): LaneBatch
  /** Begins new dictionaries: nothing has codes of the old ones any more. */
  renew(): void
  close(): Promise<void>
}

export function createSplitReader(lane: Lane): SplitReader {
  const inbox = createInbox()
  const loader = createBatchLoader(lane)
  const revive = createReviver()
  const open = new Map<string, Promise<ParquetReader>>()

  const openOnce = (extension: 'parquet', input: InputDescriptor, key: string): Promise<ParquetReader> => {
    const before = open.get(key)
    if (before !== undefined) return before
    const module = lane.parts[extension]
    if (module === undefined)
      throw new MillraceError(
        'MR_LANE_FAILED',
        `the lane has no extension ${extension} to read ${inputName(input)} with`,
      )
    const reader = module.openParquet(input, lane.openFile)
    open.set(key, reader)
    return reader
  }

  return {
    async *read(work) {
      if (work.kind === 'batches') {
        for (const message of work.batches) yield decodeBatch(message, inbox)
        return
      }
      try {
        const reader = await openOnce(work.extension, work.input, work.inputKey)
        for await (const batch of reader.read(work.part, work.columns)) {
          yield { rowCount: batch.rowCount, vectors: revive(batch) }
        }
      } catch (error) {
        throw reviveError(error)
      }
    },
    load: batch => loader.load(batch),
    renew: () => loader.close(),
    async close() {
      loader.close()
      for (const reader of open.values()) await reader.then(each => each.close()).catch(() => {})
    },
  }
}
