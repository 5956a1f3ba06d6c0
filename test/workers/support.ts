/** What the lane tests share: lanes in this thread, plans in the naive model's verbs, and the caller's half of a job, done by hand. */
import { RecordBatch } from '../../src/columnar/record-batch.js'
import * as text from '../../src/kernels/text.js'
import type { PhysicalPlan } from '../../src/plan/physical.js'
import { physicalPlan } from '../../src/plan/planner.js'
import { Lane, type LaneParts } from '../../src/workers/lane.js'
import * as partitions from '../../src/workers/partitions.js'
import { localPorts, type Port } from '../../src/workers/port.js'
import type { FromLane, JobSpec, ToLane } from '../../src/workers/protocol.js'
import { createInbox, createOutbox, decodeBatch, encodeBatch } from '../../src/workers/transfer.js'
import { kernelModule } from '../kernels/support.js'
import { batchOf, OPERATOR_PARTS } from '../operators/support.js'
import type { ModelExpression } from '../oracle/expression.js'
import type { ModelField } from '../oracle/value.js'
import type { ModelVerb } from '../oracle/verbs.js'
import { planOf } from '../plan/arbitrary.js'

export const FIELDS: readonly ModelField[] = [
  { name: 'id', type: { kind: 'int64', nullable: false } },
  { name: 'key', type: { kind: 'utf8', nullable: true } },
]

export const column = (name: string): ModelExpression => ({ op: 'column', name })
export const whole = (value: bigint): ModelExpression => ({
  op: 'literal',
  value,
  type: { kind: 'int64', nullable: false },
})
/** Overflows where `id` is 2^62 or more. */
export const DOUBLED: ModelExpression = { op: 'add', left: column('id'), right: column('id') }

/** Verbs with a use in several tests, over `FIELDS`. */
export const VERBS = {
  all: [],
  doubled: [{ verb: 'derive', columns: [['twice', DOUBLED]] }],
  late: [{ verb: 'filter', predicate: { op: 'gte', left: column('id'), right: whole(3n) } }],
  grouped: [
    {
      verb: 'aggregate',
      keys: ['key'],
      aggregates: [
        ['rows', { function: 'count', inputs: [], where: null }],
        ['least', { function: 'min', inputs: [column('key')], where: null }],
        ['total', { function: 'sum', inputs: [column('id')], where: null }],
      ],
    },
  ],
  sorted: [{ verb: 'orderBy', orders: [{ name: 'id', descending: true, nulls: 'last' }] }],
  limited: [{ verb: 'limit', count: 4, offset: 0 }],
} satisfies Record<string, readonly ModelVerb[]>

export const plan = (verbs: readonly ModelVerb[]): PhysicalPlan => physicalPlan(planOf(FIELDS, verbs))

export const PARTS = { ...OPERATOR_PARTS, partitions, text }

/** One that has all parts, unless some are named. */
export async function openLane(maximumBytes = 2 ** 28, parts: Partial<LaneParts> = PARTS): Promise<Lane> {
  const lane = new Lane(null)
  lane.open({ kernels: await kernelModule(), seed: 7, maximumBytes })
  Object.assign(lane.parts, parts)
  return lane
}

/** Rows `ids`, as the columns that `of` wants, in the form in which a split is sent. */
export function splitOf(split: number, ids: readonly (number | bigint)[], of: PhysicalPlan): ToLane {
  const names = of.sourceColumns
  const data = {
    id: ids.map(BigInt),
    key: ids.map(id => (Number(id) % 4 === 3 ? null : `key ${Number(id) % 3}`)),
  }
  const schema = of.sourceSchema
  const chosen = Object.fromEntries(names.map(name => [name, data[name as keyof typeof data]]))
  const batch = names.length === 0 ? new RecordBatch({}, [], ids.length) : batchOf(chosen, schema)
  return {
    type: 'split',
    split,
    work: { kind: 'batches', batches: [encodeBatch(batch, createOutbox(), true).message] },
  }
}

export interface LaneRun {
  readonly messages: FromLane[]
  readonly port: Port
  send(...messages: ToLane[]): void
  /** The first message of a type, once there is one. */
  message<T extends FromLane['type']>(type: T): Promise<Extract<FromLane, { type: T }>>
  types(): string[]
  /** Rows of all batches, as they came. */
  rows(): Record<string, unknown>[]
}

/** Starts a job in a lane; what the lane says is kept. */
export function startIn(
  lane: Lane,
  spec: Partial<JobSpec> & { readonly plan: PhysicalPlan },
  gather: readonly Port[] = [],
): LaneRun {
  const [port, its] = localPorts()
  const messages: FromLane[] = []
  const waiting: { readonly type: string; resolve(message: never): void }[] = []
  const inbox = createInbox()
  const batches: RecordBatch[] = []
  port.onmessage = (message: FromLane) => {
    messages.push(message)
    if (message.type === 'batch') {
      const { vectors, rowCount } = decodeBatch(message.batch, inbox)
      batches.push(new RecordBatch(spec.plan.output, vectors, rowCount))
    }
    for (const one of waiting.filter(({ type }) => type === message.type)) one.resolve(message as never)
  }
  lane.start({ lane: 0, heldInputs: null, holdAs: null, budget: null, ...spec }, { data: its, gather })
  return {
    messages,
    port,
    send(...all) {
      for (const message of all) port.post(message)
    },
    message(type) {
      const found = messages.find(message => message.type === type)
      if (found !== undefined) return Promise.resolve(found as never)
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no ${type}; only ${messages.map(each => each.type)}`)), 20_000)
        waiting.push({
          type,
          resolve(message) {
            clearTimeout(late)
            resolve(message)
          },
        })
      })
    },
    types: () => messages.map(({ type }) => type),
    rows: () => batches.flatMap(batch => batch.toRows() as Record<string, unknown>[]),
  }
}

export const END: ToLane = { type: 'end' }
export const CANCEL: ToLane = { type: 'cancel' }

/** Whole numbers from `from` to before `to`. */
export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

export const turn = (ms = 5): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
