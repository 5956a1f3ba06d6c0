/**
 * What the kernels of CSV are told of a file, and the room that they work in. The struct, its words' meaning, and what is written where are drawn in
 * assembly/csv/context.ts.
 */
import { MillraceError, quote as quoted } from '../../errors.js'
import type { Kernels } from '../instance.js'
import type { CsvShape } from '../text-rows.js'

/** Word indices in the struct. */
export const WORD = {
  delimiter: 0,
  newline: 1,
  quote: 2,
  comment: 3,
  fieldCount: 4,
  pad: 5,
  tokens: 6,
  tokenLengths: 8,
  quickDigits: 10,
  tables: 11,
  separators: 12,
  ends: 13,
  dropped: 14,
  table: 15,
  tableCapacity: 16,
  places: 17,
  bad: 18,
  badCapacity: 19,
  faults: 20,
  work: 21,
  next: 26,
  irregular: 27,
  nonAscii: 28,
  skip: 29,
  nulls: 30,
  textFaults: 31,
  added: 33,
  kept: 34,
  badCount: 35,
  passed: 36,
  found: 37,
  repaired: 44,
} as const

const STRUCT_BYTES = 256
/** Those of assembly/csv/tables.ts. */
const TABLE_BYTES = 16_384 + 336
/** A byte that no byte is. */
const NONE = 256

/** Bytes that are scanned at a time: with their separators and values they fit the first level of a core's cache, or nearly. */
export const WINDOW_BYTES = 32_768
/** Words of a table of rows that are not all alike. */
const TABLE_WORDS = 65_536
const MOST_BAD_ROWS = 1024
/** What lies in `bad` of each: record, fault, detail, place among the rows passed. */
export const BAD_WORDS = 4

export interface CsvContext {
  /** The struct. */
  readonly pointer: number
  readonly tokenCount: number
  get(word: number): number
  set(word: number, value: number): void
  /** Takes room in scratch for what is computed of a window. */
  prepare(): void
  /** Makes sure that a field of so many bytes can be put somewhere else. */
  makeWork(byteLength: number): void
  free(): void
}

/** @throws MillraceError `MR_INVALID_OPTION` for a shape that no file has, `MR_MEMORY_LIMIT` */
export function createCsvContext(k: Kernels, shape: CsvShape): CsvContext {
  const { memory, exports } = k
  const fieldCount = shape.fields.length
  const marks = checkMarks(shape)
  const tokens = tokenBytes(shape.nulls)
  const pointer = memory.allocate(STRUCT_BYTES + TABLE_BYTES + tokens.length)
  const tables = pointer + STRUCT_BYTES
  memory.bytes(pointer, STRUCT_BYTES).fill(0)
  memory.u8.set(tokens, tables + TABLE_BYTES)
  exports.csvStart(tables)

  const tableWords = Math.max(TABLE_WORDS, fieldCount + 1)
  let workBytes = 0
  const at = pointer >>> 2
  const get = (word: number): number => memory.u32[at + word]
  const set = (word: number, value: number): void => {
    memory.u32[at + word] = value
  }
  for (const [word, value] of [
    [WORD.delimiter, marks.delimiter],
    [WORD.newline, 10],
    [WORD.quote, marks.quote],
    [WORD.comment, marks.comment],
    [WORD.fieldCount, fieldCount],
    [WORD.pad, Number(shape.ragged === 'pad')],
    [WORD.tokens, tables + TABLE_BYTES],
    // Digits are read at once only where none of them could be a null.
    [WORD.quickDigits, shape.nulls.some(looksLikeNumber) ? 0 : 8],
    [WORD.tables, tables],
    [WORD.tableCapacity, tableWords],
    [WORD.badCapacity, shape.collect ? MOST_BAD_ROWS : 1],
  ] as const) {
    set(word, value)
  }
  for (const token of shape.nulls) {
    const length = Math.min(63, encoder.encode(token).length)
    set(WORD.tokenLengths + (length >> 5), get(WORD.tokenLengths + (length >> 5)) | (1 << (length & 31)))
  }

  return {
    pointer,
    tokenCount: shape.nulls.length,
    get,
    set,
    prepare() {
      // An entry for each byte, one before the first, and what is written in advance.
      const entries = Math.max(WINDOW_BYTES, fieldCount + 1) + 32
      const rows = Math.floor(tableWords / (fieldCount + 1))
      const dropped = memory.scratch(WINDOW_BYTES + 16)
      memory.bytes(dropped, WINDOW_BYTES + 16).fill(0)
      const scratch: readonly (readonly [word: number, byteLength: number])[] = [
        [WORD.separators, 4 * entries],
        [WORD.ends, 4 * entries],
        [WORD.table, 4 * tableWords],
        [WORD.places, 8 * rows],
        [WORD.bad, 4 * BAD_WORDS * MOST_BAD_ROWS],
        [WORD.faults, 4 * Math.max(rows, WINDOW_BYTES)],
      ]
      for (const [word, byteLength] of scratch) set(word, memory.scratch(byteLength))
      set(WORD.dropped, dropped)
      workBytes = 0
    },
    makeWork(byteLength) {
      if (byteLength <= workBytes) return
      workBytes = Math.max(byteLength, WINDOW_BYTES)
      set(WORD.work, memory.scratch(workBytes + 32))
    },
    free() {
      memory.free(pointer)
    },
  }
}

const encoder = new TextEncoder()

/** u32 length and the bytes of each, one behind the other; a length of all ones ends them. */
function tokenBytes(tokens: readonly string[]): Uint8Array {
  const encoded = tokens.map(token => encoder.encode(token))
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + 4 + length, 4 + 16))
  const view = new DataView(bytes.buffer)
  let end = 0
  for (const token of encoded) {
    view.setUint32(end, token.length, true)
    bytes.set(token, end + 4)
    end += 4 + token.length
  }
  view.setUint32(end, 0xffffffff, true)
  return bytes
}

const looksLikeNumber = (token: string): boolean => /\d|^\s*[+-]?(nan|inf|infinity)\s*$/i.test(token)

function checkMarks({ delimiter, quote, comment }: CsvShape): { delimiter: number; quote: number; comment: number } {
  const marks = { delimiter, quote, comment }
  const seen = new Map<string, string>()
  for (const [option, mark] of Object.entries(marks)) {
    if (mark === null) continue
    if (mark.length !== 1 || mark > '\x7f' || mark === '\n' || mark === '\r') {
      throw invalid(option, `${quoted(mark)} is not one ASCII character other than a line break`)
    }
    const other = seen.get(mark)
    if (other !== undefined) throw invalid(option, `${quoted(mark)} is the ${other} already`)
    seen.set(mark, option)
  }
  const code = (mark: string | null): number => (mark === null ? NONE : mark.charCodeAt(0))
  return { delimiter: code(delimiter), quote: code(quote), comment: code(comment) }
}

const invalid = (option: string, why: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `csv: ${why}; choose another ${option}`, { option })
