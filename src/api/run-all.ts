/** `runAll`: several flows into several sinks, as one job. One alone goes by its own `to`; `collectAll` gives tables. */
import type { SchemaShape } from '../columnar/type.js'
import { lateJob } from '../engines/local/late-job.js'
import type { RunOptions } from '../engines/local/options.js'
import type { BoundPlan } from '../engines/local/run.js'
import type { Job } from '../engines/local/run-job.js'
import { quote } from '../errors.js'
import { asTheyAre } from '../sources/param-values.js'
import { Flow, type SinkInput } from './flow.js'
import { invalid, isPlainRecord, mismatch, show } from './refusal.js'

type SchemaOf<F> = F extends Flow<infer S> ? S : SchemaShape

/**
 * Runs several flows into the sinks of the same names, side by side, as one job. Each reads its source for itself, as fast as its own sink takes what comes, but for a `stream`, or text that
 * comes as one, which can be read only once: flows over one read it together, at the pace of the slowest sink.
 *
 * All sinks have all rows before any shows them, so files are there together or not at all. The first failure ends all flows, and `finished` rejects with it; `stop()` ends all
 * inputs. `memory` is shared equally, `onProgress` and `metrics()` tell sums.
 *
 * ```ts
 * const bought = flow.filter(t => t.isBuy)
 * const job = runAll(
 *   { rows: bought, totals: bought.groupBy('symbol').aggregate(t => ({ volume: sum(t.size) })) },
 *   { rows: csvSink('rows.csv'), totals: batch => show(batch) },
 * )
 * await job.finished
 * ```
 * @throws (`finished` rejects) as `to` does
 */
export function runAll<const F extends Readonly<Record<string, Flow<any>>>>(
  flows: F,
  sinks: { readonly [K in keyof F]: SinkInput<SchemaOf<F[K]>> },
  options?: RunOptions,
): Job {
  return lateJob(async () => {
    checkFlows(flows, sinks)
    const bounds = asTheyAre<BoundPlan[]>(...Object.values(flows))
    const deliveries = Object.keys(flows).map((name, i) => ({ flow: bounds[i] as BoundPlan, sink: sinks[name] }))
    return (await import('../engines/local/deliver.js')).startDelivery('runAll', deliveries, options)
  }, false)
}

function checkFlows(flows: unknown, sinks: unknown): void {
  const record = (value: unknown, what: string) => {
    if (!isPlainRecord(value))
      throw mismatch(
        'runAll',
        `runAll takes objects of flows and of sinks, as in { a: flow }, { a: sink }; the ${what} are ${show(value)}`,
      )
    return value
  }
  const [givenFlows, givenSinks] = [record(flows, 'flows'), record(sinks, 'sinks')]
  for (const [name, flow] of Object.entries(givenFlows)) {
    if (!(flow instanceof Flow)) throw mismatch('runAll', `runAll: ${quote(name)} is ${show(flow)}, not a flow`)
    if (!Object.hasOwn(givenSinks, name)) throw invalid('runAll', `there is no sink for the flow ${quote(name)}`)
  }
  for (const name of Object.keys(givenSinks))
    if (!Object.hasOwn(givenFlows, name)) throw invalid('runAll', `there is no flow for the sink ${quote(name)}`)
}
