/**
 * What lanes may do of a flow that runs on above its watermark: of windows of one length that close once each lane groups what it reads of a split by window and keys, or by pane where
 * they overlap. Which of that is late, and when a window closes, is for the calling thread to say, which knows what came before.
 */
import type { SchemaShape } from '../columnar/type.js'
import type { AggregateFunction } from '../expressions/node.js'
import { windowRules } from './event-time.js'
import type { LiveAggregateSpec, LivePlan } from './live.js'
import { type PlanPart, partsFor } from './needs.js'
import { type AccumulatorSpec, hasTail, isBreaker, type PhysicalPlan } from './physical.js'

export interface LaneWindows {
  /** From the columns that come to the watermark to the keys, what accumulators read, and the time. */
  readonly stages: PhysicalPlan
  /** The column of what comes that has the event time, and how far behind it the watermark is, in ticks. */
  readonly column: string
  readonly delay: bigint
  /** Windows, or panes. */
  readonly fixed: { readonly size: bigint; readonly offset: bigint }
  /** Whether rows are in several windows, of which some may be over before others. */
  readonly overlaps: boolean
  /** The same time, as the stages give it. */
  readonly time: string
  readonly keys: readonly string[]
  readonly accumulators: readonly AccumulatorSpec[]
  /** Whether some result goes by the places of rows. */
  readonly goesByPlace: boolean
  readonly parts: readonly PlanPart[]
}

const BY_PLACE: readonly AggregateFunction[] = ['first', 'last', 'any', 'argMin', 'argMax']
/** Instants up to there, and sums of two of them, are exact in doubles. */
const MOST_TICKS = 2n ** 51n
const MOST_SIZE = 2n ** 48n

/** Null where they had better get the rows on: explain-windows.ts has the reasons. @param below what lanes run */
export function laneWindows({ watermark, segments }: LivePlan, below: PhysicalPlan): LaneWindows | null {
  const { timed, aggregate } = segments[0] ?? {}
  if (watermark === null || watermark.maxAdvance !== null || watermark.delay >= MOST_TICKS) return null
  const fixed = aggregate && fixedOf(aggregate)
  if (!timed || !fixed || !aggregate || aggregate.givesLate || !aggregate.accumulators.every(windowRules().isSmall))
    return null
  if (timed.sides.length > 0 || !timed.scan.every(({ kind }) => kind === 'project' || kind === 'filter')) return null
  if (below.branches.length > 0 || below.scan.some(stage => isBreaker(stage) || hasTail(stage))) return null
  const { time, keys, accumulators } = aggregate
  const overlaps = aggregate.fixed === undefined
  return {
    stages: timed,
    column: watermark.column,
    delay: watermark.delay,
    fixed,
    overlaps,
    time,
    // Before those of the flow: beginning and end, or a pane.
    keys: keys.slice(overlaps ? 1 : 2),
    accumulators,
    goesByPlace: accumulators.some(({ function: name }) => BY_PLACE.includes(name)),
    parts: [...partsFor({ ...timed, scan: [...timed.scan, stageOf(aggregate)] }, 0), 'windowParts'],
  }
}

/** As long as places within some of them are exact in doubles. */
function fixedOf({ fixed, windows }: LiveAggregateSpec): LaneWindows['fixed'] | null {
  if (fixed !== undefined) return fixed
  if (typeof windows !== 'object' || !('pane' in windows)) return null
  return windows.pane < MOST_SIZE ? { size: windows.pane, offset: windows.offset } : null
}

const stageOf = ({ keys, accumulators, input }: LiveAggregateSpec & { readonly input: SchemaShape }) =>
  ({ kind: 'aggregate', keys, sets: null, panes: null, accumulators, output: input }) as const
