/** Compiling the kernel module, once for all lanes, in the calling thread; instance.ts makes an instance of it in each lane. */
import { MillraceError } from '../errors.js'
import type { KernelModule } from './instance.js'

/** Where a module can come from. A URL is fetched; reading a file is the platform's work. */
export type KernelSource = KernelModule | KernelBytes

type KernelBytes = BufferSource | Response | URL | string

/**
 * Compiles a module once; it may be posted to every lane.
 * @throws MillraceError `MR_WASM_BLOCKED` where WebAssembly is missing or refused (a content security policy without
 *   `'wasm-unsafe-eval'`), `MR_VERSION_MISMATCH` where the bytes are no module this engine can compile, `MR_LANE_FAILED`
 *   where a URL cannot be fetched.
 */
export async function compileKernels(source: KernelSource): Promise<KernelModule> {
  if (typeof WebAssembly !== 'object') throw wasmBlocked()
  if (source instanceof WebAssembly.Module) return source
  const bytes = await readSource(source as KernelBytes)
  try {
    return await WebAssembly.compile(bytes)
  } catch (error) {
    if (!(await canCompile())) throw wasmBlocked(error)
    throw new MillraceError(
      'MR_VERSION_MISMATCH',
      `the kernels do not compile: either the ${bytes.byteLength} bytes are not millrace/kernels.wasm, or this engine lacks 128-bit SIMD`,
      {},
      error,
    )
  }
}

async function readSource(source: KernelBytes): Promise<BufferSource> {
  // Any view will do here; to some engines only bytes do.
  if (ArrayBuffer.isView(source))
    return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength)
  if (source instanceof ArrayBuffer) return source
  const response = source instanceof Response ? source : await fetchKernels(source)
  if (!response.ok) {
    throw new MillraceError(
      'MR_LANE_FAILED',
      `the kernels could not be fetched from ${response.url}: HTTP status ${response.status}`,
    )
  }
  return response.arrayBuffer()
}

async function fetchKernels(url: URL | string): Promise<Response> {
  try {
    return await fetch(url)
  } catch (error) {
    throw new MillraceError(
      'MR_LANE_FAILED',
      `the kernels could not be fetched from ${String(url)}; check the address given to configure`,
      {},
      error,
    )
  }
}

/** Whether the empty module compiles: tells a policy from a bad module, whatever the engine's wording. */
export async function canCompile(): Promise<boolean> {
  try {
    await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    return true
  } catch {
    return false
  }
}

export function wasmBlocked(cause?: unknown): MillraceError {
  return new MillraceError(
    'MR_WASM_BLOCKED',
    "WebAssembly is not available here; if a content security policy is in force, add 'wasm-unsafe-eval' to its script-src",
    {},
    cause,
  )
}
