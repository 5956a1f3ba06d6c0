/** What the parts of a job have counted, as `job.metrics()` tells it. */
import { createHistogram, type Histogram } from '../../metrics/histogram.js'
import type { FeedCounts, LaneUse, LatencyMetrics, NodeMetrics } from '../../metrics/node-metrics.js'
import type { SplitSupply } from '../../sources/source.js'
import type { LaneMetrics, StageMetrics } from '../../workers/protocol.js'
import { mergeStages } from './merge-stages.js'

const NO_COUNTS = {
  rowsIn: 0,
  rowsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  busyMs: 0,
  busyShare: 0,
  parallelism: 1,
  queuedRows: null,
  lateRows: 0,
  droppedRows: 0,
  groups: 0,
  stateBytes: 0,
} as const

const shareOf = (busyMs: number, elapsedMs: number): number => (elapsedMs > 0 ? Math.min(1, busyMs / elapsedMs) : 0)

const nodeOfFeed = ({ label, rows, waiting, dropped }: FeedCounts): NodeMetrics => ({
  ...NO_COUNTS,
  name: label,
  place: 'source',
  rowsIn: rows,
  rowsOut: rows - waiting - dropped,
  queuedRows: waiting,
  droppedRows: dropped,
})

/** What a supply has, and what its rows have gone through before. */
export const nodesOfSupply = (supply: SplitSupply | null | undefined): NodeMetrics[] => [
  ...(supply?.nodes?.() ?? []),
  ...(supply?.counts?.() ?? []).map(nodeOfFeed),
]

/** Rows that nodes have left out. */
export function leftOut(nodes: readonly NodeMetrics[]): { readonly droppedRows?: number; readonly lateRows?: number } {
  const sum = (of: 'droppedRows' | 'lateRows') => nodes.reduce((all, node) => all + node[of], 0)
  const [droppedRows, lateRows] = [sum('droppedRows'), sum('lateRows')]
  return { ...(droppedRows > 0 && { droppedRows }), ...(lateRows > 0 && { lateRows }) }
}

/** @param queuedRows that wait for whoever reads */
export const nodeOfOutput = (rowsIn: number, rowsOut: number, queuedRows: number): NodeMetrics => ({
  ...NO_COUNTS,
  name: 'output',
  place: 'output',
  rowsIn,
  rowsOut,
  queuedRows,
})

/** @param busyMs of all lanes together, by default what the stage says */
export const nodeOfStage = (
  stage: StageMetrics,
  elapsedMs: number,
  parallelism: number,
  place: NodeMetrics['place'],
  busyMs = stage.milliseconds,
): NodeMetrics => ({
  ...NO_COUNTS,
  name: stage.stage,
  place,
  rowsIn: stage.rowsIn,
  rowsOut: stage.rowsOut,
  bytesIn: stage.bytesIn,
  bytesOut: stage.bytesOut,
  busyMs,
  busyShare: shareOf(busyMs, elapsedMs * parallelism),
  parallelism,
})

/** The stages of a plan, over all lanes. */
export function nodesOfLanes(lanes: readonly LaneMetrics[], elapsedMs: number): NodeMetrics[] {
  const told = lanes.filter(({ stages }) => stages.length > 0)
  return (told[0]?.stages ?? []).map((_, i) => {
    const each = told.map(({ stages }) => stages[i] as StageMetrics)
    const busyMs = each.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
    return nodeOfStage(mergeStages(each), elapsedMs, lanes.length, 'lanes', busyMs)
  })
}

export const usesOf = (lanes: readonly LaneMetrics[], elapsedMs: number): LaneUse[] =>
  lanes.map(({ stages, rowsRead }) => {
    const busyMs = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
    return { busyMs, busyShare: shareOf(busyMs, elapsedMs), rows: rowsRead }
  })

/** How long what comes out has taken. */
export interface LatencyMeter {
  /** Rows are handed over. @param arrivedAt undefined: nobody knows when they came */
  note(arrivedAt: number | undefined, rows: number): void
  /** Null before the first. */
  read(): LatencyMetrics | null
}

/** @param now as arrivals are told (metrics/clock.ts, `stopwatch`) */
export function createLatencyMeter(now: () => number): LatencyMeter {
  let histogram: Histogram | null = null
  return {
    note(arrivedAt, rows) {
      if (arrivedAt === undefined || rows === 0) return
      histogram ??= createHistogram()
      histogram.record(now() - arrivedAt, rows)
    },
    read() {
      if (histogram === null) return null
      const { count, max, sum } = histogram
      const [p50, p99, p999] = [0.5, 0.99, 0.999].map(histogram.quantile) as [number, number, number]
      return { count, p50, p99, p999, max, mean: sum / count }
    },
  }
}
