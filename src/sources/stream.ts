/** Rows that come while a job runs: of an async iterable or a stream of rows, arrays of rows, tables or batches. They are taken only as fast as lanes want them. */
import { openRows } from '../columnar/input.js'
import { MORSEL_ROWS, RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { Table } from '../columnar/table.js'
import { type SchemaShape, sameType, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import type { Source, Split, SplitSupply } from './source.js'

/** Rows that wait for more, at most: enough that a message is cheap. */
const MOST_ROWS = 8192

/** How long rows that have come wait for more, so that few messages carry many: a turn of the event loop. */
const soon = (): Promise<null> =>
  new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve(null)
    }
    port2.postMessage(null)
  })

/** @param stream read once: its iterator is taken when a terminal runs. */
export function streamSource(stream: AsyncIterable<unknown> | ReadableStream<unknown>, schema: SchemaShape): Source {
  let consumed = false
  return {
    label: 'stream',
    schema,
    rowCount: null,
    once: true,
    describe: async () => schema,
    async open({ columns }) {
      if (consumed) {
        throw new MillraceError(
          'MR_SOURCE_CONSUMED',
          'stream: what it gave has been read already; make a flow over a new one',
        )
      }
      consumed = true
      return { splits: [], rest: supplyOf(iteratorOf(stream), schema, columns) }
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
    next: async () => (await reader.read()) as IteratorResult<unknown>,
    async return() {
      await reader.cancel()
      return { value: undefined, done: true }
    },
  }
}

function supplyOf(items: AsyncIterator<unknown>, schema: SchemaShape, columns: readonly string[]): SplitSupply {
  let firstRow = 0
  let pending: Promise<IteratorResult<unknown>> | null = null
  let ended = false
  const output = schemaOf(columns.map(name => ({ name, type: schema[name] })))

  const splitOf = (batches: readonly RecordBatch[], rowCount: number): Split => {
    const split: Split = { firstRow, rowCount, byteLength: 0, work: { kind: 'batches', batches: () => batches } }
    firstRow += rowCount
    return split
  }

  /** Batches as they are; rows are read when they have come, so that a bad one is told with its place. */
  const batchesOf = (item: RecordBatch | Table): RecordBatch[] => {
    checkSchema(item.schema, schema)
    const order = fieldsOf(item.schema).map(({ name }) => name)
    return (item instanceof Table ? item.batches : [item]).map(
      batch =>
        new RecordBatch(
          output,
          columns.map(name => batch.vectors[order.indexOf(name)]),
          batch.rowCount,
        ),
    )
  }

  /** A failure is for whoever asks after the rows that came before it. */
  const taken = (): Promise<IteratorResult<unknown>> => {
    const item = items.next()
    item.catch(() => {})
    return item
  }

  return {
    async next() {
      const rows: object[] = []
      let waited: Promise<null> | null = null
      while (true) {
        if (ended) return rows.length === 0 ? null : rowSplit(rows)
        pending ??= taken()
        // What has come goes on its way as soon as nothing follows at once.
        if (rows.length > 0) waited ??= soon()
        const next = await (waited === null ? pending : Promise.race([pending.catch(() => null), waited]))
        if (next === null) return rowSplit(rows)
        if (next.done) {
          pending = null
          ended = true
          continue
        }
        const { value } = next
        if (value instanceof RecordBatch || value instanceof Table) {
          if (rows.length > 0) return rowSplit(rows)
          pending = null
          const batches = batchesOf(value)
          return splitOf(batches, value.rowCount)
        }
        pending = null
        if (Array.isArray(value)) for (const row of value) rows.push(row)
        else rows.push(value as object)
        if (rows.length >= MOST_ROWS) return rowSplit(rows)
      }
    },
    async close() {
      ended = true
      await items.return?.()
    },
  }

  function rowSplit(rows: readonly object[]): Split {
    const reader = openRows(rows, schema)
    const batches: RecordBatch[] = []
    try {
      for (let from = 0; from < rows.length; from += MORSEL_ROWS) {
        batches.push(reader.read(from, Math.min(from + MORSEL_ROWS, rows.length), columns))
      }
    } catch (error) {
      throw atRow(error, firstRow)
    }
    return splitOf(batches, rows.length)
  }
}

/** The error with its row counted from the first that the stream gave. */
function atRow(error: unknown, firstRow: number): unknown {
  if (!(error instanceof MillraceError) || error.details.row === undefined) return error
  const { row } = error.details
  const text = error.message.slice(error.code.length + 2).replace(`row ${row}`, `row ${firstRow + row}`)
  return new MillraceError(error.code, text, { ...error.details, row: firstRow + row }, error.cause)
}

function checkSchema(found: SchemaShape, declared: SchemaShape): void {
  for (const { name, type } of fieldsOf(declared)) {
    const own = Object.hasOwn(found, name) ? found[name] : undefined
    if (own !== undefined && sameType(own, type) && (type.nullable || !own.nullable)) continue
    const is = own === undefined ? 'missing' : typeName(own)
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `stream: column ${quote(name)} of a batch is ${is}, not ${typeName(type)} as declared`,
      { operator: 'stream', column: name },
    )
  }
}
