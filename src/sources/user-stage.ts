/** The stages of `map`, `flatMap` and `validate` with a function of the caller's: it is called in the calling thread, row after row, and may be asynchronous. */
import { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { nullable, type SchemaShape, utf8 } from '../columnar/type.js'
import { failureOf, type UserVerb } from '../columnar/user-failure.js'
import { batchOf, type Given, isPromise, rowsOf, rowsOfResult } from '../columnar/user-rows.js'
import type { MillraceError } from '../errors.js'
import type { RowStage } from './stage.js'

/** Hears of a row that fails, which is then left out. */
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
    async *run(batches) {
      let firstRow = 0
      for await (const batch of batches) {
        const fail = (row: number, error: unknown) => {
          const failure = failureAt(verb, firstRow + row, error)
          if (onError === null) throw failure
          onError(failure)
        }
        const given: Given[] = []
        const failed: { readonly row: number; readonly error: unknown }[] = []
        const read = rowsOf(batch, firstRow)
        for (let row = 0; row < batch.rowCount; row++) {
          const value = read(row)
          try {
            const result = call(value)
            given.push({ row, rows: rowsOfResult(verb, isPromise(result) ? await result : result) })
          } catch (error) {
            failed.push({ row, error })
            // Rows before it may fail by what they gave, which is told first.
            if (onError === null) break
          }
        }
        const { batch: made } = batchOf(given, schema, (row, error) => failed.push({ row, error }))
        for (const { row, error } of failed.sort((a, b) => a.row - b.row)) fail(row, error)
        yield made
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
export function verdictStage(validate: (row: unknown) => unknown, column: string): RowStage {
  const output = (input: SchemaShape) => schemaOf([...fieldsOf(input), { name: column, type: nullable(utf8()) }])
  const verdictSchema = schemaOf([{ name: column, type: nullable(utf8()) }])
  return {
    output,
    async *run(batches, input) {
      const schema = output(input)
      let firstRow = 0
      for await (const batch of batches) {
        const read = rowsOf(batch, firstRow)
        const given: Given[] = []
        for (let row = 0; row < batch.rowCount; row++) {
          const value = read(row)
          try {
            const result = validate(value)
            const { issues } = (isPromise(result) ? await result : result) as StandardResult
            given.push({ row, rows: [{ [column]: issues === undefined ? null : issuesText(issues) }] })
          } catch (error) {
            throw failureAt('validate', firstRow + row, error)
          }
        }
        const { batch: verdicts } = batchOf(given, verdictSchema, (row, error) => {
          throw failureAt('validate', firstRow + row, error)
        })
        const vectors = new Map(fieldsOf(input).map(({ name }, i) => [name, batch.vectors[i]]))
        vectors.set(column, verdicts.vectors[0])
        yield new RecordBatch(
          schema,
          Object.keys(schema).map(name => vectors.get(name) as (typeof batch.vectors)[number]),
          batch.rowCount,
        )
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
