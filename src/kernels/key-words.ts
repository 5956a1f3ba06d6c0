/**
 * Group keys as 64-bit words: which bits each key column gets, packing rows into words and groups' words back into columns.
 * The layout is drawn in assembly/key-words.ts; hash.ts and direct.ts find the group of a key.
 */
import type { DataType } from '../columnar/type.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

/**
 * Where one key lies: `bits` bits of word `word` from `shift` on, its distance from `base`; and where it may be null one more bit somewhere.
 */
export interface KeyField {
  readonly type: DataType
  readonly bits: number
  readonly base: bigint
  readonly word: number
  readonly shift: number
  readonly nullBit: { readonly word: number; readonly shift: number } | null
}

/** What the values of a key column are known to lie between, inclusive; null where nothing is known. */
export type KeyBounds = { readonly min: bigint; readonly max: bigint } | null

export interface KeyLayout {
  /** 64-bit words a key, at least 1. */
  readonly width: number
  /** One per key column, in key order. */
  readonly fields: readonly KeyField[]
  /** Bytes of the only column's elements where these can be hashed as they are stored, so that nothing needs packing; else 0. */
  readonly storedBytes: 0 | 4 | 8
}

/** Bits of a key value of each type; a bool is one bit wide. */
const BITS: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  float32: 32,
  date: 32,
  utf8: 32,
  int64: 64,
  float64: 64,
  timestamp: 64,
}

/** Bits of a key of this type. */
export const keyBits = ({ kind }: DataType): number => BITS[kind]

/**
 * Widest fields first, each into the first word that has room, so that few words are used. Several keys take no more bits than their `bounds`
 * ask for.
 */
export function layoutKeys(types: readonly DataType[], bounds: readonly KeyBounds[] = []): KeyLayout {
  const used: number[] = []
  const place = (bits: number) => {
    let word = used.findIndex(taken => taken + bits <= 64)
    if (word < 0) word = used.push(0) - 1
    const shift = used[word]
    used[word] += bits
    return { word, shift }
  }
  const fields: KeyField[] = []
  const spans = types.map((type, i) => (types.length === 1 ? null : spanOf(type, bounds[i] ?? null)))
  const bitsOf = (i: number) => spans[i]?.bits ?? BITS[types[i].kind]
  for (const i of types.map((_, i) => i).sort((a, b) => bitsOf(b) - bitsOf(a) || a - b)) {
    fields[i] = { type: types[i], bits: bitsOf(i), base: spans[i]?.base ?? 0n, ...place(bitsOf(i)), nullBit: null }
  }
  for (const [i, type] of types.entries()) if (type.nullable) fields[i] = { ...fields[i], nullBit: place(1) }
  return { width: used.length, fields, storedBytes: types.length === 1 ? storedBytesOf(types[0]) : 0 }
}

/** Fewer bits than the type has, where the bounds allow it: from 0 on where that costs nothing, so that many lanes come to the same. */
function spanOf({ kind }: DataType, bounds: KeyBounds): { bits: number; base: bigint } | null {
  if (bounds === null || kind === 'bool' || kind === 'float32' || kind === 'float64') return null
  const bitsFrom = (base: bigint) => Math.max(1, (bounds.max - base).toString(2).length)
  const fromZero = bounds.min >= 0n && bitsFrom(0n) <= bitsFrom(bounds.min)
  const base = fromZero ? 0n : bounds.min
  const bits = bitsFrom(base)
  return bits < BITS[kind] ? { bits, base } : null
}

/** Whether the layout has room for values within the bounds, which are those of the columns' types where they are null. */
export const layoutHolds = ({ fields }: KeyLayout, bounds: readonly KeyBounds[]): boolean =>
  fields.every(({ type: { kind }, bits, base }, i) => {
    const within = bounds[i]
    return bits === BITS[kind] || (within !== null && within.min >= base && within.max < base + (1n << BigInt(bits)))
  })

function storedBytesOf({ kind, nullable }: DataType): 0 | 4 | 8 {
  // Equal doubles may have different bits, and nulls any.
  if (nullable || kind === 'float32' || kind === 'float64') return 0
  return BITS[kind] === 64 ? 8 : BITS[kind] === 32 ? 4 : 0
}

/**
 * Writes the key words of `count` rows to `words` (u64 x width x count, caller's). `rows` lists the rows (u32 pointer), or is 0
 * for the first `count`. A key whose type is not nullable is taken to have no nulls.
 */
export function packKeys(
  k: Kernels,
  layout: KeyLayout,
  keys: readonly LaneVector[],
  rows: number,
  count: number,
  words: number,
): void {
  const { exports, memory } = k
  const stride = layout.width * 8
  memory.u8.fill(0, words, words + stride * count)
  for (const [i, field] of layout.fields.entries()) {
    const { data, validity } = keys[i]
    const at = words + 8 * field.word
    packerOf(k, field.type)(at, stride, field.shift, maskOf(field), field.base, data, rows, count)
    if (field.nullBit !== null && validity !== 0) {
      const nulls = words + 8 * field.nullBit.word
      exports.packNulls(at, field.shift, field.bits, nulls, field.nullBit.shift, stride, validity, rows, count)
    }
  }
}

/** The key columns of `count` groups, in scratch; `dictionaries[i]` is what key i's codes refer to. */
export function unpackKeys(
  k: Kernels,
  layout: KeyLayout,
  words: number,
  count: number,
  dictionaries: readonly (LaneDictionary | null)[],
): LaneVector[] {
  const { exports, memory } = k
  const stride = layout.width * 8
  const bitmapBytes = Math.ceil(count / 128) * 16
  return layout.fields.map(({ type, bits, base, word, shift, nullBit }, i) => {
    const width = BITS[type.kind]
    const data = memory.scratch(width === 1 ? bitmapBytes : (width / 8) * count)
    if (width === 1) exports.unpackBits(data, words + 8 * word, stride, shift, 0, count)
    else unpackerOf(k, width)(data, words + 8 * word, stride, shift, maskOf({ bits }), base, count)
    let validity = 0
    if (nullBit !== null) {
      validity = memory.scratch(bitmapBytes)
      const valid = exports.unpackBits(validity, words + 8 * nullBit.word, stride, nullBit.shift, 1, count)
      if (valid === count) validity = 0
    }
    return { type, length: count, data, validity, dictionary: dictionaries[i] ?? null, range: null }
  })
}

const maskOf = ({ bits }: { readonly bits: number }): bigint => (1n << BigInt(bits)) - 1n

function packerOf({ exports }: Kernels, { kind }: DataType): Kernels['exports']['packU8'] {
  if (kind === 'float64') return exports.packF64
  if (kind === 'float32') return exports.packF32
  const bits = BITS[kind]
  if (bits === 64) return exports.packU64
  if (bits === 32) return exports.packU32
  if (bits === 16) return exports.packU16
  return bits === 8 ? exports.packU8 : exports.packBits
}

/** Writes `bits` bits (8 to 64) of every word to `out`. */
export function unpackerOf({ exports }: Kernels, bits: number): Kernels['exports']['unpack8'] {
  if (bits === 64) return exports.unpack64
  if (bits === 32) return exports.unpack32
  return bits === 16 ? exports.unpack16 : exports.unpack8
}
