/** The caller's side of one lane: what a pool asks of it, and the one that runs inline. worker-lanes.ts holds those in workers. */
import { platform } from '#platform'
import type { LaneReader } from '../formats/format.js'
import type { KernelModule } from '../kernels/instance.js'
import type { PlanPart } from '../plan/needs.js'
import type { Lane, LaneParts } from './lane.js'
import { localPorts, type Port } from './port.js'
import type { JobSpec, LaneOptions } from './protocol.js'

export interface LaneClient {
  /** In the calling thread: messages need not be copied. */
  readonly inline: boolean
  /** Starts a job and gives its data port. `gather` are the lane's ends of the channels to other lanes. */
  start(spec: JobSpec, gather: readonly MessagePort[]): Port
  /** Has the lane load a part, or what reads a source. `kernels` where its module lacks those of the part. */
  add(part: PlanPart | LaneReader, kernels: Promise<KernelModule> | null): Promise<void>
  release(table: number): void
  /** Whether the lane keeps a Node process alive. */
  keepAlive(on: boolean): void
  /** Ends the lane, and rejects what is pending. */
  terminate(): Promise<void>
}

const PARTS: { [P in PlanPart]: () => Promise<LaneParts[P]> } = {
  evaluate: () => import('../operators/evaluate.js'),
  numbers: () => import('../operators/functions/numbers.js'),
  strings: () => import('../operators/functions/strings.js'),
  times: () => import('../operators/functions/times.js'),
  conditions: () => import('../operators/functions/conditions.js'),
  casts: () => import('../operators/functions/casts.js'),
  hashes: () => import('../operators/functions/hashes.js'),
  userKernels: () => import('../operators/functions/user-kernels.js'),
  text: () => import('../kernels/text.js'),
  integers: () => import('../kernels/aggregate/sum-int.js'),
  extremes: () => import('../kernels/aggregate/min-max.js'),
  aggregates: () => import('../kernels/aggregate/families.js'),
  partitions: () => import('./partitions.js'),
  sets: () => import('../operators/grouping-sets.js'),
  windows: () => import('../operators/window-groups.js'),
  windowParts: () => import('./lane-windows.js'),
  carried: () => import('../operators/carried-texts.js'),
  over: () => import('../operators/over.js'),
  shapes: () => import('../operators/shapes-part.js'),
  spill: () => import('./spill.js'),
  joins: () => import('../operators/joins-part.js'),
  userCode: () => import('../operators/user-code.js'),
}

/** Loads a part into a lane of this thread. */
export async function loadPart(lane: Lane, part: PlanPart, kernels: Promise<KernelModule> | null): Promise<void> {
  const [loaded, module] = await Promise.all([PARTS[part](), kernels])
  lane.add(part, loaded as never, module)
}

/** A lane in the calling thread. @throws MillraceError `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT` */
export async function openInlineLane(options: LaneOptions): Promise<LaneClient> {
  // A chunk of its own: whoever has workers gets the lane as their text, and never loads this one.
  const { Lane } = await import('./lane.js')
  const lane = new Lane(platform.openFile)
  lane.open(options)
  return {
    inline: true,
    start(spec) {
      const [mine, its] = localPorts()
      lane.start(spec, { data: its, gather: [] })
      return mine
    },
    async add(part, kernels) {
      if (typeof part !== 'object') return loadPart(lane, part, kernels)
      const [loaded, module] = await Promise.all([part.load(), kernels])
      lane.add(part.name, loaded as never, module)
    },
    release: table => lane.release(table),
    keepAlive() {},
    async terminate() {},
  }
}
