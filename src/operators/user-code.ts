/**
 * `map`, `flatMap` and `filter` by a function of a module: the lane imports it, and calls it with each row as an object. What it gives is read as by `rows`. A part of its own;
 * functions of the calling thread are sources/user-stage.ts.
 */
import { RecordBatch } from '../columnar/record-batch.js'
import { isPromise, shown, type UserVerb } from '../columnar/user-failure.js'
import { batchOf, type Given, isKept, rowsOf, rowsOfResult } from '../columnar/user-rows.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { MillraceError, quote } from '../errors.js'
import { takeBatch, takeIndices } from '../kernels/select.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import type { Stage } from '../plan/physical.js'
import { createBatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'
import { type LeftOut, type Morsel, RowFailure, type Transform } from './operator.js'

type UserFunction = (row: object) => unknown

/** A lane that was started from text is named by all of it. */
const withoutText = (message: unknown): string => String(message).replace(/data:[^,\s]*,[^\s'"]*/g, 'a lane')

export function createUserCode(context: OperatorContext, stage: Stage & { kind: 'user' }): Transform {
  const { k } = context
  const { memory } = k
  const { verb, listener, input, output } = stage
  const types = Object.values(input)
  let loader = createBatchLoader(context)
  let call: UserFunction = () => {
    throw new Error('a function is called before its module has been imported')
  }
  /** By the row, since rows before one that fails elsewhere are gone through again. */
  const failed = new Map<number, MillraceError>()

  /** @throws RowFailure where nobody hears of it */
  const fail = (morsel: Morsel, row: number, thrown: unknown): void => {
    const place = morsel.rows === 0 ? row : memory.u32[(morsel.rows >>> 2) + row]
    const error = failure(verb, thrown)
    if (listener === null) throw new RowFailure(place, error)
    failed.set(place, error)
  }

  const reading = (morsel: Morsel): ((i: number) => object) => {
    const { rowCount, vectors } = unloadBatch(k, morsel, types)
    return rowsOf(new RecordBatch(input, vectors, rowCount))
  }

  const called = (row: object): unknown => {
    const result = call(row)
    if (!isPromise(result)) return result
    result.then(undefined, () => {})
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `${verb}: the function is asynchronous, which lanes do not wait for; give it itself in the place of its module, and it is called in the calling thread`,
      { operator: verb },
    )
  }

  /** What rows of a morsel have given, loaded, in pieces of a morsel at most. */
  function* pieces(morsel: Morsel, given: readonly Given[]): Iterable<Morsel> {
    const { batch, origins } = batchOf(given, output, (row, error) => fail(morsel, row, error))
    for (let from = 0; from < batch.rowCount; from += MORSEL_ROWS) {
      const part = batch.slice(from, from + MORSEL_ROWS)
      const loaded = loader.load(part)
      const own = memory.scratch(4 * part.rowCount)
      memory.i32.set(origins.subarray(from, from + part.rowCount), own >>> 2)
      yield { ...loaded, rows: takeIndices(k, morsel.rows, own, part.rowCount) }
    }
  }

  function filtered(morsel: Morsel): Morsel | null {
    const read = reading(morsel)
    const indices = memory.scratch(4 * morsel.rowCount)
    let count = 0
    for (let row = 0; row < morsel.rowCount; row++) {
      try {
        if (isKept(verb, called(read(row)))) memory.u32[(indices >>> 2) + count++] = row
      } catch (error) {
        fail(morsel, row, error)
      }
    }
    if (count === 0) return null
    if (count === morsel.rowCount) return morsel
    return { ...takeBatch(k, morsel, indices, count), rows: takeIndices(k, morsel.rows, indices, count) }
  }

  function mapped(morsel: Morsel): Morsel | null {
    const read = reading(morsel)
    const given: Given[] = []
    let thrown: { readonly row: number; readonly error: unknown } | null = null
    for (let row = 0; row < morsel.rowCount && thrown === null; row++) {
      try {
        given.push({ row, rows: rowsOfResult(verb, called(read(row))) })
      } catch (error) {
        if (listener === null) thrown = { row, error }
        else fail(morsel, row, error)
      }
    }
    // Rows before it may fail by what they gave, which is told first.
    const [made = null] = pieces(morsel, given)
    if (thrown !== null) fail(morsel, thrown.row, thrown.error)
    return made
  }

  function* expanded(morsel: Morsel): Iterable<Morsel> {
    const read = reading(morsel)
    let given: Given[] = []
    let count = 0
    const flush = function* (): Iterable<Morsel> {
      const mark = memory.mark()
      yield* pieces(morsel, given)
      memory.reset(mark)
      given = []
      count = 0
    }
    for (let row = 0; row < morsel.rowCount; row++) {
      try {
        const rows = rowsOfResult(verb, called(read(row)))
        given.push({ row, rows })
        count += rows.length
      } catch (error) {
        yield* flush()
        fail(morsel, row, error)
      }
      if (count >= MORSEL_ROWS) yield* flush()
    }
    yield* flush()
  }

  return {
    label: `${verb} ${stage.export}`,
    kernels: () => [],
    async open() {
      call = await importedFunction(stage)
    },
    apply(morsel) {
      if (verb === 'filter') return filtered(morsel)
      if (verb === 'map') return mapped(morsel)
      throw new Error('flatMap gives several morsels')
    },
    ...(verb === 'flatMap' ? { expand: expanded } : {}),
    leftOut(): LeftOut | null {
      if (listener === null || failed.size === 0) return null
      const failures = [...failed].sort(([a], [b]) => a - b).map(([row, error]) => ({ row, error }))
      failed.clear()
      return { listener, failures }
    },
    renew(mostBytes) {
      if (loader.byteLength < mostBytes) return
      loader.close()
      loader = createBatchLoader(context)
    },
    free: () => loader.close(),
  }
}

/** The row is put in by who knows its place in the source. */
function failure(verb: UserVerb, thrown: unknown): MillraceError {
  const details = { operator: verb, userVerb: verb }
  if (thrown instanceof MillraceError) {
    const text = thrown.message.slice(thrown.code.length + 2)
    return new MillraceError(thrown.code, text, { ...thrown.details, ...details }, thrown.cause)
  }
  const cause = thrown instanceof Error ? thrown : new Error(shown(thrown))
  return new MillraceError('MR_USER_CODE_FAILED', `${verb}: the function failed`, details, cause)
}

async function importedFunction({ verb, module, export: name }: Stage & { kind: 'user' }): Promise<UserFunction> {
  const details = { operator: verb, module }
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = await import(/* @vite-ignore */ /* webpackIgnore: true */ module)
  } catch (error) {
    throw new MillraceError(
      'MR_USER_CODE_FAILED',
      `${verb}: a lane cannot import ${quote(module)}: ${withoutText((error as Error)?.message ?? error)}; it is imported by workers, which need leave to load it (CORS, script-src), and resolve nothing but URLs`,
      details,
      error,
    )
  }
  const found = exports[name]
  if (typeof found === 'function') return found as UserFunction
  throw new MillraceError(
    'MR_USER_CODE_FAILED',
    `${verb}: ${quote(module)} exports no function ${quote(name)}; it has ${Object.keys(exports).map(quote).join(', ') || 'nothing'}`,
    details,
  )
}
