/**
 * Rows that are pushed, until lanes want them: a queue with a bound, checked against a schema as they come. A channel (api/live.ts) is one in the hands of a user; every
 * source that listens to something (feed.ts) has one too.
 *
 * ```
 * batches   [ taken | skip.. head ][ batch ][ batch ] ...     columns and batches, and rows that have been closed
 * open      a row writer                                      rows as objects, the youngest
 * ```
 */
import { hearPromises, isRow, notARow } from '../../columnar/infer.js'
import { MORSEL_ROWS, morselsOf, RecordBatch } from '../../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../../columnar/schema.js'
import { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import { stopwatch } from '../../metrics/clock.js'
import { columnsTeller, givenBatches } from '../given-columns.js'
import { heardAfter } from '../heard.js'
import { coalescedWork } from '../memory.js'
import { soon } from '../soon.js'
import type { Split, SplitSupply } from '../source.js'
import { batchesOf } from '../stream.js'
import { type Arrivals, createArrivals } from './arrivals.js'
import { createRowWriter } from './row-writer.js'

/** What becomes of rows that come while the queue has `capacity`. */
export type WhenFull = 'block' | 'dropOldest' | 'dropNewest' | 'error'

export interface QueueOptions {
  /** Rows. */
  readonly capacity: number
  readonly whenFull: WhenFull
}

export interface RowQueue {
  /**
   * Takes a row, an array of rows, columns, a batch or a table: all of it, or, where it throws, nothing. Typed arrays are copied.
   * The promise resolves once no more rows wait than the capacity, at once where there is room, and also when nobody reads any more; it never rejects.
   * @throws MillraceError what the rows call for; `MR_CHANNEL_FULL`; `MR_CLOSED`
   */
  push(data: unknown): Promise<void>
  /** Whether an object is columns, a batch or a table, and no row. */
  isColumns(data: object): boolean
  /** No more comes; with an error, the rows before it are still read. Idempotent: the first counts. */
  close(error?: unknown): void
  /** Rows that came and fitted the schema, also those that the policy has left out. */
  readonly rows: number
  /** Rows that the policy has left out. */
  readonly dropped: number
  /** Rows that wait. */
  readonly waiting: number
  readonly isClosed: boolean
  /** Given what a listener gave back: the end waits for one that is asynchronous, and what it rejects with is the end, as an error is that it is closed with. */
  hear(heard: unknown): void
  /** For one reader. @param now what rows are told to have come by (metrics/clock.ts) */
  supply(columns: readonly string[], now?: () => number): SplitSupply
}

/** Fewer rows than these wait a turn for more, so that a split is worth its message. */
const FEW_ROWS = 8192

const ROOM: Promise<void> = Promise.resolve()

export function createQueue(schema: SchemaShape, { capacity, whenFull }: QueueOptions, operator: string): RowQueue {
  const fields = fieldsOf(schema)
  const open = createRowWriter(schema, operator)
  const isColumns = columnsTeller(schema)

  const batches: (RecordBatch | null)[] = []
  let head = 0
  let skip = 0
  let waiting = 0
  let dropped = 0
  /** Rows that came before those that wait, taken or left out. */
  let gone = 0
  let droppedOldest = 0
  let arrivals: Arrivals | null = null
  let end: { readonly error: unknown } | null = null
  let isLeft = false
  let isFinished = false
  let heard = Promise.resolve()
  let wake: (() => void) | null = null
  let room: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  const told = (error: unknown): unknown => {
    if (!(error instanceof MillraceError)) return error
    const text = error.message.slice(error.code.length + 2).replace(/^(rows|columns): /, `${operator}: `)
    return new MillraceError(error.code, text, { ...error.details, operator }, error.cause)
  }

  const closeOpen = (): void => {
    if (open.length > 0) batches.push(open.finish())
  }

  const appended = (data: object): readonly RecordBatch[] => {
    if (isRead(data)) return batchesOf(data, schema, schema, operator)
    try {
      return [...givenBatches(data, schema)]
    } catch (error) {
      throw told(error)
    }
  }

  /** Leaves out the oldest rows. */
  const dropOldest = (count: number): void => {
    dropped += count
    droppedOldest += count
    gone += count
    waiting -= count
    while (count > 0) {
      if (head === batches.length) closeOpen()
      const left = (batches[head] as RecordBatch).rowCount - skip
      if (count < left) {
        skip += count
        return
      }
      count -= left
      pass()
    }
  }

  /** The head has been read. */
  const pass = (): void => {
    batches[head++] = null
    skip = 0
    if (head === batches.length || head >= 1024) {
      batches.splice(0, head)
      head = 0
    }
  }

  const full = (count: number): MillraceError =>
    new MillraceError(
      'MR_CHANNEL_FULL',
      `${operator}: ${waiting} rows wait, and ${count} more are beyond its capacity of ${capacity}; read faster, raise { capacity }, or say by { whenFull } what may be left out`,
      { operator, capacity },
    )

  /** Rows that may be added of so many. @throws MillraceError `MR_CHANNEL_FULL` */
  const admitted = (count: number, openBefore: number): number => {
    if (waiting + count <= capacity || whenFull === 'block' || whenFull === 'dropOldest') return count
    const most = whenFull === 'error' ? 0 : Math.max(0, capacity - waiting)
    if (open.length > openBefore + most) open.truncate(openBefore + most)
    if (whenFull === 'error') throw full(count)
    return most
  }

  /** After `count` rows have been added, of `given`. */
  const settled = (count: number, given: number): Promise<void> => {
    dropped += given - count
    if (count > 0) arrivals?.note(gone + waiting, count, waiting === 0)
    waiting += count
    if (open.length >= MORSEL_ROWS) closeOpen()
    if (waiting > capacity && whenFull === 'dropOldest') dropOldest(waiting - capacity)
    if (wake !== null && waiting > 0) {
      const waker = wake
      wake = null
      waker()
    }
    if (waiting <= capacity) return ROOM
    if (room === null) {
      let resolve = () => {}
      const promise = new Promise<void>(settle => {
        resolve = settle
      })
      room = { promise, resolve }
    }
    return room.promise
  }

  const makeRoom = (): void => {
    if (room === null || (waiting > capacity && !isLeft)) return
    const { resolve } = room
    room = null
    resolve()
  }

  const pushColumns = (data: object): Promise<void> => {
    const read = appended(data)
    const given = read.reduce((sum, batch) => sum + batch.rowCount, 0)
    const count = admitted(given, open.length)
    closeOpen()
    let left = count
    for (const batch of read) {
      if (left <= 0) break
      for (const morsel of morselsOf(left < batch.rowCount ? batch.slice(0, left) : batch)) batches.push(morsel)
      left -= batch.rowCount
    }
    return settled(count, given)
  }

  /** Up to a morsel of rows, or one batch. */
  const take = (): RecordBatch[] => {
    if (head === batches.length || waiting - open.length < FEW_ROWS) closeOpen()
    const taken: RecordBatch[] = []
    let rowCount = 0
    while (head < batches.length) {
      const batch = batches[head] as RecordBatch
      if (rowCount > 0 && rowCount + batch.rowCount - skip > MORSEL_ROWS) break
      rowCount += batch.rowCount - skip
      taken.push(skip === 0 ? batch : batch.slice(skip, batch.rowCount))
      pass()
    }
    waiting -= rowCount
    gone += rowCount
    makeRoom()
    return taken
  }

  const endWith = (error: unknown): void => {
    end = { error }
    wake?.()
    wake = null
  }

  const close = (error?: unknown): void => {
    if (end === null) endWith(error)
  }

  return {
    get rows() {
      return gone + waiting + (dropped - droppedOldest)
    },
    get dropped() {
      return dropped
    },
    get waiting() {
      return waiting
    },
    get isClosed() {
      return end !== null || isLeft
    },
    push(data) {
      if (end !== null || isLeft) {
        throw new MillraceError(
          'MR_CLOSED',
          isLeft || isFinished
            ? `${operator}: the job that read it has ended, so nothing can be pushed any more`
            : `${operator}: it has been closed, so nothing can be pushed any more`,
          { operator },
        )
      }
      if (Array.isArray(data)) {
        const given = data.length
        const before = open.length
        try {
          open.appendAll(data)
        } catch (error) {
          hearPromises(data)
          throw told(error)
        }
        return settled(admitted(given, before), given)
      }
      if (!isRow(data)) throw told(notARow([data], 0))
      if (isObject(firstValue(data)) && (isRead(data) || isColumns(data))) return pushColumns(data)
      try {
        open.append(data)
      } catch (error) {
        // Something else stood before the columns.
        if (isColumns(data)) return pushColumns(data)
        throw error
      }
      return settled(admitted(1, open.length - 1), 1)
    },
    isColumns: data => isRead(data) || isColumns(data),
    close,
    hear(told) {
      heard = heardAfter(
        heard,
        () => told,
        error => endWith(end?.error ?? error),
      )
    },
    supply(columns, now = stopwatch(undefined)) {
      const since = createArrivals(now)
      arrivals = since
      const output = schemaOf(columns.map(name => ({ name, type: schema[name] })))
      const places = columns.map(name => fields.findIndex(field => field.name === name))
      let firstRow = 0
      return {
        async next(): Promise<Split | null> {
          do {
            while (waiting === 0 && end === null && !isLeft) {
              await new Promise<void>(resolve => {
                wake = resolve
              })
            }
            if (waiting > 0 && waiting < FEW_ROWS && end === null) await soon()
            if (isLeft) return null
          } while (waiting === 0 && end === null)
          if (waiting === 0) {
            await heard
            if (end?.error !== undefined) throw end.error
            return null
          }
          const arrivedAt = since.of(gone)
          const taken = take()
          const rowCount = taken.reduce((sum, batch) => sum + batch.rowCount, 0)
          const work = coalescedWork(taken, output, places)
          const split: Split = { firstRow, rowCount, byteLength: 0, work, arrivedAt }
          firstRow += rowCount
          return split
        },
        counts: () => [{ label: operator, rows: gone + waiting + (dropped - droppedOldest), waiting, dropped }],
        finish() {
          isFinished ||= end === null
          close()
        },
        async close() {
          isLeft = true
          batches.length = 0
          head = 0
          skip = 0
          closeOpen()
          batches.length = 0
          gone += waiting
          waiting = 0
          wake?.()
          wake = null
          makeRoom()
        },
      }
    },
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Whether it is columns that someone has made already. */
export const isRead = (data: object): data is RecordBatch | Table =>
  data instanceof RecordBatch || data instanceof Table

/** Of a row seldom an object: so rows are known at once. */
function firstValue(data: object): unknown {
  for (const name in data) return (data as Record<string, unknown>)[name]
  return undefined
}
