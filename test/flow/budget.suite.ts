/** The `memory` of a job that may not spill, on every number of lanes: the excess named by budget and operator, others undisturbed, and its peak told. */
import { describe, expect, it } from 'vitest'
import { collectList, columns, sum, type Table } from '../../src/index.js'
import { counted, onLanes, refusal } from './env.js'

const MiB = 2 ** 20
const rowCount = 400_000
const data = counted(rowCount)

const manyGroups = (flow: typeof all) => flow.groupBy('id').aggregate(t => ({ s: sum(t.value) }))
const fewGroups = (flow: typeof all) => flow.groupBy('key').aggregate(t => ({ s: sum(t.value) }))
const all = columns(data)
const sorted = (flow: typeof all) => flow.orderBy('value')

/** Which lane is handed which split is for time to decide, and so whether it is in the operator itself or just before it that memory ends. */
const ofOperator = (label: string) => expect.stringMatching(`^(reading for )?${label}$`)

/** The ids, which both flows give in the order of the rows. */
function idsOf(table: Table<any>): ArrayLike<number> {
  const ids = table.column('id').toArray() as ArrayLike<number>
  for (let i = 0; i < ids.length; i++) if (ids[i] !== i) throw new Error(`row ${i} has id ${ids[i]}`)
  return ids
}

export function budgetSuite(lanesList: readonly number[]): void {
  describe('the memory of a job', () => {
    onLanes(
      lanesList,
      (engine, lanes) => {
        const shares = Math.max(1, lanes)
        const memory = 3 * MiB * shares

        it('names budget and operator where an aggregate or a sort exceeds it', async () => {
          for (const [flow, operator] of [
            [manyGroups(all), 'aggregate by id'],
            [sorted(all), 'sort by value'],
          ] as const) {
            const error = await refusal(() => flow.collect({ engine: engine(), memory }), 'MR_MEMORY_LIMIT')
            expect(error.details).toMatchObject({
              operator: ofOperator(operator),
              budgetBytes: memory,
              shareBytes: 3 * MiB,
            })
            expect(error.message).toContain(`${operator} needs `)
            expect(error.message).toContain(`budget of ${memory}`)
            expect(error.details.usedBytes).toBeLessThanOrEqual(3 * MiB)
            expect((await flow.collect({ engine: engine(), memory: 2 ** 30 })).rowCount).toBe(rowCount)
          }
        })

        it("is each job's own: of two at once only the greedy one fails", async () => {
          const options = { engine: engine(), memory }
          const [few] = await Promise.all([
            fewGroups(all).collect(options),
            refusal(() => manyGroups(all).collect(options), 'MR_MEMORY_LIMIT'),
          ])
          expect(few.rowCount).toBe(7)
        })

        it('does not count rows that are loaded', async () => {
          await using loaded = await all.load({ engine: engine() })
          expect(loaded.byteLength).toBeGreaterThan(6 * MiB)
          expect((await fewGroups(loaded).collect({ memory })).rowCount).toBe(7)
          const error = await refusal(() => sorted(loaded).collect({ memory }), 'MR_MEMORY_LIMIT')
          expect(error.details).toMatchObject({ operator: ofOperator('sort by value'), budgetBytes: memory })
          expect((await sorted(loaded).collect({ memory: 2 ** 30 })).rowCount).toBe(rowCount)
        })

        it('counts those that it loads', async () => {
          const load = () => all.load({ engine: engine(), memory: MiB * shares })
          expect((await refusal(load, 'MR_MEMORY_LIMIT')).details.operator).toBe('load')
        })

        it('is told by an analysis, as the most that this job had in each lane', async () => {
          const peaks = async (flow: typeof all) => {
            const text = await flow.explain({ analyze: true }, { engine: engine() })
            const [, list] = /memory of the job, peak by lane: (.*)$/m.exec(text) as RegExpExecArray
            return list.split(', ').map(each => Number(/^([\d.]+) MiB$/.exec(each)?.[1]))
          }
          const many = await peaks(sorted(all))
          const few = await peaks(all.limit(5))
          expect(many).toHaveLength(shares)
          // Ids, keys and values of all rows end up in the first lane.
          expect(many[0]).toBeGreaterThan((rowCount * 16) / MiB)
          expect(Math.max(...few)).toBeLessThan(4)
        })
      },
      { spill: false },
    )

    it('is enough for more, where it may be spilled', async () => {
      // spill.suite.ts has it at length; inline in a page there is nowhere to write to.
      for (const lanes of lanesList.filter(each => each === 2 || (each === 0 && !('document' in globalThis)))) {
        for (const flow of [manyGroups(all).select('id'), sorted(all).select('id')]) {
          const { length } = await flow.collect({ lanes, memory: 3 * MiB * Math.max(1, lanes) }).then(idsOf)
          expect(length).toBe(rowCount)
        }
      }
    })

    it('needs no engine; what is one group must fit, whatever may be spilled', async () => {
      const one = all.aggregate(t => ({ values: collectList(t.value) }))
      for (const lanes of lanesList) {
        const error = await refusal(() => one.collect({ lanes, memory: 2 * MiB }), 'MR_MEMORY_LIMIT')
        expect(error.details).toMatchObject({ operator: ofOperator('aggregate by nothing'), budgetBytes: 2 * MiB })
      }
    })
  })
}
