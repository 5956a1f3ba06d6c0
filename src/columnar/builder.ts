/**
 * Vectors grown value by value from JavaScript's values. What a value must be is encode.ts's; what lies ready in typed
 * arrays needs no builder (typed-input.ts).
 */
import {
  encodeBool,
  encodeDate,
  encodeFloat,
  encodeInt64,
  encodeInteger,
  encodeText,
  encodeTimestamp,
  mismatch,
  type Origin,
} from './encode.js'
import { setNumber, wordsOf } from './int64.js'
import { textInterner } from './text-interner.js'
import type { DataType } from './type.js'
import { bitmapBytes, clearBit, getBit, setBit } from './validity.js'
import { allocateData, makeVector, tagOf, type Vector, type VectorData, type VectorParts } from './vector.js'

export interface BuilderOptions {
  /** The verb named in errors; default `rows`. */
  readonly operator?: string
  /** Rows to make room for at first; it grows by doubling. Default 1024. */
  readonly capacity?: number
  /** Strings that a column of a chunk may have before the next chunk begins a dictionary of its own: 2^20. */
  readonly largeEntries?: number
  /** Their bytes: 2^28. */
  readonly largeBytes?: number
  /** The values are items of the column's lists; for errors. */
  readonly isItem?: boolean
}

export interface VectorBuilder {
  readonly type: DataType
  /** Rows since the last `finish`. */
  readonly length: number
  /**
   * Appends a value, null or undefined being null. After an error the builder is where it was before.
   * @param row where the value comes from, for errors.
   * @throws MillraceError `MR_TYPE_MISMATCH` (also for null in a type that is not nullable), `MR_INEXACT_VALUE`,
   * `MR_INTEGER_OVERFLOW`, `MR_UNSAFE_INTEGER`
   */
  append(value: unknown, row: number): void
  /** Appends `values[from .. to)`, whose rows in the source are their indices; those before a refused one stay. */
  appendAll(values: ArrayLike<unknown>, from: number, to: number): void
  /** Forgets the rows from `length` on. */
  truncate(length: number): void
  /**
   * The rows so far as a vector with buffers of its own; the builder begins anew. Strings go on with the same
   * dictionary while it is small.
   */
  finish(): Vector
}

/** How one kind of type stores its values: `store` checks, and writes row i of `data`, which is long enough. */
interface Cells {
  resize(data: VectorData): void
  store(i: number, value: unknown, origin: Origin): void
  /** Of lists: forgets the rows from `length` on. */
  truncate?(length: number): void
  /** Of lists: the rest of a vector of `length` rows; the items begin anew. */
  finish?(length: number): Required<Pick<VectorParts, 'offsets' | 'child'>>
}

/** @param column the name for errors. */
export function createBuilder(type: DataType, column: string, options: BuilderOptions = {}): VectorBuilder {
  const { operator = 'rows', capacity: firstCapacity = 1024, isItem = false, largeEntries, largeBytes } = options
  const interner = type.kind === 'utf8' ? textInterner(largeEntries, largeBytes) : null
  const cells =
    type.kind === 'list'
      ? lists(type, column, operator)
      : cellsOf(type, text => (interner as NonNullable<typeof interner>).intern(text))
  // One object for all rows: most values are fine, and only an error needs to know where it was.
  const origin = { operator, column, row: 0, isItem }

  let capacity = 0
  let length = 0
  let nullCount = 0
  let data = allocateData(type.kind, 0)
  let validity: Uint8Array | null = null

  const reserve = (least: number): void => {
    if (least <= capacity) return
    capacity = Math.max(least, capacity * 2, firstCapacity)
    data = copied(data, allocateData(type.kind, capacity))
    if (validity !== null) validity = copied(validity, allValid(capacity))
    cells.resize(data)
  }
  const append = (value: unknown, row: number): void => {
    origin.row = row
    if (value === null || value === undefined) {
      if (!type.nullable) throw mismatch(value, type, origin)
      validity ??= allValid(capacity)
      clearBit(validity, length)
      nullCount++
    } else cells.store(length, value, origin)
    length++
  }

  return {
    type,
    get length() {
      return length
    },
    append(value, row) {
      reserve(length + 1)
      append(value, row)
    },
    appendAll(values, from, to) {
      reserve(length + to - from)
      for (let i = from; i < to; i++) append(values[i], i)
    },
    truncate(to) {
      while (length > to) {
        length--
        if (type.kind === 'bool') clearBit(data as Uint8Array, length)
        if (validity === null || getBit(validity, length)) continue
        setBit(validity, length)
        nullCount--
      }
      cells.truncate?.(to)
    },
    finish() {
      if (interner?.dictionary.length === 0 && length > 0) interner.intern('')
      const used = type.kind === 'list' ? 0 : type.kind === 'bool' ? bitmapBytes(length) : length
      const vector = makeVector(type, length, data.length === used ? data : data.slice(0, used), {
        validity: validity?.slice(0, bitmapBytes(length)) ?? null,
        nullCount,
        dictionary: interner?.dictionary ?? null,
        ...cells.finish?.(length),
      })
      interner?.renew()
      capacity = 0
      length = 0
      nullCount = 0
      data = allocateData(type.kind, 0)
      validity = null
      return vector
    },
  }
}

