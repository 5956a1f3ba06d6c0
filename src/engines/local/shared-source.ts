/** A source that can be read only once, read for several jobs at a time: each gets all its splits, at the pace of the slowest. `runAll` has need of it. */
import { RecordBatch } from '../../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../../columnar/schema.js'
import { MillraceError } from '../../errors.js'
import { sourceNode } from '../../plan/build.js'
import type { OpenRequest, OpenSource, Source, SourceServices, Split, SplitSupply } from '../../sources/source.js'
import { type RowStage, stageSource } from '../../sources/stage.js'
import { inPlaceOf, rootsOf } from './read-before.js'
import type { BoundPlan } from './run.js'

/** Splits that may wait for a job while others have them already. */
const MOST_AHEAD = 4

/** The same flows, those over one source that can be read only once, or whose rows are made in this thread, sharing it. */
export function sharingSources(flows: readonly BoundPlan[]): readonly BoundPlan[] {
  const counts = new Map<Source, number>()
  for (const { sources } of flows)
    for (const source of sources.values())
      if (source.once || source.settle || source.isStream) counts.set(source, (counts.get(source) ?? 0) + 1)
  const roots = new Map<Source, Source>()
  for (const [root, count] of countsBelow(flows)) counts.set(root, count)
  for (const [source, count] of counts)
    if (count > 1 && !source.settle)
      roots.set(source, source.once ? shareSource(source, count) : shareSettled(inBatches(source), count))
  const inPlace = inPlaceOf(roots)
  const shared = new Map<Source, Source>()
  for (const source of new Set(flows.flatMap(({ sources }) => [...sources.values()]))) {
    const count = counts.get(source) ?? 0
    if (source.settle && count > 1) shared.set(source, shareSettled(inPlace(source), count))
    else if (rootsOf(source).some(root => roots.has(root))) shared.set(source, inPlace(source))
  }
  if (shared.size === 0) return flows
  // One flow could wait for the first while another, which waits for the second, keeps it from coming.
  if (flows.some(({ sources }) => [...sources.values()].filter(source => shared.has(source)).length > 1)) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      'flows that are run together share more than one stream, which each can be read once only; collect or load one of these first',
    )
  }
  return flows.map(({ plan, sources, rejectedBy = null }) => ({
    plan,
    rejectedBy,
    sources: new Map([...sources].map(([id, source]) => [id, shared.get(source) ?? source])),
  }))
}

/** Of what can be read only once, also below stages: by how many it is, if no flow reads it twice. */
function countsBelow(flows: readonly BoundPlan[]): Map<Source, number> {
  const readers = new Map<Source, Set<object>>()
  const apart = new Set<Source>()
  for (const { sources } of flows) {
    const flow = {}
    const seen = new Set<Source>()
    for (const source of new Set(sources.values())) {
      for (const root of rootsOf(source)) {
        if (!root.once && !root.isStream) continue
        // A stage that several flows have is run once.
        readers.set(root, (readers.get(root) ?? new Set()).add(source === root ? flow : source))
        // One reader would wait for the other.
        if (seen.has(root)) apart.add(root)
        seen.add(root)
      }
    }
  }
  return new Map([...readers].filter(([root]) => !apart.has(root)).map(([root, of]) => [root, of.size]))
}

/** Text that comes as a stream is read by a job of its own, whose rows the others share. */
const inBatches = (source: Source): Source =>
  source.isStream
    ? {
        ...source,
        settle: async (_, run) => {
          const plan = sourceNode(0, source.label, source.schema)
          return stageSource(source.label, source.schema, AS_THEY_COME, () =>
            run({ plan, sources: new Map([[0, source]]) }),
          )
        },
      }
    : source

const AS_THEY_COME: RowStage = { output: input => input, run: batches => batches }

/** What comes before is run once, for all. */
function shareSettled(source: Source, count: number): Source {
  let settling: Promise<Source> | null = null
  return {
    ...source,
    settle(collect, run, clock) {
      settling ??= (source.settle as Required<Source>['settle'])(collect, run, clock).then(settled =>
        settled.once ? shareSource(settled, count) : settled,
      )
      return settling
    },
  }
}

/** Opened once all `count` jobs have asked, for the columns that any of them reads. */
function shareSource(source: Source, count: number): Source {
  const asked: OpenRequest[] = []
  let openAll: (services: SourceServices) => void = () => {}
  const supplies = new Promise<SourceServices>(resolve => {
    openAll = resolve
  }).then(async services => {
    const columns = Object.keys(await source.describe(services)).filter(name =>
      asked.some(request => request.columns.includes(name)),
    )
    const { rest } = await source.open(
      { columns, prune: null, signal: asked[0].signal, clock: asked[0].clock },
      services,
    )
    return split(rest as SplitSupply, count)
  })
  return {
    ...source,
    async open(request, services): Promise<OpenSource> {
      const place = asked.push(request) - 1
      if (place >= count) throw readAlready(source)
      if (asked.length === count) openAll(services)
      const own = (await supplies)[place]
      return {
        splits: [],
        rest: {
          next: async () => narrowed(await own.next(), request.columns),
          close: () => own.close(),
          counts: () => own.counts?.() ?? [],
        },
      }
    },
  }
}

const readAlready = ({ label }: Source) =>
  new MillraceError(
    'MR_SOURCE_CONSUMED',
    `${label}: a flow reads it a second time while others read it too, and it can be read once only; collect or load it first`,
  )

/** A split with these columns alone. */
function narrowed(split: Split | null, columns: readonly string[]): Split | null {
  if (split === null || split.work.kind !== 'batches') return split
  const { batches } = split.work
  const narrow = (batch: RecordBatch): RecordBatch => {
    const fields = fieldsOf(batch.schema)
    const places = columns.map(name => fields.findIndex(field => field.name === name))
    const schema = schemaOf(places.map(place => fields[place]))
    return new RecordBatch(
      schema,
      places.map(place => batch.vectors[place]),
      batch.rowCount,
    )
  }
  return { ...split, work: { kind: 'batches', batches: () => batches().map(narrow) } }
}

/** Supplies that all give what `rest` gives. */
function split(rest: SplitSupply, count: number): readonly SplitSupply[] {
  const queues: (Split[] | null)[] = Array.from({ length: count }, () => [])
  let ended = false
  let failure: { readonly error: unknown } | null = null
  let pulling = false
  let change = () => {}
  let changed = Promise.resolve()
  const turn = () => {
    change()
    changed = new Promise(resolve => {
      change = resolve
    })
  }
  turn()

  const pull = async () => {
    pulling = true
    try {
      const next = await rest.next()
      if (next === null) ended = true
      else for (const queue of queues) queue?.push(next)
    } catch (error) {
      failure = { error }
    }
    pulling = false
    turn()
  }

  return queues.map((_, i) => ({
    async next() {
      while (true) {
        const own = queues[i]
        if (own === null) return null
        const next = own.shift()
        if (next !== undefined) {
          turn()
          return next
        }
        // After what came before it.
        if (failure !== null) throw failure.error
        if (ended) return null
        if (!pulling && queues.every(queue => queue === null || queue.length < MOST_AHEAD)) void pull()
        await changed
      }
    },
    counts: () => rest.counts?.() ?? [],
    async close() {
      queues[i] = null
      turn()
      if (ended || queues.some(queue => queue !== null)) return
      ended = true
      await rest.close()
    },
  }))
}
