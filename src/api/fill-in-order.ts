/** `fillNull` by methods, once a job runs: what is asked before, and the stage that fills. */
import type { Table } from '../columnar/table.js'
import { aggregateNode, columnOf } from '../plan/build.js'
import type { NamedAggregate } from '../plan/logical.js'
import { type Filling, fillStage } from '../sources/fill-nulls.js'
import type { FillMethod } from '../sources/filled-schema.js'
import type { PlanBefore } from '../sources/source.js'
import type { Flow } from './flow.js'

export async function fillInOrder(
  flow: Flow<any>,
  methods: ReadonlyMap<string, FillMethod>,
  collect: (before: PlanBefore) => Promise<Table>,
): Promise<ReturnType<typeof fillStage>> {
  const means = await meansOf(flow, methods, collect)
  return fillStage(
    new Map(
      [...methods].map(([name, method]): [string, Filling] => [
        name,
        method === 'mean' ? { method, mean: means.get(name) ?? null } : { method },
      ]),
    ),
  )
}

/** The means have to be known before the first row is: the source is read once for them alone. */
async function meansOf(
  { plan, schema, sources }: Flow<any>,
  methods: ReadonlyMap<string, FillMethod>,
  collect: (before: PlanBefore) => Promise<Table>,
): Promise<ReadonlyMap<string, number | null>> {
  const names = [...methods.keys()].filter(name => methods.get(name) === 'mean')
  if (names.length === 0) return new Map()
  const means = names.map(
    (name, i): NamedAggregate => ({
      name: `#${i}`,
      expression: { op: 'aggregate', function: 'mean', inputs: [columnOf(name)] },
    }),
  )
  const table = await collect({ plan: aggregateNode(plan, schema, [], means, null, 'fillNull'), sources })
  return new Map(names.map((name, i) => [name, table.column(`#${i}`).at(0) as number | null]))
}
