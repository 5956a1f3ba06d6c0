/** Lanes of one test that exchange rows, without the lanes: their parts go through messages, as between workers. */
import type { SchemaShape } from '../../src/columnar/type.js'
import type { VectorBatch } from '../../src/columnar/vector.js'
import { unloadBatch } from '../../src/kernels/transfer-batch.js'
import type { Breaker, ExchangeHost, ExchangeTerms, OwnExchange, Part } from '../../src/operators/operator.js'
import { createInbox, createOutbox } from '../../src/workers/transfer.js'
import { decodePart, encodePart } from '../../src/workers/transfer-part.js'
import { type Context, emitted, type Row, rowsOf } from './support.js'

export interface TestLane {
  readonly context: Context
  readonly breaker: Breaker
}

/** Everything that lanes give, by split: those that want to exchange do so, the first with them; the others have handed over before. */
export async function exchanged(
  lanes: readonly TestLane[],
  schema: SchemaShape,
  splitsOf: readonly (readonly number[])[],
): Promise<Row[]> {
  const [first, ...rest] = lanes
  const ready = rest.filter(({ breaker }) => breaker.exchange?.wanted)
  if (ready.length === 0) return emitted(first.context, first.breaker, schema)
  const taking = [first, ...ready]
  const laneOfSplit = new Uint32Array(1 + Math.max(0, ...splitsOf.flat()))
  for (const lane of ready) for (const split of splitsOf[lanes.indexOf(lane)]) laneOfSplit[split] = lanes.indexOf(lane)
  const exchanges = taking.map(({ breaker }) => breaker.exchange as OwnExchange)
  const terms: ExchangeTerms = {
    lanes: taking.map(lane => lanes.indexOf(lane)),
    common: false,
    spilled: false,
    ofStates: false,
    isInVain: false,
    size: exchanges.reduce((sum, { size }) => sum + size, 0),
    laneOfSplit,
  }
  const ports = new Map<string, { queue: (Part<VectorBatch> | null)[]; wake: () => void }>()
  const port = (from: number, to: number) => {
    const name = `${from} ${to}`
    const own = ports.get(name) ?? { queue: [], wake: () => {} }
    ports.set(name, own)
    return own
  }
  const given: { readonly split: number; readonly rows: Row[] }[] = []
  const hostOf = ({ context }: TestLane, lane: number): ExchangeHost => {
    const { k } = context
    const outboxes = new Map<number, ReturnType<typeof createOutbox>>()
    const inboxes = new Map<number, ReturnType<typeof createInbox>>()
    const inScratch = <T>(work: () => T): T => {
      const mark = k.memory.mark()
      try {
        return work()
      } finally {
        k.memory.reset(mark)
      }
    }
    const turn = () => new Promise<void>(resolve => setImmediate(resolve))
    const each: ExchangeHost['each'] = async (items, use) => {
      const iterator = items[Symbol.iterator]()
      for (let goesOn = true; goesOn; ) {
        inScratch(() => {
          const next = iterator.next()
          goesOn = !next.done && use(next.value)
        })
        await turn()
      }
      iterator.return?.()
    }
    return {
      lane,
      async send(to, parts) {
        const outbox = outboxes.get(to) ?? createOutbox()
        outboxes.set(to, outbox)
        const { queue } = port(lane, to)
        await each(parts, part => {
          if (part === null) return true
          const { message } = encodePart(part, batch => unloadBatch(k, batch), outbox)
          queue.push(structuredClone(message) as never)
          port(lane, to).wake()
          return true
        })
        queue.push(null)
        port(lane, to).wake()
      },
      async receive(from, take) {
        const inbox = inboxes.get(from) ?? createInbox()
        inboxes.set(from, inbox)
        const own = port(from, lane)
        while (true) {
          while (own.queue.length === 0)
            await new Promise<void>(resolve => {
              own.wake = resolve
            })
          const message = own.queue.shift()
          if (message === null) return
          inScratch(() => take(decodePart(message as never, inbox)))
        }
      },
      each,
      charged: work => work(),
      give(morsel, split) {
        given.push({ split, rows: rowsOf(context, morsel, schema) })
      },
    }
  }
  await Promise.all(exchanges.map((exchange, i) => exchange.carryOut(hostOf(taking[i], terms.lanes[i]), terms)))
  return given.sort((a, b) => a.split - b.split).flatMap(({ rows }) => rows)
}
