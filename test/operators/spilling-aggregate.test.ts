/** What has been spilled is put together again where each group fits by itself, whatever has been made of others. */
import { describe, expect, it } from 'vitest'
import { int32, int64, type SchemaShape } from '../../src/columnar/type.js'
import { MemoryAccount } from '../../src/kernels/memory-account.js'
import { createAggregate } from '../../src/operators/aggregate.js'
import type { OperatorContext } from '../../src/operators/build.js'
import { createKeylessAggregate } from '../../src/operators/keyless-aggregate.js'
import type { Breaker } from '../../src/operators/operator.js'
import type { Spill } from '../../src/operators/spill.js'
import { createSpillingAggregate } from '../../src/operators/spilling-aggregate.js'
import type { Stage } from '../../src/plan/physical.js'
import { openSpill } from '../../src/workers/spill.js'
import { batchOf, type Context, emitted, makeContext, morselOf, type Row } from './support.js'

const MiB = 2 ** 20

const input = { key: int32(), value: int64() } satisfies SchemaShape
const functions = ['countDistinct', 'min', 'max', 'first', 'last', 'sum'] as const
const output = { key: int32(), ...Object.fromEntries(functions.map(name => [name, int64()])) } as SchemaShape
const stage: Stage & { kind: 'aggregate' } = {
  kind: 'aggregate',
  keys: ['key'],
  accumulators: functions.map(name => ({
    name,
    function: name,
    inputs: [{ op: 'column', name: 'value' }],
    inputTypes: [int64()],
    parameters: {},
    where: null,
    label: name,
  })),
  sets: null,
  panes: null,
  output,
}

const ROWS = 80_000
const MORSEL = 4096

/** Every fourth row is of one of two keys; the others are of keys of their own, whose results take room. No value comes twice. */
const dataOf = (from: number, to: number) => {
  const make = <T>(of: (i: number) => T) => Array.from({ length: to - from }, (_, i) => of(from + i))
  return batchOf(
    {
      key: Int32Array.from(make(i => (i % 4 === 0 ? (i / 4) % 2 : i * 1000))),
      value: BigInt64Array.from(make(i => BigInt(i) * 2n ** 20n)),
    },
    input,
  )
}

function resultsOf(context: Context, breaker: Breaker): Row[] {
  const { memory } = context.k
  for (let at = 0; at < ROWS; at += MORSEL) {
    const mark = memory.mark()
    breaker.consume(morselOf(context, dataOf(at, Math.min(ROWS, at + MORSEL))), 0)
    memory.reset(mark)
  }
  return emitted(context, breaker, output)
}

describe('a group that takes most of a budget', () => {
  it('is given the room of results that have been made before it', async () => {
    const plain = await makeContext()
    const wanted = resultsOf(plain, createAggregate(plain, stage, input))
    for (const seed of [1, 2, 3]) {
      const context = await makeContext({ seed })
      const { memory } = context.k
      const account = new MemoryAccount(2 * MiB, 2 * MiB, 'the job')
      const job = openSpill(context, account, null)
      try {
        await job.ready()
        memory.account = account
        const breaker = createSpillingAggregate(job.context, job.context.spill as Spill, stage, input)
        expect(resultsOf(context, breaker)).toEqual(wanted)
        expect(breaker.spilled?.times).toBeGreaterThan(10)
        breaker.free()
      } finally {
        memory.account = null
        await job.close()
      }
      expect(context.usedBytes()).toBe(0)
    }
  })
})

describe('values that lanes without a budget share out', () => {
  const counted: typeof stage = {
    ...stage,
    accumulators: stage.accumulators.slice(0, 1),
    output: { key: int32(), countDistinct: int64() },
  }

  const consumed = async (create: (context: OperatorContext, spill: Spill) => Breaker) => {
    const context = await makeContext()
    const job = openSpill(context, new MemoryAccount(256 * MiB, 256 * MiB, 'the job'), null)
    await job.ready()
    const breaker = create(job.context, job.context.spill as Spill)
    for (let at = 0; at < 150_000; at += MORSEL) {
      const mark = context.k.memory.mark()
      const rows = {
        key: Int32Array.from({ length: MORSEL }, (_, i) => i % 40),
        value: BigInt64Array.from({ length: MORSEL }, (_, i) => BigInt(at + i)),
      }
      breaker.consume(morselOf(context, batchOf(rows, input)), 0)
      context.k.memory.reset(mark)
    }
    const { exchange } = breaker
    const isWanted = exchange?.wanted
    breaker.free()
    await job.close()
    return isWanted
  }

  it('are handed over or written with their groups', async () => {
    expect(await consumed(context => createAggregate(context, counted, input))).toBe(true)
    expect(await consumed((context, spill) => createSpillingAggregate(context, spill, counted, input))).toBe(false)
  })

  it('are handed over with the one group that goes from operator to operator', async () => {
    const keyless = { ...stage, keys: [] }
    expect(await consumed((context, spill) => createKeylessAggregate(context, spill, keyless, input))).toBeUndefined()
  })
})
