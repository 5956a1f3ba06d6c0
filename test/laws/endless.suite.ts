/**
 * The law of flows that may never end: however their rows are pushed, groups that change fold to what the same rows give collected, whatever verbs and aggregates there are.
 */
import { describe, expect, it } from 'vitest'
import { channel, type Engine, MillraceError, rows } from '../../src/index.js'
import { toRowObject } from '../oracle/javascript.js'
import type { ModelTable } from '../oracle/value.js'
import { type ModelVerb, runModel } from '../oracle/verbs.js'
import { inMemory, schemaOf } from './carriers.js'
import type { Choices } from './choices.js'
import { ALL, someFlow } from './flows.js'
import { type AnyFlow, applyVerbs } from './handles.js'
import { folded, text } from './running.js'
import { cases, check, type LawOptions, longTest, openEngines } from './support.js'
import { tables } from './tables.js'

/** Of these a row goes on by itself, or with those of a side that ends. */
const STATELESS = ['derive', 'filter', 'select', 'drop', 'rename', 'dropNulls', 'explode', 'unpivot', 'join'] as const
const abilities = { ...ALL, stages: false, verbs: [...STATELESS, ...STATELESS, 'aggregate'] as const }

/** Rows, arrays of them and batches, of a few rows each. */
async function pushed(table: ModelTable, choices: Choices): Promise<AnyFlow> {
  const shape = schemaOf(table.fields)
  const feed = channel(shape, { capacity: 1 + choices.below(60) })
  const push = async () => {
    for (let from = 0; from < table.rows.length; ) {
      const to = Math.min(table.rows.length, from + 1 + choices.below(9))
      const some = table.rows.slice(from, to).map(row => toRowObject(row, table.fields))
      const kind = choices.below(4)
      if (kind === 0) for (const row of some) await feed.push(row as never)
      else if (kind === 1) await feed.push(some as never)
      else {
        for (const batch of (await rows(some, shape).collect({ lanes: 0 })).batches) {
          if (kind === 3) await feed.push(batch.slice(0, 0) as never)
          await feed.push(batch as never)
        }
      }
      from = to
      if (choices.chance(30)) await new Promise(done => setTimeout(done, 0))
    }
    feed.close()
  }
  push().catch(() => {})
  return feed.flow as unknown as AnyFlow
}

export function endlessLaws(lanesList: readonly number[], options: LawOptions): void {
  describe('laws of flows that may never end', () => {
    const engines = openEngines(lanesList)
    it('groups that change fold to what is collected', { timeout: longTest(options) }, async () => {
      let [changes, refused] = [0, 0]
      await check(
        options,
        150,
        cases(tables(50), (table, choices) => someFlow(table, choices, 3, 'aggregate', abilities)),
        async ({ table, verbs, draw }) => {
          const choices = draw()
          const engine = engines.get(choices.pick(lanesList)) as Engine
          const expected = (await applyVerbs(inMemory(table), verbs).collect({ engine }))
            .toRows({ bigint: true })
            .map(text)
          if (verbs.some((verb, i) => isOfNothing(verb, runModel(table, verbs.slice(0, i))))) return
          let found: string[]
          try {
            found = await folded(applyVerbs(await pushed(table, choices), verbs).run({ engine }))
          } catch (error) {
            if (!(error instanceof MillraceError) || !REFUSED.includes(error.code)) throw error
            refused++
            return
          }
          changes++
          expect(found).toEqual(expected.sort())
        },
      )
      expect(changes).toBeGreaterThan(refused)
    })
  })
}

/** Of no rows nothing is told, though there is an answer once there is an end. */
const isOfNothing = (verb: ModelVerb, { rows }: ModelTable): boolean =>
  verb.verb === 'aggregate' && rows.length === 0 && (verb.keys.length === 0 || verb.by !== undefined)

const REFUSED = ['MR_CANNOT_RETRACT', 'MR_UNBOUNDED']
