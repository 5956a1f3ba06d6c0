/** What the kernel tests share: an instance, columns put into lane memory and read back, and values worth trying. */

import { kernels as kernelBytes } from 'virtual:millrace/kernels'
import * as fc from 'fast-check'
import type { DataType } from '../../src/columnar/type.js'
import type { AccumulatorContext } from '../../src/kernels/aggregate/accumulator.js'
import * as aggregates from '../../src/kernels/aggregate/families.js'
import * as extremes from '../../src/kernels/aggregate/min-max.js'
import * as integers from '../../src/kernels/aggregate/sum-int.js'
import { compileKernels } from '../../src/kernels/compile.js'
import { type InstanceOptions, instantiate, type Kernels } from '../../src/kernels/instance.js'
import type { LaneVector } from '../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { createDictionaryPool } from '../../src/operators/dictionary-pool.js'

const compiled = kernelBytes().then(compileKernels)

export const kernelModule = (): Promise<WebAssembly.Module> => compiled

/** A fresh instance; always the same seed, so that a failing run can be repeated. */
export async function makeKernels(options: InstanceOptions = {}): Promise<Kernels> {
  return instantiate(await compiled, { seed: 0x5eed, ...options })
}

export const AGGREGATE_PARTS = { integers, extremes, aggregates }

/** What accumulators get of a lane. */
export const accumulatorContext = (k: Kernels): AccumulatorContext => ({
  k,
  parts: AGGREGATE_PARTS,
  dictionaries: createDictionaryPool(() => new LaneDictionary(k)),
})

/** Row counts around the widths that kernels work in. */
export const ROW_COUNTS = [0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000]

/** Puts non-null values of a fixed-width type into scratch, with the bits of `nulls` cleared in its validity. */
export function laneVector(
  k: Kernels,
  type: DataType,
  values: readonly (number | bigint | boolean | null)[],
): LaneVector {
  const { memory } = k
  const n = values.length
  const data = memory.scratch(8 * n + 16)
  const validity = values.includes(null) ? memory.scratch(bitmapBytes(n)) : 0
  if (validity !== 0) memory.bytes(validity, bitmapBytes(n)).fill(0xaa)
  if (type.kind === 'bool') memory.bytes(data, bitmapBytes(n)).fill(0x55)
  values.forEach((value, i) => {
    if (validity !== 0) setBit(memory.u8, validity, i, value !== null)
    switch (type.kind) {
      case 'bool':
        return setBit(memory.u8, data, i, Boolean(value))
      case 'int8':
      case 'uint8':
        memory.u8[data + i] = Number(value)
        return
      case 'int16':
      case 'uint16':
        memory.u16[(data >>> 1) + i] = Number(value)
        return
      case 'int32':
      case 'uint32':
      case 'date':
      case 'utf8':
        memory.u32[(data >>> 2) + i] = Number(value)
        return
      case 'int64':
      case 'timestamp':
        memory.i64[(data >>> 3) + i] = BigInt(value ?? 0)
        return
      case 'float32':
        memory.f32[(data >>> 2) + i] = Number(value)
        return
      case 'float64':
        memory.f64[(data >>> 3) + i] = Number(value)
        return
      default:
        throw new Error(`no lane form for ${type.kind}`)
    }
  })
  return { type, length: n, data, validity, dictionary: null, range: null }
}

/** The values of a vector: bigint for int64 and timestamp, string for utf8, null where not valid. */
export function valuesOf(k: Kernels, vector: LaneVector): (number | bigint | boolean | string | null)[] {
  const { memory } = k
  const { data, type } = vector
  return Array.from({ length: vector.length }, (_, i) => {
    if (vector.validity !== 0 && !bit(memory.u8, vector.validity, i)) return null
    switch (type.kind) {
      case 'bool':
        return bit(memory.u8, data, i)
      case 'int8':
        return memory.i8[data + i]
      case 'uint8':
        return memory.u8[data + i]
      case 'int16':
        return memory.i16[(data >>> 1) + i]
      case 'uint16':
        return memory.u16[(data >>> 1) + i]
      case 'int32':
      case 'date':
        return memory.i32[(data >>> 2) + i]
      case 'uint32':
        return memory.u32[(data >>> 2) + i]
      case 'int64':
      case 'timestamp':
        return memory.i64[(data >>> 3) + i]
      case 'float32':
        return memory.f32[(data >>> 2) + i]
      case 'float64':
        return memory.f64[(data >>> 3) + i]
      case 'utf8':
        return vector.dictionary!.get(memory.u32[(data >>> 2) + i])
      default:
        throw new Error(`no lane form for ${type.kind}`)
    }
  })
}

/** A bitmap in scratch, its bits beyond the end set, since no kernel may rely on them. */
export function bitmap(k: Kernels, bits: readonly boolean[]): number {
  const pointer = k.memory.scratch(bitmapBytes(bits.length))
  k.memory.bytes(pointer, bitmapBytes(bits.length)).fill(0xff)
  bits.forEach((value, i) => setBit(k.memory.u8, pointer, i, value))
  return pointer
}

export function bitsOf(k: Kernels, pointer: number, n: number): boolean[] {
  return Array.from({ length: n }, (_, i) => bit(k.memory.u8, pointer, i))
}

export const bit = (bytes: Uint8Array, at: number, i: number): boolean => ((bytes[at + (i >> 3)] >> (i & 7)) & 1) === 1

export const bitmapBytes = (n: number): number => Math.ceil(n / 128) * 16

function setBit(bytes: Uint8Array, at: number, i: number, value: boolean): void {
  const mask = 1 << (i & 7)
  bytes[at + (i >> 3)] = value ? bytes[at + (i >> 3)] | mask : bytes[at + (i >> 3)] & ~mask
}

/** Doubles of every sort, with those that break things often. */
export const anyDouble = fc.oneof(
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    2 ** 53,
    -(2 ** 53),
    2 ** 63,
    -(2 ** 63),
    0.5,
    1,
  ),
  fc.integer({ min: -3, max: 3 }),
)

/** int64 of every size, with the extremes often. */
export const anyInt64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -10n, max: 10n }),
  fc.constantFrom(
    0n,
    1n,
    -1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    2n ** 32n,
    2n ** 31n,
  ),
)

export const anyInt32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 0, -1),
)

/** Arrays of a length near a kernel's width, of values or nulls. */
export function column<T>(value: fc.Arbitrary<T>, options: { nulls?: boolean } = {}): fc.Arbitrary<(T | null)[]> {
  const item: fc.Arbitrary<T | null> =
    options.nulls === false ? value : fc.oneof({ weight: 4, arbitrary: value }, fc.constant(null))
  return fc.constantFrom(...ROW_COUNTS.filter(n => n < 300)).chain(n => fc.array(item, { minLength: n, maxLength: n }))
}
