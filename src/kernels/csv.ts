/**
 * Rows from CSV: delimiters, quotes as in RFC 4180, line breaks in LF or CRLF. Text is read in windows: the kernels find all separators of one, and then
 * each column wanted is filled at once, its strings coded by the lane's dictionary. assembly/csv/ draws how.
 *
 * ```
 * window (32 KiB)   all rows alike       separators ──> columns
 *                   others               separators, ends of records ──> table of rows ──> columns
 *                   no row ends in it    the one row, however long, read by itself
 * ```
 * A row is bad where its quotes, the number of its fields, its UTF-8, or a value that is wanted is not as it should be. Where one is found while a
 * column is filled, the window is read again without it.
 */
import { MillraceError, unknownColumn } from '../errors.js'
import { checkType, createCsvColumns, type Fields, type ValueFault } from './csv/columns.js'
import { BAD_WORDS, createCsvContext, WINDOW_BYTES, WORD } from './csv/context.js'
import { badRow, excerpt, type Said, sayRow, sayValue } from './csv/faults.js'
import type { Kernels } from './instance.js'
import { elementBytes } from './operand.js'
import type { LaneDictionary } from './text.js'
import type { BadRow, CsvShape, TextParser } from './text-rows.js'

const MOST_ROWS = 65_536
/** Of many columns fewer rows are read at a time: what is parsed of them shall not be more than this, or than a part of a budget's share. */
const MOST_MORSEL_BYTES = 2 ** 24
const MORSEL_PARTS = 32
const LEAST_ROWS = 1024

/** In `ends`: without the flags of assembly/csv/context.ts. */
const INDEX = 0x1fffffff

/** A record that is bad, and where it is in the text. */
interface LeftOut {
  readonly record: number
  /** Among the rows passed since `rowsRead` was last counted. */
  readonly place: number
  readonly said: Said
  readonly from: number
  readonly to: number
}

interface Morsel {
  rowCount: number
  rowsRead: number
  /** Pointer to where each row was among those read, once one has been left out. */
  places: number
  readonly bad: BadRow[]
  isStopped: boolean
  /** So many more rows have been read; row i of them is number `placeOf(i)` of those passed. */
  keep(count: number, placeOf: (i: number) => number): void
  leaveOut(row: LeftOut): void
}

/**
 * A parser of one file's rows.
 * @param columns those wanted, in the order of the output. @param dictionaries of the utf8 columns among them; asked at each call, for it may change
 * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for a type that CSV has not, `MR_INVALID_OPTION`, `MR_MEMORY_LIMIT`
 */
