/**
 * Opens files of text: reads a sample of each, has its format inferred, and cuts it into splits. A chunk of its own; lanes read the splits through
 * formats/text-files.ts.
 */
import { schemaOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { type InputDescriptor, openInput, pinned, type SequentialDescriptor } from '../formats/byte-source.js'
import { type ByteStreamOptions, openByteStream } from '../formats/byte-stream.js'
import { createRowCutter } from '../formats/csv/cut.js'
import { inferCsv } from '../formats/csv/infer.js'
import { encodingName, sniffEncoding } from '../formats/encoding.js'
import { describeInputs, type Input, isSendable } from '../formats/input.js'
import { inputName } from '../formats/input-name.js'
import { inferJson } from '../formats/json/infer.js'
import { csvReader, filesReader, jsonReader } from '../formats/text-readers.js'
import { unlessAborted } from '../formats/unless-aborted.js'
import type { CsvShape, JsonShape } from '../kernels/text-rows.js'
import type { OpenRequest, OpenSource, SourceServices, Split, SplitSupply, TextBytes, TextWork } from './source.js'
import type { CsvOptions, InferenceReport, JsonOptions } from './text.js'
import { createTextOrder } from './text-order.js'

/** Read of each file to see what is in it; of the first that has a row, types are inferred from it. */
const SAMPLE_BYTES = 2 ** 18
/** Of files whose columns are known, for their header. */
const HEADER_BYTES = 2 ** 14
/** What holds no row in so many bytes is not such a file. */
const MOST_SAMPLE_BYTES = 2 ** 26
const LEAST_SPLIT_BYTES = 2 ** 19
const MOST_SPLIT_BYTES = 2 ** 23
/** Splits to a file of middling size, so that lanes share it evenly. */
const SPLITS = 32

export interface Texts {
  /** What it was called by. */
  readonly verb: string
  readonly inputs: readonly Input[]
  readonly kept: Map<Input, readonly SequentialDescriptor[]>
  readonly options: CsvOptions | JsonOptions
}

export interface OpenedTexts {
  readonly schema: SchemaShape
  open(request: OpenRequest): OpenSource
  /** In place of `open`: ends what was to be read on. */
  leave(): Promise<void>
}

/** A file of which a sample has been read. */
interface Sampled {
  /** Null where it can be read only once. */
  readonly input: InputDescriptor | null
  readonly name: string
  /** Bytes of the input; null where they are not those that are read. */
  readonly byteLength: number | null
  readonly decode: ByteStreamOptions
  readonly sample: Uint8Array
  readonly isWhole: boolean
  /** What follows the sample, where the input can be read only once. */
  readonly rest: AsyncIterator<Uint8Array> | null
}

interface Prepared {
  readonly sampled: Sampled
  readonly shape: CsvShape | JsonShape
  /** Byte at which the first row begins. */
  readonly dataOffset: number
  /** Types as found or declared, of the columns of the whole source. */
  readonly schema: SchemaShape
  readonly report: InferenceReport
}

/** @throws MillraceError for what cannot be read, or is no such text; its schema. */
export async function openTexts(texts: Texts, services: SourceServices): Promise<OpenedTexts> {
  const { verb, inputs, kept, options } = texts
  const { signal } = services
  const descriptors: SequentialDescriptor[] = []
  for (const input of inputs) {
    const described =
      kept.get(input) ?? (await describeInputs([input], services, { streams: 'sequential', verb, signal }))
    if (typeof input !== 'string') kept.set(input, described)
    descriptors.push(...described)
  }
  const prepared: Prepared[] = []
  try {
    let schema = options.schema
    const decide = async (by: Prepared) => {
      const found = by.schema
      schema = found
      await unlessAborted(Promise.resolve(options.onInferred?.(by.report)), signal)
      for (const [i, each] of prepared.entries()) if (each !== by) prepared[i] = prepare(each.sampled, found, options)
    }
    for (const input of descriptors) {
      const each = await sampleAndPrepare(input, schema, options, services)
      prepared.push(each)
      if (schema === null && each.report.rows > 0 && hasColumns(each)) await decide(each)
    }
    if (schema === null) await decide(prepared.find(hasColumns) ?? prepared[0])
  } catch (error) {
    await leave(prepared)
    throw error
  }
  const { schema } = prepared[0]
  return {
    schema,
    open: request => openPrepared(prepared, texts, request),
    leave: () => leave(prepared),
  }
}

const hasColumns = ({ schema }: Prepared): boolean => Object.keys(schema).length > 0

async function leave(prepared: readonly Prepared[]): Promise<void> {
  for (const { sampled } of prepared) await sampled.rest?.return?.()
}

/** A file by a sample, a longer one where it does not show enough: a header may be long, and a record far down in a document. */
async function sampleAndPrepare(
  input: SequentialDescriptor,
  known: SchemaShape | null,
  options: CsvOptions | JsonOptions,
  services: SourceServices,
): Promise<Prepared> {
  let size = known === null ? SAMPLE_BYTES : HEADER_BYTES
  let sampled = await readSample(input, size, options, services)
  while (true) {
    try {
      return prepare(sampled, known, options)
    } catch (error) {
      const { incomplete } = (error as Partial<MillraceError>).details ?? {}
      if (incomplete !== true || sampled.isWhole || size >= MOST_SAMPLE_BYTES) {
        await sampled.rest?.return?.()
        throw error
      }
    }
    size *= 8
    sampled = sampled.rest === null ? await readSample(input, size, options, services) : await extend(sampled, size)
  }
}

/** The same with a longer sample of an input that can be read only once. */
async function extend(sampled: Sampled, size: number): Promise<Sampled> {
  const { sample, rest } = sampled
  const more = await take(rest as AsyncIterator<Uint8Array>, size - sample.length)
  return {
    ...sampled,
    sample: concat([sample, more.bytes], sample.length + more.bytes.length),
    isWhole: more.isWhole,
  }
}

/** The beginning of a file as UTF-8 text, and how the rest is read. */
async function readSample(
  input: SequentialDescriptor,
  size: number,
  options: CsvOptions | JsonOptions,
  { openFile, signal }: SourceServices,
): Promise<Sampled> {
  const name = inputName(input)
  const decode: ByteStreamOptions = {
    compression: options.compression,
    maximumExpansion: options.maximumExpansion,
    fatal: options.fatal,
    ...(options.encoding === null ? {} : { encoding: options.encoding }),
  }
  if (input.kind === 'stream' || (input.kind === 'blob' && !(await isSendable(input.blob, openFile !== null)))) {
    const rest = openByteStream(input, openFile, { ...decode, signal })[Symbol.asyncIterator]()
    const { bytes, isWhole } = await take(rest, size)
    return { input: null, name, byteLength: null, decode, sample: bytes, isWhole, rest }
  }
  const source = await openInput(input, openFile)
  let own: InputDescriptor = input
  try {
    // A server that gives no parts is read from front to end, by one lane: several would each get all of it.
    if ((await source.hasRanges?.(signal)) !== false) {
      const byteLength = await source.byteLength(signal)
      const head = (await source.read(0, Math.min(size, byteLength), signal)).slice()
      own = await pinned(input, source)
      if (isPlain(head, options, name)) {
        return { input: own, name, byteLength, decode, sample: head, isWhole: head.length === byteLength, rest: null }
      }
    }
  } finally {
    await source.close()
  }
  const stream = openByteStream(own, openFile, { ...decode, signal })[Symbol.asyncIterator]()
  const { bytes, isWhole } = await take(stream, size)
  await stream.return?.()
  return { input: own, name, byteLength: null, decode, sample: bytes, isWhole, rest: null }
}

/** Whether a file's bytes are the text that is read, so that it can be read from anywhere. */
function isPlain(head: Uint8Array, { compression, encoding }: CsvOptions | JsonOptions, name: string): boolean {
  const isPacked =
    compression === 'auto' ? (head[0] === 0x1f && head[1] === 0x8b) || /\.gz$/i.test(name) : compression !== 'none'
  const found = encoding === null ? (sniffEncoding(head).encoding ?? 'utf-8') : encodingName(encoding)
  return !isPacked && found === 'utf-8'
}

/** At least `size` bytes of a stream, or all. */
async function take(stream: AsyncIterator<Uint8Array>, size: number): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < size) {
    const next = await stream.next()
    if (next.done) return { bytes: concat(chunks, length), isWhole: true }
    chunks.push(next.value)
    length += next.value.length
  }
  return { bytes: concat(chunks, length), isWhole: false }
}

