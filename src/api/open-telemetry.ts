/**
 * `job.metrics()` by the names, units and shapes of OpenTelemetry, for an exporter to send on; nothing of OpenTelemetry is needed here.
 *
 * | name | unit | |
 * |---|---|---|
 * | `millrace.job.rows`, `millrace.job.io` | `{row}`, `By` | read of the sources |
 * | `millrace.job.output.rows`, `millrace.job.output.io` | `{row}`, `By` | handed over, and written by sinks |
 * | `millrace.job.late_rows`, `millrace.job.dropped_rows` | `{row}` | |
 * | `millrace.job.groups` | `{group}` | kept now |
 * | `millrace.job.watermark.lag` | `s` | |
 * | `millrace.job.latency` | `s` | push to hand-over: a summary with quantiles 0.5, 0.99, 0.999 and 1 |
 * | `millrace.node.rows`, `millrace.node.io` | `{row}`, `By` | by `millrace.direction`: `in`, `out` |
 * | `millrace.node.busy.time`, `millrace.node.busy.share` | `s`, `1` | |
 * | `millrace.node.parallelism` | `{lane}` | |
 * | `millrace.node.queue.rows` | `{row}` | |
 * | `millrace.node.late_rows`, `millrace.node.dropped_rows` | `{row}` | |
 * | `millrace.node.groups`, `millrace.node.state.size` | `{group}`, `By` | |
 * | `millrace.lane.busy.time`, `millrace.lane.busy.share`, `millrace.lane.rows` | `s`, `1`, `{row}` | by `millrace.lane` |
 *
 * Nodes are told apart by `millrace.node.name`, `millrace.node.place` and `millrace.node.index`, flows of `runAll` by `millrace.flow`.
 */
import type { LaneUse, LatencyMetrics, NodeMetrics } from '../metrics/node-metrics.js'
import { invalid, show } from './refusal.js'

export type OtelAttributes = Readonly<Record<string, string | number | boolean>>

/** A point of a metric; times are the exporter's to add. */
export type OtelPoint =
  | { readonly attributes: OtelAttributes; readonly value: number }
  | {
      readonly attributes: OtelAttributes
      readonly count: number
      readonly sum: number
      readonly quantileValues: readonly { readonly quantile: number; readonly value: number }[]
    }

export interface OtelMetric {
  readonly name: string
  readonly description: string
  /** Of the Unified Code for Units of Measure. */
  readonly unit: string
  /** `sum`: cumulative and monotonic; `summary` has quantiles. */
  readonly type: 'sum' | 'gauge' | 'summary'
  readonly points: readonly OtelPoint[]
}

/** What of `job.metrics()` is told. */
export interface OtelInput {
  readonly rows: number
  readonly bytes: number
  readonly rowsWritten: number
  readonly bytesWritten: number
  readonly lateRows?: number
  readonly droppedRows?: number
  readonly groups?: number
  readonly watermarkLagMs?: number | null
  readonly latency?: LatencyMetrics
  readonly nodes?: readonly NodeMetrics[]
  readonly lanes?: readonly LaneUse[]
  readonly flows?: readonly OtelInput[]
}

/**
 * What a job has done as OpenTelemetry has it: names, units, attributes and points of metrics, to be handed to an exporter.
 *
 * ```ts
 * const job = flow.groupBy('symbol').aggregate(t => ({ n: count() })).subscribe(batch => show(batch))
 * await job.finished
 * for (const { name, unit, points } of otelMetrics(job.metrics(), { 'service.name': 'shop' })) show([name, unit, points])
 * ```
 * @param attributes that every point gets
 * @throws MillraceError `MR_INVALID_OPTION` where `metrics` is nothing that a job gave
 */
