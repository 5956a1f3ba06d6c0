/** What the flow suites need of where they run (env.node.ts, env.web.ts), and the few helpers they share. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { createEngine, type Engine, type EngineOptions, MillraceError } from '../../src/index.js'

export interface FlowEnv {
  readonly runtime: 'node' | 'browser'
  /** The flights file as `parquet()` takes it here: a path, or a Blob. */
  flights(): Promise<string | Blob>
  /** Two hundred thousand flights as an Arrow file, as `arrow()` takes it here, and the same as JSON. */
  arrowFlights(): Promise<{ readonly input: string | Blob; readonly rows: readonly ArrowFlight[] }>
  /** A fresh copy of the bytes of `flights()`. */
  flightsBytes(): Promise<Uint8Array<ArrayBuffer>>
  readonly workers: WorkerWatch
  /** Files that hold what jobs have spilled, open or forgotten. */
  spillFiles(): Promise<number>
}

export interface ArrowFlight {
  readonly delay: number
  readonly distance: number
  readonly time: number
}

/** Every worker that anyone has started since the environment was made. */
export interface WorkerWatch {
  /** Those that have not ended. */
  readonly count: number
  /** Ends the one started last, as a crash would: the library is not told. */
  killLast(): void
}

/** The suite once for each number of lanes, each with an engine of its own, opened before and closed after. */
export function onLanes(
  lanesList: readonly number[],
  suite: (engine: () => Engine, lanes: number) => void,
  options: Omit<EngineOptions, 'lanes'> = {},
): void {
  for (const lanes of lanesList) {
    describe(lanes === 0 ? 'inline' : `on ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`, () => {
      let engine: Engine
      beforeAll(async () => {
        engine = await createEngine({ lanes, ...options })
      })
      afterAll(() => engine.close())
      suite(() => engine, lanes)
    })
  }
}

/** The error that `action` throws or rejects with: a MillraceError, with its code. */
export async function refusal(action: () => unknown, code: string): Promise<MillraceError> {
  let error: unknown = null
  try {
    await action()
  } catch (thrown) {
    error = thrown
  }
  expect(error, 'it was not refused').not.toBeNull()
  expect(error).toBeInstanceOf(MillraceError)
  expect(error).toMatchObject({ code })
  expect((error as MillraceError).message.startsWith(`${code}: `)).toBe(true)
  return error as MillraceError
}

/** Resolves once `condition` holds, or rejects after `mostMs`, also where it does not even say whether it does. */
export async function until(condition: () => boolean | Promise<boolean>, mostMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isLate = false
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true
      reject(new Error(`not so after ${mostMs} ms`))
    }, mostMs)
  })
  const holds = async () => {
    while (!(await condition()) && !isLate) await new Promise(resolve => setTimeout(resolve, 5))
  }
  try {
    await Promise.race([holds(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Rows 0 to rowCount - 1: `id` counts, `key` repeats 0 to 6, `value` is a quarter of id. */
export function counted(rowCount: number): { id: Int32Array; key: Int32Array; value: Float64Array } {
  const [id, key, value] = [new Int32Array(rowCount), new Int32Array(rowCount), new Float64Array(rowCount)]
  for (let i = 0; i < rowCount; i++) {
    id[i] = i
    key[i] = i % 7
    value[i] = i / 4
  }
  return { id, key, value }
}

/** That a listener which is asynchronous is waited for, that what it rejects with is what a job rejects with, and that one which never hears is left when the job is aborted. */
export async function expectWaitedFor(
  run: (listener: () => Promise<void>, signal?: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const later = () => new Promise(resolve => setTimeout(resolve, 20))
  let isHeard = false
  await run(async () => {
    await later()
    isHeard = true
  })
  expect(isHeard).toBe(true)
  const refusing = run(async () => {
    await later()
    throw new Error('enough')
  })
  await expect(refusing).rejects.toThrow('enough')
  const leaving = new AbortController()
  const left = run(() => {
    setTimeout(() => leaving.abort(new Error('left')), 20)
    return new Promise<void>(() => {})
  }, leaving.signal)
  await expect(left).rejects.toThrow('left')
}