function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let end = 0
  for (const chunk of chunks) {
    bytes.set(chunk, end)
    end += chunk.length
  }
  return bytes
}

/** @param known the columns of the source; null: to be inferred. */
function prepare(sampled: Sampled, known: SchemaShape | null, options: CsvOptions | JsonOptions): Prepared {
  const { sample, isWhole, name } = sampled
  const { fatal, sampleRows, onBadRow } = options
  const collect = onBadRow !== undefined
  try {
    if (options.format === 'csv') {
      const { delimiter, quote: quoteCharacter, comment, header, nulls, ragged, skipRows } = options
      const { fields, types, dataOffset, report, ...found } = inferCsv(sample, isWhole, {
        delimiter: delimiter ?? undefined,
        quote: quoteCharacter,
        comment,
        header,
        nulls,
        skipRows,
        schema: known,
        sampleRows,
        ragged,
      })
      const shape: CsvShape = { ...found, fields, types, ragged, fatal, collect }
      return { sampled, shape, dataOffset, schema: known ?? schemaFrom(fields, types), report }
    }
    const { path, layout: asked, flatten } = options
    const found = inferJson(sample, isWhole, {
      schema: known,
      path: path ?? undefined,
      layout: asked,
      flatten,
      sampleRows,
    })
    const { fields, paths, types, layout, dataOffset, report } = found
    const shape: JsonShape = { fields, paths, types, layout, isInner: path !== null, fatal, collect }
    return { sampled, shape, dataOffset, schema: known ?? schemaFrom(fields, types), report }
  } catch (error) {
    throw inFile(error, name)
  }
}

