/** `replay`: a recorded flow played like a live one. When each row is due is sources/live/replay.ts's business, which is loaded when a terminal runs. */
import { isTime, type SchemaShape, typeName } from '../columnar/type.js'
import { quote, unknownColumn } from '../errors.js'
import { type Clock, steadyClock } from '../metrics/clock.js'
import type { PlanNode } from '../plan/logical.js'
import { Flow } from './flow.js'
import { optionsOf } from './options.js'
import { invalid, mismatch, show } from './refusal.js'
import { stagedFlow } from './staged.js'
import { checkClock } from './timers.js'

export interface ReplayOptions<S extends SchemaShape> {
  /** How many times as fast as it was recorded: 1; `Infinity`: as fast as it goes. */
  readonly speed?: number
  /** The column that says when each row was recorded, a timestamp or a date; by default that of the flow's `watermark`, or the only one there is. */
  readonly time?: keyof S & string
  readonly clock?: Clock
}

/**
 * The rows of a bounded flow at the pace at which they were recorded, times `speed`: the first at once, each other as long after it as its time says. Order is kept: a row whose time lies before that of another that has come, or is null,
 * comes with it. What is said of the rows' time is to be said anew: `replay(flow).watermark('time')`.
 *
 * ```ts
 * const again = replay(flow, { time: 'time', speed: 1000 })
 * show(await again.collect())
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`; `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for a column without times, at once where the schema is known
 */
export function replay<S extends SchemaShape>(flow: Flow<S>, options: ReplayOptions<S> = {}): Flow<S> {
  if (!(flow instanceof Flow)) throw invalid('replay', `it plays a flow, not ${show(flow)}`)
  optionsOf('replay', options, '{ speed }', ['speed', 'time', 'clock'])
  const { speed = 1, time, clock } = options
  if (!(typeof speed === 'number' && speed > 0))
    throw invalid('replay', `speed is a number above 0, not ${show(speed)}`)
  if (time !== undefined && typeof time !== 'string') throw invalid('replay', `time is a column, not ${show(time)}`)
  if (clock !== undefined) checkClock('replay', clock)
  const column = time ?? watermarkOf(flow.plan)
  if (flow.schema !== null) timeColumn(flow.schema, column)
  const step = `replay at ${speed === Infinity ? 'full speed' : `${speed} times the speed`}`
  return stagedFlow(flow, { label: 'replay', step, schema: flow.schema, isPaced: true }, async (_, jobClock) => {
    const { replayStage } = await import('../sources/live/replay.js')
    return replayStage(schema => timeColumn(schema, column), speed, clock ?? jobClock ?? steadyClock)
  })
}

/** @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION` */
function timeColumn(schema: SchemaShape, given: string | undefined): string {
  const times = Object.keys(schema).filter(name => isTime(schema[name].kind))
  if (given === undefined) {
    if (times.length === 1) return times[0]
    throw invalid('replay', `say which column has the time, as in { time: 'time' }; there are ${times.length} that may`)
  }
  if (!Object.hasOwn(schema, given)) throw unknownColumn(given, Object.keys(schema), 'replay')
  if (isTime(schema[given].kind)) return given
  throw mismatch('replay', `replay: column ${quote(given)} is ${typeName(schema[given])}, and no time`, given)
}

/** The column of the nearest watermark, while the rows of its flow are what comes out. */
function watermarkOf(plan: PlanNode): string | undefined {
  let node = plan
  while (node.kind === 'filter' || node.kind === 'limit') node = node.input
  return node.kind === 'watermark' ? node.column : undefined
}
