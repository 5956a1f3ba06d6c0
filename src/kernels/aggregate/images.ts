/**
 * Values of every type but strings as signed integers in the same order, one zero and one NaN among them: drawn in
 * assembly/aggregate/min-max.ts.
 */
import type { DataType, Kind } from '../../columnar/type.js'
import { bitmapBytes } from '../bitmap.js'
import type { Kernels } from '../instance.js'
import { elementBytes } from '../operand.js'
import { BLOCK_ROWS } from './slots.js'

export interface Images {
  readonly bytes: 4 | 8
  /** The image behind all others: what null rows become where the greatest are looked for. The least before all is its complement. */
  readonly greatest: bigint
  /**
   * Calls `use` with images of rows `from` to `from + count`, `from` a multiple of 8, until all rows were had: in scratch, or the column itself.
   * Images of rows that `validity` (or 0) leaves out are `identity`.
   */
  each(
    data: number,
    validity: number,
    rowCount: number,
    identity: bigint,
    use: (images: number, from: number, count: number) => void,
  ): void
  /** The values of `count` images, laid out as a column's: the images themselves where they are, else in scratch. */
  values(images: number, count: number): number
}

export function createImages(k: Kernels, { kind }: DataType): Images {
  const { exports, memory } = k
  const bytes = WIDE.includes(kind) ? 8 : 4
  const inputBytes = elementBytes(kind)
  // The values themselves are images: without nulls there is nothing to convert.
  const asStored = kind === 'int32' || kind === 'date' || kind === 'int64' || kind === 'timestamp'
  const toImages = imagesOf(k, kind)
  return {
    bytes,
    greatest: 2n ** BigInt(8 * bytes - 1) - 1n,
    each(data, validity, rowCount, identity, use) {
      if (asStored && validity === 0) {
        use(data, 0, rowCount)
        return
      }
      const mark = memory.mark()
      const images = memory.scratch(bytes * BLOCK_ROWS + 16)
      for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, rowCount - from)
        const values = data + (inputBytes === 0 ? from / 8 : inputBytes * from)
        toImages(images, values, validity === 0 ? 0 : validity + from / 8, identity, count)
        use(images, from, count)
      }
      memory.reset(mark)
    },
    values(images, count) {
      if (asStored) return images
      const data = memory.scratch(kind === 'bool' ? bitmapBytes(count) : inputBytes * count)
      if (kind === 'bool') exports.minMaxBits(images, count, data)
      else if (kind === 'float64' || kind === 'float32') exports.minMaxFloats(images, count, data, inputBytes)
      else exports.minMaxNarrow(images, bytes, count, data, inputBytes)
      return data
    },
  }
}

const WIDE: readonly Kind[] = ['uint32', 'int64', 'timestamp', 'float32', 'float64']

function imagesOf({ exports }: Kernels, kind: Kind): Kernels['exports']['minMaxImagesI32'] {
  switch (kind) {
    case 'bool':
      return exports.minMaxImagesBits
    case 'int8':
      return exports.minMaxImagesI8
    case 'uint8':
      return exports.minMaxImagesU8
    case 'int16':
      return exports.minMaxImagesI16
    case 'uint16':
      return exports.minMaxImagesU16
    case 'int32':
    case 'date':
      return exports.minMaxImagesI32
    case 'uint32':
      return exports.minMaxImagesU32
    case 'float32':
      return exports.minMaxImagesF32
    case 'float64':
      return exports.minMaxImagesF64
    default:
      return exports.minMaxImagesI64
  }
}
