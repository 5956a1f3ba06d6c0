/**
 * Where the batches of an Arrow file or stream are, and how they are dealt out: read once, from metadata alone, and sent to the lanes that read
 * the rows. What is in a body is batch-reader.ts's business.
 *
 * ```
 *   file      "ARROW1" 0 0   messages   FF FF FF FF  00 00 00 00   footer (FlatBuffers)   its length: i32   "ARROW1"
 *   stream    messages   [FF FF FF FF  00 00 00 00]
 *   message   FF FF FF FF (not before version 0.15)   length of the metadata: i32   metadata (FlatBuffers)   body
 * ```
 * A file's footer has the places of all batches; a stream's are found message by message, without reading their bodies.
 */
import { type ByteSource, readExactly } from '../byte-source.js'
import { corrupt, unsupported } from '../fault.js'
import { readRanges } from '../read-ranges.js'
import type { ArrowField } from './field.js'
import { type BatchHeader, type Block, type Message, readFooter, readMessage } from './message.js'
import { placesOf } from './places.js'

/** Plain data. */
export interface ArrowIndex {
  /** A file's dictionaries may come behind the batches that need them. */
  readonly layout: 'file' | 'stream'
  readonly fields: readonly ArrowField[]
  /** In the order of the file, or of its footer. */
  readonly dictionaries: readonly DictionaryBlock[]
  readonly batches: readonly BatchBlock[]
  readonly rowCount: number
  readonly parts: readonly ArrowPart[]
  /** Bytes of each column in all batches together, as they are in the file. */
  readonly columnBytes: readonly number[]
  /** Nulls of each column; NaN where they are not told. */
  readonly nullCounts: readonly number[]
}

export interface BatchBlock extends Block {
  readonly firstRow: number
  readonly rowCount: number
}

export interface DictionaryBlock extends Block {
  readonly id: number
  readonly isDelta: boolean
}

/** What a lane reads at a time: rows [firstRow, firstRow + rowCount) of the file, which begin in this batch. */
export interface ArrowPart {
  readonly firstRow: number
  readonly rowCount: number
  readonly batch: number
}

/** Rows of a part: larger batches are cut, smaller ones put together, while there are not too many bytes. */
const PART_ROWS = 131_072
const PART_BYTES = 32 * 2 ** 20
/** Rows that no byte of a batch stands for, of nulls alone: more of them are more likely a fault than data. */
const MOST_EMPTY_ROWS = 2 ** 31 - 1
/** Headers of a file read at a time. */
const HEADERS_AT_ONCE = 256
/** Bytes of a footer, or of a stream's metadata, read at first. */
const TAIL_BYTES = 65_536
const WINDOW_BYTES = 16_384

const CONTINUATION = -1
const MAGIC = 'ARROW1'

/** @throws MillraceError `MR_FORMAT_ERROR`, with the byte offset; what reading throws. */
export async function readIndex(source: ByteSource, signal?: AbortSignal): Promise<ArrowIndex> {
  const fileLength = await source.byteLength(signal)
  const start = await readExactly(source, 0, Math.min(fileLength, 8), signal)
  if (textOf(start, 0, 4) === 'FEA1')
    throw unsupported('it is a Feather file of version 1, which this version does not read; write it as version 2')
  return textOf(start, 0, 6) === MAGIC ? readFile(source, fileLength, signal) : readStream(source, fileLength, signal)
}

async function readFile(source: ByteSource, fileLength: number, signal?: AbortSignal): Promise<ArrowIndex> {
  const tailStart = Math.max(0, fileLength - TAIL_BYTES)
  const tail = await readExactly(source, tailStart, fileLength, signal)
  const lengthAt = fileLength - MAGIC.length - 4
  if (lengthAt < 8 || textOf(tail, tail.length - MAGIC.length, tail.length) !== MAGIC)
    throw corrupt(`this is no whole Arrow file: it does not end with "${MAGIC}"`, Math.max(0, lengthAt + 4))
  const footerLength = int32At(tail, lengthAt - tailStart)
  const footerStart = lengthAt - footerLength
  if (footerLength <= 0 || footerStart < 8)
    throw corrupt(`the footer claims ${footerLength} of the file's ${fileLength} bytes`, lengthAt)
  const bytes =
    footerStart >= tailStart
      ? tail.subarray(footerStart - tailStart, lengthAt - tailStart)
      : await readExactly(source, footerStart, lengthAt, signal)
  const footer = readFooter(bytes, footerStart)
  const index = startIndex('file', footer.fields)
  for await (const { block, message } of messagesAt(source, footerStart, footer.dictionaries, signal)) {
    if (message.kind !== 'dictionary') throw corrupt('the footer has a dictionary where there is none', block.at)
    index.addDictionary(block, message)
  }
  for await (const { block, message } of messagesAt(source, footerStart, footer.batches, signal)) {
    if (message.kind !== 'batch') throw corrupt('the footer has a batch where there is none', block.at)
    index.addBatch(block, message.batch)
  }
  return index.finish()
}

