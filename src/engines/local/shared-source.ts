/** A source that can be read only once, read for several jobs at a time: each gets all its splits, at the pace of the slowest. `runAll` has need of it. */
import { RecordBatch } from '../../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../../columnar/schema.js'
import { MillraceError } from '../../errors.js'
import { sourceNode } from '../../plan/build.js'
import { settledOver } from '../../sources/settled-over.js'
import type { OpenRequest, OpenSource, Source, SourceServices, Split, SplitSupply } from '../../sources/source.js'
import { type RowStage, stageSource } from '../../sources/stage.js'
import type { BoundPlan } from './run.js'
import { letGo } from './unread.js'

/** Splits that may wait for a job while others have them already. */
const MOST_AHEAD = 4

/**
 * The same flows, those over one source that can be read only once, or whose rows are made in this thread, sharing it: be it theirs, or what theirs is made of. Each tells by `unread`
 * (unread.ts) that its job has ended: the others do not wait for one that has opened nothing.
 */
export function sharingSources(flows: readonly BoundPlan[]): readonly BoundPlan[] {
  const readers = readersOf(flows)
  const isShared = (source: Source): boolean => (readers.get(source)?.size ?? 0) > 1
  if (![...readers.keys()].some(isShared)) return flows
  const made = new Map<Source, Source>()
  const parts = new Map<Reader, Map<Source, Source>>()
  const sharing = (source: Source, reader: Reader): Source => {
    let own = made.get(source)
    if (own === undefined) {
      own = overShared(source)
      const count = readers.get(source)?.size ?? 0
      if (count > 1) own = own.once && !own.settle ? shareSource(own, count) : shareSettled(inBatches(own), count)
      made.set(source, own)
    }
    if (!isShared(source)) return own
    const parted = parts.get(reader) ?? new Map<Source, Source>()
    parts.set(reader, parted)
    const part = parted.get(source) ?? partOf(own)
    parted.set(source, part)
    return part
  }
  const bound = ({ plan, sources, rejectedBy = null }: BoundPlan, reader: Reader): BoundPlan => {
    checkShared(sources, isShared)
    return { plan, rejectedBy, sources: new Map([...sources].map(([id, source]) => [id, sharing(source, reader)])) }
  }
  /** One whose rows are made of such that are shared. */
  function overShared(source: Source): Source {
    const { before, settle } = source
    if (!before || !settle || firstShared(before.sources, isShared).size === 0) return source
    const [only] = readers.get(source) as ReadonlySet<Reader>
    const over = (plan: BoundPlan) => bound(plan, isShared(source) ? source : (only as Reader))
    return { ...settledOver(source, over), before: over(before) }
  }
  return flows.map(bound)
}

/** A flow, by its place, for it may be there more than once; or what is made of a source for several. */
type Reader = number | Source

/**
 * Of each source that can be read only once, or is made of a plan's rows, the flows that read it, by themselves or by what theirs are made of. What is made of it for several
 * flows reads it once, for all of these.
 */
function readersOf(flows: readonly BoundPlan[]): ReadonlyMap<Source, ReadonlySet<Reader>> {
  /** Flows, and sources that are made of it. */
  const inside = new Map<Source, Reader[]>()
  const note = (sources: BoundPlan['sources'], reader: Reader): void => {
    for (const source of sources.values()) {
      if (!source.once && !source.settle && !source.isStream) continue
      const known = inside.get(source)
      if (known !== undefined) known.push(reader)
      else {
        inside.set(source, [reader])
        if (source.before) note(source.before.sources, source)
      }
    }
  }
  for (const [i, { sources }] of flows.entries()) note(sources, i)
  const found = new Map<Source, ReadonlySet<Reader>>()
  const readers = (source: Source): ReadonlySet<Reader> => {
    let own = found.get(source)
    if (own === undefined) {
      own = new Set(
        (inside.get(source) as Reader[]).flatMap(reader => {
          if (typeof reader === 'number') return [reader]
          const through = readers(reader)
          return through.size > 1 ? [reader] : [...through]
        }),
      )
      found.set(source, own)
    }
    return own
  }
  for (const source of inside.keys()) readers(source)
  return found
}

