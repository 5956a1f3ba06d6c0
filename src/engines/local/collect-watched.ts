/** `collect` whose metrics someone wants to be told: a job whose batches are put together here. A chunk of its own. */
import type { RecordBatch } from '../../columnar/record-batch.js'
import { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { RunOptions } from './options.js'
import type { BoundPlan } from './run.js'
import { startRun } from './run-job.js'
import { unreadAfter } from './unread.js'
import { startWatched } from './watch.js'

export async function collectWatched<S extends SchemaShape>(bound: BoundPlan, options: RunOptions): Promise<Table<S>> {
  let schema: SchemaShape = {}
  const job = startWatched<S>('collect', options, own =>
    startRun<S>(bound, own, 'collect', told => {
      schema = told
    }),
  )
  unreadAfter(job.finished, bound)
  const batches: RecordBatch<S>[] = []
  for await (const batch of job) batches.push(batch)
  await job.finished
  return new Table(schema as S, batches)
}