/** The messages of these blocks, headers only. @param end of what may be messages. */
async function* messagesAt(
  source: ByteSource,
  end: number,
  blocks: readonly Block[],
  signal?: AbortSignal,
): AsyncGenerator<{ block: Block; message: Message }, void, void> {
  for (let i = 0; i < blocks.length; i += HEADERS_AT_ONCE) {
    const some = blocks.slice(i, i + HEADERS_AT_ONCE)
    for (const { at, metadataLength, bodyLength } of some) {
      if (at < 8 || metadataLength < 8 || bodyLength < 0 || at + metadataLength + bodyLength > end)
        throw corrupt(
          `the footer has a message of ${metadataLength} and ${bodyLength} bytes, which are not all inside the file`,
          Math.max(0, at),
        )
    }
    const headers = await readRanges(
      source,
      some.map(({ at, metadataLength }) => ({ from: at, to: at + metadataLength })),
      signal,
    )
    for (const [j, block] of some.entries()) yield { block, message: messageIn(headers[j] as Uint8Array, block) }
  }
}

/** The message of a block, from the words before its metadata on. @throws MillraceError `MR_FORMAT_ERROR` */
export function messageIn(header: Uint8Array, { at, metadataLength, bodyLength }: Block): Message {
  const prefix = int32At(header, 0) === CONTINUATION ? 8 : 4
  const length = int32At(header, prefix - 4)
  if (length <= 0 || prefix + length > metadataLength)
    throw corrupt(`a message of ${length} bytes of metadata where ${metadataLength - prefix} are`, at)
  const message = readMessage(header.subarray(prefix, prefix + length), at + prefix)
  if (message.bodyLength > bodyLength)
    throw corrupt(`a message says that its body has ${message.bodyLength} bytes, where ${bodyLength} are`, at)
  return message
}

async function readStream(source: ByteSource, fileLength: number, signal?: AbortSignal): Promise<ArrowIndex> {
  let window = new Uint8Array(0)
  let windowStart = 0
  /** Bytes [at, at + byteLength), which are there. */
  const bytesAt = async (at: number, byteLength: number): Promise<Uint8Array> => {
    if (at < windowStart || at + byteLength > windowStart + window.length) {
      windowStart = at
      window = (await readExactly(
        source,
        at,
        Math.min(fileLength, at + Math.max(byteLength, WINDOW_BYTES)),
        signal,
      )) as Uint8Array<ArrayBuffer>
    }
    return window.subarray(at - windowStart, at - windowStart + byteLength)
  }

  let index: ReturnType<typeof startIndex> | null = null
  let at = 0
  while (at < fileLength) {
    if (at + 4 > fileLength) throw cutShort(fileLength)
    const isContinued = int32At(await bytesAt(at, 4), 0) === CONTINUATION
    const prefix = isContinued ? 8 : 4
    if (at + prefix > fileLength) throw cutShort(fileLength)
    const length = int32At(await bytesAt(at + prefix - 4, 4), 0)
    if (length === 0) {
      const left = fileLength - at - prefix
      if (left > 0)
        throw corrupt(`${left} bytes follow the end of the stream: it is another input, or several`, at + prefix)
      break
    }
    if (length < 0 || (index === null && length > fileLength - prefix - at))
      throw index === null ? noArrow(fileLength) : corrupt(`a message has ${length} bytes of metadata`, at)
    if (at + prefix + length > fileLength) throw cutShort(fileLength)
    const message = readMessage(await bytesAt(at + prefix, length), at + prefix)
    const block = { at, metadataLength: prefix + length, bodyLength: message.bodyLength }
    const end = at + block.metadataLength + block.bodyLength
    if (end > fileLength) throw cutShort(fileLength)
    if (message.kind === 'schema') {
      if (index !== null) throw corrupt('a stream has a second schema', at)
      index = startIndex('stream', message.fields)
    } else if (index === null) throw corrupt('a stream has no schema before its batches', at)
    else if (message.kind === 'dictionary') index.addDictionary(block, message)
    else index.addBatch(block, message.batch)
    at = end
  }
  if (index === null) throw noArrow(fileLength)
  return index.finish()
}

