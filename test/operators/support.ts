/** What the operator tests share: a lane's context without the lane, batches put into its memory as a split reader does it, and rows read back. */
import fc from 'fast-check'
import { openColumns, openRows } from '../../src/columnar/input.js'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { Table } from '../../src/columnar/table.js'
import type { SchemaShape } from '../../src/columnar/type.js'
import type { VectorBatch } from '../../src/columnar/vector.js'
import type { InstanceOptions } from '../../src/kernels/instance.js'
import type { LaneBatch } from '../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { unloadBatch } from '../../src/kernels/transfer-batch.js'
import { type BatchLoader, createBatchLoader } from '../../src/operators/batch-loader.js'
import type { OperatorContext } from '../../src/operators/build.js'
import { createDictionaryPool } from '../../src/operators/dictionary-pool.js'
import * as evaluate from '../../src/operators/evaluate.js'
import * as casts from '../../src/operators/functions/casts.js'
import * as conditions from '../../src/operators/functions/conditions.js'
import * as hashes from '../../src/operators/functions/hashes.js'
import * as numbers from '../../src/operators/functions/numbers.js'
import * as strings from '../../src/operators/functions/strings.js'
import * as times from '../../src/operators/functions/times.js'
import * as userKernels from '../../src/operators/functions/user-kernels.js'
import * as sets from '../../src/operators/grouping-sets.js'
import * as joins from '../../src/operators/joins-part.js'
import type { Breaker, Morsel, Part } from '../../src/operators/operator.js'
import * as over from '../../src/operators/over.js'
import * as shapes from '../../src/operators/shapes-part.js'
import * as windows from '../../src/operators/window-groups.js'
import * as partitions from '../../src/workers/partitions.js'
import { createInbox, createOutbox } from '../../src/workers/transfer.js'
import { decodePart, encodePart } from '../../src/workers/transfer-part.js'
import { schemaOfFields } from '../expressions/arbitrary.js'
import { AGGREGATE_PARTS, makeKernels } from '../kernels/support.js'
import { toRowObject } from '../oracle/javascript.js'
import type { ModelTable } from '../oracle/value.js'

export type Row = Record<string, unknown>

export const OPERATOR_PARTS = {
  ...AGGREGATE_PARTS,
  evaluate,
  numbers,
  strings,
  times,
  conditions,
  casts,
  hashes,
  userKernels,
  partitions,
  sets,
  windows,
  joins,
  shapes,
  over,
}

/** A lane's context, with the loader that its split reader would have. */
export interface Context extends OperatorContext {
  readonly loader: BatchLoader
  /** Bytes in blocks once the arena, which is kept for reuse, has been given back. */
  usedBytes(): number
}

export async function makeContext(options: InstanceOptions = {}): Promise<Context> {
  const k = await makeKernels(options)
  const dictionaries = createDictionaryPool(() => new LaneDictionary(k))
  const context = { k, dictionaries, parts: OPERATOR_PARTS }
  return {
    ...context,
    loader: createBatchLoader(context),
    usedBytes() {
      k.memory.reset(0)
      k.memory.trim()
      return k.memory.usedBytes
    },
  }
}

export function batchOf(data: Parameters<typeof openColumns>[0], schema?: SchemaShape): RecordBatch {
  const input = openColumns(data, schema)
  return input.read(0, input.rowCount, Object.keys(input.schema))
}

/** A table of the naive model as one batch. */
export function batchOfModel({ fields, rows }: ModelTable): RecordBatch {
  const schema = schemaOfFields(fields)
  return openRows(
    rows.map(row => toRowObject(row, fields)),
    schema,
  ).read(0, rows.length, Object.keys(schema))
}

/** Batches of rows some of whose columns, of these that may be, are null in all rows of the first or the last batches, so that no string of them has come yet, or none comes any more. */
export function withNullBatches<R extends Row>(
  batches: fc.Arbitrary<R[][]>,
  names: readonly (string & keyof R)[],
): fc.Arbitrary<R[][]> {
  const blank = fc.record({
    name: fc.constantFrom(...names),
    from: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.nat({ max: 4 })),
    count: fc.integer({ min: 1, max: 4 }),
  })
  const blanks = fc.oneof({ arbitrary: fc.constant([]), weight: 1 }, fc.array(blank, { minLength: 1, maxLength: 3 }))
  return fc.tuple(batches, blanks).map(([given, chosen]) =>
    given.map((rows, i) => {
      const gone = chosen.filter(({ from, count }) => i >= from && i < from + count)
      return rows.map(row => ({ ...row, ...Object.fromEntries(gone.map(({ name }) => [name, null])) }))
    }),
  )
}

/** In scratch. */
export const morselOf = ({ loader }: Context, batch: VectorBatch): Morsel => ({ ...loader.load(batch), rows: 0 })

export function tableOf({ k }: OperatorContext, batch: LaneBatch, schema: SchemaShape): Table {
  const { vectors, rowCount } = unloadBatch(k, batch, Object.values(schema))
  return new Table(schema, [new RecordBatch(schema, vectors, rowCount)])
}

export const rowsOf = (context: OperatorContext, batch: LaneBatch, schema: SchemaShape): Row[] =>
  tableOf(context, batch, schema).toRows() as Row[]

/** What a breaker emits, without the turns that it gives others. */
export function* morselsOf(breaker: Breaker): Iterable<Morsel> {
  for (const morsel of breaker.emit()) if (morsel !== null) yield morsel
}

/** Everything that a breaker emits, as rows. As a lane has it: between two turns what was in scratch goes, and others use it. */
export function emitted(context: Context, breaker: Breaker, schema: SchemaShape): Row[] {
  const { memory } = context.k
  const rows: Row[] = []
  const items = breaker.emit()[Symbol.iterator]()
  while (true) {
    const mark = memory.mark()
    const { done, value } = items.next()
    if (done === true) return rows
    if (value !== null) rows.push(...rowsOf(context, value, schema))
    const used = memory.mark() - mark
    memory.reset(mark)
    for (let left = used; left > 0; left -= 4096) memory.bytes(memory.scratch(4096), 4096).fill(0xa5)
    memory.reset(mark)
  }
}

/** What `from` hands over, as it arrives elsewhere. */
export function handedOver({ k }: OperatorContext, from: Breaker): Part<VectorBatch>[] {
  const outbox = createOutbox()
  const inbox = createInbox()
  const parts: Part<VectorBatch>[] = []
  // One after another: each is good until the next is asked for.
  for (const part of from.handOver()) {
    if (part === null) continue
    const { message } = encodePart(part, batch => unloadBatch(k, batch), outbox)
    parts.push(decodePart(structuredClone(message), inbox))
  }
  return parts
}

/** What `action` throws. */
export function thrown(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
