/** Plans of several sources: what must be known of these before the plan is cut, and what is run before it. A chunk of its own; run.ts runs what is left. */
import type { RecordBatch } from '../../columnar/record-batch.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { PlanNode, SourceNode } from '../../plan/logical.js'
import { sourcesOf } from '../../plan/sources-of.js'
import type { SourceSchemas } from '../../plan/typing.js'
import { tableSource } from '../../sources/memory.js'
import type { Source } from '../../sources/source.js'
import type { RunOptions } from './options.js'
import { type BoundPlan, collect, services, settled, sourceOf } from './run.js'
import { unlessAborted } from './unless-aborted.js'

export interface Described {
  readonly sources: ReadonlyMap<number, Source>
  readonly schemas: SourceSchemas
}

/**
 * All sources of plans with their schemas. What is made of rows that are to be run first is made, once; and so is what can be read once only, where it is
 * read several times.
 */
export async function describeSources(
  { plans, sources }: { readonly plans: readonly PlanNode[]; readonly sources: BoundPlan['sources'] },
  options: RunOptions,
): Promise<Described> {
  const { signal } = options
  const nodes = plans.flatMap(sourcesOf)
  const known = new Map(sources)
  const schemas = new Map<number, SchemaShape>()
  for (const [id, reads] of countReads(nodes)) {
    let source = await settled(sourceOf(reads.node, sources), options)
    if (source.once && reads.count > 1) {
      const table = await collect({ plan: reads.node, sources: new Map([[id, source]]) }, options)
      source = { ...tableSource(table), label: source.label }
    }
    known.set(id, source)
    schemas.set(id, await unlessAborted(source.describe(services), signal))
  }
  return { sources: known, schemas: ({ id }) => schemas.get(id) ?? null }
}

function countReads(nodes: readonly SourceNode[]): Map<number, { readonly node: SourceNode; count: number }> {
  const reads = new Map<number, { readonly node: SourceNode; count: number }>()
  for (const node of nodes) {
    const before = reads.get(node.id)
    if (before === undefined) reads.set(node.id, { node, count: 1 })
    else before.count++
  }
  return reads
}

/** The rows of the sides of joins, in this thread, from which every lane is sent them all. One after another. */
export async function runSides(
  sides: readonly PlanNode[],
  sources: ReadonlyMap<number, Source>,
  options: RunOptions,
  report: (() => RunOptions['onProgress']) | undefined,
): Promise<(readonly RecordBatch[])[]> {
  const rows: (readonly RecordBatch[])[] = []
  for (const plan of sides) {
    const table = await collect({ plan, sources }, { ...options, onProgress: report?.() })
    rows.push(table.batches)
  }
  return rows
}
