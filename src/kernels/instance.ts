/**
 * Instantiating the kernel module: what a lane holds is one `Kernels`. compile.ts compiles it, in the calling thread; what it computes is bound
 * in the files beside this one, each named after its assembly file.
 */
import { MillraceError } from '../errors.js'
import { LaneMemory, PAGE_BYTES } from './memory.js'
import type { RawExports } from './raw.js'

/** Equals `abiVersion` of assembly/index.ts. */
export const ABI_VERSION = 1

/** One instance and its private memory. After a trap it is not to be trusted any more: discard it. */
export interface Kernels {
  /** Those of the module, and of the parts that have been added. */
  readonly exports: RawExports
  readonly memory: LaneMemory
  /** Seeds every hash table, as 32 unsigned bits; never observable in a result. */
  readonly seed: number
}

export interface InstanceOptions {
  /** The most this lane's memory may grow to; by default all that 32-bit pointers reach. */
  readonly maximumBytes?: number
  /** By default random. */
  readonly seed?: number
}

/** A compiled module, a `WebAssembly.Module`: may be posted to any lane. That of the DOM's types has no members, and others have none of the name. */
export type KernelModule = object &
  (typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : unknown)

/** Whether an error is a kernel's trap, after which its instance must be discarded. */
export const isTrap = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError

/**
 * A fresh instance over a fresh memory.
 * @throws MillraceError `MR_VERSION_MISMATCH` for a module of another build, `MR_MEMORY_LIMIT` where no memory can be had.
 */
export function instantiate(module: KernelModule, options: InstanceOptions = {}): Kernels {
  const maximumBytes = options.maximumBytes ?? 65_535 * PAGE_BYTES
  const maximum = Math.max(2, Math.min(65_535, Math.floor(maximumBytes / PAGE_BYTES)))
  const memory = makeMemory(maximum)
  const exports = { ...link(module, memory) }
  const seed = options.seed ?? Math.random() * 2 ** 32
  return { exports, memory: new LaneMemory(memory, maximum * PAGE_BYTES), seed: seed >>> 0 }
}

/** Adds the exports of a part, over the same memory. @throws MillraceError `MR_VERSION_MISMATCH` for a module of another build. */
export function addKernels({ exports, memory }: Kernels, part: KernelModule): void {
  Object.assign(exports, link(part, memory.memory))
}

function makeMemory(maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 2, maximum })
  } catch (error) {
    throw new MillraceError(
      'MR_MEMORY_LIMIT',
      `no memory of up to ${maximum * PAGE_BYTES} bytes can be reserved; use fewer lanes, or a smaller memory option`,
      { maximumBytes: maximum * PAGE_BYTES },
      error,
    )
  }
}

function link(module: KernelModule, memory: WebAssembly.Memory): RawExports {
  const abort = () => {
    throw new Error('a kernel aborted')
  }
  let exports: RawExports
  try {
    exports = new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as RawExports
  } catch (error) {
    if (error instanceof WebAssembly.LinkError || error instanceof TypeError) throw versionMismatch(undefined, error)
    throw error
  }
  const version = typeof exports.abiVersion === 'function' ? exports.abiVersion() : undefined
  if (version !== ABI_VERSION) throw versionMismatch(version)
  return exports
}

function versionMismatch(version: number | undefined, cause?: unknown): MillraceError {
  return new MillraceError(
    'MR_VERSION_MISMATCH',
    'the kernel module is of another build; serve the kernels.wasm that came with the library',
    { found: version, expected: ABI_VERSION },
    cause,
  )
}