export function otelMetrics(metrics: OtelInput, attributes: OtelAttributes = {}): OtelMetric[] {
  if (typeof metrics !== 'object' || metrics === null)
    throw invalid('otelMetrics', `it tells of job.metrics(), not of ${show(metrics)}`)
  const found = new Map<string, { -readonly [K in keyof OtelMetric]: OtelMetric[K] } & { points: OtelPoint[] }>()
  const add = (
    name: string,
    unit: string,
    type: OtelMetric['type'],
    description: string,
    value: number | null | undefined,
    own: OtelAttributes,
  ) => {
    if (value === null || value === undefined) return
    metricOf(name, unit, type, description).points.push({ attributes: { ...attributes, ...own }, value })
  }
  const metricOf = (name: string, unit: string, type: OtelMetric['type'], description: string) => {
    let metric = found.get(name)
    if (metric === undefined) {
      metric = { name: `millrace.${name}`, description, unit, type, points: [] }
      found.set(name, metric)
    }
    return metric
  }

  const addJob = (job: OtelInput, own: OtelAttributes) => {
    const { latency, watermarkLagMs: lag } = job
    add('job.rows', '{row}', 'sum', 'Rows read of the sources', job.rows, own)
    add('job.io', 'By', 'sum', 'Bytes read of the sources', job.bytes, own)
    add('job.output.rows', '{row}', 'sum', 'Rows handed over', job.rowsWritten, own)
    add('job.output.io', 'By', 'sum', 'Bytes written by sinks', job.bytesWritten, own)
    add('job.late_rows', '{row}', 'sum', 'Rows that came too late', job.lateRows, own)
    add('job.dropped_rows', '{row}', 'sum', 'Rows left out for want of room', job.droppedRows, own)
    add('job.groups', '{group}', 'gauge', 'Groups kept', job.groups, own)
    add(
      'job.watermark.lag',
      's',
      'gauge',
      'Event time behind the clock',
      typeof lag === 'number' ? lag / 1000 : null,
      own,
    )
    if (latency !== undefined) {
      const { count, mean, p50, p99, p999, max } = latency
      const quantileValues = [
        [0.5, p50],
        [0.99, p99],
        [0.999, p999],
        [1, max],
      ].map(([quantile, value]) => ({ quantile: quantile as number, value: (value as number) / 1000 }))
      metricOf('job.latency', 's', 'summary', 'From push to hand-over, by row').points.push({
        attributes: { ...attributes, ...own },
        count,
        sum: (mean * count) / 1000,
        quantileValues,
      })
    }
    for (const [index, node] of (job.nodes ?? []).entries()) addNode(node, index, own)
    for (const [lane, use] of (job.lanes ?? []).entries()) {
      const of = { ...own, 'millrace.lane': lane }
      add('lane.busy.time', 's', 'sum', 'Time in stages', use.busyMs / 1000, of)
      add('lane.busy.share', '1', 'gauge', 'Share of the time since the job began', use.busyShare, of)
      add('lane.rows', '{row}', 'sum', 'Rows read by the lane', use.rows, of)
    }
  }

  const addNode = (node: NodeMetrics, index: number, own: OtelAttributes) => {
    const of = {
      ...own,
      'millrace.node.name': node.name,
      'millrace.node.place': node.place,
      'millrace.node.index': index,
    }
    const [into, out] = [
      { ...of, 'millrace.direction': 'in' },
      { ...of, 'millrace.direction': 'out' },
    ]
    add('node.rows', '{row}', 'sum', 'Rows in and out', node.rowsIn, into)
    add('node.rows', '{row}', 'sum', 'Rows in and out', node.rowsOut, out)
    add('node.io', 'By', 'sum', 'Bytes in and out, as columns lie in memory', node.bytesIn, into)
    add('node.io', 'By', 'sum', 'Bytes in and out, as columns lie in memory', node.bytesOut, out)
    add('node.busy.time', 's', 'sum', 'Time at work, of all lanes', node.busyMs / 1000, of)
    add('node.busy.share', '1', 'gauge', 'Share of the time of its lanes', node.busyShare, of)
    add('node.parallelism', '{lane}', 'gauge', 'Lanes that it works in', node.parallelism, of)
    add('node.queue.rows', '{row}', 'gauge', 'Rows that wait to go in', node.queuedRows, of)
    add('node.late_rows', '{row}', 'sum', 'Rows that came too late', node.lateRows, of)
    add('node.dropped_rows', '{row}', 'sum', 'Rows left out for want of room', node.droppedRows, of)
    add('node.groups', '{group}', 'gauge', 'Groups kept', node.groups, of)
    add('node.state.size', 'By', 'gauge', 'Memory kept for groups', node.stateBytes, of)
  }

  addJob(metrics, {})
  for (const [flow, job] of (metrics.flows ?? []).entries()) addJob(job, { 'millrace.flow': flow })
  return [...found.values()]
}
