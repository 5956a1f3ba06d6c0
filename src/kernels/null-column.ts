/** Columns of nothing but nulls, of lists too; of one value scalar.ts makes them. */
import type { DataType } from '../columnar/type.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { dataBytes } from './operand.js'
import type { LaneDictionary } from './text.js'

/** In scratch, or where `room` says. Strings, those of lists too, are coded by `dictionary`. */
export function nullColumn(
  k: Kernels,
  type: DataType,
  length: number,
  dictionary: LaneDictionary | null,
  room = (byteLength: number): number => k.memory.scratch(byteLength),
): LaneVector {
  const zeros = (byteLength: number): number => {
    const pointer = room(byteLength)
    k.memory.u8.fill(0, pointer, pointer + byteLength)
    return pointer
  }
  const isList = type.kind === 'list'
  return {
    type,
    length,
    data: zeros(dataBytes(type.kind, length)),
    validity: zeros(bitmapBytes(length)),
    dictionary: isList ? null : dictionary,
    range: null,
    child: isList ? nullColumn(k, type.item as DataType, 0, dictionary, room) : null,
  }
}
