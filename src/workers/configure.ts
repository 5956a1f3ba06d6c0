/** Where the worker and the kernels come from: inlined by default, files of the user's for a strict policy, for caching and at the edge. */
import { platform } from '#platform'
import { MillraceError, nearestName, quote } from '../errors.js'
import { compileKernels, type KernelSource } from '../kernels/compile.js'
import type { KernelModule } from '../kernels/instance.js'

export interface Configuration {
  /** Address of `millrace/worker.js`, or what makes a worker of it: a `Worker` in browsers, a `worker_threads.Worker` in Node. */
  readonly worker?: string | URL | (() => unknown)
  /** `millrace/kernels.wasm`: its address (in Node also a path), its bytes, or the compiled module. */
  readonly kernels?: string | URL | ArrayBuffer | ArrayBufferView | KernelModule
}

let configuration: Configuration = {}
/** By part; '' is what lanes are opened with. */
let compiled = new Map<string, Promise<KernelModule>>()

/**
 * Replaces where lanes opened from now on get their worker and their kernels from; what is left out goes back to the inlined one.
 *
 * ```ts
 * configure({ worker: new URL('/assets/millrace-worker.js', location.href), kernels: '/assets/kernels.wasm' })
 * ```
 * @throws MillraceError `MR_INVALID_OPTION` for an option there is not, or a value of another kind.
 */
export function configure(options: Configuration): void {
  const known = ['worker', 'kernels']
  if (typeof options !== 'object' || options === null) {
    throw new MillraceError('MR_INVALID_OPTION', `configure: options are an object, not ${String(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const near = nearestName(name, known)
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `configure: there is no option ${quote(name)}; ${near === undefined ? 'there are worker and kernels' : `did you mean ${near}?`}`,
    )
  }
  const { worker, kernels: module } = options
  if (worker !== undefined && typeof worker !== 'string' && typeof worker !== 'function' && !(worker instanceof URL)) {
    throw new MillraceError('MR_INVALID_OPTION', 'configure: worker is an address, or a function that makes a worker')
  }
  if (module !== undefined && typeof module !== 'string' && (typeof module !== 'object' || module === null)) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      'configure: kernels is an address, the bytes of kernels.wasm, or a compiled module',
    )
  }
  configuration = { ...options }
  compiled = new Map()
}

/** What `configure` said of workers; undefined: the inlined text. */
export const configuredWorker = (): Configuration['worker'] => configuration.worker

type LoadKernels = () => Promise<{ kernels(): Promise<unknown> }>

/** What lanes are opened with, and what they may be lacking then. */
export interface LaneKernels {
  readonly module: KernelModule
  /** The kernels of a part, compiled; null where the module has them, and for a part without. `load`: of one that is not the library's own from the start. */
  part(name: string, load?: LoadKernels): Promise<KernelModule> | null
}

/** The kernels, compiled once for all lanes. A failure is not remembered. */
export async function compiledKernels(): Promise<LaneKernels> {
  const { kernels } = configuration
  if (kernels !== undefined) return { module: await compileOnce('', () => opened(kernels)), part: () => null }
  const module = await compileOnce('', async () => (await import('virtual:millrace/kernels/core')).kernels())
  return {
    module,
    part(name, load = PARTS[name]) {
      return load === undefined ? null : compileOnce(name, async () => (await load()).kernels())
    },
  }
}

const PARTS: Readonly<Record<string, LoadKernels>> = {
  evaluate: () => import('virtual:millrace/kernels/evaluate'),
  numbers: () => import('virtual:millrace/kernels/numbers'),
  strings: () => import('virtual:millrace/kernels/strings'),
  times: () => import('virtual:millrace/kernels/times'),
  conditions: () => import('virtual:millrace/kernels/conditions'),
  casts: () => import('virtual:millrace/kernels/casts'),
  hashes: () => import('virtual:millrace/kernels/hashes'),
  text: () => import('virtual:millrace/kernels/text'),
  integers: () => import('virtual:millrace/kernels/integers'),
  extremes: () => import('virtual:millrace/kernels/extremes'),
  aggregates: () => import('virtual:millrace/kernels/aggregates'),
  partitions: () => import('virtual:millrace/kernels/partitions'),
  joins: () => import('virtual:millrace/kernels/joins'),
  over: () => import('virtual:millrace/kernels/over'),
}

function compileOnce(name: string, source: () => Promise<unknown>): Promise<KernelModule> {
  const mine = compiled
  let compiling = mine.get(name)
  if (compiling === undefined) {
    compiling = source().then(bytes => compileKernels(bytes as KernelSource))
    compiling.catch(() => mine.delete(name))
    mine.set(name, compiling)
  }
  return compiling
}

/** Files have their bytes read: they cannot be fetched. */
async function opened(kernels: NonNullable<Configuration['kernels']>) {
  const isAddress = typeof kernels === 'string' || kernels instanceof URL
  return (isAddress ? await platform.readFile(kernels) : null) ?? kernels
}
