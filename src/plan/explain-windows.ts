/** What `explain` says of windows while a flow runs on: whether each lane groups the rows that it reads, or the calling thread does, and why. lane-windows.ts says it of what is about to run. */
import type { DataType } from '../columnar/type.js'
import type { AggregateFunction } from '../expressions/node.js'
import { printName } from '../expressions/print.js'
import { accumulate } from './accumulate.js'
import { nanosecondsOf } from './duration.js'
import { type SourceTraits, START, ticksOf, type WindowRules } from './event-time.js'
import type { AggregateNode, PlanNode, WatermarkNode, Windowing } from './logical.js'
import { hasTail, isBreaker } from './physical.js'
import { physicalPlan } from './planner.js'
import { stepsBefore } from './steps-before.js'
import { boundSchemaOf, schemaOfPlan } from './typing.js'
import { panesOf, WINDOW_RULES } from './windows.js'

function explain(plan: PlanNode, sources: Iterable<SourceTraits>): string[] {
  if (schemaOfPlan(plan) === null) return []
  const chain = [plan]
  for (let node = plan; node.kind !== 'source' && node.kind !== 'union'; node = node.input) chain.unshift(node.input)
  const at = chain.findIndex(node => node.kind === 'aggregate' && node.window !== null)
  if (at < 0) return []
  const node = chain[at] as AggregateNode
  const reason = reasonAgainst(chain, at, [...sources])
  const groups = `groups by ${['window', ...node.keys.map(printName)].join(', ')}`
  return ['running on', reason === null ? `  every lane ${groups}` : `  calling thread ${groups}: ${reason}`]
}

const SMALL: readonly AggregateFunction[] = [
  ...(['count', 'sum', 'mean', 'min', 'max', 'variance', 'stddev', 'covariance', 'correlation', 'slope'] as const),
  ...(['every', 'some', 'first', 'last', 'any', 'argMin', 'argMax'] as const),
]

const isSmall: WindowRules['isSmall'] = ({ function: name }) => SMALL.includes(name)

export const LANE_RULES = { explain, isSmall }

/** Whether no lane reads its rows where nothing else happens to them. */
const isStreamed = ({ once, settle, held }: SourceTraits): boolean =>
  once === true && settle === undefined && held === undefined

/** Null where lanes group. */
function reasonAgainst(chain: readonly PlanNode[], at: number, sources: readonly SourceTraits[]): string | null {
  const marked = chain.findIndex(({ kind }) => kind === 'watermark')
  if (marked < 0) return 'several inputs meet before'
  const before = chain[marked - 1] as PlanNode
  if (sources.some(isStreamed) && stepsBefore(before) !== null)
    return before.kind === 'source'
      ? 'nothing happens to rows below the watermark'
      : 'what happens to rows below the watermark is not worth a lane'
  const below = physicalPlan(before)
  if (below.branches.length > 0) return 'several inputs come to the watermark'
  if (below.scan.some(stage => isBreaker(stage) || hasTail(stage)))
    return 'what is below the watermark must see all rows'
  const between = chain.slice(marked + 1, at).find(({ kind }) => kind !== 'project' && kind !== 'filter')
  if (between !== undefined) return `${'verb' in between ? between.verb : between.kind} is between watermark and window`
  const node = chain[at] as AggregateNode
  const window = node.window as Windowing
  const schema = boundSchemaOf(node.input)
  const type = schema[window.time] as DataType
  const told = chain.slice(at + 1).find(({ kind }) => kind === 'emit' || kind === 'aggregate' || kind === 'top')
  if (told?.kind === 'emit' && told.mode !== 'close') return 'results are told as they change'
  if (window.allowedLateness !== null && nanosecondsOf(window.allowedLateness, 'window') > 0n)
    return 'windows take late rows'
  return (
    ofWatermark(chain[marked] as WatermarkNode, type) ??
    ofWindows(window, type) ??
    accumulate({ ...node, keys: [START, ...node.keys] }, { [START]: type, ...schema })
      .accumulators.filter(each => !isSmall(each))
      .map(({ label }) => `${label} keeps more than a few values a group`)[0] ??
    null
  )
}

function ofWatermark({ delay, maxAdvance }: WatermarkNode, type: DataType): string | null {
  if (maxAdvance !== null) return `the watermark moves on by at most ${maxAdvance}`
  return delay !== null && ticksOf(delay, type, 'watermark') >= 2n ** 51n ? 'the delay is too long' : null
}

function ofWindows({ spec }: Windowing, type: DataType): string | null {
  if (spec.kind === 'session' || spec.kind === 'rowCount') return 'each key has windows of its own'
  if (spec.kind === 'tumbling')
    return WINDOW_RULES.fixed(spec, type) === undefined ? 'windows follow a calendar, or are too long' : null
  return panesOf(spec, type).pane < 2n ** 48n ? null : 'windows are too long'
}
