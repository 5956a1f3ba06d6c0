/** The laws of frames: every aggregate over many frames of many rows, which the engine merges of blocks, is what the model works out of the rows of each. */
import { describe, it } from 'vitest'
import type { Engine } from '../../src/index.js'
import type { ModelFunction } from '../oracle/aggregate.js'
import { carry } from './carriers.js'
import { ALL, someLongFrames } from './flows.js'
import { applyVerbs } from './handles.js'
import { cases, check, expectedOf, expectFlow, type LawOptions, longTest, openEngines } from './support.js'
import { tables } from './tables.js'

/** Those of which a window of values is kept where frames have many rows in common, partition by partition. */
const WINDOWED: readonly ModelFunction[] = ['median', 'quantile', 'countDistinct', 'mode']

export function overLaws(lanesList: readonly number[], options: LawOptions): void {
  describe('laws of frames', () => {
    const engines = openEngines(lanesList)

    for (const name of ALL.functions) {
      it(`${name} over a frame is that of its rows`, { timeout: longTest(options) }, () =>
        check(
          options,
          15,
          cases(tables(WINDOWED.includes(name) ? 250 : 40), (table, choices) => [someLongFrames(table, choices, name)]),
          async one => {
            for (const lanes of lanesList) {
              const flow = applyVerbs(await carry(one.table, 'rows', one.draw()), one.verbs)
              await expectFlow(flow, engines.get(lanes) as Engine, expectedOf(one), `${lanes} lanes`)
            }
          },
        ),
      )
    }
  })
}
