/** Columns of several batches end to end in a lane's memory: copied once, as those of one batch are, so that a step is of many rows whatever batches they come in. */
import type { Vector } from '../columnar/vector.js'
import { bitmapBytes, copyBits } from '../kernels/bitmap.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { elementBytes } from '../kernels/operand.js'
import type { LaneDictionary } from '../kernels/text.js'
import { loadVector } from '../kernels/transfer-batch.js'

/** Whether there is a way for columns of this kind. */
export const canLoadTogether = ({ type }: Vector): boolean => type.kind !== 'list' && type.kind !== 'bool'

/** In scratch. @param parts of one column, at least one, of kinds that can be; `dictionary` is what strings are coded by */
export function loadTogether(k: Kernels, parts: readonly Vector[], dictionary: LaneDictionary | null): LaneVector {
  const { memory } = k
  const [first] = parts as [Vector]
  if (parts.length === 1) return loadVector(k, first, dictionary)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const width = elementBytes(first.type.kind)
  const data = memory.scratch(width * length)
  let validity = 0
  if (parts.some(part => part.validity !== null)) {
    validity = memory.scratch(bitmapBytes(length))
    memory.bytes(validity, bitmapBytes(length)).fill(0xff)
  }
  let at = 0
  for (const part of parts) {
    if (dictionary === null && part.validity === null) {
      const { buffer, byteOffset } = part.data
      memory.u8.set(new Uint8Array(buffer, byteOffset, width * part.length), data + width * at)
    } else {
      const mark = memory.mark()
      const loaded = loadVector(k, part, dictionary)
      memory.u8.copyWithin(data + width * at, loaded.data, loaded.data + width * part.length)
      if (loaded.validity !== 0) copyBits(k, loaded.validity, 0, validity, at, part.length)
      memory.reset(mark)
    }
    at += part.length
  }
  const type = parts.find(part => part.type.nullable)?.type ?? first.type
  return { type, length, data, validity, dictionary, range: null, child: null }
}
