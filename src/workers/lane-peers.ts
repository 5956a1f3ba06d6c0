/** The other lanes of a job, as one lane has them: a port and a mailbox each, and what has gone of dictionaries either way. When lanes tell one another what is lane-job.ts's. */
import type { VectorBatch } from '../columnar/vector.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import type { Part } from '../operators/operator.js'
import type { Credit } from './credit.js'
import { type Mailbox, openMailbox } from './mailbox.js'
import type { Port } from './port.js'
import type { Gathered } from './protocol.js'
import { createInbox, createOutbox, type Inbox, type Outbox } from './transfer.js'
import { decodePart, encodePart } from './transfer-part.js'

/** What drives a lane. */
export interface LaneTurns {
  /** Items one by one, in scratch, others having a turn between two. */
  each<T>(items: Iterable<T>, use: (item: T) => boolean, after?: () => Promise<void> | undefined): Promise<void>
  inScratch(work: () => void): void
  breathe(): Promise<void>
}

export class LanePeers {
  /** All other lanes that this one has a port to. */
  readonly lanes: readonly number[]
  private readonly boxes: readonly Mailbox<Gathered>[]
  /** Of each other lane: what it has of this one's dictionaries, and this one of its. */
  private readonly outboxes = new Map<number, Outbox>()
  private readonly inboxes = new Map<number, Inbox>()

  /** @param credit of a job that spills, whose parts are taken one after another */
  constructor(
    lane: number,
    private readonly ports: readonly Port[],
    private readonly k: Kernels,
    private readonly turns: LaneTurns,
    private readonly credit: Credit | undefined,
  ) {
    this.lanes = ports.map((_, i) => (i < lane ? i : i + 1))
    this.boxes = ports.map((port, i) =>
      openMailbox<Gathered>(port, ({ type }) => {
        if (type === 'took') credit?.earn(this.lanes[i])
        return type === 'took'
      }),
    )
  }

  post(to: number, message: Gathered, transfer?: Transferable[]): void {
    this.ports[this.lanes.indexOf(to)].post(message, transfer)
  }

  next(from: number): Promise<Gathered> {
    return this.boxes[this.lanes.indexOf(from)].next()
  }

  /** Whoever waits for a message gets this. */
  fail(error: unknown): void {
    for (const box of this.boxes) box.fail(error)
  }

  /** Sends parts, one by one, and says when they were all. */
  async send(to: number, parts: Iterable<Part<LaneBatch> | null>): Promise<void> {
    const outbox = known(this.outboxes, to, createOutbox)
    let credit: Promise<void> | undefined
    await this.turns.each(
      parts,
      part => {
        if (part === null) return true
        const { message, transfer } = encodePart(part, batch => unloadBatch(this.k, batch), outbox)
        this.post(to, { type: 'part', part: message }, transfer)
        credit = this.credit?.spend(to)
        return true
      },
      () => credit,
    )
    this.post(to, { type: 'gathered' })
  }

  /** Takes parts until there are no more, or the lane says that its are to be exchanged. */
  async receive(
    from: number,
    take: (part: Part<VectorBatch>) => void,
    isReady?: (message: Gathered & { type: 'ready' }) => void,
  ): Promise<void> {
    const inbox = known(this.inboxes, from, createInbox)
    while (true) {
      const message = await this.next(from)
      if (message.type === 'ready') isReady?.(message)
      if (message.type !== 'part') return
      this.turns.inScratch(() => take(decodePart(message.part, inbox)))
      if (this.credit !== undefined) this.post(from, { type: 'took' })
      await this.turns.breathe()
    }
  }

  /** Parts of other lanes must not reach a breaker that is about to be freed. */
  async unlessOneFails(work: readonly Promise<void>[]): Promise<void> {
    try {
      await Promise.all(work)
    } catch (error) {
      this.fail(error)
      throw error
    }
  }
}

function known<T>(all: Map<number, T>, lane: number, make: () => T): T {
  const one = all.get(lane) ?? make()
  all.set(lane, one)
  return one
}
