/**
 * What lanes add for a job with a budget: a file for what its operators have no room for, and those that use it. What they keep there is said in
 * operators/sorted-runs.ts and operators/spilling-aggregate.ts.
 */
import { spillPlatform } from '#spill-file'
import type { SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { MemoryAccount } from '../kernels/memory-account.js'
import type { OperatorContext, OperatorParts } from '../operators/build.js'
import { fittingBatches } from '../operators/fitting-batches.js'
import { createKeylessAggregate } from '../operators/keyless-aggregate.js'
import { createOneDictionary } from '../operators/one-dictionary.js'
import type { Breaker } from '../operators/operator.js'
import type { Spill, Spillable, SpillFile } from '../operators/spill.js'
import { createSpillingAggregate } from '../operators/spilling-aggregate.js'
import { createSpillingJoin } from '../operators/spilling-join.js'
import { createSpillingLimit, createSpillingRows, createSpillingSort } from '../operators/spilling-sort.js'
import type { Stage } from '../plan/physical.js'
import { type Credit, createCredit } from './credit.js'

/** The spilling of one job in one lane. */
export interface JobSpill {
  /** The lane's, with which the job's operators are made. */
  readonly context: OperatorContext
  /** Before the first morsel. */
  ready(): Promise<void>
  /** The rows of a batch in batches that a small part of the budget has room for, and without a long dictionary of which they use little. */
  fitting(batch: VectorBatch): Iterable<VectorBatch>
  readonly credit: Credit
  /** Whatever has happened, nothing is left behind. */
  close(): Promise<void>
}

export function openSpill(lane: OperatorContext, account: MemoryAccount, folder: string | null): JobSpill {
  const jobFile = spillPlatform.openJobFile(folder)
  const spillables = new Set<Spillable>()
  let file: SpillFile | null = null
  const spill: Spill = {
    account,
    get file() {
      return file
    },
    register(spillable) {
      spillables.add(spillable)
      return () => spillables.delete(spillable)
    },
    makeRoom(byteLength) {
      while (account.shareBytes - account.usedBytes < byteLength) {
        const [largest] = [...spillables].sort((a, b) => b.byteLength() - a.byteLength())
        if (largest === undefined || largest.byteLength() === 0) return
        const { usedBytes } = account
        largest.spill()
        if (account.usedBytes >= usedBytes) return
      }
    },
    createBreaker: (stage, input) => createBreaker(context, spill, stage, input),
    createJoin: (stage, input) => createSpillingJoin(context, spill, stage, input),
    createRows: types => createSpillingRows(context, spill, types),
  }
  const context: OperatorContext = {
    k: lane.k,
    dictionaries: lane.dictionaries,
    parts: lane.parts,
    spill,
    ...(lane.mostGroups === undefined ? {} : { mostGroups: lane.mostGroups }),
    ...(lane.partRows === undefined ? {} : { partRows: lane.partRows }),
  }
  return {
    context,
    credit: createCredit(),
    async ready() {
      const reason = await jobFile.ready()
      if (reason === null) file = jobFile
      else account.hint = `nothing can be spilled, for ${reason}; `
    },
    fitting: batch => fittingBatches(batch, account.shareBytes / 12),
    async close() {
      file = null
      await jobFile.close()
    },
  }
}

function createBreaker(context: OperatorContext, spill: Spill, stage: Stage, input: SchemaShape): Breaker | null {
  if (stage.kind === 'sort') return createSpillingSort(context, spill, stage, input)
  if (stage.kind === 'aggregate') {
    return stage.keys.length > 0
      ? createSpillingAggregate(context, spill, stage, input)
      : createKeylessAggregate(context, spill, stage, input)
  }
  if (stage.kind === 'limit') return createSpillingLimit(context, spill, stage, input)
  const { shapes, over } = context.parts as OperatorParts
  if (stage.kind === 'sample') return keepingOneDictionary(context, shapes.createSample(context, stage))
  return stage.kind === 'over' ? keepingOneDictionary(context, over.createOver(context, stage, input)) : null
}

/** A breaker that writes nothing: what feeds it may still begin new dictionaries. */
function keepingOneDictionary(context: OperatorContext, breaker: Breaker): Breaker {
  const one = createOneDictionary(context)
  return {
    ...breaker,
    spilled: { bytes: 0, pieces: 0, times: 0 },
    consume: (morsel, split) => breaker.consume({ ...one.recode(morsel), rows: morsel.rows }, split),
    free() {
      one.clear()
      breaker.free()
    },
  }
}
