/**
 * Turns a split as it came over the wire into batches in the lane's memory: decodes those that were sent, reads those that the lane opens itself
 * through an extension. One per job: it owns the open inputs and the input columns' dictionaries.
 */
import type { VectorBatch } from '../columnar/vector.js'
import { MillraceError } from '../errors.js'
import type { FormatReader } from '../formats/format.js'
import { inputName } from '../formats/input-name.js'
import { createReviver, reviveError } from '../formats/plain-batch.js'
import type { LoadRows, TextFiles } from '../formats/text-files.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { CsvShape, JsonShape, TextParser } from '../kernels/text-rows.js'
import { createBatchLoader } from '../operators/batch-loader.js'
import type { TextWork } from '../sources/source.js'
import type { Lane, LaneParts } from './lane.js'
import type { TextReport, WireWork } from './protocol.js'
import { createInbox, decodeBatch } from './transfer.js'

export interface SplitReader {
  /** @param report is told what was found of a split of text. */
  read(work: WireWork, report: (found: TextReport) => void): AsyncIterable<LoadRows>
  /** Begins new dictionaries: nothing has codes of the old ones any more. */
  renew(): void
  close(): Promise<void>
}

/**
 * @param keepsCodes whether a column's codes outlive their morsel, by its place among the columns read.
 * @param narrow leaves out what a batch need not bring along.
 */
export function createSplitReader(
  lane: Lane,
  keepsCodes: (i: number) => boolean,
  narrow: (batch: VectorBatch) => VectorBatch,
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

  const texts = createTexts(lane, keepsCodes)
  const loadOf =
    (batch: VectorBatch): LoadRows =>
    use =>
      use({ ...loader.load(narrow(batch)), rows: 0 }, batch.rowCount)

  return {
    async *read(work, report) {
      if (work.kind === 'batches') {
        for (const message of work.batches) yield loadOf(decodeBatch(message, inbox))
        return
      }
      if (work.kind === 'text') {
        yield* texts.read(work, report)
        return
      }
      try {
        const reader = await openOnce(work)
        for await (const batch of reader.read(work.part, work.columns)) {
          yield loadOf({ rowCount: batch.rowCount, vectors: revive(batch) })
        }
      } catch (error) {
        throw reviveError(error)
      }
    },
    renew() {
      loader.close()
      texts.renew()
    },
    async close() {
      loader.close()
      await texts.close()
      for (const reader of open.values()) await reader.then(each => each.close()).catch(() => {})
    },
  }
}

/** Distinct strings of a column that nobody keeps, before a dictionary makes way for another. */
const MOST_PASSING_BYTES = 2 ** 25

/** What reads splits of text: parsers and dictionaries last for the job, an input for as long as it is read. */
function createTexts(lane: Lane, keepsCodes: (i: number) => boolean) {
  const { csv, json, files } = lane.parts
  const parsers = new Map<string, TextParser>()
  const dictionaries: LaneDictionary[] = []
  let opened: TextFiles | null = null

  const dictionaryOf = (i: number): LaneDictionary => {
    const last = dictionaries[i]
    if (last !== undefined && (last.byteLength < MOST_PASSING_BYTES || keepsCodes(i))) return last
    // Whoever still has codes of the last one has retained it.
    if (last !== undefined) lane.dictionaries.release(last)
    dictionaries[i] = lane.dictionaries.create()
    return dictionaries[i]
  }
  const parserOf = ({ format, shape, columns, inputKey }: TextWork): TextParser => {
    const before = parsers.get(inputKey)
    if (before !== undefined) return before
    const parser =
      format === 'csv'
        ? (csv as LaneParts['csv']).createCsvParser(lane.k, shape as CsvShape, columns, dictionaryOf)
        : (json as LaneParts['json']).createJsonParser(lane.k, shape as JsonShape, columns, dictionaryOf)
    parsers.set(inputKey, parser)
    return parser
  }
  return {
    read(work: TextWork, report: (found: TextReport) => void): AsyncIterable<LoadRows> {
      opened ??= (files as LaneParts['files']).createTextFiles(lane.k.memory, lane.openFile)
      const { from, name, bytes, shape, inputKey } = work
      return opened.read({ from, name, bytes, collects: shape.collect }, inputKey, parserOf(work), report)
    },
    renew() {
      for (const dictionary of dictionaries) if (dictionary !== undefined) lane.dictionaries.release(dictionary)
      dictionaries.length = 0
    },
    async close() {
      for (const parser of parsers.values()) parser.free()
      this.renew()
      await opened?.close()
    },
  }
}
