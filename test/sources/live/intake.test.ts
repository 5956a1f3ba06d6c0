// What functions of the caller make of messages, one by one or many at a time, with and without values that come once.
import { describe, expect, it } from 'vitest'
import { openRows } from '../../../src/columnar/input.js'
import { int64, list, type MillraceError, nullable, type SchemaShape, schema } from '../../../src/index.js'
import { createIntake } from '../../../src/sources/live/intake.js'
import { createQueue, type RowQueue } from '../../../src/sources/live/queue.js'
import { refusal } from '../../flow/env.js'

const SHAPE = schema({ id: nullable(int64()) })
const ways = ['take', 'takeAll'] as const

function open(decode: (message: unknown) => unknown, isUnique: boolean, shape: SchemaShape = SHAPE) {
  const queue = createQueue(shape, { capacity: 100, whenFull: 'block' }, 'feed')
  const bad: string[] = []
  const intake = createIntake(
    queue,
    {
      decode,
      onBadMessage: ({ error }) => void bad.push((error as MillraceError).message),
      unique: isUnique ? { column: 'id', last: 10 } : null,
    },
    'feed',
  )
  const hear = async (way: (typeof ways)[number], ...messages: string[]) => {
    if (way === 'takeAll') await intake.takeAll(messages)
    else for (const message of messages) await intake.take(message)
  }
  return { queue, bad, intake, hear }
}

async function idsOf(queue: RowQueue): Promise<unknown[]> {
  queue.close()
  const work = (await queue.supply(['id']).next())?.work
  if (work?.kind !== 'batches') return []
  return work.batches().flatMap(batch => batch.toRows({ bigint: true }).map(({ id }: any) => id))
}

describe('messages', () => {
  it('of which a promise is made, or several, are bad, and what these reject with is heard', async () => {
    const no = async () => {
      throw new Error('no')
    }
    const rejected = (row: string) => `MR_TYPE_MISMATCH: feed: ${row}, not an object of column names to values`
    for (const [decode, row] of [
      [no, 'row 0 is a promise (await it)'],
      [async () => ({ id: 1 }), 'row 0 is a promise (await it)'],
      [() => [no(), no()], 'row 0 is a promise (await it)'],
      [() => [{ id: 1 }, no()], 'row 1 is a promise (await it)'],
    ] as const)
      for (const isUnique of [false, true])
        for (const way of ways) {
          const { queue, bad, hear } = open(decode, isUnique)
          await hear(way, 'a', 'b')
          expect([bad, queue.waiting]).toEqual([[rejected(row), rejected(row)], 0])
        }
    // Where it is not heard it is told by the next turn.
    await new Promise(resolve => setTimeout(resolve, 20))
  })

  it('of which no row is made are bad also where values come once', async () => {
    for (const given of [5, 'row', [5], true])
      for (const way of ways) {
        const { bad, hear, queue } = open(message => (message === 'row' ? { id: 1 } : given), true)
        await hear(way, 'bad', 'row')
        expect([bad.length, queue.waiting]).toEqual([1, 1])
      }
  })

  it('of which a batch is made are refused where values come once, and those of which columns are made are bad', async () => {
    const batch = openRows([{ id: 1 }], SHAPE).read(0, 1)
    const columns = [{ id: [1, 2] }, { id: [1n, 2n] }, { id: BigInt64Array.of(1n) }]
    for (const given of [...columns, batch])
      for (const way of ways) {
        const { queue, bad, hear } = open(() => given, false)
        await hear(way, 'a')
        const ids = await idsOf(queue)
        expect([ids[0], bad]).toEqual([1n, []])
      }
    for (const way of ways) {
      await refusal(async () => open(() => batch, true).hear(way, 'a'), 'MR_INVALID_OPTION')
      for (const given of columns) {
        const { queue, bad, hear } = open(
          message => (message === 'columns' ? given : { id: String(message).length }),
          true,
        )
        await hear(way, 'a', 'columns', 'bc')
        expect(bad).toEqual([expect.stringMatching(/^MR_TYPE_MISMATCH: feed: unique is for rows/)])
        expect(await idsOf(queue)).toEqual([1n, 2n])
      }
    }
  })

  it('are decoded once each, whatever becomes of others', async () => {
    const said: string[] = []
    const { bad, hear, queue } = open(message => {
      said.push(String(message))
      if (message === 'bad') throw new Error('no row')
      return { id: said.length }
    }, false)
    await hear('takeAll', 'a', 'bad', 'b')
    expect([said, bad]).toEqual([['a', 'bad', 'b'], ['no row']])
    expect(await idsOf(queue)).toEqual([1n, 3n])
  })

  it('come once by lists of integers too, however these are written', async () => {
    const shape = schema({ id: list(int64()) })
    const ids = [[1], [1n], [2n ** 60n], [2n ** 60n], [2n ** 60n + 1n]]
    for (const way of ways) {
      const { queue, intake, bad, hear } = open(message => ({ id: ids[Number(message)] }), true, shape)
      await hear(way, '0', '1', '2', '3', '4')
      expect([bad, queue.waiting, intake.counts.repeated]).toEqual([[], 3, 2])
    }
  })
})
