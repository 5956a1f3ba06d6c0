/** Where the worker and the kernels come from: inlined by default, files of the user's for a strict policy, for caching and at the edge. */
import { platform } from '#platform'
import { MillraceError, nearestName, quote } from '../errors.js'
import { openInput } from '../formats/byte-source.js'
import { describeInput } from '../formats/input.js'
import { compileKernels, type KernelModule, type KernelSource } from '../kernels/instance.js'
import type { WorkerOrigin } from './platform.js'

export interface Configuration {
  /** Address of `millrace/worker.js`, or what makes a worker of it: a `Worker` in browsers, a `worker_threads.Worker` in Node. */
  readonly worker?: string | URL | (() => unknown)
  /** `millrace/kernels.wasm`: its address (in Node also a path), its bytes, or the compiled module. */
  readonly kernels?: string | URL | BufferSource | KernelModule
}

let configuration: Configuration = {}
let compiled: Promise<KernelModule> | null = null

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
  if (module !== undefined && typeof module !== 'string' && typeof module !== 'object') {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      'configure: kernels is an address, the bytes of kernels.wasm, or a compiled module',
    )
  }
  configuration = { ...options }
  compiled = null
}

/** The inlined text is a chunk of its own: whoever runs inline only, or names files, never loads it. */
export async function workerOrigin(): Promise<WorkerOrigin> {
  const { worker } = configuration
  if (worker === undefined) return { kind: 'text', text: (await import('virtual:millrace/worker')).workerSource }
  return typeof worker === 'function' ? { kind: 'factory', make: worker } : { kind: 'url', url: worker }
}

/** The kernels, compiled once for all lanes. A failure is not remembered. */
export function compiledKernels(): Promise<KernelModule> {
  if (compiled === null) {
    const source = configuration.kernels
    const compiling = (async () =>
      compileKernels(source === undefined ? await inlinedKernels() : await opened(source)))()
    compiling.catch(() => {
      if (compiled === compiling) compiled = null
    })
    compiled = compiling
  }
  return compiled
}

/** A path, or a URL of a file, where there are files: they cannot be fetched there. */
async function opened(source: KernelSource): Promise<KernelSource> {
  if (platform.openFile === null || !(typeof source === 'string' || source instanceof URL)) return source
  const input = await describeInput(source, platform.baseUrl)
  if (input.kind !== 'path') return source
  const file = await openInput(input, platform.openFile)
  try {
    return (await file.read(0, await file.byteLength())) as BufferSource
  } finally {
    await file.close()
  }
}

async function inlinedKernels(): Promise<BufferSource> {
  const { kernels } = await import('virtual:millrace/kernels')
  return (await kernels()) as BufferSource
}
