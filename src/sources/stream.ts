/** Rows that come while a job runs: of an async iterable or a stream of rows, arrays of rows, columns, tables or batches. They are taken only as fast as lanes want them. */

import { hearPromises } from '../columnar/infer.js'
import { MORSEL_ROWS, morselsOf, RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { Table } from '../columnar/table.js'
import { type SchemaShape, sameType, typeName } from '../columnar/type.js'
import { thrownText } from '../columnar/user-failure.js'
import { MillraceError, quote } from '../errors.js'
import { unlessAborted } from '../formats/unless-aborted.js'
import { stopwatch } from '../metrics/clock.js'
import { columnsTeller, givenBatches } from './given-columns.js'
import { createRowWriter } from './live/row-writer.js'
import { coalescedWork } from './memory.js'
import { soon } from './soon.js'
import type { Source, Split, SplitSupply } from './source.js'

/** Rows that wait for more, at most: enough that a message is cheap. */
const MOST_ROWS = 8192
/** Within so many microtasks a generator that waits for nothing has its next: a turn of the event loop costs a hundred times as much. */
const FEW_TICKS = 8
/** More that follow at once are taken together for so long, up to a morsel. */
const TOGETHER_MS = 2

/** What an iterator has been asked for: once it is there, so can be had without waiting. */
interface Coming {
  readonly item: Promise<IteratorResult<unknown>>
  /** Undefined until then; null of a failure. */
  result: IteratorResult<unknown> | null | undefined
}

/** @param stream read once: its iterator is taken when a terminal runs. */
export function streamSource(stream: AsyncIterable<unknown> | ReadableStream<unknown>, schema: SchemaShape): Source {
  let consumed = false
  return {
    label: 'stream',
    schema,
    rowCount: null,
    once: true,
    describe: async () => schema,
    async open({ columns, clock }) {
      if (consumed) {
        throw new MillraceError(
          'MR_SOURCE_CONSUMED',
          'stream: what it gave has been read already; make a flow over a new one',
        )
      }
      consumed = true
      let items: AsyncIterator<unknown>
      try {
        items = iteratorOf(stream)
      } catch (error) {
        throw streamFailed(error, 0)
      }
      return { splits: [], rest: supplyOf(items, schema, columns, stopwatch(clock)) }
    },
  }
}

/** Web streams are no async iterables in every browser. */
function iteratorOf(stream: AsyncIterable<unknown> | ReadableStream<unknown>): AsyncIterator<unknown> {
  if (!(stream instanceof ReadableStream)) return stream[Symbol.asyncIterator]()
  if (stream.locked) {
    throw new MillraceError('MR_SOURCE_CONSUMED', 'stream: it is being read already; make a flow over a new one')
  }
  const reader = stream.getReader()
  return {
    next: () => unlessAborted(reader.read(), undefined) as Promise<IteratorResult<unknown>>,
    async return() {
      await reader.cancel()
      return { value: undefined, done: true }
    },
  }
}

function supplyOf(
  items: AsyncIterator<unknown>,
  schema: SchemaShape,
  columns: readonly string[],
  now: () => number,
): SplitSupply {
  let firstRow = 0
  let arrivedAt = 0
  let pending: Coming | null = null
  let ended = false
  /** For whoever asks after the rows before it. */
  let failure: { readonly error: unknown } | null = null
  const output = schemaOf(columns.map(name => ({ name, type: schema[name] })))
  const everyColumn = columns.map((_, i) => i)
  const writer = createRowWriter(output, 'rows')
  const isColumns = columnsTeller(schema)

  const taken = (): Coming => {
    let item: Promise<IteratorResult<unknown>>
    try {
      item = Promise.resolve(items.next())
    } catch (error) {
      item = Promise.reject(error)
    }
    const coming: Coming = { item, result: undefined }
    const settle = (result: IteratorResult<unknown> | null) => {
      coming.result = result
    }
    // A failure is for whoever asks after the rows that came before it.
    item.then(settle, () => settle(null))
    return coming
  }

  /** What the iterator says of it nobody waits for: a generator that waits itself hears of it only then. */
  const letGo = () => {
    ended = true
    void (async () => items.return?.())().catch(() => {})
  }

  /** Waits for the first rows, and then for what comes with them. */
  async function gathered(): Promise<RecordBatch[]> {
    const parts: RecordBatch[] = []
    let rowCount = 0
    let waited: Promise<null> | null = null
    let began = 0
    const flush = () => {
      if (writer.length > 0) parts.push(writer.finish())
    }
    const isFull = () =>
      rowCount >= MOST_ROWS && (2 * rowCount > MORSEL_ROWS || performance.now() - began > TOGETHER_MS)
    while (!ended && failure === null && !isFull()) {
      const coming: Coming = pending ?? taken()
      pending = coming
      // What has come goes on its way as soon as nothing follows at once.
      if (rowCount > 0 && waited === null) {
        for (let i = 0; i < FEW_TICKS && coming.result === undefined; i++) await null
        if (coming.result === undefined) waited = soon()
      }
      const { item, result } = coming
      // A failure is told once the rows before it have been given.
      const next =
        rowCount === 0
          ? await item
          : result !== undefined
            ? result
            : await Promise.race([item.catch(() => null), waited])
      if (next === null) break
      pending = null
      if (rowCount === 0) {
        arrivedAt = now()
        began = performance.now()
      }
      const { value, done } = next
      if (done) ended = true
      else if (value instanceof RecordBatch || value instanceof Table) {
        flush()
        try {
          parts.push(...batchesOf(value, schema, output))
          rowCount += value.rowCount
        } catch (error) {
          failure = { error }
        }
      } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && isColumns(value)) {
        flush()
        const first = firstRow + rowCount
        try {
          for (const batch of givenBatches(value, schema, columns)) {
            parts.push(batch)
            rowCount += batch.rowCount
          }
        } catch (error) {
          failure = { error: atRow(error, first) }
        }
      } else {
        const rows: readonly object[] = Array.isArray(value) ? value : [value]
        for (let from = 0; from < rows.length && failure === null; from += MORSEL_ROWS) {
          if (writer.length + Math.min(MORSEL_ROWS, rows.length - from) > MORSEL_ROWS) flush()
          const part = rows.length <= MORSEL_ROWS ? rows : rows.slice(from, from + MORSEL_ROWS)
          write(part, firstRow + rowCount + from)
        }
        rowCount += rows.length
      }
    }
    flush()
    return parts
  }

  /** A bad row is told with its place; those before it are given first. */
  function write(rows: readonly object[], first: number): void {
    try {
      writer.appendAll(rows)
    } catch (error) {
      failure = { error: atRow(error, first) }
      hearPromises(rows)
      if (error instanceof MillraceError) writer.appendAll(rows.slice(0, error.details.row ?? 0))
    }
  }

  return {
    async next() {
      let parts: readonly RecordBatch[] = []
      try {
        if (failure === null) parts = await gathered()
      } catch (error) {
        letGo()
        throw streamFailed(error, firstRow)
      }
      const batches = parts.flatMap(morselsOf)
      const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
      if (rowCount === 0) {
        if (failure === null) return null
        letGo()
        throw failure.error
      }
      const work = coalescedWork(batches, output, everyColumn)
      const split: Split = { firstRow, rowCount, byteLength: 0, work, arrivedAt }
      firstRow += rowCount
      return split
    },
    counts: () => [{ label: 'stream', rows: firstRow, waiting: 0, dropped: 0 }],
    async close() {
      letGo()
    },
  }
}

