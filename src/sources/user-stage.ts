/** The stages of `map`, `flatMap`, `filterRows` and `validate` with a function of the caller's: it is called in the calling thread, row after row, and may be asynchronous. */
import { MORSEL_ROWS, RecordBatch } from '../columnar/record-batch.js'
import { type Field, fieldsOf, schemaOf } from '../columnar/schema.js'
import { bool, nullable, type SchemaShape, utf8 } from '../columnar/type.js'
import { failureOf, isPromise, shown, type UserVerb } from '../columnar/user-failure.js'
import { batchOf, type Given, isKept, rowsOf, rowsOfResult } from '../columnar/user-rows.js'
import { MillraceError } from '../errors.js'
import { arrivalOf, setArrival } from '../metrics/arrivals.js'
import type { RowStage } from './stage.js'

/** Hears of a row that fails, which is then left out; one that is asynchronous is waited for. */
export type OnError = (error: MillraceError) => void

type UserFunction = (row: object) => unknown

/** @param onError null: the job fails of the first row that does */
export function userStage(
  verb: 'map' | 'flatMap',
  call: UserFunction,
  schema: SchemaShape,
  onError: OnError | null,
): RowStage {
  return {
    output: () => schema,
    async *run(batches, _input, signal) {
      let firstRow = 0
      for await (const batch of batches) {
        const fail = (row: number, error: unknown) => {
          const failure = failureAt(verb, firstRow + row, error)
          if (onError === null) throw failure
          return onError(failure)
        }
        let given: Given[] = []
        let failed: { readonly row: number; readonly error: unknown }[] = []
        let count = 0
        const flushed = async (): Promise<RecordBatch> => {
          const { batch: made } = batchOf(given, schema, (row, error) => failed.push({ row, error }))
          for (const { row, error } of failed.sort((a, b) => a.row - b.row)) await fail(row, error)
          ;[given, failed, count] = [[], [], 0]
          setArrival(made, arrivalOf(batch))
          return made
        }
        const read = rowsOf(batch)
        for (let row = 0; row < batch.rowCount && !signal.aborted; row++) {
          try {
            const result = call(read(row))
            const rows = rowsOfResult(verb, isPromise(result) ? await result : result)
            given.push({ row, rows })
            count += rows.length
          } catch (error) {
            failed.push({ row, error })
            // Rows before it may fail by what they gave, which is told first.
            if (onError === null) break
          }
          // One row may stand for many.
          if (count >= MORSEL_ROWS) yield await flushed()
        }
        if (signal.aborted) return
        yield await flushed()
        firstRow += batch.rowCount
      }
    },
  }
}

/** Rows are counted among those that the verb is given. */
const failureAt = (verb: UserVerb, row: number, error: unknown): MillraceError =>
  failureOf(verb, `row ${row}`, row, error)

/** What a validator of rows may say (standardschema.dev). */
interface StandardResult {
  readonly issues?: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] | undefined
}

/** The rows as they are, with a column of what a validator has against each: null for a good one. */
export const verdictStage = (validate: UserFunction, column: string): RowStage =>
  besideStage(
    'validate',
    { name: column, type: nullable(utf8()) },
    validate,
    result => {
      if (typeof result !== 'object' || result === null)
        throw new MillraceError(
          'MR_TYPE_MISMATCH',
          `validate: the validator gives { value } or { issues }, not ${shown(result)}`,
          { operator: 'validate' },
        )
      const { issues } = result as StandardResult
      return issues === undefined ? null : issuesText(issues)
    },
    null,
  )

/** The rows as they are, with a column of whether a function keeps each; of one that fails `onError` hears, and it is not kept. */
export const keepStage = (call: UserFunction, column: string, onError: OnError | null): RowStage =>
  besideStage(
    'filterRows',
    { name: column, type: bool() },
    call,
    result => isKept('filterRows', result),
    onError &&
      (async failure => {
        await onError(failure)
        return false
      }),
  )

/** @param instead the value of a row that fails; null: the job fails of the first */
function besideStage(
  verb: UserVerb,
  field: Field,
  call: UserFunction,
  meant: (result: unknown) => unknown,
  instead: ((failure: MillraceError) => Promise<unknown>) | null,
): RowStage {
  const output = (input: SchemaShape) => schemaOf([...fieldsOf(input), field])
  return {
    output,
    async *run(batches, input, signal) {
      const schema = output(input)
      let firstRow = 0
      for await (const batch of batches) {
        const read = rowsOf(batch)
        const given: Given[] = []
        for (let row = 0; row < batch.rowCount && !signal.aborted; row++) {
          let value: unknown
          try {
            const result = call(read(row))
            value = meant(isPromise(result) ? await result : result)
          } catch (error) {
            const failure = failureAt(verb, firstRow + row, error)
            if (instead === null) throw failure
            value = await instead(failure)
          }
          given.push({ row, rows: [{ [field.name]: value }] })
        }
        if (signal.aborted) return
        const { batch: made } = batchOf(given, schemaOf([field]), (row, error) => {
          throw failureAt(verb, firstRow + row, error)
        })
        const vectors = new Map(fieldsOf(input).map(({ name }, i) => [name, batch.vectors[i]]))
        vectors.set(field.name, made.vectors[0])
        const wide = new RecordBatch(
          schema,
          Object.keys(schema).map(name => vectors.get(name) as (typeof batch.vectors)[number]),
          batch.rowCount,
        )
        setArrival(wide, arrivalOf(batch))
        yield wide
        firstRow += batch.rowCount
      }
    },
  }
}

/** `price: must be positive, name: Required`. */
const issuesText = (issues: NonNullable<StandardResult['issues']>): string =>
  issues
    .map(({ message, path }) => {
      const keys = (path ?? []).map(key =>
        String(typeof key === 'object' && key !== null ? (key as { key: unknown }).key : key),
      )
      return keys.length === 0 ? message : `${keys.join('.')}: ${message}`
    })
    .join(', ')
