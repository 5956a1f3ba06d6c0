// A log of rows: whatever is added and dropped, in any order, those that are left are found by their numbers, and in the end all blocks are given back.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bool, int64, nullable, utf8 } from '../../src/columnar/type.js'
import { createRowLog } from '../../src/operators/row-log.js'
import { batchOf, makeContext, morselOf, rowsOf } from './support.js'

const shape = { id: int64(), flag: nullable(bool()), text: nullable(utf8()) }
const rowOf = (id: number) => ({
  id,
  flag: id % 3 === 0 ? null : id % 2 === 0,
  text: id % 7 === 0 ? null : `text ${id % 11}`,
})

it('gives the rows that are left, in the order in which they are asked for', async () => {
  const context = await makeContext()
  const { k } = context
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          rows: fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 700 })),
          /** Of a hundred rows so many are dropped. */
          drops: fc.constantFrom(0, 30, 90, 100),
          tidies: fc.boolean(),
        }),
        { maxLength: 8 },
      ),
      fc.nat(),
      (steps, seed) => {
        const log = createRowLog(k)
        const left = new Map<number, number>()
        let next = 0
        for (const [step, { rows, drops, tidies }] of steps.entries()) {
          const mark = k.memory.mark()
          const all = Array.from({ length: rows }, (_, i) => rowOf(next + i))
          const columns = Object.fromEntries(
            Object.keys(shape).map(name => [name, all.map(row => row[name as keyof typeof shape])]),
          )
          const first = log.add(morselOf(context, batchOf(columns, shape)))
          for (let i = 0; i < rows; i++) left.set(first + i, next + i)
          next += rows
          for (const number of [...left.keys()]) {
            if ((number * 7919 + step + seed) % 100 >= drops) continue
            log.drop(number)
            left.delete(number)
          }
          if (tidies) log.tidy()
          expect(log.size).toBe(left.size)
          const asked = [...left.keys()].sort((a, b) => ((a * 31 + seed) % 17) - ((b * 31 + seed) % 17) || a - b)
          if (asked.length > 0) {
            const found = rowsOf(context, { rowCount: asked.length, columns: log.gather(asked) }, shape)
            expect(found).toEqual(asked.map(number => rowOf(left.get(number) as number)))
          }
          k.memory.reset(mark)
        }
        log.free()
      },
    ),
    { numRuns: 150 },
  )
  context.loader.close()
  expect(context.usedBytes()).toBe(0)
})
