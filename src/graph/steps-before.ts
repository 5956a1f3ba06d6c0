/** What happens to rows of a flow that runs on before its watermark, or its first aggregate, sees them: step by step as what is above, so that they are brought into memory once. */
import type { RecordBatch } from '../columnar/record-batch.js'
import type { DataType } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import { createBatchLoader } from '../operators/batch-loader.js'
import { buildPipeline, type OperatorContext, type Pipeline } from '../operators/build.js'
import { carryTexts } from '../operators/carried-texts.js'
import { type Morsel, RowFailure } from '../operators/operator.js'
import { runAll } from '../operators/pipeline.js'
import type { RenewedTexts } from '../operators/renewed-texts.js'
import { columnsCarried } from '../plan/carried.js'
import type { PhysicalPlan } from '../plan/physical.js'
import { loadAll } from './load-together.js'
import { withoutRow } from './without-row.js'

export interface StepsBefore {
  /** Batches that have come together; `use` gets what comes of them, which is good until it returns. @throws RowFailure of a row as they came, where it is known which that was, once those before it have been given */
  push(batches: readonly RecordBatch[], use: (batch: LaneBatch) => void): void
  /** As `unloadBatch`, of what `use` has been given. */
  unload(batch: LaneBatch, types: readonly DataType[]): VectorBatch
  /** New dictionaries in the place of those that columns are coded by. */
  renew(renewed: RenewedTexts): void
  free(): void
}

/**
 * @param fillSides with the rows of the other sides of joins
 * @param carries whether rows go out as they come out of the steps, and strings that no step looks at as they came in
 */
export function createStepsBefore(
  context: OperatorContext,
  plan: PhysicalPlan,
  fillSides: (pipeline: Pipeline, plan: PhysicalPlan) => void,
  carries: boolean,
): StepsBefore {
  const { memory } = context.k
  const plain = buildPipeline(context, plan)
  fillSides(plain, plan)
  const pipeline = context.meter?.pipeline(plain) ?? plain
  const { transforms, output } = pipeline.scan
  const names = Object.keys(output)
  const places = Object.keys(plan.output).map(name => names.indexOf(name))
  const columns = plan.sourceColumns.map((_, i) => i)
  const loader = createBatchLoader(context)
  const carried = carries ? columnsCarried(plan) : []
  const texts = carried.length === 0 ? null : carryTexts(context, carried)
  const keepsRows = plan.scan.every(({ kind }) => kind === 'project')

  /** @returns how many rows there were; null where they do not go together */
  function pushTogether(batches: readonly RecordBatch[], use: (batch: LaneBatch) => void): number | null {
    const mark = memory.mark()
    const [first] = batches
    if (first === undefined || (texts !== null && batches.length > 1)) return null
    const loaded = texts === null ? loadAll(context, batches, columns, loader) : texts.load(first, loader)
    if (loaded === null) return null
    const above = (morsel: Morsel) => {
      const batch = { rowCount: morsel.rowCount, columns: places.map(i => morsel.columns[i] as LaneVector) }
      if (keepsRows) use(batch)
      else withoutRow(() => use(batch))
    }
    runAll(transforms, { ...loaded, rows: 0 }, memory, above, true)
    memory.reset(mark)
    return loaded.rowCount
  }

  return {
    push(batches, use) {
      if (batches.length > 1 && pushTogether(batches, use) !== null) return
      let rows = 0
      for (const batch of batches) {
        try {
          rows += pushTogether([batch], use) as number
        } catch (error) {
          throw error instanceof RowFailure ? new RowFailure(rows + error.row, error.error) : error
        }
      }
    },
    unload: (batch, types) => (texts === null ? unloadBatch(context.k, batch, types) : texts.unload(batch, types)),
    renew(renewed) {
      const known = columns.map(i => renewed.known(loader.of(i)))
      loader.close()
      for (const [i, dictionary] of known.entries()) if (dictionary !== null) loader.adopt(i, dictionary)
      for (const transform of transforms) transform.renew?.(0)
    },
    free() {
      pipeline.free()
      loader.close()
    },
  }
}
