/**
 * The dictionaries of an input, read when a batch needs them. One that is replaced, as a stream may do, begins anew: the batches behind have the
 * values of the last one before them, and of what was added to it, be that behind them too.
 */
import type { DataType } from '../../columnar/type.js'
import { copyBits, onesBitmap } from '../../columnar/validity.js'
import { allocateData } from '../../columnar/vector.js'
import { corrupt, unsupported } from '../fault.js'
import type { PlainVector } from '../plain-batch.js'
import { type ArrowDictionary, readArray } from './arrays.js'
import { openBody, type RangeReader } from './body.js'
import { type ArrowField, dictionaryFields } from './field.js'
import { type ArrowIndex, type DictionaryBlock, messageIn } from './file-index.js'
import { type ColumnPlace, placesOf } from './places.js'
import type { Repairs } from './texts.js'
import { vectorOf } from './vectors.js'

export interface Dictionaries {
  /**
   * The dictionary that a batch's codes refer to; an empty one where there is none, which is sound where all rows are null.
   * @param at of the batch in the input.
   * @throws MillraceError `MR_FORMAT_ERROR`
   */
  find(id: number, at: number): Promise<ArrowDictionary>
}

/** What a dictionary was for a time: a batch of values, and those that were added to it. */
interface Run {
  /** Of its first batch. */
  readonly at: number
  readonly blocks: DictionaryBlock[]
}

const MOST_TEXT_BYTES = 2 ** 31 - 1
const EMPTY: ArrowDictionary = { length: 0, text: null, values: null, validity: null }

export function openDictionaries(
  { layout, fields, dictionaries }: ArrowIndex,
  reader: RangeReader,
  repairs: Repairs,
): Dictionaries {
  const blocksOf = new Map<number, DictionaryBlock[]>()
  const known = new Map<number, { readonly field: ArrowField; readonly runs: readonly Run[] }>()
  for (const block of dictionaries) {
    const blocks = blocksOf.get(block.id)
    if (blocks === undefined) blocksOf.set(block.id, [block])
    else blocks.push(block)
  }
  for (const { id, values } of dictionaryFields(fields))
    known.set(id, { field: values, runs: runsOf(blocksOf.get(id) ?? [], layout) })
  /** Of each dictionary the run that was asked for last: batches come in order. */
  const last = new Map<number, { readonly run: Run; readonly read: Promise<ArrowDictionary> }>()

  return {
    find(id, at) {
      const { field, runs } = known.get(id) as { field: ArrowField; runs: readonly Run[] }
      const run = lastBefore(runs, at) ?? (layout === 'file' ? runs[0] : undefined)
      if (run === undefined) return Promise.resolve(EMPTY)
      const before = last.get(id)
      if (before?.run === run) return before.read
      const read = readAll(run.blocks, field, reader, repairs)
      last.set(id, { run, read })
      return read
    },
  }
}

/** In order of their places. What is added to nothing is a run of a file, and in a stream nothing. */
function runsOf(blocks: readonly DictionaryBlock[], layout: ArrowIndex['layout']): Run[] {
  const runs: Run[] = []
  for (const block of blocks) {
    if (!block.isDelta || (runs.length === 0 && layout === 'file')) runs.push({ at: block.at, blocks: [block] })
    else runs.at(-1)?.blocks.push(block)
  }
  return runs.sort((a, b) => a.at - b.at)
}

function lastBefore(runs: readonly Run[], at: number): Run | undefined {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (runs[middle].at < at) low = middle + 1
    else high = middle
  }
  return runs[low - 1]
}

async function readAll(
  blocks: readonly DictionaryBlock[],
  field: ArrowField,
  reader: RangeReader,
  repairs: Repairs,
): Promise<ArrowDictionary> {
  return joined(await Promise.all(blocks.map(block => readValues(block, field, reader, repairs))), field)
}

/** One dictionary of its batches' values. */
export function joined(vectors: readonly PlainVector[], field: ArrowField): ArrowDictionary {
  const length = vectors.reduce((sum, vector) => sum + vector.length, 0)
  const validity = jointValidity(vectors, length)
  const { kind } = field.type as DataType
  if (kind === 'utf8') return { length, text: jointText(vectors, length), values: null, validity }
  const values = allocateData(kind, length)
  let end = 0
  for (const vector of vectors) {
    values.set(vector.data as never, end)
    end += vector.length
  }
  return { length, text: null, values, validity }
}

async function readValues(
  block: DictionaryBlock,
  field: ArrowField,
  reader: RangeReader,
  repairs: Repairs,
): Promise<PlainVector> {
  const { at, metadataLength } = block
  const message = messageIn(await reader.read(at, at + metadataLength), block)
  if (message.kind !== 'dictionary') throw corrupt('there was a dictionary here, and is none', at)
  const { batch } = message
  if (batch.rowCount > MOST_TEXT_BYTES) throw corrupt(`a dictionary has ${batch.rowCount} values`, at)
  const [place] = placesOf([field], batch, at) as [ColumnPlace]
  const body = openBody(reader, batch, at + metadataLength)
  const dictionaryOf = () => Promise.resolve(EMPTY)
  const array = await readArray({ header: batch, body, dictionaryOf }, field, place, 0, batch.rowCount)
  return vectorOf(field, array, 0, batch.rowCount, repairs, true)
}

function jointValidity(vectors: readonly PlainVector[], length: number): Uint8Array | null {
  if (vectors.every(({ validity }) => validity === null)) return null
  const joint = onesBitmap(length)
  let end = 0
  for (const { validity, length } of vectors) {
    if (validity !== null) copyBits(validity, 0, joint, end, length)
    end += length
  }
  return joint
}

/** All strings end to end, from 0. */
function jointText(vectors: readonly PlainVector[], length: number) {
  const sizes = vectors.map(({ offsets, length }) => (offsets as Int32Array)[length] - (offsets as Int32Array)[0])
  const byteLength = sizes.reduce((sum, size) => sum + size, 0)
  if (byteLength > MOST_TEXT_BYTES) throw unsupported('its dictionary has more than 2 GiB of text; leave it out')
  const joint = { length, offsets: new Int32Array(length + 1), bytes: new Uint8Array(byteLength) }
  let row = 0
  let end = 0
  for (const { offsets, data, length } of vectors) {
    const own = offsets as Int32Array
    const first = own[0]
    joint.bytes.set((data as Uint8Array).subarray(first, own[length]), end)
    for (let i = 1; i <= length; i++) joint.offsets[row + i] = own[i] - first + end
    row += length
    end += own[length] - first
  }
  return joint
}
