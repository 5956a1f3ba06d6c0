/**
 * Text on its way into a lane: opens an input, brings its bytes into the lane's memory block by block, and has a parser make rows of them. What a row is,
 * is the parser's business (kernels/csv.ts, kernels/json.ts). A part of lanes, loaded for the first source of text.
 *
 * ```
 *   [ rest of the block before | block ]  in scratch, parsed as often as there are morsels in it; what is left of the last row is the next rest
 * ```
 */
import { MillraceError } from '../errors.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneMemory } from '../kernels/memory.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { BadRow, CsvShape, JsonShape, ParsedRows, TextParser } from '../kernels/text-rows.js'
import { type ByteSource, type InputDescriptor, type OpenFile, openInput } from './byte-source.js'
import { type ByteStreamOptions, openByteStream } from './byte-stream.js'

/** Bytes read at a time: they stay in the cache while they are parsed. */
const BLOCK_BYTES = 2 ** 20
/** The same where all rows are waited for: each block costs what parsing some tens of kilobytes does, and more where the reading does not block, or where what comes of it is a batch. */
const LONG_BLOCK_BYTES = 3 * 2 ** 20
/** A budget has room for few blocks, beside what comes of them: what part of a lane's share one is at most, but no less than so many bytes. */
const BLOCK_PARTS = 32
const LEAST_BLOCK_BYTES = 2 ** 16
/** Read beyond a part's end at once: the rest of its last row. */
const TAIL_BYTES = 2 ** 14
/** Of a row that is longer a stream's chunks wait for others. */
const LONG_ROW_BYTES = 2 ** 16
/** More than that is no row but a quote that nobody closed. */
const MOST_ROW_BYTES = 2 ** 28
/** Bytes behind a block that a parser may read. */
const SLACK_BYTES = 64
/** Bad rows that wait for the end of their part: of a file that is one part there may be any number, each some hundred bytes. */
const MOST_BAD_ROWS = 4096

/** Takes rows in scratch as long as it returns true. */
export type UseRows = (rows: ParsedRows['morsel'], rowsRead: number) => boolean

/** Some rows, brought into scratch by a call that does not wait; false where no more are wanted. @throws MillraceError for a bad row */
export type LoadRows = (use: UseRows) => boolean

/** A lane, as this needs it. */
export interface TextLane {
  readonly k: Kernels
  readonly openFile: OpenFile | null
  readonly dictionaries: { create(): LaneDictionary; release(dictionary: LaneDictionary): void }
  readonly parts: {
    readonly csv?: Pick<typeof import('../kernels/csv.js'), 'createCsvParser'>
    readonly json?: Pick<typeof import('../kernels/json.js'), 'createJsonParser'>
  }
}

/** A part of a file, as sources describe it. */
export interface TextSplit extends Omit<TextPart, 'collects'> {
  readonly format: 'csv' | 'json'
  readonly shape: CsvShape | JsonShape
  readonly columns: readonly string[]
  readonly inputKey: string
}

export interface TextPart {
  /** Zero-based byte of the input at which it begins. */
  readonly from: number
  readonly name: string
  /** Whether rows that cannot be read are left out and reported; otherwise the first is thrown. */
  readonly collects: boolean
  readonly bytes:
    | { readonly kind: 'sent'; readonly bytes: Uint8Array }
    | { readonly kind: 'range'; readonly input: InputDescriptor; readonly to: number; readonly isGuess: boolean }
    | { readonly kind: 'stream'; readonly input: InputDescriptor; readonly decode: ByteStreamOptions }
}

export interface TextFiles {
  /** The rows of a part. `report` is told what has been found of it, however it ends, and before that of bad rows where there are many. */
  read(part: TextPart, key: string, parser: TextParser, report: (found: FoundText) => void): AsyncGenerator<LoadRows>
  close(): Promise<void>
}

/** Where a part really began and ended. */
export interface FoundText {
  /** Set where it has not ended: of it there are bad rows so far, and no others are told again. */
  readonly goesOn?: true
  /** Zero-based byte of the input at which its first row begins. */
  readonly from: number
  /** Where the row after its last begins; null where it was not read to its end. */
  readonly to: number | null
  /** Rows read, those left out too. */
  readonly rows: number
  /** Rows left out; `row` counts from the part's first, `byteOffset` is the input's. */
  readonly bad: readonly BadRow[]
  /** Strings, of the columns read, whose ill-formed parts were replaced. */
  readonly illFormed: number
}

