/** A flow over rows that are made in the calling thread of those of another flow, while that runs: sources/stage.ts. What makes them is loaded when a terminal runs. */
import type { Table } from '../columnar/table.js'
import type { Clock } from '../metrics/clock.js'
import type { PlanBefore, Source } from '../sources/source.js'
import type { RowStage } from '../sources/stage.js'
import { type Flow, flowOf } from './flow.js'

/**
 * @param schema the columns that come out; null where they are known once the source opens
 * @param step for `explain`
 * @param load what makes the rows; `collect` runs a plan beforehand, `clock` is the job's, where it has been given one
 */
export function stagedFlow(
  before: Flow<any>,
  { label, step, schema, ...pace }: Pick<Source, 'label' | 'schema' | 'isPaced'> & { readonly step: string },
  load: (collect: (before: PlanBefore) => Promise<Table>, clock?: Clock) => Promise<RowStage>,
): Flow<any> {
  const notRun = async () => {
    throw new Error('a source that is to be settled first was opened')
  }
  // Rows that are made of those of a feed come without end as these do.
  const endless = [...before.sources.values()].some(({ isEndless }) => isEndless) && ({ isEndless: true } as const)
  const source: Source = {
    label,
    schema,
    rowCount: null,
    ...endless,
    ...pace,
    before,
    step,
    async settle(collect, run, clock) {
      const [{ stageSource }, stage] = await Promise.all([import('../sources/stage.js'), load(collect, clock)])
      return { ...stageSource(label, schema, stage, () => run(before)), ...endless }
    },
    describe: notRun,
    open: notRun,
  }
  return flowOf(source)
}
