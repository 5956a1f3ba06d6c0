/** What operators are made with in the calling thread, where they are no lane's job but run step by step: kernels of their own, and the parts that a plan needs. */
import type { OperatorContext } from '../operators/build.js'
import type { PlanPart } from '../plan/needs.js'
import { compiledKernels } from './configure.js'
import { loadPart } from './lane-client.js'

/** @throws MillraceError `MR_WASM_BLOCKED`, `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT` */
export async function openContext(parts: readonly PlanPart[], memoryBytes = 2 ** 32): Promise<OperatorContext> {
  const [kernels, { Lane }] = await Promise.all([compiledKernels(), import('./lane.js')])
  const lane = new Lane(null)
  const seed = Math.floor(Math.random() * 2 ** 32)
  lane.open({ kernels: kernels.module, seed, maximumBytes: Math.min(2 ** 32, memoryBytes) })
  await Promise.all(parts.map(part => loadPart(lane, part, kernels.part(part))))
  return lane
}