/** The shared sources that these are, or are made of without another between. */
function firstShared(sources: BoundPlan['sources'], isShared: (source: Source) => boolean): Set<Source> {
  const found = new Set<Source>()
  for (const source of sources.values()) {
    if (isShared(source)) found.add(source)
    else if (source.before) for (const each of firstShared(source.before.sources, isShared)) found.add(each)
  }
  return found
}

/** One flow could wait for the first while another, which waits for the second, keeps it from coming. @throws MillraceError `MR_INVALID_OPTION` */
function checkShared(sources: BoundPlan['sources'], isShared: (source: Source) => boolean): void {
  if (firstShared(sources, isShared).size > 1)
    throw new MillraceError(
      'MR_INVALID_OPTION',
      'flows that are run together share more than one stream, which each can be read once only; collect or load one of these first',
    )
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
  let left = 0
  return {
    ...source,
    settle(collect, run, clock) {
      settling ??= (source.settle as Required<Source>['settle'])(collect, run, clock).then(settled => {
        if (!settled.once) return settled
        const shared = shareSource({ ...settled, unread: () => letGo([source]) }, count)
        for (let i = 0; i < left; i++) shared.unread?.()
        return shared
      })
      return settling
    },
    unread() {
      left++
      if (settling !== null) settling.then(shared => shared.unread?.()).catch(() => {})
      else if (left === count) letGo([source])
    },
  }
}

/** Opened once all `count` jobs have asked or ended (`unread`), for the columns that any of them reads. */
function shareSource(source: Source, count: number): Source {
  const asked: (OpenRequest | null)[] = []
  let given: SourceServices | null = null
  let openAll: (services: SourceServices) => void = () => {}
  const supplies = new Promise<SourceServices>(resolve => {
    openAll = resolve
  }).then(async services => {
    const requests = asked.filter(request => request !== null)
    const columns = Object.keys(await source.describe(services)).filter(name =>
      requests.some(request => request.columns.includes(name)),
    )
    const { signal, clock } = requests[0] as OpenRequest
    const { rest } = await source.open({ columns, prune: null, signal, clock }, services)
    const own = split(rest as SplitSupply, count)
    for (const [i, request] of asked.entries()) if (request === null) void own[i].close()
    return own
  })
  const ask = (request: OpenRequest | null): number => {
    const place = asked.push(request) - 1
    if (asked.length === count) {
      if (given !== null) openAll(given)
      else {
        source.unread?.()
        void source.leave?.()
      }
    }
    return place
  }
  return {
    ...source,
    unread: () => void ask(null),
    // What others read.
    leave: async () => {},
    async open(request, services): Promise<OpenSource> {
      given = services
      const place = ask(request)
      const own = (await supplies)[place]
      return {
        splits: [],
        rest: {
          next: async () => narrowed(await own.next(), request.columns),
          close: () => own.close(),
          counts: () => own.counts?.() ?? [],
          nodes: () => own.nodes?.() ?? [],
          finish: own.finish,
        },
      }
    },
  }
}

/** A shared source as one of its readers has it, which opens it or is over, once. */
function partOf(shared: Source): Source {
  let isTold = false
  const opening =
    (source: Source): Source['open'] =>
    async (request, services) => {
      if (isTold) throw readAlready(source)
      isTold = true
      return source.open(request, services)
    }
  const { settle } = shared
  const unread = () => {
    if (!isTold) shared.unread?.()
    isTold = true
  }
  return {
    ...shared,
    open: opening(shared),
    ...(settle && {
      async settle(collect, run, clock) {
        const settled = await settle(collect, run, clock)
        return settled.once ? { ...settled, open: opening(settled), unread } : settled
      },
    }),
    unread,
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
    nodes: () => rest.nodes?.() ?? [],
    // All that share it are stopped together.
    finish: rest.finish && (() => rest.finish?.()),
    async close() {
      queues[i] = null
      turn()
      if (ended || queues.some(queue => queue !== null)) return
      ended = true
      await rest.close()
    },
  }))
}
