/**
 * Turns a split as it came over the wire into batches in the lane's memory: decodes those that were sent, reads those that the lane opens itself
 * through an extension. One per job: it owns the open inputs and the input columns' dictionaries.
 */
import { freeBatch } from '../columnar/free-batch.js'
import type { VectorBatch } from '../columnar/vector.js'
import { MillraceError } from '../errors.js'
import type { FormatReader } from '../formats/format.js'
import { inputName } from '../formats/input-name.js'
import { createReviver, reviveError } from '../formats/plain-batch.js'
import type { FoundText, LoadRows } from '../formats/text-files.js'
import { createBatchLoader } from '../operators/batch-loader.js'
import type { CarriedTexts } from '../operators/carried-texts.js'
import type { Lane } from './lane.js'
import type { WireWork } from './protocol.js'
import { createInbox, decodeBatch } from './transfer.js'

export interface SplitReader {
  /** @param report is told what was found of a split of text. */
  read(work: WireWork, report: (found: FoundText) => void): AsyncIterable<LoadRows>
  /** Strings of formats other than text that were repaired since the last call. */
  takeIllFormed(): number
  /** Of its dictionaries: strings, and what finds them. */
  readonly byteLength: number
  /** Begins new dictionaries: whoever still has codes of the old ones has retained them. */
  renew(): void
  /** Closes what is read from, so that whoever waits for it waits no more. */
  leave(): Promise<void>
  close(): Promise<void>
}

/**
 * @param keepsCodes whether a column's codes outlive their morsel, by its place among the columns read.
 * @param fitting a batch in pieces that a lane has room for.
 * @param carried where some strings go out as they came
 * @param isLong whether few long morsels are better than many
 * @param shareBytes what the job may take in the lane
 * @param isOwn whether batches are the lane's that it has been sent
 */
export function createSplitReader(
  lane: Lane,
  keepsCodes: (i: number) => boolean,
  fitting: (batch: VectorBatch) => Iterable<VectorBatch>,
  carried: CarriedTexts | null,
  isLong: boolean,
  shareBytes: number,
  isOwn: boolean,
): SplitReader {
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

  let illFormed = 0
  const texts = lane.parts.files?.createTexts(lane, keepsCodes, isLong, shareBytes)
  const loadOf =
    (batch: VectorBatch): LoadRows =>
    use =>
      use({ ...(carried?.load(batch, loader) ?? loader.load(batch)), rows: 0 }, batch.rowCount)

  const leave = async (): Promise<void> => {
    await texts?.leave()
    for (const reader of open.values()) await reader.then(each => each.close()).catch(() => {})
  }

  return {
    async *read(work, report) {
      if (work.kind === 'batches') {
        if (work.isFresh) inbox.received.clear()
        for (const message of work.batches) {
          for (const batch of fitting(decodeBatch(message, inbox))) yield loadOf(batch)
          if (isOwn && carried === null) freeBatch(message)
        }
        return
      }
      if (work.kind === 'text') {
        if (texts === undefined) throw new MillraceError('MR_LANE_FAILED', 'the lane has nothing to read text with')
        yield* texts.read(work, report)
        return
      }
      try {
        const reader = await openOnce(work)
        for await (const batch of reader.read(work.part, work.columns)) {
          illFormed += batch.illFormedCount
          for (const each of fitting({ rowCount: batch.rowCount, vectors: revive(batch) })) yield loadOf(each)
        }
      } catch (error) {
        throw reviveError(error)
      }
    },
    takeIllFormed() {
      const taken = illFormed
      illFormed = 0
      return taken
    },
    get byteLength() {
      return loader.byteLength + (texts?.byteLength ?? 0)
    },
    renew() {
      loader.close()
      texts?.renew()
    },
    leave,
    async close() {
      loader.close()
      texts?.close()
      await leave()
    },
  }
}
