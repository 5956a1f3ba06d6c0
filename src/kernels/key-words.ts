/**
 * Group keys as 64-bit words: which bits each key column gets, packing rows into words and groups' words back into columns.
 * The layout is drawn in assembly/key-words.ts; hash.ts and direct.ts find the group of a key.
 */
import type { DataType } from '../columnar/type.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

/** Where one key lies: `bits` bits of word `word` from `shift` on, and where it may be null one more bit somewhere. */
export interface KeyField {
  readonly type: DataType
  readonly bits: number
  readonly word: number
  readonly shift: number
  readonly nullBit: { readonly word: number; readonly shift: number } | null
}

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

/** Widest fields first, each into the first word that has room, so that few words are used. */
export function layoutKeys(types: readonly DataType[]): KeyLayout {
  const used: number[] = []
  const place = (bits: number) => {
    let word = used.findIndex(taken => taken + bits <= 64)
    if (word < 0) word = used.push(0) - 1
    const shift = used[word]
    used[word] += bits
    return { word, shift }
  }
  const fields: KeyField[] = []
  const bitsOf = (i: number) => BITS[types[i].kind]
  for (const i of types.map((_, i) => i).sort((a, b) => bitsOf(b) - bitsOf(a) || a - b)) {
    fields[i] = { type: types[i], bits: bitsOf(i), ...place(bitsOf(i)), nullBit: null }
  }
  for (const [i, type] of types.entries()) if (type.nullable) fields[i] = { ...fields[i], nullBit: place(1) }
  return { width: used.length, fields, storedBytes: types.length === 1 ? storedBytesOf(types[0]) : 0 }
}

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
    packerOf(k, field.type)(at, stride, field.shift, data, rows, count)
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
  return layout.fields.map(({ type, bits, word, shift, nullBit }, i) => {
    const data = memory.scratch(bits === 1 ? bitmapBytes : (bits / 8) * count)
    if (bits === 1) exports.unpackBits(data, words + 8 * word, stride, shift, 0, count)
    else unpackerOf(k, bits)(data, words + 8 * word, stride, shift, count)
    let validity = 0
    if (nullBit !== null) {
      validity = memory.scratch(bitmapBytes)
      const valid = exports.unpackBits(validity, words + 8 * nullBit.word, stride, nullBit.shift, 1, count)
      if (valid === count) validity = 0
    }
    return { type, length: count, data, validity, dictionary: dictionaries[i] ?? null, range: null }
  })
}

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