const cutShort = (fileLength: number) =>
  corrupt(`it ends in the middle of a message, after ${fileLength} bytes`, fileLength)

const noArrow = (fileLength: number) =>
  corrupt(`this is no Arrow file or stream: its ${fileLength} bytes begin with no schema`, 0)

const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(Math.max(0, from), to))

const int32At = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(at, true)

/** Gathers an index, batch by batch. */
function startIndex(layout: ArrowIndex['layout'], fields: readonly ArrowField[]) {
  const dictionaries: DictionaryBlock[] = []
  const batches: BatchBlock[] = []
  const columnBytes = fields.map(() => 0)
  const nullCounts = fields.map(() => 0)
  const parts: { firstRow: number; rowCount: number; batch: number }[] = []
  let rowCount = 0
  let bytesOfLast = 0

  /** The rows of a batch as parts of their own, or in the part of those before. */
  const deal = (batch: number, rows: number, bodyLength: number, isCut: boolean): void => {
    const last = parts.at(-1)
    if (last !== undefined && last.rowCount + rows <= PART_ROWS && bytesOfLast + bodyLength <= PART_BYTES) {
      last.rowCount += rows
      bytesOfLast += bodyLength
      return
    }
    const most = isCut ? Math.min(PART_ROWS, evenRows((PART_BYTES * rows) / bodyLength)) : rows
    for (let row = 0; row < rows; row += most) {
      const count = Math.min(most, rows - row)
      parts.push({ firstRow: rowCount + row, rowCount: count, batch })
      bytesOfLast = (bodyLength * count) / rows
    }
  }

  return {
    addDictionary({ at, metadataLength, bodyLength }: Block, { id, isDelta }: Message & { kind: 'dictionary' }): void {
      dictionaries.push({ at, metadataLength, bodyLength, id, isDelta })
    },
    addBatch({ at, metadataLength, bodyLength }: Block, header: BatchHeader): void {
      const { rowCount: rows, compression, buffers } = header
      const places = placesOf(fields, header, at)
      for (const [f, { node, buffer, bufferEnd }] of places.entries()) {
        const { nullCount } = header.nodes[node] as BatchHeader['nodes'][number]
        nullCounts[f] = (nullCounts[f] as number) + (nullCount < 0 ? Number.NaN : nullCount)
        for (const { length } of buffers.slice(buffer, bufferEnd)) columnBytes[f] = (columnBytes[f] as number) + length
      }
      // A bit a row is the least that a row which is not null takes.
      const isBacked = rows <= 8 * bodyLength
      if (rows > MOST_EMPTY_ROWS && !isBacked)
        throw corrupt(`a batch has ${rows} rows, in a body of ${bodyLength} bytes`, at)
      if (!Number.isSafeInteger(rowCount + rows)) throw corrupt(`the batches have ${rowCount + rows} rows`, at)
      const batch = batches.push({ at, metadataLength, bodyLength, firstRow: rowCount, rowCount: rows }) - 1
      if (rows > 0) deal(batch, rows, bodyLength, isBacked && compression === null)
      rowCount += rows
    },
    finish: (): ArrowIndex => ({
      layout,
      fields,
      dictionaries,
      batches,
      rowCount,
      parts,
      columnBytes,
      nullCounts,
    }),
  }
}

/** So many rows, at least one; a multiple of 8 where there are more, so that bitmaps are cut without copying. */
export const evenRows = (rows: number): number => (rows < 8 ? Math.max(1, Math.floor(rows)) : Math.floor(rows / 8) * 8)
