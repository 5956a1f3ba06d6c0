/**
 * A column chunk as open pages, in turn, its dictionary read on the way: page.ts takes pages apart, column-values.ts appends what is in them.
 */
import type { PlainDictionary } from '../plain-batch.js'
import { repairUtf8, type Texts } from '../repair-utf8.js'
import { corrupt } from './corrupt.js'
import { type Decimal, decimalDictionaryOf, decimalsOf } from './decimal.js'
import type { Chunk, ParquetColumn } from './footer.js'
import { type HybridState, hybridOver, packedBits, readBits, readHybrid } from './hybrid.js'
import { createPageReader, type LevelWidths, type Page } from './page.js'
import { type ReadStrings, stringDictionaryOf, stringsOf, uuidDictionaryOf, uuidsOf } from './strings.js'
import {
  codesOf,
  dictionaryOf,
  ENCODING,
  isDictionaryEncoding,
  type ReadWords,
  unsupportedEncoding,
  wordsOf,
} from './values.js'

/** The data page at hand. */
export interface OpenPage {
  /** Values, nulls among them, that are not yet read; of a list, of its levels. */
  left: number
  readonly levels: HybridState | null
  readonly repetition: HybridState | null
  /** One of these, by the column's type and the page's encoding. */
  readonly words: ReadWords | null
  readonly codes: ReadWords | null
  readonly strings: ReadStrings | null
  readonly bits: HybridState | null
}

export interface ChunkPages {
  /** The page that the next value is in. */
  current(): OpenPage
  /** Whether all values that the footer counts were read. */
  isAtEnd(): boolean
  /** The entries that codes are of; null where no dictionary was met. */
  texts(): PlainDictionary | null
  /** The same strings, well-formed; those that were not are counted. */
  repaired(texts: Texts): Texts
  /** Strings that were repaired since the last call. */
  takeIllFormedCount(): number
  /** Of the page read last, for errors. */
  byteOffset(): number
}

/** @param bytes the chunk's, in full. */
export function createChunkPages(column: ParquetColumn, chunk: Chunk, bytes: Uint8Array): ChunkPages {
  const { encoded, decimal, isUuid, type, list } = column
  const most = list === null ? Number(type.nullable) : list.most
  const widths: LevelWidths = {
    repetition: list === null ? 0 : 1,
    definition: most > 1 ? 2 : (most as 0 | 1),
  }
  const pages = createPageReader(chunk, bytes, widths)
  let wordDictionary: Int32Array | null = null
  let textDictionary: PlainDictionary | null = null
  let illFormedCount = 0
  let page: OpenPage | null = null
  /** Behind the page at hand. */
  let left = chunk.valueCount

  const repaired = (texts: Texts): Texts => {
    const whole = repairUtf8(texts)
    illFormedCount += whole.illFormedCount
    return whole
  }

  const readDictionary = ({ bytes, valueCount }: Page): void => {
    if (wordDictionary !== null || textDictionary !== null) throw corrupt('a column chunk has two dictionaries')
    if (encoded === 'bool') throw corrupt('a boolean column has a dictionary')
    if (encoded !== 'bytes') {
      wordDictionary =
        encoded === 'decimal'
          ? decimalDictionaryOf(decimal as Decimal, bytes, valueCount)
          : dictionaryOf(encoded, bytes, valueCount)
      return
    }
    const texts = isUuid ? uuidDictionaryOf(bytes, valueCount) : repaired(stringDictionaryOf(bytes, valueCount))
    // A null row's code is 0, which must be in range even where all rows are null.
    textDictionary = {
      offsets: valueCount === 0 ? new Int32Array(2) : texts.offsets,
      bytes: texts.bytes,
      length: Math.max(valueCount, 1),
    }
  }

  return {
    current() {
      while (page === null || page.left === 0) {
        const next = pages.next()
        if (next === null) throw corrupt('a column chunk has fewer values than its row group has rows')
        if (next.kind === 'dictionary') {
          readDictionary(next)
          continue
        }
        if (next.valueCount > left) throw corrupt('a column chunk has more values than its row group has rows')
        left -= next.valueCount
        page = openPage(next, column, most, wordDictionary, textDictionary)
      }
      return page
    },
    isAtEnd: () => left === 0 && (page === null || page.left === 0),
    texts: () => textDictionary,
    repaired,
    takeIllFormedCount() {
      const taken = illFormedCount
      illFormedCount = 0
      return taken
    },
    byteOffset: pages.byteOffset,
  }
}

function openPage(
  page: Page,
  { encoded, decimal, isUuid }: ParquetColumn,
  most: number,
  words: Int32Array | null,
  texts: PlainDictionary | null,
): OpenPage {
  const { encoding, bytes, at, valueCount, levels, repetition } = page
  const end = bytes.length
  const open = { left: valueCount, levels, repetition, words: null, codes: null, strings: null, bits: null }
  const dense = levels === null ? valueCount : denseCount(levels, most, valueCount)
  if (page.nullCount !== null && page.nullCount !== valueCount - dense) {
    throw corrupt(`a page claims ${page.nullCount} nulls, its levels have ${valueCount - dense}`)
  }
  // A page of nulls alone may have no value bytes at all, not even an encoding's header.
  if (dense === 0) {
    return {
      ...open,
      words: noWords,
      codes: texts === null ? null : noWords,
      strings: noStrings,
      bits: packedBits(bytes, end, end, 0),
    }
  }
  if (encoded === 'bool') return { ...open, bits: boolBits(encoding, bytes, at, dense) }
  if (encoded === 'decimal')
    return { ...open, words: decimalsOf(decimal as Decimal, encoding, bytes, at, end, dense, words) }
  if (encoded !== 'bytes') return { ...open, words: wordsOf(encoded, encoding, bytes, at, end, dense, words) }
  if (!isDictionaryEncoding(encoding))
    return { ...open, strings: (isUuid ? uuidsOf : stringsOf)(encoding, bytes, at, end, dense) }
  if (texts === null) throw corrupt('a page refers to a dictionary that there is not')
  return { ...open, codes: codesOf(bytes, at, end, texts.length) }
}

const noWords: ReadWords = () => {}
const noStrings: ReadStrings = () => {}

/** Counts a page's non-null values ahead, in small pieces: the levels are read again when its rows are. */
function denseCount({ bytes, at, end, width }: HybridState, most: number, valueCount: number): number {
  const ahead = hybridOver(bytes, at, end, width)
  const bits = new Uint8Array(1024)
  const levels = new Int32Array(width === 1 ? 0 : 1024)
  let dense = 0
  for (let left = valueCount; left > 0; ) {
    const n = Math.min(left, width === 1 ? 8192 : 1024)
    if (width === 1) dense += readBits(ahead, bits.fill(0), 0, n)
    else {
      readHybrid(ahead, levels, 0, n)
      for (let i = 0; i < n; i++) dense += Number(levels[i] === most)
    }
    left -= n
  }
  return dense
}

function boolBits(encoding: number, bytes: Uint8Array, at: number, count: number): HybridState {
  if (encoding === ENCODING.plain) return packedBits(bytes, at, bytes.length, count)
  if (encoding !== ENCODING.rle) throw unsupportedEncoding(encoding, 'bool')
  if (bytes.length - at < 4) throw corrupt('a page of booleans has no length')
  const byteLength = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true)
  if (byteLength > bytes.length - at - 4) throw corrupt(`booleans of ${byteLength} bytes in a page of ${bytes.length}`)
  return hybridOver(bytes, at + 4, at + 4 + byteLength, 1)
}
