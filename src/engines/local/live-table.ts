/**
 * `live()`: a table that follows its flow. Where the input ends it is collected, and again when a parameter in the plan changes; where the flow runs on, what it gives is folded: rows
 * are added, and those that it takes back go. A chunk of its own.
 */
import { openRows } from '../../columnar/input.js'
import { MORSEL_ROWS, type RecordBatch } from '../../columnar/record-batch.js'
import { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import { liveCut } from '../../plan/live.js'
import { sourcesOf } from '../../plan/sources-of.js'
import { asTheyAre, paramsOf } from '../../sources/param-values.js'
import type { Source } from '../../sources/source.js'
import { followSignal } from './follow-signal.js'
import { comesInTime } from './limited-job.js'
import { checkOptions, type RunOptions } from './options.js'
import { type BoundPlan, collect } from './run.js'
import { startAny } from './start-any.js'
import { unreadAfter } from './unread.js'

/** A table that follows its flow. */
export interface Live<S extends SchemaShape = any> {
  /** Resolves when there is a first table. Rejects with what the flow fails of before. */
  readonly ready: Promise<void>
  /** Resolves when the flow has ended, or been closed; where a parameter may still change it, only then. Rejects with what it failed of. */
  readonly finished: Promise<void>
  /** As it is now. @throws MillraceError `MR_CLOSED` before `ready` */
  readonly table: Table<S>
  /** Calls back with the table after it has changed, at most once a turn of the event loop, and first with what there is. Returns what ends that. */
  subscribe(take: (table: Table<S>) => void): () => void
  /** Ends the flow. The last table stays. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

interface Subscriber<S extends SchemaShape> {
  readonly take: (table: Table<S>) => void
  /** What it has been called with last. */
  told: Table<S> | null
}

const canBeReadAgain = (source: Source): boolean =>
  !source.isStream && !comesInTime(source) && [...(source.before?.sources.values() ?? [])].every(canBeReadAgain)

/** @param begun with the values that parameters had when it was called, for what follows a feed */
export function startLiveTable<S extends SchemaShape>(
  bound: BoundPlan,
  begun: BoundPlan,
  options: RunOptions = {},
): Live<S> {
  checkOptions('live', options)
  const cancel = new AbortController()
  const { signal } = options
  const unfollow = followSignal(signal, cancel)
  const own: RunOptions = { ...options, signal: cancel.signal }
  const subscribers = new Set<Subscriber<S>>()
  let current: (() => Table<S>) | null = null
  let isTelling = false
  let becomeReady: () => void = () => {}
  let fail: (error: unknown) => void = () => {}
  let end: () => void = () => {}
  const ready = new Promise<void>((resolve, reject) => {
    becomeReady = resolve
    fail = reject
  })
  const ended = new Promise<void>(resolve => {
    end = resolve
  })

  const tell = (): void => {
    isTelling = false
    try {
      for (const each of subscribers) {
        const table = (current as () => Table<S>)()
        if (each.told === table) continue
        each.told = table
        Promise.resolve(each.take(table)).catch(failLater)
      }
    } catch (error) {
      // As a subscriber of batches does, it ends what it follows; so does one that is asynchronous.
      failWith(error)
    }
  }

  const show = (table: () => Table<S>): void => {
    const isFirst = current === null
    current = table
    // Whoever waits for the first may change what comes next at once.
    if (isFirst) tell()
    becomeReady()
    if (!isFirst) tellSoon()
  }

  const tellSoon = (): void => {
    if (isTelling) return
    isTelling = true
    setTimeout(tell, 0)
  }

  let failure: { readonly error: unknown } | null = null
  function failWith(error: unknown): void {
    failure ??= { error }
    cancel.abort(error)
    fail(error)
    end()
  }

  let isOver = false
  const failLater = (error: unknown): void => {
    failWith(error)
    // Nothing else would tell of it.
    if (isOver) throw error
  }

  const isEndless = sourcesOf(bound.plan).some(({ id }) => bound.sources.get(id)?.isEndless === true)
  const params = paramsOf(bound)
  // Where the rows are there to be read again, it is what all of them come to, so that a parameter may move.
  const isAnew = params.size > 0 && [...bound.sources.values()].every(canBeReadAgain)
  const runsOn = isEndless || (!isAnew && liveCut(bound.plan, false) !== null)
  const stopListening = runsOn ? () => {} : follow()

  /** Collected anew after each change; of changes that come while it is, the last. */
  function follow(): () => void {
    let isStale = true
    let isCollecting = false
    const again = async () => {
      isStale = true
      if (isCollecting) return
      isCollecting = true
      try {
        while (isStale && !cancel.signal.aborted) {
          isStale = false
          const [now] = asTheyAre(bound)
          const table = await collect<S>(now, own, 'live')
          show(() => table)
        }
        if (params.size === 0) end()
      } catch (error) {
        if (cancel.signal.aborted && error === cancel.signal.reason && signal?.aborted !== true) end()
        else failWith(error)
      }
      isCollecting = false
    }
    const hear = () => void again()
    for (const { listeners } of params) listeners.add(hear)
    hear()
    return () => {
      for (const { listeners } of params) listeners.delete(hear)
    }
  }

  async function run(): Promise<void> {
    let rows: RowStore<S> | null = null
    const job = startAny<S>(begun, own, 'live', schema => {
      rows = createRowStore(schema as S)
    })
    const store = () => rows as RowStore<S> | null
    for await (const batch of job) {
      store()?.fold(batch)
      show(() => (rows as RowStore<S>).table())
    }
    await job.finished
    if (store() !== null) show(() => (rows as RowStore<S>).table())
  }
  if (runsOn) {
    run().then(end, error => {
      if (cancel.signal.aborted && error === cancel.signal.reason && signal?.aborted !== true) end()
      else failWith(error)
    })
  }

  const finished = ended.then(() => {
    isOver = true
    stopListening()
    unfollow()
    becomeReady()
    if (failure !== null) throw failure.error
  })
  unreadAfter(finished, bound)
  ready.catch(() => {})
  const leave = () => {
    if (runsOn) return
    if (signal?.aborted === true) failWith(signal.reason)
    else end()
  }
  cancel.signal.addEventListener('abort', leave)
  if (cancel.signal.aborted) leave()

  return {
    ready,
    finished,
    get table() {
      if (current !== null) return current()
      throw new MillraceError('MR_CLOSED', 'live: there is no table yet; await ready first')
    },
    subscribe(take) {
      const own: Subscriber<S> = { take, told: null }
      subscribers.add(own)
      if (current !== null) tellSoon()
      return () => void subscribers.delete(own)
    },
    async close() {
      cancel.abort()
      await finished.catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      cancel.abort()
      await finished.catch(() => {})
    },
  }
}

interface RowStore<S extends SchemaShape> {
  fold(batch: RecordBatch<S>): void
  table(): Table<S>
}

/** Rows by what they are: one that is taken back leaves its place, which the next that is added gets, so that a row that changes stays where it is. */
function createRowStore<S extends SchemaShape>(schema: S): RowStore<S> {
  let rows: (object | null)[] = []
  /** Places, of which the first so many have been given again: to shift each from many would take as long as there are. */
  let free: number[] = []
  let again = 0
  const places = new Map<string, number[]>()
  let made: Table<S> | null = null
  return {
    fold(batch) {
      made = null
      for (const [i, row] of batch.toRows({ bigint: true }).entries()) {
        const name = nameOf(row)
        const known = places.get(name) ?? []
        if ((batch.weights?.[i] ?? 1) < 0) {
          const place = known.pop()
          if (place === undefined) throw new Error(`a row is taken back that had not been given: ${name}`)
          if (known.length === 0) places.delete(name)
          rows[place] = null
          free.push(place)
        } else {
          const place = again < free.length ? (free[again++] as number) : rows.length
          rows[place] = row
          known.push(place)
          places.set(name, known)
        }
      }
      if (2 * again > free.length) {
        free = free.slice(again)
        again = 0
      }
      if (free.length - again > 64 && 2 * (free.length - again) > rows.length) {
        rows = rows.filter(row => row !== null)
        free = []
        again = 0
        places.clear()
        for (const [place, row] of rows.entries()) {
          const name = nameOf(row as object)
          const known = places.get(name)
          if (known === undefined) places.set(name, [place])
          else known.push(place)
        }
      }
    },
    table() {
      if (made === null) {
        const reader = openRows(
          rows.filter(row => row !== null),
          schema,
        )
        const batches: RecordBatch<S>[] = []
        for (let from = 0; from < reader.rowCount; from += MORSEL_ROWS)
          batches.push(reader.read(from, Math.min(from + MORSEL_ROWS, reader.rowCount)) as RecordBatch<S>)
        made = new Table(schema, batches)
      }
      return made
    },
  }
}

const nameOf = (row: object): string =>
  JSON.stringify(Object.values(row), (_, value) =>
    typeof value === 'bigint' ? `${value}n` : typeof value === 'number' && !Number.isFinite(value) ? `${value}` : value,
  )
