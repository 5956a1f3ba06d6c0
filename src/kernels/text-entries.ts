/**
 * Functions of strings, evaluated once per distinct string: a table says what has been found for each entry of a column's dictionary, is kept from
 * morsel to morsel, and a row looks its entry up. Of entries that are new those are asked for which a morsel has; all that are left, where they are no
 * more than the morsel's rows.
 *
 * ```
 * key       the row's code, or, of several columns whose dictionaries are small, their codes packed into one number of at most 20 bits
 * marks     u8 per key      1 where the key has been asked for
 * values    per key         codes, numbers, or a byte 0 or 1
 * known     u8 per key      0 where there is no answer, for functions that may have none
 * ```
 * Of several columns whose dictionaries are larger every row is asked by itself.
 */
import { bitmapBytes, bothValid } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import type { TextAnswers, TextInput, TextItems } from './strings.js'
import type { LaneDictionary } from './text.js'

const MOST_PACKED_BITS = 20
/** A table of packed keys may have so many for each row of the morsel that it is begun with. */
const KEYS_PER_ROW = 16

export interface TextFunction {
  /** Bytes of an answer; 1 is a truth. */
  readonly width: 1 | 4 | 8
  /** Whether there may be none where there is a string. */
  readonly mayBeNull: boolean
  readonly ask: (items: TextItems) => TextAnswers
}

/** An input is a column, or a constant whose code is written where it stays: both in the order in which the function takes them. */
export type TextSource = LaneVector | TextInput

export interface TextColumn {
  /** Of truths a bitmap; in scratch. */
  readonly data: number
  readonly validity: number
  /** The least row whose strings the function refuses, or -1. */
  readonly failedRow: number
}

export interface TextEntries {
  /** At least one source is a column, and all columns have dictionaries. */
  run(sources: readonly TextSource[], rowCount: number): TextColumn
  free(): void
}

interface Table {
  /** Of each column the bits that its codes take of a key. */
  readonly bits: readonly number[]
  readonly marks: number
  readonly values: number
  readonly known: number
  /** Keys that there is room for. */
  readonly capacity: number
  /** How many have been asked for, and below which key all have. */
  readonly met: number
  readonly swept: number
}

