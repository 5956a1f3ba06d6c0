/**
 * Keys of a join as 64-bit words: a column of one side beside one of the other, whose types need not be the same. Equal words are equal keys, and what can be
 * equal to nothing of the other side (a null, half a number beside whole ones) has no word. join.ts finds rows by them.
 */
import { type DataType, isFloat, isInteger, type TimeUnit } from '../columnar/type.js'
import { bitmapBytes } from './bitmap.js'
import { UNITS_PER_SECOND } from './cast.js'
import type { CodeMap } from './code-map.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { integerKind } from './operand.js'

/** Words of some rows in scratch. */
export interface KeyWords {
  /** u64 a row; unspecified where the row has none. */
  readonly words: number
  /** Bitmap of the rows that have one; 0: all. */
  readonly valid: number
}

/** Whether values are their own words, so that these lie as close together as the values do. */
export const isWhole = (own: DataType, other: DataType): boolean => !(isFloat(own.kind) && isFloat(other.kind))

/** Whether a column's values are the very words, but for their width. */
export const isPlain = (own: DataType, other: DataType): boolean =>
  own.kind !== 'utf8' && own.kind !== 'bool' && !isFloat(own.kind) && divisorOf(own, other) === 1n

/**
 * @param other the type of the other side's column.
 * @param map from the codes of the column's dictionary to those of the side that is looked up in; null where they are those.
 */
export function keyWords(k: Kernels, column: LaneVector, other: DataType, map: CodeMap | null): KeyWords {
  const { exports, memory } = k
  const { type, length, data, validity } = column
  const bits = () => memory.scratch(bitmapBytes(length))
  const words = () => memory.scratch(8 * length + 8)
  if (type.kind === 'utf8') {
    if (column.dictionary === null) return { words: filled(k, words(), length), valid: filled(k, bits(), length / 64) }
    if (map === null) return { words: widened(k, column, words()), valid: validity }
    const made = { words: words(), valid: bits() }
    exports.joinWordsMapped(data, validity, map.of(column.dictionary), length, made.words, made.valid)
    return made
  }
  if (type.kind === 'bool') {
    const made = words()
    exports.joinWordsBits(data, length, made)
    return { words: made, valid: validity }
  }
  if (isFloat(type.kind)) {
    let doubles = data
    if (type.kind === 'float32') {
      doubles = words()
      exports.castFloat32ToFloat64(data, length, doubles)
    }
    const made = words()
    if (isFloat(other.kind)) {
      exports.joinWordsFloats(doubles, length, made)
      return { words: made, valid: validity }
    }
    const valid = bits()
    exports.joinWordsWhole(doubles, validity, length, made, valid)
    return { words: made, valid }
  }
  const divisor = divisorOf(type, other)
  if (divisor !== 1n) {
    const made = { words: words(), valid: bits() }
    exports.joinWordsDivided(data, validity, divisor, length, made.words, made.valid)
    return made
  }
  const isWord = type.kind === 'timestamp' || type.kind === 'int64'
  return { words: isWord ? data : widened(k, column, words()), valid: validity }
}

/** Instants of different units are compared in the coarser one: what is between two counts of it is equal to neither. */
function divisorOf(own: DataType, other: DataType): bigint {
  if (own.kind !== 'timestamp' || other.kind !== 'timestamp') return 1n
  const ratio = UNITS_PER_SECOND[own.unit as TimeUnit] / UNITS_PER_SECOND[other.unit as TimeUnit]
  return ratio > 1n ? ratio : 1n
}

function widened({ exports }: Kernels, { type: { kind }, data, length }: LaneVector, out: number): number {
  exports.castToInt64(kind === 'utf8' || kind === 'date' ? 4 : integerKind(kind), data, length, out)
  return out
}

function filled({ memory }: Kernels, pointer: number, words: number): number {
  memory.u8.fill(0, pointer, pointer + 8 * Math.ceil(words))
  return pointer
}

/** Whether columns of these types can be a pair of keys. */
export function canMatch(a: DataType, b: DataType): boolean {
  if (a.kind === b.kind) return a.kind !== 'list' && a.kind !== 'struct'
  const isNumber = ({ kind }: DataType) => isInteger(kind) || isFloat(kind)
  return isNumber(a) && isNumber(b)
}
