/** What the tests of spilling share: engines whose lanes are in this thread and spill when they are told to, however few their rows. */

import type { VectorBatch } from '../../src/columnar/vector.js'
import { LocalEngine } from '../../src/engines/local/engine.js'
import type { LaneBatch } from '../../src/kernels/lane-vector.js'
import type { Breaker, Morsel, Transform } from '../../src/operators/operator.js'
import type { Spill } from '../../src/operators/spill.js'
import type { Lane, LaneParts } from '../../src/workers/lane.js'
import type { LaneClient } from '../../src/workers/lane-client.js'
import type { Pool } from '../../src/workers/pool.js'
import { localPorts, messagePort } from '../../src/workers/port.js'
import { openSpill } from '../../src/workers/spill.js'
import { openLane, PARTS } from './support.js'

export interface SpillingEngine {
  readonly engine: LocalEngine
  /** Bytes that all lanes have in use, their arenas given back. */
  usedBytes(): number
  /** Pieces written so far. */
  readonly pieces: number
}

/** @param isTime whether a lane spills all that it can, asked after whatever a breaker takes. */
export async function spillingEngine(laneCount: number, isTime: () => boolean): Promise<SpillingEngine> {
  let pieces = 0
  const spill: LaneParts['spill'] = {
    openSpill(lane, account, folder) {
      const job = openSpill(lane, account, folder)
      const own = job.context.spill as Spill
      const eager = override(own, {
        createBreaker(stage: Parameters<Spill['createBreaker']>[0], input: Parameters<Spill['createBreaker']>[1]) {
          const breaker = own.createBreaker(stage, input)
          if (breaker === null) return null
          const later =
            <A extends unknown[]>(act: (...of: A) => void) =>
            (...given: A) => {
              act(...given)
              const before = breaker.spilled?.pieces ?? 0
              if (isTime()) own.makeRoom(Infinity)
              pieces += (breaker.spilled?.pieces ?? 0) - before
            }
          return override(breaker, { consume: later(breaker.consume), absorb: later(breaker.absorb) })
        },
        createJoin(stage: Parameters<Spill['createJoin']>[0], input: Parameters<Spill['createJoin']>[1]) {
          const join = own.createJoin(stage, input)
          if (join?.side === undefined) return join
          const { rows } = join.side
          const later = () => {
            const before = join.spilled?.pieces ?? 0
            if (isTime()) own.makeRoom(Infinity)
            pieces += (join.spilled?.pieces ?? 0) - before
          }
          return override(join, {
            side: {
              ...join.side,
              rows: {
                ...rows,
                add(batch: VectorBatch, split?: number) {
                  rows.add(batch, split)
                  later()
                },
                hold(batch: LaneBatch, split: number) {
                  rows.hold(batch, split)
                  later()
                },
              },
            },
            *expand(morsel: Morsel) {
              yield* join.expand?.(morsel) ?? []
              later()
            },
          })
        },
      })
      return { ...job, context: { ...job.context, spill: eager } }
    },
  }
  const lanes = await Promise.all(
    Array.from({ length: Math.max(1, laneCount) }, () => openLane(2 ** 28, { ...PARTS, spill })),
  )
  // Keys index groups directly only where they are fewer still.
  for (const lane of lanes) Object.assign(lane, { mostGroups: 5, mostSlots: 8, partRows: 2 })
  const engine = new LocalEngine(laneCount, undefined)
  Object.assign(engine, { pool: Promise.resolve(poolOf(lanes)) })
  return {
    engine,
    usedBytes: () =>
      lanes.reduce((sum, { k: { memory } }) => {
        memory.reset(0)
        memory.trim()
        return sum + memory.usedBytes
      }, 0),
    get pieces() {
      return pieces
    },
  }
}

function poolOf(lanes: readonly Lane[]): Pool {
  const listeners = new Set<(reason: Error) => void>()
  const clients = lanes.map(
    (lane): LaneClient => ({
      inline: false,
      start(spec, gather) {
        const [mine, its] = localPorts()
        lane.start(spec, { data: its, gather: gather.map(messagePort) })
        return mine
      },
      add: async () => {},
      release: table => lane.release(table),
      keepAlive() {},
      terminate: async () => {},
    }),
  )
  return {
    lanes: clients,
    inline: false,
    // Readers of files: their kernels are here, and so are all other parts.
    async add(part) {
      if (typeof part !== 'object' || lanes[0]?.parts[part.name] !== undefined) return
      const loaded = await part.load()
      for (const lane of lanes) Object.assign(lane.parts, { [part.name]: loaded })
    },
    failure: null,
    onEnd(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    // A lane that cannot go on ends it, and its jobs hear why.
    async close(reason) {
      for (const listener of listeners) listener(reason as Error)
    },
  }
}

/** The same object, getters and all, with some methods replaced. */
const override = <T extends Breaker | Spill | Transform>(of: T, methods: object): T =>
  Object.defineProperties(Object.create(of), Object.getOwnPropertyDescriptors(methods))
