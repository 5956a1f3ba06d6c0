/**
 * What operators are made with in the calling thread, where they are no lane's job but run step by step: kernels of their own, and the parts that a plan needs. One that is given back
 * is lent again, since making it takes longer than many a job.
 */
import { MemoryAccount } from '../kernels/memory-account.js'
import type { OperatorContext } from '../operators/build.js'
import type { PlanPart } from '../plan/needs.js'
import { compiledKernels } from './configure.js'
import type { Lane } from './lane.js'
import { loadPart } from './lane-client.js'

export interface LentContext {
  readonly context: OperatorContext
  /** Once nothing of it is used any more; `isSound` unless a kernel has trapped. */
  giveBack(isSound: boolean): void
}

/** The last that was given back, and the kernels that it has. */
let idle: { readonly lane: Lane; readonly module: object; readonly loaded: Set<PlanPart> } | null = null

/** @param memoryBytes of the job, by its own account. @throws MillraceError `MR_WASM_BLOCKED`, `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT` */
export async function openContext(parts: readonly PlanPart[], memoryBytes?: number): Promise<LentContext> {
  const kernels = await compiledKernels()
  const lent = memoryBytes === undefined && idle?.module === kernels.module ? idle : null
  if (lent !== null) idle = null
  const { lane, loaded } = lent ?? (await openLane(kernels.module))
  for (const part of parts) {
    if (loaded.has(part)) continue
    await loadPart(lane, part, kernels.part(part))
    loaded.add(part)
  }
  if (memoryBytes !== undefined) lane.k.memory.account = new MemoryAccount(memoryBytes, memoryBytes, 'the job')
  return {
    context: lane,
    giveBack(isSound) {
      if (!isSound || memoryBytes !== undefined) return
      lane.k.memory.reset(0)
      lane.k.memory.trim()
      idle = { lane, module: kernels.module, loaded }
    },
  }
}

async function openLane(module: Parameters<Lane['open']>[0]['kernels']) {
  const { Lane } = await import('./lane.js')
  const lane = new Lane(null)
  const seed = Math.floor(Math.random() * 2 ** 32)
  lane.open({ kernels: module, seed, maximumBytes: 2 ** 32 })
  return { lane, loaded: new Set<PlanPart>() }
}
