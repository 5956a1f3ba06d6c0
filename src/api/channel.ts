/** `channel`: a flow whose rows a program pushes, with a bound. How they wait is sources/live/queue.ts's business. */
import type { ColumnInput } from '../columnar/infer.js'
import { openRows } from '../columnar/input.js'
import type { RecordBatch } from '../columnar/record-batch.js'
import type { Table } from '../columnar/table.js'
import type { SchemaShape } from '../columnar/type.js'
import { queueSource } from '../sources/live/feed.js'
import { createQueue, type QueueOptions, type WhenFull } from '../sources/live/queue.js'
import { type Flow, flowOf } from './flow.js'
import { optionsOf, wholeNumber } from './options.js'
import { invalid, show } from './refusal.js'
import type { RowInput } from './user-code.js'

/** What becomes of rows that come while a queue is full. */
export interface FullOptions {
  /** Rows that may wait for the job: 65,536. */
  readonly capacity?: number
  /**
   * `'block'` takes them all the same, and the promise of `push` resolves once there is room; `'dropOldest'` and `'dropNewest'` leave rows out and count them (`dropped`);
   * `'error'` refuses what does not fit, whole, with `MR_CHANNEL_FULL`.
   */
  readonly whenFull?: WhenFull
}

/** What a channel takes: a row, rows, columns of equal length, a batch or a table. */
export type PushInput<S extends SchemaShape> =
  | RecordBatch<S>
  | Table<S>
  | { readonly [K in keyof S]: ColumnInput }
  | readonly RowInput<S>[]
  | RowInput<S>

export interface Channel<S extends SchemaShape> {
  /** The rows that are pushed, from the first on, also those pushed before it is run. It can be run once, or by one `runAll`. */
  readonly flow: Flow<S>
  /**
   * Takes rows, all of them or, where one does not fit the schema, none. Arrays are copied: they may be filled anew at once. An object is columns where the value of the first column that is no list is
   * an array, otherwise a row. `await` it, and a slow job slows whoever pushes: the promise resolves at once where there is room, else once there is. It never rejects, and resolves too when the job ends early.
   * @throws MillraceError what the first row that does not fit calls for, with its place in what was pushed; `MR_CHANNEL_FULL`; `MR_CLOSED` after `close`, or once the job that reads has ended
   */
  push(data: PushInput<S>): Promise<void>
  /** Ends the input: the job finishes what has been pushed. With an error the job fails of it, after the rows before. The first call counts. */
  close(error?: unknown): void
  /** Rows that `whenFull` has left out. */
  readonly dropped: number
  /** Rows that wait for the job. */
  readonly waiting: number
  /** Whether nothing can be pushed any more: after `close`, and once the job that reads has ended. */
  readonly isClosed: boolean
}

/**
 * A flow whose rows are pushed while it runs, as fast as the job takes them.
 *
 * ```ts
 * const readings = channel(schema({ city: utf8(), degrees: float64() }))
 * const highest = readings.flow.groupBy('city').aggregate(t => ({ highest: max(t.degrees) })).collect()
 * await readings.push({ city: 'Rome', degrees: 31 })
 * await readings.push([{ city: 'Oslo', degrees: 17 }, { city: 'Rome', degrees: 29 }])
 * await readings.push({ city: ['Lima', 'Oslo'], degrees: Float64Array.of(22, 19) })
 * readings.close()
 * show(await highest)
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH` for a schema that cannot be read
 */
export function channel<const S extends SchemaShape>(schema: S, options: FullOptions = {}): Channel<S> {
  optionsOf('channel', options, '{ capacity }', ['capacity', 'whenFull'])
  checkSchema('channel', schema)
  const queue = createQueue(schema, fullOptions('channel', options, 'block'), 'channel')
  return {
    flow: flowOf(queueSource('channel', schema, queue)) as Flow<S>,
    push: data => queue.push(data),
    close: error => queue.close(error),
    get dropped() {
      return queue.dropped
    },
    get waiting() {
      return queue.waiting
    },
    get isClosed() {
      return queue.isClosed
    },
  }
}

const POLICIES: readonly string[] = ['block', 'dropOldest', 'dropNewest', 'error']

/** @throws MillraceError `MR_INVALID_OPTION` */
export function fullOptions(
  operator: string,
  { capacity = 65_536, whenFull }: FullOptions,
  otherwise: WhenFull,
  policies = POLICIES,
): QueueOptions {
  if (whenFull !== undefined && !policies.includes(whenFull))
    throw invalid(operator, `whenFull is ${policies.map(each => `'${each}'`).join(', ')}, not ${show(whenFull)}`)
  return {
    capacity: wholeNumber(operator, 'capacity', capacity, 1, 2 ** 31 - 1),
    whenFull: whenFull ?? otherwise,
  }
}

/** What pushes cannot be looked into beforehand, so columns are declared. @throws MillraceError `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH` */
export function checkSchema(operator: string, schema: unknown): void {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema) || Object.keys(schema).length === 0)
    throw invalid(operator, `its columns are declared, as in schema({ price: float64() }), not ${show(schema)}`)
  openRows([], schema as SchemaShape)
}