/** @param renew called before the first morsel of other dictionaries than those before: answers so far are not asked for again. */
export function createTextEntries(k: Kernels, { width, mayBeNull, ask }: TextFunction, renew: () => void): TextEntries {
  const { memory, exports } = k
  let table: Table | null = null
  let seen: readonly (LaneDictionary | null)[] = []
  /** Keys that have been refused. */
  const refused = new Set<number>()

  return {
    run(sources, rowCount) {
      const columns = sources.filter(isColumn)
      if (columns.some(({ dictionary }, i) => seen.length > 0 && dictionary !== seen[i])) {
        drop()
        renew()
      }
      seen = columns.map(({ dictionary }) => dictionary)
      const validity = columns.reduce((so, column) => bothValid(k, so, column.validity, rowCount), 0)
      const bits = columns.length === 1 ? [0] : bitsOf(columns, rowCount)
      return bits === null ? byRow(sources, validity, rowCount) : byEntry(sources, columns, bits, validity, rowCount)
    },
    free: drop,
  }

  function byRow(sources: readonly TextSource[], validity: number, count: number): TextColumn {
    const inputs = sources.map(source => (isColumn(source) ? inputOf(source, source.data) : source))
    const { values, known, refused = [] } = ask({ inputs, validity, count })
    return {
      failedRow: refused[0] ?? -1,
      data: width === 1 ? bitsOfBytes(values, count) : values,
      validity: known === 0 ? validity : bothValid(k, validity, bitsOfBytes(known, count), count),
    }
  }

  function byEntry(
    sources: readonly TextSource[],
    columns: readonly LaneVector[],
    bits: readonly number[],
    validity: number,
    rowCount: number,
  ): TextColumn {
    const data = memory.scratch(width === 1 ? bitmapBytes(rowCount) : width * rowCount)
    const known = mayBeNull ? memory.scratch(bitmapBytes(rowCount)) : 0
    const mark = memory.mark()
    let failedRow = -1
    const packed = columns.length > 1
    const keyCount = packed
      ? 2 ** bits.reduce((sum, each) => sum + each, 0)
      : (columns[0].dictionary as LaneDictionary).length
    try {
      // Null rows look an answer up too, where the dictionary has no entry yet: there is room for one, which nobody asks for.
      table = tableFor(bits, Math.max(1, keyCount))
      const keys = packed ? pack(columns, bits, rowCount) : columns[0].data
      if (table.met < keyCount) meet(sources, columns, keys, keyCount, validity, rowCount)
      const { values, known: answered } = table
      if (width === 1) exports.textLookup(keys, rowCount, values, data)
      else exports.stringsGather(width, keys, rowCount, values, data)
      if (mayBeNull) exports.textLookup(keys, rowCount, answered, known)
      if (refused.size > 0) failedRow = firstRefused(keys, validity, rowCount)
    } catch (error) {
      // Marks without answers must not outlive this.
      drop()
      throw error
    }
    memory.reset(mark)
    return { data, validity: mayBeNull ? bothValid(k, validity, known, rowCount) : validity, failedRow }
  }

  /** Asks for the keys that have no answer yet. */
  function meet(
    sources: readonly TextSource[],
    columns: readonly LaneVector[],
    keys: number,
    keyCount: number,
    validity: number,
    rowCount: number,
  ): void {
    const { marks, values, known, bits, met, swept } = table as Table
    const list = memory.scratch(4 * Math.max(rowCount, 1))
    // Packed keys are mostly of pairs that no row has.
    const all = columns.length === 1 && keyCount - met <= rowCount
    const count = all
      ? exports.stringsUnmarked(marks, swept, keyCount, list)
      : exports.stringsUnmet(keys, validity, rowCount, marks, list)
    if (count === 0) return
    const codes = columns.length === 1 ? [list] : unpack(list, bits, count)
    const inputs = sources.map(source => (isColumn(source) ? inputOf(source, codes[columns.indexOf(source)]) : source))
    const answers = ask({ inputs, validity: 0, count })
    for (const item of answers.refused ?? []) refused.add(memory.u32[(list >>> 2) + item])
    exports.stringsScatter(width, list, count, answers.values, values)
    if (mayBeNull) exports.stringsScatter(1, list, count, answers.known, known)
    table = { ...(table as Table), met: met + count, swept: all ? keyCount : swept }
  }

  function firstRefused(keys: number, validity: number, rowCount: number): number {
    const { u8, u32 } = memory
    for (let row = 0; row < rowCount; row++) {
      const isValid = validity === 0 || (u8[validity + (row >>> 3)] >>> (row & 7)) & 1
      if (isValid && refused.has(u32[(keys >>> 2) + row])) return row
    }
    return -1
  }

  function pack(columns: readonly LaneVector[], bits: readonly number[], rowCount: number): number {
    const keys = memory.scratch(4 * rowCount)
    columns.slice(1).forEach((column, i) => {
      exports.stringsPack(i === 0 ? columns[0].data : keys, bits[i + 1], column.data, rowCount, keys)
    })
    return keys
  }

  /** The first column's codes have the highest bits. */
  function unpack(keys: number, bits: readonly number[], count: number): number[] {
    let shift = bits.reduce((sum, each) => sum + each, 0)
    return bits.map(own => {
      shift -= own
      const codes = memory.scratch(4 * count)
      exports.stringsUnpack(keys, shift, 2 ** own - 1, count, codes)
      return codes
    })
  }

  /** Bits for the codes of each of several columns, or null where a table of all their keys is not worth its memory. */
  function bitsOf(columns: readonly LaneVector[], rowCount: number): readonly number[] | null {
    const bits = columns.map(
      ({ dictionary }) => 32 - Math.clz32(Math.max(1, (dictionary as LaneDictionary).length) - 1),
    )
    const sum = bits.reduce((all, each) => all + each, 0)
    if (table !== null && bits.every((each, i) => each <= (table as Table).bits[i])) return table.bits
    return sum <= MOST_PACKED_BITS && 2 ** sum <= KEYS_PER_ROW * rowCount ? bits : null
  }

  function tableFor(bits: readonly number[], keyCount: number): Table {
    if (table?.bits.some((each, i) => each !== bits[i])) drop()
    const was = table ?? { bits, marks: 0, values: 0, known: 0, capacity: 0, met: 0, swept: 0 }
    if (keyCount <= was.capacity) return was
    const capacity = Math.max(keyCount, 2 * was.capacity, 64)
    // All is 0 where nothing has been written, for null rows read it too: a byte of other bits would spill into its neighbours, and a code is one that there is.
    const grow = (block: number, bytes: number): number => {
      const grown = memory.reallocate(block, bytes * capacity)
      memory.bytes(grown + bytes * was.capacity, bytes * (capacity - was.capacity)).fill(0)
      return grown
    }
    // One after another into the table, so that each is let go of whatever the next one does.
    table = { ...was, marks: grow(was.marks, 1) }
    table = { ...table, values: grow(was.values, width) }
    if (mayBeNull) table = { ...table, known: grow(was.known, 1) }
    return { ...table, capacity }
  }

  function bitsOfBytes(bytes: number, count: number): number {
    const bits = memory.scratch(bitmapBytes(count))
    exports.stringsBits(bytes, count, bits)
    return bits
  }

  function drop(): void {
    if (table !== null) for (const block of [table.marks, table.values, table.known]) memory.free(block)
    table = null
    refused.clear()
  }
}

const isColumn = (source: TextSource): source is LaneVector => 'data' in source

const inputOf = ({ dictionary }: LaneVector, codes: number): TextInput => ({
  dictionary: dictionary as LaneDictionary,
  codes,
  step: 4,
})
