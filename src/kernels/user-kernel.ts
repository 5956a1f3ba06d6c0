/**
 * A user's own kernel, in an instance and a memory of its own: a morsel's columns are copied there, computed, and copied back. user-module.ts compiles and checks its module.
 *
 * ```
 * its memory   | values 0 | validity 0 | values 1 | validity 1 | ... | values out | validity out |    each part from a multiple of 16 bytes
 *
 * export(rows, values 0, validity 0, values 1, validity 1, ..., values out, validity out)     all i32
 * ```
 * Values are little-endian elements, of bool a bitmap; bit (i & 7) of byte (i >> 3) of a validity bitmap is 1 where row i is not null. The last bitmap is 1 where all inputs are
 * when the kernel is called. It gives nothing, or the first row that it fails of, -1 for none.
 */
import type { DataType } from '../columnar/type.js'
import { bitmapBytes, bothValid } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { dataBytes, nullableIf } from './operand.js'

/** What lanes are sent of it. */
export interface UserKernelModule {
  readonly module: WebAssembly.Module
  readonly export: string
}

export interface UserResult {
  /** In scratch; unspecified where `failedRow` is none of -1. */
  readonly vector: LaneVector
  /** -1 for none. */
  readonly failedRow: number
  /** What it threw, on any row from `failedRow` on; null where it has told the row. */
  readonly thrown: unknown
}

export interface UserKernel {
  /** @param output nullable where the kernel says itself which rows are null; else those are of which an input is */
  run(columns: readonly LaneVector[], rowCount: number, output: DataType): UserResult
}

/** What an instance is expected to have: checked when it was defined. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly allocate?: (byteLength: number) => number
}
type Call = (...pointers: readonly number[]) => number | undefined

const PAGE_BYTES = 65_536
const aligned = (byteLength: number): number => Math.ceil(byteLength / 16) * 16

/** What a module may import: AssemblyScript's word for a failed assertion. */
export const USER_IMPORTS = {
  env: {
    abort(_message: number, _file: number, line: number, column: number): never {
      throw new Error(`it aborted in line ${line}, column ${column}`)
    },
  },
}

export function createUserKernel(k: Kernels, { module, export: name }: UserKernelModule): UserKernel {
  const { memory } = k
  let own: { readonly given: Exports; readonly call: Call } | null = null
  let base = 0
  let capacity = 0

  const started = () => {
    if (own !== null) return own
    const given = new WebAssembly.Instance(module, USER_IMPORTS).exports as unknown as Exports
    own = { given, call: (given as unknown as Record<string, Call>)[name] }
    return own
  }

  /** Room for so many bytes, from `base` on. @throws Error where it gives none */
  const reserve = (given: Exports, byteLength: number): void => {
    if (byteLength <= capacity) return
    // Twice as much as before, since nothing is given back.
    const wanted = Math.max(byteLength, 2 * capacity)
    if (given.allocate === undefined) {
      const pages = Math.ceil(wanted / PAGE_BYTES)
      base = given.memory.grow(pages) * PAGE_BYTES
      capacity = pages * PAGE_BYTES
    } else {
      const pointer = given.allocate(wanted + 15) >>> 0
      if (pointer === 0) throw new Error(`its allocate has no room for ${wanted + 15} bytes`)
      base = aligned(pointer)
      capacity = wanted
    }
    if (base + capacity <= given.memory.buffer.byteLength) return
    capacity = 0
    throw new Error('its allocate gives room that is not in its memory')
  }

  return {
    run(columns, rowCount, output) {
      const bits = bitmapBytes(rowCount)
      const bytes = dataBytes(output.kind, rowCount)
      const validity = columns.reduce((so, column) => bothValid(k, so, column.validity, rowCount), 0)
      // Whatever comes of it, there is a column.
      const data = memory.scratch(bytes + 16)
      const ownBits = output.nullable ? memory.scratch(bits) : 0
      const vector: LaneVector = {
        type: nullableIf(output, validity),
        length: rowCount,
        data,
        validity: ownBits === 0 ? validity : ownBits,
        dictionary: null,
        range: null,
      }
      try {
        const { given, call } = started()
        const sizes = [...columns.map(({ type }) => dataBytes(type.kind, rowCount)), bytes]
        reserve(
          given,
          sizes.reduce((sum, size) => sum + aligned(size) + aligned(bits), 0),
        )
        const pointers: number[] = []
        let at = base
        for (const size of sizes) {
          pointers.push(at | 0, (at + aligned(size)) | 0)
          at += aligned(size) + aligned(bits)
        }
        const place = (i: number) => pointers[i] >>> 0
        let theirs = new Uint8Array(given.memory.buffer)
        const put = (from: number, to: number, byteLength: number) =>
          from === 0 ? theirs.fill(0xff, to, to + byteLength) : theirs.set(memory.bytes(from, byteLength), to)
        columns.forEach((column, i) => {
          put(column.data, place(2 * i), sizes[i])
          put(column.validity, place(2 * i + 1), bits)
        })
        const last = 2 * columns.length
        theirs.fill(0, place(last), place(last) + bytes)
        put(validity, place(last + 1), bits)
        const told = call(rowCount, ...pointers)
        // It may have grown.
        theirs = new Uint8Array(given.memory.buffer)
        memory.bytes(data, bytes).set(theirs.subarray(place(last), place(last) + bytes))
        if (ownBits !== 0) memory.bytes(ownBits, bits).set(theirs.subarray(place(last + 1), place(last + 1) + bits))
        // A module does not say of what type that is.
        if (told !== undefined && !Number.isInteger(told)) throw new Error(`it gives ${told}, which is no i32`)
        const failedRow = told !== undefined && told >= 0 && told < rowCount ? told : -1
        return { vector, failedRow, thrown: null }
      } catch (thrown) {
        // After a trap nothing in there is to be trusted.
        own = null
        capacity = 0
        memory.bytes(data, bytes).fill(0)
        if (ownBits !== 0) memory.bytes(ownBits, bits).fill(0)
        return { vector, failedRow: 0, thrown }
      }
    },
  }
}
