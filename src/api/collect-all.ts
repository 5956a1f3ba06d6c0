/** `collectAll`: several flows at once. One alone is collected by its own `collect`. */
import type { Table } from '../columnar/table.js'
import type { RunOptions } from '../engines/local/options.js'
import type { BoundPlan } from '../engines/local/run.js'
import { quote } from '../errors.js'
import { asTheyAre } from '../sources/param-values.js'
import { Flow } from './flow.js'
import { isPlainRecord, mismatch, show } from './refusal.js'

/**
 * Runs several flows and resolves to their tables under the same names. Flows over one source read it once: what they begin with alike is run once, and its rows
 * stay in the lanes until all are done, with those columns that any of them reads.
 *
 * ```ts
 * const large = flow.filter(t => t.price.gt(10))
 * const { bySymbol, all } = await collectAll({
 *   bySymbol: large.groupBy('symbol').aggregate(() => ({ trades: count() })),
 *   all: large.aggregate(t => ({ mean: mean(t.price) })),
 * })
 * show([bySymbol, all])
 * ```
 * @throws (rejects) as `collect` does, with what fails first
 */
export async function collectAll<const F extends Readonly<Record<string, Flow<any>>>>(
  flows: F,
  options?: RunOptions,
): Promise<{ -readonly [K in keyof F]: F[K] extends Flow<infer S> ? Table<S> : never }> {
  if (!isPlainRecord(flows))
    throw mismatch('collectAll', `collectAll takes an object of names to flows, as in { a: flow }, not ${show(flows)}`)
  for (const [name, flow] of Object.entries<unknown>(flows)) {
    if (!(flow instanceof Flow)) throw mismatch('collectAll', `collectAll: ${quote(name)} is ${show(flow)}, not a flow`)
  }
  const bounds = asTheyAre<BoundPlan[]>(...Object.values(flows))
  const engine = await import('../engines/local/collect-all.js')
  const named = Object.fromEntries(Object.keys(flows).map((name, i) => [name, bounds[i] as BoundPlan]))
  return (await engine.collectAll(named, options)) as never
}
