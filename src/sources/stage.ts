/**
 * A stage in the calling thread: rows that are made of the rows of a plan, batch by batch and in order, while that plan runs. It waits for whoever takes what it makes, and
 * the plan waits for it, so that little is held at a time. A chunk of its own; user-rows.ts and fill-nulls.ts are such stages.
 */
import { concatVectors } from '../columnar/concat.js'
import { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import { arrivalOf, setArrival } from '../metrics/arrivals.js'
import { soon } from './soon.js'
import type { RowsUnderWay, Source, SplitSupply } from './source.js'

/** What becomes of rows. */
export interface RowStage {
  /** Whether rows wait in it for their time: none has come before it is due. */
  readonly isPaced?: true
  /** The columns that come out, of those that go in. @throws MillraceError where these do not do */
  readonly output: (input: SchemaShape) => SchemaShape
  /** Batches of those columns, of any size. */
  readonly run: (
    batches: AsyncIterable<RecordBatch>,
    input: SchemaShape,
    /** Aborted once nobody wants more. */
    signal: AbortSignal,
  ) => AsyncIterable<RecordBatch>
}

/** Small batches that come at once are put together: what follows costs some microseconds a batch, and a message for each. */
const LEAST_ROWS = 8192

/**
 * @param start runs what comes before; called once, when the source is described, or opened.
 * @param known the columns that come out, where they are known beforehand
 */
export function stageSource(
  label: string,
  known: SchemaShape | null,
  stage: RowStage,
  start: () => Promise<RowsUnderWay>,
): Source {
  let starting: Promise<RowsUnderWay> | null = null
  const started = () => {
    starting ??= start()
    return starting
  }
  return {
    label,
    schema: known,
    rowCount: null,
    once: true,
    async describe() {
      if (known !== null) return known
      const rows = await started()
      try {
        return stage.output(await rows.schema)
      } catch (error) {
        await rows.close()
        throw error
      }
    },
    async leave() {
      await (await starting)?.close()
    },
    async open({ columns }) {
      const rows = await started()
      return { splits: [], rest: supplyOf(rows, stage, columns) }
    },
  }
}

function supplyOf(rows: RowsUnderWay, stage: RowStage, columns: readonly string[]): SplitSupply {
  let firstRow = 0
  let made: AsyncIterator<RecordBatch> | null = null
  let pending: Promise<IteratorResult<RecordBatch>> | null = null
  let ended = false
  const left = new AbortController()
  const begin = async (): Promise<AsyncIterator<RecordBatch>> => {
    const input = await rows.schema
    stage.output(input)
    return stage.run(rows.batches, input, left.signal)[Symbol.asyncIterator]()
  }
  /** A failure is for whoever asks after the rows that came before it. */
  const taken = (from: AsyncIterator<RecordBatch>): Promise<IteratorResult<RecordBatch>> => {
    const next = from.next()
    next.catch(() => {})
    return next
  }
  return {
    async next() {
      const parts: RecordBatch[] = []
      let rowCount = 0
      let waited: Promise<null> | null = null
      made ??= await begin()
      while (!ended && rowCount < LEAST_ROWS) {
        pending ??= taken(made)
        // A feed that is quiet keeps no rows back.
        if (rowCount > 0) waited ??= soon()
        const next = await (waited === null ? pending : Promise.race([pending.catch(() => null), waited]))
        if (next === null) break
        pending = null
        const { value, done } = next
        if (done) ended = true
        else if (value.rowCount > 0) {
          const part = narrowed(value, columns)
          setArrival(part, arrivalOf(value))
          parts.push(part)
          rowCount += value.rowCount
        }
      }
      if (rowCount === 0) return null
      const batches = parts.length === 1 ? parts : [together(parts)]
      const work = { kind: 'batches', batches: () => batches } as const
      const arrivedAt = arrivalOf(parts[0])
      const split = { firstRow, rowCount, byteLength: 0, work, ...(arrivedAt !== undefined && { arrivedAt }) }
      firstRow += rowCount
      return split
    },
    nodes: () => rows.nodes?.() ?? [],
    ...(!stage.isPaced && { finish: () => rows.stop() }),
    async close() {
      ended = true
      left.abort()
      await rows.close()
    },
  }
}

function narrowed({ schema, vectors, rowCount }: RecordBatch, columns: readonly string[]): RecordBatch {
  const fields = fieldsOf(schema)
  const places = columns.map(name => fields.findIndex(field => field.name === name))
  return new RecordBatch(
    schemaOf(places.map(place => fields[place])),
    places.map(place => vectors[place]),
    rowCount,
  )
}

const together = (parts: readonly RecordBatch[]): RecordBatch =>
  new RecordBatch(
    parts[0].schema,
    parts[0].vectors.map((_, i) => concatVectors(parts.map(({ vectors }) => vectors[i]))),
    parts.reduce((sum, { rowCount }) => sum + rowCount, 0),
  )
