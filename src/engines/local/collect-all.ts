/**
 * `collectAll()`: several flows, of which those over one source share what they begin with. It is run once, its rows stay in the lanes, and each flow goes on
 * from there. A chunk of its own; the terminals are run.ts's.
 */
import type { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import { canFail } from '../../expressions/failure.js'
import { fingerprint } from '../../expressions/walk.js'
import { columnOf, projectNode, sourceNode } from '../../plan/build.js'
import type { PlanNode, SourceNode } from '../../plan/logical.js'
import { physicalPlan, withoutEventTime } from '../../plan/planner.js'
import { loadRowRules } from '../../plan/row-rules.js'
import { anyCanFail, overInput } from '../../plan/rules/rewrite.js'
import { unpivotInput } from '../../plan/shape.js'
import { sourcesOf } from '../../plan/sources-of.js'
import { bindPlan, boundSchemaOf } from '../../plan/typing.js'
import type { Source } from '../../sources/source.js'
import { load } from './load.js'
import { checkOptions, type RunOptions } from './options.js'
import { readBefore } from './read-before.js'
import { type BoundPlan, collect, heldSource, onlySource, services, settled } from './run.js'
import type { Described } from './sides.js'
import { totalOf } from './total-progress.js'
import { unlessAborted } from './unless-aborted.js'
import { unreadAfter } from './unread.js'

/** The rows of each flow under its name. One after another, so that only what is shared is held at a time. @throws as `collect` does */
export function collectAll(
  flows: Readonly<Record<string, BoundPlan>>,
  options?: RunOptions,
): Promise<Record<string, Table>> {
  const tables = collectEach(flows, options)
  for (const flow of Object.values(flows)) unreadAfter(tables, flow)
  return tables
}

async function collectEach(
  flows: Readonly<Record<string, BoundPlan>>,
  options: RunOptions = {},
): Promise<Record<string, Table>> {
  checkOptions('collectAll', options)
  options.signal?.throwIfAborted()
  const read = await readBefore(
    Object.values(flows).flatMap(({ sources }) => [...sources.values()]),
    options,
  )
  const bound = new Map(
    Object.entries(flows).map(([name, flow]) => [
      name,
      { ...flow, sources: new Map([...flow.sources].map(([id, source]) => [id, read(source)])) },
    ]),
  )
  const bySource = new Map<Source, string[]>()
  for (const [name, flow] of bound) {
    const source = onlySource(flow)
    bySource.set(source, [...(bySource.get(source) ?? []), name])
  }
  const report = options.onProgress && totalOf(options.onProgress)
  const tables = new Map<string, Table>()
  for (const [source, names] of bySource) {
    const group = names.map(name => bound.get(name) as BoundPlan)
    const results = await collectGroup(source, group, { ...options, onProgress: report?.() })
    for (const [i, name] of names.entries()) tables.set(name, results[i])
  }
  return Object.fromEntries(Object.keys(flows).map(name => [name, tables.get(name) as Table]))
}

/** Flows over one source, in their order. */
async function collectGroup(given: Source, flows: readonly BoundPlan[], options: RunOptions): Promise<Table[]> {
  const source = await settled(given, options)
  if (source !== given) {
    const over = flows.map(({ plan, sources }) => ({
      plan,
      sources: new Map([...sources, [firstOf(plan).id, source] as const]),
    }))
    return collectGroup(source, over, { ...options, onProgress: undefined })
  }
  const tables: Table[] = []
  const apart = async (each: readonly BoundPlan[], how: RunOptions) => {
    for (const flow of each) tables.push(await collect(flow, how))
    return tables
  }
  if (flows.length === 1) return apart(flows, options)
  const { signal, memory } = options
  const all = new Map(flows.flatMap(({ sources }) => [...sources]))
  const described = await describeAll(source, flows, all, options)
  for (const { plan } of flows) await loadRowRules(plan)
  const chains = flows.map(({ plan }) => chainOf(withoutEventTime(bindPlan(plan, described.schemas))))
  const length = sharedLength(chains)
  // Rows that the lanes hold already are not held twice.
  if (length === 1 && source.held !== undefined) return apart(flows, options)
  const shared = chains[0][length - 1]
  const sharedSchema = boundSchemaOf(shared)
  const label = length === 1 ? source.label : `what the flows share of ${source.label}`
  // Its id is no source's: the other side of a join may read the source itself.
  const start = sourceNode(SHARED, label, sharedSchema)
  const rests = chains.map(chain => chain.slice(length).reduce<PlanNode>((input, node) => overNode(node, input), start))
  const held = await load({ plan: narrowed(shared, sharedSchema, rests), sources: described.sources }, options)
  try {
    const sources = new Map([...described.sources, [start.id, heldSource(held, label)] as const])
    return await apart(
      rests.map(plan => ({ plan, sources })),
      { signal, memory },
    )
  } finally {
    await held.close()
  }
}

const SHARED = -1

const firstOf = (plan: PlanNode): SourceNode => (plan.kind === 'source' ? plan : firstOf(plan.input))

/** Flows of one source each have but that, which is then not opened to be described again: it may be read once only. */
async function describeAll(
  source: Source,
  flows: readonly BoundPlan[],
  all: BoundPlan['sources'],
  options: RunOptions,
): Promise<Described> {
  const several = flows.find(({ plan }) => sourcesOf(plan).length > 1)
  if (several === undefined) {
    const { signal } = options
    const schema = await unlessAborted(source.describe({ ...services, signal }), signal)
    const known = { ...source, describe: async () => schema }
    return { sources: new Map([...all].map(([id, each]) => [id, each === source ? known : each])), schemas: schema }
  }
  const { describeSources } = await import('./sides.js')
  return describeSources({ plans: flows.map(({ plan }) => plan), sources: all }, { ...options, onProgress: undefined })
}

/** From the source up. */
function chainOf(plan: PlanNode): PlanNode[] {
  return plan.kind === 'source' ? [plan] : [...chainOf(plan.input), plan]
}

const overNode = (node: PlanNode, input: PlanNode): PlanNode =>
  node.kind === 'source' ? input : overInput(node, input)

/**
 * How many nodes all the (bound) chains begin with. What is shared meets all its rows, where a flow by itself may end early: so a node that can fail on a row
 * is shared only below one that needs all rows anyway. Nor is a sort shared of which some flow needs only the first rows.
 */
function sharedLength(chains: readonly (readonly PlanNode[])[]): number {
  const [first, ...others] = chains
  const isCommon = (node: PlanNode, i: number) =>
    others.every(chain => chain[i] !== undefined && isSame(node, chain[i]))
  const differs = first.findIndex((node, i) => !isCommon(node, i))
  let length = 1
  let mayFail = false
  for (let i = 1; i < (differs < 0 ? first.length : differs); i++) {
    const node = first[i]
    mayFail = needsAll(node) ? false : mayFail || nodeCanFail(node)
    if (!mayFail) length = i + 1
  }
  while (first[length - 1].kind === 'sort' && chains.some(chain => chain[length]?.kind === 'limit')) length--
  return length
}

const needsAll = ({ kind }: PlanNode): boolean =>
  kind === 'aggregate' || kind === 'sort' || kind === 'sample' || kind === 'over'

function nodeCanFail(node: PlanNode): boolean {
  if (node.kind === 'user') return true
  if (node.kind === 'project') return anyCanFail(node.columns, boundSchemaOf(node.input))
  // Instants may leave the range of a finer unit.
  if (node.kind === 'unpivot')
    return anyCanFail(unpivotInput(node, boundSchemaOf(node.input)), boundSchemaOf(node.input))
  return node.kind === 'filter' && canFail(node.predicate, boundSchemaOf(node.input))
}

function isSame(a: PlanNode, b: PlanNode): boolean {
  const own = (node: PlanNode) => fingerprint({ ...node, input: null })
  return a.kind === b.kind && own(a) === own(b)
}

/** Of what is shared; null: all of them. */
function columnsRead(plan: PlanNode): readonly string[] | null {
  const { branches, sourceColumns } = physicalPlan(plan)
  if (branches.length === 0) return sourceColumns
  const own = branches.find(({ source }) => 'id' in source && source.id === SHARED)
  return own === undefined ? null : own.columns
}

/** `shared` with the columns that any of `rests` reads; one where they only count rows. */
function narrowed(shared: PlanNode, schema: SchemaShape, rests: readonly PlanNode[]): PlanNode {
  const names = Object.keys(schema)
  const read = new Set(rests.flatMap(plan => columnsRead(plan) ?? names))
  const kept = read.size === 0 ? names.slice(0, 1) : names.filter(name => read.has(name))
  if (kept.length === names.length) return shared
  return projectNode(
    shared,
    'select',
    kept.map(name => ({ name, expression: columnOf(name) })),
  )
}
