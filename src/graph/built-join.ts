/** The joins of operators/join.ts over rows that are at hand: those of one side are looked up as long as they are kept, those of the other come batch by batch. */
import { RecordBatch } from '../columnar/record-batch.js'
import type { SchemaShape } from '../columnar/type.js'
import type { Vector } from '../columnar/vector.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import { createBatchLoader } from '../operators/batch-loader.js'
import { buildPipeline, type OperatorContext } from '../operators/build.js'
import type { Morsel, Side, Transform } from '../operators/operator.js'
import { runAll } from '../operators/pipeline.js'
import type { JoinStage, PhysicalPlan } from '../plan/physical.js'
import { withoutRow } from './without-row.js'

export interface BuiltJoin {
  /** What comes of rows of the left side. */
  probe(batch: RecordBatch): RecordBatch[]
  /** Rows of the right side that have had no partner, where the join gives these. */
  rest(): RecordBatch[]
  free(): void
}

/** The plan of a join alone, over rows of these columns. */
export const planOfJoin = (stage: JoinStage, left: SchemaShape): PhysicalPlan => ({
  sourceId: 0,
  sourceColumns: Object.keys(left),
  sourceSchema: left,
  prune: null,
  scan: [stage],
  final: [],
  output: stage.output,
  branches: [],
  sides: [],
})

/** @param right batches of the columns that the stage names, and perhaps others */
export function buildJoin(
  context: OperatorContext,
  stage: JoinStage,
  left: SchemaShape,
  right: readonly RecordBatch[],
): BuiltJoin {
  const { k } = context
  const { memory } = k
  const pipeline = buildPipeline(context, planOfJoin(stage, left))
  const { transforms } = pipeline.scan
  const { rows, prepare, unmatched } = (transforms[0] as Transform).side as Side
  const free = () => pipeline.free()
  try {
    const mark = memory.mark()
    for (const batch of right) {
      rows.add(columnsOf(batch, stage.right))
      memory.reset(mark)
    }
    Array.from(prepare())
    memory.reset(mark)
  } catch (error) {
    free()
    throw error
  }

  function given(use: (take: (morsel: Morsel) => void) => void): RecordBatch[] {
    const out: RecordBatch[] = []
    const mark = memory.mark()
    use(morsel => {
      const { vectors, rowCount } = unloadBatch(k, morsel as LaneBatch, Object.values(stage.output))
      out.push(new RecordBatch(stage.output, vectors, rowCount))
    })
    memory.reset(mark)
    return out
  }

  return {
    probe: batch =>
      given(take => {
        // Strings that come are of no use once they have been looked up.
        const loader = createBatchLoader(context)
        try {
          // Rows have waited.
          withoutRow(() => runAll(transforms, { ...loader.load(columnsOf(batch, left)), rows: 0 }, memory, take, false))
        } finally {
          loader.close()
        }
      }),
    rest: () =>
      given(take => {
        for (const morsel of unmatched?.emit() ?? []) take(morsel)
      }),
    free,
  }
}

/** These columns, by their names. */
export function columnsOf(batch: RecordBatch, schema: SchemaShape): RecordBatch {
  const own = Object.keys(batch.schema)
  return new RecordBatch(
    schema,
    Object.keys(schema).map(name => batch.vectors[own.indexOf(name)] as Vector),
    batch.rowCount,
  )
}