const schemaFrom = (fields: readonly string[], types: readonly DataType[]): SchemaShape =>
  schemaOf(fields.map((name, i) => ({ name, type: types[i] })))

/** The error with the file's name, which inference does not know. */
function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof MillraceError) || error.details.file !== undefined) return error
  const text = error.message.slice(error.code.length + 2)
  return new MillraceError(error.code, `${file}: ${text}`, { ...error.details, file }, error.cause)
}

function openPrepared(prepared: readonly Prepared[], texts: Texts, request: OpenRequest): OpenSource {
  const { options } = texts
  const splits: Split[] = []
  /** Of all that listeners have been told, also before a guess was found to be wrong. */
  let heard: Promise<unknown> | undefined
  const streamed = prepared.findIndex(({ sampled }) => sampled.rest !== null)
  const ahead = streamed < 0 ? prepared : prepared.slice(0, streamed)
  ahead.forEach((each, i) => {
    splits.push(...splitsOf(each, i, options, request))
  })
  return {
    splits,
    ...(streamed < 0 ? {} : { rest: supplyOf(prepared, streamed, texts, request) }),
    readers: [filesReader, options.format === 'csv' ? csvReader : jsonReader],
    createOrder(all, resume, told, hear) {
      const { onBadRow, onIllFormed } = options
      const note = (given: unknown) => {
        // Nothing to wait for: there may be a million bad rows.
        if (typeof given !== 'object') return
        heard = Promise.all([heard, given])
        hear(() => heard)
      }
      hear(() => heard)
      return createTextOrder(
        all,
        resume,
        onBadRow && (row => row.row >= told && note(onBadRow(row))),
        onIllFormed && (text => text.fromRow >= told && note(onIllFormed(text))),
      )
    },
  }
}