export function createCsvParser(
  k: Kernels,
  shape: CsvShape,
  columns: readonly string[],
  dictionaries: (i: number) => LaneDictionary,
): TextParser {
  const { memory, exports } = k
  const { fields, types, collect } = shape
  if (fields.length === 0 || fields.length !== types.length) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `csv: ${fields.length} fields of ${types.length} types; give each field one`,
    )
  }
  const fieldOf = new Map(fields.map((name, field) => [name, field]))
  const wanted = columns.map(name => {
    const field = fieldOf.get(name)
    if (field === undefined) throw unknownColumn(name, fields, 'csv')
    return field
  })
  for (const field of wanted) checkType(fields[field], types[field])
  const context = createCsvContext(k, shape)
  const { get } = context
  const output = createCsvColumns(k, context, types, wanted, dictionaries)
  const rowBytes = wanted.reduce((sum, field) => sum + elementBytes(types[field].kind) + 1, 1)
  const leastRowBytes = shape.ragged === 'pad' ? 1 : fields.length
  const tableStep = 4 * (fields.length + 1)

  const roomFor = (length: number): number => {
    const mostBytes = Math.min(MOST_MORSEL_BYTES, (memory.account?.shareBytes ?? Infinity) / MORSEL_PARTS)
    return Math.min(
      MOST_ROWS,
      Math.max(LEAST_ROWS, Math.floor(mostBytes / rowBytes)),
      Math.floor(length / leastRowBytes) + 1,
    )
  }

  /** What has been read by one call. */
  const createMorsel = (pointer: number, room: number): Morsel => {
    const bad: BadRow[] = []
    const morsel: Morsel = {
      rowCount: 0,
      rowsRead: 0,
      places: 0,
      bad,
      isStopped: false,
      keep(count, placeOf) {
        if (morsel.places !== 0) {
          const to = (morsel.places >>> 2) + morsel.rowCount
          for (let i = 0; i < count; i++) memory.u32[to + i] = morsel.rowsRead + placeOf(i)
        }
        morsel.rowCount += count
      },
      leaveOut({ said, place, from, to }) {
        if (!collect) morsel.isStopped = true
        else if (morsel.places === 0) {
          morsel.places = memory.scratch(4 * room)
          for (let i = 0; i < morsel.rowCount; i++) memory.u32[(morsel.places >>> 2) + i] = i
        }
        bad.push(badRow(said, morsel.rowsRead + place, from - pointer, excerpt(memory.u8, from, to)))
      },
    }
    return morsel
  }

  /** Makes as if rows had not been read, before which so many strings had been repaired. */
  const forget = (row: number, count: number, repaired: number): void => {
    output.forget(row, count)
    context.set(WORD.repaired, repaired)
  }

  /** Where a record of the window is, without its line break. */
  const recordAt = (record: number): { from: number; to: number } => {
    const { u32 } = memory
    const separators = get(WORD.separators) >>> 2
    const ends = get(WORD.ends) >>> 2
    const lastOf = (i: number): number =>
      i < 0 ? 0 : get(WORD.irregular) === 0 ? fields.length * (i + 1) : u32[ends + i] & INDEX
    return { from: u32[separators + lastOf(record - 1)] + get(WORD.skip), to: u32[separators + lastOf(record)] }
  }

  const sayFault = (of: Fields, { row, fault, field }: ValueFault): Said => {
    const at = (of.place + of.step * row + 4 * field) >>> 2
    const from = memory.u32[at] + (field === 0 ? of.skip : 1)
    const to = Math.max(from, memory.u32[at + 1])
    const isQuoted = to - from > 1 && memory.u8[from] === get(WORD.quote)
    return sayValue(shape, fault, field, excerpt(memory.u8, from + Number(isQuoted), to - Number(isQuoted)))
  }

  /** Reads the records that have been found from `at` on; returns where the next begins. */
  const readWindow = (morsel: Morsel, at: number, records: number): number => {
    const next = get(WORD.next)
    const isIllFormed = get(WORD.nonAscii) !== 0 && Boolean(exports.csvIllFormed(context.pointer))
    const repair = isIllFormed && !shape.fatal
    const checkUtf8 = isIllFormed && shape.fatal
    context.makeWork((next - at) * (repair ? 4 : 1))
    const known = new Map<number, LeftOut>()
    /** The row before which to stop, where bad rows are not collected. */
    const stopAt = (leftOut: LeftOut): number => {
      morsel.leaveOut(leftOut)
      morsel.rowsRead += leftOut.place + 1
      return Math.min(next, leftOut.to + (get(WORD.irregular) === 0 ? get(WORD.skip) : 1))
    }
    const note = (of: Fields, fault: ValueFault, record: number, place: number): LeftOut => {
      const leftOut = { record, place, said: sayFault(of, fault), ...recordAt(record) }
      known.set(record, leftOut)
      memory.u8[get(WORD.dropped) + record] = 1
      return leftOut
    }

    if (get(WORD.irregular) === 0 && !checkUtf8) {
      const [place, step, skip] = [get(WORD.separators), 4 * fields.length, get(WORD.skip)]
      const all: Fields = { place, step, count: records, skip, repair }
      const before = get(WORD.repaired)
      const faults = output.read(all, morsel.rowCount)
      if (faults.length === 0 || !collect) {
        const count = faults.length === 0 ? records : faults[0].row
        morsel.keep(count, i => i)
        if (faults.length > 0) return stopAt(note(all, faults[0], count, count))
        morsel.rowsRead += records
        return next
      }
      for (const fault of faults) note(all, fault, fault.row, fault.row)
      forget(morsel.rowCount, records, before)
    }

    for (let from = 0; from < records; ) {
      let to = records
      let table: Fields
      let faults: ValueFault[]
      const placeOf = (row: number): number => memory.u32[(get(WORD.places) >>> 2) + 2 * row + 1]
      const recordOf = (row: number): number => memory.u32[(get(WORD.places) >>> 2) + 2 * row]
      while (true) {
        to = exports.csvTable(context.pointer, from, to, checkUtf8)
        table = { place: get(WORD.table), step: tableStep, count: get(WORD.kept), skip: 1, repair }
        const before = get(WORD.repaired)
        faults = table.count === 0 ? [] : output.read(table, morsel.rowCount)
        if (faults.length === 0 || !collect) break
        for (const fault of faults) note(table, fault, recordOf(fault.row), placeOf(fault.row))
        forget(morsel.rowCount, table.count, before)
      }
      if (faults.length > 0) {
        const [fault] = faults
        morsel.keep(fault.row, placeOf)
        return stopAt(note(table, fault, recordOf(fault.row), placeOf(fault.row)))
      }
      const leftOut = [...malformed(), ...[...known.values()].filter(({ record }) => record >= from && record < to)]
      leftOut.sort((a, b) => a.record - b.record)
      if (leftOut.length > 0 && !collect) {
        morsel.keep(table.count, placeOf)
        return stopAt(leftOut[0])
      }
      for (const each of leftOut) morsel.leaveOut(each)
      morsel.keep(table.count, placeOf)
      morsel.rowsRead += get(WORD.passed)
      from = to
    }
    for (const record of known.keys()) memory.u8[get(WORD.dropped) + record] = 0
    return next
  }

  /** The records that the table leaves out. */
  const malformed = (): LeftOut[] =>
    Array.from({ length: get(WORD.badCount) }, (_, i) => {
      const at = (get(WORD.bad) >>> 2) + BAD_WORDS * i
      const [record, fault, detail, place] = memory.u32.subarray(at, at + BAD_WORDS)
      return { record, place, said: sayRow(shape, fault, detail), ...recordAt(record) }
    })

  return {
    parse(pointer, length, limit, isEnd) {
      const end = pointer + length
      const stop = pointer + Math.min(limit, length)
      const room = roomFor(length)
      context.prepare()
      output.start(room)
      context.set(WORD.repaired, 0)
      const morsel = createMorsel(pointer, room)
      let at = pointer
      while (at < stop && morsel.rowCount < room && !morsel.isStopped) {
        const windowEnd = Math.min(at + WINDOW_BYTES, end)
        const isLast = isEnd && windowEnd === end
        let records = exports.csvScan(context.pointer, at, windowEnd, isLast, stop, room - morsel.rowCount)
        if (records === 0) records = exports.csvLong(context.pointer, at, end, isEnd)
        if (records === 0) break
        at = readWindow(morsel, at, records)
      }
      const { rowCount, rowsRead, places, bad } = morsel
      const columns = output.take(rowCount)
      return {
        morsel: { rowCount, columns, rows: places },
        rowsRead,
        consumed: at - pointer,
        bad,
        illFormed: get(WORD.repaired),
      }
    },
    findStart(pointer, length, isEnd) {
      const start = exports.csvStartOfRow(context.pointer, pointer, pointer + length) >>> 0
      return start === 0 ? (isEnd ? length : -1) : start - pointer
    },
    free() {
      output.free()
      context.free()
    },
  }
}