/** Batches as they are, in the columns that are wanted. @throws MillraceError `MR_TYPE_MISMATCH` */
export function batchesOf(
  item: RecordBatch | Table,
  schema: SchemaShape,
  output: SchemaShape,
  operator = 'stream',
): RecordBatch[] {
  checkSchema(item.schema, schema, operator)
  const order = fieldsOf(item.schema).map(({ name }) => name)
  const names = Object.keys(output)
  const isWhole = names.length === order.length && names.every((name, i) => name === order[i])
  return (item instanceof Table ? item.batches : [item]).map(batch => {
    if (batch.weights !== null) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `${operator}: a batch takes rows back (it has weights); fold it to rows that count once first`,
        { operator },
      )
    }
    // Whoever is given it knows its columns.
    if (isWhole) return batch
    return new RecordBatch(
      output,
      names.map(name => batch.vectors[order.indexOf(name)]),
      batch.rowCount,
    )
  })
}

/** Of what failed beneath a stream, once it had given so many rows: its own errors are the cause, Millrace's of a flow that it reads go through as they are. */
function streamFailed(error: unknown, rows: number): MillraceError {
  if (error instanceof MillraceError) return error
  return new MillraceError(
    'MR_SOURCE_FAILED',
    `stream: what it is over failed after ${rows} rows: ${thrownText(error)}`,
    { operator: 'stream', row: rows },
    error,
  )
}

/** The error with its row counted from the first that the stream gave. */
function atRow(error: unknown, firstRow: number): MillraceError {
  if (!(error instanceof MillraceError)) return streamFailed(error, firstRow)
  const { row } = error.details
  const text = error.message.slice(error.code.length + 2).replace(/^(rows|columns): /, 'stream: ')
  return new MillraceError(
    error.code,
    row === undefined ? text : text.replace(`row ${row}`, `row ${firstRow + row}`),
    { ...error.details, operator: 'stream', ...(row === undefined ? {} : { row: firstRow + row }) },
    error.cause,
  )
}

function checkSchema(found: SchemaShape, declared: SchemaShape, operator: string): void {
  for (const { name, type } of fieldsOf(declared)) {
    const own = Object.hasOwn(found, name) ? found[name] : undefined
    if (own !== undefined && sameType(own, type) && (type.nullable || !own.nullable)) continue
    const is = own === undefined ? 'missing' : typeName(own)
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `${operator}: column ${quote(name)} of a batch is ${is}, not ${typeName(type)} as declared`,
      { operator, column: name },
    )
  }
}