/** Distinct strings of a column that nobody keeps, before a dictionary makes way for another. */
const MOST_PASSING_BYTES = 2 ** 25

/**
 * What a job reads text with in a lane: parsers and dictionaries last for the job, inputs stay open for it.
 * @param keepsCodes whether a column's codes outlive their morsel, by its place among the columns read.
 * @param isLong whether few long morsels are better than many.
 * @param shareBytes what the job may take in the lane.
 */
export function createTexts(lane: TextLane, keepsCodes: (i: number) => boolean, isLong: boolean, shareBytes: number) {
  const mostBytes = Math.max(LEAST_BLOCK_BYTES, Math.floor(shareBytes / BLOCK_PARTS))
  const blockBytes = Math.min(mostBytes, isLong ? LONG_BLOCK_BYTES : BLOCK_BYTES)
  const files = createTextFiles(lane.k.memory, lane.openFile, blockBytes)
  const parsers = new Map<string, TextParser>()
  const dictionaries: LaneDictionary[] = []

  const dictionaryOf = (i: number): LaneDictionary => {
    dictionaries[i] ??= lane.dictionaries.create()
    return dictionaries[i]
  }
  /** Whoever still has codes of a dictionary has retained it. */
  const letGo = (passes: (dictionary: LaneDictionary, i: number) => boolean) => {
    dictionaries.forEach((dictionary, i) => {
      if (!passes(dictionary, i)) return
      lane.dictionaries.release(dictionary)
      delete dictionaries[i]
    })
  }
  const parserOf = ({ format, shape, columns, inputKey }: TextSplit): TextParser => {
    const before = parsers.get(inputKey)
    if (before !== undefined) return before
    const { csv, json } = lane.parts as Required<TextLane['parts']>
    const parser =
      format === 'csv'
        ? csv.createCsvParser(lane.k, shape as CsvShape, columns, dictionaryOf)
        : json.createJsonParser(lane.k, shape as JsonShape, columns, dictionaryOf)
    parsers.set(inputKey, parser)
    return parser
  }
  return {
    async *read(split: TextSplit, report: (found: FoundText) => void): AsyncGenerator<LoadRows> {
      const part = { ...split, collects: split.shape.collect }
      for await (const load of files.read(part, split.inputKey, parserOf(split), report)) {
        letGo((dictionary, i) => !keepsCodes(i) && dictionary.byteLength >= MOST_PASSING_BYTES)
        yield load
      }
    },
    /** Of its dictionaries: strings, and what finds them. */
    get byteLength() {
      return dictionaries.reduce((sum, dictionary) => sum + dictionary.storedBytes, 0)
    },
    /** Begins new dictionaries. */
    renew: () => letGo(() => true),
    /** Closes its inputs. */
    leave: files.close,
    close() {
      for (const parser of parsers.values()) parser.free()
      letGo(() => true)
    },
  }
}

export function createTextFiles(memory: LaneMemory, openFile: OpenFile | null, blockBytes = BLOCK_BYTES): TextFiles {
  const open = new Map<string, ByteSource>()
  /** Streams that are being read: each has a signal of its own, on which a fetch leaves listeners. */
  const reading = new Set<AbortController>()
  const readBlock = createBlockReader()
  const openOnce = async (input: InputDescriptor, key: string): Promise<ByteSource> => {
    const before = open.get(key)
    if (before !== undefined) return before
    const source = await openInput(input, openFile)
    open.set(key, source)
    return source
  }
  return {
    async *read(part, key, parser, report) {
      const { bytes } = part
      const rows = createRows(memory, parser, part, report)
      let ended = false
      const closing = new AbortController()
      reading.add(closing)
      try {
        if (bytes.kind === 'sent') {
          // Whole rows, so nothing that follows them can matter.
          const whole = bytes.bytes
          let until = 0
          do {
            const from = until
            until += Math.min(whole.length - from, Math.max(blockBytes, rows.restBytes))
            yield rows.loader(...copied([whole.subarray(from, until)]), until === whole.length)
          } while (until < whole.length && !rows.stopped)
        } else if (bytes.kind === 'stream') {
          yield* readStream(openByteStream(bytes.input, openFile, { ...bytes.decode, signal: closing.signal }), rows)
        } else yield* readRange(await openOnce(bytes.input, key), bytes, rows, readBlock, blockBytes)
        ended = !rows.stopped
      } finally {
        reading.delete(closing)
        if (rows.begin !== null)
          report({
            from: rows.begin,
            to: ended ? rows.at : null,
            rows: rows.count,
            bad: rows.bad,
            illFormed: rows.illFormed,
          })
      }
    },
    async close() {
      for (const each of reading) each.abort()
      const sources = [...open.values()]
      open.clear()
      for (const source of sources) await source.close().catch(() => {})
    },
  }
}

