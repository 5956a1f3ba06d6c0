// What a join in windows does for rows that come one by one: how many it indexes, and in how many batches.
import { describe, expect, it, vi } from 'vitest'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { makeVector } from '../../src/columnar/vector.js'
import { planOfJoin } from '../../src/graph/built-join.js'
import { createWindowJoin } from '../../src/graph/window-join.js'
import { int32, rows, schema, timestamp, tumbling } from '../../src/index.js'
import { liveTree, stageOfMeeting } from '../../src/plan/live-tree.js'
import type { JoinNode } from '../../src/plan/logical.js'
import { partsFor } from '../../src/plan/needs.js'
import { bindPlan, boundSchemaOf } from '../../src/plan/typing.js'
import { openContext } from '../../src/workers/open-context.js'

const done = vi.hoisted(() => ({ indexed: 0, batches: 0 }))
vi.mock('../../src/graph/built-join.js', async original => {
  const real: typeof import('../../src/graph/built-join.js') = await original()
  return {
    ...real,
    buildJoin: ((context, stage, left, right) => {
      done.indexed += right.reduce((sum, { rowCount }) => sum + rowCount, 0)
      done.batches += right.length
      const join = real.buildJoin(context, stage, left, right)
      return {
        ...join,
        probe(batch) {
          done.batches++
          return join.probe(batch)
        },
      }
    }) as typeof real.buildJoin,
  }
})

const COUNT = 512
const shape = schema({ time: timestamp(), key: int32(), id: int32() })

async function openJoin(allowedLateness?: string) {
  const marked = rows([], shape).watermark('time')
  const windows = marked.window(tumbling('1s'), allowedLateness === undefined ? {} : { allowedLateness })
  const tree = liveTree(bindPlan(windows.join(marked.rename({ id: 'other' }), 'key').plan, null))
  const { node } = tree as unknown as { readonly node: JoinNode }
  const left = boundSchemaOf(node.input)
  const stage = stageOfMeeting(node)
  const { context } = await openContext([...partsFor(planOfJoin(stage, left), 0)])
  const join = createWindowJoin(context, stage, left, node.meets as never, () => {})
  const schemas = [left, stage.right] as const
  let rowCount = 0
  return {
    join,
    /** One row of the window of the first second. @returns how many pairs it gives */
    push(side: 0 | 1, id: number, mark: bigint): number {
      const instant = (value: bigint) => makeVector(timestamp(), 1, BigInt64Array.of(value))
      const whole = (value: number) => makeVector(int32(), 1, Int32Array.of(value))
      const vectors = [instant(5n), whole(id), whole(rowCount++), instant(0n), instant(1000n)]
      return pairsOf(join.push(side, new RecordBatch(schemas[side], vectors, 1), BigInt64Array.of(mark)))
    },
  }
}

const pairsOf = (batches: readonly RecordBatch[]): number => batches.reduce((sum, { rowCount }) => sum + rowCount, 0)

describe('a join in windows', () => {
  it('has rows that come one by one in a few batches when their window closes', async () => {
    const { join, push } = await openJoin()
    for (let id = 0; id < COUNT; id++) for (const side of [0, 1] as const) expect(push(side, id, 0n)).toBe(0)
    Object.assign(done, { indexed: 0, batches: 0 })
    expect(pairsOf(join.advance(1000n, false))).toBe(COUNT)
    expect(done.indexed).toBe(COUNT)
    expect(done.batches).toBeLessThan(20)
    expect(join.size).toBe(0)
    join.free()
  })

  it('indexes a row a few times only, however many come for a window that has closed', async () => {
    const { join, push } = await openJoin('1s')
    push(0, -1, 0n)
    join.advance(1000n, false)
    Object.assign(done, { indexed: 0, batches: 0 })
    let pairs = 0
    for (let id = 0; id < COUNT; id++) {
      for (const side of [0, 1] as const) pairs += push(side, id, 1000n) + pairsOf(join.advance(1000n, false))
    }
    expect(pairs).toBe(COUNT)
    expect(done.indexed).toBeLessThan(2 * COUNT * 11)
    expect(join.size).toBe(2 * COUNT + 1)
    join.advance(1999n, false)
    expect(push(1, 7, 1999n)).toBe(1)
    join.advance(2000n, false)
    expect(join.size).toBe(0)
    join.free()
  })
})