/** A file that lanes open themselves. */
function splitsOf(
  { sampled, shape, dataOffset }: Prepared,
  i: number,
  { format, splitBytes }: CsvOptions | JsonOptions,
  { columns }: OpenRequest,
): Split[] {
  const { input, name, byteLength, decode } = sampled
  const splitOf = (from: number, length: number, bytes: TextBytes): Split => {
    const work: TextWork = { kind: 'text', format, shape, columns, inputKey: String(i), name, from, bytes }
    return { firstRow: null, rowCount: null, byteLength: length, work }
  }
  if (byteLength === null) return [splitOf(dataOffset, 0, { kind: 'stream', input: input as InputDescriptor, decode })]
  const isOne = 'layout' in shape && shape.layout === 'array'
  const even = Math.ceil(byteLength / SPLITS)
  const size = isOne ? byteLength : (splitBytes ?? Math.max(LEAST_SPLIT_BYTES, Math.min(MOST_SPLIT_BYTES, even)))
  const splits: Split[] = []
  for (let from = dataOffset; from < byteLength; from += size) {
    const to = Math.min(from + size, byteLength)
    splits.push(
      splitOf(from, to - from, { kind: 'range', input: input as InputDescriptor, to, isGuess: from > dataOffset }),
    )
  }
  return splits
}

/** What is read here, and sent to lanes in whole rows: a stream; and the files after it. */
function supplyOf(prepared: readonly Prepared[], first: number, { options }: Texts, request: OpenRequest): SplitSupply {
  async function* splits(): AsyncGenerator<Split> {
    for (const [i, each] of prepared.entries()) {
      if (i < first) continue
      if (each.sampled.rest === null) yield* splitsOf(each, i, options, request)
      else yield* sentSplits(each, each.sampled.rest, i, options, request)
    }
  }
  const coming = splits()
  return {
    async next() {
      const { value, done } = await coming.next()
      return done ? null : value
    },
    async close() {
      // What waits for a chunk is woken by the end of its stream.
      for (const { sampled } of prepared.slice(first)) await sampled.rest?.return?.()
      await coming.return(undefined)
    },
  }
}

async function* sentSplits(
  { sampled, shape, dataOffset }: Prepared,
  rest: AsyncIterator<Uint8Array>,
  i: number,
  { format }: CsvOptions | JsonOptions,
  { columns }: OpenRequest,
): AsyncGenerator<Split> {
  const { sample, isWhole, name } = sampled
  const splitOf = (from: number, bytes: Uint8Array): Split => {
    const sent: TextBytes = { kind: 'sent', bytes }
    const work: TextWork = { kind: 'text', format, shape, columns, inputKey: String(i), name, from, bytes: sent }
    return { firstRow: null, rowCount: null, byteLength: bytes.length, work }
  }
  const first = sample.subarray(dataOffset)
  if ('layout' in shape && shape.layout === 'array') {
    // Where a record of an array ends is not seen from afar: they are held until all are here.
    const { bytes } = isWhole ? { bytes: new Uint8Array(0) } : await take(rest, Infinity)
    yield splitOf(dataOffset, concat([first, bytes], first.length + bytes.length))
    return
  }
  const cut = createRowCutter('delimiter' in shape ? shape : null)
  let from = dataOffset
  const waiting = createWaitingBytes(first)
  let done = isWhole
  while (true) {
    const { bytes } = waiting
    const end = done ? bytes.length : cut(bytes)
    if (end > 0) {
      yield splitOf(from, waiting.take(end))
      from += end
    }
    if (done) return
    const next = await rest.next()
    done = next.done === true
    if (!next.done) waiting.add(next.value)
  }
}

/** Bytes that come at the end and leave at the front, in room that doubles: a row may come in many pieces. */
function createWaitingBytes(first: Uint8Array) {
  let room = first
  let from = 0
  let to = first.length
  return {
    get bytes() {
      return room.subarray(from, to)
    },
    add(piece: Uint8Array) {
      if (to + piece.length > room.length) {
        const kept = room.subarray(from, to)
        room = new Uint8Array(2 * (kept.length + piece.length))
        room.set(kept)
        from = 0
        to = kept.length
      }
      room.set(piece, to)
      to += piece.length
    },
    /** A copy. */
    take(byteLength: number): Uint8Array {
      from += byteLength
      return room.slice(from - byteLength, from)
    },
  }
}
