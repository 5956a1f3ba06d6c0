/** Strings as other types, once per entry of their dictionary; integers as strings, by a kernel, and other types once per value while few are met. */
import { dayText } from '../columnar/day.js'
import { float32Text } from '../columnar/float-text.js'
import { instantText } from '../columnar/instant.js'
import { type DataType, float64, int64, isFloat, isInteger, type TimeUnit } from '../columnar/type.js'
import { bitmapBytes, bothValid } from './bitmap.js'
import { UNITS_PER_SECOND } from './cast.js'
import { type Conversion, convert, counts } from './casts.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

/** Why an entry has no value. */
export type Outcome = 'none' | 'value' | 'beyond'

export interface TextParser {
  convert(vector: LaneVector): Conversion
  /** What was found for the string of a row that was converted last. */
  outcomeAt(vector: LaneVector, row: number): Outcome
  free(): void
}

const OUTCOMES: readonly Outcome[] = ['none', 'value', 'beyond']

/** How assembly/casts.ts is told what an entry is to be read as. */
function kindOf({ kind }: DataType): number {
  if (kind === 'timestamp') return 5
  if (kind === 'date') return 4
  if (kind === 'bool') return 3
  return kind === 'float32' ? 2 : kind === 'float64' ? 1 : 0
}

/** Strings as `type`, the whitespace around them aside. */
export function createTextParser(k: Kernels, type: DataType): TextParser {
  const { memory, exports } = k
  let dictionary: LaneDictionary | null = null
  let values = 0
  let status = 0
  let length = 0
  let capacity = 0
  const read = isFloat(type.kind) ? float64() : int64()
  const ticks = type.kind === 'timestamp' ? UNITS_PER_SECOND[type.unit as TimeUnit] : 1n
  const free = () => {
    memory.free(values)
    memory.free(status)
    values = status = length = capacity = 0
    dictionary = null
  }

  function parseEntries(theirs: LaneDictionary): void {
    if (dictionary !== theirs) free()
    dictionary = theirs
    // Null rows have code 0, be there such an entry or not.
    const wanted = Math.max(1, theirs.length)
    if (wanted > capacity) {
      capacity = Math.max(wanted, 2 * capacity)
      values = memory.reallocate(values, 8 * capacity)
      status = memory.reallocate(status, capacity)
    }
    if (theirs.length === 0) {
      memory.u32.fill(0, values >>> 2, (values >>> 2) + 2)
      memory.u8[status] = 0
    }
    exports.castsParse(kindOf(type), ticks, theirs.offsets, theirs.bytes, length, theirs.length, values, status)
    length = theirs.length
  }

  return {
    convert(vector) {
      parseEntries(vector.dictionary as LaneDictionary)
      const { data, length: rowCount } = vector
      const out = memory.scratch(8 * rowCount + 16)
      const fits = memory.scratch(bitmapBytes(rowCount))
      const all = exports.castsTake(data, values, status, rowCount, out, fits)
      const converted = convert(k, { ...vector, type: read, data: out, dictionary: null, range: null }, type)
      return { ...converted, fits: bothValid(k, converted.fits, all ? 0 : fits, rowCount) }
    },
    outcomeAt: ({ data }, row) => OUTCOMES[memory.u8[status + memory.u32[(data >>> 2) + row]]],
    free,
  }
}

/** Of an int64, with its sign; a float64 that a kernel writes has no more. */
const MOST_DIGITS = 20
/** In the place of a code: not written by a kernel. */
const LONG = 0xffffffff
/** Values whose code is known before all are forgotten. */
const MOST_KNOWN = 2 ** 18

export interface TextWriter {
  /** @param into the same each time. */
  convert(vector: LaneVector, into: LaneDictionary): LaneVector
}

type Value = number | bigint | boolean

export function createTextWriter(k: Kernels, type: DataType): TextWriter {
  if (!isInteger(type.kind)) return createEachWriter(k, type)
  return {
    convert: (vector, into) => ({ ...vector, data: written(k, vector, into), dictionary: into, range: null }),
  }
}

/** Codes of numbers that kernels write: of integers all, of float64 those of few digits, LONG in the place of others. */
function written(k: Kernels, vector: LaneVector, into: LaneDictionary): number {
  const { exports, memory } = k
  const { length, validity, type } = vector
  const codes = memory.scratch(4 * length)
  const mark = memory.mark()
  const isFloat64 = type.kind === 'float64'
  const data = isFloat64 ? vector.data : counts(k, vector).data
  const write = isFloat64 ? exports.castsShortFloats : exports.castsDecimals
  const room = memory.scratch(64)
  into.internBy(
    length,
    (table, row) => write(table, data, validity, row, length, room, codes),
    () => MOST_DIGITS,
  )
  memory.reset(mark)
  return codes
}

