/** Measures what runs step by step in the calling thread: rows, bytes, time, and what is kept. workers/meter.ts does it in lanes. */
import type { DataType } from '../../columnar/type.js'
import type { VectorBatch } from '../../columnar/vector.js'
import type { LaneBatch, LaneVector } from '../../kernels/lane-vector.js'
import type { LaneMemory } from '../../kernels/memory.js'
import { MemoryAccount } from '../../kernels/memory-account.js'
import type { NodeMetrics } from '../../metrics/node-metrics.js'
import { span } from '../../metrics/span.js'
import type { Pipeline } from '../../operators/build.js'
import type { GraphMeter } from '../../operators/graph-meter.js'
import type { LiveAggregate, LiveCells } from '../../operators/live-aggregate.js'
import type { LiveWindows } from '../../operators/live-windows.js'
import type { Morsel } from '../../operators/operator.js'
import { pulled } from '../../operators/pulled.js'
import type { WindowGroups } from '../../operators/window-parts.js'
import type { FixedWindows, Range } from '../../operators/window-runs.js'
import { bytesOf, type MeteredPipeline, meterPipeline } from '../../workers/meter.js'
import type { StageMetrics } from '../../workers/protocol.js'
import { nodeOfStage } from './measures.js'
import { mergeStages } from './merge-stages.js'

export interface LiveMeter extends GraphMeter {
  /** In the order in which rows go through them. @param elapsedMs since the job began */
  nodes(elapsedMs: number): NodeMetrics[]
  /** How far the event time is behind `now`, milliseconds since 1970; null before the first row. */
  lagMs(now: number): number | null
}

export function createLiveMeter(memory: LaneMemory, spans: boolean): LiveMeter {
  const nodes: ((elapsedMs: number) => NodeMetrics[])[] = []
  const lates = new Map<LiveAggregate, (rows: number, isGiven: boolean) => void>()
  const alike = new Map<Pipeline, MeteredPipeline[]>()
  const marks: (() => number | null)[] = []
  const states: { bytes: number }[] = []
  const kept = () => memory.usedBytes - memory.scratchBytes
  const keptBefore = kept()
  const account = memory.account ?? new MemoryAccount(Infinity, Infinity, 'the job')
  return {
    pipeline(pipeline, like) {
      const metered = meterPipeline(pipeline, account, spans)
      const others = like === undefined ? undefined : alike.get(like)
      if (others === undefined) {
        const all = [metered]
        alike.set(metered, all)
        nodes.push(elapsedMs => stagesOf(all).map(stage => nodeOfStage(stage, elapsedMs, 1, 'steps')))
      } else others.push(metered)
      return metered
    },
    aggregate(aggregate) {
      const { label } = aggregate
      let [rowsIn, rowsOut, bytesIn, bytesOut, busyMs, lateRows] = [0, 0, 0, 0, 0, 0]
      const state = { bytes: 0 }
      states.push(state)
      const run = <T>(work: () => T): T => {
        const [began, before] = [performance.now(), kept()]
        const { operator } = account
        account.operator = label
        try {
          return work()
        } finally {
          account.operator = operator
          const ended = performance.now()
          busyMs += ended - began
          state.bytes += kept() - before
          if (spans) span(label, began, ended)
        }
      }
      function* pull(items: Iterable<LaneBatch>): Iterable<LaneBatch> {
        for (const batch of pulled(items, run)) {
          rowsOut += batch.rowCount
          bytesOut += bytesOf(batch)
          yield batch
        }
      }
      nodes.push(elapsedMs => [
        {
          name: label,
          place: 'steps',
          rowsIn,
          rowsOut,
          bytesIn,
          bytesOut,
          busyMs,
          busyShare: shareOf(busyMs, elapsedMs),
          parallelism: 1,
          queuedRows: null,
          lateRows,
          droppedRows: 0,
          groups: aggregate.size,
          stateBytes: Math.max(0, Math.floor(state.bytes)),
        },
      ])
      const metered: LiveAggregate = {
        label,
        get size() {
          return aggregate.size
        },
        consume(morsel) {
          rowsIn += morsel.rowCount
          bytesIn += bytesOf(morsel)
          return pull(run(() => aggregate.consume(morsel)))
        },
        ...('consumeTimed' in aggregate && {
          consumeTimed(morsel: Morsel, time: LaneVector, fixed: FixedWindows, ranges: readonly Range[] | null) {
            rowsIn += morsel.rowCount
            bytesIn += bytesOf(morsel)
            return pull(run(() => (aggregate as LiveWindows).consumeTimed(morsel, time, fixed, ranges)))
          },
        }),
        ...('absorb' in aggregate && {
          absorb(groups: WindowGroups<VectorBatch>, place: number) {
            rowsIn += groups.rowCount
            run(() => (aggregate as LiveCells).absorb(groups, place))
          },
        }),
        get isPending() {
          return aggregate.isPending
        },
        get passed() {
          return aggregate.passed
        },
        renew: texts => run(() => aggregate.renew(texts)),
        advance: (watermark, isEnd) => pull(aggregate.advance(watermark, isEnd)),
        tick: () => pull(aggregate.tick()),
        free: () => aggregate.free(),
      }
      lates.set(metered, (rows, isGiven) => {
        lateRows += rows
        if (isGiven) rowsIn -= rows
      })
      return metered
    },
    renewed() {
      const sum = states.reduce((all, { bytes }) => all + Math.max(0, bytes), 0)
      const most = Math.max(0, kept() - keptBefore)
      if (sum > most) for (const state of states) state.bytes *= most / sum
    },
    late: (aggregate, rows, isGiven) => lates.get(aggregate)?.(rows, isGiven),
    watermark(value, type) {
      const perMs = perMillisecond(type)
      marks.push(() => {
        const mark = value()
        return mark === null ? null : Number(mark) / perMs
      })
    },
    nodes: elapsedMs => nodes.flatMap(read => read(elapsedMs)),
    lagMs(now) {
      let least = Infinity
      for (const mark of marks) least = Math.min(least, mark() ?? Infinity)
      return least === Infinity ? null : now - least
    },
  }
}

/** Stages of pipelines that rows go through the one or the other of, by their names. */
function stagesOf([first, ...others]: readonly MeteredPipeline[]): StageMetrics[] {
  const rest = others.flatMap(other => other.metrics())
  return (first as MeteredPipeline).metrics().map(stage => {
    const at = rest.findIndex(other => other.stage === stage.stage)
    if (at < 0) return stage
    const [other] = rest.splice(at, 1) as [StageMetrics]
    return { ...mergeStages([stage, other]), milliseconds: stage.milliseconds + other.milliseconds }
  })
}

const shareOf = (busyMs: number, elapsedMs: number): number => (elapsedMs > 0 ? Math.min(1, busyMs / elapsedMs) : 0)

/** Ticks of a column of times in a millisecond. */
const perMillisecond = ({ kind, unit }: DataType): number =>
  kind === 'date' ? 1 / 86_400_000 : unit === 's' ? 1e-3 : unit === 'us' ? 1e3 : unit === 'ns' ? 1e6 : 1
