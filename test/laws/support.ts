/** What all law suites share: engines, cases that print themselves, how often to run, and what a flow came to. */
import fc from 'fast-check'
import { afterAll, beforeAll } from 'vitest'
import { createEngine, type Engine, MillraceError, type Table } from '../../src/index.js'
import { ModelError, type ModelTable } from '../oracle/value.js'
import { type ModelVerb, runModel } from '../oracle/verbs.js'
import { type Choices, choicesOf, tapes } from './choices.js'
import { expectTable } from './compare.js'
import type { AnyFlow } from './handles.js'
import { sayTable, sayVerbs } from './say.js'

export interface LawOptions {
  /** Multiplies how often each property runs; 1 keeps all laws under a minute. */
  readonly runs: number
  /** fast-check's; a random one, printed on failure, where it is left out. */
  readonly seed?: number
}

/** A table and what to do with it. */
export interface Case {
  readonly table: ModelTable
  readonly verbs: readonly ModelVerb[]
  /** For whatever else is left to chance, such as where chunks end; a new tape each time, always the same. */
  readonly draw: () => Choices
}

export type Outcome = { readonly table: ModelTable } | { readonly code: string; readonly row: number }

/** One case, all sources and lanes together. */
const MOST_CASE_MS = 30_000

/** Milliseconds until a law's test times out. */
export const longTest = ({ runs }: LawOptions): number => 120_000 * Math.max(1, runs)

/** Opens one engine per lane count before the tests of the calling suite, and closes them after. */
export function openEngines(lanesList: readonly number[]): ReadonlyMap<number, Engine> {
  const engines = new Map<number, Engine>()
  beforeAll(async () => {
    for (const lanes of lanesList) engines.set(lanes, await createEngine({ lanes }))
  })
  afterAll(async () => {
    await Promise.all([...engines.values()].map(engine => engine.close()))
  })
  return engines
}

/** Tables with chains that `make` draws for them. */
export function cases(
  tables: fc.Arbitrary<ModelTable>,
  make: (table: ModelTable, choices: Choices) => ModelVerb[],
): fc.Arbitrary<Case> {
  return fc.tuple(tables, tapes(), tapes(20)).map(([table, tape, details]) => {
    const verbs = make(table, choicesOf(tape))
    return {
      table,
      verbs,
      draw: () => choicesOf(details),
      [fc.toStringMethod]: () => `\n${sayTable(table)}\n${sayVerbs(verbs)}\n`,
    }
  })
}

/** Runs a property `times` times the scale of `options`, at least once. */
export function check<T>(
  options: LawOptions,
  times: number,
  arbitrary: fc.Arbitrary<T>,
  law: (value: T) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, law), {
    numRuns: Math.max(1, Math.round(times * options.runs)),
    // A job that hangs is a failure with its case. Shrinking may take minutes: the test reports what it has before it times out.
    timeout: MOST_CASE_MS,
    interruptAfterTimeLimit: 0.8 * longTest(options),
    markInterruptAsFailure: true,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  }) as Promise<void>
}

/** What the model says a chain comes to. */
export function expectedOf({ table, verbs }: Pick<Case, 'table' | 'verbs'>): Outcome {
  try {
    return { table: runModel(table, verbs) }
  } catch (error) {
    if (error instanceof ModelError) return { code: error.code, row: error.row }
    throw error
  }
}

/**
 * Holds a flow on one engine against what is expected; `where` is for the message.
 * @throws Error where it gives anything else.
 */
export async function expectFlow(
  flow: AnyFlow,
  engine: Engine,
  expected: Outcome,
  where: string,
  others: { readonly memory?: number } = {},
): Promise<void> {
  let table: Table
  try {
    table = await flow.collect({ engine, ...others })
  } catch (error) {
    if ('code' in expected && error instanceof MillraceError && error.code === expected.code) {
      const { row } = error.details
      if (expected.row === -1 || row === expected.row) return
      throw new Error(`${where}: ${error.code} at row ${row}, expected at row ${expected.row}`, { cause: error })
    }
    throw new Error(`${where}: ${String(error)}`, { cause: error })
  }
  if ('code' in expected) throw new Error(`${where}: a table, expected ${expected.code} at row ${expected.row}`)
  try {
    expectTable(table, expected.table)
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error })
  }
}
