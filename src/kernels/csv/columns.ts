/** The columns of a morsel that is read from CSV: room in scratch, and for each the kernel that fills it. */
import { type DataType, isFloat, isInteger, typeName } from '../../columnar/type.js'
import { MillraceError, quote } from '../../errors.js'
import { bitmapBytes } from '../bitmap.js'
import { UNITS_PER_SECOND } from '../cast.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { dataBytes, elementBytes, integerKind } from '../operand.js'
import type { LaneDictionary } from '../text.js'
import { type CsvContext, WORD } from './context.js'
import { createTextIndex } from './text-index.js'

/** Where fields are, of rows one behind the other: `place` of the separator before the first row's first field, `step` bytes from row to row. */
export interface Fields {
  readonly place: number
  readonly step: number
  readonly count: number
  /** Bytes from the separator before a row to the row. */
  readonly skip: number
  /** There are bytes that are no UTF-8. */
  readonly repair: boolean
}

/** A value that could not be read. */
export interface ValueFault {
  /** Of the fields given. */
  readonly row: number
  readonly fault: number
  /** Index among all fields of the file. */
  readonly field: number
}

export interface CsvColumns {
  /** Takes room for so many rows. */
  start(rowCount: number): void
  /** Reads fields into the rows from `row` on; returns the first fault of each row that has one, in their order. */
  read(fields: Fields, row: number): ValueFault[]
  /** Makes as if `count` rows from `row` on had not been read. */
  forget(row: number, count: number): void
  /** The first `rowCount` rows. */
  take(rowCount: number): LaneVector[]
  free(): void
}

interface Column {
  readonly type: DataType
  /** Index among all fields. */
  readonly field: number
  read(fields: Fields, place: number, skip: number, data: number, validity: number, row: number): number
  dictionary(): LaneDictionary | null
  free(): void
}

interface Room {
  readonly data: number
  readonly validity: number
  hasNulls: boolean
}

/** @param wanted indices of the columns wanted, in order. @throws MillraceError `MR_TYPE_MISMATCH` for a type that is not read from text */
export function createCsvColumns(
  k: Kernels,
  context: CsvContext,
  fields: readonly string[],
  types: readonly DataType[],
  wanted: readonly number[],
  dictionaries: (i: number) => LaneDictionary,
): CsvColumns {
  const { memory } = k
  const columns = wanted.map((field, i) =>
    createColumn(k, context, fields[field], types[field], field, () => dictionaries(i)),
  )
  let rooms: Room[] = []

  const collect = (count: number, field: number, faults: Map<number, ValueFault>): void => {
    const at = context.get(WORD.faults) >>> 2
    for (let i = 0; i < count; i++) {
      const word = memory.u32[at + i]
      const row = word & 0xffffff
      const other = faults.get(row)
      if (other === undefined || other.field > field) faults.set(row, { row, fault: word >>> 24, field })
    }
  }

  return {
    start(rowCount) {
      rooms = columns.map(({ type }) => {
        const data = memory.scratch(dataBytes(type.kind, rowCount))
        const validity = type.nullable ? memory.scratch(bitmapBytes(rowCount)) : 0
        if (type.kind === 'bool') memory.bytes(data, bitmapBytes(rowCount)).fill(0)
        if (validity !== 0) memory.bytes(validity, bitmapBytes(rowCount)).fill(0xff)
        return { data, validity, hasNulls: false }
      })
    },
    read(of, row) {
      let faults: Map<number, ValueFault> | null = null
      columns.forEach((column, i) => {
        const { data, validity } = rooms[i]
        const { field, type } = column
        context.set(WORD.nulls, 0)
        const at = data + elementBytes(type.kind) * row
        const count = column.read(of, of.place + 4 * field, field === 0 ? of.skip : 1, at, validity, row)
        if (context.get(WORD.nulls) !== 0) rooms[i].hasNulls = true
        if (count !== 0) collect(count, field, (faults ??= new Map()))
      })
      return faults === null ? [] : [...(faults as Map<number, ValueFault>).values()].sort((a, b) => a.row - b.row)
    },
    forget(row, count) {
      columns.forEach(({ type }, i) => {
        const { data, validity } = rooms[i]
        if (validity !== 0) setBits(memory.u8, validity, row, count, true)
        if (type.kind === 'bool') setBits(memory.u8, data, row, count, false)
      })
    },
    take: rowCount =>
      columns.map(({ type, dictionary }, i) => {
        const { data, validity, hasNulls } = rooms[i]
        return {
          type,
          length: rowCount,
          data,
          validity: hasNulls ? validity : 0,
          dictionary: dictionary(),
          range: null,
        }
      }),
    free() {
      for (const column of columns) column.free()
    },
  }
}

function createColumn(
  k: Kernels,
  context: CsvContext,
  name: string,
  type: DataType,
  field: number,
  dictionary: () => LaneDictionary,
): Column {
  const { exports } = k
  const { pointer } = context
  const { kind } = type
  const plain = { type, field, dictionary: () => null, free() {} }
  if (kind === 'utf8') {
    const index = createTextIndex(k, context)
    return {
      type,
      field,
      dictionary,
      read: (of, place, skip, data, validity, row) => index.read(dictionary(), of, place, skip, data, validity, row),
      free: index.free,
    }
  }
  if (isInteger(kind)) {
    const bytes = integerKind(kind)
    return {
      ...plain,
      read: ({ step, count }, place, skip, data, validity, row) =>
        exports.csvIntegers(pointer, bytes, skip, place, step, count, data, validity, row),
    }
  }
  if (isFloat(kind)) {
    const bytes = elementBytes(kind)
    return {
      ...plain,
      read: ({ step, count }, place, skip, data, validity, row) =>
        exports.csvFloats(pointer, bytes, skip, place, step, count, data, validity, row),
    }
  }
  if (kind === 'bool') {
    return {
      ...plain,
      read: ({ step, count }, place, skip, data, validity, row) =>
        exports.csvBools(pointer, skip, place, step, count, data, validity, row),
    }
  }
  if (kind === 'date' || kind === 'timestamp') {
    const ticksPerSecond = kind === 'date' ? 0n : UNITS_PER_SECOND[type.unit ?? 'ms']
    return {
      ...plain,
      read: ({ step, count }, place, skip, data, validity, row) =>
        exports.csvTimes(pointer, ticksPerSecond, skip, place, step, count, data, validity, row),
    }
  }
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `csv: the column ${quote(name)} cannot be read as ${typeName(type)}; declare it utf8, a number, a bool, a date or a timestamp`,
    { column: name },
  )
}

/** Bits from `from` on, and more of the last one's byte. */
function setBits(bytes: Uint8Array, bitmap: number, from: number, count: number, value: boolean): void {
  const at = bitmap + (from >>> 3)
  const low = (1 << (from & 7)) - 1
  bytes[at] = value ? bytes[at] | (~low & 0xff) : bytes[at] & low
  bytes.fill(value ? 0xff : 0, at + 1, Math.max(at + 1, bitmap + ((from + count + 7) >>> 3)))
}
