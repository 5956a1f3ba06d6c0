/**
 * Least and greatest values of every type but strings (min-max-text.ts), as images that are compared as signed integers: drawn in
 * assembly/aggregate/min-max.ts.
 */
import type { DataType, Kind } from '../../columnar/type.js'
import { bitmapBytes } from '../bitmap.js'
import type { Kernels } from '../instance.js'
import { elementBytes } from '../operand.js'
import { type Accumulator, type Family, numbers } from './accumulator.js'
import { createGroupArray } from './group-array.js'
import { createMinMaxText } from './min-max-text.js'
import { BLOCK_ROWS } from './slots.js'

/** A family of one accumulator an aggregate. */
export const minMax: Family = {
  counts: false,
  share: spec => spec.function,
  create: (context, { function: name, inputs: [type] }) =>
    type.kind === 'utf8'
      ? createMinMaxText(context, name as 'min' | 'max', type)
      : createMinMax(context.k, name as 'min' | 'max', type),
}

function createMinMax(k: Kernels, name: 'min' | 'max', type: DataType): Accumulator {
  const { exports, memory } = k
  const { kind } = type
  const max = name === 'max'
  const imageBytes = IMAGE_BYTES[kind] as 4 | 8
  const toImages = imagesOf(k, kind)
  const inputBytes = elementBytes(kind)
  // The values themselves are images: without nulls there is nothing to convert.
  const asStored = kind === 'int32' || kind === 'date' || kind === 'int64' || kind === 'timestamp'
  const identity = identityOf(max, imageBytes)
  const update = max
    ? imageBytes === 4
      ? exports.minMaxGreatest32
      : exports.minMaxGreatest64
    : imageBytes === 4
      ? exports.minMaxLeast32
      : exports.minMaxLeast64
  const updateOne = max
    ? imageBytes === 4
      ? exports.minMaxGreatestOf32
      : exports.minMaxGreatestOf64
    : imageBytes === 4
      ? exports.minMaxLeastOf32
      : exports.minMaxLeastOf64
  const states = createGroupArray(k, imageBytes, wordsOf(identity, imageBytes))
  let groupCount = 0

  const add = (images: number, groups: number, count: number) => {
    if (groups === 0) updateOne(states.pointer, images, count)
    else update(states.pointer, groups, images, count)
  }

  return {
    kernel: kind,
    resize(count) {
      groupCount = count
      states.resize(count)
    },
    update({ vectors: [{ data }], validity, groups, rowCount }) {
      if (asStored && validity === 0) {
        add(data, groups, rowCount)
        return
      }
      const mark = memory.mark()
      const images = memory.scratch(imageBytes * BLOCK_ROWS + 16)
      for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, rowCount - from)
        const values = data + (inputBytes === 0 ? from / 8 : inputBytes * from)
        toImages(images, values, validity === 0 ? 0 : validity + from / 8, identity, count)
        add(images, groups === 0 ? 0 : groups + 4 * from, count)
      }
      memory.reset(mark)
    },
    write(writer, groups, count) {
      writer.states(k, { pointer: states.pointer, stride: imageBytes }, imageBytes, groups, count)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      update(states.pointer, groupMap, reader.lane(k, imageBytes * count), count)
      memory.reset(mark)
    },
    evaluate() {
      const data = memory.scratch(kind === 'bool' ? bitmapBytes(groupCount) : inputBytes * groupCount)
      const images = states.pointer
      if (asStored) memory.u8.copyWithin(data, images, images + imageBytes * groupCount)
      else if (kind === 'bool') exports.minMaxBits(images, groupCount, data)
      else if (kind === 'float64' || kind === 'float32') exports.minMaxFloats(images, groupCount, data, inputBytes)
      else exports.minMaxNarrow(images, imageBytes, groupCount, data, inputBytes)
      return numbers(type, groupCount, data)
    },
    free: states.free,
  }
}

/** Bytes of the images of each type but strings. */
export const IMAGE_BYTES: Readonly<Partial<Record<Kind, 4 | 8>>> = {
  bool: 4,
  int8: 4,
  uint8: 4,
  int16: 4,
  uint16: 4,
  int32: 4,
  date: 4,
  uint32: 8,
  int64: 8,
  timestamp: 8,
  float32: 8,
  float64: 8,
}

function identityOf(max: boolean, bytes: 4 | 8): bigint {
  const least = bytes === 4 ? -(2n ** 31n) : -(2n ** 63n)
  return max ? least : -least - 1n
}

const wordsOf = (identity: bigint, bytes: 4 | 8): number[] =>
  bytes === 4 ? [Number(identity)] : [Number(BigInt.asIntN(32, identity)), Number(identity >> 32n)]

/** The kernel that writes a column's images: signed integers in the order of its values. */
export function imagesOf({ exports }: Kernels, kind: Kind): Kernels['exports']['minMaxImagesI32'] {
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