/** Ones past the last row too: those rows are yet to come. */
const allValid = (capacity: number): Uint8Array => new Uint8Array(bitmapBytes(capacity)).fill(255)

function copied<T extends VectorData>(from: T, to: T): T {
  to.set(from as never)
  return to
}

function cellsOf(type: DataType, intern: (text: string) => number): Cells {
  switch (type.kind) {
    case 'bool':
      return bits(type)
    case 'int64':
      return int64s(type, encodeInt64)
    case 'timestamp':
      return int64s(type, encodeTimestamp)
    case 'date':
      return numbers(type, encodeDate)
    case 'utf8':
      return numbers(type, (value, _, origin) =>
        intern(typeof value === 'string' ? value : encodeText(value, type, origin)),
      )
    case 'float32':
      return numbers(type, encodeFloat)
    case 'float64':
      return numbers(type, (value, _, origin) => (typeof value === 'number' ? value : encodeFloat(value, type, origin)))
    default:
      return numbers(type, encodeInteger)
  }
}

function numbers(type: DataType, encode: (value: unknown, type: DataType, origin: Origin) => number): Cells {
  let cells: Float64Array
  return {
    resize(data) {
      cells = data as Float64Array
    },
    store(i, value, origin) {
      cells[i] = encode(value, type, origin)
    },
  }
}

function int64s(type: DataType, encode: (value: unknown, type: DataType, origin: Origin) => number | bigint): Cells {
  let cells: BigInt64Array
  let words: Int32Array
  return {
    resize(data) {
      cells = data as BigInt64Array
      words = wordsOf(cells)
    },
    store(i, value, origin) {
      const count = encode(value, type, origin)
      if (typeof count === 'number') setNumber(words, i, count)
      else cells[i] = count
    },
  }
}

const isTypedArray = (value: unknown): boolean => ArrayBuffer.isView(value) && tagOf(value) !== 'DataView'

function lists(type: DataType, column: string, operator: string): Cells {
  const items = createBuilder(type.item as DataType, column, { operator, isItem: true })
  // Where each row ends; null rows have no entry.
  let ends: number[] = []
  return {
    resize() {},
    store(i, value, origin) {
      if (!Array.isArray(value) && !isTypedArray(value)) throw mismatch(value, type, origin)
      const before = items.length
      try {
        for (const item of value as ArrayLike<unknown> & Iterable<unknown>) items.append(item, origin.row)
      } catch (error) {
        items.truncate(before)
        throw error
      }
      ends[i] = items.length
    },
    truncate(length) {
      ends.length = Math.min(ends.length, length)
      let last = ends.length - 1
      while (last >= 0 && ends[last] === undefined) last--
      items.truncate(last < 0 ? 0 : ends[last])
    },
    finish(length) {
      const offsets = new Int32Array(length + 1)
      for (let i = 0; i < length; i++) offsets[i + 1] = ends[i] ?? offsets[i]
      ends = []
      return { offsets, child: items.finish() }
    },
  }
}

function bits(type: DataType): Cells {
  let bitmap: Uint8Array
  return {
    resize(data) {
      bitmap = data as Uint8Array
    },
    store(i, value, origin) {
      // The memory is zeroed, and a refused value throws before it leaves a trace.
      if (encodeBool(value, type, origin)) setBit(bitmap, i)
    },
  }
}
