// Rows loaded into the lanes of an engine for all tests of a suite, and numbers that look random for them.
import { afterAll, beforeAll } from 'vitest'
import type { SchemaShape } from '../../src/columnar/type.js'
import { createEngine, type Engine, type Flow, type Loaded } from '../../src/index.js'

/** A number below 2^32 that follows from another, each from one alone. */
export const scrambled = (i: number) => Math.imul(i, 0x9e3779b1) >>> 0

export function loadedInto<S extends SchemaShape>(lanes: number, rows: Flow<S>) {
  let engine: Engine
  let loaded: Loaded<S>

  beforeAll(async () => {
    engine = await createEngine({ lanes })
    loaded = await rows.load({ engine })
  })

  afterAll(async () => {
    await loaded.close()
    await engine.close()
  })

  return {
    get engine() {
      return engine
    },
    get loaded() {
      return loaded
    },
    collected: async (flow: { collect(options: object): Promise<{ toRows(): object[] }> }) =>
      (await flow.collect({ engine })).toRows() as Record<string, unknown>[],
  }
}
