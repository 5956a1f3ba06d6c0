/** The queue of pushed rows against a list: any pushes, any policy, any moments of reading. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openRows } from '../../../src/columnar/input.js'
import {
  dictionary,
  float64,
  int32,
  list,
  MillraceError,
  nullable,
  RecordBatch,
  schema,
  Table,
  utf8,
} from '../../../src/index.js'
import { createQueue, type WhenFull } from '../../../src/sources/live/queue.js'
import type { Split } from '../../../src/sources/source.js'

const SHAPE = schema({ id: int32(), text: nullable(utf8()), degrees: float64() })

interface Row {
  readonly id: number
  readonly text: string | null
  readonly degrees: number
}

const rowOf = (id: number): Row => ({ id, text: id % 4 === 3 ? null : `t${id % 3}`, degrees: id / 2 })
const rowsOf = (split: Split | null): object[] =>
  split === null || split.work.kind !== 'batches' ? [] : split.work.batches().flatMap(batch => batch.toRows())

const FORMS = ['row', 'rows', 'columns', 'dictionary', 'batch', 'table', 'bad'] as const

function inForm(form: (typeof FORMS)[number], rows: readonly Row[]): unknown {
  const columns = {
    id: Int32Array.from(rows, row => row.id),
    text: rows.map(row => row.text),
    degrees: rows.map(row => row.degrees),
  }
  const batch = () => openRows(rows, SHAPE).read(0, rows.length)
  switch (form) {
    case 'row':
      return rows[0]
    case 'rows':
      return rows
    case 'columns':
      return columns
    case 'dictionary': {
      const values = ['t0', 't1', 't2']
      const codes = rows.map(row => (row.text === null ? null : values.indexOf(row.text)))
      return { ...columns, text: dictionary(codes, values) }
    }
    case 'batch':
      return batch()
    case 'table':
      return new Table(SHAPE, [batch(), batch().slice(0, 0)])
    case 'bad':
      return [...rows, { id: 1.5, text: null, degrees: 1 }]
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ form: fc.constantFrom(...FORMS), count: fc.integer({ min: 0, max: 40 }) }) },
  { weight: 1, arbitrary: fc.constant('read' as const) },
)
const policies: readonly WhenFull[] = ['block', 'dropOldest', 'dropNewest', 'error']

describe('the queue of pushed rows', () => {
  it('gives what a list with a bound gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(...policies),
        async (steps, capacity, whenFull) => {
          const queue = createQueue(SHAPE, { capacity, whenFull }, 'channel')
          const supply = queue.supply(['degrees', 'id', 'text'])
          let model: Row[] = []
          let dropped = 0
          let next = 0
          for (const each of steps) {
            if (each === 'read') {
              if (model.length === 0) continue
              const split = await supply.next()
              const expected = model.splice(0, (split as Split).rowCount as number)
              expect(rowsOf(split)).toEqual(expected.map(({ degrees, id, text }) => ({ degrees, id, text })))
              continue
            }
            const count = each.form === 'row' ? 1 : each.count
            const rows = Array.from({ length: count }, () => rowOf(next++))
            const isOver = model.length + count > capacity
            const push = () => queue.push(inForm(each.form, rows))
            if (each.form === 'bad') {
              expect(push).toThrow(expect.objectContaining({ code: 'MR_INEXACT_VALUE' }))
              expect(push).toThrow(`channel: column "id", row ${count}`)
            } else if (whenFull === 'error' && isOver) {
              expect(push).toThrow(expect.objectContaining({ code: 'MR_CHANNEL_FULL' }))
            } else {
              let hasRoom = false
              void push().then(() => {
                hasRoom = true
              })
              model.push(...rows)
              const over = Math.max(0, model.length - capacity)
              if (whenFull === 'dropOldest') model = model.slice(over)
              if (whenFull === 'dropNewest') model = model.slice(0, capacity)
              if (whenFull !== 'block') dropped += over
              await Promise.resolve()
              await Promise.resolve()
              expect(hasRoom).toBe(model.length <= capacity)
            }
            expect(queue.waiting).toBe(model.length)
            expect(queue.dropped).toBe(dropped)
          }
          queue.close()
          const rest: object[] = []
          for (let split = await supply.next(); split !== null; split = await supply.next()) rest.push(...rowsOf(split))
          expect(rest).toEqual(model.map(({ degrees, id, text }) => ({ degrees, id, text })))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('copies what a program may fill anew', async () => {
    const queue = createQueue(schema({ id: int32(), text: utf8() }), { capacity: 10, whenFull: 'block' }, 'channel')
    const id = Int32Array.of(1, 2)
    const codes = Int32Array.of(0, 1)
    queue.push({ id, text: dictionary(codes, ['a', 'b']) })
    id.fill(9)
    codes.fill(1)
    expect(rowsOf(await queue.supply(['id', 'text']).next())).toEqual([
      { id: 1, text: 'a' },
      { id: 2, text: 'b' },
    ])
  })

  it('tells columns from rows by the first column that is no list', async () => {
    const shape = schema({ tags: list(int32()), id: int32() })
    const queue = createQueue(shape, { capacity: 10, whenFull: 'block' }, 'channel')
    queue.push({ tags: [1, 2], id: 1 })
    queue.push({ tags: [[3], []], id: [2, 3] })
    expect(rowsOf(await queue.supply(['tags', 'id']).next())).toEqual([
      { tags: [1, 2], id: 1 },
      { tags: [3], id: 2 },
      { tags: [], id: 3 },
    ])
  })

  it('refuses what is no row, other columns and rows that are taken back', () => {
    const queue = createQueue(SHAPE, { capacity: 10, whenFull: 'block' }, 'channel')
    const code = (data: unknown) => {
      try {
        queue.push(data)
      } catch (error) {
        expect(error).toBeInstanceOf(MillraceError)
        expect((error as Error).message).toContain(': channel: ')
        return (error as MillraceError).code
      }
      return 'taken'
    }
    const batch = openRows([rowOf(1)], SHAPE).read(0, 1)
    expect([
      code(null),
      code(7),
      code([rowOf(0), 7]),
      code({ id: Int32Array.of(1), text: ['a', 'b'], degrees: [1] }),
      code({ id: Int32Array.of(1), degrees: [1] }),
      code({ id: [2 ** 40], text: ['a'], degrees: [1] }),
      code(openRows([{ id: 1 }], schema({ id: int32() })).read(0, 1)),
      code(new RecordBatch(SHAPE, batch.vectors, 1, Int32Array.of(-1))),
      code({ id: 1, text: 'a' }),
    ]).toEqual([
      'MR_TYPE_MISMATCH',
      'MR_TYPE_MISMATCH',
      'MR_TYPE_MISMATCH',
      'MR_COLUMN_LENGTH',
      'MR_UNKNOWN_COLUMN',
      'MR_INTEGER_OVERFLOW',
      'MR_TYPE_MISMATCH',
      'MR_TYPE_MISMATCH',
      'MR_TYPE_MISMATCH',
    ])
    expect(queue.waiting).toBe(0)
  })

  it('ends after the rows before, with its error', async () => {
    const queue = createQueue(SHAPE, { capacity: 10, whenFull: 'block' }, 'channel')
    const supply = queue.supply(['id'])
    queue.push(rowOf(1))
    queue.close(new Error('the pump is dry'))
    queue.close(new Error('another'))
    expect(() => queue.push(rowOf(2))).toThrow(expect.objectContaining({ code: 'MR_CLOSED' }))
    expect(rowsOf(await supply.next())).toEqual([{ id: 1 }])
    await expect(supply.next()).rejects.toThrow('the pump is dry')
  })

  it('lets those go who wait for room when nobody reads any more', async () => {
    const queue = createQueue(SHAPE, { capacity: 1, whenFull: 'block' }, 'channel')
    const supply = queue.supply(['id'])
    const blocked = queue.push([rowOf(1), rowOf(2)])
    await supply.close()
    await blocked
    expect(await supply.next()).toBeNull()
    expect(() => queue.push(rowOf(3))).toThrow(expect.objectContaining({ code: 'MR_CLOSED' }))
  })

  it('wakes a reader who waits', async () => {
    const queue = createQueue(SHAPE, { capacity: 10, whenFull: 'block' }, 'channel')
    const supply = queue.supply(['id'])
    const next = supply.next()
    queue.push(rowOf(5))
    expect(rowsOf(await next)).toEqual([{ id: 5 }])
    const last = supply.next()
    queue.close()
    expect(await last).toBeNull()
  })

  it('takes no more memory the longer it is full', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const bytes = async () => {
      for (let i = 0; i < 2; i++) {
        collectGarbage()
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    for (const whenFull of ['dropOldest', 'dropNewest'] as const) {
      const queue = createQueue(SHAPE, { capacity: 1000, whenFull }, 'channel')
      const columns = { id: new Int32Array(300), text: new Array(300).fill('t'), degrees: new Float64Array(300) }
      let pushed = 0
      const flood = () => {
        for (let i = 0; i < 100_000; i++) {
          queue.push(rowOf(i))
          if (i % 500 === 0) queue.push(columns)
        }
        pushed += 160_000
      }
      flood()
      const before = await bytes()
      for (let round = 0; round < 4; round++) flood()
      expect((await bytes()) - before).toBeLessThan(4e6)
      expect(queue).toMatchObject({ waiting: 1000, dropped: pushed - 1000 })
      const supply = queue.supply(['id'])
      queue.close()
      let rowCount = 0
      for (let split = await supply.next(); split !== null; split = await supply.next())
        rowCount += split.rowCount as number
      expect(rowCount).toBe(1000)
    }
  })
})