/** Rows that begin in a range of bytes: read to where they are parsed, or a block ahead where reading takes its time. */
async function* readRange(
  source: ByteSource,
  { to, isGuess }: { readonly to: number; readonly isGuess: boolean },
  rows: Rows,
  readBlock: ReadBlock,
  blockBytes: number,
): AsyncGenerator<LoadRows> {
  const byteLength = await source.byteLength()
  // The byte before shows whether a row begins here.
  let next = isGuess ? rows.at - 1 : rows.at
  rows.at = next
  if (isGuess) rows.begin = null
  rows.limit = to
  const advance = (): [from: number, until: number] => {
    // A row of many blocks is parsed anew with each: they double.
    const size = Math.max(next < to ? Math.min(blockBytes, to - next + TAIL_BYTES) : TAIL_BYTES, rows.restBytes)
    const from = next
    next = Math.min(byteLength, from + size)
    return [from, next]
  }
  const { readsNow } = source
  while (readsNow !== undefined) {
    const [from, until] = advance()
    const isEnd = until >= byteLength
    yield rows.loader(until - from, target => readsNow(target, from), isEnd)
    if (isEnd || rows.stopped || rows.done) return
  }
  const fetch = (): Promise<Uint8Array> => {
    const block = readBlock(source, ...advance())
    // Failures are for whoever waits for the block.
    block.catch(() => {})
    return block
  }
  let coming: Promise<Uint8Array> | null = fetch()
  while (coming !== null) {
    const expected = next
    const block = await coming
    if (rows.at + rows.restBytes + block.length !== expected) throw shrunk(rows, block.length)
    const isEnd = next >= byteLength
    // Beyond the part's end there is at most the rest of one row, and mostly none.
    coming = isEnd || next >= to ? null : fetch()
    yield rows.loader(...copied([block]), isEnd)
    if (rows.stopped || rows.done) return
    if (coming === null && !isEnd) coming = fetch()
  }
}

/** Brings a block to where it is wanted, and tells how many bytes came. */
type FillBlock = (target: Uint8Array) => number

const copied = (blocks: readonly Uint8Array[]): [byteLength: number, fill: FillBlock] => [
  blocks.reduce((sum, { length }) => sum + length, 0),
  target => {
    let at = 0
    for (const block of blocks) {
      target.set(block, at)
      at += block.length
    }
    return at
  },
]

type ReadBlock = (source: ByteSource, from: number, to: number) => Promise<Uint8Array>

/** Reads into two buffers in turn, as the touch of fresh memory takes longer than the reading: a block is good until the next but one is asked for. */
function createBlockReader(): ReadBlock {
  const buffers = [new ArrayBuffer(0), new ArrayBuffer(0)]
  let turn = 0
  return async (source, from, to) => {
    if (source.readInto === undefined) return source.read(from, to)
    turn = 1 - turn
    const own = turn
    const byteLength = to - from
    if (buffers[own].byteLength < byteLength) buffers[own] = new ArrayBuffer(byteLength)
    if (source.readBy === undefined) {
      const target = new Uint8Array(buffers[own], 0, byteLength)
      return target.subarray(0, await source.readInto(target, from))
    }
    const bytes = await source.readBy(buffers[own], byteLength, from)
    buffers[own] = bytes.buffer
    return bytes
  }
}

/** All rows of a stream of bytes, its first `from` left out. */
async function* readStream(stream: AsyncIterable<Uint8Array>, rows: Rows): AsyncGenerator<LoadRows> {
  let skip = rows.at
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const chunk of stream) {
    const block = skip >= chunk.length ? null : chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
    if (block === null) continue
    // A row of many chunks is parsed anew with each block: they double.
    if (heldBytes > 0 && (rows.restBytes < LONG_ROW_BYTES || heldBytes >= rows.restBytes)) {
      yield rows.loader(...copied(held), false)
      if (rows.stopped) return
      held = []
      heldBytes = 0
    }
    held.push(block)
    heldBytes += block.length
  }
  yield rows.loader(...copied(held), true)
}

type Rows = ReturnType<typeof createRows>