/** As long as values come again a Map tells which have been written before. */
function createEachWriter(k: Kernels, type: DataType): TextWriter {
  const { memory } = k
  const codeOf = new Map<Value, number>()
  let comeAgain = true
  return {
    convert(vector, into) {
      const { length, validity } = vector
      const entries = into.length
      const isBegun = type.kind === 'float64'
      const codes = isBegun ? written(k, vector, into) : memory.scratch(4 * length)
      if (!comeAgain || codeOf.size > MOST_KNOWN) codeOf.clear()
      const fresh: Value[] = []
      /** Of each row its code, or, while it has none yet, the complement of its place among the fresh ones. */
      const found = new Int32Array(length)
      for (let row = 0; row < length; row++) {
        if (validity !== 0 && ((memory.u8[validity + (row >>> 3)] >> (row & 7)) & 1) === 0) continue
        if (isBegun && memory.u32[(codes >>> 2) + row] !== LONG) {
          found[row] = memory.u32[(codes >>> 2) + row]
          continue
        }
        const value = valueAt(k, vector, row)
        const known = comeAgain ? codeOf.get(value) : undefined
        found[row] = known ?? -fresh.length - 1
        if (known !== undefined) continue
        if (comeAgain) codeOf.set(value, found[row])
        fresh.push(value)
      }
      const mark = memory.mark()
      const texts = fresh.map(value => textOf(value, type))
      const added = intern(k, texts, into)
      memory.reset(mark)
      if (comeAgain) for (let i = 0; i < added.length; i++) codeOf.set(fresh[i], added[i])
      const { u32 } = memory
      for (let row = 0; row < length; row++) u32[(codes >>> 2) + row] = found[row] < 0 ? added[~found[row]] : found[row]
      comeAgain = 2 * (into.length - entries) < length
      return { ...vector, data: codes, dictionary: into, range: null }
    },
  }
}

/** Codes of strings of ASCII. */
function intern(k: Kernels, texts: readonly string[], into: LaneDictionary): Uint32Array {
  const { memory } = k
  const offsets = memory.scratch(4 * (texts.length + 1))
  const bytes = memory.scratch(texts.reduce((sum, { length }) => sum + length, 16))
  const codes = memory.scratch(4 * texts.length)
  const { u8, u32 } = memory
  let at = 0
  for (const [i, text] of texts.entries()) {
    u32[(offsets >>> 2) + i] = at
    for (let j = 0; j < text.length; j++) u8[bytes + at++] = text.charCodeAt(j)
  }
  u32[(offsets >>> 2) + texts.length] = at
  into.intern(offsets, bytes, 0, texts.length, codes)
  return memory.u32.slice(codes >>> 2, (codes >>> 2) + texts.length)
}

/** Element `row` of a column that is not of strings or lists, null or not. */
export function valueAt({ memory }: Kernels, { type: { kind }, data }: LaneVector, row: number): Value {
  switch (kind) {
    case 'bool':
      return ((memory.u8[data + (row >>> 3)] >> (row & 7)) & 1) === 1
    case 'int8':
      return memory.i8[data + row]
    case 'uint8':
      return memory.u8[data + row]
    case 'int16':
      return memory.i16[(data >>> 1) + row]
    case 'uint16':
      return memory.u16[(data >>> 1) + row]
    case 'int32':
    case 'date':
      return memory.i32[(data >>> 2) + row]
    case 'uint32':
      return memory.u32[(data >>> 2) + row]
    case 'float32':
      return memory.f32[(data >>> 2) + row]
    case 'float64':
      return memory.f64[(data >>> 3) + row]
    default:
      return memory.i64[(data >>> 3) + row]
  }
}

/** A value as text: numbers and truths as JavaScript writes them, a float32 in the fewest digits, dates and timestamps as ISO 8601 has them. */
export function textOf(value: Value, { kind, unit }: DataType): string {
  if (kind === 'float32') return float32Text(value as number)
  if (kind === 'date') return dayText(value as number)
  return kind === 'timestamp' ? instantText(value as bigint, unit as TimeUnit) : String(value)
}
