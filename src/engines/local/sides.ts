/** Plans of several sources: what must be known of these before the plan is cut, and what is run before it. A chunk of its own; run.ts runs what is left. */
import type { RecordBatch } from '../../columnar/record-batch.js'
import { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { AggregateExpression } from '../../expressions/node.js'
import { aggregateNode } from '../../plan/build.js'
import type { PlanNode, SourceNode } from '../../plan/logical.js'
import type { PhysicalPlan } from '../../plan/physical.js'
import { physicalPlan } from '../../plan/planner.js'
import { reduceSides } from '../../plan/reduced-side.js'
import { loadRowRules } from '../../plan/row-rules.js'
import { sourcesOf } from '../../plan/sources-of.js'
import { bindPlan, type SourceSchemas } from '../../plan/typing.js'
import { openBranches } from '../../sources/branches.js'
import { tableSource } from '../../sources/memory.js'
import type { Source } from '../../sources/source.js'
import type { HeldInput } from '../../workers/protocol.js'
import { ENDED, type OwnOptions, type RunOptions } from './options.js'
import { readBefore } from './read-before.js'
import {
  type BoundPlan,
  checkHeld,
  collect,
  type HeldByPool,
  type SideHeld,
  services,
  settled,
  sourceOf,
} from './run.js'
import { totalOf } from './total-progress.js'
import { unlessAborted } from './unless-aborted.js'
import { letGo } from './unread.js'

export interface Described {
  readonly sources: ReadonlyMap<number, Source>
  readonly schemas: SourceSchemas
}

/**
 * All sources of plans with their schemas. What is made of rows that are to be run first is made, once; and so is what can be read once only, where it is
 * read several times.
 * @param runsOn where rows are taken as they come: whether those of a source are, though it is read several times
 */
export async function describeSources(
  { plans, sources }: { readonly plans: readonly PlanNode[]; readonly sources: BoundPlan['sources'] },
  options: RunOptions,
  runsOn: ((source: SourceNode) => boolean) | null = null,
): Promise<Described> {
  const { signal } = options
  const nodes = plans.flatMap(sourcesOf)
  const known = new Map(sources)
  const schemas = new Map<number, SchemaShape>()
  // A stream of rows that are taken as they come may never end; text does.
  const read = await readBefore(sources.values(), options, source => runsOn === null || source.isStream === true)
  try {
    for (const [id, reads] of countReads(nodes)) {
      const given = read(sourceOf(reads.node, sources))
      let source = await settled(given, options, runsOn !== null)
      if (source.once ? reads.count > 1 && runsOn?.(reads.node) !== true : source.isStream && reads.count > 1) {
        const table = await collect({ plan: reads.node, sources: new Map([[id, source]]) }, options)
        source = { ...tableSource(table), label: source.label }
      }
      const schema = await unlessAborted(source.describe({ ...services, signal }), signal)
      schemas.set(id, schema)
      // What has been opened to be described is not to be opened for that again.
      known.set(id, { ...source, describe: async () => schema, unread: () => letGo([given]) })
    }
  } catch (error) {
    leaveAll(known)
    throw error
  }
  return { sources: known, schemas: ({ id }) => schemas.get(id) ?? null }
}

/** What sources have begun to read to be described they let go of, where no job follows. */
function leaveAll(sources: ReadonlyMap<number, Source>): void {
  for (const source of sources.values()) void source.leave?.().catch(() => {})
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

export interface Prepared {
  readonly source: Source
  readonly plan: PhysicalPlan
  /** The rows of the other sides of joins, in this thread, from which every lane is sent them all. */
  readonly sides: (readonly RecordBatch[])[]
  readonly heldSides: readonly (SideHeld | null)[]
  readonly onProgress: RunOptions['onProgress']
}

/** Runs what is to be run before, one side after another. */
export async function prepareSides(what: string, bound: BoundPlan, told: OwnOptions): Promise<Prepared> {
  // Sides are read whole, though the input ends.
  const { [ENDED]: _, ...options } = told
  const report = options.onProgress && totalOf(options.onProgress)
  const plans = { plans: [bound.plan], sources: bound.sources }
  const { sources, schemas } = await describeSources(plans, { ...told, onProgress: report?.() })
  try {
    await loadRowRules(bound.plan)
    return await prepareOver(what, bound, options, { sources, schemas }, report)
  } catch (error) {
    leaveAll(sources)
    throw error
  }
}

async function prepareOver(
  what: string,
  bound: BoundPlan,
  options: RunOptions,
  { sources, schemas }: Described,
  report: ReturnType<typeof totalOf> | undefined,
): Promise<Prepared> {
  const sourceAt = (id: number) => sources.get(id) as Source
  const main = mainSource(bound.plan)
  const said = await reduceSides(bindPlan(bound.plan, schemas), {
    rowCount: ({ id }) => countOf(sourceAt(id)),
    isShared: side => {
      const held = heldColumns(side, schemas, sourceAt)
      return held !== null && isWhere(held, main && sourceAt(main.id), options)
    },
    async count(plan) {
      const counted = aggregateNode(plan, null, [], [{ name: 'rows', expression: COUNT }])
      const table = await collect({ plan: counted, sources }, { ...options, onProgress: undefined })
      return Number(table.column('rows').at(0))
    },
  })
  const planOver = (isHeldApart: boolean) =>
    physicalPlan(said, schemas, ({ id }, before) => {
      const { held, once, rowCount } = sourceAt(id)
      // What is read from where it is may have to be read again, which no stream before it can be.
      const again = rowCount === null && !once && before.some(each => sourceAt(each.id).once)
      return held === undefined ? again : isHeldApart
    })
  const together = planOver(false)
  const isUnion = together.branches.length > 0
  const heldSource = isUnion ? unionOfHeld(together, sourceAt) : null
  // Rows that lanes hold are no splits, such as others are read by.
  const plan = isUnion && heldSource === null ? planOver(true) : together
  const source = isUnion ? heldSource : sourceAt(plan.sourceId)
  checkHeld(what, source, options)
  const ofBranches = new Set(plan.branches.flatMap(branch => ('side' in branch.source ? [branch.source.side] : [])))
  const heldSides = plan.sides.map((side, i) => {
    const held = ofBranches.has(i) ? null : heldColumns(side, schemas, sourceAt)
    return held !== null && isWhere(held, source, options) ? held : null
  })
  const tables: Table[] = []
  for (const [i, side] of plan.sides.entries()) {
    const held = heldSides[i]
    held?.rows.check(what, options)
    const run = () => collect({ plan: side, sources }, { ...options, onProgress: report?.() }, what)
    tables.push(held === null ? await run() : new Table({}, []))
  }
  return {
    source: source ?? unionOf(plan, sourceAt, tables),
    plan,
    heldSides,
    sides: tables.map(({ batches }, i) => (ofBranches.has(i) ? [] : batches)),
    onProgress: report?.(),
  }
}

const COUNT: AggregateExpression = Object.freeze({ op: 'aggregate', function: 'count', inputs: [], parameters: {} })

/** Sources whose splits are counted without reading: they are cut anew for each job. */
const IN_MEMORY: readonly string[] = ['columns', 'rows']

/** Null where it would take reading. Of input that is no good, the job tells. */
async function countOf({ label, rowCount, held, open, once, before }: Source): Promise<number | null> {
  const known = rowCount ?? (held as HeldByPool | undefined)?.rowCount ?? null
  if (known !== null || once || before !== undefined || !IN_MEMORY.includes(label)) return known
  try {
    const { splits } = await open({ columns: [], prune: null }, services)
    const count = splits.reduce((sum, split) => sum + (split.rowCount ?? Number.NaN), 0)
    return Number.isNaN(count) ? null : count
  } catch {
    return null
  }
}

/** Null where the rows are those of several, one after another. */
function mainSource(plan: PlanNode): SourceNode | null {
  if (plan.kind === 'source') return plan
  return plan.kind === 'union' ? null : mainSource(plan.input)
}

/** The columns that a side is of rows that lanes hold, where it is nothing but these. */
function heldColumns(side: PlanNode, schemas: SourceSchemas, sourceAt: (id: number) => Source): SideHeld | null {
  const { sourceId, sourceColumns, branches, scan, final } = physicalPlan(side, schemas)
  if (branches.length > 0 || final.length > 0) return null
  let columns = new Map(sourceColumns.map(name => [name, name]))
  for (const stage of scan) {
    if (stage.kind !== 'project') return null
    const projected = new Map<string, string>()
    for (const { name, expression } of stage.columns) {
      const from = expression.op === 'column' ? columns.get(expression.name) : undefined
      if (from === undefined) return null
      projected.set(name, from)
    }
    columns = projected
  }
  const rows = sourceAt(sourceId).held as HeldByPool | undefined
  return rows === undefined ? null : { rows, columns: [...columns.values()] }
}

/** Whether the lanes that hold a side are those that the job will run in. */
function isWhere({ rows }: SideHeld, source: Source | null, { engine }: RunOptions): boolean {
  const main = source?.held as HeldByPool | undefined
  if (main !== undefined) return rows.pool === main.pool
  return engine !== undefined && engine === rows.owner
}

/** Null where it is not of rows alone that the lanes of one pool hold. */
function unionOfHeld({ branches, sourceSchema }: PhysicalPlan, sourceAt: (id: number) => Source): Source | null {
  const sources = branches.map(({ source }) => ('side' in source ? null : sourceAt(source.id)))
  const tables = sources.flatMap(source => (source?.held as HeldByPool | undefined) ?? [])
  const [first] = tables
  if (tables.length < branches.length || tables.some(({ pool }) => pool !== first.pool)) return null
  const inputs: HeldInput[] = []
  const firstRows = new Map<number, number>()
  let next = 0
  for (const table of tables) {
    const firstSplit = next
    inputs.push({ table: table.tableId, firstSplit })
    // Ascending, and there may be very many.
    for (const [split, row] of table.firstRows) {
      firstRows.set(firstSplit + split, row)
      next = firstSplit + split + 1
    }
  }
  const held: HeldByPool = {
    ...first,
    inputs,
    firstRows,
    mirrors: tables.flatMap(({ mirrors }) => mirrors),
    rowCount: tables.reduce((sum, { rowCount }) => sum + rowCount, 0),
    byteLength: tables.reduce((sum, { byteLength }) => sum + byteLength, 0),
    check(what, asked) {
      for (const table of tables) table.check(what, asked)
    },
  }
  return { ...(sources[0] as Source), schema: sourceSchema, describe: async () => sourceSchema, held }
}

function unionOf(
  { branches, sourceSchema }: PhysicalPlan,
  sourceAt: (id: number) => Source,
  tables: readonly Table[],
): Source {
  const inputs = branches.map(({ source, columns, prune }) => ({
    source: 'side' in source ? tableSource(tables[source.side]) : sourceAt(source.id),
    columns,
    prune,
  }))
  return {
    label: 'union',
    schema: sourceSchema,
    rowCount: null,
    describe: async () => sourceSchema,
    open: ({ signal, clock }, given) => openBranches(inputs, signal, clock, given),
  }
}