/** Rows of blocks that follow one another. */
function createRows(
  memory: LaneMemory,
  parser: TextParser,
  { name, from, collects }: TextPart,
  report: (found: FoundText) => void,
) {
  /** What is left of the blocks before: less than a row. */
  let rest = new Uint8Array(0)
  const rows = {
    /** The row at which reading is, as a byte of the input. */
    at: from,
    /** Where the first row begins; null while that is not known. */
    begin: from as number | null,
    /** Rows that begin there or later are not of this part. */
    limit: Infinity,
    count: 0,
    bad: [] as BadRow[],
    illFormed: 0,
    /** No more is wanted. */
    stopped: false,
    /** All rows have been read. */
    done: false,
    get restBytes() {
      return rest.length
    },
    /** @param isEnd whether the input ends with this block. */
    loader:
      (blockBytes: number, fill: FillBlock, isEnd: boolean): LoadRows =>
      use => {
        const length = rest.length + blockBytes
        const pointer = memory.scratch(length + SLACK_BYTES)
        memory.u8.set(rest, pointer)
        const came = fill(memory.bytes(pointer + rest.length, blockBytes))
        if (came !== blockBytes) throw shrunk(rows, came)
        let offset = 0
        if (rows.begin === null) {
          offset = parser.findStart(pointer, length, isEnd)
          if (offset >= 0) {
            rows.at += offset
            rows.begin = rows.at
          }
        }
        if (offset >= 0) offset = parseAll(pointer, offset, length, isEnd, use)
        keepRest(pointer + Math.max(0, offset), length - Math.max(0, offset))
        return !rows.stopped
      },
  }

  function parseAll(pointer: number, first: number, length: number, isEnd: boolean, use: UseRows): number {
    let offset = first
    while (true) {
      const limit = rows.limit - rows.at
      if (limit <= 0 || offset === length) break
      const mark = memory.mark()
      const parsed = parser.parse(pointer + offset, length - offset, limit, isEnd)
      const placed = parsed.bad.map(row => ({
        ...row,
        row: rows.count + row.row,
        byteOffset: rows.at + row.byteOffset,
      }))
      // Of a block there may be more than a call has arguments.
      if (collects) for (const row of placed) rows.bad.push(row)
      if (rows.bad.length > MOST_BAD_ROWS) {
        report({ goesOn: true, from: rows.begin as number, to: null, rows: 0, bad: rows.bad, illFormed: 0 })
        rows.bad = []
      }
      // A bad row that ends the reading has not been passed.
      const rowsRead = collects ? parsed.rowsRead : parsed.morsel.rowCount
      const wantsMore = rowsRead === 0 || use(parsed.morsel, rowsRead)
      rows.count += rowsRead
      rows.illFormed += parsed.illFormed
      if (!collects && placed.length > 0) throw badRowError(placed[0], name)
      memory.reset(mark)
      offset += parsed.consumed
      rows.at += parsed.consumed
      if (!wantsMore) {
        rows.stopped = true
        break
      }
      if (parsed.consumed === 0) {
        if (isEnd) throw unclosed(rows.at, memory.bytes(pointer + offset, length - offset))
        break
      }
    }
    rows.done = rows.at >= rows.limit || (isEnd && offset === length)
    return offset
  }

  function keepRest(pointer: number, length: number): void {
    if (length > MOST_ROW_BYTES) throw unclosed(rows.at, memory.bytes(pointer, 200))
    rest = rows.done || rows.stopped ? new Uint8Array(0) : memory.bytes(pointer, length).slice()
  }

  function unclosed(byteOffset: number, bytes: Uint8Array): MillraceError {
    const text = new TextDecoder().decode(bytes.subarray(0, 200))
    return new MillraceError(
      'MR_FORMAT_ERROR',
      `${name}: the row at byte ${byteOffset} has no end; is a quote or a bracket not closed?`,
      { file: name, byteOffset, text },
    )
  }
  return rows
}

/** A bad row as an error. Which row it is, the caller of a job finds out, and says where it is. */
function badRowError({ code, message, column, byteOffset, text }: BadRow, file: string): MillraceError {
  return new MillraceError(code, message, { file, byteOffset, text, ...(column === null ? {} : { column }) })
}

function shrunk(rows: Rows, came: number): MillraceError {
  const byteOffset = rows.at + rows.restBytes + came
  return new MillraceError(
    'MR_FORMAT_ERROR',
    `the input ends at byte ${byteOffset}, earlier than when it was opened: it changed while it was read`,
    { byteOffset },
  )
}
